/* The interpreter beyond the vectors: tapscript's own rules, and what the caller can add. */
#include "consensus/interpreter.h"

#include <stdlib.h>
#include <string.h>

#include <secp256k1_extrakeys.h>

#include "consensus/script.h"
#include "consensus/script_ops.h"
#include "consensus/taproot.h"
#include "qa/unit/consensus/script_text.h"
#include "qa/unit/consensus/world.h"
#include "qa/unit/harness.h"
#include "src/crypto/ripemd160.h"
#include "src/crypto/sha256.h"
#include "src/util/mem.h"

#define CONSENSUS FX_VERIFY_CONSENSUS
#define LEAF_KEY 2

/* One input that spends a taproot output with a tree of two leaves, by the first. */
struct tap {
    struct fx_buf script, control;
    struct fx_hash leaf;
    struct fx_coin coin;
    struct fx_txb b;
    struct fx_sig_memory *memory;
};

static void tap_init(struct tap *t, const char *text, uint8_t leaf_version)
{
    secp256k1_xonly_pubkey key;
    secp256k1_pubkey tweaked;
    struct fx_hash internal, other = {{7}}, root, tweak;
    struct fx_outpoint prevout = {.index = 1};
    struct fx_txout out = {.value = 5000};
    uint8_t output_key[32], output_script[34];
    int parity;

    memset(t, 0, sizeof *t);
    script_text_parse(text, &t->script);
    world_key(1, &internal);
    fx_taproot_leaf_hash(leaf_version, (struct fx_span){t->script.data, t->script.len}, &t->leaf);
    fx_taproot_branch_hash(&t->leaf, &other, &root);
    fx_taproot_tweak_hash(internal.b, &root, &tweak);
    FX_CHECK(secp256k1_xonly_pubkey_parse(secp256k1_context_static, &key, internal.b));
    FX_CHECK(secp256k1_xonly_pubkey_tweak_add(secp256k1_context_static, &tweaked, &key, tweak.b));
    FX_CHECK(secp256k1_xonly_pubkey_from_pubkey(secp256k1_context_static, &key, &parity, &tweaked));
    secp256k1_xonly_pubkey_serialize(secp256k1_context_static, output_key, &key);
    fx_buf_u8(&t->control, (uint8_t)(leaf_version | parity));
    fx_buf_hash(&t->control, &internal);
    fx_buf_hash(&t->control, &other);
    fx_script_p2tr(output_key, output_script);
    out.script.data = output_script;
    out.script.len = sizeof output_script;
    fx_coin_set(&t->coin, &out, 7, false);
    fx_txb_init(&t->b);
    fx_txb_add_in(&t->b, &prevout, 0);
    fx_txb_add_out(&t->b, 4000, "\x51", 1);
}

static void tap_clear(struct tap *t)
{
    fx_buf_clear(&t->script);
    fx_buf_clear(&t->control);
    fx_coin_clear(&t->coin);
    fx_txb_clear(&t->b);
}

/* Script and control block go on top of the items that the witness has. */
static enum fx_script_error tap_run(struct tap *t, uint32_t flags, const struct fx_span *annex)
{
    struct fx_sighash_cache cache;
    struct fx_tx *tx;
    struct fx_script_context context = {
        .amount = t->coin.value, .spent = &t->coin, .cache = &cache, .memory = t->memory};
    enum fx_script_error error;

    fx_txb_push_witness(&t->b, 0, t->script.data, t->script.len);
    fx_txb_push_witness(&t->b, 0, t->control.data, t->control.len);
    if (annex != NULL) {
        fx_txb_push_witness(&t->b, 0, annex->data, annex->len);
    }
    tx = fx_txb_build(&t->b);
    fx_sighash_cache_init(&cache, tx, &t->coin);
    context.tx = tx;
    error = fx_script_verify(tx->in[0].script_sig, fx_coin_script(&t->coin), tx->in[0].witness,
                             tx->in[0].n_witness, flags, &context);
    fx_tx_unref(tx);
    fx_txb_clear_witness(&t->b, 0);
    return error;
}

/* A script with items that hex texts name, "" for an empty one. */
static enum fx_script_error run_leaf(const char *text, uint32_t flags, size_t n,
                                     const char *const *items)
{
    struct tap t;
    enum fx_script_error error;

    tap_init(&t, text, FX_TAPROOT_LEAF_TAPSCRIPT);
    for (size_t i = 0; i < n; i++) {
        uint8_t raw[600];

        fx_txb_push_witness(&t.b, 0, raw, fx_unit_unhex(items[i], raw, sizeof raw));
    }
    error = tap_run(&t, flags, NULL);
    tap_clear(&t);
    return error;
}

static enum fx_script_error run_text(const char *text, uint32_t flags)
{
    return run_leaf(text, flags, 0, NULL);
}

static void tap_sign(struct tap *t, uint8_t hash_type, const struct fx_span *annex,
                     uint32_t codesep_pos, uint8_t signature[65])
{
    struct fx_tx *tx = fx_txb_build(&t->b);
    struct fx_sighash_cache cache;
    struct fx_sighash_spend spend;
    struct fx_hash hash;

    fx_sighash_cache_init(&cache, tx, &t->coin);
    fx_sighash_spend_init(&spend, annex);
    spend.has_leaf = true;
    spend.leaf_hash = t->leaf;
    spend.codesep_pos = codesep_pos;
    FX_CHECK(fx_sighash_taproot_spend(tx, 0, &t->coin, hash_type, &spend, &cache, &hash));
    world_sign(LEAF_KEY, &hash, signature);
    signature[64] = hash_type;
    fx_tx_unref(tx);
}

/* "SCRIPT": every # stands for the push of the key that signs. */
static void with_key(const char *text, char *out, size_t max)
{
    struct fx_hash key;
    char hex[FX_HASH_HEX];
    size_t n = 0;

    world_key(LEAF_KEY, &key);
    fx_hash_to_hex(&key, hex);
    for (; *text != 0; text++) {
        FX_CHECK(n + 80 < max);
        if (*text == '#') {
            memcpy(out + n, "0x20 0x", 7);
            memcpy(out + n + 7, hex, 64);
            n += 71;
        } else {
            out[n++] = *text;
        }
    }
    out[n] = 0;
}

static void signed_init(struct tap *t, const char *text)
{
    char script[1000];

    with_key(text, script, sizeof script);
    tap_init(t, script, FX_TAPROOT_LEAF_TAPSCRIPT);
}

FX_TEST(signatures_in_tapscript)
{
    static const uint8_t types[] = {0, 1, 2, 3, 0x81, 0x82, 0x83};
    uint8_t signature[65];
    struct tap t;

    signed_init(&t, "# CHECKSIG");
    for (size_t i = 0; i < sizeof types; i++) {
        size_t n = types[i] == 0 ? 64 : 65;

        tap_sign(&t, types[i], NULL, UINT32_MAX, signature);
        fx_txb_push_witness(&t.b, 0, signature, n);
        FX_CHECK_INT(tap_run(&t, CONSENSUS, NULL), FX_SCRIPT_ERR_OK);
        signature[3] ^= 1;
        fx_txb_push_witness(&t.b, 0, signature, n);
        FX_CHECK_INT(tap_run(&t, CONSENSUS, NULL), FX_SCRIPT_ERR_SCHNORR_SIG);
    }
    tap_sign(&t, 0, NULL, UINT32_MAX, signature);
    fx_txb_push_witness(&t.b, 0, signature, 65);
    FX_CHECK_INT(tap_run(&t, CONSENSUS, NULL), FX_SCRIPT_ERR_SCHNORR_SIG_HASHTYPE);
    fx_txb_push_witness(&t.b, 0, signature, 63);
    FX_CHECK_INT(tap_run(&t, CONSENSUS, NULL), FX_SCRIPT_ERR_SCHNORR_SIG_SIZE);
    fx_txb_push_witness(&t.b, 0, "", 0);
    FX_CHECK_INT(tap_run(&t, CONSENSUS, NULL), FX_SCRIPT_ERR_EVAL_FALSE);
    tap_clear(&t);
}

FX_TEST(signatures_are_for_their_leaf)
{
    uint8_t signature[65];
    struct tap t, other;

    signed_init(&t, "# CHECKSIG");
    signed_init(&other, "NOP # CHECKSIG");
    tap_sign(&t, 0, NULL, UINT32_MAX, signature);
    fx_txb_push_witness(&other.b, 0, signature, 64);
    FX_CHECK_INT(tap_run(&other, CONSENSUS, NULL), FX_SCRIPT_ERR_SCHNORR_SIG);
    /* A control block that leads to another leaf. */
    fx_txb_push_witness(&t.b, 0, signature, 64);
    t.control.data[40] ^= 1;
    FX_CHECK_INT(tap_run(&t, CONSENSUS, NULL), FX_SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH);
    tap_clear(&t);
    tap_clear(&other);
}

FX_TEST(the_annex_is_signed_in_tapscript)
{
    static const uint8_t bytes[] = {0x50, 1, 2};
    struct fx_span annex = {bytes, sizeof bytes};
    uint8_t signature[65];
    struct tap t;

    signed_init(&t, "# CHECKSIG");
    tap_sign(&t, 0, &annex, UINT32_MAX, signature);
    fx_txb_push_witness(&t.b, 0, signature, 64);
    FX_CHECK_INT(tap_run(&t, CONSENSUS, &annex), FX_SCRIPT_ERR_OK);
    fx_txb_push_witness(&t.b, 0, signature, 64);
    FX_CHECK_INT(tap_run(&t, CONSENSUS, NULL), FX_SCRIPT_ERR_SCHNORR_SIG);
    tap_clear(&t);
}

/* An empty item is none, whatever byte comes behind it. */
FX_TEST(an_annex_has_a_byte)
{
    struct tap t;

    tap_init(&t, "1", FX_TAPROOT_LEAF_TAPSCRIPT);
    t.b.lock_time = FX_TAPROOT_ANNEX_TAG;
    t.control.len = 0;
    FX_CHECK_INT(tap_run(&t, CONSENSUS, NULL), FX_SCRIPT_ERR_TAPROOT_WRONG_CONTROL_SIZE);
    tap_clear(&t);
}

/* The operation that the last CODESEPARATOR was, counted from 0, pushes and all. */
FX_TEST(code_separators_of_tapscript)
{
    static const struct {
        const char *script;
        uint32_t position;
    } cases[] = {
        {"# CHECKSIG", UINT32_MAX},
        {"CODESEPARATOR # CHECKSIG", 0},
        {"NOP 1 DROP CODESEPARATOR # CHECKSIG", 3},
        {"CODESEPARATOR 1 DROP CODESEPARATOR # CHECKSIG", 3},
        {"0 IF CODESEPARATOR ENDIF # CHECKSIG", UINT32_MAX},
        {"# CHECKSIG CODESEPARATOR", UINT32_MAX},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t signature[65];
        struct tap t;

        signed_init(&t, cases[i].script);
        tap_sign(&t, 0, NULL, cases[i].position, signature);
        fx_txb_push_witness(&t.b, 0, signature, 64);
        FX_CHECK_INT(tap_run(&t, CONSENSUS | FX_VERIFY_CONST_SCRIPTCODE, NULL), FX_SCRIPT_ERR_OK);
        tap_sign(&t, 0, NULL, cases[i].position ^ 1, signature);
        fx_txb_push_witness(&t.b, 0, signature, 64);
        FX_CHECK_INT(tap_run(&t, CONSENSUS, NULL), FX_SCRIPT_ERR_SCHNORR_SIG);
        tap_clear(&t);
    }
}

FX_TEST(checksigadd)
{
    uint8_t signature[65];
    struct tap t;

    signed_init(&t, "# CHECKSIG # CHECKSIGADD # CHECKSIGADD 2 NUMEQUAL");
    tap_sign(&t, 0, NULL, UINT32_MAX, signature);
    for (unsigned mask = 0; mask < 8; mask++) {
        unsigned n = 0;

        for (unsigned i = 0; i < 3; i++) {
            bool there = (mask >> i & 1) != 0;

            fx_txb_push_witness(&t.b, 0, signature, there ? 64 : 0);
            n += there;
        }
        FX_CHECK_INT(tap_run(&t, CONSENSUS, NULL),
                     n == 2 ? FX_SCRIPT_ERR_OK : FX_SCRIPT_ERR_EVAL_FALSE);
    }
    tap_clear(&t);
    FX_CHECK_INT(run_text("0 CHECKSIGADD", CONSENSUS), FX_SCRIPT_ERR_INVALID_STACK_OPERATION);
    FX_CHECK_INT(run_text("0 'numbers' 'xx' CHECKSIGADD", CONSENSUS), FX_SCRIPT_ERR_SCRIPTNUM);
    FX_CHECK_INT(run_text("0 5 0 CHECKSIGADD", CONSENSUS), FX_SCRIPT_ERR_TAPSCRIPT_EMPTY_PUBKEY);
    FX_CHECK_INT(run_text("0 5 'key' CHECKSIGADD 5 NUMEQUAL", CONSENSUS), FX_SCRIPT_ERR_OK);
    FX_CHECK_INT(run_text("1 5 'key' CHECKSIGADD 6 NUMEQUAL", CONSENSUS), FX_SCRIPT_ERR_OK);
}

FX_TEST(keys_of_forms_to_come)
{
    uint32_t strict = CONSENSUS | FX_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE;

    FX_CHECK_INT(run_text("1 'key' CHECKSIG", CONSENSUS), FX_SCRIPT_ERR_OK);
    FX_CHECK_INT(run_text("0 'key' CHECKSIG NOT", CONSENSUS), FX_SCRIPT_ERR_OK);
    FX_CHECK_INT(run_text("1 'key' CHECKSIGVERIFY 1", CONSENSUS), FX_SCRIPT_ERR_OK);
    FX_CHECK_INT(run_text("0 'key' CHECKSIGVERIFY 1", CONSENSUS), FX_SCRIPT_ERR_CHECKSIGVERIFY);
    FX_CHECK_INT(run_text("1 'key' CHECKSIG", strict),
                 FX_SCRIPT_ERR_DISCOURAGE_UPGRADABLE_PUBKEYTYPE);
    FX_CHECK_INT(run_text("0 'key' CHECKSIG", strict),
                 FX_SCRIPT_ERR_DISCOURAGE_UPGRADABLE_PUBKEYTYPE);
    FX_CHECK_INT(run_text("0 0 CHECKSIG", CONSENSUS), FX_SCRIPT_ERR_TAPSCRIPT_EMPTY_PUBKEY);
    FX_CHECK_INT(run_text("1 0 CHECKSIG", CONSENSUS), FX_SCRIPT_ERR_TAPSCRIPT_EMPTY_PUBKEY);
}

/* BIP342's list, written out. */
static bool is_success(unsigned opcode)
{
    static const uint8_t listed[] = {80,  98,  126, 127, 128, 129, 131, 132, 133, 134,
                                     137, 138, 141, 142, 149, 150, 151, 152, 153};

    for (size_t i = 0; i < sizeof listed; i++) {
        if (listed[i] == opcode) {
            return true;
        }
    }
    return opcode >= 187 && opcode <= 254;
}

FX_TEST(op_success)
{
    uint32_t strict = CONSENSUS | FX_VERIFY_DISCOURAGE_OP_SUCCESS;

    for (unsigned opcode = 0x4f; opcode < 256; opcode++) {
        /* Behind it stand a push that is cut short and, before it, a failure. */
        static const char digits[] = "0123456789abcdef";
        char text[] = "0 VERIFY 0x?? 0x4c";

        text[11] = digits[opcode >> 4];
        text[12] = digits[opcode & 15];
        FX_CHECK_INT(run_text(text, CONSENSUS),
                     is_success(opcode) ? FX_SCRIPT_ERR_OK : FX_SCRIPT_ERR_BAD_OPCODE);
        FX_CHECK_INT(run_text(text, strict), is_success(opcode)
                                                 ? FX_SCRIPT_ERR_DISCOURAGE_OP_SUCCESS
                                                 : FX_SCRIPT_ERR_BAD_OPCODE);
    }
    /* In a push it is no operation; where the push before is cut short it is never seen. */
    FX_CHECK_INT(run_text("0x01 0x50", CONSENSUS), FX_SCRIPT_ERR_OK);
    FX_CHECK_INT(run_text("0x02 0x50", CONSENSUS), FX_SCRIPT_ERR_BAD_OPCODE);
}

FX_TEST(limits_that_tapscript_has_not)
{
    struct fx_buf script = FX_BUF_INIT;

    /* 20,000 operations in 20,001 bytes. */
    for (unsigned i = 0; i < 20000; i++) {
        fx_buf_str(&script, "NOP ");
    }
    fx_buf_str(&script, "1");
    fx_buf_u8(&script, 0);
    FX_CHECK_INT(run_text((const char *)script.data, CONSENSUS), FX_SCRIPT_ERR_OK);
    fx_buf_clear(&script);
}

FX_TEST(limits_of_the_stack)
{
    struct fx_buf script = FX_BUF_INIT;
    struct tap t;

    /* 1,000 items to begin with. */
    for (unsigned extra = 0; extra < 2; extra++) {
        tap_init(&t, "2DROP DEPTH 998 NUMEQUALVERIFY 1", FX_TAPROOT_LEAF_TAPSCRIPT);
        for (unsigned i = 0; i < 1000 + extra; i++) {
            fx_txb_push_witness(&t.b, 0, "\x01", 1);
        }
        FX_CHECK_INT(tap_run(&t, CONSENSUS, NULL),
                     extra ? FX_SCRIPT_ERR_STACK_SIZE : FX_SCRIPT_ERR_CLEANSTACK);
        tap_clear(&t);
    }
    /* 1,000 on both stacks together. */
    for (unsigned i = 0; i < 1000; i++) {
        fx_buf_str(&script, i % 2 ? "1 TOALTSTACK " : "1 ");
    }
    fx_buf_u8(&script, 0);
    FX_CHECK_INT(run_text((const char *)script.data, CONSENSUS), FX_SCRIPT_ERR_CLEANSTACK);
    script.len--;
    fx_buf_str(&script, "1");
    fx_buf_u8(&script, 0);
    FX_CHECK_INT(run_text((const char *)script.data, CONSENSUS), FX_SCRIPT_ERR_STACK_SIZE);
    fx_buf_clear(&script);
}

FX_TEST(limits_of_an_item)
{
    struct tap t;
    uint8_t item[521] = {1};

    for (unsigned extra = 0; extra < 2; extra++) {
        tap_init(&t, "DROP 1", FX_TAPROOT_LEAF_TAPSCRIPT);
        fx_txb_push_witness(&t.b, 0, item, 520 + extra);
        FX_CHECK_INT(tap_run(&t, CONSENSUS, NULL),
                     extra ? FX_SCRIPT_ERR_PUSH_SIZE : FX_SCRIPT_ERR_OK);
        tap_clear(&t);
    }
}

/* 50 for each signature, out of the bytes of the witness and 50. */
FX_TEST(validation_weight)
{
    char text[400] = "";
    size_t n = 0, passed = 0;
    uint8_t filler[200] = {0};

    /* A key of a form that nobody knows: its signature is paid for, not verified. */
    for (unsigned i = 0; i < 6; i++) {
        memcpy(text + n, "1 'key' CHECKSIGVERIFY ", 23);
        n += 23;
    }
    memcpy(text + n, "DROP 1", 7);
    for (size_t room = 0; room < sizeof filler; room++) {
        struct tap t;
        size_t size;
        enum fx_script_error error;

        tap_init(&t, text, FX_TAPROOT_LEAF_TAPSCRIPT);
        /* count, filler, script, control block */
        size = 1 + 1 + room + 1 + t.script.len + 1 + t.control.len;
        FX_CHECK(t.script.len < 253);
        fx_txb_push_witness(&t.b, 0, filler, room);
        error = tap_run(&t, CONSENSUS, NULL);
        FX_CHECK_INT(size + 50 >= 6 * 50, error == FX_SCRIPT_ERR_OK);
        passed += error == FX_SCRIPT_ERR_OK;
        FX_CHECK(error == FX_SCRIPT_ERR_OK || error == FX_SCRIPT_ERR_TAPSCRIPT_VALIDATION_WEIGHT);
        tap_clear(&t);
    }
    FX_CHECK(passed > 0 && passed < sizeof filler);
}

FX_TEST(opcodes_that_tapscript_changes)
{
    static const char *const two[] = {"02"}, *const zero[] = {"00"}, *const one[] = {"01"},
                             *const long_one[] = {"0100"}, *const none[] = {""};

    FX_CHECK_INT(run_text("0 0 0 CHECKMULTISIG", CONSENSUS), FX_SCRIPT_ERR_TAPSCRIPT_CHECKMULTISIG);
    FX_CHECK_INT(run_text("0 0 0 CHECKMULTISIGVERIFY 1", CONSENSUS),
                 FX_SCRIPT_ERR_TAPSCRIPT_CHECKMULTISIG);
    FX_CHECK_INT(run_leaf("IF 1 ELSE 1 ENDIF", CONSENSUS, 1, one), FX_SCRIPT_ERR_OK);
    FX_CHECK_INT(run_leaf("IF 0 ELSE 1 ENDIF", CONSENSUS, 1, none), FX_SCRIPT_ERR_OK);
    FX_CHECK_INT(run_leaf("NOTIF 1 ELSE 0 ENDIF", CONSENSUS, 1, none), FX_SCRIPT_ERR_OK);
    FX_CHECK_INT(run_leaf("IF 1 ELSE 1 ENDIF", CONSENSUS, 1, two),
                 FX_SCRIPT_ERR_TAPSCRIPT_MINIMALIF);
    FX_CHECK_INT(run_leaf("IF 1 ELSE 1 ENDIF", CONSENSUS, 1, zero),
                 FX_SCRIPT_ERR_TAPSCRIPT_MINIMALIF);
    FX_CHECK_INT(run_leaf("NOTIF 1 ELSE 1 ENDIF", CONSENSUS, 1, long_one),
                 FX_SCRIPT_ERR_TAPSCRIPT_MINIMALIF);
    FX_CHECK_INT(run_text("1 1", CONSENSUS), FX_SCRIPT_ERR_CLEANSTACK);
    FX_CHECK_INT(run_text("", CONSENSUS), FX_SCRIPT_ERR_CLEANSTACK);
    FX_CHECK_INT(run_text("0", CONSENSUS), FX_SCRIPT_ERR_EVAL_FALSE);
}

FX_TEST(leaf_versions_to_come)
{
    uint32_t strict = CONSENSUS | FX_VERIFY_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION;

    for (unsigned version = 0; version < 256; version += 2) {
        struct tap t;

        if (version == FX_TAPROOT_ANNEX_TAG || version == FX_TAPROOT_LEAF_TAPSCRIPT) {
            continue;
        }
        tap_init(&t, "RETURN", (uint8_t)version);
        FX_CHECK_INT(tap_run(&t, CONSENSUS, NULL), FX_SCRIPT_ERR_OK);
        FX_CHECK_INT(tap_run(&t, strict, NULL),
                     FX_SCRIPT_ERR_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION);
        tap_clear(&t);
    }
}

FX_TEST(sizes_of_control_blocks)
{
    struct tap t;

    for (size_t n = 0; n < 5000; n++) {
        FX_CHECK_INT(fx_taproot_control_size_ok(n), n >= 33 && n <= 33 + 32 * 128 && n % 32 == 1);
    }
    tap_init(&t, "1", FX_TAPROOT_LEAF_TAPSCRIPT);
    t.control.len--;
    FX_CHECK_INT(tap_run(&t, CONSENSUS, NULL), FX_SCRIPT_ERR_TAPROOT_WRONG_CONTROL_SIZE);
    t.control.len = 33;
    FX_CHECK_INT(tap_run(&t, CONSENSUS, NULL), FX_SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH);
    tap_clear(&t);
}

FX_TEST(taproot_is_for_native_programs)
{
    struct tap t;
    uint8_t hash[20], push[35] = {34}, script[23] = {FX_OP_HASH160, 20};

    tap_init(&t, "0", FX_TAPROOT_LEAF_TAPSCRIPT);
    FX_CHECK_INT(tap_run(&t, CONSENSUS, NULL), FX_SCRIPT_ERR_EVAL_FALSE);
    FX_CHECK_INT(tap_run(&t, CONSENSUS & ~FX_VERIFY_TAPROOT, NULL), FX_SCRIPT_ERR_OK);
    /* The same program inside of P2SH: anybody's. */
    memcpy(push + 1, t.coin.script, 34);
    fx_hash160(t.coin.script, 34, hash);
    memcpy(script + 2, hash, 20);
    script[22] = FX_OP_EQUAL;
    fx_txb_set_script_sig(&t.b, 0, push, sizeof push);
    free(t.coin.script);
    t.coin.script = fx_xmemdup(script, sizeof script);
    t.coin.script_len = sizeof script;
    FX_CHECK_INT(tap_run(&t, CONSENSUS, NULL), FX_SCRIPT_ERR_OK);
    FX_CHECK_INT(tap_run(&t, FX_VERIFY_STANDARD, NULL),
                 FX_SCRIPT_ERR_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM);
    tap_clear(&t);
}

/* ---- before tapscript ---------------------------------------------------------------------- */

/* What spends this script without a signature. */
static enum fx_script_error run_script(struct fx_buf *script, uint32_t flags)
{
    struct fx_outpoint prevout = {.index = 1};
    struct fx_sighash_cache cache;
    struct fx_coin coin = {.value = 1, .script = script->data, .script_len = script->len};
    struct fx_script_context context = {.spent = &coin, .cache = &cache};
    struct fx_txb b;
    struct fx_tx *tx;
    enum fx_script_error error;

    fx_txb_init(&b);
    fx_txb_add_in(&b, &prevout, 0);
    fx_txb_add_out(&b, 1, "\x51", 1);
    tx = fx_txb_build(&b);
    fx_sighash_cache_init(&cache, tx, &coin);
    context.tx = tx;
    error = fx_script_verify((struct fx_span){NULL, 0}, fx_coin_script(&coin), NULL, 0, flags,
                             &context);
    fx_tx_unref(tx);
    fx_txb_clear(&b);
    return error;
}

FX_TEST(operations_before_tapscript)
{
    struct fx_buf script = FX_BUF_INIT;

    /* 201, and numbers and pushes, which are none. */
    for (unsigned i = 0; i < 201; i++) {
        fx_buf_u8(&script, FX_OP_NOP);
        fx_buf_u8(&script, FX_OP_1 + i % 16);
        fx_buf_u8(&script, FX_OP_1NEGATE);
        fx_buf_u8(&script, FX_OP_0);
    }
    fx_buf_u8(&script, FX_OP_16);
    FX_CHECK_INT(run_script(&script, CONSENSUS), FX_SCRIPT_ERR_OK);
    fx_buf_u8(&script, FX_OP_NOP);
    FX_CHECK_INT(run_script(&script, CONSENSUS), FX_SCRIPT_ERR_OP_COUNT);
    fx_buf_clear(&script);
}

FX_TEST(bytes_before_tapscript)
{
    static const uint8_t item[520] = {1};
    struct fx_buf script = FX_BUF_INIT;

    /* 10,000. */
    for (unsigned i = 0; i < 19; i++) {
        fx_script_push(&script, (struct fx_span){item, sizeof item});
    }
    fx_script_push(&script, (struct fx_span){item, 10000 - script.len - 1});
    FX_CHECK_INT(script.len, 10000);
    FX_CHECK_INT(run_script(&script, CONSENSUS), FX_SCRIPT_ERR_OK);
    fx_buf_u8(&script, FX_OP_1);
    FX_CHECK_INT(run_script(&script, CONSENSUS), FX_SCRIPT_ERR_SCRIPT_SIZE);
    fx_buf_clear(&script);
}

/* ---- programs without a rule --------------------------------------------------------------- */

static enum fx_script_error run_program(const char *hex, uint32_t flags)
{
    struct fx_buf script = FX_BUF_INIT;
    enum fx_script_error error;

    fx_unit_unhex(hex, fx_buf_extend(&script, strlen(hex) / 2), strlen(hex) / 2);
    error = run_script(&script, flags);
    fx_buf_clear(&script);
    return error;
}

FX_TEST(programs_that_anybody_can_spend)
{
    static const char *const unknown[] = {
        "52020102",
        "5102abcd",
        "51034e7300",
        "52024e73",
        "5220000000000000000000000000000000000000000000000000000000000000abcd",
    };

    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        FX_CHECK_INT(run_program(unknown[i], CONSENSUS), FX_SCRIPT_ERR_OK);
        FX_CHECK_INT(run_program(unknown[i], FX_VERIFY_STANDARD),
                     FX_SCRIPT_ERR_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM);
    }
    /* Pay-to-anchor is welcome. */
    FX_CHECK_INT(run_program("51024e73", CONSENSUS), FX_SCRIPT_ERR_OK);
    FX_CHECK_INT(run_program("51024e73", FX_VERIFY_STANDARD), FX_SCRIPT_ERR_OK);
}

/* ---- the caller's memory of signatures ----------------------------------------------------- */

struct notes {
    unsigned asked, told;
    bool knows;
    struct fx_hash hash;
    uint8_t key[32], sig[64];
};

static bool notes_knows(void *ctx, const struct fx_sig_claim *claim)
{
    struct notes *notes = ctx;

    notes->asked++;
    FX_CHECK(claim->schnorr);
    FX_CHECK_INT(claim->key.len, 32);
    FX_CHECK_INT(claim->sig.len, 64);
    return notes->knows;
}

static void notes_remember(void *ctx, const struct fx_sig_claim *claim)
{
    struct notes *notes = ctx;

    notes->told++;
    notes->hash = *claim->hash;
    memcpy(notes->key, claim->key.data, 32);
    memcpy(notes->sig, claim->sig.data, 64);
}

FX_TEST(signatures_can_be_remembered)
{
    struct notes notes = {0};
    struct fx_sig_memory memory = {&notes, notes_knows, notes_remember};
    uint8_t signature[65];
    struct fx_hash key;
    struct tap t;

    signed_init(&t, "# CHECKSIG");
    t.memory = &memory;
    world_key(LEAF_KEY, &key);
    tap_sign(&t, 1, NULL, UINT32_MAX, signature);
    fx_txb_push_witness(&t.b, 0, signature, 65);
    FX_CHECK_INT(tap_run(&t, CONSENSUS, NULL), FX_SCRIPT_ERR_OK);
    FX_CHECK_INT(notes.asked, 1);
    FX_CHECK_INT(notes.told, 1);
    FX_CHECK_MEM(notes.key, key.b, 32);
    FX_CHECK_MEM(notes.sig, signature, 64);
    /* A wrong one is not remembered. */
    signature[0] ^= 1;
    fx_txb_push_witness(&t.b, 0, signature, 65);
    FX_CHECK_INT(tap_run(&t, CONSENSUS, NULL), FX_SCRIPT_ERR_SCHNORR_SIG);
    FX_CHECK_INT(notes.asked, 2);
    FX_CHECK_INT(notes.told, 1);
    /* What is known is believed. */
    notes.knows = true;
    fx_txb_push_witness(&t.b, 0, signature, 65);
    FX_CHECK_INT(tap_run(&t, CONSENSUS, NULL), FX_SCRIPT_ERR_OK);
    FX_CHECK_INT(notes.told, 1);
    tap_clear(&t);
}

/* ---- names --------------------------------------------------------------------------------- */

/* Names are those of the vectors of today, texts those of Bitcoin Core 28. */
FX_TEST(errors_that_have_the_text_of_others)
{
    enum fx_script_error error = run_text("IF ENDIF", CONSENSUS);

    FX_CHECK_STR(fx_script_error_name(error), "INVALID_STACK_OPERATION");
    FX_CHECK_STR(fx_script_error_text(error), "Invalid OP_IF construction");
    FX_CHECK_STR(fx_verdict_string(fx_verdict_of_script(error)),
                 "mandatory-script-verify-flag-failed (Invalid OP_IF construction)");
    error = run_text("DROP", CONSENSUS);
    FX_CHECK_STR(fx_script_error_name(error), "INVALID_STACK_OPERATION");
    FX_CHECK_STR(fx_script_error_text(error), "Operation not valid with the current stack size");
    FX_CHECK_STR(fx_script_error_name(FX_SCRIPT_ERR_SCRIPTNUM), "SCRIPTNUM");
    FX_CHECK_STR(fx_script_error_text(FX_SCRIPT_ERR_SCRIPTNUM), "unknown error");
    FX_CHECK_STR(fx_script_error_name(FX_SCRIPT_ERR_TAPSCRIPT_EMPTY_PUBKEY),
                 "TAPSCRIPT_EMPTY_PUBKEY");
    FX_CHECK_STR(fx_script_error_text(FX_SCRIPT_ERR_TAPSCRIPT_EMPTY_PUBKEY),
                 fx_script_error_text(FX_SCRIPT_ERR_PUBKEYTYPE));
}

FX_TEST(errors_have_names_and_verdicts)
{
    FX_CHECK_STR(fx_script_error_name(FX_SCRIPT_ERR_OK), "OK");
    FX_CHECK_STR(fx_script_error_name(FX_SCRIPT_ERR_SIG_FINDANDDELETE), "SIG_FINDANDDELETE");
    FX_CHECK_STR(fx_script_error_text(FX_SCRIPT_ERR_OK), "No error");
    FX_CHECK_STR(fx_script_error_text(FX_SCRIPT_ERR_SIG_FINDANDDELETE),
                 "Signature is found in scriptCode");
    FX_CHECK_STR(fx_script_error_name((enum fx_script_error)1000), "UNKNOWN_ERROR");
    FX_CHECK_STR(fx_script_error_text((enum fx_script_error)1000), "unknown error");
    FX_CHECK_INT(fx_verdict_of_script(FX_SCRIPT_ERR_OK), FX_OK);
    FX_CHECK_INT(fx_verdict_of_script(FX_SCRIPT_ERR_UNKNOWN_ERROR), FX_SCRIPT_VERIFY_UNKNOWN_ERROR);
    FX_CHECK_INT(fx_verdict_of_script(FX_SCRIPT_ERR_SIG_FINDANDDELETE),
                 FX_SCRIPT_VERIFY_SIG_FINDANDDELETE);
    FX_CHECK_STR(fx_verdict_string(FX_SCRIPT_VERIFY_CLEANSTACK),
                 "mandatory-script-verify-flag-failed (Stack size must be exactly one after "
                 "execution)");
    FX_CHECK(!fx_verdict_is_script(FX_OK));
    FX_CHECK(!fx_verdict_is_script(FX_BAD_TASK_BURN_FEE));
    FX_CHECK(fx_verdict_is_script(FX_SCRIPT_VERIFY_UNKNOWN_ERROR));
    FX_CHECK(fx_verdict_is_script(FX_SCRIPT_VERIFY_SIG_FINDANDDELETE));
    FX_CHECK_STR(fx_opcode_name(FX_OP_0), "0");
    FX_CHECK_STR(fx_opcode_name(FX_OP_1NEGATE), "-1");
    FX_CHECK_STR(fx_opcode_name(FX_OP_16), "16");
    FX_CHECK_STR(fx_opcode_name(0xb1), "OP_CHECKLOCKTIMEVERIFY");
    FX_CHECK_STR(fx_opcode_name(0xba), "OP_CHECKSIGADD");
    FX_CHECK_STR(fx_opcode_name(0xbb), "OP_UNKNOWN");
}
