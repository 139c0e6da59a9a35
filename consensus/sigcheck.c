/* Signatures in scripts: their form, and whether they verify. */
#include "consensus/sigcheck_int.h"

#include <string.h>

#include <secp256k1.h>

#include "consensus/der.h"
#include "consensus/spend.h"

#define SCHNORR_SIZE 64
#define COMPRESSED_SIZE 33
#define UNCOMPRESSED_SIZE 65

/* ---- form -------------------------------------------------------------------------------- */

static bool is_known_hash_type(uint8_t type)
{
    type &= (uint8_t)~FX_SIGHASH_ANYONECANPAY;
    return type >= FX_SIGHASH_ALL && type <= FX_SIGHASH_SINGLE;
}

static bool parse_ecdsa(struct fx_span der, secp256k1_ecdsa_signature *parsed)
{
    uint8_t compact[FX_ECDSA_COMPACT];

    /* Numbers beyond the order of the group do not parse; no key verifies them. */
    return fx_der_read_lax(der, compact) &&
           secp256k1_ecdsa_signature_parse_compact(secp256k1_context_static, parsed, compact) == 1;
}

static bool has_low_s(struct fx_span sig)
{
    struct fx_span der = {sig.data, sig.len - 1};
    secp256k1_ecdsa_signature parsed;

    return !parse_ecdsa(der, &parsed) ||
           !secp256k1_ecdsa_signature_normalize(secp256k1_context_static, NULL, &parsed);
}

enum fx_script_error fx_sig_check_form(struct fx_span sig, uint32_t flags)
{
    const uint32_t strict = FX_VERIFY_DERSIG | FX_VERIFY_LOW_S | FX_VERIFY_STRICTENC;

    if (sig.len == 0) {
        return FX_SCRIPT_ERR_OK;
    }
    if ((flags & strict) != 0 && !fx_der_is_strict(sig)) {
        return FX_SCRIPT_ERR_SIG_DER;
    }
    if ((flags & FX_VERIFY_LOW_S) != 0 && !has_low_s(sig)) {
        return FX_SCRIPT_ERR_SIG_HIGH_S;
    }
    if ((flags & FX_VERIFY_STRICTENC) != 0 && !is_known_hash_type(sig.data[sig.len - 1])) {
        return FX_SCRIPT_ERR_SIG_HASHTYPE;
    }
    return FX_SCRIPT_ERR_OK;
}

static bool is_compressed(struct fx_span key)
{
    return key.len == COMPRESSED_SIZE && (key.data[0] == 2 || key.data[0] == 3);
}

static bool is_uncompressed(struct fx_span key)
{
    return key.len == UNCOMPRESSED_SIZE && key.data[0] == 4;
}

enum fx_script_error fx_key_check_form(struct fx_span key, uint32_t flags,
                                       enum fx_sig_version version)
{
    if ((flags & FX_VERIFY_STRICTENC) != 0 && !is_compressed(key) && !is_uncompressed(key)) {
        return FX_SCRIPT_ERR_PUBKEYTYPE;
    }
    if ((flags & FX_VERIFY_WITNESS_PUBKEYTYPE) != 0 && version == FX_SIG_WITNESS_V0 &&
        !is_compressed(key)) {
        return FX_SCRIPT_ERR_WITNESS_PUBKEYTYPE;
    }
    return FX_SCRIPT_ERR_OK;
}

/* ---- verifying --------------------------------------------------------------------------- */

static bool is_known(const struct fx_script_context *context, const struct fx_sig_claim *claim)
{
    const struct fx_sig_memory *memory = context->memory;

    return memory != NULL && memory->knows(memory->ctx, claim);
}

static void remember(const struct fx_script_context *context, const struct fx_sig_claim *claim)
{
    const struct fx_sig_memory *memory = context->memory;

    if (memory != NULL) {
        memory->remember(memory->ctx, claim);
    }
}

/* A key that parses, which is not yet one on the curve: lengths by the first byte. */
static bool may_be_key(struct fx_span key)
{
    if (key.len == COMPRESSED_SIZE) {
        return key.data[0] == 2 || key.data[0] == 3;
    }
    return key.len == UNCOMPRESSED_SIZE &&
           (key.data[0] == 4 || key.data[0] == 6 || key.data[0] == 7);
}

static bool verify_ecdsa(const struct fx_sig_claim *claim)
{
    const secp256k1_context *ctx = secp256k1_context_static;
    secp256k1_ecdsa_signature parsed;
    secp256k1_pubkey key;

    if (!secp256k1_ec_pubkey_parse(ctx, &key, claim->key.data, claim->key.len) ||
        !parse_ecdsa(claim->sig, &parsed)) {
        return false;
    }
    /* A high s is no consensus failure, but the library takes low ones only. */
    secp256k1_ecdsa_signature_normalize(ctx, &parsed, &parsed);
    return secp256k1_ecdsa_verify(ctx, &parsed, claim->hash->b, &key) == 1;
}

static void make_hash(const struct fx_script_context *context, struct fx_span code, uint8_t type,
                      enum fx_sig_version version, struct fx_sighash_memo *memo)
{
    if (memo->set && memo->type == type && memo->code == code.data) {
        return;
    }
    if (version == FX_SIG_BASE) {
        fx_sighash_legacy(context->tx, context->in, code, type, &memo->hash);
    } else {
        fx_sighash_v0(context->tx, context->in, code, context->amount, type, context->cache,
                      &memo->hash);
    }
    memo->set = true;
    memo->type = type;
    memo->code = code.data;
}

bool fx_sig_verify_ecdsa(const struct fx_script_context *context, struct fx_span sig,
                         struct fx_span key, struct fx_span code, enum fx_sig_version version,
                         struct fx_sighash_memo *memo)
{
    struct fx_sig_claim claim = {.key = key, .sig = sig, .hash = &memo->hash};

    if (sig.len == 0 || !may_be_key(key)) {
        return false;
    }
    claim.sig.len--;
    make_hash(context, code, sig.data[sig.len - 1], version, memo);
    if (is_known(context, &claim)) {
        return true;
    }
    if (!verify_ecdsa(&claim)) {
        return false;
    }
    remember(context, &claim);
    return true;
}

enum fx_script_error fx_sig_verify_schnorr(const struct fx_script_context *context,
                                           struct fx_span sig, const uint8_t key[32],
                                           struct fx_sighash_spend *spend)
{
    uint8_t type = FX_SIGHASH_DEFAULT;
    struct fx_hash hash, point;
    struct fx_sig_claim claim = {
        .schnorr = true, .hash = &hash, .key = {key, 32}, .sig = {sig.data, SCHNORR_SIZE}};

    if (sig.len == SCHNORR_SIZE + 1) {
        type = sig.data[SCHNORR_SIZE];
        if (type == FX_SIGHASH_DEFAULT) {
            return FX_SCRIPT_ERR_SCHNORR_SIG_HASHTYPE; /* 64 bytes alone say the default */
        }
    } else if (sig.len != SCHNORR_SIZE) {
        return FX_SCRIPT_ERR_SCHNORR_SIG_SIZE;
    }
    if (context->spent == NULL ||
        !fx_sighash_taproot_spend(context->tx, context->in, context->spent, type, spend,
                                  context->cache, &hash)) {
        return FX_SCRIPT_ERR_SCHNORR_SIG_HASHTYPE;
    }
    if (is_known(context, &claim)) {
        return FX_SCRIPT_ERR_OK;
    }
    memcpy(point.b, key, sizeof point.b);
    if (!fx_schnorr_verify(&point, &hash, sig.data)) {
        return FX_SCRIPT_ERR_SCHNORR_SIG;
    }
    remember(context, &claim);
    return FX_SCRIPT_ERR_OK;
}
