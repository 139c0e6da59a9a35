/* A template while it is made, and the calls between the files of this folder. */
#ifndef FX_TEMPLATE_TEMPLATE_INT_H
#define FX_TEMPLATE_TEMPLATE_INT_H

#include "src/template/template.h"

#define FX_TEMPLATES_KEPT 64
#define FX_TEMPLATE_DEPTH_MAX 10 /* blocks on top of its parent */

struct fx_templates {
    const struct fx_params *params;
    struct fx_chain *chain;
    struct fx_mempool *mempool;
    int64_t min_fee_rate;                        /* of what a template takes */
    int32_t version;                             /* of headers without lanes; 0: by BIP9 */
    struct fx_template *kept[FX_TEMPLATES_KEPT]; /* by id modulo their number; NULL: none */
    bool plain_coinbase;
    uint64_t last_id;
    uint64_t salt; /* of the extra nonces: two processes never make the same coinbase */
};

/* Frees a template and drops its references. NULL: nothing. */
void fx_template_destroy(struct fx_template *template);

/* ---- select.c: which transactions ------------------------------------------------------------ */

struct fx_selection {
    struct fx_tx **txs; /* one reference each */
    int64_t *fees, *burned;
    uint64_t *sigops;
    size_t n;
    size_t weight;
};

/* The best of the pool within this weight, parents before children, down to a fee rate in embers
 * per 1,000 vbytes. */
void fx_selection_make(struct fx_mempool *mempool, size_t weight_max, int64_t min_fee_rate,
                       struct fx_selection *out);
/* Drops a transaction and those that descend from it. */
void fx_selection_drop(struct fx_selection *selection, size_t at);
void fx_selection_clear(struct fx_selection *selection);

/* ---- backing.c: what backs a job-lane block -------------------------------------------------- */

/* Those of the origins that may stand in a list at this height, each once, at most FX_BACKING_MAX.
 * *kept is the caller's to free. False: the state could not be read. */
bool fx_backing_choose(const struct fx_view *view, uint32_t height, const struct fx_hash *solver,
                       const struct fx_outpoint *origins, size_t n, struct fx_outpoint **kept,
                       size_t *n_kept, uint64_t *credit, uint64_t *burns);

/* ---- coinbase.c ------------------------------------------------------------------------------ */

struct fx_coinbase_parts {
    uint32_t height;
    uint64_t extra_nonce, salt;
    bool plain;     /* without these two */
    bool committed; /* to the witness root, as segwit binds: the reserved value stands in the
                       witness */
    int64_t value;
    struct fx_span script;              /* that is paid */
    const struct fx_cb_work *work;      /* NULL: hash lane */
    const struct fx_hash *witness_root; /* NULL: no commitment */
};

struct fx_tx *fx_coinbase_make(const struct fx_coinbase_parts *parts);

#endif
