/*
 * What the CPU backend makes of bricks, against a plain int8 product by oneDNN in the same run; and
 * hashes a second.
 *
 *     bench_cpu [--quick] [--threads N] [--engine NAME]
 *
 * For each shape: (a) the plain product, (b) the noised product with tickets and peeling, (c)
 * mining alone. They take turns, and the fastest turn of each counts. Time is that of the process's
 * threads, divided by their number (1 if not given), so that other work on the machine counts for
 * little. --engine: as in kernels/cpu/engine.c. --quick: one shape, two turns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <unistd.h>

#ifdef FX_BENCH_DNNL
#include <dnnl.h>
#endif

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/cpu_int.h"
#include "src/crypto/sha256_int.h"
#include "src/util/mem.h"

#define BLOCKS 16
#define TURNS 5

struct shape {
    const char *name;
    uint32_t rows, cols, depth; /* tiles, tiles, bricks */
};

static const struct shape shapes[] = {
    {"square, k = 1,024", 16, 16, 4}, {"square, k = 4,096", 16, 16, 16},
    {"square, k = 16,384", 16, 16, 64}, {"square, k = 65,536", 16, 16, 256},
    {"skinny, k = 4,096", 1, 64, 16}, {"skinny, k = 65,536", 1, 64, 256},
};

struct bench {
    const struct fx_backend *backend;
    struct fx_device *device;
    unsigned turns, threads;
};

static int8_t *blocks; /* different ones */

static bool read_blocks(void *ctx, enum fx_side side, uint32_t panel, uint32_t first,
                        uint32_t count, int8_t *out)
{
    (void)ctx;
    for (uint32_t at = 0; at < count; at++)
        memcpy(out + (size_t)at * FX_BLOCK_BYTES,
               blocks + (size_t)((panel + first + at + 7 * side) % BLOCKS) * FX_BLOCK_BYTES,
               FX_BLOCK_BYTES);
    return true;
}

static bool drop_ticket(void *ctx, uint32_t i, uint32_t j, uint32_t l, const uint8_t ticket[32])
{
    (void)ctx;
    (void)i;
    (void)j;
    (void)l;
    (void)ticket;
    return true;
}

static bool drop_tile(void *ctx, uint64_t tile, const int32_t *data)
{
    (void)ctx;
    (void)tile;
    (void)data;
    return true;
}

/* Nanoseconds that count for the bench. */
static int64_t now_ns(const struct bench *bench)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return ((int64_t)t.tv_sec * 1000000000 + t.tv_nsec) / bench->threads;
}

static uint64_t bricks_of(const struct shape *shape)
{
    return (uint64_t)shape->rows * shape->cols * shape->depth;
}

/* One turn of a task from beginning to end; nanoseconds, or 0 where it failed. */
static int64_t turn(const struct bench *bench, const struct shape *shape, unsigned mode,
                    struct fx_kernel_stats *stats)
{
    const struct fx_kernel_task task = {.kind = 1,
                                        .rows = shape->rows,
                                        .cols = shape->cols,
                                        .depth = shape->depth,
                                        .operands = {NULL, read_blocks}};
    const struct fx_kernel_sink sink = {NULL, drop_ticket, drop_tile};
    struct fx_kernel_header header = {.mode = mode, .seed = {1}};
    char error[FX_KERNEL_TEXT] = "";
    atomic_bool cancel = false;
    struct fx_session *session = bench->backend->begin(bench->device, &task, NULL, error);
    enum fx_kernel_step step = session ? FX_STEP_MORE : FX_STEP_FAILED;
    int64_t start = now_ns(bench), took;

    while (step == FX_STEP_MORE)
        step = bench->backend->step(session, &header, 1000, &cancel, &sink, error);
    took = now_ns(bench) - start;
    if (step == FX_STEP_FAILED) {
        fprintf(stderr, "bench_cpu: %s: %s\n", bench->backend->name, error);
        took = 0;
    }
    if (session) {
        bench->backend->stats(session, stats);
        bench->backend->end(session);
    }
    return took;
}

#ifdef FX_BENCH_DNNL
/* One plain product C = A B^T by oneDNN, all row-major, on the same number of threads. */
static int64_t plain(const struct bench *bench, const struct shape *shape, int8_t *operands,
                     int32_t *c)
{
    const dnnl_dim_t m = (dnnl_dim_t)shape->rows * FX_TILE, n = (dnnl_dim_t)shape->cols * FX_TILE;
    const dnnl_dim_t k = (dnnl_dim_t)shape->depth * FX_DEPTH;
    const int32_t zero = 0;
    int64_t start = now_ns(bench);

    if (dnnl_gemm_s8s8s32('N', 'T', 'F', m, n, k, 1.0f, operands, k, 0, operands + m * k, k, 0,
                          0.0f, c, n, &zero) != dnnl_success)
        return 0;
    return now_ns(bench) - start;
}
#endif

static void show(const char *name, const struct shape *shape, int64_t ns)
{
    const double bricks = (double)bricks_of(shape) * 1e9 / (double)ns;

    printf("    %-34s %9.0f bricks/s %7.3f TMAC/s", name, bricks,
           bricks * FX_TILE * FX_TILE * FX_DEPTH / 1e12);
}

static void show_shares(const struct fx_kernel_stats *stats)
{
    const struct {
        const char *name;
        uint64_t ns;
    } parts[] = {{"read", stats->read_ns},       {"noise", stats->noise_ns},
                 {"product", stats->product_ns}, {"fold", stats->fold_ns},
                 {"hash", stats->hash_ns},       {"peel", stats->peel_ns}};
    uint64_t all = 0;

    for (size_t at = 0; at < sizeof parts / sizeof *parts; at++)
        all += parts[at].ns;
    printf("  ");
    for (size_t at = 0; at < sizeof parts / sizeof *parts; at++)
        printf(" %s %.1f %%", parts[at].name,
               all > 0 ? 100.0 * (double)parts[at].ns / (double)all : 0.0);
}

static int64_t least(int64_t a, int64_t b)
{
    return a == 0 || (b > 0 && b < a) ? b : a;
}

static bool bench_shape(const struct bench *bench, const struct shape *shape)
{
    const size_t rows = (size_t)(shape->rows + shape->cols) * FX_TILE;
    const size_t bytes = rows * shape->depth * FX_DEPTH;
    int8_t *operands = fx_xmalloc(bytes);
    int32_t *c = fx_xcalloc((size_t)shape->rows * shape->cols, FX_TILE_BYTES);
    struct fx_kernel_stats best = {0};
    int64_t a = 0, b = 0, mine = 0;

    for (size_t at = 0; at < bytes; at++)
        operands[at] = blocks[at % ((size_t)BLOCKS * FX_BLOCK_BYTES)];
    for (unsigned at = 0; at < bench->turns; at++) {
        struct fx_kernel_stats stats = {0};
        int64_t took;

#ifdef FX_BENCH_DNNL
        a = least(a, plain(bench, shape, operands, c));
#endif
        took = turn(bench, shape, FX_KERNEL_PRODUCT | FX_KERNEL_MINE, &stats);
        if (took > 0 && (b == 0 || took < b)) {
            b = took;
            best = stats;
        }
        mine = least(mine, turn(bench, shape, FX_KERNEL_MINE, &stats));
    }
    free(operands);
    free(c);
    if (b == 0 || mine == 0)
        return false;
    printf("  %s, %u x %u tiles\n", shape->name, shape->rows, shape->cols);
    if (a > 0) {
        show("(a) plain, oneDNN", shape, a);
        printf("\n");
    }
    show("(b) noised, tickets, peeled", shape, b);
    if (a > 0)
        printf("   (b)/(a) %.3f", (double)a / (double)b);
    show_shares(&best);
    printf("\n");
    show("(c) mining alone", shape, mine);
    printf("   (c)/(b) %.3f\n", (double)b / (double)mine);
    return true;
}

static void bench_hash(const struct bench *bench, double seconds)
{
    static const uint8_t nothing[80]; /* a header; a target that no hash meets */
    atomic_bool cancel = false;
    uint64_t tried, sum = 0;
    uint32_t nonce, first = 0;
    int64_t start = now_ns(bench), took = 0;

    while ((double)took < seconds * 1e9) {
        bench->backend->hash(bench->device, nothing, nothing, first, 1 << 18, &cancel, &nonce,
                             &tried);
        sum += tried;
        first += 1 << 18;
        took = now_ns(bench) - start;
    }
    printf("  hash lane: %.2f M hashes/s\n", (double)sum * 1e3 / (double)took);
}

/* The ways to hash nonces, one thread each, against pairs with SHA-NI. */
static void bench_nonces(void)
{
    double rates[8] = {0}, pairs = 0;
    size_t n = 0;

    for (; fx_sha256_nonces_ways[n]; n++) {
        const struct fx_sha256_nonces *way = fx_sha256_nonces_ways[n];
        const struct bench one = {.threads = 1};
        static const uint32_t words[8];
        uint32_t top[1024];
        int64_t best = 0;

        if (!way->usable())
            continue;
        for (unsigned at = 0; at < 50; at++) {
            int64_t start = now_ns(&one);

            way->run(words, words, at, sizeof top / sizeof *top, top);
            best = least(best, now_ns(&one) - start);
        }
        rates[n] = best > 0 ? 1024e3 / (double)best : 0;
        pairs = strcmp(way->name, "sha-ni") ? pairs : rates[n];
    }
    printf("nonces, one thread:");
    for (size_t at = 0; at < n; at++) {
        if (rates[at] > 0)
            printf(" %s %.2f M/s", fx_sha256_nonces_ways[at]->name, rates[at]);
    }
    if (pairs > 0)
        printf("; the chosen way is %.2f times SHA-NI in pairs",
               rates[0] > 0 ? rates[0] / pairs : 1);
    printf("\n");
}

static bool bench_all(const struct fx_backend *backend, unsigned threads, bool quick)
{
    char error[FX_KERNEL_TEXT] = "";
    struct bench bench = {.backend = backend,
                          .device = backend->open(0, error),
                          .turns = quick ? 2 : TURNS,
                          .threads = threads};
    bool ok = true;

    if (!bench.device) {
        fprintf(stderr, "bench_cpu: %s\n", error);
        return false;
    }
    printf("%s, %u threads\n", bench.device->engine->name, threads);
    for (size_t at = 0; at < sizeof shapes / sizeof *shapes && ok; at++) {
        if (!quick || at == 1)
            ok = bench_shape(&bench, &shapes[at]);
    }
    bench_hash(&bench, quick ? 0.2 : 1);
    backend->close(bench.device);
    return ok;
}

static int usage(void)
{
    fprintf(stderr, "usage: bench_cpu [--quick] [--threads N] [--engine NAME]\n");
    return 2;
}

/* oneDNN takes its number of threads from the environment when it is loaded. */
static void set_threads(char **argv, unsigned threads)
{
    char text[16];
    const char *now = getenv("OMP_NUM_THREADS");

    snprintf(text, sizeof text, "%u", threads);
    if (now && !strcmp(now, text))
        return;
    setenv("OMP_NUM_THREADS", text, 1);
    execvp(argv[0], argv);
    perror("bench_cpu");
}

int main(int argc, char **argv)
{
    unsigned threads = 1;
    bool quick = false, ok;

    for (int at = 1; at < argc; at++) {
        if (!strcmp(argv[at], "--quick"))
            quick = true;
        else if (at + 1 == argc)
            return usage();
        else if (!strcmp(argv[at], "--threads"))
            threads = (unsigned)strtoul(argv[++at], NULL, 10);
        else if (strcmp(argv[at], "--engine") || !fx_backend_cpu_set_engine(argv[++at]))
            return usage();
    }
    if (threads < 1 || threads > 256)
        return usage();
    set_threads(argv, threads);
    setvbuf(stdout, NULL, _IOLBF, 0);
    fx_backend_cpu_set_threads(threads);
    blocks = fx_xmalloc((size_t)BLOCKS * FX_BLOCK_BYTES);
    for (size_t at = 0; at < (size_t)BLOCKS * FX_BLOCK_BYTES; at++)
        blocks[at] = (int8_t)((at * 2654435761u >> 16 & 0x7f) - 64);
    bench_nonces();
    ok = bench_all(&fx_backend_cpu, threads, quick);
    free(blocks);
    return ok ? 0 : 1;
}
