/*
 * Which blobs are kept, and which make room. What an unfinished task of ours needs stays whatever
 * happens. A task is finished where its end lies a coinbase's maturity below the tip, so that no
 * reorganisation that coins survive brings it back without its data.
 */
#include <stdlib.h>
#include <string.h>

#include "src/jobs/jobs_int.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

#define SWEEP_MS 60000
#define BUSY_SECONDS 600          /* used within these, it is nobody's to take away */
#define UNCLAIMED_SECONDS 86400   /* that data waits for a task to name it */
#define UPLOAD_IDLE_SECONDS 86400 /* that an upload waits for its next piece */
#define PAID_SECONDS (30 * 86400) /* since a paid result was read last */
#define KEY_BYTES 65              /* type, root, solver */
#define FIELDS_SOLVER 24          /* where a claim's fields have its key and its result */
#define FIELDS_RESULT 56
#define FIELDS_SIZE 88

/* In the order in which they go. */
enum worth {
    WORTH_NOTHING,   /* only finished tasks name it */
    WORTH_STRANGERS, /* an unfinished task of others does */
    WORTH_UNCLAIMED, /* no task does: uploaded for one to come, or the rest of a claim undone */
    WORTH_PAID,      /* the result of a finished task of ours */
    WORTH_NEEDED,    /* an unfinished task of ours */
    WORTH_UNSEEN     /* no task was looked at yet that names it; becomes `unclaimed` */
};

/* The blobs that are here. There may be far more tasks, most of which name none of them: those cost
 * a look, and no more. */
struct worths {
    struct fx_map *map; /* key bytes -> one of `values` */
    const struct fx_jobs *jobs;
    /* The last key that was looked up: most tasks of a job have one. */
    struct fx_hash solver;
    bool solver_own, solver_known;
};

static enum worth values[] = {WORTH_NOTHING, WORTH_STRANGERS, WORTH_UNCLAIMED,
                              WORTH_PAID,    WORTH_NEEDED,    WORTH_UNSEEN};

static void key_bytes(const struct fx_blob_key *key, uint8_t bytes[KEY_BYTES])
{
    bytes[0] = (uint8_t)key->type;
    memcpy(bytes + 1, key->root.b, 32);
    memcpy(bytes + 33, key->solver.b, 32);
}

static void raise_worth(struct worths *worths, const struct fx_blob_key *key, enum worth worth)
{
    uint8_t bytes[KEY_BYTES];
    const enum worth *now;

    key_bytes(key, bytes);
    now = fx_map_get(worths->map, bytes);
    if (now != NULL && (*now == WORTH_UNSEEN || *now < worth)) {
        fx_map_put(worths->map, bytes, &values[worth]);
    }
}

static bool is_here(const struct worths *worths, const struct fx_blob_key *key)
{
    uint8_t bytes[KEY_BYTES];

    key_bytes(key, bytes);
    return fx_map_get(worths->map, bytes) != NULL;
}

static enum worth worth_of(const struct worths *worths, const struct fx_blob_key *key)
{
    uint8_t bytes[KEY_BYTES];
    const enum worth *now;

    key_bytes(key, bytes);
    now = fx_map_get(worths->map, bytes);
    return now == NULL || *now == WORTH_UNSEEN ? WORTH_UNCLAIMED : *now;
}

static bool is_own_solver(struct worths *worths, const struct fx_hash *key)
{
    if (!worths->solver_known || !fx_hash_equal(&worths->solver, key)) {
        worths->solver = *key;
        worths->solver_own = fx_jobs_wallet_of(worths->jobs, key) != NULL;
        worths->solver_known = true;
    }
    return worths->solver_own;
}

/* ---- what tasks need --------------------------------------------------------------------- */

static bool has_operands(const struct worths *worths, const struct fx_book_job *job)
{
    struct fx_blob_key a, b;
    struct fx_blob_shape shape;

    fx_book_operand(job, FX_SIDE_A, &a, &shape);
    fx_book_operand(job, FX_SIDE_B, &b, &shape);
    return is_here(worths, &a) || is_here(worths, &b);
}

static void raise_operands(struct worths *worths, const struct fx_book_job *job, enum worth worth)
{
    struct fx_blob_key key;
    struct fx_blob_shape shape;

    for (unsigned side = FX_SIDE_A; side <= FX_SIDE_B; side++) {
        fx_book_operand(job, side, &key, &shape);
        raise_worth(worths, &key, worth);
    }
}

static bool has_ended(const struct fx_book_task *task)
{
    return task->state.status == FX_STATUS_SETTLED || task->state.status == FX_STATUS_REFUNDED ||
           task->state.status == FX_STATUS_REJECTED;
}

/* Its own client still has to look at the result. */
static bool is_unchecked(const struct fx_jobs *jobs, const struct fx_book_task *task)
{
    const struct fx_note *note = fx_note_find(jobs, task);

    return task->state.status == FX_STATUS_SETTLED &&
           (note == NULL || (note->check != FX_CHECK_RIGHT && note->check != FX_CHECK_WRONG));
}

static bool is_finished(const struct fx_jobs *jobs, const struct fx_book_task *task, bool is_client)
{
    uint32_t tip = fx_chain_tip(jobs->config.chain)->height;

    return has_ended(task) && (uint64_t)task->state.end_height + FX_COINBASE_MATURITY <= tip &&
           !(is_client && is_unchecked(jobs, task));
}

/* A claim that waits in the mempool, where it is ours. */
static bool claims_soon(struct worths *worths, const struct fx_book_task *task,
                        struct fx_blob_key *result)
{
    const struct fx_tx *tx =
        fx_mempool_spender(worths->jobs->config.mempool, &task->state.outpoint);

    for (size_t in = 0; tx != NULL && in < tx->n_in; in++) {
        const struct fx_txin *txin = &tx->in[in];

        if (!fx_outpoint_equal(&txin->prevout, &task->state.outpoint) || txin->n_witness != 4 ||
            txin->witness[0].len != 1 || txin->witness[0].data[0] != FX_ACTION_CLAIM ||
            txin->witness[2].len != FIELDS_SIZE) {
            continue;
        }
        memset(result, 0, sizeof *result);
        result->type = FX_BLOB_RESULT;
        memcpy(result->solver.b, txin->witness[2].data + FIELDS_SOLVER, 32);
        memcpy(result->root.b, txin->witness[2].data + FIELDS_RESULT, 32);
        return is_own_solver(worths, &result->solver);
    }
    return false;
}

static void weigh_task(struct worths *worths, const struct fx_book_task *task, bool is_client)
{
    bool claimed = fx_book_is_claim(task);
    bool ours = is_client || (claimed && is_own_solver(worths, &task->state.solver));
    enum worth worth = ours ? WORTH_NEEDED : WORTH_STRANGERS;
    struct fx_blob_key key;
    struct fx_blob_shape shape;

    if (is_finished(worths->jobs, task, is_client)) {
        worth = WORTH_NOTHING;
    } else if (task->state.status == FX_STATUS_OPEN && claims_soon(worths, task, &key)) {
        worth = WORTH_NEEDED;
        raise_worth(worths, &key, worth);
    }
    raise_operands(worths, task->job, worth);
    if (claimed) {
        fx_book_result(task, &key, &shape);
        if (worth == WORTH_NOTHING && is_client && task->state.status == FX_STATUS_SETTLED) {
            worth = WORTH_PAID;
        }
        raise_worth(worths, &key, worth);
    }
}

static void weigh_job(struct worths *worths, const struct fx_book_job *job)
{
    bool operands = has_operands(worths, job), is_client = false, asked = false;

    for (size_t i = 0; i < job->n_tasks; i++) {
        const struct fx_book_task *task = job->tasks[i];
        struct fx_blob_key key;
        struct fx_blob_shape shape;
        bool result = false;

        if (fx_book_is_claim(task)) {
            fx_book_result(task, &key, &shape);
            result = is_here(worths, &key);
        }
        if (!operands && !result) {
            continue;
        }
        if (!asked) {
            is_client = fx_jobs_wallet_of(worths->jobs, &job->spec.client) != NULL;
            asked = true;
        }
        weigh_task(worths, task, is_client);
    }
}

static bool add_unseen(void *ctx, const struct fx_blob_key *key)
{
    struct worths *worths = ctx;
    uint8_t bytes[KEY_BYTES];

    key_bytes(key, bytes);
    fx_map_put(worths->map, bytes, &values[WORTH_UNSEEN]);
    return true;
}

/* What transactions that are yet to be sent will name. */
static void weigh_waiting(struct worths *worths, const struct fx_own_job *own)
{
    for (size_t i = 0; i < own->n_offers; i++) {
        const struct fx_gemm *gemm = &own->parts[own->offers[i].part].gemm;
        struct fx_blob_key key;

        if (fx_own_tx_status(worths->jobs, &own->offers[i]) == FX_JOB_TX_WAITING) {
            memset(&key, 0, sizeof key);
            key.type = FX_BLOB_OPERAND;
            key.root = gemm->root_a;
            raise_worth(worths, &key, WORTH_NEEDED);
            key.root = gemm->root_b;
            raise_worth(worths, &key, WORTH_NEEDED);
        }
    }
}

static void worths_init(struct worths *worths, const struct fx_jobs *jobs)
{
    const struct fx_book_job *job;
    void *value;
    size_t at = 0;

    memset(worths, 0, sizeof *worths);
    worths->jobs = jobs;
    worths->map = fx_map_create(KEY_BYTES, jobs->map_key[0], jobs->map_key[1]);
    fx_blobs_each(jobs->config.blobs, add_unseen, worths);
    while ((job = fx_book_next_job(jobs->book, &at)) != NULL) {
        if (job->spec.kind == FX_KIND_GEMM) {
            weigh_job(worths, job);
        }
    }
    at = 0;
    while (fx_map_next(jobs->pending, &at, NULL, &value)) {
        job = value;
        if (job->spec.kind == FX_KIND_GEMM) {
            raise_operands(worths, job,
                           fx_jobs_wallet_of(jobs, &job->spec.client) != NULL ? WORTH_NEEDED
                                                                              : WORTH_STRANGERS);
        }
    }
    at = 0;
    while (fx_map_next(jobs->own, &at, NULL, &value)) {
        weigh_waiting(worths, value);
    }
}

static void worths_clear(struct worths *worths)
{
    fx_map_destroy(worths->map, NULL);
}

/* ---- removing ---------------------------------------------------------------------------- */

static void drop(struct fx_jobs *jobs, const struct fx_blob_key *key, const char *why)
{
    char hex[FX_HASH_HEX];

    fx_hash_to_hex(&key->root, hex);
    fx_log_info("jobs: %s %s is removed: %s", key->type == FX_BLOB_OPERAND ? "operand" : "result",
                hex, why);
    fx_net_cancel_blob(jobs->config.net, key);
    fx_blobs_remove(jobs->config.blobs, key);
}

struct sweep {
    struct fx_jobs *jobs;
    struct worths worths;
};

static bool sweep_one(void *ctx, const struct fx_blob_key *key)
{
    struct sweep *sweep = ctx;
    struct fx_jobs *jobs = sweep->jobs;
    enum worth worth = worth_of(&sweep->worths, key);
    uint64_t bytes;
    int64_t idle;

    if (!fx_blobs_use(jobs->config.blobs, key, &bytes, &idle)) {
        return true;
    }
    if (worth == WORTH_NOTHING) {
        drop(jobs, key, "its tasks are over");
    } else if (worth == WORTH_UNCLAIMED && idle >= UNCLAIMED_SECONDS) {
        drop(jobs, key, "no task names it");
    }
    return true;
}

void fx_keep_step(struct fx_jobs *jobs)
{
    const struct fx_index *tip = fx_chain_tip(jobs->config.chain);
    int64_t now = fx_clock_monotonic_ms();
    struct sweep sweep = {.jobs = jobs};

    if (fx_jobs_is_syncing(jobs) || (tip->height == jobs->swept_height && now < jobs->sweep_ms)) {
        return;
    }
    jobs->swept_height = tip->height;
    jobs->sweep_ms = now + SWEEP_MS;
    worths_init(&sweep.worths, jobs);
    fx_blobs_each(jobs->config.blobs, sweep_one, &sweep);
    worths_clear(&sweep.worths);
    fx_uploads_expire(jobs->config.blobs, UPLOAD_IDLE_SECONDS);
}

/* ---- making room ------------------------------------------------------------------------- */

struct candidate {
    struct fx_blob_key key;
    enum worth worth;
    uint64_t bytes;
    int64_t idle;
};

struct choice {
    struct fx_jobs *jobs;
    struct worths worths;
    struct candidate *list;
    size_t n;
    uint64_t bytes; /* of all */
};

static bool may_go(enum worth worth, int64_t idle)
{
    switch (worth) {
    case WORTH_NOTHING:
        return true;
    case WORTH_STRANGERS:
        return idle >= BUSY_SECONDS;
    case WORTH_UNCLAIMED:
        return idle >= UNCLAIMED_SECONDS;
    case WORTH_PAID:
        return idle >= PAID_SECONDS;
    case WORTH_NEEDED:
    case WORTH_UNSEEN:
        return false;
    }
    return false;
}

static bool consider(void *ctx, const struct fx_blob_key *key)
{
    struct choice *choice = ctx;
    struct candidate candidate = {.key = *key, .worth = worth_of(&choice->worths, key)};

    if (fx_blobs_use(choice->jobs->config.blobs, key, &candidate.bytes, &candidate.idle) &&
        may_go(candidate.worth, candidate.idle)) {
        choice->list = fx_xreallocarray(choice->list, choice->n + 1, sizeof *choice->list);
        choice->list[choice->n++] = candidate;
        choice->bytes += candidate.bytes;
    }
    return true;
}

static int by_worth(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    if (x->worth != y->worth) {
        return x->worth < y->worth ? -1 : 1;
    }
    return x->idle > y->idle ? -1 : x->idle < y->idle;
}

void fx_keep_make_room(void *ctx, uint64_t bytes)
{
    struct choice choice = {.jobs = ctx};
    uint64_t freed = 0;

    worths_init(&choice.worths, choice.jobs);
    fx_blobs_each(choice.jobs->config.blobs, consider, &choice);
    worths_clear(&choice.worths);
    /* Where all of it would not do, nothing is lost for it. */
    if (choice.n > 0 && choice.bytes >= bytes) {
        qsort(choice.list, choice.n, sizeof *choice.list, by_worth);
        for (size_t i = 0; i < choice.n && freed < bytes; i++) {
            freed += choice.list[i].bytes;
            drop(choice.jobs, &choice.list[i].key, "other data needs its room");
        }
    }
    free(choice.list);
}
