/* Signatures put into a transaction that comes as hex: by keys that the call brings, or those of
 * other versions of it. */
#include <stdlib.h>
#include <string.h>

#include "consensus/flags.h"
#include "consensus/interpreter.h"
#include "consensus/script_context.h"
#include "src/crypto/ripemd160.h"
#include "src/crypto/sha256.h"
#include "src/crypto/zero.h"
#include "src/iface/mempool.h"
#include "src/keys/address.h"
#include "src/keys/signer.h"
#include "src/rpc/topics_int.h"
#include "src/sys/random.h"
#include "src/util/mem.h"

#define VARIANTS_MAX 1000

/* A transaction, with what it spends as far as that is known. */
struct signing {
    struct fx_tx *tx;
    struct fx_coin *coins; /* tx->n_in; its script NULL and value -1: not known */
    struct fx_signer *signer;
    uint8_t hash_type;
};

#define UNKNOWN (-1)

static bool is_known(const struct fx_coin *coin)
{
    return coin->value != UNKNOWN;
}

/* ---- what is spent --------------------------------------------------------------------------- */

/* Also where a transaction of the mempool spends it. */
static enum fx_lookup find_coin(struct fx_rpc_call *call, const struct fx_outpoint *outpoint,
                                struct fx_coin *coin)
{
    const struct fx_tx *tx = fx_mempool_get(call->rpc->config.mempool, &outpoint->txid);
    struct fx_view view;
    if (tx) {
        if (outpoint->index >= tx->n_out) {
            return FX_MISSING;
        }
        fx_coin_set(coin, &tx->out[outpoint->index], 0, false);
        return FX_FOUND;
    }
    fx_chain_view(call->rpc->config.chain, &view);
    return view.coin(view.ctx, outpoint, coin);
}

static bool find_coins(struct fx_rpc_call *call, struct signing *s)
{
    s->coins = fx_xcalloc(s->tx->n_in + 1, sizeof(*s->coins));
    for (size_t i = 0; i < s->tx->n_in; i++) {
        switch (find_coin(call, &s->tx->in[i].prevout, &s->coins[i])) {
        case FX_FOUND:
            break;
        case FX_MISSING:
            s->coins[i].value = UNKNOWN;
            break;
        case FX_LOOKUP_FAILED:
            fx_rpc_fail_read(call, "the coins");
            return false;
        }
    }
    return true;
}

static bool all_known(const struct signing *s)
{
    bool known = true;
    for (size_t i = 0; i < s->tx->n_in; i++) {
        known = known && is_known(&s->coins[i]);
    }
    return known;
}

static void signing_clear(struct signing *s)
{
    for (size_t i = 0; s->coins && i < s->tx->n_in; i++) {
        fx_coin_clear(&s->coins[i]);
    }
    free(s->coins);
    fx_tx_unref(s->tx);
    fx_signer_destroy(s->signer);
    memset(s, 0, sizeof(*s));
}

/* ---- arguments ------------------------------------------------------------------------------- */

static bool arg_keys(struct fx_rpc_call *call, const json_t *keys, struct fx_signer *signer)
{
    size_t i;
    json_t *key;
    json_array_foreach(keys, i, key)
    {
        uint8_t secret[32];
        bool compressed;
        if (!fx_wif_decode(call->rpc->config.params, json_string_value(key), secret, &compressed)) {
            fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Invalid private key");
            return false;
        }
        fx_signer_add_key(signer, secret, compressed);
        fx_secure_zero(secret, sizeof(secret));
    }
    return true;
}

static bool arg_hash_type(struct fx_rpc_call *call, const json_t *value, uint8_t *type)
{
    static const struct {
        const char *name;
        uint8_t type;
    } types[] = {
        {"DEFAULT", FX_SIGHASH_DEFAULT},
        {"ALL", FX_SIGHASH_ALL},
        {"NONE", FX_SIGHASH_NONE},
        {"SINGLE", FX_SIGHASH_SINGLE},
        {"ALL|ANYONECANPAY", FX_SIGHASH_ALL | FX_SIGHASH_ANYONECANPAY},
        {"NONE|ANYONECANPAY", FX_SIGHASH_NONE | FX_SIGHASH_ANYONECANPAY},
        {"SINGLE|ANYONECANPAY", FX_SIGHASH_SINGLE | FX_SIGHASH_ANYONECANPAY},
    };
    const char *name = fx_rpc_arg_str(value, "DEFAULT");
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i].name, name) == 0) {
            *type = types[i].type;
            return true;
        }
    }
    fx_rpc_fail(call, FX_RPC_PARAMETER, "'%.100s' is not a valid sighash parameter.", name);
    return false;
}

/* A field of the right type, or NULL after fx_rpc_fail. */
static const json_t *field(struct fx_rpc_call *call, const json_t *object, const char *name,
                           bool number)
{
    const json_t *value = json_object_get(object, name);
    if (!value) {
        fx_rpc_fail(call, FX_RPC_TYPE, "Missing %s", name);
        return NULL;
    }
    if (number ? !json_is_integer(value) : !json_is_string(value)) {
        fx_rpc_fail(call, FX_RPC_TYPE,
                    "JSON value of type %s for field %s is not of expected type %s",
                    fx_json_type_name(value), name, number ? "number" : "string");
        return NULL;
    }
    return value;
}

static bool arg_script(struct fx_rpc_call *call, const json_t *object, const char *name,
                       struct fx_buf *script)
{
    const json_t *value = field(call, object, name, false);
    uint8_t *data = NULL;
    size_t n;
    if (!value || !fx_rpc_arg_hex(call, value, name, FX_BLOCK_SIZE_MAX, &data, &n)) {
        return false;
    }
    fx_buf_bytes(script, data, n);
    free(data);
    return true;
}

static struct fx_span span_of(const struct fx_buf *buf)
{
    return (struct fx_span){buf->data, buf->len};
}

static bool same(struct fx_span a, struct fx_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static bool is_p2sh_of(struct fx_span output, struct fx_span script)
{
    uint8_t hash[20];
    fx_hash160(script.data, script.len, hash);
    return fx_script_is_p2sh(output) && memcmp(output.data + 2, hash, sizeof(hash)) == 0;
}

/* The script that a P2SH or P2WSH output is of; and the P2WSH one around it, which may be what the
 * output is of. */
static bool add_scripts(struct fx_rpc_call *call, const json_t *object, struct fx_span output,
                        struct fx_signer *signer)
{
    const json_t *redeem = json_object_get(object, "redeemScript");
    const json_t *witness = json_object_get(object, "witnessScript");
    struct fx_buf script = FX_BUF_INIT, around = FX_BUF_INIT, given = FX_BUF_INIT;
    uint8_t program[32];
    bool ok = redeem || witness;
    if (!ok) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "Missing redeemScript/witnessScript");
    }
    ok = ok && arg_script(call, object, witness ? "witnessScript" : "redeemScript", &script) &&
         (!redeem || arg_script(call, object, "redeemScript", &given));
    fx_sha256(script.data, script.len, program);
    fx_script_put_witness(&around, 0, (struct fx_span){program, sizeof(program)});
    if (ok && witness && redeem && !same(span_of(&given), span_of(&script)) &&
        !same(span_of(&given), span_of(&around))) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "redeemScript does not correspond to witnessScript");
        ok = false;
    }
    if (ok && !same(output, span_of(&around)) && !is_p2sh_of(output, span_of(&script)) &&
        !is_p2sh_of(output, span_of(&around))) {
        fx_rpc_fail(call, FX_RPC_PARAMETER,
                    "redeemScript/witnessScript does not match scriptPubKey");
        ok = false;
    }
    if (ok) {
        fx_signer_add_script(signer, span_of(&script));
        fx_signer_add_script(signer, span_of(&around));
    }
    fx_buf_clear(&script);
    fx_buf_clear(&around);
    fx_buf_clear(&given);
    return ok;
}

static void fail_mismatch(struct fx_rpc_call *call, struct fx_span known, struct fx_span given)
{
    json_t *a = fx_rpc_asm_json(known, false), *b = fx_rpc_asm_json(given, false);
    fx_rpc_fail(call, FX_RPC_DESERIALIZATION, "Previous output scriptPubKey mismatch:\n%s\nvs:\n%s",
                json_string_value(a), json_string_value(b));
    json_decref(a);
    json_decref(b);
}

/* What the caller says of an output takes the place of what is known, but its script. */
static bool set_coin(struct fx_rpc_call *call, struct signing *s, const json_t *object,
                     const struct fx_outpoint *outpoint, struct fx_span script)
{
    struct fx_txout out = {.value = call->rpc->config.params->max_money, .script = script};
    const json_t *amount = json_object_get(object, "amount");
    if (amount && !fx_rpc_arg_amount(call, amount, "amount", &out.value)) {
        return false;
    }
    for (size_t i = 0; i < s->tx->n_in; i++) {
        struct fx_coin *coin = &s->coins[i];
        if (!fx_outpoint_equal(&s->tx->in[i].prevout, outpoint)) {
            continue;
        }
        if (is_known(coin) && !same(fx_coin_script(coin), script)) {
            fail_mismatch(call, fx_coin_script(coin), script);
            return false;
        }
        fx_coin_clear(coin);
        fx_coin_set(coin, &out, 1, false);
    }
    return true;
}

static bool arg_prevout(struct fx_rpc_call *call, const json_t *object, struct signing *s)
{
    struct fx_buf script = FX_BUF_INIT;
    struct fx_outpoint outpoint;
    if (!json_is_object(object)) {
        fx_rpc_fail(call, FX_RPC_DESERIALIZATION,
                    "expected object with {\"txid'\",\"vout\",\"scriptPubKey\"}");
        return false;
    }
    const json_t *txid = field(call, object, "txid", false);
    const json_t *vout = txid ? field(call, object, "vout", true) : NULL;
    if (!vout || !fx_rpc_arg_hash(call, txid, "txid", &outpoint.txid)) {
        return false;
    }
    if (json_integer_value(vout) < 0 || json_integer_value(vout) > UINT32_MAX) {
        fx_rpc_fail(call, FX_RPC_DESERIALIZATION, "vout cannot be negative");
        return false;
    }
    outpoint.index = (uint32_t)json_integer_value(vout);
    bool ok = arg_script(call, object, "scriptPubKey", &script) &&
              set_coin(call, s, object, &outpoint, span_of(&script));
    enum fx_script_type type = fx_script_classify(span_of(&script));
    if (ok && (type == FX_SCRIPT_P2SH || type == FX_SCRIPT_P2WSH)) {
        ok = add_scripts(call, object, span_of(&script), s->signer);
    }
    fx_buf_clear(&script);
    return ok;
}

static bool arg_prevouts(struct fx_rpc_call *call, const json_t *list, struct signing *s)
{
    size_t i;
    json_t *object;
    json_array_foreach(list, i, object)
    {
        if (!arg_prevout(call, object, s)) {
            return false;
        }
    }
    return true;
}

/* ---- signing --------------------------------------------------------------------------------- */

static json_t *error_json(const struct fx_txb_in *in, const char *text)
{
    json_t *out = json_object(), *witness = json_array();
    for (size_t i = 0; i < in->n_witness; i++) {
        json_array_append_new(witness, fx_json_hex(in->witness[i].data, in->witness[i].len));
    }
    fx_json_set(out, "txid", fx_json_id(&in->prevout.txid));
    fx_json_set(out, "vout", json_integer(in->prevout.index));
    fx_json_set(out, "witness", witness);
    fx_json_set(out, "scriptSig", fx_json_hex(in->script_sig.data, in->script_sig.len));
    fx_json_set(out, "sequence", json_integer(in->sequence));
    fx_json_set(out, "error", json_string(text));
    return out;
}

/* Why an input of the transaction as it is now does not verify; NULL: it does. */
static const char *fault(const struct signing *s, const struct fx_txb *b, size_t in,
                         const struct fx_coin *spent, const struct fx_sighash_cache *cache)
{
    struct fx_tx *now = fx_txb_build(b);
    const struct fx_script_context context = {
        .tx = now, .in = in, .amount = s->coins[in].value, .spent = spent, .cache = cache};
    enum fx_script_error error =
        fx_script_verify(now->in[in].script_sig, fx_coin_script(&s->coins[in]), now->in[in].witness,
                         now->in[in].n_witness, FX_VERIFY_STANDARD, &context);
    fx_tx_unref(now);
    if (error == FX_SCRIPT_ERR_OK) {
        return NULL;
    }
    if (error == FX_SCRIPT_ERR_INVALID_STACK_OPERATION) {
        return "Unable to sign input, invalid stack size (possibly missing key)";
    }
    if (error == FX_SCRIPT_ERR_NULLFAIL) {
        return "CHECK(MULTI)SIG failing with non-zero signature (possibly need more signatures)";
    }
    return fx_script_error_text(error);
}

/* Signs an input of b; the text of what is wrong with it then, or NULL. */
static const char *sign_input(const struct signing *s, struct fx_txb *b, size_t in, bool known,
                              const struct fx_sighash_cache *cache)
{
    const struct fx_coin *spent = known ? s->coins : NULL;
    const struct fx_signable at = {s->tx, in, &s->coins[in], spent, cache};
    struct fx_solution solution = {.complete = false};
    bool single = (s->hash_type & ~FX_SIGHASH_ANYONECANPAY) == FX_SIGHASH_SINGLE;
    if (!is_known(&s->coins[in])) {
        return "Input not found or already spent";
    }
    fx_solution_gather(&solution, &at);
    if (!single || in < s->tx->n_out) { /* SINGLE without its output would sign the number 1 */
        fx_signer_solve(s->signer, &at, s->hash_type, &solution);
    }
    fx_solution_apply(&solution, b, in);
    bool complete = solution.complete;
    fx_solution_clear(&solution);
    return complete ? NULL : fault(s, b, in, spent, cache);
}

/* A witness signs the amount. False after fx_rpc_fail. */
static bool amounts_are_given(struct fx_rpc_call *call, const struct signing *s,
                              const struct fx_txb *b)
{
    for (size_t i = 0; i < s->tx->n_in; i++) {
        if (s->coins[i].value == call->rpc->config.params->max_money && b->in[i].n_witness > 0) {
            fx_rpc_fail(call, FX_RPC_TYPE, "Missing amount for input %zu", i);
            return false;
        }
    }
    return true;
}

static json_t *sign_all(struct fx_rpc_call *call, const struct signing *s)
{
    bool known = all_known(s);
    struct fx_sighash_cache cache;
    json_t *errors = json_array(), *out = NULL;
    struct fx_txb b;
    fx_sighash_cache_init(&cache, s->tx, known ? s->coins : NULL);
    fx_txb_from_tx(&b, s->tx);
    for (size_t i = 0; i < s->tx->n_in; i++) {
        const char *text = sign_input(s, &b, i, known, &cache);
        if (text) {
            json_array_append_new(errors, error_json(&b.in[i], text));
        }
    }
    if (amounts_are_given(call, s, &b)) {
        struct fx_tx *tx = fx_txb_build(&b);
        out = json_object();
        fx_json_set(out, "hex", fx_json_hex(tx->raw.data, tx->raw.len));
        fx_json_set(out, "complete", json_boolean(json_array_size(errors) == 0));
        if (json_array_size(errors) > 0) {
            fx_json_set(out, "errors", json_incref(errors));
        }
        fx_tx_unref(tx);
    }
    fx_txb_clear(&b);
    json_decref(errors);
    return out;
}

static struct fx_signer *new_signer(void)
{
    uint8_t entropy[32];
    fx_random_bytes(entropy, sizeof(entropy));
    struct fx_signer *signer = fx_signer_create(entropy);
    fx_secure_zero(entropy, sizeof(entropy));
    return signer;
}

static json_t *signrawtransactionwithkey(struct fx_rpc_call *call)
{
    struct signing s = {.tx = NULL};
    json_t *out = NULL;
    if (!fx_rpc_arg_tx(call, call->args[0], &s.tx)) {
        return NULL;
    }
    s.signer = new_signer();
    if (arg_keys(call, call->args[1], s.signer) && find_coins(call, &s) &&
        arg_prevouts(call, call->args[2], &s) && arg_hash_type(call, call->args[3], &s.hash_type)) {
        out = sign_all(call, &s);
    }
    signing_clear(&s);
    return out;
}

const struct fx_rpc_command fx_rpc_signrawtransactionwithkey = {
    .name = "signrawtransactionwithkey",
    .text = "Signs the inputs of a transaction by the keys given, and by no others.",
    .args = "hexstring: hex\n"
            "privkeys: [ str ]   # In wallet import format\n"
            "prevtxs?: [ any ]   # Outputs that are not known yet: {\"txid\", \"vout\", "
            "\"scriptPubKey\", \"redeemScript\" (P2SH), \"witnessScript\" (P2WSH), \"amount\" "
            "(witnesses)}\n"
            "sighashtype?: str = DEFAULT   # ALL, NONE or SINGLE, with |ANYONECANPAY or without; "
            "DEFAULT is ALL outside of taproot",
    .result = "{ hex: hex\n"
              "complete: bool       # All inputs verify\n"
              "errors?: [ { txid: hash, vout: int, witness: [ hex ], scriptSig: hex\n"
              "  sequence: int, error: str } ] }",
    .errors = "-3: a field of prevtxs is missing or of another type\n"
              "-5: no private key of this network\n-8: a script or the hash type is wrong\n"
              "-22: TX decode failed, or an output has another script",
    .example = "\"hex\" '[\"privkey\"]'",
    .run = signrawtransactionwithkey,
};

/* ---- combining ------------------------------------------------------------------------------- */

static bool arg_variants(struct fx_rpc_call *call, const json_t *list, struct fx_tx **txs)
{
    size_t i;
    json_t *hex;
    json_array_foreach(list, i, hex)
    {
        txs[i] = fx_rpc_read_tx(hex);
        if (!txs[i]) {
            fx_rpc_fail(call, FX_RPC_DESERIALIZATION,
                        "TX decode failed for tx %zu. Make sure the tx has at least one input.", i);
            return false;
        }
    }
    return true;
}

static json_t *combine(struct fx_rpc_call *call, struct signing *s, struct fx_tx *const *txs,
                       size_t n)
{
    struct fx_sighash_cache *caches = fx_xcalloc(n, sizeof(*caches));
    struct fx_txb b;
    json_t *out = NULL;
    bool ok = find_coins(call, s);
    if (ok && !all_known(s)) {
        fx_rpc_fail(call, FX_RPC_VERIFY, "Input not found or already spent");
        ok = false;
    }
    fx_txb_from_tx(&b, s->tx);
    for (size_t v = 0; ok && v < n; v++) {
        fx_sighash_cache_init(&caches[v], txs[v], txs[v]->n_in == s->tx->n_in ? s->coins : NULL);
    }
    for (size_t i = 0; ok && i < s->tx->n_in; i++) {
        const struct fx_signable at = {s->tx, i, &s->coins[i], s->coins, &caches[0]};
        struct fx_solution solution = {.complete = false};
        for (size_t v = 0; v < n; v++) {
            const struct fx_signable from = {
                txs[v], i, &s->coins[i], txs[v]->n_in == s->tx->n_in ? s->coins : NULL, &caches[v]};
            if (i < txs[v]->n_in) {
                fx_solution_gather(&solution, &from);
            }
        }
        fx_signer_solve(s->signer, &at, FX_SIGHASH_ALL, &solution);
        fx_solution_apply(&solution, &b, i);
        fx_solution_clear(&solution);
    }
    if (ok) {
        struct fx_tx *tx = fx_txb_build(&b);
        out = fx_json_hex(tx->raw.data, tx->raw.len);
        fx_tx_unref(tx);
    }
    fx_txb_clear(&b);
    free(caches);
    return out;
}

static json_t *combinerawtransaction(struct fx_rpc_call *call)
{
    size_t n = json_array_size(call->args[0]);
    struct signing s = {.tx = NULL};
    json_t *out = NULL;
    if (n == 0) {
        return fx_rpc_fail(call, FX_RPC_DESERIALIZATION, "Missing transactions");
    }
    if (n > VARIANTS_MAX) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "At most %d transactions", VARIANTS_MAX);
    }
    struct fx_tx **txs = fx_xcalloc(n, sizeof(struct fx_tx *));
    if (arg_variants(call, call->args[0], txs)) {
        s.tx = fx_tx_ref(txs[0]);
        s.signer = new_signer();
        out = combine(call, &s, txs, n);
        signing_clear(&s);
    }
    for (size_t i = 0; i < n; i++) {
        fx_tx_unref(txs[i]);
    }
    free(txs);
    return out;
}

const struct fx_rpc_command fx_rpc_combinerawtransaction = {
    .name = "combinerawtransaction",
    .text = "Puts the signatures of several parties into one transaction.",
    .args = "txs: [ hex ]   # Versions of it, each with signatures of some",
    .result = "hex",
    .errors = "-22: one does not decode\n-25: an input is not found, or spent already",
    .example = "'[\"hex1\",\"hex2\"]'",
    .run = combinerawtransaction,
};
