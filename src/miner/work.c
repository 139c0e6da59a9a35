/*
 * Work on one task: its operands are fetched, its bricks run under the node's newest header,
 * tickets that win become blocks, and tiles go to disk. While the node does not answer, or when as
 * many blocks as wanted were mined, the product goes on without tickets.
 */
#include "src/miner/crew.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/brick.h"
#include "src/matrix/result.h"
#include "src/miner/say.h"
#include "src/sys/clock.h"
#include "src/sys/file.h"
#include "src/util/mem.h"
#include "src/util/u256.h"

#define LOOK_MS 2000 /* between two looks whether the task is still open */
#define LOOK_REGTEST_MS 250
#define PREPARE_MS 50 /* between two looks whether the node has the operands */
#define SKIP_MS 30000 /* a task that cannot be worked on now */
#define SKIP_REGTEST_MS 3000
#define PACE_STEP_MS 1 /* of a device that is held back */
#define PACE_NAP_MS 20
#define PARTIAL_MAX ((size_t)1 << 30)
#define FAILURES_MOST 3 /* tasks that a device would not begin, before it is retired */

struct job {
    struct fx_miner *miner;
    struct fx_stored_task stored;
    struct fx_operands operands;
    struct fx_pieces tiles;
    struct fx_session *session;
    bool loaded;                 /* with sums of an earlier one */
    struct fx_kernel_stats seen; /* counted already */
    /* the header under work */
    bool have_work;
    struct fx_miner_work work;
    unsigned moves;
    int64_t ask_ms;          /* when to ask for work next */
    int64_t look_ms;         /* when to look at the task next */
    struct fx_hash seeds[2]; /* headers that tickets may be of: the last one, and the one before */
    /* a ticket of the step under way */
    bool mining, won;
    uint32_t i, j, l;
    atomic_bool unread; /* an operand could not be read; set by any thread of a device */
    bool broken;        /* a tile could not be written */
    bool lied;          /* a ticket is not what the rules say */
    bool gone;          /* the task is not open any more */
    bool spent;         /* a transaction of the mempool takes it */
};

enum outcome {
    OUTCOME_DONE,
    OUTCOME_STOPPED, /* the miner ends */
    OUTCOME_RETIRED, /* this device does */
    OUTCOME_GONE,
    OUTCOME_SPENT, /* another solver's claim waits to be mined: that may still be lost */
    OUTCOME_LATER
};

static unsigned skip_ms(const struct fx_miner *miner)
{
    return miner->chain.paced ? SKIP_REGTEST_MS : SKIP_MS;
}

static unsigned look_ms(const struct fx_miner *miner)
{
    return miner->chain.paced ? LOOK_REGTEST_MS : LOOK_MS;
}

/* The disk is full, or cannot be written to. Counted each time, and said once. */
static void disk_trouble(struct fx_miner *miner, const char *what)
{
    const char *why = strerror(errno);
    char text[300];

    atomic_fetch_add(&miner->status->errors, 1);
    snprintf(text, sizeof text, "%.200s: %s", miner->options->workdir, why);
    fx_crew_say_once(miner->crew, what, text);
}

/* ---- operands ------------------------------------------------------------------------------- */

/* The node's own copy comes first; it fetches that from its peers. */
static enum outcome prepare(struct job *job)
{
    struct fx_miner *miner = job->miner;
    const char *origin = job->stored.task.origin;
    int64_t end = fx_clock_monotonic_ms() + skip_ms(miner);
    bool said = false;

    while (!fx_miner_ends(miner)) {
        bool here = false;
        enum fx_miner_node_status status = fx_miner_node_prepare(&miner->node, origin, &here);

        if (status == FX_NODE_REFUSED) {
            fx_crew_say_once(miner->crew, "operands cannot be had", miner->node.text);
            return OUTCOME_LATER;
        }
        if (fx_miner_node_ok(miner, status, "operands cannot be had")) {
            if (here)
                return OUTCOME_DONE;
            if (!said)
                fx_miner_say("task %s: the node fetches its operands", origin);
            said = true;
            if (fx_clock_monotonic_ms() > end)
                return OUTCOME_LATER;
            fx_miner_nap(miner, PREPARE_MS);
        } else {
            fx_miner_nap(miner, miner->backoff_ms);
        }
    }
    return OUTCOME_STOPPED;
}

/* One panel from the node's store. */
static enum fx_miner_node_status fetch_panel(struct job *job, enum fx_side side, uint32_t panel,
                                             int8_t *data)
{
    const struct fx_miner_task *task = &job->stored.task;
    const struct fx_hash *root = side == FX_SIDE_A ? &task->root_a : &task->root_b;
    uint32_t depth = task->shape.depth;
    enum fx_miner_node_status status = FX_NODE_OK;

    for (uint32_t l = 0; l < depth && status == FX_NODE_OK; l += FX_MINER_NODE_BLOCKS) {
        uint32_t count = depth - l < FX_MINER_NODE_BLOCKS ? depth - l : FX_MINER_NODE_BLOCKS;

        status = fx_miner_node_blocks(&job->miner->node, root, panel, l, count,
                                      data + (size_t)l * FX_BLOCK_BYTES);
    }
    return status;
}

static enum outcome fetch(struct job *job)
{
    struct fx_miner *miner = job->miner;
    int8_t *data = fx_xmalloc((size_t)job->operands.depth * FX_BLOCK_BYTES);
    enum outcome outcome = OUTCOME_DONE;
    bool prepared = false;
    enum fx_side side;
    uint32_t panel;

    while (outcome == OUTCOME_DONE && fx_operands_missing(&job->operands, &side, &panel)) {
        enum fx_miner_node_status status;

        if (fx_miner_ends(miner)) {
            outcome = OUTCOME_STOPPED;
            break;
        }
        if (!prepared) {
            outcome = prepare(job);
            prepared = true;
            continue;
        }
        status = fetch_panel(job, side, panel, data);
        if (status == FX_NODE_OK) {
            fx_miner_node_ok(miner, status, "");
            if (!fx_pieces_put(&job->operands.side[side], panel, data)) {
                disk_trouble(miner, "cannot write operands");
                outcome = OUTCOME_LATER;
            }
        } else if (status == FX_NODE_REFUSED) {
            prepared = false;
            fx_miner_nap(miner, 500);
        } else {
            fx_miner_node_ok(miner, status, "operands cannot be had");
            fx_miner_nap(miner, miner->backoff_ms);
        }
    }
    free(data);
    return outcome;
}

/* ---- what comes out of the device ----------------------------------------------------------- */

static bool meets(const struct fx_hash *ticket, const struct fx_hash *target)
{
    struct fx_u256 value = fx_u256_from_hash(ticket), limit = fx_u256_from_hash(target);

    return fx_u256_cmp(&value, &limit) <= 0;
}

static bool is_ticket(const struct fx_hash *seed, const int8_t *a, const int8_t *b, uint32_t i,
                      uint32_t j, uint32_t l, const uint8_t given[32])
{
    struct fx_hash ticket;

    return fx_brick_ticket(seed, a, b, i, j, l, &ticket) && memcmp(ticket.b, given, 32) == 0;
}

/*
 * The device is not believed: the brick is computed once more by the rules. What is no ticket of
 * this header may be one of the header before, which the device had still to give out; else the
 * device computes wrongly.
 */
static bool keep_ticket(void *ctx, uint32_t i, uint32_t j, uint32_t l, const uint8_t given[32])
{
    struct job *job = ctx;
    const struct fx_task_shape *shape = &job->stored.task.shape;
    int8_t *a, *b;
    struct fx_hash ticket;
    bool right,
        inside = i - shape->row0 < shape->rows && j - shape->col0 < shape->cols && l < shape->depth;

    if (!job->mining || job->won || job->lied)
        return true;
    a = fx_xmalloc(FX_BLOCK_BYTES);
    b = fx_xmalloc(FX_BLOCK_BYTES);
    if (inside && (!fx_operands_read(&job->operands, FX_SIDE_A, i, l, 1, a) ||
                   !fx_operands_read(&job->operands, FX_SIDE_B, j, l, 1, b))) {
        job->unread = true;
        right = false;
    } else {
        right = inside && is_ticket(&job->seeds[0], a, b, i, j, l, given);
        job->lied = !right && !(inside && is_ticket(&job->seeds[1], a, b, i, j, l, given));
    }
    free(a);
    free(b);
    memcpy(ticket.b, given, 32);
    if (!right || !meets(&ticket, &job->work.target))
        return !job->lied;
    atomic_fetch_add(&job->miner->status->tickets, 1);
    job->won = true;
    job->i = i;
    job->j = j;
    job->l = l;
    return false;
}

/* Whose fault a failed step is, the session does not say. */
static bool read_operands(void *ctx, enum fx_side side, uint32_t panel, uint32_t first,
                          uint32_t count, int8_t *out)
{
    struct job *job = ctx;
    bool ok = fx_operands_read(&job->operands, side, panel, first, count, out);

    if (!ok)
        job->unread = true;
    return ok;
}

static bool keep_tile(void *ctx, uint64_t tile, const int32_t *data)
{
    struct job *job = ctx;
    uint8_t *bytes = fx_xmalloc(FX_TILE_BYTES);

    fx_result_tile_pack(data, FX_TILE, bytes);
    if (!fx_pieces_put(&job->tiles, tile, bytes)) {
        disk_trouble(job->miner, "cannot write a finished tile");
        job->broken = true;
    }
    free(bytes);
    return !job->broken;
}

/* ---- headers and blocks --------------------------------------------------------------------- */

static bool wants_blocks(const struct job *job)
{
    unsigned most = job->miner->options->blocks_per_task;

    return most == 0 || job->stored.blocks < most;
}

/* False: the task is not open any more, or spent. */
static bool still_open(struct job *job)
{
    struct fx_miner *miner = job->miner;
    struct fx_miner_task now;
    enum fx_miner_node_status status;

    job->look_ms = fx_clock_monotonic_ms() + look_ms(miner);
    status = fx_miner_node_task(&miner->node, job->stored.task.origin, &now);
    if (status == FX_NODE_REFUSED) {
        fx_miner_say("task %s: %s", job->stored.task.origin, miner->node.text);
        return false;
    }
    if (!fx_miner_node_ok(miner, status, "the task cannot be looked at")) {
        job->look_ms = fx_clock_monotonic_ms() + miner->backoff_ms;
        return true;
    }
    job->spent = now.status == FX_MINER_TASK_OPEN && now.spent;
    if (job->spent) {
        fx_miner_say("task %s: a claim of another solver waits in the mempool",
                     job->stored.task.origin);
        return false;
    }
    if (now.status == FX_MINER_TASK_OPEN || now.status == FX_MINER_TASK_PENDING)
        return true;
    fx_miner_say("task %s: %s", job->stored.task.origin,
                 now.status == FX_MINER_TASK_REFUNDED ? "its client took it back"
                                                      : "taken meanwhile by another solver");
    return false;
}

/* Where there is none, the product goes on under the old one, or without tickets. */
static void get_work(struct job *job)
{
    struct fx_miner *miner = job->miner;
    unsigned moves = atomic_load(&miner->crew->watch.moves);
    int64_t now = fx_clock_monotonic_ms();
    enum fx_miner_node_status status;

    if (job->have_work && moves == job->moves && now < job->ask_ms)
        return;
    if (!job->have_work && now < job->ask_ms)
        return;
    job->have_work = false;
    status = fx_miner_node_work(&miner->node, job->stored.task.origin, &job->work);
    if (status == FX_NODE_REFUSED) {
        /* The task may be gone; where it is not, the user should know why no block is mined. */
        char why[sizeof miner->node.text];

        memcpy(why, miner->node.text, sizeof why);
        job->gone = !still_open(job);
        job->ask_ms = now + LOOK_MS;
        if (!job->gone)
            fx_crew_say_once(miner->crew, "no blocks are mined", why);
        return;
    }
    if (!fx_miner_node_ok(miner, status, "no work")) {
        job->ask_ms = now + miner->backoff_ms;
        return;
    }
    job->have_work = true;
    job->moves = moves;
    job->ask_ms = now + fx_miner_refresh_ms(miner);
    miner->chain.fees = job->work.fees;
}

static void save_state(struct job *job)
{
    if (!fx_store_save(job->miner->options->workdir, &job->stored))
        disk_trouble(job->miner, "cannot write the state of a task");
}

static void submit(struct job *job)
{
    struct fx_miner *miner = job->miner;
    const char *origin = job->stored.task.origin;
    bool accepted = false, limited = miner->options->blocks_per_task > 0;
    enum fx_miner_node_status status;

    /* Counted before it is submitted: a miner killed in between must not mine one too many. */
    job->stored.blocks++;
    if (limited)
        save_state(job);
    status =
        fx_miner_node_submit_brick(&miner->node, &job->work, job->i, job->j, job->l, &accepted);
    job->won = false;
    job->have_work = false;
    job->ask_ms = 0;
    if (status == FX_NODE_REFUSED) {
        fx_miner_say("block %u in task %s was not made: %s", job->work.height, origin,
                     miner->node.text);
        job->ask_ms = fx_clock_monotonic_ms() + LOOK_MS;
    } else if (!fx_miner_node_ok(miner, status, "a block was not taken")) {
        job->ask_ms = fx_clock_monotonic_ms() + miner->backoff_ms;
    } else if (!accepted) {
        fx_miner_say("block %u in task %s was rejected: %s", job->work.height, origin,
                     miner->node.text);
    } else {
        atomic_fetch_add(&miner->status->job_blocks, 1);
        fx_miner_say("block %u of the job lane, brick (%u, %u, %u) of task %s", job->work.height,
                     job->i, job->j, job->l, origin);
    }
    if (accepted)
        return;
    job->stored.blocks--;
    if (limited)
        save_state(job);
}

/* ---- the session ---------------------------------------------------------------------------- */

static void count(struct job *job, int64_t took_ns)
{
    struct fx_miner *miner = job->miner;
    struct fx_kernel_stats now;
    uint64_t bricks;

    miner->backend->stats(job->session, &now);
    bricks = now.bricks - job->seen.bricks;
    job->seen = now;
    fx_pace_add(&miner->pace, bricks, fx_clock_monotonic_ns());
    atomic_fetch_add(&miner->status->bricks, bricks);
    if (bricks > 0 && took_ns > 10000000)
        miner->rates.bricks =
            0.7 * miner->rates.bricks + 0.3 * (double)bricks * 1e9 / (double)took_ns;
}

struct file_sink {
    int fd;
    uint64_t at;
    bool failed;
};

static bool append(void *ctx, const void *data, size_t n)
{
    struct file_sink *sink = ctx;

    sink->failed = !fx_fd_write_all(sink->fd, sink->at, data, n);
    sink->at += n;
    return !sink->failed;
}

/* Sums of unfinished tiles, for an orderly end; without them the tiles are begun again. */
static void save_partial(struct job *job)
{
    char *path = fx_store_path(job->miner->options->workdir, job->stored.task.origin, "partial");
    FILE *file = fopen(path, "wb");
    struct file_sink sink = {.fd = file ? fileno(file) : -1, .failed = !file};
    bool ok = file && job->miner->backend->save(job->session, append, &sink);
    int why = errno;

    if (file && fclose(file) != 0 && ok) { /* some file systems tell of a failed write only now */
        why = errno;
        sink.failed = true;
        ok = false;
    }
    errno = why;
    if (sink.failed)
        disk_trouble(job->miner, "cannot write sums of unfinished tiles");
    else if (!ok)
        fx_miner_say("task %s: unfinished tiles could not be saved and are begun again",
                     job->stored.task.origin);
    if (!ok)
        remove(path);
    free(path);
}

/* False: begin again without them. */
static bool load_partial(struct job *job)
{
    char *path = fx_store_path(job->miner->options->workdir, job->stored.task.origin, "partial");
    uint8_t *data = NULL;
    size_t n = 0;
    bool ok = true;

    if (fx_file_read(path, PARTIAL_MAX, &data, &n) && n > 0) {
        ok = job->miner->backend->load(job->session, data, n);
        job->loaded = ok;
    }
    remove(path);
    free(data);
    free(path);
    return ok;
}

static bool begin(struct job *job)
{
    const struct fx_backend *backend = job->miner->backend;
    const struct fx_task_shape *shape = &job->stored.task.shape;
    const struct fx_kernel_task task = {
        .kind = job->stored.task.kind,
        .row0 = shape->row0,
        .col0 = shape->col0,
        .rows = shape->rows,
        .cols = shape->cols,
        .depth = shape->depth,
        .operands = {job, read_operands},
    };
    uint8_t *done = fx_xcalloc((size_t)(shape->tiles + 7) / 8, 1);
    char error[FX_KERNEL_TEXT] = "";
    uint64_t n = 0;

    for (uint64_t tile = 0; tile < shape->tiles; tile++) {
        if (fx_pieces_has(&job->tiles, tile)) {
            done[tile >> 3] |= (uint8_t)(1 << (tile & 7));
            n++;
        }
    }
    if (n > 0)
        fx_miner_say("task %s: goes on with %llu of %llu tiles finished", job->stored.task.origin,
                     (unsigned long long)n, (unsigned long long)shape->tiles);
    job->session = backend->begin(job->miner->device, &task, done, error);
    if (job->session && !load_partial(job)) {
        backend->end(job->session);
        job->session = backend->begin(job->miner->device, &task, done, error);
    }
    free(done);
    if (job->session) {
        job->miner->failures = 0;
        return true;
    }
    atomic_fetch_add(&job->miner->status->errors, 1);
    fx_miner_say("task %s: %s cannot run it: %s", job->stored.task.origin, job->miner->choice->name,
                 error);
    if (++job->miner->failures >= FAILURES_MOST)
        fx_crew_retire(job->miner->crew, job->miner, false, error);
    return false;
}

/* The name of this device, or none where another one has a part in the tiles. */
static void note_device(struct job *job)
{
    struct fx_stored_task *stored = &job->stored;
    const char *name = job->miner->choice->name;
    bool begun = job->loaded;

    for (uint64_t tile = 0; tile < stored->task.shape.tiles && !begun; tile++)
        begun = fx_pieces_has(&job->tiles, tile);
    if (begun && strcmp(stored->device, name) != 0)
        name = "";
    snprintf(stored->device, sizeof stored->device, "%s", name);
    save_state(job);
}

static void note_header(struct job *job)
{
    if (fx_hash_equal(&job->seeds[0], &job->work.seed))
        return;
    job->seeds[1] = job->seeds[0];
    job->seeds[0] = job->work.seed;
}

/* What a step says of the device. False: it is retired. */
static bool is_good(struct job *job, enum fx_kernel_step step, const char *error)
{
    struct fx_miner *miner = job->miner;

    if (job->lied) {
        fx_crew_retire(miner->crew, miner, true, "it computed a wrong ticket");
        return false;
    }
    if (step == FX_STEP_FAILED && !job->unread) {
        fx_crew_retire(miner->crew, miner, false, error);
        return false;
    }
    return true;
}

/* Waits a little where the limit says so. True: not yet enough. */
static bool held_back(const struct fx_miner *miner)
{
    int64_t left = fx_pace_wait_ms(&miner->pace, fx_clock_monotonic_ns());

    if (left > 0)
        fx_clock_sleep_ms(left < PACE_NAP_MS ? (unsigned)left : PACE_NAP_MS);
    return left > 0;
}

static enum outcome mine(struct job *job)
{
    struct fx_miner *miner = job->miner;
    const struct fx_kernel_sink sink = {job, keep_ticket, keep_tile};
    const unsigned step_ms = miner->pace.limit > 0 ? PACE_STEP_MS : FX_MINER_STEP_MS;
    bool finished = false;
    char error[FX_KERNEL_TEXT];

    job->look_ms = fx_clock_monotonic_ms() + look_ms(miner);
    for (;;) {
        struct fx_kernel_header header = {.mode = FX_KERNEL_PRODUCT};
        enum fx_kernel_step step;
        int64_t start;

        if (fx_miner_ends(miner))
            return OUTCOME_STOPPED;
        atomic_store(&miner->cancel, false);
        if (fx_miner_ends(miner))
            return OUTCOME_STOPPED;
        if (wants_blocks(job) && !finished)
            get_work(job);
        if (job->gone || (fx_clock_monotonic_ms() >= job->look_ms && !still_open(job)))
            return job->spent ? OUTCOME_SPENT : OUTCOME_GONE;
        if (held_back(miner))
            continue;
        if (finished)
            return OUTCOME_DONE;
        job->mining = wants_blocks(job) && job->have_work;
        if (job->mining) {
            header.mode |= FX_KERNEL_MINE;
            memcpy(header.seed, job->work.seed.b, 32);
            memcpy(header.target, job->work.target.b, 32);
            note_header(job);
        }
        start = fx_clock_monotonic_ns();
        step = miner->backend->step(job->session, &header, step_ms, &miner->cancel, &sink, error);
        count(job, fx_clock_monotonic_ns() - start);
        if (job->broken)
            return OUTCOME_LATER;
        if (!is_good(job, step, error))
            return OUTCOME_RETIRED;
        if (job->won)
            submit(job);
        switch (step) {
        case FX_STEP_MORE:
        case FX_STEP_CANCELLED:
            break;
        case FX_STEP_DONE:
            finished = true; /* delivered once its bricks are paid for */
            break;
        case FX_STEP_FAILED:
            fx_miner_say("task %s: %s", job->stored.task.origin, error);
            return OUTCOME_LATER;
        }
    }
}

static enum outcome run(struct job *job)
{
    struct fx_miner *miner = job->miner;
    enum outcome outcome = fetch(job);
    bool had_all;

    if (outcome != OUTCOME_DONE)
        return outcome;
    fx_miner_say("task %s: operands are here", job->stored.task.origin);
    if (!begin(job))
        return OUTCOME_LATER;
    note_device(job);
    outcome = mine(job);
    if ((outcome == OUTCOME_STOPPED && !atomic_load(&miner->retired)) || outcome == OUTCOME_SPENT)
        save_partial(job);
    miner->backend->end(job->session);
    if (outcome != OUTCOME_DONE)
        return outcome;
    had_all = true;
    for (uint64_t tile = 0; tile < job->stored.task.shape.tiles && had_all; tile++)
        had_all = fx_pieces_has(&job->tiles, tile);
    return had_all ? OUTCOME_DONE : OUTCOME_LATER;
}

void fx_miner_work(struct fx_miner *miner, const struct fx_miner_task *task)
{
    const char *workdir = miner->options->workdir;
    enum outcome outcome = OUTCOME_LATER;
    struct job *job = fx_xcalloc(1, sizeof *job);

    job->miner = miner;
    if (!fx_store_load(workdir, task->origin, &job->stored))
        job->stored.task = *task;
    if (!fx_store_save(workdir, &job->stored)) {
        disk_trouble(miner, "cannot write the state of a task");
    } else if (fx_operands_open(&job->operands, workdir, task)) {
        if (fx_store_open_tiles(workdir, task, &job->tiles)) {
            fx_miner_say("task %s: %llu bricks in %llu tiles", task->origin,
                         (unsigned long long)task->shape.bricks,
                         (unsigned long long)task->shape.tiles);
            outcome = run(job);
            fx_pieces_close(&job->tiles);
        } else {
            disk_trouble(miner, "cannot open files of tiles");
        }
        fx_operands_close(&job->operands);
    } else {
        disk_trouble(miner, "cannot open files of operands");
    }
    switch (outcome) {
    case OUTCOME_DONE:
        atomic_fetch_add(&miner->status->tasks_done, 1);
        job->stored.stage = FX_STAGE_DELIVER;
        save_state(job);
        fx_miner_say("task %s: product finished", task->origin);
        fx_deliver_add(&miner->crew->deliver, &job->stored);
        break;
    case OUTCOME_STOPPED:
    case OUTCOME_RETIRED:
        /* Nothing of a device that gave a wrong answer is kept. */
        if (atomic_load(&miner->retired) && miner->distrusted)
            fx_store_remove(workdir, task->origin);
        break;
    case OUTCOME_GONE:
        fx_store_remove(workdir, task->origin);
        break;
    case OUTCOME_SPENT:
    case OUTCOME_LATER:
        fx_miner_skip(miner, task->origin, skip_ms(miner));
        break;
    }
    free(job);
}
