/* Which blobs are kept, for how long, and in which order they make room. */
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/jobs/play.h"

#define DAY 86400

static bool is_here(enum fx_blob_type type, const struct fx_hash *root,
                    const struct fx_hash *solver)
{
    struct fx_blob_key key = {.type = type, .root = *root};

    if (solver != NULL) {
        key.solver = *solver;
    }
    return fx_blobs_state(NULL, &key) != FX_BLOB_ABSENT;
}

static unsigned operands_here(const struct play *play)
{
    return is_here(FX_BLOB_OPERAND, &play->part.root_a, NULL) +
           is_here(FX_BLOB_OPERAND, &play->part.root_b, NULL);
}

static bool result_here(const struct play *play)
{
    return is_here(FX_BLOB_RESULT, &play->roots[0], &play->world->solver);
}

/* Neither pressure nor time takes anything. */
static void all_stay(const struct play *play, bool result)
{
    world_make_room(1, 1000 * DAY);
    world_sweep(1000 * DAY);
    FX_CHECK_INT(operands_here(play), 2);
    FX_CHECK_INT(result_here(play), result);
}

FX_TEST(an_unfinished_task_keeps_its_data)
{
    struct play play;

    play_open(&play, 128, 128, 256, 1);
    all_stay(&play, false);
    world_mine(600);
    all_stay(&play, false);
    play_solve(&play, 0, false, true);
    play_claim(&play, 0, FX_BURN_NONE, 0);
    all_stay(&play, true); /* the claim waits in the mempool */
    world_mine(600);
    play_check(&play, 0);
    all_stay(&play, true);
    world_mine(600);
    FX_CHECK_INT(play_task(&play, 0).status, FX_STATUS_SETTLED);
    for (unsigned i = 1; i < FX_COINBASE_MATURITY; i++) {
        world_mine(1);
    }
    all_stay(&play, true); /* it may yet be undone */
    world_mine(1);
    world_sweep(0);
    FX_CHECK_INT(operands_here(&play), 0);
    /* What was paid for stays, and goes to make room when it was not read for long. */
    world_sweep(1000 * DAY);
    world_make_room(1, 30 * DAY - 1);
    FX_CHECK(result_here(&play));
    world_make_room(1, 30 * DAY);
    FX_CHECK(!result_here(&play));
    play_close(&play);
}

FX_TEST(a_solver_keeps_its_claims_data)
{
    struct play play;

    play_open(&play, 128, 128, 256, 1);
    world_mine(600);
    play.world->no_client = true;
    play_solve(&play, 0, false, true);
    play_claim(&play, 0, FX_BURN_NONE, 0);
    all_stay(&play, true);
    world_mine(600);
    all_stay(&play, true);
    play_close(&play);
}

FX_TEST(data_of_strangers_makes_room)
{
    struct play play;

    play_open(&play, 128, 128, 256, 1);
    world_mine(600);
    play.world->no_client = play.world->no_solver = true;
    world_make_room(1, 599);
    FX_CHECK_INT(operands_here(&play), 2); /* in use */
    world_make_room(2 * WORLD_BLOB_BYTES + 1, 600);
    FX_CHECK_INT(operands_here(&play), 2); /* both would not do */
    world_make_room(1, 600);
    FX_CHECK_INT(operands_here(&play), 1);
    world_sweep(1000 * DAY);
    FX_CHECK_INT(operands_here(&play), 1); /* its task is open */
    world_make_room(1, 600);
    FX_CHECK_INT(operands_here(&play), 0);
    play_close(&play);
}

FX_TEST(what_no_task_names_waits_for_a_day)
{
    struct play play;

    play_open(&play, 128, 128, 256, 1);
    world_mine(600);
    play_solve(&play, 0, false, true);
    world_make_room(1, DAY - 1);
    world_sweep(DAY - 1);
    FX_CHECK(result_here(&play));
    world_sweep(DAY);
    FX_CHECK(!result_here(&play));
    /* An announcement that was evicted. */
    world_disconnect();
    world_evict();
    FX_CHECK_INT(operands_here(&play), 2);
    world_sweep(DAY);
    FX_CHECK_INT(operands_here(&play), 0);
    play_close(&play);
}

/* Every task that names them is over, but one more transaction is to be sent. */
FX_TEST(what_a_waiting_offer_will_name_stays)
{
    struct play play;
    struct fx_job_cancel done;
    struct fx_jobs_error error;
    size_t n;

    play_open(&play, 128, 128, 256, 1);
    world_mine(600);
    world_mine(DAY);
    world_mine(600);
    world_run();
    world_mine(1);
    FX_CHECK_INT(play_task(&play, 0).status, FX_STATUS_REFUNDED);
    play.world->poor = true;
    FX_CHECK(fx_jobs_reoffer(play.world->jobs, NULL, &play.id,
                             play.world->tip->header.time + 10 * DAY, &n, &error));
    for (unsigned i = 0; i < FX_COINBASE_MATURITY; i++) {
        world_mine(1);
    }
    world_sweep(1000 * DAY);
    world_make_room(1, 1000 * DAY);
    FX_CHECK_INT(operands_here(&play), 2);
    FX_CHECK(fx_jobs_cancel(play.world->jobs, NULL, &play.id, &done, &error));
    FX_CHECK_INT(done.n_dropped, 1);
    world_mine(1);
    world_sweep(0);
    FX_CHECK_INT(operands_here(&play), 0);
    play_close(&play);
}
