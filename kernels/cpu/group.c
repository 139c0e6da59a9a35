/* The memory of a group of tiles, and the items of each stage of the work on it. */
#include "kernels/cpu/session_int.h"

#include <string.h>

#include "src/sys/clock.h"
#include "src/util/mem.h"

#define STRIP_ROWS 2 /* their left blocks of a chunk are a quarter of a MiB */

static void *carve(uint8_t **at, size_t n)
{
    uint8_t *piece = *at;

    *at += (n + FX_CPU_ALIGN - 1) / FX_CPU_ALIGN * FX_CPU_ALIGN;
    return piece;
}

/* Lays the arrays of the group out from `at`; returns the bytes that they take. */
static size_t lay_out(const struct fx_session *session, struct fx_cpu_group *group, uint8_t *at)
{
    uint8_t *start = at;
    const size_t packed = session->device->engine->packed_bytes;
    const size_t units = group->cap_units, tiles = group->cap_tiles;
    const bool product = group == &session->product;

    group->packed = carve(&at, units * FX_CPU_CHUNK * packed);
    group->packed_panels = carve(&at, units * packed);
    group->panels = carve(&at, units * sizeof *group->panels);
    group->wanted = carve(&at, tiles * sizeof *group->wanted);
    group->dirty = carve(&at, units * FX_CPU_CHUNK);
    group->wide = product ? carve(&at, units * FX_BLOCK_BYTES * sizeof *group->wide) : NULL;
    group->sums = product ? carve(&at, tiles * FX_TILE_BYTES) : NULL;
    return (size_t)(at - start);
}

static void grow(struct fx_session *session, struct fx_cpu_group *group, size_t units, size_t tiles)
{
    static uint8_t nowhere[FX_CPU_ALIGN];

    fx_cpu_memory_give(session->device, group->memory);
    group->cap_units = units;
    group->cap_tiles = tiles;
    group->memory = fx_cpu_memory_take(session->device, lay_out(session, group, nowhere));
    lay_out(session, group, group->memory.at);
}

/* In strips of some rows, column after column: the right blocks of a column are in the cache for
 * all tiles of the strip, and its left blocks for all columns. */
static void order_tiles(struct fx_cpu_group *group)
{
    size_t n = 0;

    for (uint32_t first = 0; first < group->rows; first += STRIP_ROWS) {
        const uint32_t left = group->rows - first;
        const uint32_t end = first + (left < STRIP_ROWS ? left : STRIP_ROWS);

        for (uint32_t col = 0; col < group->cols; col++) {
            for (uint32_t row = first; row < end; row++)
                group->wanted[n++] = row * group->cols + col;
        }
    }
}

void fx_cpu_group_place(struct fx_session *session, struct fx_cpu_group *group, uint32_t row,
                        uint32_t col, uint32_t rows, uint32_t cols)
{
    const size_t units = (size_t)rows + cols, tiles = (size_t)rows * cols;

    if (units > group->cap_units || tiles > group->cap_tiles)
        grow(session, group, units > group->cap_units ? units : group->cap_units,
             tiles > group->cap_tiles ? tiles : group->cap_tiles);
    group->row = row;
    group->col = col;
    group->rows = rows;
    group->cols = cols;
    group->units = units;
    group->next = 0;
    group->given = 0;
    group->has_panels = false;
    group->gathered = false;
    group->undone = false;
    group->has_sums = false;
    group->again = false;
    group->n_wanted = tiles;
    order_tiles(group);
}

void fx_cpu_group_init(struct fx_session *session, struct fx_cpu_group *group)
{
    fx_cpu_items_init(&group->items, session->device->threads);
}

void fx_cpu_group_clear(struct fx_session *session, struct fx_cpu_group *group)
{
    fx_cpu_items_clear(&group->items);
    fx_cpu_memory_give(session->device, group->memory);
}

uint64_t fx_cpu_group_tile(const struct fx_session *session, const struct fx_cpu_group *group,
                           size_t wanted)
{
    const uint32_t at = group->wanted[wanted];

    return (uint64_t)(group->row + at / group->cols) * session->task.cols + group->col +
           at % group->cols;
}

uint32_t *fx_cpu_group_sum(const struct fx_cpu_group *group, size_t wanted)
{
    return group->sums + (size_t)group->wanted[wanted] * FX_TILE_ENTRIES;
}

static enum fx_side side_of(const struct fx_cpu_group *group, size_t unit)
{
    return unit < group->rows ? FX_SIDE_A : FX_SIDE_B;
}

/* As operands and noise count panels. */
static uint32_t panel_of(const struct fx_session *session, const struct fx_cpu_group *group,
                         size_t unit)
{
    return unit < group->rows ? session->task.row0 + group->row + (uint32_t)unit
                              : session->task.col0 + group->col + (uint32_t)(unit - group->rows);
}

static uint8_t *packed_at(const struct fx_session *session, const struct fx_cpu_group *group,
                          size_t unit, size_t segment)
{
    return group->packed + (unit * FX_CPU_CHUNK + segment) * session->device->engine->packed_bytes;
}

static uint8_t *packed_panel(const struct fx_session *session, const struct fx_cpu_group *group,
                             size_t unit)
{
    return group->packed_panels + unit * session->device->engine->packed_bytes;
}

/* Adds the time since *at to a counter; *at is now. */
static void lap(int64_t *at, atomic_ullong *counter)
{
    int64_t now = fx_clock_monotonic_ns();

    atomic_fetch_add_explicit(counter, (unsigned long long)(now - *at), memory_order_relaxed);
    *at = now;
}

static void make_perm(struct fx_session *session, struct fx_cpu_group *group, size_t item)
{
    const size_t depth = session->task.depth;
    const enum fx_side side = item < depth ? FX_SIDE_A : FX_SIDE_B;
    int64_t at = fx_clock_monotonic_ns();

    (void)group;
    fx_cpu_noise_perm(&session->seed, side, (uint32_t)(item % depth), &session->perms[item]);
    lap(&at, &session->noise_ns);
}

static void make_panel(struct fx_session *session, struct fx_cpu_group *group, size_t unit)
{
    _Alignas(FX_CPU_ALIGN) int8_t rows[FX_BLOCK_BYTES];
    const enum fx_side side = side_of(group, unit);
    int8_t *columns = group->panels[unit].columns;
    int64_t at = fx_clock_monotonic_ns();

    fx_cpu_noise_panel(&group->seed, side, panel_of(session, group, unit), rows);
    session->device->engine->pack(side, rows, NULL, NULL, packed_panel(session, group, unit),
                                  columns);
    for (size_t entry = 0; entry < FX_BLOCK_BYTES; entry++)
        columns[FX_BLOCK_BYTES + entry] = (int8_t)-columns[entry];
    lap(&at, &session->noise_ns);
}

/* The blocks of a unit. */
static bool read_blocks(struct fx_session *session, const struct fx_cpu_group *group, size_t unit,
                        int8_t (*rows)[FX_BLOCK_BYTES])
{
    const struct fx_kernel_operands *operands = &session->task.operands;
    int64_t at = fx_clock_monotonic_ns();
    const bool ok =
        operands->read(operands->ctx, side_of(group, unit), panel_of(session, group, unit),
                       group->next, group->segments, rows[0]);

    if (!ok)
        atomic_store(&session->unreadable, true);
    lap(&at, &session->read_ns);
    return ok;
}

static void gather(struct fx_session *session, struct fx_cpu_group *group, size_t unit,
                   int8_t (*blocks)[FX_BLOCK_BYTES])
{
    const enum fx_side other = side_of(group, unit) == FX_SIDE_A ? FX_SIDE_B : FX_SIDE_A;
    const int8_t *columns[FX_CPU_CHUNK];

    for (size_t s = 0; s < FX_CPU_CHUNK; s++)
        columns[s] = blocks[s < group->segments ? s : 0];
    session->device->engine->gather(columns, &group->plans[other], group->gathered,
                                    group->wide + unit * FX_BLOCK_BYTES);
}

/* The blocks of a unit in columns stay in the cache until they are gathered. */
static void make_blocks(struct fx_session *session, struct fx_cpu_group *group, size_t unit)
{
    _Alignas(FX_CPU_ALIGN) int8_t rows[FX_CPU_CHUNK][FX_BLOCK_BYTES];
    _Alignas(FX_CPU_ALIGN) int8_t columns[FX_CPU_CHUNK][FX_BLOCK_BYTES];
    const bool gathers = group->noised && group->summed;
    const enum fx_side side = side_of(group, unit);
    int64_t at;

    if (!read_blocks(session, group, unit, rows))
        return;
    at = fx_clock_monotonic_ns();
    for (size_t s = 0; s < group->segments; s++) {
        group->dirty[unit * FX_CPU_CHUNK + s] = !session->device->engine->pack(
            side, rows[s], group->noised ? &group->perms[side][s] : NULL, &group->panels[unit],
            packed_at(session, group, unit, s), gathers ? columns[s] : NULL);
    }
    lap(&at, group->noised ? &session->noise_ns : &session->product_ns);
    if (gathers) {
        gather(session, group, unit, columns);
        lap(&at, &session->peel_ns);
    }
}

static void keep_ticket(struct fx_session *session, const struct fx_cpu_found *found)
{
    pthread_mutex_lock(&session->finding);
    if (session->n_found == session->cap_found) {
        session->cap_found = session->cap_found ? 2 * session->cap_found : 16;
        session->found =
            fx_xreallocarray(session->found, session->cap_found, sizeof *session->found);
    }
    session->found[session->n_found++] = *found;
    pthread_mutex_unlock(&session->finding);
    atomic_fetch_add(&session->tickets, 1);
}

static void hash_tickets(struct fx_session *session, const struct fx_cpu_group *group, size_t row,
                         size_t column, uint32_t (*words)[8])
{
    for (size_t s = 0; s < group->segments; s++) {
        struct fx_cpu_found found;

        if (group->dirty[row * FX_CPU_CHUNK + s] || group->dirty[column * FX_CPU_CHUNK + s])
            continue;
        found.i = panel_of(session, group, row);
        found.j = panel_of(session, group, column);
        found.l = group->next + (uint32_t)s;
        fx_cpu_ticket(&group->seed, words[s], found.i, found.j, found.l, found.ticket);
        if (fx_cpu_meets(found.ticket, session->header->target))
            keep_ticket(session, &found);
    }
}

/* Tickets of a header that has passed are of no use: then the product alone goes on. */
static bool folds(const struct fx_session *session, const struct fx_cpu_group *group)
{
    return group->noised && (session->header->mode & FX_KERNEL_MINE) &&
           !memcmp(group->seed.seed, session->header->seed, 32);
}

static void add_soon(struct fx_cpu_soon *soon, const void *at, size_t bytes)
{
    soon->ranges[soon->n].at = at;
    soon->ranges[soon->n].bytes = bytes;
    soon->n++;
}

/*
 * What a thread needs for the wanted tile that most likely comes after this one, of `segments`
 * packed blocks a unit: right factors are near while it stays in the column, left ones while it
 * stays in the strip.
 */
static struct fx_cpu_soon soon_after(const struct fx_session *session,
                                     const struct fx_cpu_group *group, size_t item, size_t segments)
{
    const size_t bytes = segments * session->device->engine->packed_bytes;
    const size_t next = item + 1, cols = group->cols;
    struct fx_cpu_soon soon = {0};

    if (next >= group->n_wanted)
        return soon;
    if (group->wanted[next] % cols != group->wanted[item] % cols)
        add_soon(&soon, packed_at(session, group, group->rows + group->wanted[next] % cols, 0),
                 bytes);
    if (group->summed)
        add_soon(&soon, fx_cpu_group_sum(group, next), FX_TILE_BYTES);
    if (group->wanted[next] % cols == 0)
        add_soon(&soon, packed_at(session, group, group->wanted[next] / cols, 0), bytes);
    return soon;
}

static void multiply(struct fx_session *session, struct fx_cpu_group *group, size_t item)
{
    const size_t row = group->wanted[item] / group->cols;
    const size_t column = group->rows + group->wanted[item] % group->cols;
    const struct fx_cpu_soon soon = soon_after(session, group, item, group->segments);
    const bool folded = folds(session, group);
    const void *left[FX_CPU_CHUNK], *right[FX_CPU_CHUNK];
    uint32_t words[FX_CPU_CHUNK][8];
    int64_t at = fx_clock_monotonic_ns();

    for (size_t s = 0; s < group->segments; s++) {
        left[s] = packed_at(session, group, row, s);
        right[s] = packed_at(session, group, column, s);
    }
    if (folded || group->summed)
        session->device->engine->bricks(left, right, group->segments, group->has_sums,
                                        group->summed ? fx_cpu_group_sum(group, item) : NULL,
                                        folded ? words : NULL, &soon);
    lap(&at, &session->product_ns);
    if (folded) {
        hash_tickets(session, group, row, column, words);
        lap(&at, &session->hash_ns);
    }
    if (group->summed || group == &session->mining)
        atomic_fetch_add_explicit(&session->bricks, group->segments, memory_order_relaxed);
}

/* Digits take the room of the first two segments. */
static void take_digits(struct fx_session *session, struct fx_cpu_group *group, size_t unit)
{
    int64_t at = fx_clock_monotonic_ns();

    if (session->device->engine->digits(side_of(group, unit), group->wide + unit * FX_BLOCK_BYTES,
                                        packed_at(session, group, unit, 0),
                                        packed_at(session, group, unit, 1)))
        atomic_store(&group->remains, true);
    lap(&at, &session->peel_ns);
}

static void peel(struct fx_session *session, struct fx_cpu_group *group, size_t item)
{
    const size_t row = group->wanted[item] / group->cols;
    const size_t column = group->rows + group->wanted[item] % group->cols;
    const void *const g[2] = {packed_at(session, group, row, 0), packed_at(session, group, row, 1)};
    const void *const h[2] = {packed_at(session, group, column, 0),
                              packed_at(session, group, column, 1)};
    const struct fx_cpu_soon soon = soon_after(session, group, item, 2);
    int64_t at = fx_clock_monotonic_ns();

    session->device->engine->peel(g, packed_panel(session, group, column),
                                  packed_panel(session, group, row), h,
                                  fx_cpu_group_sum(group, item), &soon);
    lap(&at, &session->peel_ns);
}

typedef void work_item(struct fx_session *session, struct fx_cpu_group *group, size_t item);

static work_item *item_of(enum fx_cpu_stage stage)
{
    switch (stage) {
    case FX_CPU_PERMS:
        return make_perm;
    case FX_CPU_PANELS:
        return make_panel;
    case FX_CPU_NOISE:
        return make_blocks;
    case FX_CPU_BRICKS:
        return multiply;
    case FX_CPU_DIGITS:
        return take_digits;
    case FX_CPU_PEEL:
        return peel;
    case FX_CPU_REST:
    case FX_CPU_GIVE:
        break;
    }
    return NULL;
}

struct run {
    struct fx_session *session;
    struct fx_cpu_group *group;
    work_item *item;
};

static void run_items(void *arg, size_t turn)
{
    const struct run *run = arg;
    size_t item;

    (void)turn;
    while (!atomic_load(run->session->cancel) &&
           fx_cpu_items_take(&run->group->items, fx_pool_self(), &item))
        run->item(run->session, run->group, item);
}

bool fx_cpu_group_run(struct fx_session *session, struct fx_cpu_group *group)
{
    struct run run = {session, group, item_of(group->stage)};

    if (group->items.n > 0)
        fx_pool_for(session->device->pool, session->device->threads, run_items, &run);
    return fx_cpu_items_taken(&group->items);
}
