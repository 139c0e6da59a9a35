/* Where the blocks are in a file. Only headers are read: the rest is for whoever wants the block.
 */
#include <errno.h>
#include <string.h>

#include "src/chain/import_int.h"
#include "src/store/files.h"
#include "src/sys/file.h"

#define CHUNK 65536
#define MAGIC 4

void fx_scan_init(struct fx_scan *scan, const uint8_t magic[4], int fd, uint64_t size)
{
    memcpy(scan->magic, magic, MAGIC);
    scan->fd = fd;
    scan->pos = 0;
    scan->end = size;
}

static size_t min_size(uint64_t a, uint64_t b)
{
    return (size_t)(a < b ? a : b);
}

static bool read_at(const struct fx_scan *scan, void *out, size_t n)
{
    return fx_fd_read_all(scan->fd, scan->pos, out, n);
}

/* A file that is cut while it is read has ended. */
static enum fx_scan_step cut_or_failed(void)
{
    return errno == 0 ? FX_SCAN_END : FX_SCAN_FAILED;
}

/* Moves to the next magic at or after pos. */
static enum fx_scan_step find_magic(struct fx_scan *scan)
{
    uint8_t chunk[CHUNK];

    while (scan->end - scan->pos >= MAGIC) {
        size_t n = min_size(sizeof(chunk), scan->end - scan->pos);
        const uint8_t *at;

        if (!read_at(scan, chunk, n)) {
            return cut_or_failed();
        }
        at = memmem(chunk, n, scan->magic, MAGIC);
        if (at != NULL) {
            scan->pos += (uint64_t)(at - chunk);
            return FX_SCAN_FOUND;
        }
        /* The end of the chunk may be the beginning of one. */
        scan->pos += n - (MAGIC - 1);
    }
    return FX_SCAN_END;
}

/* A record's head and header at pos; false where there is none. */
static bool is_block(struct fx_scan *scan, const uint8_t head[FX_FILES_HEAD + FX_HEADER_SIZE],
                     struct fx_found *found)
{
    uint32_t size = fx_load_u32(head + MAGIC);
    struct fx_header header;

    if (memcmp(head, scan->magic, MAGIC) != 0 || size < FX_HEADER_SIZE ||
        size > FX_BLOCK_SIZE_MAX || size > scan->end - scan->pos - FX_FILES_HEAD) {
        return false;
    }
    fx_header_read(head + FX_FILES_HEAD, &header);
    fx_header_id(&header, &found->id);
    found->prev = header.prev;
    found->pos = scan->pos + FX_FILES_HEAD;
    found->size = size;
    return true;
}

enum fx_scan_step fx_scan_next(struct fx_scan *scan, struct fx_found *found)
{
    uint8_t head[FX_FILES_HEAD + FX_HEADER_SIZE];

    while (scan->end - scan->pos >= sizeof(head)) {
        enum fx_scan_step step;

        if (!read_at(scan, head, sizeof(head))) {
            return cut_or_failed();
        }
        if (is_block(scan, head, found)) {
            scan->pos = found->pos + found->size;
            return FX_SCAN_FOUND;
        }
        scan->pos++;
        step = find_magic(scan);
        if (step != FX_SCAN_FOUND) {
            return step;
        }
    }
    return FX_SCAN_END;
}
