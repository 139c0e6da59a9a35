/*
 * A thread pool for pure and heavy work. Jobs run on its threads; their `done` runs on the main
 * thread, from fx_pool_drain, which the event loop calls when fx_pool_fd is readable.
 */
#ifndef FX_SYS_POOL_H
#define FX_SYS_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct fx_pool; /* opaque */

struct fx_pool *fx_pool_create(unsigned threads); /* 0: one per core */
/* Waits for running jobs, drops queued ones without calling their done. */
void fx_pool_destroy(struct fx_pool *pool);
unsigned fx_pool_threads(const struct fx_pool *pool);
/* done may be NULL. */
void fx_pool_submit(struct fx_pool *pool, void (*work)(void *arg), void (*done)(void *arg),
                    void *arg);
/* Runs work(arg, 0..n-1) over all threads and this one, and returns when all have run. Main thread
 * only. NULL pool: here. */
void fx_pool_for(struct fx_pool *pool, size_t n, void (*work)(void *arg, size_t at), void *arg);
int fx_pool_fd(const struct fx_pool *pool);
void fx_pool_drain(struct fx_pool *pool);

#endif
