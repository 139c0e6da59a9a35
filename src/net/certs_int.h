/* Certificates between nodes (protocol section 9). */
#ifndef FX_NET_CERTS_INT_H
#define FX_NET_CERTS_INT_H

#include "src/net/peer_int.h"

void fx_certs_create(struct fx_net *net);
void fx_certs_destroy(struct fx_net *net);
void fx_certs_peer_ready(struct fx_peer *peer);
/* The tip moved: certificates that came too early are judged again. */
void fx_certs_tip_changed(struct fx_net *net);
/* To all peers that carry job data and do not have it. */
void fx_certs_relay(struct fx_net *net, const struct fx_msg_cert *cert);
bool fx_handle_cert(struct fx_peer *peer, struct fx_reader *r);

#endif
