/*
 * AVX-VNNI: vpdpbusd on 256 bits, for processors that have it without AVX-512. packed:
 * eight groups of sixteen rows; in each, for every four columns, sixteen rows of four bytes. The
 * left factor has 128 added, and what that adds to each sum is behind the right factor, taken
 * negative.
 */
#include "kernels/cpu/engine_common.h"

#ifdef FX_CPU_X86

#include <cpuid.h>
#include <immintrin.h>

#define AVXVNNI __attribute__((target("avx2,avxvnni"), optimize("O3")))
#define AVXVNNI_INLINE AVXVNNI __attribute__((always_inline)) static inline

#define GROUPS (FX_TILE / FX_CPU_ROWS)
#define STEPS (FX_DEPTH / 4)
#define STEP_BYTES (4 * FX_CPU_ROWS)
#define LEAF7_1_EAX_AVX_VNNI (1u << 4)

struct packed {
    uint8_t bytes[FX_BLOCK_BYTES];
    int32_t correction[FX_TILE];
};

static bool usable(void)
{
    unsigned a, b, c, d;

    return __builtin_cpu_supports("avx2") && __get_cpuid_count(7, 1, &a, &b, &c, &d) &&
           (a & LEAF7_1_EAX_AVX_VNNI) != 0;
}

/* Sixteen rows of four columns; for side B their sums go to `sums`. */
AVXVNNI_INLINE void put(enum fx_side side, const __m128i c[4], uint8_t *out, __m256i sums[2])
{
    const __m128i low01 = _mm_unpacklo_epi8(c[0], c[1]), high01 = _mm_unpackhi_epi8(c[0], c[1]);
    const __m128i low23 = _mm_unpacklo_epi8(c[2], c[3]), high23 = _mm_unpackhi_epi8(c[2], c[3]);
    __m256i v[2];

    v[0] = _mm256_set_m128i(_mm_unpackhi_epi16(low01, low23), _mm_unpacklo_epi16(low01, low23));
    v[1] = _mm256_set_m128i(_mm_unpackhi_epi16(high01, high23), _mm_unpacklo_epi16(high01, high23));
    for (unsigned i = 0; i < 2; i++) {
        if (side == FX_SIDE_A)
            v[i] = _mm256_xor_si256(v[i], _mm256_set1_epi8(-128));
        else
            sums[i] = _mm256_dpbusd_avx_epi32(sums[i], _mm256_set1_epi8(1), v[i]);
        _mm256_store_si256((__m256i *)(void *)(out + (size_t)32 * i), v[i]);
    }
}

AVXVNNI_INLINE void put_correction(struct packed *packed, size_t group, const __m256i sums[2])
{
    for (unsigned i = 0; i < 2; i++) {
        const __m256i negative = _mm256_sub_epi32(_mm256_setzero_si256(), sums[i]);

        _mm256_store_si256(
            (__m256i *)(void *)(packed->correction + group * FX_CPU_ROWS + (size_t)8 * i),
            _mm256_slli_epi32(negative, 7));
    }
}

AVXVNNI static bool pack(enum fx_side side, const int8_t *rows, const struct fx_cpu_perm *perm,
                         const struct fx_cpu_panel *panel, void *packed, int8_t *columns)
{
    _Alignas(FX_CPU_ALIGN) int8_t work[FX_BLOCK_BYTES], spare[FX_BLOCK_BYTES];
    const int8_t *noised = fx_cpu_noised_columns(side, rows, perm, panel, work, spare, columns);
    struct packed *out = packed;

    for (size_t group = 0; group < GROUPS; group++) {
        __m256i sums[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};

        for (size_t step = 0; step < STEPS; step++) {
            const size_t at = group * FX_CPU_GROUP_BYTES + step * STEP_BYTES;
            __m128i c[4];

            for (size_t i = 0; i < 4; i++)
                c[i] = _mm_load_si128((const __m128i *)(const void *)(noised + at + 16 * i));
            put(side, c, out->bytes + at, sums);
        }
        put_correction(out, group, sums);
    }
    return fx_cpu_in_range(rows);
}

AVXVNNI static void gather(const int8_t *const columns[FX_CPU_CHUNK],
                           const struct fx_cpu_plan *plan, bool more, int32_t *wide)
{
    fx_cpu_gather(columns, plan, more, wide);
}

/* sum += a . b, in place: with the intrinsic, GCC 12 moves the sums to other registers and back in
 * every step of the loop below. */
AVXVNNI_INLINE void dot(__m256i *sum, __m256i a, __m256i b)
{
    __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(*sum) : "x"(a), "x"(b));
}

/* Rows 4 t .. 4 t + 3 of the group at a, by the columns of the group at b: 4 x 16 sums. */
AVXVNNI_INLINE void multiply(const uint8_t *a, const uint8_t *b, const int32_t *correction,
                             bool more, int32_t *d)
{
    const __m256i c0 = _mm256_load_si256((const __m256i *)(const void *)correction);
    const __m256i c1 = _mm256_load_si256((const __m256i *)(const void *)(correction + 8));
    __m256i sums[4][2];

#pragma GCC unroll 4
    for (unsigned r = 0; r < 4; r++) {
        sums[r][0] = c0;
        sums[r][1] = c1;
    }
    for (unsigned step = 0; step < STEPS; step++, a += STEP_BYTES, b += STEP_BYTES) {
        const __m256i b0 = _mm256_load_si256((const __m256i *)(const void *)b);
        const __m256i b1 = _mm256_load_si256((const __m256i *)(const void *)(b + 32));

#pragma GCC unroll 4
        for (unsigned r = 0; r < 4; r++) {
            int32_t four;
            __m256i v;

            memcpy(&four, a + (size_t)4 * r, sizeof four);
            v = _mm256_set1_epi32(four);
            dot(&sums[r][0], v, b0);
            dot(&sums[r][1], v, b1);
        }
    }
#pragma GCC unroll 4
    for (unsigned r = 0; r < 4; r++) {
        __m256i *at = (__m256i *)(void *)(d + (size_t)r * FX_TILE);

        for (unsigned i = 0; i < 2; i++)
            _mm256_store_si256(at + i, more
                                           ? _mm256_add_epi32(_mm256_load_si256(at + i), sums[r][i])
                                           : sums[r][i]);
    }
}

AVXVNNI static void product(const void *left, const void *right, bool more, int32_t *d)
{
    const struct packed *a = left, *b = right;

    for (size_t column = 0; column < GROUPS; column++) {
        for (size_t four = 0; four < FX_TILE / 4; four++)
            multiply(a->bytes + four / 4 * FX_CPU_GROUP_BYTES + four % 4 * 16,
                     b->bytes + column * FX_CPU_GROUP_BYTES, b->correction + column * FX_CPU_ROWS,
                     more, d + 4 * four * FX_TILE + column * FX_CPU_ROWS);
    }
}

AVXVNNI static void bricks(const void *const left[], const void *const right[], unsigned n,
                           bool more, uint32_t *sum, uint32_t (*words)[8],
                           const struct fx_cpu_soon *soon)
{
    (void)soon;
    fx_cpu_bricks(product, left, right, n, more, sum, words);
}

AVXVNNI static bool digits(enum fx_side side, int32_t *wide, void *high, void *low)
{
    struct packed *first = high, *last = low;
    int32_t rest = 0;

    for (size_t group = 0; group < GROUPS; group++) {
        __m256i first_sums[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
        __m256i last_sums[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};

        for (size_t step = 0; step < STEPS; step++) {
            const size_t at = group * FX_CPU_GROUP_BYTES + step * STEP_BYTES;
            int8_t h[STEP_BYTES], l[STEP_BYTES];
            __m128i hc[4], lc[4];

            for (size_t i = 0; i < STEP_BYTES; i++) {
                const int32_t part = fx_cpu_take(wide + at + i);

                rest |= wide[at + i];
                l[i] = (int8_t)part;
                h[i] = (int8_t)((part - l[i]) / 256);
            }
            memcpy(hc, h, sizeof hc);
            memcpy(lc, l, sizeof lc);
            put(side, hc, first->bytes + at, first_sums);
            put(side, lc, last->bytes + at, last_sums);
        }
        put_correction(first, group, first_sums);
        put_correction(last, group, last_sums);
    }
    return rest != 0;
}

AVXVNNI static void peel(const void *const g[2], const void *lb, const void *la,
                         const void *const h[2], uint32_t *sum, const struct fx_cpu_soon *soon)
{
    _Alignas(FX_CPU_ALIGN) int32_t d[FX_TILE_ENTRIES];

    (void)soon;
    product(g[0], lb, false, d);
    product(la, h[0], true, d);
    for (size_t at = 0; at < FX_TILE_ENTRIES; at++)
        d[at] = (int32_t)((uint32_t)d[at] << 8);
    product(g[1], lb, true, d);
    product(la, h[1], true, d);
    fx_cpu_subtract(d, sum);
}

const struct fx_cpu_engine fx_cpu_engine_avxvnni = {
    .name = "AVX-VNNI",
    .usable = usable,
    .packed_bytes = sizeof(struct packed),
    .pack = pack,
    .gather = gather,
    .bricks = bricks,
    .digits = digits,
    .peel = peel,
};

#endif
