/* Where a script runs: the input that it is verified for, and who remembers signatures. */
#ifndef FX_CONSENSUS_SCRIPT_CONTEXT_H
#define FX_CONSENSUS_SCRIPT_CONTEXT_H

#include "consensus/sighash.h"
#include "consensus/tx.h"

/* That a key signed a hash. key and sig are as the library takes them: ECDSA in DER without hash
 * type, or BIP340 with 32 bytes of key and 64 of signature. */
struct fx_sig_claim {
    bool schnorr;
    const struct fx_hash *hash;
    struct fx_span key, sig;
};

/* Somebody who remembers which claims were true; asked from the thread that verifies. */
struct fx_sig_memory {
    void *ctx;
    bool (*knows)(void *ctx, const struct fx_sig_claim *claim);
    void (*remember)(void *ctx, const struct fx_sig_claim *claim);
};

/* Which input is verified. Views of what the caller keeps alive. */
struct fx_script_context {
    const struct fx_tx *tx;
    size_t in;                            /* < tx->n_in */
    int64_t amount;                       /* of the coin that it spends */
    const struct fx_coin *spent;          /* tx->n_in; NULL where they are not known: then no
                                             taproot signature verifies */
    const struct fx_sighash_cache *cache; /* of tx and spent */
    const struct fx_sig_memory *memory;   /* NULL: none */
};

#endif
