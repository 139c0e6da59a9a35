/* Making signatures, and finding those that inputs have. */
#include "src/keys/signer.h"

#include <stdlib.h>
#include <string.h>

#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>

#include "consensus/der.h"
#include "consensus/flags.h"
#include "consensus/interpreter.h"
#include "consensus/script_context.h"
#include "consensus/taproot.h"
#include "src/crypto/ripemd160.h"
#include "src/crypto/sha256.h"
#include "src/crypto/zero.h"
#include "src/util/mem.h"

#define KEY_SIZE_MAX 65
#define DER_MAX 72

struct own_key {
    uint8_t secret[32];
    uint8_t public_key[KEY_SIZE_MAX];
    size_t size;
};

struct fx_signer {
    secp256k1_context *secp;
    uint8_t aux[32]; /* of BIP340 */
    struct own_key *keys;
    size_t n_keys;
    struct fx_buf *scripts;
    size_t n_scripts;
};

/* How the hash that is signed is made. */
enum form { LEGACY, WITNESS_V0 };

/* One input while it is solved. */
struct solving {
    const struct fx_signer *signer;
    const struct fx_signable *at;
    uint8_t hash_type;
    struct fx_solution *solution;
};

static struct fx_span span_of(const struct fx_buf *buf)
{
    return (struct fx_span){buf->data, buf->len};
}

static bool equal(struct fx_span a, struct fx_span b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* ---- keys and scripts ------------------------------------------------------------------------ */

struct fx_signer *fx_signer_create(const uint8_t entropy[32])
{
    struct fx_signer *signer = fx_xcalloc(1, sizeof(*signer));
    signer->secp = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    if (!secp256k1_context_randomize(signer->secp, entropy)) {
        abort(); /* cannot fail, by its documentation */
    }
    fx_sha256(entropy, 32, signer->aux);
    return signer;
}

void fx_signer_destroy(struct fx_signer *signer)
{
    if (!signer) {
        return;
    }
    for (size_t i = 0; i < signer->n_scripts; i++) {
        fx_buf_clear(&signer->scripts[i]);
    }
    if (signer->keys) {
        fx_secure_zero(signer->keys, signer->n_keys * sizeof(*signer->keys));
    }
    free(signer->scripts);
    free(signer->keys);
    secp256k1_context_destroy(signer->secp);
    fx_secure_zero(signer, sizeof(*signer));
    free(signer);
}

void fx_signer_add_key(struct fx_signer *signer, const uint8_t secret[32], bool compressed)
{
    struct own_key *grown = fx_xcalloc(signer->n_keys + 1, sizeof(*grown));
    struct own_key *key = &grown[signer->n_keys];
    secp256k1_pubkey point;
    if (signer->keys) { /* realloc would leave the secrets behind */
        memcpy(grown, signer->keys, signer->n_keys * sizeof(*grown));
        fx_secure_zero(signer->keys, signer->n_keys * sizeof(*grown));
        free(signer->keys);
    }
    signer->keys = grown;
    memcpy(key->secret, secret, sizeof(key->secret));
    key->size = sizeof(key->public_key);
    if (secp256k1_ec_pubkey_create(signer->secp, &point, secret) &&
        secp256k1_ec_pubkey_serialize(signer->secp, key->public_key, &key->size, &point,
                                      compressed ? SECP256K1_EC_COMPRESSED
                                                 : SECP256K1_EC_UNCOMPRESSED)) {
        signer->n_keys++;
    }
}

void fx_signer_add_script(struct fx_signer *signer, struct fx_span script)
{
    signer->scripts =
        fx_xreallocarray(signer->scripts, signer->n_scripts + 1, sizeof(*signer->scripts));
    fx_buf_init(&signer->scripts[signer->n_scripts]);
    fx_buf_bytes(&signer->scripts[signer->n_scripts++], script.data, script.len);
}

static const struct own_key *key_by_bytes(const struct fx_signer *signer, struct fx_span key)
{
    for (size_t i = 0; i < signer->n_keys; i++) {
        const struct own_key *own = &signer->keys[i];
        if (equal((struct fx_span){own->public_key, own->size}, key)) {
            return own;
        }
    }
    return NULL;
}

static bool has_hash160(struct fx_span bytes, const uint8_t wanted[20])
{
    uint8_t hash[20];
    fx_hash160(bytes.data, bytes.len, hash);
    return memcmp(hash, wanted, sizeof(hash)) == 0;
}

static bool has_sha256(struct fx_span bytes, const uint8_t wanted[32])
{
    uint8_t hash[32];
    fx_sha256(bytes.data, bytes.len, hash);
    return memcmp(hash, wanted, sizeof(hash)) == 0;
}

/* A known script that the P2SH or P2WSH program is of; an empty span where there is none. */
static struct fx_span script_of(const struct solving *s, const uint8_t *program, bool witness)
{
    const struct fx_signer *signer = s->signer;
    const struct fx_buf *found = witness ? &s->solution->witness_script : &s->solution->redeem;
    for (size_t i = 0; i <= signer->n_scripts; i++) {
        struct fx_span script = span_of(i < signer->n_scripts ? &signer->scripts[i] : found);
        if (witness ? has_sha256(script, program) : has_hash160(script, program)) {
            return script;
        }
    }
    return (struct fx_span){NULL, 0};
}

/* ---- signatures ------------------------------------------------------------------------------ */

static void hash_to_sign(const struct fx_signable *at, struct fx_span script, enum form form,
                         uint8_t hash_type, struct fx_hash *hash)
{
    if (form == WITNESS_V0) {
        fx_sighash_v0(at->tx, at->in, script, at->coin->value, hash_type, at->cache, hash);
    } else {
        fx_sighash_legacy(at->tx, at->in, script, hash_type, hash);
    }
}

static bool verifies(const struct fx_signable *at, struct fx_span script, enum form form,
                     struct fx_span key, struct fx_span signature)
{
    const secp256k1_context *secp = secp256k1_context_static;
    uint8_t compact[FX_ECDSA_COMPACT];
    secp256k1_ecdsa_signature parsed;
    secp256k1_pubkey point;
    struct fx_hash hash;
    if (signature.len == 0 || !secp256k1_ec_pubkey_parse(secp, &point, key.data, key.len) ||
        !fx_der_read_lax((struct fx_span){signature.data, signature.len - 1}, compact) ||
        !secp256k1_ecdsa_signature_parse_compact(secp, &parsed, compact)) {
        return false;
    }
    hash_to_sign(at, script, form, signature.data[signature.len - 1], &hash);
    secp256k1_ecdsa_signature_normalize(secp, &parsed, &parsed);
    return secp256k1_ecdsa_verify(secp, &parsed, hash.b, &point);
}

static const struct fx_buf *known_signature(const struct fx_solution *solution, struct fx_span key)
{
    for (size_t i = 0; i < solution->n_signed; i++) {
        if (equal(span_of(&solution->signed_by[i].key), key)) {
            return &solution->signed_by[i].signature;
        }
    }
    return NULL;
}

static void remember(struct fx_solution *solution, struct fx_span key, struct fx_span signature)
{
    if (!known_signature(solution, key) && solution->n_signed < FX_SIGNER_KEYS_MAX) {
        fx_buf_bytes(&solution->signed_by[solution->n_signed].key, key.data, key.len);
        fx_buf_bytes(&solution->signed_by[solution->n_signed++].signature, signature.data,
                     signature.len);
    }
}

/* As Bitcoin Core signs: again with another nonce until r takes no more than 32 bytes. */
static bool sign_ecdsa(const struct fx_signer *signer, const struct own_key *key,
                       const struct fx_hash *hash, uint8_t der[DER_MAX], size_t *n)
{
    uint8_t compact[FX_ECDSA_COMPACT], extra[32] = {0};
    secp256k1_ecdsa_signature made;
    uint32_t tries = 0;
    do {
        fx_store_u32(extra, tries);
        if (!secp256k1_ecdsa_sign(signer->secp, &made, hash->b, key->secret, NULL,
                                  tries > 0 ? extra : NULL)) {
            return false;
        }
        secp256k1_ecdsa_signature_serialize_compact(signer->secp, compact, &made);
        tries++;
    } while ((compact[0] & 0x80) != 0);
    *n = DER_MAX;
    return secp256k1_ecdsa_signature_serialize_der(signer->secp, der, n, &made);
}

/* The signature by a key, known or made here; NULL where there is none. */
static const struct fx_buf *signature_by(const struct solving *s, struct fx_span key,
                                         struct fx_span script, enum form form)
{
    const struct fx_buf *known = known_signature(s->solution, key);
    const struct own_key *own = key_by_bytes(s->signer, key);
    uint8_t type = s->hash_type == FX_SIGHASH_DEFAULT ? FX_SIGHASH_ALL : s->hash_type;
    uint8_t made[DER_MAX + 1];
    struct fx_hash hash;
    size_t n;
    if (known || !own || (form == WITNESS_V0 && own->size != 33)) {
        return known;
    }
    hash_to_sign(s->at, script, form, type, &hash);
    if (!sign_ecdsa(s->signer, own, &hash, made, &n)) {
        return NULL;
    }
    made[n++] = type;
    remember(s->solution, key, (struct fx_span){made, n});
    return known_signature(s->solution, key);
}

/* ---- solving --------------------------------------------------------------------------------- */

static void put(struct fx_signer_items *items, struct fx_span bytes)
{
    fx_buf_clear(&items->item[items->n]);
    fx_buf_bytes(&items->item[items->n++], bytes.data, bytes.len);
}

static void items_clear(struct fx_signer_items *items)
{
    for (size_t i = 0; i < items->n; i++) {
        fx_buf_clear(&items->item[i]);
    }
    items->n = 0;
}

static bool solve_pubkey_hash(const struct solving *s, struct fx_span script, enum form form,
                              struct fx_signer_items *out)
{
    for (size_t i = 0; i < s->signer->n_keys; i++) {
        const struct own_key *own = &s->signer->keys[i];
        const struct fx_span key = {own->public_key, own->size};
        if (has_hash160(key, script.data + 3)) {
            const struct fx_buf *signature = signature_by(s, key, script, form);
            if (signature) {
                put(out, span_of(signature));
                put(out, key);
            }
            return signature != NULL;
        }
    }
    return false;
}

/* With fewer signatures than it takes, empty ones fill the places: others add theirs. */
static bool solve_multisig(const struct solving *s, struct fx_span script, enum form form,
                           struct fx_signer_items *out)
{
    const struct fx_span empty = {NULL, 0};
    struct fx_script_multisig m;
    unsigned n = 0;
    (void)fx_script_read_multisig(script, &m);
    put(out, empty); /* the item too many that CHECKMULTISIG takes */
    for (unsigned i = 0; i < m.n; i++) {
        const struct fx_buf *signature = signature_by(s, m.keys[i], script, form);
        if (signature && n < m.required) {
            put(out, span_of(signature));
            n++;
        }
    }
    for (unsigned i = n; i < m.required; i++) {
        put(out, empty);
    }
    return n == m.required;
}

/* Scripts that say which keys sign. */
static bool solve_keys(const struct solving *s, struct fx_span script, enum form form,
                       struct fx_signer_items *out)
{
    const struct fx_buf *signature;
    switch (fx_script_classify(script)) {
    case FX_SCRIPT_PUBKEY:
        signature =
            signature_by(s, (struct fx_span){script.data + 1, script.len - 2}, script, form);
        if (signature) {
            put(out, span_of(signature));
        }
        return signature != NULL;
    case FX_SCRIPT_P2PKH:
        return solve_pubkey_hash(s, script, form, out);
    case FX_SCRIPT_MULTISIG:
        return solve_multisig(s, script, form, out);
    case FX_SCRIPT_ANCHOR:
        return true;
    case FX_SCRIPT_OTHER:
    case FX_SCRIPT_P2SH:
    case FX_SCRIPT_P2WPKH:
    case FX_SCRIPT_P2WSH:
    case FX_SCRIPT_P2TR:
    case FX_SCRIPT_TASK:
    case FX_SCRIPT_WITNESS_UNKNOWN:
    case FX_SCRIPT_RETURN:
        return false;
    }
    return false;
}

/* The key pair of a taproot output: of the key itself, or of it with no scripts (BIP86). */
static bool taproot_pair(const struct fx_signer *signer, const struct own_key *key,
                         const uint8_t output[32], secp256k1_keypair *pair)
{
    const secp256k1_context *secp = signer->secp;
    secp256k1_xonly_pubkey point;
    struct fx_hash tweak;
    uint8_t bytes[32];
    bool ok = secp256k1_keypair_create(secp, pair, key->secret) &&
              secp256k1_keypair_xonly_pub(secp, &point, NULL, pair) &&
              secp256k1_xonly_pubkey_serialize(secp, bytes, &point);
    if (!ok || memcmp(bytes, output, sizeof(bytes)) == 0) {
        return ok;
    }
    fx_taproot_tweak_hash(bytes, NULL, &tweak);
    return secp256k1_keypair_xonly_tweak_add(secp, pair, tweak.b) &&
           secp256k1_keypair_xonly_pub(secp, &point, NULL, pair) &&
           secp256k1_xonly_pubkey_serialize(secp, bytes, &point) &&
           memcmp(bytes, output, sizeof(bytes)) == 0;
}

static bool solve_taproot(const struct solving *s, const uint8_t output[32])
{
    const struct fx_signable *at = s->at;
    bool ok = false;
    for (size_t i = 0; i < s->signer->n_keys && !ok && at->spent; i++) {
        secp256k1_keypair pair;
        struct fx_hash hash;
        uint8_t signature[65];
        size_t n = s->hash_type == FX_SIGHASH_DEFAULT ? 64 : 65;
        ok = taproot_pair(s->signer, &s->signer->keys[i], output, &pair) &&
             fx_sighash_taproot(at->tx, at->in, at->spent, s->hash_type, NULL, at->cache, &hash) &&
             secp256k1_schnorrsig_sign32(s->signer->secp, signature, hash.b, &pair, s->signer->aux);
        fx_secure_zero(&pair, sizeof(pair));
        if (ok) {
            signature[64] = s->hash_type;
            put(&s->solution->witness, (struct fx_span){signature, n});
        }
    }
    return ok;
}

static bool solve_witness_script(const struct solving *s, struct fx_span script)
{
    bool ok = solve_keys(s, script, WITNESS_V0, &s->solution->witness);
    put(&s->solution->witness, script);
    return ok;
}

/* A script outside of P2SH, or the one inside: signatures go to `pushes` or into the witness. */
static bool solve_script(const struct solving *s, struct fx_span script, bool nested,
                         struct fx_signer_items *pushes)
{
    uint8_t hashed[25] = {FX_OP_DUP, FX_OP_HASH160, 20};
    struct fx_span inner;
    switch (fx_script_classify(script)) {
    case FX_SCRIPT_P2WPKH:
        memcpy(hashed + 3, script.data + 2, 20);
        hashed[23] = FX_OP_EQUALVERIFY;
        hashed[24] = FX_OP_CHECKSIG;
        return solve_pubkey_hash(s, (struct fx_span){hashed, sizeof(hashed)}, WITNESS_V0,
                                 &s->solution->witness);
    case FX_SCRIPT_P2WSH:
        inner = script_of(s, script.data + 2, true);
        return inner.len > 0 && solve_witness_script(s, inner);
    case FX_SCRIPT_P2TR:
        return !nested && solve_taproot(s, script.data + 2);
    case FX_SCRIPT_PUBKEY:
    case FX_SCRIPT_P2PKH:
    case FX_SCRIPT_MULTISIG:
    case FX_SCRIPT_ANCHOR:
        return solve_keys(s, script, LEGACY, pushes);
    case FX_SCRIPT_OTHER:
    case FX_SCRIPT_P2SH:
    case FX_SCRIPT_TASK:
    case FX_SCRIPT_WITNESS_UNKNOWN:
    case FX_SCRIPT_RETURN:
        return false;
    }
    return false;
}

/* ---- solutions ------------------------------------------------------------------------------- */

void fx_solution_clear(struct fx_solution *solution)
{
    fx_buf_clear(&solution->redeem);
    fx_buf_clear(&solution->witness_script);
    for (size_t i = 0; i < solution->n_signed; i++) {
        fx_buf_clear(&solution->signed_by[i].key);
        fx_buf_clear(&solution->signed_by[i].signature);
    }
    fx_buf_clear(&solution->script_sig);
    items_clear(&solution->witness);
    memset(solution, 0, sizeof(*solution));
}

static bool is_satisfied(const struct fx_signable *at, struct fx_span script_sig,
                         const struct fx_span *witness, size_t n_witness)
{
    const struct fx_script_context context = {.tx = at->tx,
                                              .in = at->in,
                                              .amount = at->coin->value,
                                              .spent = at->spent,
                                              .cache = at->cache};
    return fx_script_verify(script_sig, fx_coin_script(at->coin), witness, n_witness,
                            FX_VERIFY_STANDARD, &context) == FX_SCRIPT_ERR_OK;
}

/* What an input's script pushes, up to the items that anything here is of; false where it does more
 * than push. */
static size_t pushed(struct fx_span script_sig, struct fx_span items[FX_SIGNER_ITEMS_MAX])
{
    struct fx_script_walk walk;
    struct fx_op op;
    size_t n = 0;
    fx_script_walk_init(&walk, script_sig);
    while (n < FX_SIGNER_ITEMS_MAX && fx_script_walk_next(&walk, &op)) {
        items[n++] = op.data;
    }
    return fx_script_is_push_only(script_sig) && walk.at == walk.end ? n : 0;
}

/* Each signature is of a key behind that of the one before. */
static void gather_signatures(struct fx_solution *solution, const struct fx_signable *from,
                              struct fx_span script, enum form form, const struct fx_span *items,
                              size_t n)
{
    struct fx_script_multisig m;
    unsigned key = 0;
    if (!fx_script_read_multisig(script, &m)) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        for (unsigned k = key; k < m.n; k++) {
            if (verifies(from, script, form, m.keys[k], items[i])) {
                remember(solution, m.keys[k], items[i]);
                key = k + 1;
                break;
            }
        }
    }
}

static void keep_script(struct fx_buf *kept, struct fx_span script)
{
    fx_buf_clear(kept);
    fx_buf_bytes(kept, script.data, script.len);
}

void fx_solution_gather(struct fx_solution *solution, const struct fx_signable *from)
{
    const struct fx_txin *in = &from->tx->in[from->in];
    struct fx_span script = fx_coin_script(from->coin), items[FX_SIGNER_ITEMS_MAX];
    const struct fx_span *stack = items;
    enum form form = LEGACY;
    size_t n;
    if (solution->complete) {
        return;
    }
    if (is_satisfied(from, in->script_sig, in->witness, in->n_witness)) {
        solution->complete = true;
        solution->whole = from->tx;
        return;
    }
    n = pushed(in->script_sig, items);
    if (fx_script_is_p2sh(script) && n > 0 && has_hash160(items[n - 1], script.data + 2)) {
        script = items[--n];
        keep_script(&solution->redeem, script);
    }
    if (fx_script_classify(script) == FX_SCRIPT_P2WSH && in->n_witness > 0 &&
        has_sha256(in->witness[in->n_witness - 1], script.data + 2)) {
        stack = in->witness;
        n = in->n_witness - 1;
        script = in->witness[n];
        form = WITNESS_V0;
        keep_script(&solution->witness_script, script);
    }
    gather_signatures(solution, from, script, form, stack, n);
}

void fx_signer_solve(const struct fx_signer *signer, const struct fx_signable *at,
                     uint8_t hash_type, struct fx_solution *solution)
{
    const struct solving s = {signer, at, hash_type, solution};
    struct fx_span script = fx_coin_script(at->coin), redeem = {NULL, 0};
    struct fx_span witness[FX_SIGNER_ITEMS_MAX];
    struct fx_signer_items pushes = {.n = 0};
    bool solved = true, nested = fx_script_is_p2sh(script);
    if (solution->complete) {
        return;
    }
    if (nested) {
        script = redeem = script_of(&s, script.data + 2, false);
        solved = redeem.len > 0;
    }
    solved = solved && solve_script(&s, script, nested, &pushes);
    if (redeem.len > 0) {
        put(&pushes, redeem);
    }
    fx_buf_clear(&solution->script_sig);
    for (size_t i = 0; i < pushes.n; i++) {
        fx_script_push(&solution->script_sig, span_of(&pushes.item[i]));
    }
    items_clear(&pushes);
    for (size_t i = 0; i < solution->witness.n; i++) {
        witness[i] = span_of(&solution->witness.item[i]);
    }
    solution->complete =
        solved && is_satisfied(at, span_of(&solution->script_sig), witness, solution->witness.n);
}

void fx_solution_apply(const struct fx_solution *solution, struct fx_txb *tx, size_t in)
{
    fx_txb_clear_witness(tx, in);
    if (solution->whole) {
        const struct fx_txin *from = &solution->whole->in[in];
        fx_txb_set_script_sig(tx, in, from->script_sig.data, from->script_sig.len);
        for (size_t i = 0; i < from->n_witness; i++) {
            fx_txb_push_witness(tx, in, from->witness[i].data, from->witness[i].len);
        }
        return;
    }
    fx_txb_set_script_sig(tx, in, solution->script_sig.data, solution->script_sig.len);
    for (size_t i = 0; i < solution->witness.n; i++) {
        const struct fx_buf *item = &solution->witness.item[i];
        fx_txb_push_witness(tx, in, item->data, item->len);
    }
}
