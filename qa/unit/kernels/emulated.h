/* The device code of kernels/cuda, compiled for this machine once for each kind of device. */
#ifndef FX_QA_UNIT_KERNELS_EMULATED_H
#define FX_QA_UNIT_KERNELS_EMULATED_H

#include "kernels/cuda/launch.h"

struct fx_emulated {
    const char *name;
    struct fx_cuda_variant variant;
    /* A thread; params as cuLaunchKernel has them. */
    void (*run[FX_CUDA_FUNCTIONS])(void *params);
};

extern const struct fx_emulated fx_emulated_dp4a, fx_emulated_mma8, fx_emulated_mma16,
    fx_emulated_wgmma;

#endif
