/* Bitcoin Core's script_assets_test.json, where it is among the vectors: spends of every kind by
 * taproot's authors, each with a good input and one that is not. */
#include <stdlib.h>
#include <string.h>

#include "consensus/interpreter.h"
#include "qa/unit/consensus/script_text.h"
#include "qa/unit/harness.h"
#include "src/util/mem.h"

static uint8_t *unhex(const char *hex, size_t *n)
{
    uint8_t *raw = fx_xmalloc(strlen(hex) / 2 + 1);

    *n = fx_unit_unhex(hex, raw, strlen(hex) / 2 + 1);
    return raw;
}

static struct fx_coin *read_spent(const json_t *prevouts)
{
    struct fx_coin *spent = fx_xcalloc(json_array_size(prevouts), sizeof *spent);
    size_t at;
    json_t *prevout;

    json_array_foreach(prevouts, at, prevout)
    {
        struct fx_txout out = {0};
        struct fx_reader r;
        size_t n;
        uint8_t *raw = unhex(json_string_value(prevout), &n);

        fx_reader_init(&r, raw, n);
        out.value = fx_read_i64(&r);
        out.script.data = fx_read_var_bytes(&r, n, &out.script.len);
        FX_CHECK(fx_reader_done(&r));
        fx_coin_set(&spent[at], &out, 1, false);
        free(raw);
    }
    return spent;
}

/* The transaction with the input's script and witness of one way to spend it. */
static struct fx_tx *make_tx(const struct fx_tx *plain, size_t in, const json_t *way)
{
    const json_t *witness = json_object_get(way, "witness");
    struct fx_txb b;
    struct fx_tx *tx;
    uint8_t *raw;
    size_t n, at;
    json_t *item;

    fx_txb_from_tx(&b, plain);
    raw = unhex(json_string_value(json_object_get(way, "scriptSig")), &n);
    fx_txb_set_script_sig(&b, in, raw, n);
    free(raw);
    fx_txb_clear_witness(&b, in);
    json_array_foreach(witness, at, item)
    {
        raw = unhex(json_string_value(item), &n);
        fx_txb_push_witness(&b, in, raw, n);
        free(raw);
    }
    tx = fx_txb_build(&b);
    fx_txb_clear(&b);
    return tx;
}

static bool verify(const struct fx_tx *tx, size_t in, const struct fx_coin *spent, uint32_t flags)
{
    struct fx_sighash_cache cache;
    struct fx_script_context context = {
        .tx = tx, .in = in, .amount = spent[in].value, .spent = spent, .cache = &cache};

    fx_sighash_cache_init(&cache, tx, spent);
    return fx_script_verify(tx->in[in].script_sig, fx_coin_script(&spent[in]), tx->in[in].witness,
                            tx->in[in].n_witness, flags, &context) == FX_SCRIPT_ERR_OK;
}

/* The next set of consensus flags that go together, from 0; false after the last. */
static bool next_flags(uint32_t *flags)
{
    while (*flags != FX_VERIFY_CONSENSUS) {
        bool taproot, witness;

        *flags = (*flags - FX_VERIFY_CONSENSUS) & FX_VERIFY_CONSENSUS; /* the next subset */
        taproot = (*flags & FX_VERIFY_TAPROOT) != 0;
        witness = (*flags & FX_VERIFY_WITNESS) != 0;
        if ((!taproot || witness) && (!witness || (*flags & FX_VERIFY_P2SH) != 0)) {
            return true;
        }
    }
    return false;
}

static void run_case(const json_t *test)
{
    const json_t *success = json_object_get(test, "success");
    const json_t *failure = json_object_get(test, "failure");
    const char *comment = json_string_value(json_object_get(test, "comment"));
    uint32_t named = script_text_flags(json_string_value(json_object_get(test, "flags")));
    bool final = json_is_true(json_object_get(test, "final"));
    size_t in = (size_t)json_integer_value(json_object_get(test, "index")), n;
    struct fx_coin *spent = read_spent(json_object_get(test, "prevouts"));
    uint8_t *raw = unhex(json_string_value(json_object_get(test, "tx")), &n);
    struct fx_tx *plain = fx_tx_parse(raw, n);
    struct fx_tx *good = NULL, *bad = NULL;
    uint32_t flags = 0;

    FX_CHECK(plain != NULL && in < plain->n_in);
    good = success != NULL ? make_tx(plain, in, success) : NULL;
    bad = failure != NULL ? make_tx(plain, in, failure) : NULL;
    do {
        if (good != NULL && (final || (flags & named) == flags) &&
            !verify(good, in, spent, flags)) {
            FX_FAIL("%s: refused with flags %x", comment, flags);
        }
        if (bad != NULL && (flags & named) == named && verify(bad, in, spent, flags)) {
            FX_FAIL("%s: taken with flags %x", comment, flags);
        }
    } while (next_flags(&flags));
    for (size_t i = 0; i < plain->n_in; i++) {
        fx_coin_clear(&spent[i]);
    }
    free(spent);
    free(raw);
    fx_tx_unref(plain);
    fx_tx_unref(good);
    fx_tx_unref(bad);
}

FX_TEST(script_assets)
{
    json_t *data = fx_unit_vector("script_assets_test.json");
    size_t at;
    json_t *test;

    json_array_foreach(data, at, test)
    {
        run_case(test);
    }
    FX_CHECK(at > 0);
    json_decref(data);
}
