/* Seeds as words, by the published vectors. */
#include "wallet/bip39.h"

#include <string.h>

#include "qa/unit/harness.h"

/* From the vectors of BIP39 (passphrase "TREZOR"). */
static const struct {
    const char *entropy, *words, *seed;
} vectors[] = {
    {"00000000000000000000000000000000",
     "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
     "about",
     "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e5349553"
     "1f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04"},
    {"9e885d952ad362caeb4efe34a8e91bd2",
     "ozone drill grab fiber curtain grace pudding thank cruise elder eight picnic",
     "274ddc525802f7c828d8ef7ddbcdc5304e87ac3535913611fbbfa986d0c9e547"
     "6c91689f9c8a54fd55bd38606aa6a8595ad213d4c9c9f9aca3fb217069a41028"},
    {"6610b25967cdcca9d59875f5cb50b0ea75433311869e930b",
     "gravity machine north sort system female filter attitude volume fold club stay feature "
     "office ecology stable narrow fog",
     "628c3827a8823298ee685db84f55caa34b5cc195a778e52d45f59bcf75aba68e"
     "4d7590e101dc414bc1bbd5737666fbbef35d1f1903953b66624f910feef245ac"},
    {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo "
     "vote",
     "dd48c104698c30cfe2b6142103248622fb7bb0ff692eebb00089b32d22484e16"
     "13912f0a5b694407be899ffd31ed3992c456cdf60f5d4564b8ba3f05a69890ad"},
};

FX_TEST(published_vectors)
{
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        uint8_t entropy[32], back[32], seed[64];
        char text[FX_BIP39_TEXT_MAX];
        size_t n = fx_unit_unhex(vectors[i].entropy, entropy, sizeof(entropy)), got;
        FX_CHECK(fx_bip39_encode(entropy, n, text));
        FX_CHECK_STR(text, vectors[i].words);
        FX_CHECK(fx_bip39_decode(text, back, &got));
        FX_CHECK_INT(got, n);
        FX_CHECK_MEM(back, entropy, n);
        fx_bip39_seed(text, "TREZOR", seed);
        FX_CHECK_HEX(seed, vectors[i].seed);
    }
}

FX_TEST(any_entropy_goes_round)
{
    for (unsigned round = 0; round < fx_unit_rounds(200); round++) {
        uint8_t entropy[32], back[32];
        char text[FX_BIP39_TEXT_MAX];
        size_t n = 16 + 4 * fx_unit_rand_below(5), got;
        fx_unit_rand_fill(entropy, n);
        FX_CHECK(fx_bip39_encode(entropy, n, text));
        FX_CHECK(fx_bip39_decode(text, back, &got));
        FX_CHECK_INT(got, n);
        FX_CHECK_MEM(back, entropy, n);
    }
}

FX_TEST(wrong_words_are_refused)
{
    uint8_t entropy[32] = {0};
    char text[FX_BIP39_TEXT_MAX];
    static const char *const wrong[] = {
        "",
        "abandon",
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon",
        /* checksum */
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
        "abandon",
        /* no such word; a prefix of one; more than one */
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
        "abut",
        "aban abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
        "about",
        "abandons abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
        "about",
        /* 13 words */
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
        "about about",
    };
    size_t n;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        FX_CHECK(!fx_bip39_decode(wrong[i], NULL, &n));
    }
    FX_CHECK(!fx_bip39_encode(entropy, 15, text));
    FX_CHECK(!fx_bip39_encode(entropy, 33, text));
    char longer[2000];
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = 0;
    FX_CHECK(!fx_bip39_decode(longer, NULL, &n));
}

FX_TEST(case_and_spaces_do_not_matter)
{
    char text[FX_BIP39_TEXT_MAX];
    FX_CHECK(fx_bip39_normalise("  Zoo\tZOO\n wrong  ", text));
    FX_CHECK_STR(text, "zoo zoo wrong");
}

FX_TEST(the_list_is_sorted)
{
    for (size_t i = 1; i < FX_BIP39_WORDS; i++) {
        FX_CHECK(strcmp(fx_bip39_words[i - 1], fx_bip39_words[i]) < 0);
    }
}
