/* Finding blocks in files, for fx_import. */
#ifndef FX_CHAIN_IMPORT_INT_H
#define FX_CHAIN_IMPORT_INT_H

#include "consensus/block.h"

/* A block in a file, as far as its header says. */
struct fx_found {
    struct fx_hash id, prev;
    uint64_t pos; /* of the block itself */
    uint32_t size;
};

/* A walk over a file of magic || size u32 || block, with anything between these. */
struct fx_scan {
    uint8_t magic[4];
    int fd; /* the caller's */
    uint64_t pos, end;
};

void fx_scan_init(struct fx_scan *scan, const uint8_t magic[4], int fd, uint64_t size);
enum fx_scan_step { FX_SCAN_FOUND = 0, FX_SCAN_END, FX_SCAN_FAILED /* the system cannot read */ };
/* The next block. What cannot be one by its size is passed over, up to the next magic. */
enum fx_scan_step fx_scan_next(struct fx_scan *scan, struct fx_found *found);

#endif
