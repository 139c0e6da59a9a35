/* Signing: BIP340 with fresh auxiliary randomness, by the tweaked secrets of own output keys. */
#include "wallet/wallet_int.h"

#include <stdlib.h>
#include <string.h>

#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>

#include "src/crypto/zero.h"
#include "src/sys/random.h"
#include "src/util/mem.h"

static bool sign_by(struct fx_wallet *wallet, const struct fx_wallet_key *key,
                    const struct fx_hash *hash, uint8_t signature[64],
                    struct fx_wallet_error *error)
{
    uint8_t secret[32], aux[32];
    secp256k1_keypair pair;
    if (!fx_keys_secret(wallet, key, secret, error)) {
        return false;
    }
    fx_random_bytes(aux, sizeof(aux));
    bool ok = secp256k1_keypair_create(wallet->set->secp, &pair, secret) &&
              secp256k1_schnorrsig_sign32(wallet->set->secp, signature, hash->b, &pair, aux);
    fx_secure_zero(secret, sizeof(secret));
    fx_secure_zero(&pair, sizeof(pair));
    /* A signature that a fault spoilt could tell the secret: it does not leave. */
    if (!ok || !fx_schnorr_verify(&key->output, hash, signature)) {
        memset(signature, 0, 64);
        return fx_wallet_fail(error, FX_ERR_WALLET, "Signing failed");
    }
    return true;
}

bool fx_wallet_sign_hash(struct fx_wallet *wallet, const struct fx_hash *output_key,
                         const struct fx_hash *hash, uint8_t signature[64],
                         struct fx_wallet_error *error)
{
    const struct fx_wallet_key *key = fx_keys_find(wallet, output_key);
    if (!key) {
        return fx_wallet_fail(error, FX_ERR_WALLET, "Private key is not available");
    }
    return sign_by(wallet, key, hash, signature, error);
}

bool fx_wallet_sign(struct fx_wallet *wallet, struct fx_txb *b, const struct fx_coin *spent,
                    struct fx_wallet_error *error)
{
    if (b->n_in == 0 || b->n_out == 0) {
        return fx_wallet_fail(error, FX_ERR_WALLET, "The transaction has no inputs or no outputs");
    }
    struct fx_tx *tx = fx_txb_build(b);
    struct fx_sighash_cache cache;
    fx_sighash_cache_init(&cache, tx, spent);
    bool ok = true;
    for (size_t i = 0; ok && i < b->n_in; i++) {
        const struct fx_wallet_key *key = fx_keys_of_script(wallet, fx_coin_script(&spent[i]));
        struct fx_hash hash;
        uint8_t signature[64];
        if (!key) {
            continue;
        }
        ok = fx_sighash_taproot(tx, i, spent, FX_SIGHASH_DEFAULT, NULL, &cache, &hash) &&
             sign_by(wallet, key, &hash, signature, error);
        if (ok) {
            fx_txb_clear_witness(b, i);
            fx_txb_push_witness(b, i, signature, sizeof(signature));
        }
    }
    fx_tx_unref(tx);
    return ok;
}

/* ---- what is spent ----------------------------------------------------------------------------*/

static bool find_coin(struct fx_wallet *wallet, const struct fx_view *view,
                      const struct fx_outpoint *outpoint, struct fx_coin *coin)
{
    const struct fx_wallet_tx *wtx = fx_ledger_find(wallet, &outpoint->txid);
    const struct fx_tx *tx = wtx ? wtx->tx : fx_mempool_get(wallet->set->mempool, &outpoint->txid);
    if (tx) {
        if (outpoint->index >= tx->n_out) {
            return false;
        }
        fx_coin_set(coin, &tx->out[outpoint->index], wtx ? wtx->height : 0, fx_tx_is_coinbase(tx));
        return true;
    }
    return view->coin(view->ctx, outpoint, coin) == FX_FOUND;
}

bool fx_wallet_spent_coins(struct fx_wallet *wallet, const struct fx_txb *tx,
                           struct fx_coin **spent, struct fx_wallet_error *error)
{
    struct fx_view view;
    fx_chain_view(wallet->set->chain, &view);
    *spent = fx_xcalloc(tx->n_in + 1, sizeof(**spent));
    for (size_t i = 0; i < tx->n_in; i++) {
        if (!find_coin(wallet, &view, &tx->in[i].prevout, &(*spent)[i])) {
            for (size_t j = 0; j < i; j++) {
                fx_coin_clear(&(*spent)[j]);
            }
            free(*spent);
            *spent = NULL;
            return fx_wallet_fail(error, FX_ERR_WALLET, "Input %zu not found or already spent", i);
        }
    }
    return true;
}
