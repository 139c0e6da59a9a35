/*
 * Making the network module that src/iface/net.h speaks of. Main thread only.
 *
 * It owns the listening sockets, the peers and all that is known of them, and calls the chain, the
 * mempool, the jobs and the blobs through their interfaces.
 */
#ifndef FX_NET_NET_H
#define FX_NET_NET_H

#include "consensus/params.h"
#include "src/iface/net.h"

struct event_base;
struct fx_chain;
struct fx_mempool;
struct fx_jobs;

#define FX_NET_MAX_CONNECTIONS 125 /* where the caller says 0 */

/* Everything is copied, or must outlive the net where it is an object. */
struct fx_net_config {
    struct event_base *base;
    const struct fx_params *params;
    struct fx_chain *chain;
    struct fx_mempool *mempool;
    struct fx_blobs *blobs; /* NULL: no data is served or fetched */
    const char *dir;        /* where peers.dat lives; NULL: nothing is kept */
    /* Numeric addresses to listen on, with or without port; "=onion" after it says that a Tor
     * service forwards to it, which makes no difference here. None: all, IPv4 and IPv6. */
    const char *const *bind;
    size_t n_bind;
    const char *const *whitebind; /* the same with permissions, PERMISSIONS@ADDRESS:PORT */
    size_t n_whitebind;
    const char *const *whitelist; /* peers with permissions, PERMISSIONS@SUBNET */
    size_t n_whitelist;
    bool whitelist_relay, whitelist_forcerelay; /* what a list without permissions gives */
    uint16_t port;                              /* 0: the network's own */
    bool port_any;                              /* any free port, whatever `port` says: for tests */
    bool listen;
    const char *const *connect; /* -connect: only these are dialled */
    size_t n_connect;
    const char *const *addnode; /* -addnode: these are kept connected */
    size_t n_addnode;
    uint64_t services;           /* 0: network, witness and job data */
    unsigned max_connections;    /* 0: FX_NET_MAX_CONNECTIONS */
    uint64_t serve_rate;         /* bytes a second of job data, to all peers; 0: no limit */
    uint64_t fetch_rate;         /* from all peers; 0: no limit */
    bool keep_to_itself;         /* fetches nothing for the sake of others */
    bool blocks_only;            /* takes no transactions but from peers that may (relay) */
    int64_t handshake_seconds;   /* 0: 60 */
    int64_t ban_seconds;         /* 0: a day */
    const char *const *comments; /* in the user agent */
    size_t n_comments;
};

/* NULL on failure; *error is then one sentence, the caller's to free. Subscribes to the events of
 * chain, mempool and blobs: they must not raise any after fx_net_destroy. */
struct fx_net *fx_net_create(const struct fx_net_config *config, char **error);
/* Certificates, and roots worth carrying, are known from here on. NULL: no longer. */
void fx_net_set_jobs(struct fx_net *net, struct fx_jobs *jobs);
/* Closes all connections and writes peers.dat. NULL: nothing. */
void fx_net_destroy(struct fx_net *net);

#endif
