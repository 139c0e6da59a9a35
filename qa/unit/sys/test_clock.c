/* Tests of the clocks. */
#include "qa/unit/harness.h"
#include "src/sys/clock.h"

FX_TEST(mock)
{
    FX_CHECK_INT(fx_clock_mock(), 0);
    fx_clock_set_mock(1234);
    FX_CHECK_INT(fx_clock_now(), 1234);
    FX_CHECK_INT(fx_clock_mock(), 1234);
    FX_CHECK(fx_clock_real() > 1600000000);
    fx_clock_set_mock(0);
    FX_CHECK(fx_clock_now() - fx_clock_real() <= 1);
}

FX_TEST(passed_time)
{
    int64_t first = fx_clock_passed_us();

    FX_CHECK(first / 1000000 - fx_clock_real() <= 1);
    fx_clock_sleep_ms(5);
    FX_CHECK(fx_clock_passed_us() - first >= 4000);
    fx_clock_set_mock(1234);
    FX_CHECK_INT(fx_clock_passed_us(), 1234000000);
    fx_clock_set_mock(0);
    FX_CHECK(fx_clock_passed_us() > first);
}

FX_TEST(sleep_advances_monotonic)
{
    int64_t before = fx_clock_monotonic_ms();

    fx_clock_sleep_ms(20);
    FX_CHECK(fx_clock_monotonic_ms() - before >= 19);
}
