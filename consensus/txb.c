/* Transactions in the making. */
#include "consensus/tx.h"

#include <stdlib.h>
#include <string.h>

#include "src/util/mem.h"

void fx_txb_init(struct fx_txb *b)
{
    memset(b, 0, sizeof *b);
    b->version = 2;
}

void fx_txb_clear(struct fx_txb *b)
{
    for (size_t i = 0; i < b->n_in; i++) {
        fx_txb_clear_witness(b, i);
        fx_buf_clear(&b->in[i].script_sig);
    }
    for (size_t i = 0; i < b->n_out; i++) {
        fx_buf_clear(&b->out[i].script);
    }
    free(b->in);
    free(b->out);
    fx_txb_init(b);
}

void fx_txb_from_tx(struct fx_txb *b, const struct fx_tx *tx)
{
    fx_txb_init(b);
    b->version = tx->version;
    b->lock_time = tx->lock_time;
    for (size_t i = 0; i < tx->n_in; i++) {
        const struct fx_txin *in = &tx->in[i];

        fx_txb_add_in(b, &in->prevout, in->sequence);
        fx_txb_set_script_sig(b, i, in->script_sig.data, in->script_sig.len);
        for (size_t k = 0; k < in->n_witness; k++) {
            fx_txb_push_witness(b, i, in->witness[k].data, in->witness[k].len);
        }
    }
    for (size_t i = 0; i < tx->n_out; i++) {
        const struct fx_txout *out = &tx->out[i];

        fx_txb_add_out(b, out->value, out->script.data, out->script.len);
    }
}

size_t fx_txb_add_in(struct fx_txb *b, const struct fx_outpoint *prevout, uint32_t sequence)
{
    struct fx_txb_in *in;

    b->in = (struct fx_txb_in *)fx_xreallocarray(b->in, b->n_in + 1, sizeof *b->in);
    in = &b->in[b->n_in];
    memset(in, 0, sizeof *in);
    in->prevout = *prevout;
    in->sequence = sequence;
    fx_buf_init(&in->script_sig);
    return b->n_in++;
}

size_t fx_txb_add_out(struct fx_txb *b, int64_t value, const void *script, size_t n)
{
    struct fx_txb_out *out;

    b->out = (struct fx_txb_out *)fx_xreallocarray(b->out, b->n_out + 1, sizeof *b->out);
    out = &b->out[b->n_out];
    out->value = value;
    fx_buf_init(&out->script);
    fx_buf_bytes(&out->script, script, n);
    return b->n_out++;
}

void fx_txb_set_script_sig(struct fx_txb *b, size_t in, const void *script, size_t n)
{
    fx_buf_clear(&b->in[in].script_sig);
    fx_buf_bytes(&b->in[in].script_sig, script, n);
}

void fx_txb_push_witness(struct fx_txb *b, size_t in, const void *item, size_t n)
{
    struct fx_txb_in *i = &b->in[in];

    i->witness =
        (struct fx_buf *)fx_xreallocarray(i->witness, i->n_witness + 1, sizeof *i->witness);
    fx_buf_init(&i->witness[i->n_witness]);
    fx_buf_bytes(&i->witness[i->n_witness], item, n);
    i->n_witness++;
}

void fx_txb_clear_witness(struct fx_txb *b, size_t in)
{
    struct fx_txb_in *i = &b->in[in];

    for (size_t k = 0; k < i->n_witness; k++) {
        fx_buf_clear(&i->witness[k]);
    }
    free(i->witness);
    i->witness = NULL;
    i->n_witness = 0;
}

static bool has_witness(const struct fx_txb *b)
{
    for (size_t i = 0; i < b->n_in; i++) {
        if (b->in[i].n_witness > 0) {
            return true;
        }
    }
    return false;
}

static void write_witnesses(const struct fx_txb *b, struct fx_buf *buf)
{
    for (size_t i = 0; i < b->n_in; i++) {
        fx_buf_var(buf, b->in[i].n_witness);
        for (size_t k = 0; k < b->in[i].n_witness; k++) {
            fx_buf_var_bytes(buf, b->in[i].witness[k].data, b->in[i].witness[k].len);
        }
    }
}

struct fx_tx *fx_txb_build(const struct fx_txb *b)
{
    bool witness = has_witness(b);
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_tx *tx;

    fx_buf_u32(&buf, (uint32_t)b->version);
    if (witness) {
        fx_buf_u8(&buf, 0);
        fx_buf_u8(&buf, 1);
    }
    fx_buf_var(&buf, b->n_in);
    for (size_t i = 0; i < b->n_in; i++) {
        fx_outpoint_write(&b->in[i].prevout, &buf);
        fx_buf_var_bytes(&buf, b->in[i].script_sig.data, b->in[i].script_sig.len);
        fx_buf_u32(&buf, b->in[i].sequence);
    }
    fx_buf_var(&buf, b->n_out);
    for (size_t i = 0; i < b->n_out; i++) {
        fx_buf_i64(&buf, b->out[i].value);
        fx_buf_var_bytes(&buf, b->out[i].script.data, b->out[i].script.len);
    }
    if (witness) {
        write_witnesses(b, &buf);
    }
    fx_buf_u32(&buf, b->lock_time);
    tx = fx_tx_parse(buf.data, buf.len);
    fx_buf_clear(&buf);
    return tx;
}
