/* Addresses and secret keys as text. */
#include "src/keys/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <secp256k1.h>

#include "consensus/opcodes.h"
#include "consensus/script.h"
#include "src/crypto/zero.h"
#include "src/util/base58.h"
#include "src/util/bech32.h"

#define BASE58_RAW 21  /* version and hash */
#define BASE58_ANY 100 /* to tell base58 from other text */

/* ---- scripts --------------------------------------------------------------------------------- */

void fx_script_put_p2pkh(struct fx_buf *script, const uint8_t key_hash[20])
{
    static const uint8_t head[] = {FX_OP_DUP, FX_OP_HASH160, 20};
    static const uint8_t tail[] = {FX_OP_EQUALVERIFY, FX_OP_CHECKSIG};
    fx_buf_bytes(script, head, sizeof(head));
    fx_buf_bytes(script, key_hash, 20);
    fx_buf_bytes(script, tail, sizeof(tail));
}

void fx_script_put_p2sh(struct fx_buf *script, const uint8_t script_hash[20])
{
    static const uint8_t head[] = {FX_OP_HASH160, 20};
    fx_buf_bytes(script, head, sizeof(head));
    fx_buf_bytes(script, script_hash, 20);
    fx_buf_u8(script, FX_OP_EQUAL);
}

void fx_script_put_witness(struct fx_buf *script, unsigned version, struct fx_span program)
{
    fx_buf_u8(script, (uint8_t)(version ? 0x50 + version : 0));
    fx_buf_u8(script, (uint8_t)program.len);
    fx_buf_bytes(script, program.data, program.len);
}

/* ---- out ------------------------------------------------------------------------------------- */

bool fx_address_encode(const struct fx_params *params, struct fx_span script,
                       char out[FX_ADDRESS_MAX])
{
    unsigned version;
    struct fx_span program;
    if (fx_script_is_witness(script, &version, &program)) {
        return fx_segwit_encode(params->bech32_hrp, version, program.data, program.len, out);
    }
    enum fx_script_type type = fx_script_classify(script);
    if (type != FX_SCRIPT_P2PKH && type != FX_SCRIPT_P2SH) {
        return false;
    }
    uint8_t raw[BASE58_RAW];
    raw[0] = type == FX_SCRIPT_P2PKH ? params->base58_pubkey : params->base58_script;
    memcpy(raw + 1, script.data + (type == FX_SCRIPT_P2PKH ? 3 : 2), 20);
    char *text = fx_base58check_encode(raw, sizeof(raw));
    snprintf(out, FX_ADDRESS_MAX, "%s", text);
    free(text);
    return true;
}

/* ---- in -------------------------------------------------------------------------------------- */

static bool fail(char *error, const char *text)
{
    snprintf(error, FX_ADDRESS_ERROR, "%s", text);
    return false;
}

static bool decode_base58(const struct fx_params *params, const char *address,
                          struct fx_buf *script, char *error)
{
    uint8_t raw[BASE58_ANY];
    size_t n;
    if (!fx_base58check_decode(address, raw, BASE58_RAW, &n)) {
        return fail(error, fx_base58_decode(address, raw, sizeof(raw), &n)
                               ? "Invalid checksum or length of Base58 address (P2PKH or P2SH)"
                               : "Invalid or unsupported Segwit (Bech32) or Base58 encoding.");
    }
    if (n == 0 || (raw[0] != params->base58_pubkey && raw[0] != params->base58_script)) {
        return fail(error, "Invalid or unsupported Base58-encoded address.");
    }
    if (n != BASE58_RAW) {
        return fail(error, "Invalid length for Base58 address (P2PKH or P2SH)");
    }
    if (raw[0] == params->base58_pubkey) {
        fx_script_put_p2pkh(script, raw + 1);
    } else {
        fx_script_put_p2sh(script, raw + 1);
    }
    return true;
}

/* n: bytes of the program, where that is what is wrong. */
static bool fail_segwit(const struct fx_params *params, enum fx_segwit_status status, size_t n,
                        char *error)
{
    const char *bytes = n == 1 ? "byte" : "bytes";
    switch (status) {
    case FX_SEGWIT_OK:
        break;
    case FX_SEGWIT_LENGTH:
        return fail(error, "Bech32 string too long");
    case FX_SEGWIT_CASE:
        return fail(error, "Invalid character or mixed case");
    case FX_SEGWIT_SEPARATOR:
        return fail(error, "Missing separator");
    case FX_SEGWIT_PREFIX:
        snprintf(error, FX_ADDRESS_ERROR,
                 "Invalid or unsupported prefix for Segwit (Bech32) address (expected %s)",
                 params->bech32_hrp);
        return false;
    case FX_SEGWIT_CHARACTER:
        return fail(error, "Invalid Base 32 character");
    case FX_SEGWIT_CHECKSUM:
        return fail(error, "Invalid Bech32 checksum");
    case FX_SEGWIT_EMPTY:
        return fail(error, "Empty Bech32 data section");
    case FX_SEGWIT_NOT_BECH32:
        return fail(error, "Version 0 witness address must use Bech32 checksum");
    case FX_SEGWIT_NOT_BECH32M:
        return fail(error, "Version 1+ witness address must use Bech32m checksum");
    case FX_SEGWIT_PADDING:
        return fail(error, "Invalid padding in Bech32 data section");
    case FX_SEGWIT_VERSION:
        return fail(error, "Invalid Bech32 address witness version");
    case FX_SEGWIT_SIZE_V0:
        snprintf(error, FX_ADDRESS_ERROR,
                 "Invalid Bech32 v0 address program size (%zu %s), per BIP141", n, bytes);
        return false;
    case FX_SEGWIT_SIZE:
        snprintf(error, FX_ADDRESS_ERROR, "Invalid Bech32 address program size (%zu %s)", n, bytes);
        return false;
    }
    return false;
}

bool fx_address_decode(const struct fx_params *params, const char *address, struct fx_buf *script,
                       char error[FX_ADDRESS_ERROR])
{
    const char *hrp = params->bech32_hrp;
    uint8_t program[FX_BECH32_ADDRESS_MAX];
    unsigned version = 0;
    size_t n;
    if (strncasecmp(address, hrp, strlen(hrp)) != 0) {
        return decode_base58(params, address, script, error);
    }
    enum fx_segwit_status status = fx_segwit_read(hrp, address, &version, program, &n);
    if (status != FX_SEGWIT_OK) {
        return fail_segwit(params, status, n, error);
    }
    fx_script_put_witness(script, version, (struct fx_span){program, n});
    return true;
}

bool fx_wif_decode(const struct fx_params *params, const char *text, uint8_t secret[32],
                   bool *compressed)
{
    uint8_t raw[34];
    size_t n;
    bool ok = fx_base58check_decode(text, raw, sizeof(raw), &n) &&
              raw[0] == params->base58_secret && (n == 33 || (n == 34 && raw[33] == 1)) &&
              secp256k1_ec_seckey_verify(secp256k1_context_static, raw + 1);
    if (ok) {
        memcpy(secret, raw + 1, 32);
        *compressed = n == 34;
    }
    fx_secure_zero(raw, sizeof(raw));
    return ok;
}
