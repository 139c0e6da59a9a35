/* Seeds as words: BIP39 with the English list. */
#ifndef FX_WALLET_BIP39_H
#define FX_WALLET_BIP39_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FX_BIP39_WORDS 2048
#define FX_BIP39_ENTROPY_MAX 32
#define FX_BIP39_TEXT_MAX 256 /* 24 words of at most 8 letters, spaces, the terminating zero */

extern const char *const fx_bip39_words[FX_BIP39_WORDS];

/* n bytes of entropy: 16, 20, 24, 28 or 32; false for another n. */
bool fx_bip39_encode(const uint8_t *entropy, size_t n, char text[FX_BIP39_TEXT_MAX]);
/* 12 to 24 words of the list, with a right checksum. Any case, any white space between. entropy
 * may be NULL. */
bool fx_bip39_decode(const char *text, uint8_t entropy[FX_BIP39_ENTROPY_MAX], size_t *n);
/* The same words in lower case with single spaces; false where they do not fit. */
bool fx_bip39_normalise(const char *text, char out[FX_BIP39_TEXT_MAX]);
/* The 64-byte seed of normalised words; passphrase may be "". */
void fx_bip39_seed(const char *text, const char *passphrase, uint8_t seed[64]);

#endif
