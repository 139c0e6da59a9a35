/* The interface of fornax-miner: work of either lane, and what it found. */
#include <stdlib.h>
#include <string.h>

#include "src/iface/market.h"
#include "src/iface/template.h"
#include "src/rpc/topics_int.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

#define WORK_KEPT 256
#define PAYOUTS_MAX 64

/* A template that was handed out for a wallet. */
struct work_item {
    uint64_t id; /* 0: free */
    unsigned lane;
    char *wallet;
    struct fx_hash solver;
};

/* Where a wallet's blocks pay to, unless an address is given: one address a run, not one a call. */
struct payout {
    char *wallet;
    struct fx_buf script;
};

struct fx_rpc_work {
    struct work_item items[WORK_KEPT];
    size_t next;
    struct payout payouts[PAYOUTS_MAX];
    size_t n_payouts;
};

void fx_rpc_work_clear(struct fx_rpc *rpc)
{
    if (!rpc->work) {
        return;
    }
    for (size_t i = 0; i < WORK_KEPT; i++) {
        free(rpc->work->items[i].wallet);
    }
    for (size_t i = 0; i < rpc->work->n_payouts; i++) {
        free(rpc->work->payouts[i].wallet);
        fx_buf_clear(&rpc->work->payouts[i].script);
    }
    free(rpc->work);
    rpc->work = NULL;
}

static struct fx_rpc_work *work_of(struct fx_rpc *rpc)
{
    if (!rpc->work) {
        rpc->work = fx_xcalloc(1, sizeof(*rpc->work));
    }
    return rpc->work;
}

static void work_keep(struct fx_rpc *rpc, uint64_t id, unsigned lane, struct fx_wallet *wallet,
                      const struct fx_hash *solver)
{
    struct fx_rpc_work *work = work_of(rpc);
    struct work_item *item = &work->items[work->next++ % WORK_KEPT];
    free(item->wallet);
    item->id = id;
    item->lane = lane;
    item->wallet = wallet ? fx_xstrdup(fx_wallet_name(wallet)) : NULL;
    if (solver) {
        item->solver = *solver;
    }
}

static const struct work_item *work_find(struct fx_rpc *rpc, uint64_t id)
{
    struct fx_rpc_work *work = work_of(rpc);
    for (size_t i = 0; i < WORK_KEPT; i++) {
        if (work->items[i].id == id) {
            return &work->items[i];
        }
    }
    return NULL;
}

bool fx_rpc_payout(struct fx_rpc_call *call, const json_t *address, struct fx_buf *script)
{
    struct fx_wallet_error error = {0, ""};
    struct fx_hash key;
    if (address) {
        return fx_rpc_arg_address(call, address, script);
    }
    struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
    if (!wallet) {
        return false;
    }
    struct fx_rpc_work *work = work_of(call->rpc);
    for (size_t i = 0; i < work->n_payouts; i++) {
        if (strcmp(work->payouts[i].wallet, fx_wallet_name(wallet)) == 0) {
            fx_buf_bytes(script, work->payouts[i].script.data, work->payouts[i].script.len);
            return true;
        }
    }
    if (!fx_wallet_new_key(wallet, FX_KEY_RECEIVE, "mining", &key, &error)) {
        fx_rpc_fail_wallet(call, &error);
        return false;
    }
    fx_buf_u8(script, 0x51);
    fx_buf_u8(script, 32);
    fx_buf_hash(script, &key);
    if (work->n_payouts < PAYOUTS_MAX) {
        struct payout *p = &work->payouts[work->n_payouts++];
        p->wallet = fx_xstrdup(fx_wallet_name(wallet));
        fx_buf_bytes(&p->script, script->data, script->len);
    }
    return true;
}

/* ---- getminerwork -----------------------------------------------------------------------------
 */

#define WORK_TASK_FIELDS                                                         \
    "task?: {                # Job lane: the task that the block is mined in\n"  \
    "  origin: str, index: int, kind: str\n"                                     \
    "  m: int, n: int, k: int, root_a: hash, root_b: hash\n" FX_RPC_SHAPE_FIELDS \
    "  solver: hash          # Key of the claim and of the block\n"              \
    "  escrow: amount\n"                                                         \
    "  burn: amount          # That the option burn comes to\n"                  \
    "  deadline: time }\n"

static json_t *work_json(struct fx_rpc *rpc, const struct fx_template *t)
{
    json_t *out = json_object();
    uint8_t header[FX_HEADER_SIZE];
    struct fx_u256 target = fx_u256_zero;
    (void)fx_nbits_decode(t->header.nbits, &target);
    struct fx_u256 expected = fx_work_expected(&target);
    fx_header_write(&t->header, header);
    fx_json_set(out, "workid", json_integer((json_int_t)t->id));
    fx_json_set(out, "lane", json_string(fx_lane_name(t->lane)));
    fx_json_set(out, "previousblockhash", fx_json_id(&t->header.prev));
    fx_json_set(out, "height", json_integer(t->height));
    fx_json_set(out, "header", fx_json_hex(header, sizeof(header)));
    if (t->lane == FX_LANE_JOB) {
        fx_json_set(out, "seed", fx_json_root(&t->header_id));
    }
    fx_json_set(out, "target", fx_json_u256(&target));
    fx_json_set(out, "nbits", fx_json_bits(t->header.nbits));
    fx_json_set(out, "expectedwork", json_real(fx_u256_to_double(&expected)));
    fx_json_set(out, "curtime", json_integer(t->header.time));
    const struct fx_index *tip = fx_chain_tip(rpc->config.chain);
    fx_json_set(out, "mintime", json_integer(tip->median_time + 1));
    fx_json_set(out, "coinbasevalue", fx_json_amount(t->subsidy + t->total_fees - t->burned));
    fx_json_set(out, "subsidy", fx_json_amount(t->subsidy));
    fx_json_set(out, "fees", fx_json_amount(t->total_fees - t->burned));
    fx_json_set(out, "transactions", json_integer((json_int_t)t->n_txs));
    return out;
}

static json_t *task_part(struct fx_rpc *rpc, const struct fx_task_info *info,
                         const struct fx_gemm *gemm, const struct fx_hash *solver,
                         enum fx_burn burn, int64_t amount)
{
    json_t *out = json_object();
    if (burn == FX_BURN_AUTO) {
        amount = fx_jobs_burn_auto(rpc->config.jobs, info->shape.bricks, info->escrow);
    }
    fx_json_set(out, "origin", fx_json_outpoint(&info->origin));
    fx_json_set(out, "index", json_integer(info->index));
    fx_json_set(out, "kind", json_string("gemm"));
    fx_rpc_gemm_json(gemm, out);
    fx_rpc_shape_json(&info->shape, out);
    fx_json_set(out, "solver", fx_json_root(solver));
    fx_json_set(out, "escrow", fx_json_amount(info->escrow));
    fx_json_set(out, "burn", fx_json_amount(amount));
    fx_json_set(out, "deadline", json_integer(info->spec.deadline));
    return out;
}

static json_t *hash_work(struct fx_rpc_call *call, struct fx_span script)
{
    char error[FX_TEMPLATE_ERROR];
    const struct fx_template *t = fx_template_hash(call->rpc->config.templates, script, error);
    if (!t) {
        return fx_rpc_fail(call, FX_RPC_MISC, "%s", error);
    }
    work_keep(call->rpc, t->id, FX_LANE_HASH, NULL, NULL);
    return work_json(call->rpc, t);
}

static json_t *job_work(struct fx_rpc_call *call, const struct fx_task_info *info,
                        struct fx_span script, enum fx_burn burn, int64_t amount)
{
    struct fx_rpc *rpc = call->rpc;
    char error[FX_TEMPLATE_ERROR];
    struct fx_wallet_error wallet_error = {0, ""};
    struct fx_hash solver;
    struct fx_gemm gemm;
    struct fx_outpoint *backing = NULL;
    uint64_t credit = 0, burns = 0;
    struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
    if (!wallet) {
        return NULL;
    }
    if (!fx_wallet_solver_key(wallet, &solver, &wallet_error)) {
        return fx_rpc_fail_wallet(call, &wallet_error);
    }
    if (info->spec.kind != FX_KIND_GEMM || !fx_gemm_read(info->spec.body, &gemm)) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "No block can be mined in a task of this kind");
    }
    size_t n = fx_jobs_backing(rpc->config.jobs, &solver, &backing, &credit, &burns);
    const struct fx_template *t =
        fx_template_job(rpc->config.templates, script, &info->outpoint, info->preimage, &solver,
                        backing, n < FX_BACKING_MAX ? n : FX_BACKING_MAX, error);
    free(backing);
    if (!t) {
        return fx_rpc_fail(call, FX_RPC_MISC, "%s", error);
    }
    work_keep(rpc, t->id, FX_LANE_JOB, wallet, &solver);
    json_t *out = work_json(rpc, t);
    fx_json_set(out, "credit", json_integer((json_int_t)t->credit));
    fx_json_set(out, "burns", fx_json_amount((int64_t)t->burns));
    fx_json_set(out, "backing", json_integer((json_int_t)t->n_backing));
    fx_json_set(out, "task", task_part(rpc, info, &gemm, &solver, burn, amount));
    return out;
}

/* The first of the job book among those whose operands are here. Blocks may be mined in a task that
 * is exclusive to another, so that is no reason to leave it out. */
static bool best_task(struct fx_rpc *rpc, enum fx_burn burn, int64_t amount,
                      struct fx_task_info *best)
{
    const struct fx_offer_query query = {
        .burn = burn, .burn_amount = amount, .all = true, .here = true, .count = 1};
    struct fx_jobs *jobs = rpc->config.jobs;
    struct fx_offer *offers = NULL;
    size_t total;
    bool found = jobs && fx_jobs_offers(jobs, &query, &offers, &total) > 0 &&
                 fx_jobs_task(jobs, &offers[0].origin, best);
    free(offers);
    return found;
}

static json_t *getminerwork(struct fx_rpc_call *call)
{
    struct fx_rpc *rpc = call->rpc;
    const json_t *options = call->args[0];
    const json_t *task = json_object_get(options, "task");
    const char *lane = fx_rpc_arg_str(json_object_get(options, "lane"), "auto");
    struct fx_task_info info;
    enum fx_burn burn;
    int64_t amount;
    bool wants_hash = strcmp(lane, "hash") == 0, wants_job = strcmp(lane, "job") == 0;
    if (!wants_hash && !wants_job && strcmp(lane, "auto") != 0) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "lane must be auto, hash or job");
    }
    if (!fx_rpc_arg_burn(call, json_object_get(options, "burn"), &burn, &amount)) {
        return NULL;
    }
    bool have_task = false;
    if (task && !wants_hash) {
        if (!fx_rpc_arg_task(call, task, &info)) {
            return NULL;
        }
        if (info.status != FX_STATUS_OPEN) {
            return fx_rpc_fail(call, FX_RPC_PARAMETER,
                               "Task %s is not open: no block can be mined "
                               "in it",
                               json_string_value(task));
        }
        have_task = true;
    } else if (!wants_hash) {
        have_task = best_task(rpc, burn, amount, &info);
    }
    if (wants_job && !have_task) {
        return fx_rpc_fail(call, FX_RPC_MISC,
                           "No open task has its operands here (see listtasks, prepareoperands)");
    }
    struct fx_buf script = FX_BUF_INIT;
    json_t *out = NULL;
    if (fx_rpc_payout(call, json_object_get(options, "address"), &script)) {
        const struct fx_span span = {script.data, script.len};
        out = have_task ? job_work(call, &info, span, burn, amount) : hash_work(call, span);
    }
    fx_buf_clear(&script);
    return out;
}

static const struct fx_rpc_command getminerwork_command = {
    .name = "getminerwork",
    .text = "Returns a block to mine on the tip: on the hash lane by nonce and time, on the job "
            "lane by a brick of a task. Ask again when the tip has moved; older work can still be "
            "submitted until its parent is ten blocks deep. Solver key, signature and backing list "
            "are the wallet's and the node's affair.",
    .args = "options?: {\n"
            "lane?: str = auto       # auto (job where a task has its operands here), hash or job\n"
            "task?: str              # Origin of the task; default: the first of getjobbook that "
            "has its operands here\n"
            "address?: str           # Where the coinbase pays to; default: the wallet's\n"
            "burn?: str|amount = auto }  # auto, none or an amount: for the field burn",
    .result = "{ workid: int           # For submitminerwork\n"
              "lane: str, previousblockhash: hash, height: int\n"
              "header: hex             # 80 bytes; on the job lane final\n"
              "seed?: hash             # Job lane: the block id, in the bytes' own order\n"
              "target: hash            # Highest digit first\n"
              "nbits: hex\n"
              "expectedwork: num       # Hashes or bricks that the block takes on average\n"
              "curtime: time, mintime: time\n"
              "coinbasevalue: amount   # Subsidy and fees\n"
              "subsidy: amount, fees: amount\n"
              "transactions: int       # With the coinbase\n"
              "credit?: int, burns?: amount, backing?: int  # Job lane: of the backing "
              "list\n" WORK_TASK_FIELDS "}",
    .errors = "-1: no open task has its operands here\n-5: No such task, or an invalid address\n"
              "-8: the task is not open\n-18: no wallet is loaded",
    .example = "\n'{\"lane\":\"hash\"}'\n'{\"lane\":\"job\",\"task\":\"txid:1\"}'",
    .run = getminerwork,
};

/* ---- submitminerwork --------------------------------------------------------------------------
 */

static json_t *submitted(bool accepted, const struct fx_hash *id, const char *reason)
{
    json_t *out = json_object();
    fx_json_set(out, "accepted", json_boolean(accepted));
    if (id) {
        fx_json_set(out, "hash", fx_json_id(id));
    }
    if (reason) {
        fx_json_set(out, "reject-reason", json_string(reason));
    }
    return out;
}

json_t *fx_rpc_submit_made(struct fx_rpc_call *call, struct fx_block *block)
{
    struct fx_chain *chain = call->rpc->config.chain;
    enum fx_verdict why = FX_OK;
    enum fx_result result = fx_chain_accept_block(chain, block, NULL, &why);
    json_t *out = NULL;
    if (result == FX_FAILED) {
        fx_rpc_fail_read(call, "or write the block");
    } else if (result != FX_VALID) {
        out = submitted(false, &block->id, fx_verdict_string(why));
    } else {
        const struct fx_index *index = fx_chain_find(chain, &block->id);
        bool best = index && fx_chain_contains(chain, index);
        out = submitted(true, &block->id, best ? NULL : "not on the best chain");
        fx_log(FX_LOG_MINING, "mining: block of the %s lane at height %u",
               fx_lane_name(fx_lane_of(call->rpc->config.params, &block->header)),
               index ? index->height : 0);
    }
    fx_block_unref(block);
    return out;
}

json_t *fx_rpc_submit_brick(struct fx_rpc_call *call, uint64_t work_id, struct fx_wallet *wallet,
                            uint32_t i, uint32_t j, uint32_t l)
{
    struct fx_rpc *rpc = call->rpc;
    struct fx_wallet_error error = {0, ""};
    struct fx_rpc_operands operands;
    struct fx_task task;
    struct fx_gemm gemm;
    struct fx_hash to_sign;
    uint8_t signature[64];
    const struct fx_template *t = fx_template_find(rpc->config.templates, work_id);
    if (!t || t->lane != FX_LANE_JOB) {
        return submitted(false, NULL, "stale");
    }
    if (!fx_task_read(rpc->config.params, (struct fx_span){t->preimage, t->preimage_len}, &task) ||
        !fx_gemm_read(task.spec.body, &gemm)) {
        return fx_rpc_fail(call, FX_RPC_INTERNAL, "the template's task cannot be read");
    }
    if (i >= gemm.m / FX_TILE || j >= gemm.n / FX_TILE || l >= gemm.k / FX_DEPTH) {
        return submitted(false, &t->header_id, fx_verdict_string(FX_BAD_WORK_OPEN));
    }
    fx_rpc_operands_set(&operands, rpc->config.blobs, &gemm);
    struct fx_rpc_chunk *chunks = fx_xcalloc(2, sizeof(*chunks));
    json_t *out = NULL;
    fx_work_sign_hash(&t->header_id, &to_sign);
    if (!fx_rpc_operands_read(&operands, FX_SIDE_A, i, l, &chunks[0]) ||
        !fx_rpc_operands_read(&operands, FX_SIDE_B, j, l, &chunks[1])) {
        fx_rpc_fail(call, FX_RPC_MISC, "The task's operands are not here (see prepareoperands)");
    } else if (!fx_wallet_sign_hash(wallet, &t->work.solver, &to_sign, signature, &error)) {
        fx_rpc_fail_wallet(call, &error);
    } else {
        const struct fx_job_brick brick = {
            .i = i,
            .j = j,
            .l = l,
            .block_a = {chunks[0].data, chunks[0].n},
            .path_a = {chunks[0].path, 32 * chunks[0].n_path},
            .block_b = {chunks[1].data, chunks[1].n},
            .path_b = {chunks[1].path, 32 * chunks[1].n_path},
        };
        struct fx_block *block =
            fx_template_solve_job(rpc->config.templates, work_id, &brick, signature);
        out = block ? fx_rpc_submit_made(call, block) : submitted(false, NULL, "stale");
    }
    free(chunks);
    return out;
}

static json_t *submit_nonce(struct fx_rpc_call *call, uint64_t id, const json_t *solution)
{
    struct fx_rpc *rpc = call->rpc;
    int64_t nonce, time;
    const struct fx_template *t = fx_template_find(rpc->config.templates, id);
    if (!json_object_get(solution, "nonce")) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "Missing nonce");
    }
    if (!fx_rpc_arg_int(call, json_object_get(solution, "nonce"), "nonce", 0, UINT32_MAX, 0,
                        &nonce) ||
        !fx_rpc_arg_int(call, json_object_get(solution, "time"), "time", 0, UINT32_MAX,
                        t ? t->header.time : 0, &time)) {
        return NULL;
    }
    struct fx_block *block =
        t ? fx_template_solve_hash(rpc->config.templates, id, (uint32_t)time, (uint32_t)nonce)
          : NULL;
    return block ? fx_rpc_submit_made(call, block) : submitted(false, NULL, "stale");
}

static json_t *submitminerwork(struct fx_rpc_call *call)
{
    struct fx_rpc *rpc = call->rpc;
    const json_t *solution = call->args[1];
    struct fx_wallet_error error = {0, ""};
    int64_t id, i, j, l;
    if (!fx_rpc_arg_int(call, call->args[0], "workid", 1, INT64_MAX, 0, &id)) {
        return NULL;
    }
    const struct work_item *item = work_find(rpc, (uint64_t)id);
    if (!item) {
        return submitted(false, NULL, "stale");
    }
    if (item->lane == FX_LANE_HASH) {
        return submit_nonce(call, item->id, solution);
    }
    if (!json_object_get(solution, "i") || !json_object_get(solution, "j") ||
        !json_object_get(solution, "l")) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "Missing i, j or l");
    }
    if (!fx_rpc_arg_int(call, json_object_get(solution, "i"), "i", 0, UINT32_MAX, 0, &i) ||
        !fx_rpc_arg_int(call, json_object_get(solution, "j"), "j", 0, UINT32_MAX, 0, &j) ||
        !fx_rpc_arg_int(call, json_object_get(solution, "l"), "l", 0, UINT32_MAX, 0, &l)) {
        return NULL;
    }
    struct fx_wallet *wallet = fx_wallet_get(rpc->config.wallets, item->wallet, &error);
    if (!wallet) {
        return fx_rpc_fail_wallet(call, &error);
    }
    return fx_rpc_submit_brick(call, item->id, wallet, (uint32_t)i, (uint32_t)j, (uint32_t)l);
}

static const struct fx_rpc_command submitminerwork_command = {
    .name = "submitminerwork",
    .text = "Gives the node what solves a work of getminerwork. For a brick the node takes the "
            "blocks and their paths from its store and signs with the wallet's solver key.",
    .args = "workid: int\n"
            "solution: {\n"
            "nonce?: int, time?: int   # Hash lane; time: default that of the header\n"
            "i?: int, j?: int, l?: int }  # Job lane: tile row, tile column, segment",
    .result = FX_RPC_SUBMITTED_FIELDS,
    .errors = "-1: the operands are not here\n-8: a part of the solution is missing",
    .example = "7 '{\"nonce\":12345}'\n8 '{\"i\":0,\"j\":3,\"l\":1}'",
    .run = submitminerwork,
};

/* ---- prepareoperands ---------------------------------------------------------------------------
 */

static json_t *blob_json(struct fx_blobs *blobs, const struct fx_blob_key *key)
{
    struct fx_blob_shape shape;
    uint64_t chunks = 0, have = 0;
    json_t *out = json_object();
    (void)fx_blobs_info(blobs, key, &shape, &chunks, &have);
    fx_json_set(out, "root", fx_json_root(&key->root));
    fx_json_set(out, "chunks", json_integer((json_int_t)chunks));
    fx_json_set(out, "have", json_integer((json_int_t)have));
    return out;
}

static json_t *prepareoperands(struct fx_rpc_call *call)
{
    struct fx_rpc *rpc = call->rpc;
    struct fx_task_info info;
    struct fx_jobs_error error = {0, ""};
    struct fx_rpc_operands operands;
    struct fx_gemm gemm;
    if (!fx_rpc_arg_task(call, call->args[0], &info)) {
        return NULL;
    }
    if (info.spec.kind != FX_KIND_GEMM || !fx_gemm_read(info.spec.body, &gemm)) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "The task is of a kind without operands");
    }
    fx_rpc_operands_set(&operands, rpc->config.blobs, &gemm);
    bool here = fx_rpc_operands_here(&operands);
    if (!here && !fx_jobs_want_operands(rpc->config.jobs, &info.origin, &error)) {
        return fx_rpc_fail_jobs(call, &error);
    }
    json_t *out = json_object();
    fx_json_set(out, "here", json_boolean(here));
    fx_json_set(out, "a", blob_json(rpc->config.blobs, &operands.a));
    fx_json_set(out, "b", blob_json(rpc->config.blobs, &operands.b));
    return out;
}

static const struct fx_rpc_command prepareoperands_command = {
    .name = "prepareoperands",
    .text = "Fetches a task's operands from the network where they are not here, and says how far "
            "that is. Their chunks are at GET /blob/operand/ROOT?x=I&y=L.",
    .args = "origin: str",
    .result = "{ here: bool            # Both are complete\n"
              "a: { root: hash, chunks: int, have: int }\n"
              "b: { root: hash, chunks: int, have: int } }",
    .errors = "-5: No such task",
    .example = "\"txid:1\"",
    .run = prepareoperands,
};

static const struct fx_rpc_command *const commands[] = {
    &getminerwork_command,
    &submitminerwork_command,
    &prepareoperands_command,
    NULL,
};

const struct fx_rpc_topic fx_rpc_topic_miner = {"Miner", commands, FX_RPC_WITH_JOBS};
