/* What the chain and the pool show of a wallet's transactions: events, catching up, rescans. */
#include "wallet/wallet_int.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

/* Does the transaction pay to a watched key? Those found count as in use from now on. */
static bool touches_keys(struct fx_wallet *wallet, const struct fx_tx *tx)
{
    bool found = false;
    for (size_t i = 0; i < tx->n_out; i++) {
        struct fx_wallet_key *key = fx_keys_of_script(wallet, tx->out[i].script);
        if (key) {
            found = true;
            fx_keys_touch(wallet, key);
        }
    }
    return found;
}

/* A client's key shows in the announcement of its job only: a restored wallet learns it there. */
static void touch_client(struct fx_wallet *wallet, const struct fx_tx *tx)
{
    struct fx_task_spec spec;
    uint32_t first;
    if (tx->n_out == 0 || fx_script_classify(tx->out[0].script) != FX_SCRIPT_RETURN ||
        !fx_task_announcement_read(wallet->set->params, tx, &first, &spec)) {
        return;
    }
    struct fx_wallet_key *key = fx_keys_find(wallet, &spec.client);
    if (key) {
        fx_keys_touch(wallet, key);
    }
}

static bool spends_own(const struct fx_wallet *wallet, const struct fx_tx *tx)
{
    for (size_t i = 0; i < tx->n_in; i++) {
        if (fx_ledger_own_output(wallet, &tx->in[i].prevout, NULL)) {
            return true;
        }
    }
    return false;
}

/* Other transactions of the wallet that spend what this one, now in a block, spends. */
static void exclude_rivals(struct fx_wallet *wallet, const struct fx_tx *tx,
                           const struct fx_index *index)
{
    for (size_t i = 0; i < tx->n_in; i++) {
        uint8_t key[FX_OUTPOINT_SIZE];
        fx_outpoint_key(&tx->in[i].prevout, key);
        const struct fx_spenders *spenders = fx_map_get(wallet->spenders, key);
        for (size_t j = 0; spenders && j < spenders->n; j++) {
            if (!fx_hash_equal(&spenders->at[j]->tx->txid, &tx->txid)) {
                fx_ledger_mark_conflict(wallet, spenders->at[j], index->height, &index->id);
            }
        }
    }
}

static struct fx_wallet_tx *enter_tx(struct fx_wallet *wallet, const struct fx_tx *tx)
{
    struct fx_wallet_tx *wtx = fx_xcalloc(1, sizeof(*wtx));
    wtx->tx = fx_tx_ref(tx);
    wtx->order = wallet->last_order + 1;
    wtx->time = fx_clock_now();
    wtx->fee = -1;
    fx_ledger_add(wallet, wtx);
    return wtx;
}

void fx_scan_tx(struct fx_wallet *wallet, const struct fx_tx *tx, const struct fx_index *index)
{
    if (index && !fx_tx_is_coinbase(tx)) {
        exclude_rivals(wallet, tx, index);
    }
    struct fx_wallet_tx *wtx = fx_ledger_find(wallet, &tx->txid);
    bool pays = touches_keys(wallet, tx);
    if (!wtx && !pays && !spends_own(wallet, tx)) {
        return;
    }
    touch_client(wallet, tx);
    if (!wtx) {
        wtx = enter_tx(wallet, tx);
        if (index && index->header.time < wtx->time) {
            wtx->time = index->header.time; /* a rescan finds it long after it happened */
        }
    } else if (index && !fx_hash_equal(&wtx->tx->wtxid, &tx->wtxid)) {
        fx_tx_unref(wtx->tx); /* the witness that was mined is not the one that was sent */
        wtx->tx = fx_tx_ref(tx);
    }
    if (index) {
        wtx->height = index->height;
        wtx->block = index->id;
        wtx->conflict_height = 0;
        memset(&wtx->conflict_block, 0, sizeof(wtx->conflict_block));
        wtx->abandoned = false;
        wtx->in_mempool = false;
    } else {
        wtx->in_mempool = true;
        wtx->refusals = 0;
        wtx->abandoned = false;
    }
    fx_store_put_tx(wallet, wtx, false);
}

void fx_scan_block(struct fx_wallet *wallet, const struct fx_index *index,
                   const struct fx_block *block)
{
    for (size_t i = 0; i < block->n_txs; i++) {
        fx_scan_tx(wallet, block->txs[i], index);
    }
}

static void unconfirm(struct fx_wallet *wallet, struct fx_wallet_tx *wtx)
{
    wtx->height = 0;
    memset(&wtx->block, 0, sizeof(wtx->block));
    fx_store_put_tx(wallet, wtx, false);
}

static void forget_conflict(struct fx_wallet *wallet, struct fx_wallet_tx *wtx)
{
    wtx->conflict_height = 0;
    memset(&wtx->conflict_block, 0, sizeof(wtx->conflict_block));
    fx_store_put_tx(wallet, wtx, false);
}

void fx_scan_disconnect(struct fx_wallet *wallet, const struct fx_hash *block)
{
    for (size_t i = 0; i < wallet->n_txs; i++) {
        struct fx_wallet_tx *wtx = wallet->in_order[i];
        if (wtx->height > 0 && fx_hash_equal(&wtx->block, block)) {
            unconfirm(wallet, wtx);
        }
        if (wtx->conflict_height > 0 && fx_hash_equal(&wtx->conflict_block, block)) {
            forget_conflict(wallet, wtx);
        }
    }
}

/* ---- catching up ------------------------------------------------------------------------------*/

static bool on_chain(const struct fx_wallet *wallet, uint32_t height, const struct fx_hash *id)
{
    const struct fx_index *index = fx_chain_at(wallet->set->chain, height);
    return index && fx_hash_equal(&index->id, id);
}

/* Places in blocks that left the best chain while the wallet was not there. */
static void drop_stale_places(struct fx_wallet *wallet)
{
    for (size_t i = 0; i < wallet->n_txs; i++) {
        struct fx_wallet_tx *wtx = wallet->in_order[i];
        if (wtx->height > 0 && !on_chain(wallet, wtx->height, &wtx->block)) {
            unconfirm(wallet, wtx);
        }
        if (wtx->conflict_height > 0 &&
            !on_chain(wallet, wtx->conflict_height, &wtx->conflict_block)) {
            forget_conflict(wallet, wtx);
        }
    }
}

static bool scan_range(struct fx_wallet *wallet, uint32_t start, uint32_t stop)
{
    struct fx_chain *chain = wallet->set->chain;
    for (uint32_t height = start; height <= stop; height++) {
        const struct fx_index *index = fx_chain_at(chain, height);
        if (!index) {
            return true;
        }
        struct fx_block *block = fx_chain_read_block(chain, index);
        if (!block) {
            return false;
        }
        fx_scan_block(wallet, index, block);
        fx_block_unref(block);
    }
    return true;
}

static void scan_mempool(struct fx_wallet *wallet)
{
    struct fx_mempool_entry *entries;
    size_t n = fx_mempool_list(wallet->set->mempool, &entries);
    for (size_t i = 0; i < n; i++) {
        fx_scan_tx(wallet, entries[i].tx, NULL);
    }
    free(entries);
}

bool fx_scan_catch_up(struct fx_wallet *wallet, struct fx_wallet_error *error)
{
    struct fx_chain *chain = wallet->set->chain;
    const struct fx_index *tip = fx_chain_tip(chain), *fork = fx_store_fork(wallet);
    drop_stale_places(wallet);
    if (fork->height < tip->height) {
        fx_log_info("wallet \"%s\": reading blocks %u to %u", wallet->name, fork->height + 1,
                    tip->height);
    }
    if (fork->height < tip->height && fx_chain_pruned_height(chain) > fork->height) {
        return fx_wallet_fail(error, FX_ERR_WALLET,
                              "The wallet was last used before blocks that are pruned now: "
                              "-reindex fetches the whole chain again");
    }
    if (!scan_range(wallet, fork->height + 1, tip->height)) {
        return fx_wallet_fail(error, FX_ERR_WALLET,
                              "The wallet cannot catch up: blocks that it needs are not there");
    }
    scan_mempool(wallet);
    return fx_store_put_best(wallet, tip) ||
           fx_wallet_fail(error, FX_ERR_WALLET, "The wallet cannot be written");
}

bool fx_wallet_rescan(struct fx_wallet *wallet, uint32_t start, uint32_t stop,
                      struct fx_wallet_error *error)
{
    uint32_t tip = fx_chain_tip(wallet->set->chain)->height;
    if (start > tip) {
        return fx_wallet_fail(error, FX_ERR_PARAMETER, "Invalid start_height");
    }
    if (stop != UINT32_MAX && (stop > tip || stop < start)) {
        return fx_wallet_fail(error, FX_ERR_PARAMETER,
                              stop > tip ? "Invalid stop_height"
                                         : "stop_height must be greater than start_height");
    }
    if (!scan_range(wallet, start, stop < tip ? stop : tip)) {
        return fx_wallet_fail(error, FX_ERR_WALLET,
                              "Rescan failed. Potentially corrupted data files");
    }
    scan_mempool(wallet);
    return true;
}

uint32_t fx_wallet_height(const struct fx_wallet *wallet)
{
    return wallet->height;
}

int64_t fx_wallet_birthday(const struct fx_wallet *wallet)
{
    return wallet->birthday;
}

size_t fx_wallet_tx_count(const struct fx_wallet *wallet)
{
    return wallet->n_txs;
}
