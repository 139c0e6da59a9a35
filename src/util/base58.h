/* Base58Check, as Bitcoin's addresses and extended keys have it. */
#ifndef FX_UTIL_BASE58_H
#define FX_UTIL_BASE58_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* n <= 128. out is the caller's to free. */
char *fx_base58_encode(const uint8_t *src, size_t n);
char *fx_base58check_encode(const uint8_t *src, size_t n);
/* At most max bytes into out; the length to *n. False for a bad character, a length over max, a
 * wrong checksum. */
bool fx_base58_decode(const char *s, uint8_t *out, size_t max, size_t *n);
bool fx_base58check_decode(const char *s, uint8_t *out, size_t max, size_t *n);

#endif
