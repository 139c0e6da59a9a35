/* The directory of who serves which data, and serving our own. */
#include "src/net/blobdir_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/crypto/sha256.h"
#include "src/net/blobfetch_int.h"
#include "src/net/dial_int.h"
#include "src/net/rolling_int.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/sys/random.h"
#include "src/util/map.h"
#include "src/util/mem.h"

#define SWEEP_MS 30000
#define EARLY_MS 3600000
#define RELAYED_MAX 65536

struct root {
    struct fx_blob_key key;
    struct fx_netaddr addresses[FX_ADDRESSES_A_ROOT];
    size_t n_addresses;
    uint64_t announcers[FX_ADDRESSES_A_ROOT]; /* peers by id */
    size_t n_announcers;
    int64_t pass_on_ms; /* monotonic: when this node fetches it for others; 0: not asked to */
};

/* One whose root no task names yet: the task may be in a block that is still to come. */
struct early {
    struct fx_msg_invdata m;
    uint64_t peer;
    int64_t until_ms;
};

struct fx_blobdir {
    struct fx_map *roots;       /* the root's part of key bytes -> struct root */
    struct fx_rolling *relayed; /* (root, address) pairs */
    struct early early[FX_EARLY_MAX];
    size_t n_early;
    int64_t next_sweep_ms;
    uint8_t data[FX_BLOB_CHUNK_MAX]; /* the chunk being served */
    uint8_t path[FX_BLOB_PATH_MAX * 32];
};

void fx_blob_key_bytes(const struct fx_blob_key *key, uint8_t bytes[FX_BLOB_KEY_SIZE])
{
    bytes[0] = (uint8_t)key->type;
    memcpy(bytes + 1, key->root.b, sizeof key->root.b);
    memcpy(bytes + 33, key->solver.b, sizeof key->solver.b);
}

bool fx_blob_key_equal(const struct fx_blob_key *a, const struct fx_blob_key *b)
{
    return a->type == b->type && fx_hash_equal(&a->root, &b->root) &&
           fx_hash_equal(&a->solver, &b->solver);
}

void fx_blobdir_create(struct fx_net *net)
{
    struct fx_blobdir *dir = fx_xcalloc(1, sizeof *dir);

    net->blobdir = dir;
    dir->roots = fx_map_create(FX_BLOB_ROOT_SIZE, net->map_key[0], net->map_key[1]);
    dir->relayed = fx_rolling_create(RELAYED_MAX);
}

void fx_blobdir_destroy(struct fx_net *net)
{
    if (net->blobdir == NULL) {
        return;
    }
    fx_map_destroy(net->blobdir->roots, free);
    fx_rolling_destroy(net->blobdir->relayed);
    free(net->blobdir);
    net->blobdir = NULL;
}

static struct root *find_root(const struct fx_net *net, const struct fx_blob_key *key)
{
    uint8_t bytes[FX_BLOB_KEY_SIZE];

    fx_blob_key_bytes(key, bytes);
    return fx_map_get(net->blobdir->roots, bytes);
}

static struct root *make_root(struct fx_net *net, const struct fx_blob_key *key)
{
    struct root *root = find_root(net, key);
    uint8_t bytes[FX_BLOB_KEY_SIZE];

    if (root != NULL || fx_map_count(net->blobdir->roots) >= FX_ROOTS_MAX) {
        return root;
    }
    root = fx_xcalloc(1, sizeof *root);
    root->key = *key;
    fx_blob_key_bytes(key, bytes);
    fx_map_put(net->blobdir->roots, bytes, root);
    return root;
}

/* ---- announcements --------------------------------------------------------------------------- */

static struct fx_hash invdata_hash(const struct fx_msg_invdata *m)
{
    struct fx_buf buf = FX_BUF_INIT;
    struct fx_hash hash;

    fx_msg_invdata_write(m, &buf);
    fx_sha256(buf.data, buf.len, hash.b);
    fx_buf_clear(&buf);
    return hash;
}

/* again: though it was told before. */
static void send_invdata(struct fx_peer *peer, const struct fx_msg_invdata *m, bool again)
{
    struct fx_hash hash = invdata_hash(m);
    struct fx_buf buf = FX_BUF_INIT;

    if (!again && fx_rolling_has(peer->blobs.known, &hash)) {
        return;
    }
    fx_rolling_add(peer->blobs.known, &hash);
    fx_msg_invdata_write(m, &buf);
    fx_peer_send(peer, "invdata", &buf);
}

static void relay(struct fx_net *net, const struct fx_msg_invdata *m)
{
    struct fx_hash hash = invdata_hash(m);

    if (fx_rolling_has(net->blobdir->relayed, &hash)) {
        return;
    }
    fx_rolling_add(net->blobdir->relayed, &hash);
    for (size_t i = 0; i < net->n_peers; i++) {
        if (fx_peer_has_jobdata(net->peers[i])) {
            send_invdata(net->peers[i], m, false);
        }
    }
}

static void add_announcer(struct root *root, uint64_t peer)
{
    for (size_t i = 0; i < root->n_announcers; i++) {
        if (root->announcers[i] == peer) {
            return;
        }
    }
    if (root->n_announcers < FX_ADDRESSES_A_ROOT) {
        root->announcers[root->n_announcers++] = peer;
    } else {
        root->announcers[fx_random_below(FX_ADDRESSES_A_ROOT)] = peer;
    }
}

/* Keeps the address, in place of a random one where the root, or the group, has its share. */
static void add_address(struct root *root, const struct fx_netaddr *addr)
{
    size_t same[FX_ADDRESSES_A_ROOT];
    size_t n_same = 0;

    for (size_t i = 0; i < root->n_addresses; i++) {
        if (fx_netaddr_equal(&root->addresses[i], addr)) {
            return;
        }
        if (fx_netaddr_group(&root->addresses[i]) == fx_netaddr_group(addr)) {
            same[n_same++] = i;
        }
    }
    if (n_same >= FX_ADDRESSES_A_GROUP) {
        root->addresses[same[fx_random_below(n_same)]] = *addr;
    } else if (root->n_addresses == FX_ADDRESSES_A_ROOT) {
        root->addresses[fx_random_below(FX_ADDRESSES_A_ROOT)] = *addr;
    } else {
        root->addresses[root->n_addresses++] = *addr;
    }
}

static bool is_dialable(const struct fx_net *net, const struct fx_netaddr *addr)
{
    if (addr->network == FX_NETWORK_NONE || addr->port == 0) {
        return false;
    }
    return net->eager || fx_netaddr_is_routable(addr);
}

static void take(struct fx_net *net, const struct fx_msg_invdata *m, uint64_t peer)
{
    struct root *root = make_root(net, &m->key);

    if (root == NULL) {
        return;
    }
    add_announcer(root, peer);
    fx_blobfetch_offered(net, &m->key, peer);
    if (is_dialable(net, &m->addr)) {
        add_address(root, &m->addr);
        relay(net, m);
    } else if (root->pass_on_ms == 0 && !net->keep_to_itself) {
        root->pass_on_ms = fx_clock_monotonic_ms() + 1;
        if (!net->eager) {
            root->pass_on_ms += (int64_t)fx_random_below(FX_PASS_ON_MS);
        }
    }
}

/*
 * Nobody can connect to those that have it, and announcements without an address go no further:
 * who can be connected to fetches it, and announces it as its own (section 9). Whoever hears of an
 * address first need not. It may take half of the room that is left, and nothing is removed for it.
 */
static bool has_spare_room(struct fx_net *net, enum fx_blob_type type,
                           const struct fx_blob_shape *shape)
{
    uint64_t bytes = (uint64_t)shape->rows * shape->cols;

    bytes *= type == FX_BLOB_RESULT ? FX_TILE_BYTES : 1;
    return bytes < fx_blobs_spare(net->blobs) / 2;
}

static void pass_on(struct fx_net *net, struct root *root)
{
    struct fx_blob_shape shapes[FX_PASS_ON_SHAPES];
    size_t n = fx_jobs_names_root(net->jobs, &root->key, shapes, FX_PASS_ON_SHAPES);

    for (size_t i = 0; i < n && i < FX_PASS_ON_SHAPES; i++) {
        struct fx_blob_key key = {root->key.type, root->key.root, shapes[i].solver};

        if (fx_blobs_state(net->blobs, &key) == FX_BLOB_ABSENT &&
            fx_blobfetch_count(net) < FX_PASS_ON_FETCHES &&
            has_spare_room(net, key.type, &shapes[i]) &&
            fx_blobs_expect(net->blobs, &key, &shapes[i])) {
            fx_blobfetch_start(net, &key);
        }
    }
}

static void keep_early(struct fx_peer *peer, const struct fx_msg_invdata *m)
{
    struct fx_blobdir *dir = peer->net->blobdir;

    for (size_t i = 0; i < dir->n_early; i++) {
        if (dir->early[i].peer == peer->id && fx_blob_key_equal(&dir->early[i].m.key, &m->key) &&
            fx_netaddr_equal(&dir->early[i].m.addr, &m->addr)) {
            return;
        }
    }
    if (dir->n_early < FX_EARLY_MAX && peer->blobs.early < FX_EARLY_PER_PEER) {
        struct early *early = &dir->early[dir->n_early++];

        peer->blobs.early++;
        early->m = *m;
        early->peer = peer->id;
        early->until_ms = fx_clock_monotonic_ms() + EARLY_MS;
    }
}

bool fx_handle_invdata(struct fx_peer *peer, struct fx_reader *r)
{
    struct fx_net *net = peer->net;
    struct fx_msg_invdata m;
    struct fx_hash hash;

    if (!fx_msg_invdata_read(r, &m)) {
        return false;
    }
    if (net->jobs == NULL || !fx_peer_has_jobdata(peer) ||
        !fx_rate_take(&peer->blobs.invdata, 1, fx_clock_monotonic_ms())) {
        return true;
    }
    hash = invdata_hash(&m);
    fx_rolling_add(peer->blobs.known, &hash);
    if (fx_jobs_names_root(net->jobs, &m.key, NULL, 0) > 0) {
        take(net, &m, peer->id);
    } else {
        keep_early(peer, &m);
    }
    return true;
}

void fx_blobdir_tip_changed(struct fx_net *net)
{
    struct fx_blobdir *dir = net->blobdir;
    int64_t now_ms = fx_clock_monotonic_ms();

    for (size_t i = dir->n_early; net->jobs != NULL && i > 0; i--) {
        struct early early = dir->early[i - 1];
        struct fx_peer *peer = fx_net_peer(net, early.peer);
        bool named = fx_jobs_names_root(net->jobs, &early.m.key, NULL, 0) > 0;

        if (!named && now_ms < early.until_ms && peer != NULL) {
            continue;
        }
        dir->early[i - 1] = dir->early[--dir->n_early];
        if (peer != NULL && peer->blobs.early > 0) {
            peer->blobs.early--;
        }
        if (named) {
            take(net, &early.m, early.peer);
        }
    }
}

static void announce_to(struct fx_peer *peer, const struct fx_blob_key *key, bool again)
{
    struct fx_msg_invdata m = {.key = *key};

    if (fx_peer_has_jobdata(peer)) {
        fx_dial_own_address(peer, &m.addr);
        send_invdata(peer, &m, again);
    }
}

void fx_blobdir_announce(struct fx_net *net, const struct fx_blob_key *key)
{
    for (size_t i = 0; i < net->n_peers; i++) {
        announce_to(net->peers[i], key, true);
    }
}

static bool announce_named(void *ctx, const struct fx_blob_key *key)
{
    struct fx_peer *peer = ctx;

    if (fx_blobs_state(peer->net->blobs, key) == FX_BLOB_COMPLETE &&
        fx_jobs_names_root(peer->net->jobs, key, NULL, 0) > 0) {
        announce_to(peer, key, false);
    }
    return !peer->closing;
}

void fx_blobdir_peer_ready(struct fx_peer *peer)
{
    if (peer->net->jobs != NULL && peer->net->blobs != NULL && fx_peer_has_jobdata(peer)) {
        fx_blobs_each(peer->net->blobs, announce_named, peer);
    }
}

void fx_blobdir_peer_gone(struct fx_peer *peer)
{
    size_t at = 0;
    void *value;

    while (fx_map_next(peer->net->blobdir->roots, &at, NULL, &value)) {
        struct root *root = value;

        for (size_t i = root->n_announcers; i > 0; i--) {
            if (root->announcers[i - 1] == peer->id) {
                root->announcers[i - 1] = root->announcers[--root->n_announcers];
            }
        }
    }
}

void fx_blobdir_tick(struct fx_net *net, int64_t now_ms)
{
    struct fx_blobdir *dir = net->blobdir;
    size_t at = 0;
    const void *key;
    void *value;

    if (net->jobs == NULL || net->blobs == NULL) {
        return;
    }
    while (fx_map_next(dir->roots, &at, &key, &value)) {
        struct root *root = value;

        if (root->pass_on_ms > 0 && now_ms >= root->pass_on_ms) {
            root->pass_on_ms = 0;
            if (root->n_addresses == 0 && root->n_announcers > 0) {
                pass_on(net, root);
            }
        }
    }
    if (now_ms < dir->next_sweep_ms) {
        return;
    }
    dir->next_sweep_ms = now_ms + SWEEP_MS;
    at = 0;
    while (fx_map_next(dir->roots, &at, &key, &value)) {
        struct root *root = value;

        if (fx_jobs_names_root(net->jobs, &root->key, NULL, 0) == 0) {
            fx_map_remove(dir->roots, key);
            free(root);
        }
    }
}

bool fx_blobdir_announced_by(const struct fx_net *net, const struct fx_blob_key *key, uint64_t peer)
{
    const struct root *root = find_root(net, key);

    for (size_t i = 0; root != NULL && i < root->n_announcers; i++) {
        if (root->announcers[i] == peer) {
            return true;
        }
    }
    return false;
}

size_t fx_blobdir_addresses(const struct fx_net *net, const struct fx_blob_key *key,
                            struct fx_netaddr addresses[FX_ADDRESSES_A_ROOT])
{
    const struct root *root = find_root(net, key);

    if (root == NULL) {
        return 0;
    }
    memcpy(addresses, root->addresses, root->n_addresses * sizeof addresses[0]);
    return root->n_addresses;
}

size_t fx_blobdir_roots(const struct fx_net *net)
{
    return fx_map_count(net->blobdir->roots);
}

/* ---- serving --------------------------------------------------------------------------------- */

static bool may_serve(struct fx_peer *peer, uint64_t bytes)
{
    int64_t now_ms = fx_clock_monotonic_ms();

    return fx_rate_take(&peer->blobs.serve, bytes, now_ms) &&
           fx_rate_take(&peer->net->serve, bytes, now_ms);
}

bool fx_handle_getchunk(struct fx_peer *peer, struct fx_reader *r)
{
    struct fx_net *net = peer->net;
    struct fx_blobdir *dir = net->blobdir;
    struct fx_msg_chunk_id m;
    struct fx_buf buf = FX_BUF_INIT;
    size_t n = 0;
    size_t n_path = 0;

    if (!fx_msg_chunk_id_read(r, &m)) {
        return false;
    }
    if (net->blobs == NULL || (net->services & FX_NODE_JOBDATA) == 0) {
        return true;
    }
    if (may_serve(peer, fx_chunk_bytes(m.key.type)) &&
        fx_blobs_get(net->blobs, &m.key, m.x, m.y, dir->data, &n, dir->path, &n_path) &&
        n == fx_chunk_bytes(m.key.type)) {
        fx_msg_chunk_write(&m, (struct fx_span){dir->data, n}, dir->path, n_path, &buf);
        fx_peer_send(peer, "chunk", &buf);
    } else {
        fx_msg_chunk_id_write(&m, &buf);
        fx_peer_send(peer, "nochunk", &buf);
    }
    return true;
}
