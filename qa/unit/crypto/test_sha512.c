/* SHA-512 (FIPS 180-4 examples), HMAC (RFC 4231), PBKDF2 (BIP39 and others). */
#include "src/crypto/sha512.h"

#include <string.h>

#include "qa/unit/harness.h"

static void sha512_text(const void *data, size_t n, uint8_t out[64])
{
    struct fx_sha512 ctx;
    fx_sha512_init(&ctx);
    fx_sha512_update(&ctx, data, n);
    fx_sha512_final(&ctx, out);
}

static void check_text(const char *text, const char *expected)
{
    uint8_t h[64];
    sha512_text(text, strlen(text), h);
    FX_CHECK_HEX(h, expected);
}

FX_TEST(published_vectors)
{
    check_text("", "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
                   "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e");
    check_text("abc", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    check_text("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
               "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
               "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
               "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909");
}

FX_TEST(a_million_letters)
{
    struct fx_sha512 ctx;
    uint8_t h[64], chunk[1000];
    memset(chunk, 'a', sizeof chunk);
    fx_sha512_init(&ctx);
    for (int i = 0; i < 1000; i++)
        fx_sha512_update(&ctx, chunk, sizeof chunk);
    fx_sha512_final(&ctx, h);
    FX_CHECK_HEX(h, "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
                    "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b");
}

FX_TEST(any_chunking_gives_the_same)
{
    uint8_t data[900], whole[64], h[64];
    fx_unit_rand_fill(data, sizeof data);
    for (unsigned round = 0; round < fx_unit_rounds(200); round++) {
        const size_t n = (size_t)fx_unit_rand_below(sizeof data + 1);
        struct fx_sha512 ctx;
        sha512_text(data, n, whole);
        fx_sha512_init(&ctx);
        for (size_t at = 0; at < n;) {
            size_t step = (size_t)fx_unit_rand_below(300);
            if (step > n - at)
                step = n - at;
            fx_sha512_update(&ctx, data + at, step);
            at += step;
        }
        fx_sha512_final(&ctx, h);
        FX_CHECK_MEM(h, whole, 64);
    }
}

static void check_hmac(const char *key_hex, const char *data_hex, const char *expected_256,
                       const char *expected_512)
{
    uint8_t key[200], data[200], h[64];
    const size_t key_len = fx_unit_unhex(key_hex, key, sizeof key);
    const size_t n = fx_unit_unhex(data_hex, data, sizeof data);
    fx_hmac_sha256(key, key_len, data, n, h);
    FX_CHECK_HEX(h, expected_256);
    fx_hmac_sha512(key, key_len, data, n, h);
    FX_CHECK_HEX(h, expected_512);
}

FX_TEST(hmac_rfc4231)
{
    check_hmac("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
               "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
               "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
               "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854");
    check_hmac("4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
               "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
               "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
    check_hmac("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
               "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
               "dddddddddddddddddddddddddddddddddddd",
               "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
               "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
               "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb");
    check_hmac("0102030405060708090a0b0c0d0e0f10111213141516171819",
               "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
               "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
               "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
               "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db"
               "a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd");
    check_hmac("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
               "aaaaaa",
               "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a"
               "65204b6579202d2048617368204b6579204669727374",
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
               "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
               "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598");
    check_hmac("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
               "aaaaaa",
               "5468697320697320612074657374207573696e672061206c6172676572207468"
               "616e20626c6f636b2d73697a65206b657920616e642061206c61726765722074"
               "68616e20626c6f636b2d73697a6520646174612e20546865206b6579206e6565"
               "647320746f20626520686173686564206265666f7265206265696e6720757365"
               "642062792074686520484d414320616c676f726974686d2e",
               "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
               "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944"
               "b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58");
}

FX_TEST(hmac_of_nothing_under_no_key)
{
    uint8_t h[64];
    fx_hmac_sha256(NULL, 0, NULL, 0, h);
    FX_CHECK_HEX(h, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void check_pbkdf2(const char *password, const char *salt, unsigned rounds,
                         const char *expected)
{
    uint8_t h[64];
    fx_pbkdf2_sha512(password, strlen(password), salt, strlen(salt), rounds, h);
    FX_CHECK_HEX(h, expected);
}

FX_TEST(pbkdf2)
{
    check_pbkdf2("password", "salt", 1,
                 "867f70cf1ade02cff3752599a3a53dc4af34c7a669815ae5d513554e1c8cf252"
                 "c02d470a285a0501bad999bfe943c08f050235d7d68b1da55e63f73b60a57fce");
    check_pbkdf2("password", "salt", 2,
                 "e1d9c16aa681708a45f5c7c4e215ceb66e011a2e9f0040713f18aefdb866d53c"
                 "f76cab2868a39b9f7840edce4fef5a82be67335c77a6068e04112754f27ccf4e");
    /* The first vector of BIP39: its password is longer than a block, so it is hashed first. */
    check_pbkdf2("abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
                 "abandon about",
                 "mnemonicTREZOR", 2048,
                 "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e5349553"
                 "1f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04");
}
