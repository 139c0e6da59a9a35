/* The chain's insides, shared by the files of this folder. */
#ifndef FX_CHAIN_CHAIN_INT_H
#define FX_CHAIN_CHAIN_INT_H

#include "src/chain/chain.h"
#include "src/store/index_db.h"
#include "src/store/state.h"
#include "src/util/map.h"

/* Entries in an order that does not matter. */
struct index_list {
    struct fx_index **at;
    size_t n, cap;
};

/* Where the payload of a block is in the block files. */
struct fx_block_place {
    uint32_t file;
    uint64_t pos;
};

enum fx_data { FX_DATA_OK = 0, FX_DATA_LOST, FX_DATA_FAILED };

/* A block that will be wanted: read, parsed and checked by itself by whichever thread has time. */
struct fx_ahead {
    struct fx_pool_task task;
    const struct fx_chain *chain;
    const struct fx_index *index; /* NULL: not of the index, but size bytes of fd at pos */
    struct fx_index copy;         /* of the entry, for other threads */
    int fd;
    uint64_t pos;
    uint32_t size;
    /* What came of it. */
    enum fx_data data;
    struct fx_block *block; /* where data is FX_DATA_OK */
    struct fx_block_check check;
    struct fx_coin_batch *coins; /* what it spends, as far as the database had it */
};

#define FX_AHEAD_BLOCKS 16
#define FX_AHEAD_BYTES (32u << 20) /* no more is begun while this much is on its way */

struct fx_chain {
    const struct fx_params *params;
    struct fx_pool *pool;
    int64_t max_tip_age; /* seconds */
    struct fx_u256 min_work;
    struct fx_files *files;
    struct fx_index_db *index_db;
    struct fx_state *state;
    struct fx_sigcache *sigcache;

    struct fx_map *entries; /* id -> struct fx_index, owned */
    struct fx_index *genesis, *tip, *best_header;
    struct fx_index **active;           /* the best chain by height, tip->height + 1 of them */
    uint32_t (*lane_heights)[FX_LANES]; /* likewise: the lane's newest height, 0 for none */
    size_t active_cap;

    struct index_list candidates; /* could become the tip: data up to genesis, not failed, work at
                                     least that of the tip when they were added; and the tip */
    struct index_list unlinked;   /* data is here, an ancestor's is not */
    struct index_list dirty;      /* to be written to the index database */
    uint64_t next_arrival;
    int64_t last_precious; /* of struct fx_index, at most 0 */

    /* Blocks of the index, in the order in which they are wanted: a ring. */
    struct fx_ahead ahead[FX_AHEAD_BLOCKS];
    size_t first_ahead, n_ahead;

    struct fx_hash assume_valid; /* zero: none */

    uint64_t prune;               /* FX_PRUNE_OFF, FX_PRUNE_MANUAL, or bytes */
    bool fast_prune, has_pruned;  /* has_pruned: some blocks were, once */
    struct fx_files_end searched; /* where the files ended when pruning last looked */

    /* What the last block that failed to connect broke. */
    const struct fx_index *failed;
    enum fx_verdict failed_why;

    struct fx_chain_events *listeners;
    size_t n_listeners;
    bool open;      /* fx_chain_create has ended: listeners can be there */
    bool busy;      /* inside activation: events may be running */
    bool synced;    /* the initial download has ended once */
    bool partial;   /* the index is being made anew */
    bool importing; /* an fx_import lives */
    unsigned blocks_since_flush;
    int64_t last_flush_ms;
    char *fatal;
};

/* A bit of status that is never stored: the entry is in the list of dirty ones. */
#define FX_INDEX_DIRTY (UINT32_C(1) << 31)

void fx_index_list_add(struct index_list *list, struct fx_index *index);
void fx_index_list_clear(struct index_list *list);

/* ---- index.c ---- */

struct fx_index *fx_chain_entry(const struct fx_chain *chain, const struct fx_hash *id);
/* A new entry for a header that was checked; parent NULL: genesis. */
struct fx_index *fx_chain_add_entry(struct fx_chain *chain, const struct fx_header *header,
                                    struct fx_index *parent);
/* Notes that the entry changed. */
void fx_chain_touch(struct fx_chain *chain, struct fx_index *index);
/* Writes the changed entries. */
bool fx_chain_save_index(struct fx_chain *chain, bool sync);
/* Reads all entries at the start; false with *error. */
bool fx_chain_load_index(struct fx_chain *chain, char **error);
void fx_chain_find_best_header(struct fx_chain *chain);
/* Calls fn for index and all its descendants. */
void fx_chain_each_descendant(struct fx_chain *chain, const struct fx_index *index,
                              void (*fn)(struct fx_chain *chain, struct fx_index *at));

/* ---- data.c ---- */

/* Notes where the block is, with what the index keeps of it. place NULL: it is appended to the
 * files. */
bool fx_chain_store_block(struct fx_chain *chain, struct fx_index *index,
                          const struct fx_block *block, const struct fx_block_place *place);
/* Writes undo data where it is not there already. */
bool fx_chain_store_undo(struct fx_chain *chain, struct fx_index *index,
                         const struct fx_undo *undo);
/* On any thread. */
enum fx_data fx_chain_load_block(const struct fx_chain *chain, const struct fx_index *index,
                                 struct fx_block **block);

/* ---- ahead.c: blocks made ready on other threads ---- */

/* The block in size bytes at pos of fd, which stays open until the end of it. */
void fx_ahead_start(struct fx_ahead *ahead, struct fx_chain *chain, int fd, uint64_t pos,
                    uint32_t size);
/* Waits for it; the coins are in the state's cache then. */
void fx_ahead_finish(struct fx_ahead *ahead);
/* Drops what came of it, and what has not begun. After each start. */
void fx_ahead_end(struct fx_ahead *ahead);

/* The blocks after the tip on the way to target will be wanted. */
void fx_ahead_toward(struct fx_chain *chain, const struct fx_index *target);
/* The data of an entry whose parent is the tip, judged again as far as its place goes: a bit may
 * have turned on disk. *block is the caller's. */
enum fx_data fx_ahead_take(struct fx_chain *chain, const struct fx_index *index,
                           struct fx_block **block);
void fx_ahead_drop(struct fx_chain *chain);

/* ---- accept.c ---- */

/*
 * As fx_chain_accept_block, without activation, and nothing is acknowledged: the index is not
 * written. check NULL: it is made where it is needed. place: where the block is already, or NULL.
 * FX_VALID: *entry.
 */
enum fx_result fx_chain_take_block(struct fx_chain *chain, const struct fx_block *block,
                                   const struct fx_block_check *check,
                                   const struct fx_block_place *place, struct fx_index **entry,
                                   bool *fresh, enum fx_verdict *why);

/* ---- connect.c: one block more, one block less ---- */

/* index's parent is the tip. FX_INVALID: *why, nothing changed. FX_FAILED: fatal is set, or data
 * was lost (then *lost). block NULL: it is read. */
enum fx_result fx_chain_connect_tip(struct fx_chain *chain, struct fx_index *index,
                                    const struct fx_block *block, bool *lost, enum fx_verdict *why);
/* False: fatal is set. */
bool fx_chain_disconnect_tip(struct fx_chain *chain);
/* All rules that need the state, with or without the scripts, on the tip. Fills *out on FX_VALID.
 */
enum fx_result fx_chain_judge(struct fx_chain *chain, const struct fx_block *block, bool scripts,
                              struct fx_connected *out, enum fx_verdict *why);
/* Whether -assumevalid leaves the scripts of this block to be verified. */
bool fx_chain_needs_scripts(const struct fx_chain *chain, const struct fx_index *index);
void fx_chain_push_active(struct fx_chain *chain, struct fx_index *index);

/* ---- activate.c: which chain ---- */

/* index has data now: gives arrival numbers to it and to descendants that waited for it. */
void fx_chain_link(struct fx_chain *chain, struct fx_index *index);
void fx_chain_find_candidates(struct fx_chain *chain);
/* index has no data any more: neither it nor a descendant can become the tip. */
void fx_chain_unlink(struct fx_chain *chain, struct fx_index *index);
/* Marks an entry, none of the best chain, and all its descendants as failed. */
void fx_chain_condemn(struct fx_chain *chain, struct fx_index *index);
/* Makes the best candidate the tip. block (may be NULL): the data of index. until (monotonic ms):
 * it stops on the way, after a block; 0: it does not. False: fatal. */
bool fx_chain_activate(struct fx_chain *chain, const struct fx_index *index,
                       const struct fx_block *block, int64_t until);
/* How many blocks the best candidate is above the tip; 0: it is the tip. */
uint32_t fx_chain_backlog(const struct fx_chain *chain);

/* ---- prune.c ---- */

/* Automatic pruning, where enough has been written since it last looked. False: fatal. */
bool fx_chain_prune_if_due(struct fx_chain *chain);
/* Removes what an earlier process pruned and had not removed. False: a file cannot be. */
bool fx_chain_remove_pruned(struct fx_chain *chain);

/* Sets the text, once, and logs it. */
void fx_chain_set_fatal(struct fx_chain *chain, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
