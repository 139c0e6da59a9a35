/* ChaCha20: RFC 8439 vectors, lengths, offsets, counters, and each implementation against the
 * portable one. */
#include "src/crypto/chacha20.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/crypto/chacha20_int.h"

static void check_stream(const char *key_hex, const char *nonce_hex, uint32_t counter,
                         const char *expected)
{
    uint8_t key[32], nonce[12], out[64];
    FX_CHECK_INT(fx_unit_unhex(key_hex, key, sizeof key), 32);
    FX_CHECK_INT(fx_unit_unhex(nonce_hex, nonce, sizeof nonce), 12);
    fx_chacha20_stream(key, nonce, counter, out, sizeof out);
    FX_CHECK_HEX(out, expected);
}

FX_TEST(rfc8439_block)
{
    /* Section 2.3.2. */
    check_stream("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                 "000000090000004a00000000", 1,
                 "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
                 "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e");
}

FX_TEST(rfc8439_appendix)
{
    const char *zero_key = "0000000000000000000000000000000000000000000000000000000000000000";
    const char *zero_nonce = "000000000000000000000000";
    check_stream(zero_key, zero_nonce, 0,
                 "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
                 "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586");
    check_stream(zero_key, zero_nonce, 1,
                 "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
                 "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f");
    check_stream("0000000000000000000000000000000000000000000000000000000000000001", zero_nonce, 1,
                 "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a"
                 "8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0");
    check_stream("00ff000000000000000000000000000000000000000000000000000000000000", zero_nonce, 2,
                 "72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca"
                 "13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096");
    check_stream(zero_key, "000000000000000000000002", 0,
                 "c2c64d378cd536374ae204b9ef933fcd1a8b2288b3dfa49672ab765b54ee27c7"
                 "8a970e0e955c14f3a88e741b97c286f75f8fc299e8148362fa198a39531bed6d");
}

FX_TEST(rfc8439_encryption)
{
    /* Section 2.4.2: the keystream over a text of 114 bytes, so the last block is cut. */
    static const char text[] = "Ladies and Gentlemen of the class of '99: If I could offer you "
                               "only one tip for the future, sunscreen would be it.";
    uint8_t key[32], out[114];
    const uint8_t nonce[12] = {0, 0, 0, 0, 0, 0, 0, 0x4a};
    for (unsigned i = 0; i < 32; i++)
        key[i] = (uint8_t)i;
    FX_CHECK_INT(sizeof text - 1, sizeof out);
    fx_chacha20_stream(key, nonce, 1, out, sizeof out);
    for (unsigned i = 0; i < sizeof out; i++)
        out[i] ^= (uint8_t)text[i];
    FX_CHECK_HEX(out, "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b"
                      "f91b65c5524733ab8f593dabcd62b3571639d624e65152ab8f530c359f0861d8"
                      "07ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab7793736"
                      "5af90bbf74a35be6b40b8eedf2785e42874d");
}

/* Every length is the beginning of the longest stream, and each block stands alone under its
 * counter. */
FX_TEST(lengths_and_counters)
{
    uint8_t key[32], nonce[12], out[64 * 21 + 1], whole[64 * 21];
    fx_unit_rand_fill(key, sizeof key);
    fx_unit_rand_fill(nonce, sizeof nonce);
    /* The counter wraps inside. */
    const uint32_t counter = UINT32_MAX - 9;
    for (unsigned block = 0; block < 21; block++)
        fx_chacha20_stream(key, nonce, counter + block, whole + 64 * block, 64);
    for (size_t n = 0; n <= sizeof whole; n += n < 200 ? 1 : 37) {
        memset(out, 0xee, sizeof out);
        fx_chacha20_stream(key, nonce, counter, out, n);
        FX_CHECK_MEM(out, whole, n);
        for (size_t i = n; i < sizeof out; i++)
            FX_CHECK_INT(out[i], 0xee);
    }
}

FX_TEST(any_alignment)
{
    uint8_t key[33], nonce[13], out[1030], expected[1000];
    fx_unit_rand_fill(key + 1, 32);
    fx_unit_rand_fill(nonce + 1, 12);
    fx_chacha20_stream(key + 1, nonce + 1, 7, expected, sizeof expected);
    for (unsigned shift = 0; shift < 17; shift++) {
        fx_chacha20_stream(key + 1, nonce + 1, 7, out + shift, sizeof expected);
        FX_CHECK_MEM(out + shift, expected, sizeof expected);
    }
}

FX_TEST(avx2_equals_portable)
{
#ifdef FX_CRYPTO_X86
    if (!fx_cpu_has_avx2())
        FX_SKIP("this processor has no AVX2");
    uint8_t a[64 * 27], b[64 * 27];
    for (unsigned round = 0; round < fx_unit_rounds(100); round++) {
        uint32_t input[16];
        const size_t blocks = (size_t)fx_unit_rand_below(28);
        fx_unit_rand_fill(input, sizeof input);
        const size_t done = fx_chacha20_blocks_avx2(input, a, blocks);
        FX_CHECK_INT(done, blocks / 8 * 8);
        FX_CHECK_INT(fx_chacha20_blocks_four(input, b, blocks), blocks / 4 * 4);
        FX_CHECK_MEM(a, b, 64 * done);
    }
#else
    FX_SKIP("not an x86-64 processor");
#endif
}
