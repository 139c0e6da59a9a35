/* RIPEMD-160, and Bitcoin's hash160 = RIPEMD160(SHA256(x)). */
#ifndef FX_CRYPTO_RIPEMD160_H
#define FX_CRYPTO_RIPEMD160_H

#include <stddef.h>
#include <stdint.h>

void fx_ripemd160(const void *data, size_t n, uint8_t out[20]);
void fx_hash160(const void *data, size_t n, uint8_t out[20]);

#endif
