/* Hashes as values and as text. */
#include "src/util/hash.h"

#include <string.h>

#include "qa/unit/harness.h"

static struct fx_hash counting(void)
{
    struct fx_hash h;
    for (unsigned i = 0; i < 32; i++)
        h.b[i] = (uint8_t)i;
    return h;
}

FX_TEST(ids_are_reversed_and_keys_are_not)
{
    const struct fx_hash h = counting();
    struct fx_hash back;
    char text[FX_HASH_HEX];
    fx_hash_to_id(&h, text);
    FX_CHECK_STR(text, "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100");
    FX_CHECK(fx_hash_from_id(&back, text));
    FX_CHECK(fx_hash_equal(&h, &back));
    fx_hash_to_hex(&h, text);
    FX_CHECK_STR(text, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    FX_CHECK(fx_hash_from_hex(&back, text));
    FX_CHECK(fx_hash_equal(&h, &back));
}

FX_TEST(text_must_have_64_digits)
{
    const struct fx_hash h = counting();
    struct fx_hash back = h;
    char text[FX_HASH_HEX + 1];
    memset(text, 'a', 65);
    text[65] = '\0';
    FX_CHECK(!fx_hash_from_id(&back, text));
    FX_CHECK(!fx_hash_from_hex(&back, text));
    text[63] = '\0';
    FX_CHECK(!fx_hash_from_id(&back, text));
    text[63] = 'g';
    text[64] = '\0';
    FX_CHECK(!fx_hash_from_id(&back, text));
    FX_CHECK(!fx_hash_from_hex(&back, text));
    FX_CHECK(!fx_hash_from_hex(&back, ""));
    /* A refused text leaves the hash as it was. */
    FX_CHECK(fx_hash_equal(&h, &back));
    text[63] = 'F';
    FX_CHECK(fx_hash_from_hex(&back, text));
    FX_CHECK_INT(back.b[31], 0xaf);
}

FX_TEST(comparison)
{
    struct fx_hash a = counting(), b = a, zero;
    FX_CHECK_INT(fx_hash_cmp(&a, &b), 0);
    b.b[31]++;
    FX_CHECK(fx_hash_cmp(&a, &b) < 0 && fx_hash_cmp(&b, &a) > 0);
    FX_CHECK(!fx_hash_equal(&a, &b));
    /* The first byte outweighs the last; bytes are unsigned. */
    a.b[0] = 0x80;
    FX_CHECK(fx_hash_cmp(&a, &b) > 0);
    memset(&zero, 0, sizeof zero);
    FX_CHECK(fx_hash_is_zero(&zero));
    for (unsigned i = 0; i < 32; i++) {
        zero.b[i] = 1;
        FX_CHECK(!fx_hash_is_zero(&zero));
        zero.b[i] = 0;
    }
}
