/* A small world for src/jobs: chain and mempool. */
#include "qa/unit/jobs/world.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "qa/unit/harness.h"
#include "qa/unit/jobs/world_int.h"
#include "src/jobs/jobs_int.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

#define COINS 4096
#define ENTRIES 256
#define REWARD (50 * INT64_C(100000000))

struct coin {
    struct fx_outpoint outpoint;
    struct fx_coin coin;
    uint32_t spent; /* height; 0: not */
};

struct level {
    struct fx_index *index;
    struct fx_block *block;
    struct fx_record_delta delta;
    struct fx_block *later; /* disconnected last from this tip */
};

struct fx_chain {
    struct level levels[WORLD_HEIGHT];
    struct fx_index *all[2 * WORLD_HEIGHT];
    size_t n_all;
    struct fx_chain_events events;
};

struct fx_mempool {
    struct fx_tx *txs[ENTRIES];
    int64_t fees[ENTRIES]; /* without what they burn */
    uint32_t heights[ENTRIES];
    size_t n;
    struct fx_mempool_events events;
};

struct fx_world_state world_state;
static struct fx_chain chain;
static struct fx_mempool mempool;
static struct coin coins[COINS];
static size_t n_coins;
static unsigned salt;
static struct fx_pool *pool;

#define W (&world_state.world)

/* ---- the state as a view ----------------------------------------------------------------- */

static struct coin *find_coin(const struct fx_outpoint *outpoint)
{
    for (size_t i = 0; i < n_coins; i++) {
        if (coins[i].spent == 0 && fx_outpoint_equal(&coins[i].outpoint, outpoint)) {
            return &coins[i];
        }
    }
    return NULL;
}

static enum fx_lookup view_coin(void *ctx, const struct fx_outpoint *outpoint, struct fx_coin *out)
{
    const struct coin *coin = find_coin(outpoint);

    (void)ctx;
    if (coin == NULL) {
        return FX_MISSING;
    }
    fx_coin_copy(out, &coin->coin);
    return FX_FOUND;
}

static enum fx_lookup view_record(void *ctx, const struct fx_outpoint *origin,
                                  struct fx_task_record *record)
{
    (void)ctx;
    for (uint32_t h = W->tip->height + 1; h-- > 0;) {
        const struct fx_record_delta *delta = &chain.levels[h].delta;

        for (size_t i = 0; i < delta->n; i++) {
            if (fx_outpoint_equal(&delta->changes[i].origin, origin)) {
                *record = delta->changes[i].after;
                return delta->changes[i].has ? FX_FOUND : FX_MISSING;
            }
        }
    }
    return FX_MISSING;
}

static void set_ancestor(const struct fx_index *index, struct fx_ancestor *ancestor)
{
    memset(ancestor, 0, sizeof *ancestor);
    ancestor->id = index->id;
    ancestor->height = index->height;
    ancestor->lane = index->lane;
    ancestor->time = index->header.time;
    ancestor->median_time = index->median_time;
    ancestor->solver = index->solver;
}

static enum fx_lookup view_ancestor(void *ctx, uint32_t height, struct fx_ancestor *ancestor)
{
    (void)ctx;
    if (height > W->tip->height) {
        return FX_MISSING;
    }
    set_ancestor(chain.levels[height].index, ancestor);
    return FX_FOUND;
}

static enum fx_lookup view_beacon(void *ctx, uint32_t above, struct fx_ancestor *ancestor)
{
    (void)ctx;
    for (uint32_t h = above + 1; h <= W->tip->height; h++) {
        if (chain.levels[h].index->lane == FX_LANE_HASH) {
            set_ancestor(chain.levels[h].index, ancestor);
            return FX_FOUND;
        }
    }
    return FX_MISSING;
}

void fx_chain_view(struct fx_chain *c, struct fx_view *view)
{
    (void)c;
    memset(view, 0, sizeof *view);
    view->coin = view_coin;
    view->record = view_record;
    view->ancestor = view_ancestor;
    view->beacon = view_beacon;
}

enum fx_result world_judge(const struct fx_tx *tx, struct fx_record_delta *delta, int64_t *fee,
                           uint64_t *burned, enum fx_verdict *why)
{
    struct fx_view view;
    struct fx_connect_context context;
    struct fx_connected_tx connected;
    enum fx_result result;

    fx_chain_view(&chain, &view);
    memset(&context, 0, sizeof context);
    context.params = W->params;
    context.view = &view;
    context.height = W->tip->height + 1;
    context.parent_median_time = W->tip->median_time;
    *why = fx_check_tx(W->params, tx);
    if (*why != FX_OK) {
        return FX_INVALID;
    }
    if (!fx_tx_is_final(tx, context.height, context.parent_median_time)) {
        *why = FX_BAD_TXNS_NONFINAL;
        return FX_INVALID;
    }
    result = fx_connect_tx(&context, tx, delta, &connected, why);
    if (result != FX_VALID) {
        return result;
    }
    for (size_t in = 0; in < tx->n_in && result == FX_VALID; in++) {
        struct fx_script_check check = {
            .tx = tx, .in = in, .spent = connected.spent, .cache = &connected.cache};

        if (!fx_script_is_task(fx_coin_script(&connected.spent[in]), NULL)) {
            *why = fx_script_check_run(&check);
            result = *why == FX_OK ? FX_VALID : FX_INVALID;
        }
    }
    *fee = connected.fee;
    *burned = connected.burned;
    fx_connected_tx_clear(&connected, tx->n_in);
    return result;
}

bool world_next_coin(size_t *at, struct fx_outpoint *outpoint, struct fx_coin *out)
{
    while (*at < n_coins) {
        const struct coin *coin = &coins[(*at)++];

        if (coin->spent == 0 && fx_mempool_spender(&mempool, &coin->outpoint) == NULL) {
            *outpoint = coin->outpoint;
            *out = coin->coin;
            return true;
        }
    }
    return false;
}

bool world_coin(const struct fx_outpoint *outpoint, struct fx_coin *out)
{
    return view_coin(NULL, outpoint, out) == FX_FOUND;
}

/* ---- blocks ------------------------------------------------------------------------------ */

static struct fx_tx *make_coinbase(uint32_t height, const struct fx_cb_work *work)
{
    struct fx_outpoint null;
    struct fx_txb b;
    struct fx_buf script = FX_BUF_INIT;
    struct fx_tx *tx;
    uint8_t pay[34];

    memset(&null, 0, sizeof null);
    null.index = UINT32_MAX;
    fx_txb_init(&b);
    fx_txb_add_in(&b, &null, FX_SEQUENCE_FINAL);
    fx_buf_u32(&script, height);
    fx_buf_u32(&script, salt++);
    fx_txb_set_script_sig(&b, 0, script.data, script.len);
    fx_buf_clear(&script);
    fx_script_p2tr(W->keys[0].xonly.b, pay);
    fx_txb_add_out(&b, REWARD, pay, sizeof pay);
    if (work != NULL) {
        uint8_t said[FX_CB_WORK_SCRIPT_SIZE];

        fx_cb_work_script(work, said);
        fx_txb_add_out(&b, 0, said, sizeof said);
    }
    tx = fx_txb_build(&b);
    fx_txb_clear(&b);
    return tx;
}

static void add_coins(const struct fx_tx *tx, uint32_t height)
{
    for (size_t i = 0; i < tx->n_out; i++) {
        struct coin *coin = &coins[n_coins];

        if (fx_script_is_unspendable(tx->out[i].script)) {
            continue;
        }
        FX_CHECK(n_coins < COINS);
        coin->outpoint.txid = tx->txid;
        coin->outpoint.index = (uint32_t)i;
        coin->spent = 0;
        fx_coin_set(&coin->coin, &tx->out[i], height, false); /* no maturity here */
        n_coins++;
    }
}

static void drop_tx(size_t at, enum fx_tx_removal reason)
{
    struct fx_tx *tx = mempool.txs[at];

    memmove(mempool.txs + at, mempool.txs + at + 1, (mempool.n - at - 1) * sizeof(struct fx_tx *));
    memmove(mempool.fees + at, mempool.fees + at + 1,
            (mempool.n - at - 1) * sizeof mempool.fees[0]);
    memmove(mempool.heights + at, mempool.heights + at + 1,
            (mempool.n - at - 1) * sizeof mempool.heights[0]);
    mempool.n--;
    if (mempool.events.tx_removed != NULL) {
        mempool.events.tx_removed(mempool.events.ctx, tx, reason);
    }
    fx_tx_unref(tx);
}

static void forget_mined(const struct fx_block *block)
{
    for (size_t i = 1; i < block->n_txs; i++) {
        for (size_t at = 0; at < mempool.n; at++) {
            if (fx_hash_equal(&mempool.txs[at]->txid, &block->txs[i]->txid)) {
                drop_tx(at, FX_REMOVED_BLOCK);
                break;
            }
        }
    }
}

static struct fx_index *make_index(const struct fx_block *block, struct fx_index *parent)
{
    struct fx_index *index;
    struct fx_cb_work work;

    for (size_t i = 0; i < chain.n_all; i++) {
        if (fx_hash_equal(&chain.all[i]->id, &block->id)) {
            return chain.all[i];
        }
    }
    index = fx_xcalloc(1, sizeof *index);
    index->id = block->id;
    index->header = block->header;
    index->parent = parent;
    index->height = parent != NULL ? parent->height + 1 : 0;
    index->lane = fx_header_lane(&block->header);
    index->median_time = block->header.time;
    if (block->work != NULL && fx_cb_work_read(block->txs[0], &work)) {
        index->solver = work.solver;
    }
    FX_CHECK(chain.n_all < sizeof chain.all / sizeof chain.all[0]);
    chain.all[chain.n_all++] = index;
    return index;
}

static void connect_block(struct fx_block *block)
{
    struct fx_undo undo;
    struct fx_view view;
    uint32_t height = W->tip->height + 1;
    struct level *level = &chain.levels[height];
    enum fx_verdict why = FX_OK;
    uint64_t credit, burns;

    FX_CHECK(height < WORLD_HEIGHT);
    memset(&undo, 0, sizeof undo);
    fx_record_delta_init(&level->delta);
    fx_chain_view(&chain, &view);
    if (block->work != NULL) {
        FX_CHECK_INT(
            fx_connect_work(W->params, &view, block, height, &level->delta, &credit, &burns, &why),
            FX_VALID);
    }
    for (size_t i = 1; i < block->n_txs; i++) {
        int64_t fee;
        uint64_t burned;

        if (world_judge(block->txs[i], &level->delta, &fee, &burned, &why) != FX_VALID) {
            FX_FAIL("mined transaction: %s", fx_verdict_string(why));
        }
        for (size_t in = 0; in < block->txs[i]->n_in; in++) {
            find_coin(&block->txs[i]->in[in].prevout)->spent = height;
        }
        add_coins(block->txs[i], height);
    }
    add_coins(block->txs[0], height);
    level->block = block;
    level->index = make_index(block, W->tip);
    W->tip = level->index;
    forget_mined(block);
    if (chain.events.block_connected != NULL) {
        chain.events.block_connected(chain.events.ctx, W->tip, block, &undo);
        chain.events.tip_changed(chain.events.ctx, W->tip);
    }
}

static void make_block(unsigned seconds, const struct fx_cb_work *work, struct fx_span proof,
                       size_t n)
{
    struct fx_header header;
    struct fx_tx *txs[ENTRIES + 1];
    struct fx_block *block;

    memset(&header, 0, sizeof header);
    header.version = fx_header_version(work != NULL ? FX_LANE_JOB : FX_LANE_HASH);
    header.prev = W->tip->id;
    header.time = W->tip->header.time + seconds;
    header.nbits = W->params->limit_nbits[0];
    header.nonce = salt++;
    txs[0] = make_coinbase(W->tip->height + 1, work);
    memcpy(txs + 1, mempool.txs, n * sizeof(struct fx_tx *));
    block = fx_block_make(W->params, &header, proof, txs, n + 1);
    fx_tx_unref(txs[0]);
    FX_CHECK(block != NULL);
    fx_clock_set_mock(header.time);
    connect_block(block);
}

void world_mine(unsigned seconds)
{
    struct fx_span none = {NULL, 0};

    make_block(seconds, NULL, none, mempool.n);
}

void world_mine_empty(unsigned seconds)
{
    struct fx_span none = {NULL, 0};

    make_block(seconds, NULL, none, 0);
}

void world_mine_inside(const struct fx_outpoint *origin, const struct fx_outpoint *backing,
                       size_t n_backing)
{
    static const uint8_t zeros[FX_BLOCK_BYTES];
    struct fx_task_info info;
    struct fx_work_proof proof;
    struct fx_cb_work work;
    struct fx_gemm gemm;
    struct fx_buf bytes = FX_BUF_INIT;

    FX_CHECK(fx_jobs_task(W->jobs, origin, &info));
    FX_CHECK(fx_gemm_read(info.spec.body, &gemm));
    memset(&proof, 0, sizeof proof);
    proof.preimage = info.preimage; /* of a restored task: with its origin */
    proof.backing = backing;
    proof.n_backing = n_backing;
    proof.i = info.shape.row0;
    proof.j = info.shape.col0;
    proof.block_a.data = proof.block_b.data = proof.path_a.data = proof.path_b.data = zeros;
    proof.block_a.len = proof.block_b.len = FX_BLOCK_BYTES;
    proof.path_a.len = 32u * fx_commit_operand_path_depth(gemm.m, gemm.k);
    proof.path_b.len = 32u * fx_commit_operand_path_depth(gemm.n, gemm.k);
    proof.signature.data = zeros;
    proof.signature.len = 64;
    fx_work_proof_write(&proof, &bytes);
    work.outpoint = info.outpoint;
    work.solver = W->solver;
    fx_work_preimage_hash(info.preimage, &work.preimage_hash);
    fx_work_backing_hash(backing, n_backing, &work.backing_hash);
    make_block(600, &work, (struct fx_span){bytes.data, bytes.len}, mempool.n);
    fx_buf_clear(&bytes);
}

void world_disconnect(void)
{
    uint32_t height = W->tip->height;
    struct level *level = &chain.levels[height];
    struct fx_index *index = level->index;
    struct fx_undo undo;
    size_t kept = 0;

    memset(&undo, 0, sizeof undo);
    for (size_t i = 0; i < n_coins; i++) {
        if (coins[i].coin.height == height) {
            fx_coin_clear(&coins[i].coin);
            continue;
        }
        if (coins[i].spent == height) {
            coins[i].spent = 0;
        }
        coins[kept++] = coins[i];
    }
    n_coins = kept;
    fx_record_delta_clear(&level->delta);
    W->tip = index->parent;
    fx_block_unref(chain.levels[height - 1].later);
    chain.levels[height - 1].later = level->block;
    level->block = NULL;
    if (chain.events.block_disconnected != NULL) {
        chain.events.block_disconnected(chain.events.ctx, index, chain.levels[height - 1].later,
                                        &undo);
        chain.events.tip_changed(chain.events.ctx, W->tip);
    }
}

void world_reconnect(void)
{
    struct level *level = &chain.levels[W->tip->height];
    struct fx_block *block = level->later;

    FX_CHECK(block != NULL);
    level->later = NULL;
    connect_block(block);
}

/* ---- the chain's interface --------------------------------------------------------------- */

const struct fx_index *fx_index_ancestor(const struct fx_index *index, uint32_t height)
{
    while (index != NULL && index->height > height) {
        index = index->parent;
    }
    return index != NULL && index->height == height ? index : NULL;
}

const struct fx_index *fx_chain_tip(const struct fx_chain *c)
{
    (void)c;
    return W->tip;
}

const struct fx_index *fx_chain_genesis(const struct fx_chain *c)
{
    return c->levels[0].index;
}

const struct fx_index *fx_chain_find(const struct fx_chain *c, const struct fx_hash *id)
{
    for (size_t i = 0; i < c->n_all; i++) {
        if (fx_hash_equal(&c->all[i]->id, id)) {
            return c->all[i];
        }
    }
    return NULL;
}

const struct fx_index *fx_chain_at(const struct fx_chain *c, uint32_t height)
{
    return height <= W->tip->height ? c->levels[height].index : NULL;
}

const struct fx_index *fx_chain_best_header(const struct fx_chain *c)
{
    (void)c;
    return W->tip;
}

bool fx_chain_is_initial_download(const struct fx_chain *c)
{
    (void)c;
    return false;
}

void fx_chain_targets(const struct fx_chain *c, const struct fx_index *parent,
                      uint32_t nbits[FX_LANES])
{
    (void)c;
    (void)parent;
    nbits[FX_LANE_HASH] = W->params->limit_nbits[FX_LANE_HASH];
    nbits[FX_LANE_JOB] = W->params->limit_nbits[FX_LANE_JOB];
}

struct fx_block *fx_chain_read_block(struct fx_chain *c, const struct fx_index *index)
{
    const struct level *level = &c->levels[index->height];

    return level->index == index && level->block != NULL ? fx_block_ref(level->block) : NULL;
}

void fx_chain_subscribe(struct fx_chain *c, const struct fx_chain_events *events)
{
    c->events = *events;
}

/* ---- the mempool's interface ------------------------------------------------------------- */

static size_t index_of(const struct fx_tx *tx)
{
    size_t at = 0;

    while (mempool.txs[at] != tx) {
        at++;
    }
    return at;
}

/* The rival spends one of the inputs before this one as well. */
static bool spends_before(const struct fx_tx *tx, size_t in, const struct fx_tx *rival)
{
    for (size_t i = 0; i < in; i++) {
        if (fx_mempool_spender(&mempool, &tx->in[i].prevout) == rival) {
            return true;
        }
    }
    return false;
}

/* BIP125, rules 3, 4 and 6. */
static bool replace_rivals(const struct fx_tx *tx, int64_t fee)
{
    int64_t vsize = (int64_t)fx_tx_vsize(tx), lost = 0;

    for (size_t in = 0; in < tx->n_in; in++) {
        const struct fx_tx *rival = fx_mempool_spender(&mempool, &tx->in[in].prevout);

        if (rival != NULL && !spends_before(tx, in, rival)) {
            int64_t theirs = mempool.fees[index_of(rival)];

            if (fee * (int64_t)fx_tx_vsize(rival) <= theirs * vsize) {
                return false;
            }
            lost += theirs;
        }
    }
    if (lost > 0 && fee < lost + vsize) {
        return false;
    }
    for (size_t in = 0; in < tx->n_in; in++) {
        const struct fx_tx *rival = fx_mempool_spender(&mempool, &tx->in[in].prevout);

        if (rival != NULL) {
            drop_tx(index_of(rival), FX_REMOVED_REPLACED);
        }
    }
    return true;
}

bool world_submit(const struct fx_tx *tx, const char **why)
{
    struct fx_record_delta delta;
    enum fx_verdict verdict;
    int64_t fee;
    uint64_t burned;
    bool fine;

    fx_record_delta_init(&delta);
    fine = world_judge(tx, &delta, &fee, &burned, &verdict) == FX_VALID;
    fx_record_delta_clear(&delta);
    if (!fine) {
        *why = fx_verdict_string(verdict);
        return false;
    }
    if (fee - (int64_t)burned < (int64_t)fx_tx_vsize(tx)) {
        *why = "min relay fee not met";
        return false;
    }
    if (!replace_rivals(tx, fee - (int64_t)burned)) {
        *why = "insufficient fee";
        return false;
    }
    FX_CHECK(mempool.n < ENTRIES);
    mempool.fees[mempool.n] = fee - (int64_t)burned;
    mempool.heights[mempool.n] = W->tip->height;
    mempool.txs[mempool.n++] = fx_tx_ref(tx);
    if (mempool.events.tx_added != NULL) {
        mempool.events.tx_added(mempool.events.ctx, tx);
    }
    return true;
}

size_t world_mempool(const struct fx_tx *const **txs)
{
    *txs = (const struct fx_tx *const *)mempool.txs;
    return mempool.n;
}

void world_evict(void)
{
    while (mempool.n > 0) {
        drop_tx(mempool.n - 1, FX_REMOVED_SIZE);
    }
}

const struct fx_tx *fx_mempool_get(const struct fx_mempool *m, const struct fx_hash *txid)
{
    struct fx_mempool_entry entry;

    return fx_mempool_entry(m, txid, &entry) ? entry.tx : NULL;
}

const struct fx_tx *fx_mempool_spender(const struct fx_mempool *m,
                                       const struct fx_outpoint *outpoint)
{
    for (size_t i = 0; i < m->n; i++) {
        for (size_t in = 0; in < m->txs[i]->n_in; in++) {
            if (fx_outpoint_equal(&m->txs[i]->in[in].prevout, outpoint)) {
                return m->txs[i];
            }
        }
    }
    return NULL;
}

bool fx_mempool_entry(const struct fx_mempool *m, const struct fx_hash *txid,
                      struct fx_mempool_entry *entry)
{
    memset(entry, 0, sizeof *entry);
    for (size_t i = 0; i < m->n; i++) {
        if (fx_hash_equal(&m->txs[i]->txid, txid)) {
            entry->tx = m->txs[i];
            entry->fee = entry->descendant_fees = m->fees[i];
            entry->vsize = fx_tx_vsize(m->txs[i]);
            entry->height = m->heights[i];
            return true;
        }
    }
    return false;
}

void fx_mempool_info(const struct fx_mempool *m, struct fx_mempool_info *info)
{
    memset(info, 0, sizeof *info);
    info->count = m->n;
    info->min_fee_rate = 1000;
}

int64_t fx_mempool_estimate(const struct fx_mempool *m, unsigned blocks)
{
    (void)m;
    (void)blocks;
    return W->fee_rate != 0 ? W->fee_rate : 1000;
}

int64_t fx_mempool_estimate_challenge(const struct fx_mempool *m, unsigned blocks)
{
    return W->challenge_rate != 0 ? W->challenge_rate : fx_mempool_estimate(m, blocks);
}

size_t fx_mempool_list(const struct fx_mempool *m, struct fx_mempool_entry **entries)
{
    *entries = fx_xcalloc(m->n, sizeof **entries);
    for (size_t i = 0; i < m->n; i++) {
        (*entries)[i].tx = m->txs[i];
    }
    return m->n;
}

void fx_mempool_subscribe(struct fx_mempool *m, const struct fx_mempool_events *events)
{
    m->events = *events;
}

/* ---- the whole --------------------------------------------------------------------------- */

void world_start(void)
{
    struct fx_jobs_config config = {.base = W->base,
                                    .params = W->params,
                                    .chain = &chain,
                                    .mempool = &mempool,
                                    .blobs = &world_state.blobs,
                                    .net = &world_state.net,
                                    .wallets = &world_state.wallets,
                                    .pool = pool,
                                    .dir = W->dir,
                                    .challenge_above = W->challenge_above,
                                    .reoffers = W->reoffers,
                                    .watch = W->watch};
    char *error = NULL;

    W->jobs = fx_jobs_create(&config, &error);
    if (W->jobs == NULL) {
        FX_FAIL("%s", error);
    }
}

void world_stop(void)
{
    fx_jobs_destroy(W->jobs);
    W->jobs = NULL;
    memset(&chain.events, 0, sizeof chain.events);
    memset(&mempool.events, 0, sizeof mempool.events);
    world_state.blobs.complete = NULL;
}

struct world *world_open(uint32_t blocks)
{
    struct fx_block *genesis;

    /* A test that failed has left its world behind. */
    memset(&world_state, 0, sizeof world_state);
    memset(&chain, 0, sizeof chain);
    memset(&mempool, 0, sizeof mempool);
    n_coins = 0;
    W->params = fx_params_get(FX_REGTEST);
    W->base = event_base_new();
    W->dir = fx_unit_tmpdir();
    pool = fx_pool_create(1);
    for (unsigned i = 0; i < 2; i++) {
        fx_test_key(i + 1, &W->keys[W->n_keys++]);
    }
    W->solver = W->keys[1].xonly;
    genesis = fx_genesis_block(W->params);
    chain.levels[0].block = genesis;
    W->tip = chain.levels[0].index = make_index(genesis, NULL);
    fx_clock_set_mock(W->tip->header.time);
    for (uint32_t i = 0; i < blocks; i++) {
        world_mine(600);
    }
    world_start();
    return W;
}

void world_close(void)
{
    world_stop();
    world_evict();
    for (size_t i = 0; i < n_coins; i++) {
        fx_coin_clear(&coins[i].coin);
    }
    n_coins = 0;
    for (size_t h = 0; h < WORLD_HEIGHT; h++) {
        if (h <= W->tip->height) {
            fx_block_unref(chain.levels[h].block);
        }
        fx_block_unref(chain.levels[h].later);
        fx_record_delta_clear(&chain.levels[h].delta);
    }
    for (size_t i = 0; i < chain.n_all; i++) {
        free(chain.all[i]);
    }
    memset(&chain, 0, sizeof chain);
    world_blobs_clear();
    fx_pool_destroy(pool);
    event_base_free(W->base);
    fx_clock_set_mock(0);
}

void world_run(void)
{
    for (unsigned i = 0; i < 3; i++) {
        event_base_loop(W->base, EVLOOP_NONBLOCK);
    }
}

bool world_wait(bool (*reached)(void *arg), void *arg)
{
    for (unsigned i = 0; i < 2000; i++) {
        event_base_loop(W->base, EVLOOP_NONBLOCK);
        if (reached(arg)) {
            return true;
        }
        fx_clock_sleep_ms(5);
    }
    return false;
}

static void dump_hash(struct fx_buf *text, const char *name, const struct fx_hash *hash)
{
    char hex[FX_HASH_HEX];

    fx_hash_to_hex(hash, hex);
    fx_buf_printf(text, " %s %.16s", name, hex);
}

char *world_dump(void)
{
    struct fx_buf text = FX_BUF_INIT;
    struct fx_task_info *infos;
    size_t n = fx_jobs_tasks(W->jobs, &(struct fx_task_filter){.job = NULL}, &infos);

    for (size_t i = 0; i < n; i++) {
        const struct fx_task_info *info = &infos[i];

        dump_hash(&text, "task", &info->origin.txid);
        fx_buf_printf(&text, ":%u index %u status %d escrow %lld h0 %u", info->origin.index,
                      info->index, (int)info->status, (long long)info->escrow, info->h0);
        dump_hash(&text, "claim", &info->claim.txid);
        fx_buf_printf(&text, ":%u at %u bond %lld burn %lld", info->claim.index, info->claim_height,
                      (long long)info->bond, (long long)info->burn);
        dump_hash(&text, "solver", &info->solver);
        dump_hash(&text, "result", &info->result);
        dump_hash(&text, "output", &info->outpoint.txid);
        fx_buf_printf(&text, ":%u restored %u asked %u tile %u reason %d", info->outpoint.index,
                      info->restored, info->asked, info->tile, (int)info->reason);
        for (size_t e = 0; e < info->n_events; e++) {
            fx_buf_printf(&text, " step %d at %u tile %u", (int)info->events[e].action,
                          info->events[e].height, info->events[e].tile);
            dump_hash(&text, "", &info->events[e].txid);
        }
        dump_hash(&text, "end", &info->end_txid);
        fx_buf_printf(&text, " at %u by %d backed %d blocks", info->end_height,
                      (int)info->end_action, info->backed);
        for (size_t b = 0; b < info->n_blocks; b++) {
            dump_hash(&text, "", &info->blocks[b]);
        }
        fx_buf_u8(&text, '\n');
    }
    fx_buf_u8(&text, 0);
    free(infos);
    return (char *)fx_buf_steal(&text, &n);
}
