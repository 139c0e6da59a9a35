/* Bitcoin Core's tx_valid.json and tx_invalid.json, with the meaning of their flags. */
#include <stdlib.h>
#include <string.h>

#include "consensus/check.h"
#include "consensus/interpreter.h"
#include "consensus/params.h"
#include "qa/unit/consensus/script_text.h"
#include "qa/unit/harness.h"
#include "src/util/mem.h"

#define FLAG_ROUNDS 32

struct vector {
    struct fx_tx *tx;
    struct fx_coin *spent; /* of each input, found in the case by its outpoint */
    struct fx_sighash_cache cache;
    const char *text; /* of the transaction, for messages */
};

/* Bitcoin's limit, which the cases know. */
static enum fx_verdict check_tx(const struct fx_tx *tx)
{
    struct fx_params params = *fx_params_get(FX_MAIN);

    params.max_money = INT64_C(21000000) * 100000000;
    return fx_check_tx(&params, tx);
}

static bool outpoint_is(const struct fx_outpoint *o, const json_t *prevout)
{
    struct fx_hash txid;

    FX_CHECK(fx_hash_from_id(&txid, json_string_value(json_array_get(prevout, 0))));
    return fx_hash_equal(&o->txid, &txid) &&
           o->index == (uint32_t)json_integer_value(json_array_get(prevout, 1));
}

static void find_coin(struct fx_coin *coin, const struct fx_outpoint *o, const json_t *prevouts)
{
    size_t at;
    json_t *prevout;

    json_array_foreach(prevouts, at, prevout)
    {
        if (outpoint_is(o, prevout)) {
            struct fx_buf script = FX_BUF_INIT;

            script_text_parse(json_string_value(json_array_get(prevout, 2)), &script);
            coin->value = json_integer_value(json_array_get(prevout, 3));
            coin->script = fx_buf_steal(&script, &coin->script_len);
            return;
        }
    }
    FX_FAIL("the case lacks a coin");
}

static void vector_init(struct vector *v, const json_t *test)
{
    size_t n;
    uint8_t *raw;

    v->text = json_string_value(json_array_get(test, 1));
    n = strlen(v->text) / 2;
    raw = fx_xmalloc(n);
    FX_CHECK_INT(fx_unit_unhex(v->text, raw, n), n);
    v->tx = fx_tx_parse(raw, n);
    FX_CHECK(v->tx != NULL);
    free(raw);
    v->spent = fx_xcalloc(v->tx->n_in + 1, sizeof *v->spent);
    for (size_t i = 0; i < v->tx->n_in; i++) {
        find_coin(&v->spent[i], &v->tx->in[i].prevout, json_array_get(test, 0));
    }
    fx_sighash_cache_init(&v->cache, v->tx, v->spent);
}

static void vector_clear(struct vector *v)
{
    for (size_t i = 0; i < v->tx->n_in; i++) {
        fx_coin_clear(&v->spent[i]);
    }
    free(v->spent);
    fx_tx_unref(v->tx);
}

static bool scripts_verify(const struct vector *v, uint32_t flags)
{
    for (size_t i = 0; i < v->tx->n_in; i++) {
        const struct fx_txin *in = &v->tx->in[i];
        struct fx_script_context context = {.tx = v->tx,
                                            .in = i,
                                            .amount = v->spent[i].value,
                                            .spent = v->spent,
                                            .cache = &v->cache};

        if (fx_script_verify(in->script_sig, fx_coin_script(&v->spent[i]), in->witness,
                             in->n_witness, flags, &context) != FX_SCRIPT_ERR_OK) {
            return false;
        }
    }
    return true;
}

static void expect(const struct vector *v, uint32_t flags, bool valid, const char *why)
{
    flags &= SCRIPT_FLAGS_ALL;
    if (scripts_verify(v, flags) != valid) {
        FX_FAIL("%s: flags %x, transaction %.400s", why, flags, v->text);
    }
}

/* The flags of a case without each of them in turn; true where that changes them. */
static bool without_one(uint32_t flags, unsigned i, uint32_t *less)
{
    *less = script_flags_trim(flags & ~(UINT32_C(1) << i));
    return *less != flags;
}

/* Valid with all flags but those named; fewer flags never make it invalid, and each of those named
 * does. */
static void run_valid(const struct vector *v, uint32_t excluded)
{
    uint32_t less;

    FX_CHECK_INT(check_tx(v->tx), FX_OK);
    expect(v, ~excluded, true, "refused");
    for (unsigned i = 0; i < SCRIPT_FLAGS; i++) {
        expect(v, script_flags_trim(~(excluded | UINT32_C(1) << i)), true, "refused with fewer");
        if (without_one(excluded, i, &less)) {
            expect(v, ~less, false, "one flag too many is excluded");
        }
    }
    for (unsigned i = 0; i < FLAG_ROUNDS; i++) {
        expect(v, script_flags_trim(~(excluded | (uint32_t)fx_unit_rand64())), true,
               "refused with fewer");
    }
}

/* Invalid with the flags named; more flags never make it valid, and without any of those named it
 * is. */
static void run_invalid(const struct vector *v, uint32_t flags)
{
    uint32_t less;

    FX_CHECK_INT(check_tx(v->tx), FX_OK);
    expect(v, flags, false, "taken");
    for (unsigned i = 0; i < SCRIPT_FLAGS; i++) {
        expect(v, script_flags_fill(flags | UINT32_C(1) << i), false, "taken with more");
        if (without_one(flags, i, &less)) {
            expect(v, less, true, "one flag too many is named");
        }
    }
    for (unsigned i = 0; i < FLAG_ROUNDS; i++) {
        uint32_t more = (uint32_t)fx_unit_rand64() & SCRIPT_FLAGS_ALL;

        expect(v, script_flags_fill(flags | more), false, "taken with more");
    }
}

static void run_file(const char *name, bool valid, size_t at_least)
{
    json_t *data = fx_unit_vector(name);
    size_t at, cases = 0;
    json_t *test;

    json_array_foreach(data, at, test)
    {
        const char *flags = json_string_value(json_array_get(test, 2));
        struct vector v;

        if (json_array_size(test) == 1) {
            continue; /* a comment */
        }
        vector_init(&v, test);
        if (strcmp(flags, "BADTX") == 0) {
            FX_CHECK(!valid && check_tx(v.tx) != FX_OK);
        } else if (valid) {
            run_valid(&v, script_text_flags(flags));
        } else {
            run_invalid(&v, script_text_flags(flags));
        }
        vector_clear(&v);
        cases++;
    }
    FX_CHECK(cases >= at_least);
    json_decref(data);
}

FX_TEST(tx_valid)
{
    run_file("tx_valid.json", true, 119);
}

FX_TEST(tx_invalid)
{
    run_file("tx_invalid.json", false, 93);
}
