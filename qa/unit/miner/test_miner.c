/* The whole miner on the CPU backend, and on worse ones, with a node in memory. */
#include "src/miner/crew.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "kernels/cpu/cpu.h"
#include "qa/unit/harness.h"
#include "qa/unit/miner/fake.h"
#include "src/sys/clock.h"
#include "src/sys/file.h"
#include "src/util/mem.h"

#define COIN INT64_C(100000000)
#define PATIENCE_MS 60000

/* One run of the miner on a thread of its own. */
struct run {
    struct fx_miner_options options;
    atomic_bool stop, finish, ended;
    pthread_t thread;
    int status;
};

static void add_device(struct fx_miner_options *options, const struct fx_backend *backend)
{
    options->wishes =
        fx_xreallocarray(options->wishes, options->n_wishes + 1, sizeof *options->wishes);
    options->wishes[options->n_wishes++] =
        (struct fx_device_wish){.wish = FX_WISH_ONE, .backend = backend};
}

/* On no device yet. */
static void bare_options_of(struct fx_miner_options *options, const char *workdir)
{
    memset(options, 0, sizeof *options);
    options->params = fx_params_get(FX_REGTEST);
    options->host = fx_xstrdup("nowhere");
    options->workdir = fx_xstrdup(workdir);
    options->lane = FX_CHOOSE_JOB;
    options->blocks_per_task = 1;
    options->threads = 1;
}

static void options_of(struct fx_miner_options *options, const char *workdir)
{
    bare_options_of(options, workdir);
    add_device(options, &fx_backend_cpu);
}

static void *run_thread(void *arg)
{
    struct run *run = arg;

    run->status = fx_crew_run(&run->options, &run->stop, &run->finish);
    atomic_store(&run->ended, true);
    return NULL;
}

static void start(struct run *run)
{
    char error[FX_KERNEL_TEXT];

    /* The lock is of the process; here it only has to make the folders. */
    (void)fx_store_open(run->options.workdir, error);
    atomic_init(&run->stop, false);
    atomic_init(&run->finish, false);
    atomic_init(&run->ended, false);
    FX_CHECK_INT(pthread_create(&run->thread, NULL, run_thread, run), 0);
}

/* The status that it ends with. */
static int finish(struct run *run, bool stop)
{
    int64_t end = fx_clock_monotonic_ms() + PATIENCE_MS;

    if (stop)
        atomic_store(&run->stop, true);
    while (!atomic_load(&run->ended) && fx_clock_monotonic_ms() < end)
        fx_clock_sleep_ms(5);
    if (!atomic_load(&run->ended)) {
        fx_fake_print();
        fprintf(stderr, "the miner does not end\n");
        abort();
    }
    pthread_join(run->thread, NULL);
    return run->status;
}

static void clear(struct run *run)
{
    fx_miner_options_clear(&run->options);
    fx_fake_end();
}

#define WAIT_FOR(condition)                                   \
    do {                                                      \
        int64_t end_ = fx_clock_monotonic_ms() + PATIENCE_MS; \
        bool done_ = false;                                   \
        while (!done_ && fx_clock_monotonic_ms() < end_) {    \
            fx_fake_lock();                                   \
            done_ = (condition);                              \
            fx_fake_unlock();                                 \
            if (!done_)                                       \
                fx_clock_sleep_ms(2);                         \
        }                                                     \
        if (!done_) {                                         \
            fx_fake_print();                                  \
            FX_FAIL("waited in vain for %s", #condition);     \
        }                                                     \
    } while (0)

#define WAIT_FOR_SAID_TIMES(text, n)                                       \
    do {                                                                   \
        int64_t end_ = fx_clock_monotonic_ms() + PATIENCE_MS;              \
        while (fx_fake_said(text) < (n) && fx_clock_monotonic_ms() < end_) \
            fx_clock_sleep_ms(2);                                          \
        if (fx_fake_said(text) < (n)) {                                    \
            fx_fake_print();                                               \
            FX_FAIL("it does not say \"%s\"", text);                       \
        }                                                                  \
    } while (0)
#define WAIT_FOR_SAID(text) WAIT_FOR_SAID_TIMES(text, 1)

static void check_settled(size_t n)
{
    for (size_t at = 0; at < n; at++) {
        FX_CHECK_INT(fx_fake.tasks[at].task.status, FX_MINER_TASK_SETTLED);
        FX_CHECK(fx_fake.tasks[at].right);
        FX_CHECK_INT(fx_fake.tasks[at].claims, 1);
    }
}

FX_TEST(from_offers_to_pay)
{
    struct fx_stored_task *list = NULL;
    struct run run;

    fx_fake_begin();
    fx_fake_add(2, 1, 3, COIN);
    fx_fake_add(1, 2, 2, 2 * COIN);
    fx_fake.not_here = 2;
    options_of(&run.options, fx_unit_tmpdir());
    run.options.tasks = 2;
    start(&run);
    FX_CHECK_INT(finish(&run, false), 0);
    check_settled(2);
    FX_CHECK(fx_fake.job_blocks >= 1 && fx_fake.job_blocks <= 2); /* one a task at most */
    FX_CHECK_INT(fx_fake.bad_blocks, 0);
    FX_CHECK_INT(fx_fake.hash_blocks, 0);
    FX_CHECK_INT(fx_fake_said("paid"), 3); /* each, and the status line */
    FX_CHECK_INT(fx_fake_said("result checked"), 2);
    FX_CHECK_INT(fx_fake_said("paid 1.50000000 FNX"), 1);
    FX_CHECK_INT(fx_store_list(run.options.workdir, &list), 0);
    free(list);
    clear(&run);
}

/* Held back, whatever the device could do, and it tells the node no more. */
FX_TEST(limited)
{
    struct run run;
    int64_t begun = fx_clock_monotonic_ms();

    fx_fake_begin();
    fx_fake_add(2, 2, 100, COIN);
    options_of(&run.options, fx_unit_tmpdir());
    run.options.tasks = 1;
    run.options.limit = 200;
    start(&run);
    FX_CHECK_INT(finish(&run, false), 0);
    check_settled(1);
    FX_CHECK_INT((int64_t)fx_fake.speed, 200);
    /* 400 bricks take two seconds, one of which the pace lets it make up for. */
    FX_CHECK(fx_clock_monotonic_ms() - begun >= 1000);
    clear(&run);
}

/* Every second brick wins, and all blocks are wanted: headers change within tiles all the time. */
FX_TEST(a_block_a_ticket)
{
    struct run run;

    fx_fake_begin();
    fx_fake_add(3, 3, 40, COIN);
    options_of(&run.options, fx_unit_tmpdir());
    run.options.tasks = 1;
    run.options.blocks_per_task = 0;
    run.options.threads = 2;
    start(&run);
    FX_CHECK_INT(finish(&run, false), 0);
    check_settled(1);
    FX_CHECK(fx_fake.job_blocks > 4);
    FX_CHECK_INT(fx_fake.bad_blocks, 0);
    clear(&run);
}

FX_TEST(the_hash_lane_by_itself)
{
    struct run run;
    int64_t begun = fx_clock_monotonic_ms(), took;

    fx_fake_begin();
    fx_fake.hash_bits = 8;
    options_of(&run.options, fx_unit_tmpdir());
    run.options.lane = FX_CHOOSE_AUTO;
    start(&run);
    WAIT_FOR(fx_fake.hash_blocks >= 3);
    FX_CHECK_INT(finish(&run, true), 0);
    took = fx_clock_monotonic_ms() - begun;
    /* regtest: one a second at most. */
    FX_CHECK(took >= 1900);
    FX_CHECK(fx_fake.hash_blocks <= 1 + (unsigned)(took / 1000));
    FX_CHECK_INT(fx_fake.bad_blocks, 0);
    FX_CHECK_INT(fx_fake.job_blocks, 0);
    clear(&run);
}

static off_t size_of(const char *path)
{
    struct stat found;

    return stat(path, &found) == 0 ? found.st_size : 0;
}

/* Stopped in the middle, and started again: finished tiles are not computed twice. */
FX_TEST(stopped_and_started_again)
{
    struct fx_stored_task stored;
    struct run run;
    char *sums, *partial;

    /* Two groups of tiles, and an engine that leaves time to stop in the second. */
    FX_CHECK(fx_backend_cpu_set_engine("generic"));
    fx_fake_begin();
    fx_fake_add(17, 16, 12, COIN);
    fx_fake.job_bits = 60;
    options_of(&run.options, fx_unit_tmpdir());
    run.options.tasks = 1;
    sums = fx_store_path(run.options.workdir, fx_fake.tasks[0].task.origin, "tiles.sums");
    partial = fx_store_path(run.options.workdir, fx_fake.tasks[0].task.origin, "partial");
    start(&run);
    WAIT_FOR(size_of(sums) >= 3 * 32);
    FX_CHECK_INT(finish(&run, true), 0);
    FX_CHECK(fx_store_load(run.options.workdir, fx_fake.tasks[0].task.origin, &stored));
    FX_CHECK_INT(stored.stage, FX_STAGE_WORK);
    FX_CHECK(fx_path_exists(partial));
    start(&run);
    FX_CHECK_INT(finish(&run, false), 0);
    check_settled(1);
    FX_CHECK_INT(fx_fake_said("goes on with"), 1);
    FX_CHECK(!fx_path_exists(partial) && !fx_path_exists(sums));
    FX_CHECK(fx_backend_cpu_set_engine(NULL));
    free(sums);
    free(partial);
    clear(&run);
}

FX_TEST(taken_meanwhile)
{
    struct fx_stored_task *list = NULL;
    struct run run;

    fx_fake_begin();
    fx_fake_add(8, 8, 40, 5 * COIN); /* pays more, and is taken */
    fx_fake_add(1, 1, 2, COIN / 100);
    fx_fake.job_bits = 60;
    fx_fake.tasks[1].task.status = FX_MINER_TASK_PENDING;
    options_of(&run.options, fx_unit_tmpdir());
    run.options.tasks = 1;
    start(&run);
    WAIT_FOR(fx_fake.works >= 1);
    fx_fake_take(0);
    fx_fake_lock();
    fx_fake.tasks[1].task.status = FX_MINER_TASK_OPEN;
    fx_fake_unlock();
    FX_CHECK_INT(finish(&run, false), 0);
    FX_CHECK_INT(fx_fake_said("taken meanwhile"), 1);
    FX_CHECK_INT(fx_fake.tasks[0].claims, 0);
    FX_CHECK_INT(fx_fake.tasks[1].task.status, FX_MINER_TASK_SETTLED);
    FX_CHECK_INT(fx_store_list(run.options.workdir, &list), 0);
    free(list);
    clear(&run);
}

FX_TEST(no_coins_for_the_bond)
{
    struct run run;

    fx_fake_begin();
    fx_fake_add(1, 1, 1, COIN);
    fx_fake.no_funds = 2;
    options_of(&run.options, fx_unit_tmpdir());
    run.options.tasks = 1;
    start(&run);
    FX_CHECK_INT(finish(&run, false), 0);
    check_settled(1);
    FX_CHECK_INT(fx_fake_said("not enough coins for a claim"), 1); /* said once, tried again */
    clear(&run);
}

FX_TEST(a_claim_that_gets_lost)
{
    struct run run;

    fx_fake_begin();
    fx_fake_add(1, 1, 1, COIN);
    fx_fake.lose_claims = 1;
    options_of(&run.options, fx_unit_tmpdir());
    run.options.tasks = 1;
    start(&run);
    FX_CHECK_INT(finish(&run, false), 0);
    FX_CHECK_INT(fx_fake.tasks[0].task.status, FX_MINER_TASK_SETTLED);
    FX_CHECK_INT(fx_fake.tasks[0].claims, 2);
    FX_CHECK_INT(fx_fake_said("claiming it again"), 1);
    clear(&run);
}

/* The claim stands, but the miner was not told: it sees that the claim is its own. */
FX_TEST(a_claim_whose_answer_gets_lost)
{
    struct run run;

    fx_fake_begin();
    fx_fake_add(1, 1, 1, COIN);
    fx_fake.lose_answers = 1;
    options_of(&run.options, fx_unit_tmpdir());
    run.options.tasks = 1;
    start(&run);
    FX_CHECK_INT(finish(&run, false), 0);
    check_settled(1);
    FX_CHECK_INT(fx_fake_said("an earlier claim of ours stands"), 1);
    FX_CHECK_INT(fx_fake_said("tasks: done 1, claimed 1, paid 1"), 1);
    clear(&run);
}

/* A claim was on the chain, so the tiles are with the node alone; then it is gone again, with the
 * key that it was made under, with what was uploaded, or by itself. */
FX_TEST(a_claim_that_is_undone)
{
    enum { CLAIM, RESULT, KEY, CASES };

    for (unsigned what = CLAIM; what < CASES; what++) {
        struct run run;
        char *tiles;

        fx_fake_begin();
        fx_fake_add(2, 1, 1, COIN);
        fx_fake.job_bits = 60;
        fx_fake.no_settle = true;
        options_of(&run.options, fx_unit_tmpdir());
        run.options.tasks = 1;
        tiles = fx_store_path(run.options.workdir, fx_fake.tasks[0].task.origin, "tiles");
        start(&run);
        WAIT_FOR(fx_fake.tasks[0].task.status == FX_MINER_TASK_CLAIMED && !fx_path_exists(tiles));
        if (what == KEY)
            fx_fake_change_key();
        fx_fake_undo_claim(0, what == RESULT);
        fx_fake_lock();
        fx_fake.no_settle = false;
        fx_fake_unlock();
        FX_CHECK_INT(finish(&run, false), 0);
        FX_CHECK_INT(fx_fake.tasks[0].task.status, FX_MINER_TASK_SETTLED);
        FX_CHECK(fx_fake.tasks[0].right);
        FX_CHECK_INT(fx_fake.tasks[0].claims, 2);
        FX_CHECK_INT(fx_fake_said("claiming it again"), 1);
        /* Nothing is computed twice but what nobody has any more. */
        FX_CHECK_INT(fx_fake_said("product finished"), what == CLAIM ? 1 : 2);
        FX_CHECK_INT(fx_fake_said("it is computed again"), what == CLAIM ? 0 : 1);
        free(tiles);
        clear(&run);
    }
}

/* As the node ranks tasks: what is more than the escrow is the escrow. */
FX_TEST(burns_no_more_than_the_escrow)
{
    struct run run;

    fx_fake_begin();
    fx_fake_add(1, 1, 1, COIN);
    options_of(&run.options, fx_unit_tmpdir());
    run.options.tasks = 1;
    run.options.burn = FX_CHOOSE_BURN_AMOUNT;
    run.options.burn_amount = 3 * COIN;
    start(&run);
    FX_CHECK_INT(finish(&run, false), 0);
    check_settled(1);
    FX_CHECK_INT(fx_fake.tasks[0].task.burn, COIN);
    clear(&run);
}

/* The node goes while a task is under way: the product goes on, and what follows waits. */
FX_TEST(a_node_that_restarts)
{
    struct run run;

    fx_fake_begin();
    fx_fake_add(2, 2, 10, COIN);
    fx_fake.down = true;
    options_of(&run.options, fx_unit_tmpdir());
    run.options.tasks = 1;
    start(&run);
    WAIT_FOR(fx_fake.calls >= 2);
    fx_fake_lock();
    fx_fake.down = false;
    fx_fake_unlock();
    WAIT_FOR(fx_fake.works >= 1);
    fx_fake_lock();
    fx_fake.down = true;
    fx_fake_unlock();
    fx_clock_sleep_ms(700);
    fx_fake_lock();
    fx_fake.down = false;
    fx_fake_unlock();
    FX_CHECK_INT(finish(&run, false), 0);
    check_settled(1);
    FX_CHECK(fx_fake_said("the node does not answer") >= 1);
    FX_CHECK(fx_fake_said("the node answers again") >= 1);
    clear(&run);
}

/* Half a second, and twice as long each time, up to ten seconds; from the start after an answer. */
FX_TEST(back_off)
{
    static const unsigned waits[] = {500, 1000, 2000, 4000, 8000, 10000, 10000};
    static const enum fx_miner_node_status troubles[] = {FX_NODE_DOWN, FX_NODE_ODD,
                                                         FX_NODE_REFUSED};
    struct fx_miner_options options = {.params = fx_params_get(FX_MAIN)};
    atomic_bool stop = false;
    struct fx_crew crew = {.options = &options, .stop = &stop};
    struct fx_miner_node node = {.text = "no"};
    unsigned backoff_ms = 0;

    fx_fake_begin();
    pthread_mutex_init(&crew.lock, NULL);
    for (unsigned round = 0; round < 3; round++) {
        FX_CHECK(fx_crew_node_ok(&crew, &node, FX_NODE_OK, "", &backoff_ms));
        FX_CHECK(atomic_load(&crew.status.connected));
        for (size_t at = 0; at < sizeof waits / sizeof *waits; at++) {
            FX_CHECK(!fx_crew_node_ok(&crew, &node, troubles[round], "trouble", &backoff_ms));
            FX_CHECK_INT(backoff_ms, waits[at]);
        }
        FX_CHECK_INT(atomic_load(&crew.status.connected), troubles[round] != FX_NODE_DOWN);
    }
    FX_CHECK_INT(fx_fake_said("the node does not answer, trying again: no"), 1);
    FX_CHECK_INT(fx_fake_said("the node answers again"), 1);
    FX_CHECK_INT(fx_fake_said("trouble: no"), 1); /* the same is said once, */
    for (unsigned round = 0; round < 3; round++) {
        fx_crew_say_once(&crew, "disk", "full");
        fx_crew_say_once(&crew, "trouble", "no");
    }
    FX_CHECK_INT(fx_fake_said("trouble: no"), 1); /* also in turn with something else */
    FX_CHECK_INT(fx_fake_said("disk: full"), 1);
    /* A call that the end has broken off says nothing. */
    atomic_store(&stop, true);
    FX_CHECK(!fx_crew_node_ok(&crew, &node, FX_NODE_DOWN, "", &backoff_ms));
    FX_CHECK_INT(fx_fake_said("the node does not answer"), 1);
    pthread_mutex_destroy(&crew.lock);
    fx_fake_end();
}

static int run_quietly(struct run *run)
{
    FILE *kept = stderr, *null = fopen("/dev/null", "w");
    int status;

    FX_CHECK(null != NULL);
    stderr = null;
    start(run);
    status = finish(run, false);
    stderr = kept;
    fclose(null);
    return status;
}

FX_TEST(a_wrong_password_and_a_wrong_network)
{
    struct run run;

    fx_fake_begin();
    fx_fake.refuses_password = true;
    options_of(&run.options, fx_unit_tmpdir());
    run.options.user = fx_xstrdup("u");
    run.options.password = fx_xstrdup("p");
    FX_CHECK_INT(run_quietly(&run), 1);
    fx_fake.refuses_password = false;
    snprintf(fx_fake.chain, sizeof fx_fake.chain, "main");
    FX_CHECK_INT(run_quietly(&run), 1);
    clear(&run);
}

FX_TEST(spoiled_on_purpose)
{
    struct run run;

    fx_fake_begin();
    fx_fake_add(2, 1, 1, COIN);
    options_of(&run.options, fx_unit_tmpdir());
    run.options.corrupt = true;
    start(&run);
    WAIT_FOR(fx_fake.tasks[0].claims == 1);
    FX_CHECK_INT(finish(&run, true), 0);
    FX_CHECK(!fx_fake.tasks[0].right);
    clear(&run);
}

/* ---- devices that fail or lie --------------------------------------------------------------- */

enum { LIE_TILE = 1, LIE_TICKETS, LIE_STEP, LIE_NONCES, LIE_HASH };

static atomic_uint lie;      /* the next one */
static atomic_bool good_may; /* may the good device take tasks? */
static atomic_bool failed;   /* the last hash did */
static const struct fx_kernel_sink *true_sink;

static bool lying_tile(void *ctx, uint64_t tile, const int32_t *data)
{
    int32_t copy[FX_TILE * FX_TILE];
    unsigned wanted = LIE_TILE;

    (void)ctx;
    memcpy(copy, data, sizeof copy);
    if (atomic_compare_exchange_strong(&lie, &wanted, 0))
        copy[4321] += 256;
    return true_sink->tile(true_sink->ctx, tile, copy);
}

static bool lying_ticket(void *ctx, uint32_t i, uint32_t j, uint32_t l, const uint8_t ticket[32])
{
    uint8_t zero[32] = {0};

    (void)ctx;
    return true_sink->ticket(true_sink->ctx, i, j, l,
                             atomic_load(&lie) == LIE_TICKETS ? zero : ticket);
}

static enum fx_kernel_step lying_step(struct fx_session *session,
                                      const struct fx_kernel_header *header, unsigned budget_ms,
                                      const atomic_bool *cancel, const struct fx_kernel_sink *sink,
                                      char error[FX_KERNEL_TEXT])
{
    static const uint8_t zero[32];
    const struct fx_kernel_sink liar = {NULL, lying_ticket, lying_tile};
    struct fx_kernel_stats stats;

    if (memcmp(header->seed, zero, 32) == 0) /* the trial at the start */
        return fx_backend_cpu.step(session, header, budget_ms, cancel, sink, error);
    fx_backend_cpu.stats(session, &stats);
    if (atomic_load(&lie) == LIE_STEP && stats.tiles > 0) {
        snprintf(error, FX_KERNEL_TEXT, "the fan has fallen off");
        return FX_STEP_FAILED;
    }
    true_sink = sink;
    return fx_backend_cpu.step(session, header, 1, cancel, &liar, error);
}

static bool lying_hash(struct fx_device *device, const uint8_t header[80], const uint8_t target[32],
                       uint32_t first, uint64_t count, const atomic_bool *cancel, uint32_t *nonce,
                       uint64_t *tried)
{
    static const uint8_t zero[32];

    if (atomic_load(&lie) < LIE_NONCES || memcmp(target, zero, 32) == 0)
        return fx_backend_cpu.hash(device, header, target, first, count, cancel, nonce, tried);
    *nonce = first;
    *tried = 1;
    atomic_store(&failed, atomic_load(&lie) == LIE_HASH);
    return !atomic_load(&failed);
}

static const char *why_hash_failed(const struct fx_device *device)
{
    (void)device;
    return atomic_load(&failed) ? "the fan has fallen off" : "";
}

static bool no_tasks_yet(uint8_t kind)
{
    return atomic_load(&good_may) && fx_backend_cpu.runs_kind(kind);
}

static struct fx_backend liar_of(unsigned what)
{
    struct fx_backend liar = fx_backend_cpu;

    atomic_store(&lie, what);
    atomic_store(&good_may, false);
    liar.name = "liar";
    liar.step = lying_step;
    liar.hash = lying_hash;
    liar.hash_error = why_hash_failed;
    atomic_store(&failed, false);
    return liar;
}

/* A device that gives a wrong answer or fails is retired, and the good one does its task. */
FX_TEST(work_goes_to_the_device_that_is_left)
{
    static const char *const why[] = {[LIE_TILE] = "liar:0 is retired until the next start: it "
                                                   "computed a wrong result",
                                      [LIE_TICKETS] = "it computed a wrong ticket",
                                      [LIE_STEP] = "the fan has fallen off"};

    for (unsigned what = LIE_TILE; what <= LIE_STEP; what++) {
        struct fx_backend liar = liar_of(what), good = fx_backend_cpu;
        struct run run;

        fx_fake_begin();
        fx_fake_add(17, 16, 2, COIN); /* two groups of tiles: it fails after the first */
        if (what != LIE_TICKETS)
            fx_fake.job_bits = 60;
        good.name = "good";
        good.runs_kind = no_tasks_yet;
        bare_options_of(&run.options, fx_unit_tmpdir());
        add_device(&run.options, &liar);
        add_device(&run.options, &good);
        run.options.tasks = 1;
        start(&run);
        WAIT_FOR_SAID("is retired");
        FX_CHECK(fx_fake_said(why[what]) >= 1);
        FX_CHECK_INT(fx_fake.bad_blocks, 0);
        atomic_store(&good_may, true);
        FX_CHECK_INT(finish(&run, false), FX_EXIT_OK);
        check_settled(1);
        /* Tiles of one that only failed are good. */
        FX_CHECK_INT(fx_fake_said("goes on with"), what == LIE_STEP);
        clear(&run);
    }
}

FX_TEST(no_device_is_left)
{
    for (unsigned what = LIE_TILE; what <= LIE_HASH; what++) {
        struct fx_backend liar = liar_of(what);
        struct run run;

        fx_fake_begin();
        if (what < LIE_NONCES)
            fx_fake_add(17, 16, 2, COIN); /* two groups of tiles */
        fx_fake.job_bits = what == LIE_TICKETS ? 1 : 60;
        fx_fake.hash_bits = 60;
        bare_options_of(&run.options, fx_unit_tmpdir());
        add_device(&run.options, &liar);
        run.options.lane = what >= LIE_NONCES ? FX_CHOOSE_HASH : FX_CHOOSE_JOB;
        FX_CHECK_INT(run_quietly(&run), FX_EXIT_DEVICE);
        FX_CHECK(fx_fake_said("is retired") == 1);
        /* A failure in the words of the device. */
        FX_CHECK_INT(fx_fake_said("next start: the fan has fallen off"),
                     what == LIE_STEP || what == LIE_HASH);
        FX_CHECK_INT(fx_fake.tasks[0].claims, 0);
        FX_CHECK_INT(fx_fake.job_blocks + fx_fake.hash_blocks + fx_fake.bad_blocks, 0);
        clear(&run);
    }
}

static struct fx_device *broken_open(unsigned index, char error[FX_KERNEL_TEXT])
{
    snprintf(error, FX_KERNEL_TEXT, "device %u is on fire", index);
    return NULL;
}

/* Named by the node's codes: no such wallet, none named of several, no wallets at all. Another
 * fault of the wallet is left for later. */
FX_TEST(a_wallet_that_is_not_there)
{
    static const int codes[] = {FX_NODE_NO_WALLET, FX_NODE_WHICH_WALLET, -32601};
    struct run run;

    fx_fake_begin();
    options_of(&run.options, fx_unit_tmpdir());
    for (unsigned at = 0; at < 3; at++) {
        fx_fake.wallet_error = codes[at];
        FX_CHECK_INT(run_quietly(&run), FX_EXIT_ERROR);
    }
    fx_fake.wallet_error = -4;
    start(&run);
    WAIT_FOR_SAID("connected to the node");
    FX_CHECK_INT(finish(&run, true), FX_EXIT_OK);
    clear(&run);
}

/* Nothing is under work before the node answers. */
FX_TEST(finishes_without_a_node)
{
    struct run run;

    fx_fake_begin();
    fx_fake.down = true;
    options_of(&run.options, fx_unit_tmpdir());
    start(&run);
    WAIT_FOR_SAID("the node does not answer");
    atomic_store(&run.finish, true);
    FX_CHECK_INT(finish(&run, false), FX_EXIT_OK);
    clear(&run);
}

static struct fx_session *broken_begin(struct fx_device *device, const struct fx_kernel_task *task,
                                       const uint8_t *done, char error[FX_KERNEL_TEXT])
{
    if (task->rows == 256) /* the trial at the start */
        return fx_backend_cpu.begin(device, task, done, error);
    snprintf(error, FX_KERNEL_TEXT, "no memory");
    return NULL;
}

/* One that does not open is said and left out; one that begins no task ends after three. */
FX_TEST(devices_that_do_not_start)
{
    struct fx_backend shut = fx_backend_cpu, idle = fx_backend_cpu;
    struct run run;

    fx_fake_begin();
    for (unsigned at = 0; at < 4; at++)
        fx_fake_add(1, 1, 1, COIN);
    shut.name = "shut";
    shut.open = broken_open;
    idle.name = "idle";
    idle.begin = broken_begin;
    bare_options_of(&run.options, fx_unit_tmpdir());
    add_device(&run.options, &shut);
    FX_CHECK_INT(run_quietly(&run), FX_EXIT_DEVICE);
    FX_CHECK_INT(fx_fake_said("shut:0 is retired until the next start: device 0 is on fire"), 1);
    add_device(&run.options, &idle);
    FX_CHECK_INT(run_quietly(&run), FX_EXIT_DEVICE);
    FX_CHECK_INT(fx_fake_said("idle:0 cannot run it: no memory"), 3);
    FX_CHECK_INT(fx_fake_said("idle:0 is retired until the next start: no memory"), 1);
    clear(&run);
}

static atomic_bool held; /* after the first group of tiles nothing goes on */

static enum fx_kernel_step holding_step(struct fx_session *session,
                                        const struct fx_kernel_header *header, unsigned budget_ms,
                                        const atomic_bool *cancel,
                                        const struct fx_kernel_sink *sink,
                                        char error[FX_KERNEL_TEXT])
{
    struct fx_kernel_stats stats;

    (void)budget_ms;
    fx_backend_cpu.stats(session, &stats);
    if (atomic_load(&held) && stats.tiles > 0) {
        fx_clock_sleep_ms(2);
        return FX_STEP_MORE;
    }
    return fx_backend_cpu.step(session, header, 1, cancel, sink, error);
}

/* What was made of a task that another solver is about to have stays, until the chain has decided:
 * the claim gets lost, and the task goes on; or it is mined, and the folder goes. */
FX_TEST(another_claim_in_the_mempool)
{
    for (unsigned lost = 0; lost < 2; lost++) {
        struct fx_backend holding = fx_backend_cpu;
        struct run run;
        char *state, *sums;

        fx_fake_begin();
        fx_fake_add(17, 16, 2, COIN); /* two groups of tiles */
        fx_fake.job_bits = 60;
        holding.step = holding_step;
        atomic_store(&held, true);
        bare_options_of(&run.options, fx_unit_tmpdir());
        add_device(&run.options, &holding);
        run.options.tasks = 1;
        state = fx_store_path(run.options.workdir, fx_fake.tasks[0].task.origin, "state.json");
        sums = fx_store_path(run.options.workdir, fx_fake.tasks[0].task.origin, "tiles.sums");
        start(&run);
        WAIT_FOR(size_of(sums) >= 32);
        fx_fake_lock();
        fx_fake.tasks[0].task.spent = true;
        fx_fake_unlock();
        WAIT_FOR_SAID("a claim of another solver waits in the mempool");
        FX_CHECK(fx_path_exists(state));
        atomic_store(&held, false);
        if (lost) {
            fx_fake_lock();
            fx_fake.tasks[0].task.spent = false;
            fx_fake_unlock();
            FX_CHECK_INT(finish(&run, false), FX_EXIT_OK);
            check_settled(1);
        } else {
            fx_fake_take(0);
            WAIT_FOR(!fx_path_exists(state));
            FX_CHECK_INT(finish(&run, true), FX_EXIT_OK);
            FX_CHECK_INT(fx_fake.tasks[0].claims, 0);
        }
        FX_CHECK_INT(fx_fake_said("goes on with"), lost);
        free(state);
        free(sums);
        clear(&run);
    }
}

/* As a full disk, but for files that are longer than this. */
static void limit_files(rlim_t size)
{
    struct rlimit limit;

    signal(SIGXFSZ, size == RLIM_INFINITY ? SIG_DFL : SIG_IGN);
    FX_CHECK_INT(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size < limit.rlim_max ? size : limit.rlim_max;
    FX_CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* What is the matter is said once, not once a task, and is an error in the table. With room again
 * it goes on by itself. */
FX_TEST(a_full_disk)
{
    struct run run;

    fx_fake_begin();
    fx_fake_add(2, 2, 2, COIN);
    fx_fake_add(2, 2, 2, COIN);
    fx_fake.job_bits = 60;
    options_of(&run.options, fx_unit_tmpdir());
    run.options.tasks = 2;
    limit_files(16384);
    start(&run);
    WAIT_FOR_SAID_TIMES("bricks in", 3); /* both, and one of them again */
    FX_CHECK_INT(fx_fake_said("cannot write operands"), 1);
    limit_files(RLIM_INFINITY);
    FX_CHECK_INT(finish(&run, false), FX_EXIT_OK);
    check_settled(2);
    FX_CHECK_INT(fx_fake_said("      0  nothing") + fx_fake_said("      0  task"), 0);
    clear(&run);
}

/* A folder is not left behind for each task that could not be begun. */
FX_TEST(no_room_for_a_state)
{
    struct fx_stored_task stored = {.task.origin = "aa:1"};
    const char *workdir = fx_unit_tmpdir();
    char error[FX_KERNEL_TEXT], *folder = fx_path_join(workdir, "tasks/aa-1");

    FX_CHECK(fx_store_open(workdir, error));
    limit_files(10);
    FX_CHECK(!fx_store_save(workdir, &stored));
    FX_CHECK_INT(errno, EFBIG);
    limit_files(RLIM_INFINITY);
    FX_CHECK(!fx_path_exists(folder));
    free(folder);
}

/* ---- several devices, and orderly ends ------------------------------------------------------- */

/* Each works on a task of its own; no task is computed by both. */
FX_TEST(two_devices)
{
    struct fx_backend second = fx_backend_cpu;
    struct run run;

    fx_fake_begin();
    for (unsigned at = 0; at < 6; at++)
        fx_fake_add(2, 2, 3, COIN);
    fx_fake.job_bits = 60;
    second.name = "second";
    options_of(&run.options, fx_unit_tmpdir());
    add_device(&run.options, &second);
    run.options.tasks = 6;
    start(&run);
    FX_CHECK_INT(finish(&run, false), FX_EXIT_OK);
    check_settled(6);
    FX_CHECK_INT(fx_fake_said("product finished"), 6);
    FX_CHECK_INT(fx_fake_said("bricks in"), 6);
    FX_CHECK_INT(fx_fake_said("tasks: done 6, claimed 6, paid 6"), 1);
    clear(&run);
}

/* What is under work is finished and claimed, and nothing more is begun. */
FX_TEST(finishes_and_ends)
{
    struct run run;

    fx_fake_begin();
    fx_fake_add(4, 4, 10, COIN);
    fx_fake_add(1, 1, 1, COIN / 1000); /* pays less */
    fx_fake.job_bits = 60;
    fx_fake.no_settle = true;
    options_of(&run.options, fx_unit_tmpdir());
    start(&run);
    WAIT_FOR(fx_fake.works >= 1);
    atomic_store(&run.finish, true);
    FX_CHECK_INT(finish(&run, false), FX_EXIT_OK);
    FX_CHECK_INT(fx_fake.tasks[0].claims, 1);
    FX_CHECK(fx_fake.tasks[0].right);
    FX_CHECK_INT(fx_fake.tasks[1].claims, 0);
    clear(&run);
}
