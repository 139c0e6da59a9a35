/* Five nodes in a ring that blocks, transactions and data cross while links break at random. */
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/net/fakes.h"
#include "src/net/peer_int.h"
#include "src/net/sync_int.h"
#include "src/util/map.h"

#define NODES 5

struct ring {
    struct event_base *base;
    struct node nodes[NODES];
    struct fx_blob_key key;
};

static void mine_somewhere(struct ring *ring)
{
    struct node *node = &ring->nodes[fx_unit_rand_below(NODES)];
    struct fx_hash of = fake_hash(1);
    const struct fx_tx *tx = fake_tx(&of, 2, (uint32_t)fx_unit_rand_below(1u << 30));
    struct fx_accept result;

    if (node->mempool->n < 30) {
        fx_mempool_accept(node->mempool, tx, false, &result);
    }
    fx_tx_unref(tx);
    fake_chain_mine(node->chain, 1 + fx_unit_rand_below(3));
}

static void break_something(struct ring *ring)
{
    struct fx_net *net = ring->nodes[fx_unit_rand_below(NODES)].net;

    if (net->n_peers > 0) {
        struct fx_peer *peer = net->peers[fx_unit_rand_below(net->n_peers)];

        fx_net_disconnect(net, NULL, peer->id);
    }
}

static bool is_settled(void *arg)
{
    struct ring *ring = arg;

    for (size_t i = 0; i < NODES; i++) {
        if (!fx_u256_is_zero(&ring->nodes[i].chain->tip->work) &&
            fx_u256_cmp(&ring->nodes[i].chain->tip->work, &ring->nodes[0].chain->tip->work) != 0) {
            return false;
        }
        if (fx_blobs_state(&ring->nodes[i].blobs, &ring->key) != FX_BLOB_COMPLETE) {
            return false;
        }
    }
    return true;
}

FX_TEST(broken_links)
{
    struct ring ring;

    ring.base = event_base_new();
    ring.key = (struct fx_blob_key){.type = FX_BLOB_OPERAND, .root = fake_hash(77)};
    for (size_t i = 0; i < NODES; i++) {
        node_create(&ring.nodes[i], ring.base);
        ring.nodes[i].mempool->confirmed[ring.nodes[i].mempool->n_confirmed++] = fake_hash(1);
        fake_jobs_name(&ring.nodes[i].jobs, &ring.key);
        fake_blob_add(&ring.nodes[i].blobs, &ring.key, 400, i == 0);
    }
    for (size_t i = 0; i < NODES; i++) {
        FX_CHECK(
            fx_net_add_node(ring.nodes[i].net, node_address(&ring.nodes[(i + 1) % NODES]), false));
    }
    fx_net_announce_blob(ring.nodes[0].net, &ring.key);
    for (size_t i = 1; i < NODES; i++) {
        fx_net_fetch_blob(ring.nodes[i].net, &ring.key);
    }
    for (unsigned round = 0; round < fx_unit_rounds(400); round++) {
        if (fx_unit_rand_below(3) == 0) {
            mine_somewhere(&ring);
        }
        if (fx_unit_rand_below(8) == 0) {
            break_something(&ring);
        }
        for (uint64_t i = fx_unit_rand_below(12); i > 0; i--) {
            event_base_loop(ring.base, EVLOOP_NONBLOCK);
        }
    }
    FX_CHECK(run_until(ring.base, is_settled, &ring));
    for (size_t i = 0; i < NODES; i++) {
        FX_CHECK_INT(fx_map_count(ring.nodes[i].net->sync->in_flight), 0);
        for (size_t j = 0; j < ring.nodes[i].net->n_peers; j++) {
            FX_CHECK_INT(ring.nodes[i].net->peers[j]->misbehaviour, 0);
        }
    }
    for (size_t i = 0; i < NODES; i++) {
        node_destroy(&ring.nodes[i]);
    }
    event_base_free(ring.base);
}
