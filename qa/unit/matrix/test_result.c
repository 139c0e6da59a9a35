/* Results as tiles: numbering, packing, and the trimmed matrix from all tiles of all tasks. */
#include "src/matrix/result.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/brick.h"
#include "qa/unit/harness.h"
#include "src/util/buf.h"
#include "src/util/mem.h"

FX_TEST(tile_numbers)
{
    struct fx_task_shape shape = {.row0 = 2, .col0 = 3, .rows = 2, .cols = 5};

    FX_CHECK_INT(fx_result_tile_number(&shape, 2, 3), 0);
    FX_CHECK_INT(fx_result_tile_number(&shape, 2, 7), 4);
    FX_CHECK_INT(fx_result_tile_number(&shape, 3, 3), 5);
    FX_CHECK_INT(fx_result_tile_number(&shape, 3, 7), 9);
}

static int32_t value(size_t row, size_t column)
{
    return (int32_t)(row * 1000003 - column * 77777);
}

static void make_tile(uint32_t row, uint32_t column, uint8_t tile[FX_TILE_BYTES])
{
    for (size_t r = 0; r < FX_TILE; r++) {
        for (size_t c = 0; c < FX_TILE; c++) {
            fx_store_u32(tile + 4 * (r * FX_TILE + c),
                         (uint32_t)value((size_t)row * FX_TILE + r, (size_t)column * FX_TILE + c));
        }
    }
}

FX_TEST(packing)
{
    size_t step = 300;
    int32_t *matrix = fx_xcalloc(300 * step, sizeof(*matrix));
    uint8_t tile[FX_TILE_BYTES], expected[FX_TILE_BYTES];

    for (size_t r = 0; r < 300; r++) {
        for (size_t c = 0; c < step; c++) {
            matrix[r * step + c] = value(r, c);
        }
    }
    fx_result_tile_pack(matrix + 128 * step + 128, step, tile);
    make_tile(1, 1, expected);
    FX_CHECK_MEM(tile, expected, sizeof(tile));
    free(matrix);
}

static void check_assembly(size_t rows, size_t columns)
{
    uint8_t tile[FX_TILE_BYTES];
    size_t guard = 64;
    int32_t *matrix = fx_xcalloc(rows * columns + guard, sizeof(*matrix));
    size_t tile_rows = (rows + 127) / 128, tile_cols = (columns + 127) / 128;

    /* One tile beyond each edge: nothing of it may land. */
    for (uint32_t i = 0; i <= tile_rows; i++) {
        for (uint32_t j = 0; j <= tile_cols; j++) {
            make_tile(i, j, tile);
            fx_result_put(matrix, rows, columns, i, j, tile);
        }
    }
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            FX_CHECK_INT(matrix[r * columns + c], value(r, c));
        }
    }
    for (size_t at = 0; at < guard; at++) {
        FX_CHECK_INT(matrix[rows * columns + at], 0);
    }
    free(matrix);
}

FX_TEST(assembly)
{
    check_assembly(300, 77);
    check_assembly(128, 128);
    check_assembly(1, 1);
    check_assembly(129, 256);
}

FX_TEST(bands)
{
    uint8_t tile[FX_TILE_BYTES];
    int32_t band[44 * 200 + 1] = {0};

    for (uint32_t j = 0; j < 2; j++) {
        make_tile(2, j, tile);
        fx_result_band_put(band, 44, 200, j, tile);
    }
    for (size_t r = 0; r < 44; r++) {
        for (size_t c = 0; c < 200; c++) {
            FX_CHECK_INT(band[r * 200 + c], value(256 + r, c));
        }
    }
    FX_CHECK_INT(band[44 * 200], 0);
}
