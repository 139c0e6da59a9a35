/*
 * Events that lower layers raise. All are called on the main thread. A listener must not change the
 * chain or the mempool from inside an event; it notes what it wants to do and does it from its own
 * timer or after.
 */
#ifndef FX_IFACE_EVENTS_H
#define FX_IFACE_EVENTS_H

#include "consensus/connect.h"

struct fx_index;

struct fx_chain_events {
    void *ctx;
    /* Any member may be NULL. undo: the coins that the block spent, and record changes. */
    void (*block_connected)(void *ctx, const struct fx_index *index, const struct fx_block *block,
                            const struct fx_undo *undo);
    void (*block_disconnected)(void *ctx, const struct fx_index *index,
                               const struct fx_block *block, const struct fx_undo *undo);
    /* After a step of activation has ended: the tip is settled. */
    void (*tip_changed)(void *ctx, const struct fx_index *tip);
    /* The lowest height of the best chain whose block the listener has still to read; UINT32_MAX:
     * none. Pruning leaves that block and those above it. */
    uint32_t (*needs_from)(void *ctx);
};

enum fx_tx_removal {
    FX_REMOVED_BLOCK = 0, /* mined */
    FX_REMOVED_CONFLICT,
    FX_REMOVED_REPLACED,
    FX_REMOVED_EXPIRED,
    FX_REMOVED_REORG,
    FX_REMOVED_SIZE
};

struct fx_mempool_events {
    void *ctx;
    void (*tx_added)(void *ctx, const struct fx_tx *tx);
    void (*tx_removed)(void *ctx, const struct fx_tx *tx, enum fx_tx_removal reason);
};

#endif
