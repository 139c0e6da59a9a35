/* Commitments against qa/data/brick.json, and trees against their definition. */
#include "consensus/commit.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/consensus/job.h"
#include "qa/unit/harness.h"
#include "src/crypto/taghash.h"
#include "src/util/buf.h"
#include "src/util/mem.h"

static uint64_t number(json_t *entry, const char *name)
{
    json_t *value = json_object_get(entry, name);

    FX_CHECK(json_is_integer(value));
    return (uint64_t)json_integer_value(value);
}

static const char *text(json_t *entry, const char *name)
{
    json_t *value = json_object_get(entry, name);

    FX_CHECK(json_is_string(value));
    return json_string_value(value);
}

FX_TEST(operand_roots)
{
    json_t *data = fx_unit_data("brick.json"), *entry;
    json_t *list = json_object_get(data, "operand_root");
    size_t at;

    FX_CHECK(json_array_size(list) > 0);
    json_array_foreach(list, at, entry)
    {
        uint64_t rows = number(entry, "rows"), k = number(entry, "k");
        int8_t *matrix = fx_test_operand(text(entry, "label"), rows, k);
        struct fx_hash root;

        FX_CHECK(fx_commit_operand_matrix(matrix, rows, k, &root));
        FX_CHECK_HEX(root.b, text(entry, "root"));
        free(matrix);
    }
    json_decref(data);
}

FX_TEST(result_roots)
{
    json_t *data = fx_unit_data("brick.json"), *entry;
    json_t *list = json_object_get(data, "result_root");
    size_t at;

    FX_CHECK(json_array_size(list) > 0);
    json_array_foreach(list, at, entry)
    {
        uint64_t m = number(entry, "m"), n = number(entry, "n"), k = number(entry, "k");
        int8_t *a = fx_test_operand(text(entry, "a_label"), m, k);
        int8_t *b = fx_test_operand(text(entry, "b_transposed_label"), n, k);
        int32_t *c = fx_xcalloc(m * n, sizeof(*c));
        struct fx_hash solver, root;

        for (size_t r = 0; r < m; r++) {
            for (size_t col = 0; col < n; col++) {
                for (size_t x = 0; x < k; x++) {
                    c[r * n + col] += a[r * k + x] * b[col * k + x];
                }
            }
        }
        FX_CHECK(fx_hash_from_hex(&solver, text(entry, "solver")));
        FX_CHECK(fx_commit_result_matrix(c, m, n, &solver, &root));
        FX_CHECK_HEX(root.b, text(entry, "root"));
        free(a);
        free(b);
        free(c);
    }
    json_decref(data);
}

FX_TEST(shapes_of_matrices)
{
    static const uint64_t bad[][2] = {{0, 256}, {128, 0}, {127, 256}, {129, 256}, {128, 255}};
    int8_t *matrix = fx_test_operand("shape", 256, 512);
    int32_t *result = fx_xcalloc(256 * 512, sizeof(*result));
    struct fx_hash root, solver = {{0}};

    for (size_t at = 0; at < sizeof(bad) / sizeof(*bad); at++) {
        FX_CHECK(!fx_commit_operand_matrix(matrix, bad[at][0], bad[at][1], &root));
        FX_CHECK(!fx_commit_result_matrix(result, bad[at][0], bad[at][1], &solver, &root));
    }
    FX_CHECK(!fx_commit_operand_matrix(matrix, 128, 128, &root));
    FX_CHECK(fx_commit_result_matrix(result, 128, 128, &solver, &root));
    free(matrix);
    free(result);
}

static void random_leaves(struct fx_hash *leaves, size_t n)
{
    fx_unit_rand_fill(leaves, n * sizeof(*leaves));
}

/* The definition, level by level over the padded leaves. */
static void plain_root(const struct fx_hash *leaves, size_t n, struct fx_hash *root)
{
    size_t width = 1;
    struct fx_hash *level;

    while (width < n) {
        width *= 2;
    }
    level = fx_xcalloc(width, sizeof(*level));
    memcpy(level, leaves, n * sizeof(*level));
    for (; width > 1; width /= 2) {
        for (size_t at = 0; at < width / 2; at++) {
            uint8_t both[64];

            memcpy(both, level[2 * at].b, 32);
            memcpy(both + 32, level[2 * at + 1].b, 32);
            fx_tagged_hash("fornax/node", both, 64, level[at].b);
        }
    }
    *root = level[0];
    free(level);
}

FX_TEST(roots_and_paths)
{
    struct fx_hash leaves[70], path[FX_TREE_DEPTH_MAX], root, expected, climbed;

    random_leaves(leaves, 70);
    for (size_t n = 1; n <= 70; n++) {
        plain_root(leaves, n, &expected);
        fx_commit_root(leaves, n, &root);
        FX_CHECK_MEM(root.b, expected.b, 32);
        for (size_t at = 0; at < n; at++) {
            unsigned depth = fx_commit_depth(n);

            fx_commit_path(leaves, n, at, path);
            fx_commit_climb(&leaves[at], at, path[0].b, depth, &climbed);
            FX_CHECK_MEM(climbed.b, expected.b, 32);
            if (depth > 0) {
                fx_commit_climb(&leaves[at], at ^ 1, path[0].b, depth, &climbed);
                FX_CHECK(!fx_hash_equal(&climbed, &expected));
            }
        }
    }
}

FX_TEST(depth)
{
    FX_CHECK_INT(fx_commit_depth(1), 0);
    FX_CHECK_INT(fx_commit_depth(2), 1);
    FX_CHECK_INT(fx_commit_depth(3), 2);
    FX_CHECK_INT(fx_commit_depth(4), 2);
    FX_CHECK_INT(fx_commit_depth(5), 3);
    FX_CHECK_INT(fx_commit_depth(UINT64_C(1) << 24), 24);
    FX_CHECK_INT(fx_commit_depth((UINT64_C(1) << 24) + 1), 25);
    FX_CHECK_INT(fx_commit_operand_path_depth(128, 256), 0);
    FX_CHECK_INT(fx_commit_operand_path_depth(384, 768), 4);
}

FX_TEST(node)
{
    struct fx_hash x = {{1}}, y = {{2}}, out, other;
    uint8_t both[64];

    memcpy(both, x.b, 32);
    memcpy(both + 32, y.b, 32);
    fx_commit_node(&x, &y, &out);
    fx_tagged_hash("fornax/node", both, 64, other.b);
    FX_CHECK_MEM(out.b, other.b, 32);
    fx_commit_node(&y, &x, &other);
    FX_CHECK(!fx_hash_equal(&out, &other));
}

FX_TEST(operand_blocks_open)
{
    struct fx_test_job job;
    struct fx_hash client = {{0}};
    uint8_t path[32 * FX_TREE_DEPTH_MAX];
    int8_t block[FX_BLOCK_BYTES];

    fx_test_job_init(&job, 384, 128, 768, 1, 1, &client);
    for (uint32_t i = 0; i < 3; i++) {
        for (uint32_t l = 0; l < 3; l++) {
            const struct fx_hash *root = &job.gemm.root_a;

            fx_test_job_block(&job, FX_SIDE_A, i, l, block);
            FX_CHECK_INT(fx_test_job_path(&job, FX_SIDE_A, i, l, path), 4);
            FX_CHECK(fx_commit_operand_open(block, 384, 768, i, l, path, root));
            FX_CHECK(!fx_commit_operand_open(block, 384, 768, i, (l + 1) % 3, path, root));
            FX_CHECK(!fx_commit_operand_open(block, 384, 768, (i + 1) % 3, l, path, root));
            FX_CHECK(!fx_commit_operand_open(block, 384, 768, i, l, path, &job.gemm.root_b));
            for (size_t at = 0; at < 4; at++) {
                path[32 * at + 5] ^= 1;
                FX_CHECK(!fx_commit_operand_open(block, 384, 768, i, l, path, root));
                path[32 * at + 5] ^= 1;
            }
            block[777] ^= 1;
            FX_CHECK(!fx_commit_operand_open(block, 384, 768, i, l, path, root));
        }
    }
    /* Padding is no block: position 3 of the 4 that the tree has. */
    FX_CHECK(!fx_commit_operand_open(block, 384, 768, 3, 0, path, &job.gemm.root_a));
    FX_CHECK(!fx_commit_operand_open(block, 384, 768, 0, 3, path, &job.gemm.root_a));
    fx_test_job_clear(&job);
}

/* In a full tree, a place beyond it would climb as one within. */
FX_TEST(operand_blocks_beyond_a_full_tree)
{
    struct fx_test_job job;
    struct fx_hash client = {{0}};
    const struct fx_hash *root = &job.gemm.root_a;
    uint8_t path[32 * FX_TREE_DEPTH_MAX];
    int8_t block[FX_BLOCK_BYTES];

    fx_test_job_init(&job, 256, 128, 512, 1, 1, &client);
    fx_test_job_block(&job, FX_SIDE_A, 0, 0, block);
    FX_CHECK_INT(fx_test_job_path(&job, FX_SIDE_A, 0, 0, path), 2);
    FX_CHECK(fx_commit_operand_open(block, 256, 512, 0, 0, path, root));
    FX_CHECK(!fx_commit_operand_open(block, 256, 512, 2, 0, path, root));
    FX_CHECK(!fx_commit_operand_open(block, 256, 512, 0, 2, path, root));
    fx_test_job_clear(&job);
}

FX_TEST(result_tiles_are_keyed_by_solver)
{
    uint8_t data[FX_TILE_BYTES] = {0};
    struct fx_hash solver = {{1}}, other = {{2}}, root, keyed, leaf, leaves[FX_TILE];
    uint8_t message[32 + 512];

    fx_unit_rand_fill(data, sizeof(data));
    fx_commit_result_tile(&solver, data, &root);
    fx_commit_result_tile(&other, data, &keyed);
    FX_CHECK(!fx_hash_equal(&root, &keyed));
    for (size_t r = 0; r < FX_TILE; r++) {
        memcpy(message, solver.b, 32);
        memcpy(message + 32, data + 512 * r, 512);
        fx_tagged_hash("fornax/result", message, sizeof(message), leaves[r].b);
        fx_commit_result_leaf(&solver, data + 512 * r, &leaf);
        FX_CHECK_MEM(leaf.b, leaves[r].b, 32);
    }
    plain_root(leaves, FX_TILE, &keyed);
    FX_CHECK_MEM(root.b, keyed.b, 32);
}
