/* Disputes in the pool: what it takes, what they replace, and what blocks and their loss change. */
#include <string.h>

#include "qa/unit/chain/kit_task.h"
#include "qa/unit/harness.h"
#include "qa/unit/mempool/pool_kit.h"

#define ESCROW INT64_C(10000000)
#define BURN INT64_C(4000000)
#define FEE 40000 /* enough for the bytes of an answer */

struct scene {
    struct pool_kit k;
    struct kit_task at;
    uint32_t next_coin;
};

static struct kit_coin take_coin(struct scene *s)
{
    return kit_coinbase(&s->k.kit, s->next_coin++);
}

/* Mines what is in the pool of this transaction; the task's output is then confirmed. */
static void mine(struct scene *s, const struct fx_tx *tx)
{
    pool_kit_mine(&s->k, &tx, 1);
    s->at.coin.height = fx_chain_tip(s->k.kit.chain)->height;
}

static void take_and_mine(struct scene *s, struct fx_tx *tx)
{
    mine(s, pool_kit_take(&s->k, tx));
}

/* A claimed task, confirmed. */
static void begin(struct scene *s, bool wrong)
{
    memset(s, 0, sizeof(*s));
    pool_kit_open(&s->k, 200);
    s->k.kit.fee = FEE;
    s->k.kit.job.spec.window = 1;
    s->next_coin = 1;
    struct kit_coin coin = take_coin(s), bond = take_coin(s);
    struct fx_tx *fund = kit_fund(&s->k.kit, &coin, ESCROW);
    kit_task_init(&s->at, &s->k.kit, fund, 0);
    take_and_mine(s, fund);
    take_and_mine(s, kit_task_claim(&s->at, &bond, BURN, wrong));
}

static void end(struct scene *s)
{
    kit_task_clear(&s->at);
    pool_kit_close(&s->k);
}

static int64_t burned_by(struct scene *s, const struct fx_tx *tx)
{
    struct fx_mempool_entry entry;
    FX_CHECK(fx_mempool_entry(s->k.pool, &tx->txid, &entry));
    FX_CHECK_INT(entry.fee, entry.burned + FEE);
    return entry.burned;
}

/* The record as it stands after the pool. */
static struct fx_task_record record(struct scene *s)
{
    struct fx_view view;
    struct fx_task_record found;
    fx_mempool_view(s->k.pool, &view);
    FX_CHECK_INT(view.record(view.ctx, &s->at.task.origin, &found), FX_FOUND);
    return found;
}

FX_TEST(a_dispute_goes_through_the_pool)
{
    struct scene s;
    begin(&s, true);
    struct kit_coin deposit = take_coin(&s), bond = take_coin(&s), fee = take_coin(&s);
    struct fx_tx *challenge = kit_task_challenge(&s.at, &deposit);
    const struct fx_tx *in_pool = pool_kit_take(&s.k, challenge);
    FX_CHECK_INT(burned_by(&s, in_pool), 0);
    FX_CHECK_INT(record(&s).state, FX_TASK_CHALLENGED);
    FX_CHECK_INT(record(&s).asked, 1);
    mine(&s, in_pool);

    in_pool = pool_kit_take(&s.k, kit_task_answer(&s.at, &fee));
    FX_CHECK(fx_tx_weight(in_pool) > 65536);
    FX_CHECK_INT(burned_by(&s, in_pool), FX_DEPOSIT);
    FX_CHECK_INT(record(&s).state, FX_TASK_CLAIMED);
    mine(&s, in_pool);

    in_pool = pool_kit_take(&s.k, kit_task_fraud(&s.at));
    FX_CHECK_INT(burned_by(&s, in_pool), ESCROW / 2);
    FX_CHECK_INT(record(&s).state, FX_TASK_FUNDED);
    FX_CHECK_INT(record(&s).asked, 1);
    /* Another solver need not wait for the block. */
    s.at.coin.height = fx_chain_tip(s.k.kit.chain)->height + 1;
    const struct fx_tx *claim = pool_kit_take(&s.k, kit_task_claim(&s.at, &bond, BURN, false));
    FX_CHECK_INT(record(&s).state, FX_TASK_CLAIMED);
    FX_CHECK_INT(record(&s).asked, 0);
    const struct fx_tx *both[2] = {in_pool, claim};
    pool_kit_mine(&s.k, both, 2);
    FX_CHECK_INT(record(&s).state, FX_TASK_CLAIMED);
    end(&s);
}

/* The deposit that an answer burns is no part of its fee, and must not be missing. */
FX_TEST(an_answer_pays_its_own_fee)
{
    struct scene s;
    begin(&s, false);
    struct kit_coin deposit = take_coin(&s), fee = take_coin(&s);
    take_and_mine(&s, kit_task_challenge(&s.at, &deposit));
    const struct kit_task challenged = s.at;
    static const struct {
        int64_t fee; /* beside the deposit */
        const char *why;
    } cases[] = {{-1, "bad-task-burn-fee"}, {0, "min relay fee not met"}, {FEE, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        s.at = challenged;
        s.k.kit.fee = cases[i].fee;
        struct fx_tx *answer = kit_task_answer(&s.at, &fee);
        FX_CHECK_STR(pool_kit_submit(&s.k, answer), cases[i].why);
        fx_tx_unref(answer);
    }
    FX_CHECK_INT(record(&s).state, FX_TASK_CLAIMED);
    end(&s);
}

/* More wait than a block has places for: what it takes to stand before the last that has one. */
FX_TEST(challenges_bid_for_their_places)
{
    enum { WAITING = FX_BLOCK_CHALLENGES_MAX + 1 };
    struct scene s;
    begin(&s, false);
    struct kit_task at[WAITING];
    int64_t rates[WAITING];
    for (size_t i = 0; i < WAITING; i++) {
        struct kit_coin coin = take_coin(&s), bond = take_coin(&s);
        struct fx_tx *fund = kit_fund(&s.k.kit, &coin, ESCROW);
        kit_task_init(&at[i], &s.k.kit, fund, 0);
        const struct fx_tx *in_pool = pool_kit_take(&s.k, fund);
        pool_kit_mine(&s.k, &in_pool, 1);
        at[i].coin.height = fx_chain_tip(s.k.kit.chain)->height;
        in_pool = pool_kit_take(&s.k, kit_task_claim(&at[i], &bond, BURN, false));
        pool_kit_mine(&s.k, &in_pool, 1);
        at[i].coin.height = fx_chain_tip(s.k.kit.chain)->height;
    }
    int64_t least = fx_mempool_estimate(s.k.pool, 1);
    for (size_t i = 0; i < WAITING; i++) {
        /* Each pays less than the one before. */
        s.k.kit.fee = FEE - 1000 * (int64_t)i;
        struct kit_coin deposit = take_coin(&s);
        const struct fx_tx *in_pool = pool_kit_take(&s.k, kit_task_challenge(&at[i], &deposit));
        rates[i] = s.k.kit.fee * 1000 / (int64_t)fx_tx_vsize(in_pool);
        bool full = i + 1 >= FX_BLOCK_CHALLENGES_MAX;
        FX_CHECK_INT(fx_mempool_estimate_challenge(s.k.pool, 1),
                     full ? rates[FX_BLOCK_CHALLENGES_MAX - 1] + 1 : least);
        FX_CHECK_INT(fx_mempool_estimate_challenge(s.k.pool, 2), least);
        FX_CHECK_INT(fx_mempool_estimate(s.k.pool, 1), least);
        kit_task_clear(&at[i]);
    }
    end(&s);
}

/* A client that asks and a solver that settles are after one output. */
FX_TEST(a_challenge_and_a_settlement_replace_each_other)
{
    struct scene s;
    begin(&s, false);
    struct kit_coin deposit = take_coin(&s);
    struct kit_task claimed = s.at, taken = s.at;
    const struct fx_tx *accept = pool_kit_take(&s.k, kit_task_accept(&taken));
    FX_CHECK_INT(burned_by(&s, accept), BURN);
    FX_CHECK(!record(&s).live);
    /* What is burned counts for nothing. */
    struct fx_tx *same_fee = kit_task_challenge(&s.at, &deposit);
    FX_CHECK_STR(pool_kit_submit(&s.k, same_fee), "insufficient fee");
    fx_tx_unref(same_fee);
    s.at = claimed;
    s.k.kit.fee = 3 * FEE;
    struct fx_tx *challenge = kit_task_challenge(&s.at, &deposit);
    FX_CHECK_STR(pool_kit_submit(&s.k, challenge), "");
    FX_CHECK_INT(pool_kit_count(&s.k), 1);
    FX_CHECK_INT(s.k.removed[FX_REMOVED_REPLACED], 1);
    FX_CHECK(record(&s).live);
    FX_CHECK_INT(record(&s).state, FX_TASK_CHALLENGED);
    fx_tx_unref(challenge);
    end(&s);
}

/* The block brings another spend of the output than the pool had. */
FX_TEST(a_mined_rival_ends_a_dispute)
{
    struct scene s;
    begin(&s, true);
    struct kit_task accepted = s.at;
    struct kit_coin bond = take_coin(&s);
    const struct fx_tx *fraud = pool_kit_take(&s.k, kit_task_fraud(&s.at));
    s.at.coin.height = fx_chain_tip(s.k.kit.chain)->height + 1;
    pool_kit_take(&s.k, kit_task_claim(&s.at, &bond, BURN, false));
    FX_CHECK_INT(pool_kit_count(&s.k), 2);
    struct kit_block spec = {
        .value = -1, .fees = FEE, .txs = {kit_task_accept(&accepted)}, .n_txs = 1};
    fraud = fx_tx_ref(fraud);
    const struct fx_index *block = kit_mine(&s.k.kit, &spec);
    FX_CHECK_INT(pool_kit_count(&s.k), 0);
    FX_CHECK_INT(record(&s).settled, block->height);
    FX_CHECK_STR(pool_kit_submit(&s.k, fraud), "bad-txns-inputs-missingorspent");
    /* The block is lost: the settlement waits again, and keeps the proof out. */
    FX_CHECK(fx_chain_invalidate(s.k.kit.chain, block));
    FX_CHECK_INT(pool_kit_count(&s.k), 1);
    FX_CHECK(!record(&s).live);
    FX_CHECK_STR(pool_kit_submit(&s.k, fraud), "insufficient fee");
    fx_tx_unref(fraud);
    end(&s);
}

/* What a spend may do depends on the height: the pool asks again at each tip. */
FX_TEST(expiry_comes_and_goes_with_the_tip)
{
    struct scene s;
    begin(&s, false);
    for (unsigned i = 0; i < 59; i++) {
        struct kit_block spec = {.value = -1, .wait = 200};
        kit_mine(&s.k.kit, &spec);
    }
    struct fx_tx *expire = kit_task_expire(&s.at);
    /* The beacon is the block above the claim: at the next height it is 59 deep. */
    FX_CHECK_STR(pool_kit_submit(&s.k, expire), "bad-task-locktime");
    const struct fx_index *last = kit_mine_empty(&s.k.kit, 1);
    FX_CHECK_STR(pool_kit_submit(&s.k, expire), "");
    FX_CHECK_INT(record(&s).state, FX_TASK_FUNDED);
    FX_CHECK(fx_chain_invalidate(s.k.kit.chain, last));
    FX_CHECK_INT(pool_kit_count(&s.k), 0);
    FX_CHECK_INT(record(&s).state, FX_TASK_CLAIMED);
    fx_tx_unref(expire);
    end(&s);
}
