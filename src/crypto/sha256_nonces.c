/* Nonces of the hash lane: four at a time with what any processor has, and the choice of the way at
 * run time. */
#include "src/crypto/sha256.h"

#include <stdatomic.h>
#include <string.h>

#include "src/crypto/bytes_int.h"

#define LANES 4
#define LANES_TARGET
#include "src/crypto/sha256_lanes_int.h"

void fx_sha256d_nonces_generic(const uint32_t midstate[8], const uint32_t tail[3], uint32_t first,
                               size_t count, uint32_t *top)
{
    lanes_run(midstate, tail, first, count, top);
}

static bool always(void)
{
    return true;
}

static const struct fx_sha256_nonces generic = {"generic", always, fx_sha256d_nonces_generic};

#ifdef FX_CRYPTO_X86
static const struct fx_sha256_nonces avx512 = {"avx-512", fx_cpu_has_avx512,
                                               fx_sha256d_nonces_avx512};
static const struct fx_sha256_nonces shani = {"sha-ni", fx_cpu_has_sha, fx_sha256d_nonces_shani};
static const struct fx_sha256_nonces avx2 = {"avx2", fx_cpu_has_avx2, fx_sha256d_nonces_avx2};
#endif

const struct fx_sha256_nonces *const fx_sha256_nonces_ways[] = {
#ifdef FX_CRYPTO_X86
    &avx512,  &shani, &avx2,
#endif
    &generic, NULL,
};

/* Threads may race to the first use: they all store the same value. */
static const struct fx_sha256_nonces *chosen(void)
{
    static _Atomic(const struct fx_sha256_nonces *) choice;
    const struct fx_sha256_nonces *way = atomic_load_explicit(&choice, memory_order_relaxed);

    for (size_t at = 0; !way; at++) {
        if (fx_sha256_nonces_ways[at]->usable())
            way = fx_sha256_nonces_ways[at];
    }
    atomic_store_explicit(&choice, way, memory_order_relaxed);
    return way;
}

void fx_sha256d_nonces(const uint32_t midstate[8], const uint8_t tail[12], uint32_t first,
                       size_t count, uint32_t *top)
{
    const size_t whole = count / FX_SHA256_NONCES * FX_SHA256_NONCES;
    const uint32_t words[3] = {load_be32(tail), load_be32(tail + 4), load_be32(tail + 8)};
    uint32_t rest[FX_SHA256_NONCES];

    chosen()->run(midstate, words, first, whole, top);
    if (whole == count)
        return;
    chosen()->run(midstate, words, first + (uint32_t)whole, FX_SHA256_NONCES, rest);
    memcpy(top + whole, rest, (count - whole) * sizeof *top);
}
