/* A view of bytes that somebody else owns. */
#ifndef FX_UTIL_SPAN_H
#define FX_UTIL_SPAN_H

#include <stddef.h>
#include <stdint.h>

struct fx_span {
    const uint8_t *data; /* may be NULL where len is 0 */
    size_t len;
};

#endif
