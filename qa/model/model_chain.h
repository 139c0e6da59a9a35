/* A chain in memory for the property test: coins, records and blocks above a base of empty blocks,
 * which go up and down through consensus/connect.h. */
#ifndef FX_QA_MODEL_MODEL_CHAIN_H
#define FX_QA_MODEL_MODEL_CHAIN_H

#include "consensus/connect.h"

struct fx_map;

/* A block above the base, with what undoing it needs. */
struct model_block {
    struct fx_block *block;
    struct fx_buf undo; /* as fx_undo_write gives it */
    unsigned lane;
    struct fx_hash solver;
    int64_t time, median_time;
};

struct model_chain {
    const struct fx_params *params;
    uint32_t base;       /* height of the last empty block below */
    int64_t time0, step; /* of those: time0 + height * step */
    struct fx_map *coins, *records;
    struct model_block *blocks; /* height base + 1 and up */
    size_t n_blocks, cap_blocks;
    struct fx_view view; /* ctx is the chain: it does not move */
};

void model_chain_init(struct model_chain *chain, uint32_t base, int64_t time0, int64_t step);
void model_chain_clear(struct model_chain *chain);
uint32_t model_chain_height(const struct model_chain *chain);
int64_t model_chain_median_time(const struct model_chain *chain); /* of the tip */
struct fx_hash model_chain_tip(const struct model_chain *chain);
/* Adds the outputs of a transaction that no block has, as coins of this height. */
void model_chain_add_coins(struct model_chain *chain, const struct fx_tx *tx, uint32_t height);
/*
 * Judges the block on the tip and, where it is valid and apply is set, makes it the tip (taking a
 * reference). On FX_VALID *out is the caller's to clear.
 */
enum fx_result model_chain_connect(struct model_chain *chain, struct fx_block *block, bool apply,
                                   struct fx_connected *out, enum fx_verdict *why);
/* Takes the tip away; false where its undo data does not fit. */
bool model_chain_disconnect(struct model_chain *chain);
/* Connects the same blocks on the same coins from the base on: is the outcome the same? The coins
 * are those of this transaction. */
bool model_chain_replay(const struct model_chain *chain, const struct fx_tx *funds,
                        uint32_t height);

#endif
