/*
 * Freivalds' check. Multiplying by a power of two modulo p = 2^61 - 1 is a rotation of 61 bits; so
 * an int32 against a number is four int8 against that number, rotated, and one kind of inner loop
 * (sums.c, sums_vnni.c) does all three products.
 *
 * The rectangle is gone through in groups of rows and strips of columns, which bound the memory. In
 * each, threads take parts of C and, in the first group, of B; when a group's C is through, those
 * of A, which need all of B.
 */
#include "src/matrix/freivalds.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "src/crypto/chacha20.h"
#include "src/matrix/sums_int.h"
#include "src/util/buf.h"
#include "src/util/mem.h"

#define P ((UINT64_C(1) << 61) - 1)
#define ROUNDS FX_FREIVALDS_ROUNDS_MAX
#define GROUP 64 /* rows of tiles, at most; a strip has as many columns */
/* A thread takes half a megabyte. */
#define PART_BLOCKS 16u
#define PART_TILES 8u
#define ALIGN 64

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

/* Four digits, of less than 2^37 in size each. */
static uint64_t half_value(const int64_t digits[FX_SUMS_DIGITS / 2])
{
    const int64_t value =
        digits[0] + digits[1] * (1 << 8) + digits[2] * (1 << 16) + digits[3] * (1 << 24);
    const uint64_t positive = (uint64_t)value + 4 * P;

    return add_mod(positive & P, positive >> 61);
}

/* Of what one part adds up, which is at most 16 times 2^31. */
static uint64_t value_of(const int64_t digits[FX_SUMS_DIGITS])
{
    return add_mod(half_value(digits), shift_mod(half_value(digits + FX_SUMS_DIGITS / 2), 32));
}

/* The entries of x that belong to one tile column. */
static void draw(const uint8_t key[32], unsigned round, uint32_t column, uint64_t x[FX_TILE])
{
    uint8_t nonce[12] = {0}, words[8 * FX_TILE];
    size_t n = 0;

    fx_store_u32(nonce, round);
    fx_store_u32(nonce + 4, column);
    for (uint32_t counter = 0; n < FX_TILE; counter += sizeof words / 64) {
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

/* What a thread works on. */
struct scratch {
    struct scratch *next;
    _Alignas(ALIGN) int8_t data[FX_TILE_BYTES]; /* a tile, or a block, and it turned */
    int64_t sums[][FX_DEPTH][FX_SUMS_DIGITS];   /* by round */
};

/* What all threads of a check have in common. */
struct check {
    const struct fx_task_shape *shape;
    const struct fx_source *source;
    const struct fx_sums *sums;
    unsigned rounds;
    const uint8_t *key;
    uint32_t row0, rows, col0, cols; /* the group and the strip, from the rectangle's first */
    uint32_t height, width;          /* of groups and strips, at most */
    size_t parts_b, parts_c;         /* of this group and strip; those of A come after them */
    /* By round and column of the strip: digits of x, and of x times 1, 2^8, 2^16 and 2^24. */
    uint64_t *x, *x_bytes;
    uint64_t sum_x[ROUNDS];
    uint64_t *y;             /* B x, by round and segment; then its digits */
    uint64_t *differ;        /* C x - A y, by round and row of the group; C as tile_rows has it */
    uint32_t to_do[GROUP];   /* parts, of a row of tiles */
    pthread_mutex_t asking;  /* the source, one at a time */
    pthread_mutex_t lock;    /* y, differ, to_do and what is below */
    struct scratch *scratch; /* that no thread uses */
    size_t b_to_do;          /* parts of B, of this strip */
    bool y_known;
    pthread_cond_t y_done;
    atomic_bool unreadable;
};

static uint64_t *x_of(const struct check *check, unsigned round, uint32_t column)
{
    return check->x + (round * (size_t)check->width + column) * FX_TILE;
}

static uint64_t *x_bytes_of(const struct check *check, unsigned round, uint32_t column)
{
    return check->x_bytes + (round * (size_t)check->width + column) * FX_SUMS_LENGTH;
}

static uint64_t *y_of(const struct check *check, unsigned round, uint32_t segment)
{
    return check->y + (round * (size_t)check->shape->depth + segment) * FX_DEPTH;
}

static uint64_t *differ_of(const struct check *check, unsigned round, uint32_t row)
{
    return check->differ + (round * (size_t)check->height + row) * FX_TILE;
}

/* ---- the source ---------------------------------------------------------------------------- */

static void begin_asking(struct check *check)
{
    if (!check->source->shared)
        pthread_mutex_lock(&check->asking);
}

static bool end_asking(struct check *check, bool fine)
{
    if (!fine)
        atomic_store(&check->unreadable, true);
    if (!check->source->shared)
        pthread_mutex_unlock(&check->asking);
    return fine;
}

static bool get_block(struct check *check, enum fx_side side, uint32_t panel, uint32_t segment,
                      int8_t *block)
{
    const struct fx_source *source = check->source;

    begin_asking(check);
    return end_asking(check,
                      !atomic_load(&check->unreadable) &&
                          source->read_block(source->ctx, side, panel, segment, block, NULL));
}

static bool get_tile(struct check *check, uint32_t number, int8_t *tile)
{
    const struct fx_source *source = check->source;

    begin_asking(check);
    return end_asking(check, !atomic_load(&check->unreadable) &&
                                 source->read_tile(source->ctx, number, (uint8_t *)tile, NULL));
}

/* ---- parts --------------------------------------------------------------------------------- */

static uint32_t pieces(uint32_t n, uint32_t each)
{
    return (n + each - 1) / each;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* In place. */
static void split_y(struct check *check)
{
    uint64_t values[FX_DEPTH];

    for (unsigned t = 0; t < check->rounds; t++) {
        for (uint32_t l = 0; l < check->shape->depth; l++) {
            memcpy(values, y_of(check, t, l), sizeof values);
            check->sums->split(values, FX_DEPTH, y_of(check, t, l));
        }
    }
    check->y_known = true;
    pthread_cond_broadcast(&check->y_done);
}

/* What the sums of n rows or columns amount to, in place of their first digit. */
static void join(const struct check *check, struct scratch *scratch, size_t n, bool negative)
{
    for (unsigned t = 0; t < check->rounds; t++) {
        for (size_t r = 0; r < n; r++) {
            const uint64_t value = value_of(scratch->sums[t][r]);

            scratch->sums[t][r][0] = (int64_t)(negative ? P - value : value);
        }
    }
}

/* Adds n of them, of one round. */
static void add_joined(const struct scratch *scratch, unsigned round, size_t n, uint64_t *to)
{
    for (size_t r = 0; r < n; r++)
        to[r] = add_mod(to[r], (uint64_t)scratch->sums[round][r][0]);
}

/* y += some columns' part of B x, for one segment. */
static void part_of_b(struct check *check, struct scratch *scratch, uint32_t at)
{
    const uint32_t segment = at / pieces(check->cols, PART_BLOCKS);
    const uint32_t first = at % pieces(check->cols, PART_BLOCKS) * PART_BLOCKS;
    const uint32_t end = least(first + PART_BLOCKS, check->cols);
    bool fine = true;

    for (uint32_t c = first; fine && c < end; c++) {
        const int8_t *block = scratch->data;

        fine = get_block(check, FX_SIDE_B, check->shape->col0 + check->col0 + c, segment,
                         scratch->data);
        if (fine && check->sums->turned) {
            fx_sums_turn(scratch->data, scratch->data + FX_BLOCK_BYTES);
            block += FX_BLOCK_BYTES;
        }
        for (unsigned t = 0; fine && t < check->rounds; t++)
            check->sums->block_columns(block, x_of(check, t, c), scratch->sums[t]);
    }
    join(check, scratch, FX_DEPTH, false);
    pthread_mutex_lock(&check->lock);
    for (unsigned t = 0; t < check->rounds; t++)
        add_joined(scratch, t, FX_DEPTH, y_of(check, t, segment));
    if (--check->b_to_do == 0 && check->col0 + check->cols == check->shape->cols)
        split_y(check);
    pthread_mutex_unlock(&check->lock);
}

/* To what differs in the rows of tile row i. */
static void end_part(struct check *check, struct scratch *scratch, uint32_t i, bool negative)
{
    join(check, scratch, FX_TILE, negative);
    pthread_mutex_lock(&check->lock);
    for (unsigned t = 0; t < check->rounds; t++)
        add_joined(scratch, t, FX_TILE, differ_of(check, t, i));
    check->to_do[i]--;
    pthread_mutex_unlock(&check->lock);
}

/* Some tiles of a row. */
static void part_of_c(struct check *check, struct scratch *scratch, uint32_t at)
{
    const uint32_t i = at / pieces(check->cols, PART_TILES);
    const uint32_t first = at % pieces(check->cols, PART_TILES) * PART_TILES;
    const uint32_t end = least(first + PART_TILES, check->cols);

    for (uint32_t c = first; c < end; c++) {
        if (!get_tile(check, (check->row0 + i) * check->shape->cols + check->col0 + c,
                      scratch->data))
            return;
        for (unsigned t = 0; t < check->rounds; t++)
            check->sums->tile_rows(scratch->data, x_bytes_of(check, t, c), scratch->sums[t]);
    }
    end_part(check, scratch, i, false);
}

static void wait_for_y(struct check *check)
{
    pthread_mutex_lock(&check->lock);
    while (!check->y_known)
        pthread_cond_wait(&check->y_done, &check->lock);
    pthread_mutex_unlock(&check->lock);
}

/* Some segments of a panel. Parts are taken in order: those of B have all been begun. */
static void part_of_a(struct check *check, struct scratch *scratch, uint32_t at)
{
    const uint32_t i = at / pieces(check->shape->depth, PART_BLOCKS);
    const uint32_t first = at % pieces(check->shape->depth, PART_BLOCKS) * PART_BLOCKS;
    const uint32_t end = least(first + PART_BLOCKS, check->shape->depth);

    wait_for_y(check);
    for (uint32_t l = first; l < end; l++) {
        if (!get_block(check, FX_SIDE_A, check->shape->row0 + check->row0 + i, l, scratch->data))
            return;
        for (unsigned t = 0; t < check->rounds; t++)
            check->sums->block_rows(scratch->data, y_of(check, t, l), scratch->sums[t]);
    }
    end_part(check, scratch, i, true);
}

static void work(void *arg, size_t at)
{
    struct check *check = arg;
    struct scratch *scratch;

    pthread_mutex_lock(&check->lock);
    scratch = check->scratch;
    check->scratch = scratch->next;
    pthread_mutex_unlock(&check->lock);
    memset(scratch->sums, 0, check->rounds * sizeof *scratch->sums);
    if (at < check->parts_b)
        part_of_b(check, scratch, (uint32_t)at);
    else if (at < check->parts_b + check->parts_c)
        part_of_c(check, scratch, (uint32_t)(at - check->parts_b));
    else
        part_of_a(check, scratch, (uint32_t)(at - check->parts_b - check->parts_c));
    pthread_mutex_lock(&check->lock);
    scratch->next = check->scratch;
    check->scratch = scratch;
    pthread_mutex_unlock(&check->lock);
}

/* ---- all of it ----------------------------------------------------------------------------- */

/* x for the columns of the strip. */
static void make_x(struct check *check)
{
    uint64_t x[FX_TILE], bytes[FX_SUMS_LENGTH];

    for (unsigned t = 0; t < check->rounds; t++) {
        for (uint32_t c = 0; c < check->cols; c++) {
            draw(check->key, t, check->col0 + c, x);
            for (size_t at = 0; at < FX_TILE; at++) {
                check->sum_x[t] = add_mod(check->sum_x[t], x[at]);
                for (unsigned byte = 0; byte < 4; byte++)
                    bytes[4 * at + byte] = shift_mod(x[at], 8 * byte);
            }
            check->sums->split(x, FX_TILE, x_of(check, t, c));
            check->sums->split(bytes, FX_SUMS_LENGTH, x_bytes_of(check, t, c));
        }
    }
}

static void check_strip(struct check *check, struct fx_pool *pool)
{
    const struct fx_task_shape *shape = check->shape;
    const bool last = check->col0 + check->cols == shape->cols;
    const uint32_t parts_of_row = pieces(check->cols, PART_TILES);
    const uint32_t parts_of_panel = last ? pieces(shape->depth, PART_BLOCKS) : 0;

    for (uint32_t i = 0; i < check->rows; i++)
        check->to_do[i] += parts_of_row + parts_of_panel;
    if (atomic_load(&check->unreadable))
        return; /* and no row is judged */
    make_x(check);
    check->parts_b = check->y_known ? 0 : (size_t)shape->depth * pieces(check->cols, PART_BLOCKS);
    check->b_to_do = check->parts_b;
    check->parts_c = (size_t)check->rows * parts_of_row;
    fx_pool_for(pool, check->parts_b + check->parts_c + (size_t)check->rows * parts_of_panel, work,
                check);
}

/* x * FX_SUMS_LESS */
static uint64_t times_less(uint64_t x)
{
    _Static_assert(FX_SUMS_LESS == (1 << 7) + (1 << 15) + (1 << 23), "the powers of two below");
    return add_mod(add_mod(shift_mod(x, 7), shift_mod(x, 15)), shift_mod(x, 23));
}

/* The first row of the group that differs, of those that are all read. */
static bool find_row(const struct check *check, uint32_t *row)
{
    for (size_t at = 0; at < (size_t)check->rows * FX_TILE; at++) {
        if (check->to_do[at / FX_TILE] > 0)
            continue;
        for (unsigned t = 0; t < check->rounds; t++) {
            const uint64_t less = times_less(check->sum_x[t]);

            if (add_mod(differ_of(check, t, 0)[at], less) != 0) {
                *row = (check->shape->row0 + check->row0) * FX_TILE + (uint32_t)at;
                return true;
            }
        }
    }
    return false;
}

static enum fx_freivalds check_group(struct check *check, struct fx_pool *pool, uint32_t *row)
{
    const uint32_t cols = check->shape->cols;

    memset(check->sum_x, 0, sizeof check->sum_x);
    memset(check->differ, 0,
           check->rounds * (size_t)check->height * FX_TILE * sizeof *check->differ);
    for (check->col0 = 0; check->col0 < cols; check->col0 += check->cols) {
        check->cols = least(check->width, cols - check->col0);
        check_strip(check, pool);
    }
    return find_row(check, row)              ? FX_FREIVALDS_DIFFERENT
           : atomic_load(&check->unreadable) ? FX_FREIVALDS_UNREADABLE
                                             : FX_FREIVALDS_EQUAL;
}

/* ---- the whole rectangle ------------------------------------------------------------------- */

/* The next `bytes` of the memory that *at points into. */
static void *cut(uint8_t **at, size_t bytes)
{
    void *memory = *at;

    *at += bytes;
    return memory;
}

/* Memory for all of it, which the caller frees. */
static void *prepare(struct check *check, const struct fx_pool *pool)
{
    const unsigned threads = pool != NULL ? fx_pool_threads(pool) + 1 : 1;
    const size_t scratch = sizeof *check->scratch + check->rounds * sizeof check->scratch->sums[0];
    const size_t x = check->rounds * (size_t)check->width * FX_TILE * sizeof *check->x;
    const size_t y = check->rounds * (size_t)check->shape->depth * FX_DEPTH * sizeof *check->y;
    const size_t differ = check->rounds * (size_t)check->height * FX_TILE * sizeof *check->differ;
    void *memory = fx_xmalloc(ALIGN + 5 * x + y + differ + threads * scratch);
    uint8_t *at = (uint8_t *)memory + (ALIGN - (uintptr_t)memory % ALIGN);

    check->x = cut(&at, x);
    check->x_bytes = cut(&at, 4 * x);
    check->y = memset(cut(&at, y), 0, y);
    check->differ = cut(&at, differ);
    for (unsigned t = 0; t < threads; t++) {
        struct scratch *next = cut(&at, scratch);

        next->next = check->scratch;
        check->scratch = next;
    }
    return memory;
}

enum fx_freivalds fx_freivalds_check(const struct fx_task_shape *shape,
                                     const struct fx_source *source, unsigned rounds,
                                     const uint8_t key[32], struct fx_pool *pool, uint32_t *row)
{
    struct check check = {
        .shape = shape,
        .source = source,
        .sums = fx_sums_best(),
        .rounds = rounds,
        .key = key,
        .width = least(shape->cols, GROUP),
        .height = least(shape->rows, GROUP),
        .asking = PTHREAD_MUTEX_INITIALIZER,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .y_done = PTHREAD_COND_INITIALIZER,
    };
    void *memory = prepare(&check, pool);
    enum fx_freivalds result = FX_FREIVALDS_EQUAL;

    atomic_init(&check.unreadable, false);
    for (; result == FX_FREIVALDS_EQUAL && check.row0 < shape->rows; check.row0 += check.height) {
        check.rows = least(check.height, shape->rows - check.row0);
        result = check_group(&check, pool, row);
    }
    free(memory);
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
