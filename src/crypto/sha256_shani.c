/*
 * SHA-256 compression with the x86 SHA extensions: one stream, and two streams interleaved, since
 * the instructions have a long latency that a second, independent stream fills.
 */
#include "src/crypto/sha256_int.h"

#ifdef FX_CRYPTO_X86

#include <immintrin.h>

#define SHANI __attribute__((target("sha,sse4.1,ssse3")))
#define SHANI_INLINE SHANI __attribute__((always_inline)) static inline

/* The state as the instructions want it: words A B E F and C D G H, from the highest lane down. */
struct lanes {
    __m128i abef, cdgh;
};

SHANI_INLINE struct lanes lanes_load(const uint32_t s[8])
{
    const __m128i dcba = _mm_loadu_si128((const __m128i *)(const void *)s);
    const __m128i hgfe = _mm_loadu_si128((const __m128i *)(const void *)(s + 4));
    const __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1);
    const __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);
    return (struct lanes){_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xf0)};
}

SHANI_INLINE void lanes_store(uint32_t s[8], struct lanes l)
{
    const __m128i feba = _mm_shuffle_epi32(l.abef, 0x1b);
    const __m128i dchg = _mm_shuffle_epi32(l.cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)s, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(s + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/* Reverses the bytes of each 32-bit word. */
SHANI_INLINE __m128i swap_words(__m128i v)
{
    return _mm_shuffle_epi8(v, _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
}

SHANI_INLINE void message_load(__m128i m[4], const uint8_t *data)
{
    for (unsigned i = 0; i < 4; i++)
        m[i] = swap_words(_mm_loadu_si128((const __m128i *)(const void *)(data + 16 * i)));
}

/* Rounds 4i .. 4i + 3. m holds the last sixteen message words; from the fifth call on the next four
 * are made first. */
SHANI_INLINE void four_rounds(struct lanes *l, __m128i m[4], unsigned i)
{
    if (i >= 4) {
        const __m128i previous = m[(i + 3) & 3];
        const __m128i shifted = _mm_alignr_epi8(previous, m[(i + 2) & 3], 4);
        const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(m[i & 3], m[(i + 1) & 3]), shifted);
        m[i & 3] = _mm_sha256msg2_epu32(sum, previous);
    }
    const __m128i k = _mm_loadu_si128((const __m128i *)(const void *)(fx_sha256_k + 4 * i));
    const __m128i kw = _mm_add_epi32(m[i & 3], k);
    l->cdgh = _mm_sha256rnds2_epu32(l->cdgh, l->abef, kw);
    l->abef = _mm_sha256rnds2_epu32(l->abef, l->cdgh, _mm_shuffle_epi32(kw, 0x0e));
}

SHANI_INLINE void compress(struct lanes *l, __m128i m[4])
{
    const struct lanes before = *l;
#pragma GCC unroll 16
    for (unsigned i = 0; i < 16; i++)
        four_rounds(l, m, i);
    l->abef = _mm_add_epi32(l->abef, before.abef);
    l->cdgh = _mm_add_epi32(l->cdgh, before.cdgh);
}

SHANI_INLINE void compress_two(struct lanes *a, __m128i ma[4], struct lanes *b, __m128i mb[4])
{
    const struct lanes before_a = *a, before_b = *b;
#pragma GCC unroll 16
    for (unsigned i = 0; i < 16; i++) {
        four_rounds(a, ma, i);
        four_rounds(b, mb, i);
    }
    a->abef = _mm_add_epi32(a->abef, before_a.abef);
    a->cdgh = _mm_add_epi32(a->cdgh, before_a.cdgh);
    b->abef = _mm_add_epi32(b->abef, before_b.abef);
    b->cdgh = _mm_add_epi32(b->cdgh, before_b.cdgh);
}

SHANI void fx_sha256_transform_shani(uint32_t state[8], const uint8_t *data, size_t blocks)
{
    struct lanes l = lanes_load(state);
    for (; blocks > 0; blocks--, data += 64) {
        __m128i m[4];
        message_load(m, data);
        compress(&l, m);
    }
    lanes_store(state, l);
}

/* The block of padding after 64 bytes of message. */
SHANI_INLINE void message_padding(__m128i m[4])
{
    m[0] = _mm_set_epi32(0, 0, 0, (int)0x80000000);
    m[1] = _mm_setzero_si128();
    m[2] = _mm_setzero_si128();
    m[3] = _mm_set_epi32(512, 0, 0, 0);
}

/* The one block that hashes a 32-byte digest, given as a state. */
SHANI_INLINE void message_digest(__m128i m[4], struct lanes l)
{
    const __m128i feba = _mm_shuffle_epi32(l.abef, 0x1b);
    const __m128i dchg = _mm_shuffle_epi32(l.cdgh, 0xb1);
    m[0] = _mm_blend_epi16(feba, dchg, 0xf0);
    m[1] = _mm_alignr_epi8(dchg, feba, 8);
    m[2] = _mm_set_epi32(0, 0, 0, (int)0x80000000);
    m[3] = _mm_set_epi32(256, 0, 0, 0);
}

SHANI_INLINE void digest_store(uint8_t *out, struct lanes l)
{
    const __m128i feba = _mm_shuffle_epi32(l.abef, 0x1b);
    const __m128i dchg = _mm_shuffle_epi32(l.cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)out, swap_words(_mm_blend_epi16(feba, dchg, 0xf0)));
    _mm_storeu_si128((__m128i *)(void *)(out + 16), swap_words(_mm_alignr_epi8(dchg, feba, 8)));
}

SHANI void fx_sha256d_64_shani(uint8_t *out, const uint8_t *in, size_t count)
{
    const struct lanes initial = lanes_load(fx_sha256_start);
    for (; count >= 2; count -= 2, in += 128, out += 64) {
        struct lanes a = initial, b = initial;
        __m128i ma[4], mb[4];
        message_load(ma, in);
        message_load(mb, in + 64);
        compress_two(&a, ma, &b, mb);
        message_padding(ma);
        message_padding(mb);
        compress_two(&a, ma, &b, mb);
        message_digest(ma, a);
        message_digest(mb, b);
        a = b = initial;
        compress_two(&a, ma, &b, mb);
        digest_store(out, a);
        digest_store(out + 32, b);
    }
    if (count == 1) {
        struct lanes a = initial;
        __m128i m[4];
        message_load(m, in);
        compress(&a, m);
        message_padding(m);
        compress(&a, m);
        message_digest(m, a);
        a = initial;
        compress(&a, m);
        digest_store(out, a);
    }
}

/* The second block of a header. */
SHANI_INLINE void message_nonce(__m128i m[4], const uint32_t tail[3], uint32_t nonce)
{
    m[0] = _mm_set_epi32((int)__builtin_bswap32(nonce), (int)tail[2], (int)tail[1], (int)tail[0]);
    m[1] = _mm_set_epi32(0, 0, 0, (int)0x80000000);
    m[2] = _mm_setzero_si128();
    m[3] = _mm_set_epi32(640, 0, 0, 0);
}

/* The last word of the digest, as the bytes of it come. */
SHANI_INLINE uint32_t digest_top(struct lanes l)
{
    return __builtin_bswap32((uint32_t)_mm_cvtsi128_si32(l.cdgh));
}

SHANI void fx_sha256d_nonces_shani(const uint32_t midstate[8], const uint32_t tail[3],
                                   uint32_t first, size_t count, uint32_t *top)
{
    const struct lanes initial = lanes_load(fx_sha256_start), middle = lanes_load(midstate);
    for (size_t at = 0; at < count; at += 2) {
        struct lanes a = middle, b = middle;
        __m128i ma[4], mb[4];
        message_nonce(ma, tail, first + (uint32_t)at);
        message_nonce(mb, tail, first + (uint32_t)at + 1);
        compress_two(&a, ma, &b, mb);
        message_digest(ma, a);
        message_digest(mb, b);
        a = b = initial;
        compress_two(&a, ma, &b, mb);
        top[at] = digest_top(a);
        top[at + 1] = digest_top(b);
    }
}

#endif
