/* Tests of the thread pool: every index once, answers on the main thread, both at a time. */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/sys/clock.h"
#include "src/sys/pool.h"

static _Atomic unsigned hits[1000];
static pthread_t main_thread;
static unsigned answered;
static _Atomic unsigned worked;

static void hit(void *arg, size_t at)
{
    atomic_fetch_add(&hits[at], arg == &answered ? 1 : 1000);
}

static void work(void *arg)
{
    (void)arg;
    fx_clock_sleep_ms(1);
    atomic_fetch_add(&worked, 1);
}

static void done(void *arg)
{
    FX_CHECK(pthread_equal(pthread_self(), main_thread));
    FX_CHECK(arg == &worked);
    answered++;
}

static void check_for(struct fx_pool *pool)
{
    size_t n, i;

    for (n = 0; n <= 1000; n = n * 3 + 1) {
        memset((void *)hits, 0, sizeof(hits));
        fx_pool_for(pool, n, hit, &answered);
        for (i = 0; i < 1000; i++) {
            FX_CHECK_INT(hits[i], i < n);
        }
    }
}

FX_TEST(for_visits_each_index_once)
{
    struct fx_pool *pool = fx_pool_create(4);
    unsigned round;

    FX_CHECK_INT(fx_pool_threads(pool), 4);
    check_for(NULL);
    for (round = 0; round < fx_unit_rounds(200); round++) {
        check_for(pool);
    }
    fx_pool_destroy(pool);
}

static void check_patience(unsigned microseconds)
{
    struct fx_pool *pool = fx_pool_create(3);

    fx_pool_set_patience(pool, microseconds);
    for (unsigned round = 0; round < fx_unit_rounds(100); round++) {
        check_for(pool);
        if (round % 10 == 0) {
            fx_clock_sleep_ms(1); /* they sleep in between, or are about to */
        }
    }
    fx_pool_destroy(pool);
}

FX_TEST(threads_that_wait_awake_miss_nothing)
{
    check_patience(1);
    check_patience(100);
    check_patience(1000000); /* they never sleep, and the pool ends all the same */
}

FX_TEST(jobs_answer_on_the_main_thread)
{
    struct fx_pool *pool = fx_pool_create(3);
    unsigned i;

    main_thread = pthread_self();
    answered = 0;
    atomic_store(&worked, 0);
    for (i = 0; i < 50; i++) {
        fx_pool_submit(pool, work, i % 2 == 0 ? done : NULL, &worked);
        if (i % 10 == 0) {
            check_for(pool);
        }
    }
    while (answered < 25) {
        struct pollfd p = {.fd = fx_pool_fd(pool), .events = POLLIN};

        FX_CHECK_INT(poll(&p, 1, 10000), 1);
        fx_pool_drain(pool);
    }
    FX_CHECK(worked >= 25);
    fx_pool_destroy(pool);
}

FX_TEST(destroy_drops_what_waits)
{
    struct fx_pool *pool = fx_pool_create(1);
    unsigned i;

    answered = 0;
    atomic_store(&worked, 0);
    for (i = 0; i < 200; i++) {
        fx_pool_submit(pool, work, done, &worked);
    }
    fx_pool_destroy(pool);
    FX_CHECK_INT(answered, 0);
    FX_CHECK(worked < 200);
}

FX_TEST(one_thread_a_core)
{
    struct fx_pool *pool = fx_pool_create(0);

    FX_CHECK(fx_pool_threads(pool) >= 1);
    fx_pool_destroy(pool);
    fx_pool_destroy(NULL);
}

static void slow_hit(void *arg, size_t at)
{
    if (at % 64 == 0) {
        fx_clock_sleep_ms(1);
    }
    hit(arg, at);
}

static void check_growing(struct fx_pool *pool)
{
    struct fx_pool_loop loop;
    size_t n, i;

    memset((void *)hits, 0, sizeof(hits));
    fx_pool_loop_begin(&loop, pool, slow_hit, &answered);
    for (n = 0; n < 700; n += n / 2 + 1) {
        fx_pool_loop_more(&loop, n);
    }
    fx_pool_loop_more(&loop, 700);
    fx_pool_loop_end(&loop);
    for (i = 0; i < 1000; i++) {
        FX_CHECK_INT(hits[i], i < 700);
    }
}

FX_TEST(a_loop_may_grow_while_it_runs)
{
    struct fx_pool *pool = fx_pool_create(3);
    unsigned round;

    check_growing(NULL);
    for (round = 0; round < fx_unit_rounds(20); round++) {
        check_growing(pool);
    }
    fx_pool_destroy(pool);
}

#define TASKS 40

static void set(void *arg)
{
    *(unsigned *)arg += 1;
}

/* Tasks are done once, whether a thread or the finish does them, and those that are cancelled at
 * most once; a loop goes on beside them. */
static void check_tasks(struct fx_pool *pool)
{
    struct fx_pool_task tasks[TASKS];
    unsigned done_to[TASKS] = {0}, i;

    for (i = 0; i < TASKS; i++) {
        fx_pool_task_start(pool, &tasks[i], set, &done_to[i]);
    }
    check_for(pool);
    for (i = 0; i < TASKS; i += 2) {
        fx_pool_task_finish(pool, &tasks[i]);
        FX_CHECK_INT(done_to[i], 1);
        fx_pool_task_cancel(pool, &tasks[i]);
        FX_CHECK_INT(done_to[i], 1);
    }
    for (i = TASKS - 1; i < TASKS; i -= 2) {
        fx_pool_task_cancel(pool, &tasks[i]);
        FX_CHECK(done_to[i] <= 1);
    }
    if (pool == NULL) {
        FX_CHECK_INT(done_to[1], 0);
    }
}

FX_TEST(tasks_are_done_once)
{
    struct fx_pool *pool = fx_pool_create(2);
    unsigned round;

    check_tasks(NULL);
    for (round = 0; round < fx_unit_rounds(50); round++) {
        check_tasks(pool);
    }
    fx_pool_destroy(pool);
}

static void note_self(void *arg, size_t at)
{
    (void)arg;
    (void)at;
    atomic_fetch_add(&hits[fx_pool_self()], 1);
    fx_clock_sleep_ms(1);
}

FX_TEST(threads_are_numbered_from_one)
{
    struct fx_pool *pool = fx_pool_create(2);
    unsigned sum = 0;

    memset((void *)hits, 0, sizeof(hits));
    FX_CHECK_INT(fx_pool_self(), 0);
    for (unsigned round = 0; round < 1000 && (hits[1] == 0 || hits[2] == 0); round++) {
        fx_pool_for(pool, 30, note_self, NULL);
        sum += 30;
    }
    FX_CHECK(hits[1] > 0 && hits[2] > 0);
    FX_CHECK_INT(hits[0] + hits[1] + hits[2], sum);
    fx_pool_destroy(pool);
}
