/* Seeds as words: BIP39 with the English list. */
#include "wallet/bip39.h"

#include <stdlib.h>
#include <string.h>

#include "src/crypto/sha256.h"
#include "src/crypto/sha512.h"
#include "src/crypto/zero.h"
#include "src/util/mem.h"

#define BITS_A_WORD 11
#define SEED_ROUNDS 2048

bool fx_bip39_encode(const uint8_t *entropy, size_t n, char text[FX_BIP39_TEXT_MAX])
{
    if (n < 16 || n > FX_BIP39_ENTROPY_MAX || n % 4 != 0) {
        return false;
    }
    uint8_t bits[FX_BIP39_ENTROPY_MAX + 32];
    memcpy(bits, entropy, n);
    fx_sha256(entropy, n, bits + n); /* the checksum is its first n / 4 bits */
    size_t words = (n * 8 + n / 4) / BITS_A_WORD, len = 0;
    for (size_t i = 0; i < words; i++) {
        unsigned at = 0;
        for (size_t bit = i * BITS_A_WORD; bit < (i + 1) * BITS_A_WORD; bit++) {
            at = at << 1 | (bits[bit / 8] >> (7 - bit % 8) & 1);
        }
        const char *word = fx_bip39_words[at];
        size_t letters = strlen(word);
        if (i > 0) {
            text[len++] = ' ';
        }
        memcpy(text + len, word, letters);
        len += letters;
    }
    text[len] = 0;
    fx_secure_zero(bits, sizeof(bits));
    return true;
}

static int word_index(const char *word, size_t n)
{
    size_t low = 0, high = FX_BIP39_WORDS;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strncmp(word, fx_bip39_words[middle], n);
        if (order == 0 && fx_bip39_words[middle][n] != 0) {
            order = -1; /* a prefix stands before the longer word */
        }
        if (order == 0) {
            return (int)middle;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return -1;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool fx_bip39_normalise(const char *text, char out[FX_BIP39_TEXT_MAX])
{
    size_t len = 0;
    for (const char *p = text; *p;) {
        while (is_space(*p)) {
            p++;
        }
        if (*p && len > 0 && len < FX_BIP39_TEXT_MAX - 1) {
            out[len++] = ' ';
        }
        for (; *p && !is_space(*p); p++) {
            if (len >= FX_BIP39_TEXT_MAX - 1) {
                return false;
            }
            out[len++] = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
        }
    }
    out[len] = 0;
    return true;
}

bool fx_bip39_decode(const char *text, uint8_t entropy[FX_BIP39_ENTROPY_MAX], size_t *n)
{
    char words[FX_BIP39_TEXT_MAX];
    uint8_t bits[FX_BIP39_ENTROPY_MAX + 1] = {0}, hash[32];
    size_t count = 0, bit = 0;
    bool ok = fx_bip39_normalise(text, words);
    for (const char *p = words; ok && *p;) {
        size_t letters = strcspn(p, " ");
        int at = word_index(p, letters);
        ok = at >= 0 && ++count <= 24;
        for (unsigned i = 0; ok && i < BITS_A_WORD; i++, bit++) {
            bits[bit / 8] |= (uint8_t)((at >> (BITS_A_WORD - 1 - i) & 1) << (7 - bit % 8));
        }
        p += letters;
        p += *p == ' ';
    }
    ok = ok && count >= 12 && count % 3 == 0;
    if (ok) {
        *n = count / 3 * 4;
        unsigned check_bits = (unsigned)(*n / 4);
        fx_sha256(bits, *n, hash);
        ok = (bits[*n] ^ hash[0]) >> (8 - check_bits) == 0;
    }
    if (ok && entropy) {
        memcpy(entropy, bits, *n);
    }
    fx_secure_zero(words, sizeof(words));
    fx_secure_zero(bits, sizeof(bits));
    return ok;
}

void fx_bip39_seed(const char *text, const char *passphrase, uint8_t seed[64])
{
    size_t n = 8 + strlen(passphrase);
    char *salt = fx_xmalloc(n);
    memcpy(salt, "mnemonic", 8);
    memcpy(salt + 8, passphrase, n - 8);
    fx_pbkdf2_sha512(text, strlen(text), salt, n, SEED_ROUNDS, seed);
    fx_secure_zero(salt, n);
    free(salt);
}
