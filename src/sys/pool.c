/* The thread pool: a queue of jobs, a loop that all threads share, tasks, and answers on an
 * eventfd. */
#include "src/sys/pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "src/sys/clock.h"
#include "src/util/mem.h"

#define MAX_THREADS 256
#define TAKE_MAX 32 /* indices of a loop that a thread takes at once, at most */
#define PAUSES 32   /* between two looks at the clock */

struct job {
    struct job *next;
    void (*work)(void *arg);
    void (*done)(void *arg);
    void *arg;
};

struct queue {
    struct job *first, **last;
};

enum task_state { TASK_WAITING, TASK_RUNNING, TASK_DONE };

struct fx_pool {
    pthread_mutex_t lock;
    pthread_cond_t wake; /* workers: there is something to do */
    pthread_cond_t idle; /* the main thread: a loop's last work, or a task, has ended */
    unsigned n_begun;    /* workers that have a number */
    unsigned n_asleep;   /* workers that wait for `wake` */
    atomic_uint news;    /* moves when there is something new for workers */
    int64_t patience;    /* in nanoseconds, before one sleeps */
    struct queue waiting, finished;
    struct fx_pool_task *tasks, **last_task; /* that nobody has begun */
    bool stop;
    int fd;
    unsigned n_threads;
    pthread_t *threads;
    struct fx_pool_loop *loop; /* the running one; goes before tasks and jobs */
};

static _Thread_local unsigned self;

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

static void pause_once(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Waits awake until *at is no longer `value`, for as long as the pool has patience. Called and left
 * with the lock held, which it gives up meanwhile. */
static void watch(struct fx_pool *pool, const atomic_uint *at, unsigned value)
{
    const int64_t patience = pool->patience;
    int64_t deadline;

    if (patience == 0) {
        return;
    }
    pthread_mutex_unlock(&pool->lock);
    deadline = fx_clock_monotonic_ns() + patience;
    while (atomic_load(at) == value && fx_clock_monotonic_ns() < deadline) {
        for (unsigned n = 0; n < PAUSES && atomic_load(at) == value; n++) {
            pause_once();
        }
    }
    pthread_mutex_lock(&pool->lock);
}

/* How many indices to take at once: few trips to the lock, and the last ones shared by all. */
static size_t share(const struct fx_pool *pool, const struct fx_pool_loop *loop)
{
    size_t n = (loop->n - loop->next) / (4 * ((size_t)pool->n_threads + 1));

    return n < 1 ? 1 : n > TAKE_MAX ? TAKE_MAX : n;
}

/* Runs indices of the loop until none is left. Called and left with the lock held. */
static void run_loop(struct fx_pool *pool, struct fx_pool_loop *loop)
{
    loop->running++;
    while (loop->next < loop->n) {
        size_t at = loop->next, end = at + share(pool, loop);

        loop->next = end;
        pthread_mutex_unlock(&pool->lock);
        for (; at < end; at++) {
            loop->work(loop->arg, at);
        }
        pthread_mutex_lock(&pool->lock);
    }
    loop->running--;
    if (loop->running == 0) {
        pthread_cond_signal(&pool->idle);
    }
}

/* Called and left with the lock held. */
static void run_task(struct fx_pool *pool, struct fx_pool_task *task)
{
    task->state = TASK_RUNNING;
    pthread_mutex_unlock(&pool->lock);
    task->work(task->arg);
    pthread_mutex_lock(&pool->lock);
    task->state = TASK_DONE;
    pthread_cond_signal(&pool->idle);
}

static void unlink_task(struct fx_pool *pool, struct fx_pool_task *task)
{
    struct fx_pool_task **at = &pool->tasks;

    while (*at != task) {
        at = &(*at)->next;
    }
    *at = task->next;
    if (task->next == NULL) {
        pool->last_task = at;
    }
}

static void run_job(struct fx_pool *pool, struct job *job)
{
    pthread_mutex_unlock(&pool->lock);
    job->work(job->arg);
    pthread_mutex_lock(&pool->lock);
    queue_push(&pool->finished, job);
    notify(pool->fd);
}

static void wait_for_news(struct fx_pool *pool)
{
    const unsigned news = atomic_load(&pool->news);

    watch(pool, &pool->news, news);
    if (atomic_load(&pool->news) == news) {
        pool->n_asleep++;
        pthread_cond_wait(&pool->wake, &pool->lock);
        pool->n_asleep--;
    }
}

static void *thread_main(void *arg)
{
    struct fx_pool *pool = arg;

    pthread_mutex_lock(&pool->lock);
    self = ++pool->n_begun;
    while (!pool->stop) {
        struct fx_pool_task *task = pool->tasks;

        if (pool->loop != NULL && pool->loop->next < pool->loop->n) {
            run_loop(pool, pool->loop);
        } else if (task != NULL) {
            unlink_task(pool, task);
            run_task(pool, task);
        } else if (pool->waiting.first != NULL) {
            run_job(pool, queue_pop(&pool->waiting));
        } else {
            wait_for_news(pool);
        }
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* There is something new for n threads. With the lock held. */
static void wake(struct fx_pool *pool, size_t n)
{
    atomic_fetch_add(&pool->news, 1);
    if (pool->n_asleep == 0) {
        return;
    }
    if (n > 1) {
        pthread_cond_broadcast(&pool->wake);
    } else {
        pthread_cond_signal(&pool->wake);
    }
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
    pthread_cond_init(&pool->idle, NULL);
    pool->last_task = &pool->tasks;
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
    wake(pool, pool->n_threads);
    pthread_mutex_unlock(&pool->lock);
    for (i = 0; i < pool->n_threads; i++) {
        pthread_join(pool->threads[i], NULL);
    }
    queue_drop(&pool->waiting);
    queue_drop(&pool->finished);
    close(pool->fd);
    pthread_cond_destroy(&pool->idle);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    free(pool->threads);
    free(pool);
}

void fx_pool_set_patience(struct fx_pool *pool, unsigned microseconds)
{
    pthread_mutex_lock(&pool->lock);
    pool->patience = (int64_t)microseconds * 1000;
    pthread_mutex_unlock(&pool->lock);
}

unsigned fx_pool_self(void)
{
    return self;
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
    wake(pool, 1);
    pthread_mutex_unlock(&pool->lock);
}

/* ---- loops ---- */

void fx_pool_loop_begin(struct fx_pool_loop *loop, struct fx_pool *pool,
                        void (*work)(void *arg, size_t at), void *arg)
{
    *loop = (struct fx_pool_loop){.pool = pool, .work = work, .arg = arg};
    if (pool != NULL) {
        pthread_mutex_lock(&pool->lock);
        assert(pool->loop == NULL);
        pool->loop = loop;
        pthread_mutex_unlock(&pool->lock);
    }
}

void fx_pool_loop_more(struct fx_pool_loop *loop, size_t n)
{
    struct fx_pool *pool = loop->pool;

    if (pool == NULL) {
        loop->n = n;
        return;
    }
    pthread_mutex_lock(&pool->lock);
    wake(pool, n - loop->n);
    loop->n = n;
    pthread_mutex_unlock(&pool->lock);
}

static void wait_for_end(struct fx_pool *pool, struct fx_pool_loop *loop)
{
    unsigned running;

    while ((running = atomic_load(&loop->running)) > 0) {
        watch(pool, &loop->running, running);
        if (atomic_load(&loop->running) == running) {
            pthread_cond_wait(&pool->idle, &pool->lock);
        }
    }
}

void fx_pool_loop_end(struct fx_pool_loop *loop)
{
    struct fx_pool *pool = loop->pool;

    if (pool == NULL) {
        while (loop->next < loop->n) {
            loop->work(loop->arg, loop->next++);
        }
        return;
    }
    pthread_mutex_lock(&pool->lock);
    run_loop(pool, loop);
    wait_for_end(pool, loop);
    pool->loop = NULL;
    pthread_mutex_unlock(&pool->lock);
}

void fx_pool_for(struct fx_pool *pool, size_t n, void (*work)(void *arg, size_t at), void *arg)
{
    struct fx_pool_loop loop;

    /* One thing is done here: to wake a thread costs more. */
    fx_pool_loop_begin(&loop, n > 1 ? pool : NULL, work, arg);
    fx_pool_loop_more(&loop, n);
    fx_pool_loop_end(&loop);
}

/* ---- tasks ---- */

void fx_pool_task_start(struct fx_pool *pool, struct fx_pool_task *task, void (*work)(void *arg),
                        void *arg)
{
    *task = (struct fx_pool_task){.work = work, .arg = arg, .state = TASK_WAITING};
    if (pool != NULL) {
        pthread_mutex_lock(&pool->lock);
        *pool->last_task = task;
        pool->last_task = &task->next;
        wake(pool, 1);
        pthread_mutex_unlock(&pool->lock);
    }
}

/* Takes the task from the threads: true where none of them had begun it, and none will. */
static bool take_back(struct fx_pool *pool, struct fx_pool_task *task)
{
    bool undone;

    if (pool == NULL) {
        undone = task->state == TASK_WAITING;
    } else {
        pthread_mutex_lock(&pool->lock);
        undone = task->state == TASK_WAITING;
        if (undone) {
            unlink_task(pool, task);
        }
        while (task->state == TASK_RUNNING) {
            pthread_cond_wait(&pool->idle, &pool->lock);
        }
        pthread_mutex_unlock(&pool->lock);
    }
    task->state = TASK_DONE;
    return undone;
}

void fx_pool_task_finish(struct fx_pool *pool, struct fx_pool_task *task)
{
    if (take_back(pool, task)) {
        task->work(task->arg);
    }
}

void fx_pool_task_cancel(struct fx_pool *pool, struct fx_pool_task *task)
{
    take_back(pool, task);
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
