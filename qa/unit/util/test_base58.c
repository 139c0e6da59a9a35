/* Base58 and Base58Check. */
#include "src/util/base58.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"

FX_TEST(bitcoin_vectors)
{
    json_t *list = fx_unit_vector("base58_encode_decode.json"), *entry;
    size_t index;
    json_array_foreach(list, index, entry)
    {
        const char *hex = json_string_value(json_array_get(entry, 0));
        const char *text = json_string_value(json_array_get(entry, 1));
        uint8_t bytes[256], back[256];
        size_t got;
        FX_CHECK(hex && text);
        const size_t n = fx_unit_unhex(hex, bytes, sizeof bytes);
        char *encoded = fx_base58_encode(bytes, n);
        FX_CHECK_STR(encoded, text);
        free(encoded);
        FX_CHECK(fx_base58_decode(text, back, n, &got));
        FX_CHECK_INT(got, n);
        FX_CHECK_MEM(back, bytes, n);
        if (n > 0)
            FX_CHECK(!fx_base58_decode(text, back, n - 1, &got));
    }
    json_decref(list);
}

FX_TEST(known_texts)
{
    static const struct {
        const char *hex, *text;
    } vectors[] = {
        {"", ""},
        {"61", "2g"},
        {"73696d706c792061206c6f6e6720737472696e67", "2cFupjhnEsSn59qHXstmK2ffpLv2"},
        {"00eb15231dfceb60925886b67d065299925915aeb172c06647",
         "1NS17iag9jJgTHD1VXjvLCEnZuQ3rJDE9L"},
        {"00000000000000000000", "1111111111"},
        {"ff", "5Q"},
        {"0100", "5R"},
        {"39", "z"},
        {"3a", "21"},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint8_t bytes[64], back[64];
        size_t got;
        const size_t n = fx_unit_unhex(vectors[i].hex, bytes, sizeof bytes);
        char *text = fx_base58_encode(bytes, n);
        FX_CHECK_STR(text, vectors[i].text);
        free(text);
        FX_CHECK(fx_base58_decode(vectors[i].text, back, sizeof back, &got));
        FX_CHECK_INT(got, n);
        FX_CHECK_MEM(back, bytes, n);
    }
}

FX_TEST(random_round_trips)
{
    for (unsigned round = 0; round < fx_unit_rounds(1000); round++) {
        uint8_t bytes[128], back[128];
        const size_t n = (size_t)fx_unit_rand_below(129);
        size_t got, zeros = (size_t)fx_unit_rand_below(4);
        fx_unit_rand_fill(bytes, n);
        memset(bytes, 0, zeros < n ? zeros : n);
        char *text = fx_base58_encode(bytes, n);
        FX_CHECK(fx_base58_decode(text, back, n, &got));
        FX_CHECK_INT(got, n);
        FX_CHECK_MEM(back, bytes, n);
        free(text);
        if (n > 124)
            continue;
        text = fx_base58check_encode(bytes, n);
        FX_CHECK(fx_base58check_decode(text, back, n, &got));
        FX_CHECK_INT(got, n);
        FX_CHECK_MEM(back, bytes, n);
        if (n > 0)
            FX_CHECK(!fx_base58check_decode(text, back, n - 1, &got));
        free(text);
    }
}

FX_TEST(characters_outside_the_alphabet)
{
    uint8_t out[64];
    size_t n;
    unsigned good = 0;
    for (unsigned c = 1; c < 256; c++) {
        const char text[4] = {'2', (char)c, '2', 0};
        good += fx_base58_decode(text, out, sizeof out, &n);
    }
    FX_CHECK_INT(good, 58);
    FX_CHECK(!fx_base58_decode(" 2g", out, sizeof out, &n));
    FX_CHECK(!fx_base58_decode("2g ", out, sizeof out, &n));
}

FX_TEST(a_long_text_ends_early)
{
    const size_t len = 1000000;
    char *text = malloc(len + 1);
    uint8_t out[78];
    size_t n;
    FX_CHECK(text);
    memset(text, 'z', len);
    text[len] = '\0';
    FX_CHECK(!fx_base58_decode(text, out, sizeof out, &n));
    memset(text, '1', len);
    FX_CHECK(!fx_base58_decode(text, out, sizeof out, &n));
    free(text);
}

FX_TEST(check_of_known_keys)
{
    /* The address of the first block's key, and a private key of the Bitcoin wiki. */
    uint8_t payload[40], back[40];
    size_t n;
    fx_unit_unhex("0062e907b15cbf27d5425399ebf6f0fb50ebb88f18", payload, sizeof payload);
    char *text = fx_base58check_encode(payload, 21);
    FX_CHECK_STR(text, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa");
    free(text);
    FX_CHECK(fx_base58check_decode("5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ", back,
                                   sizeof back, &n));
    FX_CHECK_INT(n, 33);
    FX_CHECK_HEX(back, "800c28fca386c7a227600b2fe50b7cae11ec86d3bf1fbe471be89827e19d72aa1d");
}

FX_TEST(check_refuses)
{
    const char *good = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
    char text[64];
    uint8_t out[40];
    size_t n;
    for (size_t at = 0; at < strlen(good); at++) {
        memcpy(text, good, strlen(good) + 1);
        text[at] = text[at] == 'x' ? 'y' : 'x';
        FX_CHECK(!fx_base58check_decode(text, out, sizeof out, &n));
    }
    /* One more leading zero, one less, and fewer bytes than a checksum. */
    FX_CHECK(!fx_base58check_decode("11A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", out, sizeof out, &n));
    FX_CHECK(!fx_base58check_decode(good + 1, out, sizeof out, &n));
    FX_CHECK(!fx_base58check_decode("", out, sizeof out, &n));
    FX_CHECK(!fx_base58check_decode("2g", out, sizeof out, &n));
    /* The checksum of nothing is a valid text. */
    FX_CHECK(fx_base58check_decode("3QJmnh", out, sizeof out, &n));
    FX_CHECK_INT(n, 0);
    FX_CHECK(fx_base58check_decode("3QJmnh", out, 0, &n));
}
