/* Unconfirmed transactions. Implemented by src/mempool. Main thread only. */
#ifndef FX_IFACE_MEMPOOL_H
#define FX_IFACE_MEMPOOL_H

#include "consensus/connect.h"
#include "src/iface/events.h"

struct fx_mempool; /* opaque */

#define FX_MEMPOOL_REASON 160 /* the longest text of a script error, with what it is of */

/* How an attempt to add a transaction ended. */
struct fx_accept {
    enum fx_result result;          /* FX_VALID: it is in the pool now */
    char reason[FX_MEMPOOL_REASON]; /* reject string: the verdict's, or a policy's
                                       ("txn-mempool-conflict", ...) */
    bool missing_inputs; /* the reason is an unknown input: keep it as an orphan, or ask again */
    bool policy;         /* standardness or fee, not consensus: does not blame the peer */
    int64_t fee;         /* embers, where known */
    size_t vsize;
};

struct fx_mempool_entry {
    const struct fx_tx *tx; /* the pool's reference */
    int64_t fee, burned;    /* embers; the fee rate counts fee - burned */
    size_t vsize, weight;
    int64_t time;                            /* when it came */
    uint32_t height;                         /* of the tip then */
    size_t ancestor_count, descendant_count; /* with itself */
    size_t ancestor_vsize, descendant_vsize;
    int64_t ancestor_fees, descendant_fees; /* fee - burned */
};

struct fx_mempool_info {
    size_t count;
    size_t bytes; /* vsize */
    size_t usage;
    int64_t total_fee;
    size_t max_usage;
    int64_t min_fee_rate;   /* embers per 1,000 vbytes; what is taken now */
    int64_t relay_fee_rate; /* the same in a pool with room, and what a replacement must add */
};

/* test: judge only, add nothing. */
void fx_mempool_accept(struct fx_mempool *pool, const struct fx_tx *tx, bool test,
                       struct fx_accept *out);
const struct fx_tx *fx_mempool_get(const struct fx_mempool *pool,
                                   const struct fx_hash *txid); /* NULL: absent */
const struct fx_tx *fx_mempool_get_wtxid(const struct fx_mempool *pool,
                                         const struct fx_hash *wtxid);
bool fx_mempool_entry(const struct fx_mempool *pool, const struct fx_hash *txid,
                      struct fx_mempool_entry *entry);
/* The pool's transaction that spends this outpoint, or NULL. */
const struct fx_tx *fx_mempool_spender(const struct fx_mempool *pool,
                                       const struct fx_outpoint *outpoint);
void fx_mempool_info(const struct fx_mempool *pool, struct fx_mempool_info *info);
/* All, parents before children, best ancestor fee rate first. *entries is the caller's to free;
 * views until the next change. */
size_t fx_mempool_list(const struct fx_mempool *pool, struct fx_mempool_entry **entries);
/* The state after the tip and all transactions of the pool; coins made by the pool have the next
 * block's height. */
void fx_mempool_view(struct fx_mempool *pool, struct fx_view *view);
/* Fee rate for confirmation within `blocks`, embers per 1,000 vbytes; at least the pool's minimum.
 */
int64_t fx_mempool_estimate(const struct fx_mempool *pool, unsigned blocks);
void fx_mempool_subscribe(struct fx_mempool *pool, const struct fx_mempool_events *events);

#endif
