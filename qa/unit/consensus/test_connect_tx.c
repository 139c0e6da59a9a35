/* One transaction against the state. */
#include "consensus/connect.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "qa/unit/consensus/world.h"
#include "qa/unit/harness.h"
#include "src/crypto/ripemd160.h"
#include "src/util/mem.h"

#define HEIGHT 1000

/* Judges what b makes; the records it changes are dropped. fee and burned may be NULL. */
static enum fx_result judge(const struct world *w, const struct fx_txb *b, enum fx_verdict *why,
                            int64_t *fee)
{
    struct fx_connect_context context = world_context(w);
    struct fx_tx *tx = fx_txb_build(b);
    struct fx_connected_tx connected;
    struct fx_record_delta delta;
    enum fx_result result;

    FX_CHECK(tx != NULL);
    fx_record_delta_init(&delta);
    result = fx_connect_tx(&context, tx, &delta, &connected, why);
    if (result == FX_VALID) {
        FX_CHECK_INT(*why, FX_OK);
        if (fee != NULL) {
            *fee = connected.fee;
        }
    } else {
        FX_CHECK(connected.spent == NULL && connected.spends == NULL);
    }
    fx_connected_tx_clear(&connected, tx->n_in);
    fx_record_delta_clear(&delta);
    fx_tx_unref(tx);
    return result;
}

static void expect(const struct world *w, const struct fx_txb *b, enum fx_verdict verdict)
{
    enum fx_verdict why = FX_OK;

    FX_CHECK_INT(judge(w, b, &why, NULL), verdict == FX_OK ? FX_VALID : FX_INVALID);
    FX_CHECK_INT(why, verdict);
}

/* One coin of 1000 embers at this height, and a transaction that spends 900 of it. */
static void spend_one(struct world *w, struct fx_txb *b, uint32_t height, bool coinbase,
                      uint32_t sequence)
{
    uint8_t script[34];
    struct fx_outpoint outpoint;

    world_init(w, HEIGHT);
    world_p2tr(1, script);
    outpoint = world_add_coin(w, 1000, height, coinbase, script, sizeof script);
    fx_txb_init(b);
    fx_txb_add_in(b, &outpoint, sequence);
    fx_txb_add_out(b, 900, script, sizeof script);
}

FX_TEST(the_fee_is_what_is_left)
{
    struct world w;
    struct fx_txb b;
    enum fx_verdict why;
    int64_t fee;

    spend_one(&w, &b, 10, false, FX_SEQUENCE_FINAL);
    FX_CHECK_INT(judge(&w, &b, &why, &fee), FX_VALID);
    FX_CHECK_INT(fee, 100);
    b.out[0].value = 1000;
    FX_CHECK_INT(judge(&w, &b, &why, &fee), FX_VALID);
    FX_CHECK_INT(fee, 0);
    b.out[0].value = 1001;
    expect(&w, &b, FX_BAD_TXNS_IN_BELOWOUT);
    fx_txb_clear(&b);
    world_clear(&w);
}

FX_TEST(inputs_exist)
{
    struct world w;
    struct fx_txb b;
    enum fx_verdict why;

    spend_one(&w, &b, 10, false, FX_SEQUENCE_FINAL);
    b.in[0].prevout.index++;
    expect(&w, &b, FX_BAD_TXNS_INPUTS_MISSINGORSPENT);
    w.coin_fails = true;
    FX_CHECK_INT(judge(&w, &b, &why, NULL), FX_FAILED);
    fx_txb_clear(&b);
    world_clear(&w);
}

FX_TEST(coinbases_mature)
{
    for (uint32_t height = HEIGHT - 101; height <= HEIGHT - 99; height++) {
        struct world w;
        struct fx_txb b;

        spend_one(&w, &b, height, true, FX_SEQUENCE_FINAL);
        expect(&w, &b, height <= HEIGHT - 100 ? FX_OK : FX_BAD_TXNS_PREMATURE_SPEND);
        fx_txb_clear(&b);
        world_clear(&w);
    }
}

FX_TEST(input_values_are_in_range)
{
    struct world w;
    struct fx_txb b;
    struct fx_outpoint second;

    spend_one(&w, &b, 10, false, FX_SEQUENCE_FINAL);
    w.coins[0].coin.value = w.params->max_money + 1;
    expect(&w, &b, FX_BAD_TXNS_INPUTVALUES_OUTOFRANGE);
    w.coins[0].coin.value = w.params->max_money;
    expect(&w, &b, FX_OK);
    second = world_add_coin(&w, 1, 10, false, "\x51", 1);
    fx_txb_add_in(&b, &second, FX_SEQUENCE_FINAL);
    expect(&w, &b, FX_BAD_TXNS_INPUTVALUES_OUTOFRANGE);
    /* Each is, whatever they come to. */
    w.coins[1].coin.value = -1;
    expect(&w, &b, FX_BAD_TXNS_INPUTVALUES_OUTOFRANGE);
    fx_txb_clear(&b);
    world_clear(&w);
}

FX_TEST(output_values_are_in_range)
{
    struct world w;
    struct fx_txb b;

    spend_one(&w, &b, 10, false, FX_SEQUENCE_FINAL);
    b.out[0].value = -1;
    expect(&w, &b, FX_BAD_TXNS_TXOUTTOTAL_TOOLARGE);
    b.out[0].value = INT64_MAX;
    fx_txb_add_out(&b, INT64_MAX, "", 0);
    expect(&w, &b, FX_BAD_TXNS_TXOUTTOTAL_TOOLARGE);
    /* Each is, whatever they come to, and so is the sum. */
    b.out[0].value = 2;
    b.out[1].value = -1;
    expect(&w, &b, FX_BAD_TXNS_TXOUTTOTAL_TOOLARGE);
    b.out[0].value = b.out[1].value = w.params->max_money;
    expect(&w, &b, FX_BAD_TXNS_TXOUTTOTAL_TOOLARGE);
    fx_txb_clear(&b);
    world_clear(&w);
}

/* BIP68 by height: `lock` blocks after the coin's. */
FX_TEST(relative_locks_in_blocks)
{
    for (uint32_t lock = 89; lock <= 91; lock++) {
        struct world w;
        struct fx_txb b;

        spend_one(&w, &b, HEIGHT - 90, false, lock);
        expect(&w, &b, lock <= 90 ? FX_OK : FX_BAD_TXNS_NONFINAL);
        b.in[0].sequence |= 0x00010000; /* a bit without a meaning */
        expect(&w, &b, lock <= 90 ? FX_OK : FX_BAD_TXNS_NONFINAL);
        b.in[0].sequence |= FX_SEQUENCE_LOCK_DISABLE;
        expect(&w, &b, FX_OK);
        b.in[0].sequence = lock;
        b.version = 1;
        expect(&w, &b, FX_OK);
        b.version = -1; /* as an unsigned number, which is how it counts, it is above 1 */
        expect(&w, &b, lock <= 90 ? FX_OK : FX_BAD_TXNS_NONFINAL);
        fx_txb_clear(&b);
        world_clear(&w);
    }
}

FX_TEST(an_early_relative_lock_has_another_name_in_the_mempool)
{
    struct world w;
    struct fx_txb b;
    struct fx_connected_tx connected;
    struct fx_record_delta delta;
    enum fx_verdict why = FX_OK;

    spend_one(&w, &b, HEIGHT - 90, false, 91);
    struct fx_connect_context context = world_context(&w);
    struct fx_tx *tx = fx_txb_build(&b);
    context.relay = true;
    fx_record_delta_init(&delta);
    FX_CHECK_INT(fx_connect_tx(&context, tx, &delta, &connected, &why), FX_INVALID);
    FX_CHECK_INT(why, FX_BAD_TXNS_NONFINAL_SEQUENCE);
    fx_record_delta_clear(&delta);
    fx_tx_unref(tx);
    fx_txb_clear(&b);
    world_clear(&w);
}

/* By time: from the median time of the block before the coin's to that of the parent. */
FX_TEST(relative_locks_in_time)
{
    /* 64 blocks of 600 s from the parent back to the block before the coin's: 75 units of 512 s. */
    for (uint32_t lock = 74; lock <= 76; lock++) {
        struct world w;
        struct fx_txb b;
        enum fx_verdict why;

        spend_one(&w, &b, HEIGHT - 64, false, FX_SEQUENCE_LOCK_TIME | lock);
        expect(&w, &b, lock <= 75 ? FX_OK : FX_BAD_TXNS_NONFINAL);
        w.ancestor_fails = true;
        FX_CHECK_INT(judge(&w, &b, &why, NULL), FX_FAILED);
        fx_txb_clear(&b);
        world_clear(&w);
    }
}

FX_TEST(relative_locks_of_coins_of_the_block_itself)
{
    struct world w;
    struct fx_txb b;

    spend_one(&w, &b, HEIGHT, false, FX_SEQUENCE_LOCK_TIME);
    w.ancestor_fails = true; /* needs none */
    expect(&w, &b, FX_OK);
    b.in[0].sequence = FX_SEQUENCE_LOCK_TIME | 1;
    expect(&w, &b, FX_BAD_TXNS_NONFINAL);
    b.in[0].sequence = 0;
    expect(&w, &b, FX_OK);
    b.in[0].sequence = 1;
    expect(&w, &b, FX_BAD_TXNS_NONFINAL);
    fx_txb_clear(&b);
    world_clear(&w);
}

FX_TEST(sigops_cost)
{
    uint8_t key[33], full[65], hash[20], wpkh[22], p2tr[34];
    uint8_t p2sh[23] = {0xa9, 20}, p2wsh[34] = {0, 32};
    struct world w;
    struct fx_txb b;
    struct fx_outpoint outpoint;
    struct fx_coin spent[2];
    struct fx_tx *tx;

    p2sh[22] = 0x87;
    spend_one(&w, &b, 10, false, 0);
    world_key_full(2, key, full);
    fx_hash160(key, sizeof key, hash);
    fx_script_p2wpkh(hash, wpkh);
    world_p2tr(1, p2tr);
    outpoint = world_add_coin(&w, 5, 10, false, wpkh, sizeof wpkh);
    fx_txb_add_in(&b, &outpoint, 0);
    fx_txb_add_out(&b, 1, "\xac\xae", 2);
    tx = fx_txb_build(&b);
    spent[0] = w.coins[0].coin;
    spent[1] = w.coins[1].coin;
    FX_CHECK_INT(fx_tx_sigops_cost(tx, spent), 4 * 21 + 1);
    fx_tx_unref(tx);
    /* A P2SH input of three keys, whose witness would count for a program. */
    fx_txb_set_script_sig(&b, 1, "\x02\x53\xae", 3);
    fx_txb_push_witness(&b, 1, "\xac", 1);
    tx = fx_txb_build(&b);
    spent[1].script = p2sh;
    spent[1].script_len = sizeof p2sh;
    FX_CHECK_INT(fx_tx_sigops_cost(tx, spent), 4 * 21 + 4 * 3);
    spent[1].script = p2wsh;
    spent[1].script_len = sizeof p2wsh;
    FX_CHECK_INT(fx_tx_sigops_cost(tx, spent), 4 * 21 + 1);
    fx_tx_unref(tx);
    fx_txb_clear(&b);
    world_coinbase(&b, 1, 1);
    fx_txb_add_out(&b, 1, "\xac", 1);
    tx = fx_txb_build(&b);
    FX_CHECK_INT(fx_tx_sigops_cost(tx, NULL), 4);
    fx_tx_unref(tx);
    fx_txb_clear(&b);
    world_clear(&w);
}

/* ---- task spends ------------------------------------------------------------------------- */

#define ESCROW 40000000
#define BOND 10000000

/* A claimed task in the state, and its acceptance. */
struct claimed {
    struct world w;
    struct world_job job;
    struct fx_outpoint origin, outpoint;
    struct fx_buf preimage;
    uint8_t script[FX_TASK_SCRIPT_SIZE];
    struct fx_task_record record;
};

static struct claimed *claimed_create(uint64_t burn)
{
    struct claimed *c = fx_xcalloc(1, sizeof *c);

    world_init(&c->w, HEIGHT);
    world_job_init(&c->job);
    c->origin.index = 77;
    world_claimed(&c->job, &c->origin, ESCROW, BOND, burn, &c->preimage, c->script);
    c->outpoint = world_add_coin(&c->w, ESCROW + BOND, 900, false, c->script, sizeof c->script);
    c->record.live = true;
    c->record.outpoint = c->outpoint;
    c->record.state = FX_TASK_CLAIMED;
    c->record.h0 = 800;
    c->record.client = c->job.spec.client;
    world_key(WORLD_SOLVER, &c->record.solver);
    c->record.bricks = 1;
    c->record.burn = burn;
    world_add_record(&c->w, &c->origin, &c->record);
    return c;
}

static void claimed_destroy(struct claimed *c)
{
    fx_buf_clear(&c->preimage);
    world_job_clear(&c->job);
    world_clear(&c->w);
    free(c);
}

static void accept_task(struct claimed *c, struct fx_txb *b, int64_t out)
{
    fx_txb_init(b);
    fx_txb_add_in(b, &c->outpoint, FX_SEQUENCE_FINAL);
    fx_txb_add_out(b, out, "\x51", 1);
    world_push_accept(b, 0, &c->w.coins[0].coin, &c->preimage);
}

FX_TEST(a_task_spend_changes_its_record)
{
    struct claimed *c = claimed_create(600);
    struct fx_connect_context context = world_context(&c->w);
    struct fx_connected_tx connected;
    struct fx_record_delta delta;
    enum fx_verdict why;
    struct fx_txb b;
    struct fx_tx *tx;

    accept_task(c, &b, ESCROW + BOND - 1000);
    tx = fx_txb_build(&b);
    fx_record_delta_init(&delta);
    FX_CHECK_INT(fx_connect_tx(&context, tx, &delta, &connected, &why), FX_VALID);
    FX_CHECK_INT(connected.fee, 1000);
    FX_CHECK_INT(connected.burned, 600);
    FX_CHECK_INT(connected.n_spends, 1);
    FX_CHECK_INT(connected.spends[0].action, FX_ACTION_ACCEPT);
    FX_CHECK(fx_outpoint_equal(&connected.spends[0].origin, &c->origin));
    FX_CHECK_INT(connected.spends[0].burned, 600);
    FX_CHECK_INT(connected.spent[0].value, ESCROW + BOND);
    FX_CHECK_INT(delta.n, 1);
    FX_CHECK_INT(delta.changes[0].after.settled, HEIGHT);
    FX_CHECK(!delta.changes[0].after.live);
    FX_CHECK(fx_task_record_equal(&delta.changes[0].before, &c->record));
    fx_connected_tx_clear(&connected, tx->n_in);
    fx_record_delta_clear(&delta);
    fx_tx_unref(tx);
    fx_txb_clear(&b);
    claimed_destroy(c);
}

FX_TEST(a_fee_covers_what_is_burned)
{
    struct claimed *c = claimed_create(600);
    struct fx_txb b;

    accept_task(c, &b, ESCROW + BOND - 600);
    expect(&c->w, &b, FX_OK);
    fx_txb_clear(&b);
    accept_task(c, &b, ESCROW + BOND - 599);
    expect(&c->w, &b, FX_BAD_TASK_BURN_FEE);
    fx_txb_clear(&b);
    claimed_destroy(c);
}

/* Two settlements in one transaction: each burns its own share, the fee covers the sum, and each
 * has its record. */
FX_TEST(settlements_in_one_transaction_add_up)
{
    struct claimed *c = claimed_create(600);
    struct fx_outpoint origin = {.index = 78}, outpoint;
    struct fx_task_record record = c->record;
    struct fx_buf preimage = FX_BUF_INIT;
    uint8_t script[FX_TASK_SCRIPT_SIZE];

    world_claimed(&c->job, &origin, ESCROW, BOND, ESCROW, &preimage, script);
    outpoint = world_add_coin(&c->w, ESCROW + BOND, 900, false, script, sizeof script);
    record.outpoint = outpoint;
    record.burn = ESCROW;
    world_add_record(&c->w, &origin, &record);
    for (int64_t short_of = 0; short_of <= 1; short_of++) {
        struct fx_connect_context context = world_context(&c->w);
        struct fx_coin spent[2] = {c->w.coins[0].coin, c->w.coins[1].coin};
        struct fx_connected_tx connected;
        struct fx_record_delta delta;
        enum fx_verdict why;
        struct fx_txb b;
        struct fx_tx *tx;

        fx_txb_init(&b);
        fx_txb_add_in(&b, &c->outpoint, FX_SEQUENCE_FINAL);
        fx_txb_add_in(&b, &outpoint, FX_SEQUENCE_FINAL);
        fx_txb_add_out(&b, ESCROW + 2 * BOND - 600 + short_of, "\x51", 1);
        world_push_accept(&b, 0, spent, &c->preimage);
        world_push_accept(&b, 1, spent, &preimage);
        tx = fx_txb_build(&b);
        fx_record_delta_init(&delta);
        FX_CHECK_INT(fx_connect_tx(&context, tx, &delta, &connected, &why),
                     short_of == 0 ? FX_VALID : FX_INVALID);
        FX_CHECK_INT(why, short_of == 0 ? FX_OK : FX_BAD_TASK_BURN_FEE);
        if (short_of == 0) {
            FX_CHECK_INT(connected.fee, ESCROW + 600);
            FX_CHECK_INT(connected.burned, ESCROW + 600);
            FX_CHECK_INT(connected.n_spends, 2);
            FX_CHECK_INT(connected.spends[0].burned, 600);
            FX_CHECK_INT(connected.spends[1].burned, ESCROW);
            FX_CHECK_INT(delta.n, 2);
            FX_CHECK_INT(delta.changes[1].after.settled, HEIGHT);
            FX_CHECK_INT(delta.changes[1].after.burn, ESCROW);
        }
        fx_connected_tx_clear(&connected, tx->n_in);
        fx_record_delta_clear(&delta);
        fx_tx_unref(tx);
        fx_txb_clear(&b);
    }
    fx_buf_clear(&preimage);
    claimed_destroy(c);
}

FX_TEST(a_bad_task_spend_is_refused)
{
    struct claimed *c = claimed_create(600);
    struct fx_txb b;
    enum fx_verdict why;

    accept_task(c, &b, ESCROW + BOND - 600);
    b.in[0].witness[1].data[7] ^= 1;
    expect(&c->w, &b, FX_BAD_TASK_SIG);
    fx_txb_clear_witness(&b, 0);
    expect(&c->w, &b, FX_BAD_TASK_WITNESS);
    fx_txb_clear(&b);
    accept_task(c, &b, ESCROW + BOND - 600);
    c->w.record_fails = true;
    FX_CHECK_INT(judge(&c->w, &b, &why, NULL), FX_FAILED);
    fx_txb_clear(&b);
    claimed_destroy(c);
}
