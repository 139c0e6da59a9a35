/* Spending task outputs: what all actions share, refund, accept and take, each condition violated
 * alone; claim stands in test_spend_claim.c, the rest in test_spend_dispute.c. */
#include "consensus/spend.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/consensus/spend_case.h"

/* ---- what all actions share ---------------------------------------------------------------- */

FX_TEST(each_action_as_it_should_be)
{
    struct fx_outpoint origin = fx_scene_outpoint(1);

    for (unsigned number = 0; number < FX_CASES; number++) {
        struct fx_spend_case s;

        fx_case_begin_any(&s, number);
        CHECK_VALID(&s);
        FX_CHECK_INT(s.spent.action, s.action);
        FX_CHECK(number >= FX_ACTIONS || s.spent.action == number);
        FX_CHECK(fx_outpoint_equal(&s.spent.origin, &origin));
        fx_case_end(&s);
    }
}

FX_TEST(witnesses)
{
    BREAK_ANY(s.script_sig = true, "bad-task-witness");
    BREAK_ANY(s.no_witness = true, "bad-task-witness");
    BREAK_ANY(s.action_bytes = 0, "bad-task-witness");
    BREAK_ANY(s.action_bytes = 2, "bad-task-witness");
    BREAK_SIGNED(s.signature_bytes = 0, "bad-task-witness");
    BREAK_ANY(s.signature_bytes = 63, "bad-task-witness");
    BREAK_ANY(s.signature_bytes = 65, "bad-task-witness");
    BREAK_ANY(s.no_signature = true, "bad-task-witness");
    BREAK_ANY(s.n_items++, "bad-task-witness");
    BREAK_ANY(s.action = 9, "bad-task-witness");
    BREAK_ANY(s.action = 255, "bad-task-witness");
    BREAK(fx_case_begin_claim, s.n_items--, "bad-task-witness");
    BREAK(fx_case_begin_accept, s.n_items--, "bad-task-witness");
    BREAK(fx_case_begin_take, s.n_items--, "bad-task-witness");
    BREAK(fx_case_begin_fraud, s.n_items--, "bad-task-witness");
    BREAK(fx_case_begin_challenge, s.n_items--, "bad-task-witness");
    BREAK(fx_case_begin_answer, s.n_items--, "bad-task-witness");
    BREAK(fx_case_begin_claim, s.items[0].len--, "bad-task-witness");
    BREAK(fx_case_begin_claim, fx_buf_u8(&s.items[0], 0), "bad-task-witness");
    BREAK(fx_case_begin_accept, s.items[0].len--, "bad-task-witness");
    BREAK(fx_case_begin_accept, fx_buf_u8(&s.items[0], 0), "bad-task-witness");
}

/* Which states an action spends; 3 is none. */
static bool spends(uint8_t action, unsigned state)
{
    switch ((enum fx_task_action)action) {
    case FX_ACTION_REFUND:
    case FX_ACTION_CLAIM:
        return state == FX_TASK_FUNDED;
    case FX_ACTION_ACCEPT:
    case FX_ACTION_TAKE:
    case FX_ACTION_CHALLENGE:
    case FX_ACTION_REJECT:
        return state == FX_TASK_CLAIMED;
    case FX_ACTION_ANSWER:
        return state == FX_TASK_CHALLENGED;
    case FX_ACTION_FRAUD:
    case FX_ACTION_EXPIRE:
        return state == FX_TASK_CLAIMED || state == FX_TASK_CHALLENGED;
    }
    return false;
}

FX_TEST(actions_from_other_states)
{
    for (unsigned number = 0; number < FX_CASES; number++) {
        for (uint8_t state = 0; state <= 3; state++) {
            struct fx_spend_case s;

            fx_case_begin_any(&s, number);
            if (!spends(s.action, state)) {
                s.task.state = state;
                CHECK_REFUSED(&s, "bad-task-witness");
            }
            fx_case_end(&s);
        }
    }
    /* The record of a claimed output does not make up for it. */
    BREAK(fx_case_begin_accept,
          (s.action = s.sign_as = FX_ACTION_CLAIM, fx_case_solve(&s, &s.next),
           fx_case_set_claim_item(&s)),
          "bad-task-witness");
    BREAK(fx_case_begin_claimed,
          (s.action = s.sign_as = FX_ACTION_REFUND, s.signer = s.client,
           s.lock_time = s.job.spec.deadline),
          "bad-task-witness");
}

FX_TEST(programs)
{
    BREAK_ANY(s.wrong_program = true, "bad-task-program");
    BREAK_ANY((fx_task_write(&s.task, &s.preimage), s.preimage.data[50] ^= 1), "bad-task-program");
}

/* An output that pays to the hash of these bytes. */
static struct fx_result_pair {
    enum fx_result result;
    enum fx_verdict why;
} spend_raw(struct fx_spend_case *s, const uint8_t *bytes, size_t n)
{
    struct fx_span span = {bytes, n};
    struct fx_hash program, hash;
    struct fx_outpoint other = fx_scene_outpoint(77);
    struct fx_coin coins[2];
    struct fx_sighash_cache cache;
    struct fx_spend_context ctx;
    uint8_t script[FX_TASK_SCRIPT_SIZE];
    struct fx_txout out = {.value = ESCROW, .script = {script, sizeof(script)}};
    struct fx_txb b;
    struct fx_tx *tx;
    struct fx_result_pair got;

    fx_task_program(span, &program);
    fx_task_script(&program, script);
    fx_coin_set(&coins[0], &out, s->coin_height, false);
    fx_coin_set(&coins[1], &out, s->coin_height, false);
    fx_txb_init(&b);
    b.lock_time = s->lock_time;
    fx_txb_add_in(&b, &other, 0);
    fx_txb_add_in(&b, &s->outpoint, s->sequence);
    fx_txb_add_out(&b, 1, script, sizeof(script));
    fx_buf_bytes(&s->preimage, bytes, n);
    fx_case_add_witness(s, &b);
    tx = fx_txb_build(&b);
    fx_sighash_cache_init(&cache, tx, coins);
    fx_sighash_task(tx, IN, coins, s->sign_as, &cache, &hash);
    fx_test_sign(&s->signer, &hash, s->signature);
    fx_tx_unref(tx);
    fx_case_add_witness(s, &b);
    tx = fx_txb_build(&b);
    ctx.params = &s->params;
    ctx.view = &s->scene.view;
    ctx.height = s->height;
    ctx.tx = tx;
    ctx.spent = coins;
    ctx.cache = &cache;
    got.result = fx_connect_spend(&ctx, IN, &s->delta, NULL, &got.why);
    fx_tx_unref(tx);
    fx_txb_clear(&b);
    fx_coin_clear(&coins[0]);
    fx_coin_clear(&coins[1]);
    return got;
}

FX_TEST(refund_of_any_bytes_with_a_head)
{
    for (size_t n = 0; n <= 120; n++) {
        struct fx_spend_case s;
        struct fx_buf full = FX_BUF_INIT;
        struct fx_result_pair got;
        uint8_t bytes[120] = {0};

        fx_case_begin_refund(&s);
        fx_task_write(&s.task, &full);
        memcpy(bytes, full.data, 75 + 4); /* up to the end of the spec's head; no true body */
        got = spend_raw(&s, bytes, n);
        FX_CHECK_INT(got.result, n >= 83 ? FX_VALID : FX_INVALID);
        if (n < 83) {
            FX_CHECK_STR(fx_verdict_string(got.why), "bad-task-spec");
        }
        fx_buf_clear(&full);
        fx_case_end(&s);
    }
}

FX_TEST(invalid_specs_cannot_be_claimed)
{
    BREAK(fx_case_begin_claim,
          (s.job.spec.version = 2, fx_case_sync_spec(&s), fx_case_solve(&s, &s.next)),
          "bad-task-spec");
    BREAK(fx_case_begin_claim, (s.job.spec.kind = 2, fx_case_sync_spec(&s)), "bad-task-spec");
    BREAK(fx_case_begin_claim, (s.job.spec.window = 0, fx_case_sync_spec(&s)), "bad-task-spec");
    BREAK(fx_case_begin_claim, (s.job.spec.exclusive = 145, fx_case_sync_spec(&s)),
          "bad-task-spec");
    BREAK(fx_case_begin_claim, (s.job.spec.deadline = 499999999, fx_case_sync_spec(&s)),
          "bad-task-spec");
    BREAK(fx_case_begin_claim, s.task.index = 4, "bad-task-spec");
    BREAK(fx_case_begin_claim, (s.job.gemm.k = 300, fx_test_job_pack(&s.job)), "bad-task-spec");
    BREAK(fx_case_begin_claim, (fx_task_write(&s.task, &s.preimage), fx_buf_u8(&s.preimage, 0)),
          "bad-task-program");
}

FX_TEST(signatures)
{
    BREAK_SIGNED(s.bad_signature = true, "bad-task-sig");
    BREAK_SIGNED(fx_test_key(99, &s.signer), "bad-task-sig");
    /* Each action signs itself. */
    BREAK_SIGNED(s.sign_as = (uint8_t)(s.action ^ 1), "bad-task-sig");
    BREAK(fx_case_begin_refund, s.signer = s.solver, "bad-task-sig");
    BREAK(fx_case_begin_claim, s.signer = s.client, "bad-task-sig");
    BREAK(fx_case_begin_accept, s.signer = s.client, "bad-task-sig");
    BREAK(fx_case_begin_take, s.signer = s.client, "bad-task-sig");
    BREAK(fx_case_begin_fraud_challenged, s.signer = s.solver, "bad-task-sig");
    BREAK(fx_case_begin_challenge, s.signer = s.solver, "bad-task-sig");
    BREAK(fx_case_begin_answer, s.signer = s.client, "bad-task-sig");
    BREAK(fx_case_begin_expire, s.signer = s.solver, "bad-task-sig");
    BREAK(fx_case_begin_expire_challenged, s.signer = s.solver, "bad-task-sig");
    BREAK(fx_case_begin_reject, s.signer = s.solver, "bad-task-sig");
}

/* No claim can make such an output; the sums of the rules stay in range whatever one spends. */
FX_TEST(amounts_of_claimed_outputs)
{
    const uint64_t max = (uint64_t)fx_params_get(FX_REGTEST)->max_money;

    for (unsigned number = FX_ACTION_ACCEPT; number < FX_CASES; number++) {
        for (unsigned way = 0; way < 6; way++) {
            struct fx_spend_case s;

            fx_case_begin_any(&s, number);
            switch (way) {
            case 0:
                s.task.escrow = max + 1;
                break;
            case 1:
                s.task.bond = max + 1;
                break;
            case 2:
                s.task.burn = max + 1;
                break;
            case 3:
                s.task.bond = max - ESCROW + 1;
                break;
            case 4:
                s.task.escrow = UINT64_MAX;
                break;
            case 5:
                s.task.bond = UINT64_MAX - ESCROW + 1; /* the sum wraps around to 0 */
                break;
            }
            CHECK_REFUSED(&s, "bad-task-amount");
            fx_case_end(&s);
        }
    }
}

/* ---- records ----------------------------------------------------------------------------- */

static void set_live(struct fx_spend_case *s, bool live, unsigned outpoint)
{
    struct fx_outpoint origin = fx_scene_outpoint(1);
    struct fx_task_record record;

    FX_CHECK_INT(s->scene.view.record(&s->scene, &origin, &record), FX_FOUND);
    record.live = live;
    record.outpoint = fx_scene_outpoint(outpoint);
    fx_scene_set_record(&s->scene, &origin, &record);
}

FX_TEST(records_must_name_the_outpoint)
{
    for (unsigned number = FX_ACTION_ACCEPT; number < FX_CASES; number++) {
        for (unsigned way = 0; way < 4; way++) {
            struct fx_spend_case s;

            fx_case_begin_any(&s, number);
            switch (way) {
            case 0:
                s.scene.n_records = 0;
                break;
            case 1:
                set_live(&s, true, 3);
                break;
            case 2:
                set_live(&s, false, 2);
                break;
            case 3:
                /* A preimage of another state is not fresh for its zero origin. */
                memset(&s.task.origin, 0, sizeof(s.task.origin));
                break;
            }
            CHECK_REFUSED(&s, "bad-task-record");
            fx_case_end(&s);
        }
    }
    /* Anybody can pay to a preimage with an origin; only the one the record names counts. */
    BREAK(fx_case_begin_claim, s.task.origin = fx_scene_outpoint(1), "bad-task-record");
    BREAK(fx_case_begin_refund, s.task.origin = fx_scene_outpoint(1), "bad-task-record");
}

FX_TEST(records_that_cannot_be_looked_up)
{
    for (unsigned number = 0; number < FX_CASES; number++) {
        struct fx_spend_case s;

        fx_case_begin_any(&s, number);
        if (number == FX_ACTION_REFUND) {
            s.task.origin = fx_scene_outpoint(1);
        }
        s.scene.fail_record = true;
        FX_CHECK_INT(fx_case_run(&s), FX_FAILED);
        fx_case_end(&s);
    }
}

/* A task that is funded again, as fraud and expire leave it. */
static void fund_again(struct fx_spend_case *s)
{
    struct fx_outpoint origin = fx_scene_outpoint(1);
    struct fx_task_record record;

    memset(&record, 0, sizeof(record));
    s->task.origin = origin;
    s->outpoint = fx_scene_outpoint(4);
    s->next.origin = origin;
    record.live = true;
    record.outpoint = s->outpoint;
    record.h0 = H0 - 7;
    record.asked = 5;
    record.client = s->client.xonly;
    fx_scene_set_record(&s->scene, &origin, &record);
}

FX_TEST(claim_makes_the_record)
{
    struct fx_spend_case s;
    const struct fx_record_change *change;

    fx_case_begin_claim(&s);
    CHECK_VALID(&s);
    change = fx_case_only_change(&s);
    FX_CHECK(fx_outpoint_equal(&change->origin, &s.outpoint));
    FX_CHECK(!change->had);
    FX_CHECK(change->has);
    FX_CHECK(change->after.live);
    FX_CHECK(fx_hash_equal(&change->after.outpoint.txid, &s.txid));
    FX_CHECK_INT(change->after.outpoint.index, IN);
    FX_CHECK_INT(change->after.state, FX_TASK_CLAIMED);
    FX_CHECK_INT(change->after.backed, false);
    FX_CHECK_INT(change->after.asked, 0);
    FX_CHECK_INT(change->after.h0, H0);
    FX_CHECK_INT(change->after.settled, 0);
    FX_CHECK(fx_hash_equal(&change->after.client, &s.client.xonly));
    FX_CHECK(fx_hash_equal(&change->after.solver, &s.solver.xonly));
    FX_CHECK_INT(change->after.bricks, 4);
    FX_CHECK_INT(change->after.burn, BURN);
    FX_CHECK_INT(s.spent.burned, 0);
    FX_CHECK(fx_outpoint_equal(&s.spent.origin, &s.outpoint));
    fx_case_end(&s);
}

FX_TEST(claim_of_a_task_that_is_funded_again)
{
    struct fx_spend_case s;
    struct fx_outpoint origin = fx_scene_outpoint(1);
    const struct fx_record_change *change;

    fx_case_begin_claim(&s);
    fund_again(&s);
    CHECK_VALID(&s);
    change = fx_case_only_change(&s);
    FX_CHECK(fx_outpoint_equal(&change->origin, &origin));
    FX_CHECK(change->had && change->has);
    FX_CHECK_INT(change->after.h0, H0 - 7);
    FX_CHECK_INT(change->after.asked, 0);
    FX_CHECK_INT(change->after.state, FX_TASK_CLAIMED);
    FX_CHECK(fx_hash_equal(&change->after.outpoint.txid, &s.txid));
    /* The claimed output names the origin, not the outpoint that is spent. */
    s.next.origin = s.outpoint;
    CHECK_REFUSED(&s, "bad-task-pair");
    fx_case_end(&s);
}

FX_TEST(settlement)
{
    for (unsigned action = FX_ACTION_ACCEPT; action <= FX_ACTION_TAKE; action++) {
        struct fx_spend_case s;
        const struct fx_record_change *change;
        struct fx_task_record expected;
        struct fx_outpoint origin = fx_scene_outpoint(1);

        fx_case_begin_any(&s, action);
        CHECK_VALID(&s);
        change = fx_case_only_change(&s);
        FX_CHECK(fx_outpoint_equal(&change->origin, &origin));
        FX_CHECK(change->had && change->has);
        expected = change->before;
        FX_CHECK(expected.live);
        expected.live = false;
        expected.settled = s.height;
        FX_CHECK(fx_task_record_equal(&change->after, &expected));
        FX_CHECK_INT(s.spent.burned, BURN);
        FX_CHECK(fx_outpoint_equal(&s.spent.origin, &origin));
        fx_case_end(&s);
    }
}

FX_TEST(refund_of_a_fresh_task_has_no_record)
{
    struct fx_spend_case s;

    fx_case_begin_refund(&s);
    CHECK_VALID(&s);
    FX_CHECK_INT(s.delta.n, 0);
    FX_CHECK_INT(s.spent.burned, 0);
    FX_CHECK(fx_outpoint_equal(&s.spent.origin, &s.outpoint));
    fx_case_end(&s);
}

FX_TEST(refund_of_a_task_that_is_funded_again)
{
    struct fx_spend_case s;
    const struct fx_record_change *change;

    fx_case_begin_refund(&s);
    fund_again(&s);
    CHECK_VALID(&s);
    change = fx_case_only_change(&s);
    FX_CHECK(change->had && change->has);
    FX_CHECK(!change->after.live);
    FX_CHECK_INT(change->after.settled, 0);
    fx_case_end(&s);
}

/* ---- 0 refund ------------------------------------------------------------------------------ */

FX_TEST(refund_waits_for_the_deadline)
{
    BREAK(fx_case_begin_refund, s.lock_time--, "bad-task-locktime");
    BREAK(fx_case_begin_refund, s.lock_time = 0, "bad-task-locktime");
    KEEP(fx_case_begin_refund, s.lock_time++);
    BREAK(fx_case_begin_refund, s.sequence = FX_SEQUENCE_FINAL, "bad-task-sequence");
    KEEP(fx_case_begin_refund, s.sequence = 0);
}

FX_TEST(refund_needs_a_lock_time_that_is_a_time)
{
    /* A deadline that is no time allows refund at once, with any time. */
    KEEP(fx_case_begin_refund,
         (s.job.spec.deadline = 400, fx_case_sync_spec(&s), s.lock_time = FX_LOCKTIME_THRESHOLD));
    BREAK(fx_case_begin_refund,
          (s.job.spec.deadline = 400, fx_case_sync_spec(&s), s.lock_time = 499999999),
          "bad-task-locktime");
}

FX_TEST(refund_of_an_invalid_spec)
{
    KEEP(fx_case_begin_refund, (s.job.spec.version = 7, fx_case_sync_spec(&s)));
    KEEP(fx_case_begin_refund, (s.job.spec.kind = 200, fx_case_sync_spec(&s)));
    KEEP(fx_case_begin_refund, (s.job.spec.window = 0, fx_case_sync_spec(&s)));
    KEEP(fx_case_begin_refund, s.task.index = UINT32_MAX);
    KEEP(fx_case_begin_refund, (s.job.gemm.m = 1, fx_test_job_pack(&s.job)));
}

/* ---- 2 accept ------------------------------------------------------------------------------ */

FX_TEST(certificates)
{
    struct fx_spend_case t;
    struct fx_hash hash = {{1}};

    BREAK(fx_case_begin_accept, s.items[0].data[5] ^= 1, "bad-task-certificate");
    /* The client't signature of something else; somebody else't of the right hash. */
    BREAK(fx_case_begin_accept, fx_test_sign(&s.client, &hash, s.items[0].data),
          "bad-task-certificate");
    fx_case_begin_accept(&t);
    {
        uint8_t script[FX_TASK_SCRIPT_SIZE];
        struct fx_hash program;

        fx_case_task_script(&t.task, script);
        memcpy(program.b, script + 2, 32);
        fx_task_accept_hash(&program, &hash);
    }
    fx_test_sign(&t.solver, &hash, t.items[0].data);
    CHECK_REFUSED(&t, "bad-task-certificate");
    fx_test_sign(&t.client, &hash, t.items[0].data);
    CHECK_VALID(&t);
    fx_case_end(&t);
    /* A claim with another result has another program. */
    BREAK(fx_case_begin_accept, s.task.result.b[0] ^= 1, "bad-task-certificate");
    /* Neither window nor beacon matter. */
    KEEP(fx_case_begin_accept, (s.height = 951, s.scene.tip = 950, s.sequence = FX_SEQUENCE_FINAL));
}

/* ---- 3 take -------------------------------------------------------------------------------- */

FX_TEST(take_waits_for_the_window)
{
    BREAK(fx_case_begin_take, s.version = 1, "bad-task-sequence");
    BREAK(fx_case_begin_take, s.sequence |= FX_SEQUENCE_LOCK_DISABLE, "bad-task-sequence");
    BREAK(fx_case_begin_take, s.sequence &= ~FX_SEQUENCE_LOCK_TIME, "bad-task-sequence");
    BREAK(fx_case_begin_take, s.sequence--, "bad-task-sequence");
    KEEP(fx_case_begin_take, s.sequence++);
    KEEP(fx_case_begin_take, s.sequence |= UINT32_C(1) << 25);
    /* Bits above the low 16 do not count as units. */
    BREAK(fx_case_begin_take, s.sequence = FX_SEQUENCE_LOCK_TIME | UINT32_C(0x10000) | 19,
          "bad-task-sequence");
}

FX_TEST(take_needs_the_beacon)
{
    struct fx_spend_case t;

    BREAK(fx_case_begin_take, (s.height = 951, s.scene.tip = 950), "bad-task-sample");
    KEEP(fx_case_begin_take, (s.height = 952, s.scene.tip = 951));
    /* The first hash-lane block above counts, not the first block. */
    fx_case_begin_take(&t);
    t.scene.lane[951] = FX_LANE_JOB;
    CHECK_REFUSED(&t, "bad-task-sample");
    t.items[0].len = t.items[1].len = 0;
    t.n_items = 0;
    fx_case_add_sample(&t, 0, 952);
    fx_case_add_sample(&t, 1, 952);
    CHECK_VALID(&t);
    t.scene.fail_beacon = true;
    FX_CHECK_INT(fx_case_run(&t), FX_FAILED);
    fx_case_end(&t);
}

static void swap_samples(struct fx_spend_case *s)
{
    struct fx_buf held = s->items[0];

    s->items[0] = s->items[1];
    s->items[1] = held;
}

FX_TEST(samples)
{
    BREAK(fx_case_begin_take, s.items[0].data[100] ^= 1, "bad-task-sample");
    BREAK(fx_case_begin_take, s.items[1].data[100] ^= 1, "bad-task-sample");
    BREAK(fx_case_begin_take, s.items[0].len--, "bad-task-sample");
    BREAK(fx_case_begin_take, s.items[1].len = 0, "bad-task-sample");
    BREAK(fx_case_begin_take, swap_samples(&s), "bad-task-sample");
}

/* A result that is wrong just where a sample looks. */
FX_TEST(samples_of_a_wrong_result)
{
    for (uint8_t number = 0; number < FX_TASK_SAMPLES; number++) {
        struct fx_spend_case s;
        struct fx_hash beacon, hash;
        uint32_t row, column;

        fx_case_begin_take(&s);
        fx_scene_id(951, &beacon);
        fx_task_sample_hash(&beacon, &s.task.origin, number, &hash);
        fx_kind_gemm.sample(&s.shape, &hash, &row, &column);
        row -= s.shape.row0 * FX_TILE;
        column -= s.shape.col0 * FX_TILE;
        s.result[(size_t)row * s.shape.cols * FX_TILE + column] ^= 1;
        fx_test_result_root(&s.shape, s.result, &s.solver.xonly, &s.task.result);
        s.items[0].len = s.items[1].len = 0;
        s.n_items = 0;
        fx_case_add_sample(&s, 0, 951);
        fx_case_add_sample(&s, 1, 951);
        CHECK_REFUSED(&s, "bad-task-sample");
        fx_case_end(&s);
    }
}

/* ---- an end to end walk --------------------------------------------------------------------- */

/* The record that claim leaves is the one that take needs, without anything in between. */
FX_TEST(claim_then_take_in_one_delta)
{
    struct fx_spend_case claim, take;
    struct fx_task_record record;

    fx_case_begin_claim(&claim);
    CHECK_VALID(&claim);
    record = fx_case_only_change(&claim)->after;
    fx_case_begin_take(&take);
    take.outpoint = record.outpoint;
    take.scene.n_records = 0;
    fx_scene_set_record(&take.scene, &claim.outpoint, &record);
    CHECK_VALID(&take);
    FX_CHECK_INT(fx_case_only_change(&take)->after.settled, take.height);
    fx_case_end(&claim);
    fx_case_end(&take);
}

FX_TEST(schnorr)
{
    struct fx_test_key key;
    struct fx_hash hash = {{4}}, nothing = {{0}};
    uint8_t signature[64];

    fx_test_key(3, &key);
    fx_test_sign(&key, &hash, signature);
    FX_CHECK(fx_schnorr_verify(&key.xonly, &hash, signature));
    hash.b[31] ^= 1;
    FX_CHECK(!fx_schnorr_verify(&key.xonly, &hash, signature));
    hash.b[31] ^= 1;
    FX_CHECK(!fx_schnorr_verify(&nothing, &hash, signature)); /* no point has this x */
    memset(nothing.b, 0xff, 32);
    FX_CHECK(!fx_schnorr_verify(&nothing, &hash, signature));
}
