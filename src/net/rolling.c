/* A rolling bloom filter: two filters of libbloom under a keyed hash. */
#include "src/net/rolling_int.h"

#include <bloom.h>
#include <stdlib.h>

#include "src/crypto/siphash.h"
#include "src/sys/log.h"
#include "src/sys/random.h"
#include "src/util/mem.h"

#define ERROR_RATE 0.000001

struct fx_rolling {
    struct bloom filters[2];
    unsigned now;       /* the one that is being filled */
    size_t added, size; /* entries in it, and when to swap */
    uint64_t k0, k1;    /* so that outsiders cannot build collisions */
};

struct fx_rolling *fx_rolling_create(size_t n)
{
    struct fx_rolling *set = fx_xcalloc(1, sizeof *set);

    set->size = n < 1000 ? 1000 : n;
    set->k0 = fx_random_u64();
    set->k1 = fx_random_u64();
    for (size_t i = 0; i < 2; i++) {
        if (bloom_init(&set->filters[i], (int)set->size, ERROR_RATE) != 0) {
            fx_log_info("net: no memory for a filter of %zu entries", set->size);
            abort();
        }
    }
    return set;
}

void fx_rolling_destroy(struct fx_rolling *set)
{
    if (set == NULL) {
        return;
    }
    bloom_free(&set->filters[0]);
    bloom_free(&set->filters[1]);
    free(set);
}

void fx_rolling_add(struct fx_rolling *set, const struct fx_hash *hash)
{
    uint64_t key = fx_siphash(set->k0, set->k1, hash->b, sizeof hash->b);

    if (set->added >= set->size) {
        set->now ^= 1;
        bloom_reset(&set->filters[set->now]);
        set->added = 0;
    }
    if (bloom_add(&set->filters[set->now], &key, sizeof key) == 0) {
        set->added++;
    }
}

bool fx_rolling_has(const struct fx_rolling *set, const struct fx_hash *hash)
{
    uint64_t key = fx_siphash(set->k0, set->k1, hash->b, sizeof hash->b);
    struct bloom filters[2] = {set->filters[0], set->filters[1]};

    return bloom_check(&filters[0], &key, sizeof key) == 1 ||
           bloom_check(&filters[1], &key, sizeof key) == 1;
}

void fx_rolling_clear(struct fx_rolling *set)
{
    bloom_reset(&set->filters[0]);
    bloom_reset(&set->filters[1]);
    set->added = 0;
}
