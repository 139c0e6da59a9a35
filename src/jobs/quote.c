/* What a request comes to: parts, tasks, transactions, and what they cost. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/kinds/kind.h"
#include "src/jobs/jobs_int.h"
#include "src/matrix/panel.h"
#include "src/sys/clock.h"
#include "src/util/amount.h"
#include "src/util/limbs.h"
#include "src/util/mem.h"

#define DEADLINE_SECONDS 86400 /* from now, where the client names none */
#define SIDE_MAX (UINT64_C(1) << 24)
#define WINDOW_END 32768 /* windows are below it */
#define REWARD_LEAST 1000
/* Virtual sizes of a submission, for the estimate: a transaction with two P2TR inputs, its
 * announcement and change; and one task output. */
#define VSIZE_BASE (11 + 2 * 58 + 146 + 43)
#define VSIZE_TASK 43

/* A request on its way to a quote. */
struct quoting {
    const struct fx_params *params;
    const struct fx_job_request *request;
    struct fx_job_quote *quote;
    struct fx_own_part *parts;
    size_t n_parts;
    int64_t vsize;
    struct fx_jobs_error *error;
};

static bool check_product(struct quoting *q, const struct fx_job_product *product)
{
    uint64_t parts = (product->depth + FX_JOB_DEPTH_MAX - 1) / FX_JOB_DEPTH_MAX;

    if (product->rows == 0 || product->columns == 0 || product->depth == 0) {
        return fx_jobs_refuse(q->error, -8, "A dimension is zero");
    }
    if (product->limbs_a == 0 || product->limbs_a > FX_LIMBS_MAX || product->limbs_b == 0 ||
        product->limbs_b > FX_LIMBS_MAX) {
        return fx_jobs_refuse(q->error, -8, "Numbers have 1 to %d limbs", FX_LIMBS_MAX);
    }
    if (fx_panel_pad_rows((uint64_t)product->rows * product->limbs_a) > SIDE_MAX ||
        fx_panel_pad_rows((uint64_t)product->columns * product->limbs_b) > SIDE_MAX) {
        return fx_jobs_refuse(q->error, -8,
                              "A result has at most %" PRIu64 " rows and columns, times the limbs "
                              "of an entry",
                              SIDE_MAX);
    }
    if (parts != product->n_parts) {
        return fx_jobs_refuse(q->error, -8,
                              "A depth of %" PRIu64 " makes %" PRIu64 " parts of up to %d, not %zu",
                              product->depth, parts, FX_JOB_DEPTH_MAX, product->n_parts);
    }
    /* A quotient that is not finite, or no number at all, is no result. */
    if (!(product->scale_a > 0 && product->scale_a < 1e300) ||
        !(product->scale_b > 0 && product->scale_b < 1e300) ||
        !(product->error >= 0 && product->error < 1e300)) {
        return fx_jobs_refuse(q->error, -8, "A scale is positive, and an error is not negative");
    }
    return true;
}

static bool add_amount(struct quoting *q, int64_t escrow, uint64_t tasks)
{
    int64_t all;

    if (__builtin_mul_overflow(escrow, (int64_t)tasks, &all) ||
        !fx_amount_add(q->quote->reward, all, &q->quote->reward) ||
        q->quote->reward > q->params->max_money) {
        return fx_jobs_refuse(q->error, -8, "The reward is more than there can be");
    }
    return true;
}

/* Into how many tasks, and transactions, a part is cut, and for how much. */
static bool cut_part(struct quoting *q, struct fx_own_part *part)
{
    struct fx_gemm *gemm = &part->gemm;
    uint64_t rows = gemm->m / FX_TILE, cols = gemm->n / FX_TILE, depth = gemm->k / FX_DEPTH;
    uint64_t largest, tasks, transactions;

    gemm->task_rows = q->request->task_rows;
    gemm->task_cols = q->request->task_cols;
    fx_split_choose((uint32_t)rows, (uint32_t)cols, (uint32_t)depth, &gemm->task_rows,
                    &gemm->task_cols);
    tasks = ((rows + gemm->task_rows - 1) / gemm->task_rows) *
            ((cols + gemm->task_cols - 1) / gemm->task_cols);
    largest = (uint64_t)gemm->task_rows * gemm->task_cols;
    if (largest > SIDE_MAX) {
        return fx_jobs_refuse(q->error, -8, "A task has at most %" PRIu64 " tiles", SIDE_MAX);
    }
    q->quote->tasks += tasks; /* below 2^34 a part */
    if (q->quote->tasks > FX_JOB_TASKS_MAX) {
        return fx_jobs_refuse(q->error, -8,
                              "%" PRIu64 " tasks are more than the %" PRIu64
                              " of one job: larger tasks are needed",
                              q->quote->tasks, FX_JOB_TASKS_MAX);
    }
    part->escrow = q->request->reward != 0 ? q->request->reward : fx_split_reward(largest * depth);
    if (part->escrow < REWARD_LEAST) {
        return fx_jobs_refuse(q->error, -8, "The reward of a task is at least %d embers",
                              REWARD_LEAST);
    }
    transactions = (tasks + FX_TX_TASKS_MAX - 1) / FX_TX_TASKS_MAX;
    q->quote->bricks += rows * cols * depth;
    q->quote->transactions += transactions;
    if (part->escrow > q->quote->escrow) {
        q->quote->escrow = part->escrow;
    }
    q->vsize += (int64_t)(VSIZE_BASE * transactions + VSIZE_TASK * tasks);
    return add_amount(q, part->escrow, tasks);
}

static bool cut_product(struct quoting *q, const struct fx_job_product *product)
{
    if (!check_product(q, product)) {
        return false;
    }
    if (q->n_parts + product->n_parts > FX_JOB_PARTS_MAX) {
        return fx_jobs_refuse(q->error, -8, "A job has at most %d parts along the depth",
                              FX_JOB_PARTS_MAX);
    }
    q->parts = fx_xreallocarray(q->parts, q->n_parts + product->n_parts, sizeof *q->parts);
    for (size_t i = 0; i < product->n_parts; i++) {
        struct fx_own_part *part = &q->parts[q->n_parts++];
        uint64_t depth = product->depth - i * FX_JOB_DEPTH_MAX;

        memset(part, 0, sizeof *part);
        /* Columns of B are rows of its panel matrix, and pad like rows. */
        part->gemm.m = (uint32_t)fx_panel_pad_rows((uint64_t)product->rows * product->limbs_a);
        part->gemm.n = (uint32_t)fx_panel_pad_rows((uint64_t)product->columns * product->limbs_b);
        part->gemm.k =
            (uint32_t)fx_panel_pad_columns(depth < FX_JOB_DEPTH_MAX ? depth : FX_JOB_DEPTH_MAX);
        part->gemm.root_a = product->parts[i].root_a;
        part->gemm.root_b = product->parts[i].root_b;
        if (!cut_part(q, part)) {
            return false;
        }
    }
    q->quote->products += (uint64_t)product->limbs_a * product->limbs_b * product->n_parts;
    return true;
}

static bool cut_products(struct quoting *q)
{
    if (q->request->n_products == 0 || q->request->n_products > FX_JOB_PRODUCTS_MAX) {
        return fx_jobs_refuse(q->error, -8, "A job has 1 to %d products", FX_JOB_PRODUCTS_MAX);
    }
    for (size_t i = 0; i < q->request->n_products; i++) {
        if (!cut_product(q, &q->request->products[i])) {
            return false;
        }
    }
    q->quote->m = q->parts[0].gemm.m;
    q->quote->n = q->parts[0].gemm.n;
    q->quote->k = q->parts[0].gemm.k;
    q->quote->task_rows = q->parts[0].gemm.task_rows;
    q->quote->task_cols = q->parts[0].gemm.task_cols;
    return true;
}

bool fx_quote_deadline(uint32_t wanted, uint32_t *deadline, struct fx_jobs_error *error)
{
    int64_t now = fx_clock_now();

    *deadline = wanted != 0 ? wanted : (uint32_t)(now + DEADLINE_SECONDS);
    if (*deadline < FX_LOCKTIME_THRESHOLD || *deadline <= now) {
        return fx_jobs_refuse(error, -8, "The deadline has passed already");
    }
    return true;
}

static bool check_terms(struct quoting *q)
{
    struct fx_job_quote *quote = q->quote;
    uint16_t least = q->params->window_min;

    if (!fx_quote_deadline(q->request->deadline, &quote->deadline, q->error)) {
        return false;
    }
    quote->window = q->request->window != 0 ? q->request->window : least;
    if (quote->window < least || quote->window >= WINDOW_END) {
        return fx_jobs_refuse(q->error, -8, "The window is at least %u and below %u units of 512 s",
                              least, WINDOW_END);
    }
    quote->exclusive = q->request->exclusive;
    if (quote->exclusive > FX_EXCLUSIVE_MAX) {
        return fx_jobs_refuse(q->error, -8, "A task is exclusive for at most %d blocks",
                              FX_EXCLUSIVE_MAX);
    }
    return true;
}

void fx_quote_set_fee(struct fx_job_quote *quote, int64_t fee)
{
    quote->fee = fee;
    quote->fee_per_task = (fee + (int64_t)quote->tasks - 1) / (int64_t)quote->tasks;
    quote->total = quote->reward + fee;
}

static bool set_fee(struct fx_jobs *jobs, struct quoting *q)
{
    int64_t rate = q->request->fee_rate;

    if (rate == 0) {
        rate = fx_mempool_estimate(jobs->config.mempool, FX_FEE_TARGET);
    }
    if (rate < 0 || rate > FX_COIN) {
        return fx_jobs_refuse(q->error, -8, "The fee rate is out of range");
    }
    fx_quote_set_fee(q->quote, (rate * q->vsize + 999) / 1000);
    return true;
}

bool fx_quote_make(struct fx_jobs *jobs, const struct fx_job_request *request,
                   struct fx_job_quote *quote, struct fx_own_part **parts, size_t *n_parts,
                   struct fx_jobs_error *error)
{
    struct quoting q = {
        .params = jobs->config.params, .request = request, .quote = quote, .error = error};
    bool fine;

    memset(quote, 0, sizeof *quote);
    fine = cut_products(&q) && check_terms(&q) && set_fee(jobs, &q);
    if (fine && parts != NULL) {
        *parts = q.parts;
        *n_parts = q.n_parts;
    } else {
        free(q.parts);
    }
    return fine;
}

bool fx_jobs_quote(struct fx_jobs *jobs, const struct fx_job_request *request,
                   struct fx_job_quote *quote, struct fx_jobs_error *error)
{
    return fx_quote_make(jobs, request, quote, NULL, NULL, error);
}
