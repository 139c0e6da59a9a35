/* Limbs: what they hold, and that they add up. */
#include "src/util/limbs.h"

#include "qa/unit/harness.h"

static int64_t sum(int64_t value, unsigned limbs)
{
    int64_t total = 0, weight = 1;

    for (unsigned i = 0; i < limbs; i++, weight *= 128) {
        int limb = fx_limb(value, i);

        FX_CHECK(limb >= FX_LIMB_MIN && limb <= FX_LIMB_MAX);
        total += limb * weight;
    }
    return total;
}

FX_TEST(ranges)
{
    FX_CHECK_INT(fx_limbs_low(1), -64);
    FX_CHECK_INT(fx_limbs_high(1), 63);
    FX_CHECK_INT(fx_limbs_low(2), -8256);
    FX_CHECK_INT(fx_limbs_high(2), 8127);
    FX_CHECK_INT(fx_limbs_low(3), -1056832);
    FX_CHECK_INT(fx_limbs_high(3), 1040319);
}

FX_TEST(needed)
{
    FX_CHECK_INT(fx_limbs_needed(0, 0), 1);
    FX_CHECK_INT(fx_limbs_needed(-64, 63), 1);
    FX_CHECK_INT(fx_limbs_needed(-65, 0), 2);
    FX_CHECK_INT(fx_limbs_needed(0, 64), 2);
    FX_CHECK_INT(fx_limbs_needed(-128, 127), 2);
    FX_CHECK_INT(fx_limbs_needed(-32768, 65535), 3);
    FX_CHECK_INT(fx_limbs_needed(0, 1040320), 0);
    FX_CHECK_INT(fx_limbs_needed(INT64_MIN, 0), 0);
}

/* Every value that the limbs hold, and no other way to write it. */
FX_TEST(all_of_two_limbs)
{
    for (int64_t value = fx_limbs_low(2); value <= fx_limbs_high(2); value++) {
        FX_CHECK_INT(sum(value, 2), value);
    }
}

FX_TEST(three_limbs)
{
    FX_CHECK_INT(sum(fx_limbs_low(3), 3), fx_limbs_low(3));
    FX_CHECK_INT(sum(fx_limbs_high(3), 3), fx_limbs_high(3));
    for (int64_t value = fx_limbs_low(3); value <= fx_limbs_high(3); value += 977) {
        FX_CHECK_INT(sum(value, 3), value);
    }
}

/* The product of two numbers from the products of their limbs, as a result is put together. */
FX_TEST(products)
{
    for (unsigned i = 0; i < fx_unit_rounds(1000); i++) {
        int64_t a = (int64_t)fx_unit_rand_below(98304) - 32768;
        int64_t b = (int64_t)fx_unit_rand_below(98304) - 32768;
        uint64_t total = 0;

        for (unsigned x = 0; x < 3; x++) {
            for (unsigned y = 0; y < 3; y++) {
                int64_t product = (int64_t)fx_limb(a, x) * fx_limb(b, y);

                total += (uint64_t)product << (FX_LIMB_BITS * (x + y));
            }
        }
        FX_CHECK_INT((int64_t)total, a * b);
    }
}
