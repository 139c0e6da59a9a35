/* Freivalds: right results pass, any single wrong entry is found at its row and column. */
#include "src/matrix/freivalds.h"

#include <stdatomic.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/matrix/memory.h"
#include "src/util/buf.h"

static const uint8_t key[32] = {1, 2, 3};

/* By so many threads. */
static enum fx_freivalds check_by(unsigned threads, const struct fx_task_shape *shape,
                                  const struct fx_source *source, unsigned rounds, uint32_t *row)
{
    struct fx_pool *pool = threads > 1 ? fx_pool_create(threads - 1) : NULL;
    enum fx_freivalds result = fx_freivalds_check(shape, source, rounds, key, pool, row);

    fx_pool_destroy(pool);
    return result;
}

/* By one thread; by several, which must say the same. */
static enum fx_freivalds check(struct fx_memory *memory, unsigned rounds, uint32_t *row)
{
    uint32_t first = 0;
    enum fx_freivalds one = check_by(1, &memory->shape, &memory->source, rounds, row);

    FX_CHECK_INT(check_by(3, &memory->shape, &memory->source, rounds, &first), one);
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
    FX_CHECK_INT(check_by(threads, &memory.shape, &memory.source, 1, &row), FX_FREIVALDS_EQUAL);
    all = memory.reads;
    /* Each block of each side and each tile, once. */
    FX_CHECK_INT(all, 4 + 4 + 4);
    for (unsigned at = 0; at < 2 * all; at++) {
        const unsigned after = 1 + at / 2;

        threads = at % 2 ? 3 : 1;
        memory.reads = 0;
        memory.fail_after = after;
        FX_CHECK_INT(check_by(threads, &memory.shape, &memory.source, 1, &row),
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

/* A row that is wrong was found when the source gives up on another one. */
FX_TEST(wrong_before_the_source_gives_up)
{
    struct fx_memory memory;
    uint32_t row = 0;

    fx_memory_init(&memory, 256, 256, 512, 2, 2, 0);
    memory.result[3 * 256]++;
    memory.fail_after = 4 + 4 + 4 - 1; /* all but the last block of A */
    FX_CHECK_INT(check_by(1, &memory.shape, &memory.source, 1, &row), FX_FREIVALDS_DIFFERENT);
    FX_CHECK_INT(row, 3);
    memory.result[3 * 256]--;
    memory.result[131 * 256]++; /* in a row of the other panel, which is not known */
    memory.reads = 0;
    FX_CHECK_INT(check_by(1, &memory.shape, &memory.source, 1, &row), FX_FREIVALDS_UNREADABLE);
    fx_memory_clear(&memory);
}

/* Matrices of any size: all entries of a block are one number, so all of a tile are. */
struct plain {
    struct fx_task_shape shape;
    uint32_t wrong_tile;
    atomic_uint reads, asking;
    bool shared, together; /* allowed; seen to be asked by two at once */
};

static int8_t entry(uint32_t panel, uint32_t segment)
{
    return (int8_t)(37 * panel + 101 * segment);
}

static void begin_read(struct plain *plain)
{
    atomic_fetch_add(&plain->reads, 1);
    if (atomic_fetch_add(&plain->asking, 1) > 0 && !plain->shared)
        plain->together = true;
}

static bool read_plain_block(void *ctx, enum fx_side side, uint32_t panel, uint32_t segment,
                             int8_t out[FX_BLOCK_BYTES], uint8_t *path)
{
    struct plain *plain = ctx;

    (void)path;
    begin_read(plain);
    memset(out, entry(panel + (side == FX_SIDE_B ? 1000 : 0), segment), FX_BLOCK_BYTES);
    atomic_fetch_sub(&plain->asking, 1);
    return true;
}

static bool read_plain_tile(void *ctx, uint32_t tile, uint8_t out[FX_TILE_BYTES], uint8_t *path)
{
    struct plain *plain = ctx;
    const uint32_t i = plain->shape.row0 + tile / plain->shape.cols;
    const uint32_t j = plain->shape.col0 + tile % plain->shape.cols;
    int32_t value = 0;

    (void)path;
    begin_read(plain);
    for (uint32_t l = 0; l < plain->shape.depth; l++)
        value += FX_DEPTH * entry(i, l) * entry(j + 1000, l);
    for (size_t at = 0; at < 512; at += 4)
        fx_store_u32(out + at, (uint32_t)value);
    for (size_t at = 512; at < FX_TILE_BYTES; at += 512)
        memcpy(out + at, out, 512);
    if (tile == plain->wrong_tile)
        fx_store_u32(out + 512 * 77 + 4 * 5, (uint32_t)value ^ 1);
    atomic_fetch_sub(&plain->asking, 1);
    return true;
}

static void check_plain(uint32_t rows, uint32_t cols, uint32_t depth, unsigned threads)
{
    struct plain plain = {.shape = {3, 4, rows, cols, depth, (uint64_t)rows * cols, 0},
                          .wrong_tile = UINT32_MAX,
                          .shared = threads > 2};
    const struct fx_source source = {&plain, read_plain_block, read_plain_tile, plain.shared};
    uint32_t row = 0;

    FX_CHECK_INT(check_by(threads, &plain.shape, &source, 2, &row), FX_FREIVALDS_EQUAL);
    FX_CHECK_INT(atomic_load(&plain.reads), (rows + cols) * depth + rows * cols);
    plain.wrong_tile = rows * cols - 1;
    FX_CHECK_INT(check_by(threads, &plain.shape, &source, 1, &row), FX_FREIVALDS_DIFFERENT);
    FX_CHECK_INT(row, (3 + rows - 1) * FX_TILE + 77);
    plain.wrong_tile = 0;
    FX_CHECK_INT(check_by(threads, &plain.shape, &source, 1, &row), FX_FREIVALDS_DIFFERENT);
    FX_CHECK_INT(row, 3 * FX_TILE + 77);
    FX_CHECK(!plain.together);
}

/* More rows, columns and segments than are held at once, and as few as there can be. */
FX_TEST(large_and_thin)
{
    static const uint32_t shapes[][3] = {{1, 1, 1},   {1, 1, 40},  {130, 1, 1}, {1, 130, 1},
                                         {65, 66, 1}, {2, 65, 17}, {65, 2, 33}};

    for (size_t at = 0; at < sizeof shapes / sizeof *shapes; at++) {
        for (unsigned threads = 1; threads <= 3; threads++)
            check_plain(shapes[at][0], shapes[at][1], shapes[at][2], threads);
    }
}
