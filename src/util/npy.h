/*
 * NumPy's .npy format, versions 1.0, 2.0 and 3.0: the header, and the elements as 64-bit integers
 * or doubles. Reading is by callback so that a file larger than memory streams.
 */
#ifndef FX_UTIL_NPY_H
#define FX_UTIL_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FX_NPY_HEADER_MAX 65536
#define FX_NPY_ERROR 200
#define FX_NPY_TEXT 32

struct fx_npy {
    uint64_t rows, columns; /* of a 2-d array */
    unsigned item;          /* bytes an element: 1, 2, 4, 8 */
    bool is_float;          /* IEEE 754, of 4 or 8 bytes; else an integer */
    bool is_signed;
    bool big_endian;
    bool fortran;       /* column-major */
    size_t data_offset; /* where the elements start */
};

/*
 * Parses the start of a file. `start` holds its first n bytes (give at least FX_NPY_HEADER_MAX + 12
 * or the whole file); file_size is the size of the whole file. On failure writes one sentence that
 * names the cause: not a .npy file, a dtype
 * that is neither an integer nor a float of 4 or 8 bytes, 0-d, 1-d or more than 2-d, empty,
 * truncated, header over 64 KiB, shape that overflows.
 */
bool fx_npy_parse(struct fx_npy *npy, const uint8_t *start, size_t n, uint64_t file_size,
                  char error[FX_NPY_ERROR]);
/* Element number `at` of `data`, which holds elements of this integer dtype, as a value. uint64
 * above INT64_MAX gives INT64_MAX. */
int64_t fx_npy_element(const struct fx_npy *npy, const uint8_t *data, size_t at);
/* The same of a float dtype; may be infinite or not a number. */
double fx_npy_real(const struct fx_npy *npy, const uint8_t *data, size_t at);
/* The same of any dtype, as people write it; uint64 as it is. */
void fx_npy_text(const struct fx_npy *npy, const uint8_t *data, size_t at, char text[FX_NPY_TEXT]);
/* A version 1.0 header of a 2-d little-endian C-order array, "<i4" for dtype say; returns its
 * length (a multiple of 64). */
size_t fx_npy_header(uint8_t out[256], const char *dtype, uint64_t rows, uint64_t columns);

#endif
