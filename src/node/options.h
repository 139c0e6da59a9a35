/* The options of fornaxd: from the command line and from fornax.conf (as bitcoind: bitcoin.conf).
 */
#ifndef FX_NODE_OPTIONS_H
#define FX_NODE_OPTIONS_H

#include <stdbool.h>

#include "consensus/params.h"
#include "src/mempool/mempool.h"
#include "src/util/args.h"
#include "src/util/u256.h"

enum fx_options_result {
    FX_OPTIONS_RUN = 0,
    FX_OPTIONS_HELP, /* -help or -version was printed */
    FX_OPTIONS_WRONG /* the error is on stderr */
};

struct fx_options {
    struct fx_args *args;
    struct fx_arg_option *table; /* what args refers to; owned */
    bool bitcoind;               /* started under that name: bitcoind.h */
    bool daemon;                 /* -daemon, -daemonwait */
    struct fx_params own_params; /* params is this */
    const struct fx_params *params;
    struct fx_u256 min_work;     /* -minimumchainwork */
    char *datadir;               /* as given; owned */
    char *netdir;                /* datadir, or the network's folder in it; owned */
    struct fx_hash assume_valid; /* -assumevalid; zero: none */
    struct fx_mempool_policy policy;
    uint64_t prune;             /* -prune in bytes, FX_PRUNE_OFF or FX_PRUNE_MANUAL */
    int64_t block_min_fee_rate; /* -blockmintxfee, embers per 1,000 vbytes */
    int64_t challenge_above;    /* -challengeabove, embers */
};

/* On anything but FX_OPTIONS_RUN the options are cleared. */
enum fx_options_result fx_options_read(struct fx_options *options, int argc, char **argv);
void fx_options_clear(struct fx_options *options);

#endif
