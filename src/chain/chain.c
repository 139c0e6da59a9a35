/* The chain as a whole: opening, closing, flushing, and what everybody asks of it. */
#include "src/chain/chain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/chain/chain_int.h"
#include "src/sys/clock.h"
#include "src/sys/crash.h"
#include "src/sys/db.h"
#include "src/sys/file.h"
#include "src/sys/log.h"
#include "src/sys/random.h"
#include "src/util/mem.h"

#define INDEX_DB_CACHE ((size_t)2 << 20)
#define SIGCACHE_BYTES ((size_t)32 << 20)
/* A start goes on to the best chain by itself where that takes no more blocks than this: what a
 * crash leaves undone is less. */
#define CATCH_UP_MAX 3000
/* A tip older than this means that blocks are still to be fetched. */
#define TIP_MAX_AGE (24 * 60 * 60)

void fx_chain_set_fatal(struct fx_chain *chain, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fx_log_info("fatal: %s", text);
    if (chain->fatal == NULL) {
        chain->fatal = fx_xstrdup(text);
    }
}

/* The state goes first: without one, an index that is there is still right. */
static bool make_room(const struct fx_chain_config *config, const char *index, const char *state,
                      char **error)
{
    if (((config->reindex || config->reindex_state) && !fx_db_remove(state)) ||
        (config->reindex && !fx_db_remove(index))) {
        *error = fx_xstrdup("the old block index or chain state cannot be removed");
        return false;
    }
    return true;
}

static void add_advice(char **error)
{
    struct fx_buf text = FX_BUF_INIT;

    fx_buf_printf(&text, "the block index cannot be opened: %s; -reindex makes it anew", *error);
    fx_buf_u8(&text, 0);
    free(*error);
    *error = (char *)fx_buf_steal(&text, NULL);
}

static bool open_store(struct fx_chain *chain, const struct fx_chain_config *config, char **error)
{
    char *blocks = fx_path_join(config->dir, "blocks");
    char *index = fx_path_join(blocks, "index");
    char *state = fx_path_join(config->dir, "chainstate");

    chain->files = fx_files_open(blocks, config->params->magic,
                                 config->fast_prune ? FX_FILES_ROLL_FAST : FX_FILES_ROLL, error);
    if (chain->files != NULL && make_room(config, index, state, error)) {
        chain->index_db = fx_index_db_open(index, INDEX_DB_CACHE, error);
    }
    if (chain->index_db == NULL && chain->files != NULL && !config->reindex) {
        add_advice(error);
    }
    if (chain->index_db != NULL) {
        chain->state = fx_state_open(state, config->cache_bytes, error);
    }
    free(state);
    free(index);
    free(blocks);
    return chain->state != NULL;
}

/* Where the first block is in the first file, if it is. */
static bool find_genesis(struct fx_chain *chain, const struct fx_block *block,
                         struct fx_block_place *place)
{
    uint8_t *data;
    bool same;

    *place = (struct fx_block_place){.file = 0, .pos = FX_FILES_HEAD};
    if (fx_files_block_size(chain->files, 0) == 0 ||
        fx_files_read_block(chain->files, place->file, place->pos, (uint32_t)block->raw.len,
                            &data) != FX_FILES_OK) {
        return false;
    }
    same = memcmp(data, block->raw.data, block->raw.len) == 0;
    free(data);
    return same;
}

static bool start_at_genesis(struct fx_chain *chain)
{
    struct fx_block *block = fx_genesis_block(chain->params);
    struct fx_index *genesis = fx_chain_add_entry(chain, &block->header, NULL);
    struct fx_block_place place;
    bool ok;

    /* Its coinbase makes no coin: the state after it is empty, and there is nothing to undo. */
    genesis->status |= FX_INDEX_CONNECTED;
    genesis->arrival = chain->next_arrival++;
    ok = fx_chain_store_block(chain, genesis, block,
                              find_genesis(chain, block, &place) ? &place : NULL) &&
         fx_chain_save_index(chain, true);
    fx_block_unref(block);
    chain->genesis = genesis;
    return ok;
}

/* An empty index beside block files is one that was lost. Only the first block may be there: the
 * process died before it was noted. */
static bool lost_index(struct fx_chain *chain)
{
    struct fx_block *block = fx_genesis_block(chain->params);
    uint64_t first = FX_FILES_HEAD + block->raw.len;

    fx_block_unref(block);
    return fx_files_block_size(chain->files, 0) > first;
}

static bool start_index(struct fx_chain *chain, bool reindex, char **error)
{
    if (reindex) {
        chain->partial = true;
        if (!fx_index_db_set_partial(chain->index_db, true) || !fx_files_start_over(chain->files)) {
            *error = fx_xstrdup("the block index cannot be made anew");
            return false;
        }
    } else if (lost_index(chain)) {
        *error = fx_xstrdup("there are block files, but no block index: -reindex makes it anew");
        return false;
    }
    if (!start_at_genesis(chain)) {
        *error = fx_xstrdup("cannot write the first block");
        return false;
    }
    return true;
}

/* The tip that the state was flushed at; activation goes on from there. */
static bool restore_tip(struct fx_chain *chain, char **error)
{
    struct fx_index *tip, *walk;
    uint32_t height;

    if (fx_hash_is_zero(fx_state_best(chain->state))) {
        fx_state_set_best(chain->state, &chain->genesis->id);
    }
    tip = fx_chain_entry(chain, fx_state_best(chain->state));
    if (tip == NULL) {
        *error = fx_xstrdup("the chain state is at a block that the block index does not have");
        return false;
    }
    for (height = 0; height <= tip->height; height++) {
        /* The chain owns its entries; ancestors are handed out as const to others. */
        walk = (struct fx_index *)(uintptr_t)fx_index_ancestor(tip, height);
        fx_chain_push_active(chain, walk);
    }
    return true;
}

static bool open_chain(struct fx_chain *chain, const struct fx_chain_config *config, char **error)
{
    if (!open_store(chain, config, error) || !fx_chain_load_index(chain, error)) {
        return false;
    }
    if (!fx_index_db_get_partial(chain->index_db, &chain->partial) ||
        !fx_index_db_get_pruned(chain->index_db, &chain->has_pruned)) {
        *error = fx_xstrdup("the block index cannot be read");
        return false;
    }
    if (chain->has_pruned && chain->prune == FX_PRUNE_OFF) {
        *error = fx_xstrdup("You need to rebuild the database using -reindex to go back to "
                            "unpruned mode. This will redownload the entire blockchain");
        return false;
    }
    if ((chain->genesis == NULL && !start_index(chain, config->reindex, error)) ||
        !restore_tip(chain, error)) {
        return false;
    }
    if (!fx_chain_remove_pruned(chain)) {
        fx_log_info("pruned block files cannot be removed");
    }
    fx_chain_find_best_header(chain);
    fx_chain_find_candidates(chain);
    if ((fx_chain_backlog(chain) <= CATCH_UP_MAX && !config->reindex_state &&
         !fx_chain_activate(chain, NULL, NULL, 0)) ||
        !fx_chain_flush(chain)) {
        *error = fx_xstrdup(chain->fatal != NULL ? chain->fatal : "cannot write the chain state");
        return false;
    }
    return true;
}

static void close_chain(struct fx_chain *chain)
{
    fx_ahead_drop(chain);
    fx_state_close(chain->state);
    fx_index_db_close(chain->index_db);
    fx_files_close(chain->files);
    fx_map_destroy(chain->entries, free);
    fx_index_list_clear(&chain->candidates);
    fx_index_list_clear(&chain->unlinked);
    fx_index_list_clear(&chain->dirty);
    fx_sigcache_destroy(chain->sigcache);
    free(chain->active);
    free(chain->lane_heights);
    free(chain->listeners);
    free(chain->fatal);
    free(chain);
}

struct fx_chain *fx_chain_create(const struct fx_chain_config *config, char **error)
{
    struct fx_chain *chain = fx_xcalloc(1, sizeof(*chain));

    *error = NULL;
    chain->params = config->params;
    chain->pool = config->pool;
    chain->max_tip_age = config->max_tip_age != 0 ? config->max_tip_age : TIP_MAX_AGE;
    chain->min_work = config->min_work;
    chain->assume_valid = config->assume_valid;
    chain->prune = config->prune;
    chain->fast_prune = config->fast_prune;
    chain->entries = fx_map_create(32, fx_random_u64(), fx_random_u64());
    chain->sigcache = fx_sigcache_create(SIGCACHE_BYTES);
    chain->last_flush_ms = fx_clock_monotonic_ms();
    if (!open_chain(chain, config, error)) {
        close_chain(chain);
        return NULL;
    }
    chain->open = true;
    fx_log_info("chain %s: height %u", chain->params->name, chain->tip->height);
    return chain;
}

void fx_chain_destroy(struct fx_chain *chain)
{
    if (chain == NULL) {
        return;
    }
    fx_chain_flush(chain);
    close_chain(chain);
}

struct fx_sigcache *fx_chain_sigcache(struct fx_chain *chain)
{
    return chain->sigcache;
}

bool fx_chain_flush(struct fx_chain *chain)
{
    /* After a fatal failure the cache may hold half a block. */
    if (chain->fatal != NULL) {
        return false;
    }
    /* What the state refers to must be on disk before the state is. */
    if (!fx_files_sync(chain->files)) {
        fx_chain_set_fatal(chain, "cannot write the block files");
        return false;
    }
    fx_crash_point("flush-files");
    if (!fx_chain_save_index(chain, true)) {
        fx_chain_set_fatal(chain, "cannot write the block index");
        return false;
    }
    if (!fx_state_flush(chain->state)) {
        fx_chain_set_fatal(chain, "cannot write the chain state");
        return false;
    }
    chain->blocks_since_flush = 0;
    chain->last_flush_ms = fx_clock_monotonic_ms();
    return true;
}

const struct fx_params *fx_chain_params(const struct fx_chain *chain)
{
    return chain->params;
}

const struct fx_index *fx_chain_tip(const struct fx_chain *chain)
{
    return chain->tip;
}

const struct fx_index *fx_chain_genesis(const struct fx_chain *chain)
{
    return chain->genesis;
}

const struct fx_index *fx_chain_at(const struct fx_chain *chain, uint32_t height)
{
    return height <= chain->tip->height ? chain->active[height] : NULL;
}

bool fx_chain_contains(const struct fx_chain *chain, const struct fx_index *index)
{
    return fx_chain_at(chain, index->height) == index;
}

const struct fx_index *fx_chain_best_header(const struct fx_chain *chain)
{
    return chain->best_header;
}

const struct fx_index *fx_chain_lane_tip(const struct fx_chain *chain, unsigned lane)
{
    uint32_t height = chain->lane_heights[chain->tip->height][lane];

    return height > 0 ? chain->active[height] : NULL;
}

bool fx_chain_is_partial(const struct fx_chain *chain)
{
    return chain->partial;
}

bool fx_chain_lacks_witnesses(const struct fx_chain *chain)
{
    uint32_t height = chain->params->fork_height[FX_FORK_SEGWIT];

    for (; height <= chain->tip->height; height++) {
        if ((chain->active[height]->status & FX_INDEX_UNWITNESSED) != 0) {
            return true;
        }
    }
    return false;
}

bool fx_chain_is_importing(const struct fx_chain *chain)
{
    return chain->importing;
}

bool fx_chain_has_min_work(const struct fx_chain *chain)
{
    return fx_u256_cmp(&chain->tip->work, &chain->min_work) >= 0;
}

const struct fx_u256 *fx_chain_min_work(const struct fx_chain *chain)
{
    return &chain->min_work;
}

bool fx_chain_is_initial_download(const struct fx_chain *chain)
{
    struct fx_chain *self = (struct fx_chain *)(uintptr_t)chain;

    if (chain->importing) {
        return true;
    }
    /* Once over, it does not begin again: the clock alone must not stop a node from relaying. */
    if (!chain->synced && fx_chain_has_min_work(chain) &&
        (int64_t)chain->tip->header.time >= fx_clock_now() - chain->max_tip_age) {
        self->synced = true;
    }
    return !chain->synced;
}

void fx_chain_targets(const struct fx_chain *chain, const struct fx_index *parent,
                      uint32_t nbits[FX_LANES])
{
    fx_lane_targets(chain->params, &parent->lanes, parent->header.time, nbits);
}

void fx_chain_subscribe(struct fx_chain *chain, const struct fx_chain_events *events)
{
    chain->listeners =
        fx_xreallocarray(chain->listeners, chain->n_listeners + 1, sizeof(*chain->listeners));
    chain->listeners[chain->n_listeners++] = *events;
}

const char *fx_chain_fatal(const struct fx_chain *chain)
{
    return chain->fatal;
}
