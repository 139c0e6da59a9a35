/* The CPU as one device: all of its cores together. */
#include "kernels/cpu/cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/cpu/cpu_int.h"
#include "src/util/mem.h"

#define PATIENCE 100 /* microseconds: about what an item of a stage takes, or a wake-up */

static unsigned wanted_threads;
static const struct fx_cpu_engine *wanted_engine;

void fx_backend_cpu_set_threads(unsigned threads)
{
    wanted_threads = threads;
}

bool fx_backend_cpu_set_engine(const char *name)
{
    if (!name) {
        wanted_engine = NULL;
        return true;
    }
    for (size_t at = 0; fx_cpu_engines[at]; at++) {
        if (!strcmp(fx_cpu_engines[at]->name, name) && fx_cpu_engines[at]->usable()) {
            wanted_engine = fx_cpu_engines[at];
            return true;
        }
    }
    return false;
}

static const struct fx_cpu_engine *engine(void)
{
    return wanted_engine ? wanted_engine : fx_cpu_engine_best();
}

static unsigned cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n > 0 ? (unsigned)n : 1;
}

static size_t list(struct fx_device_info *devices, size_t max)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

    if (max > 0) {
        memset(&devices[0], 0, sizeof devices[0]);
        devices[0].backend = "cpu";
        devices[0].usable = true;
        devices[0].memory = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
        snprintf(devices[0].name, sizeof devices[0].name, "CPU, %u cores, %s", cores(),
                 engine()->name);
    }
    return 1;
}

static struct fx_device *open_device(unsigned index, char error[FX_KERNEL_TEXT])
{
    struct fx_device *device;

    if (index != 0) {
        snprintf(error, FX_KERNEL_TEXT, "there is one CPU device, number 0");
        return NULL;
    }
    device = fx_xcalloc(1, sizeof *device);
    device->engine = engine();
    device->threads = wanted_threads ? wanted_threads : cores();
    if (device->threads > 1) {
        device->pool = fx_pool_create(device->threads - 1);
        fx_pool_set_patience(device->pool, PATIENCE);
    }
    return device;
}

static void close_device(struct fx_device *device)
{
    if (device->pool)
        fx_pool_destroy(device->pool);
    fx_cpu_memory_clear(device);
    free(device);
}

static bool runs_kind(uint8_t kind)
{
    return kind == 1; /* gemm */
}

const struct fx_backend fx_backend_cpu = {
    .name = "cpu",
    .list = list,
    .open = open_device,
    .close = close_device,
    .runs_kind = runs_kind,
    .begin = fx_cpu_begin,
    .step = fx_cpu_step,
    .stats = fx_cpu_stats,
    .save = fx_cpu_save,
    .load = fx_cpu_load,
    .end = fx_cpu_end,
    .hash = fx_cpu_hash,
};
