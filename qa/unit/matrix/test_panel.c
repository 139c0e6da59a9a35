/* Panel layout: every element at its place, zeros elsewhere, and back. */
#include "src/matrix/panel.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/util/mem.h"

FX_TEST(padding)
{
    FX_CHECK_INT(fx_panel_pad_rows(1), 128);
    FX_CHECK_INT(fx_panel_pad_rows(128), 128);
    FX_CHECK_INT(fx_panel_pad_rows(129), 256);
    FX_CHECK_INT(fx_panel_pad_columns(1), 256);
    FX_CHECK_INT(fx_panel_pad_columns(256), 256);
    FX_CHECK_INT(fx_panel_pad_columns(257), 512);
    FX_CHECK_INT(fx_panel_blocks(1, 1), 1);
    FX_CHECK_INT(fx_panel_blocks(300, 1000), 3 * 4);
    FX_CHECK_INT(fx_panel_blocks(384, 1024), 3 * 4);
}

/* Where element (r, c) of a matrix with this many segments stands in its blocks. */
static size_t place(size_t r, size_t c, size_t segments)
{
    return (r / 128 * segments + c / 256) * 32768 + r % 128 * 256 + c % 256;
}

static void check_matrix(size_t rows, size_t columns)
{
    size_t padded_rows = fx_panel_pad_rows(rows), segments = fx_panel_pad_columns(columns) / 256;
    size_t size = fx_panel_blocks(rows, columns) * FX_BLOCK_BYTES;
    int8_t *matrix = fx_xmalloc(rows * columns), *turned = fx_xmalloc(rows * columns);
    int8_t *back = fx_xmalloc(rows * columns);
    int8_t *blocks = fx_xmalloc(size), *same = fx_xmalloc(size);

    fx_unit_rand_fill(matrix, rows * columns);
    memset(blocks, 0x55, size);
    fx_panel_pack(matrix, rows, columns, columns, 1, blocks);
    for (size_t r = 0; r < padded_rows; r++) {
        for (size_t c = 0; c < segments * 256; c++) {
            int8_t expected = 0;

            if (r < rows && c < columns) {
                expected = matrix[r * columns + c];
                turned[c * rows + r] = expected;
            }
            if (blocks[place(r, c, segments)] != expected) {
                FX_FAIL("%zu, %zu of %zu x %zu", r, c, rows, columns);
            }
        }
    }
    /* The transpose in memory, with its steps exchanged, is the same matrix. */
    fx_panel_pack(turned, rows, columns, 1, rows, same);
    FX_CHECK_MEM(same, blocks, size);
    fx_panel_unpack(blocks, rows, columns, back, columns, 1);
    FX_CHECK_MEM(back, matrix, rows * columns);
    fx_panel_unpack(blocks, rows, columns, back, 1, rows);
    FX_CHECK_MEM(back, turned, rows * columns);
    free(matrix);
    free(turned);
    free(back);
    free(blocks);
    free(same);
}

FX_TEST(matrices_of_any_shape)
{
    static const size_t shapes[][2] = {{1, 1},      {128, 256}, {127, 255}, {129, 257},
                                       {300, 1000}, {77, 300},  {256, 1},   {1, 513}};

    for (size_t at = 0; at < sizeof(shapes) / sizeof(*shapes); at++) {
        check_matrix(shapes[at][0], shapes[at][1]);
    }
}

FX_TEST(unpacking_writes_nothing_else)
{
    int8_t block[FX_BLOCK_BYTES], out[10 * 20];

    memset(block, 1, sizeof(block));
    memset(out, 7, sizeof(out));
    fx_panel_block_unpack(block, 3, 4, out + 20 + 5, 20, 1);
    for (size_t at = 0; at < sizeof(out); at++) {
        bool inside = at / 20 >= 1 && at / 20 < 4 && at % 20 >= 5 && at % 20 < 9;

        FX_CHECK_INT(out[at], inside ? 1 : 7);
    }
}
