/* Transactions and certificates. */
#include "src/net/txrelay_int.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/net/fakes.h"
#include "src/net/certs_int.h"
#include "src/sys/clock.h"

/* How many hashes were compared; the linker puts this before the real one. */
static size_t compared;

bool __real_fx_hash_equal(const struct fx_hash *a, const struct fx_hash *b);
bool __wrap_fx_hash_equal(const struct fx_hash *a, const struct fx_hash *b);

bool __wrap_fx_hash_equal(const struct fx_hash *a, const struct fx_hash *b)
{
    compared++;
    return __real_fx_hash_equal(a, b);
}

#define ALL (FX_NODE_NETWORK | FX_NODE_WITNESS | FX_NODE_JOBDATA)

static void send_tx(struct remote *remote, const struct fx_tx *tx)
{
    struct fx_buf buf = FX_BUF_INIT;

    fx_tx_write(tx, &buf);
    remote_send(remote, "tx", &buf);
}

static void send_inv(struct remote *remote, uint32_t type, const struct fx_hash *hash)
{
    struct fx_inv inv = {type, *hash};
    struct fx_buf buf = FX_BUF_INIT;

    fx_msg_inv_write(&inv, 1, &buf);
    remote_send(remote, "inv", &buf);
}

/* The next message of this command is one inventory item of this type and hash. */
static bool says(struct remote *remote, const char *command, uint32_t type,
                 const struct fx_hash *hash)
{
    struct fx_buf buf = FX_BUF_INIT;
    bool ok = remote_expect(remote, command, &buf) && buf.len == 37 &&
              fx_load_u32(buf.data + 1) == type && memcmp(buf.data + 5, hash->b, 32) == 0;

    fx_buf_clear(&buf);
    return ok;
}

static void confirm(struct node *node, uint32_t salt)
{
    node->mempool->confirmed[node->mempool->n_confirmed++] = fake_hash(salt);
}

struct trio {
    struct event_base *base;
    struct node nodes[3];
    const struct fx_tx *tx;
};

static bool all_have_it(void *arg)
{
    struct trio *trio = arg;

    for (size_t i = 0; i < 3; i++) {
        if (fx_mempool_get(trio->nodes[i].mempool, &trio->tx->txid) == NULL) {
            return false;
        }
    }
    return true;
}

static bool trio_connected(void *arg)
{
    struct trio *trio = arg;

    return fx_net_ready_peers(trio->nodes[0].net) == 1 &&
           fx_net_ready_peers(trio->nodes[1].net) == 2 &&
           fx_net_ready_peers(trio->nodes[2].net) == 1;
}

static void open_trio(struct trio *trio)
{
    trio->base = event_base_new();
    for (size_t i = 0; i < 3; i++) {
        node_create(&trio->nodes[i], trio->base);
        confirm(&trio->nodes[i], 1);
    }
    for (size_t i = 0; i < 2; i++) {
        FX_CHECK(fx_net_add_node(trio->nodes[i].net, node_address(&trio->nodes[i + 1]), false));
    }
    FX_CHECK(run_until(trio->base, trio_connected, trio));
}

static void close_trio(struct trio *trio)
{
    for (size_t i = 0; i < 3; i++) {
        node_destroy(&trio->nodes[i]);
    }
    event_base_free(trio->base);
}

FX_TEST(a_transaction_reaches_all)
{
    struct trio trio;
    struct fx_hash of = fake_hash(1);
    struct fx_accept result;
    int64_t start;

    open_trio(&trio);
    trio.tx = fake_tx(&of, 2, 1);
    start = fx_clock_monotonic_ms();
    fx_mempool_accept(trio.nodes[0].mempool, trio.tx, false, &result);
    FX_CHECK(run_until(trio.base, all_have_it, &trio));
    /* On regtest nothing is delayed. */
    FX_CHECK(fx_clock_monotonic_ms() - start < 1000);
    for (size_t i = 0; i < 3; i++) {
        FX_CHECK_INT(trio.nodes[i].mempool->offered, 1);
    }
    fx_tx_unref(trio.tx);
    close_trio(&trio);
}

FX_TEST(newcomers_hear_of_the_pool)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_hash of = fake_hash(1);
    struct fx_tx *tx = fake_tx(&of, 2, 1);
    struct fx_accept result;

    node_create(&node, NULL);
    confirm(&node, 1);
    fx_mempool_accept(node.mempool, tx, false, &result);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    FX_CHECK(says(remote, "inv", FX_INV_WTX, &tx->wtxid));
    fx_tx_unref(tx);
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(asked_by_wtxid_or_txid)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_hash of = fake_hash(1);
    struct fx_tx *tx = fake_tx(&of, 2, 1);

    node_create(&node, NULL);
    confirm(&node, 1);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    /* It negotiated wtxidrelay: a txid says nothing. */
    send_inv(remote, FX_INV_TX, &tx->txid);
    FX_CHECK(remote_silent(remote, "getdata"));
    send_inv(remote, FX_INV_WTX, &tx->wtxid);
    FX_CHECK(says(remote, "getdata", FX_INV_WTX, &tx->wtxid));
    send_tx(remote, tx);
    FX_CHECK_INT(node.mempool->n, 1);
    FX_CHECK_INT(remote_peer(remote)->tx.asked, 0);
    /* Known now, and not told to who told it. */
    send_inv(remote, FX_INV_WTX, &tx->wtxid);
    FX_CHECK(remote_silent(remote, "getdata"));
    FX_CHECK(remote_silent(remote, "inv"));
    fx_tx_unref(tx);
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(another_is_asked_where_one_fails)
{
    struct node node;
    struct remote *remotes[3];
    struct fx_hash hash = fake_hash(50);
    struct fx_inv inv = {FX_INV_WTX, fake_hash(50)};
    struct fx_buf buf = FX_BUF_INIT;

    node_create(&node, NULL);
    for (size_t i = 0; i < 3; i++) {
        remotes[i] = remote_ready(&node, "127.0.0.1:1000", ALL);
        send_inv(remotes[i], FX_INV_WTX, &hash);
    }
    FX_CHECK(says(remotes[0], "getdata", FX_INV_WTX, &hash));
    FX_CHECK(remote_silent(remotes[1], "getdata"));
    fx_msg_inv_write(&inv, 1, &buf);
    remote_send(remotes[0], "notfound", &buf);
    FX_CHECK(says(remotes[1], "getdata", FX_INV_WTX, &hash));
    fx_net_disconnect(node.net, NULL, remotes[1]->id);
    FX_CHECK(says(remotes[2], "getdata", FX_INV_WTX, &hash));
    fx_txrelay_tick(node.net, fx_clock_monotonic_ms() + 1000000);
    FX_CHECK_INT(remote_peer(remotes[2])->tx.asked, 0);
    for (size_t i = 0; i < 3; i++) {
        remote_close(remotes[i]);
    }
    node_destroy(&node);
}

FX_TEST(orphans_wait_for_their_parents)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_hash of = fake_hash(1);
    struct fx_tx *parent = fake_tx(&of, 2, 1);
    struct fx_tx *child = fake_tx(&parent->txid, 2, 2);
    struct fx_tx *grandchild = fake_tx(&child->txid, 2, 3);

    node_create(&node, NULL);
    confirm(&node, 1);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    send_tx(remote, grandchild);
    FX_CHECK(says(remote, "getdata", FX_INV_WITNESS_TX, &child->txid));
    send_tx(remote, child);
    FX_CHECK(says(remote, "getdata", FX_INV_WITNESS_TX, &parent->txid));
    FX_CHECK_INT(node.mempool->n, 0);
    send_tx(remote, parent);
    FX_CHECK_INT(node.mempool->n, 3);
    FX_CHECK_INT(remote_peer(remote)->misbehaviour, 0);
    fx_tx_unref(parent);
    fx_tx_unref(child);
    fx_tx_unref(grandchild);
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(orphans_go_in_when_a_block_confirms_the_parent)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_hash of = fake_hash(1);
    const struct fx_tx *parent = fake_tx(&of, 2, 1);
    struct fx_tx *child = fake_tx(&parent->txid, 2, 2);
    struct fx_block *block = NULL;
    enum fx_verdict why;
    bool fresh;

    node_create(&node, NULL);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    send_tx(remote, child);
    FX_CHECK_INT(node.mempool->n, 0);
    block = fake_block(node.chain->tip, 3, &parent, 1);
    node.mempool->confirmed[node.mempool->n_confirmed++] = parent->txid;
    FX_CHECK_INT(fx_chain_accept_block(node.chain, block, &fresh, &why), FX_VALID);
    FX_CHECK_INT(node.mempool->n, 0); /* not from inside the event */
    run_some(node.base);
    FX_CHECK_INT(node.mempool->n, 1);
    /* The confirmed one is not asked for again. */
    send_inv(remote, FX_INV_WTX, &parent->wtxid);
    FX_CHECK(!remote_is_dropped(remote));
    FX_CHECK_INT(remote_peer(remote)->tx.asked, 1); /* the parent, asked for with the orphan */
    fx_block_unref(block);
    fx_tx_unref(parent);
    fx_tx_unref(child);
    remote_close(remote);
    node_destroy(&node);
}

#define RECENT 200

static void want(struct fx_buf *buf, uint32_t type, const struct fx_hash *hash)
{
    fx_buf_u32(buf, type);
    fx_buf_hash(buf, hash);
}

/* Transactions of the newest block are served by either id; and to ask for many that are nowhere
 * is not to have the block walked for each. */
FX_TEST(transactions_of_the_newest_block)
{
    struct node node;
    struct remote *remote = NULL;
    const struct fx_tx *txs[RECENT];
    struct fx_block *block = NULL;
    struct fx_buf buf = FX_BUF_INIT;
    enum fx_verdict why;
    size_t before;
    bool fresh;

    node_create(&node, NULL);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    for (uint32_t i = 0; i < RECENT; i++) {
        struct fx_hash of = fake_hash(1000 + i);

        txs[i] = fake_tx(&of, 2, i);
    }
    block = fake_block(node.chain->tip, 3, txs, RECENT);
    FX_CHECK_INT(fx_chain_accept_block(node.chain, block, &fresh, &why), FX_VALID);
    run_some(node.base);
    FX_CHECK(remote_sync(remote));

    before = compared;
    fx_buf_var(&buf, RECENT + 2);
    for (uint32_t i = 0; i < RECENT; i++) {
        struct fx_hash nowhere = fake_hash(5000 + i);

        want(&buf, FX_INV_WTX, &nowhere);
    }
    want(&buf, FX_INV_WTX, &txs[RECENT - 1]->wtxid);
    want(&buf, FX_INV_WITNESS_TX, &txs[0]->txid);
    remote_send(remote, "getdata", &buf);
    for (size_t i = 0; i < 2; i++) {
        const struct fx_tx *tx = txs[i == 0 ? RECENT - 1 : 0];

        FX_CHECK(remote_expect(remote, "tx", &buf));
        FX_CHECK_INT(buf.len, tx->raw.len);
        FX_CHECK(buf.len == tx->raw.len && memcmp(buf.data, tx->raw.data, buf.len) == 0);
        fx_buf_clear(&buf);
    }
    FX_CHECK(remote_expect(remote, "notfound", &buf));
    FX_CHECK_INT(buf.len, 1 + RECENT * 36);
    fx_buf_clear(&buf);
    FX_CHECK(compared - before < 20 * RECENT);
    fx_block_unref(block);
    for (size_t i = 0; i < RECENT; i++) {
        fx_tx_unref(txs[i]);
    }
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(refused_transactions)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_hash of = fake_hash(1);
    struct fx_tx *policy = fake_tx(&of, VERSION_POLICY, 1);
    struct fx_tx *bad = fake_tx(&of, VERSION_BELOW_OUT, 1);

    node_create(&node, NULL);
    confirm(&node, 1);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    send_tx(remote, policy);
    FX_CHECK_INT(remote_peer(remote)->misbehaviour, 0);
    FX_CHECK_INT(node.mempool->offered, 1);
    /* Not judged twice on the same tip. */
    send_tx(remote, policy);
    send_inv(remote, FX_INV_WTX, &policy->wtxid);
    FX_CHECK(remote_silent(remote, "getdata"));
    FX_CHECK_INT(node.mempool->offered, 1);
    fake_chain_mine(node.chain, 1);
    run_some(node.base);
    send_tx(remote, policy);
    FX_CHECK_INT(node.mempool->offered, 2);
    send_tx(remote, bad);
    FX_CHECK(remote_is_dropped(remote));
    fx_tx_unref(policy);
    fx_tx_unref(bad);
    remote_close(remote);
    node_destroy(&node);
}

/* Where no other witness would help, the txid is not asked for either. */
FX_TEST(refused_by_txid)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_hash of = fake_hash(1);
    struct fx_tx *policy = fake_tx(&of, VERSION_POLICY, 1);
    struct fx_tx *inputs = fake_tx(&of, VERSION_INPUTS, 1);

    node_create(&node, NULL);
    confirm(&node, 1);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    send_tx(remote, policy);
    send_tx(remote, inputs);
    remote_peer(remote)->tx.wtxid = false;
    send_inv(remote, FX_INV_TX, &inputs->txid);
    FX_CHECK(remote_silent(remote, "getdata"));
    send_inv(remote, FX_INV_TX, &policy->txid);
    FX_CHECK(says(remote, "getdata", FX_INV_WITNESS_TX, &policy->txid));
    fx_tx_unref(policy);
    fx_tx_unref(inputs);
    remote_close(remote);
    node_destroy(&node);
}

/* The same with another witness; n_items 0: without. */
static struct fx_tx *with_witness(const struct fx_tx *tx, size_t n_items)
{
    struct fx_txb b;
    struct fx_tx *other = NULL;

    fx_txb_from_tx(&b, tx);
    fx_txb_clear_witness(&b, 0);
    for (size_t i = 0; i < n_items; i++) {
        fx_txb_push_witness(&b, 0, "\x01", 1);
    }
    other = fx_txb_build(&b);
    fx_txb_clear(&b);
    FX_CHECK(fx_hash_equal(&other->txid, &tx->txid));
    return other;
}

/* Anybody on the way may have taken the witness away. */
FX_TEST(a_transaction_without_its_witness_blames_nobody)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_hash of = fake_hash(1);
    struct fx_tx *whole = fake_tx(&of, VERSION_SCRIPT, 1);
    struct fx_tx *stripped = with_witness(whole, 0);

    node_create(&node, NULL);
    confirm(&node, 1);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    send_tx(remote, stripped);
    FX_CHECK_INT(remote_peer(remote)->misbehaviour, 0);
    /* Nor does it say anything of the whole one. */
    send_inv(remote, FX_INV_WTX, &whole->wtxid);
    FX_CHECK(says(remote, "getdata", FX_INV_WTX, &whole->wtxid));
    send_tx(remote, whole);
    FX_CHECK(remote_is_dropped(remote));
    fx_tx_unref(whole);
    fx_tx_unref(stripped);
    remote_close(remote);
    node_destroy(&node);
}

FX_TEST(a_request_by_txid_is_not_ended_by_another_copy)
{
    struct node node;
    struct remote *remotes[2];
    struct fx_hash of = fake_hash(1);
    struct fx_tx *tx = fake_tx(&of, VERSION_POLICY, 1);
    struct fx_tx *copy = with_witness(tx, 2);

    node_create(&node, NULL);
    confirm(&node, 1);
    for (size_t i = 0; i < 2; i++) {
        remotes[i] = remote_ready(&node, "127.0.0.1:1000", ALL);
        remote_peer(remotes[i])->tx.wtxid = false;
    }
    send_inv(remotes[0], FX_INV_TX, &tx->txid);
    FX_CHECK(says(remotes[0], "getdata", FX_INV_WITNESS_TX, &tx->txid));
    send_tx(remotes[1], copy);
    FX_CHECK_INT(remote_peer(remotes[0])->tx.asked, 1);
    send_tx(remotes[0], tx);
    FX_CHECK_INT(remote_peer(remotes[0])->tx.asked, 0);
    fx_tx_unref(tx);
    fx_tx_unref(copy);
    for (size_t i = 0; i < 2; i++) {
        remote_close(remotes[i]);
    }
    node_destroy(&node);
}

FX_TEST(own_transactions_are_told_to_newcomers)
{
    struct node node;
    struct remote *remote = NULL;
    struct fx_hash of = fake_hash(1);
    const struct fx_tx *tx = fake_tx(&of, 2, 1);
    struct fx_block *block = NULL;
    struct fx_accept result;
    enum fx_verdict why;
    bool fresh;

    node_create(&node, NULL);
    confirm(&node, 1);
    fx_mempool_accept(node.mempool, tx, false, &result);
    fx_net_relay_tx(node.net, tx);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    FX_CHECK(says(remote, "inv", FX_INV_WTX, &tx->wtxid));
    /* Again after a while, though the peer was told; no more once it is in a block. */
    fx_txrelay_tick(node.net, fx_clock_monotonic_ms() + 3600000);
    FX_CHECK(says(remote, "inv", FX_INV_WTX, &tx->wtxid));
    block = fake_block(node.chain->tip, 3, &tx, 1);
    FX_CHECK_INT(fx_chain_accept_block(node.chain, block, &fresh, &why), FX_VALID);
    run_some(node.base);
    FX_CHECK(says(remote, "inv", FX_INV_BLOCK, &block->id));
    fx_txrelay_tick(node.net, fx_clock_monotonic_ms() + 36000000);
    FX_CHECK(remote_silent(remote, "inv"));
    fx_block_unref(block);
    fx_tx_unref(tx);
    remote_close(remote);
    node_destroy(&node);
}

/* ---- certificates ------------------------------------------------------------------------------
 */

static void send_cert(struct remote *remote, const struct fake_cert *cert)
{
    struct fx_msg_cert m = {.origin = cert->origin, .program = cert->program};
    struct fx_buf buf = FX_BUF_INIT;

    memcpy(m.signature, cert->signature, sizeof m.signature);
    fx_msg_cert_write(&m, &buf);
    remote_send(remote, "cert", &buf);
}

static bool gets_cert(struct remote *remote, const struct fake_cert *cert)
{
    struct fx_buf buf = FX_BUF_INIT;
    bool ok = remote_expect(remote, "cert", &buf) && buf.len == FX_CERT_SIZE &&
              memcmp(buf.data + 68, cert->signature, 64) == 0;

    fx_buf_clear(&buf);
    return ok;
}

FX_TEST(new_certificates_are_relayed)
{
    struct node node;
    struct remote *remotes[3];
    struct fake_cert cert = fake_cert(1);
    struct fake_cert forged = fake_cert(1);

    node_create(&node, NULL);
    node.jobs.claimed[node.jobs.n_claimed++] = cert;
    remotes[0] = remote_ready(&node, "127.0.0.1:1000", ALL);
    remotes[1] = remote_ready(&node, "127.0.0.1:1001", ALL);
    remotes[2] = remote_ready(&node, "127.0.0.1:1002", FX_NODE_NETWORK);
    forged.signature[5] ^= 1;
    send_cert(remotes[0], &forged);
    FX_CHECK_INT(remote_peer(remotes[0])->misbehaviour, 20);
    FX_CHECK(remote_silent(remotes[1], "cert"));
    send_cert(remotes[0], &cert);
    FX_CHECK(gets_cert(remotes[1], &cert));
    send_cert(remotes[1], &cert); /* known: relayed no further */
    FX_CHECK(remote_silent(remotes[0], "cert"));
    FX_CHECK(remote_silent(remotes[2], "cert"));
    remote_close(remotes[2]);
    /* One without job data gets none; a newcomer with it gets all. */
    remotes[2] = remote_ready(&node, "127.0.0.1:1003", ALL);
    FX_CHECK(gets_cert(remotes[2], &cert));
    for (size_t i = 0; i < 3; i++) {
        remote_close(remotes[i]);
    }
    node_destroy(&node);
}

FX_TEST(early_certificates_wait_for_their_claim)
{
    struct node node;
    struct remote *remotes[2];
    struct fake_cert cert = fake_cert(1);

    node_create(&node, NULL);
    remotes[0] = remote_ready(&node, "127.0.0.1:1000", ALL);
    remotes[1] = remote_ready(&node, "127.0.0.1:1001", ALL);
    send_cert(remotes[0], &cert);
    FX_CHECK_INT(remote_peer(remotes[0])->misbehaviour, 0);
    FX_CHECK(remote_silent(remotes[1], "cert"));
    node.jobs.claimed[node.jobs.n_claimed++] = cert;
    fake_chain_mine(node.chain, 1);
    FX_CHECK(gets_cert(remotes[1], &cert));
    FX_CHECK_INT(node.jobs.n_held, 1);
    FX_CHECK_INT(remote_peer(remotes[0])->blobs.early, 0);
    /* A peer's share of what is kept is bounded. */
    for (uint32_t i = 0; i < 200; i++) {
        struct fake_cert other = fake_cert(100 + i);

        send_cert(remotes[0], &other);
    }
    FX_CHECK_INT(remote_peer(remotes[0])->blobs.early, FX_EARLY_PER_PEER);
    remote_close(remotes[0]);
    remote_close(remotes[1]);
    node_destroy(&node);
}

/* Who comes again and again leaves nothing that keeps the certificates of others out. */
FX_TEST(early_certificates_of_peers_that_are_gone)
{
    struct node node;
    struct remote *remotes[2], *bad = NULL;
    struct fake_cert cert = fake_cert(1);

    node_create(&node, NULL);
    remotes[0] = remote_ready(&node, "127.0.0.1:1000", ALL);
    remotes[1] = remote_ready(&node, "127.0.0.1:1001", ALL);
    for (uint32_t round = 0; round < FX_EARLY_MAX / FX_EARLY_PER_PEER; round++) {
        bad = remote_ready(&node, "127.0.0.1:1002", ALL);
        for (uint32_t i = 0; i < FX_EARLY_PER_PEER; i++) {
            struct fake_cert other = fake_cert(100 + round * FX_EARLY_PER_PEER + i);

            send_cert(bad, &other);
        }
        remote_close(bad);
    }
    fake_chain_mine(node.chain, 1);
    run_some(node.base);
    send_cert(remotes[0], &cert);
    node.jobs.claimed[node.jobs.n_claimed++] = cert;
    fake_chain_mine(node.chain, 1);
    FX_CHECK(gets_cert(remotes[1], &cert));
    remote_close(remotes[0]);
    remote_close(remotes[1]);
    node_destroy(&node);
}

FX_TEST(own_certificate)
{
    struct node node;
    struct remote *remote = NULL;
    struct fake_cert cert = fake_cert(1);

    node_create(&node, NULL);
    remote = remote_ready(&node, "127.0.0.1:1000", ALL);
    fx_net_relay_cert(node.net, &cert.origin, &cert.program, cert.signature);
    FX_CHECK(gets_cert(remote, &cert));
    remote_close(remote);
    node_destroy(&node);
}
