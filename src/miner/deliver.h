/*
 * A thread with a connection of its own that delivers finished tasks while the device goes on:
 * checks the result by Freivalds, uploads it to the node, claims, and watches until the task is
 * settled (the node settles by itself, by the client's certificate or after the window).
 */
#ifndef FX_MINER_DELIVER_H
#define FX_MINER_DELIVER_H

#include <pthread.h>
#include <stdatomic.h>

#include "src/miner/status.h"
#include "src/miner/store.h"

struct fx_delivery; /* one task on its way; opaque */

struct fx_deliver {
    /* set by the caller before the start */
    const struct fx_miner_options *options;
    struct fx_miner_status *status;
    const atomic_bool *stop;
    /* A result did not pass the check. device: who made it; empty where several did. */
    void (*wrong)(void *ctx, const char *device);
    void *ctx;
    /* private */
    pthread_t thread;
    pthread_mutex_t lock; /* of list, and of each one's stage; only the thread changes them */
    struct fx_delivery *list;
};

void fx_deliver_start(struct fx_deliver *deliver);
/* Waits for the thread, which ends after *stop became true. What is not done stays on disk. */
void fx_deliver_join(struct fx_deliver *deliver);
/* Of stage DELIVER or CLAIMED, saved; copied. */
void fx_deliver_add(struct fx_deliver *deliver, const struct fx_stored_task *stored);
/* Is this task on its way? */
bool fx_deliver_has(struct fx_deliver *deliver, const char *origin);
size_t fx_deliver_count(struct fx_deliver *deliver);
/* Of these, those that are not claimed yet. */
size_t fx_deliver_unclaimed(struct fx_deliver *deliver);
/* Calls visit for each task on its way, under the lock. */
void fx_deliver_each(struct fx_deliver *deliver,
                     void (*visit)(void *ctx, const struct fx_miner_task *task), void *ctx);

#endif
