/* The throttle, under a clock of the test's own. */
#include "src/miner/pace.h"

#include "qa/unit/harness.h"

#define SECOND INT64_C(1000000000)

FX_TEST(no_limit)
{
    struct fx_pace pace = {0, 0};

    fx_pace_add(&pace, 1u << 30, SECOND);
    FX_CHECK_INT(fx_pace_wait_ms(&pace, SECOND), 0);
    FX_CHECK_INT((int64_t)fx_pace_speed(&pace, 5000), 5000);
}

/* What a step did at once is waited for. */
FX_TEST(bricks_are_paid_for)
{
    struct fx_pace pace = {10, 100 * SECOND};

    fx_pace_add(&pace, 25, 100 * SECOND);
    FX_CHECK_INT(fx_pace_wait_ms(&pace, 100 * SECOND), 2500);
    FX_CHECK_INT(fx_pace_wait_ms(&pace, 102 * SECOND + 1), 500);
    FX_CHECK_INT(fx_pace_wait_ms(&pace, 102 * SECOND + SECOND / 2), 0);
    FX_CHECK_INT((int64_t)fx_pace_speed(&pace, 5000), 10);
    FX_CHECK_INT((int64_t)fx_pace_speed(&pace, 7), 7);
}

/* A second of rest is made up for, and no more. */
FX_TEST(rest_is_kept_for_a_second)
{
    struct fx_pace pace = {10, 0};

    fx_pace_add(&pace, 10, 500 * SECOND);
    FX_CHECK_INT(fx_pace_wait_ms(&pace, 500 * SECOND), 0);
    fx_pace_add(&pace, 10, 500 * SECOND);
    FX_CHECK_INT(fx_pace_wait_ms(&pace, 500 * SECOND), 1000);
    fx_pace_add(&pace, 5, 501 * SECOND + SECOND / 2);
    FX_CHECK_INT(fx_pace_wait_ms(&pace, 501 * SECOND + SECOND / 2), 0);
    fx_pace_add(&pace, 1, 501 * SECOND + SECOND / 2);
    FX_CHECK_INT(fx_pace_wait_ms(&pace, 501 * SECOND + SECOND / 2), 100);
}

/* Over a long time the rate is the limit, however large the steps are. */
FX_TEST(rate_over_time)
{
    struct fx_pace pace = {40, 1000 * SECOND};
    int64_t now = 1000 * SECOND;
    uint64_t bricks = 0;

    while (now < 1100 * SECOND) {
        fx_pace_add(&pace, 1 + bricks % 97, now);
        bricks += 1 + bricks % 97;
        now += (fx_pace_wait_ms(&pace, now) + 1) * 1000000;
    }
    FX_CHECK(bricks >= 40 * 100 - 97 && bricks <= 40 * 101 + 97);
}
