/* Segwit addresses: BIP173 (bech32, version 0) and BIP350 (bech32m, versions 1 to 16). */
#ifndef FX_UTIL_BECH32_H
#define FX_UTIL_BECH32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FX_BECH32_ADDRESS_MAX 91 /* 90 characters and the terminating zero */

bool fx_segwit_encode(const char *hrp, unsigned version, const uint8_t *program, size_t n,
                      char out[FX_BECH32_ADDRESS_MAX]);
/* program holds 40 bytes; the length goes to *n. The human-readable part must be hrp. */
bool fx_segwit_decode(const char *hrp, const char *address, unsigned *version, uint8_t *program,
                      size_t *n);

#endif
