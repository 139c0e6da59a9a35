/* Fork choice: the most cumulative work wins, between equals the chain whose data came first
 * (protocol section 3). */
#include <stdlib.h>

#include "src/chain/chain_int.h"
#include "src/sys/clock.h"
#include "src/sys/crash.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

#define FLUSH_BLOCKS 1000
#define FLUSH_MS (10 * 60 * 1000)

static bool can_be_tip(const struct fx_index *index)
{
    return index->arrival != 0 && (index->status & FX_INDEX_FAILED) == 0;
}

static void consider(struct fx_chain *chain, struct fx_index *index)
{
    if (can_be_tip(index) && fx_u256_cmp(&index->work, &chain->tip->work) >= 0) {
        fx_index_list_add(&chain->candidates, index);
    }
}

void fx_chain_find_candidates(struct fx_chain *chain)
{
    void *value;
    size_t at = 0;

    chain->candidates.n = 0;
    while (fx_map_next(chain->entries, &at, NULL, &value)) {
        consider(chain, value);
    }
}

void fx_chain_link(struct fx_chain *chain, struct fx_index *index)
{
    struct index_list ready = {0};
    size_t i;

    if (index->parent->arrival == 0) {
        fx_index_list_add(&chain->unlinked, index);
        return;
    }
    fx_index_list_add(&ready, index);
    while (ready.n > 0) {
        struct fx_index *next = ready.at[--ready.n];

        next->arrival = chain->next_arrival++;
        fx_chain_touch(chain, next);
        consider(chain, next);
        for (i = 0; i < chain->unlinked.n;) {
            if (chain->unlinked.at[i]->parent == next) {
                fx_index_list_add(&ready, chain->unlinked.at[i]);
                chain->unlinked.at[i] = chain->unlinked.at[--chain->unlinked.n];
            } else {
                i++;
            }
        }
    }
    fx_index_list_clear(&ready);
}

static bool better(const struct fx_index *a, const struct fx_index *b)
{
    int c = fx_u256_cmp(&a->work, &b->work);

    if (c != 0 || a->precious != b->precious) {
        return c != 0 ? c > 0 : a->precious < b->precious;
    }
    return a->arrival < b->arrival;
}

static struct fx_index *best_candidate(const struct fx_chain *chain)
{
    struct fx_index *best = NULL;
    size_t i;

    for (i = 0; i < chain->candidates.n; i++) {
        struct fx_index *index = chain->candidates.at[i];

        if (can_be_tip(index) && (best == NULL || better(index, best))) {
            best = index;
        }
    }
    return best;
}

static void drop_worse(struct fx_chain *chain)
{
    size_t i, kept = 0;

    for (i = 0; i < chain->candidates.n; i++) {
        struct fx_index *index = chain->candidates.at[i];

        if (can_be_tip(index) && index != chain->tip &&
            fx_u256_cmp(&index->work, &chain->tip->work) >= 0) {
            chain->candidates.at[kept++] = index;
        }
    }
    chain->candidates.n = kept;
    fx_index_list_add(&chain->candidates, chain->tip);
}

static void mark_failed(struct fx_chain *chain, struct fx_index *index)
{
    index->status |= FX_INDEX_FAILED;
    fx_chain_touch(chain, index);
}

void fx_chain_condemn(struct fx_chain *chain, struct fx_index *index)
{
    fx_chain_each_descendant(chain, index, mark_failed);
    fx_chain_find_best_header(chain);
}

static void condemn_for(struct fx_chain *chain, struct fx_index *index, enum fx_verdict why)
{
    char id[FX_HASH_HEX];

    fx_hash_to_id(&index->id, id);
    fx_log_info("block %s at height %u is invalid: %s", id, index->height, fx_verdict_string(why));
    chain->failed = index;
    chain->failed_why = why;
    fx_chain_condemn(chain, index);
    fx_chain_find_candidates(chain);
}

static void unlink_entry(struct fx_chain *chain, struct fx_index *index)
{
    if (index->arrival != 0) {
        index->arrival = 0;
        fx_chain_touch(chain, index);
        if ((index->status & FX_INDEX_HAVE_DATA) != 0) {
            fx_index_list_add(&chain->unlinked, index);
        }
    }
}

void fx_chain_unlink(struct fx_chain *chain, struct fx_index *index)
{
    fx_chain_each_descendant(chain, index, unlink_entry);
}

/* The bytes of a block are gone: it is as if they had never come. */
static void forget_data(struct fx_chain *chain, struct fx_index *index)
{
    fx_log_info("the block at height %u is fetched again", index->height);
    index->status &= ~(uint32_t)(FX_INDEX_HAVE_DATA | FX_INDEX_HAVE_UNDO);
    index->n_txs = index->size = 0;
    fx_chain_touch(chain, index);
    fx_chain_unlink(chain, index);
    fx_chain_find_candidates(chain);
}

uint32_t fx_chain_backlog(const struct fx_chain *chain)
{
    const struct fx_index *best = best_candidate(chain);

    return best == NULL || best == chain->tip
               ? 0
               : best->height - fx_index_fork(best, chain->tip)->height;
}

bool fx_chain_is_behind(const struct fx_chain *chain)
{
    return fx_chain_backlog(chain) > 0;
}

/* A bound on what a start after a crash has to do again. What an import does again, it does in
 * steps. */
static bool flush_if_due(struct fx_chain *chain)
{
    if (fx_state_full(chain->state) ||
        (chain->blocks_since_flush >= FLUSH_BLOCKS && !chain->importing) ||
        fx_clock_monotonic_ms() - chain->last_flush_ms >= FLUSH_MS) {
        return fx_chain_flush(chain);
    }
    return true;
}

static bool is_over(int64_t until)
{
    return until != 0 && fx_clock_monotonic_ms() >= until;
}

/* Goes toward target until it is the tip, a block on the way cannot be connected, or time is over;
 * the state is that after the tip in any case. False: fatal. */
static bool step_toward(struct fx_chain *chain, struct fx_index *target,
                        const struct fx_index *index, const struct fx_block *block, int64_t until)
{
    const struct fx_index *fork = fx_index_fork(chain->tip, target);
    bool lost;

    while (chain->tip != fork) {
        fx_crash_point("reorg-disconnect");
        if (!fx_chain_disconnect_tip(chain) || !flush_if_due(chain)) {
            return false;
        }
    }
    while (chain->tip != target) {
        /* The chain owns its entries; ancestors are handed out as const to others. */
        struct fx_index *next =
            (struct fx_index *)(uintptr_t)fx_index_ancestor(target, chain->tip->height + 1);
        enum fx_verdict why = FX_OK;

        fx_crash_point("reorg-connect");
        if (next != index) {
            fx_ahead_toward(chain, target);
        }
        switch (fx_chain_connect_tip(chain, next, next == index ? block : NULL, &lost, &why)) {
        case FX_VALID:
            if (!flush_if_due(chain)) {
                return false;
            }
            if (is_over(until)) {
                return true;
            }
            break;
        case FX_INVALID:
        case FX_INVALID_COPY:
            condemn_for(chain, next, why);
            return true;
        case FX_FAILED:
            if (!lost) {
                return false;
            }
            forget_data(chain, next);
            return true;
        }
    }
    return true;
}

bool fx_chain_activate(struct fx_chain *chain, const struct fx_index *index,
                       const struct fx_block *block, int64_t until)
{
    const struct fx_index *before = chain->tip;
    bool ok = chain->fatal == NULL;
    struct fx_index *best;
    size_t i;

    chain->busy = true;
    while (ok && (best = best_candidate(chain)) != NULL && best != chain->tip) {
        ok = step_toward(chain, best, index, block, until);
        if (is_over(until)) {
            break;
        }
    }
    if (ok) {
        drop_worse(chain);
        ok = fx_chain_prune_if_due(chain);
    }
    if (best_candidate(chain) == chain->tip) {
        fx_ahead_drop(chain);
    }
    if (fx_u256_cmp(&chain->tip->work, &chain->best_header->work) >= 0) {
        chain->best_header = chain->tip;
    }
    for (i = 0; ok && chain->tip != before && i < chain->n_listeners; i++) {
        const struct fx_chain_events *events = &chain->listeners[i];

        if (events->tip_changed != NULL) {
            events->tip_changed(events->ctx, chain->tip);
        }
    }
    chain->busy = false;
    return ok;
}

/* ---- by hand ---- */

bool fx_chain_invalidate(struct fx_chain *chain, const struct fx_index *index)
{
    struct fx_index *entry = fx_chain_entry(chain, &index->id);
    const struct fx_index *before = chain->tip;
    bool ok = true;
    size_t i;

    if (entry == chain->genesis || chain->fatal != NULL) {
        return false;
    }
    entry->status |= FX_INDEX_INVALIDATED;
    fx_chain_each_descendant(chain, entry, mark_failed);
    chain->busy = true;
    while (ok && (chain->tip->status & FX_INDEX_FAILED) != 0) {
        ok = fx_chain_disconnect_tip(chain) && flush_if_due(chain);
    }
    chain->busy = false;
    fx_chain_find_best_header(chain);
    fx_chain_find_candidates(chain);
    ok = ok && fx_chain_save_index(chain, false);
    if (!ok) {
        return false;
    }
    /* Activation tells of a new tip only where it moves the tip itself. */
    if (best_candidate(chain) == chain->tip && chain->tip != before) {
        for (i = 0; i < chain->n_listeners; i++) {
            if (chain->listeners[i].tip_changed != NULL) {
                chain->listeners[i].tip_changed(chain->listeners[i].ctx, chain->tip);
            }
        }
    }
    return fx_chain_activate(chain, NULL, NULL, 0);
}

static void unmark(struct fx_chain *chain, struct fx_index *index)
{
    uint32_t marks = FX_INDEX_FAILED | FX_INDEX_INVALIDATED;

    if ((index->status & marks) != 0) {
        index->status &= ~marks;
        fx_chain_touch(chain, index);
    }
}

bool fx_chain_reconsider(struct fx_chain *chain, const struct fx_index *index)
{
    struct fx_index *entry = fx_chain_entry(chain, &index->id);

    if (chain->fatal != NULL) {
        return false;
    }
    fx_chain_each_descendant(chain, entry, unmark);
    for (; entry != NULL; entry = entry->parent) {
        unmark(chain, entry);
    }
    fx_chain_find_best_header(chain);
    fx_chain_find_candidates(chain);
    return fx_chain_save_index(chain, false) && fx_chain_activate(chain, NULL, NULL, 0);
}

bool fx_chain_precious(struct fx_chain *chain, const struct fx_index *index)
{
    struct fx_index *entry = fx_chain_entry(chain, &index->id);

    if (chain->fatal != NULL) {
        return false;
    }
    if (fx_u256_cmp(&entry->work, &chain->tip->work) < 0) {
        return true; /* no choice to be made */
    }
    entry->precious = --chain->last_precious;
    fx_chain_find_candidates(chain);
    return fx_chain_activate(chain, NULL, NULL, 0);
}
