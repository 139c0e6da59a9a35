/* A task of the kit's job, by every action. */
#include "qa/unit/chain/kit_task.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "qa/unit/harness.h"

/* A transaction in the making: the task is its input 0. */
struct act {
    struct kit_task *at;
    enum fx_task_action action;
    struct fx_test_key signer;
    bool unsigned_;
    uint32_t sequence, lock_time;
    struct fx_buf items[2]; /* between signature and preimage */
    size_t n_items;
    const struct kit_coin *extra; /* a coin of the miner key, input 1 */
    int64_t burned;
    /* output 0: a task, a key, or nothing of the kind */
    bool pays_task, pays_solver;
    struct fx_task next;
    int64_t paid;
};

static void begin(struct act *act, struct kit_task *at, enum fx_task_action action,
                  const struct fx_test_key *signer)
{
    memset(act, 0, sizeof(*act));
    act->at = at;
    act->action = action;
    act->signer = *signer;
    act->sequence = FX_SEQUENCE_FINAL - 1;
}

static void pay_task(struct act *act, enum fx_task_state state, int64_t value)
{
    act->pays_task = true;
    act->next = act->at->task;
    act->next.state = (uint8_t)state;
    if (fx_outpoint_is_zero(&act->next.origin)) {
        act->next.origin = act->at->coin.outpoint;
    }
    act->paid = value;
}

static void task_script(const struct fx_task *task, uint8_t script[FX_TASK_SCRIPT_SIZE])
{
    struct fx_buf preimage = FX_BUF_INIT;
    struct fx_hash program;

    fx_task_write(task, &preimage);
    fx_task_program((struct fx_span){preimage.data, preimage.len}, &program);
    fx_task_script(&program, script);
    fx_buf_clear(&preimage);
}

static void coin_set(struct fx_coin *coin, const struct kit_coin *from, const uint8_t script[34])
{
    struct fx_txout out = {.value = from->value, .script = {script, 34}};

    fx_coin_set(coin, &out, from->height, false);
}

static void add_outputs(const struct act *act, struct fx_txb *b)
{
    const struct kit *kit = act->at->kit;
    int64_t rest = act->at->coin.value + (act->extra != NULL ? act->extra->value : 0);
    uint8_t script[34];

    if (act->pays_task) {
        task_script(&act->next, script);
    } else if (act->pays_solver) {
        fx_script_p2tr(kit->solver.xonly.b, script);
    }
    if (act->pays_task || act->pays_solver) {
        fx_txb_add_out(b, act->paid, script, sizeof(script));
    }
    rest -= act->paid + act->burned + kit->fee;
    FX_CHECK(rest >= 0);
    if (rest > 0) {
        fx_script_p2tr(kit->miner.xonly.b, script);
        fx_txb_add_out(b, rest, script, sizeof(script));
    }
}

static void sign(const struct act *act, struct fx_txb *b, const struct fx_coin *spent,
                 uint8_t signature[64])
{
    struct fx_tx *tx = fx_txb_build(b);
    struct fx_sighash_cache cache;
    struct fx_hash hash;
    uint8_t key_path[64];

    fx_sighash_cache_init(&cache, tx, spent);
    fx_sighash_task(tx, 0, spent, (uint8_t)act->action, &cache, &hash);
    fx_test_sign(&act->signer, &hash, signature);
    if (act->extra != NULL) {
        FX_CHECK(fx_sighash_taproot(tx, 1, spent, FX_SIGHASH_DEFAULT, NULL, &cache, &hash));
        fx_test_sign(&act->at->kit->miner, &hash, key_path);
        fx_txb_push_witness(b, 1, key_path, sizeof(key_path));
    }
    fx_tx_unref(tx);
}

static struct fx_tx *end(struct act *act)
{
    struct kit_task *at = act->at;
    uint8_t script[34], signature[64], action = (uint8_t)act->action;
    struct fx_buf preimage = FX_BUF_INIT;
    struct fx_coin spent[2] = {{0}};
    struct fx_txb b;
    struct fx_tx *tx;

    fx_txb_init(&b);
    b.lock_time = act->lock_time;
    fx_txb_add_in(&b, &at->coin.outpoint, act->sequence);
    task_script(&at->task, script);
    coin_set(&spent[0], &at->coin, script);
    if (act->extra != NULL) {
        fx_txb_add_in(&b, &act->extra->outpoint, FX_SEQUENCE_FINAL - 1);
        fx_script_p2tr(at->kit->miner.xonly.b, script);
        coin_set(&spent[1], act->extra, script);
    }
    add_outputs(act, &b);
    sign(act, &b, spent, signature);
    fx_task_write(&at->task, &preimage);
    fx_txb_push_witness(&b, 0, &action, 1);
    fx_txb_push_witness(&b, 0, signature, act->unsigned_ ? 0 : sizeof(signature));
    for (size_t i = 0; i < act->n_items; i++) {
        fx_txb_push_witness(&b, 0, act->items[i].data, act->items[i].len);
        fx_buf_clear(&act->items[i]);
    }
    fx_txb_push_witness(&b, 0, preimage.data, preimage.len);
    tx = fx_txb_build(&b);
    at->coin = kit_output(tx, 0, 0);
    if (act->pays_task) {
        at->task = act->next;
    }
    fx_txb_clear(&b);
    fx_buf_clear(&preimage);
    fx_coin_clear(&spent[0]);
    fx_coin_clear(&spent[1]);
    return tx;
}

void kit_task_init(struct kit_task *at, const struct kit *kit, const struct fx_tx *fund,
                   uint32_t height)
{
    memset(at, 0, sizeof(*at));
    at->kit = kit;
    at->task.state = FX_TASK_FUNDED;
    at->task.spec = kit->job.spec;
    at->task.kind = &fx_kind_gemm;
    fx_kind_gemm.task_shape(kit->job.spec.body, 0, &at->task.shape);
    at->coin = kit_output(fund, 0, height);
}

void kit_task_clear(struct kit_task *at)
{
    free(at->result);
    memset(at, 0, sizeof(*at));
}

struct fx_tx *kit_task_claim(struct kit_task *at, const struct kit_coin *bond, int64_t burn,
                             bool wrong)
{
    const struct kit *kit = at->kit;
    struct act act;

    free(at->result);
    at->result = fx_test_job_result(&kit->job, &at->task.shape);
    if (wrong) {
        at->result[KIT_WRONG_ROW * at->task.shape.cols * FX_TILE + KIT_WRONG_COLUMN] += 2;
    }
    begin(&act, at, FX_ACTION_CLAIM, &kit->solver);
    act.extra = bond;
    pay_task(&act, FX_TASK_CLAIMED, 0);
    act.next.escrow = (uint64_t)at->coin.value;
    act.next.bond = act.next.escrow > FX_DEPOSIT ? act.next.escrow : FX_DEPOSIT;
    act.next.burn = (uint64_t)burn;
    act.next.solver = kit->solver.xonly;
    fx_test_result_root(&at->task.shape, at->result, &act.next.solver, &act.next.result);
    act.paid = (int64_t)(act.next.escrow + act.next.bond);
    fx_buf_u64(&act.items[0], act.next.escrow);
    fx_buf_u64(&act.items[0], act.next.bond);
    fx_buf_u64(&act.items[0], act.next.burn);
    fx_buf_hash(&act.items[0], &act.next.solver);
    fx_buf_hash(&act.items[0], &act.next.result);
    act.n_items = 1;
    return end(&act);
}

struct fx_tx *kit_task_accept(struct kit_task *at)
{
    uint8_t script[FX_TASK_SCRIPT_SIZE], certificate[64];
    struct fx_hash program, hash;
    struct act act;

    begin(&act, at, FX_ACTION_ACCEPT, &at->kit->solver);
    act.burned = (int64_t)at->task.burn;
    task_script(&at->task, script);
    memcpy(program.b, script + 2, sizeof(program.b));
    fx_task_accept_hash(&program, &hash);
    fx_test_sign(&at->kit->client, &hash, certificate);
    fx_buf_bytes(&act.items[0], certificate, sizeof(certificate));
    act.n_items = 1;
    return end(&act);
}

static void add_entry(struct act *act, uint32_t row, uint32_t column)
{
    const struct kit_task *at = act->at;

    fx_test_entry_proof(&at->kit->job, &at->task.shape, at->result, &at->task.solver, row, column,
                        &act->items[act->n_items++]);
}

struct fx_tx *kit_task_take(struct kit_task *at, const struct fx_hash *beacon)
{
    struct act act;

    begin(&act, at, FX_ACTION_TAKE, &at->kit->solver);
    act.burned = (int64_t)at->task.burn;
    act.sequence = FX_SEQUENCE_LOCK_TIME | at->task.spec.window;
    for (uint8_t number = 0; number < FX_TASK_SAMPLES; number++) {
        struct fx_hash hash;
        uint32_t row, column;

        fx_task_sample_hash(beacon, &at->task.origin, number, &hash);
        fx_kind_gemm.sample(&at->task.shape, &hash, &row, &column);
        add_entry(&act, row, column);
    }
    return end(&act);
}

static void restore(struct act *act)
{
    pay_task(act, FX_TASK_FUNDED, (int64_t)act->at->task.escrow);
    act->burned = (int64_t)(act->at->task.bond / 2);
}

struct fx_tx *kit_task_fraud(struct kit_task *at)
{
    struct act act;

    begin(&act, at, FX_ACTION_FRAUD, &at->kit->client);
    act.unsigned_ = at->task.state == FX_TASK_CLAIMED;
    fx_buf_u32(&act.items[0], KIT_WRONG_ROW);
    fx_buf_u32(&act.items[0], KIT_WRONG_COLUMN);
    act.n_items = 1;
    add_entry(&act, KIT_WRONG_ROW, KIT_WRONG_COLUMN);
    restore(&act);
    return end(&act);
}

struct fx_tx *kit_task_challenge(struct kit_task *at, const struct kit_coin *deposit)
{
    struct act act;

    begin(&act, at, FX_ACTION_CHALLENGE, &at->kit->client);
    act.extra = deposit;
    pay_task(&act, FX_TASK_CHALLENGED, at->coin.value + FX_DEPOSIT);
    act.next.tile = 0;
    fx_buf_u32(&act.items[0], act.next.tile);
    act.n_items = 1;
    return end(&act);
}

struct fx_tx *kit_task_answer(struct kit_task *at, const struct kit_coin *fee)
{
    uint8_t data[FX_TILE_BYTES], path[32 * 8];
    struct act act;
    size_t n = fx_test_result_tile(&at->task.shape, at->result, &at->task.solver, at->task.tile,
                                   data, path);

    begin(&act, at, FX_ACTION_ANSWER, &at->kit->solver);
    act.extra = fee;
    act.burned = FX_DEPOSIT;
    pay_task(&act, FX_TASK_CLAIMED, (int64_t)(at->task.escrow + at->task.bond));
    fx_buf_bytes(&act.items[0], data, sizeof(data));
    fx_buf_bytes(&act.items[1], path, 32 * n);
    act.n_items = 2;
    return end(&act);
}

struct fx_tx *kit_task_expire(struct kit_task *at)
{
    struct act act;

    begin(&act, at, FX_ACTION_EXPIRE, &at->kit->client);
    act.sequence = FX_SEQUENCE_LOCK_TIME |
                   (at->task.state == FX_TASK_CHALLENGED ? at->kit->params->answer_window
                                                         : 2 * (uint32_t)at->task.spec.window);
    restore(&act);
    return end(&act);
}

struct fx_tx *kit_task_reject(struct kit_task *at, const struct kit_coin *fee)
{
    struct act act;

    begin(&act, at, FX_ACTION_REJECT, &at->kit->client);
    act.extra = fee;
    act.pays_solver = true;
    act.paid = (int64_t)at->task.bond;
    act.burned = (int64_t)at->task.escrow;
    return end(&act);
}

struct fx_tx *kit_task_refund(struct kit_task *at)
{
    struct act act;

    begin(&act, at, FX_ACTION_REFUND, &at->kit->client);
    act.lock_time = at->task.spec.deadline;
    return end(&act);
}
