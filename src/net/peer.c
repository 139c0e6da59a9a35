/* A connection: reading frames, sending messages, score, timeouts, close. */
#include "src/net/peer_int.h"

#include <errno.h>
#include <event2/buffer.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/net/dial_int.h"
#include "src/net/dispatch_int.h"
#include "src/net/handshake_int.h"
#include "src/net/permit_int.h"
#include "src/net/presync_int.h"
#include "src/net/rolling_int.h"
#include "src/net/sync_int.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

#define READ_TURN_MS 20

static bool wants_service(const struct fx_peer *peer)
{
    return peer->sync.wanted_at < peer->sync.n_wanted;
}

/* Lets the socket's buffer grow to what the message being read needs, and no further. */
static void set_read_marks(struct fx_peer *peer)
{
    size_t need = peer->has_frame ? FX_FRAME_SIZE + peer->frame.length : FX_FRAME_SIZE;

    bufferevent_setwatermark(peer->bev, EV_READ, peer->has_frame ? peer->frame.length : need,
                             need + (64u << 10));
}

static bool read_head(struct fx_peer *peer, struct evbuffer *input)
{
    uint8_t head[FX_FRAME_SIZE];
    enum fx_codec code;
    char why[128];
    int n;

    evbuffer_remove(input, head, sizeof head);
    code = fx_codec_read_frame(head, peer->net->params->magic, &peer->frame);
    peer->nameless = code == FX_CODEC_COMMAND && fx_peer_ready(peer) && !peer->net->params->lanes;
    if (peer->nameless) {
        code = FX_CODEC_OK; /* as Bitcoin nodes do, which read on */
    }
    if (code == FX_CODEC_OK && peer->frame.length > fx_command_max(peer, peer->frame.command)) {
        code = FX_CODEC_LENGTH;
    }
    if (code == FX_CODEC_OK) {
        peer->has_frame = true;
        set_read_marks(peer);
        return true;
    }
    /* A Bitcoin node tries BIP324's transport first, which begins with 64 bytes of chance. Closed
     * without an answer, it comes back with this one, so it must not be held against it. */
    if (code == FX_CODEC_MAGIC && peer->net->params->kind == FX_BTCREGTEST &&
        peer->origin == FX_PEER_INBOUND && !peer->version_seen) {
        fx_peer_drop(peer, "no v1 transport: a BIP324 handshake, or another network");
        return false;
    }
    n = snprintf(why, sizeof why, "Header error: %s", fx_codec_text(code));
    if (code == FX_CODEC_LENGTH) {
        snprintf(why + n, sizeof why - (size_t)n, " (%s, %" PRIu32 " bytes)", peer->frame.command,
                 peer->frame.length);
    } else if (code == FX_CODEC_MAGIC) {
        snprintf(why + n, sizeof why - (size_t)n, " %02x%02x%02x%02x received", head[0], head[1],
                 head[2], head[3]);
    }
    fx_peer_misbehaved(peer, FX_MISBEHAVIOUR_MAX, why);
    return false;
}

static void blame_checksum(struct fx_peer *peer, const struct fx_frame *frame,
                           const uint8_t *payload)
{
    const uint8_t *said = frame->checksum;
    uint8_t is[FX_CHECKSUM_SIZE];
    char why[128];

    fx_codec_checksum(payload, frame->length, is);
    snprintf(why, sizeof why,
             "Header error: %s (%s, %" PRIu32
             " bytes), expected %02x%02x%02x%02x was %02x%02x%02x%02x",
             fx_codec_text(FX_CODEC_CHECKSUM), frame->command, frame->length, is[0], is[1], is[2],
             is[3], said[0], said[1], said[2], said[3]);
    fx_peer_misbehaved(peer, FX_MISBEHAVIOUR_MAX / 2, why);
}

static void read_payload(struct fx_peer *peer, struct evbuffer *input)
{
    struct fx_frame frame = peer->frame;
    const uint8_t *payload = NULL;

    peer->has_frame = false;
    peer->received_by[fx_command_slot(peer->nameless ? "" : frame.command)] +=
        FX_FRAME_SIZE + frame.length;
    if (frame.length > 0) {
        payload = evbuffer_pullup(input, (ev_ssize_t)frame.length);
        if (payload == NULL) {
            fx_peer_drop(peer, "no memory for its message");
            return;
        }
    }
    if (fx_codec_check_payload(&frame, payload) != FX_CODEC_OK) {
        blame_checksum(peer, &frame, payload);
    } else if (peer->nameless) {
        fx_log(FX_LOG_NET, "net: Header error: %s (%s, %" PRIu32 " bytes) peer=%" PRIu64,
               fx_codec_text(FX_CODEC_COMMAND), frame.command, frame.length, peer->id);
    } else {
        fx_dispatch(peer, frame.command, (struct fx_span){payload, frame.length});
    }
    evbuffer_drain(input, frame.length);
    set_read_marks(peer);
}

static void process_input(struct fx_peer *peer)
{
    struct evbuffer *input = bufferevent_get_input(peer->bev);
    int64_t start = fx_clock_monotonic_ms();

    for (unsigned done = 0; !peer->closing; done++) {
        if (wants_service(peer) || fx_peer_send_backlog(peer) > FX_SEND_PAUSE) {
            if (!peer->read_paused) {
                peer->read_paused = true;
                bufferevent_disable(peer->bev, EV_READ);
            }
            return;
        }
        if (!peer->has_frame) {
            if (evbuffer_get_length(input) < FX_FRAME_SIZE || !read_head(peer, input)) {
                return;
            }
        }
        if (evbuffer_get_length(input) < peer->frame.length) {
            return;
        }
        if (done >= FX_READ_BATCH || fx_clock_monotonic_ms() - start > READ_TURN_MS) {
            bufferevent_trigger(peer->bev, EV_READ,
                                BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
            return;
        }
        read_payload(peer, input);
    }
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct fx_peer *peer = arg;

    (void)bev;
    if (peer->closing) {
        return;
    }
    peer->last_recv_ms = fx_clock_monotonic_ms();
    process_input(peer);
}

static void on_write(struct bufferevent *bev, void *arg)
{
    struct fx_peer *peer = arg;

    (void)bev;
    if (peer->closing || !peer->read_paused) {
        return;
    }
    fx_serve_wanted(peer);
    if (peer->closing || wants_service(peer) || fx_peer_send_backlog(peer) > FX_SEND_PAUSE) {
        return;
    }
    peer->read_paused = false;
    bufferevent_enable(peer->bev, EV_READ);
    process_input(peer);
}

static void count_received(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
    struct fx_peer *peer = arg;

    (void)input;
    if (info->n_added == 0) {
        return;
    }
    peer->bytes_received += info->n_added;
    peer->net->bytes_received += info->n_added;
    peer->last_recv = fx_clock_now();
    peer->last_recv_ms = fx_clock_monotonic_ms();
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct fx_peer *peer = arg;
    int one = 1;

    if (peer->closing) {
        return;
    }
    if ((what & BEV_EVENT_CONNECTED) != 0) {
        peer->connected = true;
        setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        fx_handshake_start(peer);
        return;
    }
    if ((what & BEV_EVENT_EOF) != 0) {
        fx_peer_drop(peer, peer->has_frame ? "it closed the connection inside a message"
                                           : "it closed the connection");
        return;
    }
    if ((what & BEV_EVENT_ERROR) != 0) {
        char why[128];

        snprintf(why, sizeof why, "%s: %s",
                 peer->connected ? "the connection broke" : "cannot connect",
                 evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
        fx_peer_drop(peer, why);
    }
}

static void append_peer(struct fx_net *net, struct fx_peer *peer)
{
    if (net->n_peers == net->cap_peers) {
        net->cap_peers = net->cap_peers == 0 ? 16 : net->cap_peers * 2;
        net->peers = fx_xreallocarray(net->peers, net->cap_peers, sizeof(*net->peers));
    }
    net->peers[net->n_peers++] = peer;
}

struct fx_peer *fx_peer_create(struct fx_net *net, int fd, enum fx_peer_origin origin,
                               const struct fx_netaddr *addr)
{
    struct fx_peer *peer = fx_xcalloc(1, sizeof *peer);
    struct bufferevent *bev = bufferevent_socket_new(net->base, fd, BEV_OPT_CLOSE_ON_FREE);
    struct sockaddr_storage sa;
    int64_t now_ms = fx_clock_monotonic_ms();
    socklen_t len;
    int one = 1;

    if (bev == NULL) {
        free(peer);
        return NULL;
    }
    peer->net = net;
    peer->id = net->next_peer_id++;
    peer->bev = bev;
    peer->origin = origin;
    peer->addr = *addr;
    fx_netaddr_format(addr, peer->name);
    peer->permissions = fx_dial_permissions(net, addr, origin == FX_PEER_INBOUND);
    peer->connected_at = fx_clock_now();
    peer->created_ms = now_ms;
    peer->created_us = fx_clock_passed_us();
    peer->last_recv_ms = now_ms;
    peer->ping_us = -1;
    peer->min_ping_us = -1;
    peer->version.start_height = -1;
    peer->tx.fee_sent = -1;
    fx_rate_init(&peer->addrs, 1, FX_ADDR_MAX, now_ms);
    fx_rate_init(&peer->blobs.invdata, 50, 5000, now_ms);
    fx_rate_init(&peer->blobs.serve, 64u << 20, 256u << 20, now_ms);
    fx_rate_init(&peer->blobs.cert, 20, 2000, now_ms);
    append_peer(net, peer);

    bufferevent_setcb(bev, on_read, on_write, on_event, peer);
    bufferevent_setwatermark(bev, EV_WRITE, FX_SEND_RESUME, 0);
    evbuffer_add_cb(bufferevent_get_input(bev), count_received, peer);
    set_read_marks(peer);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
    if (fd >= 0) {
        peer->connected = true;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        fx_log(FX_LOG_NET, "net: Added connection peer=%" PRIu64 " from %s", peer->id, peer->name);
        return peer;
    }
    len = fx_netaddr_to_sockaddr(addr, &sa);
    fx_log(FX_LOG_NET, "net: peer %" PRIu64 " connecting to %s", peer->id, peer->name);
    if (bufferevent_socket_connect(bev, (struct sockaddr *)&sa, (int)len) != 0) {
        fx_peer_drop(peer, "cannot connect");
    }
    return peer;
}

void fx_peer_destroy(struct fx_peer *peer)
{
    bufferevent_free(peer->bev);
    fx_rolling_destroy(peer->tx.known);
    fx_rolling_destroy(peer->blobs.known);
    free(peer->tx.queue);
    free(peer->sync.stream);
    fx_presync_destroy(peer->sync.presync);
    free(peer->sync.wanted);
    free(peer);
}

void fx_peer_drop(struct fx_peer *peer, const char *why)
{
    if (peer->closing) {
        return;
    }
    peer->closing = true;
    bufferevent_disable(peer->bev, EV_READ | EV_WRITE);
    if (why != NULL) {
        fx_log(FX_LOG_NET, "net: peer %" PRIu64 " %s disconnected: %s", peer->id, peer->name, why);
    }
    event_active(peer->net->reap, 0, 0);
}

void fx_peer_misbehaved(struct fx_peer *peer, unsigned score, const char *why)
{
    if (peer->closing || score == 0) {
        return;
    }
    if ((peer->permissions & FX_PERMIT_NOBAN) != 0) {
        fx_log_info("net: Misbehaving: peer=%" PRIu64 " %s may: %s", peer->id, peer->name, why);
        return;
    }
    peer->misbehaviour += score;
    if (peer->misbehaviour < FX_MISBEHAVIOUR_MAX) {
        fx_log_info("net: Misbehaving: peer=%" PRIu64 " %s (score %u of %u): %s", peer->id,
                    peer->name, peer->misbehaviour, FX_MISBEHAVIOUR_MAX, why);
        return;
    }
    fx_log_info("net: Misbehaving: peer=%" PRIu64 " %s is disconnected: %s", peer->id, peer->name,
                why);
    fx_dial_discourage(peer->net, &peer->addr);
    fx_peer_drop(peer, NULL);
}

bool fx_peer_oversized(struct fx_peer *peer, const char *command, const struct fx_reader *r,
                       uint64_t most)
{
    struct fx_reader first = *r;
    uint64_t n = fx_read_var(&first);
    char why[64];

    if (first.bad || n <= most) {
        return false;
    }
    snprintf(why, sizeof why, "%s message size = %" PRIu64, command, n);
    fx_peer_misbehaved(peer, FX_MISBEHAVIOUR_MAX, why);
    return true;
}

static void free_payload(const void *data, size_t n, void *arg)
{
    (void)n;
    (void)arg;
    free((void *)(uintptr_t)data);
}

static bool send_head(struct fx_peer *peer, const char *command, const void *payload, size_t n)
{
    uint8_t head[FX_FRAME_SIZE];

    if (peer->closing) {
        return false;
    }
    if (fx_peer_send_backlog(peer) > FX_SEND_MAX) {
        fx_peer_drop(peer, "it does not read what is sent to it");
        return false;
    }
    fx_codec_write_frame(peer->net->params->magic, command, payload, n, head);
    bufferevent_write(peer->bev, head, sizeof head);
    peer->bytes_sent += sizeof head + n;
    peer->sent_by[fx_command_slot(command)] += sizeof head + n;
    peer->net->bytes_sent += sizeof head + n;
    peer->last_send = fx_clock_now();
    return true;
}

void fx_peer_send(struct fx_peer *peer, const char *command, struct fx_buf *payload)
{
    size_t n = payload == NULL ? 0 : payload->len;

    if (send_head(peer, command, n == 0 ? NULL : payload->data, n) && n > 0) {
        uint8_t *data = fx_buf_steal(payload, &n);

        if (evbuffer_add_reference(bufferevent_get_output(peer->bev), data, n, free_payload,
                                   NULL) != 0) {
            free(data);
            fx_peer_drop(peer, "no memory for a message to it");
        }
    }
    if (payload != NULL) {
        fx_buf_clear(payload);
    }
}

void fx_peer_send_span(struct fx_peer *peer, const char *command, struct fx_span payload)
{
    if (send_head(peer, command, payload.data, payload.len) && payload.len > 0) {
        bufferevent_write(peer->bev, payload.data, payload.len);
    }
}

size_t fx_peer_send_backlog(const struct fx_peer *peer)
{
    return evbuffer_get_length(bufferevent_get_output(peer->bev));
}

bool fx_peer_ready(const struct fx_peer *peer)
{
    return peer->ready && !peer->closing;
}

bool fx_peer_gives_txs(const struct fx_peer *peer)
{
    return peer->origin != FX_PEER_BLOCKS && peer->origin != FX_PEER_FEELER &&
           (!peer->net->blocks_only || (peer->permissions & FX_PERMIT_RELAY) != 0);
}

bool fx_peer_has_jobdata(const struct fx_peer *peer)
{
    return fx_peer_ready(peer) && (peer->version.services & FX_NODE_JOBDATA) != 0 &&
           (peer->net->services & FX_NODE_JOBDATA) != 0;
}

bool fx_peer_has_blocks(const struct fx_peer *peer)
{
    return (peer->version.services & (FX_NODE_NETWORK | FX_NODE_NETWORK_LIMITED)) != 0;
}

static void check_handshake(struct fx_peer *peer)
{
    int64_t limit_ms = peer->net->handshake_ms;
    char why[96];

    if (fx_clock_passed_us() - peer->created_us <= limit_ms * 1000) {
        return;
    }
    if (peer->last_recv == 0 || peer->last_send == 0) {
        snprintf(why, sizeof why,
                 "socket no message in first %" PRId64 " seconds, %d %d peer=%" PRIu64,
                 limit_ms / 1000, peer->last_recv != 0, peer->last_send != 0, peer->id);
    } else {
        snprintf(why, sizeof why, "version handshake timeout peer=%" PRIu64, peer->id);
    }
    fx_peer_drop(peer, why);
}

/* A clock that tests move on is no reason to drop a peer that has just come. */
static void check_ping(struct fx_peer *peer, int64_t now_ms)
{
    int64_t since_us = fx_clock_passed_us() - peer->ping_sent_us;
    char why[64];

    if (peer->ping_nonce == 0) {
        if (since_us > FX_PING_EVERY_MS * INT64_C(1000)) {
            fx_ping_send(peer);
        }
    } else if (since_us > FX_PING_TIMEOUT_MS * INT64_C(1000) &&
               now_ms - peer->created_ms > peer->net->handshake_ms) {
        snprintf(why, sizeof why, "ping timeout: %" PRId64 ".%06" PRId64 "s", since_us / 1000000,
                 since_us % 1000000);
        fx_peer_drop(peer, why);
    }
}

void fx_peer_tick(struct fx_peer *peer, int64_t now_ms)
{
    if (peer->closing) {
        return;
    }
    if (peer->ready) {
        check_ping(peer, now_ms);
    } else if (peer->connected) {
        check_handshake(peer);
    } else if (now_ms - peer->created_ms > FX_CONNECT_MS) {
        fx_peer_drop(peer, "cannot connect: timeout");
    }
}

static const char *connection_type(const struct fx_peer *peer)
{
    switch (peer->origin) {
    case FX_PEER_INBOUND:
        return "inbound";
    case FX_PEER_AUTO:
        return "outbound-full-relay";
    case FX_PEER_BLOCKS:
        return "block-relay-only";
    case FX_PEER_ADDRS:
        return "addr-fetch";
    case FX_PEER_FEELER:
        return "feeler";
    case FX_PEER_MANUAL:
        return "manual";
    case FX_PEER_BLOB:
        return "data";
    }
    return "";
}

static const char *network_name(const struct fx_netaddr *addr)
{
    if (!fx_netaddr_is_routable(addr)) {
        return "not_publicly_routable";
    }
    return addr->network == FX_NETWORK_IPV4 ? "ipv4" : "ipv6";
}

static void our_end(const struct fx_peer *peer, char text[FX_NET_ADDRESS])
{
    struct sockaddr_storage sa;
    struct fx_netaddr addr;
    socklen_t len = sizeof sa;

    if (getsockname(bufferevent_getfd(peer->bev), (struct sockaddr *)&sa, &len) == 0 &&
        fx_netaddr_from_sockaddr((struct sockaddr *)&sa, &addr)) {
        fx_netaddr_format(&addr, text);
    }
}

static void count_commands(const struct fx_peer *peer, struct fx_peer_info *info)
{
    const char *name;

    for (size_t slot = 0; (name = fx_command_name(slot)) != NULL; slot++) {
        info->commands[info->n_commands++] =
            (struct fx_net_command_bytes){name, peer->sent_by[slot], peer->received_by[slot]};
    }
}

void fx_peer_info(const struct fx_peer *peer, struct fx_peer_info *info)
{
    memset(info, 0, sizeof *info);
    our_end(peer, info->bound_to);
    count_commands(peer, info);
    info->network = network_name(&peer->addr);
    info->connection_type = connection_type(peer);
    info->min_ping_us = peer->min_ping_us;
    info->ping_wait_us = peer->ping_nonce == 0 ? -1 : fx_clock_passed_us() - peer->ping_sent_us;
    info->n_permissions = fx_permit_names(peer->permissions, info->permissions);
    info->last_tx = peer->last_tx;
    info->last_block = peer->last_block;
    info->relays_txs = peer->tx.relay;
    info->relays_addrs =
        peer->ready && peer->origin != FX_PEER_BLOB && peer->origin != FX_PEER_BLOCKS;
    info->fee_filter = peer->tx.fee_filter;
    info->compact_to = peer->compact.announces;
    info->compact_from = peer->compact.announces_to;
    info->common_height = peer->sync.common == NULL ? -1 : (int32_t)peer->sync.common->height;
    info->id = peer->id;
    memcpy(info->address, peer->name, sizeof info->address);
    memcpy(info->user_agent, peer->version.user_agent, sizeof info->user_agent);
    info->inbound = peer->origin == FX_PEER_INBOUND;
    info->handshake_done = peer->ready;
    info->services = peer->version.services;
    info->version = peer->version.version;
    info->connected_at = peer->connected_at;
    info->last_send = peer->last_send;
    info->last_recv = peer->last_recv;
    info->bytes_sent = peer->bytes_sent;
    info->bytes_recv = peer->bytes_received;
    info->ping_us = peer->ping_us;
    info->time_offset = peer->time_offset;
    info->start_height = peer->version.start_height;
    info->best_height = peer->sync.best_known == NULL ? -1 : (int32_t)peer->sync.best_known->height;
    info->presync_height =
        peer->sync.presync == NULL ? -1 : (int32_t)peer->sync.presync->stream.height;
    info->misbehaviour = peer->misbehaviour;
    info->blocks_in_flight = fx_sync_in_flight(peer, info->in_flight_heights);
}
