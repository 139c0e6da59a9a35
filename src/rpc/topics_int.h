/* What topics share with each other: field lists of descriptions, and commands of files that have
 * no topic of their own. */
#ifndef FX_RPC_TOPICS_INT_H
#define FX_RPC_TOPICS_INT_H

#include "src/iface/jobs.h"
#include "src/rpc/rpc_int.h"

#define FX_RPC_LANE_FIELDS                                                       \
    "{ lane: str                 # hash or job\n"                                \
    "height?: int                # Of its newest block; none before the first\n" \
    "bestblockhash?: hash, time?: time\n"                                        \
    "nbits: hex                  # Required of its next block\n"                 \
    "difficulty: num             # See getdifficulty\n"                          \
    "target: hash                # Hex number, highest digit first\n"            \
    "expectedwork: num }         # Hashes or bricks that a block takes on average\n"
json_t *fx_rpc_lanes_json(const struct fx_rpc *rpc);

/* help.c, regtest.c, blocks.c */
extern const struct fx_rpc_command fx_rpc_help, fx_rpc_getrpcschema, fx_rpc_setmocktime;
extern const struct fx_rpc_command fx_rpc_getblock, fx_rpc_getblockheader;

/* Reads the operands of a task's bricks from the store. */
struct fx_rpc_operands {
    struct fx_blobs *blobs;
    struct fx_blob_key a, b;
};
void fx_rpc_operands_set(struct fx_rpc_operands *operands, struct fx_blobs *blobs,
                         const struct fx_gemm *gemm);
bool fx_rpc_operands_here(const struct fx_rpc_operands *operands);

/* One panel block with its path. */
struct fx_rpc_chunk {
    uint8_t data[FX_BLOB_CHUNK_MAX];
    uint8_t path[FX_BLOB_PATH_MAX * 32];
    size_t n, n_path;
};
bool fx_rpc_operands_read(const struct fx_rpc_operands *operands, enum fx_side side, uint32_t panel,
                          uint32_t segment, struct fx_rpc_chunk *chunk);

/* tasks.c. What a task multiplies, and the field `shape` of its part of that. */
#define FX_RPC_SHAPE_FIELDS                                                    \
    "shape: { row0: int, col0: int, rows: int, cols: int  # In tiles of 128\n" \
    "  depth: int              # Bricks a tile\n"                              \
    "  tiles: int, bricks: int }\n"
void fx_rpc_gemm_json(const struct fx_gemm *gemm, json_t *out);
void fx_rpc_shape_json(const struct fx_task_shape *shape, json_t *out);
/* tasks.c. The task of an argument; false after fx_rpc_fail (-5). */
bool fx_rpc_arg_task(struct fx_rpc_call *call, const json_t *value, struct fx_task_info *info);
json_t *fx_rpc_fail_jobs(struct fx_rpc_call *call, const struct fx_jobs_error *error);
/* "auto", "none" or an amount. */
bool fx_rpc_arg_burn(struct fx_rpc_call *call, const json_t *value, enum fx_burn *burn,
                     int64_t *amount);

/* mining.c: pays to an address argument, or where that is NULL to the wallet's own mining address;
 * false after fx_rpc_fail. */
bool fx_rpc_payout(struct fx_rpc_call *call, const json_t *address, struct fx_buf *script);
/* Puts operands and brick into the template's block and gives it to the chain. The answer is
 * {accepted, hash, reject-reason?}. NULL after fx_rpc_fail. */
json_t *fx_rpc_submit_brick(struct fx_rpc_call *call, uint64_t work_id, struct fx_wallet *wallet,
                            uint32_t i, uint32_t j, uint32_t l);
#define FX_RPC_SUBMITTED_FIELDS                                           \
    "{ accepted: bool\n"                                                  \
    "hash?: hash            # Id of the block, where one could be made\n" \
    "reject-reason?: str }  # Why it is not, or not on, the best chain\n"
/* Gives a block that was made here to the chain; drops the reference. */
json_t *fx_rpc_submit_made(struct fx_rpc_call *call, struct fx_block *block);

#endif
