/* Commands on the chain: its tips, its state by lane, the coins. */
#include <stdlib.h>
#include <string.h>

#include "src/iface/mempool.h"
#include "src/rpc/rpc_int.h"
#include "src/rpc/topics_int.h"
#include "src/sys/clock.h"

/* ---- the chain as a whole -------------------------------------------------------------------- */

json_t *fx_rpc_lanes_json(const struct fx_rpc *rpc)
{
    const struct fx_chain *chain = rpc->config.chain;
    uint32_t nbits[FX_LANES];
    json_t *out = json_array();
    fx_chain_targets(chain, fx_chain_tip(chain), nbits);
    for (unsigned lane = 0; lane < FX_LANES; lane++) {
        const struct fx_index *tip = fx_chain_lane_tip(chain, lane);
        struct fx_u256 target = fx_u256_zero;
        json_t *o = json_object();
        (void)fx_nbits_decode(nbits[lane], &target);
        struct fx_u256 work = fx_work_expected(&target);
        fx_json_set(o, "lane", json_string(fx_lane_name(lane)));
        if (tip) {
            fx_json_set(o, "height", json_integer(tip->height));
            fx_json_set(o, "bestblockhash", fx_json_id(&tip->id));
            fx_json_set(o, "time", json_integer(tip->header.time));
        }
        fx_json_set(o, "nbits", fx_json_bits(nbits[lane]));
        fx_json_set(o, "difficulty", fx_json_figure(fx_difficulty(lane, nbits[lane])));
        fx_json_set(o, "target", fx_json_u256(&target));
        fx_json_set(o, "expectedwork", json_real(fx_u256_to_double(&work)));
        json_array_append_new(out, o);
    }
    return out;
}

json_t *fx_rpc_warnings_json(const struct fx_rpc *rpc)
{
    const char *fatal = fx_chain_fatal(rpc->config.chain);
    json_t *out = json_array();
    if (fatal) {
        json_array_append_new(out, json_string(fatal));
    }
    return out;
}

/* Of the blocks whose headers are here; before those of today are, of the time since the first
 * block. */
static double progress_of(struct fx_rpc *rpc, bool initial)
{
    const struct fx_index *tip = fx_chain_tip(rpc->config.chain);
    const struct fx_index *best = fx_chain_best_header(rpc->config.chain);
    const struct fx_index *first = fx_chain_genesis(rpc->config.chain);
    if (best->height > tip->height) {
        return (double)tip->height / best->height;
    }
    double passed = (double)tip->header.time - first->header.time;
    double all = (double)fx_clock_now() - first->header.time;
    return initial && passed < all ? passed / all : 1.0;
}

static json_t *getblockchaininfo(struct fx_rpc_call *call)
{
    struct fx_rpc *rpc = call->rpc;
    struct fx_chain *chain = rpc->config.chain;
    const struct fx_index *tip = fx_chain_tip(chain);
    const struct fx_index *best = fx_chain_best_header(chain);
    bool initial = fx_chain_is_initial_download(chain);
    uint64_t target = fx_chain_prune_target(chain);
    json_t *out = json_object();
    fx_json_set(out, "chain", json_string(rpc->config.params->name));
    fx_json_set(out, "blocks", json_integer(tip->height));
    fx_json_set(out, "headers", json_integer(best->height));
    fx_json_set(out, "bestblockhash", fx_json_id(&tip->id));
    if (rpc->config.params->lanes) {
        fx_json_set(out, "bits", fx_json_bits(tip->header.nbits));
        fx_json_set(out, "target", fx_json_target(tip->header.nbits));
    }
    fx_json_set(out, "difficulty", fx_json_figure(fx_difficulty(tip->lane, tip->header.nbits)));
    fx_json_set(out, "time", json_integer(tip->header.time));
    fx_json_set(out, "mediantime", json_integer(tip->median_time));
    fx_json_set(out, "verificationprogress", json_real(progress_of(rpc, initial)));
    fx_json_set(out, "initialblockdownload", json_boolean(initial));
    fx_json_set(out, "chainwork", fx_json_u256(&tip->work));
    fx_json_set(out, "size_on_disk", json_integer((json_int_t)fx_chain_disk_usage(chain)));
    fx_json_set(out, "pruned", json_boolean(target != FX_PRUNE_OFF));
    if (target != FX_PRUNE_OFF) {
        fx_json_set(out, "pruneheight", json_integer(fx_chain_pruned_height(chain) + 1));
        fx_json_set(out, "automatic_pruning", json_boolean(target != FX_PRUNE_MANUAL));
    }
    if (target != FX_PRUNE_OFF && target != FX_PRUNE_MANUAL) {
        fx_json_set(out, "prune_target_size", json_integer((json_int_t)target));
    }
    if (rpc->config.params->lanes) {
        fx_json_set(out, "lanes", fx_rpc_lanes_json(rpc));
    }
    fx_json_set(out, "warnings", fx_rpc_warnings_json(rpc));
    return out;
}

static const struct fx_rpc_command getblockchaininfo_command = {
    .name = "getblockchaininfo",
    .text = "Returns the state of the chain and of its two lanes.",
    .result =
        "{ chain: str              # main, test, regtest or btcregtest (regtest, where the "
        "node was "
        "started as bitcoind)\n"
        "blocks: int               # Height of the best chain with all its data\n"
        "headers: int              # Height of the best chain of headers\n"
        "bestblockhash: hash\n"
        "bits?: hex                # nBits of the tip, in its own lane\n"
        "target?: hash             # The same, decoded\n"
        "difficulty: num           # Of the tip, in its own lane\n"
        "time: time, mediantime: time\n"
        "verificationprogress: num # 0 to 1\n"
        "initialblockdownload: bool\n"
        "chainwork: hash           # Work of the best chain, hex\n"
        "size_on_disk: int         # Bytes of all block and undo files\n"
        "pruned: bool              # Old blocks may be removed: -prune\n"
        "pruneheight?: int         # Where so: the first block from which on all are here\n"
        "automatic_pruning?: bool\n"
        "prune_target_size?: int   # Bytes; automatic pruning\n"
        "lanes?: [                 # hash, then job; where there are lanes\n" FX_RPC_LANE_FIELDS
        " ]\n"
        "warnings: [ str ] }",
    .example = "",
    .run = getblockchaininfo,
};

static json_t *getblockcount(struct fx_rpc_call *call)
{
    return json_integer(fx_chain_tip(call->rpc->config.chain)->height);
}

static const struct fx_rpc_command getblockcount_command = {
    .name = "getblockcount",
    .text = "Returns the height of the best chain; genesis has height 0.",
    .result = "int  # The height",
    .example = "",
    .run = getblockcount,
};

static json_t *getbestblockhash(struct fx_rpc_call *call)
{
    return fx_json_id(&fx_chain_tip(call->rpc->config.chain)->id);
}

static const struct fx_rpc_command getbestblockhash_command = {
    .name = "getbestblockhash",
    .text = "Returns the id of the tip of the best chain.",
    .result = "hash",
    .example = "",
    .run = getbestblockhash,
};

static json_t *getblockhash(struct fx_rpc_call *call)
{
    int64_t height = json_integer_value(call->args[0]);
    const struct fx_chain *chain = call->rpc->config.chain;
    if (height < 0 || height > fx_chain_tip(chain)->height) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "Block height out of range");
    }
    return fx_json_id(&fx_chain_at(chain, (uint32_t)height)->id);
}

static const struct fx_rpc_command getblockhash_command = {
    .name = "getblockhash",
    .text = "Returns the id of the block at this height of the best chain.",
    .args = "height: int",
    .result = "hash",
    .errors = "-8: Block height out of range",
    .example = "1000",
    .run = getblockhash,
};

static json_t *getdifficulty(struct fx_rpc_call *call)
{
    const struct fx_chain *chain = call->rpc->config.chain;
    unsigned lane = FX_LANE_HASH;
    uint32_t nbits[FX_LANES];
    if (call->args[0] && !fx_rpc_arg_lane(call, call->args[0], &lane)) {
        return NULL;
    }
    fx_chain_targets(chain, fx_chain_tip(chain), nbits);
    return fx_json_figure(fx_difficulty(lane, nbits[lane]));
}

static const struct fx_rpc_command getdifficulty_command = {
    .name = "getdifficulty",
    .text = "Returns the difficulty of the next block of a lane: of the hash lane as Bitcoin has "
            "it (about 2^32 hashes are 1), of the job lane in units of 1,024 bricks.",
    .args = "lane?: str = hash   # hash or job",
    .result = "num",
    .errors = "-8: lane must be hash or job",
    .example = "\n\"job\"",
    .run = getdifficulty,
};

static const char *tip_status(const struct fx_chain *chain, const struct fx_index *tip)
{
    if (fx_chain_contains(chain, tip)) {
        return "active";
    }
    if (tip->status & FX_INDEX_FAILED) {
        return "invalid";
    }
    if (tip->status & FX_INDEX_CONNECTED) {
        return "valid-fork";
    }
    return tip->arrival != 0 ? "valid-headers" : "headers-only";
}

static int by_height_down(const void *a, const void *b)
{
    const struct fx_index *x = *(const struct fx_index *const *)a;
    const struct fx_index *y = *(const struct fx_index *const *)b;

    return (x->height < y->height) - (x->height > y->height);
}

static json_t *getchaintips(struct fx_rpc_call *call)
{
    const struct fx_chain *chain = call->rpc->config.chain;
    const struct fx_index **tips = NULL;
    size_t n = fx_chain_tips(chain, &tips);
    json_t *out = json_array();
    qsort(tips, n, sizeof(*tips), by_height_down);
    for (size_t i = 0; i < n; i++) {
        const struct fx_index *fork = fx_index_fork(tips[i], fx_chain_tip(chain));
        json_t *o = json_object();
        fx_json_set(o, "height", json_integer(tips[i]->height));
        fx_json_set(o, "hash", fx_json_id(&tips[i]->id));
        fx_json_set(o, "branchlen", json_integer((json_int_t)tips[i]->height - fork->height));
        fx_json_set(o, "status", json_string(tip_status(chain, tips[i])));
        json_array_append_new(out, o);
    }
    free(tips);
    return out;
}

static const struct fx_rpc_command getchaintips_command = {
    .name = "getchaintips",
    .text = "Returns the tips of all known branches, the best chain's too, highest first.",
    .result = "[ { height: int, hash: hash\n"
              "branchlen: int    # Blocks from the best chain; 0 for the best chain\n"
              "status: str } ]   # active, valid-fork, valid-headers, headers-only, invalid",
    .example = "",
    .run = getchaintips,
};

/* ---- pruning --------------------------------------------------------------------------------- */

#define PRUNE_TIME_MIN 1000000000 /* numbers above are times, not heights */
#define TIMESTAMP_WINDOW 7200     /* seconds by which a block's time may be off */

/* The first block of the best chain that it and those before it have no such time below. */
static const struct fx_index *first_since(const struct fx_chain *chain, int64_t time)
{
    for (uint32_t height = 0; height <= fx_chain_tip(chain)->height; height++) {
        const struct fx_index *index = fx_chain_at(chain, height);
        if (index->header.time >= time) {
            return index;
        }
    }
    return NULL;
}

static json_t *pruneblockchain(struct fx_rpc_call *call)
{
    struct fx_chain *chain = call->rpc->config.chain;
    uint32_t tip = fx_chain_tip(chain)->height;
    int64_t height = json_integer_value(call->args[0]);
    if (fx_chain_prune_target(chain) == FX_PRUNE_OFF) {
        return fx_rpc_fail(call, FX_RPC_MISC,
                           "Cannot prune blocks because node is not in prune mode.");
    }
    if (height < 0) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "Negative block height.");
    }
    if (height > PRUNE_TIME_MIN) {
        const struct fx_index *index = first_since(chain, height - TIMESTAMP_WINDOW);
        if (!index) {
            return fx_rpc_fail(call, FX_RPC_PARAMETER,
                               "Could not find block with at least the specified timestamp.");
        }
        height = index->height;
    }
    if (tip < fx_chain_prune_after(chain)) {
        return fx_rpc_fail(call, FX_RPC_MISC, "Blockchain is too short for pruning.");
    }
    if (height > tip) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER,
                           "Blockchain is shorter than the attempted prune height.");
    }
    if (!fx_chain_prune(chain, (uint32_t)height)) {
        return fx_rpc_fail_read(call, "or write the block index");
    }
    return json_integer(fx_chain_pruned_height(chain));
}

static const struct fx_rpc_command pruneblockchain_command = {
    .name = "pruneblockchain",
    .text = "Removes the block files all of whose blocks are at or below a height, and 288 blocks "
            "or more below the tip. The node must have been started with -prune.",
    .args = "height: int   # Or a time: then the blocks that are two hours older, and more",
    .result = "int  # The highest block that is not here any more; -1: all are here",
    .errors = "-1: the node is not in prune mode, or the chain is too short\n"
              "-8: a height below 0 or above the tip, or a time after it",
    .example = "1000",
    .run = pruneblockchain,
};

/* ---- branches by hand ------------------------------------------------------------------------ */

static json_t *invalidateblock(struct fx_rpc_call *call)
{
    struct fx_chain *chain = call->rpc->config.chain;
    const struct fx_index *index = fx_rpc_arg_block(call, call->args[0]);
    if (!index) {
        return NULL;
    }
    if (!index->parent) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "Genesis cannot be invalidated");
    }
    if (fx_chain_contains(chain, index) && fx_chain_pruned_height(chain) >= index->height) {
        return fx_rpc_fail(call, FX_RPC_MISC,
                           "Cannot go back behind blocks whose data is not here (pruned data)");
    }
    return fx_chain_invalidate(chain, index) ? json_null() : fx_rpc_fail_read(call, "the chain");
}

static const struct fx_rpc_command invalidateblock_command = {
    .name = "invalidateblock",
    .text = "Marks a block as invalid, as if it broke a rule, for good.",
    .args = "blockhash: hash",
    .result = "null",
    .errors = "-1: blocks on top of it are pruned\n-5: Block not found\n-8: it is genesis",
    .example = "\"blockhash\"",
    .run = invalidateblock,
};

static json_t *reconsiderblock(struct fx_rpc_call *call)
{
    const struct fx_index *index = fx_rpc_arg_block(call, call->args[0]);
    if (!index) {
        return NULL;
    }
    return fx_chain_reconsider(call->rpc->config.chain, index)
               ? json_null()
               : fx_rpc_fail_read(call, "the chain");
}

static const struct fx_rpc_command reconsiderblock_command = {
    .name = "reconsiderblock",
    .text = "Takes back invalidateblock for a block and all on top of it.",
    .args = "blockhash: hash",
    .result = "null",
    .errors = "-5: Block not found",
    .example = "\"blockhash\"",
    .run = reconsiderblock,
};

static json_t *preciousblock(struct fx_rpc_call *call)
{
    const struct fx_index *index = fx_rpc_arg_block(call, call->args[0]);
    if (!index) {
        return NULL;
    }
    return fx_chain_precious(call->rpc->config.chain, index) ? json_null()
                                                             : fx_rpc_fail_read(call, "the chain");
}

static const struct fx_rpc_command preciousblock_command = {
    .name = "preciousblock",
    .text = "Treats a block as if it had come before all others with the same work. A later call "
            "outdoes an earlier one; it is forgotten over a restart.",
    .args = "blockhash: hash",
    .result = "null",
    .errors = "-5: Block not found",
    .example = "\"blockhash\"",
    .run = preciousblock,
};

/* ---- coins ------------------------------------------------------------------------------------
 */

static json_t *gettxout(struct fx_rpc_call *call)
{
    struct fx_rpc *rpc = call->rpc;
    struct fx_outpoint outpoint;
    struct fx_coin coin = {0};
    struct fx_view view;
    int64_t n;
    if (!fx_rpc_arg_hash(call, call->args[0], "txid", &outpoint.txid) ||
        !fx_rpc_arg_int(call, call->args[1], "n", 0, UINT32_MAX, 0, &n)) {
        return NULL;
    }
    outpoint.index = (uint32_t)n;
    bool pool = fx_rpc_arg_bool(call->args[2], true) && rpc->config.mempool;
    if (pool) {
        if (fx_mempool_spender(rpc->config.mempool, &outpoint)) {
            return json_null();
        }
        fx_mempool_view(rpc->config.mempool, &view);
    } else {
        fx_chain_view(rpc->config.chain, &view);
    }
    enum fx_lookup found = view.coin(view.ctx, &outpoint, &coin);
    if (found == FX_LOOKUP_FAILED) {
        return fx_rpc_fail_read(call, "the coins");
    }
    if (found == FX_MISSING) {
        return json_null();
    }
    const struct fx_index *tip = fx_chain_tip(rpc->config.chain);
    json_t *out = json_object();
    fx_json_set(out, "bestblock", fx_json_id(&tip->id));
    fx_json_set(
        out, "confirmations",
        json_integer(coin.height > tip->height ? 0 : (json_int_t)tip->height - coin.height + 1));
    fx_json_set(out, "value", fx_json_amount(coin.value));
    fx_json_set(out, "scriptPubKey", fx_rpc_script_json(rpc, fx_coin_script(&coin)));
    fx_json_set(out, "coinbase", json_boolean(coin.coinbase));
    fx_coin_clear(&coin);
    return out;
}

static const struct fx_rpc_command gettxout_command = {
    .name = "gettxout",
    .text = "Returns an unspent output.",
    .args = "txid: hash\n"
            "n: int                         # Number of the output\n"
            "include_mempool?: bool = true  # Count what the mempool spends as spent",
    .result = "@ it is unspent\n"
              "{ bestblock: hash             # The tip that this is true at\n"
              "confirmations: int            # 0: in the mempool\n"
              "value: amount\n"
              "scriptPubKey: " FX_RPC_SCRIPT_FIELDS "\n"
              "coinbase: bool }\n"
              "@ it is spent or unknown\nnull",
    .example = "\"txid\" 1",
    .run = gettxout,
};

static bool arg_coins_hash(struct fx_rpc_call *call, const json_t *value, enum fx_coins_hash *kind)
{
    static const char *const names[] = {"hash_serialized_3", "muhash", "none"};
    const char *name = fx_rpc_arg_str(value, names[0]);
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0) {
            *kind = (enum fx_coins_hash)i;
            return true;
        }
    }
    fx_rpc_fail(call, FX_RPC_PARAMETER, "'%.100s' is not a valid hash_type", name);
    return false;
}

static json_t *gettxoutsetinfo(struct fx_rpc_call *call)
{
    struct fx_txoutset info;
    enum fx_coins_hash kind;
    if (!arg_coins_hash(call, call->args[0], &kind)) {
        return NULL;
    }
    if (call->args[1]) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER,
                           "Querying specific block heights requires coinstatsindex");
    }
    if (!fx_chain_txoutset(call->rpc->config.chain, kind, &info)) {
        return fx_rpc_fail_read(call, "the coins");
    }
    json_t *out = json_object();
    fx_json_set(out, "height", json_integer(info.height));
    fx_json_set(out, "bestblock", fx_json_id(&info.best));
    fx_json_set(out, "txouts", json_integer((json_int_t)info.n_coins));
    fx_json_set(out, "bogosize", json_integer((json_int_t)info.bogosize));
    if (kind == FX_COINS_HASH_SERIALIZED) {
        fx_json_set(out, "hash_serialized_3", fx_json_id(&info.coins_hash));
    } else if (kind == FX_COINS_HASH_MUHASH) {
        fx_json_set(out, "muhash", fx_json_id(&info.coins_hash));
    }
    fx_json_set(out, "total_amount", fx_json_amount(info.total_amount));
    fx_json_set(out, "transactions", json_integer((json_int_t)info.n_txs));
    fx_json_set(out, "disk_size", json_integer((json_int_t)info.disk_size));
    if (call->rpc->config.params->tasks) {
        fx_json_set(out, "records", json_integer((json_int_t)info.n_records));
        fx_json_set(out, "records_hash", fx_json_root(&info.records_hash));
    }
    return out;
}

static const struct fx_rpc_command gettxoutsetinfo_command = {
    .name = "gettxoutsetinfo",
    .text = "Returns figures over all unspent outputs and all task records: nodes at the same "
            "block must agree on every one but disk_size. It reads the whole set. There is no "
            "index of earlier states.",
    .args = "hash_type?: str = hash_serialized_3  # hash_serialized_3, muhash or none\n"
            "hash_or_height?: str|int             # Of another block: refused\n"
            "use_index?: bool = true              # As in Bitcoin Core; there is no index",
    .result = "{ height: int, bestblock: hash\n"
              "txouts: int               # Number of unspent outputs\n"
              "bogosize: int             # Size of the set that does not depend on a database\n"
              "hash_serialized_3?: hash  # SHA-256, twice, over the outputs in order\n"
              "muhash?: hash             # The same without an order\n"
              "total_amount: amount\n"
              "transactions: int         # Those with unspent outputs\n"
              "disk_size: int            # Bytes of the set on disk, about\n"
              "records?: int             # Number of task records\n"
              "records_hash?: hash }     # SHA-256 over the records in order",
    .errors = "-8: the hash_type is unknown, or another block is asked for",
    .example = "\n\"muhash\"",
    .run = gettxoutsetinfo,
};

static const struct fx_rpc_command *const commands[] = {
    &getblockchaininfo_command,
    &getblockcount_command,
    &getbestblockhash_command,
    &getblockhash_command,
    &getdifficulty_command,
    &getchaintips_command,
    &invalidateblock_command,
    &reconsiderblock_command,
    &pruneblockchain_command,
    &preciousblock_command,
    &gettxout_command,
    &gettxoutsetinfo_command,
    &fx_rpc_getblockheader,
    &fx_rpc_getblock,
    &fx_rpc_getblockstats,
    &fx_rpc_getchaintxstats,
    &fx_rpc_getdeploymentinfo,
    &fx_rpc_verifychain,
    &fx_rpc_waitforblock,
    &fx_rpc_waitforblockheight,
    &fx_rpc_waitfornewblock,
    &fx_rpc_scantxoutset,
    &fx_rpc_gettxoutproof,
    &fx_rpc_verifytxoutproof,
    NULL,
};

const struct fx_rpc_topic fx_rpc_topic_blockchain = {"Blockchain", commands, FX_RPC_ALWAYS};
