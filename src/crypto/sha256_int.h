/* The implementations behind sha256.h, for the run-time choice and for tests that compare them. */
#ifndef FX_CRYPTO_SHA256_INT_H
#define FX_CRYPTO_SHA256_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/crypto/cpu_int.h"

extern const uint32_t fx_sha256_k[64];
extern const uint32_t fx_sha256_start[8]; /* the state before any message */

#define FX_SHA256_NONCES 16 /* implementations of fx_sha256d_nonces take a multiple of these */

/* For tests and benches: plain C, whatever the processor has; or, with false, the best again. */
void fx_sha256_use_generic(bool generic_only);

void fx_sha256_transform_generic(uint32_t state[8], const uint8_t *data, size_t blocks);
void fx_sha256d_64_generic(uint8_t *out, const uint8_t *in, size_t count);
/* tail: the three words after the first block, as SHA-256 reads them. count: a multiple of
 * FX_SHA256_NONCES. */
void fx_sha256d_nonces_generic(const uint32_t midstate[8], const uint32_t tail[3], uint32_t first,
                               size_t count, uint32_t *top);

#ifdef FX_CRYPTO_X86
/* Only where fx_cpu_has_sha(). */
void fx_sha256_transform_shani(uint32_t state[8], const uint8_t *data, size_t blocks);
void fx_sha256d_64_shani(uint8_t *out, const uint8_t *in, size_t count);
void fx_sha256d_nonces_shani(const uint32_t midstate[8], const uint32_t tail[3], uint32_t first,
                             size_t count, uint32_t *top);
/* Only where fx_cpu_has_avx2(). */
void fx_sha256d_nonces_avx2(const uint32_t midstate[8], const uint32_t tail[3], uint32_t first,
                            size_t count, uint32_t *top);
/* Only where fx_cpu_has_avx512(). */
void fx_sha256d_nonces_avx512(const uint32_t midstate[8], const uint32_t tail[3], uint32_t first,
                              size_t count, uint32_t *top);
#endif

/* Hashes nonces, one way. */
struct fx_sha256_nonces {
    const char *name;
    bool (*usable)(void);
    void (*run)(const uint32_t midstate[8], const uint32_t tail[3], uint32_t first, size_t count,
                uint32_t *top);
};

/* Fastest first; the last one is usable everywhere. NULL ends. */
extern const struct fx_sha256_nonces *const fx_sha256_nonces_ways[];

#endif
