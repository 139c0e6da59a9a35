/* The market: lists of tasks, sums over blocks, the order of the job book, exclusive slots. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/jobs/play.h"
#include "src/iface/market.h"
#include "src/sys/clock.h"
#include "src/sys/db.h"
#include "src/sys/file.h"
#include "src/util/mem.h"

static size_t count_tasks(const struct play *play, const struct fx_task_filter *filter)
{
    struct fx_task_info *infos;
    size_t n = fx_jobs_tasks(play->world->jobs, filter, &infos);

    free(infos);
    return n;
}

static size_t with_status(const struct play *play, enum fx_task_status status)
{
    return count_tasks(play, &(struct fx_task_filter){.statuses = FX_STATUS_BIT(status)});
}

/* One more job like the first. Its tasks are the play's from now on. */
static void submit_pending(struct play *play, int64_t reward, uint16_t exclusive)
{
    struct fx_jobs_error error;
    struct fx_task_info *infos;

    play->request.reward = reward;
    play->request.exclusive = exclusive;
    if (!fx_jobs_submit(play->world->jobs, NULL, &play->request, &play->id, &play->quote, &error)) {
        FX_FAIL("%s", error.text);
    }
    play->n = fx_jobs_tasks(play->world->jobs, &(struct fx_task_filter){.job = &play->id}, &infos);
    for (size_t i = 0; i < play->n; i++) {
        play->origins[i] = infos[i].origin;
    }
    free(infos);
}

/* The same; mined. */
static void submit_more(struct play *play, int64_t reward, uint16_t exclusive)
{
    submit_pending(play, reward, exclusive);
    world_mine(600);
}

static bool is_spent(const struct play *play, size_t task)
{
    struct fx_task_info info = play_task(play, task);

    return !fx_hash_is_zero(&info.spender);
}

FX_TEST(lists)
{
    struct play play;
    struct fx_task_info *infos;

    play_open(&play, 256, 256, 256, 1);
    FX_CHECK_INT(with_status(&play, FX_STATUS_PENDING), 4);
    FX_CHECK_INT(with_status(&play, FX_STATUS_OPEN), 0);
    world_mine(600);
    play_solve(&play, 1, false, true);
    play_claim(&play, 1, FX_BURN_NONE, 0);
    FX_CHECK(is_spent(&play, 1));
    FX_CHECK(!is_spent(&play, 0));
    world_mine(600);
    FX_CHECK(!is_spent(&play, 1));
    FX_CHECK_INT(with_status(&play, FX_STATUS_OPEN), 3);
    FX_CHECK_INT(with_status(&play, FX_STATUS_CLAIMED), 1);
    FX_CHECK_INT(with_status(&play, FX_STATUS_SETTLED), 0);
    FX_CHECK_INT(count_tasks(&play, &(struct fx_task_filter){.restored = true}), 0);
    FX_CHECK_INT(count_tasks(&play, &(struct fx_task_filter){.count = 3}), 3);
    FX_CHECK_INT(count_tasks(&play, &(struct fx_task_filter){.skip = 3, .count = 3}), 1);
    FX_CHECK_INT(count_tasks(&play, &(struct fx_task_filter){.skip = 4}), 0);
    /* Those of an index stand in the same order as all of them. */
    FX_CHECK_INT(fx_jobs_tasks(
                     play.world->jobs,
                     &(struct fx_task_filter){.statuses = FX_STATUS_BIT(FX_STATUS_OPEN), .skip = 1},
                     &infos),
                 2);
    FX_CHECK_INT(infos[0].index, 2);
    FX_CHECK_INT(infos[1].index, 3);
    free(infos);
    play_check(&play, 1);
    world_mine(600);
    FX_CHECK_INT(with_status(&play, FX_STATUS_SETTLED), 1);
    play_close(&play);
}

/* ---- sums -------------------------------------------------------------------------------- */

FX_TEST(sums_of_a_job)
{
    struct play play;
    struct fx_market_info info;
    int64_t bond, escrow;

    play_open(&play, 256, 256, 512, 1);
    world_mine(600);
    escrow = play.quote.escrow;
    fx_jobs_market(play.world->jobs, 100, &info);
    FX_CHECK_INT(info.last, play.world->tip->height);
    FX_CHECK_INT(info.offered.tasks, 4);
    FX_CHECK_INT(info.offered.bricks, 8);
    FX_CHECK_INT(info.offered.escrow, 4 * escrow);
    FX_CHECK_INT(info.open.tasks, 4);
    FX_CHECK_INT(info.open_least, escrow * 1000 / 2);
    FX_CHECK_INT(info.open_most, escrow * 1000 / 2);
    play_solve(&play, 0, false, true);
    play_claim(&play, 0, FX_BURN_AMOUNT, 1234);
    play_solve(&play, 1, true, true);
    play_claim(&play, 1, FX_BURN_NONE, 0);
    world_mine(600);
    bond = play_task(&play, 1).bond;
    play_check(&play, 0);
    play_check(&play, 1);
    world_run();
    world_mine(600); /* accept, and fraud */
    world_mine_inside(&play.origins[2], &play.origins[0], 1);
    world_mine(2 * 86400);
    world_run();
    world_mine(600); /* three refunds */
    fx_jobs_market(play.world->jobs, 100, &info);
    FX_CHECK_INT(info.actions[FX_ACTION_CLAIM].tasks, 2);
    FX_CHECK_INT(info.actions[FX_ACTION_ACCEPT].tasks, 1);
    FX_CHECK_INT(info.actions[FX_ACTION_ACCEPT].bricks, 2);
    FX_CHECK_INT(info.actions[FX_ACTION_FRAUD].tasks, 1);
    FX_CHECK_INT(info.actions[FX_ACTION_REFUND].tasks, 3);
    FX_CHECK_INT(info.burned, 1234 + bond / 2);
    FX_CHECK_INT(info.pay, escrow - 1234);
    FX_CHECK_INT(info.job_blocks, 1);
    FX_CHECK_INT((int64_t)info.work, 2);   /* E of regtest */
    FX_CHECK_INT((int64_t)info.useful, 2); /* two bricks of credit */
    FX_CHECK_INT(info.open.tasks, 0);
    fx_jobs_market(play.world->jobs, 1, &info);
    FX_CHECK_INT(info.first, info.last);
    FX_CHECK_INT(info.seconds, 600);
    FX_CHECK_INT(info.actions[FX_ACTION_REFUND].tasks, 3);
    FX_CHECK_INT(info.actions[FX_ACTION_CLAIM].tasks, 0);
    play_close(&play);
}

static void check_sums(const struct play *play, const struct fx_market_info *known)
{
    struct fx_market_info now;

    fx_jobs_market(play->world->jobs, 100, &now);
    FX_CHECK_MEM(&now, known, sizeof now);
}

/* Sums are taken back with their blocks, come again with them, and outlive the process. */
FX_TEST(sums_follow_the_chain)
{
    struct play play;
    struct fx_market_info levels[8];
    uint32_t first, top;

    play_open(&play, 256, 128, 256, 1);
    world_run(); /* on a slow machine the book reads the first blocks in slices */
    first = play.world->tip->height;
    fx_jobs_market(play.world->jobs, 100, &levels[0]);
    world_mine(600);
    fx_jobs_market(play.world->jobs, 100, &levels[1]);
    world_mine_inside(&play.origins[1], NULL, 0);
    fx_jobs_market(play.world->jobs, 100, &levels[2]);
    play_solve(&play, 0, false, true);
    play_claim(&play, 0, FX_BURN_AMOUNT, 10);
    world_mine(600);
    fx_jobs_market(play.world->jobs, 100, &levels[3]);
    play_check(&play, 0);
    world_mine(600);
    fx_jobs_market(play.world->jobs, 100, &levels[4]);
    top = play.world->tip->height;
    FX_CHECK_INT(top, first + 4);
    for (uint32_t h = top; h > first; h--) {
        check_sums(&play, &levels[h - first]);
        world_stop();
        world_start();
        check_sums(&play, &levels[h - first]);
        world_disconnect();
        world_evict();
        check_sums(&play, &levels[h - 1 - first]);
    }
    while (play.world->tip->height < top) {
        world_reconnect();
        check_sums(&play, &levels[play.world->tip->height - first]);
    }
    play_close(&play);
}

/* A book of a version without sums is made again from the blocks. */
FX_TEST(sums_made_again)
{
    struct play play;
    struct fx_market_info known;
    char *path;
    struct fx_db *db;
    uint8_t key[5] = {'S'};

    play_open(&play, 128, 128, 256, 1);
    world_mine(600);
    fx_jobs_market(play.world->jobs, 100, &known);
    world_stop();
    path = fx_path_join(play.world->dir, "jobs");
    db = fx_db_open(path, 1 << 20, NULL);
    fx_store_u32be(key + 1, play.world->tip->height);
    FX_CHECK(fx_db_delete(db, key, sizeof key, false));
    fx_db_close(db);
    free(path);
    world_start();
    check_sums(&play, &known);
    FX_CHECK_INT(with_status(&play, FX_STATUS_OPEN), 1);
    play_close(&play);
}

/* ---- the order of the book --------------------------------------------------------------- */

/* The asker is keys[7], which is nobody in these tests unless they say so. */
static size_t book(const struct play *play, const struct fx_hash *solver, double speed, bool all,
                   struct fx_offer **offers)
{
    const struct fx_offer_query query = {
        .solver = solver, .speed = speed, .burn = FX_BURN_NONE, .all = all};

    size_t total, n = fx_jobs_offers(play->world->jobs, &query, offers, &total);

    FX_CHECK_INT(total, n);
    return n;
}

static struct fx_offer offer_of(const struct play *play, size_t task, const struct fx_hash *solver,
                                double speed)
{
    struct fx_offer *offers, found;
    size_t n = book(play, solver, speed, true, &offers);
    bool has = false;

    memset(&found, 0, sizeof found);
    for (size_t i = 0; i < n; i++) {
        if (fx_outpoint_equal(&offers[i].origin, &play->origins[task])) {
            found = offers[i];
            has = true;
        }
    }
    free(offers);
    FX_CHECK(has);
    return found;
}

static struct fx_hash other_key(unsigned number)
{
    struct fx_test_key key;

    fx_test_key(40 + number, &key);
    return key.xonly;
}

FX_TEST(pay_then_operands)
{
    struct play play;
    struct fx_outpoint low;
    struct fx_offer *offers;

    play_open(&play, 128, 128, 256, 1);
    world_mine(600);
    low = play.origins[0];
    submit_more(&play, 40000000, 0);
    FX_CHECK_INT(book(&play, NULL, 0, false, &offers), 2);
    FX_CHECK(fx_outpoint_equal(&offers[0].origin, &play.origins[0]));
    FX_CHECK(fx_outpoint_equal(&offers[1].origin, &low));
    FX_CHECK_INT((int64_t)offers[0].pay, 40000000);
    FX_CHECK(offers[0].operands_here);
    free(offers);
    world_drop_operands();
    FX_CHECK_INT(book(&play, NULL, 0, false, &offers), 2);
    FX_CHECK(!offers[0].operands_here);
    free(offers);
    play_close(&play);
}

FX_TEST(pages_of_the_book)
{
    struct play play;
    struct fx_offer *all, *page;
    struct fx_offer_query query = {.burn = FX_BURN_NONE};
    size_t total, n;

    play_open(&play, 256, 256, 256, 1);
    world_mine(600);
    for (int64_t reward = 20000000; reward <= 50000000; reward += 10000000) {
        submit_more(&play, reward, 0);
    }
    n = fx_jobs_offers(play.world->jobs, &query, &all, &total);
    FX_CHECK_INT(n, 20);
    FX_CHECK_INT(total, 20);
    for (query.skip = 0; query.skip <= 21; query.skip++) {
        for (query.count = 1; query.count <= 21; query.count++) {
            size_t left = query.skip < n ? n - query.skip : 0;
            size_t got = fx_jobs_offers(play.world->jobs, &query, &page, &total);

            FX_CHECK_INT(total, 20);
            FX_CHECK_INT(got, query.count < left ? query.count : left);
            for (size_t i = 0; i < got; i++) {
                FX_CHECK(fx_outpoint_equal(&page[i].origin, &all[query.skip + i].origin));
            }
            free(page);
        }
    }
    free(all);
    query = (struct fx_offer_query){.burn = FX_BURN_NONE, .all = true, .here = true};
    FX_CHECK_INT(fx_jobs_offers(play.world->jobs, &query, &all, &total), 20);
    free(all);
    world_drop_operands();
    FX_CHECK_INT(fx_jobs_offers(play.world->jobs, &query, &all, &total), 0);
    free(all);
    play_close(&play);
}

/* Every page of every status is a part of the whole list. */
FX_TEST(pages_of_tasks)
{
    static const unsigned statuses[] = {
        0, FX_STATUS_BIT(FX_STATUS_OPEN), FX_STATUS_BIT(FX_STATUS_CLAIMED),
        FX_STATUS_BIT(FX_STATUS_PENDING),
        FX_STATUS_BIT(FX_STATUS_OPEN) | FX_STATUS_BIT(FX_STATUS_PENDING)};
    static const size_t sizes[] = {16, 10, 2, 4, 14};
    struct play play;

    play_open(&play, 256, 256, 256, 1);
    world_mine(600);
    submit_more(&play, 20000000, 0);
    submit_more(&play, 20000000, 0);
    for (size_t task = 1; task <= 2; task++) {
        play_solve(&play, task, false, true);
        play_claim(&play, task, FX_BURN_NONE, 0);
    }
    world_mine(600);
    submit_pending(&play, 20000000, 0);
    for (size_t s = 0; s < 5; s++) {
        struct fx_task_filter filter = {.statuses = statuses[s]};
        struct fx_task_info *all, *page;
        size_t n = fx_jobs_tasks(play.world->jobs, &filter, &all);

        FX_CHECK_INT(n, sizes[s]);
        for (filter.skip = 0; filter.skip <= n; filter.skip++) {
            for (filter.count = 1; filter.count <= n; filter.count++) {
                size_t left = n - filter.skip, got;

                got = fx_jobs_tasks(play.world->jobs, &filter, &page);
                FX_CHECK_INT(got, filter.count < left ? filter.count : left);
                for (size_t i = 0; i < got; i++) {
                    FX_CHECK(fx_outpoint_equal(&page[i].origin, &all[filter.skip + i].origin));
                }
                free(page);
            }
        }
        free(all);
    }
    play_close(&play);
}

FX_TEST(claimed_and_late_are_not_offered)
{
    struct play play;
    struct fx_offer *offers;

    play_open(&play, 256, 128, 256, 1);
    world_mine(600);
    play_solve(&play, 0, false, true);
    play_claim(&play, 0, FX_BURN_NONE, 0);
    FX_CHECK_INT(offer_of(&play, 0, NULL, 0).bar, FX_OFFER_CLAIMED);
    FX_CHECK_INT(book(&play, NULL, 0, false, &offers), 1);
    free(offers);
    /* A brick at a hundred thousandth a second: more than a day. */
    FX_CHECK_INT(offer_of(&play, 1, NULL, 0.00001).bar, FX_OFFER_TOO_LATE);
    FX_CHECK_INT(offer_of(&play, 1, NULL, 0.1).bar, FX_OFFER_FREE);
    fx_clock_set_mock((int64_t)play.quote.deadline + 1);
    FX_CHECK_INT(offer_of(&play, 1, NULL, 0).bar, FX_OFFER_TOO_LATE);
    play_close(&play);
}

/* A block mined in a task keeps others off it while its solver can be thought to be at work. */
FX_TEST(worked_on)
{
    struct play play;
    struct fx_hash other = other_key(0);
    struct fx_offer offer;
    int64_t mined;

    play_open(&play, 256, 128, 256, 1);
    world_mine(600);
    FX_CHECK(!offer_of(&play, 0, &other, 1).worked_on);
    world_mine_inside(&play.origins[0], NULL, 0);
    mined = fx_clock_now();
    offer = offer_of(&play, 0, &other, 1);
    FX_CHECK_INT(offer.bar, FX_OFFER_WORKED_ON);
    FX_CHECK(fx_hash_equal(&offer.worker, &play.world->solver));
    FX_CHECK_INT(offer.worked_since, mined);
    FX_CHECK_INT(offer_of(&play, 1, &other, 1).bar, FX_OFFER_FREE);
    /* Not for the solver itself. */
    FX_CHECK_INT(offer_of(&play, 0, &play.world->solver, 1).bar, FX_OFFER_FREE);
    /* One brick at one a second: a minute is patience enough. Blocks more win no time. */
    fx_clock_set_mock(mined + 60);
    FX_CHECK_INT(offer_of(&play, 0, &other, 1).bar, FX_OFFER_WORKED_ON);
    fx_clock_set_mock(mined + 61);
    offer = offer_of(&play, 0, &other, 1);
    FX_CHECK_INT(offer.bar, FX_OFFER_FREE);
    FX_CHECK(offer.overdue);
    FX_CHECK_INT(offer.place, 0); /* the worker had its turn */
    world_mine_inside(&play.origins[0], NULL, 0);
    FX_CHECK_INT(offer_of(&play, 0, &other, 1).bar, FX_OFFER_FREE);
    /* A slower asker is as patient as it would be with itself. */
    fx_clock_set_mock(mined + 61);
    FX_CHECK_INT(offer_of(&play, 0, &other, 0.01).bar, FX_OFFER_WORKED_ON);
    play_close(&play);
}

/* Each task is the first choice of exactly one of the solvers that were seen of late; and each
 * solver begins with its own. */
FX_TEST(solvers_spread)
{
    struct play play;
    struct fx_hash keys[3];
    unsigned first[PLAY_TASKS] = {0};

    play_open(&play, 512, 512, 256, 1);
    world_mine(600);
    FX_CHECK_INT(play.n, 16);
    keys[0] = play.world->solver;
    for (unsigned i = 0; i < 3; i++) {
        keys[i] = i == 0 ? play.world->solver : other_key(i);
        play.world->solver = keys[i];
        world_mine_inside(&play.origins[0], NULL, 0);
    }
    fx_clock_set_mock(fx_clock_now() + 3600); /* nobody is at work on the first any more */
    for (unsigned i = 0; i < 3; i++) {
        struct fx_offer *offers;
        size_t n = book(&play, &keys[i], 1, false, &offers), own = 0;

        FX_CHECK_INT(n, 16);
        for (size_t o = 0; o < n; o++) {
            for (size_t t = 0; t < play.n; t++) {
                if (fx_outpoint_equal(&offers[o].origin, &play.origins[t]) && t > 0) {
                    first[t] += offers[o].place == 0 ? 1 : 0;
                }
            }
            own += offers[o].place == 0 ? 1 : 0;
            FX_CHECK(o == 0 || offers[o - 1].place <= offers[o].place);
        }
        FX_CHECK(own > 0);
        free(offers);
    }
    for (size_t t = 1; t < play.n; t++) {
        FX_CHECK_INT(first[t], 1);
    }
    play.world->solver = keys[0];
    play_close(&play);
}

/* Where each task stands in a solver's book, and how many solvers come before it there. */
struct standing {
    size_t at[PLAY_TASKS];
    unsigned place[PLAY_TASKS];
};

static struct standing standing_of(const struct play *play, const struct fx_hash *solver)
{
    struct standing standing;
    struct fx_offer *offers;
    size_t n = book(play, solver, 1, false, &offers);

    memset(&standing, 0, sizeof standing);
    FX_CHECK_INT(n, play->n);
    for (size_t o = 0; o < n; o++) {
        for (size_t t = 0; t < play->n; t++) {
            if (fx_outpoint_equal(&offers[o].origin, &play->origins[t])) {
                standing.at[t] = o;
                standing.place[t] = offers[o].place;
            }
        }
    }
    free(offers);
    return standing;
}

static size_t first_of(const struct standing *all, size_t n, size_t task)
{
    size_t i = 0;

    while (i < n && all[i].place[task] != 0) {
        i++;
    }
    FX_CHECK(i < n);
    return i;
}

/* A solver goes through its own tasks in its own order, through those that it is the second for
 * from the end of their first's, and through all others in its own again: three that share what is
 * left of a job do not go for the same task. */
FX_TEST(solvers_go_different_ways)
{
    struct play play;
    struct fx_hash keys[3];
    struct standing alone[3], among[3];

    play_open(&play, 512, 512, 256, 1);
    world_mine(600);
    for (unsigned i = 0; i < 3; i++) {
        keys[i] = i == 0 ? play.world->solver : other_key(i);
        alone[i] = standing_of(&play, &keys[i]);
    }
    for (unsigned i = 0; i < 3; i++) {
        play.world->solver = keys[i];
        world_mine_inside(&play.origins[0], NULL, 0);
    }
    fx_clock_set_mock(fx_clock_now() + 3600); /* nobody is at work on the first any more */
    for (unsigned i = 0; i < 3; i++) {
        among[i] = standing_of(&play, &keys[i]);
    }
    for (unsigned i = 0; i < 3; i++) {
        for (size_t s = 1; s < play.n; s++) {
            for (size_t t = 1; t < play.n; t++) {
                unsigned place = among[i].place[s];
                size_t first = first_of(among, 3, s);
                bool before = among[i].at[s] < among[i].at[t];

                if (s == t || among[i].place[t] != place) {
                    continue;
                }
                if (place != 1) {
                    FX_CHECK(before == (alone[i].at[s] < alone[i].at[t]));
                } else if (first == first_of(among, 3, t)) {
                    FX_CHECK(before == (alone[first].at[s] > alone[first].at[t]));
                }
            }
        }
    }
    play.world->solver = keys[0];
    play_close(&play);
}

/* ---- exclusive slots --------------------------------------------------------------------- */

/* With no job-lane block to draw from. */
FX_TEST(slot_of_anyone)
{
    struct play play;
    struct fx_hash other = other_key(0);

    play_open(&play, 128, 128, 256, 1);
    world_mine(600);
    submit_more(&play, 1000000, 3);
    FX_CHECK_INT(offer_of(&play, 0, &other, 0).slot, FX_SLOT_WAITS);
    FX_CHECK_INT(offer_of(&play, 0, &other, 0).bar, FX_OFFER_EXCLUSIVE);
    world_mine(600);
    FX_CHECK_INT(offer_of(&play, 0, &other, 0).slot, FX_SLOT_ANYONE);
    FX_CHECK_INT(offer_of(&play, 0, &other, 0).bar, FX_OFFER_FREE);
    play_close(&play);
}

FX_TEST(slot_of_one)
{
    struct play play;
    struct fx_hash other = other_key(0), own;
    struct fx_offer *offers, offer;
    uint32_t end;

    play_open(&play, 128, 128, 256, 1);
    world_mine(600);
    own = play.world->solver;
    world_mine_inside(&play.origins[0], NULL, 0);
    world_mine(600);
    submit_more(&play, 500000, 3); /* half of what the first pays */
    end = play.world->tip->height + 3;
    world_mine(600);
    offer = offer_of(&play, 0, &other, 1);
    FX_CHECK_INT(offer.slot, FX_SLOT_OTHER);
    FX_CHECK_INT(offer.slot_end, end);
    FX_CHECK(fx_hash_equal(&offer.assignee, &own));
    FX_CHECK_INT(offer.bar, FX_OFFER_EXCLUSIVE);
    /* Its own slots go before all else, where they can be used. */
    FX_CHECK_INT(book(&play, &own, 1, false, &offers), 2);
    FX_CHECK(fx_outpoint_equal(&offers[0].origin, &play.origins[0]));
    FX_CHECK_INT(offers[0].slot, FX_SLOT_OWN);
    free(offers);
    FX_CHECK_INT(book(&play, &own, 0.0005, false, &offers), 2); /* 2,000 s are more than is left */
    FX_CHECK_INT(offers[1].slot, FX_SLOT_OWN);
    free(offers);
    world_mine(600);
    FX_CHECK_INT(offer_of(&play, 0, &other, 1).slot, FX_SLOT_OTHER);
    world_mine(600); /* the next block is the first that anybody may claim in */
    FX_CHECK_INT(offer_of(&play, 0, &other, 1).slot, FX_SLOT_NONE);
    FX_CHECK_INT(offer_of(&play, 0, &other, 1).bar, FX_OFFER_FREE);
    play_close(&play);
}

static struct fx_solver_info solver_info(const struct play *play, const struct fx_hash *key)
{
    const struct fx_solver_info *list;
    size_t n = fx_jobs_solvers(play->world->jobs, &list);

    for (size_t i = 0; i < n; i++) {
        if (fx_hash_equal(&list[i].key, key)) {
            return list[i];
        }
    }
    FX_FAIL("the solver is not known");
}

FX_TEST(three_missed_slots)
{
    struct play play;
    struct fx_solver_info info;
    struct fx_exclusive_outlook outlook;

    play_open(&play, 128, 128, 256, 1);
    world_mine(600);
    fx_jobs_outlook(play.world->jobs, 1, &outlook);
    FX_CHECK_INT(outlook.chances, 0);
    FX_CHECK_INT(outlook.proposed, 0);
    world_mine_inside(&play.origins[0], NULL, 0);
    fx_jobs_outlook(play.world->jobs, 1, &outlook);
    FX_CHECK_INT(outlook.chances, 1);
    FX_CHECK_INT(outlook.unavailable, 0);
    FX_CHECK_INT(outlook.proposed, 6);
    for (unsigned missed = 1; missed <= 3; missed++) {
        submit_more(&play, 1000000, 2);
        world_mine(600);
        info = solver_info(&play, &play.world->solver);
        FX_CHECK_INT(info.missed, missed - 1);
        FX_CHECK(info.available);
        world_mine(600);
        info = solver_info(&play, &play.world->solver);
        FX_CHECK_INT(info.slots, missed);
        FX_CHECK_INT(info.missed, missed);
    }
    FX_CHECK(!info.available);
    FX_CHECK_INT(info.blocks, 1);
    fx_jobs_outlook(play.world->jobs, 1, &outlook);
    FX_CHECK_INT(outlook.unavailable, 1);
    FX_CHECK_INT(outlook.proposed, 0);
    world_disconnect(); /* the third slot is not over then */
    FX_CHECK(solver_info(&play, &play.world->solver).available);
    world_reconnect();
    FX_CHECK(!solver_info(&play, &play.world->solver).available);
    /* A claim in the next slot, and it is back. */
    submit_more(&play, 1000000, 2);
    world_mine(600);
    play_solve(&play, 0, false, true);
    play_claim(&play, 0, FX_BURN_NONE, 0);
    world_mine(600);
    info = solver_info(&play, &play.world->solver);
    FX_CHECK_INT(info.slots, 3);
    FX_CHECK_INT(info.missed, 2);
    FX_CHECK(info.available);
    FX_CHECK_INT(info.claims, 1);
    FX_CHECK_INT(info.bricks, 1);
    play_check(&play, 0);
    play_close(&play);
}

/* Bricks claimed after the first claim, over the time since. */
FX_TEST(speed_of_a_solver)
{
    struct play play;

    play_open(&play, 256, 256, 512, 1);
    world_mine(600);
    for (size_t i = 0; i < 3; i++) {
        play_solve(&play, i, false, true);
        play_claim(&play, i, FX_BURN_NONE, 0);
        world_mine(100);
        play_check(&play, i);
    }
    FX_CHECK_INT(solver_info(&play, &play.world->solver).bricks, 6);
    FX_CHECK_INT((int64_t)(solver_info(&play, &play.world->solver).speed * 1000), 20);
    play_close(&play);
}
