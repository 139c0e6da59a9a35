/* Listening, and which addresses are dialled when. */
#ifndef FX_NET_DIAL_INT_H
#define FX_NET_DIAL_INT_H

#include "src/net/peer_int.h"

bool fx_dial_create(struct fx_net *net, const struct fx_net_config *config, char **error);
void fx_dial_destroy(struct fx_net *net);
void fx_dial_tick(struct fx_net *net, int64_t now_ms);
void fx_dial_peer_ready(struct fx_peer *peer);
void fx_dial_peer_gone(struct fx_peer *peer);
/* As fx_net_add_node and its kin have it. */
bool fx_dial_add(struct fx_net *net, const char *text, bool once);
bool fx_dial_is_added(const struct fx_net *net, const char *text);
/* *nodes is the caller's to free. */
size_t fx_dial_added(const struct fx_net *net, struct fx_added_node **nodes);
/* False: all places of this kind are taken. */
bool fx_dial_once(struct fx_net *net, const struct fx_netaddr *addr, enum fx_net_connection kind);
bool fx_dial_remove(struct fx_net *net, const char *text);
/* For data: at most one attempt each an hour. False: not now. */
bool fx_dial_for_blob(struct fx_net *net, const struct fx_netaddr *addr, int64_t now_ms);
void fx_dial_discourage(struct fx_net *net, const struct fx_netaddr *addr);
/* Those of a connection with this address, by -whitelist: enum fx_permission. */
uint32_t fx_dial_permissions(const struct fx_net *net, const struct fx_netaddr *addr, bool inbound);
bool fx_dial_is_discouraged(const struct fx_net *net, const struct fx_netaddr *addr);
/* The address under which this peer could tell others of us; port 0 where we do not listen. */
void fx_dial_own_address(const struct fx_peer *peer, struct fx_netaddr *addr);

#endif
