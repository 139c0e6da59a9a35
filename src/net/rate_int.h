/* A token bucket: so many units a second, with a burst. */
#ifndef FX_NET_RATE_INT_H
#define FX_NET_RATE_INT_H

#include <stdbool.h>
#include <stdint.h>

struct fx_rate {
    uint64_t per_second, burst;
    uint64_t tokens; /* thousandths */
    int64_t last_ms;
};

void fx_rate_init(struct fx_rate *rate, uint64_t per_second, uint64_t burst, int64_t now_ms);
/* True, and n taken, where there are n, or where per_second is 0: no limit. */
bool fx_rate_take(struct fx_rate *rate, uint64_t n, int64_t now_ms);

#endif
