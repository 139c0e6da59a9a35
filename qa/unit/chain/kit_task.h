/* A task of the kit's job as it goes from output to output, by every action. Each function makes
 * one transaction, whose task input and paired output have index 0, and moves `at` to that output;
 * what is over goes to the miner key. It is the test that mines it, and says at which height. */
#ifndef FX_QA_UNIT_CHAIN_KIT_TASK_H
#define FX_QA_UNIT_CHAIN_KIT_TASK_H

#include "qa/unit/chain/kit.h"

struct kit_task {
    const struct kit *kit;
    struct fx_task task;  /* the preimage of the output; its spec views the kit's job */
    struct kit_coin coin; /* the output; its height is set by whoever mines it */
    int32_t *result;      /* of the claim */
};

/* The funded task in output 0 of fund. */
void kit_task_init(struct kit_task *at, const struct kit *kit, const struct fx_tx *fund,
                   uint32_t height);
void kit_task_clear(struct kit_task *at);

/* A claim whose result is wrong in one entry (KIT_WRONG), or right. */
#define KIT_WRONG_ROW 77
#define KIT_WRONG_COLUMN 5
struct fx_tx *kit_task_claim(struct kit_task *at, const struct kit_coin *bond, int64_t burn,
                             bool wrong);
struct fx_tx *kit_task_accept(struct kit_task *at);
/* beacon: the id of the block that the samples come from. */
struct fx_tx *kit_task_take(struct kit_task *at, const struct fx_hash *beacon);
/* The proof of the one wrong entry. */
struct fx_tx *kit_task_fraud(struct kit_task *at);
struct fx_tx *kit_task_challenge(struct kit_task *at, const struct kit_coin *deposit);
/* The deposit is burned: another coin has the fee. */
struct fx_tx *kit_task_answer(struct kit_task *at, const struct kit_coin *fee);
struct fx_tx *kit_task_expire(struct kit_task *at);
/* Escrow and bond are burned and paid back to the last ember: another coin has the fee. */
struct fx_tx *kit_task_reject(struct kit_task *at, const struct kit_coin *fee);
struct fx_tx *kit_task_refund(struct kit_task *at);

#endif
