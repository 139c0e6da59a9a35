/* What was verified before. */
#include "src/chain/sigcache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "qa/unit/chain/kit.h"
#include "qa/unit/harness.h"

/* A claim made of numbers. */
struct claim {
    struct fx_hash hash;
    uint8_t key[65], sig[72];
    struct fx_sig_claim claim;
};

static void make(struct claim *c, unsigned n, bool schnorr)
{
    memset(c, 0, sizeof(*c));
    memcpy(c->hash.b, &n, sizeof(n));
    c->key[0] = 2;
    c->sig[0] = 0x30;
    c->claim = (struct fx_sig_claim){.schnorr = schnorr,
                                     .hash = &c->hash,
                                     .key = {c->key, schnorr ? 32 : 33},
                                     .sig = {c->sig, schnorr ? 64 : 70}};
}

FX_TEST(knows_what_it_was_told)
{
    struct fx_sigcache *cache = fx_sigcache_create(1 << 20);
    struct fx_sig_memory learns, looks;
    struct claim a, b;

    fx_sigcache_memory(cache, true, &learns);
    fx_sigcache_memory(cache, false, &looks);
    make(&a, 1, true);
    FX_CHECK(!learns.knows(learns.ctx, &a.claim));
    looks.remember(looks.ctx, &a.claim);
    FX_CHECK(!learns.knows(learns.ctx, &a.claim));
    learns.remember(learns.ctx, &a.claim);
    learns.remember(learns.ctx, &a.claim);
    FX_CHECK(learns.knows(learns.ctx, &a.claim));
    FX_CHECK(looks.knows(looks.ctx, &a.claim));
    /* Every part of a claim is one of it. */
    for (unsigned part = 0; part < 6; part++) {
        b = a;
        b.claim.hash = &b.hash;
        b.claim.key.data = b.key;
        b.claim.sig.data = b.sig;
        FX_CHECK(looks.knows(looks.ctx, &b.claim));
        switch (part) {
        case 0:
            b.hash.b[31] ^= 1;
            break;
        case 1:
            b.key[31] ^= 1;
            break;
        case 2:
            b.sig[63] ^= 1;
            break;
        case 3:
            b.claim.schnorr = false;
            break;
        case 4:
            b.claim.sig.len--;
            break;
        case 5: /* the same bytes, parted elsewhere */
            memcpy(b.key + 32, b.sig, 1);
            memmove(b.sig, b.sig + 1, sizeof(b.sig) - 1);
            b.claim.key.len++;
            b.claim.sig.len--;
            break;
        }
        FX_CHECK(!looks.knows(looks.ctx, &b.claim));
    }
    fx_sigcache_destroy(cache);
}

FX_TEST(transactions_are_no_signatures)
{
    struct fx_sigcache *cache = fx_sigcache_create(0);
    struct fx_hash a = {{1}}, b = {{2}};

    FX_CHECK(!fx_sigcache_knows_tx(cache, &a));
    fx_sigcache_add_tx(cache, &a);
    FX_CHECK(fx_sigcache_knows_tx(cache, &a));
    FX_CHECK(!fx_sigcache_knows_tx(cache, &b));
    fx_sigcache_destroy(cache);
}

static size_t count_known(struct fx_sigcache *cache, unsigned from, unsigned to)
{
    size_t known = 0;

    for (unsigned i = from; i < to; i++) {
        struct fx_hash id = {{0}};

        memcpy(id.b, &i, sizeof(i));
        known += fx_sigcache_knows_tx(cache, &id);
    }
    return known;
}

FX_TEST(is_bounded)
{
    struct fx_sigcache *cache = fx_sigcache_create(100000);
    size_t capacity = fx_sigcache_capacity(cache);
    unsigned n = (unsigned)capacity;

    FX_CHECK_INT(capacity, 2048); /* 64 KiB */
    for (unsigned i = 0; i < 4 * n; i++) {
        struct fx_hash id = {{0}};

        memcpy(id.b, &i, sizeof(i));
        fx_sigcache_add_tx(cache, &id);
        FX_CHECK(fx_sigcache_knows_tx(cache, &id));
        if (i + 1 == n / 2) {
            FX_CHECK(count_known(cache, 0, n / 2) > n / 2 - n / 8);
        }
    }
    FX_CHECK(count_known(cache, 0, 4 * n) <= capacity);
    FX_CHECK(count_known(cache, 0, 4 * n) > capacity * 3 / 4);
    FX_CHECK(count_known(cache, 3 * n, 4 * n) > n / 2); /* mostly the newest */
    FX_CHECK_INT(count_known(cache, 4 * n, 8 * n), 0);
    fx_sigcache_destroy(cache);
}

#define THREADS 4
#define EACH 20000

struct worker {
    struct fx_sigcache *cache;
    unsigned at;
    bool wrong;
};

static void *work(void *arg)
{
    struct worker *w = arg;

    for (unsigned i = 0; i < EACH; i++) {
        unsigned number = i * THREADS + w->at;
        struct fx_hash id = {{0}};

        memcpy(id.b, &number, sizeof(number));
        fx_sigcache_add_tx(w->cache, &id);
        id.b[31] = 1; /* never added */
        w->wrong = w->wrong || fx_sigcache_knows_tx(w->cache, &id);
    }
    return NULL;
}

FX_TEST(threads_share_it)
{
    struct fx_sigcache *cache = fx_sigcache_create(100000);
    struct worker workers[THREADS];
    pthread_t threads[THREADS];

    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.cache = cache, .at = i};
        FX_CHECK_INT(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        FX_CHECK_INT(pthread_join(threads[i], NULL), 0);
        FX_CHECK(!workers[i].wrong);
    }
    fx_sigcache_destroy(cache);
}

/* A block's transaction that is known is not verified: seen by one that is wrong. */
FX_TEST(blocks_verify_what_is_not_known)
{
    struct kit kit;
    struct fx_block *block;
    enum fx_verdict why;

    kit_open(&kit, fx_unit_tmpdir(), (size_t)16 << 20);
    kit_mine_empty(&kit, 101);
    for (unsigned known = 0; known < 2; known++) {
        struct kit_block spec = {.value = -1, .n_txs = 1, .salt = known};
        struct kit_coin coin = kit_coinbase(&kit, 1);

        coin.value--; /* signed for another amount */
        spec.txs[0] = kit_pay(&kit, &coin, 1, 1000);
        block = kit_make(&kit, &spec);
        if (known) {
            fx_sigcache_add_tx(fx_chain_sigcache(kit.chain), &block->txs[1]->wtxid);
        }
        FX_CHECK_INT(fx_chain_accept_block(kit.chain, block, NULL, &why),
                     known ? FX_VALID : FX_INVALID);
        FX_CHECK_INT(fx_chain_tip(kit.chain)->height, 101 + known);
        fx_block_unref(block);
    }
    kit_close(&kit);
}
