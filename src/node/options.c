/* The table of fornaxd's options, and where they come from. */
#include "src/node/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/config.h"
#include "src/jobs/jobs.h"
#include "src/node/bitcoind.h"
#include "src/sys/datadir.h"
#include "src/sys/file.h"
#include "src/template/template.h"
#include "src/util/amount.h"
#include "src/util/mem.h"

#define CONFIG_MAX (1024 * 1024)
#define PRUNE_MIN 550  /* MiB, of automatic pruning */
#define PRUNE_SHIFT 20 /* bytes in a MiB */

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
static const char network[] = "Connections";
static const char rpc[] = "RPC server";
static const char relay[] = "Transactions";
static const char wallet[] = "Wallet";
static const char jobs[] = "Jobs";
static const char chain[] = "Network choice";
static const char debugging[] = "Debugging and tests";
static const char clients[] = "Other programs";

static const struct fx_arg_option table[] = {
    OPT_BOOL("help", general, "Print this help and exit (also -?)", FX_ARG_COMMAND_LINE),
    OPT_BOOL("version", general, "Print the version and exit", FX_ARG_COMMAND_LINE),
    OPT_STR("conf", "<file>", general,
            "Configuration file, relative to the data directory (default: fornax.conf)",
            FX_ARG_COMMAND_LINE),
    OPT_STR("includeconf", "<file>", general,
            "Read this file of options too, relative to the data directory; in the configuration "
            "file, before its sections, and not on the command line; may be repeated",
            0),
    OPT_BOOL("daemon", general,
             "Run in the background: returns when the node is up, or with the error that keeps it "
             "from that (-daemonwait is the same)",
             0),
    OPT_BOOL("daemonwait", general, "", FX_ARG_HIDDEN),
    OPT_STR("datadir", "<dir>", general, "Data directory (default: ~/.fornax)", 0),
    OPT_STR("assumevalid", "<block>", general,
            "Scripts of this block and those before it are valid, if it is in the best chain of "
            "headers, two weeks deep, and that chain has the work of -minimumchainwork; 0: all "
            "scripts are verified (default: 0)",
            FX_ARG_NETWORK),
    OPT_INT("dbcache", "<MiB>", general, "Memory for the state's cache (default: 450)", 4, 65536,
            0),
    OPT_STR("loadblock", "<file>", general,
            "Import blocks from this file (magic, size, block: as in blkNNNNN.dat) at the start; "
            "may be repeated",
            0),
    OPT_INT("par", "<n>", general,
            "Threads that check scripts and results, the main thread being one; 0: one a core, "
            "below 0: as many cores are left free (default: 0)",
            -256, 256, 0),
    OPT_STR("pid", "<file>", general,
            "Where the process id is written, relative to the network's data directory (default: "
            "fornaxd.pid)",
            0),
    OPT_INT("prune", "<n>", general,
            "Remove old blocks: 1: when pruneblockchain asks for it; 550 or more: so that block "
            "files stay below so many MiB. Not with -txindex; 0: all blocks are kept (default: 0)",
            INT64_MIN, INT64_MAX, 0),
    OPT_BOOL("reindex", general,
             "Make block index and chain state anew from the block files, also where the index is "
             "lost",
             0),
    OPT_BOOL("reindex-chainstate", general, "Make the chain state anew from the block index", 0),
    OPT_BOOL("stopafterblockimport", general,
             "Stop when -loadblock, -reindex and -reindex-chainstate are done", 0),

    OPT_BOOL("txindex", general,
             "Keep an index of all transactions, which getrawtransaction finds them by (default: "
             "1; on btcregtest, and with -prune: 0)",
             0),

    OPT_BOOL("listen", network, "Accept connections (default: 1, but 0 with -connect and no -bind)",
             0),
    OPT_STR("bind", "<address>", network,
            "Numeric address, with or without port, to listen on; may be repeated (default: all)",
            FX_ARG_NETWORK),
    OPT_INT("port", "<port>", network,
            "Port to listen on (default: 16333, test 16433, regtest "
            "16533, btcregtest 18444)",
            1, 65535, FX_ARG_NETWORK),
    OPT_STR("addnode", "<host>", network,
            "Keep a connection to this node, an address or a name, with or without port; may be "
            "repeated",
            FX_ARG_NETWORK),
    OPT_STR("connect", "<host>", network,
            "Connect to this node, likewise, and no other; may be repeated. -noconnect: to none",
            FX_ARG_NETWORK),
    OPT_BOOL("blocksonly", network,
             "Take no transactions from peers, but those that may (-whitelist=relay) (default: 0)",
             0),
    OPT_INT("maxconnections", "<n>", network, "Connections in all (default: 125)", 1, 2000, 0),
    OPT_BOOL("peerbloomfilters", network, "Only 0: bloom filters are not offered", FX_ARG_HIDDEN),
    OPT_INT("peertimeout", "<seconds>", network,
            "Time that a peer has for its handshake (default: 60)", INT64_MIN, INT64_C(1000000000),
            0),
    OPT_INT("bantime", "<seconds>", network,
            "How long setban bans where it is told no time (default: 86400)", 1,
            INT64_C(1000000000), 0),
    OPT_STR("uacomment", "<text>", network, "Comment in the user agent; may be repeated", 0),
    OPT_STR("whitebind", "<permissions>@<address>:<port>", network,
            "As -bind, and peers that connect there have permissions, as with -whitelist",
            FX_ARG_NETWORK),
    OPT_STR("whitelist", "<permissions>@<ip>", network,
            "Peers of this address or subnet may do what is named, with commas between: noban (not "
            "disconnected for what they send), relay (their transactions are always taken), "
            "forcerelay (and always told to others), mempool (ask for the whole mempool), "
            "download, addr, all; in and out say which connections (default: in). Without names: "
            "noban, mempool, relay. May be repeated",
            0),
    OPT_BOOL("whitelistforcerelay", network,
             "Give forcerelay where -whitelist names nothing (default: 0)", 0),
    OPT_BOOL("whitelistrelay", network, "Give relay where -whitelist names nothing (default: 1)",
             0),

    OPT_INT("rpcport", "<port>", rpc,
            "Port of the RPC server (default: 16332, test 16432, "
            "regtest 16532, btcregtest 18443)",
            1, 65535, FX_ARG_NETWORK),
    OPT_STR("rpcbind", "<address>", rpc,
            "Numeric address, with or without port, that the RPC server listens on; may be "
            "repeated (default: loopback)",
            FX_ARG_NETWORK),
    OPT_STR("rpcallowip", "<ip>", rpc,
            "Address or subnet whose clients may use the RPC server; may be repeated (default: "
            "loopback)",
            0),
    OPT_BOOL("server", rpc, "", FX_ARG_HIDDEN), /* most files of Bitcoin Core have server=1 */
    OPT_STR("rpcuser", "<user>", rpc, "User for the RPC server, with -rpcpassword", 0),
    OPT_STR("rpcpassword", "<password>", rpc, "Its password (default: a cookie file)", 0),
    OPT_STR("rpcauth", "<user>:<salt>$<hash>", rpc,
            "User whose password is kept as HMAC-SHA-256 of the salt; may be repeated", 0),
    OPT_INT("rpcservertimeout", "<seconds>", rpc,
            "Close a connection on which nothing came for so long (default: 30)", 1, 1000000, 0),
    OPT_STR("rpccookiefile", "<file>", rpc,
            "Where the cookie is, relative to the network's data directory (default: .cookie)", 0),

    OPT_BOOL("acceptnonstdtxn", relay,
             "Relay and mine transactions that are not standard (not on main)", 0),
    OPT_STR("blockmintxfee", "<amount>", relay,
            "Lowest fee rate, per 1,000 vbytes, of what block templates take (default: 0.00001)",
            0),
    OPT_INT("bytespersigop", "<n>", relay,
            "Bytes of weight 1 that a unit of signature operation cost counts as, where that is "
            "more than the transaction's weight (default: 20)",
            1, 1000000, 0),
    OPT_BOOL("datacarrier", relay, "Relay and mine OP_RETURN outputs (default: 1)", 0),
    OPT_INT("datacarriersize", "<bytes>", relay,
            "Longest script of an OP_RETURN output that is standard (default: 83)", 0, 4000000, 0),
    OPT_STR("dustrelayfee", "<amount>", relay,
            "Fee rate, per 1,000 vbytes, at which spending an output must cost less than its value "
            "(default: 0.00003)",
            0),
    OPT_STR("incrementalrelayfee", "<amount>", relay,
            "Fee rate, per 1,000 vbytes, by which a replacement pays more, and that a full mempool "
            "asks for on top (default: 0.00001)",
            0),
    OPT_INT("limitancestorcount", "<n>", relay,
            "Most unconfirmed transactions of one and its ancestors (default: 25)", 1, 100000, 0),
    OPT_INT("limitancestorsize", "<kvB>", relay,
            "Most that these have in 1,000 vbytes (default: 101)", 1, 1000000, 0),
    OPT_INT("limitdescendantcount", "<n>", relay,
            "Most unconfirmed transactions of one and its descendants (default: 25)", 1, 100000, 0),
    OPT_INT("limitdescendantsize", "<kvB>", relay,
            "Most that these have in 1,000 vbytes (default: 101)", 1, 1000000, 0),
    OPT_INT("maxmempool", "<MB>", relay, "Memory for unconfirmed transactions (default: 300)", 5,
            100000, 0),
    OPT_INT("mempoolexpiry", "<hours>", relay,
            "Unconfirmed transactions leave the mempool after this time (default: 336)", 1, 1000000,
            0),
    OPT_BOOL("mempoolfullrbf", relay,
             "Replace unconfirmed transactions that do not signal it (BIP125) as well (default: 1)",
             0),
    OPT_STR("minrelaytxfee", "<amount>", relay,
            "Lowest fee rate, per 1,000 vbytes, that is relayed (default: 0.00001)", 0),
    OPT_BOOL("permitbaremultisig", relay, "Relay outputs to bare multisig (default: 1)", 0),
    OPT_BOOL("persistmempool", relay, "Keep unconfirmed transactions over a restart (default: 1)",
             0),

    OPT_BOOL("disablewallet", wallet, "Load no wallet; wallet commands are refused", 0),
    OPT_STR("wallet", "<name>", wallet,
            "Load this wallet at the start; may be repeated (default: all but those unloaded)",
            FX_ARG_NETWORK),

    OPT_INT("freivaldsrounds", "<n>", jobs,
            "Rounds of the check of a result: each lets a wrong one pass with probability below "
            "2^-61 (default: 2)",
            1, 8, 0),

    OPT_INT("maxblobs", "<MiB>", jobs,
            "Disk space for operands and results. What an unfinished task of a loaded wallet needs "
            "is never removed for other data; 0: no limit but the disk (default: 32768)",
            0, INT64_C(1) << 40, 0),
    OPT_INT("maxdataserve", "<KiB/s>", jobs,
            "Operands and results served to all peers together; 0: no limit (default: 0)", 0,
            INT64_C(1) << 32, 0),
    OPT_INT("maxdatafetch", "<KiB/s>", jobs,
            "Operands and results fetched from all peers together; 0: no limit (default: 0)", 0,
            INT64_C(1) << 32, 0),
    OPT_BOOL("passdata", jobs,
             "Fetch data of open tasks from peers that others cannot connect to, and serve it to "
             "them (default: 1)",
             0),

    OPT_STR("challengeabove", "<FNX>", jobs,
            "Ask on the chain for results that do not come, where the escrow of a task of a loaded "
            "wallet is more than this. Each challenge that is answered costs a deposit of 0.02 "
            "(default: 0.02)",
            0),
    OPT_INT("reoffer", "<n>", jobs,
            "How often a task of a loaded wallet is offered again by itself, each time with an "
            "escrow of the same size, where a claim was rejected or a restored task was refunded; "
            "0: never (default: 2)",
            0, 100, 0),

    OPT_BOOL("watch", jobs,
             "Check the claims of others too and prove wrong ones wrong: half of the solver's bond "
             "goes to a loaded wallet. Fetches their operands and results (default: 0)",
             0),

    OPT_STR("chain", "<name>", chain, "main, test, regtest or btcregtest", 0),
    OPT_BOOL("test", chain, "As -chain=test", 0),
    OPT_BOOL("testnet", chain, "", FX_ARG_HIDDEN),
    OPT_BOOL("regtest", chain, "As -chain=regtest: a private network for developers", 0),
    OPT_BOOL("btcregtest", chain,
             "As -chain=btcregtest: Bitcoin's regtest, without lanes, tasks and jobs", 0),

    OPT_STR("debug", "<category>", debugging,
            "Log this category: net, mempool, rpc, chain, jobs, wallet, mining, blobs, http, or "
            "all, which -debug by itself is too; may be repeated",
            FX_ARG_BARE),
    OPT_STR("debugexclude", "<category>", debugging,
            "Do not log this category after all; may be repeated", 0),
    OPT_BOOL("fastprune", debugging,
             "Smaller block files, and shorter chains are pruned (not on main)", 0),
    OPT_INT("maxtipage", "<seconds>", debugging,
            "While the tip is older than this the node is in initial download (default: 86400)", 1,
            INT64_MAX, 0),
    OPT_STR("minimumchainwork", "<hex>", debugging,
            "While the chain has less work than this the node is in initial download (default: 0)",
            0),
    OPT_INT("stopatheight", "<height>", debugging, "Stop when the chain gets to this height", 1,
            INT64_C(1) << 32, 0),
    OPT_STR("testactivationheight", "<name>@<height>", debugging,
            "Bitcoin's soft fork of this name (bip34, dersig, cltv, csv, segwit) binds from this "
            "height on; may be repeated (btcregtest only)",
            0),
    OPT_INT("blockversion", "<n>", debugging,
            "Version of the blocks of templates (btcregtest only; default: what BIP9 says)",
            INT32_MIN, INT32_MAX, 0),
    OPT_BOOL("printtoconsole", debugging,
             "Write the log to the console as well (default: 1, but 0 with -daemon)", 0),
    OPT_INT("mocktime", "<seconds>", debugging, "The clock stands at this unix time (regtest only)",
            0, INT64_C(4294967295), FX_ARG_NETWORK),
    OPT_BOOL("rpcdoccheck", debugging, "Check every reply against its description", FX_ARG_HIDDEN),

    /* Of fornax-cli and fornax-miner, which read the same file. */
    OPT_STR("rpcconnect", "<host>", clients, "", FX_ARG_HIDDEN),
    OPT_STR("rpcwallet", "<name>", clients, "", FX_ARG_HIDDEN),
    OPT_STR("rpcclienttimeout", "<seconds>", clients, "", FX_ARG_HIDDEN),
    OPT_BOOL("rpcwait", clients, "", FX_ARG_HIDDEN),
    OPT_STR("rpcwaittimeout", "<seconds>", clients, "", FX_ARG_HIDDEN),
    OPT_BOOL("named", clients, "", FX_ARG_HIDDEN),
    {NULL, FX_ARG_BOOL, NULL, NULL, NULL, 0, 0, 0},
};

static void wrong(const char *text)
{
    fprintf(stderr, "Error: %s\n", text);
}

static void print_help(const struct fx_args *args)
{
    struct fx_buf text = FX_BUF_INIT;

    fx_args_help(args, &text);
    printf("Fornax daemon version " PACKAGE_VERSION "\n\n"
           "Usage: fornaxd [options]\n\n%.*s",
           (int)text.len, (const char *)text.data);
    fx_buf_clear(&text);
}

/* One file; where it may be missing, and is, that is no error. */
static bool read_file(struct fx_options *options, const char *name, bool optional,
                      char error[FX_ARGS_ERROR])
{
    char *path = name[0] == '/' ? fx_xstrdup(name) : fx_path_join(options->datadir, name);
    uint8_t *text = NULL;
    size_t n;
    bool ok = true;

    if (!fx_file_read(path, CONFIG_MAX, &text, &n)) {
        if (errno != ENOENT || !optional) {
            snprintf(error, FX_ARGS_ERROR, "cannot read the configuration file %s: %s", path,
                     strerror(errno));
            ok = false;
        }
    } else {
        char why[FX_ARGS_ERROR];

        ok = fx_args_config(options->args, (const char *)text, false, why);
        if (!ok)
            snprintf(error, FX_ARGS_ERROR, "%.120s: %.*s", path, FX_ARGS_ERROR - 130, why);
    }
    free(text);
    free(path);
    return ok;
}

/* Files that the first one names; what it says itself comes before. */
static bool read_included(struct fx_options *options, char error[FX_ARGS_ERROR])
{
    const char **names, **all;
    size_t n = fx_args_list(options->args, "includeconf", &names);
    bool ok = true;

    for (size_t i = 0; i < n && ok; i++)
        ok = read_file(options, names[i], false, error);
    if (fx_args_list(options->args, "includeconf", &all) > n && ok) {
        snprintf(error, FX_ARGS_ERROR, "includeconf=%.100s: an included file includes no others",
                 all[n]);
        ok = false;
    }
    free(names);
    free(all);
    return ok;
}

/* The file is optional unless -conf names it. */
static bool read_config(struct fx_options *options, char error[FX_ARGS_ERROR])
{
    const char *name =
        fx_args_str(options->args, "conf", options->bitcoind ? "bitcoin.conf" : "fornax.conf");

    if (fx_args_has(options->args, "includeconf")) {
        snprintf(error, FX_ARGS_ERROR,
                 "-includeconf cannot be used from commandline; -includeconf=%.100s",
                 fx_args_str(options->args, "includeconf", ""));
        return false;
    }
    return read_file(options, name, !fx_args_has(options->args, "conf"), error) &&
           read_included(options, error);
}

static bool choose_datadir(struct fx_options *options, char error[FX_ARGS_ERROR])
{
    const char *given = fx_args_str(options->args, "datadir", NULL);

    free(options->datadir);
    options->datadir = given ? fx_xstrdup(given) : fx_datadir_default();
    /* A default would lay our files over those of Bitcoin Core, or of our own regtest. */
    if (!given && options->bitcoind) {
        snprintf(error, FX_ARGS_ERROR, "under the name bitcoind, -datadir must be given");
        return false;
    }
    return !given || fx_datadir_check(given, error, FX_ARGS_ERROR);
}

/* Up to 64 hex digits, with or without 0x, as of a number; *n of them. False: something else. */
static bool hex_number(const char *text, const char **digits, size_t *n)
{
    *digits = strncmp(text, "0x", 2) == 0 ? text + 2 : text;
    *n = strlen(*digits);
    return *n <= 64 && !(*digits)[strspn(*digits, "0123456789abcdefABCDEF")];
}

/* Zero: none. */
static bool assumed_block(const struct fx_args *args, struct fx_hash *id)
{
    char full[FX_HASH_HEX];
    const char *digits;
    size_t n;

    if (!hex_number(fx_args_str(args, "assumevalid", "0"), &digits, &n))
        return false;
    snprintf(full, sizeof full, "%.*s%s", (int)(64 - n),
             "0000000000000000000000000000000000000000000000000000000000000000", digits);
    return fx_hash_from_id(id, full);
}

/* In Bitcoin Core's words. */
static bool read_prune(struct fx_options *options, char error[FX_ARGS_ERROR])
{
    int64_t mib = fx_args_int(options->args, "prune", 0);

    if (mib < 0) {
        snprintf(error, FX_ARGS_ERROR, "Prune cannot be configured with a negative value.");
        return false;
    }
    if (mib > 1 && mib < PRUNE_MIN) {
        snprintf(error, FX_ARGS_ERROR,
                 "Prune configured below the minimum of %d MiB.  Please use a higher number.",
                 PRUNE_MIN);
        return false;
    }
    if (mib != 0 && fx_args_bool(options->args, "txindex", false)) {
        snprintf(error, FX_ARGS_ERROR, "Prune mode is incompatible with -txindex.");
        return false;
    }
    if (mib != 0 && fx_args_bool(options->args, "reindex-chainstate", false)) {
        snprintf(error, FX_ARGS_ERROR,
                 "Prune mode is incompatible with -reindex-chainstate. Use full -reindex instead.");
        return false;
    }
    options->prune = mib == 1                           ? FX_PRUNE_MANUAL
                     : mib > (INT64_MAX >> PRUNE_SHIFT) ? (uint64_t)INT64_MAX
                                                        : (uint64_t)mib << PRUNE_SHIFT;
    return true;
}

static bool check(struct fx_options *options, char error[FX_ARGS_ERROR])
{
    const struct fx_args *args = options->args;

    if (fx_args_int(args, "mocktime", 0) != 0 && options->params->retarget) {
        snprintf(error, FX_ARGS_ERROR, "-mocktime is for regtest only");
        return false;
    }
    if (fx_args_bool(args, "fastprune", false) && options->params->kind == FX_MAIN) {
        snprintf(error, FX_ARGS_ERROR, "-fastprune is not for main");
        return false;
    }
    if (fx_args_has(args, "blockversion") && options->params->lanes) {
        snprintf(error, FX_ARGS_ERROR, "-blockversion is for btcregtest only");
        return false;
    }
    if (fx_args_bool(args, "acceptnonstdtxn", false) && options->params->kind == FX_MAIN) {
        snprintf(error, FX_ARGS_ERROR, "-acceptnonstdtxn is not for main");
        return false;
    }
    if (!fx_args_bool(args, "server", true)) {
        snprintf(error, FX_ARGS_ERROR,
                 "-server=0: the RPC server is always there; -rpcbind and "
                 "-rpcallowip say for whom");
        return false;
    }
    if (fx_args_bool(args, "peerbloomfilters", false)) {
        snprintf(error, FX_ARGS_ERROR, "-peerbloomfilters: bloom filters are not offered");
        return false;
    }
    if (fx_args_int(args, "peertimeout", 1) <= 0) {
        snprintf(error, FX_ARGS_ERROR, "peertimeout must be a positive integer.");
        return false;
    }
    if (!assumed_block(args, &options->assume_valid)) {
        snprintf(error, FX_ARGS_ERROR,
                 "-assumevalid takes the id of a block, up to 64 hex digits, or 0");
        return false;
    }
    if (fx_args_has(args, "rpcuser") != fx_args_has(args, "rpcpassword")) {
        snprintf(error, FX_ARGS_ERROR, "-rpcuser and -rpcpassword go together");
        return false;
    }
    return true;
}

/* One -testactivationheight, in Bitcoin Core's words. */
static bool set_fork(struct fx_params *params, const char *text, char error[FX_ARGS_ERROR])
{
    static const struct {
        const char *name;
        enum fx_fork fork;
    } forks[] = {
        {"bip34", FX_FORK_HEIGHT}, {"dersig", FX_FORK_DERSIG}, {"cltv", FX_FORK_CLTV},
        {"csv", FX_FORK_CSV},      {"segwit", FX_FORK_SEGWIT},
    };
    static const char form[] = "for -testactivationheight=name@height.";
    const char *at = strchr(text, '@');
    char *end = NULL;
    unsigned long height;

    if (!at) {
        snprintf(error, FX_ARGS_ERROR, "Invalid format (%.100s) %s", text, form);
        return false;
    }
    errno = 0;
    height = strtoul(at + 1, &end, 10);
    if (at[1] < '0' || at[1] > '9' || *end || errno != 0 || height >= INT32_MAX) {
        snprintf(error, FX_ARGS_ERROR, "Invalid height value (%.100s) %s", text, form);
        return false;
    }
    for (size_t i = 0; i < sizeof forks / sizeof forks[0]; i++) {
        if (strlen(forks[i].name) == (size_t)(at - text) &&
            !strncmp(forks[i].name, text, (size_t)(at - text))) {
            params->fork_height[forks[i].fork] = (uint32_t)height;
            return true;
        }
    }
    snprintf(error, FX_ARGS_ERROR, "Invalid name (%.100s) %s", text, form);
    return false;
}

/* Bitcoin Core's form: up to 64 digits, with or without 0x. */
static bool read_min_work(struct fx_options *options, char error[FX_ARGS_ERROR])
{
    const char *text = fx_args_str(options->args, "minimumchainwork", "0");
    const char *digits;
    size_t n;

    if (!hex_number(text, &digits, &n)) {
        snprintf(error, FX_ARGS_ERROR,
                 "Invalid non-hex (%.100s) minimum chain work value specified", text);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned shift = 4 * (unsigned)((n - 1 - i) % 16);
        char digit[2] = {digits[i], 0};

        options->min_work.w[(n - 1 - i) / 16] |= (uint64_t)strtoul(digit, NULL, 16) << shift;
    }
    return true;
}

/* Coins, `most` embers of them; the amount stays where the option is not given. */
static bool read_amount(const struct fx_args *args, const char *name, int64_t most, int64_t *amount,
                        char error[FX_ARGS_ERROR])
{
    const char *text = fx_args_str(args, name, NULL);

    if (text && (!fx_amount_parse(text, amount) || *amount > most)) {
        snprintf(error, FX_ARGS_ERROR, "Invalid amount for -%s=<amount>: '%.100s'", name, text);
        return false;
    }
    return true;
}

/* A fee rate in coins per 1,000 vbytes. */
static bool read_rate(const struct fx_args *args, const char *name, int64_t *rate,
                      char error[FX_ARGS_ERROR])
{
    return read_amount(args, name, FX_COIN, rate, error);
}

static bool read_policy(struct fx_options *options, char error[FX_ARGS_ERROR])
{
    const struct fx_args *args = options->args;
    struct fx_mempool_policy *p = &options->policy;

    *p = fx_mempool_policy_default;
    options->block_min_fee_rate = FX_TEMPLATE_MIN_FEE_RATE;
    p->accept_nonstd = fx_args_bool(args, "acceptnonstdtxn", false);
    p->full_rbf = fx_args_bool(args, "mempoolfullrbf", p->full_rbf);
    p->bare_multisig = fx_args_bool(args, "permitbaremultisig", p->bare_multisig);
    p->return_script_max =
        (size_t)fx_args_int(args, "datacarriersize", (int64_t)p->return_script_max);
    if (!fx_args_bool(args, "datacarrier", true))
        p->return_script_max = 0;
    p->bytes_per_sigop = (size_t)fx_args_int(args, "bytespersigop", (int64_t)p->bytes_per_sigop);
    p->ancestors_max = (size_t)fx_args_int(args, "limitancestorcount", (int64_t)p->ancestors_max);
    p->descendants_max =
        (size_t)fx_args_int(args, "limitdescendantcount", (int64_t)p->descendants_max);
    p->ancestors_vsize_max = 1000 * (size_t)fx_args_int(args, "limitancestorsize",
                                                        (int64_t)p->ancestors_vsize_max / 1000);
    p->descendants_vsize_max = 1000 * (size_t)fx_args_int(args, "limitdescendantsize",
                                                          (int64_t)p->descendants_vsize_max / 1000);
    p->expiry_seconds = 3600 * fx_args_int(args, "mempoolexpiry", p->expiry_seconds / 3600);
    return read_rate(args, "minrelaytxfee", &p->min_fee_rate, error) &&
           read_rate(args, "incrementalrelayfee", &p->increment_rate, error) &&
           read_rate(args, "dustrelayfee", &p->dust_rate, error) &&
           read_rate(args, "blockmintxfee", &options->block_min_fee_rate, error);
}

static bool read_jobs(struct fx_options *options, char error[FX_ARGS_ERROR])
{
    options->challenge_above = FX_CHALLENGE_ABOVE;
    return read_amount(options->args, "challengeabove", options->params->max_money,
                       &options->challenge_above, error);
}

static bool set_forks(struct fx_options *options, char error[FX_ARGS_ERROR])
{
    const char **list;
    size_t n = fx_args_list(options->args, "testactivationheight", &list);
    bool ok = n == 0 || options->params->kind == FX_BTCREGTEST;

    if (!ok)
        snprintf(error, FX_ARGS_ERROR, "-testactivationheight is for btcregtest only");
    for (size_t i = 0; i < n && ok; i++)
        ok = set_fork(&options->own_params, list[i], error);
    free(list);
    return ok;
}

/* The options of fornaxd and, under the name bitcoind, those that are let pass. */
static void make_table(struct fx_options *options)
{
    size_t own = sizeof table / sizeof table[0];
    size_t passed = 0;

    while (options->bitcoind && fx_bitcoind_options[passed].name)
        passed++;
    options->table = fx_xcalloc(own + passed, sizeof *options->table);
    memcpy(options->table, fx_bitcoind_options, passed * sizeof *options->table);
    memcpy(options->table + passed, table, sizeof table);
    options->args = fx_args_create(options->table);
}

static bool choose_network(struct fx_options *options, char error[FX_ARGS_ERROR])
{
    const char *name = fx_args_chain(options->args, error);

    if (!name)
        return false;
    options->params = &options->own_params;
    fx_args_select(options->args, name);
    if (options->bitcoind)
        return fx_bitcoind_params(name, &options->own_params, error);
    options->own_params = *fx_params_find(name);
    return true;
}

enum fx_options_result fx_options_read(struct fx_options *options, int argc, char **argv)
{
    char error[FX_ARGS_ERROR];
    int rest;

    memset(options, 0, sizeof *options);
    options->bitcoind = fx_args_program_is(argv[0], "bitcoind");
    make_table(options);
    if (!fx_args_parse(options->args, argc, argv, &rest, error))
        goto failed;
    if (rest < argc) {
        snprintf(error, sizeof error, "unknown word \"%.100s\": options start with a dash",
                 argv[rest]);
        goto failed;
    }
    if (fx_args_bool(options->args, "help", false)) {
        print_help(options->args);
        fx_options_clear(options);
        return FX_OPTIONS_HELP;
    }
    if (fx_args_bool(options->args, "version", false)) {
        printf("Fornax daemon version " PACKAGE_VERSION "\n");
        fx_options_clear(options);
        return FX_OPTIONS_HELP;
    }
    if (!choose_datadir(options, error) || !read_config(options, error) ||
        !choose_datadir(options, error))
        goto failed;
    if (!choose_network(options, error) || !set_forks(options, error) ||
        !read_min_work(options, error) || !read_policy(options, error) ||
        !read_jobs(options, error) || !read_prune(options, error))
        goto failed;
    options->daemon = fx_args_bool(options->args, "daemon", false) ||
                      fx_args_bool(options->args, "daemonwait", false);
    options->netdir = options->params->data_subdir[0]
                          ? fx_path_join(options->datadir, options->params->data_subdir)
                          : fx_xstrdup(options->datadir);
    if (!check(options, error))
        goto failed;
    return FX_OPTIONS_RUN;
failed:
    wrong(error);
    fx_options_clear(options);
    return FX_OPTIONS_WRONG;
}

void fx_options_clear(struct fx_options *options)
{
    fx_args_destroy(options->args);
    free(options->table);
    free(options->datadir);
    free(options->netdir);
    memset(options, 0, sizeof *options);
}
