/*
 * Bricks by warpgroups (compute capability 9.0): wgmma reads images from shared memory, where bulk
 * copies put them, and runs beside the threads.
 *
 * A group has one thread that copies and two warpgroups that multiply. An entry of the list is a
 * pair of neighbouring tiles; a warpgroup has the upper or the lower 64 rows of both, one brick
 * after the other: the accumulators of one brick, d, and the sums of both tiles fill the registers.
 * The warpgroups take turns, so that one folds while the tensor cores work for the other.
 *
 * Two groups form a cluster and work on two rows of the same columns: each fetches half of every
 * right block for both, as L2 could not feed the tensor cores otherwise. Groups stay for many
 * entries, and operands of the next entry arrive while sums are written.
 *
 * Blocks in shared memory are written by bulk copies and read by wgmma alone, both of which belong
 * to the asynchronous proxy, so no fence between proxies is needed: `full` completes with the bytes
 * of the copies, from either group, and a warp arrives at `empty` of both groups when its products
 * are over. Bytes may come before the group that they come to expects them: its own arrival is
 * still missing then, so the phase does not end.
 */
#ifndef FX_KERNELS_CUDA_WGMMA_CUH
#define FX_KERNELS_CUDA_WGMMA_CUH

#include "kernels/cuda/bricks.cuh"

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

#define FX_GROUP_WARPS 4 /* of a warpgroup */
#define FX_FOLDS 4       /* bricks whose folds are under way; the warpgroups are closer than that */

/* After the ring in shared memory. */
struct fx_control {
    uint64_t full[FX_RING], empty[FX_RING];
    uint32_t folds[FX_FOLDS][8], folded[FX_FOLDS];
};

/* ---- instructions ---------------------------------------------------------------------------- */

#if defined(__CUDACC__)
FX_DEVICE uint32_t fx_rank(void)
{
    uint32_t rank;

    asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    return rank;
}

/* "barrier.cluster" */
FX_DEVICE void fx_sync_cluster(void)
{
    asm volatile("barrier.cluster.arrive.release.aligned;\n"
                 "barrier.cluster.wait.acquire.aligned;" ::
                     : "memory");
}

/* "mbarrier": phases end when `count` have arrived and all bytes that are expected are there. */
FX_DEVICE void fx_barrier_init(uint64_t *barrier, uint32_t count)
{
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(fx_shared_address(barrier)),
                 "r"(count)
                 : "memory");
}

FX_DEVICE void fx_barrier_init_end(void)
{
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}

FX_DEVICE void fx_barrier_expect(uint64_t *barrier, uint32_t bytes)
{
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(
                     fx_shared_address(barrier)),
                 "r"(bytes)
                 : "memory");
}

/* On this barrier of both groups of the cluster. */
FX_DEVICE void fx_barrier_arrive_both(uint64_t *barrier)
{
    FX_UNROLL
    for (uint32_t rank = 0; rank < 2; rank++)
        asm volatile("{\n"
                     ".reg .b32 there;\n"
                     "mapa.shared::cluster.u32 there, %0, %1;\n"
                     "mbarrier.arrive.shared::cluster.b64 _, [there];\n"
                     "}" ::"r"(fx_shared_address(barrier)),
                     "r"(rank)
                     : "memory");
}

FX_DEVICE void fx_barrier_wait(uint64_t *barrier, uint32_t parity)
{
    uint32_t over;

    do {
        asm volatile("{\n"
                     ".reg .pred over;\n"
                     "mbarrier.try_wait.parity.shared::cta.b64 over, [%1], %2;\n"
                     "selp.u32 %0, 1, 0, over;\n"
                     "}"
                     : "=r"(over)
                     : "r"(fx_shared_address(barrier)), "r"(parity)
                     : "memory");
    } while (!over);
}

/* "cp.async.bulk": into this group, or to the same place in both groups of the cluster. */
FX_DEVICE void fx_bulk_copy(uint8_t *to, const uint8_t *from, uint32_t bytes, uint64_t *barrier)
{
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes "
                 "[%0], [%1], %2, [%3];" ::"r"(fx_shared_address(to)),
                 "l"(from), "r"(bytes), "r"(fx_shared_address(barrier))
                 : "memory");
}

FX_DEVICE void fx_bulk_copy_both(uint8_t *to, const uint8_t *from, uint32_t bytes,
                                 uint64_t *barrier)
{
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes"
                 ".multicast::cluster [%0], [%1], %2, [%3], %4;" ::"r"(fx_shared_address(to)),
                 "l"(from), "r"(bytes), "r"(fx_shared_address(barrier)), "h"((unsigned short)3)
                 : "memory");
}

/* "bar": named barriers, of the two warpgroups. */
#define fx_bar_sync(name) asm volatile("bar.sync " #name ", 256;" ::: "memory")
#define fx_bar_arrive(name) asm volatile("bar.arrive " #name ", 256;" ::: "memory")

FX_DEVICE void fx_wgmma_fence(void)
{
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}

FX_DEVICE void fx_wgmma_commit(void)
{
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

/* Products but for the newest group of them are over. */
FX_DEVICE void fx_wgmma_wait_but_one(void)
{
    asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
}

#define FX_D4(at) "+r"(d[at]), "+r"(d[at + 1]), "+r"(d[at + 2]), "+r"(d[at + 3])

/* All are. d goes through this, as the compiler does not know that it changes meanwhile: what comes
 * after reads it after. */
FX_DEVICE void fx_wgmma_wait(int32_t d[64])
{
    asm volatile("wgmma.wait_group.sync.aligned 0;"
                 : FX_D4(0), FX_D4(4), FX_D4(8), FX_D4(12),
                   FX_D4(16), FX_D4(20), FX_D4(24), FX_D4(28),
                   FX_D4(32), FX_D4(36), FX_D4(40), FX_D4(44),
                   FX_D4(48), FX_D4(52), FX_D4(56), FX_D4(60)
                 :
                 : "memory");
}

/*
 * "wgmma.mma_async", m64n128k32: d = a b + (add ? d : 0). Warp w of the warpgroup has rows 16w ..
 * 16w + 15, d[4j .. 4j + 3] is the fragment of columns 8j .. 8j + 7, as mma has it ("Register
 * Fragments for wgmma.mma_async.m64nNk32", D).
 */
FX_DEVICE void fx_wgmma(int32_t d[64], uint64_t a, uint64_t b, int add)
{
    asm volatile("{\n"
                 ".reg .pred add;\n"
                 "setp.ne.b32 add, %66, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n128k32.s32.s8.s8 {"
                 "%0, %1, %2, %3, %4, %5, %6, %7, "
                 "%8, %9, %10, %11, %12, %13, %14, %15, "
                 "%16, %17, %18, %19, %20, %21, %22, %23, "
                 "%24, %25, %26, %27, %28, %29, %30, %31, "
                 "%32, %33, %34, %35, %36, %37, %38, %39, "
                 "%40, %41, %42, %43, %44, %45, %46, %47, "
                 "%48, %49, %50, %51, %52, %53, %54, %55, "
                 "%56, %57, %58, %59, %60, %61, %62, %63}, "
                 "%64, %65, add;\n"
                 "}"
                 : FX_D4(0), FX_D4(4), FX_D4(8), FX_D4(12),
                   FX_D4(16), FX_D4(20), FX_D4(24), FX_D4(28),
                   FX_D4(32), FX_D4(36), FX_D4(40), FX_D4(44),
                   FX_D4(48), FX_D4(52), FX_D4(56), FX_D4(60)
                 : "l"(a), "l"(b), "r"(add));
}
#undef FX_D4

/* "setmaxnreg": registers go from the copying warpgroup to the others, which have the 504 of three
 * times 168 at the start. With fewer than 56 the copying thread would spill. */
#define FX_FEWER_REGISTERS() asm volatile("setmaxnreg.dec.sync.aligned.u32 56;")
#define FX_MORE_REGISTERS() asm volatile("setmaxnreg.inc.sync.aligned.u32 224;")
#define FX_CLUSTER __cluster_dims__(2, 1, 1)
#else
#define fx_rank() fx_emu_rank()
#define fx_sync_cluster() fx_emu_sync_cluster()
#define fx_barrier_init(barrier, count) fx_emu_mbarrier_init(barrier, count)
#define fx_barrier_init_end() (void)0
#define fx_barrier_expect(barrier, bytes) fx_emu_mbarrier_expect(barrier, bytes)
#define fx_barrier_arrive_both(barrier) fx_emu_mbarrier_arrive_both(barrier)
#define fx_barrier_wait(barrier, parity) fx_emu_mbarrier_wait(barrier, parity)
#define fx_bulk_copy(to, from, bytes, barrier) fx_emu_bulk_copy(to, from, bytes, barrier, 0)
#define fx_bulk_copy_both(to, from, bytes, barrier) fx_emu_bulk_copy(to, from, bytes, barrier, 1)
#define fx_bar_sync(name) fx_emu_bar_sync(name, 256)
#define fx_bar_arrive(name) fx_emu_bar_arrive(name, 256)
#define fx_wgmma_fence() fx_emu_wgmma_fence()
#define fx_wgmma_commit() fx_emu_wgmma_commit()
#define fx_wgmma_wait_but_one() fx_emu_wgmma_wait(1)
#define fx_wgmma_wait(d) ((void)(d), fx_emu_wgmma_wait(0))
#define fx_wgmma(d, a, b, add) fx_emu_wgmma_m64n128k32(d, a, b, add)
#define FX_FEWER_REGISTERS() (void)0
#define FX_MORE_REGISTERS() (void)0
#define FX_CLUSTER
#endif

/*
 * "Matrix descriptor" of K-major operands in the 128-byte swizzle: address / 16, the stride from
 * eight rows to the next eight (1,024 bytes) / 16 at bit 32, and 1 for the swizzle at bit 62. The
 * leading stride at bit 16 does not count here. Columns 32k .. of a half begin 32k bytes on.
 */
FX_DEVICE uint32_t fx_descriptor_low(const uint8_t *rows)
{
    return (uint32_t)1 << 16 | (fx_shared_address(rows) & 0x3ffff) >> 4;
}

FX_DEVICE uint64_t fx_descriptor(uint32_t low)
{
    return (uint64_t)((uint32_t)1 << 30 | (1024 >> 4)) << 32 | low;
}

/* ---- what the cluster does next --------------------------------------------------------------- */

struct fx_pair_work {
    uint32_t row, column; /* of this group; its first column */
    uint32_t columns;     /* 1 or 2 that the cluster needs */
    uint32_t wanted;      /* of this group: a bit a column */
    uint32_t digits;      /* PEEL */
};

FX_DEVICE void fx_pair_load(const struct fx_bricks_args *args, uint32_t pair,
                            struct fx_pair_work *work)
{
    uint32_t rank = fx_rank();
    uint32_t mine = args->list[2 * pair + rank], other = args->list[2 * pair + (rank ^ 1)];
    uint32_t both = (mine | other) >> 24, first = both & 1 ? 0 : 1;

    work->row = mine & 0xfff;
    work->column = (mine >> 12 & 0xfff) + first;
    work->columns = both == 3 ? 2 : 1;
    work->wanted = mine >> 24 >> first;
    work->digits = 0;
    if (args->flags & FX_PEELED) {
        uint32_t right = args->used[args->base + work->column];

        if (work->columns == 2)
            right |= args->used[args->base + work->column + 1];
        work->digits = ((args->used[work->row] | args->used[other & 0xfff]) & 7) | (right & 7) << 3;
    }
}

/* The next place of the ring: waits until both groups have read what was in it. */
FX_DEVICE uint32_t fx_ring_next(struct fx_control *control, uint32_t *n)
{
    uint32_t place = *n % FX_RING;

    if (*n >= FX_RING)
        fx_barrier_wait(&control->empty[place], (*n / FX_RING & 1) ^ 1);
    fx_barrier_expect(&control->full[place], FX_IMAGE_BYTES);
    ++*n;
    return place;
}

FX_DEVICE void fx_fetch_right(const struct fx_bricks_args *args, const struct fx_step *step,
                              uint32_t column, uint8_t *ring, struct fx_control *control,
                              uint32_t *n)
{
    uint32_t place = fx_ring_next(control, n), half = fx_rank() * FX_HALF_BYTES;

    fx_bulk_copy_both(ring + place * FX_IMAGE_BYTES + half,
                      fx_step_right(args, step, column) + half, FX_HALF_BYTES,
                      &control->full[place]);
}

/* One thread: blocks in the order in which they are let go. */
FX_DEVICE void fx_fetch(const struct fx_bricks_args *args, uint32_t pairs, uint8_t *ring,
                        struct fx_control *control)
{
    uint32_t n = 0;

    for (uint32_t pair = FX_GROUP / 2; pair < pairs; pair += FX_GROUPS / 2) {
        struct fx_pair_work work;
        struct fx_steps steps;

        fx_pair_load(args, pair, &work);
        fx_steps_init(&steps, args, work.digits);
        for (uint32_t at = 0; at < steps.count; at++) {
            struct fx_step step;
            uint32_t place;

            fx_steps_next(&steps, args, work.row, &step);
            fx_fetch_right(args, &step, work.column, ring, control, &n);
            place = fx_ring_next(control, &n);
            fx_bulk_copy(ring + place * FX_IMAGE_BYTES, step.left, FX_IMAGE_BYTES,
                         &control->full[place]);
            if (work.columns == 2)
                fx_fetch_right(args, &step, work.column + 1, ring, control, &n);
        }
    }
}

/* ---- multiplying ------------------------------------------------------------------------------ */

FX_DEVICE void fx_await(struct fx_control *control, uint32_t n)
{
    fx_barrier_wait(&control->full[n % FX_RING], n / FX_RING & 1);
}

FX_DEVICE void fx_let_go(struct fx_control *control, uint32_t n)
{
    if (FX_LANE == 0)
        fx_barrier_arrive_both(&control->empty[n % FX_RING]);
}

/* The warpgroups' turns: named barriers 1 and 2. */
FX_DEVICE void fx_turn_await(uint32_t lower)
{
    if (lower)
        fx_bar_sync(2);
    else
        fx_bar_sync(1);
}

FX_DEVICE void fx_turn_pass(uint32_t lower)
{
    if (lower)
        fx_bar_arrive(1);
    else
        fx_bar_arrive(2);
}

/* d = a brick's 64 rows of this warpgroup. It has its turn when it starts, and passes it on when
 * half is done. */
FX_DEVICE void fx_multiply(int32_t d[64], const uint8_t *left, const uint8_t *right, uint32_t lower)
{
    uint32_t a = fx_descriptor_low(left + lower * 64 * 128), b = fx_descriptor_low(right);

    fx_turn_await(lower);
    fx_wgmma_fence();
    FX_UNROLL
    for (int half = 0; half < 2; half++) {
        FX_UNROLL
        for (int k = 0; k < 4; k++) {
            uint32_t on = (half * FX_HALF_BYTES + k * 32) >> 4;

            fx_wgmma(d, fx_descriptor(a + on), fx_descriptor(b + on), half + k > 0);
        }
        fx_wgmma_commit();
    }
    fx_wgmma_wait_but_one();
    fx_turn_pass(lower);
    fx_wgmma_wait(d);
}

/* A warp's part of the fold of brick number n; the last warp writes it out. */
FX_DEVICE void fx_fold_add(struct fx_control *control, uint32_t n, uint32_t word, uint32_t *out)
{
    uint32_t at = n % FX_FOLDS;

    if (FX_LANE < 8)
        fx_atomic_xor(&control->folds[at][FX_LANE], word);
    fx_fence_group();
    fx_sync_warp();
    if (FX_LANE == 0 && fx_atomic_add(&control->folded[at], 1) == 2 * FX_GROUP_WARPS - 1) {
        volatile uint32_t *folds = control->folds[at], *folded = &control->folded[at];

        fx_fence_group();
        FX_UNROLL
        for (int w = 0; w < 8; w++) {
            out[w] = folds[w];
            folds[w] = 0;
        }
        fx_fence_group();
        *folded = 0;
    }
}

FX_DEVICE void fx_sums_write(const struct fx_bricks_args *args, const struct fx_pair_work *work,
                             int32_t sum[2][64], uint32_t row)
{
    FX_UNROLL
    for (int j = 0; j < 2; j++) {
        size_t tile = (size_t)work->row * args->stride + work->column + j;
        int32_t *at = args->sums + tile * 16384 + row * 128 + (FX_LANE & 3) * 2;

        if (work->wanted >> j & 1) {
            FX_UNROLL
            for (int c = 0; c < 16; c++) {
                fx_sums_pair(at + c * 8, sum[j][4 * c], sum[j][4 * c + 1], args->flags & FX_SET);
                fx_sums_pair(at + c * 8 + 8 * 128, sum[j][4 * c + 2], sum[j][4 * c + 3],
                             args->flags & FX_SET);
            }
        }
    }
}

FX_DEVICE void fx_multiply_all(const struct fx_bricks_args *args, uint32_t pairs, uint8_t *ring,
                               struct fx_control *control)
{
    uint32_t lower = (FX_THREAD >> 7) - 1; /* 0: rows 0 .. 63, 1: the others */
    uint32_t warp = lower * FX_GROUP_WARPS + (FX_WARP & 3);
    uint32_t n = 0, bricks = 0;

    if (lower)
        fx_turn_pass(lower); /* the first turn is the other's */
    for (uint32_t pair = FX_GROUP / 2; pair < pairs; pair += FX_GROUPS / 2) {
        struct fx_pair_work work;
        struct fx_steps steps;
        int32_t sum[2][64], d[64];

        fx_pair_load(args, pair, &work);
        fx_steps_init(&steps, args, work.digits);
        FX_UNROLL
        for (int e = 0; e < 64; e++)
            sum[0][e] = sum[1][e] = 0;
        for (uint32_t at = 0; at < steps.count; at++) {
            struct fx_step step;

            fx_steps_next(&steps, args, work.row, &step);
            FX_UNROLL
            for (uint32_t j = 0; j < 2; j++) {
                /* Blocks: right 0, left, right 1. */
                uint32_t right = n + 2 * j, word = 0;

                if (j < work.columns) {
                    fx_await(control, right);
                    if (j == 0)
                        fx_await(control, n + 1);
                    fx_multiply(d, ring + (n + 1) % FX_RING * FX_IMAGE_BYTES,
                                ring + right % FX_RING * FX_IMAGE_BYTES, lower);
                    fx_let_go(control, right);
                    if (j + 1 == work.columns)
                        fx_let_go(control, n + 1);
                    FX_UNROLL
                    for (int c = 15; c >= 0; c--) {
                        word = fx_fold_fragment(word, d + 4 * c);
                        FX_UNROLL
                        for (int e = 4 * c; e < 4 * c + 4; e++)
                            sum[j][e] += step.scale * d[e];
                    }
                    if ((args->flags & FX_FOLDED) && (work.wanted >> j & 1)) {
                        size_t tile = (size_t)work.row * args->stride + work.column + j;

                        fx_fold_add(control, bricks, fx_fold_lanes(fx_rotl(word, 7 * warp)),
                                    args->folds + (tile * args->chunk + step.digit) * 8);
                    }
                    bricks++;
                }
            }
            n += 1 + work.columns;
        }
        if (args->flags & (FX_ADDED | FX_PEELED))
            fx_sums_write(args, &work, sum, lower * 64 + (FX_WARP & 3) * 16 + (FX_LANE >> 2));
    }
    if (!lower)
        fx_turn_await(lower); /* takes the turn that is left */
}

/* pairs: half of the entries of the list. Any even number of groups may run. */
FX_KERNEL void FX_CLUSTER FX_BOUNDS(FX_WGMMA_THREADS)
    fx_bricks_wgmma(struct fx_bricks_args args, uint32_t pairs)
{
    uint8_t *ring = fx_dynamic();
    struct fx_control *control = (struct fx_control *)(void *)(ring + FX_RING * FX_IMAGE_BYTES);

    if (FX_THREAD == 0) {
        for (uint32_t at = 0; at < FX_RING; at++) {
            fx_barrier_init(&control->full[at], 1);
            fx_barrier_init(&control->empty[at], 2 * 2 * FX_GROUP_WARPS);
        }
        for (uint32_t at = 0; at < FX_FOLDS; at++) {
            control->folded[at] = 0;
            for (uint32_t w = 0; w < 8; w++)
                control->folds[at][w] = 0;
        }
        fx_barrier_init_end();
    }
    fx_sync_warp();
    fx_sync_cluster();
    if (FX_THREAD < 128) {
        FX_FEWER_REGISTERS();
        if (FX_THREAD == 0)
            fx_fetch(&args, pairs, ring, control);
        fx_sync_warp();
    } else {
        FX_MORE_REGISTERS();
        fx_multiply_all(&args, pairs, ring, control);
        fx_sync_warp();
    }
    fx_sync_cluster(); /* nobody may arrive at barriers of a group that has ended */
}

#endif
#endif
