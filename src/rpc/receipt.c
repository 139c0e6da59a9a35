/* getreceipt: makes and signs the receipt of a job. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/crypto/sha256.h"
#include "src/crypto/taghash.h"
#include "src/rpc/receipt_int.h"
#include "src/rpc/topics_int.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

#define NUMBER_TEXT 32

void fx_receipt_hash(const json_t *receipt, struct fx_hash *hash)
{
    json_t *copy = json_copy((json_t *)(uintptr_t)receipt);
    json_object_del(copy, "signature");
    char *text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    fx_tagged_hash("fornax/receipt", text ? text : "", text ? strlen(text) : 0, hash->b);
    free(text);
    json_decref(copy);
}

static void join(const struct fx_hash *left, const struct fx_hash *right, struct fx_hash *out)
{
    uint8_t both[64];
    memcpy(both, left->b, 32);
    memcpy(both + 32, right->b, 32);
    fx_sha256d(both, sizeof(both), out->b);
}

size_t fx_merkle_branch(const struct fx_hash *leaves, size_t n, size_t at, struct fx_hash *branch)
{
    struct fx_hash *level = fx_xmemdup(leaves, n * sizeof(*leaves));
    size_t height = 0;
    for (; n > 1; n = (n + 1) / 2, at /= 2) {
        size_t sibling = (at ^ 1) < n ? at ^ 1 : at; /* the last of an odd level stands twice */
        branch[height++] = level[sibling];
        for (size_t i = 0; i < n; i += 2) {
            join(&level[i], &level[i + 1 < n ? i + 1 : i], &level[i / 2]);
        }
    }
    free(level);
    return height;
}

void fx_merkle_climb(const struct fx_hash *leaf, size_t at, const struct fx_hash *branch, size_t n,
                     struct fx_hash *root)
{
    *root = *leaf;
    for (size_t i = 0; i < n; i++, at /= 2) {
        if (at & 1) {
            join(&branch[i], root, root);
        } else {
            join(root, &branch[i], root);
        }
    }
}

/* ---- places in the chain -----------------------------------------------------------------------
 */

/* The block read last: the tasks of a job share few. */
struct reader {
    struct fx_rpc_call *call;
    struct fx_block *block;
    uint32_t height;
    struct fx_hash *txids;
};

static void reader_clear(struct reader *r)
{
    fx_block_unref(r->block);
    free(r->txids);
    r->block = NULL;
    r->txids = NULL;
}

static bool read_block(struct reader *r, uint32_t height)
{
    struct fx_chain *chain = r->call->rpc->config.chain;
    const struct fx_index *index = fx_chain_at(chain, height);
    if (r->block && r->height == height) {
        return true;
    }
    reader_clear(r);
    r->height = height;
    r->block = index ? fx_chain_read_block(chain, index) : NULL;
    if (!r->block) {
        fx_rpc_fail(r->call, FX_RPC_MISC, "Block %u is not here any more (pruned)", height);
        return false;
    }
    r->txids = fx_xcalloc(r->block->n_txs, sizeof(*r->txids));
    for (size_t i = 0; i < r->block->n_txs; i++) {
        r->txids[i] = r->block->txs[i]->txid;
    }
    return true;
}

/* A transaction of a block, and what proves that it is of it. NULL after fx_rpc_fail. */
static json_t *place_json(struct reader *r, uint32_t height, const struct fx_hash *txid)
{
    struct fx_hash branch[FX_RECEIPT_BRANCH_MAX];
    uint8_t header[FX_HEADER_SIZE];
    size_t at = 0;
    if (!read_block(r, height)) {
        return NULL;
    }
    while (at < r->block->n_txs && !fx_hash_equal(&r->txids[at], txid)) {
        at++;
    }
    if (at == r->block->n_txs) {
        return fx_rpc_fail(r->call, FX_RPC_MISC, "The chain has changed meanwhile: ask again");
    }
    json_t *out = json_object(), *path = json_array();
    size_t n = fx_merkle_branch(r->txids, r->block->n_txs, at, branch);
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(path, fx_json_root(&branch[i]));
    }
    fx_header_write(&r->block->header, header);
    fx_json_set(out, "height", json_integer(height));
    fx_json_set(out, "header", fx_json_hex(header, sizeof(header)));
    fx_json_set(out, "position", json_integer((json_int_t)at));
    fx_json_set(out, "branch", path);
    fx_json_set(out, "tx", fx_json_hex(r->block->txs[at]->raw.data, r->block->txs[at]->raw.len));
    return out;
}

/* ---- the receipt -------------------------------------------------------------------------------
 */

/* Text that reads back as the same number: the numbers of signed JSON are whole. */
static json_t *real_json(double value)
{
    char text[NUMBER_TEXT];
    snprintf(text, sizeof(text), "%.17g", value);
    return json_string(text);
}

static json_t *products_json(struct fx_jobs *jobs, const struct fx_hash *job)
{
    json_t *out = json_array();
    struct fx_job_product p;
    for (size_t i = 0; fx_jobs_product(jobs, job, i, &p); i++) {
        json_t *o = json_object();
        fx_json_set(o, "rows", json_integer(p.rows));
        fx_json_set(o, "columns", json_integer(p.columns));
        fx_json_set(o, "depth", json_integer((json_int_t)p.depth));
        fx_json_set(o, "limbs_a", json_integer(p.limbs_a));
        fx_json_set(o, "limbs_b", json_integer(p.limbs_b));
        fx_json_set(o, "type", json_string(fx_rpc_type_name(p.type)));
        fx_json_set(o, "scale_a", real_json(p.scale_a));
        fx_json_set(o, "scale_b", real_json(p.scale_b));
        fx_json_set(o, "error", real_json(p.error));
        json_array_append_new(out, o);
    }
    return out;
}

/* NULL after fx_rpc_fail. */
static json_t *task_json(struct reader *r, const struct fx_task_info *t)
{
    struct fx_buf spec = FX_BUF_INIT;
    json_t *claim = place_json(r, t->claim_height, &t->claim.txid);
    json_t *settlement = claim ? place_json(r, t->end_height, &t->end_txid) : NULL;
    if (!settlement) {
        json_decref(claim);
        return NULL;
    }
    json_t *out = json_object();
    fx_task_spec_write(&t->spec, &spec);
    fx_json_set(out, "product", json_integer(t->product));
    fx_json_set(out, "part", json_integer(t->part));
    fx_json_set(out, "index", json_integer(t->index));
    fx_json_set(out, "origin", fx_json_outpoint(&t->origin));
    fx_json_set(out, "spec", fx_json_hex(spec.data, spec.len));
    fx_json_set(out, "solver", fx_json_root(&t->solver));
    fx_json_set(out, "result", fx_json_root(&t->result));
    fx_json_set(out, "escrow", json_integer(t->escrow));
    fx_json_set(out, "bond", json_integer(t->bond));
    fx_json_set(out, "burn", json_integer(t->burn));
    fx_json_set(out, "action", json_string(fx_rpc_action_name(t->end_action)));
    fx_json_set(out, "claim", claim);
    fx_json_set(out, "settlement", settlement);
    fx_buf_clear(&spec);
    return out;
}

/* All settled tasks of the job; NULL after fx_rpc_fail. */
static json_t *tasks_json(struct fx_rpc_call *call, const struct fx_hash *job)
{
    struct reader r = {.call = call};
    struct fx_task_info *tasks = NULL;
    struct fx_task_filter filter = {.job = job, .statuses = FX_STATUS_BIT(FX_STATUS_SETTLED)};
    size_t n = fx_jobs_tasks(call->rpc->config.jobs, &filter, &tasks);
    json_t *out = json_array();
    for (size_t i = 0; out && i < n; i++) {
        json_t *task = task_json(&r, &tasks[i]);
        if (task) {
            json_array_append_new(out, task);
        } else {
            json_decref(out);
            out = NULL;
        }
    }
    reader_clear(&r);
    free(tasks);
    return out;
}

static bool sign(struct fx_rpc_call *call, struct fx_wallet *wallet, const struct fx_hash *client,
                 json_t *receipt)
{
    struct fx_wallet_error error = {0, ""};
    struct fx_hash hash;
    uint8_t signature[64];
    fx_receipt_hash(receipt, &hash);
    if (!fx_wallet_sign_hash(wallet, client, &hash, signature, &error)) {
        fx_rpc_fail_wallet(call, &error);
        return false;
    }
    fx_json_set(receipt, "signature", fx_json_hex(signature, sizeof(signature)));
    return true;
}

static json_t *getreceipt(struct fx_rpc_call *call)
{
    struct fx_job_info info;
    struct fx_wallet *wallet;
    if (!fx_rpc_arg_job(call, call->args[0], &info) || !(wallet = fx_rpc_arg_wallet(call))) {
        return NULL;
    }
    if (!fx_wallet_owns_key(wallet, &info.spec.client)) {
        return fx_rpc_fail(call, FX_RPC_WALLET, "The job is not one of this wallet");
    }
    if (info.n_settled == 0 || info.n_settled > FX_RECEIPT_TASKS_MAX) {
        return fx_rpc_fail(call, FX_RPC_MISC,
                           "A receipt is of 1 to %d settled tasks; the job has %zu",
                           FX_RECEIPT_TASKS_MAX, info.n_settled);
    }
    json_t *tasks = tasks_json(call, &info.id);
    if (!tasks) {
        return NULL;
    }
    json_t *out = json_object();
    fx_json_set(out, "receipt", json_integer(FX_RECEIPT_VERSION));
    fx_json_set(out, "network", json_string(call->rpc->config.params->name));
    fx_json_set(out, "job", fx_json_id(&info.id));
    fx_json_set(out, "client", fx_json_root(&info.spec.client));
    fx_json_set(out, "time", json_integer(fx_clock_now()));
    fx_json_set(out, "total", json_integer((json_int_t)info.n_tasks));
    fx_json_set(out, "products", products_json(call->rpc->config.jobs, &info.id));
    fx_json_set(out, "tasks", tasks);
    if (!sign(call, wallet, &info.spec.client, out)) {
        json_decref(out);
        return NULL;
    }
    return out;
}

#define PLACE_FIELDS                                                                              \
    "{ height: int, header: hex  # Of its block\n"                                                \
    "    position: int, branch: [ hash ]  # Of its id in the block's merkle tree, bottom first\n" \
    "    tx: hex }\n"

const struct fx_rpc_command fx_rpc_getreceipt = {
    .name = "getreceipt",
    .text = "Returns a record of a job's settled tasks that others can check without its data (see "
            "verifyreceipt), signed by the job's key.",
    .args = "job: hash",
    .result =
        "{ receipt: int           # Version: 1\n"
        "network: str, job: hash, client: hash, time: time\n"
        "total: int               # Tasks of the job; those that are not settled are left "
        "out\n"
        "products: [ { rows: int, columns: int, depth: int, limbs_a: int, limbs_b: int\n"
        "  type: str, scale_a: str, scale_b: str, error: str } ]  # See getjob\n"
        "tasks: [ { product: int, part: int, index: int, origin: str\n"
        "  spec: hex              # Its operands' roots, shape and terms: protocol section 5\n"
        "  solver: hash, result: hash  # The result's root\n"
        "  escrow: int, bond: int, burn: int  # Embers\n"
        "  action: str            # accept (the client certified the result) or take\n"
        "  claim: " PLACE_FIELDS "  settlement: " PLACE_FIELDS "  } ]\n"
        "signature: hex }         # BIP340, of the client's key\n",
    .errors = "-1: nothing is settled, or its blocks are pruned\n-4: it is not the wallet's\n"
              "-5: No such job",
    .example = "\"job\"",
    .run = getreceipt,
};
