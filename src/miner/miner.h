/*
 * One device, and the loop that chooses what it does next. It has a thread and a connection to the
 * node of its own. What all devices share is their crew (crew.h).
 */
#ifndef FX_MINER_MINER_H
#define FX_MINER_MINER_H

#include "src/miner/devices.h"
#include "src/miner/node.h"
#include "src/miner/pace.h"
#include "src/miner/pay.h"
#include "src/miner/status.h"

#define FX_MINER_STEP_MS 250

struct fx_crew;

struct fx_skipped {
    char origin[FX_ORIGIN_TEXT];
    int64_t until_ms;
};

struct fx_miner {
    struct fx_crew *crew;
    const struct fx_miner_options *options;
    const struct fx_device_choice *choice;
    const struct fx_backend *backend;
    struct fx_device *device;
    struct fx_device_status *status;
    struct fx_miner_node node;
    struct fx_pay_rates rates; /* of the device */
    struct fx_pace pace;
    struct fx_pay_chain chain;
    struct fx_pay_policy policy;
    atomic_bool cancel; /* ends the device's step: the tip moved, or it is all over */
    atomic_bool retired;
    bool distrusted;   /* set before `retired`: it gave a wrong answer, not only an error */
    unsigned failures; /* of tasks that the device would not begin, one after the other */
    unsigned backoff_ms;
    pthread_t thread;
    bool running; /* it has a thread */
    /* the task under work; under the crew's lock */
    bool at_work;
    struct fx_miner_task task;
    /* what there is to do */
    struct fx_miner_task *tasks;
    size_t n_tasks;
    int64_t tasks_due_ms;
    unsigned tasks_moves, chain_moves;
    struct fx_skipped *skipped;
    size_t n_skipped;
    /* the hash lane */
    bool have_hash;
    struct fx_miner_work hash_work;
    int64_t hash_until_ms; /* when the work is too old */
    unsigned hash_moves;
    uint32_t hash_time, hash_nonce;
    uint64_t hash_left; /* nonces of this time */
};

/* The thread of a device: arg is its struct fx_miner. Ends with the crew, or when the device is
 * retired. */
void *fx_miner_main(void *arg);

/* ---- for the miner's own files -------------------------------------------------------------- */

/* Stop, fatal, or retired. */
bool fx_miner_ends(const struct fx_miner *miner);
/* True for FX_NODE_OK. Else says once what is wrong, and notes when to try again. */
bool fx_miner_node_ok(struct fx_miner *miner, enum fx_miner_node_status status, const char *what);
/* Sleeps, but not beyond the end. */
void fx_miner_nap(const struct fx_miner *miner, unsigned ms);
/* Bricks a second that a task gets: the device's, within the limit. */
double fx_miner_speed(const struct fx_miner *miner);
/* How long a header is worked on before new transactions are asked for. */
unsigned fx_miner_refresh_ms(const struct fx_miner *miner);
/* Not to be chosen for a while. */
void fx_miner_skip(struct fx_miner *miner, const char *origin, unsigned ms);

/* hash.c: at most about a second of the hash lane. */
void fx_miner_hash(struct fx_miner *miner);
/* work.c: works on the task until it is done, gone, or the miner ends. */
void fx_miner_work(struct fx_miner *miner, const struct fx_miner_task *task);

#endif
