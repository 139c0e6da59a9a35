/*
 * Fetching blobs chunk by chunk: requests in flight over the peers that announced the root, else
 * over any with NODE_JOBDATA; each chunk is verified by the blob store before it counts.
 */
#ifndef FX_NET_BLOBFETCH_INT_H
#define FX_NET_BLOBFETCH_INT_H

#include "src/net/peer_int.h"

void fx_blobfetch_create(struct fx_net *net);
void fx_blobfetch_destroy(struct fx_net *net);
void fx_blobfetch_peer_ready(struct fx_peer *peer);
void fx_blobfetch_peer_gone(struct fx_peer *peer);
void fx_blobfetch_tick(struct fx_net *net, int64_t now_ms);
bool fx_blobfetch_start(struct fx_net *net, const struct fx_blob_key *key);
void fx_blobfetch_cancel(struct fx_net *net, const struct fx_blob_key *key);
bool fx_blobfetch_active(const struct fx_net *net, const struct fx_blob_key *key);
size_t fx_blobfetch_count(const struct fx_net *net);
/* Sends as many requests as the limits allow. */
void fx_blobfetch_run(struct fx_net *net);
/* This peer has data of this root after all: forget that it said otherwise. */
void fx_blobfetch_offered(struct fx_net *net, const struct fx_blob_key *key, uint64_t peer);
bool fx_handle_chunk(struct fx_peer *peer, struct fx_reader *r);
bool fx_handle_nochunk(struct fx_peer *peer, struct fx_reader *r);

#endif
