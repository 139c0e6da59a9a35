/* Counters of what was mined, done and paid, and the status line that shows them. */
#ifndef FX_MINER_STATUS_H
#define FX_MINER_STATUS_H

#include <stdatomic.h>
#include <stdint.h>

struct fx_miner_status {
    atomic_ullong bricks, hashes;
    atomic_ullong tickets; /* that met the target and passed the second check */
    atomic_ullong job_blocks, hash_blocks;
    atomic_ullong tasks_done, tasks_claimed, tasks_paid;
    atomic_llong paid; /* embers: pay of settled tasks, less what was burned */
    /* of the line before */
    int64_t last_ms;
    uint64_t last_bricks, last_hashes;
};

void fx_miner_status_init(struct fx_miner_status *status);
/* The status line; rates are those since the line before. One thread only. */
void fx_miner_status_print(struct fx_miner_status *status);

#endif
