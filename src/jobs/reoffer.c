/*
 * Tasks that came to nothing, offered once more: on request, or by itself.
 *
 * By itself a task is offered again where a claim is what made it come to nothing: its client had
 * to reject one, or a claim that was undone used up the time until the deadline, and the task was
 * refunded. One that nobody claimed is not: nobody wanted it at its pay, which is its client's to
 * change. The new offer pays the same, has as long as the job had at first, and goes out once no
 * reorganisation is likely to bring the old one back, at most config.reoffers times a task. All of
 * this is read from the offers and the book, so that it survives a restart.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "src/jobs/jobs_int.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

#define DEPTH 6 /* blocks from the end of a task on, with which it counts as final */

/* What became of the offers of one task of a part. */
struct fate {
    bool stands;        /* one of them may still be solved, or was */
    bool by_cheat;      /* how the last that was mined ended calls for another one by itself */
    bool is_buried;     /* that end is as deep as DEPTH */
    unsigned automatic; /* offers made by itself */
};

static bool is_over(const struct fx_book_task *task)
{
    return task->state.status == FX_STATUS_REFUNDED || task->state.status == FX_STATUS_REJECTED;
}

static bool is_by_cheat(const struct fx_jobs *jobs, const struct fx_book_task *task)
{
    return (task->state.status == FX_STATUS_REJECTED || task->state.restored > 0) &&
           !fx_view_is_here(jobs, task);
}

static bool is_buried(const struct fx_jobs *jobs, const struct fx_book_task *task)
{
    uint32_t tip = fx_chain_tip(jobs->config.chain)->height;

    return (uint64_t)task->state.end_height + DEPTH <= (uint64_t)tip + 1;
}

static void add_offer(const struct fx_jobs *jobs, const struct fx_own_tx *offer, struct fate *fates)
{
    const struct fx_book_job *job = fx_book_find_job(jobs->book, &offer->txid);
    bool dropped = fx_own_tx_status(jobs, offer) == FX_JOB_TX_DROPPED;

    for (uint32_t i = 0; i < offer->count; i++) {
        const struct fx_book_task *task = job != NULL && i < job->n_tasks ? job->tasks[i] : NULL;

        fates[i].automatic += offer->automatic ? 1 : 0;
        if (dropped) {
            continue;
        }
        if (task == NULL || !is_over(task)) {
            fates[i].stands = true;
        } else {
            fates[i].by_cheat = !offer->final && is_by_cheat(jobs, task);
            fates[i].is_buried = is_buried(jobs, task);
        }
    }
}

/* One a task of the part; the caller frees. */
static struct fate *find_fates(const struct fx_jobs *jobs, const struct fx_own_job *own,
                               uint32_t part, uint32_t n)
{
    struct fate *fates = fx_xcalloc(n, sizeof *fates);

    for (size_t i = 0; i < own->n_offers; i++) {
        const struct fx_own_tx *offer = &own->offers[i];

        if (offer->part == part) {
            add_offer(jobs, offer, fates + offer->first);
        }
    }
    return fates;
}

/* Will it be offered by itself, now or once its end is buried? */
static bool is_coming(const struct fx_jobs *jobs, const struct fate *fate)
{
    return !fate->stands && fate->by_cheat && fate->automatic < jobs->config.reoffers;
}

static bool is_due(const struct fx_jobs *jobs, const struct fate *fate, bool automatic)
{
    return automatic ? fate->is_buried && is_coming(jobs, fate) : !fate->stands;
}

/* Adds offers of the tasks of one part that are due; how many tasks. */
static size_t reoffer_part(const struct fx_jobs *jobs, struct fx_own_job *own, uint32_t part,
                           uint32_t deadline, bool automatic)
{
    uint32_t n = fx_own_count_tasks(&own->parts[part].gemm);
    struct fate *fates = find_fates(jobs, own, part, n);
    size_t found = 0;

    for (uint32_t at = 0; at < n; at++) {
        struct fx_own_tx run = {
            .part = part, .first = at, .deadline = deadline, .automatic = automatic};

        while (at < n && is_due(jobs, &fates[at], automatic)) {
            at++;
        }
        run.count = at - run.first;
        fx_own_add_txs(own, &run);
        found += run.count;
    }
    free(fates);
    return found;
}

static size_t reoffer(const struct fx_jobs *jobs, struct fx_own_job *own, uint32_t deadline,
                      bool automatic)
{
    size_t found = 0;

    for (uint32_t part = 0; part < own->n_parts; part++) {
        found += reoffer_part(jobs, own, part, deadline, automatic);
    }
    return found;
}

/* Adds what is due, saves and sends it; *n is how many tasks, none is no error. False: all is as it
 * was. */
static bool offer_again(struct fx_jobs *jobs, struct fx_wallet *wallet, struct fx_own_job *own,
                        uint32_t deadline, bool automatic, size_t *n, struct fx_jobs_error *error)
{
    size_t before = own->n_offers;
    bool fine;

    *n = reoffer(jobs, own, deadline, automatic);
    if (*n == 0) {
        return true;
    }
    fine = fx_own_check_operands(jobs, own, error);
    if (fine && own->n_offers > FX_OWN_OFFERS_MAX) {
        fine = fx_jobs_refuse(error, -4, "A job has at most %d transactions", FX_OWN_OFFERS_MAX);
    }
    if (fine && !fx_own_save(jobs, own)) {
        fine = fx_jobs_refuse(error, -4, "The job cannot be written to disk");
    }
    if (!fine) {
        own->n_offers = before;
        return false;
    }
    fx_funding_send_all(jobs, wallet, own);
    fx_funding_announce(jobs, own);
    return true;
}

bool fx_jobs_reoffer(struct fx_jobs *jobs, struct fx_wallet *wallet, const struct fx_hash *job,
                     uint32_t deadline, size_t *n, struct fx_jobs_error *error)
{
    struct fx_own_job *own = fx_own_of_wallet(jobs, wallet, job, error);
    uint32_t chosen;

    *n = 0;
    if (own == NULL || !fx_quote_deadline(deadline, &chosen, error) ||
        !offer_again(jobs, wallet, own, chosen, false, n, error)) {
        return false;
    }
    return *n > 0 ||
           fx_jobs_refuse(error, -4, "No task of the job was refunded, rejected or taken back");
}

/* ---- by itself --------------------------------------------------------------------------- */

bool fx_reoffer_is_coming(const struct fx_jobs *jobs, const struct fx_own_job *own)
{
    bool coming = false;

    for (uint32_t part = 0; part < own->n_parts && !coming; part++) {
        uint32_t n = fx_own_count_tasks(&own->parts[part].gemm);
        struct fate *fates = find_fates(jobs, own, part, n);

        for (uint32_t i = 0; i < n && !coming; i++) {
            coming = is_coming(jobs, &fates[i]);
        }
        free(fates);
    }
    return coming;
}

/* As long from now as the job had when it was submitted. */
static uint32_t next_deadline(const struct fx_own_job *own)
{
    int64_t deadline = fx_clock_now() + own->offers[0].deadline - own->submitted;

    return deadline < UINT32_MAX ? (uint32_t)deadline : UINT32_MAX;
}

/* True where it offered something. */
static bool watch(struct fx_jobs *jobs, struct fx_own_job *own)
{
    struct fx_wallet *wallet = fx_jobs_wallet_of(jobs, &own->client);
    struct fx_jobs_error error;
    char id[FX_HASH_HEX];
    size_t n;

    if (wallet == NULL) {
        return false;
    }
    if (!offer_again(jobs, wallet, own, next_deadline(own), true, &n, &error)) {
        fx_note_text(own->text, "%s", error.text); /* the next block is another chance */
        return false;
    }
    if (n > 0) {
        fx_hash_to_id(&own->id, id);
        fx_log_info("jobs: job %s: %zu tasks that came to nothing are offered again", id, n);
    }
    return n > 0;
}

void fx_reoffer_step(struct fx_jobs *jobs)
{
    uint32_t height;
    const struct fx_hash *best = fx_book_best(jobs->book, &height);
    size_t at = 0;
    void *own;

    if (jobs->config.reoffers == 0 || fx_jobs_is_syncing(jobs) ||
        fx_hash_equal(best, &jobs->reoffer_tip)) {
        return;
    }
    while (fx_map_next(jobs->own, &at, NULL, &own)) {
        if (watch(jobs, own)) {
            fx_jobs_kick(jobs);
            return; /* saving a job may have moved the entries of the map */
        }
    }
    jobs->reoffer_tip = *best;
}
