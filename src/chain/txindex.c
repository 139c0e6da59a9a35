/*
 * The transaction index in LevelDB. Keys: 't' || txid: the id of its block; 'B': the mark, which is
 * the ids of the block that the index stands after and of an ancestor. What a block adds is one
 * batch with the mark. Batches are not synced: what a power cut takes is added again from the
 * blocks. What a block added stays when the block leaves the best chain: the entry is written over,
 * or is of no block of the best chain, and counts as missing.
 */
#include "src/chain/txindex.h"

#include <stdlib.h>
#include <string.h>

#include "src/store/lookup.h"
#include "src/sys/clock.h"
#include "src/sys/crash.h"
#include "src/sys/db.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

#define KEY_TX 't'
#define KEY_MARK 'B'
#define TX_KEY_SIZE 33
#define DB_CACHE ((size_t)4 << 20)
#define ANCESTOR_DEPTH 1000 /* of the second block: a power cut takes fewer from the chain */

struct fx_tx_index {
    struct fx_chain *chain;
    struct fx_db *db;
    const struct fx_index *best; /* it has this block and all before it, but genesis */
    bool failed;                 /* it says nothing any more */
};

/* ---- writing --------------------------------------------------------------------------------- */

static void tx_key(const struct fx_hash *txid, uint8_t key[TX_KEY_SIZE])
{
    key[0] = KEY_TX;
    memcpy(key + 1, txid->b, sizeof(txid->b));
}

static void fail(struct fx_tx_index *index, const char *what)
{
    fx_log_info("txindex: %s; it answers nothing until the next start", what);
    index->failed = true;
}

static void put_mark(struct fx_db_batch *batch, const struct fx_index *best)
{
    const uint8_t key = KEY_MARK;
    struct fx_hash mark[2] = {best->id};

    mark[1] =
        fx_index_ancestor(best, best->height > ANCESTOR_DEPTH ? best->height - ANCESTOR_DEPTH : 0)
            ->id;
    fx_db_batch_put(batch, &key, 1, mark, sizeof(mark));
}

static bool add_block(struct fx_tx_index *index, const struct fx_index *at,
                      const struct fx_block *block)
{
    struct fx_db_batch *batch = fx_db_batch_create();
    uint8_t key[TX_KEY_SIZE];

    for (size_t i = 0; i < block->n_txs; i++) {
        tx_key(&block->txs[i]->txid, key);
        fx_db_batch_put(batch, key, sizeof(key), at->id.b, sizeof(at->id.b));
    }
    put_mark(batch, at);
    fx_crash_point("txindex-write");
    if (!fx_db_batch_write(index->db, batch, false)) {
        fail(index, "it cannot be written");
        return false;
    }
    index->best = at;
    return true;
}

/* ---- following the chain --------------------------------------------------------------------- */

static void block_connected(void *ctx, const struct fx_index *at, const struct fx_block *block,
                            const struct fx_undo *undo)
{
    struct fx_tx_index *index = ctx;

    (void)undo;
    if (!index->failed && index->best == at->parent) {
        add_block(index, at, block);
    } /* else it is on its way there */
}

static void block_disconnected(void *ctx, const struct fx_index *at, const struct fx_block *block,
                               const struct fx_undo *undo)
{
    struct fx_tx_index *index = ctx;

    (void)block;
    (void)undo;
    if (index->best == at) {
        index->best = at->parent;
    }
}

static bool add_next(struct fx_tx_index *index)
{
    const struct fx_index *at = fx_chain_at(index->chain, index->best->height + 1);
    struct fx_block *block = fx_chain_read_block(index->chain, at);

    if (block == NULL) {
        fail(index, "a block cannot be read");
        return false;
    }
    bool ok = add_block(index, at, block);
    fx_block_unref(block);
    return ok;
}

enum fx_tx_index_step fx_tx_index_step(struct fx_tx_index *index, unsigned ms)
{
    int64_t until = fx_clock_monotonic_ms() + ms;

    while (!index->failed && index->best != fx_chain_tip(index->chain)) {
        if (add_next(index) && fx_clock_monotonic_ms() >= until) {
            return FX_TX_INDEX_MORE;
        }
    }
    return index->failed ? FX_TX_INDEX_FAILED : FX_TX_INDEX_SYNCED;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Where the mark meets the best chain: genesis, where there is no mark, or it is of another chain.
 * NULL where it cannot be read. */
static const struct fx_index *read_mark(const struct fx_tx_index *index)
{
    const uint8_t key = KEY_MARK;
    const struct fx_index *best = NULL;
    struct fx_hash mark[2];
    uint8_t *value;
    size_t n;

    switch (fx_db_read(index->db, &key, 1, &value, &n)) {
    case FX_DB_ABSENT:
        return fx_chain_genesis(index->chain);
    case FX_DB_FAILED:
        return NULL;
    case FX_DB_FOUND:
        break;
    }
    if (n == sizeof(mark)) {
        memcpy(mark, value, n);
        best = fx_chain_find(index->chain, &mark[0]);
        best = best != NULL ? best : fx_chain_find(index->chain, &mark[1]);
    }
    free(value);
    return best != NULL ? fx_index_fork(best, fx_chain_tip(index->chain))
                        : fx_chain_genesis(index->chain);
}

struct fx_tx_index *fx_tx_index_create(struct fx_chain *chain, const char *dir, char **error)
{
    struct fx_tx_index *index = fx_xcalloc(1, sizeof(*index));
    const struct fx_chain_events events = {
        .ctx = index, .block_connected = block_connected, .block_disconnected = block_disconnected};

    index->chain = chain;
    index->db = fx_db_open(dir, DB_CACHE, error);
    if (index->db != NULL) {
        index->best = read_mark(index);
    }
    if (index->best == NULL) {
        if (index->db != NULL) {
            *error =
                fx_xstrdup("the transaction index cannot be read: remove its folder, and it is "
                           "made anew");
        }
        fx_tx_index_destroy(index);
        return NULL;
    }
    fx_chain_subscribe(chain, &events);
    return index;
}

void fx_tx_index_destroy(struct fx_tx_index *index)
{
    if (index != NULL) {
        fx_db_close(index->db);
        free(index);
    }
}

/* ---- what others ask ------------------------------------------------------------------------- */

enum fx_lookup fx_tx_index_find(struct fx_tx_index *index, const struct fx_hash *txid,
                                const struct fx_index **block)
{
    struct fx_hash id;
    uint8_t key[TX_KEY_SIZE], *value;
    enum fx_lookup found;
    size_t n;

    if (index->failed) {
        return FX_LOOKUP_FAILED;
    }
    tx_key(txid, key);
    found = fx_store_lookup(index->db, key, sizeof(key), &value, &n);
    if (found != FX_FOUND) {
        return found;
    }
    bool ok = n == sizeof(id.b);
    if (ok) {
        memcpy(id.b, value, n);
    }
    free(value);
    if (!ok) {
        return FX_LOOKUP_FAILED;
    }
    *block = fx_chain_find(index->chain, &id);
    return *block != NULL && fx_chain_contains(index->chain, *block) ? FX_FOUND : FX_MISSING;
}

bool fx_tx_index_is_synced(const struct fx_tx_index *index)
{
    return index->best == fx_chain_tip(index->chain);
}

uint32_t fx_tx_index_height(const struct fx_tx_index *index)
{
    return index->best->height;
}
