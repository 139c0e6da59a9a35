/* Counting signature operations: what a block may hold of them is limited. */
#ifndef FX_CONSENSUS_SIGOPS_H
#define FX_CONSENSUS_SIGOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/util/span.h"

/*
 * Signature operations as Bitcoin counts them: a multisig is 20, or where `accurate` what the
 * number opcode before it says. Counting ends at a push that is not complete.
 */
uint64_t fx_script_sigops(struct fx_span script, bool accurate);
/* BIP16: of the script that an input's script pushes last; 0 where it does more than push. */
uint64_t fx_script_p2sh_sigops(struct fx_span script_sig);
/* BIP141: of the witness program that script_pubkey is, or that script_sig pushes for a P2SH one.
 * Each costs a quarter of the others. */
uint64_t fx_script_witness_sigops(struct fx_span script_sig, struct fx_span script_pubkey,
                                  const struct fx_span *witness, size_t n_witness);

#endif
