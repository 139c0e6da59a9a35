/*
 * A key-value database over LevelDB. Keys and values are bytes; iteration is in byte order of keys.
 * A write batch is atomic. A false return is an I/O failure, with a message in the log.
 */
#ifndef FX_SYS_DB_H
#define FX_SYS_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fx_db;       /* opaque */
struct fx_db_batch; /* opaque */
struct fx_db_iter;  /* opaque */

enum fx_db_get { FX_DB_FOUND = 0, FX_DB_ABSENT, FX_DB_FAILED };

/* Creates the directory where it is missing. NULL on failure; *error (may be NULL) is the caller's
 * to free. */
struct fx_db *fx_db_open(const char *path, size_t cache_bytes, char **error);
void fx_db_close(struct fx_db *db);
/* Removes a database that is not open, damaged ones too. */
bool fx_db_remove(const char *path);

/* *value is the caller's to free. */
enum fx_db_get fx_db_read(struct fx_db *db, const void *key, size_t key_len, uint8_t **value,
                          size_t *n);
bool fx_db_write(struct fx_db *db, const void *key, size_t key_len, const void *value, size_t n,
                 bool sync);
bool fx_db_delete(struct fx_db *db, const void *key, size_t key_len, bool sync);

struct fx_db_batch *fx_db_batch_create(void);
void fx_db_batch_put(struct fx_db_batch *batch, const void *key, size_t key_len, const void *value,
                     size_t n);
void fx_db_batch_delete(struct fx_db_batch *batch, const void *key, size_t key_len);
size_t fx_db_batch_bytes(const struct fx_db_batch *batch);
/* Applies it as one, and destroys it. sync: on disk before the return. */
bool fx_db_batch_write(struct fx_db *db, struct fx_db_batch *batch, bool sync);
void fx_db_batch_destroy(struct fx_db_batch *batch);

/* Bytes on disk of the entries whose key starts with this byte, about; what was written last may
 * not be there yet. */
uint64_t fx_db_size(struct fx_db *db, uint8_t prefix);

/* Entries whose key starts with prefix. Views are valid until the next step. */
struct fx_db_iter *fx_db_iter_create(struct fx_db *db, const void *prefix, size_t n);
bool fx_db_iter_next(struct fx_db_iter *it, const uint8_t **key, size_t *key_len,
                     const uint8_t **value, size_t *n);
bool fx_db_iter_failed(const struct fx_db_iter *it);
void fx_db_iter_destroy(struct fx_db_iter *it);

#endif
