/*
 * Partial sums on disk: for the supertile in work and for the one that is finished but not given
 * out, its place, and each tile with its sums. They are peeled first, so they belong to no header.
 */
#include <string.h>

#include "kernels/offload_int.h"
#include "src/util/buf.h"
#include "src/util/mem.h"
#include "src/util/reader.h"

#define SAVE_MAGIC UINT32_C(0x6f707866) /* "fxpo" */

struct writer {
    bool (*write)(void *ctx, const void *data, size_t n);
    void *ctx;
};

static uint64_t tile_offset(const struct fx_super *super, uint32_t code)
{
    return ((uint64_t)(code >> 16) * super->rect.cols + (code & 0xffff)) * FX_TILE_BYTES;
}

static bool save_super(struct fx_session *session, const struct fx_super *super, uint32_t which,
                       const struct writer *writer)
{
    const uint32_t words[] = {SAVE_MAGIC,       which,
                              super->rect.row,  super->rect.col,
                              super->rect.rows, super->rect.cols,
                              super->next,      super->n_tiles - super->given};
    struct fx_buf out = FX_BUF_INIT;
    bool ok;

    for (size_t w = 0; w < sizeof words / sizeof *words; w++)
        fx_buf_u32(&out, words[w]);
    for (uint32_t at = super->given; at < super->n_tiles; at++)
        fx_buf_u32(&out, super->tiles[at]);
    ok = writer->write(writer->ctx, out.data, out.len);
    fx_buf_clear(&out);
    for (uint32_t at = super->given; at < super->n_tiles && ok; at += FX_OFFLOAD_TILE_BATCH) {
        uint32_t n = super->n_tiles - at;

        n = n < FX_OFFLOAD_TILE_BATCH ? n : FX_OFFLOAD_TILE_BATCH;
        for (uint32_t t = 0; t < n && ok; t++)
            ok = fx_offload_ok(session,
                               session->driver->read(
                                   session->ctx, FX_OFFLOAD_DOWNLOAD, session->sums[super->sums],
                                   tile_offset(super, super->tiles[at + t]),
                                   session->tile_host + (size_t)t * FX_TILE_BYTES, FX_TILE_BYTES));
        ok = ok && fx_offload_finish(session, FX_OFFLOAD_DOWNLOAD) &&
             writer->write(writer->ctx, session->tile_host, (size_t)n * FX_TILE_BYTES);
    }
    return ok;
}

bool fx_offload_save(struct fx_session *session,
                     bool (*write)(void *ctx, const void *data, size_t n), void *ctx)
{
    const struct writer writer = {write, ctx};

    if (!session->prepared)
        return true;
    if (session->failed || !fx_offload_drain(session))
        return false;
    /* Tiles that were asked for come again. */
    session->give_pending = 0;
    if (session->back.active && (!fx_offload_finish(session, FX_OFFLOAD_DOWNLOAD) ||
                                 !save_super(session, &session->back, 1, &writer)))
        return false;
    if (!session->front.active || session->front.next == 0)
        return true;
    return fx_offload_peel(session) && fx_offload_finish(session, FX_OFFLOAD_COMPUTE) &&
           save_super(session, &session->front, 0, &writer);
}

static bool load_place(struct fx_session *session, struct fx_reader *r, struct fx_super *super)
{
    const struct fx_kernel_task *task = &session->task;
    struct fx_rect *rect = &super->rect;
    uint32_t n;

    rect->row = fx_read_u32(r);
    rect->col = fx_read_u32(r);
    rect->rows = fx_read_u32(r);
    rect->cols = fx_read_u32(r);
    super->next = fx_read_u32(r);
    n = fx_read_u32(r);
    if (r->bad || rect->rows == 0 || rect->cols == 0 || rect->rows > 4095 || rect->cols > 4095 ||
        rect->row >= task->rows || rect->col >= task->cols || rect->rows > task->rows - rect->row ||
        rect->cols > task->cols - rect->col || super->next > task->depth || n == 0 ||
        n > rect->rows * rect->cols || r->left / 4 < n)
        return false;
    super->tiles = fx_xreallocarray(super->tiles, n, sizeof *super->tiles);
    super->cap_tiles = super->n_tiles = n;
    super->given = 0;
    for (uint32_t at = 0; at < n; at++) {
        uint32_t code = fx_read_u32(r), row = code >> 16, col = code & 0xffff;
        uint64_t tile = (uint64_t)(rect->row + row) * task->cols + rect->col + col;

        if (row >= rect->rows || col >= rect->cols || fx_bit(session->taken, tile))
            return false;
        fx_set_bit(session->taken, tile);
        super->tiles[at] = code;
    }
    return true;
}

static bool load_sums(struct fx_session *session, struct fx_reader *r, const struct fx_super *super)
{
    for (uint32_t at = 0; at < super->n_tiles; at += FX_OFFLOAD_TILE_BATCH) {
        uint32_t n = super->n_tiles - at;

        n = n < FX_OFFLOAD_TILE_BATCH ? n : FX_OFFLOAD_TILE_BATCH;
        for (uint32_t t = 0; t < n; t++) {
            const uint8_t *data = fx_read_bytes(r, FX_TILE_BYTES);
            uint8_t *host = session->tile_host + (size_t)t * FX_TILE_BYTES;

            if (!data)
                return false;
            memcpy(host, data, FX_TILE_BYTES);
            if (!fx_offload_ok(session,
                               session->driver->write(
                                   session->ctx, FX_OFFLOAD_COMPUTE, session->sums[super->sums],
                                   tile_offset(super, super->tiles[at + t]), host, FX_TILE_BYTES)))
                return false;
        }
        if (!fx_offload_finish(session, FX_OFFLOAD_COMPUTE))
            return false;
    }
    return true;
}

bool fx_offload_load(struct fx_session *session, const uint8_t *data, size_t n)
{
    struct fx_super *const supers[] = {&session->front, &session->back};
    struct fx_rect least = {0};
    struct fx_reader r;

    if (session->prepared || session->failed)
        return false;
    /* First where they lie, so that there is room for both. */
    for (unsigned pass = 0; pass < 2; pass++) {
        fx_reader_init(&r, data, n);
        while (r.left > 0) {
            uint32_t magic = fx_read_u32(&r), which = fx_read_u32(&r);
            struct fx_super *super;

            if (r.bad || magic != SAVE_MAGIC || which > 1)
                return false;
            super = supers[which];
            if (pass == 0) {
                if (super->active || !load_place(session, &r, super) ||
                    (which == 1 && super->next != session->task.depth) ||
                    !fx_read_bytes(&r, (size_t)super->n_tiles * FX_TILE_BYTES))
                    return false;
                super->active = true;
                super->sums = which;
                super->fresh = false;
                least.rows = super->rect.rows > least.rows ? super->rect.rows : least.rows;
                least.cols = super->rect.cols > least.cols ? super->rect.cols : least.cols;
            } else {
                fx_read_bytes(&r, (size_t)(6 + super->n_tiles) * 4);
                if (!load_sums(session, &r, super))
                    return false;
            }
        }
        if (pass == 0 && n > 0 && !fx_offload_prepare(session, &least))
            return false;
    }
    return !session->front.active || fx_offload_list(session, &session->front, FX_LIST_PRODUCT);
}
