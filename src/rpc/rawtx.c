/* Commands on raw transactions. */
#include <stdlib.h>

#include "consensus/script.h"
#include "src/iface/mempool.h"
#include "src/iface/net.h"
#include "src/iface/txindex.h"
#include "src/keys/address.h"
#include "src/rpc/rpc_int.h"
#include "src/rpc/topics_int.h"
#include "src/util/amount.h"

bool fx_rpc_indexed_block(struct fx_rpc_call *call, const struct fx_hash *txid,
                          const struct fx_index **index)
{
    struct fx_tx_index *tx_index = call->rpc->config.tx_index;
    enum fx_lookup found = tx_index ? fx_tx_index_find(tx_index, txid, index) : FX_MISSING;
    if (found == FX_MISSING) {
        *index = NULL;
    }
    if (found == FX_LOOKUP_FAILED) {
        fx_rpc_fail_read(call, "the transaction index");
        return false;
    }
    return true;
}

static void place_json(struct fx_rpc *rpc, const struct fx_index *index, json_t *out)
{
    fx_json_set(out, "blockhash", fx_json_id(&index->id));
    int64_t confirmations = fx_rpc_confirmations(rpc, index);
    fx_json_set(out, "confirmations", json_integer(confirmations < 0 ? 0 : confirmations));
    fx_json_set(out, "workdepth", json_integer(fx_rpc_workdepth(rpc, index)));
    fx_json_set(out, "time", json_integer(index->header.time));
    fx_json_set(out, "blocktime", json_integer(index->header.time));
}

static json_t *raw_result(struct fx_rpc_call *call, const struct fx_tx *tx,
                          const struct fx_coin *spent, int64_t verbosity,
                          const struct fx_index *index)
{
    if (verbosity == 0) {
        return fx_json_hex(tx->raw.data, tx->raw.len);
    }
    json_t *out = json_object();
    if (index && call->args[2]) {
        fx_json_set(out, "in_active_chain",
                    json_boolean(fx_chain_contains(call->rpc->config.chain, index)));
    }
    fx_rpc_tx_json(call->rpc, tx, verbosity > 1 ? spent : NULL, verbosity > 1, out);
    fx_json_set(out, "hex", fx_json_hex(tx->raw.data, tx->raw.len));
    if (index) {
        place_json(call->rpc, index, out);
    }
    return out;
}

static json_t *from_block(struct fx_rpc_call *call, const struct fx_hash *txid,
                          const struct fx_index *index, int64_t verbosity)
{
    struct fx_chain *chain = call->rpc->config.chain;
    struct fx_block *block = fx_chain_read_block(chain, index);
    if (!block) {
        return fx_rpc_fail(call, FX_RPC_MISC, "Block not available");
    }
    struct fx_undo undo = {0};
    bool undone = verbosity > 1 && (index->status & FX_INDEX_HAVE_UNDO) &&
                  fx_chain_read_undo(chain, index, &undo);
    size_t coin = 0;
    json_t *out = NULL;
    bool found = false;
    for (size_t t = 0; t < block->n_txs && !found; t++) {
        const struct fx_tx *tx = block->txs[t];
        if (fx_hash_equal(&tx->txid, txid)) {
            const struct fx_coin *spent =
                undone && t > 0 && coin + tx->n_in <= undo.n_coins ? &undo.coins[coin] : NULL;
            out = raw_result(call, tx, spent, verbosity, index);
            found = true;
        }
        coin += t > 0 ? tx->n_in : 0;
    }
    if (undone) {
        fx_undo_clear(&undo);
    }
    fx_block_unref(block);
    if (!found) {
        return fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY,
                           "No such transaction found in the provided block. Use gettransaction "
                           "for wallet transactions.");
    }
    return out;
}

static json_t *not_found(struct fx_rpc_call *call)
{
    const struct fx_tx_index *tx_index = call->rpc->config.tx_index;
    const char *why =
        !tx_index ? "No such mempool transaction. Use -txindex or provide a block hash to enable "
                    "blockchain transaction queries"
        : !fx_tx_index_is_synced(tx_index)
            ? "No such mempool transaction. Blockchain transactions are still in the process of "
              "being indexed"
            : "No such mempool or blockchain transaction";
    return fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY,
                       "%s. Use gettransaction for wallet transactions.", why);
}

static json_t *getrawtransaction(struct fx_rpc_call *call)
{
    struct fx_hash txid;
    int64_t verbosity = 0;
    if (!fx_rpc_arg_hash(call, call->args[0], "txid", &txid)) {
        return NULL;
    }
    const struct fx_index *genesis = fx_chain_genesis(call->rpc->config.chain);
    if (fx_hash_equal(&txid, &genesis->header.merkle_root)) {
        return fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY,
                           "The genesis block coinbase is not considered an ordinary transaction "
                           "and cannot be retrieved");
    }
    if (json_is_boolean(call->args[1])) {
        verbosity = json_is_true(call->args[1]) ? 1 : 0;
    } else if (!fx_rpc_arg_int(call, call->args[1], "verbosity", 0, 2, 0, &verbosity)) {
        return NULL;
    }
    if (call->args[2]) {
        struct fx_hash id;
        if (!fx_rpc_arg_hash(call, call->args[2], "parameter 3", &id)) {
            return NULL;
        }
        const struct fx_index *index = fx_chain_find(call->rpc->config.chain, &id);
        if (!index) {
            return fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Block hash not found");
        }
        return from_block(call, &txid, index, verbosity);
    }
    const struct fx_tx *pooled = fx_mempool_get(call->rpc->config.mempool, &txid);
    if (pooled) {
        return raw_result(call, pooled, NULL, verbosity, NULL);
    }
    const struct fx_index *index;
    if (!fx_rpc_indexed_block(call, &txid, &index)) {
        return NULL;
    }
    return index ? from_block(call, &txid, index, verbosity) : not_found(call);
}

static const struct fx_rpc_command getrawtransaction_command = {
    .name = "getrawtransaction",
    .text = "Returns a transaction: of the mempool, of the block named, or, where the node keeps "
            "the index -txindex, of any block of the best chain.",
    .args =
        "txid: hash\n"
        "verbosity|verbose?: int|bool = 0  # 0: hex; 1: JSON; 2: with fee and the outputs spent\n"
        "blockhash?: hash          # Look in this block",
    .result = "@ verbosity 0\nhex\n@ verbosity 1 and 2\n{ in_active_chain?: bool\n" FX_RPC_TX_FIELDS
              "hex: hex\n"
              "blockhash?: hash, confirmations?: int, workdepth?: int, time?: time\n"
              "blocktime?: time }",
    .errors = "-5: no such transaction, or no such block",
    .example = "\"txid\" 1",
    .run = getrawtransaction,
};

static json_t *decoderawtransaction(struct fx_rpc_call *call)
{
    struct fx_tx *tx;
    if (!fx_rpc_arg_tx(call, call->args[0], &tx)) {
        return NULL;
    }
    if (tx->has_witness && !fx_rpc_arg_bool(call->args[1], true)) {
        fx_tx_unref(tx);
        return fx_rpc_fail(call, FX_RPC_DESERIALIZATION, "TX decode failed: it has a witness");
    }
    json_t *out = json_object();
    fx_rpc_tx_json(call->rpc, tx, NULL, false, out);
    fx_tx_unref(tx);
    return out;
}

static const struct fx_rpc_command decoderawtransaction_command = {
    .name = "decoderawtransaction",
    .text = "Returns a serialized transaction as JSON.",
    .args = "hexstring: hex\n"
            "iswitness?: bool  # False: only one without witnesses is taken",
    .result = "{ " FX_RPC_TX_FIELDS " }",
    .errors = "-22: TX decode failed",
    .example = "\"hexstring\"",
    .run = decoderawtransaction,
};

/* Unspendable by its first byte. */
static int64_t burned_by(const struct fx_tx *tx)
{
    int64_t sum = 0;
    for (size_t i = 0; i < tx->n_out; i++) {
        const struct fx_txout *o = &tx->out[i];
        if (o->script.len > 0 && o->script.data[0] == 0x6a && o->value > sum) {
            sum = o->value;
        }
    }
    return sum;
}

static bool has_coins(struct fx_rpc_call *call, const struct fx_tx *tx)
{
    struct fx_view view;
    bool found = false;
    fx_chain_view(call->rpc->config.chain, &view);
    for (size_t i = 0; i < tx->n_out && !found; i++) {
        const struct fx_outpoint o = {tx->txid, (uint32_t)i};
        struct fx_coin coin = {0};
        found = view.coin(view.ctx, &o, &coin) == FX_FOUND;
        if (found) {
            fx_coin_clear(&coin);
        }
    }
    return found;
}

static bool send_one(struct fx_rpc_call *call, const struct fx_tx *tx, int64_t max_rate)
{
    struct fx_mempool *pool = call->rpc->config.mempool;
    struct fx_accept verdict = {0};
    if (fx_mempool_get(pool, &tx->txid)) { /* known: relayed once more */
        fx_net_relay_tx(call->rpc->config.net, tx);
        return true;
    }
    if (has_coins(call, tx)) {
        fx_rpc_fail(call, FX_RPC_ALREADY_IN_UTXO_SET, "Transaction outputs already in utxo set");
        return false;
    }
    if (max_rate > 0) {
        fx_mempool_accept(pool, tx, true, &verdict);
        if (verdict.result == FX_VALID && fx_rpc_too_dear(max_rate, verdict.fee, verdict.vsize)) {
            fx_rpc_fail(call, FX_RPC_VERIFY,
                        "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)");
            return false;
        }
    }
    fx_mempool_accept(pool, tx, false, &verdict);
    if (verdict.result == FX_VALID) {
        fx_net_relay_tx(call->rpc->config.net, tx);
        return true;
    }
    if (verdict.result == FX_FAILED) {
        fx_rpc_fail_read(call, "the coins");
    } else if (verdict.missing_inputs) {
        fx_rpc_fail(call, FX_RPC_VERIFY, "bad-txns-inputs-missingorspent");
    } else {
        fx_rpc_fail(call, FX_RPC_VERIFY_REJECTED, "%s%s%s", verdict.reason,
                    verdict.detail[0] ? ", " : "", verdict.detail);
    }
    return false;
}

static json_t *sendrawtransaction(struct fx_rpc_call *call)
{
    int64_t max_rate, max_burn = 0;
    struct fx_tx *tx;
    if (!fx_rpc_arg_fee_rate(call, call->args[1], &max_rate)) {
        return NULL;
    }
    if (call->args[2] && !fx_rpc_arg_amount(call, call->args[2], "maxburnamount", &max_burn)) {
        return NULL;
    }
    if (!fx_rpc_arg_tx(call, call->args[0], &tx)) {
        return NULL;
    }
    json_t *out = NULL;
    if (burned_by(tx) > max_burn) {
        fx_rpc_fail(call, FX_RPC_VERIFY,
                    "Unspendable output exceeds maximum configured by user (maxburnamount)");
    } else if (send_one(call, tx, max_rate)) {
        out = fx_json_id(&tx->txid);
    }
    fx_tx_unref(tx);
    return out;
}

static const struct fx_rpc_command sendrawtransaction_command = {
    .name = "sendrawtransaction",
    .text = "Gives a signed transaction to the mempool and relays it.",
    .args = "hexstring: hex\n"
            "maxfeerate?: amount = 0.10   # A dearer one is refused, FNX per 1,000 vbytes; 0: any\n"
            "maxburnamount?: amount = 0   # One with an unspendable output over this is refused",
    .result = "hash  # The transaction's id",
    .errors = "-22: TX decode failed\n-25: an input is missing, or the fee exceeds maxfeerate\n"
              "-26: refused, with the reject reason\n-27: it is in the chain already",
    .example = "\"signedhex\"",
    .run = sendrawtransaction,
};

static void address_facts(struct fx_span script, json_t *out)
{
    struct fx_span program;
    unsigned version;
    enum fx_script_type type = fx_script_classify(script);
    bool witness = fx_script_is_witness(script, &version, &program);
    if (type != FX_SCRIPT_WITNESS_UNKNOWN) {
        bool hashed = type == FX_SCRIPT_P2SH || type == FX_SCRIPT_P2WSH || type == FX_SCRIPT_P2TR;
        fx_json_set(out, "isscript", json_boolean(hashed));
    }
    fx_json_set(out, "iswitness", json_boolean(witness));
    if (witness) {
        fx_json_set(out, "witness_version", json_integer(version));
        fx_json_set(out, "witness_program", fx_json_hex(program.data, program.len));
    }
}

static json_t *validateaddress(struct fx_rpc_call *call)
{
    const struct fx_params *params = call->rpc->config.params;
    struct fx_rpc_call probe = {.rpc = call->rpc};
    struct fx_buf script = FX_BUF_INIT, payable = FX_BUF_INIT;
    char error[FX_ADDRESS_ERROR] = "", text[FX_ADDRESS_MAX];
    json_t *out = json_object();
    bool known = fx_address_decode(params, json_string_value(call->args[0]), &script, error);
    const struct fx_span span = {script.data, script.len};
    bool ok = known && fx_rpc_arg_address(&probe, call->args[0], &payable);
    fx_json_set(out, "isvalid", json_boolean(ok));
    if (ok && fx_address_encode(params, span, text)) {
        fx_json_set(out, "address", json_string(text));
        fx_json_set(out, "scriptPubKey", fx_json_hex(span.data, span.len));
        address_facts(span, out);
    } else {
        fx_json_set(out, "error_locations", json_array());
        fx_json_set(out, "error", json_string(known ? probe.message : error));
    }
    free(probe.message);
    fx_buf_clear(&script);
    fx_buf_clear(&payable);
    return out;
}

static const struct fx_rpc_command validateaddress_command = {
    .name = "validateaddress",
    .text = "Says whether outputs can be paid to an address, and to which script.",
    .args = "address: str",
    .result = "{ isvalid: bool, address?: str, scriptPubKey?: hex, isscript?: bool\n"
              "iswitness?: bool, witness_version?: int, witness_program?: hex\n"
              "error_locations?: [ int ], error?: str }",
    .example = "\"address\"",
    .run = validateaddress,
};

static const struct fx_rpc_command *const commands[] = {
    &getrawtransaction_command,    &decoderawtransaction_command,
    &fx_rpc_createrawtransaction,  &fx_rpc_createmultisig,
    &fx_rpc_decodescript,          &sendrawtransaction_command,
    &validateaddress_command,      &fx_rpc_getdescriptorinfo,
    &fx_rpc_deriveaddresses,       &fx_rpc_signrawtransactionwithkey,
    &fx_rpc_combinerawtransaction, &fx_rpc_signmessagewithprivkey,
    &fx_rpc_verifymessage,         NULL,
};

const struct fx_rpc_topic fx_rpc_topic_rawtx = {"Rawtransactions", commands, FX_RPC_ALWAYS};
