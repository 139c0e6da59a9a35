/* A small gemm job for tests: operands from labels (as in qa/data/brick.json), its true result,
 * proofs of any entry, and keys that sign. */
#ifndef FX_QA_UNIT_CONSENSUS_JOB_H
#define FX_QA_UNIT_CONSENSUS_JOB_H

#include "consensus/brick.h"
#include "consensus/task.h"

struct fx_test_key {
    struct fx_hash secret, xonly;
};

/* Key number n > 0, the same each time. */
void fx_test_key(unsigned n, struct fx_test_key *key);
void fx_test_sign(const struct fx_test_key *key, const struct fx_hash *hash, uint8_t signature[64]);

/* rows x columns entries in [-64, 63]; the caller frees. */
int8_t *fx_test_operand(const char *label, size_t rows, size_t columns);

struct fx_test_job {
    struct fx_gemm gemm;
    int8_t *a, *b; /* m x k, n x k */
    uint8_t body[FX_GEMM_BODY_SIZE];
    struct fx_task_spec spec; /* its body views body: a job is not copied */
};

/* A valid spec of the client; labels "job A" and "job B". */
void fx_test_job_init(struct fx_test_job *job, uint32_t m, uint32_t n, uint32_t k,
                      uint32_t task_rows, uint32_t task_cols, const struct fx_hash *client);
void fx_test_job_clear(struct fx_test_job *job);
/* Writes gemm to body again, after a change. */
void fx_test_job_pack(struct fx_test_job *job);
void fx_test_job_block(const struct fx_test_job *job, enum fx_side side, uint32_t panel,
                       uint32_t segment, int8_t block[FX_BLOCK_BYTES]);
/* The path of that block; returns the number of hashes. */
size_t fx_test_job_path(const struct fx_test_job *job, enum fx_side side, uint32_t panel,
                        uint32_t segment, uint8_t *path);
/* The task's rectangle, row-major; the caller frees. */
int32_t *fx_test_job_result(const struct fx_test_job *job, const struct fx_task_shape *shape);
void fx_test_result_root(const struct fx_task_shape *shape, const int32_t *result,
                         const struct fx_hash *solver, struct fx_hash *root);
/* One tile's bytes and its path; returns the number of hashes. */
size_t fx_test_result_tile(const struct fx_task_shape *shape, const int32_t *result,
                           const struct fx_hash *solver, uint32_t tile, uint8_t data[FX_TILE_BYTES],
                           uint8_t *path);
/* Appends one part of an entry proof: of an operand's row; of a result's row in a tile. */
void fx_test_operand_part(const struct fx_test_job *job, enum fx_side side, uint32_t row,
                          struct fx_buf *proof);
void fx_test_result_part(const struct fx_task_shape *shape, const int32_t *result,
                         const struct fx_hash *solver, uint32_t tile, uint32_t row,
                         struct fx_buf *proof);
/* Appends the entry proof of (row, column), absolute, for this result. */
void fx_test_entry_proof(const struct fx_test_job *job, const struct fx_task_shape *shape,
                         const int32_t *result, const struct fx_hash *solver, uint32_t row,
                         uint32_t column, struct fx_buf *proof);

#endif
