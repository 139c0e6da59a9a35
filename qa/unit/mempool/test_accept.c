/* Taking and refusing transactions: rules, policy, limits, replacement. */
#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "qa/unit/harness.h"
#include "qa/unit/mempool/pool_kit.h"
#include "src/crypto/ripemd160.h"

#define FEE INT64_C(1000)

FX_TEST(takes_a_payment)
{
    struct pool_kit k;
    struct fx_mempool_info info;
    struct fx_mempool_entry entry;
    pool_kit_open(&k, 101);
    struct kit_coin coin = kit_coinbase(&k.kit, 1);
    const struct fx_tx *tx = pool_kit_take(&k, kit_pay(&k.kit, &coin, 2, FEE));
    fx_mempool_info(k.pool, &info);
    FX_CHECK_INT(info.count, 1);
    FX_CHECK_INT(info.total_fee, FEE);
    FX_CHECK_INT(info.bytes, fx_tx_vsize(tx));
    FX_CHECK_INT(k.added, 1);
    FX_CHECK(fx_mempool_spender(k.pool, &coin.outpoint) == tx);
    FX_CHECK(fx_mempool_entry(k.pool, &tx->txid, &entry));
    FX_CHECK_INT(entry.fee, FEE);
    FX_CHECK_INT(entry.height, 101);
    FX_CHECK_INT(entry.ancestor_count, 1);
    FX_CHECK_STR(pool_kit_submit(&k, tx), "txn-already-in-mempool");
    pool_kit_close(&k);
}

FX_TEST(the_view_has_what_the_pool_makes_and_lacks_what_it_spends)
{
    struct pool_kit k;
    struct fx_view view;
    struct fx_coin coin;
    pool_kit_open(&k, 101);
    struct kit_coin spent = kit_coinbase(&k.kit, 1);
    const struct fx_tx *tx = pool_kit_take(&k, kit_pay(&k.kit, &spent, 2, FEE));
    struct fx_outpoint made = {tx->txid, 1}, beyond = {tx->txid, 2};
    struct kit_coin other = kit_coinbase(&k.kit, 2);
    fx_mempool_view(k.pool, &view);
    FX_CHECK_INT(view.coin(view.ctx, &spent.outpoint, &coin), FX_MISSING);
    FX_CHECK_INT(view.coin(view.ctx, &beyond, &coin), FX_MISSING);
    FX_CHECK_INT(view.coin(view.ctx, &made, &coin), FX_FOUND);
    FX_CHECK_INT(coin.height, 102);
    FX_CHECK_INT(coin.value, tx->out[1].value);
    fx_coin_clear(&coin);
    FX_CHECK_INT(view.coin(view.ctx, &other.outpoint, &coin), FX_FOUND);
    FX_CHECK_INT(coin.height, 2);
    fx_coin_clear(&coin);
    pool_kit_close(&k);
}

FX_TEST(refuses_by_the_rules)
{
    struct pool_kit k;
    struct fx_accept out;
    pool_kit_open(&k, 101);
    struct kit_coin unknown = {.outpoint = {.index = 7}, .value = 5000};
    unknown.outpoint.txid.b[3] = 9;
    struct fx_tx *tx = kit_pay(&k.kit, &unknown, 1, FEE);
    fx_mempool_accept(k.pool, tx, false, &out);
    FX_CHECK_INT(out.result, FX_INVALID);
    FX_CHECK_STR(out.reason, "bad-txns-inputs-missingorspent");
    FX_CHECK(out.missing_inputs);
    FX_CHECK_INT(out.refusal, FX_REFUSAL_OTHER);
    fx_tx_unref(tx);

    struct kit_coin young = kit_coinbase(&k.kit, 3);
    tx = kit_pay(&k.kit, &young, 1, FEE);
    FX_CHECK_STR(pool_kit_submit(&k, tx), "bad-txns-premature-spend-of-coinbase");
    fx_tx_unref(tx);

    struct kit_coin coin = kit_coinbase(&k.kit, 1);
    tx = kit_pay(&k.kit, &coin, 1, -5);
    fx_mempool_accept(k.pool, tx, false, &out);
    FX_CHECK_STR(out.reason, "bad-txns-in-belowout");
    FX_CHECK_INT(out.refusal, FX_REFUSAL_BROKEN);
    fx_tx_unref(tx);

    tx = kit_pay(&k.kit, &coin, 1, FEE);
    struct fx_txb b;
    fx_txb_from_tx(&b, tx);
    b.in[0].witness[0].data[5] ^= 1;
    struct fx_tx *forged = fx_txb_build(&b);
    fx_mempool_accept(k.pool, forged, false, &out);
    FX_CHECK_STR(out.reason, "mandatory-script-verify-flag-failed (Invalid Schnorr signature)");
    FX_CHECK(!out.policy);
    FX_CHECK_INT(out.refusal, FX_REFUSAL_BROKEN);
    fx_tx_unref(forged);
    fx_txb_clear_witness(&b, 0);
    struct fx_tx *stripped = fx_txb_build(&b);
    fx_mempool_accept(k.pool, stripped, false, &out);
    FX_CHECK_STR(out.reason, "mandatory-script-verify-flag-failed (Witness program was passed an "
                             "empty witness)");
    FX_CHECK_INT(out.refusal, FX_REFUSAL_STRIPPED);
    fx_tx_unref(stripped);
    fx_txb_clear(&b);
    fx_tx_unref(tx);

    struct fx_block *block = fx_chain_read_block(k.kit.chain, fx_chain_tip(k.kit.chain));
    FX_CHECK_STR(pool_kit_submit(&k, block->txs[0]), "coinbase");
    fx_block_unref(block);
    FX_CHECK_INT(pool_kit_count(&k), 0);
    pool_kit_close(&k);
}

/* The first coinbase's spend, with this script of the input and these items after its witness. */
static const char *submit_input(struct pool_kit *k, const uint8_t *script_sig, size_t n,
                                size_t extra, size_t item)
{
    static const uint8_t zero[100];
    struct kit_coin coin = kit_coinbase(&k->kit, 1);
    struct fx_tx *tx = kit_pay(&k->kit, &coin, 1, FEE);
    struct fx_txb b;
    fx_txb_from_tx(&b, tx);
    fx_txb_set_script_sig(&b, 0, script_sig, n);
    for (size_t i = 0; i < extra; i++) {
        fx_txb_push_witness(&b, 0, zero, item);
    }
    struct fx_tx *changed = fx_txb_build(&b);
    const char *reason = pool_kit_submit(k, changed);
    fx_tx_unref(changed);
    fx_tx_unref(tx);
    fx_txb_clear(&b);
    return reason;
}

/* One output of this script and value, from a coinbase; the rest is fee. */
static const char *submit_output(struct pool_kit *k, const uint8_t *script, size_t n, int64_t value,
                                 int32_t version, uint32_t lock_time)
{
    struct kit_coin coin = kit_coinbase(&k->kit, 1);
    struct fx_tx *tx = kit_pay(&k->kit, &coin, 1, FEE);
    struct fx_txb b;
    fx_txb_from_tx(&b, tx);
    fx_txb_add_out(&b, value, script, n);
    b.version = version;
    b.lock_time = lock_time;
    b.in[0].sequence = FX_SEQUENCE_FINAL - 1;
    struct fx_tx *changed = fx_txb_build(&b);
    const char *reason = pool_kit_submit(k, changed);
    fx_tx_unref(changed);
    fx_tx_unref(tx);
    fx_txb_clear(&b);
    return reason;
}

FX_TEST(inputs_are_held_to_limits)
{
    struct pool_kit k;
    uint8_t pushes[1651] = {0}, checks[1] = {0xac};
    pool_kit_open(&k, 101);
    FX_CHECK_STR(submit_input(&k, pushes, 1651, 0, 0), "scriptsig-size");
    FX_CHECK_STR(submit_input(&k, checks, 1, 0, 0), "scriptsig-not-pushonly");
    /* A script path needs a control block. */
    FX_CHECK_STR(submit_input(&k, pushes, 0, 1, 0), "bad-witness-nonstandard");
    pool_kit_close(&k);
}

FX_TEST(refuses_by_policy)
{
    struct pool_kit k;
    uint8_t p2tr[34], odd[2] = {0x51, 0x51}, data[84] = {0x6a, 0x4c, 81};
    pool_kit_open(&k, 101);
    fx_script_p2tr(k.kit.miner.xonly.b, p2tr);
    FX_CHECK_STR(submit_output(&k, p2tr, 34, 329, 2, 0), "dust");
    FX_CHECK_STR(submit_output(&k, p2tr, 34, 400, 0, 0), "version");
    FX_CHECK_STR(submit_output(&k, p2tr, 34, 400, 4, 0), "version");
    FX_CHECK_STR(submit_output(&k, odd, 2, 1000, 2, 0), "scriptpubkey");
    FX_CHECK_STR(submit_output(&k, data, 84, 0, 2, 0), "scriptpubkey");
    FX_CHECK_STR(submit_output(&k, p2tr, 34, 400, 2, 200), "non-final");

    struct kit_coin coin = kit_coinbase(&k.kit, 1);
    struct fx_tx *tx = kit_pay(&k.kit, &coin, 1, 50);
    FX_CHECK_STR(pool_kit_submit(&k, tx), "min relay fee not met");
    fx_tx_unref(tx);
    FX_CHECK_INT(pool_kit_count(&k), 0);
    pool_kit_close(&k);
}

/* Spends what pays to this redeem script by pushing it and no more. */
static const char *submit_redeem(struct pool_kit *k, unsigned coinbase, const uint8_t *redeem,
                                 uint8_t n, struct fx_accept *out)
{
    uint8_t script[23] = {0xa9, 20}, push[100] = {n};
    struct kit_coin coin = kit_coinbase(&k->kit, coinbase);
    int64_t value = coin.value - FEE;
    struct fx_txb b;
    fx_hash160(redeem, n, script + 2);
    script[22] = 0x87;
    memcpy(push + 1, redeem, n);
    const struct fx_tx *parent = pool_kit_take(
        k, pool_kit_pay(k, &coin, 1, &value, 1, (struct fx_span){script, sizeof(script)}));
    struct fx_outpoint outpoint = {.txid = parent->txid};
    fx_txb_init(&b);
    fx_txb_add_in(&b, &outpoint, FX_SEQUENCE_FINAL);
    fx_txb_set_script_sig(&b, 0, push, n + 1u);
    fx_script_p2tr(k->kit.miner.xonly.b, push);
    fx_txb_add_out(&b, value - FEE, push, 34);
    struct fx_tx *tx = fx_txb_build(&b);
    fx_mempool_accept(k->pool, tx, false, out);
    fx_tx_unref(tx);
    fx_txb_clear(&b);
    return out->reason;
}

FX_TEST(scripts_by_the_rules_of_relay)
{
    struct pool_kit k;
    struct fx_accept out;
    pool_kit_open(&k, 104);
    FX_CHECK_STR(submit_redeem(&k, 1, (const uint8_t *)"\x51", 1, &out), "");
    /* Blocks may hold it: NOP10, two items at the end. */
    FX_CHECK_STR(submit_redeem(&k, 2, (const uint8_t *)"\xb9\x51", 2, &out),
                 "non-mandatory-script-verify-flag (NOPx reserved for soft-fork upgrades)");
    FX_CHECK(out.policy);
    FX_CHECK_INT(out.refusal, FX_REFUSAL_OTHER);
    FX_CHECK_STR(
        submit_redeem(&k, 3, (const uint8_t *)"\x51\x51", 2, &out),
        "non-mandatory-script-verify-flag (Stack size must be exactly one after execution)");
    FX_CHECK(out.policy);
    /* Both fail, on errors of their own: that of relay is told, as Bitcoin Core does. */
    FX_CHECK_STR(submit_redeem(&k, 4, (const uint8_t *)"\xb9\x00", 2, &out),
                 "mandatory-script-verify-flag-failed (NOPx reserved for soft-fork upgrades)");
    FX_CHECK(!out.policy);
    pool_kit_close(&k);
}

FX_TEST(the_dust_limit_is_bitcoins)
{
    struct pool_kit k;
    uint8_t p2tr[34];
    pool_kit_open(&k, 101);
    fx_script_p2tr(k.kit.miner.xonly.b, p2tr);
    /* The output is added to a signed transaction: past policy, the signature fails. */
    FX_CHECK_STR(submit_output(&k, p2tr, 34, 330, 2, 0),
                 "mandatory-script-verify-flag-failed (Invalid Schnorr signature)");
    pool_kit_close(&k);
}

FX_TEST(knows_what_is_mined)
{
    struct pool_kit k;
    pool_kit_open(&k, 101);
    struct kit_coin coin = kit_coinbase(&k.kit, 1);
    struct fx_tx *tx = kit_pay(&k.kit, &coin, 1, FEE);
    const struct fx_tx *kept = pool_kit_take(&k, fx_tx_ref(tx));
    pool_kit_mine(&k, &kept, 1);
    FX_CHECK_STR(pool_kit_submit(&k, tx), "txn-already-known");
    fx_tx_unref(tx);
    pool_kit_close(&k);
}

FX_TEST(limits_a_chain_to_25)
{
    struct pool_kit k;
    struct fx_mempool_entry entry;
    pool_kit_open(&k, 101);
    struct kit_coin coin = kit_coinbase(&k.kit, 1);
    const struct fx_tx *first = NULL, *tx = NULL;
    for (unsigned i = 0; i < 25; i++) {
        tx = pool_kit_take(&k, kit_pay(&k.kit, &coin, 1, FEE));
        first = first ? first : tx;
        coin = kit_output(tx, 0, 102);
    }
    FX_CHECK(fx_mempool_entry(k.pool, &first->txid, &entry));
    FX_CHECK_INT(entry.descendant_count, 25);
    FX_CHECK_INT(entry.descendant_fees, 25 * FEE);
    FX_CHECK(fx_mempool_entry(k.pool, &tx->txid, &entry));
    FX_CHECK_INT(entry.ancestor_count, 25);
    struct fx_tx *one_more = kit_pay(&k.kit, &coin, 1, FEE);
    FX_CHECK_STR(pool_kit_submit(&k, one_more), "too-long-mempool-chain");
    fx_tx_unref(one_more);
    /* The first one is mined: there is room again, and the counts say so. */
    pool_kit_mine(&k, &first, 1);
    FX_CHECK(fx_mempool_entry(k.pool, &tx->txid, &entry));
    FX_CHECK_INT(entry.ancestor_count, 24);
    FX_CHECK_INT(entry.ancestor_fees, 24 * FEE);
    pool_kit_take(&k, kit_pay(&k.kit, &coin, 1, FEE));
    pool_kit_close(&k);
}

FX_TEST(one_child_more_than_the_limit_may_come)
{
    struct pool_kit k;
    struct fx_mempool_policy policy = fx_mempool_policy_default;
    int64_t values[5];
    pool_kit_open(&k, 101);
    policy.descendants_max = 3;
    k.config.policy = &policy;
    pool_kit_restart(&k);
    struct kit_coin coin = kit_coinbase(&k.kit, 1), grandchild;
    for (unsigned i = 0; i < 5; i++) {
        values[i] = (coin.value - FEE) / 5;
    }
    const struct fx_tx *parent = pool_kit_take(&k, pool_kit_spend(&k, &coin, 1, values, 5));
    for (unsigned i = 0; i < 2; i++) {
        coin = kit_output(parent, i, 102);
        grandchild = kit_output(pool_kit_take(&k, kit_pay(&k.kit, &coin, 1, FEE)), 0, 102);
    }
    /* With two ancestors it is no such child. */
    struct fx_tx *tx = kit_pay(&k.kit, &grandchild, 1, FEE);
    FX_CHECK_STR(pool_kit_submit(&k, tx), "too-long-mempool-chain");
    fx_tx_unref(tx);
    coin = kit_output(parent, 2, 102);
    pool_kit_take(&k, kit_pay(&k.kit, &coin, 1, FEE));
    coin = kit_output(parent, 3, 102);
    tx = kit_pay(&k.kit, &coin, 1, FEE);
    FX_CHECK_STR(pool_kit_submit(&k, tx), "too-long-mempool-chain");
    fx_tx_unref(tx);
    pool_kit_close(&k);
}

FX_TEST(a_better_payment_replaces)
{
    struct pool_kit k;
    pool_kit_open(&k, 101);
    struct kit_coin coin = kit_coinbase(&k.kit, 1);
    struct fx_tx *old = kit_pay(&k.kit, &coin, 1, FEE);
    const struct fx_tx *parent = pool_kit_take(&k, fx_tx_ref(old));
    struct kit_coin out = kit_output(parent, 0, 102);
    struct fx_tx *child = kit_pay(&k.kit, &out, 1, FEE);
    pool_kit_take(&k, fx_tx_ref(child));

    struct fx_tx *poor = kit_pay(&k.kit, &coin, 1, FEE + 10);
    FX_CHECK_STR(pool_kit_submit(&k, poor), "insufficient fee");
    struct fx_tx *still_poor =
        kit_pay(&k.kit, &coin, 1, 2 * FEE + 10); /* pays no relay of its own */
    FX_CHECK_STR(pool_kit_submit(&k, still_poor), "insufficient fee");
    FX_CHECK_INT(pool_kit_count(&k), 2);
    const struct fx_tx *rich = pool_kit_take(&k, kit_pay(&k.kit, &coin, 1, 3 * FEE));
    FX_CHECK_INT(pool_kit_count(&k), 1);
    FX_CHECK(!pool_kit_has(&k, old) && !pool_kit_has(&k, child));
    FX_CHECK_INT(k.removed[FX_REMOVED_REPLACED], 2);
    FX_CHECK(fx_mempool_spender(k.pool, &coin.outpoint) == rich);
    FX_CHECK_STR(pool_kit_submit(&k, child), "bad-txns-inputs-missingorspent");
    fx_tx_unref(old);
    fx_tx_unref(child);
    fx_tx_unref(poor);
    fx_tx_unref(still_poor);
    pool_kit_close(&k);
}

FX_TEST(a_replacement_adds_no_unconfirmed_input)
{
    struct pool_kit k;
    pool_kit_open(&k, 102);
    struct kit_coin one = kit_coinbase(&k.kit, 1), two = kit_coinbase(&k.kit, 2);
    pool_kit_take(&k, kit_pay(&k.kit, &one, 1, FEE));
    const struct fx_tx *other = pool_kit_take(&k, kit_pay(&k.kit, &two, 1, FEE));
    struct kit_coin coins[2] = {one, kit_output(other, 0, 103)};
    int64_t value = coins[0].value + coins[1].value - 10 * FEE;
    struct fx_tx *tx = pool_kit_spend(&k, coins, 2, &value, 1);
    FX_CHECK_STR(pool_kit_submit(&k, tx), "replacement-adds-unconfirmed");
    fx_tx_unref(tx);

    /* And it may not spend what it replaces. */
    const struct fx_tx *rival = fx_mempool_spender(k.pool, &one.outpoint);
    coins[1] = kit_output(rival, 0, 103);
    value = coins[0].value + coins[1].value - 10 * FEE;
    tx = pool_kit_spend(&k, coins, 2, &value, 1);
    FX_CHECK_STR(pool_kit_submit(&k, tx), "bad-txns-spends-conflicting-tx");
    fx_tx_unref(tx);
    pool_kit_close(&k);
}
