/* Fraud, challenge, answer, expire and reject, by themselves. Every transaction is judged by the
 * rules when it is submitted to the world. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/jobs/play.h"
#include "src/iface/market.h"
#include "src/util/mem.h"

#define WINDOW 512 /* seconds: the least of regtest */

static size_t in_mempool(void)
{
    const struct fx_tx *const *txs;

    return world_mempool(&txs);
}

/* The one transaction of the mempool, and its action. */
static const struct fx_tx *the_spend(enum fx_task_action action)
{
    const struct fx_tx *const *txs;

    FX_CHECK_INT(world_mempool(&txs), 1);
    FX_CHECK_INT(txs[0]->in[0].witness[0].data[0], action);
    return txs[0];
}

/* A claim of a task of six tiles, of whose result the client's node has nothing. */
static void open_withheld(struct play *play)
{
    play_open(play, 300, 200, 256, 3);
    world_mine(100);
    play_solve(play, 0, false, true);
    play_claim(play, 0, FX_BURN_AMOUNT, 500);
    play_solve(play, 0, false, false);
    play->world->no_solver = true; /* it does not answer before a test lets it */
    world_mine(100);
    world_run();
    FX_CHECK_INT(play_task(play, 0).check, FX_CHECK_FETCHING);
}

static void open_wrong(struct play *play)
{
    play_open(play, 200, 128, 600, 2);
    world_mine(100);
    play_solve(play, 0, true, true);
    play_claim(play, 0, FX_BURN_AMOUNT, 500);
    world_mine(100);
    play_check(play, 0);
}

/* The world's claims have one wallet as client and solver: where the solver is to act, it answers
 * from its own store. */
static void answer(struct play *play)
{
    struct fx_blob_key key = {FX_BLOB_RESULT, play->roots[0], play->world->solver};
    struct fx_blob_shape shape;
    uint64_t chunks, have;

    FX_CHECK(fx_blobs_info(NULL, &key, &shape, &chunks, &have));
    play_solve(play, 0, false, true);
    play->world->no_solver = false;
    play->world->no_client = true;
    world_run();
    the_spend(FX_ACTION_ANSWER);
    play_solve(play, 0, false, false);
    fx_blobs_expect(NULL, &key, &shape);
    play->world->no_solver = true;
    play->world->no_client = false;
}

FX_TEST(fraud_by_the_client)
{
    struct play play;
    struct fx_task_info info;
    const struct fx_tx *tx;
    struct fx_hash txid;
    int64_t half;
    char *before, *after;

    open_wrong(&play);
    tx = the_spend(FX_ACTION_FRAUD);
    txid = tx->txid;
    half = play_task(&play, 0).bond / 2;
    FX_CHECK_INT(tx->in[0].n_witness, 5);
    FX_CHECK_INT(tx->in[0].witness[1].len, 0);
    FX_CHECK_INT(fx_load_u32(tx->in[0].witness[2].data), 3);
    FX_CHECK_INT(fx_load_u32(tx->in[0].witness[2].data + 4), 5);
    FX_CHECK_INT(tx->out[0].value, play.quote.escrow);
    FX_CHECK_INT(tx->out[1].value, half - (int64_t)fx_tx_vsize(tx));
    before = world_dump();
    world_mine(100);
    info = play_task(&play, 0);
    FX_CHECK_INT(info.status, FX_STATUS_OPEN);
    FX_CHECK_INT(info.restored, 1);
    FX_CHECK_INT(info.reason, FX_REASON_WRONG);
    FX_CHECK_INT(info.n_events, 1);
    FX_CHECK_INT(info.events[0].action, FX_ACTION_FRAUD);
    FX_CHECK(fx_hash_equal(&info.events[0].txid, &txid));
    FX_CHECK(fx_hash_equal(&info.events[0].solver, &play.world->solver));
    FX_CHECK(fx_hash_equal(&info.outpoint.txid, &txid));
    FX_CHECK_INT(info.escrow, play.quote.escrow);
    FX_CHECK_INT(info.check, FX_CHECK_NONE);
    /* Undone by a reorganisation, and made again; and as a fresh book has it. */
    world_disconnect();
    after = world_dump();
    FX_CHECK_STR(after, before);
    free(before);
    free(after);
    world_run();
    the_spend(FX_ACTION_FRAUD);
    world_mine(100);
    before = world_dump();
    world_stop();
    world_start();
    after = world_dump();
    FX_CHECK_STR(after, before);
    free(before);
    free(after);
    play_close(&play);
}

FX_TEST(restored_is_claimed_mined_and_settled)
{
    struct play play;
    struct fx_task_info info;

    open_wrong(&play);
    world_mine(100);
    world_mine_inside(&play.origins[0], NULL, 0);
    info = play_task(&play, 0);
    FX_CHECK_INT(info.n_blocks, 1);
    play_solve(&play, 0, false, true);
    play_claim(&play, 0, FX_BURN_NONE, 0);
    world_mine(100);
    play_check(&play, 0);
    FX_CHECK_INT(play_task(&play, 0).check, FX_CHECK_RIGHT);
    FX_CHECK(play_task(&play, 0).certified);
    the_spend(FX_ACTION_ACCEPT);
    world_mine(100);
    info = play_task(&play, 0);
    FX_CHECK_INT(info.status, FX_STATUS_SETTLED);
    FX_CHECK_INT(info.restored, 1);
    play_close(&play);
}

FX_TEST(restored_is_refunded)
{
    struct play play;
    const struct fx_tx *tx;

    open_wrong(&play);
    world_mine(86400);
    world_mine(100);
    world_run();
    tx = the_spend(FX_ACTION_REFUND);
    FX_CHECK_INT(tx->out[0].value, play.quote.escrow - (int64_t)fx_tx_vsize(tx));
    world_mine(100);
    FX_CHECK_INT(play_task(&play, 0).status, FX_STATUS_REFUNDED);
    play_close(&play);
}

/* A stranger's node does the same where it is asked to watch, and only there. */
FX_TEST(fraud_by_a_watcher)
{
    struct play play;

    open_wrong(&play);
    world_evict();
    world_stop();
    play.world->no_client = play.world->no_solver = true;
    world_start();
    world_mine(100);
    world_run();
    FX_CHECK_INT(in_mempool(), 0);
    world_stop();
    play.world->watch = true;
    world_start();
    world_run();
    FX_CHECK_INT(the_spend(FX_ACTION_FRAUD)->in[0].witness[1].len, 0);
    world_mine(100);
    FX_CHECK_INT(play_task(&play, 0).restored, 1);
    play_close(&play);
}

FX_TEST(watcher_fetches_and_drops)
{
    struct play play;
    struct fx_blob_key key;

    play_open(&play, 200, 128, 600, 2);
    world_mine(100);
    play_solve(&play, 0, false, true);
    play_claim(&play, 0, FX_BURN_NONE, 0);
    play_solve(&play, 0, false, false);
    world_stop();
    play.world->no_client = play.world->no_solver = play.world->watch = true;
    world_start();
    world_mine(100);
    world_run();
    FX_CHECK_INT(play.world->fetched, 1);
    world_complete_result(&play.roots[0]);
    play_check(&play, 0);
    FX_CHECK_INT(play_task(&play, 0).check, FX_CHECK_RIGHT);
    FX_CHECK_INT(play.world->certs, 0);
    FX_CHECK_INT(in_mempool(), 0);
    key.type = FX_BLOB_RESULT;
    key.root = play.roots[0];
    key.solver = play.world->solver;
    FX_CHECK_INT(fx_blobs_state(NULL, &key), FX_BLOB_ABSENT);
    play_close(&play);
}

/* A fraud proof goes over a take that waits in the mempool. */
FX_TEST(fraud_replaces_a_take)
{
    struct play play;

    open_wrong(&play);
    world_evict();
    play.world->no_client = true;
    world_mine(WINDOW + 100);
    world_run();
    if (in_mempool() == 1) { /* the samples missed the wrong entry */
        the_spend(FX_ACTION_TAKE);
        play.world->no_client = false;
        world_mine_empty(1);
        world_run();
        the_spend(FX_ACTION_FRAUD);
    }
    play_close(&play);
}

FX_TEST(challenge_answer_deliver)
{
    struct play play;
    struct fx_market_info market;
    struct fx_task_info info;
    const struct fx_tx *tx;
    int64_t value;

    open_withheld(&play);
    world_mine(WINDOW / 4 - 1);
    world_run();
    FX_CHECK_INT(in_mempool(), 0);
    world_mine(1);
    world_run();
    tx = the_spend(FX_ACTION_CHALLENGE);
    value = play.quote.escrow + play_task(&play, 0).bond;
    FX_CHECK_INT(tx->out[0].value, value + FX_DEPOSIT);
    FX_CHECK(fx_load_u32(tx->in[0].witness[2].data) < 6);
    world_mine(10);
    info = play_task(&play, 0);
    FX_CHECK_INT(info.status, FX_STATUS_CHALLENGED);
    FX_CHECK_INT(info.asked, 1);
    FX_CHECK(info.tile < 6);
    answer(&play);
    tx = the_spend(FX_ACTION_ANSWER);
    FX_CHECK_INT(tx->out[0].value, value);
    FX_CHECK_INT(tx->n_in, 2); /* the deposit is burned, a coin of the wallet's pays the fee */
    FX_CHECK(fx_tx_vsize(tx) <= 16696); /* as a claim reckons, solver.c */
    FX_CHECK(fx_tx_vsize(tx) > 16696 - 50);
    fx_jobs_market(play.world->jobs, 1, &market);
    FX_CHECK_INT(market.burned, 0);
    world_mine(10);
    fx_jobs_market(play.world->jobs, 1, &market);
    FX_CHECK_INT(market.burned, FX_DEPOSIT);
    FX_CHECK_INT(market.actions[FX_ACTION_ANSWER].tasks, 1);
    info = play_task(&play, 0);
    FX_CHECK_INT(info.status, FX_STATUS_CLAIMED);
    FX_CHECK_INT(info.n_events, 2);
    FX_CHECK_INT(info.events[1].action, FX_ACTION_ANSWER);
    FX_CHECK(info.claim_height == play.world->tip->height);
    /* Then the rest comes. */
    world_complete_result(&play.roots[0]);
    play_check(&play, 0);
    FX_CHECK(play_task(&play, 0).certified);
    play_close(&play);
}

static void restart(struct play *play, int64_t challenge_above)
{
    world_stop();
    play->world->challenge_above = challenge_above;
    world_start();
    world_run();
}

/* Asking is for escrows above the threshold, to the ember, and as soon as it is lowered. */
FX_TEST(asks_above_the_threshold)
{
    struct play play;
    const char *note = "waits for the result: an escrow of at most 0.01000000 FNX is not worth "
                       "asking for it on the chain";

    open_withheld(&play);
    FX_CHECK_INT(play.quote.escrow, 1000000);
    restart(&play, play.quote.escrow);
    world_mine(WINDOW / 4);
    world_run();
    FX_CHECK_INT(in_mempool(), 0);
    FX_CHECK_STR(play_task(&play, 0).note, note);
    restart(&play, play.quote.escrow - 1);
    world_mine(WINDOW / 4);
    world_run();
    the_spend(FX_ACTION_CHALLENGE);
    play_close(&play);
}

/* Six answers are the whole result of six tiles: each was kept. */
FX_TEST(answers_are_the_result)
{
    struct play play;

    open_withheld(&play);
    for (unsigned i = 0; i < 6; i++) {
        world_mine(WINDOW / 4);
        world_run();
        the_spend(FX_ACTION_CHALLENGE);
        world_mine(10);
        answer(&play);
        world_mine(10);
        world_run();
    }
    play_check(&play, 0);
    FX_CHECK_INT(play_task(&play, 0).check, FX_CHECK_RIGHT);
    FX_CHECK_INT(play_task(&play, 0).asked, 6);
    play_close(&play);
}

FX_TEST(unanswered_expires)
{
    struct play play;
    struct fx_task_info info;
    const struct fx_tx *tx;
    int64_t half;

    open_withheld(&play);
    world_mine(WINDOW / 4);
    world_run();
    world_mine(10);
    half = play_task(&play, 0).bond / 2;
    FX_CHECK_INT(play_task(&play, 0).status, FX_STATUS_CHALLENGED);
    world_mine(WINDOW - 11);
    world_run();
    FX_CHECK_INT(in_mempool(), 0);
    world_mine(1);
    world_run();
    tx = the_spend(FX_ACTION_EXPIRE);
    FX_CHECK_INT(tx->in[0].sequence, (1u << 22) | 1);
    FX_CHECK_INT(tx->out[0].value, play.quote.escrow);
    FX_CHECK_INT(tx->out[1].value, half + FX_DEPOSIT - (int64_t)fx_tx_vsize(tx));
    world_mine(10);
    info = play_task(&play, 0);
    FX_CHECK_INT(info.status, FX_STATUS_OPEN);
    FX_CHECK_INT(info.reason, FX_REASON_UNANSWERED);
    FX_CHECK_INT(info.restored, 1);
    play_close(&play);
}

/* Certified, and not settled: two windows, and 60 blocks above the beacon. */
FX_TEST(abandoned_expires)
{
    struct play play;
    struct fx_task_info info;

    play_open(&play, 128, 128, 256, 0);
    world_mine(100);
    play_solve(&play, 0, false, true);
    play_claim(&play, 0, FX_BURN_NONE, 0);
    play.world->no_solver = true;
    world_mine(100);
    play_check(&play, 0);
    FX_CHECK(play_task(&play, 0).certified);
    for (unsigned i = 0; i < 59; i++) {
        world_mine(i < 30 ? 1 : 40);
        world_run();
        FX_CHECK_INT(in_mempool(), 0);
    }
    world_mine(1);
    world_run();
    FX_CHECK_INT(the_spend(FX_ACTION_EXPIRE)->in[0].sequence, (1u << 22) | 2);
    world_mine(1);
    info = play_task(&play, 0);
    FX_CHECK_INT(info.status, FX_STATUS_OPEN);
    FX_CHECK_INT(info.reason, FX_REASON_ABANDONED);
    play_close(&play);
}

/* More tiles than there are challenges; the client's node starts again in the middle. */
FX_TEST(eight_answers_and_reject)
{
    struct play play;
    struct fx_task_info info;
    const struct fx_tx *tx;
    int64_t bond;

    play_open(&play, 400, 300, 256, 4);
    world_mine(100);
    play_solve(&play, 0, false, true);
    play_claim(&play, 0, FX_BURN_AMOUNT, 500);
    play_solve(&play, 0, false, false);
    play.world->no_solver = true;
    world_mine(100);
    world_run();
    for (unsigned i = 0; i < 8; i++) {
        world_mine(WINDOW / 4);
        world_run();
        the_spend(FX_ACTION_CHALLENGE);
        world_mine(10);
        answer(&play);
        world_mine(10);
        world_run();
        if (i == 3) {
            world_stop();
            world_start();
            world_run();
        }
    }
    FX_CHECK_INT(play_task(&play, 0).asked, 8);
    bond = play_task(&play, 0).bond;
    world_mine(WINDOW / 4);
    world_run();
    tx = the_spend(FX_ACTION_REJECT);
    FX_CHECK_INT(tx->out[0].value, bond);
    FX_CHECK(memcmp(tx->out[0].script.data + 2, play.world->solver.b, 32) == 0);
    world_mine(10);
    info = play_task(&play, 0);
    FX_CHECK_INT(info.status, FX_STATUS_REJECTED);
    FX_CHECK_INT(info.end_action, FX_ACTION_REJECT);
    FX_CHECK_INT(info.reason, FX_REASON_UNDELIVERED);
    FX_CHECK_INT(info.n_events, 17);
    world_disconnect();
    FX_CHECK_INT(play_task(&play, 0).status, FX_STATUS_CLAIMED);
    FX_CHECK_INT(play_task(&play, 0).n_events, 16);
    play_close(&play);
}

/* The deposit is in the output that the proof frees: only the client may send it. */
FX_TEST(fraud_of_a_challenged_claim)
{
    struct play play;
    const struct fx_tx *tx;
    int64_t half;

    play_open(&play, 300, 200, 256, 3);
    world_mine(100);
    play_solve(&play, 0, true, true);
    play_claim(&play, 0, FX_BURN_NONE, 0);
    play_solve(&play, 0, true, false);
    play.world->no_solver = true;
    world_mine(100);
    world_run();
    world_mine(WINDOW / 4);
    world_run();
    world_mine(10);
    FX_CHECK_INT(play_task(&play, 0).status, FX_STATUS_CHALLENGED);
    half = play_task(&play, 0).bond / 2;
    world_complete_result(&play.roots[0]);
    play_check(&play, 0);
    tx = the_spend(FX_ACTION_FRAUD);
    FX_CHECK_INT(tx->in[0].witness[1].len, 64);
    FX_CHECK_INT(tx->out[1].value, half + FX_DEPOSIT - (int64_t)fx_tx_vsize(tx));
    world_mine(10);
    FX_CHECK_INT(play_task(&play, 0).reason, FX_REASON_WRONG);
    FX_CHECK_INT(play_task(&play, 0).restored, 1);
    play_close(&play);
}

/* A claimed task with a challenge of its client's, which the solver alone goes on with. */
static void open_asked(struct play *play)
{
    open_withheld(play);
    world_mine(WINDOW / 4);
    world_run();
    world_mine(10);
    play_solve(play, 0, false, true);
    play->world->no_solver = false;
    play->world->no_client = true;
}

/* What an answer has beside the task's input, and what it leaves for its fee. */
static int64_t change_of(const struct fx_tx *tx)
{
    FX_CHECK_INT(tx->n_out, 2);
    return tx->out[1].value;
}

/* It takes over the coins of the one in its place: the wallet has no others. */
FX_TEST(stuck_answer_pays_more)
{
    struct play play;
    const struct fx_tx *tx;
    struct fx_outpoint coin;
    int64_t change;

    open_asked(&play);
    world_run();
    play.world->poor = true;
    world_mine_empty(WINDOW / 2 - 11);
    world_run();
    tx = the_spend(FX_ACTION_ANSWER);
    FX_CHECK_INT(tx->n_in, 2);
    coin = tx->in[1].prevout;
    change = change_of(tx);
    world_mine_empty(1);
    world_run();
    tx = the_spend(FX_ACTION_ANSWER);
    FX_CHECK_INT(tx->n_in, 2);
    FX_CHECK(fx_outpoint_equal(&tx->in[1].prevout, &coin));
    FX_CHECK(change_of(tx) < change);
    world_mine(1);
    FX_CHECK_INT(play_task(&play, 0).status, FX_STATUS_CLAIMED);
    play_close(&play);
}

/* No coins for an answer: it is tried again. */
FX_TEST(answer_needs_coins)
{
    struct play play;

    open_asked(&play);
    play.world->poor = true;
    world_run();
    FX_CHECK_INT(in_mempool(), 0);
    play.world->poor = false;
    world_stop();
    world_start();
    world_run();
    the_spend(FX_ACTION_ANSWER);
    play_close(&play);
}

/* Where an answer is dearer than what is lost without it, it waits for lower fees. */
FX_TEST(answer_is_worth_its_fee)
{
    struct play play;
    const struct fx_tx *tx;
    struct fx_task_info info;
    int64_t stake;

    open_asked(&play);
    info = play_task(&play, 0);
    stake = info.bond + info.escrow - info.burn;
    play.world->fee_rate = stake / 16; /* of 16.7 kvB */
    world_run();
    FX_CHECK_INT(in_mempool(), 0);
    play.world->fee_rate = stake / 18;
    world_stop();
    world_start();
    world_run();
    tx = the_spend(FX_ACTION_ANSWER);
    /* It is passed over: no bid is above the stake, and then there is none. */
    world_mine_empty(WINDOW / 2);
    world_run();
    FX_CHECK(the_spend(FX_ACTION_ANSWER) != tx);
    tx = the_spend(FX_ACTION_ANSWER);
    world_mine_empty(WINDOW / 8);
    world_run();
    FX_CHECK(the_spend(FX_ACTION_ANSWER) == tx);
    play_close(&play);
}

/* A challenge bids for one of the few places, what the result is worth at most. */
FX_TEST(stuck_challenge_pays_more)
{
    struct play play;
    int64_t change;

    open_withheld(&play);
    play.world->challenge_rate = 9000;
    world_mine(WINDOW / 4);
    world_run();
    change = change_of(the_spend(FX_ACTION_CHALLENGE));
    world_mine_empty(1);
    world_run();
    FX_CHECK_INT(change_of(the_spend(FX_ACTION_CHALLENGE)), change);
    for (unsigned i = 0; i < 3; i++) {
        world_mine_empty(WINDOW / 8);
        world_run();
        FX_CHECK(change_of(the_spend(FX_ACTION_CHALLENGE)) < change);
        change = change_of(the_spend(FX_ACTION_CHALLENGE));
    }
    play_close(&play);
}

/* A proof without its data is none: the claim goes its other ways. */
FX_TEST(proof_without_data)
{
    struct play play;

    open_wrong(&play);
    world_evict();
    world_drop_operands();
    world_mine_empty(1);
    world_run();
    FX_CHECK_INT(in_mempool(), 0);
    world_mine(2 * WINDOW);
    for (unsigned i = 0; i < 60; i++) {
        world_mine(1);
    }
    world_run();
    the_spend(FX_ACTION_EXPIRE);
    play_close(&play);
}

/* What a claim waited for is given up with it. */
FX_TEST(fetch_ends_with_its_claim)
{
    struct play play;

    open_withheld(&play);
    FX_CHECK_INT(play.world->cancelled, 0);
    world_disconnect();
    world_run();
    world_mine_empty(1);
    world_run();
    FX_CHECK_INT(play_task(&play, 0).status, FX_STATUS_OPEN);
    FX_CHECK_INT(play.world->cancelled, 1);
    play_close(&play);
}

FX_TEST(progress_buys_time)
{
    struct play play;
    struct fx_blob_key key;
    uint8_t *tile = fx_xmalloc(FX_TILE_BYTES), path[FX_BLOB_PATH_MAX * 32];
    struct fx_task_info info;
    struct fx_span span = {tile, FX_TILE_BYTES};
    size_t n;

    open_withheld(&play);
    info = play_task(&play, 0);
    key.type = FX_BLOB_RESULT;
    key.root = play.roots[0];
    key.solver = play.world->solver;
    world_mine(60);
    world_run();
    n = fx_test_result_tile(&info.shape, play.results[0], &play.world->solver, 2, tile, path);
    FX_CHECK_INT(fx_blobs_put(NULL, &key, 2, 0, span, path, n), FX_BLOB_PUT_OK);
    world_run();
    world_mine(90);
    world_run();
    FX_CHECK_INT(in_mempool(), 0);
    /* Half of the window is over, which counts from the block before the claim's. */
    world_mine(20);
    world_run();
    FX_CHECK(the_spend(FX_ACTION_CHALLENGE)->in[0].witness[2].data[0] != 2);
    free(tile);
    play_close(&play);
}

/* No coins for the deposit: said, and tried again. */
FX_TEST(challenge_needs_coins)
{
    struct play play;

    open_withheld(&play);
    play.world->poor = true;
    world_mine(WINDOW / 4);
    world_run();
    FX_CHECK_INT(in_mempool(), 0);
    play_close(&play);
}

/* A settlement that blocks pass over pays more when the client could soon end the claim. */
FX_TEST(stuck_settlement_pays_more)
{
    struct play play;
    int64_t paid;

    play_open(&play, 128, 128, 256, 0);
    world_mine(100);
    play_solve(&play, 0, false, true);
    play_claim(&play, 0, FX_BURN_NONE, 0);
    world_mine(100);
    play_check(&play, 0);
    paid = the_spend(FX_ACTION_ACCEPT)->out[0].value;
    world_mine_empty(100);
    world_run();
    FX_CHECK_INT(the_spend(FX_ACTION_ACCEPT)->out[0].value, paid);
    world_mine_empty(WINDOW - 201);
    world_run();
    FX_CHECK_INT(the_spend(FX_ACTION_ACCEPT)->out[0].value, paid);
    world_mine_empty(1);
    world_run();
    FX_CHECK(the_spend(FX_ACTION_ACCEPT)->out[0].value < paid);
    paid = the_spend(FX_ACTION_ACCEPT)->out[0].value;
    world_run();
    FX_CHECK_INT(the_spend(FX_ACTION_ACCEPT)->out[0].value, paid); /* once a block */
    world_mine(1);
    FX_CHECK_INT(play_task(&play, 0).status, FX_STATUS_SETTLED);
    play_close(&play);
}
