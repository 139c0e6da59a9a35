/* SHA-256: padding and buffering, the portable compression, and the choice of implementation at run
 * time. */
#include "src/crypto/sha256.h"

#include <stdatomic.h>
#include <string.h>

#include "src/crypto/bytes_int.h"
#include "src/crypto/sha256_int.h"

const uint32_t fx_sha256_start[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

const uint32_t fx_sha256_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

struct implementation {
    void (*transform)(uint32_t state[8], const uint8_t *data, size_t blocks);
    void (*d64)(uint8_t *out, const uint8_t *in, size_t count);
    const char *name;
};

static const struct implementation generic = {
    fx_sha256_transform_generic,
    fx_sha256d_64_generic,
    "generic",
};

#ifdef FX_CRYPTO_X86
static const struct implementation shani = {
    fx_sha256_transform_shani,
    fx_sha256d_64_shani,
    "sha-ni",
};
#endif

static _Atomic(const struct implementation *) choice; /* NULL: not made yet */

/* Threads may race to the first use: they all store the same value. */
static const struct implementation *chosen(void)
{
    const struct implementation *impl = atomic_load_explicit(&choice, memory_order_relaxed);
    if (impl)
        return impl;
    impl = &generic;
#ifdef FX_CRYPTO_X86
    if (fx_cpu_has_sha())
        impl = &shani;
#endif
    atomic_store_explicit(&choice, impl, memory_order_relaxed);
    return impl;
}

static inline void one_round(uint32_t s[8], uint32_t kw)
{
    const uint32_t a = s[0], e = s[4];
    const uint32_t t1 =
        s[7] + (rotr32(e, 6) ^ rotr32(e, 11) ^ rotr32(e, 25)) + (s[6] ^ (e & (s[5] ^ s[6]))) + kw;
    const uint32_t t2 =
        (rotr32(a, 2) ^ rotr32(a, 13) ^ rotr32(a, 22)) + ((a & s[1]) | (s[2] & (a | s[1])));
    s[7] = s[6];
    s[6] = s[5];
    s[5] = s[4];
    s[4] = s[3] + t1;
    s[3] = s[2];
    s[2] = s[1];
    s[1] = s[0];
    s[0] = t1 + t2;
}

void fx_sha256_transform_generic(uint32_t state[8], const uint8_t *data, size_t blocks)
{
    for (; blocks > 0; blocks--, data += 64) {
        uint32_t w[16], s[8];
        for (unsigned i = 0; i < 8; i++)
            s[i] = state[i];
        for (unsigned i = 0; i < 16; i++)
            w[i] = load_be32(data + 4 * i);
        for (unsigned i = 0; i < 16; i++)
            one_round(s, fx_sha256_k[i] + w[i]);
        for (unsigned base = 16; base < 64; base += 16) {
            for (unsigned i = 0; i < 16; i++) {
                const uint32_t w15 = w[(i + 1) & 15], w2 = w[(i + 14) & 15];
                w[i] += (rotr32(w15, 7) ^ rotr32(w15, 18) ^ w15 >> 3) + w[(i + 9) & 15] +
                        (rotr32(w2, 17) ^ rotr32(w2, 19) ^ w2 >> 10);
                one_round(s, fx_sha256_k[base + i] + w[i]);
            }
        }
        for (unsigned i = 0; i < 8; i++)
            state[i] += s[i];
    }
}

void fx_sha256d_64_generic(uint8_t *out, const uint8_t *in, size_t count)
{
    uint8_t padding[64] = {0x80}, second[64] = {0};
    padding[62] = 0x02; /* 512 bits */
    second[32] = 0x80;
    second[62] = 0x01; /* 256 bits */
    for (; count > 0; count--, in += 64, out += 32) {
        uint32_t state[8];
        memcpy(state, fx_sha256_start, sizeof state);
        fx_sha256_transform_generic(state, in, 1);
        fx_sha256_transform_generic(state, padding, 1);
        for (unsigned i = 0; i < 8; i++)
            store_be32(second + 4 * i, state[i]);
        memcpy(state, fx_sha256_start, sizeof state);
        fx_sha256_transform_generic(state, second, 1);
        for (unsigned i = 0; i < 8; i++)
            store_be32(out + 4 * i, state[i]);
    }
}

void fx_sha256_init(struct fx_sha256 *ctx)
{
    memcpy(ctx->state, fx_sha256_start, sizeof ctx->state);
    ctx->bytes = 0;
}

void fx_sha256_update(struct fx_sha256 *ctx, const void *data, size_t n)
{
    if (n == 0)
        return;
    const uint8_t *p = data;
    const size_t used = (size_t)(ctx->bytes % 64);
    ctx->bytes += n;
    if (used > 0) {
        const size_t room = 64 - used;
        if (n < room) {
            memcpy(ctx->block + used, p, n);
            return;
        }
        memcpy(ctx->block + used, p, room);
        fx_sha256_transform(ctx->state, ctx->block, 1);
        p += room;
        n -= room;
    }
    if (n >= 64) {
        fx_sha256_transform(ctx->state, p, n / 64);
        p += n / 64 * 64;
        n %= 64;
    }
    if (n > 0)
        memcpy(ctx->block, p, n);
}

void fx_sha256_final(struct fx_sha256 *ctx, uint8_t out[32])
{
    size_t used = (size_t)(ctx->bytes % 64);
    ctx->block[used++] = 0x80;
    if (used > 56) {
        memset(ctx->block + used, 0, 64 - used);
        fx_sha256_transform(ctx->state, ctx->block, 1);
        used = 0;
    }
    memset(ctx->block + used, 0, 56 - used);
    store_be64(ctx->block + 56, ctx->bytes * 8);
    fx_sha256_transform(ctx->state, ctx->block, 1);
    for (unsigned i = 0; i < 8; i++)
        store_be32(out + 4 * i, ctx->state[i]);
}

void fx_sha256(const void *data, size_t n, uint8_t out[32])
{
    struct fx_sha256 ctx;
    fx_sha256_init(&ctx);
    fx_sha256_update(&ctx, data, n);
    fx_sha256_final(&ctx, out);
}

void fx_sha256d(const void *data, size_t n, uint8_t out[32])
{
    uint8_t once[32];
    fx_sha256(data, n, once);
    fx_sha256(once, sizeof once, out);
}

void fx_sha256d_64(uint8_t *out, const uint8_t *in, size_t count)
{
    chosen()->d64(out, in, count);
}

void fx_sha256_transform(uint32_t state[8], const uint8_t *data, size_t blocks)
{
    chosen()->transform(state, data, blocks);
}

void fx_sha256_use_generic(bool generic_only)
{
    atomic_store_explicit(&choice, generic_only ? &generic : NULL, memory_order_relaxed);
}

const char *fx_sha256_implementation(void)
{
    return chosen()->name;
}
