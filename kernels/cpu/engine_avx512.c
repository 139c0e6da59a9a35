/*
 * AVX-512 with VNNI and VBMI. vpdpbusd multiplies unsigned by signed bytes, four at a time: the
 * left factor is packed with 128 added, and each sum begins with what that adds, taken negative.
 *
 * packed: eight groups of sixteen rows; in each, for every four columns, sixteen rows of four
 * bytes: a vector. Then 128 int32: the corrections of the right factor, -128 times the sum of
 * each row.
 *
 * The product holds 8 x 32 sums in registers, rows r .. r + 3 and r + 8 .. r + 11 of a fragment
 * row, so that the fold (protocol section 6) takes pairs of them as they are. Going through
 * fragment rows from the last to the first, it turns what it has by 7 each time instead of each
 * fragment by 7 fr; the turn of 5 fc comes last, in one go.
 */
#include "kernels/cpu/engine_int.h"

#ifdef FX_CPU_X86

#include <immintrin.h>
#include <string.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")))
#define AVX512_INLINE AVX512 __attribute__((always_inline)) static inline

#define GROUPS (FX_TILE / FX_CPU_ROWS)
#define STEPS (FX_DEPTH / 4)
#define VECTOR 64
#define SHARE 1024      /* bytes that are asked for while 8 x 32 sums of a brick are made */
#define WIDE_AHEAD 1024 /* sums of gather that are asked for before they are needed */

struct packed {
    uint8_t bytes[FX_BLOCK_BYTES];
    int32_t correction[FX_TILE];
};

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
    const __m512i ones = _mm512_set1_epi8(1), offset = _mm512_set1_epi8(-128);
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
                if (side == FX_SIDE_A)
                    noised = _mm512_xor_si512(noised, offset);
                else
                    sums = _mm512_dpbusd_epi32(sums, ones, noised);
                _mm512_store_si512(packed->bytes + at, noised);
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

        for (unsigned x = 0; x < FX_DEPTH; x++) {
            const uint8_t *c = plan->column[x];
            int32_t *at = wide + base + (size_t)x * FX_CPU_ROWS;
            __m512i v = four_columns(columns[0] + base + 16 * c[0], columns[1] + base + 16 * c[1],
                                     columns[2] + base + 16 * c[2], columns[3] + base + 16 * c[3]);
            __m512i sum = _mm512_set1_epi32(-128 * plan->signs[x]);
            int32_t signs;

            if (base + (size_t)x * FX_CPU_ROWS + WIDE_AHEAD < FX_BLOCK_BYTES)
                __builtin_prefetch(at + WIDE_AHEAD, 1);
            if (more)
                sum = _mm512_add_epi32(sum, _mm512_load_si512(at));

            memcpy(&signs, plan->sign[x], sizeof signs);
            v = _mm512_xor_si512(_mm512_permutexvar_epi8(join, v), offset);
            _mm512_store_si512(at, _mm512_dpbusd_epi32(sum, v, _mm512_set1_epi32(signs)));
        }
    }
}

/* sum += a . b, in place: with the intrinsic, GCC 12 moves all sums to other registers and back in
 * every step of the loop below. */
AVX512_INLINE void dot(__m512i *sum, __m512i a, __m512i b)
{
    __asm__("vpdpbusd %2, %1, %0" : "+v"(*sum) : "v"(a), "v"(b));
}

/* How far a thread has come with asking for what it needs soon. */
struct asking {
    const struct fx_cpu_soon *soon; /* or NULL */
    size_t range, at;
};

/* The next share of it; or, where there is none, of what is near. */
AVX512_INLINE const void *share(struct asking *asking, const void *near)
{
    const uint8_t *share;

    if (!asking->soon || asking->range == asking->soon->n)
        return near;
    share = (const uint8_t *)asking->soon->ranges[asking->range].at + asking->at;
    asking->at += SHARE;
    if (asking->at + SHARE > asking->soon->ranges[asking->range].bytes) {
        asking->range++;
        asking->at = 0;
    }
    return share;
}

/* 8 x 32 sums over the depth of a brick: rows `first` .. + 3 and + 8 .. + 11 of the group at left;
 * columns of the two groups at right. ask: a share; a little in each step, since many requests at
 * once would hold up the loads of this product. */
AVX512_INLINE void multiply(__m512i sums[8][2], const uint8_t *left, const uint8_t *right,
                            const void *ask)
{
#pragma GCC unroll 1
    for (unsigned step = 0; step < STEPS; step++) {
        _mm_prefetch((const char *)ask + (size_t)step * (SHARE / STEPS), _MM_HINT_T1);
        const __m512i b0 = _mm512_load_si512(right + (size_t)step * VECTOR);
        const __m512i b1 = _mm512_load_si512(right + FX_CPU_GROUP_BYTES + (size_t)step * VECTOR);

#pragma GCC unroll 8
        for (unsigned t = 0; t < 8; t++) {
            int32_t word;
            __m512i a;

            memcpy(&word, left + (size_t)step * VECTOR + (size_t)4 * (t < 4 ? t : t + 4),
                   sizeof word);
            a = _mm512_set1_epi32(word);
            dot(&sums[t][0], a, b0);
            dot(&sums[t][1], a, b1);
        }
    }
}

AVX512_INLINE void start(__m512i sums[8][2], const int32_t *correction)
{
    const __m512i c0 = _mm512_load_si512(correction);
    const __m512i c1 = _mm512_load_si512(correction + 16);

#pragma GCC unroll 8
    for (unsigned t = 0; t < 8; t++) {
        sums[t][0] = c0;
        sums[t][1] = c1;
        __asm__("" : "+v"(sums[t][0]), "+v"(sums[t][1]));
    }
}

/* Where the sums of `multiply` belong in a tile: row t of the 8. */
AVX512_INLINE size_t place(unsigned fragment, unsigned half, unsigned pair, unsigned t)
{
    const unsigned row = 16 * fragment + 4 * half + (t < 4 ? t : t + 4);

    return (size_t)row * FX_TILE + (size_t)32 * pair;
}

AVX512_INLINE void add(const __m512i sums[8][2], uint32_t *sum, unsigned fragment, unsigned half,
                       unsigned pair)
{
#pragma GCC unroll 8
    for (unsigned t = 0; t < 8; t++) {
        uint32_t *at = sum + place(fragment, half, pair, t);

        _mm512_store_si512(at, _mm512_add_epi32(_mm512_load_si512(at), sums[t][0]));
        _mm512_store_si512(at + 16, _mm512_add_epi32(_mm512_load_si512(at + 16), sums[t][1]));
    }
}

/* The sums of a tile are further away than a product's time: they are asked for before it; or,
 * where they do not hold anything yet, zeroed. */
AVX512_INLINE void prepare(uint32_t *sum, bool more, unsigned fragment, unsigned half,
                           unsigned pair)
{
#pragma GCC unroll 8
    for (unsigned t = 0; t < 8; t++) {
        uint32_t *at = sum + place(fragment, half, pair, t);

        if (more) {
            _mm_prefetch((const char *)at, _MM_HINT_T0);
            _mm_prefetch((const char *)(at + 16), _MM_HINT_T0);
        } else {
            _mm512_store_si512(at, _mm512_setzero_si512());
            _mm512_store_si512(at + 16, _mm512_setzero_si512());
        }
    }
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

/* A turn of the fold: `turning` holds pairs of rows, the first of each eight. */
AVX512_INLINE void turn(__m512i turning[8], const __m512i sums[8][2])
{
#pragma GCC unroll 8
    for (unsigned t = 0; t < 8; t++)
        turning[t] = _mm512_ternarylogic_epi32(_mm512_rol_epi32(turning[t], 7), sums[t / 2][t % 2],
                                               sums[t / 2 + 4][t % 2], 0x96);
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

/* Bricks at 16 rows and 32 columns of a tile, both halves of them: folded, and, if `kept`, which is
 * known where this is called from, put to sum, one brick after the other, so that the sums there
 * and the left factor are in the nearest cache. */
AVX512_INLINE void folded_there(const void *const left[], const void *const right[], unsigned n,
                                bool kept, uint32_t *sum, unsigned fragment, unsigned pair,
                                __m512i turning[][2][8], struct asking *asking)
{
    for (unsigned s = 0; s < n; s++) {
        const struct packed *a = left[s], *b = right[s];

        for (unsigned half = 0; half < 2; half++) {
            __m512i sums[8][2];

            start(sums, b->correction + (size_t)32 * pair);
            multiply(sums, a->bytes + (size_t)fragment * FX_CPU_GROUP_BYTES + (size_t)16 * half,
                     b->bytes + (size_t)pair * 2 * FX_CPU_GROUP_BYTES, share(asking, a));
            turn(turning[s][half], sums);
            if (kept)
                add(sums, sum, fragment, half, pair);
        }
    }
}

AVX512_INLINE void folded(const void *const left[], const void *const right[], unsigned n,
                          bool kept, bool more, uint32_t *sum, uint32_t (*words)[8],
                          const struct fx_cpu_soon *soon)
{
    _Alignas(VECTOR) uint32_t lanes[FX_CPU_CHUNK][8][16] = {{{0}}};
    struct asking asking = {soon, 0, 0};

    for (unsigned pair = 0; pair < 4; pair++) {
        __m512i turning[FX_CPU_CHUNK][2][8];

        memset(turning, 0, sizeof turning);
        for (unsigned fragment = GROUPS; fragment-- > 0;) {
            for (unsigned half = 0; kept && half < 2; half++)
                prepare(sum, more, fragment, half, pair);
            folded_there(left, right, n, kept, sum, fragment, pair, turning, &asking);
        }
        for (unsigned at = 0; at < 2 * n; at++)
            join_lanes(lanes[at / 2] + (size_t)4 * (at % 2), turning[at / 2][at % 2], pair);
    }
    for (unsigned s = 0; s < n; s++)
        fold_lanes((const uint32_t(*)[16])lanes[s], words[s]);
}

/* Adds a brick to the sums of one place of it. */
AVX512_INLINE void further(__m512i sums[8][2], const struct packed *left,
                           const struct packed *right, unsigned fragment, unsigned half,
                           unsigned pair, struct asking *asking)
{
    const __m512i c0 = _mm512_load_si512(right->correction + (size_t)32 * pair);
    const __m512i c1 = _mm512_load_si512(right->correction + (size_t)32 * pair + 16);

#pragma GCC unroll 8
    for (unsigned t = 0; t < 8; t++) {
        sums[t][0] = _mm512_add_epi32(sums[t][0], c0);
        sums[t][1] = _mm512_add_epi32(sums[t][1], c1);
    }
    multiply(sums, left->bytes + (size_t)fragment * FX_CPU_GROUP_BYTES + (size_t)16 * half,
             right->bytes + (size_t)pair * 2 * FX_CPU_GROUP_BYTES, share(asking, left));
}

/* All bricks of a tile in one: nothing is looked at in between. */
AVX512 static void plain(const void *const left[], const void *const right[], unsigned n, bool more,
                         uint32_t *sum, const struct fx_cpu_soon *soon)
{
    struct asking asking = {soon, 0, 0};

    for (unsigned at = 0; at < 4 * 2 * GROUPS; at++) {
        const unsigned pair = at / 16, half = at / 8 % 2, fragment = at % 8;
        __m512i sums[8][2];

        prepare(sum, more, fragment, half, pair);
#pragma GCC unroll 8
        for (unsigned t = 0; t < 8; t++)
            sums[t][0] = sums[t][1] = _mm512_setzero_si512();
        for (unsigned s = 0; s < n; s++)
            further(sums, left[s], right[s], fragment, half, pair, &asking);
        add(sums, sum, fragment, half, pair);
    }
}

AVX512 static void bricks(const void *const left[], const void *const right[], unsigned n,
                          bool more, uint32_t *sum, uint32_t (*words)[8],
                          const struct fx_cpu_soon *soon)
{
    if (!words)
        plain(left, right, n, more, sum, soon);
    else if (sum)
        folded(left, right, n, true, more, sum, words, soon);
    else
        folded(left, right, n, false, false, NULL, words, soon);
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

AVX512_INLINE void put_digits(enum fx_side side, struct packed *packed, size_t at, __m512i v,
                              __m512i *sums)
{
    if (side == FX_SIDE_A)
        v = _mm512_xor_si512(v, _mm512_set1_epi8(-128));
    else
        *sums = _mm512_dpbusd_epi32(*sums, _mm512_set1_epi8(1), v);
    _mm512_store_si512(packed->bytes + at, v);
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
            put_digits(side, high, at, h, &high_sums);
            put_digits(side, low, at, l, &low_sums);
        }
        put_correction(high, group, high_sums);
        put_correction(low, group, low_sums);
    }
    return _mm512_test_epi32_mask(rest, rest) != 0;
}

AVX512 static void peel(const void *const g[2], const void *lb, const void *la,
                        const void *const h[2], uint32_t *sum, const struct fx_cpu_soon *soon)
{
    struct asking asking = {soon, 0, 0};

    for (unsigned at = 0; at < 4 * 2 * GROUPS; at++) {
        const unsigned pair = at / 16, half = at / 8 % 2, fragment = at % 8;
        __m512i sums[8][2];

        prepare(sum, true, fragment, half, pair);
#pragma GCC unroll 8
        for (unsigned t = 0; t < 8; t++)
            sums[t][0] = sums[t][1] = _mm512_setzero_si512();
        further(sums, g[0], lb, fragment, half, pair, &asking);
        further(sums, la, h[0], fragment, half, pair, &asking);
#pragma GCC unroll 8
        for (unsigned t = 0; t < 8; t++) {
            sums[t][0] = _mm512_slli_epi32(sums[t][0], 8);
            sums[t][1] = _mm512_slli_epi32(sums[t][1], 8);
        }
        further(sums, g[1], lb, fragment, half, pair, &asking);
        further(sums, la, h[1], fragment, half, pair, &asking);
#pragma GCC unroll 8
        for (unsigned t = 0; t < 8; t++) {
            sums[t][0] = _mm512_sub_epi32(_mm512_setzero_si512(), sums[t][0]);
            sums[t][1] = _mm512_sub_epi32(_mm512_setzero_si512(), sums[t][1]);
        }
        add(sums, sum, fragment, half, pair);
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
