/* The book in memory: all jobs and tasks, their indexes, and what blocks do to them. */
#include "src/jobs/book_int.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/spend.h"
#include "consensus/work.h"
#include "src/sys/log.h"
#include "src/sys/random.h"
#include "src/util/mem.h"

#define ROOT_KEY (1 + 32)

struct fx_book {
    const struct fx_params *params;
    struct fx_db *db;
    struct fx_hash best;
    uint32_t height;
    uint32_t serial;           /* of the change being made */
    struct fx_map *jobs;       /* txid -> job; owns */
    struct fx_map *tasks;      /* origin -> task; the job owns */
    struct fx_map *active;     /* unspent output -> task */
    struct fx_map *claims;     /* solver -> the first of its claimed and challenged tasks */
    struct fx_map *unbacked;   /* origin -> settled task that no block listed yet */
    struct fx_map *roots;      /* type || root -> struct root_use; owns */
    struct fx_book_job **aged; /* all jobs, oldest first */
    size_t n_aged, cap_aged;
    struct fx_tallies tallies;
};

/* Open, claimed and challenged tasks that name a root: how many with which shape. */
struct shape_use {
    struct fx_blob_shape shape;
    unsigned count;
};

struct root_use {
    struct shape_use *shapes;
    size_t n;
};

/* ---- indexes ----------------------------------------------------------------------------- */

static void root_key(const struct fx_blob_key *key, uint8_t bytes[ROOT_KEY])
{
    bytes[0] = (uint8_t)key->type;
    memcpy(bytes + 1, key->root.b, 32);
}

static bool same_shape(const struct fx_blob_shape *a, const struct fx_blob_shape *b)
{
    return a->rows == b->rows && a->cols == b->cols && fx_hash_equal(&a->solver, &b->solver);
}

static void free_root(void *value)
{
    struct root_use *use = value;

    if (use != NULL) {
        free(use->shapes);
        free(use);
    }
}

static struct shape_use *find_shape(const struct root_use *use, const struct fx_blob_shape *shape)
{
    for (size_t i = 0; i < use->n; i++) {
        if (same_shape(&use->shapes[i].shape, shape)) {
            return &use->shapes[i];
        }
    }
    return NULL;
}

static void name_root(struct fx_book *book, const struct fx_blob_key *key,
                      const struct fx_blob_shape *shape)
{
    uint8_t bytes[ROOT_KEY];
    struct shape_use *named;
    struct root_use *use;

    root_key(key, bytes);
    use = fx_map_get(book->roots, bytes);
    if (use == NULL) {
        use = fx_xcalloc(1, sizeof *use);
        fx_map_put(book->roots, bytes, use);
    }
    named = find_shape(use, shape);
    if (named == NULL) {
        use->shapes = fx_xreallocarray(use->shapes, use->n + 1, sizeof *use->shapes);
        named = &use->shapes[use->n++];
        *named = (struct shape_use){.shape = *shape};
    }
    named->count++;
}

static void unname_root(struct fx_book *book, const struct fx_blob_key *key,
                        const struct fx_blob_shape *shape)
{
    uint8_t bytes[ROOT_KEY];
    struct root_use *use;
    struct shape_use *named;

    root_key(key, bytes);
    use = fx_map_get(book->roots, bytes);
    named = use == NULL ? NULL : find_shape(use, shape);
    if (named == NULL || --named->count > 0) {
        return;
    }
    *named = use->shapes[--use->n];
    if (use->n == 0) {
        free_root(fx_map_remove(book->roots, bytes));
    }
}

/* One task more or less names the root. */
static void root_use(struct fx_book *book, const struct fx_blob_key *key,
                     const struct fx_blob_shape *shape, bool more)
{
    if (more) {
        name_root(book, key, shape);
    } else {
        unname_root(book, key, shape);
    }
}

static void use_roots(struct fx_book *book, const struct fx_book_task *task, bool more)
{
    struct fx_blob_key key;
    struct fx_blob_shape shape;

    if (task->job->spec.kind != FX_KIND_GEMM) {
        return;
    }
    for (unsigned side = FX_SIDE_A; side <= FX_SIDE_B; side++) {
        fx_book_operand(task->job, side, &key, &shape);
        root_use(book, &key, &shape, more);
    }
    if (task->state.status != FX_STATUS_OPEN) {
        fx_book_result(task, &key, &shape);
        root_use(book, &key, &shape, more);
    }
}

static bool is_active(const struct fx_book_task *task)
{
    return task->state.status == FX_STATUS_OPEN || task->state.status == FX_STATUS_CLAIMED ||
           task->state.status == FX_STATUS_CHALLENGED;
}

static bool is_claimed(const struct fx_book_task *task)
{
    return task->state.status == FX_STATUS_CLAIMED || task->state.status == FX_STATUS_CHALLENGED;
}

static void add_claim(struct fx_book *book, struct fx_book_task *task)
{
    task->claims_prev = NULL;
    task->claims_next = fx_map_put(book->claims, task->state.solver.b, task);
    if (task->claims_next != NULL) {
        task->claims_next->claims_prev = task;
    }
}

static void drop_claim(struct fx_book *book, struct fx_book_task *task)
{
    if (task->claims_next != NULL) {
        task->claims_next->claims_prev = task->claims_prev;
    }
    if (task->claims_prev != NULL) {
        task->claims_prev->claims_next = task->claims_next;
    } else if (task->claims_next != NULL) {
        fx_map_put(book->claims, task->state.solver.b, task->claims_next);
    } else {
        fx_map_remove(book->claims, task->state.solver.b);
    }
    task->claims_prev = task->claims_next = NULL;
}

/* Takes the task out of the indexes that its state put it into; done before its state changes. */
static void detach(struct fx_book *book, struct fx_book_task *task)
{
    uint8_t key[FX_OUTPOINT_SIZE];

    task->job->n_status[task->state.status]--;
    if (is_active(task)) {
        fx_outpoint_key(&task->state.outpoint, key);
        fx_map_remove(book->active, key);
        use_roots(book, task, false);
    }
    if (is_claimed(task)) {
        drop_claim(book, task);
    }
    fx_outpoint_key(&task->origin, key);
    fx_map_remove(book->unbacked, key);
}

static void attach(struct fx_book *book, struct fx_book_task *task)
{
    uint8_t key[FX_OUTPOINT_SIZE];

    if (task->state.restored > 0 && task->again.len == 0) {
        fx_book_restored_preimage(book->params, task, &task->again);
    }
    task->job->n_status[task->state.status]++;
    if (is_active(task)) {
        fx_outpoint_key(&task->state.outpoint, key);
        fx_map_put(book->active, key, task);
        use_roots(book, task, true);
    }
    if (is_claimed(task)) {
        add_claim(book, task);
    }
    if (task->state.status == FX_STATUS_SETTLED && !task->state.backed) {
        fx_outpoint_key(&task->origin, key);
        fx_map_put(book->unbacked, key, task);
    }
}

/* Those of one block in order of their ids. */
static bool is_older(const struct fx_book_job *a, const struct fx_book_job *b)
{
    uint32_t ha = a->tasks[0]->state.h0, hb = b->tasks[0]->state.h0;

    return ha != hb ? ha < hb : fx_hash_cmp(&a->id, &b->id) < 0;
}

/* It is of the last block, and so its place is among the last. */
static void add_aged(struct fx_book *book, struct fx_book_job *job)
{
    size_t at = book->n_aged;

    if (book->n_aged == book->cap_aged) {
        book->cap_aged = book->cap_aged == 0 ? 16 : 2 * book->cap_aged;
        book->aged = fx_xreallocarray(book->aged, book->cap_aged, sizeof(struct fx_book_job *));
    }
    while (at > 0 && is_older(job, book->aged[at - 1])) {
        at--;
    }
    memmove(book->aged + at + 1, book->aged + at,
            (book->n_aged++ - at) * sizeof(struct fx_book_job *));
    book->aged[at] = job;
}

/* It is of the last block, and so among the last of the list. */
static void drop_aged(struct fx_book *book, const struct fx_book_job *job)
{
    for (size_t at = book->n_aged; at-- > 0;) {
        if (book->aged[at] == job) {
            memmove(book->aged + at, book->aged + at + 1,
                    (--book->n_aged - at) * sizeof(struct fx_book_job *));
            return;
        }
    }
}

static void add_task(struct fx_book *book, struct fx_book_task *task)
{
    uint8_t key[FX_OUTPOINT_SIZE];

    fx_outpoint_key(&task->origin, key);
    fx_map_put(book->tasks, key, task);
    attach(book, task);
}

/* Out of all indexes, and freed. */
static void drop_job(struct fx_book *book, struct fx_book_job *job)
{
    for (size_t i = 0; i < job->n_tasks; i++) {
        uint8_t key[FX_OUTPOINT_SIZE];

        detach(book, job->tasks[i]);
        fx_outpoint_key(&job->tasks[i]->origin, key);
        fx_map_remove(book->tasks, key);
    }
    drop_aged(book, job);
    fx_map_remove(book->jobs, job->id.b);
    fx_book_job_destroy(job);
}

static void add_block(struct fx_book_task *task, const struct fx_hash *id)
{
    if (task->n_blocks == task->cap_blocks) {
        task->cap_blocks = task->cap_blocks == 0 ? 2 : 2 * task->cap_blocks;
        task->blocks = fx_xreallocarray(task->blocks, task->cap_blocks, sizeof *task->blocks);
    }
    task->blocks[task->n_blocks++] = *id;
}

/* ---- a block ----------------------------------------------------------------------------- */

/* Saves the state before the block's first change to the task, and takes it out of the indexes. */
static void change(struct fx_book *book, struct fx_book_log *log, struct fx_book_task *task)
{
    detach(book, task);
    if (task->logged == book->serial) {
        return;
    }
    task->logged = book->serial;
    if (log->n == log->cap) {
        log->cap = log->cap == 0 ? 8 : 2 * log->cap;
        log->changes = fx_xreallocarray(log->changes, log->cap, sizeof *log->changes);
    }
    log->changes[log->n].task = task;
    log->changes[log->n].before = task->state;
    log->n++;
}

static void spend_task(struct fx_book *book, struct fx_book_log *log, struct fx_book_task *task,
                       const struct fx_tx *tx, size_t in)
{
    const struct fx_txin *txin = &tx->in[in];
    struct fx_book_state before;
    bool known;
    uint8_t action;

    if (txin->n_witness == 0 || txin->witness[0].len != 1) {
        return;
    }
    action = txin->witness[0].data[0];
    if (action > FX_ACTION_REJECT) {
        return;
    }
    change(book, log, task);
    before = task->state;
    known = fx_book_task_spend(task, tx, in, log->height, (enum fx_task_action)action);
    attach(book, task);
    fx_tally_spent(&log->tally, task, &before, (enum fx_task_action)action);
    if (!known) {
        fx_log_info("jobs: a task spend of action %u was not understood", action);
    }
}

static void connect_work(struct fx_book *book, struct fx_book_log *log,
                         const struct fx_block *block)
{
    struct fx_cb_work work;

    if (block->work == NULL || !fx_cb_work_read(block->txs[0], &work)) {
        return;
    }
    log->mined = fx_book_at(book, &work.outpoint);
    if (log->mined != NULL) {
        add_block(log->mined, &block->id);
    }
    for (size_t i = 0; i < block->work->n_backing; i++) {
        struct fx_book_task *task = fx_book_find(book, &block->work->backing[i]);

        if (task != NULL) {
            change(book, log, task);
            task->state.backed = true;
            attach(book, task);
            fx_tally_backed(&log->tally, task);
        }
    }
}

static void announce(struct fx_book *book, struct fx_book_log *log, const struct fx_tx *tx)
{
    struct fx_book_job *job = fx_book_job_read(book->params, tx);

    if (job == NULL) {
        return;
    }
    fx_map_put(book->jobs, job->id.b, job);
    for (size_t i = 0; i < job->n_tasks; i++) {
        job->tasks[i]->state.status = FX_STATUS_OPEN;
        job->tasks[i]->state.h0 = job->tasks[i]->state.height = log->height;
        /* Its undo is to forget the job: later changes in this block need no saving. */
        job->tasks[i]->logged = book->serial;
        add_task(book, job->tasks[i]);
        fx_tally_offered(&log->tally, job->tasks[i]);
    }
    add_aged(book, job);
    if (log->n_jobs == log->cap_jobs) {
        log->cap_jobs = log->cap_jobs == 0 ? 4 : 2 * log->cap_jobs;
        log->jobs = fx_xreallocarray(log->jobs, log->cap_jobs, sizeof(struct fx_book_job *));
    }
    log->jobs[log->n_jobs++] = job;
}

static void connect_txs(struct fx_book *book, struct fx_book_log *log, const struct fx_block *block)
{
    for (size_t i = 1; i < block->n_txs; i++) {
        const struct fx_tx *tx = block->txs[i];

        for (size_t in = 0; in < tx->n_in; in++) {
            struct fx_book_task *task = fx_book_at(book, &tx->in[in].prevout);

            if (task != NULL) {
                spend_task(book, log, task, tx, in);
            }
        }
        announce(book, log, tx);
    }
}

/* Back to what it was before the block. */
static void roll_back(struct fx_book *book, const struct fx_book_log *log)
{
    for (size_t i = log->n; i-- > 0;) {
        detach(book, log->changes[i].task);
        log->changes[i].task->state = log->changes[i].before;
        attach(book, log->changes[i].task);
    }
    if (log->mined != NULL) {
        log->mined->n_blocks--;
    }
    for (size_t i = log->n_jobs; i-- > 0;) {
        drop_job(book, log->jobs[i]);
    }
}

bool fx_book_connect(struct fx_book *book, const struct fx_block *block)
{
    struct fx_book_log log;
    bool written;

    memset(&log, 0, sizeof log);
    log.id = block->id;
    log.parent = block->header.prev;
    log.height = book->height + 1;
    fx_tally_begin(&log.tally, block, log.height);
    book->serial++;
    connect_work(book, &log, block);
    connect_txs(book, &log, block);
    written = fx_book_store_connect(book->db, &log);
    if (written) {
        book->best = log.id;
        book->height = log.height;
        fx_tallies_push(&book->tallies, &log.tally);
    } else {
        roll_back(book, &log);
        fx_tally_clear(&log.tally);
    }
    free(log.changes);
    free(log.jobs);
    return written;
}

enum fx_lookup fx_book_disconnect(struct fx_book *book)
{
    struct fx_book_undo undo;
    enum fx_lookup found;

    if (book->height == 0) {
        return FX_MISSING;
    }
    found = fx_book_store_undo(book->db, book->height, &undo);
    if (found != FX_FOUND) {
        return found;
    }
    if (!fx_hash_equal(&undo.id, &book->best)) {
        fx_book_undo_clear(&undo);
        return FX_MISSING;
    }
    if (!fx_book_store_disconnect(book->db, book, book->height, &undo)) {
        fx_book_undo_clear(&undo);
        return FX_LOOKUP_FAILED;
    }
    for (size_t i = undo.n; i-- > 0;) {
        struct fx_book_task *task = fx_book_find(book, &undo.origins[i]);

        if (task != NULL) {
            detach(book, task);
            task->state = undo.states[i];
            attach(book, task);
        }
    }
    if (undo.has_mined) {
        struct fx_book_task *task = fx_book_find(book, &undo.mined);

        if (task != NULL && task->n_blocks > 0) {
            task->n_blocks--;
        }
    }
    for (size_t i = undo.n_jobs; i-- > 0;) {
        struct fx_book_job *job = fx_book_find_job(book, &undo.jobs[i]);

        if (job != NULL) {
            drop_job(book, job);
        }
    }
    book->best = undo.parent;
    book->height--;
    fx_tallies_pop(&book->tallies);
    fx_book_undo_clear(&undo);
    return FX_FOUND;
}

/* ---- the whole --------------------------------------------------------------------------- */

static void free_job(void *job)
{
    fx_book_job_destroy(job);
}

static void clear_maps(struct fx_book *book)
{
    fx_map_clear(book->active, NULL);
    fx_map_clear(book->claims, NULL);
    fx_map_clear(book->unbacked, NULL);
    fx_map_clear(book->roots, free_root);
    fx_map_clear(book->tasks, NULL);
    fx_map_clear(book->jobs, free_job);
    book->n_aged = 0;
    fx_tallies_clear(&book->tallies);
}

static int by_age(const void *a, const void *b)
{
    const struct fx_book_job *x = *(struct fx_book_job *const *)a;
    const struct fx_book_job *y = *(struct fx_book_job *const *)b;

    return is_older(x, y) ? -1 : is_older(y, x) ? 1 : 0;
}

static int by_index(const void *a, const void *b)
{
    const struct fx_book_task *x = *(struct fx_book_task *const *)a;
    const struct fx_book_task *y = *(struct fx_book_task *const *)b;

    return x->index < y->index ? -1 : x->index > y->index;
}

bool fx_book_load_job(struct fx_book *book, const struct fx_hash *id, uint32_t first,
                      struct fx_span spec)
{
    struct fx_book_job *job = fx_book_job_create(book->params, id, first, spec);

    if (job == NULL) {
        return false;
    }
    fx_map_put(book->jobs, id->b, job);
    return true;
}

bool fx_book_load_task(struct fx_book *book, const struct fx_outpoint *origin,
                       const struct fx_book_state *state)
{
    struct fx_book_job *job = fx_book_find_job(book, &origin->txid);
    struct fx_book_task *task = job == NULL ? NULL : fx_book_task_create(job, origin->index);

    if (task == NULL) {
        return false;
    }
    task->state = *state;
    task->cap_events = state->n_events;
    task->events = fx_xcalloc(task->cap_events, sizeof *task->events);
    fx_book_job_add(job, task);
    add_task(book, task);
    return true;
}

bool fx_book_load_tally(struct fx_book *book, const struct fx_tally *tally)
{
    const struct fx_tally *last = fx_tallies_back(&book->tallies, 0);

    if (last != NULL && tally->height != last->height + 1) {
        return false;
    }
    fx_tallies_push(&book->tallies, tally);
    return true;
}

bool fx_book_load_mined(struct fx_book *book, const struct fx_outpoint *origin,
                        const struct fx_hash *block)
{
    struct fx_book_task *task = fx_book_find(book, origin);

    if (task != NULL) {
        add_block(task, block);
    }
    return task != NULL;
}

bool fx_book_load_event(struct fx_book *book, const struct fx_outpoint *origin, uint32_t number,
                        const struct fx_task_event *event)
{
    struct fx_book_task *task = fx_book_find(book, origin);

    if (task == NULL || number >= task->state.n_events) {
        return false;
    }
    task->events[number] = *event;
    return true;
}

/* The database has jobs and tasks in no order of use. */
static void sort_loaded(struct fx_book *book)
{
    struct fx_book_job *job;
    size_t at = 0;

    book->cap_aged = fx_map_count(book->jobs);
    book->aged = fx_xcalloc(book->cap_aged, sizeof(struct fx_book_job *));
    while ((job = fx_book_next_job(book, &at)) != NULL) {
        if (job->n_tasks > 0) {
            qsort(job->tasks, job->n_tasks, sizeof(struct fx_book_task *), by_index);
            book->aged[book->n_aged++] = job;
        }
    }
    if (book->n_aged > 0) {
        qsort(book->aged, book->n_aged, sizeof(struct fx_book_job *), by_age);
    }
}

struct fx_book *fx_book_create(const struct fx_params *params, struct fx_db *db,
                               const struct fx_hash *genesis, char **error)
{
    struct fx_book *book = fx_xcalloc(1, sizeof *book);
    uint64_t k0 = fx_random_u64(), k1 = fx_random_u64();
    bool fine = false;

    book->params = params;
    book->db = db;
    book->jobs = fx_map_create(32, k0, k1);
    book->tasks = fx_map_create(FX_OUTPOINT_SIZE, k0, k1);
    book->active = fx_map_create(FX_OUTPOINT_SIZE, k0, k1);
    book->claims = fx_map_create(sizeof(struct fx_hash), k0, k1);
    book->unbacked = fx_map_create(FX_OUTPOINT_SIZE, k0, k1);
    book->roots = fx_map_create(ROOT_KEY, k0, k1);
    switch (fx_book_store_load(book, db, &book->best, &book->height)) {
    case FX_FOUND:
        fine = true;
        break;
    case FX_MISSING:
        fine = fx_book_reset(book, genesis);
        break;
    case FX_LOOKUP_FAILED:
        break;
    }
    if (!fine) {
        *error = fx_xstrdup("the book of tasks cannot be read");
        fx_book_destroy(book);
        return NULL;
    }
    sort_loaded(book);
    return book;
}

void fx_book_destroy(struct fx_book *book)
{
    if (book == NULL) {
        return;
    }
    fx_map_destroy(book->active, NULL);
    fx_map_destroy(book->claims, NULL);
    fx_map_destroy(book->unbacked, NULL);
    fx_map_destroy(book->roots, free_root);
    fx_map_destroy(book->tasks, NULL);
    fx_map_destroy(book->jobs, free_job);
    free(book->aged);
    fx_tallies_clear(&book->tallies);
    free(book);
}

bool fx_book_reset(struct fx_book *book, const struct fx_hash *genesis)
{
    if (!fx_book_store_reset(book->db, genesis)) {
        return false;
    }
    clear_maps(book);
    book->best = *genesis;
    book->height = 0;
    return true;
}

const struct fx_hash *fx_book_best(const struct fx_book *book, uint32_t *height)
{
    *height = book->height;
    return &book->best;
}

struct fx_book_job *fx_book_find_job(const struct fx_book *book, const struct fx_hash *id)
{
    return fx_map_get(book->jobs, id->b);
}

struct fx_book_task *fx_book_find(const struct fx_book *book, const struct fx_outpoint *origin)
{
    uint8_t key[FX_OUTPOINT_SIZE];

    fx_outpoint_key(origin, key);
    return fx_map_get(book->tasks, key);
}

struct fx_book_task *fx_book_at(const struct fx_book *book, const struct fx_outpoint *outpoint)
{
    uint8_t key[FX_OUTPOINT_SIZE];

    fx_outpoint_key(outpoint, key);
    return fx_map_get(book->active, key);
}

static void *next(const struct fx_map *map, size_t *at)
{
    void *value;

    return fx_map_next(map, at, NULL, &value) ? value : NULL;
}

struct fx_book_job *fx_book_next_job(const struct fx_book *book, size_t *at)
{
    return next(book->jobs, at);
}

struct fx_book_task *fx_book_next_active(const struct fx_book *book, size_t *at)
{
    return next(book->active, at);
}

struct fx_book_task *fx_book_claims_of(const struct fx_book *book, const struct fx_hash *solver)
{
    return fx_map_get(book->claims, solver->b);
}

struct fx_book_task *fx_book_next_unbacked(const struct fx_book *book, size_t *at)
{
    return next(book->unbacked, at);
}

size_t fx_book_count_jobs(const struct fx_book *book)
{
    return fx_map_count(book->jobs);
}

struct fx_book_job *fx_book_aged_job(const struct fx_book *book, size_t number)
{
    return number < book->n_aged ? book->aged[number] : NULL;
}

struct fx_book_job *fx_book_back_job(const struct fx_book *book, size_t back)
{
    return back < book->n_aged ? book->aged[book->n_aged - 1 - back] : NULL;
}

const struct fx_tallies *fx_book_tallies(const struct fx_book *book)
{
    return &book->tallies;
}

size_t fx_book_names_root(const struct fx_book *book, const struct fx_blob_key *key,
                          struct fx_blob_shape *shapes, size_t max)
{
    uint8_t bytes[ROOT_KEY];
    const struct root_use *use;

    root_key(key, bytes);
    use = fx_map_get(book->roots, bytes);
    for (size_t i = 0; use != NULL && i < use->n && i < max; i++) {
        shapes[i] = use->shapes[i].shape;
    }
    return use == NULL ? 0 : use->n;
}
