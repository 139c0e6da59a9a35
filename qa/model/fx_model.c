/*
 * A chain view that a program drives through a pipe: one command a line, one answer a line, both
 * JSON (qa/functional/taskdriver.py). It makes and signs transactions and connects and disconnects
 * blocks through the rules; what should come of it is for the other side to know.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/commit.h"
#include "qa/model/model_chain.h"
#include "qa/model/model_job.h"
#include "qa/model/model_tx.h"
#include "qa/unit/harness.h"
#include "src/crypto/taghash.h"
#include "src/util/hex.h"
#include "src/util/map.h"
#include "src/util/mem.h"

#define FUNDS_HEIGHT 1

static struct model_chain chain;
static bool begun;
static struct fx_tx *funds;
static uint64_t salt; /* makes every coinbase another one */

/* What the shared test helpers call when they fail: here it ends the program. */
void fx_unit_fail(const char *file, int line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    exit(3);
}

void fx_unit_check_int(const char *file, int line, const char *what, int64_t actual,
                       int64_t expected)
{
    if (actual != expected) {
        fx_unit_fail(file, line, "%s is %lld, not %lld", what, (long long)actual,
                     (long long)expected);
    }
}

/* ---- answers ----------------------------------------------------------------------------- */

static json_t *hash_json(const struct fx_hash *hash)
{
    char text[65];

    fx_hex_encode(hash->b, sizeof(hash->b), text);
    return json_string(text);
}

/* [outpoint or null, state, backed, asked, h0, settled, client, solver, bricks, burn] */
static json_t *record_json(const struct fx_task_record *record)
{
    return json_pack("[o,i,b,i,I,I,i,i,I,I]",
                     record->live ? model_outpoint_json(&record->outpoint) : json_null(),
                     record->live ? record->state : 0, record->backed, record->asked,
                     (json_int_t)record->h0, (json_int_t)record->settled,
                     model_key_number(&record->client), model_key_number(&record->solver),
                     (json_int_t)record->bricks, (json_int_t)record->burn);
}

static json_t *changes_json(const struct fx_record_delta *delta)
{
    json_t *list = json_array();

    for (size_t i = 0; i < delta->n; i++) {
        const struct fx_record_change *change = &delta->changes[i];

        json_array_append_new(list,
                              json_pack("[o,o]", model_outpoint_json(&change->origin),
                                        change->has ? record_json(&change->after) : json_null()));
    }
    return list;
}

/* ---- commands ---------------------------------------------------------------------------- */

static void end_chain(void)
{
    if (begun) {
        model_chain_clear(&chain);
        model_tx_clear();
        begun = false;
    }
}

/* {"c": "reset", "base", "time0", "step", "funds": [values]}: coins "f:0" and on, for anyone. */
static json_t *reset(const json_t *command)
{
    const json_t *values = model_member(command, "funds");
    const struct fx_outpoint null_outpoint = {.index = UINT32_MAX};
    struct fx_txb b;

    end_chain();
    model_chain_init(&chain, (uint32_t)model_int(model_member(command, "base")),
                     model_int(model_member(command, "time0")),
                     model_int(model_member(command, "step")));
    begun = true;
    fx_txb_init(&b);
    fx_txb_add_in(&b, &null_outpoint, FX_SEQUENCE_FINAL);
    fx_txb_set_script_sig(&b, 0, "funds", 5);
    for (size_t i = 0; i < json_array_size(values); i++) {
        fx_txb_add_out(&b, model_int(json_array_get(values, i)), "\x51", 1);
    }
    funds = fx_txb_build(&b);
    fx_txb_clear(&b);
    model_tx_put("f", funds);
    model_chain_add_coins(&chain, funds, FUNDS_HEIGHT);
    return json_object();
}

static json_t *set_spec(const json_t *command)
{
    model_spec_set(model_member(command, "spec"));
    return json_object();
}

/* The coinbase pays to anyone, or to nobody where there is nothing to pay. */
static struct fx_tx *coinbase(int64_t pay, const struct fx_cb_work *work)
{
    const struct fx_outpoint null_outpoint = {.index = UINT32_MAX};
    uint8_t script[FX_CB_HEIGHT_SIZE + 9];
    size_t n = fx_cb_height_script(model_chain_height(&chain) + 1, script);
    struct fx_tx *tx;
    struct fx_txb b;

    script[n] = 8;
    fx_store_u64(script + n + 1, salt++);
    fx_txb_init(&b);
    fx_txb_add_in(&b, &null_outpoint, FX_SEQUENCE_FINAL);
    fx_txb_set_script_sig(&b, 0, script, n + 9);
    fx_txb_add_out(&b, pay, pay > 0 ? "\x51" : "\x6a", 1);
    if (work != NULL) {
        uint8_t output[FX_CB_WORK_SCRIPT_SIZE];

        fx_cb_work_script(work, output);
        fx_txb_add_out(&b, 0, output, sizeof(output));
    }
    tx = fx_txb_build(&b);
    fx_txb_clear(&b);
    return tx;
}

/* The work of a job-lane block; what only fx_check_work looks at is left zero. */
struct work {
    struct fx_buf preimage;
    struct fx_outpoint *backing;
    size_t n_backing;
    struct fx_cb_work cb;
    struct fx_buf raw;
};

static void work_read(struct work *work, const json_t *json)
{
    static const uint8_t zeros[FX_BLOCK_BYTES];
    const json_t *backing = model_member(json, "backing");
    struct fx_work_proof proof;
    struct fx_gemm gemm;
    struct fx_task task;

    memset(work, 0, sizeof(*work));
    memset(&proof, 0, sizeof(proof));
    model_preimage(model_member(json, "pre"), &work->preimage);
    proof.preimage = (struct fx_span){work->preimage.data, work->preimage.len};
    FX_CHECK(fx_task_read(chain.params, proof.preimage, &task));
    FX_CHECK(fx_gemm_read(task.spec.body, &gemm));
    work->n_backing = json_array_size(backing);
    work->backing = fx_xcalloc(work->n_backing + 1, sizeof(*work->backing));
    for (size_t i = 0; i < work->n_backing; i++) {
        work->backing[i] = model_outpoint(model_text(json_array_get(backing, i)));
    }
    work->cb.outpoint = model_outpoint(model_text(model_member(json, "task")));
    work->cb.solver = model_key((unsigned)model_int(model_member(json, "solver")))->xonly;
    fx_work_preimage_hash(proof.preimage, &work->cb.preimage_hash);
    fx_work_backing_hash(work->backing, work->n_backing, &work->cb.backing_hash);
    proof.backing = work->backing;
    proof.n_backing = work->n_backing;
    proof.block_a = proof.block_b = (struct fx_span){zeros, sizeof(zeros)};
    proof.path_a = (struct fx_span){zeros, 32 * fx_commit_operand_path_depth(gemm.m, gemm.k)};
    proof.path_b = (struct fx_span){zeros, 32 * fx_commit_operand_path_depth(gemm.n, gemm.k)};
    proof.signature = (struct fx_span){zeros, 64};
    fx_work_proof_write(&proof, &work->raw);
}

static void work_clear(struct work *work)
{
    fx_buf_clear(&work->preimage);
    fx_buf_clear(&work->raw);
    free(work->backing);
}

/* Puts a block on the tip together; txs[0] is its coinbase. */
static struct fx_block *make_block(struct fx_tx *const *txs, size_t n, int64_t time,
                                   const struct work *work)
{
    struct fx_header header = {.version =
                                   fx_header_version(work != NULL ? FX_LANE_JOB : FX_LANE_HASH),
                               .prev = model_chain_tip(&chain),
                               .time = (uint32_t)time,
                               .nbits = 0x207fffff};
    struct fx_hash *ids = fx_xcalloc(n + 1, sizeof(*ids));
    struct fx_span raw = {NULL, 0};
    struct fx_block *block;

    for (size_t i = 0; i < n; i++) {
        ids[i] = txs[i]->txid;
    }
    fx_merkle_root(ids, n, &header.merkle_root, NULL);
    free(ids);
    if (work != NULL) {
        raw = (struct fx_span){work->raw.data, work->raw.len};
    }
    block = fx_block_make(chain.params, &header, raw, txs, n);
    FX_CHECK(block != NULL);
    return block;
}

static json_t *outcome(enum fx_result result, enum fx_verdict why, const struct fx_block *block,
                       const struct fx_connected *connected)
{
    FX_CHECK(result != FX_FAILED);
    if (result != FX_VALID) {
        return json_pack("{s:s}", "why", fx_verdict_string(why));
    }
    return json_pack("{s:s,s:o,s:I,s:I,s:I,s:I,s:I,s:o}", "why", "", "id", hash_json(&block->id),
                     "fees", (json_int_t)connected->fees, "burned", (json_int_t)connected->burned,
                     "subsidy", (json_int_t)connected->subsidy, "credit",
                     (json_int_t)connected->credit, "burns", (json_int_t)connected->burns,
                     "records", changes_json(&connected->undo.records));
}

/*
 * {"c": "connect", "name" (of the coinbase), "time", "pay", "txs": [transaction or name],
 *  "work": {"task": outpoint, "pre": preimage, "solver": key, "backing": [outpoints]} or null}
 * Answers {"why": reason or ""}, "txids" of the transactions that are new and, of a valid block,
 * "id", "fees", "burned", "subsidy", "credit", "burns" and "records": [[origin, record or null]].
 */
static json_t *connect_block(const json_t *command)
{
    const json_t *list = model_member(command, "txs"), *json = model_member(command, "work");
    size_t n = json_array_size(list);
    struct fx_tx **txs = fx_xcalloc(n + 1, sizeof(struct fx_tx *));
    json_t *txids = json_object(), *answer;
    struct fx_connected connected;
    struct fx_block *block;
    enum fx_verdict why = FX_OK;
    enum fx_result result;
    struct work work;

    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(list, i);
        bool known = json_is_string(one);

        txs[i + 1] = known ? model_tx_get(model_text(one)) : model_tx_make(one);
        FX_CHECK(txs[i + 1] != NULL);
        if (!known) {
            json_object_set_new(txids, model_text(model_member(one, "name")),
                                hash_json(&txs[i + 1]->txid));
        }
    }
    if (!json_is_null(json)) {
        work_read(&work, json);
    }
    txs[0] =
        coinbase(model_int(model_member(command, "pay")), json_is_null(json) ? NULL : &work.cb);
    block = make_block(txs, n + 1, model_int(model_member(command, "time")),
                       json_is_null(json) ? NULL : &work);
    result = model_chain_connect(&chain, block, true, &connected, &why);
    if (result == FX_VALID) {
        json_object_set_new(txids, model_text(model_member(command, "name")),
                            hash_json(&txs[0]->txid));
        model_tx_put(model_text(model_member(command, "name")), fx_tx_ref(txs[0]));
    }
    answer = outcome(result, why, block, &connected);
    json_object_set_new(answer, "txids", txids);
    if (result == FX_VALID) {
        fx_connected_clear(&connected);
    }
    if (!json_is_null(json)) {
        work_clear(&work);
    }
    fx_block_unref(block);
    fx_tx_unref(txs[0]);
    free(txs);
    return answer;
}

/* {"c": "mine", "n", "time", "step"}: empty blocks of the hash lane that pay nothing. Answers
 * {"ids"}. */
static json_t *mine(const json_t *command)
{
    int64_t n = model_int(model_member(command, "n")), time;
    int64_t step = model_int(model_member(command, "step"));
    json_t *ids = json_array();

    time = model_int(model_member(command, "time"));
    for (; n > 0; n--, time += step) {
        struct fx_tx *tx = coinbase(0, NULL);
        struct fx_block *block = make_block(&tx, 1, time, NULL);
        struct fx_connected connected;
        enum fx_verdict why;

        FX_CHECK_INT(model_chain_connect(&chain, block, true, &connected, &why), FX_VALID);
        json_array_append_new(ids, hash_json(&block->id));
        fx_connected_clear(&connected);
        fx_block_unref(block);
        fx_tx_unref(tx);
    }
    return json_pack("{s:o}", "ids", ids);
}

static json_t *disconnect_block(const json_t *command)
{
    for (int64_t n = model_int(model_member(command, "n")); n > 0; n--) {
        FX_CHECK(model_chain_disconnect(&chain));
    }
    return json_object();
}

static struct fx_outpoint key_outpoint(const void *key)
{
    struct fx_reader r;

    fx_reader_init(&r, key, FX_OUTPOINT_SIZE);
    return fx_outpoint_read(&r);
}

/* {"c": "state"}: {"height", "median", "coins": [[outpoint, value, height]], "records"}. */
static json_t *state(void)
{
    json_t *coins = json_array(), *records = json_array();
    const void *key;
    void *value;
    size_t at = 0;

    while (fx_map_next(chain.coins, &at, &key, &value)) {
        const struct fx_coin *coin = value;
        struct fx_outpoint outpoint = key_outpoint(key);

        json_array_append_new(coins, json_pack("[o,I,I]", model_outpoint_json(&outpoint),
                                               (json_int_t)coin->value, (json_int_t)coin->height));
    }
    at = 0;
    while (fx_map_next(chain.records, &at, &key, &value)) {
        struct fx_outpoint origin = key_outpoint(key);

        json_array_append_new(records,
                              json_pack("[o,o]", model_outpoint_json(&origin), record_json(value)));
    }
    return json_pack("{s:I,s:I,s:o,s:o}", "height", (json_int_t)model_chain_height(&chain),
                     "median", (json_int_t)model_chain_median_time(&chain), "coins", coins,
                     "records", records);
}

static json_t *replay(void)
{
    return json_pack("{s:b}", "same", model_chain_replay(&chain, funds, FUNDS_HEIGHT));
}

static json_t *run(const json_t *command)
{
    const char *name = model_text(model_member(command, "c"));

    if (strcmp(name, "reset") == 0) {
        return reset(command);
    }
    FX_CHECK(begun);
    if (strcmp(name, "spec") == 0) {
        return set_spec(command);
    }
    if (strcmp(name, "connect") == 0) {
        return connect_block(command);
    }
    if (strcmp(name, "mine") == 0) {
        return mine(command);
    }
    if (strcmp(name, "disconnect") == 0) {
        return disconnect_block(command);
    }
    if (strcmp(name, "state") == 0) {
        return state();
    }
    if (strcmp(name, "replay") == 0) {
        return replay();
    }
    FX_FAIL("no command %s", name);
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    while ((n = getline(&line, &cap, stdin)) > 0) {
        json_error_t error;
        json_t *command = json_loadb(line, (size_t)n, 0, &error), *answer;

        if (command == NULL) {
            FX_FAIL("not JSON: %s", error.text);
        }
        answer = run(command);
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
        fflush(stdout);
        json_decref(answer);
        json_decref(command);
    }
    free(line);
    end_chain();
    model_jobs_clear();
    return 0;
}
