/*
 * Units: one chunk of segments for all tiles of a supertile. Noise, product, tickets, and, after
 * the last chunk or before the noise changes, the peel.
 *
 * A block with an entry out of [-64, 63] cannot be noised within int8 and cannot win. Segments
 * where a panel of the supertile has such a block are added to the sums as they are; their other
 * bricks are noised and folded for the tickets alone.
 */
#include <stdlib.h>
#include <string.h>

#include "kernels/offload_int.h"
#include "src/util/mem.h"

static bool same_rect(const struct fx_rect *a, const struct fx_rect *b)
{
    return a->row == b->row && a->col == b->col && a->rows == b->rows && a->cols == b->cols;
}

static bool mark(struct fx_session *session, unsigned at)
{
    return fx_offload_ok(session, session->driver->mark(session->ctx, FX_OFFLOAD_COMPUTE, at));
}

static bool zero(struct fx_session *session, uint64_t buffer, uint64_t n)
{
    return fx_offload_ok(session, session->driver->zero(session->ctx, buffer, 0, n));
}

/* ---- the list of tiles ----------------------------------------------------------------------- */

/* Rows of a block are neighbours in the list, so that groups that run at the same time share
 * operands. */
#define BLOCK_ROWS 16

static uint32_t flags_of(const struct fx_super *super, const uint8_t *wanted, unsigned span,
                         uint32_t row, uint32_t col)
{
    uint32_t flags = 0;

    for (unsigned at = 0; at < span && row < super->rect.rows && col + at < super->rect.cols;
         at++) {
        if (!wanted || wanted[row * super->rect.cols + col + at])
            flags |= UINT32_C(1) << at;
    }
    return flags;
}

static uint32_t list_write(const struct fx_super *super, const uint8_t *wanted,
                           const struct fx_offload *device, uint32_t *out)
{
    uint32_t n = 0, step = device->pairs ? 2 : 1, last = super->rect.rows - 1;

    for (uint32_t from = 0; from <= last; from += BLOCK_ROWS) {
        for (uint32_t col = 0; col < super->rect.cols; col += device->span) {
            for (uint32_t row = from; row <= last && row < from + BLOCK_ROWS; row += step) {
                uint32_t flags = flags_of(super, wanted, device->span, row, col);
                uint32_t next =
                    device->pairs ? flags_of(super, wanted, device->span, row + 1, col) : 0;

                if (!flags && !next)
                    continue;
                out[n++] = row | col << 12 | flags << 24;
                if (device->pairs)
                    out[n++] = (row < last ? row + 1 : row) | col << 12 | next << 24;
            }
        }
    }
    return n;
}

bool fx_offload_list(struct fx_session *session, struct fx_super *super, enum fx_list list)
{
    uint64_t copy = session->n_lists[list]++ % FX_OFFLOAD_COPIES;
    uint32_t *host = session->list_host[list] + copy * fx_offload_list_most(session);
    uint8_t *wanted = NULL;

    if (list == FX_LIST_PRODUCT) {
        wanted = fx_xcalloc((size_t)super->rect.rows * super->rect.cols, 1);
        for (uint32_t at = 0; at < super->n_tiles; at++)
            wanted[(super->tiles[at] >> 16) * super->rect.cols + (super->tiles[at] & 0xffff)] = 1;
    }
    super->entries = list_write(super, wanted, session->device, host);
    free(wanted);
    return fx_offload_ok(session, session->driver->write(session->ctx, FX_OFFLOAD_COMPUTE,
                                                         session->list[list], 0, host,
                                                         (size_t)super->entries * 4));
}

/* ---- noise and peel -------------------------------------------------------------------------- */

/* The sums of the front become those of plain products. */
bool fx_offload_peel(struct fx_session *session)
{
    struct fx_super *front = &session->front;
    uint32_t units = front->rect.rows + front->rect.cols, base = session->max_rows;
    const struct fx_offload_arg limbs[] = {fx_buffer(session->gathered), fx_buffer(session->limbs),
                                           fx_buffer(session->used), fx_word(front->rect.rows),
                                           fx_word(base)};
    const struct fx_offload_arg peel[] = {fx_buffer(session->limbs),
                                          fx_buffer(session->used),
                                          fx_buffer(session->limages),
                                          fx_buffer(session->list[FX_LIST_PRODUCT]),
                                          fx_buffer(session->sums[front->sums]),
                                          fx_word(base),
                                          fx_word(front->rect.cols)};

    if (!session->gathering)
        return true;
    session->gathering = false;
    return zero(session, session->used, ((uint64_t)base + session->max_cols) * 4) &&
           fx_offload_run(session, FX_OFFLOAD_LIMBS, (uint64_t)units * 32, limbs, 5) &&
           fx_offload_run(session, FX_OFFLOAD_PEEL, front->entries, peel, 7);
}

/* Is the noise on the device that of this unit? */
static bool noise_stands(const struct fx_session *session, const struct fx_super *super)
{
    return session->noise_valid && memcmp(session->noise_seed, session->now->seed, 32) == 0 &&
           same_rect(&session->noise_rect, &super->rect);
}

/* Permutations of the header, and L of the supertile's panels. */
static bool ready_noise(struct fx_session *session, const struct fx_super *super, bool product)
{
    const struct fx_kernel_task *task = &session->task;
    const uint8_t *seed = session->now->seed;
    const struct fx_rect *rect = &super->rect;
    const struct fx_offload_arg perms[] = {fx_buffer(session->header), fx_buffer(session->perms),
                                           fx_word(task->depth)};
    const struct fx_offload_arg panels[] = {
        fx_buffer(session->header),     fx_buffer(session->lrows),
        fx_buffer(session->limages),    fx_word(rect->rows),
        fx_word(session->max_rows),     fx_word(task->row0 + rect->row),
        fx_word(task->col0 + rect->col)};

    if (!noise_stands(session, super)) {
        /* What was gathered belongs to the noise that is about to go. */
        if (!fx_offload_peel(session) ||
            !fx_offload_run(session, FX_OFFLOAD_PANELS, ((uint64_t)rect->rows + rect->cols) * 2,
                            panels, 7))
            return false;
        session->noise_valid = true;
        session->noise_rect = *rect;
        memcpy(session->noise_seed, seed, 32);
    }
    if (!session->perms_valid || memcmp(session->perms_seed, seed, 32) != 0) {
        if (!fx_offload_run(session, FX_OFFLOAD_PERMS, (uint64_t)task->depth * 2, perms, 3))
            return false;
        session->perms_valid = true;
        memcpy(session->perms_seed, seed, 32);
    }
    if (product && !session->gathering) {
        if (!zero(session, session->gathered,
                  ((uint64_t)session->max_rows + session->max_cols) * FX_BLOCK_BYTES * 4))
            return false;
        session->gathering = true;
    }
    return true;
}

/* ---- the segments of a unit -------------------------------------------------------------------
 */

struct pass {
    struct fx_super *super;
    enum fx_list list;
    uint32_t first;    /* segment of the chunk */
    uint32_t from, to; /* within it */
    unsigned parity;
    bool product, mine;
    uint32_t dirty[FX_OFFLOAD_DIRTY_WORDS]; /* segments where some panel is out of range */
};

static bool images(struct fx_session *session, const struct pass *pass, uint32_t from, uint32_t to,
                   uint32_t flags)
{
    const struct fx_rect *rect = &pass->super->rect;
    const struct fx_offload_arg args[] = {fx_buffer(session->plain),
                                          fx_buffer(session->table),
                                          fx_buffer(session->perms),
                                          fx_buffer(session->lrows),
                                          fx_buffer(session->images),
                                          fx_buffer(session->gathered),
                                          fx_word(rect->rows),
                                          fx_word(session->max_rows),
                                          fx_word(session->chunk),
                                          fx_word(pass->first),
                                          fx_word(session->task.depth),
                                          fx_word(from),
                                          fx_word(to),
                                          fx_word(flags)};

    return fx_offload_run(session, FX_OFFLOAD_NOISE, ((uint64_t)rect->rows + rect->cols) * 8, args,
                          14);
}

static bool bricks(struct fx_session *session, const struct pass *pass, uint32_t from, uint32_t to,
                   uint32_t flags)
{
    uint32_t set = (flags & FX_OFFLOAD_ADDED) && pass->super->fresh ? FX_OFFLOAD_SET : 0;
    const struct fx_offload_arg args[] = {fx_buffer(session->images),
                                          fx_buffer(session->list[pass->list]),
                                          fx_buffer(session->sums[pass->super->sums]),
                                          fx_buffer(session->folds),
                                          fx_word(session->max_rows),
                                          fx_word(pass->super->rect.cols),
                                          fx_word(session->chunk),
                                          fx_word(from),
                                          fx_word(to),
                                          fx_word(flags | set)};

    if (set)
        pass->super->fresh = false;
    return fx_offload_run(session, FX_OFFLOAD_BRICKS, pass->super->entries, args, 10);
}

static bool tickets(struct fx_session *session, const struct pass *pass)
{
    const struct fx_kernel_task *task = &session->task;
    const struct fx_rect *rect = &pass->super->rect;
    uint64_t items =
        (uint64_t)pass->super->entries * session->device->span * (pass->to - pass->from);
    const struct fx_offload_arg args[] = {fx_buffer(session->header),
                                          fx_buffer(session->folds),
                                          fx_buffer(session->list[pass->list]),
                                          fx_buffer(session->table),
                                          fx_buffer(session->found[pass->parity]),
                                          fx_word(pass->super->entries),
                                          fx_word(session->max_rows),
                                          fx_word(rect->cols),
                                          fx_word(session->chunk),
                                          fx_word(pass->from),
                                          fx_word(pass->to),
                                          fx_word(task->row0 + rect->row),
                                          fx_word(task->col0 + rect->col),
                                          fx_word(pass->first),
                                          fx_word(session->max_rows + session->max_cols)};

    return fx_offload_run(session, FX_OFFLOAD_TICKETS, (items + 255) / 256, args, 15);
}

/* The next run of segments that are all in range, or all not, from *at on. */
static bool next_run(const struct pass *pass, uint32_t *from, uint32_t *at, bool *dirty)
{
    if (*at == pass->to)
        return false;
    *from = *at;
    *dirty = pass->dirty[*from / 32] >> *from % 32 & 1;
    while (*at < pass->to && (bool)(pass->dirty[*at / 32] >> *at % 32 & 1) == *dirty)
        ++*at;
    return true;
}

static bool noised_images(struct fx_session *session, const struct pass *pass)
{
    uint32_t from, at = pass->from;
    bool dirty;

    while (next_run(pass, &from, &at, &dirty)) {
        if (!images(session, pass, from, at,
                    FX_OFFLOAD_NOISED | (pass->product && !dirty ? FX_OFFLOAD_GATHERED : 0)))
            return false;
    }
    return true;
}

static bool noised_bricks(struct fx_session *session, const struct pass *pass)
{
    uint32_t from, at = pass->from;
    bool dirty;

    while (next_run(pass, &from, &at, &dirty)) {
        if (!bricks(session, pass, from, at,
                    FX_OFFLOAD_FOLDED | (pass->product && !dirty ? FX_OFFLOAD_ADDED : 0)))
            return false;
    }
    return true;
}

/* Segments that are not noised, to the sums as they are. */
static bool plain_bricks(struct fx_session *session, const struct pass *pass)
{
    uint32_t from, at = pass->from;
    bool dirty;

    if (!pass->mine)
        return images(session, pass, pass->from, pass->to, 0) &&
               bricks(session, pass, pass->from, pass->to, FX_OFFLOAD_ADDED);
    while (next_run(pass, &from, &at, &dirty)) {
        if (dirty && (!images(session, pass, from, at, 0) ||
                      !bricks(session, pass, from, at, FX_OFFLOAD_ADDED)))
            return false;
    }
    return true;
}

static bool run_pass(struct fx_session *session, const struct pass *pass)
{
    unsigned marks = pass->parity * FX_MARK_UNIT;

    return (!pass->product || plain_bricks(session, pass)) &&
           (!pass->mine || noised_images(session, pass)) && mark(session, marks + FX_MARK_NOISED) &&
           (!pass->mine || noised_bricks(session, pass)) &&
           mark(session, marks + FX_MARK_PRODUCT) && (!pass->mine || tickets(session, pass)) &&
           mark(session, marks + FX_MARK_TICKETS);
}

static void find_dirty(const struct fx_session *session, const uint32_t *table, struct pass *pass)
{
    const struct fx_rect *rect = &pass->super->rect;
    const uint32_t *dirty = table + session->max_rows + session->max_cols;

    for (uint32_t x = 0; x < rect->rows + rect->cols; x++) {
        uint32_t unit = x < rect->rows ? x : session->max_rows + x - rect->rows;

        for (unsigned w = 0; w < FX_OFFLOAD_DIRTY_WORDS; w++)
            pass->dirty[w] |= dirty[unit * FX_OFFLOAD_DIRTY_WORDS + w];
    }
}

static bool count_ready(struct fx_session *session, unsigned parity)
{
    uint32_t *head = session->head_host + parity * FX_OFFLOAD_FOUND_HEAD;

    return fx_offload_ok(session, session->driver->read(session->ctx, FX_OFFLOAD_COMPUTE,
                                                        session->found[parity], 0, head,
                                                        FX_OFFLOAD_FOUND_HEAD * 4));
}

static uint64_t peel_work(const struct fx_session *session)
{
    return session->gathering
               ? (uint64_t)session->front.entries * session->device->span * FX_OFFLOAD_PEEL_BRICKS
               : 0;
}

/* What a pass costs, counted as struct fx_unit has it. */
static void count_work(const struct fx_session *session, const struct pass *pass,
                       struct fx_unit *unit)
{
    const struct fx_super *super = pass->super;
    uint64_t places = (uint64_t)super->entries * session->device->span;
    uint32_t dirty = 0;

    for (uint32_t s = pass->from; s < pass->to; s++)
        dirty += pass->dirty[s / 32] >> s % 32 & 1;
    unit->product = pass->product;
    unit->mine = pass->mine;
    unit->bricks = (pass->to - pass->from) *
                   (pass->product ? super->n_tiles : super->rect.rows * super->rect.cols);
    unit->timed = places * (pass->to - pass->from + (pass->product && pass->mine ? dirty : 0));
    if (pass->mine && !noise_stands(session, super))
        unit->timed += peel_work(session);
    unit->work = unit->timed;
    if (pass->product && pass->first + pass->to == session->task.depth)
        unit->work += places * FX_OFFLOAD_PEEL_BRICKS;
}

/* All that a unit does before its own work: operands that were read arrive, marks and counters
 * begin. */
static bool open_unit(struct fx_session *session, const struct pass *pass, const uint32_t *table)
{
    const struct fx_offload_driver *driver = session->driver;
    unsigned parity = pass->parity;

    return fx_offload_ok(session,
                         driver->mark(session->ctx, FX_OFFLOAD_UPLOAD, FX_MARK_UPLOAD + parity)) &&
           fx_offload_ok(session, driver->follow(session->ctx, FX_OFFLOAD_COMPUTE,
                                                 FX_MARK_UPLOAD + parity)) &&
           fx_offload_ok(session, driver->write(session->ctx, FX_OFFLOAD_COMPUTE, session->table, 0,
                                                table, (size_t)fx_offload_table_bytes(session))) &&
           (!pass->mine || zero(session, session->found[parity], FX_OFFLOAD_FOUND_HEAD * 4)) &&
           mark(session, parity * FX_MARK_UNIT + FX_MARK_START);
}

static bool start_pass(struct fx_session *session, struct pass *pass, const uint32_t *table)
{
    struct fx_super *super = pass->super;
    struct fx_unit *unit = &session->units[pass->parity];
    struct fx_unit next = {0};

    find_dirty(session, table, pass);
    count_work(session, pass, &next);
    /* Less than AHEAD others are under way from here on: table and marks are free. */
    while (!fx_offload_room(session, next.work)) {
        if (!fx_offload_collect(session))
            return false;
    }
    *unit = next;
    if (!open_unit(session, pass, table) ||
        (pass->mine && !ready_noise(session, super, pass->product)) || !run_pass(session, pass))
        return false;
    super->next = pass->first + pass->to;
    super->last = ++session->started;
    if (pass->product && super->next == session->task.depth) {
        unit->peeled = session->gathering;
        if (!fx_offload_peel(session))
            return false;
    }
    return (!pass->mine || count_ready(session, pass->parity)) &&
           mark(session, pass->parity * FX_MARK_UNIT + FX_MARK_END);
}

bool fx_offload_start(struct fx_session *session, struct fx_super *super, bool product, bool mine)
{
    size_t table_words = (size_t)fx_offload_table_bytes(session) / 4;
    uint64_t number = session->started + 1;
    uint32_t *table = session->table_host + number % FX_OFFLOAD_COPIES * table_words;
    uint32_t chunk = super->next / session->chunk, first = chunk * session->chunk;
    uint32_t left = session->task.depth - super->next;
    uint32_t in_chunk = first + session->chunk - super->next;
    struct pass pass = {.super = super,
                        .list = product ? FX_LIST_PRODUCT : FX_LIST_MINING,
                        .first = first,
                        .from = super->next - first,
                        .parity = number % 2,
                        .product = product,
                        .mine = mine};

    left = left < in_chunk ? left : in_chunk;
    pass.to = pass.from +
              fx_offload_segments(session, (uint64_t)super->entries * session->device->span, left);
    if (!fx_offload_operands(session, &super->rect, chunk, table))
        return false;
    if (!atomic_load(session->cancel))
        return start_pass(session, &pass, table);
    /* A list may be on its way out of memory that comes again. */
    return fx_offload_finish(session, FX_OFFLOAD_COMPUTE);
}
