/*
 * Policies that need no state: how a job is cut into tasks, what is offered for one, what a solver
 * burns and deposits.
 */
#include "consensus/brick.h"
#include "consensus/lane.h"
#include "src/jobs/jobs_int.h"

#define LEAST_TASKS 4     /* so that more than one solver can work on a job */
#define MOST_CHOSEN 256   /* tasks, where the client does not choose */
#define TASK_BRICKS 16384 /* aimed at: seconds on a processor, and far less on a GPU */
#define TASK_COST 0.1
#define TASK_TILES_MAX (1u << 24) /* a rule: protocol section 5 */

/* The default reward: what a brick costs to compute is far below this at any prices of today, and
 * the floor pays for the transactions of a claim and its settlement with much to spare. */
#define REWARD_BRICK INT64_C(10000)   /* embers */
#define REWARD_FLOOR INT64_C(1000000) /* embers */

static uint64_t ceil_div(uint64_t a, uint64_t b)
{
    return (a + b - 1) / b;
}

static uint64_t clamp(uint64_t v, uint64_t low, uint64_t high)
{
    return v < low ? low : v > high ? high : v;
}

/* Lower is better: the work of the largest task over that of an even cut, times how far it is from
 * square (a square one needs the least operands for its bricks), and a little for each task more
 * than are needed, which costs a fee. */
static double score(uint32_t rows, uint32_t cols, uint64_t tasks, uint64_t r, uint64_t c)
{
    double n = (double)ceil_div(rows, r) * (double)ceil_div(cols, c);
    double area = (double)r * (double)c;
    double uneven = n * area / ((double)rows * (double)cols);
    double oblong = ((double)r + (double)c) * ((double)r + (double)c) / (4 * area);

    return uneven * oblong * (1 + TASK_COST * (n / (double)tasks - 1));
}

/* Keeps the better of the cut so far and tasks of r x c tiles, if there are enough of these. */
static void consider(uint32_t rows, uint32_t cols, uint64_t tasks, uint64_t r, uint64_t c,
                     double *best, uint32_t *task_rows, uint32_t *task_cols)
{
    uint64_t n;
    double s;

    if (r == 0 || c == 0 || r * c > TASK_TILES_MAX) {
        return;
    }
    n = ceil_div(rows, r) * ceil_div(cols, c);
    if (n < tasks || n > FX_TX_TASKS_MAX) {
        return;
    }
    s = score(rows, cols, tasks, r, c);
    if (*task_rows == 0 || s < *best) {
        *best = s;
        *task_rows = (uint32_t)r;
        *task_cols = (uint32_t)c;
    }
}

/* The best cut into at least `tasks`, at most rows * cols of them. */
static void cut(uint32_t rows, uint32_t cols, uint64_t tasks, uint32_t *task_rows,
                uint32_t *task_cols)
{
    double best = 0;

    *task_rows = 0;
    *task_cols = 0;
    for (uint64_t down = 1; down <= rows && down <= tasks; down++) {
        uint64_t across = clamp(ceil_div(tasks, down), 1, cols);
        uint64_t r[2] = {rows / down, ceil_div(rows, down)};
        uint64_t c[2] = {cols / across, ceil_div(cols, across)};

        for (unsigned i = 0; i < 4; i++) {
            consider(rows, cols, tasks, r[i & 1], c[i >> 1], &best, task_rows, task_cols);
        }
    }
    if (*task_rows == 0) { /* none is fine enough and not too fine: take what the rules allow */
        *task_rows = (uint32_t)clamp(rows, 1, 4096);
        *task_cols = (uint32_t)clamp(cols, 1, 4096);
    }
}

void fx_split_choose(uint32_t rows, uint32_t cols, uint32_t depth, uint32_t *task_rows,
                     uint32_t *task_cols)
{
    uint64_t tiles = (uint64_t)rows * cols, tasks;

    if (*task_rows == 0 && *task_cols == 0) {
        tasks = clamp(ceil_div(tiles * depth, TASK_BRICKS), LEAST_TASKS, MOST_CHOSEN);
        /* Huge grids: more, so that no task has more tiles than the rules let it. */
        tasks = clamp(tasks, ceil_div(tiles, TASK_TILES_MAX), tiles);
        cut(rows, cols, clamp(tasks, 1, tiles), task_rows, task_cols);
    } else if (*task_rows == 0) {
        *task_rows = *task_cols;
    } else if (*task_cols == 0) {
        *task_cols = *task_rows;
    }
    *task_rows = (uint32_t)clamp(*task_rows, 1, rows);
    *task_cols = (uint32_t)clamp(*task_cols, 1, cols);
}

int64_t fx_split_reward(uint64_t bricks)
{
    uint64_t reward = bricks * REWARD_BRICK; /* bricks < 2^32: a task's */

    return (int64_t)clamp(reward, REWARD_FLOOR, INT64_MAX);
}

int64_t fx_split_bond(int64_t escrow)
{
    int64_t quarter = escrow / 4 + (escrow % 4 != 0 ? 1 : 0);

    return quarter > FX_DEPOSIT ? quarter : FX_DEPOSIT;
}

int64_t fx_claim_stake(const struct fx_book_state *claim)
{
    return claim->bond + claim->escrow - claim->burn;
}

/* Credit gains min(S * bricks / E, 2 * burn) of subsidy: up to half of the first, each ember burned
 * brings two. */
int64_t fx_split_burn(const struct fx_params *params, uint32_t height, uint32_t job_nbits,
                      uint64_t bricks, int64_t escrow)
{
    /* With burns out of the way, what the rules give for these bricks. */
    int64_t gain = fx_lane_subsidy(params, FX_LANE_JOB, height, job_nbits, bricks,
                                   (uint64_t)params->max_money);
    /* Where lanes do not retarget a brick or two are worth the full subsidy, and nearly any escrow
     * would go up in smoke: half of it stays pay there. */
    int64_t most = params->retarget ? escrow : escrow / 2;

    return gain / 2 < most ? gain / 2 : most;
}
