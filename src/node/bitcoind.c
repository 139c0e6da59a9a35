/* What the name bitcoind changes: names of files, of the network, and options that are let pass. */
#include "src/node/bitcoind.h"

#include <stdio.h>
#include <string.h>

#define PASS(name)                                                          \
    {                                                                       \
        name, FX_ARG_STR, NULL, NULL, "", 0, 0, FX_ARG_HIDDEN | FX_ARG_BARE \
    }

const struct fx_arg_option fx_bitcoind_options[] = {
    /* How the log looks. */
    PASS("logips"),
    PASS("loglevel"),
    PASS("loglevelalways"),
    PASS("logsourcelocations"),
    PASS("logthreadnames"),
    PASS("logtimemicros"),
    PASS("logtimestamps"),
    PASS("printpriority"),
    PASS("shrinkdebugfile"),
    /* Ways to find and to be found by peers that this node does not have. */
    PASS("discover"),
    PASS("dns"),
    PASS("dnsseed"),
    PASS("fixedseeds"),
    PASS("listenonion"),
    PASS("natpmp"),
    PASS("upnp"),
    PASS("v2transport"),
    /* Checks of Bitcoin Core's own data structures. */
    PASS("checkaddrman"),
    PASS("checkblockindex"),
    PASS("checkblocks"),
    PASS("checklevel"),
    PASS("checkmempool"),
    PASS("checkpoints"),
    /* The RPC server, which is always there and takes as many calls as come. */
    PASS("deprecatedrpc"),
    PASS("rpcthreads"),
    PASS("rpcworkqueue"),
    /* Sizes of caches and batches that this node chooses for itself. */
    PASS("dbbatchsize"),
    PASS("maxreceivebuffer"),
    PASS("maxsendbuffer"),
    PASS("maxsigcachesize"),
    /* Bitcoin Core's wallet. */
    PASS("addresstype"),
    PASS("fallbackfee"),
    PASS("keypool"),
    PASS("mintxfee"),
    PASS("unsafesqlitesync"),
    {NULL, FX_ARG_BOOL, NULL, NULL, NULL, 0, 0, 0},
};

bool fx_bitcoind_params(const char *chain, struct fx_params *params, char error[FX_ARGS_ERROR])
{
    if (strcmp(chain, "regtest") != 0) {
        snprintf(error, FX_ARGS_ERROR,
                 "under the name bitcoind, -regtest only is known, not the network \"%.60s\"",
                 chain);
        return false;
    }
    *params = *fx_params_get(FX_BTCREGTEST);
    params->name = "regtest";
    params->data_subdir = "regtest";
    params->timewarp_period = 144; /* as Bitcoin Core 28 has it, and 29 no longer */
    return true;
}
