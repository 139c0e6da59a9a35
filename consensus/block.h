/*
 * Blocks. A hash-lane block is serialized as Bitcoin's; a job-lane block carries its work proof
 * between header and transactions (protocol section 6).
 */
#ifndef FX_CONSENSUS_BLOCK_H
#define FX_CONSENSUS_BLOCK_H

#include "consensus/header.h"
#include "consensus/params.h"
#include "consensus/tx.h"
#include "consensus/verdict.h"

#define FX_COMMITMENT_SCRIPT_SIZE 38
/* A block's serialization is never longer than this: its weight is at least its size. */
#define FX_BLOCK_SIZE_MAX FX_BLOCK_WEIGHT_MAX

struct fx_work_proof; /* consensus/work.h */

/* Immutable and shared, like fx_tx. */
struct fx_block {
    struct fx_header header;
    struct fx_hash id;
    const struct fx_work_proof *work; /* job lane: not NULL; hash lane: NULL */
    struct fx_tx *const *txs;
    size_t n_txs;
    struct fx_span raw; /* the whole serialization; owned by the block */
    size_t weight;      /* with the work proof at 1 unit a byte */
    /* private */
    unsigned refs;
    void *arena;
};

/*
 * Parses exactly these bytes. NULL where they do not parse; *why says how: FX_BLOCK_DECODE, or,
 * where the header and the length are fine and the work proof is not, FX_BAD_WORK_PARSE. The caller
 * owns one reference.
 */
struct fx_block *fx_block_parse(const struct fx_params *params, const void *data, size_t n,
                                enum fx_verdict *why);
struct fx_block *fx_block_ref(const struct fx_block *block);
void fx_block_unref(const struct fx_block *block);
/* Puts a block together; takes its own references to txs. work_proof: the serialized proof, empty
 * on the hash lane. NULL where the proof does not parse or the block is longer than
 * FX_BLOCK_SIZE_MAX. */
struct fx_block *fx_block_make(const struct fx_params *params, const struct fx_header *header,
                               struct fx_span work_proof, struct fx_tx *const *txs, size_t n_txs);

/* The network's first block: hash lane, its coinbase is not spendable. One reference. */
struct fx_block *fx_genesis_block(const struct fx_params *params);

/* Merkle root of the txids. *mutated (may be NULL): two equal hashes side by side (CVE-2012-2459).
 */
void fx_merkle_root(const struct fx_hash *hashes, size_t n, struct fx_hash *root, bool *mutated);
void fx_block_merkle_root(const struct fx_block *block, struct fx_hash *root, bool *mutated);
void fx_block_witness_root(const struct fx_block *block, struct fx_hash *root);
/* BIP141: the index of the coinbase output that commits to the witnesses, or -1. */
int fx_block_commitment_output(const struct fx_tx *coinbase);
/* BIP141: what that output commits to, from the witness root and the 32 bytes of the coinbase's
 * witness. */
void fx_block_commitment_hash(const struct fx_hash *witness_root, const uint8_t reserved[32],
                              struct fx_hash *commitment);
void fx_block_commitment_script(const struct fx_hash *commitment,
                                uint8_t script[FX_COMMITMENT_SCRIPT_SIZE]);

#endif
