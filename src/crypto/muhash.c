/* MuHash3072: products modulo 2^3072 - 1103717. */
#include "src/crypto/muhash.h"

#include <string.h>

#include "src/crypto/chacha20.h"
#include "src/crypto/sha256.h"

#define LIMBS FX_MUHASH_LIMBS
#define PRIME_GAP 1103717 /* 2^3072 less the prime */

__extension__ typedef unsigned __int128 wide;

/* a * b, 2 * LIMBS limbs. */
static void multiply(const uint64_t a[LIMBS], const uint64_t b[LIMBS], uint64_t out[2 * LIMBS])
{
    memset(out, 0, 2 * LIMBS * sizeof(out[0]));
    for (size_t i = 0; i < LIMBS; i++) {
        uint64_t carry = 0;
        for (size_t j = 0; j < LIMBS; j++) {
            wide sum = (wide)a[i] * b[j] + out[i + j] + carry;
            out[i + j] = (uint64_t)sum;
            carry = (uint64_t)(sum >> 64);
        }
        out[i + LIMBS] = carry;
    }
}

/* Adds small * PRIME_GAP; returns the carry out of the top. */
static uint64_t add_gaps(uint64_t number[LIMBS], uint64_t small)
{
    wide sum = (wide)small * PRIME_GAP;
    for (size_t i = 0; i < LIMBS && sum != 0; i++) {
        sum += number[i];
        number[i] = (uint64_t)sum;
        sum >>= 64;
    }
    return (uint64_t)sum;
}

/* 2^3072 is PRIME_GAP modulo the prime: the upper half comes back so many times. */
static void fold(const uint64_t in[2 * LIMBS], uint64_t out[LIMBS])
{
    uint64_t carry = 0;
    for (size_t i = 0; i < LIMBS; i++) {
        wide sum = (wide)in[LIMBS + i] * PRIME_GAP + in[i] + carry;
        out[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
    }
    while (carry != 0) {
        carry = add_gaps(out, carry);
    }
}

void fx_muhash_init(struct fx_muhash *set)
{
    memset(set, 0, sizeof(*set));
    set->product[0] = 1;
}

void fx_muhash_insert(struct fx_muhash *set, const void *data, size_t n)
{
    static const uint8_t nonce[12];
    uint8_t key[32], stream[FX_MUHASH_BYTES];
    uint64_t element[LIMBS], product[2 * LIMBS];
    fx_sha256(data, n, key);
    fx_chacha20_stream(key, nonce, 0, stream, sizeof(stream));
    for (size_t i = 0; i < LIMBS; i++) {
        element[i] = 0;
        for (size_t b = 8; b-- > 0;) {
            element[i] = element[i] << 8 | stream[8 * i + b];
        }
    }
    multiply(set->product, element, product);
    fold(product, set->product);
}

void fx_muhash_final(const struct fx_muhash *set, uint8_t out[32])
{
    uint64_t reduced[LIMBS];
    uint8_t bytes[FX_MUHASH_BYTES];
    memcpy(reduced, set->product, sizeof(reduced));
    /* At or above the prime exactly where adding the gap leaves 3072 bits; what stays is the rest.
     */
    if (add_gaps(reduced, 1) == 0) {
        memcpy(reduced, set->product, sizeof(reduced));
    }
    for (size_t i = 0; i < LIMBS; i++) {
        for (size_t b = 0; b < 8; b++) {
            bytes[8 * i + b] = (uint8_t)(reduced[i] >> (8 * b));
        }
    }
    fx_sha256(bytes, sizeof(bytes), out);
}
