/*
 * The brick (protocol section 6): product, fold and ticket. Plain loops over int16, in the shape
 * that compilers turn into multiply-add instructions; there is one implementation and nothing to
 * disagree.
 */
#include "consensus/brick.h"

#include <string.h>

#include "src/crypto/sha256.h"
#include "src/crypto/taghash.h"
#include "src/util/buf.h"

static uint32_t rotl32(uint32_t x, unsigned n)
{
    return (x << (n & 31)) | (x >> ((32 - n) & 31));
}

static void widen(const int8_t *narrow, int16_t *wide, size_t n)
{
    for (size_t at = 0; at < n; at++) {
        wide[at] = narrow[at];
    }
}

/* At most 256 * 128 * 128 = 2^22 in size: no sum can overflow. */
static int32_t dot(const int16_t *restrict x, const int16_t *restrict y)
{
    int32_t sum = 0;

    for (size_t c = 0; c < FX_DEPTH; c++) {
        sum += (int32_t)x[c] * (int32_t)y[c];
    }
    return sum;
}

void fx_brick_product(const int8_t a[FX_BLOCK_BYTES], const int8_t b[FX_BLOCK_BYTES],
                      int32_t d[FX_TILE * FX_TILE])
{
    int16_t wide_b[FX_BLOCK_BYTES]; /* 64 KiB of stack: B' is read once a row of A' */
    int16_t row[FX_DEPTH];

    widen(b, wide_b, FX_BLOCK_BYTES);
    for (size_t r = 0; r < FX_TILE; r++) {
        widen(a + r * FX_DEPTH, row, FX_DEPTH);
        for (size_t c = 0; c < FX_TILE; c++) {
            d[r * FX_TILE + c] = dot(row, wide_b + c * FX_DEPTH);
        }
    }
}

void fx_brick_fold(const int32_t d[FX_TILE * FX_TILE], uint32_t words[8])
{
    uint32_t lane[32] = {0};

    for (unsigned fr = 0; fr < 8; fr++) {
        for (unsigned fc = 0; fc < 16; fc++) {
            unsigned turn = (7 * fr + 5 * fc) % 32;

            for (unsigned q = 0; q < 32; q++) {
                const int32_t *at = d + (16 * fr + (q >> 2)) * FX_TILE + 8 * fc + 2 * (q & 3);
                uint32_t x = (uint32_t)(at[0] ^ at[1] ^ at[8 * FX_TILE] ^ at[8 * FX_TILE + 1]);

                lane[q] ^= rotl32(x, turn);
            }
        }
    }
    for (unsigned w = 0; w < 8; w++) {
        words[w] =
            lane[w] ^ rotl32(lane[w + 8], 8) ^ rotl32(lane[w + 16], 16) ^ rotl32(lane[w + 24], 24);
    }
}

void fx_brick_ticket_hash(const struct fx_hash *seed, const uint32_t words[8], uint32_t i,
                          uint32_t j, uint32_t l, struct fx_hash *ticket)
{
    uint8_t message[32 + 32 + 32 + 12] = {0};

    memcpy(message, seed->b, 32);
    for (unsigned w = 0; w < 8; w++) {
        fx_store_u32(message + 64 + 4 * w, words[w]);
    }
    fx_store_u32(message + 96, i);
    fx_store_u32(message + 100, j);
    fx_store_u32(message + 104, l);
    fx_tagged_hash("fornax/ticket", message, sizeof(message), ticket->b);
}

bool fx_brick_in_range(const int8_t block[FX_BLOCK_BYTES])
{
    uint8_t outside = 0;

    for (size_t at = 0; at < FX_BLOCK_BYTES; at++) {
        /* -64..63 moved to 0..127: the top bit is set exactly for the others. */
        outside |= (uint8_t)((uint8_t)block[at] + 64);
    }
    return (outside & 0x80) == 0;
}

static void noised(const uint8_t key[32], enum fx_side side, uint32_t panel, uint32_t segment,
                   const int8_t *block, int8_t out[FX_BLOCK_BYTES])
{
    int8_t noise[FX_BLOCK_BYTES];
    uint8_t p[FX_DEPTH];
    int8_t sign[FX_DEPTH];

    fx_noise_panel(key, side, panel, noise);
    fx_noise_perm(key, side, segment, p, sign);
    fx_noise_apply(block, noise, p, sign, out);
}

bool fx_brick_ticket(const struct fx_hash *seed, const int8_t *a_block, const int8_t *b_block,
                     uint32_t i, uint32_t j, uint32_t l, struct fx_hash *ticket)
{
    uint8_t key[32];
    int8_t a[FX_BLOCK_BYTES], b[FX_BLOCK_BYTES];
    int32_t d[FX_TILE * FX_TILE];
    uint32_t words[8];

    if (!fx_brick_in_range(a_block) || !fx_brick_in_range(b_block)) {
        return false;
    }
    fx_noise_key(seed, key);
    noised(key, FX_SIDE_A, i, l, a_block, a);
    noised(key, FX_SIDE_B, j, l, b_block, b);
    fx_brick_product(a, b, d);
    fx_brick_fold(d, words);
    fx_brick_ticket_hash(seed, words, i, j, l, ticket);
    return true;
}
