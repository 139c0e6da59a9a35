/* fornax-cli: sends a command to a node, or runs one of the commands that work on files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/cli_int.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

/* -rpcwait: until the node answers, be it with an error. */
static bool wait_for_node(struct fx_rpc_client *client, int64_t seconds)
{
    int64_t end = fx_clock_monotonic_ms() + seconds * 1000;
    for (;;) {
        struct fx_rpc_reply reply;
        fx_rpc_client_call(client, "uptime", NULL, &reply);
        bool up = !fx_cli_is_away(&reply);
        bool late = seconds > 0 && fx_clock_monotonic_ms() > end;
        if (!up && late) {
            fx_cli_failed(&reply);
        }
        fx_rpc_reply_clear(&reply);
        if (up || late) {
            return up;
        }
        fx_clock_sleep_ms(200);
    }
}

/* The words of the command line and, with -stdin, the lines of standard input. */
struct words {
    char **list;
    size_t n;
    size_t own_from; /* those from here on are owned */
};

static void words_read(struct words *w, int argc, char **argv, bool from_stdin)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    w->n = w->own_from = (size_t)argc;
    w->list = fx_xcalloc((size_t)argc + 1, sizeof(*w->list));
    memcpy(w->list, argv, (size_t)argc * sizeof(*argv));
    while (from_stdin && (n = getline(&line, &cap, stdin)) >= 0) {
        if (n > 0 && line[n - 1] == '\n') {
            line[n - 1] = 0;
        }
        w->list = fx_xreallocarray(w->list, w->n + 2, sizeof(*w->list));
        w->list[w->n++] = fx_xstrdup(line);
        w->list[w->n] = NULL;
    }
    free(line);
}

static void words_clear(struct words *w)
{
    for (size_t i = w->own_from; i < w->n; i++) {
        free(w->list[i]);
    }
    free(w->list);
}

static bool all_digits(const char *s)
{
    return *s && strspn(s, "0123456789") == strlen(s);
}

static int run_command(const struct fx_cli_options *options, struct fx_rpc_client *client,
                       const struct words *w)
{
    const char *method = w->list[0];
    bool named = fx_args_bool(options->args, "named", false);
    if (!named && w->n == 2 && fx_cli_asks_help(w->list[1])) {
        return fx_cli_help(client, w->list[0]);
    }
    if (!named && strcmp(method, "submitjob") == 0 && w->n > 1 && w->list[1][0] != '{') {
        return fx_cli_submitjob(client, (int)w->n, w->list);
    }
    if (!named && strcmp(method, "getjobresult") == 0 && w->n >= 3 && !all_digits(w->list[2])) {
        return fx_cli_getjobresult(client, (int)w->n, w->list);
    }
    if (!named && strcmp(method, "watchjob") == 0) {
        return fx_cli_watchjob(client, (int)w->n, w->list);
    }
    if (!named && strcmp(method, "verifyreceipt") == 0 && (w->n != 2 || w->list[1][0] != '{')) {
        return fx_cli_verifyreceipt(client, (int)w->n, w->list);
    }
    return fx_cli_call(client, method, w->list + 1, w->n - 1, named);
}

/* Options that stand for a command. */
static const char *const overviews[] = {"getinfo", "netinfo", "generate"};

static bool check_words(const struct fx_args *args, const struct words *w)
{
    unsigned given = 0;
    for (size_t i = 0; i < sizeof(overviews) / sizeof(overviews[0]); i++) {
        given += fx_args_bool(args, overviews[i], false);
    }
    if (given > 1) {
        fprintf(stderr, "error: only one of -getinfo, -netinfo and -generate can be given\n");
    } else if (given == 0 && w->n == 0) {
        fprintf(stderr, "error: too few parameters (need at least command)\n");
    } else if (w->n > 0 && fx_args_bool(args, "getinfo", false)) {
        fprintf(stderr, "error: -getinfo takes no arguments\n");
    } else {
        return true;
    }
    return false;
}

static int run(const struct fx_cli_options *options, struct fx_rpc_client *client,
               const struct words *w)
{
    if (fx_args_bool(options->args, "getinfo", false)) {
        return fx_cli_getinfo(client);
    }
    if (fx_args_bool(options->args, "netinfo", false)) {
        return fx_cli_netinfo(client, w->list, w->n);
    }
    return fx_args_bool(options->args, "generate", false) ? fx_cli_generate(client, w->list, w->n)
                                                          : run_command(options, client, w);
}

int main(int argc, char **argv)
{
    struct fx_cli_options options;
    struct words words;
    int status = EXIT_FAILURE;
    switch (fx_cli_options_read(&options, argc, argv)) {
    case FX_CLI_DONE:
        return EXIT_SUCCESS;
    case FX_CLI_WRONG:
        return EXIT_FAILURE;
    case FX_CLI_RUN:
        break;
    }
    words_read(&words, argc - options.rest, argv + options.rest,
               fx_args_bool(options.args, "stdin", false));
    struct fx_rpc_client *client = fx_cli_connect(&options);
    if (!check_words(options.args, &words)) {
        status = EXIT_FAILURE;
    } else if (!fx_args_bool(options.args, "rpcwait", false) ||
               wait_for_node(client, fx_args_int(options.args, "rpcwaittimeout", 0))) {
        status = run(&options, client, &words);
    }
    fx_rpc_client_destroy(client);
    words_clear(&words);
    fx_cli_options_clear(&options);
    return status;
}
