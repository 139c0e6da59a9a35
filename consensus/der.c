/* ECDSA signatures in DER, strict (BIP66) and lax. */
#include "consensus/der.h"

#include <stddef.h>
#include <string.h>

#define TAG_SEQUENCE 0x30
#define TAG_INTEGER 0x02
#define LONG_FORM 0x80 /* of a length: the low bits count the bytes that say it */
#define NUMBER 32

/* One integer of a strict signature: its tag and length at p, in what is left of the signature.
 * Returns the bytes that it takes, 0 where it is not minimal and positive. */
static size_t strict_integer(const uint8_t *p, size_t left)
{
    size_t n;

    if (left < 3 || p[0] != TAG_INTEGER) {
        return 0;
    }
    n = p[1];
    if (n == 0 || n + 2 > left || (p[2] & 0x80) != 0) {
        return 0;
    }
    if (n > 1 && p[2] == 0 && (p[3] & 0x80) == 0) {
        return 0;
    }
    return n + 2;
}

bool fx_der_is_strict(struct fx_span sig)
{
    size_t r, s;

    if (sig.len < 9 || sig.len > 73 || sig.data[0] != TAG_SEQUENCE || sig.data[1] != sig.len - 3) {
        return false;
    }
    r = strict_integer(sig.data + 2, sig.len - 3);
    if (r == 0) {
        return false;
    }
    s = strict_integer(sig.data + 2 + r, sig.len - 3 - r);
    return s > 0 && 2 + r + s + 1 == sig.len;
}

static bool take_byte(struct fx_span *der, uint8_t *byte)
{
    if (der->len == 0) {
        return false;
    }
    *byte = *der->data++;
    der->len--;
    return true;
}

/* The length of an integer, in any form of at most 3 bytes that count. */
static bool lax_length(struct fx_span *der, size_t *n)
{
    uint8_t byte;
    size_t bytes;

    if (!take_byte(der, &byte)) {
        return false;
    }
    *n = byte;
    if ((byte & LONG_FORM) == 0) {
        return true;
    }
    bytes = byte & ~LONG_FORM;
    if (bytes > der->len) {
        return false;
    }
    for (; bytes > 0 && der->data[0] == 0; bytes--) {
        der->data++;
        der->len--;
    }
    if (bytes > 3) {
        return false;
    }
    for (*n = 0; bytes > 0; bytes--) {
        take_byte(der, &byte);
        *n = *n << 8 | byte;
    }
    return true;
}

static bool lax_integer(struct fx_span *der, struct fx_span *number)
{
    uint8_t tag;

    if (!take_byte(der, &tag) || tag != TAG_INTEGER || !lax_length(der, &number->len) ||
        number->len > der->len) {
        return false;
    }
    number->data = der->data;
    der->data += number->len;
    der->len -= number->len;
    while (number->len > 0 && number->data[0] == 0) {
        number->data++;
        number->len--;
    }
    return true;
}

/* The sequence's own length is not looked at, only stepped over. */
static bool lax_sequence(struct fx_span *der)
{
    uint8_t byte;
    size_t bytes;

    if (!take_byte(der, &byte) || byte != TAG_SEQUENCE || !take_byte(der, &byte)) {
        return false;
    }
    bytes = (byte & LONG_FORM) != 0 ? byte & ~LONG_FORM : 0u;
    if (bytes > der->len) {
        return false;
    }
    der->data += bytes;
    der->len -= bytes;
    return true;
}

bool fx_der_read_lax(struct fx_span der, uint8_t compact[FX_ECDSA_COMPACT])
{
    struct fx_span r, s;

    if (!lax_sequence(&der) || !lax_integer(&der, &r) || !lax_integer(&der, &s)) {
        return false;
    }
    memset(compact, 0, FX_ECDSA_COMPACT);
    if (r.len > NUMBER || s.len > NUMBER) {
        return true;
    }
    if (r.len > 0) {
        memcpy(compact + NUMBER - r.len, r.data, r.len);
    }
    if (s.len > 0) {
        memcpy(compact + 2 * NUMBER - s.len, s.data, s.len);
    }
    return true;
}
