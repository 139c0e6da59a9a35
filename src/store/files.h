/*
 * Block and undo files, as Bitcoin has them: blocks/blkNNNNN.dat and blocks/revNNNNN.dat, records
 * that are appended and never changed. A record is magic (4 bytes) || size u32 || payload; an undo
 * payload is followed by the double SHA-256 of block id and payload.
 *
 * Which bytes are valid is for the block index to say: it keeps the ends of both sequences together
 * with the entries that point into them. What a dying process left behind an end is overwritten.
 */
#ifndef FX_STORE_FILES_H
#define FX_STORE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/util/hash.h"
#include "src/util/span.h"

/* A file that the next record would make as large as this is closed; the first record of a file may
 * be of any size. */
#define FX_FILES_ROLL UINT64_C(134217728)
#define FX_FILES_ROLL_FAST UINT64_C(65536) /* likewise, for tests */
/* Larger than any block or undo; a size above it in a file is damage. An undo may be 60 times as
 * long as its block: 24,390 inputs of 41 bytes can spend as many scripts of 10,000 bytes. */
#define FX_FILES_RECORD_MAX UINT32_C(268435456)

#define FX_FILES_HEAD 8 /* bytes before a payload */

struct fx_files; /* opaque */

/* Where the next record goes. */
struct fx_files_end {
    uint32_t block_file, undo_file;
    uint64_t block_pos, undo_pos;
};

/* dir: the folder of the files, made where missing. roll: FX_FILES_ROLL, or less in tests. NULL on
 * failure; *error is the caller's to free. */
struct fx_files *fx_files_open(const char *dir, const uint8_t magic[4], uint64_t roll,
                               char **error);
void fx_files_close(struct fx_files *files);
void fx_files_get_end(const struct fx_files *files, struct fx_files_end *end);
/* Right after the opening, from the index. */
void fx_files_set_end(struct fx_files *files, const struct fx_files_end *end);

/* Appends by write(2): the record survives the death of the process when this returns. *file and
 * *pos say where the payload starts. False on an I/O failure, with nothing appended. */
bool fx_files_write_block(struct fx_files *files, struct fx_span block, uint32_t *file,
                          uint64_t *pos);
bool fx_files_write_undo(struct fx_files *files, const struct fx_hash *id, struct fx_span undo,
                         uint32_t *file, uint64_t *pos);

enum fx_files_read {
    FX_FILES_OK = 0,
    FX_FILES_DAMAGED, /* the bytes are not there, or not what was written */
    FX_FILES_FAILED   /* the system could not read */
};

/* `size` bytes of a payload; *data is the caller's to free. The block's id is for the caller to
 * check. On any thread. */
enum fx_files_read fx_files_read_block(const struct fx_files *files, uint32_t file, uint64_t pos,
                                       uint32_t size, uint8_t **data);
enum fx_files_read fx_files_read_undo(const struct fx_files *files, const struct fx_hash *id,
                                      uint32_t file, uint64_t pos, uint32_t size, uint8_t **data);
/* The path of a block file, on the heap, and its size now; 0 where there is none. */
char *fx_files_block_path(const struct fx_files *files, uint32_t file);
uint64_t fx_files_block_size(const struct fx_files *files, uint32_t file);
uint64_t fx_files_undo_size(const struct fx_files *files, uint32_t file);
/* Removes a file that nothing refers to and that is not the last; one that is not there is no
 * failure. */
bool fx_files_remove_block(const struct fx_files *files, uint32_t file);
bool fx_files_remove_undo(const struct fx_files *files, uint32_t file);
/* Before a block index is made anew: the undo files are removed, and so are block files above a
 * number that is missing, since pruning took what they stand on. The ends are set so that what is
 * appended comes after all block files that there are. */
bool fx_files_start_over(struct fx_files *files);
/* All that was appended is on the disk after this. */
bool fx_files_sync(struct fx_files *files);

#endif
