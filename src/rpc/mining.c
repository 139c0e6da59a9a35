/* Commands for miners of other programs: templates and finished blocks. */
#include <stdlib.h>
#include <string.h>

#include "src/iface/mempool.h"
#include "src/iface/template.h"
#include "src/rpc/rpc_int.h"
#include "src/rpc/topics_int.h"
#include "src/sys/clock.h"
#include "src/util/hex.h"
#include "src/util/mem.h"

/* ---- getblocktemplate ------------------------------------------------------------------------ */

#define LONGPOLL_MS 60000
#define RESERVED_WEIGHT 4000 /* what Bitcoin Core counts for header, counts and coinbase */
#define LONGPOLL_STEP_MS 200

/* scale: by which costs of signature operations are divided. */
static json_t *template_txs(const struct fx_template *t, unsigned scale)
{
    json_t *out = json_array();
    for (size_t i = 1; i < t->n_txs; i++) {
        const struct fx_tx *tx = t->txs[i];
        json_t *o = json_object(), *depends = json_array();
        for (size_t in = 0; in < tx->n_in; in++) {
            for (size_t before = 1; before < i; before++) {
                if (fx_hash_equal(&t->txs[before]->txid, &tx->in[in].prevout.txid)) {
                    json_array_append_new(depends, json_integer((json_int_t)before));
                }
            }
        }
        fx_json_set(o, "data", fx_json_hex(tx->raw.data, tx->raw.len));
        fx_json_set(o, "txid", fx_json_id(&tx->txid));
        fx_json_set(o, "hash", fx_json_id(&tx->wtxid));
        fx_json_set(o, "depends", depends);
        fx_json_set(o, "fee", json_integer(t->fees[i - 1]));
        fx_json_set(o, "sigops", json_integer((json_int_t)(t->sigops[i - 1] / scale)));
        fx_json_set(o, "weight", json_integer((json_int_t)fx_tx_weight(tx)));
        json_array_append_new(out, o);
    }
    return out;
}

#define OFFER_FIELDS                                                                          \
    "{ origin: str            # Its name: txid:vout\n"                                        \
    "outpoint: str            # Its unspent output: the origin, or that of a restored task\n" \
    "index: int, kind: str, preimage: hex\n"                                                  \
    "escrow: amount, height: int, deadline: time, exclusive: int\n"                           \
    "m: int, n: int, k: int, root_a: hash, root_b: hash\n" FX_RPC_SHAPE_FIELDS                \
    "operandshere: bool }\n"

static json_t *offers(struct fx_rpc *rpc)
{
    const struct fx_task_filter open = {.statuses = FX_STATUS_BIT(FX_STATUS_OPEN)};
    struct fx_task_info *tasks = NULL;
    size_t n = rpc->config.jobs ? fx_jobs_tasks(rpc->config.jobs, &open, &tasks) : 0;
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct fx_task_info *t = &tasks[i];
        struct fx_gemm gemm;
        if (t->spec.kind != FX_KIND_GEMM || !fx_gemm_read(t->spec.body, &gemm)) {
            continue;
        }
        json_t *o = json_object();
        fx_json_set(o, "origin", fx_json_outpoint(&t->origin));
        fx_json_set(o, "outpoint", fx_json_outpoint(&t->outpoint));
        fx_json_set(o, "index", json_integer(t->index));
        fx_json_set(o, "kind", json_string("gemm"));
        fx_json_set(o, "preimage", fx_json_hex(t->preimage.data, t->preimage.len));
        fx_json_set(o, "escrow", fx_json_amount(t->escrow));
        fx_json_set(o, "height", json_integer(t->h0));
        fx_json_set(o, "deadline", json_integer(t->spec.deadline));
        fx_json_set(o, "exclusive", json_integer(t->spec.exclusive));
        fx_rpc_gemm_json(&gemm, o);
        fx_rpc_shape_json(&t->shape, o);
        fx_json_set(o, "operandshere", json_boolean(t->operands_here));
        json_array_append_new(out, o);
    }
    free(tasks);
    return out;
}

static json_t *longpoll_id(const struct fx_rpc *rpc)
{
    struct fx_mempool_info info;
    char tip[FX_HASH_HEX];
    fx_hash_to_id(&fx_chain_tip(rpc->config.chain)->id, tip);
    fx_mempool_info(rpc->config.mempool, &info);
    return json_sprintf("%s%zu.%zu", tip, info.count, info.bytes);
}

void fx_rpc_note_template(struct fx_rpc *rpc, const struct fx_template *t)
{
    rpc->last_weight = RESERVED_WEIGHT;
    rpc->last_txs = t->n_txs - 1;
    for (size_t i = 1; i < t->n_txs; i++) {
        rpc->last_weight += fx_tx_weight(t->txs[i]);
    }
}

/* BIP9: what may be signalled for, with its bit. */
static json_t *available_json(const struct fx_rpc *rpc, const struct fx_index *tip)
{
    json_t *out = json_object();
    uint32_t since;
    if (!rpc->config.params->lanes) {
        enum fx_signal_state state = fx_index_signal_state(tip, FX_SIGNAL_DUMMY_BIT, &since);
        if (state == FX_SIGNAL_STARTED || state == FX_SIGNAL_LOCKED_IN) {
            fx_json_set(out, "testdummy", json_integer(FX_SIGNAL_DUMMY_BIT));
        }
    }
    return out;
}

/* Before segwit binds, blocks have Bitcoin's old limits: a quarter of these, and no weight. */
static void limits_json(bool segwit, json_t *out)
{
    unsigned scale = segwit ? 1 : FX_WITNESS_SCALE;
    fx_json_set(out, "sigoplimit", json_integer(FX_BLOCK_SIGOPS_COST_MAX / scale));
    fx_json_set(out, "sizelimit", json_integer(FX_BLOCK_SIZE_MAX / scale));
    if (segwit) {
        fx_json_set(out, "weightlimit", json_integer(FX_BLOCK_WEIGHT_MAX));
    }
}

static json_t *rules_json(bool segwit)
{
    return segwit ? json_pack("[s, s, s]", "csv", "!segwit", "taproot")
                  : json_pack("[s, s]", "csv", "taproot");
}

static json_t *template_json(struct fx_rpc_call *call, unsigned lane)
{
    static const uint8_t anyone[] = {0x51}; /* a miner puts its own script there */
    struct fx_rpc *rpc = call->rpc;
    struct fx_chain *chain = rpc->config.chain;
    const struct fx_index *tip = fx_chain_tip(chain);
    char error[FX_TEMPLATE_ERROR];
    uint32_t nbits[FX_LANES];
    const struct fx_template *t =
        fx_template_hash(rpc->config.templates, (struct fx_span){anyone, sizeof(anyone)}, error);
    if (!t) {
        return fx_rpc_fail(call, FX_RPC_MISC, "%s", error);
    }
    fx_rpc_note_template(rpc, t);
    fx_chain_targets(chain, tip, nbits);
    int commitment = fx_block_commitment_output(t->txs[0]);
    bool segwit = fx_fork_binds(rpc->config.params, FX_FORK_SEGWIT, t->height);
    json_t *out = json_object();
    fx_json_set(out, "capabilities", json_pack("[s]", "proposal"));
    fx_json_set(out, "lane", json_string(fx_lane_name(lane)));
    fx_json_set(out, "version",
                json_integer(lane == FX_LANE_HASH ? t->header.version
                                                  : fx_header_version((enum fx_lane)lane)));
    fx_json_set(out, "rules", rules_json(segwit));
    fx_json_set(out, "vbavailable", available_json(rpc, tip));
    fx_json_set(out, "vbrequired", json_integer(0));
    fx_json_set(out, "previousblockhash", fx_json_id(&tip->id));
    fx_json_set(out, "transactions", template_txs(t, segwit ? 1 : FX_WITNESS_SCALE));
    fx_json_set(out, "coinbaseaux", json_object());
    int64_t value = t->total_fees - t->burned;
    fx_json_set(out, "coinbasevalue",
                json_integer(lane == FX_LANE_HASH ? value + t->subsidy : value));
    fx_json_set(out, "longpollid", longpoll_id(rpc));
    fx_json_set(out, "target", fx_json_target(nbits[lane]));
    fx_json_set(out, "mintime", json_integer(tip->median_time + 1));
    fx_json_set(out, "mutable", json_pack("[s, s, s]", "time", "transactions", "prevblock"));
    fx_json_set(out, "noncerange", json_string("00000000ffffffff"));
    limits_json(segwit, out);
    fx_json_set(out, "curtime", json_integer(t->header.time));
    fx_json_set(out, "bits", fx_json_bits(nbits[lane]));
    fx_json_set(out, "height", json_integer((json_int_t)tip->height + 1));
    if (commitment >= 0) {
        struct fx_span script = t->txs[0]->out[commitment].script;
        fx_json_set(out, "default_witness_commitment", fx_json_hex(script.data, script.len));
    }
    if (lane == FX_LANE_JOB) {
        fx_json_set(out, "tasks", offers(rpc));
    }
    return out;
}

/* A reference for the caller; NULL after fx_rpc_fail. */
static struct fx_block *arg_block(struct fx_rpc_call *call, const json_t *hex)
{
    uint8_t *data;
    size_t n;
    enum fx_verdict why = FX_BLOCK_DECODE;
    struct fx_block *block = NULL;
    if (fx_hex_decode_dup(json_string_value(hex), FX_PARSE_MAX, &data, &n)) {
        block = fx_block_parse(call->rpc->config.params, data, n, &why);
        free(data);
    }
    if (!block) {
        fx_rpc_fail(call, FX_RPC_DESERIALIZATION, "Block decode failed (%s)",
                    fx_verdict_string(why));
    }
    return block;
}

/* BIP23: a block without its proof, judged. */
static json_t *propose(struct fx_rpc_call *call, const json_t *hex)
{
    struct fx_chain *chain = call->rpc->config.chain;
    enum fx_verdict why;
    if (!json_is_string(hex)) {
        return fx_rpc_fail(call, FX_RPC_TYPE, "Missing data String key for proposal");
    }
    struct fx_block *block = arg_block(call, hex);
    if (!block) {
        return NULL;
    }
    json_t *out;
    const struct fx_index *known = fx_chain_find(chain, &block->id);
    if (known) {
        out = json_string(known->status & FX_INDEX_CONNECTED ? "duplicate"
                          : known->status & FX_INDEX_FAILED  ? "duplicate-invalid"
                                                             : "duplicate-inconclusive");
    } else if (!fx_hash_equal(&block->header.prev, &fx_chain_tip(chain)->id)) {
        out = json_string("inconclusive-not-best-prevblk");
    } else {
        enum fx_result result = fx_chain_test_block(chain, block, &why);
        out = result == FX_VALID    ? json_null()
              : result == FX_FAILED ? fx_rpc_fail_read(call, "the chain")
                                    : json_string(fx_verdict_string(why));
    }
    fx_block_unref(block);
    return out;
}

struct longpoll {
    unsigned lane;
    int64_t end_ms;
    char *id;
};

static void longpoll_free(void *ctx)
{
    struct longpoll *wait = ctx;
    free(wait->id);
    free(wait);
}

/* A new tip answers at once, new transactions after a minute, as in Bitcoin Core. */
static int longpoll_step(struct fx_rpc_call *call, void *ctx)
{
    struct longpoll *wait = ctx;
    char tip[FX_HASH_HEX];
    fx_hash_to_id(&fx_chain_tip(call->rpc->config.chain)->id, tip);
    if (strncmp(tip, wait->id, 64) == 0 && fx_clock_monotonic_ms() < wait->end_ms) {
        return LONGPOLL_STEP_MS;
    }
    call->result = template_json(call, wait->lane);
    return FX_RPC_STEP_DONE;
}

static bool has_rule(const json_t *rules, const char *name)
{
    size_t i;
    json_t *rule;
    json_array_foreach(rules, i, rule)
    {
        if (json_is_string(rule) && strcmp(json_string_value(rule), name) == 0) {
            return true;
        }
    }
    return false;
}

static json_t *getblocktemplate(struct fx_rpc_call *call)
{
    const json_t *request = call->args[0];
    const char *mode = fx_rpc_arg_str(json_object_get(request, "mode"), "template");
    const json_t *longpoll = json_object_get(request, "longpollid");
    unsigned lane = FX_LANE_HASH;
    if (strcmp(mode, "proposal") == 0) {
        return propose(call, json_object_get(request, "data"));
    }
    if (strcmp(mode, "template") != 0) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "Invalid mode");
    }
    if (!has_rule(json_object_get(request, "rules"), "segwit")) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER,
                           "getblocktemplate must be called with the segwit rule set (call with "
                           "{\"rules\": [\"segwit\"]})");
    }
    if (json_object_get(request, "lane") &&
        !fx_rpc_arg_lane(call, json_object_get(request, "lane"), &lane)) {
        return NULL;
    }
    if (json_is_string(longpoll)) {
        struct longpoll *wait = fx_xcalloc(1, sizeof(*wait));
        wait->lane = lane;
        wait->id = fx_xstrdup(json_string_value(longpoll));
        wait->end_ms = fx_clock_monotonic_ms() + LONGPOLL_MS;
        return fx_rpc_slice(call, longpoll_step, longpoll_free, wait);
    }
    return template_json(call, lane);
}

static const struct fx_rpc_command getblocktemplate_command = {
    .name = "getblocktemplate",
    .text = "Returns what a miner needs to make a block of a lane (BIP22, BIP23, BIP145). On the "
            "job lane it has the tasks on offer; the block is mined inside one of them, its "
            "coinbase names it (protocol section 6), and its subsidy comes from the backing list "
            "that the miner puts in.",
    .args = "template_request: {\n"
            "rules?: [ str ]          # Must have segwit, unless a block is proposed\n"
            "lane?: str = hash        # hash or job\n"
            "mode?: str = template    # template or proposal\n"
            "capabilities?: [ str ]\n"
            "longpollid?: str         # Answer when this is no longer the state\n"
            "data?: hex }             # Proposal: the block",
    .result = "@ mode template\n"
              "{ capabilities: [ str ], lane: str, version: int, rules: [ str ]\n"
              "vbavailable: { *: int }, vbrequired: int, previousblockhash: hash\n"
              "transactions: [ { data: hex, txid: hash, hash: hash\n"
              "depends: [ int ]         # Numbers of transactions of this list, from 1\n"
              "fee: int                 # Embers\n"
              "sigops: int              # As blocks count them: from segwit on, four times the old "
              "count\n"
              "weight: int } ]\n"
              "coinbaseaux: { *: hex }\n"
              "coinbasevalue: int       # Embers that the coinbase may pay; on the job lane "
              "without the subsidy of a backing list\n"
              "longpollid: str, target: hash, mintime: time, mutable: [ str ]\n"
              "noncerange: hex, sigoplimit: int, sizelimit: int, weightlimit?: int\n"
              "curtime: time, bits: hex, height: int\n"
              "default_witness_commitment?: hex\n"
              "tasks?: [                # Job lane: those on offer\n" OFFER_FIELDS " ] }\n"
              "@ mode proposal\nnull|str",
    .errors = "-8: the rule segwit is not given, or the lane or mode is unknown\n"
              "-22: Block decode failed",
    .example = "'{\"rules\":[\"segwit\"]}'\n'{\"rules\":[\"segwit\"],\"lane\":\"job\"}'",
    .run = getblocktemplate,
};

/* ---- submitting ------------------------------------------------------------------------------ */

/* BIP22: NULL for accepted, else the reason. */
static json_t *bip22(struct fx_rpc_call *call, const struct fx_block *block, enum fx_result result,
                     bool fresh, enum fx_verdict why)
{
    const struct fx_chain *chain = call->rpc->config.chain;
    const struct fx_index *index = fx_chain_find(chain, &block->id);
    switch (result) {
    case FX_VALID:
        if (!fresh) {
            return json_string("duplicate");
        }
        return index && fx_chain_contains(chain, index) ? json_null() : json_string("inconclusive");
    case FX_INVALID:
    case FX_INVALID_COPY:
        return json_string(fx_verdict_string(why));
    case FX_FAILED:
        break;
    }
    return fx_rpc_fail_read(call, "or write the block");
}

/* A coinbase that commits to the witnesses and came without its own, as some miners send it, gets
 * the 32 zeros that such a commitment is made with (BIP141). Takes the block's reference. */
static struct fx_block *with_reserved_value(const struct fx_rpc *rpc, struct fx_block *block)
{
    static const uint8_t zeros[32];
    const struct fx_params *params = rpc->config.params;
    const struct fx_index *parent = fx_chain_find(rpc->config.chain, &block->header.prev);
    struct fx_span proof = {block->raw.data + FX_HEADER_SIZE, block->work ? block->work->size : 0};
    struct fx_txb b;
    if (!parent || !fx_fork_binds(params, FX_FORK_SEGWIT, parent->height + 1) ||
        block->txs[0]->has_witness || fx_block_commitment_output(block->txs[0]) < 0) {
        return block;
    }
    fx_txb_from_tx(&b, block->txs[0]);
    fx_txb_push_witness(&b, 0, zeros, sizeof(zeros));
    struct fx_tx **txs = fx_xmemdup(block->txs, block->n_txs * sizeof(*txs));
    txs[0] = fx_txb_build(&b);
    struct fx_block *whole = fx_block_make(params, &block->header, proof, txs, block->n_txs);
    fx_tx_unref(txs[0]);
    free(txs);
    fx_txb_clear(&b);
    if (!whole) { /* too large with it: judged as it came */
        return block;
    }
    fx_block_unref(block);
    return whole;
}

static json_t *submitblock(struct fx_rpc_call *call)
{
    struct fx_chain *chain = call->rpc->config.chain;
    bool fresh = false;
    enum fx_verdict why = FX_OK;
    struct fx_block *block = arg_block(call, call->args[0]);
    if (!block) {
        return NULL;
    }
    if (block->n_txs == 0 || !fx_tx_is_coinbase(block->txs[0])) {
        fx_block_unref(block);
        return fx_rpc_fail(call, FX_RPC_DESERIALIZATION, "Block does not start with a coinbase");
    }
    block = with_reserved_value(call->rpc, block);
    json_t *out;
    const struct fx_index *known = fx_chain_find(chain, &block->id);
    if (known && (known->status & FX_INDEX_FAILED)) {
        out = json_string("duplicate-invalid");
    } else if (known && (known->status & FX_INDEX_HAVE_DATA)) {
        out = json_string("duplicate");
    } else {
        enum fx_result result = fx_chain_accept_block(chain, block, &fresh, &why);
        out = bip22(call, block, result, fresh, why);
    }
    fx_block_unref(block);
    return out;
}

static const struct fx_rpc_command submitblock_command = {
    .name = "submitblock",
    .text = "Gives a block to the node (BIP22). A job-lane block has its work proof after the "
            "header. A coinbase that commits to the witnesses gets the 32 zeros of BIP141 as its "
            "own where it has none.",
    .args = "hexdata: hex\n"
            "dummy?: str   # Ignored, for BIP22",
    .result =
        "@ it is on the best chain now\nnull\n"
        "@ it is not\nstr  # The reject reason, or duplicate, duplicate-invalid, inconclusive",
    .errors = "-22: Block decode failed, or it does not start with a coinbase",
    .example = "\"hexdata\"",
    .run = submitblock,
};

static json_t *submitheader(struct fx_rpc_call *call)
{
    struct fx_chain *chain = call->rpc->config.chain;
    const struct fx_index *index = NULL;
    struct fx_header header;
    enum fx_verdict why = FX_OK;
    uint8_t *raw;
    size_t n = 0;
    /* What follows a header, as in a block, does not matter. */
    if (fx_hex_decode_dup(json_string_value(call->args[0]), FX_BLOCK_SIZE_MAX, &raw, &n)) {
        if (n >= FX_HEADER_SIZE) {
            fx_header_read(raw, &header);
        }
        free(raw);
    }
    if (n < FX_HEADER_SIZE) {
        return fx_rpc_fail(call, FX_RPC_DESERIALIZATION, "Block header decode failed");
    }
    if (!fx_chain_find(chain, &header.prev)) {
        char prev[FX_HASH_HEX];
        fx_hash_to_id(&header.prev, prev);
        return fx_rpc_fail(call, FX_RPC_VERIFY, "Must submit previous header (%s) first", prev);
    }
    enum fx_result result = fx_chain_accept_header(chain, &header, &index, &why);
    if (result == FX_FAILED) {
        return fx_rpc_fail_read(call, "or write the header");
    }
    return result == FX_VALID ? json_null()
                              : fx_rpc_fail(call, FX_RPC_VERIFY, "%s", fx_verdict_string(why));
}

static const struct fx_rpc_command submitheader_command = {
    .name = "submitheader",
    .text = "Gives a header to the node.",
    .args = "hexdata: hex   # 80 bytes; what follows is ignored",
    .result = "null",
    .errors = "-22: Block header decode failed\n-25: its parent is not known, or it breaks a rule",
    .example = "\"hexdata\"",
    .run = submitheader,
};

/* ---- what concerns mining -------------------------------------------------------------------- */

#define RATE_BLOCKS 120
#define RETARGET_BLOCKS 2016
#define RETARGET_BLOCKS_BTCREGTEST 144

/* Hashes a second over this many blocks up to one, which is not genesis. */
static double hash_rate(const struct fx_index *last, int64_t blocks)
{
    const struct fx_index *at = last;
    int64_t least = last->header.time, most = least;
    struct fx_u256 work;
    for (int64_t i = 0; i < blocks; i++) {
        at = at->parent;
        least = at->header.time < least ? at->header.time : least;
        most = at->header.time > most ? at->header.time : most;
    }
    (void)fx_u256_sub(&last->hash_work, &at->hash_work, &work);
    return least == most ? 0 : fx_u256_to_double(&work) / (double)(most - least);
}

/* blocks -1: those since the last change of the target. */
static double network_rate(const struct fx_rpc *rpc, const struct fx_index *last, int64_t blocks)
{
    int64_t period =
        rpc->config.params->kind == FX_BTCREGTEST ? RETARGET_BLOCKS_BTCREGTEST : RETARGET_BLOCKS;
    if (!last->parent) {
        return 0;
    }
    if (blocks < 0) {
        blocks = last->height % period + 1;
    }
    return hash_rate(last, blocks < last->height ? blocks : last->height);
}

static json_t *getnetworkhashps(struct fx_rpc_call *call)
{
    const struct fx_chain *chain = call->rpc->config.chain;
    const struct fx_index *tip = fx_chain_tip(chain);
    int64_t blocks = call->args[0] ? json_integer_value(call->args[0]) : RATE_BLOCKS;
    int64_t height = call->args[1] ? json_integer_value(call->args[1]) : -1;
    if (blocks < -1 || blocks == 0) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER,
                           "Invalid nblocks. Must be a positive number or -1.");
    }
    if (height < -1 || height > tip->height) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "Block does not exist at specified height");
    }
    const struct fx_index *last = height < 0 ? tip : fx_chain_at(chain, (uint32_t)height);
    return fx_json_figure(network_rate(call->rpc, last, blocks));
}

static const struct fx_rpc_command getnetworkhashps_command = {
    .name = "getnetworkhashps",
    .text = "Estimates the hashes a second of the hash lane, from the work and the times of the "
            "last blocks.",
    .args = "nblocks?: int = 120   # Blocks to look at; -1: those since the target changed\n"
            "height?: int = -1     # As of this height; -1: the tip",
    .result = "num",
    .errors = "-8: nblocks or height is wrong",
    .example = "\n-1 1000",
    .run = getnetworkhashps,
};

static json_t *getmininginfo(struct fx_rpc_call *call)
{
    struct fx_rpc *rpc = call->rpc;
    struct fx_mempool_info info;
    uint32_t nbits[FX_LANES];
    json_t *out = json_object();
    const struct fx_index *tip = fx_chain_tip(rpc->config.chain);
    fx_chain_targets(rpc->config.chain, tip, nbits);
    fx_mempool_info(rpc->config.mempool, &info);
    fx_json_set(out, "blocks", json_integer(tip->height));
    if (rpc->last_weight > 0) {
        fx_json_set(out, "currentblockweight", json_integer((json_int_t)rpc->last_weight));
        fx_json_set(out, "currentblocktx", json_integer((json_int_t)rpc->last_txs));
    }
    fx_json_set(out, "difficulty",
                fx_json_figure(fx_difficulty(FX_LANE_HASH, nbits[FX_LANE_HASH])));
    fx_json_set(out, "networkhashps", fx_json_figure(network_rate(rpc, tip, RATE_BLOCKS)));
    if (rpc->config.params->lanes) {
        fx_json_set(out, "lanes", fx_rpc_lanes_json(rpc));
    }
    fx_json_set(out, "pooledtx", json_integer((json_int_t)info.count));
    fx_json_set(out, "chain", json_string(rpc->config.params->name));
    fx_json_set(out, "warnings", fx_rpc_warnings_json(rpc));
    return out;
}

static const struct fx_rpc_command getmininginfo_command = {
    .name = "getmininginfo",
    .text = "Returns what concerns mining.",
    .result = "{ blocks: int\n"
              "currentblockweight?: int  # Of the last template made here, 4,000 for all but "
              "transactions\n"
              "currentblocktx?: int      # Its transactions, without the coinbase\n"
              "difficulty: num           # Of the next block of the hash lane\n"
              "networkhashps: num        # See getnetworkhashps\n"
              "lanes?: [                 # Where there are lanes\n" FX_RPC_LANE_FIELDS " ]\n"
              "pooledtx: int, chain: str, warnings: [ str ] }",
    .example = "",
    .run = getmininginfo,
};

/* ---- priorities ------------------------------------------------------------------------------ */

static json_t *prioritisetransaction(struct fx_rpc_call *call)
{
    struct fx_hash txid;
    if (call->n_args < 3) {
        return fx_rpc_fail_help(call);
    }
    if (!fx_rpc_arg_hash(call, call->args[0], "txid", &txid)) {
        return NULL;
    }
    if (call->args[1] && json_number_value(call->args[1]) != 0) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER,
                           "Priority is no longer supported, dummy argument to "
                           "prioritisetransaction must be 0.");
    }
    if (!call->args[2]) {
        return fx_rpc_fail(call, FX_RPC_TYPE,
                           "JSON value of type null is not of expected type number");
    }
    if (!fx_mempool_prioritise(call->rpc->config.mempool, &txid,
                               json_integer_value(call->args[2]))) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "fee_delta out of range");
    }
    return json_true();
}

static const struct fx_rpc_command prioritisetransaction_command = {
    .name = "prioritisetransaction",
    .text = "Counts a transaction as if it paid more, or less, than it does: in the mempool and in "
            "block templates. Deltas add up, also before it comes; they end when it is mined.",
    .args = "txid: hash\n"
            "dummy?: num       # 0, for Bitcoin Core's order\n"
            "fee_delta?: int   # Embers; must be given",
    .result = "bool  # true",
    .errors = "-3: fee_delta is not given\n-8: dummy is not 0",
    .example = "\"txid\" 0.0 10000",
    .run = prioritisetransaction,
};

static json_t *getprioritisedtransactions(struct fx_rpc_call *call)
{
    const struct fx_mempool *pool = call->rpc->config.mempool;
    struct fx_fee_delta *deltas = NULL;
    size_t n = fx_mempool_deltas(pool, &deltas);
    json_t *out = json_object();
    for (size_t i = 0; i < n; i++) {
        char txid[FX_HASH_HEX];
        struct fx_mempool_entry entry;
        json_t *o = json_object();
        bool in_pool = fx_mempool_entry(pool, &deltas[i].txid, &entry);
        fx_hash_to_id(&deltas[i].txid, txid);
        fx_json_set(o, "fee_delta", json_integer(deltas[i].delta));
        fx_json_set(o, "in_mempool", json_boolean(in_pool));
        if (in_pool) {
            fx_json_set(o, "modified_fee", json_integer(entry.fee + deltas[i].delta));
        }
        fx_json_set(out, txid, o);
    }
    free(deltas);
    return out;
}

static const struct fx_rpc_command getprioritisedtransactions_command = {
    .name = "getprioritisedtransactions",
    .text = "Returns the transactions that prioritisetransaction was called for.",
    .result = "{ *: { fee_delta: int          # Embers\n"
              "in_mempool: bool\n"
              "modified_fee?: int } }   # Fee and delta, in the mempool",
    .example = "",
    .run = getprioritisedtransactions,
};

static const struct fx_rpc_command *const commands[] = {
    &getblocktemplate_command,
    &submitblock_command,
    &submitheader_command,
    &getmininginfo_command,
    &getnetworkhashps_command,
    &prioritisetransaction_command,
    &getprioritisedtransactions_command,
    &fx_rpc_generatetoaddress,
    &fx_rpc_generatetodescriptor,
    &fx_rpc_generateblock,
    NULL,
};

const struct fx_rpc_topic fx_rpc_topic_mining = {"Mining", commands, FX_RPC_ALWAYS};
