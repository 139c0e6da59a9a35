/*
 * Sixteen by sixteen bytes, transposed: out[c][r] = in[r][c], where rows of `in` are in_stride
 * bytes apart and those of `out` out_stride. The two do not overlap.
 */
#ifndef FX_UTIL_TRANSPOSE_H
#define FX_UTIL_TRANSPOSE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FX_TRANSPOSE 16

#if defined(__SSE2__)
#include <emmintrin.h>

/* Four times, rows i and i + 8 are dealt into one another. */
__attribute__((always_inline)) static inline void fx_transpose(const int8_t *in, size_t in_stride,
                                                               int8_t *out, size_t out_stride)
{
    __m128i v[FX_TRANSPOSE], t[FX_TRANSPOSE];

#pragma GCC unroll 16
    for (unsigned r = 0; r < FX_TRANSPOSE; r++)
        v[r] = _mm_loadu_si128((const __m128i *)(const void *)(in + r * in_stride));
#pragma GCC unroll 4
    for (unsigned round = 0; round < 4; round++) {
#pragma GCC unroll 8
        for (unsigned i = 0; i < 8; i++) {
            t[2 * i] = _mm_unpacklo_epi8(v[i], v[i + 8]);
            t[2 * i + 1] = _mm_unpackhi_epi8(v[i], v[i + 8]);
        }
        memcpy(v, t, sizeof v);
    }
#pragma GCC unroll 16
    for (unsigned c = 0; c < FX_TRANSPOSE; c++)
        _mm_storeu_si128((__m128i *)(void *)(out + c * out_stride), v[c]);
}
#else
static inline void fx_transpose(const int8_t *in, size_t in_stride, int8_t *out, size_t out_stride)
{
    for (size_t c = 0; c < FX_TRANSPOSE; c++) {
        for (size_t r = 0; r < FX_TRANSPOSE; r++)
            out[c * out_stride + r] = in[r * in_stride + c];
    }
}
#endif

#endif
