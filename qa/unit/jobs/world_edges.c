/* A small world for src/jobs: wallet, blobs, network. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "qa/unit/harness.h"
#include "qa/unit/jobs/world_int.h"
#include "src/jobs/jobs_int.h"
#include "src/util/mem.h"

#define W (&world_state.world)
#define FEE 20000     /* of what the wallet funds, at least */
#define OWN_VSIZE 300 /* of a transaction without the witnesses of others */

/* ---- wallet ------------------------------------------------------------------------------ */

static bool fail(struct fx_wallet_error *error, int code, const char *text)
{
    error->code = code;
    snprintf(error->text, sizeof error->text, "%s", text);
    return false;
}

size_t fx_wallet_list(const struct fx_wallets *wallets, const char ***names)
{
    (void)wallets;
    *names = fx_xcalloc(1, sizeof(const char *));
    (*names)[0] = "";
    return 1;
}

struct fx_wallet *fx_wallet_get(struct fx_wallets *wallets, const char *name,
                                struct fx_wallet_error *error)
{
    (void)wallets;
    (void)name;
    (void)error;
    return &world_state.wallet;
}

static const struct fx_test_key *find_key(const struct fx_hash *key)
{
    for (unsigned i = 0; i < W->n_keys; i++) {
        if (fx_hash_equal(&W->keys[i].xonly, key)) {
            return &W->keys[i];
        }
    }
    return NULL;
}

bool fx_wallet_owns_key(const struct fx_wallet *wallet, const struct fx_hash *output_key)
{
    const struct fx_test_key *key = find_key(output_key);

    (void)wallet;
    return key != NULL && !(W->no_client && key == &W->keys[2]) &&
           !(W->no_solver && fx_hash_equal(output_key, &W->solver));
}

bool fx_wallet_new_key(struct fx_wallet *wallet, enum fx_key_use use, const char *label,
                       struct fx_hash *output_key, struct fx_wallet_error *error)
{
    (void)wallet;
    (void)use;
    (void)label;
    (void)error;
    FX_CHECK(W->n_keys < WORLD_KEYS);
    fx_test_key(W->n_keys + 1, &W->keys[W->n_keys]);
    *output_key = W->keys[W->n_keys++].xonly;
    return true;
}

bool fx_wallet_solver_key(struct fx_wallet *wallet, struct fx_hash *output_key,
                          struct fx_wallet_error *error)
{
    (void)wallet;
    (void)error;
    *output_key = W->solver;
    return true;
}

bool fx_wallet_sign_hash(struct fx_wallet *wallet, const struct fx_hash *output_key,
                         const struct fx_hash *hash, uint8_t signature[64],
                         struct fx_wallet_error *error)
{
    const struct fx_test_key *key = find_key(output_key);

    (void)wallet;
    if (W->locked || key == NULL || (W->muted && key == &W->keys[2])) {
        return fail(error, -13, "locked");
    }
    fx_test_sign(key, hash, signature);
    return true;
}

static const struct fx_test_key *key_of(struct fx_span script)
{
    struct fx_hash key;

    if (fx_script_classify(script) != FX_SCRIPT_P2TR) {
        return NULL;
    }
    memcpy(key.b, script.data + 2, 32);
    return find_key(&key);
}

bool fx_wallet_fund(struct fx_wallet *wallet, struct fx_txb *tx, const struct fx_fund_input *others,
                    size_t n_others, int64_t fee_rate, int64_t burned, int64_t fee_max,
                    unsigned min_conf, int64_t *fee, struct fx_wallet_error *error)
{
    struct fx_outpoint outpoint;
    struct fx_coin coin;
    int64_t in = 0, out = burned, vsize = OWN_VSIZE;
    uint8_t script[34];
    size_t at = 0;

    (void)wallet;
    (void)fee_max;
    (void)min_conf;
    for (size_t i = 0; i < n_others; i++) {
        in += others[i].value;
        vsize += (int64_t)others[i].witness_weight / FX_WITNESS_SCALE;
    }
    *fee = fee_rate * vsize / 1000 > FEE ? fee_rate * vsize / 1000 : FEE;
    out += *fee;
    for (size_t i = n_others; i < tx->n_in; i++) {
        FX_CHECK(world_coin(&tx->in[i].prevout, &coin));
        FX_CHECK(key_of(fx_coin_script(&coin)) != NULL);
        in += coin.value;
        fx_coin_clear(&coin);
    }
    for (size_t i = 0; i < tx->n_out; i++) {
        out += tx->out[i].value;
    }
    while (in < out && !W->poor && world_next_coin(&at, &outpoint, &coin)) {
        if (key_of(fx_coin_script(&coin)) != NULL) {
            fx_txb_add_in(tx, &outpoint, 0xfffffffd);
            in += coin.value;
        }
    }
    if (in < out) {
        return fail(error, -6, "Insufficient funds");
    }
    if (W->pays_for > 0 && --W->pays_for == 0) {
        W->poor = true;
    }
    fx_script_p2tr(W->keys[0].xonly.b, script);
    fx_txb_add_out(tx, in - out, script, sizeof script);
    *fee += burned;
    return true;
}

bool fx_wallet_split(struct fx_wallet *wallet, int64_t amount, struct fx_wallet_error *error)
{
    (void)wallet;
    (void)error;
    W->split = amount;
    return true;
}

void fx_wallet_balance(const struct fx_wallet *wallet, struct fx_wallet_balance *balance)
{
    (void)wallet;
    memset(balance, 0, sizeof *balance);
    balance->trusted = W->trusted != 0 ? W->trusted : W->params->max_money;
}

bool fx_wallet_spent_coins(struct fx_wallet *wallet, const struct fx_txb *tx,
                           struct fx_coin **spent, struct fx_wallet_error *error)
{
    (void)wallet;
    (void)error;
    *spent = fx_xcalloc(tx->n_in, sizeof **spent);
    for (size_t i = 0; i < tx->n_in; i++) {
        FX_CHECK(world_coin(&tx->in[i].prevout, &(*spent)[i]));
    }
    return true;
}

bool fx_wallet_sign(struct fx_wallet *wallet, struct fx_txb *b, const struct fx_coin *spent,
                    struct fx_wallet_error *error)
{
    struct fx_tx *tx = fx_txb_build(b);
    struct fx_sighash_cache cache;

    (void)wallet;
    (void)error;
    fx_sighash_cache_init(&cache, tx, spent);
    for (size_t i = 0; i < b->n_in; i++) {
        const struct fx_test_key *key = key_of(fx_coin_script(&spent[i]));
        struct fx_hash hash;
        uint8_t signature[64];

        if (key == NULL) {
            continue;
        }
        FX_CHECK(fx_sighash_taproot(tx, i, spent, FX_SIGHASH_DEFAULT, NULL, &cache, &hash));
        fx_test_sign(key, &hash, signature);
        fx_txb_push_witness(b, i, signature, sizeof signature);
    }
    fx_tx_unref(tx);
    return true;
}

void fx_wallet_release(struct fx_wallet *wallet, const struct fx_txb *tx)
{
    (void)wallet;
    (void)tx;
}

bool fx_wallet_give_up(struct fx_wallet *wallet, const struct fx_hash *txid,
                       struct fx_wallet_error *error)
{
    (void)wallet;
    (void)txid;
    (void)error;
    W->abandoned++;
    return true;
}

bool fx_wallet_commit(struct fx_wallet *wallet, const struct fx_tx *tx, const char *comment,
                      struct fx_wallet_error *error)
{
    const char *why;

    (void)wallet;
    (void)comment;
    return world_submit(tx, &why) || fail(error, -4, why);
}

/* ---- blobs ------------------------------------------------------------------------------- */

static struct world_blob *find_blob(const struct fx_blob_key *key)
{
    for (size_t i = 0; i < world_state.blobs.n; i++) {
        struct world_blob *blob = &world_state.blobs.list[i];

        if (blob->key.type == key->type && fx_hash_equal(&blob->key.root, &key->root) &&
            fx_hash_equal(&blob->key.solver, &key->solver)) {
            return blob;
        }
    }
    return NULL;
}

static struct world_blob *add_blob(const struct fx_blob_key *key)
{
    struct world_blob *blob = find_blob(key);

    if (blob == NULL) {
        FX_CHECK(world_state.blobs.n < WORLD_BLOBS);
        blob = &world_state.blobs.list[world_state.blobs.n++];
        memset(blob, 0, sizeof *blob);
        blob->key = *key;
    }
    return blob;
}

void world_add_operands(const struct fx_test_job *job)
{
    for (unsigned side = FX_SIDE_A; side <= FX_SIDE_B; side++) {
        struct fx_blob_key key = {.type = FX_BLOB_OPERAND,
                                  .root = side == FX_SIDE_A ? job->gemm.root_a : job->gemm.root_b};
        struct world_blob *blob = add_blob(&key);

        blob->shape.rows = side == FX_SIDE_A ? job->gemm.m : job->gemm.n;
        blob->shape.cols = job->gemm.k;
        blob->state = FX_BLOB_COMPLETE;
        blob->job = job;
        blob->side = (enum fx_side)side;
    }
}

void world_drop_operands(void)
{
    for (size_t i = 0; i < world_state.blobs.n; i++) {
        if (world_state.blobs.list[i].key.type == FX_BLOB_OPERAND) {
            world_state.blobs.list[i].state = FX_BLOB_ABSENT;
        }
    }
}

struct fx_hash world_add_result(const struct fx_task_shape *shape, const int32_t *result,
                                const struct fx_hash *solver, bool complete)
{
    struct fx_blob_key key = {.type = FX_BLOB_RESULT, .solver = *solver};
    struct world_blob *blob;

    fx_test_result_root(shape, result, solver, &key.root);
    blob = add_blob(&key);
    blob->shape.rows = shape->rows;
    blob->shape.cols = shape->cols;
    blob->shape.solver = *solver;
    blob->task = *shape;
    blob->result = result;
    blob->state = complete ? FX_BLOB_COMPLETE : FX_BLOB_ABSENT;
    return key.root;
}

void world_complete_result(const struct fx_hash *root)
{
    struct fx_blob_key key = {.type = FX_BLOB_RESULT, .root = *root, .solver = W->solver};
    struct world_blob *blob = find_blob(&key);

    FX_CHECK(blob != NULL && blob->result != NULL);
    blob->state = FX_BLOB_COMPLETE;
    if (world_state.blobs.complete != NULL) {
        world_state.blobs.complete(world_state.blobs.ctx, &blob->key);
    }
}

void world_blobs_clear(void)
{
    world_state.blobs.n = 0;
}

enum fx_blob_state fx_blobs_state(struct fx_blobs *blobs, const struct fx_blob_key *key)
{
    const struct world_blob *blob = find_blob(key);

    (void)blobs;
    return blob != NULL ? blob->state : FX_BLOB_ABSENT;
}

bool fx_blobs_info(struct fx_blobs *blobs, const struct fx_blob_key *key,
                   struct fx_blob_shape *shape, uint64_t *chunks, uint64_t *have)
{
    const struct world_blob *blob = find_blob(key);

    (void)blobs;
    *chunks = *have = 0;
    if (blob == NULL || blob->state == FX_BLOB_ABSENT) {
        return false;
    }
    *have = blob->put;
    *shape = blob->shape;
    return true;
}

bool fx_blobs_expect(struct fx_blobs *blobs, const struct fx_blob_key *key,
                     const struct fx_blob_shape *shape)
{
    struct world_blob *blob = add_blob(key);

    (void)blobs;
    blob->shape = *shape;
    if (blob->state == FX_BLOB_ABSENT) {
        blob->state = FX_BLOB_PARTIAL;
    }
    return true;
}

bool fx_blobs_get(struct fx_blobs *blobs, const struct fx_blob_key *key, uint32_t x, uint32_t y,
                  uint8_t *data, size_t *n, uint8_t *path, size_t *n_path)
{
    const struct world_blob *blob = find_blob(key);

    (void)blobs;
    if (blob == NULL || (blob->state != FX_BLOB_COMPLETE &&
                         !(key->type == FX_BLOB_RESULT && x < WORLD_TILES && blob->had[x]))) {
        return false;
    }
    if (key->type == FX_BLOB_OPERAND) {
        fx_test_job_block(blob->job, blob->side, x, y, (int8_t *)data);
        *n = FX_BLOCK_BYTES;
        *n_path = fx_test_job_path(blob->job, blob->side, x, y, path);
    } else {
        *n = FX_TILE_BYTES;
        *n_path =
            fx_test_result_tile(&blob->task, blob->result, &blob->shape.solver, x, data, path);
    }
    return true;
}

static uint32_t tiles_of(const struct world_blob *blob)
{
    return blob->shape.rows * blob->shape.cols;
}

size_t fx_blobs_missing(struct fx_blobs *blobs, const struct fx_blob_key *key, uint64_t *from,
                        uint32_t (*xy)[2], size_t max)
{
    const struct world_blob *blob = find_blob(key);
    size_t n = 0;

    (void)blobs;
    if (blob == NULL || blob->state != FX_BLOB_PARTIAL || key->type != FX_BLOB_RESULT) {
        return 0;
    }
    FX_CHECK(tiles_of(blob) <= WORLD_TILES);
    for (; *from < tiles_of(blob) && n < max; (*from)++) {
        if (!blob->had[*from]) {
            xy[n][0] = (uint32_t)*from;
            xy[n++][1] = 0;
        }
    }
    return n;
}

enum fx_blob_put fx_blobs_put(struct fx_blobs *blobs, const struct fx_blob_key *key, uint32_t x,
                              uint32_t y, struct fx_span data, const uint8_t *path, size_t n_path)
{
    struct world_blob *blob = find_blob(key);
    uint8_t *tile = fx_xmalloc(FX_TILE_BYTES), want[FX_BLOB_PATH_MAX * 32];
    bool same;

    FX_CHECK(blob != NULL && key->type == FX_BLOB_RESULT && y == 0 && x < tiles_of(blob));
    FX_CHECK_INT(data.len, FX_TILE_BYTES);
    FX_CHECK_INT(fx_test_result_tile(&blob->task, blob->result, &blob->shape.solver, x, tile, want),
                 n_path);
    same = memcmp(tile, data.data, data.len) == 0 && memcmp(want, path, 32 * n_path) == 0;
    free(tile);
    if (!same) {
        return FX_BLOB_PUT_BAD;
    }
    if (blob->had[x]) {
        return FX_BLOB_PUT_KNOWN;
    }
    blob->had[x] = true;
    if (++blob->put == tiles_of(blob)) {
        blob->state = FX_BLOB_COMPLETE;
        blobs->complete(blobs->ctx, key);
    }
    return FX_BLOB_PUT_OK;
}

void fx_blobs_remove(struct fx_blobs *blobs, const struct fx_blob_key *key)
{
    struct world_blob *blob = find_blob(key);

    (void)blobs;
    if (blob != NULL) {
        blob->state = FX_BLOB_ABSENT;
        blob->put = 0;
        memset(blob->had, 0, sizeof blob->had);
    }
}

bool fx_blobs_each(struct fx_blobs *blobs, bool (*visit)(void *ctx, const struct fx_blob_key *key),
                   void *ctx)
{
    for (size_t i = 0; i < blobs->n; i++) {
        if (blobs->list[i].state != FX_BLOB_ABSENT && !visit(ctx, &blobs->list[i].key)) {
            break;
        }
    }
    return true;
}

bool fx_blobs_use(struct fx_blobs *blobs, const struct fx_blob_key *key, uint64_t *bytes,
                  int64_t *idle)
{
    const struct world_blob *blob = find_blob(key);

    *bytes = WORLD_BLOB_BYTES;
    *idle = blobs->idle;
    return blob != NULL && blob->state != FX_BLOB_ABSENT;
}

void fx_blobs_set_room(struct fx_blobs *blobs, void (*make_room)(void *ctx, uint64_t bytes),
                       void *ctx)
{
    blobs->make_room = make_room;
    blobs->room_ctx = ctx;
}

void fx_uploads_expire(struct fx_blobs *blobs, int64_t seconds)
{
    FX_CHECK_INT(seconds, 86400);
    blobs->expired++;
}

void world_make_room(uint64_t bytes, int64_t idle)
{
    world_state.blobs.idle = idle;
    world_state.blobs.make_room(world_state.blobs.room_ctx, bytes);
}

void world_sweep(int64_t idle)
{
    world_state.blobs.idle = idle;
    world_state.blobs.expired = 0;
    W->jobs->sweep_ms = 0;
    fx_keep_step(W->jobs);
    FX_CHECK_INT(world_state.blobs.expired, 1);
}

void fx_blobs_subscribe(struct fx_blobs *blobs,
                        void (*complete)(void *ctx, const struct fx_blob_key *key), void *ctx)
{
    blobs->complete = complete;
    blobs->ctx = ctx;
}

/* ---- network ----------------------------------------------------------------------------- */

void fx_net_relay_cert(struct fx_net *net, const struct fx_outpoint *origin,
                       const struct fx_hash *program, const uint8_t signature[64])
{
    (void)net;
    W->certs++;
    W->cert_origin = *origin;
    W->cert_program = *program;
    memcpy(W->cert, signature, 64);
}

void fx_net_announce_blob(struct fx_net *net, const struct fx_blob_key *key)
{
    (void)net;
    W->announced++;
    if (key->type == FX_BLOB_RESULT) {
        W->announced_result = key->root;
    }
}

void fx_net_fetch_blob(struct fx_net *net, const struct fx_blob_key *key)
{
    (void)net;
    W->fetched++;
    W->fetched_key = *key;
}

void fx_net_cancel_blob(struct fx_net *net, const struct fx_blob_key *key)
{
    (void)net;
    (void)key;
    W->cancelled++;
}
