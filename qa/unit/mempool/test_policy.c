/* Standardness, held to its limits: each is met exactly, and passed by one. */
#include "src/mempool/mempool_int.h"

#include <string.h>

#include "consensus/script_ops.h"
#include "qa/unit/harness.h"
#include "qa/unit/mempool/pool_kit.h"
#include "src/crypto/ripemd160.h"
#include "src/sys/clock.h"
#include "src/util/amount.h"

#define CHECKSIG 0xac
#define ITEMS_MAX 110

/* An input that spends one script, with what it shows for that. */
struct show {
    struct fx_buf pays, script_sig;
    size_t items[ITEMS_MAX]; /* lengths of witness items of zeros */
    size_t n_items;
    uint8_t first; /* first byte of the last item */
};

static const struct fx_mempool *pool_of(struct fx_mempool_policy policy)
{
    static struct fx_mempool pool;
    pool = (struct fx_mempool){.params = fx_params_get(FX_BTCREGTEST), .policy = policy};
    return &pool;
}

/* "" or the reason; ends the show. */
static const char *judge(struct show *s)
{
    static const uint8_t zeros[4000];
    struct fx_txout out = {.value = 1000, .script = {s->pays.data, s->pays.len}};
    struct fx_outpoint outpoint = {.index = 1};
    struct fx_coin coin;
    struct fx_txb b;
    enum fx_refusal refusal;
    fx_coin_set(&coin, &out, 1, false);
    fx_txb_init(&b);
    fx_txb_add_in(&b, &outpoint, FX_SEQUENCE_FINAL);
    fx_txb_set_script_sig(&b, 0, s->script_sig.data, s->script_sig.len);
    for (size_t i = 0; i < s->n_items; i++) {
        uint8_t item[sizeof(zeros)] = {0};
        FX_CHECK(s->items[i] <= sizeof(item));
        item[0] = i + 1 == s->n_items ? s->first : 0;
        fx_txb_push_witness(&b, 0, item, s->items[i]);
    }
    fx_txb_add_out(&b, 500, s->pays.data, s->pays.len);
    struct fx_tx *tx = fx_txb_build(&b);
    const char *reason = fx_policy_check_inputs(fx_params_get(FX_BTCREGTEST), tx, &coin, &refusal);
    bool inputs = reason && strcmp(reason, "bad-txns-nonstandard-inputs") == 0;
    FX_CHECK_INT(refusal, inputs ? FX_REFUSAL_INPUTS : FX_REFUSAL_OTHER);
    fx_tx_unref(tx);
    fx_txb_clear(&b);
    fx_coin_clear(&coin);
    fx_buf_clear(&s->pays);
    fx_buf_clear(&s->script_sig);
    *s = (struct show){.n_items = 0};
    return reason ? reason : "";
}

static void pay_program(struct fx_buf *out, uint8_t version, size_t n)
{
    fx_buf_u8(out, version);
    fx_buf_u8(out, (uint8_t)n);
    for (size_t i = 0; i < n; i++) {
        fx_buf_u8(out, 7);
    }
}

/* Items of this length each, then a last one. */
static void set_items(struct show *s, size_t n, size_t each, size_t last)
{
    FX_CHECK(n < ITEMS_MAX);
    for (size_t i = 0; i < n; i++) {
        s->items[i] = each;
    }
    s->items[n] = last;
    s->n_items = n + 1;
}

static const char *judge_p2wsh(size_t n, size_t each, size_t script)
{
    struct show s = {.n_items = 0};
    pay_program(&s.pays, FX_OP_0, 32);
    set_items(&s, n, each, script);
    return judge(&s);
}

FX_TEST(p2wsh_shows_no_more_than_it_needs)
{
    FX_CHECK_STR(judge_p2wsh(100, 80, 3600), "");
    FX_CHECK_STR(judge_p2wsh(101, 1, 100), "bad-witness-nonstandard");
    FX_CHECK_STR(judge_p2wsh(1, 81, 100), "bad-witness-nonstandard");
    FX_CHECK_STR(judge_p2wsh(1, 1, 3601), "bad-witness-nonstandard");
}

/* P2SH of a redeem script, which is pushed. */
static void pay_p2sh(struct show *s, const uint8_t *redeem, size_t n)
{
    uint8_t id[20];
    FX_CHECK(n < 76);
    fx_hash160(redeem, n, id);
    fx_buf_u8(&s->pays, 0xa9);
    fx_buf_u8(&s->pays, 20);
    fx_buf_bytes(&s->pays, id, sizeof(id));
    fx_buf_u8(&s->pays, 0x87);
    fx_buf_u8(&s->script_sig, (uint8_t)n);
    fx_buf_bytes(&s->script_sig, redeem, n);
}

FX_TEST(p2wsh_within_p2sh_is_held_to_the_same)
{
    uint8_t program[34] = {FX_OP_0, 32};
    for (size_t n = 80; n <= 81; n++) {
        struct show s = {.n_items = 0};
        pay_p2sh(&s, program, sizeof(program));
        set_items(&s, 1, n, 100);
        FX_CHECK_STR(judge(&s), n == 80 ? "" : "bad-witness-nonstandard");
    }
}

FX_TEST(p2sh_has_at_most_15_signature_operations)
{
    uint8_t checks[16];
    memset(checks, CHECKSIG, sizeof(checks));
    for (size_t n = 15; n <= 16; n++) {
        struct show s = {.n_items = 0};
        pay_p2sh(&s, checks, n);
        FX_CHECK_STR(judge(&s), n == 15 ? "" : "bad-txns-nonstandard-inputs");
    }
}

static const char *judge_taproot(size_t n, size_t each, size_t last, uint8_t first)
{
    struct show s = {.first = first};
    pay_program(&s.pays, FX_OP_1, 32);
    set_items(&s, n, each, last);
    return judge(&s);
}

FX_TEST(tapscript_takes_items_of_80_bytes)
{
    /* Before the control block comes the script, of any length. */
    struct show s = {.first = 0xc0};
    pay_program(&s.pays, FX_OP_1, 32);
    set_items(&s, 2, 80, 33);
    s.items[1] = 3000;
    FX_CHECK_STR(judge(&s), "");
    FX_CHECK_STR(judge_taproot(2, 81, 33, 0xc1), "bad-witness-nonstandard");
    /* Of other leaf versions nothing is known. */
    FX_CHECK_STR(judge_taproot(2, 81, 33, 0xc2), "");
    FX_CHECK_STR(judge_taproot(1, 80, 33, 0x50), "bad-witness-nonstandard"); /* an annex */
    FX_CHECK_STR(judge_taproot(1, 80, 0, 0), "bad-witness-nonstandard");
    FX_CHECK_STR(judge_taproot(0, 0, 64, 1), ""); /* the key's way */
}

FX_TEST(an_anchor_shows_nothing)
{
    struct show s = {.n_items = 0};
    fx_buf_bytes(&s.pays, "\x51\x02\x4e\x73", 4);
    FX_CHECK_STR(judge(&s), "");
    fx_buf_bytes(&s.pays, "\x51\x02\x4e\x73", 4);
    set_items(&s, 0, 0, 1);
    FX_CHECK_STR(judge(&s), "bad-witness-nonstandard");
}

/* ---- what can be set ------------------------------------------------------------------------- */

static const char *judge_output(struct fx_mempool_policy policy, int64_t value,
                                const uint8_t *script, size_t n)
{
    struct fx_outpoint outpoint = {.index = 1};
    struct fx_txb b;
    fx_txb_init(&b);
    fx_txb_add_in(&b, &outpoint, FX_SEQUENCE_FINAL);
    fx_txb_add_out(&b, value, script, n);
    struct fx_tx *tx = fx_txb_build(&b);
    const char *reason = fx_policy_check_tx(pool_of(policy), tx);
    fx_tx_unref(tx);
    fx_txb_clear(&b);
    return reason ? reason : "";
}

FX_TEST(outputs_by_the_policy_that_is_set)
{
    struct fx_mempool_policy p = fx_mempool_policy_default;
    uint8_t data[84] = {0x6a, 0x4c, 80}, multisig[37] = {FX_OP_1, 33, 2}, p2tr[34] = {FX_OP_1, 32};
    multisig[35] = FX_OP_1;
    multisig[36] = 0xae;
    FX_CHECK_STR(judge_output(p, 0, data, 83), "");
    data[2] = 81;
    FX_CHECK_STR(judge_output(p, 0, data, 84), "scriptpubkey");
    FX_CHECK_STR(judge_output(p, 1000, multisig, sizeof(multisig)), "");
    FX_CHECK_STR(judge_output(p, 330, p2tr, sizeof(p2tr)), "");
    FX_CHECK_STR(judge_output(p, 329, p2tr, sizeof(p2tr)), "dust");
    p.return_script_max = 84;
    p.bare_multisig = false;
    p.dust_rate = 1000;
    FX_CHECK_STR(judge_output(p, 0, data, 84), "");
    FX_CHECK_STR(judge_output(p, 1000, multisig, sizeof(multisig)), "bare-multisig");
    FX_CHECK_STR(judge_output(p, 110, p2tr, sizeof(p2tr)), "");
    FX_CHECK_STR(judge_output(p, 109, p2tr, sizeof(p2tr)), "dust");
    p.return_script_max = 0;
    FX_CHECK_STR(judge_output(p, 0, data, 1), "scriptpubkey");
}

/* A transaction of 99,985 bytes and the script_sig, and a witness of 400,000 bytes. */
static const char *judge_large(enum fx_chain_kind chain, size_t script_sig)
{
    static const uint8_t zeros[400000], p2tr[34] = {FX_OP_1, 32};
    struct fx_outpoint outpoint = {.index = 1};
    struct fx_txb b;
    fx_txb_init(&b);
    fx_txb_add_in(&b, &outpoint, FX_SEQUENCE_FINAL);
    fx_txb_set_script_sig(&b, 0, zeros, script_sig);
    fx_txb_push_witness(&b, 0, zeros, sizeof(zeros));
    for (int i = 0; i < 2324; i++) {
        fx_txb_add_out(&b, 1000, p2tr, sizeof(p2tr));
    }
    struct fx_tx *tx = fx_txb_build(&b);
    FX_CHECK_INT(tx->base_size, 99985 + script_sig);
    struct fx_mempool pool = {.params = fx_params_get(chain), .policy = fx_mempool_policy_default};
    const char *reason = fx_policy_check_tx(&pool, tx);
    fx_tx_unref(tx);
    fx_txb_clear(&b);
    return reason ? reason : "";
}

/* A task spend may be heavier than others by its witness alone. */
FX_TEST(without_its_witness_a_transaction_is_held_to_the_ordinary_limit)
{
    FX_CHECK_STR(judge_large(FX_REGTEST, 15), "");
    FX_CHECK_STR(judge_large(FX_REGTEST, 16), "tx-size");
    FX_CHECK_STR(judge_large(FX_BTCREGTEST, 15), "tx-size");
}

FX_TEST(signature_operations_count_as_size)
{
    struct pool_kit k;
    pool_kit_open(&k, 101);
    struct kit_coin coin = kit_coinbase(&k.kit, 1);
    struct fx_tx *tx = kit_pay(&k.kit, &coin, 1, 1000);
    struct fx_mempool_policy p = fx_mempool_policy_default;
    size_t weight = fx_tx_weight(tx), few = weight / p.bytes_per_sigop;
    FX_CHECK_INT(fx_policy_vsize(pool_of(p), tx, few), fx_tx_vsize(tx));
    FX_CHECK_INT(fx_policy_vsize(pool_of(p), tx, 4 * few), few * p.bytes_per_sigop);
    p.bytes_per_sigop = 1;
    FX_CHECK_INT(fx_policy_vsize(pool_of(p), tx, 4 * few), fx_tx_vsize(tx));
    fx_tx_unref(tx);
    pool_kit_close(&k);
}

FX_TEST(a_fee_is_rounded_up)
{
    FX_CHECK_INT(fx_policy_fee(1000, 141), 141);
    FX_CHECK_INT(fx_policy_fee(1, 1), 1);
    FX_CHECK_INT(fx_policy_fee(0, 1000), 0);
    FX_CHECK_INT(fx_policy_fee(1500, 3), 5);
    FX_CHECK_INT(fx_policy_fee(FX_COIN, 1000000), 1000 * FX_COIN); /* no overflow between */
}

FX_TEST(limits_and_rates_are_those_that_are_set)
{
    struct pool_kit k;
    struct fx_mempool_policy p = fx_mempool_policy_default;
    struct fx_mempool_info info;
    pool_kit_open(&k, 102);
    p.ancestors_max = 2;
    p.min_fee_rate = 2000;
    p.increment_rate = 500;
    p.full_rbf = false;
    k.config.policy = &p;
    pool_kit_restart(&k);
    fx_mempool_info(k.pool, &info);
    FX_CHECK_INT(info.min_fee_rate, 2000);
    FX_CHECK_INT(info.relay_fee_rate, 2000);
    FX_CHECK_INT(info.increment_rate, 500);
    struct kit_coin coin = kit_coinbase(&k.kit, 1);
    struct fx_tx *cheap = kit_pay(&k.kit, &coin, 1, 0);
    int64_t vsize = (int64_t)fx_tx_vsize(cheap);
    fx_tx_unref(cheap);
    cheap = kit_pay(&k.kit, &coin, 1, 2 * vsize - 1);
    FX_CHECK_STR(pool_kit_submit(&k, cheap), "min relay fee not met");
    fx_tx_unref(cheap);
    const struct fx_tx *first = pool_kit_take(&k, kit_pay(&k.kit, &coin, 1, 2 * vsize));
    struct fx_tx *rival = kit_pay(&k.kit, &coin, 1, 20 * vsize);
    FX_CHECK_STR(pool_kit_submit(&k, rival), "txn-mempool-conflict");
    fx_tx_unref(rival);
    struct kit_coin made = kit_output(first, 0, 103);
    made = kit_output(pool_kit_take(&k, kit_pay(&k.kit, &made, 1, 2 * vsize)), 0, 103);
    struct fx_tx *third = kit_pay(&k.kit, &made, 1, 2 * vsize);
    FX_CHECK_STR(pool_kit_submit(&k, third), "too-long-mempool-chain");
    fx_tx_unref(third);
    pool_kit_close(&k);
}

FX_TEST(a_child_can_be_replaced_with_its_parent)
{
    struct pool_kit k;
    struct fx_txb b;
    pool_kit_open(&k, 101);
    struct kit_coin coin = kit_coinbase(&k.kit, 1);
    struct fx_tx *tx = kit_pay(&k.kit, &coin, 1, 1000);
    fx_txb_from_tx(&b, tx);
    fx_tx_unref(tx);
    b.in[0].sequence = FX_SEQUENCE_FINAL - 2;
    tx = fx_txb_build(&b);
    FX_CHECK(fx_pool_readmit(k.pool, tx, fx_clock_now())); /* it looks at no signature */
    struct kit_coin made = kit_output(tx, 0, 102);
    const struct fx_tx *child = pool_kit_take(&k, kit_pay(&k.kit, &made, 1, 1000));
    FX_CHECK(!fx_policy_signals_replacing(child));
    FX_CHECK(fx_mempool_signals_replacing(k.pool, &child->txid));
    FX_CHECK(fx_mempool_signals_replacing(k.pool, &tx->txid));
    fx_tx_unref(tx);
    fx_txb_clear(&b);
    pool_kit_close(&k);
}
