/* A client's jobs: quotes and submission. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/kinds/kind.h"
#include "src/jobs/jobs_int.h"
#include "src/matrix/panel.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/util/amount.h"
#include "src/util/mem.h"

#define DEADLINE_SECONDS 86400 /* from now, where the client names none */
#define SIDE_MAX (UINT64_C(1) << 24)
#define DEPTH_MAX 65536
#define WINDOW_END 32768 /* windows are below it */
#define REWARD_LEAST 1000
#define FEE_TARGET 6 /* blocks */
/* Virtual sizes of a submission, for the estimate: a transaction with two P2TR inputs, its
 * announcement and change; and one task output. */
#define VSIZE_BASE (11 + 2 * 58 + 146 + 43)
#define VSIZE_TASK 43

static bool check_matrix(const struct fx_job_request *request, struct fx_job_quote *quote,
                         struct fx_jobs_error *error)
{
    uint64_t m = fx_panel_pad_rows(request->rows);
    /* Columns of B are rows of its panel matrix, and pad like rows. */
    uint64_t n = fx_panel_pad_rows(request->columns);
    uint64_t k = fx_panel_pad_columns(request->depth);

    if (request->rows == 0 || request->columns == 0 || request->depth == 0) {
        return fx_jobs_refuse(error, -8, "A dimension is zero");
    }
    if (m > SIDE_MAX || n > SIDE_MAX) {
        return fx_jobs_refuse(error, -8, "A result has at most %" PRIu64 " rows and columns",
                              SIDE_MAX);
    }
    if (k > DEPTH_MAX) {
        return fx_jobs_refuse(error, -8, "The inner dimension is at most %d", DEPTH_MAX);
    }
    quote->m = (uint32_t)m;
    quote->n = (uint32_t)n;
    quote->k = (uint32_t)k;
    return true;
}

static bool check_tasks(const struct fx_params *params, const struct fx_job_request *request,
                        struct fx_job_quote *quote, struct fx_jobs_error *error)
{
    uint64_t rows = quote->m / FX_TILE, cols = quote->n / FX_TILE, depth = quote->k / FX_DEPTH;
    uint64_t largest;

    quote->task_rows = request->task_rows;
    quote->task_cols = request->task_cols;
    fx_split_choose((uint32_t)rows, (uint32_t)cols, (uint32_t)depth, &quote->task_rows,
                    &quote->task_cols);
    quote->tasks = ((rows + quote->task_rows - 1) / quote->task_rows) *
                   ((cols + quote->task_cols - 1) / quote->task_cols);
    quote->bricks = rows * cols * depth;
    largest = (uint64_t)quote->task_rows * quote->task_cols;
    if (largest > SIDE_MAX) {
        return fx_jobs_refuse(error, -8, "A task has at most %" PRIu64 " tiles", SIDE_MAX);
    }
    if (quote->tasks > FX_JOBS_TASKS_MAX) {
        return fx_jobs_refuse(error, -8,
                              "%" PRIu64 " tasks are more than the %d of one job: larger tasks "
                              "are needed",
                              quote->tasks, FX_JOBS_TASKS_MAX);
    }
    quote->escrow = request->reward != 0 ? request->reward : fx_split_reward(largest * depth);
    if (quote->escrow < REWARD_LEAST) {
        return fx_jobs_refuse(error, -8, "The reward of a task is at least %d embers",
                              REWARD_LEAST);
    }
    if (quote->escrow > params->max_money / FX_JOBS_TASKS_MAX) {
        return fx_jobs_refuse(error, -8, "The reward is more than there can be");
    }
    return true;
}

static bool check_terms(const struct fx_params *params, const struct fx_job_request *request,
                        struct fx_job_quote *quote, struct fx_jobs_error *error)
{
    int64_t now = fx_clock_now();

    quote->deadline =
        request->deadline != 0 ? request->deadline : (uint32_t)(now + DEADLINE_SECONDS);
    if (quote->deadline < FX_LOCKTIME_THRESHOLD || quote->deadline <= now) {
        return fx_jobs_refuse(error, -8, "The deadline has passed already");
    }
    quote->window = request->window != 0 ? request->window : params->window_min;
    if (quote->window < params->window_min || quote->window >= WINDOW_END) {
        return fx_jobs_refuse(error, -8, "The window is at least %u and below %u units of 512 s",
                              params->window_min, WINDOW_END);
    }
    quote->exclusive = request->exclusive;
    if (quote->exclusive > FX_EXCLUSIVE_MAX) {
        return fx_jobs_refuse(error, -8, "A task is exclusive for at most %d blocks",
                              FX_EXCLUSIVE_MAX);
    }
    return true;
}

static void set_fee(struct fx_job_quote *quote, int64_t fee)
{
    quote->fee = fee;
    quote->fee_per_task = (fee + (int64_t)quote->tasks - 1) / (int64_t)quote->tasks;
    quote->total = quote->escrow * (int64_t)quote->tasks + fee;
}

bool fx_jobs_quote(struct fx_jobs *jobs, const struct fx_job_request *request,
                   struct fx_job_quote *quote, struct fx_jobs_error *error)
{
    const struct fx_params *params = jobs->config.params;
    int64_t rate = request->fee_rate;
    int64_t vsize;

    memset(quote, 0, sizeof *quote);
    if (!check_matrix(request, quote, error) || !check_tasks(params, request, quote, error) ||
        !check_terms(params, request, quote, error)) {
        return false;
    }
    if (rate == 0) {
        rate = fx_mempool_estimate(jobs->config.mempool, FEE_TARGET);
    }
    if (rate < 0 || rate > FX_COIN) {
        return fx_jobs_refuse(error, -8, "The fee rate is out of range");
    }
    vsize = VSIZE_BASE + VSIZE_TASK * (int64_t)quote->tasks;
    set_fee(quote, (rate * vsize + 999) / 1000);
    return true;
}

/* ---- submission -------------------------------------------------------------------------- */

static bool check_operand(const struct fx_jobs *jobs, const char *name, const struct fx_hash *root,
                          uint32_t rows, uint32_t k, struct fx_jobs_error *error)
{
    struct fx_blob_key key;
    struct fx_blob_shape shape;
    uint64_t chunks, have;

    memset(&key, 0, sizeof key);
    key.type = FX_BLOB_OPERAND;
    key.root = *root;
    if (fx_blobs_state(jobs->config.blobs, &key) != FX_BLOB_COMPLETE ||
        !fx_blobs_info(jobs->config.blobs, &key, &shape, &chunks, &have)) {
        return fx_jobs_refuse(error, -8, "Operand %s was not uploaded", name);
    }
    if (shape.rows != rows || shape.cols != k) {
        return fx_jobs_refuse(error, -8, "Operand %s is a panel matrix of %u x %u, not of %u x %u",
                              name, shape.rows, shape.cols, rows, k);
    }
    return true;
}

static void write_tasks(struct fx_txb *tx, const struct fx_task_spec *spec,
                        const struct fx_job_quote *quote)
{
    struct fx_buf script = FX_BUF_INIT;

    fx_task_announcement_write(0, spec, &script);
    fx_txb_add_out(tx, 0, script.data, script.len);
    fx_buf_clear(&script);
    for (uint32_t index = 0; index < quote->tasks; index++) {
        struct fx_buf preimage = FX_BUF_INIT;
        struct fx_hash program;
        uint8_t task_script[FX_TASK_SCRIPT_SIZE];

        fx_task_fresh_preimage(spec, index, &preimage);
        fx_task_program(fx_jobs_span(&preimage), &program);
        fx_task_script(&program, task_script);
        fx_txb_add_out(tx, quote->escrow, task_script, sizeof task_script);
        fx_buf_clear(&preimage);
    }
}

/* Funds and signs; NULL: nothing is reserved. */
static struct fx_tx *finish(struct fx_wallet *wallet, struct fx_txb *b, int64_t fee_rate,
                            int64_t *fee, struct fx_jobs_error *error)
{
    struct fx_wallet_error why;
    struct fx_coin *spent = NULL;
    bool fine;

    if (!fx_wallet_fund(wallet, b, NULL, 0, fee_rate, 0, 0, fee, &why)) {
        fx_jobs_pass_error(error, &why);
        return NULL;
    }
    fine = fx_wallet_spent_coins(wallet, b, &spent, &why);
    if (fine) {
        fine = fx_wallet_sign(wallet, b, spent, &why);
        for (size_t i = 0; i < b->n_in; i++) {
            fx_coin_clear(&spent[i]);
        }
        free(spent);
    }
    if (!fine) {
        fx_wallet_release(wallet, b);
        fx_jobs_pass_error(error, &why);
        return NULL;
    }
    return fx_txb_build(b);
}

static bool commit(struct fx_jobs *jobs, struct fx_wallet *wallet,
                   const struct fx_job_request *request, const struct fx_txb *b,
                   const struct fx_tx *tx, int64_t fee, struct fx_jobs_error *error)
{
    struct fx_own_job own;
    struct fx_wallet_error why;

    memset(&own, 0, sizeof own);
    own.id = tx->txid;
    own.rows = request->rows;
    own.columns = request->columns;
    own.depth = request->depth;
    own.fee = fee;
    own.submitted = fx_clock_now();
    /* First: a job that is paid for and then not known as the own one would lose its shape. */
    if (!fx_own_save(jobs, &own)) {
        fx_wallet_release(wallet, b);
        return fx_jobs_refuse(error, -4, "The job cannot be written to disk");
    }
    if (!fx_wallet_commit(wallet, tx, "job", &why)) {
        fx_own_forget(jobs, &own.id);
        return fx_jobs_pass_error(error, &why);
    }
    return true;
}

static bool submit(struct fx_jobs *jobs, struct fx_wallet *wallet,
                   const struct fx_job_request *request, const struct fx_task_spec *spec,
                   struct fx_hash *job, struct fx_job_quote *quote, struct fx_jobs_error *error)
{
    struct fx_txb b;
    struct fx_tx *tx;
    int64_t fee;
    bool done = false;

    fx_txb_init(&b);
    write_tasks(&b, spec, quote);
    tx = finish(wallet, &b, request->fee_rate, &fee, error);
    if (tx != NULL && commit(jobs, wallet, request, &b, tx, fee, error)) {
        *job = tx->txid;
        set_fee(quote, fee);
        done = true;
    }
    fx_tx_unref(tx);
    fx_txb_clear(&b);
    return done;
}

static void announce_operand(struct fx_jobs *jobs, const struct fx_hash *root)
{
    struct fx_blob_key key;

    memset(&key, 0, sizeof key);
    key.type = FX_BLOB_OPERAND;
    key.root = *root;
    fx_announce_start(jobs, &key);
}

bool fx_jobs_submit(struct fx_jobs *jobs, struct fx_wallet *wallet,
                    const struct fx_job_request *request, struct fx_hash *job,
                    struct fx_job_quote *quote, struct fx_jobs_error *error)
{
    struct fx_wallet_error why;
    struct fx_task_spec spec;
    struct fx_gemm gemm;
    struct fx_buf body = FX_BUF_INIT;
    char id[FX_HASH_HEX];
    bool done;

    if (!fx_jobs_quote(jobs, request, quote, error) ||
        !check_operand(jobs, "A", &request->root_a, quote->m, quote->k, error) ||
        !check_operand(jobs, "B", &request->root_b, quote->n, quote->k, error)) {
        return false;
    }
    memset(&gemm, 0, sizeof gemm);
    gemm.m = quote->m;
    gemm.n = quote->n;
    gemm.k = quote->k;
    gemm.root_a = request->root_a;
    gemm.root_b = request->root_b;
    gemm.task_rows = quote->task_rows;
    gemm.task_cols = quote->task_cols;
    memset(&spec, 0, sizeof spec);
    spec.version = 1;
    spec.kind = FX_KIND_GEMM;
    spec.deadline = quote->deadline;
    spec.window = quote->window;
    spec.exclusive = quote->exclusive;
    if (!fx_wallet_new_key(wallet, FX_KEY_CLIENT, "job", &spec.client, &why)) {
        return fx_jobs_pass_error(error, &why);
    }
    fx_gemm_write(&gemm, &body);
    spec.body = fx_jobs_span(&body);
    done = submit(jobs, wallet, request, &spec, job, quote, error);
    fx_buf_clear(&body);
    if (!done) {
        return false;
    }
    fx_hash_to_id(job, id);
    fx_log_info("jobs: job %s of %" PRIu64 " tasks and %" PRIu64 " bricks is submitted", id,
                quote->tasks, quote->bricks);
    announce_operand(jobs, &request->root_a);
    announce_operand(jobs, &request->root_b);
    return true;
}
