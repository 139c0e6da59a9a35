/*
 * A chain of signed transactions on btcregtest, as a file of blocks, for bench_import.
 *
 *     qa/bench/make_chain FILE TRANSACTIONS
 *
 * Coins of six kinds are made and spent in equal parts: P2PKH, P2SH and P2WSH with 2 of 3 keys,
 * P2WPKH, and P2TR by key and by script. A transaction spends one coin or two and makes two. The
 * same number gives the same file. Prints what is in it as JSON.
 */
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/check.h"
#include "consensus/script_ops.h"
#include "consensus/sighash.h"
#include "consensus/taproot.h"
#include "src/crypto/ripemd160.h"
#include "src/crypto/sha256.h"
#include "src/util/mem.h"

#define KEYS 4096
#define MULTISIG_KEYS 3
#define MULTISIG_SIGS 2
#define SPACING 600
#define BLOCK_TXS 2000
#define FUNDING 20         /* coinbases that are split */
#define FUNDING_COINS 1000 /* into so many each */
#define FEE 100
#define SCRIPT_MAX 120

enum kind { P2PKH, P2SH, P2WPKH, P2WSH, P2TR_KEY, P2TR_SCRIPT, KINDS };

struct key {
    uint8_t secret[32], pub[33], hash[20];
    secp256k1_keypair pair;    /* of the key itself */
    secp256k1_keypair tweaked; /* of an output without scripts */
    uint8_t output[32];        /* its x-only key */
};

struct coin {
    struct fx_outpoint at;
    int64_t value;
    uint8_t kind;
    uint16_t key;
};

struct script {
    uint8_t data[SCRIPT_MAX];
    size_t n;
};

static const struct fx_params *params;
static secp256k1_context *secp;
static struct key keys[KEYS];
static struct coin *coins; /* a queue: those not spent are [first, last) */
static size_t first, last;
static uint64_t chance = 1;
static FILE *out;
static struct fx_hash tip;
static uint32_t height;
static uint64_t n_inputs, n_signatures, n_bytes;

static void must(int ok)
{
    if (!ok) {
        fprintf(stderr, "make_chain: cannot go on\n");
        exit(EXIT_FAILURE);
    }
}

static uint32_t next_random(uint32_t below)
{
    /* Knuth's MMIX generator. */
    chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((chance >> 33) % below);
}

/* ---- keys and scripts -------------------------------------------------------------------- */

static void xonly_of(const secp256k1_keypair *pair, uint8_t x[32])
{
    secp256k1_xonly_pubkey xonly;

    must(secp256k1_keypair_xonly_pub(secp, &xonly, NULL, pair));
    must(secp256k1_xonly_pubkey_serialize(secp, x, &xonly));
}

static void make_key(unsigned number)
{
    struct key *key = &keys[number];
    secp256k1_pubkey pub;
    uint8_t internal[32];
    struct fx_hash tweak;
    size_t n = sizeof key->pub;

    fx_sha256(&number, sizeof number, key->secret);
    must(secp256k1_keypair_create(secp, &key->pair, key->secret));
    must(secp256k1_keypair_pub(secp, &pub, &key->pair));
    must(secp256k1_ec_pubkey_serialize(secp, key->pub, &n, &pub, SECP256K1_EC_COMPRESSED));
    fx_hash160(key->pub, sizeof key->pub, key->hash);
    xonly_of(&key->pair, internal);
    fx_taproot_tweak_hash(internal, NULL, &tweak);
    key->tweaked = key->pair;
    must(secp256k1_keypair_xonly_tweak_add(secp, &key->tweaked, tweak.b));
    xonly_of(&key->tweaked, key->output);
}

static void put(struct script *script, const void *data, size_t n)
{
    memcpy(script->data + script->n, data, n);
    script->n += n;
}

static void put_op(struct script *script, uint8_t op)
{
    script->data[script->n++] = op;
}

static void put_push(struct script *script, const void *data, size_t n)
{
    put_op(script, (uint8_t)n);
    put(script, data, n);
}

static struct script multisig(unsigned key)
{
    struct script script = {.n = 0};

    put_op(&script, FX_OP_1 + MULTISIG_SIGS - 1);
    for (unsigned i = 0; i < MULTISIG_KEYS; i++) {
        put_push(&script, keys[(key + i) % KEYS].pub, 33);
    }
    put_op(&script, FX_OP_1 + MULTISIG_KEYS - 1);
    put_op(&script, FX_OP_CHECKMULTISIG);
    return script;
}

static struct script p2pkh(unsigned key)
{
    struct script script = {.n = 0};

    put_op(&script, FX_OP_DUP);
    put_op(&script, FX_OP_HASH160);
    put_push(&script, keys[key].hash, 20);
    put_op(&script, FX_OP_EQUALVERIFY);
    put_op(&script, FX_OP_CHECKSIG);
    return script;
}

static struct script leaf_of(unsigned key)
{
    struct script script = {.n = 0};

    put_push(&script, keys[key].pub + 1, 32);
    put_op(&script, FX_OP_CHECKSIG);
    return script;
}

static void leaf_hash_of(unsigned key, struct fx_hash *hash)
{
    struct script leaf = leaf_of(key);

    fx_taproot_leaf_hash(FX_TAPROOT_LEAF_TAPSCRIPT, (struct fx_span){leaf.data, leaf.n}, hash);
}

/* The output key of an output whose internal key and only leaf are of this key. */
static void script_path(unsigned key, uint8_t output[32], int *parity, uint8_t internal[32])
{
    secp256k1_keypair pair = keys[key].pair;
    secp256k1_xonly_pubkey xonly;
    struct fx_hash leaf, tweak;

    xonly_of(&pair, internal);
    leaf_hash_of(key, &leaf);
    fx_taproot_tweak_hash(internal, &leaf, &tweak);
    must(secp256k1_keypair_xonly_tweak_add(secp, &pair, tweak.b));
    must(secp256k1_keypair_xonly_pub(secp, &xonly, parity, &pair));
    must(secp256k1_xonly_pubkey_serialize(secp, output, &xonly));
}

static struct script script_of(enum kind kind, unsigned key)
{
    struct script script = {.n = 0}, inner;
    uint8_t hash[32], internal[32];
    int parity;

    switch (kind) {
    case P2PKH:
        return p2pkh(key);
    case P2SH:
        inner = multisig(key);
        fx_hash160(inner.data, inner.n, hash);
        put_op(&script, FX_OP_HASH160);
        put_push(&script, hash, 20);
        put_op(&script, FX_OP_EQUAL);
        return script;
    case P2WPKH:
        put_op(&script, FX_OP_0);
        put_push(&script, keys[key].hash, 20);
        return script;
    case P2WSH:
        inner = multisig(key);
        fx_sha256(inner.data, inner.n, hash);
        put_op(&script, FX_OP_0);
        put_push(&script, hash, 32);
        return script;
    case P2TR_KEY:
        put_op(&script, FX_OP_1);
        put_push(&script, keys[key].output, 32);
        return script;
    case P2TR_SCRIPT:
        script_path(key, hash, &parity, internal);
        put_op(&script, FX_OP_1);
        put_push(&script, hash, 32);
        return script;
    case KINDS:
        break;
    }
    return script;
}

/* ---- signing ----------------------------------------------------------------------------- */

/* DER and hash type ALL; the length. */
static size_t sign_ecdsa(unsigned key, const struct fx_hash *hash, uint8_t sig[73])
{
    secp256k1_ecdsa_signature signature;
    size_t n = 72;

    must(secp256k1_ecdsa_sign(secp, &signature, hash->b, keys[key % KEYS].secret, NULL, NULL));
    must(secp256k1_ecdsa_signature_serialize_der(secp, sig, &n, &signature));
    sig[n] = FX_SIGHASH_ALL;
    n_signatures++;
    return n + 1;
}

static void sign_schnorr(const secp256k1_keypair *pair, const struct fx_hash *hash, uint8_t sig[64])
{
    must(secp256k1_schnorrsig_sign32(secp, sig, hash->b, pair, NULL));
    n_signatures++;
}

struct signing {
    struct fx_txb *b;
    const struct fx_tx *tx;      /* b without signatures */
    const struct fx_coin *spent; /* of all inputs */
    struct fx_sighash_cache cache;
};

static void sign_multisig(struct signing *s, size_t in, unsigned key, bool witness)
{
    struct script inner = multisig(key), sig = {.n = 0};
    struct fx_span code = {inner.data, inner.n};
    uint8_t one[73], big[2 * SCRIPT_MAX + 2 * 73];
    struct fx_hash hash;
    size_t n = 0;

    if (witness) {
        fx_sighash_v0(s->tx, in, code, s->spent[in].value, FX_SIGHASH_ALL, &s->cache, &hash);
        fx_txb_push_witness(s->b, in, NULL, 0);
        for (unsigned i = 0; i < MULTISIG_SIGS; i++) {
            fx_txb_push_witness(s->b, in, one, sign_ecdsa(key + i, &hash, one));
        }
        fx_txb_push_witness(s->b, in, inner.data, inner.n);
        return;
    }
    fx_sighash_legacy(s->tx, in, code, FX_SIGHASH_ALL, &hash);
    big[n++] = FX_OP_0;
    for (unsigned i = 0; i < MULTISIG_SIGS; i++) {
        sig.n = 0;
        put_push(&sig, one, sign_ecdsa(key + i, &hash, one));
        memcpy(big + n, sig.data, sig.n);
        n += sig.n;
    }
    big[n++] = FX_OP_PUSHDATA1;
    big[n++] = (uint8_t)inner.n;
    memcpy(big + n, inner.data, inner.n);
    fx_txb_set_script_sig(s->b, in, big, n + inner.n);
}

static void sign_key_hash(struct signing *s, size_t in, unsigned key, bool witness)
{
    struct script code = p2pkh(key), sig = {.n = 0};
    struct fx_span span = {code.data, code.n};
    struct fx_hash hash;
    uint8_t one[73];
    size_t n;

    if (witness) {
        fx_sighash_v0(s->tx, in, span, s->spent[in].value, FX_SIGHASH_ALL, &s->cache, &hash);
        fx_txb_push_witness(s->b, in, one, sign_ecdsa(key, &hash, one));
        fx_txb_push_witness(s->b, in, keys[key].pub, 33);
        return;
    }
    fx_sighash_legacy(s->tx, in, span, FX_SIGHASH_ALL, &hash);
    n = sign_ecdsa(key, &hash, one);
    put_push(&sig, one, n);
    put_push(&sig, keys[key].pub, 33);
    fx_txb_set_script_sig(s->b, in, sig.data, sig.n);
}

static void sign_taproot(struct signing *s, size_t in, unsigned key, bool script)
{
    struct fx_sighash_spend spend;
    struct script leaf = leaf_of(key);
    uint8_t sig[64], control[33], output[32];
    struct fx_hash hash;
    int parity;

    fx_sighash_spend_init(&spend, NULL);
    if (script) {
        spend.has_leaf = true;
        leaf_hash_of(key, &spend.leaf_hash);
    }
    must(fx_sighash_taproot_spend(s->tx, in, s->spent, FX_SIGHASH_DEFAULT, &spend, &s->cache,
                                  &hash));
    sign_schnorr(script ? &keys[key].pair : &keys[key].tweaked, &hash, sig);
    fx_txb_push_witness(s->b, in, sig, sizeof sig);
    if (script) {
        script_path(key, output, &parity, control + 1);
        control[0] = (uint8_t)(FX_TAPROOT_LEAF_TAPSCRIPT | parity);
        fx_txb_push_witness(s->b, in, leaf.data, leaf.n);
        fx_txb_push_witness(s->b, in, control, sizeof control);
    }
}

static void sign_input(struct signing *s, size_t in, const struct coin *coin)
{
    switch ((enum kind)coin->kind) {
    case P2PKH:
    case P2WPKH:
        sign_key_hash(s, in, coin->key, coin->kind == P2WPKH);
        break;
    case P2SH:
    case P2WSH:
        sign_multisig(s, in, coin->key, coin->kind == P2WSH);
        break;
    case P2TR_KEY:
    case P2TR_SCRIPT:
        sign_taproot(s, in, coin->key, coin->kind == P2TR_SCRIPT);
        break;
    case KINDS:
        break;
    }
    n_inputs++;
}

/* Signs all inputs, which spend these coins. One reference. */
static struct fx_tx *sign(struct fx_txb *b, const struct coin *from, size_t n)
{
    struct fx_tx *bare = fx_txb_build(b), *tx;
    struct fx_coin spent[2] = {{0}};
    struct signing s = {.b = b, .tx = bare, .spent = spent};

    for (size_t i = 0; i < n; i++) {
        struct script script = script_of((enum kind)from[i].kind, from[i].key);

        spent[i].value = from[i].value;
        spent[i].script = (uint8_t *)fx_xmemdup(script.data, script.n);
        spent[i].script_len = script.n;
    }
    fx_sighash_cache_init(&s.cache, bare, spent);
    for (size_t i = 0; i < n; i++) {
        sign_input(&s, i, &from[i]);
    }
    tx = fx_txb_build(b);
    for (size_t i = 0; i < n; i++) {
        fx_coin_clear(&spent[i]);
    }
    fx_tx_unref(bare);
    return tx;
}

/* ---- transactions and blocks ------------------------------------------------------------- */

static void add_output(struct fx_txb *b, struct coin *coin, int64_t value)
{
    struct script script;

    coin->kind = (uint8_t)next_random(KINDS);
    coin->key = (uint16_t)next_random(KEYS);
    coin->value = value;
    script = script_of((enum kind)coin->kind, coin->key);
    coin->at.index = (uint32_t)fx_txb_add_out(b, value, script.data, script.n);
}

/* Spends n coins, at most two, to equal new ones, which join the queue. */
static struct fx_tx *pay(const struct coin *from, size_t n, size_t outputs)
{
    struct fx_txb b;
    struct fx_tx *tx;
    int64_t value = -FEE * (int64_t)outputs;
    size_t made = last;

    fx_txb_init(&b);
    for (size_t i = 0; i < n; i++) {
        fx_txb_add_in(&b, &from[i].at, FX_SEQUENCE_FINAL);
        value += from[i].value;
    }
    for (size_t i = 0; i < outputs; i++) {
        add_output(&b, &coins[last++], value / (int64_t)outputs);
    }
    tx = sign(&b, from, n);
    for (; made < last; made++) {
        coins[made].at.txid = tx->txid;
    }
    fx_txb_clear(&b);
    return tx;
}

static struct fx_tx *make_coinbase(struct fx_tx *const *txs, size_t n)
{
    uint8_t script[FX_CB_HEIGHT_SIZE + 1], commitment[FX_COMMITMENT_SCRIPT_SIZE];
    static const uint8_t zero[32];
    struct fx_outpoint null = {.index = UINT32_MAX};
    struct fx_hash *ids = (struct fx_hash *)fx_xcalloc(n, sizeof *ids), root, hash;
    struct script to = script_of(P2WPKH, 0);
    struct fx_txb b;
    struct fx_tx *tx;
    size_t len = fx_cb_height_script(height, script);

    script[len++] = FX_OP_0;
    fx_txb_init(&b);
    fx_txb_set_script_sig(&b, fx_txb_add_in(&b, &null, FX_SEQUENCE_FINAL), script, len);
    fx_txb_push_witness(&b, 0, zero, sizeof zero);
    fx_txb_add_out(&b, fx_subsidy_full(params, height), to.data, to.n);
    for (size_t i = 1; i < n; i++) {
        ids[i] = txs[i]->wtxid;
    }
    fx_merkle_root(ids, n, &root, NULL);
    fx_block_commitment_hash(&root, zero, &hash);
    fx_block_commitment_script(&hash, commitment);
    fx_txb_add_out(&b, 0, commitment, sizeof commitment);
    tx = fx_txb_build(&b);
    fx_txb_clear(&b);
    free(ids);
    return tx;
}

static void solve(struct fx_header *header)
{
    struct fx_u256 target, number;
    struct fx_hash id;

    must(fx_nbits_decode(header->nbits, &target));
    for (;; header->nonce++) {
        fx_header_id(header, &id);
        number = fx_u256_from_hash(&id);
        if (fx_u256_cmp(&number, &target) <= 0) {
            return;
        }
    }
}

static void write_block(const struct fx_block *block)
{
    uint8_t head[8];

    memcpy(head, params->magic, 4);
    fx_store_u32(head + 4, (uint32_t)block->raw.len);
    must(fwrite(head, sizeof head, 1, out) == 1 &&
         fwrite(block->raw.data, block->raw.len, 1, out) == 1);
    n_bytes += sizeof head + block->raw.len;
}

/* Writes a block of txs[1..n), whose references it takes, and a coinbase in txs[0]. Returns the
 * coinbase's outpoint. */
static struct fx_outpoint mine(struct fx_tx **txs, size_t n)
{
    struct fx_header header = {.version = 0x20000000, .prev = tip};
    struct fx_hash *ids = (struct fx_hash *)fx_xcalloc(n, sizeof *ids);
    struct fx_outpoint reward = {.index = 0};
    struct fx_block *block;

    height++;
    txs[0] = make_coinbase(txs, n);
    for (size_t i = 0; i < n; i++) {
        ids[i] = txs[i]->txid;
    }
    fx_merkle_root(ids, n, &header.merkle_root, NULL);
    header.time = params->genesis_time + height * SPACING;
    header.nbits = params->limit_nbits[FX_LANE_HASH];
    solve(&header);
    block = fx_block_make(params, &header, (struct fx_span){NULL, 0}, txs, n);
    must(block != NULL && block->weight <= FX_BLOCK_WEIGHT_MAX);
    write_block(block);
    tip = block->id;
    reward.txid = txs[0]->txid;
    fx_block_unref(block);
    for (size_t i = 0; i < n; i++) {
        fx_tx_unref(txs[i]);
    }
    free(ids);
    return reward;
}

/* Bitcoin Core looks for it in the file, and does not start a chain without. */
static void write_genesis(void)
{
    struct fx_block *block = fx_genesis_block(params);

    write_block(block);
    fx_block_unref(block);
}

static void fund(void)
{
    struct fx_tx *txs[FUNDING + 1];
    struct coin rewards[FUNDING];

    for (unsigned i = 0; i < FUNDING + FX_COINBASE_MATURITY; i++) {
        struct fx_outpoint at = mine(txs, 1);

        if (i < FUNDING) {
            rewards[i] = (struct coin){.at = at, .value = fx_subsidy_full(params, height)};
            rewards[i].kind = P2WPKH;
        }
    }
    for (unsigned i = 0; i < FUNDING; i++) {
        txs[i + 1] = pay(&rewards[i], 1, FUNDING_COINS);
    }
    mine(txs, FUNDING + 1);
}

int main(int argc, char **argv)
{
    unsigned long wanted = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    struct fx_tx *txs[BLOCK_TXS + 1];

    if (wanted == 0 || wanted > 100000000) {
        fprintf(stderr, "usage: make_chain FILE TRANSACTIONS\n");
        return EXIT_FAILURE;
    }
    params = fx_params_get(FX_BTCREGTEST);
    tip = params->genesis_id;
    secp = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    out = fopen(argv[1], "wb");
    must(out != NULL);
    for (unsigned i = 0; i < KEYS; i++) {
        make_key(i);
    }
    coins = (struct coin *)fx_xcalloc(FUNDING * FUNDING_COINS + 2 * wanted, sizeof *coins);
    write_genesis();
    fund();
    for (unsigned long left = wanted; left > 0;) {
        size_t n = left < BLOCK_TXS ? left : BLOCK_TXS;

        for (size_t i = 1; i <= n; i++) {
            size_t inputs = 1 + next_random(2);

            txs[i] = pay(&coins[first], inputs, 2);
            first += inputs;
        }
        mine(txs, n + 1);
        left -= n;
    }
    must(fclose(out) == 0);
    printf("{\"blocks\": %u, \"transactions\": %lu, \"inputs\": %llu, \"signatures\": %llu, "
           "\"bytes\": %llu}\n",
           height, wanted, (unsigned long long)n_inputs, (unsigned long long)n_signatures,
           (unsigned long long)n_bytes);
    secp256k1_context_destroy(secp);
    free(coins);
    return EXIT_SUCCESS;
}
