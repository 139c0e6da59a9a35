/*
 * The products of the AVX-512 engine. vpdpbusd multiplies unsigned by signed bytes, four at a time:
 * the left factor is packed with 128 added, and each sum begins with what that adds, taken
 * negative.
 *
 * A *strip* is a half of each fragment row (protocol section 6) of the left factor and 32 columns
 * of the right one. Its 8 x 32 sums of one fragment row are in registers, and the rows of a half
 * are those of which the fold takes pairs. Going through fragment rows from the last to the first,
 * the fold turns what it has by 7 each time instead of each fragment by 7 fr; the turn of 5 fc is
 * left to the caller.
 *
 * The loops are written down by hand. GCC 12 moves sums between registers in each of their steps
 * and keeps addresses in vector registers, and it has no room for what the fold has turned: a strip
 * that stores it with each fragment is slower by a twentieth, since so many stores at once hold up
 * the loads of the next product.
 *
 * zmm0 .. 15   sums of 8 rows x 2 vectors of columns
 * zmm16 .. 23  what the fold has turned, of pairs of rows
 * zmm24 .. 27  what sums begin with
 * zmm28 .. 31  factors
 */
#ifndef FX_KERNELS_CPU_STRIP_AVX512_H
#define FX_KERNELS_CPU_STRIP_AVX512_H

#include <immintrin.h>

#include "kernels/cpu/engine_int.h"

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")))
#define AVX512_INLINE AVX512 __attribute__((always_inline)) static inline

#define GROUPS (FX_TILE / FX_CPU_ROWS)
#define HALF (FX_CPU_GROUP_BYTES / 2)
#define VECTOR 64
#define STRIP_ASKS 8192 /* bytes that are asked for during a product of a strip */

/* Eight groups of sixteen rows, a fragment row each. In a group of the right factor there are, for
 * every four columns, sixteen rows of four bytes: a vector. In one of the left factor, rows 0 .. 3
 * and 8 .. 11 come first, then rows 4 .. 7 and 12 .. 15: two halves, each for every four columns
 * eight rows of four bytes. */
struct packed {
    uint8_t bytes[FX_BLOCK_BYTES];
    int32_t correction[FX_TILE]; /* of the right factor: -128 times the sum of each row */
};

/* clang-format off */
#define ZMM(n) "%%zmm" #n

/* One row of the left factor, `row` of 8, times both vectors of the right one. */
#define ASM_ROW(at, row, even, odd, a)                                                             \
    "vpbroadcastd " at "+4*" #row "(%[left],%[i]), " ZMM(a) "\n"                                   \
    "vpdpbusd " ZMM(30) ", " ZMM(a) ", " ZMM(even) "\n"                                            \
    "vpdpbusd " ZMM(31) ", " ZMM(a) ", " ZMM(odd) "\n"
/* Four columns of the depth: `n` of the four times four that a turn of the loop does. */
#define ASM_STEP(n)                                                                                \
    "vmovdqa64 64*" #n "(%[right],%[i],2), " ZMM(30) "\n"                                          \
    "vmovdqa64 4096+64*" #n "(%[right],%[i],2), " ZMM(31) "\n"                                     \
    ASM_ROW("32*" #n, 0, 0, 1, 28) ASM_ROW("32*" #n, 1, 2, 3, 29)                                  \
    ASM_ROW("32*" #n, 2, 4, 5, 28) ASM_ROW("32*" #n, 3, 6, 7, 29)                                  \
    ASM_ROW("32*" #n, 4, 8, 9, 28) ASM_ROW("32*" #n, 5, 10, 11, 29)                                \
    ASM_ROW("32*" #n, 6, 12, 13, 28) ASM_ROW("32*" #n, 7, 14, 15, 29)
/* Adds the product over the depth of a brick; left and right point behind what they name. */
#define ASM_MULTIPLY(label)                                                                        \
    "mov $-2048, %[i]\n"                                                                           \
    ".p2align 6\n"                                                                                 \
    label ":\n"                                                                                    \
    "prefetcht1 (%[ask])\n"                                                                        \
    ASM_STEP(0) ASM_STEP(1) ASM_STEP(2) ASM_STEP(3)                                                \
    "add $64, %[ask]\n"                                                                            \
    "add $128, %[i]\n"                                                                             \
    "jnz " label "b\n"

#define ASM_START2(even, odd)                                                                      \
    "vmovdqa64 " ZMM(24) ", " ZMM(even) "\nvmovdqa64 " ZMM(25) ", " ZMM(odd) "\n"
#define ASM_START                                                                                  \
    ASM_START2(0, 1) ASM_START2(2, 3) ASM_START2(4, 5) ASM_START2(6, 7)                            \
    ASM_START2(8, 9) ASM_START2(10, 11) ASM_START2(12, 13) ASM_START2(14, 15)

#define ASM_TURN1(a, b, turning)                                                                   \
    "vprold $7, " ZMM(turning) ", " ZMM(turning) "\n"                                              \
    "vpternlogd $0x96, " ZMM(a) ", " ZMM(b) ", " ZMM(turning) "\n"
#define ASM_TURN                                                                                   \
    ASM_TURN1(0, 8, 16) ASM_TURN1(1, 9, 17) ASM_TURN1(2, 10, 18) ASM_TURN1(3, 11, 19)              \
    ASM_TURN1(4, 12, 20) ASM_TURN1(5, 13, 21) ASM_TURN1(6, 14, 22) ASM_TURN1(7, 15, 23)

#define ASM_ADD1(row, n, at)                                                                       \
    "vpaddd 512*" #row "+" at "(%[sum]), " ZMM(n) ", " ZMM(n) "\n"                                 \
    "vmovdqa64 " ZMM(n) ", 512*" #row "+" at "(%[sum])\n"
#define ASM_ADD2(row, even, odd) ASM_ADD1(row, even, "0") ASM_ADD1(row, odd, "64")
#define ASM_ADD                                                                                    \
    ASM_ADD2(0, 0, 1) ASM_ADD2(1, 2, 3) ASM_ADD2(2, 4, 5) ASM_ADD2(3, 6, 7)                        \
    ASM_ADD2(8, 8, 9) ASM_ADD2(9, 10, 11) ASM_ADD2(10, 12, 13) ASM_ADD2(11, 14, 15)                \
    "sub $16*512, %[sum]\n"

#define ASM_CLEAR(n) "vpxord " ZMM(n) ", " ZMM(n) ", " ZMM(n) "\n"
#define ASM_PUT(n, at) "vmovdqa64 " ZMM(n) ", 64*" #at "(%[turning])\n"
#define ASM_FOLDED_STRIP(add)                                                                      \
    "vmovdqa64 (%[correction]), " ZMM(24) "\nvmovdqa64 64(%[correction]), " ZMM(25) "\n"           \
    ASM_CLEAR(16) ASM_CLEAR(17) ASM_CLEAR(18) ASM_CLEAR(19)                                        \
    ASM_CLEAR(20) ASM_CLEAR(21) ASM_CLEAR(22) ASM_CLEAR(23)                                        \
    "1:\n"                                                                                         \
    ASM_START                                                                                      \
    ASM_MULTIPLY("2")                                                                              \
    ASM_TURN                                                                                       \
    add                                                                                            \
    "sub $4096, %[left]\n"                                                                         \
    "dec %[fragments]\n"                                                                           \
    "jnz 1b\n"                                                                                     \
    ASM_PUT(16, 0) ASM_PUT(17, 1) ASM_PUT(18, 2) ASM_PUT(19, 3)                                    \
    ASM_PUT(20, 4) ASM_PUT(21, 5) ASM_PUT(22, 6) ASM_PUT(23, 7)

#define ASM_SHIFT(n) "vpslld $8, " ZMM(n) ", " ZMM(n) "\n"
#define ASM_SHIFT2(even, odd)                                                                      \
    ASM_SHIFT(even) ASM_SHIFT(odd)                                                                 \
    "vpaddd " ZMM(26) ", " ZMM(even) ", " ZMM(even) "\n"                                           \
    "vpaddd " ZMM(27) ", " ZMM(odd) ", " ZMM(odd) "\n"
#define ASM_LOW_DIGITS                                                                             \
    ASM_SHIFT2(0, 1) ASM_SHIFT2(2, 3) ASM_SHIFT2(4, 5) ASM_SHIFT2(6, 7)                            \
    ASM_SHIFT2(8, 9) ASM_SHIFT2(10, 11) ASM_SHIFT2(12, 13) ASM_SHIFT2(14, 15)
#define ASM_TAKE1(row, n, at, taken)                                                               \
    "vmovdqa64 512*" #row "+" at "(%[sum]), " ZMM(taken) "\n"                                      \
    "vpsubd " ZMM(n) ", " ZMM(taken) ", " ZMM(taken) "\n"                                          \
    "vmovdqa64 " ZMM(taken) ", 512*" #row "+" at "(%[sum])\n"
#define ASM_TAKE2(row, even, odd) ASM_TAKE1(row, even, "0", 28) ASM_TAKE1(row, odd, "64", 29)
#define ASM_TAKE                                                                                   \
    ASM_TAKE2(0, 0, 1) ASM_TAKE2(1, 2, 3) ASM_TAKE2(2, 4, 5) ASM_TAKE2(3, 6, 7)                    \
    ASM_TAKE2(8, 8, 9) ASM_TAKE2(9, 10, 11) ASM_TAKE2(10, 12, 13) ASM_TAKE2(11, 14, 15)            \
    "sub $16*512, %[sum]\n"
/* Factors `n` of the table, whose left one goes on to the next fragment. */
#define ASM_FACTORS(n, label)                                                                      \
    "mov 16*" #n "(%[table]), %[left]\n"                                                           \
    "mov 16*" #n "+8(%[table]), %[right]\n"                                                        \
    "subq $4096, 16*" #n "(%[table])\n"                                                            \
    ASM_MULTIPLY(label)
#define ASM_PEELED_STRIP                                                                           \
    "vmovdqa64 (%[first]), " ZMM(24) "\nvmovdqa64 64(%[first]), " ZMM(25) "\n"                     \
    "vmovdqa64 128(%[first]), " ZMM(26) "\nvmovdqa64 192(%[first]), " ZMM(27) "\n"                 \
    "1:\n"                                                                                         \
    ASM_START                                                                                      \
    ASM_FACTORS(0, "2")                                                                            \
    ASM_FACTORS(1, "3")                                                                            \
    ASM_LOW_DIGITS                                                                                 \
    ASM_FACTORS(2, "4")                                                                            \
    ASM_FACTORS(3, "5")                                                                            \
    ASM_TAKE                                                                                       \
    "dec %[fragments]\n"                                                                           \
    "jnz 1b\n"

#define ASM_VECTORS                                                                                \
    "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",        \
        "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18",   \
        "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28",  \
        "xmm29", "xmm30", "xmm31"
/* clang-format on */

AVX512_INLINE const uint8_t *strip_left(const struct packed *left, unsigned half)
{
    return left->bytes + (size_t)(GROUPS - 1) * FX_CPU_GROUP_BYTES + (size_t)(half + 1) * HALF;
}

AVX512_INLINE const uint8_t *strip_right(const struct packed *right, unsigned pair)
{
    return right->bytes + (size_t)(2 * pair + 1) * FX_CPU_GROUP_BYTES;
}

AVX512_INLINE uint32_t *strip_sum(uint32_t *sum, unsigned half, unsigned pair)
{
    return sum + (size_t)(16 * (GROUPS - 1) + 4 * half) * FX_TILE + (size_t)32 * pair;
}

/* A strip of a brick, turned for the fold and, unless sum is NULL, added to the tile there. Asks
 * for STRIP_ASKS bytes meanwhile, a little in each step: many requests at once would hold up the
 * loads of the product. */
AVX512_INLINE void folded_strip(const struct packed *a, const struct packed *b, unsigned half,
                                unsigned pair, uint32_t *sum, const void *ask, __m512i turning[8])
{
    const uint8_t *left = strip_left(a, half), *right = strip_right(b, pair);
    const int32_t *correction = b->correction + (size_t)32 * pair;
    size_t i, fragments = GROUPS;

    if (!sum) {
        __asm__ volatile(
            ASM_FOLDED_STRIP("")
            : [left] "+&r"(left), [ask] "+&r"(ask), [fragments] "+&r"(fragments), [i] "=&r"(i)
            : [right] "r"(right), [correction] "r"(correction), [turning] "r"(turning)
            : ASM_VECTORS);
        return;
    }
    sum = strip_sum(sum, half, pair);
    __asm__ volatile(ASM_FOLDED_STRIP(ASM_ADD)
                     : [left] "+&r"(left), [ask] "+&r"(ask), [sum] "+&r"(sum),
                       [fragments] "+&r"(fragments), [i] "=&r"(i)
                     : [right] "r"(right), [correction] "r"(correction), [turning] "r"(turning)
                     : ASM_VECTORS);
}

/* Takes ((0) + (1)) * 256 + (2) + (3), by the products of the factors, from a strip of a tile. Asks
 * for four times STRIP_ASKS. */
AVX512_INLINE void peeled_strip(const struct packed *const factors[4][2], unsigned half,
                                unsigned pair, uint32_t *sum, const void *ask)
{
    _Alignas(VECTOR) int32_t first[2][32]; /* what the sums of high and low digits begin with */
    const uint8_t *table[4][2], *left, *right;
    size_t i, fragments = GROUPS;

    for (unsigned n = 0; n < 4; n++) {
        table[n][0] = strip_left(factors[n][0], half);
        table[n][1] = strip_right(factors[n][1], pair);
    }
    for (unsigned digit = 0; digit < 2; digit++) {
        for (size_t at = 0; at < 32; at++)
            first[digit][at] = factors[2 * digit][1]->correction[(size_t)32 * pair + at] +
                               factors[2 * digit + 1][1]->correction[(size_t)32 * pair + at];
    }
    sum = strip_sum(sum, half, pair);
    __asm__ volatile(ASM_PEELED_STRIP
                     : [left] "=&r"(left), [right] "=&r"(right), [ask] "+&r"(ask), [sum] "+&r"(sum),
                       [fragments] "+&r"(fragments), [i] "=&r"(i)
                     : [table] "r"(table), [first] "r"(first)
                     : ASM_VECTORS);
}

#endif
