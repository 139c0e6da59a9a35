/* The module as a whole: its start and end, the events it listens to, its timer. */
#include "src/jobs/jobs_int.h"

#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/sys/random.h"
#include "src/util/mem.h"

#define DB_CACHE (8u << 20)
#define STEP_SECONDS 1
#define SLICE_MS 50 /* that catching up may hold up the loop */
#define VISIT_MS 20 /* that a visit of jobs may */
#define DEFAULT_ROUNDS 2

/* ---- small things that all files use ----------------------------------------------------- */

bool fx_jobs_refuse(struct fx_jobs_error *error, int code, const char *format, ...)
{
    va_list args;

    if (error != NULL) {
        error->code = code;
        va_start(args, format);
        vsnprintf(error->text, sizeof error->text, format, args);
        va_end(args);
    }
    return false;
}

bool fx_jobs_pass_error(struct fx_jobs_error *error, const struct fx_wallet_error *from)
{
    return fx_jobs_refuse(error, from->code, "%s", from->text);
}

struct fx_span fx_jobs_span(const struct fx_buf *buf)
{
    struct fx_span span = {buf->data, buf->len};

    return span;
}

struct fx_wallet *fx_jobs_wallet_of(const struct fx_jobs *jobs, const struct fx_hash *key)
{
    struct fx_wallet *found = NULL;
    const char **names = NULL;
    size_t n = fx_wallet_list(jobs->config.wallets, &names);

    for (size_t i = 0; i < n && found == NULL; i++) {
        struct fx_wallet_error error;
        struct fx_wallet *wallet = fx_wallet_get(jobs->config.wallets, names[i], &error);

        if (wallet != NULL && fx_wallet_owns_key(wallet, key)) {
            found = wallet;
        }
    }
    free(names);
    return found;
}

struct fx_book_task *fx_jobs_find(const struct fx_jobs *jobs, const struct fx_outpoint *origin)
{
    struct fx_book_task *task = fx_book_find(jobs->book, origin);
    const struct fx_book_job *job;

    if (task != NULL) {
        return task;
    }
    job = fx_map_get(jobs->pending, origin->txid.b);
    for (size_t i = 0; job != NULL && i < job->n_tasks; i++) {
        if (job->tasks[i]->origin.index == origin->index) {
            return job->tasks[i];
        }
    }
    return NULL;
}

struct fx_book_job *fx_jobs_find_job(const struct fx_jobs *jobs, const struct fx_hash *id)
{
    struct fx_book_job *job = fx_book_find_job(jobs->book, id);

    return job != NULL ? job : fx_map_get(jobs->pending, id->b);
}

bool fx_jobs_has_operands(const struct fx_jobs *jobs, const struct fx_book_job *job)
{
    struct fx_blob_key key;
    struct fx_blob_shape shape;

    if (job->spec.kind != FX_KIND_GEMM) {
        return false;
    }
    for (unsigned side = FX_SIDE_A; side <= FX_SIDE_B; side++) {
        fx_book_operand(job, side, &key, &shape);
        if (fx_blobs_state(jobs->config.blobs, &key) != FX_BLOB_COMPLETE) {
            return false;
        }
    }
    return true;
}

bool fx_jobs_is_syncing(const struct fx_jobs *jobs)
{
    const struct fx_chain *chain = jobs->config.chain;

    return fx_chain_is_initial_download(chain) &&
           fx_chain_best_header(chain)->height > fx_chain_tip(chain)->height;
}

/* ---- the book follows the chain ---------------------------------------------------------- */

/* Takes back blocks until the last one seen is an ancestor of target, or target itself. */
static bool rewind_book(struct fx_jobs *jobs, const struct fx_index *target)
{
    const struct fx_chain *chain = jobs->config.chain;

    for (;;) {
        uint32_t height;
        const struct fx_hash *best = fx_book_best(jobs->book, &height);
        const struct fx_index *index = fx_chain_find(chain, best);

        if (index != NULL && fx_index_ancestor(target, index->height) == index) {
            return true;
        }
        switch (fx_book_disconnect(jobs->book)) {
        case FX_FOUND:
            break;
        case FX_MISSING:
            fx_log_info("jobs: the book of tasks is made again from the blocks");
            if (!fx_book_reset(jobs->book, &fx_chain_genesis(chain)->id)) {
                return false;
            }
            break;
        case FX_LOOKUP_FAILED:
            return false;
        }
    }
}

/* True where the book could be moved on by one block. */
static bool advance_book(struct fx_jobs *jobs, const struct fx_index *index)
{
    struct fx_block *block = fx_chain_read_block(jobs->config.chain, index);
    bool connected = block != NULL && fx_book_connect(jobs->book, block);

    if (connected) {
        fx_watcher_block(jobs, block);
    }
    if (block == NULL && jobs->unreadable != index->height) {
        jobs->unreadable = index->height;
        fx_log_info("jobs: block %u cannot be read, the book of tasks waits", index->height);
    }
    fx_block_unref(block);
    return connected;
}

/* Brings the book to this block, which is on the best chain or was until just now. False: not yet
 * there; the timer goes on. */
static bool sync_book(struct fx_jobs *jobs, const struct fx_index *target)
{
    int64_t end = fx_clock_monotonic_ms() + SLICE_MS;
    uint32_t height;

    if (!rewind_book(jobs, target)) {
        return false;
    }
    fx_book_best(jobs->book, &height);
    while (height < target->height) {
        if (!advance_book(jobs, fx_index_ancestor(target, height + 1))) {
            return false;
        }
        height++;
        if (height < target->height && fx_clock_monotonic_ms() >= end) {
            fx_log(FX_LOG_JOBS, "jobs: the book of tasks is at block %u of %u", height,
                   target->height);
            fx_jobs_kick(jobs);
            return false;
        }
    }
    return true;
}

/* After an announcement of own operands was mined, peers will listen. */
static void announce_mined(struct fx_jobs *jobs, const struct fx_block *block)
{
    for (size_t i = 1; i < block->n_txs; i++) {
        const struct fx_book_job *job = fx_book_find_job(jobs->book, &block->txs[i]->txid);
        struct fx_blob_key key;
        struct fx_blob_shape shape;

        if (job == NULL || job->spec.kind != FX_KIND_GEMM ||
            fx_jobs_wallet_of(jobs, &job->spec.client) == NULL) {
            continue;
        }
        for (unsigned side = FX_SIDE_A; side <= FX_SIDE_B; side++) {
            fx_book_operand(job, side, &key, &shape);
            if (fx_blobs_state(jobs->config.blobs, &key) == FX_BLOB_COMPLETE) {
                fx_announce_start(jobs, &key);
            }
        }
    }
}

/* The book lags behind now and then, and cannot go on without the blocks between. */
static uint32_t needs_from(void *ctx)
{
    const struct fx_jobs *jobs = ctx;
    uint32_t height;

    fx_book_best(jobs->book, &height);
    return height < fx_chain_tip(jobs->config.chain)->height ? height + 1 : UINT32_MAX;
}

static void block_connected(void *ctx, const struct fx_index *index, const struct fx_block *block,
                            const struct fx_undo *undo)
{
    struct fx_jobs *jobs = ctx;
    uint32_t height;

    (void)undo;
    if (!fx_hash_equal(&block->header.prev, fx_book_best(jobs->book, &height)) &&
        !sync_book(jobs, index->parent)) {
        return; /* the timer tries again */
    }
    if (fx_book_connect(jobs->book, block)) {
        fx_watcher_block(jobs, block);
        announce_mined(jobs, block);
    }
    fx_jobs_kick(jobs);
}

static void block_disconnected(void *ctx, const struct fx_index *index,
                               const struct fx_block *block, const struct fx_undo *undo)
{
    struct fx_jobs *jobs = ctx;
    uint32_t height;

    (void)block;
    (void)undo;
    if (fx_hash_equal(&index->id, fx_book_best(jobs->book, &height))) {
        rewind_book(jobs, index->parent);
    }
    fx_jobs_kick(jobs);
}

static void tip_changed(void *ctx, const struct fx_index *tip)
{
    (void)tip;
    fx_jobs_kick(ctx);
}

/* ---- jobs of the mempool ----------------------------------------------------------------- */

static bool is_claim(const struct fx_txin *txin)
{
    return txin->n_witness == 4 && txin->witness[0].len == 1 &&
           txin->witness[0].data[0] == FX_ACTION_CLAIM;
}

static struct fx_outpoint *copy_outpoint(const struct fx_outpoint *outpoint)
{
    struct fx_outpoint *copy = fx_xmalloc(sizeof *copy);

    *copy = *outpoint;
    return copy;
}

/* What else has such a witness does no harm: no task has that outpoint. */
static void note_claims(struct fx_jobs *jobs, const struct fx_tx *tx, bool added)
{
    uint8_t key[FX_OUTPOINT_SIZE];

    for (size_t in = 0; in < tx->n_in; in++) {
        if (!is_claim(&tx->in[in])) {
            continue;
        }
        fx_outpoint_key(&tx->in[in].prevout, key);
        free(added ? fx_map_put(jobs->claiming, key, copy_outpoint(&tx->in[in].prevout))
                   : fx_map_remove(jobs->claiming, key));
    }
}

static void tx_added(void *ctx, const struct fx_tx *tx)
{
    struct fx_jobs *jobs = ctx;
    struct fx_book_job *job = fx_book_job_read(jobs->config.params, tx);

    if (job != NULL) {
        fx_book_job_destroy(fx_map_put(jobs->pending, job->id.b, job));
    }
    note_claims(jobs, tx, true);
}

static void tx_removed(void *ctx, const struct fx_tx *tx, enum fx_tx_removal reason)
{
    struct fx_jobs *jobs = ctx;

    (void)reason;
    fx_book_job_destroy(fx_map_remove(jobs->pending, tx->txid.b));
    note_claims(jobs, tx, false);
}

static void read_mempool(struct fx_jobs *jobs)
{
    struct fx_mempool_entry *entries = NULL;
    size_t n = fx_mempool_list(jobs->config.mempool, &entries);

    for (size_t i = 0; i < n; i++) {
        tx_added(jobs, entries[i].tx);
    }
    free(entries);
}

/* ---- the timer --------------------------------------------------------------------------- */

static void blob_complete(void *ctx, const struct fx_blob_key *key)
{
    (void)key;
    fx_jobs_kick(ctx);
}

/* Downloads that were under way when the process ended. */
static bool resume_blob(void *ctx, const struct fx_blob_key *key)
{
    struct fx_jobs *jobs = ctx;

    if (fx_blobs_state(jobs->config.blobs, key) == FX_BLOB_PARTIAL &&
        fx_book_names_root(jobs->book, key, NULL, 0) > 0) {
        fx_net_fetch_blob(jobs->config.net, key);
    }
    return true;
}

/* What this node serves of its own open tasks is announced again after a start. */
static void resume(struct fx_jobs *jobs)
{
    struct fx_book_task *task;
    size_t at = 0;

    jobs->resumed = true;
    fx_blobs_each(jobs->config.blobs, resume_blob, jobs);
    while ((task = fx_book_next_active(jobs->book, &at)) != NULL) {
        struct fx_blob_key key;
        struct fx_blob_shape shape;

        if (task->job->spec.kind != FX_KIND_GEMM) {
            continue;
        }
        if (fx_jobs_wallet_of(jobs, &task->job->spec.client) != NULL) {
            for (unsigned side = FX_SIDE_A; side <= FX_SIDE_B; side++) {
                fx_book_operand(task->job, side, &key, &shape);
                if (fx_blobs_state(jobs->config.blobs, &key) == FX_BLOB_COMPLETE) {
                    fx_announce_start(jobs, &key);
                }
            }
        }
        if (fx_book_is_claim(task) && fx_jobs_wallet_of(jobs, &task->state.solver) != NULL) {
            fx_book_result(task, &key, &shape);
            if (fx_blobs_state(jobs->config.blobs, &key) == FX_BLOB_COMPLETE) {
                fx_announce_start(jobs, &key);
            }
        }
    }
}

/* What is due on jobs of the chain: all of them, or as many as a slice has time for. The next step
 * goes on where this one stopped. */
static void visit_jobs(struct fx_jobs *jobs)
{
    bool act = !fx_jobs_is_syncing(jobs);
    int64_t end = fx_clock_monotonic_ms() + VISIT_MS;
    struct fx_book_job *job;
    unsigned made = 0;

    while ((job = fx_book_aged_job(jobs->book, jobs->visited)) != NULL) {
        if (job->spec.kind == FX_KIND_GEMM) {
            fx_watcher_job(jobs, job);
            if (act && (!fx_dispute_job(jobs, job, &made) || !fx_settle_job(jobs, job, &made))) {
                fx_jobs_kick(jobs);
                return;
            }
        }
        jobs->visited++;
        if (fx_clock_monotonic_ms() >= end) {
            fx_jobs_kick(jobs);
            return;
        }
    }
    jobs->visited = 0;
}

void fx_jobs_step(struct fx_jobs *jobs)
{
    uint32_t height;
    const struct fx_index *tip = fx_chain_tip(jobs->config.chain);

    if (!fx_hash_equal(&tip->id, fx_book_best(jobs->book, &height)) && !sync_book(jobs, tip)) {
        return;
    }
    if (!jobs->resumed) {
        resume(jobs);
    }
    fx_reoffer_step(jobs);
    fx_funding_step(jobs);
    fx_watcher_step(jobs);
    visit_jobs(jobs);
    fx_announce_step(jobs);
    fx_keep_step(jobs);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct fx_jobs *jobs = arg;
    struct timeval pause = {STEP_SECONDS, 0};

    (void)fd;
    (void)what;
    event_add(jobs->timer, &pause);
    fx_jobs_step(jobs);
}

void fx_jobs_kick(struct fx_jobs *jobs)
{
    struct timeval now = {0, 0};

    event_add(jobs->timer, &now);
}

/* ---- start and end ----------------------------------------------------------------------- */

static void free_job(void *job)
{
    fx_book_job_destroy(job);
}

static void free_own(void *own)
{
    fx_own_job_destroy(own);
}

static struct fx_jobs *give_up(struct fx_jobs *jobs, char **error, const char *why)
{
    if (error != NULL && *error == NULL) {
        *error = fx_xstrdup(why);
    }
    fx_jobs_destroy(jobs);
    return NULL;
}

static void subscribe(struct fx_jobs *jobs)
{
    struct fx_chain_events chain_events = {.ctx = jobs,
                                           .block_connected = block_connected,
                                           .block_disconnected = block_disconnected,
                                           .tip_changed = tip_changed,
                                           .needs_from = needs_from};
    struct fx_mempool_events mempool_events = {
        .ctx = jobs, .tx_added = tx_added, .tx_removed = tx_removed};

    fx_chain_subscribe(jobs->config.chain, &chain_events);
    fx_mempool_subscribe(jobs->config.mempool, &mempool_events);
    fx_blobs_subscribe(jobs->config.blobs, blob_complete, jobs);
    fx_blobs_set_room(jobs->config.blobs, fx_keep_make_room, jobs);
}

static struct fx_db *open_db(const char *dir, char **why)
{
    struct fx_buf path = FX_BUF_INIT;
    struct fx_db *db;

    fx_buf_printf(&path, "%s/jobs", dir);
    fx_buf_u8(&path, 0);
    db = fx_db_open((const char *)path.data, DB_CACHE, why);
    fx_buf_clear(&path);
    return db;
}

struct fx_jobs *fx_jobs_create(const struct fx_jobs_config *config, char **error)
{
    struct fx_jobs *jobs = fx_xcalloc(1, sizeof *jobs);
    uint64_t k0 = fx_random_u64(), k1 = fx_random_u64();
    char *why = NULL;

    jobs->config = *config;
    jobs->map_key[0] = k0;
    jobs->map_key[1] = k1;
    if (jobs->config.freivalds_rounds == 0) {
        jobs->config.freivalds_rounds = DEFAULT_ROUNDS;
    }
    jobs->pending = fx_map_create(32, k0, k1);
    jobs->claiming = fx_map_create(FX_OUTPOINT_SIZE, k0, k1);
    jobs->notes = fx_map_create(FX_OUTPOINT_SIZE, k0, k1);
    jobs->own = fx_map_create(32, k0, k1);
    jobs->members = fx_map_create(32, k0, k1);
    jobs->announce = fx_map_create(33, k0, k1);
    if (error != NULL) {
        *error = NULL;
    }
    jobs->timer = evtimer_new(config->base, on_timer, jobs);
    jobs->checker = fx_checker_create(jobs);
    if (jobs->timer == NULL || jobs->checker == NULL) {
        return give_up(jobs, error, "jobs: no events");
    }
    jobs->db = open_db(config->dir, &why);
    if (jobs->db != NULL) {
        jobs->book =
            fx_book_create(config->params, jobs->db, &fx_chain_genesis(config->chain)->id, &why);
    }
    if (jobs->book == NULL || !fx_notes_load(jobs) || !fx_own_load(jobs)) {
        if (error != NULL) {
            *error = why;
            why = NULL;
        }
        free(why);
        return give_up(jobs, error, "jobs: the database cannot be read");
    }
    sync_book(jobs, fx_chain_tip(config->chain)); /* the rest, where there is some, in the loop */
    read_mempool(jobs);
    subscribe(jobs);
    fx_jobs_kick(jobs);
    return jobs;
}

void fx_jobs_destroy(struct fx_jobs *jobs)
{
    if (jobs == NULL) {
        return;
    }
    fx_blobs_set_room(jobs->config.blobs, NULL, NULL);
    fx_checker_destroy(jobs->checker);
    if (jobs->timer != NULL) {
        event_free(jobs->timer);
    }
    fx_solvers_destroy(jobs->solvers);
    fx_book_destroy(jobs->book);
    fx_map_destroy(jobs->pending, free_job);
    fx_map_destroy(jobs->claiming, free);
    fx_map_destroy(jobs->notes, free);
    fx_map_destroy(jobs->members, NULL);
    fx_map_destroy(jobs->own, free_own);
    fx_map_destroy(jobs->announce, free);
    fx_db_close(jobs->db);
    free(jobs);
}
