/* Zeroing that the compiler keeps, and a comparison in constant time. */
#ifndef FX_CRYPTO_ZERO_H
#define FX_CRYPTO_ZERO_H

#include <stdbool.h>
#include <stddef.h>

void fx_secure_zero(void *p, size_t n);
bool fx_secure_equal(const void *a, const void *b, size_t n);

#endif
