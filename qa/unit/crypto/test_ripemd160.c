/* RIPEMD-160: the vectors of its authors; hash160. */
#include "src/crypto/ripemd160.h"

#include <string.h>

#include "qa/unit/harness.h"

static void check_text(const char *text, const char *expected)
{
    uint8_t h[20];
    fx_ripemd160(text, strlen(text), h);
    FX_CHECK_HEX(h, expected);
}

FX_TEST(published_vectors)
{
    check_text("", "9c1185a5c5e9fc54612808977ee8f548b2258d31");
    check_text("a", "0bdc9d2d256b3ee9daae347be6f4dc835a467ffe");
    check_text("abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc");
    check_text("message digest", "5d0689ef49d2fae572b881b123a85ffa21595f36");
    check_text("abcdefghijklmnopqrstuvwxyz", "f71c27109c692c1b56bbdceb5b9d2865b3708dbc");
    check_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
               "12a053384a9c0c88e405a06c27dcf49ada62eb2b");
    check_text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
               "b0e20b6e3116640286ed3a87a5713079b21f5189");
    check_text("12345678901234567890123456789012345678901234567890123456789012345678901234567890",
               "9b752e45573d4b39f4dbd3323cab82bf63326bfb");
}

FX_TEST(a_million_letters)
{
    static char letters[1000000];
    uint8_t h[20];
    memset(letters, 'a', sizeof letters);
    fx_ripemd160(letters, sizeof letters, h);
    FX_CHECK_HEX(h, "52783243c1697bdbe16d37f97f68f08325dc1528");
}

FX_TEST(hash160_of_the_generator)
{
    uint8_t key[33], h[20];
    fx_unit_unhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", key,
                  sizeof key);
    fx_hash160(key, sizeof key, h);
    FX_CHECK_HEX(h, "751e76e8199196d454941c45d1b3a323f1433bd6");
}
