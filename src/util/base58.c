/* Base58 and Base58Check. */
#include "src/util/base58.h"

#include <stdlib.h>
#include <string.h>

#include "src/crypto/sha256.h"
#include "src/crypto/zero.h"
#include "src/util/mem.h"

#define CHECKSUM_BYTES 4

static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

char *fx_base58_encode(const uint8_t *src, size_t n)
{
    size_t zeros = 0;
    while (zeros < n && src[zeros] == 0)
        zeros++;
    /* log 256 / log 58 is below 1.366. Digits stand at the end of the space, the least significant
     * last. */
    const size_t room = (n - zeros) * 138 / 100 + 1;
    uint8_t *digits = fx_xcalloc(room, 1);
    size_t used = 0;
    for (size_t i = zeros; i < n; i++) {
        unsigned carry = src[i];
        for (size_t j = 0; j < used || carry > 0; j++) {
            carry += 256u * digits[room - 1 - j];
            digits[room - 1 - j] = (uint8_t)(carry % 58);
            carry /= 58;
            if (j >= used)
                used = j + 1;
        }
    }
    char *out = fx_xmalloc(zeros + used + 1);
    memset(out, alphabet[0], zeros);
    for (size_t i = 0; i < used; i++)
        out[zeros + i] = alphabet[digits[room - used + i]];
    out[zeros + used] = '\0';
    /* Private keys travel in this form too. */
    fx_secure_zero(digits, room);
    free(digits);
    return out;
}

char *fx_base58check_encode(const uint8_t *src, size_t n)
{
    uint8_t checksum[32];
    uint8_t *all = fx_xmalloc(n + CHECKSUM_BYTES);
    if (n > 0)
        memcpy(all, src, n);
    fx_sha256d(all, n, checksum);
    memcpy(all + n, checksum, CHECKSUM_BYTES);
    char *out = fx_base58_encode(all, n + CHECKSUM_BYTES);
    fx_secure_zero(all, n + CHECKSUM_BYTES);
    free(all);
    return out;
}

bool fx_base58_decode(const char *s, uint8_t *out, size_t max, size_t *n)
{
    size_t zeros = 0;
    for (; *s == alphabet[0]; s++) {
        if (++zeros > max)
            return false;
    }
    /* The number grows downwards from the end of out: its length stops a long text early. */
    size_t used = 0;
    for (; *s; s++) {
        const char *at = memchr(alphabet, *s, sizeof alphabet - 1);
        if (!at)
            return false;
        unsigned carry = (unsigned)(at - alphabet);
        for (size_t j = 0; j < used || carry > 0; j++) {
            if (j >= used) {
                if (zeros + used >= max)
                    return false;
                out[max - 1 - j] = 0;
                used = j + 1;
            }
            carry += 58u * out[max - 1 - j];
            out[max - 1 - j] = (uint8_t)carry;
            carry >>= 8;
        }
    }
    if (used > 0)
        memmove(out + zeros, out + max - used, used);
    if (zeros > 0)
        memset(out, 0, zeros);
    *n = zeros + used;
    return true;
}

bool fx_base58check_decode(const char *s, uint8_t *out, size_t max, size_t *n)
{
    const size_t room = max + CHECKSUM_BYTES;
    uint8_t *all = fx_xmalloc(room);
    uint8_t checksum[32];
    size_t len;
    bool good = fx_base58_decode(s, all, room, &len) && len >= CHECKSUM_BYTES;
    if (good) {
        len -= CHECKSUM_BYTES;
        fx_sha256d(all, len, checksum);
        good = memcmp(checksum, all + len, CHECKSUM_BYTES) == 0;
    }
    if (good) {
        if (len > 0)
            memcpy(out, all, len);
        *n = len;
    }
    fx_secure_zero(all, room);
    free(all);
    return good;
}
