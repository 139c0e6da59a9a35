/*
 * Hosts and subnets that a user banned, kept in banlist.json. Others than those that misbehaved,
 * which are forgotten with the process (fx_dial_discourage).
 */
#ifndef FX_NET_BANS_INT_H
#define FX_NET_BANS_INT_H

#include "src/net/net_int.h"

#define FX_BANS_MAX 10000

void fx_bans_create(struct fx_net *net); /* reads banlist.json, or makes it */
void fx_bans_destroy(struct fx_net *net);
bool fx_bans_has(struct fx_net *net, const struct fx_netaddr *addr);

#endif
