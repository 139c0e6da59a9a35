/* Panel layout: row-major (or any strided) matrices to blocks of 128 x 256, and back. */
#include "src/matrix/panel.h"

#include <string.h>

static uint64_t round_up(uint64_t n, uint64_t unit)
{
    return (n + unit - 1) / unit * unit;
}

static size_t at_most(uint64_t n, size_t most)
{
    return n < most ? (size_t)n : most;
}

uint64_t fx_panel_pad_rows(uint64_t rows)
{
    return round_up(rows, FX_TILE);
}

uint64_t fx_panel_pad_columns(uint64_t columns)
{
    return round_up(columns, FX_DEPTH);
}

uint64_t fx_panel_blocks(uint64_t rows, uint64_t columns)
{
    return fx_panel_pad_rows(rows) / FX_TILE * (fx_panel_pad_columns(columns) / FX_DEPTH);
}

void fx_panel_block_pack(const int8_t *first, size_t rows, size_t columns, size_t row_step,
                         size_t column_step, int8_t block[FX_BLOCK_BYTES])
{
    memset(block, 0, FX_BLOCK_BYTES);
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            block[r * FX_DEPTH + c] = first[r * row_step + c * column_step];
        }
    }
}

void fx_panel_block_unpack(const int8_t block[FX_BLOCK_BYTES], size_t rows, size_t columns,
                           int8_t *first, size_t row_step, size_t column_step)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            first[r * row_step + c * column_step] = block[r * FX_DEPTH + c];
        }
    }
}

void fx_panel_pack(const int8_t *first, uint64_t rows, uint64_t columns, size_t row_step,
                   size_t column_step, int8_t *blocks)
{
    for (uint64_t r = 0; r < rows; r += FX_TILE) {
        for (uint64_t c = 0; c < columns; c += FX_DEPTH) {
            fx_panel_block_pack(first + r * row_step + c * column_step, at_most(rows - r, FX_TILE),
                                at_most(columns - c, FX_DEPTH), row_step, column_step, blocks);
            blocks += FX_BLOCK_BYTES;
        }
    }
}

void fx_panel_unpack(const int8_t *blocks, uint64_t rows, uint64_t columns, int8_t *first,
                     size_t row_step, size_t column_step)
{
    for (uint64_t r = 0; r < rows; r += FX_TILE) {
        for (uint64_t c = 0; c < columns; c += FX_DEPTH) {
            fx_panel_block_unpack(blocks, at_most(rows - r, FX_TILE),
                                  at_most(columns - c, FX_DEPTH),
                                  first + r * row_step + c * column_step, row_step, column_step);
            blocks += FX_BLOCK_BYTES;
        }
    }
}
