/* Bitcoin Core's sighash.json, BIP340's signatures and BIP341's trees of scripts. */
#include <stdlib.h>
#include <string.h>

#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>

#include "consensus/sighash.h"
#include "consensus/spend.h"
#include "consensus/taproot.h"
#include "qa/unit/harness.h"
#include "src/util/mem.h"

static uint8_t *unhex(const char *hex, size_t *n)
{
    uint8_t *raw = fx_xmalloc(strlen(hex) / 2 + 1);

    *n = fx_unit_unhex(hex, raw, strlen(hex) / 2 + 1);
    return raw;
}

FX_TEST(sighash)
{
    json_t *data = fx_unit_vector("sighash.json");
    size_t at, cases = 0;
    json_t *test;

    json_array_foreach(data, at, test)
    {
        struct fx_span script;
        struct fx_hash hash, expected;
        struct fx_tx *tx;
        uint8_t *raw, *code;
        size_t n;

        if (json_array_size(test) == 1) {
            continue; /* a comment */
        }
        raw = unhex(json_string_value(json_array_get(test, 0)), &n);
        tx = fx_tx_parse(raw, n);
        FX_CHECK(tx != NULL);
        code = unhex(json_string_value(json_array_get(test, 1)), &script.len);
        script.data = code;
        fx_sighash_legacy(tx, (size_t)json_integer_value(json_array_get(test, 2)), script,
                          (uint32_t)json_integer_value(json_array_get(test, 3)), &hash);
        FX_CHECK(fx_hash_from_id(&expected, json_string_value(json_array_get(test, 4))));
        FX_CHECK_MEM(hash.b, expected.b, sizeof hash.b);
        free(raw);
        free(code);
        fx_tx_unref(tx);
        cases++;
    }
    FX_CHECK(cases >= 500);
    json_decref(data);
}

/* A field of the line: what stands before the next comma. */
static char *field(char **line)
{
    char *start = *line;
    size_t n = strcspn(start, ",");

    *line = start + n + (start[n] == ',' ? 1 : 0);
    start[n] = 0;
    return start;
}

/* index,secret key,public key,aux_rand,message,signature,verification result,comment */
static void check_bip340(char *line)
{
    char *fields[7];
    struct fx_hash key;
    uint8_t *message, signature[64];
    size_t n;
    bool expected;

    for (size_t i = 0; i < 7; i++) {
        fields[i] = field(&line);
    }
    FX_CHECK_INT(fx_unit_unhex(fields[2], key.b, sizeof key.b), 32);
    FX_CHECK_INT(fx_unit_unhex(fields[5], signature, sizeof signature), 64);
    message = unhex(fields[4], &n);
    expected = strcmp(fields[6], "TRUE") == 0;
    if (n == sizeof(struct fx_hash)) {
        struct fx_hash hash;

        memcpy(hash.b, message, sizeof hash.b);
        FX_CHECK_INT(fx_schnorr_verify(&key, &hash, signature), expected);
    } else {
        /* Messages of other lengths are signed by nobody here; the library must agree all the
         * same. */
        secp256k1_xonly_pubkey point;

        FX_CHECK(secp256k1_xonly_pubkey_parse(secp256k1_context_static, &point, key.b));
        FX_CHECK_INT(
            secp256k1_schnorrsig_verify(secp256k1_context_static, signature, message, n, &point),
            expected);
    }
    free(message);
}

FX_TEST(bip340)
{
    size_t length, cases = 0;
    char *text = (char *)fx_unit_vector_bytes("bip340.csv", &length);
    char *next = text;

    while (*next != 0) {
        char *line = next;
        size_t n = strcspn(line, "\r\n");

        next = line + n + strspn(line + n, "\r\n");
        line[n] = 0;
        if (cases++ > 0) { /* the first line names the fields */
            check_bip340(line);
        }
    }
    FX_CHECK_INT(cases, 20);
    free(text);
}

/* ---- BIP341's trees ---- */

static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));

    FX_CHECK(value != NULL);
    return value;
}

struct leaf {
    uint8_t version;
    uint8_t *script;
    size_t len;
    struct fx_hash hash;
};

/* The hash of a tree: a leaf, or a pair. Leaves are kept in the order of their ids. */
static void hash_tree(const json_t *tree, struct leaf *leaves, size_t *n_leaves,
                      struct fx_hash *hash)
{
    struct leaf *leaf;

    if (json_is_array(tree)) {
        struct fx_hash a, b;

        hash_tree(json_array_get(tree, 0), leaves, n_leaves, &a);
        hash_tree(json_array_get(tree, 1), leaves, n_leaves, &b);
        fx_taproot_branch_hash(&a, &b, hash);
        return;
    }
    leaf = &leaves[json_integer_value(json_object_get(tree, "id"))];
    (*n_leaves)++;
    leaf->version = (uint8_t)json_integer_value(json_object_get(tree, "leafVersion"));
    leaf->script = unhex(text(tree, "script"), &leaf->len);
    fx_taproot_leaf_hash(leaf->version, (struct fx_span){leaf->script, leaf->len}, &leaf->hash);
    *hash = leaf->hash;
}

static void check_control(const char *hex, const struct leaf *leaf, uint8_t output_key[32])
{
    struct fx_span control;
    uint8_t *raw = unhex(hex, &control.len);

    control.data = raw;
    FX_CHECK(fx_taproot_control_size_ok(control.len));
    FX_CHECK_INT(raw[0] & FX_TAPROOT_LEAF_MASK, leaf->version);
    FX_CHECK(fx_taproot_verify_control(control, output_key, &leaf->hash));
    /* Every bit of it counts, but those of the version, which the leaf's hash holds. */
    for (size_t bit = 0; bit < 8 * control.len; bit++) {
        if (bit > 0 && bit < 8) {
            continue;
        }
        raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
        FX_CHECK(!fx_taproot_verify_control(control, output_key, &leaf->hash));
        raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    free(raw);
}

static void check_tree(const json_t *test)
{
    const json_t *given = json_object_get(test, "given");
    const json_t *middle = json_object_get(test, "intermediary");
    const json_t *expected = json_object_get(test, "expected");
    const json_t *tree = json_object_get(given, "scriptTree");
    struct leaf leaves[8] = {{0}};
    struct fx_hash root, tweak;
    uint8_t internal[32], output[34];
    size_t n_leaves = 0;

    fx_unit_unhex(text(given, "internalPubkey"), internal, sizeof internal);
    fx_unit_unhex(text(expected, "scriptPubKey"), output, sizeof output);
    if (json_is_null(tree)) {
        fx_taproot_tweak_hash(internal, NULL, &tweak);
    } else {
        hash_tree(tree, leaves, &n_leaves, &root);
        FX_CHECK_HEX(root.b, text(middle, "merkleRoot"));
        fx_taproot_tweak_hash(internal, &root, &tweak);
    }
    FX_CHECK_HEX(tweak.b, text(middle, "tweak"));
    for (size_t i = 0; i < n_leaves; i++) {
        FX_CHECK_HEX(leaves[i].hash.b,
                     json_string_value(json_array_get(json_object_get(middle, "leafHashes"), i)));
        check_control(json_string_value(
                          json_array_get(json_object_get(expected, "scriptPathControlBlocks"), i)),
                      &leaves[i], output + 2);
        free(leaves[i].script);
    }
}

FX_TEST(bip341_trees)
{
    json_t *data = fx_unit_vector("bip341_wallet_vectors.json");
    const json_t *tests = json_object_get(data, "scriptPubKey");
    size_t at;
    json_t *test;

    json_array_foreach(tests, at, test)
    {
        check_tree(test);
    }
    FX_CHECK_INT(at, 7);
    json_decref(data);
}
