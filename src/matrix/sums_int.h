/*
 * The inner loops of Freivalds' check: int8 matrices times a vector over F_p, p = 2^61 - 1, whose
 * entries are taken apart into digits. Written for several instruction sets, chosen at run time.
 *
 * Sums are given as eight digits, each of any size and sign: sums[i] counts 2^(8 i) times. An int32
 * counts as four int8, of which the lower three stand for a byte less 128: each entry of a tile
 * comes out FX_SUMS_LESS less than it is.
 */
#ifndef FX_MATRIX_SUMS_INT_H
#define FX_MATRIX_SUMS_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "consensus/brick.h"
#include "src/util/transpose.h"

#define FX_SUMS_DIGITS 8
#define FX_SUMS_FLIP UINT32_C(0x00808080)
#define FX_SUMS_LESS FX_SUMS_FLIP
#define FX_SUMS_LENGTH (4 * FX_TILE) /* int8 in a row of a tile */

struct fx_sums {
    const char *name;
    bool (*usable)(void); /* on this processor */
    bool turned;          /* columns are wanted as rows, by fx_sums_turn */
    /* n numbers of at most p, as the functions below want them: 8 n bytes, at a multiple of 64. n:
     * FX_TILE for columns of a block, FX_DEPTH for its rows, FX_SUMS_LENGTH for rows of a tile. */
    void (*split)(const uint64_t *values, size_t n, void *digits);
    /* sums[r] += row r of the block, or column r of it, or row r of the tile (4 numbers an entry)
     * . digits. A single call adds at most 2^31 to a sum. */
    void (*block_rows)(const int8_t *block, const void *digits, int64_t (*sums)[FX_SUMS_DIGITS]);
    void (*block_columns)(const int8_t *block, const void *digits, int64_t (*sums)[FX_SUMS_DIGITS]);
    void (*tile_rows)(const int8_t *tile, const void *digits, int64_t (*sums)[FX_SUMS_DIGITS]);
};

/* Fastest first; the last one is portable. NULL ends. */
extern const struct fx_sums *const fx_sums_ways[];
/* The fastest one that is usable here. */
const struct fx_sums *fx_sums_best(void);

/* The block's columns as rows. */
static inline void fx_sums_turn(const int8_t block[FX_BLOCK_BYTES], int8_t turned[FX_BLOCK_BYTES])
{
    for (size_t r = 0; r < FX_TILE; r += FX_TRANSPOSE) {
        for (size_t c = 0; c < FX_DEPTH; c += FX_TRANSPOSE)
            fx_transpose(block + r * FX_DEPTH + c, FX_DEPTH, turned + c * FX_TILE + r, FX_TILE);
    }
}

#if defined(__x86_64__) && defined(__GNUC__)
#define FX_SUMS_X86 1
extern const struct fx_sums fx_sums_avx512, fx_sums_avxvnni; /* sums_vnni.c */
#endif

#endif
