/* Unit tests of src/cli/matrix.c: panels of .npy files of every order and dtype, and what is
 * refused. */
#include "src/cli/matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qa/unit/harness.h"
#include "src/sys/file.h"
#include "src/util/mem.h"

static char error[FX_MATRIX_ERROR];

/* Entry [i, j] of the test's matrix. */
static int value(uint64_t i, uint64_t j)
{
    return (int)((i * 31 + j * 7) % 128) - 64;
}

/* A file of the test's folder with this dtype and these bytes; its path is the caller's to free. */
static char *write_file(const char *dtype, uint64_t rows, uint64_t columns, bool fortran,
                        const uint8_t *data, size_t bytes)
{
    char *path = fx_path_join(fx_unit_tmpdir(), "m.npy");
    char head[128];
    uint8_t *file = fx_xcalloc(1, 128 + bytes);
    int n =
        snprintf(head, sizeof(head), "{'descr': '%s', 'fortran_order': %s, 'shape': (%d, %d), }",
                 dtype, fortran ? "True" : "False", (int)rows, (int)columns);
    memcpy(file, "\x93NUMPY\x01\x00\x76\x00", 10);
    memset(file + 10, ' ', 117);
    memcpy(file + 10, head, (size_t)n);
    file[127] = '\n';
    memcpy(file + 128, data, bytes);
    FX_CHECK(fx_file_write(path, file, 128 + bytes, 0600));
    free(file);
    return path;
}

/* Writes rows x columns elements of `item` bytes, each value() times `times`; [bad_i, bad_j] is
 * `bad`. The path is the caller's to free. */
static char *write_npy(uint64_t rows, uint64_t columns, unsigned item, bool big, bool fortran,
                       int times, uint64_t bad_i, uint64_t bad_j, int bad)
{
    char dtype[8];
    size_t bytes = (size_t)(rows * columns) * item;
    uint8_t *data = fx_xcalloc(1, bytes);
    snprintf(dtype, sizeof(dtype), "%ci%u", item == 1 ? '|' : (big ? '>' : '<'), item);
    for (uint64_t i = 0; i < rows; i++) {
        for (uint64_t j = 0; j < columns; j++) {
            int64_t v = i == bad_i && j == bad_j ? bad : times * value(i, j);
            uint64_t at = fortran ? j * rows + i : i * columns + j;
            for (unsigned b = 0; b < item; b++) {
                unsigned shift = 8 * (big ? item - 1 - b : b);
                data[at * item + b] = (uint8_t)((uint64_t)v >> shift);
            }
        }
    }
    char *path = write_file(dtype, rows, columns, fortran, data, bytes);
    free(data);
    return path;
}

/* Entry (row, column) of the operand, put together from its limbs' panels. */
static int64_t read_entry(const struct fx_matrix *m, uint64_t row, uint64_t column)
{
    uint64_t part = column / FX_MATRIX_PART, width = fx_matrix_padded_depth(m, part);
    int8_t *panel = fx_xmalloc(128 * (size_t)width);
    int64_t sum = 0, weight = 1;
    for (unsigned limb = 0; limb < m->limbs; limb++, weight *= 128) {
        uint64_t at = limb * m->rows + row;
        fx_matrix_panel(m, part, at / 128 * 128, panel);
        sum += weight * panel[at % 128 * width + column % FX_MATRIX_PART];
    }
    free(panel);
    return sum;
}

static void check_panels(uint64_t rows, uint64_t columns, unsigned item, bool big, bool fortran,
                         bool transposed)
{
    struct fx_matrix m;
    char *path = write_npy(rows, columns, item, big, fortran, 1, UINT64_MAX, 0, 0);
    if (!fx_matrix_open(&m, path, transposed, error) || !fx_matrix_scan(&m, 0, error)) {
        FX_FAIL("%s", error);
    }
    const uint64_t depth = fx_matrix_padded_depth(&m, 0);
    FX_CHECK_INT(m.limbs, 1);
    FX_CHECK_INT(m.rows, transposed ? columns : rows);
    FX_CHECK_INT(m.padded_rows % 128, 0);
    FX_CHECK_INT(depth % 256, 0);
    int8_t *panel = fx_xmalloc(128 * (size_t)depth);
    for (uint64_t row = 0; row < m.padded_rows; row += 128) {
        fx_matrix_panel(&m, 0, row, panel);
        for (uint64_t r = 0; r < 128; r++) {
            for (uint64_t d = 0; d < depth; d++) {
                bool inside = row + r < m.rows && d < m.depth;
                int expected = !inside ? 0 : transposed ? value(d, row + r) : value(row + r, d);
                if (panel[r * depth + d] != expected) {
                    FX_FAIL("entry (%d, %d)", (int)(row + r), (int)d);
                }
            }
        }
    }
    free(panel);
    fx_matrix_close(&m);
    free(path);
}

FX_TEST(all_orders_and_sizes)
{
    static const unsigned items[] = {1, 2, 4, 8};
    for (unsigned kind = 0; kind < 8; kind++) {
        for (size_t i = 0; i < 4; i++) {
            check_panels(130, 77, items[i], kind & 1, kind & 2, kind & 4);
        }
    }
    check_panels(1, 1, 1, false, false, false);
    check_panels(128, 256, 1, false, false, true);
}

FX_TEST(limbs_stand_below_each_other)
{
    static const int times[] = {2, 127, 500};
    static const unsigned limbs[] = {2, 2, 3};
    for (unsigned kind = 0; kind < 3; kind++) {
        for (unsigned transposed = 0; transposed < 2; transposed++) {
            struct fx_matrix m;
            char *path = write_npy(70, 50, 2, kind == 1, transposed == kind % 2, times[kind],
                                   UINT64_MAX, 0, 0);
            FX_CHECK(fx_matrix_open(&m, path, transposed, error) && fx_matrix_scan(&m, 0, error));
            FX_CHECK_INT(m.limbs, limbs[kind]);
            FX_CHECK_INT(m.largest, (uint64_t)times[kind] * 64);
            FX_CHECK_INT(m.padded_rows, (m.limbs * m.rows + 127) / 128 * 128);
            for (uint64_t row = 0; row < m.rows; row += 7) {
                for (uint64_t d = 0; d < m.depth; d += 3) {
                    FX_CHECK_INT(read_entry(&m, row, d),
                                 times[kind] * (transposed ? value(d, row) : value(row, d)));
                }
            }
            fx_matrix_close(&m);
            free(path);
        }
    }
}

FX_TEST(parts_of_the_depth)
{
    struct fx_matrix m;
    char *path = write_npy(2, 65536 + 300, 1, false, false, 1, UINT64_MAX, 0, 0);
    FX_CHECK(fx_matrix_open(&m, path, false, error) && fx_matrix_scan(&m, 0, error));
    FX_CHECK_INT(m.n_parts, 2);
    FX_CHECK_INT(fx_matrix_padded_depth(&m, 0), 65536);
    FX_CHECK_INT(fx_matrix_padded_depth(&m, 1), 512);
    for (uint64_t d = 65530; d < 65836; d++) {
        FX_CHECK_INT(read_entry(&m, 1, d), value(1, d));
    }
    fx_matrix_close(&m);
    free(path);
}

FX_TEST(an_entry_out_of_range_is_named)
{
    for (unsigned transposed = 0; transposed < 2; transposed++) {
        struct fx_matrix m;
        char *path = write_npy(200, 30, 4, false, false, 1, 150, 17, transposed ? 65536 : -32769);
        FX_CHECK(fx_matrix_open(&m, path, transposed, error));
        FX_CHECK(!fx_matrix_scan(&m, 0, error));
        if (!strstr(error, transposed ? "m.npy: entry [150, 17] is 65536;"
                                      : "m.npy: entry [150, 17] is -32769;")) {
            FX_FAIL("%s", error);
        }
        fx_matrix_close(&m);
        free(path);
    }
}

/* ---- floats ------------------------------------------------------------------------------------
 */

static void open_floats(struct fx_matrix *m, const float *values, uint64_t rows, uint64_t columns)
{
    char *path = write_file("<f4", rows, columns, false, (const uint8_t *)values,
                            (size_t)(rows * columns) * 4);
    FX_CHECK(fx_matrix_open(m, path, false, error));
    m->path = "m.npy";
    free(path);
}

FX_TEST(floats_are_scaled_and_rounded)
{
    static const float values[] = {0.5f, -0.25f, 0.126f, 1.0f, -1.0f, 0.0f};
    struct fx_matrix m;
    open_floats(&m, values, 2, 3);
    FX_CHECK(fx_matrix_scan(&m, 100, error));
    FX_CHECK_INT(m.limbs, 2);
    FX_CHECK_INT(m.largest, 100);
    FX_CHECK_INT(read_entry(&m, 0, 0), 50);
    FX_CHECK_INT(read_entry(&m, 0, 1), -25);
    FX_CHECK_INT(read_entry(&m, 0, 2), 13);
    FX_CHECK_INT(read_entry(&m, 1, 1), -100);
    FX_CHECK(fx_matrix_rounding(&m) >= 0.005 && fx_matrix_rounding(&m) < 0.00501);
    /* Chosen: the largest power of two below 8,128. */
    FX_CHECK(fx_matrix_scan(&m, 0, error));
    FX_CHECK(m.scale == 4096);
    FX_CHECK_INT(m.limbs, 2);
    FX_CHECK_INT(read_entry(&m, 0, 2), 516);
    fx_matrix_close(&m);
}

FX_TEST(floats_that_are_refused)
{
    float values[] = {1, 2, 3, 4};
    struct fx_matrix m;
    open_floats(&m, values, 2, 2);
    FX_CHECK(!fx_matrix_scan(&m, 1e6, error));
    FX_CHECK(strstr(error, "the scale may be at most 260080"));
    fx_matrix_close(&m);
    for (unsigned i = 0; i < 3; i++) {
        static const uint32_t bits[] = {0x7fc00000, 0x7f800000, 0xff800000};
        memcpy(&values[2], &bits[i], 4);
        open_floats(&m, values, 2, 2);
        FX_CHECK(!fx_matrix_scan(&m, 0, error));
        FX_CHECK(strstr(error, "m.npy: entry [1, 0] is ") && strstr(error, "must be finite"));
        fx_matrix_close(&m);
    }
}

FX_TEST(zeros_have_a_scale_too)
{
    static const float values[4];
    struct fx_matrix m;
    open_floats(&m, values, 2, 2);
    FX_CHECK(fx_matrix_scan(&m, 0, error));
    FX_CHECK(m.scale == 1);
    FX_CHECK_INT(m.limbs, 1);
    fx_matrix_close(&m);
}

FX_TEST(files_that_are_none)
{
    struct fx_matrix m;
    char *path = fx_path_join(fx_unit_tmpdir(), "none.npy");
    FX_CHECK(!fx_matrix_open(&m, path, false, error));
    FX_CHECK(strstr(error, "none.npy: No such file"));
    FX_CHECK(!fx_matrix_open(&m, fx_unit_tmpdir(), false, error));
    FX_CHECK(strstr(error, "not a regular file"));
    FX_CHECK(fx_file_write(path, "", 0, 0600));
    FX_CHECK(!fx_matrix_open(&m, path, false, error));
    FX_CHECK(fx_file_write(path, "hello", 5, 0600));
    FX_CHECK(!fx_matrix_open(&m, path, false, error));
    FX_CHECK(strstr(error, "none.npy: "));
    FX_CHECK(unlink(path) == 0 && mkfifo(path, 0600) == 0);
    FX_CHECK(!fx_matrix_open(&m, path, false, error)); /* without waiting for its other end */
    FX_CHECK(strstr(error, "not a regular file; the matrix is read more than once"));
    FX_CHECK(unlink(path) == 0);
    free(path);
    path = write_npy((1 << 24) + 1, 1, 1, false, false, 1, UINT64_MAX, 0, 0);
    FX_CHECK(!fx_matrix_open(&m, path, false, error));
    FX_CHECK(strstr(error, "16777217 x 1 is too large"));
    FX_CHECK(!fx_matrix_open(&m, path, true, error));
    free(path);
}
