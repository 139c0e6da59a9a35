/*
 * Bitcoin's script interpreter: before segwit, pay-to-script-hash (BIP16), witness programs of
 * version 0 (BIP141, BIP143), taproot and tapscript (BIP341, BIP342). A witness program that no
 * rule knows can be spent by anybody, here as in Bitcoin; task outputs are judged by
 * consensus/spend.h.
 *
 * Pure: may run on any thread. Nothing is kept but by the caller's fx_sig_memory.
 */
#ifndef FX_CONSENSUS_INTERPRETER_H
#define FX_CONSENSUS_INTERPRETER_H

#include "consensus/flags.h"
#include "consensus/script_error.h"
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

/* Bitcoin's VerifyScript. flags: FX_VERIFY_*. witness may be NULL where n_witness is 0. */
enum fx_script_error fx_script_verify(struct fx_span script_sig, struct fx_span script_pubkey,
                                      const struct fx_span *witness, size_t n_witness,
                                      uint32_t flags, const struct fx_script_context *context);

#endif
