/*
 * Rules that need the state: spending coins and tasks, and the reward. Nothing is changed here: the
 * result is a list of changes that the caller applies, and the list of script checks that the
 * caller runs, on one thread or many.
 */
#ifndef FX_CONSENSUS_CONNECT_H
#define FX_CONSENSUS_CONNECT_H

#include "consensus/check.h"
#include "consensus/script_check.h"
#include "consensus/spend.h"
#include "consensus/work.h"

/* What undoing a block needs. */
struct fx_undo {
    struct fx_coin *coins; /* spent by the transactions after the coinbase, input by input */
    size_t n_coins;
    struct fx_record_delta records;
};

void fx_undo_clear(struct fx_undo *undo);
void fx_undo_write(const struct fx_undo *undo, struct fx_buf *buf);
bool fx_undo_read(struct fx_reader *r, struct fx_undo *undo); /* false: cleared */

/* Somebody who runs script checks while fx_connect_block still lists them. */
struct fx_check_sink {
    void *ctx;
    /* The first n checks of the list are ready, and stay as they are. n never falls. */
    void (*ready)(void *ctx, const struct fx_script_check *checks, size_t n);
    /* The block is refused: after the return nobody looks at the checks. */
    void (*stop)(void *ctx);
};

struct fx_connect_context {
    const struct fx_params *params;
    const struct fx_view *view;
    uint32_t height;
    int64_t parent_median_time;
    bool relay; /* for the mempool, which keeps the rules of soft forks before they bind blocks */
    const struct fx_check_sink *sink; /* NULL: the caller takes the checks at the end */
};

struct fx_connected {
    struct fx_undo undo;
    struct fx_script_check *checks; /* view the block and undo.coins */
    size_t n_checks;
    struct fx_sighash_cache *caches; /* one a transaction after the coinbase */
    int64_t fees;
    int64_t burned;
    int64_t subsidy;
    uint64_t credit, burns; /* of the backing list */
};

/*
 * Judges a block that passed fx_check_block and applies nothing. On FX_VALID *out is filled and the
 * caller clears it; the verdict then still waits on the script checks. job_nbits: T_job on the
 * parent.
 */
enum fx_result fx_connect_block(const struct fx_connect_context *context,
                                const struct fx_block *block, uint32_t job_nbits,
                                struct fx_connected *out, enum fx_verdict *why);
void fx_connected_clear(struct fx_connected *connected);

/* One transaction, as fx_connect_block does it and as the mempool needs it. */
struct fx_connected_tx {
    struct fx_coin *spent; /* tx->n_in; owned */
    struct fx_sighash_cache cache;
    int64_t fee;
    uint64_t burned;
    struct fx_spend_result *spends; /* the task spends among the inputs; owned */
    size_t n_spends;
    size_t challenges; /* among the spends: the share of FX_BLOCK_CHALLENGES_MAX */
};

/*
 * Inputs exist (a coin of this block or of the mempool has the context's height or more), are
 * mature, amounts, BIP68, task spends with their record changes (into delta), fee at least what is
 * burned. Scripts of the other inputs are not run: make a fx_script_check each. On anything but
 * FX_VALID, *out is cleared and delta must be dropped.
 */
enum fx_result fx_connect_tx(const struct fx_connect_context *context, const struct fx_tx *tx,
                             struct fx_record_delta *delta, struct fx_connected_tx *out,
                             enum fx_verdict *why);
void fx_connected_tx_clear(struct fx_connected_tx *connected, size_t n_in);
/* The transaction's share of FX_BLOCK_SIGOPS_COST_MAX. spent: its inputs' coins; not looked at for
 * a coinbase. */
uint64_t fx_tx_sigops_cost(const struct fx_tx *tx, const struct fx_coin *spent);

#endif
