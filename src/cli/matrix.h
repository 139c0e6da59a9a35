/*
 * A matrix in a .npy file as the panel matrices of an operand: 128 rows at a time, int8, padded
 * with zeros to multiples of 128 rows and 256 columns. Floats are multiplied with a scale and
 * rounded; numbers wider than an entry are cut into limbs (src/util/limbs.h), which stand one below
 * the other; and what is deeper than a product may be is cut into parts along the depth. The file
 * is mapped, and pages are given back as the reader goes on, so memory stays bounded for any size.
 */
#ifndef FX_CLI_MATRIX_H
#define FX_CLI_MATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/util/npy.h"

#define FX_MATRIX_ERROR 512
#define FX_MATRIX_PART UINT64_C(65536) /* depth of all parts but the last */

struct fx_matrix {
    const char *path; /* the caller's */
    struct fx_npy npy;
    const uint8_t *file; /* mapped */
    size_t size;
    bool transposed;      /* rows of the panel matrix are columns of the file's */
    uint64_t rows, depth; /* of the matrix as an operand, before limbs and padding */
    uint64_t n_parts;
    /* set by fx_matrix_scan */
    double scale;         /* 1 for integers */
    unsigned limbs;       /* of an entry */
    uint64_t largest;     /* magnitude of an integer entry or a scaled and rounded one */
    uint64_t padded_rows; /* of all limbs */
};

/* Maps it and reads its header. False: error is one sentence that names the file. */
bool fx_matrix_open(struct fx_matrix *m, const char *path, bool transposed,
                    char error[FX_MATRIX_ERROR]);
void fx_matrix_close(struct fx_matrix *m);
/* Looks at every entry, and chooses the limbs, and the scale of floats where it is given as 0: the
 * largest power of two with which two limbs hold all of them. False: an entry is infinite or no
 * number, or too large; error names index and value. */
bool fx_matrix_scan(struct fx_matrix *m, double scale, char error[FX_MATRIX_ERROR]);
/* The most by which an entry over the scale can differ from what the file has. */
double fx_matrix_rounding(const struct fx_matrix *m);
/* Depth of a part, with padding. */
uint64_t fx_matrix_padded_depth(const struct fx_matrix *m, uint64_t part);
/* Rows [row, row + 128) of a part's panel matrix into out, 128 times its padded depth of bytes. row
 * is a multiple of 128 below padded_rows. */
void fx_matrix_panel(const struct fx_matrix *m, uint64_t part, uint64_t row, int8_t *out);

#endif
