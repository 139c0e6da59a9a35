/* The CPU backend, bit by bit: against qa/data/brick.json, and against the rules of consensus on
 * random products. */
#include "kernels/cpu/cpu.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/kernels/bed.h"
#include "qa/unit/kernels/suite.h"
#include "src/crypto/sha256.h"
#include "src/util/buf.h"
#include "src/util/mem.h"

#define BOTH (FX_KERNEL_PRODUCT | FX_KERNEL_MINE)
#define TILE_ENTRIES (FX_TILE * FX_TILE)

static const struct fx_backend *const cpu = &fx_backend_cpu;

static struct fx_device *device_of(unsigned threads)
{
    char error[FX_KERNEL_TEXT] = "";
    struct fx_device *device;

    fx_backend_cpu_set_threads(threads);
    device = cpu->open(0, error);
    fx_backend_cpu_set_threads(0);
    FX_CHECK(device != NULL);
    return device;
}

static struct fx_session *session_of(struct fx_device *device, const struct fx_bed *bed,
                                     const uint8_t *done)
{
    char error[FX_KERNEL_TEXT] = "";
    struct fx_session *session = cpu->begin(device, &bed->task, done, error);

    FX_CHECK(session != NULL);
    return session;
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

FX_TEST(products_of_the_vectors)
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

        FX_CHECK_INT(json_unpack(entry, "{s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:i}", "a_label", &a_label,
                                 "b_transposed_label", &b_label, "seed", &seed, "c_sha256_le32",
                                 &product, "tickets_sha256_row_major_ijl", &tickets, "m", &m, "n",
                                 &n, "k", &k),
                     0);
        fx_bed_header(&header, BOTH, 0);
        FX_CHECK_INT(fx_unit_unhex(seed, header.seed, 32), 32);
        for (unsigned threads = 1; threads <= 3; threads++) {
            struct fx_device *device = device_of(threads);
            struct fx_bed bed;
            struct fx_session *session;
            uint8_t *flat;

            fx_bed_init(&bed, 0, 0, (uint32_t)m / FX_TILE, (uint32_t)n / FX_TILE,
                        (uint32_t)k / FX_DEPTH);
            fx_bed_fill_labels(&bed, a_label, b_label);
            session = session_of(device, &bed, NULL);
            FX_CHECK_INT(fx_bed_run(&bed, cpu, session, &header), FX_STEP_DONE);
            flat = flatten(&bed);
            check_sha256(flat, (size_t)m * (size_t)n * 4, product);
            check_sha256(bed.tickets, (size_t)bed.rows * bed.cols * bed.depth * 32, tickets);
            FX_CHECK_INT(bed.n_tickets, (uint64_t)bed.rows * bed.cols * bed.depth);
            free(flat);
            cpu->end(session);
            cpu->close(device);
            fx_bed_clear(&bed);
        }
    }
    json_decref(data);
}

FX_TEST(random_products)
{
    for (unsigned round = 0; round < fx_unit_rounds(6); round++) {
        struct fx_device *device = device_of(1 + (unsigned)fx_unit_rand_below(3));
        struct fx_kernel_header header;
        struct fx_kernel_stats stats;
        struct fx_session *session;
        struct fx_bed bed;

        fx_bed_init(&bed, (uint32_t)fx_unit_rand_below(131000),
                    (uint32_t)fx_unit_rand_below(131000), 1 + (uint32_t)fx_unit_rand_below(3),
                    1 + (uint32_t)fx_unit_rand_below(3), 1 + (uint32_t)fx_unit_rand_below(5));
        fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
        fx_bed_header(&header, BOTH, (unsigned)fx_unit_rand_below(3));
        session = session_of(device, &bed, NULL);
        FX_CHECK_INT(fx_bed_run(&bed, cpu, session, &header), FX_STEP_DONE);
        fx_bed_check_product(&bed);
        fx_bed_check_tickets(&bed, header.seed, header.target);
        cpu->stats(session, &stats);
        FX_CHECK_INT(stats.bricks, (uint64_t)bed.rows * bed.cols * bed.depth);
        FX_CHECK_INT(stats.tiles, (uint64_t)bed.rows * bed.cols);
        FX_CHECK_INT(stats.tickets, bed.n_tickets);
        FX_CHECK(stats.product_ns > 0 && stats.noise_ns > 0 && stats.peel_ns > 0);
        cpu->end(session);
        cpu->close(device);
        fx_bed_clear(&bed);
    }
}

/* More tiles than go forward together, in both directions; and the product and mining each in its
 * own order. */
FX_TEST(more_than_one_group)
{
    struct fx_device *device = device_of(2);
    struct fx_kernel_header header;
    struct fx_session *session;
    struct fx_bed bed;

    fx_bed_init(&bed, 7, 11, 6, 97, 1);
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    fx_bed_header(&header, BOTH, 5);
    session = session_of(device, &bed, NULL);
    FX_CHECK_INT(fx_bed_run(&bed, cpu, session, &header), FX_STEP_DONE);
    fx_bed_check_product(&bed);
    fx_bed_check_tickets(&bed, header.seed, header.target);
    fx_bed_empty(&bed);
    fx_bed_header(&header, FX_KERNEL_MINE, 5);
    FX_CHECK_INT(fx_bed_run(&bed, cpu, session, &header), FX_STEP_DONE);
    fx_bed_check_tickets(&bed, header.seed, header.target);
    cpu->end(session);
    cpu->close(device);
    fx_bed_clear(&bed);
}

/* All entries at an end of the range: the largest sums that there are. */
FX_TEST(extremes)
{
    static const int ends[3][2] = {{-64, -64}, {63, 63}, {-64, 63}};
    struct fx_device *device = device_of(2);

    for (unsigned at = 0; at < 3; at++) {
        struct fx_kernel_header header;
        struct fx_session *session;
        struct fx_bed bed;

        fx_bed_init(&bed, 0, 0, 1, 2, 7);
        memset(bed.a, ends[at][0], (size_t)7 * FX_BLOCK_BYTES);
        memset(bed.b, ends[at][1], (size_t)14 * FX_BLOCK_BYTES);
        fx_bed_header(&header, BOTH, 0);
        session = session_of(device, &bed, NULL);
        FX_CHECK_INT(fx_bed_run(&bed, cpu, session, &header), FX_STEP_DONE);
        fx_bed_check_product(&bed);
        fx_bed_check_tickets(&bed, header.seed, header.target);
        cpu->end(session);
        fx_bed_clear(&bed);
    }
    cpu->close(device);
}

/* Deep tiles of equal entries make the gathered sums pass 16 bits. */
FX_TEST(the_deepest_tile)
{
    struct fx_device *device = device_of(1);
    struct fx_kernel_header header;
    struct fx_session *session;
    struct fx_bed bed;

    fx_bed_init(&bed, 5, 6, 1, 1, 256);
    memset(bed.a, -64, (size_t)256 * FX_BLOCK_BYTES);
    memset(bed.b, -64, (size_t)256 * FX_BLOCK_BYTES);
    fx_bed_header(&header, BOTH, 20);
    session = session_of(device, &bed, NULL);
    FX_CHECK_INT(fx_bed_run(&bed, cpu, session, &header), FX_STEP_DONE);
    fx_bed_check_product(&bed);
    cpu->end(session);
    cpu->close(device);
    fx_bed_clear(&bed);
}

/* A block with an entry outside [-64, 63] cannot win, and its product is exact all the same. */
FX_TEST(operands_out_of_range)
{
    struct fx_device *device = device_of(2);
    struct fx_kernel_header header;
    struct fx_session *session;
    struct fx_bed bed;
    uint64_t out = 0;

    fx_bed_init(&bed, 1, 2, 2, 2, 3);
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    fx_bed_block(&bed, FX_SIDE_A, 0, 1)[100] = 64;
    fx_bed_block(&bed, FX_SIDE_B, 1, 2)[FX_BLOCK_BYTES - 1] = -128;
    fx_bed_header(&header, BOTH, 0);
    session = session_of(device, &bed, NULL);
    FX_CHECK_INT(fx_bed_run(&bed, cpu, session, &header), FX_STEP_DONE);
    fx_bed_check_product(&bed);
    fx_bed_check_tickets(&bed, header.seed, header.target);
    for (size_t at = 0; at < (size_t)2 * 2 * 3; at++)
        out += bed.times[at] == 0;
    FX_CHECK_INT(out, 4);
    cpu->end(session);
    fx_bed_clear(&bed);

    fx_bed_init(&bed, 0, 0, 1, 1, 2);
    fx_bed_fill(&bed, -128, 127);
    session = session_of(device, &bed, NULL);
    FX_CHECK_INT(fx_bed_run(&bed, cpu, session, &header), FX_STEP_DONE);
    fx_bed_check_product(&bed);
    FX_CHECK_INT(bed.n_tickets, 0);
    cpu->end(session);
    cpu->close(device);
    fx_bed_clear(&bed);
}

/* Budget 0 ends each step after four bricks a tile: the header changes in the middle of tiles. */
FX_TEST(headers_that_change_within_a_tile)
{
    for (unsigned threads = 1; threads <= 2; threads++) {
        struct fx_device *device = device_of(threads);
        atomic_bool cancel = false;
        char error[FX_KERNEL_TEXT];
        enum fx_kernel_step step;
        struct fx_session *session;
        struct fx_bed bed;
        uint64_t before = 0, steps = 0;

        fx_bed_init(&bed, 3, 4, 2, 2, 18);
        fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
        session = session_of(device, &bed, NULL);
        do {
            struct fx_kernel_header header;

            fx_bed_header(&header, BOTH, 0);
            if (steps % 3 == 2)
                header.mode = FX_KERNEL_PRODUCT;
            step = cpu->step(session, &header, 0, &cancel, &bed.sink, error);
            steps++;
            /* Each ticket is one of the header that its step ran under. */
            for (size_t at = 0; at < (size_t)2 * 2 * 18; at++) {
                uint8_t ticket[32];

                if (bed.times[at] == 0)
                    continue;
                FX_CHECK(header.mode == BOTH);
                FX_CHECK(fx_bed_exact_ticket(&bed, header.seed, (uint32_t)(at / 18 / 2),
                                             (uint32_t)(at / 18 % 2), (uint32_t)(at % 18), ticket));
                FX_CHECK_MEM(bed.tickets + at * 32, ticket, 32);
                bed.times[at] = 0;
            }
        } while (step == FX_STEP_MORE);
        FX_CHECK_INT(step, FX_STEP_DONE);
        FX_CHECK(steps >= 5 && bed.n_tickets > before);
        fx_bed_check_product(&bed);
        cpu->end(session);
        cpu->close(device);
        fx_bed_clear(&bed);
    }
}

/* A step that has ended with a chunk leaves the next one to whatever header comes. */
FX_TEST(a_new_header_has_all_bricks_that_are_left)
{
    struct fx_device *device = device_of(2);
    struct fx_kernel_header header;
    struct fx_session *session;
    struct fx_bed bed;
    atomic_bool cancel = false;
    char error[FX_KERNEL_TEXT];
    uint64_t before;

    fx_bed_init(&bed, 1, 2, 2, 3, 11);
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    session = session_of(device, &bed, NULL);
    fx_bed_header(&header, BOTH, 0);
    FX_CHECK_INT(cpu->step(session, &header, 0, &cancel, &bed.sink, error), FX_STEP_MORE);
    before = bed.n_tickets;
    FX_CHECK(before > 0);
    fx_bed_header(&header, BOTH, 0);
    header.seed[0] ^= 1;
    FX_CHECK_INT(fx_bed_run(&bed, cpu, session, &header), FX_STEP_DONE);
    FX_CHECK_INT(bed.n_tickets, (uint64_t)2 * 3 * 11);
    fx_bed_check_product(&bed);
    cpu->end(session);
    cpu->close(device);
    fx_bed_clear(&bed);
}

/* Tickets without the product: each brick once a header, and again under the next one. */
FX_TEST(mining_alone)
{
    struct fx_device *device = device_of(2);
    struct fx_session *session;
    struct fx_bed bed;

    fx_bed_init(&bed, 9, 8, 2, 3, 2);
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    session = session_of(device, &bed, NULL);
    for (unsigned round = 0; round < 3; round++) {
        struct fx_kernel_header header;

        fx_bed_empty(&bed);
        fx_bed_header(&header, FX_KERNEL_MINE, round);
        FX_CHECK_INT(fx_bed_run(&bed, cpu, session, &header), FX_STEP_DONE);
        fx_bed_check_tickets(&bed, header.seed, header.target);
        FX_CHECK_INT(bed.n_tiles, 0);
        /* The same header has nothing more. */
        fx_bed_empty(&bed);
        FX_CHECK_INT(fx_bed_run(&bed, cpu, session, &header), FX_STEP_DONE);
        FX_CHECK_INT(bed.n_tickets, 0);
    }
    cpu->end(session);
    cpu->close(device);
    fx_bed_clear(&bed);
}

/* Mining alone between steps of the product disturbs it in nothing. */
FX_TEST(mining_between_steps_of_the_product)
{
    struct fx_device *device = device_of(1);
    atomic_bool cancel = false;
    char error[FX_KERNEL_TEXT];
    enum fx_kernel_step step;
    struct fx_session *session;
    struct fx_bed bed;

    fx_bed_init(&bed, 0, 0, 1, 2, 3);
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    session = session_of(device, &bed, NULL);
    do {
        struct fx_kernel_header header;

        fx_bed_header(&header, FX_KERNEL_MINE, 0);
        FX_CHECK(cpu->step(session, &header, 0, &cancel, &bed.sink, error) != FX_STEP_FAILED);
        header.mode = BOTH;
        step = cpu->step(session, &header, 0, &cancel, &bed.sink, error);
    } while (step == FX_STEP_MORE);
    FX_CHECK_INT(step, FX_STEP_DONE);
    fx_bed_check_product(&bed);
    cpu->end(session);
    cpu->close(device);
    fx_bed_clear(&bed);
}

FX_TEST(tiles_that_are_done_are_left_alone)
{
    struct fx_device *device = device_of(2);
    struct fx_kernel_header header;
    struct fx_kernel_stats stats;
    struct fx_session *session;
    struct fx_bed bed;
    uint8_t done[2] = {0x05, 0x01}; /* tiles 0, 2 and 8 of nine */

    fx_bed_init(&bed, 0, 0, 3, 3, 2);
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    fx_bed_header(&header, BOTH, 3);
    session = session_of(device, &bed, done);
    FX_CHECK_INT(fx_bed_run(&bed, cpu, session, &header), FX_STEP_DONE);
    for (unsigned tile = 0; tile < 9; tile++)
        FX_CHECK_INT(bed.given[tile], tile == 0 || tile == 2 || tile == 8 ? 0 : 1);
    cpu->stats(session, &stats);
    FX_CHECK_INT(stats.bricks, 12);
    cpu->end(session);

    memset(done, 0xff, sizeof done);
    fx_bed_empty(&bed);
    session = session_of(device, &bed, done);
    FX_CHECK_INT(fx_bed_run(&bed, cpu, session, &header), FX_STEP_DONE);
    FX_CHECK_INT(bed.n_tiles, 0);
    cpu->end(session);
    cpu->close(device);
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

FX_TEST(partial_sums_survive_a_restart)
{
    struct fx_device *device = device_of(2);
    struct fx_kernel_header header;
    struct fx_kernel_stats first, second;
    struct fx_session *session;
    struct fx_bed bed;
    struct fx_buf saved = FX_BUF_INIT;
    atomic_bool cancel = false;
    char error[FX_KERNEL_TEXT];

    fx_bed_init(&bed, 0, 0, 2, 1, 9);
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    fx_bed_header(&header, BOTH, 4);
    session = session_of(device, &bed, NULL);
    for (unsigned at = 0; at < 4; at++)
        FX_CHECK_INT(cpu->step(session, &header, 0, &cancel, &bed.sink, error), FX_STEP_MORE);
    FX_CHECK(!cpu->save(session, refuse, NULL));
    FX_CHECK(cpu->save(session, append, &saved));
    FX_CHECK(saved.len > 0);
    cpu->stats(session, &first);
    cpu->end(session);

    session = session_of(device, &bed, NULL);
    FX_CHECK(cpu->load(session, saved.data, saved.len));
    FX_CHECK_INT(fx_bed_run(&bed, cpu, session, &header), FX_STEP_DONE);
    fx_bed_check_product(&bed);
    cpu->stats(session, &second);
    FX_CHECK_INT(first.bricks + second.bricks, 18);
    cpu->end(session);

    /* What does not belong to the task is refused. */
    session = session_of(device, &bed, NULL);
    FX_CHECK(!cpu->load(session, saved.data, saved.len - 1));
    cpu->end(session);
    saved.data[0] ^= 1;
    session = session_of(device, &bed, NULL);
    FX_CHECK(!cpu->load(session, saved.data, saved.len));
    cpu->end(session);
    fx_buf_clear(&saved);
    cpu->close(device);
    fx_bed_clear(&bed);
}

FX_TEST(saving_in_the_middle_changes_nothing)
{
    struct fx_device *device = device_of(1);
    struct fx_kernel_header header;
    struct fx_session *session;
    struct fx_bed bed;
    struct fx_buf saved = FX_BUF_INIT;
    atomic_bool cancel = false;
    char error[FX_KERNEL_TEXT];

    fx_bed_init(&bed, 0, 0, 1, 1, 4);
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    fx_bed_header(&header, BOTH, 0);
    session = session_of(device, &bed, NULL);
    FX_CHECK_INT(cpu->step(session, &header, 0, &cancel, &bed.sink, error), FX_STEP_MORE);
    FX_CHECK(cpu->save(session, append, &saved));
    FX_CHECK_INT(fx_bed_run(&bed, cpu, session, &header), FX_STEP_DONE);
    fx_bed_check_product(&bed);
    fx_bed_check_tickets(&bed, header.seed, header.target);
    cpu->end(session);
    cpu->close(device);
    fx_buf_clear(&saved);
    fx_bed_clear(&bed);
}

/* The tip moves while the step runs: at its first ticket. */
static bool cancel_at_ticket(void *ctx, uint32_t i, uint32_t j, uint32_t l,
                             const uint8_t ticket[32])
{
    (void)i;
    (void)j;
    (void)l;
    (void)ticket;
    atomic_store((atomic_bool *)ctx, true);
    return true;
}

FX_TEST(cancel_ends_a_step_soon)
{
    struct fx_device *device = device_of(2);
    struct fx_kernel_header header;
    struct fx_kernel_stats stats;
    struct fx_session *session;
    struct fx_bed bed;
    atomic_bool cancel = false;
    const struct fx_kernel_sink sink = {&cancel, cancel_at_ticket, NULL};
    char error[FX_KERNEL_TEXT];

    fx_bed_init(&bed, 0, 0, 8, 8, 40);
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    fx_bed_header(&header, BOTH, 0);
    session = session_of(device, &bed, NULL);
    FX_CHECK_INT(cpu->step(session, &header, 600000, &cancel, &sink, error), FX_STEP_CANCELLED);
    cpu->stats(session, &stats);
    FX_CHECK(stats.bricks > 0);
    FX_CHECK(stats.bricks < 8 * 8 * 40 / 2);
    FX_CHECK_INT(stats.tiles, 0);
    cpu->end(session);
    cpu->close(device);
    fx_bed_clear(&bed);
}

FX_TEST(the_tip_moves)
{
    for (unsigned threads = 1; threads <= 2; threads++) {
        const struct fx_suite suite = {cpu, device_of(threads)};

        fx_suite_tip_moves(&suite);
        cpu->close(suite.device);
    }
}

/* A sink that wants no more ends the step; nothing is given twice, nothing is lost. */
FX_TEST(a_sink_that_says_stop)
{
    struct fx_device *device = device_of(2);
    struct fx_kernel_header header;
    struct fx_session *session;
    struct fx_bed bed;
    unsigned cancelled = 0;
    enum fx_kernel_step step;

    fx_bed_init(&bed, 0, 0, 2, 2, 3);
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    fx_bed_header(&header, BOTH, 0);
    session = session_of(device, &bed, NULL);
    do {
        bed.stop_after_tiles = bed.n_tiles + 1;
        step = fx_bed_run(&bed, cpu, session, &header);
        cancelled += step == FX_STEP_CANCELLED;
    } while (step == FX_STEP_CANCELLED && cancelled < 20);
    FX_CHECK(cancelled >= 2);
    FX_CHECK_INT(step, FX_STEP_DONE);
    fx_bed_check_product(&bed);
    fx_bed_check_tickets(&bed, header.seed, header.target);
    cpu->end(session);

    fx_bed_empty(&bed);
    bed.stop_after_tiles = 0;
    session = session_of(device, &bed, NULL);
    do {
        bed.stop_after_tickets = bed.n_tickets + 1;
        step = fx_bed_run(&bed, cpu, session, &header);
    } while (step == FX_STEP_CANCELLED);
    FX_CHECK_INT(step, FX_STEP_DONE);
    fx_bed_check_product(&bed);
    cpu->end(session);
    cpu->close(device);
    fx_bed_clear(&bed);
}

FX_TEST(an_operand_that_cannot_be_read)
{
    struct fx_device *device = device_of(1);
    struct fx_kernel_header header;
    struct fx_session *session;
    struct fx_bed bed;
    atomic_bool cancel = false;
    char error[FX_KERNEL_TEXT] = "";

    fx_bed_init(&bed, 0, 0, 1, 2, 3);
    fx_bed_fill(&bed, FX_ENTRY_MIN, FX_ENTRY_MAX);
    fx_bed_header(&header, BOTH, 0);
    bed.fail_read = 3; /* a read a panel and chunk */
    session = session_of(device, &bed, NULL);
    FX_CHECK_INT(cpu->step(session, &header, 60000, &cancel, &bed.sink, error), FX_STEP_FAILED);
    FX_CHECK(error[0] != 0);
    cpu->end(session);
    cpu->close(device);
    fx_bed_clear(&bed);
}

FX_TEST(tasks_that_are_none)
{
    struct fx_device *device = device_of(1);
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
        FX_CHECK(cpu->begin(device, &task, NULL, error) == NULL);
        FX_CHECK(error[0] != 0);
    }
    cpu->close(device);
    fx_bed_clear(&bed);
}
