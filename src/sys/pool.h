/*
 * A thread pool for pure and heavy work. Jobs run on its threads; their `done` runs on the main
 * thread, from fx_pool_drain, which the event loop calls when fx_pool_fd is readable.
 */
#ifndef FX_SYS_POOL_H
#define FX_SYS_POOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct fx_pool; /* opaque */

struct fx_pool *fx_pool_create(unsigned threads); /* 0: one per core */
/* Waits for running jobs, drops queued ones without calling their done. */
void fx_pool_destroy(struct fx_pool *pool);
/* For how long a thread that has nothing to do, and fx_pool_for at its end, wait awake before they
 * sleep (0 unless set): for loops that follow each other at once, where waking costs more. */
void fx_pool_set_patience(struct fx_pool *pool, unsigned microseconds);
unsigned fx_pool_threads(const struct fx_pool *pool);
/* Which thread of its pool this is, from 1; 0: of none. */
unsigned fx_pool_self(void);
/* done may be NULL. */
void fx_pool_submit(struct fx_pool *pool, void (*work)(void *arg), void (*done)(void *arg),
                    void *arg);
/* Runs work(arg, 0..n-1) over all threads and this one, and returns when all have run. Main thread
 * only. NULL pool: here. */
void fx_pool_for(struct fx_pool *pool, size_t n, void (*work)(void *arg, size_t at), void *arg);

/*
 * The same for indices that come up one after the other while work is already running on those
 * before. One loop at a time in a pool; main thread only. Between begin and end the struct stays
 * where it is, and nobody else looks into it.
 */
struct fx_pool_loop {
    struct fx_pool *pool; /* NULL: all is run in fx_pool_loop_end */
    void (*work)(void *arg, size_t at);
    void *arg;
    size_t next, n;
    atomic_uint running; /* threads */
};
void fx_pool_loop_begin(struct fx_pool_loop *loop, struct fx_pool *pool,
                        void (*work)(void *arg, size_t at), void *arg);
/* All indices below n, which never falls, may be run. */
void fx_pool_loop_more(struct fx_pool_loop *loop, size_t n);
/* Helps, and returns when all have run. */
void fx_pool_loop_end(struct fx_pool_loop *loop);

/*
 * One piece of work that this thread will need the result of. The struct is the caller's, and stays
 * where it is from start to finish. Threads take tasks when no loop runs, and before submitted
 * jobs.
 */
struct fx_pool_task {
    void (*work)(void *arg);
    void *arg;
    /* private */
    struct fx_pool_task *next;
    int state;
};
/* Main thread only. NULL pool: nothing happens before the finish. */
void fx_pool_task_start(struct fx_pool *pool, struct fx_pool_task *task, void (*work)(void *arg),
                        void *arg);
/* Returns when the work was done, by this thread where no other had begun. Once a start. */
void fx_pool_task_finish(struct fx_pool *pool, struct fx_pool_task *task);
/* As finish, but work that nobody has begun is not done. Also after a finish. */
void fx_pool_task_cancel(struct fx_pool *pool, struct fx_pool_task *task);
int fx_pool_fd(const struct fx_pool *pool);
void fx_pool_drain(struct fx_pool *pool);

#endif
