/* Block templates and solutions. Implemented by src/template. Main thread only. */
#ifndef FX_IFACE_TEMPLATE_H
#define FX_IFACE_TEMPLATE_H

#include "consensus/work.h"

struct fx_templates; /* opaque */

#define FX_TEMPLATE_ERROR 160

/* A template. Kept until its parent is 10 blocks deep, or 64 newer ones were made. */
struct fx_template {
    uint64_t id; /* from 1 */
    unsigned lane;
    uint32_t height;
    struct fx_header header; /* hash lane: nonce 0; job lane: final, its id is the seed */
    struct fx_hash header_id;
    struct fx_tx **txs; /* coinbase first */
    size_t n_txs;
    int64_t *fees;                       /* per transaction after the coinbase */
    uint64_t *sigops;                    /* likewise: cost of signature operations */
    int64_t total_fees, burned, subsidy; /* embers */
    size_t weight;
    /* job lane */
    struct fx_cb_work work;
    uint8_t *preimage;
    size_t preimage_len;
    struct fx_outpoint *backing;
    size_t n_backing;
    uint64_t credit, burns;
};

struct fx_job_brick {
    uint32_t i, j, l;
    struct fx_span block_a, path_a, block_b, path_b;
};

/* Hash lane, on the tip, paying script. NULL: error says why. The template stays the module's. */
const struct fx_template *fx_template_hash(struct fx_templates *templates, struct fx_span script,
                                           char error[FX_TEMPLATE_ERROR]);
/* Hash lane, with exactly these transactions after the coinbase, parents first; the coinbase takes
 * no fees. */
const struct fx_template *fx_template_given(struct fx_templates *templates, struct fx_span script,
                                            struct fx_tx *const *txs, size_t n,
                                            char error[FX_TEMPLATE_ERROR]);
/*
 * Job lane, inside the funded task output at outpoint with this preimage. backing: settled origins
 * of the solver, not yet backed; at most FX_BACKING_MAX are used.
 */
const struct fx_template *fx_template_job(struct fx_templates *templates, struct fx_span script,
                                          const struct fx_outpoint *outpoint,
                                          struct fx_span preimage, const struct fx_hash *solver,
                                          const struct fx_outpoint *backing, size_t n_backing,
                                          char error[FX_TEMPLATE_ERROR]);
const struct fx_template *fx_template_find(struct fx_templates *templates, uint64_t id);

/* Solutions: the finished block, or NULL where the id is unknown. One reference; hand it to
 * fx_chain_accept_block. */
struct fx_block *fx_template_solve_hash(struct fx_templates *templates, uint64_t id, uint32_t time,
                                        uint32_t nonce);
/* signature: the solver's, of fx_work_sign_hash(header id). */
struct fx_block *fx_template_solve_job(struct fx_templates *templates, uint64_t id,
                                       const struct fx_job_brick *brick,
                                       const uint8_t signature[64]);

#endif
