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
#include "consensus/script_context.h"
#include "consensus/script_error.h"

/* Bitcoin's VerifyScript. flags: FX_VERIFY_*. witness may be NULL where n_witness is 0. */
enum fx_script_error fx_script_verify(struct fx_span script_sig, struct fx_span script_pubkey,
                                      const struct fx_span *witness, size_t n_witness,
                                      uint32_t flags, const struct fx_script_context *context);

#endif
