/* Panels of a matrix in a .npy file, checked and padded. */
#include "src/cli/matrix.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* As in consensus/brick.h, which a client does not link. */
#define TILE 128
#define DEPTH 256
#define ENTRY_MIN (-64)
#define ENTRY_MAX 63
#define ROWS_MAX (UINT64_C(1) << 24)
#define DEPTH_MAX UINT64_C(65536)
#define RESIDENT_MAX (UINT64_C(16) << 20) /* bytes of the file mapped in at a time */

static bool fail_errno(const char *path, char *error)
{
    snprintf(error, FX_MATRIX_ERROR, "%.300s: %s", path, strerror(errno));
    return false;
}

static uint64_t round_up(uint64_t v, uint64_t to)
{
    return (v + to - 1) / to * to;
}

static bool map_file(struct fx_matrix *m, char *error)
{
    struct stat st;
    int fd = open(m->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail_errno(m->path, error);
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        snprintf(error, FX_MATRIX_ERROR, "%.300s: not a regular file", m->path);
        return false;
    }
    m->size = (size_t)st.st_size;
    if (m->size > 0) {
        void *p = mmap(NULL, m->size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED) {
            close(fd);
            return fail_errno(m->path, error);
        }
        m->file = p;
    }
    close(fd);
    return true;
}

bool fx_matrix_open(struct fx_matrix *m, const char *path, bool transposed,
                    char error[FX_MATRIX_ERROR])
{
    char why[FX_NPY_ERROR];
    memset(m, 0, sizeof(*m));
    m->path = path;
    m->transposed = transposed;
    if (!map_file(m, error)) {
        return false;
    }
    const size_t start = m->size < FX_NPY_HEADER_MAX + 12 ? m->size : FX_NPY_HEADER_MAX + 12;
    if (!fx_npy_parse(&m->npy, m->file, start, m->size, why)) {
        snprintf(error, FX_MATRIX_ERROR, "%.300s: %s", path, why);
        fx_matrix_close(m);
        return false;
    }
    m->rows = transposed ? m->npy.columns : m->npy.rows;
    m->depth = transposed ? m->npy.rows : m->npy.columns;
    if (m->rows > ROWS_MAX || m->depth > DEPTH_MAX) {
        snprintf(error, FX_MATRIX_ERROR,
                 "%.300s: %" PRIu64 " x %" PRIu64 " is too large: a product has at most 16,777,216 "
                 "rows and columns, and a depth of at most 65,536",
                 path, m->npy.rows, m->npy.columns);
        fx_matrix_close(m);
        return false;
    }
    m->padded_rows = round_up(m->rows, TILE);
    m->padded_depth = round_up(m->depth, DEPTH);
    return true;
}

void fx_matrix_close(struct fx_matrix *m)
{
    if (m->file) {
        munmap((void *)(uintptr_t)m->file, m->size);
    }
    m->file = NULL;
}

static bool refuse(const struct fx_matrix *m, uint64_t i, uint64_t j, int64_t value, char *error)
{
    snprintf(error, FX_MATRIX_ERROR,
             "%.300s: entry [%" PRIu64 ", %" PRIu64 "] is %" PRId64
             "; entries must be from -64 to 63",
             m->path, i, j, value);
    return false;
}

/* The pages stay in the system's cache; they only leave this process. */
static void give_back(const struct fx_matrix *m)
{
    (void)madvise((void *)(uintptr_t)m->file, m->size, MADV_DONTNEED);
}

/* Walks the file in its own order, so that a panel touches each page of its part once. */
static bool copy(const struct fx_matrix *m, uint64_t row, uint64_t n_rows, int8_t *out, char *error)
{
    const uint8_t *data = m->file + m->npy.data_offset;
    /* The file's elements of one panel row lie side by side, or those of one column do. */
    const bool along = m->transposed == m->npy.fortran;
    const uint64_t outer = along ? n_rows : m->depth, inner = along ? m->depth : n_rows;
    const uint64_t stride = (m->npy.fortran ? m->npy.rows : m->npy.columns) * m->npy.item;
    uint64_t passed = 0; /* bytes of the file since pages were last given back */
    for (uint64_t x = 0; x < outer; x++) {
        passed += stride;
        if (passed > RESIDENT_MAX) {
            give_back(m);
            passed = 0;
        }
        for (uint64_t y = 0; y < inner; y++) {
            uint64_t r = along ? x : y, d = along ? y : x;
            uint64_t i = m->transposed ? d : row + r, j = m->transposed ? row + r : d;
            uint64_t at = m->npy.fortran ? j * m->npy.rows + i : i * m->npy.columns + j;
            int64_t value = fx_npy_element(&m->npy, data, (size_t)at);
            if (value < ENTRY_MIN || value > ENTRY_MAX) {
                return refuse(m, i, j, value, error);
            }
            out[r * m->padded_depth + d] = (int8_t)value;
        }
    }
    return true;
}

bool fx_matrix_panel(const struct fx_matrix *m, uint64_t row, int8_t *out,
                     char error[FX_MATRIX_ERROR])
{
    uint64_t n_rows = m->rows > row ? m->rows - row : 0;
    memset(out, 0, TILE * m->padded_depth);
    bool ok = copy(m, row, n_rows < TILE ? n_rows : TILE, out, error);
    give_back(m);
    return ok;
}
