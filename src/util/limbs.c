/* Balanced digits to the base 128. */
#include "src/util/limbs.h"

#define BASE 128

int64_t fx_limbs_high(unsigned limbs)
{
    int64_t high = 0;
    for (unsigned i = 0; i < limbs; i++) {
        high = high * BASE + FX_LIMB_MAX;
    }
    return high;
}

int64_t fx_limbs_low(unsigned limbs)
{
    int64_t low = 0;
    for (unsigned i = 0; i < limbs; i++) {
        low = low * BASE + FX_LIMB_MIN;
    }
    return low;
}

unsigned fx_limbs_needed(int64_t low, int64_t high)
{
    for (unsigned limbs = 1; limbs <= FX_LIMBS_MAX; limbs++) {
        if (low >= fx_limbs_low(limbs) && high <= fx_limbs_high(limbs)) {
            return limbs;
        }
    }
    return 0;
}

int fx_limb(int64_t value, unsigned at)
{
    for (;; at--) {
        /* The digit is congruent to the value, from -64 to 63; what remains divides exactly. */
        int64_t digit = ((value - FX_LIMB_MIN) & (BASE - 1)) + FX_LIMB_MIN;
        if (at == 0) {
            return (int)digit;
        }
        value = (value - digit) / BASE;
    }
}
