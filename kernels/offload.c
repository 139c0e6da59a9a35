/* A task on a device with a memory of its own: begin, step and end. */
#include "kernels/offload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/device.h"
#include "kernels/offload_int.h"
#include "src/crypto/taghash.h"
#include "src/sys/clock.h"
#include "src/util/buf.h"
#include "src/util/mem.h"

bool fx_offload_runs_kind(uint8_t kind)
{
    return kind == 1; /* gemm */
}

struct fx_session *fx_offload_begin(struct fx_offload *device, const struct fx_kernel_task *task,
                                    const uint8_t *done, char error[FX_KERNEL_TEXT])
{
    uint64_t tiles = (uint64_t)task->rows * task->cols;
    struct fx_session *session;

    if (!fx_offload_runs_kind(task->kind) || tiles == 0 || tiles > UINT64_C(1) << 24 ||
        task->depth == 0 || task->depth > 256) {
        snprintf(error, FX_KERNEL_TEXT, "not a gemm task of 1 to 2^24 tiles");
        return NULL;
    }
    session = fx_xcalloc(1, sizeof *session);
    session->device = device;
    session->driver = device->driver;
    session->ctx = device->ctx;
    session->task = *task;
    session->tiles = session->left = tiles;
    session->taken = fx_xcalloc((size_t)((tiles + 7) / 8), 1);
    for (uint64_t t = 0; done && t < tiles; t++) {
        if (fx_bit(done, t)) {
            fx_set_bit(session->taken, t);
            session->left--;
        }
    }
    if (device->speed == 0 && !fx_offload_measure(session)) {
        snprintf(error, FX_KERNEL_TEXT, "%s", session->error);
        fx_offload_end(session);
        return NULL;
    }
    return session;
}

void fx_offload_end(struct fx_session *session)
{
    if (session->prepared)
        fx_offload_settle(session);
    fx_offload_free(session);
    free(session->front.tiles);
    free(session->back.tiles);
    free(session->found_list);
    free(session->taken);
    free(session);
}

void fx_offload_stats(const struct fx_session *session, struct fx_kernel_stats *stats)
{
    *stats = session->stats;
}

/* ---- what is next -----------------------------------------------------------------------------
 */

/* The next supertile: from the first free tile on, as large as may be. False: no tile is free. */
static bool choose_front(struct fx_session *session)
{
    struct fx_super *front = &session->front;
    const struct fx_kernel_task *task = &session->task;
    uint32_t rows, cols, row, col;

    while (session->scan < session->tiles && fx_bit(session->taken, session->scan))
        session->scan++;
    if (session->scan == session->tiles)
        return false;
    row = (uint32_t)(session->scan / task->cols);
    col = (uint32_t)(session->scan % task->cols);
    fx_offload_shape(session, &rows, &cols);
    rows = rows < task->rows - row ? rows : task->rows - row;
    cols = cols < task->cols - col ? cols : task->cols - col;
    if (front->cap_tiles < rows * cols) {
        front->cap_tiles = rows * cols;
        front->tiles = fx_xreallocarray(front->tiles, front->cap_tiles, sizeof *front->tiles);
    }
    front->active = true;
    front->rect = (struct fx_rect){row, col, rows, cols};
    front->next = front->given = front->n_tiles = 0;
    for (uint32_t at = 0; at < rows * cols; at++) {
        uint32_t r = at / cols, c = at % cols;
        uint64_t tile = (uint64_t)(row + r) * task->cols + col + c;

        if (fx_bit(session->taken, tile))
            continue;
        fx_set_bit(session->taken, tile);
        front->tiles[front->n_tiles++] = r << 16 | c;
    }
    front->sums = session->back.active ? session->back.sums ^ 1 : 0;
    front->fresh = true;
    return true;
}

static bool out_of_time(const struct fx_session *session)
{
    return session->stop || atomic_load(session->cancel) ||
           fx_clock_monotonic_ns() >= session->deadline_ns;
}

/* A front that has segments left, in *ready. Not ready: there is none, or the step has to end. */
static bool next_product(struct fx_session *session, bool *ready)
{
    struct fx_super *front = &session->front, *back = &session->back;

    *ready = false;
    if (front->active && front->next == session->task.depth) {
        struct fx_super kept = *back;

        /* Its sums stay where they are; the next front needs those of the back. */
        while (back->active) {
            if (session->completed < back->last && !fx_offload_drain(session))
                return false;
            if (!fx_offload_give_tiles(session))
                return false;
            if (back->active && out_of_time(session))
                return true;
        }
        kept.active = false;
        *back = *front;
        *front = kept;
    }
    if (!front->active) {
        if (!choose_front(session))
            return true;
        if (!fx_offload_list(session, front, FX_LIST_PRODUCT))
            return false;
    }
    *ready = true;
    return true;
}

static bool next_mining(struct fx_session *session, bool *ready)
{
    const struct fx_kernel_task *task = &session->task;
    struct fx_super *mining = &session->mining;
    struct fx_rect *rect = &mining->rect;
    uint32_t rows, cols;

    *ready = false;
    if (!session->mined || memcmp(session->mined_seed, session->now->seed, 32) != 0) {
        memcpy(session->mined_seed, session->now->seed, 32);
        session->mined = true;
        session->mining_done = mining->active = false;
        *rect = (struct fx_rect){0};
    }
    if (session->mining_done)
        return true;
    if (mining->active && mining->next < task->depth) {
        *ready = true;
        return true;
    }
    fx_offload_shape(session, &rows, &cols);
    if (mining->active) {
        rect->col += rect->cols;
        if (rect->col == task->cols) {
            rect->col = 0;
            rect->row += rect->rows;
        }
        if (rect->row == task->rows) {
            session->mining_done = true;
            mining->active = false;
            return true;
        }
    }
    if (rect->col == 0) /* a new strip of rows */
        rect->rows = rows < task->rows - rect->row ? rows : task->rows - rect->row;
    rect->cols = cols < task->cols - rect->col ? cols : task->cols - rect->col;
    mining->active = true;
    mining->next = 0;
    *ready = true;
    return fx_offload_list(session, mining, FX_LIST_MINING);
}

/* ---- a step -----------------------------------------------------------------------------------
 */

static bool set_header(struct fx_session *session)
{
    static const uint8_t zero[32];
    const struct fx_kernel_header *header = session->now;
    uint32_t *words = session->header_host;
    struct fx_sha256 ticket;
    uint8_t key[32];

    fx_tagged_hash("fornax/noise", header->seed, 32, key);
    fx_tagged_init(&ticket, "fornax/ticket");
    fx_sha256_update(&ticket, header->seed, 32);
    fx_sha256_update(&ticket, zero, sizeof zero);
    for (unsigned w = 0; w < 8; w++) {
        words[FX_HEADER_KEY + w] = fx_load_u32(key + 4 * w);
        words[FX_HEADER_MIDSTATE + w] = ticket.state[w];
        words[FX_HEADER_TARGET + w] = fx_load_u32(header->target + 4 * w);
    }
    return fx_offload_ok(session,
                         session->driver->write(session->ctx, FX_OFFLOAD_COMPUTE, session->header,
                                                0, words, FX_HEADER_WORDS * 4));
}

/* Gives out finished tiles while the device is at work. */
static bool give_meanwhile(struct fx_session *session)
{
    bool passed = false;

    while (session->back.active && session->back.last <= session->completed &&
           session->started - session->completed == FX_OFFLOAD_AHEAD && !out_of_time(session)) {
        unsigned parity = (session->completed + 1) % 2;

        if (!fx_offload_ok(session,
                           session->driver->passed(session->ctx,
                                                   parity * FX_MARK_UNIT + FX_MARK_END, &passed)))
            return false;
        if (passed)
            return true;
        if (!fx_offload_give_tiles(session))
            return false;
    }
    return true;
}

/* False: failed. */
static bool work(struct fx_session *session, bool product, bool mine)
{
    bool ready;

    if (!set_header(session))
        return false;
    fx_offload_give_tickets(session);
    do {
        if (session->stop)
            break;
        if (product ? !next_product(session, &ready) : !next_mining(session, &ready))
            return false;
        if (!ready)
            break;
        if (!fx_offload_start(session, product ? &session->front : &session->mining, product,
                              mine) ||
            !give_meanwhile(session))
            return false;
        fx_offload_give_tickets(session);
    } while (!out_of_time(session));
    if (!fx_offload_drain(session))
        return false;
    fx_offload_give_tickets(session);
    /* What is finished goes out, as far as there is time; but each step gets on. */
    while (product && session->back.active && !session->stop && !atomic_load(session->cancel)) {
        if (!fx_offload_give_tiles(session))
            return false;
        if (out_of_time(session))
            break;
    }
    return true;
}

static bool is_done(const struct fx_session *session, bool product)
{
    return product
               ? session->left == 0
               : session->mining_done && memcmp(session->mined_seed, session->now->seed, 32) == 0;
}

enum fx_kernel_step fx_offload_step(struct fx_session *session,
                                    const struct fx_kernel_header *header, unsigned budget_ms,
                                    const atomic_bool *cancel, const struct fx_kernel_sink *sink,
                                    char error[FX_KERNEL_TEXT])
{
    bool product = (header->mode & FX_KERNEL_PRODUCT) != 0;
    bool mine = (header->mode & FX_KERNEL_MINE) != 0;

    if (memcmp(session->found_seed, header->seed, 32) != 0) {
        session->n_found = 0; /* what the sink of another header did not take */
        memcpy(session->found_seed, header->seed, 32);
    }
    session->now = header;
    session->sink = sink;
    session->cancel = cancel;
    session->stop = false;
    session->deadline_ns = fx_clock_monotonic_ns() + (int64_t)budget_ms * 1000000;
    if (session->n_found == 0 && (product ? session->left == 0 : !mine))
        return FX_STEP_DONE;
    if (session->failed || (!session->prepared && !fx_offload_prepare(session, NULL)) ||
        !work(session, product, mine)) {
        snprintf(error, FX_KERNEL_TEXT, "%s", session->error);
        return FX_STEP_FAILED;
    }
    if (session->stop || atomic_load(cancel))
        return FX_STEP_CANCELLED;
    return is_done(session, product) ? FX_STEP_DONE : FX_STEP_MORE;
}
