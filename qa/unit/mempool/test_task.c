/* Task spends in the pool: records, rivals, descendants, and what blocks change. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/mempool/pool_kit.h"
#include "src/mempool/mempool_int.h"

#define ESCROW INT64_C(10000000)
#define BURN INT64_C(4000000)

/* How often all records were made from all entries; the linker puts this before the real one. */
static unsigned builds;

void __real_fx_pool_records_build(struct fx_mempool *pool, struct fx_map *records);
void __wrap_fx_pool_records_build(struct fx_mempool *pool, struct fx_map *records);

void __wrap_fx_pool_records_build(struct fx_mempool *pool, struct fx_map *records)
{
    builds++;
    __real_fx_pool_records_build(pool, records);
}

struct scene {
    struct pool_kit k;
    struct fx_tx *fund;
    struct fx_outpoint origin;
    uint32_t h0;
    struct kit_coin bond, other_bond;
};

/* A funded task, confirmed. */
static void begin(struct scene *s)
{
    memset(s, 0, sizeof(*s));
    pool_kit_open(&s->k, 110);
    struct kit_coin coin = kit_coinbase(&s->k.kit, 1);
    s->bond = kit_coinbase(&s->k.kit, 2);
    s->other_bond = kit_coinbase(&s->k.kit, 3);
    s->fund = kit_fund(&s->k.kit, &coin, ESCROW);
    s->origin = (struct fx_outpoint){.txid = s->fund->txid};
    const struct fx_tx *in_pool = pool_kit_take(&s->k, fx_tx_ref(s->fund));
    s->h0 = fx_chain_tip(s->k.kit.chain)->height + 1;
    pool_kit_mine(&s->k, &in_pool, 1);
}

static void end(struct scene *s)
{
    fx_tx_unref(s->fund);
    pool_kit_close(&s->k);
}

/* The state of the task's record after the pool; -1: none. */
static int record_state(struct scene *s, const struct fx_tx *names)
{
    struct fx_view view;
    struct fx_task_record record;
    fx_mempool_view(s->k.pool, &view);
    enum fx_lookup found = view.record(view.ctx, &s->origin, &record);
    if (found == FX_MISSING) {
        return -1;
    }
    FX_CHECK_INT(found, FX_FOUND);
    if (names) {
        FX_CHECK(record.live && fx_hash_equal(&record.outpoint.txid, &names->txid));
    }
    return record.live ? (int)record.state : 100;
}

FX_TEST(a_claim_waits_for_its_task_to_confirm)
{
    struct pool_kit k;
    pool_kit_open(&k, 110);
    struct kit_coin coin = kit_coinbase(&k.kit, 1), bond = kit_coinbase(&k.kit, 2);
    struct fx_tx *fund = kit_fund(&k.kit, &coin, ESCROW);
    const struct fx_tx *in_pool = pool_kit_take(&k, fx_tx_ref(fund));
    struct fx_tx *claim = kit_claim(&k.kit, fund, 111, &bond, BURN);
    FX_CHECK_STR(pool_kit_submit(&k, claim), "bad-task-locktime");
    pool_kit_mine(&k, &in_pool, 1);
    FX_CHECK_STR(pool_kit_submit(&k, claim), "");
    fx_tx_unref(claim);
    fx_tx_unref(fund);
    pool_kit_close(&k);
}

FX_TEST(records_follow_the_pool)
{
    struct scene s;
    struct fx_mempool_entry entry;
    begin(&s);
    FX_CHECK_INT(record_state(&s, NULL), -1);
    struct fx_tx *claim = kit_claim(&s.k.kit, s.fund, s.h0, &s.bond, BURN);
    pool_kit_take(&s.k, fx_tx_ref(claim));
    FX_CHECK_INT(record_state(&s, claim), FX_TASK_CLAIMED);
    struct fx_tx *accept = kit_accept_claim(&s.k.kit, s.fund, claim, s.h0 + 1, BURN);
    const struct fx_tx *in_pool = pool_kit_take(&s.k, fx_tx_ref(accept));
    FX_CHECK_INT(record_state(&s, NULL), 100);
    FX_CHECK(fx_mempool_entry(s.k.pool, &accept->txid, &entry));
    FX_CHECK_INT(entry.burned, BURN);
    FX_CHECK_INT(entry.fee, BURN + 1000);
    FX_CHECK_INT(entry.ancestor_fees, 2000);

    /* The claim has its one descendant. */
    struct kit_coin change = kit_output(claim, 1, s.h0 + 1);
    struct fx_tx *too_much = kit_pay(&s.k.kit, &change, 1, 1000);
    FX_CHECK_STR(pool_kit_submit(&s.k, too_much), "too-long-mempool-chain");
    fx_tx_unref(too_much);

    const struct fx_tx *both[2] = {fx_mempool_get(s.k.pool, &claim->txid), in_pool};
    pool_kit_mine(&s.k, both, 2);
    FX_CHECK_INT(pool_kit_count(&s.k), 0);
    FX_CHECK_INT(record_state(&s, NULL), 100);
    fx_tx_unref(claim);
    fx_tx_unref(accept);
    end(&s);
}

FX_TEST(a_mined_claim_keeps_what_spends_it)
{
    struct scene s;
    begin(&s);
    struct fx_tx *claim = kit_claim(&s.k.kit, s.fund, s.h0, &s.bond, BURN);
    const struct fx_tx *in_pool = pool_kit_take(&s.k, fx_tx_ref(claim));
    struct fx_tx *accept = kit_accept_claim(&s.k.kit, s.fund, claim, s.h0 + 1, BURN);
    pool_kit_take(&s.k, fx_tx_ref(accept));
    pool_kit_mine(&s.k, &in_pool, 1);
    const struct fx_index *mined = fx_chain_tip(s.k.kit.chain);
    FX_CHECK(pool_kit_has(&s.k, accept));
    FX_CHECK_INT(record_state(&s, NULL), 100);
    /* And back: claim and settlement are both in the pool, in this order. */
    FX_CHECK(fx_chain_invalidate(s.k.kit.chain, mined));
    FX_CHECK_INT(pool_kit_count(&s.k), 2);
    FX_CHECK(pool_kit_has(&s.k, claim) && pool_kit_has(&s.k, accept));
    FX_CHECK_INT(record_state(&s, NULL), 100);
    /* Without the block of the task's funding nothing of it is left but the funding. */
    FX_CHECK(fx_chain_invalidate(s.k.kit.chain, fx_chain_at(s.k.kit.chain, s.h0)));
    FX_CHECK_INT(pool_kit_count(&s.k), 1);
    FX_CHECK(pool_kit_has(&s.k, s.fund));
    FX_CHECK_INT(record_state(&s, NULL), -1);
    fx_tx_unref(claim);
    fx_tx_unref(accept);
    end(&s);
}

/* Anybody may have stripped it: that says nothing of the whole one, nor of who sends it. */
FX_TEST(a_task_spend_without_its_witness_blames_nobody)
{
    struct scene s;
    struct fx_accept out;
    struct fx_txb b;
    begin(&s);
    struct fx_tx *claim = kit_claim(&s.k.kit, s.fund, s.h0, &s.bond, BURN);
    fx_txb_from_tx(&b, claim);
    for (size_t i = 0; i < b.n_in; i++) {
        fx_txb_clear_witness(&b, i);
    }
    struct fx_tx *stripped = fx_txb_build(&b);
    fx_mempool_accept(s.k.pool, stripped, false, &out);
    FX_CHECK_STR(out.reason, "bad-task-witness");
    FX_CHECK_INT(out.refusal, FX_REFUSAL_STRIPPED);
    FX_CHECK_STR(pool_kit_submit(&s.k, claim), "");
    fx_txb_clear(&b);
    fx_tx_unref(stripped);
    fx_tx_unref(claim);
    end(&s);
}

FX_TEST(rival_claims_replace_each_other)
{
    struct scene s;
    begin(&s);
    struct fx_tx *claim = kit_claim(&s.k.kit, s.fund, s.h0, &s.bond, BURN);
    pool_kit_take(&s.k, fx_tx_ref(claim));
    struct fx_tx *accept = kit_accept_claim(&s.k.kit, s.fund, claim, s.h0 + 1, BURN);
    pool_kit_take(&s.k, fx_tx_ref(accept));

    struct fx_tx *equal = kit_claim(&s.k.kit, s.fund, s.h0, &s.other_bond, BURN);
    FX_CHECK_STR(pool_kit_submit(&s.k, equal), "insufficient fee");
    s.k.kit.fee = 5000;
    struct fx_tx *better = kit_claim(&s.k.kit, s.fund, s.h0, &s.other_bond, BURN);
    FX_CHECK_STR(pool_kit_submit(&s.k, better), "");
    FX_CHECK_INT(pool_kit_count(&s.k), 1);
    FX_CHECK_INT(record_state(&s, better), FX_TASK_CLAIMED);
    FX_CHECK_INT(s.k.removed[FX_REMOVED_REPLACED], 2);
    FX_CHECK_STR(pool_kit_submit(&s.k, accept), "bad-txns-inputs-missingorspent");

    /* The loser is mined: the winner's record goes with it. */
    struct kit_block spec = {.value = -1, .fees = 1000, .txs = {fx_tx_ref(claim)}, .n_txs = 1};
    kit_mine(&s.k.kit, &spec);
    FX_CHECK_INT(pool_kit_count(&s.k), 0);
    FX_CHECK_INT(record_state(&s, claim), FX_TASK_CLAIMED);
    s.k.kit.fee = 1000;
    FX_CHECK_STR(pool_kit_submit(&s.k, accept), "");
    fx_tx_unref(claim);
    fx_tx_unref(accept);
    fx_tx_unref(equal);
    fx_tx_unref(better);
    end(&s);
}

/* Takes out all that is in the pool, as if it had grown too large. */
static void evict_all(struct scene *s)
{
    unsigned before = builds;
    s->k.pool->max_bytes = 0;
    fx_pool_trim(s->k.pool);
    fx_pool_reap(s->k.pool);
    s->k.pool->max_bytes = FX_MEMPOOL_MAX_BYTES_DEFAULT;
    s->k.pool->rolling_rate = 0;
    FX_CHECK_INT(builds, before);
    FX_CHECK_INT(pool_kit_count(&s->k), 0);
}

/* What leaves takes its own changes back, and costs no walk of the pool, which may be large: not
 * where it is evicted, nor where others try to replace it. */
FX_TEST(records_go_back_without_a_walk_of_the_pool)
{
    struct scene s;
    begin(&s);
    struct fx_tx *claim = kit_claim(&s.k.kit, s.fund, s.h0, &s.bond, BURN);
    struct fx_tx *accept = kit_accept_claim(&s.k.kit, s.fund, claim, s.h0 + 1, BURN);
    pool_kit_take(&s.k, fx_tx_ref(claim));
    pool_kit_take(&s.k, fx_tx_ref(accept));
    evict_all(&s);
    FX_CHECK_INT(record_state(&s, NULL), -1);

    pool_kit_take(&s.k, fx_tx_ref(claim));
    pool_kit_take(&s.k, fx_tx_ref(accept));
    unsigned before = builds;
    struct fx_tx *equal = kit_claim(&s.k.kit, s.fund, s.h0, &s.other_bond, BURN);
    FX_CHECK_STR(pool_kit_submit(&s.k, equal), "insufficient fee");
    FX_CHECK_INT(record_state(&s, NULL), 100);
    s.k.kit.fee = 5000;
    struct fx_tx *better = kit_claim(&s.k.kit, s.fund, s.h0, &s.other_bond, BURN);
    FX_CHECK_STR(pool_kit_submit(&s.k, better), "");
    FX_CHECK_INT(record_state(&s, better), FX_TASK_CLAIMED);
    FX_CHECK_INT(builds, before);
    evict_all(&s);
    FX_CHECK_INT(record_state(&s, NULL), -1);

    /* Of a claim that is mined the record stays. */
    struct kit_block spec = {.value = -1, .fees = 1000, .txs = {fx_tx_ref(claim)}, .n_txs = 1};
    kit_mine(&s.k.kit, &spec);
    pool_kit_take(&s.k, fx_tx_ref(accept));
    FX_CHECK_INT(record_state(&s, NULL), 100);
    evict_all(&s);
    FX_CHECK_INT(record_state(&s, claim), FX_TASK_CLAIMED);
    fx_tx_unref(claim);
    fx_tx_unref(accept);
    fx_tx_unref(equal);
    fx_tx_unref(better);
    end(&s);
}
