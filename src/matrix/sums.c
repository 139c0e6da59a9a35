/*
 * Sums of products in plain C that compilers make vector code of, compiled for several instruction
 * sets. Digits are 16 bits, signed: sums are those of digits 0, 2, 4 and 6.
 */
#include "src/matrix/sums_int.h"

#include <endian.h>
#include <string.h>

#define INLINE __attribute__((always_inline)) static inline
#define DIGITS 4
#define EACH UINT64_C(0x8000800080008000) /* what makes all digits of a number not negative */

/* Digits of -2^15 to 2^15 - 1, by digit. */
static void split(const uint64_t *values, size_t n, void *digits)
{
    uint16_t *out = digits;

    for (size_t at = 0; at < n; at++) {
        const uint64_t value = (values[at] + EACH) ^ EACH;

        for (unsigned d = 0; d < DIGITS; d++)
            out[d * n + at] = (uint16_t)(value >> 16 * d);
    }
}

/* n rows; in a single int32, at most 256 products below 2^22 in size. */
INLINE void rows_of(const int8_t *rows, size_t n, size_t length, uint32_t flip, const void *digits,
                    int64_t (*sums)[FX_SUMS_DIGITS])
{
    const size_t part = length < FX_DEPTH ? length : FX_DEPTH;

    for (size_t at = 0; at < n * length; at += part) {
        const int16_t *d0 = (const int16_t *)digits + at % length;
        const int16_t *d1 = d0 + length, *d2 = d1 + length, *d3 = d2 + length;
        uint32_t words[FX_DEPTH / 4];
        int16_t row[FX_DEPTH];
        int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;

        memcpy(words, rows + at, part);
        for (size_t c = 0; c < part / 4; c++)
            words[c] ^= htole32(flip);
        for (size_t c = 0; c < part; c++)
            row[c] = ((const int8_t *)words)[c];
        for (size_t c = 0; c < part; c++) {
            s0 += row[c] * d0[c];
            s1 += row[c] * d1[c];
            s2 += row[c] * d2[c];
            s3 += row[c] * d3[c];
        }
        sums[at / length][0] += s0;
        sums[at / length][2] += s1;
        sums[at / length][4] += s2;
        sums[at / length][6] += s3;
    }
}

/* One way: its functions, with what the compiler may use. */
#define WAY(id, text, attributes)                                                                  \
    __attribute__(attributes) static void block_rows_##id(const int8_t *block, const void *digits, \
                                                          int64_t(*sums)[FX_SUMS_DIGITS])          \
    {                                                                                              \
        rows_of(block, FX_TILE, FX_DEPTH, 0, digits, sums);                                        \
    }                                                                                              \
    __attribute__(attributes) static void block_columns_##id(                                      \
        const int8_t *turned, const void *digits, int64_t(*sums)[FX_SUMS_DIGITS])                  \
    {                                                                                              \
        rows_of(turned, FX_DEPTH, FX_TILE, 0, digits, sums);                                       \
    }                                                                                              \
    __attribute__(attributes) static void tile_rows_##id(const int8_t *tile, const void *digits,   \
                                                         int64_t(*sums)[FX_SUMS_DIGITS])           \
    {                                                                                              \
        rows_of(tile, FX_TILE, FX_SUMS_LENGTH, FX_SUMS_FLIP, digits, sums);                        \
    }                                                                                              \
    static const struct fx_sums way_##id = {                                                       \
        text, usable_##id, true, split, block_rows_##id, block_columns_##id, tile_rows_##id};

static bool usable_generic(void)
{
    return true;
}

WAY(generic, "generic", (optimize("O3")))

#ifdef FX_SUMS_X86

static bool usable_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}

WAY(avx2, "AVX2", (target("avx2"), optimize("O3")))

#endif

/* clang-format off */
const struct fx_sums *const fx_sums_ways[] = {
#ifdef FX_SUMS_X86
    &fx_sums_avx512, &fx_sums_avxvnni, &way_avx2,
#endif
    &way_generic, NULL,
};
/* clang-format on */

const struct fx_sums *fx_sums_best(void)
{
    const struct fx_sums *const *way = fx_sums_ways;

    while (!(*way)->usable())
        way++;
    return *way;
}
