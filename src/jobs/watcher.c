/*
 * Watches over own jobs, and with -watch over those of others: gets the result of every claim,
 * checks it, and certifies what is right (protocol section 8). What is found wrong or does not come
 * goes on in dispute.c. All is decided anew from the book and the notes at each step, so that a
 * restart or a reorganisation needs nothing of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "src/jobs/jobs_int.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"

#define RETRY_MS 10000
#define LOCK_UNIT_SECONDS 512
/* How long a client waits for a chunk more of a result before it asks for a tile on the chain: a
 * quarter of the window, within these; and never beyond half of it, but always some time. */
#define PATIENCE_LEAST 60  /* seconds */
#define PATIENCE_MOST 1800 /* seconds */
#define PATIENCE_ALWAYS 20 /* seconds */
/* Of other clients' claims. */
#define WATCH_AT_ONCE 4
#define WATCH_BYTES_MAX (UINT64_C(4) << 30) /* of operands and result of one */
#define WATCH_SECONDS 600                   /* that the data of one may take */

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

enum fx_blob_state fx_watcher_result_state(const struct fx_jobs *jobs,
                                           const struct fx_book_task *task)
{
    struct fx_blob_key key;
    struct fx_blob_shape shape;

    fx_book_result(task, &key, &shape);
    return fx_blobs_state(jobs->config.blobs, &key);
}

/* True once the result is here. */
static bool have_result(struct fx_jobs *jobs, const struct fx_book_task *task, struct fx_note *note)
{
    enum fx_blob_state state = fx_watcher_result_state(jobs, task);
    struct fx_blob_key key;
    struct fx_blob_shape shape;

    fx_book_result(task, &key, &shape);
    if (state == FX_BLOB_COMPLETE) {
        note->fetching = false;
        return true;
    }
    if (note->fetching && state == FX_BLOB_PARTIAL) {
        return false;
    }
    note->check = FX_CHECK_FETCHING;
    fx_note_text(note->text, "waits for the result");
    if (!fetch(jobs, &key, &shape)) {
        fx_note_text(note->text, "no room on disk for the result");
        note->check_ms = fx_clock_monotonic_ms() + RETRY_MS;
        return false;
    }
    note->fetching = true;
    note->fetched = key;
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

bool fx_watcher_is_late(struct fx_jobs *jobs, const struct fx_book_task *task, struct fx_note *note)
{
    int64_t now = fx_clock_now(), term = (int64_t)task->job->spec.window * LOCK_UNIT_SECONDS;
    int64_t half = fx_settle_lock_end(jobs, task, task->job->spec.window) - term / 2;
    int64_t patience = term / 4;
    enum fx_blob_state state = fx_watcher_result_state(jobs, task);
    struct fx_blob_key key;
    struct fx_blob_shape shape;
    uint64_t chunks, have = 0;

    if (!note->fetching || state == FX_BLOB_COMPLETE) {
        return false;
    }
    if (state == FX_BLOB_PARTIAL) {
        fx_book_result(task, &key, &shape);
        fx_blobs_info(jobs->config.blobs, &key, &shape, &chunks, &have);
    }
    if (note->waits_height != task->state.height) {
        note->waits_height = task->state.height;
        note->waits_have = have;
        note->waits_since = now;
    }
    if (fx_chain_tip(jobs->config.chain)->median_time >= half) {
        return now - note->waits_since >= PATIENCE_ALWAYS;
    }
    if (have != note->waits_have) {
        note->waits_have = have;
        note->waits_since = now;
    }
    if (patience < PATIENCE_LEAST) {
        patience = PATIENCE_LEAST;
    } else if (patience > PATIENCE_MOST) {
        patience = PATIENCE_MOST;
    }
    return now - note->waits_since >= patience;
}

static void watch_claim(struct fx_jobs *jobs, struct fx_book_task *task, struct fx_wallet *wallet)
{
    struct fx_note *note = fx_note_get(jobs, task);

    if (note->check == FX_CHECK_WRONG || fx_checker_is_running(jobs->checker, &note->program)) {
        return;
    }
    if (note->check == FX_CHECK_RIGHT) {
        if (wallet != NULL && task->state.status == FX_STATUS_CLAIMED && !note->certified) {
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

/* ---- the claims of others ---------------------------------------------------------------- */

static uint64_t data_size(const struct fx_book_task *task)
{
    const struct fx_gemm *gemm = &task->job->gemm;

    return ((uint64_t)gemm->m + gemm->n) * gemm->k + task->shape.tiles * FX_TILE_BYTES;
}

/* Nothing more is done about it, and what was asked for is not waited for any longer. */
static void give_up(struct fx_jobs *jobs, struct fx_note *note)
{
    if (note->fetching) {
        fx_net_cancel_blob(jobs->config.net, &note->fetched);
        fx_blobs_remove(jobs->config.blobs, &note->fetched);
    }
    note->fetching = false;
    note->check = FX_CHECK_NONE;
    note->check_ms = INT64_MAX;
    fx_note_text(note->text, "not checked: the data did not come");
}

/* True where the check of a stranger's claim is under way. */
static bool watch_other(struct fx_jobs *jobs, struct fx_book_task *task)
{
    struct fx_note *note = fx_note_get(jobs, task);

    if (note->check == FX_CHECK_WRONG || note->check == FX_CHECK_RIGHT ||
        note->check_ms == INT64_MAX || data_size(task) > WATCH_BYTES_MAX) {
        return false;
    }
    if (note->waits_height != task->state.height) {
        note->waits_height = task->state.height;
        note->waits_since = fx_clock_now();
    } else if (fx_clock_now() - note->waits_since > WATCH_SECONDS) {
        give_up(jobs, note);
        return false;
    }
    watch_claim(jobs, task, NULL);
    return true;
}

static bool is_strange(const struct fx_jobs *jobs, const struct fx_book_task *task)
{
    return task->state.status == FX_STATUS_CLAIMED &&
           fx_jobs_wallet_of(jobs, &task->state.solver) == NULL;
}

static void watch_others(struct fx_jobs *jobs)
{
    const struct fx_book_job *job;
    unsigned busy = 0;

    for (size_t i = 0; (job = fx_book_aged_job(jobs->book, i)) != NULL; i++) {
        if (job->n_status[FX_STATUS_CLAIMED] == 0 || job->spec.kind != FX_KIND_GEMM ||
            fx_jobs_wallet_of(jobs, &job->spec.client) != NULL) {
            continue;
        }
        for (size_t t = 0; t < job->n_tasks; t++) {
            if (is_strange(jobs, job->tasks[t]) && watch_other(jobs, job->tasks[t]) &&
                ++busy == WATCH_AT_ONCE) {
                return;
            }
        }
    }
}

/* ------------------------------------------------------------------------------------------ */

void fx_watcher_job(struct fx_jobs *jobs, struct fx_book_job *job)
{
    struct fx_wallet *wallet = fx_jobs_wallet_of(jobs, &job->spec.client);

    for (size_t i = 0; wallet != NULL && i < job->n_tasks; i++) {
        enum fx_task_status status = job->tasks[i]->state.status;

        if (status == FX_STATUS_CLAIMED || status == FX_STATUS_CHALLENGED ||
            status == FX_STATUS_SETTLED) {
            watch_claim(jobs, job->tasks[i], wallet);
        } else {
            fx_note_refresh(jobs, job->tasks[i]);
        }
    }
}

void fx_watcher_step(struct fx_jobs *jobs)
{
    if (jobs->config.watch && !fx_jobs_is_syncing(jobs)) {
        watch_others(jobs);
    }
}

/* The task whose claim this input's answer is about; NULL: none, or its result is not awaited. */
static const struct fx_book_task *answered(struct fx_jobs *jobs, const struct fx_tx *tx, size_t in,
                                           struct fx_blob_key *key)
{
    const struct fx_txin *txin = &tx->in[in];
    struct fx_outpoint outpoint = {.txid = tx->txid, .index = (uint32_t)in};
    const struct fx_book_task *task;
    struct fx_blob_shape shape;

    if (txin->n_witness != 5 || txin->witness[0].len != 1 ||
        txin->witness[0].data[0] != FX_ACTION_ANSWER) {
        return NULL;
    }
    task = fx_book_at(jobs->book, &outpoint);
    if (task == NULL || task->state.status != FX_STATUS_CLAIMED || task->state.n_events == 0) {
        return NULL;
    }
    fx_book_result(task, key, &shape);
    return fx_watcher_result_state(jobs, task) == FX_BLOB_PARTIAL ? task : NULL;
}

void fx_watcher_block(struct fx_jobs *jobs, const struct fx_block *block)
{
    for (size_t i = 1; i < block->n_txs; i++) {
        const struct fx_tx *tx = block->txs[i];

        for (size_t in = 0; in < tx->n_in; in++) {
            struct fx_blob_key key;
            const struct fx_book_task *task = answered(jobs, tx, in, &key);

            if (task != NULL) {
                const struct fx_span *items = tx->in[in].witness;

                fx_blobs_put(jobs->config.blobs, &key, task->events[task->state.n_events - 1].tile,
                             0, items[2], items[3].data, items[3].len / 32);
            }
        }
    }
}

static void note_wrong(struct fx_note *note, const struct fx_check_result *result)
{
    note->located = true;
    note->row = result->row;
    note->column = result->column;
    fx_note_text(note->text, "wrong result: entry (%u, %u) is %d, not %d", result->row,
                 result->column, result->got, result->expected);
}

/* A result that was fetched to watch others is not kept. */
static void drop_watched(struct fx_jobs *jobs, const struct fx_book_task *task)
{
    struct fx_blob_key key;
    struct fx_blob_shape shape;

    if (fx_jobs_wallet_of(jobs, &task->job->spec.client) == NULL &&
        fx_jobs_wallet_of(jobs, &task->state.solver) == NULL) {
        fx_book_result(task, &key, &shape);
        fx_blobs_remove(jobs->config.blobs, &key);
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
    if (!result->readable || (!result->right && !result->located)) {
        note->check = FX_CHECK_NONE;
        note->check_ms = fx_clock_monotonic_ms() + RETRY_MS;
        fx_note_text(note->text, "the result or an operand cannot be read");
        return;
    }
    note->check = result->right ? FX_CHECK_RIGHT : FX_CHECK_WRONG;
    note->rounds = result->right ? result->rounds : 0;
    if (!result->right) {
        note_wrong(note, result);
        fx_hash_to_id(&task->origin.txid, id);
        fx_log_info("jobs: task %s:%u: %s", id, task->origin.index, note->text);
    } else {
        drop_watched(jobs, task);
    }
    if (!fx_note_save(jobs, note)) {
        fx_log_info("jobs: what was found out about a result cannot be stored");
    }
}
