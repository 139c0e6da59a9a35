/* A task's operands and result as what proofs are built from: chunks of the store. */
#include <stdlib.h>
#include <string.h>

#include "src/jobs/jobs_int.h"
#include "src/util/mem.h"

static bool get_chunk(struct fx_jobs *jobs, const struct fx_blob_key *key, uint32_t x, uint32_t y,
                      size_t size, uint8_t *out, uint8_t *path_out)
{
    uint8_t *data = fx_xmalloc(FX_BLOB_CHUNK_MAX);
    uint8_t path[FX_BLOB_PATH_MAX * 32];
    size_t n = 0, n_path = 0;
    bool found = fx_blobs_get(jobs->config.blobs, key, x, y, data, &n, path, &n_path) && n == size;

    if (found) {
        memcpy(out, data, n);
        if (path_out != NULL) {
            memcpy(path_out, path, n_path * 32);
        }
    }
    free(data);
    return found;
}

static bool read_block(void *ctx, enum fx_side side, uint32_t panel, uint32_t segment,
                       int8_t out[FX_BLOCK_BYTES], uint8_t *path)
{
    const struct fx_task_source *own = ctx;
    struct fx_blob_key key;
    struct fx_blob_shape shape;

    fx_book_operand(own->task->job, side, &key, &shape);
    return get_chunk(own->jobs, &key, panel, segment, FX_BLOCK_BYTES, (uint8_t *)out, path);
}

static bool read_tile(void *ctx, uint32_t tile, uint8_t out[FX_TILE_BYTES], uint8_t *path)
{
    const struct fx_task_source *own = ctx;
    struct fx_blob_key key;
    struct fx_blob_shape shape;

    fx_book_result(own->task, &key, &shape);
    return get_chunk(own->jobs, &key, tile, 0, FX_TILE_BYTES, out, path);
}

void fx_task_source_init(struct fx_task_source *own, struct fx_jobs *jobs,
                         const struct fx_book_task *task, struct fx_source *source)
{
    own->jobs = jobs;
    own->task = task;
    memset(source, 0, sizeof *source);
    source->ctx = own;
    source->read_block = read_block;
    source->read_tile = read_tile;
}
