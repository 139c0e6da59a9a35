/*
 * A gemm task on the CPU. Each thread has a slot with one tile; a step runs all slots until their
 * tiles are done or the budget is used up, and then, on the caller's thread, gives out what they
 * found.
 *
 * With noise, the sum of a tile's bricks is (protocol section 6)
 *     sum_l D = A B^T + G LB^T + LA H^T,
 *     G[:, p_1,l] += A_l * sign_1,l     H[:, p_0,l] += B'_l * sign_0,l
 * so the exact tile is what remains after G and H are peeled off. LA and LB belong to one seed:
 * when the header changes in the middle of a tile, what has gathered is peeled, and gathering
 * starts anew. |G| <= 64 * 256 and |H| <= 128 * 256.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>

#include "kernels/cpu/cpu_int.h"
#include "src/sys/clock.h"
#include "src/util/buf.h"
#include "src/util/mem.h"
#include "src/util/reader.h"

#define TILE_ENTRIES (FX_TILE * FX_TILE)
#define SAVE_MAGIC UINT32_C(0x73707866) /* "fxps" */

struct found {
    uint32_t i, j, l;
    uint8_t ticket[32];
};

struct slot {
    struct fx_session *session;
    bool active;
    uint64_t tile;
    uint32_t next; /* segment of k */
    uint32_t i, j;
    bool gathered; /* G and H hold something, under `seed` */
    struct fx_cpu_seed seed;
    int8_t *la, *lb;  /* noise panels under seed */
    int32_t *g, *h;   /* 128 x 256 */
    uint32_t *sum;    /* 128 x 128, modulo 2^32 */
    int8_t *a, *b;    /* blocks as they were read */
    int16_t *wa, *wb; /* the same, noised and widened */
    int32_t *d;
    struct found *found;
    size_t n_found, cap_found;
    bool failed;
    struct fx_kernel_stats stats;
};

struct fx_session {
    struct fx_device *device;
    struct fx_kernel_task task;
    uint64_t tiles;
    uint8_t *taken; /* one bit a tile: done, or in a slot */
    uint64_t next_tile, left;
    struct slot *slots;
    unsigned n_slots;
    pthread_mutex_t reading;
    struct fx_kernel_stats stats; /* of what the slots have handed over */
    /* mining alone */
    uint8_t mined_seed[32];
    bool mining;
    uint64_t mined; /* tiles handed to slots under mined_seed */
    uint64_t mined_out;
    struct slot *miners;
    /* the step that runs */
    const struct fx_kernel_header *header;
    struct fx_cpu_seed seed;
    const atomic_bool *cancel;
    int64_t deadline_ns;
};

static bool bit(const uint8_t *bits, uint64_t at)
{
    return bits[at >> 3] >> (at & 7) & 1;
}

static void set_bit(uint8_t *bits, uint64_t at)
{
    bits[at >> 3] |= (uint8_t)(1 << (at & 7));
}

static void slot_init(struct slot *slot, struct fx_session *session)
{
    memset(slot, 0, sizeof *slot);
    slot->session = session;
    slot->la = fx_xmalloc(FX_BLOCK_BYTES);
    slot->lb = fx_xmalloc(FX_BLOCK_BYTES);
    slot->a = fx_xmalloc(FX_BLOCK_BYTES);
    slot->b = fx_xmalloc(FX_BLOCK_BYTES);
    slot->wa = fx_xcalloc(FX_BLOCK_BYTES, sizeof *slot->wa);
    slot->wb = fx_xcalloc(FX_BLOCK_BYTES, sizeof *slot->wb);
    slot->g = fx_xcalloc(FX_BLOCK_BYTES, sizeof *slot->g);
    slot->h = fx_xcalloc(FX_BLOCK_BYTES, sizeof *slot->h);
    slot->d = fx_xcalloc(TILE_ENTRIES, sizeof *slot->d);
    slot->sum = fx_xcalloc(TILE_ENTRIES, sizeof *slot->sum);
}

static void slot_clear(struct slot *slot)
{
    free(slot->la);
    free(slot->lb);
    free(slot->a);
    free(slot->b);
    free(slot->wa);
    free(slot->wb);
    free(slot->g);
    free(slot->h);
    free(slot->d);
    free(slot->sum);
    free(slot->found);
}

struct fx_session *fx_cpu_begin(struct fx_device *device, const struct fx_kernel_task *task,
                                const uint8_t *done, char error[FX_KERNEL_TEXT])
{
    struct fx_session *session;
    uint64_t tiles = (uint64_t)task->rows * task->cols;
    size_t bytes = (size_t)((tiles + 7) / 8);

    if (task->kind != 1 || tiles == 0 || task->depth == 0 || tiles > UINT64_C(1) << 24) {
        snprintf(error, FX_KERNEL_TEXT, "not a gemm task of 1 to 2^24 tiles");
        return NULL;
    }
    session = fx_xcalloc(1, sizeof *session);
    session->device = device;
    session->task = *task;
    session->tiles = session->left = tiles;
    session->taken = fx_xcalloc(bytes, 1);
    for (uint64_t t = 0; done && t < tiles; t++) {
        if (bit(done, t)) {
            set_bit(session->taken, t);
            session->left--;
        }
    }
    pthread_mutex_init(&session->reading, NULL);
    session->n_slots = device->threads;
    session->slots = fx_xcalloc(session->n_slots, sizeof *session->slots);
    session->miners = fx_xcalloc(session->n_slots, sizeof *session->miners);
    for (unsigned s = 0; s < session->n_slots; s++) {
        slot_init(&session->slots[s], session);
        slot_init(&session->miners[s], session);
    }
    return session;
}

void fx_cpu_end(struct fx_session *session)
{
    for (unsigned s = 0; s < session->n_slots; s++) {
        slot_clear(&session->slots[s]);
        slot_clear(&session->miners[s]);
    }
    pthread_mutex_destroy(&session->reading);
    free(session->slots);
    free(session->miners);
    free(session->taken);
    free(session);
}

static void place(struct slot *slot, uint64_t tile)
{
    const struct fx_kernel_task *task = &slot->session->task;

    slot->active = true;
    slot->tile = tile;
    slot->next = 0;
    slot->i = task->row0 + (uint32_t)(tile / task->cols);
    slot->j = task->col0 + (uint32_t)(tile % task->cols);
    slot->gathered = false;
    memset(slot->sum, 0, TILE_ENTRIES * sizeof *slot->sum);
}

/* sum -= left * right^T where one side may need more than 16 bits: then it goes in two halves. */
static void subtract(struct slot *slot, const int32_t *wide, const int8_t *narrow, bool wide_left)
{
    int32_t most = 0;

    for (size_t at = 0; at < FX_BLOCK_BYTES; at++) {
        slot->wb[at] = narrow[at];
        most = wide[at] > most ? wide[at] : -wide[at] > most ? -wide[at] : most;
    }
    for (int half = 0; half < (most > INT16_MAX ? 2 : 1); half++) {
        for (size_t at = 0; at < FX_BLOCK_BYTES; at++) {
            int32_t first = most > INT16_MAX ? wide[at] / 2 : wide[at];

            slot->wa[at] = (int16_t)(half ? wide[at] - first : first);
        }
        if (wide_left)
            fx_cpu_product(slot->session->device->avx2, slot->wa, slot->wb, slot->d);
        else
            fx_cpu_product(slot->session->device->avx2, slot->wb, slot->wa, slot->d);
        for (size_t at = 0; at < TILE_ENTRIES; at++)
            slot->sum[at] -= (uint32_t)slot->d[at];
    }
}

static void peel(struct slot *slot)
{
    int64_t start = fx_clock_monotonic_ns();

    if (!slot->gathered)
        return;
    subtract(slot, slot->g, slot->lb, true);
    subtract(slot, slot->h, slot->la, false);
    slot->gathered = false;
    slot->stats.peel_ns += (uint64_t)(fx_clock_monotonic_ns() - start);
}

/* Noise panels of the tile under the step's seed; what was gathered under another one is peeled
 * first. */
static void use_seed(struct slot *slot, bool product)
{
    struct fx_session *session = slot->session;

    if (slot->gathered && !memcmp(slot->seed.seed, session->seed.seed, 32))
        return;
    peel(slot);
    slot->seed = session->seed;
    fx_cpu_noise_panel(&slot->seed, FX_SIDE_A, slot->i, slot->la);
    fx_cpu_noise_panel(&slot->seed, FX_SIDE_B, slot->j, slot->lb);
    if (product) {
        memset(slot->g, 0, FX_BLOCK_BYTES * sizeof *slot->g);
        memset(slot->h, 0, FX_BLOCK_BYTES * sizeof *slot->h);
    }
    slot->gathered = true;
}

static void noise(const int8_t *block, const int8_t *panel, const struct fx_cpu_perm *perm,
                  int16_t *out)
{
    for (unsigned r = 0; r < FX_TILE; r++) {
        const int8_t *from = block + r * FX_DEPTH, *l = panel + r * FX_DEPTH;
        int16_t *to = out + r * FX_DEPTH;

        for (unsigned c = 0; c < FX_DEPTH; c++)
            to[c] = (int16_t)(from[c] + perm->sign[c] * l[perm->p[c]]);
    }
}

static void gather_g(struct slot *slot, const struct fx_cpu_perm *perm)
{
    for (unsigned r = 0; r < FX_TILE; r++) {
        const int8_t *from = slot->a + r * FX_DEPTH;
        int32_t *to = slot->g + r * FX_DEPTH;

        for (unsigned c = 0; c < FX_DEPTH; c++)
            to[perm->p[c]] += from[c] * perm->sign[c];
    }
}

static void gather_h(struct slot *slot, const struct fx_cpu_perm *perm)
{
    for (unsigned r = 0; r < FX_TILE; r++) {
        const int16_t *from = slot->wb + r * FX_DEPTH;
        int32_t *to = slot->h + r * FX_DEPTH;

        for (unsigned c = 0; c < FX_DEPTH; c++)
            to[perm->p[c]] += from[c] * perm->sign[c];
    }
}

static bool read_blocks(struct slot *slot)
{
    struct fx_session *session = slot->session;
    const struct fx_kernel_operands *operands = &session->task.operands;
    bool ok;

    pthread_mutex_lock(&session->reading);
    ok = operands->read(operands->ctx, FX_SIDE_A, slot->i, slot->next, 1, slot->a) &&
         operands->read(operands->ctx, FX_SIDE_B, slot->j, slot->next, 1, slot->b);
    pthread_mutex_unlock(&session->reading);
    return ok;
}

static void keep_ticket(struct slot *slot, const uint8_t ticket[32])
{
    struct found *found;

    if (slot->n_found == slot->cap_found) {
        slot->cap_found = slot->cap_found ? 2 * slot->cap_found : 16;
        slot->found = fx_xreallocarray(slot->found, slot->cap_found, sizeof *slot->found);
    }
    found = &slot->found[slot->n_found++];
    found->i = slot->i;
    found->j = slot->j;
    found->l = slot->next;
    memcpy(found->ticket, ticket, 32);
}

static int64_t lap(int64_t *at, uint64_t *counter)
{
    int64_t now = fx_clock_monotonic_ns();

    *counter += (uint64_t)(now - *at);
    *at = now;
    return now;
}

/* Entries outside [-64, 63] cannot be noised within int8, and a block of them cannot win: such
 * bricks go in plain. */
static bool in_range(const int8_t *block)
{
    for (size_t at = 0; at < FX_BLOCK_BYTES; at++) {
        if (block[at] < FX_ENTRY_MIN || block[at] > FX_ENTRY_MAX)
            return false;
    }
    return true;
}

static bool run_brick(struct slot *slot, bool product, bool mine)
{
    struct fx_session *session = slot->session;
    struct fx_cpu_perm perm_a, perm_b;
    int64_t at = fx_clock_monotonic_ns();

    if (!read_blocks(slot))
        return false;
    lap(&at, &slot->stats.read_ns);
    mine = mine && in_range(slot->a) && in_range(slot->b);
    if (mine) {
        use_seed(slot, product);
        at = fx_clock_monotonic_ns();
        fx_cpu_noise_perm(&slot->seed, FX_SIDE_A, slot->next, &perm_a);
        fx_cpu_noise_perm(&slot->seed, FX_SIDE_B, slot->next, &perm_b);
        noise(slot->a, slot->la, &perm_a, slot->wa);
        noise(slot->b, slot->lb, &perm_b, slot->wb);
        lap(&at, &slot->stats.noise_ns);
        if (product) {
            gather_g(slot, &perm_b);
            gather_h(slot, &perm_a);
            lap(&at, &slot->stats.peel_ns);
        }
    } else {
        for (size_t entry = 0; entry < FX_BLOCK_BYTES; entry++) {
            slot->wa[entry] = slot->a[entry];
            slot->wb[entry] = slot->b[entry];
        }
    }
    fx_cpu_product(session->device->avx2, slot->wa, slot->wb, slot->d);
    for (size_t entry = 0; product && entry < TILE_ENTRIES; entry++)
        slot->sum[entry] += (uint32_t)slot->d[entry];
    lap(&at, &slot->stats.product_ns);
    if (mine) {
        uint32_t words[8];
        uint8_t ticket[32];

        fx_cpu_fold(slot->d, words);
        lap(&at, &slot->stats.fold_ns);
        fx_cpu_ticket(&slot->seed, words, slot->i, slot->j, slot->next, ticket);
        if (fx_cpu_meets(ticket, session->header->target)) {
            keep_ticket(slot, ticket);
            slot->stats.tickets++;
        }
        lap(&at, &slot->stats.hash_ns);
    }
    slot->stats.bricks++;
    slot->next++;
    return true;
}

static bool out_of_time(const struct fx_session *session)
{
    return atomic_load(session->cancel) || fx_clock_monotonic_ns() >= session->deadline_ns;
}

static void run_slot(void *arg, size_t number)
{
    struct fx_session *session = arg;
    bool product = (session->header->mode & FX_KERNEL_PRODUCT) != 0;
    bool mine = (session->header->mode & FX_KERNEL_MINE) != 0;
    struct slot *slot = product ? &session->slots[number] : &session->miners[number];

    if (!slot->active)
        return;
    while (slot->next < session->task.depth) {
        if (!run_brick(slot, product, mine)) {
            slot->failed = true;
            return;
        }
        if (out_of_time(session))
            break;
    }
    if (product && slot->next == session->task.depth)
        peel(slot);
}

/* Gives each idle slot the next tile that nobody has. */
static void assign_product(struct fx_session *session)
{
    for (unsigned s = 0; s < session->n_slots; s++) {
        if (session->slots[s].active)
            continue;
        while (session->next_tile < session->tiles && bit(session->taken, session->next_tile))
            session->next_tile++;
        if (session->next_tile == session->tiles)
            return;
        set_bit(session->taken, session->next_tile);
        place(&session->slots[s], session->next_tile);
    }
}

static void assign_mining(struct fx_session *session)
{
    if (!session->mining || memcmp(session->mined_seed, session->header->seed, 32) != 0) {
        memcpy(session->mined_seed, session->header->seed, 32);
        session->mining = true;
        session->mined = session->mined_out = 0;
        for (unsigned s = 0; s < session->n_slots; s++)
            session->miners[s].active = false;
    }
    for (unsigned s = 0; s < session->n_slots; s++) {
        if (!session->miners[s].active && session->mined < session->tiles)
            place(&session->miners[s], session->mined++);
    }
}

static void add_stats(struct fx_kernel_stats *to, const struct fx_kernel_stats *from)
{
    to->bricks += from->bricks;
    to->tickets += from->tickets;
    to->tiles += from->tiles;
    to->read_ns += from->read_ns;
    to->noise_ns += from->noise_ns;
    to->product_ns += from->product_ns;
    to->fold_ns += from->fold_ns;
    to->hash_ns += from->hash_ns;
    to->peel_ns += from->peel_ns;
}

/* What one slot has found since the last time. False: the receiver wants no more; what it did not
 * take stays. */
static bool hand_over(struct fx_session *session, struct slot *slot, bool product,
                      const struct fx_kernel_sink *sink)
{
    size_t given = 0;
    bool go_on = true;

    add_stats(&session->stats, &slot->stats);
    memset(&slot->stats, 0, sizeof slot->stats);
    while (given < slot->n_found && go_on) {
        const struct found *found = &slot->found[given++];

        go_on = sink->ticket(sink->ctx, found->i, found->j, found->l, found->ticket);
    }
    if (given < slot->n_found)
        memmove(slot->found, slot->found + given, (slot->n_found - given) * sizeof *slot->found);
    slot->n_found -= given;
    if (!slot->active || slot->next < session->task.depth)
        return go_on;
    if (product) {
        memcpy(slot->d, slot->sum, TILE_ENTRIES * sizeof *slot->d);
        go_on = (!sink->tile || sink->tile(sink->ctx, slot->tile, slot->d)) && go_on;
        session->left--;
        session->stats.tiles++;
    } else {
        session->mined_out++;
    }
    slot->active = false;
    return go_on;
}

enum fx_kernel_step fx_cpu_step(struct fx_session *session, const struct fx_kernel_header *header,
                                unsigned budget_ms, const atomic_bool *cancel,
                                const struct fx_kernel_sink *sink, char error[FX_KERNEL_TEXT])
{
    bool product = (header->mode & FX_KERNEL_PRODUCT) != 0;
    struct slot *slots = product ? session->slots : session->miners;

    session->header = header;
    session->cancel = cancel;
    session->deadline_ns = fx_clock_monotonic_ns() + (int64_t)budget_ms * 1000000;
    if (memcmp(session->seed.seed, header->seed, 32) != 0 || session->stats.bricks == 0)
        fx_cpu_seed_init(&session->seed, header->seed);
    for (;;) {
        bool go_on = true, failed = false;

        if (product)
            assign_product(session);
        else
            assign_mining(session);
        if (product ? session->left == 0 : session->mined_out == session->tiles)
            return FX_STEP_DONE;
        fx_pool_for(session->device->pool, session->n_slots, run_slot, session);
        for (unsigned s = 0; s < session->n_slots; s++) {
            go_on = hand_over(session, &slots[s], product, sink) && go_on;
            failed = failed || slots[s].failed;
            slots[s].failed = false;
        }
        if (failed) {
            snprintf(error, FX_KERNEL_TEXT, "an operand could not be read");
            return FX_STEP_FAILED;
        }
        if (!go_on || atomic_load(cancel))
            return FX_STEP_CANCELLED;
        if (product ? session->left == 0 : session->mined_out == session->tiles)
            return FX_STEP_DONE;
        if (out_of_time(session))
            return FX_STEP_MORE;
    }
}

void fx_cpu_stats(const struct fx_session *session, struct fx_kernel_stats *stats)
{
    *stats = session->stats;
}

bool fx_cpu_save(struct fx_session *session, bool (*write)(void *ctx, const void *data, size_t n),
                 void *ctx)
{
    struct fx_buf out = FX_BUF_INIT;
    bool ok = true;

    for (unsigned s = 0; s < session->n_slots && ok; s++) {
        struct slot *slot = &session->slots[s];

        if (!slot->active || slot->next == 0)
            continue;
        peel(slot);
        fx_buf_u32(&out, SAVE_MAGIC);
        fx_buf_u64(&out, slot->tile);
        fx_buf_u32(&out, slot->next);
        for (size_t at = 0; at < TILE_ENTRIES; at++)
            fx_buf_u32(&out, slot->sum[at]);
        ok = write(ctx, out.data, out.len);
        out.len = 0;
    }
    fx_buf_clear(&out);
    return ok;
}

bool fx_cpu_load(struct fx_session *session, const uint8_t *data, size_t n)
{
    struct fx_reader r;

    fx_reader_init(&r, data, n);
    for (unsigned s = 0; s < session->n_slots && r.left > 0; s++) {
        struct slot *slot = &session->slots[s];
        uint32_t magic = fx_read_u32(&r);
        uint64_t tile = fx_read_u64(&r);
        uint32_t next = fx_read_u32(&r);
        const uint8_t *sums = fx_read_bytes(&r, TILE_ENTRIES * 4);

        if (!sums || magic != SAVE_MAGIC || tile >= session->tiles || next > session->task.depth ||
            bit(session->taken, tile) || slot->active)
            return false;
        set_bit(session->taken, tile);
        place(slot, tile);
        slot->next = next;
        for (size_t at = 0; at < TILE_ENTRIES; at++)
            slot->sum[at] = fx_load_u32(sums + 4 * at);
    }
    return r.left == 0 && !r.bad;
}
