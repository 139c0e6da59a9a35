/* Extended keys by the vectors of BIP32, and output keys by those of BIP86. */
#include "wallet/bip32.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/util/base58.h"
#include "src/util/bech32.h"
#include "wallet/wallet_int.h"

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
        FX_CHECK(fx_bip32_write_public(context(), &key, XPUB, raw));
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

FX_TEST(bip86_vectors)
{
    /* Words "abandon ... about"; m/86'/0'/0'/0/0, /0/1 and /1/0. */
    static const struct {
        uint32_t use, index;
        const char *output, *address;
    } keys[] = {
        {0, 0, "a60869f0dbcf1dc659c9cecbaf8050135ea9e8cdc487053f1dc6880949dc684c",
         "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"},
        {0, 1, "a82f29944d65b86ae6b5e5cc75e294ead6c59391a1edc5e016e3498c67fc7bbb",
         "bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh"},
        {1, 0, "882d74e5d0572d5a816cef0041a96b6c1de832f6f9676d9605c44d5e9a97d3dc",
         "bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7"},
    };
    uint8_t seed[64];
    fx_bip39_seed("abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
                  "abandon about",
                  "", seed);
    for (size_t i = 0; i < 3; i++) {
        struct fx_bip32 key;
        struct fx_hash output;
        char address[FX_BECH32_ADDRESS_MAX];
        const uint32_t path[] = {86 | H, 0 | H, 0 | H, keys[i].use, keys[i].index};
        FX_CHECK(fx_bip32_master(context(), seed, sizeof(seed), &key));
        for (size_t j = 0; j < 5; j++) {
            FX_CHECK(fx_bip32_child(context(), &key, path[j], &key));
        }
        FX_CHECK(fx_keys_taproot(context(), key.secret, NULL, &output));
        FX_CHECK_HEX(output.b, keys[i].output);
        FX_CHECK(fx_segwit_encode("bc", 1, output.b, 32, address));
        FX_CHECK_STR(address, keys[i].address);
    }
}
