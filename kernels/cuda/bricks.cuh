/*
 * Bricks by warps: mma.sync with int8 on tensor cores, or dp4a where there are none. One group of
 * 256 threads a tile; its operands come as images, through a ring of halves (128 columns of both
 * blocks) in shared memory.
 *
 * A warp has 64 x 32 of the tile, in 4 x 4 fragments of 16 x 8, with accumulators where mma puts
 * them: that is what the fold of the protocol is made of, so it happens in registers. Beside the
 * brick's accumulators, d, a thread keeps the sums over bricks.
 *
 * The peel is the same work: bricks of digits of G with LB, and of LA with digits of H, taken off
 * the sums with a scale of -256^t.
 */
#ifndef FX_KERNELS_CUDA_BRICKS_CUH
#define FX_KERNELS_CUDA_BRICKS_CUH

#include "kernels/cuda/device.cuh"

#if FX_ARCH >= 800
#define FX_STAGES FX_STAGES_FROM_80
#else
#define FX_STAGES FX_STAGES_BEFORE_80 /* the next half waits in registers */
#endif

/* What the group multiplies: steps, each a block of the left side with one of the right. For BRICKS
 * a step is a segment; for PEEL a bit of `digits`, the left side's digits and then the right's. */
struct fx_steps {
    uint32_t count;
    uint32_t at;     /* BRICKS: the next segment */
    uint32_t digits; /* PEEL: those that are left */
};

struct fx_step {
    const uint8_t *left;
    uint32_t right_limbs; /* PEEL: the right block is a digit */
    uint32_t digit;       /* BRICKS: the segment */
    int32_t scale;
};

FX_DEVICE void fx_steps_init(struct fx_steps *steps, const struct fx_bricks_args *args,
                             uint32_t digits)
{
    steps->at = args->from;
    steps->digits = digits;
    steps->count = args->flags & FX_PEELED ? fx_ones(digits) : args->to - args->from;
}

FX_DEVICE void fx_steps_next(struct fx_steps *steps, const struct fx_bricks_args *args,
                             uint32_t row, struct fx_step *step)
{
    if (args->flags & FX_PEELED) {
        uint32_t bit = fx_lowest(steps->digits);

        steps->digits &= steps->digits - 1;
        step->right_limbs = bit >= 3;
        step->digit = bit >= 3 ? bit - 3 : bit;
        step->left = step->right_limbs
                         ? args->limages + (size_t)row * FX_IMAGE_BYTES
                         : args->left + ((size_t)row * 3 + step->digit) * FX_IMAGE_BYTES;
        step->scale = -(1 << 8 * step->digit);
    } else {
        step->right_limbs = 1;
        step->digit = steps->at++;
        step->left = args->left + ((size_t)row * args->chunk + step->digit) * FX_IMAGE_BYTES;
        step->scale = 1;
    }
}

/* The right block of a step for a column. */
FX_DEVICE const uint8_t *fx_step_right(const struct fx_bricks_args *args,
                                       const struct fx_step *step, uint32_t column)
{
    size_t unit = (size_t)args->base + column;

    return step->right_limbs ? args->left + (unit * args->chunk + step->digit) * FX_IMAGE_BYTES
                             : args->limages + unit * FX_IMAGE_BYTES;
}

/* The lanes' words of one warp to eight words, in lanes 0 .. 7. */
FX_DEVICE uint32_t fx_fold_lanes(uint32_t lane_word)
{
    lane_word = fx_rotl(lane_word, 8 * (FX_LANE >> 3));
    lane_word ^= fx_shfl_xor(lane_word, 8);
    return lane_word ^ fx_shfl_xor(lane_word, 16);
}

/* One more fragment, in front of those that are folded: going from the last column to the first
 * one turns each by five for every column before it. */
FX_DEVICE uint32_t fx_fold_fragment(uint32_t word, const int32_t d[4])
{
    return fx_rotl(word, 5) ^ (uint32_t)d[0] ^ (uint32_t)d[1] ^ (uint32_t)d[2] ^ (uint32_t)d[3];
}

/* Two neighbours of a row of a tile, from memory that is aligned to 8 bytes. */
FX_DEVICE void fx_sums_pair(int32_t *at, int32_t first, int32_t second, uint32_t fresh)
{
#if defined(__CUDACC__)
    int2 *pair = (int2 *)at;
    int2 old = fresh ? make_int2(0, 0) : *pair;

    *pair = make_int2(old.x + first, old.y + second);
#else
    at[0] = (fresh ? 0 : at[0]) + first;
    at[1] = (fresh ? 0 : at[1]) + second;
#endif
}

#if FX_ARCH >= 750
/* 32 columns of a half, at 32 * k, by mma; first: d is new. */
FX_DEVICE void fx_multiply32(int32_t d[4][4][4], const uint8_t *left, const uint8_t *right,
                             uint32_t k, uint32_t first)
{
    uint32_t lane = FX_LANE, row = lane & 15, column = (lane & 7) + (lane >> 4) * 8;
    uint32_t a[4][4], b[2][4];
    const int32_t zero[4] = {0, 0, 0, 0};

    FX_UNROLL
    for (int f = 0; f < 4; f++)
        fx_ldmatrix_x4(a[f], left + (f * 16 + row) * 128 +
                                 (((k * 2 + (lane >> 4)) ^ (row & 7)) << 4));
    FX_UNROLL
    for (int c = 0; c < 2; c++)
        fx_ldmatrix_x4(b[c], right + (c * 16 + column) * 128 +
                                 (((k * 2 + (lane >> 3 & 1)) ^ (column & 7)) << 4));
    FX_UNROLL
    for (int f = 0; f < 4; f++) {
        FX_UNROLL
        for (int c = 0; c < 4; c++)
            fx_mma(d[f][c], a[f], b[c >> 1] + (c & 1) * 2, first ? zero : d[f][c]);
    }
}
#else
FX_DEVICE uint32_t fx_shared_word(const uint8_t *rows, uint32_t row, uint32_t column)
{
    return *(const uint32_t *)(const void *)(rows + row * 128 +
                                             (((column >> 4) ^ (row & 7)) << 4) + (column & 15));
}

/* The same, by dp4a: a thread has the same entries as under mma. */
FX_DEVICE void fx_multiply32(int32_t d[4][4][4], const uint8_t *left, const uint8_t *right,
                             uint32_t k, uint32_t first)
{
    uint32_t row = FX_LANE >> 2, column = (FX_LANE & 3) * 2;

    if (first) {
        FX_UNROLL
        for (int at = 0; at < 64; at++)
            d[at >> 4][at >> 2 & 3][at & 3] = 0;
    }
    for (uint32_t w = k * 32; w < k * 32 + 32; w += 4) {
        uint32_t a[8], b[8];

        FX_UNROLL
        for (int r = 0; r < 8; r++)
            a[r] = fx_shared_word(left, row + 8 * r, w);
        FX_UNROLL
        for (int c = 0; c < 8; c++)
            b[c] = fx_shared_word(right, column + (c >> 1) * 8 + (c & 1), w);
        FX_UNROLL
        for (int at = 0; at < 64; at++) {
            int32_t *to = &d[at >> 4][at >> 2 & 3][at & 3];

            *to = fx_dp4a(a[(at >> 4) * 2 + (at >> 1 & 1)], b[(at >> 2 & 3) * 2 + (at & 1)], *to);
        }
    }
}
#endif

/* A half of both blocks on its way into the ring: 128 bytes a thread. */
struct fx_copies {
    const uint8_t *left, *right; /* of the half */
#if FX_STAGES == 1
    struct fx_vector held[8];
#endif
};

FX_DEVICE void fx_copies_start(struct fx_copies *copies, uint8_t *stage)
{
    FX_UNROLL
    for (int part = 0; part < 8; part++) {
        uint32_t at = (part & 3) * (FX_THREADS * 16) + FX_THREAD * 16;
        const uint8_t *from = (part < 4 ? copies->left : copies->right) + at;

#if FX_STAGES == 1
        (void)stage;
        copies->held[part] = fx_load16(from);
#else
        fx_copy_async(stage + (part < 4 ? 0 : FX_HALF_BYTES) + at, from);
#endif
    }
}

#if FX_STAGES == 1
FX_DEVICE void fx_copies_land(const struct fx_copies *copies, uint8_t *stage)
{
    FX_UNROLL
    for (int part = 0; part < 8; part++)
        fx_store16(stage + part * (FX_THREADS * 16) + FX_THREAD * 16, copies->held[part]);
}
#endif

/* Folds of a brick's warps, once all of them have written theirs. */
FX_DEVICE void fx_fold_write(const struct fx_bricks_args *args, uint32_t parts[8][8], size_t tile,
                             uint32_t segment)
{
    uint32_t word = 0;

    if (!(args->flags & FX_FOLDED) || FX_THREAD >= 8)
        return;
    FX_UNROLL
    for (int warp = 0; warp < 8; warp++)
        word ^= parts[warp][FX_THREAD];
    args->folds[(tile * args->chunk + segment) * 8 + FX_THREAD] = word;
}

FX_KERNEL void FX_BOUNDS(FX_THREADS) fx_bricks(struct fx_bricks_args args)
{
    FX_SHARED uint32_t parts[2][8][8];
    uint8_t *ring = fx_dynamic();
    uint32_t entry = args.list[FX_GROUP], row = entry & 0xfff, column = entry >> 12 & 0xfff;
    uint32_t digits = args.flags & FX_PEELED
                          ? (args.used[row] & 7) | (args.used[args.base + column] & 7) << 3
                          : 0;
    size_t tile = (size_t)row * args.stride + column;
    uint32_t warp_row = FX_WARP & 1, warp_column = FX_WARP >> 1;
    uint32_t lane = FX_LANE, halves, started = 0;
    struct fx_steps ahead; /* of the copies */
    struct fx_step coming = {0, 0, 0, 0};
    struct fx_copies copies = {0};
    int32_t d[4][4][4], sum[4][4][4];

    fx_steps_init(&ahead, &args, digits);
    halves = ahead.count * 2;
    FX_UNROLL
    for (int at = 0; at < 64; at++)
        sum[at >> 4][at >> 2 & 3][at & 3] = 0;

#define FX_START_HALF()                                                            \
    do {                                                                           \
        if (started < halves) {                                                    \
            if (!(started & 1)) {                                                  \
                fx_steps_next(&ahead, &args, row, &coming);                        \
                copies.left = coming.left;                                         \
                copies.right = fx_step_right(&args, &coming, column);              \
            } else {                                                               \
                copies.left += FX_HALF_BYTES;                                      \
                copies.right += FX_HALF_BYTES;                                     \
            }                                                                      \
            fx_copies_start(&copies, ring + started % FX_STAGES * FX_STAGE_BYTES); \
        }                                                                          \
        fx_copy_commit();                                                          \
        started++;                                                                 \
    } while (0)

    FX_START_HALF();
#if FX_STAGES > 1
    FX_START_HALF();
#endif
    for (uint32_t step = 0; step < halves / 2; step++) {
        int32_t scale = 1;
        uint32_t word = 0;

        if (args.flags & FX_PEELED) {
            uint32_t bit = fx_lowest(digits);

            digits &= digits - 1;
            scale = -(1 << 8 * (bit >= 3 ? bit - 3 : bit));
        }
        FX_UNROLL
        for (uint32_t half = 0; half < 2; half++) {
            const uint8_t *stage = ring + (step * 2 + half) % FX_STAGES * FX_STAGE_BYTES;

#if FX_STAGES > 1
            fx_copy_wait_but_one();
            fx_sync();
#else
            fx_sync();
            fx_copies_land(&copies, ring);
            fx_sync();
#endif
            if (half == 0 && step > 0)
                fx_fold_write(&args, parts[(step - 1) & 1], tile, args.from + step - 1);
            FX_START_HALF();
            FX_UNROLL
            for (uint32_t k = 0; k < 4; k++)
                fx_multiply32(d, stage + warp_row * 64 * 128,
                              stage + FX_HALF_BYTES + warp_column * 32 * 128, k,
                              half == 0 && k == 0);
        }
        FX_UNROLL
        for (int f = 3; f >= 0; f--) {
            uint32_t across = 0;

            FX_UNROLL
            for (int c = 3; c >= 0; c--) {
                across = fx_fold_fragment(across, d[f][c]);
                FX_UNROLL
                for (int e = 0; e < 4; e++)
                    sum[f][c][e] += scale * d[f][c][e];
            }
            word = fx_rotl(word, 7) ^ across;
        }
        /* Fragments (4 warp_row, 4 warp_column) and on. */
        word = fx_fold_lanes(fx_rotl(word, 28 * warp_row + 20 * warp_column));
        if (lane < 8)
            parts[step & 1][FX_WARP][lane] = word;
    }
    fx_sync();
    if (halves > 0)
        fx_fold_write(&args, parts[(halves / 2 - 1) & 1], tile, args.from + halves / 2 - 1);
    if (!(args.flags & (FX_ADDED | FX_PEELED)))
        return;
    FX_UNROLL
    for (int f = 0; f < 4; f++) {
        FX_UNROLL
        for (int c = 0; c < 4; c++) {
            int32_t *at = args.sums + tile * 16384 +
                          (warp_row * 64 + f * 16 + (lane >> 2)) * 128 + warp_column * 32 + c * 8 +
                          (lane & 3) * 2;

            fx_sums_pair(at, sum[f][c][0], sum[f][c][1], args.flags & FX_SET);
            fx_sums_pair(at + 8 * 128, sum[f][c][2], sum[f][c][3], args.flags & FX_SET);
        }
    }
#undef FX_START_HALF
}

#endif
