/* What topics share with each other: field lists of descriptions, and commands of files that have
 * no topic of their own. */
#ifndef FX_RPC_TOPICS_INT_H
#define FX_RPC_TOPICS_INT_H

#include "src/iface/jobs.h"
#include "src/iface/template.h"
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
/* Why the node is not well, an array of texts. */
json_t *fx_rpc_warnings_json(const struct fx_rpc *rpc);

/* help.c, regtest.c, blocks.c */
extern const struct fx_rpc_command fx_rpc_help, fx_rpc_getrpcschema, fx_rpc_setmocktime,
    fx_rpc_mockscheduler;
extern const struct fx_rpc_command fx_rpc_getblock, fx_rpc_getblockheader;
/* chainstats.c, deployments.c, verify.c, wait.c */
extern const struct fx_rpc_command fx_rpc_getblockstats, fx_rpc_getchaintxstats;
extern const struct fx_rpc_command fx_rpc_getdeploymentinfo, fx_rpc_verifychain;
extern const struct fx_rpc_command fx_rpc_waitforblock, fx_rpc_waitforblockheight,
    fx_rpc_waitfornewblock;
/* descriptors.c, txproof.c, connections.c, addresses.c */
extern const struct fx_rpc_command fx_rpc_scantxoutset, fx_rpc_getdescriptorinfo,
    fx_rpc_deriveaddresses;
extern const struct fx_rpc_command fx_rpc_gettxoutproof, fx_rpc_verifytxoutproof;
extern const struct fx_rpc_command fx_rpc_setban, fx_rpc_listbanned, fx_rpc_clearbanned;
extern const struct fx_rpc_command fx_rpc_getblockfrompeer, fx_rpc_addconnection,
    fx_rpc_getaddednodeinfo, fx_rpc_setnetworkactive, fx_rpc_ping, fx_rpc_sendmsgtopeer;
/* signing.c, messages.c */
extern const struct fx_rpc_command fx_rpc_signrawtransactionwithkey, fx_rpc_combinerawtransaction,
    fx_rpc_signmessagewithprivkey, fx_rpc_verifymessage, fx_rpc_signmessage;
/* txmake.c, scripts.c, multisig.c */
extern const struct fx_rpc_command fx_rpc_createrawtransaction, fx_rpc_decodescript,
    fx_rpc_createmultisig;
/* packages.c, generate.c */
extern const struct fx_rpc_command fx_rpc_submitpackage, fx_rpc_testmempoolaccept;
extern const struct fx_rpc_command fx_rpc_generatetoaddress, fx_rpc_generatetodescriptor,
    fx_rpc_generateblock;

/* packages.c. The argument maxfeerate, embers per 1,000 vbytes; 0: no limit. */
#define FX_RPC_MAX_FEE_RATE (FX_COIN / 10)
bool fx_rpc_arg_fee_rate(struct fx_rpc_call *call, const json_t *value, int64_t *rate);
bool fx_rpc_too_dear(int64_t max_rate, int64_t fee, size_t vsize);

/* rawtx.c. The block of the best chain that has a transaction, by -txindex; *index is NULL where
 * there is no such index, or it does not know the transaction. False after fx_rpc_fail. */
bool fx_rpc_indexed_block(struct fx_rpc_call *call, const struct fx_hash *txid,
                          const struct fx_index **index);

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
/* tasks.c. All that is known of a task: an object that the description has still to close. */
#define FX_RPC_TASK_FIELDS                                                                        \
    "{ origin: str             # Its name: the outpoint of its funded output\n"                   \
    "job: hash, index: int     # Its job, and its number there\n"                                 \
    "product: int, part: int   # Of a job of several: which of its products, and part of that\n"  \
    "kind: str, status: str    # pending, open, claimed, challenged, settled, refunded, "         \
    "rejected\n"                                                                                  \
    "outpoint?: str            # Its unspent output, where it has one on the chain\n"             \
    "spender?: hash            # The transaction of the mempool that spends it\n"                 \
    "restored: int             # How often a claim was undone, and the task open again\n"         \
    "reason?: str              # Why the present claim will not stand, or the last one did not: " \
    "wrong-result, unanswered, abandoned, undelivered\n"                                          \
    "client: hash, escrow: amount\n"                                                              \
    "height?: int              # Where it was funded\n"                                           \
    "deadline: time            # From here the client may refund it\n"                            \
    "window: int               # Units of 512 s\n"                                                \
    "exclusive: int            # Blocks in which the assigned solver alone may claim\n"           \
    "m?: int, n?: int, k?: int, root_a?: hash, root_b?: hash\n" FX_RPC_SHAPE_FIELDS               \
    "claim?: { outpoint: str, height: int, solver: hash, result: hash, bond: amount\n"            \
    "  burn: amount            # Of the escrow, burned at settlement\n"                           \
    "  asked: int              # Challenges of it so far\n"                                       \
    "  tile?: int }            # Challenged: the tile that is asked for\n"                        \
    "disputes: [ { action: str # fraud, challenge, answer, expire or reject\n"                    \
    "  txid: hash, height: int\n"                                                                 \
    "  solver: hash            # Of the claim that it was about\n"                                \
    "  tile?: int } ]          # Of a challenged claim: the tile asked for\n"                     \
    "end?: { txid: hash, height: int, action: str }  # accept, take, refund or reject\n"          \
    "backed: bool              # A block has used it as backing\n"                                \
    "operandshere: bool\n"                                                                        \
    "check: str                # This node's own: none, fetching, checking, right, wrong\n"       \
    "rounds?: int              # Right: rounds of the check\n"                                    \
    "errorbound?: str          # Right: a wrong result passes it with this probability at most\n" \
    "certified: bool           # A certificate of the client is known\n"                          \
    "isclient: bool, issolver: bool  # A loaded wallet has the key\n"                             \
    "note?: str\n"                                                                                \
    "blocks: [ hash ]          # Job-lane blocks mined inside it\n"
json_t *fx_rpc_task_json(const struct fx_task_info *info);
/* tasks.c. The task of an argument; false after fx_rpc_fail (-5). */
bool fx_rpc_arg_task(struct fx_rpc_call *call, const json_t *value, struct fx_task_info *info);
/* tasks.c. Words for what a task is, what is wrong with its claim (NULL: nothing), and what a spend
 * of it does. */
const char *fx_rpc_task_status(enum fx_task_status status);
const char *fx_rpc_task_reason(enum fx_task_reason reason);
const char *fx_rpc_action_name(enum fx_task_action action);
bool fx_rpc_has_claim(const struct fx_task_info *task);
/* jobinfo.c. The job of an argument; false after fx_rpc_fail (-5). */
bool fx_rpc_arg_job(struct fx_rpc_call *call, const json_t *value, struct fx_job_info *info);
extern const struct fx_rpc_command fx_rpc_getjob, fx_rpc_listjobs, fx_rpc_getjobresult;
/* receipt.c, receipt_check.c */
extern const struct fx_rpc_command fx_rpc_getreceipt, fx_rpc_verifyreceipt;
/* result.c. The type of a result's entries: its name, NumPy's, and the bytes of one. */
const char *fx_rpc_type_name(enum fx_job_type type);
const char *fx_rpc_type_dtype(enum fx_job_type type);
size_t fx_rpc_type_bytes(enum fx_job_type type);
/* Sums of a result as they are written, n entries of the product's type, little-endian. */
void fx_rpc_entries(const struct fx_job_product *product, const int64_t *sums, size_t n,
                    uint8_t *out);
json_t *fx_rpc_fail_jobs(struct fx_rpc_call *call, const struct fx_jobs_error *error);
/* "auto", "none" or an amount. */
bool fx_rpc_arg_burn(struct fx_rpc_call *call, const json_t *value, enum fx_burn *burn,
                     int64_t *amount);

/* market.c. What exclusivity would mean for the job of this quote. */
#define FX_RPC_EXCLUSIVITY_FIELDS                                                              \
    "exclusivity: { draws: int  # Job-lane blocks of the window: the solver of one is drawn\n" \
    "  unavailable: int         # Of these, of solvers that missed their last three slots\n"   \
    "  proposed: int }          # Value of exclusive that is worth waiting for\n"              \
    "warning?: str              # Where exclusive is likely to wait in vain\n"
void fx_rpc_exclusivity_json(struct fx_rpc_call *call, const struct fx_job_quote *quote,
                             json_t *out);

/* mining.c: pays to an address argument, or where that is NULL to the wallet's own mining address;
 * false after fx_rpc_fail. */
bool fx_rpc_payout(struct fx_rpc_call *call, const json_t *address, struct fx_buf *script);
/* Its weight and transactions are for getmininginfo. */
void fx_rpc_note_template(struct fx_rpc *rpc, const struct fx_template *t);
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
