/* A table of what was verified before. */
#include "src/chain/sigcache.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "src/crypto/sha256.h"
#include "src/sys/random.h"
#include "src/util/buf.h"
#include "src/util/mem.h"

#define WORDS 4
#define WAYS 4 /* entries that share a place */
#define BUCKETS_MIN 16

/*
 * A salted hash. Its words are written one by one, and may be read while they are: what is read
 * then is of two hashes, and equals no third.
 */
struct entry {
    _Atomic uint64_t words[WORDS];
};

struct fx_sigcache {
    struct fx_sha256 salted; /* after the salt: nobody else can find entries that share a place */
    size_t buckets;          /* a power of two */
    struct entry *entries;   /* buckets * WAYS; all zero: unused */
    _Atomic bool used;
};

/* First byte of what is hashed. */
enum { KIND_ECDSA = 0, KIND_SCHNORR = 1, KIND_TX = 2 };

struct fx_sigcache *fx_sigcache_create(size_t bytes)
{
    struct fx_sigcache *cache = fx_xcalloc(1, sizeof(*cache));
    uint8_t salt[64];

    fx_random_bytes(salt, sizeof(salt));
    fx_sha256_init(&cache->salted);
    fx_sha256_update(&cache->salted, salt, sizeof(salt));
    cache->buckets = BUCKETS_MIN;
    while (cache->buckets * 2 * WAYS * sizeof(struct entry) <= bytes) {
        cache->buckets *= 2;
    }
    cache->entries = fx_xcalloc(cache->buckets * WAYS, sizeof(*cache->entries));
    return cache;
}

void fx_sigcache_destroy(struct fx_sigcache *cache)
{
    if (cache != NULL) {
        free(cache->entries);
        free(cache);
    }
}

size_t fx_sigcache_capacity(const struct fx_sigcache *cache)
{
    return cache->buckets * WAYS;
}

/* ---- the table ---- */

static struct entry *bucket_of(const struct fx_sigcache *cache, const uint64_t words[WORDS])
{
    return cache->entries + (words[0] & (cache->buckets - 1)) * WAYS;
}

static bool is_entry(struct entry *entry, const uint64_t words[WORDS])
{
    for (unsigned i = 0; i < WORDS; i++) {
        if (atomic_load_explicit(&entry->words[i], memory_order_relaxed) != words[i]) {
            return false;
        }
    }
    return true;
}

static bool is_there(struct fx_sigcache *cache, const uint64_t words[WORDS])
{
    struct entry *bucket = bucket_of(cache, words);

    for (unsigned i = 0; i < WAYS; i++) {
        if (is_entry(&bucket[i], words)) {
            return true;
        }
    }
    return false;
}

static void put(struct fx_sigcache *cache, const uint64_t words[WORDS])
{
    struct entry *bucket = bucket_of(cache, words);
    unsigned at = (unsigned)(words[1] % WAYS);

    if (is_there(cache, words)) {
        return;
    }
    for (unsigned i = 0; i < WAYS; i++) {
        if (atomic_load_explicit(&bucket[i].words[0], memory_order_relaxed) == 0) {
            at = i;
            break;
        }
    }
    for (unsigned i = 0; i < WORDS; i++) {
        atomic_store_explicit(&bucket[at].words[i], words[i], memory_order_relaxed);
    }
    atomic_store_explicit(&cache->used, true, memory_order_relaxed);
}

static bool is_used(struct fx_sigcache *cache)
{
    return atomic_load_explicit(&cache->used, memory_order_relaxed);
}

/* ---- what is kept ---- */

static void begin(const struct fx_sigcache *cache, uint8_t kind, const struct fx_hash *hash,
                  struct fx_sha256 *ctx)
{
    *ctx = cache->salted;
    fx_sha256_update(ctx, &kind, 1);
    fx_sha256_update(ctx, hash->b, sizeof(hash->b));
}

static void end(struct fx_sha256 *ctx, uint64_t words[WORDS])
{
    uint8_t hash[32];

    fx_sha256_final(ctx, hash);
    for (unsigned i = 0; i < WORDS; i++) {
        words[i] = fx_load_u64(hash + 8 * i);
    }
}

static void hash_claim(const struct fx_sigcache *cache, const struct fx_sig_claim *claim,
                       uint64_t words[WORDS])
{
    struct fx_sha256 ctx;
    uint8_t key_len = (uint8_t)claim->key.len; /* at most 65 */

    begin(cache, claim->schnorr ? KIND_SCHNORR : KIND_ECDSA, claim->hash, &ctx);
    fx_sha256_update(&ctx, &key_len, 1);
    fx_sha256_update(&ctx, claim->key.data, claim->key.len);
    if (claim->sig.len > 0) {
        fx_sha256_update(&ctx, claim->sig.data, claim->sig.len);
    }
    end(&ctx, words);
}

static bool knows_claim(void *ctx, const struct fx_sig_claim *claim)
{
    struct fx_sigcache *cache = ctx;
    uint64_t words[WORDS];

    if (!is_used(cache)) {
        return false;
    }
    hash_claim(cache, claim, words);
    return is_there(cache, words);
}

static void learn_claim(void *ctx, const struct fx_sig_claim *claim)
{
    struct fx_sigcache *cache = ctx;
    uint64_t words[WORDS];

    hash_claim(cache, claim, words);
    put(cache, words);
}

static void learn_nothing(void *ctx, const struct fx_sig_claim *claim)
{
    (void)ctx;
    (void)claim;
}

void fx_sigcache_memory(struct fx_sigcache *cache, bool learn, struct fx_sig_memory *memory)
{
    memory->ctx = cache;
    memory->knows = knows_claim;
    memory->remember = learn ? learn_claim : learn_nothing;
}

static void hash_tx(const struct fx_sigcache *cache, const struct fx_hash *wtxid,
                    uint64_t words[WORDS])
{
    struct fx_sha256 ctx;

    begin(cache, KIND_TX, wtxid, &ctx);
    end(&ctx, words);
}

bool fx_sigcache_knows_tx(struct fx_sigcache *cache, const struct fx_hash *wtxid)
{
    uint64_t words[WORDS];

    if (!is_used(cache)) {
        return false;
    }
    hash_tx(cache, wtxid, words);
    return is_there(cache, words);
}

void fx_sigcache_add_tx(struct fx_sigcache *cache, const struct fx_hash *wtxid)
{
    uint64_t words[WORDS];

    hash_tx(cache, wtxid, words);
    put(cache, words);
}
