/* The net object: its parts wired together, the events of chain, mempool and blobs, the interface.
 */
#include "src/net/net_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/net/addrman_int.h"
#include "src/net/bans_int.h"
#include "src/net/blobdir_int.h"
#include "src/net/blobfetch_int.h"
#include "src/net/certs_int.h"
#include "src/net/compactrelay_int.h"
#include "src/net/dial_int.h"
#include "src/net/feefilter_int.h"
#include "src/net/handshake_int.h"
#include "src/net/limits_int.h"
#include "src/net/sync_int.h"
#include "src/net/txask_int.h"
#include "src/net/txrelay_int.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/sys/random.h"
#include "src/util/mem.h"

#define USER_AGENT "/Fornax:0.1.0"
#define BAN_SECONDS 86400

/* ---- events from below -------------------------------------------------------------------- */

static void block_connected(void *ctx, const struct fx_index *index, const struct fx_block *block,
                            const struct fx_undo *undo)
{
    struct fx_net *net = ctx;

    (void)index;
    (void)undo;
    if (net->stopping) {
        return;
    }
    fx_sync_block_connected(net, block);
    fx_txrelay_block_connected(net, block);
}

static void block_disconnected(void *ctx, const struct fx_index *index,
                               const struct fx_block *block, const struct fx_undo *undo)
{
    struct fx_net *net = ctx;

    (void)index;
    (void)block;
    (void)undo;
    if (!net->stopping) {
        fx_txrelay_block_disconnected(net);
    }
}

static void tip_changed(void *ctx, const struct fx_index *tip)
{
    struct fx_net *net = ctx;

    (void)tip;
    if (!net->stopping) {
        net->tip_moved = true;
        fx_net_flush_soon(net);
    }
}

static void tx_added(void *ctx, const struct fx_tx *tx)
{
    struct fx_net *net = ctx;

    if (net->stopping) {
        return;
    }
    fx_txrelay_announce(net, tx);
    fx_net_flush_soon(net);
}

static void tx_removed(void *ctx, const struct fx_tx *tx, enum fx_tx_removal reason)
{
    struct fx_net *net = ctx;

    /* A miner may not have seen the replacement. */
    if (!net->stopping && reason == FX_REMOVED_REPLACED) {
        fx_compactrelay_keep(net, tx);
    }
}

static void blob_complete(void *ctx, const struct fx_blob_key *key)
{
    struct fx_net *net = ctx;

    /* The fetch is ended by its own timer or by the next chunk; here only what is new is noted. */
    if (!net->stopping && fx_blobfetch_active(net, key)) {
        net->fetch_wanted = true;
        fx_net_flush_soon(net);
    }
}

/* ---- the event loop ------------------------------------------------------------------------- */

static void on_flush(evutil_socket_t fd, short what, void *arg)
{
    struct fx_net *net = arg;

    (void)fd;
    (void)what;
    if (net->tip_moved) {
        net->tip_moved = false;
        fx_headers_announce_tip(net);
        fx_txrelay_tip_changed(net);
        fx_certs_tip_changed(net);
        fx_blobdir_tip_changed(net);
        fx_download_all(net);
    }
    fx_txrelay_flush(net);
    if (net->fetch_wanted) {
        net->fetch_wanted = false;
        fx_blobfetch_run(net);
    }
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct fx_net *net = arg;
    int64_t now_ms = fx_clock_monotonic_ms();

    (void)fd;
    (void)what;
    for (size_t i = 0; i < net->n_peers; i++) {
        fx_peer_tick(net->peers[i], now_ms);
        fx_feefilter_tick(net->peers[i]);
    }
    fx_sync_tick(net, now_ms);
    fx_txrelay_tick(net, now_ms);
    fx_blobdir_tick(net, now_ms);
    fx_blobfetch_tick(net, now_ms);
    fx_addrman_tick(net, now_ms);
    fx_dial_tick(net, now_ms);
}

static void on_reap(evutil_socket_t fd, short what, void *arg)
{
    struct fx_net *net = arg;
    size_t kept = 0;

    (void)fd;
    (void)what;
    for (size_t i = 0; i < net->n_peers; i++) {
        struct fx_peer *peer = net->peers[i];

        if (!peer->closing || peer->gone) {
            continue;
        }
        peer->gone = true;
        fx_dial_peer_gone(peer);
        fx_sync_peer_gone(peer);
        fx_txrelay_peer_gone(peer);
        fx_blobdir_peer_gone(peer);
        fx_blobfetch_peer_gone(peer);
    }
    for (size_t i = 0; i < net->n_peers; i++) {
        if (net->peers[i]->gone) {
            fx_peer_destroy(net->peers[i]);
        } else {
            net->peers[kept++] = net->peers[i];
        }
    }
    net->n_peers = kept;
    fx_download_all(net);
    fx_blobfetch_run(net);
}

void fx_net_flush_soon(struct fx_net *net)
{
    event_active(net->flush, 0, 0);
}

size_t fx_net_ready_peers(const struct fx_net *net)
{
    size_t n = 0;

    for (size_t i = 0; i < net->n_peers; i++) {
        n += fx_peer_ready(net->peers[i]) ? 1 : 0;
    }
    return n;
}

struct fx_peer *fx_net_peer(const struct fx_net *net, uint64_t id)
{
    for (size_t i = 0; i < net->n_peers; i++) {
        if (net->peers[i]->id == id) {
            return net->peers[i]->closing ? NULL : net->peers[i];
        }
    }
    return NULL;
}

/* ---- making and ending ---------------------------------------------------------------------- */

/* Bitcoin Core's form of it, rules for comments (BIP14) and words. NULL: *error says why. */
static char *make_user_agent(const struct fx_net_config *config, char **error)
{
    static const char safe[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,;-_?@";
    struct fx_buf text = FX_BUF_INIT, why = FX_BUF_INIT;
    size_t n;

    fx_buf_str(&text, USER_AGENT);
    for (size_t i = 0; i < config->n_comments; i++) {
        const char *comment = config->comments[i];

        if (comment[strspn(comment, safe)] != '\0') {
            fx_buf_printf(&why, "User Agent comment (%.100s) contains unsafe characters.", comment);
        }
        fx_buf_printf(&text, "%s%s", i == 0 ? "(" : "; ", comment);
    }
    fx_buf_str(&text, config->n_comments > 0 ? ")/" : "/");
    if (why.len == 0 && text.len > FX_USER_AGENT_MAX) {
        fx_buf_printf(&why,
                      "Total length of network version string (%zu) exceeds maximum length (%d). "
                      "Reduce the number or size of uacomments.",
                      text.len, FX_USER_AGENT_MAX);
    }
    fx_buf_u8(&text, 0);
    if (why.len > 0) {
        fx_buf_u8(&why, 0);
        *error = (char *)fx_buf_steal(&why, &n);
        fx_buf_clear(&text);
        return NULL;
    }
    return (char *)fx_buf_steal(&text, &n);
}

static void subscribe(struct fx_net *net)
{
    struct fx_chain_events chain_events = {
        .ctx = net,
        .block_connected = block_connected,
        .block_disconnected = block_disconnected,
        .tip_changed = tip_changed,
    };
    struct fx_mempool_events mempool_events = {
        .ctx = net, .tx_added = tx_added, .tx_removed = tx_removed};

    fx_chain_subscribe(net->chain, &chain_events);
    if (net->mempool != NULL) {
        fx_mempool_subscribe(net->mempool, &mempool_events);
    }
    if (net->blobs != NULL) {
        fx_blobs_subscribe(net->blobs, blob_complete, net);
    }
}

/* A second's worth may come at once, and a chunk always. */
static void set_rate(struct fx_rate *rate, uint64_t per_second)
{
    uint64_t burst = per_second > FX_BLOB_CHUNK_MAX ? per_second : FX_BLOB_CHUNK_MAX;

    fx_rate_init(rate, per_second, burst, fx_clock_monotonic_ms());
}

struct fx_net *fx_net_create(const struct fx_net_config *config, char **error)
{
    static const struct timeval second = {1, 0};
    struct fx_net *net = NULL;
    char *user_agent = NULL;

    *error = NULL;
    user_agent = make_user_agent(config, error);
    if (user_agent == NULL) {
        return NULL;
    }
    net = fx_xcalloc(1, sizeof *net);
    net->base = config->base;
    net->params = config->params;
    net->chain = config->chain;
    net->mempool = config->mempool;
    net->blobs = config->blobs;
    net->services = config->services != 0 ? config->services
                                          : FX_NODE_NETWORK | FX_NODE_WITNESS | FX_NODE_JOBDATA;
    if (net->blobs == NULL) {
        net->services &= ~FX_NODE_JOBDATA;
    }
    if (fx_chain_prune_target(net->chain) != FX_PRUNE_OFF) {
        net->services = (net->services & ~FX_NODE_NETWORK) | FX_NODE_NETWORK_LIMITED;
    }
    net->max_connections =
        config->max_connections != 0 ? config->max_connections : FX_NET_MAX_CONNECTIONS;
    net->handshake_ms =
        config->handshake_seconds != 0 ? config->handshake_seconds * 1000 : FX_HANDSHAKE_MS;
    net->ban_seconds = config->ban_seconds != 0 ? config->ban_seconds : BAN_SECONDS;
    net->dir = config->dir == NULL ? NULL : fx_xstrdup(config->dir);
    net->eager = !net->params->retarget;
    net->keep_to_itself = config->keep_to_itself;
    net->blocks_only = config->blocks_only;
    set_rate(&net->serve, config->serve_rate);
    set_rate(&net->fetch, config->fetch_rate);
    fx_random_bytes(net->map_key, sizeof net->map_key);
    snprintf(net->user_agent, sizeof net->user_agent, "%s", user_agent);
    free(user_agent);

    net->tick = event_new(net->base, -1, EV_PERSIST, on_tick, net);
    net->reap = event_new(net->base, -1, 0, on_reap, net);
    net->flush = event_new(net->base, -1, 0, on_flush, net);
    fx_addrman_create(net);
    fx_bans_create(net);
    fx_sync_create(net);
    fx_compactrelay_create(net);
    fx_txask_create(net);
    fx_txrelay_create(net);
    fx_certs_create(net);
    fx_blobdir_create(net);
    fx_blobfetch_create(net);
    if (net->tick == NULL || net->reap == NULL || net->flush == NULL ||
        event_add(net->tick, &second) != 0) {
        *error = fx_xstrdup("The event loop takes no more events.");
    }
    if (*error != NULL || !fx_dial_create(net, config, error)) {
        fx_net_destroy(net);
        return NULL;
    }
    subscribe(net);
    return net;
}

void fx_net_set_jobs(struct fx_net *net, struct fx_jobs *jobs)
{
    net->jobs = jobs;
}

static void free_event(struct event *event)
{
    if (event != NULL) {
        event_free(event);
    }
}

void fx_net_destroy(struct fx_net *net)
{
    if (net == NULL) {
        return;
    }
    net->stopping = true;
    fx_dial_destroy(net);
    for (size_t i = 0; i < net->n_peers; i++) {
        fx_peer_drop(net->peers[i], "this node stops");
        fx_sync_peer_gone(net->peers[i]);
    }
    for (size_t i = 0; i < net->n_peers; i++) {
        fx_peer_destroy(net->peers[i]);
    }
    net->n_peers = 0;
    free_event(net->tick);
    free_event(net->reap);
    free_event(net->flush);
    fx_blobfetch_destroy(net);
    fx_blobdir_destroy(net);
    fx_certs_destroy(net);
    fx_txrelay_destroy(net);
    fx_txask_destroy(net);
    fx_compactrelay_destroy(net);
    fx_sync_destroy(net);
    fx_addrman_destroy(net);
    fx_bans_destroy(net);
    free(net->peers);
    free(net->dir);
    free(net);
}

/* ---- src/iface/net.h ------------------------------------------------------------------------ */

bool fx_net_add_node(struct fx_net *net, const char *address, bool once)
{
    return fx_dial_add(net, address, once);
}

bool fx_net_remove_node(struct fx_net *net, const char *address)
{
    return fx_dial_remove(net, address);
}

bool fx_net_is_added(const struct fx_net *net, const char *address)
{
    return fx_dial_is_added(net, address);
}

size_t fx_net_added_nodes(const struct fx_net *net, struct fx_added_node **nodes)
{
    return fx_dial_added(net, nodes);
}

bool fx_net_connect(struct fx_net *net, const char *address, enum fx_net_connection kind)
{
    struct fx_netaddr addr;

    return fx_netaddr_parse(address, net->params->p2p_port, &addr) &&
           fx_dial_once(net, &addr, kind);
}

void fx_net_set_active(struct fx_net *net, bool active)
{
    fx_log_info("SetNetworkActive: %s", active ? "true" : "false");
    net->inactive = !active;
    for (size_t i = 0; i < net->n_peers && !active; i++) {
        fx_peer_drop(net->peers[i], "the network is switched off");
    }
}

bool fx_net_is_active(const struct fx_net *net)
{
    return !net->inactive;
}

bool fx_net_takes_txs(const struct fx_net *net)
{
    return !net->blocks_only;
}

void fx_net_clock_moved(struct fx_net *net)
{
    event_active(net->tick, 0, 0);
}

void fx_net_ping(struct fx_net *net)
{
    for (size_t i = 0; i < net->n_peers; i++) {
        if (fx_peer_ready(net->peers[i]) && net->peers[i]->ping_nonce == 0) {
            fx_ping_send(net->peers[i]);
        }
    }
}

bool fx_net_send(struct fx_net *net, uint64_t id, const char *name, struct fx_span payload)
{
    struct fx_peer *peer = fx_net_peer(net, id);

    if (peer == NULL) {
        return false;
    }
    fx_peer_send_span(peer, name, payload);
    return true;
}

const char *fx_net_fetch_block(struct fx_net *net, uint64_t id, const struct fx_index *index)
{
    struct fx_peer *peer = fx_net_peer(net, id);

    if (fx_chain_is_importing(net->chain)) {
        return "Loading blocks ...";
    }
    if (peer == NULL || !fx_peer_ready(peer)) {
        return "Peer does not exist";
    }
    if ((peer->version.services & FX_NODE_WITNESS) == 0) {
        return "Pre-SegWit peer";
    }
    if (fx_download_asked(net, index) == peer) {
        return "Already requested from this peer";
    }
    fx_download_ask(peer, index);
    return NULL;
}

bool fx_net_disconnect(struct fx_net *net, const char *address, uint64_t id)
{
    struct fx_netaddr addr;

    if (address != NULL && !fx_netaddr_parse(address, net->params->p2p_port, &addr)) {
        return false;
    }
    for (size_t i = 0; i < net->n_peers; i++) {
        struct fx_peer *peer = net->peers[i];

        if (!peer->closing &&
            (address != NULL ? fx_netaddr_equal(&peer->addr, &addr) : peer->id == id)) {
            fx_peer_drop(peer, "asked for by the user");
            return true;
        }
    }
    return false;
}

size_t fx_net_peers(const struct fx_net *net, struct fx_peer_info **peers)
{
    size_t n = 0;

    *peers = fx_xcalloc(net->n_peers + 1, sizeof **peers);
    for (size_t i = 0; i < net->n_peers; i++) {
        if (!net->peers[i]->closing && net->peers[i]->connected) {
            fx_peer_info(net->peers[i], &(*peers)[n++]);
        }
    }
    return n;
}

uint16_t fx_net_port(const struct fx_net *net)
{
    return net->port;
}

const char *fx_net_user_agent(const struct fx_net *net)
{
    return net->user_agent;
}

uint64_t fx_net_local_services(const struct fx_net *net)
{
    return net->services;
}

void fx_net_totals(const struct fx_net *net, uint64_t *sent, uint64_t *received)
{
    *sent = net->bytes_sent;
    *received = net->bytes_received;
}

void fx_net_relay_tx(struct fx_net *net, const struct fx_tx *tx)
{
    fx_txrelay_own(net, tx);
    fx_net_flush_soon(net);
}

void fx_net_forget_tx(struct fx_net *net, const struct fx_hash *txid)
{
    fx_txrelay_forget(net, txid);
}

void fx_net_relay_cert(struct fx_net *net, const struct fx_outpoint *origin,
                       const struct fx_hash *program, const uint8_t signature[64])
{
    struct fx_msg_cert m = {.origin = *origin, .program = *program};

    memcpy(m.signature, signature, sizeof m.signature);
    fx_certs_relay(net, &m);
}

void fx_net_announce_blob(struct fx_net *net, const struct fx_blob_key *key)
{
    fx_blobdir_announce(net, key);
}

void fx_net_fetch_blob(struct fx_net *net, const struct fx_blob_key *key)
{
    if (fx_blobfetch_start(net, key)) {
        net->fetch_wanted = true;
        fx_net_flush_soon(net);
    }
}

void fx_net_cancel_blob(struct fx_net *net, const struct fx_blob_key *key)
{
    fx_blobfetch_cancel(net, key);
}
