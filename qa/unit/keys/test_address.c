/* Addresses: there and back, and what is wrong with those that are none. */
#include "src/keys/address.h"

#include <string.h>

#include "qa/unit/harness.h"

FX_TEST(addresses_name_scripts_and_back)
{
    static const struct {
        const char *address, *script;
    } good[] = {
        {"mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn",
         "76a914243f1394f44554f4ce3fd68649c19adc483ce92488ac"},
        {"2NDvEwGfpEqJWfybzpKPHF2XH3jwoQV3D7x", "a914e2c80e5a0e9ea6e5a6e5b5b6a8a4b6e0b7d0c7d987"},
        {"bcrt1qjqmxmkpmxt80xz4y3746zgt0q3u3ferr34acd5",
         "001490366dd83b32cef30aa48faba1216f047914e463"},
    };
    const struct fx_params *params = fx_params_get(FX_BTCREGTEST);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct fx_buf script = FX_BUF_INIT;
        char error[FX_ADDRESS_ERROR] = "", back[FX_ADDRESS_MAX];
        FX_CHECK(fx_address_decode(params, good[i].address, &script, error));
        FX_CHECK_STR(error, "");
        FX_CHECK(fx_address_encode(params, (struct fx_span){script.data, script.len}, back));
        FX_CHECK_STR(back, good[i].address);
        fx_buf_clear(&script);
    }
}

FX_TEST(what_is_no_address_says_why)
{
    static const struct {
        const char *address, *error;
    } wrong[] = {
        {"", "Invalid checksum or length of Base58 address (P2PKH or P2SH)"},
        {"mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJJfn",
         "Invalid checksum or length of Base58 address (P2PKH or P2SH)"},
        {"17VZNX1SN5NtKa8UQFxwQbFeFc3iqRYhem", "Invalid or unsupported Base58-encoded address."},
        {"asfah14i8fajz0123f", "Invalid or unsupported Segwit (Bech32) or Base58 encoding."},
        {"bcrt1q049edschfnwystcqnsvyfpj23mpsg3jcedq9xv", "Invalid Bech32 checksum"},
        {"bcrtq049ldschfnwystcqnsvyfpj23mpsg3jcedq9xv", "Missing separator"},
        {"bcrt1q04oldschfnwystcqnsvyfpj23mpsg3jcedq9xv", "Invalid Base 32 character"},
        {"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7k35mrzd",
         "Version 0 witness address must use Bech32 checksum"},
        {"bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqdmchcc",
         "Version 1+ witness address must use Bech32m checksum"},
        {"bcrt130xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqynjegk",
         "Invalid Bech32 address witness version"},
        {"bcrt1s0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav25430mtr",
         "Invalid Bech32 address program size (41 bytes)"},
        {"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kqqq5k3my",
         "Invalid Bech32 v0 address program size (21 bytes), per BIP141"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct fx_buf script = FX_BUF_INIT;
        char error[FX_ADDRESS_ERROR] = "";
        FX_CHECK(
            !fx_address_decode(fx_params_get(FX_BTCREGTEST), wrong[i].address, &script, error));
        FX_CHECK_STR(error, wrong[i].error);
        FX_CHECK(script.len == 0);
        fx_buf_clear(&script);
    }
}
