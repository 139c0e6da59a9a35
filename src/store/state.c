/* The chain state as a whole: opening, the best block, flushing as one batch, walking. */
#include "src/store/state_int.h"

#include <stdlib.h>
#include <string.h>

#include "src/sys/crash.h"
#include "src/sys/log.h"
#include "src/sys/random.h"
#include "src/util/mem.h"

/* LevelDB's own share of the cache: its blocks and write buffers. */
#define DB_CACHE_MIN ((size_t)4 << 20)
#define DB_CACHE_MAX ((size_t)64 << 20)

struct fx_state *fx_state_open(const char *path, size_t cache_bytes, char **error)
{
    size_t db_bytes = cache_bytes / 4;
    const uint8_t key = KEY_BEST;
    struct fx_state *state;
    struct fx_db *db;
    uint8_t *value;
    size_t n;

    db_bytes = db_bytes < DB_CACHE_MIN ? DB_CACHE_MIN : db_bytes;
    db_bytes = db_bytes > DB_CACHE_MAX ? DB_CACHE_MAX : db_bytes;
    db = fx_db_open(path, db_bytes, error);
    if (db == NULL) {
        return NULL;
    }
    state = fx_xcalloc(1, sizeof(*state));
    state->db = db;
    state->limit = cache_bytes;
    state->coins_max = state->limit + fx_state_slack(state);
    state->settled_low = UINT32_MAX;
    state->coins = fx_map_create(FX_OUTPOINT_SIZE, fx_random_u64(), fx_random_u64());
    state->records = fx_map_create(FX_OUTPOINT_SIZE, fx_random_u64(), fx_random_u64());
    switch (fx_db_read(db, &key, 1, &value, &n)) {
    case FX_DB_ABSENT:
        state->complete = true;
        return state;
    case FX_DB_FOUND:
        if (n == sizeof(state->best.b)) {
            memcpy(state->best.b, value, n);
            free(value);
            return state;
        }
        free(value);
        break;
    case FX_DB_FAILED:
        break;
    }
    *error = fx_xstrdup("the chain state is damaged: its best block cannot be read");
    fx_state_close(state);
    return NULL;
}

void fx_state_close(struct fx_state *state)
{
    if (state == NULL) {
        return;
    }
    fx_state_clean_coins(state, true);
    fx_state_clean_records(state, true);
    fx_map_destroy(state->coins, NULL);
    fx_map_destroy(state->records, NULL);
    fx_db_close(state->db);
    free(state);
}

const struct fx_hash *fx_state_best(const struct fx_state *state)
{
    return &state->best;
}

void fx_state_set_best(struct fx_state *state, const struct fx_hash *best)
{
    state->best = *best;
}

bool fx_state_full(const struct fx_state *state)
{
    return state->usage > state->limit;
}

size_t fx_state_usage(const struct fx_state *state)
{
    return state->usage;
}

bool fx_state_flush(struct fx_state *state)
{
    struct fx_db_batch *batch = fx_db_batch_create();
    const uint8_t key = KEY_BEST;
    size_t bytes;
    bool wipe = fx_state_full(state);

    fx_state_put_coins(state, batch);
    fx_crash_point("flush-batch");
    fx_state_put_records(state, batch);
    fx_db_batch_put(batch, &key, 1, state->best.b, sizeof(state->best.b));
    bytes = fx_db_batch_bytes(batch);
    fx_crash_point("flush-before");
    if (!fx_db_batch_write(state->db, batch, true)) {
        return false;
    }
    fx_crash_point("flush-after");
    state->flushes++;
    state->complete = state->complete && !wipe;
    fx_state_clean_coins(state, wipe);
    fx_state_clean_records(state, wipe);
    state->coins_max = state->limit + fx_state_slack(state);
    fx_log(FX_LOG_CHAIN, "chain state flushed: %zu bytes", bytes);
    return true;
}

/* ---- walks ----------------------------------------------------------------------------------- */

struct fx_state_walk {
    struct fx_db_iter *it; /* LevelDB's: a snapshot */
};

static struct fx_state_walk *walk_create(struct fx_state *state, uint8_t kind)
{
    struct fx_state_walk *walk = fx_xcalloc(1, sizeof(*walk));

    walk->it = fx_db_iter_create(state->db, &kind, 1);
    return walk;
}

struct fx_state_walk *fx_state_walk_create(struct fx_state *state)
{
    return walk_create(state, KEY_COIN);
}

enum fx_state_step fx_state_walk_next(struct fx_state_walk *walk, struct fx_outpoint *at,
                                      struct fx_span *value)
{
    const uint8_t *key, *bytes;
    size_t key_len, n;
    struct fx_reader r;

    if (!fx_db_iter_next(walk->it, &key, &key_len, &bytes, &n)) {
        return fx_db_iter_failed(walk->it) ? FX_STATE_FAILED : FX_STATE_END;
    }
    fx_reader_init(&r, key + 1, key_len - 1);
    *at = fx_outpoint_read(&r);
    if (!fx_reader_done(&r)) {
        fx_log_info("the chain state is damaged: a key does not parse");
        return FX_STATE_FAILED;
    }
    *value = (struct fx_span){bytes, n};
    return FX_STATE_NEXT;
}

void fx_state_walk_destroy(struct fx_state_walk *walk)
{
    if (walk != NULL) {
        fx_db_iter_destroy(walk->it);
        free(walk);
    }
}

uint64_t fx_state_coins_size(struct fx_state *state)
{
    return fx_db_size(state->db, KEY_COIN);
}

bool fx_state_each_record(struct fx_state *state, fx_state_visit *visit, void *ctx)
{
    struct fx_state_walk *walk = walk_create(state, KEY_RECORD);
    struct fx_outpoint at;
    struct fx_span value;
    enum fx_state_step step;

    while ((step = fx_state_walk_next(walk, &at, &value)) == FX_STATE_NEXT) {
        if (!visit(ctx, &at, value)) {
            break;
        }
    }
    fx_state_walk_destroy(walk);
    return step != FX_STATE_FAILED;
}
