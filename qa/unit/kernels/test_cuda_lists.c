/*
 * What a list of tiles does to a launch: BRICKS, PEEL and TICKETS work for exactly the tiles that
 * are wanted, and leave alone what belongs to others, on each way of making bricks. Where an entry
 * of the list stands for two columns and comes with a partner in another row, any of the four tiles
 * may be the one that is not wanted.
 */
#include <stdlib.h>
#include <string.h>

#include "kernels/cuda/cuda_int.h"
#include "kernels/device.h"
#include "kernels/offload_int.h"
#include "qa/unit/harness.h"
#include "qa/unit/kernels/fake_cuda.h"
#include "src/util/buf.h"
#include "src/util/mem.h"

#define ROWS 2
#define COLS 3
#define UNITS (ROWS + COLS) /* panels of side A, and then those of side B */
#define TILES (ROWS * COLS)
#define CHUNK 2
#define FOUND_WORDS (FX_OFFLOAD_FOUND_HEAD + TILES * CHUNK * FX_OFFLOAD_FOUND_WORDS)
#define LIST_MAX 8
#define KEPT 0xa5 /* the byte that nobody may change */

/* A device with operands of one supertile, and what the rules say of each of its tiles. */
struct rig {
    struct fx_cuda_driver driver;
    unsigned span;
    uint64_t images, sums, folds, found, list, table, header; /* buffers */
    uint64_t gathered, limbs, used, lrows, limages, perms;
    uint32_t words[LIST_MAX];
    unsigned n_words;
    int8_t blocks[UNITS * CHUNK][FX_BLOCK_BYTES], noise[UNITS][FX_BLOCK_BYTES];
    int32_t noise_sums[UNITS][FX_BLOCK_BYTES]; /* G, and then H */
    int32_t product[TILES][FX_TILE_ENTRIES], peel[TILES][FX_TILE_ENTRIES];
    uint32_t fold[TILES][CHUNK][8];
    int32_t out[TILES][FX_TILE_ENTRIES];
};

static const struct fx_offload_driver *const engine = &fx_cuda_engine_driver;

static uint64_t take(struct rig *rig, size_t bytes)
{
    uint64_t buffer = 0;

    FX_CHECK(engine->alloc(&rig->driver, bytes, &buffer));
    return buffer;
}

static void put(struct rig *rig, uint64_t buffer, const void *from, size_t n)
{
    FX_CHECK(engine->write(&rig->driver, FX_OFFLOAD_COMPUTE, buffer, 0, from, n));
}

static void get(struct rig *rig, uint64_t buffer, void *to, size_t n)
{
    FX_CHECK(engine->read(&rig->driver, FX_OFFLOAD_COMPUTE, buffer, 0, to, n));
}

static void run(struct rig *rig, enum fx_offload_kernel kernel, uint32_t groups,
                const struct fx_offload_arg *args, unsigned n_args)
{
    FX_CHECK(engine->launch(&rig->driver, kernel, groups, args, n_args));
}

/* Blocks as images: NOISE that adds none. */
static void make_images(struct rig *rig, const void *blocks, uint32_t chunk, uint64_t images)
{
    const size_t bytes = (size_t)UNITS * chunk * FX_BLOCK_BYTES;
    uint64_t plain = take(rig, bytes);
    const struct fx_offload_arg args[] = {fx_buffer(plain),      fx_buffer(rig->table),
                                          fx_buffer(rig->perms), fx_buffer(rig->lrows),
                                          fx_buffer(images),     fx_buffer(rig->gathered),
                                          fx_word(ROWS),         fx_word(ROWS),
                                          fx_word(chunk),        fx_word(0),
                                          fx_word(chunk),        fx_word(0),
                                          fx_word(chunk),        fx_word(0)};

    put(rig, plain, blocks, bytes);
    run(rig, FX_OFFLOAD_NOISE, UNITS * 8, args, 14);
    engine->release(&rig->driver, plain);
}

/* G with LB and LA with H, as sums lose it. */
static void expect_peel(struct rig *rig, unsigned tile)
{
    unsigned row = tile / COLS, col = ROWS + tile % COLS;

    for (unsigned at = 0; at < FX_TILE_ENTRIES; at++) {
        unsigned r = at / FX_TILE * FX_DEPTH, s = at % FX_TILE * FX_DEPTH;
        int32_t sum = 0;

        for (unsigned c = 0; c < FX_DEPTH; c++)
            sum += rig->noise_sums[row][r + c] * rig->noise[col][s + c] +
                   rig->noise[row][r + c] * rig->noise_sums[col][s + c];
        rig->peel[tile][at] = sum;
    }
}

static void expect(struct rig *rig)
{
    static int32_t d[FX_TILE_ENTRIES];

    for (unsigned tile = 0; tile < TILES; tile++) {
        for (unsigned s = 0; s < CHUNK; s++) {
            fx_brick_product(rig->blocks[tile / COLS * CHUNK + s],
                             rig->blocks[(ROWS + tile % COLS) * CHUNK + s], d);
            fx_brick_fold(d, rig->fold[tile][s]);
            for (unsigned at = 0; at < FX_TILE_ENTRIES; at++)
                rig->product[tile][at] += d[at];
        }
        expect_peel(rig, tile);
    }
}

static void fill(int8_t *blocks, size_t n)
{
    fx_unit_rand_fill(blocks, n);
    for (size_t at = 0; at < n; at++)
        blocks[at] = (int8_t)((blocks[at] & 0x7f) - 64);
}

static void take_buffers(struct rig *rig)
{
    const size_t panels = (size_t)UNITS * FX_BLOCK_BYTES;
    uint32_t table[UNITS * (1 + FX_OFFLOAD_DIRTY_WORDS)] = {0, 1, 2, 3, 4};
    uint32_t header[FX_HEADER_WORDS];

    rig->images = take(rig, CHUNK * panels);
    rig->limages = take(rig, panels);
    rig->lrows = take(rig, panels);
    rig->gathered = take(rig, 4 * panels);
    rig->limbs = take(rig, 3 * panels);
    rig->used = take(rig, UNITS * 4);
    rig->perms = take(rig, 2 * CHUNK * 1024);
    rig->sums = take(rig, sizeof rig->out);
    rig->folds = take(rig, sizeof rig->fold);
    rig->found = take(rig, FOUND_WORDS * 4);
    rig->list = take(rig, sizeof rig->words);
    rig->table = take(rig, sizeof table);
    rig->header = take(rig, sizeof header);
    put(rig, rig->table, table, sizeof table);
    memset(header, 0xff, sizeof header); /* a target that every ticket meets */
    put(rig, rig->header, header, sizeof header);
}

static struct rig *rig_of(enum fx_fake_device device)
{
    struct rig *rig = fx_xcalloc(1, sizeof *rig);
    char why[FX_KERNEL_TEXT];
    int8_t *const blocks = rig->blocks[0], *const noise = rig->noise[0];

    fx_fake_cuda_use(&fx_fake_cuda_usual);
    FX_CHECK(fx_cuda_driver_open(&rig->driver, fx_cu_load(why), (int)device));
    rig->span = rig->driver.variant.wgmma ? 2 : 1;
    take_buffers(rig);
    fill(blocks, sizeof rig->blocks);
    fill(noise, sizeof rig->noise);
    for (unsigned unit = 0; unit < UNITS; unit++) {
        for (unsigned at = 0; at < FX_BLOCK_BYTES; at++)
            rig->noise_sums[unit][at] = (int32_t)fx_unit_rand_below(65537) - 32768;
    }
    expect(rig);
    make_images(rig, rig->noise, 1, rig->limages);
    make_images(rig, rig->blocks, CHUNK, rig->images);
    return rig;
}

static void rig_end(struct rig *rig)
{
    const uint64_t buffers[] = {rig->images, rig->sums,    rig->folds,    rig->found, rig->list,
                                rig->table,  rig->header,  rig->gathered, rig->limbs, rig->used,
                                rig->lrows,  rig->limages, rig->perms};

    for (size_t at = 0; at < sizeof buffers / sizeof *buffers; at++)
        engine->release(&rig->driver, buffers[at]);
    fx_cuda_driver_close(&rig->driver);
    fx_fake_cuda_use(NULL);
    free(rig);
}

/* ---- lists ----------------------------------------------------------------------------------- */

static bool is_wanted(unsigned wanted, unsigned tile)
{
    return wanted >> tile & 1;
}

/* An entry for the columns from col on, and its partner. */
static void add_pair(struct rig *rig, unsigned wanted, unsigned col)
{
    uint32_t flags[ROWS] = {0};

    for (unsigned row = 0; row < ROWS; row++) {
        for (unsigned c = 0; c < 2 && col + c < COLS; c++)
            flags[row] |= (uint32_t)is_wanted(wanted, row * COLS + col + c) << c;
    }
    if (!flags[0] && !flags[1])
        return;
    /* A row that has no work may be the partner of itself, as the last of an odd number is. */
    for (unsigned row = 0; row < ROWS; row++)
        rig->words[rig->n_words++] = (uint32_t)(flags[1] ? row : 0) | col << 12 | flags[row] << 24;
}

/* The list of these tiles, a bit each, as the engine writes it. */
static void set_list(struct rig *rig, unsigned wanted)
{
    rig->n_words = 0;
    for (unsigned col = 0; col < COLS; col += rig->span) {
        if (rig->span == 2) {
            add_pair(rig, wanted, col);
            continue;
        }
        for (unsigned row = 0; row < ROWS; row++) {
            if (is_wanted(wanted, row * COLS + col))
                rig->words[rig->n_words++] = row | col << 12 | UINT32_C(1) << 24;
        }
    }
    put(rig, rig->list, rig->words, rig->n_words * 4);
}

/* ---- launches -------------------------------------------------------------------------------- */

static void run_bricks(struct rig *rig, uint32_t flags)
{
    const struct fx_offload_arg args[] = {
        fx_buffer(rig->images), fx_buffer(rig->list), fx_buffer(rig->sums), fx_buffer(rig->folds),
        fx_word(ROWS),          fx_word(COLS),        fx_word(CHUNK),       fx_word(0),
        fx_word(CHUNK),         fx_word(flags)};

    run(rig, FX_OFFLOAD_BRICKS, rig->n_words, args, 10);
}

static void run_peel(struct rig *rig)
{
    const struct fx_offload_arg limbs[] = {fx_buffer(rig->gathered), fx_buffer(rig->limbs),
                                           fx_buffer(rig->used), fx_word(ROWS), fx_word(ROWS)};
    const struct fx_offload_arg peel[] = {
        fx_buffer(rig->limbs), fx_buffer(rig->used), fx_buffer(rig->limages),
        fx_buffer(rig->list),  fx_buffer(rig->sums), fx_word(ROWS),
        fx_word(COLS)};

    put(rig, rig->gathered, rig->noise_sums, sizeof rig->noise_sums);
    FX_CHECK(engine->zero(&rig->driver, rig->used, 0, UNITS * 4));
    run(rig, FX_OFFLOAD_LIMBS, UNITS * 32, limbs, 5);
    run(rig, FX_OFFLOAD_PEEL, rig->n_words, peel, 7);
}

static void run_tickets(struct rig *rig)
{
    const struct fx_offload_arg args[] = {fx_buffer(rig->header),
                                          fx_buffer(rig->folds),
                                          fx_buffer(rig->list),
                                          fx_buffer(rig->table),
                                          fx_buffer(rig->found),
                                          fx_word(rig->n_words),
                                          fx_word(ROWS),
                                          fx_word(COLS),
                                          fx_word(CHUNK),
                                          fx_word(0),
                                          fx_word(CHUNK),
                                          fx_word(0),
                                          fx_word(0),
                                          fx_word(0),
                                          fx_word(UNITS)};

    FX_CHECK(engine->zero(&rig->driver, rig->found, 0, FX_OFFLOAD_FOUND_HEAD * 4));
    run(rig, FX_OFFLOAD_TICKETS, 1, args, 15);
}

/* ---- what they left -------------------------------------------------------------------------- */

static void spoil(struct rig *rig)
{
    memset(rig->out, KEPT, sizeof rig->out);
    put(rig, rig->sums, rig->out, sizeof rig->out);
    put(rig, rig->folds, rig->out, sizeof rig->fold);
}

/* Sums of wanted tiles are what they were (unless fresh) and `scale` times the change. */
static void check_sums(struct rig *rig, unsigned wanted, bool fresh,
                       int32_t change[TILES][FX_TILE_ENTRIES], uint32_t scale)
{
    uint32_t kept;

    memset(&kept, KEPT, sizeof kept);
    get(rig, rig->sums, rig->out, sizeof rig->out);
    for (unsigned tile = 0; tile < TILES; tile++) {
        for (unsigned at = 0; at < FX_TILE_ENTRIES; at++) {
            uint32_t right = kept;

            if (is_wanted(wanted, tile))
                right = (fresh ? 0 : kept) + scale * (uint32_t)change[tile][at];
            if ((uint32_t)rig->out[tile][at] != right)
                FX_FAIL("tiles %#x: entry %u of tile %u is wrong", wanted, at, tile);
        }
    }
}

static void check_folds(struct rig *rig, unsigned wanted)
{
    uint32_t folds[TILES][CHUNK][8], right[CHUNK][8];

    get(rig, rig->folds, folds, sizeof folds);
    for (unsigned tile = 0; tile < TILES; tile++) {
        memset(right, KEPT, sizeof right);
        if (is_wanted(wanted, tile))
            memcpy(right, rig->fold[tile], sizeof right);
        if (memcmp(folds[tile], right, sizeof right) != 0)
            FX_FAIL("tiles %#x: the folds of tile %u are wrong", wanted, tile);
    }
}

static void check_tickets(struct rig *rig, unsigned wanted)
{
    uint32_t found[FOUND_WORDS];
    unsigned times[TILES * CHUNK] = {0};

    get(rig, rig->found, found, sizeof found);
    FX_CHECK(found[0] <= TILES * CHUNK);
    for (uint32_t n = 0; n < found[0]; n++) {
        const uint32_t *words = found + FX_OFFLOAD_FOUND_HEAD + n * FX_OFFLOAD_FOUND_WORDS;

        FX_CHECK(words[0] < ROWS && words[1] < COLS && words[2] < CHUNK);
        times[(words[0] * COLS + words[1]) * CHUNK + words[2]]++;
    }
    for (unsigned at = 0; at < TILES * CHUNK; at++) {
        if (times[at] != is_wanted(wanted, at / CHUNK))
            FX_FAIL("tiles %#x: %u tickets of brick %u", wanted, times[at], at);
    }
}

static void check_list(struct rig *rig, unsigned wanted)
{
    set_list(rig, wanted);
    spoil(rig);
    run_bricks(rig, FX_OFFLOAD_ADDED | FX_OFFLOAD_FOLDED);
    check_sums(rig, wanted, false, rig->product, 1);
    check_folds(rig, wanted);
    run_tickets(rig);
    check_tickets(rig, wanted);
    spoil(rig);
    run_peel(rig);
    check_sums(rig, wanted, false, rig->peel, UINT32_MAX);
    check_folds(rig, 0);
}

/* Either sums or folds alone. */
static void check_flags(struct rig *rig, unsigned wanted)
{
    set_list(rig, wanted);
    spoil(rig);
    run_bricks(rig, FX_OFFLOAD_ADDED | FX_OFFLOAD_SET);
    check_sums(rig, wanted, true, rig->product, 1);
    check_folds(rig, 0);
    spoil(rig);
    run_bricks(rig, FX_OFFLOAD_FOLDED);
    check_sums(rig, 0, false, rig->product, 1);
    check_folds(rig, wanted);
}

/* Tiles by bits: 0 .. 2 are the first row, 3 .. 5 the second one. */
static void check_lists(enum fx_fake_device device)
{
    struct rig *rig = rig_of(device);
    unsigned step = rig->span == 2 ? 1 : 7; /* each has its own list without pairs: a few do */

    /* Every part of the four tiles of a pair. */
    for (unsigned part = 1; part < 16; part += step)
        check_list(rig, (part & 3) | (part & 12) << 1);
    /* The last column has no neighbour; and all. */
    check_list(rig, 0x24);
    check_list(rig, 0x20);
    check_list(rig, 0x3f);
    check_flags(rig, 0x0a);
    rig_end(rig);
}

FX_TEST(tiles_that_are_wanted_by_dp4a)
{
    check_lists(FX_FAKE_DP4A);
}

FX_TEST(tiles_that_are_wanted_by_mma8)
{
    check_lists(FX_FAKE_MMA8);
}

FX_TEST(tiles_that_are_wanted_by_mma16)
{
    check_lists(FX_FAKE_MMA16);
}

FX_TEST(tiles_that_are_wanted_by_wgmma)
{
    check_lists(FX_FAKE_WGMMA);
}
