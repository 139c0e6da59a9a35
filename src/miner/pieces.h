/*
 * A file of pieces of one size, each with its SHA-256 in a file beside it: what a miner has
 * fetched of an operand, or finished of a result. A piece counts as there only if its bytes still
 * have its hash, so neither a process killed while it writes nor a bad disk makes a wrong piece.
 */
#ifndef FX_MINER_PIECES_H
#define FX_MINER_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fx_pieces {
    int data, sums; /* file descriptors */
    uint64_t n;
    size_t size;    /* bytes of a piece */
    uint8_t *known; /* owned: what was found out about each piece */
};

/* Files PATH and PATH.sums, made where they are missing. False: errno says why. */
bool fx_pieces_open(struct fx_pieces *pieces, const char *path, uint64_t n, size_t size);
void fx_pieces_close(struct fx_pieces *pieces);
/* Both files; missing ones are no failure. */
void fx_pieces_remove(const char *path);

bool fx_pieces_has(struct fx_pieces *pieces, uint64_t at);
/* False: errno says why; the piece is then not there. */
bool fx_pieces_put(struct fx_pieces *pieces, uint64_t at, const void *data);
/* n bytes from offset on of a piece that is there. */
bool fx_pieces_read(const struct fx_pieces *pieces, uint64_t at, size_t offset, void *out,
                    size_t n);

#endif
