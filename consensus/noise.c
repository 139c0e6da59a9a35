/* Noise of bricks (protocol section 6): everything that is drawn from the header's keystream. */
#include "consensus/brick.h"

#include "src/crypto/chacha20.h"
#include "src/crypto/taghash.h"
#include "src/util/buf.h"

enum { PURPOSE_PANEL = 0, PURPOSE_PERM = 1 };

static void keystream(const uint8_t key[32], uint32_t purpose, enum fx_side side, uint32_t x,
                      uint8_t *out, size_t n)
{
    uint8_t nonce[12];

    fx_store_u32(nonce, purpose);
    fx_store_u32(nonce + 4, (uint32_t)side);
    fx_store_u32(nonce + 8, x);
    fx_chacha20_stream(key, nonce, 0, out, n);
}

void fx_noise_key(const struct fx_hash *seed, uint8_t key[32])
{
    fx_tagged_hash("fornax/noise", seed->b, sizeof(seed->b), key);
}

void fx_noise_panel(const uint8_t key[32], enum fx_side side, uint32_t panel,
                    int8_t out[FX_BLOCK_BYTES])
{
    uint8_t *bytes = (uint8_t *)out;

    keystream(key, PURPOSE_PANEL, side, panel, bytes, FX_BLOCK_BYTES);
    for (size_t at = 0; at < FX_BLOCK_BYTES; at++) {
        out[at] = (int8_t)((bytes[at] & 0x7f) - 64);
    }
}

void fx_noise_perm(const uint8_t key[32], enum fx_side side, uint32_t segment, uint8_t p[FX_DEPTH],
                   int8_t sign[FX_DEPTH])
{
    uint8_t stream[4 * FX_DEPTH + FX_DEPTH / 8];
    const uint8_t *signs = stream + 4 * FX_DEPTH;

    keystream(key, PURPOSE_PERM, side, segment, stream, sizeof(stream));
    for (unsigned c = 0; c < FX_DEPTH; c++) {
        p[c] = (uint8_t)c;
        sign[c] = (signs[c >> 3] >> (c & 7)) & 1 ? -1 : 1;
    }
    for (unsigned c = FX_DEPTH - 1; c > 0; c--) {
        unsigned other = (unsigned)(((uint64_t)fx_load_u32(stream + 4 * c) * (c + 1)) >> 32);
        uint8_t held = p[c];

        p[c] = p[other];
        p[other] = held;
    }
}

void fx_noise_apply(const int8_t block[FX_BLOCK_BYTES], const int8_t noise_panel[FX_BLOCK_BYTES],
                    const uint8_t p[FX_DEPTH], const int8_t sign[FX_DEPTH],
                    int8_t out[FX_BLOCK_BYTES])
{
    for (size_t row = 0; row < FX_TILE; row++) {
        const int8_t *plain = block + row * FX_DEPTH;
        const int8_t *noise = noise_panel + row * FX_DEPTH;
        int8_t *sum = out + row * FX_DEPTH;

        for (size_t c = 0; c < FX_DEPTH; c++) {
            sum[c] = (int8_t)(plain[c] + sign[c] * noise[p[c]]);
        }
    }
}
