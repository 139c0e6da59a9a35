/*
 * The node's HTTP server: JSON-RPC 1.0 and 2.0, operands and results in chunks, results as .npy.
 * All on the event loop of the main thread; what takes long runs in slices of a few milliseconds.
 */
#ifndef FX_RPC_RPC_H
#define FX_RPC_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "consensus/params.h"

struct event_base;
struct fx_blobs;
struct fx_chain;
struct fx_jobs;
struct fx_mempool;
struct fx_net;
struct fx_templates;
struct fx_tx_index;
struct fx_wallets;
struct fx_rpc; /* opaque */

/* Everything pointed to outlives the server; strings and lists are copied. */
struct fx_rpc_config {
    struct event_base *base;
    const struct fx_params *params;
    struct fx_chain *chain;
    struct fx_mempool *mempool;
    struct fx_net *net;
    struct fx_templates *templates;
    struct fx_wallets *wallets; /* NULL: wallet, job and miner calls are absent */
    struct fx_jobs *jobs;       /* NULL: job and task calls are absent */
    struct fx_blobs *blobs;
    struct fx_tx_index *tx_index; /* NULL: without -txindex */

    const char *cookie_file; /* written with mode 0600 where there is no password */
    /* Numeric addresses, each may have ":port"; n_bind 0: loopback. */
    const char *const *bind;
    size_t n_bind;
    uint16_t port; /* of addresses without one; 0: the network's */
    /* Addresses or networks ("10.0.0.0/8") that may connect besides loopback. */
    const char *const *allow;
    size_t n_allow;
    const char *user, *password; /* password NULL or "": a cookie is made */
    const char *const *auth;     /* "user:salt$hash" (rpcauth), beside the above */
    size_t n_auth;
    bool doc_check;   /* check each reply against its description */
    int idle_seconds; /* until a connection without a byte is closed; 0: 30 */

    int64_t started;      /* unix seconds, for uptime */
    const char *log_path; /* for getrpcinfo; may be NULL */
    /* Called on the main thread when `stop` was answered. */
    void (*stop)(void *ctx);
    void *ctx;
};

/* Listens and writes the cookie. NULL: *error says why, the caller's to free. */
struct fx_rpc *fx_rpc_create(const struct fx_rpc_config *config, char **error);
/* Ends all connections, removes the cookie. Before the modules that config points to. NULL:
 * nothing. */
void fx_rpc_destroy(struct fx_rpc *rpc);
/* The first port that it listens on. */
uint16_t fx_rpc_port(const struct fx_rpc *rpc);

#endif
