/* The book through a job's whole life: forth, back, forth again, and over restarts. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/jobs/play.h"
#include "src/sys/db.h"
#include "src/sys/file.h"

#define LEVELS 64

struct story {
    struct play play;
    uint32_t first; /* height of the first dump */
    char *dumps[LEVELS];
};

static void take_down(struct story *story)
{
    story->dumps[story->play.world->tip->height] = world_dump();
}

/* Mines a job of four tasks: two are settled, one by accept and listed as backing, one refunded,
 * and blocks are mined inside one. */
static void tell(struct story *story)
{
    struct play *play = &story->play;

    memset(story, 0, sizeof *story);
    play_open(play, 200, 200, 300, 1);
    FX_CHECK_INT(play->n, 4);
    story->first = play->world->tip->height;
    take_down(story);
    world_mine(600);
    take_down(story);
    world_mine_inside(&play->origins[0], NULL, 0);
    take_down(story);
    world_mine_inside(&play->origins[0], NULL, 0);
    take_down(story);
    play_solve(play, 0, false, true);
    play_solve(play, 1, false, true);
    play_claim(play, 0, FX_BURN_AMOUNT, 1234);
    play_claim(play, 1, FX_BURN_NONE, 0);
    world_mine(600);
    take_down(story);
    play_check(play, 0);
    play_check(play, 1);
    world_run();
    world_mine(600);
    take_down(story);
    world_mine_inside(&play->origins[2], &play->origins[0], 1);
    take_down(story);
    world_mine(2 * 86400);
    take_down(story);
    world_run();
    world_mine(600);
    take_down(story);
}

static void finish(struct story *story)
{
    for (size_t i = 0; i < LEVELS; i++) {
        free(story->dumps[i]);
    }
    play_close(&story->play);
}

static void check_here(const struct story *story)
{
    char *dump = world_dump();

    FX_CHECK_STR(dump, story->dumps[story->play.world->tip->height]);
    free(dump);
}

FX_TEST(whole_life)
{
    struct story story;
    struct fx_task_info info;

    tell(&story);
    info = play_task(&story.play, 0);
    FX_CHECK_INT(info.status, FX_STATUS_SETTLED);
    FX_CHECK_INT(info.end_action, FX_ACTION_ACCEPT);
    FX_CHECK_INT(info.burn, 1234);
    FX_CHECK_INT(info.n_blocks, 2);
    FX_CHECK(info.backed);
    info = play_task(&story.play, 1);
    FX_CHECK_INT(info.status, FX_STATUS_SETTLED);
    FX_CHECK(!info.backed);
    FX_CHECK(fx_hash_equal(&info.result, &story.play.roots[1]));
    FX_CHECK(fx_hash_equal(&info.solver, &story.play.world->solver));
    info = play_task(&story.play, 2);
    FX_CHECK_INT(info.status, FX_STATUS_REFUNDED);
    FX_CHECK_INT(info.end_action, FX_ACTION_REFUND);
    FX_CHECK_INT(info.n_blocks, 1);
    finish(&story);
}

FX_TEST(disconnect_and_again)
{
    struct story story;
    uint32_t top;

    tell(&story);
    top = story.play.world->tip->height;
    world_evict();
    for (uint32_t h = top; h > story.first + 1; h--) {
        world_disconnect();
        check_here(&story);
    }
    world_disconnect();
    {
        char *dump = world_dump();

        FX_CHECK_STR(dump, ""); /* the announcement is not in the mempool of this world */
        free(dump);
    }
    while (story.play.world->tip->height < top) {
        world_reconnect();
        check_here(&story);
    }
    finish(&story);
}

FX_TEST(restart_at_each_height)
{
    struct story story;
    uint32_t top;

    tell(&story);
    top = story.play.world->tip->height;
    world_evict();
    for (uint32_t h = top; h > story.first + 1; h--) {
        world_stop();
        world_start();
        check_here(&story);
        world_disconnect();
        check_here(&story);
    }
    while (story.play.world->tip->height < top) {
        world_stop();
        world_start();
        check_here(&story);
        world_reconnect();
        check_here(&story);
    }
    finish(&story);
}

/* The chain may have moved while the book slept: back, forth, and onto another branch. */
FX_TEST(chain_moved_meanwhile)
{
    struct story story;
    uint32_t top;

    tell(&story);
    top = story.play.world->tip->height;
    world_evict();
    for (uint32_t back = 1; back < top - story.first; back++) {
        world_stop();
        for (uint32_t i = 0; i < back; i++) {
            world_disconnect();
        }
        world_start();
        check_here(&story);
        world_stop();
        while (story.play.world->tip->height < top) {
            world_reconnect();
        }
        world_start();
        check_here(&story);
    }
    world_stop();
    world_disconnect();
    world_disconnect();
    world_mine(601);
    world_start();
    FX_CHECK_INT(play_task(&story.play, 2).status, FX_STATUS_OPEN);
    FX_CHECK_INT(play_task(&story.play, 0).backed, 1);
    finish(&story);
}

/* The module's database while it is stopped. */
static struct fx_db *open_db(const struct story *story)
{
    char *path = fx_path_join(story->play.world->dir, "jobs");
    struct fx_db *db = fx_db_open(path, 1 << 20, NULL);

    FX_CHECK(db != NULL);
    free(path);
    return db;
}

static void remove_all(struct fx_db *db, char kind)
{
    struct fx_db_iter *it = fx_db_iter_create(db, &kind, 1);
    const uint8_t *key, *value;
    size_t key_len, n, removed = 0;

    while (fx_db_iter_next(it, &key, &key_len, &value, &n)) {
        FX_CHECK(fx_db_delete(db, key, key_len, false));
        removed++;
    }
    fx_db_iter_destroy(it);
    FX_CHECK(removed > 0);
}

/* What does not parse is made again from the blocks; what is not the chain's stays. */
FX_TEST(damaged_book)
{
    static const char kinds[] = {'J', 'T', 'M'};
    struct story story;
    struct fx_job_info job;

    tell(&story);
    for (size_t i = 0; i < sizeof kinds; i++) {
        struct fx_db *db;
        uint8_t key[41] = {(uint8_t)kinds[i]};

        world_stop();
        db = open_db(&story);
        FX_CHECK(fx_db_write(db, key, sizeof key, "junk", 4, false));
        fx_db_close(db);
        world_start();
        check_here(&story);
        FX_CHECK(fx_jobs_get(story.play.world->jobs, &story.play.id, &job));
        FX_CHECK_INT(job.product.rows, 200);
    }
    finish(&story);
}

/* A reorganisation for which there is no undo. */
FX_TEST(undo_is_gone)
{
    struct story story;
    struct fx_db *db;

    tell(&story);
    world_stop();
    db = open_db(&story);
    remove_all(db, 'U');
    fx_db_close(db);
    world_start();
    check_here(&story);
    world_disconnect();
    world_disconnect();
    world_evict();
    world_run();
    world_evict();
    check_here(&story);
    finish(&story);
}

/* What is announced in the mempool only is shown, and not stored. */
FX_TEST(pending)
{
    struct play play;
    struct fx_job_info job;

    play_open(&play, 128, 128, 256, 0);
    FX_CHECK_INT(play_task(&play, 0).status, FX_STATUS_PENDING);
    FX_CHECK_INT(play_task(&play, 0).escrow, play.quote.escrow);
    FX_CHECK(fx_jobs_get(play.world->jobs, &play.id, &job));
    FX_CHECK_INT(job.status, FX_JOB_PENDING);
    FX_CHECK(job.own);
    world_stop();
    world_start();
    FX_CHECK_INT(play_task(&play, 0).status, FX_STATUS_PENDING);
    world_mine(600);
    FX_CHECK_INT(play_task(&play, 0).status, FX_STATUS_OPEN);
    FX_CHECK(fx_jobs_get(play.world->jobs, &play.id, &job));
    FX_CHECK_INT(job.status, FX_JOB_OPEN);
    play_close(&play);
}

FX_TEST(evicted_is_gone)
{
    struct play play;
    struct fx_task_info info;

    play_open(&play, 128, 128, 256, 0);
    world_evict();
    FX_CHECK(!fx_jobs_task(play.world->jobs, &play.origins[0], &info));
    play_close(&play);
}

FX_TEST(names_roots)
{
    struct play play;
    struct fx_blob_key key;
    struct fx_blob_shape shape;

    memset(&key, 0, sizeof key);
    play_open(&play, 130, 20, 256, 1);
    key.type = FX_BLOB_OPERAND;
    key.root = play.part.root_a;
    FX_CHECK(fx_jobs_names_root(play.world->jobs, &key, &shape, 1) == 0);
    world_mine(600);
    FX_CHECK(fx_jobs_names_root(play.world->jobs, &key, &shape, 1) > 0);
    FX_CHECK_INT(shape.rows, 256);
    FX_CHECK_INT(shape.cols, 256);
    play_solve(&play, 0, false, true);
    play_claim(&play, 0, FX_BURN_NONE, 0);
    key.type = FX_BLOB_RESULT;
    key.root = play.roots[0];
    FX_CHECK(fx_jobs_names_root(play.world->jobs, &key, &shape, 1) == 0);
    world_mine(600);
    FX_CHECK(fx_jobs_names_root(play.world->jobs, &key, &shape, 1) > 0);
    FX_CHECK_INT(shape.rows, 1);
    FX_CHECK(fx_hash_equal(&shape.solver, &play.world->solver));
    play_check(&play, 0);
    world_mine(600);
    FX_CHECK_INT(play_task(&play, 0).status, FX_STATUS_SETTLED);
    FX_CHECK(fx_jobs_names_root(play.world->jobs, &key, &shape, 1) == 0);
    key.type = FX_BLOB_OPERAND;
    key.root = play.part.root_b;
    FX_CHECK(fx_jobs_names_root(play.world->jobs, &key, NULL, 0) > 0);
    world_disconnect();
    world_disconnect();
    FX_CHECK(fx_jobs_names_root(play.world->jobs, &key, NULL, 0) > 0);
    world_disconnect();
    FX_CHECK(fx_jobs_names_root(play.world->jobs, &key, NULL, 0) == 0);
    play_close(&play);
}
