/* Peers. Implemented by src/net. Main thread only. */
#ifndef FX_IFACE_NET_H
#define FX_IFACE_NET_H

#include "consensus/tx.h"
#include "src/iface/blobs.h"

struct fx_net; /* opaque */

#define FX_NET_ADDRESS 64 /* "[ipv6]:port" and the terminating zero */
#define FX_NET_NODE 260   /* "host:port" and the terminating zero */
#define FX_NODE_NETWORK (UINT64_C(1) << 0)
#define FX_NODE_WITNESS (UINT64_C(1) << 3)
#define FX_NODE_NETWORK_LIMITED (UINT64_C(1) << 10) /* BIP159: the last 288 blocks */
#define FX_NODE_JOBDATA (UINT64_C(1) << 24)

#define FX_NET_PROTOCOL_VERSION 70016 /* of version messages */
#define FX_NET_IN_FLIGHT 16           /* blocks asked of one peer at a time */

#define FX_NET_PERMISSIONS 8 /* at least those that there are */
#define FX_NET_COMMANDS 40   /* at least the commands that this node knows, and one more */

/* Bytes of one command's messages, with their headers. */
struct fx_net_command_bytes {
    const char *name; /* "*other*": those that are not known */
    uint64_t sent, received;
};

struct fx_peer_info {
    uint64_t id;
    char address[FX_NET_ADDRESS];
    char bound_to[FX_NET_ADDRESS]; /* our end of the connection; "" where it is not known */
    const char *network;           /* "ipv4", "ipv6", "not_publicly_routable" */
    const char *connection_type;   /* as Bitcoin Core names them; "data": to fetch a blob */
    char user_agent[257];
    bool inbound;
    bool handshake_done;
    uint64_t services;
    uint32_t version;
    int64_t connected_at, last_send, last_recv;
    uint64_t bytes_sent, bytes_recv;
    int64_t ping_us, min_ping_us; /* -1: none yet */
    int64_t ping_wait_us;         /* since a ping that is not answered yet; -1: there is none */
    int64_t last_tx, last_block;  /* unix seconds of the newest that was taken from it; 0: none */
    bool relays_txs;              /* it wants transactions */
    bool relays_addrs;
    bool compact_to;    /* we asked it to announce blocks as compact ones (BIP152) */
    bool compact_from;  /* it asked us */
    int64_t fee_filter; /* what it asked for, embers per 1,000 vbytes */
    int64_t time_offset;
    int32_t start_height;
    int32_t best_height;    /* of the best header it announced; -1 unknown */
    int32_t common_height;  /* of the last block that both have; -1 unknown */
    int32_t presync_height; /* of its headers that are weighed and not stored yet; -1: none are */
    unsigned misbehaviour;
    const char *permissions[FX_NET_PERMISSIONS]; /* names */
    size_t n_permissions;
    size_t blocks_in_flight;
    uint32_t in_flight_heights[FX_NET_IN_FLIGHT]; /* of those, the first */
    struct fx_net_command_bytes commands[FX_NET_COMMANDS];
    size_t n_commands;
};

/* "host" or "host:port", of a numeric address or a name, which is looked up before each attempt.
 * once: try one time; else keep connected. False: neither, or one too many. */
bool fx_net_add_node(struct fx_net *net, const char *address, bool once);
bool fx_net_remove_node(struct fx_net *net, const char *address);

/* A node that is kept connected. */
struct fx_added_node {
    char address[FX_NET_NODE]; /* as it was added */
    char peer[FX_NET_ADDRESS]; /* of the connection to it; "": there is none */
    bool inbound;              /* that connection came from there */
};

/* *nodes is the caller's to free. */
size_t fx_net_added_nodes(const struct fx_net *net, struct fx_added_node **nodes);
bool fx_net_is_added(const struct fx_net *net, const char *address);

/* Connections that this node makes by itself, in Bitcoin Core's words: outbound-full-relay,
 * block-relay-only, addr-fetch, feeler. */
enum fx_net_connection {
    FX_CONNECT_FULL = 0,
    FX_CONNECT_BLOCKS, /* no transactions, no addresses */
    FX_CONNECT_ADDRS,  /* ends when it has sent addresses */
    FX_CONNECT_FEELER  /* ends when it has said its version */
};

/* Makes one, for tests. False: not an address, or all places of this kind are taken. */
bool fx_net_connect(struct fx_net *net, const char *address, enum fx_net_connection kind);
/* Not active: all connections are closed, none is made or accepted. */
void fx_net_set_active(struct fx_net *net, bool active);
bool fx_net_is_active(const struct fx_net *net);
bool fx_net_takes_txs(const struct fx_net *net); /* false: -blocksonly */
/* setmocktime moved the clock: what is due by it is done now. */
void fx_net_clock_moved(struct fx_net *net);
/* Pings all peers now. */
void fx_net_ping(struct fx_net *net);
/* Sends any message, of at most 12 characters for its name, for tests. False: no such peer. */
bool fx_net_send(struct fx_net *net, uint64_t id, const char *name, struct fx_span payload);

struct fx_index;
/* Asks a peer for a block whose header is known. NULL: it was asked; else why not. */
const char *fx_net_fetch_block(struct fx_net *net, uint64_t id, const struct fx_index *index);
bool fx_net_disconnect(struct fx_net *net, const char *address,
                       uint64_t id); /* address NULL: by id */

/* Hosts and subnets that a user banned: no connections with them. Kept over restarts. */
#define FX_NET_SUBNET 64 /* "ipv6/bits" and the terminating zero */

struct fx_ban {
    char subnet[FX_NET_SUBNET];
    int64_t created, until; /* unix seconds */
};

enum fx_ban_outcome {
    FX_BAN_DONE = 0,
    FX_BAN_NO_SUBNET, /* not a numeric address, with or without /bits */
    FX_BAN_ALREADY,   /* it, or a subnet around it, is banned */
    FX_BAN_NONE,      /* nothing with exactly this name is */
    FX_BAN_FULL       /* too many are */
};

/* Peers that it covers are dropped. */
enum fx_ban_outcome fx_net_ban(struct fx_net *net, const char *subnet, int64_t until);
enum fx_ban_outcome fx_net_unban(struct fx_net *net, const char *subnet);
void fx_net_clear_bans(struct fx_net *net);
int64_t fx_net_ban_seconds(const struct fx_net *net); /* where the user says no time: -bantime */
/* *bans is the caller's to free. */
size_t fx_net_bans(struct fx_net *net, struct fx_ban **bans);

/* *peers is the caller's to free. */
size_t fx_net_peers(const struct fx_net *net, struct fx_peer_info **peers);
uint16_t fx_net_port(const struct fx_net *net);          /* listening; 0: not */
const char *fx_net_user_agent(const struct fx_net *net); /* with its comment */
uint64_t fx_net_local_services(const struct fx_net *net);
void fx_net_totals(const struct fx_net *net, uint64_t *sent, uint64_t *received);

/* A transaction that this node wants known; again at intervals until it confirms. */
void fx_net_relay_tx(struct fx_net *net, const struct fx_tx *tx);
/* It is not announced any more, nor put back into the mempool. */
void fx_net_forget_tx(struct fx_net *net, const struct fx_hash *txid);
/* One of those that no peer has asked for yet. */
bool fx_net_is_unbroadcast(const struct fx_net *net, const struct fx_hash *txid);
size_t fx_net_unbroadcast(const struct fx_net *net);
/* Own transactions are announced again as if so many seconds had passed. */
void fx_net_hurry(struct fx_net *net, int64_t seconds);
/* A certificate (protocol section 9): origin, program, client's signature. */
void fx_net_relay_cert(struct fx_net *net, const struct fx_outpoint *origin,
                       const struct fx_hash *program, const uint8_t signature[64]);
/* Tells peers with NODE_JOBDATA that this node serves the blob. */
void fx_net_announce_blob(struct fx_net *net, const struct fx_blob_key *key);
/* Fetches an expected blob (fx_blobs_expect first) from whoever has it, until complete or
 * cancelled. */
void fx_net_fetch_blob(struct fx_net *net, const struct fx_blob_key *key);
void fx_net_cancel_blob(struct fx_net *net, const struct fx_blob_key *key);

#endif
