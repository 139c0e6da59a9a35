/* Rules that need only the object itself and its place: headers, transactions, blocks. */
#include "consensus/check.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/script_ops.h"
#include "consensus/sigops.h"
#include "consensus/work.h"
#include "src/util/mem.h"

#define COINBASE_SCRIPT_MIN 2
#define COINBASE_SCRIPT_MAX 100
#define TIMEWARP_SECONDS 600 /* BIP94 */

/* ---- headers ----------------------------------------------------------------------------- */

/* BIP34, BIP66 and BIP65 each made one version the lowest. */
static int32_t lowest_version(const struct fx_params *params, uint32_t height)
{
    if (fx_fork_binds(params, FX_FORK_CLTV, height)) {
        return 4;
    }
    if (fx_fork_binds(params, FX_FORK_DERSIG, height)) {
        return 3;
    }
    return fx_fork_binds(params, FX_FORK_HEIGHT, height) ? 2 : INT32_MIN;
}

int64_t fx_header_time_min(const struct fx_params *params, const struct fx_header_context *context)
{
    int64_t lowest = context->parent_median_time + 1;
    uint32_t period = params->timewarp_period;

    if (period != 0 && context->height % period == 0 &&
        context->parent_time - TIMEWARP_SECONDS > lowest) {
        lowest = context->parent_time - TIMEWARP_SECONDS;
    }
    return lowest;
}

enum fx_verdict fx_check_header_time(const struct fx_params *params, const struct fx_header *header,
                                     const struct fx_header_context *context)
{
    if (header->time <= context->parent_median_time) {
        return FX_TIME_TOO_OLD;
    }
    if (header->time < fx_header_time_min(params, context)) {
        return FX_TIME_TIMEWARP;
    }
    return header->time > context->now + params->max_future_seconds ? FX_TIME_TOO_NEW : FX_OK;
}

enum fx_verdict fx_check_header(const struct fx_params *params, const struct fx_header *header,
                                const struct fx_header_context *context)
{
    unsigned lane = fx_lane_of(params, header);
    uint32_t required[FX_LANES];
    enum fx_verdict time;
    struct fx_hash id;

    if (lane >= FX_LANES) {
        return FX_BAD_LANE;
    }
    fx_lane_targets(params, context->parent_lanes, context->parent_time, required);
    if (header->nbits != required[lane]) {
        return FX_BAD_DIFFBITS;
    }
    fx_header_id(header, &id);
    if (lane == FX_LANE_HASH && !fx_nbits_met(header->nbits, &id)) {
        return FX_HIGH_HASH;
    }
    time = fx_check_header_time(params, header, context);
    if (time != FX_OK) {
        return time;
    }
    return header->version < lowest_version(params, context->height) ? FX_BAD_VERSION : FX_OK;
}

/* ---- transactions ------------------------------------------------------------------------ */

static enum fx_verdict check_outputs(const struct fx_params *params, const struct fx_tx *tx)
{
    int64_t total = 0;

    for (size_t i = 0; i < tx->n_out; i++) {
        int64_t value = tx->out[i].value;

        if (value < 0) {
            return FX_BAD_TXNS_VOUT_NEGATIVE;
        }
        if (value > params->max_money) {
            return FX_BAD_TXNS_VOUT_TOOLARGE;
        }
        /* Both are at most MAX_MONEY, so the sum fits. */
        total += value;
        if (total > params->max_money) {
            return FX_BAD_TXNS_TXOUTTOTAL_TOOLARGE;
        }
    }
    return FX_OK;
}

static int compare_outpoints(const void *a, const void *b)
{
    return fx_outpoint_cmp((const struct fx_outpoint *)a, (const struct fx_outpoint *)b);
}

static bool spends_one_twice(const struct fx_tx *tx)
{
    struct fx_outpoint *sorted;
    bool twice = false;

    if (tx->n_in < 2) {
        return false;
    }
    sorted = (struct fx_outpoint *)fx_xcalloc(tx->n_in, sizeof *sorted);
    for (size_t i = 0; i < tx->n_in; i++) {
        sorted[i] = tx->in[i].prevout;
    }
    qsort(sorted, tx->n_in, sizeof *sorted, compare_outpoints);
    for (size_t i = 1; i < tx->n_in && !twice; i++) {
        twice = fx_outpoint_equal(&sorted[i - 1], &sorted[i]);
    }
    free(sorted);
    return twice;
}

enum fx_verdict fx_check_tx(const struct fx_params *params, const struct fx_tx *tx)
{
    enum fx_verdict verdict;

    if (tx->n_in == 0) {
        return FX_BAD_TXNS_VIN_EMPTY;
    }
    if (tx->n_out == 0) {
        return FX_BAD_TXNS_VOUT_EMPTY;
    }
    if (tx->base_size > FX_BLOCK_WEIGHT_MAX / FX_WITNESS_SCALE) {
        return FX_BAD_TXNS_OVERSIZE;
    }
    verdict = check_outputs(params, tx);
    if (verdict != FX_OK) {
        return verdict;
    }
    if (spends_one_twice(tx)) {
        return FX_BAD_TXNS_INPUTS_DUPLICATE;
    }
    if (fx_tx_is_coinbase(tx)) {
        size_t n = tx->in[0].script_sig.len;

        return n < COINBASE_SCRIPT_MIN || n > COINBASE_SCRIPT_MAX ? FX_BAD_CB_LENGTH : FX_OK;
    }
    for (size_t i = 0; i < tx->n_in; i++) {
        if (fx_outpoint_is_null(&tx->in[i].prevout)) {
            return FX_BAD_TXNS_PREVOUT_NULL;
        }
    }
    return FX_OK;
}

bool fx_tx_is_final(const struct fx_tx *tx, uint32_t height, int64_t time)
{
    int64_t limit = tx->lock_time < FX_LOCKTIME_THRESHOLD ? (int64_t)height : time;

    if (tx->lock_time == 0 || tx->lock_time < limit) {
        return true;
    }
    for (size_t i = 0; i < tx->n_in; i++) {
        if (tx->in[i].sequence != FX_SEQUENCE_FINAL) {
            return false;
        }
    }
    return true;
}

uint64_t fx_tx_legacy_sigops(const struct fx_tx *tx)
{
    uint64_t n = 0;

    for (size_t i = 0; i < tx->n_in; i++) {
        n += fx_script_sigops(tx->in[i].script_sig, false);
    }
    for (size_t i = 0; i < tx->n_out; i++) {
        n += fx_script_sigops(tx->out[i].script, false);
    }
    return n;
}

/* ---- blocks ------------------------------------------------------------------------------ */

size_t fx_cb_height_script(uint32_t height, uint8_t script[FX_CB_HEIGHT_SIZE])
{
    size_t n = 0;

    if (height == 0) {
        script[0] = 0;
        return 1;
    }
    if (height <= 16) {
        script[0] = (uint8_t)(0x50 + height);
        return 1;
    }
    /* A script number: little-endian, with a zero byte where the top bit would read as a sign. */
    for (uint32_t left = height; left > 0; left >>= 8) {
        script[++n] = (uint8_t)left;
    }
    if ((script[n] & 0x80) != 0) {
        script[++n] = 0;
    }
    script[0] = (uint8_t)n;
    return n + 1;
}

static bool begins_with_height(const struct fx_tx *coinbase, uint32_t height)
{
    uint8_t script[FX_CB_HEIGHT_SIZE];
    size_t n = fx_cb_height_script(height, script);
    struct fx_span sig = coinbase->in[0].script_sig;

    return sig.len >= n && memcmp(sig.data, script, n) == 0;
}

/* CVE-2017-12842: a level of the merkle tree passed off as the transactions, two hashes each. No
 * such pair reads as a coinbase. */
static bool may_be_inner_hashes(const struct fx_block *block)
{
    if (block->n_txs == 0 || fx_tx_is_coinbase(block->txs[0])) {
        return false;
    }
    for (size_t i = 0; i < block->n_txs; i++) {
        if (block->txs[i]->base_size == 2 * sizeof(struct fx_hash)) {
            return true;
        }
    }
    return false;
}

static enum fx_verdict check_merkle(const struct fx_block *block)
{
    struct fx_hash root;
    bool mutated;

    fx_block_merkle_root(block, &root, &mutated);
    if (!fx_hash_equal(&root, &block->header.merkle_root)) {
        return FX_BAD_TXNMRKLROOT;
    }
    if (mutated) {
        return FX_BAD_TXNS_DUPLICATE;
    }
    return may_be_inner_hashes(block) ? FX_BAD_CB_MISSING : FX_OK;
}

/* Bitcoin's CheckBlock, after the merkle root. */
static enum fx_verdict check_transactions(const struct fx_params *params,
                                          const struct fx_block *block)
{
    size_t stripped = FX_HEADER_SIZE + fx_var_size(block->n_txs);
    uint64_t sigops = 0;

    for (size_t i = 0; i < block->n_txs; i++) {
        stripped += block->txs[i]->base_size;
    }
    if (block->n_txs == 0 || stripped > FX_BLOCK_WEIGHT_MAX / FX_WITNESS_SCALE) {
        return FX_BAD_BLK_LENGTH;
    }
    if (!fx_tx_is_coinbase(block->txs[0])) {
        return FX_BAD_CB_MISSING;
    }
    for (size_t i = 1; i < block->n_txs; i++) {
        if (fx_tx_is_coinbase(block->txs[i])) {
            return FX_BAD_CB_MULTIPLE;
        }
    }
    for (size_t i = 0; i < block->n_txs; i++) {
        enum fx_verdict verdict = fx_check_tx(params, block->txs[i]);

        if (verdict != FX_OK) {
            return verdict;
        }
        sigops += fx_tx_legacy_sigops(block->txs[i]);
    }
    return sigops * FX_WITNESS_SCALE > FX_BLOCK_SIGOPS_COST_MAX ? FX_BAD_BLK_SIGOPS : FX_OK;
}

static enum fx_verdict check_place(const struct fx_params *params, const struct fx_block *block,
                                   uint32_t height, int64_t parent_median_time)
{
    int64_t time = fx_fork_binds(params, FX_FORK_CSV, height) ? parent_median_time
                                                              : (int64_t)block->header.time;

    for (size_t i = 0; i < block->n_txs; i++) {
        if (!fx_tx_is_final(block->txs[i], height, time)) {
            return FX_BAD_TXNS_NONFINAL;
        }
    }
    return !fx_fork_binds(params, FX_FORK_HEIGHT, height) ||
                   begins_with_height(block->txs[0], height)
               ? FX_OK
               : FX_BAD_CB_HEIGHT;
}

/* BIP141. Before it, no output is a commitment. */
static enum fx_verdict check_commitment(const struct fx_params *params,
                                        const struct fx_block *block, const struct fx_hash *root,
                                        uint32_t height)
{
    const struct fx_tx *coinbase = block->txs[0];
    int at =
        fx_fork_binds(params, FX_FORK_SEGWIT, height) ? fx_block_commitment_output(coinbase) : -1;
    struct fx_hash commitment;

    if (at < 0) {
        for (size_t i = 0; i < block->n_txs; i++) {
            if (block->txs[i]->has_witness) {
                return FX_UNEXPECTED_WITNESS;
            }
        }
        return FX_OK;
    }
    if (coinbase->in[0].n_witness != 1 || coinbase->in[0].witness[0].len != 32) {
        return FX_BAD_WITNESS_NONCE_SIZE;
    }
    fx_block_commitment_hash(root, coinbase->in[0].witness[0].data, &commitment);
    if (memcmp(coinbase->out[at].script.data + 6, commitment.b, sizeof commitment.b) != 0) {
        return FX_BAD_WITNESS_MERKLE_MATCH;
    }
    return FX_OK;
}

void fx_check_block_alone(const struct fx_params *params, const struct fx_block *block,
                          struct fx_block_check *check)
{
    memset(check, 0, sizeof *check);
    check->merkle = check_merkle(block);
    if (check->merkle != FX_OK) {
        return;
    }
    check->transactions = check_transactions(params, block);
    if (check->transactions != FX_OK) {
        return;
    }
    if (fx_block_commitment_output(block->txs[0]) >= 0) {
        fx_block_witness_root(block, &check->witness_root);
    }
    check->work = fx_check_work(params, block, &check->work_why);
}

enum fx_result fx_check_block_at(const struct fx_params *params, const struct fx_block *block,
                                 const struct fx_block_check *check, uint32_t height,
                                 int64_t parent_median_time, enum fx_verdict *why)
{
    *why = check->merkle;
    if (*why != FX_OK) {
        return FX_INVALID_COPY;
    }
    *why = check->transactions;
    if (*why == FX_OK) {
        *why = check_place(params, block, height, parent_median_time);
    }
    if (*why != FX_OK) {
        return FX_INVALID;
    }
    *why = check_commitment(params, block, &check->witness_root, height);
    if (*why != FX_OK) {
        return FX_INVALID_COPY;
    }
    *why = check->work_why;
    if (check->work != FX_VALID) {
        return check->work;
    }
    if (block->weight > FX_BLOCK_WEIGHT_MAX) {
        *why = FX_BAD_BLK_WEIGHT;
        return FX_INVALID;
    }
    return FX_VALID;
}

enum fx_result fx_check_block(const struct fx_params *params, const struct fx_block *block,
                              uint32_t height, int64_t parent_median_time, enum fx_verdict *why)
{
    struct fx_block_check check;

    fx_check_block_alone(params, block, &check);
    return fx_check_block_at(params, block, &check, height, parent_median_time, why);
}
