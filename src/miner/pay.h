/*
 * What mining pays, and so what to do next. Pure arithmetic for a choice, in floating point; no
 * rule of the chain depends on it.
 *
 * A hash that is tried pays (S + fees) / E_hash on average, S the full subsidy, E the tries that a
 * block takes on average. A task pays its escrow less what is burned of it, then the credit of its
 * bricks, min(S * bricks / E_job, 2 * burned) of subsidy in job-lane blocks to come, and the fees
 * of the blocks that are found inside it, at most as many as are mined in one task.
 */
#ifndef FX_MINER_PAY_H
#define FX_MINER_PAY_H

#include "src/miner/options.h"

struct fx_pay_chain {
    int64_t subsidy; /* S at the next height, embers */
    int64_t fees;    /* of the next block, embers */
    double expected_hash, expected_job;
    bool paced; /* regtest: one hash-lane block a second at most */
};

struct fx_pay_rates {
    double hashes, bricks; /* a second */
};

struct fx_pay_policy {
    enum fx_lane_choice lane;
    enum fx_burn_choice burn;
    int64_t burn_amount;
    unsigned blocks_per_task;
};

struct fx_pay_task {
    uint64_t bricks;
    int64_t escrow; /* embers */
};

/* Embers of a task's pay to burn. auto: half of the subsidy that its credit can gain, never more
 * than its escrow. */
int64_t fx_pay_burn(const struct fx_pay_policy *policy, const struct fx_pay_chain *chain,
                    const struct fx_pay_task *task);
/* Embers a brick, after burn. */
double fx_pay_brick(const struct fx_pay_policy *policy, const struct fx_pay_chain *chain,
                    const struct fx_pay_task *task);
/* Embers a second in the hash lane. */
double fx_pay_hash_second(const struct fx_pay_chain *chain, const struct fx_pay_rates *rates);

enum fx_pay_choice { FX_PAY_NOTHING = 0, FX_PAY_HASH, FX_PAY_TASK };
/*
 * The first of the tasks, which stand in the order in which they are to be taken, or the hash lane
 * where that pays more a second. On regtest, where both lanes stay at their limit and a block of
 * the hash lane costs nothing, auto takes a task whenever there is one.
 */
enum fx_pay_choice fx_pay_choose(const struct fx_pay_policy *policy,
                                 const struct fx_pay_chain *chain, const struct fx_pay_rates *rates,
                                 const struct fx_pay_task *tasks, size_t n);

#endif
