/* Listing, opening and trying devices. */
#include "src/miner/devices.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/cpu/cpu.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

#define DEVICES_MAX 64 /* of one backend */
#define TRIAL_HASHES 200000
#define TRIAL_MS 150

void fx_miner_devices_print(void)
{
    struct fx_device_info *found = fx_xcalloc(DEVICES_MAX, sizeof *found);

    for (size_t b = 0; fx_backends[b]; b++) {
        size_t n = fx_backends[b]->list(found, DEVICES_MAX);

        for (size_t at = 0; at < n && at < DEVICES_MAX; at++) {
            const struct fx_device_info *info = &found[at];

            printf("%s:%u  %s", info->backend, info->index, info->name);
            if (info->memory > 0)
                printf(", %" PRIu64 " MiB", info->memory >> 20);
            if (!info->usable)
                printf(" (not usable: %s)", info->why);
            printf("\n");
        }
    }
    free(found);
}

struct fx_device *fx_miner_device_open(const struct fx_miner_options *options,
                                       char error[FX_KERNEL_TEXT])
{
    fx_backend_cpu_set_threads(options->threads);
    return options->backend->open(options->device, error);
}

static bool read_zeros(void *ctx, enum fx_side side, uint32_t panel, uint32_t first, uint32_t count,
                       int8_t *out)
{
    (void)ctx;
    (void)side;
    (void)panel;
    (void)first;
    memset(out, 0, (size_t)count * FX_BLOCK_BYTES);
    return true;
}

static bool drop_ticket(void *ctx, uint32_t i, uint32_t j, uint32_t l, const uint8_t ticket[32])
{
    (void)ctx;
    (void)i;
    (void)j;
    (void)l;
    (void)ticket;
    return true;
}

static bool drop_tile(void *ctx, uint64_t tile, const int32_t *data)
{
    (void)ctx;
    (void)tile;
    (void)data;
    return true;
}

bool fx_miner_device_measure(const struct fx_backend *backend, struct fx_device *device,
                             struct fx_pay_rates *rates, char error[FX_KERNEL_TEXT])
{
    static const uint8_t nothing[80]; /* a target that no hash meets; a header */
    const struct fx_kernel_task task = {
        .kind = 1, .rows = 256, .cols = 256, .depth = 16, .operands = {NULL, read_zeros}};
    const struct fx_kernel_header header = {.mode = FX_KERNEL_PRODUCT | FX_KERNEL_MINE};
    const struct fx_kernel_sink sink = {NULL, drop_ticket, drop_tile};
    struct fx_kernel_stats stats;
    atomic_bool cancel = false;
    struct fx_session *session;
    enum fx_kernel_step step;
    uint64_t tried = 0;
    uint32_t nonce;
    int64_t start = fx_clock_monotonic_ns(), took;

    backend->hash(device, nothing, nothing, 0, TRIAL_HASHES, &cancel, &nonce, &tried);
    took = fx_clock_monotonic_ns() - start;
    rates->hashes = took > 0 ? (double)tried * 1e9 / (double)took : 0;
    session = backend->begin(device, &task, NULL, error);
    if (!session)
        return false;
    start = fx_clock_monotonic_ns();
    step = backend->step(session, &header, TRIAL_MS, &cancel, &sink, error);
    took = fx_clock_monotonic_ns() - start;
    backend->stats(session, &stats);
    backend->end(session);
    rates->bricks = took > 0 ? (double)stats.bricks * 1e9 / (double)took : 0;
    return step != FX_STEP_FAILED;
}
