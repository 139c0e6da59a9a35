/* Accept, take and refund, by themselves and on request. Every transaction is judged by the rules
 * when it is submitted to the world. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/jobs/play.h"

static void open_claimed(struct play *play, bool wrong)
{
    play_open(play, 200, 128, 600, 2);
    play->world->muted = true; /* until a test lets it, the client does not certify */
    world_mine(100);
    play_solve(play, 0, wrong, true);
    play_claim(play, 0, FX_BURN_AMOUNT, 500);
    world_mine(100);
    play_check(play, 0);
}

/* The one transaction of the mempool, and its action. */
static const struct fx_tx *the_spend(enum fx_task_action action)
{
    const struct fx_tx *const *txs;

    FX_CHECK_INT(world_mempool(&txs), 1);
    FX_CHECK_INT(txs[0]->in[0].witness[0].data[0], action);
    return txs[0];
}

static size_t in_mempool(void)
{
    const struct fx_tx *const *txs;

    return world_mempool(&txs);
}

FX_TEST(accept_comes_by_itself)
{
    struct play play;
    struct fx_task_info info;
    const struct fx_tx *tx;
    struct fx_hash txid;
    int64_t paid, all;

    open_claimed(&play, false);
    play.world->muted = false;
    world_mine(100);
    world_run();
    tx = the_spend(FX_ACTION_ACCEPT);
    txid = tx->txid;
    paid = tx->out[0].value;
    all = play.quote.escrow + FX_DEPOSIT - 500;
    FX_CHECK_INT(tx->n_in, 1);
    FX_CHECK_INT(tx->n_out, 1);
    FX_CHECK_INT(paid, all - (int64_t)fx_tx_vsize(tx));
    world_mine(100);
    info = play_task(&play, 0);
    FX_CHECK_INT(info.status, FX_STATUS_SETTLED);
    FX_CHECK_INT(info.end_action, FX_ACTION_ACCEPT);
    FX_CHECK(fx_hash_equal(&info.end_txid, &txid));
    /* Lost in a reorganisation: made again. */
    world_disconnect();
    world_run();
    FX_CHECK_INT(the_spend(FX_ACTION_ACCEPT)->out[0].value, paid);
    world_mine(100);
    FX_CHECK_INT(play_task(&play, 0).status, FX_STATUS_SETTLED);
    play_close(&play);
}

FX_TEST(take_after_the_window)
{
    struct play play;
    struct fx_jobs_error error;
    struct fx_hash txid;
    struct fx_task_info info;

    open_claimed(&play, false);
    world_run();
    FX_CHECK_INT(in_mempool(), 0);
    FX_CHECK(!fx_jobs_settle(play.world->jobs, NULL, &play.origins[0], &txid, &error));
    FX_CHECK_INT(error.code, -4);
    FX_CHECK(strstr(error.text, "window is open") != NULL);
    /* The window of 512 s counts from the block before the claim's. */
    world_mine(411);
    world_run();
    FX_CHECK_INT(in_mempool(), 0);
    world_mine(1);
    world_run();
    FX_CHECK_INT(the_spend(FX_ACTION_TAKE)->in[0].sequence, (1u << 22) | 1);
    FX_CHECK(!fx_jobs_settle(play.world->jobs, NULL, &play.origins[0], &txid, &error));
    world_mine(100);
    info = play_task(&play, 0);
    FX_CHECK_INT(info.status, FX_STATUS_SETTLED);
    FX_CHECK_INT(info.end_action, FX_ACTION_TAKE);
    /* Its result was checked here nevertheless. */
    FX_CHECK_INT(info.check, FX_CHECK_RIGHT);
    play_close(&play);
}

/* The samples of take are chosen by a block of the hash lane after the claim. */
FX_TEST(take_waits_for_its_beacon)
{
    struct play play;

    play_open(&play, 256, 128, 256, 1);
    play.world->muted = true;
    world_mine(100);
    play_solve(&play, 0, false, true);
    play_claim(&play, 0, FX_BURN_NONE, 0);
    world_mine(100);
    world_mine_inside(&play.origins[1], NULL, 0);
    play_check(&play, 0);
    FX_CHECK_INT(in_mempool(), 0);
    world_mine(100);
    world_run();
    the_spend(FX_ACTION_TAKE);
    play_close(&play);
}

FX_TEST(take_needs_the_operands)
{
    struct play play;
    struct fx_jobs_error error;
    struct fx_hash txid;

    open_claimed(&play, false);
    world_drop_operands();
    world_mine(600);
    world_run();
    FX_CHECK_INT(in_mempool(), 0);
    FX_CHECK_INT(play.world->fetched, 2); /* it looks for them */
    FX_CHECK(!fx_jobs_settle(play.world->jobs, NULL, &play.origins[0], &txid, &error));
    FX_CHECK(strstr(error.text, "cannot be proven") != NULL);
    play_close(&play);
}

FX_TEST(refund_after_the_deadline)
{
    struct play play;
    struct fx_jobs_error error;
    struct fx_hash txid;
    const struct fx_tx *tx;

    play_open(&play, 128, 128, 256, 0);
    world_mine(100);
    FX_CHECK(!fx_jobs_refund(play.world->jobs, NULL, &play.origins[0], &txid, &error));
    FX_CHECK(strstr(error.text, "The deadline is not past") != NULL);
    world_mine(86400 - 100);
    world_run();
    FX_CHECK_INT(in_mempool(), 0);
    world_mine(1);
    world_run();
    tx = the_spend(FX_ACTION_REFUND);
    FX_CHECK_INT(tx->out[0].value, play.quote.escrow - (int64_t)fx_tx_vsize(tx));
    world_evict();
    FX_CHECK(fx_jobs_refund(play.world->jobs, NULL, &play.origins[0], &txid, &error));
    FX_CHECK(!fx_jobs_refund(play.world->jobs, NULL, &play.origins[0], &txid, &error));
    world_mine(100);
    FX_CHECK_INT(play_task(&play, 0).status, FX_STATUS_REFUNDED);
    FX_CHECK(!fx_jobs_refund(play.world->jobs, NULL, &play.origins[0], &txid, &error));
    FX_CHECK_STR(error.text, "The task is not open");
    play_close(&play);
}

/* Some tasks of the job ended without a result. */
FX_TEST(job_ends)
{
    struct play play;
    struct fx_job_info info;

    play_open(&play, 256, 128, 256, 1);
    world_mine(100);
    play_solve(&play, 0, false, true);
    play_claim(&play, 0, FX_BURN_NONE, 0);
    world_mine(100);
    play_check(&play, 0);
    world_mine(2 * 86400);
    world_run();
    world_mine(100);
    FX_CHECK(fx_jobs_get(play.world->jobs, &play.id, &info));
    FX_CHECK_INT(info.n_settled, 1);
    FX_CHECK_INT(info.n_refunded, 1);
    FX_CHECK_INT(info.status, FX_JOB_ENDED);
    play_close(&play);
}
