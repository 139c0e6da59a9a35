/*
 * What the last blocks say of solvers: how much they claimed, how fast, and whether they use the
 * slots in which tasks are exclusively theirs. Made anew for each tip, when somebody asks.
 */
#include <stdlib.h>
#include <string.h>

#include "src/jobs/jobs_int.h"
#include "src/sys/random.h"
#include "src/util/mem.h"

#define PACE_BLOCKS 144 /* whose times say how fast blocks come */
/* What is believed of it; on regtest blocks come as they please. */
#define PACE_LEAST 1.0  /* seconds */
#define PACE_MOST 600.0 /* seconds */
/* What is proposed as `exclusive`: a block for the beacon, one for the claim, and twice the time
 * that available solvers need. */
#define PROPOSED_FIXED 2
#define PROPOSED_UNKNOWN 6 /* where no speed is known */
#define PROPOSED_TIMES 2

struct solver {
    struct fx_solver_info info;
    int64_t first_claim, last_claim; /* times of blocks with a claim of it */
    uint64_t later;                  /* bricks claimed after the first */
};

struct fx_solvers {
    struct fx_hash best; /* the book's last block when this was made */
    struct solver *list;
    struct fx_solver_info *infos; /* in order, for callers */
    size_t n, cap;
    struct fx_map *places; /* key -> place in list, plus one */
};

/* A slot that is over. */
struct slot {
    size_t solver; /* its place */
    uint32_t end;
    bool missed;
};

struct slots {
    struct slot *list;
    size_t n, cap;
};

void fx_solvers_destroy(struct fx_solvers *solvers)
{
    if (solvers == NULL) {
        return;
    }
    fx_map_destroy(solvers->places, NULL);
    free(solvers->list);
    free(solvers->infos);
    free(solvers);
}

/* ---- what they did ----------------------------------------------------------------------- */

/* The place of a key, plus one: maps hold no NULL. */
static void *number(size_t place)
{
    return (void *)(uintptr_t)(place + 1);
}

static bool find(const struct fx_solvers *solvers, const struct fx_hash *key, size_t *place)
{
    uintptr_t found = (uintptr_t)fx_map_get(solvers->places, key->b);

    *place = found - 1;
    return found != 0;
}

static struct solver *get(struct fx_solvers *solvers, const struct fx_hash *key, int64_t time)
{
    struct solver *solver;
    size_t place;

    if (!find(solvers, key, &place)) {
        if (solvers->n == solvers->cap) {
            solvers->cap = solvers->cap == 0 ? 16 : 2 * solvers->cap;
            solvers->list = fx_xreallocarray(solvers->list, solvers->cap, sizeof *solvers->list);
        }
        place = solvers->n++;
        memset(&solvers->list[place], 0, sizeof solvers->list[place]);
        solvers->list[place].info.key = *key;
        solvers->list[place].info.first = time;
        fx_map_put(solvers->places, key->b, number(place));
    }
    solver = &solvers->list[place];
    solver->info.last = time;
    return solver;
}

static void read_tally(struct fx_solvers *solvers, const struct fx_tally *tally)
{
    if (tally->job) {
        struct solver *miner = get(solvers, &tally->solver, tally->time);

        miner->info.blocks++;
        miner->info.last_height = tally->height;
    }
    for (size_t i = 0; i < tally->n_claims; i++) {
        const struct fx_tally_claim *claim = &tally->claims[i];
        struct solver *solver = get(solvers, &claim->solver, tally->time);

        if (solver->info.claims == 0) {
            solver->first_claim = tally->time;
        } else if (tally->time > solver->first_claim) {
            fx_tally_add(&solver->later, claim->bricks);
        }
        solver->last_claim = tally->time;
        solver->info.claims++;
        solver->info.last_height = tally->height;
        fx_tally_add(&solver->info.bricks, claim->bricks);
    }
}

static void set_speed(struct solver *solver)
{
    int64_t seconds = solver->last_claim - solver->first_claim;

    if (solver->later > 0 && seconds > 0) {
        solver->info.speed = (double)solver->later / (double)seconds;
    }
}

/* ---- exclusive slots --------------------------------------------------------------------- */

/* The assignee's claim is one that stands or was disputed. An answer makes the claimed output
 * anew, so that its height then says nothing. */
static bool used_slot(const struct fx_book_task *task, const struct fx_hash *assignee, uint32_t end)
{
    const struct fx_book_state *state = &task->state;

    if (fx_book_is_claim(task) && fx_hash_equal(&state->solver, assignee) &&
        (state->claim_height <= end || state->asked > 0)) {
        return true;
    }
    for (uint32_t i = 0; i < state->n_events; i++) {
        if (fx_hash_equal(&task->events[i].solver, assignee)) {
            return true;
        }
    }
    return false;
}

/* A slot counts where it is over, left its solver at least one block, and the client did not take
 * the task back meanwhile. */
static void read_slot(struct fx_solvers *solvers, struct fx_assigner *assigner,
                      const struct fx_book_task *task, uint32_t tip, struct slots *slots)
{
    uint32_t end = task->state.h0 + task->job->spec.exclusive;
    struct fx_hash assignee;
    struct slot slot;

    if (end > tip || fx_assigner_find(assigner, task, &assignee) != FX_SLOT_OTHER ||
        assigner->beacon.height >= end || !find(solvers, &assignee, &slot.solver)) {
        return;
    }
    if (task->state.status == FX_STATUS_REFUNDED && task->state.end_height <= end) {
        return;
    }
    slot.end = end;
    slot.missed = !used_slot(task, &assignee, end);
    if (slots->n == slots->cap) {
        slots->cap = slots->cap == 0 ? 64 : 2 * slots->cap;
        slots->list = fx_xreallocarray(slots->list, slots->cap, sizeof *slots->list);
    }
    slots->list[slots->n++] = slot;
}

static int latest_first(const void *a, const void *b)
{
    const struct slot *x = a, *y = b;

    return x->end != y->end ? (x->end > y->end ? -1 : 1) : x->missed - y->missed;
}

static void count_slots(struct fx_solvers *solvers, const struct fx_jobs *jobs, uint32_t tip)
{
    struct fx_assigner assigner;
    struct slots slots = {NULL, 0, 0};
    const struct fx_book_job *job;

    fx_assigner_init(&assigner, jobs);
    for (size_t back = 0; (job = fx_book_back_job(jobs->book, back)) != NULL; back++) {
        if (job->tasks[0]->state.h0 + FX_MARKET_WINDOW <= tip) {
            break;
        }
        for (size_t i = 0; i < job->n_tasks && job->spec.exclusive > 0; i++) {
            read_slot(solvers, &assigner, job->tasks[i], tip, &slots);
        }
    }
    fx_assigner_clear(&assigner);
    if (slots.n > 0) {
        qsort(slots.list, slots.n, sizeof *slots.list, latest_first);
    }
    for (size_t i = 0; i < slots.n; i++) {
        struct fx_solver_info *info = &solvers->list[slots.list[i].solver].info;

        if (info->slots < FX_SLOTS_COUNT) {
            info->slots++;
            info->missed += slots.list[i].missed ? 1 : 0;
        }
    }
    free(slots.list);
}

/* ---- the whole --------------------------------------------------------------------------- */

static int most_first(const void *a, const void *b)
{
    const struct fx_solver_info *x = a, *y = b;

    if (x->bricks != y->bricks) {
        return x->bricks > y->bricks ? -1 : 1;
    }
    return fx_hash_cmp(&x->key, &y->key);
}

static void put_in_order(struct fx_solvers *solvers)
{
    solvers->infos = fx_xcalloc(solvers->n, sizeof *solvers->infos);
    for (size_t i = 0; i < solvers->n; i++) {
        set_speed(&solvers->list[i]);
        solvers->list[i].info.available = solvers->list[i].info.missed < FX_SLOTS_COUNT;
        solvers->infos[i] = solvers->list[i].info;
    }
    if (solvers->n > 0) {
        qsort(solvers->infos, solvers->n, sizeof *solvers->infos, most_first);
    }
    for (size_t i = 0; i < solvers->n; i++) {
        fx_map_put(solvers->places, solvers->infos[i].key.b, number(i));
    }
}

static const struct fx_solvers *solvers_of(struct fx_jobs *jobs)
{
    const struct fx_tallies *tallies = fx_book_tallies(jobs->book);
    struct fx_solvers *solvers = jobs->solvers;
    uint32_t tip;
    const struct fx_hash *best = fx_book_best(jobs->book, &tip);

    if (solvers != NULL && fx_hash_equal(&solvers->best, best)) {
        return solvers;
    }
    fx_solvers_destroy(solvers);
    jobs->solvers = solvers = fx_xcalloc(1, sizeof *solvers);
    solvers->best = *best;
    solvers->places = fx_map_create(32, fx_random_u64(), fx_random_u64());
    for (size_t back = FX_MARKET_WINDOW; back-- > 0;) {
        const struct fx_tally *tally = fx_tallies_back(tallies, back);

        if (tally != NULL) {
            read_tally(solvers, tally);
        }
    }
    count_slots(solvers, jobs, tip);
    put_in_order(solvers);
    return solvers;
}

size_t fx_jobs_solvers(struct fx_jobs *jobs, const struct fx_solver_info **list)
{
    const struct fx_solvers *solvers = solvers_of(jobs);

    *list = solvers->infos;
    return solvers->n;
}

const struct fx_solver_info *fx_solvers_find(struct fx_jobs *jobs, const struct fx_hash *key)
{
    const struct fx_solvers *solvers = solvers_of(jobs);
    size_t place;

    return find(solvers, key, &place) ? &solvers->infos[place] : NULL;
}

double fx_market_block_seconds(const struct fx_jobs *jobs)
{
    const struct fx_tallies *tallies = fx_book_tallies(jobs->book);
    const struct fx_tally *last = fx_tallies_back(tallies, 0), *first = last;
    size_t blocks = tallies->n < PACE_BLOCKS ? tallies->n : PACE_BLOCKS;
    double pace;

    if (blocks < 2) {
        return PACE_MOST;
    }
    first = fx_tallies_back(tallies, blocks - 1);
    pace = (double)(last->time - first->time) / (double)(blocks - 1);
    return pace < PACE_LEAST ? PACE_LEAST : pace > PACE_MOST ? PACE_MOST : pace;
}

/* Bricks a second of the available solvers, by their chance of being drawn; 0: not known. */
static double available_speed(const struct fx_solver_info *list, size_t n)
{
    double speed = 0, weight = 0;

    for (size_t i = 0; i < n; i++) {
        if (list[i].available && list[i].speed > 0) {
            speed += list[i].speed * (double)list[i].blocks;
            weight += (double)list[i].blocks;
        }
    }
    return weight > 0 ? speed / weight : 0;
}

void fx_jobs_outlook(struct fx_jobs *jobs, uint64_t bricks, struct fx_exclusive_outlook *outlook)
{
    const struct fx_solver_info *list;
    size_t n = fx_jobs_solvers(jobs, &list);
    double speed = available_speed(list, n), blocks = PROPOSED_UNKNOWN;

    memset(outlook, 0, sizeof *outlook);
    for (size_t i = 0; i < n; i++) {
        outlook->chances += list[i].blocks;
        outlook->unavailable += list[i].available ? 0 : list[i].blocks;
    }
    /* Where nobody would be drawn, or more likely than not one that does not come, it only costs
     * time. */
    if (outlook->chances == 0 || 2 * outlook->unavailable >= outlook->chances) {
        return;
    }
    if (speed > 0) {
        blocks = PROPOSED_FIXED +
                 PROPOSED_TIMES * (double)bricks / speed / fx_market_block_seconds(jobs) + 1;
    }
    outlook->proposed = blocks < FX_EXCLUSIVE_MAX ? (uint16_t)blocks : (uint16_t)FX_EXCLUSIVE_MAX;
}
