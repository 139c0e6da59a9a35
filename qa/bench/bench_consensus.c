/*
 * What the rules of blocks cost, piece by piece, each against the work that it cannot avoid:
 *
 *     qa/bench/make_chain FILE TRANSACTIONS && qa/bench/bench_consensus FILE
 *
 * deserialisation against hashing the same bytes once; merkle roots against their hashes one by
 * one; sighashes against hashing the transaction; scripts of each kind against the bare
 * verification of their signatures by libsecp256k1; coins in the cache against coins in the
 * database. One thread, and its processor time: other work on the machine matters little.
 */
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "consensus/block.h"
#include "consensus/script.h"
#include "consensus/script_check.h"
#include "consensus/sighash.h"
#include "src/crypto/sha256.h"
#include "src/store/state.h"
#include "src/sys/db.h"
#include "src/util/mem.h"

#define FRAME 8       /* magic, length */
#define PER_KIND 4000 /* inputs measured of each kind, at most */
#define REPEATS 64    /* of what is too short for the clock */
#define KEYS 256
#define SIGNATURES 4000 /* bare verifications */
#define CACHE_BYTES ((size_t)1 << 30)
#define HEIGHT 1 /* height of the coins */

enum kind { P2PKH, P2SH, P2WPKH, P2WSH, P2TR_KEY, P2TR_SCRIPT, KINDS };

/*
 * As make_chain makes them, with what cannot be avoided: the two signatures of 2 of 3 are by the
 * first two keys, and OP_CHECKMULTISIG begins with the last; a script of P2TR proves its place in
 * the output key besides.
 */
enum base { ECDSA, SCHNORR, TWEAK, BASES };
static const struct {
    const char *name, *base;
    unsigned of[BASES];
} kinds[KINDS] = {{"P2PKH", "ECDSA verification", {1, 0, 0}},
                  {"P2SH 2 of 3", "3 ECDSA verifications", {3, 0, 0}},
                  {"P2WPKH", "ECDSA verification", {1, 0, 0}},
                  {"P2WSH 2 of 3", "3 ECDSA verifications", {3, 0, 0}},
                  {"P2TR key", "Schnorr verification", {0, 1, 0}},
                  {"P2TR script", "Schnorr verification and tweak", {0, 1, 1}}};

static const struct fx_params *params;
static uint8_t *file;
static size_t file_size;
static struct fx_block **blocks;
static size_t n_blocks, n_txs, n_inputs, n_outputs;

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "bench_consensus: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

static double now(void)
{
    struct timespec t;

    must(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0, "no clock of the thread");
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* One line: nanoseconds each, and the ratio to the baseline's. */
static void report(const char *what, double ns, const char *baseline, double base_ns)
{
    printf("%-28s %10.1f ns   %-36s %10.1f ns   ratio %6.2f\n", what, ns, baseline, base_ns,
           ns / base_ns);
}

static void read_file(const char *path)
{
    FILE *in = fopen(path, "rb");
    struct stat st;

    must(in != NULL && fstat(fileno(in), &st) == 0 && st.st_size > FRAME,
         "cannot read the file: make one with qa/bench/make_chain FILE TRANSACTIONS");
    file_size = (size_t)st.st_size;
    file = fx_xmalloc(file_size);
    must(fread(file, 1, file_size, in) == file_size, "cannot read the file");
    must(fclose(in) == 0, "cannot read the file");
}

/* Parses all blocks of the file, into `into` unless that is NULL. Their number. */
static size_t parse(struct fx_block **into)
{
    size_t n = 0;

    for (size_t at = 0; at < file_size;) {
        enum fx_verdict why;
        struct fx_block *block;
        size_t size;

        must(file_size - at > FRAME && memcmp(file + at, params->magic, 4) == 0,
             "this is no file of blocks of btcregtest");
        size = fx_load_u32(file + at + 4);
        must(size <= file_size - at - FRAME, "the file ends in a block");
        block = fx_block_parse(params, file + at + FRAME, size, &why);
        must(block != NULL, "a block does not parse");
        if (into != NULL) {
            into[n] = block;
        } else {
            fx_block_unref(block);
        }
        n++;
        at += FRAME + size;
    }
    return n;
}

static void time_parse(void)
{
    double start, took, hashed;
    uint8_t hash[32];

    n_blocks = parse(NULL);
    start = now();
    parse(NULL);
    took = now() - start;
    blocks = (struct fx_block **)fx_xcalloc(n_blocks, sizeof *blocks);
    parse(blocks);
    for (size_t i = 0; i < n_blocks; i++) {
        n_txs += blocks[i]->n_txs;
        for (size_t t = 0; t < blocks[i]->n_txs; t++) {
            n_inputs += t > 0 ? blocks[i]->txs[t]->n_in : 0;
            n_outputs += blocks[i]->txs[t]->n_out;
        }
    }
    printf("%zu blocks, %zu transactions, %zu inputs, %zu bytes; SHA-256: %s\n\n", n_blocks, n_txs,
           n_inputs, file_size, fx_sha256_implementation());
    start = now();
    for (size_t i = 0; i < n_blocks; i++) {
        for (size_t t = 0; t < blocks[i]->n_txs; t++) {
            fx_sha256d(blocks[i]->txs[t]->raw.data, blocks[i]->txs[t]->raw.len, hash);
        }
    }
    hashed = now() - start;
    report("deserialise a transaction", took / (double)n_txs, "hash of its bytes",
           hashed / (double)n_txs);
}

static void time_merkle(void)
{
    uint8_t pair[64] = {0}, hash[32];
    struct fx_hash root;
    double start = now(), took, hashed;

    for (size_t i = 0; i < n_blocks; i++) {
        fx_block_merkle_root(blocks[i], &root, NULL);
        must(memcmp(&root, &blocks[i]->header.merkle_root, sizeof root) == 0, "a wrong root");
    }
    took = now() - start;
    start = now();
    for (size_t i = 0; i < n_txs; i++) {
        fx_sha256d(pair, sizeof pair, hash);
    }
    hashed = now() - start;
    report("merkle root, a transaction", took / (double)n_txs, "one hash of 64 bytes",
           hashed / (double)n_txs);
}

/* ---- coins ------------------------------------------------------------------------------- */

static struct fx_state *open_state(const char *path)
{
    char *error = NULL;
    struct fx_state *state = fx_state_open(path, CACHE_BYTES, &error);

    must(state != NULL, error != NULL ? error : "no chain state");
    return state;
}

static void add_coins(struct fx_state *state)
{
    for (size_t i = 1; i < n_blocks; i++) { /* the coin of genesis does not exist */
        for (size_t t = 0; t < blocks[i]->n_txs; t++) {
            const struct fx_tx *tx = blocks[i]->txs[t];

            for (size_t o = 0; o < tx->n_out; o++) {
                struct fx_outpoint at = {tx->txid, (uint32_t)o};
                struct fx_coin coin = {0};

                fx_coin_set(&coin, &tx->out[o], HEIGHT, false);
                fx_state_add_coin(state, &at, &coin);
            }
        }
    }
}

/* Every coin that is spent in the file, into coins where that is not NULL. */
static double find_coins(struct fx_state *state, struct fx_coin *coins)
{
    double start = now();
    size_t n = 0;

    for (size_t i = 1; i < n_blocks; i++) {
        for (size_t t = 1; t < blocks[i]->n_txs; t++) {
            for (size_t in = 0; in < blocks[i]->txs[t]->n_in; in++, n++) {
                struct fx_coin coin = {0};

                must(fx_state_coin(state, &blocks[i]->txs[t]->in[in].prevout, &coin) == FX_FOUND,
                     "a coin is missing");
                if (coins != NULL) {
                    coins[n] = coin;
                } else {
                    fx_coin_clear(&coin);
                }
            }
        }
    }
    return now() - start;
}

static void time_coins(struct fx_coin *coins)
{
    char folder[] = "/tmp/bench_consensus-XXXXXX", path[64];
    struct fx_state *state;
    double start, added, cached, flushed, stored;

    must(mkdtemp(folder) != NULL, "no temporary folder");
    snprintf(path, sizeof path, "%s/chainstate", folder);
    state = open_state(path);
    start = now();
    add_coins(state);
    added = now() - start;
    cached = find_coins(state, NULL);
    fx_state_set_best(state, &blocks[n_blocks - 1]->id);
    start = now();
    must(fx_state_flush(state), "cannot write the chain state");
    flushed = now() - start;
    fx_state_close(state);
    state = open_state(path);
    stored = find_coins(state, coins);
    fx_state_close(state);
    must(fx_db_remove(path) && rmdir(folder) == 0, "cannot remove the chain state");
    report("coin added", added / (double)n_outputs, "written, in a batch of all",
           flushed / (double)n_outputs);
    report("coin found in the cache", cached / (double)n_inputs, "in the database",
           stored / (double)n_inputs);
}

/* ---- scripts ----------------------------------------------------------------------------- */

struct bare {
    secp256k1_context *secp;
    uint8_t hash[32], key[33], sig[64], tweaked[32];
    int parity;
    secp256k1_ecdsa_signature signature;
};

static void prepare_bare(struct bare *b, secp256k1_context *secp, uint8_t number)
{
    uint8_t secret[32] = {1, number};
    secp256k1_keypair pair;
    secp256k1_pubkey pub;
    secp256k1_xonly_pubkey xonly;
    size_t n = sizeof b->key;

    memset(b, 0, sizeof *b);
    b->secp = secp;
    fx_sha256(&number, sizeof number, b->hash);
    must(secp256k1_keypair_create(b->secp, &pair, secret) &&
             secp256k1_keypair_pub(b->secp, &pub, &pair) &&
             secp256k1_ec_pubkey_serialize(b->secp, b->key, &n, &pub, SECP256K1_EC_COMPRESSED) &&
             secp256k1_ecdsa_sign(b->secp, &b->signature, b->hash, secret, NULL, NULL) &&
             secp256k1_schnorrsig_sign32(b->secp, b->sig, b->hash, &pair, NULL) &&
             secp256k1_keypair_xonly_tweak_add(b->secp, &pair, b->hash) &&
             secp256k1_keypair_xonly_pub(b->secp, &xonly, &b->parity, &pair) &&
             secp256k1_xonly_pubkey_serialize(b->secp, b->tweaked, &xonly),
         "cannot sign");
}

static bool verify_bare(const struct bare *b, enum base base)
{
    secp256k1_pubkey pub;
    secp256k1_xonly_pubkey xonly;

    if (base == ECDSA) {
        return secp256k1_ec_pubkey_parse(b->secp, &pub, b->key, sizeof b->key) &&
               secp256k1_ecdsa_verify(b->secp, &b->signature, b->hash, &pub);
    }
    return secp256k1_xonly_pubkey_parse(b->secp, &xonly, b->key + 1) &&
           (base == SCHNORR
                ? secp256k1_schnorrsig_verify(b->secp, b->sig, b->hash, sizeof b->hash, &xonly)
                : secp256k1_xonly_pubkey_tweak_add_check(b->secp, b->tweaked, b->parity, &xonly,
                                                         b->hash));
}

/* Nanoseconds of one verification of each sort, the key's parsing included. Keys and hashes change,
 * as branches that are always the same would be foreseen. */
static void time_bare(double ns[BASES])
{
    secp256k1_context *secp = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    static struct bare sets[KEYS];

    for (unsigned i = 0; i < KEYS; i++) {
        prepare_bare(&sets[i], secp, (uint8_t)i);
    }
    for (unsigned base = 0; base < BASES; base++) {
        double start = now();

        for (unsigned i = 0; i < SIGNATURES; i++) {
            must(verify_bare(&sets[i % KEYS], (enum base)base), "a signature does not verify");
        }
        ns[base] = (now() - start) / SIGNATURES;
    }
    secp256k1_context_destroy(secp);
}

static enum kind kind_of(const struct fx_coin *coin, const struct fx_txin *in)
{
    switch (fx_script_classify((struct fx_span){coin->script, coin->script_len})) {
    case FX_SCRIPT_P2PKH:
        return P2PKH;
    case FX_SCRIPT_P2SH:
        return P2SH;
    case FX_SCRIPT_P2WPKH:
        return P2WPKH;
    case FX_SCRIPT_P2WSH:
        return P2WSH;
    case FX_SCRIPT_P2TR:
        return in->n_witness == 1 ? P2TR_KEY : P2TR_SCRIPT;
    default: /* make_chain makes no other */
        must(false, "a coin of another kind than make_chain's");
        return KINDS;
    }
}

struct tally {
    double script[KINDS], sighash[KINDS];
    size_t n[KINDS];
    double cache, hashed;
    size_t txs;
};

/* The hash that an input of this kind signs; its script code is the coin's script, which is not
 * what P2SH and P2WSH sign, but as long as makes no difference. */
static void sighash(enum kind kind, const struct fx_script_check *check, struct fx_hash *hash)
{
    const struct fx_coin *coin = &check->spent[check->in];
    const struct fx_span code = {coin->script, coin->script_len};

    switch (kind) {
    case P2PKH:
    case P2SH:
        fx_sighash_legacy(check->tx, check->in, code, FX_SIGHASH_ALL, hash);
        break;
    case P2WPKH:
    case P2WSH:
        fx_sighash_v0(check->tx, check->in, code, coin->value, FX_SIGHASH_ALL, check->cache, hash);
        break;
    default: /* P2TR, either path */
        must(fx_sighash_taproot(check->tx, check->in, check->spent, FX_SIGHASH_DEFAULT, NULL,
                                check->cache, hash),
             "no sighash");
    }
}

static void time_tx(const struct fx_tx *tx, const struct fx_coin *spent, struct tally *tally)
{
    struct fx_sighash_cache cache;
    struct fx_hash hash;
    double start = now(), then;

    for (unsigned i = 0; i < REPEATS; i++) {
        fx_sighash_cache_init(&cache, tx, spent);
    }
    then = now();
    tally->cache += (then - start) / REPEATS;
    for (unsigned i = 0; i < REPEATS; i++) {
        fx_sha256d(tx->raw.data, tx->raw.len, hash.b);
    }
    tally->hashed += (now() - then) / REPEATS;
    tally->txs++;
    for (size_t in = 0; in < tx->n_in; in++) {
        const struct fx_script_check check = {.tx = tx, .in = in, .spent = spent, .cache = &cache};
        enum kind kind = kind_of(&spent[in], &tx->in[in]);

        if (tally->n[kind] == PER_KIND) {
            continue;
        }
        start = now();
        for (unsigned i = 0; i < REPEATS; i++) {
            sighash(kind, &check, &hash);
        }
        then = now();
        must(fx_script_check_run(&check) == FX_OK, "a script fails");
        tally->script[kind] += now() - then;
        tally->sighash[kind] += (then - start) / REPEATS;
        tally->n[kind]++;
    }
}

static bool enough(const struct tally *tally)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        if (tally->n[kind] < PER_KIND) {
            return false;
        }
    }
    return true;
}

static void time_scripts(const struct fx_coin *coins)
{
    double bare[BASES];
    struct tally tally = {0};
    char what[40];

    time_bare(bare);
    for (size_t i = 1; i < n_blocks && !enough(&tally); i++) {
        for (size_t t = 1; t < blocks[i]->n_txs; t++) {
            time_tx(blocks[i]->txs[t], coins, &tally);
            coins += blocks[i]->txs[t]->n_in;
        }
    }
    report("sighash, once for all inputs", tally.cache / (double)tally.txs,
           "hash of the transaction", tally.hashed / (double)tally.txs);
    for (unsigned kind = 0; kind < KINDS; kind++) {
        double n = (double)tally.n[kind];

        if (kind % 2 == 0) { /* the kinds come in pairs of one sighash */
            static const char *const names[] = {"legacy", "segwit v0", "taproot"};

            snprintf(what, sizeof what, "sighash %s", names[kind / 2]);
            report(what, tally.sighash[kind] / n, "hash of the transaction",
                   tally.hashed / (double)tally.txs);
        }
    }
    for (unsigned kind = 0; kind < KINDS; kind++) {
        snprintf(what, sizeof what, "script %s", kinds[kind].name);
        report(what, tally.script[kind] / (double)tally.n[kind], kinds[kind].base,
               kinds[kind].of[ECDSA] * bare[ECDSA] + kinds[kind].of[SCHNORR] * bare[SCHNORR] +
                   kinds[kind].of[TWEAK] * bare[TWEAK]);
    }
}

int main(int argc, char **argv)
{
    struct fx_coin *coins;

    if (argc != 2) {
        fprintf(stderr, "usage: bench_consensus FILE\n");
        return EXIT_FAILURE;
    }
    params = fx_params_get(FX_BTCREGTEST);
    read_file(argv[1]);
    time_parse();
    time_merkle();
    coins = (struct fx_coin *)fx_xcalloc(n_inputs, sizeof *coins);
    time_coins(coins);
    time_scripts(coins);
    for (size_t i = 0; i < n_inputs; i++) {
        fx_coin_clear(&coins[i]);
    }
    for (size_t i = 0; i < n_blocks; i++) {
        fx_block_unref(blocks[i]);
    }
    free(coins);
    free(blocks);
    free(file);
    return EXIT_SUCCESS;
}
