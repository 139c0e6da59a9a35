/*
 * What is on offer to a solver, best first: by pay after burn, operands at hand, exclusive slots
 * and speed; and so that solvers spread over a job without a word to each other. For each task the
 * solvers that were active of late have an order, the same on every node, by a hash of both. A
 * solver begins with the tasks in whose order it is the first. When these are done it takes those
 * in whose order it is the second, beginning with those that their first would come to last, and
 * then what is left in an order of its own (see doc/miner.md).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/lane.h"
#include "src/crypto/siphash.h"
#include "src/jobs/jobs_int.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

#define RIVALS_MAX 16    /* solvers that are reckoned with: those with the most bricks */
#define RIVAL_BLOCKS 144 /* within which they were seen */
/* What a brick of a task is worth where its operands are still to come, and where another solver is
 * likelier to take it. */
#define WORTH_REMOTE 0.8
#define WORTH_OTHERS 0.5
#define CLAIM_BLOCKS 2 /* that a claim may need to be mined in time */
/* A solver that mined in a task has so many times what its speed implies, within these. */
#define PATIENCE_TIMES 3
#define PATIENCE_LEAST 60.0
#define PATIENCE_MOST 86400.0
#define PATIENCE_UNKNOWN 600.0
#define BLOCKS_MAX 256 /* of one task that are looked at */

struct market {
    struct fx_jobs *jobs;
    const struct fx_offer_query *query;
    struct fx_assigner assigner;
    uint32_t tip, nbits;
    int64_t now; /* unix time */
    double block_seconds;
    struct fx_hash rivals[RIVALS_MAX]; /* without the solver that asks */
    size_t n_rivals;
    /* of the job and shape looked at last */
    const struct fx_book_job *job;
    bool operands_here;
    uint64_t bricks;
    int64_t escrow;
    double pay;
};

/* An offer with what it is sorted by. */
struct ranked {
    struct fx_offer offer;
    bool own_slot; /* and it can be used */
    int worth;     /* in quarters of a doubling: less is the same */
    uint64_t turn; /* among equals: the least first */
};

/* ---- pay --------------------------------------------------------------------------------- */

static double pay_of(struct market *market, uint64_t bricks, int64_t escrow)
{
    const struct fx_params *params = market->jobs->config.params;
    const struct fx_offer_query *query = market->query;
    int64_t gain, burn = 0;

    if (market->bricks == bricks && market->escrow == escrow) {
        return market->pay;
    }
    gain = fx_lane_subsidy(params, FX_LANE_JOB, market->tip + 1, market->nbits, bricks,
                           (uint64_t)params->max_money);
    switch (query->burn) {
    case FX_BURN_AUTO:
        burn = fx_split_burn(params, market->tip + 1, market->nbits, bricks, escrow);
        break;
    case FX_BURN_NONE:
        break;
    case FX_BURN_AMOUNT:
        burn = query->burn_amount < escrow ? query->burn_amount : escrow;
        break;
    }
    market->bricks = bricks;
    market->escrow = escrow;
    market->pay = (double)(escrow - burn + (gain < 2 * burn ? gain : 2 * burn)) / (double)bricks;
    return market->pay;
}

/* floor(4 log2(value)), for values above 0. */
static int quarters(double value)
{
    static const double steps[] = {0.59460355750136, 0.70710678118655, 0.84089641525371};
    int exponent, quarter = 0;
    double fraction;

    if (!(value > 0)) {
        return INT32_MIN;
    }
    fraction = frexp(value, &exponent);
    while (quarter < 3 && fraction >= steps[quarter]) {
        quarter++;
    }
    return 4 * exponent + quarter;
}

/* ---- who works on it --------------------------------------------------------------------- */

static double patience(struct market *market, const struct fx_hash *worker, uint64_t bricks)
{
    const struct fx_solver_info *info = fx_solvers_find(market->jobs, worker);
    double speed = info != NULL && info->speed > 0 ? info->speed : market->query->speed;
    double seconds = PATIENCE_UNKNOWN;

    if (speed > 0) {
        seconds = PATIENCE_TIMES * (double)bricks / speed;
    }
    return seconds < PATIENCE_LEAST  ? PATIENCE_LEAST
           : seconds > PATIENCE_MOST ? PATIENCE_MOST
                                     : seconds;
}

/* Did this solver mine in one of the blocks before number `before`? */
static bool mined_before(const struct fx_index *const *blocks, size_t before,
                         const struct fx_hash *solver)
{
    for (size_t i = 0; i < before; i++) {
        if (fx_hash_equal(&blocks[i]->solver, solver)) {
            return true;
        }
    }
    return false;
}

/* A block mined inside a task shows that its solver is at work on it: for each solver the first
 * block since the task is open counts, so that nobody holds a task by mining on. */
static void look_at_workers(struct market *market, const struct fx_book_task *task,
                            struct fx_offer *offer)
{
    const struct fx_index *blocks[BLOCKS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < task->n_blocks && n < BLOCKS_MAX; i++) {
        const struct fx_index *index = fx_chain_find(market->jobs->config.chain, &task->blocks[i]);

        if (index == NULL || index->height <= task->state.height ||
            (market->query->solver != NULL &&
             fx_hash_equal(&index->solver, market->query->solver)) ||
            mined_before(blocks, n, &index->solver)) {
            continue;
        }
        blocks[n++] = index;
        offer->overdue = (double)(market->now - (int64_t)index->header.time) >
                         patience(market, &index->solver, task->shape.bricks);
        offer->worked_on = true;
        offer->worker = index->solver;
        offer->worked_since = index->header.time;
        if (!offer->overdue) {
            return;
        }
    }
}

/* ---- whose turn it is -------------------------------------------------------------------- */

/* The same on every node: no secret, and nothing to gain by a key that comes out first. */
static uint64_t score(const struct fx_hash *solver, const struct fx_outpoint *origin)
{
    uint8_t bytes[32 + FX_OUTPOINT_SIZE];

    memcpy(bytes, solver->b, 32);
    fx_outpoint_key(origin, bytes + 32);
    return fx_siphash(0, 0, bytes, sizeof bytes);
}

static void set_turn(const struct market *market, struct ranked *ranked)
{
    const struct fx_offer *offer = &ranked->offer;
    static const struct fx_hash nobody;
    const struct fx_hash *asker = market->query->solver != NULL ? market->query->solver : &nobody;
    uint64_t own = score(asker, &offer->origin), best = own;

    for (size_t i = 0; i < market->n_rivals; i++) {
        uint64_t rival;

        if (offer->overdue && fx_hash_equal(&market->rivals[i], &offer->worker)) {
            continue; /* it had its time */
        }
        rival = score(&market->rivals[i], &offer->origin);
        ranked->offer.place += rival > own ? 1 : 0;
        best = rival > best ? rival : best;
    }
    /* Its own first come first. Of others' the second in order takes those first that their first
     * comes to last; whoever comes after these two must not follow either: it goes its own way. */
    ranked->turn = offer->place == 1 ? best : UINT64_MAX - own;
}

static void find_rivals(struct market *market)
{
    const struct fx_solver_info *list;
    size_t n = fx_jobs_solvers(market->jobs, &list);

    for (size_t i = 0; i < n && market->n_rivals < RIVALS_MAX; i++) {
        if ((uint64_t)list[i].last_height + RIVAL_BLOCKS > market->tip &&
            (market->query->solver == NULL ||
             !fx_hash_equal(&list[i].key, market->query->solver))) {
            market->rivals[market->n_rivals++] = list[i].key;
        }
    }
}

/* ---- one task ---------------------------------------------------------------------------- */

static void set_slot(struct market *market, const struct fx_book_task *task, struct ranked *ranked)
{
    struct fx_offer *offer = &ranked->offer;
    uint64_t end = (uint64_t)task->state.h0 + task->job->spec.exclusive;
    double left = ((double)end - market->tip) * market->block_seconds;

    /* The next block is the first that a claim can be in. */
    if (task->job->spec.exclusive == 0 || end <= market->tip) {
        return;
    }
    offer->slot_end = (uint32_t)end;
    offer->slot = fx_assigner_find(&market->assigner, task, &offer->assignee);
    if (offer->slot == FX_SLOT_OTHER && market->query->solver != NULL &&
        fx_hash_equal(&offer->assignee, market->query->solver)) {
        offer->slot = FX_SLOT_OWN;
        ranked->own_slot =
            market->query->speed <= 0 || (double)task->shape.bricks / market->query->speed <= left;
    }
}

static bool in_time(const struct market *market, const struct fx_book_task *task)
{
    double needs = CLAIM_BLOCKS * market->block_seconds;

    if (market->query->speed <= 0) {
        return market->now < (int64_t)task->job->spec.deadline;
    }
    needs += (double)task->shape.bricks / market->query->speed;
    return (double)market->now + needs < (double)task->job->spec.deadline;
}

static enum fx_offer_bar bar_of(const struct market *market, const struct fx_book_task *task,
                                const struct fx_offer *offer)
{
    if (task->job->spec.kind != FX_KIND_GEMM) {
        return FX_OFFER_KIND;
    }
    if (fx_mempool_spender(market->jobs->config.mempool, &task->state.outpoint) != NULL) {
        return FX_OFFER_CLAIMED;
    }
    if (offer->slot == FX_SLOT_WAITS || offer->slot == FX_SLOT_OTHER) {
        return FX_OFFER_EXCLUSIVE;
    }
    if (!in_time(market, task)) {
        return FX_OFFER_TOO_LATE;
    }
    return offer->worked_on && !offer->overdue ? FX_OFFER_WORKED_ON : FX_OFFER_FREE;
}

static void rank(struct market *market, const struct fx_book_task *task, struct ranked *ranked)
{
    struct fx_offer *offer = &ranked->offer;

    memset(ranked, 0, sizeof *ranked);
    if (market->job != task->job) {
        market->job = task->job;
        market->operands_here = fx_jobs_has_operands(market->jobs, task->job);
    }
    offer->origin = task->origin;
    offer->operands_here = market->operands_here;
    offer->pay = pay_of(market, task->shape.bricks, task->state.escrow);
    look_at_workers(market, task, offer);
    set_slot(market, task, ranked);
    set_turn(market, ranked);
    offer->bar = bar_of(market, task, offer);
    ranked->worth = quarters(offer->pay * (offer->operands_here ? 1 : WORTH_REMOTE) *
                             (offer->place == 0 ? 1 : WORTH_OTHERS));
}

static int best_first(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if ((x->offer.bar == FX_OFFER_FREE) != (y->offer.bar == FX_OFFER_FREE)) {
        return x->offer.bar == FX_OFFER_FREE ? -1 : 1;
    }
    if (x->own_slot != y->own_slot) {
        return x->own_slot ? -1 : 1;
    }
    if (x->worth != y->worth) {
        return x->worth > y->worth ? -1 : 1;
    }
    if (x->offer.place != y->offer.place) {
        return x->offer.place < y->offer.place ? -1 : 1;
    }
    if (x->turn != y->turn) {
        return x->turn < y->turn ? -1 : 1;
    }
    return fx_outpoint_cmp(&x->offer.origin, &y->offer.origin);
}

/* ---- the best of all --------------------------------------------------------------------- */

/* The best `max` seen so far, the worst of them first: a heap. */
struct best {
    struct ranked *list;
    size_t n, cap, max;
};

static void swap(struct ranked *a, struct ranked *b)
{
    struct ranked held = *a;

    *a = *b;
    *b = held;
}

/* The one at the top finds its place. */
static void sink(struct best *best)
{
    for (size_t at = 0, child; (child = 2 * at + 1) < best->n; at = child) {
        if (child + 1 < best->n && best_first(&best->list[child], &best->list[child + 1]) < 0) {
            child++;
        }
        if (best_first(&best->list[at], &best->list[child]) >= 0) {
            return;
        }
        swap(&best->list[at], &best->list[child]);
    }
}

/* The one at the end finds its place. */
static void rise(struct best *best)
{
    for (size_t at = best->n - 1; at > 0; at = (at - 1) / 2) {
        if (best_first(&best->list[at], &best->list[(at - 1) / 2]) <= 0) {
            return;
        }
        swap(&best->list[at], &best->list[(at - 1) / 2]);
    }
}

static void keep_best(struct best *best, const struct ranked *ranked)
{
    if (best->n == best->max) {
        if (best->n > 0 && best_first(ranked, &best->list[0]) < 0) {
            best->list[0] = *ranked;
            sink(best);
        }
        return;
    }
    if (best->n == best->cap) {
        best->cap = best->cap == 0 ? 64 : 2 * best->cap;
        best->list = fx_xreallocarray(best->list, best->cap, sizeof *best->list);
    }
    best->list[best->n++] = *ranked;
    rise(best);
}

static void market_init(struct market *market, struct fx_jobs *jobs,
                        const struct fx_offer_query *query)
{
    const struct fx_index *tip = fx_chain_tip(jobs->config.chain);
    uint32_t nbits[FX_LANES];

    memset(market, 0, sizeof *market);
    market->jobs = jobs;
    market->query = query;
    market->tip = tip->height;
    fx_chain_targets(jobs->config.chain, tip, nbits);
    market->nbits = nbits[FX_LANE_JOB];
    market->now = fx_clock_now();
    market->block_seconds = fx_market_block_seconds(jobs);
    fx_assigner_init(&market->assigner, jobs);
    find_rivals(market);
}

/* The open tasks of one job; returns how many of them are on offer. */
static size_t rank_job(struct market *market, const struct fx_book_job *job, struct best *best)
{
    const struct fx_offer_query *query = market->query;
    size_t n = 0;

    for (size_t i = 0; i < job->n_tasks; i++) {
        struct ranked ranked;

        if (job->tasks[i]->state.status != FX_STATUS_OPEN) {
            continue;
        }
        rank(market, job->tasks[i], &ranked);
        if ((query->all || ranked.offer.bar == FX_OFFER_FREE) &&
            (!query->here || ranked.offer.operands_here)) {
            keep_best(best, &ranked);
            n++;
        }
    }
    return n;
}

size_t fx_jobs_offers(struct fx_jobs *jobs, const struct fx_offer_query *query,
                      struct fx_offer **offers, size_t *total)
{
    const struct fx_book_job *job;
    struct best best = {.max = SIZE_MAX};
    struct market market;
    size_t n;

    if (query->count > 0 && query->skip <= SIZE_MAX - query->count) {
        best.max = query->skip + query->count;
    }
    *total = 0;
    market_init(&market, jobs, query);
    for (size_t i = 0; (job = fx_book_aged_job(jobs->book, i)) != NULL; i++) {
        if (job->n_status[FX_STATUS_OPEN] > 0) {
            *total += rank_job(&market, job, &best);
        }
    }
    fx_assigner_clear(&market.assigner);
    if (best.n > 0) {
        qsort(best.list, best.n, sizeof *best.list, best_first);
    }
    n = best.n > query->skip ? best.n - query->skip : 0;
    *offers = fx_xcalloc(n, sizeof **offers);
    for (size_t i = 0; i < n; i++) {
        (*offers)[i] = best.list[query->skip + i].offer;
    }
    free(best.list);
    return n;
}
