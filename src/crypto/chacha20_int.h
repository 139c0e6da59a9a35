/* The implementations behind chacha20.h, for the run-time choice and for tests that compare them.
 */
#ifndef FX_CRYPTO_CHACHA20_INT_H
#define FX_CRYPTO_CHACHA20_INT_H

#include <stddef.h>
#include <stdint.h>

#include "src/crypto/cpu_int.h"

/*
 * Whole blocks of keystream from the state `input`, whose word 12 is the counter of the first;
 * input is not changed. Both write as many blocks as they handle at a time, the largest multiple of
 * that in `blocks`, and return how many.
 */
size_t fx_chacha20_blocks_four(const uint32_t input[16], uint8_t *out, size_t blocks);
#ifdef FX_CRYPTO_X86
/* Only where fx_cpu_has_avx2(). */
size_t fx_chacha20_blocks_avx2(const uint32_t input[16], uint8_t *out, size_t blocks);
#endif

#endif
