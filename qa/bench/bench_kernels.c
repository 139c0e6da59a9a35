/*
 * What each backend makes of bricks, against the plain int8 product of the best library at hand;
 * and hashes a second.
 *
 *     bench_kernels [--quick] [--shape TEXT] [--backend NAME] [--threads N] [--engine NAME]
 *                   [--turns N]
 *
 * For the first device of each backend, and each shape: (a) the plain product (oneDNN on the CPU,
 * cuBLASLt on CUDA), (b) the noised product with tickets and peeling, (c) mining alone. They take
 * turns, and the fastest turn of each counts, by the clock on the wall. The share of each part of
 * (b) is that of the time of all threads; the CPU's threads are idle where they wait for each
 * other. The CPU folds while it multiplies: what its fold takes is measured apart.
 * A backend that is named and has no device that opens is an error, status 1; else it is passed
 * over.
 * --threads and --engine (as in kernels/cpu/engine.c) are of the CPU: one a core, and the fastest
 * one, if not given. --quick: one shape; --shape: those with this in their name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/cpu_int.h"
#include "kernels/trial.h"
#include "qa/bench/plain_cpu.h"
#include "qa/bench/plain_cuda.h"
#include "src/crypto/sha256_int.h"
#include "src/sys/clock.h"
#include "src/sys/pages.h"

#define TURNS 5
#define TURNS_MAX 1000
#define THREADS_MAX 256
#define OPENMP_SPINS_MS 20 /* and longer than its threads wait awake after a product */
#define FOLD_TURNS 300
#define CUDA_SECONDS 0.5

struct shape {
    const char *name;
    uint32_t rows, cols, depth; /* tiles, tiles, bricks */
};

static const struct shape shapes[] = {
    {"square, k = 4,096", 16, 16, 16},  {"square, k = 1,024", 16, 16, 4},
    {"square, k = 16,384", 16, 16, 64}, {"square, k = 65,536", 16, 16, 256},
    {"skinny, k = 1,024", 1, 64, 4},    {"skinny, k = 4,096", 1, 64, 16},
    {"skinny, k = 16,384", 1, 64, 64},  {"skinny, k = 65,536", 1, 64, 256},
};

struct bench {
    const struct fx_backend *backend;
    struct fx_device *device;
    struct fx_trial trial;
    const char *shape; /* NULL: all */
    unsigned threads;  /* of the CPU */
    unsigned turns;
    bool quick;
    bool named; /* the backend was asked for */
};

/* The fastest turns, in nanoseconds; 0: none. */
struct result {
    int64_t plain, both, mining;
    const char *library;          /* of plain */
    struct fx_kernel_stats stats; /* of both */
};

static bool faster(int64_t took, int64_t best)
{
    return took > 0 && (best == 0 || took < best);
}

static uint64_t bricks_of(const struct shape *shape)
{
    return (uint64_t)shape->rows * shape->cols * shape->depth;
}

/* One task from beginning to end; 0 where it failed. */
static int64_t turn(struct bench *bench, const struct shape *shape, unsigned mode,
                    struct fx_kernel_stats *stats)
{
    const struct fx_kernel_task task =
        fx_trial_task(&bench->trial, shape->rows, shape->cols, shape->depth);
    const struct fx_kernel_header header = {.mode = mode, .seed = {1}};
    char error[FX_KERNEL_TEXT] = "";
    atomic_bool cancel = false;
    struct fx_session *session = bench->backend->begin(bench->device, &task, NULL, error);
    enum fx_kernel_step step = session ? FX_STEP_MORE : FX_STEP_FAILED;
    int64_t start = fx_clock_monotonic_ns(), took;

    while (step == FX_STEP_MORE)
        step = bench->backend->step(session, &header, 1000, &cancel, &fx_trial_sink, error);
    took = fx_clock_monotonic_ns() - start;
    if (session) {
        bench->backend->stats(session, stats);
        bench->backend->end(session);
    }
    if (step == FX_STEP_DONE)
        return took;
    fprintf(stderr, "%s: %s\n", bench->backend->name, error);
    return 0;
}

/* ---- the plain product ----------------------------------------------------------------------- */

struct matrices {
    size_t m, n, k;
    int8_t *a, *b;
    int32_t *c;
};

/* In pages like those that the backend has. */
static void matrices_init(struct matrices *x, const struct shape *shape,
                          const struct fx_trial *trial)
{
    x->m = (size_t)shape->rows * FX_TILE;
    x->n = (size_t)shape->cols * FX_TILE;
    x->k = (size_t)shape->depth * FX_DEPTH;
    x->a = fx_pages_map(x->m * x->k);
    x->b = fx_pages_map(x->n * x->k);
    x->c = fx_pages_map(x->m * x->n * sizeof *x->c);
    for (size_t at = 0; at < x->m * x->k; at++)
        x->a[at] = trial->blocks[at % FX_BLOCK_BYTES];
    for (size_t at = 0; at < x->n * x->k; at++)
        x->b[at] = trial->blocks[at % FX_BLOCK_BYTES];
}

static void matrices_clear(struct matrices *x)
{
    fx_pages_unmap(x->a, x->m * x->k);
    fx_pages_unmap(x->b, x->n * x->k);
    fx_pages_unmap(x->c, x->m * x->n * sizeof *x->c);
}

/* Signed by signed, and unsigned by signed: the faster one counts. */
static void plain_cpu(const struct matrices *x, struct result *result)
{
    for (unsigned offset = 0; offset < 2; offset++) {
        int64_t start = fx_clock_monotonic_ns(), took;

        if (!fx_bench_plain_cpu(x->m, x->n, x->k, offset != 0, x->a, x->b, x->c))
            return;
        took = fx_clock_monotonic_ns() - start;
        if (faster(took, result->plain)) {
            result->plain = took;
            result->library = offset ? "oneDNN, u8 x s8" : "oneDNN, s8 x s8";
        }
    }
}

static void plain_cuda(const struct shape *shape, struct result *result)
{
    const uint64_t k = (uint64_t)shape->depth * FX_DEPTH;
    char error[FX_KERNEL_TEXT];
    double macs;

    if (!fx_bench_plain_cuda(0, (uint64_t)shape->rows * FX_TILE, (uint64_t)shape->cols * FX_TILE, k,
                             CUDA_SECONDS, &macs, error)) {
        printf("    no plain product: %s\n", error);
        return;
    }
    result->library = "cuBLASLt";
    result->plain = (int64_t)((double)bricks_of(shape) * FX_TILE * FX_TILE * FX_DEPTH * 1e9 / macs);
}

/* ---- all of a shape -------------------------------------------------------------------------- */

static void take_turns(struct bench *bench, const struct shape *shape, struct result *result)
{
    const bool cpu = bench->backend == &fx_backend_cpu;
    struct matrices x = {0};

    if (cpu)
        matrices_init(&x, shape, &bench->trial);
    else if (bench->backend == &fx_backend_cuda)
        plain_cuda(shape, result);
    for (unsigned at = 0; at < bench->turns; at++) {
        struct fx_kernel_stats stats = {0};
        int64_t took;

        if (cpu) {
            plain_cpu(&x, result);
            fx_clock_sleep_ms(OPENMP_SPINS_MS);
        }
        took = turn(bench, shape, FX_KERNEL_PRODUCT | FX_KERNEL_MINE, &stats);
        if (faster(took, result->both)) {
            result->both = took;
            result->stats = stats;
        }
        took = turn(bench, shape, FX_KERNEL_MINE, &stats);
        if (faster(took, result->mining))
            result->mining = took;
    }
    if (cpu)
        matrices_clear(&x);
}

static void show(const char *name, const char *detail, const struct shape *shape, int64_t ns)
{
    const double bricks = (double)bricks_of(shape) * 1e9 / (double)ns;

    printf("    %s %-28s %10.0f bricks/s %8.3f TMAC/s", name, detail, bricks,
           bricks * FX_TILE * FX_TILE * FX_DEPTH / 1e12);
}

/* `whole`: the time of all threads, or 0 where what a device does is not a matter of threads: then
 * the parts are the whole. */
static void show_shares(const struct fx_kernel_stats *stats, uint64_t whole)
{
    const struct {
        const char *name;
        uint64_t ns;
    } parts[] = {{"read", stats->read_ns},
                 {"noise", stats->noise_ns},
                 {stats->fold_ns > 0 ? "product" : "product and fold", stats->product_ns},
                 {"fold", stats->fold_ns},
                 {"hash", stats->hash_ns},
                 {"peel", stats->peel_ns}};
    uint64_t busy = 0;

    for (size_t at = 0; at < sizeof parts / sizeof *parts; at++)
        busy += parts[at].ns;
    if (whole < busy)
        whole = busy > 0 ? busy : 1;
    printf("       ");
    for (size_t at = 0; at < sizeof parts / sizeof *parts; at++) {
        if (parts[at].ns > 0)
            printf(" %s %.1f %%", parts[at].name, 100.0 * (double)parts[at].ns / (double)whole);
    }
    printf(" idle %.1f %%\n", 100.0 * (double)(whole - busy) / (double)whole);
}

static bool bench_shape(struct bench *bench, const struct shape *shape)
{
    const double k = (double)shape->depth * FX_DEPTH;
    struct result result = {0};

    printf("  %s, %u x %u tiles\n", shape->name, shape->rows, shape->cols);
    take_turns(bench, shape, &result);
    if (result.both == 0 || result.mining == 0)
        return false;
    if (result.plain > 0) {
        show("(a)", result.library, shape, result.plain);
        printf("\n");
    }
    show("(b)", "noised, tickets, peeled", shape, result.both);
    if (result.plain > 0)
        printf("  (b)/(a) %.3f, k/(k + 1,024) %.3f", (double)result.plain / (double)result.both,
               k / (k + 1024));
    printf("\n");
    show_shares(&result.stats,
                bench->backend == &fx_backend_cpu ? (uint64_t)result.both * bench->threads : 0);
    show("(c)", "mining alone", shape, result.mining);
    printf("  (c)/(b) %.3f\n", (double)result.both / (double)result.mining);
    return true;
}

/* ---- the fold of the CPU ----------------------------------------------------------------------
 */

/* The CPU folds where it multiplies, so what the fold takes is what the same bricks take less
 * without it: those of one tile, one thread, factors and sums in the cache. */
static void bench_fold(const struct bench *bench)
{
    const struct fx_cpu_engine *engine = bench->device->engine;
    const size_t packed = engine->packed_bytes;
    uint8_t *memory = fx_pages_map(FX_TILE_BYTES + 2 * FX_CPU_CHUNK * packed);
    const void *factors[2][FX_CPU_CHUNK];
    int64_t best[3] = {0}; /* neither; folded; folded and added to sums */

    for (unsigned at = 0; at < 2 * FX_CPU_CHUNK; at++) {
        uint8_t *to = memory + FX_TILE_BYTES + at * packed;

        engine->pack(at < FX_CPU_CHUNK ? FX_SIDE_A : FX_SIDE_B,
                     bench->trial.blocks + (size_t)at * FX_BLOCK_BYTES, NULL, NULL, to, NULL);
        factors[at / FX_CPU_CHUNK][at % FX_CPU_CHUNK] = to;
    }
    for (unsigned turn = 0; turn < 3 * FOLD_TURNS; turn++) {
        const unsigned way = turn % 3;
        uint32_t words[FX_CPU_CHUNK][8];
        int64_t start = fx_clock_monotonic_ns(), took;

        engine->bricks(factors[0], factors[1], FX_CPU_CHUNK, true,
                       way == 1 ? NULL : (uint32_t *)memory, way == 0 ? NULL : words, NULL);
        took = fx_clock_monotonic_ns() - start;
        best[way] = faster(took, best[way]) ? took : best[way];
    }
    printf(
        "  bricks of one tile, in the cache, one thread: added %.2f us, folded %.2f us, folded and "
        "added %.2f us; so the fold takes %.1f %%\n",
        (double)best[0] / FX_CPU_CHUNK / 1000, (double)best[1] / FX_CPU_CHUNK / 1000,
        (double)best[2] / FX_CPU_CHUNK / 1000,
        100.0 * (double)(best[2] - best[0]) / (double)best[2]);
    fx_pages_unmap(memory, FX_TILE_BYTES + 2 * FX_CPU_CHUNK * packed);
}

/* ---- the hash lane --------------------------------------------------------------------------- */

static void bench_hash(const struct bench *bench)
{
    static const uint8_t nothing[80]; /* a header; a target that no hash meets */
    const double seconds = bench->quick ? 0.2 : 1;
    atomic_bool cancel = false;
    uint64_t tried, sum = 0;
    uint32_t nonce, first = 0;
    int64_t start = fx_clock_monotonic_ns(), took = 0;

    while ((double)took < seconds * 1e9) {
        bench->backend->hash(bench->device, nothing, nothing, first, 1 << 20, &cancel, &nonce,
                             &tried);
        sum += tried;
        first += 1 << 20;
        took = fx_clock_monotonic_ns() - start;
    }
    printf("  hash lane: %.2f M hashes/s\n", (double)sum * 1e3 / (double)took);
}

/* The ways to hash nonces on a CPU, one thread each, against pairs with SHA-NI. */
static void bench_nonces(void)
{
    double first = 0, pairs = 0;

    printf("nonces, one thread:");
    for (size_t n = 0; fx_sha256_nonces_ways[n]; n++) {
        const struct fx_sha256_nonces *way = fx_sha256_nonces_ways[n];
        static const uint32_t words[8];
        uint32_t top[1024];
        int64_t best = 0;
        double rate;

        if (!way->usable())
            continue;
        for (unsigned at = 0; at < 50; at++) {
            int64_t start = fx_clock_monotonic_ns(), took;

            way->run(words, words, at, sizeof top / sizeof *top, top);
            took = fx_clock_monotonic_ns() - start;
            best = faster(took, best) ? took : best;
        }
        rate = best > 0 ? 1024e3 / (double)best : 0;
        printf(" %s %.2f M/s", way->name, rate);
        first = first > 0 ? first : rate;
        pairs = strcmp(way->name, "sha-ni") ? pairs : rate;
    }
    if (pairs > 0)
        printf("; the chosen way is %.2f times SHA-NI in pairs", first / pairs);
    printf("\n");
}

/* ---- the program ----------------------------------------------------------------------------- */

static bool bench_backend(struct bench *bench)
{
    struct fx_device_info info = {0};
    char error[FX_KERNEL_TEXT] = "";
    bool ok = true;

    bench->backend->list(&info, 1);
    bench->device = bench->backend->open(0, error);
    if (!bench->device) {
        fprintf(bench->named ? stderr : stdout, "%s: %s\n", bench->backend->name, error);
        return !bench->named;
    }
    printf("%s:0, %s\n", bench->backend->name, info.name);
    for (size_t at = 0; at < sizeof shapes / sizeof *shapes && ok; at++) {
        if ((!bench->quick || at == 0) && (!bench->shape || strstr(shapes[at].name, bench->shape)))
            ok = bench_shape(bench, &shapes[at]);
    }
    if (bench->backend == &fx_backend_cpu)
        bench_fold(bench);
    bench_hash(bench);
    bench->backend->close(bench->device);
    return ok;
}

/* oneDNN takes its number of threads from the environment when it is loaded. */
static void set_threads(char **argv, unsigned threads)
{
    const char *now = getenv("OMP_NUM_THREADS");
    char text[16];

    fx_backend_cpu_set_threads(threads);
    snprintf(text, sizeof text, "%u", threads);
    if (now && !strcmp(now, text))
        return;
    setenv("OMP_NUM_THREADS", text, 1);
    execvp(argv[0], argv);
    perror("bench_kernels");
}

struct options {
    const char *backend, *shape; /* NULL: all */
    unsigned threads;            /* 0: one a core */
    unsigned turns;
    bool quick;
};

static bool number(const char *text, unsigned long most, unsigned *n)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    *n = (unsigned)value;
    return *text && !*end && value >= 1 && value <= most;
}

static bool parse(struct options *options, int argc, char **argv)
{
    for (int at = 1; at < argc; at++) {
        const char *name = argv[at], *value = at + 1 < argc ? argv[at + 1] : "";
        bool ok = true;

        if (!strcmp(name, "--quick")) {
            options->quick = true;
            continue;
        }
        at++;
        if (!strcmp(name, "--backend"))
            ok = fx_backend_find(options->backend = value) != NULL;
        else if (!strcmp(name, "--shape"))
            options->shape = value;
        else if (!strcmp(name, "--threads"))
            ok = number(value, THREADS_MAX, &options->threads);
        else if (!strcmp(name, "--turns"))
            ok = number(value, TURNS_MAX, &options->turns);
        else
            ok = !strcmp(name, "--engine") && fx_backend_cpu_set_engine(value);
        if (!ok)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct options options = {.turns = TURNS};
    struct bench bench = {0};
    bool ok = true;

    if (!parse(&options, argc, argv)) {
        fprintf(stderr, "usage: bench_kernels [--quick] [--shape TEXT] [--backend NAME]"
                        " [--threads N] [--engine NAME] [--turns N]\n");
        return 2;
    }
    if (options.threads > 0)
        set_threads(argv, options.threads);
    else
        options.threads = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    fx_trial_init(&bench.trial);
    bench.shape = options.shape;
    bench.threads = options.threads;
    bench.turns = options.turns;
    bench.quick = options.quick;
    bench.named = options.backend != NULL;
    if (!bench.named || !strcmp(options.backend, fx_backend_cpu.name))
        bench_nonces();
    for (size_t at = 0; fx_backends[at]; at++) {
        bench.backend = fx_backends[at];
        if (!options.backend || !strcmp(options.backend, bench.backend->name))
            ok = bench_backend(&bench) && ok;
    }
    fx_trial_clear(&bench.trial);
    return ok ? 0 : 1;
}
