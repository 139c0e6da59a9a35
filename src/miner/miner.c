/* Choosing what to do next, and the node's troubles. */
#include "src/miner/miner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/miner/say.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

#define NAP_MS 50
#define BACKOFF_FIRST_MS 500
#define BACKOFF_MOST_MS 10000
#define BACKOFF_REGTEST_MS 2000
#define COOKIE_PATIENCE_MS 5000 /* a node that restarts writes a new one */
#define TASKS_MS 1000           /* between two looks at the tasks on offer */
#define TASKS_PUBLIC_MS 5000
#define REFRESH_MS 15000
#define REFRESH_REGTEST_MS 2000

void fx_miner_nap(const struct fx_miner *miner, unsigned ms)
{
    int64_t end = fx_clock_monotonic_ms() + ms;

    while (!atomic_load(miner->stop) && fx_clock_monotonic_ms() < end)
        fx_clock_sleep_ms(ms < NAP_MS ? ms : NAP_MS);
}

unsigned fx_miner_refresh_ms(const struct fx_miner *miner)
{
    return miner->chain.paced ? REFRESH_REGTEST_MS : REFRESH_MS;
}

void fx_miner_say_once(struct fx_miner *miner, const char *what, const char *text)
{
    char line[sizeof miner->said];

    snprintf(line, sizeof line, "%s: %.240s", what, text);
    if (strcmp(line, miner->said) == 0)
        return;
    memcpy(miner->said, line, sizeof line);
    fx_miner_say("%s", line);
}

/* A cookie may be the old one for a moment while the node restarts; a password stays wrong. */
static void refused(struct fx_miner *miner)
{
    int64_t now = fx_clock_monotonic_ms();

    if (miner->refused_since_ms == 0)
        miner->refused_since_ms = now;
    if (miner->options->password || now - miner->refused_since_ms >= COOKIE_PATIENCE_MS) {
        fprintf(stderr, "Error: %s\n", miner->node.text);
        miner->fatal = true;
    }
}

bool fx_miner_node_ok(struct fx_miner *miner, enum fx_miner_node_status status, const char *what)
{
    unsigned most = miner->chain.paced ? BACKOFF_REGTEST_MS : BACKOFF_MOST_MS;

    if (status == FX_NODE_OK) {
        if (miner->down) {
            fx_miner_say("the node answers again");
            miner->said[0] = 0;
        }
        miner->down = false;
        miner->refused_since_ms = 0;
        miner->backoff_ms = BACKOFF_FIRST_MS;
        return true;
    }
    switch (status) {
    case FX_NODE_OK:
        break;
    case FX_NODE_REFUSED:
    case FX_NODE_ODD:
        fx_miner_say_once(miner, what, miner->node.text);
        break;
    case FX_NODE_DOWN:
        if (!miner->down)
            fx_miner_say_once(miner, "the node does not answer, trying again", miner->node.text);
        miner->down = true;
        break;
    case FX_NODE_AUTH:
        refused(miner);
        break;
    }
    miner->backoff_ms = miner->backoff_ms * 2 < most ? miner->backoff_ms * 2 : most;
    return false;
}

void fx_miner_skip(struct fx_miner *miner, const char *origin, unsigned ms)
{
    struct fx_skipped *s;

    miner->skipped = fx_xreallocarray(miner->skipped, miner->n_skipped + 1, sizeof *miner->skipped);
    s = &miner->skipped[miner->n_skipped++];
    snprintf(s->origin, sizeof s->origin, "%s", origin);
    s->until_ms = fx_clock_monotonic_ms() + ms;
}

static bool is_skipped(struct fx_miner *miner, const char *origin)
{
    int64_t now = fx_clock_monotonic_ms();
    size_t kept = 0;
    bool found = false;

    for (size_t at = 0; at < miner->n_skipped; at++) {
        if (miner->skipped[at].until_ms <= now)
            continue;
        found = found || strcmp(miner->skipped[at].origin, origin) == 0;
        miner->skipped[kept++] = miner->skipped[at];
    }
    miner->n_skipped = kept;
    return found;
}

/* ---- what there is to do -------------------------------------------------------------------- */

static bool look_for_tasks(struct fx_miner *miner)
{
    unsigned moves = atomic_load(&miner->watch.moves);
    int64_t now = fx_clock_monotonic_ms();
    struct fx_miner_task *tasks;
    size_t n;

    if (miner->options->lane == FX_CHOOSE_HASH)
        return true;
    if (now < miner->tasks_due_ms && moves == miner->tasks_moves)
        return true;
    if (!fx_miner_node_ok(miner, fx_miner_node_tasks(&miner->node, &tasks, &n),
                          "tasks cannot be listed"))
        return false;
    free(miner->tasks);
    miner->tasks = tasks;
    miner->n_tasks = n;
    miner->tasks_moves = moves;
    miner->tasks_due_ms = now + (miner->chain.paced ? TASKS_MS : TASKS_PUBLIC_MS);
    return true;
}

/* Subsidy and expected tries at the tip; fees are those of the last work that was asked for. */
static bool look_at_chain(struct fx_miner *miner)
{
    unsigned moves = atomic_load(&miner->watch.moves);
    struct fx_miner_chain chain;

    if (miner->chain.expected_hash > 0 && moves == miner->chain_moves)
        return true;
    if (!fx_miner_node_ok(miner, fx_miner_node_chain(&miner->node, &chain), "no answer"))
        return false;
    miner->chain_moves = moves;
    miner->chain.expected_hash = chain.expected[FX_LANE_HASH];
    miner->chain.expected_job = chain.expected[FX_LANE_JOB];
    miner->chain.subsidy = fx_subsidy_full(miner->options->params, chain.height + 1);
    return true;
}

static bool may_start(struct fx_miner *miner)
{
    uint64_t most = miner->options->tasks;

    return most == 0 ||
           atomic_load(&miner->status.tasks_paid) + fx_deliver_count(&miner->deliver) < most;
}

/* The tasks on offer that can be begun; *offers names them by their place in miner->tasks. Tasks
 * that were begun go first: their tiles are there. */
static size_t offers(struct fx_miner *miner, struct fx_pay_task *pay, size_t *at_task)
{
    size_t n = 0;

    if (!may_start(miner))
        return 0;
    for (size_t at = 0; at < miner->n_tasks; at++) {
        const struct fx_miner_task *task = &miner->tasks[at];

        if (!miner->options->backend->runs_kind(task->kind) ||
            fx_deliver_has(&miner->deliver, task->origin) || is_skipped(miner, task->origin))
            continue;
        pay[n] = (struct fx_pay_task){task->shape.bricks, task->escrow};
        at_task[n++] = at;
    }
    return n;
}

static bool begun(const struct fx_miner *miner, const struct fx_miner_task *task)
{
    struct fx_stored_task stored;

    return fx_store_load(miner->options->workdir, task->origin, &stored);
}

struct kept {
    const struct fx_miner_task **tasks;
    size_t n, cap;
};

static void keep(struct kept *kept, const struct fx_miner_task *task)
{
    if (kept->n == kept->cap) {
        kept->cap = kept->cap ? 2 * kept->cap : 16;
        kept->tasks = fx_xreallocarray(kept->tasks, kept->cap, sizeof *kept->tasks);
    }
    kept->tasks[kept->n++] = fx_xmemdup(task, sizeof *task);
}

static void keep_delivered(void *ctx, const struct fx_miner_task *task)
{
    keep(ctx, task);
}

/* Files of operands that nobody needs go, before new ones come. */
static void sweep(struct fx_miner *miner)
{
    struct kept kept = {NULL, 0, 0};

    for (size_t at = 0; at < miner->n_tasks; at++)
        keep(&kept, &miner->tasks[at]);
    fx_deliver_each(&miner->deliver, keep_delivered, &kept);
    fx_operands_sweep(miner->options->workdir, kept.tasks, kept.n);
    for (size_t at = 0; at < kept.n; at++)
        free((void *)(uintptr_t)kept.tasks[at]);
    free(kept.tasks);
}

static void do_next(struct fx_miner *miner)
{
    struct fx_pay_task *pay = fx_xcalloc(miner->n_tasks + 1, sizeof *pay);
    size_t *at_task = fx_xcalloc(miner->n_tasks + 1, sizeof *at_task);
    size_t n = offers(miner, pay, at_task), best = 0;
    enum fx_pay_choice choice =
        fx_pay_choose(&miner->policy, &miner->chain, &miner->rates, pay, n, &best);

    for (size_t at = 0; at < n && choice == FX_PAY_TASK; at++) {
        if (begun(miner, &miner->tasks[at_task[at]])) {
            best = at;
            break;
        }
    }
    switch (choice) {
    case FX_PAY_NOTHING:
        fx_miner_nap(miner, 50);
        break;
    case FX_PAY_HASH:
        fx_miner_hash(miner);
        break;
    case FX_PAY_TASK: {
        struct fx_miner_task task = miner->tasks[at_task[best]];

        sweep(miner);
        fx_miner_work(miner, &task);
        miner->tasks_due_ms = 0;
        break;
    }
    }
    free(pay);
    free(at_task);
}

/* ---- start and end -------------------------------------------------------------------------- */

/* Until the node answers, and is of our network. False: stop, or a message went out. */
static bool greet(struct fx_miner *miner)
{
    const char *wanted = miner->options->params->name;
    struct fx_miner_chain chain;

    while (!atomic_load(miner->stop) && !miner->fatal) {
        if (fx_miner_node_ok(miner, fx_miner_node_chain(&miner->node, &chain), "no answer")) {
            if (strcmp(chain.name, wanted) == 0)
                return true;
            fprintf(stderr, "Error: the node is of the network %s, not %s\n", chain.name, wanted);
            miner->fatal = true;
            return false;
        }
        if (!miner->fatal)
            fx_miner_nap(miner, miner->backoff_ms);
    }
    return false;
}

/* What an earlier run had finished goes on its way. */
static void resume(struct fx_miner *miner)
{
    struct fx_stored_task *list;
    size_t n = fx_store_list(miner->options->workdir, &list);

    for (size_t at = 0; at < n; at++) {
        if (list[at].stage != FX_STAGE_WORK)
            fx_deliver_add(&miner->deliver, &list[at]);
    }
    free(list);
}

/* Folders of tasks that were begun, and are not open any more. False: the node does not say. */
static bool clean_up(struct fx_miner *miner)
{
    struct fx_stored_task *list;
    size_t n = fx_store_list(miner->options->workdir, &list);
    bool ok = true;

    for (size_t at = 0; at < n && ok; at++) {
        const char *origin = list[at].task.origin;
        struct fx_miner_task now;
        enum fx_miner_node_status status;

        if (list[at].stage != FX_STAGE_WORK)
            continue;
        status = fx_miner_node_task(&miner->node, origin, &now);
        if (status == FX_NODE_REFUSED ||
            (status == FX_NODE_OK && now.status >= FX_MINER_TASK_CLAIMED))
            fx_store_remove(miner->options->workdir, origin);
        else
            ok = fx_miner_node_ok(miner, status, "tasks cannot be looked at");
    }
    free(list);
    return ok;
}

static bool enough(const struct fx_miner *miner)
{
    return miner->options->tasks > 0 &&
           atomic_load(&miner->status.tasks_paid) >= miner->options->tasks;
}

static void loop(struct fx_miner *miner)
{
    bool cleaned = miner->options->lane == FX_CHOOSE_HASH;

    while (!atomic_load(miner->stop) && !miner->fatal && !enough(miner)) {
        if (!look_for_tasks(miner) || !look_at_chain(miner)) {
            fx_miner_nap(miner, miner->backoff_ms);
            continue;
        }
        cleaned = cleaned || clean_up(miner);
        if (cleaned)
            do_next(miner);
        else
            fx_miner_nap(miner, miner->backoff_ms);
    }
}

static void init(struct fx_miner *miner, const struct fx_miner_options *options, atomic_bool *stop,
                 atomic_bool *cancel)
{
    memset(miner, 0, sizeof *miner);
    miner->options = options;
    miner->stop = stop;
    miner->cancel = cancel;
    miner->backoff_ms = BACKOFF_FIRST_MS;
    miner->chain.paced = options->params->kind == FX_REGTEST;
    miner->policy.lane = options->lane;
    miner->policy.burn = options->burn;
    miner->policy.burn_amount = options->burn_amount;
    miner->policy.blocks_per_task = options->blocks_per_task;
    fx_miner_status_init(&miner->status);
    fx_miner_node_init(&miner->node, options);
    miner->watch.options = miner->deliver.options = options;
    miner->watch.status = miner->deliver.status = &miner->status;
    miner->watch.stop = miner->deliver.stop = stop;
    miner->watch.cancel = cancel;
}

int fx_miner_run(const struct fx_miner_options *options, atomic_bool *stop, atomic_bool *cancel)
{
    struct fx_miner *miner = fx_xcalloc(1, sizeof *miner);
    char error[FX_KERNEL_TEXT];
    bool fatal;

    init(miner, options, stop, cancel);
    miner->device = fx_miner_device_open(options, error);
    if (!miner->device ||
        !fx_miner_device_measure(options->backend, miner->device, &miner->rates, error)) {
        fprintf(stderr, "Error: device %s:%u: %s\n", options->backend->name, options->device,
                error);
        miner->fatal = true;
    } else {
        fx_miner_say("device %s:%u, about %.0f bricks/s or %.0f hashes/s", options->backend->name,
                     options->device, miner->rates.bricks, miner->rates.hashes);
    }
    if (!miner->fatal && greet(miner)) {
        fx_miner_say("connected to the node at %s:%u, network %s", options->host, options->port,
                     options->params->name);
        fx_watch_start(&miner->watch);
        fx_deliver_start(&miner->deliver);
        resume(miner);
        loop(miner);
        atomic_store(stop, true);
        fx_watch_join(&miner->watch);
        fx_deliver_join(&miner->deliver);
        fx_miner_status_print(&miner->status);
        fx_miner_say("stopped");
    }
    fatal = miner->fatal;
    if (miner->device)
        options->backend->close(miner->device);
    fx_miner_node_clear(&miner->node);
    free(miner->tasks);
    free(miner->skipped);
    free(miner);
    return fatal ? 1 : 0;
}
