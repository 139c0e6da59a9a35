/*
 * The inner loops of Freivalds' check: integers of a matrix times vectors, in plain C that
 * compilers make vector code of, compiled for several instruction sets and chosen at run time.
 */
#ifndef FX_MATRIX_SUMS_INT_H
#define FX_MATRIX_SUMS_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "consensus/brick.h"

#define FX_SUMS_DIGITS 4 /* of a vector's entry, 16 bits each and signed, against int8 */
#define FX_SUMS_LIMBS 3  /* of a vector's entry, 21 bits each and not negative, against int32 */

struct fx_sums {
    const char *name;
    bool (*usable)(void); /* on this processor */
    /*
     * sums[d][r] += rows[r] . digits[d], for n rows of `length` entries, a multiple of 16 of at
     * most FX_DEPTH. Rows of sums are n, those of digits `stride` apart. A single sum is at most
     * 256 * 2^7 * 2^15 in size: int32 holds it.
     */
    void (*narrow)(const int8_t *rows, size_t n, size_t length, const int16_t *digits,
                   size_t stride, int64_t *sums);
    /* sums[r][i] = rows[r] . limbs[i], for the rows of a tile; rows are 128 int32. Products of 52
     * bits. */
    void (*wide)(const int32_t *rows, const int32_t limbs[FX_SUMS_LIMBS][FX_TILE],
                 int64_t (*sums)[FX_SUMS_LIMBS]);
};

/* Fastest first; the last one is portable. NULL ends. */
extern const struct fx_sums *const fx_sums_ways[];
/* The fastest one that is usable here. */
const struct fx_sums *fx_sums_best(void);

#endif
