/* Commands that follow a job: how far it is, task by task, and its result. */
#include <stdlib.h>
#include <string.h>

#include "src/rpc/topics_int.h"
#include "src/util/base64.h"
#include "src/util/mem.h"

#define RESULT_BYTES_MAX (4u << 20) /* of one getjobresult */

#define JOB_FIELDS                                                                               \
    "job: hash, kind: str\n"                                                                     \
    "status: str             # pending, open, done, ended (some tasks refunded or rejected) or " \
    "cancelled\n"                                                                                \
    "rows: int, columns: int, depth: int  # Before padding, of the first product\n"              \
    "m: int, n: int, k: int, root_a: hash, root_b: hash, task_rows: int, task_cols: int\n"       \
    "products: int           # How many it has\n"                                                \
    "client: hash, deadline: time, window: int, exclusive: int\n"                                \
    "tasks: { total: int, open: int, claimed: int, settled: int, refunded: int\n"                \
    "  challenged: int, rejected: int, certified: int\n"                                         \
    "  waiting: int          # In transactions that are yet to be sent\n"                        \
    "  here: int             # Whose result is here and was found right\n"                       \
    "  wrong: int }          # Claims found wrong: by this node, or proven on the chain\n"       \
    "reward: amount          # All escrows\n"                                                    \
    "fee: amount, submitted: time\n"                                                             \
    "own: bool               # A loaded wallet has the client's key\n"                           \
    "resulthere: bool        # Every task's result is here and was checked\n"                    \
    "note?: str              # Why transactions wait\n"

static json_t *counts_json(const struct fx_job_info *j)
{
    json_t *tasks = json_object();
    fx_json_set(tasks, "total", json_integer((json_int_t)j->n_tasks));
    fx_json_set(tasks, "open", json_integer((json_int_t)j->n_open));
    fx_json_set(tasks, "claimed", json_integer((json_int_t)j->n_claimed));
    fx_json_set(tasks, "settled", json_integer((json_int_t)j->n_settled));
    fx_json_set(tasks, "refunded", json_integer((json_int_t)j->n_refunded));
    fx_json_set(tasks, "challenged", json_integer((json_int_t)j->n_challenged));
    fx_json_set(tasks, "rejected", json_integer((json_int_t)j->n_rejected));
    fx_json_set(tasks, "certified", json_integer((json_int_t)j->n_certified));
    fx_json_set(tasks, "waiting", json_integer((json_int_t)j->n_waiting));
    fx_json_set(tasks, "here", json_integer((json_int_t)j->n_here));
    fx_json_set(tasks, "wrong", json_integer((json_int_t)j->n_wrong));
    return tasks;
}

static json_t *job_json(const struct fx_job_info *j)
{
    static const char *const names[] = {"pending", "open", "done", "ended", "cancelled"};
    json_t *out = json_object();
    fx_json_set(out, "job", fx_json_id(&j->id));
    fx_json_set(out, "kind", json_string("gemm"));
    fx_json_set(out, "status", json_string(names[j->status]));
    fx_json_set(out, "rows", json_integer(j->product.rows));
    fx_json_set(out, "columns", json_integer(j->product.columns));
    fx_json_set(out, "depth", json_integer((json_int_t)j->product.depth));
    fx_rpc_gemm_json(&j->gemm, out);
    fx_json_set(out, "task_rows", json_integer(j->gemm.task_rows));
    fx_json_set(out, "task_cols", json_integer(j->gemm.task_cols));
    fx_json_set(out, "products", json_integer((json_int_t)j->n_products));
    fx_json_set(out, "client", fx_json_root(&j->spec.client));
    fx_json_set(out, "deadline", json_integer(j->spec.deadline));
    fx_json_set(out, "window", json_integer(j->spec.window));
    fx_json_set(out, "exclusive", json_integer(j->spec.exclusive));
    fx_json_set(out, "tasks", counts_json(j));
    fx_json_set(out, "reward", fx_json_amount(j->reward));
    fx_json_set(out, "fee", fx_json_amount(j->fee));
    fx_json_set(out, "submitted", json_integer(j->submitted));
    fx_json_set(out, "own", json_boolean(j->own));
    fx_json_set(out, "resulthere", json_boolean(j->result_here));
    if (j->note[0]) {
        fx_json_set(out, "note", json_string(j->note));
    }
    return out;
}

bool fx_rpc_arg_job(struct fx_rpc_call *call, const json_t *value, struct fx_job_info *info)
{
    struct fx_hash id;
    if (!fx_rpc_arg_hash(call, value, "job", &id)) {
        return false;
    }
    if (!fx_jobs_get(call->rpc->config.jobs, &id, info)) {
        fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "No such job: %s", json_string_value(value));
        return false;
    }
    return true;
}

/* ---- products, transactions, tasks -------------------------------------------------------------
 */

static json_t *product_json(struct fx_jobs *jobs, const struct fx_hash *job, size_t number,
                            const struct fx_job_product *p)
{
    struct fx_job_rect *missing = NULL;
    json_t *out = json_object();
    size_t n = fx_jobs_missing(jobs, job, number, &missing);
    free(missing);
    fx_json_set(out, "rows", json_integer(p->rows));
    fx_json_set(out, "columns", json_integer(p->columns));
    fx_json_set(out, "depth", json_integer((json_int_t)p->depth));
    fx_json_set(out, "parts", json_integer((json_int_t)p->n_parts));
    fx_json_set(out, "limbs_a", json_integer(p->limbs_a));
    fx_json_set(out, "limbs_b", json_integer(p->limbs_b));
    fx_json_set(out, "type", json_string(fx_rpc_type_name(p->type)));
    if (p->type == FX_TYPE_FLOAT64) {
        fx_json_set(out, "scale_a", json_real(p->scale_a));
        fx_json_set(out, "scale_b", json_real(p->scale_b));
        fx_json_set(out, "error", json_real(p->error));
    }
    fx_json_set(out, "here", json_boolean(n == 0));
    return out;
}

static json_t *products_json(struct fx_jobs *jobs, const struct fx_job_info *info)
{
    json_t *out = json_array();
    struct fx_job_product product;
    for (size_t i = 0; fx_jobs_product(jobs, &info->id, i, &product); i++) {
        json_array_append_new(out, product_json(jobs, &info->id, i, &product));
    }
    return out;
}

static json_t *transactions_json(struct fx_jobs *jobs, const struct fx_job_info *info)
{
    static const char *const names[] = {"waiting", "pending", "confirmed", "dropped"};
    struct fx_job_tx *offers = NULL;
    size_t n = fx_jobs_txs(jobs, &info->id, &offers);
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct fx_job_tx *offer = &offers[i];
        json_t *o = json_object();
        if (!fx_hash_is_zero(&offer->txid)) {
            fx_json_set(o, "txid", fx_json_id(&offer->txid));
            fx_json_set(o, "fee", fx_json_amount(offer->fee));
        }
        fx_json_set(o, "status", json_string(names[offer->status]));
        if (offer->height > 0) {
            fx_json_set(o, "height", json_integer(offer->height));
        }
        fx_json_set(o, "product", json_integer(offer->product));
        fx_json_set(o, "part", json_integer(offer->part));
        fx_json_set(o, "first", json_integer(offer->first));
        fx_json_set(o, "tasks", json_integer(offer->count));
        fx_json_set(o, "escrow", fx_json_amount(offer->escrow));
        fx_json_set(o, "deadline", json_integer(offer->deadline));
        fx_json_set(o, "automatic", json_boolean(offer->automatic));
        json_array_append_new(out, o);
    }
    free(offers);
    return out;
}

/* Height and time of a step, and the transaction that made it. */
static json_t *step_json(const struct fx_rpc *rpc, uint32_t height, const struct fx_hash *txid)
{
    const struct fx_index *index = fx_chain_at(rpc->config.chain, height);
    json_t *out = json_object();
    fx_json_set(out, "txid", fx_json_id(txid));
    fx_json_set(out, "height", json_integer(height));
    if (index) {
        fx_json_set(out, "time", json_integer(index->header.time));
    }
    return out;
}

/* Why a claim fell by this step; FX_REASON_NONE: it did not. */
static enum fx_task_reason reason_of(const struct fx_task_event *event)
{
    if (event->action == FX_ACTION_FRAUD) {
        return FX_REASON_WRONG;
    }
    if (event->action == FX_ACTION_EXPIRE) {
        return event->challenged ? FX_REASON_UNANSWERED : FX_REASON_ABANDONED;
    }
    return event->action == FX_ACTION_REJECT ? FX_REASON_UNDELIVERED : FX_REASON_NONE;
}

static json_t *rejections_json(const struct fx_rpc *rpc, const struct fx_task_info *t)
{
    json_t *out = json_array();
    for (size_t i = 0; i < t->n_events; i++) {
        const struct fx_task_event *event = &t->events[i];
        enum fx_task_reason reason = reason_of(event);
        if (reason == FX_REASON_NONE) {
            continue;
        }
        json_t *o = step_json(rpc, event->height, &event->txid);
        fx_json_set(o, "solver", fx_json_root(&event->solver));
        fx_json_set(o, "reason", json_string(fx_rpc_task_reason(reason)));
        json_array_append_new(out, o);
    }
    return out;
}

static json_t *task_json(const struct fx_rpc *rpc, const struct fx_task_info *t)
{
    json_t *out = json_object();
    fx_json_set(out, "origin", fx_json_outpoint(&t->origin));
    fx_json_set(out, "product", json_integer(t->product));
    fx_json_set(out, "part", json_integer(t->part));
    fx_json_set(out, "index", json_integer(t->index));
    fx_json_set(out, "status", json_string(fx_rpc_task_status(t->status)));
    if (t->reason != FX_REASON_NONE) {
        fx_json_set(out, "reason", json_string(fx_rpc_task_reason(t->reason)));
    }
    fx_json_set(out, "escrow", fx_json_amount(t->escrow));
    if (t->h0 > 0) {
        fx_json_set(out, "offered", step_json(rpc, t->h0, &t->origin.txid));
    }
    if (fx_rpc_has_claim(t)) {
        json_t *claim = step_json(rpc, t->claim_height, &t->claim.txid);
        fx_json_set(claim, "solver", fx_json_root(&t->solver));
        fx_json_set(claim, "result", fx_json_root(&t->result));
        fx_json_set(out, "claim", claim);
    }
    fx_json_set(out, "certified", json_boolean(t->certified));
    fx_json_set(out, "here", json_boolean(t->check == FX_CHECK_RIGHT));
    if (t->end_height > 0) {
        json_t *end = step_json(rpc, t->end_height, &t->end_txid);
        fx_json_set(end, "action", json_string(fx_rpc_action_name(t->end_action)));
        fx_json_set(out, "end", end);
    }
    fx_json_set(out, "rejections", rejections_json(rpc, t));
    return out;
}

static json_t *getjob(struct fx_rpc_call *call)
{
    struct fx_jobs *jobs = call->rpc->config.jobs;
    struct fx_task_info *tasks = NULL;
    struct fx_job_info info;
    if (!fx_rpc_arg_job(call, call->args[0], &info)) {
        return NULL;
    }
    json_t *out = job_json(&info);
    if (!fx_rpc_arg_bool(call->args[1], false)) {
        return out;
    }
    json_t *list = json_array();
    struct fx_task_filter filter = {.job = &info.id};
    size_t n = fx_jobs_tasks(jobs, &filter, &tasks);
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(list, task_json(call->rpc, &tasks[i]));
    }
    free(tasks);
    fx_json_set(out, "productlist", products_json(jobs, &info));
    fx_json_set(out, "transactionlist", transactions_json(jobs, &info));
    fx_json_set(out, "tasklist", list);
    return out;
}

#define STEP_FIELDS "{ txid: hash, height: int, time?: time "

const struct fx_rpc_command fx_rpc_getjob = {
    .name = "getjob",
    .text = "Returns a job and how far it is.",
    .args = "job: hash\n"
            "verbose?: bool = false  # Its products, transactions and tasks one by one too",
    .result =
        "{ " JOB_FIELDS "productlist?: [ { rows: int, columns: int, depth: int\n"
        "  parts: int            # Along the depth\n"
        "  limbs_a: int, limbs_b: int, type: str\n"
        "  scale_a?: num, scale_b?: num, error?: num  # float64, see submitjob\n"
        "  here: bool } ]        # Its result is here\n"
        "transactionlist?: [ { txid?: hash, fee?: amount  # None before it is sent\n"
        "  status: str           # waiting, pending, confirmed or dropped\n"
        "  height?: int, product: int, part: int\n"
        "  first: int, tasks: int  # Of the part\n"
        "  escrow: amount, deadline: time\n"
        "  automatic: bool } ]     # Sent by the node in place of tasks that came to nothing\n"
        "tasklist?: [ { origin: str, product: int, part: int, index: int\n"
        "  status: str, reason?: str  # See gettask\n"
        "  escrow: amount\n"
        "  offered?: " STEP_FIELDS "}\n"
        "  claim?: " STEP_FIELDS "solver: hash, result: hash }\n"
        "  certified: bool, here: bool  # The result was found right\n"
        "  end?: " STEP_FIELDS "action: str }\n"
        "  rejections: [ " STEP_FIELDS "solver: hash\n"
        "    reason: str } ] } ]  # Why that claim fell: wrong-result, unanswered, abandoned, "
        "undelivered\n"
        "}",
    .errors = "-5: No such job",
    .example = "\"job\"\n\"job\" true",
    .run = getjob,
};

static json_t *listjobs(struct fx_rpc_call *call)
{
    struct fx_job_info *infos = NULL;
    bool all = fx_rpc_arg_bool(call->args[0], false);
    int64_t count, skip;
    if (!fx_rpc_arg_int(call, call->args[1], "count", 0, INT32_MAX, 1000, &count) ||
        !fx_rpc_arg_int(call, call->args[2], "skip", 0, INT32_MAX, 0, &skip)) {
        return NULL;
    }
    size_t n = fx_jobs_list(call->rpc->config.jobs, !all, (size_t)count, (size_t)skip, &infos);
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(out, job_json(&infos[i]));
    }
    free(infos);
    return out;
}

const struct fx_rpc_command fx_rpc_listjobs = {
    .name = "listjobs",
    .text =
        "Returns the newest jobs of the loaded wallets, oldest first; what is not confirmed comes "
        "last.",
    .args = "all?: bool = false   # Everybody's jobs\n"
            "count?: int = 1000\n"
            "skip?: int = 0       # Of the newest",
    .result = "[ { " JOB_FIELDS "} ]",
    .example = "\ntrue 20 100",
    .run = listjobs,
};

/* ---- the result --------------------------------------------------------------------------------
 */

static json_t *base64_json(const struct fx_job_product *product, const int64_t *sums, size_t n)
{
    size_t bytes = n * fx_rpc_type_bytes(product->type);
    uint8_t *entries = fx_xmalloc(bytes);
    struct fx_buf text = FX_BUF_INIT;
    fx_rpc_entries(product, sums, n, entries);
    fx_base64_encode(&text, entries, bytes);
    fx_buf_u8(&text, 0);
    json_t *out = json_string((const char *)text.data);
    fx_buf_clear(&text);
    free(entries);
    return out;
}

static json_t *array_json(const struct fx_job_product *product, const int64_t *sums, size_t count)
{
    json_t *out = json_array();
    for (size_t r = 0; r < count; r++) {
        json_t *row = json_array();
        for (size_t c = 0; c < product->columns; c++) {
            int64_t sum = sums[r * product->columns + c];
            json_array_append_new(
                row, product->type == FX_TYPE_FLOAT64
                         ? json_real((double)sum / (product->scale_a * product->scale_b))
                         : json_integer(sum));
        }
        json_array_append_new(out, row);
    }
    return out;
}

/* What is missing of the rows. */
static json_t *missing_json(struct fx_jobs *jobs, const struct fx_hash *job, size_t number,
                            int64_t row, int64_t count)
{
    struct fx_job_rect *rects = NULL;
    size_t n = fx_jobs_missing(jobs, job, number, &rects);
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++) {
        if (rects[i].row >= row + count || (int64_t)rects[i].row + rects[i].rows <= row) {
            continue;
        }
        json_t *o = json_object();
        fx_json_set(o, "row", json_integer(rects[i].row));
        fx_json_set(o, "rows", json_integer(rects[i].rows));
        fx_json_set(o, "column", json_integer(rects[i].column));
        fx_json_set(o, "columns", json_integer(rects[i].columns));
        json_array_append_new(out, o);
    }
    free(rects);
    return out;
}

/* Which rows of which product, and how. */
struct wanted {
    struct fx_job_product product;
    int64_t number, row, count;
    bool array, partial;
};

static bool read_wanted(struct fx_rpc_call *call, const struct fx_job_info *info,
                        struct wanted *wanted)
{
    const char *format = fx_rpc_arg_str(call->args[3], "base64");
    wanted->array = strcmp(format, "array") == 0;
    wanted->partial = fx_rpc_arg_bool(call->args[5], false);
    if (!fx_rpc_arg_int(call, call->args[4], "product", 0,
                        info->n_products > 0 ? (int64_t)info->n_products - 1 : 0, 0,
                        &wanted->number)) {
        return false;
    }
    if (!fx_jobs_product(call->rpc->config.jobs, &info->id, (size_t)wanted->number,
                         &wanted->product)) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "The job has no such product");
        return false;
    }
    uint32_t rows = wanted->product.rows;
    if (!fx_rpc_arg_int(call, call->args[1], "row", 0, (int64_t)rows - 1, 0, &wanted->row) ||
        !fx_rpc_arg_int(call, call->args[2], "count", 1, rows - wanted->row, 1, &wanted->count)) {
        return false;
    }
    if (!wanted->array && strcmp(format, "base64") != 0) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "format must be base64 or array");
        return false;
    }
    if ((uint64_t)wanted->count * wanted->product.columns *
                fx_rpc_type_bytes(wanted->product.type) >
            RESULT_BYTES_MAX &&
        wanted->count > 1) {
        fx_rpc_fail(call, FX_RPC_PARAMETER,
                    "At most %u bytes at once: ask for fewer rows, or GET "
                    "/job/ID/result.npy",
                    RESULT_BYTES_MAX);
        return false;
    }
    return true;
}

static json_t *result_json(struct fx_rpc_call *call, const struct fx_job_info *info,
                           const struct wanted *w, const int64_t *sums)
{
    json_t *out = json_object(), *progress = json_object();
    fx_json_set(out, "rows", json_integer(w->product.rows));
    fx_json_set(out, "columns", json_integer(w->product.columns));
    fx_json_set(out, "type", json_string(fx_rpc_type_name(w->product.type)));
    fx_json_set(out, "row", json_integer(w->row));
    fx_json_set(out, "count", json_integer(w->count));
    fx_json_set(out, "data",
                w->array ? array_json(&w->product, sums, (size_t)w->count)
                         : base64_json(&w->product, sums, (size_t)w->count * w->product.columns));
    if (w->partial) {
        fx_json_set(progress, "tasks", json_integer((json_int_t)info->n_tasks));
        fx_json_set(progress, "here", json_integer((json_int_t)info->n_here));
        fx_json_set(out, "progress", progress);
        fx_json_set(
            out, "missing",
            missing_json(call->rpc->config.jobs, &info->id, (size_t)w->number, w->row, w->count));
    } else {
        json_decref(progress);
    }
    return out;
}

static json_t *getjobresult(struct fx_rpc_call *call)
{
    struct fx_job_info info;
    struct fx_jobs_error error = {0, ""};
    struct wanted wanted;
    json_t *out = NULL;
    if (!fx_rpc_arg_job(call, call->args[0], &info) || !read_wanted(call, &info, &wanted)) {
        return NULL;
    }
    int64_t *sums = fx_xcalloc((size_t)wanted.count * wanted.product.columns, sizeof(*sums));
    if (fx_jobs_result_rows(call->rpc->config.jobs, &info.id, (size_t)wanted.number,
                            (uint32_t)wanted.row, (uint32_t)wanted.count, wanted.partial, sums,
                            &error)) {
        out = result_json(call, &info, &wanted, sums);
    } else {
        fx_rpc_fail_jobs(call, &error);
    }
    free(sums);
    return out;
}

const struct fx_rpc_command fx_rpc_getjobresult = {
    .name = "getjobresult",
    .text = "Returns rows of the result of a job's product, without padding. The whole is at GET "
            "/job/ID/result.npy; fornax-cli getjobresult JOB out.npy writes it to a file.",
    .args = "job: hash\n"
            "row?: int = 0          # The first\n"
            "count?: int = 1        # How many; 4 MiB at most\n"
            "format?: str = base64  # base64 (little-endian, row after row) or array\n"
            "product?: int = 0      # Which\n"
            "partial?: bool = false # What is missing is 0, and no error",
    .result = "{ rows: int, columns: int   # Of the whole\n"
              "type: str                   # Of the entries: int32, int64 or float64\n"
              "row: int, count: int        # Of this part\n"
              "data: str|[ [ num ] ]\n"
              "progress?: { tasks: int     # partial: of all of the job\n"
              "  here: int }               # Whose result is here\n"
              "missing?: [                 # partial: rectangles of entries that touch these "
              "rows; they may overlap\n"
              "  { row: int, rows: int, column: int, columns: int } ] }",
    .errors = "-5: No such job\n-8: rows out of range\n-4: not here yet",
    .example = "\"job\"\n\"job\" 0 2 \"array\"",
    .run = getjobresult,
};
