/* The CUDA backend on each device that is usable; skipped where there is none. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/kernels/suite.h"

#define DEVICES_MAX 16

/* For all tests. */
static struct fx_device *opened[DEVICES_MAX];
static size_t n_opened;

static void close_all(void)
{
    for (size_t at = 0; at < n_opened; at++)
        fx_backend_cuda.close(opened[at]);
}

static void open_all(void)
{
    struct fx_device_info found[DEVICES_MAX];
    size_t n = fx_backend_cuda.list(found, DEVICES_MAX);
    char error[FX_KERNEL_TEXT] = "";

    if (n_opened > 0)
        return;
    for (size_t at = 0; at < n && at < DEVICES_MAX; at++) {
        if (!found[at].usable)
            continue;
        opened[n_opened] = fx_backend_cuda.open((unsigned)at, error);
        if (!opened[n_opened])
            FX_FAIL("cuda:%zu, %s: %s", at, found[at].name, error);
        n_opened++;
    }
    if (n_opened == 0)
        FX_SKIP(found[0].why);
    atexit(close_all);
}

#define SUITE(name, call)                                             \
    FX_TEST(name)                                                     \
    {                                                                 \
        open_all();                                                   \
        for (size_t at = 0; at < n_opened; at++) {                    \
            const struct fx_suite s = {&fx_backend_cuda, opened[at]}; \
                                                                      \
            call;                                                     \
        }                                                             \
    }

SUITE(vectors, fx_suite_vectors(&s))
SUITE(random_products, fx_suite_random(&s, 5))
SUITE(extremes, fx_suite_extremes(&s))
SUITE(the_deepest_tile, fx_suite_deepest(&s))
SUITE(operands_out_of_range, fx_suite_out_of_range(&s))
SUITE(headers_that_change, fx_suite_header_changes(&s))
SUITE(tickets_left_of_another_header, fx_suite_left_tickets(&s))
SUITE(mining_alone, fx_suite_mining(&s))
SUITE(mining_after_the_product, fx_suite_mining_after_product(&s))
SUITE(tiles_that_are_done_are_left_alone, fx_suite_done_tiles(&s))
SUITE(partial_sums_survive_a_restart, fx_suite_restart(&s))
SUITE(a_sink_that_says_stop, fx_suite_stopping_sink(&s))
SUITE(an_operand_that_cannot_be_read, fx_suite_unreadable(&s))
SUITE(tasks_that_are_none, fx_suite_no_tasks(&s))
SUITE(the_tip_moves, fx_suite_tip_moves(&s))
SUITE(cancel_ends_a_step_soon, fx_suite_cancel(&s))
SUITE(nonces, fx_suite_nonces(&s))
