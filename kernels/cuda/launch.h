/* From a call of the engine to a launch: which function, how many groups of how many threads, how
 * much shared memory, and the arguments as cuLaunchKernel takes them. */
#ifndef FX_KERNELS_CUDA_LAUNCH_H
#define FX_KERNELS_CUDA_LAUNCH_H

#include "kernels/cuda/args.h"
#include "kernels/offload.h"

enum fx_cuda_function {
    FX_CUDA_PANELS,
    FX_CUDA_PERMS,
    FX_CUDA_NOISE,
    FX_CUDA_BRICKS,
    FX_CUDA_BRICKS_WGMMA,
    FX_CUDA_TICKETS,
    FX_CUDA_LIMBS,
    FX_CUDA_NONCES,
    FX_CUDA_FUNCTIONS
};

/* How bricks are made on a device. */
struct fx_cuda_variant {
    bool wgmma;       /* fx_bricks_wgmma, else fx_bricks */
    bool async;       /* compute capability 8.0 and newer: copies beside the work */
    uint32_t at_once; /* groups that the device runs at a time; wgmma */
};

#define FX_CUDA_PARAMS 20

struct fx_cuda_launch {
    enum fx_cuda_function function;
    uint32_t groups, threads, shared;
    void *params[FX_CUDA_PARAMS]; /* point into what follows: it does not move */
    unsigned n_params;
    uint64_t buffers[FX_CUDA_PARAMS];
    uint32_t words[FX_CUDA_PARAMS];
    struct fx_bricks_args bricks;
};

extern const char *const fx_cuda_functions[FX_CUDA_FUNCTIONS];

/* Bytes of shared memory beyond what the function declares itself. */
uint32_t fx_cuda_shared(const struct fx_cuda_variant *variant, enum fx_cuda_function function);
void fx_cuda_plan(const struct fx_cuda_variant *variant, enum fx_offload_kernel kernel,
                  uint32_t groups, const struct fx_offload_arg *args, unsigned n_args,
                  struct fx_cuda_launch *out);

#endif
