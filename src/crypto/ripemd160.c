/* RIPEMD-160 (Dobbertin, Bosselaers, Preneel, 1996). */
#include "src/crypto/ripemd160.h"

#include <string.h>

#include "src/crypto/bytes_int.h"
#include "src/crypto/sha256.h"

static const uint8_t word_left[80] = {
    0,  1, 2,  3, 4,  5,  6, 7,  8, 9,  10, 11, 12, 13, 14, 15, 7,  4,  13, 1,
    10, 6, 15, 3, 12, 0,  9, 5,  2, 14, 11, 8,  3,  10, 14, 4,  9,  15, 8,  1,
    2,  7, 0,  6, 13, 11, 5, 12, 1, 9,  11, 10, 0,  8,  12, 4,  13, 3,  7,  15,
    14, 5, 6,  2, 4,  0,  5, 9,  7, 12, 2,  10, 14, 1,  3,  8,  11, 6,  15, 13,
};
static const uint8_t word_right[80] = {
    5,  14, 7,  0,  9,  2,  11, 4,  13, 6, 15, 8, 1,  10, 3,  12, 6, 11, 3, 7,
    0,  13, 5,  10, 14, 15, 8,  12, 4,  9, 1,  2, 15, 5,  1,  3,  7, 14, 6, 9,
    11, 8,  12, 2,  10, 0,  4,  13, 8,  6, 4,  1, 3,  11, 15, 0,  5, 12, 2, 13,
    9,  7,  10, 14, 12, 15, 10, 4,  1,  5, 8,  7, 6,  2,  13, 14, 0, 3,  9, 11,
};
static const uint8_t turn_left[80] = {
    11, 14, 15, 12, 5, 8,  7,  9,  11, 13, 14, 15, 6,  7,  9,  8,  7,  6,  8,  13,
    11, 9,  7,  15, 7, 12, 15, 9,  11, 7,  13, 12, 11, 13, 6,  7,  14, 9,  13, 15,
    14, 8,  13, 6,  5, 12, 7,  5,  11, 12, 14, 15, 14, 15, 9,  8,  9,  14, 5,  6,
    8,  6,  5,  12, 9, 15, 5,  11, 6,  8,  13, 12, 5,  12, 13, 14, 11, 8,  5,  6,
};
static const uint8_t turn_right[80] = {
    8,  9,  9,  11, 13, 15, 15, 5, 7,  7,  8,  11, 14, 14, 12, 6,  9,  13, 15, 7,
    12, 8,  9,  11, 7,  7,  12, 7, 6,  15, 13, 11, 9,  7,  15, 11, 8,  6,  6,  14,
    12, 13, 5,  14, 13, 13, 7,  5, 15, 5,  8,  11, 14, 14, 6,  14, 6,  9,  12, 9,
    12, 5,  15, 8,  8,  5,  12, 9, 12, 5,  14, 6,  8,  13, 6,  5,  15, 13, 11, 11,
};
static const uint32_t add_left[5] = {0, 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xa953fd4e};
static const uint32_t add_right[5] = {0x50a28be6, 0x5c4dd124, 0x6d703ef3, 0x7a6d76e9, 0};

static inline uint32_t mix(unsigned group, uint32_t x, uint32_t y, uint32_t z)
{
    if (group == 0)
        return x ^ y ^ z;
    if (group == 1)
        return (x & y) | (~x & z);
    if (group == 2)
        return (x | ~y) ^ z;
    if (group == 3)
        return (x & z) | (y & ~z);
    return x ^ (y | ~z);
}

static inline void step(uint32_t v[5], unsigned group, uint32_t add, unsigned turn)
{
    const uint32_t t = rotl32(v[0] + mix(group, v[1], v[2], v[3]) + add, turn) + v[4];
    v[0] = v[4];
    v[4] = v[3];
    v[3] = rotl32(v[2], 10);
    v[2] = v[1];
    v[1] = t;
}

static void compress(uint32_t state[5], const uint8_t *data)
{
    uint32_t x[16], left[5], right[5];
    for (unsigned i = 0; i < 16; i++)
        x[i] = load_le32(data + 4 * i);
    memcpy(left, state, sizeof left);
    memcpy(right, state, sizeof right);
    for (unsigned group = 0; group < 5; group++) {
        for (unsigned i = 16 * group; i < 16 * group + 16; i++) {
            step(left, group, x[word_left[i]] + add_left[group], turn_left[i]);
            step(right, 4 - group, x[word_right[i]] + add_right[group], turn_right[i]);
        }
    }
    const uint32_t t = state[1] + left[2] + right[3];
    state[1] = state[2] + left[3] + right[4];
    state[2] = state[3] + left[4] + right[0];
    state[3] = state[4] + left[0] + right[1];
    state[4] = state[0] + left[1] + right[2];
    state[0] = t;
}

void fx_ripemd160(const void *data, size_t n, uint8_t out[20])
{
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    const uint8_t *p = data;
    size_t left = n;
    for (; left >= 64; left -= 64, p += 64)
        compress(state, p);
    uint8_t tail[128] = {0};
    if (left > 0)
        memcpy(tail, p, left);
    tail[left] = 0x80;
    const size_t end = left < 56 ? 64 : 128;
    store_le64(tail + end - 8, (uint64_t)n * 8);
    compress(state, tail);
    if (end == 128)
        compress(state, tail + 64);
    for (unsigned i = 0; i < 5; i++)
        store_le32(out + 4 * i, state[i]);
}

void fx_hash160(const void *data, size_t n, uint8_t out[20])
{
    uint8_t h[32];
    fx_sha256(data, n, h);
    fx_ripemd160(h, sizeof h, out);
}
