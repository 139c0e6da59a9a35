/* What blocks do to the pool: mining, conflicts, reorganisations, age, size, and a restart. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/mempool/pool_kit.h"
#include "src/crypto/sha256.h"
#include "src/sys/clock.h"
#include "src/mempool/mempool_int.h"
#include "src/sys/file.h"

#define FEE INT64_C(1000)

FX_TEST(mined_and_conflicting_ones_leave)
{
    struct pool_kit k;
    pool_kit_open(&k, 102);
    struct kit_coin one = kit_coinbase(&k.kit, 1), two = kit_coinbase(&k.kit, 2);
    struct fx_tx *mined = kit_pay(&k.kit, &one, 1, FEE);
    pool_kit_take(&k, fx_tx_ref(mined));
    struct fx_tx *loser = kit_pay(&k.kit, &two, 1, FEE);
    const struct fx_tx *in_pool = pool_kit_take(&k, fx_tx_ref(loser));
    struct kit_coin out = kit_output(in_pool, 0, 103);
    struct fx_tx *child = kit_pay(&k.kit, &out, 1, FEE);
    pool_kit_take(&k, fx_tx_ref(child));
    struct fx_tx *winner = kit_pay(&k.kit, &two, 2, 2 * FEE);

    struct kit_block spec = {.value = -1, .fees = 3 * FEE, .txs = {mined, winner}, .n_txs = 2};
    kit_mine(&k.kit, &spec);
    FX_CHECK_INT(pool_kit_count(&k), 0);
    FX_CHECK_INT(k.removed[FX_REMOVED_BLOCK], 1);
    FX_CHECK_INT(k.removed[FX_REMOVED_CONFLICT], 2);
    fx_tx_unref(loser);
    fx_tx_unref(child);
    pool_kit_close(&k);
}

FX_TEST(a_disconnected_block_gives_its_transactions_back)
{
    struct pool_kit k;
    pool_kit_open(&k, 105);
    struct kit_coin one = kit_coinbase(&k.kit, 1), two = kit_coinbase(&k.kit, 5);
    struct fx_tx *parent = kit_pay(&k.kit, &one, 1, FEE);
    struct kit_coin out = kit_output(parent, 0, 106);
    struct fx_tx *child = kit_pay(&k.kit, &out, 1, FEE);
    const struct fx_tx *first = pool_kit_take(&k, fx_tx_ref(parent));
    pool_kit_mine(&k, &first, 1);
    const struct fx_index *mined = fx_chain_tip(k.kit.chain);
    const struct fx_tx *second = pool_kit_take(&k, fx_tx_ref(child));
    pool_kit_mine(&k, &second, 1);
    /* The coinbase of height 5 may be spent at height 106 (as here), and at 105, but no lower. */
    struct fx_tx *late = kit_pay(&k.kit, &two, 1, FEE);
    pool_kit_take(&k, fx_tx_ref(late));
    FX_CHECK_INT(pool_kit_count(&k), 1);

    FX_CHECK(fx_chain_invalidate(k.kit.chain, mined));
    FX_CHECK_INT(fx_chain_tip(k.kit.chain)->height, 105);
    FX_CHECK(pool_kit_has(&k, parent) && pool_kit_has(&k, child) && pool_kit_has(&k, late));
    struct fx_mempool_entry entry;
    FX_CHECK(fx_mempool_entry(k.pool, &child->txid, &entry));
    FX_CHECK_INT(entry.ancestor_count, 2);

    /* Two blocks less: the coinbase is too young again. */
    FX_CHECK(fx_chain_invalidate(k.kit.chain, fx_chain_at(k.kit.chain, 104)));
    FX_CHECK(pool_kit_has(&k, parent) && pool_kit_has(&k, child));
    FX_CHECK(!pool_kit_has(&k, late));
    FX_CHECK_INT(k.removed[FX_REMOVED_REORG], 1);
    fx_tx_unref(parent);
    fx_tx_unref(child);
    fx_tx_unref(late);
    pool_kit_close(&k);
}

FX_TEST(what_comes_back_is_held_to_the_limits_of_chains)
{
    struct pool_kit k;
    struct fx_mempool_policy policy = fx_mempool_policy_default;
    pool_kit_open(&k, 101);
    policy.ancestors_max = 2;
    const struct fx_tx *txs[3];
    struct kit_coin coin = kit_coinbase(&k.kit, 1);
    for (unsigned i = 0; i < 3; i++) {
        txs[i] = kit_pay(&k.kit, &coin, 1, FEE);
        coin = kit_output(txs[i], 0, 102);
        pool_kit_take(&k, fx_tx_ref(txs[i]));
    }
    pool_kit_mine(&k, txs, 3);
    k.pool->policy = policy; /* as if set from the start */
    fx_chain_invalidate(k.kit.chain, fx_chain_tip(k.kit.chain));
    FX_CHECK_INT(pool_kit_count(&k), 2);
    FX_CHECK(!pool_kit_has(&k, txs[2]));
    for (unsigned i = 0; i < 3; i++) {
        fx_tx_unref((struct fx_tx *)txs[i]);
    }
    pool_kit_close(&k);
}

FX_TEST(old_ones_expire)
{
    struct pool_kit k;
    pool_kit_open(&k, 102);
    struct kit_coin one = kit_coinbase(&k.kit, 1), two = kit_coinbase(&k.kit, 2);
    pool_kit_take(&k, kit_pay(&k.kit, &one, 1, FEE));
    fx_clock_set_mock(fx_clock_now() + INT64_C(336) * 3600 + 1);
    const struct fx_tx *young = pool_kit_take(&k, kit_pay(&k.kit, &two, 1, FEE));
    FX_CHECK_INT(pool_kit_count(&k), 1);
    FX_CHECK(pool_kit_has(&k, young));
    FX_CHECK_INT(k.removed[FX_REMOVED_EXPIRED], 1);
    pool_kit_close(&k);
}

FX_TEST(each_expires_in_its_time_over_a_restart)
{
    const int64_t expiry = INT64_C(336) * 3600;
    struct pool_kit k;
    pool_kit_open(&k, 104);
    char *path = fx_path_join(fx_unit_tmpdir(), "mempool.dat");
    k.config.path = path;
    pool_kit_restart(&k);
    struct kit_coin coins[5];
    const int64_t start = fx_clock_now();
    for (uint32_t i = 0; i < 5; i++) {
        coins[i] = kit_coinbase(&k.kit, i + 1);
    }
    for (unsigned i = 0; i < 2; i++) { /* the second is 100 seconds younger */
        fx_clock_set_mock(start + 100 * (int64_t)i);
        pool_kit_take(&k, kit_pay(&k.kit, &coins[i], 1, FEE));
    }
    pool_kit_restart(&k);
    FX_CHECK_INT(pool_kit_count(&k), 2);
    fx_clock_set_mock(start + expiry);
    pool_kit_take(&k, kit_pay(&k.kit, &coins[2], 1, FEE));
    FX_CHECK_INT(pool_kit_count(&k), 3);
    for (unsigned i = 0; i < 2; i++) {
        fx_clock_set_mock(start + 100 * (int64_t)i + expiry + 1);
        pool_kit_take(&k, kit_pay(&k.kit, &coins[3 + i], 1, FEE));
        FX_CHECK_INT(pool_kit_count(&k), 3); /* one came and one went */
    }
    pool_kit_close(&k);
    free(path);
}

FX_TEST(a_full_pool_drops_the_cheapest_and_asks_for_more)
{
    struct pool_kit k;
    struct fx_mempool_info info;
    pool_kit_open(&k, 130);
    k.config.max_bytes = 25000;
    pool_kit_restart(&k);
    size_t most = 0;
    for (uint32_t h = 1; h <= 30; h++) {
        struct kit_coin coin = kit_coinbase(&k.kit, h);
        struct fx_tx *tx = kit_pay(&k.kit, &coin, 1, 1000 * (int64_t)h);
        struct fx_accept out;
        fx_mempool_accept(k.pool, tx, false, &out);
        fx_tx_unref(tx);
        fx_mempool_info(k.pool, &info);
        FX_CHECK(info.usage <= k.config.max_bytes);
        most = info.count > most ? info.count : most;
    }
    FX_CHECK(k.removed[FX_REMOVED_SIZE] > 0);
    FX_CHECK(info.count >= most - 3);
    FX_CHECK(info.min_fee_rate > FX_MEMPOOL_MIN_FEE_RATE);
    struct kit_coin coin = kit_coinbase(&k.kit, 1);
    struct fx_tx *cheap = kit_pay(&k.kit, &coin, 1, 1000);
    FX_CHECK_STR(pool_kit_submit(&k, cheap), "mempool min fee not met");
    /* It forgets with time; being the cheapest of a full pool is then the reason. */
    fx_clock_set_mock(fx_clock_now() + 10 * 43200);
    struct fx_accept out;
    fx_mempool_accept(k.pool, cheap, false, &out);
    FX_CHECK_STR(out.reason, "mempool full");
    fx_tx_unref(cheap);
    pool_kit_close(&k);
}

/* Many items of a witness take more memory than their bytes. */
FX_TEST(all_that_a_transaction_takes_counts)
{
    struct pool_kit k;
    struct fx_mempool_info before, after;
    uint8_t script[50], pays[34] = {0x00, 32};
    const size_t items = 98;
    int64_t value;
    pool_kit_open(&k, 101);
    memset(script, 0x6d, items / 2); /* 2DROP */
    script[items / 2] = 0x51;
    fx_sha256(script, sizeof(script), pays + 2);
    struct kit_coin coin = kit_coinbase(&k.kit, 1);
    value = coin.value - FEE;
    const struct fx_tx *parent = pool_kit_take(
        &k, pool_kit_pay(&k, &coin, 1, &value, 1, (struct fx_span){pays, sizeof(pays)}));
    struct fx_outpoint prevout = {.txid = parent->txid};
    struct fx_txb b;
    fx_txb_init(&b);
    fx_txb_add_in(&b, &prevout, FX_SEQUENCE_FINAL);
    fx_txb_add_out(&b, value - FEE, pays, sizeof(pays));
    for (size_t i = 0; i < items; i++) {
        fx_txb_push_witness(&b, 0, NULL, 0);
    }
    fx_txb_push_witness(&b, 0, script, sizeof(script));
    fx_mempool_info(k.pool, &before);
    const struct fx_tx *tx = pool_kit_take(&k, fx_txb_build(&b));
    fx_mempool_info(k.pool, &after);
    FX_CHECK(after.usage - before.usage > sizeof(*tx) + tx->total_size + sizeof(struct fx_txin) +
                                              sizeof(struct fx_txout) +
                                              (items + 1) * sizeof(struct fx_span));
    fx_txb_clear(&b);
    pool_kit_close(&k);
}

FX_TEST(the_file_brings_the_pool_back)
{
    struct pool_kit k;
    struct fx_mempool_entry entry;
    pool_kit_open(&k, 102);
    char *path = fx_path_join(fx_unit_tmpdir(), "mempool.dat");
    k.config.path = path;
    pool_kit_restart(&k);
    struct kit_coin one = kit_coinbase(&k.kit, 1), two = kit_coinbase(&k.kit, 2);
    struct fx_tx *tx = kit_pay(&k.kit, &one, 1, FEE);
    pool_kit_take(&k, fx_tx_ref(tx));
    struct kit_coin out = kit_output(tx, 0, 103);
    pool_kit_take(&k, kit_pay(&k.kit, &out, 1, FEE));
    pool_kit_take(&k, kit_pay(&k.kit, &two, 1, FEE));
    int64_t came = fx_clock_now();
    fx_clock_set_mock(came + 100);
    FX_CHECK(fx_mempool_prioritise(k.pool, &tx->txid, 55));
    FX_CHECK(fx_mempool_prioritise(k.pool, &two.outpoint.txid, -7)); /* of one that is not there */
    pool_kit_restart(&k);
    FX_CHECK_INT(pool_kit_count(&k), 3);
    FX_CHECK(fx_mempool_entry(k.pool, &tx->txid, &entry));
    FX_CHECK_INT(entry.time, came);
    FX_CHECK_INT(entry.delta, 55);
    struct fx_fee_delta *deltas;
    FX_CHECK_INT(fx_mempool_deltas(k.pool, &deltas), 2);
    free(deltas);

    /* A file cut short loses its end only. */
    uint8_t *data;
    size_t n;
    k.config.path = NULL;
    fx_mempool_destroy(k.pool);
    FX_CHECK(fx_file_read(path, 1 << 20, &data, &n));
    FX_CHECK(fx_file_write(path, data, n - 10, 0600));
    free(data);
    k.config.path = path;
    k.pool = fx_mempool_create(&k.config);
    FX_CHECK_INT(pool_kit_count(&k), 2);
    fx_tx_unref(tx);
    pool_kit_close(&k);
    free(path);
}
