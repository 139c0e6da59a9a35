/* Texts signed by the key of an address (P2PKH), as Bitcoin signs them: ECDSA with what it takes to
 * find the public key again. */
#ifndef FX_KEYS_MESSAGE_H
#define FX_KEYS_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "src/util/hash.h"

#define FX_MESSAGE_SIGNATURE 65

/* What is signed. magic: the line that says that it is a message, its end included. */
void fx_message_hash(const char *magic, const char *text, struct fx_hash *hash);
/* secret: a valid one. compressed: the form of the public key that the address is of. entropy:
 * fresh and random; it hides the secret from side channels. False where a fault spoilt the
 * signature. */
bool fx_message_sign(const uint8_t secret[32], bool compressed, const uint8_t entropy[32],
                     const struct fx_hash *hash, uint8_t signature[FX_MESSAGE_SIGNATURE]);
/* The hash (RIPEMD160 of SHA256) of the public key that signed. False: no key did. */
bool fx_message_signer(const struct fx_hash *hash, const uint8_t signature[FX_MESSAGE_SIGNATURE],
                       uint8_t key_hash[20]);

#endif
