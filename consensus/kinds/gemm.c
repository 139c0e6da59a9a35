/* Kind 1: C = A * B, int8 operands, int32 result (protocol sections 5 and 7). */
#include "consensus/kinds/kind.h"

#include <string.h>

#include "consensus/commit.h"
#include "src/util/reader.h"

#define GEMM_SIDE_MAX (UINT32_C(1) << 24)
#define GEMM_DEPTH_MAX 65536
#define GEMM_TASK_TILES_MAX (UINT64_C(1) << 24)

#define ROW_SIBLINGS 7 /* from a row of 128 to the root of its block or tile */
#define HASH_BYTES 32
#define RESULT_LEAF_BYTES 512

static uint64_t min_u64(uint64_t x, uint64_t y)
{
    return x < y ? x : y;
}

/* Tasks across and down. */
static uint64_t cuts(uint32_t entries, uint32_t task_tiles)
{
    uint64_t tiles = entries / FX_TILE;

    return (tiles + task_tiles - 1) / task_tiles;
}

static bool side_is_valid(uint32_t entries)
{
    return entries >= FX_TILE && entries <= GEMM_SIDE_MAX && entries % FX_TILE == 0;
}

bool fx_gemm_read(struct fx_span body, struct fx_gemm *gemm)
{
    struct fx_reader r;

    fx_reader_init(&r, body.data, body.len);
    gemm->m = fx_read_u32(&r);
    gemm->n = fx_read_u32(&r);
    gemm->k = fx_read_u32(&r);
    gemm->root_a = fx_read_hash(&r);
    gemm->root_b = fx_read_hash(&r);
    gemm->task_rows = fx_read_u32(&r);
    gemm->task_cols = fx_read_u32(&r);
    if (!fx_reader_done(&r)) {
        return false;
    }
    if (!side_is_valid(gemm->m) || !side_is_valid(gemm->n)) {
        return false;
    }
    if (gemm->k < FX_DEPTH || gemm->k > GEMM_DEPTH_MAX || gemm->k % FX_DEPTH != 0) {
        return false;
    }
    if (gemm->task_rows == 0 || gemm->task_cols == 0) {
        return false;
    }
    return min_u64(gemm->task_rows, gemm->m / FX_TILE) *
               min_u64(gemm->task_cols, gemm->n / FX_TILE) <=
           GEMM_TASK_TILES_MAX;
}

void fx_gemm_write(const struct fx_gemm *gemm, struct fx_buf *body)
{
    fx_buf_u32(body, gemm->m);
    fx_buf_u32(body, gemm->n);
    fx_buf_u32(body, gemm->k);
    fx_buf_hash(body, &gemm->root_a);
    fx_buf_hash(body, &gemm->root_b);
    fx_buf_u32(body, gemm->task_rows);
    fx_buf_u32(body, gemm->task_cols);
}

static bool check_body(struct fx_span body)
{
    struct fx_gemm gemm;

    return fx_gemm_read(body, &gemm);
}

static uint64_t task_count(struct fx_span body)
{
    struct fx_gemm gemm;

    if (!fx_gemm_read(body, &gemm)) {
        return 0;
    }
    return cuts(gemm.m, gemm.task_rows) * cuts(gemm.n, gemm.task_cols);
}

static void task_shape(struct fx_span body, uint32_t index, struct fx_task_shape *shape)
{
    struct fx_gemm gemm;
    uint64_t across, row0, col0;

    memset(shape, 0, sizeof(*shape));
    if (!fx_gemm_read(body, &gemm)) {
        return;
    }
    across = cuts(gemm.n, gemm.task_cols);
    row0 = index / across * gemm.task_rows;
    col0 = index % across * gemm.task_cols;
    if (row0 >= gemm.m / FX_TILE) {
        return;
    }
    shape->row0 = (uint32_t)row0;
    shape->col0 = (uint32_t)col0;
    shape->rows = (uint32_t)min_u64(gemm.task_rows, gemm.m / FX_TILE - row0);
    shape->cols = (uint32_t)min_u64(gemm.task_cols, gemm.n / FX_TILE - col0);
    shape->depth = gemm.k / FX_DEPTH;
    shape->tiles = (uint64_t)shape->rows * shape->cols;
    shape->bricks = shape->tiles * shape->depth;
}

static void sample(const struct fx_task_shape *shape, const struct fx_hash *hash, uint32_t *row,
                   uint32_t *column)
{
    uint64_t rows = (uint64_t)shape->rows * FX_TILE;
    uint64_t columns = (uint64_t)shape->cols * FX_TILE;

    *row = (uint32_t)((uint64_t)shape->row0 * FX_TILE + fx_load_u64(hash->b) % rows);
    *column = (uint32_t)((uint64_t)shape->col0 * FX_TILE + fx_load_u64(hash->b + 8) % columns);
}

/* Bytes of one operand's part of an entry proof: the row, its siblings, its panel's path. */
static size_t operand_part_size(uint32_t rows, uint32_t k)
{
    return k + (size_t)(k / FX_DEPTH) * ROW_SIBLINGS * HASH_BYTES +
           (size_t)fx_commit_depth(rows / FX_TILE) * HASH_BYTES;
}

static size_t entry_proof_size(struct fx_span body, const struct fx_task_shape *shape)
{
    struct fx_gemm gemm;

    if (!fx_gemm_read(body, &gemm)) {
        return 0;
    }
    return operand_part_size(gemm.m, gemm.k) + operand_part_size(gemm.n, gemm.k) +
           RESULT_LEAF_BYTES + ROW_SIBLINGS * HASH_BYTES +
           (size_t)fx_commit_depth(shape->tiles) * HASH_BYTES;
}

/* The root that one operand's part gives for its row `row` of `rows`. */
static void operand_part_root(const uint8_t *part, uint32_t rows, uint32_t k, uint32_t row,
                              struct fx_hash *root)
{
    struct fx_hash blocks[GEMM_DEPTH_MAX / FX_DEPTH];
    const uint8_t *siblings = part + k;

    for (uint32_t l = 0; l < k / FX_DEPTH; l++) {
        struct fx_hash leaf;

        fx_commit_operand_leaf((const int8_t *)part + (size_t)l * FX_DEPTH, &leaf);
        fx_commit_climb(&leaf, row % FX_TILE, siblings, ROW_SIBLINGS, &blocks[l]);
        siblings += ROW_SIBLINGS * HASH_BYTES;
    }
    fx_commit_root(blocks, k / FX_DEPTH, root);
    fx_commit_climb(root, row / FX_TILE, siblings, fx_commit_depth(rows / FX_TILE), root);
}

static bool inside(const struct fx_task_shape *shape, uint32_t row, uint32_t column)
{
    uint32_t tile_row = row / FX_TILE, tile_col = column / FX_TILE;

    return tile_row >= shape->row0 && tile_row - shape->row0 < shape->rows &&
           tile_col >= shape->col0 && tile_col - shape->col0 < shape->cols;
}

static enum fx_entry verify_entry(struct fx_span body, const struct fx_task_shape *shape,
                                  const struct fx_hash *solver, const struct fx_hash *result,
                                  uint32_t row, uint32_t column, struct fx_span proof)
{
    struct fx_gemm gemm;
    struct fx_hash root;
    const uint8_t *part_a, *part_b, *leaf, *path;
    uint64_t tile;
    int32_t sum = 0;

    if (!fx_gemm_read(body, &gemm) || !inside(shape, row, column) ||
        proof.len != entry_proof_size(body, shape)) {
        return FX_ENTRY_NEITHER;
    }
    part_a = proof.data;
    part_b = part_a + operand_part_size(gemm.m, gemm.k);
    leaf = part_b + operand_part_size(gemm.n, gemm.k);
    path = leaf + RESULT_LEAF_BYTES;

    operand_part_root(part_a, gemm.m, gemm.k, row, &root);
    if (!fx_hash_equal(&root, &gemm.root_a)) {
        return FX_ENTRY_NEITHER;
    }
    operand_part_root(part_b, gemm.n, gemm.k, column, &root);
    if (!fx_hash_equal(&root, &gemm.root_b)) {
        return FX_ENTRY_NEITHER;
    }
    fx_commit_result_leaf(solver, leaf, &root);
    fx_commit_climb(&root, row % FX_TILE, path, ROW_SIBLINGS, &root);
    tile = (uint64_t)(row / FX_TILE - shape->row0) * shape->cols + (column / FX_TILE - shape->col0);
    fx_commit_climb(&root, tile, path + ROW_SIBLINGS * HASH_BYTES, fx_commit_depth(shape->tiles),
                    &root);
    if (!fx_hash_equal(&root, result)) {
        return FX_ENTRY_NEITHER;
    }

    /* At most 128 * 128 * 65,536 = 2^30 in size. */
    for (uint32_t c = 0; c < gemm.k; c++) {
        sum += (int32_t)(int8_t)part_a[c] * (int32_t)(int8_t)part_b[c];
    }
    return (uint32_t)sum == fx_load_u32(leaf + 4 * (size_t)(column % FX_TILE)) ? FX_ENTRY_EQUAL
                                                                               : FX_ENTRY_DIFFERENT;
}

static bool verify_tile(const struct fx_task_shape *shape, const struct fx_hash *solver,
                        const struct fx_hash *result, uint32_t tile, struct fx_span data,
                        struct fx_span path)
{
    struct fx_hash root;
    unsigned depth = fx_commit_depth(shape->tiles);

    if (tile >= shape->tiles || data.len != FX_TILE_BYTES ||
        path.len != (size_t)depth * HASH_BYTES) {
        return false;
    }
    fx_commit_result_tile(solver, data.data, &root);
    fx_commit_climb(&root, tile, path.data, depth, &root);
    return fx_hash_equal(&root, result);
}

const struct fx_kind fx_kind_gemm = {
    .id = FX_KIND_GEMM,
    .name = "gemm",
    .check_body = check_body,
    .task_count = task_count,
    .task_shape = task_shape,
    .sample = sample,
    .verify_entry = verify_entry,
    .entry_proof_size = entry_proof_size,
    .verify_tile = verify_tile,
    .mineable = true,
};
