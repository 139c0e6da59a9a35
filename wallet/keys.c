/* The keys of a wallet: m/86'/coin'/0'/use/index (BIP86), their output keys and secrets. */
#include "wallet/wallet_int.h"

#include <stdlib.h>
#include <string.h>

#include <secp256k1_extrakeys.h>

#include "consensus/script.h"
#include "src/crypto/taghash.h"
#include "src/crypto/zero.h"
#include "src/sys/clock.h"
#include "src/sys/random.h"
#include "src/util/mem.h"

#define PURPOSE 86

bool fx_keys_taproot(const secp256k1_context *secp, const uint8_t internal[32], uint8_t secret[32],
                     struct fx_hash *output)
{
    secp256k1_keypair pair;
    secp256k1_xonly_pubkey key;
    uint8_t serialized[32], tweak[32];
    bool ok = secp256k1_keypair_create(secp, &pair, internal) &&
              secp256k1_keypair_xonly_pub(secp, &key, NULL, &pair) &&
              secp256k1_xonly_pubkey_serialize(secp, serialized, &key);
    if (ok) {
        fx_tagged_hash("TapTweak", serialized, sizeof(serialized), tweak);
        ok = secp256k1_keypair_xonly_tweak_add(secp, &pair, tweak) &&
             secp256k1_keypair_xonly_pub(secp, &key, NULL, &pair) &&
             secp256k1_xonly_pubkey_serialize(secp, output->b, &key) &&
             (!secret || secp256k1_keypair_sec(secp, secret, &pair));
    }
    fx_secure_zero(&pair, sizeof(pair));
    return ok;
}

/* ---- chains -----------------------------------------------------------------------------------*/

static void derive_to(struct fx_wallet *wallet, enum fx_key_use use, uint32_t n)
{
    struct fx_key_chain *chain = &wallet->chains[use];
    const secp256k1_context *secp = wallet->set->secp;
    while (chain->n < n) {
        struct fx_bip32 child;
        struct fx_wallet_key *key = fx_xcalloc(1, sizeof(*key));
        key->use = use;
        key->index = chain->n;
        /* An index without a key stays in its place, with an output key that nobody can pay to:
         * the zero key is not on the curve. */
        bool ok = fx_bip32_child(secp, &chain->node, key->index, &child) &&
                  fx_keys_taproot(secp, child.secret, NULL, &key->output);
        fx_secure_zero(&child, sizeof(child));
        chain->keys = fx_xreallocarray(chain->keys, chain->n + 1, sizeof(*chain->keys));
        chain->keys[chain->n++] = key;
        if (ok) {
            fx_map_put(wallet->keys, key->output.b, key);
        }
    }
}

bool fx_keys_open(struct fx_wallet *wallet, struct fx_wallet_error *error)
{
    const secp256k1_context *secp = wallet->set->secp;
    uint8_t seed[64];
    struct fx_bip32 node;
    wallet->keys = fx_map_create(sizeof(struct fx_hash), fx_random_u64(), fx_random_u64());
    fx_bip39_seed(wallet->mnemonic, "", seed);
    uint32_t coin = wallet->set->params->coin_type;
    bool ok = fx_bip32_master(secp, seed, sizeof(seed), &node) &&
              fx_bip32_child(secp, &node, PURPOSE | FX_BIP32_HARDENED, &node) &&
              fx_bip32_child(secp, &node, coin | FX_BIP32_HARDENED, &node) &&
              fx_bip32_child(secp, &node, 0 | FX_BIP32_HARDENED, &node);
    for (uint32_t use = 0; ok && use < FX_WALLET_USES; use++) {
        ok = fx_bip32_child(secp, &node, use, &wallet->chains[use].node);
    }
    fx_secure_zero(seed, sizeof(seed));
    fx_secure_zero(&node, sizeof(node));
    if (!ok) {
        return fx_wallet_fail(error, FX_ERR_WALLET, "These words give no keys");
    }
    for (unsigned use = 0; use < FX_WALLET_USES; use++) {
        derive_to(wallet, (enum fx_key_use)use, FX_WALLET_GAP);
    }
    return true;
}

void fx_keys_close(struct fx_wallet *wallet)
{
    for (unsigned use = 0; use < FX_WALLET_USES; use++) {
        struct fx_key_chain *chain = &wallet->chains[use];
        for (uint32_t i = 0; i < chain->n; i++) {
            free(chain->keys[i]->label);
            free(chain->keys[i]);
        }
        free(chain->keys);
        fx_secure_zero(chain, sizeof(*chain));
    }
    fx_map_destroy(wallet->keys, NULL);
    wallet->keys = NULL;
}

struct fx_wallet_key *fx_keys_restore(struct fx_wallet *wallet, enum fx_key_use use, uint32_t index)
{
    struct fx_key_chain *chain = &wallet->chains[use];
    derive_to(wallet, use, index + 1 + FX_WALLET_GAP);
    if (index >= chain->issued) {
        chain->issued = index + 1;
    }
    chain->keys[index]->issued = true;
    return chain->keys[index];
}

/* ---- finding ----------------------------------------------------------------------------------*/

struct fx_wallet_key *fx_keys_find(const struct fx_wallet *wallet, const struct fx_hash *output)
{
    return fx_map_get(wallet->keys, output->b);
}

struct fx_wallet_key *fx_keys_of_script(const struct fx_wallet *wallet, struct fx_span script)
{
    if (fx_script_classify(script) != FX_SCRIPT_P2TR) {
        return NULL;
    }
    return fx_map_get(wallet->keys, script.data + 2);
}

void fx_keys_touch(struct fx_wallet *wallet, struct fx_wallet_key *key)
{
    if (key->issued) {
        return;
    }
    struct fx_key_chain *chain = &wallet->chains[key->use];
    for (uint32_t i = 0; i <= key->index; i++) {
        if (!chain->keys[i]->issued) {
            chain->keys[i]->created = fx_clock_now();
            fx_store_put_key(wallet, fx_keys_restore(wallet, key->use, i), false);
        }
    }
}

/* ---- the interface ----------------------------------------------------------------------------*/

bool fx_wallet_new_key(struct fx_wallet *wallet, enum fx_key_use use, const char *label,
                       struct fx_hash *output_key, struct fx_wallet_error *error)
{
    struct fx_key_chain *chain = &wallet->chains[use];
    while (fx_hash_is_zero(&chain->keys[chain->issued]->output)) {
        fx_keys_restore(wallet, use, chain->issued);
    }
    struct fx_wallet_key *key = chain->keys[chain->issued];
    free(key->label);
    key->label = label && *label ? fx_xstrdup(label) : NULL;
    key->created = fx_clock_now();
    if (!fx_store_put_key(wallet, key, true)) {
        return fx_wallet_fail(error, FX_ERR_WALLET, "Error: the wallet cannot be written");
    }
    fx_keys_restore(wallet, use, key->index);
    *output_key = key->output;
    return true;
}

bool fx_wallet_solver_key(struct fx_wallet *wallet, struct fx_hash *output_key,
                          struct fx_wallet_error *error)
{
    const struct fx_key_chain *chain = &wallet->chains[FX_KEY_SOLVER];
    if (chain->issued == 0) {
        return fx_wallet_new_key(wallet, FX_KEY_SOLVER, NULL, output_key, error);
    }
    uint32_t first = 0;
    while (fx_hash_is_zero(&chain->keys[first]->output)) {
        first++;
    }
    *output_key = chain->keys[first]->output;
    return true;
}

/* Keys of the gap are watched, and become own when they are seen in use. */
bool fx_wallet_owns_key(const struct fx_wallet *wallet, const struct fx_hash *output_key)
{
    return fx_keys_find(wallet, output_key) != NULL;
}

bool fx_wallet_owns_script(const struct fx_wallet *wallet, struct fx_span script)
{
    return fx_keys_of_script(wallet, script) != NULL;
}

const char *fx_wallet_label(const struct fx_wallet *wallet, struct fx_span script)
{
    const struct fx_wallet_key *key = fx_keys_of_script(wallet, script);
    return key && key->label ? key->label : "";
}

bool fx_keys_secret(struct fx_wallet *wallet, const struct fx_wallet_key *key, uint8_t secret[32],
                    struct fx_wallet_error *error)
{
    struct fx_bip32 child;
    struct fx_hash output;
    const secp256k1_context *secp = wallet->set->secp;
    bool ok = fx_bip32_child(secp, &wallet->chains[key->use].node, key->index, &child) &&
              fx_keys_taproot(secp, child.secret, secret, &output) &&
              fx_hash_equal(&output, &key->output);
    fx_secure_zero(&child, sizeof(child));
    return ok || fx_wallet_fail(error, FX_ERR_WALLET, "Private key is not available");
}
