/* A small gemm job for tests. */
#include "qa/unit/consensus/job.h"

#include <stdlib.h>
#include <string.h>

#include <secp256k1_schnorrsig.h>

#include "consensus/commit.h"
#include "qa/unit/harness.h"
#include "src/crypto/sha256.h"
#include "src/util/mem.h"

static secp256k1_context *context(void)
{
    static secp256k1_context *made;

    if (made == NULL) {
        made = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    }
    return made;
}

void fx_test_key(unsigned n, struct fx_test_key *key)
{
    secp256k1_keypair pair;
    secp256k1_xonly_pubkey point;

    memset(key, 0, sizeof(*key));
    fx_store_u32be(key->secret.b + 28, n);
    FX_CHECK(secp256k1_keypair_create(context(), &pair, key->secret.b));
    FX_CHECK(secp256k1_keypair_xonly_pub(context(), &point, NULL, &pair));
    secp256k1_xonly_pubkey_serialize(context(), key->xonly.b, &point);
}

void fx_test_sign(const struct fx_test_key *key, const struct fx_hash *hash, uint8_t signature[64])
{
    secp256k1_keypair pair;

    FX_CHECK(secp256k1_keypair_create(context(), &pair, key->secret.b));
    FX_CHECK(secp256k1_schnorrsig_sign32(context(), signature, hash->b, &pair, NULL));
}

int8_t *fx_test_operand(const char *label, size_t rows, size_t columns)
{
    size_t n = rows * columns;
    int8_t *entries = fx_xmalloc(n);
    uint8_t digest[32];

    for (size_t at = 0; at < n; at++) {
        if (at % 32 == 0) {
            struct fx_sha256 ctx;
            uint8_t counter[4];

            fx_store_u32(counter, (uint32_t)(at / 32));
            fx_sha256_init(&ctx);
            fx_sha256_update(&ctx, label, strlen(label));
            fx_sha256_update(&ctx, counter, 4);
            fx_sha256_final(&ctx, digest);
        }
        entries[at] = (int8_t)((digest[at % 32] & 0x7f) - 64);
    }
    return entries;
}

void fx_test_job_pack(struct fx_test_job *job)
{
    struct fx_buf body = FX_BUF_INIT;

    fx_gemm_write(&job->gemm, &body);
    FX_CHECK_INT(body.len, sizeof(job->body));
    memcpy(job->body, body.data, body.len);
    fx_buf_clear(&body);
    job->spec.body.data = job->body;
    job->spec.body.len = sizeof(job->body);
}

void fx_test_job_init(struct fx_test_job *job, uint32_t m, uint32_t n, uint32_t k,
                      uint32_t task_rows, uint32_t task_cols, const struct fx_hash *client)
{
    memset(job, 0, sizeof(*job));
    job->a = fx_test_operand("job A", m, k);
    job->b = fx_test_operand("job B", n, k);
    job->gemm.m = m;
    job->gemm.n = n;
    job->gemm.k = k;
    job->gemm.task_rows = task_rows;
    job->gemm.task_cols = task_cols;
    FX_CHECK(fx_commit_operand_matrix(job->a, m, k, &job->gemm.root_a));
    FX_CHECK(fx_commit_operand_matrix(job->b, n, k, &job->gemm.root_b));
    job->spec.version = 1;
    job->spec.kind = FX_KIND_GEMM;
    job->spec.client = *client;
    job->spec.deadline = 1800000000;
    job->spec.window = 20;
    job->spec.exclusive = 0;
    fx_test_job_pack(job);
}

void fx_test_job_clear(struct fx_test_job *job)
{
    free(job->a);
    free(job->b);
    memset(job, 0, sizeof(*job));
}

void fx_test_job_block(const struct fx_test_job *job, enum fx_side side, uint32_t panel,
                       uint32_t segment, int8_t block[FX_BLOCK_BYTES])
{
    const int8_t *matrix = side == FX_SIDE_A ? job->a : job->b;

    for (size_t r = 0; r < FX_TILE; r++) {
        memcpy(block + r * FX_DEPTH,
               matrix + ((size_t)panel * FX_TILE + r) * job->gemm.k + (size_t)segment * FX_DEPTH,
               FX_DEPTH);
    }
}

static uint32_t side_panels(const struct fx_test_job *job, enum fx_side side)
{
    return (side == FX_SIDE_A ? job->gemm.m : job->gemm.n) / FX_TILE;
}

static void block_roots(const struct fx_test_job *job, enum fx_side side, uint32_t panel,
                        struct fx_hash *roots)
{
    int8_t block[FX_BLOCK_BYTES];

    for (uint32_t l = 0; l < job->gemm.k / FX_DEPTH; l++) {
        fx_test_job_block(job, side, panel, l, block);
        fx_commit_operand_block(block, &roots[l]);
    }
}

/* The path from a panel's root to the operand's root. */
static size_t panel_path(const struct fx_test_job *job, enum fx_side side, uint32_t panel,
                         uint8_t *path)
{
    struct fx_hash blocks[256], panels[64], hashes[FX_TREE_DEPTH_MAX];
    uint32_t n = side_panels(job, side);

    FX_CHECK(n <= 64);
    for (uint32_t i = 0; i < n; i++) {
        block_roots(job, side, i, blocks);
        fx_commit_root(blocks, job->gemm.k / FX_DEPTH, &panels[i]);
    }
    fx_commit_path(panels, n, panel, hashes);
    memcpy(path, hashes, 32 * (size_t)fx_commit_depth(n));
    return fx_commit_depth(n);
}

size_t fx_test_job_path(const struct fx_test_job *job, enum fx_side side, uint32_t panel,
                        uint32_t segment, uint8_t *path)
{
    struct fx_hash blocks[256], hashes[FX_TREE_DEPTH_MAX];
    uint32_t segments = job->gemm.k / FX_DEPTH;
    size_t low = fx_commit_depth(segments);

    block_roots(job, side, panel, blocks);
    fx_commit_path(blocks, segments, segment, hashes);
    memcpy(path, hashes, 32 * low);
    return low + panel_path(job, side, panel, path + 32 * low);
}

int32_t *fx_test_job_result(const struct fx_test_job *job, const struct fx_task_shape *shape)
{
    size_t rows = (size_t)shape->rows * FX_TILE, columns = (size_t)shape->cols * FX_TILE;
    size_t k = job->gemm.k;
    int32_t *result = fx_xcalloc(rows * columns, sizeof(*result));

    for (size_t r = 0; r < rows; r++) {
        const int8_t *x = job->a + ((size_t)shape->row0 * FX_TILE + r) * k;

        for (size_t c = 0; c < columns; c++) {
            const int8_t *y = job->b + ((size_t)shape->col0 * FX_TILE + c) * k;

            for (size_t at = 0; at < k; at++) {
                result[r * columns + c] += x[at] * y[at];
            }
        }
    }
    return result;
}

void fx_test_result_root(const struct fx_task_shape *shape, const int32_t *result,
                         const struct fx_hash *solver, struct fx_hash *root)
{
    FX_CHECK(fx_commit_result_matrix(result, (uint64_t)shape->rows * FX_TILE,
                                     (uint64_t)shape->cols * FX_TILE, solver, root));
}

static void tile_bytes(const struct fx_task_shape *shape, const int32_t *result, uint32_t tile,
                       uint8_t data[FX_TILE_BYTES])
{
    size_t columns = (size_t)shape->cols * FX_TILE;
    const int32_t *first =
        result + (size_t)(tile / shape->cols) * FX_TILE * columns + tile % shape->cols * FX_TILE;

    for (size_t r = 0; r < FX_TILE; r++) {
        for (size_t c = 0; c < FX_TILE; c++) {
            fx_store_u32(data + 4 * (r * FX_TILE + c), (uint32_t)first[r * columns + c]);
        }
    }
}

size_t fx_test_result_tile(const struct fx_task_shape *shape, const int32_t *result,
                           const struct fx_hash *solver, uint32_t tile, uint8_t data[FX_TILE_BYTES],
                           uint8_t *path)
{
    struct fx_hash roots[64], hashes[FX_TREE_DEPTH_MAX];

    FX_CHECK(shape->tiles <= 64);
    for (uint32_t at = 0; at < shape->tiles; at++) {
        tile_bytes(shape, result, at, data);
        fx_commit_result_tile(solver, data, &roots[at]);
    }
    tile_bytes(shape, result, tile, data);
    fx_commit_path(roots, shape->tiles, tile, hashes);
    memcpy(path, hashes, 32 * (size_t)fx_commit_depth(shape->tiles));
    return fx_commit_depth(shape->tiles);
}

void fx_test_operand_part(const struct fx_test_job *job, enum fx_side side, uint32_t row,
                          struct fx_buf *proof)
{
    const int8_t *matrix = side == FX_SIDE_A ? job->a : job->b;
    uint8_t path[32 * FX_TREE_DEPTH_MAX];
    size_t n;

    fx_buf_bytes(proof, matrix + (size_t)row * job->gemm.k, job->gemm.k);
    for (uint32_t l = 0; l < job->gemm.k / FX_DEPTH; l++) {
        int8_t block[FX_BLOCK_BYTES];
        struct fx_hash leaves[FX_TILE], siblings[7];

        fx_test_job_block(job, side, row / FX_TILE, l, block);
        for (size_t r = 0; r < FX_TILE; r++) {
            fx_commit_operand_leaf(block + r * FX_DEPTH, &leaves[r]);
        }
        fx_commit_path(leaves, FX_TILE, row % FX_TILE, siblings);
        fx_buf_bytes(proof, siblings, sizeof(siblings));
    }
    n = panel_path(job, side, row / FX_TILE, path);
    fx_buf_bytes(proof, path, 32 * n);
}

void fx_test_result_part(const struct fx_task_shape *shape, const int32_t *result,
                         const struct fx_hash *solver, uint32_t tile, uint32_t row,
                         struct fx_buf *proof)
{
    uint8_t data[FX_TILE_BYTES], path[32 * FX_TREE_DEPTH_MAX];
    struct fx_hash leaves[FX_TILE], siblings[7];
    size_t n = fx_test_result_tile(shape, result, solver, tile, data, path);

    for (size_t r = 0; r < FX_TILE; r++) {
        fx_commit_result_leaf(solver, data + r * 512, &leaves[r]);
    }
    fx_commit_path(leaves, FX_TILE, row % FX_TILE, siblings);
    fx_buf_bytes(proof, data + (size_t)(row % FX_TILE) * 512, 512);
    fx_buf_bytes(proof, siblings, sizeof(siblings));
    fx_buf_bytes(proof, path, 32 * n);
}

void fx_test_entry_proof(const struct fx_test_job *job, const struct fx_task_shape *shape,
                         const int32_t *result, const struct fx_hash *solver, uint32_t row,
                         uint32_t column, struct fx_buf *proof)
{
    uint32_t tile = (row / FX_TILE - shape->row0) * shape->cols + (column / FX_TILE - shape->col0);

    fx_test_operand_part(job, FX_SIDE_A, row, proof);
    fx_test_operand_part(job, FX_SIDE_B, column, proof);
    fx_test_result_part(shape, result, solver, tile, row, proof);
}
