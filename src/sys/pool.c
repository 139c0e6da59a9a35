/* The thread pool: a queue of jobs, a loop that all threads share, and answers on an eventfd. */
#include "src/sys/pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "src/util/mem.h"

#define MAX_THREADS 256

struct job {
    struct job *next;
    void (*work)(void *arg);
    void (*done)(void *arg);
    void *arg;
};

struct queue {
    struct job *first, **last;
};

struct fx_pool {
    pthread_mutex_t lock;
    pthread_cond_t wake;      /* workers: there is something to do */
    pthread_cond_t loop_idle; /* the main thread: no worker is inside the loop's work */
    struct queue waiting, finished;
    bool stop;
    int fd;
    unsigned n_threads;
    pthread_t *threads;
    /* The running fx_pool_for, which goes before queued jobs. */
    void (*loop_work)(void *arg, size_t at);
    void *loop_arg;
    size_t loop_next, loop_n, loop_running;
};

static void queue_push(struct queue *q, struct job *job)
{
    job->next = NULL;
    *q->last = job;
    q->last = &job->next;
}

static struct job *queue_pop(struct queue *q)
{
    struct job *job = q->first;

    if (job != NULL) {
        q->first = job->next;
        if (q->first == NULL) {
            q->last = &q->first;
        }
    }
    return job;
}

static void queue_drop(struct queue *q)
{
    struct job *job;

    while ((job = queue_pop(q)) != NULL) {
        free(job);
    }
}

static void notify(int fd)
{
    uint64_t one = 1;

    /* A full counter already wakes the reader. */
    while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
}

/* Takes indices of the loop until none is left. Called and left with the lock held. */
static void run_loop(struct fx_pool *pool)
{
    while (pool->loop_next < pool->loop_n) {
        size_t at = pool->loop_next++;
        void (*work)(void *arg, size_t at) = pool->loop_work;
        void *arg = pool->loop_arg;

        pool->loop_running++;
        pthread_mutex_unlock(&pool->lock);
        work(arg, at);
        pthread_mutex_lock(&pool->lock);
        pool->loop_running--;
    }
    if (pool->loop_running == 0) {
        pthread_cond_signal(&pool->loop_idle);
    }
}

static void *thread_main(void *arg)
{
    struct fx_pool *pool = arg;

    pthread_mutex_lock(&pool->lock);
    while (!pool->stop) {
        struct job *job;

        if (pool->loop_next < pool->loop_n) {
            run_loop(pool);
            continue;
        }
        job = queue_pop(&pool->waiting);
        if (job == NULL) {
            pthread_cond_wait(&pool->wake, &pool->lock);
            continue;
        }
        pthread_mutex_unlock(&pool->lock);
        job->work(job->arg);
        pthread_mutex_lock(&pool->lock);
        queue_push(&pool->finished, job);
        notify(pool->fd);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

struct fx_pool *fx_pool_create(unsigned threads)
{
    struct fx_pool *pool = fx_xcalloc(1, sizeof(*pool));
    sigset_t all, before;

    if (threads == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);

        threads = cores > 0 ? (unsigned)cores : 1;
    }
    if (threads > MAX_THREADS) {
        threads = MAX_THREADS;
    }
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->loop_idle, NULL);
    pool->waiting.last = &pool->waiting.first;
    pool->finished.last = &pool->finished.first;
    pool->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (pool->fd < 0) {
        perror("eventfd");
        abort();
    }
    pool->threads = fx_xcalloc(threads, sizeof(*pool->threads));
    /* Signals belong to the main thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (pool->n_threads = 0; pool->n_threads < threads; pool->n_threads++) {
        if (pthread_create(&pool->threads[pool->n_threads], NULL, thread_main, pool) != 0) {
            break;
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pool->n_threads == 0) {
        fprintf(stderr, "cannot start a thread\n");
        abort();
    }
    return pool;
}

void fx_pool_destroy(struct fx_pool *pool)
{
    unsigned i;

    if (pool == NULL) {
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (i = 0; i < pool->n_threads; i++) {
        pthread_join(pool->threads[i], NULL);
    }
    queue_drop(&pool->waiting);
    queue_drop(&pool->finished);
    close(pool->fd);
    pthread_cond_destroy(&pool->loop_idle);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    free(pool->threads);
    free(pool);
}

unsigned fx_pool_threads(const struct fx_pool *pool)
{
    return pool->n_threads;
}

void fx_pool_submit(struct fx_pool *pool, void (*work)(void *arg), void (*done)(void *arg),
                    void *arg)
{
    struct job *job = fx_xmalloc(sizeof(*job));

    *job = (struct job){.work = work, .done = done, .arg = arg};
    pthread_mutex_lock(&pool->lock);
    queue_push(&pool->waiting, job);
    pthread_cond_signal(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
}

void fx_pool_for(struct fx_pool *pool, size_t n, void (*work)(void *arg, size_t at), void *arg)
{
    if (pool == NULL || n < 2) {
        size_t at;

        for (at = 0; at < n; at++) {
            work(arg, at);
        }
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->loop_work = work;
    pool->loop_arg = arg;
    pool->loop_next = 0;
    pool->loop_n = n;
    pthread_cond_broadcast(&pool->wake);
    run_loop(pool);
    while (pool->loop_running > 0) {
        pthread_cond_wait(&pool->loop_idle, &pool->lock);
    }
    pool->loop_n = pool->loop_next = 0;
    pthread_mutex_unlock(&pool->lock);
}

int fx_pool_fd(const struct fx_pool *pool)
{
    return pool->fd;
}

void fx_pool_drain(struct fx_pool *pool)
{
    uint64_t count;
    struct queue q = {.last = &q.first};
    struct job *job;

    while (read(pool->fd, &count, sizeof(count)) < 0 && errno == EINTR) {
    }
    pthread_mutex_lock(&pool->lock);
    if (pool->finished.first != NULL) {
        q.first = pool->finished.first;
        pool->finished.first = NULL;
        pool->finished.last = &pool->finished.first;
    }
    pthread_mutex_unlock(&pool->lock);
    while ((job = q.first) != NULL) {
        q.first = job->next;
        if (job->done != NULL) {
            job->done(job->arg);
        }
        free(job);
    }
}
