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

bool fx_segwit_decode(const char *hrp, const char *address, unsigned *version, uint8_t *program,
                      size_t *n)
{
    const size_t len = strnlen(address, MAX_CHARS + 1), hrp_len = strnlen(hrp, MAX_CHARS + 1);
    /* At least the version and the checksum follow the separator. */
    if (len > MAX_CHARS || hrp_len == 0 || len < hrp_len + 2 + CHECKSUM_CHARS ||
        mixed_case(address))
        return false;
    for (size_t i = 0; i < hrp_len; i++) {
        if (to_lower(address[i]) != hrp[i])
            return false;
    }
    if (address[hrp_len] != '1')
        return false;
    uint8_t values[MAX_CHARS];
    const size_t count = len - hrp_len - 1;
    if (!to_values(address + hrp_len + 1, count, values))
        return false;
    uint32_t c = polymod_hrp(hrp, hrp_len);
    for (size_t i = 0; i < count; i++)
        c = polymod_step(c, values[i]);
    if (c != constant_of(values[0]))
        return false;

    uint8_t bytes[MAX_CHARS];
    size_t made = 0;
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 1; i < count - CHECKSUM_CHARS; i++) {
        bits = (bits << 5 | values[i]) & 0xfff;
        have += 5;
        if (have >= 8) {
            have -= 8;
            bytes[made++] = (uint8_t)(bits >> have);
        }
    }
    /* What is left over is padding: less than one character, and zero. */
    if (have >= 5 || (bits & ((1u << have) - 1)) != 0 || !valid_program(values[0], made))
        return false;
    memcpy(program, bytes, made);
    *version = values[0];
    *n = made;
    return true;
}
