/* The parts of the OpenCL backend: the ICD loader as found at run time (load.c), the driver of the
 * engine (driver.c), and the program (source.c, made of kernels/device.h and kernels.cl). */
#ifndef FX_KERNELS_OPENCL_OPENCL_INT_H
#define FX_KERNELS_OPENCL_OPENCL_INT_H

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <CL/cl_icd.h>

#include "kernels/offload.h"

/* clName of the loader, by name. */
#define FX_CL_CALLS(X)            \
    X(GetPlatformIDs)             \
    X(GetDeviceIDs)               \
    X(GetDeviceInfo)              \
    X(CreateContext)              \
    X(ReleaseContext)             \
    X(CreateCommandQueue)         \
    X(ReleaseCommandQueue)        \
    X(CreateBuffer)               \
    X(ReleaseMemObject)           \
    X(CreateProgramWithSource)    \
    X(BuildProgram)               \
    X(GetProgramBuildInfo)        \
    X(ReleaseProgram)             \
    X(CreateKernel)               \
    X(ReleaseKernel)              \
    X(SetKernelArg)               \
    X(EnqueueNDRangeKernel)       \
    X(EnqueueReadBuffer)          \
    X(EnqueueWriteBuffer)         \
    X(EnqueueFillBuffer)          \
    X(EnqueueMapBuffer)           \
    X(EnqueueUnmapMemObject)      \
    X(EnqueueMarkerWithWaitList)  \
    X(EnqueueBarrierWithWaitList) \
    X(GetEventInfo)               \
    X(GetEventProfilingInfo)      \
    X(WaitForEvents)              \
    X(ReleaseEvent)               \
    X(Flush)                      \
    X(Finish)

struct fx_cl {
#define X(name) cl_api_cl##name name;
    FX_CL_CALLS(X)
#undef X
};

/* NULL where there is no loader, or one that lacks something; why says which. */
const struct fx_cl *fx_cl_load(char why[FX_KERNEL_TEXT]);
/* For tests: this takes the place of the loader, and these of the options by which the kernels are
 * built; NULL: the real ones again. */
void fx_cl_replace(const struct fx_cl *cl);
void fx_opencl_build_with(const char *options);

/* The text of the program, in pieces that end with NULL. */
extern const char *const fx_opencl_source[];

/* Memory of the host that the device reads and writes: a buffer that stays mapped. */
struct fx_cl_host {
    struct fx_cl_host *next;
    cl_mem memory;
    void *mapped;
};

struct fx_cl_driver {
    const struct fx_cl *cl;
    cl_device_id id;
    cl_context context;
    cl_command_queue queues[FX_OFFLOAD_QUEUES];
    cl_program program;
    cl_kernel kernels[FX_OFFLOAD_KERNELS];
    cl_event marks[FX_OFFLOAD_MARKS];
    struct fx_cl_host *host;
    char error[FX_KERNEL_TEXT];
};

extern const struct fx_offload_driver fx_opencl_driver;
/* False: driver->error says why; close it all the same. */
bool fx_opencl_driver_open(struct fx_cl_driver *driver, const struct fx_cl *cl, cl_device_id id);
void fx_opencl_driver_close(struct fx_cl_driver *driver);

#endif
