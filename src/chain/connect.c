/* One block onto the state, one block off it. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "src/chain/chain_int.h"
#include "src/sys/crash.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

/* Threads are woken for no fewer script checks than this: to wake one takes as long as a few. */
#define CHECKS_AT_ONCE 16
/* Blocks of work above one whose scripts may be assumed to be valid: two weeks of one lane. */
#define ASSUMED_DEPTH 2016

/* ---- judging ---- */

/* The checks of one block while they run; threads look at it. */
struct script_run {
    const struct fx_script_check *checks; /* set before the first index is given out */
    struct fx_sigcache *cache;
    struct fx_sig_memory memory;
    _Atomic size_t first_bad; /* the lowest index that fails: the same on any number of threads */
    struct fx_pool_loop loop;
    bool ended;
};

static bool passes(const struct script_run *run, size_t at)
{
    struct fx_script_check check = run->checks[at];

    if (fx_sigcache_knows_tx(run->cache, &check.tx->wtxid)) {
        return true;
    }
    check.memory = &run->memory;
    return fx_script_check_run(&check) == FX_OK;
}

static void run_script(void *arg, size_t at)
{
    struct script_run *run = arg;
    size_t seen = atomic_load(&run->first_bad);

    if (at > seen || passes(run, at)) {
        return;
    }
    while (at < seen && !atomic_compare_exchange_weak(&run->first_bad, &seen, at)) {
    }
}

/* In Bitcoin Core's words. */
static void log_script(const struct fx_script_check *check, enum fx_verdict why)
{
    char id[FX_HASH_HEX];

    fx_hash_to_id(&check->tx->txid, id);
    fx_log_info("CheckInputScripts on %s failed with %s", id, fx_verdict_string(why));
}

static void begin_scripts(struct fx_chain *chain, struct script_run *run)
{
    *run = (struct script_run){.first_bad = SIZE_MAX, .cache = chain->sigcache};
    /* What blocks bring comes once: it would only push out what the mempool learned. */
    fx_sigcache_memory(chain->sigcache, false, &run->memory);
    fx_pool_loop_begin(&run->loop, chain->pool, run_script, run);
}

static void scripts_ready(void *ctx, const struct fx_script_check *checks, size_t n)
{
    struct script_run *run = ctx;

    if (run->checks == NULL) {
        run->checks = checks;
    }
    if (n - run->loop.n >= CHECKS_AT_ONCE) {
        fx_pool_loop_more(&run->loop, n);
    }
}

/* Nothing that waits is run. */
static void stop_scripts(void *ctx)
{
    struct script_run *run = ctx;

    atomic_store(&run->first_bad, 0);
    fx_pool_loop_end(&run->loop);
    run->ended = true;
}

static enum fx_result judge(struct fx_chain *chain, const struct fx_block *block,
                            const struct fx_check_sink *sink, struct fx_connected *out,
                            enum fx_verdict *why)
{
    struct fx_view view;
    struct fx_connect_context context = {
        .params = chain->params,
        .view = &view,
        .height = chain->tip->height + 1,
        .parent_median_time = chain->tip->median_time,
        .sink = sink,
    };
    uint32_t nbits[FX_LANES];

    fx_chain_view(chain, &view);
    fx_chain_targets(chain, chain->tip, nbits);
    return fx_connect_block(&context, block, nbits[FX_LANE_JOB], out, why);
}

enum fx_result fx_chain_judge(struct fx_chain *chain, const struct fx_block *block, bool scripts,
                              struct fx_connected *out, enum fx_verdict *why)
{
    struct script_run run;
    struct fx_check_sink sink = {.ctx = &run, .ready = scripts_ready, .stop = stop_scripts};
    enum fx_result result;
    size_t bad;

    if (!scripts) {
        return judge(chain, block, NULL, out, why);
    }
    begin_scripts(chain, &run);
    result = judge(chain, block, &sink, out, why);
    if (run.ended) {
        return result;
    }
    if (out->n_checks > run.loop.n) {
        fx_pool_loop_more(&run.loop, out->n_checks);
    }
    fx_pool_loop_end(&run.loop);
    bad = atomic_load(&run.first_bad);
    if (bad != SIZE_MAX) {
        *why = fx_script_check_run(&out->checks[bad]);
        log_script(&out->checks[bad], *why);
        fx_connected_clear(out);
        return FX_INVALID;
    }
    return FX_VALID;
}

bool fx_chain_needs_scripts(const struct fx_chain *chain, const struct fx_index *index)
{
    const struct fx_index *assumed, *best = chain->best_header;
    struct fx_u256 above, deep;

    if (fx_hash_is_zero(&chain->assume_valid)) {
        return true;
    }
    assumed = fx_chain_entry(chain, &chain->assume_valid);
    if (assumed == NULL || fx_index_ancestor(assumed, index->height) != index ||
        fx_index_ancestor(best, index->height) != index || best == chain->genesis) {
        return true;
    }
    /* Who is kept from the network's chain is not to take another's scripts unseen. */
    if (fx_u256_cmp(&best->work, &chain->min_work) < 0) {
        return true;
    }
    /* Somebody who makes a chain for us with bad scripts has to do this work as well. */
    fx_u256_sub(&best->work, &best->parent->work, &deep);
    fx_u256_mul64(&deep, ASSUMED_DEPTH, &deep);
    fx_u256_sub(&best->work, &index->work, &above);
    return fx_u256_cmp(&above, &deep) <= 0;
}

/* ---- the best chain by height ---- */

void fx_chain_push_active(struct fx_chain *chain, struct fx_index *index)
{
    uint32_t h = index->height;

    if (h >= chain->active_cap) {
        chain->active_cap = chain->active_cap * 2 + 1024;
        chain->active =
            fx_xreallocarray(chain->active, chain->active_cap, sizeof(struct fx_index *));
        chain->lane_heights = fx_xreallocarray(chain->lane_heights, chain->active_cap,
                                               sizeof(chain->lane_heights[0]));
    }
    chain->active[h] = index;
    if (h == 0) {
        memset(chain->lane_heights[0], 0, sizeof(chain->lane_heights[0]));
    } else {
        memcpy(chain->lane_heights[h], chain->lane_heights[h - 1], sizeof(chain->lane_heights[0]));
        chain->lane_heights[h][index->lane] = h;
    }
    chain->tip = index;
}

/* ---- applying ---- */

static bool spend(struct fx_chain *chain, const struct fx_outpoint *outpoint)
{
    enum fx_lookup result = fx_state_spend_coin(chain->state, outpoint);

    if (result != FX_FOUND) {
        fx_chain_set_fatal(chain, result == FX_MISSING ? "the chain state lacks a coin"
                                                       : "the chain state cannot be read");
    }
    return result == FX_FOUND;
}

static bool set_record(struct fx_chain *chain, const struct fx_outpoint *origin,
                       const struct fx_task_record *record)
{
    if (fx_state_set_record(chain->state, origin, record) == FX_FOUND) {
        return true;
    }
    fx_chain_set_fatal(chain, "the chain state cannot be read");
    return false;
}

static bool apply_tx(struct fx_chain *chain, const struct fx_tx *tx, uint32_t height, bool coinbase)
{
    struct fx_outpoint outpoint = {.txid = tx->txid};
    struct fx_coin coin;
    size_t i;

    for (i = 0; !coinbase && i < tx->n_in; i++) {
        if (!spend(chain, &tx->in[i].prevout)) {
            return false;
        }
    }
    for (i = 0; i < tx->n_out; i++) {
        if (!fx_script_is_unspendable(tx->out[i].script)) {
            outpoint.index = (uint32_t)i;
            fx_coin_set(&coin, &tx->out[i], height, coinbase);
            fx_state_add_coin(chain->state, &outpoint, &coin);
        }
    }
    return true;
}

static bool apply(struct fx_chain *chain, const struct fx_index *index,
                  const struct fx_block *block, const struct fx_record_delta *records)
{
    size_t i;

    for (i = 0; i < block->n_txs; i++) {
        if (!apply_tx(chain, block->txs[i], index->height, i == 0)) {
            return false;
        }
        fx_crash_point("connect-apply");
    }
    for (i = 0; i < records->n; i++) {
        const struct fx_record_change *change = &records->changes[i];

        if (!set_record(chain, &change->origin, change->has ? &change->after : NULL)) {
            return false;
        }
    }
    fx_state_set_best(chain->state, &index->id);
    return true;
}

static void tell_connected(struct fx_chain *chain, const struct fx_index *index,
                           const struct fx_block *block, const struct fx_undo *undo)
{
    size_t i;

    for (i = 0; i < chain->n_listeners; i++) {
        const struct fx_chain_events *events = &chain->listeners[i];

        if (events->block_connected != NULL) {
            events->block_connected(events->ctx, index, block, undo);
        }
    }
}

/* In Bitcoin Core's words, which programs that read logs look for. */
static void log_tip(const struct fx_index *tip)
{
    char id[FX_HASH_HEX];

    fx_hash_to_id(&tip->id, id);
    fx_log_info("UpdateTip: new best=%s height=%u", id, tip->height);
}

static enum fx_result connect(struct fx_chain *chain, struct fx_index *index,
                              const struct fx_block *block, enum fx_verdict *why)
{
    struct fx_connected connected;
    enum fx_result result =
        fx_chain_judge(chain, block, fx_chain_needs_scripts(chain, index), &connected, why);

    if (result == FX_FAILED) {
        fx_chain_set_fatal(chain, "the chain state cannot be read");
    }
    if (result != FX_VALID) {
        return result;
    }
    fx_crash_point("connect-undo");
    if (!fx_chain_store_undo(chain, index, &connected.undo) ||
        !apply(chain, index, block, &connected.undo.records)) {
        fx_connected_clear(&connected);
        return FX_FAILED;
    }
    index->status |= FX_INDEX_CONNECTED;
    fx_chain_touch(chain, index);
    fx_chain_push_active(chain, index);
    chain->blocks_since_flush++;
    fx_crash_point("connect-done");
    log_tip(index);
    fx_log(FX_LOG_CHAIN, "block connected at height %u, lane %u, %zu transactions", index->height,
           index->lane, block->n_txs);
    tell_connected(chain, index, block, &connected.undo);
    fx_connected_clear(&connected);
    return FX_VALID;
}

enum fx_result fx_chain_connect_tip(struct fx_chain *chain, struct fx_index *index,
                                    const struct fx_block *block, bool *lost, enum fx_verdict *why)
{
    struct fx_block *loaded = NULL;
    enum fx_result result;

    *lost = false;
    if (block == NULL) {
        switch (fx_ahead_take(chain, index, &loaded)) {
        case FX_DATA_OK:
            break;
        case FX_DATA_LOST:
            *lost = true;
            return FX_FAILED;
        case FX_DATA_FAILED:
            fx_chain_set_fatal(chain, "a block file cannot be read");
            return FX_FAILED;
        }
        block = loaded;
    }
    result = connect(chain, index, block, why);
    fx_block_unref(loaded);
    return result;
}

/* ---- undoing ---- */

static bool revert_tx(struct fx_chain *chain, const struct fx_tx *tx, struct fx_coin *spent)
{
    struct fx_outpoint outpoint = {.txid = tx->txid};
    size_t i;

    for (i = tx->n_out; i > 0; i--) {
        outpoint.index = (uint32_t)(i - 1);
        if (!fx_script_is_unspendable(tx->out[i - 1].script) && !spend(chain, &outpoint)) {
            return false;
        }
    }
    for (i = spent != NULL ? tx->n_in : 0; i > 0; i--) {
        fx_state_add_coin(chain->state, &tx->in[i - 1].prevout, &spent[i - 1]);
    }
    return true;
}

static bool inputs_match(const struct fx_block *block, const struct fx_undo *undo)
{
    size_t inputs = 0, i;

    for (i = 1; i < block->n_txs; i++) {
        inputs += block->txs[i]->n_in;
    }
    return inputs == undo->n_coins;
}

/* The coins of undo are handed over to the state; copies stay for the event. */
static bool revert(struct fx_chain *chain, const struct fx_index *index,
                   const struct fx_block *block, const struct fx_undo *undo)
{
    const struct fx_record_delta *records = &undo->records;
    struct fx_coin *coins = fx_xcalloc(undo->n_coins + 1, sizeof(*coins));
    size_t left = undo->n_coins, i;
    bool ok = true;

    for (i = 0; i < undo->n_coins; i++) {
        fx_coin_copy(&coins[i], &undo->coins[i]);
    }
    for (i = records->n; ok && i > 0; i--) {
        const struct fx_record_change *change = &records->changes[i - 1];

        ok = set_record(chain, &change->origin, change->had ? &change->before : NULL);
    }
    for (i = block->n_txs; ok && i > 0; i--) {
        const struct fx_tx *tx = block->txs[i - 1];

        left -= i > 1 ? tx->n_in : 0;
        ok = revert_tx(chain, tx, i > 1 ? coins + left : NULL);
        fx_crash_point("disconnect-apply");
    }
    for (i = 0; i < undo->n_coins; i++) {
        fx_coin_clear(&coins[i]);
    }
    free(coins);
    if (ok) {
        fx_state_set_best(chain->state, &index->parent->id);
    }
    return ok;
}

bool fx_chain_disconnect_tip(struct fx_chain *chain)
{
    const struct fx_index *index = chain->tip;
    struct fx_block *block = fx_chain_read_block(chain, index);
    struct fx_undo undo;
    bool ok;
    size_t i;

    if (block == NULL || !fx_chain_read_undo(chain, index, &undo)) {
        fx_block_unref(block);
        if ((index->status & FX_INDEX_PRUNED) != 0) {
            fx_chain_set_fatal(chain,
                               "a branch of more work leaves ours below height %u, whose block was "
                               "pruned, so there is no way back to it: start again with -reindex, "
                               "which fetches the chain anew",
                               index->height);
        } else {
            fx_chain_set_fatal(chain, "the block at height %u or its undo data cannot be read",
                               index->height);
        }
        return false;
    }
    ok = inputs_match(block, &undo);
    if (!ok) {
        fx_chain_set_fatal(chain, "the undo data at height %u is not of its block", index->height);
    }
    ok = ok && revert(chain, index, block, &undo);
    if (ok) {
        chain->tip = index->parent;
        fx_crash_point("disconnect-done");
        fx_log(FX_LOG_CHAIN, "block disconnected at height %u", index->height);
        log_tip(chain->tip);
        for (i = 0; i < chain->n_listeners; i++) {
            const struct fx_chain_events *events = &chain->listeners[i];

            if (events->block_disconnected != NULL) {
                events->block_disconnected(events->ctx, index, block, &undo);
            }
        }
    }
    fx_undo_clear(&undo);
    fx_block_unref(block);
    return ok;
}
