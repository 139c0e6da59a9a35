/*
 * The result of a product, put together from the results of its tasks: parts along the depth are
 * added, pairs of limbs are shifted and added. Sums are modulo 2^64; the client saw to it that no
 * entry leaves int64, so the order of adding does not matter.
 */
#include <stdlib.h>
#include <string.h>

#include "src/jobs/jobs_int.h"
#include "src/matrix/result.h"
#include "src/util/limbs.h"
#include "src/util/mem.h"

/* The rows that are asked for, and where they go. */
struct rows {
    const struct fx_job_product *product;
    uint32_t first, end; /* of the trimmed result */
    uint64_t *out;
};

/* ---- adding ------------------------------------------------------------------------------ */

/* The intersection of [from, from + 128) of the stacked limbs with entries [first, end) of each. */
static bool touches(uint32_t from, uint32_t per_limb, unsigned limbs, uint32_t first, uint32_t end)
{
    for (unsigned limb = 0; limb < limbs; limb++) {
        uint64_t base = (uint64_t)limb * per_limb;

        if (base + first < (uint64_t)from + FX_TILE && base + end > from) {
            return true;
        }
    }
    return false;
}

static void add_tile_row(const struct rows *rows, uint32_t left, unsigned limb_a, uint64_t *out,
                         const uint8_t *in)
{
    const struct fx_job_product *product = rows->product;
    uint64_t stacked = (uint64_t)product->columns * product->limbs_b;
    unsigned limb_b = left / product->columns;
    uint32_t column = left % product->columns;

    for (uint32_t c = 0; c < FX_TILE && (uint64_t)left + c < stacked; c++) {
        uint64_t value = (uint64_t)(int64_t)(int32_t)fx_load_u32(in + 4 * (size_t)c);

        out[column] += value << (FX_LIMB_BITS * (limb_a + limb_b));
        if (++column == product->columns) {
            column = 0;
            limb_b++;
        }
    }
}

/* Adds what a tile has of the rows. */
static void add_tile(const struct rows *rows, uint32_t tile_row, uint32_t tile_col,
                     const uint8_t tile[FX_TILE_BYTES])
{
    const struct fx_job_product *product = rows->product;

    for (uint32_t r = 0; r < FX_TILE; r++) {
        uint32_t at = tile_row * FX_TILE + r, row = at % product->rows;

        if (at / product->rows < product->limbs_a && row >= rows->first && row < rows->end) {
            add_tile_row(rows, tile_col * FX_TILE, at / product->rows,
                         rows->out + (size_t)(row - rows->first) * product->columns,
                         tile + 4 * (size_t)r * FX_TILE);
        }
    }
}

static bool add_task(struct fx_jobs *jobs, const struct fx_book_task *task, const struct rows *rows,
                     struct fx_jobs_error *error)
{
    const struct fx_job_product *product = rows->product;
    const struct fx_task_shape *shape = &task->shape;
    uint8_t *tile = fx_xmalloc(FX_BLOB_CHUNK_MAX);
    uint8_t path[FX_BLOB_PATH_MAX * 32];
    struct fx_blob_key key;
    struct fx_blob_shape blob;
    bool fine = true;

    fx_book_result(task, &key, &blob);
    for (uint32_t r = shape->row0; fine && r < shape->row0 + shape->rows; r++) {
        if (!touches(r * FX_TILE, product->rows, product->limbs_a, rows->first, rows->end)) {
            continue;
        }
        for (uint32_t c = shape->col0; fine && c < shape->col0 + shape->cols; c++) {
            size_t n = 0, n_path = 0;

            fine = fx_blobs_get(jobs->config.blobs, &key, fx_result_tile_number(shape, r, c), 0,
                                tile, &n, path, &n_path) &&
                   n == FX_TILE_BYTES;
            if (fine) {
                add_tile(rows, r, c, tile);
            }
        }
    }
    free(tile);
    return fine || fx_jobs_refuse(error, -1, "A tile of the result cannot be read");
}

/* ---- what is missing --------------------------------------------------------------------- */

/* Where task `index` of a part lies, in tiles; a part that no transaction announced yet has no
 * shapes of its own. */
static void shape_of(const struct fx_gemm *gemm, uint32_t index, struct fx_task_shape *shape)
{
    struct fx_buf body = FX_BUF_INIT;

    fx_gemm_write(gemm, &body);
    fx_kind_gemm.task_shape(fx_jobs_span(&body), index, shape);
    fx_buf_clear(&body);
}

/* Entries [*from, *from + *n) of one limb of which tiles [tile, tile + tiles) have some; false:
 * none. */
static bool clip(uint32_t tile, uint32_t tiles, uint32_t per_limb, unsigned limb, uint32_t *from,
                 uint32_t *n)
{
    uint64_t base = (uint64_t)limb * per_limb, start = (uint64_t)tile * FX_TILE;
    uint64_t end = start + (uint64_t)tiles * FX_TILE;

    start = start > base ? start - base : 0;
    end = end > base ? end - base : 0;
    end = end < per_limb ? end : per_limb;
    *from = (uint32_t)start;
    *n = end > start ? (uint32_t)(end - start) : 0;
    return *n > 0;
}

struct rects {
    struct fx_job_rect *list;
    size_t n;
};

static void add_rects(const struct fx_job_product *product, const struct fx_task_shape *shape,
                      struct rects *rects)
{
    for (unsigned a = 0; a < product->limbs_a; a++) {
        for (unsigned b = 0; b < product->limbs_b; b++) {
            struct fx_job_rect rect;

            if (clip(shape->row0, shape->rows, product->rows, a, &rect.row, &rect.rows) &&
                clip(shape->col0, shape->cols, product->columns, b, &rect.column, &rect.columns)) {
                rects->list = fx_xreallocarray(rects->list, rects->n + 1, sizeof *rects->list);
                rects->list[rects->n++] = rect;
            }
        }
    }
}

static void find_missing(struct fx_jobs *jobs, const struct fx_job_view *view, struct rects *rects)
{
    for (size_t p = 0; p < view->n_parts; p++) {
        for (uint32_t i = 0; i < view->parts[p].n_tasks; i++) {
            struct fx_task_shape shape;

            if (!fx_view_is_here(jobs, view->parts[p].tasks[i])) {
                shape_of(&view->parts[p].gemm, i, &shape);
                add_rects(&view->product, &shape, rects);
            }
        }
    }
}

size_t fx_jobs_missing(struct fx_jobs *jobs, const struct fx_hash *job, size_t product,
                       struct fx_job_rect **list)
{
    struct fx_job_view view;
    struct rects rects = {NULL, 0};

    if (fx_job_view_open(jobs, job, product, &view)) {
        find_missing(jobs, &view, &rects);
        fx_job_view_close(&view);
    }
    *list = rects.list;
    return rects.n;
}

/* A sum of which a part is missing says nothing. */
static void clear_missing(struct fx_jobs *jobs, const struct fx_job_view *view,
                          const struct rows *rows)
{
    struct rects rects = {NULL, 0};

    find_missing(jobs, view, &rects);
    for (size_t i = 0; i < rects.n; i++) {
        const struct fx_job_rect *rect = &rects.list[i];
        uint32_t from = rect->row > rows->first ? rect->row : rows->first;
        uint32_t end = rect->row + rect->rows < rows->end ? rect->row + rect->rows : rows->end;

        for (uint32_t row = from; row < end; row++) {
            memset(rows->out + (size_t)(row - rows->first) * view->product.columns + rect->column,
                   0, rect->columns * sizeof *rows->out);
        }
    }
    free(rects.list);
}

/* ---- rows -------------------------------------------------------------------------------- */

static bool overlaps(const struct fx_task_shape *shape, const struct rows *rows)
{
    for (uint32_t r = shape->row0; r < shape->row0 + shape->rows; r++) {
        if (touches(r * FX_TILE, rows->product->rows, rows->product->limbs_a, rows->first,
                    rows->end)) {
            return true;
        }
    }
    return false;
}

/* Adds task `index` of a part, if it has some of the rows. */
static bool add_rows(struct fx_jobs *jobs, const struct fx_view_part *part, uint32_t index,
                     const struct rows *rows, bool partial, struct fx_jobs_error *error)
{
    const struct fx_book_task *task = part->tasks[index];
    struct fx_task_shape shape;

    shape_of(&part->gemm, index, &shape);
    if (!overlaps(&shape, rows)) {
        return true;
    }
    if (fx_view_is_here(jobs, task)) {
        return add_task(jobs, task, rows, error);
    }
    if (partial) {
        return true;
    }
    if (task != NULL && fx_view_check(jobs, task) == FX_CHECK_WRONG) {
        return fx_jobs_refuse(error, -4, "The result of task %u is wrong (see gettask)", index);
    }
    return fx_jobs_refuse(error, -4, "The result is not here yet: task %u is not done and checked",
                          index);
}

static bool result_rows(struct fx_jobs *jobs, const struct fx_job_view *view, struct rows *rows,
                        bool partial, struct fx_jobs_error *error)
{
    for (size_t p = 0; p < view->n_parts; p++) {
        for (uint32_t i = 0; i < view->parts[p].n_tasks; i++) {
            /* The tasks of one announcement need not be all of the matrix. */
            if (!partial && view->parts[p].offered[i] == FX_VIEW_NOT_OFFERED) {
                return fx_jobs_refuse(error, -4,
                                      "The job has only some of the tasks of its "
                                      "matrix");
            }
            if (!add_rows(jobs, &view->parts[p], i, rows, partial, error)) {
                return false;
            }
        }
    }
    if (partial) {
        clear_missing(jobs, view, rows);
    }
    return true;
}

bool fx_jobs_result_rows(struct fx_jobs *jobs, const struct fx_hash *job, size_t product,
                         uint32_t row0, uint32_t count, bool partial, int64_t *out,
                         struct fx_jobs_error *error)
{
    struct fx_job_view view;
    struct rows rows;
    bool fine;

    if (!fx_job_view_open(jobs, job, product, &view)) {
        return fx_jobs_refuse(error, -8, "No such job, or it has no such product");
    }
    if (count == 0 || row0 >= view.product.rows || count > view.product.rows - row0) {
        fine = fx_jobs_refuse(error, -8, "The result has %u rows", view.product.rows);
    } else {
        rows.product = &view.product;
        rows.first = row0;
        rows.end = row0 + count;
        rows.out = (uint64_t *)out; /* the same memory, for sums that may pass over */
        memset(out, 0, (size_t)count * view.product.columns * sizeof *out);
        fine = result_rows(jobs, &view, &rows, partial, error);
    }
    fx_job_view_close(&view);
    return fine;
}
