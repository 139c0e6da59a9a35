/* Amounts in embers: 1 FNX = 100,000,000 embers. Sums are checked where they are made. */
#ifndef FX_UTIL_AMOUNT_H
#define FX_UTIL_AMOUNT_H

#include <stdbool.h>
#include <stdint.h>

#define FX_COIN INT64_C(100000000)
#define FX_AMOUNT_TEXT 32
#define FX_NUMBER_TEXT 32

/* *sum = a + b; false on overflow, and then *sum is untouched. */
bool fx_amount_add(int64_t a, int64_t b, int64_t *sum);
/* "12.34567800", with a sign where negative. */
void fx_amount_format(int64_t amount, char out[FX_AMOUNT_TEXT]);
/* A decimal number with at most eight places, no exponent, in [0, 2^63); false otherwise. */
bool fx_amount_parse(const char *s, int64_t *amount);
/* A finite number that may be an amount in FNX: with eight places where that is the number, else
 * with as many digits as it needs to be read back the same. */
void fx_number_format(double value, char out[FX_NUMBER_TEXT]);

#endif
