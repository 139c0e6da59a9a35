/* The device code of a build without nvcc: none. Devices are listed all the same, as not usable. */
#include "kernels/cuda/cuda_int.h"

static const int targets[] = {0};

const struct fx_cuda_build fx_cuda_build = {.targets = targets};
