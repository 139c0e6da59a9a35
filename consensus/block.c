/* Blocks: reading, writing, putting together. */
#include "consensus/block.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/work_proof.h"
#include "src/crypto/sha256.h"
#include "src/util/mem.h"

#define TX_MIN 10 /* bytes of the shortest transaction that parses */

/* What a block owns besides its references to transactions. */
struct arena {
    struct fx_block block;
    struct fx_buf raw;
    struct fx_work_proof *work;
    struct fx_tx **txs;
    size_t n_txs; /* references held */
};

static struct arena *arena_create(void)
{
    struct arena *a = (struct arena *)fx_xcalloc(1, sizeof *a);

    a->block.arena = a;
    a->block.refs = 1;
    fx_buf_init(&a->raw);
    return a;
}

static void arena_destroy(struct arena *a)
{
    for (size_t i = 0; i < a->n_txs; i++) {
        fx_tx_unref(a->txs[i]);
    }
    free(a->txs);
    if (a->work != NULL) {
        fx_work_proof_destroy(a->work);
    }
    fx_buf_clear(&a->raw);
    free(a);
}

/* Bitcoin's weight, and the work proof at 1 unit a byte. */
static size_t weigh(const struct arena *a)
{
    size_t weight = (FX_HEADER_SIZE + fx_var_size(a->n_txs)) * FX_WITNESS_SCALE;

    for (size_t i = 0; i < a->n_txs; i++) {
        weight += fx_tx_weight(a->txs[i]);
    }
    return weight + (a->work != NULL ? a->work->size : 0);
}

static struct fx_block *seal(struct arena *a)
{
    struct fx_block *block = &a->block;

    fx_header_id(&block->header, &block->id);
    block->work = a->work;
    block->txs = a->txs;
    block->n_txs = a->n_txs;
    block->raw.data = a->raw.data;
    block->raw.len = a->raw.len;
    block->weight = weigh(a);
    return block;
}

static enum fx_verdict parse(const struct fx_params *params, struct arena *a)
{
    struct fx_reader r;
    uint64_t n;

    if (a->raw.len < FX_HEADER_SIZE) {
        return FX_BLOCK_DECODE;
    }
    fx_reader_init(&r, a->raw.data, a->raw.len);
    fx_header_read(fx_read_bytes(&r, FX_HEADER_SIZE), &a->block.header);
    if (fx_lane_of(params, &a->block.header) == FX_LANE_JOB) {
        a->work = fx_work_proof_read(params, &r);
        if (a->work == NULL) {
            return FX_BAD_WORK_PARSE;
        }
    }
    n = fx_read_count(&r, FX_PARSE_MAX, TX_MIN);
    a->txs = (struct fx_tx **)fx_xcalloc((size_t)n + 1, sizeof *a->txs);
    for (; a->n_txs < n && !r.bad; a->n_txs++) {
        a->txs[a->n_txs] = fx_tx_read(&r);
    }
    return fx_reader_done(&r) ? FX_OK : FX_BLOCK_DECODE;
}

struct fx_block *fx_block_parse(const struct fx_params *params, const void *data, size_t n,
                                enum fx_verdict *why)
{
    struct arena *a;

    if (n > FX_PARSE_MAX) {
        *why = FX_BLOCK_DECODE;
        return NULL;
    }
    a = arena_create();
    fx_buf_bytes(&a->raw, data, n);
    *why = parse(params, a);
    if (*why != FX_OK) {
        arena_destroy(a);
        return NULL;
    }
    return seal(a);
}

struct fx_block *fx_block_ref(const struct fx_block *block)
{
    struct arena *a = (struct arena *)block->arena;

    a->block.refs++;
    return &a->block;
}

void fx_block_unref(const struct fx_block *block)
{
    struct arena *a;

    if (block == NULL) {
        return;
    }
    a = (struct arena *)block->arena;
    if (--a->block.refs == 0) {
        arena_destroy(a);
    }
}

/* The proof must be all of the bytes, and is read from the block's own copy of them. */
static bool read_work(const struct fx_params *params, struct arena *a, size_t size)
{
    struct fx_reader r;

    if (fx_lane_of(params, &a->block.header) != FX_LANE_JOB) {
        return size == 0;
    }
    fx_reader_init(&r, a->raw.data + FX_HEADER_SIZE, size);
    a->work = fx_work_proof_read(params, &r);
    return a->work != NULL && fx_reader_done(&r);
}

struct fx_block *fx_block_make(const struct fx_params *params, const struct fx_header *header,
                               struct fx_span work_proof, struct fx_tx *const *txs, size_t n_txs)
{
    struct arena *a = arena_create();

    a->block.header = *header;
    fx_header_write(header, fx_buf_extend(&a->raw, FX_HEADER_SIZE));
    fx_buf_bytes(&a->raw, work_proof.data, work_proof.len);
    fx_buf_var(&a->raw, n_txs);
    a->txs = (struct fx_tx **)fx_xcalloc(n_txs + 1, sizeof *a->txs);
    for (; a->n_txs < n_txs; a->n_txs++) {
        a->txs[a->n_txs] = fx_tx_ref(txs[a->n_txs]);
        fx_tx_write(txs[a->n_txs], &a->raw);
    }
    if (a->raw.len > FX_BLOCK_SIZE_MAX || !read_work(params, a, work_proof.len)) {
        arena_destroy(a);
        return NULL;
    }
    return seal(a);
}
