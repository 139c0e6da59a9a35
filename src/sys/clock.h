/* Time. The wall clock can be replaced (-mocktime, setmocktime) for tests; the monotonic one
 * cannot. */
#ifndef FX_SYS_CLOCK_H
#define FX_SYS_CLOCK_H

#include <stdint.h>

int64_t fx_clock_now(void);          /* unix seconds; the mock time where one is set */
void fx_clock_set_mock(int64_t now); /* 0: the real clock again */
int64_t fx_clock_mock(void);         /* 0: none set */
int64_t fx_clock_real(void);
/* Unix time at the first call and what has passed since by the monotonic clock, in microseconds;
 * the mock time where one is set: for what goes on with peers, which tests may hurry. */
int64_t fx_clock_passed_us(void);
int64_t fx_clock_monotonic_ms(void);
int64_t fx_clock_monotonic_ns(void);
void fx_clock_sleep_ms(unsigned ms);

#endif
