/* Commands that the node runs: calling, printing, exit status. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/cli_int.h"
#include "src/rpcclient/print.h"

/* As bitcoin-cli: the code without its sign; a status of 0 would say that all is well. */
static int status_of_code(int code)
{
    int status = abs(code) & 0xff;
    return status ? status : 1;
}

int fx_cli_failed(const struct fx_rpc_reply *reply)
{
    const char *message = reply->message ? reply->message : "";
    if (reply->status == FX_RPC_ERROR || (reply->status == FX_RPC_WARMUP && reply->code != 0)) {
        fprintf(stderr, "error code: %d\nerror message:\n%s\n", reply->code, message);
        if (reply->code == -19) {
            fprintf(stderr,
                    "Try adding \"-rpcwallet=<name>\" option to fornax-cli command line.\n");
        }
        return status_of_code(reply->code);
    }
    fprintf(stderr, "error: %s\n", message);
    return EXIT_FAILURE;
}

bool fx_cli_is_away(const struct fx_rpc_reply *reply)
{
    /* Without a cookie yet it is starting; one that the node refuses will not get better. */
    return reply->status == FX_RPC_CONNECT || reply->status == FX_RPC_WARMUP ||
           (reply->status == FX_RPC_AUTH && reply->http != 401);
}

int fx_cli_http_failed(const struct fx_http_reply *reply)
{
    json_error_t where;
    if (reply->status != FX_RPC_OK) {
        fprintf(stderr, "error: %s\n", reply->message ? reply->message : "");
        return EXIT_FAILURE;
    }
    json_t *json = json_loadb((const char *)reply->body.data, reply->body.len, 0, &where);
    const char *text = json_string_value(json_object_get(json, "error"));
    if (text) {
        fprintf(stderr, "error: %s\n", text);
    } else {
        fprintf(stderr, "error: Server returned HTTP error %d\n", reply->http);
    }
    json_decref(json);
    return EXIT_FAILURE;
}

void fx_cli_print(const json_t *value)
{
    struct fx_buf text = FX_BUF_INIT;
    if (json_is_null(value)) {
        return;
    }
    if (json_is_string(value)) {
        puts(json_string_value(value));
        return;
    }
    fx_json_print(value, &text);
    printf("%.*s\n", (int)text.len, (const char *)text.data);
    fx_buf_clear(&text);
}

/* What the node says of a command's arguments; NULL where it does not know it. False: no answer. */
static bool describe(struct fx_rpc_client *client, const char *method, json_t **schema, int *status)
{
    struct fx_rpc_reply reply;
    json_t *params = json_pack("[s]", method);
    bool ok = true;
    *schema = NULL;
    fx_rpc_client_call(client, "getrpcschema", params, &reply);
    json_decref(params);
    if (reply.status == FX_RPC_OK) {
        *schema = json_incref(reply.result);
    } else if (reply.status != FX_RPC_ERROR) {
        *status = fx_cli_failed(&reply);
        ok = false;
    }
    fx_rpc_reply_clear(&reply);
    return ok;
}

/* Of a command that fornax-cli carries out; NULL where it is the node's alone. */
static const char *local_help(const char *command)
{
    static const struct {
        const char *command, *text;
    } local[] = {{"submitjob", fx_cli_submitjob_help},
                 {"getjobresult", fx_cli_getjobresult_help},
                 {"watchjob", fx_cli_watchjob_help},
                 {"verifyreceipt", fx_cli_verifyreceipt_help}};
    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
        if (strcmp(local[i].command, command) == 0) {
            return local[i].text;
        }
    }
    return NULL;
}

/* What the node's own help does not say. */
static void add_local_help(const char *command)
{
    const char *text = command ? local_help(command) : NULL;
    if (!command) {
        printf("\n== fornax-cli ==\n"
               "submitjob gemm A.npy B.npy [--option=value]...\n"
               "submitjob gemm --batch=LIST [--option=value]...\n"
               "getjobresult JOB OUT.npy [--partial]\n"
               "watchjob JOB\n"
               "verifyreceipt FILE\n");
    } else if (text) {
        printf("\n%s", text);
    }
}

bool fx_cli_asks_help(const char *word)
{
    static const char *const words[] = {"--help", "-help", "-h", "-?"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i], word) == 0) {
            return true;
        }
    }
    return false;
}

int fx_cli_help(struct fx_rpc_client *client, char *command)
{
    const char *text = local_help(command);
    if (!text) {
        return fx_cli_call(client, "help", &command, 1, false);
    }
    fputs(text, stdout);
    return EXIT_SUCCESS;
}

int fx_cli_call(struct fx_rpc_client *client, const char *method, char *const *words, size_t n,
                bool named)
{
    struct fx_rpc_reply reply;
    json_t *schema = NULL, *params = NULL;
    char *error = NULL;
    int status = EXIT_SUCCESS;
    bool help = strcmp(method, "help") == 0 && !named;
    if (help && n == 1 && strcmp(words[0], "watchjob") == 0) {
        return fx_cli_help(client, words[0]);
    }
    if (n > 0 && !describe(client, method, &schema, &status)) {
        return status;
    }
    params = fx_cli_convert(schema, words, n, named, &error);
    json_decref(schema);
    if (!params) {
        fprintf(stderr, "error: %s\n", error ? error : "out of memory");
        free(error);
        return EXIT_FAILURE;
    }
    fx_rpc_client_call(client, method, params, &reply);
    json_decref(params);
    if (reply.status == FX_RPC_OK) {
        fx_cli_print(reply.result);
        if (help && n < 2) {
            add_local_help(n ? words[0] : NULL);
        }
    } else {
        status = fx_cli_failed(&reply);
    }
    fx_rpc_reply_clear(&reply);
    return status;
}
