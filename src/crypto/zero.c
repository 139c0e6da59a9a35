/* Zeroing that is not optimised away; comparison without early exit. */
#include "src/crypto/zero.h"

#include <stdint.h>
#include <string.h>

void fx_secure_zero(void *p, size_t n)
{
    if (n == 0)
        return;
    memset(p, 0, n);
    /* The compiler must assume that this reads the memory, so the stores stay. */
    __asm__ __volatile__("" : : "r"(p) : "memory");
}

bool fx_secure_equal(const void *a, const void *b, size_t n)
{
    const volatile uint8_t *x = a, *y = b;
    uint8_t differ = 0;
    for (size_t i = 0; i < n; i++)
        differ |= (uint8_t)(x[i] ^ y[i]);
    return differ == 0;
}
