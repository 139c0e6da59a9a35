/*
 * Freivalds' check. Numbers below p are handled in digits of 16 bits, signed, against operands, and
 * in limbs of 21 bits against results, so that sums of products of small integers fit 32 or 64 bits
 * and the inner loops (sums.c) stay plain; multiplying by a power of two modulo 2^61 - 1 is a
 * rotation of 61 bits.
 *
 * B x is made in spans of segments, A y and C x in rows of tiles; threads take spans, then rows.
 */
#include "src/matrix/freivalds.h"

#include <endian.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "src/crypto/chacha20.h"
#include "src/matrix/sums_int.h"
#include "src/sys/pool.h"
#include "src/util/buf.h"
#include "src/util/mem.h"
#include "src/util/transpose.h"

#define P ((UINT64_C(1) << 61) - 1)
#define DIGIT_BITS 16
#define LIMB_BITS 21
#define LIMB_MASK ((UINT64_C(1) << LIMB_BITS) - 1)
#define ROUNDS FX_FREIVALDS_ROUNDS_MAX
#define SPANS_A_THREAD 4 /* of segments: x is drawn once for each */

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

/* The number whose digits are these sums, sums[0], sums[stride] and so on. */
static uint64_t join_digits(const int64_t *sums, size_t stride)
{
    uint64_t value = 0;

    for (unsigned d = 0; d < FX_SUMS_DIGITS; d++)
        value = add_mod(value, shift_mod(reduce(sums[d * stride]), d * DIGIT_BITS));
    return value;
}

/* value, below p, as digits from -2^15 to 2^15 - 1, `stride` apart: what a digit has too much goes
 * to the next one. */
static void put_digits(uint64_t value, int16_t *digits, size_t stride)
{
    for (unsigned d = 0; d < FX_SUMS_DIGITS; d++) {
        const int16_t digit = (int16_t)(uint16_t)value;

        digits[d * stride] = digit;
        value = (value - (uint64_t)(int64_t)digit) >> DIGIT_BITS;
    }
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

/* What a thread works on: a span of segments, or a row of tiles. */
struct span_sums {
    int16_t digits[ROUNDS][FX_SUMS_DIGITS][FX_TILE];
    int8_t block[FX_BLOCK_BYTES], turned[FX_BLOCK_BYTES];
    int64_t sums[][ROUNDS][FX_SUMS_DIGITS][FX_DEPTH]; /* by segment of the span */
};

struct row_sums {
    int64_t narrow[ROUNDS][FX_SUMS_DIGITS][FX_TILE];
    uint64_t left[ROUNDS][FX_TILE], right[ROUNDS][FX_TILE];
    int8_t block[FX_BLOCK_BYTES];
    int32_t tile[FX_TILE * FX_TILE];
};

/* Memory for one of them, of check->scratch_bytes. It goes from item to item: what was touched once
 * need not be mapped again. */
struct scratch {
    struct scratch *next;
    _Alignas(max_align_t) uint8_t at[];
};

/* What all threads of a check have in common. */
struct check {
    const struct fx_task_shape *shape;
    const struct fx_source *source;
    const struct fx_sums *sums;
    unsigned rounds;
    const uint8_t *key;
    size_t k;
    uint32_t spans;
    /* y = B x: digits, by round, digit, and place in k. */
    int16_t *y;
    pthread_mutex_t lock;    /* of the source, which is asked by one thread at a time */
    struct scratch *scratch; /* that no thread uses; with the lock */
    size_t scratch_bytes;
    atomic_bool unreadable;
    atomic_uint_least64_t row; /* the first that differs; UINT64_MAX: none so far */
};

static bool get_block(struct check *check, enum fx_side side, uint32_t panel, uint32_t segment,
                      int8_t *block)
{
    bool fine = false;

    pthread_mutex_lock(&check->lock);
    if (!atomic_load(&check->unreadable))
        fine = check->source->read_block(check->source->ctx, side, panel, segment, block, NULL);
    if (!fine)
        atomic_store(&check->unreadable, true);
    pthread_mutex_unlock(&check->lock);
    return fine;
}

static bool get_tile(struct check *check, uint32_t number, uint8_t *tile)
{
    bool fine = false;

    pthread_mutex_lock(&check->lock);
    if (!atomic_load(&check->unreadable))
        fine = check->source->read_tile(check->source->ctx, number, tile, NULL);
    if (!fine)
        atomic_store(&check->unreadable, true);
    pthread_mutex_unlock(&check->lock);
    return fine;
}

static void *take_scratch(struct check *check)
{
    struct scratch *scratch;

    pthread_mutex_lock(&check->lock);
    scratch = check->scratch;
    if (scratch != NULL)
        check->scratch = scratch->next;
    pthread_mutex_unlock(&check->lock);
    if (scratch == NULL)
        scratch = fx_xmalloc(sizeof *scratch + check->scratch_bytes);
    return scratch->at;
}

static void give_scratch(struct check *check, void *at)
{
    struct scratch *scratch = (struct scratch *)((uint8_t *)at - offsetof(struct scratch, at));

    pthread_mutex_lock(&check->lock);
    scratch->next = check->scratch;
    check->scratch = scratch;
    pthread_mutex_unlock(&check->lock);
}

static void free_scratch(struct check *check)
{
    while (check->scratch != NULL) {
        struct scratch *scratch = check->scratch;

        check->scratch = scratch->next;
        free(scratch);
    }
}

/* ---- y = B x ------------------------------------------------------------------------------- */

static void draw_digits(const struct check *check, uint32_t column,
                        int16_t digits[ROUNDS][FX_SUMS_DIGITS][FX_TILE])
{
    uint64_t x[FX_TILE];

    for (unsigned t = 0; t < check->rounds; t++) {
        draw(check->key, t, column, x);
        for (size_t c = 0; c < FX_TILE; c++)
            put_digits(x[c], &digits[t][0][c], FX_TILE);
    }
}

/* Sums of one block of B, by its columns. 2^24 / 128 blocks are added up at most. */
static void add_transposed(const struct check *check, const int8_t *block, int8_t *turned,
                           int16_t digits[ROUNDS][FX_SUMS_DIGITS][FX_TILE],
                           int64_t sums[ROUNDS][FX_SUMS_DIGITS][FX_DEPTH])
{
    for (size_t r = 0; r < FX_TILE; r += FX_TRANSPOSE) {
        for (size_t c = 0; c < FX_DEPTH; c += FX_TRANSPOSE)
            fx_transpose(block + r * FX_DEPTH + c, FX_DEPTH, turned + c * FX_TILE + r, FX_TILE);
    }
    for (unsigned t = 0; t < check->rounds; t++)
        check->sums->narrow(turned, FX_DEPTH, FX_TILE, digits[t][0], FX_TILE, sums[t][0]);
}

static bool add_span(struct check *check, struct span_sums *span, uint32_t first, uint32_t end)
{
    for (uint32_t c = 0; c < check->shape->cols; c++) {
        draw_digits(check, c, span->digits);
        for (uint32_t l = first; l < end; l++) {
            if (!get_block(check, FX_SIDE_B, check->shape->col0 + c, l, span->block))
                return false;
            add_transposed(check, span->block, span->turned, span->digits, span->sums[l - first]);
        }
    }
    return true;
}

static void put_span(struct check *check, const struct span_sums *span, uint32_t first,
                     uint32_t end)
{
    for (uint32_t l = first; l < end; l++) {
        for (unsigned t = 0; t < check->rounds; t++) {
            int16_t *y = check->y + t * FX_SUMS_DIGITS * check->k + (size_t)l * FX_DEPTH;

            for (size_t c = 0; c < FX_DEPTH; c++)
                put_digits(join_digits(&span->sums[l - first][t][0][c], FX_DEPTH), y + c, check->k);
        }
    }
}

static void make_span(void *arg, size_t at)
{
    struct check *check = arg;
    const uint64_t depth = check->shape->depth;
    const uint32_t first = (uint32_t)(at * depth / check->spans);
    const uint32_t end = (uint32_t)((at + 1) * depth / check->spans);
    struct span_sums *span = take_scratch(check);

    memset(span->sums, 0, (end - first) * sizeof *span->sums);
    if (add_span(check, span, first, end))
        put_span(check, span, first, end);
    give_scratch(check, span);
}

/* ---- A y and C x --------------------------------------------------------------------------- */

/* left = A y for the rows of one tile row: depth * 256 <= 2^24 products below 2^23 each. */
static bool times_a(struct check *check, struct row_sums *row, uint32_t panel)
{
    memset(row->narrow, 0, sizeof row->narrow);
    for (uint32_t l = 0; l < check->shape->depth; l++) {
        if (!get_block(check, FX_SIDE_A, panel, l, row->block))
            return false;
        for (unsigned t = 0; t < check->rounds; t++)
            check->sums->narrow(row->block, FX_TILE, FX_DEPTH,
                                check->y + t * FX_SUMS_DIGITS * check->k + (size_t)l * FX_DEPTH,
                                check->k, row->narrow[t][0]);
    }
    for (unsigned t = 0; t < check->rounds; t++) {
        for (size_t r = 0; r < FX_TILE; r++)
            row->left[t][r] = join_digits(&row->narrow[t][0][r], FX_TILE);
    }
    return true;
}

/* right += one tile times its part of x. */
static void add_tile(const struct check *check, const int32_t *tile, const uint64_t *x,
                     uint64_t *right)
{
    int32_t limbs[FX_SUMS_LIMBS][FX_TILE];
    int64_t sums[FX_TILE][FX_SUMS_LIMBS];

    for (size_t c = 0; c < FX_TILE; c++) {
        for (unsigned i = 0; i < FX_SUMS_LIMBS; i++)
            limbs[i][c] = (int32_t)(x[c] >> i * LIMB_BITS & LIMB_MASK);
    }
    check->sums->wide(tile, limbs, sums);
    for (size_t r = 0; r < FX_TILE; r++) {
        for (unsigned i = 0; i < FX_SUMS_LIMBS; i++)
            right[r] = add_mod(right[r], shift_mod(reduce(sums[r][i]), i * LIMB_BITS));
    }
}

/* right = C x for the rows of one tile row of the rectangle. */
static bool times_c(struct check *check, struct row_sums *row, uint32_t i)
{
    uint64_t x[FX_TILE];

    memset(row->right, 0, sizeof row->right);
    for (uint32_t c = 0; c < check->shape->cols; c++) {
        if (!get_tile(check, i * check->shape->cols + c, (uint8_t *)row->tile))
            return false;
        for (size_t at = 0; at < (size_t)FX_TILE * FX_TILE; at++)
            row->tile[at] = (int32_t)le32toh((uint32_t)row->tile[at]);
        for (unsigned t = 0; t < check->rounds; t++) {
            draw(check->key, t, c, x);
            add_tile(check, row->tile, x, row->right[t]);
        }
    }
    return true;
}

static void found_row(struct check *check, uint64_t row)
{
    uint_least64_t first = atomic_load(&check->row);

    while (row < first && !atomic_compare_exchange_weak(&check->row, &first, row)) {
    }
}

/* Row i of tiles, unless one before it is known to differ. */
static void compare_row(void *arg, size_t i)
{
    struct check *check = arg;
    const uint64_t first = (check->shape->row0 + i) * FX_TILE;
    struct row_sums *row;

    if (atomic_load(&check->row) < first || atomic_load(&check->unreadable))
        return;
    row = take_scratch(check);
    if (times_a(check, row, check->shape->row0 + (uint32_t)i) && times_c(check, row, (uint32_t)i)) {
        for (unsigned t = 0; t < check->rounds; t++) {
            for (size_t r = 0; r < FX_TILE; r++) {
                if (row->left[t][r] != row->right[t][r])
                    found_row(check, first + r);
            }
        }
    }
    give_scratch(check, row);
}

/* ---- all of it ----------------------------------------------------------------------------- */

/* Into how many spans, and what one needs, or a row. */
static void cut(struct check *check, unsigned threads)
{
    const uint32_t depth = check->shape->depth, wanted = threads > 1 ? threads * SPANS_A_THREAD : 1;
    struct span_sums *span = NULL;
    size_t bytes;

    check->spans = depth < wanted ? depth : wanted;
    bytes = sizeof *span + (depth + check->spans - 1) / check->spans * sizeof *span->sums;
    check->scratch_bytes = bytes > sizeof(struct row_sums) ? bytes : sizeof(struct row_sums);
}

static enum fx_freivalds run(struct check *check, unsigned threads, uint32_t *row)
{
    struct fx_pool *pool = threads > 1 ? fx_pool_create(threads - 1) : NULL;

    cut(check, threads);
    fx_pool_for(pool, check->spans, make_span, check);
    if (!atomic_load(&check->unreadable))
        fx_pool_for(pool, check->shape->rows, compare_row, check);
    fx_pool_destroy(pool);
    if (atomic_load(&check->row) != UINT64_MAX) {
        *row = (uint32_t)atomic_load(&check->row);
        return FX_FREIVALDS_DIFFERENT;
    }
    return atomic_load(&check->unreadable) ? FX_FREIVALDS_UNREADABLE : FX_FREIVALDS_EQUAL;
}

enum fx_freivalds fx_freivalds_check(const struct fx_task_shape *shape,
                                     const struct fx_source *source, unsigned rounds,
                                     const uint8_t key[32], unsigned threads, uint32_t *row)
{
    struct check check = {
        .shape = shape,
        .source = source,
        .sums = fx_sums_best(),
        .rounds = rounds,
        .key = key,
        .k = (size_t)shape->depth * FX_DEPTH,
    };
    enum fx_freivalds result;

    check.y = fx_xcalloc(rounds * FX_SUMS_DIGITS * check.k, sizeof *check.y);
    pthread_mutex_init(&check.lock, NULL);
    atomic_init(&check.unreadable, false);
    atomic_init(&check.row, UINT64_MAX);
    result = run(&check, threads, row);
    free_scratch(&check);
    pthread_mutex_destroy(&check.lock);
    free(check.y);
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
