/* The CUDA backend: which devices there are, why one is not usable, and opening one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/cuda/cuda_int.h"
#include "src/util/mem.h"

#define BUS_TEXT 32

struct fx_device {
    struct fx_cuda_driver driver;
    struct fx_offload offload;
    char bus[BUS_TEXT];
};

/* Driver and number of devices; NULL: why says what is missing. */
static const struct fx_cu *ready(int *count, char why[FX_KERNEL_TEXT])
{
    const struct fx_cu *cu = fx_cu_load(why);
    const char *text = NULL;
    int status;

    *count = 0;
    if (!cu)
        return NULL;
    status = cu->init(0);
    if (status == 0)
        status = cu->device_count(count);
    if (status == FX_CU_NO_DEVICE || (status == 0 && *count == 0)) {
        snprintf(why, FX_KERNEL_TEXT, "the NVIDIA driver knows no device");
        return NULL;
    }
    if (status != 0) {
        if (cu->error_string(status, &text) != 0 || !text)
            text = "error without a name";
        snprintf(why, FX_KERNEL_TEXT, "the NVIDIA driver does not start: %.80s (%d)", text, status);
        return NULL;
    }
    return cu;
}

/* Machine code runs on its own and on later minor releases of its compute capability, but that for
 * 9.0 is made for wgmma and runs there alone. */
static bool has_machine_code(const struct fx_cuda_build *build, int capability)
{
    for (const int *target = build->targets; *target; target++) {
        if (*target == capability ||
            (*target != 90 && *target / 10 == capability / 10 && *target < capability))
            return true;
    }
    return false;
}

/* The release of the driver that it takes: machine code runs under each minor release of its major
 * one, PTX is compiled only by a driver that knows the toolkit's. */
static int needed_release(const struct fx_cuda_build *build, bool machine_code)
{
    return machine_code ? build->release / 1000 * 1000 : build->release;
}

/* Why the device cannot be used; false: it can. */
static bool refused(const struct fx_cu *cu, int device, char why[FX_KERNEL_TEXT])
{
    const struct fx_cuda_build *build = fx_cuda_current_build();
    int version = 0, major = 0, minor = 0, capability, needed;
    bool machine_code;

    if (!build->image) {
        snprintf(why, FX_KERNEL_TEXT,
                 "this program was built without CUDA kernels (no nvcc was there)");
        return true;
    }
    if (cu->device_attribute(&major, FX_CU_ATTRIBUTE_MAJOR, device) != 0 ||
        cu->device_attribute(&minor, FX_CU_ATTRIBUTE_MINOR, device) != 0) {
        snprintf(why, FX_KERNEL_TEXT, "the driver does not give its compute capability");
        return true;
    }
    capability = major * 10 + minor;
    machine_code = has_machine_code(build, capability);
    if (!machine_code && (build->ptx == 0 || capability < build->ptx)) {
        snprintf(why, FX_KERNEL_TEXT, "this program has no kernels for compute capability %d.%d",
                 major, minor);
        return true;
    }
    cu->driver_version(&version);
    needed = needed_release(build, machine_code);
    if (version < needed) {
        snprintf(why, FX_KERNEL_TEXT,
                 "the NVIDIA driver is too old: it is for CUDA %d.%d, and %d.%d or newer is needed",
                 version / 1000, version % 1000 / 10, needed / 1000, needed % 1000 / 10);
        return true;
    }
    return false;
}

static size_t list(struct fx_device_info *devices, size_t max)
{
    char why[FX_KERNEL_TEXT] = "";
    int count;
    const struct fx_cu *cu = ready(&count, why);

    for (int at = 0; (at < count || at == 0) && (size_t)at < max; at++) {
        struct fx_device_info *info = &devices[at];
        size_t bytes = 0;
        int device;

        memset(info, 0, sizeof *info);
        info->backend = "cuda";
        info->index = (unsigned)at;
        snprintf(info->name, sizeof info->name, "%s", cu ? "NVIDIA device" : "no CUDA device");
        if (!cu) {
            snprintf(info->why, sizeof info->why, "%s", why);
            continue;
        }
        if (cu->device_get(&device, at) != 0) {
            snprintf(info->why, sizeof info->why, "the driver does not give it out");
            continue;
        }
        cu->device_name(info->name, (int)sizeof info->name, device);
        if (cu->device_memory(&bytes, device) == 0)
            info->memory = bytes;
        info->usable = !refused(cu, device, info->why);
    }
    return cu ? (size_t)count : 1;
}

static struct fx_device *open_device(unsigned index, char error[FX_KERNEL_TEXT])
{
    struct fx_device *device;
    int count, number;
    const struct fx_cu *cu = ready(&count, error);

    if (!cu)
        return NULL;
    if (index >= (unsigned)count) {
        snprintf(error, FX_KERNEL_TEXT, "there are fewer CUDA devices (they are counted from 0)");
        return NULL;
    }
    if (cu->device_get(&number, (int)index) != 0) {
        snprintf(error, FX_KERNEL_TEXT, "the driver does not give out device %u", index);
        return NULL;
    }
    if (refused(cu, number, error))
        return NULL;
    device = fx_xcalloc(1, sizeof *device);
    cu->device_bus(device->bus, (int)sizeof device->bus, number);
    if (!fx_cuda_driver_open(&device->driver, cu, number)) {
        snprintf(error, FX_KERNEL_TEXT, "%s", device->driver.error);
        fx_cuda_driver_close(&device->driver);
        free(device);
        return NULL;
    }
    device->offload = (struct fx_offload){
        .driver = &fx_cuda_engine_driver,
        .ctx = &device->driver,
        .memory = device->driver.memory,
        .max_buffer = device->driver.memory,
        .span = device->driver.variant.wgmma ? 2 : 1,
        .pairs = device->driver.variant.wgmma,
    };
    return device;
}

static void close_device(struct fx_device *device)
{
    fx_cuda_driver_close(&device->driver);
    free(device);
}

static void sensors(struct fx_device *device, struct fx_device_sensors *out)
{
    fx_nvml_sensors(device->bus, out);
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

const struct fx_backend fx_backend_cuda = {
    .name = "cuda",
    .list = list,
    .open = open_device,
    .close = close_device,
    .runs_kind = fx_offload_runs_kind,
    .sensors = sensors,
    .begin = begin,
    .step = fx_offload_step,
    .stats = fx_offload_stats,
    .save = fx_offload_save,
    .load = fx_offload_load,
    .end = fx_offload_end,
    .hash = hash,
    .hash_error = hash_error,
};
