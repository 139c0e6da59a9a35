/* How much the blob store takes, how much it may, and what in it nobody uses. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/store/blob_int.h"
#include "src/sys/clock.h"
#include "src/sys/file.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

#define TOUCH_SECONDS 60

uint64_t fx_blob_bytes(const struct blob_geometry *g)
{
    return g->chunks * g->chunk_bytes + fx_blob_tree_bytes(g);
}

void fx_blob_touch(struct blob *blob)
{
    int64_t now = fx_clock_now();
    char *shape;

    if (now < blob->used + TOUCH_SECONDS && now > blob->used - TOUCH_SECONDS) {
        return;
    }
    blob->used = now;
    shape = fx_path_join(blob->dir, "shape");
    (void)fx_path_set_changed(shape, now); /* where it fails, a restart forgets the use */
    free(shape);
}

/* ---- uploads ----------------------------------------------------------------------------- */

/* Calls visit with the path of each entry of the folder of uploads: folders (ID) and notes of
 * finished ones (ID.root). */
static void each_upload(const struct fx_blobs *blobs,
                        void (*visit)(void *ctx, const char *path, const char *name), void *ctx)
{
    DIR *d = opendir(blobs->uploads);
    struct dirent *entry;

    while (d != NULL && (entry = readdir(d)) != NULL) {
        if (entry->d_name[0] != '.') {
            char *path = fx_path_join(blobs->uploads, entry->d_name);

            visit(ctx, path, entry->d_name);
            free(path);
        }
    }
    if (d != NULL) {
        closedir(d);
    }
}

static void add_bytes(void *ctx, const char *path, const char *name)
{
    uint64_t *sum = ctx;
    struct fx_blob_shape shape;
    struct blob_geometry g;
    struct fx_blob_key key;
    bool complete;

    (void)name;
    if (fx_blob_read_shape(path, &key, &shape, &complete) &&
        fx_blob_geometry(key.type, &shape, &g)) {
        *sum += fx_blob_bytes(&g);
    }
}

struct expiry {
    struct fx_blobs *blobs;
    int64_t before; /* unix time */
};

static void expire_one(void *ctx, const char *path, const char *name)
{
    const struct expiry *expiry = ctx;
    size_t n = strlen(name);
    int64_t changed;
    char *count;

    if (n > 5 && strcmp(name + n - 5, ".root") == 0) {
        if (!fx_upload_is_known(expiry->blobs, path)) {
            unlink(path);
        }
        return;
    }
    count = fx_path_join(path, "received");
    if (!fx_path_changed(count, &changed) || changed < expiry->before) {
        fx_log_info("upload %s was given up: removed", name);
        fx_blob_remove_dir(path);
    }
    free(count);
}

void fx_uploads_expire(struct fx_blobs *blobs, int64_t seconds)
{
    struct expiry expiry = {blobs, fx_clock_now() - seconds};

    each_upload(blobs, expire_one, &expiry);
}

/* ---- room -------------------------------------------------------------------------------- */

void fx_blobs_set_limit(struct fx_blobs *blobs, uint64_t bytes)
{
    blobs->limit = bytes;
}

void fx_blobs_set_room(struct fx_blobs *blobs, void (*make_room)(void *ctx, uint64_t bytes),
                       void *ctx)
{
    blobs->make_room = make_room;
    blobs->room_ctx = ctx;
}

uint64_t fx_blobs_bytes(struct fx_blobs *blobs)
{
    uint64_t sum = 0;
    size_t at = 0;
    void *value;

    while (fx_map_next(blobs->blobs, &at, NULL, &value)) {
        sum += fx_blob_bytes(&((const struct blob *)value)->g);
    }
    each_upload(blobs, add_bytes, &sum);
    return sum;
}

bool fx_blobs_use(struct fx_blobs *blobs, const struct fx_blob_key *key, uint64_t *bytes,
                  int64_t *idle)
{
    const struct blob *blob = fx_blob_find(blobs, key);

    if (blob == NULL) {
        return false;
    }
    *bytes = fx_blob_bytes(&blob->g);
    *idle = fx_clock_now() - blob->used;
    return true;
}

static uint64_t disk_spare(const struct fx_blobs *blobs)
{
    uint64_t there = fx_disk_free(blobs->dir);

    return there > FX_BLOB_DISK_MARGIN ? there - FX_BLOB_DISK_MARGIN : 0;
}

uint64_t fx_blobs_spare(struct fx_blobs *blobs)
{
    uint64_t spare = disk_spare(blobs);

    if (blobs->limit != 0) {
        uint64_t used = fx_blobs_bytes(blobs);
        uint64_t left = blobs->limit > used ? blobs->limit - used : 0;

        spare = left < spare ? left : spare;
    }
    return spare;
}

bool fx_blob_disk_room(const struct fx_blobs *blobs, uint64_t bytes)
{
    return disk_spare(blobs) >= bytes;
}

bool fx_blob_room(struct fx_blobs *blobs, uint64_t bytes)
{
    uint64_t spare = fx_blobs_spare(blobs);

    if (spare < bytes && blobs->make_room != NULL) {
        blobs->make_room(blobs->room_ctx, bytes - spare);
        spare = fx_blobs_spare(blobs);
    }
    if (spare < bytes) {
        fx_log_info("no room for data of %llu bytes: %s leaves %llu", (unsigned long long)bytes,
                    fx_blob_disk_room(blobs, bytes) ? "-maxblobs" : "the disk",
                    (unsigned long long)spare);
    }
    return spare >= bytes;
}
