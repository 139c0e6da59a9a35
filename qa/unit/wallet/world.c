/* The world of a wallet, in memory. */
#include "qa/unit/wallet/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "qa/unit/harness.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

struct world world;

/* One listener each: the set of wallets. */
static struct fx_chain_events chain_events;
static struct fx_mempool_events pool_events;

/* ---- the chain, as src/iface/chain.h has it ---- */

const struct fx_index *fx_index_ancestor(const struct fx_index *index, uint32_t height)
{
    while (index && index->height > height) {
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

int64_t fx_chain_pruned_height(const struct fx_chain *chain)
{
    (void)chain;
    return -1;
}

const struct fx_index *fx_chain_tip(const struct fx_chain *chain)
{
    (void)chain;
    return world.index[world.height];
}

const struct fx_index *fx_chain_genesis(const struct fx_chain *chain)
{
    (void)chain;
    return world.index[0];
}

const struct fx_index *fx_chain_at(const struct fx_chain *chain, uint32_t height)
{
    (void)chain;
    return height <= world.height ? world.index[height] : NULL;
}

const struct fx_index *fx_chain_find(const struct fx_chain *chain, const struct fx_hash *id)
{
    (void)chain;
    for (uint32_t i = 0; i <= world.height; i++) {
        if (fx_hash_equal(&world.index[i]->id, id)) {
            return world.index[i];
        }
    }
    for (size_t i = 0; i < world.n_stale; i++) {
        if (fx_hash_equal(&world.stale[i]->id, id)) {
            return world.stale[i];
        }
    }
    return NULL;
}

struct fx_block *fx_chain_read_block(struct fx_chain *chain, const struct fx_index *index)
{
    (void)chain;
    world.read_blocks++;
    return fx_block_ref(world.block[index->height]);
}

static bool spent_by(const struct fx_tx *tx, const struct fx_outpoint *outpoint)
{
    for (size_t i = 0; i < tx->n_in; i++) {
        if (fx_outpoint_equal(&tx->in[i].prevout, outpoint)) {
            return true;
        }
    }
    return false;
}

/* The coin after the tip, or after the pool as well. */
static enum fx_lookup find_coin(const struct fx_outpoint *outpoint, struct fx_coin *coin, bool pool)
{
    enum fx_lookup found = FX_MISSING;
    for (uint32_t h = 1; h <= world.height; h++) {
        for (size_t i = 0; i < world.block[h]->n_txs; i++) {
            const struct fx_tx *tx = world.block[h]->txs[i];
            if (fx_hash_equal(&tx->txid, &outpoint->txid) && outpoint->index < tx->n_out) {
                fx_coin_set(coin, &tx->out[outpoint->index], h, i == 0);
                found = FX_FOUND;
            }
            if (found == FX_FOUND && spent_by(tx, outpoint)) {
                fx_coin_clear(coin);
                return FX_MISSING;
            }
        }
    }
    for (size_t i = 0; pool && i < world.n_pool; i++) {
        const struct fx_tx *tx = world.pool[i];
        if (fx_hash_equal(&tx->txid, &outpoint->txid) && outpoint->index < tx->n_out) {
            fx_coin_set(coin, &tx->out[outpoint->index], world.height + 1, false);
            found = FX_FOUND;
        }
    }
    return found;
}

static enum fx_lookup chain_coin(void *ctx, const struct fx_outpoint *outpoint,
                                 struct fx_coin *coin)
{
    (void)ctx;
    return find_coin(outpoint, coin, false);
}

static enum fx_lookup pool_coin(void *ctx, const struct fx_outpoint *outpoint, struct fx_coin *coin)
{
    (void)ctx;
    return find_coin(outpoint, coin, true);
}

static enum fx_lookup no_record(void *ctx, const struct fx_outpoint *origin,
                                struct fx_task_record *record)
{
    (void)ctx;
    (void)origin;
    (void)record;
    return FX_MISSING;
}

static enum fx_lookup ancestor(void *ctx, uint32_t height, struct fx_ancestor *out)
{
    (void)ctx;
    const struct fx_index *index = fx_chain_at(NULL, height);
    if (!index) {
        return FX_MISSING;
    }
    *out = (struct fx_ancestor){.id = index->id,
                                .height = height,
                                .time = index->header.time,
                                .median_time = index->median_time};
    return FX_FOUND;
}

void fx_chain_view(struct fx_chain *chain, struct fx_view *view)
{
    (void)chain;
    *view = (struct fx_view){.coin = chain_coin, .record = no_record, .ancestor = ancestor};
}

void fx_chain_subscribe(struct fx_chain *chain, const struct fx_chain_events *events)
{
    (void)chain;
    chain_events = *events;
}

/* ---- the pool, as src/iface/mempool.h has it ---- */

static int find_pool(const struct fx_hash *txid)
{
    for (size_t i = 0; i < world.n_pool; i++) {
        if (fx_hash_equal(&world.pool[i]->txid, txid)) {
            return (int)i;
        }
    }
    return -1;
}

static bool judge(const struct fx_tx *tx, struct fx_accept *out)
{
    struct fx_view view = {.coin = pool_coin, .record = no_record, .ancestor = ancestor};
    struct fx_connect_context context = {.params = world.params,
                                         .view = &view,
                                         .height = world.height + 1,
                                         .parent_median_time =
                                             world.index[world.height]->median_time};
    struct fx_record_delta delta;
    struct fx_connected_tx connected;
    enum fx_verdict why = fx_check_tx(world.params, tx);
    fx_record_delta_init(&delta);
    bool ok = why == FX_OK && fx_connect_tx(&context, tx, &delta, &connected, &why) == FX_VALID;
    if (ok) {
        out->fee = connected.fee;
        for (size_t i = 0; ok && i < tx->n_in; i++) {
            struct fx_script_check check = {
                .tx = tx, .in = i, .spent = connected.spent, .cache = &connected.cache};
            why = fx_script_check_run(&check);
            ok = why == FX_OK;
        }
        fx_connected_tx_clear(&connected, tx->n_in);
    }
    fx_record_delta_clear(&delta);
    snprintf(out->reason, sizeof(out->reason), "%s", fx_verdict_string(why));
    return ok;
}

void fx_mempool_accept(struct fx_mempool *pool, const struct fx_tx *tx, bool test,
                       struct fx_accept *out)
{
    (void)pool;
    *out = (struct fx_accept){.result = FX_INVALID, .vsize = fx_tx_vsize(tx)};
    if (world.refuse) {
        snprintf(out->reason, sizeof(out->reason), "%s", world.refuse);
        return;
    }
    for (size_t i = 0; i < world.n_pool; i++) {
        for (size_t j = 0; j < tx->n_in; j++) {
            if (spent_by(world.pool[i], &tx->in[j].prevout)) {
                snprintf(out->reason, sizeof(out->reason), "txn-mempool-conflict");
                return;
            }
        }
    }
    if (!judge(tx, out)) {
        return;
    }
    out->result = FX_VALID;
    if (!test) {
        FX_CHECK(world.n_pool < WORLD_POOL);
        world.pool[world.n_pool] = fx_tx_ref(tx);
        world.fees[world.n_pool++] = out->fee;
        pool_events.tx_added(pool_events.ctx, tx);
    }
}

const struct fx_tx *fx_mempool_get(const struct fx_mempool *pool, const struct fx_hash *txid)
{
    (void)pool;
    int at = find_pool(txid);
    return at < 0 ? NULL : world.pool[at];
}

bool fx_mempool_entry(const struct fx_mempool *pool, const struct fx_hash *txid,
                      struct fx_mempool_entry *entry)
{
    (void)pool;
    int at = find_pool(txid);
    if (at < 0) {
        return false;
    }
    *entry = (struct fx_mempool_entry){.tx = world.pool[at], .fee = world.fees[at]};
    return true;
}

size_t fx_mempool_list(const struct fx_mempool *pool, struct fx_mempool_entry **entries)
{
    *entries = fx_xcalloc(world.n_pool + 1, sizeof(**entries));
    for (size_t i = 0; i < world.n_pool; i++) {
        fx_mempool_entry(pool, &world.pool[i]->txid, &(*entries)[i]);
    }
    return world.n_pool;
}

int64_t fx_mempool_estimate(const struct fx_mempool *pool, unsigned blocks)
{
    (void)pool;
    (void)blocks;
    return 1000;
}

void fx_mempool_subscribe(struct fx_mempool *pool, const struct fx_mempool_events *events)
{
    (void)pool;
    pool_events = *events;
}

void fx_net_relay_tx(struct fx_net *net, const struct fx_tx *tx)
{
    (void)net;
    (void)tx;
    world.relayed++;
}

void fx_net_forget_tx(struct fx_net *net, const struct fx_hash *txid)
{
    (void)net;
    (void)txid;
    world.forgotten++;
}

/* ---- what tests do ---- */

static void make_set(void)
{
    struct fx_wallets_config config = {.params = world.params, .dir = world.dir};
    char *error = NULL;
    world.set = fx_wallets_create(&config, &error);
    FX_CHECK(world.set != NULL);
    /* Only its address counts: the fake relays to nobody. */
    fx_wallets_set_net(world.set, (struct fx_net *)&world);
}

static struct fx_index *make_index(const struct fx_block *block, struct fx_index *parent)
{
    struct fx_index *index = fx_xcalloc(1, sizeof(*index));
    index->id = block->id;
    index->header = block->header;
    index->parent = parent;
    index->height = parent ? parent->height + 1 : 0;
    index->median_time = block->header.time;
    index->work = parent ? parent->work : fx_u256_zero;
    fx_u256_add(&index->work, &fx_u256_one, &index->work);
    return index;
}

void world_open(void)
{
    memset(&world, 0, sizeof(world));
    world.params = fx_params_get(FX_REGTEST);
    world.dir = fx_unit_tmpdir();
    fx_clock_set_mock(world.params->genesis_time + 100000);
    world.block[0] = fx_genesis_block(world.params);
    world.index[0] = make_index(world.block[0], NULL);
    make_set();
}

void world_restart(void)
{
    fx_wallets_destroy(world.set);
    make_set();
}

void world_close(void)
{
    fx_wallets_destroy(world.set);
    for (uint32_t i = 0; i <= world.height; i++) {
        fx_block_unref(world.block[i]);
        free(world.index[i]);
    }
    for (size_t i = 0; i < world.n_stale; i++) {
        free(world.stale[i]);
    }
    for (size_t i = 0; i < world.n_pool; i++) {
        fx_tx_unref(world.pool[i]);
    }
    fx_clock_set_mock(0);
}

void world_drop(const struct fx_hash *txid, enum fx_tx_removal reason)
{
    int at = find_pool(txid);
    FX_CHECK(at >= 0);
    struct fx_tx *tx = world.pool[at];
    world.n_pool--;
    for (size_t i = (size_t)at; i < world.n_pool; i++) {
        world.pool[i] = world.pool[i + 1];
        world.fees[i] = world.fees[i + 1];
    }
    pool_events.tx_removed(pool_events.ctx, tx, reason);
    fx_tx_unref(tx);
}

static void clean_pool(const struct fx_tx *mined)
{
    if (find_pool(&mined->txid) >= 0) {
        world_drop(&mined->txid, FX_REMOVED_BLOCK);
    }
    for (size_t i = world.n_pool; i-- > 0;) {
        for (size_t j = 0; j < mined->n_in; j++) {
            if (spent_by(world.pool[i], &mined->in[j].prevout)) {
                world_drop(&world.pool[i]->txid, FX_REMOVED_CONFLICT);
                break;
            }
        }
    }
}

void world_mine(struct fx_span script, struct fx_tx *const *txs, size_t n)
{
    static const uint8_t nobody[1] = {0x6a};
    struct fx_outpoint null = {.index = UINT32_MAX};
    struct fx_tx *all[WORLD_POOL + 1];
    struct fx_txb b;
    uint8_t unique[8];
    uint32_t height = world.height + 1;
    FX_CHECK(height < WORLD_BLOCKS && n <= WORLD_POOL);
    fx_store_u32(unique, height);
    fx_store_u32(unique + 4, world.salt++);
    fx_txb_init(&b);
    fx_txb_add_in(&b, &null, FX_SEQUENCE_FINAL);
    fx_txb_set_script_sig(&b, 0, unique, sizeof(unique));
    fx_txb_add_out(&b, fx_subsidy_full(world.params, height), script.len ? script.data : nobody,
                   script.len ? script.len : sizeof(nobody));
    all[0] = fx_txb_build(&b);
    fx_txb_clear(&b);
    for (size_t i = 0; i < n; i++) {
        all[i + 1] = txs[i];
    }
    struct fx_header header = {.version = fx_header_version(FX_LANE_HASH),
                               .prev = world.index[world.height]->id,
                               .time = world.index[world.height]->header.time + 600,
                               .nbits = 0x207fffff,
                               .nonce = world.salt};
    struct fx_span none = {0};
    struct fx_block *block = fx_block_make(world.params, &header, none, all, n + 1);
    fx_tx_unref(all[0]);
    world.height = height;
    world.block[height] = block;
    world.index[height] = make_index(block, world.index[height - 1]);
    for (size_t i = 1; i < block->n_txs; i++) {
        clean_pool(block->txs[i]);
    }
    chain_events.block_connected(chain_events.ctx, world.index[height], block, NULL);
    chain_events.tip_changed(chain_events.ctx, world.index[height]);
}

void world_mine_empty(unsigned n)
{
    struct fx_span none = {0};
    for (unsigned i = 0; i < n; i++) {
        world_mine(none, NULL, 0);
    }
}

void world_mine_pool(void)
{
    struct fx_tx *txs[WORLD_POOL] = {0};
    struct fx_span none = {0};
    size_t n = world.n_pool;
    for (size_t i = 0; i < n; i++) {
        txs[i] = fx_tx_ref(world.pool[i]);
    }
    world_mine(none, txs, n);
    for (size_t i = 0; i < n; i++) {
        fx_tx_unref(txs[i]);
    }
}

void world_cut(void)
{
    struct fx_index *index = world.index[world.height];
    struct fx_block *block = world.block[world.height];
    world.stale[world.n_stale++] = index;
    world.height--;
    chain_events.block_disconnected(chain_events.ctx, index, block, NULL);
    chain_events.tip_changed(chain_events.ctx, world.index[world.height]);
    fx_block_unref(block);
}

struct fx_wallet *world_wallet(const char *name, const char *mnemonic)
{
    struct fx_wallet_error error = {0};
    struct fx_wallet *wallet = fx_wallet_create(world.set, name, mnemonic, &error);
    FX_CHECK_STR(error.text, "");
    FX_CHECK(wallet != NULL);
    return wallet;
}

struct fx_span world_script(struct fx_wallet *wallet, enum fx_key_use use)
{
    static uint8_t script[8][34]; /* a test holds a few at a time */
    static unsigned at;
    struct fx_wallet_error error;
    struct fx_hash key;
    FX_CHECK(fx_wallet_new_key(wallet, use, NULL, &key, &error));
    uint8_t *out = script[at++ % 8];
    fx_script_p2tr(key.b, out);
    return (struct fx_span){out, 34};
}

void world_pay(struct fx_wallet *wallet, unsigned coins)
{
    for (unsigned i = 0; i < coins; i++) {
        world_mine(world_script(wallet, FX_KEY_RECEIVE), NULL, 0);
    }
    world_mine_empty(100);
}

struct fx_wallet_balance world_balance(const struct fx_wallet *wallet)
{
    struct fx_wallet_balance balance;
    fx_wallet_balance(wallet, &balance);
    return balance;
}
