/*
 * The chain state: coins, task records and the block that they stand after, in the LevelDB database
 * chainstate, behind a cache in memory. Changes stay in the cache until a flush, which is one
 * atomic batch of all of them with the best block: what is on disk is always the state after some
 * block.
 */
#ifndef FX_STORE_STATE_H
#define FX_STORE_STATE_H

#include "consensus/view.h"

struct fx_state; /* opaque */

/* cache_bytes: what the cache may hold before fx_state_full. NULL on failure; *error is the
 * caller's to free. */
struct fx_state *fx_state_open(const char *path, size_t cache_bytes, char **error);
/* What was not flushed is dropped. NULL: nothing. */
void fx_state_close(struct fx_state *state);

/* Zero: the state is empty. */
const struct fx_hash *fx_state_best(const struct fx_state *state);
void fx_state_set_best(struct fx_state *state, const struct fx_hash *best);

/* FX_FOUND fills *coin, which the caller clears. */
enum fx_lookup fx_state_coin(struct fx_state *state, const struct fx_outpoint *outpoint,
                             struct fx_coin *coin);
/* Adds a coin that is not there now; takes its script, *coin is empty after. */
void fx_state_add_coin(struct fx_state *state, const struct fx_outpoint *outpoint,
                       struct fx_coin *coin);
enum fx_lookup fx_state_spend_coin(struct fx_state *state, const struct fx_outpoint *outpoint);

/*
 * The coins that some transactions spend, looked up in the database ahead of their use. create and
 * take are for the thread of the state, fetch for any. NULL where the cache has all coins that
 * there are: the other calls then do nothing.
 */
struct fx_coin_batch; /* opaque */
struct fx_coin_batch *fx_coin_batch_create(struct fx_state *state);
void fx_coin_batch_fetch(struct fx_coin_batch *batch, struct fx_tx *const *txs, size_t n);
/* Into the cache, unless the database changed since create; and destroys it. */
void fx_coin_batch_take(struct fx_coin_batch *batch);
void fx_coin_batch_destroy(struct fx_coin_batch *batch);

enum fx_lookup fx_state_record(struct fx_state *state, const struct fx_outpoint *origin,
                               struct fx_task_record *record);
/* Sets, or removes where record is NULL. FX_LOOKUP_FAILED: I/O, nothing changed; else FX_FOUND. */
enum fx_lookup fx_state_set_record(struct fx_state *state, const struct fx_outpoint *origin,
                                   const struct fx_task_record *record);
/* Origins of the records settled at exactly this height (above 0), in order. *origins is the
 * caller's to free. */
enum fx_lookup fx_state_settled_at(struct fx_state *state, uint32_t height,
                                   struct fx_outpoint **origins, size_t *n);

uint64_t fx_state_coins_size(struct fx_state *state); /* bytes of the coins on disk, about */

bool fx_state_full(const struct fx_state *state);
size_t fx_state_usage(const struct fx_state *state); /* bytes in the cache, about */
/* Writes all changes and the best block as one batch, synced. */
bool fx_state_flush(struct fx_state *state);

/*
 * In order of keys (36 bytes: txid, index little-endian), of a flushed state: flush first. The
 * bytes are those of fx_coin_write and fx_task_record_write; views. A visitor that returns false
 * stops the walk. False on an I/O failure.
 */
typedef bool fx_state_visit(void *ctx, const struct fx_outpoint *at, struct fx_span value);
bool fx_state_each_record(struct fx_state *state, fx_state_visit *visit, void *ctx);

/* All coins, in the same order, step by step: as they were when it began, whatever comes since. */
struct fx_state_walk; /* opaque */
enum fx_state_step { FX_STATE_NEXT = 0, FX_STATE_END, FX_STATE_FAILED };
struct fx_state_walk *fx_state_walk_create(struct fx_state *state); /* of a flushed state */
/* value: the bytes of fx_coin_write, a view until the next step. */
enum fx_state_step fx_state_walk_next(struct fx_state_walk *walk, struct fx_outpoint *at,
                                      struct fx_span *value);
void fx_state_walk_destroy(struct fx_state_walk *walk); /* NULL: nothing */

#endif
