/* Texts signed by the key of an address. */
#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
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

static json_t *signmessagewithprivkey(struct fx_rpc_call *call)
{
    uint8_t secret[32], entropy[32], signature[FX_MESSAGE_SIGNATURE];
    struct fx_buf text = FX_BUF_INIT;
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
    fx_base64_encode(&text, signature, sizeof(signature));
    json_t *out = json_stringn((const char *)text.data, text.len);
    fx_buf_clear(&text);
    return out;
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

static json_t *verifymessage(struct fx_rpc_call *call)
{
    const char *text = json_string_value(call->args[1]);
    char error[FX_ADDRESS_ERROR];
    struct fx_buf script = FX_BUF_INIT;
    uint8_t signer[20], *signature;
    struct fx_hash hash;
    size_t n;
    if (!fx_address_decode(call->rpc->config.params, json_string_value(call->args[0]), &script,
                           error)) {
        fx_buf_clear(&script);
        return fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "Invalid address");
    }
    const struct fx_span span = {script.data, script.len};
    bool of_key = fx_script_classify(span) == FX_SCRIPT_P2PKH;
    signature = fx_xmalloc(strlen(text) + 1);
    json_t *out = NULL;
    if (!of_key) {
        fx_rpc_fail(call, FX_RPC_TYPE, "Address does not refer to key");
    } else if (!fx_base64_decode(text, signature, strlen(text), &n)) {
        fx_rpc_fail(call, FX_RPC_TYPE, "Malformed base64 encoding");
    } else {
        fx_message_hash(magic(call->rpc), json_string_value(call->args[2]), &hash);
        out =
            json_boolean(n == FX_MESSAGE_SIGNATURE && fx_message_signer(&hash, signature, signer) &&
                         memcmp(signer, span.data + 3, sizeof(signer)) == 0);
    }
    free(signature);
    fx_buf_clear(&script);
    return out;
}

const struct fx_rpc_command fx_rpc_verifymessage = {
    .name = "verifymessage",
    .text = "Says whether the key of an address signed a text.",
    .args = "address: str     # P2PKH\n"
            "signature: str   # Base64\n"
            "message: str",
    .result = "bool",
    .errors = "-3: the address is not one of a key, or the signature is not base64\n"
              "-5: no address of this network",
    .example = "\"address\" \"signature\" \"my message\"",
    .run = verifymessage,
};
