/* Extended keys: BIP32. */
#include "src/keys/bip32.h"

#include <string.h>

#include "src/crypto/ripemd160.h"
#include "src/crypto/sha512.h"
#include "src/crypto/zero.h"
#include "src/util/buf.h"

static bool public_key(const secp256k1_context *secp, const uint8_t secret[32], uint8_t out[33])
{
    secp256k1_pubkey key;
    size_t n = 33;
    return secp256k1_ec_pubkey_create(secp, &key, secret) &&
           secp256k1_ec_pubkey_serialize(secp, out, &n, &key, SECP256K1_EC_COMPRESSED);
}

bool fx_bip32_master(const secp256k1_context *secp, const uint8_t *seed, size_t n,
                     struct fx_bip32 *out)
{
    uint8_t mac[64];
    fx_hmac_sha512("Bitcoin seed", 12, seed, n, mac);
    memset(out, 0, sizeof(*out));
    memcpy(out->secret, mac, 32);
    memcpy(out->chain, mac + 32, 32);
    fx_secure_zero(mac, sizeof(mac));
    return secp256k1_ec_seckey_verify(secp, out->secret);
}

bool fx_bip32_child(const secp256k1_context *secp, const struct fx_bip32 *parent, uint32_t index,
                    struct fx_bip32 *out)
{
    uint8_t data[37], mac[64], pub[33], id[20];
    struct fx_bip32 child = {.depth = (uint8_t)(parent->depth + 1), .index = index};
    if (parent->depth == UINT8_MAX || !public_key(secp, parent->secret, pub)) {
        return false;
    }
    if (index & FX_BIP32_HARDENED) {
        data[0] = 0;
        memcpy(data + 1, parent->secret, 32);
    } else {
        memcpy(data, pub, 33);
    }
    fx_store_u32be(data + 33, index);
    fx_hmac_sha512(parent->chain, 32, data, sizeof(data), mac);
    fx_hash160(pub, sizeof(pub), id);
    memcpy(child.parent, id, 4);
    memcpy(child.secret, parent->secret, 32);
    memcpy(child.chain, mac + 32, 32);
    bool ok = secp256k1_ec_seckey_tweak_add(secp, child.secret, mac);
    if (ok) {
        *out = child;
    }
    fx_secure_zero(data, sizeof(data));
    fx_secure_zero(mac, sizeof(mac));
    fx_secure_zero(&child, sizeof(child));
    return ok;
}

bool fx_bip32_neuter(const secp256k1_context *secp, const struct fx_bip32 *key,
                     struct fx_bip32_public *out)
{
    out->depth = key->depth;
    out->index = key->index;
    memcpy(out->parent, key->parent, 4);
    memcpy(out->chain, key->chain, 32);
    return public_key(secp, key->secret, out->key);
}

bool fx_bip32_public_child(const struct fx_bip32_public *parent, uint32_t index,
                           struct fx_bip32_public *out)
{
    const secp256k1_context *secp = secp256k1_context_static;
    struct fx_bip32_public child = {.depth = (uint8_t)(parent->depth + 1), .index = index};
    secp256k1_pubkey key;
    uint8_t data[37], mac[64], id[20];
    size_t n = 33;
    if (parent->depth == UINT8_MAX || (index & FX_BIP32_HARDENED)) {
        return false;
    }
    memcpy(data, parent->key, 33);
    fx_store_u32be(data + 33, index);
    fx_hmac_sha512(parent->chain, 32, data, sizeof(data), mac);
    if (!secp256k1_ec_pubkey_parse(secp, &key, parent->key, 33) ||
        !secp256k1_ec_pubkey_tweak_add(secp, &key, mac)) {
        return false;
    }
    secp256k1_ec_pubkey_serialize(secp, child.key, &n, &key, SECP256K1_EC_COMPRESSED);
    fx_hash160(parent->key, 33, id);
    memcpy(child.parent, id, 4);
    memcpy(child.chain, mac + 32, 32);
    *out = child;
    return true;
}

/* ---- serialized ------------------------------------------------------------------------------ */

static void write_head(uint32_t version, uint8_t depth, const uint8_t parent[4], uint32_t index,
                       const uint8_t chain[32], uint8_t out[FX_BIP32_SIZE])
{
    fx_store_u32be(out, version);
    out[4] = depth;
    memcpy(out + 5, parent, 4);
    fx_store_u32be(out + 9, index);
    memcpy(out + 13, chain, 32);
}

void fx_bip32_write_secret(const struct fx_bip32 *key, uint32_t version, uint8_t out[FX_BIP32_SIZE])
{
    write_head(version, key->depth, key->parent, key->index, key->chain, out);
    out[45] = 0;
    memcpy(out + 46, key->secret, 32);
}

void fx_bip32_write_public(const struct fx_bip32_public *key, uint32_t version,
                           uint8_t out[FX_BIP32_SIZE])
{
    write_head(version, key->depth, key->parent, key->index, key->chain, out);
    memcpy(out + 45, key->key, 33);
}

/* A master key has no parent and no index. */
static bool head_is_sane(const uint8_t in[FX_BIP32_SIZE], uint32_t version)
{
    static const uint8_t none[8];
    return fx_load_u32be(in) == version && (in[4] != 0 || memcmp(in + 5, none, 8) == 0);
}

bool fx_bip32_read_secret(const uint8_t in[FX_BIP32_SIZE], uint32_t version, struct fx_bip32 *key)
{
    if (!head_is_sane(in, version) || in[45] != 0 ||
        !secp256k1_ec_seckey_verify(secp256k1_context_static, in + 46)) {
        return false;
    }
    key->depth = in[4];
    memcpy(key->parent, in + 5, 4);
    key->index = fx_load_u32be(in + 9);
    memcpy(key->chain, in + 13, 32);
    memcpy(key->secret, in + 46, 32);
    return true;
}

bool fx_bip32_read_public(const uint8_t in[FX_BIP32_SIZE], uint32_t version,
                          struct fx_bip32_public *key)
{
    secp256k1_pubkey parsed;
    if (!head_is_sane(in, version) ||
        !secp256k1_ec_pubkey_parse(secp256k1_context_static, &parsed, in + 45, 33)) {
        return false;
    }
    key->depth = in[4];
    memcpy(key->parent, in + 5, 4);
    key->index = fx_load_u32be(in + 9);
    memcpy(key->chain, in + 13, 32);
    memcpy(key->key, in + 45, 33);
    return true;
}
