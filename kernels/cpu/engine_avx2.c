/*
 * AVX2: multiply-adds of pairs of 16 bits. packed: eight groups of sixteen rows; in each, for every
 * two columns, sixteen rows of two int16: rows 0 - 3 and 8 - 11 in one vector, 4 - 7 and 12 - 15 in
 * the next, as unpacking leaves them.
 */
#include "kernels/cpu/engine_common.h"

#ifdef FX_CPU_X86

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2"), optimize("O3")))
#define AVX2_INLINE AVX2 __attribute__((always_inline)) static inline

#define STEPS (FX_DEPTH / 2)
#define STEP_WORDS (2 * FX_CPU_ROWS)
#define GROUP_WORDS ((size_t)STEPS * STEP_WORDS)

static bool usable(void)
{
    return __builtin_cpu_supports("avx2");
}

/* Sixteen rows of two columns. */
AVX2_INLINE void put(int16_t *out, __m256i even, __m256i odd)
{
    _mm256_store_si256((__m256i *)(void *)out, _mm256_unpacklo_epi16(even, odd));
    _mm256_store_si256((__m256i *)(void *)(out + 16), _mm256_unpackhi_epi16(even, odd));
}

AVX2_INLINE __m256i widened(const int8_t *at)
{
    return _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(const void *)at));
}

AVX2 static bool pack(enum fx_side side, const int8_t *rows, const struct fx_cpu_perm *perm,
                      const struct fx_cpu_panel *panel, void *packed, int8_t *columns)
{
    _Alignas(FX_CPU_ALIGN) int8_t work[FX_BLOCK_BYTES], spare[FX_BLOCK_BYTES];
    const int8_t *noised = fx_cpu_noised_columns(side, rows, perm, panel, work, spare, columns);
    int16_t *out = packed;

    for (size_t at = 0; at < FX_BLOCK_BYTES; at += STEP_WORDS)
        put(out + at, widened(noised + at), widened(noised + at + FX_CPU_ROWS));
    return fx_cpu_in_range(rows);
}

AVX2 static void gather(const int8_t *const columns[FX_CPU_CHUNK], const struct fx_cpu_plan *plan,
                        bool more, int32_t *wide)
{
    fx_cpu_gather(columns, plan, more, wide);
}

/* Rows 4 t .. 4 t + 3 of the group at a, by the columns of the group at b: 4 x 16 sums. */
AVX2_INLINE void multiply(const int16_t *a, const int16_t *b, bool more, int32_t *d)
{
    __m256i sums[4][2];

#pragma GCC unroll 4
    for (unsigned r = 0; r < 4; r++)
        sums[r][0] = sums[r][1] = _mm256_setzero_si256();
    for (unsigned step = 0; step < STEPS; step++, a += STEP_WORDS, b += STEP_WORDS) {
        const __m256i b0 = _mm256_load_si256((const __m256i *)(const void *)b);
        const __m256i b1 = _mm256_load_si256((const __m256i *)(const void *)(b + 16));

#pragma GCC unroll 4
        for (unsigned r = 0; r < 4; r++) {
            int32_t pair;
            __m256i v;

            memcpy(&pair, a + (size_t)2 * r, sizeof pair);
            v = _mm256_set1_epi32(pair);
            sums[r][0] = _mm256_add_epi32(sums[r][0], _mm256_madd_epi16(v, b0));
            sums[r][1] = _mm256_add_epi32(sums[r][1], _mm256_madd_epi16(v, b1));
        }
    }
#pragma GCC unroll 4
    for (unsigned r = 0; r < 4; r++) {
        __m256i *at = (__m256i *)(void *)(d + (size_t)r * FX_TILE);
        const __m256i low = _mm256_permute2x128_si256(sums[r][0], sums[r][1], 0x20);
        const __m256i high = _mm256_permute2x128_si256(sums[r][0], sums[r][1], 0x31);

        _mm256_store_si256(at, more ? _mm256_add_epi32(_mm256_load_si256(at), low) : low);
        _mm256_store_si256(at + 1, more ? _mm256_add_epi32(_mm256_load_si256(at + 1), high) : high);
    }
}

AVX2 static void product(const void *left, const void *right, bool more, int32_t *d)
{
    /* Where in a step the rows 0, 4, 8 and 12 are. */
    static const size_t first[4] = {0, 16, 8, 24};
    const int16_t *a = left, *b = right;

    for (size_t column = 0; column < FX_TILE / FX_CPU_ROWS; column++) {
        for (size_t four = 0; four < FX_TILE / 4; four++)
            multiply(a + four / 4 * GROUP_WORDS + first[four % 4], b + column * GROUP_WORDS, more,
                     d + 4 * four * FX_TILE + column * FX_CPU_ROWS);
    }
}

AVX2 static void bricks(const void *const left[], const void *const right[], unsigned n, bool more,
                        uint32_t *sum, uint32_t (*words)[8], const struct fx_cpu_soon *soon)
{
    (void)soon;
    fx_cpu_bricks(product, left, right, n, more, sum, words);
}

/* Sixteen bits are one digit here: it is `low`. */
AVX2 static bool digits(enum fx_side side, int32_t *wide, void *high, void *low)
{
    int16_t *out = low;
    int32_t rest = 0;

    (void)side;
    (void)high;
    for (size_t at = 0; at < FX_BLOCK_BYTES; at += STEP_WORDS) {
        _Alignas(32) int16_t part[STEP_WORDS];

        for (size_t i = 0; i < STEP_WORDS; i++) {
            part[i] = (int16_t)fx_cpu_take(wide + at + i);
            rest |= wide[at + i];
        }
        put(out + at, _mm256_load_si256((const __m256i *)(const void *)part),
            _mm256_load_si256((const __m256i *)(const void *)(part + 16)));
    }
    return rest != 0;
}

AVX2 static void peel(const void *const g[2], const void *lb, const void *la,
                      const void *const h[2], uint32_t *sum, const struct fx_cpu_soon *soon)
{
    _Alignas(FX_CPU_ALIGN) int32_t d[FX_TILE_ENTRIES];

    (void)soon;
    product(g[1], lb, false, d);
    product(la, h[1], true, d);
    fx_cpu_subtract(d, sum);
}

const struct fx_cpu_engine fx_cpu_engine_avx2 = {
    .name = "AVX2",
    .usable = usable,
    .packed_bytes = FX_BLOCK_BYTES * sizeof(int16_t),
    .pack = pack,
    .gather = gather,
    .bricks = bricks,
    .digits = digits,
    .peel = peel,
};

#endif
