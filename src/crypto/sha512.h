/* SHA-512 (FIPS 180-4), HMAC (RFC 2104) over SHA-256 and SHA-512, and PBKDF2 (RFC 8018) over
 * HMAC-SHA-512. */
#ifndef FX_CRYPTO_SHA512_H
#define FX_CRYPTO_SHA512_H

#include <stddef.h>
#include <stdint.h>

struct fx_sha512 {
    uint64_t state[8];
    uint64_t bytes;
    uint8_t block[128];
};

void fx_sha512_init(struct fx_sha512 *ctx);
void fx_sha512_update(struct fx_sha512 *ctx, const void *data, size_t n);
void fx_sha512_final(struct fx_sha512 *ctx, uint8_t out[64]);
void fx_hmac_sha256(const void *key, size_t key_len, const void *data, size_t n, uint8_t out[32]);
void fx_hmac_sha512(const void *key, size_t key_len, const void *data, size_t n, uint8_t out[64]);
void fx_pbkdf2_sha512(const void *password, size_t password_len, const void *salt, size_t salt_len,
                      unsigned rounds, uint8_t out[64]);

#endif
