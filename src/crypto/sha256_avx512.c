/* Double SHA-256 of sixteen headers at a time, with AVX-512. */
#include "src/crypto/sha256_int.h"

#ifdef FX_CRYPTO_X86

#define LANES 16
#define LANES_TARGET __attribute__((target("avx512f")))
#include "src/crypto/sha256_lanes_int.h"

LANES_TARGET void fx_sha256d_nonces_avx512(const uint32_t midstate[8], const uint32_t tail[3],
                                           uint32_t first, size_t count, uint32_t *top)
{
    lanes_run(midstate, tail, first, count, top);
}

#endif
