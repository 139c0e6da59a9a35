/* Transactions and scripts as JSON, with Bitcoin Core's field names. */

#include "src/rpc/rpc_int.h"

static const char *action_name(const struct fx_txin *in)
{
    static const char *const names[] = {"refund",    "claim",  "accept", "take",  "fraud",
                                        "challenge", "answer", "expire", "reject"};
    if (in->n_witness < 2 || in->witness[0].len != 1 || in->witness[0].data[0] >= 9) {
        return NULL;
    }
    return names[in->witness[0].data[0]];
}

static json_t *input_json(const struct fx_rpc *rpc, const struct fx_txin *in, bool coinbase,
                          const struct fx_coin *spent, bool prevout)
{
    json_t *out = json_object();
    if (coinbase) {
        fx_json_set(out, "coinbase", fx_json_hex(in->script_sig.data, in->script_sig.len));
    } else {
        json_t *sig = json_object();
        fx_json_set(out, "txid", fx_json_id(&in->prevout.txid));
        fx_json_set(out, "vout", json_integer(in->prevout.index));
        fx_json_set(sig, "asm", fx_rpc_asm_json(in->script_sig, true));
        fx_json_set(sig, "hex", fx_json_hex(in->script_sig.data, in->script_sig.len));
        fx_json_set(out, "scriptSig", sig);
    }
    if (in->n_witness > 0) {
        json_t *items = json_array();
        for (size_t i = 0; i < in->n_witness; i++) {
            json_array_append_new(items, fx_json_hex(in->witness[i].data, in->witness[i].len));
        }
        fx_json_set(out, "txinwitness", items);
    }
    if (spent && prevout) {
        json_t *coin = json_object();
        fx_json_set(coin, "generated", json_boolean(spent->coinbase));
        fx_json_set(coin, "height", json_integer(spent->height));
        fx_json_set(coin, "value", fx_json_amount(spent->value));
        fx_json_set(coin, "scriptPubKey", fx_rpc_script_json(rpc, fx_coin_script(spent)));
        fx_json_set(out, "prevout", coin);
    }
    if (spent && fx_script_is_task(fx_coin_script(spent), NULL) && action_name(in)) {
        fx_json_set(out, "taskaction", json_string(action_name(in)));
    }
    fx_json_set(out, "sequence", json_integer(in->sequence));
    return out;
}

void fx_rpc_tx_json(const struct fx_rpc *rpc, const struct fx_tx *tx, const struct fx_coin *spent,
                    bool prevouts, json_t *out)
{
    bool coinbase = fx_tx_is_coinbase(tx);
    int64_t in_value = 0, out_value = 0;
    json_t *vin = json_array(), *vout = json_array();
    fx_json_set(out, "txid", fx_json_id(&tx->txid));
    fx_json_set(out, "hash", fx_json_id(&tx->wtxid));
    fx_json_set(out, "version", json_integer(tx->version));
    fx_json_set(out, "size", json_integer((json_int_t)tx->total_size));
    fx_json_set(out, "vsize", json_integer((json_int_t)fx_tx_vsize(tx)));
    fx_json_set(out, "weight", json_integer((json_int_t)fx_tx_weight(tx)));
    fx_json_set(out, "locktime", json_integer(tx->lock_time));
    for (size_t i = 0; i < tx->n_in; i++) {
        const struct fx_coin *coin = spent && !coinbase ? &spent[i] : NULL;
        in_value += coin ? coin->value : 0;
        json_array_append_new(vin, input_json(rpc, &tx->in[i], coinbase, coin, prevouts));
    }
    fx_json_set(out, "vin", vin);
    for (size_t i = 0; i < tx->n_out; i++) {
        json_t *o = json_object();
        out_value += tx->out[i].value;
        fx_json_set(o, "value", fx_json_amount(tx->out[i].value));
        fx_json_set(o, "n", json_integer((json_int_t)i));
        fx_json_set(o, "scriptPubKey", fx_rpc_script_json(rpc, tx->out[i].script));
        json_array_append_new(vout, o);
    }
    fx_json_set(out, "vout", vout);
    if (spent && !coinbase) {
        fx_json_set(out, "fee", fx_json_amount(in_value - out_value));
    }
}
