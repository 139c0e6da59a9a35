/* A device against the rules. */
#include "src/miner/selftest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/brick.h"
#include "src/crypto/sha256.h"
#include "src/miner/crew.h"
#include "src/miner/devices.h"
#include "src/sys/random.h"
#include "src/util/buf.h"
#include "src/util/mem.h"

#define ROWS 2
#define COLS 3
#define DEPTH 5
#define ROW0 70001 /* noise depends on where a panel lies */
#define COL0 131
#define TILES (ROWS * COLS)
#define BRICKS (TILES * DEPTH)
#define STEPS_MOST 10000
#define NONCES 20000
#define ZERO_BITS 11 /* of the hash lane: one nonce in 2,048 wins */

struct test {
    int8_t *a, *b;  /* blocks (panel, segment), in order */
    int32_t *tiles; /* what came */
    unsigned times[TILES];
    bool came[BRICKS]; /* tickets of the header under work */
    struct fx_hash seed;
    bool wrong_ticket;
};

static int8_t *block(struct test *test, enum fx_side side, uint32_t panel, uint32_t l)
{
    int8_t *blocks = side == FX_SIDE_A ? test->a : test->b;
    uint32_t first = side == FX_SIDE_A ? ROW0 : COL0;

    return blocks + ((size_t)(panel - first) * DEPTH + l) * FX_BLOCK_BYTES;
}

static bool read_block(void *ctx, enum fx_side side, uint32_t panel, uint32_t first, uint32_t count,
                       int8_t *out)
{
    memcpy(out, block(ctx, side, panel, first), (size_t)count * FX_BLOCK_BYTES);
    return true;
}

static bool take_ticket(void *ctx, uint32_t i, uint32_t j, uint32_t l, const uint8_t given[32])
{
    struct test *test = ctx;
    struct fx_hash ticket;
    size_t at;

    if (i < ROW0 || i >= ROW0 + ROWS || j < COL0 || j >= COL0 + COLS || l >= DEPTH) {
        test->wrong_ticket = true;
        return true;
    }
    at = ((size_t)(i - ROW0) * COLS + (j - COL0)) * DEPTH + l;
    if (test->came[at] ||
        !fx_brick_ticket(&test->seed, block(test, FX_SIDE_A, i, l), block(test, FX_SIDE_B, j, l), i,
                         j, l, &ticket) ||
        memcmp(ticket.b, given, 32) != 0)
        test->wrong_ticket = true;
    test->came[at] = true;
    return true;
}

static bool take_tile(void *ctx, uint64_t tile, const int32_t *data)
{
    struct test *test = ctx;

    if (tile < TILES) {
        memcpy(test->tiles + tile * FX_TILE * FX_TILE, data, FX_TILE_BYTES);
        test->times[tile]++;
    }
    return true;
}

static void fill(int8_t *blocks, size_t n)
{
    fx_random_bytes(blocks, n);
    for (size_t at = 0; at < n; at++)
        blocks[at] = (int8_t)(((uint8_t)blocks[at] & 0x7f) - 64);
}

static bool is_tile_right(struct test *test, uint32_t tile)
{
    int32_t *sum = fx_xcalloc(FX_TILE * FX_TILE, sizeof *sum);
    int32_t *brick = fx_xcalloc(FX_TILE * FX_TILE, sizeof *brick);
    bool right;

    for (uint32_t l = 0; l < DEPTH; l++) {
        fx_brick_product(block(test, FX_SIDE_A, ROW0 + tile / COLS, l),
                         block(test, FX_SIDE_B, COL0 + tile % COLS, l), brick);
        for (size_t at = 0; at < FX_TILE * FX_TILE; at++)
            sum[at] += brick[at];
    }
    right = test->times[tile] == 1 &&
            memcmp(sum, test->tiles + (size_t)tile * FX_TILE * FX_TILE, FX_TILE_BYTES) == 0;
    free(brick);
    free(sum);
    return right;
}

/* Every ticket meets this target. The first header ends after one step, in the middle on most
 * devices; the second one mines all and finishes the product. */
static bool run_steps(struct test *test, const struct fx_backend *backend,
                      struct fx_session *session, char error[FX_KERNEL_TEXT])
{
    const struct fx_kernel_sink sink = {test, take_ticket, take_tile};
    struct fx_kernel_header header = {.mode = FX_KERNEL_PRODUCT | FX_KERNEL_MINE};
    atomic_bool cancel = false;
    enum fx_kernel_step step = FX_STEP_MORE;

    memset(header.target, 0xff, sizeof header.target);
    for (unsigned n = 0; n < STEPS_MOST && step == FX_STEP_MORE; n++) {
        if (n < 2) {
            fx_random_bytes(test->seed.b, sizeof test->seed.b);
            memcpy(header.seed, test->seed.b, sizeof header.seed);
            memset(test->came, 0, sizeof test->came);
        }
        step = backend->step(session, &header, n == 0 ? 0 : 1000, &cancel, &sink, error);
    }
    if (step == FX_STEP_FAILED)
        return false;
    if (step != FX_STEP_DONE)
        snprintf(error, FX_KERNEL_TEXT, "it does not finish");
    return step == FX_STEP_DONE;
}

static bool test_product(const struct fx_backend *backend, struct fx_device *device,
                         char error[FX_KERNEL_TEXT])
{
    struct test *test = fx_xcalloc(1, sizeof *test);
    const struct fx_kernel_task task = {.kind = 1,
                                        .row0 = ROW0,
                                        .col0 = COL0,
                                        .rows = ROWS,
                                        .cols = COLS,
                                        .depth = DEPTH,
                                        .operands = {test, read_block}};
    const size_t a_size = (size_t)ROWS * DEPTH * FX_BLOCK_BYTES;
    const size_t b_size = (size_t)COLS * DEPTH * FX_BLOCK_BYTES;
    struct fx_session *session;
    struct fx_kernel_stats stats = {0};
    bool ok;

    test->a = fx_xmalloc(a_size);
    test->b = fx_xmalloc(b_size);
    test->tiles = fx_xcalloc(TILES, FX_TILE_BYTES);
    fill(test->a, a_size);
    fill(test->b, b_size);
    session = backend->begin(device, &task, NULL, error);
    ok = session && run_steps(test, backend, session, error);
    if (session) {
        backend->stats(session, &stats);
        backend->end(session);
    }
    for (uint32_t tile = 0; tile < TILES && ok; tile++) {
        ok = is_tile_right(test, tile);
        if (!ok)
            snprintf(error, FX_KERNEL_TEXT, "a tile of the product is wrong");
    }
    if (ok && (test->wrong_ticket || stats.tickets != BRICKS)) {
        snprintf(error, FX_KERNEL_TEXT, "tickets are wrong");
        ok = false;
    }
    free(test->a);
    free(test->b);
    free(test->tiles);
    free(test);
    return ok;
}

/* The first nonce of these that wins, or NONCES. */
static uint32_t first_winner(const uint8_t header[80])
{
    uint8_t copy[80], id[32];
    uint32_t n = 0;

    memcpy(copy, header, sizeof copy);
    for (; n < NONCES; n++) {
        fx_store_u32(copy + 76, n);
        fx_sha256d(copy, sizeof copy, id);
        if (id[31] == 0 && id[30] >> (16 - ZERO_BITS) == 0)
            break;
    }
    return n;
}

static bool test_nonces(const struct fx_backend *backend, struct fx_device *device,
                        char error[FX_KERNEL_TEXT])
{
    uint8_t header[80], target[32];
    atomic_bool cancel = false;
    uint32_t nonce = 0, wanted;
    uint64_t tried = 0;
    const char *why;
    bool found;

    fx_random_bytes(header, sizeof header);
    memset(target, 0xff, sizeof target);
    target[31] = 0;
    target[30] = (uint8_t)(0xff >> (ZERO_BITS - 8));
    wanted = first_winner(header);
    found = backend->hash(device, header, target, 0, NONCES, &cancel, &nonce, &tried);
    why = fx_backend_hash_error(backend, device);
    if (!why[0] && found == (wanted < NONCES) && (!found || nonce == wanted))
        return true;
    snprintf(error, FX_KERNEL_TEXT, "%s",
             why[0] ? why : "it finds another nonce than the one that wins");
    return false;
}

bool fx_miner_selftest_device(const struct fx_backend *backend, struct fx_device *device,
                              char error[FX_KERNEL_TEXT])
{
    return test_product(backend, device, error) && test_nonces(backend, device, error);
}

int fx_miner_selftest(const struct fx_miner_options *options, const atomic_bool *stop)
{
    struct fx_device_choice *choices;
    char error[FX_KERNEL_TEXT];
    bool all = true;
    size_t n;

    if (!fx_miner_devices_choose(options, &choices, &n, error)) {
        fprintf(stderr, "Error: no device: %s\n", error);
        return FX_EXIT_DEVICE;
    }
    for (size_t at = 0; at < n && !atomic_load(stop); at++) {
        struct fx_device *device = fx_miner_device_open(options, &choices[at], error);
        bool ok = device && fx_miner_selftest_device(choices[at].backend, device, error);

        fx_miner_device_title(&choices[at]);
        printf(": %s%s\n", ok ? "passed" : "FAILED: ", ok ? "" : error);
        fflush(stdout);
        if (device)
            choices[at].backend->close(device);
        all = all && ok;
    }
    free(choices);
    if (atomic_load(stop)) {
        fprintf(stderr, "Error: interrupted\n");
        return FX_EXIT_ERROR;
    }
    return all ? FX_EXIT_OK : FX_EXIT_DEVICE;
}
