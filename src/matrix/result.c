/* Results as tiles. */
#include "src/matrix/result.h"

#include "consensus/brick.h"
#include "src/util/buf.h"

uint32_t fx_result_tile_number(const struct fx_task_shape *shape, uint32_t row, uint32_t column)
{
    return (row - shape->row0) * shape->cols + (column - shape->col0);
}

void fx_result_tile_pack(const int32_t *first, size_t row_step, uint8_t tile[FX_TILE_BYTES])
{
    for (size_t r = 0; r < FX_TILE; r++) {
        for (size_t c = 0; c < FX_TILE; c++) {
            fx_store_u32(tile + 4 * (r * FX_TILE + c), (uint32_t)first[r * row_step + c]);
        }
    }
}

void fx_result_band_put(int32_t *band, size_t rows, size_t columns, uint32_t column,
                        const uint8_t tile[FX_TILE_BYTES])
{
    size_t left = (size_t)column * FX_TILE;
    size_t width;

    if (left >= columns) {
        return;
    }
    width = columns - left < FX_TILE ? columns - left : FX_TILE;
    for (size_t r = 0; r < rows && r < FX_TILE; r++) {
        for (size_t c = 0; c < width; c++) {
            band[r * columns + left + c] = (int32_t)fx_load_u32(tile + 4 * (r * FX_TILE + c));
        }
    }
}

void fx_result_put(int32_t *matrix, size_t rows, size_t columns, uint32_t row, uint32_t column,
                   const uint8_t tile[FX_TILE_BYTES])
{
    size_t top = (size_t)row * FX_TILE;

    if (top < rows) {
        fx_result_band_put(matrix + top * columns, rows - top, columns, column, tile);
    }
}
