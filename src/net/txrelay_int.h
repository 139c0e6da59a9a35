/* Transactions between peers: announcing, orphans, and this node's own. */
#ifndef FX_NET_TXRELAY_INT_H
#define FX_NET_TXRELAY_INT_H

#include "src/net/peer_int.h"

void fx_txrelay_create(struct fx_net *net);
void fx_txrelay_destroy(struct fx_net *net);
/* There is no mempool, or the chain is so old that it can judge nothing (on regtest it may). */
bool fx_txrelay_is_quiet(const struct fx_net *net);
/* All of the mempool that the peer was not told of yet. */
void fx_txrelay_announce_all(struct fx_peer *peer);
void fx_txrelay_peer_ready(struct fx_peer *peer);
void fx_txrelay_peer_gone(struct fx_peer *peer);
void fx_txrelay_tick(struct fx_net *net, int64_t now_ms);
void fx_txrelay_flush(struct fx_net *net);
void fx_txrelay_block_connected(struct fx_net *net, const struct fx_block *block);
void fx_txrelay_block_disconnected(struct fx_net *net);
void fx_txrelay_tip_changed(struct fx_net *net);

/* A transaction that the mempool took: for the peers. */
void fx_txrelay_announce(struct fx_net *net, const struct fx_tx *tx);
/* One of this node's own: announced again at intervals until it confirms. */
void fx_txrelay_own(struct fx_net *net, const struct fx_tx *tx);
/* It is not wanted any more. */
void fx_txrelay_forget(struct fx_net *net, const struct fx_hash *txid);

bool fx_handle_tx(struct fx_peer *peer, struct fx_reader *r);
/* One item of an inv: true where *ask is to be asked for. */
bool fx_txrelay_announced(struct fx_peer *peer, const struct fx_inv *inv, struct fx_inv *ask);
/* One item of a getdata; false: we do not have it. */
bool fx_txrelay_serve(struct fx_peer *peer, const struct fx_inv *inv);

#endif
