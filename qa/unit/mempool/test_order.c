/* The order of mining, and the fee rate that the pool tells. */
#include <stdlib.h>

#include "qa/unit/harness.h"
#include "qa/unit/mempool/pool_kit.h"

FX_TEST(a_child_pays_for_its_parent)
{
    struct pool_kit k;
    struct fx_mempool_entry *entries;
    pool_kit_open(&k, 103);
    struct kit_coin one = kit_coinbase(&k.kit, 1), two = kit_coinbase(&k.kit, 2);
    const struct fx_tx *parent = pool_kit_take(&k, kit_pay(&k.kit, &one, 1, 200));
    const struct fx_tx *middle = pool_kit_take(&k, kit_pay(&k.kit, &two, 1, 2000));
    struct kit_coin out = kit_output(parent, 0, 104);
    const struct fx_tx *child = pool_kit_take(&k, kit_pay(&k.kit, &out, 1, 20000));
    FX_CHECK_INT(fx_mempool_list(k.pool, &entries), 3);
    FX_CHECK(entries[0].tx == parent);
    FX_CHECK(entries[1].tx == child);
    FX_CHECK(entries[2].tx == middle);
    FX_CHECK_INT(entries[1].ancestor_fees, 20200);
    free(entries);
    pool_kit_close(&k);
}

/* Whatever the graph: parents stand before children, and everything once. */
FX_TEST(parents_come_first)
{
    struct pool_kit k;
    struct fx_mempool_entry *entries;
    struct kit_coin free_coins[400];
    size_t n_free = 0;
    pool_kit_open(&k, 110);
    for (uint32_t h = 1; h <= 10; h++) {
        free_coins[n_free++] = kit_coinbase(&k.kit, h);
    }
    for (unsigned i = 0; i < fx_unit_rounds(60); i++) {
        struct kit_coin coins[2];
        size_t n = 1 + fx_unit_rand_below(2);
        int64_t sum = 0;
        for (size_t j = 0; j < n && n_free > 0; j++) {
            size_t at = fx_unit_rand_below(n_free);
            coins[j] = free_coins[at];
            free_coins[at] = free_coins[--n_free];
            sum += coins[j].value;
        }
        int64_t fee = 300 + (int64_t)fx_unit_rand_below(30000);
        if (n_free + 2 > 400 || n_free == 0 || sum < 2 * fee) {
            break;
        }
        int64_t values[2] = {(sum - fee) / 2, (sum - fee) - (sum - fee) / 2};
        struct fx_tx *tx = pool_kit_spend(&k, coins, n, values, 2);
        struct fx_accept out;
        fx_mempool_accept(k.pool, tx, false, &out);
        if (out.result == FX_VALID) {
            free_coins[n_free++] = kit_output(tx, 0, 111);
            free_coins[n_free++] = kit_output(tx, 1, 111);
        } else {
            FX_CHECK_STR(out.reason, "too-long-mempool-chain");
        }
        fx_tx_unref(tx);
    }
    size_t n = fx_mempool_list(k.pool, &entries);
    FX_CHECK(n > 10);
    FX_CHECK_INT(n, pool_kit_count(&k));
    for (size_t i = 0; i < n; i++) {
        for (size_t in = 0; in < entries[i].tx->n_in; in++) {
            for (size_t j = i; j < n; j++) {
                FX_CHECK(!fx_hash_equal(&entries[i].tx->in[in].prevout.txid, &entries[j].tx->txid));
            }
        }
    }
    free(entries);
    pool_kit_close(&k);
}

FX_TEST(an_emptyish_pool_asks_for_its_minimum)
{
    struct pool_kit k;
    pool_kit_open(&k, 101);
    FX_CHECK_INT(fx_mempool_estimate(k.pool, 6), FX_MEMPOOL_MIN_FEE_RATE);
    struct kit_coin coin = kit_coinbase(&k.kit, 1);
    pool_kit_take(&k, kit_pay(&k.kit, &coin, 1, 100000));
    FX_CHECK_INT(fx_mempool_estimate(k.pool, 1), FX_MEMPOOL_MIN_FEE_RATE);
    pool_kit_close(&k);
}
