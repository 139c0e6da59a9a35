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

/* What a node takes, within what the rules of blocks allow. Rates: embers per 1,000 vbytes. */
struct fx_mempool_policy {
    bool accept_nonstd;       /* no standardness rules (consensus and fees stay) */
    bool full_rbf;            /* also what does not signal by BIP125 may be replaced */
    bool bare_multisig;       /* outputs to it are standard */
    size_t return_script_max; /* bytes of a standard OP_RETURN script; 0: none is standard */
    int64_t min_fee_rate;     /* of what is taken */
    int64_t increment_rate;   /* what a replacement adds, and a full pool asks for on top */
    int64_t dust_rate;        /* at which spending an output must cost less than its value */
    size_t bytes_per_sigop;   /* a unit of signature operation cost counts as so many bytes of
                                 weight 1 where that is more than the weight */
    size_t ancestors_max;     /* entries, with the transaction itself; likewise below */
    size_t descendants_max;
    size_t ancestors_vsize_max; /* vbytes */
    size_t descendants_vsize_max;
    int64_t expiry_seconds; /* time that a transaction may stay */
};
/* Bitcoin Core's. */
extern const struct fx_mempool_policy fx_mempool_policy_default;

struct fx_mempool_config {
    struct fx_chain *chain; /* outlives the pool */
    const char *path;       /* mempool.dat: read at creation, written at the end; NULL: neither */
    bool load_later;        /* it is read by fx_mempool_load, and not written before that */
    size_t max_bytes;       /* of memory, estimated; 0: FX_MEMPOOL_MAX_BYTES_DEFAULT */
    const struct fx_mempool_policy *policy; /* copied; NULL: fx_mempool_policy_default */
};

/* Subscribes to the chain's events for ever: destroy it only when the chain raises no more. */
struct fx_mempool *fx_mempool_create(const struct fx_mempool_config *config);
void fx_mempool_destroy(struct fx_mempool *pool);
/* Reads mempool.dat where that was put off: when the chain is where the last process left it. */
void fx_mempool_load(struct fx_mempool *pool);

#endif
