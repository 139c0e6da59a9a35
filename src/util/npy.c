/*
 * NumPy's .npy format. The header is the text of a Python dict with three keys, which this parses
 * strictly: it evaluates nothing and accepts only what NumPy's own writer and its documented format
 * allow. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
#include "src/util/npy.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "src/util/buf.h"

#define MAGIC "\x93NUMPY"
#define MAGIC_LEN 6
#define MAX_DIMENSIONS 64 /* more than NumPy allows */
#define DTYPE_TEXT 24     /* of the dtype in a message */

/* The header text being parsed, and what came out of it. */
struct header {
    const char *p, *end;
    char *error;
    struct fx_npy *npy;
    uint64_t shape[2];
    unsigned dimensions;
    bool have_descr, have_order, have_shape;
};

__attribute__((format(printf, 2, 3))) static bool fail(char *error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error, FX_NPY_ERROR, format, args);
    va_end(args);
    return false;
}

static bool malformed(const struct header *h)
{
    return fail(h->error, "The .npy header is malformed.");
}

static void skip_space(struct header *h)
{
    while (h->p < h->end && (*h->p == ' ' || *h->p == '\n' || *h->p == '\t' || *h->p == '\r'))
        h->p++;
}

/* Skips space, and takes the character where it is next. */
static bool take(struct header *h, char c)
{
    skip_space(h);
    if (h->p >= h->end || *h->p != c)
        return false;
    h->p++;
    return true;
}

static bool take_word(struct header *h, const char *word)
{
    const size_t n = strlen(word);
    skip_space(h);
    if ((size_t)(h->end - h->p) < n || memcmp(h->p, word, n) != 0)
        return false;
    h->p += n;
    return true;
}

/* A quoted string without escapes: a view. */
static bool take_string(struct header *h, const char **s, size_t *n)
{
    skip_space(h);
    if (h->p >= h->end || (*h->p != '\'' && *h->p != '"'))
        return false;
    const char quote = *h->p++;
    *s = h->p;
    while (h->p < h->end && *h->p != quote && *h->p != '\\')
        h->p++;
    if (h->p >= h->end || *h->p != quote)
        return false;
    *n = (size_t)(h->p - *s);
    h->p++;
    return true;
}

/* Printable text for a message. */
static void copy_printable(char out[DTYPE_TEXT], const char *s, size_t n)
{
    size_t i;
    for (i = 0; i < n && i + 1 < DTYPE_TEXT; i++)
        out[i] = s[i] >= 32 && s[i] <= 126 ? s[i] : '?';
    out[i] = '\0';
}

/* The kind letter of a dtype that is not a plain integer, in words. */
static const char *kind_name(char kind)
{
    switch (kind) {
    case 'f':
        return "a float dtype";
    case 'c':
        return "a complex dtype";
    case 'b':
    case '?':
        return "a boolean dtype";
    case 'O':
        return "an object dtype";
    case 'S':
    case 'a':
    case 'U':
        return "a text dtype";
    case 'M':
    case 'm':
        return "a time dtype";
    case 'V':
        return "a structured dtype";
    }
    return "an unknown dtype";
}

/* What NumPy makes of it that is read. */
static const char *cure(char kind, const char *size)
{
    if (kind == 'b' || kind == '?') {
        return ": convert it with .astype('int8')";
    }
    if (kind == 'f') {
        return strcmp(size, "2") == 0 ? ": convert it with .astype('float32')"
                                      : ": convert it with .astype('float64')";
    }
    return "";
}

static bool parse_descr(struct header *h)
{
    const char *s;
    size_t n;
    skip_space(h);
    if (h->p < h->end && (*h->p == '[' || *h->p == '(' || *h->p == '{'))
        return fail(h->error, "The array has a structured dtype; only integers of 1, 2, 4 or 8 "
                              "bytes and floats of 4 or 8 are read.");
    if (!take_string(h, &s, &n))
        return malformed(h);
    char text[DTYPE_TEXT];
    copy_printable(text, s, n);
    const char *name = s;
    char order = '=';
    if (n > 0 && (*s == '<' || *s == '>' || *s == '|' || *s == '=')) {
        order = *s++;
        n--;
    }
    if (n == 0)
        return malformed(h);
    h->npy->is_float = *s == 'f' && n == 2 && (s[1] == '4' || s[1] == '8');
    if (*s != 'i' && *s != 'u' && !h->npy->is_float)
        return fail(h->error,
                    "The array has %s, '%s'; only integers of 1, 2, 4 or 8 bytes and floats of 4 "
                    "or 8 are read%s.",
                    kind_name(*s), text, cure(*s, text + (s - name) + 1));
    if (n != 2 || (s[1] != '1' && s[1] != '2' && s[1] != '4' && s[1] != '8'))
        return fail(h->error, "The integer dtype '%s' does not have 1, 2, 4 or 8 bytes.", text);
    h->npy->is_signed = *s == 'i';
    h->npy->item = (unsigned)(s[1] - '0');
    /* '=' and '|' mean the order of the machine: little-endian on every machine that this runs on.
     */
    h->npy->big_endian = order == '>';
    h->have_descr = true;
    return true;
}

static bool parse_order(struct header *h)
{
    if (take_word(h, "True"))
        h->npy->fortran = true;
    else if (take_word(h, "False"))
        h->npy->fortran = false;
    else
        return malformed(h);
    h->have_order = true;
    return true;
}

static bool parse_number(struct header *h, uint64_t *value)
{
    skip_space(h);
    if (h->p >= h->end || *h->p < '0' || *h->p > '9')
        return malformed(h);
    uint64_t v = 0;
    for (; h->p < h->end && *h->p >= '0' && *h->p <= '9'; h->p++) {
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *h->p - '0', &v))
            return fail(h->error, "The array's shape overflows 64 bits.");
    }
    /* Python 2 wrote long integers with this suffix. */
    if (h->p < h->end && *h->p == 'L')
        h->p++;
    *value = v;
    return true;
}

static bool parse_shape(struct header *h)
{
    if (!take(h, '('))
        return malformed(h);
    bool comma = true;
    while (!take(h, ')')) {
        uint64_t value = 0;
        if (!comma || h->dimensions >= MAX_DIMENSIONS)
            return malformed(h);
        if (!parse_number(h, &value))
            return false;
        if (h->dimensions < 2)
            h->shape[h->dimensions] = value;
        h->dimensions++;
        comma = take(h, ',');
        /* (3) is a number in parentheses, not a shape. */
        if (!comma && h->dimensions == 1)
            return malformed(h);
    }
    h->have_shape = true;
    return true;
}

static bool parse_entry(struct header *h)
{
    const char *key;
    size_t n;
    if (!take_string(h, &key, &n) || !take(h, ':'))
        return malformed(h);
    if (n == 5 && memcmp(key, "descr", 5) == 0 && !h->have_descr)
        return parse_descr(h);
    if (n == 13 && memcmp(key, "fortran_order", 13) == 0 && !h->have_order)
        return parse_order(h);
    if (n == 5 && memcmp(key, "shape", 5) == 0 && !h->have_shape)
        return parse_shape(h);
    return malformed(h);
}

static bool parse_dict(struct header *h)
{
    if (!take(h, '{'))
        return malformed(h);
    bool comma = true;
    while (!take(h, '}')) {
        if (!comma)
            return malformed(h);
        if (!parse_entry(h))
            return false;
        comma = take(h, ',');
    }
    skip_space(h);
    if (h->p != h->end || !h->have_descr || !h->have_order || !h->have_shape)
        return malformed(h);
    return true;
}

static bool check_shape(const struct header *h, uint64_t file_size)
{
    if (h->dimensions != 2)
        return fail(h->error, "The array is %u-dimensional; a matrix has 2 dimensions.",
                    h->dimensions);
    const uint64_t rows = h->shape[0], columns = h->shape[1];
    if (rows == 0 || columns == 0)
        return fail(h->error, "The array is empty: its shape is (%" PRIu64 ", %" PRIu64 ").", rows,
                    columns);
    uint64_t bytes;
    if (__builtin_mul_overflow(rows, columns, &bytes) ||
        __builtin_mul_overflow(bytes, h->npy->item, &bytes))
        return fail(h->error, "The array's shape overflows 64 bits.");
    if (bytes > file_size - h->npy->data_offset)
        return fail(h->error,
                    "The .npy file is truncated: the array has %" PRIu64 " bytes, the file %" PRIu64
                    " after its header.",
                    bytes, file_size - h->npy->data_offset);
    h->npy->rows = rows;
    h->npy->columns = columns;
    return true;
}

bool fx_npy_parse(struct fx_npy *npy, const uint8_t *start, size_t n, uint64_t file_size,
                  char error[FX_NPY_ERROR])
{
    *npy = (struct fx_npy){0};
    if (n > file_size)
        n = (size_t)file_size;
    if (n < MAGIC_LEN || memcmp(start, MAGIC, MAGIC_LEN) != 0)
        return fail(error, "This is not a .npy file.");
    if (n < MAGIC_LEN + 2)
        return fail(error, "The .npy file is truncated inside its header.");
    const unsigned major = start[MAGIC_LEN], minor = start[MAGIC_LEN + 1];
    if (major < 1 || major > 3 || minor != 0)
        return fail(error, "The .npy format version %u.%u is unknown; 1.0, 2.0 and 3.0 are read.",
                    major, minor);
    const size_t prefix = MAGIC_LEN + 2 + (major == 1 ? 2 : 4);
    if (n < prefix)
        return fail(error, "The .npy file is truncated inside its header.");
    const uint8_t *length = start + MAGIC_LEN + 2;
    const size_t header_len = major == 1 ? fx_load_u16(length) : fx_load_u32(length);
    if (header_len > FX_NPY_HEADER_MAX)
        return fail(error, "The .npy header has %zu bytes; at most 64 KiB are read.", header_len);
    if (header_len > n - prefix)
        return fail(error, "The .npy file is truncated inside its header.");

    npy->data_offset = prefix + header_len;
    struct header h = {
        .p = (const char *)start + prefix,
        .end = (const char *)start + prefix + header_len,
        .error = error,
        .npy = npy,
    };
    return parse_dict(&h) && check_shape(&h, file_size);
}

static uint64_t load(const struct fx_npy *npy, const uint8_t *data, size_t at)
{
    const uint8_t *p = data + at * npy->item;
    uint64_t v = 0;
    for (unsigned i = 0; i < npy->item; i++)
        v |= (uint64_t)p[npy->big_endian ? npy->item - 1 - i : i] << (8 * i);
    return v;
}

double fx_npy_real(const struct fx_npy *npy, const uint8_t *data, size_t at)
{
    const uint64_t bits = load(npy, data, at);
    const uint32_t low = (uint32_t)bits;
    float single;
    double value;
    if (npy->item == 4) {
        memcpy(&single, &low, sizeof single);
        return single;
    }
    memcpy(&value, &bits, sizeof value);
    return value;
}

int64_t fx_npy_element(const struct fx_npy *npy, const uint8_t *data, size_t at)
{
    const uint64_t v = load(npy, data, at);
    if (!npy->is_signed)
        return v > INT64_MAX ? INT64_MAX : (int64_t)v;
    /* Extend the sign: flip the top bit of the item, subtract its weight. */
    const uint64_t sign = UINT64_C(1) << (8 * npy->item - 1);
    const uint64_t extended = (v ^ sign) - sign;
    int64_t value;
    memcpy(&value, &extended, sizeof value);
    return value;
}

void fx_npy_text(const struct fx_npy *npy, const uint8_t *data, size_t at, char text[FX_NPY_TEXT])
{
    if (npy->is_float)
        snprintf(text, FX_NPY_TEXT, "%g", fx_npy_real(npy, data, at));
    else if (npy->is_signed)
        snprintf(text, FX_NPY_TEXT, "%" PRId64, fx_npy_element(npy, data, at));
    else
        snprintf(text, FX_NPY_TEXT, "%" PRIu64, load(npy, data, at));
}

size_t fx_npy_header(uint8_t out[256], const char *dtype, uint64_t rows, uint64_t columns)
{
    char text[160];
    const int made = snprintf(text, sizeof text,
                              "{'descr': '%.16s', 'fortran_order': False, 'shape': (%" PRIu64
                              ", %" PRIu64 "), }",
                              dtype, rows, columns);
    const size_t used = (size_t)made, prefix = MAGIC_LEN + 4;
    /* Spaces and a newline fill up to a multiple of 64, as NumPy writes it. */
    const size_t total = (prefix + used + 1 + 63) / 64 * 64;
    memset(out, ' ', total);
    memcpy(out, MAGIC "\x01\x00", MAGIC_LEN + 2);
    out[MAGIC_LEN + 2] = (uint8_t)(total - prefix);
    out[MAGIC_LEN + 3] = (uint8_t)((total - prefix) >> 8);
    memcpy(out + prefix, text, used);
    out[total - 1] = '\n';
    return total;
}
