/*
 * Block templates: making and ending the module. What others may ask of it stands in
 * src/iface/template.h.
 */
#ifndef FX_TEMPLATE_TEMPLATE_H
#define FX_TEMPLATE_TEMPLATE_H

#include "src/iface/chain.h"
#include "src/iface/mempool.h"
#include "src/iface/template.h"

#define FX_TEMPLATE_MIN_FEE_RATE 1000 /* Bitcoin Core's */

struct fx_templates_config {
    const struct fx_params *params;
    struct fx_chain *chain;     /* outlives the templates, as the pool does */
    struct fx_mempool *mempool; /* NULL: templates of a coinbase alone */
    /* Of the transactions that templates take, embers per 1,000 vbytes. */
    int64_t min_fee_rate;
    /* Coinbases as Bitcoin Core makes them, always with a witness commitment: the same parent, time
     * and transactions give the same block, on any node. False: each is like no other. */
    bool plain_coinbase;
    int32_t version; /* of the headers, where there are no lanes; 0: what BIP9 says */
};

struct fx_templates *fx_templates_create(const struct fx_templates_config *config);
void fx_templates_destroy(struct fx_templates *templates); /* NULL: nothing */

#endif
