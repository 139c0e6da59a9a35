/*
 * The block index on disk: blocks/index, one entry a header, and the ends of the block and undo
 * files. What can be computed from the headers (lanes, work, median times, skips) is not stored.
 */
#ifndef FX_STORE_INDEX_DB_H
#define FX_STORE_INDEX_DB_H

#include "src/iface/chain.h"
#include "src/store/files.h"

struct fx_index_db; /* opaque */

/* The bits of status that are written; the others are the chain's own marks. */
#define FX_INDEX_STORED UINT32_C(0xffff)

struct fx_index_db *fx_index_db_open(const char *path, size_t cache_bytes, char **error);
void fx_index_db_close(struct fx_index_db *db);

/* Writes n entries and the ends as one. sync: on the disk before the return. */
bool fx_index_db_write(struct fx_index_db *db, struct fx_index *const *entries, size_t n,
                       const struct fx_files_end *end, bool sync);
/* A mark that outlives the process: the index is being made anew from the block files, and lacks
 * some of what they have. */
bool fx_index_db_set_partial(struct fx_index_db *db, bool partial);
bool fx_index_db_get_partial(struct fx_index_db *db, bool *partial);
/* A mark that stays until the database is removed: blocks have been pruned. */
bool fx_index_db_set_pruned(struct fx_index_db *db);
bool fx_index_db_get_pruned(struct fx_index_db *db, bool *pruned);
/* Zero ends where none were written. False on an I/O failure or damage. */
bool fx_index_db_read_end(struct fx_index_db *db, struct fx_files_end *end);
/*
 * Visits all entries, in no useful order: the visitor gets one on the heap that it owns, with its
 * stored fields, id and lane set and all else zero (header.prev names the parent). False on an I/O
 * failure, damage, or a visitor that returned false.
 */
bool fx_index_db_each(struct fx_index_db *db, bool (*visit)(void *ctx, struct fx_index *entry),
                      void *ctx);

#endif
