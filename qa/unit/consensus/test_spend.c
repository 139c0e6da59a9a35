/*
 * Spending task outputs: every condition of each action that exists, each violated alone. A case
 * starts from a valid spend; the signature is made last, so that only what a test breaks is broken.
 */
#include "consensus/spend.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/consensus/job.h"
#include "qa/unit/consensus/scene.h"
#include "qa/unit/harness.h"
#include "src/util/mem.h"

#define ESCROW INT64_C(100000000)
#define BOND INT64_C(25000000)
#define BURN INT64_C(40000000)
#define H0 900u
#define IN 1 /* the task input's index: not 0, so that pairing by index shows */

struct spend {
    struct fx_scene scene;
    struct fx_params params;
    struct fx_test_job job;
    struct fx_test_key client, solver, signer;
    uint32_t height;
    struct fx_task_shape shape;
    int32_t *result;

    struct fx_task task; /* what the spent output is a hash of */
    struct fx_outpoint outpoint;
    int64_t value;
    uint32_t coin_height;

    /* the transaction */
    int32_t version;
    uint32_t lock_time, sequence;
    uint8_t action, sign_as;
    struct fx_task claimed; /* claim: what is paid to */
    int64_t paid;
    struct fx_buf items[4]; /* between signature and preimage */
    size_t n_items;
    struct fx_buf preimage;
    uint8_t signature[64];

    /* how to break it */
    bool wrong_program, no_signature, script_sig, no_pair, wrong_pair, bad_signature;

    struct fx_record_delta delta;
    struct fx_spend_result spent;
    enum fx_verdict why;
    struct fx_hash txid;
};

static void begin(struct spend *s)
{
    memset(s, 0, sizeof(*s));
    fx_scene_init(&s->scene);
    fx_record_delta_init(&s->delta);
    s->params = *fx_params_get(FX_REGTEST);
    s->height = s->scene.tip + 1;
    fx_test_key(11, &s->client);
    fx_test_key(12, &s->solver);
    fx_test_job_init(&s->job, 384, 256, 512, 2, 1, &s->client.xonly);
    s->task.state = FX_TASK_FUNDED;
    s->task.spec = s->job.spec;
    s->task.index = 1;
    fx_kind_gemm.task_shape(s->job.spec.body, 1, &s->shape);
    s->outpoint = fx_scene_outpoint(1);
    s->value = ESCROW;
    s->coin_height = H0;
    s->version = 2;
    s->sequence = FX_SEQUENCE_FINAL - 1;
}

static void end(struct spend *s)
{
    for (size_t at = 0; at < 4; at++) {
        fx_buf_clear(&s->items[at]);
    }
    fx_buf_clear(&s->preimage);
    fx_record_delta_clear(&s->delta);
    free(s->result);
    fx_test_job_clear(&s->job);
    fx_scene_clear(&s->scene);
}

static void sync_spec(struct spend *s)
{
    struct fx_span body = {s->job.body, sizeof(s->job.body)};

    s->job.spec.body = body;
    s->task.spec = s->job.spec;
}

static void task_script(const struct fx_task *task, uint8_t script[FX_TASK_SCRIPT_SIZE])
{
    struct fx_buf preimage = FX_BUF_INIT;
    struct fx_span span;
    struct fx_hash program;

    fx_task_write(task, &preimage);
    span.data = preimage.data;
    span.len = preimage.len;
    fx_task_program(span, &program);
    fx_task_script(&program, script);
    fx_buf_clear(&preimage);
}

static void set_claim_item(struct spend *s)
{
    struct fx_buf *item = &s->items[0];

    item->len = 0;
    fx_buf_u64(item, s->claimed.escrow);
    fx_buf_u64(item, s->claimed.bond);
    fx_buf_u64(item, s->claimed.burn);
    fx_buf_hash(item, &s->claimed.solver);
    fx_buf_hash(item, &s->claimed.result);
    s->n_items = 1;
}

static void solve(struct spend *s, struct fx_task *claimed)
{
    *claimed = s->task;
    claimed->state = FX_TASK_CLAIMED;
    claimed->origin = s->outpoint;
    claimed->escrow = ESCROW;
    claimed->bond = BOND;
    claimed->burn = BURN;
    claimed->solver = s->solver.xonly;
    s->result = fx_test_job_result(&s->job, &s->shape);
    fx_test_result_root(&s->shape, s->result, &s->solver.xonly, &claimed->result);
}

static void begin_refund(struct spend *s)
{
    begin(s);
    s->action = s->sign_as = FX_ACTION_REFUND;
    s->signer = s->client;
    s->lock_time = s->job.spec.deadline;
}

static void begin_claim(struct spend *s)
{
    begin(s);
    s->action = s->sign_as = FX_ACTION_CLAIM;
    s->signer = s->solver;
    solve(s, &s->claimed);
    s->paid = ESCROW + BOND;
    set_claim_item(s);
}

/* The claimed output and its record, at the outpoint that is spent; the origin is another. */
static void begin_claimed(struct spend *s)
{
    struct fx_task claimed;
    struct fx_task_record record;
    struct fx_outpoint origin = fx_scene_outpoint(1);

    begin(s);
    solve(s, &claimed);
    s->task = claimed;
    s->outpoint = fx_scene_outpoint(2);
    s->value = ESCROW + BOND;
    s->coin_height = 950;
    s->signer = s->solver;
    memset(&record, 0, sizeof(record));
    record.live = true;
    record.outpoint = s->outpoint;
    record.state = FX_TASK_CLAIMED;
    record.h0 = H0;
    record.client = s->client.xonly;
    record.solver = s->solver.xonly;
    record.bricks = s->shape.bricks;
    record.burn = BURN;
    fx_scene_set_record(&s->scene, &origin, &record);
}

static void begin_accept(struct spend *s)
{
    struct fx_hash program, hash;
    uint8_t script[FX_TASK_SCRIPT_SIZE], certificate[64];

    begin_claimed(s);
    s->action = s->sign_as = FX_ACTION_ACCEPT;
    task_script(&s->task, script);
    memcpy(program.b, script + 2, 32);
    fx_task_accept_hash(&program, &hash);
    fx_test_sign(&s->client, &hash, certificate);
    fx_buf_bytes(&s->items[0], certificate, 64);
    s->n_items = 1;
}

static void add_sample(struct spend *s, uint8_t number, uint32_t beacon_height)
{
    struct fx_hash beacon, hash;
    uint32_t row, column;

    fx_scene_id(beacon_height, &beacon);
    fx_task_sample_hash(&beacon, &s->task.origin, number, &hash);
    fx_kind_gemm.sample(&s->shape, &hash, &row, &column);
    fx_test_entry_proof(&s->job, &s->shape, s->result, &s->solver.xonly, row, column,
                        &s->items[s->n_items++]);
}

static void begin_take(struct spend *s)
{
    begin_claimed(s);
    s->action = s->sign_as = FX_ACTION_TAKE;
    s->sequence = FX_SEQUENCE_LOCK_TIME | s->job.spec.window;
    add_sample(s, 0, 951);
    add_sample(s, 1, 951);
}

static void add_witness(struct spend *s, struct fx_txb *b)
{
    fx_txb_clear_witness(b, IN);
    fx_txb_push_witness(b, IN, &s->action, 1);
    if (!s->no_signature) {
        fx_txb_push_witness(b, IN, s->signature, 64);
    }
    for (size_t at = 0; at < s->n_items; at++) {
        fx_txb_push_witness(b, IN, s->items[at].data, s->items[at].len);
    }
    fx_txb_push_witness(b, IN, s->preimage.data, s->preimage.len);
}

static void add_outputs(struct spend *s, struct fx_txb *b, const uint8_t change[34])
{
    uint8_t script[FX_TASK_SCRIPT_SIZE];

    fx_txb_add_out(b, 500, change, 34);
    if (s->action != FX_ACTION_CLAIM) {
        fx_txb_add_out(b, 600, change, 34);
        return;
    }
    task_script(&s->claimed, script);
    if (s->wrong_pair) {
        script[9] ^= 1;
    }
    if (s->no_pair) {
        /* It is there, at another index. */
        fx_txb_add_out(b, 1, change, 34);
    }
    fx_txb_add_out(b, s->paid, script, sizeof(script));
}

/* Runs the spend as it now stands. */
static enum fx_result run(struct spend *s)
{
    uint8_t script[FX_TASK_SCRIPT_SIZE], change[34] = {0x51, 0x20, 7};
    struct fx_outpoint other = fx_scene_outpoint(77);
    struct fx_coin coins[2];
    struct fx_sighash_cache cache;
    struct fx_spend_context ctx;
    struct fx_hash hash;
    struct fx_txb b;
    struct fx_tx *tx;
    struct fx_txout out;
    enum fx_result result;

    fx_txb_init(&b);
    b.version = s->version;
    b.lock_time = s->lock_time;
    fx_txb_add_in(&b, &other, 0);
    fx_txb_add_in(&b, &s->outpoint, s->sequence);
    if (s->script_sig) {
        fx_txb_set_script_sig(&b, IN, "\x51", 1);
    }
    add_outputs(s, &b, change);

    task_script(&s->task, script);
    if (s->preimage.len == 0) {
        fx_task_write(&s->task, &s->preimage);
    }
    if (s->wrong_program) {
        script[20] ^= 1;
    }
    out.value = ESCROW;
    out.script.data = change;
    out.script.len = sizeof(change);
    fx_coin_set(&coins[0], &out, 1, false);
    out.value = s->value;
    out.script.data = script;
    out.script.len = sizeof(script);
    fx_coin_set(&coins[1], &out, s->coin_height, false);

    add_witness(s, &b);
    tx = fx_txb_build(&b);
    fx_sighash_cache_init(&cache, tx, coins);
    fx_sighash_task(tx, IN, coins, s->sign_as, &cache, &hash);
    fx_test_sign(&s->signer, &hash, s->signature);
    if (s->bad_signature) {
        s->signature[40] ^= 1;
    }
    fx_tx_unref(tx);
    add_witness(s, &b);
    tx = fx_txb_build(&b);
    s->txid = tx->txid;

    ctx.params = &s->params;
    ctx.view = &s->scene.view;
    ctx.height = s->height;
    ctx.tx = tx;
    ctx.spent = coins;
    ctx.cache = &cache;
    fx_record_delta_clear(&s->delta);
    memset(&s->spent, 0xee, sizeof(s->spent));
    result = fx_connect_spend(&ctx, IN, &s->delta, &s->spent, &s->why);
    fx_tx_unref(tx);
    fx_txb_clear(&b);
    fx_coin_clear(&coins[0]);
    fx_coin_clear(&coins[1]);
    return result;
}

#define CHECK_VALID(s)                                                          \
    do {                                                                        \
        enum fx_result got_ = run(s);                                           \
        if (got_ != FX_VALID) {                                                 \
            FX_FAIL("refused: %d, %s", (int)got_, fx_verdict_string((s)->why)); \
        }                                                                       \
        FX_CHECK_INT((s)->why, FX_OK);                                          \
    } while (0)

#define CHECK_REFUSED(s, reason)                             \
    do {                                                     \
        FX_CHECK_INT(run(s), FX_INVALID);                    \
        FX_CHECK_STR(fx_verdict_string((s)->why), (reason)); \
    } while (0)

/* One case: a valid spend, then this change, then this reject string. */
#define BREAK(begin_it, change, reason) \
    do {                                \
        struct spend s;                 \
        begin_it(&s);                   \
        change;                         \
        CHECK_REFUSED(&s, reason);      \
        end(&s);                        \
    } while (0)

#define KEEP(begin_it, change) \
    do {                       \
        struct spend s;        \
        begin_it(&s);          \
        change;                \
        CHECK_VALID(&s);       \
        end(&s);               \
    } while (0)

/* ---- what all actions share ---------------------------------------------------------------- */

static void begin_any(struct spend *s, unsigned action)
{
    static void (*const begins[])(struct spend *) = {begin_refund, begin_claim, begin_accept,
                                                     begin_take};

    begins[action](s);
}

FX_TEST(each_action_as_it_should_be)
{
    for (unsigned action = 0; action < 4; action++) {
        struct spend s;

        begin_any(&s, action);
        CHECK_VALID(&s);
        FX_CHECK_INT(s.spent.action, action);
        FX_CHECK(fx_outpoint_equal(&s.spent.origin, &(struct fx_outpoint){{{0}}, 0}) == false);
        end(&s);
    }
}

#define BREAK_ANY(change, reason)                            \
    do {                                                     \
        for (unsigned action_ = 0; action_ < 4; action_++) { \
            struct spend s;                                  \
            begin_any(&s, action_);                          \
            change;                                          \
            CHECK_REFUSED(&s, reason);                       \
            end(&s);                                         \
        }                                                    \
    } while (0)

FX_TEST(witnesses)
{
    BREAK_ANY(s.script_sig = true, "bad-task-witness");
    BREAK_ANY(s.no_signature = true, "bad-task-witness");
    BREAK_ANY(s.n_items++, "bad-task-witness");
    BREAK_ANY(s.action = 9, "bad-task-witness");
    BREAK_ANY(s.action = 255, "bad-task-witness");
    BREAK(begin_claim, s.n_items--, "bad-task-witness");
    BREAK(begin_accept, s.n_items--, "bad-task-witness");
    BREAK(begin_take, s.n_items--, "bad-task-witness");
    BREAK(begin_claim, s.items[0].len--, "bad-task-witness");
    BREAK(begin_claim, fx_buf_u8(&s.items[0], 0), "bad-task-witness");
    BREAK(begin_accept, s.items[0].len--, "bad-task-witness");
    BREAK(begin_accept, fx_buf_u8(&s.items[0], 0), "bad-task-witness");
}

/* The places of the actions that are still to come. */
FX_TEST(later_actions_are_refused)
{
    for (uint8_t action = FX_ACTION_FRAUD; action <= FX_ACTION_REJECT; action++) {
        for (size_t items = 0; items <= 3; items++) {
            struct spend s;

            begin_claimed(&s);
            s.action = s.sign_as = action;
            s.n_items = items;
            CHECK_REFUSED(&s, "bad-task-witness");
            end(&s);
        }
    }
}

FX_TEST(actions_from_other_states)
{
    /* A claimed output cannot be refunded or claimed, a funded one not accepted or taken. */
    BREAK(begin_accept,
          (s.action = s.sign_as = FX_ACTION_CLAIM, solve(&s, &s.claimed), set_claim_item(&s)),
          "bad-task-witness");
    BREAK(begin_claimed,
          (s.action = s.sign_as = FX_ACTION_REFUND, s.signer = s.client,
           s.lock_time = s.job.spec.deadline),
          "bad-task-witness");
    BREAK(begin_accept, (s.task.state = FX_TASK_FUNDED), "bad-task-witness");
    BREAK(begin_take, (s.task.state = FX_TASK_FUNDED), "bad-task-witness");
    BREAK(begin_accept, (s.task.state = FX_TASK_CHALLENGED), "bad-task-witness");
    BREAK(begin_take, (s.task.state = FX_TASK_CHALLENGED), "bad-task-witness");
    BREAK(begin_refund, (s.task.state = 3), "bad-task-witness");
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
} spend_raw(struct spend *s, const uint8_t *bytes, size_t n)
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
    add_witness(s, &b);
    tx = fx_txb_build(&b);
    fx_sighash_cache_init(&cache, tx, coins);
    fx_sighash_task(tx, IN, coins, s->sign_as, &cache, &hash);
    fx_test_sign(&s->signer, &hash, s->signature);
    fx_tx_unref(tx);
    add_witness(s, &b);
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
        struct spend s;
        struct fx_buf full = FX_BUF_INIT;
        struct fx_result_pair got;
        uint8_t bytes[120] = {0};

        begin_refund(&s);
        fx_task_write(&s.task, &full);
        memcpy(bytes, full.data, 75 + 4); /* up to the end of the spec's head; no true body */
        got = spend_raw(&s, bytes, n);
        FX_CHECK_INT(got.result, n >= 83 ? FX_VALID : FX_INVALID);
        if (n < 83) {
            FX_CHECK_STR(fx_verdict_string(got.why), "bad-task-spec");
        }
        fx_buf_clear(&full);
        end(&s);
    }
}

FX_TEST(invalid_specs_cannot_be_claimed)
{
    BREAK(begin_claim, (s.job.spec.version = 2, sync_spec(&s), solve(&s, &s.claimed)),
          "bad-task-spec");
    BREAK(begin_claim, (s.job.spec.kind = 2, sync_spec(&s)), "bad-task-spec");
    BREAK(begin_claim, (s.job.spec.window = 0, sync_spec(&s)), "bad-task-spec");
    BREAK(begin_claim, (s.job.spec.exclusive = 145, sync_spec(&s)), "bad-task-spec");
    BREAK(begin_claim, (s.job.spec.deadline = 499999999, sync_spec(&s)), "bad-task-spec");
    BREAK(begin_claim, s.task.index = 4, "bad-task-spec");
    BREAK(begin_claim, (s.job.gemm.k = 300, fx_test_job_pack(&s.job)), "bad-task-spec");
    BREAK(begin_claim, (fx_task_write(&s.task, &s.preimage), fx_buf_u8(&s.preimage, 0)),
          "bad-task-program");
}

FX_TEST(signatures)
{
    BREAK_ANY(s.bad_signature = true, "bad-task-sig");
    BREAK_ANY(fx_test_key(99, &s.signer), "bad-task-sig");
    /* Each action signs itself. */
    BREAK_ANY(s.sign_as = (uint8_t)(s.action ^ 1), "bad-task-sig");
    BREAK(begin_refund, s.signer = s.solver, "bad-task-sig");
    BREAK(begin_claim, s.signer = s.client, "bad-task-sig");
    BREAK(begin_accept, s.signer = s.client, "bad-task-sig");
    BREAK(begin_take, s.signer = s.client, "bad-task-sig");
}

/* ---- records ----------------------------------------------------------------------------- */

static void set_live(struct spend *s, bool live, unsigned outpoint)
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
    BREAK(begin_accept, s.scene.n_records = 0, "bad-task-record");
    BREAK(begin_accept, set_live(&s, true, 3), "bad-task-record");
    BREAK(begin_accept, set_live(&s, false, 2), "bad-task-record");
    BREAK(begin_take, s.scene.n_records = 0, "bad-task-record");
    BREAK(begin_take, set_live(&s, true, 3), "bad-task-record");
    BREAK(begin_take, set_live(&s, false, 2), "bad-task-record");
    /* A claimed preimage of a zero origin is not fresh. */
    BREAK(begin_take, memset(&s.task.origin, 0, sizeof(s.task.origin)), "bad-task-record");
    /* Anybody can pay to a preimage with an origin; only the one the record names counts. */
    BREAK(begin_claim, s.task.origin = fx_scene_outpoint(1), "bad-task-record");
    BREAK(begin_refund, s.task.origin = fx_scene_outpoint(1), "bad-task-record");
}

FX_TEST(records_that_cannot_be_looked_up)
{
    for (unsigned action = 0; action < 4; action++) {
        struct spend s;

        begin_any(&s, action);
        if (action == FX_ACTION_REFUND) {
            s.task.origin = fx_scene_outpoint(1);
        }
        s.scene.fail_record = true;
        FX_CHECK_INT(run(&s), FX_FAILED);
        end(&s);
    }
}

/* A task that is funded again, as fraud and expire leave it. */
static void fund_again(struct spend *s)
{
    struct fx_outpoint origin = fx_scene_outpoint(1);
    struct fx_task_record record;

    memset(&record, 0, sizeof(record));
    s->task.origin = origin;
    s->outpoint = fx_scene_outpoint(4);
    s->claimed.origin = origin;
    record.live = true;
    record.outpoint = s->outpoint;
    record.h0 = H0 - 7;
    record.asked = 5;
    record.client = s->client.xonly;
    fx_scene_set_record(&s->scene, &origin, &record);
}

static const struct fx_record_change *only_change(const struct spend *s)
{
    FX_CHECK_INT(s->delta.n, 1);
    return &s->delta.changes[0];
}

FX_TEST(claim_makes_the_record)
{
    struct spend s;
    const struct fx_record_change *change;

    begin_claim(&s);
    CHECK_VALID(&s);
    change = only_change(&s);
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
    end(&s);
}

FX_TEST(claim_of_a_task_that_is_funded_again)
{
    struct spend s;
    struct fx_outpoint origin = fx_scene_outpoint(1);
    const struct fx_record_change *change;

    begin_claim(&s);
    fund_again(&s);
    CHECK_VALID(&s);
    change = only_change(&s);
    FX_CHECK(fx_outpoint_equal(&change->origin, &origin));
    FX_CHECK(change->had && change->has);
    FX_CHECK_INT(change->after.h0, H0 - 7);
    FX_CHECK_INT(change->after.asked, 0);
    FX_CHECK_INT(change->after.state, FX_TASK_CLAIMED);
    FX_CHECK(fx_hash_equal(&change->after.outpoint.txid, &s.txid));
    /* The claimed output names the origin, not the outpoint that is spent. */
    s.claimed.origin = s.outpoint;
    CHECK_REFUSED(&s, "bad-task-pair");
    end(&s);
}

FX_TEST(settlement)
{
    for (unsigned action = FX_ACTION_ACCEPT; action <= FX_ACTION_TAKE; action++) {
        struct spend s;
        const struct fx_record_change *change;
        struct fx_task_record expected;
        struct fx_outpoint origin = fx_scene_outpoint(1);

        begin_any(&s, action);
        CHECK_VALID(&s);
        change = only_change(&s);
        FX_CHECK(fx_outpoint_equal(&change->origin, &origin));
        FX_CHECK(change->had && change->has);
        expected = change->before;
        FX_CHECK(expected.live);
        expected.live = false;
        expected.settled = s.height;
        FX_CHECK(fx_task_record_equal(&change->after, &expected));
        FX_CHECK_INT(s.spent.burned, BURN);
        FX_CHECK(fx_outpoint_equal(&s.spent.origin, &origin));
        end(&s);
    }
}

FX_TEST(refund_of_a_fresh_task_has_no_record)
{
    struct spend s;

    begin_refund(&s);
    CHECK_VALID(&s);
    FX_CHECK_INT(s.delta.n, 0);
    FX_CHECK_INT(s.spent.burned, 0);
    FX_CHECK(fx_outpoint_equal(&s.spent.origin, &s.outpoint));
    end(&s);
}

FX_TEST(refund_of_a_task_that_is_funded_again)
{
    struct spend s;
    const struct fx_record_change *change;

    begin_refund(&s);
    fund_again(&s);
    CHECK_VALID(&s);
    change = only_change(&s);
    FX_CHECK(change->had && change->has);
    FX_CHECK(!change->after.live);
    FX_CHECK_INT(change->after.settled, 0);
    end(&s);
}

/* ---- 0 refund ------------------------------------------------------------------------------ */

FX_TEST(refund_waits_for_the_deadline)
{
    BREAK(begin_refund, s.lock_time--, "bad-task-locktime");
    BREAK(begin_refund, s.lock_time = 0, "bad-task-locktime");
    KEEP(begin_refund, s.lock_time++);
    BREAK(begin_refund, s.sequence = FX_SEQUENCE_FINAL, "bad-task-sequence");
    KEEP(begin_refund, s.sequence = 0);
}

FX_TEST(refund_needs_a_lock_time_that_is_a_time)
{
    /* A deadline that is no time allows refund at once, with any time. */
    KEEP(begin_refund,
         (s.job.spec.deadline = 400, sync_spec(&s), s.lock_time = FX_LOCKTIME_THRESHOLD));
    BREAK(begin_refund, (s.job.spec.deadline = 400, sync_spec(&s), s.lock_time = 499999999),
          "bad-task-locktime");
}

FX_TEST(refund_of_an_invalid_spec)
{
    KEEP(begin_refund, (s.job.spec.version = 7, sync_spec(&s)));
    KEEP(begin_refund, (s.job.spec.kind = 200, sync_spec(&s)));
    KEEP(begin_refund, (s.job.spec.window = 0, sync_spec(&s)));
    KEEP(begin_refund, s.task.index = UINT32_MAX);
    KEEP(begin_refund, (s.job.gemm.m = 1, fx_test_job_pack(&s.job)));
}

/* ---- 1 claim ------------------------------------------------------------------------------- */

static void claim_with(struct spend *s, uint64_t escrow, uint64_t bond, uint64_t burn)
{
    s->claimed.escrow = escrow;
    s->claimed.bond = bond;
    s->claimed.burn = burn;
    s->paid = (int64_t)(escrow + bond);
    set_claim_item(s);
}

FX_TEST(claim_height)
{
    BREAK(begin_claim, s.height = H0, "bad-task-locktime");
    BREAK(begin_claim, s.height = H0 - 1, "bad-task-locktime");
    KEEP(begin_claim, s.height = H0 + 1);
    /* Also where the task is exclusive: no beacon can be there yet. */
    BREAK(begin_claim,
          (s.height = H0, s.scene.tip = H0 - 1, s.job.spec.exclusive = 10, sync_spec(&s),
           s.claimed.spec = s.task.spec),
          "bad-task-locktime");
}

FX_TEST(claim_amounts)
{
    const uint64_t max = UINT64_C(4204800000000000);

    BREAK(begin_claim, claim_with(&s, ESCROW - 1, BOND, BURN), "bad-task-amount");
    BREAK(begin_claim, claim_with(&s, ESCROW + 1, BOND + 1, BURN), "bad-task-amount");
    BREAK(begin_claim, claim_with(&s, ESCROW, BOND, ESCROW + 1), "bad-task-amount");
    KEEP(begin_claim, claim_with(&s, ESCROW, BOND, ESCROW));
    KEEP(begin_claim, claim_with(&s, ESCROW, BOND, 0));
    BREAK(begin_claim, claim_with(&s, ESCROW, max + 1, 0), "bad-task-amount");
    BREAK(begin_claim, claim_with(&s, ESCROW, UINT64_MAX, 0), "bad-task-amount");
    BREAK(begin_claim, claim_with(&s, UINT64_MAX, BOND, 0), "bad-task-amount");
    BREAK(begin_claim, claim_with(&s, ESCROW, BOND, UINT64_MAX), "bad-task-amount");
    /* escrow + bond is bounded as well as each. */
    FX_CHECK_INT(fx_params_get(FX_REGTEST)->max_money, max);
    KEEP(begin_claim, claim_with(&s, ESCROW, max - ESCROW, 0));
    BREAK(begin_claim, claim_with(&s, ESCROW, max - ESCROW + 1, 0), "bad-task-amount");
}

FX_TEST(claim_bond)
{
    KEEP(begin_claim, claim_with(&s, ESCROW, ESCROW / 4, 0));
    BREAK(begin_claim, claim_with(&s, ESCROW, ESCROW / 4 - 1, 0), "bad-task-bond");
    KEEP(begin_claim, claim_with(&s, ESCROW, ESCROW, 0));
    /* 4 * bond against an escrow that four does not divide. */
    KEEP(begin_claim, (s.value = ESCROW + 1, claim_with(&s, ESCROW + 1, BOND + 1, 0)));
    BREAK(begin_claim, (s.value = ESCROW + 1, claim_with(&s, ESCROW + 1, BOND, 0)),
          "bad-task-bond");
    KEEP(begin_claim, (s.value = 100, claim_with(&s, 100, FX_DEPOSIT, 0)));
    BREAK(begin_claim, (s.value = 100, claim_with(&s, 100, FX_DEPOSIT - 1, 0)), "bad-task-bond");
}

FX_TEST(claim_pair)
{
    BREAK(begin_claim, s.paid--, "bad-task-pair");
    KEEP(begin_claim, s.paid++);
    BREAK(begin_claim, s.wrong_pair = true, "bad-task-pair");
    BREAK(begin_claim, s.no_pair = true, "bad-task-pair");
    /* The output pays to other fields than the witness has. */
    BREAK(begin_claim, s.claimed.burn--, "bad-task-pair");
    BREAK(begin_claim, s.claimed.result.b[0] ^= 1, "bad-task-pair");
    BREAK(begin_claim, s.claimed.origin = fx_scene_outpoint(9), "bad-task-pair");
    BREAK(begin_claim, s.claimed.index = 0, "bad-task-pair");
    BREAK(begin_claim, s.claimed.state = FX_TASK_FUNDED, "bad-task-pair");
}

/* Job-lane blocks at these heights, each of a solver with key 100 + its number. */
static void job_blocks(struct spend *s, const uint32_t *heights, size_t n)
{
    for (size_t at = 0; at < n; at++) {
        struct fx_test_key key;

        fx_test_key(100 + (unsigned)at, &key);
        s->scene.lane[heights[at]] = FX_LANE_JOB;
        s->scene.solver[heights[at]] = key.xonly;
    }
}

static void exclusive(struct spend *s, uint16_t blocks, uint32_t height)
{
    s->job.spec.exclusive = blocks;
    sync_spec(s);
    s->claimed.spec = s->task.spec;
    s->height = height;
    s->scene.tip = height - 1;
}

/* The claim is made by this key. */
static void claimed_by(struct spend *s, unsigned key)
{
    fx_test_key(key, &s->solver);
    s->signer = s->solver;
    s->claimed.solver = s->solver.xonly;
    set_claim_item(s);
}

/* Number of the assignee among n, by the rule's words. */
static unsigned assignee(const struct spend *s, uint32_t beacon_height, unsigned n)
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
        struct spend s;

        begin_claim(&s);
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
        end(&s);
    }
}

FX_TEST(exclusivity_looks_back_2016_blocks)
{
    static const uint32_t heights[] = {2500 - 2016, 2500 - 2015, 2500, 2501};
    struct spend s;

    /* Of these four, the first is too old and the last too young: two are left. */
    for (unsigned key = 100; key < 104; key++) {
        begin_claim(&s);
        s.coin_height = 2500;
        exclusive(&s, 144, 2600);
        job_blocks(&s, heights, 4);
        claimed_by(&s, key);
        if (key == 101 + assignee(&s, 2502, 2)) {
            CHECK_VALID(&s);
        } else {
            CHECK_REFUSED(&s, "bad-task-exclusive");
        }
        end(&s);
    }
}

FX_TEST(exclusivity_from_genesis_on)
{
    static const uint32_t heights[] = {1, 2};

    for (unsigned key = 100; key < 102; key++) {
        struct spend s;

        begin_claim(&s);
        s.coin_height = 2;
        exclusive(&s, 10, 5);
        job_blocks(&s, heights, 2);
        claimed_by(&s, key);
        if (key == 100 + assignee(&s, 3, 2)) {
            CHECK_VALID(&s);
        } else {
            CHECK_REFUSED(&s, "bad-task-exclusive");
        }
        end(&s);
    }
}

FX_TEST(exclusivity_needs_the_beacon)
{
    uint32_t above[20];
    struct spend t;

    for (uint32_t at = 0; at < 20; at++) {
        above[at] = H0 + 1 + at;
    }
    /* No job-lane block up to h0, so anyone may, but not before the beacon. */
    begin_claim(&t);
    exclusive(&t, 10, H0 + 5);
    CHECK_VALID(&t);
    job_blocks(&t, above, 4);
    CHECK_REFUSED(&t, "bad-task-exclusive");
    t.height = H0 + 10;
    CHECK_REFUSED(&t, "bad-task-exclusive");
    t.height = H0 + 11;
    CHECK_VALID(&t);
    end(&t);
    /* Right after h0 nothing can lie between. */
    begin_claim(&t);
    exclusive(&t, 10, H0 + 1);
    CHECK_REFUSED(&t, "bad-task-exclusive");
    end(&t);
    KEEP(begin_claim, exclusive(&s, 0, H0 + 1));
}

FX_TEST(look_ups_of_claims_that_fail)
{
    struct spend s;

    begin_claim(&s);
    exclusive(&s, 10, H0 + 10);
    s.scene.fail_beacon = true;
    FX_CHECK_INT(run(&s), FX_FAILED);
    s.scene.fail_beacon = false;
    CHECK_VALID(&s);
    s.scene.fail_ancestor = true;
    FX_CHECK_INT(run(&s), FX_FAILED);
    end(&s);
}

/* ---- 2 accept ------------------------------------------------------------------------------ */

FX_TEST(certificates)
{
    struct spend t;
    struct fx_hash hash = {{1}};

    BREAK(begin_accept, s.items[0].data[5] ^= 1, "bad-task-certificate");
    /* The client't signature of something else; somebody else't of the right hash. */
    BREAK(begin_accept, fx_test_sign(&s.client, &hash, s.items[0].data), "bad-task-certificate");
    begin_accept(&t);
    {
        uint8_t script[FX_TASK_SCRIPT_SIZE];
        struct fx_hash program;

        task_script(&t.task, script);
        memcpy(program.b, script + 2, 32);
        fx_task_accept_hash(&program, &hash);
    }
    fx_test_sign(&t.solver, &hash, t.items[0].data);
    CHECK_REFUSED(&t, "bad-task-certificate");
    fx_test_sign(&t.client, &hash, t.items[0].data);
    CHECK_VALID(&t);
    end(&t);
    /* A claim with another result has another program. */
    BREAK(begin_accept, s.task.result.b[0] ^= 1, "bad-task-certificate");
    /* Neither window nor beacon matter. */
    KEEP(begin_accept, (s.height = 951, s.scene.tip = 950, s.sequence = FX_SEQUENCE_FINAL));
}

/* ---- 3 take -------------------------------------------------------------------------------- */

FX_TEST(take_waits_for_the_window)
{
    BREAK(begin_take, s.version = 1, "bad-task-sequence");
    BREAK(begin_take, s.sequence |= FX_SEQUENCE_LOCK_DISABLE, "bad-task-sequence");
    BREAK(begin_take, s.sequence &= ~FX_SEQUENCE_LOCK_TIME, "bad-task-sequence");
    BREAK(begin_take, s.sequence--, "bad-task-sequence");
    KEEP(begin_take, s.sequence++);
    KEEP(begin_take, s.sequence |= UINT32_C(1) << 25);
    /* Bits above the low 16 do not count as units. */
    BREAK(begin_take, s.sequence = FX_SEQUENCE_LOCK_TIME | UINT32_C(0x10000) | 19,
          "bad-task-sequence");
}

FX_TEST(take_needs_the_beacon)
{
    struct spend t;

    BREAK(begin_take, (s.height = 951, s.scene.tip = 950), "bad-task-sample");
    KEEP(begin_take, (s.height = 952, s.scene.tip = 951));
    /* The first hash-lane block above counts, not the first block. */
    begin_take(&t);
    t.scene.lane[951] = FX_LANE_JOB;
    CHECK_REFUSED(&t, "bad-task-sample");
    t.items[0].len = t.items[1].len = 0;
    t.n_items = 0;
    add_sample(&t, 0, 952);
    add_sample(&t, 1, 952);
    CHECK_VALID(&t);
    t.scene.fail_beacon = true;
    FX_CHECK_INT(run(&t), FX_FAILED);
    end(&t);
}

static void swap_samples(struct spend *s)
{
    struct fx_buf held = s->items[0];

    s->items[0] = s->items[1];
    s->items[1] = held;
}

FX_TEST(samples)
{
    BREAK(begin_take, s.items[0].data[100] ^= 1, "bad-task-sample");
    BREAK(begin_take, s.items[1].data[100] ^= 1, "bad-task-sample");
    BREAK(begin_take, s.items[0].len--, "bad-task-sample");
    BREAK(begin_take, s.items[1].len = 0, "bad-task-sample");
    BREAK(begin_take, swap_samples(&s), "bad-task-sample");
}

/* A result that is wrong just where a sample looks. */
FX_TEST(samples_of_a_wrong_result)
{
    for (uint8_t number = 0; number < FX_TASK_SAMPLES; number++) {
        struct spend s;
        struct fx_hash beacon, hash;
        uint32_t row, column;

        begin_take(&s);
        fx_scene_id(951, &beacon);
        fx_task_sample_hash(&beacon, &s.task.origin, number, &hash);
        fx_kind_gemm.sample(&s.shape, &hash, &row, &column);
        row -= s.shape.row0 * FX_TILE;
        column -= s.shape.col0 * FX_TILE;
        s.result[(size_t)row * s.shape.cols * FX_TILE + column] ^= 1;
        fx_test_result_root(&s.shape, s.result, &s.solver.xonly, &s.task.result);
        s.items[0].len = s.items[1].len = 0;
        s.n_items = 0;
        add_sample(&s, 0, 951);
        add_sample(&s, 1, 951);
        CHECK_REFUSED(&s, "bad-task-sample");
        end(&s);
    }
}

/* ---- an end to end walk --------------------------------------------------------------------- */

/* The record that claim leaves is the one that take needs, without anything in between. */
FX_TEST(claim_then_take_in_one_delta)
{
    struct spend claim, take;
    struct fx_task_record record;

    begin_claim(&claim);
    CHECK_VALID(&claim);
    record = only_change(&claim)->after;
    begin_take(&take);
    take.outpoint = record.outpoint;
    take.scene.n_records = 0;
    fx_scene_set_record(&take.scene, &claim.outpoint, &record);
    CHECK_VALID(&take);
    FX_CHECK_INT(only_change(&take)->after.settled, take.height);
    end(&claim);
    end(&take);
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
