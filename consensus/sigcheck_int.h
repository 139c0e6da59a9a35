/* Signatures in scripts: their form, and whether they verify. */
#ifndef FX_CONSENSUS_SIGCHECK_INT_H
#define FX_CONSENSUS_SIGCHECK_INT_H

#include "consensus/flags.h"
#include "consensus/script_context.h"
#include "consensus/script_error.h"

/* Which of Bitcoin's three ways of signing a script uses. */
enum fx_sig_version { FX_SIG_BASE, FX_SIG_WITNESS_V0, FX_SIG_TAPSCRIPT };

/* The last hash that one script's signatures were about: a multisig tries many keys on one. */
struct fx_sighash_memo {
    bool set;
    uint8_t type;
    const uint8_t *code; /* where the script code begins */
    struct fx_hash hash;
};

/* Form of a signature with hash type and of a public key (STRICTENC, DERSIG, LOW_S,
 * WITNESS_PUBKEYTYPE). An empty signature has every form. */
enum fx_script_error fx_sig_check_form(struct fx_span sig, uint32_t flags);
enum fx_script_error fx_key_check_form(struct fx_span key, uint32_t flags,
                                       enum fx_sig_version version);

/* ECDSA, before taproot. sig has its hash type; code is the script code. The memo must be of this
 * version, and of this code wherever it begins at the same place. */
bool fx_sig_verify_ecdsa(const struct fx_script_context *context, struct fx_span sig,
                         struct fx_span key, struct fx_span code, enum fx_sig_version version,
                         struct fx_sighash_memo *memo);
/* BIP340, with BIP341's hash; key is 32 bytes. */
enum fx_script_error fx_sig_verify_schnorr(const struct fx_script_context *context,
                                           struct fx_span sig, const uint8_t key[32],
                                           struct fx_sighash_spend *spend);

#endif
