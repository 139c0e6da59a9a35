/* Tests of the chain with tasks and blocks of the job lane: records through claims, settlements
 * and backing, and back again. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/chain/kit.h"
#include "qa/unit/harness.h"

#define BIG_CACHE ((size_t)16 << 20)
#define ESCROW INT64_C(10000000)
#define BURN INT64_C(4000000)

struct count {
    unsigned n, settled, backed, live;
};

static bool count_record(void *ctx, const struct fx_outpoint *origin,
                         const struct fx_task_record *record)
{
    struct count *count = ctx;

    (void)origin;
    count->n++;
    count->settled += record->settled != 0;
    count->backed += record->backed;
    count->live += record->live;
    return true;
}

static struct count records(struct kit *kit)
{
    struct count count = {0};

    FX_CHECK(fx_chain_each_record(kit->chain, count_record, &count));
    return count;
}

/* The life of a task, one block a step; sets[i] is the state after step i. */
enum step { STEP_START, STEP_FUNDED, STEP_MINED, STEP_CLAIMED, STEP_SETTLED, STEP_BACKED, STEPS };

struct life {
    struct fx_txoutset sets[STEPS];
    struct fx_tx *fund, *claim, *accept;
    struct fx_outpoint origin;
    struct fx_buf preimage;
    uint32_t h0;
};

static void mine_one(struct kit *kit, struct fx_tx *tx, int64_t fees)
{
    struct kit_block spec = {.value = -1, .fees = fees, .txs = {fx_tx_ref(tx)}, .n_txs = 1};

    kit_mine(kit, &spec);
}

static void fund(struct kit *kit, struct life *life)
{
    struct kit_coin coin = kit_coinbase(kit, 1);

    kit_preimage(kit, &life->preimage);
    life->fund = kit_fund(kit, &coin, ESCROW);
    life->origin = (struct fx_outpoint){.txid = life->fund->txid};
    mine_one(kit, life->fund, 1000);
    life->h0 = fx_chain_tip(kit->chain)->height;
}

static struct kit_block job_spec(const struct life *life)
{
    return (struct kit_block){
        .value = -1,
        .task = life->origin,
        .preimage = {life->preimage.data, life->preimage.len},
    };
}

static void live(struct kit *kit, struct life *life)
{
    struct kit_coin bond = kit_coinbase(kit, 2);
    struct kit_block spec;
    uint32_t claimed;

    memset(life, 0, sizeof(*life));
    life->sets[STEP_START] = kit_set(kit);
    fund(kit, life);
    life->sets[STEP_FUNDED] = kit_set(kit);
    spec = job_spec(life);
    kit_mine(kit, &spec);
    FX_CHECK_INT(fx_chain_tip(kit->chain)->lane, FX_LANE_JOB);
    FX_CHECK_MEM(fx_chain_tip(kit->chain)->solver.b, kit->solver.xonly.b, 32);
    FX_CHECK(fx_chain_lane_tip(kit->chain, FX_LANE_JOB) == fx_chain_tip(kit->chain));
    life->sets[STEP_MINED] = kit_set(kit);
    life->claim = kit_claim(kit, life->fund, life->h0, &bond, BURN);
    mine_one(kit, life->claim, 1000);
    claimed = fx_chain_tip(kit->chain)->height;
    life->sets[STEP_CLAIMED] = kit_set(kit);
    life->accept = kit_accept_claim(kit, life->fund, life->claim, claimed, BURN);
    mine_one(kit, life->accept, 1000);
    life->sets[STEP_SETTLED] = kit_set(kit);
}

/* Another task, so that a job-lane block has something to be mined in and can list the first. */
static void back(struct kit *kit, struct life *life)
{
    struct kit_coin coin = kit_coinbase(kit, 3);
    struct fx_tx *tx = kit_fund(kit, &coin, ESCROW);
    struct kit_block spec = job_spec(life);

    mine_one(kit, tx, 1000);
    spec.task = (struct fx_outpoint){.txid = tx->txid};
    spec.backing = &life->origin;
    spec.n_backing = 1;
    /* Half of E = 2 bricks of credit, and at most twice the burn. */
    spec.value = 2 * BURN;
    kit_mine(kit, &spec);
    life->sets[STEP_BACKED] = kit_set(kit);
    fx_tx_unref(tx);
}

static void life_clear(struct life *life)
{
    fx_tx_unref(life->fund);
    fx_tx_unref(life->claim);
    fx_tx_unref(life->accept);
    fx_buf_clear(&life->preimage);
}

FX_TEST(a_task_lives_and_every_step_is_undone)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_txoutset after;
    const struct fx_index *tip;
    struct count count;
    struct life life;
    struct kit kit;
    uint32_t base;

    kit_open(&kit, dir, BIG_CACHE);
    base = kit_mine_empty(&kit, 110)->height;
    live(&kit, &life);
    count = records(&kit);
    FX_CHECK_INT(count.n, 1);
    FX_CHECK_INT(count.settled, 1);
    FX_CHECK_INT(count.backed, 0);
    back(&kit, &life);
    count = records(&kit);
    FX_CHECK_INT(count.backed, 1);
    kit_reopen(&kit, dir, 0);
    after = kit_set(&kit);
    kit_check_same_set(&life.sets[STEP_BACKED], &after);

    /* Down, one block at a time; then up again at once. */
    tip = fx_chain_tip(kit.chain);
    FX_CHECK_INT(tip->height, base + 6);
    FX_CHECK(fx_chain_invalidate(kit.chain, fx_chain_at(kit.chain, base + 6)));
    FX_CHECK_INT(records(&kit).backed, 0);
    FX_CHECK(fx_chain_invalidate(kit.chain, fx_chain_at(kit.chain, base + 5)));
    after = kit_set(&kit);
    kit_check_same_set(&life.sets[STEP_SETTLED], &after);
    FX_CHECK(fx_chain_invalidate(kit.chain, fx_chain_at(kit.chain, base + 4)));
    after = kit_set(&kit);
    kit_check_same_set(&life.sets[STEP_CLAIMED], &after);
    FX_CHECK_INT(records(&kit).live, 1);
    kit_reopen(&kit, dir, BIG_CACHE);
    FX_CHECK(fx_chain_invalidate(kit.chain, fx_chain_at(kit.chain, base + 3)));
    after = kit_set(&kit);
    kit_check_same_set(&life.sets[STEP_MINED], &after);
    FX_CHECK_INT(records(&kit).n, 0);
    FX_CHECK(fx_chain_invalidate(kit.chain, fx_chain_at(kit.chain, base + 2)));
    after = kit_set(&kit);
    kit_check_same_set(&life.sets[STEP_FUNDED], &after);
    FX_CHECK(fx_chain_invalidate(kit.chain, fx_chain_at(kit.chain, base + 1)));
    after = kit_set(&kit);
    kit_check_same_set(&life.sets[STEP_START], &after);
    tip = fx_chain_find(kit.chain, &life.sets[STEP_BACKED].best);
    FX_CHECK(fx_chain_reconsider(kit.chain, tip));
    after = kit_set(&kit);
    kit_check_same_set(&life.sets[STEP_BACKED], &after);
    life_clear(&life);
    kit_close(&kit);
}

FX_TEST(reorganisation_across_lanes)
{
    const struct fx_index *fork, *index;
    struct fx_txoutset after;
    struct fx_hash old;
    struct life life;
    struct kit kit;
    unsigned i;

    kit_open(&kit, fx_unit_tmpdir(), BIG_CACHE);
    fork = index = kit_mine_empty(&kit, 110);
    live(&kit, &life);
    old = fx_chain_tip(kit.chain)->id;
    for (i = 0; i < 5; i++) {
        struct kit_block spec = {.value = -1, .salt = 3, .parent = index};
        struct fx_block *block = kit_make(&kit, &spec);

        index = kit_accept(&kit, block);
        fx_block_unref(block);
    }
    /* Both lanes weigh the same on regtest: five blocks against four. */
    FX_CHECK(fx_chain_tip(kit.chain) == index);
    FX_CHECK_INT(records(&kit).n, 0);
    FX_CHECK(fx_chain_lane_tip(kit.chain, FX_LANE_JOB) == NULL);
    FX_CHECK(fx_chain_invalidate(kit.chain, fx_index_ancestor(index, fork->height + 1)));
    FX_CHECK_MEM(fx_chain_tip(kit.chain)->id.b, old.b, 32);
    after = kit_set(&kit);
    kit_check_same_set(&life.sets[STEP_SETTLED], &after);
    life_clear(&life);
    kit_close(&kit);
}

FX_TEST(an_altered_proof_is_refused_as_a_copy)
{
    struct fx_block *good, *bad;
    struct kit_block spec;
    enum fx_verdict why;
    struct life life = {0};
    uint8_t *raw;
    struct kit kit;

    kit_open(&kit, fx_unit_tmpdir(), BIG_CACHE);
    kit_mine_empty(&kit, 110);
    fund(&kit, &life);
    spec = job_spec(&life);
    good = kit_make(&kit, &spec);
    raw = malloc(good->raw.len);
    memcpy(raw, good->raw.data, good->raw.len);
    /* A byte in the middle of block A; the top bit stays, so that the entry is in range. */
    raw[FX_HEADER_SIZE + life.preimage.len + 14 + 1000] ^= 1;
    bad = fx_block_parse(kit.params, raw, good->raw.len, &why);
    FX_CHECK(bad != NULL);
    FX_CHECK_INT(fx_chain_accept_block(kit.chain, bad, NULL, &why), FX_INVALID_COPY);
    FX_CHECK_INT(why, FX_BAD_WORK_OPEN);
    /* Nothing is kept of a header whose work nobody has seen. */
    FX_CHECK(fx_chain_find(kit.chain, &good->id) == NULL);
    FX_CHECK_INT(fx_chain_test_block(kit.chain, bad, &why), FX_VALID);
    kit_accept(&kit, good);
    FX_CHECK_MEM(fx_chain_tip(kit.chain)->id.b, good->id.b, 32);
    free(raw);
    fx_block_unref(bad);
    fx_block_unref(good);
    life_clear(&life);
    kit_close(&kit);
}

FX_TEST(a_job_block_in_no_task_is_condemned)
{
    struct kit_block spec;
    struct fx_block *bad;
    struct life life = {0};
    enum fx_verdict why;
    struct kit kit;

    kit_open(&kit, fx_unit_tmpdir(), BIG_CACHE);
    kit_mine_empty(&kit, 110);
    fund(&kit, &life);
    spec = job_spec(&life);
    spec.task.index = 1;
    bad = kit_make(&kit, &spec);
    FX_CHECK_INT(fx_chain_test_block(kit.chain, bad, &why), FX_INVALID);
    FX_CHECK_INT(why, FX_BAD_WORK_TASK);
    FX_CHECK_INT(fx_chain_accept_block(kit.chain, bad, NULL, &why), FX_INVALID);
    FX_CHECK_INT(why, FX_BAD_WORK_TASK);
    FX_CHECK_INT(fx_chain_accept_block(kit.chain, bad, NULL, &why), FX_INVALID);
    FX_CHECK_INT(why, FX_DUPLICATE_INVALID);
    fx_block_unref(bad);
    life_clear(&life);
    kit_close(&kit);
}

FX_TEST(beacon_is_the_first_hash_block_above)
{
    struct fx_ancestor ancestor;
    struct life life = {0};
    struct fx_view view;
    struct kit kit;
    uint32_t h, top;
    unsigned i;

    kit_open(&kit, fx_unit_tmpdir(), BIG_CACHE);
    kit_mine_empty(&kit, 110);
    fund(&kit, &life);
    for (i = 0; i < 20; i++) {
        struct kit_block spec = job_spec(&life), plain = {.value = -1};

        kit_mine(&kit, i % 7 < 5 ? &spec : &plain);
    }
    top = fx_chain_tip(kit.chain)->height;
    fx_chain_view(kit.chain, &view);
    for (h = 0; h <= top + 1; h++) {
        uint32_t want = h + 1;

        while (want <= top && fx_chain_at(kit.chain, want)->lane != FX_LANE_HASH) {
            want++;
        }
        if (want > top) {
            FX_CHECK_INT(view.beacon(view.ctx, h, &ancestor), FX_MISSING);
            continue;
        }
        FX_CHECK_INT(view.beacon(view.ctx, h, &ancestor), FX_FOUND);
        FX_CHECK_INT(ancestor.height, want);
        FX_CHECK_MEM(ancestor.id.b, fx_chain_at(kit.chain, want)->id.b, 32);
    }
    FX_CHECK_INT(view.ancestor(view.ctx, top, &ancestor), FX_FOUND);
    FX_CHECK_INT(ancestor.time, fx_chain_tip(kit.chain)->header.time);
    FX_CHECK_INT(view.ancestor(view.ctx, top + 1, &ancestor), FX_MISSING);
    life_clear(&life);
    kit_close(&kit);
}

FX_TEST(a_settled_record_is_forgotten_and_comes_back)
{
    const char *dir = fx_unit_tmpdir();
    struct fx_txoutset before, after;
    const struct fx_index *settled;
    struct life life;
    struct kit kit;

    kit_open(&kit, dir, BIG_CACHE);
    kit_mine_empty(&kit, 110);
    live(&kit, &life);
    settled = fx_chain_tip(kit.chain);
    kit_mine_empty(&kit, FX_RECORD_KEEP - 1);
    FX_CHECK_INT(records(&kit).n, 1);
    before = kit_set(&kit);
    FX_CHECK_INT(kit_mine_empty(&kit, 1)->height, settled->height + FX_RECORD_KEEP);
    FX_CHECK_INT(records(&kit).n, 0);
    kit_reopen(&kit, dir, BIG_CACHE);
    FX_CHECK(fx_chain_invalidate(kit.chain, fx_chain_tip(kit.chain)));
    FX_CHECK_INT(records(&kit).settled, 1);
    after = kit_set(&kit);
    kit_check_same_set(&before, &after);
    life_clear(&life);
    kit_close(&kit);
}
