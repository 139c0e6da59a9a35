/* SHA-1 (FIPS 180-4). */
#include "src/crypto/sha1.h"

#include <string.h>

#include "src/crypto/bytes_int.h"

#define BLOCK 64
#define LENGTH 8 /* of the message, in bits, at the end of the last block */

/* One round of the 80: the function and the constant of its quarter. */
static uint32_t mix(unsigned round, uint32_t b, uint32_t c, uint32_t d)
{
    if (round < 20) {
        return ((b & c) | (~b & d)) + UINT32_C(0x5a827999);
    }
    if (round < 40) {
        return (b ^ c ^ d) + UINT32_C(0x6ed9eba1);
    }
    if (round < 60) {
        return ((b & c) | (b & d) | (c & d)) + UINT32_C(0x8f1bbcdc);
    }
    return (b ^ c ^ d) + UINT32_C(0xca62c1d6);
}

static void transform(uint32_t state[5], const uint8_t *block)
{
    uint32_t w[80], s[5];

    for (unsigned i = 0; i < 16; i++) {
        w[i] = load_be32(block + 4 * i);
    }
    for (unsigned i = 16; i < 80; i++) {
        w[i] = rotl32(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    }
    memcpy(s, state, sizeof s);
    for (unsigned i = 0; i < 80; i++) {
        uint32_t next = rotl32(s[0], 5) + mix(i, s[1], s[2], s[3]) + s[4] + w[i];

        s[4] = s[3];
        s[3] = s[2];
        s[2] = rotl32(s[1], 30);
        s[1] = s[0];
        s[0] = next;
    }
    for (unsigned i = 0; i < 5; i++) {
        state[i] += s[i];
    }
}

void fx_sha1(const void *data, size_t n, uint8_t out[20])
{
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    const uint8_t *p = (const uint8_t *)data;
    uint8_t last[2 * BLOCK] = {0};
    size_t left = n, end;

    for (; left >= BLOCK; left -= BLOCK, p += BLOCK) {
        transform(state, p);
    }
    if (left > 0) {
        memcpy(last, p, left);
    }
    last[left] = 0x80;
    end = left + 1 + LENGTH > BLOCK ? 2 * BLOCK : BLOCK;
    store_be64(last + end - LENGTH, (uint64_t)n * 8);
    transform(state, last);
    if (end > BLOCK) {
        transform(state, last + BLOCK);
    }
    for (unsigned i = 0; i < 5; i++) {
        store_be32(out + 4 * i, state[i]);
    }
}
