/*
 * Own jobs in memory and in the module's database, key 'O' and the id: what was asked for, and the
 * transactions that offer it, those still to be sent included. A job is written before anything is
 * sent, so whatever ends the process, what is paid for is known.
 */
#include <stdlib.h>
#include <string.h>

#include "src/jobs/jobs_int.h"
#include "src/util/limbs.h"
#include "src/util/mem.h"

#define VERSION 1
/* Of a stored offer. */
#define FLAG_DROPPED 1
#define FLAG_AUTOMATIC 2
#define FLAG_FINAL 4
#define FLAGS_ALL (FLAG_DROPPED | FLAG_AUTOMATIC | FLAG_FINAL)

static void own_key(const struct fx_hash *id, uint8_t key[33])
{
    key[0] = 'O';
    memcpy(key + 1, id->b, 32);
}

void fx_own_job_destroy(struct fx_own_job *own)
{
    if (own == NULL) {
        return;
    }
    free(own->products);
    free(own->parts);
    free(own->offers);
    free(own);
}

/* ---- as bytes ---------------------------------------------------------------------------- */

static void write_double(struct fx_buf *buf, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    fx_buf_u64(buf, bits);
}

static double read_double(struct fx_reader *r)
{
    uint64_t bits = fx_read_u64(r);
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static void write_product(struct fx_buf *buf, const struct fx_own_product *product)
{
    fx_buf_u32(buf, product->rows);
    fx_buf_u32(buf, product->columns);
    fx_buf_u64(buf, product->depth);
    fx_buf_u8(buf, product->limbs_a);
    fx_buf_u8(buf, product->limbs_b);
    fx_buf_u8(buf, product->type);
    write_double(buf, product->scale_a);
    write_double(buf, product->scale_b);
    write_double(buf, product->error);
    fx_buf_u32(buf, product->n_parts);
}

static void read_product(struct fx_reader *r, struct fx_own_product *product)
{
    product->rows = fx_read_u32(r);
    product->columns = fx_read_u32(r);
    product->depth = fx_read_u64(r);
    product->limbs_a = fx_read_u8(r);
    product->limbs_b = fx_read_u8(r);
    product->type = fx_read_u8(r);
    product->scale_a = read_double(r);
    product->scale_b = read_double(r);
    product->error = read_double(r);
    product->n_parts = fx_read_u32(r);
}

static void write_offer(struct fx_buf *buf, const struct fx_own_tx *offer)
{
    fx_buf_u32(buf, offer->part);
    fx_buf_u32(buf, offer->first);
    fx_buf_u32(buf, offer->count);
    fx_buf_u32(buf, offer->deadline);
    fx_buf_hash(buf, &offer->txid);
    fx_buf_i64(buf, offer->fee);
    fx_buf_u8(buf,
              (uint8_t)((offer->dropped ? FLAG_DROPPED : 0) |
                        (offer->automatic ? FLAG_AUTOMATIC : 0) | (offer->final ? FLAG_FINAL : 0)));
}

static bool read_offer(struct fx_reader *r, struct fx_own_tx *offer)
{
    uint8_t flags;

    offer->part = fx_read_u32(r);
    offer->first = fx_read_u32(r);
    offer->count = fx_read_u32(r);
    offer->deadline = fx_read_u32(r);
    offer->txid = fx_read_hash(r);
    offer->fee = fx_read_i64(r);
    flags = fx_read_u8(r);
    offer->dropped = (flags & FLAG_DROPPED) != 0;
    offer->automatic = (flags & FLAG_AUTOMATIC) != 0;
    offer->final = (flags & FLAG_FINAL) != 0;
    return (flags & ~FLAGS_ALL) == 0;
}

static void write_own(struct fx_buf *buf, const struct fx_own_job *own)
{
    fx_buf_u8(buf, VERSION);
    fx_buf_hash(buf, &own->client);
    fx_buf_u16(buf, own->window);
    fx_buf_u16(buf, own->exclusive);
    fx_buf_i64(buf, own->fee_rate);
    fx_buf_i64(buf, own->submitted);
    fx_buf_var(buf, own->n_products);
    for (size_t i = 0; i < own->n_products; i++) {
        write_product(buf, &own->products[i]);
    }
    fx_buf_var(buf, own->n_parts);
    for (size_t i = 0; i < own->n_parts; i++) {
        fx_gemm_write(&own->parts[i].gemm, buf);
        fx_buf_i64(buf, own->parts[i].escrow);
    }
    fx_buf_var(buf, own->n_offers);
    for (size_t i = 0; i < own->n_offers; i++) {
        write_offer(buf, &own->offers[i]);
    }
}

static void read_products(struct fx_reader *r, struct fx_own_job *own)
{
    own->n_products = (size_t)fx_read_count(r, FX_JOB_PRODUCTS_MAX, 47);
    own->products = fx_xcalloc(own->n_products + 1, sizeof *own->products);
    for (size_t i = 0; i < own->n_products; i++) {
        read_product(r, &own->products[i]);
        own->products[i].first_part = (uint32_t)own->n_parts;
        own->n_parts += own->products[i].n_parts;
    }
}

static bool read_parts(struct fx_reader *r, struct fx_own_job *own)
{
    size_t expected = own->n_parts;

    own->n_parts = (size_t)fx_read_count(r, FX_JOB_PARTS_MAX, FX_GEMM_BODY_SIZE + 8);
    own->parts = fx_xcalloc(own->n_parts + 1, sizeof *own->parts);
    for (size_t i = 0; i < own->n_parts; i++) {
        struct fx_span body = {fx_read_bytes(r, FX_GEMM_BODY_SIZE), FX_GEMM_BODY_SIZE};

        if (body.data == NULL || !fx_gemm_read(body, &own->parts[i].gemm)) {
            return false;
        }
        own->parts[i].escrow = fx_read_i64(r);
    }
    return own->n_parts == expected;
}

static bool read_own(struct fx_reader *r, struct fx_own_job *own)
{
    if (fx_read_u8(r) != VERSION) {
        return false;
    }
    own->client = fx_read_hash(r);
    own->window = fx_read_u16(r);
    own->exclusive = fx_read_u16(r);
    own->fee_rate = fx_read_i64(r);
    own->submitted = fx_read_i64(r);
    read_products(r, own);
    if (!read_parts(r, own)) {
        return false;
    }
    own->n_offers = (size_t)fx_read_count(r, FX_OWN_OFFERS_MAX, 57);
    own->offers = fx_xcalloc(own->n_offers + 1, sizeof *own->offers);
    for (size_t i = 0; i < own->n_offers; i++) {
        if (!read_offer(r, &own->offers[i]) || own->offers[i].part >= own->n_parts) {
            return false;
        }
    }
    return fx_reader_done(r) && own->n_products > 0 && own->n_offers > 0;
}

/* ---- in memory --------------------------------------------------------------------------- */

/* New transactions of the job are found from now on. */
static void adopt(struct fx_jobs *jobs, struct fx_own_job *own)
{
    fx_map_put(jobs->own, own->id.b, own);
    for (size_t i = 0; i < own->n_offers; i++) {
        if (!fx_hash_is_zero(&own->offers[i].txid)) {
            fx_map_put(jobs->members, own->offers[i].txid.b, own);
        }
    }
}

bool fx_own_save(struct fx_jobs *jobs, struct fx_own_job *own)
{
    struct fx_buf value = FX_BUF_INIT;
    uint8_t key[33];
    bool saved;

    own_key(&own->id, key);
    write_own(&value, own);
    saved = fx_db_write(jobs->db, key, sizeof key, value.data, value.len, true);
    fx_buf_clear(&value);
    if (saved) {
        adopt(jobs, own);
    }
    return saved;
}

void fx_own_forget(struct fx_jobs *jobs, struct fx_own_job *own)
{
    uint8_t key[33];

    own_key(&own->id, key);
    fx_db_delete(jobs->db, key, sizeof key, false);
    fx_map_remove(jobs->own, own->id.b);
    for (size_t i = 0; i < own->n_offers; i++) {
        fx_map_remove(jobs->members, own->offers[i].txid.b);
    }
}

struct fx_own_job *fx_own_find(const struct fx_jobs *jobs, const struct fx_hash *id)
{
    return fx_map_get(jobs->own, id->b);
}

struct fx_own_job *fx_own_of(const struct fx_jobs *jobs, const struct fx_hash *txid)
{
    return fx_map_get(jobs->members, txid->b);
}

uint32_t fx_own_count_tasks(const struct fx_gemm *gemm)
{
    uint32_t rows = gemm->m / FX_TILE, cols = gemm->n / FX_TILE;

    return ((rows + gemm->task_rows - 1) / gemm->task_rows) *
           ((cols + gemm->task_cols - 1) / gemm->task_cols);
}

void fx_own_add_txs(struct fx_own_job *own, const struct fx_own_tx *all)
{
    struct fx_own_tx offer = *all;

    for (uint32_t left = all->count; left > 0; left -= offer.count) {
        offer.count = left < FX_TX_TASKS_MAX ? left : FX_TX_TASKS_MAX;
        own->offers = fx_xreallocarray(own->offers, own->n_offers + 1, sizeof *own->offers);
        own->offers[own->n_offers++] = offer;
        offer.first += offer.count;
    }
}

enum fx_job_tx_status fx_own_tx_status(const struct fx_jobs *jobs, const struct fx_own_tx *offer)
{
    if (!fx_hash_is_zero(&offer->txid) && fx_book_find_job(jobs->book, &offer->txid) != NULL) {
        return FX_JOB_TX_CONFIRMED; /* also where it was to be taken back and came to be mined */
    }
    if (offer->dropped) {
        return FX_JOB_TX_DROPPED;
    }
    return fx_hash_is_zero(&offer->txid) ? FX_JOB_TX_WAITING : FX_JOB_TX_PENDING;
}

struct fx_own_job *fx_own_of_wallet(const struct fx_jobs *jobs, const struct fx_wallet *wallet,
                                    const struct fx_hash *job, struct fx_jobs_error *error)
{
    struct fx_own_job *own = fx_own_find(jobs, job);

    if (own == NULL || !fx_wallet_owns_key(wallet, &own->client)) {
        fx_jobs_refuse(error, -4, "The job is not one of this wallet");
        return NULL;
    }
    return own;
}

static bool check_operand(const struct fx_jobs *jobs, char name, const struct fx_hash *root,
                          uint32_t rows, uint32_t k, struct fx_jobs_error *error)
{
    struct fx_blob_key key;
    struct fx_blob_shape shape;
    uint64_t chunks, have;

    memset(&key, 0, sizeof key);
    key.type = FX_BLOB_OPERAND;
    key.root = *root;
    if (fx_blobs_state(jobs->config.blobs, &key) != FX_BLOB_COMPLETE ||
        !fx_blobs_info(jobs->config.blobs, &key, &shape, &chunks, &have)) {
        return fx_jobs_refuse(error, -8, "Operand %c was not uploaded", name);
    }
    if (shape.rows != rows || shape.cols != k) {
        return fx_jobs_refuse(error, -8, "Operand %c is a panel matrix of %u x %u, not of %u x %u",
                              name, shape.rows, shape.cols, rows, k);
    }
    return true;
}

bool fx_own_check_operands(const struct fx_jobs *jobs, const struct fx_own_job *own,
                           struct fx_jobs_error *error)
{
    for (size_t i = 0; i < own->n_parts; i++) {
        const struct fx_gemm *gemm = &own->parts[i].gemm;

        if (!check_operand(jobs, 'A', &gemm->root_a, gemm->m, gemm->k, error) ||
            !check_operand(jobs, 'B', &gemm->root_b, gemm->n, gemm->k, error)) {
            return false;
        }
    }
    return true;
}

void fx_own_place(const struct fx_own_job *own, uint32_t part, uint32_t *product, uint32_t *number)
{
    uint32_t at = 0;

    while (at + 1 < own->n_products && own->products[at + 1].first_part <= part) {
        at++;
    }
    *product = at;
    *number = part - own->products[at].first_part;
}

void fx_own_product_get(const struct fx_own_job *own, size_t number, struct fx_job_product *product)
{
    const struct fx_own_product *from = &own->products[number];

    memset(product, 0, sizeof *product);
    product->rows = from->rows;
    product->columns = from->columns;
    product->depth = from->depth;
    product->limbs_a = from->limbs_a;
    product->limbs_b = from->limbs_b;
    product->type = (enum fx_job_type)from->type;
    product->scale_a = from->scale_a;
    product->scale_b = from->scale_b;
    product->error = from->error;
    product->n_parts = from->n_parts;
}

static bool load_own(struct fx_jobs *jobs, const uint8_t *key, size_t key_len, const uint8_t *value,
                     size_t n)
{
    struct fx_own_job *own = fx_xcalloc(1, sizeof *own);
    struct fx_reader r;

    fx_reader_init(&r, value, n);
    if (key_len != 33 || !read_own(&r, own)) {
        fx_own_job_destroy(own);
        return false;
    }
    memcpy(own->id.b, key + 1, 32);
    adopt(jobs, own);
    return true;
}

bool fx_own_load(struct fx_jobs *jobs)
{
    return fx_notes_load_all(jobs, 'O', load_own);
}
