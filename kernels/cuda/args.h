/* What host and device agree on, in C and CUDA: arguments of the kernel for bricks, sizes of groups
 * and of their shared memory. */
#ifndef FX_KERNELS_CUDA_ARGS_H
#define FX_KERNELS_CUDA_ARGS_H

#include <stdint.h>

#define FX_THREADS 256
#define FX_PERM_THREADS 32
#define FX_WGMMA_THREADS 384

#define FX_IMAGE_BYTES 32768u /* a block of 128 rows of 256 columns */
#define FX_HALF_BYTES 16384u  /* 128 of its columns */
#define FX_STAGE_BYTES (2 * FX_HALF_BYTES)
#define FX_STAGES_FROM_80 3
#define FX_STAGES_BEFORE_80 1
#define FX_RING 6 /* blocks */
#define FX_CONTROL_BYTES 512
#define FX_WGMMA_SHARED (FX_RING * FX_IMAGE_BYTES + FX_CONTROL_BYTES)

#define FX_NOISED 1u /* of NOISE: those of kernels/offload.h */
#define FX_GATHERED 2u
#define FX_ADDED 1u /* of BRICKS: likewise */
#define FX_FOLDED 2u
#define FX_SET 4u
#define FX_PEELED 8u /* PEEL instead of BRICKS */

/*
 * Arguments of both BRICKS and PEEL, on the device. BRICKS: left is images. PEEL: left is limbs,
 * chunk is 3, and the range is not used.
 */
struct fx_bricks_args {
    const uint8_t *left, *limages;
    const uint32_t *used, *list;
    int32_t *sums;
    uint32_t *folds;
    uint32_t base, stride, chunk, from, to, flags;
};

#endif
