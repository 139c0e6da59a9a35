/* NumPy's .npy format: headers made by hand, each refusal by its cause, and every dtype. */
#include "src/util/npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/util/buf.h"

/* A file of a format version with this header text; the data is not there. Returns its length. */
static size_t make_file(uint8_t *out, unsigned version, const char *text)
{
    const size_t n = strlen(text);
    memcpy(out, "\x93NUMPY", 6);
    out[6] = (uint8_t)version;
    out[7] = 0;
    if (version == 1) {
        out[8] = (uint8_t)n;
        out[9] = (uint8_t)(n >> 8);
        memcpy(out + 10, text, n);
        return 10 + n;
    }
    fx_store_u32(out + 8, (uint32_t)n);
    memcpy(out + 12, text, n);
    return 12 + n;
}

static bool parse_text(const char *text, struct fx_npy *npy, char error[FX_NPY_ERROR])
{
    uint8_t file[1024];
    const size_t n = make_file(file, 1, text);
    return fx_npy_parse(npy, file, n, n + 1000000, error);
}

/* The text is refused, and the sentence has this phrase. */
static void check_refused(const char *text, const char *phrase)
{
    struct fx_npy npy;
    char error[FX_NPY_ERROR] = "";
    if (parse_text(text, &npy, error))
        FX_FAIL("accepted: %s", text);
    if (!strstr(error, phrase))
        FX_FAIL("%s: says \"%s\", not \"%s\"", text, error, phrase);
    FX_CHECK_INT(error[strlen(error) - 1], '.');
}

static void check_accepted(const char *text, uint64_t rows, uint64_t columns)
{
    struct fx_npy npy;
    char error[FX_NPY_ERROR] = "";
    if (!parse_text(text, &npy, error))
        FX_FAIL("refused: %s: %s", text, error);
    FX_CHECK_INT(npy.rows, rows);
    FX_CHECK_INT(npy.columns, columns);
}

FX_TEST(all_versions)
{
    static const char text[] =
        "{'descr': '<i4', 'fortran_order': False, 'shape': (3, 5), }                         \n";
    for (unsigned version = 1; version <= 3; version++) {
        uint8_t file[512];
        struct fx_npy npy;
        char error[FX_NPY_ERROR];
        const size_t n = make_file(file, version, text);
        FX_CHECK(fx_npy_parse(&npy, file, n, n + 60, error));
        FX_CHECK_INT(npy.rows, 3);
        FX_CHECK_INT(npy.columns, 5);
        FX_CHECK_INT(npy.item, 4);
        FX_CHECK(npy.is_signed && !npy.big_endian && !npy.fortran);
        FX_CHECK_INT(npy.data_offset, n);
        FX_CHECK(!fx_npy_parse(&npy, file, n, n + 59, error));
        FX_CHECK(strstr(error, "truncated"));
        /* More after the array is no fault. */
        FX_CHECK(fx_npy_parse(&npy, file, n, n + 61, error));
    }
}

FX_TEST(fortran_and_big_endian)
{
    struct fx_npy npy;
    char error[FX_NPY_ERROR];
    FX_CHECK(
        parse_text("{'descr': '>u2', 'fortran_order': True, 'shape': (7, 9), }\n", &npy, error));
    FX_CHECK_INT(npy.item, 2);
    FX_CHECK(!npy.is_signed && npy.big_endian && npy.fortran);
}

FX_TEST(forms_of_the_header)
{
    check_accepted("{'descr': '|i1', 'fortran_order': False, 'shape': (3, 4)}", 3, 4);
    check_accepted("{'descr':'|u1','fortran_order':False,'shape':(3,4)}\n", 3, 4);
    check_accepted("{ 'shape' : ( 3 , 4 , ) , 'fortran_order' : False , 'descr' : '<i8' } \n", 3,
                   4);
    check_accepted("{\"descr\": \"<i8\", \"fortran_order\": False, \"shape\": (3, 4), }", 3, 4);
    /* Python 2. */
    check_accepted("{'descr': '<i8', 'fortran_order': False, 'shape': (3L, 4L), }", 3, 4);
    check_accepted("{'descr': '=i8', 'fortran_order': False, 'shape': (3, 4), }", 3, 4);
    check_accepted("{'descr': 'i8', 'fortran_order': False, 'shape': (3, 4), }", 3, 4);
}

FX_TEST(refused_dtypes)
{
    static const struct {
        const char *descr, *phrase;
    } cases[] = {
        {"'<f2'", "a float dtype, '<f2'"},
        {"'<f2'", "are read: convert it with .astype('float32')."},
        {"'>f2'", ".astype('float32')"},
        {"'<f16'", "are read: convert it with .astype('float64')."},
        {"'<f'", "a float dtype"},
        {"'<c16'", "floats of 4 or 8 are read."},
        {"'|b1'", "a boolean dtype"},
        {"'|b1'", "are read: convert it with .astype('int8')."},
        {"'?'", "a boolean dtype"},
        {"'|O'", "an object dtype"},
        {"'|S5'", "a text dtype"},
        {"'<U12'", "a text dtype"},
        {"'<M8[ns]'", "a time dtype"},
        {"'<m8[s]'", "a time dtype"},
        {"'|V8'", "a structured dtype"},
        {"[('a', '<i4'), ('b', '<f4')]", "a structured dtype"},
        {"('<i4', (2,))", "a structured dtype"},
        {"'<i16'", "does not have 1, 2, 4 or 8 bytes"},
        {"'<i3'", "does not have 1, 2, 4 or 8 bytes"},
        {"'<i'", "does not have 1, 2, 4 or 8 bytes"},
        {"'<u0'", "does not have 1, 2, 4 or 8 bytes"},
        {"'<q8'", "an unknown dtype"},
        {"'<'", "malformed"},
        {"''", "malformed"},
        {"4", "malformed"},
        {"None", "malformed"},
        /* A long or unprintable name does not spill into the sentence. */
        {"'zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz'",
         "an unknown dtype"},
        {"'\x01\xff'", "'\?\?'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[300];
        snprintf(text, sizeof text, "{'descr': %s, 'fortran_order': False, 'shape': (3, 4), }\n",
                 cases[i].descr);
        check_refused(text, cases[i].phrase);
    }
}

FX_TEST(refused_shapes)
{
    static const struct {
        const char *shape, *phrase;
    } cases[] = {
        {"()", "0-dimensional"},
        {"(3,)", "1-dimensional"},
        {"(3, 4, 5)", "3-dimensional"},
        {"(1, 1, 1, 1)", "4-dimensional"},
        {"(0, 4)", "empty"},
        {"(4, 0)", "empty"},
        {"(18446744073709551616, 1)", "overflows"},
        {"(1, 99999999999999999999999)", "overflows"},
        {"(4294967296, 4294967296)", "overflows"},
        {"(2305843009213693952, 1)", "overflows"},
        {"(2305843009213693951, 1)", "truncated"},
        {"(1000, 126)", "truncated"},
        {"(3)", "malformed"},
        {"(-3, 4)", "malformed"},
        {"(3, 4", "malformed"},
        {"(3, , 4)", "malformed"},
        {"(, 4)", "malformed"},
        {"(,)", "malformed"},
        {"(3 4)", "malformed"},
        {"(3.0, 4)", "malformed"},
        {"(0x3, 4)", "malformed"},
        {"(a, b)", "malformed"},
        {"[3, 4]", "malformed"},
        {"3, 4", "malformed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[300];
        snprintf(text, sizeof text, "{'descr': '<i8', 'fortran_order': False, 'shape': %s, }\n",
                 cases[i].shape);
        check_refused(text, cases[i].phrase);
    }
}

FX_TEST(refused_dicts)
{
    static const char *const texts[] = {
        "",
        " ",
        "{",
        "{}",
        "}",
        "'descr': '<i4'",
        "{'descr': '<i4",
        "{'descr': '<i4', 'fortran_order': False}",
        "{'descr': '<i4', 'shape': (3, 4)}",
        "{'fortran_order': False, 'shape': (3, 4)}",
        "{'descr': '<i4', 'descr': '<i4', 'fortran_order': False, 'shape': (3, 4)}",
        "{'descr': '<i4', 'fortran_order': False, 'shape': (3, 4), 'shape': (3, 4)}",
        "{'descr': '<i4', 'fortran_order': False, 'shape': (3, 4), 'more': 1}",
        "{'descr': '<i4', 'fortran_order': 0, 'shape': (3, 4)}",
        "{'descr': '<i4', 'fortran_order': 'False', 'shape': (3, 4)}",
        "{'descr': '<i4', 'fortran_order': Falsehood, 'shape': (3, 4)}",
        "{'descr': '<i4' 'fortran_order': False, 'shape': (3, 4)}",
        "{'descr' '<i4', 'fortran_order': False, 'shape': (3, 4)}",
        "{'descr': '<i4', 'fortran_order': False, 'shape': (3, 4)",
        "{'descr': '<i4', 'fortran_order': False, 'shape': (3, 4)} x",
        "{'descr': '<i4', 'fortran_order': False, 'shape': (3, 4)}}",
        "{,'descr': '<i4', 'fortran_order': False, 'shape': (3, 4)}",
        "{'de\\scr': '<i4', 'fortran_order': False, 'shape': (3, 4)}",
        "__import__('os').abort()",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_refused(texts[i], "malformed");
}

FX_TEST(not_npy)
{
    static const char text[] = "{'descr': '<i4', 'fortran_order': False, 'shape': (3, 5), }\n";
    uint8_t file[256];
    struct fx_npy npy;
    char error[FX_NPY_ERROR];
    const size_t n = make_file(file, 1, text);
    FX_CHECK(!fx_npy_parse(&npy, file, 0, 0, error));
    FX_CHECK_STR(error, "This is not a .npy file.");
    FX_CHECK(!fx_npy_parse(&npy, file, 5, 5, error));
    FX_CHECK_STR(error, "This is not a .npy file.");
    file[0] = 'P';
    FX_CHECK(!fx_npy_parse(&npy, file, n, n + 60, error));
    FX_CHECK_STR(error, "This is not a .npy file.");
    file[0] = 0x93;
    file[6] = 4;
    FX_CHECK(!fx_npy_parse(&npy, file, n, n + 60, error));
    FX_CHECK(strstr(error, "version 4.0 is unknown"));
    file[6] = 0;
    FX_CHECK(!fx_npy_parse(&npy, file, n, n + 60, error));
    file[6] = 1;
    file[7] = 1;
    FX_CHECK(!fx_npy_parse(&npy, file, n, n + 60, error));
    FX_CHECK(strstr(error, "version 1.1 is unknown"));
}

FX_TEST(truncated_anywhere)
{
    static const char text[] = "{'descr': '<i4', 'fortran_order': False, 'shape': (3, 5), }\n";
    for (unsigned version = 1; version <= 3; version++) {
        uint8_t file[256];
        struct fx_npy npy;
        char error[FX_NPY_ERROR];
        const size_t n = make_file(file, version, text);
        for (size_t have = 6; have < n; have++) {
            /* On the heap and exact, so that a read past the end is seen. */
            uint8_t *exact = malloc(have);
            FX_CHECK(exact);
            memcpy(exact, file, have);
            const bool parsed = fx_npy_parse(&npy, exact, have, have, error);
            free(exact);
            FX_CHECK(!parsed);
            FX_CHECK_STR(error, "The .npy file is truncated inside its header.");
        }
        FX_CHECK(!fx_npy_parse(&npy, file, n, n, error));
        FX_CHECK(strstr(error, "the array has 60 bytes, the file 0"));
    }
}

FX_TEST(header_over_the_limit)
{
    uint8_t *file = calloc(1, FX_NPY_HEADER_MAX + 100);
    struct fx_npy npy;
    char error[FX_NPY_ERROR];
    FX_CHECK(file);
    const size_t start =
        make_file(file, 2, "{'descr': '|i1', 'fortran_order': False, 'shape': (1, 1), }");
    memset(file + start, ' ', FX_NPY_HEADER_MAX + 100 - start);
    fx_store_u32(file + 8, FX_NPY_HEADER_MAX);
    FX_CHECK(fx_npy_parse(&npy, file, FX_NPY_HEADER_MAX + 12, FX_NPY_HEADER_MAX + 13, error));
    FX_CHECK_INT(npy.data_offset, FX_NPY_HEADER_MAX + 12);
    fx_store_u32(file + 8, FX_NPY_HEADER_MAX + 1);
    FX_CHECK(!fx_npy_parse(&npy, file, FX_NPY_HEADER_MAX + 100, FX_NPY_HEADER_MAX + 100, error));
    FX_CHECK(strstr(error, "64 KiB"));
    fx_store_u32(file + 8, UINT32_MAX);
    FX_CHECK(!fx_npy_parse(&npy, file, 100, UINT64_MAX, error));
    FX_CHECK(strstr(error, "64 KiB"));
    free(file);
}

FX_TEST(damaged_headers_never_crash)
{
    static const char text[] = "{'descr': '<i4', 'fortran_order': False, 'shape': (3, 5), }\n";
    for (unsigned round = 0; round < fx_unit_rounds(20000); round++) {
        uint8_t file[256];
        struct fx_npy npy;
        char error[FX_NPY_ERROR];
        const size_t n = make_file(file, 1 + round % 3, text);
        for (unsigned i = 0; i <= round % 4; i++)
            file[fx_unit_rand_below(n)] = (uint8_t)fx_unit_rand64();
        memset(error, 0, sizeof error);
        if (fx_npy_parse(&npy, file, n, n + 60, error)) {
            FX_CHECK(npy.rows > 0 && npy.columns > 0);
            FX_CHECK(npy.rows * npy.columns * npy.item <= n + 60 - npy.data_offset);
        } else {
            FX_CHECK(error[0] != '\0' && strlen(error) < FX_NPY_ERROR);
        }
    }
}

static int64_t element(const char *hex, unsigned item, bool is_signed, bool big_endian, size_t at)
{
    const struct fx_npy npy = {
        .item = item,
        .is_signed = is_signed,
        .big_endian = big_endian,
    };
    uint8_t data[33];
    /* Off by one, so that no load may need alignment. */
    fx_unit_unhex(hex, data + 1, sizeof data - 1);
    return fx_npy_element(&npy, data + 1, at);
}

FX_TEST(elements)
{
    FX_CHECK_INT(element("7f80ff", 1, true, false, 0), 127);
    FX_CHECK_INT(element("7f80ff", 1, true, false, 1), -128);
    FX_CHECK_INT(element("7f80ff", 1, true, true, 2), -1);
    FX_CHECK_INT(element("7f80ff", 1, false, false, 1), 128);
    FX_CHECK_INT(element("7f80ff", 1, false, false, 2), 255);
    FX_CHECK_INT(element("0180feff", 2, true, false, 0), -32767);
    FX_CHECK_INT(element("0180feff", 2, true, false, 1), -2);
    FX_CHECK_INT(element("0180feff", 2, true, true, 0), 0x180);
    FX_CHECK_INT(element("0180feff", 2, false, false, 0), 0x8001);
    FX_CHECK_INT(element("0180feff", 2, false, true, 1), 0xfeff);
    FX_CHECK_INT(element("0000008001020304", 4, true, false, 0), INT32_MIN);
    FX_CHECK_INT(element("0000008001020304", 4, false, false, 0), INT64_C(0x80000000));
    FX_CHECK_INT(element("0000008001020304", 4, true, false, 1), 0x04030201);
    FX_CHECK_INT(element("0000008001020304", 4, false, true, 1), 0x01020304);
    FX_CHECK_INT(element("0000000000000080", 8, true, false, 0), INT64_MIN);
    FX_CHECK_INT(element("8000000000000000", 8, true, true, 0), INT64_MIN);
    FX_CHECK_INT(element("ffffffffffffffff", 8, true, false, 0), -1);
    FX_CHECK_INT(element("ffffffffffffff7f", 8, false, false, 0), INT64_MAX);
    /* Above what int64 holds. */
    FX_CHECK_INT(element("0000000000000080", 8, false, false, 0), INT64_MAX);
    FX_CHECK_INT(element("ffffffffffffffff", 8, false, true, 0), INT64_MAX);
}

FX_TEST(written_header)
{
    static const char expected[] =
        "{'descr': '<i4', 'fortran_order': False, 'shape': (300, 256), }";
    uint8_t out[256];
    const size_t n = fx_npy_header(out, "<i4", 300, 256);
    FX_CHECK_INT(n, 128);
    FX_CHECK_HEX(out, "934e554d505901007600");
    FX_CHECK_MEM(out + 10, expected, sizeof expected - 1);
    for (size_t i = 10 + sizeof expected - 1; i < n - 1; i++)
        FX_CHECK_INT(out[i], ' ');
    FX_CHECK_INT(out[n - 1], '\n');
}

FX_TEST(written_header_is_read)
{
    static const char *const dtypes[] = {"|i1", "<i2", "<i4", "<u8"};
    static const uint64_t sizes[] = {1, 128, 16777216, UINT64_C(2000000000)};
    for (unsigned d = 0; d < 4; d++) {
        for (unsigned s = 0; s < 16; s++) {
            uint8_t out[256];
            struct fx_npy npy;
            char error[FX_NPY_ERROR];
            const uint64_t rows = sizes[s / 4], columns = sizes[s % 4];
            const size_t n = fx_npy_header(out, dtypes[d], rows, columns);
            if (rows * columns > UINT64_MAX / 16)
                continue;
            FX_CHECK(n % 64 == 0 && n <= sizeof out);
            FX_CHECK(fx_npy_parse(&npy, out, n, UINT64_MAX, error));
            FX_CHECK_INT(npy.rows, rows);
            FX_CHECK_INT(npy.columns, columns);
            FX_CHECK_INT(npy.item, 1u << d);
            FX_CHECK_INT(npy.is_signed, d < 3);
            FX_CHECK(!npy.fortran && !npy.big_endian);
            FX_CHECK_INT(npy.data_offset, n);
        }
    }
    /* The widest that there is still fits. */
    uint8_t out[256];
    FX_CHECK(fx_npy_header(out, "<i4", UINT64_MAX, UINT64_MAX) <= sizeof out);
}

FX_TEST(reals)
{
    static const uint8_t data[] = {0,    0,    0xc0, 0x3f, 0, 0, 0x80, 0xff,
                                   0x3f, 0xf8, 0,    0,    0, 0, 0,    0};
    struct fx_npy npy = {.item = 4, .is_float = true};

    FX_CHECK(fx_npy_real(&npy, data, 0) == 1.5);
    FX_CHECK(fx_npy_real(&npy, data, 1) < -1e300); /* infinite */
    npy.item = 8;
    npy.big_endian = true;
    FX_CHECK(fx_npy_real(&npy, data + 8, 0) == 1.5);
}

FX_TEST(float_headers)
{
    static const char *const descrs[] = {"<f4", ">f4", "<f8", "f8"};
    for (size_t i = 0; i < 4; i++) {
        char text[100], error[FX_NPY_ERROR];
        uint8_t file[300] = {0};
        struct fx_npy npy;
        int n = snprintf(text, sizeof text,
                         "{'descr': '%s', 'fortran_order': False, 'shape': (3, 4), }", descrs[i]);

        memcpy(file, "\x93NUMPY\x01\x00", 8);
        file[8] = (uint8_t)n;
        memcpy(file + 10, text, (size_t)n);
        FX_CHECK(fx_npy_parse(&npy, file, sizeof file, sizeof file, error));
        FX_CHECK(npy.is_float);
        FX_CHECK_INT(npy.item, i < 2 ? 4 : 8);
        FX_CHECK_INT(npy.big_endian, i == 1);
    }
}
