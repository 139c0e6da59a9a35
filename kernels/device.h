/*
 * What the kernels of all devices compute alike: ChaCha20 blocks, SHA-256, tickets (protocol
 * section 6). Written in what C11, OpenCL C 1.2 and CUDA have in common, for values in registers:
 * unsigned 32-bit words, private arrays, loops of constant length.
 */
#ifndef FX_KERNELS_DEVICE_H
#define FX_KERNELS_DEVICE_H

#if defined(__OPENCL_VERSION__)
#define FX_FN static
#define FX_TABLE __constant
#define FX_U32 uint
#define FX_UNROLL _Pragma("unroll")
#elif defined(__CUDACC__)
#define FX_FN static __device__ __forceinline__
#define FX_TABLE static __constant__ const
#define FX_U32 unsigned int
#define FX_UNROLL _Pragma("unroll")
#else
#define FX_FN static inline
#define FX_TABLE static const
#define FX_U32 unsigned int
#define FX_UNROLL
#endif

/*
 * Constants of a header, made by the host, in words.
 * Tickets: noise key (8, as ChaCha20 has them), midstate of the ticket (8), target (8, least
 * significant first).
 */
#define FX_HEADER_KEY 0
#define FX_HEADER_MIDSTATE 8
#define FX_HEADER_TARGET 16
#define FX_HEADER_WORDS 24
/* Hash lane: midstate of the first 64 bytes (8), the next three words as SHA-256 has them, target
 * (8). */
#define FX_LANE_MIDSTATE 0
#define FX_LANE_TAIL 8
#define FX_LANE_TARGET 11
#define FX_LANE_WORDS 19

/* The nonce of a noise stream: purpose, side, x. */
#define FX_PURPOSE_PANEL 0
#define FX_PURPOSE_PERM 1

FX_TABLE FX_U32 fx_sha_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

FX_TABLE FX_U32 fx_sha_start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

FX_FN FX_U32 fx_rotl(FX_U32 x, FX_U32 n)
{
    return (x << (n & 31)) | (x >> ((32 - n) & 31));
}

FX_FN FX_U32 fx_swap(FX_U32 x)
{
    return (fx_rotl(x, 8) & 0x00ff00ff) | (fx_rotl(x, 24) & 0xff00ff00);
}

#define FX_CHACHA_QUARTER(a, b, c, d)    \
    do {                                 \
        x[a] += x[b];                    \
        x[d] = fx_rotl(x[d] ^ x[a], 16); \
        x[c] += x[d];                    \
        x[b] = fx_rotl(x[b] ^ x[c], 12); \
        x[a] += x[b];                    \
        x[d] = fx_rotl(x[d] ^ x[a], 8);  \
        x[c] += x[d];                    \
        x[b] = fx_rotl(x[b] ^ x[c], 7);  \
    } while (0)

/* Block `counter` of the noise stream (purpose, side, at) under a key. */
FX_FN void fx_noise_words(const FX_U32 key[8], FX_U32 counter, FX_U32 purpose, FX_U32 side,
                          FX_U32 at, FX_U32 out[16])
{
    FX_U32 x[16];

    x[0] = out[0] = 0x61707865;
    x[1] = out[1] = 0x3320646e;
    x[2] = out[2] = 0x79622d32;
    x[3] = out[3] = 0x6b206574;
    FX_UNROLL
    for (int w = 0; w < 8; w++)
        x[4 + w] = out[4 + w] = key[w];
    x[12] = out[12] = counter;
    x[13] = out[13] = purpose;
    x[14] = out[14] = side;
    x[15] = out[15] = at;
    for (int round = 0; round < 10; round++) {
        FX_CHACHA_QUARTER(0, 4, 8, 12);
        FX_CHACHA_QUARTER(1, 5, 9, 13);
        FX_CHACHA_QUARTER(2, 6, 10, 14);
        FX_CHACHA_QUARTER(3, 7, 11, 15);
        FX_CHACHA_QUARTER(0, 5, 10, 15);
        FX_CHACHA_QUARTER(1, 6, 11, 12);
        FX_CHACHA_QUARTER(2, 7, 8, 13);
        FX_CHACHA_QUARTER(3, 4, 9, 14);
    }
    FX_UNROLL
    for (int w = 0; w < 16; w++)
        out[w] += x[w];
}

/* Four noise entries of four stream bytes: (byte & 0x7f) - 64, each as an int8. */
FX_FN FX_U32 fx_noise_entries(FX_U32 bytes)
{
    FX_U32 low = (bytes & 0x7f7f7f7f) ^ 0x40404040;

    return low | ((low & 0x40404040) << 1);
}

#define FX_SHA_ROUND(a, b, c, d, e, f, g, h, i)                                \
    do {                                                                       \
        FX_U32 one = (h) + (fx_rotl(e, 26) ^ fx_rotl(e, 21) ^ fx_rotl(e, 7)) + \
                     ((g) ^ ((e) & ((f) ^ (g)))) + fx_sha_k[i] + w[(i)&15];    \
        FX_U32 two = (fx_rotl(a, 30) ^ fx_rotl(a, 19) ^ fx_rotl(a, 10)) +      \
                     (((a) & (b)) | ((c) & ((a) | (b))));                      \
        (d) += one;                                                            \
        (h) = one + two;                                                       \
    } while (0)

/* state after one more block; w is used up. */
FX_FN void fx_sha_block(FX_U32 state[8], FX_U32 w[16])
{
    FX_U32 a = state[0], b = state[1], c = state[2], d = state[3];
    FX_U32 e = state[4], f = state[5], g = state[6], h = state[7];

    FX_UNROLL
    for (int i = 0; i < 64; i += 16) {
        if (i) {
            FX_UNROLL
            for (int t = 0; t < 16; t++) {
                FX_U32 far = w[(t + 1) & 15], near = w[(t + 14) & 15];

                w[t] += (fx_rotl(far, 25) ^ fx_rotl(far, 14) ^ (far >> 3)) + w[(t + 9) & 15] +
                        (fx_rotl(near, 15) ^ fx_rotl(near, 13) ^ (near >> 10));
            }
        }
        FX_SHA_ROUND(a, b, c, d, e, f, g, h, i);
        FX_SHA_ROUND(h, a, b, c, d, e, f, g, i + 1);
        FX_SHA_ROUND(g, h, a, b, c, d, e, f, i + 2);
        FX_SHA_ROUND(f, g, h, a, b, c, d, e, i + 3);
        FX_SHA_ROUND(e, f, g, h, a, b, c, d, i + 4);
        FX_SHA_ROUND(d, e, f, g, h, a, b, c, i + 5);
        FX_SHA_ROUND(c, d, e, f, g, h, a, b, i + 6);
        FX_SHA_ROUND(b, c, d, e, f, g, h, a, i + 7);
        FX_SHA_ROUND(a, b, c, d, e, f, g, h, i + 8);
        FX_SHA_ROUND(h, a, b, c, d, e, f, g, i + 9);
        FX_SHA_ROUND(g, h, a, b, c, d, e, f, i + 10);
        FX_SHA_ROUND(f, g, h, a, b, c, d, e, i + 11);
        FX_SHA_ROUND(e, f, g, h, a, b, c, d, i + 12);
        FX_SHA_ROUND(d, e, f, g, h, a, b, c, i + 13);
        FX_SHA_ROUND(c, d, e, f, g, h, a, b, i + 14);
        FX_SHA_ROUND(b, c, d, e, f, g, h, a, i + 15);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

/* The ticket of a brick as SHA-256 words: state holds the midstate and then the ticket. */
FX_FN void fx_ticket_words(FX_U32 state[8], const FX_U32 fold[8], FX_U32 i, FX_U32 j, FX_U32 l)
{
    FX_U32 w[16];

    FX_UNROLL
    for (int t = 0; t < 8; t++)
        w[t] = fx_swap(fold[t]);
    w[8] = fx_swap(i);
    w[9] = fx_swap(j);
    w[10] = fx_swap(l);
    w[11] = 0x80000000;
    w[12] = w[13] = w[14] = 0;
    w[15] = (64 + 64 + 44) * 8; /* tag, seed and zeros, the rest: in bits */
    fx_sha_block(state, w);
}

/* The id of a header of the hash lane: out holds the midstate and then the id as words. */
FX_FN void fx_header_id(FX_U32 out[8], const FX_U32 tail[3], FX_U32 nonce)
{
    FX_U32 w[16];

    w[0] = tail[0];
    w[1] = tail[1];
    w[2] = tail[2];
    w[3] = fx_swap(nonce);
    w[4] = 0x80000000;
    FX_UNROLL
    for (int t = 5; t < 15; t++)
        w[t] = 0;
    w[15] = 640;
    fx_sha_block(out, w);
    FX_UNROLL
    for (int t = 0; t < 8; t++) {
        w[t] = out[t];
        out[t] = fx_sha_start[t];
    }
    w[8] = 0x80000000;
    FX_UNROLL
    for (int t = 9; t < 15; t++)
        w[t] = 0;
    w[15] = 256;
    fx_sha_block(out, w);
}

/* Is the digest, taken as a little-endian number, at most target? */
FX_FN int fx_meets(const FX_U32 digest[8], const FX_U32 target[8])
{
    FX_UNROLL
    for (int t = 7; t >= 0; t--) {
        FX_U32 word = fx_swap(digest[t]);

        if (word != target[t])
            return word < target[t];
    }
    return 1;
}

/*
 * Peeling: a gathered sum in balanced digits of eight bits, so that value = sum of
 * digit_t * 256^t. |value| <= 32768, so the third is 0 but for a few values near the end.
 */
FX_FN int fx_limb(int value, int t)
{
    for (int at = 0; at < t; at++)
        value = (value - (int)(signed char)(value & 0xff)) / 256;
    return (int)(signed char)(value & 0xff);
}

#endif
