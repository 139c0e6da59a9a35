/* The world of the templates, in memory: a tip, coins and records, a pool. A block that is tested
 * goes through the real fx_check_block. */
#ifndef FX_QA_UNIT_TEMPLATE_WORLD_H
#define FX_QA_UNIT_TEMPLATE_WORLD_H

#include "qa/unit/consensus/job.h"
#include "src/template/template_int.h"

#define WORLD_POOL 1100
#define WORLD_RECORDS 8

struct world {
    const struct fx_params *params;
    struct fx_index tip;
    struct fx_templates *templates;
    struct fx_mempool_entry pool[WORLD_POOL];
    size_t n_pool;
    const struct fx_tx *poison; /* no block with it connects */
    bool broken;                /* nor does any other */
    unsigned tested;

    struct fx_test_job job; /* one brick */
    struct fx_test_key client, solver;
    struct fx_outpoint task; /* its funded output */
    struct fx_buf preimage;
    bool task_spent;
    struct {
        struct fx_outpoint origin;
        struct fx_task_record record;
    } records[WORLD_RECORDS];
    size_t n_records;
};

extern struct world world;

void world_open(void);
void world_close(void);
/* A transaction of about this weight that spends output 0 of parent (NULL: of something unknown),
 * into the pool. witness: it has one. */
struct fx_tx *world_add_tx(const struct fx_tx *parent, size_t weight, int64_t fee, int64_t burned,
                           bool witness);
/* A settled record of the solver. */
struct fx_outpoint world_add_settled(uint32_t height, uint64_t bricks, uint64_t burn);

#endif
