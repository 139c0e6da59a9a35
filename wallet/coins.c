/* Coins and balances. */
#include "wallet/wallet_int.h"

#include <stdlib.h>

#include "src/util/mem.h"

#define WORK_SPAN 2016
#define TRUST_DEPTH_MAX 25 /* generations of unconfirmed change */

int32_t fx_wallet_confirmations(const struct fx_wallet *wallet, const struct fx_wallet_tx *wtx)
{
    if (wtx->height > 0) {
        uint32_t tip = fx_chain_tip(wallet->set->chain)->height;
        return tip >= wtx->height ? (int32_t)(tip - wtx->height + 1) : 0;
    }
    return wtx->conflict_height > 0 ? -1 : 0;
}

/* The most work that any of the last blocks added; computed once a tip. */
static const struct fx_u256 *most_work(struct fx_wallets *set, const struct fx_index *tip)
{
    if (set->work_tip != tip) {
        set->work_tip = tip;
        set->work_most = fx_u256_one;
        const struct fx_index *at = tip;
        for (unsigned i = 0; i < WORK_SPAN && at->parent; i++, at = at->parent) {
            struct fx_u256 added;
            fx_u256_sub(&at->work, &at->parent->work, &added);
            set->work_most = fx_u256_max(&set->work_most, &added);
        }
    }
    return &set->work_most;
}

int32_t fx_wallet_depth(const struct fx_wallet *wallet, const struct fx_wallet_tx *wtx)
{
    int32_t blocks = fx_wallet_confirmations(wallet, wtx);
    const struct fx_index *tip = fx_chain_tip(wallet->set->chain);
    const struct fx_index *block = blocks > 0 ? fx_chain_at(wallet->set->chain, wtx->height) : NULL;
    if (!block) {
        return blocks;
    }
    struct fx_u256 since, depth, most = fx_u256_from_u64((uint64_t)blocks);
    fx_u256_sub(&tip->work, &block->work, &since);
    depth = fx_u256_div(&since, most_work(wallet->set, tip));
    fx_u256_add(&depth, &fx_u256_one, &depth);
    return fx_u256_cmp(&depth, &most) < 0 ? (int32_t)depth.w[0] : blocks;
}

bool fx_wallet_is_immature(const struct fx_wallet *wallet, const struct fx_wallet_tx *wtx)
{
    /* One block more than the rules ask, as Bitcoin Core's wallet does: a tip that is replaced does
     * not take a spend with it. */
    return fx_tx_is_coinbase(wtx->tx) &&
           fx_wallet_confirmations(wallet, wtx) < FX_COINBASE_MATURITY + 1;
}

static bool is_trusted(const struct fx_wallet *wallet, const struct fx_wallet_tx *wtx,
                       unsigned depth)
{
    if (wtx->height > 0) {
        return true;
    }
    if (!wtx->in_mempool || !wtx->own || depth == 0) {
        return false;
    }
    for (size_t i = 0; i < wtx->tx->n_in; i++) {
        const struct fx_outpoint *prevout = &wtx->tx->in[i].prevout;
        const struct fx_wallet_tx *parent = fx_ledger_find(wallet, &prevout->txid);
        if (!parent || !fx_ledger_own_output(wallet, prevout, NULL) ||
            !is_trusted(wallet, parent, depth - 1)) {
            return false;
        }
    }
    return true;
}

bool fx_wallet_is_trusted(const struct fx_wallet *wallet, const struct fx_wallet_tx *wtx)
{
    return is_trusted(wallet, wtx, TRUST_DEPTH_MAX);
}

bool fx_wallet_is_reserved(const struct fx_wallet *wallet, const struct fx_outpoint *outpoint)
{
    uint8_t key[FX_OUTPOINT_SIZE];
    fx_outpoint_key(outpoint, key);
    return fx_map_get(wallet->reserved, key) != NULL;
}

void fx_wallet_reserve(struct fx_wallet *wallet, const struct fx_outpoint *outpoint)
{
    uint8_t key[FX_OUTPOINT_SIZE];
    fx_outpoint_key(outpoint, key);
    fx_map_put(wallet->reserved, key, wallet);
}

void fx_wallet_release(struct fx_wallet *wallet, const struct fx_txb *tx)
{
    for (size_t i = 0; i < tx->n_in; i++) {
        uint8_t key[FX_OUTPOINT_SIZE];
        fx_outpoint_key(&tx->in[i].prevout, key);
        fx_map_remove(wallet->reserved, key);
    }
}

static bool exists(const struct fx_wallet_tx *wtx)
{
    return wtx->height > 0 || (wtx->in_mempool && fx_ledger_is_pending(wtx));
}

void fx_wallet_balance(const struct fx_wallet *wallet, struct fx_wallet_balance *balance)
{
    *balance = (struct fx_wallet_balance){0};
    for (size_t i = 0; i < wallet->n_outputs; i++) {
        const struct fx_own_output *own = &wallet->outputs[i];
        struct fx_outpoint outpoint = {own->wtx->tx->txid, own->vout};
        if (!exists(own->wtx) || fx_ledger_is_spent(wallet, &outpoint)) {
            continue;
        }
        int64_t value = own->wtx->tx->out[own->vout].value;
        if (fx_wallet_is_immature(wallet, own->wtx)) {
            balance->immature += value;
        } else if (fx_wallet_is_trusted(wallet, own->wtx)) {
            balance->trusted += value;
        } else {
            balance->pending += value;
        }
    }
}

size_t fx_wallet_coins(const struct fx_wallet *wallet, struct fx_wallet_coin **coins)
{
    size_t n = 0;
    *coins = fx_xcalloc(wallet->n_outputs + 1, sizeof(**coins));
    for (size_t i = 0; i < wallet->n_outputs; i++) {
        const struct fx_own_output *own = &wallet->outputs[i];
        const struct fx_wallet_tx *wtx = own->wtx;
        struct fx_outpoint outpoint = {wtx->tx->txid, own->vout};
        if (!exists(wtx) || fx_ledger_is_spent(wallet, &outpoint)) {
            continue;
        }
        (*coins)[n++] =
            (struct fx_wallet_coin){.outpoint = outpoint,
                                    .value = wtx->tx->out[own->vout].value,
                                    .script = wtx->tx->out[own->vout].script,
                                    .height = wtx->height,
                                    .confirmations = fx_wallet_confirmations(wallet, wtx),
                                    .coinbase = fx_tx_is_coinbase(wtx->tx),
                                    .spendable = !fx_wallet_is_immature(wallet, wtx) &&
                                                 !fx_wallet_is_reserved(wallet, &outpoint),
                                    .safe = fx_wallet_is_trusted(wallet, wtx)};
    }
    return n;
}
