/* Bitcoin Core's script_tests.json: every case, by its error's name. */
#include <stdlib.h>
#include <string.h>

#include <secp256k1_extrakeys.h>

#include "consensus/interpreter.h"
#include "consensus/script_ops.h"
#include "consensus/taproot.h"
#include "qa/unit/consensus/script_text.h"
#include "qa/unit/harness.h"
#include "src/util/mem.h"

#define ITEMS_MAX 32
#define FLAG_ROUNDS 16

struct vector {
    struct fx_buf script_sig, script_pubkey;
    struct fx_buf items[ITEMS_MAX];
    size_t n_items;
    int64_t amount;
    uint8_t output_key[32]; /* of the tree of one script, where the case has one */
};

static struct fx_span span_of(const struct fx_buf *buf)
{
    struct fx_span span = {buf->data, buf->len};

    return span;
}

/* A tree of one script under a key without use: its control block goes into control. */
static void make_tree(struct fx_span script, struct fx_buf *control, uint8_t output_key[32])
{
    /* The generator's x: any key does. */
    static const char internal[] =
        "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    secp256k1_xonly_pubkey key;
    secp256k1_pubkey tweaked;
    struct fx_hash leaf, tweak;
    uint8_t x_only[32];
    int parity;

    fx_unit_unhex(internal, x_only, sizeof x_only);
    fx_taproot_leaf_hash(FX_TAPROOT_LEAF_TAPSCRIPT, script, &leaf);
    fx_taproot_tweak_hash(x_only, &leaf, &tweak);
    FX_CHECK(secp256k1_xonly_pubkey_parse(secp256k1_context_static, &key, x_only));
    FX_CHECK(secp256k1_xonly_pubkey_tweak_add(secp256k1_context_static, &tweaked, &key, tweak.b));
    FX_CHECK(secp256k1_xonly_pubkey_from_pubkey(secp256k1_context_static, &key, &parity, &tweaked));
    secp256k1_xonly_pubkey_serialize(secp256k1_context_static, output_key, &key);
    fx_buf_u8(control, (uint8_t)(FX_TAPROOT_LEAF_TAPSCRIPT | parity));
    fx_buf_bytes(control, x_only, sizeof x_only);
}

static void read_item(struct vector *v, const char *text)
{
    struct fx_buf *item = &v->items[v->n_items++];

    FX_CHECK(v->n_items <= ITEMS_MAX);
    if (strncmp(text, "#SCRIPT#", 8) == 0) {
        script_text_parse(text + 8, item);
    } else if (strcmp(text, "#CONTROLBLOCK#") == 0) {
        FX_CHECK(v->n_items >= 2);
        make_tree(span_of(item - 1), item, v->output_key);
    } else {
        size_t n = strlen(text) / 2;

        FX_CHECK_INT(fx_unit_unhex(text, fx_buf_extend(item, n), n), n);
    }
}

/* A witness is its items, then the amount in coins. */
static void read_witness(struct vector *v, const json_t *witness)
{
    size_t n = json_array_size(witness);

    for (size_t i = 0; i + 1 < n; i++) {
        read_item(v, json_string_value(json_array_get(witness, i)));
    }
    v->amount = (int64_t)(json_number_value(json_array_get(witness, n - 1)) * 100000000 + 0.5);
}

static void read_script_pubkey(struct vector *v, const char *text)
{
    if (strcmp(text, "0x51 0x20 #TAPROOTOUTPUT#") == 0) {
        fx_buf_u8(&v->script_pubkey, FX_OP_1);
        fx_script_push(&v->script_pubkey, (struct fx_span){v->output_key, sizeof v->output_key});
        return;
    }
    script_text_parse(text, &v->script_pubkey);
}

/* The transaction that makes the coin, and the one that spends it. */
static struct fx_tx *make_spend(const struct vector *v)
{
    struct fx_outpoint prevout = {.index = UINT32_MAX};
    struct fx_tx *credit, *spend;
    struct fx_txb b;

    fx_txb_init(&b);
    b.version = 1;
    fx_txb_add_in(&b, &prevout, FX_SEQUENCE_FINAL);
    fx_txb_set_script_sig(&b, 0, "\0\0", 2);
    fx_txb_add_out(&b, v->amount, v->script_pubkey.data, v->script_pubkey.len);
    credit = fx_txb_build(&b);
    fx_txb_clear(&b);

    fx_txb_init(&b);
    b.version = 1;
    prevout.txid = credit->txid;
    prevout.index = 0;
    fx_txb_add_in(&b, &prevout, FX_SEQUENCE_FINAL);
    fx_txb_set_script_sig(&b, 0, v->script_sig.data, v->script_sig.len);
    for (size_t i = 0; i < v->n_items; i++) {
        fx_txb_push_witness(&b, 0, v->items[i].data, v->items[i].len);
    }
    fx_txb_add_out(&b, v->amount, NULL, 0);
    spend = fx_txb_build(&b);
    fx_txb_clear(&b);
    fx_tx_unref(credit);
    return spend;
}

static bool flags_fit(uint32_t flags)
{
    return flags == script_flags_fill(flags);
}

static void check(const struct vector *v, uint32_t flags, enum fx_script_error expected,
                  const char *comment)
{
    struct fx_tx *tx = make_spend(v);
    struct fx_coin coin = {
        .value = v->amount, .script = v->script_pubkey.data, .script_len = v->script_pubkey.len};
    struct fx_sighash_cache cache;
    struct fx_script_context context = {
        .tx = tx, .amount = v->amount, .spent = &coin, .cache = &cache};
    const struct fx_txin *in = &tx->in[0];
    enum fx_script_error error;

    fx_sighash_cache_init(&cache, tx, &coin);
    error = fx_script_verify(in->script_sig, fx_coin_script(&coin), in->witness, in->n_witness,
                             flags, &context);
    if (strcmp(fx_script_error_name(error), fx_script_error_name(expected)) != 0) {
        FX_FAIL("%s: %s, not %s", comment, fx_script_error_name(error),
                fx_script_error_name(expected));
    }
    /* A good script stays good with fewer flags, a bad one bad with more. */
    for (unsigned i = 0; i < FLAG_ROUNDS; i++) {
        uint32_t other = (uint32_t)fx_unit_rand64() & SCRIPT_FLAGS_ALL;

        other = expected == FX_SCRIPT_ERR_OK ? flags & ~other : flags | other;
        if (!flags_fit(other)) {
            continue;
        }
        error = fx_script_verify(in->script_sig, fx_coin_script(&coin), in->witness, in->n_witness,
                                 other, &context);
        if ((error == FX_SCRIPT_ERR_OK) != (expected == FX_SCRIPT_ERR_OK)) {
            FX_FAIL("%s: %s with flags %x", comment, fx_script_error_name(error), other);
        }
    }
    fx_tx_unref(tx);
}

static void run_case(const json_t *test)
{
    struct vector v = {0};
    size_t at = 0;
    uint32_t flags;
    const char *comment;

    if (json_is_array(json_array_get(test, 0))) {
        read_witness(&v, json_array_get(test, at++));
    }
    script_text_parse(json_string_value(json_array_get(test, at)), &v.script_sig);
    read_script_pubkey(&v, json_string_value(json_array_get(test, at + 1)));
    flags = script_text_flags(json_string_value(json_array_get(test, at + 2)));
    comment = json_string_value(json_array_get(test, at + 4));
    if (comment == NULL) {
        comment = json_string_value(json_array_get(test, at + 1));
    }
    check(&v, script_flags_fill(flags),
          script_text_error(json_string_value(json_array_get(test, at + 3))), comment);
    fx_buf_clear(&v.script_sig);
    fx_buf_clear(&v.script_pubkey);
    for (size_t i = 0; i < v.n_items; i++) {
        fx_buf_clear(&v.items[i]);
    }
}

FX_TEST(script_tests)
{
    json_t *data = fx_unit_vector("script_tests.json");
    size_t at, cases = 0;
    json_t *test;

    json_array_foreach(data, at, test)
    {
        if (json_array_size(test) == 1) {
            continue; /* a comment */
        }
        run_case(test);
        cases++;
    }
    FX_CHECK(cases >= 1200);
    json_decref(data);
}
