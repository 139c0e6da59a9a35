/* Segwit addresses: bech32 and bech32m. */
#include "src/util/bech32.h"

#include <string.h>

#define CHECKSUM_CHARS 6
#define MAX_CHARS (FX_BECH32_ADDRESS_MAX - 1)
#define MAX_VERSION 16
#define MIN_PROGRAM 2
#define MAX_PROGRAM 40

static const char charset[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/* What the checksum of a valid string comes to: BIP173 for version 0, BIP350 for the others. */
static uint32_t constant_of(unsigned version)
{
    return version == 0 ? 1 : 0x2bc830a3;
}

static uint32_t polymod_step(uint32_t c, uint8_t value)
{
    static const uint32_t generator[5] = {
        0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3,
    };
    const uint32_t top = c >> 25;
    c = (c & 0x1ffffff) << 5 ^ value;
    for (unsigned i = 0; i < 5; i++) {
        if (top >> i & 1)
            c ^= generator[i];
    }
    return c;
}

static uint32_t polymod_hrp(const char *hrp, size_t n)
{
    uint32_t c = 1;
    for (size_t i = 0; i < n; i++)
        c = polymod_step(c, (uint8_t)hrp[i] >> 5);
    c = polymod_step(c, 0);
    for (size_t i = 0; i < n; i++)
        c = polymod_step(c, (uint8_t)hrp[i] & 0x1f);
    return c;
}

static char to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool valid_program(unsigned version, size_t n)
{
    if (version > MAX_VERSION || n < MIN_PROGRAM || n > MAX_PROGRAM)
        return false;
    return version != 0 || n == 20 || n == 32;
}

bool fx_segwit_encode(const char *hrp, unsigned version, const uint8_t *program, size_t n,
                      char out[FX_BECH32_ADDRESS_MAX])
{
    const size_t hrp_len = strnlen(hrp, FX_BECH32_ADDRESS_MAX);
    if (!valid_program(version, n) || hrp_len == 0)
        return false;
    if (hrp_len + 1 + 1 + (8 * n + 4) / 5 + CHECKSUM_CHARS > MAX_CHARS)
        return false;
    for (size_t i = 0; i < hrp_len; i++) {
        if (hrp[i] < 33 || hrp[i] > 126 || to_lower(hrp[i]) != hrp[i])
            return false;
    }
    memcpy(out, hrp, hrp_len);
    char *p = out + hrp_len;
    *p++ = '1';
    uint32_t c = polymod_step(polymod_hrp(hrp, hrp_len), (uint8_t)version);
    *p++ = charset[version];
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < n; i++) {
        bits = (bits << 8 | program[i]) & 0xfff;
        for (have += 8; have >= 5;) {
            have -= 5;
            const uint8_t value = bits >> have & 0x1f;
            c = polymod_step(c, value);
            *p++ = charset[value];
        }
    }
    if (have > 0) {
        const uint8_t value = bits << (5 - have) & 0x1f;
        c = polymod_step(c, value);
        *p++ = charset[value];
    }
    for (unsigned i = 0; i < CHECKSUM_CHARS; i++)
        c = polymod_step(c, 0);
    c ^= constant_of(version);
    for (unsigned i = 0; i < CHECKSUM_CHARS; i++)
        *p++ = charset[c >> (25 - 5 * i) & 0x1f];
    *p = '\0';
    return true;
}

/* The characters after the separator as 5-bit values; false for a character outside the set. */
static bool to_values(const char *s, size_t n, uint8_t *values)
{
    for (size_t i = 0; i < n; i++) {
        const char *at = memchr(charset, to_lower(s[i]), sizeof charset - 1);
        if (!at)
            return false;
        values[i] = (uint8_t)(at - charset);
    }
    return true;
}

static bool mixed_case(const char *s)
{
    bool lower = false, upper = false;
    for (; *s; s++) {
        lower |= *s >= 'a' && *s <= 'z';
        upper |= *s >= 'A' && *s <= 'Z';
    }
    return lower && upper;
}

/* Five-bit values to bytes; false for padding of a character or more, or that is not zero. */
static bool to_bytes(const uint8_t *values, size_t count, uint8_t *bytes, size_t *made)
{
    uint32_t bits = 0;
    unsigned have = 0;
    *made = 0;
    for (size_t i = 0; i < count; i++) {
        bits = (bits << 5 | values[i]) & 0xfff;
        have += 5;
        if (have >= 8) {
            have -= 8;
            bytes[(*made)++] = (uint8_t)(bits >> have);
        }
    }
    return have < 5 && (bits & ((1u << have) - 1)) == 0;
}

/* The part before the separator, which is the last '1'. */
static enum fx_segwit_status check_prefix(const char *hrp, const char *address, size_t *hrp_len)
{
    const char *separator = strrchr(address, '1');
    *hrp_len = strnlen(hrp, MAX_CHARS + 1);
    if (strnlen(address, MAX_CHARS + 1) > MAX_CHARS)
        return FX_SEGWIT_LENGTH;
    if (mixed_case(address))
        return FX_SEGWIT_CASE;
    if (!separator || separator == address || strlen(separator + 1) < CHECKSUM_CHARS)
        return FX_SEGWIT_SEPARATOR;
    if (*hrp_len == 0 || (size_t)(separator - address) != *hrp_len)
        return FX_SEGWIT_PREFIX;
    for (size_t i = 0; i < *hrp_len; i++) {
        if (to_lower(address[i]) != hrp[i])
            return FX_SEGWIT_PREFIX;
    }
    return FX_SEGWIT_OK;
}

enum fx_segwit_status fx_segwit_read(const char *hrp, const char *address, unsigned *version,
                                     uint8_t *program, size_t *n)
{
    uint8_t values[MAX_CHARS] = {0};
    size_t hrp_len;
    *n = 0;
    enum fx_segwit_status status = check_prefix(hrp, address, &hrp_len);
    if (status != FX_SEGWIT_OK)
        return status;
    const size_t count = strlen(address) - hrp_len - 1;
    if (!to_values(address + hrp_len + 1, count, values))
        return FX_SEGWIT_CHARACTER;
    uint32_t c = polymod_hrp(hrp, hrp_len);
    for (size_t i = 0; i < count; i++)
        c = polymod_step(c, values[i]);
    if (c != constant_of(0) && c != constant_of(1))
        return FX_SEGWIT_CHECKSUM;
    if (count == CHECKSUM_CHARS)
        return FX_SEGWIT_EMPTY;
    if (c != constant_of(values[0]))
        return values[0] == 0 ? FX_SEGWIT_NOT_BECH32 : FX_SEGWIT_NOT_BECH32M;
    if (!to_bytes(values + 1, count - 1 - CHECKSUM_CHARS, program, n))
        return FX_SEGWIT_PADDING;
    *version = values[0];
    if (*version > MAX_VERSION)
        return FX_SEGWIT_VERSION;
    if (!valid_program(*version, *n))
        return *version == 0 ? FX_SEGWIT_SIZE_V0 : FX_SEGWIT_SIZE;
    return FX_SEGWIT_OK;
}

bool fx_segwit_decode(const char *hrp, const char *address, unsigned *version, uint8_t *program,
                      size_t *n)
{
    uint8_t bytes[FX_BECH32_ADDRESS_MAX];
    if (fx_segwit_read(hrp, address, version, bytes, n) != FX_SEGWIT_OK)
        return false;
    memcpy(program, bytes, *n);
    return true;
}
