/*
 * One spend of a task output for tests: it starts valid, a test changes what it wants, and it is
 * run. The signature is made last, so that only what a test breaks is broken.
 */
#ifndef FX_QA_UNIT_CONSENSUS_SPEND_CASE_H
#define FX_QA_UNIT_CONSENSUS_SPEND_CASE_H

#include "consensus/spend.h"
#include "qa/unit/consensus/job.h"
#include "qa/unit/consensus/scene.h"
#include "qa/unit/harness.h"

#define ESCROW INT64_C(100000000)
#define BOND INT64_C(25000000)
#define BURN INT64_C(40000000)
#define H0 900u
#define H1 950u /* height of a claimed or challenged output */
#define IN 1    /* the task input's index: not 0, so that pairing by index shows */

/* What the output with the task input's index is. */
enum fx_case_pay { FX_CASE_PLAIN = 0, FX_CASE_TASK, FX_CASE_SOLVER };

struct fx_spend_case {
    struct fx_scene scene;
    struct fx_params params;
    struct fx_test_job job;
    struct fx_test_key client, solver, signer;
    uint32_t height;
    struct fx_task_shape shape;
    int32_t *result;

    struct fx_task task; /* what the spent output is a hash of */
    struct fx_outpoint outpoint;
    int64_t value;
    uint32_t coin_height;

    /* the transaction */
    int32_t version;
    uint32_t lock_time, sequence;
    uint8_t action, sign_as;
    enum fx_case_pay pay;
    struct fx_task next;    /* what a paired task output is a hash of */
    int64_t paid;           /* to the output with the task input's index */
    struct fx_buf items[4]; /* between signature and preimage */
    size_t n_items;
    struct fx_buf preimage;
    uint8_t signature[65]; /* room for one byte too many */

    /* how to break it */
    bool wrong_program, no_signature, script_sig, bad_signature;
    bool no_pair, no_second_output, wrong_pair;
    bool no_witness;
    uint8_t script_byte; /* changes the first byte of a solver's output script */
    bool long_script;
    size_t action_bytes, signature_bytes;

    struct fx_record_delta delta;
    struct fx_spend_result spent;
    enum fx_verdict why;
    struct fx_hash txid;
};

/* A valid spend by each action. The origin is outpoint 1; the outputs of claims are outpoint 2.
 * Where a claim is wrong, its entry (FX_CASE_ROW, FX_CASE_COLUMN) is. */
#define FX_CASE_ROW 203 /* absolute: in the second tile of the rectangle */
#define FX_CASE_COLUMN 199
void fx_case_begin_refund(struct fx_spend_case *s);
void fx_case_begin_claim(struct fx_spend_case *s);
void fx_case_begin_accept(struct fx_spend_case *s);
void fx_case_begin_take(struct fx_spend_case *s);
void fx_case_begin_fraud(struct fx_spend_case *s);
void fx_case_begin_challenge(struct fx_spend_case *s);
void fx_case_begin_answer(struct fx_spend_case *s);
void fx_case_begin_expire(struct fx_spend_case *s);
void fx_case_begin_reject(struct fx_spend_case *s);
/* The same from a challenged output, which has the client's deposit. */
void fx_case_begin_fraud_challenged(struct fx_spend_case *s);
void fx_case_begin_expire_challenged(struct fx_spend_case *s);
/* All of these: a case below FX_ACTIONS is the action of that number. */
#define FX_ACTIONS 9
#define FX_CASES (FX_ACTIONS + 2)
void fx_case_begin_any(struct fx_spend_case *s, unsigned number);
/* A claimed output with its record, and no action yet; the same challenged for its tile 1. */
void fx_case_begin_claimed(struct fx_spend_case *s);
void fx_case_begin_challenged(struct fx_spend_case *s);
/* The record of the task, as it stands before the spend; it must be there. */
struct fx_task_record *fx_case_record(struct fx_spend_case *s);
void fx_case_end(struct fx_spend_case *s);
/* After a change: of job.spec; of claimed, where the witness shall follow. */
void fx_case_sync_spec(struct fx_spend_case *s);
void fx_case_set_claim_item(struct fx_spend_case *s);
/* Fills the fields of a claim with the true result. */
void fx_case_solve(struct fx_spend_case *s, struct fx_task *claimed);
/* Appends the entry proof of a sample under the block at this height. */
void fx_case_add_sample(struct fx_spend_case *s, uint8_t number, uint32_t beacon_height);
/* The items of a fraud proof: of this entry; of an answer: of this tile. */
void fx_case_set_entry(struct fx_spend_case *s, uint32_t row, uint32_t column);
void fx_case_set_tile(struct fx_spend_case *s, uint32_t tile);
void fx_case_task_script(const struct fx_task *task, uint8_t script[FX_TASK_SCRIPT_SIZE]);
void fx_case_add_witness(struct fx_spend_case *s, struct fx_txb *b);
/* The transaction, signed, and the coins of its two inputs (the task's is coins[IN]), which the
 * caller clears; the first input's outpoint is 77. */
struct fx_tx *fx_case_build(struct fx_spend_case *s, struct fx_coin coins[2]);
/* Runs the spend as it now stands. */
enum fx_result fx_case_run(struct fx_spend_case *s);
/* The one record that the last run changed. */
const struct fx_record_change *fx_case_only_change(const struct fx_spend_case *s);

#define CHECK_VALID(s)                                                          \
    do {                                                                        \
        enum fx_result got_ = fx_case_run(s);                                   \
        if (got_ != FX_VALID) {                                                 \
            FX_FAIL("refused: %d, %s", (int)got_, fx_verdict_string((s)->why)); \
        }                                                                       \
        FX_CHECK_INT((s)->why, FX_OK);                                          \
    } while (0)

#define CHECK_REFUSED(s, reason)                             \
    do {                                                     \
        FX_CHECK_INT(fx_case_run(s), FX_INVALID);            \
        FX_CHECK_STR(fx_verdict_string((s)->why), (reason)); \
    } while (0)

/* One case: a valid spend, then this change, then this reject string. */
#define BREAK(begin_it, change, reason) \
    do {                                \
        struct fx_spend_case s;         \
        begin_it(&s);                   \
        change;                         \
        CHECK_REFUSED(&s, reason);      \
        fx_case_end(&s);                \
    } while (0)

#define KEEP(begin_it, change)  \
    do {                        \
        struct fx_spend_case s; \
        begin_it(&s);           \
        change;                 \
        CHECK_VALID(&s);        \
        fx_case_end(&s);        \
    } while (0)

#define BREAK_ANY(change, reason)                             \
    do {                                                      \
        for (unsigned case_ = 0; case_ < FX_CASES; case_++) { \
            struct fx_spend_case s;                           \
            fx_case_begin_any(&s, case_);                     \
            change;                                           \
            CHECK_REFUSED(&s, reason);                        \
            fx_case_end(&s);                                  \
        }                                                     \
    } while (0)

/* The same for all but the fraud proof of a claim that is not challenged, which nobody signs. */
#define BREAK_SIGNED(change, reason)                          \
    do {                                                      \
        for (unsigned case_ = 0; case_ < FX_CASES; case_++) { \
            struct fx_spend_case s;                           \
            if (case_ == FX_ACTION_FRAUD) {                   \
                continue;                                     \
            }                                                 \
            fx_case_begin_any(&s, case_);                     \
            change;                                           \
            CHECK_REFUSED(&s, reason);                        \
            fx_case_end(&s);                                  \
        }                                                     \
    } while (0)

#endif
