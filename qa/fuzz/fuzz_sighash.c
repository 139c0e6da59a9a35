/*
 * Signature hashes: each kind against a second computation that puts the message together in one
 * buffer, byte by byte as the text has it: Bitcoin's first one, BIP143, BIP341 with BIP342, and
 * protocol section 5. The input is a transaction, the coins that it spends, and what a signature
 * chooses.
 */
#include "qa/fuzz/fuzz.h"

#include <string.h>

#include "consensus/sighash.h"
#include "src/crypto/sha256.h"
#include "src/crypto/taghash.h"
#include "src/util/mem.h"

#define CODESEPARATOR 0xab

struct choice {
    const struct fx_tx *tx;
    const struct fx_coin *spent;
    size_t in;
    uint32_t hash_type;
    struct fx_span code, annex;
    bool has_annex, has_leaf;
    struct fx_hash leaf;
    uint32_t codesep_pos;
    uint8_t action;
};

/* ---- parts of messages ------------------------------------------------------------------- */

static void put_output(struct fx_buf *buf, const struct fx_txout *out)
{
    fx_buf_u64(buf, (uint64_t)out->value);
    fx_buf_var_bytes(buf, out->script.data, out->script.len);
}

static void put_digest(struct fx_buf *buf, struct fx_buf *part, bool twice)
{
    struct fx_hash hash;

    fx_sha256(part->data, part->len, hash.b);
    if (twice) {
        fx_sha256(hash.b, sizeof hash.b, hash.b);
    }
    fx_buf_hash(buf, &hash);
    fx_buf_clear(part);
}

static void put_prevouts(struct fx_buf *buf, const struct fx_tx *tx, bool twice)
{
    struct fx_buf part = FX_BUF_INIT;

    for (size_t i = 0; i < tx->n_in; i++) {
        fx_outpoint_write(&tx->in[i].prevout, &part);
    }
    put_digest(buf, &part, twice);
}

static void put_sequences(struct fx_buf *buf, const struct fx_tx *tx, bool twice)
{
    struct fx_buf part = FX_BUF_INIT;

    for (size_t i = 0; i < tx->n_in; i++) {
        fx_buf_u32(&part, tx->in[i].sequence);
    }
    put_digest(buf, &part, twice);
}

static void put_outputs(struct fx_buf *buf, const struct fx_tx *tx, size_t from, size_t to,
                        bool twice)
{
    struct fx_buf part = FX_BUF_INIT;

    for (size_t i = from; i < to; i++) {
        put_output(&part, &tx->out[i]);
    }
    put_digest(buf, &part, twice);
}

static void put_zeros(struct fx_buf *buf)
{
    memset(fx_buf_extend(buf, 32), 0, 32);
}

/* ---- the messages ------------------------------------------------------------------------ */

/* The script without its CODESEPARATORs; false where a push reaches beyond its end. */
static bool without_separators(struct fx_span script, struct fx_buf *out)
{
    size_t at = 0;

    while (at < script.len) {
        uint8_t code = script.data[at];
        size_t width = code >= 0x4c && code <= 0x4e ? (size_t)1 << (code - 0x4c) : 0;
        size_t push = code < 0x4c ? code : 0;

        if (script.len - at - 1 < width) {
            return false;
        }
        for (size_t i = 0; i < width; i++) {
            push |= (size_t)script.data[at + 1 + i] << 8 * i;
        }
        if (script.len - at - 1 - width < push) {
            return false;
        }
        if (code != CODESEPARATOR) {
            fx_buf_bytes(out, script.data + at, 1 + width + push);
        }
        at += 1 + width + push;
    }
    return true;
}

/* As Bitcoin began: the transaction itself, with parts of it blanked. */
static void legacy_message(const struct choice *c, struct fx_span code, struct fx_buf *buf)
{
    const struct fx_tx *tx = c->tx;
    bool anyone = (c->hash_type & 0x80) != 0;
    uint32_t base = c->hash_type & 0x1f;
    size_t n_out = base == FX_SIGHASH_NONE ? 0 : base == FX_SIGHASH_SINGLE ? c->in + 1 : tx->n_out;

    fx_buf_u32(buf, (uint32_t)tx->version);
    fx_buf_var(buf, anyone ? 1 : tx->n_in);
    for (size_t i = 0; i < tx->n_in; i++) {
        bool other = i != c->in;

        if (other && anyone) {
            continue;
        }
        fx_outpoint_write(&tx->in[i].prevout, buf);
        fx_buf_var_bytes(buf, code.data, other ? 0 : code.len);
        fx_buf_u32(buf, other && (base == FX_SIGHASH_NONE || base == FX_SIGHASH_SINGLE)
                            ? 0
                            : tx->in[i].sequence);
    }
    fx_buf_var(buf, n_out);
    for (size_t i = 0; i < n_out; i++) {
        static const struct fx_txout blank = {.value = -1};

        put_output(buf, base == FX_SIGHASH_SINGLE && i < c->in ? &blank : &tx->out[i]);
    }
    fx_buf_u32(buf, tx->lock_time);
    fx_buf_u32(buf, c->hash_type);
}

static void v0_message(const struct choice *c, struct fx_buf *buf)
{
    const struct fx_tx *tx = c->tx;
    bool anyone = (c->hash_type & 0x80) != 0;
    uint32_t base = c->hash_type & 0x1f;
    bool none = base == FX_SIGHASH_NONE, single = base == FX_SIGHASH_SINGLE;

    fx_buf_u32(buf, (uint32_t)tx->version);
    if (anyone) {
        put_zeros(buf);
    } else {
        put_prevouts(buf, tx, true);
    }
    if (anyone || none || single) {
        put_zeros(buf);
    } else {
        put_sequences(buf, tx, true);
    }
    fx_outpoint_write(&tx->in[c->in].prevout, buf);
    fx_buf_var_bytes(buf, c->code.data, c->code.len);
    fx_buf_u64(buf, (uint64_t)c->spent[c->in].value);
    fx_buf_u32(buf, tx->in[c->in].sequence);
    if (single && c->in < tx->n_out) {
        put_outputs(buf, tx, c->in, c->in + 1, true);
    } else if (none || single) {
        put_zeros(buf);
    } else {
        put_outputs(buf, tx, 0, tx->n_out, true);
    }
    fx_buf_u32(buf, tx->lock_time);
    fx_buf_u32(buf, c->hash_type);
}

static void put_coins(struct fx_buf *buf, const struct choice *c)
{
    struct fx_buf amounts = FX_BUF_INIT, scripts = FX_BUF_INIT;

    for (size_t i = 0; i < c->tx->n_in; i++) {
        struct fx_span script = fx_coin_script(&c->spent[i]);

        fx_buf_u64(&amounts, (uint64_t)c->spent[i].value);
        fx_buf_var_bytes(&scripts, script.data, script.len);
    }
    put_digest(buf, &amounts, false);
    put_digest(buf, &scripts, false);
}

/* SigMsg of BIP341, with the extension of BIP342 where there is a leaf. */
static void sig_msg(const struct choice *c, uint8_t hash_type, struct fx_buf *buf)
{
    const struct fx_tx *tx = c->tx;
    uint8_t base = hash_type & 3;

    fx_buf_u8(buf, hash_type);
    fx_buf_u32(buf, (uint32_t)tx->version);
    fx_buf_u32(buf, tx->lock_time);
    if ((hash_type & 0x80) == 0) {
        put_prevouts(buf, tx, false);
        put_coins(buf, c);
        put_sequences(buf, tx, false);
    }
    if (base < FX_SIGHASH_NONE) {
        put_outputs(buf, tx, 0, tx->n_out, false);
    }
    fx_buf_u8(buf, (uint8_t)(2 * c->has_leaf + c->has_annex));
    if ((hash_type & 0x80) != 0) {
        struct fx_span script = fx_coin_script(&c->spent[c->in]);

        fx_outpoint_write(&tx->in[c->in].prevout, buf);
        fx_buf_u64(buf, (uint64_t)c->spent[c->in].value);
        fx_buf_var_bytes(buf, script.data, script.len);
        fx_buf_u32(buf, tx->in[c->in].sequence);
    } else {
        fx_buf_u32(buf, (uint32_t)c->in);
    }
    if (c->has_annex) {
        struct fx_buf annex = FX_BUF_INIT;

        fx_buf_var_bytes(&annex, c->annex.data, c->annex.len);
        put_digest(buf, &annex, false);
    }
    if (base == FX_SIGHASH_SINGLE) {
        put_outputs(buf, tx, c->in, c->in + 1, false);
    }
    if (c->has_leaf) {
        fx_buf_hash(buf, &c->leaf);
        fx_buf_u8(buf, 0);
        fx_buf_u32(buf, c->codesep_pos);
    }
}

/* ---- the comparisons --------------------------------------------------------------------- */

static void check_legacy(const struct choice *c)
{
    static const struct fx_hash one = {{1}};
    struct fx_buf code = FX_BUF_INIT, message = FX_BUF_INIT;
    struct fx_hash hash, expected;

    fx_sighash_legacy(c->tx, c->in, c->code, c->hash_type, &hash);
    if ((c->hash_type & 0x1f) == FX_SIGHASH_SINGLE && c->in >= c->tx->n_out) {
        FX_FUZZ_CHECK(fx_hash_equal(&hash, &one));
    } else if (without_separators(c->code, &code)) {
        legacy_message(c, (struct fx_span){code.data, code.len}, &message);
        fx_sha256d(message.data, message.len, expected.b);
        FX_FUZZ_CHECK(fx_hash_equal(&hash, &expected));
    }
    fx_buf_clear(&code);
    fx_buf_clear(&message);
}

static void check_v0(const struct choice *c, const struct fx_sighash_cache *cache)
{
    struct fx_buf message = FX_BUF_INIT;
    struct fx_hash hash, expected;

    fx_sighash_v0(c->tx, c->in, c->code, c->spent[c->in].value, c->hash_type, cache, &hash);
    v0_message(c, &message);
    fx_sha256d(message.data, message.len, expected.b);
    FX_FUZZ_CHECK(fx_hash_equal(&hash, &expected));
    fx_buf_clear(&message);
}

static bool taproot_type_is_valid(const struct choice *c, uint8_t type)
{
    static const uint8_t valid[] = {0x00, 0x01, 0x02, 0x03, 0x81, 0x82, 0x83};

    return memchr(valid, type, sizeof valid) != NULL && ((type & 3) != 3 || c->in < c->tx->n_out);
}

static void check_taproot(const struct choice *c, const struct fx_sighash_cache *cache)
{
    uint8_t type = (uint8_t)c->hash_type;
    struct fx_buf message = FX_BUF_INIT;
    struct fx_sighash_spend spend;
    struct fx_hash hash, expected;
    bool valid = taproot_type_is_valid(c, type);

    fx_sighash_spend_init(&spend, c->has_annex ? &c->annex : NULL);
    spend.has_leaf = c->has_leaf;
    spend.leaf_hash = c->leaf;
    spend.codesep_pos = c->codesep_pos;
    FX_FUZZ_CHECK(fx_sighash_taproot_spend(c->tx, c->in, c->spent, type, &spend, cache, &hash) ==
                  valid);
    if (valid) {
        fx_buf_u8(&message, 0);
        sig_msg(c, type, &message);
        fx_tagged_hash("TapSighash", message.data, message.len, expected.b);
        FX_FUZZ_CHECK(fx_hash_equal(&hash, &expected));
        /* What is kept between signatures changes none of them. */
        FX_FUZZ_CHECK(fx_sighash_taproot_spend(c->tx, c->in, c->spent, type, &spend, cache, &hash));
        FX_FUZZ_CHECK(fx_hash_equal(&hash, &expected));
    }
    fx_buf_clear(&message);
}

static void check_task(const struct choice *c, const struct fx_sighash_cache *cache)
{
    struct choice plain = *c;
    struct fx_buf message = FX_BUF_INIT;
    struct fx_hash hash, expected;

    plain.has_annex = plain.has_leaf = false;
    fx_sighash_task(c->tx, c->in, c->spent, c->action, cache, &hash);
    fx_buf_u8(&message, c->action);
    fx_buf_u8(&message, 0);
    sig_msg(&plain, 0, &message);
    fx_tagged_hash("fornax/tasksighash", message.data, message.len, expected.b);
    FX_FUZZ_CHECK(fx_hash_equal(&hash, &expected));
    fx_buf_clear(&message);
}

/* ------------------------------------------------------------------------------------------ */

static struct fx_span read_span(struct fx_reader *r)
{
    struct fx_span span = {NULL, 0};

    span.data = fx_read_var_bytes(r, r->left, &span.len);
    if (span.data == NULL) {
        span.len = 0;
    }
    return span;
}

static void read_coin(struct fx_reader *r, struct fx_coin *coin)
{
    struct fx_txout out = {.value = fx_read_i64(r)};

    out.script = read_span(r);
    fx_coin_set(coin, &out, 1, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct fx_reader r;
    struct fx_tx *tx;
    struct fx_coin *spent;
    struct fx_sighash_cache cache;
    struct choice c;
    uint8_t has;

    fx_reader_init(&r, data, length);
    tx = fx_tx_read(&r);
    if (tx == NULL || tx->n_in == 0) {
        fx_tx_unref(tx);
        return 0;
    }
    memset(&c, 0, sizeof c);
    c.tx = tx;
    c.hash_type = fx_read_u32(&r);
    c.in = fx_read_u8(&r) % tx->n_in;
    c.action = fx_read_u8(&r);
    has = fx_read_u8(&r);
    c.has_annex = (has & 1) != 0;
    c.has_leaf = (has & 2) != 0;
    c.codesep_pos = fx_read_u32(&r);
    c.code = read_span(&r);
    c.annex = read_span(&r);
    c.leaf = fx_read_hash(&r);
    spent = fx_xcalloc(tx->n_in, sizeof *spent);
    for (size_t i = 0; i < tx->n_in; i++) {
        read_coin(&r, &spent[i]);
    }
    c.spent = spent;
    fx_sighash_cache_init(&cache, tx, spent);
    check_legacy(&c);
    check_v0(&c, &cache);
    check_taproot(&c, &cache);
    check_task(&c, &cache);
    for (size_t i = 0; i < tx->n_in; i++) {
        fx_coin_clear(&spent[i]);
    }
    free(spent);
    fx_tx_unref(tx);
    return 0;
}
