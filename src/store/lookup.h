/* Look-ups in a database whose answers are those of consensus/view.h. */
#ifndef FX_STORE_LOOKUP_H
#define FX_STORE_LOOKUP_H

#include "consensus/verdict.h"
#include "src/sys/db.h"

/* FX_FOUND: *value, of n bytes, is the caller's to free. On any thread. */
enum fx_lookup fx_store_lookup(struct fx_db *db, const void *key, size_t key_len, uint8_t **value,
                               size_t *n);

#endif
