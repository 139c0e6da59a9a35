/* Unconfirmed transactions. Implemented by src/mempool. Main thread only. */
#ifndef FX_IFACE_MEMPOOL_H
#define FX_IFACE_MEMPOOL_H

#include "consensus/connect.h"
#include "src/iface/events.h"

/* nSequence of a transaction's own inputs: it may be replaced (BIP125). */
#define FX_SEQUENCE_REPLACEABLE UINT32_C(0xfffffffd)
/* Blocks within which what this node makes is to confirm, where nobody says otherwise. */
#define FX_FEE_TARGET 6

struct fx_mempool; /* opaque */

#define FX_MEMPOOL_REASON 160 /* the longest text of a script error, with what it is of */
#define FX_MEMPOOL_DETAIL 160 /* the longest names a transaction and a limit */

/* How an attempt to add a transaction ended. */
/* What a refusal says beyond the transaction as it came. */
enum fx_refusal {
    FX_REFUSAL_OTHER = 0, /* nothing: another tip or moment, or another policy, may take it */
    FX_REFUSAL_BROKEN,    /* it is invalid whatever the state of the chain: who sends it did not
                             check it */
    FX_REFUSAL_STRIPPED,  /* scripts fail as it has no witness, which anybody on its way may have
                             taken away */
    FX_REFUSAL_INPUTS     /* what it spends is not standard: no other witness helps */
};

struct fx_accept {
    enum fx_result result;          /* FX_VALID: it is in the pool now */
    char reason[FX_MEMPOOL_REASON]; /* reject string: the verdict's, or a policy's
                                       ("txn-mempool-conflict", ...) */
    char detail[FX_MEMPOOL_DETAIL]; /* what more there is to say of the reason; may be empty */
    enum fx_refusal refusal;
    bool missing_inputs; /* the reason is an unknown input: keep it as an orphan, or ask again */
    bool policy;         /* standardness or fee, not consensus: does not blame the peer */
    bool fee_low;        /* the reason is its fee: with a child that pays more it may do */
    int64_t fee;         /* embers, where known */
    int64_t fee_delta;   /* of fx_mempool_prioritise */
    size_t vsize;
};

/* Ids of transactions that left the pool for others; ids is the owner's to free. */
struct fx_replaced {
    struct fx_hash *ids;
    size_t n;
};

#define FX_PACKAGE_TXS_MAX 25
#define FX_PACKAGE_WEIGHT_MAX 404000
#define FX_PACKAGE_TOPOLOGY "package-not-child-with-parents"

/* How one transaction of a package fared. */
struct fx_package_tx {
    struct fx_accept accept;
    bool judged;               /* false: one before it failed */
    bool known;                /* it, or one with another witness, was in the pool before */
    bool counted_together;     /* its fee rate is that of all marked so */
    struct fx_hash pool_wtxid; /* where known: that of the one in the pool */
};

struct fx_mempool_entry {
    const struct fx_tx *tx; /* the pool's reference */
    int64_t fee, burned;    /* embers; the fee rate counts fee + delta - burned */
    int64_t delta;          /* of fx_mempool_prioritise */
    size_t vsize, weight;
    uint64_t sigops;                         /* cost of signature operations */
    size_t challenges;                       /* task spends by this action */
    int64_t time;                            /* when it came */
    uint32_t height;                         /* of the tip then */
    size_t ancestor_count, descendant_count; /* with itself */
    size_t ancestor_vsize, descendant_vsize;
    int64_t ancestor_fees, descendant_fees; /* fee + delta - burned */
    /* fx_mempool_list: of those that it is mined with, which are listed together */
    int64_t group_fees;
    size_t group_vsize;
};

struct fx_mempool_info {
    size_t count;
    size_t bytes; /* vsize */
    size_t usage;
    int64_t total_fee;
    size_t max_usage;
    bool full_rbf;          /* what does not signal by BIP125 can be replaced as well */
    uint64_t sequence;      /* grows with each that comes, and each that leaves but into a block */
    int64_t min_fee_rate;   /* embers per 1,000 vbytes; what is taken now */
    int64_t relay_fee_rate; /* the same in a pool with room */
    int64_t increment_rate; /* what a replacement adds */
};

/* test: judge only, add nothing. */
void fx_mempool_accept(struct fx_mempool *pool, const struct fx_tx *tx, bool test,
                       struct fx_accept *out);
/*
 * Transactions as one, parents first. NULL: each was judged by itself and those before it, as
 * txs[i] says in results[i]; else the reason why the package cannot be judged
 * ("package-not-sorted", ...), of which results[0] may have a detail. Test: nothing stays, and
 * nothing may be replaced; it ends at the first that fails. Submission: the last is a child, the
 * others its parents; what fails for its fee alone is counted together with the child. max_rate:
 * the embers per 1,000 vbytes above which one is refused; 0: none. replaced: what left the pool,
 * the caller's to free.
 */
const char *fx_mempool_test_package(struct fx_mempool *pool, struct fx_tx *const *txs, size_t n,
                                    struct fx_package_tx *results);
const char *fx_mempool_submit_package(struct fx_mempool *pool, struct fx_tx *const *txs, size_t n,
                                      int64_t max_rate, struct fx_package_tx *results,
                                      struct fx_replaced *replaced);
const struct fx_tx *fx_mempool_get(const struct fx_mempool *pool,
                                   const struct fx_hash *txid); /* NULL: absent */
const struct fx_tx *fx_mempool_get_wtxid(const struct fx_mempool *pool,
                                         const struct fx_hash *wtxid);
bool fx_mempool_entry(const struct fx_mempool *pool, const struct fx_hash *txid,
                      struct fx_mempool_entry *entry);
/* By BIP125 it, or one of the pool that it descends from, may be replaced. */
bool fx_mempool_signals_replacing(struct fx_mempool *pool, const struct fx_hash *txid);
/* The pool's transaction that spends this outpoint, or NULL. */
const struct fx_tx *fx_mempool_spender(const struct fx_mempool *pool,
                                       const struct fx_outpoint *outpoint);
/* prioritisetransaction: delta, embers, is added to what the transaction counts as paying, now or
 * when it comes; it ends when a block has it. False where the sum is out of range. */
bool fx_mempool_prioritise(struct fx_mempool *pool, const struct fx_hash *txid, int64_t delta);
struct fx_fee_delta {
    struct fx_hash txid;
    int64_t delta;
};
/* All that are not 0; *deltas is the caller's to free. */
size_t fx_mempool_deltas(const struct fx_mempool *pool, struct fx_fee_delta **deltas);
void fx_mempool_info(const struct fx_mempool *pool, struct fx_mempool_info *info);
/* All, parents before children, best ancestor fee rate first. *entries is the caller's to free;
 * views until the next change. */
size_t fx_mempool_list(const struct fx_mempool *pool, struct fx_mempool_entry **entries);
/* Visits all, in no order; the visitor returns false to stop, and changes nothing. */
void fx_mempool_each(const struct fx_mempool *pool,
                     bool (*visit)(void *ctx, const struct fx_tx *tx), void *ctx);
/* The state after the tip and all transactions of the pool; coins made by the pool have the next
 * block's height. */
void fx_mempool_view(struct fx_mempool *pool, struct fx_view *view);
/* Fee rate for confirmation within `blocks`, embers per 1,000 vbytes; at least the pool's minimum.
 */
int64_t fx_mempool_estimate(const struct fx_mempool *pool, unsigned blocks);
/* The same for a challenge, of which a block has few (protocol section 5). */
int64_t fx_mempool_estimate_challenge(const struct fx_mempool *pool, unsigned blocks);
void fx_mempool_subscribe(struct fx_mempool *pool, const struct fx_mempool_events *events);

#endif
