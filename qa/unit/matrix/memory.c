/* A source over matrices in memory. */
#include "qa/unit/matrix/memory.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/matrix/panel.h"
#include "src/matrix/result.h"
#include "src/util/mem.h"

static bool may_read(struct fx_memory *memory)
{
    memory->reads++;
    return memory->fail_after == 0 || memory->reads <= memory->fail_after;
}

static bool read_block(void *ctx, enum fx_side side, uint32_t panel, uint32_t segment,
                       int8_t out[FX_BLOCK_BYTES], uint8_t *path)
{
    struct fx_memory *memory = ctx;
    const struct fx_operand_tree *tree = &memory->tree[side];

    if (!may_read(memory)) {
        return false;
    }
    FX_CHECK(panel < tree->panels && segment < tree->segments);
    memcpy(out, memory->blocks[side] + ((size_t)panel * tree->segments + segment) * FX_BLOCK_BYTES,
           FX_BLOCK_BYTES);
    if (path != NULL) {
        fx_operand_tree_path(tree, panel, segment, path);
    }
    return true;
}

static void tile_of(const struct fx_memory *memory, uint32_t tile, uint8_t out[FX_TILE_BYTES])
{
    size_t columns = (size_t)memory->shape.cols * FX_TILE;
    size_t row = (size_t)(tile / memory->shape.cols) * FX_TILE;

    fx_result_tile_pack(memory->result + row * columns +
                            (size_t)(tile % memory->shape.cols) * FX_TILE,
                        columns, out);
}

static bool read_tile(void *ctx, uint32_t tile, uint8_t out[FX_TILE_BYTES], uint8_t *path)
{
    struct fx_memory *memory = ctx;
    struct fx_hash roots[64], hashes[FX_TREE_DEPTH_MAX];

    if (!may_read(memory)) {
        return false;
    }
    FX_CHECK(tile < memory->shape.tiles && memory->shape.tiles <= 64);
    if (path != NULL) {
        for (uint32_t at = 0; at < memory->shape.tiles; at++) {
            tile_of(memory, at, out);
            fx_commit_result_tile(&memory->solver, out, &roots[at]);
        }
        fx_commit_path(roots, memory->shape.tiles, tile, hashes);
        memcpy(path, hashes, (size_t)fx_commit_depth(memory->shape.tiles) * 32);
    }
    tile_of(memory, tile, out);
    return true;
}

static void refresh_side(struct fx_memory *memory, enum fx_side side, const int8_t *matrix,
                         uint32_t rows, struct fx_hash *root)
{
    uint32_t k = memory->gemm.k;
    struct fx_operand_tree *tree = &memory->tree[side];

    fx_panel_pack(matrix, rows, k, k, 1, memory->blocks[side]);
    for (uint64_t at = 0; at < fx_panel_blocks(rows, k); at++) {
        fx_commit_operand_block(memory->blocks[side] + at * FX_BLOCK_BYTES, &tree->blocks[at]);
    }
    fx_operand_tree_build(tree, root);
}

void fx_memory_refresh(struct fx_memory *memory)
{
    refresh_side(memory, FX_SIDE_A, memory->a, memory->gemm.m, &memory->gemm.root_a);
    refresh_side(memory, FX_SIDE_B, memory->b, memory->gemm.n, &memory->gemm.root_b);
    memory->body.len = 0;
    fx_gemm_write(&memory->gemm, &memory->body);
}

void fx_memory_solve(struct fx_memory *memory)
{
    size_t rows = (size_t)memory->shape.rows * FX_TILE;
    size_t columns = (size_t)memory->shape.cols * FX_TILE, k = memory->gemm.k;

    for (size_t r = 0; r < rows; r++) {
        const int8_t *x = memory->a + ((size_t)memory->shape.row0 * FX_TILE + r) * k;

        for (size_t c = 0; c < columns; c++) {
            const int8_t *y = memory->b + ((size_t)memory->shape.col0 * FX_TILE + c) * k;
            int32_t sum = 0;

            for (size_t at = 0; at < k; at++) {
                sum += x[at] * y[at];
            }
            memory->result[r * columns + c] = sum;
        }
    }
}

struct fx_span fx_memory_body(const struct fx_memory *memory)
{
    struct fx_span span = {memory->body.data, memory->body.len};

    return span;
}

void fx_memory_init(struct fx_memory *memory, uint32_t m, uint32_t n, uint32_t k,
                    uint32_t task_rows, uint32_t task_cols, uint32_t index)
{
    memset(memory, 0, sizeof(*memory));
    memory->source.ctx = memory;
    memory->source.read_block = read_block;
    memory->source.read_tile = read_tile;
    memory->gemm.m = m;
    memory->gemm.n = n;
    memory->gemm.k = k;
    memory->gemm.task_rows = task_rows;
    memory->gemm.task_cols = task_cols;
    memory->a = fx_xmalloc((size_t)m * k);
    memory->b = fx_xmalloc((size_t)n * k);
    fx_unit_rand_fill(memory->a, (size_t)m * k);
    fx_unit_rand_fill(memory->b, (size_t)n * k);
    fx_unit_rand_fill(&memory->solver, sizeof(memory->solver));
    memory->blocks[FX_SIDE_A] = fx_xmalloc((size_t)m * k);
    memory->blocks[FX_SIDE_B] = fx_xmalloc((size_t)n * k);
    fx_operand_tree_init(&memory->tree[FX_SIDE_A], m, k);
    fx_operand_tree_init(&memory->tree[FX_SIDE_B], n, k);
    fx_memory_refresh(memory);
    FX_CHECK(fx_kind_gemm.check_body(fx_memory_body(memory)));
    fx_kind_gemm.task_shape(fx_memory_body(memory), index, &memory->shape);
    memory->result =
        fx_xcalloc((size_t)memory->shape.tiles * FX_TILE * FX_TILE, sizeof(*memory->result));
    fx_memory_solve(memory);
}

void fx_memory_clear(struct fx_memory *memory)
{
    free(memory->a);
    free(memory->b);
    free(memory->blocks[FX_SIDE_A]);
    free(memory->blocks[FX_SIDE_B]);
    fx_operand_tree_clear(&memory->tree[FX_SIDE_A]);
    fx_operand_tree_clear(&memory->tree[FX_SIDE_B]);
    free(memory->result);
    fx_buf_clear(&memory->body);
    memset(memory, 0, sizeof(*memory));
}

void fx_memory_result_root(const struct fx_memory *memory, struct fx_hash *root)
{
    FX_CHECK(fx_commit_result_matrix(memory->result, (uint64_t)memory->shape.rows * FX_TILE,
                                     (uint64_t)memory->shape.cols * FX_TILE, &memory->solver,
                                     root));
}
