/* Coins: the cache before the database. */
#include "src/store/state_int.h"

#include <stdlib.h>

#include "src/sys/log.h"
#include "src/util/mem.h"

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

/* The entry of a coin, taken into the cache from the database. */
static enum fx_lookup find(struct fx_state *state, const struct fx_outpoint *outpoint,
                           struct coin_entry **out)
{
    uint8_t key[KEY_SIZE];
    struct coin_entry *entry;
    struct fx_reader r;
    uint8_t *value;
    size_t n;
    bool ok;

    fx_state_key(key, KEY_COIN, outpoint);
    entry = fx_map_get(state->coins, key + 1);
    if (entry != NULL) {
        *out = entry;
        return entry->has ? FX_FOUND : FX_MISSING;
    }
    switch (fx_db_read(state->db, key, sizeof(key), &value, &n)) {
    case FX_DB_ABSENT:
        return FX_MISSING;
    case FX_DB_FAILED:
        return FX_LOOKUP_FAILED;
    case FX_DB_FOUND:
        break;
    }
    entry = fx_xcalloc(1, sizeof(*entry));
    fx_reader_init(&r, value, n);
    ok = fx_coin_read(&r, &entry->coin);
    if (ok && !fx_reader_done(&r)) {
        fx_coin_clear(&entry->coin);
        ok = false;
    }
    free(value);
    if (!ok) {
        fx_log_info("the chain state is damaged: a coin does not parse");
        free(entry);
        return FX_LOOKUP_FAILED;
    }
    entry->has = entry->in_db = true;
    entry_put(state, outpoint, entry);
    *out = entry;
    return FX_FOUND;
}

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
