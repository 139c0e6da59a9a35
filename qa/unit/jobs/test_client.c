/* Quotes and submissions. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/jobs/play.h"

static void base_request(struct fx_job_request *request)
{
    memset(request, 0, sizeof *request);
    request->rows = 300;
    request->columns = 77;
    request->depth = 1000;
}

FX_TEST(quote_pads)
{
    struct world *world = world_open(1);
    struct fx_job_request request;
    struct fx_job_quote quote;

    base_request(&request);
    FX_CHECK(fx_jobs_quote(world->jobs, &request, &quote, NULL));
    FX_CHECK_INT(quote.m, 384);
    FX_CHECK_INT(quote.n, 128);
    FX_CHECK_INT(quote.k, 1024);
    FX_CHECK_INT(quote.tasks, 3);
    FX_CHECK_INT(quote.bricks, 12);
    FX_CHECK_INT(quote.escrow, 1000000);
    FX_CHECK_INT(quote.window, 1);
    FX_CHECK_INT(quote.deadline, world->tip->header.time + 86400);
    FX_CHECK_INT(quote.total, 3 * quote.escrow + quote.fee);
    FX_CHECK(quote.fee > 0 && quote.fee_per_task >= quote.fee / 3);
    world_close();
}

static void refused(struct world *world, const struct fx_job_request *request, const char *text)
{
    struct fx_job_quote quote;
    struct fx_jobs_error error = {0, ""};

    FX_CHECK(!fx_jobs_quote(world->jobs, request, &quote, &error));
    FX_CHECK_INT(error.code, -8);
    FX_CHECK_STR(error.text, text);
}

FX_TEST(quote_refuses)
{
    struct world *world = world_open(1);
    struct fx_job_request request;

    base_request(&request);
    request.rows = 0;
    refused(world, &request, "A dimension is zero");
    base_request(&request);
    request.rows = (1 << 24) + 1;
    refused(world, &request, "A result has at most 16777216 rows and columns");
    base_request(&request);
    request.rows = UINT32_MAX;
    refused(world, &request, "A result has at most 16777216 rows and columns");
    base_request(&request);
    request.depth = 65537;
    refused(world, &request, "The inner dimension is at most 65536");
    base_request(&request);
    request.rows = 128 * 3000;
    request.task_rows = 1;
    refused(world, &request,
            "3000 tasks are more than the 2048 of one job: larger tasks are needed");
    base_request(&request);
    request.reward = 999;
    refused(world, &request, "The reward of a task is at least 1000 embers");
    request.reward = -1;
    refused(world, &request, "The reward of a task is at least 1000 embers");
    request.reward = INT64_MAX;
    refused(world, &request, "The reward is more than there can be");
    base_request(&request);
    request.deadline = world->tip->header.time;
    refused(world, &request, "The deadline has passed already");
    base_request(&request);
    request.window = 32768;
    refused(world, &request, "The window is at least 1 and below 32768 units of 512 s");
    base_request(&request);
    request.exclusive = 145;
    refused(world, &request, "A task is exclusive for at most 144 blocks");
    world_close();
}

FX_TEST(submit_announces)
{
    struct play play;
    const struct fx_tx *const *txs;
    struct fx_job_info info, *infos;

    play_open(&play, 200, 200, 300, 1);
    FX_CHECK_INT(world_mempool(&txs), 1);
    FX_CHECK_INT(txs[0]->n_out, 1 + 4 + 1);
    FX_CHECK_INT(txs[0]->out[0].script.len, 137);
    FX_CHECK_INT(txs[0]->out[4].value, play.quote.escrow);
    FX_CHECK_INT(play.quote.total, 4 * play.quote.escrow + play.quote.fee);
    world_run();
    FX_CHECK_INT(play.world->announced, 2);
    world_mine(600);
    world_run();
    FX_CHECK_INT(play.world->announced, 4);
    FX_CHECK(fx_jobs_get(play.world->jobs, &play.id, &info));
    FX_CHECK_INT(info.rows, 200);
    FX_CHECK_INT(info.columns, 200);
    FX_CHECK_INT(info.depth, 300);
    FX_CHECK_INT(info.gemm.k, 512);
    FX_CHECK_INT(info.n_tasks, 4);
    FX_CHECK_INT(info.n_open, 4);
    FX_CHECK_INT(info.reward, 4 * play.quote.escrow);
    FX_CHECK_INT(info.fee, play.quote.fee);
    FX_CHECK_INT(info.submitted, WORLD_START + 3 * 600);
    FX_CHECK(!info.result_here);
    /* Its shape and its announcements survive a restart. */
    world_stop();
    world_start();
    world_run();
    FX_CHECK_INT(play.world->announced, 6);
    FX_CHECK_INT(fx_jobs_list(play.world->jobs, true, &infos), 1);
    FX_CHECK_INT(infos[0].rows, 200);
    free(infos);
    play_close(&play);
}

FX_TEST(submit_refuses)
{
    struct play play;
    struct fx_job_request request;
    struct fx_jobs_error error;
    struct fx_job_quote quote;
    struct fx_hash id;

    play_open(&play, 200, 130, 300, 1);
    request = play.request;
    request.root_a.b[3] ^= 1;
    FX_CHECK(!fx_jobs_submit(play.world->jobs, NULL, &request, &id, &quote, &error));
    FX_CHECK_STR(error.text, "Operand A was not uploaded");
    request = play.request;
    request.columns = 400;
    FX_CHECK(!fx_jobs_submit(play.world->jobs, NULL, &request, &id, &quote, &error));
    FX_CHECK_STR(error.text, "Operand B is a panel matrix of 256 x 512, not of 512 x 512");
    play.world->poor = true;
    FX_CHECK(!fx_jobs_submit(play.world->jobs, NULL, &play.request, &id, &quote, &error));
    FX_CHECK_INT(error.code, -6);
    play_close(&play);
}
