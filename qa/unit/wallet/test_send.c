/* Funding, signing and committing, under the real rules. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/wallet/world.h"
#include "src/util/amount.h"

#define COIN FX_COIN

static struct fx_span foreign_script(void)
{
    static uint8_t script[34] = {0x51, 0x20, 0x79, 0xbe, 0x66, 0x7e};
    return (struct fx_span){script, 34};
}

/* 0, or the error's code. */
static int send(struct fx_wallet *wallet, int64_t amount, bool subtract, struct fx_hash *txid)
{
    struct fx_wallet_error error = {0};
    bool ok = fx_wallet_send(wallet, foreign_script(), amount, 0, subtract, "rent", txid, &error);
    FX_CHECK_INT(ok, error.code == 0);
    return error.code;
}

static int64_t out_sum(const struct fx_tx *tx)
{
    int64_t sum = 0;
    for (size_t i = 0; i < tx->n_out; i++) {
        sum += tx->out[i].value;
    }
    return sum;
}

FX_TEST(a_payment_goes_out_and_change_comes_back)
{
    struct fx_hash txid;
    world_open();
    struct fx_wallet *wallet = world_wallet("w", NULL);
    FX_CHECK_INT(send(wallet, COIN, false, &txid), -6);
    world_pay(wallet, 1);
    int64_t subsidy = fx_subsidy_full(world.params, 1);
    FX_CHECK_INT(world_balance(wallet).trusted, subsidy);
    FX_CHECK_INT(send(wallet, 3 * COIN, false, &txid), 0);
    FX_CHECK_INT(world.n_pool, 1);
    FX_CHECK_INT(world.relayed, 1);
    const struct fx_tx *tx = world.pool[0];
    FX_CHECK(fx_hash_equal(&tx->txid, &txid));
    FX_CHECK_INT(tx->n_out, 2);
    FX_CHECK_INT(tx->out[0].value, 3 * COIN);
    FX_CHECK(fx_wallet_owns_script(wallet, tx->out[1].script)); /* change is last */
    int64_t fee = subsidy - out_sum(tx);
    FX_CHECK_INT(fee, (int64_t)fx_tx_vsize(tx)); /* 1,000 a thousand, to the ember */
    /* Own change counts before it confirms, and can be spent. */
    FX_CHECK_INT(world_balance(wallet).trusted, subsidy - 3 * COIN - fee);
    FX_CHECK_INT(send(wallet, 2 * COIN, false, &txid), 0);
    FX_CHECK_INT(send(wallet, subsidy, false, &txid), -6);
    world_mine_pool();
    FX_CHECK(world_balance(wallet).trusted < subsidy - 5 * COIN);
    FX_CHECK_INT(world_balance(wallet).pending, 0);
    world_close();
}

FX_TEST(the_fee_can_come_from_the_amount)
{
    struct fx_hash txid;
    world_open();
    struct fx_wallet *wallet = world_wallet("w", NULL);
    world_pay(wallet, 2);
    int64_t all = world_balance(wallet).trusted;
    FX_CHECK_INT(send(wallet, all, false, &txid), -6);
    FX_CHECK_INT(send(wallet, all, true, &txid), 0);
    const struct fx_tx *tx = world.pool[0];
    FX_CHECK_INT(tx->n_out, 1);
    FX_CHECK_INT(all - tx->out[0].value, (int64_t)fx_tx_vsize(tx));
    FX_CHECK_INT(world_balance(wallet).trusted, 0);
    world_close();
}

FX_TEST(subtracting_leaves_change_and_pays_the_rate)
{
    struct fx_hash txid;
    world_open();
    struct fx_wallet *wallet = world_wallet("w", NULL);
    world_pay(wallet, 1);
    int64_t all = world_balance(wallet).trusted;
    FX_CHECK_INT(send(wallet, 400, true, &txid), -6);
    FX_CHECK_INT(send(wallet, COIN, true, &txid), 0);
    const struct fx_tx *tx = world.pool[0];
    FX_CHECK_INT(tx->n_out, 2);
    FX_CHECK_INT(all - out_sum(tx), (int64_t)fx_tx_vsize(tx));
    FX_CHECK(tx->out[0].value < COIN && tx->out[0].value > COIN - 200);
    world_close();
}

FX_TEST(many_amounts_pay_what_they_should)
{
    world_open();
    struct fx_wallet *wallet = world_wallet("w", NULL);
    world_pay(wallet, 12);
    for (unsigned i = 0; i < fx_unit_rounds(60); i++) {
        struct fx_wallet_error error = {0};
        struct fx_txb b;
        struct fx_coin *spent;
        int64_t fee, amount = 1000 + (int64_t)fx_unit_rand_below(60 * COIN);
        int64_t rate = 1000 + (int64_t)fx_unit_rand_below(20000);
        struct fx_span to = foreign_script();
        fx_txb_init(&b);
        fx_txb_add_out(&b, amount, to.data, to.len);
        FX_CHECK(fx_wallet_fund(wallet, &b, NULL, 0, rate, 0, 0, 1, &fee, &error));
        FX_CHECK(fx_wallet_spent_coins(wallet, &b, &spent, &error));
        FX_CHECK(fx_wallet_sign(wallet, &b, spent, &error));
        struct fx_tx *tx = fx_txb_build(&b);
        int64_t in = 0;
        for (size_t j = 0; j < b.n_in; j++) {
            in += spent[j].value;
            fx_coin_clear(&spent[j]);
        }
        free(spent);
        FX_CHECK_INT(in - out_sum(tx), fee);
        int64_t least = (rate * (int64_t)fx_tx_vsize(tx) + 999) / 1000;
        FX_CHECK(fee >= least);
        /* More only where change would not have been worth it. */
        FX_CHECK(fee == least || (tx->n_out == 1 && fee < least + 330 + 110 * rate / 1000));
        struct fx_accept accept;
        fx_mempool_accept(NULL, tx, true, &accept);
        FX_CHECK_STR(accept.reason, "");
        fx_wallet_release(wallet, &b);
        fx_tx_unref(tx);
        fx_txb_clear(&b);
    }
    world_close();
}

FX_TEST(coins_of_others_and_burns_are_counted)
{
    struct fx_wallet_error error = {0};
    struct fx_txb b;
    int64_t fee;
    world_open();
    struct fx_wallet *wallet = world_wallet("w", NULL);
    world_pay(wallet, 1);
    struct fx_span to = foreign_script();
    struct fx_outpoint theirs = {.index = 3};
    theirs.txid.b[0] = 1;
    struct fx_fund_input other = {.in = 0, .value = 5 * COIN, .witness_weight = 4000};

    /* It pays for itself: no coin is added, what is left over is change. */
    fx_txb_init(&b);
    fx_txb_add_in(&b, &theirs, 0);
    fx_txb_add_out(&b, 2 * COIN, to.data, to.len);
    FX_CHECK(fx_wallet_fund(wallet, &b, &other, 1, 1000, COIN, 0, 1, &fee, &error));
    FX_CHECK_INT(b.n_in, 1);
    FX_CHECK_INT(b.n_out, 2);
    FX_CHECK_INT(fee, 3 * COIN - b.out[1].value);
    FX_CHECK(fee >= COIN + 1000 + 100 && fee < COIN + 1000 + 400);
    fx_txb_clear(&b);

    /* It lacks: own coins come after it. */
    fx_txb_init(&b);
    fx_txb_add_in(&b, &theirs, 0);
    fx_txb_add_out(&b, 7 * COIN, to.data, to.len);
    FX_CHECK(fx_wallet_fund(wallet, &b, &other, 1, 1000, 0, 0, 1, &fee, &error));
    FX_CHECK_INT(b.n_in, 2);
    FX_CHECK(fx_outpoint_equal(&b.in[0].prevout, &theirs));
    FX_CHECK(fx_ledger_own_output(wallet, &b.in[1].prevout, NULL));

    /* The coin is promised until it is given back. */
    struct fx_txb second;
    fx_txb_init(&second);
    fx_txb_add_out(&second, COIN, to.data, to.len);
    FX_CHECK(!fx_wallet_fund(wallet, &second, NULL, 0, 1000, 0, 0, 1, &fee, &error));
    FX_CHECK_INT(error.code, -6);
    FX_CHECK_STR(error.text, "Insufficient funds");
    FX_CHECK_INT(second.n_in, 0);
    FX_CHECK_INT(second.n_out, 1);
    fx_wallet_release(wallet, &b);
    FX_CHECK(fx_wallet_fund(wallet, &second, NULL, 0, 1000, 0, 0, 1, &fee, &error));
    fx_txb_clear(&second);
    fx_txb_clear(&b);
    world_close();
}

/* The last coin that is large enough becomes sixteen of one size; change is what falls short. */
FX_TEST(the_last_coin_is_cut)
{
    struct fx_wallet_error error = {0};
    struct fx_hash txid;
    world_open();
    struct fx_wallet *wallet = world_wallet("w", NULL);
    world_pay(wallet, 2);
    FX_CHECK(fx_wallet_split(wallet, COIN, &error)); /* two are there */
    FX_CHECK_INT(world.n_pool, 0);
    FX_CHECK_INT(send(wallet, world_balance(wallet).trusted / 2 + COIN, false, &txid), 0);
    world_mine_pool();
    int64_t all = world_balance(wallet).trusted;
    FX_CHECK(fx_wallet_split(wallet, all / 2, &error)); /* it cannot pay twice this */
    FX_CHECK_INT(world.n_pool, 0);
    FX_CHECK(fx_wallet_split(wallet, all / 3 - 1000, &error));
    FX_CHECK_INT(world.n_pool, 1);
    FX_CHECK_INT(world.pool[0]->n_out, 3);
    for (size_t i = 0; i < 3; i++) {
        FX_CHECK(world.pool[0]->out[i].value > all / 3 - 1000);
    }
    FX_CHECK(fx_wallet_split(wallet, COIN, &error));
    FX_CHECK_INT(world.n_pool, 1);
    world_close();

    world_open();
    wallet = world_wallet("w", NULL);
    world_pay(wallet, 1);
    all = world_balance(wallet).trusted;
    FX_CHECK(fx_wallet_split(wallet, COIN / 10, &error));
    FX_CHECK_INT(world.n_pool, 1);
    FX_CHECK_INT(world.pool[0]->n_out, 16);
    FX_CHECK(world.pool[0]->out[0].value - world.pool[0]->out[15].value < 16);
    FX_CHECK_INT(all - out_sum(world.pool[0]), (int64_t)fx_tx_vsize(world.pool[0]));
    FX_CHECK_INT(world_balance(wallet).trusted, out_sum(world.pool[0]));
    /* Unconfirmed ones are not cut further. */
    FX_CHECK_INT(send(wallet, out_sum(world.pool[0]) - 2 * COIN, false, &txid), 0);
    FX_CHECK(fx_wallet_split(wallet, COIN / 10, &error));
    FX_CHECK_INT(world.n_pool, 2);
    world_close();
}

FX_TEST(what_the_pool_refuses_is_not_recorded)
{
    struct fx_hash txid;
    struct fx_wallet_error error = {0};
    world_open();
    struct fx_wallet *wallet = world_wallet("w", NULL);
    world_pay(wallet, 1);
    int64_t before = world_balance(wallet).trusted;
    world.refuse = "min relay fee not met";
    FX_CHECK(!fx_wallet_send(wallet, foreign_script(), COIN, 0, false, NULL, &txid, &error));
    FX_CHECK_INT(error.code, -4);
    FX_CHECK(strstr(error.text, "min relay fee not met") != NULL);
    FX_CHECK_INT(fx_wallet_tx_count(wallet), 1);
    FX_CHECK_INT(world_balance(wallet).trusted, before);
    world.refuse = NULL;
    world_restart();
    wallet = fx_wallet_load(world.set, "w", &error);
    FX_CHECK_INT(fx_wallet_tx_count(wallet), 1);
    FX_CHECK_INT(send(wallet, COIN, false, &txid), 0);
    world_close();
}

FX_TEST(bad_amounts_are_refused)
{
    struct fx_hash txid;
    world_open();
    struct fx_wallet *wallet = world_wallet("w", NULL);
    world_pay(wallet, 1);
    FX_CHECK_INT(send(wallet, 0, false, &txid), -8);
    FX_CHECK_INT(send(wallet, -1, false, &txid), -8);
    FX_CHECK_INT(send(wallet, INT64_MAX, false, &txid), -8);
    struct fx_txb b;
    struct fx_wallet_error error;
    struct fx_span to = foreign_script();
    int64_t fee;
    fx_txb_init(&b);
    for (unsigned i = 0; i < 3; i++) {
        fx_txb_add_out(&b, INT64_MAX / 2, to.data, to.len);
    }
    FX_CHECK(!fx_wallet_fund(wallet, &b, NULL, 0, 1000, 0, 0, 1, &fee, &error));
    FX_CHECK_INT(error.code, -4);
    fx_txb_clear(&b);
    world_close();
}

/* What it may cost at most is the caller's to say, who knows what hangs on it. */
FX_TEST(fees_are_limited)
{
    static const struct {
        int64_t rate, fee_max; /* of a transaction of 111 vbytes and one that burns */
        bool fine;
    } cases[] = {
        {COIN / 2, 0, true}, {COIN, 0, false}, {COIN, COIN, true}, {COIN / 2, COIN / 100, false}};
    world_open();
    struct fx_wallet *wallet = world_wallet("w", NULL);
    world_pay(wallet, 1);
    struct fx_span to = foreign_script();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fx_txb b;
        struct fx_wallet_error error;
        int64_t fee;
        fx_txb_init(&b);
        fx_txb_add_out(&b, COIN, to.data, to.len);
        bool fine = fx_wallet_fund(wallet, &b, NULL, 0, cases[i].rate, COIN / 5, cases[i].fee_max,
                                   1, &fee, &error);
        FX_CHECK_INT(fine, cases[i].fine);
        if (fine) {
            FX_CHECK(fee > COIN / 5 + cases[i].rate / 10);
            fx_wallet_release(wallet, &b);
        } else {
            FX_CHECK_STR(error.text, "Fee exceeds maximum configured by user (maxtxfee)");
        }
        fx_txb_clear(&b);
    }
    world_close();
}

FX_TEST(an_own_payment_is_submitted_again)
{
    struct fx_hash txid;
    struct fx_wallet_error error;
    world_open();
    struct fx_wallet *wallet = world_wallet("w", NULL);
    world_pay(wallet, 1);
    FX_CHECK_INT(send(wallet, COIN, false, &txid), 0);
    int64_t after = world_balance(wallet).trusted;
    world_drop(&txid, FX_REMOVED_EXPIRED);
    /* Its coin stays spent, its change does not count. */
    FX_CHECK_INT(world_balance(wallet).trusted, 0);
    fx_wallets_tick(world.set);
    FX_CHECK_INT(world.n_pool, 1); /* world_pay moved the tip */
    FX_CHECK_INT(world_balance(wallet).trusted, after);
    world_drop(&txid, FX_REMOVED_EXPIRED);
    fx_wallets_tick(world.set);
    FX_CHECK_INT(world.n_pool, 0);
    world_mine_empty(1);
    fx_wallets_tick(world.set);
    FX_CHECK_INT(world.n_pool, 1);
    world_drop(&txid, FX_REMOVED_EXPIRED);
    world_restart();
    wallet = fx_wallet_load(world.set, "w", &error);
    FX_CHECK_INT(world.n_pool, 1);
    FX_CHECK_INT(world_balance(wallet).trusted, after);
    world_close();
}

FX_TEST(one_that_cannot_confirm_is_given_up)
{
    struct fx_hash txid;
    world_open();
    struct fx_wallet *wallet = world_wallet("w", NULL);
    world_pay(wallet, 1);
    int64_t before = world_balance(wallet).trusted;
    FX_CHECK_INT(send(wallet, COIN, false, &txid), 0);
    world_drop(&txid, FX_REMOVED_CONFLICT);
    world.refuse = "bad-task-record";
    for (unsigned i = 0; i < 12; i++) {
        FX_CHECK_INT(world_balance(wallet).trusted, 0);
        world_mine_empty(1);
        fx_wallets_tick(world.set);
    }
    FX_CHECK_INT(world_balance(wallet).trusted, before);
    world.refuse = NULL;
    FX_CHECK_INT(send(wallet, COIN, false, &txid), 0);
    world_close();
}

FX_TEST(one_that_is_in_no_pool_can_be_given_up)
{
    struct fx_hash first, second, third;
    struct fx_wallet_error error;
    world_open();
    struct fx_wallet *wallet = world_wallet("w", NULL);
    world_pay(wallet, 1);
    int64_t before = world_balance(wallet).trusted;
    FX_CHECK_INT(send(wallet, COIN, false, &first), 0);
    FX_CHECK_INT(send(wallet, COIN, false, &second), 0); /* of the change of the first */
    FX_CHECK(!fx_wallet_abandon(wallet, &first, &error));
    FX_CHECK_INT(error.code, -5);
    FX_CHECK_STR(error.text, "Transaction not eligible for abandonment");
    struct fx_hash unknown = {{1}};
    FX_CHECK(!fx_wallet_abandon(wallet, &unknown, &error));
    FX_CHECK_STR(error.text, "Invalid or non-wallet transaction id");
    world_drop(&second, FX_REMOVED_EXPIRED);
    world_drop(&first, FX_REMOVED_EXPIRED);
    FX_CHECK_INT(world_balance(wallet).trusted, 0);
    FX_CHECK(fx_wallet_abandon(wallet, &first, &error));
    FX_CHECK_INT(world.forgotten, 2);
    FX_CHECK_INT(world_balance(wallet).trusted, before);
    FX_CHECK(fx_wallet_abandon(wallet, &first, &error)); /* no effect */
    FX_CHECK_INT(world.forgotten, 2);
    /* Neither comes back by itself, and another may have the coin. */
    world_mine_empty(1);
    fx_wallets_tick(world.set);
    FX_CHECK_INT(world.n_pool, 0);
    world_restart();
    wallet = fx_wallet_load(world.set, "w", &error);
    FX_CHECK_INT(world.n_pool, 0);
    FX_CHECK_INT(world_balance(wallet).trusted, before);
    FX_CHECK_INT(send(wallet, COIN, false, &third), 0);
    world_mine_pool();
    FX_CHECK(!fx_wallet_abandon(wallet, &third, &error));
    FX_CHECK_STR(error.text, "Transaction not eligible for abandonment");
    world_close();
}
