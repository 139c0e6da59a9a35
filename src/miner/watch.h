/* A thread with a connection of its own that looks at the node's tip a few times a second, so that
 * work on an old one ends at once; it samples and prints the status as well. */
#ifndef FX_MINER_WATCH_H
#define FX_MINER_WATCH_H

#include <pthread.h>
#include <stdatomic.h>

#include "src/miner/node.h"
#include "src/miner/status.h"

struct fx_watch {
    /* set by the caller before the start */
    const struct fx_miner_options *options;
    struct fx_miner_status *status;
    void (*moved)(void *ctx); /* the tip has */
    void *ctx;
    const atomic_bool *stop;
    /* How often the tip was seen to move: whoever asks for work notes it before. */
    atomic_uint moves;
    /* private */
    pthread_t thread;
};

void fx_watch_start(struct fx_watch *watch);
/* Waits for the thread, which ends after *stop became true. */
void fx_watch_join(struct fx_watch *watch);

#endif
