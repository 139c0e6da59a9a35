/* Building entry proofs. */
#include "src/matrix/proof.h"

#include <stdlib.h>

#include "consensus/commit.h"
#include "src/matrix/result.h"
#include "src/util/mem.h"

#define ROW_SIBLINGS 7

/* One operand's part: the row, its siblings in each block, the path of its panel's root. */
static bool operand_part(const struct fx_source *source, enum fx_side side, uint32_t rows,
                         uint32_t k, uint32_t row, struct fx_buf *proof)
{
    uint32_t segments = k / FX_DEPTH;
    unsigned in_panel = fx_commit_depth(segments);
    int8_t *block = fx_xmalloc(FX_BLOCK_BYTES);
    struct fx_hash *siblings = fx_xcalloc((size_t)segments * ROW_SIBLINGS, sizeof(*siblings));
    uint8_t path[2 * FX_TREE_DEPTH_MAX * 32];
    bool ok = true;

    for (uint32_t l = 0; l < segments && ok; l++) {
        struct fx_hash leaves[FX_TILE];

        /* The upper part of a path is the same for all blocks of a panel. */
        ok = source->read_block(source->ctx, side, row / FX_TILE, l, block, l == 0 ? path : NULL);
        if (!ok) {
            break;
        }
        for (size_t r = 0; r < FX_TILE; r++) {
            fx_commit_operand_leaf(block + r * FX_DEPTH, &leaves[r]);
        }
        fx_commit_path(leaves, FX_TILE, row % FX_TILE, siblings + (size_t)l * ROW_SIBLINGS);
        fx_buf_bytes(proof, block + (size_t)(row % FX_TILE) * FX_DEPTH, FX_DEPTH);
    }
    if (ok) {
        for (size_t at = 0; at < (size_t)segments * ROW_SIBLINGS; at++) {
            fx_buf_hash(proof, &siblings[at]);
        }
        fx_buf_bytes(proof, path + 32 * (size_t)in_panel,
                     (size_t)fx_commit_depth(rows / FX_TILE) * 32);
    }
    free(siblings);
    free(block);
    return ok;
}

static bool result_part(const struct fx_task_shape *shape, const struct fx_hash *solver,
                        const struct fx_source *source, uint32_t row, uint32_t column,
                        struct fx_buf *proof)
{
    uint8_t *tile = fx_xmalloc(FX_TILE_BYTES);
    uint8_t path[FX_TREE_DEPTH_MAX * 32];
    struct fx_hash leaves[FX_TILE], siblings[ROW_SIBLINGS];
    bool ok = source->read_tile(
        source->ctx, fx_result_tile_number(shape, row / FX_TILE, column / FX_TILE), tile, path);

    if (ok) {
        for (size_t r = 0; r < FX_TILE; r++) {
            fx_commit_result_leaf(solver, tile + r * 512, &leaves[r]);
        }
        fx_commit_path(leaves, FX_TILE, row % FX_TILE, siblings);
        fx_buf_bytes(proof, tile + (size_t)(row % FX_TILE) * 512, 512);
        for (size_t at = 0; at < ROW_SIBLINGS; at++) {
            fx_buf_hash(proof, &siblings[at]);
        }
        fx_buf_bytes(proof, path, (size_t)fx_commit_depth(shape->tiles) * 32);
    }
    free(tile);
    return ok;
}

bool fx_entry_proof_build(const struct fx_gemm *gemm, const struct fx_task_shape *shape,
                          const struct fx_hash *solver, const struct fx_source *source,
                          uint32_t row, uint32_t column, struct fx_buf *proof)
{
    size_t before = proof->len;
    uint32_t tile_row = row / FX_TILE, tile_col = column / FX_TILE;

    if (tile_row < shape->row0 || tile_row - shape->row0 >= shape->rows || tile_col < shape->col0 ||
        tile_col - shape->col0 >= shape->cols) {
        return false;
    }
    if (!operand_part(source, FX_SIDE_A, gemm->m, gemm->k, row, proof) ||
        !operand_part(source, FX_SIDE_B, gemm->n, gemm->k, column, proof) ||
        !result_part(shape, solver, source, row, column, proof)) {
        proof->len = before;
        return false;
    }
    return true;
}
