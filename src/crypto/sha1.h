/* SHA-1 (FIPS 180-4), for the opcode of that name. No longer collision-resistant. */
#ifndef FX_CRYPTO_SHA1_H
#define FX_CRYPTO_SHA1_H

#include <stddef.h>
#include <stdint.h>

void fx_sha1(const void *data, size_t n, uint8_t out[20]);

#endif
