/* The hash tree of one operand. */
#include "src/matrix/tree.h"

#include <stdlib.h>
#include <string.h>

#include "src/util/mem.h"

void fx_operand_tree_init(struct fx_operand_tree *tree, uint32_t rows, uint32_t k)
{
    tree->panels = rows / FX_TILE;
    tree->segments = k / FX_DEPTH;
    tree->blocks = fx_xcalloc((size_t)tree->panels * tree->segments, sizeof(*tree->blocks));
    tree->roots = fx_xcalloc(tree->panels, sizeof(*tree->roots));
}

void fx_operand_tree_clear(struct fx_operand_tree *tree)
{
    free(tree->blocks);
    free(tree->roots);
    memset(tree, 0, sizeof(*tree));
}

void fx_operand_tree_build(struct fx_operand_tree *tree, struct fx_hash *root)
{
    for (uint32_t panel = 0; panel < tree->panels; panel++) {
        fx_commit_root(tree->blocks + (size_t)panel * tree->segments, tree->segments,
                       &tree->roots[panel]);
    }
    fx_commit_root(tree->roots, tree->panels, root);
}

void fx_operand_tree_path(const struct fx_operand_tree *tree, uint32_t panel, uint32_t segment,
                          uint8_t *path)
{
    struct fx_hash hashes[2 * FX_TREE_DEPTH_MAX];
    unsigned low = fx_commit_depth(tree->segments), high = fx_commit_depth(tree->panels);

    fx_commit_path(tree->blocks + (size_t)panel * tree->segments, tree->segments, segment, hashes);
    fx_commit_path(tree->roots, tree->panels, panel, hashes + low);
    memcpy(path, hashes, (size_t)(low + high) * 32);
}
