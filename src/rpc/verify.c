/* verifychain: looks once more at blocks that are in the chain. */
#include <stdlib.h>

#include "consensus/check.h"
#include "consensus/script.h"
#include "consensus/script_check.h"
#include "src/rpc/topics_int.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

#define LEVEL_DEFAULT 3
#define LEVEL_MAX 4
#define BLOCKS_DEFAULT 6

struct verify {
    int64_t level;
    int64_t left; /* blocks */
    struct fx_hash next;
};

/* Level 3: what went into each transaction is known, and covers what came out. */
static bool amounts_fit(const struct fx_block *block, const struct fx_undo *undo)
{
    size_t at = 0;
    for (size_t t = 1; t < block->n_txs; t++) {
        const struct fx_tx *tx = block->txs[t];
        int64_t sum = 0;
        if (undo->n_coins - at < tx->n_in) {
            return false;
        }
        for (size_t i = 0; i < tx->n_in; i++) {
            sum += undo->coins[at++].value; /* at most all the money there is */
        }
        for (size_t i = 0; i < tx->n_out; i++) {
            sum -= tx->out[i].value;
        }
        if (sum < 0) {
            return false;
        }
    }
    return at == undo->n_coins;
}

/* Level 4: all scripts once more. Spends of tasks are no scripts. */
static bool scripts_hold(const struct fx_params *params, const struct fx_block *block,
                         const struct fx_undo *undo)
{
    size_t at = 0;
    bool ok = true;
    for (size_t t = 1; t < block->n_txs && ok; t++) {
        const struct fx_tx *tx = block->txs[t];
        const struct fx_coin *spent = &undo->coins[at];
        struct fx_sighash_cache cache;
        fx_sighash_cache_init(&cache, tx, spent);
        for (size_t i = 0; i < tx->n_in && ok; i++) {
            const struct fx_script_check check = {
                .tx = tx, .in = i, .spent = spent, .cache = &cache};
            bool task = params->tasks && fx_script_is_task(fx_coin_script(&spent[i]), NULL);
            ok = task || fx_script_check_run(&check) == FX_OK;
        }
        at += tx->n_in;
    }
    return ok;
}

/* NULL where the block holds, else what does not. */
static const char *verify_block(struct fx_rpc *rpc, const struct fx_index *index, int64_t level)
{
    const struct fx_params *params = rpc->config.params;
    struct fx_chain *chain = rpc->config.chain;
    struct fx_undo undo;
    enum fx_verdict why = FX_OK;
    const char *wrong = NULL;
    struct fx_block *block = fx_chain_read_block(chain, index);
    if (!block) {
        return "its data cannot be read";
    }
    /* As Bitcoin Core, no word of witnesses that an earlier -testactivationheight let in. */
    if (level >= 1 &&
        fx_check_block(params, block, index->height, index->parent->median_time, &why) !=
            FX_VALID &&
        why != FX_UNEXPECTED_WITNESS) {
        wrong = fx_verdict_string(why);
    } else if (level >= 2 && !fx_chain_read_undo(chain, index, &undo)) {
        wrong = "its undo data cannot be read";
    } else if (level >= 2) {
        if (level >= 3 && !amounts_fit(block, &undo)) {
            wrong = "its undo data does not fit it";
        } else if (level >= 4 && !scripts_hold(params, block, &undo)) {
            wrong = "a script does not hold";
        }
        fx_undo_clear(&undo);
    }
    fx_block_unref(block);
    return wrong;
}

static int verify_step(struct fx_rpc_call *call, void *ctx)
{
    struct verify *verify = ctx;
    const struct fx_chain *chain = call->rpc->config.chain;
    int64_t end = fx_clock_monotonic_ms() + FX_RPC_SLICE_MS;
    do {
        const struct fx_index *index = fx_chain_find(chain, &verify->next);
        bool pruned = index && (index->status & FX_INDEX_PRUNED);
        if (verify->left == 0 || !index || !index->parent || pruned) {
            call->result = json_true();
            return FX_RPC_STEP_DONE;
        }
        const char *wrong = verify_block(call->rpc, index, verify->level);
        if (wrong) {
            fx_log_info("verifychain: the block at height %u does not hold: %s", index->height,
                        wrong);
            call->result = json_false();
            return FX_RPC_STEP_DONE;
        }
        verify->left--;
        verify->next = index->parent->id;
    } while (fx_clock_monotonic_ms() < end);
    return 0;
}

static json_t *verifychain(struct fx_rpc_call *call)
{
    const struct fx_index *tip = fx_chain_tip(call->rpc->config.chain);
    struct verify verify = {.next = tip->id};
    if (!fx_rpc_arg_int(call, call->args[0], "checklevel", 0, LEVEL_MAX, LEVEL_DEFAULT,
                        &verify.level) ||
        !fx_rpc_arg_int(call, call->args[1], "nblocks", 0, INT32_MAX, BLOCKS_DEFAULT,
                        &verify.left)) {
        return NULL;
    }
    if (verify.left == 0) {
        verify.left = tip->height;
    }
    return fx_rpc_slice(call, verify_step, free, fx_xmemdup(&verify, sizeof(verify)));
}

const struct fx_rpc_command fx_rpc_verifychain = {
    .name = "verifychain",
    .text = "Looks once more at the newest blocks of the best chain. The log says what is wrong "
            "where something is.",
    .args = "checklevel?: int = 3   # 0: can be read; 1: rules of a block by itself; 2: undo data; "
            "3: the coins spent cover what is paid; 4: scripts\n"
            "nblocks?: int = 6      # How many; 0: all. Blocks that were pruned are not looked at",
    .result = "bool  # All hold",
    .errors = "-8: checklevel or nblocks out of range",
    .example = "\n4 100",
    .run = verifychain,
};
