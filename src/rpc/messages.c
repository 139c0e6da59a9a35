/* Texts signed by the key of an address: P2PKH as in Bitcoin, P2TR by BIP340 over the same hash. */
#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "consensus/spend.h"
#include "src/crypto/zero.h"
#include "src/keys/address.h"
#include "src/keys/message.h"
#include "src/rpc/topics_int.h"
#include "src/sys/random.h"
#include "src/util/base64.h"
#include "src/util/mem.h"

static const char *magic(const struct fx_rpc *rpc)
{
    return rpc->config.params->kind == FX_BTCREGTEST ? "Bitcoin Signed Message:\n"
                                                     : "Fornax Signed Message:\n";
}

static json_t *base64_json(const uint8_t *signature, size_t n)
{
    struct fx_buf text = FX_BUF_INIT;
    fx_base64_encode(&text, signature, n);
    json_t *out = json_stringn((const char *)text.data, text.len);
    fx_buf_clear(&text);
    return out;
}

static json_t *signmessagewithprivkey(struct fx_rpc_call *call)
{
    uint8_t secret[32], entropy[32], signature[FX_MESSAGE_SIGNATURE];
    struct fx_hash hash;
    bool compressed;
    if (!fx_wif_decode(call->rpc->config.params, json_string_value(call->args[0]), secret,
                       &compressed)) {
        return fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Invalid private key");
    }
    fx_random_bytes(entropy, sizeof(entropy));
    fx_message_hash(magic(call->rpc), json_string_value(call->args[1]), &hash);
    bool ok = fx_message_sign(secret, compressed, entropy, &hash, signature);
    fx_secure_zero(secret, sizeof(secret));
    if (!ok) {
        return fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Sign failed");
    }
    return base64_json(signature, sizeof(signature));
}

const struct fx_rpc_command fx_rpc_signmessagewithprivkey = {
    .name = "signmessagewithprivkey",
    .text = "Signs a text by a private key, for verifymessage with its P2PKH address.",
    .args = "privkey: str   # In wallet import format\n"
            "message: str",
    .result = "str  # The signature, base64",
    .errors = "-5: no private key of this network",
    .example = "\"privkey\" \"my message\"",
    .run = signmessagewithprivkey,
};

/* The output key of a P2TR script. Where the rules are Bitcoin's, its addresses sign nothing. */
static bool taproot_key(const struct fx_rpc *rpc, struct fx_span script, struct fx_hash *key)
{
    if (rpc->config.params->kind == FX_BTCREGTEST || fx_script_classify(script) != FX_SCRIPT_P2TR) {
        return false;
    }
    memcpy(key->b, script.data + 2, sizeof(key->b));
    return true;
}

static bool decode_address(struct fx_rpc_call *call, const json_t *address, struct fx_buf *script)
{
    char error[FX_ADDRESS_ERROR];
    if (!fx_address_decode(call->rpc->config.params, json_string_value(address), script, error)) {
        fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Invalid address");
        return false;
    }
    return true;
}

static json_t *sign_by_wallet(struct fx_rpc_call *call, struct fx_wallet *wallet,
                              struct fx_span script)
{
    struct fx_wallet_error error = {0, ""};
    struct fx_hash key, hash;
    uint8_t signature[64];
    if (!taproot_key(call->rpc, script, &key)) {
        return fx_rpc_fail(call, FX_RPC_TYPE, "Address does not refer to key");
    }
    if (!fx_wallet_owns_key(wallet, &key)) {
        return fx_rpc_fail(call, FX_RPC_WALLET, "Private key not available");
    }
    fx_message_hash(magic(call->rpc), json_string_value(call->args[1]), &hash);
    if (!fx_wallet_sign_hash(wallet, &key, &hash, signature, &error)) {
        return fx_rpc_fail_wallet(call, &error);
    }
    return base64_json(signature, sizeof(signature));
}

static json_t *signmessage(struct fx_rpc_call *call)
{
    struct fx_buf script = FX_BUF_INIT;
    struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
    json_t *out = NULL;
    if (wallet && decode_address(call, call->args[0], &script)) {
        out = sign_by_wallet(call, wallet, (struct fx_span){script.data, script.len});
    }
    fx_buf_clear(&script);
    return out;
}

const struct fx_rpc_command fx_rpc_signmessage = {
    .name = "signmessage",
    .text = "Signs a text by the key of an address of the wallet, for verifymessage.",
    .args = "address: str\n"
            "message: str",
    .result = "str  # The signature, base64",
    .errors = "-3: the address is not one of a key\n-4: Private key not available\n"
              "-5: no address of this network",
    .example = "\"address\" \"my message\"",
    .run = signmessage,
};

static bool is_signed(const struct fx_rpc *rpc, struct fx_span script, const char *message,
                      const uint8_t *signature, size_t n)
{
    struct fx_hash key, hash;
    uint8_t signer[20];
    fx_message_hash(magic(rpc), message, &hash);
    if (taproot_key(rpc, script, &key)) {
        return n == 64 && fx_schnorr_verify(&key, &hash, signature);
    }
    return n == FX_MESSAGE_SIGNATURE && fx_message_signer(&hash, signature, signer) &&
           memcmp(signer, script.data + 3, sizeof(signer)) == 0;
}

static json_t *verifymessage(struct fx_rpc_call *call)
{
    const char *text = json_string_value(call->args[1]);
    struct fx_buf script = FX_BUF_INIT;
    struct fx_hash key;
    size_t n;
    if (!decode_address(call, call->args[0], &script)) {
        fx_buf_clear(&script);
        return NULL;
    }
    const struct fx_span span = {script.data, script.len};
    uint8_t *signature = fx_xmalloc(strlen(text) + 1);
    json_t *out = NULL;
    if (fx_script_classify(span) != FX_SCRIPT_P2PKH && !taproot_key(call->rpc, span, &key)) {
        fx_rpc_fail(call, FX_RPC_TYPE, "Address does not refer to key");
    } else if (!fx_base64_decode(text, signature, strlen(text), &n)) {
        fx_rpc_fail(call, FX_RPC_TYPE, "Malformed base64 encoding");
    } else {
        out = json_boolean(
            is_signed(call->rpc, span, json_string_value(call->args[2]), signature, n));
    }
    free(signature);
    fx_buf_clear(&script);
    return out;
}

const struct fx_rpc_command fx_rpc_verifymessage = {
    .name = "verifymessage",
    .text = "Says whether the key of an address signed a text.",
    .args = "address: str     # P2PKH or P2TR\n"
            "signature: str   # Base64\n"
            "message: str",
    .result = "bool",
    .errors = "-3: the address is not one of a key, or the signature is not base64\n"
              "-5: no address of this network",
    .example = "\"address\" \"signature\" \"my message\"",
    .run = verifymessage,
};
