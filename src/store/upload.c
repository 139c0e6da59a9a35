/*
 * Uploads: a stream of row-major bytes that becomes a blob. The bytes of one unit (128 rows of an
 * operand, one tile of a result) gather in a file; a full unit is put in the order of chunks,
 * hashed, and written to its place. So memory is bounded by one unit, at most 8 MiB, and what was
 * acknowledged outlives the process. Nothing is synced before the end, so it does not outlive the
 * system: what a power cut leaves of the files is in no order. The count of bytes names the boot
 * that it is of, and after another one an upload begins anew.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/store/blob_int.h"
#include "src/sys/clock.h"
#include "src/sys/crash.h"
#include "src/sys/file.h"
#include "src/sys/log.h"
#include "src/util/buf.h"
#include "src/util/mem.h"
#include "src/util/reader.h"

#define ROOT_FILE_MAX 256
#define BOOT_PATH "/proc/sys/kernel/random/boot_id"
#define BOOT_BYTES 36 /* a UUID as text */
#define COUNT_BYTES (8 + BOOT_BYTES)

struct upload {
    char *dir;
    struct fx_blob_key key; /* type; the root is not known yet */
    struct fx_blob_shape shape;
    struct blob_geometry g;
    size_t unit;     /* bytes */
    size_t per_unit; /* chunks */
    uint64_t total, received;
    int data, tree, tail, count; /* files */
};

static bool good_id(const char *id)
{
    size_t n = strlen(id), i;

    for (i = 0; i < n && i < FX_UPLOAD_ID; i++) {
        if (!isxdigit((unsigned char)id[i])) {
            return false;
        }
    }
    return n > 0 && n < FX_UPLOAD_ID;
}

static bool set_shape(struct upload *u, enum fx_blob_type type, const struct fx_blob_shape *shape)
{
    u->key.type = type;
    u->key.solver = shape->solver;
    u->shape = *shape;
    if (!fx_blob_geometry(type, shape, &u->g)) {
        return false;
    }
    u->per_unit = type == FX_BLOB_OPERAND ? u->g.per_group : 1;
    u->unit = u->per_unit * u->g.chunk_bytes;
    u->total = u->g.chunks * u->g.chunk_bytes;
    return true;
}

static enum fx_upload failure(const struct upload *u, const char *what)
{
    int error = errno;

    fx_log_info("upload %s: %s: %s", u->dir, what, strerror(error));
    return fx_blob_disk_full(error) ? FX_UPLOAD_FULL : FX_UPLOAD_FAILED;
}

static void close_upload(struct upload *u)
{
    int fds[] = {u->data, u->tree, u->tail, u->count};
    size_t i;

    for (i = 0; i < 4; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    free(u->dir);
}

static bool open_files(struct upload *u, int flags)
{
    u->data = fx_blob_open_file(u->dir, "data", O_RDWR | flags);
    u->tree = fx_blob_open_file(u->dir, "tree", O_RDWR | flags);
    u->tail = fx_blob_open_file(u->dir, "tail", O_RDWR | flags);
    u->count = fx_blob_open_file(u->dir, "received", O_RDWR | flags);
    return u->data >= 0 && u->tree >= 0 && u->tail >= 0 && u->count >= 0;
}

/* Zeros where the system does not say: then all boots are one. */
static void read_boot(uint8_t boot[BOOT_BYTES])
{
    uint8_t *data;
    size_t n;

    memset(boot, 0, BOOT_BYTES);
    if (fx_file_read(BOOT_PATH, 4 * BOOT_BYTES, &data, &n)) {
        memcpy(boot, data, n < BOOT_BYTES ? n : BOOT_BYTES);
        free(data);
    }
}

static bool write_count(const struct upload *u)
{
    uint8_t bytes[COUNT_BYTES];

    char *count = fx_path_join(u->dir, "received");
    bool ok;

    fx_store_u64(bytes, u->received);
    read_boot(bytes + 8);
    ok = fx_fd_write_all(u->count, 0, bytes, sizeof(bytes)) &&
         fx_path_set_changed(count, fx_clock_now());
    free(count);
    return ok;
}

/* What is left of bytes of another boot may be of any age. */
static bool read_count(struct upload *u)
{
    uint8_t bytes[COUNT_BYTES], boot[BOOT_BYTES];

    if (!fx_fd_read_all(u->count, 0, bytes, sizeof(bytes))) {
        return errno == 0; /* cut short by what ended the system */
    }
    read_boot(boot);
    if (memcmp(bytes + 8, boot, sizeof(boot)) == 0) {
        u->received = fx_load_u64(bytes);
    }
    return true;
}

enum found { FOUND = 0, ABSENT, FAILED };

/* Opens what is there of an upload. On FOUND the caller closes it. */
static enum found find_upload(const struct fx_blobs *blobs, const char *id, struct upload *u)
{
    struct fx_blob_shape shape;
    struct fx_blob_key key;
    bool complete;

    *u = (struct upload){.data = -1, .tree = -1, .tail = -1, .count = -1};
    u->dir = fx_path_join(blobs->uploads, id);
    if (!fx_blob_read_shape(u->dir, &key, &shape, &complete) || !set_shape(u, key.type, &shape)) {
        close_upload(u);
        return ABSENT;
    }
    if (!open_files(u, 0) || !read_count(u)) {
        fx_log_info("upload %s cannot be opened: %s", id, strerror(errno));
        close_upload(u);
        return FAILED;
    }
    return FOUND;
}

static char *root_path(const struct fx_blobs *blobs, const char *id)
{
    char name[FX_UPLOAD_ID + 8];

    snprintf(name, sizeof(name), "%s.root", id);
    return fx_path_join(blobs->uploads, name);
}

/* The blob that a note of a finished upload names, where it is still there. */
static const struct blob *noted(const struct fx_blobs *blobs, const char *path)
{
    const struct blob *blob = NULL;
    struct fx_blob_key key;
    struct fx_reader r;
    uint8_t *data;
    size_t n;

    if (fx_file_read(path, ROOT_FILE_MAX, &data, &n)) {
        fx_reader_init(&r, data, n);
        key.type = fx_read_u8(&r) == 0 ? FX_BLOB_OPERAND : FX_BLOB_RESULT;
        key.root = fx_read_hash(&r);
        key.solver = fx_read_hash(&r);
        if (fx_reader_done(&r)) {
            blob = fx_blob_find(blobs, &key);
        }
        free(data);
    }
    return blob != NULL && blob->complete ? blob : NULL;
}

bool fx_upload_is_known(const struct fx_blobs *blobs, const char *note)
{
    return noted(blobs, note) != NULL;
}

static const struct blob *finished(const struct fx_blobs *blobs, const char *id)
{
    char *path = root_path(blobs, id);
    const struct blob *blob = noted(blobs, path);

    free(path);
    return blob;
}

static enum fx_upload start(struct fx_blobs *blobs, const char *id, enum fx_blob_type type,
                            const struct fx_blob_shape *shape)
{
    struct upload u = {.data = -1, .tree = -1, .tail = -1, .count = -1};
    enum fx_upload result = FX_UPLOAD_OK;

    u.dir = fx_path_join(blobs->uploads, id);
    set_shape(&u, type, shape);
    if (!fx_blob_room(blobs, fx_blob_bytes(&u.g))) {
        result = fx_blob_disk_room(blobs, fx_blob_bytes(&u.g)) ? FX_UPLOAD_LIMIT : FX_UPLOAD_FULL;
    } else if (!fx_dir_make(u.dir) || !open_files(&u, O_CREAT | O_TRUNC) || !write_count(&u) ||
               ftruncate(u.tree, (off_t)fx_blob_tree_bytes(&u.g)) != 0 ||
               !fx_blob_write_shape(u.dir, &u.key, shape, false)) {
        result = failure(&u, "cannot start");
        fx_blob_remove_dir(u.dir);
    }
    close_upload(&u);
    return result;
}

enum fx_upload fx_upload_open(struct fx_blobs *blobs, const char *id, enum fx_blob_type type,
                              const struct fx_blob_shape *shape, uint64_t *received)
{
    const struct blob *blob;
    struct blob_geometry g;
    struct upload u;
    bool same;

    *received = 0;
    if (!good_id(id) || !fx_blob_geometry(type, shape, &g)) {
        return FX_UPLOAD_SHAPE;
    }
    blob = finished(blobs, id);
    if (blob != NULL) {
        *received = g.chunks * g.chunk_bytes;
        return blob->key.type == type && fx_blob_same_shape(type, &blob->shape, shape)
                   ? FX_UPLOAD_OK
                   : FX_UPLOAD_SHAPE;
    }
    switch (find_upload(blobs, id, &u)) {
    case ABSENT:
        return start(blobs, id, type, shape);
    case FAILED:
        return FX_UPLOAD_FAILED;
    case FOUND:
        break;
    }
    *received = u.received;
    same = u.key.type == type && fx_blob_same_shape(type, &u.shape, shape);
    close_upload(&u);
    return same ? FX_UPLOAD_OK : FX_UPLOAD_SHAPE;
}

/* ---- writing ---- */

/* Row-major 128 x k to panel blocks, each 128 x 256 row-major. */
static void to_blocks(const struct upload *u, const uint8_t *rows, uint8_t *blocks)
{
    size_t k = u->unit / FX_TILE, l, row;

    for (l = 0; l < u->per_unit; l++) {
        for (row = 0; row < FX_TILE; row++) {
            memcpy(blocks + (l * FX_TILE + row) * FX_DEPTH, rows + row * k + l * FX_DEPTH,
                   FX_DEPTH);
        }
    }
}

/* The unit that ends at `end` is full. */
static bool store_unit(const struct upload *u, uint64_t end)
{
    uint64_t at = end / u->unit - 1;
    uint8_t *rows = fx_xmalloc(u->unit), *blocks = fx_xmalloc(u->unit);
    struct fx_hash leaf;
    bool ok = fx_fd_read_all(u->tail, 0, rows, u->unit);
    size_t i;

    if (ok && u->key.type == FX_BLOB_OPERAND) {
        to_blocks(u, rows, blocks);
    } else if (ok) {
        memcpy(blocks, rows, u->unit);
    }
    ok = ok && fx_fd_write_all(u->data, at * u->unit, blocks, u->unit);
    if (ok) {
        /* Written behind by one unit at most, so that the sync at the end is short. */
        fx_fd_write_back(u->data, at * u->unit, u->unit, false);
        if (at > 0) {
            fx_fd_write_back(u->data, (at - 1) * u->unit, u->unit, true);
        }
    }
    for (i = 0; ok && i < u->per_unit; i++) {
        fx_blob_chunk_root(u->key.type, &u->shape, blocks + i * u->g.chunk_bytes, &leaf);
        ok = fx_blob_tree_put_leaf(u->tree, &u->g, at * u->per_unit + i, &leaf);
    }
    free(rows);
    free(blocks);
    fx_crash_point("upload-unit");
    return ok;
}

/* Up to the end of a unit; the count follows what is on disk. */
static bool write_part(struct upload *u, const uint8_t *data, size_t n)
{
    uint64_t before = u->received;

    if (!fx_fd_write_all(u->tail, before % u->unit, data, n)) {
        return false;
    }
    fx_crash_point("upload-write");
    if ((before + n) % u->unit == 0 && !store_unit(u, before + n)) {
        return false;
    }
    u->received += n;
    if (write_count(u)) {
        return true;
    }
    u->received = before;
    return false;
}

static enum fx_upload write_all(struct upload *u, struct fx_span data)
{
    size_t done = 0;

    if (data.len > u->total - u->received) {
        return FX_UPLOAD_SHAPE;
    }
    while (done < data.len) {
        size_t room = u->unit - (size_t)(u->received % u->unit);
        size_t n = data.len - done < room ? data.len - done : room;

        if (!write_part(u, data.data + done, n)) {
            return failure(u, "cannot write");
        }
        done += n;
    }
    return FX_UPLOAD_OK;
}

enum fx_upload fx_upload_write(struct fx_blobs *blobs, const char *id, uint64_t offset,
                               struct fx_span data, uint64_t *received)
{
    const struct blob *blob;
    enum fx_upload result;
    struct upload u;

    *received = 0;
    if (!good_id(id)) {
        return FX_UPLOAD_SHAPE;
    }
    switch (find_upload(blobs, id, &u)) {
    case ABSENT:
        blob = finished(blobs, id);
        *received = blob != NULL ? blob->g.chunks * blob->g.chunk_bytes : 0;
        return FX_UPLOAD_OFFSET;
    case FAILED:
        return FX_UPLOAD_FAILED;
    case FOUND:
        break;
    }
    result = offset == u.received ? write_all(&u, data) : FX_UPLOAD_OFFSET;
    *received = u.received;
    close_upload(&u);
    return result;
}

/* ---- finishing ---- */

static bool write_root(const struct fx_blobs *blobs, const char *id, const struct fx_blob_key *key)
{
    char *path = root_path(blobs, id);
    struct fx_buf buf = FX_BUF_INIT;
    bool ok;
    int saved;

    fx_buf_u8(&buf, (uint8_t)key->type);
    fx_buf_hash(&buf, &key->root);
    fx_buf_hash(&buf, &key->solver);
    ok = fx_file_write(path, buf.data, buf.len, 0600);
    saved = errno;
    fx_buf_clear(&buf);
    free(path);
    errno = saved;
    return ok;
}

/* The folder of the upload becomes that of the blob. The note of its root comes first, so that at
 * any moment either the upload or the blob is there. */
static bool become_blob(struct fx_blobs *blobs, const char *id, struct upload *u)
{
    const struct blob *known;

    if (!fx_blob_tree_build(u->tree, &u->g, &u->key.root) || !fx_fd_sync(u->data) ||
        !fx_fd_sync(u->tree)) {
        return false;
    }
    fx_crash_point("upload-finish");
    if (!fx_blob_write_shape(u->dir, &u->key, &u->shape, true) || !write_root(blobs, id, &u->key)) {
        return false;
    }
    fx_crash_point("upload-root");
    known = fx_blob_find(blobs, &u->key);
    if (known != NULL && known->complete &&
        fx_blob_same_shape(u->key.type, &known->shape, &u->shape)) {
        fx_blob_remove_dir(u->dir);
        return true;
    }
    if (!fx_blob_adopt(blobs, u->dir, &u->key, &u->shape)) {
        return false;
    }
    known = fx_blob_find(blobs, &u->key);
    if (known != NULL) {
        char *tail = fx_path_join(known->dir, "tail");
        char *count = fx_path_join(known->dir, "received");

        unlink(tail);
        unlink(count);
        free(tail);
        free(count);
    }
    return true;
}

enum fx_upload fx_upload_finish(struct fx_blobs *blobs, const char *id, struct fx_hash *root)
{
    enum fx_upload result = FX_UPLOAD_OK;
    const struct blob *blob;
    struct upload u;

    if (!good_id(id)) {
        return FX_UPLOAD_SHAPE;
    }
    switch (find_upload(blobs, id, &u)) {
    case ABSENT:
        blob = finished(blobs, id);
        if (blob == NULL) {
            return FX_UPLOAD_SHAPE;
        }
        *root = blob->key.root;
        return FX_UPLOAD_OK;
    case FAILED:
        return FX_UPLOAD_FAILED;
    case FOUND:
        break;
    }
    if (u.received != u.total) {
        result = FX_UPLOAD_OFFSET;
    } else if (!become_blob(blobs, id, &u)) {
        result = failure(&u, "cannot finish");
    } else {
        *root = u.key.root;
    }
    close_upload(&u);
    return result;
}
