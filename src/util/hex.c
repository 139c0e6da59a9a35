/* Hexadecimal text. */
#include "src/util/hex.h"

#include <stdlib.h>
#include <string.h>

#include "src/util/mem.h"

/* The value of a digit of either case; -1 for any other character. */
static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

void fx_hex_encode(const void *src, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = src;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 0xf];
    }
    out[2 * n] = '\0';
}

char *fx_hex_dup(const void *src, size_t n)
{
    char *out = fx_xmalloc(2 * n + 1);
    fx_hex_encode(src, n, out);
    return out;
}

bool fx_hex_decode(const char *s, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const int high = digit_value(s[2 * i]);
        if (high < 0)
            return false;
        const int low = digit_value(s[2 * i + 1]);
        if (low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return s[2 * n] == '\0';
}

bool fx_hex_decode_dup(const char *s, size_t max, uint8_t **out, size_t *n)
{
    const size_t digits = strlen(s);
    if (digits % 2 != 0 || digits / 2 > max)
        return false;
    uint8_t *bytes = fx_xmalloc(digits / 2);
    if (!fx_hex_decode(s, bytes, digits / 2)) {
        free(bytes);
        return false;
    }
    *out = bytes;
    *n = digits / 2;
    return true;
}
