/* Allocation that ends the process when memory runs out. */
#include "src/util/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void out_of_memory(size_t n)
{
    fprintf(stderr, "fornax: out of memory: could not allocate %zu bytes\n", n);
    abort();
}

void *fx_xmalloc(size_t n)
{
    void *p = malloc(n ? n : 1);
    if (!p)
        out_of_memory(n);
    return p;
}

void *fx_xcalloc(size_t count, size_t size)
{
    void *p = count == 0 || size == 0 ? calloc(1, 1) : calloc(count, size);
    if (!p)
        out_of_memory(size > 0 && count > SIZE_MAX / size ? SIZE_MAX : count * size);
    return p;
}

void *fx_xreallocarray(void *p, size_t count, size_t size)
{
    size_t n;
    if (__builtin_mul_overflow(count, size, &n))
        out_of_memory(SIZE_MAX);
    void *q = realloc(p, n ? n : 1);
    if (!q)
        out_of_memory(n);
    return q;
}

void *fx_xmemdup(const void *src, size_t n)
{
    void *p = fx_xmalloc(n);
    if (n > 0)
        memcpy(p, src, n);
    return p;
}

char *fx_xstrdup(const char *s)
{
    return fx_xmemdup(s, strlen(s) + 1);
}
