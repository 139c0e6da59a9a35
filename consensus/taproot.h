/* Taproot's tree of scripts (BIP341). */
#ifndef FX_CONSENSUS_TAPROOT_H
#define FX_CONSENSUS_TAPROOT_H

#include <stdbool.h>
#include <stdint.h>

#include "src/util/hash.h"
#include "src/util/span.h"

#define FX_TAPROOT_LEAF_MASK 0xfe
#define FX_TAPROOT_LEAF_TAPSCRIPT 0xc0
#define FX_TAPROOT_ANNEX_TAG 0x50
#define FX_TAPROOT_CONTROL_BASE 33 /* leaf version with parity, internal key */
#define FX_TAPROOT_CONTROL_NODE 32
#define FX_TAPROOT_DEPTH_MAX 128

/* version: without the parity bit. */
void fx_taproot_leaf_hash(uint8_t version, struct fx_span script, struct fx_hash *hash);
/* The parent of two nodes, in either order. */
void fx_taproot_branch_hash(const struct fx_hash *a, const struct fx_hash *b, struct fx_hash *hash);
/* What the internal key is tweaked by. root: NULL for an output without scripts. */
void fx_taproot_tweak_hash(const uint8_t internal_key[32], const struct fx_hash *root,
                           struct fx_hash *hash);

/* One of the lengths that a control block can have. */
bool fx_taproot_control_size_ok(size_t n);
/* True where the control block (of such a length) leads from the leaf to the output key. */
bool fx_taproot_verify_control(struct fx_span control, const uint8_t output_key[32],
                               const struct fx_hash *leaf_hash);

#endif
