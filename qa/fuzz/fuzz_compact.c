/*
 * The messages of compact blocks: what parses is written as the same bytes, where we write such a
 * message; and whatever parses is put together as far as it goes. The first byte of the input says
 * which: its lowest bits the message, its highest the network, with lanes or without.
 */
#include "qa/fuzz/fuzz.h"

#include <string.h>

#include "src/net/compact_int.h"

static const uint64_t map_key[2] = {3, 4};

static void check_same(struct fx_buf *buf, const uint8_t *data, size_t length)
{
    FX_FUZZ_CHECK(buf->len == length && memcmp(buf->data, data, length) == 0);
    fx_buf_clear(buf);
}

/* Its own transactions fill it, whatever they are: only the merkle root can be wrong. */
static void fill(const struct fx_params *params, const struct fx_compact *m,
                 struct fx_partial *partial)
{
    struct fx_block *block = NULL;
    uint32_t *missing = NULL;
    size_t n = fx_partial_missing(partial, &missing);
    struct fx_tx **txs = calloc(n + 1, sizeof *txs);

    for (size_t i = 0; i < n; i++) {
        FX_FUZZ_CHECK(missing[i] < m->n_short + m->n_prefilled);
        FX_FUZZ_CHECK(i == 0 || missing[i] > missing[i - 1]);
        txs[i] = m->n_prefilled > 0 ? m->prefilled[0].tx : NULL;
    }
    FX_FUZZ_CHECK(fx_partial_fill(partial, params, txs, n + 1, &block) == FX_PARTIAL_INVALID);
    if (m->n_prefilled > 0 && fx_partial_fill(partial, params, txs, n, &block) == FX_PARTIAL_OK) {
        FX_FUZZ_CHECK(fx_hash_equal(&block->id, &m->id));
        fx_block_unref(block);
    }
    free(txs);
    free(missing);
}

static void cmpctblock(const struct fx_params *params, struct fx_reader *r, const uint8_t *data,
                       size_t length)
{
    struct fx_compact m;
    struct fx_partial *partial = NULL;

    if (!fx_compact_read(params, r, &m)) {
        return;
    }
    FX_FUZZ_CHECK(m.n_short + m.n_prefilled <= FX_COMPACT_TXS_MAX);
    if (fx_partial_create(&m, map_key, &partial) == FX_PARTIAL_OK) {
        for (size_t i = 0; i < m.n_prefilled; i++) {
            fx_partial_offer(partial, m.prefilled[i].tx);
        }
        fill(params, &m, partial);
        fx_partial_destroy(partial);
    }
    if (m.n_short == 0 && m.n_prefilled == 1 && m.prefilled[0].index == 0) {
        struct fx_block *block =
            fx_block_make(params, &m.header, m.work, (struct fx_tx *[]){m.prefilled[0].tx}, 1);
        struct fx_buf buf = FX_BUF_INIT;

        if (block != NULL) {
            fx_compact_write(block, m.nonce, &buf);
            check_same(&buf, data, length);
            fx_block_unref(block);
        }
    }
    fx_compact_clear(&m);
}

static void getblocktxn(struct fx_reader *r, const uint8_t *data, size_t length)
{
    struct fx_hash id;
    struct fx_buf buf = FX_BUF_INIT;
    uint32_t *indexes = NULL;
    size_t n = 0;

    if (fx_msg_getblocktxn_read(r, &id, &indexes, &n)) {
        fx_msg_getblocktxn_write(&id, indexes, n, &buf);
        check_same(&buf, data, length);
        free(indexes);
    }
}

static void blocktxn(struct fx_reader *r)
{
    struct fx_tx **txs = NULL;
    size_t n = 0;

    fx_read_hash(r);
    if (!r->bad && fx_msg_blocktxn_read(r, &txs, &n)) {
        FX_FUZZ_CHECK(n <= FX_COMPACT_TXS_MAX);
        fx_txs_free(txs, n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    const struct fx_params *params;
    struct fx_reader r;

    if (length == 0) {
        return 0;
    }
    params = fx_params_get(data[0] >= 128 ? FX_REGTEST : FX_BTCREGTEST);
    fx_reader_init(&r, data + 1, length - 1);
    switch (data[0] % 3) {
    case 0:
        cmpctblock(params, &r, data + 1, length - 1);
        break;
    case 1:
        getblocktxn(&r, data + 1, length - 1);
        break;
    case 2:
        blocktxn(&r);
        break;
    }
    return 0;
}
