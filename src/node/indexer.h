/* Brings the transaction index up to the chain, in slices between what else the event loop does. */
#ifndef FX_NODE_INDEXER_H
#define FX_NODE_INDEXER_H

#include "src/iface/txindex.h"

struct event_base;
struct fx_chain;
struct fx_indexer; /* opaque */

/* dir: the index's folder. chain and base outlive it. NULL on failure; *error is the caller's to
 * free. */
struct fx_indexer *fx_indexer_create(struct event_base *base, struct fx_chain *chain,
                                     const char *dir, char **error);
/* NULL of NULL. */
struct fx_tx_index *fx_indexer_index(const struct fx_indexer *indexer);
void fx_indexer_destroy(struct fx_indexer *indexer); /* NULL: nothing */

#endif
