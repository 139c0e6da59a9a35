/* The block index in LevelDB. */
#include "src/store/index_db.h"

#include <stdlib.h>
#include <string.h>

#include "src/sys/crash.h"
#include "src/sys/db.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

/* Keys: 'b' || block id; 'e' for the ends; 'p', empty, where the index is partial; 'x', empty,
 * where blocks have been pruned. */
#define KEY_ENTRY 'b'
#define KEY_END 'e'
#define KEY_PARTIAL 'p'
#define KEY_PRUNED 'x'
#define FORMAT 1 /* first byte of every value */

struct fx_index_db {
    struct fx_db *db;
};

struct fx_index_db *fx_index_db_open(const char *path, size_t cache_bytes, char **error)
{
    struct fx_db *db = fx_db_open(path, cache_bytes, error);
    struct fx_index_db *index;

    if (db == NULL) {
        return NULL;
    }
    index = fx_xcalloc(1, sizeof(*index));
    index->db = db;
    return index;
}

void fx_index_db_close(struct fx_index_db *db)
{
    if (db != NULL) {
        fx_db_close(db->db);
        free(db);
    }
}

static void write_entry(const struct fx_index *entry, struct fx_buf *buf)
{
    uint8_t header[FX_HEADER_SIZE];

    fx_header_write(&entry->header, header);
    fx_buf_u8(buf, FORMAT);
    fx_buf_bytes(buf, header, sizeof(header));
    fx_buf_u32(buf, entry->height);
    fx_buf_u32(buf, entry->status & FX_INDEX_STORED);
    fx_buf_hash(buf, &entry->solver);
    fx_buf_u32(buf, entry->n_txs);
    fx_buf_u32(buf, entry->size);
    fx_buf_u32(buf, entry->file);
    fx_buf_u64(buf, entry->data_pos);
    fx_buf_u32(buf, entry->undo_file);
    fx_buf_u64(buf, entry->undo_pos);
    fx_buf_u32(buf, entry->undo_size);
    fx_buf_u64(buf, entry->arrival);
}

static bool read_entry(struct fx_reader *r, struct fx_index *entry)
{
    const uint8_t *header;
    uint8_t format = fx_read_u8(r);

    header = fx_read_bytes(r, FX_HEADER_SIZE);
    if (format != FORMAT || header == NULL) {
        return false;
    }
    fx_header_read(header, &entry->header);
    fx_header_id(&entry->header, &entry->id);
    entry->lane = fx_header_lane(&entry->header); /* the chain knows whether there are lanes */
    entry->height = fx_read_u32(r);
    entry->status = fx_read_u32(r);
    entry->solver = fx_read_hash(r);
    entry->n_txs = fx_read_u32(r);
    entry->size = fx_read_u32(r);
    entry->file = fx_read_u32(r);
    entry->data_pos = fx_read_u64(r);
    entry->undo_file = fx_read_u32(r);
    entry->undo_pos = fx_read_u64(r);
    entry->undo_size = fx_read_u32(r);
    entry->arrival = fx_read_u64(r);
    return fx_reader_done(r);
}

bool fx_index_db_write(struct fx_index_db *db, struct fx_index *const *entries, size_t n,
                       const struct fx_files_end *end, bool sync)
{
    struct fx_db_batch *batch = fx_db_batch_create();
    struct fx_buf value = FX_BUF_INIT;
    uint8_t key[33] = {KEY_ENTRY};
    size_t i;
    bool ok;

    for (i = 0; i < n; i++) {
        memcpy(key + 1, entries[i]->id.b, 32);
        value.len = 0;
        write_entry(entries[i], &value);
        fx_db_batch_put(batch, key, sizeof(key), value.data, value.len);
    }
    key[0] = KEY_END;
    value.len = 0;
    fx_buf_u8(&value, FORMAT);
    fx_buf_u32(&value, end->block_file);
    fx_buf_u64(&value, end->block_pos);
    fx_buf_u32(&value, end->undo_file);
    fx_buf_u64(&value, end->undo_pos);
    fx_db_batch_put(batch, key, 1, value.data, value.len);
    fx_buf_clear(&value);
    fx_crash_point("index-write-before");
    ok = fx_db_batch_write(db->db, batch, sync);
    fx_crash_point("index-write-after");
    return ok;
}

bool fx_index_db_set_partial(struct fx_index_db *db, bool partial)
{
    const uint8_t key = KEY_PARTIAL;

    return partial ? fx_db_write(db->db, &key, 1, NULL, 0, true)
                   : fx_db_delete(db->db, &key, 1, true);
}

/* Whether the key of a mark is there. False on an I/O failure. */
static bool get_mark(struct fx_index_db *db, uint8_t key, bool *set)
{
    enum fx_db_get found;
    uint8_t *value;
    size_t n;

    found = fx_db_read(db->db, &key, 1, &value, &n);
    if (found == FX_DB_FOUND) {
        free(value);
    }
    *set = found == FX_DB_FOUND;
    return found != FX_DB_FAILED;
}

bool fx_index_db_get_partial(struct fx_index_db *db, bool *partial)
{
    return get_mark(db, KEY_PARTIAL, partial);
}

bool fx_index_db_set_pruned(struct fx_index_db *db)
{
    const uint8_t key = KEY_PRUNED;

    return fx_db_write(db->db, &key, 1, NULL, 0, true);
}

bool fx_index_db_get_pruned(struct fx_index_db *db, bool *pruned)
{
    return get_mark(db, KEY_PRUNED, pruned);
}

bool fx_index_db_read_end(struct fx_index_db *db, struct fx_files_end *end)
{
    const uint8_t key = KEY_END;
    struct fx_reader r;
    uint8_t *value;
    size_t n;
    bool ok;

    memset(end, 0, sizeof(*end));
    switch (fx_db_read(db->db, &key, 1, &value, &n)) {
    case FX_DB_ABSENT:
        return true;
    case FX_DB_FAILED:
        return false;
    case FX_DB_FOUND:
        break;
    }
    fx_reader_init(&r, value, n);
    ok = fx_read_u8(&r) == FORMAT;
    end->block_file = fx_read_u32(&r);
    end->block_pos = fx_read_u64(&r);
    end->undo_file = fx_read_u32(&r);
    end->undo_pos = fx_read_u64(&r);
    ok = ok && fx_reader_done(&r);
    free(value);
    if (!ok) {
        fx_log_info("the block index is damaged: the ends of the block files do not parse");
    }
    return ok;
}

bool fx_index_db_each(struct fx_index_db *db, bool (*visit)(void *ctx, struct fx_index *entry),
                      void *ctx)
{
    const uint8_t prefix = KEY_ENTRY;
    struct fx_db_iter *it = fx_db_iter_create(db->db, &prefix, 1);
    const uint8_t *key, *value;
    size_t key_len, n;
    bool ok = true;

    while (ok && fx_db_iter_next(it, &key, &key_len, &value, &n)) {
        struct fx_index *entry = fx_xcalloc(1, sizeof(*entry));
        struct fx_reader r;

        fx_reader_init(&r, value, n);
        if (!read_entry(&r, entry) || key_len != 33 || memcmp(key + 1, entry->id.b, 32) != 0) {
            fx_log_info("the block index is damaged: an entry does not parse");
            free(entry);
            ok = false;
            break;
        }
        ok = visit(ctx, entry);
    }
    ok = ok && !fx_db_iter_failed(it);
    fx_db_iter_destroy(it);
    return ok;
}
