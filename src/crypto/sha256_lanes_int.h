/*
 * Double SHA-256 of many headers that differ in the nonce, a vector lane each, written once for
 * vectors of any width: whoever includes this defines LANES, and LANES_TARGET (attributes, or
 * nothing), and gets lanes_nonces(), which hashes LANES nonces.
 */
#include "src/crypto/sha256_int.h"

typedef uint32_t lanes __attribute__((vector_size(4 * LANES)));

#define LANES_INLINE LANES_TARGET __attribute__((always_inline)) static inline
#define LANES_ROTR(x, n) ((x) >> (n) | (x) << (32 - (n)))

/* The next sixteen words of the message schedule. */
LANES_INLINE void lanes_schedule(lanes w[16])
{
#pragma GCC unroll 16
    for (unsigned i = 0; i < 16; i++) {
        const lanes w15 = w[(i + 1) & 15], w2 = w[(i + 14) & 15];

        w[i] += (LANES_ROTR(w15, 7) ^ LANES_ROTR(w15, 18) ^ w15 >> 3) + w[(i + 9) & 15] +
                (LANES_ROTR(w2, 17) ^ LANES_ROTR(w2, 19) ^ w2 >> 10);
    }
}

LANES_INLINE void lanes_rounds(lanes s[8], const lanes w[16], unsigned first)
{
#pragma GCC unroll 16
    for (unsigned i = 0; i < 16; i++) {
        const lanes a = s[0], e = s[4];
        const lanes t1 = s[7] + (LANES_ROTR(e, 6) ^ LANES_ROTR(e, 11) ^ LANES_ROTR(e, 25)) +
                         (s[6] ^ (e & (s[5] ^ s[6]))) + (w[i] + fx_sha256_k[first + i]);
        const lanes t2 = (LANES_ROTR(a, 2) ^ LANES_ROTR(a, 13) ^ LANES_ROTR(a, 22)) +
                         ((a & s[1]) | (s[2] & (a | s[1])));

        s[7] = s[6];
        s[6] = s[5];
        s[5] = s[4];
        s[4] = s[3] + t1;
        s[3] = s[2];
        s[2] = s[1];
        s[1] = a;
        s[0] = t1 + t2;
    }
}

LANES_INLINE void lanes_compress(lanes state[8], lanes w[16])
{
    lanes s[8];

#pragma GCC unroll 8
    for (unsigned i = 0; i < 8; i++)
        s[i] = state[i];
    lanes_rounds(s, w, 0);
    for (unsigned first = 16; first < 64; first += 16) {
        lanes_schedule(w);
        lanes_rounds(s, w, first);
    }
#pragma GCC unroll 8
    for (unsigned i = 0; i < 8; i++)
        state[i] += s[i];
}

/* All lanes the same. */
LANES_INLINE lanes lanes_of(uint32_t x)
{
    return (lanes){0} + x;
}

LANES_TARGET static void lanes_nonces(const uint32_t midstate[8], const uint32_t tail[3],
                                      uint32_t first, uint32_t top[LANES])
{
    lanes state[8], w[16], nonce;

    for (unsigned i = 0; i < LANES; i++)
        nonce[i] = first + i;
    for (unsigned i = 0; i < 8; i++)
        state[i] = lanes_of(midstate[i]);
    for (unsigned i = 0; i < 16; i++)
        w[i] = lanes_of(i < 3 ? tail[i] : 0);
    w[3] = nonce << 24 | (nonce & 0xff00) << 8 | (nonce >> 8 & 0xff00) | nonce >> 24;
    w[4] = lanes_of(0x80000000);
    w[15] = lanes_of(640);
    lanes_compress(state, w);
    for (unsigned i = 0; i < 8; i++) {
        w[i] = state[i];
        w[8 + i] = lanes_of(0);
        state[i] = lanes_of(fx_sha256_start[i]);
    }
    w[8] = lanes_of(0x80000000);
    w[15] = lanes_of(256);
    lanes_compress(state, w);
    for (unsigned i = 0; i < LANES; i++)
        top[i] = __builtin_bswap32(state[7][i]);
}

/* count: a multiple of LANES. */
LANES_TARGET static void lanes_run(const uint32_t midstate[8], const uint32_t tail[3],
                                   uint32_t first, size_t count, uint32_t *top)
{
    for (size_t at = 0; at < count; at += LANES)
        lanes_nonces(midstate, tail, first + (uint32_t)at, top + at);
}
