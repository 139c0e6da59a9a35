/* Quotes and submissions. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/jobs/play.h"
#include "src/util/mem.h"

static struct fx_job_part base_part;
static struct fx_job_product base_product;

static void base_request(struct fx_job_request *request)
{
    memset(request, 0, sizeof *request);
    memset(&base_product, 0, sizeof base_product);
    base_product.rows = 300;
    base_product.columns = 77;
    base_product.depth = 1000;
    base_product.limbs_a = base_product.limbs_b = 1;
    base_product.scale_a = base_product.scale_b = 1;
    base_product.parts = &base_part;
    base_product.n_parts = 1;
    request->products = &base_product;
    request->n_products = 1;
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
    base_product.rows = 0;
    refused(world, &request, "A dimension is zero");
    base_request(&request);
    base_product.rows = (1 << 24) + 1;
    refused(world, &request,
            "A result has at most 16777216 rows and columns, times the limbs of an entry");
    base_request(&request);
    base_product.columns = (1 << 23) + 1;
    base_product.limbs_b = 2;
    refused(world, &request,
            "A result has at most 16777216 rows and columns, times the limbs of an entry");
    base_product.rows = UINT32_MAX;
    refused(world, &request,
            "A result has at most 16777216 rows and columns, times the limbs of an entry");
    base_request(&request);
    base_product.limbs_a = 4;
    refused(world, &request, "Numbers have 1 to 3 limbs");
    base_request(&request);
    base_product.depth = 65537;
    refused(world, &request, "A depth of 65537 makes 2 parts of up to 65536, not 1");
    base_request(&request);
    base_product.scale_b = 0;
    refused(world, &request, "A scale is positive, and an error is not negative");
    base_request(&request);
    request.n_products = 0;
    refused(world, &request, "A job has 1 to 256 products");
    base_request(&request);
    base_product.rows = 128 * 70000;
    request.task_rows = 1;
    refused(world, &request,
            "70000 tasks are more than the 65536 of one job: larger tasks are needed");
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
    FX_CHECK_INT(info.product.rows, 200);
    FX_CHECK_INT(info.product.columns, 200);
    FX_CHECK_INT(info.product.depth, 300);
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
    FX_CHECK_INT(fx_jobs_list(play.world->jobs, true, 10, 0, &infos), 1);
    FX_CHECK_INT(infos[0].product.rows, 200);
    free(infos);
    play_close(&play);
}

/* Confirmed ones by height, then what waits in the mempool. */
FX_TEST(jobs_are_listed_by_page)
{
    struct play play;
    struct fx_job_info *infos;
    struct fx_jobs_error error;
    struct fx_hash ids[3];

    play_open(&play, 128, 128, 256, 0);
    ids[0] = play.id;
    for (size_t i = 1; i < 3; i++) {
        world_mine(100);
        FX_CHECK(
            fx_jobs_submit(play.world->jobs, NULL, &play.request, &ids[i], &play.quote, &error));
    }
    for (size_t skip = 0; skip < 4; skip++) {
        for (size_t count = 0; count < 4; count++) {
            size_t left = 3 - (skip < 3 ? skip : 3), want = count < left ? count : left;

            FX_CHECK_INT(fx_jobs_list(play.world->jobs, true, count, skip, &infos), want);
            for (size_t i = 0; i < want; i++) {
                FX_CHECK(fx_hash_equal(&infos[i].id, &ids[left - want + i]));
                FX_CHECK_INT(infos[i].n_tasks, 1);
            }
            free(infos);
        }
    }
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
    play.part.root_a.b[3] ^= 1;
    FX_CHECK(!fx_jobs_submit(play.world->jobs, NULL, &request, &id, &quote, &error));
    FX_CHECK_STR(error.text, "Operand A was not uploaded");
    play.part.root_a.b[3] ^= 1;
    play.product.columns = 400;
    FX_CHECK(!fx_jobs_submit(play.world->jobs, NULL, &request, &id, &quote, &error));
    FX_CHECK_STR(error.text, "Operand B is a panel matrix of 256 x 512, not of 512 x 512");
    play.product.columns = 130;
    play.world->poor = true;
    FX_CHECK(!fx_jobs_submit(play.world->jobs, NULL, &play.request, &id, &quote, &error));
    FX_CHECK_INT(error.code, -6);
    play_close(&play);
}

/* ---- several products and transactions --------------------------------------------------- */

/* Counts of a job's transactions by status. */
static void check_offers(const struct play *play, const struct fx_hash *id, size_t waiting,
                         size_t pending, size_t confirmed, size_t dropped)
{
    struct fx_job_tx *offers;
    size_t n = fx_jobs_txs(play->world->jobs, id, &offers);
    size_t counts[4] = {0, 0, 0, 0};

    for (size_t i = 0; i < n; i++) {
        counts[offers[i].status]++;
        FX_CHECK(offers[i].status != FX_JOB_TX_WAITING || fx_hash_is_zero(&offers[i].txid));
        FX_CHECK(offers[i].status == FX_JOB_TX_WAITING || offers[i].status == FX_JOB_TX_DROPPED ||
                 !fx_hash_is_zero(&offers[i].txid));
    }
    free(offers);
    FX_CHECK_INT(counts[FX_JOB_TX_WAITING], waiting);
    FX_CHECK_INT(counts[FX_JOB_TX_PENDING], pending);
    FX_CHECK_INT(counts[FX_JOB_TX_CONFIRMED], confirmed);
    FX_CHECK_INT(counts[FX_JOB_TX_DROPPED], dropped);
}

/* Three products of the same operands, for a wallet that pays for two of them at first. */
static struct fx_hash submit_three(struct play *play, struct fx_job_product products[3])
{
    struct fx_job_request request;
    struct fx_jobs_error error;
    struct fx_hash id;

    play_open(play, 100, 100, 256, 0);
    world_mine(100);
    for (size_t i = 0; i < 3; i++) {
        products[i] = play->product;
    }
    request = play->request;
    request.products = products;
    request.n_products = 3;
    play->world->pays_for = 2;
    if (!fx_jobs_submit(play->world->jobs, NULL, &request, &id, &play->quote, &error)) {
        FX_FAIL("%s", error.text);
    }
    return id;
}

FX_TEST(what_cannot_be_paid_for_waits)
{
    struct play play;
    struct fx_job_product products[3];
    struct fx_job_info info;
    struct fx_task_info *tasks;
    struct fx_hash id = submit_three(&play, products);

    FX_CHECK_INT(play.quote.transactions, 3);
    FX_CHECK_INT(play.quote.products, 3);
    check_offers(&play, &id, 1, 2, 0, 0);
    FX_CHECK(fx_jobs_get(play.world->jobs, &id, &info));
    FX_CHECK_INT(info.n_products, 3);
    FX_CHECK_INT(info.n_tasks, 3);
    FX_CHECK_INT(info.n_waiting, 1);
    FX_CHECK_STR(info.note, "Insufficient funds");
    world_mine(100);
    check_offers(&play, &id, 1, 0, 2, 0);
    /* A restart forgets nothing, and sends the rest once there are coins. */
    world_stop();
    world_start();
    world_run();
    check_offers(&play, &id, 1, 0, 2, 0);
    world_stop();
    play.world->poor = false;
    world_start();
    world_run();
    check_offers(&play, &id, 0, 1, 2, 0);
    world_mine(100);
    FX_CHECK_INT(fx_jobs_tasks(play.world->jobs, &(struct fx_task_filter){.job = &id}, &tasks), 3);
    for (uint32_t i = 0; i < 3; i++) {
        FX_CHECK_INT(tasks[i].product, i);
        FX_CHECK_INT(tasks[i].part, 0);
        FX_CHECK(fx_hash_equal(&tasks[i].job, &id));
    }
    free(tasks);
    FX_CHECK(fx_jobs_get(play.world->jobs, &id, &info));
    FX_CHECK_INT(info.n_open, 3);
    FX_CHECK_STR(info.note, "");
    play_close(&play);
}

FX_TEST(what_waits_can_be_dropped)
{
    struct play play;
    struct fx_job_product products[3];
    struct fx_job_cancel done;
    struct fx_jobs_error error;
    struct fx_hash id = submit_three(&play, products);
    size_t n;

    world_mine(100);
    FX_CHECK(fx_jobs_cancel(play.world->jobs, NULL, &id, &done, &error));
    FX_CHECK_INT(done.n_dropped, 1);
    FX_CHECK_INT(done.n_replaced, 0);
    FX_CHECK(fx_hash_is_zero(&done.replacement));
    check_offers(&play, &id, 0, 0, 2, 1);
    play.world->poor = false;
    world_run();
    check_offers(&play, &id, 0, 0, 2, 1);
    /* And offered again, in one more transaction. */
    FX_CHECK(fx_jobs_reoffer(play.world->jobs, NULL, &id, 0, &n, &error));
    FX_CHECK_INT(n, 1);
    check_offers(&play, &id, 0, 1, 2, 1);
    FX_CHECK(!fx_jobs_reoffer(play.world->jobs, NULL, &id, 0, &n, &error));
    FX_CHECK_STR(error.text, "No task of the job was refunded, rejected or taken back");
    play_close(&play);
}

FX_TEST(what_is_in_no_mempool_is_given_up)
{
    struct play play;
    struct fx_job_cancel done;
    struct fx_jobs_error error;
    const struct fx_tx *const *txs;

    play_open(&play, 100, 100, 256, 0);
    world_evict();
    FX_CHECK(fx_jobs_cancel(play.world->jobs, NULL, &play.id, &done, &error));
    FX_CHECK_INT(done.n_abandoned, 1);
    FX_CHECK_INT(done.n_replaced, 0);
    FX_CHECK(fx_hash_is_zero(&done.replacement));
    FX_CHECK_INT(play.world->abandoned, 1);
    FX_CHECK_INT(world_mempool(&txs), 0);
    check_offers(&play, &play.id, 0, 0, 0, 1);
    FX_CHECK(!fx_jobs_cancel(play.world->jobs, NULL, &play.id, &done, &error));
    FX_CHECK_INT(error.code, -4);
    FX_CHECK_STR(error.text, "The job was cancelled already");
    play_close(&play);
}

FX_TEST(several_transactions_are_paid_for_or_none)
{
    struct play play;
    struct fx_job_product products[3];
    struct fx_job_request request;
    struct fx_jobs_error error;
    struct fx_hash id;
    const struct fx_tx *const *txs;

    play_open(&play, 100, 100, 256, 0);
    world_mine(100);
    for (size_t i = 0; i < 3; i++) {
        products[i] = play.product;
    }
    request = play.request;
    request.products = products;
    request.n_products = 3;
    play.world->trusted = 1000;
    FX_CHECK(!fx_jobs_submit(play.world->jobs, NULL, &request, &id, &play.quote, &error));
    FX_CHECK_INT(error.code, -6);
    FX_CHECK(strstr(error.text, "the job's 3 transactions take") != NULL);
    FX_CHECK_INT(world_mempool(&txs), 0);
    play_close(&play);
}

/* 46 x 46 tasks of one tile. */
FX_TEST(many_tasks_take_several_transactions)
{
    struct play play;
    struct fx_job_request request;
    struct fx_job_quote quote;

    play_open(&play, 100, 100, 256, 0);
    request = play.request;
    play.product.rows = play.product.columns = 46 * 128;
    request.task_rows = request.task_cols = 1;
    FX_CHECK(fx_jobs_quote(play.world->jobs, &request, &quote, NULL));
    FX_CHECK_INT(quote.tasks, 2116);
    FX_CHECK_INT(quote.transactions, 2);
    FX_CHECK_INT(quote.total, quote.reward + quote.fee);
    play_close(&play);
}

/* Entries of two limbs times entries of three: rows 100 and columns 50 of them. */
FX_TEST(limbs_are_put_together)
{
    struct play play;
    struct fx_jobs_error error;
    struct fx_job_rect *missing;
    int64_t *out = fx_xcalloc(100 * 50, sizeof *out);

    play_open_limbs(&play, 100, 50, 200, 1, 2, 3);
    world_mine(100);
    for (size_t i = 0; i + 1 < play.n; i++) {
        play_solve(&play, i, false, true);
        play_claim(&play, i, FX_BURN_NONE, 0);
    }
    world_mine(100);
    for (size_t i = 0; i + 1 < play.n; i++) {
        play_check(&play, i);
    }
    /* The last of four tasks has rows 28.. of the high limb, columns 28.. of limbs 2 and 3. */
    FX_CHECK_INT(play.n, 4);
    FX_CHECK_INT(fx_jobs_missing(play.world->jobs, &play.id, 0, &missing), 1);
    FX_CHECK_INT(missing[0].row, 28);
    FX_CHECK_INT(missing[0].rows, 72);
    FX_CHECK_INT(missing[0].column, 28);
    FX_CHECK_INT(missing[0].columns, 22);
    free(missing);
    FX_CHECK(!fx_jobs_result_rows(play.world->jobs, &play.id, 0, 28, 1, false, out, &error));
    FX_CHECK(fx_jobs_result_rows(play.world->jobs, &play.id, 0, 0, 100, true, out, &error));
    for (size_t r = 0; r < 100; r++) {
        for (size_t c = 0; c < 50; c++) {
            int64_t sum = 0;

            for (size_t l = 0; l < 200; l++) {
                int64_t a = play.job.a[r * 256 + l] + 128 * play.job.a[(100 + r) * 256 + l];
                int64_t b = play.job.b[c * 256 + l] + 128 * play.job.b[(50 + c) * 256 + l] +
                            128 * 128 * play.job.b[(100 + c) * 256 + l];

                sum += a * b;
            }
            FX_CHECK_INT(out[r * 50 + c], r >= 28 && c >= 28 ? 0 : sum);
        }
    }
    free(out);
    play_close(&play);
}
