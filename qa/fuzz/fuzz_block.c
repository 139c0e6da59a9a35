/* Blocks of both lanes: what parses is put together again as the same bytes, and its context-free
 * checks come to an end. */
#include "qa/fuzz/fuzz.h"

#include <string.h>

#include "consensus/block.h"
#include "consensus/params.h"
#include "consensus/work.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    const struct fx_params *params = fx_params_get(FX_REGTEST);
    enum fx_verdict why;
    struct fx_block *block = fx_block_parse(params, data, length, &why);
    struct fx_block *again;
    struct fx_buf proof;
    struct fx_span proof_span;
    struct fx_hash root;
    bool mutated;

    if (block == NULL) {
        return 0;
    }
    fx_buf_init(&proof);
    FX_FUZZ_CHECK((block->work != NULL) == (fx_header_lane(&block->header) == FX_LANE_JOB));
    if (block->work != NULL) {
        fx_work_proof_write(block->work, &proof);
    }
    proof_span.data = proof.data;
    proof_span.len = proof.len;
    again = fx_block_make(params, &block->header, proof_span, block->txs, block->n_txs);
    FX_FUZZ_CHECK(again != NULL && fx_hash_equal(&again->id, &block->id));
    FX_FUZZ_CHECK(again->raw.len == length && memcmp(again->raw.data, data, length) == 0);
    FX_FUZZ_CHECK(again->weight == block->weight);

    fx_block_merkle_root(block, &root, &mutated);
    fx_block_witness_root(block, &root);
    fx_check_work(params, block, &why);
    fx_block_unref(again);
    fx_block_unref(block);
    fx_buf_clear(&proof);
    return 0;
}
