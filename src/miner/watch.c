/* Looking at the tip. */
#include "src/miner/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/sys/clock.h"

#define LOOK_MS 200
#define LOOK_DOWN_MS 1000 /* while the node does not answer */
#define SAMPLE_MS 1000
#define NAP_MS 50

static void look(struct fx_watch *watch, struct fx_miner_node *node, struct fx_hash *tip,
                 int64_t *next)
{
    struct fx_hash now;

    *next = fx_clock_monotonic_ms() + LOOK_MS;
    if (fx_miner_node_tip(node, &now) != FX_NODE_OK) {
        *next = fx_clock_monotonic_ms() + LOOK_DOWN_MS;
        return;
    }
    if (fx_hash_equal(&now, tip))
        return;
    *tip = now;
    atomic_fetch_add(&watch->moves, 1);
    watch->moved(watch->ctx);
}

static void *run(void *arg)
{
    struct fx_watch *watch = arg;
    int64_t every = (int64_t)watch->options->status_seconds * 1000;
    int64_t next_look = 0, next_sample = 0, next_table = fx_clock_monotonic_ms() + every;
    struct fx_miner_node node;
    struct fx_hash tip;

    memset(&tip, 0, sizeof tip);
    fx_miner_node_init(&node, watch->options, watch->stop);
    while (!atomic_load(watch->stop)) {
        int64_t now = fx_clock_monotonic_ms();

        if (now >= next_look)
            look(watch, &node, &tip, &next_look);
        if (now >= next_sample) {
            fx_miner_status_sample(watch->status);
            next_sample = now + SAMPLE_MS;
        }
        if (every > 0 && now >= next_table) {
            fx_miner_status_print(watch->status);
            next_table = now + every;
        }
        fx_clock_sleep_ms(NAP_MS);
    }
    fx_miner_node_clear(&node);
    return NULL;
}

void fx_watch_start(struct fx_watch *watch)
{
    int why;

    atomic_init(&watch->moves, 0);
    why = pthread_create(&watch->thread, NULL, run, watch);
    if (why != 0) {
        fprintf(stderr, "Error: cannot start a thread: %s\n", strerror(why));
        exit(1);
    }
}

void fx_watch_join(struct fx_watch *watch)
{
    pthread_join(watch->thread, NULL);
}
