/* Scripts as JSON: what they look like, what kind they are, who they pay. */
#include <stdlib.h>

#include <secp256k1.h>

#include "consensus/der.h"
#include "consensus/script.h"
#include "consensus/script_num.h"
#include "consensus/script_ops.h"
#include "src/crypto/ripemd160.h"
#include "src/crypto/sha256.h"
#include "src/keys/address.h"
#include "src/keys/descriptor.h"
#include "src/rpc/topics_int.h"
#include "src/util/hex.h"

#define NUMBER_MAX 4 /* pushes up to this length are shown as numbers */

/* ---- as text --------------------------------------------------------------------------------- */

static const char *sighash_name(uint8_t type)
{
    static const struct {
        uint8_t type;
        const char *name;
    } names[] = {
        {0x01, "[ALL]"},
        {0x02, "[NONE]"},
        {0x03, "[SINGLE]"},
        {0x81, "[ALL|ANYONECANPAY]"},
        {0x82, "[NONE|ANYONECANPAY]"},
        {0x83, "[SINGLE|ANYONECANPAY]"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].type == type) {
            return names[i].name;
        }
    }
    return NULL;
}

/* What follows a signature of ECDSA instead of its last byte; NULL where it is none. */
static const char *signature_suffix(struct fx_span data)
{
    return data.len > 0 && fx_der_is_strict(data) ? sighash_name(data.data[data.len - 1]) : NULL;
}

static void push_text(struct fx_span data, bool signatures, struct fx_buf *out)
{
    int64_t number = 0;
    if (data.len <= NUMBER_MAX) {
        (void)fx_script_num_read(data, NUMBER_MAX, false, &number);
        fx_buf_printf(out, "%lld", (long long)number);
        return;
    }
    const char *suffix = signatures ? signature_suffix(data) : NULL;
    char *hex = fx_hex_dup(data.data, data.len - (suffix != NULL));
    fx_buf_printf(out, "%s%s", hex, suffix ? suffix : "");
    free(hex);
}

static void script_text(struct fx_span script, bool signatures, struct fx_buf *out)
{
    struct fx_script_walk walk;
    struct fx_op op;
    fx_script_walk_init(&walk, script);
    while (fx_script_walk_next(&walk, &op)) {
        if (out->len > 0) {
            fx_buf_u8(out, ' ');
        }
        if (op.code <= FX_OP_PUSHDATA4) {
            push_text(op.data, signatures, out);
            continue;
        }
        const char *name = fx_opcode_name(op.code);
        fx_buf_str(out, name ? name : "OP_UNKNOWN");
    }
    if (walk.cut) {
        fx_buf_str(out, out->len > 0 ? " [error]" : "[error]");
    }
}

json_t *fx_rpc_asm_json(struct fx_span script, bool signatures)
{
    struct fx_buf text = FX_BUF_INIT;
    script_text(script, signatures && !fx_script_is_unspendable(script), &text);
    fx_buf_u8(&text, 0);
    json_t *out = json_string((const char *)text.data);
    fx_buf_clear(&text);
    return out;
}

/* ---- kinds ----------------------------------------------------------------------------------- */

/* The key of KEY CHECKSIG. */
static struct fx_span pubkey_of(struct fx_span script)
{
    return (struct fx_span){script.data + 1, script.len - 2};
}

static const char *type_name(const struct fx_params *params, struct fx_span script)
{
    enum fx_script_type type = fx_script_classify(script);
    if (type == FX_SCRIPT_TASK && !params->tasks) {
        type = FX_SCRIPT_WITNESS_UNKNOWN;
    }
    return fx_script_type_name(type);
}

/* ---- descriptors ----------------------------------------------------------------------------- */

static bool is_on_curve(struct fx_span key)
{
    secp256k1_pubkey parsed;
    return key.data[0] <= 4 &&
           secp256k1_ec_pubkey_parse(secp256k1_context_static, &parsed, key.data, key.len);
}

static void put_hex(struct fx_buf *out, struct fx_span data)
{
    char *hex = fx_hex_dup(data.data, data.len);
    fx_buf_str(out, hex);
    free(hex);
}

/* pk() or multi(), where the script says its keys. compressed: they must be. */
static bool put_keys(struct fx_span script, bool compressed, struct fx_buf *out)
{
    struct fx_script_multisig m;
    if (fx_script_classify(script) == FX_SCRIPT_PUBKEY) {
        struct fx_span key = pubkey_of(script);
        if (!is_on_curve(key) || (compressed && key.len != 33)) {
            return false;
        }
        fx_buf_str(out, "pk(");
        put_hex(out, key);
        fx_buf_u8(out, ')');
        return true;
    }
    if (!fx_script_read_multisig(script, &m)) {
        return false;
    }
    for (unsigned i = 0; i < m.n; i++) {
        if (!is_on_curve(m.keys[i]) || (compressed && m.keys[i].len != 33)) {
            return false;
        }
    }
    fx_buf_printf(out, "multi(%u", m.required);
    for (unsigned i = 0; i < m.n; i++) {
        fx_buf_u8(out, ',');
        put_hex(out, m.keys[i]);
    }
    fx_buf_u8(out, ')');
    return true;
}

/* What describes the script; inner: what it is the hash of, where that is known (segwit). */
static json_t *descriptor_json(const struct fx_rpc *rpc, struct fx_span script,
                               const struct fx_span *inner)
{
    struct fx_buf text = FX_BUF_INIT, within = FX_BUF_INIT;
    char checksum[FX_DESCRIPTOR_CHECKSUM + 1] = "";
    if (inner && put_keys(*inner, true, &within)) {
        fx_buf_printf(&text, "wsh(%.*s)", (int)within.len, (const char *)within.data);
    } else if (!put_keys(script, false, &text)) {
        char *plain = fx_descriptor_infer(rpc->config.params, script);
        fx_buf_str(&text, plain);
        free(plain);
    }
    (void)fx_descriptor_checksum((const char *)text.data, text.len, checksum);
    json_t *out = json_sprintf("%.*s#%s", (int)text.len, (const char *)text.data, checksum);
    fx_buf_clear(&text);
    fx_buf_clear(&within);
    return out;
}

/* ---- as JSON --------------------------------------------------------------------------------- */

static void script_fields(const struct fx_rpc *rpc, struct fx_span script,
                          const struct fx_span *inner, bool hex, json_t *out)
{
    char address[FX_ADDRESS_MAX];
    fx_json_set(out, "asm", fx_rpc_asm_json(script, false));
    fx_json_set(out, "desc", descriptor_json(rpc, script, inner));
    if (hex) {
        fx_json_set(out, "hex", fx_json_hex(script.data, script.len));
    }
    if (fx_address_encode(rpc->config.params, script, address)) {
        fx_json_set(out, "address", json_string(address));
    }
    fx_json_set(out, "type", json_string(type_name(rpc->config.params, script)));
}

json_t *fx_rpc_script_json(const struct fx_rpc *rpc, struct fx_span script)
{
    json_t *out = json_object();
    script_fields(rpc, script, NULL, true, out);
    return out;
}

/* ---- decodescript ---------------------------------------------------------------------------- */

/* Operations that no script in P2SH may have: tapscript's, and what is no operation. */
static bool has_strange_ops(struct fx_span script)
{
    struct fx_script_walk walk;
    struct fx_op op;
    fx_script_walk_init(&walk, script);
    while (fx_script_walk_next(&walk, &op)) {
        if (op.code > FX_OP_NOP10 || op.data.len > FX_SCRIPT_ELEMENT_MAX ||
            fx_opcode_is_success(op.code)) {
            return true;
        }
    }
    return walk.cut;
}

static bool can_wrap(struct fx_span script)
{
    switch (fx_script_classify(script)) {
    case FX_SCRIPT_OTHER:
    case FX_SCRIPT_PUBKEY:
    case FX_SCRIPT_MULTISIG:
    case FX_SCRIPT_P2PKH:
    case FX_SCRIPT_P2WPKH:
    case FX_SCRIPT_P2WSH:
        return !fx_script_is_unspendable(script) && !has_strange_ops(script);
    case FX_SCRIPT_P2SH:
    case FX_SCRIPT_P2TR:
    case FX_SCRIPT_TASK:
    case FX_SCRIPT_WITNESS_UNKNOWN:
    case FX_SCRIPT_RETURN:
    case FX_SCRIPT_ANCHOR:
        return false;
    }
    return false;
}

static json_t *p2sh_json(const struct fx_rpc *rpc, struct fx_span script)
{
    char address[FX_ADDRESS_MAX] = "";
    uint8_t id[20];
    struct fx_buf out = FX_BUF_INIT;
    fx_hash160(script.data, script.len, id);
    fx_script_put_p2sh(&out, id);
    (void)fx_address_encode(rpc->config.params, (struct fx_span){out.data, out.len}, address);
    fx_buf_clear(&out);
    return json_string(address);
}

/* The witness program that a script can stand in. False: in none, as segwit has compressed keys
 * only. *hashed: by its SHA-256. */
static bool segwit_script(struct fx_span script, struct fx_buf *out, bool *hashed)
{
    enum fx_script_type type = fx_script_classify(script);
    struct fx_script_multisig m;
    uint8_t id[32];
    *hashed = false;
    if (type == FX_SCRIPT_P2PKH) {
        fx_script_put_witness(out, 0, (struct fx_span){script.data + 3, 20});
        return true;
    }
    if (type == FX_SCRIPT_PUBKEY) {
        struct fx_span key = pubkey_of(script);
        fx_hash160(key.data, key.len, id);
        fx_script_put_witness(out, 0, (struct fx_span){id, 20});
        return key.len == 33;
    }
    if (type != FX_SCRIPT_OTHER && type != FX_SCRIPT_MULTISIG) {
        return false;
    }
    if (fx_script_read_multisig(script, &m)) {
        for (unsigned i = 0; i < m.n; i++) {
            if (m.keys[i].len != 33) {
                return false;
            }
        }
    }
    fx_sha256(script.data, script.len, id);
    fx_script_put_witness(out, 0, (struct fx_span){id, 32});
    *hashed = true;
    return true;
}

static json_t *decodescript(struct fx_rpc_call *call)
{
    const struct fx_rpc *rpc = call->rpc;
    struct fx_buf segwit = FX_BUF_INIT;
    uint8_t *data;
    size_t n;
    bool hashed;
    if (!fx_rpc_arg_hex(call, call->args[0], "argument", FX_BLOCK_SIZE_MAX, &data, &n)) {
        return NULL;
    }
    const struct fx_span script = {data, n};
    json_t *out = json_object();
    script_fields(rpc, script, NULL, false, out);
    if (can_wrap(script)) {
        fx_json_set(out, "p2sh", p2sh_json(rpc, script));
    }
    if (can_wrap(script) && segwit_script(script, &segwit, &hashed)) {
        const struct fx_span program = {segwit.data, segwit.len};
        json_t *o = json_object();
        script_fields(rpc, program, hashed ? &script : NULL, true, o);
        fx_json_set(o, "p2sh-segwit", p2sh_json(rpc, program));
        fx_json_set(out, "segwit", o);
    }
    fx_buf_clear(&segwit);
    free(data);
    return out;
}

const struct fx_rpc_command fx_rpc_decodescript = {
    .name = "decodescript",
    .text = "Returns what a script is, and the scripts and addresses that it can stand behind.",
    .args = "hexstring: hex",
    .result = "{ asm: str, desc: str, type: str, address?: str\n"
              "p2sh?: str     # Address of the script in P2SH\n"
              "segwit?: { asm: str, desc: str, hex: hex, address?: str, type: str\n"
              "p2sh-segwit: str } }   # Address of that in P2SH",
    .errors = "-8: hexstring is not hexadecimal",
    .example = "\"hexstring\"",
    .run = decodescript,
};
