/* Transactions and scripts as JSON, with Bitcoin Core's field names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/rpc/rpc_int.h"
#include "src/util/base58.h"
#include "src/util/bech32.h"
#include "src/util/hex.h"

/* The witness program of a script: version, bytes. */
static bool witness_program(struct fx_span s, unsigned *version, struct fx_span *program)
{
    if (s.len < 4 || s.len > 42 || (s.data[0] != 0 && (s.data[0] < 0x51 || s.data[0] > 0x60)) ||
        (size_t)s.data[1] + 2 != s.len || s.data[1] < 2 || s.data[1] > 40) {
        return false;
    }
    *version = s.data[0] ? s.data[0] - 0x50u : 0;
    program->data = s.data + 2;
    program->len = s.len - 2;
    return true;
}

static bool is_p2pkh(struct fx_span s)
{
    return s.len == 25 && s.data[0] == 0x76 && s.data[1] == 0xa9 && s.data[2] == 20 &&
           s.data[23] == 0x88 && s.data[24] == 0xac;
}

static bool is_p2sh(struct fx_span s)
{
    return s.len == 23 && s.data[0] == 0xa9 && s.data[1] == 20 && s.data[22] == 0x87;
}

static const char *script_type(struct fx_span s)
{
    unsigned version;
    struct fx_span program;
    if (witness_program(s, &version, &program)) {
        if (version == 0) {
            return program.len == 20   ? "witness_v0_keyhash"
                   : program.len == 32 ? "witness_v0_scripthash"
                                       : "nonstandard";
        }
        if (version == 1 && program.len == 32) {
            return "witness_v1_taproot";
        }
        return version == 2 && program.len == 32 ? "witness_v2_task" : "witness_unknown";
    }
    if (is_p2pkh(s)) {
        return "pubkeyhash";
    }
    if (is_p2sh(s)) {
        return "scripthash";
    }
    if (s.len > 0 && s.data[0] == 0x6a) {
        return "nulldata";
    }
    if ((s.len == 35 && s.data[0] == 33 && s.data[34] == 0xac) ||
        (s.len == 67 && s.data[0] == 65 && s.data[66] == 0xac)) {
        return "pubkey";
    }
    return "nonstandard";
}

bool fx_rpc_script_address(const struct fx_params *params, struct fx_span s, char *out, size_t cap)
{
    unsigned version;
    struct fx_span program;
    char segwit[FX_BECH32_ADDRESS_MAX];
    if (witness_program(s, &version, &program)) {
        if (!fx_segwit_encode(params->bech32_hrp, version, program.data, program.len, segwit)) {
            return false;
        }
        snprintf(out, cap, "%s", segwit);
        return true;
    }
    if (is_p2pkh(s) || is_p2sh(s)) {
        uint8_t raw[21];
        raw[0] = is_p2pkh(s) ? params->base58_pubkey : params->base58_script;
        memcpy(raw + 1, s.data + (is_p2pkh(s) ? 3 : 2), 20);
        char *text = fx_base58check_encode(raw, sizeof(raw));
        snprintf(out, cap, "%s", text);
        free(text);
        return true;
    }
    return false;
}

static const char *opcode_name(uint8_t op)
{
    static const struct {
        uint8_t op;
        const char *name;
    } names[] = {
        {0x4f, "-1"},
        {0x61, "OP_NOP"},
        {0x63, "OP_IF"},
        {0x64, "OP_NOTIF"},
        {0x67, "OP_ELSE"},
        {0x68, "OP_ENDIF"},
        {0x69, "OP_VERIFY"},
        {0x6a, "OP_RETURN"},
        {0x75, "OP_DROP"},
        {0x76, "OP_DUP"},
        {0x7c, "OP_SWAP"},
        {0x82, "OP_SIZE"},
        {0x87, "OP_EQUAL"},
        {0x88, "OP_EQUALVERIFY"},
        {0xa6, "OP_RIPEMD160"},
        {0xa8, "OP_SHA256"},
        {0xa9, "OP_HASH160"},
        {0xaa, "OP_HASH256"},
        {0xac, "OP_CHECKSIG"},
        {0xad, "OP_CHECKSIGVERIFY"},
        {0xae, "OP_CHECKMULTISIG"},
        {0xb1, "OP_CHECKLOCKTIMEVERIFY"},
        {0xb2, "OP_CHECKSEQUENCEVERIFY"},
        {0xba, "OP_CHECKSIGADD"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].op == op) {
            return names[i].name;
        }
    }
    return NULL;
}

static void script_asm(struct fx_span s, struct fx_buf *out)
{
    struct fx_reader r;
    fx_reader_init(&r, s.data, s.len);
    while (r.left > 0 && !r.bad) {
        uint8_t op = fx_read_u8(&r);
        if (out->len > 0) {
            fx_buf_u8(out, ' ');
        }
        if (op == 0) {
            fx_buf_u8(out, '0');
        } else if (op <= 0x4e) {
            size_t n = op;
            if (op > 0x4b) {
                n = op == 0x4c ? fx_read_u8(&r) : op == 0x4d ? fx_read_u16(&r) : fx_read_u32(&r);
            }
            const uint8_t *data = fx_read_bytes(&r, n);
            if (!data) {
                fx_buf_str(out, "[error]");
                return;
            }
            char *hex = fx_hex_dup(data, n);
            fx_buf_str(out, hex);
            free(hex);
        } else if (op >= 0x51 && op <= 0x60) {
            fx_buf_printf(out, "%u", op - 0x50u);
        } else {
            const char *name = opcode_name(op);
            if (name) {
                fx_buf_str(out, name);
            } else {
                fx_buf_printf(out, "OP_%02x", op);
            }
        }
    }
}

static json_t *asm_json(struct fx_span s)
{
    struct fx_buf text = FX_BUF_INIT;
    script_asm(s, &text);
    fx_buf_u8(&text, 0);
    json_t *out = json_string((const char *)text.data);
    fx_buf_clear(&text);
    return out;
}

json_t *fx_rpc_script_json(const struct fx_rpc *rpc, struct fx_span script)
{
    json_t *out = json_object();
    char address[128];
    fx_json_set(out, "asm", asm_json(script));
    fx_json_set(out, "hex", fx_json_hex(script.data, script.len));
    if (fx_rpc_script_address(rpc->config.params, script, address, sizeof(address))) {
        fx_json_set(out, "address", json_string(address));
    }
    fx_json_set(out, "type", json_string(script_type(script)));
    return out;
}

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
        fx_json_set(sig, "asm", asm_json(in->script_sig));
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
