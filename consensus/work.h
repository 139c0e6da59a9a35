/* Judging the job lane's work proofs (protocol section 6): the coinbase script that a proof answers
 * to, and its rules. */
#ifndef FX_CONSENSUS_WORK_H
#define FX_CONSENSUS_WORK_H

#include "consensus/block.h"
#include "consensus/records.h"
#include "consensus/view.h"
#include "consensus/work_proof.h"

#define FX_CB_WORK_SCRIPT_SIZE 139

/* What the coinbase of a job-lane block says. */
struct fx_cb_work {
    struct fx_outpoint outpoint;
    struct fx_hash solver;
    struct fx_hash preimage_hash; /* TH("fornax/preimage", preimage) */
    struct fx_hash backing_hash;  /* TH("fornax/backing", count and origins) */
};

void fx_cb_work_script(const struct fx_cb_work *work, uint8_t script[FX_CB_WORK_SCRIPT_SIZE]);
/* The coinbase's one such output; false where there is none or more than one (bad-cb-work). */
bool fx_cb_work_read(const struct fx_tx *coinbase, struct fx_cb_work *work);
void fx_work_preimage_hash(struct fx_span preimage, struct fx_hash *hash);
void fx_work_backing_hash(const struct fx_outpoint *backing, size_t n, struct fx_hash *hash);
/* What the solver signs: TH("fornax/work", block id). */
void fx_work_sign_hash(const struct fx_hash *block_id, struct fx_hash *hash);

/*
 * Everything of a proof that needs no look-up: hashes of preimage and list against the coinbase
 * (bad-work-preimage), coordinates and openings (bad-work-open), range, ticket against the header's
 * nBits, signature. FX_INVALID (bad-cb-work) condemns, FX_INVALID_COPY rejects this copy alone. A
 * block of the hash lane is FX_VALID.
 */
enum fx_result fx_check_work(const struct fx_params *params, const struct fx_block *block,
                             enum fx_verdict *why);

/* The ticket of the proof's brick under this block's id. */
void fx_work_ticket(const struct fx_block *block, struct fx_hash *ticket);

/*
 * Rules 1 and 2 against the state after the parent: the task is unspent, funded and names its
 * record; each backing origin is settled by this solver, young enough, and not backed. Sets
 * `backed` in delta, sums credit and burns.
 */
enum fx_result fx_connect_work(const struct fx_params *params, const struct fx_view *view,
                               const struct fx_block *block, uint32_t height,
                               struct fx_record_delta *delta, uint64_t *credit, uint64_t *burns,
                               enum fx_verdict *why);

#endif
