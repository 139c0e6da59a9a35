/*
 * Where matrices come from: functions that the owner supplies over its own storage. Nothing here
 * knows files, chains or peers.
 */
#ifndef FX_MATRIX_SOURCE_H
#define FX_MATRIX_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "consensus/brick.h"

/* A function that is not needed may be NULL. Each returns false where the bytes cannot be had; what
 * was asked then fails as unreadable, and nothing is said about the matrix. */
struct fx_source {
    void *ctx;
    /*
     * Panel block (panel, segment) of A, or of B transposed. path, where not NULL, gets its
     * sibling hashes up to the operand's root: fx_commit_operand_path_depth(rows, k) * 32 bytes.
     */
    bool (*read_block)(void *ctx, enum fx_side side, uint32_t panel, uint32_t segment,
                       int8_t out[FX_BLOCK_BYTES], uint8_t *path);
    /*
     * Tile number `tile` of a task's rectangle (row-major in it), int32 little-endian. path, where
     * not NULL, gets its sibling hashes up to the result root: fx_commit_depth(tiles) * 32 bytes.
     */
    bool (*read_tile)(void *ctx, uint32_t tile, uint8_t out[FX_TILE_BYTES], uint8_t *path);
    bool shared; /* several threads may ask at the same time */
};

#endif
