/* --limit: no more than so many bricks a second, over any time that matters. What one step of the
 * device computes at once is paid for by waiting after it. */
#ifndef FX_MINER_PACE_H
#define FX_MINER_PACE_H

#include <stdint.h>

struct fx_pace {
    uint64_t limit;   /* bricks a second; 0: none */
    int64_t ready_ns; /* monotonic: when all bricks so far are paid for */
};

/* Counts bricks that were computed. Time that went by unused is kept, up to FX_PACE_SAVED_NS. */
#define FX_PACE_SAVED_NS INT64_C(1000000000)
void fx_pace_add(struct fx_pace *pace, uint64_t bricks, int64_t now_ns);
/* Milliseconds to wait before the device may go on, rounded up; 0: it may. */
int64_t fx_pace_wait_ms(const struct fx_pace *pace, int64_t now_ns);
/* What is left of a device's bricks a second. */
double fx_pace_speed(const struct fx_pace *pace, double bricks);

#endif
