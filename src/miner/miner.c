/* Choosing what a device does next. */
#include "src/miner/miner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/miner/crew.h"
#include "src/miner/say.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

#define NAP_MS 50
#define TASKS_MS 1000 /* between two looks at the tasks on offer */
#define TASKS_PUBLIC_MS 5000
#define REFRESH_MS 15000
#define REFRESH_REGTEST_MS 2000

bool fx_miner_ends(const struct fx_miner *miner)
{
    return atomic_load(miner->crew->stop) || atomic_load(&miner->crew->fatal) ||
           atomic_load(&miner->retired);
}

void fx_miner_nap(const struct fx_miner *miner, unsigned ms)
{
    int64_t end = fx_clock_monotonic_ms() + ms;

    while (!fx_miner_ends(miner) && fx_clock_monotonic_ms() < end)
        fx_clock_sleep_ms(ms < NAP_MS ? ms : NAP_MS);
}

double fx_miner_speed(const struct fx_miner *miner)
{
    return fx_pace_speed(&miner->pace, miner->rates.bricks);
}

unsigned fx_miner_refresh_ms(const struct fx_miner *miner)
{
    return miner->chain.paced ? REFRESH_REGTEST_MS : REFRESH_MS;
}

bool fx_miner_node_ok(struct fx_miner *miner, enum fx_miner_node_status status, const char *what)
{
    return fx_crew_node_ok(miner->crew, &miner->node, status, what, &miner->backoff_ms);
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
    unsigned moves = atomic_load(&miner->crew->watch.moves);
    int64_t now = fx_clock_monotonic_ms();
    struct fx_miner_task *tasks;
    size_t n;

    if (miner->options->lane == FX_CHOOSE_HASH)
        return true;
    if (now < miner->tasks_due_ms && moves == miner->tasks_moves)
        return true;
    if (!fx_miner_node_ok(miner,
                          fx_miner_node_tasks(&miner->node, fx_miner_speed(miner),
                                              miner->options->burn, miner->options->burn_amount,
                                              &tasks, &n),
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
    unsigned moves = atomic_load(&miner->crew->watch.moves);
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

/* The tasks on offer that can be begun, in the node's order; at_task names them by their place in
 * miner->tasks. Tasks that were begun go first: their tiles are there. */
static size_t offers(struct fx_miner *miner, struct fx_pay_task *pay, size_t *at_task)
{
    size_t n = 0;

    for (size_t at = 0; at < miner->n_tasks; at++) {
        const struct fx_miner_task *task = &miner->tasks[at];

        if (!miner->backend->runs_kind(task->kind) || is_skipped(miner, task->origin) ||
            !fx_crew_is_free(miner->crew, task->origin))
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

static void set_state(struct fx_miner *miner, enum fx_device_state state, const char *text)
{
    fx_miner_status_set(&miner->crew->status, miner->status, state, text);
}

/* What the limit holds back is waited for before a task is chosen: one that is chosen is begun at
 * once, so that its first block tells others soon. True: it waited. */
static bool waited_for_limit(const struct fx_miner *miner)
{
    int64_t left = fx_pace_wait_ms(&miner->pace, fx_clock_monotonic_ns());

    if (left > 0)
        fx_miner_nap(miner, (unsigned)left);
    return left > 0;
}

static void do_next(struct fx_miner *miner)
{
    struct fx_pay_task *pay = fx_xcalloc(miner->n_tasks + 1, sizeof *pay);
    size_t *at_task = fx_xcalloc(miner->n_tasks + 1, sizeof *at_task);
    size_t n = offers(miner, pay, at_task), best = 0;
    const struct fx_pay_rates rates = {miner->rates.hashes, fx_miner_speed(miner)};
    enum fx_pay_choice choice = fx_pay_choose(&miner->policy, &miner->chain, &rates, pay, n);

    for (size_t at = 0; at < n && choice == FX_PAY_TASK; at++) {
        if (begun(miner, &miner->tasks[at_task[at]])) {
            best = at;
            break;
        }
    }
    switch (choice) {
    case FX_PAY_NOTHING:
        set_state(miner, FX_DEVICE_IDLE, NULL);
        fx_miner_nap(miner, NAP_MS);
        break;
    case FX_PAY_HASH:
        set_state(miner, FX_DEVICE_HASH, NULL);
        fx_miner_hash(miner);
        break;
    case FX_PAY_TASK: {
        struct fx_miner_task task = miner->tasks[at_task[best]];

        miner->tasks_due_ms = 0;
        if (waited_for_limit(miner))
            break;
        if (!fx_crew_take(miner->crew, miner, &task))
            break; /* another device was quicker */
        set_state(miner, FX_DEVICE_TASK, task.origin);
        fx_crew_sweep(miner->crew, miner->tasks, miner->n_tasks);
        fx_miner_work(miner, &task);
        fx_crew_leave(miner->crew, miner);
        break;
    }
    }
    free(pay);
    free(at_task);
}

void *fx_miner_main(void *arg)
{
    struct fx_miner *miner = arg;

    fx_miner_node_init(&miner->node, miner->options, miner->crew->stop);
    miner->pace.limit = miner->options->limit;
    while (!fx_miner_ends(miner)) {
        if (atomic_load(miner->crew->finish)) {
            set_state(miner, FX_DEVICE_IDLE, NULL);
            fx_miner_nap(miner, NAP_MS);
        } else if (look_for_tasks(miner) && look_at_chain(miner)) {
            do_next(miner);
        } else {
            fx_miner_nap(miner, miner->backoff_ms);
        }
    }
    fx_miner_node_clear(&miner->node);
    return NULL;
}
