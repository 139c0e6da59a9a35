/* A pool over a real regtest chain in a folder. */
#include "qa/unit/mempool/pool_kit.h"

#include <string.h>

#include "consensus/script.h"
#include "qa/unit/harness.h"

static void on_added(void *ctx, const struct fx_tx *tx)
{
    struct pool_kit *k = ctx;
    (void)tx;
    k->added++;
}

static void on_removed(void *ctx, const struct fx_tx *tx, enum fx_tx_removal reason)
{
    struct pool_kit *k = ctx;
    (void)tx;
    k->removed[reason]++;
}

static void make_pool(struct pool_kit *k)
{
    struct fx_mempool_events events = {.ctx = k, .tx_added = on_added, .tx_removed = on_removed};
    k->config.chain = k->kit.chain;
    k->pool = fx_mempool_create(&k->config);
    fx_mempool_subscribe(k->pool, &events);
}

void pool_kit_open(struct pool_kit *k, unsigned blocks)
{
    memset(k, 0, sizeof(*k));
    kit_open(&k->kit, fx_unit_tmpdir(), (size_t)16 << 20);
    kit_mine_empty(&k->kit, blocks);
    make_pool(k);
}

void pool_kit_restart(struct pool_kit *k)
{
    /* The chain still holds the old pool's listener: it raises no events from here on until the
     * test ends. */
    fx_mempool_destroy(k->pool);
    make_pool(k);
}

void pool_kit_close(struct pool_kit *k)
{
    fx_mempool_destroy(k->pool);
    kit_close(&k->kit);
}

const char *pool_kit_submit(struct pool_kit *k, const struct fx_tx *tx)
{
    static char reason[FX_MEMPOOL_REASON];
    struct fx_accept tried, out;
    bool was = pool_kit_has(k, tx);
    size_t count = pool_kit_count(k);
    fx_mempool_accept(k->pool, tx, true, &tried);
    FX_CHECK_INT(pool_kit_count(k), count);
    fx_mempool_accept(k->pool, tx, false, &out);
    FX_CHECK_INT(tried.result, out.result);
    FX_CHECK_STR(tried.reason, out.reason);
    FX_CHECK_INT(out.result == FX_VALID, out.reason[0] == 0);
    FX_CHECK_INT(pool_kit_has(k, tx), was || out.result == FX_VALID);
    memcpy(reason, out.reason, sizeof(reason));
    return reason;
}

const struct fx_tx *pool_kit_take(struct pool_kit *k, struct fx_tx *tx)
{
    FX_CHECK_STR(pool_kit_submit(k, tx), "");
    const struct fx_tx *kept = fx_mempool_get(k->pool, &tx->txid);
    FX_CHECK(kept != NULL);
    fx_tx_unref(tx);
    return kept;
}

bool pool_kit_has(const struct pool_kit *k, const struct fx_tx *tx)
{
    return fx_mempool_get_wtxid(k->pool, &tx->wtxid) != NULL;
}

size_t pool_kit_count(const struct pool_kit *k)
{
    struct fx_mempool_info info;
    fx_mempool_info(k->pool, &info);
    return info.count;
}

struct fx_tx *pool_kit_spend(const struct pool_kit *k, const struct kit_coin *coins, size_t n_coins,
                             const int64_t *values, size_t n_values)
{
    uint8_t script[34];
    fx_script_p2tr(k->kit.miner.xonly.b, script);
    return pool_kit_pay(k, coins, n_coins, values, n_values,
                        (struct fx_span){script, sizeof(script)});
}

struct fx_tx *pool_kit_pay(const struct pool_kit *k, const struct kit_coin *coins, size_t n_coins,
                           const int64_t *values, size_t n_values, struct fx_span to)
{
    uint8_t script[34], signature[64];
    struct fx_coin spent[8];
    struct fx_sighash_cache cache;
    struct fx_txb b;
    FX_CHECK(n_coins <= 8);
    fx_script_p2tr(k->kit.miner.xonly.b, script);
    fx_txb_init(&b);
    for (size_t i = 0; i < n_coins; i++) {
        struct fx_txout out = {.value = coins[i].value, .script = {script, sizeof(script)}};
        fx_coin_set(&spent[i], &out, coins[i].height, false);
        fx_txb_add_in(&b, &coins[i].outpoint, FX_SEQUENCE_FINAL);
    }
    for (size_t i = 0; i < n_values; i++) {
        fx_txb_add_out(&b, values[i], to.data, to.len);
    }
    struct fx_tx *bare = fx_txb_build(&b);
    fx_sighash_cache_init(&cache, bare, spent);
    for (size_t i = 0; i < n_coins; i++) {
        struct fx_hash hash;
        FX_CHECK(fx_sighash_taproot(bare, i, spent, FX_SIGHASH_DEFAULT, NULL, &cache, &hash));
        fx_test_sign(&k->kit.miner, &hash, signature);
        fx_txb_push_witness(&b, i, signature, sizeof(signature));
        fx_coin_clear(&spent[i]);
    }
    fx_tx_unref(bare);
    struct fx_tx *tx = fx_txb_build(&b);
    fx_txb_clear(&b);
    return tx;
}

void pool_kit_mine(struct pool_kit *k, const struct fx_tx *const *txs, size_t n)
{
    struct kit_block spec = {.value = -1, .n_txs = n};
    for (size_t i = 0; i < n; i++) {
        struct fx_mempool_entry entry;
        if (fx_mempool_entry(k->pool, &txs[i]->txid, &entry)) {
            spec.fees += entry.fee - entry.burned;
        }
        spec.txs[i] = fx_tx_ref(txs[i]);
    }
    kit_mine(&k->kit, &spec);
}
