/* Tasks through every action on a real chain: what each leaves, and that taking the blocks back one
 * by one brings back each state before, in the coins and in the records. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/chain/kit_task.h"
#include "qa/unit/harness.h"

#define BIG_CACHE ((size_t)16 << 20)
#define ESCROW INT64_C(10000000)
#define BURN INT64_C(4000000)
#define BASE 140  /* blocks, whose coinbases pay for all */
#define STEPS 160 /* blocks of a walk, at most */

/* The state after each block of a walk. */
struct walk {
    struct kit kit;
    const char *dir;
    struct fx_txoutset sets[STEPS];
    size_t n;
    uint32_t next_coin; /* height of a coinbase that is not spent yet */
    struct kit_task at;
    struct fx_outpoint origin;
};

static struct kit_coin take_coin(struct walk *walk)
{
    return kit_coinbase(&walk->kit, walk->next_coin++);
}

/* What has been done becomes a block, some seconds after the last one. */
static void step(struct walk *walk, struct fx_tx *tx, int64_t fees, uint32_t wait)
{
    struct kit_block spec = {.value = -1, .fees = fees, .wait = wait};

    if (tx != NULL) {
        spec.txs[0] = tx;
        spec.n_txs = 1;
        spec.fees = walk->kit.fee;
    }
    FX_CHECK(walk->n < STEPS);
    walk->at.coin.height = kit_mine(&walk->kit, &spec)->height;
    walk->sets[walk->n++] = kit_set(&walk->kit);
}

/* Blocks without the task, 12 seconds apart. */
static void wait_blocks(struct walk *walk, unsigned n, uint32_t seconds)
{
    uint32_t height = walk->at.coin.height;

    for (; n > 0; n--) {
        step(walk, NULL, 0, seconds);
    }
    walk->at.coin.height = height;
}

static bool record(struct walk *walk, struct fx_task_record *found)
{
    struct fx_view view;

    fx_chain_view(walk->kit.chain, &view);
    return view.record(view.ctx, &walk->origin, found) == FX_FOUND;
}

static void check_record(struct walk *walk, enum fx_task_state state, uint8_t asked)
{
    struct fx_task_record found;

    FX_CHECK(record(walk, &found));
    FX_CHECK(found.live);
    FX_CHECK_INT(found.state, state);
    FX_CHECK_INT(found.asked, asked);
    FX_CHECK(fx_outpoint_equal(&found.outpoint, &walk->at.coin.outpoint));
    FX_CHECK_INT(found.settled, 0);
}

static void fund(struct walk *walk)
{
    struct kit_coin coin = take_coin(walk);
    struct fx_tx *tx = kit_fund(&walk->kit, &coin, ESCROW);

    kit_task_clear(&walk->at);
    kit_task_init(&walk->at, &walk->kit, tx, 0);
    walk->origin = walk->at.coin.outpoint;
    step(walk, tx, 0, 0);
}

static void claim(struct walk *walk, bool wrong)
{
    struct kit_coin bond = take_coin(walk);

    step(walk, kit_task_claim(&walk->at, &bond, BURN, wrong), 0, 0);
    check_record(walk, FX_TASK_CLAIMED, 0);
}

static void challenge(struct walk *walk, uint8_t asked)
{
    struct kit_coin deposit = take_coin(walk);

    step(walk, kit_task_challenge(&walk->at, &deposit), 0, 0);
    check_record(walk, FX_TASK_CHALLENGED, asked);
}

static void answer(struct walk *walk, uint8_t asked)
{
    struct kit_coin fee = take_coin(walk);

    step(walk, kit_task_answer(&walk->at, &fee), 0, 0);
    check_record(walk, FX_TASK_CLAIMED, asked);
}

/* Back to funded by fraud or expire: what is left of the record's claim does not matter. */
static void restored(struct walk *walk, struct fx_tx *tx)
{
    struct fx_task_record found;

    step(walk, tx, 0, 0);
    FX_CHECK(record(walk, &found));
    check_record(walk, FX_TASK_FUNDED, found.asked);
}

static void walk_begin(struct walk *walk, size_t cache)
{
    memset(walk, 0, sizeof(*walk));
    walk->dir = fx_unit_tmpdir();
    kit_open(&walk->kit, walk->dir, cache);
    walk->kit.job.spec.window = 1;
    walk->kit.job.spec.deadline = (uint32_t)walk->kit.params->genesis_time + 100000;
    walk->next_coin = 1;
    kit_mine_empty(&walk->kit, BASE);
    walk->sets[walk->n++] = kit_set(&walk->kit);
}

/* Down block by block and up again; at the end, the same chain after a restart. */
static void walk_back(struct walk *walk)
{
    struct fx_chain *chain = walk->kit.chain;
    struct fx_txoutset now;
    const struct fx_index *top = fx_chain_tip(chain);

    FX_CHECK_INT(top->height, BASE + walk->n - 1);
    for (size_t at = walk->n - 1; at > 0; at--) {
        FX_CHECK(fx_chain_invalidate(chain, fx_chain_tip(chain)));
        now = kit_set(&walk->kit);
        kit_check_same_set(&walk->sets[at - 1], &now);
    }
    FX_CHECK(fx_chain_reconsider(chain, top));
    now = kit_set(&walk->kit);
    kit_check_same_set(&walk->sets[walk->n - 1], &now);
    kit_reopen(&walk->kit, walk->dir, 0);
    now = kit_set(&walk->kit);
    kit_check_same_set(&walk->sets[walk->n - 1], &now);
}

static void walk_end(struct walk *walk)
{
    kit_task_clear(&walk->at);
    kit_close(&walk->kit);
}

/* Every way back to funded, then a settlement of the same origin. */
static void restore_in_every_way(struct walk *walk)
{
    struct fx_task_record found;
    struct fx_hash beacon;

    fund(walk);
    claim(walk, true);
    restored(walk, kit_task_fraud(&walk->at));
    claim(walk, true);
    challenge(walk, 1);
    restored(walk, kit_task_fraud(&walk->at));
    claim(walk, false);
    challenge(walk, 1);
    answer(walk, 1);
    challenge(walk, 2);
    wait_blocks(walk, 8, 512);
    restored(walk, kit_task_expire(&walk->at));
    claim(walk, false);
    wait_blocks(walk, 60, 200);
    restored(walk, kit_task_expire(&walk->at));
    claim(walk, false);
    wait_blocks(walk, 8, 512);
    beacon = fx_chain_at(walk->kit.chain, walk->at.coin.height + 1)->id;
    step(walk, kit_task_take(&walk->at, &beacon), 0, 0);
    FX_CHECK(record(walk, &found));
    FX_CHECK(!found.live);
    FX_CHECK_INT(found.settled, fx_chain_tip(walk->kit.chain)->height);
}

FX_TEST(restored_in_every_way_then_settled)
{
    for (size_t cache = 0; cache <= BIG_CACHE; cache += BIG_CACHE) {
        struct walk walk;

        walk_begin(&walk, cache);
        restore_in_every_way(&walk);
        walk_back(&walk);
        walk_end(&walk);
    }
}

FX_TEST(eight_answers_then_rejected)
{
    struct fx_task_record found;
    struct kit_coin fee;
    struct walk walk;

    walk_begin(&walk, 0);
    fund(&walk);
    claim(&walk, false);
    for (uint8_t asked = 1; asked <= FX_TASK_ASKED_MAX; asked++) {
        challenge(&walk, asked);
        answer(&walk, asked);
    }
    fee = take_coin(&walk);
    step(&walk, kit_task_reject(&walk.at, &fee), 0, 0);
    FX_CHECK(!record(&walk, &found)); /* forgotten with the block */
    walk_back(&walk);
    walk_end(&walk);
}

FX_TEST(restored_then_refunded)
{
    struct fx_task_record found;
    struct walk walk;

    walk_begin(&walk, 0);
    fund(&walk);
    claim(&walk, true);
    restored(&walk, kit_task_fraud(&walk.at));
    wait_blocks(&walk, 12, 20000);
    step(&walk, kit_task_refund(&walk.at), 0, 0);
    FX_CHECK(!record(&walk, &found));
    walk_back(&walk);
    walk_end(&walk);
}

/* All of a task's life in one block: the record comes and goes within it. */
FX_TEST(claimed_restored_and_refunded_in_one_block)
{
    struct fx_task_record found;
    struct kit_coin bond;
    struct kit_block spec = {.value = -1};
    struct walk walk;

    walk_begin(&walk, 0);
    fund(&walk);
    wait_blocks(&walk, 12, 20000);
    bond = take_coin(&walk);
    spec.txs[0] = kit_task_claim(&walk.at, &bond, BURN, true);
    spec.txs[1] = kit_task_fraud(&walk.at);
    spec.txs[2] = kit_task_refund(&walk.at);
    spec.n_txs = 3;
    spec.fees = 3 * walk.kit.fee;
    kit_mine(&walk.kit, &spec);
    walk.sets[walk.n++] = kit_set(&walk.kit);
    FX_CHECK(!record(&walk, &found));
    walk_back(&walk);
    walk_end(&walk);
}
