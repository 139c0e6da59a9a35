/* The blob store: which blobs are there, chunks in and out, each verified against its root. */
#include "src/store/blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/store/blob_int.h"
#include "src/sys/crash.h"
#include "src/sys/file.h"
#include "src/sys/log.h"
#include "src/sys/random.h"
#include "src/util/buf.h"
#include "src/util/mem.h"
#include "src/util/reader.h"

#define SHAPE_FORMAT 1
#define SHAPE_MAX 256
#define LEVELS_OF_PANEL_MAX 8 /* 256 blocks */

/* ---- files of a folder ---- */

int fx_blob_open_file(const char *dir, const char *name, int flags)
{
    char *path = fx_path_join(dir, name);
    int fd = open(path, flags | O_CLOEXEC, 0600);
    int saved = errno;

    free(path);
    errno = saved;
    return fd;
}

static void close_keep_errno(int fd)
{
    int saved = errno;

    if (fd >= 0) {
        close(fd);
    }
    errno = saved;
}

bool fx_blob_disk_full(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

bool fx_blob_write_shape(const char *dir, const struct fx_blob_key *key,
                         const struct fx_blob_shape *shape, bool complete)
{
    char *path = fx_path_join(dir, "shape");
    struct fx_buf buf = FX_BUF_INIT;
    bool ok;
    int saved;

    fx_buf_u8(&buf, SHAPE_FORMAT);
    fx_buf_u8(&buf, (uint8_t)key->type);
    fx_buf_hash(&buf, &key->root);
    fx_buf_u32(&buf, shape->rows);
    fx_buf_u32(&buf, shape->cols);
    fx_buf_hash(&buf, &shape->solver);
    fx_buf_u8(&buf, complete);
    ok = fx_file_write(path, buf.data, buf.len, 0600);
    saved = errno;
    fx_buf_clear(&buf);
    free(path);
    errno = saved;
    return ok;
}

bool fx_blob_read_shape(const char *dir, struct fx_blob_key *key, struct fx_blob_shape *shape,
                        bool *complete)
{
    char *path = fx_path_join(dir, "shape");
    struct fx_reader r;
    uint8_t *data, type, format;
    size_t n;
    bool ok = fx_file_read(path, SHAPE_MAX, &data, &n);

    free(path);
    if (!ok) {
        return false;
    }
    fx_reader_init(&r, data, n);
    format = fx_read_u8(&r);
    type = fx_read_u8(&r);
    key->type = (enum fx_blob_type)type;
    key->root = fx_read_hash(&r);
    shape->rows = fx_read_u32(&r);
    shape->cols = fx_read_u32(&r);
    shape->solver = fx_read_hash(&r);
    *complete = fx_read_u8(&r) != 0;
    key->solver = shape->solver;
    ok = fx_reader_done(&r) && format == SHAPE_FORMAT && type <= FX_BLOB_RESULT;
    free(data);
    return ok;
}

void fx_blob_remove_dir(const char *dir)
{
    /* Without its shape a folder is nothing, whatever else is left when the process dies here. */
    char *shape = fx_path_join(dir, "shape");
    struct dirent *entry;
    DIR *d;

    unlink(shape);
    free(shape);
    d = opendir(dir);
    if (d == NULL) {
        return;
    }
    while ((entry = readdir(d)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            unlinkat(dirfd(d), entry->d_name, 0);
        }
    }
    closedir(d);
    rmdir(dir);
}

/* ---- the list ---- */

static void key_bytes(const struct fx_blob_key *key, uint8_t out[FX_BLOB_KEY])
{
    out[0] = (uint8_t)key->type;
    memcpy(out + 1, key->root.b, 32);
    memcpy(out + 33, key->solver.b, 32);
}

struct blob *fx_blob_find(const struct fx_blobs *blobs, const struct fx_blob_key *key)
{
    uint8_t bytes[FX_BLOB_KEY];

    key_bytes(key, bytes);
    return fx_map_get(blobs->blobs, bytes);
}

static char *dir_of(const struct fx_blobs *blobs, const struct fx_blob_key *key)
{
    char root[FX_HASH_HEX], solver[FX_HASH_HEX], name[2 * FX_HASH_HEX + 16];

    fx_hash_to_hex(&key->root, root);
    if (key->type == FX_BLOB_OPERAND) {
        snprintf(name, sizeof(name), "operand-%s", root);
    } else {
        fx_hash_to_hex(&key->solver, solver);
        snprintf(name, sizeof(name), "result-%s-%s", root, solver);
    }
    return fx_path_join(blobs->dir, name);
}

static void blob_free(void *p)
{
    struct blob *blob = p;

    free(blob->bits);
    free(blob->dir);
    free(blob);
}

static struct blob *add(struct fx_blobs *blobs, const struct fx_blob_key *key,
                        const struct fx_blob_shape *shape, bool complete)
{
    struct blob *blob = fx_xcalloc(1, sizeof(*blob));
    uint8_t bytes[FX_BLOB_KEY];

    blob->key = *key;
    blob->shape = *shape;
    /* The caller knows that the shape is good. */
    fx_blob_geometry(key->type, shape, &blob->g);
    blob->complete = complete;
    blob->dir = dir_of(blobs, key);
    if (complete) {
        blob->have = blob->g.chunks;
    } else {
        blob->bits = fx_xcalloc((size_t)(blob->g.chunks + 7) / 8, 1);
    }
    key_bytes(key, bytes);
    fx_map_put(blobs->blobs, bytes, blob);
    return blob;
}

static void forget(struct fx_blobs *blobs, struct blob *blob)
{
    uint8_t bytes[FX_BLOB_KEY];

    key_bytes(&blob->key, bytes);
    fx_map_remove(blobs->blobs, bytes);
    blob_free(blob);
}

static bool has_bit(const struct blob *blob, uint64_t chunk)
{
    return blob->complete || (blob->bits[chunk / 8] >> chunk % 8 & 1) != 0;
}

static bool write_bits(const struct blob *blob, uint64_t from, size_t n)
{
    int fd = fx_blob_open_file(blob->dir, "have", O_WRONLY | O_CREAT);
    bool ok = fd >= 0 && fx_fd_write_all(fd, from, blob->bits + from, n);

    close_keep_errno(fd);
    return ok;
}

static void load_bits(struct blob *blob)
{
    int fd = fx_blob_open_file(blob->dir, "have", O_RDONLY);
    size_t n = (size_t)(blob->g.chunks + 7) / 8;
    uint64_t chunk;

    if (fd < 0 || !fx_fd_read_all(fd, 0, blob->bits, n)) {
        memset(blob->bits, 0, n);
    }
    close_keep_errno(fd);
    for (chunk = 0; chunk < blob->g.chunks; chunk++) {
        blob->have += has_bit(blob, chunk);
    }
}

static bool mark_complete(struct blob *blob);

static void load_time(struct blob *blob)
{
    char *shape = fx_path_join(blob->dir, "shape");

    (void)fx_path_changed(shape, &blob->used); /* it was just read */
    free(shape);
}

/* A folder found at the start. */
static void load_one(struct fx_blobs *blobs, const char *name)
{
    char *dir = fx_path_join(blobs->dir, name), *right = NULL;
    struct fx_blob_shape shape;
    struct blob_geometry g;
    struct fx_blob_key key;
    struct blob *blob;
    bool complete;

    if (fx_blob_read_shape(dir, &key, &shape, &complete) &&
        fx_blob_geometry(key.type, &shape, &g)) {
        right = dir_of(blobs, &key);
    }
    if (right == NULL || strcmp(right, dir) != 0) {
        /* What a process that died while it made or removed a blob has left. */
        fx_log(FX_LOG_BLOBS, "removing the remains of blob %s", name);
        fx_blob_remove_dir(dir);
    } else {
        blob = add(blobs, &key, &shape, complete);
        load_time(blob);
        if (!complete) {
            load_bits(blob);
            if (blob->have == blob->g.chunks) {
                mark_complete(blob);
            }
        }
    }
    free(right);
    free(dir);
}

struct fx_blobs *fx_blobs_open(const char *dir, char **error)
{
    struct fx_blobs *blobs = fx_xcalloc(1, sizeof(*blobs));
    struct dirent *entry;
    DIR *d = NULL;

    blobs->dir = fx_xstrdup(dir);
    blobs->uploads = fx_path_join(dir, "uploads");
    blobs->blobs = fx_map_create(FX_BLOB_KEY, fx_random_u64(), fx_random_u64());
    if (fx_dir_make(blobs->uploads)) {
        d = opendir(dir);
    }
    if (d == NULL) {
        struct fx_buf text = FX_BUF_INIT;

        fx_buf_printf(&text, "cannot open the folder %s: %s", dir, strerror(errno));
        fx_buf_u8(&text, 0);
        *error = (char *)fx_buf_steal(&text, NULL);
        fx_blobs_close(blobs);
        return NULL;
    }
    while ((entry = readdir(d)) != NULL) {
        if (strncmp(entry->d_name, "operand-", 8) == 0 ||
            strncmp(entry->d_name, "result-", 7) == 0) {
            load_one(blobs, entry->d_name);
        }
    }
    closedir(d);
    return blobs;
}

void fx_blobs_close(struct fx_blobs *blobs)
{
    if (blobs == NULL) {
        return;
    }
    fx_map_destroy(blobs->blobs, blob_free);
    free(blobs->listeners);
    free(blobs->uploads);
    free(blobs->dir);
    free(blobs);
}

void fx_blobs_subscribe(struct fx_blobs *blobs,
                        void (*complete)(void *ctx, const struct fx_blob_key *key), void *ctx)
{
    blobs->listeners =
        fx_xreallocarray(blobs->listeners, blobs->n_listeners + 1, sizeof(*blobs->listeners));
    blobs->listeners[blobs->n_listeners++] = (struct blob_listener){complete, ctx};
}

static void tell_complete(struct fx_blobs *blobs, struct fx_blob_key key)
{
    size_t i;

    for (i = 0; i < blobs->n_listeners; i++) {
        blobs->listeners[i].complete(blobs->listeners[i].ctx, &key);
    }
}

enum fx_blob_state fx_blobs_state(struct fx_blobs *blobs, const struct fx_blob_key *key)
{
    const struct blob *blob = fx_blob_find(blobs, key);

    if (blob == NULL) {
        return FX_BLOB_ABSENT;
    }
    return blob->complete ? FX_BLOB_COMPLETE : FX_BLOB_PARTIAL;
}

bool fx_blobs_info(struct fx_blobs *blobs, const struct fx_blob_key *key,
                   struct fx_blob_shape *shape, uint64_t *chunks, uint64_t *have)
{
    const struct blob *blob = fx_blob_find(blobs, key);

    if (blob == NULL) {
        return false;
    }
    *shape = blob->shape;
    *chunks = blob->g.chunks;
    *have = blob->have;
    return true;
}

void fx_blobs_remove(struct fx_blobs *blobs, const struct fx_blob_key *key)
{
    struct blob *blob = fx_blob_find(blobs, key);

    if (blob != NULL) {
        fx_blob_remove_dir(blob->dir);
        forget(blobs, blob);
    }
}

bool fx_blobs_each(struct fx_blobs *blobs, bool (*visit)(void *ctx, const struct fx_blob_key *key),
                   void *ctx)
{
    size_t n = 0, total = fx_map_count(blobs->blobs), at = 0, i;
    struct fx_blob_key *keys = fx_xcalloc(total + 1, sizeof(*keys));
    void *value;

    /* A copy: the visitor may remove blobs. */
    while (fx_map_next(blobs->blobs, &at, NULL, &value)) {
        keys[n++] = ((const struct blob *)value)->key;
    }
    for (i = 0; i < n && visit(ctx, &keys[i]); i++) {
    }
    free(keys);
    return i == n;
}

/* ---- making room ---- */

static bool make_file(const char *dir, const char *name, uint64_t bytes)
{
    int fd = fx_blob_open_file(dir, name, O_RDWR | O_CREAT | O_TRUNC);
    bool ok = fd >= 0 && ftruncate(fd, (off_t)bytes) == 0;

    close_keep_errno(fd);
    return ok;
}

bool fx_blob_same_shape(enum fx_blob_type type, const struct fx_blob_shape *a,
                        const struct fx_blob_shape *b)
{
    return a->rows == b->rows && a->cols == b->cols &&
           (type == FX_BLOB_OPERAND || fx_hash_equal(&a->solver, &b->solver));
}

/* Leaf and path of a chunk that is there, checked against the root. */
static bool read_path(const struct blob *blob, uint64_t chunk, struct fx_hash *leaf, uint8_t *path)
{
    int fd = fx_blob_open_file(blob->dir, "tree", O_RDONLY);
    struct fx_hash root;
    bool ok = fd >= 0 && fx_blob_tree_get_path(fd, &blob->g, chunk, leaf, path);

    close_keep_errno(fd);
    if (!ok) {
        return false;
    }
    fx_blob_tree_climb(&blob->g, chunk, leaf, path, &root);
    errno = 0;
    return fx_hash_equal(&root, &blob->key.root);
}

enum reshape { RESHAPE_DONE = 0, RESHAPE_AGAIN, RESHAPE_REFUSED };

/* Where a chunk is in another geometry of as many levels; false where that has no such chunk. */
static bool chunk_within(const struct blob_geometry *from, uint64_t chunk,
                         const struct blob_geometry *to, uint64_t *place)
{
    uint64_t leaf = fx_blob_tree_leaf(from, chunk), group = leaf >> to->low;
    uint64_t within = leaf & ((UINT64_C(1) << to->low) - 1);

    *place = group * to->per_group + within;
    return group < to->groups && within < to->per_group;
}

/* Can the root have this geometry, by all that the chunks that are there show of its tree? */
static bool chunks_allow(const struct blob *blob, const struct blob_geometry *g)
{
    uint8_t path[32 * FX_BLOB_PATH_MAX];
    struct fx_hash leaf;
    uint64_t chunk, place;

    if (g->low + g->high != blob->g.low + blob->g.high) {
        return false;
    }
    for (chunk = 0; chunk < blob->g.chunks; chunk++) {
        if (!has_bit(blob, chunk)) {
            continue;
        }
        if (!chunk_within(&blob->g, chunk, g, &place)) {
            return false;
        }
        /* Where its path cannot be read, it is not there: that is found when it is asked for. */
        if (place % g->per_group == g->per_group - 1 && read_path(blob, chunk, &leaf, path) &&
            !fx_blob_tree_ends(g, place, path)) {
            return false;
        }
    }
    return true;
}

static bool move_chunk(const struct blob *blob, int fd, uint64_t chunk, uint64_t place)
{
    uint8_t data[FX_BLOB_CHUNK_MAX];
    size_t n = blob->g.chunk_bytes;

    return fx_fd_read_all(fd, chunk * n, data, n) && fx_fd_write_all(fd, place * n, data, n);
}

/*
 * Moves the chunks that are there to their places in g, and notes these in bits. Places are in the
 * order of chunks: what moves down is moved from the first on, what moves up from the last on, and
 * none is written over before it is read.
 */
static bool move_chunks(const struct blob *blob, const struct blob_geometry *g, uint8_t *bits)
{
    int fd = fx_blob_open_file(blob->dir, "data", O_RDWR);
    uint64_t n = blob->g.chunks, i, place;
    bool ok = fd >= 0;

    for (i = 0; ok && i < n; i++) {
        if (has_bit(blob, i) && chunk_within(&blob->g, i, g, &place)) {
            bits[place / 8] |= (uint8_t)(1u << place % 8);
            ok = place >= i || move_chunk(blob, fd, i, place);
        }
    }
    for (i = n; ok && i-- > 0;) {
        if (has_bit(blob, i) && chunk_within(&blob->g, i, g, &place) && place > i) {
            ok = move_chunk(blob, fd, i, place);
        }
    }
    ok = ok && ftruncate(fd, (off_t)(g->chunks * g->chunk_bytes)) == 0;
    close_keep_errno(fd);
    return ok;
}

/* Gives a partial blob another shape that its chunks allow; they stay. */
static bool rearrange(struct blob *blob, const struct fx_blob_shape *shape,
                      const struct blob_geometry *g)
{
    size_t n = (size_t)(g->chunks + 7) / 8;
    char *old = fx_path_join(blob->dir, "shape");
    uint8_t *bits = fx_xcalloc(n, 1);
    bool ok;

    unlink(old); /* a folder without one is removed at the start: should the process die here */
    free(old);
    ok = move_chunks(blob, g, bits);
    free(blob->bits);
    blob->bits = bits;
    blob->shape = *shape;
    blob->g = *g;
    ok = ok && make_file(blob->dir, "have", n) && write_bits(blob, 0, n) &&
         fx_blob_write_shape(blob->dir, &blob->key, shape, false);
    blob->used = 0; /* the shape is a new file */
    fx_blob_touch(blob);
    return ok;
}

static enum reshape reshape_partial(struct fx_blobs *blobs, struct blob *blob,
                                    const struct fx_blob_shape *shape,
                                    const struct blob_geometry *g)
{
    uint64_t old = fx_blob_bytes(&blob->g), bytes = fx_blob_bytes(g);
    struct fx_blob_key key = blob->key;

    if (blob->have == 0) {
        fx_blobs_remove(blobs, &key);
        return RESHAPE_AGAIN;
    }
    if (!chunks_allow(blob, g)) {
        fx_log_info("a task names the root of a blob with a shape that its chunks rule out");
        return RESHAPE_REFUSED;
    }
    if (bytes > old && !fx_blob_room(blobs, bytes - old)) {
        return RESHAPE_REFUSED;
    }
    blob = fx_blob_find(blobs, &key); /* it may have made room itself */
    if (blob == NULL) {
        return RESHAPE_AGAIN;
    }
    if (!rearrange(blob, shape, g)) {
        fx_log_info("cannot rearrange blob %s: %s", blob->dir, strerror(errno));
        fx_blobs_remove(blobs, &key);
        return RESHAPE_AGAIN;
    }
    if (blob->have == blob->g.chunks && mark_complete(blob)) {
        tell_complete(blobs, key);
    }
    return RESHAPE_DONE;
}

/*
 * The blob is known under another shape. One root can stand for several shapes of the same chunks
 * in the same order (2 x 2 blocks and 4 x 1): the newest is taken then. Any other shape is not of
 * this root where the blob is complete. Where it is not, either may be the right one, but for what
 * the chunks rule out that are there: whichever is named, they stay.
 */
static enum reshape reshape(struct fx_blobs *blobs, struct blob *blob,
                            const struct fx_blob_shape *shape, const struct blob_geometry *g)
{
    unsigned levels = g->low + g->high;

    if (!blob->complete) {
        return reshape_partial(blobs, blob, shape, g);
    }
    if (blob->key.type != FX_BLOB_OPERAND || levels != blob->g.low + blob->g.high ||
        g->chunks != blob->g.chunks || g->chunks != UINT64_C(1) << levels) {
        fx_log_info("a task names the root of a blob with a shape that it does not have");
        return RESHAPE_REFUSED;
    }
    if (!fx_blob_write_shape(blob->dir, &blob->key, shape, true)) {
        return RESHAPE_REFUSED;
    }
    blob->shape = *shape;
    blob->g = *g;
    return RESHAPE_DONE;
}

bool fx_blobs_expect(struct fx_blobs *blobs, const struct fx_blob_key *key,
                     const struct fx_blob_shape *shape)
{
    struct blob *blob = fx_blob_find(blobs, key);
    struct blob_geometry g;
    char *dir;
    bool ok;

    if (!fx_blob_geometry(key->type, shape, &g) || !fx_hash_equal(&key->solver, &shape->solver)) {
        return false;
    }
    if (blob != NULL && fx_blob_same_shape(key->type, &blob->shape, shape)) {
        return true;
    }
    if (blob != NULL) {
        enum reshape done = reshape(blobs, blob, shape, &g);

        if (done != RESHAPE_AGAIN) {
            return done == RESHAPE_DONE;
        }
    }
    if (!fx_blob_room(blobs, fx_blob_bytes(&g))) {
        return false;
    }
    dir = dir_of(blobs, key);
    ok = fx_dir_make(dir) && make_file(dir, "data", g.chunks * g.chunk_bytes) &&
         make_file(dir, "tree", fx_blob_tree_bytes(&g)) &&
         make_file(dir, "have", (g.chunks + 7) / 8) && fx_blob_write_shape(dir, key, shape, false);
    if (ok) {
        fx_blob_touch(add(blobs, key, shape, false));
    } else {
        fx_log_info("cannot make blob %s: %s", dir, strerror(errno));
        fx_blob_remove_dir(dir);
    }
    free(dir);
    return ok;
}

bool fx_blob_adopt(struct fx_blobs *blobs, const char *dir, const struct fx_blob_key *key,
                   const struct fx_blob_shape *shape)
{
    char *to = dir_of(blobs, key);
    struct blob *blob;
    bool ok;

    fx_blobs_remove(blobs, key);
    fx_blob_remove_dir(to);
    ok = rename(dir, to) == 0 && fx_dir_sync(blobs->dir);
    if (ok) {
        blob = add(blobs, key, shape, true);
        fx_blob_touch(blob);
        tell_complete(blobs, blob->key);
    }
    free(to);
    return ok;
}

/* ---- chunks ---- */

/* The chunk number of coordinates; false where there is no such chunk. */
static bool chunk_at(const struct blob *blob, uint32_t x, uint32_t y, uint64_t *chunk)
{
    if (blob->key.type == FX_BLOB_RESULT) {
        *chunk = x;
        return x < blob->g.per_group && y == 0;
    }
    *chunk = (uint64_t)x * blob->g.per_group + y;
    return x < blob->g.groups && y < blob->g.per_group;
}

static bool sync_file(const char *dir, const char *name)
{
    int fd = fx_blob_open_file(dir, name, O_RDWR);
    bool ok = fd >= 0 && fx_fd_sync(fd);

    close_keep_errno(fd);
    return ok;
}

static bool mark_complete(struct blob *blob)
{
    char *have;

    if (!sync_file(blob->dir, "data") || !sync_file(blob->dir, "tree") ||
        !fx_blob_write_shape(blob->dir, &blob->key, &blob->shape, true)) {
        fx_log_info("cannot complete blob %s: %s", blob->dir, strerror(errno));
        return false;
    }
    blob->used = 0; /* the shape is a new file */
    fx_blob_touch(blob);
    have = fx_path_join(blob->dir, "have");
    unlink(have);
    free(have);
    blob->complete = true;
    free(blob->bits);
    blob->bits = NULL;
    fx_log(FX_LOG_BLOBS, "blob %s is complete", blob->dir);
    return true;
}

static bool write_chunk(const struct blob *blob, uint64_t chunk, struct fx_span data,
                        const struct fx_hash *leaf, const uint8_t *path)
{
    int fd = fx_blob_open_file(blob->dir, "data", O_RDWR);
    int tree = fx_blob_open_file(blob->dir, "tree", O_RDWR);
    bool ok = fd >= 0 && tree >= 0 &&
              fx_fd_write_all(fd, chunk * blob->g.chunk_bytes, data.data, data.len);

    if (ok) {
        fx_fd_write_back(fd, chunk * blob->g.chunk_bytes, data.len, false);
    }
    fx_crash_point("blob-put-data");
    ok = ok && fx_blob_tree_put_path(tree, &blob->g, chunk, leaf, path);
    fx_crash_point("blob-put-tree");
    close_keep_errno(fd);
    close_keep_errno(tree);
    return ok;
}

/*
 * An operand's root says nothing of its shape: a task may name one that the root does not have.
 * Whoever has the blob answers from the shape that it knows, where the place of a chunk in the tree
 * depends on how many of its levels are within a panel.
 */
static bool opens_in_some_shape(const struct fx_blob_key *key, uint32_t x, uint32_t y,
                                const struct fx_hash *leaf, const uint8_t *path, size_t n_path)
{
    unsigned low_max = key->type == FX_BLOB_OPERAND ? LEVELS_OF_PANEL_MAX : 0;

    for (unsigned low = 0; low <= low_max && low <= n_path && n_path <= FX_BLOB_PATH_MAX; low++) {
        uint64_t index = (uint64_t)x << low | y;
        struct fx_hash root;

        if (y >> low != 0 || index >> n_path != 0) {
            continue;
        }
        fx_commit_climb(leaf, index, path, (unsigned)n_path, &root);
        if (fx_hash_equal(&root, &key->root)) {
            return true;
        }
    }
    return false;
}

enum fx_blob_put fx_blobs_put(struct fx_blobs *blobs, const struct fx_blob_key *key, uint32_t x,
                              uint32_t y, struct fx_span data, const uint8_t *path, size_t n_path)
{
    struct blob *blob = fx_blob_find(blobs, key);
    struct fx_hash leaf, root;
    bool opens = false;
    uint64_t chunk;

    if (blob == NULL || !chunk_at(blob, x, y, &chunk)) {
        return FX_BLOB_PUT_UNASKED;
    }
    if (has_bit(blob, chunk)) {
        return FX_BLOB_PUT_KNOWN;
    }
    if (data.len != blob->g.chunk_bytes) {
        return FX_BLOB_PUT_BAD;
    }
    fx_blob_chunk_root(key->type, &blob->shape, data.data, &leaf);
    if (n_path == blob->g.low + blob->g.high) {
        fx_blob_tree_climb(&blob->g, chunk, &leaf, path, &root);
        opens = fx_hash_equal(&root, &key->root) && fx_blob_tree_ends(&blob->g, chunk, path);
    }
    if (!opens) {
        return opens_in_some_shape(key, x, y, &leaf, path, n_path) ? FX_BLOB_PUT_SHAPE
                                                                   : FX_BLOB_PUT_BAD;
    }
    blob->bits[chunk / 8] |= (uint8_t)(1u << chunk % 8);
    if (!write_chunk(blob, chunk, data, &leaf, path) || !write_bits(blob, chunk / 8, 1)) {
        fx_log_info("cannot write to blob %s: %s", blob->dir, strerror(errno));
        blob->bits[chunk / 8] &= (uint8_t) ~(1u << chunk % 8);
        return FX_BLOB_PUT_FAILED;
    }
    fx_blob_touch(blob);
    blob->have++;
    if (blob->have == blob->g.chunks && mark_complete(blob)) {
        tell_complete(blobs, blob->key);
    }
    return FX_BLOB_PUT_OK;
}

/* A chunk whose bytes are not what they were: it is missing from now on. */
static void lose_chunk(struct blob *blob, uint64_t chunk)
{
    size_t n = (size_t)(blob->g.chunks + 7) / 8;

    fx_log_info("blob %s: chunk %llu is damaged on disk", blob->dir, (unsigned long long)chunk);
    if (blob->complete) {
        blob->bits = fx_xmalloc(n);
        memset(blob->bits, 0xff, n);
        blob->complete = false;
    }
    blob->bits[chunk / 8] &= (uint8_t) ~(1u << chunk % 8);
    blob->have--;
    if (!write_bits(blob, 0, n) ||
        !fx_blob_write_shape(blob->dir, &blob->key, &blob->shape, false)) {
        fx_log_info("blob %s: %s", blob->dir, strerror(errno));
    }
}

static bool read_file(const struct blob *blob, const char *name, uint64_t offset, void *out,
                      size_t n)
{
    int fd = fx_blob_open_file(blob->dir, name, O_RDONLY);
    bool ok = fd >= 0 && fx_fd_read_all(fd, offset, out, n);

    close_keep_errno(fd);
    return ok;
}

bool fx_blobs_get(struct fx_blobs *blobs, const struct fx_blob_key *key, uint32_t x, uint32_t y,
                  uint8_t *data, size_t *n, uint8_t *path, size_t *n_path)
{
    struct blob *blob = fx_blob_find(blobs, key);
    struct fx_hash leaf, stored;
    uint64_t chunk;

    if (blob == NULL || !chunk_at(blob, x, y, &chunk) || !has_bit(blob, chunk)) {
        return false;
    }
    *n = blob->g.chunk_bytes;
    *n_path = blob->g.low + blob->g.high;
    errno = 0;
    if (read_file(blob, "data", chunk * *n, data, *n) && read_path(blob, chunk, &stored, path)) {
        fx_blob_chunk_root(key->type, &blob->shape, data, &leaf);
        if (fx_hash_equal(&leaf, &stored)) {
            fx_blob_touch(blob);
            return true;
        }
        errno = 0;
    }
    /* errno 0: the system did its part, the bytes are wrong or too few. */
    if (errno == 0) {
        lose_chunk(blob, chunk);
    } else {
        fx_log_info("cannot read blob %s: %s", blob->dir, strerror(errno));
    }
    return false;
}

bool fx_blobs_path(struct fx_blobs *blobs, const struct fx_blob_key *key, uint32_t x, uint32_t y,
                   uint8_t *path, size_t *n_path)
{
    struct blob *blob = fx_blob_find(blobs, key);
    struct fx_hash leaf;
    uint64_t chunk;

    if (blob == NULL || !chunk_at(blob, x, y, &chunk) || !has_bit(blob, chunk)) {
        return false;
    }
    *n_path = blob->g.low + blob->g.high;
    return read_path(blob, chunk, &leaf, path);
}

size_t fx_blobs_missing(struct fx_blobs *blobs, const struct fx_blob_key *key, uint64_t *from,
                        uint32_t (*xy)[2], size_t max)
{
    const struct blob *blob = fx_blob_find(blobs, key);
    size_t n = 0;

    if (blob == NULL || blob->complete) {
        return 0;
    }
    for (; n < max && *from < blob->g.chunks; (*from)++) {
        if (!has_bit(blob, *from)) {
            bool result = key->type == FX_BLOB_RESULT;

            xy[n][0] = (uint32_t)(result ? *from : *from / blob->g.per_group);
            xy[n][1] = (uint32_t)(result ? 0 : *from % blob->g.per_group);
            n++;
        }
    }
    return n;
}
