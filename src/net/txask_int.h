/* Transactions asked for of peers: each of one at a time, and of the next that announced it where
 * the first does not deliver. */
#ifndef FX_NET_TXASK_INT_H
#define FX_NET_TXASK_INT_H

#include "src/net/peer_int.h"

void fx_txask_create(struct fx_net *net);
void fx_txask_destroy(struct fx_net *net);

/* The peer announced one that is not here. True where *ask is to be asked of it now; else it may be
 * asked later. */
bool fx_txask_announced(struct fx_peer *peer, const struct fx_inv *inv, struct fx_inv *ask);
/* Asks for one that it did not announce, unless another is asked already; false: it was not. */
bool fx_txask_now(struct fx_peer *peer, const struct fx_inv *inv);
/* It came, or is not wanted any more; by txid or wtxid. */
void fx_txask_end(struct fx_net *net, const struct fx_hash *hash);
/* The peer sent it. What was asked for by wtxid is answered by exactly that, whoever sends it. By
 * txid any copy will do, but one with another witness may have been sent to end a request before
 * the whole one comes: it ends only the request to its sender. */
void fx_txask_answered(struct fx_peer *peer, const struct fx_tx *tx);
/* One item of a notfound. */
void fx_txask_notfound(struct fx_peer *peer, const struct fx_inv *inv);
/* What was asked for before this time, or of this peer, is asked of the next. */
void fx_txask_retry(struct fx_net *net, int64_t asked_before_ms, uint64_t of_peer);

#endif
