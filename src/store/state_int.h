/* The state's insides, shared by its files: coins.c, records.c, state.c. */
#ifndef FX_STORE_STATE_INT_H
#define FX_STORE_STATE_INT_H

#include "src/store/state.h"
#include "src/sys/db.h"
#include "src/util/map.h"

/* Keys of the database. */
#define KEY_COIN 'C'    /* || outpoint: a coin */
#define KEY_RECORD 'R'  /* || origin: a task record */
#define KEY_SETTLED 's' /* || height u32 big-endian || origin: empty */
#define KEY_BEST 'B'    /* block id */
#define KEY_SIZE (1 + FX_OUTPOINT_SIZE)

/* A map slot is about 36 bytes of key, a pointer and a hash, in a table that is half full. */
#define SLOT_BYTES 96

struct fx_state {
    struct fx_db *db;
    struct fx_hash best;
    struct fx_map *coins;   /* outpoint -> struct coin_entry */
    struct fx_map *records; /* origin -> struct record_entry */
    size_t usage, limit;
    size_t coins_max; /* usage from which coins that were only looked at are dropped */
    bool complete;    /* no coin is in the database that is not in the cache */
    uint64_t flushes; /* how often the database has changed */
    /* Heights at which changed records of the cache are settled: nothing is outside. */
    uint32_t settled_low, settled_high;
};

struct fx_db_batch;

void fx_state_put_coins(struct fx_state *state, struct fx_db_batch *batch);
void fx_state_put_records(struct fx_state *state, struct fx_db_batch *batch);
/* Of the cache before what it holds unchanged is dropped, beyond its limit or what it holds
 * changed. */
size_t fx_state_slack(const struct fx_state *state);
/* After the batch was written: nothing is changed now; wipe also forgets it all. */
void fx_state_clean_coins(struct fx_state *state, bool wipe);
void fx_state_clean_records(struct fx_state *state, bool wipe);

static inline void fx_state_key(uint8_t key[KEY_SIZE], uint8_t kind, const struct fx_outpoint *at)
{
    key[0] = kind;
    fx_outpoint_key(at, key + 1);
}

#endif
