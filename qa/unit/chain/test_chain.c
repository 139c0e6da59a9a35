/* Tests of the chain: growing, restarting, reorganisation, fork choice, refusals. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/chain/kit.h"
#include "qa/unit/harness.h"
#include "src/sys/clock.h"
#include "src/sys/file.h"

#define BIG_CACHE ((size_t)16 << 20)

FX_TEST(starts_at_genesis)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_txoutset set;
    struct kit kit;

    kit_open(&kit, dir, BIG_CACHE);
    FX_CHECK_INT(fx_chain_tip(kit.chain)->height, 0);
    FX_CHECK(fx_chain_tip(kit.chain) == fx_chain_genesis(kit.chain));
    FX_CHECK_MEM(fx_chain_tip(kit.chain)->id.b, kit.params->genesis_id.b, 32);
    FX_CHECK(fx_chain_lane_tip(kit.chain, FX_LANE_HASH) == NULL);
    FX_CHECK(fx_chain_is_initial_download(kit.chain));
    set = kit_set(&kit);
    FX_CHECK_INT(set.n_coins, 0);
    kit_reopen(&kit, dir, BIG_CACHE);
    FX_CHECK_INT(fx_chain_tip(kit.chain)->height, 0);
    kit_close(&kit);
}

FX_TEST(another_network_is_refused)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_chain_config config = {.params = fx_params_get(FX_TEST), .dir = dir};
    struct kit kit;
    char *error;

    kit_open(&kit, dir, BIG_CACHE);
    fx_chain_destroy(kit.chain);
    kit.chain = NULL;
    FX_CHECK(fx_chain_create(&config, &error) == NULL);
    FX_CHECK(error != NULL && strstr(error, "another network") != NULL);
    free(error);
    kit_close(&kit);
}

/* Blocks with spends in them: chains of payments inside a block and across blocks. */
static void mine_payments(struct kit *kit, unsigned n)
{
    for (; n > 0; n--) {
        uint32_t mature = fx_chain_tip(kit->chain)->height + 1 - FX_COINBASE_MATURITY;
        struct kit_coin coin = kit_coinbase(kit, mature);
        struct kit_block spec = {.value = -1, .fees = 3000};
        struct kit_coin next;

        spec.txs[0] = kit_pay(kit, &coin, 3, 1000);
        next = kit_output(spec.txs[0], 0, fx_chain_tip(kit->chain)->height + 1);
        spec.txs[1] = kit_pay(kit, &next, 2, 1000);
        next = kit_output(spec.txs[0], 2, fx_chain_tip(kit->chain)->height + 1);
        spec.txs[2] = kit_pay(kit, &next, 1, 1000);
        spec.fees = coin.value - spec.txs[1]->out[0].value - spec.txs[1]->out[1].value -
                    spec.txs[2]->out[0].value - spec.txs[0]->out[1].value;
        spec.n_txs = 3;
        kit_mine(kit, &spec);
    }
}

FX_TEST(restart_keeps_tip_and_state)
{
    const char *dir = fx_unit_tmpdir();
    const char *other = fx_unit_tmpdir();
    struct fx_txoutset set, again;
    struct fx_hash tip;
    struct kit kit, small;
    uint32_t h;

    kit_open(&kit, dir, BIG_CACHE);
    kit_mine_empty(&kit, 101);
    mine_payments(&kit, 12);
    tip = fx_chain_tip(kit.chain)->id;
    set = kit_set(&kit);
    FX_CHECK_INT(set.height, 113);
    FX_CHECK_INT(set.n_coins, 113 + 12 * 3);
    FX_CHECK_INT(set.total_amount, 113 * INT64_C(1000000000));
    kit_reopen(&kit, dir, BIG_CACHE);
    FX_CHECK_MEM(fx_chain_tip(kit.chain)->id.b, tip.b, 32);
    again = kit_set(&kit);
    kit_check_same_set(&set, &again);
    mine_payments(&kit, 2);
    set = kit_set(&kit);

    /* The same blocks through a cache that holds nothing. */
    kit_open(&small, other, 0);
    for (h = 1; h <= set.height; h++) {
        struct fx_block *block = fx_chain_read_block(kit.chain, fx_chain_at(kit.chain, h));

        kit_accept(&small, block);
        fx_block_unref(block);
    }
    again = kit_set(&small);
    kit_check_same_set(&set, &again);
    kit_close(&small);
    kit_close(&kit);
}

FX_TEST(accessors)
{
    const struct fx_index *tip, *index, **tips;
    struct kit_block spec = {.value = -1, .salt = 1};
    struct fx_block *block;
    struct kit kit;
    uint32_t h;
    size_t n;

    kit_open(&kit, fx_unit_tmpdir(), BIG_CACHE);
    tip = kit_mine_empty(&kit, 70);
    for (h = 0; h <= 70; h++) {
        index = fx_chain_at(kit.chain, h);
        FX_CHECK_INT(index->height, h);
        FX_CHECK(fx_index_ancestor(tip, h) == index);
        FX_CHECK(fx_chain_find(kit.chain, &index->id) == index);
        FX_CHECK(fx_chain_contains(kit.chain, index));
    }
    FX_CHECK(fx_chain_at(kit.chain, 71) == NULL);
    FX_CHECK(fx_index_ancestor(tip, 71) == NULL);
    FX_CHECK(fx_chain_lane_tip(kit.chain, FX_LANE_HASH) == tip);
    FX_CHECK(fx_chain_lane_tip(kit.chain, FX_LANE_JOB) == NULL);
    FX_CHECK(fx_chain_best_header(kit.chain) == tip);
    FX_CHECK_INT(tip->median_time, fx_chain_at(kit.chain, 65)->header.time);
    spec.parent = fx_chain_at(kit.chain, 40);
    block = kit_make(&kit, &spec);
    index = kit_accept(&kit, block);
    fx_block_unref(block);
    FX_CHECK(fx_index_fork(index, tip) == fx_chain_at(kit.chain, 40));
    FX_CHECK(fx_index_fork(tip, index) == fx_chain_at(kit.chain, 40));
    FX_CHECK(fx_index_fork(tip, tip) == tip);
    FX_CHECK(!fx_chain_contains(kit.chain, index));
    n = fx_chain_tips(kit.chain, &tips);
    FX_CHECK_INT(n, 2);
    FX_CHECK((tips[0] == tip && tips[1] == index) || (tips[0] == index && tips[1] == tip));
    free(tips);
    fx_clock_set_mock(tip->header.time + 60);
    FX_CHECK(!fx_chain_is_initial_download(kit.chain));
    kit_close(&kit);
}

/* ---- reorganisation ---- */

struct seen {
    unsigned connected, disconnected, tips;
    size_t coins;
    struct fx_hash last;
};

static void on_connect(void *ctx, const struct fx_index *index, const struct fx_block *block,
                       const struct fx_undo *undo)
{
    struct seen *seen = ctx;

    FX_CHECK(fx_hash_equal(&index->id, &block->id));
    seen->connected++;
    seen->coins += undo->n_coins;
}

static void on_disconnect(void *ctx, const struct fx_index *index, const struct fx_block *block,
                          const struct fx_undo *undo)
{
    struct seen *seen = ctx;

    FX_CHECK(fx_hash_equal(&index->id, &block->id));
    seen->disconnected++;
    seen->coins -= undo->n_coins;
}

static void on_tip(void *ctx, const struct fx_index *tip)
{
    struct seen *seen = ctx;

    seen->tips++;
    seen->last = tip->id;
}

FX_TEST(reorganisation_restores_the_state)
{
    const char *dir = fx_unit_tmpdir();
    struct seen seen = {0};
    struct fx_chain_events events = {.ctx = &seen,
                                     .block_connected = on_connect,
                                     .block_disconnected = on_disconnect,
                                     .tip_changed = on_tip};
    struct fx_txoutset before, after, branch;
    const struct fx_index *fork, *old, *index = NULL;
    struct kit kit;
    unsigned i;

    kit_open(&kit, dir, BIG_CACHE);
    kit_mine_empty(&kit, 101);
    mine_payments(&kit, 2);
    fork = fx_chain_tip(kit.chain);
    before = kit_set(&kit);
    fx_chain_subscribe(kit.chain, &events);
    mine_payments(&kit, 3);
    old = fx_chain_tip(kit.chain);
    FX_CHECK_INT(seen.connected, 3);
    FX_CHECK_INT(seen.tips, 3);
    FX_CHECK_INT(seen.coins, 9);

    /* A branch of equal length does not win, one block more does. */
    for (i = 0; i < 4; i++) {
        struct kit_block spec = {.value = -1, .salt = 7, .parent = i == 0 ? fork : index};
        struct fx_block *block = kit_make(&kit, &spec);

        index = kit_accept(&kit, block);
        fx_block_unref(block);
        FX_CHECK(fx_chain_tip(kit.chain) == (i < 3 ? old : index));
    }
    FX_CHECK_INT(seen.connected, 7);
    FX_CHECK_INT(seen.disconnected, 3);
    FX_CHECK_INT(seen.coins, 0);
    FX_CHECK_INT(seen.tips, 4);
    FX_CHECK(fx_hash_equal(&seen.last, &index->id));
    branch = kit_set(&kit);
    FX_CHECK_INT(branch.n_coins, before.n_coins + 4);

    /* Back to the fork by hand, and to either branch again. */
    FX_CHECK(fx_chain_invalidate(kit.chain, fx_index_ancestor(index, fork->height + 1)));
    FX_CHECK(fx_chain_tip(kit.chain) == old);
    FX_CHECK(fx_chain_invalidate(kit.chain, fx_index_ancestor(old, fork->height + 1)));
    FX_CHECK(fx_chain_tip(kit.chain) == fork);
    FX_CHECK(fx_hash_equal(&seen.last, &fork->id));
    after = kit_set(&kit);
    kit_check_same_set(&before, &after);
    FX_CHECK(fx_chain_best_header(kit.chain) == fork);
    kit_reopen(&kit, dir, BIG_CACHE);
    FX_CHECK_INT(fx_chain_tip(kit.chain)->height, before.height);
    index = fx_chain_find(kit.chain, &branch.best);
    FX_CHECK((index->status & FX_INDEX_FAILED) != 0);
    FX_CHECK(fx_chain_reconsider(kit.chain, index));
    after = kit_set(&kit);
    kit_check_same_set(&branch, &after);
    kit_close(&kit);
}

FX_TEST(first_seen_wins_a_tie_across_restarts)
{
    const char *dir = fx_unit_tmpdir();
    struct kit_block spec = {.value = -1, .salt = 1};
    struct fx_block *one, *two;
    struct fx_hash first;
    struct kit kit;

    kit_open(&kit, dir, BIG_CACHE);
    kit_mine_empty(&kit, 3);
    one = kit_make(&kit, &spec);
    spec.salt = 2;
    two = kit_make(&kit, &spec);
    kit_accept(&kit, one);
    kit_accept(&kit, two);
    first = one->id;
    FX_CHECK_MEM(fx_chain_tip(kit.chain)->id.b, first.b, 32);
    kit_reopen(&kit, dir, BIG_CACHE);
    FX_CHECK_MEM(fx_chain_tip(kit.chain)->id.b, first.b, 32);
    fx_block_unref(one);
    fx_block_unref(two);
    kit_close(&kit);
}

FX_TEST(blocks_out_of_order_after_headers)
{
    const char *dir = fx_unit_tmpdir(), *other = fx_unit_tmpdir();
    struct fx_txoutset want, got;
    const struct fx_index *index;
    struct fx_block *blocks[31];
    struct kit kit, late;
    enum fx_verdict why;
    uint32_t h;

    kit_open(&kit, dir, BIG_CACHE);
    kit_mine_empty(&kit, 30);
    want = kit_set(&kit);
    kit_open(&late, other, BIG_CACHE);
    for (h = 1; h <= 30; h++) {
        blocks[h] = fx_chain_read_block(kit.chain, fx_chain_at(kit.chain, h));
        FX_CHECK_INT(fx_chain_accept_header(late.chain, &blocks[h]->header, &index, &why),
                     FX_VALID);
        FX_CHECK_INT(index->height, h);
        FX_CHECK_INT(index->status, FX_INDEX_PROVEN | (index->status & (UINT32_C(1) << 31)));
    }
    FX_CHECK_INT(fx_chain_best_header(late.chain)->height, 30);
    FX_CHECK_INT(fx_chain_tip(late.chain)->height, 0);
    for (h = 30; h >= 16; h--) {
        kit_accept(&late, blocks[h]);
        FX_CHECK_INT(fx_chain_tip(late.chain)->height, 0);
    }
    kit_reopen(&late, other, BIG_CACHE);
    FX_CHECK_INT(fx_chain_best_header(late.chain)->height, 30);
    for (h = 15; h >= 2; h--) {
        kit_accept(&late, blocks[h]);
    }
    FX_CHECK_INT(fx_chain_tip(late.chain)->height, 0);
    kit_accept(&late, blocks[1]);
    FX_CHECK_INT(fx_chain_tip(late.chain)->height, 30);
    got = kit_set(&late);
    kit_check_same_set(&want, &got);
    for (h = 1; h <= 30; h++) {
        fx_block_unref(blocks[h]);
    }
    kit_close(&late);
    kit_close(&kit);
}

/* ---- refusals ---- */

static void refuse(struct kit *kit, const struct fx_block *block, enum fx_result result,
                   const char *reason)
{
    const struct fx_index *tip = fx_chain_tip(kit->chain);
    enum fx_verdict why;

    FX_CHECK_INT(fx_chain_accept_block(kit->chain, block, NULL, &why), result);
    FX_CHECK_STR(fx_verdict_string(why), reason);
    FX_CHECK(fx_chain_tip(kit->chain) == tip);
    FX_CHECK(fx_chain_fatal(kit->chain) == NULL);
}

/* The same transactions under another header. */
static struct fx_block *with_header(const struct kit *kit, const struct fx_block *block,
                                    const struct fx_header *header)
{
    return fx_block_make(kit->params, header, (struct fx_span){0}, block->txs, block->n_txs);
}

FX_TEST(bad_headers)
{
    struct kit_block spec = {.value = -1};
    struct fx_block *good, *bad;
    struct fx_header header;
    struct fx_hash id;
    struct kit kit;

    kit_open(&kit, fx_unit_tmpdir(), BIG_CACHE);
    kit_mine_empty(&kit, 12);
    good = kit_make(&kit, &spec);

    header = good->header;
    header.prev.b[5] ^= 1;
    bad = with_header(&kit, good, &header);
    refuse(&kit, bad, FX_INVALID, "prev-blk-not-found");
    fx_block_unref(bad);

    header = good->header;
    do {
        header.nonce++;
        fx_header_id(&header, &id);
    } while ((id.b[31] & 0x80) == 0);
    bad = with_header(&kit, good, &header);
    refuse(&kit, bad, FX_INVALID, "high-hash");
    fx_block_unref(bad);

    header = good->header;
    header.nbits = 0x207ffffe;
    bad = with_header(&kit, good, &header);
    refuse(&kit, bad, FX_INVALID, "bad-diffbits");
    fx_block_unref(bad);

    header = good->header;
    header.version |= 0x200;
    bad = with_header(&kit, good, &header);
    FX_CHECK(bad == NULL || bad->work == NULL);
    if (bad != NULL) {
        refuse(&kit, bad, FX_INVALID, "bad-lane");
        fx_block_unref(bad);
    }

    fx_clock_set_mock((int64_t)good->header.time - 601);
    refuse(&kit, good, FX_INVALID, "time-too-new");
    FX_CHECK(fx_chain_find(kit.chain, &good->id) == NULL);
    fx_clock_set_mock((int64_t)good->header.time - 600);
    kit_accept(&kit, good);
    FX_CHECK_INT(fx_chain_tip(kit.chain)->height, 13);
    fx_block_unref(good);
    kit_close(&kit);
}

FX_TEST(duplicate_is_not_fresh)
{
    struct kit_block spec = {.value = -1};
    struct fx_block *block;
    enum fx_verdict why;
    struct kit kit;
    bool fresh;

    kit_open(&kit, fx_unit_tmpdir(), BIG_CACHE);
    block = kit_make(&kit, &spec);
    FX_CHECK_INT(fx_chain_accept_block(kit.chain, block, &fresh, &why), FX_VALID);
    FX_CHECK(fresh);
    FX_CHECK_INT(fx_chain_accept_block(kit.chain, block, &fresh, &why), FX_VALID);
    FX_CHECK(!fresh);
    fx_block_unref(block);
    kit_close(&kit);
}

FX_TEST(a_bad_copy_does_not_condemn)
{
    struct kit_block spec = {.value = -1}, other = {.value = 5, .salt = 9};
    struct fx_block *good, *stranger, *mixed;
    struct kit kit;

    kit_open(&kit, fx_unit_tmpdir(), BIG_CACHE);
    good = kit_make(&kit, &spec);
    stranger = kit_make(&kit, &other);
    mixed = with_header(&kit, stranger, &good->header);
    FX_CHECK_MEM(mixed->id.b, good->id.b, 32);
    refuse(&kit, mixed, FX_INVALID_COPY, "bad-txnmrklroot");
    kit_accept(&kit, good);
    FX_CHECK_INT(fx_chain_tip(kit.chain)->height, 1);
    fx_block_unref(mixed);
    fx_block_unref(stranger);
    fx_block_unref(good);
    kit_close(&kit);
}

FX_TEST(invalid_blocks_condemn_their_descendants)
{
    const char *dir = fx_unit_tmpdir();
    struct kit_block spec = {.value = INT64_C(1000000001)}, child = {.value = -1};
    const struct fx_index *index;
    struct fx_block *bad, *after;
    enum fx_verdict why;
    struct kit kit;

    kit_open(&kit, dir, BIG_CACHE);
    kit_mine_empty(&kit, 2);
    bad = kit_make(&kit, &spec);
    refuse(&kit, bad, FX_INVALID, "bad-cb-amount");
    index = fx_chain_find(kit.chain, &bad->id);
    FX_CHECK(index != NULL && (index->status & FX_INDEX_FAILED) != 0);
    refuse(&kit, bad, FX_INVALID, "duplicate-invalid");
    child.parent = index;
    after = kit_make(&kit, &child);
    refuse(&kit, after, FX_INVALID, "bad-prevblk");
    FX_CHECK_INT(fx_chain_accept_header(kit.chain, &after->header, &index, &why), FX_INVALID);
    kit_reopen(&kit, dir, BIG_CACHE);
    refuse(&kit, bad, FX_INVALID, "duplicate-invalid");
    kit_mine_empty(&kit, 1);
    fx_block_unref(after);
    fx_block_unref(bad);
    kit_close(&kit);
}

/* A longer branch with a bad block in its middle: the chain comes back to where it was. */
FX_TEST(failed_reorganisation_returns)
{
    struct fx_txoutset before, after;
    const struct fx_index *fork, *index;
    struct fx_block *blocks[5];
    enum fx_verdict why;
    struct kit kit;
    unsigned i;

    kit_open(&kit, fx_unit_tmpdir(), BIG_CACHE);
    kit_mine_empty(&kit, 101);
    fork = fx_chain_tip(kit.chain);
    mine_payments(&kit, 3);
    before = kit_set(&kit);
    index = fork;
    for (i = 0; i < 5; i++) {
        struct kit_block spec = {
            .value = i == 3 ? INT64_C(1000000001) : -1, .salt = 7, .parent = index};

        blocks[i] = kit_make(&kit, &spec);
        FX_CHECK_INT(fx_chain_accept_header(kit.chain, &blocks[i]->header, &index, &why), FX_VALID);
    }
    for (i = 4; i > 0; i--) {
        kit_accept(&kit, blocks[i]);
    }
    /* The last piece: the branch is tried, block 3 fails, and the old tip is back. */
    kit_accept(&kit, blocks[0]);
    after = kit_set(&kit);
    kit_check_same_set(&before, &after);
    FX_CHECK((fx_chain_find(kit.chain, &blocks[3]->id)->status & FX_INDEX_FAILED) != 0);
    FX_CHECK((fx_chain_find(kit.chain, &blocks[4]->id)->status & FX_INDEX_FAILED) != 0);
    FX_CHECK((fx_chain_find(kit.chain, &blocks[2]->id)->status & FX_INDEX_FAILED) == 0);
    FX_CHECK(fx_chain_best_header(kit.chain) == fx_chain_tip(kit.chain));
    mine_payments(&kit, 1);
    for (i = 0; i < 5; i++) {
        fx_block_unref(blocks[i]);
    }
    kit_close(&kit);
}

FX_TEST(bad_spends)
{
    struct kit_coin young, coin;
    struct fx_block *block;
    struct kit kit;
    uint32_t tip;

    kit_open(&kit, fx_unit_tmpdir(), BIG_CACHE);
    kit_mine_empty(&kit, 105);
    tip = fx_chain_tip(kit.chain)->height;
    young = kit_coinbase(&kit, tip + 2 - FX_COINBASE_MATURITY);
    coin = kit_coinbase(&kit, 1);
    {
        struct kit_block spec = {.value = -1, .n_txs = 1};

        spec.txs[0] = kit_pay(&kit, &young, 1, 1000);
        block = kit_make(&kit, &spec);
        refuse(&kit, block, FX_INVALID, "bad-txns-premature-spend-of-coinbase");
        fx_block_unref(block);
    }
    {
        struct kit_block spec = {.value = -1, .n_txs = 2};

        spec.txs[0] = kit_pay(&kit, &coin, 1, 1000);
        spec.txs[1] = kit_pay(&kit, &coin, 2, 1000);
        block = kit_make(&kit, &spec);
        refuse(&kit, block, FX_INVALID, "bad-txns-inputs-missingorspent");
        fx_block_unref(block);
    }
    {
        /* Signed for another amount than the coin has. */
        struct kit_block spec = {.value = -1, .n_txs = 1};
        struct kit_coin wrong = coin;

        wrong.value--;
        spec.txs[0] = kit_pay(&kit, &wrong, 1, 1000);
        block = kit_make(&kit, &spec);
        refuse(&kit, block, FX_INVALID,
               "mandatory-script-verify-flag-failed (Invalid Schnorr signature)");
        fx_block_unref(block);
    }
    kit_mine_empty(&kit, 1);
    kit_close(&kit);
}

FX_TEST(templates)
{
    struct kit_block spec = {.value = -1}, greedy = {.value = INT64_C(1000000001)};
    struct fx_block *good, *bad;
    struct fx_header header;
    enum fx_verdict why;
    struct fx_hash id;
    struct kit kit;

    kit_open(&kit, fx_unit_tmpdir(), BIG_CACHE);
    kit_mine_empty(&kit, 2);
    good = kit_make(&kit, &spec);
    header = good->header;
    do {
        header.nonce++;
        fx_header_id(&header, &id);
    } while ((id.b[31] & 0x80) == 0);
    bad = with_header(&kit, good, &header);
    FX_CHECK_INT(fx_chain_test_block(kit.chain, bad, &why), FX_VALID);
    FX_CHECK(fx_chain_find(kit.chain, &bad->id) == NULL);
    fx_clock_set_mock((int64_t)header.time - 601);
    FX_CHECK_INT(fx_chain_test_block(kit.chain, bad, &why), FX_INVALID);
    FX_CHECK_INT(why, FX_TIME_TOO_NEW);
    fx_clock_set_mock((int64_t)header.time);
    fx_block_unref(bad);
    bad = kit_make(&kit, &greedy);
    FX_CHECK_INT(fx_chain_test_block(kit.chain, bad, &why), FX_INVALID);
    FX_CHECK_INT(why, FX_BAD_CB_AMOUNT);
    fx_block_unref(bad);
    kit_mine_empty(&kit, 1);
    FX_CHECK_INT(fx_chain_test_block(kit.chain, good, &why), FX_INVALID);
    FX_CHECK_INT(why, FX_PREV_BLK_NOT_FOUND);
    fx_block_unref(good);
    kit_close(&kit);
}
