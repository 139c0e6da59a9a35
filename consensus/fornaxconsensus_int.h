/* What the files of the public library share. */
#ifndef FX_CONSENSUS_FORNAXCONSENSUS_INT_H
#define FX_CONSENSUS_FORNAXCONSENSUS_INT_H

#include "consensus/params.h"

/* The params of FORNAXCONSENSUS_NETWORK_*; NULL for any other number. */
const struct fx_params *fx_public_params(unsigned network);

#endif
