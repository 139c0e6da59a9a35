/* createrawtransaction: a transaction from inputs and outputs, not signed. */
#include <stdlib.h>
#include <string.h>

#include "consensus/opcodes.h"
#include "consensus/script_ops.h"
#include "src/iface/mempool.h"
#include "src/keys/address.h"
#include "src/rpc/topics_int.h"
#include "src/util/hex.h"
#include "src/util/mem.h"

#define VERSION 2
#define DATA_MAX 1000000

struct making {
    uint32_t lock_time;
    bool replaceable;
    struct fx_buf inputs, outputs;
    size_t n_in, n_out;
    bool signals; /* an input has a sequence of BIP125 */
    json_t *seen; /* scripts paid, as keys */
    bool has_data;
};

static bool bad(struct fx_rpc_call *call, const char *text)
{
    fx_rpc_fail(call, FX_RPC_PARAMETER, "Invalid parameter, %s", text);
    return false;
}

static bool add_input(struct fx_rpc_call *call, struct making *m, const json_t *input)
{
    const json_t *vout = json_object_get(input, "vout");
    const json_t *sequence = json_object_get(input, "sequence");
    struct fx_outpoint outpoint;
    if (!json_is_object(input)) {
        fx_rpc_fail(call, FX_RPC_TYPE, "JSON value of type %s is not of expected type object",
                    fx_json_type_name(input));
        return false;
    }
    if (!json_is_string(json_object_get(input, "txid"))) {
        fx_rpc_fail(call, FX_RPC_TYPE, "JSON value of type %s is not of expected type string",
                    fx_json_type_name(json_object_get(input, "txid")));
        return false;
    }
    if (!fx_rpc_arg_hash(call, json_object_get(input, "txid"), "txid", &outpoint.txid)) {
        return false;
    }
    if (!json_is_integer(vout)) {
        return bad(call, "missing vout key");
    }
    if (json_integer_value(vout) < 0 || json_integer_value(vout) > UINT32_MAX) {
        return bad(call, "vout cannot be negative");
    }
    outpoint.index = (uint32_t)json_integer_value(vout);
    int64_t value = m->replaceable ? FX_SEQUENCE_REPLACEABLE
                    : m->lock_time ? FX_SEQUENCE_FINAL - 1
                                   : FX_SEQUENCE_FINAL;
    if (json_is_integer(sequence)) {
        value = json_integer_value(sequence);
    }
    if (value < 0 || value > FX_SEQUENCE_FINAL) {
        return bad(call, "sequence number is out of range");
    }
    fx_outpoint_write(&outpoint, &m->inputs);
    fx_buf_var(&m->inputs, 0);
    fx_buf_u32(&m->inputs, (uint32_t)value);
    m->n_in++;
    m->signals = m->signals || value <= FX_SEQUENCE_REPLACEABLE;
    return true;
}

/* "data": an output that only carries bytes. */
static bool put_data(struct fx_rpc_call *call, struct making *m, const json_t *value,
                     struct fx_buf *script)
{
    uint8_t *data;
    size_t n;
    if (m->has_data) {
        return bad(call, "duplicate key: data");
    }
    m->has_data = true;
    if (!json_is_string(value)) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "Data must be hexadecimal string (not '')");
        return false;
    }
    if (!fx_rpc_arg_hex(call, value, "Data", DATA_MAX, &data, &n)) {
        return false;
    }
    fx_buf_u8(script, FX_OP_RETURN);
    fx_script_push(script, (struct fx_span){data, n});
    free(data);
    return true;
}

static bool add_output(struct fx_rpc_call *call, struct making *m, const char *key,
                       const json_t *value)
{
    const struct fx_params *params = call->rpc->config.params;
    struct fx_buf script = FX_BUF_INIT;
    char why[FX_ADDRESS_ERROR];
    int64_t amount = 0;
    bool data = strcmp(key, "data") == 0;
    bool ok = data ? put_data(call, m, value, &script)
                   : fx_rpc_arg_amount(call, value, "amount", &amount);
    if (ok && !data && !fx_address_decode(params, key, &script, why)) {
        fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Invalid %s address: %.100s",
                    params->kind == FX_BTCREGTEST ? "Bitcoin" : "Fornax", key);
        ok = false;
    }
    char *hex = ok ? fx_hex_dup(script.data, script.len) : NULL;
    if (ok && json_object_get(m->seen, hex)) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "Invalid parameter, duplicated address: %.100s", key);
        ok = false;
    }
    if (ok) {
        fx_json_set(m->seen, hex, json_true());
        fx_buf_i64(&m->outputs, amount);
        fx_buf_var_bytes(&m->outputs, script.data, script.len);
        m->n_out++;
    }
    free(hex);
    fx_buf_clear(&script);
    return ok;
}

/* An object of them, or an array of objects with one each. */
static bool add_outputs(struct fx_rpc_call *call, struct making *m, const json_t *outputs)
{
    const char *key;
    json_t *value, *one;
    size_t i;
    if (json_is_object(outputs)) {
        json_object_foreach((json_t *)outputs, key, value)
        {
            if (!add_output(call, m, key, value)) {
                return false;
            }
        }
        return true;
    }
    json_array_foreach(outputs, i, one)
    {
        if (!json_is_object(one)) {
            return bad(call, "key-value pair not an object as expected");
        }
        if (json_object_size(one) != 1) {
            return bad(call, "key-value pair must contain exactly one key");
        }
        if (!add_outputs(call, m, one)) {
            return false;
        }
    }
    return true;
}

static bool fill(struct fx_rpc_call *call, struct making *m)
{
    size_t i;
    json_t *input;
    int64_t lock_time = call->args[2] ? json_integer_value(call->args[2]) : 0;
    if (lock_time < 0 || lock_time > UINT32_MAX) {
        return bad(call, "locktime out of range");
    }
    m->lock_time = (uint32_t)lock_time;
    m->replaceable = fx_rpc_arg_bool(call->args[3], true);
    json_array_foreach(call->args[0], i, input)
    {
        if (!add_input(call, m, input)) {
            return false;
        }
    }
    if (!add_outputs(call, m, call->args[1])) {
        return false;
    }
    if (call->args[3] && m->replaceable && m->n_in > 0 && !m->signals) {
        fx_rpc_fail(call, FX_RPC_PARAMETER,
                    "Invalid parameter combination: Sequence number(s) contradict replaceable "
                    "option");
        return false;
    }
    return true;
}

static json_t *createrawtransaction(struct fx_rpc_call *call)
{
    struct making m = {.inputs = FX_BUF_INIT, .outputs = FX_BUF_INIT, .seen = json_object()};
    json_t *out = NULL;
    if (fill(call, &m)) {
        struct fx_buf raw = FX_BUF_INIT;
        fx_buf_u32(&raw, VERSION);
        fx_buf_var(&raw, m.n_in);
        fx_buf_bytes(&raw, m.inputs.data, m.inputs.len);
        fx_buf_var(&raw, m.n_out);
        fx_buf_bytes(&raw, m.outputs.data, m.outputs.len);
        fx_buf_u32(&raw, m.lock_time);
        out = fx_json_hex(raw.data, raw.len);
        fx_buf_clear(&raw);
    }
    fx_buf_clear(&m.inputs);
    fx_buf_clear(&m.outputs);
    json_decref(m.seen);
    return out;
}

const struct fx_rpc_command fx_rpc_createrawtransaction = {
    .name = "createrawtransaction",
    .text = "Makes a transaction that spends inputs and pays outputs. It is not signed, kept or "
            "sent.",
    .args =
        "inputs: [ any ]               # {\"txid\": id, \"vout\": n, \"sequence\": n (optional)}\n"
        "outputs: array|object         # {address: amount} or {\"data\": hex}, or a list of such\n"
        "locktime?: int = 0            # One that is not 0 switches it on for the inputs\n"
        "replaceable?: bool = true     # By BIP125",
    .result = "hex",
    .errors =
        "-3: an amount is wrong\n-5: an address is wrong\n-8: something else is, with the reason",
    .example = "'[{\"txid\":\"txid\",\"vout\":0}]' '[{\"address\":0.01}]'",
    .run = createrawtransaction,
};
