/* The world of the templates, in memory. */
#include "qa/unit/template/world.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

#define HEIGHT 30000

struct world world;

/* ---- the chain and the pool, as src/iface has them ---- */

enum fx_signal_state fx_index_signal_state(const struct fx_index *parent, unsigned bit,
                                           uint32_t *since)
{
    (void)parent;
    (void)bit;
    *since = 0;
    return FX_SIGNAL_DEFINED;
}

const struct fx_index *fx_chain_tip(const struct fx_chain *chain)
{
    (void)chain;
    return &world.tip;
}

void fx_chain_targets(const struct fx_chain *chain, const struct fx_index *parent,
                      uint32_t nbits[FX_LANES])
{
    (void)chain;
    (void)parent;
    nbits[0] = nbits[1] = 0x207fffff;
}

static enum fx_lookup view_coin(void *ctx, const struct fx_outpoint *outpoint, struct fx_coin *coin)
{
    (void)ctx;
    if (world.task_spent || !fx_outpoint_equal(outpoint, &world.task)) {
        return FX_MISSING;
    }
    struct fx_hash program;
    uint8_t script[FX_TASK_SCRIPT_SIZE];
    fx_task_program((struct fx_span){world.preimage.data, world.preimage.len}, &program);
    fx_task_script(&program, script);
    struct fx_txout out = {.value = 1000000, .script = {script, sizeof(script)}};
    fx_coin_set(coin, &out, 5, false);
    return FX_FOUND;
}

static enum fx_lookup view_record(void *ctx, const struct fx_outpoint *origin,
                                  struct fx_task_record *record)
{
    (void)ctx;
    for (size_t i = 0; i < world.n_records; i++) {
        if (fx_outpoint_equal(&world.records[i].origin, origin)) {
            *record = world.records[i].record;
            return FX_FOUND;
        }
    }
    return FX_MISSING;
}

void fx_chain_view(struct fx_chain *chain, struct fx_view *view)
{
    (void)chain;
    *view = (struct fx_view){.coin = view_coin, .record = view_record};
}

/* What the pool says that the block's transactions have. */
static uint64_t sigops_of(const struct fx_block *block)
{
    uint64_t cost = 0;

    for (size_t i = 1; i < block->n_txs; i++) {
        for (size_t j = 0; j < world.n_pool; j++) {
            cost += world.pool[j].tx == block->txs[i] ? world.pool[j].sigops : 0;
        }
    }
    return cost;
}

enum fx_result fx_chain_test_block(struct fx_chain *chain, const struct fx_block *block,
                                   enum fx_verdict *why)
{
    (void)chain;
    world.tested++;
    enum fx_result result =
        fx_check_block(world.params, block, world.tip.height + 1, world.tip.median_time, why);
    if (result != FX_VALID && result != FX_INVALID_COPY) {
        return result;
    }
    if (result == FX_INVALID_COPY && *why != FX_BAD_WORK_OPEN) {
        return result; /* zeros do not open: what a template lacks */
    }
    if (world.broken) {
        *why = FX_BAD_CB_AMOUNT;
        return FX_INVALID;
    }
    if (sigops_of(block) > FX_BLOCK_SIGOPS_COST_MAX) {
        *why = FX_BAD_BLK_SIGOPS;
        return FX_INVALID;
    }
    for (size_t i = 1; world.poison && i < block->n_txs; i++) {
        if (fx_hash_equal(&block->txs[i]->txid, &world.poison->txid)) {
            *why = FX_BAD_TASK_RECORD;
            return FX_INVALID;
        }
    }
    *why = FX_OK;
    return FX_VALID;
}

size_t fx_mempool_list(const struct fx_mempool *pool, struct fx_mempool_entry **entries)
{
    (void)pool;
    *entries = fx_xmemdup(world.pool, sizeof(world.pool));
    return world.n_pool;
}

/* ---- what tests do ---- */

void world_open(void)
{
    memset(&world, 0, sizeof(world));
    world.params = fx_params_get(FX_REGTEST);
    world.tip.height = HEIGHT;
    memset(&world.tip.id, 0x11, sizeof(world.tip.id));
    world.tip.median_time = world.params->genesis_time + 500;
    world.tip.header.time = (uint32_t)world.tip.median_time;
    fx_clock_set_mock(world.tip.median_time + 1000);
    fx_test_key(2, &world.client);
    fx_test_key(3, &world.solver);
    fx_test_job_init(&world.job, 128, 128, 256, 1, 1, &world.client.xonly);
    fx_task_fresh_preimage(&world.job.spec, 0, &world.preimage);
    memset(&world.task.txid, 0x22, sizeof(world.task.txid));
    /* The fakes above look at no handle; a pool that is not NULL is asked. */
    struct fx_templates_config config = {.params = world.params,
                                         .mempool = (struct fx_mempool *)&world};
    world.templates = fx_templates_create(&config);
}

void world_close(void)
{
    fx_templates_destroy(world.templates);
    for (size_t i = 0; i < world.n_pool; i++) {
        fx_tx_unref(world.pool[i].tx);
    }
    fx_buf_clear(&world.preimage);
    fx_test_job_clear(&world.job);
    fx_clock_set_mock(0);
}

struct fx_tx *world_add_tx(const struct fx_tx *parent, size_t weight, int64_t fee, int64_t burned,
                           bool witness)
{
    struct fx_outpoint prevout = {.index = (uint32_t)world.n_pool};
    struct fx_txb b;
    uint8_t *script = fx_xcalloc(weight / 4 + 1, 1);
    FX_CHECK(world.n_pool < WORLD_POOL);
    prevout.txid.b[0] = 0x33;
    if (parent) {
        prevout = (struct fx_outpoint){.txid = parent->txid};
    }
    script[0] = 0x6a;
    fx_txb_init(&b);
    fx_txb_add_in(&b, &prevout, FX_SEQUENCE_FINAL);
    fx_txb_add_out(&b, 1000, script, weight / 4);
    if (witness) {
        fx_txb_push_witness(&b, 0, script, 1);
    }
    struct fx_tx *tx = fx_txb_build(&b);
    world.pool[world.n_pool++] = (struct fx_mempool_entry){.tx = tx,
                                                           .fee = fee,
                                                           .burned = burned,
                                                           .weight = fx_tx_weight(tx),
                                                           .vsize = fx_tx_vsize(tx)};
    fx_txb_clear(&b);
    free(script);
    return tx;
}

struct fx_outpoint world_add_settled(uint32_t height, uint64_t bricks, uint64_t burn)
{
    struct fx_outpoint origin = {.index = (uint32_t)world.n_records};
    FX_CHECK(world.n_records < WORLD_RECORDS);
    origin.txid.b[0] = 0x44;
    world.records[world.n_records].origin = origin;
    world.records[world.n_records++].record = (struct fx_task_record){
        .settled = height, .solver = world.solver.xonly, .bricks = bricks, .burn = burn};
    return origin;
}
