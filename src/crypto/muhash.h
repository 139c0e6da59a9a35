/*
 * MuHash3072: a hash of a set. Each element is a number modulo the prime 2^3072 - 1103717, and the
 * set is their product, so that elements can come in any order. Bitcoin Core's gettxoutsetinfo has
 * it.
 */
#ifndef FX_CRYPTO_MUHASH_H
#define FX_CRYPTO_MUHASH_H

#include <stddef.h>
#include <stdint.h>

#define FX_MUHASH_BYTES 384
#define FX_MUHASH_LIMBS (FX_MUHASH_BYTES / 8)

struct fx_muhash {
    uint64_t product[FX_MUHASH_LIMBS]; /* least limb first; below 2^3072 */
};

void fx_muhash_init(struct fx_muhash *set); /* the empty set */
void fx_muhash_insert(struct fx_muhash *set, const void *data, size_t n);
/* SHA-256 of the product, reduced, least byte first. */
void fx_muhash_final(const struct fx_muhash *set, uint8_t out[32]);

#endif
