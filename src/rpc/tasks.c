/* Commands on tasks: what the chain offers, and what a solver or client does with one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/rpc/topics_int.h"

static const char *const status_names[] = {"pending",  "open",       "claimed", "settled",
                                           "refunded", "challenged", "rejected"};
static const char *const reason_names[] = {NULL, "wrong-result", "unanswered", "abandoned",
                                           "undelivered"};
#define ROUND_BITS 61 /* protocol section 8 */

static const char *const check_names[] = {"none", "fetching", "checking", "right", "wrong"};

bool fx_rpc_arg_task(struct fx_rpc_call *call, const json_t *value, struct fx_task_info *info)
{
    struct fx_outpoint origin;
    if (!fx_rpc_arg_origin(call, value, &origin)) {
        return false;
    }
    if (!fx_jobs_task(call->rpc->config.jobs, &origin, info)) {
        fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "No such task: %s", json_string_value(value));
        return false;
    }
    return true;
}

json_t *fx_rpc_fail_jobs(struct fx_rpc_call *call, const struct fx_jobs_error *error)
{
    return fx_rpc_fail(call, error->code ? error->code : FX_RPC_MISC, "%s", error->text);
}

bool fx_rpc_arg_burn(struct fx_rpc_call *call, const json_t *value, enum fx_burn *burn,
                     int64_t *amount)
{
    const char *s = json_string_value(value);
    *amount = 0;
    *burn = FX_BURN_AUTO;
    if (!value || (s && strcmp(s, "auto") == 0)) {
        return true;
    }
    if (s && strcmp(s, "none") == 0) {
        *burn = FX_BURN_NONE;
        return true;
    }
    *burn = FX_BURN_AMOUNT;
    return fx_rpc_arg_amount(call, value, "burn", amount);
}

/* ---- what a task is ---------------------------------------------------------------------------
 */

const char *fx_rpc_task_status(enum fx_task_status status)
{
    return status_names[status];
}

const char *fx_rpc_task_reason(enum fx_task_reason reason)
{
    return reason_names[reason];
}

const char *fx_rpc_action_name(enum fx_task_action action)
{
    static const char *const names[] = {"refund",    "claim",  "accept", "take",  "fraud",
                                        "challenge", "answer", "expire", "reject"};
    return names[action];
}

bool fx_rpc_has_claim(const struct fx_task_info *t)
{
    return t->status == FX_STATUS_CLAIMED || t->status == FX_STATUS_CHALLENGED ||
           t->status == FX_STATUS_SETTLED || t->status == FX_STATUS_REJECTED;
}

static json_t *disputes_json(const struct fx_task_info *t)
{
    json_t *out = json_array();
    for (size_t i = 0; i < t->n_events; i++) {
        const struct fx_task_event *event = &t->events[i];
        json_t *o = json_object();
        fx_json_set(o, "action", json_string(fx_rpc_action_name(event->action)));
        fx_json_set(o, "txid", fx_json_id(&event->txid));
        fx_json_set(o, "height", json_integer(event->height));
        fx_json_set(o, "solver", fx_json_root(&event->solver));
        if (event->challenged) {
            fx_json_set(o, "tile", json_integer(event->tile));
        }
        json_array_append_new(out, o);
    }
    return out;
}

void fx_rpc_gemm_json(const struct fx_gemm *gemm, json_t *out)
{
    fx_json_set(out, "m", json_integer(gemm->m));
    fx_json_set(out, "n", json_integer(gemm->n));
    fx_json_set(out, "k", json_integer(gemm->k));
    fx_json_set(out, "root_a", fx_json_root(&gemm->root_a));
    fx_json_set(out, "root_b", fx_json_root(&gemm->root_b));
}

void fx_rpc_shape_json(const struct fx_task_shape *shape, json_t *out)
{
    json_t *o = json_object();
    fx_json_set(o, "row0", json_integer(shape->row0));
    fx_json_set(o, "col0", json_integer(shape->col0));
    fx_json_set(o, "rows", json_integer(shape->rows));
    fx_json_set(o, "cols", json_integer(shape->cols));
    fx_json_set(o, "depth", json_integer(shape->depth));
    fx_json_set(o, "tiles", json_integer((json_int_t)shape->tiles));
    fx_json_set(o, "bricks", json_integer((json_int_t)shape->bricks));
    fx_json_set(out, "shape", o);
}

json_t *fx_rpc_task_json(const struct fx_task_info *t)
{
    json_t *out = json_object(), *blocks = json_array();
    struct fx_gemm gemm;
    fx_json_set(out, "origin", fx_json_outpoint(&t->origin));
    fx_json_set(out, "job", fx_json_id(&t->job));
    fx_json_set(out, "index", json_integer(t->index));
    fx_json_set(out, "product", json_integer(t->product));
    fx_json_set(out, "part", json_integer(t->part));
    fx_json_set(out, "kind",
                t->spec.kind == FX_KIND_GEMM ? json_string("gemm")
                                             : json_sprintf("%u", (unsigned)t->spec.kind));
    fx_json_set(out, "status", json_string(status_names[t->status]));
    if (!fx_outpoint_is_zero(&t->outpoint)) {
        fx_json_set(out, "outpoint", fx_json_outpoint(&t->outpoint));
    }
    if (!fx_hash_is_zero(&t->spender)) {
        fx_json_set(out, "spender", fx_json_id(&t->spender));
    }
    fx_json_set(out, "restored", json_integer(t->restored));
    if (t->reason != FX_REASON_NONE) {
        fx_json_set(out, "reason", json_string(reason_names[t->reason]));
    }
    fx_json_set(out, "client", fx_json_root(&t->spec.client));
    fx_json_set(out, "escrow", fx_json_amount(t->escrow));
    if (t->h0 > 0) {
        fx_json_set(out, "height", json_integer(t->h0));
    }
    fx_json_set(out, "deadline", json_integer(t->spec.deadline));
    fx_json_set(out, "window", json_integer(t->spec.window));
    fx_json_set(out, "exclusive", json_integer(t->spec.exclusive));
    if (t->spec.kind == FX_KIND_GEMM && fx_gemm_read(t->spec.body, &gemm)) {
        fx_rpc_gemm_json(&gemm, out);
    }
    fx_rpc_shape_json(&t->shape, out);
    if (fx_rpc_has_claim(t)) {
        json_t *claim = json_object();
        fx_json_set(claim, "outpoint", fx_json_outpoint(&t->claim));
        fx_json_set(claim, "height", json_integer(t->claim_height));
        fx_json_set(claim, "solver", fx_json_root(&t->solver));
        fx_json_set(claim, "result", fx_json_root(&t->result));
        fx_json_set(claim, "bond", fx_json_amount(t->bond));
        fx_json_set(claim, "burn", fx_json_amount(t->burn));
        fx_json_set(claim, "asked", json_integer(t->asked));
        if (t->status == FX_STATUS_CHALLENGED) {
            fx_json_set(claim, "tile", json_integer(t->tile));
        }
        fx_json_set(out, "claim", claim);
    }
    fx_json_set(out, "disputes", disputes_json(t));
    if (t->end_height > 0) {
        json_t *end = json_object();
        fx_json_set(end, "txid", fx_json_id(&t->end_txid));
        fx_json_set(end, "height", json_integer(t->end_height));
        fx_json_set(end, "action", json_string(fx_rpc_action_name(t->end_action)));
        fx_json_set(out, "end", end);
    }
    fx_json_set(out, "backed", json_boolean(t->backed));
    fx_json_set(out, "operandshere", json_boolean(t->operands_here));
    fx_json_set(out, "check", json_string(check_names[t->check]));
    if (t->rounds > 0) {
        char bound[16];
        snprintf(bound, sizeof bound, "2^-%u", ROUND_BITS * t->rounds);
        fx_json_set(out, "rounds", json_integer(t->rounds));
        fx_json_set(out, "errorbound", json_string(bound));
    }
    fx_json_set(out, "certified", json_boolean(t->certified));
    fx_json_set(out, "isclient", json_boolean(t->is_client));
    fx_json_set(out, "issolver", json_boolean(t->is_solver));
    if (t->note[0]) {
        fx_json_set(out, "note", json_string(t->note));
    }
    for (size_t i = 0; i < t->n_blocks; i++) {
        json_array_append_new(blocks, fx_json_id(&t->blocks[i]));
    }
    fx_json_set(out, "blocks", blocks);
    return out;
}

#define RECORD_FIELDS                                                               \
    "record?: {                # What the chain keeps of it, until it forgets it\n" \
    "  live: bool              # An output carries it\n"                            \
    "  outpoint?: str, state?: str  # funded, claimed or challenged\n"              \
    "  backed: bool, asked: int, height: int, settled: int\n"                       \
    "  client: hash, solver: hash, bricks: int, burn: amount }\n"

static json_t *record_json(const struct fx_task_record *r)
{
    static const char *const states[] = {"funded", "claimed", "challenged"};
    json_t *out = json_object();
    fx_json_set(out, "live", json_boolean(r->live));
    if (r->live) {
        fx_json_set(out, "outpoint", fx_json_outpoint(&r->outpoint));
        fx_json_set(out, "state", json_string(states[r->state < 3 ? r->state : 0]));
    }
    fx_json_set(out, "backed", json_boolean(r->backed));
    fx_json_set(out, "asked", json_integer(r->asked));
    fx_json_set(out, "height", json_integer(r->h0));
    fx_json_set(out, "settled", json_integer(r->settled));
    fx_json_set(out, "client", fx_json_root(&r->client));
    fx_json_set(out, "solver", fx_json_root(&r->solver));
    fx_json_set(out, "bricks", json_integer((json_int_t)r->bricks));
    fx_json_set(out, "burn", fx_json_amount((int64_t)r->burn));
    return out;
}

static json_t *gettask(struct fx_rpc_call *call)
{
    struct fx_task_info info;
    struct fx_task_record record;
    struct fx_view view;
    if (!fx_rpc_arg_task(call, call->args[0], &info)) {
        return NULL;
    }
    json_t *out = fx_rpc_task_json(&info);
    fx_json_set(out, "preimage", fx_json_hex(info.preimage.data, info.preimage.len));
    fx_chain_view(call->rpc->config.chain, &view);
    if (view.record(view.ctx, &info.origin, &record) == FX_FOUND) {
        fx_json_set(out, "record", record_json(&record));
    }
    return out;
}

static const struct fx_rpc_command gettask_command = {
    .name = "gettask",
    .text = "Returns a task: what it asks, what became of it, and this node's own view of it.",
    .args = "origin: str   # txid:vout of its funded output",
    .result =
        FX_RPC_TASK_FIELDS "preimage: hex             # Of the funded output\n" RECORD_FIELDS "}",
    .errors = "-5: No such task\n-8: not of the form txid:vout",
    .example = "\"txid:1\"",
    .run = gettask,
};

static json_t *listtasks(struct fx_rpc_call *call)
{
    const char *status = fx_rpc_arg_str(call->args[0], "all");
    struct fx_hash job;
    int64_t count, skip;
    bool by_job = call->args[1] && *json_string_value(call->args[1]);
    int wanted = -1;
    bool restored = strcmp(status, "restored") == 0;
    if (restored) {
        wanted = FX_STATUS_OPEN;
    } else if (strcmp(status, "all") != 0) {
        for (int i = 0; i <= FX_STATUS_REJECTED; i++) {
            wanted = strcmp(status, status_names[i]) == 0 ? i : wanted;
        }
        if (wanted < 0) {
            return fx_rpc_fail(call, FX_RPC_PARAMETER,
                               "status must be all, pending, open, restored, claimed, challenged, "
                               "settled, refunded or rejected");
        }
    }
    if ((by_job && !fx_rpc_arg_hash(call, call->args[1], "job", &job)) ||
        !fx_rpc_arg_int(call, call->args[2], "count", 0, 100000, 1000, &count) ||
        !fx_rpc_arg_int(call, call->args[3], "skip", 0, INT64_MAX, 0, &skip)) {
        return NULL;
    }
    json_t *out = json_array();
    if (count == 0) {
        return out;
    }
    struct fx_task_info *tasks = NULL;
    const struct fx_task_filter filter = {.job = by_job ? &job : NULL,
                                          .statuses = wanted < 0 ? 0 : FX_STATUS_BIT(wanted),
                                          .restored = restored,
                                          .skip = (size_t)skip,
                                          .count = (size_t)count};
    size_t n = fx_jobs_tasks(call->rpc->config.jobs, &filter, &tasks);
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(out, fx_rpc_task_json(&tasks[i]));
    }
    free(tasks);
    return out;
}

static const struct fx_rpc_command listtasks_command = {
    .name = "listtasks",
    .text = "Returns the tasks that the chain and the mempool announce.",
    .args = "status?: str = all   # all, pending, open, restored (open again), claimed, "
            "challenged, settled, refunded or rejected\n"
            "job?: str            # Of this job alone; \"\" for all\n"
            "count?: int = 1000\n"
            "skip?: int = 0",
    .result = "[ " FX_RPC_TASK_FIELDS "} ]",
    .errors = "-8: status is none of these",
    .example = "\n\"open\"",
    .run = listtasks,
};

/* ---- what is done with one --------------------------------------------------------------------
 */

static json_t *txid_json(const struct fx_hash *txid)
{
    json_t *out = json_object();
    fx_json_set(out, "txid", fx_json_id(txid));
    return out;
}

static json_t *claimtask(struct fx_rpc_call *call)
{
    struct fx_outpoint origin;
    struct fx_hash result, txid;
    struct fx_jobs_error error = {0, ""};
    enum fx_burn burn;
    int64_t amount;
    if (!fx_rpc_arg_origin(call, call->args[0], &origin) ||
        !fx_rpc_arg_root(call, call->args[1], "result", &result) ||
        !fx_rpc_arg_burn(call, call->args[2], &burn, &amount)) {
        return NULL;
    }
    struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
    if (!wallet) {
        return NULL;
    }
    if (!fx_jobs_claim(call->rpc->config.jobs, wallet, &origin, &result, burn, amount, &txid,
                       &error)) {
        return fx_rpc_fail_jobs(call, &error);
    }
    return txid_json(&txid);
}

static const struct fx_rpc_command claimtask_command = {
    .name = "claimtask",
    .text = "Claims a task's escrow under the wallet's solver key for a result that was uploaded. "
            "Bond and fee come from the wallet; settlement follows by itself.",
    .args = "origin: str\n"
            "result: hash                # Root of the result\n"
            "burn?: str|amount = auto    # Part of the escrow burned for credit: auto, none or an "
            "amount",
    .result = "{ txid: hash }",
    .errors = "-4: the task was taken meanwhile\n-5: No such task\n"
              "-6: Insufficient funds for the bond",
    .example = "\"txid:1\" \"root\" \"auto\"",
    .run = claimtask,
};

/* end: fx_jobs_settle or fx_jobs_refund. */
static json_t *end_task(struct fx_rpc_call *call,
                        bool (*end)(struct fx_jobs *, struct fx_wallet *,
                                    const struct fx_outpoint *, struct fx_hash *,
                                    struct fx_jobs_error *))
{
    struct fx_outpoint origin;
    struct fx_hash txid;
    struct fx_jobs_error error = {0, ""};
    if (!fx_rpc_arg_origin(call, call->args[0], &origin)) {
        return NULL;
    }
    struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
    if (!wallet) {
        return NULL;
    }
    if (!end(call->rpc->config.jobs, wallet, &origin, &txid, &error)) {
        return fx_rpc_fail_jobs(call, &error);
    }
    return txid_json(&txid);
}

static json_t *settletask(struct fx_rpc_call *call)
{
    return end_task(call, fx_jobs_settle);
}

static const struct fx_rpc_command settletask_command = {
    .name = "settletask",
    .text = "Settles a claimed task of the wallet's solver key now: by the client's certificate "
            "(accept), or after the window (take). The node does so by itself as well.",
    .args = "origin: str",
    .result = "{ txid: hash }",
    .errors = "-4: it is not claimed, or not due yet\n-5: No such task",
    .example = "\"txid:1\"",
    .run = settletask,
};

static json_t *refundtask(struct fx_rpc_call *call)
{
    return end_task(call, fx_jobs_refund);
}

static const struct fx_rpc_command refundtask_command = {
    .name = "refundtask",
    .text = "Takes back the escrow of the wallet's own task that nobody has claimed, after its "
            "deadline.",
    .args = "origin: str",
    .result = "{ txid: hash }",
    .errors = "-4: it is claimed, or its deadline has not passed\n-5: No such task",
    .example = "\"txid:1\"",
    .run = refundtask,
};

static json_t *getbacking(struct fx_rpc_call *call)
{
    struct fx_hash solver;
    struct fx_outpoint *origins = NULL;
    uint64_t credit = 0, burns = 0;
    if (call->args[0]) {
        if (!fx_rpc_arg_root(call, call->args[0], "solver", &solver)) {
            return NULL;
        }
    } else {
        struct fx_wallet_error error = {0, ""};
        struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
        if (!wallet) {
            return NULL;
        }
        if (!fx_wallet_solver_key(wallet, &solver, &error)) {
            return fx_rpc_fail_wallet(call, &error);
        }
    }
    size_t n = fx_jobs_backing(call->rpc->config.jobs, &solver, &origins, &credit, &burns);
    json_t *out = json_object(), *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(list, fx_json_outpoint(&origins[i]));
    }
    free(origins);
    fx_json_set(out, "solver", fx_json_root(&solver));
    fx_json_set(out, "origins", list);
    fx_json_set(out, "credit", json_integer((json_int_t)credit));
    fx_json_set(out, "burns", fx_json_amount((int64_t)burns));
    return out;
}

static const struct fx_rpc_command getbacking_command = {
    .name = "getbacking",
    .text = "Returns the settled tasks that can still back a solver's job-lane block.",
    .args = "solver?: hash   # Its key; default: the wallet's",
    .result = "{ solver: hash, origins: [ str ]\n"
              "credit: int      # Their bricks\n"
              "burns: amount }  # What they burned; half of the subsidy that they allow",
    .example = "",
    .run = getbacking,
};

static const struct fx_rpc_command *const commands[] = {
    &gettask_command,
    &listtasks_command,
    &claimtask_command,
    &settletask_command,
    &refundtask_command,
    &getbacking_command,
    NULL,
};

const struct fx_rpc_topic fx_rpc_topic_tasks = {"Tasks", commands, FX_RPC_WITH_JOBS};
