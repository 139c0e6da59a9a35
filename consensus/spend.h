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

/*
 * Exclusivity. The solvers among whom tasks funded at h0 are assigned: those of the job-lane blocks
 * in (h0 - 2016, h0], in height order, each as often as it mined. *solvers is the caller's to free,
 * whatever is returned. FX_FAILED: a look-up failed.
 */
enum fx_result fx_exclusive_solvers(const struct fx_view *view, uint32_t h0,
                                    struct fx_hash **solvers, size_t *n);
/* The number of the assignee among n > 0 solvers; beacon is the id of beacon(h0). */
size_t fx_exclusive_pick(const struct fx_hash *beacon, const struct fx_outpoint *origin, size_t n);

/* BIP340 over a 32-byte hash; key is x-only. */
bool fx_schnorr_verify(const struct fx_hash *key, const struct fx_hash *hash,
                       const uint8_t signature[64]);

#endif
