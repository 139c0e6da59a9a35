/* The state after the tip and the pool's transactions, as the rules see it. */
#include "src/mempool/mempool_int.h"

#include <stdlib.h>

#include "consensus/script.h"
#include "src/sys/random.h"
#include "src/util/mem.h"

static enum fx_lookup view_coin(void *arg, const struct fx_outpoint *outpoint, struct fx_coin *coin)
{
    struct fx_pool_view *ctx = arg;
    if (ctx->spent_is_missing && fx_pool_spender(ctx->pool, outpoint)) {
        return FX_MISSING;
    }
    const struct fx_pool_entry *entry = fx_pool_find(ctx->pool, &outpoint->txid);
    if (entry && !entry->hidden) {
        if (outpoint->index >= entry->tx->n_out) {
            return FX_MISSING;
        }
        const struct fx_txout *out = &entry->tx->out[outpoint->index];
        if (fx_script_is_unspendable(out->script)) {
            return FX_MISSING;
        }
        fx_coin_set(coin, out, fx_chain_tip(ctx->pool->chain)->height + 1, false);
        return FX_FOUND;
    }
    return ctx->base.coin(ctx->base.ctx, outpoint, coin);
}

static enum fx_lookup view_record(void *arg, const struct fx_outpoint *origin,
                                  struct fx_task_record *record)
{
    struct fx_pool_view *ctx = arg;
    uint8_t key[FX_OUTPOINT_SIZE];
    fx_outpoint_key(origin, key);
    const struct fx_pool_record *changed = ctx->reverted ? fx_map_get(ctx->reverted, key) : NULL;
    if (!changed) {
        changed = fx_map_get(ctx->records, key);
    }
    if (!changed) {
        return ctx->base.record(ctx->base.ctx, origin, record);
    }
    if (!changed->has) {
        return FX_MISSING;
    }
    *record = changed->record;
    return FX_FOUND;
}

/* The rules ask for heights below the next block only: the chain's answers hold. */
static enum fx_lookup view_settled_at(void *arg, uint32_t height, struct fx_outpoint **origins,
                                      size_t *n)
{
    struct fx_pool_view *ctx = arg;
    return ctx->base.settled_at(ctx->base.ctx, height, origins, n);
}

static enum fx_lookup view_ancestor(void *arg, uint32_t height, struct fx_ancestor *ancestor)
{
    struct fx_pool_view *ctx = arg;
    return ctx->base.ancestor(ctx->base.ctx, height, ancestor);
}

static enum fx_lookup view_beacon(void *arg, uint32_t above, struct fx_ancestor *ancestor)
{
    struct fx_pool_view *ctx = arg;
    return ctx->base.beacon(ctx->base.ctx, above, ancestor);
}

void fx_pool_view_init(struct fx_pool_view *ctx, struct fx_mempool *pool, struct fx_view *view)
{
    *ctx = (struct fx_pool_view){.pool = pool, .records = pool->records};
    fx_chain_view(pool->chain, &ctx->base);
    *view = (struct fx_view){.ctx = ctx,
                             .coin = view_coin,
                             .record = view_record,
                             .settled_at = view_settled_at,
                             .ancestor = view_ancestor,
                             .beacon = view_beacon};
}

struct fx_map *fx_pool_records_create(void)
{
    return fx_map_create(FX_OUTPOINT_SIZE, fx_random_u64(), fx_random_u64());
}

static void put_record(struct fx_map *records, const struct fx_outpoint *origin, bool has,
                       const struct fx_task_record *record)
{
    uint8_t key[FX_OUTPOINT_SIZE];
    fx_outpoint_key(origin, key);
    struct fx_pool_record *put = fx_xmalloc(sizeof(*put));
    put->has = has;
    put->record = *record;
    free(fx_map_put(records, key, put));
}

void fx_pool_records_apply(struct fx_map *records, const struct fx_record_delta *delta)
{
    for (size_t i = 0; i < delta->n; i++) {
        const struct fx_record_change *change = &delta->changes[i];
        put_record(records, &change->origin, change->has, &change->after);
    }
}

void fx_pool_records_revert(struct fx_map *records, const struct fx_record_delta *delta)
{
    for (size_t i = 0; i < delta->n; i++) {
        const struct fx_record_change *change = &delta->changes[i];
        put_record(records, &change->origin, change->had, &change->before);
    }
}

void fx_pool_records_build(struct fx_mempool *pool, struct fx_map *records)
{
    fx_map_clear(records, free);
    for (const struct fx_pool_entry *e = pool->first; e; e = e->next) {
        fx_pool_records_apply(records, &e->records);
    }
}
