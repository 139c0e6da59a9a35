// All kernels of the CUDA backend, compiled once for each target.
#include "kernels/cuda/bricks.cuh"
#include "kernels/cuda/hash.cuh"
#include "kernels/cuda/noise.cuh"
#include "kernels/cuda/wgmma.cuh"
