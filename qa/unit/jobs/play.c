/* A job on its way through the world. */
#include "qa/unit/jobs/play.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/util/mem.h"

static uint32_t pad(uint32_t v, uint32_t unit)
{
    return (v + unit - 1) / unit * unit;
}

static void trim(int8_t *matrix, uint32_t rows, uint32_t columns, uint32_t to_rows,
                 uint32_t to_columns)
{
    for (uint32_t r = 0; r < rows; r++) {
        for (uint32_t c = 0; c < columns; c++) {
            if (r >= to_rows || c >= to_columns) {
                matrix[(size_t)r * columns + c] = 0;
            }
        }
    }
}

static void set_request(struct play *play, uint32_t rows, uint32_t columns, uint32_t depth)
{
    play->part.root_a = play->job.gemm.root_a;
    play->part.root_b = play->job.gemm.root_b;
    play->product.rows = rows;
    play->product.columns = columns;
    play->product.depth = depth;
    play->product.scale_a = play->product.scale_b = 1;
    play->product.parts = &play->part;
    play->product.n_parts = 1;
    play->request.products = &play->product;
    play->request.n_products = 1;
}

void play_open(struct play *play, uint32_t rows, uint32_t columns, uint32_t depth,
               uint32_t task_tiles)
{
    play_open_limbs(play, rows, columns, depth, task_tiles, 1, 1);
}

void play_open_limbs(struct play *play, uint32_t rows, uint32_t columns, uint32_t depth,
                     uint32_t task_tiles, unsigned limbs_a, unsigned limbs_b)
{
    uint32_t m = pad(rows * limbs_a, 128), n = pad(columns * limbs_b, 128), k = pad(depth, 256);
    struct fx_hash nobody;
    struct fx_jobs_error error;
    struct fx_task_info *infos;

    memset(play, 0, sizeof *play);
    memset(&nobody, 0, sizeof nobody);
    play->world = world_open(3);
    fx_test_job_init(&play->job, m, n, k, 1, 1, &nobody);
    trim(play->job.a, m, k, rows * limbs_a, depth);
    trim(play->job.b, n, k, columns * limbs_b, depth);
    FX_CHECK(fx_commit_operand_matrix(play->job.a, m, k, &play->job.gemm.root_a));
    FX_CHECK(fx_commit_operand_matrix(play->job.b, n, k, &play->job.gemm.root_b));
    world_add_operands(&play->job);
    set_request(play, rows, columns, depth);
    play->product.limbs_a = limbs_a;
    play->product.limbs_b = limbs_b;
    play->request.task_rows = play->request.task_cols = task_tiles;
    if (!fx_jobs_submit(play->world->jobs, NULL, &play->request, &play->id, &play->quote, &error)) {
        FX_FAIL("%s", error.text);
    }
    play->n = fx_jobs_tasks(play->world->jobs, &(struct fx_task_filter){.job = &play->id}, &infos);
    FX_CHECK_INT(play->n, play->quote.tasks);
    FX_CHECK(play->n <= PLAY_TASKS);
    for (size_t i = 0; i < play->n; i++) {
        play->origins[i] = infos[i].origin;
    }
    free(infos);
}

void play_close(struct play *play)
{
    world_close();
    fx_test_job_clear(&play->job);
    for (size_t i = 0; i < PLAY_TASKS; i++) {
        free(play->results[i]);
    }
}

struct fx_task_info play_task(const struct play *play, size_t task)
{
    struct fx_task_info info;

    FX_CHECK(fx_jobs_task(play->world->jobs, &play->origins[task], &info));
    return info;
}

void play_solve(struct play *play, size_t task, bool wrong, bool complete)
{
    struct fx_task_info info = play_task(play, task);

    free(play->results[task]);
    play->results[task] = fx_test_job_result(&play->job, &info.shape);
    if (wrong) {
        play->results[task][3 * (size_t)info.shape.cols * FX_TILE + 5] += 7;
    }
    play->roots[task] =
        world_add_result(&info.shape, play->results[task], &play->world->solver, complete);
}

void play_claim(struct play *play, size_t task, enum fx_burn burn, int64_t amount)
{
    struct fx_jobs_error error;
    struct fx_hash txid;

    if (!fx_jobs_claim(play->world->jobs, NULL, &play->origins[task], &play->roots[task], burn,
                       amount, &txid, &error)) {
        FX_FAIL("%s", error.text);
    }
}

struct watched {
    const struct play *play;
    size_t task;
};

static bool is_checked(void *arg)
{
    const struct watched *watched = arg;
    struct fx_task_info info = play_task(watched->play, watched->task);

    return info.check == FX_CHECK_RIGHT || info.check == FX_CHECK_WRONG;
}

void play_check(struct play *play, size_t task)
{
    struct watched watched = {play, task};

    FX_CHECK(world_wait(is_checked, &watched));
    world_run();
}
