/* version, verack, and the options that are agreed between them; ping and pong; clocks. */
#ifndef FX_NET_HANDSHAKE_INT_H
#define FX_NET_HANDSHAKE_INT_H

#include "src/net/peer_int.h"

void fx_handshake_start(struct fx_peer *peer); /* the connection stands */
bool fx_handle_version(struct fx_peer *peer, struct fx_reader *r);
bool fx_handle_verack(struct fx_peer *peer, struct fx_reader *r);
bool fx_handle_wtxidrelay(struct fx_peer *peer, struct fx_reader *r);
bool fx_handle_sendaddrv2(struct fx_peer *peer, struct fx_reader *r);
bool fx_handle_ping(struct fx_peer *peer, struct fx_reader *r);
bool fx_handle_pong(struct fx_peer *peer, struct fx_reader *r);
void fx_ping_send(struct fx_peer *peer);
/* Warns where our clock is over 10 minutes off the median of the peers'. */
void fx_clock_compare(struct fx_net *net);

#endif
