/* Token buckets. */
#include "src/net/rate_int.h"

void fx_rate_init(struct fx_rate *rate, uint64_t per_second, uint64_t burst, int64_t now_ms)
{
    rate->per_second = per_second;
    rate->burst = burst;
    rate->tokens = burst * 1000;
    rate->last_ms = now_ms;
}

bool fx_rate_take(struct fx_rate *rate, uint64_t n, int64_t now_ms)
{
    uint64_t full = rate->burst * 1000;

    if (rate->per_second == 0) {
        return true;
    }
    if (now_ms > rate->last_ms) {
        uint64_t passed = (uint64_t)(now_ms - rate->last_ms);

        /* An hour fills any bucket; it also bounds the product. */
        passed = passed > 3600000 ? 3600000 : passed;
        rate->tokens += passed * rate->per_second;
        rate->tokens = rate->tokens > full ? full : rate->tokens;
        rate->last_ms = now_ms;
    }
    if (rate->tokens < n * 1000) {
        return false;
    }
    rate->tokens -= n * 1000;
    return true;
}
