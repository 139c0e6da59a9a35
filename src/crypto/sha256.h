/* SHA-256 (FIPS 180-4), generic or with the SHA-NI instructions, chosen at run time. */
#ifndef FX_CRYPTO_SHA256_H
#define FX_CRYPTO_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct fx_sha256 {
    uint32_t state[8];
    uint64_t bytes; /* hashed so far */
    uint8_t block[64];
};

void fx_sha256_init(struct fx_sha256 *ctx);
void fx_sha256_update(struct fx_sha256 *ctx, const void *data, size_t n);
void fx_sha256_final(struct fx_sha256 *ctx, uint8_t out[32]);
void fx_sha256(const void *data, size_t n, uint8_t out[32]);
/* SHA-256 of the SHA-256: ids, merkle nodes, checksums. */
void fx_sha256d(const void *data, size_t n, uint8_t out[32]);
/* count independent 64-byte messages, back to back, each to sha256d: the inner loop of merkle
 * trees. out may alias in. */
void fx_sha256d_64(uint8_t *out, const uint8_t *in, size_t count);
/* One compression of blocks * 64 bytes into state. */
void fx_sha256_transform(uint32_t state[8], const uint8_t *data, size_t blocks);
/* "sha-ni" or "generic". */
const char *fx_sha256_implementation(void);
/*
 * The hash lane's inner loop: double SHA-256 of count headers of 80 bytes whose last four bytes are
 * the nonces first, first + 1, ... (little-endian, modulo 2^32). midstate: the state after the
 * first 64 bytes; tail: the 12 bytes after these. top[n]: the most significant 32 bits of a hash,
 * as a number that targets are compared with.
 */
void fx_sha256d_nonces(const uint32_t midstate[8], const uint8_t tail[12], uint32_t first,
                       size_t count, uint32_t *top);

#endif
