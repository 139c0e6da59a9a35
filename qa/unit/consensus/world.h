/* A small world for tests of the rules: a view that answers from lists, keys that sign, and blocks
 * that are put together from parts. */
#ifndef FORNAX_QA_UNIT_CONSENSUS_WORLD_H
#define FORNAX_QA_UNIT_CONSENSUS_WORLD_H

#include "consensus/commit.h"
#include "consensus/connect.h"

#define WORLD_COINS 64
#define WORLD_RECORDS 64
#define WORLD_TIME0                                                              \
    INT64_C(1800000000) /* median time of height 0; 600 seconds a block after it \
                         */

struct world_coin {
    struct fx_outpoint outpoint;
    struct fx_coin coin;
};

struct world_record {
    struct fx_outpoint origin;
    struct fx_task_record record;
};

struct world {
    const struct fx_params *params;
    uint32_t height; /* of the block that is judged */
    struct world_coin coins[WORLD_COINS];
    size_t n_coins;
    struct world_record records[WORLD_RECORDS];
    size_t n_records;
    uint32_t job_height; /* one ancestor of the job lane, or 0 */
    struct fx_hash job_solver;
    bool coin_fails, record_fails, settled_fails, ancestor_fails;
    struct fx_view view;
};

void world_init(struct world *w, uint32_t height);
void world_clear(struct world *w);
int64_t world_median_time(uint32_t height);
struct fx_connect_context world_context(const struct world *w);
/* Adds a coin with an outpoint of its own; the script is copied. */
struct fx_outpoint world_add_coin(struct world *w, int64_t value, uint32_t height, bool coinbase,
                                  const void *script, size_t n);
void world_add_record(struct world *w, const struct fx_outpoint *origin,
                      const struct fx_task_record *record);

/* Key number n: its x-only public key, its compressed key, and signatures by it. */
void world_key(unsigned n, struct fx_hash *x_only);
void world_key_full(unsigned n, uint8_t compressed[33], uint8_t uncompressed[65]);
void world_sign(unsigned n, const struct fx_hash *hash, uint8_t signature[64]);
/* DER, without a hash type. Returns the length. */
size_t world_sign_ecdsa(unsigned n, const struct fx_hash *hash, uint8_t der[72]);
/* The P2TR script whose output key is key n, taken as it is. */
void world_p2tr(unsigned n, uint8_t script[34]);

/* A coinbase of this height with one output of `value` to OP_TRUE. */
void world_coinbase(struct fx_txb *b, uint32_t height, int64_t value);
/* Adds the witness commitment for these transactions (txs[0], the coinbase, is not looked at), and
 * the reserved value. */
void world_commit(struct fx_txb *coinbase, struct fx_tx *const *txs, size_t n_txs);
/* A hash-lane block of these transactions: takes over the reference of each. The header has the
 * right merkle root and meets no target. */
struct fx_block *world_block(struct fx_tx **txs, size_t n_txs);

/* The smallest job: one task of one brick, put up by the client of key WORLD_CLIENT. */
#define WORLD_CLIENT 20
#define WORLD_SOLVER 21

struct world_job {
    int8_t a[FX_BLOCK_BYTES], b[FX_BLOCK_BYTES];
    struct fx_gemm gemm;
    struct fx_buf body;
    struct fx_task_spec spec; /* views body */
    struct fx_buf preimage;   /* of the fresh task */
    uint8_t script[FX_TASK_SCRIPT_SIZE];
};

void world_job_init(struct world_job *job);
void world_job_clear(struct world_job *job);

/* What a job-lane block is made of; its coinbase names the task, the solver and the list. */
struct world_work {
    const struct world_job *job;
    struct fx_span preimage; /* of the task output, where it is not the fresh one */
    struct fx_outpoint outpoint;
    const struct fx_outpoint *backing;
    size_t n_backing;
};

/* The coinbase output of the work, by WORLD_SOLVER. */
void world_work_output(const struct world_work *work, struct fx_txb *coinbase);
/* A block whose ticket meets the regtest target. Takes over the reference of each transaction. */
struct fx_block *world_job_block(const struct world_work *work, struct fx_tx **txs, size_t n_txs);

/* Signs a P2TR input by key n. spent: the coins of all inputs of b; so below. */
void world_sign_p2tr(struct fx_txb *b, size_t in, const struct fx_coin *spent, unsigned key);
/* Pushes the action byte and the signature of key n; the rest of the witness is the caller's. */
void world_push_action(struct fx_txb *b, size_t in, const struct fx_coin *spent,
                       enum fx_task_action action, unsigned key);
/* The preimage and the script of the job's task as claimed by WORLD_SOLVER. */
void world_claimed(const struct world_job *job, const struct fx_outpoint *origin, uint64_t escrow,
                   uint64_t bond, uint64_t burn, struct fx_buf *preimage,
                   uint8_t script[FX_TASK_SCRIPT_SIZE]);
/* The whole witness of an accept, by WORLD_SOLVER and WORLD_CLIENT. */
void world_push_accept(struct fx_txb *b, size_t in, const struct fx_coin *spent,
                       const struct fx_buf *preimage);

#endif
