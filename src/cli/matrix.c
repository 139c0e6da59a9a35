/* Panels of a matrix in a .npy file: checked, scaled, cut into limbs and parts, padded. */
#include "src/cli/matrix.h"

#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/util/limbs.h"

/* As in consensus/brick.h, which a client does not link. */
#define TILE 128
#define DEPTH 256
#define ROWS_MAX (UINT64_C(1) << 24) /* with all limbs */
#define DEPTH_MAX (UINT64_C(1) << 24)
#define INT_MIN_VALUE (-32768) /* int16 and uint16: their products' sums fit 64 bits */
#define INT_MAX_VALUE 65535
#define CHOSEN_LIMBS 2                    /* of floats, where no scale is given */
#define EPSILON 2.220446049250313e-16     /* of a double: 2^-52 */
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
    /* A FIFO would wait for somebody to write to it. */
    int fd = open(m->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return fail_errno(m->path, error);
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        snprintf(error, FX_MATRIX_ERROR,
                 "%.300s: not a regular file; the matrix is read more than once: save it to one",
                 m->path);
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
                 "%.300s: %" PRIu64 " x %" PRIu64 " is too large: no side may have more than "
                 "16,777,216",
                 path, m->npy.rows, m->npy.columns);
        fx_matrix_close(m);
        return false;
    }
    m->n_parts = (m->depth + FX_MATRIX_PART - 1) / FX_MATRIX_PART;
    return true;
}

void fx_matrix_close(struct fx_matrix *m)
{
    if (m->file) {
        munmap((void *)(uintptr_t)m->file, m->size);
    }
    m->file = NULL;
}

/* ---- looking at all entries --------------------------------------------------------------------
 */

/* What a pass over the file finds; where an entry is wrong, which. */
struct scan {
    int64_t low, high; /* integers */
    double most;       /* floats: largest magnitude */
    uint64_t bad_row, bad_column;
    bool bad;
};

/* The pages stay in the system's cache; they only leave this process. */
static void give_back(const struct fx_matrix *m)
{
    (void)madvise((void *)(uintptr_t)m->file, m->size, MADV_DONTNEED);
}

static void scan_entry(const struct fx_matrix *m, const uint8_t *data, size_t at, struct scan *scan)
{
    if (m->npy.is_float) {
        double value = fx_npy_real(&m->npy, data, at);
        double size = value < 0 ? -value : value;
        scan->bad = !(size <= DBL_MAX);
        scan->most = size > scan->most ? size : scan->most;
    } else {
        int64_t value = fx_npy_element(&m->npy, data, at);
        scan->bad = value < INT_MIN_VALUE || value > INT_MAX_VALUE;
        scan->low = value < scan->low ? value : scan->low;
        scan->high = value > scan->high ? value : scan->high;
    }
}

/* In the order of the file; stops at the first entry that is wrong. */
static void scan_file(const struct fx_matrix *m, struct scan *scan)
{
    const uint8_t *data = m->file + m->npy.data_offset;
    uint64_t outer = m->npy.fortran ? m->npy.columns : m->npy.rows;
    uint64_t inner = m->npy.fortran ? m->npy.rows : m->npy.columns, passed = 0;
    for (uint64_t x = 0; x < outer && !scan->bad; x++) {
        for (uint64_t y = 0; y < inner && !scan->bad; y++) {
            scan_entry(m, data, (size_t)(x * inner + y), scan);
            scan->bad_row = m->npy.fortran ? y : x;
            scan->bad_column = m->npy.fortran ? x : y;
        }
        passed += inner * m->npy.item;
        if (passed > RESIDENT_MAX) {
            give_back(m);
            passed = 0;
        }
    }
    give_back(m);
}

static bool refuse_entry(const struct fx_matrix *m, const struct scan *scan, char *error)
{
    uint64_t i = scan->bad_row, j = scan->bad_column;
    size_t at = (size_t)(m->npy.fortran ? j * m->npy.rows + i : i * m->npy.columns + j);
    char value[FX_NPY_TEXT], allowed[64] = "finite";
    if (!m->npy.is_float) {
        snprintf(allowed, sizeof(allowed), "from %d to %d", INT_MIN_VALUE, INT_MAX_VALUE);
    }
    fx_npy_text(&m->npy, m->file + m->npy.data_offset, at, value);
    snprintf(error, FX_MATRIX_ERROR,
             "%.300s: entry [%" PRIu64 ", %" PRIu64 "] is %s; entries must be %s", m->path, i, j,
             value, allowed);
    return false;
}

/* The largest power of two with which values up to `most` stay at or below `limit`. */
static double choose_scale(double most, double limit)
{
    double scale = 1;
    while (most * scale > limit) {
        scale /= 2;
    }
    while (most > 0 && most * scale * 2 <= limit && scale < 1e200) {
        scale *= 2;
    }
    return scale;
}

/* To the nearest integer, halves away from zero. |value| is below 2^31. */
static int64_t rounded(double value)
{
    return (int64_t)(value < 0 ? value - 0.5 : value + 0.5);
}

static bool scan_floats(struct fx_matrix *m, double scale, const struct scan *scan, char *error)
{
    const double limit = (double)fx_limbs_high(FX_LIMBS_MAX);
    m->scale = scale > 0 ? scale : choose_scale(scan->most, (double)fx_limbs_high(CHOSEN_LIMBS));
    if (!(scan->most * m->scale <= limit)) {
        snprintf(error, FX_MATRIX_ERROR,
                 "%.300s: with a scale of %g its largest value, %g, becomes more than %.0f: the "
                 "scale may be at most %g",
                 m->path, m->scale, scan->most, limit, limit / scan->most);
        return false;
    }
    m->largest = (uint64_t)rounded(scan->most * m->scale);
    m->limbs = fx_limbs_needed(-(int64_t)m->largest, (int64_t)m->largest);
    return true;
}

bool fx_matrix_scan(struct fx_matrix *m, double scale, char error[FX_MATRIX_ERROR])
{
    struct scan scan = {.most = 0};
    scan_file(m, &scan);
    if (scan.bad) {
        return refuse_entry(m, &scan, error);
    }
    if (m->npy.is_float) {
        if (!scan_floats(m, scale, &scan, error)) {
            return false;
        }
    } else {
        m->scale = 1;
        m->limbs = fx_limbs_needed(scan.low, scan.high);
        m->largest = (uint64_t)(-scan.low > scan.high ? -scan.low : scan.high);
    }
    m->padded_rows = round_up(m->rows * m->limbs, TILE);
    if (m->padded_rows > ROWS_MAX) {
        snprintf(error, FX_MATRIX_ERROR,
                 "%.300s: %" PRIu64 " rows of a product times %u limbs of an entry are more than "
                 "16,777,216",
                 m->path, m->rows, m->limbs);
        return false;
    }
    return true;
}

double fx_matrix_rounding(const struct fx_matrix *m)
{
    return m->npy.is_float ? (0.5 + (double)m->largest * EPSILON) / m->scale : 0;
}

/* ---- panels ------------------------------------------------------------------------------------
 */

uint64_t fx_matrix_padded_depth(const struct fx_matrix *m, uint64_t part)
{
    uint64_t left = m->depth - part * FX_MATRIX_PART;
    return round_up(left < FX_MATRIX_PART ? left : FX_MATRIX_PART, DEPTH);
}

static int64_t entry(const struct fx_matrix *m, const uint8_t *data, uint64_t i, uint64_t j)
{
    size_t at = (size_t)(m->npy.fortran ? j * m->npy.rows + i : i * m->npy.columns + j);
    return m->npy.is_float ? rounded(fx_npy_real(&m->npy, data, at) * m->scale)
                           : fx_npy_element(&m->npy, data, at);
}

/* A block of one limb: rows [row, row + n_rows), columns [from, from + depth) of the operand. */
struct block {
    unsigned limb;
    uint64_t row, n_rows, from, depth;
};

/* Walks the file in its own order, so that a panel touches each page of its part once. */
static void copy(const struct fx_matrix *m, const struct block *b, uint64_t width, int8_t *out)
{
    const uint8_t *data = m->file + m->npy.data_offset;
    /* The file's elements of one panel row lie side by side, or those of one column do. */
    const bool along = m->transposed == m->npy.fortran;
    const uint64_t outer = along ? b->n_rows : b->depth, inner = along ? b->depth : b->n_rows;
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
            uint64_t row = b->row + r, column = b->from + d;
            int64_t value =
                m->transposed ? entry(m, data, column, row) : entry(m, data, row, column);
            out[r * width + d] = (int8_t)fx_limb(value, b->limb);
        }
    }
}

void fx_matrix_panel(const struct fx_matrix *m, uint64_t part, uint64_t row, int8_t *out)
{
    const uint64_t width = fx_matrix_padded_depth(m, part);
    uint64_t left = m->depth - part * FX_MATRIX_PART;
    struct block b = {.from = part * FX_MATRIX_PART,
                      .depth = left < FX_MATRIX_PART ? left : FX_MATRIX_PART};
    memset(out, 0, TILE * width);
    /* A panel may end in the next limb. */
    for (uint64_t at = row; at < row + TILE && at < m->rows * m->limbs; at += b.n_rows) {
        b.limb = (unsigned)(at / m->rows);
        b.row = at % m->rows;
        b.n_rows = m->rows - b.row;
        if (b.n_rows > row + TILE - at) {
            b.n_rows = row + TILE - at;
        }
        copy(m, &b, width, out + (at - row) * width);
    }
    give_back(m);
}
