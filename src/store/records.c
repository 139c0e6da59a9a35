/* Task records: the cache before the database, and the list of those settled at a height. */
#include "src/store/state_int.h"

#include <stdlib.h>
#include <string.h>

#include "src/store/lookup.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

struct record_entry {
    struct fx_task_record record; /* where has */
    bool has;
    bool dirty;          /* differs from the database */
    bool in_db;          /* the database has a record here */
    uint32_t db_settled; /* its height of settlement there, 0: not settled */
};

#define ENTRY_BYTES (sizeof(struct record_entry) + SLOT_BYTES)
#define SETTLED_KEY_SIZE (5 + FX_OUTPOINT_SIZE)

/* The entry of an origin, taken into the cache from the database; *out is NULL where both lack it.
 */
static enum fx_lookup find(struct fx_state *state, const struct fx_outpoint *origin,
                           struct record_entry **out)
{
    uint8_t key[KEY_SIZE];
    struct record_entry *entry;
    enum fx_lookup result;
    struct fx_reader r;
    uint8_t *value;
    size_t n;
    bool ok;

    fx_state_key(key, KEY_RECORD, origin);
    *out = entry = fx_map_get(state->records, key + 1);
    if (entry != NULL) {
        return entry->has ? FX_FOUND : FX_MISSING;
    }
    result = fx_store_lookup(state->db, key, sizeof(key), &value, &n);
    if (result != FX_FOUND) {
        return result;
    }
    entry = fx_xcalloc(1, sizeof(*entry));
    fx_reader_init(&r, value, n);
    ok = fx_task_record_read(&r, &entry->record) && fx_reader_done(&r);
    free(value);
    if (!ok) {
        fx_log_info("the chain state is damaged: a task record does not parse");
        free(entry);
        return FX_LOOKUP_FAILED;
    }
    entry->has = entry->in_db = true;
    entry->db_settled = entry->record.settled;
    fx_map_put(state->records, key + 1, entry);
    state->usage += ENTRY_BYTES;
    *out = entry;
    return FX_FOUND;
}

enum fx_lookup fx_state_record(struct fx_state *state, const struct fx_outpoint *origin,
                               struct fx_task_record *record)
{
    struct record_entry *entry;
    enum fx_lookup result = find(state, origin, &entry);

    if (result == FX_FOUND) {
        *record = entry->record;
    }
    return result;
}

enum fx_lookup fx_state_set_record(struct fx_state *state, const struct fx_outpoint *origin,
                                   const struct fx_task_record *record)
{
    struct record_entry *entry;
    uint8_t key[FX_OUTPOINT_SIZE];

    if (find(state, origin, &entry) == FX_LOOKUP_FAILED) {
        return FX_LOOKUP_FAILED;
    }
    if (entry == NULL) {
        if (record == NULL) {
            return FX_FOUND;
        }
        entry = fx_xcalloc(1, sizeof(*entry));
        fx_outpoint_key(origin, key);
        fx_map_put(state->records, key, entry);
        state->usage += ENTRY_BYTES;
    }
    entry->dirty = true;
    entry->has = record != NULL;
    if (record != NULL) {
        entry->record = *record;
        if (record->settled != 0) {
            state->settled_low =
                record->settled < state->settled_low ? record->settled : state->settled_low;
            state->settled_high =
                record->settled > state->settled_high ? record->settled : state->settled_high;
        }
    }
    return FX_FOUND;
}

struct list {
    struct fx_outpoint *origins;
    size_t n, cap;
};

static void list_add(struct list *list, const struct fx_outpoint *origin)
{
    if (list->n == list->cap) {
        list->cap = list->cap * 2 + 8;
        list->origins = fx_xreallocarray(list->origins, list->cap, sizeof(*list->origins));
    }
    list->origins[list->n++] = *origin;
}

static int compare(const void *a, const void *b)
{
    uint8_t x[FX_OUTPOINT_SIZE], y[FX_OUTPOINT_SIZE];

    fx_outpoint_key(a, x);
    fx_outpoint_key(b, y);
    return memcmp(x, y, sizeof(x));
}

static struct fx_outpoint outpoint_of(const uint8_t *key)
{
    struct fx_reader r;

    fx_reader_init(&r, key, FX_OUTPOINT_SIZE);
    return fx_outpoint_read(&r);
}

/* From the database: those that the cache does not know to have changed. */
static bool list_stored(struct fx_state *state, uint32_t height, struct list *list)
{
    uint8_t prefix[5] = {KEY_SETTLED};
    const uint8_t *key, *value;
    struct fx_db_iter *it;
    size_t key_len, n;
    bool ok;

    fx_store_u32be(prefix + 1, height);
    it = fx_db_iter_create(state->db, prefix, sizeof(prefix));
    while (fx_db_iter_next(it, &key, &key_len, &value, &n)) {
        const struct record_entry *entry;
        struct fx_outpoint origin;

        if (key_len != SETTLED_KEY_SIZE) {
            continue;
        }
        entry = fx_map_get(state->records, key + 5);
        if (entry == NULL || !entry->dirty) {
            origin = outpoint_of(key + 5);
            list_add(list, &origin);
        }
    }
    ok = !fx_db_iter_failed(it);
    fx_db_iter_destroy(it);
    return ok;
}

enum fx_lookup fx_state_settled_at(struct fx_state *state, uint32_t height,
                                   struct fx_outpoint **origins, size_t *n)
{
    struct list list = {0};
    const void *key;
    void *value;
    size_t at = 0;

    if (!list_stored(state, height, &list)) {
        free(list.origins);
        return FX_LOOKUP_FAILED;
    }
    while (height >= state->settled_low && height <= state->settled_high &&
           fx_map_next(state->records, &at, &key, &value)) {
        const struct record_entry *entry = value;

        if (entry->dirty && entry->has && entry->record.settled == height) {
            struct fx_outpoint origin = outpoint_of(key);

            list_add(&list, &origin);
        }
    }
    if (list.n > 1) {
        qsort(list.origins, list.n, sizeof(*list.origins), compare);
    }
    *origins = list.origins;
    *n = list.n;
    return FX_FOUND;
}

void fx_state_put_records(struct fx_state *state, struct fx_db_batch *batch)
{
    uint8_t key[KEY_SIZE] = {KEY_RECORD}, settled_key[SETTLED_KEY_SIZE] = {KEY_SETTLED};
    struct fx_buf buf = FX_BUF_INIT;
    const void *origin;
    void *value;
    size_t at = 0;

    while (fx_map_next(state->records, &at, &origin, &value)) {
        const struct record_entry *entry = value;
        uint32_t settled = entry->has ? entry->record.settled : 0;

        if (!entry->dirty) {
            continue;
        }
        memcpy(key + 1, origin, FX_OUTPOINT_SIZE);
        memcpy(settled_key + 5, origin, FX_OUTPOINT_SIZE);
        if (entry->has) {
            buf.len = 0;
            fx_task_record_write(&entry->record, &buf);
            fx_db_batch_put(batch, key, sizeof(key), buf.data, buf.len);
        } else if (entry->in_db) {
            fx_db_batch_delete(batch, key, sizeof(key));
        }
        if (entry->db_settled != 0 && entry->db_settled != settled) {
            fx_store_u32be(settled_key + 1, entry->db_settled);
            fx_db_batch_delete(batch, settled_key, sizeof(settled_key));
        }
        if (settled != 0 && settled != entry->db_settled) {
            fx_store_u32be(settled_key + 1, settled);
            fx_db_batch_put(batch, settled_key, sizeof(settled_key), NULL, 0);
        }
    }
    fx_buf_clear(&buf);
}

void fx_state_clean_records(struct fx_state *state, bool wipe)
{
    const void *key;
    void *value;
    size_t at = 0;

    while (fx_map_next(state->records, &at, &key, &value)) {
        struct record_entry *entry = value;

        if (wipe || !entry->has) {
            state->usage -= ENTRY_BYTES;
            fx_map_remove(state->records, key);
            free(entry);
            continue;
        }
        entry->dirty = false;
        entry->in_db = true;
        entry->db_settled = entry->record.settled;
    }
    if (wipe) {
        fx_map_clear(state->records, free);
    }
    state->settled_low = UINT32_MAX;
    state->settled_high = 0;
}
