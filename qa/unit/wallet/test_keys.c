/* Keys of a wallet: handed out once, kept over a restart, found again from the words. */
#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "qa/unit/harness.h"
#include "qa/unit/wallet/world.h"
#include "src/util/bech32.h"
#include "wallet/wallet_int.h"

FX_TEST(keys_differ_and_survive_a_restart)
{
    struct fx_wallet_error error;
    struct fx_hash keys[8], again;
    uint8_t script[34];
    world_open();
    struct fx_wallet *wallet = world_wallet("w", NULL);
    for (unsigned i = 0; i < 8; i++) {
        FX_CHECK(fx_wallet_new_key(wallet, i % 4, i == 0 ? "rent" : NULL, &keys[i], &error));
        for (unsigned j = 0; j < i; j++) {
            FX_CHECK(!fx_hash_equal(&keys[i], &keys[j]));
        }
    }
    FX_CHECK(fx_wallet_solver_key(wallet, &again, &error));
    FX_CHECK(fx_hash_equal(&again, &keys[3]));
    char *words = strdup(fx_wallet_mnemonic(wallet));
    world_restart();
    wallet = fx_wallet_load(world.set, "w", &error);
    FX_CHECK(wallet != NULL);
    FX_CHECK_STR(fx_wallet_mnemonic(wallet), words);
    for (unsigned i = 0; i < 8; i++) {
        FX_CHECK(fx_wallet_owns_key(wallet, &keys[i]));
    }
    fx_script_p2tr(keys[0].b, script);
    struct fx_span span = {script, 34};
    FX_CHECK(fx_wallet_owns_script(wallet, span));
    FX_CHECK_STR(fx_wallet_label(wallet, span), "rent");
    FX_CHECK(fx_wallet_new_key(wallet, FX_KEY_RECEIVE, NULL, &again, &error));
    for (unsigned i = 0; i < 8; i++) {
        FX_CHECK(!fx_hash_equal(&again, &keys[i]));
    }
    free(words);
    world_close();
}

FX_TEST(the_solver_key_is_one)
{
    struct fx_wallet_error error;
    struct fx_hash one, two;
    world_open();
    struct fx_wallet *wallet = world_wallet("", NULL);
    FX_CHECK(fx_wallet_solver_key(wallet, &one, &error));
    FX_CHECK(fx_wallet_solver_key(wallet, &two, &error));
    FX_CHECK(fx_hash_equal(&one, &two));
    FX_CHECK(fx_wallet_owns_key(wallet, &one));
    world_close();
}

FX_TEST(signatures_verify)
{
    struct fx_wallet_error error;
    struct fx_hash key, hash, foreign;
    uint8_t signature[64], other[64];
    world_open();
    struct fx_wallet *wallet = world_wallet("w", NULL);
    FX_CHECK(fx_wallet_new_key(wallet, FX_KEY_CLIENT, NULL, &key, &error));
    fx_unit_rand_fill(&hash, sizeof(hash));
    FX_CHECK(fx_wallet_sign_hash(wallet, &key, &hash, signature, &error));
    FX_CHECK(fx_schnorr_verify(&key, &hash, signature));
    FX_CHECK(fx_wallet_sign_hash(wallet, &key, &hash, other, &error));
    FX_CHECK(memcmp(signature, other, 64) != 0); /* fresh randomness */
    hash.b[0] ^= 1;
    FX_CHECK(!fx_schnorr_verify(&key, &hash, signature));
    memset(&foreign, 7, sizeof(foreign));
    FX_CHECK(!fx_wallet_sign_hash(wallet, &foreign, &hash, signature, &error));
    FX_CHECK_INT(error.code, -4);
    world_close();
}

FX_TEST(words_bring_everything_back)
{
    struct fx_wallet_error error;
    struct fx_hash key;
    char words[FX_BIP39_TEXT_MAX];
    world_open();
    struct fx_wallet *wallet = world_wallet("first", NULL);
    memcpy(words, fx_wallet_mnemonic(wallet), sizeof(words));
    /* Each payment is within the gap of the last one that was seen, the last is at index 36. */
    for (unsigned i = 0; i < 37; i++) {
        struct fx_span script = world_script(wallet, FX_KEY_RECEIVE);
        if (i % 18 == 0) {
            world_mine(script, NULL, 0);
        }
    }
    world_mine_empty(101);
    int64_t trusted = world_balance(wallet).trusted;
    FX_CHECK_INT(trusted, 3 * fx_subsidy_full(world.params, 1));
    FX_CHECK(fx_wallet_unload(world.set, "first", &error));

    wallet = world_wallet("second", words);
    FX_CHECK_INT(world_balance(wallet).trusted, trusted);
    FX_CHECK_INT(fx_wallet_tx_count(wallet), 3);
    FX_CHECK_INT(wallet->chains[FX_KEY_RECEIVE].issued, 37);
    FX_CHECK(fx_wallet_new_key(wallet, FX_KEY_RECEIVE, NULL, &key, &error));
    FX_CHECK_INT(fx_wallet_birthday(wallet), 0);
    world_close();
}

FX_TEST(names_and_errors)
{
    struct fx_wallet_error error = {0};
    const char **loaded;
    char **on_disk;
    world_open();
    FX_CHECK(fx_wallet_get(world.set, NULL, &error) == NULL);
    FX_CHECK_INT(error.code, -18);
    struct fx_wallet *one = world_wallet("one", NULL);
    FX_CHECK(fx_wallet_get(world.set, NULL, &error) == one);
    struct fx_wallet *two = world_wallet("", NULL);
    FX_CHECK(fx_wallet_get(world.set, NULL, &error) == NULL);
    FX_CHECK_INT(error.code, -19);
    FX_CHECK(fx_wallet_get(world.set, "", &error) == two);
    FX_CHECK(fx_wallet_get(world.set, "three", &error) == NULL);
    FX_CHECK_INT(error.code, -18);

    static const char *const wrong[] = {"../x", "a/b", ".hidden", "a\nb"};
    for (size_t i = 0; i < 4; i++) {
        FX_CHECK(fx_wallet_create(world.set, wrong[i], NULL, &error) == NULL);
        FX_CHECK_INT(error.code, -4);
    }
    FX_CHECK(fx_wallet_create(world.set, "one", NULL, &error) == NULL);
    FX_CHECK_INT(error.code, -4);
    FX_CHECK(fx_wallet_create(world.set, "bad", "one two three", &error) == NULL);
    FX_CHECK_INT(error.code, -8);
    FX_CHECK(fx_wallet_load(world.set, "one", &error) == NULL);
    FX_CHECK_INT(error.code, -35);
    FX_CHECK(fx_wallet_load(world.set, "bad", &error) == NULL); /* nothing was left behind */
    FX_CHECK_INT(error.code, -18);

    FX_CHECK(fx_wallet_unload(world.set, "one", &error));
    FX_CHECK(!fx_wallet_unload(world.set, "one", &error));
    FX_CHECK_INT(error.code, -18);
    FX_CHECK_INT(fx_wallet_list(world.set, &loaded), 1);
    FX_CHECK_STR(loaded[0], "");
    free(loaded);
    size_t n = fx_wallet_list_dir(world.set, &on_disk);
    FX_CHECK_INT(n, 2);
    FX_CHECK(strlen(on_disk[0]) + strlen(on_disk[1]) == 3);
    for (size_t i = 0; i < n; i++) {
        free(on_disk[i]);
    }
    free(on_disk);
    world_close();
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
    secp256k1_context *secp = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    fx_bip39_seed("abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
                  "abandon about",
                  "", seed);
    for (size_t i = 0; i < 3; i++) {
        struct fx_bip32 key;
        struct fx_hash output;
        char address[FX_BECH32_ADDRESS_MAX];
        const uint32_t path[] = {86 | FX_BIP32_HARDENED, 0 | FX_BIP32_HARDENED,
                                 0 | FX_BIP32_HARDENED, keys[i].use, keys[i].index};
        FX_CHECK(fx_bip32_master(secp, seed, sizeof(seed), &key));
        for (size_t j = 0; j < 5; j++) {
            FX_CHECK(fx_bip32_child(secp, &key, path[j], &key));
        }
        FX_CHECK(fx_keys_taproot(secp, key.secret, NULL, &output));
        FX_CHECK_HEX(output.b, keys[i].output);
        FX_CHECK(fx_segwit_encode("bc", 1, output.b, 32, address));
        FX_CHECK_STR(address, keys[i].address);
    }
    secp256k1_context_destroy(secp);
}
