/*
 * Watches over own jobs: gets the result of every claim, checks it, and certifies what is right
 * (protocol section 8). All is decided anew from the book and the notes at each step, so that a
 * restart or a reorganisation needs nothing of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "src/jobs/jobs_int.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"

#define RETRY_MS 10000

/* Asks the network for a blob; false: no room. */
static bool fetch(struct fx_jobs *jobs, const struct fx_blob_key *key,
                  const struct fx_blob_shape *shape)
{
    if (!fx_blobs_expect(jobs->config.blobs, key, shape)) {
        return false;
    }
    fx_net_fetch_blob(jobs->config.net, key);
    return true;
}

/* True once the result is here. */
static bool have_result(struct fx_jobs *jobs, const struct fx_book_task *task, struct fx_note *note)
{
    struct fx_blob_key key;
    struct fx_blob_shape shape;

    fx_book_result(task, &key, &shape);
    if (fx_blobs_state(jobs->config.blobs, &key) == FX_BLOB_COMPLETE) {
        note->fetching = false;
        return true;
    }
    if (note->fetching) {
        return false;
    }
    note->check = FX_CHECK_FETCHING;
    if (!fetch(jobs, &key, &shape)) {
        fx_note_text(note->text, "no room on disk for the result");
        note->check_ms = fx_clock_monotonic_ms() + RETRY_MS;
        return false;
    }
    note->fetching = true;
    note->fetched = key;
    fx_note_text(note->text, "waits for the result");
    return false;
}

/* The client had both when it submitted; they may be gone since. */
static bool have_operands(struct fx_jobs *jobs, const struct fx_book_task *task,
                          struct fx_note *note)
{
    struct fx_blob_key key;
    struct fx_blob_shape shape;

    if (fx_jobs_has_operands(jobs, task->job)) {
        return true;
    }
    for (unsigned side = FX_SIDE_A; side <= FX_SIDE_B; side++) {
        fx_book_operand(task->job, side, &key, &shape);
        if (fx_blobs_state(jobs->config.blobs, &key) != FX_BLOB_COMPLETE) {
            fetch(jobs, &key, &shape);
        }
    }
    note->check = FX_CHECK_FETCHING;
    note->check_ms = fx_clock_monotonic_ms() + RETRY_MS;
    fx_note_text(note->text, "waits for the operands, which are not here any more");
    return false;
}

static void watch_claim(struct fx_jobs *jobs, struct fx_book_task *task, struct fx_wallet *wallet)
{
    struct fx_note *note = fx_note_get(jobs, task);

    if (note->check == FX_CHECK_WRONG || fx_checker_is_running(jobs->checker, &note->program)) {
        return;
    }
    if (note->check == FX_CHECK_RIGHT) {
        if (task->state.status == FX_STATUS_CLAIMED && !note->certified) {
            fx_cert_make(jobs, task, wallet);
        }
        return;
    }
    if (fx_clock_monotonic_ms() < note->check_ms || !have_result(jobs, task, note) ||
        !have_operands(jobs, task, note)) {
        return;
    }
    note->check = FX_CHECK_CHECKING;
    note->text[0] = '\0';
    fx_checker_start(jobs->checker, task); /* where too many run, a later step comes back to it */
}

void fx_watcher_step(struct fx_jobs *jobs)
{
    struct fx_book_job *job;
    size_t at = 0;

    while ((job = fx_book_next_job(jobs->book, &at)) != NULL) {
        struct fx_wallet *wallet =
            job->spec.kind == FX_KIND_GEMM ? fx_jobs_wallet_of(jobs, &job->spec.client) : NULL;

        for (size_t i = 0; wallet != NULL && i < job->n_tasks; i++) {
            enum fx_task_status status = job->tasks[i]->state.status;

            if (status == FX_STATUS_CLAIMED || status == FX_STATUS_SETTLED) {
                watch_claim(jobs, job->tasks[i], wallet);
            }
        }
    }
}

static void note_wrong(struct fx_note *note, const struct fx_check_result *result)
{
    if (result->located) {
        fx_note_text(note->text, "wrong result: entry (%u, %u) is %d, not %d", result->row,
                     result->column, result->got, result->expected);
    } else {
        fx_note_text(note->text, "wrong result: row %u differs", result->row);
    }
}

void fx_watcher_checked(struct fx_jobs *jobs, const struct fx_check_result *result)
{
    struct fx_book_task *task = fx_book_find(jobs->book, &result->origin);
    struct fx_note *note;
    char id[FX_HASH_HEX];

    fx_jobs_kick(jobs);
    if (task == NULL || !fx_hash_equal(&task->state.program, &result->program)) {
        return; /* the claim is not on the chain any more */
    }
    note = fx_note_get(jobs, task);
    if (!result->readable) {
        note->check = FX_CHECK_NONE;
        note->check_ms = fx_clock_monotonic_ms() + RETRY_MS;
        fx_note_text(note->text, "the result or an operand cannot be read");
        return;
    }
    note->check = result->right ? FX_CHECK_RIGHT : FX_CHECK_WRONG;
    if (!result->right) {
        note_wrong(note, result);
        fx_hash_to_id(&task->origin.txid, id);
        fx_log_info("jobs: task %s:%u: %s; it is not certified", id, task->origin.index,
                    note->text);
    }
    if (!fx_note_save(jobs, note)) {
        fx_log_info("jobs: what was found out about a result cannot be stored");
    }
}
