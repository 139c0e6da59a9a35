/* Opening and closing the chain, and importing blocks into it; all else is in src/iface/chain.h. */
#ifndef FX_CHAIN_CHAIN_H
#define FX_CHAIN_CHAIN_H

#include "src/chain/sigcache.h"
#include "src/iface/chain.h"
#include "src/sys/pool.h"

struct fx_chain_config {
    const struct fx_params *params;
    const char *dir;         /* of this network; blocks/ and chainstate/ are made in it */
    size_t cache_bytes;      /* coins and records in memory before they are flushed */
    int64_t max_tip_age;     /* seconds: an older tip means initial download; 0: a day */
    struct fx_u256 min_work; /* of the chain; with less it is initial download */
    struct fx_pool *pool;    /* runs script checks; outlives the chain. NULL: no threads */
    uint64_t prune;          /* FX_PRUNE_OFF, FX_PRUNE_MANUAL, or bytes */
    bool fast_prune;         /* for tests: small block files, and shorter chains are pruned */
    bool reindex;            /* index and state are made anew, from the block files: by fx_import */
    bool reindex_state;      /* the state is made anew, from the blocks of the index */
    /* Scripts of this block and its ancestors are taken as valid once it is in a chain of headers
     * that has two weeks of work on top of them. Zero: none is. */
    struct fx_hash assume_valid;
};

/*
 * Opens the chain of a directory, or starts one at genesis; brings the state to the best chain that
 * the index knows, so that whatever was acknowledged before the last end, however that came, is
 * there again. Where that takes thousands of blocks (fx_chain_is_behind) it is left to fx_import.
 * NULL on failure; *error says why and is the caller's to free.
 */
struct fx_chain *fx_chain_create(const struct fx_chain_config *config, char **error);
/* Flushes. NULL: nothing. */
void fx_chain_destroy(struct fx_chain *chain);
/* There is a better chain, whose blocks are all here, than that of the tip. */
bool fx_chain_is_behind(const struct fx_chain *chain);
/* Reindexing was begun, by this process or one before it, and has not ended: fx_import is to go on.
 */
bool fx_chain_is_partial(const struct fx_chain *chain);
/* Blocks of the best chain were taken when segwit did not bind at their heights yet, and does now:
 * -testactivationheight was another then. */
bool fx_chain_lacks_witnesses(const struct fx_chain *chain);
/* What blocks need not verify again. Lives as long as the chain. */
struct fx_sigcache *fx_chain_sigcache(struct fx_chain *chain);

/*
 * Blocks from files: those of the chain itself where its index is partial, then any others, in
 * Bitcoin's format (magic || size u32 || block, with anything between). A block that comes before
 * its parent waits for it. What the chain has already is skipped, and so is what breaks a rule.
 * While it lives, fx_chain_is_importing. It works in steps on the main thread, so that all else can
 * go on between them, and may be destroyed after any: what is then left undone is done by the next.
 */
struct fx_import; /* opaque */

enum fx_import_step {
    FX_IMPORT_MORE = 0,
    FX_IMPORT_DONE,
    FX_IMPORT_FAILED /* fx_chain_fatal says why */
};

/* paths: n files, copied. NULL where one cannot be opened; *error is the caller's to free. */
struct fx_import *fx_import_create(struct fx_chain *chain, const char *const *paths, size_t n,
                                   char **error);
/* Works for about ms milliseconds, and for one block at least. */
enum fx_import_step fx_import_step(struct fx_import *import, unsigned ms);
void fx_import_destroy(struct fx_import *import); /* NULL: nothing */

#endif
