/* Tests of the randomness: not its quality, which is the kernel's, but its use. */
#include <string.h>

#include "qa/unit/harness.h"
#include "src/sys/random.h"

FX_TEST(bytes_fill_all)
{
    uint8_t seen[600] = {0}, got[600];
    unsigned round;
    size_t i;

    for (round = 0; round < 20; round++) {
        fx_random_bytes(got, sizeof(got));
        for (i = 0; i < sizeof(got); i++) {
            seen[i] |= got[i];
        }
    }
    for (i = 0; i < sizeof(seen); i++) {
        FX_CHECK(seen[i] != 0);
    }
    FX_CHECK(fx_random_u64() != fx_random_u64());
}

FX_TEST(below_stays_below_and_reaches_all)
{
    unsigned hits[7] = {0}, i;

    for (i = 0; i < 2000; i++) {
        uint64_t v = fx_random_below(7);

        FX_CHECK(v < 7);
        hits[v]++;
    }
    for (i = 0; i < 7; i++) {
        FX_CHECK(hits[i] > 100);
    }
    FX_CHECK_INT(fx_random_below(1), 0);
    FX_CHECK(fx_random_below(UINT64_C(1) << 63) < UINT64_C(1) << 63);
}
