/* Making, driving and ending the transaction index; what others ask of it is in
 * src/iface/txindex.h. */
#ifndef FX_CHAIN_TXINDEX_H
#define FX_CHAIN_TXINDEX_H

#include "src/iface/chain.h"
#include "src/iface/txindex.h"

/*
 * Opens the index of a folder, made where missing, and follows the chain, which must not be pruned.
 * What it lacks is read from the blocks by steps. NULL on failure; *error is the caller's to free.
 */
struct fx_tx_index *fx_tx_index_create(struct fx_chain *chain, const char *dir, char **error);
/* After the last event of the chain, and before the chain. NULL: nothing. */
void fx_tx_index_destroy(struct fx_tx_index *index);

enum fx_tx_index_step {
    FX_TX_INDEX_MORE = 0,
    FX_TX_INDEX_SYNCED, /* nothing to do until the next block, which its event brings */
    FX_TX_INDEX_FAILED /* a block cannot be read, or the index cannot be written; the log says so */
};
/* Works for about ms milliseconds, and for one block at least. */
enum fx_tx_index_step fx_tx_index_step(struct fx_tx_index *index, unsigned ms);

#endif
