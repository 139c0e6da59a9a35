/* The conditions of claim, each violated alone, and exclusivity. */
#include "consensus/spend.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/consensus/spend_case.h"

static void claim_with(struct fx_spend_case *s, uint64_t escrow, uint64_t bond, uint64_t burn)
{
    s->next.escrow = escrow;
    s->next.bond = bond;
    s->next.burn = burn;
    s->paid = (int64_t)(escrow + bond);
    fx_case_set_claim_item(s);
}

FX_TEST(claim_height)
{
    BREAK(fx_case_begin_claim, s.height = H0, "bad-task-locktime");
    BREAK(fx_case_begin_claim, s.height = H0 - 1, "bad-task-locktime");
    KEEP(fx_case_begin_claim, s.height = H0 + 1);
    /* Also where the task is exclusive: no beacon can be there yet. */
    BREAK(fx_case_begin_claim,
          (s.height = H0, s.scene.tip = H0 - 1, s.job.spec.exclusive = 10, fx_case_sync_spec(&s),
           s.next.spec = s.task.spec),
          "bad-task-locktime");
}

FX_TEST(claim_amounts)
{
    const uint64_t max = UINT64_C(4204800000000000);

    BREAK(fx_case_begin_claim, claim_with(&s, ESCROW - 1, BOND, BURN), "bad-task-amount");
    BREAK(fx_case_begin_claim, claim_with(&s, ESCROW + 1, BOND + 1, BURN), "bad-task-amount");
    BREAK(fx_case_begin_claim, claim_with(&s, ESCROW, BOND, ESCROW + 1), "bad-task-amount");
    KEEP(fx_case_begin_claim, claim_with(&s, ESCROW, BOND, ESCROW));
    KEEP(fx_case_begin_claim, claim_with(&s, ESCROW, BOND, 0));
    BREAK(fx_case_begin_claim, claim_with(&s, ESCROW, max + 1, 0), "bad-task-amount");
    BREAK(fx_case_begin_claim, claim_with(&s, ESCROW, UINT64_MAX, 0), "bad-task-amount");
    BREAK(fx_case_begin_claim, claim_with(&s, UINT64_MAX, BOND, 0), "bad-task-amount");
    BREAK(fx_case_begin_claim, claim_with(&s, ESCROW, BOND, UINT64_MAX), "bad-task-amount");
    /* escrow + bond is bounded as well as each. */
    FX_CHECK_INT(fx_params_get(FX_REGTEST)->max_money, max);
    KEEP(fx_case_begin_claim, claim_with(&s, ESCROW, max - ESCROW, 0));
    BREAK(fx_case_begin_claim, claim_with(&s, ESCROW, max - ESCROW + 1, 0), "bad-task-amount");
}

FX_TEST(claim_bond)
{
    KEEP(fx_case_begin_claim, claim_with(&s, ESCROW, ESCROW / 4, 0));
    BREAK(fx_case_begin_claim, claim_with(&s, ESCROW, ESCROW / 4 - 1, 0), "bad-task-bond");
    KEEP(fx_case_begin_claim, claim_with(&s, ESCROW, ESCROW, 0));
    /* 4 * bond against an escrow that four does not divide. */
    KEEP(fx_case_begin_claim, (s.value = ESCROW + 1, claim_with(&s, ESCROW + 1, BOND + 1, 0)));
    BREAK(fx_case_begin_claim, (s.value = ESCROW + 1, claim_with(&s, ESCROW + 1, BOND, 0)),
          "bad-task-bond");
    KEEP(fx_case_begin_claim, (s.value = 100, claim_with(&s, 100, FX_DEPOSIT, 0)));
    BREAK(fx_case_begin_claim, (s.value = 100, claim_with(&s, 100, FX_DEPOSIT - 1, 0)),
          "bad-task-bond");
}

FX_TEST(claim_pair)
{
    BREAK(fx_case_begin_claim, s.paid--, "bad-task-pair");
    KEEP(fx_case_begin_claim, s.paid++);
    BREAK(fx_case_begin_claim, s.wrong_pair = true, "bad-task-pair");
    BREAK(fx_case_begin_claim, s.no_pair = true, "bad-task-pair");
    BREAK(fx_case_begin_claim, s.no_second_output = true, "bad-task-pair");
    /* The output pays to other fields than the witness has. */
    BREAK(fx_case_begin_claim, s.next.burn--, "bad-task-pair");
    BREAK(fx_case_begin_claim, s.next.result.b[0] ^= 1, "bad-task-pair");
    BREAK(fx_case_begin_claim, s.next.origin = fx_scene_outpoint(9), "bad-task-pair");
    BREAK(fx_case_begin_claim, s.next.index = 0, "bad-task-pair");
    BREAK(fx_case_begin_claim, s.next.state = FX_TASK_FUNDED, "bad-task-pair");
}

/* Job-lane blocks at these heights, each of a solver with key 100 + its number. */
static void job_blocks(struct fx_spend_case *s, const uint32_t *heights, size_t n)
{
    for (size_t at = 0; at < n; at++) {
        struct fx_test_key key;

        fx_test_key(100 + (unsigned)at, &key);
        s->scene.lane[heights[at]] = FX_LANE_JOB;
        s->scene.solver[heights[at]] = key.xonly;
    }
}

static void exclusive(struct fx_spend_case *s, uint16_t blocks, uint32_t height)
{
    s->job.spec.exclusive = blocks;
    fx_case_sync_spec(s);
    s->next.spec = s->task.spec;
    s->height = height;
    s->scene.tip = height - 1;
}

/* The claim is made by this key. */
static void claimed_by(struct fx_spend_case *s, unsigned key)
{
    fx_test_key(key, &s->solver);
    s->signer = s->solver;
    s->next.solver = s->solver.xonly;
    fx_case_set_claim_item(s);
}

/* Number of the assignee among n, by the rule's words. */
static unsigned assignee(const struct fx_spend_case *s, uint32_t beacon_height, unsigned n)
{
    struct fx_hash beacon, hash;
    struct fx_outpoint origin = fx_scene_outpoint(1);

    (void)s;
    fx_scene_id(beacon_height, &beacon);
    fx_task_assign_hash(&beacon, &origin, &hash);
    return (unsigned)(fx_load_u64(hash.b) % n);
}

FX_TEST(exclusive_to_the_assignee)
{
    static const uint32_t heights[] = {H0 - 400, H0 - 30, H0 - 29, H0 - 1, H0};

    for (unsigned at = 0; at < 5; at++) {
        struct fx_spend_case s;

        fx_case_begin_claim(&s);
        exclusive(&s, 10, H0 + 10);
        job_blocks(&s, heights, 5);
        claimed_by(&s, 100 + at);
        if (at == assignee(&s, H0 + 1, 5)) {
            CHECK_VALID(&s);
        } else {
            CHECK_REFUSED(&s, "bad-task-exclusive");
            /* It ends after so many blocks. */
            s.height = H0 + 11;
            CHECK_VALID(&s);
        }
        fx_case_end(&s);
    }
}

FX_TEST(exclusivity_looks_back_2016_blocks)
{
    static const uint32_t heights[] = {2500 - 2016, 2500 - 2015, 2500, 2501};
    struct fx_spend_case s;

    /* Of these four, the first is too old and the last too young: two are left. */
    for (unsigned key = 100; key < 104; key++) {
        fx_case_begin_claim(&s);
        s.coin_height = 2500;
        exclusive(&s, 144, 2600);
        job_blocks(&s, heights, 4);
        claimed_by(&s, key);
        if (key == 101 + assignee(&s, 2502, 2)) {
            CHECK_VALID(&s);
        } else {
            CHECK_REFUSED(&s, "bad-task-exclusive");
        }
        fx_case_end(&s);
    }
}

FX_TEST(exclusivity_from_genesis_on)
{
    static const uint32_t heights[] = {1, 2};

    for (unsigned key = 100; key < 102; key++) {
        struct fx_spend_case s;

        fx_case_begin_claim(&s);
        s.coin_height = 2;
        exclusive(&s, 10, 5);
        job_blocks(&s, heights, 2);
        claimed_by(&s, key);
        if (key == 100 + assignee(&s, 3, 2)) {
            CHECK_VALID(&s);
        } else {
            CHECK_REFUSED(&s, "bad-task-exclusive");
        }
        fx_case_end(&s);
    }
}

FX_TEST(exclusivity_needs_the_beacon)
{
    uint32_t above[20];
    struct fx_spend_case t;

    for (uint32_t at = 0; at < 20; at++) {
        above[at] = H0 + 1 + at;
    }
    /* No job-lane block up to h0, so anyone may, but not before the beacon. */
    fx_case_begin_claim(&t);
    exclusive(&t, 10, H0 + 5);
    CHECK_VALID(&t);
    job_blocks(&t, above, 4);
    CHECK_REFUSED(&t, "bad-task-exclusive");
    t.height = H0 + 10;
    CHECK_REFUSED(&t, "bad-task-exclusive");
    t.height = H0 + 11;
    CHECK_VALID(&t);
    fx_case_end(&t);
    /* Right after h0 nothing can lie between. */
    fx_case_begin_claim(&t);
    exclusive(&t, 10, H0 + 1);
    CHECK_REFUSED(&t, "bad-task-exclusive");
    fx_case_end(&t);
    KEEP(fx_case_begin_claim, exclusive(&s, 0, H0 + 1));
}

FX_TEST(look_ups_of_claims_that_fail)
{
    struct fx_spend_case s;

    fx_case_begin_claim(&s);
    exclusive(&s, 10, H0 + 10);
    s.scene.fail_beacon = true;
    FX_CHECK_INT(fx_case_run(&s), FX_FAILED);
    s.scene.fail_beacon = false;
    CHECK_VALID(&s);
    s.scene.fail_ancestor = true;
    FX_CHECK_INT(fx_case_run(&s), FX_FAILED);
    fx_case_end(&s);
}
