/* The handshake, pings, and the comparison of clocks. */
#include "src/net/handshake_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/net/addrman_int.h"
#include "src/net/blobdir_int.h"
#include "src/net/blobfetch_int.h"
#include "src/net/certs_int.h"
#include "src/net/compactrelay_int.h"
#include "src/net/dial_int.h"
#include "src/net/feefilter_int.h"
#include "src/net/sync_int.h"
#include "src/net/txrelay_int.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/sys/random.h"
#include "src/util/mem.h"

#define CLOCK_OFF_MAX 600 /* seconds: what the rules allow a block to be ahead */
#define CLOCK_PEERS_MIN 3

static void send_version(struct fx_peer *peer)
{
    struct fx_net *net = peer->net;
    struct fx_msg_version m;
    struct fx_buf buf = FX_BUF_INIT;

    memset(&m, 0, sizeof m);
    peer->nonce = fx_random_u64();
    m.version = FX_PROTOCOL_VERSION;
    m.services = net->services;
    m.time = fx_clock_now();
    m.to = peer->addr;
    m.nonce = peer->nonce;
    snprintf(m.user_agent, sizeof m.user_agent, "%s", net->user_agent);
    m.start_height = (int32_t)fx_chain_tip(net->chain)->height;
    m.relay = fx_peer_gives_txs(peer);
    fx_msg_version_write(&m, &buf);
    peer->version_sent = true;
    fx_peer_send(peer, "version", &buf);
}

void fx_handshake_start(struct fx_peer *peer)
{
    if (peer->origin != FX_PEER_INBOUND) {
        send_version(peer);
    }
}

static bool is_self(const struct fx_peer *peer, uint64_t nonce)
{
    for (size_t i = 0; i < peer->net->n_peers; i++) {
        const struct fx_peer *other = peer->net->peers[i];

        if (other != peer && other->version_sent && other->origin != FX_PEER_INBOUND &&
            !other->ready && other->nonce == nonce) {
            return true;
        }
    }
    return false;
}

/* What a node that is dialled for what it has must offer: all blocks, or, while ours are near
 * theirs, the last (BIP159). */
static uint64_t services_wanted(const struct fx_net *net, uint64_t offered)
{
    int64_t age = fx_clock_now() - fx_chain_tip(net->chain)->header.time;

    if ((offered & FX_NODE_NETWORK_LIMITED) != 0 && age < FX_LIMITED_PEERS_S) {
        return FX_NODE_NETWORK_LIMITED | FX_NODE_WITNESS;
    }
    return FX_NODE_NETWORK | FX_NODE_WITNESS;
}

/* Then it is dropped. */
static bool lacks_services(struct fx_peer *peer, uint64_t offered)
{
    uint64_t wanted = services_wanted(peer->net, offered);
    char why[96];

    if ((peer->origin != FX_PEER_AUTO && peer->origin != FX_PEER_BLOCKS &&
         peer->origin != FX_PEER_ADDRS) ||
        (offered & wanted) == wanted) {
        return false;
    }
    snprintf(why, sizeof why,
             "it does not offer the expected services (%08" PRIx64 " offered, %08" PRIx64
             " expected)",
             offered, wanted);
    fx_peer_drop(peer, why);
    return true;
}

bool fx_handle_version(struct fx_peer *peer, struct fx_reader *r)
{
    struct fx_msg_version m;
    struct fx_reader first = *r;
    uint32_t version = fx_read_u32(&first);
    char why[128];

    if (peer->version_seen) {
        snprintf(why, sizeof why, "redundant version message from peer=%" PRIu64, peer->id);
        fx_peer_misbehaved(peer, 10, why);
        return true;
    }
    if (!first.bad && version < FX_PROTOCOL_VERSION_MIN) {
        fx_log_info("net: peer=%" PRIu64 " %s using obsolete version %" PRIu32
                    "; disconnecting (at least %d is needed)",
                    peer->id, peer->name, version, FX_PROTOCOL_VERSION_MIN);
        fx_peer_drop(peer, NULL);
        return true;
    }
    if (!fx_msg_version_read(r, &m)) {
        return false;
    }
    if (peer->origin == FX_PEER_INBOUND && is_self(peer, m.nonce)) {
        fx_peer_drop(peer, "connected to self, disconnecting");
        return true;
    }
    if (peer->origin == FX_PEER_FEELER) {
        fx_addrman_good(peer->net, &peer->addr, m.services);
        fx_peer_drop(peer, "feeler connection completed");
        return true;
    }
    if (lacks_services(peer, m.services)) {
        return true;
    }
    peer->version = m;
    peer->version_seen = true;
    peer->time_offset = m.time > INT64_MAX / 2 || m.time < 0 ? INT32_MAX : m.time - fx_clock_now();
    if (peer->origin == FX_PEER_INBOUND) {
        send_version(peer);
    }
    if (m.version >= FX_WTXID_VERSION) {
        /* Older ones take neither for what they know. */
        fx_peer_send(peer, "wtxidrelay", NULL);
        fx_peer_send(peer, "sendaddrv2", NULL);
    }
    fx_peer_send(peer, "verack", NULL);
    return true;
}

bool fx_handle_verack(struct fx_peer *peer, struct fx_reader *r)
{
    if (!fx_reader_done(r)) {
        return false;
    }
    if (peer->ready) {
        return true;
    }
    peer->ready = true;
    peer->tx.relay = peer->version.relay && peer->origin != FX_PEER_BLOCKS;
    fx_log(FX_LOG_NET,
           "net: peer %" PRIu64 " %s ready: version %" PRIu32 ", services %" PRIx64
           ", height %" PRId32 ", %s",
           peer->id, peer->name, peer->version.version, peer->version.services,
           peer->version.start_height, peer->version.user_agent);
    fx_clock_compare(peer->net);
    fx_peer_send(peer, "sendheaders", NULL);
    fx_compactrelay_peer_ready(peer);
    fx_ping_send(peer);
    fx_dial_peer_ready(peer);
    fx_addrman_peer_ready(peer);
    fx_sync_peer_ready(peer);
    fx_txrelay_peer_ready(peer);
    fx_feefilter_tick(peer);
    fx_certs_peer_ready(peer);
    fx_blobdir_peer_ready(peer);
    fx_blobfetch_peer_ready(peer);
    return true;
}

bool fx_handle_wtxidrelay(struct fx_peer *peer, struct fx_reader *r)
{
    if (peer->ready) {
        fx_peer_misbehaved(peer, 10, "wtxidrelay after verack");
        return true;
    }
    peer->tx.wtxid = peer->version.version >= FX_WTXID_VERSION;
    return fx_reader_done(r);
}

bool fx_handle_sendaddrv2(struct fx_peer *peer, struct fx_reader *r)
{
    if (peer->ready) {
        fx_peer_misbehaved(peer, 10, "sendaddrv2 after verack");
        return true;
    }
    peer->addrv2 = true;
    return fx_reader_done(r);
}

void fx_ping_send(struct fx_peer *peer)
{
    struct fx_buf buf = FX_BUF_INIT;

    do {
        peer->ping_nonce = fx_random_u64();
    } while (peer->ping_nonce == 0);
    peer->ping_sent_us = fx_clock_passed_us();
    fx_buf_u64(&buf, peer->ping_nonce);
    fx_peer_send(peer, "ping", &buf);
}

bool fx_handle_ping(struct fx_peer *peer, struct fx_reader *r)
{
    struct fx_buf buf = FX_BUF_INIT;
    uint64_t nonce = fx_read_u64(r);

    if (!fx_reader_done(r)) {
        return false;
    }
    fx_buf_u64(&buf, nonce);
    fx_peer_send(peer, "pong", &buf);
    return true;
}

/* What is wrong with a pong, in Bitcoin Core's words; NULL: nothing. */
static const char *pong_problem(const struct fx_peer *peer, const struct fx_reader *r,
                                uint64_t nonce)
{
    if (r->bad) {
        return "Short payload";
    }
    if (peer->ping_nonce == 0) {
        return "Unsolicited pong without ping";
    }
    if (nonce == peer->ping_nonce) {
        return NULL;
    }
    return nonce == 0 ? "Nonce zero" : "Nonce mismatch";
}

/* A nonce that is not the one sent may be late, of a ping before. One that is none at all is of a
 * peer that cannot do better, and ends the waiting. */
bool fx_handle_pong(struct fx_peer *peer, struct fx_reader *r)
{
    size_t size = r->left;
    uint64_t nonce = fx_read_u64(r);
    const char *problem = pong_problem(peer, r, nonce);

    if (problem != NULL) {
        fx_log(FX_LOG_NET,
               "net: pong peer=%" PRIu64 ": %s, %" PRIx64 " expected, %" PRIx64
               " received, %zu bytes",
               peer->id, problem, peer->ping_nonce, nonce, size);
    } else {
        peer->ping_us = fx_clock_passed_us() - peer->ping_sent_us;
        if (peer->min_ping_us < 0 || peer->ping_us < peer->min_ping_us) {
            peer->min_ping_us = peer->ping_us;
        }
    }
    if (problem == NULL || r->bad || nonce == 0) {
        peer->ping_nonce = 0;
    }
    return fx_reader_done(r);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

void fx_clock_compare(struct fx_net *net)
{
    int64_t *offsets = fx_xcalloc(net->n_peers + 1, sizeof *offsets);
    size_t n = 0;
    int64_t median;

    for (size_t i = 0; i < net->n_peers; i++) {
        if (fx_peer_ready(net->peers[i])) {
            offsets[n++] = net->peers[i]->time_offset;
        }
    }
    if (n == 0 || (!net->eager && n < CLOCK_PEERS_MIN)) {
        free(offsets);
        return;
    }
    qsort(offsets, n, sizeof *offsets, by_value);
    /* Of two in the middle, the one that agrees better with this clock. */
    median =
        llabs(offsets[n / 2]) < llabs(offsets[(n - 1) / 2]) ? offsets[n / 2] : offsets[(n - 1) / 2];
    free(offsets);
    if (median <= CLOCK_OFF_MAX && median >= -CLOCK_OFF_MAX) {
        net->clock_warned = false;
        return;
    }
    if (!net->clock_warned) {
        net->clock_warned = true;
        fx_log_info("net: warning: this clock is %" PRId64 " seconds %s the median of %zu peers: "
                    "check date and time, or blocks may be refused",
                    median < 0 ? -median : median, median < 0 ? "ahead of" : "behind", n);
    }
}
