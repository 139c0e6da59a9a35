/* Segwit addresses: BIP173 (bech32, version 0) and BIP350 (bech32m, versions 1 to 16). */
#ifndef FX_UTIL_BECH32_H
#define FX_UTIL_BECH32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FX_BECH32_ADDRESS_MAX 91 /* 90 characters and the terminating zero */

bool fx_segwit_encode(const char *hrp, unsigned version, const uint8_t *program, size_t n,
                      char out[FX_BECH32_ADDRESS_MAX]);

/* What is wrong with an address, by the first rule that it breaks. */
enum fx_segwit_status {
    FX_SEGWIT_OK = 0,
    FX_SEGWIT_LENGTH,      /* more than 90 characters */
    FX_SEGWIT_CASE,        /* both upper and lower case */
    FX_SEGWIT_SEPARATOR,   /* none, or nothing before it */
    FX_SEGWIT_PREFIX,      /* the part before it is not hrp */
    FX_SEGWIT_CHARACTER,   /* one outside the set */
    FX_SEGWIT_CHECKSUM,    /* neither bech32 nor bech32m */
    FX_SEGWIT_EMPTY,       /* nothing but the checksum */
    FX_SEGWIT_NOT_BECH32,  /* version 0 with the other checksum */
    FX_SEGWIT_NOT_BECH32M, /* version 1 or above, likewise */
    FX_SEGWIT_PADDING,
    FX_SEGWIT_VERSION, /* above 16 */
    FX_SEGWIT_SIZE_V0, /* neither 20 nor 32 bytes */
    FX_SEGWIT_SIZE     /* not 2 to 40 bytes */
};

/* Like fx_segwit_decode, and says what is wrong. program: FX_BECH32_ADDRESS_MAX bytes; *n is also
 * set for a wrong size. */
enum fx_segwit_status fx_segwit_read(const char *hrp, const char *address, unsigned *version,
                                     uint8_t *program, size_t *n);
/* program holds 40 bytes; the length goes to *n. The human-readable part must be hrp. */
bool fx_segwit_decode(const char *hrp, const char *address, unsigned *version, uint8_t *program,
                      size_t *n);

#endif
