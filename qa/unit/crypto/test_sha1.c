/* SHA-1: the vectors of FIPS 180. */
#include "src/crypto/sha1.h"

#include <string.h>

#include "qa/unit/harness.h"

static void check_text(const char *text, const char *expected)
{
    uint8_t h[20];
    fx_sha1(text, strlen(text), h);
    FX_CHECK_HEX(h, expected);
}

FX_TEST(published_vectors)
{
    check_text("", "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    check_text("abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
    check_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
               "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    check_text("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
               "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
               "a49b2446a02c645bf419f995b67091253a04a259");
}

FX_TEST(a_million_letters)
{
    static char letters[1000000];
    uint8_t h[20];
    memset(letters, 'a', sizeof letters);
    fx_sha1(letters, sizeof letters, h);
    FX_CHECK_HEX(h, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

/* The padding fits the last block up to 55 bytes. */
FX_TEST(lengths_around_a_block)
{
    static const struct {
        size_t n;
        const char *hash;
    } cases[] = {
        {55, "c1c8bbdc22796e28c0e15163d20899b65621d65a"},
        {56, "c2db330f6083854c99d4b5bfb6e8f29f201be699"},
        {63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5"},
        {64, "0098ba824b5c16427bd7a1122a5a442a25ec644d"},
        {65, "11655326c708d70319be2610e8a57d9a5b959d3b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char letters[65];
        uint8_t h[20];
        memset(letters, 'a', sizeof letters);
        fx_sha1(letters, cases[i].n, h);
        FX_CHECK_HEX(h, cases[i].hash);
    }
}
