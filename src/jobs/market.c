/* Sums over recent blocks, and over what is open now. */
#include <stdlib.h>
#include <string.h>

#include "src/jobs/jobs_int.h"
#include "src/util/mem.h"

static void read_blocks(const struct fx_jobs *jobs, uint32_t blocks, struct fx_market_info *info)
{
    const struct fx_tallies *tallies = fx_book_tallies(jobs->book);
    const struct fx_tally *tally = NULL;

    for (uint32_t back = 0; back < blocks; back++) {
        const struct fx_tally *older = fx_tallies_back(tallies, back);

        if (older == NULL) {
            break;
        }
        tally = older;
        fx_tally_sum(&info->offered, &tally->offered);
        for (size_t i = 0; i <= FX_ACTION_REJECT; i++) {
            fx_tally_sum(&info->actions[i], &tally->actions[i]);
        }
        fx_tally_add(&info->burned, tally->burned);
        fx_tally_add(&info->pay, tally->pay);
        if (tally->job) {
            info->job_blocks++;
            info->work += (double)tally->work;
            info->useful += (double)(tally->credit < tally->work ? tally->credit : tally->work);
        }
    }
    if (tally != NULL) {
        const struct fx_index *before = fx_chain_at(jobs->config.chain, tally->height - 1);

        info->first = tally->height;
        info->seconds = fx_tallies_back(tallies, 0)->time -
                        (before != NULL ? before->header.time : tally->time);
    }
}

static void read_open(const struct fx_jobs *jobs, struct fx_market_info *info)
{
    const struct fx_book_task *task;
    size_t at = 0;

    while ((task = fx_book_next_active(jobs->book, &at)) != NULL) {
        const struct fx_market_sum one = {1, task->shape.bricks, (uint64_t)task->state.escrow};
        double price;

        if (task->state.status != FX_STATUS_OPEN) {
            continue;
        }
        price = (double)one.escrow * 1000 / (double)one.bricks;
        if (info->open.tasks == 0 || price < (double)info->open_least) {
            info->open_least = (int64_t)price;
        }
        if (info->open.tasks == 0 || price > (double)info->open_most) {
            info->open_most = (int64_t)price;
        }
        fx_tally_sum(&info->open, &one);
    }
}

void fx_jobs_market(struct fx_jobs *jobs, uint32_t blocks, struct fx_market_info *info)
{
    memset(info, 0, sizeof *info);
    fx_book_best(jobs->book, &info->last);
    read_blocks(jobs, blocks, info);
    read_open(jobs, info);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double fx_jobs_going_rate(struct fx_jobs *jobs)
{
    const struct fx_book_job *job;
    double *rates = NULL, middle;
    size_t n = 0, cap = 0;

    for (size_t i = 0; (job = fx_book_aged_job(jobs->book, i)) != NULL; i++) {
        if (job->n_status[FX_STATUS_OPEN] == 0 ||
            fx_jobs_wallet_of(jobs, &job->spec.client) != NULL) {
            continue;
        }
        if (cap - n < job->n_tasks) {
            cap = 2 * cap + job->n_tasks;
            rates = fx_xreallocarray(rates, cap, sizeof *rates);
        }
        for (size_t t = 0; t < job->n_tasks; t++) {
            const struct fx_book_task *task = job->tasks[t];

            if (task->state.status == FX_STATUS_OPEN && task->shape.bricks > 0) {
                rates[n++] = (double)task->state.escrow / (double)task->shape.bricks;
            }
        }
    }
    if (n > 0) {
        qsort(rates, n, sizeof *rates, by_value);
    }
    middle = n > 0 ? rates[n / 2] : 0;
    free(rates);
    return middle;
}
