/* Kinds of scripts, and verifying inputs. */
#include "consensus/script.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/script_check.h"
#include "consensus/sighash.h"
#include "qa/unit/consensus/world.h"
#include "qa/unit/harness.h"
#include "src/crypto/ripemd160.h"
#include "src/util/mem.h"

static enum fx_script_type type_of(const char *hex)
{
    uint8_t raw[100];
    struct fx_span script = {raw, fx_unit_unhex(hex, raw, sizeof raw)};

    return fx_script_classify(script);
}

#define H20 "0102030405060708090a0b0c0d0e0f1011121314"
#define H32 H20 "15161718191a1b1c1d1e1f20"

FX_TEST(kinds_of_scripts)
{
    FX_CHECK_INT(type_of("76a914" H20 "88ac"), FX_SCRIPT_P2PKH);
    FX_CHECK_INT(type_of("a914" H20 "87"), FX_SCRIPT_P2SH);
    FX_CHECK_INT(type_of("0014" H20), FX_SCRIPT_P2WPKH);
    FX_CHECK_INT(type_of("0020" H32), FX_SCRIPT_P2WSH);
    FX_CHECK_INT(type_of("5120" H32), FX_SCRIPT_P2TR);
    FX_CHECK_INT(type_of("5220" H32), FX_SCRIPT_TASK);
    FX_CHECK_INT(type_of("5320" H32), FX_SCRIPT_WITNESS_UNKNOWN);
    FX_CHECK_INT(type_of("5214" H20), FX_SCRIPT_WITNESS_UNKNOWN);
    FX_CHECK_INT(type_of("5102abcd"), FX_SCRIPT_WITNESS_UNKNOWN);
    FX_CHECK_INT(type_of("0002abcd"), FX_SCRIPT_OTHER);
    FX_CHECK_INT(type_of("6a"), FX_SCRIPT_RETURN);
    FX_CHECK_INT(type_of("6a04deadbeef"), FX_SCRIPT_RETURN);
    FX_CHECK_INT(type_of("51"), FX_SCRIPT_OTHER);
    FX_CHECK_INT(type_of(""), FX_SCRIPT_OTHER);
    /* One byte more or less than a witness program. */
    FX_CHECK_INT(type_of("5120" H32 "00"), FX_SCRIPT_OTHER);
    FX_CHECK_INT(type_of("5121" H32), FX_SCRIPT_OTHER);
    FX_CHECK_INT(type_of("5101ab"), FX_SCRIPT_OTHER);
    FX_CHECK_INT(type_of("6120" H32), FX_SCRIPT_OTHER);
    FX_CHECK_INT(type_of("5020" H32), FX_SCRIPT_OTHER);
}

#define K33 "02" H32
#define K65 "04" H32 H32

FX_TEST(bare_keys_and_anchors)
{
    FX_CHECK_INT(type_of("21" K33 "ac"), FX_SCRIPT_PUBKEY);
    FX_CHECK_INT(type_of("41" K65 "ac"), FX_SCRIPT_PUBKEY);
    FX_CHECK_INT(type_of("21" K33 "ad"), FX_SCRIPT_OTHER);
    FX_CHECK_INT(type_of("21"
                         "05" H32 "ac"),
                 FX_SCRIPT_OTHER);
    FX_CHECK_INT(type_of("51024e73"), FX_SCRIPT_ANCHOR);
    FX_CHECK_INT(type_of("52024e73"), FX_SCRIPT_WITNESS_UNKNOWN);
    /* It carries data only where pushes follow. */
    FX_CHECK_INT(type_of("6aac"), FX_SCRIPT_OTHER);
    FX_CHECK_INT(type_of("6a04dead"), FX_SCRIPT_OTHER);
}

FX_TEST(bare_multisigs)
{
    uint8_t raw[200];
    struct fx_span script = {raw, 0};
    struct fx_script_multisig m;

    script.len = fx_unit_unhex("5121" K33 "41" K65 "52ae", raw, sizeof raw);
    FX_CHECK_INT(fx_script_classify(script), FX_SCRIPT_MULTISIG);
    FX_CHECK(fx_script_read_multisig(script, &m));
    FX_CHECK_INT(m.required, 1);
    FX_CHECK_INT(m.n, 2);
    FX_CHECK_INT(m.keys[0].len, 33);
    FX_CHECK_INT(m.keys[1].len, 65);
    /* More than there are, none, a wrong count, something behind it, a count in a longer form. */
    FX_CHECK_INT(type_of("5221" K33 "51ae"), FX_SCRIPT_OTHER);
    FX_CHECK_INT(type_of("0021" K33 "51ae"), FX_SCRIPT_OTHER);
    FX_CHECK_INT(type_of("5121" K33 "52ae"), FX_SCRIPT_OTHER);
    FX_CHECK_INT(type_of("5121" K33 "51aeae"), FX_SCRIPT_OTHER);
    FX_CHECK_INT(type_of("010121" K33 "51ae"), FX_SCRIPT_OTHER);
    FX_CHECK_INT(type_of("51ae"), FX_SCRIPT_OTHER);
    FX_CHECK_INT(type_of("51"), FX_SCRIPT_OTHER);
}

FX_TEST(witness_programs)
{
    uint8_t raw[42] = {0x60, 40};
    struct fx_span script = {raw, 42}, program;
    unsigned version;

    FX_CHECK(fx_script_is_witness(script, &version, &program));
    FX_CHECK_INT(version, 16);
    FX_CHECK_INT(program.len, 40);
    FX_CHECK(program.data == raw + 2);
}

FX_TEST(unspendable_scripts)
{
    uint8_t *raw = fx_xcalloc(1, 10001);
    struct fx_span script = {raw, 10001};

    FX_CHECK(fx_script_is_unspendable(script));
    script.len = 10000;
    FX_CHECK(!fx_script_is_unspendable(script));
    script.len = 0;
    FX_CHECK(!fx_script_is_unspendable(script));
    raw[0] = 0x6a;
    script.len = 1;
    FX_CHECK(fx_script_is_unspendable(script));
    free(raw);
}

FX_TEST(names_are_those_of_bitcoin_core)
{
    FX_CHECK_STR(fx_script_type_name(FX_SCRIPT_OTHER), "nonstandard");
    FX_CHECK_STR(fx_script_type_name(FX_SCRIPT_P2PKH), "pubkeyhash");
    FX_CHECK_STR(fx_script_type_name(FX_SCRIPT_P2WPKH), "witness_v0_keyhash");
    FX_CHECK_STR(fx_script_type_name(FX_SCRIPT_P2TR), "witness_v1_taproot");
    FX_CHECK_STR(fx_script_type_name(FX_SCRIPT_TASK), "witness_v2_task");
    FX_CHECK_STR(fx_script_type_name(FX_SCRIPT_RETURN), "nulldata");
}

/* One input that spends one coin. */
struct spend {
    struct fx_txb b;
    struct fx_tx *tx;
    struct fx_coin coin;
    struct fx_sighash_cache cache;
};

static void spend_init(struct spend *s, const uint8_t *script, size_t n)
{
    struct fx_txout out = {.value = 5000, .script = {script, n}};
    struct fx_outpoint prevout = {.index = 1};

    memset(s, 0, sizeof *s);
    fx_coin_set(&s->coin, &out, 7, false);
    fx_txb_init(&s->b);
    fx_txb_add_in(&s->b, &prevout, 0);
    fx_txb_add_out(&s->b, 4000, "\x51", 1);
    s->tx = fx_txb_build(&s->b);
    fx_sighash_cache_init(&s->cache, s->tx, &s->coin);
}

/* After a change of the witness. */
static enum fx_verdict spend_run(struct spend *s)
{
    struct fx_script_check check = {.in = 0, .spent = &s->coin, .cache = &s->cache};

    fx_tx_unref(s->tx);
    s->tx = fx_txb_build(&s->b);
    check.tx = s->tx;
    return fx_script_check_run(&check);
}

static void spend_clear(struct spend *s)
{
    fx_tx_unref(s->tx);
    fx_txb_clear(&s->b);
    fx_coin_clear(&s->coin);
}

static void taproot_sign(struct spend *s, uint8_t hash_type, const struct fx_span *annex,
                         uint8_t *signature)
{
    struct fx_hash hash;

    FX_CHECK(fx_sighash_taproot(s->tx, 0, &s->coin, hash_type, annex, &s->cache, &hash));
    world_sign(1, &hash, signature);
    signature[64] = hash_type;
}

FX_TEST(taproot_key_path)
{
    static const uint8_t types[] = {0, 1, 2, 3, 0x81, 0x82, 0x83};
    uint8_t script[34], signature[66];
    struct spend s;

    world_p2tr(1, script);
    spend_init(&s, script, sizeof script);
    FX_CHECK_INT(spend_run(&s), FX_SCRIPT_VERIFY_WITNESS_PROGRAM_WITNESS_EMPTY); /* no witness */
    for (size_t i = 0; i < sizeof types; i++) {
        taproot_sign(&s, types[i], NULL, signature);
        fx_txb_clear_witness(&s.b, 0);
        fx_txb_push_witness(&s.b, 0, signature, types[i] == 0 ? 64 : 65);
        FX_CHECK_INT(spend_run(&s), FX_OK);
        signature[5] ^= 1;
        fx_txb_clear_witness(&s.b, 0);
        fx_txb_push_witness(&s.b, 0, signature, types[i] == 0 ? 64 : 65);
        FX_CHECK_INT(spend_run(&s), FX_SCRIPT_VERIFY_SCHNORR_SIG);
    }
    /* The default hash type is said by 64 bytes alone. */
    taproot_sign(&s, 0, NULL, signature);
    fx_txb_clear_witness(&s.b, 0);
    fx_txb_push_witness(&s.b, 0, signature, 65);
    FX_CHECK_INT(spend_run(&s), FX_SCRIPT_VERIFY_SCHNORR_SIG_HASHTYPE);
    /* A good signature with two bytes after it. */
    signature[65] = 0;
    fx_txb_clear_witness(&s.b, 0);
    fx_txb_push_witness(&s.b, 0, signature, 66);
    FX_CHECK_INT(spend_run(&s), FX_SCRIPT_VERIFY_SCHNORR_SIG_SIZE);
    /* A hash type that does not exist. */
    signature[64] = 4;
    fx_txb_clear_witness(&s.b, 0);
    fx_txb_push_witness(&s.b, 0, signature, 65);
    FX_CHECK_INT(spend_run(&s), FX_SCRIPT_VERIFY_SCHNORR_SIG_HASHTYPE);
    fx_txb_clear_witness(&s.b, 0);
    fx_txb_push_witness(&s.b, 0, signature, 63);
    FX_CHECK_INT(spend_run(&s), FX_SCRIPT_VERIFY_SCHNORR_SIG_SIZE);
    fx_txb_clear_witness(&s.b, 0);
    fx_txb_push_witness(&s.b, 0, "", 0);
    FX_CHECK_INT(spend_run(&s), FX_SCRIPT_VERIFY_SCHNORR_SIG_SIZE);
    spend_clear(&s);
}

FX_TEST(taproot_commits_to_amount_and_script)
{
    uint8_t script[34], signature[65];
    struct spend s;

    world_p2tr(1, script);
    spend_init(&s, script, sizeof script);
    taproot_sign(&s, 0, NULL, signature);
    fx_txb_push_witness(&s.b, 0, signature, 64);
    FX_CHECK_INT(spend_run(&s), FX_OK);
    s.coin.value++;
    fx_sighash_cache_init(&s.cache, s.tx, &s.coin);
    FX_CHECK_INT(spend_run(&s), FX_SCRIPT_VERIFY_SCHNORR_SIG);
    spend_clear(&s);
}

FX_TEST(taproot_annex)
{
    static const uint8_t annex_bytes[] = {0x50, 9, 9};
    struct fx_span annex = {annex_bytes, sizeof annex_bytes};
    uint8_t script[34], signature[65];
    struct spend s;

    world_p2tr(1, script);
    spend_init(&s, script, sizeof script);
    taproot_sign(&s, 0, &annex, signature);
    fx_txb_push_witness(&s.b, 0, signature, 64);
    FX_CHECK_INT(spend_run(&s), FX_SCRIPT_VERIFY_SCHNORR_SIG); /* signed with one, spent without */
    fx_txb_push_witness(&s.b, 0, annex_bytes, sizeof annex_bytes);
    FX_CHECK_INT(spend_run(&s), FX_OK);
    taproot_sign(&s, 0, NULL, signature);
    fx_txb_clear_witness(&s.b, 0);
    fx_txb_push_witness(&s.b, 0, signature, 64);
    fx_txb_push_witness(&s.b, 0, annex_bytes, sizeof annex_bytes);
    FX_CHECK_INT(spend_run(&s), FX_SCRIPT_VERIFY_SCHNORR_SIG);
    /* A lone item is never an annex. */
    fx_txb_clear_witness(&s.b, 0);
    fx_txb_push_witness(&s.b, 0, annex_bytes, sizeof annex_bytes);
    FX_CHECK_INT(spend_run(&s), FX_SCRIPT_VERIFY_SCHNORR_SIG_SIZE);
    spend_clear(&s);
}

FX_TEST(native_programs_take_no_script_sig)
{
    uint8_t script[34], signature[65];
    struct spend s;

    world_p2tr(1, script);
    spend_init(&s, script, sizeof script);
    taproot_sign(&s, 0, NULL, signature);
    fx_txb_push_witness(&s.b, 0, signature, 64);
    fx_txb_set_script_sig(&s.b, 0, "\x51", 1);
    FX_CHECK_INT(spend_run(&s), FX_SCRIPT_VERIFY_WITNESS_MALLEATED);
    spend_clear(&s);
}

/* P2WPKH with key 2; key is 33 or 65 bytes. */
static void wpkh_init(struct spend *s, const uint8_t *key, size_t n)
{
    uint8_t hash[20], script[22];

    fx_hash160(key, n, hash);
    fx_script_p2wpkh(hash, script);
    spend_init(s, script, sizeof script);
}

static size_t wpkh_sign_by(unsigned signer, struct spend *s, uint8_t hash_type,
                           uint8_t signature[80])
{
    uint8_t code[25] = {0x76, 0xa9, 20};
    struct fx_span span = {code, sizeof code};
    struct fx_hash hash;
    size_t n;

    memcpy(code + 3, s->coin.script + 2, 20);
    code[23] = 0x88;
    code[24] = 0xac;
    fx_sighash_v0(s->tx, 0, span, s->coin.value, hash_type, &s->cache, &hash);
    n = world_sign_ecdsa(signer, &hash, signature);
    signature[n] = hash_type;
    return n + 1;
}

static size_t wpkh_sign(struct spend *s, uint8_t hash_type, uint8_t signature[80])
{
    return wpkh_sign_by(2, s, hash_type, signature);
}

static enum fx_verdict wpkh_run(struct spend *s, const uint8_t *signature, size_t n,
                                const uint8_t *key, size_t key_len)
{
    fx_txb_clear_witness(&s->b, 0);
    fx_txb_push_witness(&s->b, 0, signature, n);
    fx_txb_push_witness(&s->b, 0, key, key_len);
    return spend_run(s);
}

FX_TEST(p2wpkh)
{
    static const uint8_t types[] = {1, 2, 3, 0x81, 0x82, 0x83, 0, 0x44};
    uint8_t key[33], full[65], other[33], signature[80];
    struct spend s;
    size_t n;

    world_key_full(2, key, full);
    wpkh_init(&s, key, sizeof key);
    /* The hash type is any byte: that it be a known one is policy. */
    for (size_t i = 0; i < sizeof types; i++) {
        n = wpkh_sign(&s, types[i], signature);
        FX_CHECK_INT(wpkh_run(&s, signature, n, key, sizeof key), FX_OK);
        signature[n - 1] ^= 0x10;
        FX_CHECK_INT(wpkh_run(&s, signature, n, key, sizeof key), FX_SCRIPT_VERIFY_EVAL_FALSE);
    }
    n = wpkh_sign(&s, 1, signature);
    world_key_full(3, other, full);
    FX_CHECK_INT(wpkh_run(&s, signature, n, other, sizeof other), FX_SCRIPT_VERIFY_EQUALVERIFY);
    /* A good signature by a key that is not the program's. */
    n = wpkh_sign_by(3, &s, 1, signature);
    FX_CHECK_INT(wpkh_run(&s, signature, n, other, sizeof other), FX_SCRIPT_VERIFY_EQUALVERIFY);
    n = wpkh_sign(&s, 1, signature);
    FX_CHECK_INT(wpkh_run(&s, signature, 0, key, sizeof key), FX_SCRIPT_VERIFY_EVAL_FALSE);

    /* Exactly two items. */
    fx_txb_clear_witness(&s.b, 0);
    FX_CHECK_INT(spend_run(&s), FX_SCRIPT_VERIFY_WITNESS_PROGRAM_MISMATCH);
    fx_txb_push_witness(&s.b, 0, key, sizeof key);
    FX_CHECK_INT(spend_run(&s), FX_SCRIPT_VERIFY_WITNESS_PROGRAM_MISMATCH);
    fx_txb_clear_witness(&s.b, 0);
    fx_txb_push_witness(&s.b, 0, "", 0);
    fx_txb_push_witness(&s.b, 0, signature, n);
    fx_txb_push_witness(&s.b, 0, key, sizeof key);
    FX_CHECK_INT(spend_run(&s), FX_SCRIPT_VERIFY_WITNESS_PROGRAM_MISMATCH);
    spend_clear(&s);
}

FX_TEST(p2wpkh_takes_no_script_sig)
{
    uint8_t key[33], full[65], signature[80];
    struct spend s;
    size_t n;

    world_key_full(2, key, full);
    wpkh_init(&s, key, sizeof key);
    n = wpkh_sign(&s, 1, signature);
    fx_txb_set_script_sig(&s.b, 0, "\x51", 1);
    FX_CHECK_INT(wpkh_run(&s, signature, n, key, sizeof key), FX_SCRIPT_VERIFY_WITNESS_MALLEATED);
    spend_clear(&s);
}

FX_TEST(p2wpkh_with_other_keys)
{
    uint8_t key[33], full[65], signature[80];
    struct spend s;
    size_t n;

    world_key_full(2, key, full);
    wpkh_init(&s, full, sizeof full);
    n = wpkh_sign(&s, 1, signature);
    /* That keys be compressed is policy. */
    FX_CHECK_INT(wpkh_run(&s, signature, n, full, sizeof full), FX_OK);
    signature[n - 1] ^= 0x10;
    FX_CHECK_INT(wpkh_run(&s, signature, n, full, sizeof full), FX_SCRIPT_VERIFY_EVAL_FALSE);
    spend_clear(&s);
    full[64] ^= 1; /* off the curve */
    wpkh_init(&s, full, sizeof full);
    n = wpkh_sign(&s, 1, signature);
    FX_CHECK_INT(wpkh_run(&s, signature, n, full, sizeof full), FX_SCRIPT_VERIFY_EVAL_FALSE);
    spend_clear(&s);
    full[64] ^= 1;
    for (uint8_t form = 6; form <= 7; form++) { /* hybrid: uncompressed, with the parity of y */
        full[0] = form;
        wpkh_init(&s, full, sizeof full);
        n = wpkh_sign(&s, 1, signature);
        FX_CHECK_INT(wpkh_run(&s, signature, n, full, sizeof full),
                     (full[64] & 1) == (form & 1) ? FX_OK : FX_SCRIPT_VERIFY_EVAL_FALSE);
        spend_clear(&s);
    }
    full[0] = 2; /* a form of 33 bytes */
    wpkh_init(&s, full, sizeof full);
    n = wpkh_sign(&s, 1, signature);
    FX_CHECK_INT(wpkh_run(&s, signature, n, full, sizeof full), FX_SCRIPT_VERIFY_EVAL_FALSE);
    spend_clear(&s);
    wpkh_init(&s, key, 32);
    FX_CHECK_INT(wpkh_run(&s, signature, n, key, 32), FX_SCRIPT_VERIFY_EVAL_FALSE);
    spend_clear(&s);
    key[0] = 5; /* no form of a key */
    wpkh_init(&s, key, sizeof key);
    n = wpkh_sign(&s, 1, signature);
    FX_CHECK_INT(wpkh_run(&s, signature, n, key, sizeof key), FX_SCRIPT_VERIFY_EVAL_FALSE);
    spend_clear(&s);
}

/* s of a DER signature replaced by the order of the group minus s. */
static size_t raise_s(uint8_t *der, size_t n)
{
    static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
                                      0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b,
                                      0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};
    size_t at = 4 + (size_t)der[3]; /* the tag of s */
    size_t len = der[at + 1];
    uint8_t hash_type = der[n - 1];
    uint8_t low[32] = {0}, high[32];
    int borrow = 0;

    FX_CHECK(len <= 32);
    memcpy(low + 32 - len, der + at + 2, len);
    for (int i = 31; i >= 0; i--) {
        int digit = order[i] - low[i] - borrow;

        borrow = digit < 0;
        high[i] = (uint8_t)(digit + 256 * borrow);
    }
    FX_CHECK((high[0] & 0x80) != 0);
    der[at + 1] = 33;
    der[at + 2] = 0;
    memcpy(der + at + 3, high, 32);
    der[1] = (uint8_t)(at + 35 - 2);
    der[at + 35] = hash_type;
    return at + 36;
}

FX_TEST(a_high_s_is_valid)
{
    uint8_t key[33], full[65], signature[80];
    struct spend s;
    size_t n;

    world_key_full(2, key, full);
    wpkh_init(&s, key, sizeof key);
    n = raise_s(signature, wpkh_sign(&s, 1, signature));
    FX_CHECK_INT(wpkh_run(&s, signature, n, key, sizeof key), FX_OK);
    spend_clear(&s);
}

FX_TEST(der_is_strict)
{
    uint8_t key[33], full[65], good[80], bad[80];
    struct spend s;
    size_t n;

    world_key_full(2, key, full);
    wpkh_init(&s, key, sizeof key);
    n = wpkh_sign(&s, 1, good);

    /* The sequence is said to be longer, shorter, something else. */
    for (unsigned change = 0; change < 4; change++) {
        memcpy(bad, good, n);
        bad[change == 3 ? 0 : change == 2 ? 2 : 1] ^= change == 1 ? 0x80 : 1;
        FX_CHECK_INT(wpkh_run(&s, bad, n, key, sizeof key), FX_SCRIPT_VERIFY_SIG_DER);
    }
    /* A zero byte before r that is not needed: lax parsers take it. */
    FX_CHECK((good[4] & 0x80) == 0 || good[4] == 0);
    memcpy(bad, good, 4);
    bad[1]++;
    bad[3]++;
    bad[4] = 0;
    memcpy(bad + 5, good + 4, n - 4);
    FX_CHECK_INT(wpkh_run(&s, bad, n + 1, key, sizeof key), FX_SCRIPT_VERIFY_SIG_DER);
    /* A byte after s. */
    memcpy(bad, good, n - 1);
    bad[1]++;
    bad[n - 1] = 0;
    bad[n] = good[n - 1];
    FX_CHECK_INT(wpkh_run(&s, bad, n + 1, key, sizeof key), FX_SCRIPT_VERIFY_SIG_DER);
    /* Every truncation. */
    for (size_t len = 1; len < n; len++) {
        uint8_t *exact = fx_xmemdup(good, len);

        FX_CHECK_INT(wpkh_run(&s, exact, len, key, sizeof key), FX_SCRIPT_VERIFY_SIG_DER);
        free(exact);
    }
    FX_CHECK_INT(wpkh_run(&s, good, n, key, sizeof key), FX_OK);
    spend_clear(&s);
}

/* Scripts that nobody needs to sign for, by the rules of blocks. */
FX_TEST(spends_without_a_signature)
{
    static const struct {
        const char *script;
        enum fx_verdict verdict;
    } cases[] = {
        {"51", FX_OK},
        {"", FX_SCRIPT_VERIFY_EVAL_FALSE},
        {"00", FX_SCRIPT_VERIFY_EVAL_FALSE},
        {"6a", FX_SCRIPT_VERIFY_OP_RETURN},
        {"76a914" H20 "88ac", FX_SCRIPT_VERIFY_INVALID_STACK_OPERATION},
        {"a914" H20 "87", FX_SCRIPT_VERIFY_INVALID_STACK_OPERATION},
        {"0020" H32, FX_SCRIPT_VERIFY_WITNESS_PROGRAM_WITNESS_EMPTY},
        {"0002abcd", FX_SCRIPT_VERIFY_WITNESS_PROGRAM_WRONG_LENGTH},
        {"5302abcd", FX_OK},
        {"51024e73", FX_OK},
        /* A task: anybody's as far as scripts go, spent by rules of its own. */
        {"5220" H32, FX_OK},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t raw[64];
        struct spend s;

        spend_init(&s, raw, fx_unit_unhex(cases[i].script, raw, sizeof raw));
        FX_CHECK_INT(spend_run(&s), cases[i].verdict);
        spend_clear(&s);
    }
}

/* The signed transaction of BIP341's vectors: taproot, P2WPKH and P2PKH. */
FX_TEST(bip341_signed_transaction)
{
    json_t *data = fx_unit_vector("bip341_wallet_vectors.json");
    const json_t *test = json_array_get(json_object_get(data, "keyPathSpending"), 0);
    const json_t *utxos = json_object_get(json_object_get(test, "given"), "utxosSpent");
    const char *hex =
        json_string_value(json_object_get(json_object_get(test, "auxiliary"), "fullySignedTx"));
    uint8_t raw[4096];
    struct fx_tx *tx = fx_tx_parse(raw, fx_unit_unhex(hex, raw, sizeof raw));
    struct fx_coin spent[16] = {{0}};
    struct fx_sighash_cache cache;
    unsigned verified = 0;

    FX_CHECK(tx != NULL && tx->n_in <= 16);
    for (size_t i = 0; i < tx->n_in; i++) {
        const json_t *utxo = json_array_get(utxos, i);
        uint8_t script[64];
        struct fx_txout out = {.value = json_integer_value(json_object_get(utxo, "amountSats"))};

        out.script.data = script;
        out.script.len = fx_unit_unhex(json_string_value(json_object_get(utxo, "scriptPubKey")),
                                       script, sizeof script);
        fx_coin_set(&spent[i], &out, 1, false);
    }
    fx_sighash_cache_init(&cache, tx, spent);
    for (size_t i = 0; i < tx->n_in; i++) {
        struct fx_script_check check = {.tx = tx, .in = i, .spent = spent, .cache = &cache};

        FX_CHECK_INT(fx_script_check_run(&check), FX_OK);
        verified++;
        fx_coin_clear(&spent[i]);
    }
    FX_CHECK_INT(verified, 9);
    fx_tx_unref(tx);
    json_decref(data);
}
