/*
 * The chain: index of all known headers, the best chain, its state. Implemented by src/chain. Main
 * thread only.
 */
#ifndef FX_IFACE_CHAIN_H
#define FX_IFACE_CHAIN_H

#include "consensus/connect.h"
#include "src/iface/events.h"

struct fx_chain; /* opaque */

/* What is known of a block. Bits. */
enum fx_index_status {
    FX_INDEX_HAVE_DATA = 1, /* the block is in the block files */
    FX_INDEX_HAVE_UNDO = 2,
    FX_INDEX_PROVEN = 4,       /* job lane: its work proof was checked; hash lane: always set */
    FX_INDEX_CONNECTED = 8,    /* it once connected: all rules hold */
    FX_INDEX_FAILED = 16,      /* it, or an ancestor, breaks a rule */
    FX_INDEX_INVALIDATED = 32, /* FAILED by a user's invalidateblock */
    FX_INDEX_PRUNED = 64,      /* the data was here once, and was pruned */
    FX_INDEX_UNWITNESSED = 128 /* taken when segwit did not bind yet at its height */
};

/* One header. Entries are never freed while the chain lives; others than the chain only read them.
 */
struct fx_index {
    struct fx_hash id;
    struct fx_header header;
    struct fx_index *parent; /* NULL: genesis */
    struct fx_index *skip;   /* a far ancestor, for fx_index_ancestor */
    uint32_t height;
    unsigned lane;
    uint32_t status; /* enum fx_index_status */
    struct fx_lane_state lanes;
    int64_t median_time;      /* of this block and the ten before it */
    struct fx_u256 work;      /* cumulative, with this block */
    struct fx_u256 hash_work; /* w_hash over hash-lane headers, cumulative */
    struct fx_hash solver;    /* job lane, known with the data */
    uint32_t n_txs;           /* known with the data; 0 before */
    uint32_t size;            /* bytes of the block, likewise */
    uint32_t file;            /* block file number */
    uint64_t data_pos, undo_pos;
    uint32_t undo_file, undo_size;
    uint64_t arrival; /* order in which full data came, from 1; 0: not yet */
    int64_t precious; /* below 0: before all that came, the least first; not stored */
};

/* The ancestor at this height (at most index's own), or NULL. */
const struct fx_index *fx_index_ancestor(const struct fx_index *index, uint32_t height);
/* Never NULL: genesis is common to all. */
const struct fx_index *fx_index_fork(const struct fx_index *a, const struct fx_index *b);

const struct fx_params *fx_chain_params(const struct fx_chain *chain);
const struct fx_index *fx_chain_tip(const struct fx_chain *chain);
const struct fx_index *fx_chain_genesis(const struct fx_chain *chain);
const struct fx_index *fx_chain_find(const struct fx_chain *chain, const struct fx_hash *id);
const struct fx_index *fx_chain_at(const struct fx_chain *chain,
                                   uint32_t height); /* best chain; NULL above the tip */
bool fx_chain_contains(const struct fx_chain *chain,
                       const struct fx_index *index); /* on the best chain */
const struct fx_index *
fx_chain_best_header(const struct fx_chain *chain); /* most work among headers not failed */
/* The newest block of a lane at or below the tip, or NULL where there is none above genesis. */
const struct fx_index *fx_chain_lane_tip(const struct fx_chain *chain, unsigned lane);
/* Tips of all branches; *tips is the caller's to free. */
size_t fx_chain_tips(const struct fx_chain *chain, const struct fx_index ***tips);
bool fx_chain_is_initial_download(const struct fx_chain *chain);
/* The chain has the work that -minimumchainwork asks for. */
bool fx_chain_has_min_work(const struct fx_chain *chain);
const struct fx_u256 *fx_chain_min_work(const struct fx_chain *chain);
/* Blocks are being read from files: what peers have is of no interest before that ends. */
bool fx_chain_is_importing(const struct fx_chain *chain);

/* BIP9, for what is signalled for on Bitcoin's regtest: from the second period on. */
#define FX_SIGNAL_PERIOD 144    /* blocks */
#define FX_SIGNAL_THRESHOLD 108 /* of a period that lock it in */
#define FX_SIGNAL_DUMMY_BIT 28  /* testdummy: a deployment that changes no rule */
enum fx_signal_state {
    FX_SIGNAL_DEFINED = 0,
    FX_SIGNAL_STARTED,
    FX_SIGNAL_LOCKED_IN,
    FX_SIGNAL_ACTIVE
};
/* Whether this block's version signals with the bit. */
bool fx_index_signals(const struct fx_index *index, unsigned bit);
/* The state of a bit's deployment for the block after parent (NULL: for genesis), and the height
 * of the first block of that state (0 while it is defined). */
enum fx_signal_state fx_index_signal_state(const struct fx_index *parent, unsigned bit,
                                           uint32_t *since);

/* Both lanes' required nBits on this parent. */
void fx_chain_targets(const struct fx_chain *chain, const struct fx_index *parent,
                      uint32_t nbits[FX_LANES]);

/*
 * Takes a header whose parent is known. FX_VALID: *index is its entry (new or old). FX_INVALID:
 * *why. The limits on unproven headers are the caller's (net).
 */
enum fx_result fx_chain_accept_header(struct fx_chain *chain, const struct fx_header *header,
                                      const struct fx_index **index, enum fx_verdict *why);
/*
 * Takes a block: header, checks, storage, and then the best chain is activated (events fire
 * inside). FX_VALID: it is stored; whether it became the tip is for fx_chain_tip to say. *fresh
 * (may be NULL): it was not known before. A block that is valid by itself but fails to connect
 * gives FX_INVALID with the reason. When this returns FX_VALID the block survives the death of the
 * process.
 */
enum fx_result fx_chain_accept_block(struct fx_chain *chain, const struct fx_block *block,
                                     bool *fresh, enum fx_verdict *why);
/*
 * Would this block connect on the tip? Everything except the hash puzzle or ticket, which a
 * template does not have yet: for templates. Nothing is stored.
 */
enum fx_result fx_chain_test_block(struct fx_chain *chain, const struct fx_block *block,
                                   enum fx_verdict *why);
/* As the RPCs of these names. False on an I/O failure. */
bool fx_chain_invalidate(struct fx_chain *chain, const struct fx_index *index);
bool fx_chain_reconsider(struct fx_chain *chain, const struct fx_index *index);
/* Among chains of equal work this block counts as the first that came; a later call outdoes it. Not
 * kept over a restart. */
bool fx_chain_precious(struct fx_chain *chain, const struct fx_index *index);

/* NULL where the data is not there or cannot be read. One reference. */
struct fx_block *fx_chain_read_block(struct fx_chain *chain, const struct fx_index *index);
/* false likewise; the caller clears. */
bool fx_chain_read_undo(struct fx_chain *chain, const struct fx_index *index, struct fx_undo *undo);

/* The state after the tip, as the rules see it for the next block. Valid until the tip changes. */
void fx_chain_view(struct fx_chain *chain, struct fx_view *view);
/* Visits all records in order of origin; the visitor returns false to stop. False on an I/O
 * failure. */
bool fx_chain_each_record(struct fx_chain *chain,
                          bool (*visit)(void *ctx, const struct fx_outpoint *origin,
                                        const struct fx_task_record *record),
                          void *ctx);

/* How gettxoutsetinfo hashes the coins, each serialized as Bitcoin Core does it. */
enum fx_coins_hash {
    FX_COINS_HASH_SERIALIZED = 0, /* double SHA-256 of all, by txid and index */
    FX_COINS_HASH_MUHASH,
    FX_COINS_HASH_NONE
};

/* gettxoutsetinfo: figures over coins and records. */
struct fx_txoutset {
    uint32_t height;
    struct fx_hash best;
    uint64_t n_txs; /* that have coins left */
    uint64_t n_coins, n_records;
    uint64_t bogosize;  /* Bitcoin Core's measure that no database has a say in */
    uint64_t disk_size; /* bytes of the coins in the database, about */
    int64_t total_amount;
    struct fx_hash coins_hash;   /* zero with FX_COINS_HASH_NONE */
    struct fx_hash records_hash; /* SHA-256 over the task records in order of their keys */
};
bool fx_chain_txoutset(struct fx_chain *chain, enum fx_coins_hash kind, struct fx_txoutset *info);
/* All coins after the tip of this moment, by txid, step by step: it stays as it was, whatever
 * blocks come. NULL on an I/O failure. End it before the chain. */
struct fx_coin_walk; /* opaque */
enum fx_coin_step { FX_COIN_NEXT = 0, FX_COIN_END, FX_COIN_FAILED };
struct fx_coin_walk *fx_coin_walk_create(struct fx_chain *chain);
/* On FX_COIN_NEXT the coin is the caller's to clear. */
enum fx_coin_step fx_coin_walk_next(struct fx_coin_walk *walk, struct fx_outpoint *outpoint,
                                    struct fx_coin *coin);
void fx_coin_walk_destroy(struct fx_coin_walk *walk); /* NULL: nothing */

/* ---- pruning ---- */

#define FX_PRUNE_KEEP 288 /* blocks below the tip that are never pruned: BIP159 */
#define FX_PRUNE_OFF UINT64_C(0)
#define FX_PRUNE_MANUAL UINT64_MAX

/* FX_PRUNE_OFF, FX_PRUNE_MANUAL, or the bytes that block and undo files are kept below. */
uint64_t fx_chain_prune_target(const struct fx_chain *chain);
/* A chain that is not higher than this is not pruned. */
uint32_t fx_chain_prune_after(const struct fx_chain *chain);
/* Removes the block files all of whose blocks are at or below height and deep enough. True also
 * where there is none. False on an I/O failure. */
bool fx_chain_prune(struct fx_chain *chain, uint32_t height);
/* The highest block of the best chain that lacks data or undo data; -1: none was ever pruned, or
 * all are here. */
int64_t fx_chain_pruned_height(const struct fx_chain *chain);
/* Bytes of all block and undo files. */
uint64_t fx_chain_disk_usage(const struct fx_chain *chain);

/* Writes all cached state as one atomic batch. */
bool fx_chain_flush(struct fx_chain *chain);

/* The listener is copied; it stays until the chain is destroyed. Called in order of subscription.
 */
void fx_chain_subscribe(struct fx_chain *chain, const struct fx_chain_events *events);

/* Set once when an I/O failure means that the node must stop; the text says what happened. NULL:
 * none. */
const char *fx_chain_fatal(const struct fx_chain *chain);

#endif
