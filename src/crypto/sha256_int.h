/* The implementations behind sha256.h, for the run-time choice and for tests that compare them. */
#ifndef FX_CRYPTO_SHA256_INT_H
#define FX_CRYPTO_SHA256_INT_H

#include <stddef.h>
#include <stdint.h>

#include "src/crypto/cpu_int.h"

extern const uint32_t fx_sha256_k[64];

void fx_sha256_transform_generic(uint32_t state[8], const uint8_t *data, size_t blocks);
void fx_sha256d_64_generic(uint8_t *out, const uint8_t *in, size_t count);

#ifdef FX_CRYPTO_X86
/* Only where fx_cpu_has_sha(). */
void fx_sha256_transform_shani(uint32_t state[8], const uint8_t *data, size_t blocks);
void fx_sha256d_64_shani(uint8_t *out, const uint8_t *in, size_t count);
#endif

#endif
