/* Sums of products, in each way that the processor can run, against their definition. */
#include "src/matrix/sums_int.h"

#include <string.h>

#include "qa/unit/harness.h"

#define LARGEST ((UINT64_C(1) << 61) - 1)

enum of { BLOCK_ROWS, BLOCK_COLUMNS, TILE_ROWS };

/* 2^(8 i) for digit i, modulo 2^64: sums and numbers are compared so. */
static uint64_t value_of(const int64_t digits[FX_SUMS_DIGITS])
{
    uint64_t value = 0;

    for (unsigned i = 0; i < FX_SUMS_DIGITS; i++)
        value += (uint64_t)digits[i] << 8 * i;
    return value;
}

/* Random entries; or all at one end of the range. */
static void fill(void *bytes, uint64_t *values, size_t n, unsigned round)
{
    fx_unit_rand_fill(bytes, FX_TILE_BYTES);
    fx_unit_rand_fill(values, n * sizeof *values);
    for (size_t at = 0; at < n; at++)
        values[at] = round < 4 ? LARGEST : values[at] & LARGEST;
    if (round < 4)
        memset(bytes,
               round == 0   ? 0x80
               : round == 1 ? 0x7f
               : round == 2 ? 0x00
                            : 0xff,
               FX_TILE_BYTES);
}

static uint64_t product(enum of of, const int8_t *bytes, size_t r, size_t c)
{
    const int8_t byte = bytes[of == BLOCK_ROWS      ? r * FX_DEPTH + c
                              : of == BLOCK_COLUMNS ? c * FX_DEPTH + r
                                                    : r * FX_SUMS_LENGTH + c];

    return (uint64_t)(int64_t)(of == TILE_ROWS && c % 4 < 3 ? (uint8_t)byte - 128 : byte);
}

static void check(const struct fx_sums *way, enum of of, unsigned round)
{
    static const size_t lengths[] = {FX_DEPTH, FX_TILE, FX_SUMS_LENGTH};
    static int8_t bytes[FX_TILE_BYTES], turned[FX_BLOCK_BYTES];
    static uint64_t values[FX_SUMS_LENGTH];
    static _Alignas(64) uint64_t digits[FX_SUMS_LENGTH];
    static int64_t sums[FX_DEPTH][FX_SUMS_DIGITS];
    const size_t n = of == BLOCK_COLUMNS ? FX_DEPTH : FX_TILE;

    fill(bytes, values, lengths[of], round);
    for (size_t at = 0; at < n * FX_SUMS_DIGITS; at++)
        sums[at / FX_SUMS_DIGITS][at % FX_SUMS_DIGITS] = (int64_t)at << 40;
    way->split(values, lengths[of], digits);
    fx_sums_turn(bytes, turned);
    (of == BLOCK_ROWS ? way->block_rows
     : of == BLOCK_COLUMNS
         ? way->block_columns
         : way->tile_rows)(of == BLOCK_COLUMNS && way->turned ? turned : bytes, digits, sums);
    for (size_t r = 0; r < n; r++) {
        uint64_t want = 0;

        for (size_t c = 0; c < lengths[of]; c++)
            want += product(of, bytes, r, c) * values[c];
        for (size_t i = 0; i < FX_SUMS_DIGITS; i++) {
            sums[r][i] -= (int64_t)(r * FX_SUMS_DIGITS + i) << 40;
            FX_CHECK(sums[r][i] >= INT32_MIN * INT64_C(1) && sums[r][i] <= INT64_C(1) << 31);
        }
        FX_CHECK(value_of(sums[r]) == want);
    }
}

FX_TEST(every_way)
{
    for (size_t w = 0; fx_sums_ways[w]; w++) {
        if (!fx_sums_ways[w]->usable())
            continue;
        for (unsigned round = 0; round < 12; round++) {
            check(fx_sums_ways[w], BLOCK_ROWS, round);
            check(fx_sums_ways[w], BLOCK_COLUMNS, round);
            check(fx_sums_ways[w], TILE_ROWS, round);
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
