/* Fetching blobs: which chunk is asked of whom, and what comes of it. */
#include "src/net/blobfetch_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/net/blobdir_int.h"
#include "src/net/dial_int.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/util/map.h"
#include "src/util/mem.h"

#define BATCH 64           /* coordinates taken from the store at a time */
#define LACK_FIRST_MS 1000 /* a peer without the chunk is asked again after this, then twice it */
#define LACK_MAX_MS 300000
#define LACK_BAD_MS 600000 /* a peer that sent a wrong chunk, or one of another shape */
#define DISK_WAIT_MS 30000
#define IDLE_MS 120000
#define UNASKED_SCORE 10
#define BAD_CHUNK_SCORE 50

/* A peer that is not asked for a blob for a while. */
struct lack {
    uint64_t peer;
    int64_t until_ms, wait_ms;
};

struct fetch {
    struct fx_blob_key key;
    uint64_t from;           /* where the store goes on listing what is missing */
    uint32_t next[BATCH][2]; /* listed, not asked yet */
    size_t n_next, next_at;
    uint32_t again[FX_CHUNKS_ALL][2]; /* asked in vain */
    size_t n_again;
    size_t in_flight;
    struct lack *lacks;
    size_t n_lacks;
    int64_t paused_until_ms; /* the disk is full, say */
};

struct request {
    uint32_t id;
    struct fetch *fetch;
    uint64_t peer;
    uint32_t x, y;
    int64_t asked_ms;
};

struct fx_blobfetch {
    struct fx_map *by_key; /* key bytes -> struct fetch */
    struct fetch **list;
    size_t n, cap;
    size_t turn; /* where the next round starts, so that every fetch gets its share */
    struct request requests[FX_CHUNKS_ALL];
    size_t n_requests;
    uint32_t next_id;
    bool running;
};

void fx_blobfetch_create(struct fx_net *net)
{
    net->blobfetch = fx_xcalloc(1, sizeof *net->blobfetch);
    net->blobfetch->by_key = fx_map_create(FX_BLOB_KEY_SIZE, net->map_key[0], net->map_key[1]);
}

static void free_fetch(struct fetch *fetch)
{
    free(fetch->lacks);
    free(fetch);
}

void fx_blobfetch_destroy(struct fx_net *net)
{
    struct fx_blobfetch *bf = net->blobfetch;

    if (bf == NULL) {
        return;
    }
    for (size_t i = 0; i < bf->n; i++) {
        free_fetch(bf->list[i]);
    }
    fx_map_destroy(bf->by_key, NULL);
    free(bf->list);
    free(bf);
    net->blobfetch = NULL;
}

static struct fetch *find(const struct fx_net *net, const struct fx_blob_key *key)
{
    uint8_t bytes[FX_BLOB_KEY_SIZE];

    fx_blob_key_bytes(key, bytes);
    return fx_map_get(net->blobfetch->by_key, bytes);
}

bool fx_blobfetch_active(const struct fx_net *net, const struct fx_blob_key *key)
{
    return net->blobfetch != NULL && find(net, key) != NULL;
}

size_t fx_blobfetch_count(const struct fx_net *net)
{
    return net->blobfetch->n;
}

bool fx_blobfetch_start(struct fx_net *net, const struct fx_blob_key *key)
{
    struct fx_blobfetch *bf = net->blobfetch;
    struct fetch *fetch = NULL;
    uint8_t bytes[FX_BLOB_KEY_SIZE];

    if (net->blobs == NULL || find(net, key) != NULL) {
        return net->blobs != NULL;
    }
    if (bf->n >= FX_FETCHES_MAX) {
        fx_log_info("net: too many blobs are being fetched, one more is not");
        return false;
    }
    if (bf->n == bf->cap) {
        bf->cap = bf->cap == 0 ? 16 : bf->cap * 2;
        bf->list = fx_xreallocarray(bf->list, bf->cap, sizeof(*bf->list));
    }
    fetch = fx_xcalloc(1, sizeof *fetch);
    fetch->key = *key;
    bf->list[bf->n++] = fetch;
    fx_blob_key_bytes(key, bytes);
    fx_map_put(bf->by_key, bytes, fetch);
    return true;
}

/* ---- requests -------------------------------------------------------------------------------- */

static void end_request(struct fx_net *net, size_t at, bool ask_again)
{
    struct fx_blobfetch *bf = net->blobfetch;
    struct request request = bf->requests[at];
    struct fx_peer *peer = fx_net_peer(net, request.peer);

    bf->requests[at] = bf->requests[--bf->n_requests];
    request.fetch->in_flight--;
    if (ask_again) {
        request.fetch->again[request.fetch->n_again][0] = request.x;
        request.fetch->again[request.fetch->n_again++][1] = request.y;
    }
    if (peer != NULL && --peer->blobs.in_flight == 0) {
        peer->blobs.idle_since_ms = fx_clock_monotonic_ms();
    }
}

static void end_fetch(struct fx_net *net, struct fetch *fetch)
{
    struct fx_blobfetch *bf = net->blobfetch;
    uint8_t bytes[FX_BLOB_KEY_SIZE];

    for (size_t i = bf->n_requests; i > 0; i--) {
        if (bf->requests[i - 1].fetch == fetch) {
            struct fx_peer *peer = fx_net_peer(net, bf->requests[i - 1].peer);

            if (peer != NULL) {
                peer->blobs.late++;
            }
            end_request(net, i - 1, false);
        }
    }
    for (size_t i = 0; i < bf->n; i++) {
        if (bf->list[i] == fetch) {
            bf->list[i] = bf->list[--bf->n];
            break;
        }
    }
    fx_blob_key_bytes(&fetch->key, bytes);
    fx_map_remove(bf->by_key, bytes);
    free_fetch(fetch);
}

void fx_blobfetch_cancel(struct fx_net *net, const struct fx_blob_key *key)
{
    struct fetch *fetch = find(net, key);

    if (fetch != NULL) {
        end_fetch(net, fetch);
    }
}

static struct lack *find_lack(const struct fetch *fetch, uint64_t peer)
{
    for (size_t i = 0; i < fetch->n_lacks; i++) {
        if (fetch->lacks[i].peer == peer) {
            return &fetch->lacks[i];
        }
    }
    return NULL;
}

/* wait_ms 0: a little, and more each time. */
static void note_lack(struct fetch *fetch, uint64_t peer, int64_t wait_ms)
{
    struct lack *lack = find_lack(fetch, peer);

    if (lack == NULL) {
        fetch->lacks = fx_xreallocarray(fetch->lacks, fetch->n_lacks + 1, sizeof *fetch->lacks);
        lack = &fetch->lacks[fetch->n_lacks++];
        lack->peer = peer;
        lack->wait_ms = LACK_FIRST_MS / 2;
    }
    lack->wait_ms = wait_ms != 0 ? wait_ms : lack->wait_ms * 2;
    lack->wait_ms = lack->wait_ms > LACK_MAX_MS && wait_ms == 0 ? LACK_MAX_MS : lack->wait_ms;
    lack->until_ms = fx_clock_monotonic_ms() + lack->wait_ms;
}

static void forget_lack(struct fetch *fetch, uint64_t peer)
{
    struct lack *lack = find_lack(fetch, peer);

    if (lack != NULL) {
        *lack = fetch->lacks[--fetch->n_lacks];
    }
}

/* The next chunk to ask for; false: none now. */
static bool next_chunk(struct fx_net *net, struct fetch *fetch, uint32_t *x, uint32_t *y)
{
    if (fetch->n_again > 0) {
        fetch->n_again--;
        *x = fetch->again[fetch->n_again][0];
        *y = fetch->again[fetch->n_again][1];
        return true;
    }
    if (fetch->next_at == fetch->n_next) {
        fetch->n_next = fx_blobs_missing(net->blobs, &fetch->key, &fetch->from, fetch->next, BATCH);
        fetch->next_at = 0;
    }
    if (fetch->next_at == fetch->n_next) {
        return false;
    }
    *x = fetch->next[fetch->next_at][0];
    *y = fetch->next[fetch->next_at++][1];
    return true;
}

static void put_back(struct fetch *fetch, uint32_t x, uint32_t y)
{
    fetch->again[fetch->n_again][0] = x;
    fetch->again[fetch->n_again++][1] = y;
}

/*
 * Whom to ask: of those that announced the root the least busy; where none of them can be asked at
 * all, of the others with job data. *exists: there is one, busy or not.
 */
static struct fx_peer *choose_peer(struct fx_net *net, const struct fetch *fetch, int64_t now_ms,
                                   bool *exists)
{
    struct fx_peer *best[2] = {NULL, NULL};
    bool any[2] = {false, false};

    for (size_t i = 0; i < net->n_peers; i++) {
        struct fx_peer *peer = net->peers[i];
        const struct lack *lack = find_lack(fetch, peer->id);
        unsigned rank;

        if (!fx_peer_has_jobdata(peer) || (lack != NULL && lack->until_ms > now_ms)) {
            continue;
        }
        rank = fx_blobdir_announced_by(net, &fetch->key, peer->id) ? 0 : 1;
        any[rank] = true;
        if (peer->blobs.in_flight < FX_CHUNKS_PER_PEER &&
            (best[rank] == NULL || peer->blobs.in_flight < best[rank]->blobs.in_flight)) {
            best[rank] = peer;
        }
    }
    *exists = any[0] || any[1];
    return any[0] ? best[0] : best[1];
}

static void dial_for(struct fx_net *net, const struct fetch *fetch, int64_t now_ms)
{
    struct fx_netaddr addresses[FX_ADDRESSES_A_ROOT];
    size_t n = fx_blobdir_addresses(net, &fetch->key, addresses);

    for (size_t i = 0; i < n; i++) {
        if (fx_dial_for_blob(net, &addresses[i], now_ms)) {
            return;
        }
    }
}

static void send_request(struct fx_net *net, struct fetch *fetch, struct fx_peer *peer, uint32_t x,
                         uint32_t y, int64_t now_ms)
{
    struct fx_blobfetch *bf = net->blobfetch;
    struct request *request = &bf->requests[bf->n_requests++];
    struct fx_msg_chunk_id m = {.request = bf->next_id++, .key = fetch->key, .x = x, .y = y};
    struct fx_buf buf = FX_BUF_INIT;

    *request = (struct request){m.request, fetch, peer->id, x, y, now_ms};
    fetch->in_flight++;
    peer->blobs.in_flight++;
    fx_msg_chunk_id_write(&m, &buf);
    fx_peer_send(peer, "getchunk", &buf);
}

static void finish(struct fx_net *net, struct fetch *fetch)
{
    struct fx_blob_key key = fetch->key;
    char hex[FX_HASH_HEX];

    fx_hash_to_hex(&key.root, hex);
    fx_log(FX_LOG_BLOBS, "net: %s %s is complete",
           key.type == FX_BLOB_OPERAND ? "operand" : "result", hex);
    end_fetch(net, fetch);
    if (net->jobs != NULL && fx_jobs_names_root(net->jobs, &key, NULL, 0) > 0) {
        fx_blobdir_announce(net, &key);
    }
}

enum step {
    STEP_ASKED = 0,
    STEP_IDLE, /* nothing to ask, or nobody */
    STEP_ENDED /* the fetch is gone */
};

/* One request of one fetch. */
static enum step step(struct fx_net *net, struct fetch *fetch, int64_t now_ms)
{
    struct fx_peer *peer = NULL;
    bool exists = false;
    uint32_t x, y;

    if (fetch->paused_until_ms > now_ms) {
        return STEP_IDLE;
    }
    if (!next_chunk(net, fetch, &x, &y)) {
        if (fetch->in_flight > 0) {
            return STEP_IDLE;
        }
        /* All listed and nothing open: complete, cancelled below us, or to be listed again. */
        switch (fx_blobs_state(net->blobs, &fetch->key)) {
        case FX_BLOB_COMPLETE:
            finish(net, fetch);
            return STEP_ENDED;
        case FX_BLOB_ABSENT:
            end_fetch(net, fetch);
            return STEP_ENDED;
        case FX_BLOB_PARTIAL:
            fetch->from = 0;
            return STEP_IDLE;
        }
        return STEP_IDLE;
    }
    peer = choose_peer(net, fetch, now_ms, &exists);
    if (peer != NULL && !fx_rate_take(&net->fetch, fx_chunk_bytes(fetch->key.type), now_ms)) {
        put_back(fetch, x, y); /* the tick goes on */
        return STEP_IDLE;
    }
    if (peer == NULL) {
        put_back(fetch, x, y);
        if (!exists) {
            dial_for(net, fetch, now_ms);
        }
        return STEP_IDLE;
    }
    send_request(net, fetch, peer, x, y, now_ms);
    return STEP_ASKED;
}

void fx_blobfetch_run(struct fx_net *net)
{
    struct fx_blobfetch *bf = net->blobfetch;
    int64_t now_ms = fx_clock_monotonic_ms();
    size_t idle = 0;

    if (net->blobs == NULL || bf->running) {
        return;
    }
    /* What is raised from here may ask for a run again: this one sees it. */
    bf->running = true;
    while (bf->n > 0 && idle < bf->n && bf->n_requests < FX_CHUNKS_ALL) {
        bf->turn = bf->turn >= bf->n ? 0 : bf->turn;
        switch (step(net, bf->list[bf->turn], now_ms)) {
        case STEP_ASKED:
            idle = 0;
            bf->turn++;
            break;
        case STEP_IDLE:
            idle++;
            bf->turn++;
            break;
        case STEP_ENDED:
            idle = 0;
            break;
        }
    }
    bf->running = false;
}

void fx_blobfetch_offered(struct fx_net *net, const struct fx_blob_key *key, uint64_t peer)
{
    struct fx_blobfetch *bf = net->blobfetch;

    for (size_t i = 0; i < bf->n; i++) {
        struct fetch *fetch = bf->list[i];

        if (fetch->key.type == key->type && fx_hash_equal(&fetch->key.root, &key->root)) {
            forget_lack(fetch, peer);
            net->fetch_wanted = true;
            fx_net_flush_soon(net);
        }
    }
}

/* ---- answers --------------------------------------------------------------------------------- */

static bool find_request(const struct fx_peer *peer, const struct fx_msg_chunk_id *m, size_t *at)
{
    const struct fx_blobfetch *bf = peer->net->blobfetch;

    for (size_t i = 0; i < bf->n_requests; i++) {
        const struct request *request = &bf->requests[i];

        if (request->peer == peer->id && request->id == m->request && request->x == m->x &&
            request->y == m->y && fx_blob_key_equal(&request->fetch->key, &m->key)) {
            *at = i;
            return true;
        }
    }
    return false;
}

/* An answer to nothing that is open: one that was given up on may still come, any other counts. */
static void unasked(struct fx_peer *peer, const char *why)
{
    if (peer->blobs.late > 0) {
        peer->blobs.late--;
    } else {
        fx_peer_misbehaved(peer, UNASKED_SCORE, why);
    }
}

static void put_chunk(struct fx_peer *peer, const struct fx_msg_chunk_id *m, struct fx_span data,
                      const uint8_t *path, size_t n_path)
{
    struct fx_net *net = peer->net;
    enum fx_blob_put result = fx_blobs_put(net->blobs, &m->key, m->x, m->y, data, path, n_path);
    /* The store may have called others, and they may have ended the fetch. */
    struct fetch *fetch = find(net, &m->key);

    switch (result) {
    case FX_BLOB_PUT_OK:
    case FX_BLOB_PUT_KNOWN:
        if (fetch != NULL) {
            forget_lack(fetch, peer->id);
        }
        return;
    case FX_BLOB_PUT_UNASKED:
        if (fetch != NULL) {
            end_fetch(net, fetch);
        }
        return;
    case FX_BLOB_PUT_BAD:
        if (fetch != NULL) {
            put_back(fetch, m->x, m->y);
            note_lack(fetch, peer->id, LACK_BAD_MS);
        }
        fx_peer_misbehaved(peer, BAD_CHUNK_SCORE, "a chunk that does not open under its root");
        return;
    case FX_BLOB_PUT_SHAPE:
        /* Not the peer's fault: it is the task's that names a shape which the root does not have.
         */
        if (fetch != NULL) {
            put_back(fetch, m->x, m->y);
            note_lack(fetch, peer->id, LACK_BAD_MS);
        }
        return;
    case FX_BLOB_PUT_FAILED:
        if (fetch != NULL) {
            put_back(fetch, m->x, m->y);
            fetch->paused_until_ms = fx_clock_monotonic_ms() + DISK_WAIT_MS;
            fx_log_info("net: a chunk could not be stored; fetching it pauses for %d seconds",
                        DISK_WAIT_MS / 1000);
        }
        return;
    }
}

bool fx_handle_chunk(struct fx_peer *peer, struct fx_reader *r)
{
    struct fx_net *net = peer->net;
    struct fx_msg_chunk_id m;
    struct fx_span data;
    const uint8_t *path = NULL;
    size_t n_path = 0;
    size_t at = 0;

    if (!fx_msg_chunk_read(r, &m, &data, &path, &n_path)) {
        return false;
    }
    if (!find_request(peer, &m, &at)) {
        unasked(peer, "a chunk that was not asked for");
        return true;
    }
    peer->blobs.last_chunk_ms = fx_clock_monotonic_ms();
    end_request(net, at, false);
    put_chunk(peer, &m, data, path, n_path);
    fx_blobfetch_run(net);
    return true;
}

bool fx_handle_nochunk(struct fx_peer *peer, struct fx_reader *r)
{
    struct fx_net *net = peer->net;
    struct fx_msg_chunk_id m;
    struct fetch *fetch = NULL;
    size_t at = 0;

    if (!fx_msg_chunk_id_read(r, &m)) {
        return false;
    }
    if (!find_request(peer, &m, &at)) {
        unasked(peer, "an answer to a request that was not made");
        return true;
    }
    fetch = net->blobfetch->requests[at].fetch;
    end_request(net, at, true);
    /* Those on their way to it get the same answer; one of them is enough to wait longer. */
    if (find_lack(fetch, peer->id) == NULL ||
        find_lack(fetch, peer->id)->until_ms <= fx_clock_monotonic_ms()) {
        note_lack(fetch, peer->id, 0);
    }
    fx_blobfetch_run(net);
    return true;
}

/* ---- peers and time -------------------------------------------------------------------------- */

void fx_blobfetch_peer_ready(struct fx_peer *peer)
{
    peer->blobs.idle_since_ms = fx_clock_monotonic_ms();
    fx_blobfetch_run(peer->net);
}

void fx_blobfetch_peer_gone(struct fx_peer *peer)
{
    struct fx_blobfetch *bf = peer->net->blobfetch;

    for (size_t i = bf->n_requests; i > 0; i--) {
        if (bf->requests[i - 1].peer == peer->id) {
            end_request(peer->net, i - 1, true);
        }
    }
    for (size_t i = 0; i < bf->n; i++) {
        forget_lack(bf->list[i], peer->id);
    }
}

static void expire_requests(struct fx_net *net, int64_t now_ms)
{
    struct fx_blobfetch *bf = net->blobfetch;

    for (size_t i = bf->n_requests; i > 0; i--) {
        struct request request = bf->requests[i - 1];
        struct fx_peer *peer = fx_net_peer(net, request.peer);
        int64_t since = request.asked_ms;

        if (peer != NULL && peer->blobs.last_chunk_ms > since) {
            since = peer->blobs.last_chunk_ms;
        }
        if (now_ms - since <= FX_CHUNK_MS) {
            continue;
        }
        if (peer != NULL) {
            peer->blobs.late++;
        }
        note_lack(request.fetch, request.peer, 0);
        end_request(net, i - 1, true);
    }
}

void fx_blobfetch_tick(struct fx_net *net, int64_t now_ms)
{
    expire_requests(net, now_ms);
    fx_blobfetch_run(net);
    for (size_t i = 0; i < net->n_peers; i++) {
        struct fx_peer *peer = net->peers[i];

        if (peer->origin == FX_PEER_BLOB && fx_peer_ready(peer) && peer->blobs.in_flight == 0 &&
            now_ms - peer->blobs.idle_since_ms > IDLE_MS) {
            fx_peer_drop(peer, "its data is no longer needed");
        }
    }
}
