/* RPC calls and blobs of the node, read into structs. */
#include "src/miner/node.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/miner/parse.h"
#include "src/util/amount.h"
#include "src/util/mem.h"

#define TIMEOUT_MS 60000
#define TASKS_ASKED 200
#define ANSWER_MAX 65536 /* of a blob request that is not a block */

void fx_miner_node_init(struct fx_miner_node *node, const struct fx_miner_options *options,
                        const atomic_bool *stop)
{
    const struct fx_rpc_client_config config = {
        .host = options->host,
        .port = options->port,
        .user = options->user,
        .password = options->password,
        .cookie_file = options->cookie_file,
        .wallet = options->wallet,
        .timeout_ms = TIMEOUT_MS,
        .cancel = stop,
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

/* ---- calls ---------------------------------------------------------------------------------- */

enum fx_miner_node_status fx_miner_node_chain(struct fx_miner_node *node,
                                              struct fx_miner_chain *chain)
{
    json_t *result;
    bool ok;
    enum fx_miner_node_status status = call(node, "getblockchaininfo", json_array(), &result);

    if (status != FX_NODE_OK)
        return status;
    ok = fx_miner_chain_parse(result, chain);
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

/* As the option burn of the node's calls. */
static json_t *burn_json(enum fx_burn_choice burn, int64_t burn_amount)
{
    char amount[FX_AMOUNT_TEXT];

    fx_amount_format(burn_amount, amount);
    return json_string(burn == FX_CHOOSE_BURN_AUTO   ? "auto"
                       : burn == FX_CHOOSE_BURN_NONE ? "none"
                                                     : amount);
}

enum fx_miner_node_status fx_miner_node_tasks(struct fx_miner_node *node, double speed,
                                              enum fx_burn_choice burn, int64_t burn_amount,
                                              struct fx_miner_task **tasks, size_t *n)
{
    json_t *result, *value;
    const json_t *list;
    size_t at;
    enum fx_miner_node_status status =
        call(node, "getjobbook",
             json_pack("[{s:f,s:o,s:i,s:b}]", "speed", speed, "burn", burn_json(burn, burn_amount),
                       "count", TASKS_ASKED, "solvers", 0),
             &result);

    if (status != FX_NODE_OK)
        return status;
    list = json_object_get(result, "tasks");
    *n = 0;
    *tasks = fx_xcalloc(json_array_size(list) + 1, sizeof **tasks);
    json_array_foreach(list, at, value)
    {
        if (!fx_miner_task_parse(value, &(*tasks)[*n])) {
            free(*tasks);
            *tasks = NULL;
            json_decref(result);
            return odd(node, "getjobbook");
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
    ok = fx_miner_get_root(result, "solver", solver);
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
    char hex[FX_HASH_HEX];
    json_t *result;
    enum fx_miner_node_status status;
    bool ok;

    fx_hash_to_hex(root, hex);
    status = call(node, "claimtask",
                  json_pack("[s,s,o]", origin, hex, burn_json(burn, burn_amount)), &result);
    if (status != FX_NODE_OK)
        return status;
    ok = fx_miner_get_id(result, "txid", txid);
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

        status = fx_miner_get_u64(json, "received", received) ? FX_NODE_OK
                 : status == FX_NODE_OK                       ? odd(node, "an upload")
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

        if (!fx_miner_get_root(json, "root", root))
            status = odd(node, "the end of an upload");
        json_decref(json);
    }
    fx_http_reply_clear(&reply);
    return status;
}
