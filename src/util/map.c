/*
 * The hash map: open addressing with linear probing. A removal leaves a mark instead of moving
 * entries, so that iteration by slot survives it.
 */
#include "src/util/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/crypto/siphash.h"
#include "src/util/mem.h"

#define FIRST_SLOTS 16

struct fx_map {
    size_t key_len;
    uint64_t k0, k1;
    size_t slots;     /* a power of two, or 0 before the first entry */
    size_t count;     /* entries */
    size_t marks;     /* slots of removed entries */
    void **values;    /* NULL in a free slot, &removed in a marked one */
    uint32_t *hashes; /* of the keys, low bits */
    uint8_t *keys;    /* key_len bytes a slot */
};

static char removed;

static bool slot_live(const struct fx_map *map, size_t slot)
{
    return map->values[slot] && map->values[slot] != &removed;
}

static void table_allocate(struct fx_map *map, size_t slots)
{
    map->slots = slots;
    map->count = map->marks = 0;
    map->values = fx_xcalloc(slots, sizeof *map->values);
    map->hashes = fx_xreallocarray(NULL, slots, sizeof *map->hashes);
    map->keys = fx_xreallocarray(NULL, slots, map->key_len);
}

static void table_free(struct fx_map *map)
{
    free(map->values);
    free(map->hashes);
    free(map->keys);
    map->values = NULL;
    map->hashes = NULL;
    map->keys = NULL;
    map->slots = map->count = map->marks = 0;
}

static uint32_t key_hash(const struct fx_map *map, const void *key)
{
    return (uint32_t)fx_siphash(map->k0, map->k1, key, map->key_len);
}

/* The slot of key, or map->slots where it is absent. The table always has a free slot, which ends
 * the search. */
static size_t find(const struct fx_map *map, const void *key, uint32_t hash)
{
    if (map->slots == 0)
        return 0;
    const size_t mask = map->slots - 1;
    for (size_t slot = hash & mask; map->values[slot]; slot = (slot + 1) & mask) {
        if (map->hashes[slot] == hash && map->values[slot] != &removed &&
            memcmp(map->keys + slot * map->key_len, key, map->key_len) == 0)
            return slot;
    }
    return map->slots;
}

/* Adds a key that is known to be absent, where there is room. */
static void insert(struct fx_map *map, const void *key, uint32_t hash, void *value)
{
    const size_t mask = map->slots - 1;
    size_t slot = hash & mask;
    while (slot_live(map, slot))
        slot = (slot + 1) & mask;
    if (map->values[slot] == &removed)
        map->marks--;
    map->values[slot] = value;
    map->hashes[slot] = hash;
    memcpy(map->keys + slot * map->key_len, key, map->key_len);
    map->count++;
}

/* Room for one more, with at most three quarters of the slots taken or marked. */
static void make_room(struct fx_map *map)
{
    if (map->slots == 0) {
        table_allocate(map, FIRST_SLOTS);
        return;
    }
    if (map->count + map->marks < map->slots / 4 * 3)
        return;
    const struct fx_map old = *map;
    /* Many marks and few entries: a table of the same size, without the marks. */
    table_allocate(map, old.count < old.slots / 2 ? old.slots : old.slots * 2);
    for (size_t slot = 0; slot < old.slots; slot++) {
        if (slot_live(&old, slot))
            insert(map, old.keys + slot * old.key_len, old.hashes[slot], old.values[slot]);
    }
    free(old.values);
    free(old.hashes);
    free(old.keys);
}

struct fx_map *fx_map_create(size_t key_len, uint64_t k0, uint64_t k1)
{
    assert(key_len >= 1 && key_len <= 128);
    struct fx_map *map = fx_xcalloc(1, sizeof *map);
    map->key_len = key_len;
    map->k0 = k0;
    map->k1 = k1;
    return map;
}

void fx_map_destroy(struct fx_map *map, void (*free_value)(void *value))
{
    if (!map)
        return;
    fx_map_clear(map, free_value);
    free(map);
}

size_t fx_map_count(const struct fx_map *map)
{
    return map->count;
}

void *fx_map_get(const struct fx_map *map, const void *key)
{
    const size_t slot = find(map, key, key_hash(map, key));
    return slot < map->slots ? map->values[slot] : NULL;
}

void *fx_map_put(struct fx_map *map, const void *key, void *value)
{
    assert(value);
    const uint32_t hash = key_hash(map, key);
    const size_t slot = find(map, key, hash);
    if (slot < map->slots) {
        void *before = map->values[slot];
        map->values[slot] = value;
        return before;
    }
    make_room(map);
    insert(map, key, hash, value);
    return NULL;
}

void *fx_map_remove(struct fx_map *map, const void *key)
{
    size_t slot = find(map, key, key_hash(map, key));
    if (slot >= map->slots)
        return NULL;
    void *value = map->values[slot];
    const size_t mask = map->slots - 1;
    map->values[slot] = &removed;
    map->count--;
    map->marks++;
    /* Marks right before a free slot end no search later than that slot does: they can go. */
    if (!map->values[(slot + 1) & mask]) {
        for (; map->values[slot] == &removed; slot = (slot - 1) & mask) {
            map->values[slot] = NULL;
            map->marks--;
        }
    }
    return value;
}

void fx_map_clear(struct fx_map *map, void (*free_value)(void *value))
{
    for (size_t slot = 0; free_value && slot < map->slots; slot++) {
        if (slot_live(map, slot))
            free_value(map->values[slot]);
    }
    table_free(map);
}

bool fx_map_next(const struct fx_map *map, size_t *at, const void **key, void **value)
{
    while (*at < map->slots && !slot_live(map, *at))
        (*at)++;
    if (*at >= map->slots)
        return false;
    if (key)
        *key = map->keys + *at * map->key_len;
    if (value)
        *value = map->values[*at];
    (*at)++;
    return true;
}
