/* SipHash-2-4 with a 128-bit key. */
#ifndef FX_CRYPTO_SIPHASH_H
#define FX_CRYPTO_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t fx_siphash(uint64_t k0, uint64_t k1, const void *data, size_t n);

#endif
