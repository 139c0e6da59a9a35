/* The whole miner on the CPU backend, with a node in memory. */
#include "src/miner/miner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
    atomic_bool stop, cancel, ended;
    pthread_t thread;
    int status;
};

static void options_of(struct fx_miner_options *options, const char *workdir)
{
    memset(options, 0, sizeof *options);
    options->params = fx_params_get(FX_REGTEST);
    options->host = fx_xstrdup("nowhere");
    options->workdir = fx_xstrdup(workdir);
    options->backend = &fx_backend_cpu;
    options->lane = FX_CHOOSE_JOB;
    options->blocks_per_task = 1;
    options->threads = 1;
}

static void *run_thread(void *arg)
{
    struct run *run = arg;

    run->status = fx_miner_run(&run->options, &run->stop, &run->cancel);
    atomic_store(&run->ended, true);
    return NULL;
}

static void start(struct run *run)
{
    char error[FX_KERNEL_TEXT];

    /* The lock is of the process; here it only has to make the folders. */
    (void)fx_store_open(run->options.workdir, error);
    atomic_init(&run->stop, false);
    atomic_init(&run->cancel, false);
    atomic_init(&run->ended, false);
    FX_CHECK_INT(pthread_create(&run->thread, NULL, run_thread, run), 0);
}

/* The status that it ends with. */
static int finish(struct run *run, bool stop)
{
    int64_t end = fx_clock_monotonic_ms() + PATIENCE_MS;

    if (stop) {
        atomic_store(&run->stop, true);
        atomic_store(&run->cancel, true);
    }
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

/* Every second brick wins, and all blocks are wanted: headers change within tiles all the time. */
FX_TEST(a_block_a_ticket)
{
    struct run run;

    fx_fake_begin();
    fx_fake_add(4, 4, 3, COIN);
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

    fx_fake_begin();
    fx_fake_add(4, 4, 40, COIN);
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
    FX_CHECK_INT(fx_fake_said("no coins for the bond"), 1); /* said once, tried again */
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

/* ---- a device that lies --------------------------------------------------------------------- */

static atomic_uint lies;
static const struct fx_kernel_sink *true_sink;

static bool lying_tile(void *ctx, uint64_t tile, const int32_t *data)
{
    int32_t copy[FX_TILE * FX_TILE];

    (void)ctx;
    memcpy(copy, data, sizeof copy);
    if (atomic_load(&lies) > 0) {
        atomic_fetch_sub(&lies, 1);
        copy[4321] += 256;
    }
    return true_sink->tile(true_sink->ctx, tile, copy);
}

static bool lying_ticket(void *ctx, uint32_t i, uint32_t j, uint32_t l, const uint8_t ticket[32])
{
    uint8_t zero[32] = {0};

    (void)ctx;
    (void)ticket;
    return true_sink->ticket(true_sink->ctx, i, j, l, zero);
}

static enum fx_kernel_step lying_step(struct fx_session *session,
                                      const struct fx_kernel_header *header, unsigned budget_ms,
                                      const atomic_bool *cancel, const struct fx_kernel_sink *sink,
                                      char error[FX_KERNEL_TEXT])
{
    const struct fx_kernel_sink liar = {NULL, lying_ticket, lying_tile};

    true_sink = sink;
    return fx_backend_cpu.step(session, header, budget_ms, cancel, &liar, error);
}

/* Its tickets are not submitted, and its wrong tile is not claimed but computed again. */
FX_TEST(a_device_that_lies)
{
    struct fx_backend liar = fx_backend_cpu;
    struct run run;

    fx_fake_begin();
    fx_fake_add(2, 2, 2, COIN);
    liar.step = lying_step;
    atomic_store(&lies, 1 + 9); /* some go to the trial at the start */
    options_of(&run.options, fx_unit_tmpdir());
    run.options.backend = &liar;
    run.options.tasks = 1;
    start(&run);
    FX_CHECK_INT(finish(&run, false), 0);
    check_settled(1);
    FX_CHECK_INT(fx_fake.job_blocks, 0);
    FX_CHECK_INT(fx_fake.bad_blocks, 0);
    clear(&run);
}
