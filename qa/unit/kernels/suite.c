/* The tests that every backend on kernels/offload.h must pass. */
#include "qa/unit/kernels/suite.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/kernels/bed.h"
#include "src/crypto/sha256.h"
#include "src/sys/clock.h"
#include "src/util/buf.h"
#include "src/util/mem.h"

#define BOTH (FX_KERNEL_PRODUCT | FX_KERNEL_MINE)
#define TILE_ENTRIES (FX_TILE * FX_TILE)

static struct fx_session *begin(const struct fx_suite *suite, const struct fx_bed *bed,
                                const uint8_t *done)
{
    char error[FX_KERNEL_TEXT] = "";
    struct fx_session *session = suite->backend->begin(suite->device, &bed->task, done, error);

    if (!session)
        FX_FAIL("begin: %s", error);
    return session;
}

static void run_all(const struct fx_suite *suite, struct fx_bed *bed, struct fx_session *session,
                    const struct fx_kernel_header *header)
{
    char error[FX_KERNEL_TEXT] = "";
    atomic_bool cancel = false;
    enum fx_kernel_step step;

    do {
        step = suite->backend->step(session, header, 1000, &cancel, &bed->sink, error);
    } while (step == FX_STEP_MORE);
    if (step != FX_STEP_DONE)
        FX_FAIL("step %d: %s", (int)step, error);
}

/* From beginning to end, and both products and tickets are right. */
static void run_and_check(const struct fx_suite *suite, struct fx_bed *bed,
                          const struct fx_kernel_header *header)
{
    struct fx_session *session = begin(suite, bed, NULL);
    struct fx_kernel_stats stats;

    run_all(suite, bed, session, header);
    suite->backend->stats(session, &stats);
    suite->backend->end(session);
    fx_bed_check_product(bed);
    fx_bed_check_tickets(bed, header->seed, header->target);
    FX_CHECK_INT(stats.bricks, (uint64_t)bed->rows * bed->cols * bed->depth);
    FX_CHECK_INT(stats.tiles, (uint64_t)bed->rows * bed->cols);
    FX_CHECK_INT(stats.tickets, bed->n_tickets);
}

static void check_sha256(const void *data, size_t n, const char *hex)
{
    uint8_t digest[32];

    fx_sha256(data, n, digest);
    FX_CHECK_HEX(digest, hex);
}

/* The product as one matrix, as its hash wants it. */
static uint8_t *flatten(const struct fx_bed *bed)
{
    size_t columns = (size_t)bed->cols * FX_TILE;
    uint8_t *out = fx_xmalloc((size_t)bed->rows * FX_TILE * columns * 4);

    for (size_t tile = 0; tile < (size_t)bed->rows * bed->cols; tile++) {
        for (size_t at = 0; at < TILE_ENTRIES; at++) {
            size_t row = tile / bed->cols * FX_TILE + at / FX_TILE;
            size_t column = tile % bed->cols * FX_TILE + at % FX_TILE;

            fx_store_u32(out + (row * columns + column) * 4,
                         (uint32_t)bed->tiles[tile * TILE_ENTRIES + at]);
        }
    }
    return out;
}

void fx_suite_vectors(const struct fx_suite *suite)
{
    json_t *data = fx_unit_data("brick.json"), *entry;
    json_t *list = json_object_get(data, "product");
    size_t at;

    FX_CHECK(json_array_size(list) > 0);
    json_array_foreach(list, at, entry)
    {
        const char *a_label, *b_label, *seed, *product, *tickets;
        int m, n, k;
        struct fx_kernel_header header;
        struct fx_session *session;
        struct fx_bed bed;
        uint8_t *flat;

        FX_CHECK_INT(json_unpack(entry, "{s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:i}", "a_label", &a_label,
                                 "b_transposed_label", &b_label, "seed", &seed, "c_sha256_le32",
                                 &product, "tickets_sha256_row_major_ijl", &tickets, "m", &m, "n",
                                 &n, "k", &k),
                     0);
        fx_bed_header(&header, BOTH, 0);
        FX_CHECK_INT(fx_unit_unhex(seed, header.seed, 32), 32);
        fx_bed_init(&bed, 0, 0, (uint32_t)m / FX_TILE, (uint32_t)n / FX_TILE,
                    (uint32_t)k / FX_DEPTH);
        fx_bed_fill_labels(&bed, a_label, b_label);
        session = begin(suite, &bed, NULL);
        run_all(suite, &bed, session, &header);
        suite->backend->end(session);
        flat = flatten(&bed);
        check_sha256(flat, (size_t)m * (size_t)n * 4, product);
        check_sha256(bed.tickets, (size_t)bed.rows * bed.cols * bed.depth * 32, tickets);
        FX_CHECK_INT(bed.n_tickets, (uint64_t)bed.rows * bed.cols * bed.depth);
        free(flat);
        fx_bed_clear(&bed);
    }
    json_decref(data);
}

void fx_suite_random(const struct fx_suite *suite, unsigned rounds)
{
    for (unsigned round = 0; round < fx_unit_rounds(rounds); round++) {
        struct fx_kernel_header header;
        struct fx_bed bed;

        fx_bed_init(&bed, (uint32_t)fx_unit_rand_below(131000),
                    (uint32_t)fx_unit_rand_below(131000), 1 + (uint32_t)fx_unit_rand_below(3),
                    1 + (uint32_t)fx_unit_rand_below(3), 1 + (uint32_t)fx_unit_rand_below(5));
        fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
        fx_bed_header(&header, BOTH, (unsigned)fx_unit_rand_below(3));
        run_and_check(suite, &bed, &header);
        fx_bed_clear(&bed);
    }
}

void fx_suite_extremes(const struct fx_suite *suite)
{
    static const int ends[3][2] = {{-64, -64}, {63, 63}, {-64, 63}};

    for (unsigned at = 0; at < 3; at++) {
        struct fx_kernel_header header;
        struct fx_bed bed;

        fx_bed_init(&bed, 0, 0, 1, 1, 2);
        memset(bed.a, ends[at][0], (size_t)2 * FX_BLOCK_BYTES);
        memset(bed.b, ends[at][1], (size_t)2 * FX_BLOCK_BYTES);
        fx_bed_header(&header, BOTH, 0);
        run_and_check(suite, &bed, &header);
        fx_bed_clear(&bed);
    }
}

void fx_suite_deepest(const struct fx_suite *suite)
{
    struct fx_kernel_header header;
    struct fx_bed bed;

    fx_bed_init(&bed, 5, 6, 1, 1, 256);
    memset(bed.a, -64, (size_t)256 * FX_BLOCK_BYTES);
    memset(bed.b, -64, (size_t)256 * FX_BLOCK_BYTES);
    fx_bed_header(&header, BOTH, 20);
    run_and_check(suite, &bed, &header);
    fx_bed_clear(&bed);
}

void fx_suite_out_of_range(const struct fx_suite *suite)
{
    struct fx_kernel_header header;
    struct fx_bed bed;

    fx_bed_init(&bed, 1, 2, 2, 2, 3);
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    fx_bed_block(&bed, FX_SIDE_A, 0, 1)[100] = 64;
    fx_bed_block(&bed, FX_SIDE_B, 1, 2)[FX_BLOCK_BYTES - 1] = -128;
    fx_bed_block(&bed, FX_SIDE_B, 1, 2)[0] = 127;
    fx_bed_header(&header, BOTH, 0);
    run_and_check(suite, &bed, &header);
    FX_CHECK_INT(bed.n_tickets, 12 - 4);
    fx_bed_clear(&bed);
}

/* Each step has another header, and now and then one that only mines or only multiplies. */
void fx_suite_header_changes(const struct fx_suite *suite)
{
    static const unsigned modes[] = {BOTH, BOTH, FX_KERNEL_MINE, FX_KERNEL_PRODUCT, BOTH};
    struct fx_session *session;
    struct fx_kernel_header header;
    struct fx_kernel_stats stats;
    atomic_bool cancel = false;
    char error[FX_KERNEL_TEXT] = "";
    enum fx_kernel_step step;
    unsigned steps = 0;
    uint64_t mined = 0;
    struct fx_bed bed;

    fx_bed_init(&bed, 3, 4, 2, 2, 7);
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    session = begin(suite, &bed, NULL);
    do {
        struct fx_kernel_stats before;
        unsigned mode = modes[steps++ % 5];

        fx_bed_header(&header, mode, 0);
        suite->backend->stats(session, &before);
        step = suite->backend->step(session, &header, 0, &cancel, &bed.sink, error);
        FX_CHECK(step != FX_STEP_FAILED && step != FX_STEP_CANCELLED);
        suite->backend->stats(session, &stats);
        if (mode == FX_KERNEL_MINE)
            mined += stats.bricks - before.bricks;
    } while (step == FX_STEP_MORE || header.mode == FX_KERNEL_MINE);
    /* No brick of the product was computed twice. */
    FX_CHECK_INT(stats.bricks - mined, 28);
    suite->backend->end(session);
    fx_bed_check_product(&bed);
    fx_bed_clear(&bed);
}

/* Every ticket that came is that of its brick under this seed. */
static void check_given(const struct fx_bed *bed, const uint8_t seed[32])
{
    for (uint32_t at = 0; at < bed->rows * bed->cols * bed->depth; at++) {
        const uint32_t tile = at / bed->depth;
        uint8_t ticket[32];

        if (bed->times[at] == 0)
            continue;
        FX_CHECK(fx_bed_exact_ticket(bed, seed, tile / bed->cols, tile % bed->cols, at % bed->depth,
                                     ticket));
        FX_CHECK_MEM(bed->tickets + (size_t)at * 32, ticket, 32);
    }
}

void fx_suite_left_tickets(const struct fx_suite *suite)
{
    struct fx_kernel_header header;
    struct fx_session *session;
    struct fx_bed bed;

    fx_bed_init(&bed, 0, 0, 2, 3, 8);
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    fx_bed_header(&header, BOTH, 0);
    session = begin(suite, &bed, NULL);
    bed.stop_after_tickets = 1; /* of many that are found at a time */
    FX_CHECK_INT(fx_bed_run(&bed, suite->backend, session, &header), FX_STEP_CANCELLED);
    FX_CHECK_INT(bed.n_tickets, 1);
    check_given(&bed, header.seed);
    bed.stop_after_tickets = 0;
    memset(bed.times, 0, (size_t)bed.rows * bed.cols * bed.depth * sizeof *bed.times);
    header.seed[0] ^= 1;
    FX_CHECK_INT(fx_bed_run(&bed, suite->backend, session, &header), FX_STEP_DONE);
    check_given(&bed, header.seed);
    fx_bed_check_product(&bed);
    suite->backend->end(session);
    fx_bed_clear(&bed);
}

void fx_suite_mining(const struct fx_suite *suite)
{
    struct fx_session *session;
    struct fx_bed bed;

    fx_bed_init(&bed, 7, 9, 2, 3, 3);
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    session = begin(suite, &bed, NULL);
    for (unsigned round = 0; round < 2; round++) {
        struct fx_kernel_header header;

        fx_bed_empty(&bed);
        fx_bed_header(&header, FX_KERNEL_MINE, round);
        run_all(suite, &bed, session, &header);
        fx_bed_check_tickets(&bed, header.seed, header.target);
        FX_CHECK_INT(bed.n_tiles, 0);
        /* The same header has nothing more. */
        fx_bed_empty(&bed);
        run_all(suite, &bed, session, &header);
        FX_CHECK_INT(bed.n_tickets, 0);
    }
    suite->backend->end(session);
    fx_bed_clear(&bed);
}

void fx_suite_mining_after_product(const struct fx_suite *suite)
{
    struct fx_kernel_header header;
    struct fx_session *session;
    struct fx_bed bed;

    fx_bed_init(&bed, 2, 1, 2, 1, 3);
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    session = begin(suite, &bed, NULL);
    fx_bed_header(&header, FX_KERNEL_PRODUCT, 0);
    run_all(suite, &bed, session, &header);
    fx_bed_check_product(&bed);
    FX_CHECK_INT(bed.n_tickets, 0);
    for (unsigned round = 0; round < 2; round++) {
        fx_bed_empty(&bed);
        fx_bed_header(&header, round == 0 ? BOTH : FX_KERNEL_MINE, round);
        run_all(suite, &bed, session, &header);
        FX_CHECK_INT(bed.n_tiles, 0);
        /* Of a product that is finished there are no tickets: it is not computed twice. */
        if (round == 0)
            FX_CHECK_INT(bed.n_tickets, 0);
        else
            fx_bed_check_tickets(&bed, header.seed, header.target);
    }
    suite->backend->end(session);
    fx_bed_clear(&bed);
}

/* The others are given out, each once, and cost no more than their own bricks. */
static void check_done(const struct fx_suite *suite, struct fx_bed *bed, unsigned mask)
{
    const uint8_t done[2] = {(uint8_t)mask, (uint8_t)(mask >> 8)};
    struct fx_kernel_header header;
    struct fx_kernel_stats stats;
    struct fx_session *session;
    int32_t *exact = fx_xmalloc(FX_TILE_BYTES);
    unsigned left = 0;

    fx_bed_empty(bed);
    fx_bed_header(&header, BOTH, 0);
    session = begin(suite, bed, done);
    run_all(suite, bed, session, &header);
    for (unsigned tile = 0; tile < 9; tile++) {
        FX_CHECK_INT(bed->given[tile], mask >> tile & 1 ? 0 : 1);
        left += !(mask >> tile & 1);
        fx_bed_exact_tile(bed, tile / 3, tile % 3, exact);
        FX_CHECK(bed->given[tile] == 0 ||
                 memcmp(bed->tiles + (size_t)tile * TILE_ENTRIES, exact, FX_TILE_BYTES) == 0);
    }
    free(exact);
    suite->backend->stats(session, &stats);
    suite->backend->end(session);
    FX_CHECK_INT(stats.bricks, 2 * left);
    FX_CHECK_INT(bed->n_tickets, 2 * left);
    check_given(bed, header.seed);
}

void fx_suite_done_tiles(const struct fx_suite *suite)
{
    /* Of nine tiles: three apart, the first one of the last row, the row in the middle, all. */
    static const unsigned masks[] = {0x105, 0x040, 0x038, 0x1ff};
    struct fx_bed bed;

    fx_bed_init(&bed, 0, 0, 3, 3, 2);
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    for (size_t at = 0; at < sizeof masks / sizeof *masks; at++)
        check_done(suite, &bed, masks[at]);
    fx_bed_clear(&bed);
}

static bool append(void *ctx, const void *data, size_t n)
{
    fx_buf_bytes(ctx, data, n);
    return true;
}

static bool refuse(void *ctx, const void *data, size_t n)
{
    (void)ctx;
    (void)data;
    (void)n;
    return false;
}

static void check_refused(const struct fx_suite *suite, const struct fx_bed *bed,
                          const uint8_t *data, size_t n)
{
    struct fx_session *session = begin(suite, bed, NULL);

    FX_CHECK(!suite->backend->load(session, data, n));
    suite->backend->end(session);
}

/* Saved after every step, and taken up by a new session under a new header. */
void fx_suite_restart(const struct fx_suite *suite)
{
    struct fx_kernel_header header;
    struct fx_kernel_stats stats;
    struct fx_session *session;
    struct fx_bed bed;
    struct fx_buf saved = FX_BUF_INIT;
    uint8_t done[1] = {0};
    atomic_bool cancel = false;
    char error[FX_KERNEL_TEXT];
    enum fx_kernel_step step;
    uint64_t bricks = 0;
    bool refused = false;

    fx_bed_init(&bed, 0, 0, 2, 2, 9);
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    do {
        fx_bed_header(&header, BOTH, 4);
        session = begin(suite, &bed, done);
        FX_CHECK(saved.len == 0 || suite->backend->load(session, saved.data, saved.len));
        saved.len = 0;
        bed.stop_after_tiles = bed.n_tiles + 1;
        step = suite->backend->step(session, &header, 0, &cancel, &bed.sink, error);
        FX_CHECK(step != FX_STEP_FAILED);
        for (unsigned tile = 0; tile < 4; tile++)
            done[0] |= (uint8_t)(bed.given[tile] ? 1 << tile : 0);
        FX_CHECK(suite->backend->save(session, append, &saved));
        if (saved.len > 0 && !refused) {
            refused = true;
            FX_CHECK(!suite->backend->save(session, refuse, NULL));
            /* What does not belong to the task is refused. */
            check_refused(suite, &bed, saved.data, saved.len - 1);
            saved.data[0] ^= 1;
            check_refused(suite, &bed, saved.data, saved.len);
            saved.data[0] ^= 1;
        }
        suite->backend->stats(session, &stats);
        bricks += stats.bricks;
        suite->backend->end(session);
    } while (bed.n_tiles < 4);
    FX_CHECK(refused);
    fx_bed_check_product(&bed);
    FX_CHECK_INT(bricks, 36);
    fx_buf_clear(&saved);
    fx_bed_clear(&bed);
}

/* A sink that wants no more ends the step; nothing is given twice, nothing is lost. */
void fx_suite_stopping_sink(const struct fx_suite *suite)
{
    for (unsigned round = 0; round < 2; round++) {
        struct fx_kernel_header header;
        struct fx_session *session;
        struct fx_bed bed;
        atomic_bool cancel = false;
        char error[FX_KERNEL_TEXT];
        unsigned cancelled = 0;
        enum fx_kernel_step step;

        fx_bed_init(&bed, 0, 0, 2, 2, 3);
        fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
        fx_bed_header(&header, BOTH, 0);
        session = begin(suite, &bed, NULL);
        do {
            if (round == 0)
                bed.stop_after_tiles = bed.n_tiles + 1;
            else
                bed.stop_after_tickets = bed.n_tickets + 1;
            step = suite->backend->step(session, &header, 1000, &cancel, &bed.sink, error);
            FX_CHECK(step != FX_STEP_FAILED);
            cancelled += step == FX_STEP_CANCELLED;
        } while (step != FX_STEP_DONE && cancelled < 40);
        FX_CHECK(cancelled >= 2);
        FX_CHECK_INT(step, FX_STEP_DONE);
        fx_bed_check_product(&bed);
        fx_bed_check_tickets(&bed, header.seed, header.target);
        suite->backend->end(session);
        fx_bed_clear(&bed);
    }
}

void fx_suite_unreadable(const struct fx_suite *suite)
{
    struct fx_kernel_header header;
    struct fx_session *session;
    struct fx_bed bed;
    atomic_bool cancel = false;
    char error[FX_KERNEL_TEXT] = "";

    fx_bed_init(&bed, 0, 0, 1, 2, 3);
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    fx_bed_header(&header, BOTH, 0);
    bed.fail_read = 2;
    session = begin(suite, &bed, NULL);
    FX_CHECK_INT(suite->backend->step(session, &header, 60000, &cancel, &bed.sink, error),
                 FX_STEP_FAILED);
    FX_CHECK(strstr(error, "could not be read") != NULL);
    suite->backend->end(session);
    fx_bed_clear(&bed);
}

void fx_suite_no_tasks(const struct fx_suite *suite)
{
    char error[FX_KERNEL_TEXT];
    struct fx_bed bed;

    fx_bed_init(&bed, 0, 0, 1, 1, 1);
    for (unsigned at = 0; at < 4; at++) {
        struct fx_kernel_task task = bed.task;

        error[0] = 0;
        task.kind = at == 0 ? 2 : task.kind;
        task.rows = at == 1 ? 0 : task.rows;
        task.cols = at == 2 ? 0 : task.cols;
        task.depth = at == 3 ? 0 : task.depth;
        FX_CHECK(suite->backend->begin(suite->device, &task, NULL, error) == NULL);
        FX_CHECK(error[0] != 0);
    }
    fx_bed_clear(&bed);
}

/* A bed's sink, and the tip that moves with each ticket. */
struct moving_tip {
    struct fx_bed *bed;
    atomic_bool moved;
};

static bool move_at_ticket(void *ctx, uint32_t i, uint32_t j, uint32_t l, const uint8_t ticket[32])
{
    struct moving_tip *tip = ctx;

    atomic_store(&tip->moved, true);
    return tip->bed->sink.ticket(tip->bed, i, j, l, ticket);
}

static bool keep_finished(void *ctx, uint64_t tile, const int32_t *data)
{
    struct moving_tip *tip = ctx;

    return tip->bed->sink.tile(tip->bed, tile, data);
}

/* Steps that are cancelled at their first ticket, each under a header of its own. */
void fx_suite_tip_moves(const struct fx_suite *suite)
{
    const uint64_t all = 4 * 4 * 6;
    struct fx_kernel_header header;
    struct fx_kernel_stats stats;
    struct fx_session *session;
    struct moving_tip tip;
    struct fx_bed bed;
    const struct fx_kernel_sink sink = {&tip, move_at_ticket, keep_finished};
    char error[FX_KERNEL_TEXT] = "";
    enum fx_kernel_step step;
    unsigned cancelled = 0;

    fx_bed_init(&bed, 0, 0, 4, 4, 6);
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    tip.bed = &bed;
    session = begin(suite, &bed, NULL);
    do {
        fx_bed_header(&header, BOTH, 0);
        atomic_init(&tip.moved, false);
        step = suite->backend->step(session, &header, 600000, &tip.moved, &sink, error);
        if (step == FX_STEP_FAILED)
            FX_FAIL("step: %s", error);
        cancelled += step == FX_STEP_CANCELLED;
    } while (step != FX_STEP_DONE && cancelled <= all);
    FX_CHECK_INT(step, FX_STEP_DONE);
    FX_CHECK(cancelled > 0);
    /* Nothing was lost, and nothing computed twice. */
    fx_bed_check_product(&bed);
    suite->backend->stats(session, &stats);
    FX_CHECK_INT(stats.bricks, all);
    suite->backend->end(session);
    fx_bed_clear(&bed);
}

struct canceller {
    atomic_bool cancel;
    int64_t at_ms;
};

static void *cancel_soon(void *arg)
{
    struct canceller *canceller = arg;

    fx_clock_sleep_ms(60);
    canceller->at_ms = fx_clock_monotonic_ms();
    atomic_store(&canceller->cancel, true);
    return NULL;
}

void fx_suite_cancel(const struct fx_suite *suite)
{
    struct canceller canceller = {.cancel = false};
    struct fx_kernel_header header;
    struct fx_session *session;
    struct fx_bed bed;
    char error[FX_KERNEL_TEXT] = "";
    pthread_t thread;
    int64_t took;

    fx_bed_init(&bed, 0, 0, 4, 4, 4);
    fx_bed_header(&header, FX_KERNEL_MINE, 40);
    session = begin(suite, &bed, NULL);
    FX_CHECK_INT(pthread_create(&thread, NULL, cancel_soon, &canceller), 0);
    /* Header after header, so that even a fast device is not done before. */
    do {
        header.seed[0]++;
        if (suite->backend->step(session, &header, 600000, &canceller.cancel, &bed.sink, error) ==
            FX_STEP_FAILED)
            FX_FAIL("step: %s", error);
    } while (!atomic_load(&canceller.cancel));
    took = fx_clock_monotonic_ms();
    pthread_join(thread, NULL);
    /* 100 ms by the interface; the rest is for a machine that does other things. */
    FX_CHECK(took - canceller.at_ms < 1000);
    suite->backend->end(session);
    fx_bed_clear(&bed);
}

static bool wins(const uint8_t header[80], uint32_t nonce, const uint8_t target[32])
{
    uint8_t copy[80], id[32];

    memcpy(copy, header, 76);
    fx_store_u32(copy + 76, nonce);
    fx_sha256d(copy, sizeof copy, id);
    for (int at = 31; at >= 0; at--) {
        if (id[at] != target[at])
            return id[at] < target[at];
    }
    return true;
}

void fx_suite_nonces(const struct fx_suite *suite)
{
    for (unsigned round = 0; round < fx_unit_rounds(12); round++) {
        uint8_t header[80], target[32];
        uint32_t first = round == 0 ? UINT32_MAX - 100 : (uint32_t)fx_unit_rand64(), nonce = 0;
        uint32_t wanted = first;
        uint64_t count = 1 + fx_unit_rand_below(3000), tried = 0, n = 0;
        atomic_bool cancel = false;
        bool there = false, found;

        fx_unit_rand_fill(header, sizeof header);
        fx_unit_rand_fill(target, sizeof target);
        target[31] = 0;
        target[30] &= 0x3f;
        for (; n < count && !there; n++, wanted++)
            there = wins(header, wanted, target);
        found = suite->backend->hash(suite->device, header, target, first, count, &cancel, &nonce,
                                     &tried);
        FX_CHECK_INT(found, there);
        FX_CHECK(tried <= count);
        if (there)
            FX_CHECK_INT(nonce, wanted - 1);
        else
            FX_CHECK_INT(tried, count);
        cancel = true;
        FX_CHECK(!suite->backend->hash(suite->device, header, target, first, count, &cancel, &nonce,
                                       &tried));
        FX_CHECK_INT(tried, 0);
    }
}
