/*
 * What was mined, done and paid: counters of each device, that its thread writes, and what others
 * read of them: the table on standard output and the JSON of the status server (api.h).
 */
#ifndef FX_MINER_STATUS_H
#define FX_MINER_STATUS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include <jansson.h>

#include "src/miner/devices.h"

#define FX_STATUS_TASK 80
#define FX_STATUS_SAMPLES 11 /* one a second: rates are those of the last ten seconds */

enum fx_device_state {
    FX_DEVICE_IDLE = 0,
    FX_DEVICE_HASH, /* in the hash lane */
    FX_DEVICE_TASK,
    FX_DEVICE_RETIRED
};

struct fx_status_sample {
    int64_t ms;
    uint64_t bricks, hashes;
};

struct fx_device_status {
    /* set before anybody else looks; the device stays open as long as somebody may */
    const struct fx_device_choice *choice;
    struct fx_device *device;
    /* counters */
    atomic_ullong bricks, hashes;
    atomic_ullong tickets; /* that met the target and passed the second check */
    atomic_ullong job_blocks, hash_blocks;
    atomic_ullong tasks_done;
    atomic_ullong errors; /* failures and wrong answers */
    /* under the lock of all */
    enum fx_device_state state;
    char task[FX_STATUS_TASK]; /* origin, of FX_DEVICE_TASK */
    char why[FX_KERNEL_TEXT];  /* of FX_DEVICE_RETIRED */
    struct fx_status_sample samples[FX_STATUS_SAMPLES];
    unsigned n_samples; /* so far, in a ring */
};

struct fx_miner_status {
    const char *network; /* name */
    int64_t start_ms;
    atomic_bool connected; /* the node answered the last time */
    atomic_ullong tasks_claimed, tasks_paid;
    atomic_llong paid; /* embers: pay of settled tasks, less what was burned */
    struct fx_device_status *devices;
    size_t n;
    pthread_mutex_t lock;
};

/* One entry for each of n choices, which stay the caller's and outlive the status. */
void fx_miner_status_init(struct fx_miner_status *status, const char *network,
                          const struct fx_device_choice *choices, size_t n);
void fx_miner_status_clear(struct fx_miner_status *status);

/* What a device does now: text is the origin of its task, or why it was retired, or NULL. One that
 * is retired stays so. */
void fx_miner_status_set(struct fx_miner_status *status, struct fx_device_status *device,
                         enum fx_device_state state, const char *text);
/* Notes the counters for the rates; about once a second. */
void fx_miner_status_sample(struct fx_miner_status *status);
/* The table, and the line of sums below it. */
void fx_miner_status_print(struct fx_miner_status *status);
/* As doc/miner.md describes it; the caller's to release. */
json_t *fx_miner_status_json(struct fx_miner_status *status);

#endif
