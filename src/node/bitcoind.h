/*
 * fornaxd under the name bitcoind: the programs that start a bitcoind and drive it (Bitcoin Core's
 * own functional tests are some) find what they know, on Bitcoin's regtest. The configuration is
 * bitcoin.conf, -regtest means btcregtest, its files are in DATADIR/regtest, and it calls itself
 * "regtest". Bitcoin's other networks are none of this node's and are refused.
 */
#ifndef FX_NODE_BITCOIND_H
#define FX_NODE_BITCOIND_H

#include "consensus/params.h"
#include "src/util/args.h"

/* Options of bitcoind that change nothing that this node does, so that they may be given, and their
 * values are not looked at. Ends with name NULL. */
extern const struct fx_arg_option fx_bitcoind_options[];

/* The params of what fx_args_chain found. False: the network is refused, and why. */
bool fx_bitcoind_params(const char *chain, struct fx_params *params, char error[FX_ARGS_ERROR]);

#endif
