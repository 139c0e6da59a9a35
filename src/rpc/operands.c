/* A task's operands in the blob store. */
#include <string.h>

#include "src/rpc/topics_int.h"

void fx_rpc_operands_set(struct fx_rpc_operands *operands, struct fx_blobs *blobs,
                         const struct fx_gemm *gemm)
{
    operands->blobs = blobs;
    operands->a = (struct fx_blob_key){.type = FX_BLOB_OPERAND, .root = gemm->root_a};
    operands->b = (struct fx_blob_key){.type = FX_BLOB_OPERAND, .root = gemm->root_b};
}

bool fx_rpc_operands_here(const struct fx_rpc_operands *operands)
{
    return fx_blobs_state(operands->blobs, &operands->a) == FX_BLOB_COMPLETE &&
           fx_blobs_state(operands->blobs, &operands->b) == FX_BLOB_COMPLETE;
}

bool fx_rpc_operands_read(const struct fx_rpc_operands *operands, enum fx_side side, uint32_t panel,
                          uint32_t segment, struct fx_rpc_chunk *chunk)
{
    const struct fx_blob_key *key = side == FX_SIDE_A ? &operands->a : &operands->b;
    return fx_blobs_get(operands->blobs, key, panel, segment, chunk->data, &chunk->n, chunk->path,
                        &chunk->n_path) &&
           chunk->n == FX_BLOCK_BYTES;
}
