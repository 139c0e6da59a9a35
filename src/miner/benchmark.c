/* Bricks a second of each device. */
#include "src/miner/benchmark.h"

#include <stdio.h>
#include <stdlib.h>

#include "kernels/trial.h"
#include "src/miner/crew.h"
#include "src/miner/devices.h"
#include "src/sys/clock.h"

#define SIDE 128 /* panels */
#define DEPTH 16
#define STEP_MS 250
#define WARM_UP 10 /* its share of the time: 1 / WARM_UP */

struct bench {
    const struct fx_backend *backend;
    struct fx_device *device;
    const atomic_bool *stop;
    struct fx_trial trial;
    struct fx_session *session;
    struct fx_kernel_header header;
    uint64_t bricks; /* of sessions that are over */
};

static uint64_t bricks(const struct bench *bench)
{
    struct fx_kernel_stats stats = {0};

    if (bench->session)
        bench->backend->stats(bench->session, &stats);
    return bench->bricks + stats.bricks;
}

static void end_session(struct bench *bench)
{
    bench->bricks = bricks(bench);
    bench->backend->end(bench->session);
    bench->session = NULL;
    bench->header.seed[0]++;
}

/* Works for about this long. */
static bool run(struct bench *bench, int64_t ns, char error[FX_KERNEL_TEXT])
{
    const struct fx_kernel_task task = fx_trial_task(&bench->trial, SIDE, SIDE, DEPTH);
    int64_t end = fx_clock_monotonic_ns() + ns;

    while (fx_clock_monotonic_ns() < end && !atomic_load(bench->stop)) {
        int64_t left_ms = (end - fx_clock_monotonic_ns()) / 1000000;

        if (!bench->session)
            bench->session = bench->backend->begin(bench->device, &task, NULL, error);
        if (!bench->session)
            return false;
        switch (bench->backend->step(bench->session, &bench->header,
                                     left_ms < STEP_MS ? (unsigned)left_ms : STEP_MS, bench->stop,
                                     &fx_trial_sink, error)) {
        case FX_STEP_MORE:
        case FX_STEP_CANCELLED:
            break;
        case FX_STEP_DONE:
            end_session(bench);
            break;
        case FX_STEP_FAILED:
            return false;
        }
    }
    return true;
}

/* Bricks a second; negative: the device failed. */
static double measure(struct bench *bench, unsigned seconds, char error[FX_KERNEL_TEXT])
{
    int64_t whole = (int64_t)seconds * 1000000000, start;
    uint64_t before;
    double rate = -1;

    if (run(bench, whole / WARM_UP, error)) {
        before = bricks(bench);
        start = fx_clock_monotonic_ns();
        if (run(bench, whole, error))
            rate =
                (double)(bricks(bench) - before) * 1e9 / (double)(fx_clock_monotonic_ns() - start);
    }
    if (bench->session)
        end_session(bench);
    return rate;
}

static double bench_device(const struct fx_miner_options *options,
                           const struct fx_device_choice *choice, const atomic_bool *stop)
{
    struct bench bench = {.backend = choice->backend, .stop = stop};
    char error[FX_KERNEL_TEXT] = "";
    double rate = -1;

    bench.header.mode = FX_KERNEL_PRODUCT | FX_KERNEL_MINE; /* a target that nothing meets */
    fx_trial_init(&bench.trial);
    bench.device = fx_miner_device_open(options, choice, error);
    if (bench.device) {
        rate = measure(&bench, options->benchmark_seconds, error);
        bench.backend->close(bench.device);
    }
    fx_trial_clear(&bench.trial);
    if (atomic_load(stop))
        return 0;
    fx_miner_device_title(choice);
    if (rate < 0)
        printf(": failed: %s\n", error);
    else
        printf(": %.1f bricks/s\n", rate);
    fflush(stdout);
    return rate;
}

int fx_miner_benchmark(const struct fx_miner_options *options, const atomic_bool *stop)
{
    struct fx_device_choice *choices;
    char error[FX_KERNEL_TEXT];
    double sum = 0;
    bool ok = true;
    size_t n;

    if (!fx_miner_devices_choose(options, &choices, &n, error)) {
        fprintf(stderr, "Error: no device: %s\n", error);
        return FX_EXIT_DEVICE;
    }
    for (size_t at = 0; at < n && !atomic_load(stop); at++) {
        double rate = bench_device(options, &choices[at], stop);

        ok = ok && rate >= 0;
        sum += rate >= 0 ? rate : 0;
    }
    free(choices);
    if (atomic_load(stop)) {
        fprintf(stderr, "Error: interrupted\n");
        return FX_EXIT_ERROR;
    }
    if (n > 1)
        printf("all %zu devices, one after the other: %.1f bricks/s\n", n, sum);
    return ok ? FX_EXIT_OK : FX_EXIT_DEVICE;
}
