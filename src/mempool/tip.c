/* What the chain does to the pool: mined, conflicting and outdated transactions leave it, those of
 * disconnected blocks come back. */
#include "src/mempool/mempool_int.h"

#include <stdlib.h>
#include <string.h>

#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

static void block_connected(void *ctx, const struct fx_index *index, const struct fx_block *block,
                            const struct fx_undo *undo)
{
    struct fx_mempool *pool = ctx;
    (void)index;
    (void)undo;
    for (size_t i = 0; i < block->n_txs; i++) {
        const struct fx_tx *tx = block->txs[i];
        struct fx_pool_entry *mined = fx_pool_find(pool, &tx->txid);
        if (mined) {
            fx_pool_remove(pool, mined, FX_REMOVED_BLOCK);
        }
        for (size_t j = 0; i > 0 && j < tx->n_in; j++) {
            struct fx_pool_entry *rival = fx_pool_spender(pool, &tx->in[j].prevout);
            if (rival) {
                fx_pool_remove_tree(pool, rival, FX_REMOVED_CONFLICT);
            }
        }
    }
    fx_pool_records_build(pool, pool->records);
    fx_pool_reap(pool);
}

/* Blocks go from the tip down: each one's transactions stand before those that went earlier. */
static void block_disconnected(void *ctx, const struct fx_index *index,
                               const struct fx_block *block, const struct fx_undo *undo)
{
    struct fx_mempool *pool = ctx;
    (void)index;
    (void)undo;
    pool->reorg = true;
    size_t n = block->n_txs - 1;
    if (n == 0) {
        return;
    }
    pool->disconnected = fx_xreallocarray(pool->disconnected, pool->n_disconnected + n,
                                          sizeof(pool->disconnected[0]));
    memmove(&pool->disconnected[n], pool->disconnected,
            pool->n_disconnected * sizeof(pool->disconnected[0]));
    for (size_t i = 0; i < n; i++) {
        pool->disconnected[i] = fx_tx_ref(block->txs[i + 1]);
        pool->disconnected_bytes += block->txs[i + 1]->total_size;
    }
    pool->n_disconnected += n;
    while (pool->disconnected_bytes > FX_POOL_DISCONNECTED_BYTES_MAX) {
        struct fx_tx *youngest = pool->disconnected[--pool->n_disconnected];
        pool->disconnected_bytes -= youngest->total_size;
        fx_tx_unref(youngest);
    }
}

/* A transaction that was in the pool, outside of it for a moment. */
struct waiting {
    struct fx_tx *tx;
    int64_t time;
};

/* Takes everything out without telling anyone. */
static size_t empty_pool(struct fx_mempool *pool, struct waiting **out)
{
    size_t n = 0, n_listeners = pool->n_listeners;
    struct waiting *waiting = fx_xcalloc(pool->count + 1, sizeof(*waiting));
    for (const struct fx_pool_entry *e = pool->first; e; e = e->next) {
        waiting[n++] = (struct waiting){fx_tx_ref(e->tx), e->time};
    }
    pool->n_listeners = 0;
    while (pool->last) {
        fx_pool_remove(pool, pool->last, FX_REMOVED_REORG);
    }
    pool->n_listeners = n_listeners;
    fx_pool_records_build(pool, pool->records);
    fx_pool_reap(pool);
    *out = waiting;
    return n;
}

/* Everything is judged anew, in an order that puts parents first. Of what was disconnected, that
 * which the new chain has as well, or has a rival of, finds its inputs spent. */
static void rebuild(struct fx_mempool *pool)
{
    struct waiting *waiting;
    size_t n = empty_pool(pool, &waiting);
    int64_t now = fx_clock_now();
    for (size_t i = 0; i < pool->n_disconnected; i++) {
        struct fx_tx *tx = pool->disconnected[i];
        if (fx_pool_readmit(pool, tx, now)) {
            fx_pool_notify_added(pool, tx);
        }
        fx_tx_unref(tx);
    }
    pool->n_disconnected = pool->disconnected_bytes = 0;
    for (size_t i = 0; i < n; i++) {
        if (!fx_pool_readmit(pool, waiting[i].tx, waiting[i].time) &&
            !fx_pool_find(pool, &waiting[i].tx->txid)) {
            fx_pool_notify_removed(pool, waiting[i].tx, FX_REMOVED_REORG);
        }
        fx_tx_unref(waiting[i].tx);
    }
    free(waiting);
    pool->reorg = false;
}

/* The tip went forward: only what depends on it is judged again, on records built up in order. */
static void revalidate(struct fx_mempool *pool)
{
    struct fx_pool_list all = {0};
    for (struct fx_pool_entry *e = pool->first; e; e = e->next) {
        fx_pool_list_push(&all, e);
    }
    struct fx_map *records = fx_pool_records_create();
    for (size_t i = 0; i < all.n; i++) {
        struct fx_pool_entry *e = all.at[i];
        if (e->removed) {
            continue;
        }
        if (e->contextual && !fx_pool_rejudge(pool, e, records)) {
            fx_pool_remove_tree(pool, e, FX_REMOVED_CONFLICT);
            continue;
        }
        fx_pool_records_apply(records, &e->records);
    }
    fx_map_destroy(pool->records, free);
    pool->records = records;
    fx_pool_list_clear(&all);
}

static void tip_changed(void *ctx, const struct fx_index *tip)
{
    struct fx_mempool *pool = ctx;
    (void)tip;
    if (pool->reorg) {
        rebuild(pool);
    } else if (pool->count > 0) {
        revalidate(pool);
    }
    fx_pool_expire(pool, fx_clock_now());
    fx_pool_trim(pool);
    fx_pool_reap(pool);
}

void fx_pool_subscribe_chain(struct fx_mempool *pool)
{
    struct fx_chain_events events = {.ctx = pool,
                                     .block_connected = block_connected,
                                     .block_disconnected = block_disconnected,
                                     .tip_changed = tip_changed};
    fx_chain_subscribe(pool->chain, &events);
}
