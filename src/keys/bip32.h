/* Extended keys, secret and public: BIP32. */
#ifndef FX_KEYS_BIP32_H
#define FX_KEYS_BIP32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <secp256k1.h>

#define FX_BIP32_HARDENED UINT32_C(0x80000000)
#define FX_BIP32_SIZE 78 /* serialized, before base58check */

/* Secret: zero it with fx_secure_zero when it is done with. */
struct fx_bip32 {
    uint8_t secret[32], chain[32];
    uint8_t depth;
    uint8_t parent[4]; /* fingerprint */
    uint32_t index;
};

/* False for a seed whose key is no key; the chance is below 2^-127. */
bool fx_bip32_master(const secp256k1_context *secp, const uint8_t *seed, size_t n,
                     struct fx_bip32 *out);
/* The child with this index (with FX_BIP32_HARDENED or not). out may be parent. False where the
 * index has no key (chance below 2^-127) or the depth is at its end. */
bool fx_bip32_child(const secp256k1_context *secp, const struct fx_bip32 *parent, uint32_t index,
                    struct fx_bip32 *out);
/* What a secret key shows of itself. */
struct fx_bip32_public {
    uint8_t key[33], chain[32];
    uint8_t depth;
    uint8_t parent[4];
    uint32_t index;
};

bool fx_bip32_neuter(const secp256k1_context *secp, const struct fx_bip32 *key,
                     struct fx_bip32_public *out);
/* The child of an index without FX_BIP32_HARDENED. out may be parent. False as above. */
bool fx_bip32_public_child(const struct fx_bip32_public *parent, uint32_t index,
                           struct fx_bip32_public *out);

/* With these version bytes, big-endian value: "xprv..." or "xpub..." after base58check. */
void fx_bip32_write_secret(const struct fx_bip32 *key, uint32_t version,
                           uint8_t out[FX_BIP32_SIZE]);
void fx_bip32_write_public(const struct fx_bip32_public *key, uint32_t version,
                           uint8_t out[FX_BIP32_SIZE]);
/* False for other version bytes, or what is no key. */
bool fx_bip32_read_secret(const uint8_t in[FX_BIP32_SIZE], uint32_t version, struct fx_bip32 *key);
bool fx_bip32_read_public(const uint8_t in[FX_BIP32_SIZE], uint32_t version,
                          struct fx_bip32_public *key);

#endif
