/* A regtest chain in a folder, and blocks for it: coins of one key, a task through its life, blocks
 * of both lanes. */
#ifndef FX_QA_UNIT_CHAIN_KIT_H
#define FX_QA_UNIT_CHAIN_KIT_H

#include "qa/unit/consensus/job.h"
#include "src/chain/chain.h"

#define KIT_TX_MAX 16

struct kit {
    struct fx_chain *chain;
    const struct fx_params *params;
    struct fx_pool *pool; /* NULL; a test that sets it reopens, and destroys it after closing */
    uint64_t prune;       /* likewise: with small files, and pruned so from the next opening on */
    struct fx_test_key miner, client, solver;
    struct fx_test_job job; /* one brick */
    int64_t fee;            /* that the task's transactions leave beside what they burn; 1,000 */
};

/* Opens the chain of dir; the mock clock stands well above regtest's genesis. cache_bytes 0: the
 * state is flushed after each block. */
void kit_open(struct kit *kit, const char *dir, size_t cache_bytes);
void kit_close(struct kit *kit);
void kit_reopen(struct kit *kit, const char *dir, size_t cache_bytes);

/* A block in the making. */
struct kit_block {
    const struct fx_index *parent;
    uint32_t height;
    unsigned salt; /* siblings of one parent need different ones */
    uint32_t wait; /* seconds after the parent; 0: one */
    int64_t value; /* what the coinbase pays to the miner key; -1: the full subsidy */
    int64_t fees;
    struct fx_tx *txs[KIT_TX_MAX]; /* the block takes the references */
    size_t n_txs;
    /* job lane, where task is not zero */
    struct fx_outpoint task;
    struct fx_span preimage;
    const struct fx_outpoint *backing;
    size_t n_backing;
};

/* The solved block; the caller owns it. */
struct fx_block *kit_make(const struct kit *kit, struct kit_block *spec);
/* Makes a block on the tip and has it accepted as the new tip. */
const struct fx_index *kit_mine(struct kit *kit, struct kit_block *spec);
const struct fx_index *kit_mine_empty(struct kit *kit, unsigned n);
/* Accepts a block that must be valid; its entry. */
const struct fx_index *kit_accept(struct kit *kit, const struct fx_block *block);

/* A coin of the miner key (or another's, where script says so) to spend. */
struct kit_coin {
    struct fx_outpoint outpoint;
    int64_t value;
    uint32_t height;
};

/* What the coinbase at this height of the best chain pays. */
struct kit_coin kit_coinbase(struct kit *kit, uint32_t height);
/* Output `index` of tx, as a coin of the miner key. */
struct kit_coin kit_output(const struct fx_tx *tx, uint32_t index, uint32_t height);
/* Spends a coin to `outputs` equal outputs of the miner key, leaving fee. */
struct fx_tx *kit_pay(const struct kit *kit, const struct kit_coin *coin, unsigned outputs,
                      int64_t fee);

/* The task's three transactions; each leaves kit->fee beside what it burns. */
struct fx_tx *kit_fund(const struct kit *kit, const struct kit_coin *coin, int64_t escrow);
struct fx_tx *kit_claim(const struct kit *kit, const struct fx_tx *fund, uint32_t h0,
                        const struct kit_coin *bond, int64_t burn);
struct fx_tx *kit_accept_claim(const struct kit *kit, const struct fx_tx *fund,
                               const struct fx_tx *claim, uint32_t claim_height, int64_t burn);
/* The preimage of the funded output. */
void kit_preimage(const struct kit *kit, struct fx_buf *preimage);

struct fx_txoutset kit_set(struct kit *kit);
void kit_check_same_set(const struct fx_txoutset *a, const struct fx_txoutset *b);

#endif
