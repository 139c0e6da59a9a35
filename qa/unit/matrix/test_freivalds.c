/* Freivalds: right results pass, any single wrong entry is found at its row and column. */
#include "src/matrix/freivalds.h"

#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/matrix/memory.h"

static const uint8_t key[32] = {1, 2, 3};

/* By one thread; by several, which must say the same. */
static enum fx_freivalds check(struct fx_memory *memory, unsigned rounds, uint32_t *row)
{
    uint32_t first = 0;
    enum fx_freivalds one =
        fx_freivalds_check(&memory->shape, &memory->source, rounds, key, 1, row);

    FX_CHECK_INT(fx_freivalds_check(&memory->shape, &memory->source, rounds, key, 3, &first), one);
    if (one == FX_FREIVALDS_DIFFERENT)
        FX_CHECK_INT(first, *row);
    return one;
}

FX_TEST(right_results)
{
    struct fx_memory memory;
    uint32_t row = 0, column = 0;

    for (uint32_t index = 0; index < 4; index++) {
        fx_memory_init(&memory, 384, 640, 768, 2, 3, index);
        for (unsigned rounds = 1; rounds <= FX_FREIVALDS_ROUNDS_MAX; rounds++) {
            FX_CHECK_INT(check(&memory, rounds, &row), FX_FREIVALDS_EQUAL);
        }
        FX_CHECK_INT(fx_freivalds_locate(&memory.shape, &memory.source,
                                         memory.shape.row0 * FX_TILE + 5, &column),
                     FX_FREIVALDS_EQUAL);
        fx_memory_clear(&memory);
    }
}

FX_TEST(wrong_entries)
{
    static const int32_t changes[] = {1, -1, INT32_MIN, 1 << 21, 1 << 30};
    struct fx_memory memory;
    size_t rows, columns;

    fx_memory_init(&memory, 384, 640, 512, 2, 3, 3); /* rows 2..2, columns 3..4 */
    rows = (size_t)memory.shape.rows * FX_TILE;
    columns = (size_t)memory.shape.cols * FX_TILE;
    for (unsigned round = 0; round < fx_unit_rounds(30); round++) {
        size_t r = fx_unit_rand_below(rows), c = fx_unit_rand_below(columns);
        int32_t *entry = &memory.result[r * columns + c], right = *entry;
        uint32_t row = 0, column = 0;

        *entry = (int32_t)((uint32_t)right + (uint32_t)changes[round % 5]);
        FX_CHECK_INT(check(&memory, 1 + round % 2, &row), FX_FREIVALDS_DIFFERENT);
        FX_CHECK_INT(row, 2 * FX_TILE + r);
        FX_CHECK_INT(fx_freivalds_locate(&memory.shape, &memory.source, row, &column),
                     FX_FREIVALDS_DIFFERENT);
        FX_CHECK_INT(column, 3 * FX_TILE + c);
        *entry = right;
    }
    fx_memory_clear(&memory);
}

FX_TEST(first_of_several_wrong_entries)
{
    struct fx_memory memory;
    uint32_t row, column;

    fx_memory_init(&memory, 256, 256, 256, 2, 2, 0);
    memory.result[200 * 256 + 9] ^= 4;
    memory.result[200 * 256 + 130] ^= 4;
    memory.result[201 * 256] ^= 4;
    FX_CHECK_INT(check(&memory, 1, &row), FX_FREIVALDS_DIFFERENT);
    FX_CHECK_INT(row, 200);
    FX_CHECK_INT(fx_freivalds_locate(&memory.shape, &memory.source, row, &column),
                 FX_FREIVALDS_DIFFERENT);
    FX_CHECK_INT(column, 9);
    fx_memory_clear(&memory);
}

/* Two entries of a row that are wrong by the same amount: a vector that is not random in each of
 * its entries would not see it. */
FX_TEST(errors_that_cancel_in_the_sum)
{
    struct fx_memory memory;
    uint32_t row;

    fx_memory_init(&memory, 128, 256, 256, 1, 2, 0);
    for (size_t c = 0; c < 255; c++) {
        memory.result[7 * 256 + c]++;
        memory.result[7 * 256 + c + 1]--;
        FX_CHECK_INT(check(&memory, 1, &row), FX_FREIVALDS_DIFFERENT);
        FX_CHECK_INT(row, 7);
        memory.result[7 * 256 + c]--;
        memory.result[7 * 256 + c + 1]++;
    }
    FX_CHECK_INT(check(&memory, 1, &row), FX_FREIVALDS_EQUAL);
    fx_memory_clear(&memory);
}

FX_TEST(extreme_operands)
{
    static const int8_t extremes[][2] = {{-128, -128}, {-128, 127}, {127, -128}, {127, 127}};
    struct fx_memory memory;
    uint32_t row;

    fx_memory_init(&memory, 128, 128, 65536, 1, 1, 0);
    for (size_t at = 0; at < 4; at++) {
        memset(memory.a, extremes[at][0], (size_t)128 * 65536);
        memset(memory.b, extremes[at][1], (size_t)128 * 65536);
        fx_memory_refresh(&memory);
        fx_memory_solve(&memory);
        FX_CHECK_INT(memory.result[0], (int32_t)extremes[at][0] * extremes[at][1] * 65536);
        FX_CHECK_INT(check(&memory, 2, &row), FX_FREIVALDS_EQUAL);
        memory.result[128 * 128 - 1]--;
        FX_CHECK_INT(check(&memory, 2, &row), FX_FREIVALDS_DIFFERENT);
        FX_CHECK_INT(row, 127);
    }
    fx_memory_clear(&memory);
}

FX_TEST(sources_that_give_up)
{
    struct fx_memory memory;
    uint32_t row, column;
    unsigned all, threads = 1;

    fx_memory_init(&memory, 256, 256, 512, 2, 2, 0);
    FX_CHECK_INT(fx_freivalds_check(&memory.shape, &memory.source, 1, key, threads, &row),
                 FX_FREIVALDS_EQUAL);
    all = memory.reads;
    /* Each block of each side and each tile, once. */
    FX_CHECK_INT(all, 4 + 4 + 4);
    for (unsigned at = 0; at < 2 * all; at++) {
        const unsigned after = 1 + at / 2;

        threads = at % 2 ? 3 : 1;
        memory.reads = 0;
        memory.fail_after = after;
        FX_CHECK_INT(fx_freivalds_check(&memory.shape, &memory.source, 1, key, threads, &row),
                     after < all ? FX_FREIVALDS_UNREADABLE : FX_FREIVALDS_EQUAL);
    }
    memory.fail_after = 0;
    memory.reads = 0;
    FX_CHECK_INT(fx_freivalds_locate(&memory.shape, &memory.source, 3, &column),
                 FX_FREIVALDS_EQUAL);
    all = memory.reads;
    for (unsigned after = 1; after < all; after++) {
        memory.reads = 0;
        memory.fail_after = after;
        FX_CHECK_INT(fx_freivalds_locate(&memory.shape, &memory.source, 3, &column),
                     FX_FREIVALDS_UNREADABLE);
    }
    fx_memory_clear(&memory);
}
