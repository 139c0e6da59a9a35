/* The chain, mempool, blobs and jobs of the tests. */
#include "qa/unit/net/fakes.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/crypto/sha256.h"
#include "src/util/map.h"
#include "src/util/mem.h"

/* ---- chain ------------------------------------------------------------------------------------
 */

const struct fx_index *fx_index_ancestor(const struct fx_index *index, uint32_t height)
{
    if (height > index->height) {
        return NULL;
    }
    while (index->height > height) {
        index = index->parent;
    }
    return index;
}

const struct fx_index *fx_index_fork(const struct fx_index *a, const struct fx_index *b)
{
    while (a != b) {
        if (a->height >= b->height) {
            a = a->parent;
        } else {
            b = b->parent;
        }
    }
    return a;
}

const struct fx_params *fx_chain_params(const struct fx_chain *chain)
{
    return chain->params;
}

const struct fx_index *fx_chain_tip(const struct fx_chain *chain)
{
    return chain->tip;
}

const struct fx_index *fx_chain_genesis(const struct fx_chain *chain)
{
    return chain->list[0];
}

const struct fx_index *fx_chain_find(const struct fx_chain *chain, const struct fx_hash *id)
{
    return fx_map_get(chain->by_id, id->b);
}

const struct fx_index *fx_chain_at(const struct fx_chain *chain, uint32_t height)
{
    return fx_index_ancestor(chain->tip, height);
}

bool fx_chain_contains(const struct fx_chain *chain, const struct fx_index *index)
{
    return fx_index_ancestor(chain->tip, index->height) == index;
}

const struct fx_index *fx_chain_best_header(const struct fx_chain *chain)
{
    return chain->best_header;
}

bool fx_chain_is_initial_download(const struct fx_chain *chain)
{
    return chain->initial_download;
}

bool fx_chain_has_min_work(const struct fx_chain *chain)
{
    return !chain->lacks_work;
}

const struct fx_u256 *fx_chain_min_work(const struct fx_chain *chain)
{
    return &chain->min_work;
}

uint64_t fx_chain_prune_target(const struct fx_chain *chain)
{
    (void)chain;
    return FX_PRUNE_OFF;
}

bool fx_chain_is_importing(const struct fx_chain *chain)
{
    (void)chain;
    return false;
}

static struct fx_index *add_index(struct fx_chain *chain, const struct fx_header *header,
                                  struct fx_index *parent)
{
    struct fx_index *index = fx_xcalloc(1, sizeof *index);

    FX_CHECK(chain->n < FAKE_INDEX_MAX);
    index->header = *header;
    fx_header_id(header, &index->id);
    index->parent = parent;
    index->height = parent == NULL ? 0 : parent->height + 1;
    index->lane = fx_header_lane(header);
    index->status = index->lane == FX_LANE_HASH ? FX_INDEX_PROVEN : 0;
    index->work = fx_u256_from_u64(index->height + 1);
    index->hash_work = fx_u256_from_u64((parent == NULL ? 0 : parent->hash_work.w[0]) +
                                        (index->lane == FX_LANE_HASH ? 1 : 0));
    fx_lane_genesis(chain->params, &index->lanes);
    index->file = (uint32_t)chain->n;
    chain->list[chain->n++] = index;
    fx_map_put(chain->by_id, index->id.b, index);
    if (chain->best_header == NULL || fx_u256_cmp(&index->work, &chain->best_header->work) > 0) {
        chain->best_header = index;
    }
    return index;
}

struct fx_chain *fake_chain_create(void)
{
    struct fx_chain *chain = fx_xcalloc(1, sizeof *chain);
    struct fx_block *genesis = NULL;

    chain->params = fx_params_get(FX_REGTEST);
    chain->by_id = fx_map_create(32, 1, 2);
    genesis = fx_genesis_block(chain->params);
    chain->tip = add_index(chain, &genesis->header, NULL);
    chain->tip->status |= FX_INDEX_HAVE_DATA | FX_INDEX_CONNECTED;
    chain->blocks[0] = genesis;
    return chain;
}

void fake_chain_destroy(struct fx_chain *chain)
{
    for (size_t i = 0; i < chain->n; i++) {
        fx_block_unref(chain->blocks[i]);
        free(chain->list[i]);
    }
    fx_map_destroy(chain->by_id, NULL);
    free(chain);
}

struct fx_header fake_header(const struct fx_hash *parent, enum fx_lane lane, uint32_t nonce)
{
    struct fx_header header;

    memset(&header, 0, sizeof header);
    header.version = fx_header_version(lane);
    header.prev = *parent;
    header.time = 1700000000;
    header.nbits = 0x207fffff;
    header.nonce = nonce;
    return header;
}

struct fx_block *fake_block(const struct fx_index *parent, uint32_t nonce,
                            const struct fx_tx *const *txs, size_t n_txs)
{
    struct fx_header header = fake_header(&parent->id, FX_LANE_HASH, nonce);
    struct fx_txb builder;
    struct fx_outpoint null = {.index = UINT32_MAX};
    struct fx_tx *all[FAKE_BLOCK_TXS];
    struct fx_hash ids[FAKE_BLOCK_TXS];
    struct fx_block *block = NULL;
    uint8_t tag[8];

    fx_txb_init(&builder);
    fx_store_u32(tag, parent->height + 1);
    fx_store_u32(tag + 4, nonce);
    fx_txb_add_in(&builder, &null, FX_SEQUENCE_FINAL);
    fx_txb_set_script_sig(&builder, 0, tag, sizeof tag);
    fx_txb_add_out(&builder, 1, "\x51", 1);
    all[0] = fx_txb_build(&builder);
    fx_txb_clear(&builder);
    for (size_t i = 0; i < n_txs; i++) {
        all[i + 1] = (struct fx_tx *)(uintptr_t)txs[i];
    }
    for (size_t i = 0; i <= n_txs; i++) {
        ids[i] = all[i]->txid;
    }
    fx_merkle_root(ids, n_txs + 1, &header.merkle_root, NULL);
    block = fx_block_make(fx_params_get(FX_REGTEST), &header, (struct fx_span){NULL, 0}, all,
                          n_txs + 1);
    fx_tx_unref(all[0]);
    return block;
}

enum fx_result fx_chain_accept_header(struct fx_chain *chain, const struct fx_header *header,
                                      const struct fx_index **index, enum fx_verdict *why)
{
    struct fx_index *parent = fx_map_get(chain->by_id, header->prev.b);
    struct fx_hash id;

    fx_header_id(header, &id);
    *index = fx_map_get(chain->by_id, id.b);
    if (*index != NULL) {
        return FX_VALID;
    }
    if (header->nonce == NONCE_BAD_HEADER) {
        *why = FX_HIGH_HASH;
        return FX_INVALID;
    }
    if (header->nonce == NONCE_TOO_NEW) {
        *why = FX_TIME_TOO_NEW;
        return FX_INVALID;
    }
    *index = add_index(chain, header, parent);
    return FX_VALID;
}

static void raise_connected(struct fx_chain *chain, struct fx_index *index)
{
    for (size_t i = 0; i < chain->n_events; i++) {
        chain->events[i].block_connected(chain->events[i].ctx, index, chain->blocks[index->file],
                                         NULL);
    }
}

static void set_tip(struct fx_chain *chain, struct fx_index *tip)
{
    const struct fx_index *fork = fx_index_fork(chain->tip, tip);
    struct fx_index *path[FAKE_INDEX_MAX];
    size_t n = 0;

    for (struct fx_index *at = chain->tip; at != fork; at = at->parent) {
        for (size_t i = 0; i < chain->n_events; i++) {
            chain->events[i].block_disconnected(chain->events[i].ctx, at, chain->blocks[at->file],
                                                NULL);
        }
    }
    for (struct fx_index *at = tip; at != fork; at = at->parent) {
        path[n++] = at;
    }
    while (n > 0) {
        n--;
        chain->tip = path[n];
        raise_connected(chain, path[n]);
    }
    for (size_t i = 0; i < chain->n_events; i++) {
        chain->events[i].tip_changed(chain->events[i].ctx, tip);
    }
}

static bool has_all_data(const struct fx_index *index)
{
    for (; index != NULL; index = index->parent) {
        if ((index->status & FX_INDEX_HAVE_DATA) == 0) {
            return false;
        }
        if ((index->status & FX_INDEX_CONNECTED) != 0) {
            return true;
        }
    }
    return true;
}

static void activate(struct fx_chain *chain)
{
    struct fx_index *best = chain->tip;

    for (size_t i = 0; i < chain->n; i++) {
        if (fx_u256_cmp(&chain->list[i]->work, &best->work) > 0 && has_all_data(chain->list[i])) {
            best = chain->list[i];
        }
    }
    for (struct fx_index *at = best; at != NULL && (at->status & FX_INDEX_CONNECTED) == 0;
         at = at->parent) {
        at->status |= FX_INDEX_CONNECTED;
    }
    if (best != chain->tip) {
        set_tip(chain, best);
    }
}

enum fx_result fx_chain_accept_block(struct fx_chain *chain, const struct fx_block *block,
                                     bool *fresh, enum fx_verdict *why)
{
    const struct fx_index *found = NULL;
    struct fx_index *index = NULL;

    chain->accepted++;
    if (block->header.nonce == NONCE_BAD_COPY) {
        *why = FX_BAD_WORK_OPEN;
        return FX_INVALID_COPY;
    }
    if (fx_chain_find(chain, &block->header.prev) == NULL) {
        *why = FX_PREV_BLK_NOT_FOUND;
        return FX_INVALID;
    }
    if (fx_chain_accept_header(chain, &block->header, &found, why) != FX_VALID) {
        return FX_INVALID;
    }
    index = fx_map_get(chain->by_id, found->id.b);
    if (block->header.nonce == NONCE_BAD_BLOCK) {
        index->status |= FX_INDEX_FAILED;
        *why = FX_BAD_CB_AMOUNT;
        return FX_INVALID;
    }
    *fresh = (index->status & FX_INDEX_HAVE_DATA) == 0;
    if (*fresh) {
        index->status |= FX_INDEX_HAVE_DATA | FX_INDEX_PROVEN;
        chain->blocks[index->file] = fx_block_ref(block);
    }
    activate(chain);
    return FX_VALID;
}

void fake_chain_mine(struct fx_chain *chain, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct fx_block *block =
            fake_block(chain->tip, (uint32_t)fx_unit_rand_below(1u << 30), NULL, 0);
        enum fx_verdict why = FX_OK;
        bool fresh = false;

        FX_CHECK_INT(fx_chain_accept_block(chain, block, &fresh, &why), FX_VALID);
        fx_block_unref(block);
    }
}

struct fx_block *fx_chain_read_block(struct fx_chain *chain, const struct fx_index *index)
{
    const struct fx_block *block = chain->blocks[index->file];

    return block == NULL ? NULL : fx_block_ref(block);
}

void fx_chain_subscribe(struct fx_chain *chain, const struct fx_chain_events *events)
{
    chain->events[chain->n_events++] = *events;
}

/* ---- mempool ----------------------------------------------------------------------------------
 */

void fx_mempool_info(const struct fx_mempool *pool, struct fx_mempool_info *out)
{
    (void)pool;
    *out = (struct fx_mempool_info){
        .min_fee_rate = 1000, .relay_fee_rate = 1000, .increment_rate = 1000};
}

struct fx_mempool *fake_mempool_create(void)
{
    return fx_xcalloc(1, sizeof(struct fx_mempool));
}

void fake_mempool_destroy(struct fx_mempool *pool)
{
    for (size_t i = 0; i < pool->n; i++) {
        fx_tx_unref(pool->txs[i]);
    }
    free(pool);
}

struct fx_hash fake_hash(uint32_t salt)
{
    struct fx_hash hash;

    fx_sha256(&salt, sizeof salt, hash.b);
    return hash;
}

struct fx_tx *fake_tx(const struct fx_hash *txid, int32_t version, uint32_t salt)
{
    struct fx_txb builder;
    struct fx_outpoint prevout = {.txid = *txid};
    struct fx_tx *tx = NULL;
    uint8_t item[64];

    memset(item, 7, sizeof item);
    fx_txb_init(&builder);
    builder.version = version;
    fx_txb_add_in(&builder, &prevout, FX_SEQUENCE_FINAL);
    fx_txb_add_out(&builder, 1000 + (int64_t)salt, "\x51", 1);
    fx_txb_push_witness(&builder, 0, item, sizeof item);
    tx = fx_txb_build(&builder);
    fx_txb_clear(&builder);
    return tx;
}

const struct fx_tx *fx_mempool_get(const struct fx_mempool *pool, const struct fx_hash *txid)
{
    for (size_t i = 0; i < pool->n; i++) {
        if (fx_hash_equal(&pool->txs[i]->txid, txid)) {
            return pool->txs[i];
        }
    }
    return NULL;
}

const struct fx_tx *fx_mempool_get_wtxid(const struct fx_mempool *pool, const struct fx_hash *wtxid)
{
    for (size_t i = 0; i < pool->n; i++) {
        if (fx_hash_equal(&pool->txs[i]->wtxid, wtxid)) {
            return pool->txs[i];
        }
    }
    return NULL;
}

bool fx_mempool_entry(const struct fx_mempool *pool, const struct fx_hash *txid,
                      struct fx_mempool_entry *entry)
{
    memset(entry, 0, sizeof *entry);
    entry->fee = 1000;
    entry->vsize = 100;
    return fx_mempool_get(pool, txid) != NULL;
}

size_t fx_mempool_list(const struct fx_mempool *pool, struct fx_mempool_entry **entries)
{
    *entries = fx_xcalloc(pool->n + 1, sizeof **entries);
    for (size_t i = 0; i < pool->n; i++) {
        (*entries)[i].tx = pool->txs[i];
    }
    return pool->n;
}

void fx_mempool_each(const struct fx_mempool *pool,
                     bool (*visit)(void *ctx, const struct fx_tx *tx), void *ctx)
{
    for (size_t i = 0; i < pool->n && visit(ctx, pool->txs[i]); i++) {
    }
}

static bool input_exists(const struct fx_mempool *pool, const struct fx_hash *txid)
{
    for (size_t i = 0; i < pool->n_confirmed; i++) {
        if (fx_hash_equal(&pool->confirmed[i], txid)) {
            return true;
        }
    }
    return fx_mempool_get(pool, txid) != NULL;
}

static void refuse(struct fx_accept *out, const char *reason, bool policy, enum fx_refusal refusal)
{
    out->result = FX_INVALID;
    out->policy = policy;
    out->refusal = refusal;
    memcpy(out->reason, reason, strlen(reason) + 1);
}

void fx_mempool_accept(struct fx_mempool *pool, const struct fx_tx *tx, bool test,
                       struct fx_accept *out)
{
    memset(out, 0, sizeof *out);
    pool->offered++;
    if (tx->version == VERSION_POLICY) {
        refuse(out, "version", true, FX_REFUSAL_OTHER);
        return;
    }
    if (tx->version == VERSION_INPUTS) {
        refuse(out, "bad-txns-nonstandard-inputs", true, FX_REFUSAL_INPUTS);
        return;
    }
    if (tx->version == VERSION_SCRIPT) {
        refuse(out, "mandatory-script-verify-flag-failed", false,
               tx->has_witness ? FX_REFUSAL_BROKEN : FX_REFUSAL_STRIPPED);
        return;
    }
    if (tx->version == VERSION_BELOW_OUT) {
        refuse(out, "bad-txns-in-belowout", false, FX_REFUSAL_BROKEN);
        return;
    }
    for (size_t i = 0; i < tx->n_in; i++) {
        if (!input_exists(pool, &tx->in[i].prevout.txid)) {
            refuse(out, "bad-txns-inputs-missingorspent", false, FX_REFUSAL_OTHER);
            out->missing_inputs = true;
            return;
        }
    }
    if (test || fx_mempool_get(pool, &tx->txid) != NULL) {
        return;
    }
    FX_CHECK(pool->n < FAKE_POOL_MAX);
    pool->txs[pool->n++] = fx_tx_ref(tx);
    for (size_t i = 0; i < pool->n_events; i++) {
        pool->events[i].tx_added(pool->events[i].ctx, tx);
    }
}

void fx_mempool_subscribe(struct fx_mempool *pool, const struct fx_mempool_events *events)
{
    pool->events[pool->n_events++] = *events;
}

/* ---- blobs ------------------------------------------------------------------------------------
 */

static struct fake_blob *find_blob(const struct fx_blobs *blobs, const struct fx_blob_key *key)
{
    for (size_t i = 0; i < blobs->n; i++) {
        if (blobs->list[i].key.type == key->type &&
            fx_hash_equal(&blobs->list[i].key.root, &key->root) &&
            fx_hash_equal(&blobs->list[i].key.solver, &key->solver)) {
            return (struct fake_blob *)(uintptr_t)&blobs->list[i];
        }
    }
    return NULL;
}

struct fake_blob *fake_blob_add(struct fx_blobs *blobs, const struct fx_blob_key *key,
                                uint64_t chunks, bool complete)
{
    struct fake_blob *blob = &blobs->list[blobs->n++];

    FX_CHECK(blobs->n <= FAKE_BLOBS_MAX && chunks <= FAKE_CHUNKS_MAX);
    memset(blob, 0, sizeof *blob);
    blob->key = *key;
    blob->chunks = chunks;
    for (uint64_t i = 0; i < chunks; i++) {
        blob->have[i] = complete;
    }
    return blob;
}

uint64_t fake_blob_have(const struct fx_blobs *blobs, const struct fx_blob_key *key)
{
    const struct fake_blob *blob = find_blob(blobs, key);
    uint64_t n = 0;

    for (uint64_t i = 0; blob != NULL && i < blob->chunks; i++) {
        n += blob->have[i] ? 1 : 0;
    }
    return n;
}

void fake_chunk(const struct fx_blob_key *key, uint32_t x, uint32_t y, bool wrong, uint8_t *data)
{
    size_t n = key->type == FX_BLOB_RESULT ? FX_TILE_BYTES : FX_BLOCK_BYTES;

    memset(data, (int)(key->root.b[0] + key->solver.b[0] + x * 3 + y * 7), n);
    fx_store_u32(data, x);
    data[n - 1] ^= wrong ? 1 : 0;
}

enum fx_blob_state fx_blobs_state(struct fx_blobs *blobs, const struct fx_blob_key *key)
{
    const struct fake_blob *blob = find_blob(blobs, key);

    if (blob == NULL) {
        return FX_BLOB_ABSENT;
    }
    return fake_blob_have(blobs, key) == blob->chunks ? FX_BLOB_COMPLETE : FX_BLOB_PARTIAL;
}

bool fx_blobs_expect(struct fx_blobs *blobs, const struct fx_blob_key *key,
                     const struct fx_blob_shape *shape)
{
    uint64_t tiles = (uint64_t)shape->rows * shape->cols;

    if (find_blob(blobs, key) == NULL) {
        fake_blob_add(blobs, key,
                      key->type == FX_BLOB_RESULT ? tiles : tiles / (FX_TILE * FX_DEPTH), false);
    }
    return true;
}

uint64_t fx_blobs_spare(struct fx_blobs *blobs)
{
    return blobs->spare;
}

enum fx_blob_put fx_blobs_put(struct fx_blobs *blobs, const struct fx_blob_key *key, uint32_t x,
                              uint32_t y, struct fx_span data, const uint8_t *path, size_t n_path)
{
    struct fake_blob *blob = find_blob(blobs, key);
    static uint8_t right[FX_BLOB_CHUNK_MAX];

    blobs->puts++;
    if (blob == NULL || x >= blob->chunks || y != 0) {
        return FX_BLOB_PUT_UNASKED;
    }
    if (blobs->disk_full) {
        return FX_BLOB_PUT_FAILED;
    }
    if (blob->have[x]) {
        return FX_BLOB_PUT_KNOWN;
    }
    fake_chunk(key, x, y, false, right);
    if (n_path != 2 || path[0] != 0x33 || memcmp(right, data.data, data.len) != 0) {
        blobs->bad_puts++;
        return blobs->other_shape ? FX_BLOB_PUT_SHAPE : FX_BLOB_PUT_BAD;
    }
    blob->have[x] = true;
    if (fake_blob_have(blobs, key) == blob->chunks && blobs->complete != NULL) {
        blobs->complete(blobs->ctx, key);
    }
    return FX_BLOB_PUT_OK;
}

bool fx_blobs_get(struct fx_blobs *blobs, const struct fx_blob_key *key, uint32_t x, uint32_t y,
                  uint8_t *data, size_t *n, uint8_t *path, size_t *n_path)
{
    const struct fake_blob *blob = find_blob(blobs, key);

    blobs->gets++;
    if (blob == NULL || x >= blob->chunks || y != 0 || !blob->have[x]) {
        return false;
    }
    fake_chunk(key, x, y, false, data);
    *n = key->type == FX_BLOB_RESULT ? FX_TILE_BYTES : FX_BLOCK_BYTES;
    memset(path, 0x33, 64);
    *n_path = 2;
    return true;
}

size_t fx_blobs_missing(struct fx_blobs *blobs, const struct fx_blob_key *key, uint64_t *from,
                        uint32_t (*xy)[2], size_t max)
{
    const struct fake_blob *blob = find_blob(blobs, key);
    size_t n = 0;

    for (; blob != NULL && *from < blob->chunks && n < max; (*from)++) {
        if (!blob->have[*from]) {
            xy[n][0] = (uint32_t)*from;
            xy[n++][1] = 0;
        }
    }
    return n;
}

bool fx_blobs_each(struct fx_blobs *blobs, bool (*visit)(void *ctx, const struct fx_blob_key *key),
                   void *ctx)
{
    for (size_t i = 0; i < blobs->n; i++) {
        if (!visit(ctx, &blobs->list[i].key)) {
            break;
        }
    }
    return true;
}

void fx_blobs_subscribe(struct fx_blobs *blobs,
                        void (*complete)(void *ctx, const struct fx_blob_key *key), void *ctx)
{
    blobs->complete = complete;
    blobs->ctx = ctx;
}

/* ---- jobs -------------------------------------------------------------------------------------
 */

void fake_jobs_name(struct fx_jobs *jobs, const struct fx_blob_key *key)
{
    jobs->named[jobs->n_named++] = *key;
}

size_t fx_jobs_names_root(struct fx_jobs *jobs, const struct fx_blob_key *key,
                          struct fx_blob_shape *shapes, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < jobs->n_named; i++) {
        if (jobs->named[i].type != key->type || !fx_hash_equal(&jobs->named[i].root, &key->root)) {
            continue;
        }
        if (n < max) {
            bool result = key->type == FX_BLOB_RESULT; /* of one chunk */

            shapes[n] = (struct fx_blob_shape){.rows = result ? 1 : FX_TILE,
                                               .cols = result ? 1 : FX_DEPTH,
                                               .solver = jobs->named[i].solver};
        }
        n++;
    }
    return n;
}

struct fake_cert fake_cert(uint32_t salt)
{
    struct fake_cert cert;

    memset(&cert, 0, sizeof cert);
    cert.origin.txid = fake_hash(salt);
    cert.origin.index = 1;
    cert.program = fake_hash(salt + 1000);
    memset(cert.signature, (int)salt, sizeof cert.signature);
    return cert;
}

static bool same_claim(const struct fake_cert *cert, const struct fx_outpoint *origin,
                       const struct fx_hash *program)
{
    return fx_outpoint_equal(&cert->origin, origin) && fx_hash_equal(&cert->program, program);
}

enum fx_cert fx_jobs_cert(struct fx_jobs *jobs, const struct fx_outpoint *origin,
                          const struct fx_hash *program, const uint8_t signature[64])
{
    for (size_t i = 0; i < jobs->n_claimed; i++) {
        if (!same_claim(&jobs->claimed[i], origin, program)) {
            continue;
        }
        if (memcmp(jobs->claimed[i].signature, signature, 64) != 0) {
            return FX_CERT_BAD;
        }
        for (size_t j = 0; j < jobs->n_held; j++) {
            if (same_claim(&jobs->held[j], origin, program)) {
                return FX_CERT_KNOWN;
            }
        }
        jobs->held[jobs->n_held++] = jobs->claimed[i];
        return FX_CERT_NEW;
    }
    return FX_CERT_IGNORED;
}

void fx_jobs_each_cert(struct fx_jobs *jobs,
                       void (*visit)(void *ctx, const struct fx_outpoint *origin,
                                     const struct fx_hash *program, const uint8_t signature[64]),
                       void *ctx)
{
    for (size_t i = 0; i < jobs->n_held; i++) {
        visit(ctx, &jobs->held[i].origin, &jobs->held[i].program, jobs->held[i].signature);
    }
}
