/*
 * The blob store's insides: blob.c (what is there), blob_tree.c (the tree of hashes in a file),
 * upload.c (blobs that arrive as a stream), blob_room.c (how much they may take).
 *
 * A blob is a folder, operand-ROOT or result-ROOT-SOLVER, with
 *     shape    what it is, and whether it is complete; written last, replaced as a whole
 *     data     its chunks in order
 *     tree     every node of the tree of hashes that is known, level by level from the chunk roots;
 *              holes are zeros, as padding is
 *     have     one bit a chunk; until it is complete
 * An upload is the folder uploads/ID with shape, data, tree and
 *     tail     the bytes of the unit (128 rows, or a tile) that is not full yet
 *     received the count of bytes acknowledged, u64
 * and uploads/ID.root says which blob a finished one became.
 */
#ifndef FX_STORE_BLOB_INT_H
#define FX_STORE_BLOB_INT_H

#include "src/store/blob.h"
#include "src/util/map.h"

#define FX_BLOB_KEY 65 /* type, root, solver */
/* Room left on the disk for everything else. */
#define FX_BLOB_DISK_MARGIN (UINT64_C(16) << 20)

/* What follows from type and shape. */
struct blob_geometry {
    size_t chunk_bytes;
    uint64_t chunks;
    uint32_t groups, per_group; /* operand: panels, blocks a panel; result: 1, tiles */
    unsigned low, high;         /* levels within a group, and above */
};

struct blob {
    struct fx_blob_key key;
    struct fx_blob_shape shape;
    struct blob_geometry g;
    bool complete;
    uint8_t *bits; /* not complete: one a chunk */
    uint64_t have;
    int64_t used; /* unix time, to a minute; the time of its shape's last change as well */
    char *dir;
};

struct blob_listener {
    void (*complete)(void *ctx, const struct fx_blob_key *key);
    void *ctx;
};

struct fx_blobs {
    char *dir, *uploads;
    struct fx_map *blobs; /* type || root -> struct blob */
    struct blob_listener *listeners;
    size_t n_listeners;
    uint64_t limit; /* bytes; 0: none */
    void (*make_room)(void *ctx, uint64_t bytes);
    void *room_ctx;
};

/* False where the shape is none that a spec can have. */
bool fx_blob_geometry(enum fx_blob_type type, const struct fx_blob_shape *shape,
                      struct blob_geometry *g);

/* ---- blob_tree.c ---- */

uint64_t fx_blob_tree_bytes(const struct blob_geometry *g);
/* The place of chunk number n among the leaves. */
uint64_t fx_blob_tree_leaf(const struct blob_geometry *g, uint64_t chunk);
/* The root of a chunk. */
void fx_blob_chunk_root(enum fx_blob_type type, const struct fx_blob_shape *shape,
                        const uint8_t *data, struct fx_hash *root);
/* The root at the top that a chunk root has with this path. */
void fx_blob_tree_climb(const struct blob_geometry *g, uint64_t chunk, const struct fx_hash *leaf,
                        const uint8_t *path, struct fx_hash *root);
/* Is all padding that this path shows beyond a group's last chunk, and beyond the last group? If
 * not, the tree has more chunks than the geometry. */
bool fx_blob_tree_ends(const struct blob_geometry *g, uint64_t chunk, const uint8_t *path);
bool fx_blob_tree_put_leaf(int fd, const struct blob_geometry *g, uint64_t chunk,
                           const struct fx_hash *leaf);
/* Writes the leaf, its path and the nodes between. */
bool fx_blob_tree_put_path(int fd, const struct blob_geometry *g, uint64_t chunk,
                           const struct fx_hash *leaf, const uint8_t *path);
bool fx_blob_tree_get_path(int fd, const struct blob_geometry *g, uint64_t chunk,
                           struct fx_hash *leaf, uint8_t *path);
/* All leaves are there: computes what is above them. */
bool fx_blob_tree_build(int fd, const struct blob_geometry *g, struct fx_hash *root);

/* ---- blob_room.c ---- */

/* Bytes that a blob of this geometry takes. */
uint64_t fx_blob_bytes(const struct blob_geometry *g);
/* Is there room for so many more, or can it be made? May remove any blob. */
bool fx_blob_room(struct fx_blobs *blobs, uint64_t bytes);
/* Has the disk room for so many more, whatever the limit says? */
bool fx_blob_disk_room(const struct fx_blobs *blobs, uint64_t bytes);
/* It is in use now. */
void fx_blob_touch(struct blob *blob);

/* ---- blob.c ---- */

/* A file of a folder; -1 on failure. */
int fx_blob_open_file(const char *dir, const char *name, int flags);
bool fx_blob_write_shape(const char *dir, const struct fx_blob_key *key,
                         const struct fx_blob_shape *shape, bool complete);
bool fx_blob_read_shape(const char *dir, struct fx_blob_key *key, struct fx_blob_shape *shape,
                        bool *complete);
/* The folder with all files in it. */
void fx_blob_remove_dir(const char *dir);
struct blob *fx_blob_find(const struct fx_blobs *blobs, const struct fx_blob_key *key);
/* Takes over a folder that holds a complete blob. */
bool fx_blob_adopt(struct fx_blobs *blobs, const char *dir, const struct fx_blob_key *key,
                   const struct fx_blob_shape *shape);
bool fx_blob_same_shape(enum fx_blob_type type, const struct fx_blob_shape *a,
                        const struct fx_blob_shape *b);
/* ---- upload.c ---- */

/* Is the blob still here that this note (ID.root) of a finished upload names? */
bool fx_upload_is_known(const struct fx_blobs *blobs, const char *note);

/* ---- all ---- */

/* Does this errno mean that the disk has no more room? */
bool fx_blob_disk_full(int error);

#endif
