/* Each engine of the CPU backend, forced, whatever this processor would choose; and what they have
 * in common, with sums that no noise makes. */
#include "kernels/cpu/engine_int.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/cpu_int.h"
#include "qa/unit/harness.h"
#include "qa/unit/kernels/suite.h"
#include "src/util/mem.h"

static void check_session(const char *name)
{
    struct fx_suite suite = {.backend = &fx_backend_cpu};

    if (!fx_backend_cpu_set_engine(name))
        FX_SKIP("this processor cannot run it");
    for (unsigned threads = 1; threads <= 3; threads += 2) {
        char error[FX_KERNEL_TEXT] = "";

        fx_backend_cpu_set_threads(threads);
        suite.device = fx_backend_cpu.open(0, error);
        FX_CHECK(suite.device != NULL);
        FX_CHECK_STR(suite.device->engine->name, name);
        fx_suite_vectors(&suite);
        fx_suite_random(&suite, 2);
        fx_suite_extremes(&suite);
        fx_suite_out_of_range(&suite);
        fx_suite_header_changes(&suite);
        fx_suite_left_tickets(&suite);
        fx_suite_mining(&suite);
        fx_suite_restart(&suite);
        fx_backend_cpu.close(suite.device);
    }
    fx_backend_cpu_set_threads(0);
    fx_backend_cpu_set_engine(NULL);
}

FX_TEST(avx512)
{
    check_session("AVX-512 VNNI");
}

FX_TEST(avxvnni)
{
    check_session("AVX-VNNI");
}

FX_TEST(avx2)
{
    check_session("AVX2");
}

FX_TEST(generic)
{
    check_session("generic");
}

FX_TEST(unknown_engines)
{
    FX_CHECK(!fx_backend_cpu_set_engine("abacus"));
    FX_CHECK(fx_backend_cpu_set_engine("generic"));
    FX_CHECK(fx_backend_cpu_set_engine(NULL));
}

/* Blocks, packed and wide, on the boundaries that engines ask for. */
static void *aligned(size_t n)
{
    void *p = aligned_alloc(FX_CPU_ALIGN, (n + FX_CPU_ALIGN - 1) / FX_CPU_ALIGN * FX_CPU_ALIGN);

    FX_CHECK(p != NULL);
    return p;
}

struct factors {
    int8_t *rows[2];
    void *packed[2];
    uint32_t *sum, *want;
};

static void factors_init(struct factors *factors, const struct fx_cpu_engine *engine)
{
    for (unsigned side = 0; side < 2; side++) {
        factors->rows[side] = aligned(FX_BLOCK_BYTES);
        factors->packed[side] = aligned(engine->packed_bytes);
    }
    factors->sum = aligned(FX_TILE_BYTES);
    factors->want = aligned(FX_TILE_BYTES);
}

static void factors_clear(struct factors *factors)
{
    for (unsigned side = 0; side < 2; side++) {
        free(factors->rows[side]);
        free(factors->packed[side]);
    }
    free(factors->sum);
    free(factors->want);
}

/* Which blocks noise keeps within int8: a single entry, wherever it is, makes it none. */
FX_TEST(pack_sees_entries_out_of_range)
{
    static const int8_t outside[] = {-128, -65, 64, 127};

    for (size_t e = 0; fx_cpu_engines[e]; e++) {
        const struct fx_cpu_engine *engine = fx_cpu_engines[e];
        struct factors f;

        if (!engine->usable())
            continue;
        factors_init(&f, engine);
        for (unsigned round = 0; round < 64; round++) {
            const enum fx_side side = (enum fx_side)(round % 2);
            int8_t *entry = &f.rows[0][fx_unit_rand_below(FX_BLOCK_BYTES)];

            for (size_t at = 0; at < FX_BLOCK_BYTES; at++)
                f.rows[0][at] = fx_unit_rand_below(2) ? FX_ENTRY_MIN : FX_ENTRY_MAX;
            FX_CHECK(engine->pack(side, f.rows[0], NULL, NULL, f.packed[side], NULL));
            *entry = outside[round / 2 % sizeof outside];
            FX_CHECK(!engine->pack(side, f.rows[0], NULL, NULL, f.packed[side], NULL));
        }
        factors_clear(&f);
    }
}

/* Products of all int8, -128 among them, which noised blocks reach; plain and folded. */
FX_TEST(products_of_any_int8)
{
    for (size_t e = 0; fx_cpu_engines[e]; e++) {
        const struct fx_cpu_engine *engine = fx_cpu_engines[e];
        struct factors f;

        if (!engine->usable())
            continue;
        factors_init(&f, engine);
        for (unsigned round = 0; round < 4; round++) {
            const void *left[1] = {f.packed[0]}, *right[1] = {f.packed[1]};
            uint32_t words[1][8], want_words[8];

            for (unsigned side = 0; side < 2; side++) {
                fx_unit_rand_fill(f.rows[side], FX_BLOCK_BYTES);
                if (round < 3)
                    memset(f.rows[side], round == 0 || round == 1 + side ? -128 : 127,
                           FX_BLOCK_BYTES);
                engine->pack((enum fx_side)side, f.rows[side], NULL, NULL, f.packed[side], NULL);
            }
            fx_brick_product(f.rows[0], f.rows[1], (int32_t *)f.want);
            fx_brick_fold((const int32_t *)f.want, want_words);
            memset(f.sum, 0x55, FX_TILE_BYTES);
            engine->bricks(left, right, 1, false, f.sum, NULL, NULL);
            FX_CHECK_MEM(f.sum, f.want, FX_TILE_BYTES);
            engine->bricks(left, right, 1, false, NULL, words, NULL);
            FX_CHECK_MEM(words[0], want_words, sizeof want_words);
            memset(f.sum, 0x55, FX_TILE_BYTES);
            engine->bricks(left, right, 1, false, f.sum, words, NULL);
            FX_CHECK_MEM(f.sum, f.want, FX_TILE_BYTES);
            engine->bricks(left, right, 1, true, f.sum, words, NULL);
            FX_CHECK_MEM(words[0], want_words, sizeof want_words);
            for (size_t at = 0; at < FX_TILE_ENTRIES; at++)
                FX_CHECK_INT(f.sum[at], 2 * f.want[at]);
        }
        factors_clear(&f);
    }
}

static int32_t wide_entry(const int32_t *wide, size_t r, size_t c)
{
    return wide[r / FX_CPU_ROWS * FX_CPU_GROUP_BYTES + c * FX_CPU_ROWS + r % FX_CPU_ROWS];
}

/* sum is what is left of 0 after wide, of `side`, times the block of the other side. */
static void check_peeled(const struct factors *f, enum fx_side side, const int32_t *wide)
{
    const int8_t *other = f->rows[side == FX_SIDE_A ? FX_SIDE_B : FX_SIDE_A];

    for (size_t r = 0; r < FX_TILE; r++) {
        for (size_t s = 0; s < FX_TILE; s++) {
            const size_t one = side == FX_SIDE_A ? r : s, two = side == FX_SIDE_A ? s : r;
            uint32_t want = 0;

            for (size_t c = 0; c < FX_DEPTH; c++)
                want -= (uint32_t)(wide_entry(wide, one, c) * other[two * FX_DEPTH + c]);
            FX_CHECK_INT(f->sum[r * FX_TILE + s], want);
        }
    }
}

/* Peels sums in wide off 0, in as many rounds as it takes. */
static void peel_wide(const struct fx_cpu_engine *engine, const struct factors *f,
                      enum fx_side side, int32_t *wide)
{
    int32_t *zero = aligned(FX_BLOCK_BYTES * sizeof *zero);
    void *digits[2][2];
    unsigned rounds = 0;
    bool more = true;

    memset(zero, 0, FX_BLOCK_BYTES * sizeof *zero);
    memset(f->sum, 0, FX_TILE_BYTES);
    for (unsigned at = 0; at < 4; at++)
        digits[at / 2][at % 2] = aligned(engine->packed_bytes);
    while (more) {
        for (unsigned s = 0; s < 2; s++) {
            bool left = engine->digits((enum fx_side)s, s == side ? wide : zero, digits[s][0],
                                       digits[s][1]);

            FX_CHECK(s == side || !left);
            more = s == side ? left : more;
        }
        engine->peel((const void *const *)digits[0], f->packed[1], f->packed[0],
                     (const void *const *)digits[1], f->sum, NULL);
        rounds++;
    }
    FX_CHECK_INT(rounds, 4); /* 99,999 and more in steps of 32,768 or less */
    for (unsigned at = 0; at < 4; at++)
        free(digits[at / 2][at % 2]);
    free(zero);
}

/* G and H as large as they may be, and larger: what two digits do not hold, the next round takes.
 */
FX_TEST(digits_of_large_sums)
{
    static const int32_t edges[] = {0,      1,      -1,     127,    128,    -128,  -129,
                                    32639,  32640,  -32768, -32769, 32768,  16384, -16384,
                                    100000, -99999, 65278,  65279,  -65536, -65537};

    for (size_t e = 0; fx_cpu_engines[e]; e++) {
        const struct fx_cpu_engine *engine = fx_cpu_engines[e];
        struct factors f;
        int32_t *wide, *kept;

        if (!engine->usable())
            continue;
        factors_init(&f, engine);
        wide = aligned(FX_BLOCK_BYTES * sizeof *wide);
        kept = aligned(FX_BLOCK_BYTES * sizeof *kept);
        for (unsigned side = 0; side < 2; side++) {
            for (size_t at = 0; at < FX_BLOCK_BYTES; at++)
                wide[at] = edges[fx_unit_rand_below(sizeof edges / sizeof *edges)];
            memcpy(kept, wide, FX_BLOCK_BYTES * sizeof *wide);
            for (unsigned s = 0; s < 2; s++) {
                fx_unit_rand_fill(f.rows[s], FX_BLOCK_BYTES);
                engine->pack((enum fx_side)s, f.rows[s], NULL, NULL, f.packed[s], NULL);
            }
            peel_wide(engine, &f, (enum fx_side)side, wide);
            check_peeled(&f, (enum fx_side)side, kept);
        }
        free(wide);
        free(kept);
        factors_clear(&f);
    }
}
