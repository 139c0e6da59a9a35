/* A job on its way through the world: submitted, claimed, settled. */
#ifndef FX_QA_UNIT_JOBS_PLAY_H
#define FX_QA_UNIT_JOBS_PLAY_H

#include "qa/unit/jobs/world.h"

#define PLAY_TASKS 16

struct play {
    struct world *world;
    struct fx_test_job job;
    struct fx_job_part part;       /* of the product */
    struct fx_job_product product; /* of the request */
    struct fx_job_request request; /* views the two */
    struct fx_job_quote quote;
    struct fx_hash id;
    size_t n;
    struct fx_outpoint origins[PLAY_TASKS];
    int32_t *results[PLAY_TASKS];
    struct fx_hash roots[PLAY_TASKS];
};

/* A world with a submitted job of rows x depth times depth x columns, before padding; a task is of
 * task_tiles x task_tiles (0: chosen). Not mined. */
void play_open(struct play *play, uint32_t rows, uint32_t columns, uint32_t depth,
               uint32_t task_tiles);
/* The same of a product whose entries have limbs. */
void play_open_limbs(struct play *play, uint32_t rows, uint32_t columns, uint32_t depth,
                     uint32_t task_tiles, unsigned limbs_a, unsigned limbs_b);
void play_close(struct play *play);
struct fx_task_info play_task(const struct play *play, size_t task);
/* Computes a task's result and puts it into the store; wrong: with one entry changed. */
void play_solve(struct play *play, size_t task, bool wrong, bool complete);
void play_claim(struct play *play, size_t task, enum fx_burn burn, int64_t amount);
/* The loop runs until the task's result is checked. */
void play_check(struct play *play, size_t task);

#endif
