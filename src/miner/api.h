/*
 * The status server: GET /status answers with the JSON of status.h, for dashboards. A thread of its
 * own. It only reads, and asks nobody who they are: it is meant for 127.0.0.1, its default, or for
 * a network where everybody may know.
 */
#ifndef FX_MINER_API_H
#define FX_MINER_API_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "src/miner/status.h"

struct event_base;
struct evhttp;

struct fx_api {
    /* set by the caller before the start */
    struct fx_miner_status *status;
    const atomic_bool *stop;
    uint16_t port; /* 0: any that is free; after the start the one it is */
    /* private */
    struct event_base *base;
    struct evhttp *http;
    pthread_t thread;
};

/* address is numeric: names are not looked up, which can take long, and mean another address
 * tomorrow. False: error says why, and nothing runs. */
bool fx_api_start(struct fx_api *api, const char *address, char error[FX_KERNEL_TEXT]);
/* Waits for the thread, which ends after *stop became true. */
void fx_api_join(struct fx_api *api);

#endif
