/*
 * Operands and results on disk, addressed by root; a result by its solver's key as well, as two
 * claims may name one root: it opens under one of their keys at most. Implemented by src/store.
 * Each blob is kept as its chunks in order, with its tree of hashes, so that any chunk is served
 * with its path and any partial download can be checked chunk by chunk.
 *
 * Operand: panel matrix, chunk (i, l), 32,768 bytes. Result: a task's rectangle, chunk (tile, 0),
 * 65,536 bytes.
 */
#ifndef FX_IFACE_BLOBS_H
#define FX_IFACE_BLOBS_H

#include "consensus/commit.h"
#include "src/util/span.h"

struct fx_blobs; /* opaque */

enum fx_blob_type { FX_BLOB_OPERAND = 0, FX_BLOB_RESULT = 1 };

struct fx_blob_key {
    enum fx_blob_type type;
    struct fx_hash root;
    struct fx_hash solver; /* result: whose key it opens under, as in its shape; operand: zero */
};

struct fx_blob_shape {
    uint32_t rows;         /* operand: entries, a multiple of 128; result: tile rows */
    uint32_t cols;         /* operand: k in entries, a multiple of 256; result: tile columns */
    struct fx_hash solver; /* result; operand: zero */
};

enum fx_blob_state { FX_BLOB_ABSENT = 0, FX_BLOB_PARTIAL, FX_BLOB_COMPLETE };

enum fx_blob_put {
    FX_BLOB_PUT_OK = 0,
    FX_BLOB_PUT_KNOWN,   /* it was there already */
    FX_BLOB_PUT_UNASKED, /* no such blob is expected, or no such chunk */
    FX_BLOB_PUT_BAD,     /* does not open under the root */
    FX_BLOB_PUT_SHAPE, /* opens under it, at these coordinates of another shape than is expected */
    FX_BLOB_PUT_FAILED /* I/O: disk full, say; what was there stays */
};

#define FX_BLOB_CHUNK_MAX FX_TILE_BYTES
#define FX_BLOB_PATH_MAX FX_TREE_DEPTH_MAX /* hashes */
#define FX_UPLOAD_ID 65                    /* hex digits and zero */

enum fx_blob_state fx_blobs_state(struct fx_blobs *blobs, const struct fx_blob_key *key);
/* Shape, chunks in all and chunks present; false where absent. */
bool fx_blobs_info(struct fx_blobs *blobs, const struct fx_blob_key *key,
                   struct fx_blob_shape *shape, uint64_t *chunks, uint64_t *have);
/* Makes room for a blob that is to be filled chunk by chunk. True where it is there already. False:
 * I/O or disk space. */
bool fx_blobs_expect(struct fx_blobs *blobs, const struct fx_blob_key *key,
                     const struct fx_blob_shape *shape);
/* path: n_path hashes of 32 bytes. On disk (write(2)) before FX_BLOB_PUT_OK. */
enum fx_blob_put fx_blobs_put(struct fx_blobs *blobs, const struct fx_blob_key *key, uint32_t x,
                              uint32_t y, struct fx_span data, const uint8_t *path, size_t n_path);
/* Reads a chunk and its path; data holds FX_BLOB_CHUNK_MAX, path FX_BLOB_PATH_MAX hashes. False:
 * not there or I/O. */
bool fx_blobs_get(struct fx_blobs *blobs, const struct fx_blob_key *key, uint32_t x, uint32_t y,
                  uint8_t *data, size_t *n, uint8_t *path, size_t *n_path);
/* The path of a complete blob's chunk alone. */
bool fx_blobs_path(struct fx_blobs *blobs, const struct fx_blob_key *key, uint32_t x, uint32_t y,
                   uint8_t *path, size_t *n_path);
/* Up to max coordinates of chunks not there yet, from chunk number *from on; *from moves on.
 * Returns how many. */
size_t fx_blobs_missing(struct fx_blobs *blobs, const struct fx_blob_key *key, uint64_t *from,
                        uint32_t (*xy)[2], size_t max);
void fx_blobs_remove(struct fx_blobs *blobs, const struct fx_blob_key *key);
bool fx_blobs_each(struct fx_blobs *blobs, bool (*visit)(void *ctx, const struct fx_blob_key *key),
                   void *ctx);

/*
 * Uploads: row-major bytes that arrive over HTTP in pieces and in order, resumable across restarts,
 * named by an id that the client chooses (1 to 64 hex digits). An operand arrives as rows x k int8
 * of the padded panel matrix; a result as tiles of little-endian int32, row-major, tile after tile.
 */
enum fx_upload {
    FX_UPLOAD_OK = 0,
    FX_UPLOAD_OFFSET,
    FX_UPLOAD_SHAPE,
    FX_UPLOAD_FULL,  /* no disk space */
    FX_UPLOAD_LIMIT, /* the disk has room, the limit of the store has none (fx_blobs_set_limit) */
    FX_UPLOAD_FAILED
};

/* Starts or resumes; *received: bytes there already. FX_UPLOAD_SHAPE: the id is known with another
 * shape, or a bad one. */
enum fx_upload fx_upload_open(struct fx_blobs *blobs, const char *id, enum fx_blob_type type,
                              const struct fx_blob_shape *shape, uint64_t *received);
/* Appends at offset, which must be *received of the upload (else FX_UPLOAD_OFFSET). */
enum fx_upload fx_upload_write(struct fx_blobs *blobs, const char *id, uint64_t offset,
                               struct fx_span data, uint64_t *received);
/* All bytes are there: makes the blob, gives its root. The upload is gone then; the same id gives
 * the root again. FX_UPLOAD_OFFSET: bytes are missing. FX_UPLOAD_SHAPE: no such upload. */
enum fx_upload fx_upload_finish(struct fx_blobs *blobs, const char *id, struct fx_hash *root);

/*
 * Room. Blobs and uploads take what they will when they are complete, with their trees of hashes.
 * Before a new one is refused, because all together would exceed the limit or the disk, make_room
 * is called, which removes blobs that can be done without. Implementations of it: src/jobs.
 */
uint64_t fx_blobs_bytes(struct fx_blobs *blobs);
/* Bytes that can be added without removing anything. */
uint64_t fx_blobs_spare(struct fx_blobs *blobs);
/* Bytes of one, and seconds since it was made, or a chunk of it put or read, to a minute. False:
 * absent. */
bool fx_blobs_use(struct fx_blobs *blobs, const struct fx_blob_key *key, uint64_t *bytes,
                  int64_t *idle);
/* One at a time; NULL: nobody. bytes: what is missing. */
void fx_blobs_set_room(struct fx_blobs *blobs, void (*make_room)(void *ctx, uint64_t bytes),
                       void *ctx);
/* Removes uploads to which nothing was added for so many seconds, and what is noted of finished
 * ones whose blobs are gone. */
void fx_uploads_expire(struct fx_blobs *blobs, int64_t seconds);

/* Called when a blob becomes complete. */
void fx_blobs_subscribe(struct fx_blobs *blobs,
                        void (*complete)(void *ctx, const struct fx_blob_key *key), void *ctx);

#endif
