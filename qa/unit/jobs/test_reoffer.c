/* Tasks that came to nothing, offered again by itself. By hand: test_client.c. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/jobs/play.h"

#define DAY 86400 /* seconds: what a job has where it names no deadline */
#define DEPTH 6   /* blocks until an end counts */

static size_t in_mempool(void)
{
    const struct fx_tx *const *txs;

    return world_mempool(&txs);
}

/* So many transactions of the job, the last of which is as told. */
static struct fx_job_tx check_last(const struct play *play, size_t n, enum fx_job_tx_status status,
                                   bool automatic)
{
    struct fx_job_tx *offers, last;

    FX_CHECK_INT(fx_jobs_txs(play->world->jobs, &play->id, &offers), n);
    last = offers[n - 1];
    free(offers);
    FX_CHECK_INT(last.status, status);
    FX_CHECK_INT(last.automatic, automatic);
    return last;
}

static void restart(struct play *play, unsigned reoffers)
{
    world_stop();
    play->world->reoffers = reoffers;
    world_start();
    world_run();
}

/* A task whose claim was wrong, which was proven; so the task is open again. */
static void open_restored(struct play *play, unsigned reoffers)
{
    play_open(play, 100, 100, 256, 1);
    restart(play, reoffers);
    world_mine(100);
    play_solve(play, 0, true, true);
    play_claim(play, 0, FX_BURN_NONE, 0);
    world_mine(100);
    play_check(play, 0);
    world_mine(100);
    FX_CHECK_INT(play_task(play, 0).status, FX_STATUS_OPEN);
    FX_CHECK_INT(play_task(play, 0).restored, 1);
}

/* Nobody claims a task before its deadline. */
static void refund(const struct play *play)
{
    world_mine(DAY);
    world_mine(100);
    world_run();
    FX_CHECK_INT(in_mempool(), 1);
    world_mine(100);
    FX_CHECK_INT(play_task(play, 0).status, FX_STATUS_REFUNDED);
}

static void bury(unsigned blocks)
{
    for (unsigned i = 0; i < blocks; i++) {
        world_mine(100);
        world_run();
    }
}

/* The same task, of the last offer. */
static void follow(struct play *play, size_t n)
{
    play->origins[0].txid = check_last(play, n, FX_JOB_TX_CONFIRMED, true).txid;
    play->origins[0].index = 1;
}

FX_TEST(restored_and_refunded_is_offered_again)
{
    struct play play;
    struct fx_task_info info;
    struct fx_job_info job;
    struct fx_job_tx last;

    open_restored(&play, 2);
    refund(&play);
    bury(DEPTH - 2);
    check_last(&play, 1, FX_JOB_TX_CONFIRMED, false);
    FX_CHECK_INT(in_mempool(), 0);
    restart(&play, 2);
    FX_CHECK_INT(in_mempool(), 0);
    bury(1);
    last = check_last(&play, 2, FX_JOB_TX_PENDING, true);
    FX_CHECK_INT(last.count, 1);
    FX_CHECK_INT(last.escrow, play.quote.escrow);
    FX_CHECK_INT(last.deadline, play.world->tip->header.time + DAY);
    /* Once, whatever comes between. */
    restart(&play, 2);
    check_last(&play, 2, FX_JOB_TX_PENDING, true);
    FX_CHECK_INT(in_mempool(), 1);
    bury(1);
    follow(&play, 2);
    info = play_task(&play, 0);
    FX_CHECK_INT(info.status, FX_STATUS_OPEN);
    FX_CHECK_INT(info.escrow, play.quote.escrow);
    FX_CHECK(fx_hash_equal(&info.job, &play.id));
    play_solve(&play, 0, false, true);
    play_claim(&play, 0, FX_BURN_NONE, 0);
    world_mine(100);
    play_check(&play, 0);
    world_mine(100);
    bury(DEPTH);
    check_last(&play, 2, FX_JOB_TX_CONFIRMED, true);
    FX_CHECK(fx_jobs_get(play.world->jobs, &play.id, &job));
    FX_CHECK_INT(job.status, FX_JOB_DONE);
    FX_CHECK(job.result_here);
    FX_CHECK_INT(job.reward, 2 * play.quote.escrow);
    play_close(&play);
}

FX_TEST(offered_again_so_often_and_no_more)
{
    struct play play;
    struct fx_jobs_error error;
    size_t n;

    open_restored(&play, 1);
    refund(&play);
    bury(DEPTH);
    follow(&play, 2);
    play_solve(&play, 0, true, true);
    play_claim(&play, 0, FX_BURN_NONE, 0);
    world_mine(100);
    play_check(&play, 0);
    world_mine(100);
    FX_CHECK_INT(play_task(&play, 0).restored, 1);
    refund(&play);
    bury(DEPTH);
    check_last(&play, 2, FX_JOB_TX_CONFIRMED, true);
    /* By hand it is, and by itself where more is allowed. */
    restart(&play, 2);
    bury(1);
    check_last(&play, 3, FX_JOB_TX_CONFIRMED, true);
    FX_CHECK(!fx_jobs_reoffer(play.world->jobs, NULL, &play.id, 0, &n, &error));
    play_close(&play);
}

FX_TEST(not_offered_again_where_it_is_off)
{
    struct play play;
    struct fx_jobs_error error;
    size_t n;

    open_restored(&play, 0);
    refund(&play);
    bury(DEPTH + 2);
    check_last(&play, 1, FX_JOB_TX_CONFIRMED, false);
    FX_CHECK(fx_jobs_reoffer(play.world->jobs, NULL, &play.id, 0, &n, &error));
    FX_CHECK_INT(n, 1);
    check_last(&play, 2, FX_JOB_TX_PENDING, false);
    play_close(&play);
}

/* Nobody wanted it at its pay: it is not for the node to say that somebody will. */
FX_TEST(never_claimed_is_not_offered_again)
{
    struct play play;

    play_open(&play, 100, 100, 256, 1);
    restart(&play, 2);
    world_mine(100);
    refund(&play);
    bury(DEPTH + 2);
    check_last(&play, 1, FX_JOB_TX_CONFIRMED, false);
    play_close(&play);
}

FX_TEST(canceled_is_not_offered_again)
{
    struct play play;
    struct fx_job_cancel done;
    struct fx_jobs_error error;

    open_restored(&play, 2);
    FX_CHECK(fx_jobs_cancel(play.world->jobs, NULL, &play.id, &done, &error));
    refund(&play);
    restart(&play, 2);
    bury(DEPTH + 2);
    check_last(&play, 1, FX_JOB_TX_CONFIRMED, false);
    play_close(&play);
}

/* A job that has ended can be canceled where it would be offered again, and no further time. */
FX_TEST(canceled_before_it_is_offered_again)
{
    struct play play;
    struct fx_job_cancel done;
    struct fx_jobs_error error;

    open_restored(&play, 2);
    refund(&play);
    FX_CHECK(fx_jobs_cancel(play.world->jobs, NULL, &play.id, &done, &error));
    FX_CHECK_INT(done.n_replaced + done.n_abandoned + done.n_dropped, 0);
    FX_CHECK(!fx_jobs_cancel(play.world->jobs, NULL, &play.id, &done, &error));
    FX_CHECK_INT(error.code, -4);
    FX_CHECK_STR(error.text, "The job has ended: of its 1 tasks 0 were settled, 1 refunded and 0 "
                             "rejected, and nothing is left to take back");
    bury(DEPTH + 2);
    check_last(&play, 1, FX_JOB_TX_CONFIRMED, false);
    play_close(&play);
}

FX_TEST(not_offered_again_without_operands)
{
    struct play play;
    struct fx_job_info info;

    open_restored(&play, 2);
    refund(&play);
    world_drop_operands();
    bury(DEPTH);
    check_last(&play, 1, FX_JOB_TX_CONFIRMED, false);
    FX_CHECK(fx_jobs_get(play.world->jobs, &play.id, &info));
    FX_CHECK_STR(info.note, "Operand A was not uploaded");
    world_add_operands(&play.job);
    bury(1);
    check_last(&play, 2, FX_JOB_TX_PENDING, true);
    FX_CHECK(fx_jobs_get(play.world->jobs, &play.id, &info));
    FX_CHECK_STR(info.note, "");
    play_close(&play);
}

/* A reorganisation that brings the end of a task back, and one that does not. */
FX_TEST(offered_again_over_a_reorganisation)
{
    struct play play;

    open_restored(&play, 2);
    refund(&play);
    bury(DEPTH - 2);
    world_disconnect();
    world_run();
    bury(1);
    check_last(&play, 1, FX_JOB_TX_CONFIRMED, false);
    bury(1);
    check_last(&play, 2, FX_JOB_TX_PENDING, true);
    world_disconnect();
    world_run();
    bury(2);
    check_last(&play, 2, FX_JOB_TX_CONFIRMED, true);
    play_close(&play);
}
