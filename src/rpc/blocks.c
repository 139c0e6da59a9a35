/* Blocks and headers as JSON, with lanes and work proofs. */
#include <string.h>

#include "src/rpc/rpc_int.h"
#include "src/rpc/topics_int.h"

#define HEADER_FIELDS                                                                             \
    "hash: hash\n"                                                                                \
    "confirmations: int       # -1: not on the best chain\n"                                      \
    "workdepth: int           # Depth in work, in the largest of the last 2,016 blocks; -1: not " \
    "on "                                                                                         \
    "the best chain\n"                                                                            \
    "height: int, lane: str   # hash or job\n"                                                    \
    "version: int, versionHex: hex, merkleroot: hash, time: time, mediantime: time\n"             \
    "nonce: int, bits: hex, target: hash, difficulty: num\n"                                      \
    "chainwork: hash          # Work up to this block, with it\n"                                 \
    "nTx: int                 # Number of transactions; 0: not known yet\n"                       \
    "previousblockhash?: hash, nextblockhash?: hash\n"

static void header_json(struct fx_rpc *rpc, const struct fx_index *index, json_t *out)
{
    const struct fx_header *h = &index->header;
    const struct fx_chain *chain = rpc->config.chain;
    fx_json_set(out, "hash", fx_json_id(&index->id));
    fx_json_set(out, "confirmations", json_integer(fx_rpc_confirmations(rpc, index)));
    fx_json_set(out, "workdepth", json_integer(fx_rpc_workdepth(rpc, index)));
    fx_json_set(out, "height", json_integer(index->height));
    fx_json_set(out, "lane", json_string(fx_lane_name(index->lane)));
    fx_json_set(out, "version", json_integer(h->version));
    fx_json_set(out, "versionHex", json_sprintf("%08x", (unsigned)h->version));
    fx_json_set(out, "merkleroot", fx_json_id(&h->merkle_root));
    fx_json_set(out, "time", json_integer(h->time));
    fx_json_set(out, "mediantime", json_integer(index->median_time));
    fx_json_set(out, "nonce", json_integer(h->nonce));
    fx_json_set(out, "bits", fx_json_bits(h->nbits));
    fx_json_set(out, "target", fx_json_target(h->nbits));
    fx_json_set(out, "difficulty", fx_json_figure(fx_difficulty(index->lane, h->nbits)));
    fx_json_set(out, "chainwork", fx_json_u256(&index->work));
    fx_json_set(out, "nTx", json_integer(index->n_txs));
    if (index->parent) {
        fx_json_set(out, "previousblockhash", fx_json_id(&index->parent->id));
    }
    const struct fx_index *next =
        fx_chain_contains(chain, index) ? fx_chain_at(chain, index->height + 1) : NULL;
    if (next) {
        fx_json_set(out, "nextblockhash", fx_json_id(&next->id));
    }
}

static json_t *getblockheader(struct fx_rpc_call *call)
{
    const struct fx_index *index = fx_rpc_arg_block(call, call->args[0]);
    if (!index) {
        return NULL;
    }
    if (!fx_rpc_arg_bool(call->args[1], true)) {
        uint8_t raw[FX_HEADER_SIZE];
        fx_header_write(&index->header, raw);
        return fx_json_hex(raw, sizeof(raw));
    }
    json_t *out = json_object();
    header_json(call->rpc, index, out);
    return out;
}

const struct fx_rpc_command fx_rpc_getblockheader = {
    .name = "getblockheader",
    .text = "Returns a block's header. A job-lane header has the same 80 bytes; what proves it is "
            "in the block.",
    .args = "blockhash: hash\n"
            "verbose?: bool = true   # false: the 80 bytes in hex",
    .result = "@ verbose\n{ " HEADER_FIELDS " }\n@ not verbose\nhex",
    .errors = "-5: Block not found",
    .example = "\"blockhash\"",
    .run = getblockheader,
};

/* ---- the work proof ---------------------------------------------------------------------------
 */

/* The records of the backing list as the undo data has them: what each added. */
static bool backing_sums(const struct fx_work_proof *work, const struct fx_undo *undo,
                         uint64_t *credit, uint64_t *burns)
{
    *credit = *burns = 0;
    for (size_t i = 0; i < work->n_backing; i++) {
        const struct fx_record_change *change = NULL;
        for (size_t c = 0; c < undo->records.n && !change; c++) {
            if (fx_outpoint_equal(&undo->records.changes[c].origin, &work->backing[i])) {
                change = &undo->records.changes[c];
            }
        }
        if (!change || !change->had) {
            return false;
        }
        *credit += change->before.bricks;
        *burns += change->before.burn;
    }
    return true;
}

static json_t *work_json(const struct fx_block *block, const struct fx_undo *undo)
{
    const struct fx_work_proof *work = block->work;
    struct fx_cb_work cb;
    struct fx_hash ticket;
    uint64_t credit, burns;
    json_t *out = json_object(), *brick = json_object(), *backing = json_array();
    if (block->n_txs > 0 && fx_cb_work_read(block->txs[0], &cb)) {
        const struct fx_outpoint *origin =
            fx_outpoint_is_zero(&work->task.origin) ? &cb.outpoint : &work->task.origin;
        fx_json_set(out, "task", fx_json_outpoint(origin));
        fx_json_set(out, "outpoint", fx_json_outpoint(&cb.outpoint));
        fx_json_set(out, "solver", fx_json_root(&cb.solver));
    }
    fx_json_set(out, "index", json_integer(work->task.index));
    fx_json_set(out, "kind", json_string(work->task.kind ? work->task.kind->name : "unknown"));
    fx_json_set(brick, "i", json_integer(work->i));
    fx_json_set(brick, "j", json_integer(work->j));
    fx_json_set(brick, "l", json_integer(work->l));
    fx_json_set(out, "brick", brick);
    fx_work_ticket(block, &ticket);
    fx_json_set(out, "ticket", fx_json_id(&ticket));
    for (size_t i = 0; i < work->n_backing; i++) {
        json_array_append_new(backing, fx_json_outpoint(&work->backing[i]));
    }
    fx_json_set(out, "backing", backing);
    if (undo && backing_sums(work, undo, &credit, &burns)) {
        fx_json_set(out, "credit", json_integer((json_int_t)credit));
        fx_json_set(out, "burns", fx_json_amount((int64_t)burns));
    }
    fx_json_set(out, "size", json_integer((json_int_t)work->size));
    return out;
}

/* ---- getblock ----------------------------------------------------------------------------------
 */

static json_t *txs_json(const struct fx_rpc *rpc, const struct fx_block *block,
                        const struct fx_undo *undo, int64_t verbosity)
{
    json_t *out = json_array();
    size_t coin = 0;
    for (size_t t = 0; t < block->n_txs; t++) {
        const struct fx_tx *tx = block->txs[t];
        if (verbosity == 1) {
            json_array_append_new(out, fx_json_id(&tx->txid));
            continue;
        }
        const struct fx_coin *spent = NULL;
        if (t > 0 && undo && coin + tx->n_in <= undo->n_coins) {
            spent = &undo->coins[coin];
            coin += tx->n_in;
        }
        json_t *o = json_object();
        fx_rpc_tx_json(rpc, tx, spent, verbosity > 2, o);
        fx_json_set(o, "hex", fx_json_hex(tx->raw.data, tx->raw.len));
        json_array_append_new(out, o);
    }
    return out;
}

struct fx_block *fx_rpc_read_block(struct fx_rpc_call *call, const struct fx_index *index)
{
    if (index->status & FX_INDEX_PRUNED) {
        fx_rpc_fail(call, FX_RPC_MISC, "Block not available (pruned data)");
        return NULL;
    }
    struct fx_block *block = fx_chain_read_block(call->rpc->config.chain, index);
    if (!block) {
        fx_rpc_fail(call, FX_RPC_MISC, "Block not found on disk");
    }
    return block;
}

static json_t *getblock(struct fx_rpc_call *call)
{
    struct fx_chain *chain = call->rpc->config.chain;
    int64_t verbosity = 1;
    const struct fx_index *index = fx_rpc_arg_block(call, call->args[0]);
    if (!index) {
        return NULL;
    }
    if (json_is_boolean(call->args[1])) {
        verbosity = json_is_true(call->args[1]) ? 1 : 0;
    } else if (!fx_rpc_arg_int(call, call->args[1], "verbosity", 0, 3, 1, &verbosity)) {
        return NULL;
    }
    struct fx_block *block = fx_rpc_read_block(call, index);
    if (!block) {
        return NULL;
    }
    if (verbosity == 0) {
        json_t *hex = fx_json_hex(block->raw.data, block->raw.len);
        fx_block_unref(block);
        return hex;
    }
    struct fx_undo undo = {0};
    bool undone = (verbosity > 1 || block->work) && (index->status & FX_INDEX_HAVE_UNDO) &&
                  fx_chain_read_undo(chain, index, &undo);
    size_t stripped = FX_HEADER_SIZE + fx_var_size(block->n_txs);
    for (size_t t = 0; t < block->n_txs; t++) {
        stripped += block->txs[t]->base_size;
    }
    json_t *out = json_object();
    header_json(call->rpc, index, out);
    fx_json_set(out, "strippedsize", json_integer((json_int_t)stripped));
    fx_json_set(out, "size", json_integer((json_int_t)block->raw.len));
    fx_json_set(out, "weight", json_integer((json_int_t)block->weight));
    if (block->work) {
        fx_json_set(out, "work", work_json(block, undone ? &undo : NULL));
    }
    fx_json_set(out, "tx", txs_json(call->rpc, block, undone ? &undo : NULL, verbosity));
    if (undone) {
        fx_undo_clear(&undo);
    }
    fx_block_unref(block);
    return out;
}

#define WORK_FIELDS                                                             \
    "work?: {                 # Job lane: the work proof\n"                     \
    "  task?: str             # The task that it was mined in, by its origin\n" \
    "  outpoint?: str         # The funded output, as the coinbase names it\n"  \
    "  solver?: hash          # Key that signed\n"                              \
    "  index: int, kind: str  # Number and kind of the task in its job\n"       \
    "  brick: {               # Tile row, tile column, segment of the depth\n"  \
    "    i: int, j: int, l: int }\n"                                            \
    "  ticket: hash           # At most the target; highest digit first\n"      \
    "  backing: [ str ]       # Settled tasks that back the subsidy\n"          \
    "  credit?: int           # Their bricks\n"                                 \
    "  burns?: amount         # What they burned\n"                             \
    "  size: int }            # Bytes of the proof\n"

const struct fx_rpc_command fx_rpc_getblock = {
    .name = "getblock",
    .text = "Returns a block. One of the job lane shows its work proof: task, brick, ticket and "
            "backing list.",
    .args = "blockhash: hash\n"
            "verbosity|verbose?: int|bool = 1  # 0: hex; 1: transaction ids; 2: transactions with "
            "fees; 3: "
            "the outputs they spend too",
    .result = "@ verbosity 0\nhex\n"
              "@ verbosity 1\n{ " HEADER_FIELDS
              "strippedsize: int, size: int, weight: int\n" WORK_FIELDS "tx: [ hash ] }\n"
              "@ verbosity 2 and 3\n{ " HEADER_FIELDS
              "strippedsize: int, size: int, weight: int\n" WORK_FIELDS "tx: [ { " FX_RPC_TX_FIELDS
              "hex: hex } ] }",
    .errors = "-1: Block not available (pruned data), or not found on disk\n-5: Block not found",
    .example = "\"blockhash\"\n\"blockhash\" 2",
    .run = getblock,
};
