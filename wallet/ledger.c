/* The transactions of a wallet, what they spend, and which of them another one excludes. */
#include "wallet/wallet_int.h"

#include <stdlib.h>
#include <string.h>

#include "src/sys/random.h"
#include "src/util/mem.h"

void fx_ledger_open(struct fx_wallet *wallet)
{
    uint64_t k0 = fx_random_u64(), k1 = fx_random_u64();
    wallet->txs = fx_map_create(sizeof(struct fx_hash), k0, k1);
    wallet->spenders = fx_map_create(FX_OUTPOINT_SIZE, k0, k1);
    wallet->reserved = fx_map_create(FX_OUTPOINT_SIZE, k0, k1);
}

static void free_tx(struct fx_wallet_tx *wtx)
{
    fx_tx_unref(wtx->tx);
    free(wtx->comment);
    free(wtx);
}

static void free_spenders(void *value)
{
    struct fx_spenders *spenders = value;
    free(spenders->at);
    free(spenders);
}

void fx_ledger_close(struct fx_wallet *wallet)
{
    for (size_t i = 0; i < wallet->n_txs; i++) {
        free_tx(wallet->in_order[i]);
    }
    free(wallet->in_order);
    free(wallet->outputs);
    fx_map_destroy(wallet->txs, NULL);
    fx_map_destroy(wallet->spenders, free_spenders);
    fx_map_destroy(wallet->reserved, NULL);
}

struct fx_wallet_tx *fx_ledger_find(const struct fx_wallet *wallet, const struct fx_hash *txid)
{
    return fx_map_get(wallet->txs, txid->b);
}

static struct fx_spenders *spenders_of(const struct fx_wallet *wallet, const struct fx_outpoint *o)
{
    uint8_t key[FX_OUTPOINT_SIZE];
    fx_outpoint_key(o, key);
    return fx_map_get(wallet->spenders, key);
}

static void add_spender(struct fx_wallet *wallet, const struct fx_outpoint *o,
                        struct fx_wallet_tx *wtx)
{
    struct fx_spenders *spenders = spenders_of(wallet, o);
    if (!spenders) {
        uint8_t key[FX_OUTPOINT_SIZE];
        fx_outpoint_key(o, key);
        spenders = fx_xcalloc(1, sizeof(*spenders));
        fx_map_put(wallet->spenders, key, spenders);
    }
    spenders->at = fx_xreallocarray(spenders->at, spenders->n + 1, sizeof(struct fx_wallet_tx *));
    spenders->at[spenders->n++] = wtx;
}

void fx_ledger_add(struct fx_wallet *wallet, struct fx_wallet_tx *wtx)
{
    const struct fx_tx *tx = wtx->tx;
    if (wallet->n_txs == wallet->cap_txs) {
        wallet->cap_txs = wallet->cap_txs ? wallet->cap_txs * 2 : 16;
        wallet->in_order =
            fx_xreallocarray(wallet->in_order, wallet->cap_txs, sizeof(struct fx_wallet_tx *));
    }
    wallet->in_order[wallet->n_txs++] = wtx;
    if (wtx->order > wallet->last_order) {
        wallet->last_order = wtx->order;
    }
    fx_map_put(wallet->txs, tx->txid.b, wtx);
    for (size_t i = 0; i < tx->n_in && !fx_tx_is_coinbase(tx); i++) {
        add_spender(wallet, &tx->in[i].prevout, wtx);
    }
    for (size_t i = 0; i < tx->n_out; i++) {
        if (!fx_keys_of_script(wallet, tx->out[i].script)) {
            continue;
        }
        if (wallet->n_outputs == wallet->cap_outputs) {
            wallet->cap_outputs = wallet->cap_outputs ? wallet->cap_outputs * 2 : 16;
            wallet->outputs =
                fx_xreallocarray(wallet->outputs, wallet->cap_outputs, sizeof(*wallet->outputs));
        }
        wallet->outputs[wallet->n_outputs++] = (struct fx_own_output){wtx, (uint32_t)i};
    }
}

void fx_ledger_remove(struct fx_wallet *wallet, struct fx_wallet_tx *wtx)
{
    const struct fx_tx *tx = wtx->tx;
    size_t kept = 0;
    for (size_t i = 0; i < wallet->n_txs; i++) {
        if (wallet->in_order[i] != wtx) {
            wallet->in_order[kept++] = wallet->in_order[i];
        }
    }
    wallet->n_txs = kept;
    kept = 0;
    for (size_t i = 0; i < wallet->n_outputs; i++) {
        if (wallet->outputs[i].wtx != wtx) {
            wallet->outputs[kept++] = wallet->outputs[i];
        }
    }
    wallet->n_outputs = kept;
    fx_map_remove(wallet->txs, tx->txid.b);
    for (size_t i = 0; i < tx->n_in; i++) {
        struct fx_spenders *spenders = spenders_of(wallet, &tx->in[i].prevout);
        for (size_t j = 0; spenders && j < spenders->n; j++) {
            if (spenders->at[j] == wtx) {
                spenders->at[j] = spenders->at[--spenders->n];
                break;
            }
        }
    }
    free_tx(wtx);
}

bool fx_ledger_own_output(const struct fx_wallet *wallet, const struct fx_outpoint *outpoint,
                          int64_t *value)
{
    const struct fx_wallet_tx *wtx = fx_ledger_find(wallet, &outpoint->txid);
    if (!wtx || outpoint->index >= wtx->tx->n_out) {
        return false;
    }
    const struct fx_txout *out = &wtx->tx->out[outpoint->index];
    if (!fx_keys_of_script(wallet, out->script)) {
        return false;
    }
    if (value) {
        *value = out->value;
    }
    return true;
}

bool fx_ledger_is_pending(const struct fx_wallet_tx *wtx)
{
    return wtx->height == 0 && wtx->conflict_height == 0 && !wtx->abandoned;
}

/* An own transaction keeps its inputs while it may still confirm, in the pool or not. */
static bool has_hash(const struct fx_hash *list, size_t n, const struct fx_hash *hash)
{
    for (size_t i = 0; i < n; i++) {
        if (fx_hash_equal(&list[i], hash)) {
            return true;
        }
    }
    return false;
}

size_t fx_wallet_conflicts(const struct fx_wallet *wallet, const struct fx_tx *tx,
                           struct fx_hash **ids)
{
    size_t n = 0;
    *ids = NULL;
    for (size_t i = 0; i < tx->n_in; i++) {
        const struct fx_spenders *spenders = spenders_of(wallet, &tx->in[i].prevout);
        for (size_t j = 0; spenders && j < spenders->n; j++) {
            const struct fx_hash *id = &spenders->at[j]->tx->txid;
            if (!fx_hash_equal(id, &tx->txid) && !has_hash(*ids, n, id)) {
                *ids = fx_xreallocarray(*ids, n + 1, sizeof(**ids));
                (*ids)[n++] = *id;
            }
        }
    }
    return n;
}

bool fx_ledger_is_spent(const struct fx_wallet *wallet, const struct fx_outpoint *outpoint)
{
    const struct fx_spenders *spenders = spenders_of(wallet, outpoint);
    for (size_t i = 0; spenders && i < spenders->n; i++) {
        const struct fx_wallet_tx *wtx = spenders->at[i];
        if (wtx->height > 0 || (fx_ledger_is_pending(wtx) && (wtx->own || wtx->in_mempool))) {
            return true;
        }
    }
    return false;
}

int64_t fx_ledger_debit(const struct fx_wallet *wallet, const struct fx_tx *tx, bool *all)
{
    int64_t debit = 0, value;
    *all = true;
    for (size_t i = 0; i < tx->n_in; i++) {
        if (fx_ledger_own_output(wallet, &tx->in[i].prevout, &value)) {
            debit += value; /* own coins are in range together: money is */
        } else {
            *all = false;
        }
    }
    return debit;
}

/* The wallet's transactions that spend outputs of this one. */
static void each_child(struct fx_wallet *wallet, const struct fx_wallet_tx *wtx,
                       void (*visit)(struct fx_wallet *wallet, struct fx_wallet_tx *child,
                                     const void *arg),
                       const void *arg)
{
    for (size_t i = 0; i < wtx->tx->n_out; i++) {
        struct fx_outpoint out = {wtx->tx->txid, (uint32_t)i};
        const struct fx_spenders *spenders = spenders_of(wallet, &out);
        for (size_t j = 0; spenders && j < spenders->n; j++) {
            visit(wallet, spenders->at[j], arg);
        }
    }
}

struct conflict {
    uint32_t height;
    const struct fx_hash *block;
};

static void mark_conflict(struct fx_wallet *wallet, struct fx_wallet_tx *wtx, const void *arg)
{
    const struct conflict *conflict = arg;
    if (wtx->height > 0 || wtx->conflict_height > 0) {
        return;
    }
    wtx->conflict_height = conflict->height;
    wtx->conflict_block = *conflict->block;
    fx_store_put_tx(wallet, wtx, false);
    each_child(wallet, wtx, mark_conflict, arg);
}

void fx_ledger_mark_conflict(struct fx_wallet *wallet, struct fx_wallet_tx *wtx, uint32_t height,
                             const struct fx_hash *block)
{
    struct conflict conflict = {height, block};
    mark_conflict(wallet, wtx, &conflict);
}

static void mark_abandoned(struct fx_wallet *wallet, struct fx_wallet_tx *wtx, const void *arg)
{
    if (wtx->height > 0 || wtx->abandoned) {
        return;
    }
    wtx->abandoned = true;
    fx_store_put_tx(wallet, wtx, false);
    if (wallet->set->net) {
        fx_net_forget_tx(wallet->set->net, &wtx->tx->txid);
    }
    each_child(wallet, wtx, mark_abandoned, arg);
}

void fx_ledger_mark_abandoned(struct fx_wallet *wallet, struct fx_wallet_tx *wtx)
{
    mark_abandoned(wallet, wtx, NULL);
}
