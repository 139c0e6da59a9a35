/*
 * Sums of products with VPDPBUSD: four products of a digit of 8 bits, not negative, and an int8 are
 * added up in each 32 bits of a vector. A lane of it is a digit; bytes of a row are copied to all
 * lanes, so that a vector holds the sums of one row and nothing is added across it.
 *
 * A sum of one call is at most 512 * 255 * 128 in size, in one lane or two: no lane overflows.
 */
#include "src/matrix/sums_int.h"

#ifdef FX_SUMS_X86

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")))
#define AVXVNNI __attribute__((target("avx2,avxvnni")))
#define INLINE __attribute__((always_inline)) static inline
#define LEAF7_1_EAX_AVX_VNNI (1u << 4)
#define ROWS_512 16 /* whose sums fit the registers */
#define ROWS_256 8

/* The loops are written down by hand: GCC 12 moves sums between registers and to the stack in each
 * step of them. */
#define ASM_LOW_VECTORS                                                                     \
    "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", \
        "xmm9", "xmm10"

/* ---- AVX-512: eight bytes of a row at a time, two lanes a digit ------------------------------ */

static bool usable_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni") &&
           __builtin_cpu_supports("avx512vbmi");
}

AVX512 static void split_avx512(const uint64_t *values, size_t n, void *digits)
{
    uint8_t turn[64];
    __m512i places;

    /* Byte 8 d + i from byte d of number i. */
    for (unsigned at = 0; at < 64; at++)
        turn[at] = (uint8_t)(at % 8 * 8 + at / 8);
    places = _mm512_loadu_si512(turn);
    for (size_t at = 0; at < n; at += 8)
        _mm512_storeu_si512((uint64_t *)digits + at,
                            _mm512_permutexvar_epi8(places, _mm512_loadu_si512(values + at)));
}

/* clang-format off */
#define ASM_VECTORS                                                                                \
    ASM_LOW_VECTORS, "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18",       \
    "xmm19"
#define ASM_SIXTEEN(do, ...)                                                                       \
    do(0, __VA_ARGS__) do(1, __VA_ARGS__) do(2, __VA_ARGS__) do(3, __VA_ARGS__)                    \
    do(4, __VA_ARGS__) do(5, __VA_ARGS__) do(6, __VA_ARGS__) do(7, __VA_ARGS__)                    \
    do(8, __VA_ARGS__) do(9, __VA_ARGS__) do(10, __VA_ARGS__) do(11, __VA_ARGS__)                  \
    do(12, __VA_ARGS__) do(13, __VA_ARGS__) do(14, __VA_ARGS__) do(15, __VA_ARGS__)
#define ASM_ZERO(n, v) "vpxord %%" v #n ", %%" v #n ", %%" v #n "\n"
#define ASM_STORE(n, v) "vmovdqa64 %%" v #n ", 64*" #n "(%[acc])\n"

/* Eight bytes of row n times their digits. */
#define ASM_ROW(n, length, flip)                                                                   \
    "vpbroadcastq " length "*" #n "(%[rows]), %%zmm17\n" flip                                      \
    "vpdpbusd %%zmm17, %%zmm16, %%zmm" #n "\n"
/* Sixteen rows, from both pointers on to the end of the digits; asks for the next ones. */
#define ASM_ROWS(length, flip)                                                                     \
    ASM_SIXTEEN(ASM_ZERO, "zmm")                                                                   \
    "vpbroadcastd %[flips], %%zmm18\n"                                                             \
    "1:\n"                                                                                         \
    "vmovdqa64 (%[digits]), %%zmm16\n"                                                             \
    "prefetcht0 (%[ask])\n"                                                                        \
    "prefetcht0 64(%[ask])\n"                                                                      \
    ASM_SIXTEEN(ASM_ROW, length, flip)                                                             \
    "add $8, %[rows]\n"                                                                            \
    "add $64, %[digits]\n"                                                                         \
    "sub $-128, %[ask]\n"                                                                          \
    "cmp %[end], %[digits]\n"                                                                      \
    "jne 1b\n"                                                                                     \
    ASM_SIXTEEN(ASM_STORE, "zmm")
/* clang-format on */

AVX512 INLINE void rows_avx512(const int8_t *rows, bool tile, const uint8_t *digits,
                               int64_t (*sums)[FX_SUMS_DIGITS])
{
    const size_t length = tile ? FX_SUMS_LENGTH : FX_DEPTH;
    const uint8_t *end = digits + 8 * length;
    __m512i acc[ROWS_512];

    for (size_t r = 0; r < FX_TILE; r += ROWS_512) {
        const int8_t *at = rows + r * length, *ask = at + ROWS_512 * length;
        const uint8_t *d = digits;

        if (tile)
            __asm__ volatile(ASM_ROWS("512", "vpxord %%zmm17, %%zmm18, %%zmm17\n")
                             : [rows] "+&r"(at), [digits] "+&r"(d), [ask] "+&r"(ask)
                             : [acc] "r"(acc), [end] "r"(end), [flips] "r"(FX_SUMS_FLIP)
                             : ASM_VECTORS);
        else
            __asm__ volatile(ASM_ROWS("256", "")
                             : [rows] "+&r"(at), [digits] "+&r"(d), [ask] "+&r"(ask)
                             : [acc] "r"(acc), [end] "r"(end), [flips] "r"(0)
                             : ASM_VECTORS);
        for (unsigned i = 0; i < ROWS_512; i++) {
            const __m512i odd = _mm512_srai_epi64(acc[i], 32);
            const __m512i even = _mm512_srai_epi64(_mm512_slli_epi64(acc[i], 32), 32);

            _mm512_storeu_si512(sums[r + i], _mm512_add_epi64(_mm512_loadu_si512(sums[r + i]),
                                                              _mm512_add_epi64(odd, even)));
        }
    }
}

/* To the sums of sixteen columns: lane 4 i + e of acc[d] is digit d of column 16 i + e. */
AVX512 INLINE void add_columns_avx512(const __m512i acc[FX_SUMS_DIGITS],
                                      int64_t (*sums)[FX_SUMS_DIGITS])
{
    _Alignas(64) int32_t digits[2][4][4][4]; /* by upper half, e, i */

#pragma GCC unroll 2
    for (unsigned g = 0; g < 2; g++) {
        const __m512i *from = acc + 4 * g;
        const __m512i a = _mm512_unpacklo_epi32(from[0], from[1]);
        const __m512i b = _mm512_unpackhi_epi32(from[0], from[1]);
        const __m512i c = _mm512_unpacklo_epi32(from[2], from[3]);
        const __m512i d = _mm512_unpackhi_epi32(from[2], from[3]);

        _mm512_store_si512(digits[g][0], _mm512_unpacklo_epi64(a, c));
        _mm512_store_si512(digits[g][1], _mm512_unpackhi_epi64(a, c));
        _mm512_store_si512(digits[g][2], _mm512_unpacklo_epi64(b, d));
        _mm512_store_si512(digits[g][3], _mm512_unpackhi_epi64(b, d));
    }
    for (unsigned at = 0; at < 32; at++) {
        const unsigned g = at % 2, e = at / 2 % 4, i = at / 8;
        __m256i *sum = (__m256i *)(void *)(sums[16 * i + e] + 4 * g);
        const __m128i more = _mm_load_si128((const __m128i *)(const void *)digits[g][e][i]);

        _mm256_storeu_si256(sum,
                            _mm256_add_epi64(_mm256_loadu_si256(sum), _mm256_cvtepi32_epi64(more)));
    }
}

/* clang-format off */
#define ASM_DIGIT(d, low, high)                                                                    \
    "vpbroadcastd 8*" #d "(%[digits]), %%zmm16\n"                                                  \
    "vpdpbusd %%zmm18, %%zmm16, %%zmm" #low "\n"                                                   \
    "vpdpbusd %%zmm19, %%zmm16, %%zmm" #high "\n"
/* Four rows, whose bytes are dealt into one another. */
#define ASM_FOUR_ROWS(half)                                                                        \
    "vmovdqu64 (%[rows]), %%zmm16\n"                                                               \
    "vmovdqu64 512(%[rows]), %%zmm17\n"                                                            \
    "vpunpck" half "bw 256(%[rows]), %%zmm16, %%zmm16\n"                                           \
    "vpunpck" half "bw 768(%[rows]), %%zmm17, %%zmm17\n"                                           \
    "vpunpcklwd %%zmm17, %%zmm16, %%zmm18\n"                                                       \
    "vpunpckhwd %%zmm17, %%zmm16, %%zmm19\n"                                                       \
    ASM_DIGIT(0, 0, 8) ASM_DIGIT(1, 1, 9) ASM_DIGIT(2, 2, 10) ASM_DIGIT(3, 3, 11)                  \
    ASM_DIGIT(4, 4, 12) ASM_DIGIT(5, 5, 13) ASM_DIGIT(6, 6, 14) ASM_DIGIT(7, 7, 15)                \
    "add $1024, %[rows]\n"
#define ASM_COLUMNS(half)                                                                          \
    ASM_SIXTEEN(ASM_ZERO, "zmm")                                                                   \
    "1:\n"                                                                                         \
    ASM_FOUR_ROWS(half)                                                                            \
    "add $4, %[digits]\n"                                                                          \
    ASM_FOUR_ROWS(half)                                                                            \
    "add $60, %[digits]\n"                                                                         \
    "cmp %[end], %[digits]\n"                                                                      \
    "jne 1b\n"                                                                                     \
    ASM_SIXTEEN(ASM_STORE, "zmm")
/* clang-format on */

/* Of 64 columns those that are in the lower half, or in the upper, of their 16. */
AVX512 INLINE void half_columns_avx512(const int8_t *block, bool upper, const uint8_t *digits,
                                       int64_t (*sums)[FX_SUMS_DIGITS])
{
    __m512i acc[2 * FX_SUMS_DIGITS];
    const uint8_t *end = digits + 8 * FX_TILE;

    if (upper)
        __asm__ volatile(ASM_COLUMNS("h")
                         : [rows] "+&r"(block), [digits] "+&r"(digits)
                         : [acc] "r"(acc), [end] "r"(end)
                         : ASM_VECTORS);
    else
        __asm__ volatile(ASM_COLUMNS("l")
                         : [rows] "+&r"(block), [digits] "+&r"(digits)
                         : [acc] "r"(acc), [end] "r"(end)
                         : ASM_VECTORS);
    add_columns_avx512(acc, sums);
    add_columns_avx512(acc + FX_SUMS_DIGITS, sums + 4);
}

AVX512 static void block_columns_avx512(const int8_t *block, const void *digits,
                                        int64_t (*sums)[FX_SUMS_DIGITS])
{
    for (size_t c = 0; c < FX_DEPTH; c += 64) {
        half_columns_avx512(block + c, false, digits, sums + c);
        half_columns_avx512(block + c, true, digits, sums + c + 8);
    }
}

AVX512 static void block_rows_avx512(const int8_t *block, const void *digits,
                                     int64_t (*sums)[FX_SUMS_DIGITS])
{
    rows_avx512(block, false, digits, sums);
}

AVX512 static void tile_rows_avx512(const int8_t *tile, const void *digits,
                                    int64_t (*sums)[FX_SUMS_DIGITS])
{
    rows_avx512(tile, true, digits, sums);
}

const struct fx_sums fx_sums_avx512 = {
    "AVX-512",        usable_avx512, false, split_avx512, block_rows_avx512, block_columns_avx512,
    tile_rows_avx512,
};

/* ---- AVX-VNNI: four bytes of a row at a time, one lane a digit ------------------------------- */

static bool usable_avxvnni(void)
{
    unsigned a, b, c, d;

    return __builtin_cpu_supports("avx2") && __get_cpuid_count(7, 1, &a, &b, &c, &d) &&
           (a & LEAF7_1_EAX_AVX_VNNI) != 0;
}

static void split_avxvnni(const uint64_t *values, size_t n, void *digits)
{
    uint8_t *out = digits;

    for (size_t at = 0; at < n; at += 4) {
        for (unsigned byte = 0; byte < 32; byte++)
            *out++ = (uint8_t)(values[at + byte % 4] >> 8 * (byte / 4));
    }
}

/* clang-format off */
/* Four bytes of row n times their digits. */
#define ASM_QUARTER(n, row)                                                                        \
    "vpbroadcastd " row ", %%ymm9\n"                                                               \
    "vpxor %%ymm9, %%ymm10, %%ymm9\n"                                                              \
    "%{vex%} vpdpbusd %%ymm9, %%ymm8, %%ymm" #n "\n"
/* Eight rows, from the pointers on to the end of the digits. */
#define ASM_EIGHT_ROWS                                                                             \
    "vpbroadcastd %[flip], %%ymm10\n"                                                              \
    "1:\n"                                                                                         \
    "vmovdqa (%[digits]), %%ymm8\n"                                                                \
    ASM_QUARTER(0, "(%[rows])") ASM_QUARTER(1, "(%[rows],%[length])")                              \
    ASM_QUARTER(2, "(%[rows],%[length],2)") ASM_QUARTER(3, "(%[rows],%[length3])")                 \
    ASM_QUARTER(4, "(%[upper])") ASM_QUARTER(5, "(%[upper],%[length])")                            \
    ASM_QUARTER(6, "(%[upper],%[length],2)") ASM_QUARTER(7, "(%[upper],%[length3])")               \
    "add $4, %[rows]\n"                                                                            \
    "add $4, %[upper]\n"                                                                           \
    "add $32, %[digits]\n"                                                                         \
    "cmp %[end], %[digits]\n"                                                                      \
    "jne 1b\n"
#define ASM_EIGHT(do) do(0) do(1) do(2) do(3) do(4) do(5) do(6) do(7)
#define ASM_ZERO_256(n) "vpxor %%ymm" #n ", %%ymm" #n ", %%ymm" #n "\n"
#define ASM_STORE_256(n) "vmovdqa %%ymm" #n ", 32*" #n "(%[acc])\n"
/* clang-format on */

AVXVNNI INLINE void rows_avxvnni(const int8_t *rows, size_t n, size_t length, uint32_t flip,
                                 const uint8_t *digits, int64_t (*sums)[FX_SUMS_DIGITS])
{
    _Alignas(32) int32_t acc[ROWS_256][FX_SUMS_DIGITS];

    for (size_t r = 0; r < n; r += ROWS_256) {
        const int8_t *at = rows + r * length, *upper = at + 4 * length;
        const uint8_t *d = digits;

        __asm__ volatile(ASM_EIGHT(ASM_ZERO_256) ASM_EIGHT_ROWS ASM_EIGHT(ASM_STORE_256)
                         : [rows] "+&r"(at), [upper] "+&r"(upper), [digits] "+&r"(d)
                         : [acc] "r"(acc), [end] "r"(digits + 8 * length), [flip] "m"(flip),
                           [length] "r"(length), [length3] "r"(3 * length)
                         : ASM_LOW_VECTORS);
        for (unsigned i = 0; i < ROWS_256; i++) {
            for (unsigned digit = 0; digit < FX_SUMS_DIGITS; digit++)
                sums[r + i][digit] += acc[i][digit];
        }
    }
}

AVXVNNI static void block_columns_avxvnni(const int8_t *turned, const void *digits,
                                          int64_t (*sums)[FX_SUMS_DIGITS])
{
    rows_avxvnni(turned, FX_DEPTH, FX_TILE, 0, digits, sums);
}

AVXVNNI static void block_rows_avxvnni(const int8_t *block, const void *digits,
                                       int64_t (*sums)[FX_SUMS_DIGITS])
{
    rows_avxvnni(block, FX_TILE, FX_DEPTH, 0, digits, sums);
}

AVXVNNI static void tile_rows_avxvnni(const int8_t *tile, const void *digits,
                                      int64_t (*sums)[FX_SUMS_DIGITS])
{
    rows_avxvnni(tile, FX_TILE, FX_SUMS_LENGTH, FX_SUMS_FLIP, digits, sums);
}

const struct fx_sums fx_sums_avxvnni = {
    "AVX-VNNI",        usable_avxvnni,     true,
    split_avxvnni,     block_rows_avxvnni, block_columns_avxvnni,
    tile_rows_avxvnni,
};

#endif
