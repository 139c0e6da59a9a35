/* Commitments (protocol section 7): hash trees over operands and results. */
#include "consensus/commit.h"

#include <string.h>

#include "src/crypto/sha256.h"
#include "src/crypto/taghash.h"
#include "src/util/buf.h"

/* Two midstates that a tree uses again and again. */
struct hasher {
    struct fx_sha256 leaf, node;
};

static void hasher_init(struct hasher *h, const char *leaf_tag)
{
    fx_tagged_init(&h->leaf, leaf_tag);
    fx_tagged_init(&h->node, "fornax/node");
}

static void hash_node(const struct fx_sha256 *node, const struct fx_hash *x,
                      const struct fx_hash *y, struct fx_hash *out)
{
    struct fx_sha256 ctx = *node;

    fx_sha256_update(&ctx, x->b, 32);
    fx_sha256_update(&ctx, y->b, 32);
    fx_sha256_final(&ctx, out->b);
}

/*
 * A tree that grows leaf by leaf in constant memory: full[d] is the root of the complete subtree
 * of depth d that waits for its right sibling; it is there where bit d of count is set.
 */
struct tree {
    struct fx_hash full[FX_TREE_DEPTH_MAX + 1];
    uint64_t count;
};

static void tree_add(struct tree *t, const struct fx_sha256 *node, const struct fx_hash *leaf)
{
    struct fx_hash root = *leaf;
    unsigned d = 0;

    for (; t->count >> d & 1; d++) {
        hash_node(node, &t->full[d], &root, &root);
    }
    t->full[d] = root;
    t->count++;
}

/* The root at this depth of the leaves added, padded with zeros to 2^depth. */
static void tree_root(const struct tree *t, const struct fx_sha256 *node, unsigned depth,
                      struct fx_hash *root)
{
    struct fx_hash zero = {{0}}; /* root of d levels over padding */
    struct fx_hash open;         /* root of the last, incomplete subtree */
    bool has_open = false;

    if (t->count >> depth & 1) {
        *root = t->full[depth];
        return;
    }
    for (unsigned d = 0; d < depth; d++) {
        if (t->count >> d & 1) {
            hash_node(node, &t->full[d], has_open ? &open : &zero, &open);
            has_open = true;
        } else if (has_open) {
            hash_node(node, &open, &zero, &open);
        }
        hash_node(node, &zero, &zero, &zero);
    }
    *root = has_open ? open : zero;
}

/* Root of the 2^depth leaves from `start` on, those at n and above being padding. */
static void subtree_root(const struct fx_sha256 *node, const struct fx_hash *leaves, uint64_t n,
                         uint64_t start, unsigned depth, struct fx_hash *root)
{
    struct tree t;
    uint64_t width = UINT64_C(1) << depth;

    t.count = 0;
    for (uint64_t at = start; at < n && at - start < width; at++) {
        tree_add(&t, node, &leaves[at]);
    }
    tree_root(&t, node, depth, root);
}

void fx_commit_node(const struct fx_hash *x, const struct fx_hash *y, struct fx_hash *out)
{
    struct fx_sha256 node;

    fx_tagged_init(&node, "fornax/node");
    hash_node(&node, x, y, out);
}

unsigned fx_commit_depth(uint64_t n)
{
    unsigned depth = 0;

    while (depth < 63 && UINT64_C(1) << depth < n) {
        depth++;
    }
    return depth;
}

void fx_commit_root(const struct fx_hash *leaves, uint64_t n, struct fx_hash *root)
{
    struct fx_sha256 node;

    fx_tagged_init(&node, "fornax/node");
    subtree_root(&node, leaves, n, 0, fx_commit_depth(n), root);
}

void fx_commit_path(const struct fx_hash *leaves, uint64_t n, uint64_t index, struct fx_hash *path)
{
    struct fx_sha256 node;
    unsigned depth = fx_commit_depth(n);

    fx_tagged_init(&node, "fornax/node");
    for (unsigned d = 0; d < depth; d++) {
        uint64_t sibling = (index >> d ^ 1) << d;

        subtree_root(&node, leaves, n, sibling, d, &path[d]);
    }
}

static void climb(const struct fx_sha256 *node, const struct fx_hash *leaf, uint64_t index,
                  const uint8_t *path, unsigned depth, struct fx_hash *root)
{
    struct fx_hash at = *leaf;

    for (unsigned d = 0; d < depth; d++) {
        struct fx_hash sibling;

        memcpy(sibling.b, path + 32 * (size_t)d, 32);
        if (index >> d & 1) {
            hash_node(node, &sibling, &at, &at);
        } else {
            hash_node(node, &at, &sibling, &at);
        }
    }
    *root = at;
}

void fx_commit_climb(const struct fx_hash *leaf, uint64_t index, const uint8_t *path,
                     unsigned depth, struct fx_hash *root)
{
    struct fx_sha256 node;

    fx_tagged_init(&node, "fornax/node");
    climb(&node, leaf, index, path, depth, root);
}

static void operand_leaf(const struct hasher *h, const int8_t *row, struct fx_hash *leaf)
{
    struct fx_sha256 ctx = h->leaf;

    fx_sha256_update(&ctx, row, FX_DEPTH);
    fx_sha256_final(&ctx, leaf->b);
}

void fx_commit_operand_leaf(const int8_t row[FX_DEPTH], struct fx_hash *leaf)
{
    fx_tagged_hash("fornax/leaf", row, FX_DEPTH, leaf->b);
}

/* stride: bytes from one row of the block to the next. */
static void operand_block(const struct hasher *h, const int8_t *block, size_t stride,
                          struct fx_hash *root)
{
    struct tree t;

    t.count = 0;
    for (size_t row = 0; row < FX_TILE; row++) {
        struct fx_hash leaf;

        operand_leaf(h, block + row * stride, &leaf);
        tree_add(&t, &h->node, &leaf);
    }
    tree_root(&t, &h->node, 7, root);
}

void fx_commit_operand_block(const int8_t block[FX_BLOCK_BYTES], struct fx_hash *root)
{
    struct hasher h;

    hasher_init(&h, "fornax/leaf");
    operand_block(&h, block, FX_DEPTH, root);
}

static void result_leaf(const struct hasher *h, const struct fx_hash *solver,
                        const uint8_t row[512], struct fx_hash *leaf)
{
    struct fx_sha256 ctx = h->leaf;

    fx_sha256_update(&ctx, solver->b, 32);
    fx_sha256_update(&ctx, row, 512);
    fx_sha256_final(&ctx, leaf->b);
}

void fx_commit_result_leaf(const struct fx_hash *solver, const uint8_t row[512],
                           struct fx_hash *leaf)
{
    struct hasher h;

    hasher_init(&h, "fornax/result");
    result_leaf(&h, solver, row, leaf);
}

void fx_commit_result_tile(const struct fx_hash *solver, const uint8_t data[FX_TILE_BYTES],
                           struct fx_hash *root)
{
    struct hasher h;
    struct tree t;

    hasher_init(&h, "fornax/result");
    t.count = 0;
    for (size_t row = 0; row < FX_TILE; row++) {
        struct fx_hash leaf;

        result_leaf(&h, solver, data + row * 512, &leaf);
        tree_add(&t, &h.node, &leaf);
    }
    tree_root(&t, &h.node, 7, root);
}

bool fx_commit_operand_matrix(const int8_t *panel_matrix, uint64_t rows, uint64_t k,
                              struct fx_hash *root)
{
    struct hasher h;
    struct tree panels;

    if (rows == 0 || k == 0 || rows % FX_TILE != 0 || k % FX_DEPTH != 0) {
        return false;
    }
    hasher_init(&h, "fornax/leaf");
    panels.count = 0;
    for (uint64_t i = 0; i < rows / FX_TILE; i++) {
        struct tree blocks;
        struct fx_hash panel;

        blocks.count = 0;
        for (uint64_t l = 0; l < k / FX_DEPTH; l++) {
            struct fx_hash block;

            operand_block(&h, panel_matrix + i * FX_TILE * k + l * FX_DEPTH, k, &block);
            tree_add(&blocks, &h.node, &block);
        }
        tree_root(&blocks, &h.node, fx_commit_depth(k / FX_DEPTH), &panel);
        tree_add(&panels, &h.node, &panel);
    }
    tree_root(&panels, &h.node, fx_commit_depth(rows / FX_TILE), root);
    return true;
}

bool fx_commit_result_matrix(const int32_t *result, uint64_t rows, uint64_t columns,
                             const struct fx_hash *solver, struct fx_hash *root)
{
    struct hasher h;
    struct tree tiles;

    if (rows == 0 || columns == 0 || rows % FX_TILE != 0 || columns % FX_TILE != 0) {
        return false;
    }
    hasher_init(&h, "fornax/result");
    tiles.count = 0;
    for (uint64_t r = 0; r < rows; r += FX_TILE) {
        for (uint64_t c = 0; c < columns; c += FX_TILE) {
            struct tree t;
            struct fx_hash tile;

            t.count = 0;
            for (uint64_t row = 0; row < FX_TILE; row++) {
                const int32_t *entries = result + (r + row) * columns + c;
                uint8_t bytes[4 * FX_TILE];
                struct fx_hash leaf;

                for (size_t at = 0; at < FX_TILE; at++) {
                    fx_store_u32(bytes + 4 * at, (uint32_t)entries[at]);
                }
                result_leaf(&h, solver, bytes, &leaf);
                tree_add(&t, &h.node, &leaf);
            }
            tree_root(&t, &h.node, 7, &tile);
            tree_add(&tiles, &h.node, &tile);
        }
    }
    tree_root(&tiles, &h.node, fx_commit_depth(rows / FX_TILE * (columns / FX_TILE)), root);
    return true;
}

unsigned fx_commit_operand_path_depth(uint64_t rows, uint64_t k)
{
    return fx_commit_depth(k / FX_DEPTH) + fx_commit_depth(rows / FX_TILE);
}

bool fx_commit_operand_open(const int8_t block[FX_BLOCK_BYTES], uint64_t rows, uint64_t k,
                            uint32_t i, uint32_t l, const uint8_t *path, const struct fx_hash *root)
{
    struct hasher h;
    struct fx_hash at;
    unsigned in_panel = fx_commit_depth(k / FX_DEPTH);

    if (i >= rows / FX_TILE || l >= k / FX_DEPTH) {
        return false;
    }
    hasher_init(&h, "fornax/leaf");
    operand_block(&h, block, FX_DEPTH, &at);
    climb(&h.node, &at, l, path, in_panel, &at);
    climb(&h.node, &at, i, path + 32 * (size_t)in_panel, fx_commit_depth(rows / FX_TILE), &at);
    return fx_hash_equal(&at, root);
}
