/* ECDSA signatures in DER: what BIP66 allows, and what was taken before it. */
#ifndef FX_CONSENSUS_DER_H
#define FX_CONSENSUS_DER_H

#include <stdbool.h>
#include <stdint.h>

#include "src/util/span.h"

#define FX_ECDSA_COMPACT 64

/* BIP66: sig is strict DER with the hash type, one byte, behind it. */
bool fx_der_is_strict(struct fx_span sig);

/*
 * Reads r and s, big-endian, 32 bytes each, from DER (without hash type) that may break rules which
 * the library behind Bitcoin once did not know: lengths of any form, leading zeros, bytes left
 * over, numbers without their sign byte. A number of more than 32 bytes gives r = s = 0, which no
 * key verifies. False where there are no two numbers.
 */
bool fx_der_read_lax(struct fx_span der, uint8_t compact[FX_ECDSA_COMPACT]);

#endif
