/* Wall clock with a replaceable now, and the monotonic clock. */
#include "src/sys/clock.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic int64_t mock_now;
static _Atomic int64_t started_us; /* unix time less the monotonic clock; 0: not taken yet */

int64_t fx_clock_real(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec;
}

int64_t fx_clock_mock(void)
{
    return atomic_load(&mock_now);
}

void fx_clock_set_mock(int64_t now)
{
    atomic_store(&mock_now, now);
}

int64_t fx_clock_now(void)
{
    int64_t mock = fx_clock_mock();

    return mock != 0 ? mock : fx_clock_real();
}

int64_t fx_clock_passed_us(void)
{
    int64_t mock = fx_clock_mock();
    int64_t monotonic_us = fx_clock_monotonic_ns() / 1000;
    int64_t unset = 0;

    if (mock != 0) {
        return mock * 1000000;
    }
    if (atomic_load(&started_us) == 0) {
        atomic_compare_exchange_strong(&started_us, &unset,
                                       fx_clock_real() * 1000000 - monotonic_us);
    }
    return atomic_load(&started_us) + monotonic_us;
}

int64_t fx_clock_monotonic_ms(void)
{
    return fx_clock_monotonic_ns() / 1000000;
}

int64_t fx_clock_monotonic_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void fx_clock_sleep_ms(unsigned ms)
{
    struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    /* A signal shortens one sleep; what is left of it is slept after. */
    while (nanosleep(&ts, &ts) != 0) {
    }
}
