/* Signature hashes: legacy, BIP143, BIP341, and that of task spends (protocol section 5). */
#include "consensus/sighash.h"

#include <string.h>

#include "consensus/script_ops.h"
#include "src/crypto/sha256.h"
#include "src/crypto/taghash.h"

static void put(struct fx_sha256 *ctx, const void *data, size_t n)
{
    if (n > 0) {
        fx_sha256_update(ctx, data, n);
    }
}

static void put_u8(struct fx_sha256 *ctx, uint8_t v)
{
    fx_sha256_update(ctx, &v, 1);
}

static void put_u32(struct fx_sha256 *ctx, uint32_t v)
{
    uint8_t raw[4];

    fx_store_u32(raw, v);
    fx_sha256_update(ctx, raw, sizeof raw);
}

static void put_i64(struct fx_sha256 *ctx, int64_t v)
{
    uint8_t raw[8];

    fx_store_u64(raw, (uint64_t)v);
    fx_sha256_update(ctx, raw, sizeof raw);
}

static void put_hash(struct fx_sha256 *ctx, const struct fx_hash *h)
{
    fx_sha256_update(ctx, h->b, sizeof h->b);
}

static void put_var(struct fx_sha256 *ctx, uint64_t n)
{
    uint8_t head[9] = {0};
    size_t head_len = fx_var_size(n);

    if (head_len == 1) {
        head[0] = (uint8_t)n;
    } else {
        head[0] = head_len == 3 ? 0xfd : head_len == 5 ? 0xfe : 0xff;
        for (size_t i = 1; i < head_len; i++) {
            head[i] = (uint8_t)(n >> 8 * (i - 1));
        }
    }
    fx_sha256_update(ctx, head, head_len);
}

static void put_var_bytes(struct fx_sha256 *ctx, const uint8_t *data, size_t n)
{
    put_var(ctx, n);
    put(ctx, data, n);
}

static void put_outpoint(struct fx_sha256 *ctx, const struct fx_outpoint *o)
{
    put_hash(ctx, &o->txid);
    put_u32(ctx, o->index);
}

static void put_output(struct fx_sha256 *ctx, const struct fx_txout *out)
{
    put_i64(ctx, out->value);
    put_var_bytes(ctx, out->script.data, out->script.len);
}

static void again(const struct fx_hash *once, struct fx_hash *twice)
{
    fx_sha256(once->b, sizeof once->b, twice->b);
}

void fx_sighash_cache_init(struct fx_sighash_cache *cache, const struct fx_tx *tx,
                           const struct fx_coin *spent)
{
    struct fx_sha256 prevouts, amounts, scripts, sequences, outputs;

    fx_sha256_init(&prevouts);
    fx_sha256_init(&amounts);
    fx_sha256_init(&scripts);
    fx_sha256_init(&sequences);
    fx_sha256_init(&outputs);
    for (size_t i = 0; i < tx->n_in; i++) {
        put_outpoint(&prevouts, &tx->in[i].prevout);
        put_u32(&sequences, tx->in[i].sequence);
    }
    for (size_t i = 0; i < tx->n_in && spent != NULL; i++) {
        put_i64(&amounts, spent[i].value);
        put_var_bytes(&scripts, spent[i].script, spent[i].script_len);
    }
    for (size_t i = 0; i < tx->n_out; i++) {
        put_output(&outputs, &tx->out[i]);
    }
    fx_sha256_final(&prevouts, cache->prevouts.b);
    fx_sha256_final(&amounts, cache->amounts.b);
    fx_sha256_final(&scripts, cache->scripts.b);
    fx_sha256_final(&sequences, cache->sequences.b);
    fx_sha256_final(&outputs, cache->outputs.b);
    again(&cache->prevouts, &cache->v0_prevouts);
    again(&cache->sequences, &cache->v0_sequences);
    again(&cache->outputs, &cache->v0_outputs);
}

/* ---- before segwit ----------------------------------------------------------------------- */

/* Where a walk ends before the script does, at a push that is not complete, the rest is left out
 * though it was counted: such a script fails later, so nobody sees the hash. */
static void put_script_code(struct fx_sha256 *ctx, struct fx_span code)
{
    struct fx_script_walk walk;
    struct fx_op op;
    const uint8_t *from;
    size_t separators = 0;

    fx_script_walk_init(&walk, code);
    while (fx_script_walk_next(&walk, &op)) {
        separators += op.code == FX_OP_CODESEPARATOR;
    }
    put_var(ctx, code.len - separators);
    fx_script_walk_init(&walk, code);
    from = walk.at;
    while (fx_script_walk_next(&walk, &op)) {
        if (op.code == FX_OP_CODESEPARATOR) {
            put(ctx, from, (size_t)(walk.at - 1 - from));
            from = walk.at;
        }
    }
    put(ctx, from, (size_t)(walk.at - from));
}

/* An input that is not the one that is signed: its outpoint, no script, its sequence or none. */
static void put_other_input(struct fx_sha256 *ctx, const struct fx_txin *in, bool with_sequence)
{
    uint8_t raw[FX_OUTPOINT_SIZE + 5] = {0};

    fx_outpoint_key(&in->prevout, raw);
    if (with_sequence) {
        fx_store_u32(raw + FX_OUTPOINT_SIZE + 1, in->sequence);
    }
    fx_sha256_update(ctx, raw, sizeof raw);
}

static void put_legacy_outputs(struct fx_sha256 *ctx, const struct fx_tx *tx, size_t in,
                               uint32_t outputs)
{
    if (outputs == FX_SIGHASH_NONE) {
        put_var(ctx, 0);
        return;
    }
    if (outputs == FX_SIGHASH_SINGLE) {
        put_var(ctx, in + 1);
        for (size_t i = 0; i < in; i++) {
            put_i64(ctx, -1);
            put_var(ctx, 0);
        }
        put_output(ctx, &tx->out[in]);
        return;
    }
    put_var(ctx, tx->n_out);
    for (size_t i = 0; i < tx->n_out; i++) {
        put_output(ctx, &tx->out[i]);
    }
}

void fx_sighash_legacy(const struct fx_tx *tx, size_t in, struct fx_span script_code,
                       uint32_t hash_type, struct fx_hash *hash)
{
    bool anyone = (hash_type & FX_SIGHASH_ANYONECANPAY) != 0;
    uint32_t outputs = hash_type & 0x1f;
    bool all = outputs != FX_SIGHASH_NONE && outputs != FX_SIGHASH_SINGLE;
    struct fx_sha256 ctx;
    struct fx_hash once;

    if (outputs == FX_SIGHASH_SINGLE && in >= tx->n_out) {
        memset(hash, 0, sizeof *hash);
        hash->b[0] = 1;
        return;
    }
    fx_sha256_init(&ctx);
    put_u32(&ctx, (uint32_t)tx->version);
    put_var(&ctx, anyone ? 1 : tx->n_in);
    for (size_t i = 0; i < tx->n_in; i++) {
        if (i == in) {
            put_outpoint(&ctx, &tx->in[i].prevout);
            put_script_code(&ctx, script_code);
            put_u32(&ctx, tx->in[i].sequence);
        } else if (!anyone) {
            put_other_input(&ctx, &tx->in[i], all);
        }
    }
    put_legacy_outputs(&ctx, tx, in, outputs);
    put_u32(&ctx, tx->lock_time);
    put_u32(&ctx, hash_type);
    fx_sha256_final(&ctx, once.b);
    again(&once, hash);
}

/* ---- segwit ------------------------------------------------------------------------------ */

void fx_sighash_v0(const struct fx_tx *tx, size_t in, struct fx_span script_code, int64_t amount,
                   uint32_t hash_type, const struct fx_sighash_cache *cache, struct fx_hash *hash)
{
    static const struct fx_hash zero;
    bool anyone = (hash_type & FX_SIGHASH_ANYONECANPAY) != 0;
    uint32_t outputs = hash_type & 0x1f;
    bool all = outputs != FX_SIGHASH_NONE && outputs != FX_SIGHASH_SINGLE;
    struct fx_hash once, one_output;
    struct fx_sha256 ctx;

    fx_sha256_init(&ctx);
    put_u32(&ctx, (uint32_t)tx->version);
    put_hash(&ctx, anyone ? &zero : &cache->v0_prevouts);
    put_hash(&ctx, !anyone && all ? &cache->v0_sequences : &zero);
    put_outpoint(&ctx, &tx->in[in].prevout);
    put_var_bytes(&ctx, script_code.data, script_code.len);
    put_i64(&ctx, amount);
    put_u32(&ctx, tx->in[in].sequence);
    if (all) {
        put_hash(&ctx, &cache->v0_outputs);
    } else if (outputs == FX_SIGHASH_SINGLE && in < tx->n_out) {
        struct fx_sha256 one;

        fx_sha256_init(&one);
        put_output(&one, &tx->out[in]);
        fx_sha256_final(&one, once.b);
        again(&once, &one_output);
        put_hash(&ctx, &one_output);
    } else {
        put_hash(&ctx, &zero);
    }
    put_u32(&ctx, tx->lock_time);
    put_u32(&ctx, hash_type);
    fx_sha256_final(&ctx, once.b);
    again(&once, hash);
}

static void hash_annex(const struct fx_span *annex, struct fx_hash *hash)
{
    struct fx_sha256 ctx;

    fx_sha256_init(&ctx);
    put_var_bytes(&ctx, annex->data, annex->len);
    fx_sha256_final(&ctx, hash->b);
}

void fx_sighash_spend_init(struct fx_sighash_spend *spend, const struct fx_span *annex)
{
    memset(spend, 0, sizeof *spend);
    spend->codesep_pos = UINT32_MAX;
    spend->has_annex = annex != NULL;
    if (annex != NULL) {
        hash_annex(annex, &spend->annex_hash);
    }
}

/* An output may be long and be signed often: its hash is kept. */
static const struct fx_hash *single_output(const struct fx_tx *tx, size_t in,
                                           struct fx_sighash_spend *spend)
{
    struct fx_sha256 ctx;

    if (!spend->has_output_hash) {
        fx_sha256_init(&ctx);
        put_output(&ctx, &tx->out[in]);
        fx_sha256_final(&ctx, spend->output_hash.b);
        spend->has_output_hash = true;
    }
    return &spend->output_hash;
}

/* SigMsg(hash_type, ext_flag) of BIP341, and BIP342's extension. The hash type is valid, and has
 * its output where it is SINGLE. */
static void put_message(struct fx_sha256 *ctx, const struct fx_tx *tx, size_t in,
                        const struct fx_coin *spent, uint8_t hash_type,
                        struct fx_sighash_spend *spend, const struct fx_sighash_cache *cache)
{
    bool anyone = (hash_type & FX_SIGHASH_ANYONECANPAY) != 0;
    uint8_t outputs = hash_type & 3;

    put_u8(ctx, hash_type);
    put_u32(ctx, (uint32_t)tx->version);
    put_u32(ctx, tx->lock_time);
    if (!anyone) {
        put_hash(ctx, &cache->prevouts);
        put_hash(ctx, &cache->amounts);
        put_hash(ctx, &cache->scripts);
        put_hash(ctx, &cache->sequences);
    }
    if (outputs != FX_SIGHASH_NONE && outputs != FX_SIGHASH_SINGLE) {
        put_hash(ctx, &cache->outputs);
    }
    put_u8(ctx, (uint8_t)((spend->has_leaf ? 2 : 0) | (spend->has_annex ? 1 : 0))); /* spend_type */
    if (anyone) {
        put_outpoint(ctx, &tx->in[in].prevout);
        put_i64(ctx, spent[in].value);
        put_var_bytes(ctx, spent[in].script, spent[in].script_len);
        put_u32(ctx, tx->in[in].sequence);
    } else {
        put_u32(ctx, (uint32_t)in);
    }
    if (spend->has_annex) {
        put_hash(ctx, &spend->annex_hash);
    }
    if (outputs == FX_SIGHASH_SINGLE) {
        put_hash(ctx, single_output(tx, in, spend));
    }
    if (spend->has_leaf) {
        put_hash(ctx, &spend->leaf_hash);
        put_u8(ctx, 0); /* key_version */
        put_u32(ctx, spend->codesep_pos);
    }
}

bool fx_sighash_taproot_spend(const struct fx_tx *tx, size_t in, const struct fx_coin *spent,
                              uint8_t hash_type, struct fx_sighash_spend *spend,
                              const struct fx_sighash_cache *cache, struct fx_hash *hash)
{
    struct fx_sha256 ctx;

    if ((hash_type & 0x7c) != 0 || hash_type == FX_SIGHASH_ANYONECANPAY) {
        return false;
    }
    if ((hash_type & 3) == FX_SIGHASH_SINGLE && in >= tx->n_out) {
        return false;
    }
    fx_tagged_init(&ctx, "TapSighash");
    put_u8(&ctx, 0); /* epoch */
    put_message(&ctx, tx, in, spent, hash_type, spend, cache);
    fx_sha256_final(&ctx, hash->b);
    return true;
}

bool fx_sighash_taproot(const struct fx_tx *tx, size_t in, const struct fx_coin *spent,
                        uint8_t hash_type, const struct fx_span *annex,
                        const struct fx_sighash_cache *cache, struct fx_hash *hash)
{
    struct fx_sighash_spend spend;

    fx_sighash_spend_init(&spend, annex);
    return fx_sighash_taproot_spend(tx, in, spent, hash_type, &spend, cache, hash);
}

void fx_sighash_task(const struct fx_tx *tx, size_t in, const struct fx_coin *spent, uint8_t action,
                     const struct fx_sighash_cache *cache, struct fx_hash *hash)
{
    struct fx_sighash_spend spend;
    struct fx_sha256 ctx;

    fx_sighash_spend_init(&spend, NULL);
    fx_tagged_init(&ctx, "fornax/tasksighash");
    put_u8(&ctx, action);
    put_u8(&ctx, 0);
    put_message(&ctx, tx, in, spent, FX_SIGHASH_DEFAULT, &spend, cache);
    fx_sha256_final(&ctx, hash->b);
}
