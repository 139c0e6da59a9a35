/* Rules that need only the object itself and its place: headers, transactions, blocks. Bitcoin's,
 * with lanes. */
#ifndef FX_CONSENSUS_CHECK_H
#define FX_CONSENSUS_CHECK_H

#include "consensus/block.h"
#include "consensus/lane.h"

/* Where a header stands. */
struct fx_header_context {
    uint32_t height;
    const struct fx_lane_state *parent_lanes;
    int64_t parent_time;
    int64_t parent_median_time;
    int64_t now; /* the caller's clock, unix seconds */
};

/* Lane, nBits, hash puzzle (hash lane), time. */
enum fx_verdict fx_check_header(const struct fx_params *params, const struct fx_header *header,
                                const struct fx_header_context *context);
/* CheckTransaction: counts, sizes, amounts, duplicate inputs, coinbase script length. */
enum fx_verdict fx_check_tx(const struct fx_params *params, const struct fx_tx *tx);
/* IsFinalTx for a block of this height and the median time of its parent (BIP113). */
bool fx_tx_is_final(const struct fx_tx *tx, uint32_t height, int64_t time);
/*
 * CheckBlock and ContextualCheckBlock: merkle root (a mutated or mismatched copy is
 * FX_INVALID_COPY), size, weight, coinbase first and only, BIP34 height, finality, witness
 * commitment; then fx_check_work. Never FX_FAILED.
 */
enum fx_result fx_check_block(const struct fx_params *params, const struct fx_block *block,
                              uint32_t height, int64_t parent_median_time, enum fx_verdict *why);

#endif
