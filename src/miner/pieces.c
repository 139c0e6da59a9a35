/* Pieces of a file with their hashes beside them. */
#include "src/miner/pieces.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/crypto/sha256.h"
#include "src/sys/file.h"
#include "src/util/mem.h"

#define SUM 32

enum { UNKNOWN = 0, ABSENT, PRESENT };

static char *sums_path(const char *path)
{
    size_t size = strlen(path) + sizeof ".sums";
    char *name = fx_xmalloc(size);

    snprintf(name, size, "%s.sums", path);
    return name;
}

bool fx_pieces_open(struct fx_pieces *pieces, const char *path, uint64_t n, size_t size)
{
    char *beside = sums_path(path);
    int why;

    memset(pieces, 0, sizeof *pieces);
    pieces->n = n;
    pieces->size = size;
    pieces->known = fx_xcalloc((size_t)n, 1);
    pieces->sums = -1;
    pieces->data = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (pieces->data >= 0)
        pieces->sums = open(beside, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    free(beside);
    if (pieces->sums >= 0)
        return true;
    why = errno;
    fx_pieces_close(pieces);
    errno = why;
    return false;
}

void fx_pieces_close(struct fx_pieces *pieces)
{
    if (pieces->data >= 0)
        close(pieces->data);
    if (pieces->sums >= 0)
        close(pieces->sums);
    free(pieces->known);
    pieces->known = NULL;
    pieces->data = pieces->sums = -1;
}

void fx_pieces_remove(const char *path)
{
    char *beside = sums_path(path);

    unlink(beside);
    unlink(path);
    free(beside);
}

static bool look(const struct fx_pieces *pieces, uint64_t at)
{
    uint8_t kept[SUM], sum[SUM];
    uint8_t *data;
    bool same;

    if (!fx_fd_read_all(pieces->sums, at * SUM, kept, SUM))
        return false;
    data = fx_xmalloc(pieces->size);
    same = fx_fd_read_all(pieces->data, at * pieces->size, data, pieces->size);
    if (same) {
        fx_sha256(data, pieces->size, sum);
        same = memcmp(sum, kept, SUM) == 0;
    }
    free(data);
    return same;
}

bool fx_pieces_has(struct fx_pieces *pieces, uint64_t at)
{
    if (at >= pieces->n)
        return false;
    if (pieces->known[at] == UNKNOWN)
        pieces->known[at] = look(pieces, at) ? PRESENT : ABSENT;
    return pieces->known[at] == PRESENT;
}

bool fx_pieces_put(struct fx_pieces *pieces, uint64_t at, const void *data)
{
    uint8_t sum[SUM];

    fx_sha256(data, pieces->size, sum);
    pieces->known[at] = ABSENT;
    if (!fx_fd_write_all(pieces->data, at * pieces->size, data, pieces->size) ||
        !fx_fd_write_all(pieces->sums, at * SUM, sum, SUM))
        return false;
    pieces->known[at] = PRESENT;
    return true;
}

bool fx_pieces_read(const struct fx_pieces *pieces, uint64_t at, size_t offset, void *out, size_t n)
{
    if (at >= pieces->n || offset > pieces->size || n > pieces->size - offset)
        return false;
    return fx_fd_read_all(pieces->data, at * pieces->size + offset, out, n);
}
