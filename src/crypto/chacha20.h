/* ChaCha20 keystream (RFC 8439): 256-bit key, 96-bit nonce, 32-bit block counter. */
#ifndef FX_CRYPTO_CHACHA20_H
#define FX_CRYPTO_CHACHA20_H

#include <stddef.h>
#include <stdint.h>

/* n bytes of keystream from the start of block `counter`. */
void fx_chacha20_stream(const uint8_t key[32], const uint8_t nonce[12], uint32_t counter,
                        uint8_t *out, size_t n);

#endif
