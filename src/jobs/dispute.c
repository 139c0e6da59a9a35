/*
 * Disputes (protocol sections 5 and 8). A client's node proves wrong results wrong, asks on the
 * chain for data that does not come, and ends claims that nobody answers for; a solver's node
 * answers; with -watch a node proves the claims of strangers wrong too. What is due is decided anew
 * from the book and the notes at each step, as in settle.c.
 */
#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "src/jobs/jobs_int.h"
#include "src/matrix/proof.h"
#include "src/sys/clock.h"
#include "src/sys/random.h"
#include "src/util/amount.h"
#include "src/util/mem.h"

#define RETRY_MS 10000
#define EXPIRE_WINDOWS 2
#define EXPIRE_DEPTH 60  /* blocks above the beacon of a claim that is to expire */
#define MISSING_READ 256 /* tiles that one to ask for is chosen from */

/* ---- transactions ------------------------------------------------------------------------ */

/* After so many units of locks a claim or a challenge expires. */
static uint32_t expire_units(const struct fx_jobs *jobs, const struct fx_book_task *task)
{
    return task->state.status == FX_STATUS_CHALLENGED
               ? jobs->config.params->answer_window
               : EXPIRE_WINDOWS * (uint32_t)task->job->spec.window;
}

/* The time that an action has. A fraud proof and a challenge are too late once the claim can be
 * taken, in half of what it has in all. */
static uint32_t units_of(const struct fx_jobs *jobs, const struct fx_book_task *task,
                         enum fx_task_action action)
{
    if (task->state.status == FX_STATUS_CLAIMED &&
        (action == FX_ACTION_FRAUD || action == FX_ACTION_CHALLENGE)) {
        return task->job->spec.window;
    }
    return expire_units(jobs, task);
}

/* A spend of the task's present output, whose preimage goes to buf. */
static void start(struct fx_jobs *jobs, const struct fx_book_task *task, enum fx_task_action action,
                  struct fx_task_spend *spend, struct fx_buf *buf)
{
    memset(spend, 0, sizeof *spend);
    spend->action = action;
    spend->outpoint = task->state.outpoint;
    spend->value = task->state.value;
    spend->sequence = FX_SEQUENCE_REPLACEABLE;
    if (task->state.status == FX_STATUS_CHALLENGED) {
        fx_book_challenged_preimage(jobs->config.params, task, task->state.tile, buf);
    } else {
        fx_book_claimed_preimage(jobs->config.params, task, buf);
    }
    spend->preimage = fx_jobs_span(buf);
    spend->urgent = fx_settle_is_urgent(jobs, task, units_of(jobs, task, action));
}

/* What the action pays to: clears the preimage. */
static void pair(struct fx_task_spend *spend, struct fx_buf *preimage, int64_t value)
{
    struct fx_hash program;

    fx_task_program(fx_jobs_span(preimage), &program);
    fx_task_script(&program, spend->script);
    spend->paired = value;
    fx_buf_clear(preimage);
}

/* The escrow goes back into a funded output, half of the bond is burned, and the rest is the
 * wallet's. */
static bool send_restore(struct fx_jobs *jobs, struct fx_wallet *wallet,
                         const struct fx_book_task *task, struct fx_task_spend *spend,
                         const char *name, struct fx_jobs_error *error)
{
    struct fx_buf restored = FX_BUF_INIT;
    struct fx_hash txid;

    fx_book_restored_preimage(jobs->config.params, task, &restored);
    pair(spend, &restored, task->state.escrow);
    spend->burned = task->state.bond / 2;
    /* A stranger gains what is left of the bond; the client has its escrow back as well. */
    spend->stake = spend->value - spend->burned;
    if (fx_jobs_wallet_of(jobs, &task->job->spec.client) == NULL) {
        spend->stake -= task->state.escrow;
    }
    spend->has_rest = true;
    return fx_settle_payout(jobs, wallet, task, name, spend->rest, error) &&
           fx_settle_send(jobs, wallet, task, spend, name, &txid, error);
}

static bool send_fraud(struct fx_jobs *jobs, struct fx_wallet *wallet,
                       const struct fx_book_task *task, const struct fx_note *note,
                       struct fx_jobs_error *error)
{
    struct fx_buf preimage = FX_BUF_INIT, proof = FX_BUF_INIT;
    struct fx_task_source own;
    struct fx_source source;
    struct fx_task_spend spend;
    uint8_t entry[8];
    bool sent = false;

    start(jobs, task, FX_ACTION_FRAUD, &spend, &preimage);
    fx_task_source_init(&own, jobs, task, &source);
    fx_store_u32(entry, note->row);
    fx_store_u32(entry + 4, note->column);
    if (fx_entry_proof_build(&task->job->gemm, &task->shape, &task->state.solver, &source,
                             note->row, note->column, &proof)) {
        spend.bare = task->state.status == FX_STATUS_CLAIMED;
        spend.key = task->job->spec.client;
        spend.items[0].data = entry;
        spend.items[0].len = sizeof entry;
        spend.items[1] = fx_jobs_span(&proof);
        spend.n_items = 2;
        sent = send_restore(jobs, wallet, task, &spend, "fraud proof", error);
    } else {
        fx_jobs_refuse(error, -4, "The wrong entry cannot be proven: its data is not here");
    }
    fx_buf_clear(&preimage);
    fx_buf_clear(&proof);
    return sent;
}

static bool send_expire(struct fx_jobs *jobs, struct fx_wallet *wallet,
                        const struct fx_book_task *task, uint32_t units,
                        struct fx_jobs_error *error)
{
    struct fx_buf preimage = FX_BUF_INIT;
    struct fx_task_spend spend;
    bool sent;

    start(jobs, task, FX_ACTION_EXPIRE, &spend, &preimage);
    spend.key = task->job->spec.client;
    spend.sequence = FX_SEQUENCE_LOCK_TIME | units;
    sent = send_restore(jobs, wallet, task, &spend, "expire", error);
    fx_buf_clear(&preimage);
    return sent;
}

/* One of the tiles that are not here, at random: a solver cannot keep ready what is asked for. */
static bool choose_tile(struct fx_jobs *jobs, const struct fx_book_task *task, uint32_t *tile)
{
    uint32_t(*xy)[2] = fx_xcalloc(MISSING_READ, sizeof *xy);
    struct fx_blob_key key;
    struct fx_blob_shape shape;
    uint64_t from = fx_random_u64() % task->shape.tiles;
    size_t n;

    *tile = (uint32_t)from;
    fx_book_result(task, &key, &shape);
    n = fx_blobs_missing(jobs->config.blobs, &key, &from, xy, MISSING_READ);
    if (n == 0) {
        from = 0;
        n = fx_blobs_missing(jobs->config.blobs, &key, &from, xy, MISSING_READ);
    }
    if (n > 0) {
        *tile = xy[fx_random_u64() % n][0];
    }
    free(xy);
    return n > 0;
}

static bool send_challenge(struct fx_jobs *jobs, struct fx_wallet *wallet,
                           const struct fx_book_task *task, struct fx_jobs_error *error)
{
    struct fx_buf preimage = FX_BUF_INIT, challenged = FX_BUF_INIT;
    struct fx_task_spend spend;
    struct fx_hash txid;
    uint8_t item[4];
    uint32_t tile;
    bool sent;

    if (!choose_tile(jobs, task, &tile)) {
        return fx_jobs_refuse(error, -4, "No tile of the result is missing");
    }
    start(jobs, task, FX_ACTION_CHALLENGE, &spend, &preimage);
    fx_book_challenged_preimage(jobs->config.params, task, tile, &challenged);
    pair(&spend, &challenged, task->state.value + FX_DEPOSIT);
    spend.stake = task->state.escrow; /* what the result is worth, at least */
    fx_store_u32(item, tile);
    spend.key = task->job->spec.client;
    spend.items[0].data = item;
    spend.items[0].len = sizeof item;
    spend.n_items = 1;
    sent = fx_settle_send(jobs, wallet, task, &spend, "challenge", &txid, error);
    fx_buf_clear(&preimage);
    return sent;
}

/* Says what the coins would have been for. */
static bool explain_answer(struct fx_jobs_error *error)
{
    if (error->code == -6) {
        fx_jobs_refuse(error, error->code,
                       "Insufficient funds: the answer to a challenge needs coins for its fee, or "
                       "the bond is lost; send some to this wallet");
    }
    return false;
}

/* The client's deposit is burned: the wallet pays the fee. */
static bool send_answer(struct fx_jobs *jobs, struct fx_wallet *wallet,
                        const struct fx_book_task *task, struct fx_jobs_error *error)
{
    struct fx_buf preimage = FX_BUF_INIT, claimed = FX_BUF_INIT;
    uint8_t *data = fx_xmalloc(FX_TILE_BYTES), path[FX_BLOB_PATH_MAX * 32];
    struct fx_task_source own;
    struct fx_source source;
    struct fx_task_spend spend;
    struct fx_hash txid;
    bool sent;

    start(jobs, task, FX_ACTION_ANSWER, &spend, &preimage);
    fx_book_claimed_preimage(jobs->config.params, task, &claimed);
    pair(&spend, &claimed, task->state.escrow + task->state.bond);
    fx_task_source_init(&own, jobs, task, &source);
    spend.key = task->state.solver;
    spend.items[0].data = data;
    spend.items[0].len = FX_TILE_BYTES;
    spend.items[1].data = path;
    spend.items[1].len = 32 * (size_t)fx_commit_depth(task->shape.tiles);
    spend.n_items = 2;
    spend.burned = FX_DEPOSIT;
    spend.stake = fx_claim_stake(&task->state);
    sent = source.read_tile(&own, task->state.tile, data, path) ||
           fx_jobs_refuse(error, -4, "Tile %u is asked for, and it is not here", task->state.tile);
    sent = sent && (fx_settle_send(jobs, wallet, task, &spend, "answer", &txid, error) ||
                    explain_answer(error));
    fx_buf_clear(&preimage);
    free(data);
    return sent;
}

/* The bond goes back to the solver, the escrow to nobody. */
static bool send_reject(struct fx_jobs *jobs, struct fx_wallet *wallet,
                        const struct fx_book_task *task, struct fx_jobs_error *error)
{
    struct fx_buf preimage = FX_BUF_INIT;
    struct fx_task_spend spend;
    struct fx_hash txid;
    bool sent;

    start(jobs, task, FX_ACTION_REJECT, &spend, &preimage);
    spend.key = task->job->spec.client;
    fx_script_p2tr(task->state.solver.b, spend.script);
    spend.paired = task->state.bond;
    spend.burned = task->state.escrow;
    sent = fx_settle_send(jobs, wallet, task, &spend, "reject", &txid, error);
    fx_buf_clear(&preimage);
    return sent;
}

/* ---- what is due ------------------------------------------------------------------------- */

enum due { DUE_NOTHING, DUE_FRAUD, DUE_ANSWER, DUE_EXPIRE, DUE_CHALLENGE, DUE_REJECT };

static bool is_expired(struct fx_jobs *jobs, const struct fx_book_task *task)
{
    const struct fx_index *tip = fx_chain_tip(jobs->config.chain);
    int64_t end = fx_settle_lock_end(jobs, task, expire_units(jobs, task));
    struct fx_ancestor beacon;
    struct fx_view view;

    if (end == 0 || tip->median_time < end) {
        return false;
    }
    if (task->state.status == FX_STATUS_CHALLENGED) {
        return true;
    }
    fx_chain_view(jobs->config.chain, &view);
    return view.beacon(view.ctx, task->state.height, &beacon) == FX_FOUND &&
           (uint64_t)beacon.height + EXPIRE_DEPTH <= (uint64_t)tip->height + 1;
}

/* A result is worth at least its escrow to its client: to ask for it should cost less. */
static bool is_worth_asking(const struct fx_jobs *jobs, const struct fx_book_task *task,
                            struct fx_note *note)
{
    char above[FX_AMOUNT_TEXT];

    if (task->state.escrow > jobs->config.challenge_above) {
        return true;
    }
    fx_amount_format(jobs->config.challenge_above, above);
    fx_note_text(note->text,
                 "waits for the result: an escrow of at most %s FNX is not worth "
                 "asking for it on the chain",
                 above);
    return false;
}

/* The client's part. */
static enum due client_due(struct fx_jobs *jobs, const struct fx_book_task *task,
                           struct fx_note *note)
{
    if (is_expired(jobs, task)) {
        return DUE_EXPIRE;
    }
    if (task->state.status != FX_STATUS_CLAIMED || !fx_watcher_is_late(jobs, task, note)) {
        return DUE_NOTHING;
    }
    if (task->state.asked == FX_TASK_ASKED_MAX) {
        return DUE_REJECT;
    }
    return is_worth_asking(jobs, task, note) ? DUE_CHALLENGE : DUE_NOTHING;
}

/* Where the data is gone since, there is nothing to prove with. */
static bool proves_fraud(const struct fx_jobs *jobs, const struct fx_book_task *task,
                         const struct fx_note *note, bool is_client)
{
    if (note->check != FX_CHECK_WRONG || !note->located ||
        !(is_client || (jobs->config.watch && task->state.status == FX_STATUS_CLAIMED))) {
        return false;
    }
    return fx_watcher_result_state(jobs, task) == FX_BLOB_COMPLETE &&
           fx_jobs_has_operands(jobs, task->job);
}

static enum due choose(struct fx_jobs *jobs, const struct fx_book_task *task, struct fx_note *note,
                       bool is_client, bool is_solver)
{
    enum due due = DUE_NOTHING;

    if (proves_fraud(jobs, task, note, is_client)) {
        return DUE_FRAUD;
    }
    if (is_client) {
        due = client_due(jobs, task, note);
    }
    if (due == DUE_NOTHING && is_solver && task->state.status == FX_STATUS_CHALLENGED) {
        due = DUE_ANSWER;
    }
    return due;
}

static enum fx_task_action action_of(enum due due)
{
    switch (due) {
    case DUE_FRAUD:
        return FX_ACTION_FRAUD;
    case DUE_ANSWER:
        return FX_ACTION_ANSWER;
    case DUE_EXPIRE:
        return FX_ACTION_EXPIRE;
    case DUE_CHALLENGE:
        return FX_ACTION_CHALLENGE;
    case DUE_REJECT:
    case DUE_NOTHING:
        break;
    }
    return FX_ACTION_REJECT;
}

/* Whether a spend that waits in the mempool is to be left there. One that does the same is, until
 * it is stuck as the time runs out; another gives way to a fraud proof, and to an answer. */
static bool leave_pending(struct fx_jobs *jobs, const struct fx_book_task *task, enum due due)
{
    enum fx_task_action action;

    if (!fx_settle_pending(jobs, task, &action)) {
        return false;
    }
    if (action == action_of(due)) {
        return (due != DUE_FRAUD && due != DUE_ANSWER && due != DUE_CHALLENGE) ||
               !fx_settle_is_stuck(jobs, task, units_of(jobs, task, action));
    }
    return due != DUE_FRAUD && due != DUE_ANSWER;
}

static bool send_due(struct fx_jobs *jobs, const struct fx_book_task *task,
                     const struct fx_note *note, struct fx_wallet *wallet, enum due due,
                     struct fx_jobs_error *error)
{
    switch (due) {
    case DUE_FRAUD:
        return send_fraud(jobs, wallet, task, note, error);
    case DUE_ANSWER:
        return send_answer(jobs, wallet, task, error);
    case DUE_EXPIRE:
        return send_expire(jobs, wallet, task, expire_units(jobs, task), error);
    case DUE_CHALLENGE:
        return send_challenge(jobs, wallet, task, error);
    case DUE_REJECT:
        return send_reject(jobs, wallet, task, error);
    case DUE_NOTHING:
        break;
    }
    return true;
}

/* Where a watcher's reward goes. */
static struct fx_wallet *any_wallet(const struct fx_jobs *jobs)
{
    const char **names = NULL;
    size_t n = fx_wallet_list(jobs->config.wallets, &names);
    struct fx_wallet_error error;
    struct fx_wallet *wallet = n > 0 ? fx_wallet_get(jobs->config.wallets, names[0], &error) : NULL;

    free(names);
    return wallet;
}

/* True where it made a transaction, or tried to. */
static bool dispute(struct fx_jobs *jobs, struct fx_book_task *task)
{
    struct fx_wallet *client = fx_jobs_wallet_of(jobs, &task->job->spec.client);
    struct fx_wallet *solver = fx_jobs_wallet_of(jobs, &task->state.solver);
    struct fx_wallet *wallet;
    struct fx_jobs_error error;
    struct fx_note *note;
    enum due due;

    if (client == NULL && solver == NULL && !jobs->config.watch) {
        return false;
    }
    note = fx_note_get(jobs, task);
    due = choose(jobs, task, note, client != NULL, solver != NULL);
    if (due == DUE_NOTHING || leave_pending(jobs, task, due) ||
        fx_clock_monotonic_ms() < note->dispute_ms) {
        return false;
    }
    wallet = due == DUE_ANSWER ? solver : client != NULL ? client : any_wallet(jobs);
    if (wallet == NULL) {
        return false;
    }
    if (send_due(jobs, task, note, wallet, due, &error)) {
        note->end_text[0] = '\0';
    } else {
        fx_note_text(note->end_text, "%s", error.text);
        note->dispute_ms = fx_clock_monotonic_ms() + RETRY_MS;
    }
    return true;
}

bool fx_dispute_job(struct fx_jobs *jobs, struct fx_book_job *job, unsigned *made)
{
    uint32_t claims = job->n_status[FX_STATUS_CLAIMED] + job->n_status[FX_STATUS_CHALLENGED];

    for (size_t i = 0; claims > 0 && i < job->n_tasks; i++) {
        enum fx_task_status status = job->tasks[i]->state.status;

        if ((status == FX_STATUS_CLAIMED || status == FX_STATUS_CHALLENGED) &&
            dispute(jobs, job->tasks[i]) && ++*made >= FX_MADE_AT_ONCE) {
            return false;
        }
    }
    return true;
}
