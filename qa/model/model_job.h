/* Jobs of the property test: small products, results that are right or wrong in known places, and
 * proofs about them. Everything is made once and kept, so that a proof is a copy. */
#ifndef FX_QA_MODEL_MODEL_JOB_H
#define FX_QA_MODEL_MODEL_JOB_H

#include "qa/unit/consensus/job.h"

/* Which entries of a result are wrong, by their row and column within the rectangle. */
enum model_variation {
    MODEL_RIGHT,   /* none */
    MODEL_ONE,     /* (5, 77) */
    MODEL_HALF,    /* those whose row and column have an even sum */
    MODEL_ALL,     /* every one */
    MODEL_GARBAGE, /* the root is no tree's at all */
    MODEL_VARIATIONS
};

struct model_job;
struct model_result;

/* The job of these dimensions; NULL where they are not valid. Lives until model_jobs_clear. */
const struct model_job *model_job_get(const struct fx_gemm *shape);
void model_jobs_clear(void);
/* The gemm with its roots. */
const struct fx_gemm *model_job_gemm(const struct model_job *job);

/* The result of a task, committed to under a solver's key. */
const struct model_result *model_result_get(const struct model_job *job, uint32_t index,
                                            const struct fx_hash *solver,
                                            enum model_variation variation);
const struct fx_hash *model_result_root(const struct model_result *result);
/* Appends; a place outside of the task is brought inside first. */
void model_entry_proof(const struct model_result *result, uint32_t row, uint32_t column,
                       struct fx_buf *out);
void model_tile_data(const struct model_result *result, uint32_t tile, struct fx_buf *out);
void model_tile_path(const struct model_result *result, uint32_t tile, struct fx_buf *out);

#endif
