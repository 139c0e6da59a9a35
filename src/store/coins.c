/* Coins: the cache before the database. */
#include "src/store/state_int.h"

#include <stdlib.h>

#include "src/store/lookup.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

#define SLACK_MIN ((size_t)16 << 10)

struct coin_entry {
    struct fx_coin coin; /* where has */
    bool has;
    bool dirty; /* differs from the database */
    bool in_db; /* the database has a coin here */
};

static size_t entry_bytes(const struct coin_entry *entry)
{
    return sizeof(*entry) + SLOT_BYTES + (entry->has ? entry->coin.script_len + 16 : 0);
}

static void entry_free(void *p)
{
    struct coin_entry *entry = p;

    if (entry->has) {
        fx_coin_clear(&entry->coin);
    }
    free(entry);
}

static void entry_put(struct fx_state *state, const struct fx_outpoint *outpoint,
                      struct coin_entry *entry)
{
    uint8_t key[FX_OUTPOINT_SIZE];

    fx_outpoint_key(outpoint, key);
    fx_map_put(state->coins, key, entry);
    state->usage += entry_bytes(entry);
}

/* What the database has; FX_FOUND: the caller clears the coin. On any thread. */
static enum fx_lookup read_stored(struct fx_db *db, const uint8_t key[KEY_SIZE],
                                  struct fx_coin *coin)
{
    enum fx_lookup result;
    struct fx_reader r;
    uint8_t *value;
    size_t n;
    bool ok;

    result = fx_store_lookup(db, key, KEY_SIZE, &value, &n);
    if (result != FX_FOUND) {
        return result;
    }
    fx_reader_init(&r, value, n);
    ok = fx_coin_read(&r, coin);
    if (ok && !fx_reader_done(&r)) {
        fx_coin_clear(coin);
        ok = false;
    }
    free(value);
    if (!ok) {
        fx_log_info("the chain state is damaged: a coin does not parse");
        return FX_LOOKUP_FAILED;
    }
    return FX_FOUND;
}

size_t fx_state_slack(const struct fx_state *state)
{
    return state->limit > SLACK_MIN ? state->limit : SLACK_MIN;
}

/*
 * Look-ups alone, for transactions of peers that never enter the pool, must not bring all coins
 * into memory: a flush, which would take them out, only comes with blocks. What is dropped is worth
 * the walk, as the next comes after as much again.
 */
static void drop_unchanged(struct fx_state *state)
{
    const void *key;
    void *value;
    size_t at = 0;

    while (fx_map_next(state->coins, &at, &key, &value)) {
        struct coin_entry *entry = value;

        if (!entry->dirty) {
            state->usage -= entry_bytes(entry);
            fx_map_remove(state->coins, key);
            entry_free(entry);
        }
    }
    state->complete = false;
    state->coins_max = state->limit > state->usage ? state->limit : state->usage;
    state->coins_max += fx_state_slack(state);
}

/* Takes the coin. */
static struct coin_entry *add_stored(struct fx_state *state, const struct fx_outpoint *outpoint,
                                     const struct fx_coin *coin)
{
    struct coin_entry *entry = fx_xcalloc(1, sizeof(*entry));

    if (state->usage > state->coins_max) {
        drop_unchanged(state);
    }
    entry->coin = *coin;
    entry->has = entry->in_db = true;
    entry_put(state, outpoint, entry);
    return entry;
}

/* The entry of a coin, taken into the cache from the database. */
static enum fx_lookup find(struct fx_state *state, const struct fx_outpoint *outpoint,
                           struct coin_entry **out)
{
    uint8_t key[KEY_SIZE];
    enum fx_lookup result;
    struct fx_coin coin;

    fx_state_key(key, KEY_COIN, outpoint);
    *out = fx_map_get(state->coins, key + 1);
    if (*out != NULL) {
        return (*out)->has ? FX_FOUND : FX_MISSING;
    }
    if (state->complete) {
        return FX_MISSING;
    }
    result = read_stored(state->db, key, &coin);
    if (result == FX_FOUND) {
        *out = add_stored(state, outpoint, &coin);
    }
    return result;
}

/* ---- batches ---- */

struct fetched {
    struct fx_outpoint at;
    struct fx_coin coin;
};

struct fx_coin_batch {
    struct fx_state *state;
    uint64_t flushes; /* of the state at create */
    struct fetched *coins;
    size_t n, cap;
};

struct fx_coin_batch *fx_coin_batch_create(struct fx_state *state)
{
    struct fx_coin_batch *batch;

    if (state->complete) {
        return NULL;
    }
    batch = fx_xcalloc(1, sizeof(*batch));
    batch->state = state;
    batch->flushes = state->flushes;
    return batch;
}

static void fetch_one(struct fx_coin_batch *batch, const struct fx_outpoint *at)
{
    uint8_t key[KEY_SIZE];
    struct fetched one = {.at = *at};

    fx_state_key(key, KEY_COIN, at);
    /* A failure comes up again where the coin is used. */
    if (read_stored(batch->state->db, key, &one.coin) != FX_FOUND) {
        return;
    }
    if (batch->n == batch->cap) {
        batch->cap = batch->cap * 2 + 64;
        batch->coins = fx_xreallocarray(batch->coins, batch->cap, sizeof(*batch->coins));
    }
    batch->coins[batch->n++] = one;
}

void fx_coin_batch_fetch(struct fx_coin_batch *batch, struct fx_tx *const *txs, size_t n)
{
    if (batch == NULL) {
        return;
    }
    /* The first is the coinbase. */
    for (size_t t = 1; t < n; t++) {
        for (size_t i = 0; i < txs[t]->n_in; i++) {
            fetch_one(batch, &txs[t]->in[i].prevout);
        }
    }
}

void fx_coin_batch_take(struct fx_coin_batch *batch)
{
    uint8_t key[FX_OUTPOINT_SIZE];

    if (batch == NULL) {
        return;
    }
    /* A coin that was spent and flushed meanwhile must not come back. */
    for (size_t i = 0; batch->flushes == batch->state->flushes && i < batch->n; i++) {
        struct fetched *one = &batch->coins[i];

        fx_outpoint_key(&one->at, key);
        if (fx_map_get(batch->state->coins, key) == NULL) {
            add_stored(batch->state, &one->at, &one->coin);
            one->coin = (struct fx_coin){0};
        }
    }
    fx_coin_batch_destroy(batch);
}

void fx_coin_batch_destroy(struct fx_coin_batch *batch)
{
    if (batch == NULL) {
        return;
    }
    for (size_t i = 0; i < batch->n; i++) {
        fx_coin_clear(&batch->coins[i].coin);
    }
    free(batch->coins);
    free(batch);
}

/* ---- one coin ---- */

enum fx_lookup fx_state_coin(struct fx_state *state, const struct fx_outpoint *outpoint,
                             struct fx_coin *coin)
{
    struct coin_entry *entry;
    enum fx_lookup result = find(state, outpoint, &entry);

    if (result == FX_FOUND) {
        fx_coin_copy(coin, &entry->coin);
    }
    return result;
}

void fx_state_add_coin(struct fx_state *state, const struct fx_outpoint *outpoint,
                       struct fx_coin *coin)
{
    uint8_t key[FX_OUTPOINT_SIZE];
    struct coin_entry *entry;

    fx_outpoint_key(outpoint, key);
    entry = fx_map_get(state->coins, key);
    if (entry != NULL) {
        state->usage -= entry_bytes(entry);
        if (entry->has) {
            fx_coin_clear(&entry->coin);
        }
        entry->coin = *coin;
        entry->has = entry->dirty = true;
        state->usage += entry_bytes(entry);
    } else {
        entry = fx_xcalloc(1, sizeof(*entry));
        entry->coin = *coin;
        entry->has = entry->dirty = true;
        entry_put(state, outpoint, entry);
    }
    *coin = (struct fx_coin){0};
}

enum fx_lookup fx_state_spend_coin(struct fx_state *state, const struct fx_outpoint *outpoint)
{
    struct coin_entry *entry;
    enum fx_lookup result = find(state, outpoint, &entry);
    uint8_t key[FX_OUTPOINT_SIZE];

    if (result != FX_FOUND) {
        return result;
    }
    state->usage -= entry_bytes(entry);
    if (!entry->in_db) {
        /* Made and spent between two flushes: the database never hears of it. */
        fx_outpoint_key(outpoint, key);
        fx_map_remove(state->coins, key);
        entry_free(entry);
        return FX_FOUND;
    }
    fx_coin_clear(&entry->coin);
    entry->has = false;
    entry->dirty = true;
    state->usage += entry_bytes(entry);
    return FX_FOUND;
}

void fx_state_put_coins(struct fx_state *state, struct fx_db_batch *batch)
{
    uint8_t key[KEY_SIZE] = {KEY_COIN};
    struct fx_buf buf = FX_BUF_INIT;
    const void *outpoint;
    void *value;
    size_t at = 0, i;

    while (fx_map_next(state->coins, &at, &outpoint, &value)) {
        struct coin_entry *entry = value;

        if (!entry->dirty) {
            continue;
        }
        for (i = 0; i < FX_OUTPOINT_SIZE; i++) {
            key[1 + i] = ((const uint8_t *)outpoint)[i];
        }
        if (entry->has) {
            buf.len = 0;
            fx_coin_write(&entry->coin, &buf);
            fx_db_batch_put(batch, key, sizeof(key), buf.data, buf.len);
        } else {
            fx_db_batch_delete(batch, key, sizeof(key));
        }
    }
    fx_buf_clear(&buf);
}

void fx_state_clean_coins(struct fx_state *state, bool wipe)
{
    const void *key;
    void *value;
    size_t at = 0;

    while (fx_map_next(state->coins, &at, &key, &value)) {
        struct coin_entry *entry = value;

        if (wipe || !entry->has) {
            state->usage -= entry_bytes(entry);
            fx_map_remove(state->coins, key);
            entry_free(entry);
            continue;
        }
        entry->dirty = false;
        entry->in_db = true;
    }
    if (wipe) {
        fx_map_clear(state->coins, entry_free);
    }
}
