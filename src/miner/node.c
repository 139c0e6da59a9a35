/* RPC calls and blobs of the node, read into structs. */
#include "src/miner/node.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/crypto/sha256.h"
#include "src/util/amount.h"
#include "src/util/hex.h"
#include "src/util/mem.h"

#define TIMEOUT_MS 60000
#define TASKS_ASKED 1000
#define ANSWER_MAX 65536 /* of a blob request that is not a block */

void fx_miner_node_init(struct fx_miner_node *node, const struct fx_miner_options *options)
{
    const struct fx_rpc_client_config config = {
        .host = options->host,
        .port = options->port,
        .user = options->user,
        .password = options->password,
        .cookie_file = options->cookie_file,
        .wallet = options->wallet,
        .timeout_ms = TIMEOUT_MS,
    };

    memset(node, 0, sizeof *node);
    node->client = fx_rpc_client_create(&config);
}

void fx_miner_node_clear(struct fx_miner_node *node)
{
    fx_rpc_client_destroy(node->client);
    node->client = NULL;
}

static void note(struct fx_miner_node *node, const char *text)
{
    snprintf(node->text, sizeof node->text, "%s", text ? text : "no answer");
}

static enum fx_miner_node_status odd(struct fx_miner_node *node, const char *method)
{
    snprintf(node->text, sizeof node->text, "the node's answer to %s makes no sense", method);
    return FX_NODE_ODD;
}

/* http 401 is a wrong cookie; no cookie at all means that the node has not started yet. */
static enum fx_miner_node_status status_of(enum fx_rpc_status status, int http)
{
    switch (status) {
    case FX_RPC_OK:
        return FX_NODE_OK;
    case FX_RPC_ERROR:
        return FX_NODE_REFUSED;
    case FX_RPC_AUTH:
        return http == 401 ? FX_NODE_AUTH : FX_NODE_DOWN;
    case FX_RPC_REFUSED:
        return FX_NODE_ODD;
    case FX_RPC_CONNECT:
    case FX_RPC_WARMUP:
    case FX_RPC_TIMEOUT:
    case FX_RPC_BROKEN:
        return FX_NODE_DOWN;
    }
    return FX_NODE_ODD;
}

/* Takes params over. *result is the caller's to release where FX_NODE_OK is returned. */
static enum fx_miner_node_status call(struct fx_miner_node *node, const char *method,
                                      json_t *params, json_t **result)
{
    struct fx_rpc_reply reply;
    enum fx_miner_node_status status;

    fx_rpc_client_call(node->client, method, params, &reply);
    status = status_of(reply.status, reply.http);
    if (status == FX_NODE_OK) {
        *result = json_incref(reply.result);
    } else {
        node->code = reply.code;
        note(node, reply.message);
    }
    fx_rpc_reply_clear(&reply);
    json_decref(params);
    return status;
}

/* ---- reading answers ------------------------------------------------------------------------ */

static bool get_u32(const json_t *json, const char *name, uint32_t *out)
{
    const json_t *value = json_object_get(json, name);
    json_int_t v = json_integer_value(value);

    if (!json_is_integer(value) || v < 0 || v > UINT32_MAX)
        return false;
    *out = (uint32_t)v;
    return true;
}

static bool get_u64(const json_t *json, const char *name, uint64_t *out)
{
    const json_t *value = json_object_get(json, name);

    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

static bool get_amount(const json_t *json, const char *name, int64_t *out)
{
    const json_t *value = json_object_get(json, name);
    double v = json_number_value(value);

    /* Up to 2^53 embers a double holds every amount, once it is rounded to the nearest. */
    if (!json_is_number(value) || !(v >= 0 && v <= 9e15 / FX_COIN))
        return false;
    *out = (int64_t)(v * FX_COIN + 0.5);
    return true;
}

static bool get_root(const json_t *json, const char *name, struct fx_hash *out)
{
    const char *text = json_string_value(json_object_get(json, name));

    return text && fx_hash_from_hex(out, text);
}

static bool get_id(const json_t *json, const char *name, struct fx_hash *out)
{
    const char *text = json_string_value(json_object_get(json, name));

    return text && fx_hash_from_id(out, text);
}

static bool get_status(const json_t *json, enum fx_miner_task_status *out)
{
    static const char *const names[] = {"pending", "open", "claimed", "settled", "refunded"};
    const char *text = json_string_value(json_object_get(json, "status"));

    for (size_t at = 0; text && at < sizeof names / sizeof names[0]; at++) {
        if (strcmp(text, names[at]) == 0) {
            *out = (enum fx_miner_task_status)at;
            return true;
        }
    }
    return false;
}

static bool get_shape(const json_t *json, struct fx_task_shape *shape)
{
    return get_u32(json, "row0", &shape->row0) && get_u32(json, "col0", &shape->col0) &&
           get_u32(json, "rows", &shape->rows) && get_u32(json, "cols", &shape->cols) &&
           get_u32(json, "depth", &shape->depth) && get_u64(json, "tiles", &shape->tiles) &&
           get_u64(json, "bricks", &shape->bricks) && shape->rows > 0 && shape->cols > 0 &&
           shape->depth > 0 && shape->depth <= 256 && shape->tiles <= UINT64_C(1) << 24 &&
           shape->tiles == (uint64_t)shape->rows * shape->cols &&
           shape->bricks == shape->tiles * shape->depth;
}

/* The rectangle lies in the product, so no read of an operand leaves it. */
static bool shape_fits(const struct fx_miner_task *task)
{
    const struct fx_task_shape *shape = &task->shape;

    return task->k / FX_DEPTH == shape->depth &&
           (uint64_t)shape->row0 + shape->rows <= task->m / FX_TILE &&
           (uint64_t)shape->col0 + shape->cols <= task->n / FX_TILE;
}

bool fx_miner_task_parse(const json_t *json, struct fx_miner_task *task)
{
    const char *origin = json_string_value(json_object_get(json, "origin"));
    const char *kind = json_string_value(json_object_get(json, "kind"));
    const json_t *claim = json_object_get(json, "claim");

    memset(task, 0, sizeof *task);
    if (!origin || strlen(origin) >= FX_ORIGIN_TEXT || !kind || !get_status(json, &task->status) ||
        !get_amount(json, "escrow", &task->escrow))
        return false;
    snprintf(task->origin, sizeof task->origin, "%s", origin);
    task->operands_here = json_is_true(json_object_get(json, "operandshere"));
    if (claim &&
        (!get_root(claim, "solver", &task->solver) || !get_root(claim, "result", &task->result) ||
         !get_amount(claim, "burn", &task->burn)))
        return false;
    if (strcmp(kind, fx_kind_gemm.name) != 0)
        return true; /* kind 0: nothing that a miner of this version runs */
    task->kind = fx_kind_gemm.id;
    return get_u32(json, "m", &task->m) && get_u32(json, "n", &task->n) &&
           get_u32(json, "k", &task->k) && get_root(json, "root_a", &task->root_a) &&
           get_root(json, "root_b", &task->root_b) &&
           get_shape(json_object_get(json, "shape"), &task->shape) && shape_fits(task);
}

bool fx_miner_work_parse(const json_t *json, struct fx_miner_work *work)
{
    const json_t *id = json_object_get(json, "workid");
    const char *lane = json_string_value(json_object_get(json, "lane"));
    const char *header = json_string_value(json_object_get(json, "header"));
    const json_t *expected = json_object_get(json, "expectedwork");

    memset(work, 0, sizeof *work);
    if (!json_is_integer(id) || !lane || !header || !json_is_number(expected) ||
        !get_u32(json, "height", &work->height) ||
        !get_id(json, "previousblockhash", &work->previous) ||
        !get_id(json, "target", &work->target) || !get_amount(json, "subsidy", &work->subsidy) ||
        !get_amount(json, "fees", &work->fees) || !fx_hex_decode(header, work->header, 80))
        return false;
    work->id = json_integer_value(id);
    work->lane = strcmp(lane, "job") == 0 ? FX_LANE_JOB : FX_LANE_HASH;
    work->expected = json_number_value(expected);
    fx_sha256d(work->header, 80, work->seed.b);
    return true;
}

/* ---- calls ---------------------------------------------------------------------------------- */

static bool get_lane(const json_t *json, struct fx_miner_chain *chain)
{
    const char *name = json_string_value(json_object_get(json, "lane"));
    const json_t *expected = json_object_get(json, "expectedwork");

    if (!name || !json_is_number(expected))
        return false;
    chain->expected[strcmp(name, "job") == 0 ? FX_LANE_JOB : FX_LANE_HASH] =
        json_number_value(expected);
    return true;
}

enum fx_miner_node_status fx_miner_node_chain(struct fx_miner_node *node,
                                              struct fx_miner_chain *chain)
{
    json_t *result, *lane;
    const char *name;
    size_t at;
    bool ok;
    enum fx_miner_node_status status = call(node, "getblockchaininfo", json_array(), &result);

    if (status != FX_NODE_OK)
        return status;
    memset(chain, 0, sizeof *chain);
    name = json_string_value(json_object_get(result, "chain"));
    if (name)
        snprintf(chain->name, sizeof chain->name, "%s", name);
    ok = name && get_u32(result, "blocks", &chain->height);
    json_array_foreach(json_object_get(result, "lanes"), at, lane)
    {
        ok = ok && get_lane(lane, chain);
    }
    json_decref(result);
    return ok ? FX_NODE_OK : odd(node, "getblockchaininfo");
}

enum fx_miner_node_status fx_miner_node_tip(struct fx_miner_node *node, struct fx_hash *tip)
{
    json_t *result;
    enum fx_miner_node_status status = call(node, "getbestblockhash", json_array(), &result);
    bool ok;

    if (status != FX_NODE_OK)
        return status;
    ok = json_is_string(result) && fx_hash_from_id(tip, json_string_value(result));
    json_decref(result);
    return ok ? FX_NODE_OK : odd(node, "getbestblockhash");
}

enum fx_miner_node_status fx_miner_node_tasks(struct fx_miner_node *node,
                                              struct fx_miner_task **tasks, size_t *n)
{
    json_t *result, *value;
    size_t at;
    enum fx_miner_node_status status =
        call(node, "listtasks", json_pack("[s,s,i]", "open", "", TASKS_ASKED), &result);

    if (status != FX_NODE_OK)
        return status;
    *n = 0;
    *tasks = fx_xcalloc(json_array_size(result) + 1, sizeof **tasks);
    json_array_foreach(result, at, value)
    {
        if (!fx_miner_task_parse(value, &(*tasks)[*n])) {
            free(*tasks);
            *tasks = NULL;
            json_decref(result);
            return odd(node, "listtasks");
        }
        ++*n;
    }
    json_decref(result);
    return FX_NODE_OK;
}

enum fx_miner_node_status fx_miner_node_task(struct fx_miner_node *node, const char *origin,
                                             struct fx_miner_task *task)
{
    json_t *result;
    enum fx_miner_node_status status = call(node, "gettask", json_pack("[s]", origin), &result);
    bool ok;

    if (status != FX_NODE_OK)
        return status;
    ok = fx_miner_task_parse(result, task);
    json_decref(result);
    return ok ? FX_NODE_OK : odd(node, "gettask");
}

enum fx_miner_node_status fx_miner_node_solver(struct fx_miner_node *node, struct fx_hash *solver)
{
    json_t *result;
    enum fx_miner_node_status status = call(node, "getbacking", json_array(), &result);
    bool ok;

    if (status != FX_NODE_OK)
        return status;
    ok = get_root(result, "solver", solver);
    json_decref(result);
    return ok ? FX_NODE_OK : odd(node, "getbacking");
}

enum fx_miner_node_status fx_miner_node_work(struct fx_miner_node *node, const char *origin,
                                             struct fx_miner_work *work)
{
    json_t *result;
    json_t *options = origin ? json_pack("[{s:s,s:s}]", "lane", "job", "task", origin)
                             : json_pack("[{s:s}]", "lane", "hash");
    enum fx_miner_node_status status = call(node, "getminerwork", options, &result);
    bool ok;

    if (status != FX_NODE_OK)
        return status;
    ok = fx_miner_work_parse(result, work) && work->lane == (origin ? FX_LANE_JOB : FX_LANE_HASH);
    json_decref(result);
    return ok ? FX_NODE_OK : odd(node, "getminerwork");
}

static enum fx_miner_node_status submit(struct fx_miner_node *node,
                                        const struct fx_miner_work *work, json_t *solution,
                                        bool *accepted)
{
    json_t *result;
    const json_t *verdict;
    enum fx_miner_node_status status =
        call(node, "submitminerwork", json_pack("[I,o]", (json_int_t)work->id, solution), &result);

    if (status != FX_NODE_OK)
        return status;
    verdict = json_object_get(result, "accepted");
    *accepted = json_is_true(verdict);
    if (!*accepted)
        note(node, json_string_value(json_object_get(result, "reject-reason")));
    status = json_is_boolean(verdict) ? FX_NODE_OK : odd(node, "submitminerwork");
    json_decref(result);
    return status;
}

enum fx_miner_node_status fx_miner_node_submit_hash(struct fx_miner_node *node,
                                                    const struct fx_miner_work *work,
                                                    uint32_t nonce, uint32_t time, bool *accepted)
{
    return submit(node, work,
                  json_pack("{s:I,s:I}", "nonce", (json_int_t)nonce, "time", (json_int_t)time),
                  accepted);
}

enum fx_miner_node_status fx_miner_node_submit_brick(struct fx_miner_node *node,
                                                     const struct fx_miner_work *work, uint32_t i,
                                                     uint32_t j, uint32_t l, bool *accepted)
{
    return submit(
        node, work,
        json_pack("{s:I,s:I,s:I}", "i", (json_int_t)i, "j", (json_int_t)j, "l", (json_int_t)l),
        accepted);
}

enum fx_miner_node_status fx_miner_node_prepare(struct fx_miner_node *node, const char *origin,
                                                bool *here)
{
    json_t *result;
    enum fx_miner_node_status status =
        call(node, "prepareoperands", json_pack("[s]", origin), &result);

    if (status != FX_NODE_OK)
        return status;
    *here = json_is_true(json_object_get(result, "here"));
    json_decref(result);
    return FX_NODE_OK;
}

enum fx_miner_node_status fx_miner_node_claim(struct fx_miner_node *node, const char *origin,
                                              const struct fx_hash *root, enum fx_burn_choice burn,
                                              int64_t burn_amount, struct fx_hash *txid)
{
    char hex[FX_HASH_HEX], amount[FX_AMOUNT_TEXT];
    json_t *result;
    enum fx_miner_node_status status;
    bool ok;

    fx_hash_to_hex(root, hex);
    fx_amount_format(burn_amount, amount);
    status = call(node, "claimtask",
                  json_pack("[s,s,s]", origin, hex,
                            burn == FX_CHOOSE_BURN_AUTO   ? "auto"
                            : burn == FX_CHOOSE_BURN_NONE ? "none"
                                                          : amount),
                  &result);
    if (status != FX_NODE_OK)
        return status;
    ok = get_id(result, "txid", txid);
    json_decref(result);
    return ok ? FX_NODE_OK : odd(node, "claimtask");
}

enum fx_miner_node_status fx_miner_node_in_mempool(struct fx_miner_node *node,
                                                   const struct fx_hash *txid, bool *there)
{
    json_t *result, *value;
    char id[FX_HASH_HEX];
    size_t at;
    enum fx_miner_node_status status = call(node, "getrawmempool", json_array(), &result);

    if (status != FX_NODE_OK)
        return status;
    fx_hash_to_id(txid, id);
    *there = false;
    json_array_foreach(result, at, value)
    {
        const char *text = json_string_value(value);

        *there = *there || (text && strcmp(text, id) == 0);
    }
    json_decref(result);
    return FX_NODE_OK;
}

/* ---- blobs ---------------------------------------------------------------------------------- */

/* One request whose answer is read whole. The reply is the caller's to clear. */
static enum fx_miner_node_status request(struct fx_miner_node *node, const char *method,
                                         const char *target, const void *data, size_t n, size_t max,
                                         struct fx_http_reply *reply)
{
    enum fx_miner_node_status status;

    fx_rpc_client_request(node->client, method, target, data, n, NULL, max, reply);
    status = status_of(reply->status, reply->http);
    if (status != FX_NODE_OK) {
        note(node, reply->message);
    } else if (reply->http == 503) {
        note(node, "the node is starting");
        status = FX_NODE_DOWN;
    } else if (reply->http != 200) {
        int shown = reply->body.len < 200 ? (int)reply->body.len : 200;

        snprintf(node->text, sizeof node->text, "HTTP status %d: %.*s", reply->http, shown,
                 shown ? (const char *)reply->body.data : "");
        node->code = reply->http;
        status = FX_NODE_REFUSED;
    }
    return status;
}

enum fx_miner_node_status fx_miner_node_blocks(struct fx_miner_node *node,
                                               const struct fx_hash *root, uint32_t panel,
                                               uint32_t first, uint32_t count, int8_t *out)
{
    char hex[FX_HASH_HEX], target[192];
    size_t size = (size_t)count * FX_BLOCK_BYTES;
    struct fx_http_reply reply;
    enum fx_miner_node_status status;

    fx_hash_to_hex(root, hex);
    snprintf(target, sizeof target, "/blob/operand/%s?x=%" PRIu32 "&y=%" PRIu32 "&count=%" PRIu32,
             hex, panel, first, count);
    status = request(node, "GET", target, NULL, 0, size, &reply);
    if (status == FX_NODE_OK && reply.body.len != size)
        status = odd(node, "a request for an operand");
    if (status == FX_NODE_OK)
        memcpy(out, reply.body.data, size);
    fx_http_reply_clear(&reply);
    return status;
}

static json_t *body_json(const struct fx_http_reply *reply)
{
    return reply->body.len ? json_loadb((const char *)reply->body.data, reply->body.len, 0, NULL)
                           : NULL;
}

enum fx_miner_node_status fx_miner_node_upload(struct fx_miner_node *node, const char *id,
                                               const struct fx_task_shape *shape,
                                               const struct fx_hash *solver, uint64_t offset,
                                               const void *data, size_t n, uint64_t *received)
{
    char hex[FX_HASH_HEX], target[320];
    struct fx_http_reply reply;
    enum fx_miner_node_status status;

    fx_hash_to_hex(solver, hex);
    snprintf(target, sizeof target,
             "/blob/result?upload=%s&rows=%" PRIu32 "&cols=%" PRIu32 "&solver=%s&offset=%" PRIu64,
             id, shape->rows, shape->cols, hex, offset);
    status = request(node, "PUT", target, data, n, ANSWER_MAX, &reply);
    /* Told to go on elsewhere: where, the answer says. */
    if (status == FX_NODE_OK || (status == FX_NODE_REFUSED && reply.http == 409)) {
        json_t *json = body_json(&reply);

        status = get_u64(json, "received", received) ? FX_NODE_OK
                 : status == FX_NODE_OK              ? odd(node, "an upload")
                                                     : status;
        json_decref(json);
    }
    fx_http_reply_clear(&reply);
    return status;
}

enum fx_miner_node_status fx_miner_node_upload_finish(struct fx_miner_node *node, const char *id,
                                                      struct fx_hash *root)
{
    char target[160];
    struct fx_http_reply reply;
    enum fx_miner_node_status status;

    snprintf(target, sizeof target, "/blob/result/finish?upload=%s", id);
    status = request(node, "POST", target, NULL, 0, ANSWER_MAX, &reply);
    if (status == FX_NODE_OK) {
        json_t *json = body_json(&reply);

        if (!get_root(json, "root", root))
            status = odd(node, "the end of an upload");
        json_decref(json);
    }
    fx_http_reply_clear(&reply);
    return status;
}
