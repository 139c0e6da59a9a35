/* Base64: bytes as text, and back. */
#include "src/util/base64.h"

#include <string.h>

void fx_base64_encode(struct fx_buf *out, const void *src, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = src;
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16;
        v |= i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0u;
        v |= i + 2 < n ? (uint32_t)p[i + 2] : 0u;
        fx_buf_u8(out, (uint8_t)digits[v >> 18]);
        fx_buf_u8(out, (uint8_t)digits[(v >> 12) & 63]);
        fx_buf_u8(out, (uint8_t)(i + 1 < n ? digits[(v >> 6) & 63] : '='));
        fx_buf_u8(out, (uint8_t)(i + 2 < n ? digits[v & 63] : '='));
    }
}

static int digit(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool fx_base64_decode(const char *text, uint8_t *out, size_t max, size_t *n)
{
    size_t len = strlen(text), padding = 0;
    uint32_t bits = 0;
    while (padding < 2 && padding < len && text[len - 1 - padding] == '=') {
        padding++;
    }
    if (len % 4 != 0) {
        return false;
    }
    *n = len / 4 * 3 - padding;
    if (*n > max) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        int value = i < len - padding ? digit(text[i]) : 0;
        if (value < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)value;
        /* The last of four digits completes three bytes, some of which may be padding. */
        for (size_t k = 0; k < 3 && i % 4 == 3; k++) {
            uint8_t byte = (uint8_t)(bits >> (16 - 8 * k));
            if (i / 4 * 3 + k < *n) {
                out[i / 4 * 3 + k] = byte;
            } else if (byte != 0) {
                return false;
            }
        }
    }
    return true;
}
