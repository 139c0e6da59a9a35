/*
 * What the rules of tasks cost: verification of each action, look-ups of records among a million,
 * and Freivalds' check against reading the matrices once. Run by bench_market; by itself, a test
 * binary whose tests print figures:
 *
 *     qa/bench/bench_rules [NAME...]
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "qa/unit/consensus/spend_case.h"
#include "src/matrix/freivalds.h"
#include "src/store/state.h"
#include "src/sys/clock.h"
#include "src/sys/pool.h"
#include "src/sys/random.h"
#include "src/util/mem.h"

#define ACTION_NS INT64_C(200000000) /* how long each is measured */
#define RECORDS 1000000u
#define LOOKUPS 200000u
#define TILES 16 /* a side of the product; as many bricks deep */

/* ---- actions ----------------------------------------------------------------------------- */

/* Verifies one spend again and again: everything that consensus does of it. */
static void time_action(unsigned action)
{
    static const char *const names[FX_ACTIONS] = {"refund",    "claim",  "accept", "take",  "fraud",
                                                  "challenge", "answer", "expire", "reject"};
    struct fx_spend_case s;
    struct fx_coin coins[2];
    struct fx_tx *tx;
    uint64_t times = 0;
    int64_t start = 0, took = 0;

    fx_case_begin_any(&s, action);
    tx = fx_case_build(&s, coins);
    for (start = fx_clock_monotonic_ns(); took < ACTION_NS;
         took = fx_clock_monotonic_ns() - start) {
        struct fx_sighash_cache cache;
        struct fx_spend_context ctx = {&s.params, &s.scene.view, s.height, tx, coins, &cache};

        fx_sighash_cache_init(&cache, tx, coins);
        fx_record_delta_clear(&s.delta);
        FX_CHECK_INT(fx_connect_spend(&ctx, IN, &s.delta, &s.spent, &s.why), FX_VALID);
        times++;
    }
    printf("action %s %.1f us %zu weight\n", names[action], (double)took / 1000 / (double)times,
           fx_tx_weight(tx));
    fx_tx_unref(tx);
    fx_coin_clear(&coins[0]);
    fx_coin_clear(&coins[1]);
    fx_case_end(&s);
}

FX_TEST(actions)
{
    for (unsigned action = 0; action < FX_ACTIONS; action++) {
        time_action(action);
    }
}

/* ---- records ----------------------------------------------------------------------------- */

static struct fx_outpoint origin_of(uint32_t number)
{
    struct fx_outpoint origin;

    memset(&origin, 0, sizeof origin);
    /* Spread as hashes are. */
    fx_store_u32(origin.txid.b, number * UINT32_C(2654435761));
    fx_store_u32(origin.txid.b + 4, number / 64);
    origin.index = 1 + number % 64;
    return origin;
}

static struct fx_task_record record_of(uint32_t number)
{
    struct fx_task_record record;

    memset(&record, 0, sizeof record);
    record.live = number % 8 == 0;
    record.outpoint = origin_of(number);
    record.h0 = 1000 + number / 100;
    record.settled = record.live ? 0 : record.h0 + 10;
    record.bricks = 16384;
    record.burn = number;
    memset(record.client.b, (int)(number & 0xff), 32);
    memset(record.solver.b, (int)(number >> 8 & 0xff), 32);
    return record;
}

static void time_lookups(struct fx_state *state, const char *what, uint32_t step)
{
    int64_t start = fx_clock_monotonic_ns();
    struct fx_task_record record;

    for (uint32_t i = 0; i < LOOKUPS; i++) {
        struct fx_outpoint origin = origin_of((uint32_t)((uint64_t)i * step % RECORDS));

        FX_CHECK_INT(fx_state_record(state, &origin, &record), FX_FOUND);
    }
    printf("records %s %.2f us\n", what,
           (double)(fx_clock_monotonic_ns() - start) / 1000 / LOOKUPS);
}

FX_TEST(records)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_hash best = {{1}};
    char *error = NULL;
    struct fx_state *state = fx_state_open(dir, (size_t)450 << 20, &error);
    int64_t start = fx_clock_monotonic_ns();

    FX_CHECK(state != NULL);
    for (uint32_t i = 0; i < RECORDS; i++) {
        struct fx_outpoint origin = origin_of(i);
        struct fx_task_record record = record_of(i);

        FX_CHECK_INT(fx_state_set_record(state, &origin, &record), FX_FOUND);
        if (fx_state_full(state)) {
            fx_state_set_best(state, &best);
            FX_CHECK(fx_state_flush(state));
        }
    }
    fx_state_set_best(state, &best);
    FX_CHECK(fx_state_flush(state));
    printf("records written %.2f us\n", (double)(fx_clock_monotonic_ns() - start) / 1000 / RECORDS);
    fx_state_close(state);
    state = fx_state_open(dir, (size_t)450 << 20, &error);
    FX_CHECK(state != NULL);
    time_lookups(state, "first look-up, from the database", 7919);
    time_lookups(state, "second look-up, from the cache", 7919);
    fx_state_close(state);
}

/* ---- Freivalds --------------------------------------------------------------------------- */

#define FREIVALDS_TURNS 20 /* of which the fastest counts */

struct matrices {
    int8_t *side[2];           /* panel blocks, by panel and segment */
    uint8_t *tiles;            /* of the result, zero as the operands are chosen */
    atomic_uint_least64_t sum; /* of all words read */
};

static bool read_block(void *ctx, enum fx_side side, uint32_t panel, uint32_t segment,
                       int8_t out[FX_BLOCK_BYTES], uint8_t *path)
{
    const struct matrices *m = ctx;

    (void)path;
    memcpy(out, m->side[side] + ((size_t)panel * TILES + segment) * FX_BLOCK_BYTES, FX_BLOCK_BYTES);
    return true;
}

static bool read_tile(void *ctx, uint32_t tile, uint8_t out[FX_TILE_BYTES], uint8_t *path)
{
    const struct matrices *m = ctx;

    (void)path;
    memcpy(out, m->tiles + (size_t)tile * FX_TILE_BYTES, FX_TILE_BYTES);
    return true;
}

static int64_t fastest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#define PART 16 /* blocks or tiles that a thread takes */

/* As the check reads them: a block, a tile at a time, and each word of it is used. */
static uint64_t read_part(const uint8_t *from, size_t size)
{
    static _Thread_local uint8_t copy[FX_TILE_BYTES];
    uint64_t sum = 0, word;

    for (size_t i = 0; i < PART; i++) {
        memcpy(copy, from + i * size, size);
        for (size_t at = 0; at < size; at += sizeof word) {
            memcpy(&word, copy + at, sizeof word);
            sum += word;
        }
    }
    return sum;
}

static void read_one(void *arg, size_t at)
{
    struct matrices *m = arg;
    const size_t parts = (size_t)TILES * TILES / PART, of = at / parts, part = at % parts;

    atomic_fetch_add(&m->sum,
                     of < 2 ? read_part((const uint8_t *)m->side[of] + part * PART * FX_BLOCK_BYTES,
                                        FX_BLOCK_BYTES)
                            : read_part(m->tiles + part * PART * FX_TILE_BYTES, FX_TILE_BYTES));
}

static int64_t time_reading(struct matrices *m, struct fx_pool *pool)
{
    const unsigned threads = pool != NULL ? 2 : 1;
    int64_t once = INT64_MAX;

    for (unsigned turn = 0; turn < FREIVALDS_TURNS; turn++) {
        const int64_t start = fx_clock_monotonic_ns();

        fx_pool_for(pool, 3 * (size_t)TILES * TILES / PART, read_one, m);
        once = fastest(once, fx_clock_monotonic_ns() - start);
    }
    FX_CHECK(atomic_load(&m->sum) != 0);
    printf("freivalds read once, %u thread%s %.2f ms\n", threads, threads > 1 ? "s" : "",
           (double)once / 1e6);
    return once;
}

FX_TEST(freivalds)
{
    const struct fx_task_shape shape = {.rows = TILES,
                                        .cols = TILES,
                                        .depth = TILES,
                                        .tiles = TILES * TILES,
                                        .bricks = TILES * TILES * TILES};
    const size_t operand = (size_t)TILES * TILES * FX_BLOCK_BYTES;
    const size_t result = (size_t)TILES * TILES * FX_TILE_BYTES;
    struct matrices m = {.side = {fx_xmalloc(operand), fx_xmalloc(operand)},
                         .tiles = fx_xmalloc(result)};
    const struct fx_source source = {&m, read_block, read_tile, true};
    uint8_t key[32];
    uint32_t row;
    struct fx_pool *pool;
    int64_t once = INT64_MAX;

    /* A is anything, B is zero: so the product is known without computing it. The check does the
     * same work for any entries. */
    fx_random_bytes(m.side[FX_SIDE_A], operand);
    memset(m.side[FX_SIDE_B], 0, operand);
    memset(m.tiles, 0, result);
    fx_random_bytes(key, sizeof key);
    printf("freivalds matrices %.1f MB\n", (double)(2 * operand + result) / 1e6);
    pool = fx_pool_create(1);
    for (unsigned at = 0; at < 4; at++) {
        const unsigned rounds = 1 + at % 2, threads = 1 + at / 2;
        struct fx_pool *sharing = threads > 1 ? pool : NULL;
        int64_t took = INT64_MAX;

        if (rounds == 1)
            once = time_reading(&m, sharing);
        for (unsigned turn = 0; turn < FREIVALDS_TURNS; turn++) {
            const int64_t start = fx_clock_monotonic_ns();

            FX_CHECK_INT(fx_freivalds_check(&shape, &source, rounds, key, sharing, &row),
                         FX_FREIVALDS_EQUAL);
            took = fastest(took, fx_clock_monotonic_ns() - start);
        }
        printf("freivalds %u round%s, %u thread%s %.2f ms, %.2f times\n", rounds,
               rounds > 1 ? "s" : "", threads, threads > 1 ? "s" : "", (double)took / 1e6,
               (double)took / (double)once);
    }
    fx_pool_destroy(pool);
    free(m.side[0]);
    free(m.side[1]);
    free(m.tiles);
}
