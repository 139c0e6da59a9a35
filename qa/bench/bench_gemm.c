/*
 * A plain int8 product by oneDNN: what bench_job is compared with.
 *
 *     bench_gemm M N K [SECONDS]
 *
 * prints the least and the median of the seconds that one product took, repeated for about SECONDS
 * (2 if not given), as JSON. Its threads are those of OpenMP (OMP_NUM_THREADS).
 */
#include <dnnl.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/sys/clock.h"
#include "src/util/mem.h"

#define RUNS_MAX 10000

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* Entries of [-64, 63], as jobs have them; the values do not matter for the time. */
static int8_t *operand(size_t n, unsigned salt)
{
    int8_t *out = fx_xmalloc(n);

    for (size_t at = 0; at < n; at++)
        out[at] = (int8_t)(((at + salt) * 2654435761u >> 16 & 0x7f) - 64);
    return out;
}

/* False: the product is wrong somewhere on a diagonal. */
static bool right(const int8_t *a, const int8_t *b, const int32_t *c, long m, long n, long k)
{
    for (long i = 0; i < m; i++) {
        long j = i % n;
        int32_t sum = 0;

        for (long l = 0; l < k; l++)
            sum += a[i * k + l] * b[j * k + l];
        if (sum != c[i * n + j])
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    long m = argc > 1 ? strtol(argv[1], NULL, 10) : 0, n = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    long k = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
    double seconds = argc > 4 ? strtod(argv[4], NULL) : 2, *took;
    int8_t *a, *b;
    int32_t *c, zero = 0;
    size_t runs = 0;
    int64_t start;

    if (m <= 0 || n <= 0 || k <= 0 || m > 1 << 16 || n > 1 << 16 || k > 1 << 16) {
        fprintf(stderr, "usage: bench_gemm M N K [SECONDS], each from 1 to 65536\n");
        return 2;
    }
    a = operand((size_t)m * (size_t)k, 1);
    b = operand((size_t)n * (size_t)k, 2);
    c = fx_xmalloc((size_t)m * (size_t)n * sizeof *c);
    took = fx_xcalloc(RUNS_MAX, sizeof *took);
    start = fx_clock_monotonic_ns();
    while (runs < RUNS_MAX &&
           (runs < 3 || (double)(fx_clock_monotonic_ns() - start) < seconds * 1e9)) {
        int64_t before = fx_clock_monotonic_ns();

        /* C = A * B^T, all row-major. */
        if (dnnl_gemm_s8s8s32('N', 'T', 'F', m, n, k, 1.0f, a, k, 0, b, k, 0, 0.0f, c, n, &zero) !=
            dnnl_success) {
            fprintf(stderr, "bench_gemm: oneDNN refuses this product\n");
            return 1;
        }
        took[runs++] = (double)(fx_clock_monotonic_ns() - before) / 1e9;
    }
    if (!right(a, b, c, m, n, k)) {
        fprintf(stderr, "bench_gemm: the product is wrong\n");
        return 1;
    }
    qsort(took, runs, sizeof *took, ascending);
    printf(
        "{\"m\": %ld, \"n\": %ld, \"k\": %ld, \"runs\": %zu, \"least\": %.6f, \"median\": %.6f}\n",
        m, n, k, runs, took[0], took[runs / 2]);
    free(a);
    free(b);
    free(c);
    free(took);
    return 0;
}
