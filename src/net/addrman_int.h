/* Addresses of nodes that may be dialled: learnt from peers, kept in peers.dat. Bounded, two a
 * network group at most. */
#ifndef FX_NET_ADDRMAN_INT_H
#define FX_NET_ADDRMAN_INT_H

#include "src/net/peer_int.h"

#define FX_ADDRMAN_MAX 4096
#define FX_ADDRMAN_GROUP_MAX 32

void fx_addrman_create(struct fx_net *net);
void fx_addrman_destroy(struct fx_net *net); /* writes peers.dat */
void fx_addrman_tick(struct fx_net *net, int64_t now_ms);
/* time: unix seconds at which it was last heard of. Only routable ones are kept. True: it is new,
 * and kept. */
bool fx_addrman_add(struct fx_net *net, const struct fx_netaddr *addr, uint64_t services,
                    int64_t time);
void fx_addrman_good(struct fx_net *net, const struct fx_netaddr *addr, uint64_t services);
void fx_addrman_failed(struct fx_net *net, const struct fx_netaddr *addr);
size_t fx_addrman_count(const struct fx_net *net);
/* One to dial now; false: none. */
bool fx_addrman_choose(struct fx_net *net, struct fx_netaddr *addr, int64_t now_ms);

bool fx_handle_addr(struct fx_peer *peer, struct fx_reader *r);
bool fx_handle_addrv2(struct fx_peer *peer, struct fx_reader *r);
bool fx_handle_getaddr(struct fx_peer *peer, struct fx_reader *r);
void fx_addrman_peer_ready(struct fx_peer *peer);

#endif
