/* What differs on the public networks, and the addresses that are kept for them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qa/unit/harness.h"
#include "qa/unit/net/fakes.h"
#include "src/net/addrman_int.h"
#include "src/net/blobdir_int.h"
#include "src/net/dial_int.h"
#include "src/net/txrelay_int.h"
#include "src/sys/clock.h"
#include "src/sys/file.h"

#define ALL (FX_NODE_NETWORK | FX_NODE_WITNESS | FX_NODE_JOBDATA)

static struct fx_netaddr ip(uint32_t n, uint16_t port)
{
    struct fx_netaddr addr = {.network = FX_NETWORK_IPV4, .port = port};

    addr.ip[0] = (uint8_t)(60 + (n >> 22) % 40);
    addr.ip[1] = (uint8_t)(n >> 14);
    addr.ip[2] = (uint8_t)(n >> 7);
    addr.ip[3] = (uint8_t)n;
    return addr;
}

FX_TEST(addresses_survive_a_restart)
{
    const char *dir = fx_unit_tmpdir();
    char *path = fx_path_join(dir, "peers.dat");
    struct node node;
    struct fx_netaddr addr;
    uint8_t *data = NULL;
    size_t n = 0;

    node_create_on(&node, NULL, "main", dir);
    for (uint32_t i = 0; i < 100; i++) {
        addr = ip(i << 14, 1000);
        fx_addrman_add(node.net, &addr, ALL, fx_clock_now());
        fx_addrman_add(node.net, &addr, ALL, fx_clock_now());
    }
    FX_CHECK_INT(fx_addrman_count(node.net), 100);
    node_destroy(&node);
    node_create_on(&node, NULL, "main", dir);
    FX_CHECK_INT(fx_addrman_count(node.net), 100);
    node_destroy(&node);
    /* A damaged file is no reason not to start. */
    FX_CHECK(fx_file_read(path, 1 << 20, &data, &n));
    for (size_t i = 0; i < 20; i++) {
        size_t at = (size_t)fx_unit_rand_below(n);

        data[at] ^= 0x10;
        FX_CHECK(fx_file_write(path, data, i < 10 ? n : at, 0600));
        data[at] ^= 0x10;
        node_create_on(&node, NULL, "main", dir);
        FX_CHECK_INT(fx_addrman_count(node.net), 0);
        node_destroy(&node);
    }
    free(data);
    free(path);
}

FX_TEST(address_table_is_bounded)
{
    struct node node;
    struct fx_netaddr addr;

    node_create_on(&node, NULL, "main", NULL);
    for (uint32_t i = 0; i < 1000; i++) {
        addr = ip(i, 1000);
        fx_addrman_add(node.net, &addr, ALL, 0);
    }
    FX_CHECK_INT(fx_addrman_count(node.net), FX_ADDRMAN_GROUP_MAX);
    for (uint32_t i = 0; i < 2 * FX_ADDRMAN_MAX; i++) {
        addr = ip(i << 11, 1000);
        fx_addrman_add(node.net, &addr, ALL, INT64_MAX);
    }
    FX_CHECK(fx_addrman_count(node.net) > FX_ADDRMAN_MAX / 2);
    FX_CHECK(fx_addrman_count(node.net) <= FX_ADDRMAN_MAX);
    FX_CHECK(fx_netaddr_parse("192.168.1.1:5", 1, &addr));
    for (size_t n = fx_addrman_count(node.net), i = 0; i < 3; i++) {
        fx_addrman_add(node.net, &addr, ALL, 0);
        FX_CHECK_INT(fx_addrman_count(node.net), n);
    }
    node_destroy(&node);
}

FX_TEST(choosing_an_address)
{
    struct node node;
    struct fx_netaddr addr = ip(1, 1000);
    struct fx_netaddr got;

    node_create_on(&node, NULL, "main", NULL);
    FX_CHECK(!fx_addrman_choose(node.net, &got, 1000));
    fx_addrman_add(node.net, &addr, ALL, 0);
    FX_CHECK(fx_addrman_choose(node.net, &got, 1000) && fx_netaddr_equal(&got, &addr));
    /* Not again at once, and after failures not at all. */
    FX_CHECK(!fx_addrman_choose(node.net, &got, 2000));
    FX_CHECK(fx_addrman_choose(node.net, &got, 3600000));
    for (unsigned i = 0; i < 10; i++) {
        fx_addrman_failed(node.net, &addr);
    }
    FX_CHECK_INT(fx_addrman_count(node.net), 0);
    node_destroy(&node);
}

static void send_addrs(struct remote *remote, uint32_t from, size_t n, bool v2)
{
    struct fx_msg_addr *items = calloc(n, sizeof *items);
    struct fx_buf buf = FX_BUF_INIT;

    FX_CHECK(items != NULL);
    for (size_t i = 0; i < n; i++) {
        items[i].addr = ip((from + (uint32_t)i) << 14, 1000);
        items[i].services = ALL;
        items[i].time = (uint32_t)fx_clock_now();
    }
    fx_msg_addr_write(items, n, v2, &buf);
    remote_send(remote, v2 ? "addrv2" : "addr", &buf);
    free(items);
}

FX_TEST(addr_messages)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_reader r;
    struct fx_msg_addr *items = NULL;
    size_t n = 0;

    node_create_on(&node, NULL, "main", NULL);
    remote = remote_ready(&node, "60.0.0.1:1000", ALL);
    send_addrs(remote, 0, 500, false);
    send_addrs(remote, 500, 400, true);
    FX_CHECK_INT(fx_addrman_count(node.net), 900);
    /* A peer's flow of addresses is bounded. */
    send_addrs(remote, 900, 1000, true);
    FX_CHECK(fx_addrman_count(node.net) <= 1010);
    remote_send(remote, "getaddr", NULL);
    FX_CHECK(remote_expect(remote, "addr", &buf));
    fx_reader_init(&r, buf.data, buf.len);
    FX_CHECK(fx_msg_addr_read(&r, false, &items, &n));
    FX_CHECK_INT(n, FX_ADDR_MAX);
    free(items);
    fx_buf_clear(&buf);
    /* Once. */
    remote_send(remote, "getaddr", NULL);
    FX_CHECK(remote_silent(remote, "addr"));
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(quiet_while_the_chain_is_loaded)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_inv inv = {FX_INV_WTX, fake_hash(9)};

    node_create_on(&node, NULL, "main", NULL);
    node.chain->initial_download = true;
    remote = remote_ready(&node, "60.0.0.1:1000", ALL);
    fx_msg_inv_write(&inv, 1, &buf);
    remote_send(remote, "inv", &buf);
    FX_CHECK(remote_silent(remote, "getdata"));
    fake_chain_mine(node.chain, 1);
    FX_CHECK(remote_silent(remote, "inv"));
    node.chain->initial_download = false;
    fake_chain_mine(node.chain, 1);
    FX_CHECK(remote_expect(remote, "inv", NULL));
    fx_msg_inv_write(&inv, 1, &buf);
    remote_send(remote, "inv", &buf);
    FX_CHECK(remote_expect(remote, "getdata", NULL));
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(transactions_wait_a_random_while)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_hash of = fake_hash(1);
    struct fx_accept result;
    size_t at_once = 0;

    node_create_on(&node, NULL, "main", NULL);
    node.mempool->confirmed[node.mempool->n_confirmed++] = of;
    remote = remote_ready(&node, "60.0.0.1:1000", ALL);
    for (uint32_t i = 0; i < 20; i++) {
        struct fx_tx *tx = fake_tx(&of, 2, i);

        fx_mempool_accept(node.mempool, tx, false, &result);
        fx_tx_unref(tx);
        run_some(node.base);
        at_once += remote_peer(remote)->tx.n_queue == 0 ? 1 : 0;
        FX_CHECK(remote_peer(remote)->tx.next_ms <= fx_clock_monotonic_ms() + 5000);
    }
    FX_CHECK(at_once < 20);
    while (remote_peer(remote)->tx.next_ms > fx_clock_monotonic_ms()) {
        remote_peer(remote)->tx.next_ms--;
    }
    fx_txrelay_flush(node.net);
    FX_CHECK(remote_expect(remote, "inv", NULL));
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(only_public_addresses_are_kept_for_data)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_netaddr addresses[FX_ADDRESSES_A_ROOT];
    struct fx_msg_invdata m;
    struct fx_buf buf = FX_BUF_INIT;

    node_create_on(&node, NULL, "main", NULL);
    memset(&m, 0, sizeof m);
    m.key.root = fake_hash(3);
    fake_jobs_name(&node.jobs, &m.key);
    remote = remote_ready(&node, "60.0.0.1:1000", ALL);
    FX_CHECK(fx_netaddr_parse("10.0.0.1:5", 1, &m.addr));
    fx_msg_invdata_write(&m, &buf);
    remote_send(remote, "invdata", &buf);
    FX_CHECK_INT(fx_blobdir_addresses(node.net, &m.key, addresses), 0);
    FX_CHECK(fx_blobdir_announced_by(node.net, &m.key, remote->id));
    FX_CHECK(fx_netaddr_parse("61.0.0.1:5", 1, &m.addr));
    fx_msg_invdata_write(&m, &buf);
    remote_send(remote, "invdata", &buf);
    FX_CHECK_INT(fx_blobdir_addresses(node.net, &m.key, addresses), 1);
    /* Each is dialled once an hour at most. */
    FX_CHECK(fx_dial_for_blob(node.net, &m.addr, 1000));
    FX_CHECK(!fx_dial_for_blob(node.net, &m.addr, 2000));
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(what_a_net_refuses_to_start_with)
{
    struct node node;
    struct fx_net_config config;
    char *error = NULL;
    static const char *const bad[] = {"nowhere example"};

    node_create(&node, NULL);
    memset(&config, 0, sizeof config);
    config.base = node.base;
    config.params = node.chain->params;
    config.chain = node.chain;
    config.mempool = node.mempool;
    config.connect = bad;
    config.n_connect = 1;
    FX_CHECK(fx_net_create(&config, &error) == NULL);
    FX_CHECK(error != NULL && strstr(error, "-connect=nowhere example") != NULL);
    free(error);
    config.n_connect = 0;
    config.comments = (const char *[]){"a/b"};
    config.n_comments = 1;
    FX_CHECK(fx_net_create(&config, &error) == NULL);
    FX_CHECK(error != NULL && strstr(error, "unsafe characters") != NULL);
    free(error);
    config.n_comments = 0;
    config.listen = true;
    config.bind = (const char *[]){"127.0.0.1"};
    config.n_bind = 1;
    config.port = fx_net_port(node.net);
    FX_CHECK(fx_net_create(&config, &error) == NULL);
    FX_CHECK(error != NULL && strstr(error, "Cannot listen on 127.0.0.1:") != NULL);
    free(error);
    node_destroy(&node);
}

FX_TEST(places_are_limited)
{
    struct node node;
    struct fx_net_config config;
    struct fx_net *net = NULL;
    struct sockaddr_storage sa;
    struct fx_netaddr addr;
    static const char *const none[] = {"0"};
    char *error = NULL;
    int fds[10];
    socklen_t len;

    node_create(&node, NULL);
    memset(&config, 0, sizeof config);
    config.base = node.base;
    config.params = node.chain->params;
    config.chain = node.chain;
    config.mempool = node.mempool;
    config.listen = true;
    config.bind = (const char *[]){"127.0.0.1"};
    config.n_bind = 1;
    config.port_any = true;
    config.connect = none;
    config.n_connect = 1;
    config.max_connections = 8;
    config.comments = (const char *[]){"test 1", "2"};
    config.n_comments = 2;
    net = fx_net_create(&config, &error);
    FX_CHECK(net != NULL);
    FX_CHECK_STR(net->user_agent, "/Fornax:0.1.0(test 1; 2)/");
    FX_CHECK_INT(fx_net_local_services(net), FX_NODE_NETWORK | FX_NODE_WITNESS);
    FX_CHECK(fx_netaddr_parse("127.0.0.1", fx_net_port(net), &addr));
    len = fx_netaddr_to_sockaddr(&addr, &sa);
    for (size_t i = 0; i < 10; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        FX_CHECK(connect(fds[i], (struct sockaddr *)&sa, len) == 0);
        run_some(node.base);
    }
    FX_CHECK_INT(net->n_peers, 4);
    for (size_t i = 0; i < 10; i++) {
        close(fds[i]);
    }
    fx_net_destroy(net);
    node.chain->n_events = 1;
    node.mempool->n_events = 1;
    node_destroy(&node);
}
