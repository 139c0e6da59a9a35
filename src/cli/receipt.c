/* verifyreceipt FILE. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/cli_int.h"

const char fx_cli_verifyreceipt_help[] =
    "verifyreceipt FILE\n\n"
    "Has the node check a receipt that getreceipt made, on any node of its network. Exit status 0: "
    "it\n"
    "is right, and all its blocks are on the best chain; 1: it is not, or the node cannot be "
    "asked.\n";

static json_t *read_json(const char *path)
{
    json_error_t error;
    FILE *file = fopen(path, "re");
    if (!file) {
        fprintf(stderr, "error: %s: %s\n", path, strerror(errno));
        return NULL;
    }
    json_t *json = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
    (void)fclose(file);
    if (!json) {
        fprintf(stderr, "error: %s: line %d: %s\n", path, error.line, error.text);
    } else if (!json_is_object(json)) {
        fprintf(stderr, "error: %s: it is no receipt\n", path);
        json_decref(json);
        json = NULL;
    }
    return json;
}

int fx_cli_verifyreceipt(struct fx_rpc_client *client, int argc, char **argv)
{
    struct fx_rpc_reply reply;
    if (argc != 2) {
        fputs(fx_cli_verifyreceipt_help, stderr);
        return EXIT_FAILURE;
    }
    json_t *receipt = read_json(argv[1]);
    if (!receipt) {
        return EXIT_FAILURE;
    }
    json_t *params = json_pack("[o]", receipt);
    int status = EXIT_FAILURE;
    fx_rpc_client_call(client, "verifyreceipt", params, &reply);
    json_decref(params);
    if (reply.status != FX_RPC_OK) {
        status = fx_cli_failed(&reply);
    } else {
        fx_cli_print(reply.result);
        if (json_is_true(json_object_get(reply.result, "valid")) &&
            json_is_true(json_object_get(reply.result, "inchain"))) {
            status = EXIT_SUCCESS;
        }
    }
    fx_rpc_reply_clear(&reply);
    return status;
}
