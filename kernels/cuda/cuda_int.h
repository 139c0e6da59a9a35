/* The parts of the CUDA backend: NVIDIA's driver and NVML as found at run time (load.c), what the
 * build has for which devices (image.c, made by nvcc, or image_none.c), the driver of the engine
 * (driver.c). */
#ifndef FX_KERNELS_CUDA_CUDA_INT_H
#define FX_KERNELS_CUDA_CUDA_INT_H

#include "kernels/cuda/launch.h"
#include "kernels/offload.h"

/*
 * The driver API, declared here so that no toolkit is needed to build: names, types and constants
 * are those of cuda.h. Each call gives 0 or an error number.
 */
struct fx_cu_context; /* CUcontext, and so on */
struct fx_cu_module;
struct fx_cu_function;
struct fx_cu_stream;
struct fx_cu_event;

#define FX_CU_NO_DEVICE 100
#define FX_CU_NOT_READY 600
#define FX_CU_MEMORY 2 /* CUDA_ERROR_OUT_OF_MEMORY */
#define FX_CU_ATTRIBUTE_PROCESSORS 16
#define FX_CU_ATTRIBUTE_INTEGRATED 18
#define FX_CU_ATTRIBUTE_MAJOR 75
#define FX_CU_ATTRIBUTE_MINOR 76
#define FX_CU_FUNCTION_SHARED 8 /* CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES */
#define FX_CU_STREAM_NON_BLOCKING 1
#define FX_CU_EVENT_BLOCKING 1 /* CU_EVENT_BLOCKING_SYNC: waiting threads sleep */
#define FX_CU_HOST_PORTABLE 1

/* X(member, symbol, arguments) */
#define FX_CU_CALLS(X)                                                                         \
    X(init, cuInit, (unsigned flags))                                                          \
    X(driver_version, cuDriverGetVersion, (int *version))                                      \
    X(error_string, cuGetErrorString, (int error, const char **text))                          \
    X(device_count, cuDeviceGetCount, (int *count))                                            \
    X(device_get, cuDeviceGet, (int *device, int index))                                       \
    X(device_name, cuDeviceGetName, (char *name, int n, int device))                           \
    X(device_memory, cuDeviceTotalMem_v2, (size_t * bytes, int device))                        \
    X(device_attribute, cuDeviceGetAttribute, (int *value, int attribute, int device))         \
    X(device_bus, cuDeviceGetPCIBusId, (char *id, int n, int device))                          \
    X(context_retain, cuDevicePrimaryCtxRetain, (struct fx_cu_context * *context, int device)) \
    X(context_release, cuDevicePrimaryCtxRelease_v2, (int device))                             \
    X(context_set, cuCtxSetCurrent, (struct fx_cu_context * context))                          \
    X(module_load, cuModuleLoadData, (struct fx_cu_module * *module, const void *image))       \
    X(module_unload, cuModuleUnload, (struct fx_cu_module * module))                           \
    X(module_function, cuModuleGetFunction,                                                    \
      (struct fx_cu_function * *function, struct fx_cu_module * module, const char *name))     \
    X(function_set, cuFuncSetAttribute,                                                        \
      (struct fx_cu_function * function, int attribute, int value))                            \
    X(memory_info, cuMemGetInfo_v2, (size_t * free_bytes, size_t * all_bytes))                 \
    X(memory_alloc, cuMemAlloc_v2, (unsigned long long *memory, size_t bytes))                 \
    X(memory_free, cuMemFree_v2, (unsigned long long memory))                                  \
    X(host_alloc, cuMemHostAlloc, (void **memory, size_t bytes, unsigned flags))               \
    X(host_free, cuMemFreeHost, (void *memory))                                                \
    X(copy_to, cuMemcpyHtoDAsync_v2,                                                           \
      (unsigned long long to, const void *from, size_t n, struct fx_cu_stream *stream))        \
    X(copy_from, cuMemcpyDtoHAsync_v2,                                                         \
      (void *to, unsigned long long from, size_t n, struct fx_cu_stream *stream))              \
    X(fill, cuMemsetD32Async,                                                                  \
      (unsigned long long to, unsigned word, size_t words, struct fx_cu_stream *stream))       \
    X(launch, cuLaunchKernel,                                                                  \
      (struct fx_cu_function * function, unsigned grid_x, unsigned grid_y, unsigned grid_z,    \
       unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared,                  \
       struct fx_cu_stream *stream, void **params, void **extra))                              \
    X(stream_create, cuStreamCreate, (struct fx_cu_stream * *stream, unsigned flags))          \
    X(stream_destroy, cuStreamDestroy_v2, (struct fx_cu_stream * stream))                      \
    X(stream_follow, cuStreamWaitEvent,                                                        \
      (struct fx_cu_stream * stream, struct fx_cu_event * event, unsigned flags))              \
    X(event_create, cuEventCreate, (struct fx_cu_event * *event, unsigned flags))              \
    X(event_destroy, cuEventDestroy_v2, (struct fx_cu_event * event))                          \
    X(event_record, cuEventRecord, (struct fx_cu_event * event, struct fx_cu_stream * stream)) \
    X(event_wait, cuEventSynchronize, (struct fx_cu_event * event))                            \
    X(event_query, cuEventQuery, (struct fx_cu_event * event))                                 \
    X(event_between, cuEventElapsedTime,                                                       \
      (float *ms, struct fx_cu_event *from, struct fx_cu_event *to))

struct fx_cu {
#define X(member, symbol, arguments) int(*member) arguments;
    FX_CU_CALLS(X)
#undef X
};

/* What this build can run on. */
struct fx_cuda_build {
    const void *image;  /* fat binary; NULL: built without nvcc */
    int release;        /* of the toolkit, 13000 for 13.0 */
    const int *targets; /* compute capabilities that have machine code, 75 for 7.5; 0 ends them */
    int ptx;            /* the oldest one that the embedded PTX serves; 0: none */
};

extern const struct fx_cuda_build fx_cuda_build;

/* NULL where there is no driver, or one that lacks something; why says which. */
const struct fx_cu *fx_cu_load(char why[FX_KERNEL_TEXT]);
/* For tests: these take the place of the driver and of the build; NULL: the real ones again. */
void fx_cuda_replace(const struct fx_cu *cu, const struct fx_cuda_build *build);
const struct fx_cuda_build *fx_cuda_current_build(void);

/* NVML, which comes with the driver; declared here likewise. Each call gives 0 or an error number.
 */
struct fx_nvml_device; /* nvmlDevice_t */

#define FX_NVML_SENSOR_GPU 0 /* NVML_TEMPERATURE_GPU */
#define FX_NVML_CALLS(X)                                               \
    X(init, nvmlInit_v2, (void))                                       \
    X(by_bus, nvmlDeviceGetHandleByPciBusId_v2,                        \
      (const char *bus_id, struct fx_nvml_device **device))            \
    X(temperature, nvmlDeviceGetTemperature,                           \
      (struct fx_nvml_device * device, int sensor, unsigned *degrees)) \
    X(power, nvmlDeviceGetPowerUsage, (struct fx_nvml_device * device, unsigned *milliwatts))

struct fx_nvml {
#define X(member, symbol, arguments) int(*member) arguments;
    FX_NVML_CALLS(X)
#undef X
};

/* What the device with this PCI id says of itself; negative what it does not say, or where there is
 * no NVML. */
void fx_nvml_sensors(const char *bus_id, struct fx_device_sensors *out);
/* For tests, as fx_cuda_replace. */
void fx_nvml_replace(const struct fx_nvml *instead_of_it);

struct fx_cuda_driver {
    const struct fx_cu *cu;
    int device;
    struct fx_cu_context *context;
    struct fx_cu_module *module;
    struct fx_cu_function *functions[FX_CUDA_FUNCTIONS];
    struct fx_cu_stream *streams[FX_OFFLOAD_QUEUES];
    struct fx_cu_event *marks[FX_OFFLOAD_MARKS];
    struct fx_cuda_variant variant;
    uint64_t memory; /* that sessions may take */
    char error[FX_KERNEL_TEXT];
};

extern const struct fx_offload_driver fx_cuda_engine_driver;
/* False: driver->error says why; close it all the same. */
bool fx_cuda_driver_open(struct fx_cuda_driver *driver, const struct fx_cu *cu, int device);
void fx_cuda_driver_close(struct fx_cuda_driver *driver);

#endif
