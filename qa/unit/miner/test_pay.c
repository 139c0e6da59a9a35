/* What tasks and hashes pay, and the choice between them. */
#include "src/miner/pay.h"

#include "qa/unit/harness.h"

#define S INT64_C(1000000000)

static const struct fx_pay_chain main_chain = {
    .subsidy = S, .fees = 0, .expected_hash = 1e9, .expected_job = 1e6};

static struct fx_pay_policy policy_of(enum fx_lane_choice lane, enum fx_burn_choice burn)
{
    return (struct fx_pay_policy){.lane = lane, .burn = burn};
}

FX_TEST(burn_is_half_of_what_credit_gains)
{
    struct fx_pay_policy policy = policy_of(FX_CHOOSE_AUTO, FX_CHOOSE_BURN_AUTO);
    struct fx_pay_task task = {1000, 1000000};

    /* 1,000 bricks of a million a block: a thousandth of the subsidy. */
    FX_CHECK_INT(fx_pay_burn(&policy, &main_chain, &task), 500000);
    task.escrow = 400000; /* never more than the escrow */
    FX_CHECK_INT(fx_pay_burn(&policy, &main_chain, &task), 400000);
    policy.burn = FX_CHOOSE_BURN_NONE;
    FX_CHECK_INT(fx_pay_burn(&policy, &main_chain, &task), 0);
    policy.burn = FX_CHOOSE_BURN_AMOUNT;
    policy.burn_amount = 123;
    FX_CHECK_INT(fx_pay_burn(&policy, &main_chain, &task), 123);
    policy.burn_amount = 500000;
    FX_CHECK_INT(fx_pay_burn(&policy, &main_chain, &task), 400000);
}

FX_TEST(pay_of_a_brick)
{
    struct fx_pay_policy policy = policy_of(FX_CHOOSE_AUTO, FX_CHOOSE_BURN_NONE);
    struct fx_pay_chain chain = main_chain;
    struct fx_pay_task task = {1000, 1000000};

    FX_CHECK_INT(fx_pay_brick(&policy, &chain, &task), 1000);
    /* Burning 500,000 gains 1,000,000 of subsidy. */
    policy.burn = FX_CHOOSE_BURN_AUTO;
    FX_CHECK_INT(fx_pay_brick(&policy, &chain, &task), 1500);
    /* Burning more than that gains nothing more. */
    policy.burn = FX_CHOOSE_BURN_AMOUNT;
    policy.burn_amount = 900000;
    FX_CHECK_INT(fx_pay_brick(&policy, &chain, &task), 1100);
    /* Fees: a thousandth of a block is found in the task. */
    policy.burn = FX_CHOOSE_BURN_NONE;
    chain.fees = 2000000;
    FX_CHECK_INT(fx_pay_brick(&policy, &chain, &task), 1002);
    /* With a block a brick, the limit of blocks a task counts. */
    chain.expected_job = 1;
    FX_CHECK_INT(fx_pay_brick(&policy, &chain, &task), 2001000);
    policy.blocks_per_task = 1;
    FX_CHECK_INT(fx_pay_brick(&policy, &chain, &task), 3000);
    task.bricks = 0;
    FX_CHECK_INT(fx_pay_brick(&policy, &chain, &task), 0);
}

FX_TEST(pay_of_hashes)
{
    struct fx_pay_chain chain = main_chain;
    struct fx_pay_rates rates = {.hashes = 1e6};

    FX_CHECK_INT(fx_pay_hash_second(&chain, &rates), 1000000);
    chain.fees = S;
    FX_CHECK_INT(fx_pay_hash_second(&chain, &rates), 2000000);
    chain.expected_hash = 2;
    chain.paced = true;
    FX_CHECK_INT(fx_pay_hash_second(&chain, &rates), 2 * S);
}

FX_TEST(the_lane_that_pays_more)
{
    struct fx_pay_policy policy = policy_of(FX_CHOOSE_AUTO, FX_CHOOSE_BURN_NONE);
    struct fx_pay_chain chain = main_chain;
    struct fx_pay_rates rates = {.hashes = 1e6, .bricks = 1000}; /* 1,000,000 embers a second */
    struct fx_pay_task tasks[3] = {{1000, 900000}, {1000, 1100000}, {500, 550000}};

    FX_CHECK_INT(fx_pay_choose(&policy, &chain, &rates, tasks, 0), FX_PAY_HASH);
    FX_CHECK_INT(fx_pay_choose(&policy, &chain, &rates, tasks, 1), FX_PAY_HASH);
    FX_CHECK_INT(fx_pay_choose(&policy, &chain, &rates, tasks + 1, 2), FX_PAY_TASK);
    policy.lane = FX_CHOOSE_HASH;
    FX_CHECK_INT(fx_pay_choose(&policy, &chain, &rates, tasks, 3), FX_PAY_HASH);
    policy.lane = FX_CHOOSE_JOB;
    FX_CHECK_INT(fx_pay_choose(&policy, &chain, &rates, tasks, 0), FX_PAY_NOTHING);
    FX_CHECK_INT(fx_pay_choose(&policy, &chain, &rates, tasks, 1), FX_PAY_TASK);
    /* regtest: a task whenever there is one. */
    policy.lane = FX_CHOOSE_AUTO;
    chain.paced = true;
    tasks[0].escrow = 1;
    FX_CHECK_INT(fx_pay_choose(&policy, &chain, &rates, tasks, 1), FX_PAY_TASK);
    FX_CHECK_INT(fx_pay_choose(&policy, &chain, &rates, tasks, 0), FX_PAY_HASH);
}
