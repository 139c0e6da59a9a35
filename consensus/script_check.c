/* Verifying an input by the rules of blocks. */
#include "consensus/script_check.h"

enum fx_script_error fx_script_check_flags(const struct fx_script_check *check, uint32_t flags)
{
    const struct fx_txin *in = &check->tx->in[check->in];
    const struct fx_coin *coin = &check->spent[check->in];
    struct fx_script_context context = {.tx = check->tx,
                                        .in = check->in,
                                        .amount = coin->value,
                                        .spent = check->spent,
                                        .cache = check->cache,
                                        .memory = check->memory};

    return fx_script_verify(in->script_sig, fx_coin_script(coin), in->witness, in->n_witness, flags,
                            &context);
}

enum fx_verdict fx_script_check_run(const struct fx_script_check *check)
{
    return fx_verdict_of_script(fx_script_check_flags(check, FX_VERIFY_CONSENSUS & ~check->exempt));
}
