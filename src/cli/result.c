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

const char fx_cli_getjobresult_help[] =
    "getjobresult JOB OUT.npy\n\n"
    "With a file name fornax-cli writes the whole result there: int32, the shape that the job "
    "asked\n"
    "for, without padding. It is written aside (OUT.npy.part) and renamed when it is complete.\n";

const char fx_cli_watchjob_help[] =
    "watchjob JOB\n\n"
    "Shows how far a job is until all its tasks are settled or refunded and, where they are\n"
    "settled, its result is here. Exit status 0: the result is here; 1: some tasks were "
    "refunded.\n";

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

static int fetch(struct fx_rpc_client *client, const char *job, const char *part, int fd)
{
    char target[128];
    struct file_sink file = {fd, 0, 0};
    const struct fx_http_sink sink = {file_write, &file};
    struct fx_http_reply reply;
    int status = EXIT_SUCCESS;
    snprintf(target, sizeof(target), "/job/%s/result.npy", job);
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

int fx_cli_getjobresult(struct fx_rpc_client *client, int argc, char **argv)
{
    char *part = NULL;
    if (argc != 3 || !is_job(argv[1])) {
        return EXIT_FAILURE;
    }
    const char *out = argv[2];
    if (asprintf(&part, "%s.part", out) < 0) {
        return EXIT_FAILURE;
    }
    int status = EXIT_FAILURE;
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        status = file_failed("write", part, errno);
    } else {
        status = fetch(client, argv[1], part, fd);
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

static void show(const json_t *job, char before[200])
{
    char line[200];
    snprintf(line, sizeof(line),
             "%s: %ld tasks, %ld open, %ld claimed, %ld settled, %ld refunded%s",
             json_string_value(json_object_get(job, "status")), count(job, "total"),
             count(job, "open"), count(job, "claimed") + count(job, "challenged"),
             count(job, "settled"), count(job, "refunded"),
             json_is_true(json_object_get(job, "resulthere")) ? ", result here" : "");
    if (strcmp(line, before) != 0) {
        printf("%s\n", line);
        fflush(stdout);
        memcpy(before, line, sizeof(line));
    }
}

int fx_cli_watchjob(struct fx_rpc_client *client, int argc, char **argv)
{
    char before[200] = "";
    if (argc != 2) {
        fputs(fx_cli_watchjob_help, stderr);
        return EXIT_FAILURE;
    }
    if (!is_job(argv[1])) {
        return EXIT_FAILURE;
    }
    for (;;) {
        struct fx_rpc_reply reply;
        json_t *params = json_pack("[s]", argv[1]);
        fx_rpc_client_call(client, "getjob", params, &reply);
        json_decref(params);
        if (reply.status != FX_RPC_OK) {
            int failed = fx_cli_failed(&reply);
            fx_rpc_reply_clear(&reply);
            return failed;
        }
        show(reply.result, before);
        bool here = json_is_true(json_object_get(reply.result, "resulthere"));
        long total = count(reply.result, "total");
        long settled = count(reply.result, "settled");
        long lost = count(reply.result, "refunded") + count(reply.result, "rejected");
        fx_rpc_reply_clear(&reply);
        if (settled == total && here) {
            return EXIT_SUCCESS;
        }
        if (settled + lost == total && lost > 0) {
            return EXIT_FAILURE;
        }
        fx_clock_sleep_ms(WATCH_MS);
    }
}
