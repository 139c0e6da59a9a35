/* getjobresult JOB OUT.npy and watchjob JOB. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/cli/cli_int.h"
#include "src/sys/clock.h"
#include "src/sys/file.h"
#include "src/util/mem.h"

#define WATCH_MS 1000
#define SHOWN_MAX 400

#define STATUS_PARTIAL 2   /* getjobresult --partial: something is missing; watchjob: it will be */
#define STATUS_CANCELLED 3 /* watchjob */

const char fx_cli_getjobresult_help[] =
    "getjobresult JOB OUT.npy [--partial]\n\n"
    "With a file name fornax-cli writes the whole result there: int32, int64 or float64 as the "
    "quote\n"
    "said, the shape that the job asked for, without padding. It is written aside (OUT.npy.part) "
    "and\n"
    "renamed when it is complete. A job of several products has a file for each, in the order of "
    "its\n"
    "list: OUT.0.npy, OUT.1.npy and so on. With --partial what is not here yet is 0, and the exit\n"
    "status is 2 where something was missing.\n";

const char fx_cli_watchjob_help[] =
    "watchjob JOB\n\n"
    "Shows how far a job is until all its tasks are settled or have come to nothing and, where "
    "they\n"
    "are settled, its result is here. Exit status 0: the result is here; 2: some tasks were "
    "refunded\n"
    "or rejected; 3: the job was cancelled; 1 and others: the node cannot be asked. Where the\n"
    "node stops meanwhile, it waits until the node is back (Ctrl-C ends it).\n";

struct file_sink {
    int fd;
    uint64_t at;
    int error; /* errno of a failed write */
};

static bool file_write(void *ctx, const void *data, size_t n)
{
    struct file_sink *sink = ctx;
    if (!fx_fd_write_all(sink->fd, sink->at, data, n)) {
        sink->error = errno;
        return false;
    }
    sink->at += n;
    return true;
}

static bool is_job(const char *text)
{
    if (strlen(text) == 64 && strspn(text, "0123456789abcdefABCDEF") == 64) {
        return true;
    }
    fprintf(stderr, "error: a job is named by 64 hex digits (see listjobs), not '%.80s'\n", text);
    return false;
}

static int file_failed(const char *what, const char *path, int cause)
{
    fprintf(stderr, "error: cannot %s %s: %s\n", what, path, strerror(cause));
    return EXIT_FAILURE;
}

/* What is fetched, and where to. */
struct output {
    const char *job, *path; /* the path: as it was given */
    long product, n_products;
    bool partial;
};

static int fetch(struct fx_rpc_client *client, const struct output *output, const char *part,
                 int fd)
{
    char target[160];
    struct file_sink file = {fd, 0, 0};
    const struct fx_http_sink sink = {file_write, &file};
    struct fx_http_reply reply;
    int status = EXIT_SUCCESS;
    snprintf(target, sizeof(target), "/job/%s/result.npy?product=%ld%s", output->job,
             output->product, output->partial ? "&partial=1" : "");
    fx_rpc_client_request(client, "GET", target, NULL, 0, &sink, 0, &reply);
    if (file.error) {
        status = file_failed("write", part, file.error);
    } else if (reply.status != FX_RPC_OK || reply.http != 200) {
        status = fx_cli_http_failed(&reply);
    } else if (!fx_fd_sync(fd)) {
        status = file_failed("write", part, errno);
    }
    fx_http_reply_clear(&reply);
    return status;
}

/* OUT.npy, or of several products OUT.0.npy and so on; the caller's to free. */
static char *name_of(const struct output *output)
{
    size_t n = strlen(output->path);
    char *name = NULL;
    int made;
    if (output->n_products == 1) {
        return fx_xstrdup(output->path);
    }
    if (n > 4 && strcmp(output->path + n - 4, ".npy") == 0) {
        n -= 4;
    }
    made = asprintf(&name, "%.*s.%ld.npy", (int)n, output->path, output->product);
    return made < 0 ? NULL : name;
}

static int write_file(struct fx_rpc_client *client, const struct output *output, const char *out)
{
    char *part = NULL;
    int status = EXIT_FAILURE;
    if (asprintf(&part, "%s.part", out) < 0) {
        return EXIT_FAILURE;
    }
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        status = file_failed("write", part, errno);
    } else {
        status = fetch(client, output, part, fd);
        if (close(fd) != 0 && status == EXIT_SUCCESS) {
            status = file_failed("write", part, errno);
        }
        if (status == EXIT_SUCCESS && rename(part, out) != 0) {
            status = file_failed("write", out, errno);
        }
        if (status != EXIT_SUCCESS) {
            (void)unlink(part);
        }
    }
    free(part);
    return status;
}

static long count(const json_t *job, const char *key)
{
    return (long)json_integer_value(json_object_get(json_object_get(job, "tasks"), key));
}

static void call_getjob(struct fx_rpc_client *client, const char *id, struct fx_rpc_reply *reply)
{
    json_t *params = json_pack("[s]", id);
    fx_rpc_client_call(client, "getjob", params, reply);
    json_decref(params);
}

/* Clears the reply. NULL: printed, and *status set. */
static json_t *take_job(struct fx_rpc_reply *reply, int *status)
{
    json_t *job = reply->status == FX_RPC_OK ? json_incref(reply->result) : NULL;
    if (!job) {
        *status = fx_cli_failed(reply);
    }
    fx_rpc_reply_clear(reply);
    return job;
}

/* NULL: printed, and *status set. */
static json_t *get_job(struct fx_rpc_client *client, const char *id, int *status)
{
    struct fx_rpc_reply reply;
    call_getjob(client, id, &reply);
    return take_job(&reply, status);
}

static int write_files(struct fx_rpc_client *client, struct output *output)
{
    int status = EXIT_SUCCESS;
    json_t *job = get_job(client, output->job, &status);
    if (!job) {
        return status;
    }
    output->n_products = (long)json_integer_value(json_object_get(job, "products"));
    for (; status == EXIT_SUCCESS && output->product < output->n_products; output->product++) {
        char *name = name_of(output);
        status = name ? write_file(client, output, name) : EXIT_FAILURE;
        free(name);
    }
    if (status == EXIT_SUCCESS && output->partial && count(job, "here") < count(job, "total")) {
        fprintf(stderr,
                "%ld of %ld tasks are here: the rest is 0 (getjobresult JOB 0 1 base64 0 true "
                "lists what is missing)\n",
                count(job, "here"), count(job, "total"));
        status = STATUS_PARTIAL;
    }
    json_decref(job);
    return status;
}

int fx_cli_getjobresult(struct fx_rpc_client *client, int argc, char **argv)
{
    struct output output = {.n_products = 1};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--partial") == 0) {
            output.partial = true;
        } else if (!output.job) {
            output.job = argv[i];
        } else if (!output.path && argv[i][0] != '-') {
            output.path = argv[i];
        } else {
            fprintf(stderr, "error: '%.80s' is too much\n\n%s", argv[i], fx_cli_getjobresult_help);
            return EXIT_FAILURE;
        }
    }
    if (!output.path) {
        fputs(fx_cli_getjobresult_help, stderr);
        return EXIT_FAILURE;
    }
    return is_job(output.job) ? write_files(client, &output) : EXIT_FAILURE;
}

/* ---- watchjob ----------------------------------------------------------------------------------
 */

static bool is_status(const json_t *job, const char *status)
{
    const char *text = json_string_value(json_object_get(job, "status"));
    return text && strcmp(text, status) == 0;
}

static void show(const json_t *job, char before[SHOWN_MAX])
{
    char line[SHOWN_MAX];
    long total = count(job, "total"), here = count(job, "here");
    const char *note = json_string_value(json_object_get(job, "note"));
    snprintf(
        line, sizeof(line),
        "%s: %ld tasks, %ld open, %ld claimed, %ld settled, %ld refunded, %ld rejected; result "
        "%ld%%%s%s%s",
        json_string_value(json_object_get(job, "status")), total,
        count(job, "open") + count(job, "waiting"),
        count(job, "claimed") + count(job, "challenged"), count(job, "settled"),
        count(job, "refunded"), count(job, "rejected"), total > 0 ? 100 * here / total : 0,
        json_is_true(json_object_get(job, "resulthere")) ? ", result here" : "",
        note ? "; waiting: " : "", note ? note : "");
    if (strcmp(line, before) != 0) {
        printf("%s\n", line);
        fflush(stdout);
        memcpy(before, line, sizeof(line));
    }
}

/* True: the job is over, and *status says how. */
static bool is_over(const json_t *job, int *status)
{
    bool here = json_is_true(json_object_get(job, "resulthere"));
    if (is_status(job, "cancelled")) {
        *status = STATUS_CANCELLED;
        return true;
    }
    if (is_status(job, "ended")) {
        *status = STATUS_PARTIAL;
        return true;
    }
    *status = EXIT_SUCCESS;
    return is_status(job, "done") && here;
}

/* As get_job, of a node that has answered before: one that stops or restarts is waited for. */
static json_t *get_job_again(struct fx_rpc_client *client, const char *id, int *status)
{
    struct fx_rpc_reply reply;
    bool waited = false;
    for (;;) {
        call_getjob(client, id, &reply);
        /* Broken: it stopped while it answered. */
        if (!fx_cli_is_away(&reply) && reply.status != FX_RPC_BROKEN) {
            break;
        }
        if (!waited) {
            fprintf(stderr, "%s\nWaiting until the node is back (Ctrl-C ends this).\n",
                    reply.message ? reply.message : "The node does not answer.");
            waited = true;
        }
        fx_rpc_reply_clear(&reply);
        fx_clock_sleep_ms(WATCH_MS);
    }
    if (waited) {
        fprintf(stderr, "The node is back.\n");
    }
    return take_job(&reply, status);
}

int fx_cli_watchjob(struct fx_rpc_client *client, int argc, char **argv)
{
    char before[SHOWN_MAX] = "";
    int status = EXIT_FAILURE;
    if (argc != 2) {
        fputs(fx_cli_watchjob_help, stderr);
        return EXIT_FAILURE;
    }
    if (!is_job(argv[1])) {
        return EXIT_FAILURE;
    }
    json_t *job = get_job(client, argv[1], &status);
    while (job) {
        show(job, before);
        bool over = is_over(job, &status);
        json_decref(job);
        if (over) {
            return status;
        }
        fx_clock_sleep_ms(WATCH_MS);
        job = get_job_again(client, argv[1], &status);
    }
    return status;
}
