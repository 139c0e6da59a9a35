/* What blocks and the pool do to a wallet. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/wallet/world.h"
#include "src/util/amount.h"

#define COIN FX_COIN

static struct fx_wallet *load(const char *name)
{
    struct fx_wallet_error error = {0};
    struct fx_wallet *wallet = fx_wallet_load(world.set, name, &error);
    FX_CHECK_STR(error.text, "");
    return wallet;
}

static void pay(struct fx_wallet *from, struct fx_span script, int64_t amount, struct fx_hash *txid)
{
    struct fx_wallet_error error = {0};
    fx_wallet_send(from, script, amount, 0, false, NULL, txid, &error);
    FX_CHECK_STR(error.text, "");
}

FX_TEST(coinbases_mature)
{
    struct fx_wallet_coin *coins;
    world_open();
    struct fx_wallet *wallet = world_wallet("w", NULL);
    int64_t subsidy = fx_subsidy_full(world.params, 1);
    world_mine(world_script(wallet, FX_KEY_RECEIVE), NULL, 0);
    world_mine_empty(99);
    FX_CHECK_INT(world_balance(wallet).immature, subsidy);
    FX_CHECK_INT(world_balance(wallet).trusted, 0);
    FX_CHECK_INT(fx_wallet_coins(wallet, &coins), 1);
    FX_CHECK(!coins[0].spendable && coins[0].coinbase);
    free(coins);
    world_mine_empty(1);
    FX_CHECK_INT(world_balance(wallet).immature, 0);
    FX_CHECK_INT(world_balance(wallet).trusted, subsidy);
    FX_CHECK_INT(fx_wallet_coins(wallet, &coins), 1);
    FX_CHECK(coins[0].spendable && coins[0].safe);
    FX_CHECK_INT(coins[0].confirmations, 101);
    FX_CHECK_INT(coins[0].height, 1);
    free(coins);
    world_close();
}

FX_TEST(a_payment_from_another_is_pending_until_it_confirms)
{
    struct fx_hash txid;
    struct fx_wallet_coin *coins;
    world_open();
    struct fx_wallet *payer = world_wallet("payer", NULL), *payee = world_wallet("payee", NULL);
    world_pay(payer, 1);
    pay(payer, world_script(payee, FX_KEY_RECEIVE), COIN, &txid);
    FX_CHECK_INT(world_balance(payee).pending, COIN);
    FX_CHECK_INT(world_balance(payee).trusted, 0);
    FX_CHECK_INT(fx_wallet_coins(payee, &coins), 1);
    FX_CHECK(!coins[0].safe && coins[0].height == 0);
    free(coins);
    world_mine_pool();
    FX_CHECK_INT(world_balance(payee).pending, 0);
    FX_CHECK_INT(world_balance(payee).trusted, COIN);
    /* The block goes away: neither confirmed nor in the pool, it does not count. */
    world_cut();
    FX_CHECK_INT(world_balance(payee).trusted, 0);
    FX_CHECK_INT(world_balance(payee).pending, 0);
    fx_wallets_tick(world.set); /* the payer submits it again */
    FX_CHECK_INT(world_balance(payee).pending, COIN);
    world_close();
}

FX_TEST(solver_and_client_keys_receive_too)
{
    struct fx_hash txid;
    world_open();
    struct fx_wallet *payer = world_wallet("payer", NULL), *payee = world_wallet("payee", NULL);
    world_pay(payer, 1);
    pay(payer, world_script(payee, FX_KEY_SOLVER), COIN, &txid);
    pay(payer, world_script(payee, FX_KEY_CLIENT), COIN, &txid);
    world_mine_pool();
    FX_CHECK_INT(world_balance(payee).trusted, 2 * COIN);
    pay(payee, world_script(payer, FX_KEY_RECEIVE), COIN + COIN / 2, &txid);
    world_close();
}

FX_TEST(what_happened_meanwhile_is_read_from_the_chain)
{
    struct fx_wallet_error error;
    struct fx_hash txid;
    world_open();
    struct fx_wallet *payer = world_wallet("payer", NULL), *payee = world_wallet("payee", NULL);
    world_pay(payer, 1);
    struct fx_span script = world_script(payee, FX_KEY_RECEIVE);
    pay(payer, script, COIN, &txid);
    world_mine_pool();
    FX_CHECK(fx_wallet_unload(world.set, "payee", &error));
    /* The block is replaced by a branch of two; the payment is in the second one of it. */
    struct fx_tx *tx = fx_tx_ref(world.block[world.height]->txs[1]);
    world_cut();
    world_mine_empty(1);
    struct fx_span none = {0};
    world_mine(none, &tx, 1);
    fx_tx_unref(tx);
    world_mine_empty(2);
    world.read_blocks = 0;
    payee = load("payee");
    FX_CHECK_INT(world.read_blocks, 4); /* from the fork, not from the start */
    FX_CHECK_INT(world_balance(payee).trusted, COIN);
    FX_CHECK_INT(fx_wallet_height(payee), world.height);
    struct fx_wallet_coin *coins;
    FX_CHECK_INT(fx_wallet_coins(payee, &coins), 1);
    FX_CHECK_INT(coins[0].height, world.height - 2);
    free(coins);
    world_close();
}

FX_TEST(a_payment_that_left_the_chain_meanwhile_is_not_counted)
{
    struct fx_wallet_error error;
    struct fx_hash txid;
    world_open();
    struct fx_wallet *payer = world_wallet("payer", NULL), *payee = world_wallet("payee", NULL);
    world_pay(payer, 1);
    pay(payer, world_script(payee, FX_KEY_RECEIVE), COIN, &txid);
    world_mine_pool();
    FX_CHECK(fx_wallet_unload(world.set, "payee", &error));
    FX_CHECK(fx_wallet_unload(world.set, "payer", &error));
    world_cut();
    world_mine_empty(3);
    payee = load("payee");
    FX_CHECK_INT(world_balance(payee).trusted + world_balance(payee).pending, 0);
    FX_CHECK_INT(fx_wallet_tx_count(payee), 1);
    world_close();
}

FX_TEST(a_conflict_in_a_block_gives_coins_back_and_takes_them_again)
{
    struct fx_hash txid;
    struct fx_wallet_entry *entries;
    struct fx_wallet_error error = {0};
    world_open();
    struct fx_wallet *wallet = world_wallet("w", NULL), *other = world_wallet("other", NULL);
    world_pay(other, 1);
    world_pay(wallet, 1);
    int64_t before = world_balance(wallet).trusted;

    /* A transaction with an input of another's: what a claim is, as far as the wallet sees. */
    struct fx_wallet_coin *coins;
    FX_CHECK_INT(fx_wallet_coins(other, &coins), 1);
    struct fx_fund_input theirs = {.in = 0, .value = coins[0].value, .witness_weight = 66};
    struct fx_txb b;
    struct fx_coin *spent;
    int64_t fee;
    struct fx_span to = world_script(other, FX_KEY_RECEIVE);
    fx_txb_init(&b);
    fx_txb_add_in(&b, &coins[0].outpoint, 0);
    fx_txb_add_out(&b, coins[0].value + COIN, to.data, to.len);
    free(coins);
    FX_CHECK(fx_wallet_fund(wallet, &b, &theirs, 1, 1000, 0, 0, 1, &fee, &error));
    FX_CHECK(fx_wallet_spent_coins(wallet, &b, &spent, &error));
    FX_CHECK(fx_wallet_sign(wallet, &b, spent, &error) && fx_wallet_sign(other, &b, spent, &error));
    struct fx_tx *tx = fx_txb_build(&b);
    FX_CHECK(fx_wallet_commit(wallet, tx, NULL, &error));
    FX_CHECK(world_balance(wallet).pending > 0); /* change, but not of own coins alone */
    FX_CHECK_INT(world_balance(wallet).trusted, 0);

    /* A rival takes the foreign input, in a block. */
    world_drop(&tx->txid, FX_REMOVED_REPLACED);
    pay(other, world_script(other, FX_KEY_RECEIVE), COIN, &txid);
    world_mine_pool();
    FX_CHECK_INT(world_balance(wallet).trusted, before);
    size_t n = fx_wallet_history(wallet, &entries);
    FX_CHECK_INT(n, 2);
    FX_CHECK_INT(entries[1].confirmations, -1);
    free(entries);
    /* The block goes: the transaction may confirm again, its coin is spent again. */
    world_cut();
    FX_CHECK_INT(world_balance(wallet).trusted, 0);

    for (size_t i = 0; i < b.n_in; i++) {
        fx_coin_clear(&spent[i]);
    }
    free(spent);
    fx_tx_unref(tx);
    fx_txb_clear(&b);
    world_close();
}

FX_TEST(a_rescan_finds_what_was_not_watched_for)
{
    struct fx_wallet_error error = {0};
    world_open();
    struct fx_wallet *wallet = world_wallet("w", NULL);
    world_pay(wallet, 2);
    FX_CHECK(fx_wallet_rescan(wallet, 0, UINT32_MAX, &error));
    FX_CHECK_INT(fx_wallet_tx_count(wallet), 2);
    FX_CHECK(!fx_wallet_rescan(wallet, world.height + 1, UINT32_MAX, &error));
    FX_CHECK_INT(error.code, -8);
    FX_CHECK(!fx_wallet_rescan(wallet, 5, 4, &error));
    FX_CHECK(!fx_wallet_rescan(wallet, 0, world.height + 1, &error));
    world_close();
}

FX_TEST(history_has_a_line_a_payment)
{
    struct fx_wallet_entry *e;
    struct fx_wallet_error error = {0};
    struct fx_hash txid;
    world_open();
    struct fx_wallet *payer = world_wallet("payer", NULL), *payee = world_wallet("payee", NULL);
    world_pay(payer, 1);
    world_mine(world_script(payer, FX_KEY_RECEIVE), NULL, 0);
    FX_CHECK(fx_wallet_send(payer, world_script(payee, FX_KEY_RECEIVE), COIN, 0, false, "for rent",
                            &txid, &error));
    FX_CHECK_INT(fx_wallet_history(payer, &e), 3);
    FX_CHECK_STR(e[0].category, "generate");
    FX_CHECK_INT(e[0].amount, fx_subsidy_full(world.params, 1));
    FX_CHECK_STR(e[1].category, "immature");
    FX_CHECK_STR(e[2].category, "send");
    FX_CHECK_INT(e[2].amount, -COIN);
    FX_CHECK_INT(e[2].fee, -world.fees[0]);
    FX_CHECK_STR(e[2].comment, "for rent");
    FX_CHECK_INT(e[2].confirmations, 0);
    free(e);
    FX_CHECK_INT(fx_wallet_history(payee, &e), 1);
    FX_CHECK_STR(e[0].category, "receive");
    FX_CHECK_INT(e[0].amount, COIN);
    free(e);
    world_mine_pool();
    FX_CHECK_INT(fx_wallet_history(payer, &e), 3);
    FX_CHECK_INT(e[2].confirmations, 1);
    FX_CHECK_INT(e[2].height, world.height);
    free(e);
    world_cut();
    world_cut();
    FX_CHECK_INT(fx_wallet_history(payer, &e), 3);
    FX_CHECK_STR(e[1].category, "orphan");
    free(e);
    world_close();
}

/* A job: announcement, two task outputs, change. */
FX_TEST(tasks_have_their_own_lines)
{
    struct fx_wallet_entry *e;
    struct fx_wallet_error error = {0};
    struct fx_txb b;
    struct fx_coin *spent;
    int64_t fee;
    uint8_t task[FX_TASK_SCRIPT_SIZE], announcement[2] = {0x6a, 0x00};
    struct fx_hash program = {{1}};
    world_open();
    struct fx_wallet *wallet = world_wallet("w", NULL);
    world_pay(wallet, 1);
    fx_task_script(&program, task);
    fx_txb_init(&b);
    fx_txb_add_out(&b, 0, announcement, sizeof(announcement));
    fx_txb_add_out(&b, COIN, task, sizeof(task));
    fx_txb_add_out(&b, 2 * COIN, task, sizeof(task));
    FX_CHECK(fx_wallet_fund(wallet, &b, NULL, 0, 1000, 0, 0, 0, &fee, &error));
    FX_CHECK(fx_wallet_spent_coins(wallet, &b, &spent, &error));
    FX_CHECK(fx_wallet_sign(wallet, &b, spent, &error));
    struct fx_tx *tx = fx_txb_build(&b);
    FX_CHECK(fx_wallet_commit(wallet, tx, NULL, &error));
    FX_CHECK_INT(fx_wallet_history(wallet, &e), 3);
    FX_CHECK_STR(e[1].category, "task");
    FX_CHECK_INT(e[1].amount, -COIN);
    FX_CHECK_INT(e[1].fee, -fee);
    FX_CHECK_INT(e[2].amount, -2 * COIN);
    FX_CHECK_INT(e[2].vout, 2);
    free(e);
    for (size_t i = 0; i < b.n_in; i++) {
        fx_coin_clear(&spent[i]);
    }
    free(spent);
    fx_tx_unref(tx);
    fx_txb_clear(&b);
    world_close();
}
