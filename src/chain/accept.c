/* Taking headers and blocks from outside. */
#include <assert.h>
#include <string.h>

#include "src/chain/chain_int.h"
#include "src/sys/clock.h"
#include "src/sys/crash.h"
#include "src/sys/log.h"

static struct fx_header_context context_on(const struct fx_index *parent)
{
    return (struct fx_header_context){
        .height = parent->height + 1,
        .parent_lanes = &parent->lanes,
        .parent_time = parent->header.time,
        .parent_median_time = parent->median_time,
        .now = fx_clock_now(),
    };
}

/* What can be said of a header: it is known (*index), or it may be added on *parent. */
static enum fx_result check_header(struct fx_chain *chain, const struct fx_header *header,
                                   struct fx_index **index, struct fx_index **parent,
                                   enum fx_verdict *why)
{
    struct fx_header_context context;
    struct fx_hash id;

    *why = FX_OK;
    *parent = NULL;
    fx_header_id(header, &id);
    *index = fx_chain_entry(chain, &id);
    if (*index != NULL) {
        *parent = (*index)->parent;
        if (((*index)->status & FX_INDEX_FAILED) != 0) {
            *why = FX_DUPLICATE_INVALID;
            return FX_INVALID;
        }
        return FX_VALID;
    }
    *parent = fx_chain_entry(chain, &header->prev);
    if (*parent == NULL) {
        *why = FX_PREV_BLK_NOT_FOUND;
        return FX_INVALID;
    }
    if (((*parent)->status & FX_INDEX_FAILED) != 0) {
        *why = FX_BAD_PREVBLK;
        return FX_INVALID;
    }
    context = context_on(*parent);
    *why = fx_check_header(chain->params, header, &context);
    return *why == FX_OK ? FX_VALID : FX_INVALID;
}

enum fx_result fx_chain_accept_header(struct fx_chain *chain, const struct fx_header *header,
                                      const struct fx_index **index, enum fx_verdict *why)
{
    struct fx_index *entry, *parent;
    enum fx_result result = check_header(chain, header, &entry, &parent, why);

    *index = NULL;
    if (result != FX_VALID) {
        return result;
    }
    if (entry == NULL) {
        entry = fx_chain_add_entry(chain, header, parent);
    }
    *index = entry;
    return FX_VALID;
}

/* A block that breaks a rule by itself. Its header is kept as a mark against it and its
 * descendants, except where it could have been made for nothing: a job-lane header costs no work
 * before its proof is checked. */
static void condemn(struct fx_chain *chain, struct fx_index *entry, struct fx_index *parent,
                    const struct fx_header *header)
{
    if (entry == NULL) {
        if (fx_lane_of(chain->params, header) != FX_LANE_HASH) {
            return;
        }
        entry = fx_chain_add_entry(chain, header, parent);
    }
    fx_chain_condemn(chain, entry);
}

/* Without lanes this node does as Bitcoin Core, which holds against a block's id only what it
 * breaks at its place, in case that there are ways to change a block's bytes which nobody knows of.
 */
static bool is_held_against(const struct fx_chain *chain, enum fx_verdict why)
{
    return chain->params->lanes || why == FX_BAD_TXNS_NONFINAL || why == FX_BAD_CB_HEIGHT ||
           why == FX_BAD_BLK_WEIGHT;
}

/* The verdict on a block that was stored, once activation has looked at it. */
static enum fx_result outcome(const struct fx_chain *chain, const struct fx_index *entry,
                              enum fx_verdict *why)
{
    if ((entry->status & FX_INDEX_FAILED) == 0) {
        *why = FX_OK;
        return FX_VALID;
    }
    *why = chain->failed == entry ? chain->failed_why : FX_BAD_PREVBLK;
    return FX_INVALID;
}

enum fx_result fx_chain_take_block(struct fx_chain *chain, const struct fx_block *block,
                                   const struct fx_block_check *check,
                                   const struct fx_block_place *place, struct fx_index **entry,
                                   bool *fresh, enum fx_verdict *why)
{
    struct fx_block_check made;
    struct fx_index *parent;
    enum fx_result result;

    *fresh = false;
    result = check_header(chain, &block->header, entry, &parent, why);
    if (result != FX_VALID || (*entry != NULL && ((*entry)->status & FX_INDEX_HAVE_DATA) != 0)) {
        return result;
    }
    if (check == NULL) {
        fx_check_block_alone(chain->params, block, &made);
        check = &made;
    }
    result = fx_check_block_at(chain->params, block, check, parent->height + 1, parent->median_time,
                               why);
    if (result == FX_INVALID && is_held_against(chain, *why)) {
        condemn(chain, *entry, parent, &block->header);
    }
    if (result != FX_VALID) {
        return result;
    }
    if (*entry == NULL) {
        *entry = fx_chain_add_entry(chain, &block->header, parent);
    }
    *fresh = true;
    fx_crash_point("block-write-before");
    if (!fx_chain_store_block(chain, *entry, block, place)) {
        return FX_FAILED;
    }
    fx_crash_point("block-write-after");
    if ((*entry)->arrival == 0) {
        fx_chain_link(chain, *entry);
    } /* else it was pruned, and has its place */
    return FX_VALID;
}

enum fx_result fx_chain_accept_block(struct fx_chain *chain, const struct fx_block *block,
                                     bool *fresh, enum fx_verdict *why)
{
    struct fx_index *entry;
    enum fx_result result;
    bool ignored;

    assert(!chain->busy);
    fresh = fresh != NULL ? fresh : &ignored;
    *fresh = false;
    *why = FX_OK;
    if (chain->fatal != NULL) {
        return FX_FAILED;
    }
    result = fx_chain_take_block(chain, block, NULL, NULL, &entry, fresh, why);
    if (result != FX_VALID || !*fresh) {
        return result;
    }
    if (!fx_chain_save_index(chain, false)) {
        fx_chain_set_fatal(chain, "cannot write the block index");
        return FX_FAILED;
    }
    if (!fx_chain_activate(chain, entry, block, 0)) {
        return FX_FAILED;
    }
    return outcome(chain, entry, why);
}

/* ---- templates ---- */

/* The verdicts that a block without a real work proof earns from rules 3 to 5, which come after
 * all that can be judged without one. */
static bool lacks_only_proof(enum fx_result result, enum fx_verdict why)
{
    return result == FX_INVALID_COPY && (why == FX_BAD_WORK_OPEN || why == FX_BAD_WORK_RANGE ||
                                         why == FX_HIGH_TICKET || why == FX_BAD_WORK_SIG);
}

static enum fx_verdict check_template_header(const struct fx_chain *chain,
                                             const struct fx_header *header)
{
    const struct fx_index *tip = chain->tip;
    struct fx_header_context context = context_on(tip);
    enum fx_verdict verdict;

    if (!fx_hash_equal(&header->prev, &tip->id)) {
        return FX_PREV_BLK_NOT_FOUND;
    }
    verdict = fx_check_header(chain->params, header, &context);
    /* The puzzle is judged before the time. */
    return verdict == FX_HIGH_HASH ? fx_check_header_time(chain->params, header, &context)
                                   : verdict;
}

enum fx_result fx_chain_test_block(struct fx_chain *chain, const struct fx_block *block,
                                   enum fx_verdict *why)
{
    struct fx_connected connected;
    enum fx_result result;

    *why = check_template_header(chain, &block->header);
    if (*why != FX_OK) {
        return FX_INVALID;
    }
    result =
        fx_check_block(chain->params, block, chain->tip->height + 1, chain->tip->median_time, why);
    if (result != FX_VALID && !lacks_only_proof(result, *why)) {
        return result;
    }
    if (block->weight > FX_BLOCK_WEIGHT_MAX) {
        *why = FX_BAD_BLK_WEIGHT;
        return FX_INVALID;
    }
    *why = FX_OK;
    result = fx_chain_judge(chain, block, true, &connected, why);
    if (result == FX_VALID) {
        fx_connected_clear(&connected);
    }
    return result;
}
