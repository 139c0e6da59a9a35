/*
 * What src/net calls through src/iface, made simple: a chain without rules, a mempool that knows
 * which inputs exist, blobs of a fixed pattern, and jobs that name what the test says. Each node of
 * a test has its own set.
 */
#ifndef FORNAX_QA_UNIT_NET_FAKES_H
#define FORNAX_QA_UNIT_NET_FAKES_H

#include <event2/event.h>

#include "src/iface/chain.h"
#include "src/iface/jobs.h"
#include "src/iface/mempool.h"
#include "src/net/net.h"

/* ---- chain: a header is taken unless its nonce says otherwise ---------------------------------
 */

#define NONCE_BAD_HEADER 0xbad00001u
#define NONCE_BAD_BLOCK 0xbad00002u
#define NONCE_BAD_COPY 0xbad00003u
#define NONCE_TOO_NEW 0xbad00004u

#define FAKE_INDEX_MAX 12000
#define FAKE_BLOCK_TXS 256

struct fx_chain {
    const struct fx_params *params;
    struct fx_index *list[FAKE_INDEX_MAX];
    const struct fx_block *blocks[FAKE_INDEX_MAX]; /* of the same place in list; NULL: none */
    size_t n;
    struct fx_map *by_id; /* id -> struct fx_index */
    struct fx_index *tip;
    struct fx_index *best_header;
    struct fx_chain_events events[4];
    size_t n_events;
    bool initial_download;
    bool lacks_work; /* it has less than -minimumchainwork */
    struct fx_u256 min_work;
    size_t accepted; /* blocks given to it */
};

struct fx_chain *fake_chain_create(void);
void fake_chain_destroy(struct fx_chain *chain);
/* A block on parent with these transactions after its coinbase; one reference. */
struct fx_block *fake_block(const struct fx_index *parent, uint32_t nonce,
                            const struct fx_tx *const *txs, size_t n_txs);
/* Mines n blocks on the tip and takes them. */
void fake_chain_mine(struct fx_chain *chain, size_t n);
/* A header on a parent, not taken. */
struct fx_header fake_header(const struct fx_hash *parent, enum fx_lane lane, uint32_t nonce);

/* ---- mempool ----------------------------------------------------------------------------------
 */

#define FAKE_POOL_MAX 512
#define VERSION_POLICY 97    /* refused as not standard */
#define VERSION_SCRIPT 95    /* refused for its scripts, as if it spent a witness program */
#define VERSION_INPUTS 96    /* refused for what it spends */
#define VERSION_BELOW_OUT 98 /* refused as invalid whatever the state */

struct fx_mempool {
    const struct fx_tx *txs[FAKE_POOL_MAX];
    size_t n;
    struct fx_hash confirmed[FAKE_POOL_MAX]; /* txids whose outputs exist */
    size_t n_confirmed;
    struct fx_mempool_events events[2];
    size_t n_events;
    size_t offered;
};

struct fx_mempool *fake_mempool_create(void);
void fake_mempool_destroy(struct fx_mempool *pool);
/* A transaction that spends output 0 of txid; one reference. */
struct fx_tx *fake_tx(const struct fx_hash *txid, int32_t version, uint32_t salt);
struct fx_hash fake_hash(uint32_t salt);

/* ---- blobs ------------------------------------------------------------------------------------
 */

#define FAKE_BLOBS_MAX 8
#define FAKE_CHUNKS_MAX 512

struct fake_blob {
    struct fx_blob_key key;
    uint64_t chunks;
    bool have[FAKE_CHUNKS_MAX];
};

struct fx_blobs {
    struct fake_blob list[FAKE_BLOBS_MAX];
    size_t n;
    void (*complete)(void *ctx, const struct fx_blob_key *key);
    void *ctx;
    bool disk_full;
    bool other_shape; /* what is wrong opens in another shape */
    uint64_t spare;
    size_t puts, bad_puts, gets;
};

struct fake_blob *fake_blob_add(struct fx_blobs *blobs, const struct fx_blob_key *key,
                                uint64_t chunks, bool complete);
uint64_t fake_blob_have(const struct fx_blobs *blobs, const struct fx_blob_key *key);
/* The bytes of a chunk; wrong: other ones. */
void fake_chunk(const struct fx_blob_key *key, uint32_t x, uint32_t y, bool wrong, uint8_t *data);

/* ---- jobs -------------------------------------------------------------------------------------
 */

#define FAKE_CERTS_MAX 16

struct fake_cert {
    struct fx_outpoint origin;
    struct fx_hash program;
    uint8_t signature[64];
};

struct fx_jobs {
    struct fx_blob_key named[FAKE_BLOBS_MAX];
    size_t n_named;
    struct fake_cert claimed[FAKE_CERTS_MAX]; /* claims, with the signature that is right */
    size_t n_claimed;
    struct fake_cert held[FAKE_CERTS_MAX];
    size_t n_held;
};

void fake_jobs_name(struct fx_jobs *jobs, const struct fx_blob_key *key);
struct fake_cert fake_cert(uint32_t salt);

/* ---- a whole node, and a peer that the test plays ---------------------------------------------
 */

struct node {
    struct event_base *base;
    bool owns_base;
    struct fx_chain *chain;
    struct fx_mempool *mempool;
    struct fx_blobs blobs;
    struct fx_jobs jobs;
    struct fx_net *net;
};

/* base NULL: its own. It listens on a free port of 127.0.0.1. The chain is always regtest's; the
 * wire is that of `network`. */
void node_create(struct node *node, struct event_base *base);
void node_create_on(struct node *node, struct event_base *base, const char *network,
                    const char *dir);
void node_destroy(struct node *node);
/* "127.0.0.1:PORT"; lives until the next call. */
const char *node_address(const struct node *node);
/* Runs the event loop until done(arg), at most some seconds; false: it never came. */
bool run_until(struct event_base *base, bool (*done)(void *arg), void *arg);
/* Runs what can run now. */
void run_some(struct event_base *base);

struct remote {
    struct node *node;
    int fd;
    uint64_t id; /* of the node's peer */
    uint8_t input[1 << 23];
    size_t n_input;
};

/* A connected peer that has said nothing; the caller frees with remote_close. */
struct remote *remote_open(struct node *node, const char *address);
/* The same after the handshake. */
struct remote *remote_ready(struct node *node, const char *address, uint64_t services);
void remote_close(struct remote *remote);
void remote_send(struct remote *remote, const char *command, struct fx_buf *payload);
void remote_send_bytes(struct remote *remote, const void *bytes, size_t n);
/* Waits for the next message of this command, dropping others. False: none came. */
bool remote_expect(struct remote *remote, const char *command, struct fx_buf *payload);
/* No such message comes for a while. */
bool remote_silent(struct remote *remote, const char *command);
bool remote_is_dropped(struct remote *remote);
struct fx_peer *remote_peer(const struct remote *remote); /* NULL: gone */
/* Sends a ping and waits for its pong: all sent before was handled. Other messages stay. */
bool remote_sync(struct remote *remote);

#endif
