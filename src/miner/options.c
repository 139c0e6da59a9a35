/* The table of fornax-miner's options, and what their values mean. */
#include "src/miner/options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/config.h"
#include "src/crypto/zero.h"
#include "src/sys/datadir.h"
#include "src/sys/file.h"
#include "src/util/amount.h"
#include "src/util/args.h"
#include "src/util/mem.h"

#define CONFIG_MAX (1024 * 1024)

#define OPT_BOOL(name, group, help, flags)                \
    {                                                     \
        name, FX_ARG_BOOL, NULL, group, help, 0, 0, flags \
    }
#define OPT_INT(name, hint, group, help, min, max, flags)    \
    {                                                        \
        name, FX_ARG_INT, hint, group, help, min, max, flags \
    }
#define OPT_STR(name, hint, group, help, flags)          \
    {                                                    \
        name, FX_ARG_STR, hint, group, help, 0, 0, flags \
    }

static const char general[] = "Options";
static const char mining[] = "Mining";
static const char node[] = "The node";
static const char monitor[] = "Status";
static const char chain[] = "Network choice";

static const struct fx_arg_option table[] = {
    OPT_BOOL("help", general, "Print this help and exit (also -?)", FX_ARG_COMMAND_LINE),
    OPT_BOOL("version", general, "Print the version and exit", FX_ARG_COMMAND_LINE),
    OPT_STR("conf", "<file>", general,
            "Configuration file, relative to the data directory (default: fornax.conf)",
            FX_ARG_COMMAND_LINE),
    OPT_STR("datadir", "<dir>", general, "Data directory of the node (default: ~/.fornax)",
            FX_ARG_COMMAND_LINE),
    OPT_STR("workdir", "<dir>", general,
            "Where operands and unfinished tasks are kept (default: miner in the network's data "
            "directory)",
            FX_ARG_COMMAND_LINE),
    OPT_BOOL("list-devices", general, "Print the devices of this machine and exit",
             FX_ARG_COMMAND_LINE),
    OPT_BOOL("benchmark", general,
             "Print how many bricks a second each device makes, by the same work on any machine, "
             "and exit",
             FX_ARG_COMMAND_LINE),
    OPT_INT("benchmark-seconds", "<n>", general, "Seconds of it for each device (default: 10)", 1,
            3600, FX_ARG_COMMAND_LINE),
    OPT_BOOL("selftest", general,
             "Compare what each device computes with the rules, print the outcome and exit",
             FX_ARG_COMMAND_LINE),

    OPT_INT("status", "<seconds>", monitor,
            "Seconds between two status tables; 0: none (default: 10)", 0, 86400,
            FX_ARG_COMMAND_LINE),
    OPT_INT("api-port", "<port>", monitor,
            "Serve the status as JSON over HTTP on this port, at /status; 0: not (default: 0)", 0,
            65535, FX_ARG_COMMAND_LINE),
    OPT_STR("api-bind", "<address>", monitor,
            "Numeric address to serve it on; anybody who reaches it may read it (default: "
            "127.0.0.1)",
            FX_ARG_COMMAND_LINE),

    OPT_STR("device", "<list>", mining,
            "Devices to mine with, with commas between them: cuda:0 is one, cuda all of a kind, "
            "all those of all kinds, auto the GPUs or, where there is none, the cpu (default: "
            "auto)",
            FX_ARG_COMMAND_LINE),
    OPT_INT("threads", "<n>", mining, "Threads of the cpu device; 0: one a core (default: 0)", 0,
            1024, FX_ARG_COMMAND_LINE),
    OPT_STR("lane", "<lane>", mining,
            "hash, job, or auto: the one that pays more a second; on regtest a task whenever "
            "there is one (default: auto)",
            FX_ARG_COMMAND_LINE),
    OPT_STR("burn", "<amount>", mining,
            "How much of a task's pay is burned for credit: auto, none, or FNX a task (default: "
            "auto)",
            FX_ARG_COMMAND_LINE),
    OPT_INT("blocks-per-task", "<n>", mining,
            "Blocks at most to mine inside one task; 0: all that are found (default: 0, regtest 1)",
            0, 1000000, FX_ARG_COMMAND_LINE),
    OPT_INT("limit", "<n>", mining,
            "Bricks a second at most, of each device; 0: as many as it computes (default: 0)", 0,
            INT64_C(1000000000), FX_ARG_COMMAND_LINE),
    OPT_INT("tasks", "<n>", mining, "Exit when this many tasks were paid; 0: never (default: 0)", 0,
            INT64_C(1000000000), FX_ARG_COMMAND_LINE),
    OPT_BOOL("corrupt", mining, "Claim wrong results (regtest only)",
             FX_ARG_COMMAND_LINE | FX_ARG_HIDDEN),

    OPT_STR("rpcconnect", "<host>", node, "Host of the node's RPC server (default: 127.0.0.1)", 0),
    OPT_INT("rpcport", "<port>", node, "Its port (default: 16332, test 16432, regtest 16532)", 1,
            65535, FX_ARG_NETWORK),
    OPT_STR("rpcuser", "<user>", node, "User for the RPC server, with -rpcpassword", 0),
    OPT_STR("rpcpassword", "<password>", node, "Its password (default: the cookie file)", 0),
    OPT_STR("rpccookiefile", "<file>", node,
            "Where the cookie is, relative to the network's data directory (default: .cookie)", 0),
    OPT_STR("rpcwallet", "<name>", node,
            "Wallet of the node that pays bonds and is paid (default: the only one)",
            FX_ARG_COMMAND_LINE),

    OPT_STR("chain", "<name>", chain, "main, test or regtest", 0),
    OPT_BOOL("test", chain, "As -chain=test", 0),
    OPT_BOOL("testnet", chain, "", FX_ARG_HIDDEN),
    OPT_BOOL("regtest", chain, "As -chain=regtest: a private network for developers", 0),
    OPT_STR("includeconf", "<file>", general, "", FX_ARG_HIDDEN),
    /* Known, so that a file which the node reads is refused for what it says. */
    OPT_BOOL("btcregtest", chain, "", FX_ARG_HIDDEN),
    {NULL, FX_ARG_BOOL, NULL, NULL, NULL, 0, 0, 0},
};

static bool takes_value(const char *word)
{
    for (const struct fx_arg_option *o = table; o->name; o++) {
        if (strcmp(o->name, word) == 0)
            return o->type != FX_ARG_BOOL;
    }
    return false;
}

/* `--lane job` becomes `--lane=job`, which the parser reads. *words and each of them are the
 * caller's to free. */
static int join_words(int argc, char *const *argv, char ***words)
{
    int n = 0;

    *words = fx_xcalloc((size_t)argc + 1, sizeof **words);
    for (int at = 0; at < argc; at++) {
        const char *word = argv[at];
        const char *name = word[0] != '-' ? "" : word[1] == '-' ? word + 2 : word + 1;

        if (at > 0 && takes_value(name) && at + 1 < argc) {
            const char *value = argv[++at];
            size_t size = strlen(word) + strlen(value) + 2;
            char *both = fx_xmalloc(size);

            snprintf(both, size, "%s=%s", word, value);
            (*words)[n++] = both;
        } else {
            (*words)[n++] = fx_xstrdup(word);
        }
    }
    return n;
}

bool fx_miner_burn_parse(const char *text, enum fx_burn_choice *burn, int64_t *amount)
{
    *amount = 0;
    if (strcmp(text, "auto") == 0) {
        *burn = FX_CHOOSE_BURN_AUTO;
        return true;
    }
    if (strcmp(text, "none") == 0) {
        *burn = FX_CHOOSE_BURN_NONE;
        return true;
    }
    *burn = FX_CHOOSE_BURN_AMOUNT;
    return fx_amount_parse(text, amount);
}

/* One word of the list, of n characters. */
static bool parse_device(const char *word, size_t n, struct fx_device_wish *wish)
{
    char text[64], *colon, *end;
    unsigned long number = 0;

    if (n >= sizeof text)
        return false;
    memcpy(text, word, n);
    text[n] = 0;
    *wish = (struct fx_device_wish){.wish = FX_WISH_ALL};
    if (strcmp(text, "all") == 0)
        return true;
    wish->wish = FX_WISH_AUTO;
    if (strcmp(text, "auto") == 0)
        return true;
    wish->wish = FX_WISH_KIND;
    colon = strchr(text, ':');
    if (colon) {
        errno = 0;
        number = strtoul(colon + 1, &end, 10);
        if (colon[1] < '0' || colon[1] > '9' || *end || errno || number > UINT32_MAX)
            return false;
        *colon = 0;
        wish->wish = FX_WISH_ONE;
        wish->index = (unsigned)number;
    }
    wish->backend = fx_backend_find(text);
    return wish->backend != NULL;
}

bool fx_miner_devices_parse(const char *text, struct fx_device_wish **wishes, size_t *n,
                            char error[FX_KERNEL_TEXT])
{
    struct fx_device_wish *list = fx_xcalloc(FX_WISHES_MAX, sizeof *list);
    bool ok = true;

    *n = 0;
    for (const char *at = text; ok; at++) {
        size_t length = strcspn(at, ",");

        ok = *n < FX_WISHES_MAX && parse_device(at, length, &list[*n]);
        if (!ok)
            snprintf(error, FX_KERNEL_TEXT,
                     "there is no device \"%.*s\": --list-devices prints those that there are",
                     length < 60 ? (int)length : 60, at);
        ++*n;
        at += length;
        if (!*at)
            break;
    }
    if (!ok) {
        free(list);
        list = NULL;
    }
    *wishes = list;
    return ok;
}

static bool parse_lane(const char *text, enum fx_lane_choice *lane)
{
    static const char *const names[] = {"auto", "hash", "job"};

    for (size_t at = 0; at < sizeof names / sizeof names[0]; at++) {
        if (strcmp(text, names[at]) == 0) {
            *lane = (enum fx_lane_choice)at;
            return true;
        }
    }
    return false;
}

static char *copy(const char *text)
{
    return text ? fx_xstrdup(text) : NULL;
}

static char *path_in(const char *dir, const char *name)
{
    return name[0] == '/' ? fx_xstrdup(name) : fx_path_join(dir, name);
}

/* One file; where it may be missing, and is, that is no error. */
static bool read_file(struct fx_args *args, const char *datadir, const char *name, bool optional,
                      char error[FX_ARGS_ERROR])
{
    char *path = path_in(datadir, name);
    uint8_t *text = NULL;
    size_t n;
    bool ok = true;

    if (fx_file_read(path, CONFIG_MAX, &text, &n)) {
        ok = fx_args_config(args, (const char *)text, true, error);
    } else if (errno != ENOENT || !optional) {
        snprintf(error, FX_ARGS_ERROR, "cannot read the configuration file %s: %s", path,
                 strerror(errno));
        ok = false;
    }
    free(text);
    free(path);
    return ok;
}

/* The file is optional unless -conf names it; the files that it includes come after it. */
static bool read_config(struct fx_args *args, const char *datadir, char error[FX_ARGS_ERROR])
{
    const char *name = fx_args_str(args, "conf", "fornax.conf");
    const char **names;
    bool ok = read_file(args, datadir, name, !fx_args_has(args, "conf"), error);
    size_t n = fx_args_list(args, "includeconf", &names);

    for (size_t at = 0; at < n && ok; at++)
        ok = read_file(args, datadir, names[at], false, error);
    free(names);
    return ok;
}

static bool read_node(struct fx_miner_options *options, const struct fx_args *args,
                      const char *netdir, char error[FX_ARGS_ERROR])
{
    options->host = fx_xstrdup(fx_args_str(args, "rpcconnect", "127.0.0.1"));
    options->port = (uint16_t)fx_args_int(args, "rpcport", options->params->rpc_port);
    options->user = copy(fx_args_str(args, "rpcuser", NULL));
    options->password = copy(fx_args_str(args, "rpcpassword", NULL));
    options->wallet = copy(fx_args_str(args, "rpcwallet", NULL));
    if (!options->user != !options->password) {
        snprintf(error, FX_ARGS_ERROR, "-rpcuser and -rpcpassword go together");
        return false;
    }
    if (!options->password)
        options->cookie_file = path_in(netdir, fx_args_str(args, "rpccookiefile", ".cookie"));
    return true;
}

static bool read_mining(struct fx_miner_options *options, const struct fx_args *args,
                        char error[FX_ARGS_ERROR])
{
    bool regtest = options->params->kind == FX_REGTEST;
    const char *lane = fx_args_str(args, "lane", "auto");
    const char *burn = fx_args_str(args, "burn", "auto");

    if (!parse_lane(lane, &options->lane)) {
        snprintf(error, FX_ARGS_ERROR, "-lane is auto, hash or job, not \"%.60s\"", lane);
        return false;
    }
    if (!fx_miner_burn_parse(burn, &options->burn, &options->burn_amount)) {
        snprintf(error, FX_ARGS_ERROR, "-burn is auto, none or an amount in FNX, not \"%.60s\"",
                 burn);
        return false;
    }
    if (!fx_miner_devices_parse(fx_args_str(args, "device", "auto"), &options->wishes,
                                &options->n_wishes, error))
        return false;
    options->corrupt = fx_args_bool(args, "corrupt", false);
    if (options->corrupt && !regtest) {
        snprintf(error, FX_ARGS_ERROR, "-corrupt is for regtest only");
        return false;
    }
    options->blocks_per_task = (unsigned)fx_args_int(args, "blocks-per-task", regtest ? 1 : 0);
    options->threads = (unsigned)fx_args_int(args, "threads", 0);
    options->limit = (uint64_t)fx_args_int(args, "limit", 0);
    options->tasks = (uint64_t)fx_args_int(args, "tasks", 0);
    return true;
}

static bool is_address(const char *text)
{
    struct in6_addr any;

    return inet_pton(AF_INET, text, &any) == 1 || inet_pton(AF_INET6, text, &any) == 1;
}

/* What is printed and served, and what is done instead of mining. */
static bool read_status(struct fx_miner_options *options, const struct fx_args *args,
                        char error[FX_ARGS_ERROR])
{
    static const struct {
        const char *name;
        enum fx_miner_action action;
    } actions[] = {{"list-devices", FX_ACTION_LIST_DEVICES},
                   {"benchmark", FX_ACTION_BENCHMARK},
                   {"selftest", FX_ACTION_SELFTEST}};
    const char *api_bind = fx_args_str(args, "api-bind", "127.0.0.1");

    for (size_t at = 0; at < sizeof actions / sizeof *actions; at++) {
        if (!fx_args_bool(args, actions[at].name, false))
            continue;
        if (options->action != FX_ACTION_MINE) {
            snprintf(error, FX_ARGS_ERROR, "-list-devices, -benchmark and -selftest are one each");
            return false;
        }
        options->action = actions[at].action;
    }
    if (fx_args_has(args, "api-bind") && fx_args_int(args, "api-port", 0) == 0) {
        snprintf(error, FX_ARGS_ERROR, "-api-bind needs -api-port");
        return false;
    }
    if (!is_address(api_bind)) {
        snprintf(error, FX_ARGS_ERROR, "-api-bind is a numeric address, not \"%.60s\"", api_bind);
        return false;
    }
    options->benchmark_seconds = (unsigned)fx_args_int(args, "benchmark-seconds", 10);
    options->status_seconds = (unsigned)fx_args_int(args, "status", 10);
    options->api_port = (uint16_t)fx_args_int(args, "api-port", 0);
    options->api_bind = fx_xstrdup(api_bind);
    return true;
}

static void print_help(const struct fx_args *args)
{
    struct fx_buf text = FX_BUF_INIT;

    fx_args_help(args, &text);
    printf("Fornax miner version " PACKAGE_VERSION "\n\n"
           "Usage: fornax-miner [options]\n\n%.*s",
           (int)text.len, (const char *)text.data);
    fx_buf_clear(&text);
}

static bool interpret(struct fx_miner_options *options, struct fx_args *args,
                      char error[FX_ARGS_ERROR])
{
    char *datadir = fx_args_has(args, "datadir") ? fx_xstrdup(fx_args_str(args, "datadir", ""))
                                                 : fx_datadir_default();
    char *netdir = NULL;
    const char *name;
    bool ok = false;

    if (fx_args_has(args, "datadir") && !fx_datadir_check(datadir, error, FX_ARGS_ERROR))
        goto out;
    if (!read_config(args, datadir, error))
        goto out;
    name = fx_args_chain(args, error);
    if (!name)
        goto out;
    options->params = fx_params_find(name);
    if (!options->params) {
        snprintf(error, FX_ARGS_ERROR, "unknown network \"%.100s\"", name);
        goto out;
    }
    if (!options->params->tasks) {
        snprintf(error, FX_ARGS_ERROR,
                 "%s has no tasks, and its blocks are mined by generatetoaddress", name);
        goto out;
    }
    fx_args_select(args, name);
    netdir = options->params->data_subdir[0] ? fx_path_join(datadir, options->params->data_subdir)
                                             : fx_xstrdup(datadir);
    options->workdir = fx_args_has(args, "workdir") ? fx_xstrdup(fx_args_str(args, "workdir", ""))
                                                    : fx_path_join(netdir, "miner");
    ok = read_node(options, args, netdir, error) && read_mining(options, args, error) &&
         read_status(options, args, error);
out:
    free(datadir);
    free(netdir);
    return ok;
}

enum fx_options_outcome fx_miner_options_read(struct fx_miner_options *options, int argc,
                                              char *const *argv)
{
    enum fx_options_outcome outcome = FX_OPTIONS_USAGE;
    char error[FX_ARGS_ERROR];
    struct fx_args *args = fx_args_create(table);
    char **words;
    int rest, n = join_words(argc, argv, &words);
    bool ok;

    memset(options, 0, sizeof *options);
    ok = fx_args_parse(args, n, words, &rest, error);
    if (ok && rest < n) {
        snprintf(error, sizeof error, "unknown word \"%.100s\": options start with a dash",
                 words[rest]);
        ok = false;
    }
    if (ok && fx_args_bool(args, "help", false)) {
        print_help(args);
        outcome = FX_OPTIONS_PRINTED;
    } else if (ok && fx_args_bool(args, "version", false)) {
        printf("Fornax miner version " PACKAGE_VERSION "\n");
        outcome = FX_OPTIONS_PRINTED;
    } else if (ok && interpret(options, args, error)) {
        outcome = FX_OPTIONS_RUN;
    } else {
        fprintf(stderr, "Error: %s\n", error);
    }
    if (outcome != FX_OPTIONS_RUN)
        fx_miner_options_clear(options);
    for (int at = 0; at < n; at++)
        free(words[at]);
    free(words);
    fx_args_destroy(args);
    return outcome;
}

void fx_miner_options_clear(struct fx_miner_options *options)
{
    free(options->host);
    free(options->user);
    if (options->password)
        fx_secure_zero(options->password, strlen(options->password));
    free(options->password);
    free(options->cookie_file);
    free(options->wallet);
    free(options->workdir);
    free(options->wishes);
    free(options->api_bind);
    memset(options, 0, sizeof *options);
}
