/* Data between nodes: the directory, serving, and the fetch scheduler. */
#include "src/net/blobfetch_int.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/net/fakes.h"
#include "src/net/blobdir_int.h"
#include "src/sys/clock.h"

#define ALL (FX_NODE_NETWORK | FX_NODE_WITNESS | FX_NODE_JOBDATA)

static struct fx_blob_key blob_key(enum fx_blob_type type, uint32_t salt)
{
    struct fx_blob_key key = {.type = type, .root = fake_hash(salt)};

    if (type == FX_BLOB_RESULT) {
        key.solver = fake_hash(salt + 500);
    }
    return key;
}

struct wait {
    struct fx_blobs *blobs;
    struct fx_blob_key key;
    uint64_t have;
};

static bool has_that_much(void *arg)
{
    struct wait *wait = arg;

    return fake_blob_have(wait->blobs, &wait->key) >= wait->have;
}

struct net4 {
    struct event_base *base;
    struct node nodes[4];
};

static void open_net(struct net4 *net)
{
    net->base = event_base_new();
    for (size_t i = 0; i < 4; i++) {
        node_create(&net->nodes[i], net->base);
    }
}

static bool ready(void *arg)
{
    return fx_net_ready_peers(arg) > 0;
}

static void link_nodes(struct net4 *net, size_t from, size_t to)
{
    FX_CHECK(fx_net_add_node(net->nodes[from].net, node_address(&net->nodes[to]), false));
    FX_CHECK(run_until(net->base, ready, net->nodes[from].net));
    FX_CHECK(run_until(net->base, ready, net->nodes[to].net));
}

static void close_net(struct net4 *net)
{
    for (size_t i = 0; i < 4; i++) {
        node_destroy(&net->nodes[i]);
    }
    event_base_free(net->base);
}

FX_TEST(a_blob_moves)
{
    struct net4 net;
    struct fx_blob_key key = blob_key(FX_BLOB_OPERAND, 1);
    struct wait wait;

    open_net(&net);
    link_nodes(&net, 0, 1);
    fake_blob_add(&net.nodes[1].blobs, &key, 300, true);
    fake_blob_add(&net.nodes[0].blobs, &key, 300, false);
    fx_net_fetch_blob(net.nodes[0].net, &key);
    fx_net_fetch_blob(net.nodes[0].net, &key);
    wait = (struct wait){&net.nodes[0].blobs, key, 300};
    FX_CHECK(run_until(net.base, has_that_much, &wait));
    run_some(net.base);
    FX_CHECK(!fx_blobfetch_active(net.nodes[0].net, &key));
    FX_CHECK_INT(net.nodes[1].blobs.gets, 300);
    FX_CHECK_INT(net.nodes[0].net->peers[0]->misbehaviour, 0);
    close_net(&net);
}

FX_TEST(from_several_and_passed_on)
{
    struct net4 net;
    struct fx_blob_key key = blob_key(FX_BLOB_RESULT, 1);
    struct fake_blob *part = NULL;
    struct wait wait;

    open_net(&net);
    link_nodes(&net, 0, 1);
    link_nodes(&net, 0, 2);
    link_nodes(&net, 3, 0);
    for (size_t i = 0; i < 4; i++) {
        fake_jobs_name(&net.nodes[i].jobs, &key);
    }
    fake_blob_add(&net.nodes[1].blobs, &key, 200, true);
    part = fake_blob_add(&net.nodes[2].blobs, &key, 200, true);
    /* One of the two has only some of it. */
    for (size_t i = 0; i < 200; i += 3) {
        part->have[i] = false;
    }
    fake_blob_add(&net.nodes[0].blobs, &key, 200, false);
    fake_blob_add(&net.nodes[3].blobs, &key, 200, false);
    fx_net_fetch_blob(net.nodes[0].net, &key);
    wait = (struct wait){&net.nodes[0].blobs, key, 200};
    FX_CHECK(run_until(net.base, has_that_much, &wait));
    FX_CHECK(net.nodes[1].blobs.gets >= 60 && net.nodes[2].blobs.gets >= 10);
    /* Node 0 tells node 3, which has no other way to it. */
    fx_net_fetch_blob(net.nodes[3].net, &key);
    wait = (struct wait){&net.nodes[3].blobs, key, 200};
    FX_CHECK(run_until(net.base, has_that_much, &wait));
    FX_CHECK(fx_blobdir_announced_by(net.nodes[3].net, &key, net.nodes[3].net->peers[0]->id));
    close_net(&net);
}

FX_TEST(addresses_travel_and_are_dialled)
{
    struct net4 net;
    struct fx_blob_key key = blob_key(FX_BLOB_OPERAND, 2);
    struct wait wait;

    /* 0 - 1 - 2: what 2 announces, 0 hears of from 1, which does not have it. */
    open_net(&net);
    link_nodes(&net, 0, 1);
    link_nodes(&net, 2, 1);
    for (size_t i = 0; i < 3; i++) {
        fake_jobs_name(&net.nodes[i].jobs, &key);
    }
    fake_blob_add(&net.nodes[2].blobs, &key, 50, true);
    fake_blob_add(&net.nodes[0].blobs, &key, 50, false);
    fx_net_fetch_blob(net.nodes[0].net, &key);
    fx_net_announce_blob(net.nodes[2].net, &key);
    wait = (struct wait){&net.nodes[0].blobs, key, 50};
    FX_CHECK(run_until(net.base, has_that_much, &wait));
    FX_CHECK_INT(net.nodes[0].net->n_peers, 2);
    FX_CHECK_INT(fx_blobdir_roots(net.nodes[1].net), 1);
    /* Forgotten with the task. */
    net.nodes[1].jobs.n_named = 0;
    fx_blobdir_tick(net.nodes[1].net, fx_clock_monotonic_ms() + 60000);
    FX_CHECK_INT(fx_blobdir_roots(net.nodes[1].net), 0);
    close_net(&net);
}

FX_TEST(newcomers_are_told)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_blob_key key = blob_key(FX_BLOB_OPERAND, 2);
    struct fx_blob_key unnamed = blob_key(FX_BLOB_OPERAND, 3);
    struct fx_blob_key partial = blob_key(FX_BLOB_OPERAND, 4);
    struct fx_buf buf = FX_BUF_INIT;

    node_create(&node, NULL);
    fake_blob_add(&node.blobs, &unnamed, 2, true);
    fake_blob_add(&node.blobs, &partial, 2, false);
    fake_blob_add(&node.blobs, &key, 2, true);
    fake_jobs_name(&node.jobs, &partial);
    fake_jobs_name(&node.jobs, &key);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    FX_CHECK(remote_expect(remote, "invdata", &buf));
    FX_CHECK_MEM(buf.data + 1, key.root.b, 32);
    FX_CHECK(remote_silent(remote, "invdata"));
    fx_buf_clear(&buf);
    remote_close(remote);
    node_destroy(&node);
}

/* ---- a peer played by hand ---------------------------------------------------------------------
 */

static bool get_request(struct remote *remote, struct fx_msg_chunk_id *m)
{
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_reader r;
    bool ok = remote_expect(remote, "getchunk", &buf);

    fx_reader_init(&r, buf.data, buf.len);
    ok = ok && fx_msg_chunk_id_read(&r, m);
    fx_buf_clear(&buf);
    return ok;
}

static void send_chunk(struct remote *remote, const struct fx_msg_chunk_id *m, bool wrong)
{
    static uint8_t data[FX_BLOB_CHUNK_MAX];
    uint8_t path[64];
    struct fx_buf buf = FX_BUF_INIT;

    memset(path, 0x33, sizeof path);
    fake_chunk(&m->key, m->x, m->y, wrong, data);
    fx_msg_chunk_write(m, (struct fx_span){data, fx_chunk_bytes(m->key.type)}, path, 2, &buf);
    remote_send(remote, "chunk", &buf);
}

static void send_nochunk(struct remote *remote, const struct fx_msg_chunk_id *m)
{
    struct fx_buf buf = FX_BUF_INIT;

    fx_msg_chunk_id_write(m, &buf);
    remote_send(remote, "nochunk", &buf);
}

static void announce_from(struct remote *remote, const struct fx_blob_key *key,
                          const struct fx_netaddr *addr)
{
    struct fx_msg_invdata m = {.key = *key, .addr = *addr};
    struct fx_buf buf = FX_BUF_INIT;

    fx_msg_invdata_write(&m, &buf);
    remote_send(remote, "invdata", &buf);
}

FX_TEST(data_is_passed_on)
{
    struct node node;
    struct fx_blob_key key = blob_key(FX_BLOB_RESULT, 5), copy = key;
    struct fx_blob_key operand = blob_key(FX_BLOB_OPERAND, 6);
    struct fx_netaddr nowhere = {.network = FX_NETWORK_IPV4}, somewhere;
    struct remote *remote = NULL;
    struct fx_msg_chunk_id m[2];
    struct fx_buf buf = FX_BUF_INIT;
    int64_t later = fx_clock_monotonic_ms() + 60000;

    node_create(&node, NULL);
    FX_CHECK(fx_netaddr_parse("127.0.0.1:1001", 1, &somewhere));
    copy.solver = fake_hash(7);
    fake_jobs_name(&node.jobs, &key);
    fake_jobs_name(&node.jobs, &copy);
    fake_jobs_name(&node.jobs, &operand);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);

    /* No room to spare. */
    announce_from(remote, &key, &nowhere);
    FX_CHECK(remote_sync(remote));
    fx_blobdir_tick(node.net, later);
    FX_CHECK_INT(node.blobs.n, 0);
    /* Not on this node. */
    node.blobs.spare = 1u << 20;
    node.net->keep_to_itself = true;
    announce_from(remote, &key, &nowhere);
    FX_CHECK(remote_sync(remote));
    fx_blobdir_tick(node.net, later);
    FX_CHECK_INT(node.blobs.n, 0);
    node.net->keep_to_itself = false;
    /* Others can get it themselves. */
    announce_from(remote, &operand, &nowhere);
    announce_from(remote, &operand, &somewhere);
    FX_CHECK(remote_sync(remote));
    fx_blobdir_tick(node.net, later);
    FX_CHECK_INT(node.blobs.n, 0);
    /* The result of either claim that has this root. */
    announce_from(remote, &key, &nowhere);
    FX_CHECK(remote_sync(remote));
    fx_blobdir_tick(node.net, later);
    FX_CHECK_INT(node.blobs.n, 2);
    fx_blobfetch_run(node.net);
    FX_CHECK(get_request(remote, &m[0]));
    FX_CHECK(get_request(remote, &m[1]));
    FX_CHECK(!fx_hash_equal(&m[0].key.solver, &m[1].key.solver));
    send_nochunk(remote, &m[fx_hash_equal(&m[0].key.solver, &key.solver) ? 1 : 0]);
    send_chunk(remote, &m[fx_hash_equal(&m[0].key.solver, &key.solver) ? 0 : 1], false);
    /* What came is this node's own to serve. */
    FX_CHECK(remote_expect(remote, "invdata", &buf));
    FX_CHECK_MEM(buf.data + 1, key.root.b, 32);
    FX_CHECK_INT(fx_blobs_state(&node.blobs, &key), FX_BLOB_COMPLETE);
    fx_buf_clear(&buf);
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(rates_are_limited)
{
    struct node node;
    struct fx_blob_key key = blob_key(FX_BLOB_OPERAND, 5);
    struct fx_msg_chunk_id m = {.request = 9, .key = key};
    struct remote *remote = NULL;
    int64_t now_ms = fx_clock_monotonic_ms();

    node_create(&node, NULL);
    fake_blob_add(&node.blobs, &key, 100, true);
    fx_rate_init(&node.net->serve, 1, 3 * FX_BLOCK_BYTES, now_ms);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    for (m.x = 0; m.x < 4; m.x++) {
        struct fx_buf buf = FX_BUF_INIT;

        fx_msg_chunk_id_write(&m, &buf);
        remote_send(remote, "getchunk", &buf);
        FX_CHECK(remote_expect(remote, m.x < 3 ? "chunk" : "nochunk", NULL));
    }
    remote_close(remote);

    key = blob_key(FX_BLOB_OPERAND, 6);
    fake_blob_add(&node.blobs, &key, 100, false);
    fx_rate_init(&node.net->fetch, 1, 3 * FX_BLOCK_BYTES, now_ms);
    remote = remote_ready(&node, "127.0.0.1:1001", ALL);
    fx_net_fetch_blob(node.net, &key);
    for (size_t i = 0; i < 3; i++) {
        FX_CHECK(get_request(remote, &m));
    }
    FX_CHECK(remote_silent(remote, "getchunk"));
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(requests_in_flight_are_bounded)
{
    struct node node;
    struct remote *remotes[12];
    struct fx_blob_key key = blob_key(FX_BLOB_OPERAND, 5);
    struct fx_msg_chunk_id m;

    node_create(&node, NULL);
    fake_blob_add(&node.blobs, &key, 500, false);
    remotes[0] = remote_ready(&node, "127.0.0.1:1000", ALL);
    fx_net_fetch_blob(node.net, &key);
    for (size_t i = 0; i < FX_CHUNKS_PER_PEER; i++) {
        FX_CHECK(get_request(remotes[0], &m));
        FX_CHECK_INT(m.x, i);
    }
    FX_CHECK(remote_silent(remotes[0], "getchunk"));
    send_chunk(remotes[0], &m, false);
    FX_CHECK(get_request(remotes[0], &m));
    FX_CHECK_INT(m.x, FX_CHUNKS_PER_PEER);
    for (size_t i = 1; i < 12; i++) {
        remotes[i] = remote_ready(&node, "127.0.0.1:1000", ALL);
    }
    run_some(node.base);
    {
        size_t all = 0;

        for (size_t i = 0; i < 12; i++) {
            size_t n = remote_peer(remotes[i])->blobs.in_flight;

            FX_CHECK(n <= FX_CHUNKS_PER_PEER);
            all += n;
        }
        FX_CHECK_INT(all, FX_CHUNKS_ALL);
    }
    for (size_t i = 0; i < 12; i++) {
        remote_close(remotes[i]);
    }
    node_destroy(&node);
}

/* Else a task that names the root of another's data, and a shape that it does not have, would have
 * all those banned who serve that data. */
FX_TEST(chunks_of_another_shape_do_not_count)
{
    struct node node;
    struct remote *remotes[2];
    struct fx_blob_key key = blob_key(FX_BLOB_OPERAND, 5);
    struct fx_msg_chunk_id m;

    node_create(&node, NULL);
    node.blobs.other_shape = true;
    fake_blob_add(&node.blobs, &key, 1, false);
    remotes[0] = remote_ready(&node, "127.0.0.1:1000", ALL);
    fx_net_fetch_blob(node.net, &key);
    FX_CHECK(get_request(remotes[0], &m));
    send_chunk(remotes[0], &m, true);
    FX_CHECK_INT(node.blobs.bad_puts, 1);
    FX_CHECK_INT(remote_peer(remotes[0])->misbehaviour, 0);
    /* Not asked again; another peer is. */
    FX_CHECK(remote_silent(remotes[0], "getchunk"));
    remotes[1] = remote_ready(&node, "127.0.0.1:1001", ALL);
    FX_CHECK(get_request(remotes[1], &m));
    remote_close(remotes[0]);
    remote_close(remotes[1]);
    node_destroy(&node);
}

FX_TEST(wrong_chunks_count)
{
    struct node node;
    struct remote *remotes[2];
    struct fx_blob_key key = blob_key(FX_BLOB_RESULT, 5);
    struct fx_msg_chunk_id m;

    node_create(&node, NULL);
    fake_blob_add(&node.blobs, &key, 1, false);
    remotes[0] = remote_ready(&node, "127.0.0.1:1000", ALL);
    fx_net_fetch_blob(node.net, &key);
    FX_CHECK(get_request(remotes[0], &m));
    send_chunk(remotes[0], &m, true);
    FX_CHECK_INT(remote_peer(remotes[0])->misbehaviour, 50);
    FX_CHECK_INT(node.blobs.bad_puts, 1);
    /* Not asked again; another peer is, and brings it. */
    FX_CHECK(remote_silent(remotes[0], "getchunk"));
    remotes[1] = remote_ready(&node, "127.0.0.1:1001", ALL);
    FX_CHECK(get_request(remotes[1], &m));
    send_chunk(remotes[1], &m, false);
    FX_CHECK_INT(fake_blob_have(&node.blobs, &key), 1);
    FX_CHECK(!fx_blobfetch_active(node.net, &key));
    /* The same again, now that nobody asked: counted, and not given to the store. */
    send_chunk(remotes[1], &m, false);
    FX_CHECK_INT(remote_peer(remotes[1])->misbehaviour, 10);
    FX_CHECK_INT(node.blobs.puts, 2);
    m.request++;
    for (size_t i = 0; i < 9; i++) {
        send_chunk(remotes[1], &m, false);
    }
    FX_CHECK(remote_is_dropped(remotes[1]));
    remote_close(remotes[0]);
    remote_close(remotes[1]);
    node_destroy(&node);
}

FX_TEST(an_answer_must_fit_its_request)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_blob_key key = blob_key(FX_BLOB_OPERAND, 5);
    struct fx_msg_chunk_id m, other;

    node_create(&node, NULL);
    fake_blob_add(&node.blobs, &key, 2, false);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    fx_net_fetch_blob(node.net, &key);
    FX_CHECK(get_request(remote, &m) && get_request(remote, &other));
    m.x = other.x; /* request of one, coordinates of the other */
    send_chunk(remote, &m, false);
    FX_CHECK_INT(remote_peer(remote)->misbehaviour, 10);
    m.x = 0;
    m.key = blob_key(FX_BLOB_OPERAND, 6);
    send_chunk(remote, &m, false);
    FX_CHECK_INT(remote_peer(remote)->misbehaviour, 20);
    FX_CHECK_INT(node.blobs.puts, 0);
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(absent_chunks_wait_and_are_asked_elsewhere)
{
    struct node node;
    struct remote *remotes[2];
    struct fx_blob_key key = blob_key(FX_BLOB_OPERAND, 5);
    struct fx_msg_chunk_id m;
    struct fx_msg_invdata offer;
    struct fx_buf buf = FX_BUF_INIT;

    node_create(&node, NULL);
    fake_jobs_name(&node.jobs, &key);
    fake_blob_add(&node.blobs, &key, 1, false);
    remotes[0] = remote_ready(&node, "127.0.0.1:1000", ALL);
    remotes[1] = remote_ready(&node, "127.0.0.1:1001", ALL);
    fx_net_fetch_blob(node.net, &key);
    FX_CHECK(get_request(remotes[0], &m));
    send_nochunk(remotes[0], &m);
    FX_CHECK(get_request(remotes[1], &m));
    send_nochunk(remotes[1], &m);
    FX_CHECK_INT(remote_peer(remotes[1])->misbehaviour, 0);
    FX_CHECK(remote_silent(remotes[0], "getchunk"));
    /* Whoever then says that it has it is asked at once. */
    memset(&offer, 0, sizeof offer);
    offer.key = key;
    offer.addr.network = FX_NETWORK_IPV4;
    fx_msg_invdata_write(&offer, &buf);
    remote_send(remotes[1], "invdata", &buf);
    FX_CHECK(get_request(remotes[1], &m));
    send_chunk(remotes[1], &m, false);
    FX_CHECK_INT(fake_blob_have(&node.blobs, &key), 1);
    remote_close(remotes[0]);
    remote_close(remotes[1]);
    node_destroy(&node);
}

FX_TEST(lost_requests_are_repeated)
{
    struct node node;
    struct remote *remotes[2];
    struct fx_blob_key key = blob_key(FX_BLOB_OPERAND, 5);
    struct fx_msg_chunk_id first, m;

    node_create(&node, NULL);
    fake_blob_add(&node.blobs, &key, 1, false);
    remotes[0] = remote_ready(&node, "127.0.0.1:1000", ALL);
    fx_net_fetch_blob(node.net, &key);
    FX_CHECK(get_request(remotes[0], &first));
    remotes[1] = remote_ready(&node, "127.0.0.1:1001", ALL);
    fx_blobfetch_tick(node.net, fx_clock_monotonic_ms() + FX_CHUNK_MS + 1);
    FX_CHECK(get_request(remotes[1], &m));
    /* The late answer is no offence, and no use. */
    send_chunk(remotes[0], &first, false);
    FX_CHECK_INT(remote_peer(remotes[0])->misbehaviour, 0);
    FX_CHECK_INT(node.blobs.puts, 0);
    /* A peer that goes away gives its requests back. */
    fx_net_disconnect(node.net, NULL, remotes[1]->id);
    run_some(node.base);
    fx_blobfetch_tick(node.net, fx_clock_monotonic_ms());
    FX_CHECK(fx_blobfetch_active(node.net, &key));
    fx_net_cancel_blob(node.net, &key);
    FX_CHECK(!fx_blobfetch_active(node.net, &key));
    remote_close(remotes[0]);
    remote_close(remotes[1]);
    node_destroy(&node);
}

FX_TEST(a_full_disk_pauses)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_blob_key key = blob_key(FX_BLOB_OPERAND, 5);
    struct fx_msg_chunk_id m;

    node_create(&node, NULL);
    fake_blob_add(&node.blobs, &key, 1, false);
    node.blobs.disk_full = true;
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    fx_net_fetch_blob(node.net, &key);
    FX_CHECK(get_request(remote, &m));
    send_chunk(remote, &m, false);
    FX_CHECK_INT(remote_peer(remote)->misbehaviour, 0);
    FX_CHECK(remote_silent(remote, "getchunk"));
    FX_CHECK(fx_blobfetch_active(node.net, &key));
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(directory_is_bounded)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_blob_key key = blob_key(FX_BLOB_OPERAND, 5);
    struct fx_blob_key unnamed = blob_key(FX_BLOB_OPERAND, 6);
    struct fx_netaddr addresses[FX_ADDRESSES_A_ROOT];
    struct fx_msg_invdata m;
    struct fx_buf buf = FX_BUF_INIT;
    size_t n, same;

    node_create(&node, NULL);
    fake_jobs_name(&node.jobs, &key);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    memset(&m, 0, sizeof m);
    m.key = unnamed;
    m.addr.network = FX_NETWORK_IPV4;
    m.addr.port = 1;
    for (unsigned i = 0; i < 500; i++) {
        m.key = i % 5 == 0 ? unnamed : key;
        m.addr.ip[0] = 8;
        m.addr.ip[1] = (uint8_t)(i / 10);
        m.addr.ip[3] = (uint8_t)i;
        fx_msg_invdata_write(&m, &buf);
        remote_send(remote, "invdata", &buf);
    }
    FX_CHECK_INT(fx_blobdir_roots(node.net), 1);
    FX_CHECK_INT(fx_blobdir_addresses(node.net, &unnamed, addresses), 0);
    n = fx_blobdir_addresses(node.net, &key, addresses);
    FX_CHECK_INT(n, FX_ADDRESSES_A_ROOT);
    for (size_t i = 0; i < n; i++) {
        same = 0;
        for (size_t j = 0; j < n; j++) {
            same += fx_netaddr_group(&addresses[i]) == fx_netaddr_group(&addresses[j]) ? 1 : 0;
        }
        FX_CHECK(same <= FX_ADDRESSES_A_GROUP);
    }
    FX_CHECK_INT(remote_peer(remote)->blobs.early, FX_EARLY_PER_PEER);
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(announcements_are_relayed_once)
{
    struct node node;
    struct remote *remotes[2];
    struct fx_blob_key key = blob_key(FX_BLOB_OPERAND, 5);
    struct fx_msg_invdata m;
    struct fx_buf buf = FX_BUF_INIT;

    node_create(&node, NULL);
    remotes[0] = remote_ready(&node, "127.0.0.1:1000", ALL);
    remotes[1] = remote_ready(&node, "127.0.0.1:1001", ALL);
    memset(&m, 0, sizeof m);
    m.key = key;
    m.addr.network = FX_NETWORK_IPV4;
    m.addr.ip[0] = 127;
    m.addr.ip[3] = 1;
    m.addr.port = 7;
    for (unsigned i = 0; i < 3; i++) {
        fx_msg_invdata_write(&m, &buf);
        remote_send(remotes[0], "invdata", &buf);
    }
    /* No task names it yet: kept back until a block does. */
    FX_CHECK(remote_silent(remotes[1], "invdata"));
    FX_CHECK_INT(remote_peer(remotes[0])->blobs.early, 1);
    fake_jobs_name(&node.jobs, &key);
    fake_chain_mine(node.chain, 1);
    FX_CHECK(remote_expect(remotes[1], "invdata", NULL));
    fx_msg_invdata_write(&m, &buf);
    remote_send(remotes[0], "invdata", &buf);
    FX_CHECK(remote_silent(remotes[1], "invdata"));
    FX_CHECK(remote_silent(remotes[0], "invdata"));
    /* Our own are told as often as the jobs want. */
    for (unsigned i = 0; i < 2; i++) {
        fx_net_announce_blob(node.net, &key);
        FX_CHECK(remote_expect(remotes[1], "invdata", NULL));
    }
    remote_close(remotes[0]);
    remote_close(remotes[1]);
    node_destroy(&node);
}

FX_TEST(chunks_are_served)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_blob_key key = blob_key(FX_BLOB_RESULT, 5);
    struct fx_msg_chunk_id m = {.request = 9, .key = key, .x = 1, .y = 0};
    struct fx_buf buf = FX_BUF_INIT;
    static uint8_t data[FX_BLOB_CHUNK_MAX];

    node_create(&node, NULL);
    fake_blob_add(&node.blobs, &key, 2, true);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    fx_msg_chunk_id_write(&m, &buf);
    remote_send(remote, "getchunk", &buf);
    FX_CHECK(remote_expect(remote, "chunk", &buf));
    FX_CHECK_INT(buf.len, FX_CHUNK_ID_MAX + FX_TILE_BYTES + 1 + 64);
    fake_chunk(&key, 1, 0, false, data);
    FX_CHECK_MEM(buf.data + FX_CHUNK_ID_MAX, data, FX_TILE_BYTES);
    m.x = 2;
    fx_buf_clear(&buf);
    fx_msg_chunk_id_write(&m, &buf);
    remote_send(remote, "getchunk", &buf);
    FX_CHECK(remote_expect(remote, "nochunk", &buf));
    FX_CHECK_INT(buf.len, FX_CHUNK_ID_MAX);
    /* The same root under another's key is another result, which is not here. */
    m.x = 1;
    m.key.solver = fake_hash(6);
    fx_buf_clear(&buf);
    fx_msg_chunk_id_write(&m, &buf);
    remote_send(remote, "getchunk", &buf);
    FX_CHECK(remote_expect(remote, "nochunk", &buf));
    fx_buf_clear(&buf);
    remote_close(remote);
    node_destroy(&node);
}
