/*
 * Bricks a second of each device, and where their time goes; hashes a second.
 *
 *     bench_kernels [DEPTH [SECONDS]]
 *
 * A task of 8 x 8 tiles, each of DEPTH bricks (16 if not given), with the product and with mining,
 * then each alone; on CUDA the plain product by cuBLASLt as well, where it is there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernel.h"
#include "qa/bench/plain_cuda.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

#define SIDE 8

static int8_t *blocks; /* 16 different ones */

static bool read_blocks(void *ctx, enum fx_side side, uint32_t panel, uint32_t first,
                        uint32_t count, int8_t *out)
{
    (void)ctx;
    for (uint32_t at = 0; at < count; at++)
        memcpy(out + (size_t)at * FX_BLOCK_BYTES,
               blocks + (size_t)((panel + first + at + 7 * side) % 16) * FX_BLOCK_BYTES,
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

static void share(const char *name, uint64_t part, uint64_t all)
{
    printf("  %s %.1f %%", name, all > 0 ? 100.0 * (double)part / (double)all : 0.0);
}

static bool bench(const struct fx_backend *backend, struct fx_device *device, const char *name,
                  unsigned mode, uint32_t depth, double seconds)
{
    const struct fx_kernel_task task = {
        .kind = 1, .rows = SIDE, .cols = SIDE, .depth = depth, .operands = {NULL, read_blocks}};
    const struct fx_kernel_sink sink = {NULL, drop_ticket, drop_tile};
    struct fx_kernel_header header = {.mode = mode};
    struct fx_kernel_stats sum = {0};
    char error[FX_KERNEL_TEXT] = "";
    atomic_bool cancel = false;
    int64_t start = fx_clock_monotonic_ns(), took = 0;
    uint64_t all;

    while ((double)took < seconds * 1e9) {
        struct fx_session *session = backend->begin(device, &task, NULL, error);
        enum fx_kernel_step step = session ? FX_STEP_MORE : FX_STEP_FAILED;
        struct fx_kernel_stats stats;

        while (step == FX_STEP_MORE && (double)took < seconds * 1e9) {
            step = backend->step(session, &header, 200, &cancel, &sink, error);
            took = fx_clock_monotonic_ns() - start;
        }
        if (step == FX_STEP_FAILED) {
            fprintf(stderr, "%s: %s\n", backend->name, error);
            return false;
        }
        backend->stats(session, &stats);
        backend->end(session);
        sum.bricks += stats.bricks;
        sum.read_ns += stats.read_ns;
        sum.noise_ns += stats.noise_ns;
        sum.product_ns += stats.product_ns;
        sum.fold_ns += stats.fold_ns;
        sum.hash_ns += stats.hash_ns;
        sum.peel_ns += stats.peel_ns;
        header.seed[0]++;
    }
    all = sum.read_ns + sum.noise_ns + sum.product_ns + sum.fold_ns + sum.hash_ns + sum.peel_ns;
    printf("%s:0 %-16s %8.0f bricks/s, %.1f G multiply-adds/s:", backend->name, name,
           (double)sum.bricks * 1e9 / (double)took,
           (double)sum.bricks * FX_TILE * FX_TILE * FX_DEPTH / (double)took);
    share("read", sum.read_ns, all);
    share("noise", sum.noise_ns, all);
    share("product", sum.product_ns, all);
    share("fold", sum.fold_ns, all);
    share("hash", sum.hash_ns, all);
    share("peel", sum.peel_ns, all);
    printf("\n");
    return true;
}

static void bench_hash(const struct fx_backend *backend, struct fx_device *device, double seconds)
{
    static const uint8_t nothing[80]; /* a header; a target that no hash meets */
    atomic_bool cancel = false;
    uint64_t tried, sum = 0;
    uint32_t nonce, first = 0;
    int64_t start = fx_clock_monotonic_ns(), took = 0;

    while ((double)took < seconds * 1e9) {
        backend->hash(device, nothing, nothing, first, 1 << 20, &cancel, &nonce, &tried);
        sum += tried;
        first += 1 << 20;
        took = fx_clock_monotonic_ns() - start;
    }
    printf("%s:0 %-16s %8.2f M hashes/s\n", backend->name, "hash lane",
           (double)sum * 1e3 / (double)took);
}

static void bench_plain(double seconds, uint32_t depth)
{
    char error[FX_KERNEL_TEXT] = "";
    double macs;

    if (fx_bench_plain_cuda(0, SIDE * FX_TILE, SIDE * FX_TILE, (uint64_t)depth * FX_DEPTH, seconds,
                            &macs, error))
        printf("cuda:0 %-16s %8.0f bricks/s, %.1f G multiply-adds/s\n", "plain, cuBLASLt",
               macs / ((double)FX_TILE * FX_TILE * FX_DEPTH), macs / 1e9);
    else
        printf("cuda:0 plain product: %s\n", error);
}

int main(int argc, char **argv)
{
    uint32_t depth = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 16;
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 2;
    bool ok = true;

    if (depth < 1 || depth > 256 || !(seconds > 0)) {
        fprintf(stderr, "usage: bench_kernels [DEPTH [SECONDS]], DEPTH from 1 to 256\n");
        return 2;
    }
    blocks = fx_xmalloc((size_t)16 * FX_BLOCK_BYTES);
    for (size_t at = 0; at < (size_t)16 * FX_BLOCK_BYTES; at++)
        blocks[at] = (int8_t)((at * 2654435761u >> 16 & 0x7f) - 64);
    for (size_t b = 0; fx_backends[b]; b++) {
        char error[FX_KERNEL_TEXT] = "";
        struct fx_device *device = fx_backends[b]->open(0, error);

        if (!device) {
            printf("%s: %s\n", fx_backends[b]->name, error);
            continue;
        }
        ok = bench(fx_backends[b], device, "product and mine", FX_KERNEL_PRODUCT | FX_KERNEL_MINE,
                   depth, seconds) &&
             bench(fx_backends[b], device, "product alone", FX_KERNEL_PRODUCT, depth, seconds) &&
             bench(fx_backends[b], device, "mine alone", FX_KERNEL_MINE, depth, seconds) && ok;
        bench_hash(fx_backends[b], device, seconds);
        fx_backends[b]->close(device);
        if (fx_backends[b] == &fx_backend_cuda)
            bench_plain(seconds, depth);
    }
    free(blocks);
    return ok ? 0 : 1;
}
