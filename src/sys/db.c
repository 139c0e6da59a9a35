/* The key-value database: LevelDB through its C interface. */
#include "src/sys/db.h"

#include <leveldb/c.h>
#include <stdlib.h>
#include <string.h>

#include "src/sys/file.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

struct fx_db {
    leveldb_t *db;
    leveldb_options_t *options;
    leveldb_cache_t *cache;
    leveldb_filterpolicy_t *filter;
    leveldb_readoptions_t *read;
    leveldb_writeoptions_t *write, *write_sync;
    char *path;
};

struct fx_db_batch {
    leveldb_writebatch_t *batch;
    size_t bytes;
};

struct fx_db_iter {
    leveldb_iterator_t *it;
    leveldb_readoptions_t *read;
    uint8_t *prefix;
    size_t n;
    bool started;
};

/* LevelDB's message goes to the log and is freed. True where there was one. */
static bool failed(const struct fx_db *db, const char *what, char *error)
{
    if (error == NULL) {
        return false;
    }
    fx_log_info("database %s: %s: %s", db->path, what, error);
    leveldb_free(error);
    return true;
}

static void free_options(struct fx_db *db)
{
    if (db->db != NULL) {
        leveldb_close(db->db);
    }
    leveldb_readoptions_destroy(db->read);
    leveldb_writeoptions_destroy(db->write);
    leveldb_writeoptions_destroy(db->write_sync);
    leveldb_options_destroy(db->options);
    leveldb_cache_destroy(db->cache);
    leveldb_filterpolicy_destroy(db->filter);
    free(db->path);
    free(db);
}

struct fx_db *fx_db_open(const char *path, size_t cache_bytes, char **error)
{
    struct fx_db *db = fx_xcalloc(1, sizeof(*db));
    char *message = NULL;

    db->path = fx_xstrdup(path);
    db->cache = leveldb_cache_create_lru(cache_bytes / 2);
    db->filter = leveldb_filterpolicy_create_bloom(10);
    db->options = leveldb_options_create();
    leveldb_options_set_create_if_missing(db->options, 1);
    leveldb_options_set_paranoid_checks(db->options, 1);
    leveldb_options_set_cache(db->options, db->cache);
    leveldb_options_set_filter_policy(db->options, db->filter);
    /* Two write buffers may be in memory at once. */
    leveldb_options_set_write_buffer_size(db->options, cache_bytes / 4);
    leveldb_options_set_max_open_files(db->options, 256);
    /* Keys and values are hashes for the most part: nothing to compress. */
    leveldb_options_set_compression(db->options, leveldb_no_compression);
    db->read = leveldb_readoptions_create();
    leveldb_readoptions_set_verify_checksums(db->read, 1);
    db->write = leveldb_writeoptions_create();
    db->write_sync = leveldb_writeoptions_create();
    leveldb_writeoptions_set_sync(db->write_sync, 1);
    if (fx_dir_make(path)) {
        db->db = leveldb_open(db->options, path, &message);
    }
    if (db->db == NULL) {
        const char *text = message != NULL ? message : "cannot make the directory";

        fx_log_info("database %s: %s", path, text);
        if (error != NULL) {
            *error = fx_xstrdup(text);
        }
        leveldb_free(message);
        free_options(db);
        return NULL;
    }
    return db;
}

void fx_db_close(struct fx_db *db)
{
    if (db != NULL) {
        free_options(db);
    }
}

bool fx_db_remove(const char *path)
{
    leveldb_options_t *options = leveldb_options_create();
    char *message = NULL;

    leveldb_destroy_db(options, path, &message);
    leveldb_options_destroy(options);
    if (message == NULL) {
        return true;
    }
    fx_log_info("database %s: remove: %s", path, message);
    leveldb_free(message);
    return false;
}

enum fx_db_get fx_db_read(struct fx_db *db, const void *key, size_t key_len, uint8_t **value,
                          size_t *n)
{
    char *message = NULL;
    char *found = leveldb_get(db->db, db->read, key, key_len, n, &message);

    if (failed(db, "read", message)) {
        return FX_DB_FAILED;
    }
    if (found == NULL) {
        return FX_DB_ABSENT;
    }
    *value = fx_xmemdup(found, *n);
    leveldb_free(found);
    return FX_DB_FOUND;
}

bool fx_db_write(struct fx_db *db, const void *key, size_t key_len, const void *value, size_t n,
                 bool sync)
{
    char *message = NULL;

    leveldb_put(db->db, sync ? db->write_sync : db->write, key, key_len, value, n, &message);
    return !failed(db, "write", message);
}

bool fx_db_delete(struct fx_db *db, const void *key, size_t key_len, bool sync)
{
    char *message = NULL;

    leveldb_delete(db->db, sync ? db->write_sync : db->write, key, key_len, &message);
    return !failed(db, "delete", message);
}

struct fx_db_batch *fx_db_batch_create(void)
{
    struct fx_db_batch *batch = fx_xcalloc(1, sizeof(*batch));

    batch->batch = leveldb_writebatch_create();
    return batch;
}

void fx_db_batch_put(struct fx_db_batch *batch, const void *key, size_t key_len, const void *value,
                     size_t n)
{
    leveldb_writebatch_put(batch->batch, key, key_len, value, n);
    batch->bytes += key_len + n + 8;
}

void fx_db_batch_delete(struct fx_db_batch *batch, const void *key, size_t key_len)
{
    leveldb_writebatch_delete(batch->batch, key, key_len);
    batch->bytes += key_len + 4;
}

size_t fx_db_batch_bytes(const struct fx_db_batch *batch)
{
    return batch->bytes;
}

bool fx_db_batch_write(struct fx_db *db, struct fx_db_batch *batch, bool sync)
{
    char *message = NULL;

    leveldb_write(db->db, sync ? db->write_sync : db->write, batch->batch, &message);
    fx_db_batch_destroy(batch);
    return !failed(db, "write", message);
}

void fx_db_batch_destroy(struct fx_db_batch *batch)
{
    if (batch != NULL) {
        leveldb_writebatch_destroy(batch->batch);
        free(batch);
    }
}

uint64_t fx_db_size(struct fx_db *db, uint8_t prefix)
{
    const char first[] = {(char)prefix}, last[] = {(char)(prefix + 1)};
    const char *starts[] = {first}, *limits[] = {last};
    const size_t one[] = {1};
    uint64_t size = 0;

    leveldb_approximate_sizes(db->db, 1, starts, one, limits, one, &size);
    return size;
}

struct fx_db_iter *fx_db_iter_create(struct fx_db *db, const void *prefix, size_t n)
{
    struct fx_db_iter *it = fx_xcalloc(1, sizeof(*it));

    it->read = leveldb_readoptions_create();
    leveldb_readoptions_set_verify_checksums(it->read, 1);
    leveldb_readoptions_set_fill_cache(it->read, 0);
    it->it = leveldb_create_iterator(db->db, it->read);
    it->prefix = fx_xmemdup(prefix, n);
    it->n = n;
    return it;
}

bool fx_db_iter_next(struct fx_db_iter *it, const uint8_t **key, size_t *key_len,
                     const uint8_t **value, size_t *n)
{
    size_t len;

    if (!it->started) {
        leveldb_iter_seek(it->it, (const char *)it->prefix, it->n);
        it->started = true;
    } else if (leveldb_iter_valid(it->it)) {
        leveldb_iter_next(it->it);
    }
    if (!leveldb_iter_valid(it->it)) {
        return false;
    }
    *key = (const uint8_t *)leveldb_iter_key(it->it, &len);
    *key_len = len;
    if (len < it->n || (it->n > 0 && memcmp(*key, it->prefix, it->n) != 0)) {
        return false;
    }
    *value = (const uint8_t *)leveldb_iter_value(it->it, n);
    return true;
}

bool fx_db_iter_failed(const struct fx_db_iter *it)
{
    char *message = NULL;

    leveldb_iter_get_error(it->it, &message);
    if (message == NULL) {
        return false;
    }
    fx_log_info("database: iterate: %s", message);
    leveldb_free(message);
    return true;
}

void fx_db_iter_destroy(struct fx_db_iter *it)
{
    if (it != NULL) {
        leveldb_iter_destroy(it->it);
        leveldb_readoptions_destroy(it->read);
        free(it->prefix);
        free(it);
    }
}
