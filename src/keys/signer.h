/*
 * Signing with secret keys that are given for one call: inputs of every kind of script that is
 * known by its form (P2PK, P2PKH, bare multisig, these in P2SH and P2WSH, P2WPKH, taproot by its
 * key path), and signatures of several parties gathered in one transaction.
 */
#ifndef FX_KEYS_SIGNER_H
#define FX_KEYS_SIGNER_H

#include "consensus/script.h"
#include "consensus/sighash.h"

struct fx_signer; /* opaque: secret keys and scripts */

/* entropy: fresh and random; it hides the secrets from side channels, and no signature of ECDSA
 * depends on it. */
struct fx_signer *fx_signer_create(const uint8_t entropy[32]);
void fx_signer_destroy(struct fx_signer *signer); /* zeroes secrets; NULL: nothing */
/* secret: a valid one, as of fx_wif_decode. */
void fx_signer_add_key(struct fx_signer *signer, const uint8_t secret[32], bool compressed);
/* What an output of P2SH or P2WSH has the hash of. */
void fx_signer_add_script(struct fx_signer *signer, struct fx_span script);

/* An input to be signed. Views of what the caller keeps alive. */
struct fx_signable {
    const struct fx_tx *tx;
    size_t in;
    const struct fx_coin *coin;  /* that it spends */
    const struct fx_coin *spent; /* of all inputs; NULL where one is not known: then no taproot
                                    signature is made */
    const struct fx_sighash_cache *cache;
};

#define FX_SIGNER_KEYS_MAX FX_SCRIPT_MULTISIG_KEYS_MAX
#define FX_SIGNER_ITEMS_MAX                                              \
    (FX_SIGNER_KEYS_MAX + 3) /* dummy, signatures, script, redeem script \
                              */

struct fx_signer_items {
    struct fx_buf item[FX_SIGNER_ITEMS_MAX];
    size_t n;
};

/* What is known of how an input is spent. Zeroed: nothing. */
struct fx_solution {
    bool complete;             /* by the rules of the mempool */
    const struct fx_tx *whole; /* whose input it is, where that was complete by itself; a view */
    struct fx_buf redeem, witness_script; /* found in inputs */
    struct {
        struct fx_buf key, signature;
    } signed_by[FX_SIGNER_KEYS_MAX];
    size_t n_signed;
    struct fx_buf script_sig;
    struct fx_signer_items witness;
};

void fx_solution_clear(struct fx_solution *solution);
/* Takes over what the input of `from` has; at least as many inputs as `at`. from->tx may be another
 * version of at->tx. */
void fx_solution_gather(struct fx_solution *solution, const struct fx_signable *from);
/* Makes what the keys can make, and puts all that is known in its place. hash_type: FX_SIGHASH_*;
 * DEFAULT is ALL outside of taproot. */
void fx_signer_solve(const struct fx_signer *signer, const struct fx_signable *at,
                     uint8_t hash_type, struct fx_solution *solution);
/* Writes it into the input. */
void fx_solution_apply(const struct fx_solution *solution, struct fx_txb *tx, size_t in);

#endif
