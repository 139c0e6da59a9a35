/* Opening and closing the chain; all else is in src/iface/chain.h. */
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
};

/*
 * Opens the chain of a directory, or starts one at genesis; brings the state to the best chain that
 * the index knows, so that whatever was acknowledged before the last end, however that came, is
 * there again. NULL on failure; *error says why and is the caller's to free.
 */
struct fx_chain *fx_chain_create(const struct fx_chain_config *config, char **error);
/* Flushes. NULL: nothing. */
void fx_chain_destroy(struct fx_chain *chain);
/* What blocks need not verify again. Lives as long as the chain. */
struct fx_sigcache *fx_chain_sigcache(struct fx_chain *chain);

#endif
