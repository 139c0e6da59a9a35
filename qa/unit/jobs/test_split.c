/* How jobs are cut, and what is paid, burned and deposited. */
#include "consensus/lane.h"
#include "qa/unit/harness.h"
#include "src/jobs/jobs_int.h"

static uint64_t tasks_of(uint32_t rows, uint32_t cols, uint32_t r, uint32_t c)
{
    return (uint64_t)((rows + r - 1) / r) * ((cols + c - 1) / c);
}

FX_TEST(digits)
{
    uint32_t r = 0, c = 0;

    fx_split_choose(15, 15, 1, &r, &c);
    FX_CHECK_INT(r, 8);
    FX_CHECK_INT(c, 8);
}

/* At least four tasks where the grid has as many tiles, never more than one job may have, and the
 * largest not far above an even share. */
FX_TEST(any_grid)
{
    for (unsigned i = 0; i < fx_unit_rounds(2000); i++) {
        uint32_t rows = 1 + (uint32_t)fx_unit_rand_below(i % 2 ? 20 : 5000);
        uint32_t cols = 1 + (uint32_t)fx_unit_rand_below(i % 3 ? 20 : 5000);
        uint32_t depth = 1 + (uint32_t)fx_unit_rand_below(256);
        uint64_t tiles = (uint64_t)rows * cols, n;
        uint32_t r = 0, c = 0;

        fx_split_choose(rows, cols, depth, &r, &c);
        FX_CHECK(r >= 1 && r <= rows && c >= 1 && c <= cols);
        n = tasks_of(rows, cols, r, c);
        FX_CHECK(n >= (tiles < 4 ? tiles : 4));
        FX_CHECK(n <= 1024);
        FX_CHECK((uint64_t)r * c * n <= 3 * tiles);
    }
}

FX_TEST(largest_grid)
{
    uint32_t r = 0, c = 0;

    fx_split_choose(1 << 17, 1 << 17, 256, &r, &c);
    FX_CHECK((uint64_t)r * c <= 1 << 24);
    FX_CHECK(tasks_of(1 << 17, 1 << 17, r, c) <= 2 * FX_TX_TASKS_MAX);
}

FX_TEST(long_and_thin)
{
    uint32_t r = 0, c = 0;

    fx_split_choose(10000, 1, 256, &r, &c);
    FX_CHECK_INT(c, 1);
    FX_CHECK(tasks_of(10000, 1, r, c) >= 156 && tasks_of(10000, 1, r, c) <= 170);
}

FX_TEST(half_chosen)
{
    uint32_t r = 3, c = 0;

    fx_split_choose(10, 2, 1, &r, &c);
    FX_CHECK_INT(r, 3);
    FX_CHECK_INT(c, 2);
    r = 0;
    c = 50;
    fx_split_choose(10, 20, 1, &r, &c);
    FX_CHECK_INT(r, 10);
    FX_CHECK_INT(c, 20);
}

FX_TEST(reward)
{
    FX_CHECK_INT(fx_split_reward(1), 1000000);
    FX_CHECK_INT(fx_split_reward(100), 1000000);
    FX_CHECK_INT(fx_split_reward(101), 1010000);
}

FX_TEST(bond)
{
    FX_CHECK_INT(fx_split_bond(0), FX_DEPOSIT);
    FX_CHECK_INT(fx_split_bond(4 * FX_DEPOSIT), FX_DEPOSIT);
    FX_CHECK_INT(fx_split_bond(4 * FX_DEPOSIT + 1), FX_DEPOSIT + 1);
}

/* One ember more would gain nothing, one less would lose one. */
FX_TEST(burn_pays)
{
    const struct fx_params *params = fx_params_get(FX_MAIN);
    uint32_t nbits = 0x1c7fffff; /* many bricks a block */
    int64_t escrow = INT64_C(100000000000);

    for (uint64_t bricks = 1000000; bricks < 200000000; bricks = bricks * 3 + 1) {
        int64_t burn = fx_split_burn(params, 5, nbits, bricks, escrow);
        uint64_t b = (uint64_t)burn;

        FX_CHECK(burn > 0);
        FX_CHECK_INT(fx_lane_subsidy(params, FX_LANE_JOB, 5, nbits, bricks, b), 2 * burn);
        FX_CHECK(fx_lane_subsidy(params, FX_LANE_JOB, 5, nbits, bricks, b + 1) <= 2 * burn + 1);
    }
    FX_CHECK_INT(fx_split_burn(params, 5, nbits, 200000000, 77), 77);
    FX_CHECK_INT(fx_split_burn(params, 5, nbits, 0, escrow), 0);
}

FX_TEST(burn_on_regtest)
{
    const struct fx_params *params = fx_params_get(FX_REGTEST);

    FX_CHECK_INT(fx_split_burn(params, 5, 0x207fffff, 64, 1000000), 500000);
    FX_CHECK_INT(fx_split_burn(params, 5, 0x207fffff, 64, INT64_C(5000000000)), 500000000);
}
