/* Unit tests of src/cli/products.c: types, bounds, lists. */
#include "src/cli/products.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/sys/file.h"
#include "src/util/mem.h"

static char error[FX_MATRIX_ERROR];

/* A file of rows x columns elements, all of them `value`; the caller frees the path. */
static char *write_npy(const char *name, const char *dtype, uint64_t rows, uint64_t columns,
                       const void *value, size_t item)
{
    char *path = fx_path_join(fx_unit_tmpdir(), name);
    size_t n = (size_t)(rows * columns), head;
    uint8_t *file = fx_xmalloc(256 + n * item);
    head = fx_npy_header(file, dtype, rows, columns);
    for (size_t i = 0; i < n; i++) {
        memcpy(file + head + i * item, value, item);
    }
    FX_CHECK(fx_file_write(path, file, head + n * item, 0600));
    free(file);
    return path;
}

static char *write_ints(const char *name, int16_t value, uint64_t rows, uint64_t columns)
{
    return write_npy(name, "<i2", rows, columns, &value, sizeof(value));
}

static void check_type(int16_t a, int16_t b, uint64_t depth, const char *type, json_int_t limbs_a,
                       size_t parts)
{
    struct fx_products p = {NULL, 0, 0, 0};
    char *path_a = write_ints("a.npy", a, 1, depth), *path_b = write_ints("b.npy", b, depth, 1);
    if (!fx_products_add(&p, path_a, path_b, error)) {
        FX_FAIL("%s", error);
    }
    FX_CHECK_STR(p.list[0].type, type);
    json_t *json = fx_products_json(&p), *one = json_array_get(json, 0);
    FX_CHECK_INT(json_integer_value(json_object_get(one, "limbs_a")), limbs_a);
    FX_CHECK_INT(json_array_size(json_object_get(one, "parts")), parts);
    FX_CHECK_INT(json_integer_value(json_object_get(one, "depth")), (json_int_t)depth);
    json_decref(json);
    fx_products_clear(&p);
    free(path_a);
    free(path_b);
}

FX_TEST(types_of_results)
{
    check_type(63, -64, 1000, "int32", 1, 1);
    check_type(63, -64, 524287, "int32", 1, 8);
    check_type(63, -64, 524288, "int64", 1, 8);
    check_type(-128, 127, 131071, "int32", 2, 2);
    check_type(-128, 127, 131072, "int64", 2, 2);
    check_type(129, 1, 10, "int64", 2, 1);
    check_type(32767, -32768, 10, "int64", 3, 1);
}

FX_TEST(floats_have_a_bound)
{
    struct fx_products p = {NULL, 0, 0, 0};
    float x = 0.3f, y = -0.7f;
    char *a = write_npy("a.npy", "<f4", 1, 100, &x, 4),
         *b = write_npy("b.npy", "<f4", 100, 1, &y, 4);
    FX_CHECK(fx_products_set_scale(&p, "100,10", error));
    FX_CHECK(fx_products_add(&p, a, b, error));
    FX_CHECK_STR(p.list[0].type, "float64");
    /* 100 products of 30/100 and -7/10, each factor off by at most 1/200 and 1/20. */
    FX_CHECK(p.list[0].error >= 100 * (0.3 * 0.05 + 0.7 * 0.005 + 0.05 * 0.005));
    FX_CHECK(p.list[0].error < 1.0001 * 100 * (0.3 * 0.05 + 0.7 * 0.005 + 0.05 * 0.005));
    fx_products_clear(&p);
    free(a);
    free(b);
}

FX_TEST(scales_that_make_no_sense)
{
    static const char *const texts[] = {"",    "0",     "-1",  "x",   "1,",
                                        "1,0", "1,2,3", "nan", "inf", "1e300"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct fx_products p = {NULL, 0, 0, 0};
        if (fx_products_set_scale(&p, texts[i], error)) {
            FX_FAIL("'%s' is taken", texts[i]);
        }
        FX_CHECK(strstr(error, "--scale="));
    }
}

static void check_list(const char *text, const char *expected)
{
    struct fx_products p = {NULL, 0, 0, 0};
    char *path = fx_path_join(fx_unit_tmpdir(), "list");
    FX_CHECK(fx_file_write(path, text, strlen(text), 0600));
    if (fx_products_add_list(&p, path, error)) {
        FX_FAIL("'%s' is taken", text);
    }
    if (!strstr(error, expected)) {
        FX_FAIL("%s", error);
    }
    fx_products_clear(&p);
    free(path);
}

FX_TEST(lists_that_are_refused)
{
    char *a = write_ints("a.npy", 1, 3, 4), *b = write_ints("b.npy", 1, 4, 2);
    char text[1000];
    check_list("", "it names no matrices");
    check_list("\n# a.npy b.npy\n  \n", "it names no matrices");
    check_list("one.npy\n", "line 1: two files are expected");
    check_list("a b c\n", "line 1: two files are expected");
    snprintf(text, sizeof(text), "%s %s\n\n%s %s\n", a, b, b, a);
    check_list(text, "line 3: ");
    check_list(text, "the columns of A must be as many as the rows of B");
    snprintf(text, sizeof(text), "%s\tnone.npy", a);
    check_list(text, "none.npy: No such file");
    free(a);
    free(b);
}

FX_TEST(a_list)
{
    struct fx_products p = {NULL, 0, 0, 0};
    char *a = write_ints("a.npy", 1, 3, 4), *b = write_ints("b.npy", 1, 4, 2);
    char *path = fx_path_join(fx_unit_tmpdir(), "list"), text[1000];
    snprintf(text, sizeof(text), "# pairs\r\n%s %s\r\n\n  %s\t%s", a, b, a, b);
    FX_CHECK(fx_file_write(path, text, strlen(text), 0600));
    FX_CHECK(fx_products_add_list(&p, path, error));
    FX_CHECK_INT(p.n, 2);
    fx_products_clear(&p);
    free(path);
    free(a);
    free(b);
}
