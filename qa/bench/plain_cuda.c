/* cuBLASLt on NVIDIA's driver API, both loaded at run time. */
#include "qa/bench/plain_cuda.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "kernels/cuda/cuda_int.h"

/* Of cublasLt.h, cublas_api.h and library_types.h. */
#define COMPUTE_32I 72
#define TYPE_8I 3
#define TYPE_32I 10
#define DESC_TRANSA 3
#define OP_T 1

struct lt_handle;
struct lt_desc;
struct lt_layout;

#define LT_CALLS(X)                                                                             \
    X(create, cublasLtCreate, (struct lt_handle * *handle))                                     \
    X(destroy, cublasLtDestroy, (struct lt_handle * handle))                                    \
    X(desc_create, cublasLtMatmulDescCreate, (struct lt_desc * *desc, int compute, int scale))  \
    X(desc_destroy, cublasLtMatmulDescDestroy, (struct lt_desc * desc))                         \
    X(desc_set, cublasLtMatmulDescSetAttribute,                                                 \
      (struct lt_desc * desc, int attribute, const void *value, size_t n))                      \
    X(layout_create, cublasLtMatrixLayoutCreate,                                                \
      (struct lt_layout * *layout, int type, uint64_t rows, uint64_t columns, int64_t ld))      \
    X(layout_destroy, cublasLtMatrixLayoutDestroy, (struct lt_layout * layout))                 \
    X(matmul, cublasLtMatmul,                                                                   \
      (struct lt_handle * handle, struct lt_desc * desc, const void *alpha, const void *a,      \
       struct lt_layout *a_layout, const void *b, struct lt_layout *b_layout, const void *beta, \
       const void *c, struct lt_layout *c_layout, void *d, struct lt_layout *d_layout,          \
       const void *algorithm, void *workspace, size_t workspace_bytes,                          \
       struct fx_cu_stream *stream))

struct lt {
#define X(member, symbol, arguments) int(*member) arguments;
    LT_CALLS(X)
#undef X
};

struct bench {
    const struct fx_cu *cu;
    struct lt lt;
    int device;
    struct fx_cu_context *context;
    struct fx_cu_stream *stream;
    struct fx_cu_event *marks[2];
    unsigned long long a, b, c; /* device memory */
    struct lt_handle *handle;
    struct lt_desc *desc;
    struct lt_layout *a_layout, *b_layout, *c_layout;
    char *error;
};

static bool fail(struct bench *bench, const char *what, int status)
{
    snprintf(bench->error, FX_KERNEL_TEXT, "cuBLASLt bench: %s: error %d", what, status);
    return false;
}

static bool load_lt(struct bench *bench)
{
    static const char *const names[] = {"libcublasLt.so.13", "libcublasLt.so.12",
                                        "/usr/local/cuda/lib64/libcublasLt.so"};
    void *library = NULL;

    for (size_t at = 0; at < sizeof names / sizeof *names && !library; at++)
        library = dlopen(names[at], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(bench->error, FX_KERNEL_TEXT, "there is no libcublasLt of CUDA 12 or 13");
        return false;
    }
#define X(member, symbol, arguments)                                                 \
    {                                                                                \
        void *found = dlsym(library, #symbol);                                       \
                                                                                     \
        if (!found) {                                                                \
            snprintf(bench->error, FX_KERNEL_TEXT, "no %s in libcublasLt", #symbol); \
            return false;                                                            \
        }                                                                            \
        memcpy(&bench->lt.member, &found, sizeof found);                             \
    }
    LT_CALLS(X)
#undef X
    return true;
}

static bool open_device(struct bench *bench, unsigned index)
{
    const struct fx_cu *cu = bench->cu;
    int status;

    if ((status = cu->init(0)) != 0 || (status = cu->device_get(&bench->device, (int)index)) != 0 ||
        (status = cu->context_retain(&bench->context, bench->device)) != 0)
        return fail(bench, "device", status);
    if ((status = cu->context_set(bench->context)) != 0 ||
        (status = cu->stream_create(&bench->stream, FX_CU_STREAM_NON_BLOCKING)) != 0 ||
        (status = cu->event_create(&bench->marks[0], 0)) != 0 ||
        (status = cu->event_create(&bench->marks[1], 0)) != 0)
        return fail(bench, "stream", status);
    return true;
}

/* Some bytes that differ: what is multiplied changes the power that it takes, and so the clock. */
static bool fill(struct bench *bench, unsigned long long memory, uint64_t bytes)
{
    static uint8_t pattern[1 << 20];
    int status = 0;

    for (uint32_t at = 0; at < sizeof pattern; at++)
        pattern[at] = (uint8_t)(at * UINT32_C(2654435761) >> 13);
    for (uint64_t at = 0; at < bytes && status == 0; at += sizeof pattern)
        status = bench->cu->copy_to(memory + at, pattern,
                                    bytes - at < sizeof pattern ? bytes - at : sizeof pattern,
                                    bench->stream);
    return status == 0 || fail(bench, "copy", status);
}

/* C^T = B A^T in columns, where rows of A, B and C are what columns are to cuBLASLt. */
static bool prepare(struct bench *bench, uint64_t m, uint64_t n, uint64_t k)
{
    const struct fx_cu *cu = bench->cu;
    const struct lt *lt = &bench->lt;
    const int32_t transposed = OP_T;
    int status;

    if ((status = cu->memory_alloc(&bench->a, m * k)) != 0 ||
        (status = cu->memory_alloc(&bench->b, n * k)) != 0 ||
        (status = cu->memory_alloc(&bench->c, m * n * 4)) != 0)
        return fail(bench, "memory", status);
    if (!fill(bench, bench->a, m * k) || !fill(bench, bench->b, n * k))
        return false;
    if ((status = lt->create(&bench->handle)) != 0 ||
        (status = lt->desc_create(&bench->desc, COMPUTE_32I, TYPE_32I)) != 0 ||
        (status = lt->desc_set(bench->desc, DESC_TRANSA, &transposed, sizeof transposed)) != 0 ||
        (status = lt->layout_create(&bench->b_layout, TYPE_8I, k, n, (int64_t)k)) != 0 ||
        (status = lt->layout_create(&bench->a_layout, TYPE_8I, k, m, (int64_t)k)) != 0 ||
        (status = lt->layout_create(&bench->c_layout, TYPE_32I, n, m, (int64_t)n)) != 0)
        return fail(bench, "descriptors", status);
    return true;
}

static bool multiply(struct bench *bench)
{
    const int32_t one = 1, zero = 0;
    void *a = (void *)(uintptr_t)bench->a, *b = (void *)(uintptr_t)bench->b;
    void *c = (void *)(uintptr_t)bench->c;
    int status = bench->lt.matmul(bench->handle, bench->desc, &one, b, bench->b_layout, a,
                                  bench->a_layout, &zero, c, bench->c_layout, c, bench->c_layout,
                                  NULL, NULL, 0, bench->stream);

    return status == 0 || fail(bench, "product", status);
}

/* Milliseconds of `times` products. */
static bool run(struct bench *bench, uint64_t times, float *ms)
{
    const struct fx_cu *cu = bench->cu;
    int status;

    if ((status = cu->event_record(bench->marks[0], bench->stream)) != 0)
        return fail(bench, "event", status);
    for (uint64_t at = 0; at < times; at++) {
        if (!multiply(bench))
            return false;
    }
    if ((status = cu->event_record(bench->marks[1], bench->stream)) != 0 ||
        (status = cu->event_wait(bench->marks[1])) != 0 ||
        (status = cu->event_between(ms, bench->marks[0], bench->marks[1])) != 0)
        return fail(bench, "event", status);
    return true;
}

static void close_device(struct bench *bench)
{
    const struct fx_cu *cu = bench->cu;
    const struct lt *lt = &bench->lt;
    struct lt_layout *const layouts[] = {bench->a_layout, bench->b_layout, bench->c_layout};
    const unsigned long long memory[] = {bench->a, bench->b, bench->c};

    for (unsigned at = 0; at < 3; at++) {
        if (layouts[at])
            lt->layout_destroy(layouts[at]);
        if (memory[at])
            cu->memory_free(memory[at]);
    }
    if (bench->desc)
        lt->desc_destroy(bench->desc);
    if (bench->handle)
        lt->destroy(bench->handle);
    for (unsigned at = 0; at < 2; at++) {
        if (bench->marks[at])
            cu->event_destroy(bench->marks[at]);
    }
    if (bench->stream)
        cu->stream_destroy(bench->stream);
    if (bench->context)
        cu->context_release(bench->device);
}

bool fx_bench_plain_cuda(unsigned index, uint64_t m, uint64_t n, uint64_t k, double seconds,
                         double *macs, char error[FX_KERNEL_TEXT])
{
    struct bench bench = {.error = error};
    uint64_t times = 1;
    float ms = 0;
    bool ok;

    bench.cu = fx_cu_load(error);
    if (!bench.cu || !load_lt(&bench))
        return false;
    ok = open_device(&bench, index) && prepare(&bench, m, n, k) && run(&bench, 3, &ms);
    if (ok && ms > 0)
        times += (uint64_t)(seconds * 3e3 / (double)ms);
    ok = ok && run(&bench, times, &ms);
    if (ok)
        *macs = (double)m * (double)n * (double)k * (double)times * 1e3 / (double)ms;
    close_device(&bench);
    return ok;
}
