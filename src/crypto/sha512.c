/* SHA-512, HMAC and PBKDF2. */
#include "src/crypto/sha512.h"

#include <string.h>

#include "src/crypto/bytes_int.h"
#include "src/crypto/sha256.h"
#include "src/crypto/zero.h"

static const uint64_t initial_state[8] = {
    UINT64_C(0x6a09e667f3bcc908), UINT64_C(0xbb67ae8584caa73b), UINT64_C(0x3c6ef372fe94f82b),
    UINT64_C(0xa54ff53a5f1d36f1), UINT64_C(0x510e527fade682d1), UINT64_C(0x9b05688c2b3e6c1f),
    UINT64_C(0x1f83d9abfb41bd6b), UINT64_C(0x5be0cd19137e2179),
};

static const uint64_t k[80] = {
    UINT64_C(0x428a2f98d728ae22), UINT64_C(0x7137449123ef65cd), UINT64_C(0xb5c0fbcfec4d3b2f),
    UINT64_C(0xe9b5dba58189dbbc), UINT64_C(0x3956c25bf348b538), UINT64_C(0x59f111f1b605d019),
    UINT64_C(0x923f82a4af194f9b), UINT64_C(0xab1c5ed5da6d8118), UINT64_C(0xd807aa98a3030242),
    UINT64_C(0x12835b0145706fbe), UINT64_C(0x243185be4ee4b28c), UINT64_C(0x550c7dc3d5ffb4e2),
    UINT64_C(0x72be5d74f27b896f), UINT64_C(0x80deb1fe3b1696b1), UINT64_C(0x9bdc06a725c71235),
    UINT64_C(0xc19bf174cf692694), UINT64_C(0xe49b69c19ef14ad2), UINT64_C(0xefbe4786384f25e3),
    UINT64_C(0x0fc19dc68b8cd5b5), UINT64_C(0x240ca1cc77ac9c65), UINT64_C(0x2de92c6f592b0275),
    UINT64_C(0x4a7484aa6ea6e483), UINT64_C(0x5cb0a9dcbd41fbd4), UINT64_C(0x76f988da831153b5),
    UINT64_C(0x983e5152ee66dfab), UINT64_C(0xa831c66d2db43210), UINT64_C(0xb00327c898fb213f),
    UINT64_C(0xbf597fc7beef0ee4), UINT64_C(0xc6e00bf33da88fc2), UINT64_C(0xd5a79147930aa725),
    UINT64_C(0x06ca6351e003826f), UINT64_C(0x142929670a0e6e70), UINT64_C(0x27b70a8546d22ffc),
    UINT64_C(0x2e1b21385c26c926), UINT64_C(0x4d2c6dfc5ac42aed), UINT64_C(0x53380d139d95b3df),
    UINT64_C(0x650a73548baf63de), UINT64_C(0x766a0abb3c77b2a8), UINT64_C(0x81c2c92e47edaee6),
    UINT64_C(0x92722c851482353b), UINT64_C(0xa2bfe8a14cf10364), UINT64_C(0xa81a664bbc423001),
    UINT64_C(0xc24b8b70d0f89791), UINT64_C(0xc76c51a30654be30), UINT64_C(0xd192e819d6ef5218),
    UINT64_C(0xd69906245565a910), UINT64_C(0xf40e35855771202a), UINT64_C(0x106aa07032bbd1b8),
    UINT64_C(0x19a4c116b8d2d0c8), UINT64_C(0x1e376c085141ab53), UINT64_C(0x2748774cdf8eeb99),
    UINT64_C(0x34b0bcb5e19b48a8), UINT64_C(0x391c0cb3c5c95a63), UINT64_C(0x4ed8aa4ae3418acb),
    UINT64_C(0x5b9cca4f7763e373), UINT64_C(0x682e6ff3d6b2b8a3), UINT64_C(0x748f82ee5defb2fc),
    UINT64_C(0x78a5636f43172f60), UINT64_C(0x84c87814a1f0ab72), UINT64_C(0x8cc702081a6439ec),
    UINT64_C(0x90befffa23631e28), UINT64_C(0xa4506cebde82bde9), UINT64_C(0xbef9a3f7b2c67915),
    UINT64_C(0xc67178f2e372532b), UINT64_C(0xca273eceea26619c), UINT64_C(0xd186b8c721c0c207),
    UINT64_C(0xeada7dd6cde0eb1e), UINT64_C(0xf57d4f7fee6ed178), UINT64_C(0x06f067aa72176fba),
    UINT64_C(0x0a637dc5a2c898a6), UINT64_C(0x113f9804bef90dae), UINT64_C(0x1b710b35131c471b),
    UINT64_C(0x28db77f523047d84), UINT64_C(0x32caab7b40c72493), UINT64_C(0x3c9ebe0a15c9bebc),
    UINT64_C(0x431d67c49c100d4c), UINT64_C(0x4cc5d4becb3e42b6), UINT64_C(0x597f299cfc657e2a),
    UINT64_C(0x5fcb6fab3ad6faec), UINT64_C(0x6c44198c4a475817),
};

static void compress(uint64_t state[8], const uint8_t *data, size_t blocks)
{
    for (; blocks > 0; blocks--, data += 128) {
        uint64_t w[16], s[8];
        memcpy(s, state, sizeof s);
        for (unsigned i = 0; i < 16; i++)
            w[i] = load_be64(data + 8 * i);
        for (unsigned i = 0; i < 80; i++) {
            if (i >= 16) {
                const uint64_t w15 = w[(i + 1) & 15], w2 = w[(i + 14) & 15];
                w[i & 15] += (rotr64(w15, 1) ^ rotr64(w15, 8) ^ w15 >> 7) + w[(i + 9) & 15] +
                             (rotr64(w2, 19) ^ rotr64(w2, 61) ^ w2 >> 6);
            }
            const uint64_t a = s[0], e = s[4];
            const uint64_t t1 = s[7] + (rotr64(e, 14) ^ rotr64(e, 18) ^ rotr64(e, 41)) +
                                (s[6] ^ (e & (s[5] ^ s[6]))) + k[i] + w[i & 15];
            const uint64_t t2 = (rotr64(a, 28) ^ rotr64(a, 34) ^ rotr64(a, 39)) +
                                ((a & s[1]) | (s[2] & (a | s[1])));
            s[7] = s[6];
            s[6] = s[5];
            s[5] = s[4];
            s[4] = s[3] + t1;
            s[3] = s[2];
            s[2] = s[1];
            s[1] = s[0];
            s[0] = t1 + t2;
        }
        for (unsigned i = 0; i < 8; i++)
            state[i] += s[i];
    }
}

void fx_sha512_init(struct fx_sha512 *ctx)
{
    memcpy(ctx->state, initial_state, sizeof ctx->state);
    ctx->bytes = 0;
}

void fx_sha512_update(struct fx_sha512 *ctx, const void *data, size_t n)
{
    if (n == 0)
        return;
    const uint8_t *p = data;
    const size_t used = (size_t)(ctx->bytes % 128);
    ctx->bytes += n;
    if (used > 0) {
        const size_t room = 128 - used;
        if (n < room) {
            memcpy(ctx->block + used, p, n);
            return;
        }
        memcpy(ctx->block + used, p, room);
        compress(ctx->state, ctx->block, 1);
        p += room;
        n -= room;
    }
    compress(ctx->state, p, n / 128);
    if (n % 128 > 0)
        memcpy(ctx->block, p + n / 128 * 128, n % 128);
}

void fx_sha512_final(struct fx_sha512 *ctx, uint8_t out[64])
{
    size_t used = (size_t)(ctx->bytes % 128);
    ctx->block[used++] = 0x80;
    if (used > 112) {
        memset(ctx->block + used, 0, 128 - used);
        compress(ctx->state, ctx->block, 1);
        used = 0;
    }
    memset(ctx->block + used, 0, 112 - used);
    /* The length is 128 bits wide: the bytes' count times eight. */
    store_be64(ctx->block + 112, ctx->bytes >> 61);
    store_be64(ctx->block + 120, ctx->bytes << 3);
    compress(ctx->state, ctx->block, 1);
    for (unsigned i = 0; i < 8; i++)
        store_be64(out + 8 * i, ctx->state[i]);
}

void fx_hmac_sha256(const void *key, size_t key_len, const void *data, size_t n, uint8_t out[32])
{
    uint8_t pad[64] = {0}, inner[32];
    if (key_len > sizeof pad)
        fx_sha256(key, key_len, pad);
    else if (key_len > 0)
        memcpy(pad, key, key_len);
    struct fx_sha256 ctx;
    for (unsigned i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36;
    fx_sha256_init(&ctx);
    fx_sha256_update(&ctx, pad, sizeof pad);
    fx_sha256_update(&ctx, data, n);
    fx_sha256_final(&ctx, inner);
    for (unsigned i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    fx_sha256_init(&ctx);
    fx_sha256_update(&ctx, pad, sizeof pad);
    fx_sha256_update(&ctx, inner, sizeof inner);
    fx_sha256_final(&ctx, out);
    fx_secure_zero(pad, sizeof pad);
    fx_secure_zero(inner, sizeof inner);
    fx_secure_zero(&ctx, sizeof ctx);
}

/* The two hashes of an HMAC after their key blocks: what every message under one key shares. */
struct hmac_key {
    struct fx_sha512 inner, outer;
};

static void hmac_key_init(struct hmac_key *hmac, const void *key, size_t key_len)
{
    uint8_t pad[128] = {0};
    if (key_len > sizeof pad) {
        fx_sha512_init(&hmac->inner);
        fx_sha512_update(&hmac->inner, key, key_len);
        fx_sha512_final(&hmac->inner, pad);
    } else if (key_len > 0) {
        memcpy(pad, key, key_len);
    }
    for (unsigned i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36;
    fx_sha512_init(&hmac->inner);
    fx_sha512_update(&hmac->inner, pad, sizeof pad);
    for (unsigned i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    fx_sha512_init(&hmac->outer);
    fx_sha512_update(&hmac->outer, pad, sizeof pad);
    fx_secure_zero(pad, sizeof pad);
}

/* HMAC of a || b. */
static void hmac_two(const struct hmac_key *hmac, const void *a, size_t a_len, const void *b,
                     size_t b_len, uint8_t out[64])
{
    struct fx_sha512 ctx = hmac->inner;
    fx_sha512_update(&ctx, a, a_len);
    fx_sha512_update(&ctx, b, b_len);
    fx_sha512_final(&ctx, out);
    ctx = hmac->outer;
    fx_sha512_update(&ctx, out, 64);
    fx_sha512_final(&ctx, out);
    fx_secure_zero(&ctx, sizeof ctx);
}

void fx_hmac_sha512(const void *key, size_t key_len, const void *data, size_t n, uint8_t out[64])
{
    struct hmac_key hmac;
    hmac_key_init(&hmac, key, key_len);
    hmac_two(&hmac, data, n, NULL, 0, out);
    fx_secure_zero(&hmac, sizeof hmac);
}

void fx_pbkdf2_sha512(const void *password, size_t password_len, const void *salt, size_t salt_len,
                      unsigned rounds, uint8_t out[64])
{
    static const uint8_t first_block[4] = {0, 0, 0, 1};
    struct hmac_key hmac;
    uint8_t u[64];
    hmac_key_init(&hmac, password, password_len);
    hmac_two(&hmac, salt, salt_len, first_block, sizeof first_block, u);
    memcpy(out, u, sizeof u);
    for (unsigned round = 1; round < rounds; round++) {
        hmac_two(&hmac, u, sizeof u, NULL, 0, u);
        for (unsigned i = 0; i < sizeof u; i++)
            out[i] ^= u[i];
    }
    fx_secure_zero(&hmac, sizeof hmac);
    fx_secure_zero(u, sizeof u);
}
