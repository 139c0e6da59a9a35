/*
 * The device code as a host program sees it: what a compiler that is not nvcc needs to compile
 * kernels/cuda/NAME.cuh, so that tests run the very source that the device runs. The definitions
 * are in qa/unit/kernels/emulator.c: a group of threads that take turns, with the warp-wide
 * instructions written out from the PTX manual. FX_ARCH is set by who includes this.
 */
#ifndef FX_KERNELS_CUDA_EMULATE_H
#define FX_KERNELS_CUDA_EMULATE_H

#include <stdint.h>
#include <string.h>

#define FX_DEVICE static inline
#define FX_KERNEL __attribute__((unused)) static
#define FX_BOUNDS(threads)
#define FX_SHARED static /* groups run one after the other */
#define FX_RESTRICT

/* Of the thread that runs. */
uint32_t fx_emu_thread(void);
uint32_t fx_emu_group(void);
uint32_t fx_emu_groups(void);
/* Dynamic shared memory, aligned to 1,024 bytes, and addresses in the shared window. */
uint8_t *fx_emu_shared(void);
uint32_t fx_emu_shared_address(const void *at);
#define FX_THREAD fx_emu_thread()
#define FX_GROUP fx_emu_group()
#define FX_GROUPS fx_emu_groups()

/* Barriers: all threads of the group; a warp; and named ones, of which `threads` take part. */
void fx_emu_sync(void);
void fx_emu_sync_warp(void);
void fx_emu_bar_sync(uint32_t name, uint32_t threads);
void fx_emu_bar_arrive(uint32_t name, uint32_t threads);

/* Warp-wide. */
uint32_t fx_emu_shfl_xor(uint32_t value, uint32_t mask);
/* Each lane gives the address of one row of 16 bytes. */
void fx_emu_ldmatrix_x4(uint32_t out[4], const void *row);
void fx_emu_mma_m16n8k32(int32_t d[4], const uint32_t a[4], const uint32_t b[2],
                         const int32_t c[4]);
void fx_emu_mma_m8n8k16(int32_t d[2], uint32_t a, uint32_t b, const int32_t c[2]);

/* Of a warpgroup; operands in shared memory by matrix descriptors. The product happens when it is
 * waited for, as it may on a device; until then d is rubbish. */
void fx_emu_wgmma_fence(void);
void fx_emu_wgmma_m64n128k32(int32_t d[64], uint64_t a, uint64_t b, int add);
void fx_emu_wgmma_commit(void);
void fx_emu_wgmma_wait(uint32_t pending);

/* A cluster of two groups. */
uint32_t fx_emu_rank(void);
void fx_emu_sync_cluster(void);

/* Barriers in shared memory, and copies that complete on them, in this group or in both. */
void fx_emu_mbarrier_init(uint64_t *barrier, uint32_t count);
void fx_emu_mbarrier_arrive_both(uint64_t *barrier);
void fx_emu_mbarrier_expect(uint64_t *barrier, uint32_t bytes); /* and arrives */
void fx_emu_mbarrier_wait(uint64_t *barrier, uint32_t parity);
void fx_emu_bulk_copy(void *to, const void *from, uint32_t bytes, uint64_t *barrier, int both);

uint32_t fx_emu_byte_perm(uint32_t a, uint32_t b, uint32_t select);
int32_t fx_emu_dp4a(uint32_t a, uint32_t b, int32_t c);

#endif
