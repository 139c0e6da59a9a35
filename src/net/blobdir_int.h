/*
 * Who serves which data (protocol section 9): invdata, the addresses a root, and answering
 * getchunk.
 */
#ifndef FX_NET_BLOBDIR_INT_H
#define FX_NET_BLOBDIR_INT_H

#include "src/net/peer_int.h"

#define FX_BLOB_ROOT_SIZE 33 /* type, root */
#define FX_BLOB_KEY_SIZE 65  /* and the solver */
void fx_blob_key_bytes(const struct fx_blob_key *key, uint8_t bytes[FX_BLOB_KEY_SIZE]);
bool fx_blob_key_equal(const struct fx_blob_key *a, const struct fx_blob_key *b);

void fx_blobdir_create(struct fx_net *net);
void fx_blobdir_destroy(struct fx_net *net);
void fx_blobdir_peer_ready(struct fx_peer *peer);
void fx_blobdir_peer_gone(struct fx_peer *peer);
void fx_blobdir_tick(struct fx_net *net, int64_t now_ms);
void fx_blobdir_tip_changed(struct fx_net *net);
bool fx_handle_invdata(struct fx_peer *peer, struct fx_reader *r);
bool fx_handle_getchunk(struct fx_peer *peer, struct fx_reader *r);
/* Tells every peer that this node serves the blob. */
void fx_blobdir_announce(struct fx_net *net, const struct fx_blob_key *key);
/* Did this peer announce the root, by whatever address? */
bool fx_blobdir_announced_by(const struct fx_net *net, const struct fx_blob_key *key,
                             uint64_t peer);
/* The addresses known; returns how many, at most FX_ADDRESSES_A_ROOT. */
size_t fx_blobdir_addresses(const struct fx_net *net, const struct fx_blob_key *key,
                            struct fx_netaddr addresses[FX_ADDRESSES_A_ROOT]);
size_t fx_blobdir_roots(const struct fx_net *net);

#endif
