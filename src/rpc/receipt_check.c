/* verifyreceipt: judges a receipt by itself, by the rules of task outputs, and by the best chain.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/spend.h"
#include "src/rpc/receipt_int.h"
#include "src/rpc/topics_int.h"
#include "src/util/hex.h"
#include "src/util/limbs.h"
#include "src/util/mem.h"

#define TX_BYTES_MAX 1000000
#define SPEC_BYTES_MAX 1000
#define DEPTH_MAX 65536

/* A receipt being judged: the first reason against it counts. */
struct checking {
    const struct fx_rpc *rpc;
    const json_t *receipt;
    struct fx_hash client;
    char why[160];
    bool wrong;
    bool in_chain; /* so far, all blocks */
    size_t settled;
    int64_t paid;
};

__attribute__((format(printf, 2, 3))) static bool refuse(struct checking *c, const char *format,
                                                         ...)
{
    va_list args;
    va_start(args, format);
    if (!c->wrong) {
        vsnprintf(c->why, sizeof(c->why), format, args);
    }
    va_end(args);
    c->wrong = true;
    return false;
}

/* ---- fields ------------------------------------------------------------------------------------
 */

static const char *text_of(const json_t *from, const char *name)
{
    const char *s = json_string_value(json_object_get(from, name));
    return s ? s : "";
}

/* A whole number from 0 on; -1: it is none. */
static int64_t number_of(const json_t *from, const char *name)
{
    const json_t *value = json_object_get(from, name);
    return json_is_integer(value) && json_integer_value(value) >= 0 ? json_integer_value(value)
                                                                    : -1;
}

static bool hash_of(const json_t *from, const char *name, struct fx_hash *hash)
{
    const char *s = text_of(from, name);
    return strlen(s) == 64 && fx_hash_from_hex(hash, s);
}

static bool outpoint_of(const char *s, struct fx_outpoint *outpoint)
{
    char id[FX_HASH_HEX];
    char *end = NULL;
    if (strlen(s) < 66 || s[64] != ':' || s[65] < '0' || s[65] > '9') {
        return false;
    }
    memcpy(id, s, 64);
    id[64] = 0;
    unsigned long long index = strtoull(s + 65, &end, 10);
    outpoint->index = (uint32_t)index;
    return *end == 0 && index <= UINT32_MAX && fx_hash_from_id(&outpoint->txid, id);
}

/* ---- places in the chain -----------------------------------------------------------------------
 */

static bool read_branch(const json_t *list, struct fx_hash branch[FX_RECEIPT_BRANCH_MAX], size_t *n)
{
    *n = json_array_size(list);
    if (!json_is_array(list) || *n > FX_RECEIPT_BRANCH_MAX) {
        return false;
    }
    for (size_t i = 0; i < *n; i++) {
        const char *s = json_string_value(json_array_get(list, i));
        if (!s || strlen(s) != 64 || !fx_hash_from_hex(&branch[i], s)) {
            return false;
        }
    }
    return true;
}

/* The transaction of a place, if it is of the block that is named; NULL: refused. */
static struct fx_tx *check_place(struct checking *c, const json_t *place)
{
    struct fx_hash branch[FX_RECEIPT_BRANCH_MAX], root, id;
    struct fx_header header;
    uint8_t raw[FX_HEADER_SIZE], *bytes = NULL;
    const char *text = text_of(place, "header");
    int64_t position = number_of(place, "position");
    size_t n, n_branch;
    if (strlen(text) != 2 * sizeof(raw) || !fx_hex_decode(text, raw, sizeof(raw)) ||
        !read_branch(json_object_get(place, "branch"), branch, &n_branch) || position < 0 ||
        position >> n_branch != 0 ||
        !fx_hex_decode_dup(text_of(place, "tx"), TX_BYTES_MAX, &bytes, &n)) {
        refuse(c, "a transaction or its place is malformed");
        return NULL;
    }
    struct fx_tx *tx = fx_tx_parse(bytes, n);
    free(bytes);
    if (!tx) {
        refuse(c, "a transaction does not parse");
        return NULL;
    }
    fx_header_read(raw, &header);
    fx_header_id(&header, &id);
    fx_merkle_climb(&tx->txid, (size_t)position, branch, n_branch, &root);
    if (!fx_hash_equal(&root, &header.merkle_root)) {
        fx_tx_unref(tx);
        refuse(c, "a transaction is not in the block that is named");
        return NULL;
    }
    const struct fx_index *index = fx_chain_find(c->rpc->config.chain, &id);
    c->in_chain = c->in_chain && index && fx_chain_contains(c->rpc->config.chain, index);
    return tx;
}

/* ---- a task ------------------------------------------------------------------------------------
 */

/* The task that its fields describe, as a claimed output has it. spec stays the caller's to free.
 */
static bool read_task(struct checking *c, const json_t *from, struct fx_task *task, uint8_t **spec)
{
    size_t n = 0;
    memset(task, 0, sizeof(*task));
    *spec = NULL;
    int64_t escrow = number_of(from, "escrow"), bond = number_of(from, "bond");
    int64_t burn = number_of(from, "burn"), index = number_of(from, "index");
    if (!fx_hex_decode_dup(text_of(from, "spec"), SPEC_BYTES_MAX, spec, &n) ||
        !outpoint_of(text_of(from, "origin"), &task->origin) ||
        !hash_of(from, "solver", &task->solver) || !hash_of(from, "result", &task->result) ||
        !fx_money_range(c->rpc->config.params, escrow) || bond < 0 || burn < 0 || index < 0 ||
        index > UINT32_MAX) {
        return refuse(c, "a task is malformed");
    }
    struct fx_span span = {*spec, n};
    if (!fx_task_spec_read(c->rpc->config.params, span, &task->spec)) {
        return refuse(c, "a task's spec is not valid");
    }
    task->state = FX_TASK_CLAIMED;
    task->index = (uint32_t)index;
    task->escrow = (uint64_t)escrow;
    task->bond = (uint64_t)bond;
    task->burn = (uint64_t)burn;
    return true;
}

static uint64_t padded(uint64_t n, uint64_t to)
{
    return (n + to - 1) / to * to;
}

/* Is the spec one of the product, and of that part of its depth? */
static bool check_product(struct checking *c, const json_t *from, const struct fx_task *task)
{
    const json_t *product =
        json_array_get(json_object_get(c->receipt, "products"), (size_t)number_of(from, "product"));
    int64_t rows = number_of(product, "rows"), columns = number_of(product, "columns");
    int64_t depth = number_of(product, "depth"), part = number_of(from, "part");
    int64_t limbs_a = number_of(product, "limbs_a"), limbs_b = number_of(product, "limbs_b");
    struct fx_gemm gemm;
    if (rows < 1 || rows > 1 << 24 || columns < 1 || columns > 1 << 24 || depth < 1 ||
        depth > 1 << 24 || limbs_a < 1 || limbs_a > FX_LIMBS_MAX || limbs_b < 1 ||
        limbs_b > FX_LIMBS_MAX || part < 0 || part > depth / DEPTH_MAX ||
        !fx_gemm_read(task->spec.body, &gemm)) {
        return refuse(c, "a task is of no product");
    }
    uint64_t left = (uint64_t)(depth - part * DEPTH_MAX);
    if (gemm.m != padded((uint64_t)(rows * limbs_a), FX_TILE) ||
        gemm.n != padded((uint64_t)(columns * limbs_b), FX_TILE) ||
        gemm.k != padded(left < DEPTH_MAX ? left : DEPTH_MAX, FX_DEPTH)) {
        return refuse(c, "a task's spec is not of its product's shape");
    }
    return true;
}

/* The input that spends an output of this transaction which pays to the program; NULL: none. */
static const struct fx_txin *find_spend(const struct fx_tx *claim, const struct fx_hash *program,
                                        const struct fx_tx *settlement)
{
    for (size_t i = 0; i < settlement->n_in; i++) {
        const struct fx_txin *in = &settlement->in[i];
        struct fx_hash paid;
        if (fx_hash_equal(&in->prevout.txid, &claim->txid) && in->prevout.index < claim->n_out &&
            fx_script_is_task(claim->out[in->prevout.index].script, &paid) &&
            fx_hash_equal(&paid, program)) {
            return in;
        }
    }
    return NULL;
}

/* accept: the certificate in the witness is the client's. take: the chain judged its samples. */
static bool check_settlement(struct checking *c, const json_t *from, const struct fx_task *task,
                             const struct fx_hash *program, const struct fx_txin *in)
{
    struct fx_hash hash;
    bool accept = strcmp(text_of(from, "action"), "accept") == 0;
    uint8_t action = accept ? FX_ACTION_ACCEPT : FX_ACTION_TAKE;
    if (!accept && strcmp(text_of(from, "action"), "take") != 0) {
        return refuse(c, "a task's action does not settle it");
    }
    if (in->n_witness < 4 || in->witness[0].len != 1 || in->witness[0].data[0] != action) {
        return refuse(c, "a settlement is not by the action that is named");
    }
    if (accept) {
        fx_task_accept_hash(program, &hash);
        if (in->witness[2].len != 64 ||
            !fx_schnorr_verify(&task->spec.client, &hash, in->witness[2].data)) {
            return refuse(c, "a certificate is not the client's");
        }
    }
    return true;
}

static bool check_transactions(struct checking *c, const json_t *from, const struct fx_task *task)
{
    struct fx_buf preimage = FX_BUF_INIT;
    struct fx_hash program;
    struct fx_tx *claim = check_place(c, json_object_get(from, "claim"));
    struct fx_tx *settlement = claim ? check_place(c, json_object_get(from, "settlement")) : NULL;
    bool ok = settlement != NULL;
    if (ok) {
        fx_task_write(task, &preimage);
        struct fx_span span = {preimage.data, preimage.len};
        fx_task_program(span, &program);
        const struct fx_txin *in = find_spend(claim, &program, settlement);
        ok = in ? check_settlement(c, from, task, &program, in)
                : refuse(c, "no claim of what a task says was settled");
    }
    fx_buf_clear(&preimage);
    fx_tx_unref(claim);
    fx_tx_unref(settlement);
    return ok;
}

static bool check_task(struct checking *c, const json_t *from)
{
    struct fx_task task;
    uint8_t *spec;
    bool ok = read_task(c, from, &task, &spec) && check_product(c, from, &task);
    if (ok && !fx_hash_equal(&task.spec.client, &c->client)) {
        ok = refuse(c, "a task is of another client");
    }
    ok = ok && check_transactions(c, from, &task);
    c->settled += ok ? 1 : 0;
    c->paid += ok ? (int64_t)task.escrow : 0; /* two amounts in range fit together */
    if (ok && !fx_money_range(c->rpc->config.params, c->paid)) {
        ok = refuse(c, "its tasks pay more than there is");
    }
    free(spec);
    return ok;
}

/* Two tasks with one origin would count one settlement twice. */
static bool check_origins(struct checking *c, const json_t *tasks)
{
    json_t *seen = json_object(), *task;
    size_t i;
    bool ok = true;
    json_array_foreach(tasks, i, task)
    {
        const char *origin = text_of(task, "origin");
        if (json_object_get(seen, origin)) {
            ok = refuse(c, "a task stands there twice");
        }
        json_object_set_new(seen, origin, json_true());
    }
    json_decref(seen);
    return ok;
}

static bool check_head(struct checking *c)
{
    struct fx_hash hash;
    uint8_t signature[64];
    const char *text = text_of(c->receipt, "signature");
    if (number_of(c->receipt, "receipt") != FX_RECEIPT_VERSION) {
        return refuse(c, "it is no receipt of version %d", FX_RECEIPT_VERSION);
    }
    if (strcmp(text_of(c->receipt, "network"), c->rpc->config.params->name) != 0) {
        return refuse(c, "it is of another network");
    }
    if (!hash_of(c->receipt, "client", &c->client) || strlen(text) != 2 * sizeof(signature) ||
        !fx_hex_decode(text, signature, sizeof(signature))) {
        return refuse(c, "client or signature is malformed");
    }
    fx_receipt_hash(c->receipt, &hash);
    return fx_schnorr_verify(&c->client, &hash, signature) ||
           refuse(c, "the signature is not the client's");
}

static void check_all(struct checking *c)
{
    const json_t *tasks = json_object_get(c->receipt, "tasks"), *task;
    size_t i, n = json_array_size(tasks);
    if (!check_head(c)) {
        return;
    }
    if (n == 0 || n > FX_RECEIPT_TASKS_MAX) {
        refuse(c, "it has no tasks, or too many");
        return;
    }
    if (!check_origins(c, tasks)) {
        return;
    }
    json_array_foreach(tasks, i, task)
    {
        if (!check_task(c, task)) {
            return;
        }
    }
}

static json_t *verifyreceipt(struct fx_rpc_call *call)
{
    struct checking c = {.rpc = call->rpc, .receipt = call->args[0], .in_chain = true};
    check_all(&c);
    json_t *out = json_object();
    fx_json_set(out, "valid", json_boolean(!c.wrong));
    if (c.wrong) {
        fx_json_set(out, "reason", json_string(c.why));
        return out;
    }
    fx_json_set(out, "inchain", json_boolean(c.in_chain));
    fx_json_set(out, "job", json_string(text_of(c.receipt, "job")));
    fx_json_set(out, "client", fx_json_root(&c.client));
    fx_json_set(out, "settled", json_integer((json_int_t)c.settled));
    fx_json_set(out, "total", json_integer(number_of(c.receipt, "total")));
    fx_json_set(out, "paid", fx_json_amount(c.paid));
    return out;
}

const struct fx_rpc_command fx_rpc_verifyreceipt = {
    .name = "verifyreceipt",
    .text =
        "Checks a receipt (see getreceipt) without the data of its job: the client's signature, "
        "that the transactions are of the blocks that it names, that they settled what it says, "
        "and whether these blocks are of this node's best chain. fornax-cli verifyreceipt FILE "
        "reads it from a file.",
    .args = "receipt: object",
    .result = "{ valid: bool\n"
              "reason?: str          # What is wrong with it; then nothing else\n"
              "inchain?: bool        # All its blocks are on the best chain here: else it proves "
              "nothing but that the client signed it\n"
              "job?: hash, client?: hash\n"
              "settled?: int, total?: int  # Tasks\n"
              "paid?: amount }       # Their escrows\n",
    .example = "'{...}'",
    .run = verifyreceipt,
};
