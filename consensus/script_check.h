/*
 * Verifying an input by the rules of blocks. Task outputs are spent by rules of their own
 * (consensus/spend.h); here they are one of the witness programs that anybody may spend.
 */
#ifndef FX_CONSENSUS_SCRIPT_CHECK_H
#define FX_CONSENSUS_SCRIPT_CHECK_H

#include "consensus/interpreter.h"
#include "consensus/verdict.h"

/* One input to verify: pure, may run on any thread. Views of what the caller keeps alive. */
struct fx_script_check {
    const struct fx_tx *tx;
    size_t in;
    const struct fx_coin *spent; /* all of the transaction's inputs' coins, tx->n_in of them */
    const struct fx_sighash_cache *cache;
    const struct fx_sig_memory *memory; /* NULL: none */
    uint32_t exempt; /* FX_VERIFY_*: rules of blocks that do not bind at its height yet */
};

/* By the rules of blocks: FX_OK or FX_SCRIPT_VERIFY_*. */
enum fx_verdict fx_script_check_run(const struct fx_script_check *check);
/* By any rules: FX_VERIFY_*. */
enum fx_script_error fx_script_check_flags(const struct fx_script_check *check, uint32_t flags);

#endif
