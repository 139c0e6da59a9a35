/* Commands on the mempool. */
#include <stdlib.h>

#include "src/iface/mempool.h"
#include "src/rpc/rpc_int.h"
#include "src/util/amount.h"

static json_t *getmempoolinfo(struct fx_rpc_call *call)
{
    struct fx_mempool_info info;
    fx_mempool_info(call->rpc->config.mempool, &info);
    json_t *out = json_object();
    fx_json_set(out, "loaded", json_true());
    fx_json_set(out, "size", json_integer((json_int_t)info.count));
    fx_json_set(out, "bytes", json_integer((json_int_t)info.bytes));
    fx_json_set(out, "usage", json_integer((json_int_t)info.usage));
    fx_json_set(out, "total_fee", fx_json_amount(info.total_fee));
    fx_json_set(out, "maxmempool", json_integer((json_int_t)info.max_usage));
    fx_json_set(out, "mempoolminfee", fx_json_amount(info.min_fee_rate));
    fx_json_set(out, "minrelaytxfee", fx_json_amount(info.relay_fee_rate));
    fx_json_set(out, "incrementalrelayfee", fx_json_amount(info.relay_fee_rate));
    return out;
}

static const struct fx_rpc_command getmempoolinfo_command = {
    .name = "getmempoolinfo",
    .text = "Returns the state of the mempool.",
    .result = "{ loaded: bool\n"
              "size: int               # Transactions\n"
              "bytes: int              # Their virtual sizes\n"
              "usage: int              # Memory in bytes\n"
              "total_fee: amount\n"
              "maxmempool: int         # Bytes of memory that it may use\n"
              "mempoolminfee: amount   # Least fee rate that is taken, FNX per 1,000 vbytes\n"
              "minrelaytxfee: amount   # The same while the pool is not full\n"
              "incrementalrelayfee: amount }   # What a replacement pays on top",
    .example = "",
    .run = getmempoolinfo,
};

#define ENTRY_FIELDS                                                                 \
    "{ vsize: int, weight: int\n"                                                    \
    "time: time              # When it came\n"                                       \
    "height: int             # Of the tip then\n"                                    \
    "descendantcount: int    # With itself; likewise below\n"                        \
    "descendantsize: int, ancestorcount: int, ancestorsize: int, wtxid: hash\n"      \
    "fees: { base: amount, modified: amount, ancestor: amount, descendant: amount\n" \
    "burned: amount }        # What its task spends burn: no part of the fee rate\n" \
    "depends: [ hash ]       # Unconfirmed transactions that it spends\n"            \
    "spentby: [ hash ]       # Unconfirmed transactions that spend it\n"             \
    "bip125-replaceable: bool }\n"

static bool replaceable(const struct fx_tx *tx)
{
    for (size_t i = 0; i < tx->n_in; i++) {
        if (tx->in[i].sequence < UINT32_C(0xfffffffe)) {
            return true;
        }
    }
    return false;
}

/* Ids once each. */
static void append_once(json_t *list, const struct fx_hash *id)
{
    json_t *text = fx_json_id(id);
    size_t i;
    json_t *inner;
    json_array_foreach(list, i, inner)
    {
        if (json_equal(inner, text)) {
            json_decref(text);
            return;
        }
    }
    json_array_append_new(list, text);
}

static json_t *entry_json(const struct fx_mempool *pool, const struct fx_mempool_entry *e)
{
    json_t *out = json_object(), *fees = json_object();
    json_t *depends = json_array(), *spent_by = json_array();
    fx_json_set(out, "vsize", json_integer((json_int_t)e->vsize));
    fx_json_set(out, "weight", json_integer((json_int_t)e->weight));
    fx_json_set(out, "time", json_integer(e->time));
    fx_json_set(out, "height", json_integer(e->height));
    fx_json_set(out, "descendantcount", json_integer((json_int_t)e->descendant_count));
    fx_json_set(out, "descendantsize", json_integer((json_int_t)e->descendant_vsize));
    fx_json_set(out, "ancestorcount", json_integer((json_int_t)e->ancestor_count));
    fx_json_set(out, "ancestorsize", json_integer((json_int_t)e->ancestor_vsize));
    fx_json_set(out, "wtxid", fx_json_id(&e->tx->wtxid));
    fx_json_set(fees, "base", fx_json_amount(e->fee));
    fx_json_set(fees, "modified", fx_json_amount(e->fee));
    fx_json_set(fees, "ancestor", fx_json_amount(e->ancestor_fees));
    fx_json_set(fees, "descendant", fx_json_amount(e->descendant_fees));
    fx_json_set(fees, "burned", fx_json_amount(e->burned));
    fx_json_set(out, "fees", fees);
    for (size_t i = 0; i < e->tx->n_in; i++) {
        if (fx_mempool_get(pool, &e->tx->in[i].prevout.txid)) {
            append_once(depends, &e->tx->in[i].prevout.txid);
        }
    }
    for (size_t i = 0; i < e->tx->n_out; i++) {
        const struct fx_outpoint o = {e->tx->txid, (uint32_t)i};
        const struct fx_tx *spender = fx_mempool_spender(pool, &o);
        if (spender) {
            append_once(spent_by, &spender->txid);
        }
    }
    fx_json_set(out, "depends", depends);
    fx_json_set(out, "spentby", spent_by);
    fx_json_set(out, "bip125-replaceable", json_boolean(replaceable(e->tx)));
    return out;
}

static json_t *getrawmempool(struct fx_rpc_call *call)
{
    const struct fx_mempool *pool = call->rpc->config.mempool;
    bool verbose = fx_rpc_arg_bool(call->args[0], false);
    struct fx_mempool_entry *entries = NULL;
    size_t n = fx_mempool_list(pool, &entries);
    json_t *out = verbose ? json_object() : json_array();
    for (size_t i = 0; i < n; i++) {
        char txid[FX_HASH_HEX];
        fx_hash_to_id(&entries[i].tx->txid, txid);
        if (verbose) {
            fx_json_set(out, txid, entry_json(pool, &entries[i]));
        } else {
            json_array_append_new(out, json_string(txid));
        }
    }
    free(entries);
    return out;
}

static const struct fx_rpc_command getrawmempool_command = {
    .name = "getrawmempool",
    .text = "Returns the ids of all transactions of the mempool, parents before children.",
    .args = "verbose?: bool = false   # An object with what is known of each",
    .result = "@ not verbose\n[ hash ]\n@ verbose\n{ *: " ENTRY_FIELDS " }",
    .example = "\ntrue",
    .run = getrawmempool,
};

static json_t *getmempoolentry(struct fx_rpc_call *call)
{
    const struct fx_mempool *pool = call->rpc->config.mempool;
    struct fx_mempool_entry entry;
    struct fx_hash txid;
    if (!fx_rpc_arg_hash(call, call->args[0], "txid", &txid)) {
        return NULL;
    }
    if (!fx_mempool_entry(pool, &txid, &entry)) {
        return fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Transaction not in mempool");
    }
    return entry_json(pool, &entry);
}

static const struct fx_rpc_command getmempoolentry_command = {
    .name = "getmempoolentry",
    .text = "Returns what is known of a transaction of the mempool.",
    .args = "txid: hash",
    .result = ENTRY_FIELDS,
    .errors = "-5: Transaction not in mempool",
    .example = "\"txid\"",
    .run = getmempoolentry,
};

/* embers per 1,000 vbytes; 0: no limit */
static bool too_dear(int64_t max_rate, int64_t fee, size_t vsize)
{
    return max_rate > 0 && fee > (int64_t)((uint64_t)max_rate * vsize / 1000);
}

#define MAX_FEE_RATE (FX_COIN / 10)

static json_t *test_one(struct fx_rpc_call *call, const struct fx_tx *tx, int64_t max_rate)
{
    struct fx_accept verdict = {0};
    json_t *out = json_object();
    fx_mempool_accept(call->rpc->config.mempool, tx, true, &verdict);
    fx_json_set(out, "txid", fx_json_id(&tx->txid));
    fx_json_set(out, "wtxid", fx_json_id(&tx->wtxid));
    bool allowed = verdict.result == FX_VALID;
    if (allowed && too_dear(max_rate, verdict.fee, verdict.vsize)) {
        fx_json_set(out, "allowed", json_false());
        fx_json_set(out, "reject-reason", json_string("max-fee-exceeded"));
        return out;
    }
    fx_json_set(out, "allowed", json_boolean(allowed));
    if (allowed) {
        json_t *fees = json_object();
        fx_json_set(fees, "base", fx_json_amount(verdict.fee));
        fx_json_set(out, "vsize", json_integer((json_int_t)verdict.vsize));
        fx_json_set(out, "fees", fees);
    } else {
        fx_json_set(out, "reject-reason",
                    json_string(verdict.missing_inputs ? "missing-inputs" : verdict.reason));
    }
    return out;
}

static json_t *testmempoolaccept(struct fx_rpc_call *call)
{
    int64_t max_rate = MAX_FEE_RATE;
    size_t i;
    json_t *hex;
    if (call->args[1] && !fx_rpc_arg_amount(call, call->args[1], "maxfeerate", &max_rate)) {
        return NULL;
    }
    if (json_array_size(call->args[0]) < 1 || json_array_size(call->args[0]) > 25) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER,
                           "Array must contain between 1 and 25 transactions.");
    }
    json_t *out = json_array();
    json_array_foreach(call->args[0], i, hex)
    {
        struct fx_tx *tx;
        if (!fx_rpc_arg_tx(call, hex, &tx)) {
            json_decref(out);
            return NULL;
        }
        json_array_append_new(out, test_one(call, tx, max_rate));
        fx_tx_unref(tx);
    }
    return out;
}

static const struct fx_rpc_command testmempoolaccept_command = {
    .name = "testmempoolaccept",
    .text = "Says whether the mempool would take transactions, each by itself; none is added.",
    .args = "rawtxs: [ hex ]\n"
            "maxfeerate?: amount = 0.10   # Dearer ones are refused, FNX per 1,000 vbytes; 0: any",
    .result = "[ { txid: hash, wtxid: hash, allowed: bool, vsize?: int\n"
              "fees?: { base: amount }, reject-reason?: str } ]",
    .errors = "-22: TX decode failed",
    .example = "[\"rawtx\"]",
    .run = testmempoolaccept,
};

static const struct fx_rpc_command *const commands[] = {
    &getmempoolinfo_command,
    &getrawmempool_command,
    &getmempoolentry_command,
    &testmempoolaccept_command,
    NULL,
};

const struct fx_rpc_topic fx_rpc_topic_mempool = {"Mempool", commands, FX_RPC_ALWAYS};
