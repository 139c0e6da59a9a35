/* The pool's state and the calls between its files. */
#ifndef FX_MEMPOOL_MEMPOOL_INT_H
#define FX_MEMPOOL_MEMPOOL_INT_H

#include "src/mempool/mempool.h"
#include "src/util/map.h"

#define FX_POOL_TASK_DESCENDANTS_MAX 1 /* protocol section 5 (policy) */
#define FX_POOL_REPLACED_MAX 100
#define FX_POOL_TOO_LONG "too-long-mempool-chain"
#define FX_POOL_BASE_SIZE_MIN 65 /* CVE-2017-12842: no transaction looks like a merkle node */
#define FX_POOL_SIGOPS_COST_MAX (FX_BLOCK_SIGOPS_COST_MAX / 5)
#define FX_POOL_DELTA_MAX INT64_C(2100000000000000) /* embers: all the money there is */
#define FX_POOL_DISCONNECTED_BYTES_MAX ((size_t)20 * 1000 * 1000)

struct fx_pool_entry;

/* A growing list of entries; the array is owned, the entries are not. */
struct fx_pool_list {
    struct fx_pool_entry **at;
    size_t n, cap;
};

struct fx_pool_entry {
    struct fx_tx *tx; /* one reference */
    int64_t fee, burned;
    int64_t delta; /* of prioritisetransaction */
    size_t vsize, weight;
    uint64_t sigops; /* cost */
    int64_t time;
    uint32_t height;
    uint64_t seq;                      /* order of arrival: parents before children */
    struct fx_pool_entry *prev, *next; /* in that order */
    struct fx_pool_list parents, children;
    /* with itself; fees are those of fx_pool_fees */
    size_t ancestor_count, descendant_count;
    size_t ancestor_vsize, descendant_vsize;
    int64_t ancestor_fees, descendant_fees;
    struct fx_record_delta records; /* what its task spends change */
    bool task;                      /* it spends a task output */
    size_t challenges;              /* among those spends */
    bool contextual; /* its validity depends on the tip: task spends, lock times, coinbases */
    bool removed;    /* out of the pool, waits for fx_pool_reap */
    bool hidden;     /* while a transaction that would replace it is judged */
    uint64_t mark;   /* of the walk that saw it last */
};

/* A view whose ctx it is. */
struct fx_pool_view {
    struct fx_mempool *pool;
    struct fx_view base;
    const struct fx_map *records;  /* which origins have which record; over the base's */
    const struct fx_map *reverted; /* likewise, over records; NULL: none */
    bool spent_is_missing;         /* an output that the pool spends is missing */
};

struct fx_mempool {
    struct fx_chain *chain;
    const struct fx_params *params;
    char *path;
    size_t max_bytes;
    struct fx_mempool_policy policy;
    bool unread; /* mempool.dat was not read yet */

    struct fx_map *by_txid, *by_wtxid; /* hash -> entry */
    struct fx_map *spenders;           /* outpoint -> entry */
    struct fx_map *records;            /* origin -> struct fx_pool_record, owned */
    struct fx_map *deltas;             /* txid -> int64_t, owned: of prioritisetransaction */
    struct fx_pool_entry *first, *last;
    int64_t oldest;             /* no entry is older than this */
    struct fx_pool_entry *dead; /* removed entries, linked by next */
    uint64_t seq, epoch;
    uint64_t sequence; /* of struct fx_mempool_info */
    size_t count, vsize, usage;
    size_t challenges; /* of all entries */
    int64_t total_fee;

    /* the rate below which the full pool takes nothing; it halves in 12 hours */
    double rolling_rate;
    int64_t rolling_time;

    /* transactions of disconnected blocks, oldest first, until the tip is settled */
    struct fx_tx **disconnected;
    size_t n_disconnected, cap_disconnected, disconnected_bytes;
    bool reorg;

    struct fx_pool_view public_view; /* of fx_mempool_view */
    struct fx_mempool_events *listeners;
    size_t n_listeners;
};

/* A record as it stands after the pool's transactions. */
struct fx_pool_record {
    bool has;
    struct fx_task_record record;
};

/* ---- pool.c: entries in and out -------------------------------------------------------------- */

/* Takes a new reference to tx, and takes over records (left empty). connected: of tx. */
struct fx_pool_entry *fx_pool_add(struct fx_mempool *pool, const struct fx_tx *tx,
                                  const struct fx_connected_tx *connected, uint64_t sigops,
                                  int64_t time, struct fx_record_delta *records, bool contextual);
/* When it came, where that is not now. */
void fx_pool_set_time(struct fx_mempool *pool, struct fx_pool_entry *entry, int64_t time);
/* Takes one entry out and tells the listeners; ancestors and descendants stay. */
void fx_pool_remove(struct fx_mempool *pool, struct fx_pool_entry *entry,
                    enum fx_tx_removal reason);
/* The entry and all that descend from it; the records are rebuilt where they changed. */
void fx_pool_remove_tree(struct fx_mempool *pool, struct fx_pool_entry *entry,
                         enum fx_tx_removal reason);
/* Frees the entries taken out. No pointer to one may be kept. */
void fx_pool_reap(struct fx_mempool *pool);
struct fx_pool_entry *fx_pool_find(const struct fx_mempool *pool, const struct fx_hash *txid);
struct fx_pool_entry *fx_pool_spender(const struct fx_mempool *pool, const struct fx_outpoint *o);
/* What an entry counts as paying: fee and delta, less what it burns. */
int64_t fx_pool_fees(const struct fx_pool_entry *entry);
int64_t fx_pool_delta(const struct fx_mempool *pool, const struct fx_hash *txid);
/* Evicts by descendant fee rate until the pool fits. */
void fx_pool_trim(struct fx_mempool *pool);
/* Called with each transaction: it looks at all of them only when one may be old enough. */
void fx_pool_expire(struct fx_mempool *pool, int64_t now);
/* Embers per 1,000 vbytes: the configured minimum, or what a full pool asks for. */
int64_t fx_pool_min_rate(struct fx_mempool *pool);
/* True where a / a_vsize is below b / b_vsize. */
bool fx_pool_rate_below(int64_t a, size_t a_vsize, int64_t b, size_t b_vsize);
void fx_pool_describe(const struct fx_pool_entry *entry, struct fx_mempool_entry *out);

/* ---- graph.c: ancestors and descendants ------------------------------------------------------ */

void fx_pool_list_push(struct fx_pool_list *list, struct fx_pool_entry *entry);
void fx_pool_list_drop(struct fx_pool_list *list, const struct fx_pool_entry *entry);
void fx_pool_list_clear(struct fx_pool_list *list);
/* The entries whose outputs tx spends, each once. */
void fx_pool_parents(struct fx_mempool *pool, const struct fx_tx *tx, struct fx_pool_list *out);
/* Appends the entries of from and all above (below) them, each once. */
void fx_pool_ancestors(struct fx_mempool *pool, const struct fx_pool_list *from,
                       struct fx_pool_list *out);
void fx_pool_descendants(struct fx_mempool *pool, const struct fx_pool_list *from,
                         struct fx_pool_list *out);
/* By seq: parents before children. */
void fx_pool_list_sort(struct fx_pool_list *list);

/* ---- view.c: the state after the tip and the pool -------------------------------------------- */

void fx_pool_view_init(struct fx_pool_view *ctx, struct fx_mempool *pool, struct fx_view *view);
struct fx_map *fx_pool_records_create(void);
void fx_pool_records_apply(struct fx_map *records, const struct fx_record_delta *delta);
/*
 * Back to what they were before the changes of an entry that leaves, or is hidden. Whatever changes
 * the same record after it spends an output of it: so its descendants are reverted first, the
 * youngest of all before the others, and no other entry's changes are lost.
 */
void fx_pool_records_revert(struct fx_map *records, const struct fx_record_delta *delta);
/* From the changes of all entries in order, which takes a walk of the whole pool. */
void fx_pool_records_build(struct fx_mempool *pool, struct fx_map *records);

/* ---- policy.c: standardness ------------------------------------------------------------------ */

/* NULL where the transaction is standard, else the reject string. */
const char *fx_policy_check_tx(const struct fx_mempool *pool, const struct fx_tx *tx);
const char *fx_policy_check_inputs(const struct fx_params *params, const struct fx_tx *tx,
                                   const struct fx_coin *spent, enum fx_refusal *refusal);
/* By BIP125: one of its inputs says so. */
bool fx_policy_signals_replacing(const struct fx_tx *tx);
/* Least value of an output with this script, embers. */
int64_t fx_policy_dust(struct fx_span script, int64_t rate);
/* Virtual size of a transaction with signature operations of this cost. */
size_t fx_policy_vsize(const struct fx_mempool *pool, const struct fx_tx *tx, uint64_t sigops);
/* What a size costs at a rate, embers, rounded up. */
int64_t fx_policy_fee(int64_t rate, size_t vsize);

/* ---- accept.c -------------------------------------------------------------------------------- */

enum fx_pool_try {
    FX_POOL_TEST = 1,       /* judge only */
    FX_POOL_FEES_LATER = 2, /* the fee is that of a package, which the caller looks at */
    FX_POOL_NO_REPLACING = 4,
    FX_POOL_QUIET =
        8, /* no events, and nothing is evicted: the caller ends it in one of two ways */
    FX_POOL_NO_SCRIPTS = 16,  /* all but scripts: what passes must not stay */
    FX_POOL_NO_CARVE_OUT = 32 /* one child more than the limit may not come */
};
/* As fx_mempool_accept. flags: enum fx_pool_try. replaced (may be NULL) gets what left for it. */
void fx_pool_try(struct fx_mempool *pool, const struct fx_tx *tx, unsigned flags,
                 struct fx_accept *out, struct fx_replaced *replaced);
/* Entries that came quietly: tells the listeners, or takes them out again. */
void fx_pool_confirm_quiet(struct fx_mempool *pool, struct fx_tx *const *txs, size_t n);
void fx_pool_undo_quiet(struct fx_mempool *pool, struct fx_tx *const *txs, size_t n);

/* For a transaction that was in the pool, or in a block, before: no policy but the limits of
 * ancestors, no scripts, and no events. */
bool fx_pool_readmit(struct fx_mempool *pool, const struct fx_tx *tx, int64_t time);
/* Judges an entry again, on records as they stand before it; its own changes are replaced. */
bool fx_pool_rejudge(struct fx_mempool *pool, struct fx_pool_entry *entry,
                     const struct fx_map *records);
void fx_pool_notify_added(struct fx_mempool *pool, const struct fx_tx *tx);
void fx_pool_notify_removed(struct fx_mempool *pool, const struct fx_tx *tx,
                            enum fx_tx_removal reason);

/* ---- tip.c: what the chain does -------------------------------------------------------------- */

void fx_pool_subscribe_chain(struct fx_mempool *pool);

/* ---- persist.c ------------------------------------------------------------------------------- */

void fx_pool_load(struct fx_mempool *pool);
void fx_pool_save(struct fx_mempool *pool);

#endif
