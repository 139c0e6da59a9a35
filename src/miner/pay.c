/* What a task and a hash pay, and which lane that speaks for. */
#include "src/miner/pay.h"

static double least(double x, double y)
{
    return x < y ? x : y;
}

/* Subsidy that the credit of a task's bricks can gain, before the limit by what was burned. */
static double gain(const struct fx_pay_chain *chain, const struct fx_pay_task *task)
{
    return chain->expected_job > 0
               ? (double)chain->subsidy * ((double)task->bricks / chain->expected_job)
               : 0;
}

int64_t fx_pay_burn(const struct fx_pay_policy *policy, const struct fx_pay_chain *chain,
                    const struct fx_pay_task *task)
{
    double most = (double)task->escrow;

    switch (policy->burn) {
    case FX_CHOOSE_BURN_NONE:
        return 0;
    case FX_CHOOSE_BURN_AMOUNT:
        return policy->burn_amount < task->escrow ? policy->burn_amount : task->escrow;
    case FX_CHOOSE_BURN_AUTO:
        return (int64_t)least(gain(chain, task) / 2, most);
    }
    return 0;
}

double fx_pay_brick(const struct fx_pay_policy *policy, const struct fx_pay_chain *chain,
                    const struct fx_pay_task *task)
{
    double burn = (double)fx_pay_burn(policy, chain, task);
    double blocks = chain->expected_job > 0 ? (double)task->bricks / chain->expected_job : 0;

    if (task->bricks == 0)
        return 0;
    if (policy->blocks_per_task > 0)
        blocks = least(blocks, policy->blocks_per_task);
    return ((double)task->escrow - burn + least(gain(chain, task), 2 * burn) +
            blocks * (double)chain->fees) /
           (double)task->bricks;
}

double fx_pay_hash_second(const struct fx_pay_chain *chain, const struct fx_pay_rates *rates)
{
    double blocks = chain->expected_hash > 0 ? rates->hashes / chain->expected_hash : 0;

    if (chain->paced)
        blocks = least(blocks, 1);
    return blocks * ((double)chain->subsidy + (double)chain->fees);
}

enum fx_pay_choice fx_pay_choose(const struct fx_pay_policy *policy,
                                 const struct fx_pay_chain *chain, const struct fx_pay_rates *rates,
                                 const struct fx_pay_task *tasks, size_t n)
{
    if (policy->lane == FX_CHOOSE_HASH)
        return FX_PAY_HASH;
    if (n == 0)
        return policy->lane == FX_CHOOSE_JOB ? FX_PAY_NOTHING : FX_PAY_HASH;
    if (policy->lane == FX_CHOOSE_JOB || chain->paced ||
        fx_pay_brick(policy, chain, &tasks[0]) * rates->bricks >= fx_pay_hash_second(chain, rates))
        return FX_PAY_TASK;
    return FX_PAY_HASH;
}
