/*
 * The brick (protocol section 6): constants, noise, product, fold and ticket of one 128 x 128 x 256
 * block product. One portable implementation, exact on every machine. The miners' kernels use only
 * the constants and layouts of this header.
 */
#ifndef FX_CONSENSUS_BRICK_H
#define FX_CONSENSUS_BRICK_H

#include <stdbool.h>
#include <stdint.h>

#include "src/util/hash.h"

#define FX_TILE 128          /* rows and columns of a brick and of a result tile */
#define FX_DEPTH 256         /* columns of a panel block */
#define FX_BLOCK_BYTES 32768 /* one panel block, int8 */
#define FX_TILE_BYTES 65536  /* one result tile, int32 */
#define FX_ENTRY_MIN (-64)   /* operand entries of a winning brick; the job RPCs accept no others */
#define FX_ENTRY_MAX 63

enum fx_side { FX_SIDE_A = 0, FX_SIDE_B = 1 };

/* key = TH("fornax/noise", seed): the ChaCha20 key of all noise under one header. */
void fx_noise_key(const struct fx_hash *seed, uint8_t key[32]);
/* L_side,panel: 128 x 256 row-major, entries in [-64, 63]. */
void fx_noise_panel(const uint8_t key[32], enum fx_side side, uint32_t panel,
                    int8_t out[FX_BLOCK_BYTES]);
/* perm_side,segment: a permutation of 0..255 and signs of +1 or -1. */
void fx_noise_perm(const uint8_t key[32], enum fx_side side, uint32_t segment, uint8_t p[FX_DEPTH],
                   int8_t sign[FX_DEPTH]);
/* block + N, N[a][c] = sign[c] * L[a][p[c]]; every entry of block in [-64, 63], or the sum is not
 * an int8. */
void fx_noise_apply(const int8_t block[FX_BLOCK_BYTES], const int8_t noise_panel[FX_BLOCK_BYTES],
                    const uint8_t p[FX_DEPTH], const int8_t sign[FX_DEPTH],
                    int8_t out[FX_BLOCK_BYTES]);
/* D = A' * B'^T, 128 x 128 row-major. */
void fx_brick_product(const int8_t a[FX_BLOCK_BYTES], const int8_t b[FX_BLOCK_BYTES],
                      int32_t d[FX_TILE * FX_TILE]);
void fx_brick_fold(const int32_t d[FX_TILE * FX_TILE], uint32_t words[8]);
void fx_brick_ticket_hash(const struct fx_hash *seed, const uint32_t words[8], uint32_t i,
                          uint32_t j, uint32_t l, struct fx_hash *ticket);
/* True when every entry lies in [-64, 63]. */
bool fx_brick_in_range(const int8_t block[FX_BLOCK_BYTES]);
/* The whole way from two plain panel blocks to the ticket. False when an entry is out of range. */
bool fx_brick_ticket(const struct fx_hash *seed, const int8_t *a_block, const int8_t *b_block,
                     uint32_t i, uint32_t j, uint32_t l, struct fx_hash *ticket);

#endif
