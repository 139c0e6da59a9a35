/* Start and end of all devices, and what they share. */
#include "src/miner/crew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/miner/api.h"
#include "src/miner/say.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

#define NAP_MS 50
#define PACE_MS 1000 /* between two blocks of the hash lane, on regtest */
#define BACKOFF_FIRST_MS 500
#define BACKOFF_MOST_MS 10000
#define BACKOFF_REGTEST_MS 2000
#define SAY_AGAIN_MS 600000
#define NO_SUCH_METHOD (-32601)
#define COOKIE_PATIENCE_MS 5000 /* a node that restarts writes a new one */

static bool is_regtest(const struct fx_crew *crew)
{
    return crew->options->params->kind == FX_REGTEST;
}

static void cancel_all(struct fx_crew *crew)
{
    for (size_t at = 0; at < crew->n; at++)
        atomic_store(&crew->miners[at].cancel, true);
}

/* ---- the node's troubles -------------------------------------------------------------------- */

static void say_once(struct fx_crew *crew, const char *what, const char *text)
{
    struct fx_said said = {.ms = fx_clock_monotonic_ms()};

    snprintf(said.line, sizeof said.line, "%.50s: %.240s", what, text);
    for (size_t at = 0; at < FX_SAID; at++) {
        if (strcmp(said.line, crew->said[at].line) == 0 &&
            said.ms < crew->said[at].ms + SAY_AGAIN_MS)
            return;
    }
    crew->said[crew->n_said++ % FX_SAID] = said;
    fx_miner_say("%s", said.line);
}

void fx_crew_say_once(struct fx_crew *crew, const char *what, const char *text)
{
    pthread_mutex_lock(&crew->lock);
    say_once(crew, what, text);
    pthread_mutex_unlock(&crew->lock);
}

/* A cookie may be the old one for a moment while the node restarts; a password stays wrong. */
static void refused(struct fx_crew *crew, const struct fx_miner_node *node)
{
    int64_t now = fx_clock_monotonic_ms();

    if (crew->refused_since_ms == 0)
        crew->refused_since_ms = now;
    if (!crew->options->password && now - crew->refused_since_ms < COOKIE_PATIENCE_MS)
        return;
    if (!atomic_exchange(&crew->fatal, true))
        fprintf(stderr, "Error: %s\n", node->text);
}

static void answered(struct fx_crew *crew)
{
    if (crew->down) {
        fx_miner_say("the node answers again");
        memset(crew->said, 0, sizeof crew->said);
    }
    crew->down = false;
    crew->refused_since_ms = 0;
}

bool fx_crew_node_ok(struct fx_crew *crew, const struct fx_miner_node *node,
                     enum fx_miner_node_status status, const char *what, unsigned *backoff_ms)
{
    unsigned most = is_regtest(crew) ? BACKOFF_REGTEST_MS : BACKOFF_MOST_MS;

    if (status != FX_NODE_OK && atomic_load(crew->stop))
        return false; /* a call that was broken off says nothing of the node */
    pthread_mutex_lock(&crew->lock);
    switch (status) {
    case FX_NODE_OK:
        answered(crew);
        break;
    case FX_NODE_REFUSED:
    case FX_NODE_ODD:
        say_once(crew, what, node->text);
        break;
    case FX_NODE_DOWN:
        if (!crew->down)
            say_once(crew, "the node does not answer, trying again", node->text);
        crew->down = true;
        break;
    case FX_NODE_AUTH:
        refused(crew, node);
        break;
    }
    atomic_store(&crew->status.connected, !crew->down && crew->refused_since_ms == 0);
    pthread_mutex_unlock(&crew->lock);
    if (status == FX_NODE_OK)
        *backoff_ms = 0;
    else if (*backoff_ms == 0)
        *backoff_ms = BACKOFF_FIRST_MS;
    else
        *backoff_ms = *backoff_ms * 2 < most ? *backoff_ms * 2 : most;
    return status == FX_NODE_OK;
}

/* ---- who does what -------------------------------------------------------------------------- */

static size_t at_work(const struct fx_crew *crew)
{
    size_t n = 0;

    for (size_t at = 0; at < crew->n; at++)
        n += crew->miners[at].at_work;
    return n;
}

static bool may_start(struct fx_crew *crew)
{
    uint64_t most = crew->options->tasks;

    return !atomic_load(crew->finish) &&
           (most == 0 || atomic_load(&crew->status.tasks_paid) + fx_deliver_count(&crew->deliver) +
                                 at_work(crew) <
                             most);
}

static bool is_at_work(const struct fx_crew *crew, const char *origin)
{
    for (size_t at = 0; at < crew->n; at++) {
        if (crew->miners[at].at_work && strcmp(crew->miners[at].task.origin, origin) == 0)
            return true;
    }
    return false;
}

static bool is_free(struct fx_crew *crew, const char *origin)
{
    return may_start(crew) && !fx_deliver_has(&crew->deliver, origin) && !is_at_work(crew, origin);
}

bool fx_crew_is_free(struct fx_crew *crew, const char *origin)
{
    bool ok;

    pthread_mutex_lock(&crew->lock);
    ok = is_free(crew, origin);
    pthread_mutex_unlock(&crew->lock);
    return ok;
}

bool fx_crew_take(struct fx_crew *crew, struct fx_miner *miner, const struct fx_miner_task *task)
{
    bool ok;

    pthread_mutex_lock(&crew->lock);
    ok = is_free(crew, task->origin);
    if (ok) {
        miner->at_work = true;
        miner->task = *task;
    }
    pthread_mutex_unlock(&crew->lock);
    return ok;
}

void fx_crew_leave(struct fx_crew *crew, struct fx_miner *miner)
{
    pthread_mutex_lock(&crew->lock);
    miner->at_work = false;
    pthread_mutex_unlock(&crew->lock);
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

/* Under the lock to its end, so that nobody begins a task whose files are about to go. */
void fx_crew_sweep(struct fx_crew *crew, const struct fx_miner_task *tasks, size_t n)
{
    struct kept kept = {NULL, 0, 0};

    pthread_mutex_lock(&crew->lock);
    for (size_t at = 0; at < n; at++)
        keep(&kept, &tasks[at]);
    for (size_t at = 0; at < crew->n; at++) {
        if (crew->miners[at].at_work)
            keep(&kept, &crew->miners[at].task);
    }
    fx_deliver_each(&crew->deliver, keep_delivered, &kept);
    fx_operands_sweep(crew->options->workdir, kept.tasks, kept.n);
    pthread_mutex_unlock(&crew->lock);
    for (size_t at = 0; at < kept.n; at++)
        free((void *)(uintptr_t)kept.tasks[at]);
    free(kept.tasks);
}

unsigned fx_crew_pace_ms(struct fx_crew *crew)
{
    int64_t left = 0;

    pthread_mutex_lock(&crew->lock);
    if (is_regtest(crew) && crew->hash_found_ms > 0)
        left = crew->hash_found_ms + PACE_MS - fx_clock_monotonic_ms();
    pthread_mutex_unlock(&crew->lock);
    return left > 0 ? (unsigned)left : 0;
}

void fx_crew_hash_found(struct fx_crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    crew->hash_found_ms = fx_clock_monotonic_ms();
    pthread_mutex_unlock(&crew->lock);
}

void fx_crew_retire(struct fx_crew *crew, struct fx_miner *miner, bool distrusted, const char *why)
{
    pthread_mutex_lock(&crew->lock);
    atomic_fetch_add(&miner->status->errors, 1);
    if (!atomic_load(&miner->retired)) {
        miner->distrusted = distrusted;
        atomic_store(&miner->retired, true);
        atomic_store(&miner->cancel, true);
        fx_miner_status_set(&crew->status, miner->status, FX_DEVICE_RETIRED, why);
        fx_miner_say("device %s is retired until the next start: %s", miner->choice->name, why);
    }
    pthread_mutex_unlock(&crew->lock);
}

/* Of the deliverer: a result was wrong. device: who made it; empty where several did. */
static void wrong_result(void *ctx, const char *device)
{
    struct fx_crew *crew = ctx;

    for (size_t at = 0; at < crew->n; at++) {
        if (strcmp(crew->choices[at].name, device) == 0)
            fx_crew_retire(crew, &crew->miners[at], true, "it computed a wrong result");
    }
}

static void tip_moved(void *ctx)
{
    cancel_all(ctx);
}

/* ---- the devices ---------------------------------------------------------------------------- */

static void miner_init(struct fx_crew *crew, struct fx_miner *miner, size_t at)
{
    const struct fx_miner_options *options = crew->options;

    miner->crew = crew;
    miner->options = options;
    miner->choice = &crew->choices[at];
    miner->backend = miner->choice->backend;
    miner->status = &crew->status.devices[at];
    miner->chain.paced = is_regtest(crew);
    miner->policy.lane = options->lane;
    miner->policy.burn = options->burn;
    miner->policy.burn_amount = options->burn_amount;
    miner->policy.blocks_per_task = options->blocks_per_task;
    atomic_init(&miner->cancel, false);
    atomic_init(&miner->retired, false);
}

/* Those that do not open are retired at once. Returns how many do. */
static size_t open_devices(struct fx_crew *crew)
{
    size_t good = 0;

    for (size_t at = 0; at < crew->n && !atomic_load(crew->stop); at++) {
        struct fx_miner *miner = &crew->miners[at];
        char error[FX_KERNEL_TEXT] = "";

        miner->device = fx_miner_device_open(crew->options, miner->choice, error);
        if (!miner->device ||
            !fx_miner_device_measure(miner->backend, miner->device, &miner->rates, error)) {
            fx_crew_retire(crew, miner, false, error);
            continue;
        }
        miner->status->device = miner->device;
        fx_miner_say("device %s, %s: about %.0f bricks/s or %.0f hashes/s", miner->choice->name,
                     miner->choice->model, miner->rates.bricks, miner->rates.hashes);
        good++;
    }
    return good;
}

static void start_thread(struct fx_miner *miner)
{
    int why = pthread_create(&miner->thread, NULL, fx_miner_main, miner);

    if (why != 0) {
        fprintf(stderr, "Error: cannot start a thread: %s\n", strerror(why));
        exit(FX_EXIT_ERROR);
    }
    miner->running = true;
}

static size_t devices_left(const struct fx_crew *crew)
{
    size_t n = 0;

    for (size_t at = 0; at < crew->n; at++)
        n += !atomic_load(&crew->miners[at].retired);
    return n;
}

/* ---- start and end -------------------------------------------------------------------------- */

static void nap(const struct fx_crew *crew, unsigned ms)
{
    int64_t end = fx_clock_monotonic_ms() + ms;

    while (!atomic_load(crew->stop) && !atomic_load(&crew->fatal) && fx_clock_monotonic_ms() < end)
        fx_clock_sleep_ms(ms < NAP_MS ? ms : NAP_MS);
}

static bool over(const struct fx_crew *crew)
{
    return atomic_load(crew->stop) || atomic_load(&crew->fatal);
}

/* Without a wallet there is nothing to mine for, in either lane. True: there is none, and the text
 * of the node says so. A wallet that has another fault may mine all the same. */
static bool lacks_wallet(const struct fx_miner_node *node, enum fx_miner_node_status status)
{
    return status == FX_NODE_REFUSED &&
           (node->code == FX_NODE_NO_WALLET || node->code == FX_NODE_WHICH_WALLET ||
            node->code == NO_SUCH_METHOD);
}

static bool give_up(struct fx_crew *crew, const char *text)
{
    fprintf(stderr, "Error: %s\n", text);
    atomic_store(&crew->fatal, true);
    return false;
}

static bool ask_for_wallet(struct fx_crew *crew)
{
    const char *name = crew->options->wallet;
    char text[sizeof crew->node.text + 200];
    struct fx_hash solver;

    if (!lacks_wallet(&crew->node, fx_miner_node_solver(&crew->node, &solver)))
        return true;
    if (name)
        snprintf(text, sizeof text, "the node's wallet \"%.100s\" cannot be used (-rpcwallet): %s",
                 name, crew->node.text);
    else
        snprintf(text, sizeof text, "the node has no wallet to mine for: %s", crew->node.text);
    return give_up(crew, text);
}

/* Until the node answers, is of our network, and has the wallet. False: it is over, or a message
 * went out. */
static bool greet(struct fx_crew *crew)
{
    const char *wanted = crew->options->params->name;
    char text[100];
    unsigned backoff_ms = 0;
    struct fx_miner_chain chain;

    while (!over(crew) && !atomic_load(crew->finish)) {
        int64_t end;

        if (fx_crew_node_ok(crew, &crew->node, fx_miner_node_chain(&crew->node, &chain),
                            "no answer", &backoff_ms)) {
            if (strcmp(chain.name, wanted) == 0)
                return ask_for_wallet(crew);
            snprintf(text, sizeof text, "the node is of the network %s, not %s", chain.name,
                     wanted);
            return give_up(crew, text);
        }
        end = fx_clock_monotonic_ms() + backoff_ms;
        while (!over(crew) && !atomic_load(crew->finish) && fx_clock_monotonic_ms() < end)
            fx_clock_sleep_ms(NAP_MS);
    }
    return false;
}

/* What an earlier run had finished goes on its way. */
static void resume(struct fx_crew *crew)
{
    struct fx_stored_task *list;
    size_t n = fx_store_list(crew->options->workdir, &list);

    for (size_t at = 0; at < n; at++) {
        if (list[at].stage != FX_STAGE_WORK)
            fx_deliver_add(&crew->deliver, &list[at]);
    }
    free(list);
}

/* Unless a device works on it, or it is on its way. */
static void remove_task(struct fx_crew *crew, const char *origin)
{
    pthread_mutex_lock(&crew->lock);
    if (!is_at_work(crew, origin) && !fx_deliver_has(&crew->deliver, origin))
        fx_store_remove(crew->options->workdir, origin);
    pthread_mutex_unlock(&crew->lock);
}

/* Folders of tasks that were begun, and are not open any more. False: the node does not say. */
static bool clean_up(struct fx_crew *crew, unsigned *backoff_ms)
{
    struct fx_stored_task *list;
    size_t n = fx_store_list(crew->options->workdir, &list);
    bool ok = true;

    for (size_t at = 0; at < n && ok; at++) {
        const char *origin = list[at].task.origin;
        struct fx_miner_task now;
        enum fx_miner_node_status status;

        if (list[at].stage != FX_STAGE_WORK)
            continue;
        status = fx_miner_node_task(&crew->node, origin, &now);
        if ((status == FX_NODE_REFUSED && crew->node.code == FX_NODE_NO_TASK) ||
            (status == FX_NODE_OK && now.status >= FX_MINER_TASK_CLAIMED))
            remove_task(crew, origin);
        else
            ok =
                fx_crew_node_ok(crew, &crew->node, status, "tasks cannot be looked at", backoff_ms);
    }
    free(list);
    return ok;
}

static bool enough(struct fx_crew *crew)
{
    uint64_t most = crew->options->tasks;
    size_t busy;

    if (most > 0 && atomic_load(&crew->status.tasks_paid) >= most)
        return true;
    if (!atomic_load(crew->finish))
        return false;
    pthread_mutex_lock(&crew->lock);
    busy = at_work(crew);
    pthread_mutex_unlock(&crew->lock);
    return busy == 0 && fx_deliver_unclaimed(&crew->deliver) == 0;
}

static void work(struct fx_crew *crew)
{
    unsigned backoff_ms = 0, moves = atomic_load(&crew->watch.moves);

    while (crew->options->lane != FX_CHOOSE_HASH && !over(crew) && !clean_up(crew, &backoff_ms))
        nap(crew, backoff_ms);
    for (size_t at = 0; at < crew->n; at++) {
        if (!atomic_load(&crew->miners[at].retired))
            start_thread(&crew->miners[at]);
    }
    while (!over(crew) && devices_left(crew) > 0 && !enough(crew)) {
        unsigned now = atomic_load(&crew->watch.moves);

        if (now != moves && crew->options->lane != FX_CHOOSE_HASH) {
            if (clean_up(crew, &backoff_ms))
                moves = now;
            else
                nap(crew, backoff_ms);
        }
        nap(crew, NAP_MS);
    }
    atomic_store(crew->stop, true);
    cancel_all(crew);
    for (size_t at = 0; at < crew->n; at++) {
        if (crew->miners[at].running)
            pthread_join(crew->miners[at].thread, NULL);
    }
}

/* Connects, and runs all threads until it is over. */
static void run(struct fx_crew *crew)
{
    if (!greet(crew))
        return;
    fx_miner_say("connected to the node at %s:%u, network %s", crew->options->host,
                 crew->options->port, crew->options->params->name);
    fx_watch_start(&crew->watch);
    fx_deliver_start(&crew->deliver);
    resume(crew);
    work(crew);
    fx_watch_join(&crew->watch);
    fx_deliver_join(&crew->deliver);
    fx_miner_status_print(&crew->status);
    fx_miner_say("stopped");
}

/* The status server runs from before the node answers until all is over. */
static void run_with_api(struct fx_crew *crew)
{
    struct fx_api api = {
        .status = &crew->status, .stop = crew->stop, .port = crew->options->api_port};
    const char *api_bind = crew->options->api_bind;
    char error[FX_KERNEL_TEXT];

    if (crew->options->api_port == 0) {
        run(crew);
        return;
    }
    if (!fx_api_start(&api, api_bind, error)) {
        fprintf(stderr, "Error: %s\n", error);
        atomic_store(&crew->fatal, true);
        return;
    }
    fx_miner_say(strchr(api_bind, ':') ? "status at http://[%s]:%u/status"
                                       : "status at http://%s:%u/status",
                 api_bind, api.port);
    run(crew);
    atomic_store(crew->stop, true);
    fx_api_join(&api);
}

static void init(struct fx_crew *crew, const struct fx_miner_options *options, atomic_bool *stop,
                 atomic_bool *finish)
{
    crew->options = options;
    crew->stop = stop;
    crew->finish = finish;
    crew->miners = fx_xcalloc(crew->n + 1, sizeof *crew->miners);
    pthread_mutex_init(&crew->lock, NULL);
    fx_miner_status_init(&crew->status, options->params->name, crew->choices, crew->n);
    fx_miner_node_init(&crew->node, options, stop);
    for (size_t at = 0; at < crew->n; at++)
        miner_init(crew, &crew->miners[at], at);
    crew->watch.options = crew->deliver.options = options;
    crew->watch.status = crew->deliver.status = &crew->status;
    crew->watch.stop = crew->deliver.stop = stop;
    crew->watch.moved = tip_moved;
    crew->deliver.wrong = wrong_result;
    crew->watch.ctx = crew->deliver.ctx = crew;
}

static void clear(struct fx_crew *crew)
{
    for (size_t at = 0; at < crew->n; at++) {
        struct fx_miner *miner = &crew->miners[at];

        if (miner->device)
            miner->backend->close(miner->device);
        free(miner->tasks);
        free(miner->skipped);
    }
    fx_miner_node_clear(&crew->node);
    fx_miner_status_clear(&crew->status);
    pthread_mutex_destroy(&crew->lock);
    free(crew->miners);
    free(crew->choices);
    free(crew);
}

int fx_crew_run(const struct fx_miner_options *options, atomic_bool *stop, atomic_bool *finish)
{
    struct fx_crew *crew = fx_xcalloc(1, sizeof *crew);
    int status = FX_EXIT_OK;
    char error[FX_KERNEL_TEXT];

    if (!fx_miner_devices_choose(options, &crew->choices, &crew->n, error)) {
        fprintf(stderr, "Error: no device: %s\n", error);
        free(crew);
        return FX_EXIT_DEVICE;
    }
    init(crew, options, stop, finish);
    if (open_devices(crew) > 0)
        run_with_api(crew);
    if (atomic_load(&crew->fatal)) {
        status = FX_EXIT_ERROR;
    } else if (devices_left(crew) == 0) {
        fprintf(stderr, "Error: no device is left that works\n");
        status = FX_EXIT_DEVICE;
    }
    clear(crew);
    return status;
}
