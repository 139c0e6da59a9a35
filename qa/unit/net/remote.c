/* Nodes with fakes below them, and peers that a test plays by hand. */
#include "qa/unit/net/fakes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qa/unit/harness.h"
#include "src/net/codec_int.h"
#include "src/net/peer_int.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

#define WAIT_MS 8000
#define SILENCE_MS 60

void node_create_on(struct node *node, struct event_base *base, const char *network,
                    const char *dir)
{
    struct fx_net_config config;
    char *error = NULL;

    memset(node, 0, sizeof *node);
    fx_log_open(NULL, false);
    node->owns_base = base == NULL;
    node->base = base == NULL ? event_base_new() : base;
    node->chain = fake_chain_create();
    node->mempool = fake_mempool_create();
    memset(&config, 0, sizeof config);
    config.base = node->base;
    config.params = fx_params_find(network);
    config.chain = node->chain;
    config.mempool = node->mempool;
    config.blobs = &node->blobs;
    config.bind = (const char *[]){"127.0.0.1"};
    config.n_bind = 1;
    config.port_any = true;
    config.listen = true;
    config.dir = dir;
    node->net = fx_net_create(&config, &error);
    if (node->net == NULL) {
        FX_FAIL("%s", error);
    }
    fx_net_set_jobs(node->net, &node->jobs);
}

void node_create(struct node *node, struct event_base *base)
{
    node_create_on(node, base, "regtest", NULL);
}

void node_destroy(struct node *node)
{
    fx_net_destroy(node->net);
    fake_mempool_destroy(node->mempool);
    fake_chain_destroy(node->chain);
    if (node->owns_base) {
        event_base_free(node->base);
    }
}

const char *node_address(const struct node *node)
{
    static char text[FX_NET_ADDRESS];

    snprintf(text, sizeof text, "127.0.0.1:%u", (unsigned)fx_net_port(node->net));
    return text;
}

void run_some(struct event_base *base)
{
    for (unsigned i = 0; i < 5; i++) {
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
}

bool run_until(struct event_base *base, bool (*done)(void *arg), void *arg)
{
    int64_t end = fx_clock_monotonic_ms() + WAIT_MS;

    while (!done(arg)) {
        if (fx_clock_monotonic_ms() > end) {
            return false;
        }
        event_base_loop(base, EVLOOP_NONBLOCK);
        poll(NULL, 0, 1);
    }
    return true;
}

struct remote *remote_open(struct node *node, const char *address)
{
    struct remote *remote = fx_xcalloc(1, sizeof *remote);
    struct fx_netaddr addr;
    struct fx_peer *peer = NULL;
    int fds[2];

    FX_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    FX_CHECK(fx_netaddr_parse(address, 1, &addr));
    peer = fx_peer_create(node->net, fds[0], FX_PEER_INBOUND, &addr);
    FX_CHECK(peer != NULL);
    remote->node = node;
    remote->fd = fds[1];
    remote->id = peer->id;
    return remote;
}

void remote_close(struct remote *remote)
{
    close(remote->fd);
    run_some(remote->node->base);
    free(remote);
}

void remote_send_bytes(struct remote *remote, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;

    while (n > 0) {
        ssize_t done = send(remote->fd, p, n, MSG_NOSIGNAL);

        if (done < 0 && errno != EAGAIN) {
            return; /* the node hung up: the test looks at that */
        }
        if (done > 0) {
            p += done;
            n -= (size_t)done;
        }
        event_base_loop(remote->node->base, EVLOOP_NONBLOCK);
    }
    run_some(remote->node->base);
}

void remote_send(struct remote *remote, const char *command, struct fx_buf *payload)
{
    struct fx_buf frame = FX_BUF_INIT;
    size_t n = payload == NULL ? 0 : payload->len;

    fx_codec_write_frame(remote->node->net->params->magic, command, n == 0 ? NULL : payload->data,
                         n, fx_buf_extend(&frame, FX_FRAME_SIZE));
    if (n > 0) {
        fx_buf_bytes(&frame, payload->data, n);
    }
    if (payload != NULL) {
        fx_buf_clear(payload);
    }
    remote_send_bytes(remote, frame.data, frame.len);
    fx_buf_clear(&frame);
}

/* True where something came. */
static bool receive(struct remote *remote)
{
    ssize_t n = recv(remote->fd, remote->input + remote->n_input,
                     sizeof remote->input - remote->n_input, 0);

    if (n > 0) {
        remote->n_input += (size_t)n;
    }
    return n > 0;
}

/* Takes the next message out of the input, or with keep the first of this command. */
static bool next_message(struct remote *remote, const char *command, bool keep,
                         struct fx_frame *frame, struct fx_buf *payload)
{
    size_t at = 0;

    while (remote->n_input - at >= FX_FRAME_SIZE) {
        uint8_t *head = remote->input + at;
        size_t total;

        FX_CHECK_INT(fx_codec_read_frame(head, remote->node->net->params->magic, frame),
                     FX_CODEC_OK);
        total = FX_FRAME_SIZE + frame->length;
        if (remote->n_input - at < total) {
            return false;
        }
        if (keep && strcmp(frame->command, command) != 0) {
            at += total;
            continue;
        }
        FX_CHECK_INT(fx_codec_check_payload(frame, head + FX_FRAME_SIZE), FX_CODEC_OK);
        fx_buf_clear(payload);
        fx_buf_bytes(payload, head + FX_FRAME_SIZE, frame->length);
        memmove(head, head + total, remote->n_input - at - total);
        remote->n_input -= total;
        return true;
    }
    return false;
}

static bool wait_for(struct remote *remote, const char *command, bool keep, struct fx_buf *payload,
                     int64_t ms)
{
    int64_t end = fx_clock_monotonic_ms() + ms;
    struct fx_frame frame;

    for (;;) {
        while (next_message(remote, command, keep, &frame, payload)) {
            if (strcmp(frame.command, command) == 0) {
                return true;
            }
        }
        event_base_loop(remote->node->base, EVLOOP_NONBLOCK);
        if (!receive(remote)) {
            if (fx_clock_monotonic_ms() > end) {
                return false;
            }
            poll(NULL, 0, 1);
        }
    }
}

bool remote_expect(struct remote *remote, const char *command, struct fx_buf *payload)
{
    struct fx_buf unused = FX_BUF_INIT;
    bool found = wait_for(remote, command, false, payload == NULL ? &unused : payload, WAIT_MS);

    fx_buf_clear(&unused);
    return found;
}

bool remote_silent(struct remote *remote, const char *command)
{
    struct fx_buf payload = FX_BUF_INIT;
    bool found = wait_for(remote, command, false, &payload, SILENCE_MS);

    fx_buf_clear(&payload);
    return !found;
}

struct fx_peer *remote_peer(const struct remote *remote)
{
    return fx_net_peer(remote->node->net, remote->id);
}

bool remote_is_dropped(struct remote *remote)
{
    run_some(remote->node->base);
    return remote_peer(remote) == NULL;
}

bool remote_sync(struct remote *remote)
{
    struct fx_buf buf = FX_BUF_INIT;
    uint64_t nonce = fx_unit_rand64();
    bool same = false;

    fx_buf_u64(&buf, nonce);
    remote_send(remote, "ping", &buf);
    while (!same) {
        if (!wait_for(remote, "pong", true, &buf, WAIT_MS)) {
            return false;
        }
        same = buf.len == 8 && fx_load_u64(buf.data) == nonce;
    }
    fx_buf_clear(&buf);
    return true;
}

struct remote *remote_ready(struct node *node, const char *address, uint64_t services)
{
    struct remote *remote = remote_open(node, address);
    struct fx_msg_version m;
    struct fx_buf buf = FX_BUF_INIT;

    memset(&m, 0, sizeof m);
    m.version = FX_PROTOCOL_VERSION;
    m.services = services;
    m.time = fx_clock_now();
    m.nonce = fx_unit_rand64();
    memcpy(m.user_agent, "/test/", 7);
    m.relay = true;
    fx_msg_version_write(&m, &buf);
    remote_send(remote, "version", &buf);
    remote_send(remote, "wtxidrelay", NULL);
    remote_send(remote, "verack", NULL);
    FX_CHECK(wait_for(remote, "verack", true, &buf, WAIT_MS));
    fx_buf_clear(&buf);
    FX_CHECK(remote_sync(remote));
    return remote;
}
