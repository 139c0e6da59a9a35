/* The body of emulated_NAME.c, which define FX_ARCH, FX_EMULATED and FX_EMULATED_NAME. */
#ifndef FX_QA_UNIT_KERNELS_EMULATED_KERNELS_H
#define FX_QA_UNIT_KERNELS_EMULATED_KERNELS_H

#include "kernels/cuda/bricks.cuh"
#include "kernels/cuda/hash.cuh"
#include "kernels/cuda/noise.cuh"
#include "qa/unit/kernels/emulated.h"
#if FX_ARCH >= 900
#include "kernels/cuda/wgmma.cuh"
#endif

static void *buffer(void *params, unsigned at)
{
    uint64_t value;

    memcpy(&value, ((void **)params)[at], sizeof value);
    return (void *)(uintptr_t)value;
}

static uint32_t word(void *params, unsigned at)
{
    uint32_t value;

    memcpy(&value, ((void **)params)[at], sizeof value);
    return value;
}

static void run_panels(void *p)
{
    fx_panels(buffer(p, 0), buffer(p, 1), buffer(p, 2), word(p, 3), word(p, 4), word(p, 5),
              word(p, 6));
}

static void run_perms(void *p)
{
    fx_perms(buffer(p, 0), buffer(p, 1), word(p, 2));
}

static void run_noise(void *p)
{
    fx_noise(buffer(p, 0), buffer(p, 1), buffer(p, 2), buffer(p, 3), buffer(p, 4), buffer(p, 5),
             word(p, 6), word(p, 7), word(p, 8), word(p, 9), word(p, 10), word(p, 11), word(p, 12),
             word(p, 13));
}

static void run_tickets(void *p)
{
    fx_tickets(buffer(p, 0), buffer(p, 1), buffer(p, 2), buffer(p, 3), buffer(p, 4), word(p, 5),
               word(p, 6), word(p, 7), word(p, 8), word(p, 9), word(p, 10), word(p, 11),
               word(p, 12), word(p, 13), word(p, 14), word(p, 15));
}

static void run_limbs(void *p)
{
    fx_limbs(buffer(p, 0), buffer(p, 1), buffer(p, 2), word(p, 3), word(p, 4));
}

static void run_nonces(void *p)
{
    fx_nonces(buffer(p, 0), buffer(p, 1), word(p, 2), word(p, 3), word(p, 4));
}

#if FX_ARCH >= 900
static void run_bricks_wgmma(void *p)
{
    fx_bricks_wgmma(*(struct fx_bricks_args *)((void **)p)[0], word(p, 1));
}
#define FX_RUN_WGMMA run_bricks_wgmma
#define FX_RUN_BRICKS NULL
#else
static void run_bricks(void *p)
{
    fx_bricks(*(struct fx_bricks_args *)((void **)p)[0]);
}
#define FX_RUN_WGMMA NULL
#define FX_RUN_BRICKS run_bricks
#endif

const struct fx_emulated FX_EMULATED = {
    .name = FX_EMULATED_NAME,
    .variant = {.wgmma = FX_ARCH >= 900, .async = FX_ARCH >= 800, .at_once = 5},
    .run =
        {
            [FX_CUDA_PANELS] = run_panels,
            [FX_CUDA_PERMS] = run_perms,
            [FX_CUDA_NOISE] = run_noise,
            [FX_CUDA_BRICKS] = FX_RUN_BRICKS,
            [FX_CUDA_BRICKS_WGMMA] = FX_RUN_WGMMA,
            [FX_CUDA_TICKETS] = run_tickets,
            [FX_CUDA_LIMBS] = run_limbs,
            [FX_CUDA_NONCES] = run_nonces,
        },
};

#endif
