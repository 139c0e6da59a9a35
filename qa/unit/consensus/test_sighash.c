/* Signature hashes. */
#include "consensus/sighash.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/crypto/sha256.h"
#include "src/crypto/taghash.h"
#include "src/util/mem.h"

static struct fx_tx *parse_hex(const char *hex)
{
    size_t max = strlen(hex) / 2 + 1;
    uint8_t *raw = fx_xmalloc(max);
    size_t n = fx_unit_unhex(hex, raw, max);
    struct fx_tx *tx = fx_tx_parse(raw, n);

    free(raw);
    FX_CHECK(tx != NULL);
    return tx;
}

static const char *text(const json_t *object, const char *field)
{
    const char *s = json_string_value(json_object_get(object, field));

    FX_CHECK(s != NULL);
    return s;
}

static struct fx_coin *spent_of(const json_t *utxos)
{
    struct fx_coin *spent = fx_xcalloc(json_array_size(utxos), sizeof *spent);
    size_t at;
    json_t *utxo;

    json_array_foreach(utxos, at, utxo)
    {
        const char *script = text(utxo, "scriptPubKey");

        spent[at].value = json_integer_value(json_object_get(utxo, "amountSats"));
        spent[at].script = fx_xmalloc(strlen(script));
        spent[at].script_len = fx_unit_unhex(script, spent[at].script, strlen(script));
    }
    return spent;
}

FX_TEST(bip341_wallet_vectors)
{
    json_t *data = fx_unit_vector("bip341_wallet_vectors.json");
    const json_t *test = json_array_get(json_object_get(data, "keyPathSpending"), 0);
    const json_t *given = json_object_get(test, "given");
    const json_t *middle = json_object_get(test, "intermediary");
    const json_t *utxos = json_object_get(given, "utxosSpent");
    struct fx_tx *tx = parse_hex(text(given, "rawUnsignedTx"));
    struct fx_coin *spent = spent_of(utxos);
    struct fx_sighash_cache cache;
    size_t at;
    json_t *input;

    FX_CHECK_INT(tx->n_in, json_array_size(utxos));
    fx_sighash_cache_init(&cache, tx, spent);
    FX_CHECK_HEX(cache.amounts.b, text(middle, "hashAmounts"));
    FX_CHECK_HEX(cache.outputs.b, text(middle, "hashOutputs"));
    FX_CHECK_HEX(cache.prevouts.b, text(middle, "hashPrevouts"));
    FX_CHECK_HEX(cache.scripts.b, text(middle, "hashScriptPubkeys"));
    FX_CHECK_HEX(cache.sequences.b, text(middle, "hashSequences"));

    json_array_foreach(json_object_get(test, "inputSpending"), at, input)
    {
        const json_t *in = json_object_get(input, "given");
        struct fx_hash hash;

        FX_CHECK(fx_sighash_taproot(
            tx, (size_t)json_integer_value(json_object_get(in, "txinIndex")), spent,
            (uint8_t)json_integer_value(json_object_get(in, "hashType")), NULL, &cache, &hash));
        FX_CHECK_HEX(hash.b, text(json_object_get(input, "intermediary"), "sigHash"));
    }
    FX_CHECK_INT(at, 7);
    for (size_t i = 0; i < tx->n_in; i++) {
        fx_coin_clear(&spent[i]);
    }
    free(spent);
    fx_tx_unref(tx);
    json_decref(data);
}

/* A transaction of two inputs and one output, with their coins. */
struct pair {
    struct fx_tx *tx;
    struct fx_coin spent[2];
    uint8_t script[34];
    struct fx_sighash_cache cache;
};

static void pair_init(struct pair *p)
{
    struct fx_outpoint prevout = {.index = 4};
    struct fx_txb b;

    memset(p, 0, sizeof *p);
    p->script[0] = 0x51;
    p->script[1] = 32;
    fx_txb_init(&b);
    fx_txb_add_in(&b, &prevout, 10);
    prevout.index = 5;
    fx_txb_add_in(&b, &prevout, 11);
    fx_txb_add_out(&b, 1234, "\x51", 1);
    p->tx = fx_txb_build(&b);
    fx_txb_clear(&b);
    for (unsigned i = 0; i < 2; i++) {
        p->spent[i].value = 1000 + i;
        p->spent[i].script = p->script;
        p->spent[i].script_len = sizeof p->script;
    }
    fx_sighash_cache_init(&p->cache, p->tx, p->spent);
}

FX_TEST(hash_types_that_taproot_does_not_know)
{
    struct pair p;
    struct fx_hash hash;
    unsigned good = 0;

    pair_init(&p);
    for (unsigned type = 0; type < 256; type++) {
        bool known = type <= 3 || (type >= 0x81 && type <= 0x83);

        FX_CHECK_INT(fx_sighash_taproot(p.tx, 0, p.spent, (uint8_t)type, NULL, &p.cache, &hash),
                     known);
        good += known;
    }
    FX_CHECK_INT(good, 7);
    /* SINGLE without its output. */
    FX_CHECK(!fx_sighash_taproot(p.tx, 1, p.spent, 3, NULL, &p.cache, &hash));
    FX_CHECK(!fx_sighash_taproot(p.tx, 1, p.spent, 0x83, NULL, &p.cache, &hash));
    FX_CHECK(fx_sighash_taproot(p.tx, 1, p.spent, 2, NULL, &p.cache, &hash));
    fx_tx_unref(p.tx);
}

/* The message of BIP341 written out, for all inputs and outputs. */
static void write_message(const struct pair *p, uint32_t in, const struct fx_span *annex,
                          struct fx_buf *buf)
{
    fx_buf_u8(buf, 0);
    fx_buf_u32(buf, 2);
    fx_buf_u32(buf, 0);
    fx_buf_hash(buf, &p->cache.prevouts);
    fx_buf_hash(buf, &p->cache.amounts);
    fx_buf_hash(buf, &p->cache.scripts);
    fx_buf_hash(buf, &p->cache.sequences);
    fx_buf_hash(buf, &p->cache.outputs);
    fx_buf_u8(buf, annex != NULL ? 1 : 0);
    fx_buf_u32(buf, in);
    if (annex != NULL) {
        struct fx_buf wrapped = FX_BUF_INIT;
        struct fx_hash hash;

        fx_buf_var_bytes(&wrapped, annex->data, annex->len);
        fx_sha256(wrapped.data, wrapped.len, hash.b);
        fx_buf_hash(buf, &hash);
        fx_buf_clear(&wrapped);
    }
}

FX_TEST(the_annex_is_signed)
{
    static const size_t sizes[] = {1, 252, 253, 300, 65535, 65536, 70000};
    static uint8_t bytes[70000] = {0x50, 1, 2, 3};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct fx_span annex = {bytes, sizes[i]};
        struct fx_buf buf = FX_BUF_INIT;
        struct pair p;
        struct fx_hash hash, expected;

        pair_init(&p);
        FX_CHECK(fx_sighash_taproot(p.tx, 1, p.spent, 0, &annex, &p.cache, &hash));
        fx_buf_u8(&buf, 0);
        write_message(&p, 1, &annex, &buf);
        fx_tagged_hash("TapSighash", buf.data, buf.len, expected.b);
        FX_CHECK(fx_hash_equal(&hash, &expected));
        fx_buf_clear(&buf);
        fx_tx_unref(p.tx);
    }
}

/* BIP342: the same message with another spend type, then leaf, key version, code separator. */
FX_TEST(the_script_path_signs_its_leaf)
{
    struct fx_sighash_spend spend;
    struct fx_buf buf = FX_BUF_INIT;
    struct pair p;
    struct fx_hash hash, expected;

    pair_init(&p);
    fx_sighash_spend_init(&spend, NULL);
    spend.has_leaf = true;
    spend.leaf_hash.b[3] = 9;
    spend.codesep_pos = 0x01020304;
    FX_CHECK(fx_sighash_taproot_spend(p.tx, 1, p.spent, 0, &spend, &p.cache, &hash));
    fx_buf_u8(&buf, 0);
    write_message(&p, 1, NULL, &buf);
    FX_CHECK_INT(buf.data[buf.len - 5], 0);
    buf.data[buf.len - 5] = 2;
    fx_buf_hash(&buf, &spend.leaf_hash);
    fx_buf_u8(&buf, 0);
    fx_buf_u32(&buf, 0x01020304);
    fx_tagged_hash("TapSighash", buf.data, buf.len, expected.b);
    FX_CHECK(fx_hash_equal(&hash, &expected));
    fx_buf_clear(&buf);
    fx_tx_unref(p.tx);
}

/* ---- before segwit ---- */

static void legacy(const struct pair *p, const char *code, uint32_t type, struct fx_hash *hash)
{
    uint8_t raw[20];
    struct fx_span script = {raw, fx_unit_unhex(code, raw, sizeof raw)};

    fx_sighash_legacy(p->tx, 1, script, type, hash);
}

FX_TEST(legacy_single_without_its_output_signs_one)
{
    static const struct fx_hash one = {{1}};
    struct pair p;
    struct fx_hash hash;

    pair_init(&p);
    legacy(&p, "51", 3, &hash);
    FX_CHECK(fx_hash_equal(&hash, &one));
    legacy(&p, "51", 0x83, &hash);
    FX_CHECK(fx_hash_equal(&hash, &one));
    legacy(&p, "51", 2, &hash);
    FX_CHECK(!fx_hash_equal(&hash, &one));
    fx_sighash_legacy(p.tx, 0, (struct fx_span){NULL, 0}, 3, &hash);
    FX_CHECK(!fx_hash_equal(&hash, &one));
    fx_tx_unref(p.tx);
}

FX_TEST(legacy_leaves_code_separators_out)
{
    struct pair p;
    struct fx_hash with, without;

    pair_init(&p);
    legacy(&p, "ab51ab02ababab52ab", 1, &with);
    legacy(&p, "5102abab52", 1, &without);
    FX_CHECK(fx_hash_equal(&with, &without));
    legacy(&p, "51abab", 1, &with);
    legacy(&p, "51", 1, &without);
    FX_CHECK(fx_hash_equal(&with, &without));
    legacy(&p, "01ab", 1, &with);
    FX_CHECK(!fx_hash_equal(&with, &without));
    fx_tx_unref(p.tx);
}

/* The message written out, for all inputs and outputs and for this input alone. */
FX_TEST(legacy_message)
{
    static const uint8_t code[300] = {0x51};

    for (unsigned anyone = 0; anyone < 2; anyone++) {
        uint32_t type = anyone ? 0x12345681u : 0x12345601u;
        struct fx_buf buf = FX_BUF_INIT;
        struct pair p;
        struct fx_hash hash, expected;

        pair_init(&p);
        fx_sighash_legacy(p.tx, 1, (struct fx_span){code, sizeof code}, type, &hash);
        fx_buf_u32(&buf, 2);
        fx_buf_u8(&buf, anyone ? 1 : 2);
        if (!anyone) {
            fx_outpoint_write(&p.tx->in[0].prevout, &buf);
            fx_buf_u8(&buf, 0);
            fx_buf_u32(&buf, 10);
        }
        fx_outpoint_write(&p.tx->in[1].prevout, &buf);
        fx_buf_var_bytes(&buf, code, sizeof code);
        fx_buf_u32(&buf, 11);
        fx_buf_u8(&buf, 1);
        fx_buf_i64(&buf, 1234);
        fx_buf_var_bytes(&buf, "\x51", 1);
        fx_buf_u32(&buf, 0);
        fx_buf_u32(&buf, type);
        fx_sha256d(buf.data, buf.len, expected.b);
        FX_CHECK(fx_hash_equal(&hash, &expected));
        fx_buf_clear(&buf);
        fx_tx_unref(p.tx);
    }
}

FX_TEST(task_spends_sign_their_action)
{
    struct pair p;

    pair_init(&p);
    for (uint8_t action = 0; action <= 8; action++) {
        struct fx_buf buf = FX_BUF_INIT;
        struct fx_hash hash, expected;

        fx_sighash_task(p.tx, 1, p.spent, action, &p.cache, &hash);
        fx_buf_u8(&buf, action);
        fx_buf_u8(&buf, 0);
        write_message(&p, 1, NULL, &buf);
        fx_tagged_hash("fornax/tasksighash", buf.data, buf.len, expected.b);
        FX_CHECK(fx_hash_equal(&hash, &expected));
        fx_buf_clear(&buf);
    }
    fx_tx_unref(p.tx);
}

static void check_v0(const char *raw, size_t in, const char *code, int64_t amount,
                     uint32_t hash_type, const char *expected)
{
    struct fx_tx *tx = parse_hex(raw);
    struct fx_coin *spent = fx_xcalloc(tx->n_in, sizeof *spent);
    uint8_t bytes[300];
    struct fx_span span = {bytes, fx_unit_unhex(code, bytes, sizeof bytes)};
    struct fx_sighash_cache cache;
    struct fx_hash hash;

    fx_sighash_cache_init(&cache, tx, spent);
    fx_sighash_v0(tx, in, span, amount, hash_type, &cache, &hash);
    FX_CHECK_HEX(hash.b, expected);
    free(spent);
    fx_tx_unref(tx);
}

/* The examples of BIP143. */
FX_TEST(bip143_p2wpkh)
{
    check_v0("0100000002fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f0000000000"
             "eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ff"
             "ffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d"
             "000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac11000000",
             1, "76a9141d0f172a0ecb48aee1be1f2687d2963ae33f71a188ac", 600000000, 1,
             "c37af31116d1b27caf68aae9e3ac82f1477929014d5b917657d0eb49478cb670");
    check_v0("0100000001db6b1b20aa0fd7b23880be2ecbd4a98130974cf4748fb66092ac4d3ceb1a54770100000000"
             "feffffff02b8b4eb0b000000001976a914a457b684d7f0d539a46a45bbc043f35b59d0d96388ac0008af"
             "2f000000001976a914fd270b1ee6abcaea97fea7ad0402e8bd8ad6d77c88ac92040000",
             0, "76a91479091972186c449eb1ded22b78e40d009bdf008988ac", 1000000000, 1,
             "64f3b0f4dd2bb3aa1ce8566d220cc74dda9df97d8490cc81d89d735c92e59fb6");
}

FX_TEST(bip143_hash_types)
{
    static const struct {
        uint32_t type;
        const char *hash;
    } cases[] = {
        {0x01, "185c0be5263dce5b4bb50a047973c1b6272bfbd0103a89444597dc40b248ee7c"},
        {0x02, "e9733bc60ea13c95c6527066bb975a2ff29a925e80aa14c213f686cbae5d2f36"},
        {0x03, "1e1f1c303dc025bd664acb72e583e933fae4cff9148bf78c157d1e8f78530aea"},
        {0x81, "2a67f03e63a6a422125878b40b82da593be8d4efaafe88ee528af6e5a9955c6e"},
        {0x82, "781ba15f3779d5542ce8ecb5c18716733a5ee42a6f51488ec96154934e2c890a"},
        {0x83, "511e8e52ed574121fc1b654970395502128263f62662e076dc6baf05c2e6a99b"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_v0(
            "010000000136641869ca081e70f394c6948e8af409e18b619df2ed74aa106c1ca29787b96e01000000"
            "00ffffffff0200e9a435000000001976a914389ffce9cd9ae88dcc0631e88a821ffdbe9bfe2688acc0"
            "832f05000000001976a9147480a33f950689af511e6e84c138dbbd3c3ee41588ac00000000",
            0,
            "56210307b8ae49ac90a048e9b53357a2354b3334e9c8bee813ecb98e99a7e07e8c3ba32103b28f0c28"
            "bfab54554ae8c658ac5c3e0ce6e79ad336331f78c428dd43eea8449b21034b8113d703413d57761b8b"
            "9781957b8c0ac1dfe69f492580ca4195f50376ba4a21033400f6afecb833092a9a21cfdf1ed1376e58"
            "c5d1f47de74683123987e967a8f42103a6d48b1131e94ba04d9737d61acdaa1322008af9602b3b1486"
            "2c07a1789aac162102d8b661b0b3302ee2f162b09e07a55ad5dfbe673a9f01d9f0c19617681024306b"
            "56ae",
            987654321, cases[i].type, cases[i].hash);
    }
}

FX_TEST(bip143_single_without_its_output_signs_zero)
{
    static const uint8_t zero[32];
    struct fx_buf buf = FX_BUF_INIT;
    struct pair p;
    struct fx_span code = {(const uint8_t *)"\x51", 1};
    struct fx_hash hash, expected;

    pair_init(&p);
    fx_sighash_v0(p.tx, 1, code, 5, 3, &p.cache, &hash);
    fx_buf_u32(&buf, 2);
    fx_buf_hash(&buf, &p.cache.v0_prevouts);
    fx_buf_bytes(&buf, zero, sizeof zero);
    fx_outpoint_write(&p.tx->in[1].prevout, &buf);
    fx_buf_var_bytes(&buf, code.data, code.len);
    fx_buf_u64(&buf, 5);
    fx_buf_u32(&buf, 11);
    fx_buf_bytes(&buf, zero, sizeof zero);
    fx_buf_u32(&buf, 0);
    fx_buf_u32(&buf, 3);
    fx_sha256d(buf.data, buf.len, expected.b);
    FX_CHECK(fx_hash_equal(&hash, &expected));
    fx_buf_clear(&buf);
    fx_tx_unref(p.tx);
}
