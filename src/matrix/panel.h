/*
 * Panel layout: matrices as blocks of 128 x 256 int8, block (i, l) being number i * (k / 256) + l,
 * padded with zeros at the right and below (protocol section 6).
 *
 * A matrix in memory is given by its first element and two steps, the distances in elements from
 * one row and from one column to the next: C order has steps (columns, 1), Fortran order (1, rows),
 * and the transpose of a matrix is itself with steps and dimensions exchanged.
 */
#ifndef FX_MATRIX_PANEL_H
#define FX_MATRIX_PANEL_H

#include <stddef.h>
#include <stdint.h>

#include "consensus/brick.h"

/* Rounded up to whole panels (128 rows; also columns of results) and whole segments (256). */
uint64_t fx_panel_pad_rows(uint64_t rows);
uint64_t fx_panel_pad_columns(uint64_t columns);
/* Blocks that hold a matrix of rows x columns, before or after padding. */
uint64_t fx_panel_blocks(uint64_t rows, uint64_t columns);

/* One block from its upper left element on; rows <= 128 and columns <= 256 of it are there, the
 * rest becomes zero. */
void fx_panel_block_pack(const int8_t *first, size_t rows, size_t columns, size_t row_step,
                         size_t column_step, int8_t block[FX_BLOCK_BYTES]);
/* The other way: writes rows x columns elements and nothing else. */
void fx_panel_block_unpack(const int8_t block[FX_BLOCK_BYTES], size_t rows, size_t columns,
                           int8_t *first, size_t row_step, size_t column_step);

/* Whole matrices of rows x columns: blocks holds fx_panel_blocks(rows, columns) * FX_BLOCK_BYTES.
 */
void fx_panel_pack(const int8_t *first, uint64_t rows, uint64_t columns, size_t row_step,
                   size_t column_step, int8_t *blocks);
void fx_panel_unpack(const int8_t *blocks, uint64_t rows, uint64_t columns, int8_t *first,
                     size_t row_step, size_t column_step);

#endif
