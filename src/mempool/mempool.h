/*
 * The pool of unconfirmed transactions: making and ending one. What others may ask of it stands in
 * src/iface/mempool.h.
 */
#ifndef FX_MEMPOOL_MEMPOOL_H
#define FX_MEMPOOL_MEMPOOL_H

#include "src/iface/chain.h"
#include "src/iface/mempool.h"

#define FX_MEMPOOL_MAX_BYTES_DEFAULT ((size_t)300 * 1000 * 1000)
#define FX_MEMPOOL_MIN_FEE_RATE 1000 /* embers per 1,000 vbytes */

struct fx_mempool_config {
    struct fx_chain *chain; /* outlives the pool */
    const char *path;       /* mempool.dat: read at creation, written at the end; NULL: neither */
    bool load_later;        /* it is read by fx_mempool_load, and not written before that */
    size_t max_bytes;       /* of memory, estimated; 0: FX_MEMPOOL_MAX_BYTES_DEFAULT */
    int64_t min_fee_rate;   /* embers per 1,000 vbytes; 0: FX_MEMPOOL_MIN_FEE_RATE */
    bool accept_nonstd;     /* no standardness rules (consensus and fees stay) */
};

/* Subscribes to the chain's events for ever: destroy it only when the chain raises no more. */
struct fx_mempool *fx_mempool_create(const struct fx_mempool_config *config);
void fx_mempool_destroy(struct fx_mempool *pool);
/* Reads mempool.dat where that was put off: when the chain is where the last process left it. */
void fx_mempool_load(struct fx_mempool *pool);

#endif
