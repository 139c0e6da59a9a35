/* The net object, and what its parts offer each other. One part a file; each part's state hangs
 * below struct fx_net, its state a peer below struct fx_peer (peer_int.h). */
#ifndef FX_NET_NET_INT_H
#define FX_NET_NET_INT_H

#include <event2/event.h>

#include "src/iface/chain.h"
#include "src/iface/jobs.h"
#include "src/iface/mempool.h"
#include "src/net/limits_int.h"
#include "src/net/net.h"
#include "src/net/netaddr_int.h"
#include "src/net/rate_int.h"

struct fx_peer;
struct fx_sync;
struct fx_compactrelay;
struct fx_map;
struct fx_txrelay;
struct fx_certs;
struct fx_blobdir;
struct fx_blobfetch;
struct fx_dial;
struct fx_addrman;
struct fx_bans;

struct fx_net {
    struct event_base *base; /* the caller's, like the next five */
    const struct fx_params *params;
    struct fx_chain *chain;
    struct fx_mempool *mempool;
    struct fx_blobs *blobs;
    struct fx_jobs *jobs; /* NULL until set */
    uint64_t services;
    unsigned max_connections;
    int64_t handshake_ms; /* that a peer has for its handshake */
    int64_t ban_seconds;  /* of a ban for which no time is named */
    char user_agent[FX_USER_AGENT_MAX + 1];
    char *dir; /* NULL: nothing is kept */
    uint16_t port;
    bool eager; /* regtest, btcregtest: nothing is delayed, any address may be dialled */
    bool keep_to_itself;
    bool blocks_only; /* -blocksonly */
    bool inactive;    /* setnetworkactive false */
    bool stopping;

    struct fx_peer **peers;
    size_t n_peers, cap_peers;
    uint64_t next_peer_id;
    uint64_t map_key[2]; /* for maps keyed by what outsiders choose */
    uint64_t bytes_sent, bytes_received;
    struct fx_rate serve, fetch; /* job data, bytes; per_second 0: no limit */

    struct event *tick;  /* every second */
    struct event *reap;  /* frees peers that were dropped */
    struct event *flush; /* sends what events of chain and mempool left to send */
    bool tip_moved, fetch_wanted;
    bool clock_warned;

    struct fx_sync *sync;
    struct fx_compactrelay *compactrelay;
    struct fx_txrelay *txrelay;
    struct fx_map *txasks; /* of txask.c: txid or wtxid -> what was asked for; owns */
    struct fx_certs *certs;
    struct fx_blobdir *blobdir;
    struct fx_blobfetch *blobfetch;
    struct fx_dial *dial;
    struct fx_addrman *addrman;
    struct fx_bans *bans;
};

/* Runs fx_net_flush from the event loop, as soon as the current callback is over. */
void fx_net_flush_soon(struct fx_net *net);
/* Peers that finished their handshake and are not being dropped. */
size_t fx_net_ready_peers(const struct fx_net *net);
struct fx_peer *fx_net_peer(const struct fx_net *net, uint64_t id); /* NULL: gone */

#endif
