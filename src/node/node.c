/* Wires the modules: the order of start and stop, the event loop, signals. */
#include "src/node/node.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "src/chain/chain.h"
#include "src/config.h"
#include "src/crypto/sha256.h"
#include "src/jobs/jobs.h"
#include "src/mempool/mempool.h"
#include "src/net/net.h"
#include "src/node/importer.h"
#include "src/node/indexer.h"
#include "src/rpc/rpc.h"
#include "src/store/blob.h"
#include "src/sys/clock.h"
#include "src/sys/file.h"
#include "src/sys/log.h"
#include "src/sys/pool.h"
#include "src/template/template.h"
#include "src/util/amount.h"
#include "src/util/mem.h"
#include "wallet/wallets.h"

#define KIB 1024
#define MIB ((size_t)1024 * 1024)
#define TICK_SECONDS 1
#define FLUSH_SECONDS 600 /* the state reaches the disk at least this often */

struct fx_node {
    const struct fx_options *options;
    int lock;
    char *pid_file;
    int64_t started;
    int64_t flushed_ms;
    bool failed;
    struct event_base *base;
    struct event *on_int, *on_term, *on_hup, *on_pool, *tick;
    struct fx_pool *pool;
    struct fx_chain *chain;
    struct fx_importer *importer; /* NULL: no blocks to read */
    struct fx_indexer *indexer;   /* NULL: without -txindex */
    struct fx_blobs *blobs;
    struct fx_mempool *mempool;
    struct fx_templates *templates;
    struct fx_wallets *wallets;
    struct fx_net *net;
    struct fx_jobs *jobs;
    struct fx_rpc *rpc;
};

static char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *text(const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return fx_xstrdup(line);
}

static void stop_soon(void *ctx)
{
    struct fx_node *node = ctx;

    event_base_loopexit(node->base, NULL);
}

/* A path below the network's folder, unless it is absolute. */
static char *below(const struct fx_node *node, const char *name)
{
    return name[0] == '/' ? fx_xstrdup(name) : fx_path_join(node->options->netdir, name);
}

static bool start_folder(struct fx_node *node, char **error)
{
    const char *dir = node->options->netdir;
    char *log_path;
    bool ok;

    if (!fx_dir_make(dir)) {
        *error = text("cannot make the data directory %s: %s", dir, strerror(errno));
        return false;
    }
    node->lock = fx_dir_lock(dir);
    if (node->lock < 0) {
        *error = errno == EWOULDBLOCK
                     ? text("Cannot obtain a lock on data directory %s. Fornax is probably already "
                            "running.",
                            dir)
                     : text("cannot lock the data directory %s: %s", dir, strerror(errno));
        return false;
    }
    log_path = fx_path_join(dir, "debug.log");
    ok = fx_log_open(log_path,
                     fx_args_bool(node->options->args, "printtoconsole", !node->options->daemon));
    if (!ok)
        *error = text("cannot open the log %s: %s", log_path, strerror(errno));
    free(log_path);
    return ok;
}

/* Bitcoin Core has categories of its own, which are let pass under its name. */
static bool choose_categories(struct fx_node *node, const char *option,
                              bool (*choose)(const char *), char **error)
{
    const char **categories;
    size_t n = fx_args_list(node->options->args, option, &categories);
    bool ok = true;

    for (size_t i = 0; i < n && ok; i++) {
        ok = choose(categories[i]) || node->options->bitcoind;
        if (!ok)
            *error = text("unknown log category \"%.100s\" (-%s)", categories[i], option);
    }
    free(categories);
    return ok;
}

static bool start_log(struct fx_node *node, char **error)
{
    bool ok = choose_categories(node, "debug", fx_log_enable, error) &&
              choose_categories(node, "debugexclude", fx_log_disable, error);

    fx_log_info("Fornax " PACKAGE_VERSION " starts on %s in %s", node->options->params->name,
                node->options->netdir);
    fx_log_info("SHA-256: %s", fx_sha256_implementation());
    return ok;
}

static bool write_pid(struct fx_node *node, char **error)
{
    char line[32];
    int n = snprintf(line, sizeof line, "%ld\n", (long)getpid());

    node->pid_file =
        below(node, fx_args_str(node->options->args, "pid",
                                node->options->bitcoind ? "bitcoind.pid" : "fornaxd.pid"));
    if (fx_file_write(node->pid_file, line, (size_t)n, 0644))
        return true;
    *error = text("cannot write %s: %s", node->pid_file, strerror(errno));
    return false;
}

static void notes_of_config(const struct fx_node *node)
{
    char line[FX_ARGS_ERROR];
    size_t at = 0;

    while (fx_args_warning(node->options->args, &at, line))
        fx_log_info("Warning: %s", line);
}

/* -par: how many threads, the main one among them, work on a block. */
static unsigned threads_wanted(const struct fx_node *node)
{
    int64_t par = fx_args_int(node->options->args, "par", 0);
    int64_t cores = sysconf(_SC_NPROCESSORS_ONLN);

    par = par > 0 ? par : cores + par;
    return par < 1 ? 1 : (unsigned)par;
}

/* What Bitcoin Core says of a state that it does not go on with: as the text of a question, which
 * it prints without its usual "Error". */
static char *needs_reindex(const struct fx_node *node, const char *why)
{
    return text("%s%s.\nPlease restart with -reindex or -reindex-chainstate to recover.",
                node->options->bitcoind ? ": " : "", why);
}

/* Bitcoin Core's checks of a chain that was made under another clock or other rules. */
static bool check_chain(const struct fx_node *node, char **error)
{
    const struct fx_params *params = node->options->params;
    int64_t time = fx_chain_tip(node->chain)->header.time;

    if (params->lanes)
        return true;
    if (time > fx_clock_now() + params->max_future_seconds) {
        *error = needs_reindex(
            node, "The block database contains a block which appears to be from the future. This "
                  "may be due to your computer's date and time being set incorrectly. Only rebuild "
                  "the block database if you are sure that your computer's date and time are "
                  "correct");
        return false;
    }
    if (fx_chain_lacks_witnesses(node->chain)) {
        char why[160];

        snprintf(why, sizeof why,
                 "Witness data for blocks after height %u requires validation. Please restart with "
                 "-reindex.",
                 params->fork_height[FX_FORK_SEGWIT]);
        *error = needs_reindex(node, why);
        return false;
    }
    return true;
}

/* -stopatheight */
static void stop_at(void *ctx, const struct fx_index *tip)
{
    struct fx_node *node = ctx;

    if (tip->height >= fx_args_int(node->options->args, "stopatheight", INT64_MAX)) {
        fx_log_info("Stopping at height %u", tip->height);
        stop_soon(node);
    }
}

static bool start_chain(struct fx_node *node, char **error)
{
    const struct fx_args *args = node->options->args;
    struct fx_chain_config chain = {
        .params = node->options->params,
        .dir = node->options->netdir,
        .cache_bytes = (size_t)fx_args_int(args, "dbcache", 450) * MIB,
        .max_tip_age = fx_args_int(args, "maxtipage", 0),
        .min_work = node->options->min_work,
        .pool = threads_wanted(node) > 1 ? node->pool : NULL,
        .prune = node->options->prune,
        .fast_prune = fx_args_bool(args, "fastprune", false),
        .reindex = fx_args_bool(args, "reindex", false),
        .reindex_state = fx_args_bool(args, "reindex-chainstate", false),
        .assume_valid = node->options->assume_valid,
    };
    const struct fx_chain_events stopper = {.ctx = node, .tip_changed = stop_at};
    const char **files;
    size_t n;
    bool ok = true;

    node->chain = fx_chain_create(&chain, error);
    if (!node->chain || !check_chain(node, error))
        return false;
    fx_chain_subscribe(node->chain, &stopper);
    n = fx_args_list(args, "loadblock", &files);
    if (n > 0 || fx_chain_is_partial(node->chain) || fx_chain_is_behind(node->chain)) {
        node->importer = fx_importer_create(node->base, node->chain, files, n, error);
        ok = node->importer;
    }
    free(files);
    return ok;
}

/* Where transactions are looked up by others than wallets, as those of tasks are, it is there
 * unless it is asked away. */
static bool start_index(struct fx_node *node, char **error)
{
    const struct fx_options *options = node->options;
    bool wanted = options->params->tasks && options->prune == FX_PRUNE_OFF;

    if (fx_args_bool(options->args, "txindex", wanted)) {
        char *dir = below(node, "txindex");

        node->indexer = fx_indexer_create(node->base, node->chain, dir, error);
        free(dir);
        return node->indexer;
    }
    return true;
}

static bool start_state(struct fx_node *node, char **error)
{
    const struct fx_args *args = node->options->args;

    if (!start_chain(node, error) || !start_index(node, error))
        return false;
    char *path = fx_path_join(node->options->netdir, "mempool.dat");
    char *blobs = fx_path_join(node->options->netdir, "blobs");
    const struct fx_mempool_config mempool = {
        .chain = node->chain,
        .load_later = node->importer,
        .policy = &node->options->policy,
        .path = fx_args_bool(args, "persistmempool", true) ? path : NULL,
        .max_bytes = (size_t)fx_args_int(args, "maxmempool", 300) * 1000 * 1000,
    };

    if (node->options->params->tasks)
        node->blobs = fx_blobs_open(blobs, error);
    if (node->blobs)
        fx_blobs_set_limit(node->blobs, (uint64_t)fx_args_int(args, "maxblobs", 32768) * MIB);
    node->mempool = fx_mempool_create(&mempool);
    free(path);
    free(blobs);
    return node->mempool && (node->blobs || !node->options->params->tasks);
}

static bool with_wallets(const struct fx_node *node)
{
    return !fx_args_bool(node->options->args, "disablewallet", false);
}

static bool load_wallets(struct fx_node *node, char **error)
{
    const struct fx_args *args = node->options->args;
    struct fx_wallet_error why = {0};
    bool ok = true;

    if (fx_args_has(args, "wallet")) {
        const char **names;
        size_t n = fx_args_list(args, "wallet", &names);

        for (size_t i = 0; i < n && ok; i++)
            ok = fx_wallet_load(node->wallets, names[i], &why) != NULL;
        free(names);
    } else {
        char **names;
        size_t n = fx_wallet_list_dir(node->wallets, &names);

        for (size_t i = 0; i < n; i++) {
            ok = ok && (!fx_wallet_has_startup(node->wallets, names[i]) ||
                        fx_wallet_load(node->wallets, names[i], &why) != NULL);
            free(names[i]);
        }
        free(names);
    }
    if (!ok)
        *error = text("%s", why.text);
    return ok;
}

static bool start_wallets(struct fx_node *node, char **error)
{
    struct fx_templates_config templates = {
        .params = node->options->params,
        .chain = node->chain,
        .mempool = node->mempool,
        .min_fee_rate = node->options->block_min_fee_rate,
        .plain_coinbase = node->options->bitcoind,
        .version = (int32_t)fx_args_int(node->options->args, "blockversion", 0),
    };
    struct fx_wallets_config wallets = {
        .params = node->options->params,
        .chain = node->chain,
        .mempool = node->mempool,
        .dir = node->options->netdir,
    };

    node->templates = fx_templates_create(&templates);
    node->wallets = fx_wallets_create(&wallets, error);
    return node->wallets && (!with_wallets(node) || load_wallets(node, error));
}

static bool start_net(struct fx_node *node, char **error)
{
    const struct fx_args *args = node->options->args;
    const char **connect, **addnode, **bind, **whitebind, **whitelist, **comments;
    struct fx_net_config net = {
        .base = node->base,
        .params = node->options->params,
        .chain = node->chain,
        .mempool = node->mempool,
        .blobs = node->options->params->tasks ? node->blobs : NULL,
        .dir = node->options->netdir,
        .port = (uint16_t)fx_args_int(args, "port", node->options->params->p2p_port),
        .max_connections = (unsigned)fx_args_int(args, "maxconnections", 0),
        .serve_rate = (uint64_t)fx_args_int(args, "maxdataserve", 0) * KIB,
        .fetch_rate = (uint64_t)fx_args_int(args, "maxdatafetch", 0) * KIB,
        .blocks_only = fx_args_bool(args, "blocksonly", false),
        .keep_to_itself = !fx_args_bool(args, "passdata", true),
        .whitelist_relay = fx_args_bool(args, "whitelistrelay", true),
        .whitelist_forcerelay = fx_args_bool(args, "whitelistforcerelay", false),
        .handshake_seconds = fx_args_int(args, "peertimeout", 0),
        .ban_seconds = fx_args_int(args, "bantime", 0),
    };

    net.n_connect = fx_args_list(args, "connect", &connect);
    net.n_addnode = fx_args_list(args, "addnode", &addnode);
    net.n_bind = fx_args_list(args, "bind", &bind);
    net.bind = bind;
    net.n_whitebind = fx_args_list(args, "whitebind", &whitebind);
    net.whitebind = whitebind;
    net.n_whitelist = fx_args_list(args, "whitelist", &whitelist);
    net.whitelist = whitelist;
    net.n_comments = fx_args_list(args, "uacomment", &comments);
    net.comments = comments;
    net.connect = connect;
    net.addnode = addnode;
    net.listen =
        fx_args_bool(args, "listen", net.n_connect == 0 || net.n_bind + net.n_whitebind > 0);
    node->net = fx_net_create(&net, error);
    free(connect);
    free(addnode);
    free(bind);
    free(whitebind);
    free(whitelist);
    free(comments);
    if (node->net)
        fx_wallets_set_net(node->wallets, node->net);
    return node->net;
}

static bool start_jobs(struct fx_node *node, char **error)
{
    struct fx_jobs_config jobs = {
        .base = node->base,
        .params = node->options->params,
        .chain = node->chain,
        .mempool = node->mempool,
        .blobs = node->blobs,
        .net = node->net,
        .wallets = node->wallets,
        .pool = node->pool,
        .dir = node->options->netdir,
        .freivalds_rounds = (unsigned)fx_args_int(node->options->args, "freivaldsrounds", 2),
        .challenge_above = node->options->challenge_above,
        .reoffers = (unsigned)fx_args_int(node->options->args, "reoffer", 2),
        .watch = fx_args_bool(node->options->args, "watch", false),
    };

    node->jobs = fx_jobs_create(&jobs, error);
    if (node->jobs)
        fx_net_set_jobs(node->net, node->jobs);
    return node->jobs;
}

static bool start_rpc(struct fx_node *node, char **error)
{
    const struct fx_args *args = node->options->args;
    const char **bind, **allow, **auth;
    char *cookie = below(node, fx_args_str(args, "rpccookiefile", ".cookie"));
    char *log = fx_path_join(node->options->netdir, "debug.log");
    struct fx_rpc_config rpc = {
        .base = node->base,
        .params = node->options->params,
        .chain = node->chain,
        .mempool = node->mempool,
        .net = node->net,
        .templates = node->templates,
        .wallets = with_wallets(node) ? node->wallets : NULL,
        .jobs = node->jobs,
        .blobs = node->options->params->tasks ? node->blobs : NULL,
        .tx_index = fx_indexer_index(node->indexer),
        .cookie_file = cookie,
        .port = (uint16_t)fx_args_int(args, "rpcport", 0),
        .user = fx_args_str(args, "rpcuser", NULL),
        .password = fx_args_str(args, "rpcpassword", NULL),
        .idle_seconds = (int)fx_args_int(args, "rpcservertimeout", 0),
        .doc_check = fx_args_bool(args, "rpcdoccheck", false),
        .started = node->started,
        .log_path = log,
        .stop = stop_soon,
        .ctx = node,
    };

    rpc.n_bind = fx_args_list(args, "rpcbind", &bind);
    rpc.n_allow = fx_args_list(args, "rpcallowip", &allow);
    rpc.n_auth = fx_args_list(args, "rpcauth", &auth);
    rpc.bind = bind;
    rpc.allow = allow;
    rpc.auth = auth;
    node->rpc = fx_rpc_create(&rpc, error);
    free(bind);
    free(allow);
    free(auth);
    free(log);
    free(cookie);
    return node->rpc;
}

static void on_stop(evutil_socket_t signal_number, short what, void *arg)
{
    (void)what;
    fx_log_info("Signal %d: stopping", (int)signal_number);
    stop_soon(arg);
}

static void on_hup(evutil_socket_t signal_number, short what, void *arg)
{
    (void)signal_number;
    (void)what;
    (void)arg;
    fx_log_reopen();
}

static void on_pool(evutil_socket_t fd, short what, void *arg)
{
    struct fx_node *node = arg;

    (void)fd;
    (void)what;
    fx_pool_drain(node->pool);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct fx_node *node = arg;
    const char *fatal = fx_chain_fatal(node->chain);
    int64_t now = fx_clock_monotonic_ms();

    (void)fd;
    (void)what;
    if (!fatal && now - node->flushed_ms > FLUSH_SECONDS * 1000) {
        node->flushed_ms = now;
        if (!fx_chain_flush(node->chain))
            fatal = "the state cannot be written to disk";
    }
    if (!fatal) {
        fx_wallets_tick(node->wallets);
        return;
    }
    fprintf(stderr, "Error: %s\n", fatal);
    fx_log_info("Error: %s: stopping", fatal);
    node->failed = true;
    stop_soon(node);
}

static bool start_loop(struct fx_node *node, char **error)
{
    struct timeval tick = {.tv_sec = TICK_SECONDS};

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file at its size limit is a full disk, not the end */
    node->base = event_base_new();
    /* The main thread works as well; answers need one thread beside it in any case. */
    node->pool = fx_pool_create(threads_wanted(node) > 1 ? threads_wanted(node) - 1 : 1);
    if (node->base) {
        node->on_int = evsignal_new(node->base, SIGINT, on_stop, node);
        node->on_term = evsignal_new(node->base, SIGTERM, on_stop, node);
        node->on_hup = evsignal_new(node->base, SIGHUP, on_hup, node);
        node->on_pool =
            event_new(node->base, fx_pool_fd(node->pool), EV_READ | EV_PERSIST, on_pool, node);
        node->tick = event_new(node->base, -1, EV_PERSIST, on_tick, node);
    }
    if (node->base && node->on_int && node->on_term && node->on_hup && node->on_pool &&
        node->tick && !event_add(node->on_int, NULL) && !event_add(node->on_term, NULL) &&
        !event_add(node->on_hup, NULL) && !event_add(node->on_pool, NULL) &&
        !event_add(node->tick, &tick))
        return true;
    *error = text("the event loop cannot be set up");
    return false;
}

static void import_done(void *ctx, bool ok)
{
    struct fx_node *node = ctx;

    if (ok) {
        fx_mempool_load(node->mempool);
        if (fx_args_bool(node->options->args, "stopafterblockimport", false)) {
            fx_log_info("Stopping after the import of blocks");
            stop_soon(node);
        }
    }
}

static void start_import(struct fx_node *node)
{
    if (node->importer)
        fx_importer_start(node->importer, import_done, node);
    else
        import_done(node, true);
}

struct fx_node *fx_node_create(const struct fx_options *options, char **error)
{
    struct fx_node *node = fx_xcalloc(1, sizeof *node);

    node->options = options;
    node->lock = -1;
    node->started = fx_clock_real();
    node->flushed_ms = fx_clock_monotonic_ms();
    fx_clock_set_mock(fx_args_int(options->args, "mocktime", 0));
    if (start_folder(node, error) && start_log(node, error) && write_pid(node, error) &&
        start_loop(node, error) && start_state(node, error) && start_wallets(node, error) &&
        start_net(node, error) && (!node->options->params->tasks || start_jobs(node, error)) &&
        start_rpc(node, error)) {
        notes_of_config(node);
        start_import(node);
        fx_log_info("Started: height %u", fx_chain_tip(node->chain)->height);
        return node;
    }
    if (node->lock >= 0)
        fx_log_info("Error: %s", *error);
    fx_node_destroy(node);
    return NULL;
}

bool fx_node_run(struct fx_node *node)
{
    event_base_dispatch(node->base);
    return !node->failed;
}

static void free_event(struct event *event)
{
    if (event)
        event_free(event);
}

void fx_node_destroy(struct fx_node *node)
{
    if (!node)
        return;
    fx_rpc_destroy(node->rpc);
    if (node->net)
        fx_net_set_jobs(node->net, NULL);
    fx_jobs_destroy(node->jobs);
    fx_wallets_destroy(node->wallets);
    fx_net_destroy(node->net);
    fx_templates_destroy(node->templates);
    fx_mempool_destroy(node->mempool);
    fx_blobs_close(node->blobs);
    fx_importer_destroy(node->importer);
    fx_indexer_destroy(node->indexer);
    fx_chain_destroy(node->chain);
    free_event(node->on_pool);
    if (node->pool)
        fx_pool_destroy(node->pool);
    free_event(node->on_int);
    free_event(node->on_term);
    free_event(node->on_hup);
    free_event(node->tick);
    if (node->base)
        event_base_free(node->base);
    if (node->pid_file)
        unlink(node->pid_file);
    free(node->pid_file);
    if (node->lock >= 0) {
        fx_log_info("Stopped");
        close(node->lock);
    }
    fx_log_close();
    free(node);
}
