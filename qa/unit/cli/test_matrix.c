/* Unit tests of src/cli/matrix.c: panels of .npy files of every order, and what is refused. */
#include "src/cli/matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/sys/file.h"
#include "src/util/mem.h"

static char error[FX_MATRIX_ERROR];

/* Entry [i, j] of the test's matrix. */
static int value(uint64_t i, uint64_t j)
{
    return (int)((i * 31 + j * 7) % 128) - 64;
}

/* Writes rows x columns elements of `item` bytes; value_at [bad_i, bad_j] is `bad`. The path is the
 * caller's to free. */
static char *write_npy(uint64_t rows, uint64_t columns, unsigned item, bool big, bool fortran,
                       uint64_t bad_i, uint64_t bad_j, int bad)
{
    char *path = fx_path_join(fx_unit_tmpdir(), "m.npy");
    char head[128];
    size_t bytes = (size_t)(rows * columns) * item;
    uint8_t *file = fx_xcalloc(1, 128 + bytes);
    int n =
        snprintf(head, sizeof(head), "{'descr': '%ci%u', 'fortran_order': %s, 'shape': (%d, %d), }",
                 item == 1 ? '|' : (big ? '>' : '<'), item, fortran ? "True" : "False", (int)rows,
                 (int)columns);
    memcpy(file, "\x93NUMPY\x01\x00\x76\x00", 10);
    memset(file + 10, ' ', 117);
    memcpy(file + 10, head, (size_t)n);
    file[127] = '\n';
    for (uint64_t i = 0; i < rows; i++) {
        for (uint64_t j = 0; j < columns; j++) {
            int64_t v = i == bad_i && j == bad_j ? bad : value(i, j);
            uint64_t at = fortran ? j * rows + i : i * columns + j;
            for (unsigned b = 0; b < item; b++) {
                unsigned shift = 8 * (big ? item - 1 - b : b);
                file[128 + at * item + b] = (uint8_t)((uint64_t)v >> shift);
            }
        }
    }
    FX_CHECK(fx_file_write(path, file, 128 + bytes, 0600));
    free(file);
    return path;
}

static void check_panels(uint64_t rows, uint64_t columns, unsigned item, bool big, bool fortran,
                         bool transposed)
{
    struct fx_matrix m;
    char *path = write_npy(rows, columns, item, big, fortran, UINT64_MAX, 0, 0);
    if (!fx_matrix_open(&m, path, transposed, error)) {
        FX_FAIL("%s", error);
    }
    FX_CHECK_INT(m.rows, transposed ? columns : rows);
    FX_CHECK_INT(m.padded_rows % 128, 0);
    FX_CHECK_INT(m.padded_depth % 256, 0);
    int8_t *panel = fx_xmalloc(128 * (size_t)m.padded_depth);
    for (uint64_t row = 0; row < m.padded_rows; row += 128) {
        FX_CHECK(fx_matrix_panel(&m, row, panel, error));
        for (uint64_t r = 0; r < 128; r++) {
            for (uint64_t d = 0; d < m.padded_depth; d++) {
                bool inside = row + r < m.rows && d < m.depth;
                int expected = !inside ? 0 : transposed ? value(d, row + r) : value(row + r, d);
                if (panel[r * m.padded_depth + d] != expected) {
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

FX_TEST(an_entry_out_of_range_is_named)
{
    for (unsigned transposed = 0; transposed < 2; transposed++) {
        struct fx_matrix m;
        char *path = write_npy(200, 30, 2, false, false, 150, 17, transposed ? 64 : -65);
        FX_CHECK(fx_matrix_open(&m, path, transposed, error));
        int8_t *panel = fx_xmalloc(128 * (size_t)m.padded_depth);
        bool ok = true;
        for (uint64_t row = 0; ok && row < m.padded_rows; row += 128) {
            ok = fx_matrix_panel(&m, row, panel, error);
        }
        FX_CHECK(!ok);
        if (!strstr(error, transposed ? "m.npy: entry [150, 17] is 64;"
                                      : "m.npy: entry [150, 17] is -65;")) {
            FX_FAIL("%s", error);
        }
        free(panel);
        fx_matrix_close(&m);
        free(path);
    }
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
    free(path);
    path = write_npy(65537, 1, 1, false, false, UINT64_MAX, 0, 0);
    FX_CHECK(fx_matrix_open(&m, path, false, error));
    fx_matrix_close(&m);
    FX_CHECK(!fx_matrix_open(&m, path, true, error));
    FX_CHECK(strstr(error, "65537 x 1 is too large"));
    free(path);
}
