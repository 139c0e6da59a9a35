/*
 * Making and ending the module of jobs and tasks (src/iface/jobs.h). It keeps its own database: the
 * book of tasks, brought up to the chain's tip at the start, and what this node found out and
 * promised by itself. Main thread only.
 */
#ifndef FX_JOBS_JOBS_H
#define FX_JOBS_JOBS_H

#include "src/iface/jobs.h"

struct event_base;
struct fx_chain;
struct fx_mempool;
struct fx_net;
struct fx_pool;

/* Embers: what the first challenge costs, after which a solver that means to be paid delivers
 * (doc/economics.md). */
#define FX_CHALLENGE_ABOVE FX_DEPOSIT

/* Everything is the caller's and outlives the module; nothing may be NULL. */
struct fx_jobs_config {
    struct event_base *base; /* the loop that the module's timers run in */
    const struct fx_params *params;
    struct fx_chain *chain;
    struct fx_mempool *mempool;
    struct fx_blobs *blobs;
    struct fx_net *net;
    struct fx_wallets *wallets;
    struct fx_pool *pool;      /* checks of results run here */
    const char *dir;           /* the network's data folder: the database is its jobs/ */
    unsigned freivalds_rounds; /* of a check; 0: 2 */
    int64_t challenge_above;   /* embers: data that does not come is asked for on the chain where
                                * the escrow is more than this, usually FX_CHALLENGE_ABOVE */
    unsigned reoffers;         /* how often a task is offered again by itself; 0: never */
    bool watch;                /* checks the claims of others too, for half of a cheat's bond */
};

/*
 * Opens the database, reads blocks that the book has not seen (where they are many, on in the
 * loop: until then the book is that of an earlier block), and subscribes to the chain, the mempool
 * and the blobs. Subscriptions last: none of the three may raise an event after
 * fx_jobs_destroy. NULL on failure; *error is the caller's to free.
 */
struct fx_jobs *fx_jobs_create(const struct fx_jobs_config *config, char **error);
/* Ends running checks first. NULL: nothing. */
void fx_jobs_destroy(struct fx_jobs *jobs);

#endif
