/* Sums of products of a matrix and vectors, once for each instruction set. */
#include "src/matrix/sums_int.h"

#define INLINE __attribute__((always_inline)) static inline

INLINE void narrow(const int8_t *rows, size_t n, size_t length, const int16_t *digits,
                   size_t stride, int64_t *sums)
{
    const int16_t *d0 = digits, *d1 = d0 + stride, *d2 = d1 + stride, *d3 = d2 + stride;

    for (size_t r = 0; r < n; r++, rows += length) {
        int16_t row[FX_DEPTH];
        int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;

        for (size_t c = 0; c < length; c++)
            row[c] = rows[c];
        for (size_t c = 0; c < length; c++) {
            s0 += row[c] * d0[c];
            s1 += row[c] * d1[c];
            s2 += row[c] * d2[c];
            s3 += row[c] * d3[c];
        }
        sums[r] += s0;
        sums[n + r] += s1;
        sums[2 * n + r] += s2;
        sums[3 * n + r] += s3;
    }
}

INLINE void wide(const int32_t *rows, const int32_t limbs[FX_SUMS_LIMBS][FX_TILE],
                 int64_t (*sums)[FX_SUMS_LIMBS])
{
    for (size_t r = 0; r < FX_TILE; r++, rows += FX_TILE) {
        int64_t s0 = 0, s1 = 0, s2 = 0;

        for (size_t c = 0; c < FX_TILE; c++) {
            s0 += (int64_t)rows[c] * limbs[0][c];
            s1 += (int64_t)rows[c] * limbs[1][c];
            s2 += (int64_t)rows[c] * limbs[2][c];
        }
        sums[r][0] = s0;
        sums[r][1] = s1;
        sums[r][2] = s2;
    }
}

/* One way: its functions, with what the compiler may use. */
#define WAY(id, text, attributes)                                                                  \
    __attribute__(attributes) static void narrow_##id(const int8_t *rows, size_t n, size_t length, \
                                                      const int16_t *digits, size_t stride,        \
                                                      int64_t *sums)                               \
    {                                                                                              \
        narrow(rows, n, length, digits, stride, sums);                                             \
    }                                                                                              \
    __attribute__(attributes) static void wide_##id(const int32_t *rows,                           \
                                                    const int32_t limbs[FX_SUMS_LIMBS][FX_TILE],   \
                                                    int64_t(*sums)[FX_SUMS_LIMBS])                 \
    {                                                                                              \
        wide(rows, limbs, sums);                                                                   \
    }                                                                                              \
    static const struct fx_sums way_##id = {text, usable_##id, narrow_##id, wide_##id};

static bool usable_generic(void)
{
    return true;
}

WAY(generic, "generic", (optimize("O3")))

#if defined(__x86_64__) && defined(__GNUC__)

static bool usable_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}

WAY(avx2, "AVX2", (target("avx2"), optimize("O3")))

#endif

const struct fx_sums *const fx_sums_ways[] = {
#if defined(__x86_64__) && defined(__GNUC__)
    &way_avx2,
#endif
    &way_generic,
    NULL,
};

const struct fx_sums *fx_sums_best(void)
{
    const struct fx_sums *const *way = fx_sums_ways;

    while (!(*way)->usable())
        way++;
    return *way;
}
