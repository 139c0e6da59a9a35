/* A gemm task on the CPU: how it is cut into groups, and what a step does and gives out. */
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

bool fx_cpu_next_group(struct fx_session *session, struct fx_cpu_group *group)
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
    fx_cpu_take_header(session, group);
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
