/* The tree of hashes of a blob (protocol section 7), as a file of nodes. */
#include <stdlib.h>
#include <string.h>

#include "src/crypto/taghash.h"
#include "src/store/blob_int.h"
#include "src/sys/file.h"
#include "src/util/mem.h"

/* Nodes that are computed at a time. */
#define BATCH 4096

bool fx_blob_geometry(enum fx_blob_type type, const struct fx_blob_shape *shape,
                      struct blob_geometry *g)
{
    uint64_t rows = shape->rows, cols = shape->cols;

    switch (type) {
    case FX_BLOB_OPERAND:
        if (rows == 0 || rows % FX_TILE != 0 || rows > 1u << 24 || cols == 0 ||
            cols % FX_DEPTH != 0 || cols > 65536) {
            return false;
        }
        g->chunk_bytes = FX_BLOCK_BYTES;
        g->groups = (uint32_t)(rows / FX_TILE);
        g->per_group = (uint32_t)(cols / FX_DEPTH);
        break;
    case FX_BLOB_RESULT:
        if (rows == 0 || cols == 0 || rows * cols > 1u << 24) {
            return false;
        }
        g->chunk_bytes = FX_TILE_BYTES;
        g->groups = 1;
        g->per_group = (uint32_t)(rows * cols);
        break;
    }
    g->chunks = (uint64_t)g->groups * g->per_group;
    g->low = fx_commit_depth(g->per_group);
    g->high = fx_commit_depth(g->groups);
    return true;
}

static unsigned depth(const struct blob_geometry *g)
{
    return g->low + g->high;
}

/* Where a node stands in the file: levels follow each other, each half as long as the last. */
static uint64_t offset(const struct blob_geometry *g, unsigned level, uint64_t node)
{
    unsigned d = depth(g);

    return 32 * ((UINT64_C(2) << d) - (UINT64_C(2) << (d - level)) + node);
}

uint64_t fx_blob_tree_bytes(const struct blob_geometry *g)
{
    return offset(g, depth(g), 0) + 32;
}

uint64_t fx_blob_tree_leaf(const struct blob_geometry *g, uint64_t chunk)
{
    return chunk / g->per_group << g->low | chunk % g->per_group;
}

void fx_blob_chunk_root(enum fx_blob_type type, const struct fx_blob_shape *shape,
                        const uint8_t *data, struct fx_hash *root)
{
    if (type == FX_BLOB_OPERAND) {
        fx_commit_operand_block((const int8_t *)data, root);
    } else {
        fx_commit_result_tile(&shape->solver, data, root);
    }
}

void fx_blob_tree_climb(const struct blob_geometry *g, uint64_t chunk, const struct fx_hash *leaf,
                        const uint8_t *path, struct fx_hash *root)
{
    fx_commit_climb(leaf, fx_blob_tree_leaf(g, chunk), path, depth(g), root);
}

bool fx_blob_tree_ends(const struct blob_geometry *g, uint64_t chunk, const uint8_t *path)
{
    uint64_t node = fx_blob_tree_leaf(g, chunk);
    bool last = chunk % g->per_group == g->per_group - 1;
    struct fx_hash padding = {{0}}, above;
    unsigned level;

    for (level = 0; level < depth(g); level++) {
        if (level == g->low) {
            last = chunk / g->per_group == g->groups - 1;
            memset(&padding, 0, sizeof(padding));
        }
        if (last && (node & 1) == 0 && memcmp(path + 32 * (size_t)level, padding.b, 32) != 0) {
            return false;
        }
        fx_commit_node(&padding, &padding, &above);
        padding = above;
        node >>= 1;
    }
    return true;
}

bool fx_blob_tree_put_leaf(int fd, const struct blob_geometry *g, uint64_t chunk,
                           const struct fx_hash *leaf)
{
    return fx_fd_write_all(fd, offset(g, 0, fx_blob_tree_leaf(g, chunk)), leaf->b, 32);
}

bool fx_blob_tree_put_path(int fd, const struct blob_geometry *g, uint64_t chunk,
                           const struct fx_hash *leaf, const uint8_t *path)
{
    uint64_t node = fx_blob_tree_leaf(g, chunk);
    struct fx_hash at = *leaf;
    unsigned level;

    for (level = 0; level < depth(g); level++) {
        struct fx_hash pair[2];

        pair[node & 1] = at;
        memcpy(pair[~node & 1].b, path + 32 * (size_t)level, 32);
        if (!fx_fd_write_all(fd, offset(g, level, node & ~UINT64_C(1)), pair, sizeof(pair))) {
            return false;
        }
        fx_commit_node(&pair[0], &pair[1], &at);
        node >>= 1;
    }
    return fx_fd_write_all(fd, offset(g, depth(g), 0), at.b, 32);
}

bool fx_blob_tree_get_path(int fd, const struct blob_geometry *g, uint64_t chunk,
                           struct fx_hash *leaf, uint8_t *path)
{
    uint64_t node = fx_blob_tree_leaf(g, chunk);
    unsigned level;

    if (!fx_fd_read_all(fd, offset(g, 0, node), leaf->b, 32)) {
        return false;
    }
    for (level = 0; level < depth(g); level++) {
        if (!fx_fd_read_all(fd, offset(g, level, node ^ 1), path + 32 * (size_t)level, 32)) {
            return false;
        }
        node >>= 1;
    }
    return true;
}

static void hash_pairs(const struct fx_sha256 *start, const struct fx_hash *in, struct fx_hash *out,
                       size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        struct fx_sha256 ctx = *start;

        fx_sha256_update(&ctx, &in[2 * i], 64);
        fx_sha256_final(&ctx, out[i].b);
    }
}

/* One level from the one below. Groups that do not exist stay zero: they are the padding of the
 * upper tree. */
static bool build_level(int fd, const struct blob_geometry *g, unsigned level, struct fx_hash *in,
                        struct fx_hash *out)
{
    uint64_t n = UINT64_C(1) << (depth(g) - level), done;
    struct fx_sha256 start;

    if (level <= g->low) {
        n = (uint64_t)g->groups << (g->low - level);
    }
    fx_tagged_init(&start, "fornax/node");
    for (done = 0; done < n;) {
        size_t part = n - done < BATCH ? (size_t)(n - done) : BATCH;

        if (!fx_fd_read_all(fd, offset(g, level - 1, 2 * done), in, 64 * part)) {
            return false;
        }
        hash_pairs(&start, in, out, part);
        if (!fx_fd_write_all(fd, offset(g, level, done), out, 32 * part)) {
            return false;
        }
        done += part;
    }
    return true;
}

bool fx_blob_tree_build(int fd, const struct blob_geometry *g, struct fx_hash *root)
{
    struct fx_hash *in = fx_xcalloc(2 * BATCH, sizeof(*in));
    struct fx_hash *out = fx_xcalloc(BATCH, sizeof(*out));
    unsigned level;
    bool ok = true;

    for (level = 1; ok && level <= depth(g); level++) {
        ok = build_level(fd, g, level, in, out);
    }
    ok = ok && fx_fd_read_all(fd, offset(g, depth(g), 0), root->b, 32);
    free(in);
    free(out);
    return ok;
}
