/* Transactions for the mempool, one or several at a time: tested, or submitted together. */
#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "src/iface/mempool.h"
#include "src/iface/net.h"
#include "src/rpc/topics_int.h"
#include "src/util/amount.h"
#include "src/util/mem.h"

/* ---- arguments ------------------------------------------------------------------------------- */

static void txs_free(struct fx_tx **txs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fx_tx_unref(txs[i]);
    }
    free(txs);
}

/* The transactions of a list; txs_free ends them. NULL after fx_rpc_fail. */
static struct fx_tx **arg_txs(struct fx_rpc_call *call, const json_t *list, size_t least, size_t *n)
{
    size_t i;
    json_t *hex;
    *n = 0; /* until all are there */
    if (json_array_size(list) < least || json_array_size(list) > FX_PACKAGE_TXS_MAX) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "Array must contain between %zu and %d transactions.",
                    least, FX_PACKAGE_TXS_MAX);
        return NULL;
    }
    struct fx_tx **txs = fx_xcalloc(json_array_size(list), sizeof(*txs));
    json_array_foreach(list, i, hex)
    {
        txs[i] = fx_rpc_read_tx(hex);
        if (!txs[i]) {
            fx_rpc_fail(call, FX_RPC_DESERIALIZATION,
                        "TX decode failed: %.200s Make sure the tx has at least one input.",
                        json_string_value(hex));
            txs_free(txs, i);
            return NULL;
        }
    }
    *n = json_array_size(list);
    return txs;
}

bool fx_rpc_arg_fee_rate(struct fx_rpc_call *call, const json_t *value, int64_t *rate)
{
    *rate = FX_RPC_MAX_FEE_RATE;
    if (value && !fx_rpc_arg_amount(call, value, "maxfeerate", rate)) {
        return false;
    }
    if (*rate >= FX_COIN) {
        fx_rpc_fail(call, FX_RPC_PARAMETER,
                    "Fee rates larger than or equal to 1%s/kvB are not accepted",
                    call->rpc->config.params->kind == FX_BTCREGTEST ? "BTC" : "FNX");
        return false;
    }
    return true;
}

bool fx_rpc_too_dear(int64_t max_rate, int64_t fee, size_t vsize)
{
    return max_rate > 0 && fee > (int64_t)((uint64_t)max_rate * vsize / 1000);
}

/* ---- testmempoolaccept ----------------------------------------------------------------------- */

static json_t *rate_json(int64_t fee, size_t vsize)
{
    return fx_json_amount(fee * 1000 / (int64_t)vsize);
}

static void fees_of_one(const struct fx_tx *tx, const struct fx_accept *accept, json_t *fees)
{
    json_t *includes = json_array();
    json_array_append_new(includes, fx_json_id(&tx->wtxid));
    fx_json_set(fees, "effective-feerate",
                rate_json(accept->fee + accept->fee_delta, accept->vsize));
    fx_json_set(fees, "effective-includes", includes);
}

static json_t *reason_json(const char *reason, const char *detail)
{
    return detail[0] ? json_sprintf("%s, %s", reason, detail) : json_string(reason);
}

/* False where the rest is not to be shown: this one failed. */
static bool test_json(const struct fx_tx *tx, const struct fx_package_tx *result, int64_t max_rate,
                      json_t *o)
{
    const struct fx_accept *accept = &result->accept;
    if (accept->result != FX_VALID) {
        fx_json_set(o, "allowed", json_false());
        fx_json_set(o, "reject-reason",
                    json_string(accept->missing_inputs ? "missing-inputs" : accept->reason));
        return false;
    }
    if (fx_rpc_too_dear(max_rate, accept->fee, accept->vsize)) {
        fx_json_set(o, "allowed", json_false());
        fx_json_set(o, "reject-reason", json_string("max-fee-exceeded"));
        return false;
    }
    json_t *fees = json_object();
    fx_json_set(o, "allowed", json_true());
    fx_json_set(o, "vsize", json_integer((json_int_t)accept->vsize));
    fx_json_set(fees, "base", fx_json_amount(accept->fee));
    fees_of_one(tx, accept, fees);
    fx_json_set(o, "fees", fees);
    return true;
}

static json_t *testmempoolaccept(struct fx_rpc_call *call)
{
    int64_t max_rate;
    size_t n;
    if (!fx_rpc_arg_fee_rate(call, call->args[1], &max_rate)) {
        return NULL;
    }
    struct fx_tx **txs = arg_txs(call, call->args[0], 1, &n);
    if (!txs) {
        return NULL;
    }
    struct fx_package_tx *results = fx_xcalloc(n, sizeof(*results));
    const char *wrong = fx_mempool_test_package(call->rpc->config.mempool, txs, n, results);
    bool going = !wrong;
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *o = json_object();
        fx_json_set(o, "txid", fx_json_id(&txs[i]->txid));
        fx_json_set(o, "wtxid", fx_json_id(&txs[i]->wtxid));
        if (wrong) {
            fx_json_set(o, "package-error", reason_json(wrong, results[0].accept.detail));
        }
        if (going && results[i].judged) {
            going = test_json(txs[i], &results[i], max_rate, o);
        }
        json_array_append_new(out, o);
    }
    free(results);
    txs_free(txs, n);
    return out;
}

#define FEES_FIELDS                                                                  \
    "{ base: amount\n"                                                               \
    "effective-feerate?: amount    # Per 1,000 vbytes, with prioritisetransaction\n" \
    "effective-includes?: [ hash ] }  # wtxids of those that it was counted with\n"

const struct fx_rpc_command fx_rpc_testmempoolaccept = {
    .name = "testmempoolaccept",
    .text = "Says whether the mempool would take transactions; none is added. Of several each may "
            "spend from those before it, none may replace one of the mempool, and nothing is said "
            "of those after one that fails.",
    .args = "rawtxs: [ hex ]              # At most 25\n"
            "maxfeerate?: amount = 0.10   # Dearer ones are refused, FNX per 1,000 vbytes; 0: any",
    .result = "[ { txid: hash, wtxid: hash\n"
              "package-error?: str          # Why they cannot be tested together\n"
              "allowed?: bool, vsize?: int\n"
              "fees?: " FEES_FIELDS "reject-reason?: str } ]",
    .errors = "-8: none or too many, or maxfeerate is too high\n-22: TX decode failed",
    .example = "'[\"rawtx\"]'",
    .run = testmempoolaccept,
};

/* ---- submitpackage --------------------------------------------------------------------------- */

static bool burns_too_much(const struct fx_tx *tx, int64_t most)
{
    for (size_t i = 0; i < tx->n_out; i++) {
        if (fx_script_is_unspendable(tx->out[i].script) && tx->out[i].value > most) {
            return true;
        }
    }
    return false;
}

/* What those that were counted together pay, by whom. */
struct joint {
    int64_t fee;
    size_t vsize;
    json_t *includes;
};

static struct joint joint_of(struct fx_tx *const *txs, const struct fx_package_tx *results,
                             size_t n)
{
    struct joint joint = {.includes = json_array()};
    for (size_t i = 0; i < n; i++) {
        if (results[i].counted_together) {
            joint.fee += results[i].accept.fee + results[i].accept.fee_delta;
            joint.vsize += results[i].accept.vsize;
            json_array_append_new(joint.includes, fx_json_id(&txs[i]->wtxid));
        }
    }
    return joint;
}

static json_t *submitted_json(const struct fx_tx *tx, const struct fx_package_tx *result,
                              const struct joint *joint)
{
    const struct fx_accept *accept = &result->accept;
    json_t *o = json_object(), *fees;
    fx_json_set(o, "txid", fx_json_id(&tx->txid));
    if (result->known && !fx_hash_equal(&result->pool_wtxid, &tx->wtxid)) {
        fx_json_set(o, "other-wtxid", fx_json_id(&result->pool_wtxid));
        return o;
    }
    if (accept->result != FX_VALID) {
        fx_json_set(o, "error", reason_json(accept->reason, accept->detail));
        return o;
    }
    fees = json_object();
    fx_json_set(o, "vsize", json_integer((json_int_t)accept->vsize));
    fx_json_set(fees, "base", fx_json_amount(accept->fee));
    if (result->counted_together) {
        fx_json_set(fees, "effective-feerate", rate_json(joint->fee, joint->vsize));
        json_object_set(fees, "effective-includes", joint->includes);
    } else if (!result->known) {
        fees_of_one(tx, accept, fees);
    }
    fx_json_set(o, "fees", fees);
    return o;
}

static json_t *package_json(struct fx_tx *const *txs, const struct fx_package_tx *results, size_t n,
                            const char *wrong, const struct fx_replaced *replaced)
{
    json_t *out = json_object(), *all = json_object(), *gone = json_array();
    struct joint joint = joint_of(txs, results, n);
    const char *message = wrong ? wrong : "success";
    for (size_t i = 0; i < n; i++) {
        char wtxid[FX_HASH_HEX];
        fx_hash_to_id(&txs[i]->wtxid, wtxid);
        if (!wrong && results[i].accept.result != FX_VALID) {
            message = "transaction failed";
        }
        if (results[i].judged) {
            fx_json_set(all, wtxid, submitted_json(txs[i], &results[i], &joint));
        }
    }
    for (size_t i = 0; i < replaced->n; i++) {
        json_array_append_new(gone, fx_json_id(&replaced->ids[i]));
    }
    fx_json_set(out, "package_msg", json_string(message));
    fx_json_set(out, "tx-results", all);
    fx_json_set(out, "replaced-transactions", gone);
    json_decref(joint.includes);
    return out;
}

/* What no rule of the mempool forbids, and the caller does. */
static bool check_wishes(struct fx_rpc_call *call, struct fx_tx *const *txs, size_t n,
                         int64_t max_burn)
{
    for (size_t i = 0; i < n; i++) {
        if (burns_too_much(txs[i], max_burn)) {
            fx_rpc_fail(call, FX_RPC_VERIFY,
                        "Unspendable output exceeds maximum configured by user (maxburnamount)");
            return false;
        }
    }
    return true;
}

static json_t *submitpackage(struct fx_rpc_call *call)
{
    struct fx_mempool *pool = call->rpc->config.mempool;
    struct fx_replaced replaced = {0};
    int64_t max_rate, max_burn = 0;
    size_t n;
    if (!fx_rpc_arg_fee_rate(call, call->args[1], &max_rate) ||
        (call->args[2] && !fx_rpc_arg_amount(call, call->args[2], "maxburnamount", &max_burn))) {
        return NULL;
    }
    struct fx_tx **txs = arg_txs(call, call->args[0], 2, &n);
    if (!txs || !check_wishes(call, txs, n, max_burn)) {
        txs_free(txs, n);
        return NULL;
    }
    struct fx_package_tx *results = fx_xcalloc(n, sizeof(*results));
    json_t *out = NULL;
    const char *wrong = fx_mempool_submit_package(pool, txs, n, max_rate, results, &replaced);
    if (wrong && strcmp(wrong, FX_PACKAGE_TOPOLOGY) == 0) {
        fx_rpc_fail(call, FX_RPC_VERIFY,
                    "package topology disallowed. not child-with-parents or parents depend on "
                    "each other.");
    } else {
        out = package_json(txs, results, n, wrong, &replaced);
    }
    for (size_t i = 0; i < n; i++) {
        if (fx_mempool_get(pool, &txs[i]->txid)) {
            fx_net_relay_tx(call->rpc->config.net, txs[i]);
        }
    }
    free(replaced.ids);
    free(results);
    txs_free(txs, n);
    return out;
}

const struct fx_rpc_command fx_rpc_submitpackage = {
    .name = "submitpackage",
    .text = "Gives a transaction with parents of it to the mempool: a parent whose fee is too low "
            "by itself is taken for what the child pays. What is counted together replaces "
            "nothing. Peers are told of each transaction by itself.",
    .args = "package: [ hex ]             # Parents, then the child that spends from each\n"
            "maxfeerate?: amount = 0.10   # Dearer ones are refused, FNX per 1,000 vbytes; 0: any\n"
            "maxburnamount?: amount = 0   # One with an unspendable output over this is refused",
    .result = "{ package_msg: str          # success, or what is wrong\n"
              "tx-results: { *: { txid: hash   # By wtxid\n"
              "  other-wtxid?: hash        # The mempool has it with this other witness\n"
              "  vsize?: int\n"
              "  fees?: " FEES_FIELDS "  error?: str } }\n"
              "replaced-transactions: [ hash ] }",
    .errors = "-8: fewer than 2 or more than 25, or maxfeerate is too high\n"
              "-22: TX decode failed\n-25: not a child with its parents, or one burns too much",
    .example = "'[\"rawtx1\",\"rawtx2\"]'",
    .run = submitpackage,
};
