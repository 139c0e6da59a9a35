/* Hexadecimal text. */
#include "src/util/hex.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"

FX_TEST(encode)
{
    const uint8_t bytes[] = {0x00, 0x01, 0x7f, 0x80, 0xab, 0xff};
    char out[13];
    fx_hex_encode(bytes, 6, out);
    FX_CHECK_STR(out, "00017f80abff");
    fx_hex_encode(bytes, 0, out);
    FX_CHECK_STR(out, "");
    char *dup = fx_hex_dup(bytes + 4, 2);
    FX_CHECK_STR(dup, "abff");
    free(dup);
}

FX_TEST(decode_either_case)
{
    uint8_t out[3];
    FX_CHECK(fx_hex_decode("AbCdEf", out, 3));
    FX_CHECK_HEX(out, "abcdef");
    FX_CHECK(fx_hex_decode("", out, 0));
}

FX_TEST(decode_refuses)
{
    static const char *const bad[] = {"",
                                      "a",
                                      "abc",
                                      "abcd0",
                                      "abcdef",
                                      "0x12",
                                      " abc",
                                      "ab c",
                                      "abg0",
                                      "ab0g",
                                      "ab:0",
                                      "ab/0",
                                      "ab@0",
                                      "ab`0",
                                      "ab\xff"
                                      "0",
                                      "abc "};
    uint8_t out[2];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        FX_CHECK(!fx_hex_decode(bad[i], out, 2));
}

FX_TEST(every_byte_round_trips)
{
    for (unsigned v = 0; v < 256; v++) {
        const uint8_t b = (uint8_t)v;
        uint8_t back;
        char text[3];
        fx_hex_encode(&b, 1, text);
        FX_CHECK(fx_hex_decode(text, &back, 1));
        FX_CHECK_INT(back, v);
    }
}

FX_TEST(every_pair_of_characters)
{
    /* Exactly the 22 digits are digits, on either place. */
    unsigned good = 0;
    for (unsigned a = 1; a < 256; a++) {
        for (unsigned b = 1; b < 256; b++) {
            const char text[3] = {(char)a, (char)b, 0};
            uint8_t out;
            good += fx_hex_decode(text, &out, 1);
        }
    }
    FX_CHECK_INT(good, 22 * 22);
}

FX_TEST(decode_dup)
{
    uint8_t *out = NULL;
    size_t n = 99;
    FX_CHECK(fx_hex_decode_dup("0102ff", 3, &out, &n));
    FX_CHECK_INT(n, 3);
    FX_CHECK_HEX(out, "0102ff");
    free(out);
    FX_CHECK(fx_hex_decode_dup("", 3, &out, &n));
    FX_CHECK_INT(n, 0);
    free(out);
    FX_CHECK(!fx_hex_decode_dup("0102ff00", 3, &out, &n));
    FX_CHECK(!fx_hex_decode_dup("0102f", 3, &out, &n));
    FX_CHECK(!fx_hex_decode_dup("0102fx", 3, &out, &n));
}
