/*
 * The transaction index: in which block of the best chain a transaction is. Implemented by
 * src/chain. Main thread only.
 */
#ifndef FX_IFACE_TXINDEX_H
#define FX_IFACE_TXINDEX_H

#include "src/iface/chain.h"

struct fx_tx_index; /* opaque */

/* FX_FOUND: *block is its block, of the best chain. FX_MISSING is the last word only where the
 * index is synced; the transaction of genesis is never there. */
enum fx_lookup fx_tx_index_find(struct fx_tx_index *index, const struct fx_hash *txid,
                                const struct fx_index **block);
/* All blocks of the best chain are in it. */
bool fx_tx_index_is_synced(const struct fx_tx_index *index);
/* Of the last block that is in it. */
uint32_t fx_tx_index_height(const struct fx_tx_index *index);

#endif
