/* Large pieces of memory, in huge pages where there are such. */
#include "src/sys/pages.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static size_t whole(size_t n)
{
    return (n + FX_PAGES_HUGE - 1) / FX_PAGES_HUGE * FX_PAGES_HUGE;
}

void *fx_pages_map(size_t n)
{
    const size_t size = whole(n);
    uint8_t *at = MAP_FAILED;
    size_t before;

    if (size >= n && size <= SIZE_MAX - FX_PAGES_HUGE)
        at = mmap(NULL, size + FX_PAGES_HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                  -1, 0);
    if (at == MAP_FAILED) {
        fprintf(stderr, "fornax: out of memory: could not map %zu bytes\n", n);
        abort();
    }
    /* What lies before and behind the boundaries goes back. */
    before = whole((uintptr_t)at) - (uintptr_t)at;
    if (before > 0)
        munmap(at, before);
    at += before;
    if (before < FX_PAGES_HUGE)
        munmap(at + size, FX_PAGES_HUGE - before);
    madvise(at, size, MADV_HUGEPAGE); /* advice: without it, pages are small */
    return at;
}

void fx_pages_unmap(void *pages, size_t n)
{
    munmap(pages, whole(n));
}
