/* Compact blocks between a node and peers that the test plays. */
#include "src/net/compactrelay_int.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/net/fakes.h"
#include "src/net/compact_int.h"
#include "src/net/sync_int.h"
#include "src/sys/clock.h"
#include "src/util/map.h"

#define ALL (FX_NODE_NETWORK | FX_NODE_WITNESS | FX_NODE_JOBDATA)
#define NOW 1700000100 /* soon after the time of all blocks here */
#define VERSION 3
#define REMOTES 4
#define TXS 3

/* A node with some blocks, peers that speak compact blocks, and transactions that it could take. */
struct scene {
    struct node node;
    struct remote *remotes[REMOTES];
    struct fx_tx *txs[TXS];
};

static void send_sendcmpct(struct remote *remote, bool announce, uint64_t version)
{
    struct fx_buf buf = FX_BUF_INIT;

    fx_buf_u8(&buf, announce);
    fx_buf_u64(&buf, version);
    remote_send(remote, "sendcmpct", &buf);
}

static void scene_open(struct scene *s)
{
    static const char *const addresses[REMOTES] = {"127.0.0.1:1000", "127.0.0.1:1001",
                                                   "127.0.0.1:1002", "127.0.0.1:1003"};

    fx_clock_set_mock(NOW);
    node_create(&s->node, NULL);
    fake_chain_mine(s->node.chain, 20);
    for (size_t i = 0; i < REMOTES; i++) {
        s->remotes[i] = remote_ready(&s->node, addresses[i], ALL);
        send_sendcmpct(s->remotes[i], false, VERSION);
    }
    for (uint32_t i = 0; i < TXS; i++) {
        struct fx_hash from = fake_hash(i);

        s->node.mempool->confirmed[s->node.mempool->n_confirmed++] = from;
        s->txs[i] = fake_tx(&from, 2, i);
    }
}

static void scene_close(struct scene *s)
{
    for (size_t i = 0; i < REMOTES; i++) {
        remote_close(s->remotes[i]);
    }
    for (size_t i = 0; i < TXS; i++) {
        fx_tx_unref(s->txs[i]);
    }
    node_destroy(&s->node);
    fx_clock_set_mock(0);
}

static void pool_takes(struct scene *s, size_t i)
{
    struct fx_accept accept;

    fx_mempool_accept(s->node.mempool, s->txs[i], false, &accept);
    FX_CHECK_INT(accept.result, FX_VALID);
}

static struct fx_block *next_block(const struct scene *s, uint32_t nonce)
{
    return fake_block(s->node.chain->tip, nonce, (const struct fx_tx *const *)s->txs, TXS);
}

static bool is_tip(const struct scene *s, const struct fx_block *block)
{
    return fx_hash_equal(&s->node.chain->tip->id, &block->id);
}

static void send_compact(struct remote *remote, const struct fx_block *block)
{
    struct fx_buf buf = FX_BUF_INIT;

    fx_compact_write(block, 5, &buf);
    remote_send(remote, "cmpctblock", &buf);
}

static void send_headers(struct remote *remote, const struct fx_block *block)
{
    struct fx_buf buf = FX_BUF_INIT;

    fx_msg_headers_write(&block->header, 1, &buf);
    remote_send(remote, "headers", &buf);
}

static void send_txs(struct remote *remote, const struct fx_block *block, const uint32_t *indexes,
                     size_t n)
{
    struct fx_buf buf = FX_BUF_INIT;

    fx_msg_blocktxn_write(block, indexes, n, &buf);
    remote_send(remote, "blocktxn", &buf);
}

static void send_block(struct remote *remote, const struct fx_block *block)
{
    struct fx_buf buf = FX_BUF_INIT;

    fx_buf_bytes(&buf, block->raw.data, block->raw.len);
    remote_send(remote, "block", &buf);
}

static bool asked_for(struct remote *remote, const struct fx_block *block, uint32_t type)
{
    struct fx_buf buf = FX_BUF_INIT;
    bool same = remote_expect(remote, "getdata", &buf) && buf.len == 37 &&
                fx_load_u32(buf.data + 1) == type && memcmp(buf.data + 5, block->id.b, 32) == 0;

    fx_buf_clear(&buf);
    return same;
}

/* n: how many transactions it asks for, the first of them at index `first`. */
static bool asked_for_txs(struct remote *remote, const struct fx_block *block, size_t n,
                          uint32_t first)
{
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_reader r;
    struct fx_hash id;
    uint32_t *indexes = NULL;
    size_t count = 0;
    bool same = remote_expect(remote, "getblocktxn", &buf);

    fx_reader_init(&r, buf.data, buf.len);
    same = same && fx_msg_getblocktxn_read(&r, &id, &indexes, &count) && count == n &&
           indexes[0] == first && fx_hash_equal(&id, &block->id);
    free(indexes);
    fx_buf_clear(&buf);
    return same;
}

/* Makes the node prefer this peer: it is the first with a block. */
static void supply(struct scene *s, size_t peer, uint32_t nonce)
{
    struct fx_block *block = fake_block(s->node.chain->tip, nonce, NULL, 0);

    send_block(s->remotes[peer], block);
    FX_CHECK(is_tip(s, block));
    fx_block_unref(block);
}

static const struct fx_peer_compact *state(const struct scene *s, size_t peer)
{
    return &remote_peer(s->remotes[peer])->compact;
}

FX_TEST(versions)
{
    struct scene s;
    struct remote *remote = NULL;
    struct fx_buf buf = FX_BUF_INIT;

    scene_open(&s);
    remote = remote_open(&s.node, "127.0.0.1:1009");
    remote_close(remote);
    remote = remote_ready(&s.node, "127.0.0.1:1009", ALL);
    FX_CHECK(remote_expect(remote, "sendcmpct", &buf));
    FX_CHECK_HEX(buf.data, "000300000000000000");
    send_sendcmpct(remote, true, VERSION - 1);
    FX_CHECK(!remote_peer(remote)->compact.provides);
    send_sendcmpct(remote, true, VERSION);
    FX_CHECK(remote_peer(remote)->compact.provides && remote_peer(remote)->compact.announces_to);
    send_sendcmpct(remote, false, VERSION + 1);
    FX_CHECK(remote_peer(remote)->compact.announces_to);
    fx_buf_clear(&buf);
    remote_close(remote);
    scene_close(&s);
}

FX_TEST(three_suppliers_announce)
{
    struct scene s;

    scene_open(&s);
    for (size_t i = 0; i < REMOTES; i++) {
        supply(&s, i, (uint32_t)i);
        FX_CHECK(state(&s, i)->announces);
    }
    FX_CHECK(!state(&s, 0)->announces);
    supply(&s, 1, 10);
    supply(&s, 0, 11);
    FX_CHECK(state(&s, 0)->announces && state(&s, 1)->announces && state(&s, 3)->announces);
    FX_CHECK(!state(&s, 2)->announces);
    /* A place is free again when its peer goes. */
    remote_close(s.remotes[1]);
    s.remotes[1] = remote_ready(&s.node, "127.0.0.1:1001", ALL);
    supply(&s, 2, 12);
    FX_CHECK(state(&s, 0)->announces && state(&s, 2)->announces && state(&s, 3)->announces);
    scene_close(&s);
}

FX_TEST(the_last_outbound_supplier_stays)
{
    struct scene s;

    scene_open(&s);
    remote_peer(s.remotes[0])->origin = FX_PEER_AUTO;
    for (size_t i = 0; i < REMOTES; i++) {
        supply(&s, i, (uint32_t)i);
    }
    FX_CHECK(state(&s, 0)->announces && !state(&s, 1)->announces);
    scene_close(&s);
}

FX_TEST(all_in_the_pool)
{
    struct scene s;
    struct fx_block *block = NULL;

    scene_open(&s);
    for (size_t i = 0; i < TXS; i++) {
        pool_takes(&s, i);
    }
    block = next_block(&s, 1);
    send_compact(s.remotes[0], block);
    FX_CHECK(is_tip(&s, block));
    FX_CHECK(remote_silent(s.remotes[0], "getblocktxn"));
    FX_CHECK(state(&s, 0)->announces);
    fx_block_unref(block);
    scene_close(&s);
}

FX_TEST(what_is_missing_is_asked_for)
{
    static const uint32_t missing[] = {1, 3};
    struct scene s;
    struct fx_block *block = NULL;

    scene_open(&s);
    pool_takes(&s, 1);
    block = next_block(&s, 1);
    /* A header first: the block is asked for as a compact one. */
    send_headers(s.remotes[0], block);
    FX_CHECK(asked_for(s.remotes[0], block, FX_INV_COMPACT_BLOCK));
    send_compact(s.remotes[0], block);
    FX_CHECK(asked_for_txs(s.remotes[0], block, 2, 1));
    send_txs(s.remotes[0], block, missing, 2);
    FX_CHECK(is_tip(&s, block));
    FX_CHECK_INT(fx_map_count(s.node.net->sync->in_flight), 0);
    /* Once more is nothing. */
    send_txs(s.remotes[0], block, missing, 2);
    FX_CHECK_INT(remote_peer(s.remotes[0])->misbehaviour, 0);
    fx_block_unref(block);
    scene_close(&s);
}

FX_TEST(what_the_pool_refused_is_kept)
{
    struct scene s;
    struct fx_block *block = NULL;
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_hash from = fake_hash(50);

    scene_open(&s);
    fx_tx_unref(s.txs[0]);
    s.txs[0] = fake_tx(&from, VERSION_POLICY, 1);
    fx_tx_write(s.txs[0], &buf);
    remote_send(s.remotes[1], "tx", &buf);
    pool_takes(&s, 1);
    pool_takes(&s, 2);
    block = next_block(&s, 1);
    send_compact(s.remotes[0], block);
    FX_CHECK(is_tip(&s, block));
    fx_block_unref(block);
    scene_close(&s);
}

FX_TEST(a_wrong_answer_leads_to_the_whole_block)
{
    static const uint32_t wrong[] = {1, 2, 2};
    static const uint32_t few[] = {1};
    struct scene s;
    struct fx_block *block = NULL;

    scene_open(&s);
    block = next_block(&s, 1);
    send_compact(s.remotes[0], block);
    FX_CHECK(asked_for_txs(s.remotes[0], block, TXS, 1));
    send_txs(s.remotes[0], block, wrong, 3);
    FX_CHECK(asked_for(s.remotes[0], block, FX_INV_WITNESS_BLOCK));
    FX_CHECK_INT(remote_peer(s.remotes[0])->misbehaviour, 0);
    send_block(s.remotes[0], block);
    FX_CHECK(is_tip(&s, block));
    fx_block_unref(block);
    /* Another number than was asked for cannot be a mistake. */
    block = next_block(&s, 2);
    send_compact(s.remotes[0], block);
    FX_CHECK(asked_for_txs(s.remotes[0], block, TXS, 1));
    send_txs(s.remotes[0], block, few, 1);
    FX_CHECK(remote_is_dropped(s.remotes[0]));
    FX_CHECK(!is_tip(&s, block));
    fx_block_unref(block);
    scene_close(&s);
}

FX_TEST(others_are_asked_beside_the_first)
{
    static const uint32_t all[] = {1, 2, 3};
    struct scene s;
    struct fx_block *block = NULL;

    scene_open(&s);
    for (size_t i = 1; i < REMOTES; i++) {
        supply(&s, i, (uint32_t)i);
    }
    block = next_block(&s, 9);
    send_compact(s.remotes[0], block);
    FX_CHECK(asked_for_txs(s.remotes[0], block, TXS, 1));
    send_compact(s.remotes[1], block);
    FX_CHECK(asked_for_txs(s.remotes[1], block, TXS, 1));
    /* The last place is for one that we chose. */
    send_compact(s.remotes[2], block);
    FX_CHECK(remote_silent(s.remotes[2], "getblocktxn"));
    remote_peer(s.remotes[3])->origin = FX_PEER_AUTO;
    send_compact(s.remotes[3], block);
    FX_CHECK(asked_for_txs(s.remotes[3], block, TXS, 1));
    send_txs(s.remotes[1], block, all, TXS);
    FX_CHECK(is_tip(&s, block));
    for (size_t i = 0; i < REMOTES; i++) {
        for (size_t at = 0; at < FX_COMPACT_PER_PEER; at++) {
            FX_CHECK(state(&s, i)->waiting[at].index == NULL);
        }
    }
    fx_block_unref(block);
    scene_close(&s);
}

FX_TEST(a_peer_has_few_that_wait)
{
    struct scene s;
    struct fx_block *blocks[FX_COMPACT_PER_PEER + 1];

    scene_open(&s);
    for (uint32_t i = 0; i <= FX_COMPACT_PER_PEER; i++) {
        blocks[i] = next_block(&s, i + 1);
        send_compact(s.remotes[0], blocks[i]);
        if (i < FX_COMPACT_PER_PEER) {
            FX_CHECK(asked_for_txs(s.remotes[0], blocks[i], TXS, 1));
        }
    }
    /* For what is one too many, the block comes as any other. */
    FX_CHECK(asked_for(s.remotes[0], blocks[FX_COMPACT_PER_PEER], FX_INV_WITNESS_BLOCK));
    /* Nobody waits for ever. */
    fx_compactrelay_tick(s.node.net, fx_clock_monotonic_ms() + FX_BLOCK_STALL_MS + 1);
    FX_CHECK(state(&s, 0)->waiting[0].index == NULL);
    for (size_t i = 0; i <= FX_COMPACT_PER_PEER; i++) {
        fx_block_unref(blocks[i]);
    }
    scene_close(&s);
}

FX_TEST(bad_blocks_are_not_held_against_who_relays_them)
{
    struct scene s;
    struct fx_block *block = NULL;

    scene_open(&s);
    for (size_t i = 0; i < TXS; i++) {
        pool_takes(&s, i);
    }
    block = next_block(&s, NONCE_BAD_BLOCK);
    send_compact(s.remotes[0], block);
    send_compact(s.remotes[1], block);
    FX_CHECK_INT(remote_peer(s.remotes[0])->misbehaviour, 0);
    FX_CHECK_INT(remote_peer(s.remotes[1])->misbehaviour, 0);
    FX_CHECK_INT(fx_map_count(s.node.net->sync->in_flight), 0);
    fx_block_unref(block);
    /* Of a bad copy the whole is asked for, and that one counts. */
    block = next_block(&s, NONCE_BAD_COPY);
    send_compact(s.remotes[0], block);
    FX_CHECK(asked_for(s.remotes[0], block, FX_INV_WITNESS_BLOCK));
    FX_CHECK_INT(remote_peer(s.remotes[0])->misbehaviour, 0);
    send_block(s.remotes[0], block);
    FX_CHECK_INT(remote_peer(s.remotes[0])->misbehaviour, 50);
    fx_block_unref(block);
    /* A header that is bad by itself does too. */
    block = next_block(&s, NONCE_BAD_HEADER);
    send_compact(s.remotes[1], block);
    FX_CHECK(remote_is_dropped(s.remotes[1]));
    fx_block_unref(block);
    scene_close(&s);
}

FX_TEST(where_the_pool_is_of_no_use)
{
    struct scene s;
    struct fx_block *block = NULL;
    struct fx_header headers[3];
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_index fake;
    const struct fx_index *low = NULL;

    scene_open(&s);
    /* No parent. */
    memset(&fake, 0, sizeof fake);
    fake.id = fake_hash(1);
    block = fake_block(&fake, 1, NULL, 0);
    s.remotes[0]->n_input = 0;
    send_compact(s.remotes[0], block);
    FX_CHECK(remote_expect(s.remotes[0], "getheaders", NULL));
    fx_block_unref(block);
    /* Less work than the tip: its header is kept, no more. */
    block = fake_block(fx_chain_at(s.node.chain, 10), 77, NULL, 0);
    send_compact(s.remotes[0], block);
    FX_CHECK(fx_chain_find(s.node.chain, &block->id) != NULL);
    FX_CHECK((fx_chain_find(s.node.chain, &block->id)->status & FX_INDEX_HAVE_DATA) == 0);
    FX_CHECK(remote_silent(s.remotes[0], "getblocktxn"));
    fx_block_unref(block);
    /* Far less: not even that. */
    fake_chain_mine(s.node.chain, 144 + 10);
    low = fx_chain_at(s.node.chain, 10);
    block = fake_block(low, 78, NULL, 0);
    send_compact(s.remotes[0], block);
    FX_CHECK(fx_chain_find(s.node.chain, &block->id) == NULL);
    fx_block_unref(block);
    /* Too far ahead of the tip: asked for whole, after those before it. */
    headers[0] = fake_header(&s.node.chain->tip->id, FX_LANE_HASH, 1);
    for (size_t i = 1; i < 3; i++) {
        struct fx_hash parent;

        fx_header_id(&headers[i - 1], &parent);
        headers[i] = fake_header(&parent, FX_LANE_HASH, 1);
    }
    fx_msg_headers_write(headers, 3, &buf);
    s.remotes[0]->n_input = 0;
    remote_send(s.remotes[0], "headers", &buf);
    FX_CHECK(remote_expect(s.remotes[0], "getdata", &buf));
    FX_CHECK_INT(buf.data[0], 3);
    FX_CHECK_INT(fx_load_u32(buf.data + 1), FX_INV_WITNESS_BLOCK);
    fx_buf_clear(&buf);
    scene_close(&s);
}

FX_TEST(an_old_tip)
{
    struct scene s;
    struct fx_block *block = NULL;

    scene_open(&s);
    fx_clock_set_mock(NOW + 86400);
    block = next_block(&s, 1);
    send_compact(s.remotes[0], block);
    FX_CHECK(asked_for(s.remotes[0], block, FX_INV_WITNESS_BLOCK));
    fx_block_unref(block);
    scene_close(&s);
}

/* ---- serving --------------------------------------------------------------------------------- */

FX_TEST(tips_are_announced)
{
    struct scene s;
    struct fx_block *block = NULL;
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_hash stop = {{0}};
    struct fx_reader r;
    struct fx_compact m;

    scene_open(&s);
    fx_msg_locator_write(&s.node.chain->tip->id, 1, &stop, &buf);
    remote_send(s.remotes[0], "getheaders", &buf);
    send_sendcmpct(s.remotes[0], true, VERSION);
    block = next_block(&s, 1);
    send_block(s.remotes[1], block);
    FX_CHECK(remote_expect(s.remotes[0], "cmpctblock", &buf));
    fx_reader_init(&r, buf.data, buf.len);
    FX_CHECK(fx_compact_read(s.node.net->params, &r, &m));
    FX_CHECK(fx_hash_equal(&m.id, &block->id));
    FX_CHECK_INT(m.n_short, TXS);
    fx_compact_clear(&m);
    /* One that does not know the block before it would not know what to do with it. */
    send_sendcmpct(s.remotes[2], true, VERSION);
    supply(&s, 1, 2);
    FX_CHECK(remote_expect(s.remotes[0], "cmpctblock", NULL));
    FX_CHECK(remote_silent(s.remotes[2], "cmpctblock"));
    fx_buf_clear(&buf);
    fx_block_unref(block);
    scene_close(&s);
}

static void ask_txs(struct remote *remote, const struct fx_hash *id, const uint32_t *indexes,
                    size_t n)
{
    struct fx_buf buf = FX_BUF_INIT;

    fx_msg_getblocktxn_write(id, indexes, n, &buf);
    remote_send(remote, "getblocktxn", &buf);
}

static void ask_compact(struct remote *remote, const struct fx_hash *id)
{
    struct fx_inv inv = {FX_INV_COMPACT_BLOCK, *id};
    struct fx_buf buf = FX_BUF_INIT;

    fx_msg_inv_write(&inv, 1, &buf);
    remote_send(remote, "getdata", &buf);
}

FX_TEST(how_deep_is_served)
{
    static const uint32_t coinbase[] = {0};
    struct scene s;
    struct fx_hash unknown = fake_hash(1);

    scene_open(&s);
    ask_compact(s.remotes[0], &fx_chain_at(s.node.chain, 20 - FX_COMPACT_DEPTH)->id);
    FX_CHECK(remote_expect(s.remotes[0], "cmpctblock", NULL));
    ask_compact(s.remotes[0], &fx_chain_at(s.node.chain, 19 - FX_COMPACT_DEPTH)->id);
    FX_CHECK(remote_expect(s.remotes[0], "block", NULL));
    ask_compact(s.remotes[0], &unknown);
    FX_CHECK(remote_expect(s.remotes[0], "notfound", NULL));
    ask_txs(s.remotes[0], &fx_chain_at(s.node.chain, 20 - FX_COMPACT_TXS_DEPTH)->id, coinbase, 1);
    FX_CHECK(remote_expect(s.remotes[0], "blocktxn", NULL));
    ask_txs(s.remotes[0], &fx_chain_at(s.node.chain, 19 - FX_COMPACT_TXS_DEPTH)->id, coinbase, 1);
    FX_CHECK(remote_expect(s.remotes[0], "block", NULL));
    ask_txs(s.remotes[0], &unknown, coinbase, 1);
    FX_CHECK(remote_silent(s.remotes[0], "blocktxn"));
    FX_CHECK_INT(remote_peer(s.remotes[0])->misbehaviour, 0);
    scene_close(&s);
}

FX_TEST(transactions_of_a_block_are_served)
{
    static const uint32_t some[] = {1, 3};
    static const uint32_t beyond[] = {1, TXS + 1};
    struct scene s;
    struct fx_block *block = NULL;
    struct fx_buf buf = FX_BUF_INIT, expected = FX_BUF_INIT;

    scene_open(&s);
    block = next_block(&s, 1);
    send_block(s.remotes[1], block);
    ask_txs(s.remotes[0], &block->id, some, 2);
    FX_CHECK(remote_expect(s.remotes[0], "blocktxn", &buf));
    fx_msg_blocktxn_write(block, some, 2, &expected);
    FX_CHECK_INT(buf.len, expected.len);
    FX_CHECK_MEM(buf.data, expected.data, buf.len);
    ask_txs(s.remotes[0], &block->id, beyond, 2);
    FX_CHECK(remote_is_dropped(s.remotes[0]));
    fx_buf_clear(&buf);
    fx_buf_clear(&expected);
    fx_block_unref(block);
    scene_close(&s);
}
