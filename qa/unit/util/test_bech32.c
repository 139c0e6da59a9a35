/* Segwit addresses: the vectors of BIP173 and BIP350, and of Bitcoin Core where they are at hand.
 */
#include "src/util/bech32.h"

#include <stdio.h>
#include <string.h>

#include "qa/unit/harness.h"

/* The output script of an address under hrp, or false. */
static bool script_of(const char *hrp, const char *address, uint8_t script[42], size_t *n)
{
    unsigned version;
    size_t length;
    if (!fx_segwit_decode(hrp, address, &version, script + 2, &length))
        return false;
    FX_CHECK(version <= 16 && length >= 2 && length <= 40);
    script[0] = version == 0 ? 0 : (uint8_t)(0x50 + version);
    script[1] = (uint8_t)length;
    *n = length + 2;
    return true;
}

static void lower(const char *from, char *to)
{
    do {
        *to++ = *from >= 'A' && *from <= 'Z' ? (char)(*from - 'A' + 'a') : *from;
    } while (*from++);
}

static void check_valid(const char *hrp, const char *address, const char *script_hex)
{
    uint8_t script[42];
    size_t n;
    char encoded[FX_BECH32_ADDRESS_MAX], expected[FX_BECH32_ADDRESS_MAX];
    FX_CHECK(script_of(hrp, address, script, &n));
    FX_CHECK_INT(n, strlen(script_hex) / 2);
    FX_CHECK_HEX(script, script_hex);
    const unsigned version = script[0] == 0 ? 0 : script[0] - 0x50u;
    FX_CHECK(fx_segwit_encode(hrp, version, script + 2, n - 2, encoded));
    lower(address, expected);
    FX_CHECK_STR(encoded, expected);
}

FX_TEST(valid_addresses)
{
    check_valid("bc", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
                "0014751e76e8199196d454941c45d1b3a323f1433bd6");
    check_valid("tb", "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
                "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262");
    check_valid("bc", "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
                "5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433"
                "bd6");
    check_valid("bc", "BC1SW50QGDZ25J", "6002751e");
    check_valid("bc", "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs",
                "5210751e76e8199196d454941c45d1b3a323");
    check_valid("tb", "tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy",
                "0020000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433");
    check_valid("tb", "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c",
                "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433");
    check_valid("bc", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
                "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
}

FX_TEST(invalid_addresses)
{
    static const struct {
        const char *hrp, *address, *why;
    } vectors[] = {
        {"bc", "tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut", "another hrp"},
        {"tb", "tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut", "another hrp"},
        {"bc", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", "bech32, v1"},
        {"tb", "tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf", "bech32, v2"},
        {"bc", "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL", "bech32, v16"},
        {"bc", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh", "bech32m, v0"},
        {"tb", "tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47", "bech32m, v0"},
        {"bc", "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4", "character"},
        {"bc", "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R", "version 17"},
        {"bc", "bc1pw5dgrnzv", "one byte"},
        {"bc", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
         "41 bytes"},
        {"bc", "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", "v0 of 16 bytes"},
        {"tb", "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq", "mixed case"},
        {"bc", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf", "long padding"},
        {"tb", "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j", "padding bits"},
        {"bc", "bc1gmk9yu", "no data"},
        {"bc", "", "nothing"},
        {"bc", "bc", "no separator"},
        {"bc", "bc1", "no checksum"},
        {"", "1gmk9yu", "no hrp"},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint8_t script[42];
        size_t n;
        if (script_of(vectors[i].hrp, vectors[i].address, script, &n))
            FX_FAIL("accepted: %s (%s)", vectors[i].address, vectors[i].why);
    }
}

/* The code detects every error in up to four characters. */
FX_TEST(errors_are_detected)
{
    static const char charset[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const char *good = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0";
    uint8_t script[42];
    size_t n;
    char address[FX_BECH32_ADDRESS_MAX];
    const size_t len = strlen(good);
    for (size_t at = 3; at < len; at++) {
        for (unsigned c = 0; c < 32; c++) {
            memcpy(address, good, len + 1);
            address[at] = charset[c];
            FX_CHECK_INT(script_of("bc", address, script, &n), good[at] == charset[c]);
        }
    }
    for (unsigned round = 0; round < fx_unit_rounds(2000); round++) {
        memcpy(address, good, len + 1);
        for (unsigned i = 0; i < 4; i++)
            address[3 + fx_unit_rand_below(len - 3)] = charset[fx_unit_rand_below(32)];
        FX_CHECK_INT(script_of("bc", address, script, &n), strcmp(address, good) == 0);
    }
    /* Shortened and lengthened. */
    memcpy(address, good, len + 1);
    address[len - 1] = '\0';
    FX_CHECK(!script_of("bc", address, script, &n));
}

FX_TEST(own_prefixes_round_trip)
{
    static const char *const prefixes[] = {"fx", "tfx", "fxrt", "bcrt"};
    for (unsigned p = 0; p < 4; p++) {
        for (unsigned version = 0; version <= 16; version++) {
            for (size_t n = 2; n <= 40; n++) {
                uint8_t program[40], back[40];
                char address[FX_BECH32_ADDRESS_MAX];
                unsigned got;
                size_t got_n;
                if (version == 0 && n != 20 && n != 32)
                    continue;
                fx_unit_rand_fill(program, n);
                FX_CHECK(fx_segwit_encode(prefixes[p], version, program, n, address));
                FX_CHECK(fx_segwit_decode(prefixes[p], address, &got, back, &got_n));
                FX_CHECK_INT(got, version);
                FX_CHECK_INT(got_n, n);
                FX_CHECK_MEM(back, program, n);
                FX_CHECK(!fx_segwit_decode(prefixes[(p + 1) % 4], address, &got, back, &got_n));
            }
        }
    }
}

FX_TEST(encode_refuses)
{
    uint8_t program[41] = {0};
    char out[FX_BECH32_ADDRESS_MAX], hrp[FX_BECH32_ADDRESS_MAX + 10];
    FX_CHECK(!fx_segwit_encode("fx", 17, program, 32, out));
    FX_CHECK(!fx_segwit_encode("fx", 1, program, 1, out));
    FX_CHECK(!fx_segwit_encode("fx", 1, program, 41, out));
    FX_CHECK(!fx_segwit_encode("fx", 0, program, 21, out));
    FX_CHECK(!fx_segwit_encode("", 1, program, 32, out));
    FX_CHECK(!fx_segwit_encode("FX", 1, program, 32, out));
    FX_CHECK(!fx_segwit_encode("f x", 1, program, 32, out));
    FX_CHECK(!fx_segwit_encode("f\x7f", 1, program, 32, out));
    /* 90 characters in all and no more: 1 + 1 + 52 + 6 come after the hrp of 30. */
    memset(hrp, 'x', sizeof hrp);
    hrp[30] = '\0';
    FX_CHECK(fx_segwit_encode(hrp, 1, program, 32, out));
    FX_CHECK_INT(strlen(out), 90);
    unsigned version;
    size_t n;
    uint8_t back[40];
    FX_CHECK(fx_segwit_decode(hrp, out, &version, back, &n));
    hrp[30] = 'x';
    hrp[31] = '\0';
    FX_CHECK(!fx_segwit_encode(hrp, 1, program, 32, out));
    memset(hrp, 'x', sizeof hrp);
    hrp[sizeof hrp - 1] = '\0';
    FX_CHECK(!fx_segwit_encode(hrp, 1, program, 32, out));
    FX_CHECK(!fx_segwit_decode(hrp, hrp, &version, back, &n));
}

static const char *hrp_of(const char *chain)
{
    if (strcmp(chain, "main") == 0)
        return "bc";
    return strcmp(chain, "regtest") == 0 ? "bcrt" : "tb";
}

FX_TEST(bitcoin_key_io_valid)
{
    json_t *list = fx_unit_vector("key_io_valid.json"), *entry;
    size_t index;
    unsigned checked = 0;
    json_array_foreach(list, index, entry)
    {
        const char *address = json_string_value(json_array_get(entry, 0));
        const char *script = json_string_value(json_array_get(entry, 1));
        const json_t *meta = json_array_get(entry, 2);
        const char *hrp = hrp_of(json_string_value(json_object_get(meta, "chain")));
        char low[FX_BECH32_ADDRESS_MAX];
        FX_CHECK(address && script && strlen(address) < sizeof low);
        lower(address, low);
        const size_t n = strlen(hrp);
        if (strncmp(low, hrp, n) != 0 || low[n] != '1')
            continue;
        check_valid(hrp, address, script);
        checked++;
    }
    json_decref(list);
    FX_CHECK(checked > 10);
}

FX_TEST(bitcoin_key_io_invalid)
{
    static const char *const prefixes[] = {"bc", "tb", "bcrt"};
    json_t *list = fx_unit_vector("key_io_invalid.json"), *entry;
    size_t index;
    json_array_foreach(list, index, entry)
    {
        const char *address = json_string_value(json_array_get(entry, 0));
        FX_CHECK(address);
        for (unsigned p = 0; p < 3; p++) {
            uint8_t script[42];
            size_t n;
            if (script_of(prefixes[p], address, script, &n))
                FX_FAIL("accepted: %s", address);
        }
    }
    json_decref(list);
}
