/* Bounds on everything that peers can make this node keep or do, and the times of the protocol. */
#ifndef FX_NET_LIMITS_INT_H
#define FX_NET_LIMITS_INT_H

#include "consensus/block.h"
#include "src/iface/net.h"

#define FX_PROTOCOL_VERSION FX_NET_PROTOCOL_VERSION
#define FX_PROTOCOL_VERSION_MIN 70015 /* sendheaders, witnesses */
#define FX_WTXID_VERSION 70016        /* BIP339 */

/* messages, in bytes and items */
#define FX_MESSAGE_MAX (4u << 20)
#define FX_BITCOIN_MESSAGE_MAX 4000000 /* on networks that follow Bitcoin alone */
#define FX_USER_AGENT_MAX 256
#define FX_INV_MAX 50000
#define FX_HEADERS_MAX 2000
#define FX_LOCATOR_MAX 101
#define FX_GETBLOCKS_MAX 500
#define FX_ADDR_MAX 1000
#define FX_ADDR_BYTES_MAX 512 /* BIP155 */

/* buffers of a peer, in bytes */
#define FX_SEND_PAUSE (2u << 20)    /* above this, nothing more is read from the peer */
#define FX_SEND_RESUME (512u << 10) /* below this, it goes on */
#define FX_SEND_MAX (48u << 20)     /* above this, the peer is dropped */
#define FX_READ_BATCH 64            /* messages handled before others get their turn */

/* a peer's life, in milliseconds of the monotonic clock */
#define FX_HANDSHAKE_MS 60000
#define FX_PING_EVERY_MS 120000
#define FX_PING_TIMEOUT_MS 1200000
#define FX_CONNECT_MS 10000
#define FX_LIMITED_PEERS_S 86400 /* peers with the last blocks only are of use to so old a tip */

#define FX_MISBEHAVIOUR_MAX 100 /* at this score a peer is dropped */
#define FX_DISCOURAGED_MAX 4096 /* addresses that misbehaved */
#define FX_DISCOURAGED_S 86400

/* connections */
#define FX_OUTBOUND_MAX 8    /* automatic ones */
#define FX_BLOCKS_ONLY_MAX 2 /* block-relay-only */
#define FX_BLOB_DIALS_MAX 8  /* for data, by addresses learnt from invdata */
#define FX_ADDED_NODES_MAX 1000

/* headers and blocks */
#define FX_UNPROVEN_MAX 2016  /* job-lane headers a peer without a checked proof (section 3) */
#define FX_STREAM_MAX 4000000 /* headers weighed in one go */
#define FX_BLOCKS_PER_PEER FX_NET_IN_FLIGHT
#define FX_BLOCK_WINDOW 1024    /* blocks ahead of the common ancestor */
#define FX_BLOCK_RETRY_MS 5000  /* then another peer is asked too */
#define FX_BLOCK_STALL_MS 60000 /* then the peer is dropped */
#define FX_ASK_MS 60000         /* between asking peers, in turn, for headers */
#define FX_ASK_EAGER_MS 5000
#define FX_ANNOUNCE_HEADERS 8 /* more than these are announced by inv */
#define FX_UNCONNECTING_MAX 10

/* compact blocks (BIP152) */
#define FX_COMPACT_PEERS 3      /* that announce blocks so */
#define FX_COMPACT_PER_BLOCK 3  /* peers asked for what one block lacks */
#define FX_COMPACT_PER_PEER 2   /* blocks of which a peer is asked for what they lack */
#define FX_COMPACT_ALL 32       /* the same of all peers, repeats counted */
#define FX_COMPACT_AHEAD 2      /* blocks above the tip: the pool is of no use further up */
#define FX_COMPACT_DEPTH 5      /* deeper blocks are sent whole */
#define FX_COMPACT_TXS_DEPTH 10 /* the same where some of their transactions are asked for */
#define FX_EXTRA_TXS 100        /* not in the pool, kept for blocks that have them */
#define FX_EXTRA_TX_BYTES 100000

/* transactions */
#define FX_TX_ASKED_PER_PEER 5000 /* announced by a peer, not come yet */
#define FX_TX_QUEUE_MAX 20000     /* waiting to be announced to a peer */
#define FX_TX_RETRY_MS 60000
#define FX_ORPHANS_MAX 100
#define FX_ORPHAN_WEIGHT_MAX 400000
#define FX_ORPHAN_S 1200
#define FX_OWN_TXS_MAX 10000

/* certificates and data */
#define FX_EARLY_MAX 1024 /* messages that came before the block that explains them */
#define FX_EARLY_PER_PEER 64
#define FX_ROOTS_MAX 8192      /* roots with addresses */
#define FX_ADDRESSES_A_ROOT 16 /* section 9 */
#define FX_ADDRESSES_A_GROUP 2 /* section 9 */
#define FX_FETCHES_MAX 4096
#define FX_PASS_ON_MS 30000    /* within which nodes begin to fetch for others, at random */
#define FX_PASS_ON_FETCHES 256 /* while so many blobs are fetched, none is for others */
#define FX_PASS_ON_SHAPES 8    /* claims with one root that are fetched for others */
#define FX_CHUNKS_PER_PEER 16  /* requests in flight */
#define FX_CHUNKS_ALL 128
#define FX_CHUNK_MS 20000        /* until a request is given up */
#define FX_DIAL_AGAIN_MS 3600000 /* an address learnt from invdata: one attempt an hour */

#endif
