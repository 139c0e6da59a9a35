/* Own transactions on their way: recorded, submitted, relayed, submitted again. */
#include "wallet/wallet_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/util/mem.h"
#include "wallet/fund_int.h"

/* Tips in a row at which the rules may refuse an own transaction before its coins are free again.
 */
#define REFUSALS_MAX 12

static void release_inputs(struct fx_wallet *wallet, const struct fx_tx *tx)
{
    struct fx_txb b;
    fx_txb_from_tx(&b, tx);
    fx_wallet_release(wallet, &b);
    fx_txb_clear(&b);
}

/* In the pool now, or it was already. */
static bool submit(struct fx_wallet *wallet, struct fx_wallet_tx *wtx, struct fx_accept *accept)
{
    struct fx_wallets *set = wallet->set;
    const struct fx_hash *txid = &wtx->tx->txid;
    if (!fx_mempool_get(set->mempool, txid)) {
        fx_mempool_accept(set->mempool, wtx->tx, false, accept);
    }
    struct fx_mempool_entry entry;
    if (!fx_mempool_entry(set->mempool, txid, &entry)) {
        return false;
    }
    wtx->in_mempool = true;
    wtx->refusals = 0;
    if (wtx->fee != entry.fee) {
        wtx->fee = entry.fee;
        fx_store_put_tx(wallet, wtx, false);
    }
    if (set->net) {
        fx_net_relay_tx(set->net, wtx->tx);
    }
    return true;
}

static bool record(struct fx_wallet *wallet, const struct fx_tx *tx, const char *comment,
                   struct fx_wallet_tx **out)
{
    struct fx_wallet_tx *wtx = fx_ledger_find(wallet, &tx->txid);
    if (!wtx) {
        wtx = fx_xcalloc(1, sizeof(*wtx));
        wtx->tx = fx_tx_ref(tx);
        wtx->order = wallet->last_order + 1;
        wtx->time = fx_clock_now();
        wtx->fee = -1;
        fx_ledger_add(wallet, wtx);
    }
    if (comment && *comment) {
        free(wtx->comment);
        wtx->comment = fx_xstrdup(comment);
    }
    wtx->own = true;
    wtx->abandoned = false;
    *out = wtx;
    return fx_store_put_tx(wallet, wtx, true);
}

bool fx_wallet_commit(struct fx_wallet *wallet, const struct fx_tx *tx, const char *comment,
                      struct fx_wallet_error *error)
{
    struct fx_wallet_tx *wtx;
    bool known = fx_ledger_find(wallet, &tx->txid) != NULL;
    bool ok = record(wallet, tx, comment, &wtx);
    struct fx_accept accept = {.reason = "the wallet cannot be written"};
    release_inputs(wallet, tx);
    if (ok && submit(wallet, wtx, &accept)) {
        return true;
    }
    if (!known) {
        struct fx_hash txid = tx->txid;
        fx_ledger_remove(wallet, wtx);
        fx_store_delete_tx(wallet, &txid);
    }
    return fx_wallet_fail(error, FX_ERR_WALLET, "Transaction commit failed: %s", accept.reason);
}

bool fx_wallet_give_up(struct fx_wallet *wallet, const struct fx_hash *txid,
                       struct fx_wallet_error *error)
{
    struct fx_wallet_tx *wtx = fx_ledger_find(wallet, txid);
    if (!wtx || wtx->abandoned) {
        return true;
    }
    if (wtx->in_mempool || wtx->height > 0) {
        return fx_wallet_fail(error, FX_ERR_ADDRESS, "Transaction not eligible for abandonment");
    }
    fx_ledger_mark_abandoned(wallet, wtx);
    return true;
}

bool fx_wallet_abandon(struct fx_wallet *wallet, const struct fx_hash *txid,
                       struct fx_wallet_error *error)
{
    const struct fx_wallet_tx *wtx = fx_ledger_find(wallet, txid);
    if (!wtx) {
        return fx_wallet_fail(error, FX_ERR_ADDRESS, "Invalid or non-wallet transaction id");
    }
    if (wtx->conflict_height > 0 && !wtx->abandoned) { /* as Bitcoin Core has it */
        return fx_wallet_fail(error, FX_ERR_ADDRESS, "Transaction not eligible for abandonment");
    }
    return fx_wallet_give_up(wallet, txid, error);
}

bool fx_send_funded(struct fx_wallet *wallet, struct fx_txb *b, const char *comment,
                    struct fx_hash *txid, struct fx_wallet_error *error)
{
    struct fx_coin *spent = NULL;
    bool ok =
        fx_wallet_spent_coins(wallet, b, &spent, error) && fx_wallet_sign(wallet, b, spent, error);
    if (ok) {
        struct fx_tx *tx = fx_txb_build(b);
        ok = fx_wallet_commit(wallet, tx, comment, error);
        *txid = tx->txid;
        fx_tx_unref(tx);
    } else {
        fx_wallet_release(wallet, b);
    }
    for (size_t i = 0; spent && i < b->n_in; i++) {
        fx_coin_clear(&spent[i]);
    }
    free(spent);
    return ok;
}

bool fx_wallet_send(struct fx_wallet *wallet, struct fx_span script, int64_t amount,
                    int64_t fee_rate, bool subtract_fee, const char *comment, struct fx_hash *txid,
                    struct fx_wallet_error *error)
{
    struct fx_txb b;
    int64_t fee;
    if (amount <= 0 || amount > wallet->set->params->max_money) {
        return fx_wallet_fail(error, FX_ERR_PARAMETER, "Invalid amount for send");
    }
    fx_txb_init(&b);
    b.lock_time = fx_chain_tip(wallet->set->chain)->height; /* no use to a miner who rewrites it */
    fx_txb_add_out(&b, amount, script.data, script.len);
    struct fx_fund_terms terms = {.rate = fee_rate, .subtract_fee = subtract_fee};
    bool ok = fx_fund(wallet, &b, NULL, 0, &terms, &fee, error) &&
              fx_send_funded(wallet, &b, comment, txid, error);
    fx_txb_clear(&b);
    return ok;
}

/* ---- again ------------------------------------------------------------------------------------*/

/* Refused for what it is or spends, not for its fee or a lock time that will pass. */
static bool is_final_refusal(const struct fx_accept *accept)
{
    return accept->result == FX_INVALID && strncmp(accept->reason, "bad-", 4) == 0;
}

void fx_wallet_resubmit(struct fx_wallet *wallet)
{
    for (size_t i = 0; i < wallet->n_txs; i++) {
        struct fx_wallet_tx *wtx = wallet->in_order[i];
        if (!wtx->own || !fx_ledger_is_pending(wtx)) {
            continue;
        }
        struct fx_accept accept = {.result = FX_VALID};
        if (submit(wallet, wtx, &accept)) {
            continue;
        }
        char id[FX_HASH_HEX];
        fx_hash_to_id(&wtx->tx->txid, id);
        fx_log(FX_LOG_WALLET, "wallet \"%s\": %s is not taken: %s", wallet->name, id,
               accept.reason);
        wtx->refusals = is_final_refusal(&accept) ? wtx->refusals + 1 : 0;
        if (wtx->refusals >= REFUSALS_MAX) {
            fx_log_info("wallet \"%s\": gave up %s: %s", wallet->name, id, accept.reason);
            fx_ledger_mark_abandoned(wallet, wtx);
        }
    }
}
