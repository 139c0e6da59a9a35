/* The fakes: three blocks, one upload, one job. */
#include "qa/unit/rpc/fakes.h"

#include <string.h>

#include "qa/unit/harness.h"

struct fx_fakes fx_fakes;

void fx_fakes_reset(void)
{
    const struct fx_params *params = fx_params_get(FX_REGTEST);
    memset(&fx_fakes, 0, sizeof(fx_fakes));
    for (unsigned i = 0; i < FX_FAKE_BLOCKS; i++) {
        struct fx_index *b = &fx_fakes.blocks[i];
        b->height = i;
        b->parent = i > 0 ? &fx_fakes.blocks[i - 1] : NULL;
        b->header.nbits = params->limit_nbits[0];
        b->header.time = params->genesis_time + i;
        b->median_time = params->genesis_time + i / 2;
        b->work = fx_u256_from_u64(2 * (i + 1));
        b->status = FX_INDEX_PROVEN | FX_INDEX_CONNECTED | FX_INDEX_HAVE_DATA;
        b->size = 100;
        b->id = params->genesis_id;
        b->id.b[0] ^= (uint8_t)i;
    }
}

const struct fx_index *fx_chain_tip(const struct fx_chain *chain)
{
    (void)chain;
    return &fx_fakes.blocks[FX_FAKE_BLOCKS - 1];
}

const struct fx_index *fx_chain_best_header(const struct fx_chain *chain)
{
    return fx_chain_tip(chain);
}

const struct fx_index *fx_chain_lane_tip(const struct fx_chain *chain, unsigned lane)
{
    return lane == FX_LANE_HASH ? fx_chain_tip(chain) : NULL;
}

const struct fx_index *fx_chain_at(const struct fx_chain *chain, uint32_t height)
{
    (void)chain;
    return height < FX_FAKE_BLOCKS ? &fx_fakes.blocks[height] : NULL;
}

const struct fx_index *fx_index_ancestor(const struct fx_index *index, uint32_t height)
{
    while (index && index->height > height) {
        index = index->parent;
    }
    return index;
}

const struct fx_index *fx_chain_find(const struct fx_chain *chain, const struct fx_hash *id)
{
    (void)chain;
    for (unsigned i = 0; i < FX_FAKE_BLOCKS; i++) {
        if (fx_hash_equal(&fx_fakes.blocks[i].id, id)) {
            return &fx_fakes.blocks[i];
        }
    }
    return NULL;
}

bool fx_chain_contains(const struct fx_chain *chain, const struct fx_index *index)
{
    (void)chain;
    return index >= fx_fakes.blocks && index < fx_fakes.blocks + FX_FAKE_BLOCKS;
}

void fx_chain_targets(const struct fx_chain *chain, const struct fx_index *parent,
                      uint32_t nbits[FX_LANES])
{
    (void)chain;
    (void)parent;
    memcpy(nbits, fx_params_get(FX_REGTEST)->limit_nbits, FX_LANES * sizeof(*nbits));
}

bool fx_chain_is_initial_download(const struct fx_chain *chain)
{
    (void)chain;
    return false;
}

const char *fx_chain_fatal(const struct fx_chain *chain)
{
    (void)chain;
    return NULL;
}

/* ---- uploads -----------------------------------------------------------------------------------
 */

enum fx_upload fx_upload_open(struct fx_blobs *blobs, const char *id, enum fx_blob_type type,
                              const struct fx_blob_shape *shape, uint64_t *received)
{
    (void)blobs;
    (void)id;
    if (shape->rows % 128 != 0) {
        return FX_UPLOAD_SHAPE;
    }
    fx_fakes.total = type == FX_BLOB_OPERAND ? (uint64_t)shape->rows * shape->cols
                                             : (uint64_t)shape->rows * shape->cols * FX_TILE_BYTES;
    *received = fx_fakes.received;
    return FX_UPLOAD_OK;
}

enum fx_upload fx_upload_write(struct fx_blobs *blobs, const char *id, uint64_t offset,
                               struct fx_span data, uint64_t *received)
{
    (void)blobs;
    (void)id;
    FX_CHECK_INT(offset, fx_fakes.received);
    if (fx_fakes.full) {
        *received = fx_fakes.received;
        return FX_UPLOAD_FULL;
    }
    fx_fakes.received += data.len;
    *received = fx_fakes.received;
    return FX_UPLOAD_OK;
}

enum fx_upload fx_upload_finish(struct fx_blobs *blobs, const char *id, struct fx_hash *root)
{
    (void)blobs;
    (void)id;
    memset(root->b, 0x22, 32);
    return fx_fakes.received == fx_fakes.total ? FX_UPLOAD_OK : FX_UPLOAD_OFFSET;
}

bool fx_blobs_info(struct fx_blobs *blobs, const struct fx_blob_key *key,
                   struct fx_blob_shape *shape, uint64_t *chunks, uint64_t *have)
{
    (void)blobs;
    *shape = (struct fx_blob_shape){.rows = 256, .cols = 512};
    *chunks = 4;
    *have = 3;
    return key->root.b[0] == 0x22;
}

bool fx_blobs_each(struct fx_blobs *blobs, bool (*visit)(void *ctx, const struct fx_blob_key *key),
                   void *ctx)
{
    (void)blobs;
    (void)visit;
    (void)ctx;
    return true;
}

bool fx_blobs_get(struct fx_blobs *blobs, const struct fx_blob_key *key, uint32_t x, uint32_t y,
                  uint8_t *data, size_t *n, uint8_t *path, size_t *n_path)
{
    (void)blobs;
    (void)key;
    (void)path;
    *n = FX_BLOCK_BYTES;
    *n_path = 0;
    memset(data, (int)(10 * x + y), *n);
    return x < 2 && y < 2 && !(x == 1 && y == 1);
}

/* ---- the job ------------------------------------------------------------------------------------
 */

bool fx_jobs_product(struct fx_jobs *jobs, const struct fx_hash *job, size_t number,
                     struct fx_job_product *product)
{
    (void)jobs;
    memset(product, 0, sizeof(*product));
    product->rows = fx_fakes.rows;
    product->columns = fx_fakes.columns;
    product->scale_a = product->scale_b = 1;
    return job->b[0] == 0x11 && number == 0;
}

bool fx_jobs_get(struct fx_jobs *jobs, const struct fx_hash *job, struct fx_job_info *info)
{
    memset(info, 0, sizeof(*info));
    info->status = FX_JOB_OPEN;
    info->n_products = 1;
    info->n_tasks = 4;
    info->n_settled = 3;
    info->result_here = fx_fakes.result_here;
    return fx_jobs_product(jobs, job, 0, &info->product);
}

size_t fx_jobs_missing(struct fx_jobs *jobs, const struct fx_hash *job, size_t product,
                       struct fx_job_rect **rects)
{
    (void)jobs;
    (void)job;
    (void)product;
    *rects = NULL;
    return fx_fakes.result_here ? 0 : 1;
}

bool fx_jobs_result_rows(struct fx_jobs *jobs, const struct fx_hash *job, size_t product,
                         uint32_t row0, uint32_t count, bool partial, int64_t *out,
                         struct fx_jobs_error *error)
{
    (void)jobs;
    (void)job;
    (void)product;
    (void)partial;
    (void)error;
    for (uint32_t i = 0; i < count * fx_fakes.columns; i++) {
        out[i] = (int64_t)row0 * fx_fakes.columns + i;
    }
    fx_fakes.rows_read += count;
    return true;
}

/* ---- a server for direct calls ------------------------------------------------------------------
 */

void fx_fake_rpc_init(struct fx_rpc *rpc)
{
    char error[FX_RPC_CREATE_ERROR];
    fx_fakes_reset();
    memset(rpc, 0, sizeof(*rpc));
    rpc->config.params = fx_params_get(FX_REGTEST);
    rpc->config.wallets = (struct fx_wallets *)&fx_fakes; /* topics of wallets and jobs are there */
    rpc->config.jobs = (struct fx_jobs *)&fx_fakes;
    if (!fx_rpc_table_make(rpc, error)) {
        FX_FAIL("%s", error);
    }
}

void fx_fake_rpc_clear(struct fx_rpc *rpc)
{
    fx_rpc_table_clear(rpc);
}

/* ---- coins ----------------------------------------------------------------------------------- */

struct fx_coin_walk *fx_coin_walk_create(struct fx_chain *chain)
{
    (void)chain;
    return (struct fx_coin_walk *)&fx_fakes; /* there is one */
}

enum fx_coin_step fx_coin_walk_next(struct fx_coin_walk *walk, struct fx_outpoint *outpoint,
                                    struct fx_coin *coin)
{
    static const uint8_t anyone[] = {0x51};
    const struct fx_txout out = {.value = 5, .script = {anyone, sizeof(anyone)}};
    (void)walk;
    if (fx_fakes.coins == 0) {
        return fx_fakes.coins_fail ? FX_COIN_FAILED : FX_COIN_END;
    }
    fx_fakes.coins--;
    *outpoint = (struct fx_outpoint){.index = 1};
    fx_coin_set(coin, &out, 1, false);
    return FX_COIN_NEXT;
}

void fx_coin_walk_destroy(struct fx_coin_walk *walk)
{
    (void)walk;
}
