/* One spend of a task output for tests. */
#include "qa/unit/consensus/spend_case.h"

#include <stdlib.h>
#include <string.h>

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
    fx_buf_u64(item, s->claimed.escrow);
    fx_buf_u64(item, s->claimed.bond);
    fx_buf_u64(item, s->claimed.burn);
    fx_buf_hash(item, &s->claimed.solver);
    fx_buf_hash(item, &s->claimed.result);
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
    fx_case_solve(s, &s->claimed);
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
    uint8_t script[FX_TASK_SCRIPT_SIZE];

    fx_txb_add_out(b, 500, change, 34);
    if (s->action != FX_ACTION_CLAIM) {
        fx_txb_add_out(b, 600, change, 34);
        return;
    }
    if (s->no_second_output) {
        return;
    }
    fx_case_task_script(&s->claimed, script);
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
enum fx_result fx_case_run(struct fx_spend_case *s)
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

void fx_case_begin_any(struct fx_spend_case *s, unsigned action)
{
    static void (*const begins[])(struct fx_spend_case *) = {
        fx_case_begin_refund, fx_case_begin_claim, fx_case_begin_accept, fx_case_begin_take};

    begins[action](s);
}

const struct fx_record_change *fx_case_only_change(const struct fx_spend_case *s)
{
    FX_CHECK_INT(s->delta.n, 1);
    return &s->delta.changes[0];
}
