/* The job lane's work proof as bytes (protocol section 6). Its rules are in consensus/work.h. */
#ifndef FX_CONSENSUS_WORK_PROOF_H
#define FX_CONSENSUS_WORK_PROOF_H

#include "consensus/task.h"

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

#endif
