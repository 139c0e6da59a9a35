/* Headers and blocks: between nodes, and against peers that play foul. */
#include "src/net/sync_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/net/fakes.h"
#include "src/crypto/sha256.h"
#include "src/net/presync_int.h"
#include "src/sys/clock.h"
#include "src/util/map.h"

#define ALL (FX_NODE_NETWORK | FX_NODE_WITNESS | FX_NODE_JOBDATA)

struct pair {
    struct event_base *base;
    struct node nodes[3];
};

static bool same_tip(void *arg)
{
    struct pair *pair = arg;

    return fx_hash_equal(&pair->nodes[0].chain->tip->id, &pair->nodes[1].chain->tip->id);
}

static bool all_same_tip(void *arg)
{
    struct pair *pair = arg;

    return same_tip(arg) &&
           fx_hash_equal(&pair->nodes[0].chain->tip->id, &pair->nodes[2].chain->tip->id);
}

static void open_pair(struct pair *pair)
{
    pair->base = event_base_new();
    for (size_t i = 0; i < 3; i++) {
        node_create(&pair->nodes[i], pair->base);
    }
}

static void connect_nodes(struct pair *pair, size_t from, size_t to)
{
    FX_CHECK(fx_net_add_node(pair->nodes[from].net, node_address(&pair->nodes[to]), false));
}

static void close_pair(struct pair *pair)
{
    for (size_t i = 0; i < 3; i++) {
        node_destroy(&pair->nodes[i]);
    }
    event_base_free(pair->base);
}

FX_TEST(from_scratch_then_block_by_block)
{
    struct pair pair;

    open_pair(&pair);
    fake_chain_mine(pair.nodes[0].chain, 300);
    connect_nodes(&pair, 1, 0);
    FX_CHECK(run_until(pair.base, same_tip, &pair));
    connect_nodes(&pair, 2, 1);
    FX_CHECK(run_until(pair.base, all_same_tip, &pair));
    for (size_t i = 0; i < 20; i++) {
        fake_chain_mine(pair.nodes[i % 3].chain, 1 + i % 3);
        FX_CHECK(run_until(pair.base, all_same_tip, &pair));
    }
    FX_CHECK_INT(pair.nodes[0].net->peers[0]->misbehaviour, 0);
    FX_CHECK_INT(fx_map_count(pair.nodes[2].net->sync->in_flight), 0);
    close_pair(&pair);
}

FX_TEST(more_headers_than_a_message_holds)
{
    struct pair pair;

    open_pair(&pair);
    fake_chain_mine(pair.nodes[0].chain, 4100);
    connect_nodes(&pair, 1, 0);
    FX_CHECK(run_until(pair.base, same_tip, &pair));
    FX_CHECK_INT(pair.nodes[1].chain->tip->height, 4100);
    close_pair(&pair);
}

FX_TEST(blocks_come_from_several_peers)
{
    struct pair pair;
    struct fx_peer_info *infos = NULL;
    size_t n;

    open_pair(&pair);
    fake_chain_mine(pair.nodes[0].chain, 400);
    connect_nodes(&pair, 1, 0);
    FX_CHECK(run_until(pair.base, same_tip, &pair));
    connect_nodes(&pair, 2, 0);
    connect_nodes(&pair, 2, 1);
    FX_CHECK(run_until(pair.base, all_same_tip, &pair));
    n = fx_net_peers(pair.nodes[2].net, &infos);
    FX_CHECK_INT(n, 2);
    for (size_t i = 0; i < n; i++) {
        FX_CHECK(infos[i].bytes_recv > 20000);
        FX_CHECK_INT(infos[i].blocks_in_flight, 0);
    }
    free(infos);
    close_pair(&pair);
}

FX_TEST(reorganisations_travel)
{
    struct pair pair;

    open_pair(&pair);
    fake_chain_mine(pair.nodes[0].chain, 20);
    fake_chain_mine(pair.nodes[1].chain, 12);
    fake_chain_mine(pair.nodes[2].chain, 5);
    connect_nodes(&pair, 1, 0);
    connect_nodes(&pair, 2, 1);
    FX_CHECK(run_until(pair.base, all_same_tip, &pair));
    FX_CHECK_INT(pair.nodes[2].chain->tip->height, 20);
    close_pair(&pair);
}

FX_TEST(locator)
{
    struct node node;
    struct fx_hash locator[FX_LOCATOR_MAX];
    size_t n;

    node_create(&node, NULL);
    n = fx_locator_make(node.chain->tip, locator);
    FX_CHECK_INT(n, 1);
    fake_chain_mine(node.chain, 3000);
    n = fx_locator_make(node.chain->tip, locator);
    FX_CHECK(n > 12 && n < 30);
    FX_CHECK(fx_hash_equal(&locator[0], &node.chain->tip->id));
    FX_CHECK(fx_hash_equal(&locator[9], &fx_chain_at(node.chain, 2991)->id));
    FX_CHECK(fx_hash_equal(&locator[n - 1], &node.chain->list[0]->id));
    node_destroy(&node);
}

static void send_headers(struct remote *remote, const struct fx_header *headers, size_t n)
{
    struct fx_buf buf = FX_BUF_INIT;

    fx_msg_headers_write(headers, n, &buf);
    remote_send(remote, "headers", &buf);
}

static void send_block(struct remote *remote, const struct fx_block *block)
{
    struct fx_buf buf = FX_BUF_INIT;

    fx_buf_bytes(&buf, block->raw.data, block->raw.len);
    remote_send(remote, "block", &buf);
}

static bool asked_for(struct remote *remote, const struct fx_hash *id)
{
    struct fx_buf buf = FX_BUF_INIT;
    bool found = remote_expect(remote, "getdata", &buf) && buf.len == 37 &&
                 memcmp(buf.data + 5, id->b, 32) == 0 &&
                 fx_load_u32(buf.data + 1) == FX_INV_WITNESS_BLOCK;

    fx_buf_clear(&buf);
    return found;
}

FX_TEST(announced_block_is_fetched_at_once)
{
    struct node node;
    struct remote *remotes[2];
    struct fx_block *block = NULL;
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_hash id;
    struct fx_hash stop = {{0}};

    node_create(&node, NULL);
    remotes[0] = remote_ready(&node, "127.0.0.1:1000", ALL);
    remotes[1] = remote_ready(&node, "127.0.0.1:1001", ALL);
    remote_send(remotes[1], "sendheaders", NULL);
    fx_msg_locator_write(&node.chain->tip->id, 1, &stop, &buf);
    remote_send(remotes[1], "getheaders", &buf);
    block = fake_block(node.chain->tip, 5, NULL, 0);
    send_headers(remotes[0], &block->header, 1);
    FX_CHECK(asked_for(remotes[0], &block->id));
    send_block(remotes[0], block);
    FX_CHECK(fx_hash_equal(&node.chain->tip->id, &block->id));
    /* The other hears of it by its header, the one that brought it does not. */
    FX_CHECK(remote_expect(remotes[1], "headers", &buf));
    while (buf.len != 82) {
        FX_CHECK(remote_expect(remotes[1], "headers", &buf));
    }
    fx_sha256d(buf.data + 1, 80, id.b);
    FX_CHECK(fx_hash_equal(&id, &block->id));
    FX_CHECK(remote_silent(remotes[0], "headers"));
    fx_block_unref(block);
    fx_buf_clear(&buf);
    remote_close(remotes[0]);
    remote_close(remotes[1]);
    node_destroy(&node);
}

FX_TEST(inv_leads_to_headers)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_inv inv = {FX_INV_BLOCK, fake_hash(9)};

    node_create(&node, NULL);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    fx_msg_inv_write(&inv, 1, &buf);
    remote_send(remote, "inv", &buf);
    FX_CHECK(remote_expect(remote, "getheaders", NULL));
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(bad_headers)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_header headers[2];
    struct fx_hash nowhere = fake_hash(3);

    node_create(&node, NULL);
    /* invalid */
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    headers[0] = fake_header(&node.chain->tip->id, FX_LANE_HASH, NONCE_BAD_HEADER);
    send_headers(remote, headers, 1);
    FX_CHECK(remote_is_dropped(remote));
    remote_close(remote);
    /* ahead of our clock: nobody's fault */
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    headers[0] = fake_header(&node.chain->tip->id, FX_LANE_HASH, NONCE_TOO_NEW);
    send_headers(remote, headers, 1);
    FX_CHECK(!remote_is_dropped(remote));
    FX_CHECK_INT(remote_peer(remote)->misbehaviour, 0);
    /* not a sequence */
    headers[0] = fake_header(&node.chain->tip->id, FX_LANE_HASH, 1);
    headers[1] = fake_header(&nowhere, FX_LANE_HASH, 2);
    send_headers(remote, headers, 2);
    FX_CHECK(remote_is_dropped(remote));
    remote_close(remote);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    /* connecting to nothing: asked about, and after a while blamed */
    for (size_t i = 0; i <= FX_UNCONNECTING_MAX; i++) {
        headers[0] = fake_header(&nowhere, FX_LANE_HASH, (uint32_t)i);
        send_headers(remote, headers, 1);
    }
    FX_CHECK_INT(remote_peer(remote)->misbehaviour, 20);
    FX_CHECK_INT(node.chain->n, 1);
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(bad_blocks)
{
    struct node node;
    struct remote *remotes[2];
    struct fx_block *block = NULL;
    struct fx_block *good = NULL;

    node_create(&node, NULL);
    remotes[0] = remote_ready(&node, "127.0.0.1:1000", ALL);
    block = fake_block(node.chain->tip, NONCE_BAD_BLOCK, NULL, 0);
    send_headers(remotes[0], &block->header, 1);
    FX_CHECK(asked_for(remotes[0], &block->id));
    send_block(remotes[0], block);
    FX_CHECK(remote_is_dropped(remotes[0]));
    remote_close(remotes[0]);
    /* Whoever announces it again is on other rules. */
    remotes[0] = remote_ready(&node, "127.0.0.1:1000", ALL);
    send_headers(remotes[0], &block->header, 1);
    FX_CHECK(remote_is_dropped(remotes[0]));
    remote_close(remotes[0]);
    fx_block_unref(block);
    /* A bad copy counts, and another peer is asked. */
    remotes[0] = remote_ready(&node, "127.0.0.1:1000", ALL);
    remotes[1] = remote_ready(&node, "127.0.0.1:1001", ALL);
    good = fake_block(node.chain->tip, NONCE_BAD_COPY, NULL, 0);
    send_headers(remotes[0], &good->header, 1);
    FX_CHECK(asked_for(remotes[0], &good->id));
    send_headers(remotes[1], &good->header, 1);
    FX_CHECK(remote_silent(remotes[1], "getdata"));
    send_block(remotes[0], good);
    FX_CHECK(!remote_is_dropped(remotes[0]));
    FX_CHECK_INT(remote_peer(remotes[0])->misbehaviour, 50);
    FX_CHECK(asked_for(remotes[1], &good->id));
    FX_CHECK(remote_silent(remotes[0], "getdata"));
    fx_block_unref(good);
    remote_close(remotes[0]);
    remote_close(remotes[1]);
    node_destroy(&node);
}

FX_TEST(a_silent_peer_is_replaced)
{
    struct node node;
    struct remote *remotes[2];
    struct fx_block *block = NULL;
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_inv inv = {FX_INV_WITNESS_BLOCK, {{0}}};

    node_create(&node, NULL);
    remotes[0] = remote_ready(&node, "127.0.0.1:1000", ALL);
    remotes[1] = remote_ready(&node, "127.0.0.1:1001", ALL);
    block = fake_block(node.chain->tip, 8, NULL, 0);
    send_headers(remotes[0], &block->header, 1);
    FX_CHECK(asked_for(remotes[0], &block->id));
    send_headers(remotes[1], &block->header, 1);
    /* Not there: the other one is asked at once. */
    inv.hash = block->id;
    fx_msg_inv_write(&inv, 1, &buf);
    remote_send(remotes[0], "notfound", &buf);
    FX_CHECK(asked_for(remotes[1], &block->id));
    /* No answer: after some seconds the same; the first would be asked a minute later only. */
    remotes[0]->n_input = 0;
    fx_download_tick(node.net, fx_clock_monotonic_ms() + FX_BLOCK_RETRY_MS + 1);
    FX_CHECK_INT(fx_map_count(node.net->sync->in_flight), 1);
    fx_download_tick(node.net, fx_clock_monotonic_ms() + FX_BLOCK_STALL_MS + 1);
    FX_CHECK(remote_is_dropped(remotes[1]));
    FX_CHECK_INT(fx_map_count(node.net->sync->in_flight), 0);
    fx_block_unref(block);
    remote_close(remotes[0]);
    remote_close(remotes[1]);
    node_destroy(&node);
}

FX_TEST(unproven_headers_are_bounded)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_header headers[FX_HEADERS_MAX];
    struct fx_hash parent;

    node_create(&node, NULL);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    parent = node.chain->tip->id;
    for (unsigned message = 0; message < 3; message++) {
        for (size_t i = 0; i < FX_HEADERS_MAX; i++) {
            headers[i] = fake_header(&parent, FX_LANE_JOB, (uint32_t)i);
            fx_header_id(&headers[i], &parent);
        }
        send_headers(remote, headers, FX_HEADERS_MAX);
        FX_CHECK(!remote_is_dropped(remote));
    }
    FX_CHECK_INT(node.chain->n, 1 + FX_UNPROVEN_MAX);
    FX_CHECK(remote_peer(remote)->sync.paused_at != NULL);
    /* Each proof that passes makes room. */
    for (size_t i = 1; i <= FX_UNPROVEN_MAX / 2; i++) {
        node.chain->list[i]->status |= FX_INDEX_PROVEN;
    }
    remote->n_input = 0;
    fx_headers_settle(remote_peer(remote));
    FX_CHECK(remote_peer(remote)->sync.paused_at == NULL);
    FX_CHECK(remote_expect(remote, "getheaders", NULL));
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(coming_again_gives_no_new_room)
{
    struct node node;
    static struct fx_header headers[FX_HEADERS_MAX];
    struct fx_hash parent;
    size_t stored;

    node_create(&node, NULL);
    parent = node.chain->tip->id;
    for (unsigned round = 0; round < 3; round++) {
        struct remote *remote = remote_ready(&node, "8.8.8.8:1000", ALL);

        for (size_t i = 0; i < FX_HEADERS_MAX; i++) {
            headers[i] = fake_header(&parent, FX_LANE_JOB, (uint32_t)i);
            fx_header_id(&headers[i], &parent);
        }
        send_headers(remote, headers, FX_HEADERS_MAX);
        remote_close(remote);
    }
    stored = node.chain->n;
    FX_CHECK_INT(stored, 1 + FX_UNPROVEN_MAX);
    /* Other hosts have their own, up to a number of hosts that are gone. */
    for (uint32_t i = 0; i < 700; i++) {
        struct remote *remote = NULL;
        struct fx_header header = fake_header(&node.chain->tip->id, FX_LANE_JOB, 5000 + i);
        char address[32];

        snprintf(address, sizeof address, "9.%u.%u.1:7", i / 256, i % 256);
        remote = remote_ready(&node, address, ALL);
        send_headers(remote, &header, 1);
        remote_close(remote);
    }
    FX_CHECK_INT(node.chain->n, stored + 700);
    FX_CHECK(fx_map_count(node.net->sync->unproven) <= 512);
    node_destroy(&node);
}

/* Headers of hosts that are gone stay in the index: many hosts, one after the other, must not fill
 * the memory with them. */
FX_TEST(many_hosts_leave_no_more_than_some)
{
    struct node node;
    struct fx_header headers[5];
    struct remote *remote = NULL;
    size_t stored;

    node_create(&node, NULL);
    for (uint32_t i = 0; i < 600; i++) {
        struct fx_hash parent = node.chain->list[0]->id;
        char address[32];

        for (uint32_t h = 0; h < 5; h++) {
            headers[h] = fake_header(&parent, FX_LANE_JOB, 10000 + 5 * i + h);
            fx_header_id(&headers[h], &parent);
        }
        snprintf(address, sizeof address, "9.%u.%u.1:7", i % 16, i / 16);
        remote = remote_ready(&node, address, ALL);
        send_headers(remote, headers, 5);
        remote_close(remote); /* without room they are weighed, for which the fake's are no good */
    }
    stored = node.chain->n;
    FX_CHECK_INT(stored, 1 + 512 * 5);
    /* A host whose headers were proven gives its place to another. */
    for (size_t i = 1; i <= 5; i++) {
        node.chain->list[i]->status |= FX_INDEX_PROVEN;
    }
    remote = remote_ready(&node, "9.9.9.9:7", ALL);
    send_headers(remote, headers, 5);
    FX_CHECK_INT(node.chain->n, stored + 5);
    remote_close(remote);
    node_destroy(&node);
}

/* One operator has many addresses: what he leaves does not keep out the hosts of others. */
FX_TEST(one_group_of_hosts_does_not_take_all_places)
{
    struct node node;
    struct fx_header headers[5];

    node_create(&node, NULL);
    for (uint32_t i = 0; i < 601; i++) {
        struct fx_hash parent = node.chain->list[0]->id;
        struct remote *remote = NULL;
        char address[32];

        for (uint32_t h = 0; h < 5; h++) {
            headers[h] = fake_header(&parent, FX_LANE_JOB, 20000 + 5 * i + h);
            fx_header_id(&headers[h], &parent);
        }
        snprintf(address, sizeof address, "9.%u.%u.%u:7", i < 600 ? 1 : 2, i / 256, i % 256);
        remote = remote_ready(&node, address, ALL);
        send_headers(remote, headers, 5);
        remote_close(remote);
        FX_CHECK_INT(node.chain->n, 1 + 5 * (i < 64 ? i + 1 : i < 600 ? 64 : 65));
    }
    node_destroy(&node);
}

FX_TEST(getheaders_is_answered)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_hash locator[1];
    struct fx_hash stop = {{0}};

    node_create(&node, NULL);
    fake_chain_mine(node.chain, 2005);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    locator[0] = fake_hash(1);
    fx_msg_locator_write(locator, 1, &stop, &buf);
    remote_send(remote, "getheaders", &buf);
    FX_CHECK(remote_expect(remote, "headers", &buf));
    FX_CHECK_INT(buf.len, 3 + 2000 * 81);
    locator[0] = fx_chain_at(node.chain, 2000)->id;
    fx_buf_clear(&buf);
    fx_msg_locator_write(locator, 1, &fx_chain_at(node.chain, 2003)->id, &buf);
    remote_send(remote, "getheaders", &buf);
    FX_CHECK(remote_expect(remote, "headers", &buf));
    FX_CHECK_INT(buf.len, 1 + 3 * 81);
    /* A chain of too little work is not told of. */
    node.chain->lacks_work = true;
    fx_buf_clear(&buf);
    fx_msg_locator_write(locator, 1, &stop, &buf);
    remote_send(remote, "getheaders", &buf);
    FX_CHECK(remote_expect(remote, "headers", &buf));
    FX_CHECK_INT(buf.len, 1);
    fx_buf_clear(&buf);
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(blocks_are_served)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_inv items[3];
    const struct fx_block *block = NULL;

    node_create(&node, NULL);
    fake_chain_mine(node.chain, 3);
    block = node.chain->blocks[2];
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    items[0] = (struct fx_inv){FX_INV_WITNESS_BLOCK, block->id};
    items[1] = (struct fx_inv){FX_INV_BLOCK, node.chain->tip->id};
    items[2] = (struct fx_inv){FX_INV_WITNESS_BLOCK, fake_hash(1)};
    fx_msg_inv_write(items, 3, &buf);
    remote_send(remote, "getdata", &buf);
    FX_CHECK(remote_expect(remote, "block", &buf));
    FX_CHECK_INT(buf.len, block->raw.len);
    FX_CHECK_MEM(buf.data, block->raw.data, buf.len);
    FX_CHECK(remote_expect(remote, "block", &buf));
    FX_CHECK_MEM(buf.data, node.chain->blocks[3]->raw.data, buf.len);
    FX_CHECK(remote_expect(remote, "notfound", &buf));
    FX_CHECK_MEM(buf.data + 5, items[2].hash.b, 32);
    fx_buf_clear(&buf);
    remote_close(remote);
    node_destroy(&node);
}

/* Headers that pass the real rules of regtest. */
static void make_headers(struct fx_header *headers, size_t n, enum fx_lane lane,
                         struct fx_hash *parent, uint32_t *time)
{
    for (size_t i = 0; i < n; i++) {
        headers[i] = fake_header(parent, lane, 0);
        headers[i].time = ++*time;
        for (;;) {
            fx_header_id(&headers[i], parent);
            if (lane == FX_LANE_JOB || parent->b[31] < 0x7f) {
                break;
            }
            headers[i].nonce++;
        }
    }
}

static bool asks_after(struct remote *remote, const struct fx_hash *id)
{
    struct fx_buf buf = FX_BUF_INIT;
    bool found = false;

    while (!found && remote_expect(remote, "getheaders", &buf)) {
        found = buf.len > 37 && memcmp(buf.data + 5, id->b, 32) == 0;
    }
    fx_buf_clear(&buf);
    return found;
}

FX_TEST(a_long_branch_is_weighed_as_it_goes_by)
{
    struct node node;
    struct remote *remote = NULL;
    static struct fx_header job[2][FX_HEADERS_MAX], hash[200];
    struct fx_hash parent, first;
    uint32_t time;
    size_t stored;

    node_create(&node, NULL);
    fake_chain_mine(node.chain, 5000);
    parent = node.chain->list[0]->id;
    time = node.chain->list[0]->header.time + 1;
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    make_headers(job[0], FX_HEADERS_MAX, FX_LANE_JOB, &parent, &time);
    make_headers(job[1], FX_HEADERS_MAX, FX_LANE_JOB, &parent, &time);
    make_headers(hash, 200, FX_LANE_HASH, &parent, &time);
    fx_header_id(&job[0][0], &first);
    /* They outweigh our 5,000, but nothing of them is stored before there is hash-lane work. */
    send_headers(remote, job[0], FX_HEADERS_MAX);
    send_headers(remote, job[1], FX_HEADERS_MAX);
    FX_CHECK_INT(node.chain->n, 5001);
    FX_CHECK_INT(remote_peer(remote)->sync.presync->stream.height, 4000);
    send_headers(remote, hash, 200);
    FX_CHECK(asks_after(remote, &node.chain->list[0]->id));
    /* They are fetched again, and stored as far as there is room for unproven ones. */
    send_headers(remote, job[0], FX_HEADERS_MAX);
    send_headers(remote, job[1], FX_HEADERS_MAX);
    stored = node.chain->n;
    FX_CHECK_INT(stored, 5001 + FX_UNPROVEN_MAX);
    FX_CHECK(remote_peer(remote)->sync.stream != NULL);
    FX_CHECK(asks_after(remote, &hash[0].prev));
    FX_CHECK_INT(remote_peer(remote)->sync.in_flight, 0);
    /* Enough of it: the blocks are fetched from the fork on, and nothing more was kept. */
    send_headers(remote, hash, 200);
    FX_CHECK_INT(node.chain->n, stored);
    FX_CHECK(remote_peer(remote)->sync.stream == NULL);
    FX_CHECK_INT(remote_peer(remote)->sync.in_flight, FX_BLOCKS_PER_PEER);
    FX_CHECK(fx_map_get(node.net->sync->in_flight, first.b) != NULL);
    FX_CHECK_INT(remote_peer(remote)->misbehaviour, 0);
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(a_light_branch_is_not_fetched)
{
    struct node node;
    struct remote *remote = NULL;
    static struct fx_header headers[FX_HEADERS_MAX];
    struct fx_hash parent;
    uint32_t time;

    node_create(&node, NULL);
    fake_chain_mine(node.chain, 5000);
    parent = node.chain->list[0]->id;
    time = node.chain->list[0]->header.time + 1;
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    for (unsigned i = 0; i < 2; i++) {
        make_headers(headers, FX_HEADERS_MAX, FX_LANE_JOB, &parent, &time);
        send_headers(remote, headers, FX_HEADERS_MAX);
    }
    make_headers(headers, 100, FX_LANE_JOB, &parent, &time);
    send_headers(remote, headers, 100);
    FX_CHECK(remote_peer(remote)->sync.stream == NULL);
    FX_CHECK_INT(remote_peer(remote)->sync.in_flight, 0);
    /* A header that breaks a rule is blamed in passing too. */
    for (unsigned i = 0; i < 2; i++) {
        parent = node.chain->list[0]->id;
        time = node.chain->list[0]->header.time + 1;
        make_headers(headers, FX_HEADERS_MAX, FX_LANE_JOB, &parent, &time);
        if (i == 1) {
            make_headers(headers, FX_HEADERS_MAX, FX_LANE_JOB, &parent, &time);
            headers[FX_HEADERS_MAX - 1].nbits = 0x1d00ffff;
        }
        send_headers(remote, headers, FX_HEADERS_MAX);
    }
    FX_CHECK(remote_is_dropped(remote));
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(headers_of_little_work_are_stored_once_there_are_enough)
{
    struct node node;
    struct remote *remote = NULL;
    static struct fx_header headers[FX_HEADERS_MAX], more[600], others[FX_HEADERS_MAX];
    const struct fx_hash *genesis;
    struct fx_hash last, end;
    uint32_t time, start;

    node_create(&node, NULL);
    fake_chain_mine(node.chain, 5000);
    genesis = &node.chain->list[0]->id;
    start = time = node.chain->list[0]->header.time + 1;
    last = *genesis;
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    make_headers(headers, FX_HEADERS_MAX, FX_LANE_HASH, &last, &time);
    end = last;
    make_headers(more, 600, FX_LANE_HASH, &end, &time);
    /* So few that the peer cannot have more. */
    send_headers(remote, headers, 100);
    FX_CHECK_INT(node.chain->n, 5001);
    FX_CHECK(remote_peer(remote)->sync.presync == NULL);
    /* It may have: they are weighed. With the next it is enough, and it is asked for all again. */
    send_headers(remote, headers, FX_HEADERS_MAX);
    FX_CHECK_INT(node.chain->n, 5001);
    FX_CHECK(asks_after(remote, &last));
    send_headers(remote, more, 600);
    FX_CHECK_INT(node.chain->n, 5001);
    FX_CHECK(asks_after(remote, genesis));
    send_headers(remote, headers, FX_HEADERS_MAX);
    FX_CHECK_INT(node.chain->n, 5001 + FX_HEADERS_MAX);
    FX_CHECK(asks_after(remote, &last));
    send_headers(remote, more, 600);
    FX_CHECK_INT(node.chain->n, 5001 + FX_HEADERS_MAX + 600);
    FX_CHECK(remote_peer(remote)->sync.presync == NULL);
    FX_CHECK_INT(remote_peer(remote)->misbehaviour, 0);
    remote_close(remote);
    node_destroy(&node);

    /* Others than those that were weighed are not stored. */
    node_create(&node, NULL);
    fake_chain_mine(node.chain, 5000);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    send_headers(remote, headers, FX_HEADERS_MAX);
    send_headers(remote, more, 600);
    FX_CHECK(asks_after(remote, &node.chain->list[0]->id));
    last = node.chain->list[0]->id;
    time = start + 1;
    make_headers(others, FX_HEADERS_MAX, FX_LANE_HASH, &last, &time);
    send_headers(remote, others, FX_HEADERS_MAX);
    FX_CHECK_INT(node.chain->n, 5001);
    FX_CHECK(remote_peer(remote)->sync.presync == NULL);
    remote_close(remote);
    node_destroy(&node);
}

/* The least work of any chain counts in headers of the hash lane alone. */
FX_TEST(headers_below_the_least_work_are_not_stored)
{
    struct node node;
    struct remote *remote = NULL;
    static struct fx_header headers[20];
    struct fx_hash last;
    uint32_t time;

    for (unsigned lane = FX_LANE_HASH; lane <= FX_LANE_JOB; lane++) {
        node_create(&node, NULL);
        node.chain->min_work = fx_u256_from_u64(22); /* 2 of genesis, 2 of each */
        last = node.chain->list[0]->id;
        time = node.chain->list[0]->header.time + 1;
        remote = remote_ready(&node, "127.0.0.1:1000", ALL);
        make_headers(headers, 20, (enum fx_lane)lane, &last, &time);
        send_headers(remote, headers, 9);
        FX_CHECK_INT(node.chain->n, 1);
        send_headers(remote, headers, 20);
        FX_CHECK_INT(node.chain->n, lane == FX_LANE_HASH ? 21 : 1);
        remote_close(remote);
        node_destroy(&node);
    }
}
