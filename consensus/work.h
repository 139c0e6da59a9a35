/* The job lane's work proof (protocol section 6): its serialization, the coinbase script that it
 * answers to, its rules. */
#ifndef FX_CONSENSUS_WORK_H
#define FX_CONSENSUS_WORK_H

#include "consensus/block.h"
#include "consensus/records.h"
#include "consensus/task.h"
#include "consensus/view.h"

#define FX_CB_WORK_SCRIPT_SIZE 139

struct fx_work_proof {
    struct fx_span preimage;
    struct fx_task task; /* the preimage, parsed: kind gemm, valid spec */
    struct fx_gemm gemm;
    const struct fx_outpoint *backing;
    size_t n_backing;
    uint32_t i, j, l; /* brick: tile row, tile column (absolute), segment of k */
    struct fx_span block_a, path_a;
    struct fx_span block_b, path_b;
    struct fx_span signature; /* 64 bytes */
    size_t size;              /* bytes of the whole proof */
    /* private */
    void *owned;
};

/*
 * Reads a proof from the start of the reader's data and fixes every length by the shape of its
 * preimage. NULL, and the reader bad, where it does not parse. Spans view the reader's data.
 */
struct fx_work_proof *fx_work_proof_read(const struct fx_params *params, struct fx_reader *r);
void fx_work_proof_destroy(struct fx_work_proof *proof);
/* Writes from its fields (task and gemm are not looked at). */
void fx_work_proof_write(const struct fx_work_proof *proof, struct fx_buf *buf);

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
