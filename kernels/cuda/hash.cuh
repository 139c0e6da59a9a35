/* Tickets of a unit's bricks, and the hash lane. Arguments are those of kernels/offload.h. */
#ifndef FX_KERNELS_CUDA_HASH_CUH
#define FX_KERNELS_CUDA_HASH_CUH

#include "kernels/cuda/device.cuh"

/* A thread for each segment of each of span tiles of each entry of the list. span is the driver's
 * own argument, after the engine's. */
FX_KERNEL void FX_BOUNDS(FX_THREADS)
    fx_tickets(const uint32_t *header, const uint32_t *folds, const uint32_t *list,
               const uint32_t *table, uint32_t *found, uint32_t count, uint32_t base,
               uint32_t stride, uint32_t chunk, uint32_t from_s, uint32_t to_s, uint32_t row0,
               uint32_t col0, uint32_t first, uint32_t units, uint32_t span)
{
    uint32_t n = FX_GROUP * FX_THREADS + FX_THREAD;
    uint32_t count_s = to_s - from_s, s = from_s + n % count_s;
    uint32_t one = n / count_s % span, at = n / count_s / span;
    uint32_t entry, row, col, place;
    uint32_t fold[8], state[8], target[8];

    if (at >= count)
        return;
    entry = list[at];
    row = entry & 0xfff;
    col = (entry >> 12 & 0xfff) + one;
    if (!(entry >> 24 >> one & 1))
        return;
    table += units + (s >> 5);
    if ((table[row * 8] | table[(base + col) * 8]) >> (s & 31) & 1)
        return;
    FX_UNROLL
    for (int t = 0; t < 8; t++) {
        fold[t] = folds[(((size_t)row * stride + col) * chunk + s) * 8 + t];
        state[t] = header[FX_HEADER_MIDSTATE + t];
        target[t] = header[FX_HEADER_TARGET + t];
    }
    fx_ticket_words(state, fold, row0 + row, col0 + col, first + s);
    if (!fx_meets(state, target))
        return;
    place = 4 + fx_atomic_add(found, 1) * 12;
    found[place] = row0 + row;
    found[place + 1] = col0 + col;
    found[place + 2] = first + s;
    found[place + 3] = 0;
    FX_UNROLL
    for (int t = 0; t < 8; t++)
        found[place + 4 + t] = fx_swap(state[t]);
}

/* A thread has `each` nonces; best becomes the lowest offset that wins. */
FX_KERNEL void FX_BOUNDS(FX_THREADS)
    fx_nonces(const uint32_t *lane, uint32_t *best, uint32_t first, uint32_t count, uint32_t each)
{
    uint32_t tail[3], target[8], midstate[8];

    FX_UNROLL
    for (int t = 0; t < 3; t++)
        tail[t] = lane[FX_LANE_TAIL + t];
    FX_UNROLL
    for (int t = 0; t < 8; t++) {
        target[t] = lane[FX_LANE_TARGET + t];
        midstate[t] = lane[FX_LANE_MIDSTATE + t];
    }
    for (uint32_t n = 0; n < each; n++) {
        uint32_t offset = (n * FX_GROUPS + FX_GROUP) * FX_THREADS + FX_THREAD;
        uint32_t state[8];

        if (offset >= count)
            return;
        FX_UNROLL
        for (int t = 0; t < 8; t++)
            state[t] = midstate[t];
        fx_header_id(state, tail, first + offset);
        if (fx_meets(state, target)) {
            fx_atomic_min(best, offset);
            return;
        }
    }
}

#endif
