/* Handshake and framing of live peers: what each kind of bad input brings about. */
#include "src/net/peer_int.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/net/fakes.h"
#include "src/net/dial_int.h"
#include "src/net/handshake_int.h"
#include "src/sys/clock.h"

#define ALL (FX_NODE_NETWORK | FX_NODE_WITNESS | FX_NODE_JOBDATA)

static bool both_ready(void *arg)
{
    struct node *nodes = arg;

    return fx_net_ready_peers(nodes[0].net) == 1 && fx_net_ready_peers(nodes[1].net) == 1;
}

FX_TEST(two_nodes_shake_hands)
{
    struct event_base *base = event_base_new();
    struct node nodes[2];
    struct fx_peer_info *infos = NULL;
    uint64_t sent, received;

    node_create(&nodes[0], base);
    node_create(&nodes[1], base);
    FX_CHECK(fx_net_add_node(nodes[0].net, node_address(&nodes[1]), false));
    FX_CHECK(run_until(base, both_ready, nodes));
    FX_CHECK_INT(fx_net_peers(nodes[0].net, &infos), 1);
    FX_CHECK_STR(infos[0].address, node_address(&nodes[1]));
    FX_CHECK_STR(infos[0].user_agent, "/Fornax:0.1.0/");
    FX_CHECK(!infos[0].inbound && infos[0].handshake_done);
    FX_CHECK_INT(infos[0].services, ALL);
    FX_CHECK_INT(infos[0].version, FX_PROTOCOL_VERSION);
    FX_CHECK_INT(infos[0].time_offset, 0);
    free(infos);
    FX_CHECK_INT(fx_net_peers(nodes[1].net, &infos), 1);
    FX_CHECK(infos[0].inbound && infos[0].bytes_recv > 0);
    free(infos);
    fx_net_totals(nodes[0].net, &sent, &received);
    FX_CHECK(sent > 100 && received > 100);
    node_destroy(&nodes[0]);
    node_destroy(&nodes[1]);
    event_base_free(base);
}

static bool alone(void *arg)
{
    return fx_net_ready_peers(((struct node *)arg)->net) == 0;
}

FX_TEST(added_node_comes_back)
{
    struct event_base *base = event_base_new();
    struct node nodes[2];
    struct fx_peer_info *infos = NULL;

    node_create(&nodes[0], base);
    node_create(&nodes[1], base);
    FX_CHECK(fx_net_add_node(nodes[0].net, node_address(&nodes[1]), false));
    FX_CHECK(run_until(base, both_ready, nodes));
    FX_CHECK_INT(fx_net_peers(nodes[0].net, &infos), 1);
    FX_CHECK(!fx_net_disconnect(nodes[0].net, NULL, infos[0].id + 1000));
    FX_CHECK(fx_net_disconnect(nodes[0].net, NULL, infos[0].id));
    free(infos);
    FX_CHECK(run_until(base, alone, &nodes[1]));
    FX_CHECK(run_until(base, both_ready, nodes));
    /* Removed, it does not. */
    FX_CHECK(fx_net_remove_node(nodes[0].net, node_address(&nodes[1])));
    FX_CHECK(!fx_net_remove_node(nodes[0].net, node_address(&nodes[1])));
    FX_CHECK(fx_net_disconnect(nodes[0].net, node_address(&nodes[1]), 0));
    FX_CHECK(run_until(base, alone, &nodes[1]));
    for (int64_t end = fx_clock_monotonic_ms() + 1500; fx_clock_monotonic_ms() < end;) {
        event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    }
    FX_CHECK(alone(&nodes[1]));
    FX_CHECK(!fx_net_add_node(nodes[0].net, "no address", true));
    node_destroy(&nodes[0]);
    node_destroy(&nodes[1]);
    event_base_free(base);
}

static bool no_peers(void *arg)
{
    return ((struct node *)arg)->net->n_peers == 0;
}

FX_TEST(does_not_talk_to_itself)
{
    struct node node;

    node_create(&node, NULL);
    FX_CHECK(fx_net_add_node(node.net, node_address(&node), true));
    FX_CHECK(run_until(node.base, no_peers, &node));
    node_destroy(&node);
}

static void send_version(struct remote *remote, uint32_t version, int64_t time)
{
    struct fx_msg_version m;
    struct fx_buf buf = FX_BUF_INIT;

    memset(&m, 0, sizeof m);
    m.version = version;
    m.services = ALL;
    m.time = time;
    m.nonce = fx_unit_rand64();
    fx_msg_version_write(&m, &buf);
    remote_send(remote, "version", &buf);
}

FX_TEST(refuses_old_versions)
{
    struct node node;
    struct remote *remote = NULL;

    node_create(&node, NULL);
    remote = remote_open(&node, "127.0.0.1:1000");
    send_version(remote, FX_PROTOCOL_VERSION_MIN - 1, fx_clock_now());
    FX_CHECK(remote_is_dropped(remote));
    remote_close(remote);
    remote = remote_open(&node, "127.0.0.1:1000");
    send_version(remote, FX_PROTOCOL_VERSION_MIN, fx_clock_now());
    FX_CHECK(!remote_is_dropped(remote));
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(nothing_before_version)
{
    struct node node;
    struct remote *remote = NULL;

    node_create(&node, NULL);
    remote = remote_open(&node, "127.0.0.1:1000");
    remote_send(remote, "verack", NULL);
    FX_CHECK(!remote_peer(remote)->ready);
    FX_CHECK_INT(remote_peer(remote)->misbehaviour, 20);
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(bad_frames)
{
    struct node node;
    struct remote *remote = NULL;
    uint8_t head[FX_FRAME_SIZE];
    static const char *const limited[] = {"ping", "headers", "chunk", "cert", "nonsense"};

    node_create(&node, NULL);
    /* magic */
    remote = remote_ready(&node, "8.1.0.1:1000", ALL);
    memset(head, 0x55, sizeof head);
    remote_send_bytes(remote, head, sizeof head);
    FX_CHECK(remote_is_dropped(remote));
    remote_close(remote);
    /* longer than the command allows: judged before any of the payload comes */
    for (size_t i = 0; i < sizeof limited / sizeof limited[0]; i++) {
        remote = remote_ready(&node, "127.0.0.1:1001", ALL);
        fx_codec_write_frame(node.chain->params->magic, limited[i], NULL, 0, head);
        fx_store_u32(head + 16, FX_MESSAGE_MAX);
        remote_send_bytes(remote, head, sizeof head);
        FX_CHECK(remote_is_dropped(remote));
        remote_close(remote);
    }
    /* checksum: the second one is too much */
    remote = remote_ready(&node, "8.2.0.1:1002", ALL);
    fx_codec_write_frame(node.chain->params->magic, "ping", "12345678", 8, head);
    head[23] ^= 1;
    remote_send_bytes(remote, head, sizeof head);
    remote_send_bytes(remote, "12345678", 8);
    FX_CHECK(!remote_is_dropped(remote));
    FX_CHECK(remote_sync(remote));
    remote_send_bytes(remote, head, sizeof head);
    remote_send_bytes(remote, "12345678", 8);
    FX_CHECK(remote_is_dropped(remote));
    remote_close(remote);
    /* a message that ends in the middle */
    remote = remote_ready(&node, "8.3.0.1:1003", ALL);
    fx_codec_write_frame(node.chain->params->magic, "ping", "12345678", 8, head);
    remote_send_bytes(remote, head, sizeof head);
    remote_send_bytes(remote, "1234", 4);
    FX_CHECK(!remote_is_dropped(remote));
    remote_close(remote);
    FX_CHECK_INT(fx_net_ready_peers(node.net), 0);
    /* and the node goes on */
    remote = remote_ready(&node, "8.4.0.1:1004", ALL);
    FX_CHECK(remote_sync(remote));
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(malformed_payloads)
{
    static const struct {
        const char *command;
        size_t n;
    } bad[] = {
        {"ping", 7},      {"pong", 1},     {"headers", 3},   {"inv", 40},      {"getdata", 0},
        {"notfound", 36}, {"block", 79},   {"block", 300},   {"tx", 9},        {"getheaders", 36},
        {"cert", 131},    {"invdata", 10}, {"chunk", 1000},  {"getchunk", 44}, {"nochunk", 3},
        {"addr", 1},      {"addrv2", 4},   {"feefilter", 7},
    };
    struct node node;

    node_create(&node, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct remote *remote = remote_ready(&node, "127.0.0.1:1000", ALL);
        struct fx_buf buf = FX_BUF_INIT;

        /* A block of ones would be on the job lane, and its proof a bad copy only. */
        memset(fx_buf_extend(&buf, bad[i].n), bad[i].n == 300 ? 0 : 1, bad[i].n);
        remote_send(remote, bad[i].command, &buf);
        if (!remote_is_dropped(remote)) {
            FX_FAIL("a malformed %s passed", bad[i].command);
        }
        remote_close(remote);
    }
    node_destroy(&node);
}

FX_TEST(unknown_commands_are_ignored)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_buf buf = FX_BUF_INIT;

    node_create(&node, NULL);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    fx_buf_str(&buf, "whatever");
    remote_send(remote, "mempool2", &buf);
    FX_CHECK(remote_sync(remote));
    FX_CHECK_INT(remote_peer(remote)->misbehaviour, 0);
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(misbehaving_addresses_are_refused)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_netaddr far, near;
    uint8_t head[FX_FRAME_SIZE] = {0};

    node_create(&node, NULL);
    FX_CHECK(fx_netaddr_parse("8.8.8.8:1", 1, &far) && fx_netaddr_parse("127.0.0.1:1", 1, &near));
    FX_CHECK(!fx_dial_is_discouraged(node.net, &far));
    remote = remote_ready(&node, "8.8.8.8:5000", ALL);
    remote_send_bytes(remote, head, sizeof head);
    FX_CHECK(remote_is_dropped(remote));
    remote_close(remote);
    FX_CHECK(fx_dial_is_discouraged(node.net, &far));
    /* On loopback others may live at the same address. */
    remote = remote_ready(&node, "127.0.0.1:5000", ALL);
    remote_send_bytes(remote, head, sizeof head);
    FX_CHECK(remote_is_dropped(remote));
    remote_close(remote);
    FX_CHECK(!fx_dial_is_discouraged(node.net, &near));
    for (uint32_t i = 0; i < 2 * FX_DISCOURAGED_MAX; i++) {
        far.ip[2] = (uint8_t)(i >> 8);
        far.ip[3] = (uint8_t)i;
        fx_dial_discourage(node.net, &far);
    }
    node_destroy(&node);
}

FX_TEST(a_peer_that_does_not_read_is_held_back)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_inv items[50];
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_buf got = FX_BUF_INIT;
    const struct fx_tx *tx = NULL;
    struct fx_txb builder;
    struct fx_outpoint prevout = {.txid = fake_hash(1)};
    uint8_t *big = calloc(1, 400000);
    size_t n = 0;

    FX_CHECK(big != NULL);
    node_create(&node, NULL);
    fx_txb_init(&builder);
    fx_txb_add_in(&builder, &prevout, 0);
    fx_txb_add_out(&builder, 1, big, 400000);
    tx = fx_txb_build(&builder);
    fx_txb_clear(&builder);
    free(big);
    fx_net_relay_tx(node.net, tx);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    for (size_t i = 0; i < 50; i++) {
        items[i] = (struct fx_inv){FX_INV_WITNESS_TX, tx->txid};
    }
    fx_msg_inv_write(items, 50, &buf);
    remote_send(remote, "getdata", &buf);
    fx_buf_u64(&buf, 77);
    remote_send(remote, "ping", &buf);
    FX_CHECK(remote_peer(remote) != NULL);
    FX_CHECK(fx_peer_send_backlog(remote_peer(remote)) < FX_SEND_PAUSE + 500000);
    FX_CHECK(remote_peer(remote)->read_paused);
    /* All of it comes once it is read, in order, and then the pong. */
    while (n < 50) {
        FX_CHECK(remote_expect(remote, "tx", &got));
        FX_CHECK_INT(got.len, tx->raw.len);
        n++;
    }
    FX_CHECK(remote_expect(remote, "pong", &got));
    FX_CHECK_INT(fx_load_u64(got.data), 77);
    fx_buf_clear(&got);
    remote_close(remote);
    fx_tx_unref(tx);
    node_destroy(&node);
}

FX_TEST(clock_warning)
{
    struct node node;
    struct remote *remotes[3];

    node_create(&node, NULL);
    for (size_t i = 0; i < 3; i++) {
        remotes[i] = remote_open(&node, "127.0.0.1:1000");
        /* One liar among three does not matter. */
        send_version(remotes[i], FX_PROTOCOL_VERSION, fx_clock_now() + (i == 1 ? 100000 : 0));
        remote_send(remotes[i], "verack", NULL);
    }
    FX_CHECK_INT(fx_net_ready_peers(node.net), 3);
    FX_CHECK(!node.net->clock_warned);
    remote_close(remotes[0]);
    remotes[0] = remote_open(&node, "127.0.0.1:1000");
    send_version(remotes[0], FX_PROTOCOL_VERSION, fx_clock_now() - 700);
    remote_send(remotes[0], "verack", NULL);
    FX_CHECK(!node.net->clock_warned);
    remote_close(remotes[2]);
    remotes[2] = remote_open(&node, "127.0.0.1:1000");
    send_version(remotes[2], FX_PROTOCOL_VERSION, INT64_MIN);
    remote_send(remotes[2], "verack", NULL);
    FX_CHECK(node.net->clock_warned);
    /* Two that do not agree are no majority. */
    remote_close(remotes[2]);
    remotes[2] = remote_open(&node, "127.0.0.1:1000");
    send_version(remotes[2], FX_PROTOCOL_VERSION, fx_clock_now());
    remote_send(remotes[2], "verack", NULL);
    remote_close(remotes[1]);
    fx_clock_compare(node.net);
    FX_CHECK_INT(fx_net_ready_peers(node.net), 2);
    FX_CHECK(!node.net->clock_warned);
    remotes[1] = remote_open(&node, "127.0.0.1:1000");
    for (size_t i = 0; i < 3; i++) {
        remote_close(remotes[i]);
    }
    node_destroy(&node);
}

static uint32_t lcg(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

FX_TEST(random_payloads_never_stop_the_node)
{
    static const char *const commands[] = {
        "version",  "verack",  "ping",     "headers", "inv",        "getdata",
        "notfound", "block",   "tx",       "cert",    "getheaders", "addr",
        "addrv2",   "invdata", "getchunk", "chunk",   "nochunk"};
    struct node node;
    uint32_t state = (uint32_t)fx_unit_rand64();

    node_create(&node, NULL);
    for (unsigned round = 0; round < fx_unit_rounds(300); round++) {
        struct remote *remote = remote_ready(&node, "127.0.0.1:1000", ALL);
        struct fx_buf buf = FX_BUF_INIT;
        size_t n = lcg(&state) % 200;

        fx_unit_rand_fill(fx_buf_extend(&buf, n), n);
        if (n > 0) {
            buf.data[0] = (uint8_t)(lcg(&state) % 4);
        }
        remote_send(remote, commands[lcg(&state) % (sizeof commands / sizeof commands[0])], &buf);
        remote_close(remote);
    }
    FX_CHECK(run_until(node.base, no_peers, &node));
    node_destroy(&node);
}
