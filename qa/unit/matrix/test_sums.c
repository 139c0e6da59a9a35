/* Sums of products, in each way that the processor can run, against their definition. */
#include "src/matrix/sums_int.h"

#include <string.h>

#include "qa/unit/harness.h"

/* Random entries; or all at one end of the range. */
static void fill(void *bytes, size_t n, unsigned round)
{
    fx_unit_rand_fill(bytes, n);
    if (round < 2)
        memset(bytes, round == 0 ? 0x80 : 0x7f, n);
}

static void check_narrow(const struct fx_sums *way, size_t n, size_t length, unsigned round)
{
    static int8_t rows[FX_BLOCK_BYTES];
    static int16_t digits[FX_SUMS_DIGITS * FX_DEPTH];
    static int64_t sums[FX_SUMS_DIGITS * FX_DEPTH];

    fill(rows, sizeof rows, round);
    fill(digits, sizeof digits, round);
    for (size_t d = 0; round == 0 && d < FX_SUMS_DIGITS * FX_DEPTH; d++)
        digits[d] = INT16_MIN;
    for (size_t at = 0; at < FX_SUMS_DIGITS * n; at++)
        sums[at] = (int64_t)at << 40;
    way->narrow(rows, n, length, digits, FX_DEPTH, sums);
    for (size_t at = 0; at < FX_SUMS_DIGITS * n; at++) {
        int64_t want = (int64_t)at << 40;

        for (size_t c = 0; c < length; c++)
            want += (int64_t)rows[at % n * length + c] * digits[at / n * FX_DEPTH + c];
        FX_CHECK_INT(sums[at], want);
    }
}

static void check_wide(const struct fx_sums *way, unsigned round)
{
    static int32_t rows[FX_TILE * FX_TILE], limbs[FX_SUMS_LIMBS][FX_TILE];
    static int64_t sums[FX_TILE][FX_SUMS_LIMBS];

    fill(rows, sizeof rows, round);
    fill(limbs, sizeof limbs, round);
    for (size_t at = 0; at < FX_SUMS_LIMBS * FX_TILE; at++)
        limbs[at / FX_TILE][at % FX_TILE] =
            round < 2 ? (1 << 21) - 1 : limbs[at / FX_TILE][at % FX_TILE] & ((1 << 21) - 1);
    for (size_t at = 0; round == 0 && at < FX_TILE * FX_TILE; at++)
        rows[at] = INT32_MIN;
    way->wide(rows, (const int32_t(*)[FX_TILE])limbs, sums);
    for (size_t at = 0; at < FX_TILE * FX_SUMS_LIMBS; at++) {
        const size_t r = at / FX_SUMS_LIMBS, i = at % FX_SUMS_LIMBS;
        int64_t want = 0;

        for (size_t c = 0; c < FX_TILE; c++)
            want += (int64_t)rows[r * FX_TILE + c] * limbs[i][c];
        FX_CHECK_INT(sums[r][i], want);
    }
}

FX_TEST(every_way)
{
    for (size_t w = 0; fx_sums_ways[w]; w++) {
        const struct fx_sums *way = fx_sums_ways[w];

        if (!way->usable())
            continue;
        for (unsigned round = 0; round < 8; round++) {
            check_narrow(way, FX_TILE, FX_DEPTH, round);
            check_narrow(way, FX_DEPTH, FX_TILE, round);
            check_narrow(way, 3, 16, round);
            check_wide(way, round);
        }
    }
}

FX_TEST(the_best_way_is_the_first_usable_one)
{
    const struct fx_sums *const *way = fx_sums_ways;

    while (!(*way)->usable())
        way++;
    FX_CHECK(fx_sums_best() == *way);
}
