/* Commitments (protocol section 7): trees over operands and results, their paths, and entry proofs.
 */
#ifndef FX_CONSENSUS_COMMIT_H
#define FX_CONSENSUS_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "consensus/brick.h"
#include "src/util/hash.h"

#define FX_TREE_DEPTH_MAX 40

/* node(x, y) = TH("fornax/node", x || y) */
void fx_commit_node(const struct fx_hash *x, const struct fx_hash *y, struct fx_hash *out);
/* Levels above the leaves of a tree of n leaves: ceil(log2(n)); 0 for one leaf. n >= 1. */
unsigned fx_commit_depth(uint64_t n);
/* Root of n >= 1 leaves, padded with zeros to a power of two. */
void fx_commit_root(const struct fx_hash *leaves, uint64_t n, struct fx_hash *root);
/* Sibling hashes of leaf `index`, bottom first: fx_commit_depth(n) of them into path. */
void fx_commit_path(const struct fx_hash *leaves, uint64_t n, uint64_t index, struct fx_hash *path);
/* The root that a leaf at `index` has with this path of `depth` siblings of 32 bytes. */
void fx_commit_climb(const struct fx_hash *leaf, uint64_t index, const uint8_t *path,
                     unsigned depth, struct fx_hash *root);

/* Leaf of row `a` of a panel block: TH("fornax/leaf", 256 bytes). */
void fx_commit_operand_leaf(const int8_t row[FX_DEPTH], struct fx_hash *leaf);
/* Root of one panel block, from its 128 rows. */
void fx_commit_operand_block(const int8_t block[FX_BLOCK_BYTES], struct fx_hash *root);
/* Leaf of one row of a result tile: TH("fornax/result", solver || 128 int32 little-endian). */
void fx_commit_result_leaf(const struct fx_hash *solver, const uint8_t row[512],
                           struct fx_hash *leaf);
/* Root of one tile; data is 128 x 128 int32 little-endian, row-major. */
void fx_commit_result_tile(const struct fx_hash *solver, const uint8_t data[FX_TILE_BYTES],
                           struct fx_hash *root);

/*
 * Whole matrices, row-major in memory: rows a multiple of 128, k of 256, columns of 128. For
 * results, the matrix is one task's rectangle. False where a dimension is zero or not such a
 * multiple.
 */
bool fx_commit_operand_matrix(const int8_t *panel_matrix, uint64_t rows, uint64_t k,
                              struct fx_hash *root);
bool fx_commit_result_matrix(const int32_t *result, uint64_t rows, uint64_t columns,
                             const struct fx_hash *solver, struct fx_hash *root);

/* Hashes in the path of block (i, l) of a panel matrix: depth(k/256) + depth(rows/128). */
unsigned fx_commit_operand_path_depth(uint64_t rows, uint64_t k);
/* Does this block open at (i, l) under root? path has fx_commit_operand_path_depth(rows, k) hashes.
 */
bool fx_commit_operand_open(const int8_t block[FX_BLOCK_BYTES], uint64_t rows, uint64_t k,
                            uint32_t i, uint32_t l, const uint8_t *path,
                            const struct fx_hash *root);

#endif
