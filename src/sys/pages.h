/*
 * Large pieces of memory, straight from the system: zeroed, on the boundary of a huge page, and in
 * huge pages where the system gives them when asked. The first touch of a page is dear, so whoever
 * works in such a piece does well to keep it.
 */
#ifndef FX_SYS_PAGES_H
#define FX_SYS_PAGES_H

#include <stddef.h>

#define FX_PAGES_HUGE ((size_t)2 << 20)

/* n bytes, rounded up to whole huge pages. Never NULL: without memory the process ends. The caller
 * gives it back with the same n. */
void *fx_pages_map(size_t n);
void fx_pages_unmap(void *pages, size_t n);

#endif
