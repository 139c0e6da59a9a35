/*
 * What engines without byte permutations share, written so that compilers make vector code of it;
 * each engine compiles it for its own instruction set. Layouts: kernels/cpu/engine_int.h.
 */
#ifndef FX_KERNELS_CPU_ENGINE_COMMON_H
#define FX_KERNELS_CPU_ENGINE_COMMON_H

#include <string.h>

#include "kernels/cpu/engine_int.h"
#include "src/util/transpose.h"

#define FX_CPU_INLINE __attribute__((always_inline)) static inline

/* Entry (r, c) of the columns layout. */
FX_CPU_INLINE size_t fx_cpu_column_at(size_t r, size_t c)
{
    return r / FX_CPU_ROWS * FX_CPU_GROUP_BYTES + c * FX_CPU_ROWS + r % FX_CPU_ROWS;
}

/* From rows to columns. */
FX_CPU_INLINE void fx_cpu_to_columns(const int8_t *rows, int8_t *columns)
{
    for (size_t group = 0; group < FX_TILE / FX_CPU_ROWS; group++) {
        for (size_t c = 0; c < FX_DEPTH; c += FX_TRANSPOSE)
            fx_transpose(rows + group * FX_CPU_GROUP_BYTES + c, FX_DEPTH,
                         columns + group * FX_CPU_GROUP_BYTES + c * FX_CPU_ROWS, FX_CPU_ROWS);
    }
}

/* noised = columns + noise. */
FX_CPU_INLINE void fx_cpu_add_noise(const int8_t *restrict columns, const struct fx_cpu_perm *perm,
                                    const struct fx_cpu_panel *panel, int8_t *restrict noised)
{
    for (size_t group = 0; group < FX_TILE / FX_CPU_ROWS; group++) {
        const size_t base = group * FX_CPU_GROUP_BYTES;

        for (size_t c = 0; c < FX_DEPTH; c++) {
            const int8_t *l = panel->columns + base + perm->from[c];

            for (size_t r = 0; r < FX_CPU_ROWS; r++)
                noised[base + c * FX_CPU_ROWS + r] =
                    (int8_t)(columns[base + c * FX_CPU_ROWS + r] + l[r]);
        }
    }
}

FX_CPU_INLINE bool fx_cpu_in_range(const int8_t *block)
{
    uint8_t outside = 0;

    for (size_t at = 0; at < FX_BLOCK_BYTES; at++)
        outside |= (uint8_t)(block[at] - FX_ENTRY_MIN);
    return outside <= FX_ENTRY_MAX - FX_ENTRY_MIN;
}

/*
 * The block in columns, noised where perm is not NULL, in `work` (which is `columns` where that
 * holds the same); and what gather takes, in columns unless it is NULL. Returns the noised block.
 */
FX_CPU_INLINE const int8_t *fx_cpu_noised_columns(enum fx_side side, const int8_t *rows,
                                                  const struct fx_cpu_perm *perm,
                                                  const struct fx_cpu_panel *panel, int8_t *work,
                                                  int8_t *spare, int8_t *columns)
{
    int8_t *first = columns && (side == FX_SIDE_A || !perm) ? columns : work;
    int8_t *second = columns && side == FX_SIDE_B ? columns : spare;

    fx_cpu_to_columns(rows, first);
    if (!perm)
        return first;
    fx_cpu_add_noise(first, perm, panel, second);
    return second;
}

FX_CPU_INLINE void fx_cpu_gather(const int8_t *const columns[FX_CPU_CHUNK],
                                 const struct fx_cpu_plan *plan, bool more, int32_t *wide)
{
    for (size_t group = 0; group < FX_TILE / FX_CPU_ROWS; group++) {
        const size_t base = group * FX_CPU_GROUP_BYTES;

        for (size_t x = 0; x < FX_DEPTH; x++) {
            int16_t sums[FX_CPU_ROWS] = {0}; /* at most 4 * 128 */

            for (size_t s = 0; s < FX_CPU_CHUNK; s++) {
                const int8_t *c = columns[s] + base + plan->from[x][s];
                const int16_t sign = plan->sign[x][s];

                for (size_t r = 0; r < FX_CPU_ROWS; r++)
                    sums[r] = (int16_t)(sums[r] + c[r] * sign);
            }
            for (size_t r = 0; r < FX_CPU_ROWS; r++)
                wide[base + x * FX_CPU_ROWS + r] =
                    (more ? wide[base + x * FX_CPU_ROWS + r] : 0) + sums[r];
        }
    }
}

/* Takes from one wide sum what FX_CPU_DIGITS_MIN and _MAX hold. */
FX_CPU_INLINE int32_t fx_cpu_take(int32_t *wide)
{
    int32_t part = *wide;

    part = part > FX_CPU_DIGITS_MAX ? FX_CPU_DIGITS_MAX : part;
    part = part < FX_CPU_DIGITS_MIN ? FX_CPU_DIGITS_MIN : part;
    *wide -= part;
    return part;
}

FX_CPU_INLINE uint32_t fx_cpu_rotl(uint32_t x, unsigned n)
{
    return x << n | x >> ((32 - n) & 31);
}

/* From the 32 lanes of the fold to its words. */
FX_CPU_INLINE void fx_cpu_fold_lanes(const uint32_t s[32], uint32_t words[8])
{
    for (unsigned w = 0; w < 8; w++)
        words[w] = s[w] ^ fx_cpu_rotl(s[w + 8], 8) ^ fx_cpu_rotl(s[w + 16], 16) ^
                   fx_cpu_rotl(s[w + 24], 24);
}

/* The fold (protocol section 6). Going through fragment rows from the last to the first, it turns
 * what it has by 7 each time, instead of each fragment by 7 fr; the turn of 5 fc comes last. */
FX_CPU_INLINE void fx_cpu_fold(const int32_t *d, uint32_t words[8])
{
    uint32_t turning[8][FX_TILE] = {{0}}, s[32];

    for (size_t fragment = FX_TILE / 16; fragment-- > 0;) {
        for (size_t t = 0; t < 8; t++) {
            const int32_t *upper = d + (16 * fragment + t) * FX_TILE;
            const int32_t *lower = upper + (size_t)8 * FX_TILE;

            for (size_t c = 0; c < FX_TILE; c++)
                turning[t][c] = fx_cpu_rotl(turning[t][c], 7) ^ (uint32_t)(upper[c] ^ lower[c]);
        }
    }
    for (size_t t = 0; t < 8; t++) {
        uint32_t eight[8] = {0};

        for (size_t fc = 0; fc < FX_TILE / 8; fc++) {
            for (size_t c = 0; c < 8; c++)
                eight[c] ^= fx_cpu_rotl(turning[t][8 * fc + c], (unsigned)(5 * fc % 32));
        }
        for (size_t q = 0; q < 4; q++)
            s[4 * t + q] = eight[2 * q] ^ eight[2 * q + 1];
    }
    fx_cpu_fold_lanes(s, words);
}

FX_CPU_INLINE void fx_cpu_add(const int32_t *restrict d, bool more, uint32_t *restrict sum)
{
    for (size_t at = 0; at < FX_TILE_ENTRIES; at++)
        sum[at] = (more ? sum[at] : 0) + (uint32_t)d[at];
}

FX_CPU_INLINE void fx_cpu_subtract(const int32_t *restrict d, uint32_t *restrict sum)
{
    for (size_t at = 0; at < FX_TILE_ENTRIES; at++)
        sum[at] -= (uint32_t)d[at];
}

/* Bricks of one tile, by a product that writes (or, with `more`, adds) a brick to 128 x 128 sums.
 */
FX_CPU_INLINE void fx_cpu_bricks(void (*product)(const void *left, const void *right, bool more,
                                                 int32_t *d),
                                 const void *const left[], const void *const right[], unsigned n,
                                 bool more, uint32_t *sum, uint32_t (*words)[8])
{
    _Alignas(FX_CPU_ALIGN) int32_t d[FX_TILE_ENTRIES];

    for (unsigned s = 0; s < n; s++) {
        product(left[s], right[s], !words && s > 0, d);
        if (words)
            fx_cpu_fold(d, words[s]);
        if (sum && (words || s == n - 1))
            fx_cpu_add(d, more || (words && s > 0), sum);
    }
}

#endif
