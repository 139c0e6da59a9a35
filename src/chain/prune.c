/*
 * Pruning: old block files go, by hand or to stay below a size. The entries of a file's blocks lose
 * their data first, on disk too, and the file only then: whoever dies between the two leaves a file
 * that nothing refers to, which the next start removes.
 */
#include <stdlib.h>

#include "src/chain/chain_int.h"
#include "src/sys/crash.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

/* An automatic search comes again after so many bytes of blocks, and leaves room for them and for
 * their undo data. */
#define SEARCH_BYTES (UINT64_C(16) << 20)
#define ROOM_BYTES (SEARCH_BYTES + (UINT64_C(1) << 20))
/* A chain of fewer blocks is not pruned. */
#define AFTER_HEIGHT 1000
#define AFTER_HEIGHT_FAST 100

/* What the files have, by file number. */
struct survey {
    struct fx_files_end end;
    uint32_t *highest; /* of the blocks that are in the block file; 0: none, or genesis alone */
    bool *refers;      /* an entry points into the block file */
    bool *undo_refers; /* likewise, into the undo file */
    bool *chosen;      /* the block file is to go */
};

static void take_survey(const struct fx_chain *chain, struct survey *s)
{
    void *value;
    size_t at = 0;

    fx_files_get_end(chain->files, &s->end);
    s->highest = fx_xcalloc((size_t)s->end.block_file + 1, sizeof(*s->highest));
    s->refers = fx_xcalloc((size_t)s->end.block_file + 1, sizeof(*s->refers));
    s->chosen = fx_xcalloc((size_t)s->end.block_file + 1, sizeof(*s->chosen));
    s->undo_refers = fx_xcalloc((size_t)s->end.undo_file + 1, sizeof(*s->undo_refers));
    while (fx_map_next(chain->entries, &at, NULL, &value)) {
        const struct fx_index *index = value;

        if ((index->status & FX_INDEX_HAVE_DATA) != 0 && index->file <= s->end.block_file) {
            s->refers[index->file] = true;
            if (index->height > s->highest[index->file]) {
                s->highest[index->file] = index->height;
            }
        }
        if ((index->status & FX_INDEX_HAVE_UNDO) != 0 && index->undo_file <= s->end.undo_file) {
            s->undo_refers[index->undo_file] = true;
        }
    }
}

static void end_survey(struct survey *s)
{
    free(s->highest);
    free(s->refers);
    free(s->chosen);
    free(s->undo_refers);
}

static uint64_t usage_of(const struct fx_chain *chain, const struct fx_files_end *end)
{
    uint64_t bytes = 0;
    uint32_t file;

    for (file = 0; file <= end->block_file; file++) {
        bytes += fx_files_block_size(chain->files, file);
    }
    for (file = 0; file <= end->undo_file; file++) {
        bytes += fx_files_undo_size(chain->files, file);
    }
    return bytes;
}

uint64_t fx_chain_disk_usage(const struct fx_chain *chain)
{
    struct fx_files_end end;

    fx_files_get_end(chain->files, &end);
    return usage_of(chain, &end);
}

/* ---- what may go ---- */

/* The highest block that may go, at most `height`: reorganisations of the usual depth need those
 * above it, and so does a listener that has not read them yet. */
static uint32_t last_to_go(const struct fx_chain *chain, uint32_t height)
{
    uint32_t tip = chain->tip->height;
    size_t i;

    if (tip <= FX_PRUNE_KEEP) {
        return 0;
    }
    height = height < tip - FX_PRUNE_KEEP ? height : tip - FX_PRUNE_KEEP;
    for (i = 0; i < chain->n_listeners; i++) {
        const struct fx_chain_events *events = &chain->listeners[i];
        uint32_t needed = events->needs_from != NULL ? events->needs_from(events->ctx) : UINT32_MAX;

        if (needed <= height) {
            height = needed > 0 ? needed - 1 : 0;
        }
    }
    return height;
}

/* From the oldest file on; never the one that is written. target 0: all that may go. */
static size_t choose(const struct fx_chain *chain, struct survey *s, uint32_t last, uint64_t target)
{
    uint64_t usage = target != 0 ? usage_of(chain, &s->end) : 0;
    size_t n = 0;
    uint32_t file;

    for (file = 0; file < s->end.block_file; file++) {
        if (target != 0 && usage + ROOM_BYTES < target) {
            break;
        }
        if (s->refers[file] && s->highest[file] <= last) {
            s->chosen[file] = true;
            usage -= target != 0 ? fx_files_block_size(chain->files, file) : 0;
            n++;
        }
    }
    return n;
}

/* ---- taking it away ---- */

/* Blocks that are not connected are as if they had never come: a branch must be fetched again as a
 * whole before it can win. */
static void forget_block(struct fx_chain *chain, struct fx_index *index)
{
    index->status &= ~(uint32_t)(FX_INDEX_HAVE_DATA | FX_INDEX_HAVE_UNDO);
    index->status |= FX_INDEX_PRUNED;
    fx_chain_touch(chain, index);
    if (!fx_chain_contains(chain, index)) {
        fx_chain_unlink(chain, index);
    }
}

static void forget_blocks(struct fx_chain *chain, const struct survey *s)
{
    void *value;
    size_t at = 0;

    while (fx_map_next(chain->entries, &at, NULL, &value)) {
        struct fx_index *index = value;

        if ((index->status & FX_INDEX_HAVE_DATA) != 0 && s->chosen[index->file]) {
            forget_block(chain, index);
        }
    }
}

/* Files before the last of their kind that no entry refers to. */
static bool remove_files(struct fx_chain *chain)
{
    struct survey s;
    uint32_t file;
    bool ok = true;

    take_survey(chain, &s);
    for (file = 0; file < s.end.block_file; file++) {
        ok = (s.refers[file] || fx_files_remove_block(chain->files, file)) && ok;
    }
    for (file = 0; file < s.end.undo_file; file++) {
        ok = (s.undo_refers[file] || fx_files_remove_undo(chain->files, file)) && ok;
    }
    end_survey(&s);
    return ok;
}

bool fx_chain_remove_pruned(struct fx_chain *chain)
{
    return chain->partial || !chain->has_pruned || remove_files(chain);
}

/* The state on disk comes first: it must not stand at a block whose data is gone. */
static bool take_away(struct fx_chain *chain, const struct survey *s)
{
    if (!fx_chain_flush(chain)) {
        return false;
    }
    chain->has_pruned = true;
    forget_blocks(chain, s);
    fx_chain_find_candidates(chain);
    fx_crash_point("prune-before-index");
    if (!fx_index_db_set_pruned(chain->index_db) || !fx_chain_save_index(chain, true)) {
        fx_chain_set_fatal(chain, "cannot write the block index");
        return false;
    }
    fx_crash_point("prune-after-index");
    if (!remove_files(chain)) {
        fx_log_info("pruned block files cannot be removed: the next start tries again");
    }
    fx_crash_point("prune-done");
    return true;
}

static bool prune(struct fx_chain *chain, uint32_t height, uint64_t target)
{
    uint32_t last = last_to_go(chain, height);
    struct survey s;
    size_t n;
    bool ok;

    take_survey(chain, &s);
    n = choose(chain, &s, last, target);
    ok = n == 0 || take_away(chain, &s);
    end_survey(&s);
    if (n > 0 && ok) {
        fx_log_info("pruned: %zu block files up to height %u", n, last);
    }
    return ok;
}

/* ---- when ---- */

bool fx_chain_prune(struct fx_chain *chain, uint32_t height)
{
    return chain->fatal == NULL && (chain->partial || prune(chain, height, 0));
}

bool fx_chain_prune_if_due(struct fx_chain *chain)
{
    struct fx_files_end end;

    if (chain->prune == FX_PRUNE_OFF || chain->prune == FX_PRUNE_MANUAL || chain->partial ||
        !chain->open || chain->tip->height <= fx_chain_prune_after(chain)) {
        return true;
    }
    fx_files_get_end(chain->files, &end);
    if (end.block_file == chain->searched.block_file &&
        end.block_pos < chain->searched.block_pos + SEARCH_BYTES) {
        return true;
    }
    chain->searched = end;
    return prune(chain, UINT32_MAX, chain->prune);
}

/* ---- what others ask ---- */

uint64_t fx_chain_prune_target(const struct fx_chain *chain)
{
    return chain->prune;
}

uint32_t fx_chain_prune_after(const struct fx_chain *chain)
{
    return chain->fast_prune ? AFTER_HEIGHT_FAST : AFTER_HEIGHT;
}

int64_t fx_chain_pruned_height(const struct fx_chain *chain)
{
    const uint32_t both = FX_INDEX_HAVE_DATA | FX_INDEX_HAVE_UNDO;
    uint32_t height = chain->tip->height;

    if (!chain->has_pruned) {
        return -1;
    }
    /* Genesis has no undo data, and nobody would miss it. */
    while (height > 0 && (chain->active[height]->status & both) == both) {
        height--;
    }
    return height > 0 ? (int64_t)height : -1;
}
