/* The hash tree of one operand, from the roots of its panel blocks: its root and the paths of its
 * blocks (protocol section 7). */
#ifndef FX_MATRIX_TREE_H
#define FX_MATRIX_TREE_H

#include "consensus/commit.h"

struct fx_operand_tree {
    uint32_t panels, segments; /* rows / 128, k / 256 */
    struct fx_hash *blocks; /* owned: panels * segments block roots, (i, l) at i * segments + l */
    struct fx_hash *roots;  /* owned: panel roots, once built */
};

/* rows a multiple of 128, k of 256, neither zero. The owner fills blocks, then builds. */
void fx_operand_tree_init(struct fx_operand_tree *tree, uint32_t rows, uint32_t k);
void fx_operand_tree_clear(struct fx_operand_tree *tree);
/* Computes the panel roots and the root, from all block roots. */
void fx_operand_tree_build(struct fx_operand_tree *tree, struct fx_hash *root);
/* Of a built tree: fx_commit_operand_path_depth(rows, k) hashes for block (panel, segment). */
void fx_operand_tree_path(const struct fx_operand_tree *tree, uint32_t panel, uint32_t segment,
                          uint8_t *path);

#endif
