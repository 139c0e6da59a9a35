/*
 * How the rules see the world: look-ups that the chain, the mempool and the tests supply. Every
 * answer is about the state after the parent of the block being judged. A look-up that cannot be
 * made answers FX_LOOKUP_FAILED, and the rules then return FX_FAILED: an I/O failure never condemns
 * a block.
 */
#ifndef FX_CONSENSUS_VIEW_H
#define FX_CONSENSUS_VIEW_H

#include "consensus/task.h"
#include "consensus/tx.h"
#include "consensus/verdict.h"

/* What the rules need of an ancestor. */
struct fx_ancestor {
    struct fx_hash id;
    uint32_t height;
    unsigned lane;
    int64_t time;
    int64_t median_time;   /* of this block and the ten before it (BIP113) */
    struct fx_hash solver; /* job lane: the solver its coinbase names */
};

struct fx_view {
    void *ctx;
    /* FX_FOUND fills *coin, which the caller clears. */
    enum fx_lookup (*coin)(void *ctx, const struct fx_outpoint *outpoint, struct fx_coin *coin);
    enum fx_lookup (*record)(void *ctx, const struct fx_outpoint *origin,
                             struct fx_task_record *record);
    /* The origins of the records settled at exactly this height; *origins is the caller's to free.
     */
    enum fx_lookup (*settled_at)(void *ctx, uint32_t height, struct fx_outpoint **origins,
                                 size_t *n);
    /* The block at this height on the branch, at or below the parent. */
    enum fx_lookup (*ancestor)(void *ctx, uint32_t height, struct fx_ancestor *ancestor);
    /* beacon(above): the first hash-lane block at a height > above, at or below the parent
     * (protocol section 3). */
    enum fx_lookup (*beacon)(void *ctx, uint32_t above, struct fx_ancestor *ancestor);
};

#endif
