/* NVIDIA's libraries, found at run time: a binary with this backend runs without them. */
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "kernels/cuda/cuda_int.h"

static struct fx_cu loaded;
static bool usable;
static char reason[FX_KERNEL_TEXT];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static const struct fx_cu *instead;
static const struct fx_cuda_build *build_instead;

/* ISO C has no conversion from an object pointer to a function pointer; POSIX asks for it here. */
static bool find(void *library, const char *name, void *function)
{
    void *symbol = dlsym(library, name);

    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static bool find_call(void *library, const char *name, void *function)
{
    if (find(library, name, function))
        return true;
    snprintf(reason, sizeof reason, "the NVIDIA driver is too old: libcuda.so.1 has no %s", name);
    return false;
}

static void load(void)
{
    void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);

    if (!library) {
        snprintf(reason, sizeof reason, "there is no NVIDIA driver (libcuda.so.1)");
        return;
    }
#define X(member, symbol, arguments) find_call(library, #symbol, &loaded.member) &&
    usable = FX_CU_CALLS(X) true;
#undef X
}

const struct fx_cu *fx_cu_load(char why[FX_KERNEL_TEXT])
{
    if (instead)
        return instead;
    pthread_once(&once, load);
    if (!usable)
        snprintf(why, FX_KERNEL_TEXT, "%s", reason);
    return usable ? &loaded : NULL;
}

void fx_cuda_replace(const struct fx_cu *cu, const struct fx_cuda_build *build)
{
    instead = cu;
    build_instead = build;
}

const struct fx_cuda_build *fx_cuda_current_build(void)
{
    return build_instead ? build_instead : &fx_cuda_build;
}

/* ---- NVML ------------------------------------------------------------------------------------ */

static struct fx_nvml nvml;
static bool nvml_usable;
static const struct fx_nvml *nvml_instead;
static pthread_once_t nvml_once = PTHREAD_ONCE_INIT;

static void load_nvml(void)
{
    void *library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);

#define X(member, symbol, arguments) find(library, #symbol, &nvml.member) &&
    nvml_usable = library && FX_NVML_CALLS(X) nvml.init() == 0;
#undef X
}

void fx_nvml_replace(const struct fx_nvml *instead_of_it)
{
    nvml_instead = instead_of_it;
}

void fx_nvml_sensors(const char *bus_id, struct fx_device_sensors *out)
{
    const struct fx_nvml *calls = nvml_instead;
    struct fx_nvml_device *device;
    unsigned value;

    out->temperature = out->milliwatts = -1;
    if (!calls) {
        pthread_once(&nvml_once, load_nvml);
        calls = nvml_usable ? &nvml : NULL;
    }
    if (!calls || calls->by_bus(bus_id, &device) != 0)
        return;
    if (calls->temperature(device, FX_NVML_SENSOR_GPU, &value) == 0 && value <= INT_MAX)
        out->temperature = (int)value;
    if (calls->power(device, &value) == 0 && value <= INT_MAX)
        out->milliwatts = (int)value;
}
