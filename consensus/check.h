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

/* The lowest time of a header of this place: above its parent's median, and BIP94's bound. */
int64_t fx_header_time_min(const struct fx_params *params, const struct fx_header_context *context);
/* The time alone. */
enum fx_verdict fx_check_header_time(const struct fx_params *params, const struct fx_header *header,
                                     const struct fx_header_context *context);
/* Lane, nBits, hash puzzle (hash lane), time. */
enum fx_verdict fx_check_header(const struct fx_params *params, const struct fx_header *header,
                                const struct fx_header_context *context);
/* CheckTransaction: counts, sizes, amounts, duplicate inputs, coinbase script length. */
enum fx_verdict fx_check_tx(const struct fx_params *params, const struct fx_tx *tx);
/* IsFinalTx for a block of this height and the median time of its parent (BIP113). */
bool fx_tx_is_final(const struct fx_tx *tx, uint32_t height, int64_t time);
/* Signature operations in the scripts that the transaction itself carries, as Bitcoin counted them
 * before P2SH (a multisig is 20). Each costs FX_WITNESS_SCALE. */
uint64_t fx_tx_legacy_sigops(const struct fx_tx *tx);
/* BIP34: what the coinbase's script must begin with. Returns its length. */
#define FX_CB_HEIGHT_SIZE 6
size_t fx_cb_height_script(uint32_t height, uint8_t script[FX_CB_HEIGHT_SIZE]);
/* What the bytes of a block alone say, for fx_check_block_at. */
struct fx_block_check {
    /* Each is looked at where those before it are FX_OK, and is zero where it was not. */
    enum fx_verdict merkle;
    enum fx_verdict transactions;
    struct fx_hash witness_root; /* where the coinbase commits to one */
    enum fx_result work;
    enum fx_verdict work_why;
};

/* The part that needs no place, and nearly all of the time: pure, may run on any thread. */
void fx_check_block_alone(const struct fx_params *params, const struct fx_block *block,
                          struct fx_block_check *check);
/* The rest, and the verdict. check: of fx_check_block_alone on this block. */
enum fx_result fx_check_block_at(const struct fx_params *params, const struct fx_block *block,
                                 const struct fx_block_check *check, uint32_t height,
                                 int64_t parent_median_time, enum fx_verdict *why);
/*
 * Both. CheckBlock and ContextualCheckBlock: merkle root (a mutated or mismatched copy, or one that
 * may pass off a level of the tree as transactions, is FX_INVALID_COPY), size, coinbase first and
 * only, BIP34 height, finality, witness commitment (the block id does not cover witnesses: a copy
 * too); then fx_check_work; last the weight, which condemns only on bytes that matched. Never
 * FX_FAILED.
 */
enum fx_result fx_check_block(const struct fx_params *params, const struct fx_block *block,
                              uint32_t height, int64_t parent_median_time, enum fx_verdict *why);

#endif
