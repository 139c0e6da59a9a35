/*
 * A hash map from byte keys of one fixed length to pointers. Keys are hashed with SipHash under a
 * key that the owner supplies, so that outsiders cannot build collisions. No rule may depend on the
 * order of iteration.
 */
#ifndef FX_UTIL_MAP_H
#define FX_UTIL_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fx_map; /* opaque */

/* Keys of key_len bytes (1..128), hashed under k0, k1. */
struct fx_map *fx_map_create(size_t key_len, uint64_t k0, uint64_t k1);
/* Frees the map. Each value is handed to free_value where that is not NULL. NULL map: nothing. */
void fx_map_destroy(struct fx_map *map, void (*free_value)(void *value));
size_t fx_map_count(const struct fx_map *map);
void *fx_map_get(const struct fx_map *map, const void *key); /* NULL when absent */
/* Sets key to value (not NULL); returns the value that was there before, or NULL. */
void *fx_map_put(struct fx_map *map, const void *key, void *value);
/* Removes; returns the value, or NULL. */
void *fx_map_remove(struct fx_map *map, const void *key);
void fx_map_clear(struct fx_map *map, void (*free_value)(void *value));
/*
 * Iteration: `size_t at = 0; while (fx_map_next(map, &at, &key, &value))`. During it, only the
 * entry just returned may be removed, and nothing added. key may be NULL.
 */
bool fx_map_next(const struct fx_map *map, size_t *at, const void **key, void **value);

#endif
