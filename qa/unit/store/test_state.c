/* Tests of the chain state against a plain model: random changes, flushes and reopenings. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/store/state.h"

#define KEYS 200
#define HEIGHTS 12

struct model {
    bool coin[KEYS], record[KEYS];
    struct fx_coin coins[KEYS];
    struct fx_task_record records[KEYS];
    struct fx_hash best;
};

static struct fx_outpoint key_of(unsigned k)
{
    struct fx_outpoint o = {.index = k % 7};

    o.txid.b[0] = (uint8_t)(k * 37);
    o.txid.b[31] = (uint8_t)k;
    o.txid.b[30] = (uint8_t)(k >> 8);
    return o;
}

static struct fx_state *open_state(const char *dir, size_t cache)
{
    char *error = NULL;
    struct fx_state *state = fx_state_open(dir, cache, &error);

    FX_CHECK(state != NULL);
    return state;
}

static void random_coin(struct fx_coin *coin)
{
    uint8_t script[90];
    struct fx_txout out = {.value = (int64_t)fx_unit_rand_below(1000000000)};

    out.script = (struct fx_span){script, (size_t)fx_unit_rand_below(sizeof(script))};
    fx_unit_rand_fill(script, sizeof(script));
    fx_coin_set(coin, &out, (uint32_t)fx_unit_rand_below(1000), fx_unit_rand_below(2) == 0);
}

static void check_coin(struct fx_state *state, const struct model *model, unsigned k)
{
    struct fx_outpoint at = key_of(k);
    struct fx_coin coin;

    if (!model->coin[k]) {
        FX_CHECK_INT(fx_state_coin(state, &at, &coin), FX_MISSING);
        return;
    }
    FX_CHECK_INT(fx_state_coin(state, &at, &coin), FX_FOUND);
    FX_CHECK_INT(coin.value, model->coins[k].value);
    FX_CHECK_INT(coin.height, model->coins[k].height);
    FX_CHECK_INT(coin.coinbase, model->coins[k].coinbase);
    FX_CHECK_INT(coin.script_len, model->coins[k].script_len);
    FX_CHECK_MEM(coin.script, model->coins[k].script, coin.script_len);
    fx_coin_clear(&coin);
}

static void check_record(struct fx_state *state, const struct model *model, unsigned k)
{
    struct fx_outpoint at = key_of(k);
    struct fx_task_record record;

    if (!model->record[k]) {
        FX_CHECK_INT(fx_state_record(state, &at, &record), FX_MISSING);
        return;
    }
    FX_CHECK_INT(fx_state_record(state, &at, &record), FX_FOUND);
    FX_CHECK(fx_task_record_equal(&record, &model->records[k]));
}

static void check_settled(struct fx_state *state, const struct model *model, uint32_t height)
{
    struct fx_outpoint *origins;
    uint8_t last[FX_OUTPOINT_SIZE] = {0}, key[FX_OUTPOINT_SIZE];
    size_t n, i, want = 0;
    unsigned k;

    for (k = 0; k < KEYS; k++) {
        want += model->record[k] && model->records[k].settled == height;
    }
    FX_CHECK_INT(fx_state_settled_at(state, height, &origins, &n), FX_FOUND);
    FX_CHECK_INT(n, want);
    for (i = 0; i < n; i++) {
        struct fx_task_record record;

        FX_CHECK_INT(fx_state_record(state, &origins[i], &record), FX_FOUND);
        FX_CHECK_INT(record.settled, height);
        fx_outpoint_key(&origins[i], key);
        FX_CHECK(i == 0 || memcmp(last, key, sizeof(key)) < 0);
        memcpy(last, key, sizeof(key));
    }
    free(origins);
}

static void check_all(struct fx_state *state, const struct model *model)
{
    unsigned k;

    for (k = 0; k < KEYS; k++) {
        check_coin(state, model, k);
        check_record(state, model, k);
    }
    for (k = 1; k <= HEIGHTS; k++) {
        check_settled(state, model, k);
    }
    FX_CHECK_MEM(fx_state_best(state)->b, model->best.b, 32);
}

static void change(struct fx_state *state, struct model *model)
{
    unsigned k = (unsigned)fx_unit_rand_below(KEYS);
    struct fx_outpoint at = key_of(k);
    struct fx_task_record record;
    struct fx_coin coin;

    if (fx_unit_rand_below(2) == 0) {
        if (model->coin[k]) {
            FX_CHECK_INT(fx_state_spend_coin(state, &at), FX_FOUND);
            fx_coin_clear(&model->coins[k]);
            model->coin[k] = false;
        } else {
            FX_CHECK_INT(fx_state_spend_coin(state, &at), FX_MISSING);
            random_coin(&coin);
            fx_coin_copy(&model->coins[k], &coin);
            model->coin[k] = true;
            fx_state_add_coin(state, &at, &coin);
        }
        return;
    }
    if (fx_unit_rand_below(3) == 0) {
        FX_CHECK_INT(fx_state_set_record(state, &at, NULL), FX_FOUND);
        model->record[k] = false;
        return;
    }
    memset(&record, 0, sizeof(record));
    record.h0 = (uint32_t)fx_unit_rand_below(100);
    record.bricks = fx_unit_rand_below(1000);
    record.settled = (uint32_t)fx_unit_rand_below(HEIGHTS + 1);
    record.backed = record.settled != 0 && fx_unit_rand_below(2) == 0;
    fx_unit_rand_fill(&record.solver, 32);
    FX_CHECK_INT(fx_state_set_record(state, &at, &record), FX_FOUND);
    model->record[k] = true;
    model->records[k] = record;
}

static void model_copy(struct model *to, const struct model *from)
{
    unsigned k;

    for (k = 0; k < KEYS; k++) {
        if (to->coin[k]) {
            fx_coin_clear(&to->coins[k]);
        }
    }
    *to = *from;
    for (k = 0; k < KEYS; k++) {
        if (from->coin[k]) {
            fx_coin_copy(&to->coins[k], &from->coins[k]);
        }
    }
}

static void run(size_t cache, unsigned steps)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_state *state = open_state(dir, cache);
    struct model *model = calloc(1, sizeof(*model)), *flushed = calloc(1, sizeof(*model));
    unsigned i;

    for (i = 0; i < steps; i++) {
        unsigned what = (unsigned)fx_unit_rand_below(200);

        change(state, model);
        if (what < 2) {
            fx_unit_rand_fill(&model->best, 32);
            fx_state_set_best(state, &model->best);
            FX_CHECK(fx_state_flush(state));
            FX_CHECK(!fx_state_full(state) || cache == 0);
            model_copy(flushed, model);
            check_all(state, model);
        } else if (what == 2) {
            check_all(state, model);
        } else if (what == 3) {
            /* What was not flushed is gone, all of it. */
            fx_state_close(state);
            state = open_state(dir, cache);
            model_copy(model, flushed);
            check_all(state, model);
        }
    }
    fx_state_close(state);
    memset(&flushed->best, 0, 32);
    model_copy(model, flushed);
    for (i = 0; i < KEYS; i++) {
        if (model->coin[i]) {
            fx_coin_clear(&model->coins[i]);
            fx_coin_clear(&flushed->coins[i]);
        }
    }
    free(model);
    free(flushed);
}

/* As a peer can ask for, whose transactions are refused. */
FX_TEST(look_ups_alone_do_not_fill_the_memory)
{
    const size_t limit = 100000, n = 2000;
    struct fx_state *state = open_state(fx_unit_tmpdir(), limit);
    struct fx_hash best = {{1}};
    struct fx_coin coin;

    fx_state_set_best(state, &best);
    for (uint32_t i = 0; i < n; i++) {
        struct fx_outpoint at = {.index = i};

        random_coin(&coin);
        coin.height = i;
        fx_state_add_coin(state, &at, &coin);
    }
    FX_CHECK(fx_state_flush(state));
    for (uint32_t i = 0; i < n; i++) {
        struct fx_outpoint at = {.index = i};

        /* What is changed stays so, whatever is dropped around it. */
        if (i % 100 == 0) {
            FX_CHECK_INT(fx_state_spend_coin(state, &at), FX_FOUND);
        } else {
            FX_CHECK_INT(fx_state_coin(state, &at, &coin), FX_FOUND);
            FX_CHECK_INT(coin.height, i);
            fx_coin_clear(&coin);
        }
        FX_CHECK(fx_state_usage(state) < 2 * limit + 1000);
    }
    for (uint32_t i = 0; i < n; i++) {
        struct fx_outpoint at = {.index = i};
        bool there = fx_state_coin(state, &at, &coin) == FX_FOUND;

        FX_CHECK_INT(there, i % 100 != 0);
        if (there) {
            fx_coin_clear(&coin);
        }
    }
    fx_state_close(state);
}

FX_TEST(cache_agrees_with_a_model)
{
    run((size_t)1 << 20, 10000 * fx_unit_rounds(1));
}

FX_TEST(a_small_cache_agrees_too)
{
    run(2000, 10000 * fx_unit_rounds(1));
}

struct walk {
    uint8_t last[FX_OUTPOINT_SIZE];
    unsigned n, stop;
};

static bool count(void *ctx, const struct fx_outpoint *at, struct fx_span value)
{
    struct walk *walk = ctx;
    uint8_t key[FX_OUTPOINT_SIZE];

    fx_outpoint_key(at, key);
    FX_CHECK(value.len > 0);
    FX_CHECK(walk->n == 0 || memcmp(walk->last, key, sizeof(key)) < 0);
    memcpy(walk->last, key, sizeof(key));
    return ++walk->n != walk->stop;
}

FX_TEST(walks_in_order_of_keys)
{
    struct fx_state *state = open_state(fx_unit_tmpdir(), 1 << 20);
    struct fx_task_record record = {.h0 = 1};
    struct walk coins = {0}, records = {0}, some = {.stop = 5};
    unsigned k;

    for (k = 0; k < KEYS; k++) {
        struct fx_outpoint at = key_of(k);
        struct fx_coin coin;

        random_coin(&coin);
        fx_state_add_coin(state, &at, &coin);
        if (k % 3 == 0) {
            FX_CHECK_INT(fx_state_set_record(state, &at, &record), FX_FOUND);
        }
    }
    FX_CHECK(fx_state_usage(state) > KEYS * 100);
    FX_CHECK(fx_state_flush(state));
    struct fx_state_walk *walk = fx_state_walk_create(state);
    struct fx_outpoint at;
    struct fx_span value;
    FX_CHECK_INT(fx_state_walk_next(walk, &at, &value), FX_STATE_NEXT);
    FX_CHECK(count(&coins, &at, value));
    /* What comes now is not for a walk that has begun. */
    struct fx_outpoint late = {.index = 77};
    struct fx_coin coin;
    random_coin(&coin);
    fx_state_add_coin(state, &late, &coin);
    FX_CHECK(fx_state_flush(state));
    while (fx_state_walk_next(walk, &at, &value) == FX_STATE_NEXT) {
        FX_CHECK(!fx_outpoint_equal(&at, &late));
        FX_CHECK(count(&coins, &at, value));
    }
    FX_CHECK_INT(coins.n, KEYS);
    FX_CHECK_INT(fx_state_walk_next(walk, &at, &value), FX_STATE_END);
    fx_state_walk_destroy(walk);
    FX_CHECK(fx_state_each_record(state, count, &records));
    FX_CHECK_INT(records.n, (KEYS + 2) / 3);
    FX_CHECK(fx_state_each_record(state, count, &some));
    FX_CHECK_INT(some.n, 5);
    fx_state_close(state);
}

static struct fx_tx *spend_of(const struct fx_outpoint *at, size_t n)
{
    struct fx_txb b;
    struct fx_tx *tx;

    fx_txb_init(&b);
    for (size_t i = 0; i < n; i++) {
        fx_txb_add_in(&b, &at[i], FX_SEQUENCE_FINAL);
    }
    fx_txb_add_out(&b, 1, NULL, 0);
    tx = fx_txb_build(&b);
    fx_txb_clear(&b);
    return tx;
}

/* Coins fetched ahead are those of the database, and what was spent meanwhile stays spent. */
FX_TEST(coins_fetched_ahead)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_outpoint at[3] = {key_of(1), key_of(2), key_of(3)};
    struct fx_tx *txs[2] = {spend_of(at, 1), spend_of(at, 3)};
    struct fx_state *state = open_state(dir, 1 << 20);
    struct fx_coin_batch *batch, *late;
    struct fx_coin coin;

    /* All there is, is in the cache. */
    FX_CHECK(fx_coin_batch_create(state) == NULL);
    fx_coin_batch_fetch(NULL, txs, 2);
    fx_coin_batch_take(NULL);
    fx_coin_batch_destroy(NULL);
    for (unsigned i = 0; i < 2; i++) {
        random_coin(&coin);
        fx_state_add_coin(state, &at[i], &coin);
    }
    fx_state_set_best(state, &at[0].txid);
    FX_CHECK(fx_state_flush(state));
    fx_state_close(state);

    state = open_state(dir, 1 << 20);
    batch = fx_coin_batch_create(state);
    late = fx_coin_batch_create(state);
    FX_CHECK(batch != NULL && late != NULL);
    fx_coin_batch_fetch(batch, txs, 2);
    fx_coin_batch_fetch(late, txs, 2);
    FX_CHECK_INT(fx_state_usage(state), 0);
    FX_CHECK_INT(fx_state_spend_coin(state, &at[0]), FX_FOUND);
    fx_coin_batch_take(batch);
    FX_CHECK(fx_state_usage(state) > 0);
    FX_CHECK_INT(fx_state_coin(state, &at[0], &coin), FX_MISSING);
    FX_CHECK_INT(fx_state_coin(state, &at[1], &coin), FX_FOUND);
    fx_coin_clear(&coin);
    FX_CHECK_INT(fx_state_coin(state, &at[2], &coin), FX_MISSING);
    FX_CHECK_INT(fx_state_spend_coin(state, &at[1]), FX_FOUND);
    /* The flush forgets that they were spent; the batch, which is older, must not bring them back.
     */
    FX_CHECK(fx_state_flush(state));
    fx_coin_batch_take(late);
    FX_CHECK_INT(fx_state_coin(state, &at[0], &coin), FX_MISSING);
    FX_CHECK_INT(fx_state_coin(state, &at[1], &coin), FX_MISSING);
    fx_state_close(state);
    fx_tx_unref(txs[0]);
    fx_tx_unref(txs[1]);
}
