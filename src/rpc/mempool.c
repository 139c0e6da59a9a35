/* Commands on the mempool. */
#include <stdlib.h>
#include <strings.h>

#include "src/iface/mempool.h"
#include "src/iface/net.h"
#include "src/rpc/topics_int.h"
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
    fx_json_set(out, "incrementalrelayfee", fx_json_amount(info.increment_rate));
    fx_json_set(out, "unbroadcastcount",
                json_integer((json_int_t)fx_net_unbroadcast(call->rpc->config.net)));
    fx_json_set(out, "fullrbf", json_boolean(info.full_rbf));
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
              "incrementalrelayfee: amount   # What a replacement pays on top\n"
              "unbroadcastcount: int   # Own transactions that no peer has asked for yet\n"
              "fullrbf: bool }         # What does not signal it (BIP125) can be replaced too",
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
    "bip125-replaceable: bool # It, or an unconfirmed ancestor, says so\n"           \
    "unbroadcast: bool }      # It is our own, and no peer has asked for it yet\n"

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

static json_t *entry_json(const struct fx_rpc *rpc, const struct fx_mempool_entry *e)
{
    struct fx_mempool *pool = rpc->config.mempool;
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
    fx_json_set(fees, "modified", fx_json_amount(e->fee + e->delta));
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
    fx_json_set(out, "bip125-replaceable",
                json_boolean(fx_mempool_signals_replacing(pool, &e->tx->txid)));
    fx_json_set(out, "unbroadcast",
                json_boolean(fx_net_is_unbroadcast(rpc->config.net, &e->tx->txid)));
    return out;
}

/* An array of ids, or an object of what is known of each. */
static json_t *list_create(bool verbose)
{
    return verbose ? json_object() : json_array();
}

static void list_add(json_t *list, const struct fx_rpc *rpc, const struct fx_mempool_entry *e)
{
    char txid[FX_HASH_HEX];
    fx_hash_to_id(&e->tx->txid, txid);
    if (json_is_object(list)) {
        fx_json_set(list, txid, entry_json(rpc, e));
    } else {
        json_array_append_new(list, json_string(txid));
    }
}

static json_t *getrawmempool(struct fx_rpc_call *call)
{
    struct fx_mempool *pool = call->rpc->config.mempool;
    bool verbose = fx_rpc_arg_bool(call->args[0], false);
    bool sequence = fx_rpc_arg_bool(call->args[1], false);
    struct fx_mempool_entry *entries = NULL;
    struct fx_mempool_info info;
    if (verbose && sequence) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER,
                           "Verbose results cannot contain mempool sequence values.");
    }
    size_t n = fx_mempool_list(pool, &entries);
    json_t *out = list_create(verbose);
    for (size_t i = 0; i < n; i++) {
        list_add(out, call->rpc, &entries[i]);
    }
    free(entries);
    if (!sequence) {
        return out;
    }
    json_t *with = json_object();
    fx_mempool_info(pool, &info);
    fx_json_set(with, "txids", out);
    fx_json_set(with, "mempool_sequence", json_integer((json_int_t)info.sequence));
    return with;
}

static const struct fx_rpc_command getrawmempool_command = {
    .name = "getrawmempool",
    .text = "Returns the ids of all transactions of the mempool, parents before children.",
    .args = "verbose?: bool = false            # An object with what is known of each\n"
            "mempool_sequence?: bool = false   # With the mempool's sequence number",
    .result = "@ not verbose\n[ hash ]\n@ verbose\n{ *: " ENTRY_FIELDS " }\n"
              "@ with mempool_sequence\n"
              "{ txids: [ hash ]\n"
              "mempool_sequence: int }   # Grows with what comes, and what leaves but for a block",
    .errors = "-8: verbose and mempool_sequence",
    .example = "\ntrue",
    .run = getrawmempool,
};

/* ---- kin ------------------------------------------------------------------------------------- */

typedef void next_of(const struct fx_mempool *pool, const struct fx_tx *tx, json_t *found);

static void note(json_t *found, const struct fx_tx *tx)
{
    char txid[FX_HASH_HEX];
    fx_hash_to_id(&tx->txid, txid);
    if (!json_object_get(found, txid)) {
        fx_json_set(found, txid, json_null());
    }
}

static void parents_of(const struct fx_mempool *pool, const struct fx_tx *tx, json_t *found)
{
    for (size_t i = 0; i < tx->n_in; i++) {
        const struct fx_tx *parent = fx_mempool_get(pool, &tx->in[i].prevout.txid);
        if (parent) {
            note(found, parent);
        }
    }
}

static void children_of(const struct fx_mempool *pool, const struct fx_tx *tx, json_t *found)
{
    for (size_t i = 0; i < tx->n_out; i++) {
        const struct fx_outpoint o = {tx->txid, (uint32_t)i};
        const struct fx_tx *child = fx_mempool_spender(pool, &o);
        if (child) {
            note(found, child);
        }
    }
}

/* All that can be reached from the transaction of the first argument, without it. */
static json_t *kin(struct fx_rpc_call *call, next_of *next)
{
    struct fx_mempool *pool = call->rpc->config.mempool;
    struct fx_mempool_entry entry;
    struct fx_hash txid;
    if (!fx_rpc_arg_hash(call, call->args[0], "txid", &txid)) {
        return NULL;
    }
    const struct fx_tx *tx = fx_mempool_get(pool, &txid);
    if (!tx) {
        return fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Transaction not in mempool");
    }
    json_t *found = json_object(), *out = list_create(fx_rpc_arg_bool(call->args[1], false));
    size_t seen;
    next(pool, tx, found);
    do { /* until a round finds nothing new: the pool's limits keep families small */
        const char *id;
        void *at;
        json_t *ignored;
        seen = json_object_size(found);
        json_object_foreach_safe(found, at, id, ignored)
        {
            (void)fx_hash_from_id(&txid, id);
            next(pool, fx_mempool_get(pool, &txid), found);
        }
    } while (json_object_size(found) > seen);
    const char *id;
    json_t *ignored;
    json_object_foreach(found, id, ignored)
    {
        (void)fx_hash_from_id(&txid, id);
        if (fx_mempool_entry(pool, &txid, &entry)) {
            list_add(out, call->rpc, &entry);
        }
    }
    json_decref(found);
    return out;
}

static json_t *getmempoolancestors(struct fx_rpc_call *call)
{
    return kin(call, parents_of);
}

static json_t *getmempooldescendants(struct fx_rpc_call *call)
{
    return kin(call, children_of);
}

#define KIN_ARGS   \
    "txid: hash\n" \
    "verbose?: bool = false   # An object with what is known of each"
#define KIN_RESULT "@ not verbose\n[ hash ]\n@ verbose\n{ *: " ENTRY_FIELDS " }"

static const struct fx_rpc_command getmempoolancestors_command = {
    .name = "getmempoolancestors",
    .text = "Returns the unconfirmed transactions that one of the mempool spends from, directly or "
            "not.",
    .args = KIN_ARGS,
    .result = KIN_RESULT,
    .errors = "-5: Transaction not in mempool",
    .example = "\"txid\"",
    .run = getmempoolancestors,
};

static const struct fx_rpc_command getmempooldescendants_command = {
    .name = "getmempooldescendants",
    .text = "Returns the unconfirmed transactions that spend from one of the mempool, directly or "
            "not.",
    .args = KIN_ARGS,
    .result = KIN_RESULT,
    .errors = "-5: Transaction not in mempool",
    .example = "\"txid\"",
    .run = getmempooldescendants,
};

static json_t *getmempoolentry(struct fx_rpc_call *call)
{
    struct fx_mempool *pool = call->rpc->config.mempool;
    struct fx_mempool_entry entry;
    struct fx_hash txid;
    if (!fx_rpc_arg_hash(call, call->args[0], "txid", &txid)) {
        return NULL;
    }
    if (!fx_mempool_entry(pool, &txid, &entry)) {
        return fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Transaction not in mempool");
    }
    return entry_json(call->rpc, &entry);
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

static json_t *gettxspendingprevout(struct fx_rpc_call *call)
{
    const struct fx_mempool *pool = call->rpc->config.mempool;
    size_t i;
    json_t *given;
    if (json_array_size(call->args[0]) == 0) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "Invalid parameter, outputs are missing");
    }
    json_t *out = json_array();
    json_array_foreach(call->args[0], i, given)
    {
        struct fx_outpoint o = {0};
        json_int_t vout = json_integer_value(json_object_get(given, "vout"));
        bool ok = fx_rpc_arg_hash(call, json_object_get(given, "txid"), "txid", &o.txid);
        if (ok && vout < 0) {
            fx_rpc_fail(call, FX_RPC_PARAMETER, "Invalid parameter, vout cannot be negative");
        } else if (ok && vout > UINT32_MAX) {
            fx_rpc_fail(call, FX_RPC_PARAMETER, "Invalid parameter, vout is out of range");
        }
        if (call->failed) {
            json_decref(out);
            return NULL;
        }
        o.index = (uint32_t)vout;
        json_t *line = json_object();
        const struct fx_tx *spender = fx_mempool_spender(pool, &o);
        fx_json_set(line, "txid", fx_json_id(&o.txid));
        fx_json_set(line, "vout", json_integer(vout));
        if (spender) {
            fx_json_set(line, "spendingtxid", fx_json_id(&spender->txid));
        }
        json_array_append_new(out, line);
    }
    return out;
}

static const struct fx_rpc_command gettxspendingprevout_command = {
    .name = "gettxspendingprevout",
    .text = "Returns the transactions of the mempool that spend outputs.",
    .args = "outputs: [ { txid: hash, vout: int } ]",
    .result = "[ { txid: hash, vout: int\n"
              "spendingtxid?: hash } ]   # Where the mempool has one",
    .errors = "-8: no outputs, or a vout below 0",
    .example = "'[{\"txid\":\"id\",\"vout\":3}]'",
    .run = gettxspendingprevout,
};

#define TARGET_MAX 1008

static bool is_estimate_mode(const char *mode)
{
    return strcasecmp(mode, "unset") == 0 || strcasecmp(mode, "economical") == 0 ||
           strcasecmp(mode, "conservative") == 0;
}

static json_t *estimatesmartfee(struct fx_rpc_call *call)
{
    int64_t blocks = json_integer_value(call->args[0]);
    if (blocks < 1 || blocks > TARGET_MAX) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "Invalid conf_target, must be between 1 and %d",
                           TARGET_MAX);
    }
    if (!is_estimate_mode(fx_rpc_arg_str(call->args[1], "unset"))) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER,
                           "Invalid estimate_mode parameter, must be one of: \"unset\", "
                           "\"economical\", \"conservative\"");
    }
    json_t *out = json_object();
    fx_json_set(out, "feerate",
                fx_json_amount(fx_mempool_estimate(call->rpc->config.mempool, (unsigned)blocks)));
    fx_json_set(out, "blocks", json_integer(blocks));
    return out;
}

static const struct fx_rpc_command estimatesmartfee_command = {
    .name = "estimatesmartfee",
    .text = "Returns the fee rate at which a transaction stands within the first blocks that the "
            "mempool as it is would fill. Unlike Bitcoin Core's, it does not look back on how long "
            "others took.",
    .args = "conf_target: int             # Blocks, at most 1008\n"
            "estimate_mode?: str = unset  # unset, economical or conservative: no difference here",
    .result = "{ feerate: amount   # FNX per 1,000 vbytes\nblocks: int }",
    .errors = "-8: conf_target or estimate_mode is wrong",
    .example = "6",
    .run = estimatesmartfee,
};

static const struct fx_rpc_command *const commands[] = {
    &getmempoolinfo_command,        &getrawmempool_command,
    &getmempoolentry_command,       &getmempoolancestors_command,
    &getmempooldescendants_command, &gettxspendingprevout_command,
    &estimatesmartfee_command,      &fx_rpc_testmempoolaccept,
    &fx_rpc_submitpackage,          NULL,
};

const struct fx_rpc_topic fx_rpc_topic_mempool = {"Mempool", commands, FX_RPC_ALWAYS};
