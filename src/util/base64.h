/* Base64 (RFC 4648): with padding, on one line. */
#ifndef FX_UTIL_BASE64_H
#define FX_UTIL_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/util/buf.h"

void fx_base64_encode(struct fx_buf *out, const void *src, size_t n); /* appends, no zero */
/* The whole of a text, with the padding that it needs and no bits left over. False: out holds
 * nothing that counts. At most max bytes. */
bool fx_base64_decode(const char *text, uint8_t *out, size_t max, size_t *n);

#endif
