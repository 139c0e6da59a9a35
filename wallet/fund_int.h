/* Funding with every option, for the wallet's own sends. */
#ifndef FX_WALLET_FUND_INT_H
#define FX_WALLET_FUND_INT_H

#include "wallet/wallet_int.h"

struct fx_fund_terms {
    int64_t rate;      /* embers per 1,000 vbytes; 0: estimated */
    int64_t burned;    /* embers, on top of the fee */
    int64_t fee_max;   /* embers, without what is burned; 0: a tenth of a coin */
    unsigned min_conf; /* of the coins used */
    bool subtract_fee; /* output 0 pays the fee */
};

/* fx_wallet_fund with these terms. */
bool fx_fund(struct fx_wallet *wallet, struct fx_txb *tx, const struct fx_fund_input *others,
             size_t n_others, const struct fx_fund_terms *terms, int64_t *fee,
             struct fx_wallet_error *error);

/* ---- send.c ---------------------------------------------------------------------------------- */

/* Signs and commits what was funded; its inputs are all own. */
bool fx_send_funded(struct fx_wallet *wallet, struct fx_txb *tx, const char *comment,
                    struct fx_hash *txid, struct fx_wallet_error *error);

#endif
