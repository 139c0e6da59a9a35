/* Jobs of the property test, their results and proofs. */
#include "qa/model/model_job.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/commit.h"
#include "src/crypto/taghash.h"
#include "src/util/mem.h"

#define SIBLINGS 7 /* levels above the 128 leaves of a block or a tile */

/* The levels of a tree of 128 leaves, from the leaves to the two nodes below the root. */
struct tree128 {
    struct fx_hash level[SIBLINGS][FX_TILE];
    struct fx_hash root;
};

struct model_result {
    struct model_result *next;
    const struct model_job *job;
    uint32_t index;
    struct fx_hash solver;
    enum model_variation variation;
    struct fx_task_shape shape;
    struct fx_hash root;
    uint8_t *data; /* tile by tile, FX_TILE_BYTES each */
    struct tree128 *tiles;
    struct fx_hash *tile_roots;
};

struct model_job {
    struct model_job *next;
    struct fx_gemm key; /* as it was asked for, with zero roots */
    struct fx_test_job job;
    struct tree128 *blocks[2]; /* side by side: panel by panel, segment by segment */
    struct fx_hash *panels[2];
    struct model_result *results;
};

static struct model_job *jobs;

static void grow_tree(struct tree128 *tree)
{
    for (unsigned d = 0; d < SIBLINGS; d++) {
        for (size_t at = 0; at < (size_t)FX_TILE >> d; at += 2) {
            struct fx_hash *up = d + 1 < SIBLINGS ? &tree->level[d + 1][at / 2] : &tree->root;

            fx_commit_node(&tree->level[d][at], &tree->level[d][at + 1], up);
        }
    }
}

static void put_siblings(const struct tree128 *tree, uint32_t leaf, struct fx_buf *out)
{
    for (unsigned d = 0; d < SIBLINGS; d++) {
        fx_buf_hash(out, &tree->level[d][leaf >> d ^ 1]);
    }
}

/* ---- operands ---------------------------------------------------------------------------- */

static uint32_t panels_of(const struct model_job *job, enum fx_side side)
{
    return (side == FX_SIDE_A ? job->job.gemm.m : job->job.gemm.n) / FX_TILE;
}

static void grow_operand(struct model_job *job, enum fx_side side)
{
    uint32_t panels = panels_of(job, side), segments = job->job.gemm.k / FX_DEPTH;
    struct fx_hash *roots = fx_xcalloc(segments, sizeof(*roots));

    job->blocks[side] = fx_xcalloc((size_t)panels * segments, sizeof(struct tree128));
    job->panels[side] = fx_xcalloc(panels, sizeof(struct fx_hash));
    for (uint32_t i = 0; i < panels; i++) {
        for (uint32_t l = 0; l < segments; l++) {
            struct tree128 *tree = &job->blocks[side][i * segments + l];
            int8_t block[FX_BLOCK_BYTES];

            fx_test_job_block(&job->job, side, i, l, block);
            for (size_t row = 0; row < FX_TILE; row++) {
                fx_commit_operand_leaf(block + row * FX_DEPTH, &tree->level[0][row]);
            }
            grow_tree(tree);
            roots[l] = tree->root;
        }
        fx_commit_root(roots, segments, &job->panels[side][i]);
    }
    free(roots);
}

const struct model_job *model_job_get(const struct fx_gemm *shape)
{
    struct fx_buf body = FX_BUF_INIT;
    struct model_job *job;
    struct fx_gemm key = *shape, read;
    struct fx_hash client = {{0}};
    bool valid;

    memset(&key.root_a, 0, sizeof(key.root_a));
    memset(&key.root_b, 0, sizeof(key.root_b));
    for (job = jobs; job != NULL; job = job->next) {
        if (memcmp(&job->key, &key, sizeof(key)) == 0) {
            return job;
        }
    }
    fx_gemm_write(&key, &body);
    valid = fx_gemm_read((struct fx_span){body.data, body.len}, &read);
    fx_buf_clear(&body);
    if (!valid) {
        return NULL;
    }
    job = fx_xcalloc(1, sizeof(*job));
    job->key = key;
    fx_test_job_init(&job->job, key.m, key.n, key.k, key.task_rows, key.task_cols, &client);
    grow_operand(job, FX_SIDE_A);
    grow_operand(job, FX_SIDE_B);
    job->next = jobs;
    jobs = job;
    return job;
}

const struct fx_gemm *model_job_gemm(const struct model_job *job)
{
    return &job->job.gemm;
}

static void put_operand_row(const struct model_job *job, enum fx_side side, uint32_t row,
                            struct fx_buf *out)
{
    const int8_t *matrix = side == FX_SIDE_A ? job->job.a : job->job.b;
    uint32_t panels = panels_of(job, side), k = job->job.gemm.k, segments = k / FX_DEPTH;
    struct fx_hash path[FX_TREE_DEPTH_MAX];

    fx_buf_bytes(out, matrix + (size_t)row * k, k);
    for (uint32_t l = 0; l < segments; l++) {
        put_siblings(&job->blocks[side][row / FX_TILE * segments + l], row % FX_TILE, out);
    }
    fx_commit_path(job->panels[side], panels, row / FX_TILE, path);
    fx_buf_bytes(out, path, sizeof(*path) * fx_commit_depth(panels));
}

/* ---- results ----------------------------------------------------------------------------- */

static bool is_wrong(enum model_variation variation, size_t row, size_t column)
{
    switch (variation) {
    case MODEL_RIGHT:
    case MODEL_GARBAGE:
    case MODEL_VARIATIONS:
        return false;
    case MODEL_ONE:
        return row == 5 && column == 77;
    case MODEL_HALF:
        return (row + column) % 2 == 0;
    case MODEL_ALL:
        return true;
    }
    return false;
}

static void fill_data(struct model_result *result)
{
    const struct fx_task_shape *shape = &result->shape;
    int32_t *entries = fx_test_job_result(&result->job->job, shape);
    size_t columns = (size_t)shape->cols * FX_TILE;

    result->data = fx_xmalloc(shape->tiles * FX_TILE_BYTES);
    for (size_t row = 0; row < (size_t)shape->rows * FX_TILE; row++) {
        for (size_t column = 0; column < columns; column++) {
            size_t tile = row / FX_TILE * shape->cols + column / FX_TILE;
            int32_t entry = entries[row * columns + column];

            if (is_wrong(result->variation, row, column)) {
                entry ^= 1;
            }
            fx_store_u32(result->data + tile * FX_TILE_BYTES +
                             4 * (row % FX_TILE * FX_TILE + column % FX_TILE),
                         (uint32_t)entry);
        }
    }
    free(entries);
}

static void grow_result(struct model_result *result)
{
    const struct fx_task_shape *shape = &result->shape;

    fill_data(result);
    result->tiles = fx_xcalloc(shape->tiles, sizeof(*result->tiles));
    result->tile_roots = fx_xcalloc(shape->tiles, sizeof(*result->tile_roots));
    for (size_t tile = 0; tile < shape->tiles; tile++) {
        const uint8_t *data = result->data + tile * FX_TILE_BYTES;

        for (size_t row = 0; row < FX_TILE; row++) {
            fx_commit_result_leaf(&result->solver, data + 512 * row,
                                  &result->tiles[tile].level[0][row]);
        }
        grow_tree(&result->tiles[tile]);
        result->tile_roots[tile] = result->tiles[tile].root;
    }
    fx_commit_root(result->tile_roots, shape->tiles, &result->root);
    if (result->variation == MODEL_GARBAGE) {
        fx_tagged_hash("model/garbage", result->root.b, 32, result->root.b);
    }
}

const struct model_result *model_result_get(const struct model_job *job, uint32_t index,
                                            const struct fx_hash *solver,
                                            enum model_variation variation)
{
    struct model_job *owner = (struct model_job *)(uintptr_t)job;
    struct model_result *result;

    if (index >= fx_kind_gemm.task_count(job->job.spec.body)) {
        index = 0;
    }
    for (result = job->results; result != NULL; result = result->next) {
        if (result->index == index && result->variation == variation &&
            fx_hash_equal(&result->solver, solver)) {
            return result;
        }
    }
    result = fx_xcalloc(1, sizeof(*result));
    result->job = job;
    result->index = index;
    result->solver = *solver;
    result->variation = variation;
    fx_kind_gemm.task_shape(job->job.spec.body, index, &result->shape);
    grow_result(result);
    result->next = owner->results;
    owner->results = result;
    return result;
}

const struct fx_hash *model_result_root(const struct model_result *result)
{
    return &result->root;
}

void model_tile_data(const struct model_result *result, uint32_t tile, struct fx_buf *out)
{
    fx_buf_bytes(out, result->data + tile % result->shape.tiles * FX_TILE_BYTES, FX_TILE_BYTES);
}

void model_tile_path(const struct model_result *result, uint32_t tile, struct fx_buf *out)
{
    struct fx_hash path[FX_TREE_DEPTH_MAX];

    fx_commit_path(result->tile_roots, result->shape.tiles, tile % result->shape.tiles, path);
    fx_buf_bytes(out, path, sizeof(*path) * fx_commit_depth(result->shape.tiles));
}

void model_entry_proof(const struct model_result *result, uint32_t row, uint32_t column,
                       struct fx_buf *out)
{
    const struct fx_task_shape *shape = &result->shape;
    uint32_t in_row, in_column, tile;

    in_row = (row - shape->row0 * FX_TILE) % (shape->rows * FX_TILE);
    in_column = (column - shape->col0 * FX_TILE) % (shape->cols * FX_TILE);
    tile = in_row / FX_TILE * shape->cols + in_column / FX_TILE;
    put_operand_row(result->job, FX_SIDE_A, shape->row0 * FX_TILE + in_row, out);
    put_operand_row(result->job, FX_SIDE_B, shape->col0 * FX_TILE + in_column, out);
    fx_buf_bytes(out, result->data + (size_t)tile * FX_TILE_BYTES + 512 * (in_row % FX_TILE), 512);
    put_siblings(&result->tiles[tile], in_row % FX_TILE, out);
    model_tile_path(result, tile, out);
}

static void free_result(struct model_result *result)
{
    free(result->data);
    free(result->tiles);
    free(result->tile_roots);
    free(result);
}

void model_jobs_clear(void)
{
    while (jobs != NULL) {
        struct model_job *job = jobs;

        jobs = job->next;
        while (job->results != NULL) {
            struct model_result *result = job->results;

            job->results = result->next;
            free_result(result);
        }
        for (unsigned side = 0; side < 2; side++) {
            free(job->blocks[side]);
            free(job->panels[side]);
        }
        fx_test_job_clear(&job->job);
        free(job);
    }
}
