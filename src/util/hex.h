/* Hexadecimal text. */
#ifndef FX_UTIL_HEX_H
#define FX_UTIL_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* out holds 2 * n + 1 chars; lower case, zero-terminated. */
void fx_hex_encode(const void *src, size_t n, char *out);
/* The same on the heap; the caller frees. */
char *fx_hex_dup(const void *src, size_t n);
/* Exactly 2 * n digits of either case, then the end of the string. */
bool fx_hex_decode(const char *s, uint8_t *out, size_t n);
/* Any even number of digits; *out is the caller's to free. At most max bytes. */
bool fx_hex_decode_dup(const char *s, size_t max, uint8_t **out, size_t *n);

#endif
