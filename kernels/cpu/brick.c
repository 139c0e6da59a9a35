/* One brick on the CPU: noise, product, fold and ticket (protocol section 6). */
#include "kernels/cpu/cpu_int.h"

#include <string.h>

#include "src/crypto/chacha20.h"
#include "src/crypto/taghash.h"
#include "src/util/buf.h"

#define PURPOSE_PANEL 0
#define PURPOSE_PERM 1

void fx_cpu_seed_init(struct fx_cpu_seed *seed, const uint8_t id[32])
{
    static const uint8_t zero[32];

    memcpy(seed->seed, id, 32);
    fx_tagged_hash("fornax/noise", id, 32, seed->key);
    fx_tagged_init(&seed->ticket, "fornax/ticket");
    fx_sha256_update(&seed->ticket, id, 32);
    fx_sha256_update(&seed->ticket, zero, sizeof zero);
}

static void stream(const struct fx_cpu_seed *seed, uint32_t purpose, enum fx_side side, uint32_t x,
                   uint8_t *out, size_t n)
{
    uint8_t nonce[12];

    fx_store_u32(nonce, purpose);
    fx_store_u32(nonce + 4, (uint32_t)side);
    fx_store_u32(nonce + 8, x);
    fx_chacha20_stream(seed->key, nonce, 0, out, n);
}

void fx_cpu_noise_panel(const struct fx_cpu_seed *seed, enum fx_side side, uint32_t panel,
                        int8_t *out)
{
    uint8_t *bytes = (uint8_t *)out;

    stream(seed, PURPOSE_PANEL, side, panel, bytes, FX_BLOCK_BYTES);
    for (size_t at = 0; at < FX_BLOCK_BYTES; at++)
        out[at] = (int8_t)((bytes[at] & 0x7f) - 64);
}

void fx_cpu_noise_perm(const struct fx_cpu_seed *seed, enum fx_side side, uint32_t segment,
                       struct fx_cpu_perm *perm)
{
    uint8_t bytes[FX_DEPTH * 4 + FX_DEPTH / 8];
    const uint8_t *signs = bytes + FX_DEPTH * 4;

    stream(seed, PURPOSE_PERM, side, segment, bytes, sizeof bytes);
    for (unsigned c = 0; c < FX_DEPTH; c++) {
        perm->p[c] = (uint8_t)c;
        perm->sign[c] = (signs[c >> 3] >> (c & 7)) & 1 ? -1 : 1;
    }
    for (unsigned c = FX_DEPTH - 1; c > 0; c--) {
        unsigned other = (unsigned)(((uint64_t)fx_load_u32(bytes + 4 * c) * (c + 1)) >> 32);
        uint8_t kept = perm->p[c];

        perm->p[c] = perm->p[other];
        perm->p[other] = kept;
    }
}

/* Four rows of b share the loads of one row of a; the compiler makes multiply-add of pairs of it.
 */
static inline __attribute__((always_inline)) void
product(const int16_t *restrict a, const int16_t *restrict b, int32_t *restrict d)
{
    for (unsigned r = 0; r < FX_TILE; r++) {
        const int16_t *row = a + r * FX_DEPTH;

        for (unsigned s = 0; s < FX_TILE; s += 4) {
            const int16_t *b0 = b + s * FX_DEPTH, *b1 = b0 + FX_DEPTH;
            const int16_t *b2 = b1 + FX_DEPTH, *b3 = b2 + FX_DEPTH;
            int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;

            for (unsigned c = 0; c < FX_DEPTH; c++) {
                s0 += row[c] * b0[c];
                s1 += row[c] * b1[c];
                s2 += row[c] * b2[c];
                s3 += row[c] * b3[c];
            }
            d[r * FX_TILE + s] = s0;
            d[r * FX_TILE + s + 1] = s1;
            d[r * FX_TILE + s + 2] = s2;
            d[r * FX_TILE + s + 3] = s3;
        }
    }
}

#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("avx2"), optimize("O3"))) static void
product_avx2(const int16_t *a, const int16_t *b, int32_t *d)
{
    product(a, b, d);
}
#endif

__attribute__((optimize("O3"))) static void product_generic(const int16_t *a, const int16_t *b,
                                                            int32_t *d)
{
    product(a, b, d);
}

void fx_cpu_product(bool avx2, const int16_t *a, const int16_t *b, int32_t *d)
{
#if defined(__x86_64__) && defined(__GNUC__)
    if (avx2) {
        product_avx2(a, b, d);
        return;
    }
#else
    (void)avx2;
#endif
    product_generic(a, b, d);
}

static uint32_t rotl(uint32_t x, unsigned n)
{
    return n ? x << n | x >> (32 - n) : x;
}

void fx_cpu_fold(const int32_t *d, uint32_t words[8])
{
    uint32_t s[32] = {0};

    for (unsigned fr = 0; fr < 8; fr++) {
        for (unsigned fc = 0; fc < 16; fc++) {
            unsigned turn = (7 * fr + 5 * fc) % 32;

            for (unsigned q = 0; q < 32; q++) {
                const int32_t *at = d + (16 * fr + (q >> 2)) * FX_TILE + 8 * fc + 2 * (q & 3);
                uint32_t x = (uint32_t)(at[0] ^ at[1] ^ at[8 * FX_TILE] ^ at[8 * FX_TILE + 1]);

                s[q] ^= rotl(x, turn);
            }
        }
    }
    for (unsigned w = 0; w < 8; w++)
        words[w] = s[w] ^ rotl(s[w + 8], 8) ^ rotl(s[w + 16], 16) ^ rotl(s[w + 24], 24);
}

void fx_cpu_ticket(const struct fx_cpu_seed *seed, const uint32_t words[8], uint32_t i, uint32_t j,
                   uint32_t l, uint8_t ticket[32])
{
    struct fx_sha256 hash = seed->ticket;
    uint8_t tail[44];

    for (unsigned w = 0; w < 8; w++)
        fx_store_u32(tail + 4 * w, words[w]);
    fx_store_u32(tail + 32, i);
    fx_store_u32(tail + 36, j);
    fx_store_u32(tail + 40, l);
    fx_sha256_update(&hash, tail, sizeof tail);
    fx_sha256_final(&hash, ticket);
}

bool fx_cpu_meets(const uint8_t value[32], const uint8_t target[32])
{
    for (int at = 31; at >= 0; at--) {
        if (value[at] != target[at])
            return value[at] < target[at];
    }
    return true;
}
