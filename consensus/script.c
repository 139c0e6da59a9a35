/* Kinds of scripts, and verifying the inputs that spend P2WPKH and P2TR (key path). */
#include "consensus/script.h"

#include <string.h>

#include <secp256k1.h>

#include "consensus/sighash.h"
#include "consensus/spend.h"
#include "src/crypto/ripemd160.h"

#define OP_RETURN 0x6a
#define OP_DUP 0x76
#define OP_EQUAL 0x87
#define OP_EQUALVERIFY 0x88
#define OP_HASH160 0xa9
#define OP_CHECKSIG 0xac
#define SCRIPT_SIZE_MAX 10000 /* a longer script fails whatever it says */
#define ANNEX_TAG 0x50

bool fx_script_is_witness(struct fx_span script, unsigned *version, struct fx_span *program)
{
    const uint8_t *s = script.data;

    if (script.len < 4 || script.len > 42 || s[1] + 2u != script.len) {
        return false;
    }
    if (s[0] != 0 && (s[0] < 0x51 || s[0] > 0x60)) {
        return false;
    }
    *version = s[0] == 0 ? 0 : s[0] - 0x50u;
    program->data = s + 2;
    program->len = script.len - 2;
    return true;
}

enum fx_script_type fx_script_classify(struct fx_span script)
{
    const uint8_t *s = script.data;
    struct fx_span program;
    unsigned version;

    if (fx_script_is_witness(script, &version, &program)) {
        if (version == 0) {
            return program.len == 20   ? FX_SCRIPT_P2WPKH
                   : program.len == 32 ? FX_SCRIPT_P2WSH
                                       : FX_SCRIPT_OTHER;
        }
        if (program.len == 32 && version <= 2) {
            return version == 1 ? FX_SCRIPT_P2TR : FX_SCRIPT_TASK;
        }
        return FX_SCRIPT_WITNESS_UNKNOWN;
    }
    if (script.len == 25 && s[0] == OP_DUP && s[1] == OP_HASH160 && s[2] == 20 &&
        s[23] == OP_EQUALVERIFY && s[24] == OP_CHECKSIG) {
        return FX_SCRIPT_P2PKH;
    }
    if (script.len == 23 && s[0] == OP_HASH160 && s[1] == 20 && s[22] == OP_EQUAL) {
        return FX_SCRIPT_P2SH;
    }
    if (script.len > 0 && s[0] == OP_RETURN) {
        return FX_SCRIPT_RETURN;
    }
    return FX_SCRIPT_OTHER;
}

const char *fx_script_type_name(enum fx_script_type type)
{
    switch (type) {
    case FX_SCRIPT_OTHER:
        return "nonstandard";
    case FX_SCRIPT_P2PKH:
        return "pubkeyhash";
    case FX_SCRIPT_P2SH:
        return "scripthash";
    case FX_SCRIPT_P2WPKH:
        return "witness_v0_keyhash";
    case FX_SCRIPT_P2WSH:
        return "witness_v0_scripthash";
    case FX_SCRIPT_P2TR:
        return "witness_v1_taproot";
    case FX_SCRIPT_TASK:
        return "witness_v2_task";
    case FX_SCRIPT_WITNESS_UNKNOWN:
        return "witness_unknown";
    case FX_SCRIPT_RETURN:
        return "nulldata";
    }
    return "nonstandard";
}

bool fx_script_is_unspendable(struct fx_span script)
{
    return script.len > SCRIPT_SIZE_MAX || (script.len > 0 && script.data[0] == OP_RETURN);
}

void fx_script_p2tr(const uint8_t output_key[32], uint8_t script[34])
{
    script[0] = 0x51;
    script[1] = 32;
    memcpy(script + 2, output_key, 32);
}

void fx_script_p2wpkh(const uint8_t key_hash[20], uint8_t script[22])
{
    script[0] = 0;
    script[1] = 20;
    memcpy(script + 2, key_hash, 20);
}

/* One integer of a DER signature: its tag and length at p, in what is left of the signature.
 * Returns the bytes that it takes, 0 where it is not minimal and positive. */
static size_t der_integer(const uint8_t *p, size_t left)
{
    size_t n;

    if (left < 3 || p[0] != 0x02) {
        return 0;
    }
    n = p[1];
    if (n == 0 || n + 2 > left || (p[2] & 0x80) != 0) {
        return 0;
    }
    if (n > 1 && p[2] == 0 && (p[3] & 0x80) == 0) {
        return 0;
    }
    return n + 2;
}

/* BIP66, with the hash type at the end. */
static bool is_strict_der(struct fx_span sig)
{
    size_t r, s;

    if (sig.len < 9 || sig.len > 73 || sig.data[0] != 0x30 || sig.data[1] != sig.len - 3) {
        return false;
    }
    r = der_integer(sig.data + 2, sig.len - 3);
    if (r == 0) {
        return false;
    }
    s = der_integer(sig.data + 2 + r, sig.len - 3 - r);
    return s > 0 && 2 + r + s + 1 == sig.len;
}

static bool ecdsa_verify(struct fx_span key, struct fx_span sig, const struct fx_hash *hash)
{
    const secp256k1_context *ctx = secp256k1_context_static;
    secp256k1_ecdsa_signature parsed;
    secp256k1_pubkey pubkey;

    if (!secp256k1_ec_pubkey_parse(ctx, &pubkey, key.data, key.len) ||
        !secp256k1_ecdsa_signature_parse_der(ctx, &parsed, sig.data, sig.len - 1)) {
        return false;
    }
    /* A high s is no consensus failure, but the library takes low ones only. */
    secp256k1_ecdsa_signature_normalize(ctx, &parsed, &parsed);
    return secp256k1_ecdsa_verify(ctx, &parsed, hash->b, &pubkey) == 1;
}

static enum fx_verdict run_p2wpkh(const struct fx_script_check *check, const uint8_t program[20])
{
    const struct fx_txin *in = &check->tx->in[check->in];
    uint8_t code[25] = {OP_DUP, OP_HASH160, 20};
    struct fx_span code_span = {code, sizeof code};
    struct fx_span sig, key;
    struct fx_hash hash;
    uint8_t key_hash[20];

    if (in->n_witness != 2) {
        return FX_SCRIPT_VERIFY;
    }
    sig = in->witness[0];
    key = in->witness[1];
    fx_hash160(key.data, key.len, key_hash);
    if (memcmp(key_hash, program, sizeof key_hash) != 0 || !is_strict_der(sig)) {
        return FX_SCRIPT_VERIFY;
    }
    memcpy(code + 3, program, 20);
    code[23] = OP_EQUALVERIFY;
    code[24] = OP_CHECKSIG;
    fx_sighash_v0(check->tx, check->in, code_span, check->spent[check->in].value,
                  sig.data[sig.len - 1], check->cache, &hash);
    return ecdsa_verify(key, sig, &hash) ? FX_OK : FX_SCRIPT_VERIFY;
}

static enum fx_verdict run_p2tr(const struct fx_script_check *check, const uint8_t program[32])
{
    const struct fx_txin *in = &check->tx->in[check->in];
    size_t n = in->n_witness;
    const struct fx_span *annex = NULL;
    uint8_t hash_type = FX_SIGHASH_DEFAULT;
    struct fx_span sig;
    struct fx_hash key, hash;

    if (n >= 2 && in->witness[n - 1].len > 0 && in->witness[n - 1].data[0] == ANNEX_TAG) {
        annex = &in->witness[--n];
    }
    if (n == 0) {
        return FX_SCRIPT_VERIFY;
    }
    if (n > 1) {
        return FX_SCRIPT_UNSUPPORTED; /* the script path */
    }
    sig = in->witness[0];
    if (sig.len == 65) {
        hash_type = sig.data[64];
        if (hash_type == FX_SIGHASH_DEFAULT) {
            return FX_SCRIPT_VERIFY; /* one way only to say the default: 64 bytes */
        }
    } else if (sig.len != 64) {
        return FX_SCRIPT_VERIFY;
    }
    if (!fx_sighash_taproot(check->tx, check->in, check->spent, hash_type, annex, check->cache,
                            &hash)) {
        return FX_SCRIPT_VERIFY;
    }
    memcpy(key.b, program, sizeof key.b);
    return fx_schnorr_verify(&key, &hash, sig.data) ? FX_OK : FX_SCRIPT_VERIFY;
}

enum fx_verdict fx_script_check_run(const struct fx_script_check *check)
{
    struct fx_span script = fx_coin_script(&check->spent[check->in]);
    bool bare = check->tx->in[check->in].script_sig.len == 0;

    switch (fx_script_classify(script)) {
    case FX_SCRIPT_P2WPKH:
        return bare ? run_p2wpkh(check, script.data + 2) : FX_SCRIPT_VERIFY;
    case FX_SCRIPT_P2TR:
        return bare ? run_p2tr(check, script.data + 2) : FX_SCRIPT_VERIFY;
    case FX_SCRIPT_RETURN:
        return FX_SCRIPT_VERIFY;
    case FX_SCRIPT_OTHER:
    case FX_SCRIPT_P2PKH:
    case FX_SCRIPT_P2SH:
    case FX_SCRIPT_P2WSH:
    case FX_SCRIPT_TASK:
    case FX_SCRIPT_WITNESS_UNKNOWN:
        return FX_SCRIPT_UNSUPPORTED;
    }
    return FX_SCRIPT_UNSUPPORTED;
}
