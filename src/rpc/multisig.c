/* createmultisig: the script, address and descriptor of m of n keys. */
#include <stdlib.h>
#include <string.h>

#include <secp256k1.h>

#include "consensus/opcodes.h"
#include "consensus/script_ops.h"
#include "src/crypto/ripemd160.h"
#include "src/crypto/sha256.h"
#include "src/keys/address.h"
#include "src/keys/descriptor.h"
#include "src/rpc/topics_int.h"
#include "src/util/hex.h"

#define KEYS_MAX 20 /* of OP_CHECKMULTISIG */
#define P2SH_SCRIPT_MAX 520
#define KEY_SIZE_MAX 65

struct multisig {
    struct fx_buf script, keys; /* keys: in hex, each after a comma */
    size_t n;
    bool uncompressed;
};

static bool add_key(struct fx_rpc_call *call, struct multisig *m, const char *hex)
{
    uint8_t key[KEY_SIZE_MAX];
    secp256k1_pubkey parsed;
    size_t n = strlen(hex) / 2;
    bool ok = (n == 33 || n == KEY_SIZE_MAX) && fx_hex_decode(hex, key, n) && key[0] <= 4 &&
              secp256k1_ec_pubkey_parse(secp256k1_context_static, &parsed, key, n);
    if (!ok) {
        fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Invalid public key: %.140s", hex);
        return false;
    }
    fx_buf_u8(&m->script, (uint8_t)n);
    fx_buf_bytes(&m->script, key, n);
    fx_buf_printf(&m->keys, ",%s", hex);
    m->uncompressed = m->uncompressed || n != 33;
    m->n++;
    return true;
}

/* A number is an opcode up to 16, and pushed beyond. */
static void put_number(struct fx_buf *script, size_t number)
{
    if (number > 16) {
        fx_buf_u8(script, 1);
    }
    fx_buf_u8(script, (uint8_t)(number > 16 ? number : FX_OP_1 + number - 1));
}

static bool make(struct fx_rpc_call *call, size_t required, const json_t *keys, struct multisig *m)
{
    size_t i;
    json_t *key;
    if (json_array_size(keys) > KEYS_MAX) {
        fx_rpc_fail(call, FX_RPC_PARAMETER,
                    "Number of keys involved in the multisignature address creation > %d\n"
                    "Reduce the number",
                    KEYS_MAX);
        return false;
    }
    if (json_array_size(keys) < required) {
        fx_rpc_fail(call, FX_RPC_PARAMETER,
                    "not enough keys supplied (got %zu keys, but need at least %zu to redeem)",
                    json_array_size(keys), required);
        return false;
    }
    put_number(&m->script, required);
    json_array_foreach(keys, i, key)
    {
        if (!add_key(call, m, json_string_value(key))) {
            return false;
        }
    }
    put_number(&m->script, m->n);
    fx_buf_u8(&m->script, FX_OP_CHECKMULTISIG);
    return true;
}

static void put_p2sh(struct fx_span script, struct fx_buf *out)
{
    uint8_t id[20];
    fx_hash160(script.data, script.len, id);
    fx_script_put_p2sh(out, id);
}

static void put_p2wsh(struct fx_span script, struct fx_buf *out)
{
    uint8_t id[32];
    fx_sha256(script.data, script.len, id);
    fx_script_put_witness(out, 0, (struct fx_span){id, sizeof(id)});
}

enum kind { LEGACY, P2SH_SEGWIT, BECH32 };

static bool arg_kind(struct fx_rpc_call *call, const json_t *value, enum kind *kind)
{
    const char *name = fx_rpc_arg_str(value, "legacy");
    if (strcmp(name, "legacy") == 0) {
        *kind = LEGACY;
    } else if (strcmp(name, "p2sh-segwit") == 0) {
        *kind = P2SH_SEGWIT;
    } else if (strcmp(name, "bech32") == 0) {
        *kind = BECH32;
    } else if (strcmp(name, "bech32m") == 0) {
        fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY,
                    "createmultisig cannot create bech32m multisig addresses");
        return false;
    } else {
        fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Unknown address type '%.40s'", name);
        return false;
    }
    return true;
}

/* Where the script stands: what is paid to, and around multi() in the descriptor. */
static void place(const struct multisig *m, enum kind kind, struct fx_buf *pays,
                  const char **before, const char **after)
{
    const struct fx_span script = {m->script.data, m->script.len};
    struct fx_buf program = FX_BUF_INIT;
    switch (kind) {
    case LEGACY:
        put_p2sh(script, pays);
        *before = "sh(";
        *after = ")";
        break;
    case P2SH_SEGWIT:
        put_p2wsh(script, &program);
        put_p2sh((struct fx_span){program.data, program.len}, pays);
        *before = "sh(wsh(";
        *after = "))";
        break;
    case BECH32:
        put_p2wsh(script, pays);
        *before = "wsh(";
        *after = ")";
        break;
    }
    fx_buf_clear(&program);
}

static json_t *multisig_json(const struct fx_rpc *rpc, const struct multisig *m, size_t required,
                             enum kind kind, bool warn)
{
    struct fx_buf pays = FX_BUF_INIT, text = FX_BUF_INIT;
    char address[FX_ADDRESS_MAX] = "", checksum[FX_DESCRIPTOR_CHECKSUM + 1] = "";
    const char *before = "", *after = "";
    json_t *out = json_object();
    place(m, kind, &pays, &before, &after);
    (void)fx_address_encode(rpc->config.params, (struct fx_span){pays.data, pays.len}, address);
    fx_buf_printf(&text, "%smulti(%zu%.*s)%s", before, required, (int)m->keys.len,
                  (const char *)m->keys.data, after);
    (void)fx_descriptor_checksum((const char *)text.data, text.len, checksum);
    fx_json_set(out, "address", json_string(address));
    fx_json_set(out, "redeemScript", fx_json_hex(m->script.data, m->script.len));
    fx_json_set(out, "descriptor",
                json_sprintf("%.*s#%s", (int)text.len, (const char *)text.data, checksum));
    if (warn) {
        fx_json_set(out, "warnings",
                    json_pack("[s]", "Unable to make chosen address type, please ensure no "
                                     "uncompressed public keys are present."));
    }
    fx_buf_clear(&pays);
    fx_buf_clear(&text);
    return out;
}

static json_t *createmultisig(struct fx_rpc_call *call)
{
    struct multisig m = {.script = FX_BUF_INIT, .keys = FX_BUF_INIT};
    json_int_t required = json_integer_value(call->args[0]);
    json_t *out = NULL;
    enum kind kind;
    if (required < 1) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER,
                           "a multisignature address must require at least one key to redeem");
    }
    if (!arg_kind(call, call->args[2], &kind)) {
        return NULL;
    }
    if (make(call, (size_t)required, call->args[1], &m)) {
        bool legacy = kind != LEGACY && m.uncompressed; /* segwit has compressed keys alone */
        kind = legacy ? LEGACY : kind;
        if (kind == LEGACY && m.script.len > P2SH_SCRIPT_MAX) {
            fx_rpc_fail(call, FX_RPC_PARAMETER, "redeemScript exceeds size limit: %zu > %d",
                        m.script.len, P2SH_SCRIPT_MAX);
        } else {
            out = multisig_json(call->rpc, &m, (size_t)required, kind, legacy);
        }
    }
    fx_buf_clear(&m.script);
    fx_buf_clear(&m.keys);
    return out;
}

const struct fx_rpc_command fx_rpc_createmultisig = {
    .name = "createmultisig",
    .text = "Returns the script, address and descriptor that so many of the keys can spend.",
    .args = "nrequired: int\n"
            "keys: [ hex ]                  # Public keys, at most 20\n"
            "address_type?: str = legacy    # legacy, p2sh-segwit or bech32; with uncompressed "
            "keys always legacy",
    .result = "{ address: str, redeemScript: hex, descriptor: str\n"
              "warnings?: [ str ] }",
    .errors = "-5: a key or the address type is wrong\n-8: too few keys or too many",
    .example = "2 '[\"03..\",\"02..\"]'",
    .run = createmultisig,
};
