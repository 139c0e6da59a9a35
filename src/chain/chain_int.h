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

    /* What the last block that failed to connect broke. */
    const struct fx_index *failed;
    enum fx_verdict failed_why;

    struct fx_chain_events *listeners;
    size_t n_listeners;
    bool busy;   /* inside activation: events may be running */
    bool synced; /* the initial download has ended once */
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

enum fx_data { FX_DATA_OK = 0, FX_DATA_LOST, FX_DATA_FAILED };

/* Appends the block to the files and notes where, with what the index keeps of it. */
bool fx_chain_store_block(struct fx_chain *chain, struct fx_index *index,
                          const struct fx_block *block);
/* Writes undo data where it is not there already. */
bool fx_chain_store_undo(struct fx_chain *chain, struct fx_index *index,
                         const struct fx_undo *undo);
enum fx_data fx_chain_load_block(struct fx_chain *chain, const struct fx_index *index,
                                 struct fx_block **block);

/* ---- connect.c: one block more, one block less ---- */

/* index's parent is the tip. FX_INVALID: *why, nothing changed. FX_FAILED: fatal is set, or data
 * was lost (then *lost). block NULL: it is read. */
enum fx_result fx_chain_connect_tip(struct fx_chain *chain, struct fx_index *index,
                                    const struct fx_block *block, bool *lost, enum fx_verdict *why);
/* False: fatal is set. */
bool fx_chain_disconnect_tip(struct fx_chain *chain);
/* All rules that need the state, with the scripts, on the tip. Fills *out on FX_VALID. */
enum fx_result fx_chain_judge(struct fx_chain *chain, const struct fx_block *block,
                              struct fx_connected *out, enum fx_verdict *why);
void fx_chain_push_active(struct fx_chain *chain, struct fx_index *index);

/* ---- activate.c: which chain ---- */

/* index has data now: gives arrival numbers to it and to descendants that waited for it. */
void fx_chain_link(struct fx_chain *chain, struct fx_index *index);
void fx_chain_find_candidates(struct fx_chain *chain);
/* Marks an entry, none of the best chain, and all its descendants as failed. */
void fx_chain_condemn(struct fx_chain *chain, struct fx_index *index);
/* Makes the best candidate the tip. block (may be NULL): the data of index. False: fatal. */
bool fx_chain_activate(struct fx_chain *chain, const struct fx_index *index,
                       const struct fx_block *block);

/* Sets the text, once, and logs it. */
void fx_chain_set_fatal(struct fx_chain *chain, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
