/* ChaCha20 keystream with AVX2, eight blocks at a time: lane x of word w is word w of block x. */
#include "src/crypto/chacha20_int.h"

#ifdef FX_CRYPTO_X86

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))
#define AVX2_INLINE AVX2 __attribute__((always_inline)) static inline

/* Rotations by 16 and 8 move whole bytes: one shuffle each. */
AVX2_INLINE __m256i rotate_16(__m256i v)
{
    return _mm256_shuffle_epi8(v, _mm256_set_epi64x(0x0d0c0f0e09080b0a, 0x0504070601000302,
                                                    0x0d0c0f0e09080b0a, 0x0504070601000302));
}

AVX2_INLINE __m256i rotate_8(__m256i v)
{
    return _mm256_shuffle_epi8(v, _mm256_set_epi64x(0x0e0d0c0f0a09080b, 0x0605040702010003,
                                                    0x0e0d0c0f0a09080b, 0x0605040702010003));
}

AVX2_INLINE void quarter_round(__m256i *a, __m256i *b, __m256i *c, __m256i *d)
{
    *a = _mm256_add_epi32(*a, *b);
    *d = rotate_16(_mm256_xor_si256(*d, *a));
    *c = _mm256_add_epi32(*c, *d);
    *b = _mm256_xor_si256(*b, *c);
    *b = _mm256_or_si256(_mm256_slli_epi32(*b, 12), _mm256_srli_epi32(*b, 20));
    *a = _mm256_add_epi32(*a, *b);
    *d = rotate_8(_mm256_xor_si256(*d, *a));
    *c = _mm256_add_epi32(*c, *d);
    *b = _mm256_xor_si256(*b, *c);
    *b = _mm256_or_si256(_mm256_slli_epi32(*b, 7), _mm256_srli_epi32(*b, 25));
}

/* Sixteen bytes of block x, from the low half, and of block x + 4, from the high half. */
AVX2_INLINE void store_halves(uint8_t *out, __m256i v)
{
    _mm_storeu_si128((__m128i *)(void *)out, _mm256_castsi256_si128(v));
    _mm_storeu_si128((__m128i *)(void *)(out + 256), _mm256_extracti128_si256(v, 1));
}

/* Words w[0..3] of eight blocks, to bytes 0..15 of each. */
AVX2_INLINE void store_words(uint8_t *out, const __m256i w[4])
{
    const __m256i low01 = _mm256_unpacklo_epi32(w[0], w[1]);
    const __m256i high01 = _mm256_unpackhi_epi32(w[0], w[1]);
    const __m256i low23 = _mm256_unpacklo_epi32(w[2], w[3]);
    const __m256i high23 = _mm256_unpackhi_epi32(w[2], w[3]);
    store_halves(out, _mm256_unpacklo_epi64(low01, low23));
    store_halves(out + 64, _mm256_unpackhi_epi64(low01, low23));
    store_halves(out + 128, _mm256_unpacklo_epi64(high01, high23));
    store_halves(out + 192, _mm256_unpackhi_epi64(high01, high23));
}

AVX2 size_t fx_chacha20_blocks_avx2(const uint32_t input[16], uint8_t *out, size_t blocks)
{
    const size_t whole = blocks / 8 * 8;
    const __m256i offsets = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
    for (size_t done = 0; done < whole; done += 8, out += 512) {
        const uint32_t counter = input[12] + (uint32_t)done;
        const __m256i counters = _mm256_add_epi32(_mm256_set1_epi32((int)counter), offsets);
        __m256i s[16];
        for (unsigned i = 0; i < 16; i++)
            s[i] = _mm256_set1_epi32((int)input[i]);
        s[12] = counters;
        for (unsigned round = 0; round < 10; round++) {
            quarter_round(&s[0], &s[4], &s[8], &s[12]);
            quarter_round(&s[1], &s[5], &s[9], &s[13]);
            quarter_round(&s[2], &s[6], &s[10], &s[14]);
            quarter_round(&s[3], &s[7], &s[11], &s[15]);
            quarter_round(&s[0], &s[5], &s[10], &s[15]);
            quarter_round(&s[1], &s[6], &s[11], &s[12]);
            quarter_round(&s[2], &s[7], &s[8], &s[13]);
            quarter_round(&s[3], &s[4], &s[9], &s[14]);
        }
        for (unsigned i = 0; i < 16; i++) {
            const __m256i first = i == 12 ? counters : _mm256_set1_epi32((int)input[i]);
            s[i] = _mm256_add_epi32(s[i], first);
        }
        for (unsigned i = 0; i < 4; i++)
            store_words(out + 16 * i, s + 4 * i);
    }
    return whole;
}

#endif
