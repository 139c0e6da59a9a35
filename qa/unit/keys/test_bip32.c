/* Extended keys by the vectors of BIP32. */
#include "src/keys/bip32.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/util/base58.h"

#define XPRV 0x0488ade4
#define XPUB 0x0488b21e
#define H FX_BIP32_HARDENED

static secp256k1_context *context(void)
{
    static secp256k1_context *made;
    made = made ? made : secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    return made;
}

static void check(const char *seed_hex, const uint32_t *path, size_t n, const char *xprv,
                  const char *xpub)
{
    uint8_t seed[64], raw[FX_BIP32_SIZE];
    struct fx_bip32 key;
    FX_CHECK(fx_bip32_master(context(), seed, fx_unit_unhex(seed_hex, seed, sizeof(seed)), &key));
    for (size_t i = 0; i < n; i++) {
        FX_CHECK(fx_bip32_child(context(), &key, path[i], &key));
    }
    fx_bip32_write_secret(&key, XPRV, raw);
    char *text = fx_base58check_encode(raw, sizeof(raw));
    FX_CHECK_STR(text, xprv);
    free(text);
    if (xpub) {
        struct fx_bip32_public public;
        FX_CHECK(fx_bip32_neuter(context(), &key, &public));
        fx_bip32_write_public(&public, XPUB, raw);
        text = fx_base58check_encode(raw, sizeof(raw));
        FX_CHECK_STR(text, xpub);
        free(text);
    }
}

FX_TEST(published_vectors)
{
    static const char one[] = "000102030405060708090a0b0c0d0e0f";
    static const char two[] = "fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a2"
                              "9f9c999693908d8a8784817e7b7875726f6c696663605d5a5754514e4b484542";
    static const char three[] = "4b381541583be4423346c643850da4b320e46a87ae3d2a4e6da11eba819cd4ac"
                                "ba45d239319ac14f863b8d5ab5a0d0c64d2e8a1e7d1457df2e5a3c51c73235be";
    static const char four[] = "3ddd5602285899a946114506157c7997e5444528f3003f6134712147db19b678";
    static const uint32_t deep[] = {0, 2147483647 | H, 1, 2147483646 | H, 2};
    static const uint32_t zero[] = {0 | H};
    check(one, NULL, 0,
          "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNN"
          "U3TGtRBeJgk33yuGBxrMPHi",
          "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD2"
          "65TMg7usUDFdp6W1EGMcet8");
    check(two, NULL, 0,
          "xprv9s21ZrQH143K31xYSDQpPDxsXRTUcvj2iNHm5NUtrGiGG5e2DtALGdso3pGz6ssrdK4PFmM8NSpSBHNqPqm5"
          "5Qn3LqFtT2emdEXVYsCzC2U",
          "xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8B"
          "DzTJY47LJhkJ8UB7WEGuduB");
    check(two, deep, 4,
          "xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8"
          "HFsTjSyQbLYnMpCqE2VbFWc",
          "xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grB"
          "GRjaDMzQLcgJvLJuZZvRcEL");
    check(two, deep, 5,
          "xprvA2nrNbFZABcdryreWet9Ea4LvTJcGsqrMzxHx98MMrotbir7yrKCEXw7nadnHM8Dq38EGfSh6dqA9QWTyefM"
          "LEcBYJUuekgW4BYPJcr9E7j",
          "xpub6FnCn6nSzZAw5Tw7cgR9bi15UV96gLZhjDstkXXxvCLsUXBGXPdSnLFbdpq8p9HmGsApME5hQTZ3emM2rnY5"
          "agb9rXpVGyy3bdW6EEgAtqt");
    /* Leading zeros are kept. */
    check(three, zero, 1,
          "xprv9uPDJpEQgRQfDcW7BkF7eTya6RPxXeJCqCJGHuCJ4GiRVLzkTXBAJMu2qaMWPrS7AANYqdq6vcBcBUdJCVVF"
          "ceUvJFjaPdGZ2y9WACViL4L",
          "xpub68NZiKmJWnxxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MYo6o"
          "DaPPLPxSb7gwQN3ih19Zm4Y");
    check(four, NULL, 0,
          "xprv9s21ZrQH143K48vGoLGRPxgo2JNkJ3J3fqkirQC2zVdk5Dgd5w14S7fRDyHH4dWNHUgkvsvNDCkvAwcSHNAQ"
          "whwgNMgZhLtQC63zxwhQmRv",
          "xpub661MyMwAqRbcGczjuMoRm6dXaLDEhW1u34gKenbeYqAix21mdUKJyuyu5F1rzYGVxyL6tmgBUAEPrEz92mBX"
          "jByMRiJdba9wpnN37RLLAXa");
}

FX_TEST(public_children_are_those_of_the_secret)
{
    uint8_t seed[64], raw[FX_BIP32_SIZE], other[FX_BIP32_SIZE];
    struct fx_bip32 secret;
    struct fx_bip32_public expected, derived;
    size_t n = fx_unit_unhex("000102030405060708090a0b0c0d0e0f", seed, sizeof(seed));
    FX_CHECK(fx_bip32_master(context(), seed, n, &secret));
    FX_CHECK(fx_bip32_neuter(context(), &secret, &derived));
    for (uint32_t index = 0; index < 3; index++) {
        FX_CHECK(fx_bip32_child(context(), &secret, index, &secret));
        FX_CHECK(fx_bip32_neuter(context(), &secret, &expected));
        FX_CHECK(fx_bip32_public_child(&derived, index, &derived));
        fx_bip32_write_public(&derived, XPUB, raw);
        fx_bip32_write_public(&expected, XPUB, other);
        FX_CHECK(memcmp(raw, other, sizeof(raw)) == 0);
    }
    FX_CHECK(!fx_bip32_public_child(&derived, H, &derived));
    fx_bip32_write_public(&derived, XPUB, raw);
    FX_CHECK(fx_bip32_read_public(raw, XPUB, &expected));
    FX_CHECK(memcmp(expected.key, derived.key, sizeof(derived.key)) == 0);
    FX_CHECK(!fx_bip32_read_public(raw, XPRV, &expected));
    fx_bip32_write_secret(&secret, XPRV, raw);
    struct fx_bip32 again;
    FX_CHECK(fx_bip32_read_secret(raw, XPRV, &again));
    FX_CHECK(memcmp(again.secret, secret.secret, 32) == 0);
}

FX_TEST(serialized_keys_that_are_none)
{
    /* BIP32, test vector 5. */
    static const char *const bad[] = {
        "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6LBpB85b3D2yc8sfvZU521AAwdZaf"
        "Ez7mnzBBsz4wKY5fTtTQBm",
        "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6Txnt3siSujt9RCVYsx4qHZGc62TG"
        "4McvMGcAUjeuwZdduYEvFn",
        "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6N8ZMMXctdiCjxTNq964yKkwrkBJJ"
        "wpzZS4HS2fxvyYUA4q2Xe4",
        "xprv9s21ZrQH143K24Mfq5zL5MhWK9hUhhGbd45hLXo2Pq2oqzMMo63oStZzFAzHGBP2UuGCqWLTAPLcMtD9y5gkZ"
        "6Eq3rjuahrv17fENZ3QzxW",
        "xprv9s2SPatNQ9Vc6GTbVMFPFo7jsaZySyzk7L8n2uqKXJen3KUmvQNTuLh3fhZMBoG3G4ZW1N2kZuHEPY53qmbZz"
        "CHshoQnNf4GvELZfqTUrcv",
        "xpub661no6RGEX3uJkY4bNnPcw4URcQTrSibUZ4NqJEw5eBkv7ovTwgiT91XX27VbEXGENhYRCf7hyEbWrR3FewAT"
        "dCEebj6znwMfQkhRYHRLpJ",
        "xprv9s21ZrQH4r4TsiLvyLXqM9P7k1K3EYhA1kkD6xuquB5i39AU8KF42acDyL3qsDbU9NmZn6MsGSUYZEsuoePmj"
        "zsB3eFKSUEh3Gu1N3cqVUN",
        "xprv9s21ZrQH143K24Mfq5zL5MhWK9hUhhGbd45hLXo2Pq2oqzMMo63oStZzF93Y5wvzdUayhgkkFoicQZcP3y52u"
        "PPxFnfoLZB21Teqt1VvEHx",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint8_t raw[FX_BIP32_SIZE];
        size_t n;
        struct fx_bip32 secret;
        struct fx_bip32_public public;
        bool parsed = fx_base58check_decode(bad[i], raw, sizeof(raw), &n) && n == sizeof(raw);
        FX_CHECK(!parsed || !fx_bip32_read_secret(raw, XPRV, &secret));
        FX_CHECK(!parsed || !fx_bip32_read_public(raw, XPUB, &public));
    }
}
