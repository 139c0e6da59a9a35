/*
 * A matrix in a .npy file as a panel matrix: 128 rows at a time, int8, padded with zeros to
 * multiples of 128 rows and 256 columns. The file is mapped, and pages are given back as the reader
 * goes on, so memory stays bounded for any size.
 */
#ifndef FX_CLI_MATRIX_H
#define FX_CLI_MATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/util/npy.h"

#define FX_MATRIX_ERROR 512

struct fx_matrix {
    const char *path; /* the caller's */
    struct fx_npy npy;
    const uint8_t *file; /* mapped */
    size_t size;
    bool transposed;      /* rows of the panel matrix are columns of the file's */
    uint64_t rows, depth; /* of the panel matrix, before padding */
    uint64_t padded_rows, padded_depth;
};

/* False: error is one sentence that names the file. */
bool fx_matrix_open(struct fx_matrix *m, const char *path, bool transposed,
                    char error[FX_MATRIX_ERROR]);
void fx_matrix_close(struct fx_matrix *m);
/* Rows [row, row + 128) of the panel matrix into out, 128 * padded_depth bytes. False: an entry is
 * not from -64 to 63; error names index and value. */
bool fx_matrix_panel(const struct fx_matrix *m, uint64_t row, int8_t *out,
                     char error[FX_MATRIX_ERROR]);

#endif
