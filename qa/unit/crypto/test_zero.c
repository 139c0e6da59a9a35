/* Zeroing and constant-time comparison. */
#include "src/crypto/zero.h"

#include <stdint.h>
#include <string.h>

#include "qa/unit/harness.h"

FX_TEST(zeroes_what_it_is_given)
{
    uint8_t data[32];
    memset(data, 0x5a, sizeof data);
    fx_secure_zero(data + 3, 20);
    for (unsigned i = 0; i < sizeof data; i++)
        FX_CHECK_INT(data[i], i >= 3 && i < 23 ? 0 : 0x5a);
    fx_secure_zero(NULL, 0);
}

FX_TEST(compares_every_bit)
{
    uint8_t a[33], b[33];
    fx_unit_rand_fill(a, sizeof a);
    memcpy(b, a, sizeof a);
    FX_CHECK(fx_secure_equal(a, b, sizeof a));
    FX_CHECK(fx_secure_equal(a, b, 0));
    for (unsigned bit = 0; bit < 8 * sizeof a; bit++) {
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        FX_CHECK(!fx_secure_equal(a, b, sizeof a));
        FX_CHECK(fx_secure_equal(a, b, bit / 8));
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}
