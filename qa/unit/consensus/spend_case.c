/* One spend of a task output for tests. */
#include "qa/unit/consensus/spend_case.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"

static void begin(struct fx_spend_case *s)
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
    s->action_bytes = 1;
    s->signature_bytes = 64;
    s->sequence = FX_SEQUENCE_FINAL - 1;
}

void fx_case_end(struct fx_spend_case *s)
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

void fx_case_sync_spec(struct fx_spend_case *s)
{
    struct fx_span body = {s->job.body, sizeof(s->job.body)};

    s->job.spec.body = body;
    s->task.spec = s->job.spec;
}

void fx_case_task_script(const struct fx_task *task, uint8_t script[FX_TASK_SCRIPT_SIZE])
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

void fx_case_set_claim_item(struct fx_spend_case *s)
{
    struct fx_buf *item = &s->items[0];

    item->len = 0;
    fx_buf_u64(item, s->next.escrow);
    fx_buf_u64(item, s->next.bond);
    fx_buf_u64(item, s->next.burn);
    fx_buf_hash(item, &s->next.solver);
    fx_buf_hash(item, &s->next.result);
    s->n_items = 1;
}

void fx_case_solve(struct fx_spend_case *s, struct fx_task *claimed)
{
    *claimed = s->task;
    claimed->state = FX_TASK_CLAIMED;
    claimed->origin = s->outpoint;
    claimed->escrow = ESCROW;
    claimed->bond = BOND;
    claimed->burn = BURN;
    claimed->solver = s->solver.xonly;
    free(s->result); /* of an earlier solution */
    s->result = fx_test_job_result(&s->job, &s->shape);
    fx_test_result_root(&s->shape, s->result, &s->solver.xonly, &claimed->result);
}

void fx_case_begin_refund(struct fx_spend_case *s)
{
    begin(s);
    s->action = s->sign_as = FX_ACTION_REFUND;
    s->signer = s->client;
    s->lock_time = s->job.spec.deadline;
}

void fx_case_begin_claim(struct fx_spend_case *s)
{
    begin(s);
    s->action = s->sign_as = FX_ACTION_CLAIM;
    s->signer = s->solver;
    fx_case_solve(s, &s->next);
    s->pay = FX_CASE_TASK;
    s->paid = ESCROW + BOND;
    fx_case_set_claim_item(s);
}

/* The claimed output and its record, at the outpoint that is spent; the origin is another. */
void fx_case_begin_claimed(struct fx_spend_case *s)
{
    struct fx_task claimed;
    struct fx_task_record record;
    struct fx_outpoint origin = fx_scene_outpoint(1);

    begin(s);
    fx_case_solve(s, &claimed);
    s->task = claimed;
    s->outpoint = fx_scene_outpoint(2);
    s->value = ESCROW + BOND;
    s->coin_height = H1;
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

void fx_case_begin_accept(struct fx_spend_case *s)
{
    struct fx_hash program, hash;
    uint8_t script[FX_TASK_SCRIPT_SIZE], certificate[64];

    fx_case_begin_claimed(s);
    s->action = s->sign_as = FX_ACTION_ACCEPT;
    fx_case_task_script(&s->task, script);
    memcpy(program.b, script + 2, 32);
    fx_task_accept_hash(&program, &hash);
    fx_test_sign(&s->client, &hash, certificate);
    fx_buf_bytes(&s->items[0], certificate, 64);
    s->n_items = 1;
}

void fx_case_add_sample(struct fx_spend_case *s, uint8_t number, uint32_t beacon_height)
{
    struct fx_hash beacon, hash;
    uint32_t row, column;

    fx_scene_id(beacon_height, &beacon);
    fx_task_sample_hash(&beacon, &s->task.origin, number, &hash);
    fx_kind_gemm.sample(&s->shape, &hash, &row, &column);
    fx_test_entry_proof(&s->job, &s->shape, s->result, &s->solver.xonly, row, column,
                        &s->items[s->n_items++]);
}

void fx_case_begin_take(struct fx_spend_case *s)
{
    fx_case_begin_claimed(s);
    s->action = s->sign_as = FX_ACTION_TAKE;
    s->sequence = FX_SEQUENCE_LOCK_TIME | s->job.spec.window;
    fx_case_add_sample(s, 0, 951);
    fx_case_add_sample(s, 1, 951);
}

/* From here on the claim's result is wrong in one entry. */
static void spoil_result(struct fx_spend_case *s)
{
    size_t row = FX_CASE_ROW - s->shape.row0 * FX_TILE;
    size_t column = FX_CASE_COLUMN - s->shape.col0 * FX_TILE;

    s->result[row * s->shape.cols * FX_TILE + column] += 1;
    fx_test_result_root(&s->shape, s->result, &s->solver.xonly, &s->task.result);
}

void fx_case_begin_challenged(struct fx_spend_case *s)
{
    struct fx_task_record *record;

    fx_case_begin_claimed(s);
    s->task.state = FX_TASK_CHALLENGED;
    s->task.tile = 1;
    s->value = ESCROW + BOND + FX_DEPOSIT;
    record = fx_case_record(s);
    record->state = FX_TASK_CHALLENGED;
    record->asked = 3;
}

struct fx_task_record *fx_case_record(struct fx_spend_case *s)
{
    FX_CHECK_INT(s->scene.n_records, 1);
    return &s->scene.records[0].record;
}

/* Pays to the task in this state. */
static void pay_task(struct fx_spend_case *s, enum fx_task_state state, int64_t value)
{
    s->next = s->task;
    s->next.state = (uint8_t)state;
    s->pay = FX_CASE_TASK;
    s->paid = value;
}

void fx_case_set_entry(struct fx_spend_case *s, uint32_t row, uint32_t column)
{
    s->items[0].len = s->items[1].len = 0;
    fx_buf_u32(&s->items[0], row);
    fx_buf_u32(&s->items[0], column);
    fx_test_entry_proof(&s->job, &s->shape, s->result, &s->task.solver, row, column, &s->items[1]);
    s->n_items = 2;
}

static void accuse(struct fx_spend_case *s)
{
    s->action = s->sign_as = FX_ACTION_FRAUD;
    s->signer = s->client;
    spoil_result(s);
    fx_case_set_entry(s, FX_CASE_ROW, FX_CASE_COLUMN);
    pay_task(s, FX_TASK_FUNDED, ESCROW);
}

void fx_case_begin_fraud(struct fx_spend_case *s)
{
    fx_case_begin_claimed(s);
    accuse(s);
    s->signature_bytes = 0;
}

void fx_case_begin_fraud_challenged(struct fx_spend_case *s)
{
    fx_case_begin_challenged(s);
    accuse(s);
}

void fx_case_begin_challenge(struct fx_spend_case *s)
{
    fx_case_begin_claimed(s);
    s->action = s->sign_as = FX_ACTION_CHALLENGE;
    s->signer = s->client;
    fx_buf_u32(&s->items[0], 1);
    s->n_items = 1;
    pay_task(s, FX_TASK_CHALLENGED, ESCROW + BOND + FX_DEPOSIT);
    s->next.tile = 1;
}

void fx_case_set_tile(struct fx_spend_case *s, uint32_t tile)
{
    uint8_t data[FX_TILE_BYTES], path[32 * 8];
    size_t n = fx_test_result_tile(&s->shape, s->result, &s->solver.xonly, tile, data, path);

    s->items[0].len = s->items[1].len = 0;
    fx_buf_bytes(&s->items[0], data, sizeof(data));
    fx_buf_bytes(&s->items[1], path, 32 * n);
    s->n_items = 2;
}

void fx_case_begin_answer(struct fx_spend_case *s)
{
    fx_case_begin_challenged(s);
    s->action = s->sign_as = FX_ACTION_ANSWER;
    fx_case_set_tile(s, 1);
    pay_task(s, FX_TASK_CLAIMED, ESCROW + BOND);
}

static void give_up(struct fx_spend_case *s, uint32_t units)
{
    s->action = s->sign_as = FX_ACTION_EXPIRE;
    s->signer = s->client;
    s->sequence = FX_SEQUENCE_LOCK_TIME | units;
    pay_task(s, FX_TASK_FUNDED, ESCROW);
}

void fx_case_begin_expire(struct fx_spend_case *s)
{
    fx_case_begin_claimed(s);
    give_up(s, 2 * s->job.spec.window);
    /* The beacon is the block above the claim. */
    s->height = H1 + 1 + 60;
    s->scene.tip = s->height - 1;
}

void fx_case_begin_expire_challenged(struct fx_spend_case *s)
{
    fx_case_begin_challenged(s);
    s->params.answer_window = 5;
    give_up(s, 5);
}

void fx_case_begin_reject(struct fx_spend_case *s)
{
    fx_case_begin_claimed(s);
    s->action = s->sign_as = FX_ACTION_REJECT;
    s->signer = s->client;
    fx_case_record(s)->asked = FX_TASK_ASKED_MAX;
    s->pay = FX_CASE_SOLVER;
    s->paid = BOND;
}

void fx_case_add_witness(struct fx_spend_case *s, struct fx_txb *b)
{
    const uint8_t action[2] = {s->action, 0};

    fx_txb_clear_witness(b, IN);
    if (s->no_witness) {
        return;
    }
    fx_txb_push_witness(b, IN, action, s->action_bytes);
    if (!s->no_signature) {
        fx_txb_push_witness(b, IN, s->signature, s->signature_bytes);
    }
    for (size_t at = 0; at < s->n_items; at++) {
        fx_txb_push_witness(b, IN, s->items[at].data, s->items[at].len);
    }
    fx_txb_push_witness(b, IN, s->preimage.data, s->preimage.len);
}

static void add_outputs(struct fx_spend_case *s, struct fx_txb *b, const uint8_t change[34])
{
    uint8_t script[FX_TASK_SCRIPT_SIZE + 1] = {0};

    fx_txb_add_out(b, 500, change, 34);
    if (s->pay == FX_CASE_PLAIN) {
        fx_txb_add_out(b, 600, change, 34);
        return;
    }
    if (s->no_second_output) {
        return;
    }
    if (s->pay == FX_CASE_TASK) {
        fx_case_task_script(&s->next, script);
    } else {
        fx_script_p2tr(s->solver.xonly.b, script);
        script[0] ^= s->script_byte;
    }
    if (s->wrong_pair) {
        script[9] ^= 1;
    }
    if (s->no_pair) {
        /* It is there, at another index. */
        fx_txb_add_out(b, 1, change, 34);
    }
    fx_txb_add_out(b, s->paid, script, FX_TASK_SCRIPT_SIZE + (s->long_script ? 1 : 0));
}

struct fx_tx *fx_case_build(struct fx_spend_case *s, struct fx_coin coins[2])
{
    uint8_t script[FX_TASK_SCRIPT_SIZE], change[34] = {0x51, 0x20, 7};
    struct fx_outpoint other = fx_scene_outpoint(77);
    struct fx_sighash_cache cache;
    struct fx_hash hash;
    struct fx_txb b;
    struct fx_tx *tx;
    struct fx_txout out;

    fx_txb_init(&b);
    b.version = s->version;
    b.lock_time = s->lock_time;
    fx_txb_add_in(&b, &other, 0);
    fx_txb_add_in(&b, &s->outpoint, s->sequence);
    if (s->script_sig) {
        fx_txb_set_script_sig(&b, IN, "\x51", 1);
    }
    add_outputs(s, &b, change);

    fx_case_task_script(&s->task, script);
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

    fx_case_add_witness(s, &b);
    tx = fx_txb_build(&b);
    fx_sighash_cache_init(&cache, tx, coins);
    fx_sighash_task(tx, IN, coins, s->sign_as, &cache, &hash);
    fx_test_sign(&s->signer, &hash, s->signature);
    if (s->bad_signature) {
        s->signature[40] ^= 1;
    }
    fx_tx_unref(tx);
    fx_case_add_witness(s, &b);
    tx = fx_txb_build(&b);
    fx_txb_clear(&b);
    return tx;
}

enum fx_result fx_case_run(struct fx_spend_case *s)
{
    struct fx_coin coins[2];
    struct fx_tx *tx = fx_case_build(s, coins);
    struct fx_sighash_cache cache;
    struct fx_spend_context ctx;
    enum fx_result result;

    s->txid = tx->txid;
    fx_sighash_cache_init(&cache, tx, coins);
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
    fx_coin_clear(&coins[0]);
    fx_coin_clear(&coins[1]);
    return result;
}

void fx_case_begin_any(struct fx_spend_case *s, unsigned number)
{
    static void (*const begins[FX_CASES])(struct fx_spend_case *) = {
        fx_case_begin_refund,
        fx_case_begin_claim,
        fx_case_begin_accept,
        fx_case_begin_take,
        fx_case_begin_fraud,
        fx_case_begin_challenge,
        fx_case_begin_answer,
        fx_case_begin_expire,
        fx_case_begin_reject,
        fx_case_begin_fraud_challenged,
        fx_case_begin_expire_challenged};

    begins[number](s);
}

const struct fx_record_change *fx_case_only_change(const struct fx_spend_case *s)
{
    FX_CHECK_INT(s->delta.n, 1);
    return &s->delta.changes[0];
}
