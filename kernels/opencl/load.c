/* The OpenCL loader of the machine, found at run time: a binary with this backend runs without it.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "kernels/opencl/opencl_int.h"

static struct fx_cl loaded;
static bool usable;
static char reason[FX_KERNEL_TEXT];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static const struct fx_cl *instead;

/* ISO C has no conversion from an object pointer to a function pointer; POSIX asks for it here. */
static bool find(void *library, const char *name, void *function)
{
    void *symbol = dlsym(library, name);

    memcpy(function, &symbol, sizeof symbol);
    if (!symbol)
        snprintf(reason, sizeof reason, "the OpenCL loader has no %s", name);
    return symbol != NULL;
}

static void load(void)
{
    void *library = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);

    if (!library) {
        snprintf(reason, sizeof reason,
                 "libOpenCL.so.1 is not there (Debian package ocl-icd-libopencl1)");
        return;
    }
#define X(name) find(library, "cl" #name, &loaded.name) &&
    usable = FX_CL_CALLS(X) true;
#undef X
}

void fx_cl_replace(const struct fx_cl *cl)
{
    instead = cl;
}

const struct fx_cl *fx_cl_load(char why[FX_KERNEL_TEXT])
{
    if (instead)
        return instead;
    pthread_once(&once, load);
    if (!usable)
        snprintf(why, FX_KERNEL_TEXT, "%s", reason);
    return usable ? &loaded : NULL;
}
