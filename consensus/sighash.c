/* Signature hashes: BIP143, BIP341, and that of task spends (protocol section 5). */
#include "consensus/sighash.h"

#include <string.h>

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

static void put_var_bytes(struct fx_sha256 *ctx, const uint8_t *data, size_t n)
{
    uint8_t head[9] = {0};
    size_t head_len = fx_var_size(n);

    if (head_len == 1) {
        head[0] = (uint8_t)n;
    } else {
        head[0] = head_len == 3 ? 0xfd : head_len == 5 ? 0xfe : 0xff;
        for (size_t i = 1; i < head_len; i++) {
            head[i] = (uint8_t)((uint64_t)n >> 8 * (i - 1));
        }
    }
    fx_sha256_update(ctx, head, head_len);
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
        put_i64(&amounts, spent[i].value);
        put_var_bytes(&scripts, spent[i].script, spent[i].script_len);
        put_u32(&sequences, tx->in[i].sequence);
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

/* SigMsg(hash_type, 0) of BIP341. The hash type is valid, and has its output where it is SINGLE. */
static void put_message(struct fx_sha256 *ctx, const struct fx_tx *tx, size_t in,
                        const struct fx_coin *spent, uint8_t hash_type, const struct fx_span *annex,
                        const struct fx_sighash_cache *cache)
{
    bool anyone = (hash_type & FX_SIGHASH_ANYONECANPAY) != 0;
    uint8_t outputs = hash_type & 3;
    struct fx_sha256 part;
    struct fx_hash hash;

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
    put_u8(ctx, annex != NULL ? 1 : 0); /* spend_type: ext_flag 0 */
    if (anyone) {
        put_outpoint(ctx, &tx->in[in].prevout);
        put_i64(ctx, spent[in].value);
        put_var_bytes(ctx, spent[in].script, spent[in].script_len);
        put_u32(ctx, tx->in[in].sequence);
    } else {
        put_u32(ctx, (uint32_t)in);
    }
    if (annex != NULL) {
        fx_sha256_init(&part);
        put_var_bytes(&part, annex->data, annex->len);
        fx_sha256_final(&part, hash.b);
        put_hash(ctx, &hash);
    }
    if (outputs == FX_SIGHASH_SINGLE) {
        fx_sha256_init(&part);
        put_output(&part, &tx->out[in]);
        fx_sha256_final(&part, hash.b);
        put_hash(ctx, &hash);
    }
}

bool fx_sighash_taproot(const struct fx_tx *tx, size_t in, const struct fx_coin *spent,
                        uint8_t hash_type, const struct fx_span *annex,
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
    put_message(&ctx, tx, in, spent, hash_type, annex, cache);
    fx_sha256_final(&ctx, hash->b);
    return true;
}

void fx_sighash_task(const struct fx_tx *tx, size_t in, const struct fx_coin *spent, uint8_t action,
                     const struct fx_sighash_cache *cache, struct fx_hash *hash)
{
    struct fx_sha256 ctx;

    fx_tagged_init(&ctx, "fornax/tasksighash");
    put_u8(&ctx, action);
    put_u8(&ctx, 0);
    put_message(&ctx, tx, in, spent, FX_SIGHASH_DEFAULT, NULL, cache);
    fx_sha256_final(&ctx, hash->b);
}
