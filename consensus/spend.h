/* The rules of spending a task output (protocol section 5): one function an action, and the changes
 * to records. */
#ifndef FX_CONSENSUS_SPEND_H
#define FX_CONSENSUS_SPEND_H

#include "consensus/records.h"
#include "consensus/sighash.h"

struct fx_spend_context {
    const struct fx_params *params;
    const struct fx_view *view;
    uint32_t height; /* of the block that the spend is in (mempool: the next one) */
    const struct fx_tx *tx;
    const struct fx_coin *spent; /* tx->n_in coins */
    const struct fx_sighash_cache *cache;
};

/* What happened, for those who keep books (job book, wallet, RPC). */
struct fx_spend_result {
    enum fx_task_action action;
    struct fx_outpoint origin;
    uint64_t burned; /* embers that this spend burns */
};

/*
 * Judges input `in`, whose coin is a task output, and applies its transition to delta. On anything
 * but FX_VALID delta may hold part of it: the caller drops it. result may be NULL.
 */
enum fx_result fx_connect_spend(const struct fx_spend_context *ctx, size_t in,
                                struct fx_record_delta *delta, struct fx_spend_result *result,
                                enum fx_verdict *why);

/* BIP340 over a 32-byte hash; key is x-only. */
bool fx_schnorr_verify(const struct fx_hash *key, const struct fx_hash *hash,
                       const uint8_t signature[64]);

#endif
