/* A gemm task on the CPU: which group is worked on, the order of its stages, and what a step gives
 * out. */
#include "kernels/cpu/session_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/sys/clock.h"
#include "src/util/mem.h"

#define TILES_MAX (UINT64_C(1) << 24)
#define GROUP_TILES_MIN 256 /* noise is shared, and their sums are 16 MiB: about a shared cache */
#define GROUP_ASPECT 8      /* beyond it noise is shared no better, and caches are too small */
#define ITEMS_A_THREAD 32   /* of a stage, where threads wait for each other at its end */
#define TILES_A_THREAD 16   /* so that all threads end a stage at about the same time */

static uint32_t lower(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

/* n, cut into as few equal parts of at most `most` as there must be. */
static uint32_t even(uint32_t n, uint32_t most)
{
    const uint32_t parts = (n + most - 1) / most;

    return (n + parts - 1) / parts;
}

/* How long a side of a group may be where the other one is `side`. */
static uint32_t longest(const struct fx_session *session, uint32_t side)
{
    const uint32_t threads = session->device->threads, most = side * GROUP_ASPECT;
    const uint32_t items = threads > 1 ? threads * ITEMS_A_THREAD : 1;

    return most > items ? most : items;
}

/* Groups are about square, since each row and column costs noise: small enough for what a machine
 * has of memory and can lose when it stops, large enough for all threads. */
static void cut(struct fx_session *session)
{
    const uint32_t rows = session->task.rows, cols = session->task.cols;
    uint64_t tiles = (uint64_t)session->device->threads * TILES_A_THREAD;
    uint32_t side = 1, high, wide;

    tiles = tiles < GROUP_TILES_MIN ? GROUP_TILES_MIN : lower(tiles, FX_CPU_GROUP_TILES);
    while ((uint64_t)(side + 1) * (side + 1) <= tiles)
        side++;
    high = even(rows, lower(rows, side));
    wide = even(cols, lower(lower(cols, tiles / high), longest(session, high)));
    session->group_rows = even(rows, lower(lower(rows, tiles / wide), longest(session, wide)));
    session->group_cols = wide;
}

struct fx_session *fx_cpu_begin(struct fx_device *device, const struct fx_kernel_task *task,
                                const uint8_t *done, char error[FX_KERNEL_TEXT])
{
    struct fx_session *session;
    uint64_t tiles = (uint64_t)task->rows * task->cols;

    if (task->kind != 1 || tiles == 0 || task->depth == 0 || tiles > TILES_MAX) {
        snprintf(error, FX_KERNEL_TEXT, "not a gemm task of 1 to 2^24 tiles");
        return NULL;
    }
    session = fx_xcalloc(1, sizeof *session);
    session->device = device;
    session->task = *task;
    session->tiles = session->left = tiles;
    session->taken = fx_xcalloc((size_t)((tiles + 7) / 8), 1);
    for (uint64_t t = 0; done && t < tiles; t++) {
        if (fx_cpu_bit(done, t)) {
            fx_cpu_set_bit(session->taken, t);
            session->left--;
        }
    }
    session->perms_memory =
        fx_cpu_memory_take(device, (size_t)2 * task->depth * sizeof *session->perms);
    session->perms = session->perms_memory.at;
    pthread_mutex_init(&session->finding, NULL);
    fx_cpu_group_init(session, &session->product);
    fx_cpu_group_init(session, &session->mining);
    cut(session);
    return session;
}

void fx_cpu_end(struct fx_session *session)
{
    fx_cpu_group_clear(session, &session->product);
    fx_cpu_group_clear(session, &session->mining);
    fx_cpu_memory_give(session->device, session->perms_memory);
    pthread_mutex_destroy(&session->finding);
    free(session->found);
    free(session->taken);
    free(session);
}

/* Group `number` of the grid; false where there is none. */
static bool place(struct fx_session *session, struct fx_cpu_group *group, uint64_t number)
{
    const struct fx_kernel_task *task = &session->task;
    const uint64_t across = (task->cols + session->group_cols - 1) / session->group_cols;
    const uint64_t row = number / across * session->group_rows;
    const uint32_t col = (uint32_t)(number % across) * session->group_cols;

    if (row >= task->rows)
        return false;
    fx_cpu_group_place(session, group, (uint32_t)row, col,
                       lower(session->group_rows, task->rows - row),
                       lower(session->group_cols, task->cols - col));
    return true;
}

/* Of the product, only tiles that nobody has. */
static void take_tiles(struct fx_session *session, struct fx_cpu_group *group)
{
    size_t n = 0;

    for (size_t at = 0; at < group->n_wanted; at++) {
        const uint64_t tile = fx_cpu_group_tile(session, group, at);

        if (fx_cpu_bit(session->taken, tile))
            continue;
        fx_cpu_set_bit(session->taken, tile);
        group->wanted[n++] = group->wanted[at];
    }
    group->n_wanted = n;
}

static bool next_group(struct fx_session *session, struct fx_cpu_group *group)
{
    if (group == &session->mining)
        return place(session, group, session->next_mined++);
    do {
        if (!place(session, group, session->next_group++))
            return false;
        take_tiles(session, group);
    } while (group->n_wanted == 0);
    return true;
}

static bool mines(const struct fx_session *session)
{
    return (session->header->mode & FX_KERNEL_MINE) != 0;
}

static void enter(struct fx_session *session, struct fx_cpu_group *group, enum fx_cpu_stage stage)
{
    group->stage = stage;
    switch (stage) {
    case FX_CPU_PERMS:
        fx_cpu_items_set(&group->items, (size_t)2 * session->task.depth);
        return;
    case FX_CPU_PANELS:
    case FX_CPU_NOISE:
    case FX_CPU_DIGITS:
        fx_cpu_items_set(&group->items, group->units);
        return;
    case FX_CPU_BRICKS:
    case FX_CPU_PEEL:
        fx_cpu_items_set(&group->items, group->n_wanted);
        return;
    case FX_CPU_REST:
    case FX_CPU_GIVE:
        fx_cpu_items_set(&group->items, 0);
        return;
    }
}

/* Operands of the chunk; with noise, the permutations are those of the group's seed. */
static void enter_noise(struct fx_session *session, struct fx_cpu_group *group, bool noised,
                        bool summed)
{
    group->noised = noised;
    group->summed = summed;
    for (unsigned side = 0; noised && side < 2; side++) {
        memcpy(group->perms[side],
               session->perms + (size_t)side * session->task.depth + group->next,
               group->segments * sizeof *group->perms[side]);
        fx_cpu_plan_init(&group->plans[side], group->perms[side], group->segments);
    }
    enter(session, group, FX_CPU_NOISE);
}

static bool same_seed(const struct fx_session *session, const struct fx_cpu_group *group)
{
    return !memcmp(group->seed.seed, session->seed.seed, 32);
}

/* What the next chunk of the group needs first. */
static void plan(struct fx_session *session, struct fx_cpu_group *group)
{
    const bool product = group == &session->product;

    group->again = false;
    if (group->next == session->task.depth) {
        enter(session, group, group->gathered ? FX_CPU_DIGITS : FX_CPU_GIVE);
        return;
    }
    group->segments = lower(FX_CPU_CHUNK, session->task.depth - group->next);
    if (!mines(session)) {
        enter_noise(session, group, false, product);
        return;
    }
    if (!session->has_perms) {
        enter(session, group, FX_CPU_PERMS);
        return;
    }
    if (group->gathered && !same_seed(session, group)) {
        enter(session, group, FX_CPU_DIGITS);
        return;
    }
    if (!group->has_panels || !same_seed(session, group)) {
        group->seed = session->seed;
        group->has_panels = false; /* whatever comes before they are made */
        enter(session, group, FX_CPU_PANELS);
        return;
    }
    enter_noise(session, group, true, product);
}

/* Does the stage NOISE go into G and H? */
static bool gathers(const struct fx_cpu_group *group)
{
    return group->noised && group->summed;
}

/* What has gone into G and H stays there: then the stage has to be finished. */
static bool has_gathered(const struct fx_cpu_group *group)
{
    return group->stage == FX_CPU_NOISE && gathers(group) &&
           (group->undone || fx_cpu_items_begun(&group->items));
}

static bool any_dirty(const struct fx_cpu_group *group)
{
    for (size_t unit = 0; unit < group->units; unit++) {
        for (size_t s = 0; s < group->segments; s++) {
            if (group->dirty[unit * FX_CPU_CHUNK + s])
                return true;
        }
    }
    return false;
}

/* Gathers the chunk once more, with all signs turned. */
static void enter_undo(struct fx_session *session, struct fx_cpu_group *group)
{
    group->undone = true;
    for (unsigned side = 0; side < 2; side++)
        fx_cpu_plan_negate(&group->plans[side]);
    enter(session, group, FX_CPU_NOISE);
}

/*
 * Entries outside [-64, 63] cannot be noised within int8, and a block of them cannot win. G and H
 * are shared by a row or column of tiles, so where there is such a block, the product of the whole
 * chunk goes without noise, and the bricks that can win are made once more for their tickets.
 */
static void after_noise(struct fx_session *session, struct fx_cpu_group *group)
{
    if (gathers(group) && !group->undone && !any_dirty(group)) {
        group->gathered = true;
        enter(session, group, FX_CPU_BRICKS);
    } else if (gathers(group) && !group->undone && group->gathered) {
        enter_undo(session, group);
    } else if (gathers(group)) {
        group->undone = false;
        group->again = true;
        enter_noise(session, group, false, true);
    } else {
        enter(session, group, FX_CPU_BRICKS);
    }
}

static void after_bricks(struct fx_session *session, struct fx_cpu_group *group)
{
    group->has_sums = group->has_sums || group->summed;
    if (group->again && mines(session) && same_seed(session, group)) {
        group->again = false;
        enter_noise(session, group, true, false);
        return;
    }
    group->next += group->segments;
    plan(session, group);
}

bool fx_cpu_advance(struct fx_session *session, struct fx_cpu_group *group)
{
    switch (group->stage) {
    case FX_CPU_REST:
        if (!next_group(session, group))
            return false;
        plan(session, group);
        return true;
    case FX_CPU_PERMS:
        session->has_perms = true;
        plan(session, group);
        return true;
    case FX_CPU_PANELS:
        group->has_panels = true;
        plan(session, group);
        return true;
    case FX_CPU_NOISE:
        after_noise(session, group);
        return true;
    case FX_CPU_BRICKS:
        after_bricks(session, group);
        return true;
    case FX_CPU_DIGITS:
        enter(session, group, FX_CPU_PEEL);
        return true;
    case FX_CPU_PEEL:
        if (atomic_exchange(&group->remains, false)) {
            enter(session, group, FX_CPU_DIGITS);
            return true;
        }
        group->gathered = false;
        plan(session, group);
        return true;
    case FX_CPU_GIVE:
        enter(session, group, FX_CPU_REST);
        return true;
    }
    return false;
}

/* A step under another header than the one before it. What has gone into sums or G and H stays;
 * blocks that were only being noised are noised again. */
static void take_header(struct fx_session *session, struct fx_cpu_group *group)
{
    if (mines(session) &&
        (!session->seeded || memcmp(session->seed.seed, session->header->seed, 32) != 0)) {
        fx_cpu_seed_init(&session->seed, session->header->seed);
        session->seeded = true;
        session->has_perms = false;
        session->n_found = 0; /* of the header before */
    }
    if (group == &session->mining && (!session->mined || !same_seed(session, group))) {
        group->seed = session->seed;
        session->mined = true;
        session->next_mined = 0;
        enter(session, group, FX_CPU_REST);
    }
    switch (group->stage) {
    case FX_CPU_PERMS:
    case FX_CPU_PANELS:
        plan(session, group);
        return;
    case FX_CPU_NOISE:
        if (has_gathered(group))
            return;
        if (group == &session->product && !group->summed)
            group->next += group->segments; /* the product has it; tickets were next */
        plan(session, group);
        return;
    case FX_CPU_REST:
    case FX_CPU_BRICKS:
    case FX_CPU_DIGITS:
    case FX_CPU_PEEL:
    case FX_CPU_GIVE:
        return;
    }
}

/* Is the stage one that has to be finished before tiles can be peeled? */
static bool under_way(const struct fx_cpu_group *group)
{
    return group->stage == FX_CPU_BRICKS || has_gathered(group);
}

bool fx_cpu_settle(struct fx_session *session)
{
    static const struct fx_kernel_header none;
    static const atomic_bool never = false;
    struct fx_cpu_group *group = &session->product;

    session->header = &none;
    session->cancel = &never;
    while (group->stage != FX_CPU_REST && group->stage != FX_CPU_GIVE) {
        if (under_way(group) || group->stage == FX_CPU_DIGITS || group->stage == FX_CPU_PEEL) {
            fx_cpu_group_run(session, group);
            if (atomic_load(&session->unreadable))
                return false;
            fx_cpu_advance(session, group);
            continue;
        }
        take_header(session, group);
        if (!group->gathered)
            return true;
        enter(session, group, FX_CPU_DIGITS);
    }
    return true;
}

void fx_cpu_resume(struct fx_session *session, uint32_t next)
{
    static const struct fx_kernel_header none;

    session->header = &none;
    session->product.next = next;
    session->product.has_sums = true;
    plan(session, &session->product);
}

/* Tickets found; false where the receiver wants no more. What it did not take stays. */
static bool give_tickets(struct fx_session *session, const struct fx_kernel_sink *sink)
{
    size_t n = 0;
    bool go_on = true;

    while (n < session->n_found && go_on) {
        const struct fx_cpu_found *found = &session->found[n++];

        go_on = sink->ticket(sink->ctx, found->i, found->j, found->l, found->ticket);
    }
    if (n > 0)
        memmove(session->found, session->found + n,
                (session->n_found - n) * sizeof *session->found);
    session->n_found -= n;
    return go_on;
}

static bool give_tiles(struct fx_session *session, struct fx_cpu_group *group,
                       const struct fx_kernel_sink *sink)
{
    bool go_on = true;

    while (group != &session->mining && group->given < group->n_wanted && go_on &&
           !atomic_load(session->cancel)) {
        const size_t at = group->given++;

        session->left--;
        session->given++;
        go_on = !sink->tile || sink->tile(sink->ctx, fx_cpu_group_tile(session, group, at),
                                          (const int32_t *)fx_cpu_group_sum(group, at));
    }
    return go_on;
}

/* One stage of the group, and what it brought. */
static enum fx_kernel_step work(struct fx_session *session, struct fx_cpu_group *group,
                                const struct fx_kernel_sink *sink, char error[FX_KERNEL_TEXT])
{
    bool complete = fx_cpu_group_run(session, group), go_on;

    if (atomic_load(&session->unreadable)) {
        snprintf(error, FX_KERNEL_TEXT, "an operand could not be read");
        return FX_STEP_FAILED;
    }
    go_on = give_tickets(session, sink);
    if (group->stage == FX_CPU_GIVE) {
        go_on = give_tiles(session, group, sink) && go_on;
        complete = group == &session->mining || group->given == group->n_wanted;
    }
    if (complete && !fx_cpu_advance(session, group))
        return FX_STEP_DONE;
    if (group == &session->product && session->left == 0)
        return FX_STEP_DONE;
    return go_on && !atomic_load(session->cancel) ? FX_STEP_MORE : FX_STEP_CANCELLED;
}

static bool brings_on(enum fx_cpu_stage stage)
{
    return stage == FX_CPU_BRICKS || stage == FX_CPU_PEEL || stage == FX_CPU_GIVE;
}

enum fx_kernel_step fx_cpu_step(struct fx_session *session, const struct fx_kernel_header *header,
                                unsigned budget_ms, const atomic_bool *cancel,
                                const struct fx_kernel_sink *sink, char error[FX_KERNEL_TEXT])
{
    const bool product = (header->mode & FX_KERNEL_PRODUCT) != 0;
    struct fx_cpu_group *group = product ? &session->product : &session->mining;
    const int64_t deadline = fx_clock_monotonic_ns() + (int64_t)budget_ms * 1000000;
    bool worked = false; /* on bricks: however short the budget, each step gets further */
    enum fx_kernel_step step;

    session->header = header;
    session->cancel = cancel;
    if (atomic_load(cancel))
        return FX_STEP_CANCELLED;
    take_header(session, group);
    do {
        worked = worked || brings_on(group->stage);
        step = work(session, group, sink, error);
    } while (step == FX_STEP_MORE && (!worked || fx_clock_monotonic_ns() < deadline));
    return step;
}

void fx_cpu_stats(const struct fx_session *session, struct fx_kernel_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    stats->bricks = atomic_load(&session->bricks);
    stats->tickets = atomic_load(&session->tickets);
    stats->tiles = session->given;
    stats->read_ns = atomic_load(&session->read_ns);
    stats->noise_ns = atomic_load(&session->noise_ns);
    stats->product_ns = atomic_load(&session->product_ns);
    stats->hash_ns = atomic_load(&session->hash_ns);
    stats->peel_ns = atomic_load(&session->peel_ns);
}
