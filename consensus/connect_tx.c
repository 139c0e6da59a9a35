/* One transaction against the state: its coins, locks, fee and task spends. */
#include "consensus/connect.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "consensus/script_ops.h"
#include "consensus/sigops.h"
#include "src/util/mem.h"

#define SEQUENCE_UNIT_SHIFT 9 /* BIP68: units of 512 seconds */

static enum fx_result refuse(enum fx_verdict *why, enum fx_verdict verdict)
{
    *why = verdict;
    return FX_INVALID;
}

void fx_connected_tx_clear(struct fx_connected_tx *connected, size_t n_in)
{
    if (connected->spent != NULL) {
        for (size_t i = 0; i < n_in; i++) {
            fx_coin_clear(&connected->spent[i]);
        }
    }
    free(connected->spent);
    free(connected->spends);
    memset(connected, 0, sizeof *connected);
}

uint64_t fx_tx_sigops_cost(const struct fx_tx *tx, const struct fx_coin *spent)
{
    uint64_t cost = fx_tx_legacy_sigops(tx) * FX_WITNESS_SCALE;

    if (fx_tx_is_coinbase(tx)) {
        return cost;
    }
    for (size_t i = 0; i < tx->n_in; i++) {
        const struct fx_txin *in = &tx->in[i];
        struct fx_span script = fx_coin_script(&spent[i]);

        if (fx_script_is_p2sh(script)) {
            cost += fx_script_p2sh_sigops(in->script_sig) * FX_WITNESS_SCALE;
        }
        cost += fx_script_witness_sigops(in->script_sig, script, in->witness, in->n_witness);
    }
    return cost;
}

static enum fx_result fetch_coins(const struct fx_connect_context *context, const struct fx_tx *tx,
                                  struct fx_coin *spent, enum fx_verdict *why)
{
    const struct fx_view *view = context->view;

    for (size_t i = 0; i < tx->n_in; i++) {
        switch (view->coin(view->ctx, &tx->in[i].prevout, &spent[i])) {
        case FX_FOUND:
            break;
        case FX_MISSING:
            return refuse(why, FX_BAD_TXNS_INPUTS_MISSINGORSPENT);
        case FX_LOOKUP_FAILED:
            return FX_FAILED;
        }
    }
    return FX_VALID;
}

/* Bitcoin's CheckTxInputs, from the coins on. */
static enum fx_verdict check_amounts(const struct fx_connect_context *context,
                                     const struct fx_tx *tx, const struct fx_coin *spent,
                                     int64_t *fee)
{
    const struct fx_params *params = context->params;
    int64_t in = 0, out = 0;

    for (size_t i = 0; i < tx->n_in; i++) {
        const struct fx_coin *coin = &spent[i];

        if (coin->coinbase && context->height < (uint64_t)coin->height + FX_COINBASE_MATURITY) {
            return FX_BAD_TXNS_PREMATURE_SPEND;
        }
        if (!fx_money_range(params, coin->value)) {
            return FX_BAD_TXNS_INPUTVALUES_OUTOFRANGE;
        }
        /* Both are at most MAX_MONEY, so the sum fits; so does that of the outputs. */
        in += coin->value;
        if (!fx_money_range(params, in)) {
            return FX_BAD_TXNS_INPUTVALUES_OUTOFRANGE;
        }
    }
    for (size_t i = 0; i < tx->n_out; i++) {
        if (!fx_money_range(params, tx->out[i].value)) {
            return FX_BAD_TXNS_TXOUTTOTAL_TOOLARGE;
        }
        out += tx->out[i].value;
        if (!fx_money_range(params, out)) {
            return FX_BAD_TXNS_TXOUTTOTAL_TOOLARGE;
        }
    }
    if (in < out) {
        return FX_BAD_TXNS_IN_BELOWOUT;
    }
    *fee = in - out;
    return FX_OK;
}

/* The median time of the block before the one that the coin is in. */
static enum fx_result coin_time(const struct fx_connect_context *context,
                                const struct fx_coin *coin, int64_t *time)
{
    const struct fx_view *view = context->view;
    struct fx_ancestor ancestor;

    if (coin->height >= context->height) {
        *time = context->parent_median_time;
        return FX_VALID;
    }
    /* An ancestor of a coin's height exists: not to find it is a failure of the view. */
    if (view->ancestor(view->ctx, coin->height > 0 ? coin->height - 1 : 0, &ancestor) != FX_FOUND) {
        return FX_FAILED;
    }
    *time = ancestor.median_time;
    return FX_VALID;
}

/* BIP68 for one input. */
static enum fx_result is_locked(const struct fx_connect_context *context,
                                const struct fx_coin *coin, uint32_t sequence, bool *locked)
{
    int64_t lock = sequence & FX_SEQUENCE_LOCK_MASK, time;

    *locked = false;
    if ((sequence & FX_SEQUENCE_LOCK_DISABLE) != 0) {
        return FX_VALID;
    }
    if ((sequence & FX_SEQUENCE_LOCK_TIME) == 0) {
        *locked = coin->height + lock > (int64_t)context->height;
        return FX_VALID;
    }
    if (coin_time(context, coin, &time) != FX_VALID) {
        return FX_FAILED;
    }
    *locked = time + lock * (INT64_C(1) << SEQUENCE_UNIT_SHIFT) > context->parent_median_time;
    return FX_VALID;
}

/* BIP68. As Bitcoin Core has it, the reason is one in a block and another in the mempool. */
static enum fx_result check_sequence_locks(const struct fx_connect_context *context,
                                           const struct fx_tx *tx, const struct fx_coin *spent,
                                           enum fx_verdict *why)
{
    if ((uint32_t)tx->version < 2 ||
        (!context->relay && !fx_fork_binds(context->params, FX_FORK_CSV, context->height))) {
        return FX_VALID;
    }
    for (size_t i = 0; i < tx->n_in; i++) {
        bool locked;

        if (is_locked(context, &spent[i], tx->in[i].sequence, &locked) != FX_VALID) {
            return FX_FAILED;
        }
        if (locked && context->relay) {
            return refuse(why, FX_BAD_TXNS_NONFINAL_SEQUENCE);
        }
        if (locked) {
            return refuse(why, FX_BAD_TXNS_NONFINAL);
        }
    }
    return FX_VALID;
}

static enum fx_result spend_tasks(const struct fx_connect_context *context, const struct fx_tx *tx,
                                  struct fx_record_delta *delta, struct fx_connected_tx *out,
                                  enum fx_verdict *why)
{
    struct fx_spend_context ctx = {.params = context->params,
                                   .view = context->view,
                                   .height = context->height,
                                   .tx = tx,
                                   .spent = out->spent,
                                   .cache = &out->cache};

    if (!context->params->tasks) {
        return FX_VALID;
    }
    for (size_t i = 0; i < tx->n_in; i++) {
        struct fx_spend_result *spend;
        enum fx_result result;

        if (fx_script_classify(fx_coin_script(&out->spent[i])) != FX_SCRIPT_TASK) {
            continue;
        }
        out->spends = (struct fx_spend_result *)fx_xreallocarray(out->spends, out->n_spends + 1,
                                                                 sizeof *out->spends);
        spend = &out->spends[out->n_spends];
        result = fx_connect_spend(&ctx, i, delta, spend, why);
        if (result != FX_VALID) {
            return result;
        }
        out->n_spends++;
        out->challenges += spend->action == FX_ACTION_CHALLENGE ? 1 : 0;
        /* Once it is more than the fee it stays so: nothing wraps around. */
        if (out->burned <= (uint64_t)out->fee) {
            out->burned += spend->burned;
        }
    }
    if (out->burned > (uint64_t)out->fee) {
        return refuse(why, FX_BAD_TASK_BURN_FEE);
    }
    return FX_VALID;
}

static enum fx_result judge(const struct fx_connect_context *context, const struct fx_tx *tx,
                            struct fx_record_delta *delta, struct fx_connected_tx *out,
                            enum fx_verdict *why)
{
    enum fx_result result = fetch_coins(context, tx, out->spent, why);

    if (result != FX_VALID) {
        return result;
    }
    *why = check_amounts(context, tx, out->spent, &out->fee);
    if (*why != FX_OK) {
        return FX_INVALID;
    }
    result = check_sequence_locks(context, tx, out->spent, why);
    if (result != FX_VALID) {
        return result;
    }
    /* The hashes are signed by witnesses alone. */
    if (tx->has_witness) {
        fx_sighash_cache_init(&out->cache, tx, out->spent);
    }
    return spend_tasks(context, tx, delta, out, why);
}

enum fx_result fx_connect_tx(const struct fx_connect_context *context, const struct fx_tx *tx,
                             struct fx_record_delta *delta, struct fx_connected_tx *out,
                             enum fx_verdict *why)
{
    enum fx_result result;

    *why = FX_OK;
    memset(out, 0, sizeof *out);
    out->spent = (struct fx_coin *)fx_xcalloc(tx->n_in + 1, sizeof *out->spent);
    result = judge(context, tx, delta, out, why);
    if (result != FX_VALID) {
        fx_connected_tx_clear(out, tx->n_in);
    }
    return result;
}
