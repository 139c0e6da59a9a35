/*
 * AVX-512 with VNNI and VBMI: how blocks are packed, gathered and taken apart into digits. The
 * products, and the layout that they want, are in kernels/cpu/strip_avx512.h.
 */
#include "kernels/cpu/engine_int.h"

#ifdef FX_CPU_X86

#include <string.h>

#include "kernels/cpu/strip_avx512.h"

#define STEPS (FX_DEPTH / 4)
#define WIDE_AHEAD 1024 /* sums of gather that are asked for before they are needed */

/* Byte 4 r + i of four columns in a vector from byte 16 i + r, and back. */
static const uint8_t interleave[VECTOR] = {
    0,  16, 32, 48, 1,  17, 33, 49, 2,  18, 34, 50, 3,  19, 35, 51, 4,  20, 36, 52, 5,  21,
    37, 53, 6,  22, 38, 54, 7,  23, 39, 55, 8,  24, 40, 56, 9,  25, 41, 57, 10, 26, 42, 58,
    11, 27, 43, 59, 12, 28, 44, 60, 13, 29, 45, 61, 14, 30, 46, 62, 15, 31, 47, 63,
};
static const uint8_t deinterleave[VECTOR] = {
    0,  4,  8,  12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 1,  5,  9,  13, 17, 21,
    25, 29, 33, 37, 41, 45, 49, 53, 57, 61, 2,  6,  10, 14, 18, 22, 26, 30, 34, 38, 42, 46,
    50, 54, 58, 62, 3,  7,  11, 15, 19, 23, 27, 31, 35, 39, 43, 47, 51, 55, 59, 63,
};

static bool usable(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni") &&
           __builtin_cpu_supports("avx512vbmi");
}

/* Rows of sixteen words each, to columns. */
AVX512_INLINE void transpose(__m512i v[16])
{
    __m512i t[16];

#pragma GCC unroll 4
    for (unsigned i = 0; i < 16; i += 4) {
        const __m512i a = _mm512_unpacklo_epi32(v[i], v[i + 1]);
        const __m512i b = _mm512_unpackhi_epi32(v[i], v[i + 1]);
        const __m512i c = _mm512_unpacklo_epi32(v[i + 2], v[i + 3]);
        const __m512i d = _mm512_unpackhi_epi32(v[i + 2], v[i + 3]);

        t[i] = _mm512_unpacklo_epi64(a, c);
        t[i + 1] = _mm512_unpackhi_epi64(a, c);
        t[i + 2] = _mm512_unpacklo_epi64(b, d);
        t[i + 3] = _mm512_unpackhi_epi64(b, d);
    }
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; i++) {
        const __m512i a = _mm512_shuffle_i32x4(t[i], t[i + 4], 0x88);
        const __m512i b = _mm512_shuffle_i32x4(t[i], t[i + 4], 0xdd);
        const __m512i c = _mm512_shuffle_i32x4(t[i + 8], t[i + 12], 0x88);
        const __m512i d = _mm512_shuffle_i32x4(t[i + 8], t[i + 12], 0xdd);

        v[i] = _mm512_shuffle_i32x4(a, c, 0x88);
        v[i + 8] = _mm512_shuffle_i32x4(a, c, 0xdd);
        v[i + 4] = _mm512_shuffle_i32x4(b, d, 0x88);
        v[i + 12] = _mm512_shuffle_i32x4(b, d, 0xdd);
    }
}

/* Sixteen rows of four columns, each from its own place, one after the other. */
AVX512_INLINE __m512i four_columns(const int8_t *a, const int8_t *b, const int8_t *c,
                                   const int8_t *d)
{
    __m512i v = _mm512_castsi128_si512(_mm_load_si128((const __m128i *)(const void *)a));

    v = _mm512_mask_broadcast_i32x4(v, 0x00f0, _mm_load_si128((const __m128i *)(const void *)b));
    v = _mm512_mask_broadcast_i32x4(v, 0x0f00, _mm_load_si128((const __m128i *)(const void *)c));
    return _mm512_mask_broadcast_i32x4(v, 0xf000, _mm_load_si128((const __m128i *)(const void *)d));
}

/* sums: of the entries of sixteen rows. */
AVX512_INLINE void put_correction(struct packed *packed, unsigned group, __m512i sums)
{
    const __m512i negative = _mm512_sub_epi32(_mm512_setzero_si512(), sums);

    _mm512_store_si512(packed->correction + (size_t)group * FX_CPU_ROWS,
                       _mm512_slli_epi32(negative, 7));
}

/* Four bytes of each of sixteen rows; of the right factor, sums are of the rows. */
AVX512_INLINE void put_step(enum fx_side side, struct packed *packed, unsigned group, unsigned step,
                            __m512i v, __m512i *sums)
{
    uint8_t *bytes = packed->bytes + (size_t)group * FX_CPU_GROUP_BYTES;

    if (side == FX_SIDE_A) {
        v = _mm512_xor_si512(v, _mm512_set1_epi8(-128));
        v = _mm512_shuffle_i32x4(v, v, _MM_SHUFFLE(3, 1, 2, 0));
        _mm256_store_si256((__m256i *)(void *)(bytes + (size_t)step * VECTOR / 2),
                           _mm512_castsi512_si256(v));
        _mm256_store_si256((__m256i *)(void *)(bytes + HALF + (size_t)step * VECTOR / 2),
                           _mm512_extracti64x4_epi64(v, 1));
    } else {
        *sums = _mm512_dpbusd_epi32(*sums, _mm512_set1_epi8(1), v);
        _mm512_store_si512(bytes + (size_t)step * VECTOR, v);
    }
}

/* What is packed is further away than the work on it: the vectors of the next group at the same
 * place, of L with either sign and of what is written. */
AVX512_INLINE void ask_ahead(const struct fx_cpu_panel *panel, const uint8_t *bytes, size_t at)
{
    const size_t next = at + FX_CPU_GROUP_BYTES;

    if (panel) {
        _mm_prefetch((const char *)panel->columns + next, _MM_HINT_T0);
        _mm_prefetch((const char *)panel->columns + FX_BLOCK_BYTES + next, _MM_HINT_T0);
    }
    __builtin_prefetch(bytes + next, 1);
}

/* side, noised and whether columns are wanted are known where this is called from. */
AVX512_INLINE bool pack_any(enum fx_side side, const int8_t *rows, const struct fx_cpu_perm *perm,
                            const struct fx_cpu_panel *panel, struct packed *packed,
                            int8_t *columns)
{
    const __m512i join = _mm512_loadu_si512(interleave), split = _mm512_loadu_si512(deinterleave);
    __m512i outside = _mm512_setzero_si512(); /* the top bit of what is */

    for (unsigned group = 0; group < GROUPS; group++) {
        const size_t base = (size_t)group * FX_CPU_GROUP_BYTES;
        __m512i sums = _mm512_setzero_si512();

        for (unsigned quarter = 0; quarter < 4; quarter++) {
            const int8_t *from = rows + base + (size_t)quarter * VECTOR;
            __m512i v[16];

#pragma GCC unroll 16
            for (unsigned r = 0; r < 16; r++)
                v[r] = _mm512_loadu_si512(from + (size_t)r * FX_DEPTH);
            transpose(v);
#pragma GCC unroll 16
            for (unsigned i = 0; i < 16; i++) {
                const unsigned step = 16 * quarter + i;
                const size_t at = base + (size_t)step * VECTOR;
                __m512i noised = v[i];

                if (group < GROUPS - 1)
                    ask_ahead(perm ? panel : NULL, packed->bytes, at);
                /* v | (v ^ 2 v): within the range the top two bits are the same. */
                outside =
                    _mm512_ternarylogic_epi32(outside, v[i], _mm512_add_epi8(v[i], v[i]), 0xf6);
                if (perm) {
                    const uint16_t *c = perm->from + (size_t)4 * step;
                    const int8_t *l = panel->columns + base;
                    const __m512i noise = four_columns(l + c[0], l + c[1], l + c[2], l + c[3]);

                    noised = _mm512_add_epi8(noised, _mm512_permutexvar_epi8(join, noise));
                }
                if (columns)
                    _mm512_store_si512(columns + at, _mm512_permutexvar_epi8(
                                                         split, side == FX_SIDE_A ? v[i] : noised));
                put_step(side, packed, group, step, noised, &sums);
            }
        }
        put_correction(packed, group, sums);
    }
    return _mm512_movepi8_mask(outside) == 0;
}

AVX512 static bool pack(enum fx_side side, const int8_t *rows, const struct fx_cpu_perm *perm,
                        const struct fx_cpu_panel *panel, void *packed, int8_t *columns)
{
    if (!perm)
        return pack_any(side, rows, NULL, NULL, packed, columns);
    if (side == FX_SIDE_A)
        return pack_any(FX_SIDE_A, rows, perm, panel, packed, columns);
    return pack_any(FX_SIDE_B, rows, perm, panel, packed, columns);
}

/* Four segments are four bytes of one multiply-add with their signs; 128 is added to make the
 * entries unsigned. */
AVX512 static void gather(const int8_t *const columns[FX_CPU_CHUNK], const struct fx_cpu_plan *plan,
                          bool more, int32_t *wide)
{
    const __m512i join = _mm512_loadu_si512(interleave), offset = _mm512_set1_epi8(-128);

    for (unsigned group = 0; group < GROUPS; group++) {
        const size_t base = (size_t)group * FX_CPU_GROUP_BYTES;
        const int8_t *at0 = columns[0] + base, *at1 = columns[1] + base;
        const int8_t *at2 = columns[2] + base, *at3 = columns[3] + base;

        for (unsigned x = 0; x < FX_DEPTH; x++) {
            const uint16_t *c = plan->from[x];
            int32_t *at = wide + base + (size_t)x * FX_CPU_ROWS;
            __m512i v = four_columns(at0 + c[0], at1 + c[1], at2 + c[2], at3 + c[3]);
            __m512i sum = _mm512_set1_epi32(plan->correction[x]);
            int32_t signs;

            __builtin_prefetch(at + WIDE_AHEAD, 1);
            if (more)
                sum = _mm512_add_epi32(sum, _mm512_load_si512(at));
            memcpy(&signs, plan->sign[x], sizeof signs);
            v = _mm512_xor_si512(_mm512_permutexvar_epi8(join, v), offset);
            _mm512_store_si512(at, _mm512_dpbusd_epi32(sum, v, _mm512_set1_epi32(signs)));
        }
    }
}

/* How far a thread has come with asking for what it needs soon. */
struct asking {
    const struct fx_cpu_soon *soon; /* or NULL */
    size_t range, at;
};

/* The next `n` bytes of it, n at most a packed block; or, where there is nothing, what is near. */
AVX512_INLINE const void *share(struct asking *asking, size_t n, const void *near)
{
    const uint8_t *share;
    size_t bytes;

    if (!asking->soon || asking->range == asking->soon->n)
        return near;
    bytes = asking->soon->ranges[asking->range].bytes;
    share = (const uint8_t *)asking->soon->ranges[asking->range].at +
            (bytes - asking->at < n ? bytes - n : asking->at);
    asking->at += n;
    if (asking->at >= bytes) {
        asking->range++;
        asking->at = 0;
    }
    return share;
}

/* Turns fragments 2 v and 2 v + 1 of all columns by 5 fc. */
AVX512_INLINE __m512i turned(__m512i x, unsigned v)
{
    const int even = (int)(10 * v % 32), odd = (int)((10 * v + 5) % 32);
    const __m512i turns = _mm512_inserti64x4(_mm512_set1_epi32(even), _mm256_set1_epi32(odd), 1);

    return _mm512_rolv_epi32(x, turns);
}

/* lanes: for each of 8 rows, 8 columns of even fragments and 8 of odd ones. */
static void fold_lanes(const uint32_t lanes[8][16], uint32_t words[8])
{
    uint32_t s[32];

    for (unsigned q = 0; q < 32; q++) {
        const uint32_t *at = lanes[q >> 2] + 2 * (q & 3);

        s[q] = at[0] ^ at[1] ^ at[8] ^ at[9];
    }
    for (unsigned w = 0; w < 8; w++)
        words[w] = s[w] ^ (s[w + 8] << 8 | s[w + 8] >> 24) ^ (s[w + 16] << 16 | s[w + 16] >> 16) ^
                   (s[w + 24] << 24 | s[w + 24] >> 8);
}

/* All fragment rows of 8 x 32 columns have turned: adds them to the lanes of their four rows. */
AVX512_INLINE void join_lanes(uint32_t lanes[4][16], const __m512i turning[8], unsigned pair)
{
#pragma GCC unroll 4
    for (unsigned t = 0; t < 4; t++) {
        const __m512i x =
            _mm512_ternarylogic_epi32(_mm512_load_si512(lanes[t]), turned(turning[2 * t], 2 * pair),
                                      turned(turning[2 * t + 1], 2 * pair + 1), 0x96);

        _mm512_store_si512(lanes[t], x);
    }
}

AVX512 static void bricks(const void *const left[], const void *const right[], unsigned n,
                          bool more, uint32_t *sum, uint32_t (*words)[8],
                          const struct fx_cpu_soon *soon)
{
    _Alignas(VECTOR) uint32_t lanes[FX_CPU_CHUNK][8][16] = {{{0}}};
    struct asking asking = {soon, 0, 0};

    if (sum && !more)
        memset(sum, 0, FX_TILE_BYTES);
    for (unsigned pair = 0; pair < 4; pair++) {
        for (unsigned s = 0; s < n; s++) {
            for (unsigned half = 0; half < 2; half++) {
                __m512i turning[8];

                folded_strip(left[s], right[s], half, pair, sum,
                             share(&asking, STRIP_ASKS, left[s]), turning);
                join_lanes(lanes[s] + (size_t)4 * half, turning, pair);
            }
        }
    }
    for (unsigned s = 0; words && s < n; s++)
        fold_lanes((const uint32_t(*)[16])lanes[s], words[s]);
}

/* What fits into two digits is taken from the sixteen sums at wide and laid into bytes i of high
 * and low; what remains is gathered in rest. */
AVX512_INLINE void take_digits(int32_t *wide, unsigned i, __m512i *high, __m512i *low,
                               __m512i *rest)
{
    const __m512i all = _mm512_load_si512(wide), byte = _mm512_set1_epi32(0xff);
    const __m512i part =
        _mm512_max_epi32(_mm512_min_epi32(all, _mm512_set1_epi32(FX_CPU_DIGITS_MAX)),
                         _mm512_set1_epi32(FX_CPU_DIGITS_MIN));
    const __m512i remains = _mm512_sub_epi32(all, part);
    const __m512i last = _mm512_srai_epi32(_mm512_slli_epi32(part, 24), 24);
    const __m512i first = _mm512_srai_epi32(_mm512_sub_epi32(part, last), 8);

    _mm512_store_si512(wide, remains);
    *rest = _mm512_or_si512(*rest, remains);
    *high = _mm512_or_si512(*high, _mm512_slli_epi32(_mm512_and_si512(first, byte), 8 * i));
    *low = _mm512_or_si512(*low, _mm512_slli_epi32(_mm512_and_si512(last, byte), 8 * i));
}

AVX512 static bool digits(enum fx_side side, int32_t *wide, void *high, void *low)
{
    __m512i rest = _mm512_setzero_si512();

    for (unsigned group = 0; group < GROUPS; group++) {
        __m512i high_sums = _mm512_setzero_si512(), low_sums = _mm512_setzero_si512();
        const __m512i zero = _mm512_setzero_si512();

        for (unsigned step = 0; step < STEPS; step++) {
            const size_t at = (size_t)group * FX_CPU_GROUP_BYTES + (size_t)step * VECTOR;
            __m512i h = zero, l = zero;

#pragma GCC unroll 4
            for (unsigned i = 0; i < 4; i++)
                take_digits(wide + at + (size_t)i * FX_CPU_ROWS, i, &h, &l, &rest);
            put_step(side, high, group, step, h, &high_sums);
            put_step(side, low, group, step, l, &low_sums);
        }
        put_correction(high, group, high_sums);
        put_correction(low, group, low_sums);
    }
    return _mm512_test_epi32_mask(rest, rest) != 0;
}

AVX512 static void peel(const void *const g[2], const void *lb, const void *la,
                        const void *const h[2], uint32_t *sum, const struct fx_cpu_soon *soon)
{
    const struct packed *const factors[4][2] = {{g[0], lb}, {la, h[0]}, {g[1], lb}, {la, h[1]}};
    struct asking asking = {soon, 0, 0};

    for (unsigned pair = 0; pair < 4; pair++) {
        for (unsigned half = 0; half < 2; half++)
            peeled_strip(factors, half, pair, sum, share(&asking, 4 * STRIP_ASKS, la));
    }
}

const struct fx_cpu_engine fx_cpu_engine_avx512 = {
    .name = "AVX-512 VNNI",
    .usable = usable,
    .packed_bytes = sizeof(struct packed),
    .pack = pack,
    .gather = gather,
    .bricks = bricks,
    .digits = digits,
    .peel = peel,
};

#endif
