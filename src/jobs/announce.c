/*
 * Announcing blobs. A peer listens only once it knows of a task that names the blob, which it may
 * learn later than this node: so each blob is announced again after growing pauses.
 */
#include <stdlib.h>
#include <string.h>

#include "src/jobs/jobs_int.h"
#include "src/sys/clock.h"
#include "src/util/mem.h"

#define FIRST_PAUSE_MS 1000
#define LAST_PAUSE_MS 60000

struct announcement {
    struct fx_blob_key key;
    int64_t at_ms;    /* monotonic */
    int64_t pause_ms; /* after that */
    bool wanted;      /* some task named it since it was started */
};

static void map_key(const struct fx_blob_key *key, uint8_t bytes[33])
{
    bytes[0] = (uint8_t)key->type;
    memcpy(bytes + 1, key->root.b, 32);
}

void fx_announce_start(struct fx_jobs *jobs, const struct fx_blob_key *key)
{
    struct announcement *announcement;
    uint8_t bytes[33];

    map_key(key, bytes);
    announcement = fx_map_get(jobs->announce, bytes);
    if (announcement == NULL) {
        announcement = fx_xcalloc(1, sizeof *announcement);
        announcement->key = *key;
        fx_map_put(jobs->announce, bytes, announcement);
    }
    announcement->at_ms = fx_clock_monotonic_ms();
    announcement->pause_ms = FIRST_PAUSE_MS;
    announcement->wanted = false;
    fx_jobs_kick(jobs);
}

static bool is_pending(const struct fx_jobs *jobs, const struct fx_blob_key *key)
{
    void *value;
    size_t at = 0;

    while (fx_map_next(jobs->pending, &at, NULL, &value)) {
        const struct fx_book_job *job = value;

        if (key->type == FX_BLOB_OPERAND && (fx_hash_equal(&job->gemm.root_a, &key->root) ||
                                             fx_hash_equal(&job->gemm.root_b, &key->root))) {
            return true;
        }
    }
    return false;
}

void fx_announce_step(struct fx_jobs *jobs)
{
    int64_t now = fx_clock_monotonic_ms();
    const void *key;
    void *value;
    size_t at = 0;

    while (fx_map_next(jobs->announce, &at, &key, &value)) {
        struct announcement *announcement = value;
        bool named = fx_book_names_root(jobs->book, &announcement->key, NULL, 0) > 0;

        if (now < announcement->at_ms) {
            continue;
        }
        /* A result is named once its claim is mined; until then the blob is only about to be. */
        announcement->wanted = announcement->wanted || named;
        if (fx_blobs_state(jobs->config.blobs, &announcement->key) != FX_BLOB_COMPLETE ||
            (announcement->wanted && !named && !is_pending(jobs, &announcement->key))) {
            free(fx_map_remove(jobs->announce, key));
            continue;
        }
        fx_net_announce_blob(jobs->config.net, &announcement->key);
        announcement->at_ms = now + announcement->pause_ms;
        announcement->pause_ms *= 2;
        if (announcement->pause_ms > LAST_PAUSE_MS) {
            announcement->pause_ms = LAST_PAUSE_MS;
        }
    }
}
