/* How large the supertiles of a session are, and the memory that they need. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/device.h"
#include "kernels/offload_int.h"
#include "src/util/mem.h"

#define TILES_MAX 65536 /* of a supertile: 4 GiB of sums */
#define SIDE_MAX 4095   /* panels; lists have 12 bits */

static uint32_t root(uint64_t n)
{
    uint32_t r = 1;

    while ((uint64_t)(r + 1) * (r + 1) <= n)
        r++;
    return r;
}

/* As many pieces as needed, of the same length. */
static uint32_t even(uint32_t whole, uint32_t piece)
{
    uint32_t pieces = (whole + piece - 1) / piece;

    return (whole + pieces - 1) / pieces;
}

static uint32_t least(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

static void shape(const struct fx_session *session, uint64_t tiles, uint32_t *rows, uint32_t *cols)
{
    const struct fx_kernel_task *task = &session->task;

    if (tiles < session->device->span)
        tiles = session->device->span;
    *rows = least(least(task->rows, root(tiles)), SIDE_MAX);
    *cols = least(least(task->cols, tiles / *rows), SIDE_MAX);
    *rows = least(least(task->rows, tiles / *cols), SIDE_MAX);
    *rows = even(task->rows, *rows);
    *cols = even(task->cols, *cols);
}

static uint64_t wanted_tiles(const struct fx_session *session)
{
    uint32_t chunk = session->chunk > 4 ? session->chunk : 4;
    uint64_t tiles = fx_offload_work(session, FX_OFFLOAD_UNIT_NS) / chunk;

    return tiles < TILES_MAX ? tiles : TILES_MAX;
}

void fx_offload_shape(const struct fx_session *session, uint32_t *rows, uint32_t *cols)
{
    uint64_t tiles = wanted_tiles(session);

    shape(session, tiles < session->max_tiles ? tiles : session->max_tiles, rows, cols);
    *rows = least(*rows, session->max_rows);
    *cols = least(*cols, session->max_cols);
}

/*
 * Of n bricks that a unit may have, in tiles * chunk: sums are read and written once a chunk, and
 * noise is made once a panel. The traffic of both together is least where the chunk is about
 * 1.4 times the cube root of n.
 */
static uint32_t chunk_for(uint64_t bricks, uint32_t depth)
{
    uint32_t chunk = 1;

    while (chunk < FX_OFFLOAD_CHUNK_MAX && chunk < depth &&
           (uint64_t)chunk * chunk * chunk * 4 < bricks)
        chunk *= 2;
    return chunk;
}

uint32_t fx_offload_list_most(const struct fx_session *session)
{
    return (session->max_rows + 1) * session->max_cols;
}

uint64_t fx_offload_table_bytes(const struct fx_session *session)
{
    return ((uint64_t)session->max_rows + session->max_cols) * 4 * (1 + FX_OFFLOAD_DIRTY_WORDS);
}

struct sizes {
    uint64_t plain_least, images, lrows, gathered, limbs, sums, folds, found, list, table;
    uint64_t all; /* with the least of plain */
};

static void sizes_of(const struct fx_session *session, uint64_t rows, uint64_t cols,
                     struct sizes *out)
{
    uint64_t units = rows + cols, tiles = rows * cols, chunk = session->chunk;

    out->plain_least = (FX_OFFLOAD_AHEAD + 1) * units * chunk * FX_BLOCK_BYTES;
    out->images = units * chunk * FX_BLOCK_BYTES;
    out->lrows = units * FX_BLOCK_BYTES;
    out->gathered = units * FX_BLOCK_BYTES * 4;
    out->limbs = units * FX_BLOCK_BYTES * 3;
    out->sums = tiles * FX_TILE_BYTES;
    out->folds = tiles * chunk * 32;
    out->found = (tiles * chunk * FX_OFFLOAD_FOUND_WORDS + FX_OFFLOAD_FOUND_HEAD) * 4;
    out->list = (rows + 1) * cols * 4; /* an odd row may have an empty partner */
    out->table = units * 4 * (1 + FX_OFFLOAD_DIRTY_WORDS);
    out->all = out->plain_least + out->images + 2 * out->lrows + out->gathered + out->limbs +
               2 * out->sums + out->folds + 2 * out->found + 2 * out->list + out->table;
}

static bool fits(const struct fx_session *session, const struct sizes *sizes)
{
    uint64_t max = session->device->max_buffer;

    return sizes->all <= session->device->memory && sizes->plain_least <= max &&
           sizes->sums <= max && sizes->gathered <= max && sizes->found <= max;
}

static bool take(struct fx_session *session, uint64_t *buffer, uint64_t bytes)
{
    return fx_offload_ok(session, session->driver->alloc(session->ctx, bytes, buffer));
}

static void *take_host(struct fx_session *session, size_t bytes)
{
    void *memory = session->driver->host_alloc(session->ctx, bytes);

    fx_offload_ok(session, memory != NULL);
    return memory;
}

/* Room for operands: what is left, or what there still is of it, as others may have taken some
 * since the device was opened. */
static bool take_plain(struct fx_session *session, const struct sizes *sizes)
{
    const struct fx_kernel_task *task = &session->task;
    uint64_t slot = (uint64_t)session->chunk * FX_BLOCK_BYTES;
    uint64_t slots = ((uint64_t)task->rows + task->cols) * session->chunks;
    uint64_t bytes = sizes->plain_least + (session->device->memory - sizes->all);

    if (bytes > session->device->max_buffer)
        bytes = session->device->max_buffer;
    if (bytes / slot < slots)
        slots = bytes / slot;
    while (!session->driver->alloc(session->ctx, slots * slot, &session->plain)) {
        if (slots <= sizes->plain_least / slot)
            return fx_offload_ok(session, false);
        slots = slots / 2 > sizes->plain_least / slot ? slots / 2 : sizes->plain_least / slot;
    }
    session->n_slots = (uint32_t)slots;
    session->slots = fx_xcalloc(session->n_slots, sizeof *session->slots);
    for (unsigned side = 0; side < 2; side++)
        session->where[side] =
            fx_xcalloc((size_t)(side ? task->cols : task->rows) * session->chunks,
                       sizeof *session->where[side]);
    return true;
}

static bool take_all(struct fx_session *session, const struct sizes *sizes)
{
    uint64_t slot = (uint64_t)session->chunk * FX_BLOCK_BYTES;
    size_t units = session->max_rows + session->max_cols;

    if (!take(session, &session->header, FX_HEADER_WORDS * 4) ||
        !take(session, &session->perms, (uint64_t)session->task.depth * 2 * 1024) ||
        !take(session, &session->table, sizes->table) ||
        !take(session, &session->lrows, sizes->lrows) ||
        !take(session, &session->limages, sizes->lrows) ||
        !take(session, &session->images, sizes->images) ||
        !take(session, &session->gathered, sizes->gathered) ||
        !take(session, &session->limbs, sizes->limbs) ||
        !take(session, &session->used, units * 4) || !take(session, &session->folds, sizes->folds))
        return false;
    for (unsigned at = 0; at < 2; at++) {
        if (!take(session, &session->list[at], sizes->list) ||
            !take(session, &session->sums[at], sizes->sums) ||
            !take(session, &session->found[at], sizes->found))
            return false;
        session->list_host[at] = take_host(session, (size_t)sizes->list * FX_OFFLOAD_COPIES);
        if (!session->list_host[at])
            return false;
    }
    session->header_host = take_host(session, FX_HEADER_WORDS * 4);
    session->table_host = take_host(session, (size_t)sizes->table * FX_OFFLOAD_COPIES);
    session->stage_host = take_host(session, (size_t)slot * FX_OFFLOAD_STAGES);
    session->tile_host = take_host(session, (size_t)2 * FX_OFFLOAD_TILE_BATCH * FX_TILE_BYTES);
    session->head_host = take_host(session, (size_t)2 * FX_OFFLOAD_FOUND_HEAD * 4);
    session->found_host =
        take_host(session, (size_t)FX_OFFLOAD_FOUND_BATCH * FX_OFFLOAD_FOUND_WORDS * 4);
    return session->header_host && session->table_host && session->stage_host &&
           session->tile_host && session->head_host && session->found_host &&
           take_plain(session, sizes);
}

bool fx_offload_prepare(struct fx_session *session, const struct fx_rect *wanted)
{
    uint32_t rows, cols;
    struct sizes sizes;
    uint64_t tiles;

    session->chunk = chunk_for(fx_offload_work(session, FX_OFFLOAD_UNIT_NS), session->task.depth);
    session->chunks = (session->task.depth + session->chunk - 1) / session->chunk;
    for (tiles = wanted_tiles(session);; tiles = tiles * 3 / 4) {
        shape(session, tiles, &rows, &cols);
        if (wanted) {
            rows = rows > wanted->rows ? rows : wanted->rows;
            cols = cols > wanted->cols ? cols : wanted->cols;
        }
        sizes_of(session, rows, cols, &sizes);
        if (fits(session, &sizes))
            break;
        if (tiles <= 1)
            return fx_offload_fail(session, "the device has too little memory");
    }
    session->max_rows = rows;
    session->max_cols = cols;
    session->max_tiles = rows * cols;
    session->prepared = true;
    return take_all(session, &sizes);
}

void fx_offload_free(struct fx_session *session)
{
    const uint64_t buffers[] = {
        session->header,   session->perms,   session->plain,    session->table,   session->lrows,
        session->limages,  session->images,  session->gathered, session->limbs,   session->used,
        session->folds,    session->list[0], session->list[1],  session->sums[0], session->sums[1],
        session->found[0], session->found[1]};
    void *const host[] = {session->header_host,  session->table_host, session->list_host[0],
                          session->list_host[1], session->stage_host, session->tile_host,
                          session->found_host,   session->head_host};

    for (size_t at = 0; at < sizeof buffers / sizeof *buffers; at++) {
        if (buffers[at])
            session->driver->release(session->ctx, buffers[at]);
    }
    for (size_t at = 0; at < sizeof host / sizeof *host; at++) {
        if (host[at])
            session->driver->host_release(session->ctx, host[at]);
    }
    free(session->slots);
    free(session->where[0]);
    free(session->where[1]);
}
