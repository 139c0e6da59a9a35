/*
 * What an instruction set must bring to multiply bricks: the inner loops of the CPU backend, one
 * table an instruction set (engine_*.c), chosen at run time.
 *
 * Three layouts of a 128 x 256 panel block:
 *
 * rows     row-major, as operands come.
 * columns  entry (r, c) at (r / 16) * 4,096 + 16 c + r % 16: sixteen rows of a column lie together.
 *          Noise moves columns about, and in this layout it moves whole vectors.
 * packed   as the products of the engine want it, of its own making; side A is the left factor.
 *
 * Sums of columns (G and H, protocol section 6) are int32 in the order of columns, "wide".
 */
#ifndef FX_KERNELS_CPU_ENGINE_INT_H
#define FX_KERNELS_CPU_ENGINE_INT_H

#include <stddef.h>

#include "consensus/brick.h"

#define FX_CPU_CHUNK 4  /* segments that are noised, gathered and multiplied in one go */
#define FX_CPU_ALIGN 64 /* of every block and sum */
#define FX_CPU_ROWS 16  /* rows of a column that lie together */
#define FX_CPU_GROUP_BYTES (FX_CPU_ROWS * FX_DEPTH)
#define FX_CPU_SOON 3 /* right factors, sums, left factors */
#define FX_TILE_ENTRIES (FX_TILE * FX_TILE)
/* What two signed digits of 8 bits hold, and 16 bits as well. */
#define FX_CPU_DIGITS_MAX 32639
#define FX_CPU_DIGITS_MIN (-32768)

/* perm of one side and segment, in the words of the columns layout. */
struct fx_cpu_perm {
    uint16_t from[FX_DEPTH];   /* 16 p[c], plus 32,768 where the sign is -1: see fx_cpu_panel */
    uint8_t inverse[FX_DEPTH]; /* c for p[c] */
    int8_t sign[FX_DEPTH];     /* of the column inverse[x], at x */
};

/* L of a panel. Behind L there is -L, so that a sign is an offset. */
struct fx_cpu_panel {
    int8_t columns[2 * FX_BLOCK_BYTES];
};

/* The permutations of a chunk, as gather wants them. Segments that are not there have sign 0. */
struct fx_cpu_plan {
    uint16_t from[FX_DEPTH][FX_CPU_CHUNK]; /* 16 times the column: where it lies in its group */
    int8_t sign[FX_DEPTH][FX_CPU_CHUNK];
    int32_t correction[FX_DEPTH]; /* -128 times the sum of the signs */
};

/* Memory that the thread needs when it has done what it is about to do, first things first: an
 * engine may ask for it meanwhile. */
struct fx_cpu_soon {
    size_t n;
    struct {
        const void *at;
        size_t bytes;
    } ranges[FX_CPU_SOON];
};

struct fx_cpu_engine {
    const char *name;
    bool (*usable)(void); /* on this processor */
    size_t packed_bytes;  /* a multiple of FX_CPU_ALIGN */
    /* Packs a block of rows, with noise where perm is not NULL (else panel is not read). columns,
     * where not NULL: the block in columns, for side A without noise, for side B with it. True:
     * every entry of rows is one that noise keeps within int8 (FX_ENTRY_MIN .. FX_ENTRY_MAX). */
    bool (*pack)(enum fx_side side, const int8_t *rows, const struct fx_cpu_perm *perm,
                 const struct fx_cpu_panel *panel, void *packed, int8_t *columns);
    /* wide[r][x] = (where `more`: +=) the sum over the chunk of sign[x] * column column[x] of that
     * segment. */
    void (*gather)(const int8_t *const columns[FX_CPU_CHUNK], const struct fx_cpu_plan *plan,
                   bool more, int32_t *wide);
    /*
     * Bricks s = 0 .. n - 1 of one tile, n <= FX_CPU_CHUNK. Their products are what sum becomes
     * (where `more`: what is added to it; 128 x 128 row-major, modulo 2^32) unless it is NULL; each
     * is folded into words[s] unless that is NULL. soon: NULL where nothing is known.
     */
    void (*bricks)(const void *const left[], const void *const right[], unsigned n, bool more,
                   uint32_t *sum, uint32_t (*words)[8], const struct fx_cpu_soon *soon);
    /*
     * The digits of wide sums, packed: what fits is taken from wide, and true says that something
     * remains (which needs sums so large that no real noise makes them). Of what was taken the
     * product with L is high * 256 + low.
     */
    bool (*digits)(enum fx_side side, int32_t *wide, void *high, void *low);
    /* sum -= G LB^T + LA H^T, of packed digits and packed L. soon: as above. */
    void (*peel)(const void *const g[2], const void *lb, const void *la, const void *const h[2],
                 uint32_t *sum, const struct fx_cpu_soon *soon);
};

/* Fastest first; the last one is portable. NULL ends. */
extern const struct fx_cpu_engine *const fx_cpu_engines[];
/* The fastest one that is usable here. */
const struct fx_cpu_engine *fx_cpu_engine_best(void);

#if defined(__x86_64__) && defined(__GNUC__)
#define FX_CPU_X86 1
extern const struct fx_cpu_engine fx_cpu_engine_avx512;
extern const struct fx_cpu_engine fx_cpu_engine_avxvnni;
extern const struct fx_cpu_engine fx_cpu_engine_avx2;
#endif
extern const struct fx_cpu_engine fx_cpu_engine_generic;

#endif
