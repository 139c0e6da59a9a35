/* The driver of an OpenCL device: buffers, queues, marks and kernels for the engine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/opencl/opencl_int.h"
#include "src/util/mem.h"

#define GROUP 256
#define PERM_GROUP 32

static const struct {
    const char *name;
    size_t group;
} kernels[FX_OFFLOAD_KERNELS] = {
    [FX_OFFLOAD_PANELS] = {"fx_panels", GROUP},   [FX_OFFLOAD_PERMS] = {"fx_perms", PERM_GROUP},
    [FX_OFFLOAD_NOISE] = {"fx_noise", GROUP},     [FX_OFFLOAD_BRICKS] = {"fx_bricks", GROUP},
    [FX_OFFLOAD_TICKETS] = {"fx_tickets", GROUP}, [FX_OFFLOAD_LIMBS] = {"fx_limbs", GROUP},
    [FX_OFFLOAD_PEEL] = {"fx_peel", GROUP},       [FX_OFFLOAD_NONCES] = {"fx_nonces", GROUP},
};

static bool good(struct fx_cl_driver *driver, cl_int status, const char *what)
{
    if (status == CL_SUCCESS)
        return true;
    if (status == CL_MEM_OBJECT_ALLOCATION_FAILURE || status == CL_OUT_OF_RESOURCES)
        snprintf(driver->error, sizeof driver->error, "OpenCL: %s: the device has no more memory",
                 what);
    else
        snprintf(driver->error, sizeof driver->error, "OpenCL: %s: error %d", what, (int)status);
    return false;
}

static cl_mem memory_of(uint64_t buffer)
{
    return (cl_mem)(uintptr_t)buffer;
}

static bool alloc(void *ctx, uint64_t bytes, uint64_t *buffer)
{
    struct fx_cl_driver *driver = ctx;
    cl_int status;
    cl_mem memory =
        driver->cl->CreateBuffer(driver->context, CL_MEM_READ_WRITE, (size_t)bytes, NULL, &status);

    *buffer = (uint64_t)(uintptr_t)memory;
    return good(driver, status, "memory");
}

static void release(void *ctx, uint64_t buffer)
{
    struct fx_cl_driver *driver = ctx;

    driver->cl->ReleaseMemObject(memory_of(buffer));
}

static void *host_alloc(void *ctx, size_t bytes)
{
    struct fx_cl_driver *driver = ctx;
    struct fx_cl_host *host = fx_xcalloc(1, sizeof *host);
    cl_int status;

    host->memory = driver->cl->CreateBuffer(
        driver->context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, bytes, NULL, &status);
    if (status == CL_SUCCESS) {
        host->mapped = driver->cl->EnqueueMapBuffer(
            driver->queues[FX_OFFLOAD_COMPUTE], host->memory, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE,
            0, bytes, 0, NULL, NULL, &status);
        if (status != CL_SUCCESS)
            driver->cl->ReleaseMemObject(host->memory);
    }
    if (!good(driver, status, "host memory")) {
        free(host);
        return NULL;
    }
    host->next = driver->host;
    driver->host = host;
    return host->mapped;
}

static void host_free(struct fx_cl_driver *driver, struct fx_cl_host *host)
{
    driver->cl->EnqueueUnmapMemObject(driver->queues[FX_OFFLOAD_COMPUTE], host->memory,
                                      host->mapped, 0, NULL, NULL);
    driver->cl->Finish(driver->queues[FX_OFFLOAD_COMPUTE]);
    driver->cl->ReleaseMemObject(host->memory);
    free(host);
}

static void host_release(void *ctx, void *memory)
{
    struct fx_cl_driver *driver = ctx;

    for (struct fx_cl_host **at = &driver->host; *at; at = &(*at)->next) {
        struct fx_cl_host *host = *at;

        if (host->mapped == memory) {
            *at = host->next;
            host_free(driver, host);
            return;
        }
    }
}

static bool write_buffer(void *ctx, enum fx_offload_queue queue, uint64_t buffer, uint64_t offset,
                         const void *from, size_t n)
{
    struct fx_cl_driver *driver = ctx;

    return good(driver,
                driver->cl->EnqueueWriteBuffer(driver->queues[queue], memory_of(buffer), CL_FALSE,
                                               (size_t)offset, n, from, 0, NULL, NULL),
                "copy to the device");
}

static bool read_buffer(void *ctx, enum fx_offload_queue queue, uint64_t buffer, uint64_t offset,
                        void *to, size_t n)
{
    struct fx_cl_driver *driver = ctx;

    return good(driver,
                driver->cl->EnqueueReadBuffer(driver->queues[queue], memory_of(buffer), CL_FALSE,
                                              (size_t)offset, n, to, 0, NULL, NULL),
                "copy from the device");
}

static bool zero(void *ctx, uint64_t buffer, uint64_t offset, uint64_t n)
{
    struct fx_cl_driver *driver = ctx;
    const cl_uint nothing = 0;

    return good(driver,
                driver->cl->EnqueueFillBuffer(driver->queues[FX_OFFLOAD_COMPUTE], memory_of(buffer),
                                              &nothing, sizeof nothing, (size_t)offset, (size_t)n,
                                              0, NULL, NULL),
                "zeroing memory");
}

static bool launch(void *ctx, enum fx_offload_kernel kernel, uint32_t groups,
                   const struct fx_offload_arg *args, unsigned n_args)
{
    struct fx_cl_driver *driver = ctx;
    size_t local = kernels[kernel].group, global = local * groups;

    for (unsigned at = 0; at < n_args; at++) {
        cl_mem memory = memory_of(args[at].value);
        cl_uint word = (cl_uint)args[at].value;
        cl_int status =
            args[at].is_buffer
                ? driver->cl->SetKernelArg(driver->kernels[kernel], at, sizeof memory, &memory)
                : driver->cl->SetKernelArg(driver->kernels[kernel], at, sizeof word, &word);

        if (!good(driver, status, kernels[kernel].name))
            return false;
    }
    return good(driver,
                driver->cl->EnqueueNDRangeKernel(driver->queues[FX_OFFLOAD_COMPUTE],
                                                 driver->kernels[kernel], 1, NULL, &global, &local,
                                                 0, NULL, NULL),
                kernels[kernel].name);
}

static bool mark(void *ctx, enum fx_offload_queue queue, unsigned at)
{
    struct fx_cl_driver *driver = ctx;

    if (driver->marks[at])
        driver->cl->ReleaseEvent(driver->marks[at]);
    driver->marks[at] = NULL;
    return good(driver,
                driver->cl->EnqueueMarkerWithWaitList(driver->queues[queue], 0, NULL,
                                                      &driver->marks[at]),
                "marker") &&
           good(driver, driver->cl->Flush(driver->queues[queue]), "flush");
}

static bool follow(void *ctx, enum fx_offload_queue queue, unsigned at)
{
    struct fx_cl_driver *driver = ctx;

    return good(
        driver,
        driver->cl->EnqueueBarrierWithWaitList(driver->queues[queue], 1, &driver->marks[at], NULL),
        "barrier");
}

static bool wait_mark(void *ctx, unsigned at)
{
    struct fx_cl_driver *driver = ctx;

    return good(driver, driver->cl->WaitForEvents(1, &driver->marks[at]), "work on the device");
}

static bool passed(void *ctx, unsigned at, bool *out)
{
    struct fx_cl_driver *driver = ctx;
    cl_int state = CL_QUEUED;

    if (!good(driver,
              driver->cl->GetEventInfo(driver->marks[at], CL_EVENT_COMMAND_EXECUTION_STATUS,
                                       sizeof state, &state, NULL),
              "state of the device") ||
        (state < 0 && !good(driver, state, "work on the device")))
        return false;
    *out = state == CL_COMPLETE;
    return true;
}

/* When a mark was passed, by the device's clock; 0 where it has none. */
static bool when(struct fx_cl_driver *driver, unsigned at, cl_ulong *ns)
{
    cl_int status = driver->cl->GetEventProfilingInfo(driver->marks[at], CL_PROFILING_COMMAND_END,
                                                      sizeof *ns, ns, NULL);

    if (status == CL_PROFILING_INFO_NOT_AVAILABLE) {
        *ns = 0;
        return true;
    }
    return good(driver, status, "time");
}

static bool between(void *ctx, unsigned from, unsigned to, uint64_t *ns)
{
    struct fx_cl_driver *driver = ctx;
    cl_ulong start = 0, end = 0;

    if (!when(driver, from, &start) || !when(driver, to, &end))
        return false;
    *ns = start > 0 && end > start ? end - start : 0;
    return true;
}

static const char *error_text(void *ctx)
{
    struct fx_cl_driver *driver = ctx;

    return driver->error;
}

const struct fx_offload_driver fx_opencl_driver = {
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

/* Does the device say that it has this extension? */
static bool has_extension(const struct fx_cl_driver *driver, const char *name)
{
    size_t n = 0, length = strlen(name);
    bool found = false;
    char *all;

    if (driver->cl->GetDeviceInfo(driver->id, CL_DEVICE_EXTENSIONS, 0, NULL, &n) != CL_SUCCESS)
        return false;
    all = fx_xcalloc(n + 1, 1);
    if (driver->cl->GetDeviceInfo(driver->id, CL_DEVICE_EXTENSIONS, n, all, NULL) == CL_SUCCESS) {
        for (const char *at = strstr(all, name); at && !found; at = strstr(at + 1, name))
            found = (at == all || at[-1] == ' ') && (at[length] == ' ' || at[length] == 0);
    }
    free(all);
    return found;
}

/* The first line of what the compiler says against the program. */
static void build_error(struct fx_cl_driver *driver)
{
    char log[2048] = "";

    driver->cl->GetProgramBuildInfo(driver->program, driver->id, CL_PROGRAM_BUILD_LOG,
                                    sizeof log - 1, log, NULL);
    snprintf(driver->error, sizeof driver->error,
             "OpenCL: the device's compiler does not take the kernels: %.80s", log);
    for (char *at = driver->error; *at; at++) {
        if (*at == '\n')
            *at = ' ';
    }
}

static const char *options_instead;

void fx_opencl_build_with(const char *options)
{
    options_instead = options;
}

static bool build(struct fx_cl_driver *driver)
{
    bool packed = !options_instead && has_extension(driver, "cl_khr_integer_dot_product");
    const char *plain = options_instead ? options_instead : "-cl-std=CL1.2";
    const char *pieces[8];
    cl_uint n = 0;
    cl_int status;

    while (fx_opencl_source[n] && n < 8) {
        pieces[n] = fx_opencl_source[n];
        n++;
    }
    driver->program =
        driver->cl->CreateProgramWithSource(driver->context, n, pieces, NULL, &status);
    if (!good(driver, status, "program"))
        return false;
    status = driver->cl->BuildProgram(driver->program, 1, &driver->id,
                                      packed ? "-cl-std=CL3.0 -DFX_PACKED" : plain, NULL, NULL);
    if (status != CL_SUCCESS && packed)
        status = driver->cl->BuildProgram(driver->program, 1, &driver->id, plain, NULL, NULL);
    if (status != CL_SUCCESS) {
        build_error(driver);
        return false;
    }
    for (unsigned at = 0; at < FX_OFFLOAD_KERNELS; at++) {
        driver->kernels[at] = driver->cl->CreateKernel(driver->program, kernels[at].name, &status);
        if (!good(driver, status, kernels[at].name))
            return false;
    }
    return true;
}

bool fx_opencl_driver_open(struct fx_cl_driver *driver, const struct fx_cl *cl, cl_device_id id)
{
    cl_int status;

    memset(driver, 0, sizeof *driver);
    driver->cl = cl;
    driver->id = id;
    driver->context = cl->CreateContext(NULL, 1, &id, NULL, NULL, &status);
    if (!good(driver, status, "context"))
        return false;
    for (unsigned queue = 0; queue < FX_OFFLOAD_QUEUES; queue++) {
        driver->queues[queue] =
            cl->CreateCommandQueue(driver->context, id, CL_QUEUE_PROFILING_ENABLE, &status);
        if (!good(driver, status, "queue"))
            return false;
    }
    return build(driver);
}

void fx_opencl_driver_close(struct fx_cl_driver *driver)
{
    const struct fx_cl *cl = driver->cl;

    while (driver->host) {
        struct fx_cl_host *host = driver->host;

        driver->host = host->next;
        host_free(driver, host);
    }
    for (unsigned at = 0; at < FX_OFFLOAD_MARKS; at++) {
        if (driver->marks[at])
            cl->ReleaseEvent(driver->marks[at]);
    }
    for (unsigned at = 0; at < FX_OFFLOAD_KERNELS; at++) {
        if (driver->kernels[at])
            cl->ReleaseKernel(driver->kernels[at]);
    }
    if (driver->program)
        cl->ReleaseProgram(driver->program);
    for (unsigned queue = 0; queue < FX_OFFLOAD_QUEUES; queue++) {
        if (driver->queues[queue])
            cl->ReleaseCommandQueue(driver->queues[queue]);
    }
    if (driver->context)
        cl->ReleaseContext(driver->context);
}
