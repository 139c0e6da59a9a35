/* Extended secret keys: BIP32. */
#include "wallet/bip32.h"

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

static void write_head(const struct fx_bip32 *key, uint32_t version, uint8_t out[FX_BIP32_SIZE])
{
    fx_store_u32be(out, version);
    out[4] = key->depth;
    memcpy(out + 5, key->parent, 4);
    fx_store_u32be(out + 9, key->index);
    memcpy(out + 13, key->chain, 32);
}

void fx_bip32_write_secret(const struct fx_bip32 *key, uint32_t version, uint8_t out[FX_BIP32_SIZE])
{
    write_head(key, version, out);
    out[45] = 0;
    memcpy(out + 46, key->secret, 32);
}

bool fx_bip32_write_public(const secp256k1_context *secp, const struct fx_bip32 *key,
                           uint32_t version, uint8_t out[FX_BIP32_SIZE])
{
    write_head(key, version, out);
    return public_key(secp, key->secret, out + 45);
}
