/* submitjob gemm A.npy B.npy, or --batch=LIST: quote, upload, submission. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/cli/cli_int.h"
#include "src/cli/products.h"
#include "src/util/amount.h"
#include "src/util/duration.h"

const char fx_cli_submitjob_help[] =
    "submitjob gemm A.npy B.npy [--option=value]...\n"
    "submitjob gemm --batch=LIST [--option=value]...\n\n"
    "With file names fornax-cli does all of it: reads the matrices (any integer dtype with values\n"
    "from -32,768 to 65,535, float32 or float64; C or Fortran order), prints the quote, asks,\n"
    "uploads A and B in pieces (the same command goes on with an upload that broke off), submits,\n"
    "and prints the job's id. Integers come out exact: int32, or int64 where that could overflow.\n"
    "Floats are multiplied with a scale and rounded; the quote says how far an entry can be "
    "off.\n\n"
    "  --batch=LIST        Several products under one job: a text file with a pair A.npy B.npy a\n"
    "                      line, as seen from the current folder\n"
    "  --scale=S[,SB]      Of floats: A (and B) times this is rounded to integers (default: the\n"
    "                      largest power of two that keeps them below 8,128)\n"
    "  --reward=FNX        Escrow of each task (default: chosen by the node)\n"
    "  --task-size=RxC     Rows and columns of a task in entries, rounded up to tiles of 128; one\n"
    "                      number for both (default: chosen by the node)\n"
    "  --task-rows=N, --task-cols=N   The same in tiles of 128\n"
    "  --deadline=TIME     When unclaimed tasks can be refunded: seconds from now, or with s, m, "
    "h\n"
    "                      or d (90m, 2d), or a unix time\n"
    "  --window=N          Units of 512 s that a claim waits where no certificate comes\n"
    "  --exclusive=N       Blocks in which the assigned solver alone may claim\n"
    "  --fee-rate=FNX      Fee for 1,000 vbytes (default: estimated)\n"
    "  --quote             Print the quote and do nothing\n"
    "  --yes               Do not ask\n"
    "  --help              Print this and do nothing\n";

static const char group[] = "submitjob";

static const struct fx_arg_option table[] = {
    {"batch", FX_ARG_STR, "<file>", group, "", 0, 0, 0},
    {"scale", FX_ARG_STR, "<number>", group, "", 0, 0, 0},
    {"reward", FX_ARG_STR, "<FNX>", group, "", 0, 0, 0},
    {"task-size", FX_ARG_STR, "<rows>x<columns>", group, "", 0, 0, 0},
    {"task-rows", FX_ARG_INT, "<tiles>", group, "", 1, 1 << 17, 0},
    {"task-cols", FX_ARG_INT, "<tiles>", group, "", 1, 1 << 17, 0},
    {"deadline", FX_ARG_STR, "<time>", group, "", 0, 0, 0},
    {"window", FX_ARG_INT, "<units>", group, "", 1, 32767, 0},
    {"exclusive", FX_ARG_INT, "<blocks>", group, "", 0, 144, 0},
    {"fee-rate", FX_ARG_STR, "<FNX>", group, "", 0, 0, 0},
    {"quote", FX_ARG_BOOL, NULL, group, "", 0, 0, 0},
    {"yes", FX_ARG_BOOL, NULL, group, "", 0, 0, 0},
    {"y", FX_ARG_BOOL, NULL, group, "", 0, 0, 0},
    {"help", FX_ARG_BOOL, NULL, group, "", 0, 0, 0},
    {NULL, FX_ARG_BOOL, NULL, NULL, NULL, 0, 0, 0},
};

static int fail(const char *text)
{
    fprintf(stderr, "error: %s\n", text);
    return EXIT_FAILURE;
}

/* Options and words in any order: the kind, and two files where there is no --batch. False: *error
 * is set. */
static bool read_words(struct fx_args *args, int argc, char **argv, const char *words[3],
                       char error[FX_ARGS_ERROR])
{
    size_t n = 0;
    int at = 0; /* argv[0] is the command's name, as a program's */
    for (;;) {
        int rest;
        if (!fx_args_parse(args, argc - at, argv + at, &rest, error)) {
            return false;
        }
        at += rest;
        if (at >= argc) {
            break;
        }
        if (n == 3 || (n > 0 && fx_args_has(args, "batch"))) {
            snprintf(error, FX_ARGS_ERROR, "submitjob gemm A.npy B.npy: '%.100s' is too much",
                     argv[at]);
            return false;
        }
        words[n++] = argv[at];
    }
    if (n < 3 && !(n == 1 && fx_args_has(args, "batch"))) {
        snprintf(error, FX_ARGS_ERROR,
                 "submitjob gemm A.npy B.npy: two files are needed, or --batch=LIST alone (see "
                 "fornax-cli help submitjob)");
        return false;
    }
    return true;
}

static bool number(const char *s, const char **end, uint64_t *out)
{
    char *rest = NULL;
    if (*s < '0' || *s > '9' || strlen(s) > 24) {
        return false;
    }
    *out = strtoull(s, &rest, 10);
    *end = rest;
    return *out <= UINT32_MAX;
}

static bool set_size(json_t *job, const char *text, char *error)
{
    uint64_t rows, cols;
    const char *end;
    bool ok = number(text, &end, &rows);
    cols = rows;
    if (ok && (*end == 'x' || *end == 'X')) {
        ok = number(end + 1, &end, &cols);
    }
    if (!ok || *end || rows == 0 || cols == 0) {
        snprintf(error, FX_ARGS_ERROR, "--task-size=%.60s: rows x columns are expected, as 512x256",
                 text);
        return false;
    }
    json_object_set_new(job, "task_rows", json_integer((json_int_t)((rows + 127) / 128)));
    json_object_set_new(job, "task_cols", json_integer((json_int_t)((cols + 127) / 128)));
    return true;
}

static bool set_deadline(json_t *job, const char *text, char *error)
{
    static const struct {
        char unit;
        uint64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    uint64_t value = 0, times = 1;
    const char *end;
    bool ok = number(text, &end, &value);
    if (ok && *end) {
        ok = false;
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
            if (*end == units[i].unit && end[1] == 0) {
                times = units[i].seconds;
                ok = value * times < 500000000;
            }
        }
    }
    if (!ok || value == 0) {
        snprintf(error, FX_ARGS_ERROR,
                 "--deadline=%.60s: seconds, or a number with s, m, h or d, or a unix time is "
                 "expected",
                 text);
        return false;
    }
    json_object_set_new(job, "deadline", json_integer((json_int_t)(value * times)));
    return true;
}

static bool set_amount(json_t *job, const char *key, const char *option, const char *text,
                       char *error)
{
    int64_t amount;
    if (!fx_amount_parse(text, &amount)) {
        snprintf(error, FX_ARGS_ERROR, "--%s=%.60s: an amount in FNX is expected", option, text);
        return false;
    }
    if (amount == 0) {
        snprintf(error, FX_ARGS_ERROR,
                 "--%s=%.60s: it must be above 0; without the option the node chooses", option,
                 text);
        return false;
    }
    json_object_set_new(job, key, json_string(text));
    return true;
}

/* The job object of the calls. NULL: error is set. */
static json_t *make_job(const struct fx_args *args, const struct fx_products *products,
                        char error[FX_ARGS_ERROR])
{
    static const char *const numbers[][2] = {{"task-rows", "task_rows"},
                                             {"task-cols", "task_cols"},
                                             {"window", "window"},
                                             {"exclusive", "exclusive"}};
    static const char *const amounts[][2] = {{"reward", "reward"}, {"fee-rate", "fee_rate"}};
    json_t *job = json_object();
    bool ok = true;
    json_object_set_new(job, "kind", json_string("gemm"));
    json_object_set_new(job, "products", fx_products_json(products));
    if (fx_args_has(args, "task-size")) {
        ok = set_size(job, fx_args_str(args, "task-size", ""), error);
    }
    for (size_t i = 0; ok && i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (fx_args_has(args, numbers[i][0])) {
            json_object_set_new(job, numbers[i][1],
                                json_integer(fx_args_int(args, numbers[i][0], 0)));
        }
    }
    for (size_t i = 0; ok && i < sizeof(amounts) / sizeof(amounts[0]); i++) {
        if (fx_args_has(args, amounts[i][0])) {
            ok = set_amount(job, amounts[i][1], amounts[i][0], fx_args_str(args, amounts[i][0], ""),
                            error);
        }
    }
    if (ok && fx_args_has(args, "deadline")) {
        ok = set_deadline(job, fx_args_str(args, "deadline", ""), error);
    }
    if (!ok) {
        json_decref(job);
        return NULL;
    }
    return job;
}

static long long whole(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static double real(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

/* When it may be done, and what may keep it from being done. */
static void print_outlook(FILE *to, const json_t *quote)
{
    const json_t *warning, *seconds = json_object_get(quote, "expectedtime");
    size_t i;
    if (seconds) {
        char text[FX_DURATION_TEXT];
        fx_duration_format(json_number_value(seconds), text);
        fprintf(to,
                "Expected:  about %s from its first block on, if all miners of the lane work on "
                "it\n",
                text);
    }
    json_array_foreach(json_object_get(quote, "warnings"), i, warning)
    {
        fprintf(to, "Warning:   %s (%s)\n", json_string_value(json_object_get(warning, "text")),
                json_string_value(json_object_get(warning, "code")));
    }
    const char *exclusive = json_string_value(json_object_get(quote, "warning"));
    if (exclusive) {
        fprintf(to, "Warning:   %s (exclusive)\n", exclusive);
    }
}

static void print_quote(FILE *to, const struct fx_products *products, const json_t *quote)
{
    char when[64] = "";
    time_t deadline = (time_t)whole(quote, "deadline");
    struct tm utc;
    if (gmtime_r(&deadline, &utc)) {
        strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &utc);
    }
    fx_products_print(products, to);
    fprintf(to, "Work:      %lld brick%s in %lld task%s of up to %lld x %lld tiles\n",
            whole(quote, "bricks"), whole(quote, "bricks") == 1 ? "" : "s", whole(quote, "tasks"),
            whole(quote, "tasks") == 1 ? "" : "s", whole(quote, "task_rows"),
            whole(quote, "task_cols"));
    fprintf(to, "Per task:  escrow %.8f FNX, fee %.8f FNX\n", real(quote, "escrow"),
            real(quote, "fee_per_task"));
    fprintf(to, "Total:     %.8f FNX in %lld transaction%s\n", real(quote, "total"),
            whole(quote, "transactions"), whole(quote, "transactions") == 1 ? "" : "s");
    fprintf(to, "Deadline:  %s (unclaimed tasks can be refunded from then on)\n", when);
    fprintf(to, "Window:    %lld x 512 s; exclusive: %lld blocks\n", whole(quote, "window"),
            whole(quote, "exclusive"));
    print_outlook(to, quote);
}

static bool confirmed(void)
{
    char answer[16] = "";
    fprintf(stderr, "Submit this job? [y/N] ");
    fflush(stderr);
    if (!fgets(answer, sizeof(answer), stdin)) {
        fprintf(stderr, "\n");
        return false;
    }
    return answer[0] == 'y' || answer[0] == 'Y';
}

/* A call with the job as its one argument. NULL: printed, and *status set. */
static json_t *call_job(struct fx_rpc_client *client, const char *method, json_t *job, int *status)
{
    struct fx_rpc_reply reply;
    json_t *params = json_pack("[O]", job);
    fx_rpc_client_call(client, method, params, &reply);
    json_decref(params);
    json_t *out = reply.status == FX_RPC_OK ? json_incref(reply.result) : NULL;
    if (!out) {
        *status = fx_cli_failed(&reply);
    }
    fx_rpc_reply_clear(&reply);
    return out;
}

/* Before anything is uploaded: is there a wallet, and has it enough? */
static bool can_pay(struct fx_rpc_client *client, double total, int *status)
{
    struct fx_rpc_reply reply;
    fx_rpc_client_call(client, "getbalance", NULL, &reply);
    bool ok = reply.status == FX_RPC_OK;
    double balance = ok ? json_number_value(reply.result) : 0;
    if (!ok) {
        *status = fx_cli_failed(&reply);
    } else if (balance < total) {
        fprintf(stderr,
                "error code: -6\nerror message:\nInsufficient funds: the job takes %.8f FNX, the "
                "wallet can spend %.8f FNX\n",
                total, balance);
        *status = 6;
        ok = false;
    }
    fx_rpc_reply_clear(&reply);
    return ok;
}

/* Says what the node could not send yet. */
static void print_waiting(const json_t *done)
{
    if (whole(done, "waiting") > 0) {
        const char *note = json_string_value(json_object_get(done, "note"));
        fprintf(stderr,
                "%lld tasks are in transactions that are still to be sent: %s. The node goes "
                "on with them.\n",
                whole(done, "waiting"), note ? note : "");
    }
}

static int submit(struct fx_rpc_client *client, const struct fx_args *args,
                  const struct fx_products *products, json_t *job)
{
    char error[FX_MATRIX_ERROR];
    int status = EXIT_FAILURE;
    json_t *quote = call_job(client, "quotejob", job, &status);
    if (!quote) {
        return status;
    }
    bool only = fx_args_bool(args, "quote", false);
    print_quote(only ? stdout : stderr, products, quote);
    double total = real(quote, "total");
    json_decref(quote);
    if (only) {
        return EXIT_SUCCESS;
    }
    if (!can_pay(client, total, &status)) {
        return status;
    }
    if (!fx_args_bool(args, "yes", false) && !fx_args_bool(args, "y", false) && !confirmed()) {
        fprintf(stderr, "Not submitted (--yes submits without asking).\n");
        return EXIT_FAILURE;
    }
    if (!fx_products_upload(client, products, json_object_get(job, "products"), error)) {
        return fail(error);
    }
    json_t *done = call_job(client, "submitjob", job, &status);
    if (!done) {
        return status;
    }
    print_waiting(done);
    printf("%s\n", json_string_value(json_object_get(done, "job")));
    json_decref(done);
    return EXIT_SUCCESS;
}

static int with_products(struct fx_rpc_client *client, const struct fx_args *args,
                         const struct fx_products *products)
{
    char why[FX_ARGS_ERROR];
    json_t *job = make_job(args, products, why);
    int status = job ? submit(client, args, products, job) : fail(why);
    json_decref(job);
    return status;
}

static int with_files(struct fx_rpc_client *client, const struct fx_args *args,
                      const char *words[3])
{
    struct fx_products products = {NULL, 0, 0, 0};
    char error[FX_MATRIX_ERROR];
    if (strcmp(words[0], "gemm") != 0) {
        snprintf(error, sizeof(error), "there is no job kind '%.60s': gemm is one", words[0]);
        return fail(error);
    }
    bool ok = fx_products_set_scale(&products, fx_args_str(args, "scale", NULL), error) &&
              (fx_args_has(args, "batch")
                   ? fx_products_add_list(&products, fx_args_str(args, "batch", ""), error)
                   : fx_products_add(&products, words[1], words[2], error)) &&
              (!fx_args_has(args, "scale") || fx_products_scaled(&products, error));
    int status = ok ? with_products(client, args, &products) : fail(error);
    fx_products_clear(&products);
    return status;
}

int fx_cli_submitjob(struct fx_rpc_client *client, int argc, char **argv)
{
    struct fx_args *args = fx_args_create(table);
    const char *words[3] = {NULL, NULL, NULL};
    char error[FX_ARGS_ERROR];
    int status = EXIT_SUCCESS;
    bool read = read_words(args, argc, argv, words, error);
    if (fx_args_bool(args, "help", false)) {
        fputs(fx_cli_submitjob_help, stdout);
    } else {
        status = read ? with_files(client, args, words) : fail(error);
    }
    fx_args_destroy(args);
    return status;
}
