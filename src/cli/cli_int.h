/* What the files of fornax-cli share. */
#ifndef FX_CLI_CLI_INT_H
#define FX_CLI_CLI_INT_H

#include <stdbool.h>

#include <jansson.h>

#include "src/rpcclient/rpcclient.h"
#include "src/util/args.h"

/* options.c */
struct fx_cli_options {
    struct fx_args *args;
    bool bitcoin_cli; /* started under that name: for a node under the name bitcoind */
    const char *chain;
    char *netdir;      /* the network's data directory; owned */
    char *cookie_file; /* owned */
    char *host;        /* owned */
    char *password;    /* of -stdinrpcpass; owned; NULL: none */
    uint16_t port;
    int rest; /* index in argv of the command; argc where there is none */
};

enum fx_cli_result { FX_CLI_RUN = 0, FX_CLI_DONE, FX_CLI_WRONG };

/* FX_CLI_DONE: help or version was printed. FX_CLI_WRONG: the error is on stderr. On both the
 * options are cleared. */
enum fx_cli_result fx_cli_options_read(struct fx_cli_options *options, int argc, char **argv);
void fx_cli_options_clear(struct fx_cli_options *options);
struct fx_rpc_client *fx_cli_connect(const struct fx_cli_options *options);

/* convert.c: the words of a command line as JSON, by the argument types that the node describes
 * (schema: the answer of getrpcschema, or NULL: every word is a string). NULL: error is one
 * sentence, the caller's to free. */
json_t *fx_cli_convert(const json_t *schema, char *const *words, size_t n, bool named,
                       char **error);

/* call.c. Each returns the exit status. */
int fx_cli_call(struct fx_rpc_client *client, const char *method, char *const *words, size_t n,
                bool named);
/* COMMAND --help, or another way to ask. What fornax-cli carries out itself it describes without
 * the node. */
bool fx_cli_asks_help(const char *word);
int fx_cli_help(struct fx_rpc_client *client, char *command);
/* Prints why a call failed, as bitcoin-cli does, and returns the exit status for it. */
int fx_cli_failed(const struct fx_rpc_reply *reply);
/* Is the node not running, or starting? Asking again later can succeed then. */
bool fx_cli_is_away(const struct fx_rpc_reply *reply);
int fx_cli_http_failed(const struct fx_http_reply *reply);
void fx_cli_print(const json_t *value);

/* overview.c: several calls as one; words: of the command line, after the option. */
int fx_cli_getinfo(struct fx_rpc_client *client);
int fx_cli_netinfo(struct fx_rpc_client *client, char *const *words, size_t n);
int fx_cli_generate(struct fx_rpc_client *client, char *const *words, size_t n);

/* Commands that run here. The words after the command's name. */
int fx_cli_submitjob(struct fx_rpc_client *client, int argc, char **argv);     /* submitjob.c */
int fx_cli_getjobresult(struct fx_rpc_client *client, int argc, char **argv);  /* result.c */
int fx_cli_watchjob(struct fx_rpc_client *client, int argc, char **argv);      /* result.c */
int fx_cli_verifyreceipt(struct fx_rpc_client *client, int argc, char **argv); /* receipt.c */
extern const char fx_cli_submitjob_help[], fx_cli_getjobresult_help[], fx_cli_watchjob_help[];
extern const char fx_cli_verifyreceipt_help[];

#endif
