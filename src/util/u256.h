/*
 * Unsigned 256-bit integers for targets and work. Little-endian limbs: w[0] is the least
 * significant.
 */
#ifndef FX_UTIL_U256_H
#define FX_UTIL_U256_H

#include <stdbool.h>
#include <stdint.h>

#include "src/util/hash.h"

struct fx_u256 {
    uint64_t w[4];
};

extern const struct fx_u256 fx_u256_zero;
extern const struct fx_u256 fx_u256_one;

struct fx_u256 fx_u256_from_u64(uint64_t v);
/* The 32 bytes of a block id, as a little-endian number. */
struct fx_u256 fx_u256_from_hash(const struct fx_hash *h);
struct fx_hash fx_u256_to_hash(const struct fx_u256 *a);
int fx_u256_cmp(const struct fx_u256 *a, const struct fx_u256 *b);
bool fx_u256_is_zero(const struct fx_u256 *a);
unsigned
fx_u256_bits(const struct fx_u256 *a); /* index of the highest set bit plus one; 0 for zero */
/* These return true when the exact result does not fit; *out then holds it modulo 2^256. out may
 * alias an input. */
bool fx_u256_add(const struct fx_u256 *a, const struct fx_u256 *b, struct fx_u256 *out);
bool fx_u256_sub(const struct fx_u256 *a, const struct fx_u256 *b, struct fx_u256 *out);
bool fx_u256_mul64(const struct fx_u256 *a, uint64_t m, struct fx_u256 *out);
struct fx_u256 fx_u256_shl(const struct fx_u256 *a, unsigned n);
struct fx_u256 fx_u256_shr(const struct fx_u256 *a, unsigned n);
/* Quotient rounded down; d is not zero. */
struct fx_u256 fx_u256_div(const struct fx_u256 *a, const struct fx_u256 *d);
/* Minimum of the two. */
struct fx_u256 fx_u256_min(const struct fx_u256 *a, const struct fx_u256 *b);
struct fx_u256 fx_u256_max(const struct fx_u256 *a, const struct fx_u256 *b);
/* Big-endian hex without a prefix, 64 digits. */
void fx_u256_to_hex(const struct fx_u256 *a, char out[FX_HASH_HEX]);
/* As a floating-point number, for display only. */
double fx_u256_to_double(const struct fx_u256 *a);

#endif
