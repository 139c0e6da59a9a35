/* The public face of the work proof's rules: a whole block's bytes in, a verdict and a ticket out.
 */
#include "consensus/fornaxconsensus.h"

#include <string.h>

#include "consensus/fornaxconsensus_int.h"
#include "consensus/work.h"

const struct fx_params *fx_public_params(unsigned network)
{
    switch (network) {
    case FORNAXCONSENSUS_NETWORK_MAIN:
        return fx_params_get(FX_MAIN);
    case FORNAXCONSENSUS_NETWORK_TEST:
        return fx_params_get(FX_TEST);
    case FORNAXCONSENSUS_NETWORK_REGTEST:
        return fx_params_get(FX_REGTEST);
    }
    return NULL;
}

/* The coinbase says whose work it is, and only the merkle root binds it to the header. */
static enum fx_verdict check_root(const struct fx_block *block)
{
    struct fx_hash root;
    bool mutated;

    fx_block_merkle_root(block, &root, &mutated);
    if (!fx_hash_equal(&root, &block->header.merkle_root)) {
        return FX_BAD_TXNMRKLROOT;
    }
    return mutated ? FX_BAD_TXNS_DUPLICATE : FX_OK;
}

static enum fx_verdict check_block(const struct fx_params *params, const struct fx_block *block)
{
    enum fx_verdict why = check_root(block);

    if (why == FX_OK) {
        /* Every result but FX_VALID sets why; FX_FAILED is none of them. */
        (void)fx_check_work(params, block, &why);
    }
    return why;
}

int fornaxconsensus_check_work(unsigned network, const uint8_t *block, size_t block_len,
                               uint8_t ticket[32], const char **reject)
{
    const struct fx_params *params = fx_public_params(network);
    struct fx_block *parsed;
    enum fx_verdict why;
    struct fx_hash hash;

    if (reject != NULL) {
        *reject = NULL;
    }
    if (params == NULL || block == NULL || ticket == NULL) {
        return 0;
    }
    parsed = fx_block_parse(params, block, block_len, &why);
    if (parsed != NULL) {
        if (fx_header_lane(&parsed->header) != FX_LANE_JOB) {
            fx_block_unref(parsed);
            return 0;
        }
        why = check_block(params, parsed);
        if (why == FX_OK) {
            fx_work_ticket(parsed, &hash);
            memcpy(ticket, hash.b, sizeof(hash.b));
        }
        fx_block_unref(parsed);
    }
    if (reject != NULL) {
        *reject = fx_verdict_string(why);
    }
    return why == FX_OK ? 1 : 0;
}
