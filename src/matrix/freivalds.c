/*
 * Freivalds' check. Numbers below p are handled in limbs, so that sums of products of small
 * integers fit 64 bits and the inner loops stay plain; multiplying by a power of two modulo
 * 2^61 - 1 is a rotation of 61 bits.
 */
#include "src/matrix/freivalds.h"

#include <stdlib.h>
#include <string.h>

#include "src/crypto/chacha20.h"
#include "src/util/buf.h"
#include "src/util/mem.h"

#define P ((UINT64_C(1) << 61) - 1)
#define LOW_BITS 31 /* of two limbs, for products with int8 */
#define LOW_MASK ((UINT64_C(1) << LOW_BITS) - 1)
#define THIRD_BITS 21 /* of three limbs, for products with int32 */
#define THIRD_MASK ((UINT64_C(1) << THIRD_BITS) - 1)

static uint64_t add_mod(uint64_t x, uint64_t y)
{
    uint64_t sum = x + y;

    return sum >= P ? sum - P : sum;
}

/* x * 2^bits, for x < p and bits < 61. */
static uint64_t shift_mod(uint64_t x, unsigned bits)
{
    uint64_t turned = ((x << bits) & P) | (x >> (61 - bits));

    return turned == P ? 0 : turned;
}

static uint64_t reduce(int64_t v)
{
    uint64_t size = v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v;

    size %= P;
    return v < 0 && size != 0 ? P - size : size;
}

/* The number low + 2^31 * high. */
static uint64_t join(int64_t low, int64_t high)
{
    return add_mod(reduce(low), shift_mod(reduce(high), LOW_BITS));
}

/* The entries of x that belong to one tile column. */
static void draw(const uint8_t key[32], unsigned round, uint32_t column, uint64_t x[FX_TILE])
{
    uint8_t nonce[12] = {0}, words[64];
    size_t n = 0;

    fx_store_u32(nonce, round);
    fx_store_u32(nonce + 4, column);
    for (uint32_t counter = 0; n < FX_TILE; counter++) {
        fx_chacha20_stream(key, nonce, counter, words, sizeof(words));
        for (size_t at = 0; at < sizeof(words) && n < FX_TILE; at += 8) {
            uint64_t value = fx_load_u64(words + at) & P;

            /* p itself is drawn again: x is uniform. */
            if (value != P) {
                x[n++] = value;
            }
        }
    }
}

/* One round's vectors of length k. */
struct round {
    int64_t *low, *high; /* sums of B x; then the limbs of its entries */
};

/* low, high += block^T x: 2^24 rows at most, each product below 2^38: no overflow. */
static void add_block_transposed(const int8_t *block, const uint64_t *x, int64_t *low,
                                 int64_t *high)
{
    for (size_t r = 0; r < FX_TILE; r++) {
        const int8_t *row = block + r * FX_DEPTH;
        int64_t x_low = (int64_t)(x[r] & LOW_MASK), x_high = (int64_t)(x[r] >> LOW_BITS);

        for (size_t c = 0; c < FX_DEPTH; c++) {
            low[c] += row[c] * x_low;
            high[c] += row[c] * x_high;
        }
    }
}

/* y = B x, left as limbs. */
static bool times_b(const struct fx_task_shape *shape, const struct fx_source *source,
                    unsigned rounds, const uint8_t *key, int8_t *block, struct round *y)
{
    uint64_t x[FX_FREIVALDS_ROUNDS_MAX][FX_TILE];

    for (uint32_t c = 0; c < shape->cols; c++) {
        for (unsigned t = 0; t < rounds; t++) {
            draw(key, t, c, x[t]);
        }
        for (uint32_t l = 0; l < shape->depth; l++) {
            if (!source->read_block(source->ctx, FX_SIDE_B, shape->col0 + c, l, block, NULL)) {
                return false;
            }
            for (unsigned t = 0; t < rounds; t++) {
                add_block_transposed(block, x[t], y[t].low + (size_t)l * FX_DEPTH,
                                     y[t].high + (size_t)l * FX_DEPTH);
            }
        }
    }
    for (unsigned t = 0; t < rounds; t++) {
        for (size_t at = 0; at < (size_t)shape->depth * FX_DEPTH; at++) {
            uint64_t value = join(y[t].low[at], y[t].high[at]);

            y[t].low[at] = (int64_t)(value & LOW_MASK);
            y[t].high[at] = (int64_t)(value >> LOW_BITS);
        }
    }
    return true;
}

/* left = A y for the rows of one tile row: k <= 65,536 products below 2^38 each. */
static bool times_a(const struct fx_task_shape *shape, const struct fx_source *source,
                    unsigned rounds, uint32_t panel, int8_t *block, const struct round *y,
                    uint64_t left[FX_FREIVALDS_ROUNDS_MAX][FX_TILE])
{
    int64_t low[FX_FREIVALDS_ROUNDS_MAX][FX_TILE] = {{0}};
    int64_t high[FX_FREIVALDS_ROUNDS_MAX][FX_TILE] = {{0}};

    for (uint32_t l = 0; l < shape->depth; l++) {
        if (!source->read_block(source->ctx, FX_SIDE_A, panel, l, block, NULL)) {
            return false;
        }
        for (unsigned t = 0; t < rounds; t++) {
            const int64_t *y_low = y[t].low + (size_t)l * FX_DEPTH;
            const int64_t *y_high = y[t].high + (size_t)l * FX_DEPTH;

            for (size_t r = 0; r < FX_TILE; r++) {
                const int8_t *row = block + r * FX_DEPTH;
                int64_t sum_low = 0, sum_high = 0;

                for (size_t c = 0; c < FX_DEPTH; c++) {
                    sum_low += row[c] * y_low[c];
                    sum_high += row[c] * y_high[c];
                }
                low[t][r] += sum_low;
                high[t][r] += sum_high;
            }
        }
    }
    for (unsigned t = 0; t < rounds; t++) {
        for (size_t r = 0; r < FX_TILE; r++) {
            left[t][r] = join(low[t][r], high[t][r]);
        }
    }
    return true;
}

/* right += one tile times its part of x: 128 products below 2^52 each. */
static void add_tile(const uint8_t *tile, const uint64_t *x, uint64_t *right)
{
    for (size_t r = 0; r < FX_TILE; r++) {
        int64_t sum[3] = {0, 0, 0};

        for (size_t c = 0; c < FX_TILE; c++) {
            int64_t entry = (int32_t)fx_load_u32(tile + 4 * (r * FX_TILE + c));

            sum[0] += entry * (int64_t)(x[c] & THIRD_MASK);
            sum[1] += entry * (int64_t)(x[c] >> THIRD_BITS & THIRD_MASK);
            sum[2] += entry * (int64_t)(x[c] >> 2 * THIRD_BITS);
        }
        right[r] = add_mod(right[r], reduce(sum[0]));
        right[r] = add_mod(right[r], shift_mod(reduce(sum[1]), THIRD_BITS));
        right[r] = add_mod(right[r], shift_mod(reduce(sum[2]), 2 * THIRD_BITS));
    }
}

/* right = C x for the rows of one tile row of the rectangle. */
static bool times_c(const struct fx_task_shape *shape, const struct fx_source *source,
                    unsigned rounds, const uint8_t *key, uint32_t row, uint8_t *tile,
                    uint64_t right[FX_FREIVALDS_ROUNDS_MAX][FX_TILE])
{
    uint64_t x[FX_TILE];

    memset(right, 0, sizeof(uint64_t) * FX_FREIVALDS_ROUNDS_MAX * FX_TILE);
    for (uint32_t c = 0; c < shape->cols; c++) {
        if (!source->read_tile(source->ctx, row * shape->cols + c, tile, NULL)) {
            return false;
        }
        for (unsigned t = 0; t < rounds; t++) {
            draw(key, t, c, x);
            add_tile(tile, x, right[t]);
        }
    }
    return true;
}

static enum fx_freivalds compare_rows(const struct fx_task_shape *shape,
                                      const struct fx_source *source, unsigned rounds,
                                      const uint8_t *key, const struct round *y, int8_t *block,
                                      uint8_t *tile, uint32_t *row)
{
    uint64_t left[FX_FREIVALDS_ROUNDS_MAX][FX_TILE], right[FX_FREIVALDS_ROUNDS_MAX][FX_TILE];

    for (uint32_t i = 0; i < shape->rows; i++) {
        if (!times_a(shape, source, rounds, shape->row0 + i, block, y, left) ||
            !times_c(shape, source, rounds, key, i, tile, right)) {
            return FX_FREIVALDS_UNREADABLE;
        }
        for (uint32_t r = 0; r < FX_TILE; r++) {
            for (unsigned t = 0; t < rounds; t++) {
                if (left[t][r] != right[t][r]) {
                    *row = (shape->row0 + i) * FX_TILE + r;
                    return FX_FREIVALDS_DIFFERENT;
                }
            }
        }
    }
    return FX_FREIVALDS_EQUAL;
}

enum fx_freivalds fx_freivalds_check(const struct fx_task_shape *shape,
                                     const struct fx_source *source, unsigned rounds,
                                     const uint8_t key[32], uint32_t *row)
{
    struct round y[FX_FREIVALDS_ROUNDS_MAX];
    size_t k = (size_t)shape->depth * FX_DEPTH;
    int8_t *block = fx_xmalloc(FX_BLOCK_BYTES);
    uint8_t *tile = fx_xmalloc(FX_TILE_BYTES);
    enum fx_freivalds result = FX_FREIVALDS_UNREADABLE;

    for (unsigned t = 0; t < rounds; t++) {
        y[t].low = fx_xcalloc(k, sizeof(int64_t));
        y[t].high = fx_xcalloc(k, sizeof(int64_t));
    }
    if (times_b(shape, source, rounds, key, block, y)) {
        result = compare_rows(shape, source, rounds, key, y, block, tile, row);
    }
    for (unsigned t = 0; t < rounds; t++) {
        free(y[t].low);
        free(y[t].high);
    }
    free(tile);
    free(block);
    return result;
}

/* ---- which column -------------------------------------------------------------------------- */

/* The row of A, all of k. */
static bool read_row(const struct fx_task_shape *shape, const struct fx_source *source,
                     uint32_t row, int8_t *block, int8_t *entries)
{
    for (uint32_t l = 0; l < shape->depth; l++) {
        if (!source->read_block(source->ctx, FX_SIDE_A, row / FX_TILE, l, block, NULL)) {
            return false;
        }
        memcpy(entries + (size_t)l * FX_DEPTH, block + (size_t)(row % FX_TILE) * FX_DEPTH,
               FX_DEPTH);
    }
    return true;
}

/* The row times the columns of one tile column; each sum is at most 2^30 in size. */
static bool multiply_row(const struct fx_task_shape *shape, const struct fx_source *source,
                         const int8_t *entries, uint32_t panel, int8_t *block,
                         int32_t product[FX_TILE])
{
    memset(product, 0, FX_TILE * sizeof(*product));
    for (uint32_t l = 0; l < shape->depth; l++) {
        const int8_t *x = entries + (size_t)l * FX_DEPTH;

        if (!source->read_block(source->ctx, FX_SIDE_B, panel, l, block, NULL)) {
            return false;
        }
        for (size_t c = 0; c < FX_TILE; c++) {
            const int8_t *y = block + c * FX_DEPTH;

            for (size_t at = 0; at < FX_DEPTH; at++) {
                product[c] += (int32_t)x[at] * (int32_t)y[at];
            }
        }
    }
    return true;
}

static enum fx_freivalds locate(const struct fx_task_shape *shape, const struct fx_source *source,
                                uint32_t row, int8_t *block, uint8_t *tile, int8_t *entries,
                                uint32_t *column)
{
    int32_t product[FX_TILE];

    if (!read_row(shape, source, row, block, entries)) {
        return FX_FREIVALDS_UNREADABLE;
    }
    for (uint32_t c = 0; c < shape->cols; c++) {
        const uint8_t *line = tile + (size_t)(row % FX_TILE) * 512;

        if (!multiply_row(shape, source, entries, shape->col0 + c, block, product) ||
            !source->read_tile(source->ctx, (row / FX_TILE - shape->row0) * shape->cols + c, tile,
                               NULL)) {
            return FX_FREIVALDS_UNREADABLE;
        }
        for (uint32_t at = 0; at < FX_TILE; at++) {
            if ((uint32_t)product[at] != fx_load_u32(line + 4 * (size_t)at)) {
                *column = (shape->col0 + c) * FX_TILE + at;
                return FX_FREIVALDS_DIFFERENT;
            }
        }
    }
    return FX_FREIVALDS_EQUAL;
}

enum fx_freivalds fx_freivalds_locate(const struct fx_task_shape *shape,
                                      const struct fx_source *source, uint32_t row,
                                      uint32_t *column)
{
    int8_t *block = fx_xmalloc(FX_BLOCK_BYTES);
    uint8_t *tile = fx_xmalloc(FX_TILE_BYTES);
    int8_t *entries = fx_xmalloc((size_t)shape->depth * FX_DEPTH);
    enum fx_freivalds result = locate(shape, source, row, block, tile, entries, column);

    free(entries);
    free(tile);
    free(block);
    return result;
}
