/* Funding a transaction: coins for what it lacks, fee by size, change. */
#include "wallet/wallet_int.h"

#include <stdlib.h>

#include "consensus/script.h"
#include "src/util/amount.h"
#include "src/util/mem.h"
#include "wallet/fund_int.h"

#define INPUT_BASE 41  /* outpoint, empty script, sequence */
#define OWN_WITNESS 66 /* one item of 64 bytes */
#define OWN_INPUT_WEIGHT (INPUT_BASE * FX_WITNESS_SCALE + OWN_WITNESS)
#define CHANGE_OUTPUT_WEIGHT (43 * FX_WITNESS_SCALE)
#define DUST_P2TR 330
#define INPUTS_MAX 1500        /* keeps the weight below what is standard */
#define FEE_MAX (FX_COIN / 10) /* Bitcoin Core's -maxtxfee */

static int64_t fee_of(int64_t rate, size_t weight)
{
    int64_t vsize = (int64_t)((weight + FX_WITNESS_SCALE - 1) / FX_WITNESS_SCALE);
    return (rate * vsize + 999) / 1000;
}

/* Weight of the transaction once every own input is signed. */
static size_t weight_of(const struct fx_txb *tx, const struct fx_fund_input *others,
                        size_t n_others)
{
    size_t base = 4 + fx_var_size(tx->n_in) + fx_var_size(tx->n_out) + 4;
    for (size_t i = 0; i < tx->n_in; i++) {
        size_t script = tx->in[i].script_sig.len;
        base += 40 + fx_var_size(script) + script;
    }
    for (size_t i = 0; i < tx->n_out; i++) {
        size_t script = tx->out[i].script.len;
        base += 8 + fx_var_size(script) + script;
    }
    size_t weight = base * FX_WITNESS_SCALE + 2 + (tx->n_in - n_others) * OWN_WITNESS;
    for (size_t i = 0; i < n_others; i++) {
        weight += others[i].witness_weight;
    }
    return weight;
}

/* What the inputs that are there bring, and what the outputs take. */
static bool sums(const struct fx_wallet *wallet, const struct fx_txb *tx,
                 const struct fx_fund_input *others, size_t n_others, int64_t *in, int64_t *out,
                 struct fx_wallet_error *error)
{
    *in = *out = 0;
    for (size_t i = 0; i < tx->n_in; i++) {
        int64_t value = -1;
        for (size_t j = 0; j < n_others; j++) {
            if (others[j].in == i) {
                value = others[j].value;
            }
        }
        if (value < 0 && !fx_ledger_own_output(wallet, &tx->in[i].prevout, &value)) {
            return fx_wallet_fail(error, FX_ERR_WALLET, "Not found pre-selected input %zu", i);
        }
        if (!fx_amount_add(*in, value, in)) {
            return fx_wallet_fail(error, FX_ERR_WALLET, "Transaction amounts out of range");
        }
    }
    for (size_t i = 0; i < tx->n_out; i++) {
        if (tx->out[i].value < 0 || !fx_amount_add(*out, tx->out[i].value, out) ||
            *out > wallet->set->params->max_money) {
            return fx_wallet_fail(error, FX_ERR_WALLET, "Transaction amounts out of range");
        }
    }
    return true;
}

static bool is_in(const struct fx_txb *tx, const struct fx_outpoint *outpoint)
{
    for (size_t i = 0; i < tx->n_in; i++) {
        if (fx_outpoint_equal(&tx->in[i].prevout, outpoint)) {
            return true;
        }
    }
    return false;
}

static size_t list_candidates(const struct fx_wallet *wallet, const struct fx_txb *tx, int64_t rate,
                              unsigned min_conf, struct fx_candidate **out)
{
    struct fx_wallet_coin *coins;
    size_t n = fx_wallet_coins(wallet, &coins), kept = 0;
    int64_t input_fee = fee_of(rate, OWN_INPUT_WEIGHT);
    *out = fx_xcalloc(n + 1, sizeof(**out));
    for (size_t i = 0; i < n; i++) {
        const struct fx_wallet_coin *coin = &coins[i];
        const struct fx_wallet_tx *wtx = fx_ledger_find(wallet, &coin->outpoint.txid);
        if (!coin->spendable || !coin->safe || is_in(tx, &coin->outpoint) ||
            fx_wallet_depth(wallet, wtx) < (int32_t)min_conf) {
            continue;
        }
        (*out)[kept++] =
            (struct fx_candidate){coin->outpoint, coin->value, coin->value - input_fee};
    }
    free(coins);
    return kept;
}

/* Adds coins whose effective values reach target; what they are worth to *in. */
static bool add_coins(struct fx_wallet *wallet, struct fx_txb *tx, int64_t rate, int64_t target,
                      unsigned min_conf, int64_t *in, struct fx_wallet_error *error)
{
    int64_t no_change = fee_of(rate, CHANGE_OUTPUT_WEIGHT) + fee_of(rate, OWN_INPUT_WEIGHT);
    struct fx_candidate *candidates = NULL;
    size_t chosen = 0;
    /* Confirmed coins first: own unconfirmed change only where they are not enough. */
    for (unsigned conf = min_conf > 0 ? min_conf : 1; chosen == 0; conf = 0) {
        free(candidates);
        size_t n = list_candidates(wallet, tx, rate, conf, &candidates);
        chosen = fx_select_coins(candidates, n, target, no_change);
        if (conf == min_conf) {
            break;
        }
    }
    bool ok = chosen > 0 || fx_wallet_fail(error, FX_ERR_FUNDS, "Insufficient funds");
    if (ok && chosen > INPUTS_MAX) {
        ok = fx_wallet_fail(error, FX_ERR_WALLET,
                            "The inputs size exceeds the maximum weight. Please try sending a "
                            "smaller amount or manually consolidating your wallet's UTXOs");
    }
    for (size_t i = 0; ok && i < chosen; i++) {
        fx_txb_add_in(tx, &candidates[i].outpoint, FX_SEQUENCE_REPLACEABLE);
        *in += candidates[i].value;
    }
    free(candidates);
    return ok;
}

/* Takes inputs and outputs that were added away again. */
static void cut(struct fx_txb *tx, size_t n_in, size_t n_out)
{
    for (; tx->n_in > n_in; tx->n_in--) {
        fx_txb_clear_witness(tx, tx->n_in - 1);
        fx_buf_clear(&tx->in[tx->n_in - 1].script_sig);
    }
    for (; tx->n_out > n_out; tx->n_out--) {
        fx_buf_clear(&tx->out[tx->n_out - 1].script);
    }
}

/* Change as the last output, where it is worth more than it costs to make and to spend. */
static bool add_change(struct fx_wallet *wallet, struct fx_txb *tx, int64_t rate, int64_t excess,
                       struct fx_wallet_error *error)
{
    int64_t make = fee_of(rate, CHANGE_OUTPUT_WEIGHT), spend = fee_of(rate, OWN_INPUT_WEIGHT);
    int64_t change = excess - make;
    if (change < DUST_P2TR || change <= spend) {
        return true;
    }
    struct fx_hash key;
    uint8_t script[34];
    if (!fx_wallet_new_key(wallet, FX_KEY_CHANGE, NULL, &key, error)) {
        return false;
    }
    fx_script_p2tr(key.b, script);
    fx_txb_add_out(tx, change, script, sizeof(script));
    return true;
}

static bool fund(struct fx_wallet *wallet, struct fx_txb *tx, const struct fx_fund_input *others,
                 size_t n_others, const struct fx_fund_terms *terms, int64_t *fee,
                 struct fx_wallet_error *error)
{
    int64_t in, out, rate = terms->rate;
    if (!sums(wallet, tx, others, n_others, &in, &out, error)) {
        return false;
    }
    if (!fx_amount_add(out, terms->burned, &out)) {
        return fx_wallet_fail(error, FX_ERR_WALLET, "Transaction amounts out of range");
    }
    int64_t base_fee = fee_of(rate, weight_of(tx, others, n_others));
    int64_t lacks = out - in + (terms->subtract_fee ? 0 : base_fee);
    /* A coin's effective value pays for its own input; where the outputs pay the fee it is the
     * same sum, seen from the other side. */
    if (lacks > 0 && !add_coins(wallet, tx, terms->subtract_fee ? 0 : rate, lacks, terms->min_conf,
                                &in, error)) {
        return false;
    }
    int64_t needed = fee_of(rate, weight_of(tx, others, n_others));
    int64_t excess = in - out - (terms->subtract_fee ? 0 : needed);
    /* The count of inputs grows by two bytes above 252: what was chosen may fall short by a few
     * embers. */
    if (excess < 0 && !add_coins(wallet, tx, rate, -excess, terms->min_conf, &in, error)) {
        return false;
    }
    needed = fee_of(rate, weight_of(tx, others, n_others));
    excess = in - out - (terms->subtract_fee ? 0 : needed);
    if (excess < 0) {
        return fx_wallet_fail(error, FX_ERR_FUNDS, "Insufficient funds");
    }
    size_t n_out = tx->n_out;
    if (!add_change(wallet, tx, rate, excess, error)) {
        return false;
    }
    int64_t change = tx->n_out > n_out ? tx->out[n_out].value : 0;
    needed = fee_of(rate, weight_of(tx, others, n_others));
    if (terms->subtract_fee) {
        /* Change was cut by what making it costs; the recipient pays the rest of the fee. */
        int64_t have = in - out - change;
        struct fx_txb_out *first = &tx->out[0];
        if (needed > have) {
            first->value -= needed - have;
        }
        if (first->value < DUST_P2TR) {
            return fx_wallet_fail(error, FX_ERR_FUNDS,
                                  "The transaction amount is too small to pay the fee");
        }
        out = 0;
        for (size_t i = 0; i < n_out; i++) {
            out += tx->out[i].value;
        }
        out += terms->burned;
    } else if (change > 0) {
        tx->out[n_out].value = change = in - out - needed; /* rounding was in the fee's favour */
    }
    *fee = in - out - change + terms->burned;
    if (*fee - terms->burned > (terms->fee_max > 0 ? terms->fee_max : FEE_MAX)) {
        return fx_wallet_fail(error, FX_ERR_WALLET,
                              "Fee exceeds maximum configured by user (maxtxfee)");
    }
    return true;
}

bool fx_fund(struct fx_wallet *wallet, struct fx_txb *tx, const struct fx_fund_input *others,
             size_t n_others, const struct fx_fund_terms *given, int64_t *fee,
             struct fx_wallet_error *error)
{
    struct fx_fund_terms terms = *given;
    if (wallet->failed) {
        return fx_wallet_fail(error, FX_ERR_WALLET, "Error: the wallet cannot be written");
    }
    if (terms.rate <= 0) {
        terms.rate = fx_mempool_estimate(wallet->set->mempool, FX_FEE_TARGET);
    }
    if (terms.rate > FX_COIN || terms.burned < 0 || n_others > tx->n_in || tx->n_out == 0) {
        return fx_wallet_fail(error, FX_ERR_PARAMETER, "Invalid parameter for funding");
    }
    size_t n_in = tx->n_in, n_out = tx->n_out;
    if (!fund(wallet, tx, others, n_others, &terms, fee, error)) {
        cut(tx, n_in, n_out);
        return false;
    }
    for (size_t i = 0; i < tx->n_in; i++) {
        if (fx_ledger_own_output(wallet, &tx->in[i].prevout, NULL)) {
            fx_wallet_reserve(wallet, &tx->in[i].prevout);
        }
    }
    return true;
}

bool fx_wallet_fund(struct fx_wallet *wallet, struct fx_txb *tx, const struct fx_fund_input *others,
                    size_t n_others, int64_t fee_rate, int64_t burned, int64_t fee_max,
                    unsigned min_conf, int64_t *fee, struct fx_wallet_error *error)
{
    struct fx_fund_terms terms = {
        .rate = fee_rate, .burned = burned, .fee_max = fee_max, .min_conf = min_conf};
    return fx_fund(wallet, tx, others, n_others, &terms, fee, error);
}
