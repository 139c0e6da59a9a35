/* The conditions of fraud, challenge, answer, expire and reject, each violated alone, and what they
 * leave of the record. */
#include "consensus/spend.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/connect.h"
#include "qa/unit/consensus/spend_case.h"

/* What the spend changes of the record: expected as it was, with these changes. */
static struct fx_task_record before(struct fx_spend_case *s)
{
    struct fx_task_record record = *fx_case_record(s);

    /* Fields that these actions leave alone. */
    record.asked = record.asked == 0 ? 5 : record.asked;
    record.backed = false;
    *fx_case_record(s) = record;
    return record;
}

static void check_after(struct fx_spend_case *s, struct fx_task_record expected)
{
    const struct fx_record_change *change = fx_case_only_change(s);
    struct fx_outpoint origin = fx_scene_outpoint(1);

    FX_CHECK(fx_outpoint_equal(&change->origin, &origin));
    FX_CHECK(change->had && change->has);
    if (expected.live) {
        expected.outpoint.txid = s->txid;
        expected.outpoint.index = IN;
    }
    FX_CHECK(fx_task_record_equal(&change->after, &expected));
}

/* Paired task outputs: each way in which one is not the one, or not enough. */
#define PAIRED(begin_it)                                                                    \
    do {                                                                                    \
        BREAK(begin_it, s.paid--, "bad-task-pair");                                         \
        KEEP(begin_it, s.paid++);                                                           \
        BREAK(begin_it, s.wrong_pair = true, "bad-task-pair");                              \
        BREAK(begin_it, s.no_pair = true, "bad-task-pair");                                 \
        BREAK(begin_it, s.no_second_output = true, "bad-task-pair");                        \
        BREAK(begin_it, s.pay = FX_CASE_PLAIN, "bad-task-pair");                            \
        BREAK(begin_it, memset(&s.next.origin, 0, sizeof(s.next.origin)), "bad-task-pair"); \
        BREAK(begin_it, s.next.origin = s.outpoint, "bad-task-pair");                       \
        BREAK(begin_it, s.next.state = (uint8_t)((s.next.state + 1) % 3), "bad-task-pair"); \
        BREAK(begin_it, s.next.state = (uint8_t)((s.next.state + 2) % 3), "bad-task-pair"); \
        BREAK(begin_it, s.next.index = 0, "bad-task-pair");                                 \
        BREAK(begin_it, s.next.spec.client = s.solver.xonly, "bad-task-pair");              \
        BREAK(begin_it, s.next.spec.deadline++, "bad-task-pair");                           \
    } while (0)

/* Of those that pay to a claim, the claimed fields as well. */
#define PAIRED_CLAIM(begin_it)                                            \
    do {                                                                  \
        PAIRED(begin_it);                                                 \
        BREAK(begin_it, s.next.escrow--, "bad-task-pair");                \
        BREAK(begin_it, s.next.bond--, "bad-task-pair");                  \
        BREAK(begin_it, s.next.burn--, "bad-task-pair");                  \
        BREAK(begin_it, s.next.solver = s.client.xonly, "bad-task-pair"); \
        BREAK(begin_it, s.next.result.b[31] ^= 1, "bad-task-pair");       \
    } while (0)

/* An odd bond, in the claim that is spent. */
static void odd_bond(struct fx_spend_case *s)
{
    s->task.bond = BOND + 1;
    s->value++;
}

/* ---- 4 fraud ------------------------------------------------------------------------------- */

FX_TEST(fraud_restores_the_task)
{
    static void (*const begins[])(struct fx_spend_case *) = {fx_case_begin_fraud,
                                                             fx_case_begin_fraud_challenged};

    for (size_t at = 0; at < 2; at++) {
        struct fx_spend_case s;
        struct fx_task_record expected;

        begins[at](&s);
        expected = before(&s);
        expected.state = FX_TASK_FUNDED;
        CHECK_VALID(&s);
        check_after(&s, expected);
        FX_CHECK_INT(s.spent.burned, BOND / 2);
        odd_bond(&s);
        s.preimage.len = 0;
        CHECK_VALID(&s);
        FX_CHECK_INT(s.spent.burned, BOND / 2); /* halves round down */
        fx_case_end(&s);
    }
}

FX_TEST(fraud_pair)
{
    PAIRED(fx_case_begin_fraud);
    PAIRED(fx_case_begin_fraud_challenged);
}

FX_TEST(fraud_signature)
{
    /* Nobody's while it is claimed, the client's once it is challenged. */
    BREAK(fx_case_begin_fraud, s.signature_bytes = 64, "bad-task-witness");
    BREAK(fx_case_begin_fraud, s.signature_bytes = 1, "bad-task-witness");
    BREAK(fx_case_begin_fraud_challenged, s.signature_bytes = 0, "bad-task-witness");
    BREAK(fx_case_begin_fraud_challenged, fx_test_key(99, &s.signer), "bad-task-sig");
}

FX_TEST(fraud_entry)
{
    BREAK(fx_case_begin_fraud, s.items[0].len--, "bad-task-witness");
    BREAK(fx_case_begin_fraud, fx_buf_u8(&s.items[0], 0), "bad-task-witness");
    BREAK(fx_case_begin_fraud, s.items[0].len = 0, "bad-task-witness");
    /* Right entries beside the wrong one. */
    BREAK(fx_case_begin_fraud, fx_case_set_entry(&s, FX_CASE_ROW, FX_CASE_COLUMN + 1),
          "bad-task-fraud");
    BREAK(fx_case_begin_fraud, fx_case_set_entry(&s, FX_CASE_ROW + 1, FX_CASE_COLUMN),
          "bad-task-fraud");
    BREAK(fx_case_begin_fraud_challenged, fx_case_set_entry(&s, 3, FX_CASE_COLUMN),
          "bad-task-fraud");
    /* The proof is of the entry that the item names. */
    BREAK(fx_case_begin_fraud, s.items[0].data[0] ^= 1, "bad-task-fraud");
    BREAK(fx_case_begin_fraud, s.items[0].data[4] ^= 1, "bad-task-fraud");
    BREAK(fx_case_begin_fraud, s.items[0].data[7] ^= 0x80, "bad-task-fraud");
    /* Outside of the rectangle: rows 0..255, columns 128..255. */
    BREAK(fx_case_begin_fraud, fx_store_u32(s.items[0].data, 256 + FX_CASE_ROW % 128),
          "bad-task-fraud");
    BREAK(fx_case_begin_fraud, fx_store_u32(s.items[0].data + 4, FX_CASE_COLUMN - 128),
          "bad-task-fraud");
}

FX_TEST(fraud_proof)
{
    struct fx_spend_case t;
    size_t size;

    BREAK(fx_case_begin_fraud, s.items[1].len--, "bad-task-fraud");
    BREAK(fx_case_begin_fraud, fx_buf_u8(&s.items[1], 0), "bad-task-fraud");
    BREAK(fx_case_begin_fraud, s.items[1].len = 0, "bad-task-fraud");
    fx_case_begin_fraud(&t);
    size = t.items[1].len;
    FX_CHECK_INT(size, fx_kind_gemm.entry_proof_size(t.task.spec.body, &t.shape));
    /* A wrong root anywhere is not a difference. */
    for (size_t at = 0; at < size; at += 61) {
        t.items[1].data[at] ^= 1;
        CHECK_REFUSED(&t, "bad-task-fraud");
        t.items[1].data[at] ^= 1;
    }
    CHECK_VALID(&t);
    fx_case_end(&t);
    /* The leaf is keyed by the solver, and the path ends at the claim's result. */
    BREAK(fx_case_begin_fraud, s.task.solver = s.client.xonly, "bad-task-fraud");
    BREAK(fx_case_begin_fraud, s.task.result.b[3] ^= 1, "bad-task-fraud");
}

/* ---- 5 challenge --------------------------------------------------------------------------- */

FX_TEST(challenge_counts)
{
    for (uint8_t asked = 0; asked <= FX_TASK_ASKED_MAX + 1; asked++) {
        struct fx_spend_case s;
        struct fx_task_record expected;

        fx_case_begin_challenge(&s);
        fx_case_record(&s)->asked = asked;
        expected = *fx_case_record(&s);
        expected.state = FX_TASK_CHALLENGED;
        expected.asked++;
        if (asked < 8) {
            CHECK_VALID(&s);
            check_after(&s, expected);
            FX_CHECK_INT(s.spent.burned, 0);
        } else {
            CHECK_REFUSED(&s, "bad-task-asked");
        }
        fx_case_end(&s);
    }
}

FX_TEST(challenge_pair)
{
    PAIRED_CLAIM(fx_case_begin_challenge);
    BREAK(fx_case_begin_challenge, s.next.tile = 0, "bad-task-pair");
    /* The deposit comes on top of all that was in the output. */
    BREAK(fx_case_begin_challenge, s.value += 5, "bad-task-pair");
    KEEP(fx_case_begin_challenge, (s.value += 5, s.paid += 5));
}

FX_TEST(challenge_tile)
{
    BREAK(fx_case_begin_challenge, s.items[0].len--, "bad-task-witness");
    BREAK(fx_case_begin_challenge, fx_buf_u8(&s.items[0], 0), "bad-task-witness");
    KEEP(fx_case_begin_challenge, (s.items[0].data[0] = 0, s.next.tile = 0));
    /* The rectangle has two tiles. */
    BREAK(fx_case_begin_challenge, (s.items[0].data[0] = 2, s.next.tile = 2), "bad-task-tile");
    BREAK(fx_case_begin_challenge, (s.items[0].data[3] = 0x80, s.next.tile = UINT32_C(0x80000001)),
          "bad-task-tile");
}

/* ---- 6 answer ------------------------------------------------------------------------------ */

FX_TEST(answer_brings_the_claim_back)
{
    struct fx_spend_case s;
    struct fx_task_record expected;

    fx_case_begin_answer(&s);
    expected = before(&s);
    expected.state = FX_TASK_CLAIMED;
    CHECK_VALID(&s);
    check_after(&s, expected); /* with its count of challenges */
    FX_CHECK_INT(expected.asked, 3);
    fx_case_end(&s);
}

/* An answer on a network with the rules of section 5, whose inputs are in the scene as well. */
static struct fx_tx *begin_answer_on(struct fx_spend_case *s, enum fx_chain_kind kind, int64_t more)
{
    struct fx_coin coins[2];
    struct fx_tx *tx;

    fx_case_begin_answer(s);
    s->params = *fx_params_get(kind);
    s->job.spec.window = s->params.window_min;
    fx_case_sync_spec(s);
    s->next.spec = s->task.spec;
    s->paid += more;
    tx = fx_case_build(s, coins);
    for (size_t in = 0; in < 2; in++) {
        struct fx_span script = fx_coin_script(&coins[in]);

        fx_scene_add_coin(&s->scene, &tx->in[in].prevout, coins[in].value, script.data, script.len,
                          coins[in].height);
        fx_coin_clear(&coins[in]);
    }
    return tx;
}

static const enum fx_chain_kind with_tasks[] = {FX_MAIN, FX_TEST, FX_REGTEST};
#define WITH_TASKS (sizeof with_tasks / sizeof *with_tasks)

/* One deposit, whatever else is in the challenged output. */
FX_TEST(answer_burns_the_deposit)
{
    for (size_t at = 0; at < WITH_TASKS; at++) {
        for (int64_t more = 0; more <= FX_DEPOSIT; more += FX_DEPOSIT) {
            struct fx_spend_case s;

            fx_tx_unref(begin_answer_on(&s, with_tasks[at], 0));
            s.value += more;
            CHECK_VALID(&s);
            FX_CHECK_INT(s.spent.burned, FX_DEPOSIT);
            fx_case_end(&s);
        }
    }
}

/* What the answer pays out leaves it to nobody, to the ember. */
FX_TEST(answer_leaves_the_deposit)
{
    /* The scene's other input has an escrow, and the first output 500 embers of it. */
    const int64_t most = ESCROW - 500;

    for (size_t at = 0; at < WITH_TASKS; at++) {
        for (int64_t over = 0; over <= 1; over++) {
            struct fx_spend_case s;
            struct fx_tx *tx = begin_answer_on(&s, with_tasks[at], most + over);
            struct fx_connect_context context = {
                .params = &s.params, .view = &s.scene.view, .height = s.height};
            struct fx_connected_tx connected;
            struct fx_record_delta delta;
            enum fx_verdict why;

            fx_record_delta_init(&delta);
            FX_CHECK_INT(fx_connect_tx(&context, tx, &delta, &connected, &why),
                         over == 0 ? FX_VALID : FX_INVALID);
            FX_CHECK_INT(why, over == 0 ? FX_OK : FX_BAD_TASK_BURN_FEE);
            FX_CHECK_INT(connected.fee, over == 0 ? FX_DEPOSIT : 0);
            FX_CHECK_INT(connected.burned, over == 0 ? FX_DEPOSIT : 0);
            fx_connected_tx_clear(&connected, tx->n_in);
            fx_record_delta_clear(&delta);
            fx_tx_unref(tx);
            fx_case_end(&s);
        }
    }
}

FX_TEST(answer_pair)
{
    PAIRED_CLAIM(fx_case_begin_answer);
}

FX_TEST(answer_tile)
{
    struct fx_spend_case t;

    BREAK(fx_case_begin_answer, s.items[0].len--, "bad-task-answer");
    BREAK(fx_case_begin_answer, fx_buf_u8(&s.items[0], 0), "bad-task-answer");
    BREAK(fx_case_begin_answer, s.items[1].len--, "bad-task-answer");
    BREAK(fx_case_begin_answer, fx_buf_u8(&s.items[1], 0), "bad-task-answer");
    BREAK(fx_case_begin_answer, s.items[1].len = 0, "bad-task-answer");
    BREAK(fx_case_begin_answer, s.items[1].data[31] ^= 1, "bad-task-answer");
    BREAK(fx_case_begin_answer, fx_case_set_tile(&s, 0), "bad-task-answer");
    BREAK(fx_case_begin_answer, (s.task.tile = 2), "bad-task-answer");
    fx_case_begin_answer(&t);
    for (size_t at = 0; at < FX_TILE_BYTES; at += 6553) {
        t.items[0].data[at] ^= 1;
        CHECK_REFUSED(&t, "bad-task-answer");
        t.items[0].data[at] ^= 1;
    }
    CHECK_VALID(&t);
    fx_case_end(&t);
    /* It may be a wrong result that is delivered: that is for a fraud proof to say. */
    fx_case_begin_answer(&t);
    t.result[7] ^= 1;
    fx_test_result_root(&t.shape, t.result, &t.solver.xonly, &t.task.result);
    t.next.result = t.task.result;
    fx_case_set_tile(&t, 1);
    CHECK_VALID(&t);
    fx_case_end(&t);
}

/* ---- 7 expire ------------------------------------------------------------------------------ */

FX_TEST(expire_restores_the_task)
{
    static void (*const begins[])(struct fx_spend_case *) = {fx_case_begin_expire,
                                                             fx_case_begin_expire_challenged};

    for (size_t at = 0; at < 2; at++) {
        struct fx_spend_case s;
        struct fx_task_record expected;

        begins[at](&s);
        expected = before(&s);
        expected.state = FX_TASK_FUNDED;
        CHECK_VALID(&s);
        check_after(&s, expected);
        FX_CHECK_INT(s.spent.burned, BOND / 2);
        odd_bond(&s);
        s.preimage.len = 0;
        CHECK_VALID(&s);
        FX_CHECK_INT(s.spent.burned, BOND / 2);
        fx_case_end(&s);
    }
}

FX_TEST(expire_pair)
{
    PAIRED(fx_case_begin_expire);
    PAIRED(fx_case_begin_expire_challenged);
}

#define LOCKED(begin_it)                                                              \
    do {                                                                              \
        BREAK(begin_it, s.version = 1, "bad-task-sequence");                          \
        BREAK(begin_it, s.sequence |= FX_SEQUENCE_LOCK_DISABLE, "bad-task-sequence"); \
        BREAK(begin_it, s.sequence &= ~FX_SEQUENCE_LOCK_TIME, "bad-task-sequence");   \
        BREAK(begin_it, s.sequence--, "bad-task-sequence");                           \
        KEEP(begin_it, s.sequence++);                                                 \
    } while (0)

FX_TEST(expire_waits_for_two_windows_or_for_the_answer)
{
    LOCKED(fx_case_begin_expire);
    LOCKED(fx_case_begin_expire_challenged);
    /* Of the answer, not of the task. */
    KEEP(fx_case_begin_expire_challenged,
         (s.params.answer_window = 14, s.sequence = FX_SEQUENCE_LOCK_TIME | 14));
    BREAK(fx_case_begin_expire_challenged,
          (s.params.answer_window = 14, s.sequence = FX_SEQUENCE_LOCK_TIME | 13),
          "bad-task-sequence");
    KEEP(fx_case_begin_expire, s.params.answer_window = 10000);
    /* The longest window, twice. */
    KEEP(fx_case_begin_expire,
         (s.job.spec.window = 32767, fx_case_sync_spec(&s), s.next.spec = s.task.spec,
          s.sequence = FX_SEQUENCE_LOCK_TIME | 65534));
    BREAK(fx_case_begin_expire,
          (s.job.spec.window = 32767, fx_case_sync_spec(&s), s.next.spec = s.task.spec,
           s.sequence = FX_SEQUENCE_LOCK_TIME | 65533),
          "bad-task-sequence");
}

FX_TEST(expire_gives_time_to_take)
{
    struct fx_spend_case t;

    /* The beacon of a claim must be 60 deep: its solver could take all that time. */
    BREAK(fx_case_begin_expire, (s.height--, s.scene.tip--), "bad-task-locktime");
    KEEP(fx_case_begin_expire, (s.height++, s.scene.tip++));
    BREAK(fx_case_begin_expire, (s.height = H1 + 1, s.scene.tip = H1), "bad-task-locktime");
    fx_case_begin_expire(&t);
    t.scene.lane[H1 + 1] = FX_LANE_JOB;
    CHECK_REFUSED(&t, "bad-task-locktime");
    t.height++;
    t.scene.tip++;
    CHECK_VALID(&t);
    t.scene.fail_beacon = true;
    FX_CHECK_INT(fx_case_run(&t), FX_FAILED);
    t.scene.fail_beacon = false;
    /* A lane that stands still keeps the claim. */
    for (uint32_t height = H1 + 1; height <= t.scene.tip; height++) {
        t.scene.lane[height] = FX_LANE_JOB;
    }
    CHECK_REFUSED(&t, "bad-task-locktime");
    fx_case_end(&t);
    /* A challenge has no sample to wait for. */
    KEEP(fx_case_begin_expire_challenged,
         (s.height = H1 + 1, s.scene.tip = H1, s.scene.fail_beacon = true));
}

/* ---- 8 reject ------------------------------------------------------------------------------ */

FX_TEST(reject_closes_the_record)
{
    struct fx_spend_case s;
    struct fx_task_record expected;

    fx_case_begin_reject(&s);
    expected = before(&s);
    expected.live = false;
    CHECK_VALID(&s);
    check_after(&s, expected);
    FX_CHECK_INT(expected.settled, 0); /* it is no settlement */
    FX_CHECK_INT(s.spent.burned, ESCROW);
    fx_case_end(&s);
}

FX_TEST(reject_needs_eight_answers)
{
    for (uint8_t asked = 0; asked < 8; asked++) {
        BREAK(fx_case_begin_reject, fx_case_record(&s)->asked = asked, "bad-task-asked");
    }
    KEEP(fx_case_begin_reject, fx_case_record(&s)->asked = 8);
}

FX_TEST(reject_pays_the_bond_back)
{
    BREAK(fx_case_begin_reject, s.paid--, "bad-task-pair");
    KEEP(fx_case_begin_reject, s.paid++);
    BREAK(fx_case_begin_reject, s.wrong_pair = true, "bad-task-pair");
    BREAK(fx_case_begin_reject, s.no_pair = true, "bad-task-pair");
    BREAK(fx_case_begin_reject, s.no_second_output = true, "bad-task-pair");
    BREAK(fx_case_begin_reject, s.pay = FX_CASE_PLAIN, "bad-task-pair");
    BREAK(fx_case_begin_reject, s.script_byte = 0x51 ^ 0x52, "bad-task-pair");
    BREAK(fx_case_begin_reject, s.long_script = true, "bad-task-pair");
    /* The solver is that of the claim, whoever else gets the bond. */
    BREAK(fx_case_begin_reject, fx_test_key(55, &s.solver), "bad-task-pair");
}

/* ---- tasks that are restored --------------------------------------------------------------- */

/* What fraud leaves is claimed again, with the same origin and height, and a new count. */
FX_TEST(fraud_then_claim)
{
    struct fx_spend_case fraud, claim;
    struct fx_outpoint origin = fx_scene_outpoint(1);
    struct fx_task_record record;
    struct fx_task fresh;

    fx_case_begin_fraud(&fraud);
    fx_case_record(&fraud)->asked = 7;
    CHECK_VALID(&fraud);
    record = fx_case_only_change(&fraud)->after;

    fx_case_begin_claim(&claim);
    claim.task.origin = origin;
    claim.next.origin = origin;
    claim.outpoint = record.outpoint;
    fx_scene_set_record(&claim.scene, &origin, &record);
    CHECK_VALID(&claim);
    FX_CHECK(fx_outpoint_equal(&claim.spent.origin, &origin));
    record = fx_case_only_change(&claim)->after;
    FX_CHECK_INT(record.asked, 0);
    FX_CHECK_INT(record.h0, H0);
    FX_CHECK_INT(record.state, FX_TASK_CLAIMED);
    /* The output is a hash of its origin as well: it does not pass for a fresh task. */
    fresh = claim.task;
    memset(&fresh.origin, 0, sizeof(fresh.origin));
    claim.preimage.len = 0;
    fx_task_write(&fresh, &claim.preimage);
    CHECK_REFUSED(&claim, "bad-task-program");
    fx_case_end(&fraud);
    fx_case_end(&claim);
}
