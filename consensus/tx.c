/* Reading and writing transactions (Bitcoin's serialization, BIP144 witnesses). */
#include "consensus/tx.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/params.h"
#include "src/crypto/sha256.h"
#include "src/util/mem.h"

#define TXIN_MIN 41 /* bytes of an input with an empty script */
#define TXOUT_MIN 9

/* What a first walk over the bytes finds: the counts that size the arena, and where the parts lie.
 */
struct shape {
    size_t n_in, n_out, n_items;
    bool has_witness;
    size_t body;     /* offset of the input count */
    size_t body_len; /* inputs and outputs with their counts */
    size_t len;      /* the whole transaction */
    const char *why; /* it does not parse, NULL where bytes are missing or too many */
};

static void skip_bytes(struct fx_reader *r)
{
    size_t n;

    fx_read_var_bytes(r, FX_PARSE_MAX, &n);
}

static size_t skip_inputs(struct fx_reader *r)
{
    size_t n = (size_t)fx_read_count(r, FX_PARSE_MAX, TXIN_MIN);

    for (size_t i = 0; i < n && !r->bad; i++) {
        fx_read_bytes(r, FX_OUTPOINT_SIZE);
        skip_bytes(r);
        fx_read_u32(r);
    }
    return n;
}

static size_t skip_outputs(struct fx_reader *r)
{
    size_t n = (size_t)fx_read_count(r, FX_PARSE_MAX, TXOUT_MIN);

    for (size_t i = 0; i < n && !r->bad; i++) {
        fx_read_u64(r);
        skip_bytes(r);
    }
    return n;
}

/* The number of witness items. */
static size_t skip_witnesses(struct fx_reader *r, size_t n_in)
{
    size_t items = 0;

    for (size_t i = 0; i < n_in && !r->bad; i++) {
        size_t n = (size_t)fx_read_count(r, FX_PARSE_MAX, 1);

        for (size_t k = 0; k < n && !r->bad; k++) {
            skip_bytes(r);
        }
        items += n;
    }
    return items;
}

/* As Bitcoin Core deserialises: an empty input list is the marker of BIP144, unless the flag byte
 * after it is zero, which is then the count of outputs of a transaction without any of either. */
static bool measure(struct fx_reader *r, struct shape *s)
{
    const uint8_t *start = r->p;
    uint8_t flags = 0;

    memset(s, 0, sizeof *s);
    fx_read_u32(r);
    s->body = (size_t)(r->p - start);
    s->n_in = skip_inputs(r);
    if (s->n_in > 0) {
        s->n_out = skip_outputs(r);
    } else {
        flags = fx_read_u8(r);
        if (flags != 0) {
            s->body = (size_t)(r->p - start);
            s->n_in = skip_inputs(r);
            s->n_out = skip_outputs(r);
        }
    }
    s->body_len = (size_t)(r->p - start) - s->body;
    if ((flags & 1) != 0) {
        s->has_witness = true;
        s->n_items = skip_witnesses(r, s->n_in);
        if (s->n_items == 0 && !r->bad) {
            s->why = "Superfluous witness record";
            return false;
        }
    }
    if ((flags & ~1u) != 0 && !r->bad) {
        s->why = "Unknown transaction optional data";
        return false;
    }
    fx_read_u32(r);
    if (r->bad) {
        return false;
    }
    s->len = (size_t)(r->p - start);
    return s->len <= FX_PARSE_MAX;
}

static struct fx_span read_span(struct fx_reader *r)
{
    struct fx_span span;

    span.data = fx_read_var_bytes(r, FX_PARSE_MAX, &span.len);
    return span;
}

static void hash_tx(struct fx_tx *tx, const struct shape *s)
{
    struct fx_sha256 ctx;
    uint8_t once[32];

    fx_sha256d(tx->raw.data, tx->raw.len, tx->wtxid.b);
    if (!s->has_witness) {
        tx->txid = tx->wtxid;
        return;
    }
    fx_sha256_init(&ctx);
    fx_sha256_update(&ctx, tx->raw.data, 4);
    fx_sha256_update(&ctx, tx->raw.data + s->body, s->body_len);
    fx_sha256_update(&ctx, tx->raw.data + tx->raw.len - 4, 4);
    fx_sha256_final(&ctx, once);
    fx_sha256(once, sizeof once, tx->txid.b);
}

/* The bytes were walked by measure(), so no read here fails. */
static void fill(struct fx_tx *tx, const struct shape *s, struct fx_txin *in, struct fx_txout *out,
                 struct fx_span *items)
{
    struct fx_reader r;

    fx_reader_init(&r, tx->raw.data, tx->raw.len);
    tx->version = (int32_t)fx_read_u32(&r);
    fx_read_bytes(&r, s->body - 4);
    fx_read_var(&r);
    for (size_t i = 0; i < s->n_in; i++) {
        in[i].prevout = fx_outpoint_read(&r);
        in[i].script_sig = read_span(&r);
        in[i].sequence = fx_read_u32(&r);
        in[i].witness = NULL;
        in[i].n_witness = 0;
    }
    fx_read_var(&r);
    for (size_t i = 0; i < s->n_out; i++) {
        out[i].value = fx_read_i64(&r);
        out[i].script = read_span(&r);
    }
    for (size_t i = 0; i < s->n_in && s->has_witness; i++) {
        in[i].n_witness = (size_t)fx_read_var(&r);
        in[i].witness = items;
        for (size_t k = 0; k < in[i].n_witness; k++) {
            *items++ = read_span(&r);
        }
    }
    tx->lock_time = fx_read_u32(&r);
}

static struct fx_tx *read_tx(struct fx_reader *r, const char **why)
{
    const uint8_t *start = r->p;
    struct shape s = {0};
    struct fx_tx *tx;
    struct fx_txin *in;
    struct fx_txout *out;
    struct fx_span *items;
    uint8_t *raw;

    if (r->bad || !measure(r, &s)) {
        *why = s.why;
        r->bad = true;
        return NULL;
    }
    /* One arena: all parts hold pointers or eight-byte integers, the bytes come last. */
    tx = (struct fx_tx *)fx_xmalloc(sizeof *tx + s.n_in * sizeof *in + s.n_out * sizeof *out +
                                    s.n_items * sizeof *items + s.len);
    in = (struct fx_txin *)(tx + 1);
    out = (struct fx_txout *)(in + s.n_in);
    items = (struct fx_span *)(out + s.n_out);
    raw = (uint8_t *)(items + s.n_items);
    memcpy(raw, start, s.len);

    memset(tx, 0, sizeof *tx);
    tx->arena = tx;
    tx->refs = 1;
    tx->in = in;
    tx->n_in = s.n_in;
    tx->out = out;
    tx->n_out = s.n_out;
    tx->has_witness = s.has_witness;
    tx->raw.data = raw;
    tx->raw.len = s.len;
    tx->base_size = s.body_len + 8;
    tx->total_size = s.len;
    fill(tx, &s, in, out, items);
    hash_tx(tx, &s);
    return tx;
}

struct fx_tx *fx_tx_read(struct fx_reader *r)
{
    const char *why;

    return read_tx(r, &why);
}

struct fx_tx *fx_tx_parse(const void *data, size_t n)
{
    const char *why;

    return fx_tx_parse_why(data, n, &why);
}

struct fx_tx *fx_tx_parse_why(const void *data, size_t n, const char **why)
{
    struct fx_reader r;
    struct fx_tx *tx;

    *why = NULL;
    fx_reader_init(&r, data, n);
    tx = read_tx(&r, why);
    if (tx != NULL && !fx_reader_done(&r)) {
        fx_tx_unref(tx);
        return NULL;
    }
    return tx;
}

struct fx_tx *fx_tx_ref(const struct fx_tx *tx)
{
    struct fx_tx *shared = (struct fx_tx *)tx->arena;

    shared->refs++;
    return shared;
}

void fx_tx_unref(const struct fx_tx *tx)
{
    struct fx_tx *shared;

    if (tx == NULL) {
        return;
    }
    shared = (struct fx_tx *)tx->arena;
    if (--shared->refs == 0) {
        free(shared);
    }
}

void fx_tx_write(const struct fx_tx *tx, struct fx_buf *buf)
{
    fx_buf_bytes(buf, tx->raw.data, tx->raw.len);
}

void fx_tx_write_stripped(const struct fx_tx *tx, struct fx_buf *buf)
{
    /* With a witness, marker and flag stand between version and inputs. */
    size_t body = tx->has_witness ? 6 : 4;

    fx_buf_bytes(buf, tx->raw.data, 4);
    fx_buf_bytes(buf, tx->raw.data + body, tx->base_size - 8);
    fx_buf_bytes(buf, tx->raw.data + tx->raw.len - 4, 4);
}

size_t fx_tx_weight(const struct fx_tx *tx)
{
    return tx->base_size * (FX_WITNESS_SCALE - 1) + tx->total_size;
}

size_t fx_tx_vsize(const struct fx_tx *tx)
{
    return (fx_tx_weight(tx) + FX_WITNESS_SCALE - 1) / FX_WITNESS_SCALE;
}

bool fx_tx_is_coinbase(const struct fx_tx *tx)
{
    return tx->n_in == 1 && fx_outpoint_is_null(&tx->in[0].prevout);
}

bool fx_outpoint_equal(const struct fx_outpoint *a, const struct fx_outpoint *b)
{
    return a->index == b->index && fx_hash_equal(&a->txid, &b->txid);
}

bool fx_outpoint_is_null(const struct fx_outpoint *o)
{
    return o->index == UINT32_MAX && fx_hash_is_zero(&o->txid);
}

bool fx_outpoint_is_zero(const struct fx_outpoint *o)
{
    return o->index == 0 && fx_hash_is_zero(&o->txid);
}

int fx_outpoint_cmp(const struct fx_outpoint *a, const struct fx_outpoint *b)
{
    int c = fx_hash_cmp(&a->txid, &b->txid);

    if (c != 0) {
        return c;
    }
    return (a->index > b->index) - (a->index < b->index);
}

void fx_outpoint_write(const struct fx_outpoint *o, struct fx_buf *buf)
{
    fx_buf_hash(buf, &o->txid);
    fx_buf_u32(buf, o->index);
}

struct fx_outpoint fx_outpoint_read(struct fx_reader *r)
{
    struct fx_outpoint o;

    o.txid = fx_read_hash(r);
    o.index = fx_read_u32(r);
    return o;
}

void fx_outpoint_key(const struct fx_outpoint *o, uint8_t key[FX_OUTPOINT_SIZE])
{
    memcpy(key, o->txid.b, 32);
    fx_store_u32(key + 32, o->index);
}
