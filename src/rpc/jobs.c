/* Commands on jobs: quoting, submitting, taking back. */
#include <stdlib.h>
#include <string.h>

#include "consensus/lane.h"
#include "src/iface/market.h"
#include "src/iface/mempool.h"
#include "src/iface/net.h"
#include "src/rpc/topics_int.h"
#include "src/sys/clock.h"
#include "src/util/amount.h"
#include "src/util/duration.h"
#include "src/util/mem.h"

#define RATE_BLOCKS 2016
#define LANE_SPACING 240 /* seconds: protocol section 2 */
#define UNENDED                                                         \
    (FX_STATUS_BIT(FX_STATUS_OPEN) | FX_STATUS_BIT(FX_STATUS_CLAIMED) | \
     FX_STATUS_BIT(FX_STATUS_CHALLENGED))
#define SOLVER_VSIZE 500 /* of a claim and a settlement, about */

#define ROOT_FIELDS                                                                          \
    "root_a?: hash           # Of A as uploaded: padded to tiles of 128 rows, 256 columns\n" \
    "root_b?: hash           # Of B transposed, likewise\n"

#define SHAPE_FIELDS                                                                          \
    "rows?: int              # Of A, before padding\n"                                        \
    "columns?: int           # Of B\n"                                                        \
    "depth?: int             # Columns of A, rows of B\n"                                     \
    "limbs_a?: int = 1       # Limbs of A's entries, which stand one below the other in the " \
    "operand: limbs_a * rows rows\n"                                                          \
    "limbs_b?: int = 1       # The same of B, for the columns\n"                              \
    "type?: str = int32      # Of the result: int32, int64 or float64\n"                      \
    "scale_a?: num = 1       # float64: what A was multiplied with before it was rounded\n"   \
    "scale_b?: num = 1\n"                                                                     \
    "error?: num = 0         # float64: the most that an entry can be wrong by\n"             \
    "parts?: [               # In place of the two roots, where the depth is above 65,536: "  \
    "one pair for each 65,536 of it\n"                                                        \
    "  { root_a: hash, root_b: hash } ]\n"

#define REQUEST_FIELDS                                                                       \
    "kind?: str = gemm\n" ROOT_FIELDS SHAPE_FIELDS                                           \
    "products?: [ {          # In place of one product: several under one job\n" ROOT_FIELDS \
        SHAPE_FIELDS "} ]\n"                                                                 \
    "reward?: amount         # Escrow of each task, above 0\n"                               \
    "task_rows?: int         # Rows of a task, in tiles of 128\n"                            \
    "task_cols?: int         # Columns, likewise\n"                                          \
    "deadline?: int          # When unclaimed tasks can be refunded: unix time, or seconds " \
    "from now where below 500,000,000\n"                                                     \
    "window?: int            # Units of 512 s that a claim waits without a certificate\n"    \
    "exclusive?: int = 0     # Blocks in which the assigned solver alone may claim\n"        \
    "fee_rate?: amount       # FNX per 1,000 vbytes, above 0\n"

#define QUOTE_FIELDS                                                                            \
    "m: int, n: int, k: int     # Padded, of the first product\n"                               \
    "task_rows: int, task_cols: int  # Tiles of 128\n"                                          \
    "multiplications: int       # Of matrices of entries: pairs of limbs, of all products and " \
    "parts\n"                                                                                   \
    "transactions: int          # That announce the job\n"                                      \
    "tasks: int, bricks: int    # Bricks of all tasks\n"                                        \
    "escrow: amount             # Of each task; where products differ, the highest\n"           \
    "reward: amount             # All escrows\n"                                                \
    "fee: amount, fee_per_task: amount\n"                                                       \
    "total: amount              # All escrows and the fee\n"                                    \
    "deadline: time, window: int, exclusive: int\n"

static bool number_of(struct fx_rpc_call *call, const json_t *from, const char *name, int64_t min,
                      int64_t max, int64_t *out)
{
    return fx_rpc_arg_int(call, json_object_get(from, name), name, min, max, 0, out);
}

/* Small numbers are seconds from now. */
static uint32_t deadline_of(int64_t deadline)
{
    if (deadline > 0 && deadline < (int64_t)FX_LOCKTIME_THRESHOLD) {
        deadline += fx_clock_now();
    }
    return (uint32_t)deadline;
}

/* A request as it is read; the products and their parts are its own. */
struct request {
    struct fx_job_request job;
    struct fx_job_product *products;
    struct fx_job_part *parts;
    size_t n_parts;
};

static void request_clear(struct request *request)
{
    free(request->products);
    free(request->parts);
}

static bool read_type(struct fx_rpc_call *call, const json_t *from, enum fx_job_type *type)
{
    static const enum fx_job_type types[] = {FX_TYPE_INT32, FX_TYPE_INT64, FX_TYPE_FLOAT64};
    const char *name = fx_rpc_arg_str(json_object_get(from, "type"), "int32");
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(name, fx_rpc_type_name(types[i])) == 0) {
            *type = types[i];
            return true;
        }
    }
    fx_rpc_fail(call, FX_RPC_PARAMETER, "type must be int32, int64 or float64");
    return false;
}

static double real_of(const json_t *from, const char *name, double fallback)
{
    const json_t *value = json_object_get(from, name);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

/* The roots of a product's parts: two of its own, or a list of pairs. */
static bool read_parts(struct fx_rpc_call *call, const json_t *from, struct request *request,
                       struct fx_job_product *product)
{
    const json_t *list = json_object_get(from, "parts");
    size_t n = list ? json_array_size(list) : 1;
    if (request->n_parts + n > FX_JOB_PARTS_MAX) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "A job has at most %d parts along the depth",
                    FX_JOB_PARTS_MAX);
        return false;
    }
    product->n_parts = n;
    for (size_t i = 0; i < n; i++) {
        const json_t *pair = list ? json_array_get(list, i) : from;
        struct fx_job_part *part = &request->parts[request->n_parts++];
        if (!fx_rpc_arg_root(call, json_object_get(pair, "root_a"), "root_a", &part->root_a) ||
            !fx_rpc_arg_root(call, json_object_get(pair, "root_b"), "root_b", &part->root_b)) {
            return false;
        }
    }
    return true;
}

/* What the description cannot demand, as it may stand in one of two places. */
static bool has_shape(struct fx_rpc_call *call, const json_t *from)
{
    static const char *const names[] = {"rows", "columns", "depth"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!json_object_get(from, names[i])) {
            fx_rpc_fail(call, FX_RPC_PARAMETER, "%s is missing", names[i]);
            return false;
        }
    }
    return true;
}

static bool read_product(struct fx_rpc_call *call, const json_t *from, struct request *request)
{
    struct fx_job_product *product = &request->products[request->job.n_products++];
    int64_t rows, columns, depth, limbs_a, limbs_b;
    product->parts = request->parts + request->n_parts;
    if (!has_shape(call, from) || !number_of(call, from, "rows", 1, 1 << 24, &rows) ||
        !number_of(call, from, "columns", 1, 1 << 24, &columns) ||
        !number_of(call, from, "depth", 1, 1 << 24, &depth) ||
        !fx_rpc_arg_int(call, json_object_get(from, "limbs_a"), "limbs_a", 1, 3, 1, &limbs_a) ||
        !fx_rpc_arg_int(call, json_object_get(from, "limbs_b"), "limbs_b", 1, 3, 1, &limbs_b) ||
        !read_type(call, from, &product->type) || !read_parts(call, from, request, product)) {
        return false;
    }
    product->rows = (uint32_t)rows;
    product->columns = (uint32_t)columns;
    product->depth = (uint64_t)depth;
    product->limbs_a = (unsigned)limbs_a;
    product->limbs_b = (unsigned)limbs_b;
    product->scale_a = real_of(from, "scale_a", 1);
    product->scale_b = real_of(from, "scale_b", 1);
    product->error = real_of(from, "error", 0);
    return true;
}

static bool read_products(struct fx_rpc_call *call, const json_t *from, struct request *request)
{
    const json_t *list = json_object_get(from, "products");
    size_t n = list ? json_array_size(list) : 1;
    if (n == 0 || n > FX_JOB_PRODUCTS_MAX) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "A job has 1 to %d products", FX_JOB_PRODUCTS_MAX);
        return false;
    }
    request->products = fx_xcalloc(n, sizeof(*request->products));
    request->parts = fx_xcalloc(FX_JOB_PARTS_MAX, sizeof(*request->parts));
    request->job.products = request->products;
    for (size_t i = 0; i < n; i++) {
        if (!read_product(call, list ? json_array_get(list, i) : from, request)) {
            return false;
        }
    }
    return true;
}

/* An amount above 0; 0 where it is not given, which leaves it to the node. */
static bool amount_of(struct fx_rpc_call *call, const json_t *from, const char *name,
                      int64_t *amount)
{
    const json_t *value = json_object_get(from, name);
    *amount = 0;
    if (!value || json_is_null(value)) {
        return true;
    }
    if (!fx_rpc_arg_amount(call, value, name, amount)) {
        return false;
    }
    if (*amount == 0) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "%s must be above 0; without it the node chooses",
                    name);
    }
    return *amount > 0;
}

static bool read_terms(struct fx_rpc_call *call, const json_t *from, struct fx_job_request *job)
{
    int64_t task_rows, task_cols, deadline, window, exclusive;
    if (!number_of(call, from, "task_rows", 1, 1 << 17, &task_rows) ||
        !number_of(call, from, "task_cols", 1, 1 << 17, &task_cols) ||
        !number_of(call, from, "deadline", 1, UINT32_MAX, &deadline) ||
        !number_of(call, from, "window", 1, 32767, &window) ||
        !number_of(call, from, "exclusive", 0, FX_EXCLUSIVE_MAX, &exclusive) ||
        !amount_of(call, from, "reward", &job->reward) ||
        !amount_of(call, from, "fee_rate", &job->fee_rate)) {
        return false;
    }
    job->task_rows = (uint32_t)task_rows;
    job->task_cols = (uint32_t)task_cols;
    job->deadline = deadline_of(deadline);
    job->window = (uint16_t)window;
    job->exclusive = (uint16_t)exclusive;
    return true;
}

/* False after fx_rpc_fail; to be cleared in any case. */
static bool read_request(struct fx_rpc_call *call, const json_t *from, struct request *request)
{
    const char *kind = fx_rpc_arg_str(json_object_get(from, "kind"), "gemm");
    memset(request, 0, sizeof(*request));
    if (strcmp(kind, "gemm") != 0) {
        fx_rpc_fail(call, FX_RPC_PARAMETER, "There is no job kind %.40s; gemm is one", kind);
        return false;
    }
    return read_products(call, from, request) && read_terms(call, from, &request->job);
}

static void quote_json(const struct fx_job_quote *quote, json_t *out)
{
    fx_json_set(out, "m", json_integer(quote->m));
    fx_json_set(out, "n", json_integer(quote->n));
    fx_json_set(out, "k", json_integer(quote->k));
    fx_json_set(out, "task_rows", json_integer(quote->task_rows));
    fx_json_set(out, "task_cols", json_integer(quote->task_cols));
    fx_json_set(out, "multiplications", json_integer((json_int_t)quote->products));
    fx_json_set(out, "transactions", json_integer((json_int_t)quote->transactions));
    fx_json_set(out, "tasks", json_integer((json_int_t)quote->tasks));
    fx_json_set(out, "bricks", json_integer((json_int_t)quote->bricks));
    fx_json_set(out, "escrow", fx_json_amount(quote->escrow));
    fx_json_set(out, "reward", fx_json_amount(quote->reward));
    fx_json_set(out, "fee", fx_json_amount(quote->fee));
    fx_json_set(out, "fee_per_task", fx_json_amount(quote->fee_per_task));
    fx_json_set(out, "total", fx_json_amount(quote->total));
    fx_json_set(out, "deadline", json_integer(quote->deadline));
    fx_json_set(out, "window", json_integer(quote->window));
    fx_json_set(out, "exclusive", json_integer(quote->exclusive));
}

/* ---- what a quote foresees --------------------------------------------------------------------
 */

/* Bricks a second that the job lane does, by the difficulty of its blocks among the last ones; 0:
 * it had none. */
static double lane_rate(const struct fx_chain *chain)
{
    const struct fx_index *tip = fx_chain_tip(chain), *at = tip;
    double bricks = 0;
    for (unsigned n = 0; n < RATE_BLOCKS && at->parent; n++, at = at->parent) {
        struct fx_u256 target, work;
        if (at->lane == FX_LANE_JOB && fx_nbits_decode(at->header.nbits, &target)) {
            work = fx_work_expected(&target);
            bricks += fx_u256_to_double(&work);
        }
    }
    int64_t seconds = (int64_t)tip->header.time - (int64_t)at->header.time;
    return seconds > 0 ? bricks / (double)seconds : 0;
}

static void warn(json_t *warnings, const char *code, json_t *text)
{
    json_t *warning = json_object();
    fx_json_set(warning, "code", json_string(code));
    fx_json_set(warning, "text", text);
    json_array_append_new(warnings, warning);
}

static bool has_peers(const struct fx_rpc *rpc)
{
    struct fx_peer_info *peers;
    size_t n = fx_net_peers(rpc->config.net, &peers);
    free(peers);
    return n > 0;
}

/* Why solvers may leave its tasks alone. */
static json_t *warnings_json(const struct fx_rpc *rpc, const struct fx_job_quote *quote,
                             double rate, double seconds)
{
    json_t *out = json_array();
    int64_t left = (int64_t)quote->deadline - fx_clock_now();
    int64_t costs = fx_mempool_estimate(rpc->config.mempool, FX_FEE_TARGET) * SOLVER_VSIZE / 1000;
    double pay = (double)quote->reward / (double)quote->bricks;
    double going = fx_jobs_going_rate(rpc->config.jobs);
    if (!has_peers(rpc)) {
        warn(out, "no-peers",
             json_string("No peer is connected: nobody else hears of the job until one is"));
    }
    if (rate <= 0) {
        warn(out, "no-lane-work",
             json_sprintf("No block of the last %d was mined in a job: nobody may be there to take "
                          "it",
                          RATE_BLOCKS));
    } else if (seconds > (double)left) {
        char takes[FX_DURATION_TEXT], lasts[FX_DURATION_TEXT];
        fx_duration_format(seconds, takes);
        fx_duration_format(left > 0 ? (double)left : 0, lasts);
        warn(out, "deadline",
             json_sprintf("At the lane's rate it takes about %s, the deadline is in %s", takes,
                          lasts));
    }
    if (quote->escrow < costs) {
        char text[FX_AMOUNT_TEXT];
        fx_amount_format(costs, text);
        warn(out, "reward-below-fees",
             json_sprintf("To claim and settle a task costs its solver about %s FNX of fees, more "
                          "than it pays",
                          text));
    }
    if (pay < going / 2) {
        warn(out, "below-market",
             json_sprintf("It pays %.0f embers a brick; half of the open tasks of others pay %.0f "
                          "and more",
                          pay, going));
    }
    return out;
}

static void foresee(const struct fx_rpc *rpc, const struct fx_job_quote *quote, json_t *out)
{
    double rate = lane_rate(rpc->config.chain);
    /* The bricks, then a block for the claims and one for the settlements. */
    double seconds = rate > 0 ? (double)quote->bricks / rate + 2 * LANE_SPACING : 0;
    fx_json_set(out, "lanerate", json_real(rate));
    if (rate > 0) {
        fx_json_set(out, "expectedtime", json_real(seconds));
    }
    fx_json_set(out, "warnings", warnings_json(rpc, quote, rate, seconds));
}

static json_t *quotejob(struct fx_rpc_call *call)
{
    struct request request;
    struct fx_job_quote quote;
    struct fx_jobs_error error = {0, ""};
    json_t *out = NULL;
    if (read_request(call, call->args[0], &request)) {
        if (fx_jobs_quote(call->rpc->config.jobs, &request.job, &quote, &error)) {
            out = json_object();
            quote_json(&quote, out);
            foresee(call->rpc, &quote, out);
            fx_rpc_exclusivity_json(call, &quote, out);
        } else {
            fx_rpc_fail_jobs(call, &error);
        }
    }
    request_clear(&request);
    return out;
}

static const struct fx_rpc_command quotejob_command = {
    .name = "quotejob",
    .text = "Says what a job would be cut into and cost; nothing is done.",
    .args = "job: {\n" REQUEST_FIELDS "}",
    .result =
        "{ " QUOTE_FIELDS FX_RPC_EXCLUSIVITY_FIELDS
        "lanerate: num              # Bricks a second of the job lane, by the difficulty of "
        "its blocks among the last 2,016\n"
        "expectedtime?: num         # Seconds until all is settled, if the whole lane works "
        "on it and nothing else\n"
        "warnings: [ { code: str    # Why it may not be taken: no-peers, no-lane-work, deadline, "
        "reward-below-fees, below-market\n"
        "  text: str } ] }",
    .errors = "-8: a parameter is out of range",
    .example =
        "'{\"root_a\":\"hex\",\"root_b\":\"hex\",\"rows\":300,\"columns\":77,\"depth\":1000}'",
    .run = quotejob,
};

static json_t *submit(struct fx_rpc_call *call, const struct fx_job_request *request)
{
    struct fx_job_quote quote;
    struct fx_hash job;
    struct fx_jobs_error error = {0, ""};
    struct fx_job_info info;
    struct fx_wallet *wallet = fx_rpc_arg_wallet(call);
    if (!wallet) {
        return NULL;
    }
    if (!fx_jobs_submit(call->rpc->config.jobs, wallet, request, &job, &quote, &error)) {
        return fx_rpc_fail_jobs(call, &error);
    }
    json_t *out = json_object();
    fx_json_set(out, "job", fx_json_id(&job));
    quote_json(&quote, out);
    if (fx_jobs_get(call->rpc->config.jobs, &job, &info)) {
        fx_json_set(out, "waiting", json_integer((json_int_t)info.n_waiting));
        if (info.note[0]) {
            fx_json_set(out, "note", json_string(info.note));
        }
    }
    return out;
}

static json_t *submitjob(struct fx_rpc_call *call)
{
    struct request request;
    json_t *out = read_request(call, call->args[0], &request) ? submit(call, &request.job) : NULL;
    request_clear(&request);
    return out;
}

static const struct fx_rpc_command submitjob_command = {
    .name = "submitjob",
    .text = "Funds and announces a job whose operands were uploaded (PUT /blob/operand). "
            "fornax-cli submitjob gemm A.npy B.npy does all of it from files.",
    .args = "job: {\n" REQUEST_FIELDS "}",
    .result =
        "{ job: hash             # Its name: the id of its first transaction\n" QUOTE_FIELDS
        "waiting: int            # Tasks in transactions that could not be sent yet; the node goes "
        "on with them\n"
        "note?: str }            # Why\n",
    .errors = "-6: Insufficient funds; nothing was sent\n"
              "-8: a parameter is out of range, or an operand is not here",
    .example =
        "'{\"root_a\":\"hex\",\"root_b\":\"hex\",\"rows\":300,\"columns\":77,\"depth\":1000}'",
    .run = submitjob,
};

/* ---- taking back, and again -------------------------------------------------------------------
 */

/* What the chain has of a job, and when its escrow comes back. */
static json_t *remaining_json(struct fx_rpc_call *call, const struct fx_hash *job)
{
    struct fx_task_info *tasks = NULL;
    struct fx_task_filter filter = {.job = job, .statuses = UNENDED};
    size_t n = fx_jobs_tasks(call->rpc->config.jobs, &filter, &tasks);
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct fx_task_info *t = &tasks[i];
        bool open = t->status == FX_STATUS_OPEN;
        json_t *o = json_object();
        fx_json_set(o, "origin", fx_json_outpoint(&t->origin));
        fx_json_set(o, "status", json_string(fx_rpc_task_status(t->status)));
        fx_json_set(o, "escrow", fx_json_amount(t->escrow));
        if (open) {
            fx_json_set(o, "returns", json_integer(t->spec.deadline));
        }
        json_array_append_new(out, o);
    }
    free(tasks);
    return out;
}

static json_t *canceljob(struct fx_rpc_call *call)
{
    struct fx_hash job;
    struct fx_job_cancel done;
    struct fx_jobs_error error = {0, ""};
    struct fx_wallet *wallet;
    if (!fx_rpc_arg_hash(call, call->args[0], "job", &job) || !(wallet = fx_rpc_arg_wallet(call))) {
        return NULL;
    }
    if (!fx_jobs_cancel(call->rpc->config.jobs, wallet, &job, &done, &error)) {
        return fx_rpc_fail_jobs(call, &error);
    }
    json_t *out = json_object();
    if (!fx_hash_is_zero(&done.replacement)) {
        fx_json_set(out, "replacement", fx_json_id(&done.replacement));
        fx_json_set(out, "fee", fx_json_amount(done.fee));
    }
    fx_json_set(out, "replaced", json_integer((json_int_t)done.n_replaced));
    fx_json_set(out, "abandoned", json_integer((json_int_t)done.n_abandoned));
    fx_json_set(out, "dropped", json_integer((json_int_t)done.n_dropped));
    fx_json_set(out, "remaining", remaining_json(call, &job));
    return out;
}

static const struct fx_rpc_command canceljob_command = {
    .name = "canceljob",
    .text = "Takes back what is not confirmed of a job of the wallet: a transaction with a higher "
            "fee replaces those that wait in the mempool and returns their coins. What is "
            "confirmed stays; the result says when each escrow comes back. What was "
            "offered until then is not offered again by itself.",
    .args = "job: hash",
    .result = "{ replacement?: hash   # The transaction that returns the coins\n"
              "fee?: amount           # Of that\n"
              "replaced: int          # Transactions that it takes the place of\n"
              "abandoned: int         # That were neither mined nor in the mempool; should one be "
              "mined nevertheless, it counts\n"
              "dropped: int           # Transactions that will not be sent\n"
              "remaining: [ { origin: str, status: str, escrow: amount\n"
              "  returns?: time } ] } # Open: from this median time on the node refunds it by "
              "itself, if nobody claims it. Claimed: it is the solver's, unless the claim falls\n",
    .errors = "-4: it is not the wallet's, or over already, or cannot be replaced now",
    .example = "\"job\"",
    .run = canceljob,
};

static json_t *reofferjob(struct fx_rpc_call *call)
{
    struct fx_hash job;
    struct fx_jobs_error error = {0, ""};
    struct fx_wallet *wallet;
    int64_t deadline;
    size_t n;
    if (!fx_rpc_arg_hash(call, call->args[0], "job", &job) ||
        !fx_rpc_arg_int(call, call->args[1], "deadline", 1, UINT32_MAX, 0, &deadline) ||
        !(wallet = fx_rpc_arg_wallet(call))) {
        return NULL;
    }
    if (!fx_jobs_reoffer(call->rpc->config.jobs, wallet, &job, deadline_of(deadline), &n, &error)) {
        return fx_rpc_fail_jobs(call, &error);
    }
    json_t *out = json_object();
    fx_json_set(out, "tasks", json_integer((json_int_t)n));
    return out;
}

static const struct fx_rpc_command reofferjob_command = {
    .name = "reofferjob",
    .text = "Offers again, under the same job, the tasks that were refunded, rejected or taken "
            "back: one more transaction for each run of them.",
    .args = "job: hash\n"
            "deadline?: int          # As of submitjob",
    .result = "{ tasks: int }         # That are offered again",
    .errors = "-4: it is not the wallet's, or no task came to nothing\n"
              "-8: the deadline has passed, or an operand is not here any more",
    .example = "\"job\"",
    .run = reofferjob,
};

static const struct fx_rpc_command *const commands[] = {
    &quotejob_command,     &submitjob_command,
    &fx_rpc_getjob,        &fx_rpc_listjobs,
    &fx_rpc_getjobresult,  &canceljob_command,
    &reofferjob_command,   &fx_rpc_getreceipt,
    &fx_rpc_verifyreceipt, NULL,
};

const struct fx_rpc_topic fx_rpc_topic_jobs = {"Jobs", commands, FX_RPC_WITH_JOBS};
