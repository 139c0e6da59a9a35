/* The throttle of --limit. */
#include "src/miner/pace.h"

#define SECOND_NS 1000000000
#define MS_NS 1000000

void fx_pace_add(struct fx_pace *pace, uint64_t bricks, int64_t now_ns)
{
    if (pace->limit == 0)
        return;
    if (pace->ready_ns < now_ns - FX_PACE_SAVED_NS)
        pace->ready_ns = now_ns - FX_PACE_SAVED_NS;
    /* A step has far fewer than 2^32 bricks. */
    pace->ready_ns += (int64_t)((double)bricks * SECOND_NS / (double)pace->limit);
}

int64_t fx_pace_wait_ms(const struct fx_pace *pace, int64_t now_ns)
{
    return pace->limit == 0 || pace->ready_ns <= now_ns
               ? 0
               : (pace->ready_ns - now_ns + MS_NS - 1) / MS_NS;
}

double fx_pace_speed(const struct fx_pace *pace, double bricks)
{
    return pace->limit > 0 && bricks > (double)pace->limit ? (double)pace->limit : bricks;
}
