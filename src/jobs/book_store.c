/*
 * The book in the database. Keys, by first byte:
 *   B                        the last block: height u32, id
 *   J txid                   a job: first u32, spec
 *   T origin                 a task's state
 *   M origin height-u32be    a job-lane block mined inside the task
 *   E origin number-u32be    a step of a dispute about the task
 *   U height-u32be           what undoes the block at this height
 *   S height-u32be           what it did to the market, summed
 * A block's changes, its undo and the marker are one batch. Batches are not synced: they survive
 * the process, and after a power failure the book stands at an earlier block and reads on from
 * there.
 */
#include <stdlib.h>
#include <string.h>

#include "src/jobs/book_int.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

#define UNDO_KEEP FX_RECORD_KEEP /* blocks; a longer reorganisation makes the book again */
#define KEY_MAX (1 + FX_OUTPOINT_SIZE + 4)

static const char best_key[1] = {'B'};

static size_t height_key(char kind, uint32_t height, uint8_t key[KEY_MAX])
{
    key[0] = (uint8_t)kind;
    fx_store_u32be(key + 1, height);
    return 5;
}

static size_t job_key(const struct fx_hash *id, uint8_t key[KEY_MAX])
{
    key[0] = 'J';
    memcpy(key + 1, id->b, 32);
    return 33;
}

static size_t task_key(const struct fx_outpoint *origin, uint8_t key[KEY_MAX])
{
    key[0] = 'T';
    fx_outpoint_key(origin, key + 1);
    return 1 + FX_OUTPOINT_SIZE;
}

static size_t mined_key(const struct fx_outpoint *origin, uint32_t height, uint8_t key[KEY_MAX])
{
    key[0] = 'M';
    fx_outpoint_key(origin, key + 1);
    fx_store_u32be(key + 1 + FX_OUTPOINT_SIZE, height);
    return KEY_MAX;
}

static size_t event_key(const struct fx_outpoint *origin, uint32_t number, uint8_t key[KEY_MAX])
{
    key[0] = 'E';
    fx_outpoint_key(origin, key + 1);
    fx_store_u32be(key + 1 + FX_OUTPOINT_SIZE, number);
    return KEY_MAX;
}

static void write_state(const struct fx_book_state *state, struct fx_buf *buf)
{
    fx_buf_u8(buf, (uint8_t)state->status);
    fx_buf_u8(buf, (uint8_t)state->end_action);
    fx_buf_u8(buf, state->backed ? 1 : 0);
    fx_buf_i64(buf, state->escrow);
    fx_buf_u32(buf, state->h0);
    fx_outpoint_write(&state->outpoint, buf);
    fx_buf_i64(buf, state->value);
    fx_buf_u32(buf, state->height);
    fx_buf_u32(buf, state->restored);
    fx_outpoint_write(&state->claim, buf);
    fx_buf_hash(buf, &state->program);
    fx_buf_u32(buf, state->claim_height);
    fx_buf_hash(buf, &state->solver);
    fx_buf_hash(buf, &state->result);
    fx_buf_i64(buf, state->bond);
    fx_buf_i64(buf, state->burn);
    fx_buf_u8(buf, state->asked);
    fx_buf_u32(buf, state->tile);
    fx_buf_u32(buf, state->n_events);
    fx_buf_hash(buf, &state->end_txid);
    fx_buf_u32(buf, state->end_height);
}

static void read_state(struct fx_reader *r, struct fx_book_state *state)
{
    uint8_t status = fx_read_u8(r), action = fx_read_u8(r), backed = fx_read_u8(r);

    memset(state, 0, sizeof *state);
    if (status > FX_STATUS_REJECTED || action > FX_ACTION_REJECT || backed > 1) {
        r->bad = true;
        return;
    }
    state->status = (enum fx_task_status)status;
    state->end_action = (enum fx_task_action)action;
    state->backed = backed == 1;
    state->escrow = fx_read_i64(r);
    state->h0 = fx_read_u32(r);
    state->outpoint = fx_outpoint_read(r);
    state->value = fx_read_i64(r);
    state->height = fx_read_u32(r);
    state->restored = fx_read_u32(r);
    state->claim = fx_outpoint_read(r);
    state->program = fx_read_hash(r);
    state->claim_height = fx_read_u32(r);
    state->solver = fx_read_hash(r);
    state->result = fx_read_hash(r);
    state->bond = fx_read_i64(r);
    state->burn = fx_read_i64(r);
    state->asked = fx_read_u8(r);
    state->tile = fx_read_u32(r);
    state->n_events = fx_read_u32(r);
    state->end_txid = fx_read_hash(r);
    state->end_height = fx_read_u32(r);
}

static void put_best(struct fx_db_batch *batch, const struct fx_hash *id, uint32_t height)
{
    uint8_t value[36];

    fx_store_u32(value, height);
    memcpy(value + 4, id->b, 32);
    fx_db_batch_put(batch, best_key, sizeof best_key, value, sizeof value);
}

static void put_task(struct fx_db_batch *batch, const struct fx_outpoint *origin,
                     const struct fx_book_state *state)
{
    struct fx_buf value = FX_BUF_INIT;
    uint8_t key[KEY_MAX];
    size_t n = task_key(origin, key);

    write_state(state, &value);
    fx_db_batch_put(batch, key, n, value.data, value.len);
    fx_buf_clear(&value);
}

static void put_event(struct fx_db_batch *batch, const struct fx_outpoint *origin, uint32_t number,
                      const struct fx_task_event *event)
{
    struct fx_buf value = FX_BUF_INIT;
    uint8_t key[KEY_MAX];
    size_t n = event_key(origin, number, key);

    fx_buf_u8(&value, (uint8_t)event->action);
    fx_buf_hash(&value, &event->txid);
    fx_buf_u32(&value, event->height);
    fx_buf_hash(&value, &event->solver);
    fx_buf_u8(&value, event->challenged ? 1 : 0);
    fx_buf_u32(&value, event->tile);
    fx_db_batch_put(batch, key, n, value.data, value.len);
    fx_buf_clear(&value);
}

static void put_job(struct fx_db_batch *batch, const struct fx_book_job *job)
{
    struct fx_buf value = FX_BUF_INIT;
    uint8_t key[KEY_MAX];
    size_t n = job_key(&job->id, key);

    fx_buf_u32(&value, job->first);
    fx_buf_bytes(&value, job->bytes.data, job->bytes.len);
    fx_db_batch_put(batch, key, n, value.data, value.len);
    fx_buf_clear(&value);
    for (size_t i = 0; i < job->n_tasks; i++) {
        put_task(batch, &job->tasks[i]->origin, &job->tasks[i]->state);
    }
}

static void put_tally(struct fx_db_batch *batch, const struct fx_tally *tally)
{
    struct fx_buf value = FX_BUF_INIT;
    uint8_t key[KEY_MAX];
    size_t n = height_key('S', tally->height, key);

    fx_tally_write(tally, &value);
    fx_db_batch_put(batch, key, n, value.data, value.len);
    fx_buf_clear(&value);
    if (tally->height > FX_MARKET_LONGEST) {
        n = height_key('S', tally->height - FX_MARKET_LONGEST, key);
        fx_db_batch_delete(batch, key, n);
    }
}

/* ---- undo -------------------------------------------------------------------------------- */

static void put_undo(struct fx_db_batch *batch, const struct fx_book_log *log)
{
    struct fx_buf value = FX_BUF_INIT;
    uint8_t key[KEY_MAX];
    size_t n;

    fx_buf_hash(&value, &log->id);
    fx_buf_hash(&value, &log->parent);
    fx_buf_u8(&value, log->mined != NULL ? 1 : 0);
    if (log->mined != NULL) {
        fx_outpoint_write(&log->mined->origin, &value);
    }
    fx_buf_var(&value, log->n_jobs);
    for (size_t i = 0; i < log->n_jobs; i++) {
        fx_buf_hash(&value, &log->jobs[i]->id);
    }
    fx_buf_var(&value, log->n);
    for (size_t i = 0; i < log->n; i++) {
        fx_outpoint_write(&log->changes[i].task->origin, &value);
        write_state(&log->changes[i].before, &value);
    }
    n = height_key('U', log->height, key);
    fx_db_batch_put(batch, key, n, value.data, value.len);
    fx_buf_clear(&value);
    if (log->height > UNDO_KEEP) {
        n = height_key('U', log->height - UNDO_KEEP, key);
        fx_db_batch_delete(batch, key, n);
    }
}

void fx_book_undo_clear(struct fx_book_undo *undo)
{
    free(undo->jobs);
    free(undo->origins);
    free(undo->states);
    memset(undo, 0, sizeof *undo);
}

static bool read_undo(struct fx_reader *r, struct fx_book_undo *undo)
{
    memset(undo, 0, sizeof *undo);
    undo->id = fx_read_hash(r);
    undo->parent = fx_read_hash(r);
    undo->has_mined = fx_read_u8(r) != 0;
    if (undo->has_mined) {
        undo->mined = fx_outpoint_read(r);
    }
    undo->n_jobs = fx_read_count(r, SIZE_MAX, 32);
    undo->jobs = fx_xcalloc(undo->n_jobs, sizeof *undo->jobs);
    for (size_t i = 0; i < undo->n_jobs; i++) {
        undo->jobs[i] = fx_read_hash(r);
    }
    undo->n = fx_read_count(r, SIZE_MAX, FX_OUTPOINT_SIZE);
    undo->origins = fx_xcalloc(undo->n, sizeof *undo->origins);
    undo->states = fx_xcalloc(undo->n, sizeof *undo->states);
    for (size_t i = 0; i < undo->n; i++) {
        undo->origins[i] = fx_outpoint_read(r);
        read_state(r, &undo->states[i]);
    }
    if (!fx_reader_done(r)) {
        fx_book_undo_clear(undo);
        return false;
    }
    return true;
}

enum fx_lookup fx_book_store_undo(struct fx_db *db, uint32_t height, struct fx_book_undo *undo)
{
    struct fx_reader r;
    uint8_t key[KEY_MAX], *value;
    size_t n = height_key('U', height, key);
    bool fine;

    switch (fx_db_read(db, key, n, &value, &n)) {
    case FX_DB_FOUND:
        break;
    case FX_DB_ABSENT:
        return FX_MISSING;
    case FX_DB_FAILED:
        return FX_LOOKUP_FAILED;
    }
    fx_reader_init(&r, value, n);
    fine = read_undo(&r, undo);
    free(value);
    return fine ? FX_FOUND : FX_MISSING;
}

/* ---- blocks ------------------------------------------------------------------------------ */

bool fx_book_store_connect(struct fx_db *db, const struct fx_book_log *log)
{
    struct fx_db_batch *batch = fx_db_batch_create();
    uint8_t key[KEY_MAX];

    for (size_t i = 0; i < log->n; i++) {
        const struct fx_book_task *task = log->changes[i].task;

        put_task(batch, &task->origin, &task->state);
        for (uint32_t e = log->changes[i].before.n_events; e < task->state.n_events; e++) {
            put_event(batch, &task->origin, e, &task->events[e]);
        }
    }
    for (size_t i = 0; i < log->n_jobs; i++) {
        put_job(batch, log->jobs[i]);
    }
    if (log->mined != NULL) {
        size_t n = mined_key(&log->mined->origin, log->height, key);

        fx_db_batch_put(batch, key, n, log->id.b, 32);
    }
    put_undo(batch, log);
    put_tally(batch, &log->tally);
    put_best(batch, &log->id, log->height);
    return fx_db_batch_write(db, batch, false);
}

bool fx_book_store_disconnect(struct fx_db *db, const struct fx_book *book, uint32_t height,
                              const struct fx_book_undo *undo)
{
    struct fx_db_batch *batch = fx_db_batch_create();
    uint8_t key[KEY_MAX];
    size_t n;

    for (size_t i = 0; i < undo->n; i++) {
        const struct fx_book_task *task = fx_book_find(book, &undo->origins[i]);

        put_task(batch, &undo->origins[i], &undo->states[i]);
        for (uint32_t e = undo->states[i].n_events; task != NULL && e < task->state.n_events; e++) {
            n = event_key(&undo->origins[i], e, key);
            fx_db_batch_delete(batch, key, n);
        }
    }
    for (size_t i = 0; i < undo->n_jobs; i++) {
        const struct fx_book_job *job = fx_book_find_job(book, &undo->jobs[i]);

        for (size_t t = 0; job != NULL && t < job->n_tasks; t++) {
            n = task_key(&job->tasks[t]->origin, key);
            fx_db_batch_delete(batch, key, n);
        }
        n = job_key(&undo->jobs[i], key);
        fx_db_batch_delete(batch, key, n);
    }
    if (undo->has_mined) {
        n = mined_key(&undo->mined, height, key);
        fx_db_batch_delete(batch, key, n);
    }
    n = height_key('U', height, key);
    fx_db_batch_delete(batch, key, n);
    n = height_key('S', height, key);
    fx_db_batch_delete(batch, key, n);
    put_best(batch, &undo->parent, height - 1);
    return fx_db_batch_write(db, batch, false);
}

bool fx_book_store_reset(struct fx_db *db, const struct fx_hash *genesis)
{
    static const char kinds[] = {'J', 'T', 'M', 'E', 'U', 'S'};
    struct fx_db_batch *batch = fx_db_batch_create();

    for (size_t i = 0; i < sizeof kinds; i++) {
        struct fx_db_iter *it = fx_db_iter_create(db, &kinds[i], 1);
        const uint8_t *key, *value;
        size_t key_len, n;
        bool failed;

        while (fx_db_iter_next(it, &key, &key_len, &value, &n)) {
            fx_db_batch_delete(batch, key, key_len);
        }
        failed = fx_db_iter_failed(it);
        fx_db_iter_destroy(it);
        if (failed) {
            fx_db_batch_destroy(batch);
            return false;
        }
    }
    put_best(batch, genesis, 0);
    return fx_db_batch_write(db, batch, false);
}

/* ---- loading ----------------------------------------------------------------------------- */

static bool load_job(struct fx_book *book, const uint8_t *key, size_t key_len, const uint8_t *value,
                     size_t n)
{
    struct fx_hash id;
    struct fx_span spec;

    if (key_len != 33 || n < 4) {
        return false;
    }
    memcpy(id.b, key + 1, 32);
    spec.data = value + 4;
    spec.len = n - 4;
    return fx_book_load_job(book, &id, fx_load_u32(value), spec);
}

static bool load_task(struct fx_book *book, const uint8_t *key, size_t key_len,
                      const uint8_t *value, size_t n)
{
    struct fx_reader r, name;
    struct fx_book_state state;
    struct fx_outpoint origin;

    fx_reader_init(&name, key + 1, key_len - 1);
    origin = fx_outpoint_read(&name);
    fx_reader_init(&r, value, n);
    read_state(&r, &state);
    return fx_reader_done(&name) && fx_reader_done(&r) && fx_book_load_task(book, &origin, &state);
}

static bool load_mined(struct fx_book *book, const uint8_t *key, size_t key_len,
                       const uint8_t *value, size_t n)
{
    struct fx_reader name;
    struct fx_outpoint origin;
    struct fx_hash id;

    if (key_len != KEY_MAX || n != 32) {
        return false;
    }
    fx_reader_init(&name, key + 1, FX_OUTPOINT_SIZE);
    origin = fx_outpoint_read(&name);
    memcpy(id.b, value, 32);
    return fx_book_load_mined(book, &origin, &id);
}

static bool load_event(struct fx_book *book, const uint8_t *key, size_t key_len,
                       const uint8_t *value, size_t n)
{
    struct fx_reader name, r;
    struct fx_outpoint origin;
    struct fx_task_event event;
    uint8_t action;

    if (key_len != KEY_MAX) {
        return false;
    }
    fx_reader_init(&name, key + 1, FX_OUTPOINT_SIZE);
    origin = fx_outpoint_read(&name);
    memset(&event, 0, sizeof event);
    fx_reader_init(&r, value, n);
    action = fx_read_u8(&r);
    event.txid = fx_read_hash(&r);
    event.height = fx_read_u32(&r);
    event.solver = fx_read_hash(&r);
    event.challenged = fx_read_u8(&r) != 0;
    event.tile = fx_read_u32(&r);
    if (!fx_reader_done(&r) || action > FX_ACTION_REJECT) {
        return false;
    }
    event.action = (enum fx_task_action)action;
    return fx_book_load_event(book, &origin, fx_load_u32be(key + 1 + FX_OUTPOINT_SIZE), &event);
}

static bool load_tally(struct fx_book *book, const uint8_t *key, size_t key_len,
                       const uint8_t *value, size_t n)
{
    struct fx_reader r;
    struct fx_tally tally;

    fx_reader_init(&r, value, n);
    if (key_len != 5 || !fx_tally_read(&r, fx_load_u32be(key + 1), &tally)) {
        return false;
    }
    if (!fx_book_load_tally(book, &tally)) {
        fx_tally_clear(&tally);
        return false;
    }
    return true;
}

/* FX_MISSING: something does not parse. */
static enum fx_lookup load_all(struct fx_book *book, struct fx_db *db, char kind,
                               bool (*load)(struct fx_book *book, const uint8_t *key,
                                            size_t key_len, const uint8_t *value, size_t n))
{
    struct fx_db_iter *it = fx_db_iter_create(db, &kind, 1);
    const uint8_t *key, *value;
    size_t key_len, n;
    bool fine = true, failed;

    while (fine && fx_db_iter_next(it, &key, &key_len, &value, &n)) {
        fine = load(book, key, key_len, value, n);
    }
    failed = fx_db_iter_failed(it);
    fx_db_iter_destroy(it);
    return failed ? FX_LOOKUP_FAILED : fine ? FX_FOUND : FX_MISSING;
}

static bool has_tallies(const struct fx_book *book, uint32_t height)
{
    const struct fx_tally *last = fx_tallies_back(fx_book_tallies(book), 0);

    return height == 0 || (last != NULL && last->height == height);
}

enum fx_lookup fx_book_store_load(struct fx_book *book, struct fx_db *db, struct fx_hash *best,
                                  uint32_t *height)
{
    enum fx_lookup loaded;
    uint8_t *value;
    size_t n;

    switch (fx_db_read(db, best_key, sizeof best_key, &value, &n)) {
    case FX_DB_FOUND:
        break;
    case FX_DB_ABSENT:
        return FX_MISSING;
    case FX_DB_FAILED:
        return FX_LOOKUP_FAILED;
    }
    if (n == 36) {
        *height = fx_load_u32(value);
        memcpy(best->b, value + 4, 32);
    }
    free(value);
    loaded = n == 36 ? load_all(book, db, 'J', load_job) : FX_MISSING;
    if (loaded == FX_FOUND) {
        loaded = load_all(book, db, 'T', load_task);
    }
    if (loaded == FX_FOUND) {
        loaded = load_all(book, db, 'M', load_mined);
    }
    if (loaded == FX_FOUND) {
        loaded = load_all(book, db, 'E', load_event);
    }
    if (loaded == FX_FOUND) {
        loaded = load_all(book, db, 'S', load_tally);
    }
    if (loaded == FX_FOUND && !has_tallies(book, *height)) {
        loaded = FX_MISSING; /* written before there were any */
    }
    if (loaded == FX_MISSING) {
        fx_log_info("jobs: the book of tasks does not parse, it is made again from the blocks");
    }
    return loaded;
}
