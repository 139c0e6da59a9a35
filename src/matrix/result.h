/* Results as tiles: one task's rectangle from its matrix, and the job's matrix from all tiles. */
#ifndef FX_MATRIX_RESULT_H
#define FX_MATRIX_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "consensus/brick.h"
#include "consensus/kinds/kind.h"

/* The number in its task's rectangle of tile (row, column) of the whole grid; inside it. */
uint32_t fx_result_tile_number(const struct fx_task_shape *shape, uint32_t row, uint32_t column);
/* 128 x 128 entries as a tile: int32 little-endian. row_step: elements from row to row. */
void fx_result_tile_pack(const int32_t *first, size_t row_step, uint8_t tile[FX_TILE_BYTES]);
/*
 * Lays a tile of the grid's column `column` into a band: the rows of one tile row of the result, of
 * which `rows` <= 128 and `columns` remain after trimming. What lies beyond is dropped.
 */
void fx_result_band_put(int32_t *band, size_t rows, size_t columns, uint32_t column,
                        const uint8_t tile[FX_TILE_BYTES]);
/* The same into a whole matrix of rows x columns, at tile (row, column). */
void fx_result_put(int32_t *matrix, size_t rows, size_t columns, uint32_t row, uint32_t column,
                   const uint8_t tile[FX_TILE_BYTES]);

#endif
