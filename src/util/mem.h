/*
 * Allocation that never returns NULL.
 *
 * Every size that comes from outside is bounded before it is allocated, so a failed allocation
 * means that the machine is out of memory. The process then ends with a message: it never mistakes
 * its own lack of memory for bad input.
 */
#ifndef FX_UTIL_MEM_H
#define FX_UTIL_MEM_H

#include <stddef.h>

/* n bytes, uninitialised; n = 0 gives a pointer that may be freed. The caller frees with free().
 * Never NULL. */
void *fx_xmalloc(size_t n);
/* count * size zeroed bytes; a product that overflows ends the process. */
void *fx_xcalloc(size_t count, size_t size);
/* As realloc, for count * size bytes. */
void *fx_xreallocarray(void *p, size_t count, size_t size);
/* A copy of n bytes of src (src may be NULL where n is 0). */
void *fx_xmemdup(const void *src, size_t n);
char *fx_xstrdup(const char *s);

#endif
