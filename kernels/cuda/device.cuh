/*
 * The language of the CUDA kernels: C that nvcc compiles for the device, and any compiler for an
 * emulated one (kernels/cuda/emulate.h). Each special instruction is a function here, with the
 * heading under which the PTX manual (ISA 9.0) defines it. FX_ARCH is the target, 750 for compute
 * capability 7.5; FX_ARCH_AS stands for another one, so that nvcc compiles code whose targets it
 * does not have any more.
 */
#ifndef FX_KERNELS_CUDA_DEVICE_CUH
#define FX_KERNELS_CUDA_DEVICE_CUH

#include <stdint.h>

#include "kernels/cuda/args.h"
#include "kernels/device.h"

#if defined(__CUDACC__)
#if defined(__CUDA_ARCH__) && defined(FX_ARCH_AS)
#define FX_ARCH FX_ARCH_AS
#elif defined(__CUDA_ARCH__)
#define FX_ARCH __CUDA_ARCH__
#else
#define FX_ARCH 0
#endif
#define FX_DEVICE static __device__ __forceinline__
#define FX_KERNEL extern "C" __global__
#define FX_BOUNDS(threads) __launch_bounds__(threads, 1)
#define FX_SHARED __shared__
#define FX_RESTRICT __restrict__
#define FX_THREAD threadIdx.x
#define FX_GROUP blockIdx.x
#define FX_GROUPS gridDim.x
#define FX_ALIGNED16 __attribute__((aligned(16)))
#else
#include "kernels/cuda/emulate.h"
#define FX_ALIGNED16
#endif

#define FX_LANE (FX_THREAD & 31)
#define FX_WARP (FX_THREAD >> 5)

struct fx_vector {
    uint32_t w[4];
} FX_ALIGNED16;

/*
 * An image: the left and then the right 128 columns, row by row, 16 bytes (column / 16 of the half)
 * at place (column / 16) ^ (row & 7). This is the 128-byte swizzle of shared memory that wgmma
 * reads ("Asynchronous warpgroup level matrix instructions", "Shared memory matrix layout"), and
 * ldmatrix reads eight rows of it from eight different groups of banks.
 */
FX_DEVICE uint32_t fx_image_at(uint32_t row, uint32_t column)
{
    return (column >> 7) * FX_HALF_BYTES + row * 128 +
           ((((column >> 4) & 7) ^ (row & 7)) << 4) + (column & 15);
}

/* "prmt": bytes of b:a by the low three bits of each digit of select. */
FX_DEVICE uint32_t fx_byte_perm(uint32_t a, uint32_t b, uint32_t select)
{
#if defined(__CUDACC__)
    return __byte_perm(a, b, select);
#else
    return fx_emu_byte_perm(a, b, select);
#endif
}

FX_DEVICE uint32_t fx_mul_high(uint32_t a, uint32_t b)
{
    return (uint32_t)((uint64_t)a * b >> 32);
}

/* Number of the lowest bit that is set; mask is not 0. */
FX_DEVICE uint32_t fx_lowest(uint32_t mask)
{
#if defined(__CUDACC__)
    return (uint32_t)__ffs((int)mask) - 1;
#else
    return (uint32_t)__builtin_ctz(mask);
#endif
}

FX_DEVICE uint32_t fx_ones(uint32_t mask)
{
#if defined(__CUDACC__)
    return (uint32_t)__popc(mask);
#else
    return (uint32_t)__builtin_popcount(mask);
#endif
}

FX_DEVICE void fx_sync(void)
{
#if defined(__CUDACC__)
    __syncthreads();
#else
    fx_emu_sync();
#endif
}

FX_DEVICE void fx_sync_warp(void)
{
#if defined(__CUDACC__)
    __syncwarp();
#else
    fx_emu_sync_warp();
#endif
}

FX_DEVICE uint32_t fx_shfl_xor(uint32_t value, uint32_t mask)
{
#if defined(__CUDACC__)
    return __shfl_xor_sync(0xffffffffu, value, (int)mask);
#else
    return fx_emu_shfl_xor(value, mask);
#endif
}

FX_DEVICE uint32_t fx_atomic_add(uint32_t *at, uint32_t value)
{
#if defined(__CUDACC__)
    return atomicAdd(at, value);
#else
    uint32_t old = *at;

    *at += value;
    return old;
#endif
}

FX_DEVICE void fx_atomic_or(uint32_t *at, uint32_t value)
{
#if defined(__CUDACC__)
    atomicOr(at, value);
#else
    *at |= value;
#endif
}

FX_DEVICE void fx_atomic_xor(uint32_t *at, uint32_t value)
{
#if defined(__CUDACC__)
    atomicXor(at, value);
#else
    *at ^= value;
#endif
}

FX_DEVICE void fx_atomic_min(uint32_t *at, uint32_t value)
{
#if defined(__CUDACC__)
    atomicMin(at, value);
#else
    if (value < *at)
        *at = value;
#endif
}

FX_DEVICE void fx_fence_group(void)
{
#if defined(__CUDACC__)
    __threadfence_block();
#endif
}

/* Dynamic shared memory, aligned to 1,024 bytes. */
FX_DEVICE uint8_t *fx_dynamic(void)
{
#if defined(__CUDACC__)
    extern __shared__ __align__(1024) uint8_t fx_dynamic_memory[];

    return fx_dynamic_memory;
#else
    return fx_emu_shared();
#endif
}

/* Address in the shared window. */
FX_DEVICE uint32_t fx_shared_address(const void *at)
{
#if defined(__CUDACC__)
    return (uint32_t)__cvta_generic_to_shared(at);
#else
    return fx_emu_shared_address(at);
#endif
}

FX_DEVICE struct fx_vector fx_load16(const void *from)
{
#if defined(__CUDACC__)
    return *(const struct fx_vector *)from;
#else
    struct fx_vector out;

    memcpy(&out, from, sizeof out);
    return out;
#endif
}

FX_DEVICE void fx_store16(void *to, struct fx_vector value)
{
#if defined(__CUDACC__)
    *(struct fx_vector *)to = value;
#else
    memcpy(to, &value, sizeof value);
#endif
}

/* "cp.async": 16 bytes to shared memory beside the thread's work; from 8.0. */
FX_DEVICE void fx_copy_async(void *to, const void *from)
{
#if defined(__CUDACC__) && FX_ARCH >= 800
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(fx_shared_address(to)),
                 "l"(from)
                 : "memory");
#else
    fx_store16(to, fx_load16(from));
#endif
}

FX_DEVICE void fx_copy_commit(void)
{
#if defined(__CUDACC__) && FX_ARCH >= 800
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

/* All groups of copies but the newest one have arrived. */
FX_DEVICE void fx_copy_wait_but_one(void)
{
#if defined(__CUDACC__) && FX_ARCH >= 800
    asm volatile("cp.async.wait_group 1;" ::: "memory");
#endif
}

/*
 * "ldmatrix" .m8n8.x4: lane 8 i + r gives the address of row r (16 bytes) of matrix i; a lane gets
 * of each matrix the four bytes 4 (lane % 4) .. of row lane / 4. From 7.5.
 */
FX_DEVICE void fx_ldmatrix_x4(uint32_t out[4], const uint8_t *row)
{
#if defined(__CUDACC__) && FX_ARCH >= 750
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(fx_shared_address(row))
                 : "memory");
#elif !defined(__CUDACC__)
    fx_emu_ldmatrix_x4(out, row);
#endif
}

#if FX_ARCH < 800
/*
 * d = a b + c, 8 x 8 x 16 int8. "Matrix Fragments for mma.m8n8k16": with g = lane / 4 and
 * t = lane % 4, a has row g, columns 4t .. 4t + 3; b column g, rows 4t .. 4t + 3; c and d row g,
 * columns 2t and 2t + 1. From 7.5.
 */
FX_DEVICE void fx_mma8(int32_t d[2], uint32_t a, uint32_t b, const int32_t c[2])
{
#if !defined(__CUDACC__)
    fx_emu_mma_m8n8k16(d, a, b, c);
#elif FX_ARCH >= 750
    asm volatile("mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%0, %1}, {%2}, {%3}, {%4, %5};"
                 : "=r"(d[0]), "=r"(d[1])
                 : "r"(a), "r"(b), "r"(c[0]), "r"(c[1]));
#endif
}
#endif

/*
 * d = a b + c, 16 x 8 x 32 int8. "Matrix Fragments for mma.m16n8k32": with g = lane / 4 and
 * t = lane % 4, a[0] has row g, columns 4t .. 4t + 3; a[1] row g + 8; a[2] and a[3] the same
 * 16 columns on; b[0] has column g, rows 4t .. 4t + 3; b[1] 16 rows on; c and d have row g, columns
 * 2t and 2t + 1, then the same of row g + 8. Before 8.0 it is made of its quarters, whose fragments
 * are just these.
 */
FX_DEVICE void fx_mma(int32_t d[4], const uint32_t a[4], const uint32_t b[2], const int32_t c[4])
{
#if FX_ARCH < 800
    fx_mma8(d, a[0], b[0], c);
    fx_mma8(d + 2, a[1], b[0], c + 2);
    fx_mma8(d, a[2], b[1], d);
    fx_mma8(d + 2, a[3], b[1], d + 2);
#elif !defined(__CUDACC__)
    fx_emu_mma_m16n8k32(d, a, b, c);
#else
    asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 "
                 "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%10, %11, %12, %13};"
                 : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "r"(c[0]),
                   "r"(c[1]), "r"(c[2]), "r"(c[3]));
#endif
}

/* "dp4a": c and the dot product of four int8; from 6.1. */
FX_DEVICE int32_t fx_dp4a(uint32_t a, uint32_t b, int32_t c)
{
#if defined(__CUDACC__) && FX_ARCH >= 610
    return __dp4a((int)a, (int)b, c);
#elif defined(__CUDACC__)
    return 0; /* host pass: not called */
#else
    return fx_emu_dp4a(a, b, c);
#endif
}

#endif
