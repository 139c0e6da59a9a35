/*
 * Receipts: what a client's node says of a finished job, so that others can check it without the
 * job's data. A JSON object; each settled task carries two transactions with their place in the
 * chain: the one that made its claimed output, and the one that settled it. The program of that
 * output commits to spec, origin, escrow, bond, burn, solver and result root (protocol section 5);
 * a certificate in the settlement is the client's word that it found the result right.
 */
#ifndef FX_RPC_RECEIPT_INT_H
#define FX_RPC_RECEIPT_INT_H

#include "src/rpc/rpc_int.h"

#define FX_RECEIPT_VERSION 1
#define FX_RECEIPT_TASKS_MAX 4096
#define FX_RECEIPT_BRANCH_MAX 32

/* What the client's key signs: TH("fornax/receipt", text), text the object without the field
 * `signature`, compact, its keys sorted, all else than ASCII escaped. */
void fx_receipt_hash(const json_t *receipt, struct fx_hash *hash);
/* The siblings of leaf `at` of n, bottom first, as Bitcoin's merkle tree has them: at most
 * FX_RECEIPT_BRANCH_MAX. Returns how many. */
size_t fx_merkle_branch(const struct fx_hash *leaves, size_t n, size_t at, struct fx_hash *branch);
/* The root that a leaf and its branch give. */
void fx_merkle_climb(const struct fx_hash *leaf, size_t at, const struct fx_hash *branch, size_t n,
                     struct fx_hash *root);

#endif
