/*
 * One connection: its buffers, its score, its life from connect to close. A peer is dropped in two
 * steps: fx_peer_drop marks it, and the event loop frees it, so that handlers up the stack may
 * still look at it.
 */
#ifndef FX_NET_PEER_INT_H
#define FX_NET_PEER_INT_H

#include <event2/bufferevent.h>

#include "src/net/codec_int.h"
#include "src/net/limits_int.h"
#include "src/net/msg_int.h"
#include "src/net/net_int.h"
#include "src/net/rate_int.h"

#define FX_NO_PEER UINT64_MAX /* no peer has this id */

struct fx_partial;
struct fx_presync;
struct fx_rolling;
struct fx_stream;
struct fx_unproven;

enum fx_peer_origin {
    FX_PEER_INBOUND = 0,
    FX_PEER_AUTO,   /* chosen from the known addresses */
    FX_PEER_BLOCKS, /* the next three: addconnection; enum fx_net_connection says what for */
    FX_PEER_ADDRS,
    FX_PEER_FEELER,
    FX_PEER_MANUAL, /* -connect, -addnode, addnode */
    FX_PEER_BLOB    /* an address learnt from invdata */
};

/* headers.c, download.c, serve.c */
struct fx_peer_sync {
    const struct fx_index *best_known; /* the best header that it is known to have */
    const struct fx_index *announced;  /* the last header that it sent; NULL: none */
    const struct fx_index *best_sent;  /* the best that it was told of */
    const struct fx_index *common;     /* last block that both have, as far as known */
    struct fx_hash unknown;            /* a block it announced that is not in the index */
    bool has_unknown;
    bool sendheaders;
    unsigned unconnecting;
    int64_t headers_asked_ms;         /* 0: no getheaders is open */
    struct fx_unproven *unproven;     /* shared by the peers of a host; NULL: none stored yet */
    const struct fx_index *paused_at; /* the last header that had room; NULL: all had */
    struct fx_presync *presync;       /* headers not stored for lack of work; NULL: none */
    bool followed;                    /* an announcement of its was, with getheaders */
    struct fx_stream *stream;         /* weighs those after it as they go by; NULL: none */
    size_t streamed;
    const struct fx_index *stream_fetch; /* a branch that a stream found worth fetching */
    size_t in_flight;
    int64_t last_block_ms;
    int64_t slow_until_ms;    /* others are asked for blocks before it */
    struct fx_hash avoid[16]; /* blocks whose copy from this peer was bad, or that it lacks */
    int64_t avoid_until_ms[16];
    unsigned next_avoid;
    struct fx_inv *wanted; /* what it asked for by getdata and waits for */
    size_t n_wanted, wanted_at;
};

/* compactrelay.c */
struct fx_peer_compact {
    bool provides;     /* it speaks our version of BIP152 */
    bool announces_to; /* it asked for blocks as `cmpctblock`: bip152_hb_from */
    bool announces;    /* we asked it for them: bip152_hb_to */
    struct {
        const struct fx_index *index; /* NULL: free */
        struct fx_partial *partial;   /* owned */
        int64_t asked_ms;
    } waiting[FX_COMPACT_PER_PEER]; /* blocks that lack what it was asked for */
};

/* txrelay.c */
struct fx_peer_tx {
    bool relay; /* it wants transactions */
    bool wtxid; /* BIP339 */
    struct fx_rolling *known;
    struct fx_hash *queue; /* wtxids to announce */
    size_t n_queue, cap_queue;
    int64_t next_ms; /* when to announce them */
    int64_t fee_filter;
    int64_t fee_sent;    /* the last that it was sent; -1: none yet */
    int64_t fee_next_us; /* when to look again, by fx_clock_passed_us; 0: now */
    size_t asked;        /* transactions asked of it */
};

/* blobdir.c, blobfetch.c, certs.c */
struct fx_peer_blobs {
    size_t in_flight;
    size_t late; /* requests given up whose answers may still come */
    int64_t idle_since_ms, last_chunk_ms;
    struct fx_rate invdata, serve, cert;
    size_t early;             /* its messages kept until a block explains them */
    struct fx_rolling *known; /* announcements and certificates that it has or was sent */
};

struct fx_peer {
    struct fx_net *net;
    uint64_t id;
    struct bufferevent *bev;
    enum fx_peer_origin origin;
    struct fx_netaddr addr;
    char name[FX_NET_ADDRESS];
    uint32_t permissions; /* enum fx_permission */
    bool connected;
    bool closing; /* being dropped; freed by the reaper */
    bool gone;    /* its parts have let go of it */

    bool version_sent, version_seen, ready; /* ready: verack came */
    uint64_t nonce;                         /* ours, in the version sent to it */
    struct fx_msg_version version;
    int64_t time_offset; /* its clock minus ours, seconds */
    bool addrv2, addr_sent;
    struct fx_rate addrs;

    struct fx_frame frame; /* where has_frame: the head of the message being read */
    bool has_frame;
    bool nameless; /* its command is not text: the message is passed over */
    bool read_paused;
    uint64_t bytes_sent, bytes_received;
    uint64_t sent_by[FX_NET_COMMANDS], received_by[FX_NET_COMMANDS]; /* the same by command */
    int64_t last_tx, last_block; /* unix seconds: what it sent and was taken; 0: none */
    int64_t connected_at, last_send, last_recv; /* unix seconds */
    int64_t created_ms, last_recv_ms;
    int64_t created_us;                         /* by fx_clock_passed_us */
    uint64_t ping_nonce;                        /* 0: none open */
    int64_t ping_sent_us, ping_us, min_ping_us; /* by fx_clock_passed_us; -1: none yet */
    unsigned misbehaviour;

    struct fx_peer_sync sync;
    struct fx_peer_compact compact;
    struct fx_peer_tx tx;
    struct fx_peer_blobs blobs;
};

/* Takes a connected socket, or connects to addr where fd is -1. NULL: no memory or no descriptor.
 */
struct fx_peer *fx_peer_create(struct fx_net *net, int fd, enum fx_peer_origin origin,
                               const struct fx_netaddr *addr);
/* Only the reaper and fx_net_destroy call this. */
void fx_peer_destroy(struct fx_peer *peer);
/* why: a phrase for the log, NULL for none. */
void fx_peer_drop(struct fx_peer *peer, const char *why);
/* Adds to its score; at FX_MISBEHAVIOUR_MAX it is dropped and its address discouraged. One line in
 * the log. */
void fx_peer_misbehaved(struct fx_peer *peer, unsigned score, const char *why);
/* Does the message hold more items than it may? Then it counts against the peer. r: at the number
 * of items, which is only looked at. */
bool fx_peer_oversized(struct fx_peer *peer, const char *command, const struct fx_reader *r,
                       uint64_t most);
/* Takes the bytes of payload, which is empty after; NULL: none. */
void fx_peer_send(struct fx_peer *peer, const char *command, struct fx_buf *payload);
/* The same with a payload that is only looked at. */
void fx_peer_send_span(struct fx_peer *peer, const char *command, struct fx_span payload);
size_t fx_peer_send_backlog(const struct fx_peer *peer); /* bytes not yet sent */
bool fx_peer_ready(const struct fx_peer *peer);          /* handshake done, not being dropped */
/* Are its transactions taken, and does it hear of others'? Not of block-relay-only connections and
 * feelers; with -blocksonly of none but those that may (relay). */
bool fx_peer_gives_txs(const struct fx_peer *peer);
bool fx_peer_has_jobdata(const struct fx_peer *peer); /* and has the service bit */
/* It has blocks for others: all, or the last 288 (BIP159). */
bool fx_peer_has_blocks(const struct fx_peer *peer);
void fx_peer_tick(struct fx_peer *peer, int64_t now_ms);
void fx_peer_info(const struct fx_peer *peer, struct fx_peer_info *info);

#endif
