/*
 * The kernels of the OpenCL backend (OpenCL C 1.2), after kernels/device.h in one program. What
 * each is called with, and what the buffers hold, is in kernels/offload.h.
 *
 * An image (a block as BRICKS and PEEL read it) is 64 x 128 words: word (w, row) holds columns
 * 4w .. 4w + 3 of a row. A group of 256 items makes a brick; item q + 32 * part holds the entries
 * of lane q (protocol section 6) in half of the rows and a quarter of the columns, so that the fold
 * stays within items until the last step.
 *
 * FX_PACKED (set by the host): the device multiplies packed int8 (cl_khr_integer_dot_product).
 * Else products are made in float, in which sums up to 2^24 are exact; a brick's are at most 2^22,
 * those of a peel are kept below 2^23.
 */
#if defined(FX_PACKED_BY_HAND) /* tests of devices that do not */
static int dot_4x8packed_ss_int(uint a, uint b)
{
    int sum = 0;

    for (uint c = 0; c < 32; c += 8)
        sum += (char)(a >> c & 255) * (char)(b >> c & 255);
    return sum;
}
#elif defined(FX_PACKED)
#pragma OPENCL EXTENSION cl_khr_integer_dot_product : enable
#endif

#define ITEMS 256
#define BLOCK_WORDS 8192
#define TILE_ENTRIES 16384
#define NOISE 1u  /* flags of fx_noise */
#define GATHER 2u
#define ADD 1u    /* flags of fx_bricks */
#define FOLD 2u
#define SET 4u

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
fx_panels(__global const uint *header, __global uint *lrows, __global uint *limages, uint rows,
          uint base, uint row0, uint col0)
{
    uint x = get_group_id(0) >> 1, at = (get_group_id(0) & 1) * ITEMS + get_local_id(0);
    uint side = x >= rows, unit = side ? base + x - rows : x;
    uint row = at >> 2, first = (at & 3) * 16;
    uint key[8], words[16];

    for (uint w = 0; w < 8; w++)
        key[w] = header[FX_HEADER_KEY + w];
    fx_noise_words(key, at, FX_PURPOSE_PANEL, side, side ? col0 + x - rows : row0 + x, words);
    for (uint w = 0; w < 16; w++) {
        uint entries = fx_noise_entries(words[w]);

        lrows[unit * BLOCK_WORDS + row * 64 + first + w] = entries;
        limages[unit * BLOCK_WORDS + (first + w) * 128 + row] = entries;
    }
}

#define PERM_ITEMS 32

/* perms: 512 shorts a (side, segment): p[c] | sign << 8, then the inverse, likewise. */
__kernel __attribute__((reqd_work_group_size(PERM_ITEMS, 1, 1))) void
fx_perms(__global const uint *header, __global ushort *perms, uint depth)
{
    __local uint words[17 * 16];
    __local ushort p[256];
    uint lane = get_local_id(0), which = get_group_id(0);

    if (lane < 17) {
        uint key[8], block[16];

        for (uint w = 0; w < 8; w++)
            key[w] = header[FX_HEADER_KEY + w];
        fx_noise_words(key, lane, FX_PURPOSE_PERM, which / depth, which % depth, block);
        for (uint w = 0; w < 16; w++)
            words[lane * 16 + w] = block[w];
    }
    for (uint c = lane; c < 256; c += PERM_ITEMS)
        p[c] = (ushort)c;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (lane == 0) {
        for (uint c = 255; c > 0; c--) {
            uint other = mul_hi(words[c], c + 1);
            ushort kept = p[c];

            p[c] = p[other];
            p[other] = kept;
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint c = lane; c < 256; c += PERM_ITEMS) {
        ushort sign = (ushort)((words[256 + (c >> 5)] >> (c & 31) & 1) << 8);

        perms[which * 512 + c] = p[c] | sign;
        perms[which * 512 + 256 + p[c]] = (ushort)(c | sign);
    }
}

/* Eight groups a panel, each with 16 of its rows; an item has 16 columns of a row. */
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
fx_noise(__global const uint *plain, __global const uint *table, __global const ushort *perms,
         __global const uint *lrows, __global uint *images, __global int *gathered, uint rows,
         uint base, uint chunk, uint first, uint depth, uint from_s, uint to_s, uint flags)
{
    __local uint noise_words[16 * 64], source_words[16 * 64];
    __local const char *noise = (__local const char *)noise_words;
    __local const char *source = (__local const char *)source_words;
    uint x = get_group_id(0) >> 3, lane = get_local_id(0);
    uint side = x >= rows, unit = side ? base + x - rows : x;
    uint row = lane >> 4, column = (lane & 15) * 16, at_row = (get_group_id(0) & 7) * 16 + row;
    ulong slot = table[unit];
    int sum[16];

    for (uint c = 0; c < 16; c++)
        sum[c] = 0;
    for (uint w = 0; w < 4; w++)
        noise_words[lane * 4 + w] =
            lrows[unit * BLOCK_WORDS + at_row * 64 + column / 4 + w];
    for (uint s = from_s; s < to_s; s++) {
        __global const ushort *own = perms + (side * depth + first + s) * 512;
        __global const ushort *other = perms + ((1 - side) * depth + first + s) * 512 + 256;
        uint words[4];

        barrier(CLK_LOCAL_MEM_FENCE);
        for (uint w = 0; w < 4; w++) {
            words[w] = plain[(slot * chunk + s) * BLOCK_WORDS + at_row * 64 + column / 4 + w];
            if (!side)
                source_words[lane * 4 + w] = words[w];
            if (flags & NOISE) {
                uint packed = 0;

                for (uint c = 0; c < 4; c++) {
                    ushort from = own[column + w * 4 + c];
                    int entry = noise[row * 256 + (from & 255)];
                    int have = (char)(words[w] >> 8 * c & 255);

                    packed |= ((uint)(have + (from >> 8 ? -entry : entry)) & 255) << 8 * c;
                }
                words[w] = packed;
            }
            if (side)
                source_words[lane * 4 + w] = words[w];
            images[((ulong)unit * chunk + s) * BLOCK_WORDS + (column / 4 + w) * 128 + at_row] =
                words[w];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        if (flags & GATHER) {
            for (uint c = 0; c < 16; c++) {
                ushort from = other[column + c];
                int entry = source[row * 256 + (from & 255)];

                sum[c] += from >> 8 ? -entry : entry;
            }
        }
    }
    if (flags & GATHER) {
        for (uint c = 0; c < 16; c++)
            gathered[(unit * 128 + at_row) * 256 + column + c] += sum[c];
    }
}

#ifdef FX_PACKED
#define DEPTH_STEP 8 /* words of a row at a time */
typedef int fx_acc;
#define HELD uint
#define HELD_ENTRIES (DEPTH_STEP * 128)
#else
#define DEPTH_STEP 4
typedef float fx_acc;
#define HELD float
#define HELD_ENTRIES (DEPTH_STEP * 4 * 128)
#endif

/* acc += a block times the transpose of another one, both images. */
static void product(__global const uint *a, __global const uint *b, __local HELD *held_a,
                    __local HELD *held_b, fx_acc acc[8][8])
{
    uint lane = get_local_id(0);
    uint row = (lane >> 2 & 7) + (lane >> 5 & 1) * 64;
    uint column = (lane & 3) * 2 + (lane >> 6) * 32;

    for (uint step = 0; step < 64; step += DEPTH_STEP) {
        barrier(CLK_LOCAL_MEM_FENCE);
        for (uint at = lane; at < DEPTH_STEP * 128; at += ITEMS) {
            uint from_a = a[step * 128 + at], from_b = b[step * 128 + at];
#ifdef FX_PACKED
            held_a[at] = from_a;
            held_b[at] = from_b;
#else
            uint to = (at >> 7) * 512 + (at & 127);

            for (uint c = 0; c < 4; c++) {
                held_a[to + c * 128] = (float)(char)(from_a >> 8 * c & 255);
                held_b[to + c * 128] = (float)(char)(from_b >> 8 * c & 255);
            }
#endif
        }
        barrier(CLK_LOCAL_MEM_FENCE);
#ifdef FX_PACKED
        for (uint k = 0; k < DEPTH_STEP; k++) {
#else
        for (uint k = 0; k < DEPTH_STEP * 4; k++) {
#endif
            HELD left[8], right[8];

            for (uint r = 0; r < 8; r++)
                left[r] = held_a[k * 128 + row + 8 * r];
            for (uint c = 0; c < 8; c++)
                right[c] = held_b[k * 128 + column + (c >> 1) * 8 + (c & 1)];
            for (uint r = 0; r < 8; r++) {
                for (uint c = 0; c < 8; c++) {
#ifdef FX_PACKED
                    acc[r][c] += dot_4x8packed_ss_int(left[r], right[c]);
#else
                    acc[r][c] += left[r] * right[c];
#endif
                }
            }
        }
    }
}

/* sums of the item's entries += turn * d; fresh: what they were does not count. */
static void add(__global int *tile, int d[8][8], int turn, uint fresh)
{
    uint lane = get_local_id(0);
    uint row = (lane >> 2 & 7) + (lane >> 5 & 1) * 64;
    uint column = (lane & 3) * 2 + (lane >> 6) * 32;

    for (uint r = 0; r < 8; r++) {
        for (uint c = 0; c < 8; c++) {
            __global int *at = tile + (row + 8 * r) * 128 + column + (c >> 1) * 8 + (c & 1);

            *at = (fresh ? 0 : *at) + turn * d[r][c];
        }
    }
}

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
fx_bricks(__global const uint *images, __global const uint *list, __global int *sums,
          __global uint *folds, uint base, uint stride, uint chunk, uint from_s, uint to_s,
          uint flags)
{
    __local HELD held_a[HELD_ENTRIES], held_b[HELD_ENTRIES];
    __local uint lanes[ITEMS];
    uint lane = get_local_id(0), entry = list[get_group_id(0)];
    ulong row = entry & 0xfff, col = entry >> 12 & 0xfff, tile = row * stride + col;
    int sum[8][8];

    for (uint r = 0; r < 8; r++) {
        for (uint c = 0; c < 8; c++)
            sum[r][c] = 0;
    }
    for (uint s = from_s; s < to_s; s++) {
        uint fold = 0;
        fx_acc acc[8][8];

        for (uint r = 0; r < 8; r++) {
            for (uint c = 0; c < 8; c++)
                acc[r][c] = 0;
        }
        product(images + (row * chunk + s) * BLOCK_WORDS,
                images + ((base + col) * chunk + s) * BLOCK_WORDS, held_a, held_b, acc);
        for (uint r = 0; r < 8; r += 2) {
            for (uint c = 0; c < 8; c += 2) {
                int d0 = (int)acc[r][c], d1 = (int)acc[r][c + 1];
                int d2 = (int)acc[r + 1][c], d3 = (int)acc[r + 1][c + 1];
                uint fr = (lane >> 5 & 1) * 4 + (r >> 1), fc = (lane >> 6) * 4 + (c >> 1);

                sum[r][c] += d0;
                sum[r][c + 1] += d1;
                sum[r + 1][c] += d2;
                sum[r + 1][c + 1] += d3;
                fold ^= fx_rotl((uint)(d0 ^ d1 ^ d2 ^ d3), 7 * fr + 5 * fc);
            }
        }
        lanes[lane] = fold;
        barrier(CLK_LOCAL_MEM_FENCE);
        if (lane < 8 && (flags & FOLD)) {
            uint word = 0;

            for (uint turn = 0; turn < 4; turn++) {
                uint one = 0;

                for (uint part = 0; part < 8; part++)
                    one ^= lanes[part * 32 + turn * 8 + lane];
                word ^= fx_rotl(one, turn * 8);
            }
            folds[(tile * chunk + s) * 8 + lane] = word;
        }
    }
    if (flags & ADD)
        add(sums + tile * TILE_ENTRIES, sum, 1, flags & SET);
}

/* An item a brick of an entry of the list. found: how many there are, and from word 4 on 12 words
 * each: i, j, l, 0, ticket. */
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
fx_tickets(__global const uint *header, __global const uint *folds, __global const uint *list,
           __global const uint *table, volatile __global uint *found, uint count, uint base,
           uint stride, uint chunk, uint from_s, uint to_s, uint row0, uint col0, uint first,
           uint units)
{
    uint n = get_global_id(0), s = from_s + n % (to_s - from_s), at = n / (to_s - from_s);
    uint fold[8], state[8], target[8];
    uint entry, row, col;

    if (at >= count)
        return;
    entry = list[at];
    row = entry & 0xfff;
    col = entry >> 12 & 0xfff;
    if ((table[units + row * 8 + (s >> 5)] | table[units + (base + col) * 8 + (s >> 5)]) >>
            (s & 31) & 1)
        return;
    for (uint t = 0; t < 8; t++) {
        fold[t] = folds[(((ulong)row * stride + col) * chunk + s) * 8 + t];
        state[t] = header[FX_HEADER_MIDSTATE + t];
        target[t] = header[FX_HEADER_TARGET + t];
    }
    fx_ticket_words(state, fold, row0 + row, col0 + col, first + s);
    if (!fx_meets(state, target))
        return;
    at = atomic_inc(found);
    found[4 + at * 12] = row0 + row;
    found[5 + at * 12] = col0 + col;
    found[6 + at * 12] = first + s;
    found[7 + at * 12] = 0;
    for (uint t = 0; t < 8; t++)
        found[8 + at * 12 + t] = fx_swap(state[t]);
}

/* 32 groups a panel; an item has four entries. used: bit t of a panel's word says that its digit t
 * is not all zero. */
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
fx_limbs(__global const int *gathered, __global uint *limbs, volatile __global uint *used,
         uint rows, uint base)
{
    uint x = get_group_id(0) >> 5, at = (get_group_id(0) & 31) * ITEMS + get_local_id(0);
    uint unit = x >= rows ? base + x - rows : x, row = at >> 6, w = at & 63, any = 0;
    __global const int *from = gathered + unit * 4 * BLOCK_WORDS + at * 4;

    for (uint t = 0; t < 3; t++) {
        uint packed = 0;

        for (uint c = 0; c < 4; c++)
            packed |= ((uint)fx_limb(from[c], (int)t) & 255) << 8 * c;
        limbs[(unit * 3 + t) * BLOCK_WORDS + w * 128 + row] = packed;
        any |= (uint)(packed != 0) << t;
    }
    if (any)
        atomic_or(&used[unit], any);
}

/* The number of the lowest bit that is set. */
static uint lowest(uint mask)
{
    return 31 - clz(mask & -mask);
}

/* sums -= G LB^T + LA H^T. The loop has no turn that leaves its barriers out: some compilers do not
 * take that. */
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
fx_peel(__global const uint *limbs, __global const uint *used, __global const uint *limages,
        __global const uint *list, __global int *sums, uint base, uint stride)
{
    __local HELD held_a[HELD_ENTRIES], held_b[HELD_ENTRIES];
    uint entry = list[get_group_id(0)];
    ulong row = entry & 0xfff, col = entry >> 12 & 0xfff;

    for (uint rest = (used[row] & 7) | (used[base + col] & 7) << 3; rest; rest &= rest - 1) {
        uint t = lowest(rest) % 3, side = lowest(rest) / 3;
        fx_acc acc[8][8];
        int whole[8][8];

        for (uint r = 0; r < 8; r++) {
            for (uint c = 0; c < 8; c++)
                acc[r][c] = 0;
        }
        product(side ? limages + row * BLOCK_WORDS : limbs + (row * 3 + t) * BLOCK_WORDS,
                side ? limbs + ((base + col) * 3 + t) * BLOCK_WORDS
                     : limages + (base + col) * BLOCK_WORDS,
                held_a, held_b, acc);
        for (uint r = 0; r < 8; r++) {
            for (uint c = 0; c < 8; c++)
                whole[r][c] = (int)acc[r][c];
        }
        add(sums + (row * stride + col) * TILE_ENTRIES, whole, -(1 << 8 * t), 0);
    }
}

/* An item has `each` nonces; best is the lowest offset that won. */
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
fx_nonces(__global const uint *lane, volatile __global uint *best, uint first, uint count,
          uint each)
{
    uint tail[3], target[8];

    for (uint t = 0; t < 3; t++)
        tail[t] = lane[FX_LANE_TAIL + t];
    for (uint t = 0; t < 8; t++)
        target[t] = lane[FX_LANE_TARGET + t];
    for (uint n = 0; n < each; n++) {
        uint offset = n * (uint)get_global_size(0) + (uint)get_global_id(0);
        uint state[8];

        if (offset >= count)
            return;
        for (uint t = 0; t < 8; t++)
            state[t] = lane[FX_LANE_MIDSTATE + t];
        fx_header_id(state, tail, first + offset);
        if (fx_meets(state, target)) {
            atomic_min(best, offset);
            return;
        }
    }
}
