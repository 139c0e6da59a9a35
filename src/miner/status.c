/* Counters, and the status line. */
#include "src/miner/status.h"

#include <string.h>

#include "src/miner/say.h"
#include "src/sys/clock.h"
#include "src/util/amount.h"

void fx_miner_status_init(struct fx_miner_status *status)
{
    memset(status, 0, sizeof *status);
    status->last_ms = fx_clock_monotonic_ms();
}

void fx_miner_status_print(struct fx_miner_status *status)
{
    int64_t now = fx_clock_monotonic_ms();
    uint64_t bricks = atomic_load(&status->bricks), hashes = atomic_load(&status->hashes);
    double seconds = (double)(now - status->last_ms) / 1000;
    char paid[FX_AMOUNT_TEXT];

    if (seconds <= 0)
        return;
    fx_amount_format(atomic_load(&status->paid), paid);
    fx_miner_say("status: %.1f bricks/s, %.0f hashes/s | tickets %llu | blocks: job %llu, hash "
                 "%llu | tasks: done %llu, claimed %llu, paid %llu | paid %s FNX",
                 (double)(bricks - status->last_bricks) / seconds,
                 (double)(hashes - status->last_hashes) / seconds,
                 (unsigned long long)atomic_load(&status->tickets),
                 (unsigned long long)atomic_load(&status->job_blocks),
                 (unsigned long long)atomic_load(&status->hash_blocks),
                 (unsigned long long)atomic_load(&status->tasks_done),
                 (unsigned long long)atomic_load(&status->tasks_claimed),
                 (unsigned long long)atomic_load(&status->tasks_paid), paid);
    status->last_ms = now;
    status->last_bricks = bricks;
    status->last_hashes = hashes;
}
