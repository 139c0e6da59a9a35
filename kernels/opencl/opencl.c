/* The OpenCL backend: which devices there are, and opening one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/opencl/opencl_int.h"
#include "src/util/mem.h"

#define PLATFORMS_MAX 16
#define DEVICES_MAX 64
#define VENDOR_NVIDIA 0x10de
#define CPU_MEMORY_MOST (UINT64_C(1) << 30) /* what a device on the host's memory takes of it */
#define NO_DEVICE "the OpenCL loader knows no device"
#define GROUP_LEAST 256
#define LOCAL_LEAST (20 * 1024)

struct fx_device {
    struct fx_cl_driver driver;
    struct fx_offload offload;
};

/* All devices of all platforms, in the loader's order. */
static size_t find_devices(const struct fx_cl *cl, cl_device_id *devices)
{
    cl_platform_id platforms[PLATFORMS_MAX];
    cl_uint n_platforms = 0;
    size_t n = 0;

    if (cl->GetPlatformIDs(PLATFORMS_MAX, platforms, &n_platforms) != CL_SUCCESS)
        return 0;
    for (cl_uint p = 0; p < n_platforms && p < PLATFORMS_MAX && n < DEVICES_MAX; p++) {
        cl_uint more = 0;

        if (cl->GetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, (cl_uint)(DEVICES_MAX - n),
                             devices + n, &more) == CL_SUCCESS)
            n += more < DEVICES_MAX - n ? more : DEVICES_MAX - n;
    }
    return n;
}

static uint64_t number(const struct fx_cl *cl, cl_device_id id, cl_device_info what)
{
    uint64_t value = 0; /* little-endian: shorter answers leave the upper bytes 0 */

    cl->GetDeviceInfo(id, what, sizeof value, &value, NULL);
    return value;
}

static bool is_cpu(const struct fx_cl *cl, cl_device_id id)
{
    return (number(cl, id, CL_DEVICE_TYPE) & CL_DEVICE_TYPE_CPU) != 0;
}

/* The same card may be there under CUDA, which makes more of it. */
static bool served_by_cuda(const struct fx_cl *cl, cl_device_id id)
{
    const struct fx_backend *cuda = fx_backend_find("cuda");
    struct fx_device_info *found;
    bool usable = false;
    size_t n;

    if (!cuda || number(cl, id, CL_DEVICE_VENDOR_ID) != VENDOR_NVIDIA)
        return false;
    found = fx_xcalloc(DEVICES_MAX, sizeof *found);
    n = cuda->list(found, DEVICES_MAX);
    for (size_t at = 0; at < n && at < DEVICES_MAX; at++)
        usable = usable || found[at].usable;
    free(found);
    return usable;
}

/* The kernels, and calls of the driver, are of OpenCL 1.2. The text: "OpenCL 1.2 and more". */
static bool is_too_old(const struct fx_cl *cl, cl_device_id id)
{
    char text[FX_KERNEL_TEXT] = "";

    return cl->GetDeviceInfo(id, CL_DEVICE_VERSION, sizeof text - 1, text, NULL) == CL_SUCCESS &&
           (strncmp(text, "OpenCL 1.0", 10) == 0 || strncmp(text, "OpenCL 1.1", 10) == 0);
}

static void describe(const struct fx_cl *cl, cl_device_id id, struct fx_device_info *info)
{
    const char *why = NULL;

    if (cl->GetDeviceInfo(id, CL_DEVICE_NAME, sizeof info->name - 1, info->name, NULL) !=
            CL_SUCCESS ||
        !info->name[0])
        snprintf(info->name, sizeof info->name, "OpenCL device");
    info->memory = number(cl, id, CL_DEVICE_GLOBAL_MEM_SIZE);
    if (!number(cl, id, CL_DEVICE_AVAILABLE))
        why = "the device says that it is not available";
    else if (is_too_old(cl, id))
        why = "its driver is older than OpenCL 1.2";
    else if (!number(cl, id, CL_DEVICE_COMPILER_AVAILABLE))
        why = "its driver has no compiler";
    else if (!number(cl, id, CL_DEVICE_ENDIAN_LITTLE))
        why = "it is big-endian";
    else if (number(cl, id, CL_DEVICE_MAX_WORK_GROUP_SIZE) < GROUP_LEAST)
        why = "its work groups have fewer than 256 items";
    else if (number(cl, id, CL_DEVICE_LOCAL_MEM_SIZE) < LOCAL_LEAST)
        why = "it has less than 20 KiB of local memory";
    info->usable = why == NULL;
    if (why)
        snprintf(info->why, sizeof info->why, "%s", why);
    info->spare = info->usable && (is_cpu(cl, id) || served_by_cuda(cl, id));
}

/* Where there is no device, one entry says why. */
static size_t list_nothing(struct fx_device_info *devices, size_t max, const char *why)
{
    if (max > 0) {
        memset(&devices[0], 0, sizeof devices[0]);
        devices[0].backend = "opencl";
        snprintf(devices[0].name, sizeof devices[0].name, "no OpenCL device");
        snprintf(devices[0].why, sizeof devices[0].why, "%s", why);
    }
    return 1;
}

static size_t list(struct fx_device_info *devices, size_t max)
{
    cl_device_id found[DEVICES_MAX];
    char why[FX_KERNEL_TEXT] = "";
    const struct fx_cl *cl = fx_cl_load(why);
    size_t n = cl ? find_devices(cl, found) : 0;

    if (n == 0)
        return list_nothing(devices, max, cl ? NO_DEVICE : why);

    for (size_t at = 0; at < n && at < max; at++) {
        memset(&devices[at], 0, sizeof devices[at]);
        devices[at].backend = "opencl";
        devices[at].index = (unsigned)at;
        describe(cl, found[at], &devices[at]);
    }
    return n;
}

static uint64_t memory_for(const struct fx_cl *cl, cl_device_id id)
{
    uint64_t memory = number(cl, id, CL_DEVICE_GLOBAL_MEM_SIZE);

    if (is_cpu(cl, id) || number(cl, id, CL_DEVICE_HOST_UNIFIED_MEMORY))
        return memory / 4 < CPU_MEMORY_MOST ? memory / 4 : CPU_MEMORY_MOST;
    return memory / 10 * 8;
}

static struct fx_device *open_device(unsigned index, char error[FX_KERNEL_TEXT])
{
    cl_device_id found[DEVICES_MAX];
    const struct fx_cl *cl = fx_cl_load(error);
    struct fx_device_info info = {0};
    struct fx_device *device;
    size_t n;

    if (!cl)
        return NULL;
    n = find_devices(cl, found);
    if (index >= n) {
        snprintf(error, FX_KERNEL_TEXT, "%s",
                 n ? "there are fewer OpenCL devices (they are counted from 0)" : NO_DEVICE);
        return NULL;
    }
    describe(cl, found[index], &info);
    if (!info.usable) {
        snprintf(error, FX_KERNEL_TEXT, "%s", info.why);
        return NULL;
    }
    device = fx_xcalloc(1, sizeof *device);
    if (!fx_opencl_driver_open(&device->driver, cl, found[index])) {
        snprintf(error, FX_KERNEL_TEXT, "%s", device->driver.error);
        fx_opencl_driver_close(&device->driver);
        free(device);
        return NULL;
    }
    device->offload = (struct fx_offload){
        .driver = &fx_opencl_driver,
        .ctx = &device->driver,
        .memory = memory_for(cl, found[index]),
        .max_buffer = number(cl, found[index], CL_DEVICE_MAX_MEM_ALLOC_SIZE),
        .span = 1,
    };
    return device;
}

static void close_device(struct fx_device *device)
{
    fx_opencl_driver_close(&device->driver);
    free(device);
}

static struct fx_session *begin(struct fx_device *device, const struct fx_kernel_task *task,
                                const uint8_t *done, char error[FX_KERNEL_TEXT])
{
    return fx_offload_begin(&device->offload, task, done, error);
}

static bool hash(struct fx_device *device, const uint8_t header[80], const uint8_t target[32],
                 uint32_t first, uint64_t count, const atomic_bool *cancel, uint32_t *nonce,
                 uint64_t *tried)
{
    return fx_offload_hash(&device->offload, header, target, first, count, cancel, nonce, tried);
}

static const char *hash_error(const struct fx_device *device)
{
    return device->offload.hash_error;
}

const struct fx_backend fx_backend_opencl = {
    .name = "opencl",
    .list = list,
    .open = open_device,
    .close = close_device,
    .runs_kind = fx_offload_runs_kind,
    .begin = begin,
    .step = fx_offload_step,
    .stats = fx_offload_stats,
    .save = fx_offload_save,
    .load = fx_offload_load,
    .end = fx_offload_end,
    .hash = hash,
    .hash_error = hash_error,
};
