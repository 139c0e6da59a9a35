/*
 * Ends tasks: accepts by certificate, takes by samples after the window, refunds after the
 * deadline; by itself for own keys, and on request. What is due is decided anew from the book at
 * each step, so transactions lost in a reorganisation are made again.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "src/jobs/jobs_int.h"
#include "src/matrix/proof.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

#define LOCK_UNIT_SECONDS 512
#define RETRY_MS 10000
#define EXPIRE_WINDOWS 2

/* ---- what settlement pays to ------------------------------------------------------------- */

bool fx_settle_payout(struct fx_jobs *jobs, struct fx_wallet *wallet,
                      const struct fx_book_task *task, const char *label,
                      uint8_t script[FX_TASK_SCRIPT_SIZE], struct fx_jobs_error *error)
{
    struct fx_note *note = fx_note_get(jobs, task);
    struct fx_wallet_error why;

    if (!note->has_payout || !fx_wallet_owns_key(wallet, &note->payout)) {
        if (!fx_wallet_new_key(wallet, FX_KEY_RECEIVE, label, &note->payout, &why)) {
            return fx_jobs_pass_error(error, &why);
        }
        note->has_payout = true;
        fx_note_save(jobs, note);
    }
    fx_script_p2tr(note->payout.b, script);
    return true;
}

bool fx_settle_send(struct fx_jobs *jobs, struct fx_wallet *wallet, const struct fx_book_task *task,
                    const struct fx_task_spend *spend, const char *comment, struct fx_hash *txid,
                    struct fx_jobs_error *error)
{
    struct fx_tx *tx = fx_task_spend_build(jobs, wallet, spend, error);
    char id[FX_HASH_HEX];

    if (tx == NULL || !fx_task_spend_commit(wallet, tx, comment, txid, error)) {
        return false;
    }
    fx_hash_to_id(&task->origin.txid, id);
    fx_log_info("jobs: %s of task %s:%u is sent", comment, id, task->origin.index);
    return true;
}

/* ---- what is in the mempool -------------------------------------------------------------- */

static const struct fx_tx *find_spender(const struct fx_jobs *jobs, const struct fx_book_task *task,
                                        enum fx_task_action *action)
{
    const struct fx_tx *tx = fx_mempool_spender(jobs->config.mempool, &task->state.outpoint);

    for (size_t in = 0; tx != NULL && in < tx->n_in; in++) {
        const struct fx_txin *txin = &tx->in[in];

        if (fx_outpoint_equal(&txin->prevout, &task->state.outpoint) && txin->n_witness > 0 &&
            txin->witness[0].len == 1) {
            *action = (enum fx_task_action)txin->witness[0].data[0];
            return tx;
        }
    }
    return NULL;
}

bool fx_settle_pending(const struct fx_jobs *jobs, const struct fx_book_task *task,
                       enum fx_task_action *action)
{
    return find_spender(jobs, task, action) != NULL;
}

/* Whether at most this part of the time is left. */
static bool is_left(const struct fx_jobs *jobs, const struct fx_book_task *task, uint32_t units,
                    int64_t part)
{
    int64_t end = fx_settle_lock_end(jobs, task, units);
    int64_t left = (int64_t)units * LOCK_UNIT_SECONDS / part;

    return end != 0 && fx_chain_tip(jobs->config.chain)->median_time >= end - left;
}

bool fx_settle_is_stuck(const struct fx_jobs *jobs, const struct fx_book_task *task, uint32_t units)
{
    struct fx_mempool_entry entry;
    enum fx_task_action action;
    const struct fx_tx *tx = find_spender(jobs, task, &action);

    return tx != NULL && is_left(jobs, task, units, 2) &&
           fx_mempool_entry(jobs->config.mempool, &tx->txid, &entry) &&
           entry.height < fx_chain_tip(jobs->config.chain)->height;
}

bool fx_settle_is_urgent(const struct fx_jobs *jobs, const struct fx_book_task *task,
                         uint32_t units)
{
    return is_left(jobs, task, units, 4);
}

/* ---- the samples of take ----------------------------------------------------------------- */

static bool build_proofs(struct fx_jobs *jobs, const struct fx_book_task *task,
                         const struct fx_hash *beacon, struct fx_buf proofs[FX_TASK_SAMPLES],
                         struct fx_jobs_error *error)
{
    struct fx_task_source own;
    struct fx_source source;

    fx_task_source_init(&own, jobs, task, &source);
    for (uint8_t sample = 0; sample < FX_TASK_SAMPLES; sample++) {
        struct fx_hash hash;
        uint32_t row, column;

        fx_task_sample_hash(beacon, &task->origin, sample, &hash);
        task->job->kind->sample(&task->shape, &hash, &row, &column);
        if (!fx_entry_proof_build(&task->job->gemm, &task->shape, &task->state.solver, &source, row,
                                  column, &proofs[sample])) {
            /* The operands were here when it claimed. */
            (void)fx_jobs_want_operands(jobs, &task->origin, NULL);
            return fx_jobs_refuse(error, -4,
                                  "The samples cannot be proven: an operand or the result is not "
                                  "here");
        }
    }
    return true;
}

int64_t fx_settle_lock_end(const struct fx_jobs *jobs, const struct fx_book_task *task,
                           uint32_t units)
{
    uint32_t height = task->state.height;
    const struct fx_index *before = fx_chain_at(jobs->config.chain, height > 0 ? height - 1 : 0);

    return before == NULL ? 0 : before->median_time + (int64_t)units * LOCK_UNIT_SECONDS;
}

/* True: take is due. */
static bool find_beacon(struct fx_jobs *jobs, const struct fx_book_task *task,
                        struct fx_ancestor *beacon, struct fx_jobs_error *error)
{
    int64_t from = fx_settle_lock_end(jobs, task, task->job->spec.window);
    int64_t now = fx_chain_tip(jobs->config.chain)->median_time;
    struct fx_view view;

    if (from == 0 || now < from) {
        return fx_jobs_refuse(error, -4,
                              "Not certified, and its window is open: it can be taken at median "
                              "time %" PRId64 ", now %" PRId64,
                              from, now);
    }
    fx_chain_view(jobs->config.chain, &view);
    if (view.beacon(view.ctx, task->state.height, beacon) != FX_FOUND) {
        return fx_jobs_refuse(error, -4,
                              "Not certified, and no hash-lane block after the claim chose its "
                              "samples yet");
    }
    return true;
}

/* ---- settlement -------------------------------------------------------------------------- */

static bool accept_claim(struct fx_jobs *jobs, struct fx_wallet *wallet,
                         const struct fx_book_task *task, struct fx_task_spend *spend,
                         struct fx_hash *txid, struct fx_jobs_error *error)
{
    const struct fx_note *note = fx_note_find(jobs, task);

    spend->action = FX_ACTION_ACCEPT;
    spend->sequence = FX_SEQUENCE_REPLACEABLE;
    spend->items[0].data = note->certificate;
    spend->items[0].len = sizeof note->certificate;
    spend->n_items = 1;
    return fx_settle_send(jobs, wallet, task, spend, "accept", txid, error);
}

static bool take_claim(struct fx_jobs *jobs, struct fx_wallet *wallet,
                       const struct fx_book_task *task, struct fx_task_spend *spend,
                       struct fx_hash *txid, struct fx_jobs_error *error)
{
    struct fx_buf proofs[FX_TASK_SAMPLES] = {FX_BUF_INIT, FX_BUF_INIT};
    struct fx_ancestor beacon;
    bool sent = false;

    if (!find_beacon(jobs, task, &beacon, error)) {
        return false;
    }
    if (build_proofs(jobs, task, &beacon.id, proofs, error)) {
        spend->action = FX_ACTION_TAKE;
        spend->sequence = FX_SEQUENCE_LOCK_TIME | task->job->spec.window;
        spend->n_items = FX_TASK_SAMPLES;
        for (size_t i = 0; i < FX_TASK_SAMPLES; i++) {
            spend->items[i] = fx_jobs_span(&proofs[i]);
        }
        sent = fx_settle_send(jobs, wallet, task, spend, "take", txid, error);
    }
    for (size_t i = 0; i < FX_TASK_SAMPLES; i++) {
        fx_buf_clear(&proofs[i]);
    }
    return sent;
}

/* After these the client may end the claim. */
static uint32_t expire_units(const struct fx_book_task *task)
{
    return EXPIRE_WINDOWS * (uint32_t)task->job->spec.window;
}

static bool is_certified(const struct fx_jobs *jobs, const struct fx_book_task *task)
{
    const struct fx_note *note = fx_note_find(jobs, task);

    return note != NULL && note->certified;
}

static bool settle(struct fx_jobs *jobs, struct fx_wallet *wallet, const struct fx_book_task *task,
                   struct fx_hash *txid, struct fx_jobs_error *error)
{
    struct fx_buf preimage = FX_BUF_INIT;
    struct fx_ancestor beacon;
    struct fx_task_spend spend;
    bool certified = is_certified(jobs, task), sent = false;

    if (!certified && !find_beacon(jobs, task, &beacon, error)) {
        return false;
    }
    memset(&spend, 0, sizeof spend);
    fx_book_claimed_preimage(jobs->config.params, task, &preimage);
    spend.outpoint = task->state.outpoint;
    spend.value = task->state.value;
    spend.key = task->state.solver;
    spend.preimage = fx_jobs_span(&preimage);
    spend.burned = task->state.burn;
    spend.stake = task->state.value - task->state.burn;
    spend.urgent = fx_settle_is_urgent(jobs, task, expire_units(task));
    if (fx_settle_payout(jobs, wallet, task, "task pay", spend.script, error)) {
        sent = certified ? accept_claim(jobs, wallet, task, &spend, txid, error)
                         : take_claim(jobs, wallet, task, &spend, txid, error);
    }
    fx_buf_clear(&preimage);
    return sent;
}

static bool refund(struct fx_jobs *jobs, struct fx_wallet *wallet, const struct fx_book_task *task,
                   struct fx_hash *txid, struct fx_jobs_error *error)
{
    struct fx_task_spend spend;
    uint32_t deadline = task->job->spec.deadline;

    memset(&spend, 0, sizeof spend);
    spend.action = FX_ACTION_REFUND;
    spend.outpoint = task->state.outpoint;
    spend.value = task->state.value;
    spend.key = task->job->spec.client;
    spend.preimage = fx_book_funded_preimage(task);
    spend.stake = task->state.value;
    spend.sequence = FX_SEQUENCE_REPLACEABLE;
    spend.lock_time = deadline < FX_LOCKTIME_THRESHOLD ? FX_LOCKTIME_THRESHOLD : deadline;
    return fx_settle_payout(jobs, wallet, task, "task refund", spend.script, error) &&
           fx_settle_send(jobs, wallet, task, &spend, "refund", txid, error);
}

/* ---- on request -------------------------------------------------------------------------- */

static bool check_spender(const struct fx_jobs *jobs, const struct fx_book_task *task,
                          struct fx_jobs_error *error)
{
    if (fx_mempool_spender(jobs->config.mempool, &task->state.outpoint) != NULL) {
        return fx_jobs_refuse(error, -4,
                              "A transaction that spends the task waits in the mempool already");
    }
    return true;
}

/* The task, if it is in this state and one of the wallet's keys. wallet NULL: the one that has it.
 */
static struct fx_book_task *find_own(struct fx_jobs *jobs, struct fx_wallet **wallet,
                                     const struct fx_outpoint *origin, enum fx_task_status status,
                                     struct fx_jobs_error *error)
{
    struct fx_book_task *task = fx_book_find(jobs->book, origin);
    const struct fx_hash *key;

    if (task == NULL) {
        fx_jobs_refuse(error, -8, "No such task on the chain");
        return NULL;
    }
    if (task->state.status != status) {
        fx_jobs_refuse(error, -4, "The task is not %s",
                       status == FX_STATUS_OPEN ? "open" : "claimed");
        return NULL;
    }
    key = status == FX_STATUS_OPEN ? &task->job->spec.client : &task->state.solver;
    if (*wallet == NULL) {
        *wallet = fx_jobs_wallet_of(jobs, key);
    }
    if (*wallet == NULL || !fx_wallet_owns_key(*wallet, key)) {
        fx_jobs_refuse(error, -4, "The wallet does not have the key of the task's %s",
                       status == FX_STATUS_OPEN ? "client" : "solver");
        return NULL;
    }
    return check_spender(jobs, task, error) ? task : NULL;
}

bool fx_jobs_settle(struct fx_jobs *jobs, struct fx_wallet *wallet,
                    const struct fx_outpoint *origin, struct fx_hash *txid,
                    struct fx_jobs_error *error)
{
    const struct fx_book_task *task = find_own(jobs, &wallet, origin, FX_STATUS_CLAIMED, error);

    return task != NULL && settle(jobs, wallet, task, txid, error);
}

/* A transaction's lock time must lie below the median time. */
static bool is_expired(const struct fx_jobs *jobs, const struct fx_book_job *job)
{
    return fx_chain_tip(jobs->config.chain)->median_time > (int64_t)job->spec.deadline;
}

bool fx_jobs_refund(struct fx_jobs *jobs, struct fx_wallet *wallet,
                    const struct fx_outpoint *origin, struct fx_hash *txid,
                    struct fx_jobs_error *error)
{
    const struct fx_book_task *task = find_own(jobs, &wallet, origin, FX_STATUS_OPEN, error);

    if (task == NULL) {
        return false;
    }
    if (!is_expired(jobs, task->job)) {
        return fx_jobs_refuse(
            error, -4, "The deadline is not past: median time %" PRId64 ", deadline %u",
            fx_chain_tip(jobs->config.chain)->median_time, task->job->spec.deadline);
    }
    return refund(jobs, wallet, task, txid, error);
}

/* ---- by itself --------------------------------------------------------------------------- */

/* Whether what waits in the mempool is to be left alone: it does what this node would do and is not
 * stuck, or it proves the claim wrong. */
static bool leave_pending(const struct fx_jobs *jobs, const struct fx_book_task *task)
{
    enum fx_task_action action;

    if (!fx_settle_pending(jobs, task, &action)) {
        return false;
    }
    if (task->state.status == FX_STATUS_OPEN || action == FX_ACTION_FRAUD) {
        return true;
    }
    if (action != FX_ACTION_ACCEPT && action != FX_ACTION_TAKE) {
        return false;
    }
    return !fx_settle_is_stuck(jobs, task, expire_units(task));
}

/* True where it made a transaction, or tried to. */
static bool end_task(struct fx_jobs *jobs, struct fx_wallet *wallet, struct fx_book_task *task)
{
    struct fx_note *note = fx_note_get(jobs, task);
    bool open = task->state.status == FX_STATUS_OPEN;
    struct fx_ancestor beacon;
    struct fx_jobs_error error;
    struct fx_hash txid;

    if (leave_pending(jobs, task)) {
        return false;
    }
    if (!open && !note->certified && !find_beacon(jobs, task, &beacon, &error)) {
        fx_note_text(note->end_text, "%s", error.text);
        return false;
    }
    if (fx_clock_monotonic_ms() < note->end_ms) {
        return false;
    }
    if (open ? refund(jobs, wallet, task, &txid, &error)
             : settle(jobs, wallet, task, &txid, &error)) {
        note->end_text[0] = '\0';
        return true;
    }
    fx_note_text(note->end_text, "%s", error.text);
    note->end_ms = fx_clock_monotonic_ms() + RETRY_MS;
    return true;
}

static bool is_due(const struct fx_book_task *task, bool expired)
{
    return task->state.status == FX_STATUS_CLAIMED ||
           (expired && task->state.status == FX_STATUS_OPEN);
}

bool fx_settle_job(struct fx_jobs *jobs, struct fx_book_job *job, unsigned *made)
{
    bool expired = is_expired(jobs, job);
    uint32_t due = job->n_status[FX_STATUS_CLAIMED] + (expired ? job->n_status[FX_STATUS_OPEN] : 0);

    for (size_t i = 0; due > 0 && i < job->n_tasks; i++) {
        struct fx_book_task *task = job->tasks[i];
        bool open = task->state.status == FX_STATUS_OPEN;
        struct fx_wallet *wallet;

        if (!is_due(task, expired)) {
            continue;
        }
        wallet = fx_jobs_wallet_of(jobs, open ? &job->spec.client : &task->state.solver);
        if (wallet != NULL && end_task(jobs, wallet, task) && ++*made >= FX_MADE_AT_ONCE) {
            return false;
        }
    }
    return true;
}
