/*
 * What was verified before: single signatures, and transactions all of whose scripts passed by the
 * rules of blocks. A transaction is checked when it comes to the mempool, and not again in a block.
 *
 * A fixed table of salted hashes: what it says it knows, it knows; it forgets at random when it is
 * full. Safe to use from any thread at any time.
 */
#ifndef FX_CHAIN_SIGCACHE_H
#define FX_CHAIN_SIGCACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "consensus/interpreter.h"

struct fx_sigcache; /* opaque */

/* bytes: of memory at most, rounded down to a power of two; used as it fills. */
struct fx_sigcache *fx_sigcache_create(size_t bytes);
void fx_sigcache_destroy(struct fx_sigcache *cache);
size_t fx_sigcache_capacity(const struct fx_sigcache *cache); /* entries */

/* For the interpreter. learn: what is verified is added, not only looked for. The cache outlives
 * memory. */
void fx_sigcache_memory(struct fx_sigcache *cache, bool learn, struct fx_sig_memory *memory);

/* A wtxid says everything that its scripts depend on. */
bool fx_sigcache_knows_tx(struct fx_sigcache *cache, const struct fx_hash *wtxid);
void fx_sigcache_add_tx(struct fx_sigcache *cache, const struct fx_hash *wtxid);

#endif
