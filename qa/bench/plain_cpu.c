/* The plain int8 product by oneDNN. */
#include "qa/bench/plain_cpu.h"

#ifdef FX_BENCH_DNNL

#include <dnnl.h>

bool fx_bench_plain_cpu(uint64_t m, uint64_t n, uint64_t k, bool offset, const int8_t *a,
                        const int8_t *b, int32_t *c)
{
    const dnnl_dim_t rows = (dnnl_dim_t)m, columns = (dnnl_dim_t)n, depth = (dnnl_dim_t)k;
    const int32_t zero = 0;
    dnnl_status_t status;

    if (offset)
        status = dnnl_gemm_u8s8s32('N', 'T', 'F', rows, columns, depth, 1.0f, (const uint8_t *)a,
                                   depth, 0, b, depth, 0, 0.0f, c, columns, &zero);
    else
        status = dnnl_gemm_s8s8s32('N', 'T', 'F', rows, columns, depth, 1.0f, a, depth, 0, b, depth,
                                   0, 0.0f, c, columns, &zero);
    return status == dnnl_success;
}

#else

bool fx_bench_plain_cpu(uint64_t m, uint64_t n, uint64_t k, bool offset, const int8_t *a,
                        const int8_t *b, int32_t *c)
{
    (void)m;
    (void)n;
    (void)k;
    (void)offset;
    (void)a;
    (void)b;
    (void)c;
    return false;
}

#endif
