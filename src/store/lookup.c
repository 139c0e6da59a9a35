/* The database's answers as the rules know them. */
#include "src/store/lookup.h"

enum fx_lookup fx_store_lookup(struct fx_db *db, const void *key, size_t key_len, uint8_t **value,
                               size_t *n)
{
    switch (fx_db_read(db, key, key_len, value, n)) {
    case FX_DB_FOUND:
        return FX_FOUND;
    case FX_DB_ABSENT:
        return FX_MISSING;
    case FX_DB_FAILED:
        break;
    }
    return FX_LOOKUP_FAILED;
}
