/* Plain C, for any processor. packed: 128 x 256 int16, row-major, so that products are sums of
 * products of 16 bits, for which most processors have an instruction that compilers find. */
#include "kernels/cpu/engine_common.h"

#define FAST __attribute__((optimize("O3")))

static bool usable(void)
{
    return true;
}

FAST static bool pack(enum fx_side side, const int8_t *rows, const struct fx_cpu_perm *perm,
                      const struct fx_cpu_panel *panel, void *packed, int8_t *columns)
{
    int8_t work[FX_BLOCK_BYTES], spare[FX_BLOCK_BYTES];
    const int8_t *noised = fx_cpu_noised_columns(side, rows, perm, panel, work, spare, columns);
    int16_t *out = packed;

    for (size_t r = 0; r < FX_TILE; r++) {
        for (size_t c = 0; c < FX_DEPTH; c++)
            out[r * FX_DEPTH + c] = noised[fx_cpu_column_at(r, c)];
    }
    return fx_cpu_in_range(rows);
}

FAST static void gather(const int8_t *const columns[FX_CPU_CHUNK], const struct fx_cpu_plan *plan,
                        bool more, int32_t *wide)
{
    fx_cpu_gather(columns, plan, more, wide);
}

/* Four rows of the right factor share the loads of one row of the left one. */
FAST static void product(const void *left, const void *right, bool more, int32_t *d)
{
    const int16_t *a = left, *b = right;

    for (size_t r = 0; r < FX_TILE; r++) {
        const int16_t *row = a + r * FX_DEPTH;

        for (size_t s = 0; s < FX_TILE; s += 4) {
            const int16_t *b0 = b + s * FX_DEPTH, *b1 = b0 + FX_DEPTH;
            const int16_t *b2 = b1 + FX_DEPTH, *b3 = b2 + FX_DEPTH;
            int32_t *out = d + r * FX_TILE + s;
            int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;

            for (size_t c = 0; c < FX_DEPTH; c++) {
                s0 += row[c] * b0[c];
                s1 += row[c] * b1[c];
                s2 += row[c] * b2[c];
                s3 += row[c] * b3[c];
            }
            out[0] = more ? out[0] + s0 : s0;
            out[1] = more ? out[1] + s1 : s1;
            out[2] = more ? out[2] + s2 : s2;
            out[3] = more ? out[3] + s3 : s3;
        }
    }
}

FAST static void bricks(const void *const left[], const void *const right[], unsigned n, bool more,
                        uint32_t *sum, uint32_t (*words)[8], const struct fx_cpu_soon *soon)
{
    (void)soon;
    fx_cpu_bricks(product, left, right, n, more, sum, words);
}

/* Sixteen bits are one digit here: it is `low`. */
static bool digits(enum fx_side side, int32_t *wide, void *high, void *low)
{
    int16_t *out = low;
    int32_t rest = 0;

    (void)side;
    (void)high;
    for (size_t r = 0; r < FX_TILE; r++) {
        for (size_t c = 0; c < FX_DEPTH; c++) {
            int32_t *from = wide + fx_cpu_column_at(r, c);

            out[r * FX_DEPTH + c] = (int16_t)fx_cpu_take(from);
            rest |= *from;
        }
    }
    return rest != 0;
}

FAST static void peel(const void *const g[2], const void *lb, const void *la,
                      const void *const h[2], uint32_t *sum, const struct fx_cpu_soon *soon)
{
    _Alignas(FX_CPU_ALIGN) int32_t d[FX_TILE_ENTRIES];

    (void)soon;
    product(g[1], lb, false, d);
    product(la, h[1], true, d);
    fx_cpu_subtract(d, sum);
}

const struct fx_cpu_engine fx_cpu_engine_generic = {
    .name = "generic",
    .usable = usable,
    .packed_bytes = FX_BLOCK_BYTES * sizeof(int16_t),
    .pack = pack,
    .gather = gather,
    .bricks = bricks,
    .digits = digits,
    .peel = peel,
};
