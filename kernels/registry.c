/* The backends that this build has. */
#include "kernels/kernel.h"

#include <string.h>

#include "src/config.h"

const struct fx_backend *const fx_backends[] = {
    &fx_backend_cpu,
    &fx_backend_cuda,
#ifdef HAVE_OPENCL
    &fx_backend_opencl,
#endif
    NULL,
};

const struct fx_backend *fx_backend_find(const char *name)
{
    for (size_t i = 0; fx_backends[i]; i++) {
        if (!strcmp(fx_backends[i]->name, name))
            return fx_backends[i];
    }
    return NULL;
}

const char *fx_backend_hash_error(const struct fx_backend *backend, const struct fx_device *device)
{
    return backend->hash_error ? backend->hash_error(device) : "";
}
