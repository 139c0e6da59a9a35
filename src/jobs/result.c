/* The result of a job, put together from the results of its tasks. */
#include <stdlib.h>
#include <string.h>

#include "src/jobs/jobs_int.h"
#include "src/matrix/result.h"
#include "src/util/mem.h"

/* The rows that are asked for, and where they go. */
struct rows {
    uint32_t first, end; /* of the whole result */
    uint32_t columns;
    int32_t *out;
};

/* Copies what a tile has of the rows. */
static void put_tile(const struct rows *rows, uint32_t tile_row, uint32_t tile_col,
                     const uint8_t tile[FX_TILE_BYTES])
{
    uint32_t top = tile_row * FX_TILE, left = tile_col * FX_TILE;
    uint32_t from = top > rows->first ? top : rows->first;
    uint32_t to = top + FX_TILE < rows->end ? top + FX_TILE : rows->end;
    uint32_t width = left < rows->columns ? rows->columns - left : 0;

    if (width > FX_TILE) {
        width = FX_TILE;
    }
    for (uint32_t row = from; row < to; row++) {
        int32_t *out = rows->out + (size_t)(row - rows->first) * rows->columns + left;
        const uint8_t *in = tile + 4 * (size_t)(row - top) * FX_TILE;

        for (uint32_t column = 0; column < width; column++) {
            out[column] = (int32_t)fx_load_u32(in + 4 * (size_t)column);
        }
    }
}

static bool put_task(struct fx_jobs *jobs, const struct fx_book_task *task, const struct rows *rows,
                     struct fx_jobs_error *error)
{
    const struct fx_task_shape *shape = &task->shape;
    uint32_t first = rows->first / FX_TILE, last = (rows->end - 1) / FX_TILE;
    uint8_t *tile = fx_xmalloc(FX_BLOB_CHUNK_MAX);
    uint8_t path[FX_BLOB_PATH_MAX * 32];
    struct fx_blob_key key;
    struct fx_blob_shape blob;
    bool fine = true;

    fx_book_result(task, &key, &blob);
    for (uint32_t r = shape->row0; fine && r < shape->row0 + shape->rows; r++) {
        for (uint32_t c = shape->col0; fine && c < shape->col0 + shape->cols; c++) {
            size_t n = 0, n_path = 0;

            if (r < first || r > last) {
                continue;
            }
            fine = fx_blobs_get(jobs->config.blobs, &key, fx_result_tile_number(shape, r, c), 0,
                                tile, &n, path, &n_path) &&
                   n == FX_TILE_BYTES;
            if (fine) {
                put_tile(rows, r, c, tile);
            }
        }
    }
    free(tile);
    return fine || fx_jobs_refuse(error, -1, "A tile of the result cannot be read");
}

/* Does the task have some of the rows? */
static bool overlaps(const struct fx_book_task *task, const struct rows *rows)
{
    uint64_t top = (uint64_t)task->shape.row0 * FX_TILE;
    uint64_t bottom = top + (uint64_t)task->shape.rows * FX_TILE;

    return top < rows->end && bottom > rows->first;
}

static enum fx_check_status checked(const struct fx_jobs *jobs, const struct fx_book_task *task)
{
    const struct fx_note *note = fx_note_find(jobs, task);

    return note != NULL ? note->check : FX_CHECK_NONE;
}

bool fx_jobs_result_rows(struct fx_jobs *jobs, const struct fx_hash *job_id, uint32_t row0,
                         uint32_t count, int32_t *out, struct fx_jobs_error *error)
{
    const struct fx_book_job *job = fx_book_find_job(jobs->book, job_id);
    const struct fx_own_job *own = fx_own_find(jobs, job_id);
    uint32_t height;
    struct rows rows;

    if (job == NULL || job->spec.kind != FX_KIND_GEMM) {
        return fx_jobs_refuse(error, -8, "No such job on the chain");
    }
    /* The tasks of one announcement need not be all of the matrix. */
    if (job->n_tasks != job->kind->task_count(job->spec.body)) {
        return fx_jobs_refuse(error, -4, "The job has only some of the tasks of its matrix");
    }
    height = own != NULL ? own->rows : job->gemm.m;
    if (count == 0 || row0 >= height || count > height - row0) {
        return fx_jobs_refuse(error, -8, "The result has %u rows", height);
    }
    rows.first = row0;
    rows.end = row0 + count;
    rows.columns = own != NULL ? own->columns : job->gemm.n;
    rows.out = out;
    for (size_t i = 0; i < job->n_tasks; i++) {
        const struct fx_book_task *task = job->tasks[i];

        if (overlaps(task, &rows) && checked(jobs, task) == FX_CHECK_WRONG) {
            return fx_jobs_refuse(error, -4, "The result of task %u is wrong (see gettask)",
                                  task->index);
        }
        if (overlaps(task, &rows) && checked(jobs, task) != FX_CHECK_RIGHT) {
            return fx_jobs_refuse(error, -4,
                                  "The result is not here yet: task %u is not done and checked",
                                  task->index);
        }
    }
    for (size_t i = 0; i < job->n_tasks; i++) {
        if (overlaps(job->tasks[i], &rows) && !put_task(jobs, job->tasks[i], &rows, error)) {
            return false;
        }
    }
    return true;
}
