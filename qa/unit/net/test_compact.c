/* Compact blocks: short ids, the messages, putting together, and what cannot be. */
#include "src/net/compact_int.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/net/fakes.h"

#define TXS 5

static const uint64_t map_key[2] = {1, 2};

/* A block of a coinbase and TXS others. */
struct sample {
    struct fx_chain *chain;
    struct fx_tx *txs[TXS];
    struct fx_block *block;
    struct fx_buf message; /* cmpctblock */
    struct fx_compact compact;
};

static bool read_compact(struct fx_span bytes, struct fx_compact *m)
{
    struct fx_reader r;

    fx_reader_init(&r, bytes.data, bytes.len);
    return fx_compact_read(fx_params_get(FX_REGTEST), &r, m);
}

static void sample_open(struct sample *s)
{
    s->chain = fake_chain_create();
    for (uint32_t i = 0; i < TXS; i++) {
        struct fx_hash from = fake_hash(i);

        s->txs[i] = fake_tx(&from, 2, i);
    }
    s->block = fake_block(s->chain->tip, 1, (const struct fx_tx *const *)s->txs, TXS);
    fx_buf_init(&s->message);
    fx_compact_write(s->block, 77, &s->message);
    FX_CHECK(read_compact((struct fx_span){s->message.data, s->message.len}, &s->compact));
}

static void sample_close(struct sample *s)
{
    fx_compact_clear(&s->compact);
    fx_buf_clear(&s->message);
    fx_block_unref(s->block);
    for (size_t i = 0; i < TXS; i++) {
        fx_tx_unref(s->txs[i]);
    }
    fake_chain_destroy(s->chain);
}

/* Computed with the code that Bitcoin Core's own tests use for it. */
FX_TEST(short_ids)
{
    struct fx_block *genesis = fx_genesis_block(fx_params_get(FX_BTCREGTEST));
    struct fx_hash wtxid = {{0}};
    uint64_t keys[2];
    uint8_t id[FX_SHORT_ID_SIZE];

    fx_short_id_keys(&genesis->header, UINT64_C(0x0123456789abcdef), keys);
    FX_CHECK(keys[0] == UINT64_C(0xb826582c1c73c139) && keys[1] == UINT64_C(0x4db6ec947b9657fc));
    fx_short_id(keys, &wtxid, id);
    FX_CHECK_HEX(id, "eb3c8c27d3f7");
    fx_short_id(keys, &genesis->txs[0]->txid, id);
    FX_CHECK_HEX(id, "0e2e6b1ff737");
    fx_block_unref(genesis);
}

FX_TEST(what_is_written_is_read)
{
    struct sample s;

    sample_open(&s);
    FX_CHECK(fx_hash_equal(&s.compact.id, &s.block->id));
    FX_CHECK_INT(s.compact.nonce, 77);
    FX_CHECK_INT(s.compact.work.len, 0);
    FX_CHECK_INT(s.compact.n_short, TXS);
    FX_CHECK_INT(s.compact.n_prefilled, 1);
    FX_CHECK_INT(s.compact.prefilled[0].index, 0);
    FX_CHECK(fx_hash_equal(&s.compact.prefilled[0].tx->wtxid, &s.block->txs[0]->wtxid));
    /* Nothing that is cut, or longer. */
    for (size_t n = 0; n < s.message.len; n++) {
        struct fx_compact m;

        FX_CHECK(!read_compact((struct fx_span){s.message.data, n}, &m));
    }
    fx_buf_u8(&s.message, 0);
    FX_CHECK(
        !read_compact((struct fx_span){s.message.data, s.message.len}, &(struct fx_compact){0}));
    sample_close(&s);
}

static void write_head(const struct sample *s, struct fx_buf *buf)
{
    fx_buf_clear(buf);
    fx_buf_bytes(buf, s->block->raw.data, FX_HEADER_SIZE);
    fx_buf_u64(buf, 77);
}

FX_TEST(counts_and_indexes_are_bounded)
{
    struct sample s;
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_compact m;

    sample_open(&s);
    /* More ids than bytes, or than there can be. */
    write_head(&s, &buf);
    fx_buf_var(&buf, UINT32_MAX);
    FX_CHECK(!read_compact((struct fx_span){buf.data, buf.len}, &m));
    write_head(&s, &buf);
    fx_buf_var(&buf, FX_COMPACT_TXS_MAX + 1);
    memset(fx_buf_extend(&buf, (FX_COMPACT_TXS_MAX + 1) * FX_SHORT_ID_SIZE), 0,
           (FX_COMPACT_TXS_MAX + 1) * FX_SHORT_ID_SIZE);
    fx_buf_var(&buf, 0);
    FX_CHECK(!read_compact((struct fx_span){buf.data, buf.len}, &m));
    /* An index, and a sum of distances, above 16 bits. */
    for (unsigned over = 0; over < 2; over++) {
        write_head(&s, &buf);
        fx_buf_var(&buf, 0);
        fx_buf_var(&buf, 2);
        fx_buf_var(&buf, over == 0 ? 0 : FX_COMPACT_TXS_MAX);
        fx_tx_write(s.txs[0], &buf);
        fx_buf_var(&buf, over == 0 ? UINT64_MAX : 0);
        fx_tx_write(s.txs[1], &buf);
        FX_CHECK(!read_compact((struct fx_span){buf.data, buf.len}, &m));
    }
    fx_buf_clear(&buf);
    sample_close(&s);
}

FX_TEST(put_together_from_what_is_known)
{
    struct sample s;
    struct fx_partial *partial = NULL;
    struct fx_block *block = NULL;
    struct fx_tx *other;
    uint32_t *missing = NULL;
    struct fx_hash from = fake_hash(99);

    sample_open(&s);
    other = fake_tx(&from, 2, 99);
    FX_CHECK_INT(fx_partial_create(&s.compact, map_key, &partial), FX_PARTIAL_OK);
    FX_CHECK(fx_partial_offer(partial, other));
    FX_CHECK(fx_partial_offer(partial, s.txs[4]));
    FX_CHECK(fx_partial_offer(partial, s.txs[4]));
    FX_CHECK(fx_partial_offer(partial, s.txs[1]));
    FX_CHECK_INT(fx_partial_missing(partial, &missing), 3);
    FX_CHECK(missing[0] == 1 && missing[1] == 3 && missing[2] == 4);
    free(missing);
    /* Too few, too many, others. */
    FX_CHECK_INT(fx_partial_fill(partial, s.chain->params, s.txs, 2, &block), FX_PARTIAL_INVALID);
    FX_CHECK_INT(fx_partial_fill(partial, s.chain->params, s.txs, 4, &block), FX_PARTIAL_INVALID);
    FX_CHECK_INT(fx_partial_fill(partial, s.chain->params, s.txs, 3, &block), FX_PARTIAL_FAILED);
    FX_CHECK_INT(fx_partial_fill(partial, s.chain->params,
                                 (struct fx_tx *[]){s.txs[0], s.txs[2], s.txs[3]}, 3, &block),
                 FX_PARTIAL_OK);
    FX_CHECK_INT(block->raw.len, s.block->raw.len);
    FX_CHECK_MEM(block->raw.data, s.block->raw.data, block->raw.len);
    fx_block_unref(block);
    /* All of them: no more are wanted. */
    FX_CHECK(fx_partial_offer(partial, s.txs[0]));
    FX_CHECK(fx_partial_offer(partial, s.txs[2]));
    FX_CHECK(!fx_partial_offer(partial, s.txs[3]));
    FX_CHECK(!fx_partial_offer(partial, other));
    FX_CHECK_INT(fx_partial_fill(partial, s.chain->params, NULL, 0, &block), FX_PARTIAL_OK);
    FX_CHECK(fx_hash_equal(&block->id, &s.block->id));
    fx_block_unref(block);
    fx_partial_destroy(partial);
    fx_tx_unref(other);
    sample_close(&s);
}

FX_TEST(what_came_with_the_message_is_in_its_places)
{
    struct sample s;
    struct fx_prefilled prefilled[3];
    struct fx_compact m;
    struct fx_partial *partial = NULL;
    uint32_t *missing = NULL;

    sample_open(&s);
    m = s.compact;
    m.n_short = 3;
    m.prefilled = prefilled;
    m.n_prefilled = 3;
    prefilled[0] = (struct fx_prefilled){0, s.block->txs[0]};
    prefilled[1] = (struct fx_prefilled){2, s.block->txs[2]};
    prefilled[2] = (struct fx_prefilled){5, s.block->txs[5]};
    FX_CHECK_INT(fx_partial_create(&m, map_key, &partial), FX_PARTIAL_OK);
    FX_CHECK_INT(fx_partial_missing(partial, &missing), 3);
    FX_CHECK(missing[0] == 1 && missing[1] == 3 && missing[2] == 4);
    free(missing);
    fx_partial_destroy(partial);
    /* A gap that no short id fills; no transaction at all. */
    prefilled[2].index = 6;
    FX_CHECK_INT(fx_partial_create(&m, map_key, &partial), FX_PARTIAL_INVALID);
    m.n_short = 0;
    m.n_prefilled = 0;
    FX_CHECK_INT(fx_partial_create(&m, map_key, &partial), FX_PARTIAL_INVALID);
    sample_close(&s);
}

FX_TEST(short_ids_that_collide)
{
    struct sample s;
    struct fx_partial *partial = NULL;

    sample_open(&s);
    /* In the message: which is meant by one cannot be told. */
    memcpy((uint8_t *)(uintptr_t)s.compact.short_ids + FX_SHORT_ID_SIZE, s.compact.short_ids,
           FX_SHORT_ID_SIZE);
    FX_CHECK_INT(fx_partial_create(&s.compact, map_key, &partial), FX_PARTIAL_FAILED);
    sample_close(&s);
}

/* Two transactions whose short ids are the same where header and nonce are zero. */
#define SALT_A 22133892
#define SALT_B 32640156

FX_TEST(transactions_that_collide_are_asked_for)
{
    struct fx_hash from = fake_hash(0);
    struct fx_tx *a = fake_tx(&from, 2, SALT_A);
    struct fx_tx *b = fake_tx(&from, 2, SALT_B);
    struct fx_compact m = {.n_short = 1};
    struct fx_partial *partial = NULL;
    uint64_t keys[2];
    uint8_t ids[2][FX_SHORT_ID_SIZE];
    uint32_t *missing = NULL;

    fx_short_id_keys(&m.header, m.nonce, keys);
    fx_short_id(keys, &a->wtxid, ids[0]);
    fx_short_id(keys, &b->wtxid, ids[1]);
    FX_CHECK_MEM(ids[0], ids[1], FX_SHORT_ID_SIZE);
    m.short_ids = ids[0];
    FX_CHECK_INT(fx_partial_create(&m, map_key, &partial), FX_PARTIAL_OK);
    FX_CHECK(!fx_partial_offer(partial, a));
    FX_CHECK(fx_partial_offer(partial, b));
    FX_CHECK(fx_partial_offer(partial, a));
    FX_CHECK_INT(fx_partial_missing(partial, &missing), 1);
    free(missing);
    fx_partial_destroy(partial);
    fx_tx_unref(a);
    fx_tx_unref(b);
}

FX_TEST(getblocktxn)
{
    static const uint32_t indexes[] = {0, 1, 7, 300, FX_COMPACT_TXS_MAX};
    struct fx_hash id = fake_hash(1);
    struct fx_hash read_id;
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_reader r;
    uint32_t *list = NULL;
    size_t n = 0;

    fx_msg_getblocktxn_write(&id, indexes, 5, &buf);
    fx_reader_init(&r, buf.data, buf.len);
    FX_CHECK(fx_msg_getblocktxn_read(&r, &read_id, &list, &n));
    FX_CHECK(n == 5 && fx_hash_equal(&id, &read_id));
    FX_CHECK_MEM(list, indexes, sizeof indexes);
    free(list);
    for (size_t cut = 0; cut < buf.len; cut++) {
        fx_reader_init(&r, buf.data, cut);
        FX_CHECK(!fx_msg_getblocktxn_read(&r, &read_id, &list, &n));
    }
    /* One more is one too far. */
    buf.data[32] = 6;
    fx_buf_u8(&buf, 0);
    fx_reader_init(&r, buf.data, buf.len);
    FX_CHECK(!fx_msg_getblocktxn_read(&r, &read_id, &list, &n));
    fx_buf_clear(&buf);
}

FX_TEST(blocktxn)
{
    static const uint32_t indexes[] = {0, 2, 5};
    struct sample s;
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_reader r;
    struct fx_tx **txs = NULL;
    size_t n = 0;

    sample_open(&s);
    fx_msg_blocktxn_write(s.block, indexes, 3, &buf);
    FX_CHECK_MEM(buf.data, s.block->id.b, 32);
    fx_reader_init(&r, buf.data + 32, buf.len - 32);
    FX_CHECK(fx_msg_blocktxn_read(&r, &txs, &n));
    FX_CHECK_INT(n, 3);
    for (size_t i = 0; i < n; i++) {
        FX_CHECK(fx_hash_equal(&txs[i]->wtxid, &s.block->txs[indexes[i]]->wtxid));
    }
    fx_txs_free(txs, n);
    for (size_t cut = 32; cut < buf.len; cut++) {
        fx_reader_init(&r, buf.data + 32, cut - 32);
        FX_CHECK(!fx_msg_blocktxn_read(&r, &txs, &n));
    }
    fx_buf_clear(&buf);
    sample_close(&s);
}
