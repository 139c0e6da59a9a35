/* Commands on jobs: quoting, submitting, following, and the result. */
#include <stdlib.h>
#include <string.h>

#include "src/rpc/topics_int.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

#define RESULT_BYTES_MAX (4u << 20) /* of one getjobresult */

#define REQUEST_FIELDS                                                                       \
    "kind?: str = gemm\n"                                                                    \
    "root_a: hash            # Of A as uploaded: padded to tiles of 128 rows, 256 columns\n" \
    "root_b: hash            # Of B transposed, likewise\n"                                  \
    "rows: int               # Of A, before padding\n"                                       \
    "columns: int            # Of B\n"                                                       \
    "depth: int              # Columns of A, rows of B\n"                                    \
    "reward?: amount         # Escrow of each task\n"                                        \
    "task_rows?: int         # Rows of a task, in tiles of 128\n"                            \
    "task_cols?: int         # Columns, likewise\n"                                          \
    "deadline?: int          # When unclaimed tasks can be refunded: unix time, or seconds " \
    "from now where below 500,000,000\n"                                                     \
    "window?: int            # Units of 512 s that a claim waits without a certificate\n"    \
    "exclusive?: int = 0     # Blocks in which the assigned solver alone may claim\n"        \
    "fee_rate?: amount       # FNX per 1,000 vbytes\n"

#define QUOTE_FIELDS                                         \
    "m: int, n: int, k: int     # Padded\n"                  \
    "task_rows: int, task_cols: int  # Tiles of 128\n"       \
    "tasks: int, bricks: int    # Bricks of all tasks\n"     \
    "escrow: amount             # Of each task\n"            \
    "fee: amount, fee_per_task: amount\n"                    \
    "total: amount              # All escrows and the fee\n" \
    "deadline: time, window: int, exclusive: int\n"

static bool number_of(struct fx_rpc_call *call, const json_t *from, const char *name, int64_t min,
                      int64_t max, int64_t *out)
{
    return fx_rpc_arg_int(call, json_object_get(from, name), name, min, max, 0, out);
}

static bool read_request(struct fx_rpc_call *call, const json_t *from,
                         struct fx_job_request *request)
{
    int64_t rows, columns, depth, task_rows, task_cols, deadline, window, exclusive;
    const char *kind = fx_rpc_arg_str(json_object_get(from, "kind"), "gemm");
    const json_t *reward = json_object_get(from, "reward");
    const json_t *fee_rate = json_object_get(from, "fee_rate");
    memset(request, 0, sizeof(*request));
    if (strcmp(kind, "gemm") != 0) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "There is no job kind %.40s; gemm is one", kind);
        return false;
    }
    if (!fx_rpc_arg_root(call, json_object_get(from, "root_a"), "root_a", &request->root_a) ||
        !fx_rpc_arg_root(call, json_object_get(from, "root_b"), "root_b", &request->root_b) ||
        !number_of(call, from, "rows", 1, 1 << 24, &rows) ||
        !number_of(call, from, "columns", 1, 1 << 24, &columns) ||
        !number_of(call, from, "depth", 1, 65536, &depth) ||
        !number_of(call, from, "task_rows", 1, 1 << 17, &task_rows) ||
        !number_of(call, from, "task_cols", 1, 1 << 17, &task_cols) ||
        !number_of(call, from, "deadline", 1, UINT32_MAX, &deadline) ||
        !number_of(call, from, "window", 1, 32767, &window) ||
        !number_of(call, from, "exclusive", 0, FX_EXCLUSIVE_MAX, &exclusive)) {
        return false;
    }
    if ((reward && !fx_rpc_arg_amount(call, reward, "reward", &request->reward)) ||
        (fee_rate && !fx_rpc_arg_amount(call, fee_rate, "fee_rate", &request->fee_rate))) {
        return false;
    }
    if (deadline > 0 && deadline < (int64_t)FX_LOCKTIME_THRESHOLD) {
        deadline += fx_clock_now();
    }
    request->rows = (uint32_t)rows;
    request->columns = (uint32_t)columns;
    request->depth = (uint32_t)depth;
    request->task_rows = (uint32_t)task_rows;
    request->task_cols = (uint32_t)task_cols;
    request->deadline = (uint32_t)deadline;
    request->window = (uint16_t)window;
    request->exclusive = (uint16_t)exclusive;
    return true;
}

static void quote_json(const struct fx_job_quote *quote, json_t *out)
{
    fx_json_set(out, "m", json_integer(quote->m));
    fx_json_set(out, "n", json_integer(quote->n));
    fx_json_set(out, "k", json_integer(quote->k));
    fx_json_set(out, "task_rows", json_integer(quote->task_rows));
    fx_json_set(out, "task_cols", json_integer(quote->task_cols));
    fx_json_set(out, "tasks", json_integer((json_int_t)quote->tasks));
    fx_json_set(out, "bricks", json_integer((json_int_t)quote->bricks));
    fx_json_set(out, "escrow", fx_json_amount(quote->escrow));
    fx_json_set(out, "fee", fx_json_amount(quote->fee));
    fx_json_set(out, "fee_per_task", fx_json_amount(quote->fee_per_task));
    fx_json_set(out, "total", fx_json_amount(quote->total));
    fx_json_set(out, "deadline", json_integer(quote->deadline));
    fx_json_set(out, "window", json_integer(quote->window));
    fx_json_set(out, "exclusive", json_integer(quote->exclusive));
}

static json_t *quotejob(struct fx_rpc_call *call)
{
    struct fx_job_request request;
    struct fx_job_quote quote;
    struct fx_jobs_error error = {0, ""};
    if (!read_request(call, call->args[0], &request)) {
        return NULL;
    }
    if (!fx_jobs_quote(call->rpc->config.jobs, &request, &quote, &error)) {
        return fx_rpc_fail_jobs(call, &error);
    }
    json_t *out = json_object();
    quote_json(&quote, out);
    fx_rpc_exclusivity_json(call, &quote, out);
    return out;
}

static const struct fx_rpc_command quotejob_command = {
    .name = "quotejob",
    .text = "Says what a job would be cut into and cost; nothing is done.",
    .args = "job: {\n" REQUEST_FIELDS "}",
    .result = "{ " QUOTE_FIELDS FX_RPC_EXCLUSIVITY_FIELDS "}",
    .errors = "-8: a parameter is out of range",
    .example =
        "'{\"root_a\":\"hex\",\"root_b\":\"hex\",\"rows\":300,\"columns\":77,\"depth\":1000}'",
    .run = quotejob,
};

static json_t *submitjob(struct fx_rpc_call *call)
{
    struct fx_job_request request;
    struct fx_job_quote quote;
    struct fx_hash job;
    struct fx_jobs_error error = {0, ""};
    if (!read_request(call, call->args[0], &request)) {
        return NULL;
    }
    struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
    if (!wallet) {
        return NULL;
    }
    if (!fx_jobs_submit(call->rpc->config.jobs, wallet, &request, &job, &quote, &error)) {
        return fx_rpc_fail_jobs(call, &error);
    }
    json_t *out = json_object();
    fx_json_set(out, "job", fx_json_id(&job));
    quote_json(&quote, out);
    return out;
}

static const struct fx_rpc_command submitjob_command = {
    .name = "submitjob",
    .text = "Funds and announces a job whose operands were uploaded (PUT /blob/operand). "
            "fornax-cli submitjob gemm A.npy B.npy does all of it from files.",
    .args = "job: {\n" REQUEST_FIELDS "}",
    .result =
        "{ job: hash             # Its name: the id of the funding transaction\n" QUOTE_FIELDS "}",
    .errors = "-6: Insufficient funds\n-8: a parameter is out of range, or an operand is not here",
    .example =
        "'{\"root_a\":\"hex\",\"root_b\":\"hex\",\"rows\":300,\"columns\":77,\"depth\":1000}'",
    .run = submitjob,
};

/* ---- following ---------------------------------------------------------------------------------
 */

#define JOB_FIELDS                                                                                \
    "job: hash, kind: str\n"                                                                      \
    "status: str             # pending, open, done, or ended (some tasks refunded or rejected)\n" \
    "rows: int, columns: int, depth: int  # Before padding\n"                                     \
    "m: int, n: int, k: int, root_a: hash, root_b: hash, task_rows: int, task_cols: int\n"        \
    "client: hash, deadline: time, window: int, exclusive: int\n"                                 \
    "tasks: { total: int, open: int, claimed: int, settled: int, refunded: int\n"                 \
    "  challenged: int, rejected: int, certified: int\n"                                          \
    "  wrong: int }          # Claims found wrong: by this node, or proven on the chain\n"        \
    "reward: amount          # All escrows\n"                                                     \
    "fee: amount, submitted: time\n"                                                              \
    "own: bool               # A loaded wallet has the client's key\n"                            \
    "resulthere: bool        # Every task's result is here and was checked\n"

static json_t *job_json(const struct fx_job_info *j)
{
    static const char *const names[] = {"pending", "open", "done", "ended"};
    json_t *out = json_object(), *tasks = json_object();
    fx_json_set(out, "job", fx_json_id(&j->id));
    fx_json_set(out, "kind", json_string("gemm"));
    fx_json_set(out, "status", json_string(names[j->status]));
    fx_json_set(out, "rows", json_integer(j->rows));
    fx_json_set(out, "columns", json_integer(j->columns));
    fx_json_set(out, "depth", json_integer(j->depth));
    fx_json_set(out, "m", json_integer(j->gemm.m));
    fx_json_set(out, "n", json_integer(j->gemm.n));
    fx_json_set(out, "k", json_integer(j->gemm.k));
    fx_json_set(out, "root_a", fx_json_root(&j->gemm.root_a));
    fx_json_set(out, "root_b", fx_json_root(&j->gemm.root_b));
    fx_json_set(out, "task_rows", json_integer(j->gemm.task_rows));
    fx_json_set(out, "task_cols", json_integer(j->gemm.task_cols));
    fx_json_set(out, "client", fx_json_root(&j->spec.client));
    fx_json_set(out, "deadline", json_integer(j->spec.deadline));
    fx_json_set(out, "window", json_integer(j->spec.window));
    fx_json_set(out, "exclusive", json_integer(j->spec.exclusive));
    fx_json_set(tasks, "total", json_integer((json_int_t)j->n_tasks));
    fx_json_set(tasks, "open", json_integer((json_int_t)j->n_open));
    fx_json_set(tasks, "claimed", json_integer((json_int_t)j->n_claimed));
    fx_json_set(tasks, "settled", json_integer((json_int_t)j->n_settled));
    fx_json_set(tasks, "refunded", json_integer((json_int_t)j->n_refunded));
    fx_json_set(tasks, "challenged", json_integer((json_int_t)j->n_challenged));
    fx_json_set(tasks, "rejected", json_integer((json_int_t)j->n_rejected));
    fx_json_set(tasks, "certified", json_integer((json_int_t)j->n_certified));
    fx_json_set(tasks, "wrong", json_integer((json_int_t)j->n_wrong));
    fx_json_set(out, "tasks", tasks);
    fx_json_set(out, "reward", fx_json_amount(j->reward));
    fx_json_set(out, "fee", fx_json_amount(j->fee));
    fx_json_set(out, "submitted", json_integer(j->submitted));
    fx_json_set(out, "own", json_boolean(j->own));
    fx_json_set(out, "resulthere", json_boolean(j->result_here));
    return out;
}

static bool arg_job(struct fx_rpc_call *call, const json_t *value, struct fx_hash *id,
                    struct fx_job_info *info)
{
    if (!fx_rpc_arg_hash(call, value, "job", id)) {
        return false;
    }
    if (!fx_jobs_get(call->rpc->config.jobs, id, info)) {
        fx_rpc_fail(call, FX_RPC_ADDRESS_OR_KEY, "No such job: %s", json_string_value(value));
        return false;
    }
    return true;
}

static json_t *getjob(struct fx_rpc_call *call)
{
    struct fx_job_info info;
    struct fx_hash id;
    if (!arg_job(call, call->args[0], &id, &info)) {
        return NULL;
    }
    return job_json(&info);
}

static const struct fx_rpc_command getjob_command = {
    .name = "getjob",
    .text = "Returns a job and how far it is.",
    .args = "job: hash",
    .result = "{ " JOB_FIELDS "}",
    .errors = "-5: No such job",
    .example = "\"job\"",
    .run = getjob,
};

static json_t *listjobs(struct fx_rpc_call *call)
{
    struct fx_job_info *infos = NULL;
    bool all = fx_rpc_arg_bool(call->args[0], false);
    size_t n = fx_jobs_list(call->rpc->config.jobs, !all, &infos);
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(out, job_json(&infos[i]));
    }
    free(infos);
    return out;
}

static const struct fx_rpc_command listjobs_command = {
    .name = "listjobs",
    .text = "Returns the jobs of the loaded wallets.",
    .args = "all?: bool = false   # Everybody's jobs",
    .result = "[ { " JOB_FIELDS "} ]",
    .example = "\ntrue",
    .run = listjobs,
};

/* ---- the result --------------------------------------------------------------------------------
 */

static void base64_append(struct fx_buf *out, const uint8_t *p, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16;
        v |= i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0u;
        v |= i + 2 < n ? (uint32_t)p[i + 2] : 0u;
        fx_buf_u8(out, (uint8_t)digits[v >> 18]);
        fx_buf_u8(out, (uint8_t)digits[(v >> 12) & 63]);
        fx_buf_u8(out, (uint8_t)(i + 1 < n ? digits[(v >> 6) & 63] : '='));
        fx_buf_u8(out, (uint8_t)(i + 2 < n ? digits[v & 63] : '='));
    }
}

static json_t *rows_json(const int32_t *rows, size_t count, size_t columns, bool array)
{
    if (!array) {
        struct fx_buf text = FX_BUF_INIT;
        base64_append(&text, (const uint8_t *)rows, count * columns * sizeof(*rows));
        fx_buf_u8(&text, 0);
        json_t *out = json_string((const char *)text.data);
        fx_buf_clear(&text);
        return out;
    }
    json_t *out = json_array();
    for (size_t r = 0; r < count; r++) {
        json_t *row = json_array();
        for (size_t c = 0; c < columns; c++) {
            json_array_append_new(row, json_integer(rows[r * columns + c]));
        }
        json_array_append_new(out, row);
    }
    return out;
}

static json_t *getjobresult(struct fx_rpc_call *call)
{
    struct fx_job_info info;
    struct fx_hash id;
    struct fx_jobs_error error = {0, ""};
    int64_t row, count;
    const char *format = fx_rpc_arg_str(call->args[3], "base64");
    if (!arg_job(call, call->args[0], &id, &info)) {
        return NULL;
    }
    if (!fx_rpc_arg_int(call, call->args[1], "row", 0, (int64_t)info.rows - 1, 0, &row) ||
        !fx_rpc_arg_int(call, call->args[2], "count", 1, info.rows - row, 1, &count)) {
        return NULL;
    }
    bool array = strcmp(format, "array") == 0;
    if (!array && strcmp(format, "base64") != 0) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER, "format must be base64 or array");
    }
    if ((uint64_t)count * info.columns * 4 > RESULT_BYTES_MAX && count > 1) {
        return fx_rpc_fail(call, FX_RPC_PARAMETER,
                           "At most %u bytes at once: ask for fewer rows, or GET "
                           "/job/ID/result.npy",
                           RESULT_BYTES_MAX);
    }
    int32_t *rows = fx_xcalloc((size_t)count * info.columns, sizeof(*rows));
    json_t *out = NULL;
    if (fx_jobs_result_rows(call->rpc->config.jobs, &id, (uint32_t)row, (uint32_t)count, rows,
                            &error)) {
        out = json_object();
        fx_json_set(out, "rows", json_integer(info.rows));
        fx_json_set(out, "columns", json_integer(info.columns));
        fx_json_set(out, "row", json_integer(row));
        fx_json_set(out, "count", json_integer(count));
        fx_json_set(out, "data", rows_json(rows, (size_t)count, info.columns, array));
    } else {
        fx_rpc_fail_jobs(call, &error);
    }
    free(rows);
    return out;
}

static const struct fx_rpc_command getjobresult_command = {
    .name = "getjobresult",
    .text = "Returns rows of a job's result, without padding. The whole is at GET "
            "/job/ID/result.npy; fornax-cli getjobresult JOB out.npy writes it to a file.",
    .args = "job: hash\n"
            "row?: int = 0          # The first\n"
            "count?: int = 1        # How many; 4 MiB at most\n"
            "format?: str = base64  # base64 (little-endian int32, row after row) or array",
    .result = "{ rows: int, columns: int   # Of the whole\n"
              "row: int, count: int        # Of this part\n"
              "data: str|[ [ int ] ] }",
    .errors = "-5: No such job\n-8: rows out of range\n-1: not here yet",
    .example = "\"job\"\n\"job\" 0 2 \"array\"",
    .run = getjobresult,
};

static const struct fx_rpc_command *const commands[] = {
    &quotejob_command, &submitjob_command,    &getjob_command,
    &listjobs_command, &getjobresult_command, NULL,
};

const struct fx_rpc_topic fx_rpc_topic_jobs = {"Jobs", commands, FX_RPC_WITH_JOBS};
