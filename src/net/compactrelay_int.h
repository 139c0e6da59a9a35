/*
 * Compact blocks between peers (BIP152), version 2 on btcregtest, 3 on networks with lanes: whom
 * we ask to announce so, blocks that are put together from the pool and from what peers are asked
 * for, and serving the same.
 */
#ifndef FX_NET_COMPACTRELAY_INT_H
#define FX_NET_COMPACTRELAY_INT_H

#include "src/net/peer_int.h"

void fx_compactrelay_create(struct fx_net *net);
void fx_compactrelay_destroy(struct fx_net *net);
void fx_compactrelay_peer_ready(struct fx_peer *peer);
void fx_compactrelay_peer_gone(struct fx_peer *peer);
void fx_compactrelay_tick(struct fx_net *net, int64_t now_ms);

/* This peer was the first with a block that is now on our chain: it is asked to announce blocks
 * as `cmpctblock`, in the place of the one for which that is the longest ago. */
void fx_compactrelay_prefer(struct fx_peer *peer);
/* The block is here, or can never be: nobody is waited for any more. */
void fx_compactrelay_forget(struct fx_net *net, const struct fx_index *index);
/* The same of one peer. */
void fx_compactrelay_forget_of(struct fx_peer *peer, const struct fx_index *index);
/* A transaction that is not in the pool, and yet may be in a block. */
void fx_compactrelay_keep(struct fx_net *net, const struct fx_tx *tx);

/* Is the tip so new that what is in the pool is likely to be in the next blocks? */
bool fx_compactrelay_near_tip(const struct fx_net *net);
/* Should this block, the only one asked for, be asked of the peer as compact? */
bool fx_compactrelay_wants(const struct fx_peer *peer, const struct fx_index *index);
/* Sends the block as `cmpctblock`; false: it cannot be read. */
bool fx_compactrelay_send(struct fx_peer *peer, const struct fx_index *index);

bool fx_handle_sendcmpct(struct fx_peer *peer, struct fx_reader *r);
bool fx_handle_cmpctblock(struct fx_peer *peer, struct fx_reader *r);
bool fx_handle_getblocktxn(struct fx_peer *peer, struct fx_reader *r);
bool fx_handle_blocktxn(struct fx_peer *peer, struct fx_reader *r);

#endif
