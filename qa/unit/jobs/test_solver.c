/* Operands, claims, and what they put at stake. Every transaction is judged by the rules when it is
 * submitted to the world. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/jobs/play.h"
#include "src/util/amount.h"

FX_TEST(want_operands)
{
    struct play play;
    struct fx_jobs_error error;
    struct fx_outpoint other;

    play_open(&play, 128, 128, 256, 0);
    FX_CHECK(!fx_jobs_want_operands(play.world->jobs, &play.origins[0], &error));
    world_mine(100);
    FX_CHECK(fx_jobs_want_operands(play.world->jobs, &play.origins[0], &error));
    FX_CHECK_INT(play.world->fetched, 0);
    FX_CHECK(play_task(&play, 0).operands_here);
    world_drop_operands();
    FX_CHECK(!play_task(&play, 0).operands_here);
    FX_CHECK(fx_jobs_want_operands(play.world->jobs, &play.origins[0], &error));
    FX_CHECK_INT(play.world->fetched, 2);
    other = play.origins[0];
    other.txid.b[0] ^= 1;
    FX_CHECK(!fx_jobs_want_operands(play.world->jobs, &other, &error));
    FX_CHECK_INT(error.code, -8);
    play_close(&play);
}

FX_TEST(claim)
{
    struct play play;
    struct fx_task_info info;
    const struct fx_tx *const *txs;

    play_open(&play, 128, 128, 256, 0);
    world_mine(100);
    play_solve(&play, 0, false, true);
    play_claim(&play, 0, FX_BURN_AUTO, 0);
    FX_CHECK_INT(world_mempool(&txs), 1);
    FX_CHECK_INT(txs[0]->out[0].value, play.quote.escrow + FX_DEPOSIT);
    FX_CHECK_INT(play_task(&play, 0).status, FX_STATUS_OPEN);
    world_mine(100);
    info = play_task(&play, 0);
    FX_CHECK_INT(info.status, FX_STATUS_CLAIMED);
    FX_CHECK_INT(info.bond, FX_DEPOSIT);
    FX_CHECK_INT(info.burn, info.escrow / 2);
    FX_CHECK(info.is_solver);
    world_run();
    FX_CHECK(fx_hash_equal(&play.world->announced_result, &play.roots[0]));
    play_close(&play);
}

static void refused_task(struct play *play, size_t task, const struct fx_hash *result,
                         enum fx_burn burn, int64_t amount, int code, const char *text)
{
    struct fx_jobs_error error;
    struct fx_hash txid;

    FX_CHECK(!fx_jobs_claim(play->world->jobs, NULL, &play->origins[task], result, burn, amount,
                            &txid, &error));
    FX_CHECK_STR(error.text, text);
    FX_CHECK_INT(error.code, code);
}

static void refused(struct play *play, const struct fx_hash *result, enum fx_burn burn,
                    int64_t amount, int code, const char *text)
{
    refused_task(play, 0, result, burn, amount, code, text);
}

FX_TEST(claim_refused)
{
    struct play play;
    struct fx_task_info info;
    struct fx_hash root;

    play_open(&play, 256, 128, 256, 1);
    root = play.part.root_a;
    refused(&play, &root, FX_BURN_NONE, 0, -4, "The task is not mined yet");
    world_mine(100);
    refused(&play, &root, FX_BURN_NONE, 0, -8,
            "The result was not uploaded under the solver's key");
    play_solve(&play, 0, false, false);
    refused(&play, &play.roots[0], FX_BURN_NONE, 0, -8,
            "The result was not uploaded under the solver's key");
    play_solve(&play, 0, false, true);
    refused(&play, &play.roots[0], FX_BURN_AMOUNT, play.quote.escrow + 1, -8,
            "A claim burns at most the escrow, 1000000 embers");
    refused(&play, &play.roots[0], FX_BURN_AMOUNT, -1, -8,
            "A claim burns at most the escrow, 1000000 embers");
    info = play_task(&play, 0);
    root = world_add_result(&info.shape, play.results[0], &play.world->keys[0].xonly, true);
    refused(&play, &root, FX_BURN_NONE, 0, -8,
            "The result was not uploaded under the solver's key");
    play.world->poor = true;
    refused(&play, &play.roots[0], FX_BURN_NONE, 0, -6,
            "Insufficient funds: a claim needs coins for its bond, 0.02000000 FNX, and a fee");
    play.world->poor = false;
    play_claim(&play, 0, FX_BURN_NONE, 0);
    refused(&play, &play.roots[0], FX_BURN_NONE, 0, -4,
            "The task was taken meanwhile: a transaction that spends it waits in the mempool");
    world_mine(100);
    refused(&play, &play.roots[0], FX_BURN_NONE, 0, -4,
            "The task was taken meanwhile: it is claimed");
    play_close(&play);
}

/* A claim leaves coins for eight answers of each open claim. */
FX_TEST(a_claim_keeps_coins_for_answers)
{
    const int64_t bond = FX_DEPOSIT, fee = 330, eight = 8 * 16672;
    struct play play;

    play_open(&play, 256, 128, 256, 1);
    world_mine(100);
    play_solve(&play, 0, false, true);
    play_solve(&play, 1, false, true);
    play.world->trusted = bond + fee + eight - 1;
    refused_task(&play, 0, &play.roots[0], FX_BURN_NONE, 0, -6,
                 "Insufficient funds: a claim needs 0.02133706 FNX, of which 0.00133376 stay for "
                 "answers to challenges of open claims, and the wallet has 0.02133705: send coins "
                 "to it, or wait until claims are settled");
    play.world->trusted++;
    play_claim(&play, 0, FX_BURN_NONE, 0);
    /* The first claim counts from the mempool on, and on the chain. */
    play.world->no_client = true;
    for (unsigned mined = 0; mined < 2; mined++) {
        play.world->trusted = bond + fee + 2 * eight - 1;
        refused_task(&play, 1, &play.roots[1], FX_BURN_NONE, 0, -6,
                     "Insufficient funds: a claim needs 0.02267082 FNX, of which 0.00266752 stay "
                     "for answers to challenges of open claims, and the wallet has 0.02267081: "
                     "send coins to it, or wait until claims are settled");
        world_mine(100);
    }
    play.world->trusted++;
    play_claim(&play, 1, FX_BURN_NONE, 0);
    play_close(&play);
}

/* A claim of the last task is refused for what stays for the answers of these many claims. */
static void reserves(struct play *play, unsigned claims)
{
    char keeps[FX_AMOUNT_TEXT], want[64];
    struct fx_jobs_error error;
    struct fx_hash txid;

    fx_amount_format((int64_t)claims * 8 * 16672, keeps);
    snprintf(want, sizeof want, "of which %s stay", keeps);
    play->world->trusted = FX_DEPOSIT;
    FX_CHECK(!fx_jobs_claim(play->world->jobs, NULL, &play->origins[play->n - 1],
                            &play->roots[play->n - 1], FX_BURN_NONE, 0, &txid, &error));
    FX_CHECK(strstr(error.text, want) != NULL);
    play->world->trusted = 0;
}

FX_TEST(the_claims_of_a_solver_come_and_go)
{
    struct play play;

    play_open(&play, 512, 128, 256, 1);
    FX_CHECK_INT(play.n, 4);
    world_mine(100);
    for (size_t i = 0; i < 4; i++) {
        play_solve(&play, i, false, true);
    }
    for (unsigned i = 0; i < 3; i++) {
        reserves(&play, i + 1);
        play_claim(&play, i, FX_BURN_NONE, 0);
    }
    world_evict();
    reserves(&play, 1);
    for (unsigned i = 0; i < 3; i++) {
        play_claim(&play, i, FX_BURN_NONE, 0);
        world_mine(100);
        reserves(&play, i + 2);
    }
    world_disconnect();
    reserves(&play, 3);
    world_reconnect();
    reserves(&play, 4);
    for (unsigned i = 0; i < 3; i++) {
        play_check(&play, i);
    }
    world_mine(100);
    reserves(&play, 1);
    world_disconnect();
    reserves(&play, 4);
    world_stop();
    world_start();
    reserves(&play, 4);
    play_close(&play);
}

/* A claim's change waits for a block: the wallet is to keep other coins. */
FX_TEST(a_claim_spares_the_last_coin)
{
    struct play play;
    const struct fx_tx *const *txs;
    const struct fx_tx *claim;
    int64_t fee;

    play_open(&play, 128, 128, 256, 0);
    world_mine(100);
    play_solve(&play, 0, false, true);
    FX_CHECK_INT(play.world->split, 0);
    play_claim(&play, 0, FX_BURN_NONE, 0);
    FX_CHECK_INT(world_mempool(&txs), 1);
    claim = txs[0];
    fee = play.world->split - FX_DEPOSIT; /* beside the bond */
    FX_CHECK(fee >= (int64_t)fx_tx_vsize(claim) - 43 && fee < (int64_t)fx_tx_vsize(claim) + 43);
    play_close(&play);
}

/* No answer is sent whose fee is above what it saves: bond and escrow, less what is burned. */
FX_TEST(a_claim_keeps_no_more_than_is_at_stake)
{
    const int64_t bond = FX_DEPOSIT, escrow = 1000000, burn = 400000;
    const int64_t stake = bond + escrow - burn, fee = 330000, other = bond + escrow;
    struct play play;

    play_open(&play, 256, 128, 256, 1);
    world_mine(100);
    play_solve(&play, 0, false, true);
    play_solve(&play, 1, false, true);
    play.world->fee_rate = 1000000; /* an answer of 16.7 kvB: six times the stake */
    play.world->trusted = bond + fee + 8 * stake - 1;
    refused_task(&play, 0, &play.roots[0], FX_BURN_AMOUNT, burn, -6,
                 "Insufficient funds: a claim needs 0.23130000 FNX, of which 0.20800000 stay for "
                 "answers to challenges of open claims, and the wallet has 0.23129999: send coins "
                 "to it, or wait until claims are settled");
    play.world->trusted++;
    play_claim(&play, 0, FX_BURN_AMOUNT, burn);
    /* The claim's own burn counts, in the mempool and on the chain. */
    for (unsigned mined = 0; mined < 2; mined++) {
        play.world->trusted = bond + fee + 8 * (stake + other) - 1;
        refused_task(&play, 1, &play.roots[1], FX_BURN_NONE, 0, -6,
                     "Insufficient funds: a claim needs 0.47130000 FNX, of which 0.44800000 stay "
                     "for answers to challenges of open claims, and the wallet has 0.47129999: "
                     "send coins to it, or wait until claims are settled");
        world_mine(100);
    }
    play.world->trusted++;
    play_claim(&play, 1, FX_BURN_NONE, 0);
    play_close(&play);
}

/* The quarter of a large escrow is the bond; all of it may be burned. */
FX_TEST(large_escrow_all_burned)
{
    struct play play;
    struct fx_jobs_error error;
    struct fx_hash id;
    struct fx_task_info *infos, info;
    const struct fx_tx *const *txs;
    int64_t paid;

    play_open(&play, 128, 128, 256, 0);
    play.request.reward = 1000000003;
    FX_CHECK(fx_jobs_submit(play.world->jobs, NULL, &play.request, &id, &play.quote, &error) ||
             (world_mine(100),
              fx_jobs_submit(play.world->jobs, NULL, &play.request, &id, &play.quote, &error)));
    world_mine(100);
    FX_CHECK_INT(fx_jobs_tasks(play.world->jobs, &(struct fx_task_filter){.job = &id}, &infos), 1);
    play.origins[0] = infos[0].origin;
    free(infos);
    play_solve(&play, 0, false, true);
    play_claim(&play, 0, FX_BURN_AMOUNT, 1000000003);
    world_mine(100);
    FX_CHECK_INT(play_task(&play, 0).bond, 250000001);
    play_check(&play, 0);
    FX_CHECK_INT(world_mempool(&txs), 1);
    paid = txs[0]->out[0].value;
    FX_CHECK(paid < 250000001 && paid > 250000001 - 1000);
    world_mine(100);
    info = play_task(&play, 0);
    FX_CHECK_INT(info.status, FX_STATUS_SETTLED);
    FX_CHECK_INT(info.burn, 1000000003);
    play_close(&play);
}

FX_TEST(backing)
{
    struct play play;
    struct fx_outpoint *origins;
    uint64_t credit, burns;
    size_t n;

    play_open(&play, 256, 256, 512, 1);
    world_mine(100);
    for (size_t i = 0; i < 3; i++) {
        play_solve(&play, i, false, true);
        play_claim(&play, i, FX_BURN_AMOUNT, 10 + (int64_t)i);
    }
    n = fx_jobs_backing(play.world->jobs, &play.world->solver, &origins, &credit, &burns);
    FX_CHECK_INT(n, 0);
    free(origins);
    world_mine(100);
    play_check(&play, 0);
    world_mine(100);
    play_check(&play, 1);
    play_check(&play, 2);
    world_mine(100);
    n = fx_jobs_backing(play.world->jobs, &play.world->solver, &origins, &credit, &burns);
    FX_CHECK_INT(n, 3);
    FX_CHECK_INT(credit, 6);
    FX_CHECK_INT(burns, 33);
    FX_CHECK(fx_outpoint_equal(&origins[0], &play.origins[0]));
    world_mine_inside(&play.origins[3], origins, 2);
    free(origins);
    n = fx_jobs_backing(play.world->jobs, &play.world->solver, &origins, &credit, &burns);
    FX_CHECK_INT(n, 1);
    FX_CHECK_INT(burns, 12);
    free(origins);
    n = fx_jobs_backing(play.world->jobs, &play.world->keys[0].xonly, &origins, &credit, &burns);
    FX_CHECK_INT(n, 0);
    free(origins);
    world_disconnect();
    n = fx_jobs_backing(play.world->jobs, &play.world->solver, &origins, &credit, &burns);
    FX_CHECK_INT(n, 3);
    free(origins);
    play_close(&play);
}
