/* A small world for tests of the rules. */
#include "qa/unit/consensus/world.h"

#include <stdlib.h>
#include <string.h>

#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>

#include "consensus/script.h"
#include "qa/unit/harness.h"
#include "src/crypto/sha256.h"
#include "src/util/mem.h"

int64_t world_median_time(uint32_t height)
{
    return WORLD_TIME0 + 600 * (int64_t)height;
}

static enum fx_lookup find_coin(void *ctx, const struct fx_outpoint *outpoint, struct fx_coin *coin)
{
    const struct world *w = ctx;

    if (w->coin_fails) {
        return FX_LOOKUP_FAILED;
    }
    for (size_t i = 0; i < w->n_coins; i++) {
        if (fx_outpoint_equal(&w->coins[i].outpoint, outpoint)) {
            fx_coin_copy(coin, &w->coins[i].coin);
            return FX_FOUND;
        }
    }
    return FX_MISSING;
}

static enum fx_lookup find_record(void *ctx, const struct fx_outpoint *origin,
                                  struct fx_task_record *record)
{
    const struct world *w = ctx;

    if (w->record_fails) {
        return FX_LOOKUP_FAILED;
    }
    for (size_t i = 0; i < w->n_records; i++) {
        if (fx_outpoint_equal(&w->records[i].origin, origin)) {
            *record = w->records[i].record;
            return FX_FOUND;
        }
    }
    return FX_MISSING;
}

static enum fx_lookup find_settled(void *ctx, uint32_t height, struct fx_outpoint **origins,
                                   size_t *n)
{
    const struct world *w = ctx;

    if (w->settled_fails) {
        return FX_LOOKUP_FAILED;
    }
    *n = 0;
    *origins = fx_xcalloc(WORLD_RECORDS, sizeof **origins);
    for (size_t i = 0; i < w->n_records; i++) {
        if (w->records[i].record.settled == height) {
            (*origins)[(*n)++] = w->records[i].origin;
        }
    }
    return FX_FOUND;
}

static enum fx_lookup find_ancestor(void *ctx, uint32_t height, struct fx_ancestor *ancestor)
{
    const struct world *w = ctx;

    if (w->ancestor_fails) {
        return FX_LOOKUP_FAILED;
    }
    if (height >= w->height) {
        return FX_MISSING;
    }
    memset(ancestor, 0, sizeof *ancestor);
    fx_sha256(&height, sizeof height, ancestor->id.b);
    ancestor->height = height;
    ancestor->median_time = world_median_time(height);
    ancestor->time = ancestor->median_time + 3600;
    if (height > 0 && height == w->job_height) {
        ancestor->lane = FX_LANE_JOB;
        ancestor->solver = w->job_solver;
    }
    return FX_FOUND;
}

static enum fx_lookup find_beacon(void *ctx, uint32_t above, struct fx_ancestor *ancestor)
{
    const struct world *w = ctx;

    for (uint32_t height = above + 1; height < w->height; height++) {
        enum fx_lookup lookup = find_ancestor(ctx, height, ancestor);

        if (lookup != FX_FOUND || ancestor->lane == FX_LANE_HASH) {
            return lookup;
        }
    }
    return FX_MISSING;
}

void world_init(struct world *w, uint32_t height)
{
    memset(w, 0, sizeof *w);
    w->params = fx_params_get(FX_REGTEST);
    w->height = height;
    w->view.ctx = w;
    w->view.coin = find_coin;
    w->view.record = find_record;
    w->view.settled_at = find_settled;
    w->view.ancestor = find_ancestor;
    w->view.beacon = find_beacon;
}

void world_clear(struct world *w)
{
    for (size_t i = 0; i < w->n_coins; i++) {
        fx_coin_clear(&w->coins[i].coin);
    }
    memset(w, 0, sizeof *w);
}

struct fx_connect_context world_context(const struct world *w)
{
    struct fx_connect_context context = {.params = w->params,
                                         .view = &w->view,
                                         .height = w->height,
                                         .parent_median_time = world_median_time(w->height - 1)};

    return context;
}

struct fx_outpoint world_add_coin(struct world *w, int64_t value, uint32_t height, bool coinbase,
                                  const void *script, size_t n)
{
    struct fx_txout out = {.value = value, .script = {script, n}};
    struct world_coin *coin = &w->coins[w->n_coins];

    FX_CHECK(w->n_coins < WORLD_COINS);
    fx_sha256(&w->n_coins, sizeof w->n_coins, coin->outpoint.txid.b);
    coin->outpoint.index = (uint32_t)w->n_coins;
    fx_coin_set(&coin->coin, &out, height, coinbase);
    w->n_coins++;
    return coin->outpoint;
}

void world_add_record(struct world *w, const struct fx_outpoint *origin,
                      const struct fx_task_record *record)
{
    FX_CHECK(w->n_records < WORLD_RECORDS);
    w->records[w->n_records].origin = *origin;
    w->records[w->n_records].record = *record;
    w->n_records++;
}

static secp256k1_context *signer(void)
{
    static secp256k1_context *ctx;

    if (ctx == NULL) {
        ctx = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    }
    return ctx;
}

static void secret_of(unsigned n, uint8_t secret[32])
{
    memset(secret, 0, 32);
    secret[0] = 0x11;
    fx_store_u32be(secret + 28, n + 1);
}

void world_key(unsigned n, struct fx_hash *x_only)
{
    secp256k1_keypair pair;
    secp256k1_xonly_pubkey key;
    uint8_t secret[32];

    secret_of(n, secret);
    FX_CHECK(secp256k1_keypair_create(signer(), &pair, secret));
    FX_CHECK(secp256k1_keypair_xonly_pub(signer(), &key, NULL, &pair));
    FX_CHECK(secp256k1_xonly_pubkey_serialize(signer(), x_only->b, &key));
}

void world_key_full(unsigned n, uint8_t compressed[33], uint8_t uncompressed[65])
{
    secp256k1_pubkey key;
    uint8_t secret[32];
    size_t len = 33;

    secret_of(n, secret);
    FX_CHECK(secp256k1_ec_pubkey_create(signer(), &key, secret));
    FX_CHECK(
        secp256k1_ec_pubkey_serialize(signer(), compressed, &len, &key, SECP256K1_EC_COMPRESSED));
    len = 65;
    FX_CHECK(secp256k1_ec_pubkey_serialize(signer(), uncompressed, &len, &key,
                                           SECP256K1_EC_UNCOMPRESSED));
}

void world_sign(unsigned n, const struct fx_hash *hash, uint8_t signature[64])
{
    secp256k1_keypair pair;
    uint8_t secret[32];

    secret_of(n, secret);
    FX_CHECK(secp256k1_keypair_create(signer(), &pair, secret));
    FX_CHECK(secp256k1_schnorrsig_sign32(signer(), signature, hash->b, &pair, NULL));
}

size_t world_sign_ecdsa(unsigned n, const struct fx_hash *hash, uint8_t der[72])
{
    secp256k1_ecdsa_signature signature;
    uint8_t secret[32];
    size_t len = 72;

    secret_of(n, secret);
    FX_CHECK(secp256k1_ecdsa_sign(signer(), &signature, hash->b, secret, NULL, NULL));
    FX_CHECK(secp256k1_ecdsa_signature_serialize_der(signer(), der, &len, &signature));
    return len;
}

void world_p2tr(unsigned n, uint8_t script[34])
{
    struct fx_hash key;

    world_key(n, &key);
    fx_script_p2tr(key.b, script);
}

void world_coinbase(struct fx_txb *b, uint32_t height, int64_t value)
{
    static const uint8_t op_true[1] = {0x51};
    const struct fx_outpoint null_outpoint = {.index = UINT32_MAX};
    uint8_t script[FX_CB_HEIGHT_SIZE + 1] = {0};
    size_t n = fx_cb_height_script(height, script);

    script[n] = 0;
    fx_txb_init(b);
    fx_txb_add_in(b, &null_outpoint, FX_SEQUENCE_FINAL);
    fx_txb_set_script_sig(b, 0, script, n + 1);
    fx_txb_add_out(b, value, op_true, sizeof op_true);
}

void world_commit(struct fx_txb *coinbase, struct fx_tx *const *txs, size_t n_txs)
{
    static const uint8_t reserved[32] = {7};
    struct fx_block block = {.txs = txs, .n_txs = n_txs};
    uint8_t script[FX_COMMITMENT_SCRIPT_SIZE];
    struct fx_hash root, commitment;

    fx_block_witness_root(&block, &root);
    fx_block_commitment_hash(&root, reserved, &commitment);
    fx_block_commitment_script(&commitment, script);
    fx_txb_add_out(coinbase, 0, script, sizeof script);
    fx_txb_push_witness(coinbase, 0, reserved, sizeof reserved);
}

struct fx_block *world_block(struct fx_tx **txs, size_t n_txs)
{
    const struct fx_params *params = fx_params_get(FX_REGTEST);
    const struct fx_span no_work = {NULL, 0};
    struct fx_header header = {.version = fx_header_version(FX_LANE_HASH), .nbits = 0x207fffff};
    struct fx_hash *ids = fx_xcalloc(n_txs + 1, sizeof *ids);
    struct fx_block *block;

    for (size_t i = 0; i < n_txs; i++) {
        ids[i] = txs[i]->txid;
    }
    fx_merkle_root(ids, n_txs, &header.merkle_root, NULL);
    free(ids);
    block = fx_block_make(params, &header, no_work, txs, n_txs);
    for (size_t i = 0; i < n_txs; i++) {
        fx_tx_unref(txs[i]);
    }
    FX_CHECK(block != NULL);
    return block;
}
