/* Compact blocks (BIP152): the messages, short ids, reconstruction. */
#include "src/net/compact_int.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/work.h"
#include "src/crypto/sha256.h"
#include "src/crypto/siphash.h"
#include "src/util/map.h"
#include "src/util/mem.h"

#define TX_MIN 10 /* bytes of the shortest transaction that parses */

/* ---- short ids ------------------------------------------------------------------------------- */

void fx_short_id_keys(const struct fx_header *header, uint64_t nonce, uint64_t keys[2])
{
    uint8_t bytes[FX_HEADER_SIZE + 8];
    uint8_t hash[32];

    fx_header_write(header, bytes);
    fx_store_u64(bytes + FX_HEADER_SIZE, nonce);
    fx_sha256(bytes, sizeof bytes, hash);
    keys[0] = fx_load_u64(hash);
    keys[1] = fx_load_u64(hash + 8);
}

void fx_short_id(const uint64_t keys[2], const struct fx_hash *wtxid, uint8_t id[FX_SHORT_ID_SIZE])
{
    uint8_t bytes[8];

    fx_store_u64(bytes, fx_siphash(keys[0], keys[1], wtxid->b, sizeof wtxid->b));
    memcpy(id, bytes, FX_SHORT_ID_SIZE);
}

/* ---- messages -------------------------------------------------------------------------------- */

/* Indexes that ascend are written as the distance from the one before. */
static uint32_t read_index(struct fx_reader *r, uint32_t next)
{
    uint64_t distance = fx_read_var(r);

    if (distance > FX_COMPACT_TXS_MAX || next + distance > FX_COMPACT_TXS_MAX) {
        r->bad = true;
        return 0;
    }
    return next + (uint32_t)distance;
}

void fx_compact_write(const struct fx_block *block, uint64_t nonce, struct fx_buf *buf)
{
    size_t work = block->work == NULL ? 0 : block->work->size;
    uint64_t keys[2];

    fx_short_id_keys(&block->header, nonce, keys);
    fx_buf_bytes(buf, block->raw.data, FX_HEADER_SIZE + work);
    fx_buf_u64(buf, nonce);
    fx_buf_var(buf, block->n_txs - 1);
    for (size_t i = 1; i < block->n_txs; i++) {
        fx_short_id(keys, &block->txs[i]->wtxid, fx_buf_extend(buf, FX_SHORT_ID_SIZE));
    }
    fx_buf_var(buf, 1);
    fx_buf_var(buf, 0);
    fx_tx_write(block->txs[0], buf);
}

static bool read_work(const struct fx_params *params, struct fx_reader *r, struct fx_compact *m)
{
    struct fx_work_proof *proof;

    m->work.data = r->p;
    if (fx_lane_of(params, &m->header) != FX_LANE_JOB) {
        return true;
    }
    proof = fx_work_proof_read(params, r);
    if (proof == NULL) {
        return false;
    }
    m->work.len = proof->size;
    fx_work_proof_destroy(proof);
    return true;
}

static void read_prefilled(struct fx_reader *r, struct fx_compact *m)
{
    size_t n = (size_t)fx_read_count(r, FX_COMPACT_TXS_MAX - m->n_short, 1 + TX_MIN);
    uint32_t next = 0;

    if (r->bad) {
        return;
    }
    m->prefilled = fx_xcalloc(n + 1, sizeof *m->prefilled);
    while (m->n_prefilled < n) {
        uint32_t index = read_index(r, next);
        struct fx_tx *tx = r->bad ? NULL : fx_tx_read(r);

        if (tx == NULL) {
            r->bad = true;
            return;
        }
        m->prefilled[m->n_prefilled++] = (struct fx_prefilled){index, tx};
        next = index + 1;
    }
}

bool fx_compact_read(const struct fx_params *params, struct fx_reader *r, struct fx_compact *m)
{
    const uint8_t *header = fx_read_bytes(r, FX_HEADER_SIZE);

    memset(m, 0, sizeof *m);
    if (header == NULL) {
        return false;
    }
    fx_header_read(header, &m->header);
    fx_header_id(&m->header, &m->id);
    if (!read_work(params, r, m)) {
        return false;
    }
    m->nonce = fx_read_u64(r);
    m->n_short = (size_t)fx_read_count(r, FX_COMPACT_TXS_MAX, FX_SHORT_ID_SIZE);
    m->short_ids = fx_read_bytes(r, m->n_short * FX_SHORT_ID_SIZE);
    read_prefilled(r, m);
    if (!fx_reader_done(r)) {
        fx_compact_clear(m);
        return false;
    }
    return true;
}

void fx_compact_clear(struct fx_compact *m)
{
    for (size_t i = 0; i < m->n_prefilled; i++) {
        fx_tx_unref(m->prefilled[i].tx);
    }
    free(m->prefilled);
    m->prefilled = NULL;
    m->n_prefilled = 0;
}

void fx_msg_getblocktxn_write(const struct fx_hash *id, const uint32_t *indexes, size_t n,
                              struct fx_buf *buf)
{
    uint32_t next = 0;

    fx_buf_hash(buf, id);
    fx_buf_var(buf, n);
    for (size_t i = 0; i < n; i++) {
        fx_buf_var(buf, indexes[i] - next);
        next = indexes[i] + 1;
    }
}

bool fx_msg_getblocktxn_read(struct fx_reader *r, struct fx_hash *id, uint32_t **indexes, size_t *n)
{
    uint32_t *list;
    uint32_t next = 0;

    *id = fx_read_hash(r);
    *n = (size_t)fx_read_count(r, FX_COMPACT_TXS_MAX, 1);
    if (r->bad) {
        return false;
    }
    list = fx_xcalloc(*n + 1, sizeof *list);
    for (size_t i = 0; i < *n && !r->bad; i++) {
        list[i] = read_index(r, next);
        next = list[i] + 1;
    }
    if (!fx_reader_done(r)) {
        free(list);
        return false;
    }
    *indexes = list;
    return true;
}

void fx_msg_blocktxn_write(const struct fx_block *block, const uint32_t *indexes, size_t n,
                           struct fx_buf *buf)
{
    fx_buf_hash(buf, &block->id);
    fx_buf_var(buf, n);
    for (size_t i = 0; i < n; i++) {
        fx_tx_write(block->txs[indexes[i]], buf);
    }
}

bool fx_msg_blocktxn_read(struct fx_reader *r, struct fx_tx ***txs, size_t *n)
{
    size_t count = (size_t)fx_read_count(r, FX_COMPACT_TXS_MAX, TX_MIN);
    struct fx_tx **list;

    if (r->bad) {
        return false;
    }
    list = fx_xcalloc(count + 1, sizeof *list);
    for (*n = 0; *n < count; (*n)++) {
        list[*n] = fx_tx_read(r);
        if (list[*n] == NULL) {
            r->bad = true;
            break;
        }
    }
    if (!fx_reader_done(r)) {
        fx_txs_free(list, *n);
        return false;
    }
    *txs = list;
    return true;
}

void fx_txs_free(struct fx_tx **txs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fx_tx_unref(txs[i]);
    }
    free(txs);
}

/* ---- a block of which not all is here -------------------------------------------------------- */

struct slot {
    struct fx_tx *tx; /* NULL: not known */
    bool ambiguous;   /* two transactions have its short id */
};

struct fx_partial {
    struct fx_header header;
    struct fx_buf work;
    uint64_t keys[2];
    struct slot *slots; /* one a transaction */
    size_t n;
    size_t n_unknown;
    struct fx_map *wanted; /* short id -> its slot */
};

static bool set_prefilled(struct fx_partial *partial, const struct fx_compact *m)
{
    for (size_t i = 0; i < m->n_prefilled; i++) {
        uint32_t index = m->prefilled[i].index;

        /* One that leaves a gap which no short id fills. */
        if (index > m->n_short + i) {
            return false;
        }
        partial->slots[index].tx = fx_tx_ref(m->prefilled[i].tx);
    }
    return true;
}

/* False: two of them are the same. */
static bool set_wanted(struct fx_partial *partial, const struct fx_compact *m)
{
    size_t at = 0;

    for (size_t i = 0; i < m->n_short; i++, at++) {
        while (partial->slots[at].tx != NULL) {
            at++;
        }
        if (fx_map_put(partial->wanted, m->short_ids + i * FX_SHORT_ID_SIZE, &partial->slots[at]) !=
            NULL) {
            return false;
        }
    }
    return true;
}

enum fx_partial_result fx_partial_create(const struct fx_compact *m, const uint64_t map_key[2],
                                         struct fx_partial **out)
{
    size_t n = m->n_short + m->n_prefilled;
    enum fx_partial_result result = FX_PARTIAL_OK;
    struct fx_partial *partial;

    if (n == 0) {
        return FX_PARTIAL_INVALID;
    }
    partial = fx_xcalloc(1, sizeof *partial);
    partial->header = m->header;
    fx_buf_bytes(&partial->work, m->work.data, m->work.len);
    fx_short_id_keys(&m->header, m->nonce, partial->keys);
    partial->slots = fx_xcalloc(n, sizeof *partial->slots);
    partial->n = n;
    partial->n_unknown = m->n_short;
    partial->wanted = fx_map_create(FX_SHORT_ID_SIZE, map_key[0], map_key[1]);
    if (!set_prefilled(partial, m)) {
        result = FX_PARTIAL_INVALID;
    } else if (!set_wanted(partial, m)) {
        result = FX_PARTIAL_FAILED;
    }
    if (result != FX_PARTIAL_OK) {
        fx_partial_destroy(partial);
        return result;
    }
    *out = partial;
    return FX_PARTIAL_OK;
}

void fx_partial_destroy(struct fx_partial *partial)
{
    if (partial == NULL) {
        return;
    }
    for (size_t i = 0; i < partial->n; i++) {
        fx_tx_unref(partial->slots[i].tx);
    }
    free(partial->slots);
    fx_map_destroy(partial->wanted, NULL);
    fx_buf_clear(&partial->work);
    free(partial);
}

bool fx_partial_offer(struct fx_partial *partial, const struct fx_tx *tx)
{
    uint8_t id[FX_SHORT_ID_SIZE];
    struct slot *slot;

    fx_short_id(partial->keys, &tx->wtxid, id);
    slot = fx_map_get(partial->wanted, id);
    if (slot == NULL || slot->ambiguous) {
        return partial->n_unknown > 0;
    }
    if (slot->tx == NULL) {
        slot->tx = fx_tx_ref(tx);
        partial->n_unknown--;
    } else if (!fx_hash_equal(&slot->tx->wtxid, &tx->wtxid)) {
        fx_tx_unref(slot->tx);
        slot->tx = NULL;
        slot->ambiguous = true;
        partial->n_unknown++;
    }
    return partial->n_unknown > 0;
}

size_t fx_partial_missing(const struct fx_partial *partial, uint32_t **indexes)
{
    size_t n = 0;

    *indexes = fx_xcalloc(partial->n_unknown + 1, sizeof **indexes);
    for (size_t i = 0; i < partial->n; i++) {
        if (partial->slots[i].tx == NULL) {
            (*indexes)[n++] = (uint32_t)i;
        }
    }
    return n;
}

enum fx_partial_result fx_partial_fill(const struct fx_partial *partial,
                                       const struct fx_params *params, struct fx_tx *const *txs,
                                       size_t n, struct fx_block **out)
{
    struct fx_span work = {partial->work.data, partial->work.len};
    struct fx_tx **all;
    struct fx_block *block;
    struct fx_hash root;
    bool mutated = false;
    size_t used = 0;

    if (n != partial->n_unknown) {
        return FX_PARTIAL_INVALID;
    }
    all = fx_xcalloc(partial->n, sizeof *all);
    for (size_t i = 0; i < partial->n; i++) {
        struct fx_tx *tx = partial->slots[i].tx;

        all[i] = tx == NULL ? txs[used++] : tx;
    }
    block = fx_block_make(params, &partial->header, work, all, partial->n);
    free(all);
    if (block == NULL) {
        return FX_PARTIAL_FAILED;
    }
    fx_block_merkle_root(block, &root, &mutated);
    if (mutated || !fx_hash_equal(&root, &block->header.merkle_root)) {
        fx_block_unref(block);
        return FX_PARTIAL_FAILED;
    }
    *out = block;
    return FX_PARTIAL_OK;
}
