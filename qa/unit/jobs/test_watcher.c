/* Checking claims, certificates, the result. */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/jobs/play.h"
#include "src/util/mem.h"

FX_TEST(fetch_check_certify)
{
    struct play play;
    struct fx_task_info info;

    play_open(&play, 128, 128, 256, 0);
    world_mine(100);
    play_solve(&play, 0, false, true);
    play_claim(&play, 0, FX_BURN_NONE, 0);
    play_solve(&play, 0, false, false); /* gone from here: the claim is another node's */
    world_mine(100);
    world_run();
    FX_CHECK_INT(play.world->fetched, 1);
    FX_CHECK(fx_hash_equal(&play.world->fetched_key.root, &play.roots[0]));
    info = play_task(&play, 0);
    FX_CHECK_INT(info.check, FX_CHECK_FETCHING);
    /* A restart asks again. */
    world_stop();
    world_start();
    world_run();
    FX_CHECK(play.world->fetched >= 2);
    world_complete_result(&play.roots[0]);
    play_check(&play, 0);
    info = play_task(&play, 0);
    FX_CHECK_INT(info.check, FX_CHECK_RIGHT);
    FX_CHECK_INT(info.rounds, 2);
    FX_CHECK(info.certified);
    FX_CHECK_INT(play.world->certs, 1);
    FX_CHECK(fx_outpoint_equal(&play.world->cert_origin, &play.origins[0]));
    /* It is known from now on, a restart included. */
    FX_CHECK_INT(fx_jobs_cert(play.world->jobs, &play.origins[0], &play.world->cert_program,
                              play.world->cert),
                 FX_CERT_KNOWN);
    world_stop();
    world_start();
    FX_CHECK_INT(fx_jobs_cert(play.world->jobs, &play.origins[0], &play.world->cert_program,
                              play.world->cert),
                 FX_CERT_KNOWN);
    FX_CHECK_INT(play_task(&play, 0).check, FX_CHECK_RIGHT);
    FX_CHECK_INT(play_task(&play, 0).rounds, 2);
    play_close(&play);
}

/* A check that waits for its next chunk does not hold up the end. */
FX_TEST(end_during_a_check)
{
    struct play play;

    play_open(&play, 128, 128, 256, 0);
    world_mine(100);
    play_solve(&play, 0, false, true);
    play_claim(&play, 0, FX_BURN_NONE, 0);
    world_mine(100);
    event_base_loop(play.world->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    FX_CHECK_INT(play_task(&play, 0).check, FX_CHECK_CHECKING);
    world_stop();
    world_start();
    FX_CHECK_INT(play_task(&play, 0).check, FX_CHECK_NONE);
    play_check(&play, 0);
    FX_CHECK_INT(play_task(&play, 0).check, FX_CHECK_RIGHT);
    play_close(&play);
}

FX_TEST(wrong_is_found)
{
    struct play play;
    struct fx_task_info info;
    char want[160];
    size_t at = 3 * 128 + 5;

    play_open(&play, 128, 128, 256, 0);
    world_mine(100);
    play_solve(&play, 0, true, true);
    play_claim(&play, 0, FX_BURN_NONE, 0);
    world_mine(100);
    play_check(&play, 0);
    info = play_task(&play, 0);
    FX_CHECK_INT(info.check, FX_CHECK_WRONG);
    FX_CHECK(!info.certified);
    FX_CHECK_INT(play.world->certs, 0);
    snprintf(want, sizeof want, "wrong result: entry (3, 5) is %d, not %d",
             (int)play.results[0][at], (int)play.results[0][at] - 7);
    FX_CHECK_STR(info.note, want);
    FX_CHECK_INT(info.reason, FX_REASON_WRONG);
    world_stop();
    world_start();
    world_run();
    info = play_task(&play, 0);
    FX_CHECK_INT(info.check, FX_CHECK_WRONG);
    FX_CHECK_STR(info.note, want);
    play_close(&play);
}

FX_TEST(locked_wallet_waits)
{
    struct play play;
    const struct fx_tx *const *txs;

    play_open(&play, 128, 128, 256, 0);
    world_mine(100);
    play_solve(&play, 0, false, true);
    play_claim(&play, 0, FX_BURN_NONE, 0);
    world_mine(100);
    play.world->locked = true;
    play_check(&play, 0);
    FX_CHECK(!play_task(&play, 0).certified);
    FX_CHECK_STR(play_task(&play, 0).note, "right, but not certified: locked");
    play.world->locked = false;
    world_mine(100);
    world_run();
    FX_CHECK(play_task(&play, 0).certified);
    FX_CHECK_INT(world_mempool(&txs), 1);
    play_close(&play);
}

static unsigned seen;

static void count(void *ctx, const struct fx_outpoint *origin, const struct fx_hash *program,
                  const uint8_t signature[64])
{
    (void)ctx;
    (void)origin;
    (void)program;
    (void)signature;
    seen++;
}

static enum fx_cert hear(const struct play *play, const struct fx_hash *program,
                         const uint8_t signature[64])
{
    return fx_jobs_cert(play->world->jobs, &play->origins[0], program, signature);
}

static unsigned held(const struct play *play)
{
    seen = 0;
    fx_jobs_each_cert(play->world->jobs, count, NULL);
    return seen;
}

/* The program of the task's claimed output, from the chain alone. */
static struct fx_hash claimed_program(const struct play *play)
{
    struct fx_task_info info = play_task(play, 0);
    struct fx_task task;
    struct fx_buf preimage = FX_BUF_INIT;
    struct fx_hash program;

    FX_CHECK(fx_task_read(play->world->params, info.preimage, &task));
    task.state = FX_TASK_CLAIMED;
    task.origin = info.origin;
    task.escrow = (uint64_t)info.escrow;
    task.bond = (uint64_t)info.bond;
    task.burn = (uint64_t)info.burn;
    task.solver = info.solver;
    task.result = info.result;
    fx_task_write(&task, &preimage);
    fx_task_program((struct fx_span){preimage.data, preimage.len}, &program);
    fx_buf_clear(&preimage);
    return program;
}

FX_TEST(certificates_of_peers)
{
    struct play play;
    struct fx_hash program, other, hash;
    uint8_t signature[64], bad[64];
    const struct fx_tx *const *txs;

    play_open(&play, 128, 128, 256, 0);
    play.world->muted = true;
    world_mine(100);
    play_solve(&play, 0, false, true);
    play_claim(&play, 0, FX_BURN_NONE, 0);
    world_mine(100);
    program = claimed_program(&play);
    fx_task_accept_hash(&program, &hash);
    fx_test_sign(&play.world->keys[2], &hash, signature);
    fx_test_sign(&play.world->keys[1], &hash, bad);
    other = program;
    other.b[0] ^= 1;
    FX_CHECK_INT(hear(&play, &other, signature), FX_CERT_IGNORED);
    FX_CHECK_INT(hear(&play, &program, bad), FX_CERT_BAD);
    FX_CHECK_INT(held(&play), 0);
    FX_CHECK_INT(hear(&play, &program, signature), FX_CERT_NEW);
    FX_CHECK_INT(hear(&play, &program, signature), FX_CERT_KNOWN);
    FX_CHECK_INT(held(&play), 1);
    world_stop();
    world_start();
    FX_CHECK_INT(hear(&play, &program, bad), FX_CERT_KNOWN);
    FX_CHECK_INT(held(&play), 1);
    /* It pays the solver; once the output is spent nothing is kept. */
    world_run();
    FX_CHECK_INT(world_mempool(&txs), 1);
    world_mine(100);
    FX_CHECK_INT(play_task(&play, 0).end_action, FX_ACTION_ACCEPT);
    FX_CHECK_INT(hear(&play, &program, signature), FX_CERT_IGNORED);
    FX_CHECK_INT(held(&play), 0);
    /* Nor is a claim that is not on the chain any more certified. */
    world_disconnect();
    FX_CHECK_INT(held(&play), 1);
    world_disconnect();
    FX_CHECK_INT(held(&play), 0);
    FX_CHECK_INT(hear(&play, &program, signature), FX_CERT_IGNORED);
    play_close(&play);
}

FX_TEST(result_rows)
{
    struct play play;
    struct fx_jobs_error error;
    struct fx_job_info info;
    int64_t *out = fx_xcalloc(300 * 77, sizeof *out);

    play_open(&play, 300, 77, 1000, 1);
    world_mine(100);
    FX_CHECK(!fx_jobs_result_rows(play.world->jobs, &play.id, 0, 0, 300, false, out, &error));
    for (size_t i = 0; i < play.n; i++) {
        play_solve(&play, i, false, true);
        play_claim(&play, i, FX_BURN_NONE, 0);
    }
    world_mine(100);
    for (size_t i = 0; i < play.n; i++) {
        play_check(&play, i);
    }
    FX_CHECK(fx_jobs_get(play.world->jobs, &play.id, &info));
    FX_CHECK(info.result_here);
    FX_CHECK_INT(info.n_certified, 3);
    FX_CHECK(!fx_jobs_result_rows(play.world->jobs, &play.id, 0, 0, 301, false, out, &error));
    FX_CHECK(!fx_jobs_result_rows(play.world->jobs, &play.id, 0, 300, 1, false, out, &error));
    FX_CHECK(fx_jobs_result_rows(play.world->jobs, &play.id, 0, 0, 10, false, out, &error));
    FX_CHECK(
        fx_jobs_result_rows(play.world->jobs, &play.id, 0, 10, 200, false, out + 10 * 77, &error));
    FX_CHECK(
        fx_jobs_result_rows(play.world->jobs, &play.id, 0, 210, 90, false, out + 210 * 77, &error));
    for (size_t r = 0; r < 300; r++) {
        for (size_t c = 0; c < 77; c++) {
            int32_t sum = 0;

            for (size_t l = 0; l < 1000; l++) {
                sum += play.job.a[r * 1024 + l] * play.job.b[c * 1024 + l];
            }
            FX_CHECK_INT(out[r * 77 + c], sum);
        }
    }
    free(out);
    play_close(&play);
}
