/* The options of fornax-cli, from the command line and from fornax.conf; the client they make. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/cli_int.h"
#include "src/config.h"
#include "src/crypto/zero.h"
#include "src/sys/datadir.h"
#include "src/sys/file.h"
#include "src/util/mem.h"

#define CONFIG_MAX (1024 * 1024)

static const char general[] = "Options";
static const char network[] = "Network choice";
static const char rpc[] = "Connection to the node";

static const struct fx_arg_option table[] = {
    {"help", FX_ARG_BOOL, NULL, general, "Print this help and exit (also -?)", 0, 0,
     FX_ARG_COMMAND_LINE},
    {"version", FX_ARG_BOOL, NULL, general, "Print the version and exit", 0, 0,
     FX_ARG_COMMAND_LINE},
    {"conf", FX_ARG_STR, "<file>", general,
     "Configuration file, relative to the data directory (default: fornax.conf)", 0, 0,
     FX_ARG_COMMAND_LINE},
    {"includeconf", FX_ARG_STR, "<file>", general, "", 0, 0, FX_ARG_HIDDEN},
    {"datadir", FX_ARG_STR, "<dir>", general, "Data directory (default: ~/.fornax)", 0, 0, 0},
    {"getinfo", FX_ARG_BOOL, NULL, general, "Print an overview of the node and its wallet", 0, 0,
     FX_ARG_COMMAND_LINE},
    {"netinfo", FX_ARG_BOOL, NULL, general,
     "Print an overview of the peers; with a word from 1 to 4 after it, each of them", 0, 0,
     FX_ARG_COMMAND_LINE},
    {"generate", FX_ARG_BOOL, NULL, general,
     "Mine blocks to a new address of the wallet, on regtest; words after it: how many (default: "
     "1), and how many tries",
     0, 0, FX_ARG_COMMAND_LINE},
    {"named", FX_ARG_BOOL, NULL, general,
     "Arguments are name=value; one without = is by position (default: 0)", 0, 0, 0},
    {"stdin", FX_ARG_BOOL, NULL, general,
     "Read more arguments from standard input, one a line, until its end", 0, 0,
     FX_ARG_COMMAND_LINE},
    {"chain", FX_ARG_STR, "<name>", network, "main, test, regtest or btcregtest", 0, 0, 0},
    {"test", FX_ARG_BOOL, NULL, network, "As -chain=test", 0, 0, 0},
    {"testnet", FX_ARG_BOOL, NULL, network, "", 0, 0, FX_ARG_HIDDEN},
    {"regtest", FX_ARG_BOOL, NULL, network, "As -chain=regtest", 0, 0, 0},
    {"btcregtest", FX_ARG_BOOL, NULL, network, "As -chain=btcregtest", 0, 0, 0},
    {"rpcconnect", FX_ARG_STR, "<host>", rpc,
     "Host that the node runs on, with or without :port (default: 127.0.0.1)", 0, 0, 0},
    {"rpcport", FX_ARG_INT, "<port>", rpc,
     "Port of its RPC server (default: 16332, test 16432, regtest 16532, btcregtest 18443)", 1,
     65535, FX_ARG_NETWORK},
    {"rpcuser", FX_ARG_STR, "<user>", rpc, "User, with -rpcpassword", 0, 0, 0},
    {"rpcpassword", FX_ARG_STR, "<password>", rpc,
     "Password (default: the cookie that the node writes)", 0, 0, 0},
    {"stdinrpcpass", FX_ARG_BOOL, NULL, rpc,
     "Read the password from standard input, its first line", 0, 0, FX_ARG_COMMAND_LINE},
    {"rpccookiefile", FX_ARG_STR, "<file>", rpc,
     "Where the cookie is, relative to the network's data directory (default: .cookie)", 0, 0, 0},
    {"rpcwallet", FX_ARG_STR, "<name>", rpc, "Wallet that commands are for", 0, 0, 0},
    {"rpcclienttimeout", FX_ARG_INT, "<seconds>", rpc,
     "Give up when no byte came for so long; 0: never (default: 900)", 0, 2000000, 0},
    {"rpcwait", FX_ARG_BOOL, NULL, rpc, "Wait for the node to start", 0, 0, 0},
    {"rpcwaittimeout", FX_ARG_INT, "<seconds>", rpc,
     "Wait no longer than this with -rpcwait; 0: for ever (default: 0)", 0, 2000000, 0},
    {NULL, FX_ARG_BOOL, NULL, NULL, NULL, 0, 0, 0},
};

static void wrong(const char *text)
{
    fprintf(stderr, "error: %s\n", text);
}

static void print_help(const struct fx_args *args)
{
    struct fx_buf text = FX_BUF_INIT;
    fx_args_help(args, &text);
    printf("Fornax RPC client version " PACKAGE_VERSION "\n\n"
           "Usage:\n"
           "  fornax-cli [options] <command> [arguments]  Send a command to the node\n"
           "  fornax-cli [options] -named <command> [name=value]...\n"
           "  fornax-cli [options] help                   List commands\n"
           "  fornax-cli [options] help <command>         Get help on a command (<command> --help, "
           "too)\n"
           "  fornax-cli [options] submitjob gemm A.npy B.npy   Have a matrix product computed\n\n"
           "%.*s",
           (int)text.len, (const char *)text.data);
    fx_buf_clear(&text);
}

/* One file; where it may be missing, and is, that is no error. */
static bool read_file(struct fx_cli_options *options, const char *datadir, const char *name,
                      bool optional, char error[FX_ARGS_ERROR])
{
    char *path = name[0] == '/' ? fx_xstrdup(name) : fx_path_join(datadir, name);
    uint8_t *text = NULL;
    size_t n;
    bool ok = true;
    if (fx_file_read(path, CONFIG_MAX, &text, &n)) {
        char inner[FX_ARGS_ERROR];
        ok = fx_args_config(options->args, (const char *)text, true, inner);
        if (!ok) {
            snprintf(error, FX_ARGS_ERROR, "Error reading configuration file: %.200s", inner);
        }
    } else if (errno != ENOENT || !optional) {
        snprintf(error, FX_ARGS_ERROR, "cannot read the configuration file %.150s: %s", path,
                 strerror(errno));
        ok = false;
    }
    free(text);
    free(path);
    return ok;
}

/* The file is optional unless -conf names it; the files that it includes come after it. */
static bool read_config(struct fx_cli_options *options, const char *datadir,
                        char error[FX_ARGS_ERROR])
{
    const char *name =
        fx_args_str(options->args, "conf", options->bitcoin_cli ? "bitcoin.conf" : "fornax.conf");
    const char **names;
    bool ok = read_file(options, datadir, name, !fx_args_has(options->args, "conf"), error);
    size_t n = fx_args_list(options->args, "includeconf", &names);
    for (size_t i = 0; i < n && ok; i++) {
        ok = read_file(options, datadir, names[i], false, error);
    }
    free(names);
    return ok;
}

/* "host", "host:port", "[address]:port". */
static bool split_host(struct fx_cli_options *options, const char *text, char *error)
{
    const char *start = text, *end = text + strlen(text);
    const char *colon = strrchr(text, ':');
    if (*text == '[' && strchr(text, ']')) {
        start = text + 1;
        end = strchr(text, ']');
        colon = end[1] == ':' ? end + 1 : NULL;
    } else if (colon && strchr(text, ':') == colon) {
        end = colon;
    } else {
        colon = NULL;
    }
    if (colon) {
        char *rest = NULL;
        unsigned long port = strtoul(colon + 1, &rest, 10);
        if (colon[1] < '0' || colon[1] > '9' || *rest || port < 1 || port > 65535) {
            snprintf(error, FX_ARGS_ERROR, "Invalid port provided in -rpcconnect: %.100s", text);
            return false;
        }
        options->port = (uint16_t)port;
    }
    size_t n = (size_t)(end - start);
    options->host = fx_xmalloc(n + 1);
    memcpy(options->host, start, n);
    options->host[n] = 0;
    return true;
}

static bool find_node(struct fx_cli_options *options, const char *datadir, char *error)
{
    /* As in consensus/params.c, which a client does not link. */
    static const struct {
        const char *chain, *folder;
        uint16_t port;
    } networks[] = {{"main", "", 16332},
                    {"test", "test", 16432},
                    {"regtest", "regtest", 16532},
                    {"btcregtest", "btcregtest", 18443}};
    const struct fx_args *args = options->args;
    /* Bitcoin's regtest keeps its files under the name that the node was started with. */
    const char *chain = options->bitcoin_cli ? "btcregtest" : options->chain;
    for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
        if (strcmp(networks[i].chain, chain) == 0) {
            const char *folder = options->bitcoin_cli ? options->chain : networks[i].folder;
            options->port = networks[i].port;
            options->netdir = folder[0] ? fx_path_join(datadir, folder) : fx_xstrdup(datadir);
        }
    }
    if (!split_host(options, fx_args_str(args, "rpcconnect", "127.0.0.1"), error)) {
        return false;
    }
    options->port = (uint16_t)fx_args_int(args, "rpcport", options->port);
    const char *cookie = fx_args_str(args, "rpccookiefile", ".cookie");
    options->cookie_file =
        cookie[0] == '/' ? fx_xstrdup(cookie) : fx_path_join(options->netdir, cookie);
    return true;
}

static bool read_all(struct fx_cli_options *options, char error[FX_ARGS_ERROR])
{
    const char *given = fx_args_str(options->args, "datadir", NULL);
    char *datadir = given ? fx_xstrdup(given) : fx_datadir_default();
    bool ok = false;
    if ((!given || fx_datadir_check(given, error, FX_ARGS_ERROR)) &&
        read_config(options, datadir, error)) {
        /* The file may name another data directory. */
        const char *named = fx_args_str(options->args, "datadir", datadir);
        char *final = fx_xstrdup(named);
        options->chain = fx_args_chain(options->args, error);
        if (options->chain && options->bitcoin_cli && strcmp(options->chain, "regtest") != 0) {
            snprintf(error, FX_ARGS_ERROR, "under the name bitcoin-cli, only -regtest is known");
        } else if (options->chain) {
            fx_args_select(options->args, options->chain);
            ok = find_node(options, final, error);
        }
        free(final);
    }
    free(datadir);
    return ok;
}

/* -stdinrpcpass: the first line of standard input. */
static bool read_password(struct fx_cli_options *options, char error[FX_ARGS_ERROR])
{
    size_t cap = 0;
    ssize_t n = getline(&options->password, &cap, stdin);
    if (n <= 0) {
        free(options->password); /* getline may have taken memory, and put nothing there */
        options->password = NULL;
        snprintf(error, FX_ARGS_ERROR,
                 "-stdinrpcpass specified but failed to read from standard "
                 "input");
        return false;
    }
    options->password[strcspn(options->password, "\r\n")] = 0;
    return true;
}

enum fx_cli_result fx_cli_options_read(struct fx_cli_options *options, int argc, char **argv)
{
    char error[FX_ARGS_ERROR];
    memset(options, 0, sizeof(*options));
    options->bitcoin_cli = fx_args_program_is(argv[0], "bitcoin-cli");
    options->args = fx_args_create(table);
    if (!fx_args_parse(options->args, argc, argv, &options->rest, error)) {
        fprintf(stderr, "Error parsing command line arguments: %s\n", error);
        fx_cli_options_clear(options);
        return FX_CLI_WRONG;
    }
    if (fx_args_bool(options->args, "help", false)) {
        print_help(options->args);
        fx_cli_options_clear(options);
        return FX_CLI_DONE;
    }
    if (fx_args_bool(options->args, "version", false)) {
        printf("Fornax RPC client version " PACKAGE_VERSION "\n");
        fx_cli_options_clear(options);
        return FX_CLI_DONE;
    }
    if (!read_all(options, error) ||
        (fx_args_bool(options->args, "stdinrpcpass", false) && !read_password(options, error))) {
        wrong(error);
        fx_cli_options_clear(options);
        return FX_CLI_WRONG;
    }
    return FX_CLI_RUN;
}

void fx_cli_options_clear(struct fx_cli_options *options)
{
    fx_args_destroy(options->args);
    free(options->netdir);
    free(options->cookie_file);
    free(options->host);
    if (options->password) {
        fx_secure_zero(options->password, strlen(options->password));
    }
    free(options->password);
    memset(options, 0, sizeof(*options));
}

struct fx_rpc_client *fx_cli_connect(const struct fx_cli_options *options)
{
    const struct fx_args *args = options->args;
    int64_t timeout = fx_args_int(args, "rpcclienttimeout", 900);
    const struct fx_rpc_client_config config = {
        .host = options->host,
        .port = options->port,
        .user = fx_args_str(args, "rpcuser", NULL),
        .password = options->password ? options->password : fx_args_str(args, "rpcpassword", NULL),
        .cookie_file = options->cookie_file,
        .wallet = fx_args_str(args, "rpcwallet", NULL),
        .timeout_ms = timeout == 0 ? (unsigned)INT32_MAX : (unsigned)timeout * 1000,
    };
    return fx_rpc_client_create(&config);
}
