/* BIP340 tagged hashes: TH(tag, x) = H(H(tag) || H(tag) || x). */
#ifndef FX_CRYPTO_TAGHASH_H
#define FX_CRYPTO_TAGHASH_H

#include <stddef.h>
#include <stdint.h>

#include "src/crypto/sha256.h"

/* ctx after the 64 bytes H(tag) || H(tag): a midstate, to copy where a tag is used often. */
void fx_tagged_init(struct fx_sha256 *ctx, const char *tag);
void fx_tagged_hash(const char *tag, const void *data, size_t n, uint8_t out[32]);

#endif
