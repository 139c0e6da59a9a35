/* The driver of a CUDA device: memory, streams, events and launches for the engine. */
#include <stdio.h>
#include <string.h>

#include "kernels/cuda/cuda_int.h"

static bool good(struct fx_cuda_driver *driver, int status, const char *what)
{
    const char *text = NULL;

    if (status == 0)
        return true;
    if (driver->cu->error_string(status, &text) != 0 || !text)
        text = "error without a name";
    snprintf(driver->error, sizeof driver->error, "CUDA: %s: %.100s (%d)", what, text, status);
    return false;
}

/* The device may be used by one thread now and by another one later. */
static bool enter(struct fx_cuda_driver *driver)
{
    return good(driver, driver->cu->context_set(driver->context), "context");
}

static bool alloc(void *ctx, uint64_t bytes, uint64_t *buffer)
{
    struct fx_cuda_driver *driver = ctx;
    unsigned long long memory = 0;

    if (!enter(driver) || !good(driver, driver->cu->memory_alloc(&memory, (size_t)bytes), "memory"))
        return false;
    *buffer = memory;
    return true;
}

static void release(void *ctx, uint64_t buffer)
{
    struct fx_cuda_driver *driver = ctx;

    if (enter(driver))
        driver->cu->memory_free(buffer);
}

static void *host_alloc(void *ctx, size_t bytes)
{
    struct fx_cuda_driver *driver = ctx;
    void *memory = NULL;

    if (!enter(driver) ||
        !good(driver, driver->cu->host_alloc(&memory, bytes, FX_CU_HOST_PORTABLE), "host memory"))
        return NULL;
    return memory;
}

static void host_release(void *ctx, void *memory)
{
    struct fx_cuda_driver *driver = ctx;

    if (enter(driver))
        driver->cu->host_free(memory);
}

static bool write_buffer(void *ctx, enum fx_offload_queue queue, uint64_t buffer, uint64_t offset,
                         const void *from, size_t n)
{
    struct fx_cuda_driver *driver = ctx;

    return enter(driver) &&
           good(driver, driver->cu->copy_to(buffer + offset, from, n, driver->streams[queue]),
                "copy to the device");
}

static bool read_buffer(void *ctx, enum fx_offload_queue queue, uint64_t buffer, uint64_t offset,
                        void *to, size_t n)
{
    struct fx_cuda_driver *driver = ctx;

    return enter(driver) &&
           good(driver, driver->cu->copy_from(to, buffer + offset, n, driver->streams[queue]),
                "copy from the device");
}

static bool zero(void *ctx, uint64_t buffer, uint64_t offset, uint64_t n)
{
    struct fx_cuda_driver *driver = ctx;

    return enter(driver) && good(driver,
                                 driver->cu->fill(buffer + offset, 0, (size_t)(n / 4),
                                                  driver->streams[FX_OFFLOAD_COMPUTE]),
                                 "zeroing memory");
}

static bool launch(void *ctx, enum fx_offload_kernel kernel, uint32_t groups,
                   const struct fx_offload_arg *args, unsigned n_args)
{
    struct fx_cuda_driver *driver = ctx;
    struct fx_cuda_launch plan;

    fx_cuda_plan(&driver->variant, kernel, groups, args, n_args, &plan);
    return enter(driver) &&
           good(driver,
                driver->cu->launch(driver->functions[plan.function], plan.groups, 1, 1,
                                   plan.threads, 1, 1, plan.shared,
                                   driver->streams[FX_OFFLOAD_COMPUTE], plan.params, NULL),
                fx_cuda_functions[plan.function]);
}

static bool mark(void *ctx, enum fx_offload_queue queue, unsigned at)
{
    struct fx_cuda_driver *driver = ctx;

    return enter(driver) &&
           good(driver, driver->cu->event_record(driver->marks[at], driver->streams[queue]),
                "event");
}

static bool follow(void *ctx, enum fx_offload_queue queue, unsigned at)
{
    struct fx_cuda_driver *driver = ctx;

    return enter(driver) &&
           good(driver, driver->cu->stream_follow(driver->streams[queue], driver->marks[at], 0),
                "stream");
}

static bool wait_mark(void *ctx, unsigned at)
{
    struct fx_cuda_driver *driver = ctx;

    return enter(driver) &&
           good(driver, driver->cu->event_wait(driver->marks[at]), "work on the device");
}

static bool passed(void *ctx, unsigned at, bool *out)
{
    struct fx_cuda_driver *driver = ctx;
    int status;

    if (!enter(driver))
        return false;
    status = driver->cu->event_query(driver->marks[at]);
    *out = status == 0;
    return status == FX_CU_NOT_READY || good(driver, status, "work on the device");
}

static bool between(void *ctx, unsigned from, unsigned to, uint64_t *ns)
{
    struct fx_cuda_driver *driver = ctx;
    float ms = 0;

    if (!enter(driver) ||
        !good(driver, driver->cu->event_between(&ms, driver->marks[from], driver->marks[to]),
              "time"))
        return false;
    *ns = ms > 0 ? (uint64_t)((double)ms * 1e6) : 0;
    return true;
}

static const char *error_text(void *ctx)
{
    struct fx_cuda_driver *driver = ctx;

    return driver->error;
}

const struct fx_offload_driver fx_cuda_engine_driver = {
    .alloc = alloc,
    .release = release,
    .host_alloc = host_alloc,
    .host_release = host_release,
    .write = write_buffer,
    .read = read_buffer,
    .zero = zero,
    .launch = launch,
    .mark = mark,
    .follow = follow,
    .wait = wait_mark,
    .passed = passed,
    .between = between,
    .error = error_text,
};

/* ---- opening --------------------------------------------------------------------------------- */

static int attribute(const struct fx_cuda_driver *driver, int which)
{
    int value = 0;

    driver->cu->device_attribute(&value, which, driver->device);
    return value;
}

/* wgmma is in code for 9.0 alone, and where the build has that. */
static bool has_wgmma(int capability)
{
    const struct fx_cuda_build *build = fx_cuda_current_build();

    for (const int *target = build->targets; *target; target++) {
        if (*target == 90 && capability == 90)
            return true;
    }
    return false;
}

static bool load_functions(struct fx_cuda_driver *driver)
{
    const struct fx_cu *cu = driver->cu;

    if (!good(driver, cu->module_load(&driver->module, fx_cuda_current_build()->image), "kernels"))
        return false;
    for (unsigned at = 0; at < FX_CUDA_FUNCTIONS; at++) {
        uint32_t shared = fx_cuda_shared(&driver->variant, at);

        if (at == (driver->variant.wgmma ? FX_CUDA_BRICKS : FX_CUDA_BRICKS_WGMMA))
            continue;
        if (!good(
                driver,
                cu->module_function(&driver->functions[at], driver->module, fx_cuda_functions[at]),
                fx_cuda_functions[at]) ||
            (shared &&
             !good(driver,
                   cu->function_set(driver->functions[at], FX_CU_FUNCTION_SHARED, (int)shared),
                   fx_cuda_functions[at])))
            return false;
    }
    return true;
}

bool fx_cuda_driver_open(struct fx_cuda_driver *driver, const struct fx_cu *cu, int device)
{
    size_t free_bytes = 0, all_bytes = 0;
    int capability;

    memset(driver, 0, sizeof *driver);
    driver->cu = cu;
    driver->device = device;
    capability =
        attribute(driver, FX_CU_ATTRIBUTE_MAJOR) * 10 + attribute(driver, FX_CU_ATTRIBUTE_MINOR);
    driver->variant = (struct fx_cuda_variant){
        .wgmma = has_wgmma(capability),
        .async = capability >= 80,
        .at_once = (uint32_t)attribute(driver, FX_CU_ATTRIBUTE_PROCESSORS),
    };
    if (!good(driver, cu->context_retain(&driver->context, device), "context") || !enter(driver) ||
        !load_functions(driver))
        return false;
    for (unsigned queue = 0; queue < FX_OFFLOAD_QUEUES; queue++) {
        if (!good(driver, cu->stream_create(&driver->streams[queue], FX_CU_STREAM_NON_BLOCKING),
                  "stream"))
            return false;
    }
    for (unsigned at = 0; at < FX_OFFLOAD_MARKS; at++) {
        if (!good(driver, cu->event_create(&driver->marks[at], FX_CU_EVENT_BLOCKING), "event"))
            return false;
    }
    if (!good(driver, cu->memory_info(&free_bytes, &all_bytes), "memory"))
        return false;
    driver->memory = free_bytes / 10 * (attribute(driver, FX_CU_ATTRIBUTE_INTEGRATED) ? 4 : 9);
    return true;
}

void fx_cuda_driver_close(struct fx_cuda_driver *driver)
{
    const struct fx_cu *cu = driver->cu;

    if (!driver->context)
        return;
    cu->context_set(driver->context);
    for (unsigned at = 0; at < FX_OFFLOAD_MARKS; at++) {
        if (driver->marks[at])
            cu->event_destroy(driver->marks[at]);
    }
    for (unsigned queue = 0; queue < FX_OFFLOAD_QUEUES; queue++) {
        if (driver->streams[queue])
            cu->stream_destroy(driver->streams[queue]);
    }
    if (driver->module)
        cu->module_unload(driver->module);
    cu->context_set(NULL);
    cu->context_release(driver->device);
}
