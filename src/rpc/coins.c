/* Commands on a wallet's coins: balances, payments, history. */
#include <stdlib.h>
#include <string.h>

#include "src/iface/mempool.h"
#include "src/keys/address.h"
#include "src/rpc/topics_int.h"
#include "src/util/amount.h"

static json_t *getbalance(struct fx_rpc_call *call)
{
    struct fx_wallet_balance balance;
    struct fx_wallet_coin *coins = NULL;
    const char *dummy = fx_rpc_arg_str(call->args[0], "*");
    int64_t min_conf, sum = 0;
    struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
    if (!wallet) {
        return NULL;
    }
    if (strcmp(dummy, "*") != 0) {
        return fx_rpc_fail(call, -32, "dummy first argument must be excluded or set to \"*\".");
    }
    if (!fx_rpc_arg_int(call, call->args[1], "minconf", 0, INT32_MAX, 0, &min_conf)) {
        return NULL;
    }
    if (min_conf == 0) {
        fx_wallet_balance(wallet, &balance);
        return fx_json_amount(balance.trusted);
    }
    size_t n = fx_wallet_coins(wallet, &coins);
    for (size_t i = 0; i < n; i++) {
        if (coins[i].spendable && coins[i].safe && coins[i].confirmations >= min_conf) {
            sum += coins[i].value;
        }
    }
    free(coins);
    return fx_json_amount(sum);
}

static const struct fx_rpc_command getbalance_command = {
    .name = "getbalance",
    .text = "Returns what the wallet can spend.",
    .args = "dummy?: str = *     # As in Bitcoin Core\n"
            "minconf?: int = 0   # Count coins with as many confirmations alone",
    .result = "amount",
    .errors = "-18: no wallet is loaded",
    .example = "\n\"*\" 6",
    .run = getbalance,
};

static json_t *getbalances(struct fx_rpc_call *call)
{
    struct fx_wallet_balance balance;
    struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
    if (!wallet) {
        return NULL;
    }
    fx_wallet_balance(wallet, &balance);
    json_t *out = json_object(), *mine = json_object();
    fx_json_set(mine, "trusted", fx_json_amount(balance.trusted));
    fx_json_set(mine, "untrusted_pending", fx_json_amount(balance.pending));
    fx_json_set(mine, "immature", fx_json_amount(balance.immature));
    fx_json_set(out, "mine", mine);
    return out;
}

static const struct fx_rpc_command getbalances_command = {
    .name = "getbalances",
    .text = "Returns the wallet's balances.",
    .result = "{ mine: { trusted: amount    # Confirmed, and own unconfirmed change\n"
              "untrusted_pending: amount    # Unconfirmed, from others\n"
              "immature: amount } }         # Of blocks mined, not yet 100 deep",
    .errors = "-18: no wallet is loaded",
    .example = "",
    .run = getbalances,
};

static bool has_address(const json_t *addresses, const char *address)
{
    size_t i;
    json_t *one;
    json_array_foreach(addresses, i, one)
    {
        if (json_is_string(one) && strcmp(json_string_value(one), address) == 0) {
            return true;
        }
    }
    return json_array_size(addresses) == 0;
}

static json_t *listunspent(struct fx_rpc_call *call)
{
    const struct fx_rpc *rpc = call->rpc;
    struct fx_wallet_coin *coins = NULL;
    int64_t min_conf, max_conf;
    bool unsafe = fx_rpc_arg_bool(call->args[3], true);
    struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
    if (!wallet) {
        return NULL;
    }
    if (!fx_rpc_arg_int(call, call->args[0], "minconf", 0, INT32_MAX, 1, &min_conf) ||
        !fx_rpc_arg_int(call, call->args[1], "maxconf", 0, INT32_MAX, 9999999, &max_conf)) {
        return NULL;
    }
    size_t n = fx_wallet_coins(wallet, &coins);
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct fx_wallet_coin *c = &coins[i];
        char address[FX_ADDRESS_MAX] = "";
        bool named = fx_address_encode(rpc->config.params, c->script, address);
        bool immature = c->coinbase && c->confirmations <= FX_COINBASE_MATURITY;
        if (c->confirmations < min_conf || c->confirmations > max_conf || immature ||
            (!c->safe && !unsafe) || !has_address(call->args[2], address)) {
            continue;
        }
        json_t *o = json_object();
        const char *label = fx_wallet_label(wallet, c->script);
        fx_json_set(o, "txid", fx_json_id(&c->outpoint.txid));
        fx_json_set(o, "vout", json_integer(c->outpoint.index));
        if (named) {
            fx_json_set(o, "address", json_string(address));
        }
        if (label && *label) {
            fx_json_set(o, "label", json_string(label));
        }
        fx_json_set(o, "scriptPubKey", fx_json_hex(c->script.data, c->script.len));
        fx_json_set(o, "amount", fx_json_amount(c->value));
        fx_json_set(o, "confirmations", json_integer(c->confirmations));
        fx_json_set(o, "spendable", json_boolean(c->spendable));
        fx_json_set(o, "solvable", json_boolean(c->spendable));
        fx_json_set(o, "safe", json_boolean(c->safe));
        json_array_append_new(out, o);
    }
    free(coins);
    return out;
}

static const struct fx_rpc_command listunspent_command = {
    .name = "listunspent",
    .text = "Returns the wallet's unspent outputs.",
    .args = "minconf?: int = 1\n"
            "maxconf?: int = 9999999\n"
            "addresses?: [ str ]            # Those of these addresses alone\n"
            "include_unsafe?: bool = true   # Unconfirmed ones of others too",
    .result = "[ { txid: hash, vout: int, address?: str, label?: str, scriptPubKey: hex\n"
              "amount: amount, confirmations: int\n"
              "spendable: bool, solvable: bool\n"
              "safe: bool } ]   # Confirmed, or from this wallet",
    .errors = "-18: no wallet is loaded",
    .example = "\n6",
    .run = listunspent,
};

/* The fee rate of a payment, embers per 1,000 vbytes; 0: the wallet estimates. */
static bool payment_fee_rate(struct fx_rpc_call *call, const json_t *target, const json_t *mode,
                             const json_t *rate, int64_t *fee_rate)
{
    const char *name = fx_rpc_arg_str(mode, "unset");
    int64_t blocks, value;
    *fee_rate = 0;
    if (strcmp(name, "unset") != 0 && strcmp(name, "economical") != 0 &&
        strcmp(name, "conservative") != 0) {
        fx_rpc_fail(call, FX_RPC_PARAMETER,
                    "Invalid estimate_mode parameter, must be one of: \"unset\", \"economical\", "
                    "\"conservative\"");
        return false;
    }
    if (target && rate) {
        fx_rpc_fail(call, FX_RPC_PARAMETER,
                    "Cannot specify both conf_target and fee_rate. Please provide either a "
                    "confirmation target in blocks for automatic fee estimation, or an explicit "
                    "fee rate.");
        return false;
    }
    if (target) {
        if (!fx_rpc_arg_int(call, target, "conf_target", 1, 1008, 6, &blocks)) {
            return false;
        }
        *fee_rate = fx_mempool_estimate(call->rpc->config.mempool, (unsigned)blocks);
    }
    if (rate) {
        /* A vbyte's embers are read like FNX, with eight places, of which three can be paid. */
        if (!fx_rpc_arg_amount(call, rate, "fee_rate", &value)) {
            return false;
        }
        if (value == 0 || value % (FX_COIN / 1000) != 0) {
            fx_rpc_fail(call, FX_RPC_TYPE,
                        "Invalid amount (fee_rate, at least 0.001 embers a vbyte)");
            return false;
        }
        *fee_rate = value / (FX_COIN / 1000);
    }
    return true;
}

static json_t *sendtoaddress(struct fx_rpc_call *call)
{
    struct fx_wallet_error error = {0, ""};
    struct fx_buf script = FX_BUF_INIT;
    struct fx_hash txid;
    int64_t amount, fee_rate;
    json_t *out = NULL;
    struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
    if (!wallet) {
        return NULL;
    }
    if (!fx_rpc_arg_address(call, call->args[0], &script) ||
        !fx_rpc_arg_amount(call, call->args[1], "amount", &amount) ||
        !payment_fee_rate(call, call->args[6], call->args[7], call->args[9], &fee_rate)) {
        fx_buf_clear(&script);
        return NULL;
    }
    if (!fx_rpc_arg_bool(call->args[5], true)) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "Every payment of this wallet can be replaced");
    } else if (amount == 0) {
        fx_rpc_fail(call, FX_RPC_TYPE, "Invalid amount for send");
    } else if (fx_wallet_send(wallet, (struct fx_span){script.data, script.len}, amount, fee_rate,
                              fx_rpc_arg_bool(call->args[4], false),
                              fx_rpc_arg_str(call->args[2], ""), &txid, &error)) {
        out = fx_json_id(&txid);
    } else {
        fx_rpc_fail_wallet(call, &error);
    }
    fx_buf_clear(&script);
    return out;
}

static const struct fx_rpc_command sendtoaddress_command = {
    .name = "sendtoaddress",
    .text = "Pays an amount to an address.",
    .args = "address: str\n"
            "amount: amount\n"
            "comment?: str = \"\"      # Kept in the wallet\n"
            "comment_to?: str = \"\"   # Ignored, for Bitcoin Core's order\n"
            "subtractfeefromamount?: bool = false\n"
            "replaceable?: bool = true   # By BIP125; all are\n"
            "conf_target?: int           # Estimate the fee for so many blocks\n"
            "estimate_mode?: str = unset # unset, economical or conservative: no difference here\n"
            "avoid_reuse?: bool          # Ignored, for the order of Bitcoin Core\n"
            "fee_rate?: amount           # Embers per vbyte, up to three places",
    .result = "hash  # The transaction's id",
    .errors = "-3: Invalid amount\n-5: Invalid address\n-6: Insufficient funds\n"
              "-8: conf_target and fee_rate, or replaceable is false",
    .example = "\"address\" 0.1",
    .run = sendtoaddress,
};

#define ENTRY_FIELDS                                                              \
    "category: str         # send, receive, generate, immature, orphan or task\n" \
    "amount: amount        # Negative for what is sent\n"                         \
    "vout: int, address?: str, label?: str\n"                                     \
    "fee?: amount          # Negative, for what is sent\n"                        \
    "abandoned?: bool      # Of what is sent: see abandontransaction\n"
#define PLACE_FIELDS                                                               \
    "confirmations: int    # -1: conflicted\n"                                     \
    "workdepth?: int       # See getblockheader\n"                                 \
    "generated?: bool      # A coinbase\n"                                         \
    "trusted?: bool        # Unconfirmed, and its change counts as the wallet's\n" \
    "blockhash?: hash, blockheight?: int, blocktime?: time\n"                      \
    "txid: hash, wtxid: hash\n"                                                    \
    "walletconflicts: [ hash ]   # Of the wallet, which spend the same\n"          \
    "time: time, timereceived: time, comment?: str\n"                              \
    "bip125-replaceable: str     # yes, no, or unknown: unconfirmed, and not in the mempool\n"

static void entry_json(struct fx_rpc *rpc, const struct fx_wallet *wallet,
                       const struct fx_wallet_entry *e, json_t *out)
{
    char address[FX_ADDRESS_MAX];
    const char *label = fx_wallet_label(wallet, e->script);
    fx_json_set(out, "category", json_string(e->category));
    fx_json_set(out, "amount", fx_json_amount(e->amount));
    fx_json_set(out, "vout", json_integer(e->vout));
    if (fx_address_encode(rpc->config.params, e->script, address)) {
        fx_json_set(out, "address", json_string(address));
    }
    if (label && *label) {
        fx_json_set(out, "label", json_string(label));
    }
    if (strcmp(e->category, "send") == 0 || e->fee != 0) {
        fx_json_set(out, "fee", fx_json_amount(e->fee));
        fx_json_set(out, "abandoned", json_boolean(e->abandoned));
    }
}

static json_t *conflicts_json(const struct fx_wallet *wallet, const struct fx_tx *tx)
{
    struct fx_hash *ids;
    size_t n = fx_wallet_conflicts(wallet, tx, &ids);
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(out, fx_json_id(&ids[i]));
    }
    free(ids);
    return out;
}

static const char *replaceable(const struct fx_rpc *rpc, const struct fx_wallet_entry *e)
{
    if (e->confirmations != 0) {
        return "no";
    }
    if (!fx_mempool_get(rpc->config.mempool, &e->txid)) {
        return "unknown";
    }
    return fx_mempool_signals_replacing(rpc->config.mempool, &e->txid) ? "yes" : "no";
}

static void entry_place(struct fx_rpc *rpc, const struct fx_wallet *wallet,
                        const struct fx_wallet_entry *e, json_t *out)
{
    fx_json_set(out, "confirmations", json_integer(e->confirmations));
    if (fx_tx_is_coinbase(e->tx)) {
        fx_json_set(out, "generated", json_true());
    }
    if (e->confirmations == 0) {
        fx_json_set(out, "trusted", json_boolean(e->trusted));
    }
    if (!fx_hash_is_zero(&e->block)) {
        const struct fx_index *index = fx_chain_find(rpc->config.chain, &e->block);
        if (index) {
            fx_json_set(out, "workdepth", json_integer(fx_rpc_workdepth(rpc, index)));
            fx_json_set(out, "blocktime", json_integer(index->header.time));
        }
        fx_json_set(out, "blockhash", fx_json_id(&e->block));
        fx_json_set(out, "blockheight", json_integer(e->height));
    }
    fx_json_set(out, "txid", fx_json_id(&e->txid));
    fx_json_set(out, "wtxid", fx_json_id(&e->tx->wtxid));
    fx_json_set(out, "walletconflicts", conflicts_json(wallet, e->tx));
    fx_json_set(out, "bip125-replaceable", json_string(replaceable(rpc, e)));
    fx_json_set(out, "time", json_integer(e->time));
    fx_json_set(out, "timereceived", json_integer(e->time));
    if (e->comment && *e->comment) {
        fx_json_set(out, "comment", json_string(e->comment));
    }
}

static json_t *listtransactions(struct fx_rpc_call *call)
{
    struct fx_wallet_entry *entries = NULL;
    const char *label = fx_rpc_arg_str(call->args[0], "*");
    int64_t count, skip;
    struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
    if (!wallet) {
        return NULL;
    }
    if (!fx_rpc_arg_int(call, call->args[1], "count", 0, INT32_MAX, 10, &count) ||
        !fx_rpc_arg_int(call, call->args[2], "skip", 0, INT32_MAX, 0, &skip)) {
        return NULL;
    }
    size_t n = fx_wallet_history(wallet, &entries);
    json_t *out = json_array();
    /* The newest `count`, less `skip` at the end, oldest first. */
    for (size_t i = n; i-- > 0 && count > 0;) {
        if (strcmp(label, "*") != 0 &&
            strcmp(label, fx_wallet_label(wallet, entries[i].script)) != 0) {
            continue;
        }
        if (skip > 0) {
            skip--;
            continue;
        }
        json_t *o = json_object();
        entry_json(call->rpc, wallet, &entries[i], o);
        entry_place(call->rpc, wallet, &entries[i], o);
        json_array_insert_new(out, 0, o);
        count--;
    }
    free(entries);
    return out;
}

static const struct fx_rpc_command listtransactions_command = {
    .name = "listtransactions",
    .text = "Returns the wallet's newest transactions, oldest first; one line each output that "
            "concerns it.",
    .args = "label?: str = *   # Those of addresses with this label alone\n"
            "count?: int = 10\n"
            "skip?: int = 0    # Of the newest",
    .result = "[ { " ENTRY_FIELDS PLACE_FIELDS "} ]",
    .errors = "-18: no wallet is loaded",
    .example = "\n\"*\" 20 100",
    .run = listtransactions,
};

static json_t *gettransaction(struct fx_rpc_call *call)
{
    struct fx_wallet_entry *entries = NULL;
    struct fx_hash txid;
    bool verbose = fx_rpc_arg_bool(call->args[2], false);
    struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
    if (!wallet || !fx_rpc_arg_hash(call, call->args[0], "txid", &txid)) {
        return NULL;
    }
    size_t n = fx_wallet_history(wallet, &entries);
    json_t *out = NULL, *details = json_array();
    int64_t sum = 0, fee = 0;
    const struct fx_tx *tx = NULL;
    for (size_t i = 0; i < n; i++) {
        if (!fx_hash_equal(&entries[i].txid, &txid)) {
            continue;
        }
        if (!out) {
            out = json_object();
            entry_place(call->rpc, wallet, &entries[i], out);
            tx = entries[i].tx;
        }
        sum += entries[i].amount;
        fee = entries[i].fee != 0 ? entries[i].fee : fee;
        json_t *o = json_object();
        entry_json(call->rpc, wallet, &entries[i], o);
        json_array_append_new(details, o);
    }
    free(entries);
    if (!out) {
        json_decref(details);
        return fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Invalid or non-wallet transaction id");
    }
    fx_json_set(out, "amount", fx_json_amount(sum));
    if (fee != 0) {
        fx_json_set(out, "fee", fx_json_amount(fee));
    }
    fx_json_set(out, "details", details);
    if (tx) {
        fx_json_set(out, "hex", fx_json_hex(tx->raw.data, tx->raw.len));
        if (verbose) {
            json_t *decoded = json_object();
            fx_rpc_tx_json(call->rpc, tx, NULL, false, decoded);
            fx_json_set(out, "decoded", decoded);
        }
    }
    return out;
}

static const struct fx_rpc_command gettransaction_command = {
    .name = "gettransaction",
    .text = "Returns a transaction of the wallet.",
    .args = "txid: hash\n"
            "include_watchonly?: bool = false   # Ignored, for Bitcoin Core's order\n"
            "verbose?: bool = false             # Decoded too",
    .result = "{ amount: amount, fee?: amount\n" PLACE_FIELDS "details: [ { " ENTRY_FIELDS "} ]\n"
              "hex?: hex, decoded?: { " FX_RPC_TX_FIELDS "} }",
    .errors = "-5: Invalid or non-wallet transaction id",
    .example = "\"txid\"",
    .run = gettransaction,
};

static json_t *abandontransaction(struct fx_rpc_call *call)
{
    struct fx_hash txid;
    struct fx_wallet_error error;
    struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
    if (!wallet || !fx_rpc_arg_hash(call, call->args[0], "txid", &txid)) {
        return NULL;
    }
    if (!fx_wallet_abandon(wallet, &txid, &error)) {
        return fx_rpc_fail(call, error.code, "%s", error.text);
    }
    return json_null();
}

static const struct fx_rpc_command abandontransaction_command = {
    .name = "abandontransaction",
    .text = "Gives up a transaction of the wallet, and those of the wallet that spend it, that is "
            "neither in a block nor in the mempool: its inputs can be spent again. Should it be "
            "mined nevertheless, it counts.",
    .args = "txid: hash",
    .result = "null",
    .errors = "-5: Invalid or non-wallet transaction id; Transaction not eligible for abandonment",
    .example = "\"txid\"",
    .run = abandontransaction,
};

static const struct fx_rpc_command *const commands[] = {
    &abandontransaction_command, &getbalance_command,
    &getbalances_command,        &listunspent_command,
    &sendtoaddress_command,      &listtransactions_command,
    &gettransaction_command,     NULL,
};

const struct fx_rpc_topic fx_rpc_topic_coins = {"Coins", commands, FX_RPC_WITH_WALLETS};
