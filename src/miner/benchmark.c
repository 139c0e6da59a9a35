/* Bricks a second of each device. */
#include "src/miner/benchmark.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/miner/devices.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

#define SIDE 128 /* panels */
#define DEPTH 16
#define PATTERNS 16
#define STEP_MS 250
#define WARM_UP 10 /* its share of the time: 1 / WARM_UP */

struct bench {
    const struct fx_backend *backend;
    struct fx_device *device;
    const atomic_bool *stop;
    int8_t *blocks; /* PATTERNS panel blocks */
    struct fx_session *session;
    struct fx_kernel_header header;
    uint64_t bricks; /* of sessions that are over */
};

static bool read_pattern(void *ctx, enum fx_side side, uint32_t panel, uint32_t first,
                         uint32_t count, int8_t *out)
{
    const struct bench *bench = ctx;

    for (uint32_t at = 0; at < count; at++)
        memcpy(out + (size_t)at * FX_BLOCK_BYTES,
               bench->blocks +
                   (size_t)((panel + first + at + 7 * side) % PATTERNS) * FX_BLOCK_BYTES,
               FX_BLOCK_BYTES);
    return true;
}

static bool take_ticket(void *ctx, uint32_t i, uint32_t j, uint32_t l, const uint8_t ticket[32])
{
    (void)ctx;
    (void)i;
    (void)j;
    (void)l;
    (void)ticket;
    return true;
}

static bool take_tile(void *ctx, uint64_t tile, const int32_t *data)
{
    (void)ctx;
    (void)tile;
    (void)data;
    return true;
}

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
    const struct fx_kernel_task task = {
        .kind = 1, .rows = SIDE, .cols = SIDE, .depth = DEPTH, .operands = {bench, read_pattern}};
    const struct fx_kernel_sink sink = {bench, take_ticket, take_tile};
    int64_t end = fx_clock_monotonic_ns() + ns;

    while (fx_clock_monotonic_ns() < end && !atomic_load(bench->stop)) {
        int64_t left_ms = (end - fx_clock_monotonic_ns()) / 1000000;

        if (!bench->session)
            bench->session = bench->backend->begin(bench->device, &task, NULL, error);
        if (!bench->session)
            return false;
        switch (bench->backend->step(bench->session, &bench->header,
                                     left_ms < STEP_MS ? (unsigned)left_ms : STEP_MS, bench->stop,
                                     &sink, error)) {
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
                           const struct fx_device_choice *choice, int8_t *blocks,
                           const atomic_bool *stop)
{
    struct bench bench = {.backend = choice->backend, .stop = stop, .blocks = blocks};
    char error[FX_KERNEL_TEXT] = "";
    double rate = -1;

    bench.header.mode = FX_KERNEL_PRODUCT | FX_KERNEL_MINE; /* a target that nothing meets */
    bench.device = fx_miner_device_open(options, choice, error);
    if (bench.device) {
        rate = measure(&bench, options->benchmark_seconds, error);
        bench.backend->close(bench.device);
    }
    if (rate < 0)
        printf("%s, %s: failed: %s\n", choice->name, choice->model, error);
    else
        printf("%s, %s: %.1f bricks/s\n", choice->name, choice->model, rate);
    fflush(stdout);
    return rate;
}

bool fx_miner_benchmark(const struct fx_miner_options *options, const atomic_bool *stop)
{
    int8_t *blocks = fx_xmalloc((size_t)PATTERNS * FX_BLOCK_BYTES);
    struct fx_device_choice *choices;
    char error[FX_KERNEL_TEXT];
    double sum = 0;
    bool ok = true;
    size_t n;

    if (!fx_miner_devices_choose(options, &choices, &n, error)) {
        fprintf(stderr, "Error: no device: %s\n", error);
        free(blocks);
        return false;
    }
    for (uint32_t at = 0; at < PATTERNS * FX_BLOCK_BYTES; at++)
        blocks[at] = (int8_t)((int)(at * UINT32_C(2654435761) >> 16 & 0x7f) - 64);
    for (size_t at = 0; at < n && !atomic_load(stop); at++) {
        double rate = bench_device(options, &choices[at], blocks, stop);

        ok = ok && rate >= 0;
        sum += rate >= 0 ? rate : 0;
    }
    if (n > 1)
        printf("all %zu devices, one after the other: %.1f bricks/s\n", n, sum);
    free(choices);
    free(blocks);
    return ok;
}
