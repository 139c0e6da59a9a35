/*
 * Limbs: integers wider than an operand's entries as sums of entries times powers of 128. A limb is
 * from -64 to 63, so that a job-lane block can be mined in its product; the product of two such
 * numbers is the sum of the products of their limbs, each shifted by 7 bits a limb.
 *
 *     value = sum over i of limb(value, i) * 128^i
 */
#ifndef FX_UTIL_LIMBS_H
#define FX_UTIL_LIMBS_H

#include <stdint.h>

#define FX_LIMB_BITS 7
#define FX_LIMB_MIN (-64)
#define FX_LIMB_MAX 63
#define FX_LIMBS_MAX 3

/* The least and the largest value that this many limbs hold: -8,256 to 8,127 for two, -1,056,832
 * to 1,040,319 for three. */
int64_t fx_limbs_low(unsigned limbs);
int64_t fx_limbs_high(unsigned limbs);
/* How many limbs hold all values of [low, high]; 0: more than there are. */
unsigned fx_limbs_needed(int64_t low, int64_t high);
/* Limb number `at` (0: the lowest) of a value that the limbs hold. */
int fx_limb(int64_t value, unsigned at);

#endif
