/* The items of a stage: each once, a thread's own share first. */
#include <string.h>

#include "kernels/cpu/items.h"
#include "qa/unit/harness.h"
#include "src/sys/pool.h"

#define THREADS 4

static _Atomic unsigned times[1000];

static void take_all(void *arg, size_t turn)
{
    struct fx_cpu_items *items = arg;
    size_t item;

    (void)turn;
    while (fx_cpu_items_take(items, fx_pool_self(), &item))
        times[item]++;
}

FX_TEST(all_threads_take_each_item_once)
{
    struct fx_pool *pool = fx_pool_create(THREADS - 1);
    struct fx_cpu_items items;

    fx_cpu_items_init(&items, THREADS);
    for (size_t n = 0; n < 1000; n = 2 * n + 1) {
        memset((void *)times, 0, sizeof times);
        fx_cpu_items_set(&items, n);
        FX_CHECK(!fx_cpu_items_begun(&items));
        FX_CHECK_INT(fx_cpu_items_taken(&items), n == 0);
        fx_pool_for(pool, THREADS, take_all, &items);
        FX_CHECK(fx_cpu_items_taken(&items));
        FX_CHECK_INT(fx_cpu_items_begun(&items), n > 0);
        for (size_t at = 0; at < 1000; at++)
            FX_CHECK_INT(times[at], at < n);
    }
    fx_cpu_items_clear(&items);
    fx_pool_destroy(pool);
}

/* The same in each stage, and what others have left after it. */
FX_TEST(a_share_is_taken_before_those_of_others)
{
    static const size_t order[] = {5, 6, 7, 8, 9, 0, 1, 2, 3, 4};
    struct fx_cpu_items items;
    size_t item;

    fx_cpu_items_init(&items, 2);
    for (unsigned stage = 0; stage < 2; stage++) {
        fx_cpu_items_set(&items, 10);
        for (size_t at = 0; at < 10; at++) {
            FX_CHECK(!fx_cpu_items_taken(&items));
            FX_CHECK(fx_cpu_items_take(&items, 1, &item));
            FX_CHECK_INT(item, order[at]);
            FX_CHECK(fx_cpu_items_begun(&items));
        }
        FX_CHECK(fx_cpu_items_taken(&items));
        FX_CHECK(!fx_cpu_items_take(&items, 0, &item));
        FX_CHECK(!fx_cpu_items_take(&items, 7, &item));
    }
    fx_cpu_items_clear(&items);
}
