/* Known addresses of nodes: a bounded table, addr messages, peers.dat. */
#include "src/net/addrman_int.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/crypto/sha256.h"
#include "src/net/dial_int.h"
#include "src/net/permit_int.h"
#include "src/sys/clock.h"
#include "src/sys/file.h"
#include "src/sys/log.h"
#include "src/sys/random.h"
#include "src/util/map.h"
#include "src/util/mem.h"

#define FILE_NAME "peers.dat"
#define FILE_VERSION 1
#define FILE_MAX (FX_ADDRMAN_MAX * 48 + 64)
#define SAVE_EVERY_MS 900000
#define RETRY_MS 600000
#define FAILURES_MAX 10
#define TRIES 50

static const char file_magic[8] = "FXPEERS";

struct known {
    struct fx_netaddr addr;
    uint64_t services;
    int64_t time; /* unix seconds */
    int64_t tried_ms;
    unsigned failures;
    bool good; /* a handshake succeeded once */
};

struct fx_addrman {
    struct fx_map *by_addr; /* address -> struct known */
    struct known **list;
    size_t n;
    int64_t next_save_ms;
    bool changed;
};

static struct known *find(const struct fx_net *net, const struct fx_netaddr *addr)
{
    uint8_t key[FX_NETADDR_KEY];

    fx_netaddr_key(addr, key);
    return fx_map_get(net->addrman->by_addr, key);
}

static void remove_at(struct fx_addrman *am, size_t at)
{
    uint8_t key[FX_NETADDR_KEY];

    fx_netaddr_key(&am->list[at]->addr, key);
    free(fx_map_remove(am->by_addr, key));
    am->list[at] = am->list[--am->n];
    am->changed = true;
}

static bool group_is_full(const struct fx_addrman *am, const struct fx_netaddr *addr)
{
    size_t same = 0;

    for (size_t i = 0; i < am->n; i++) {
        same += fx_netaddr_group(&am->list[i]->addr) == fx_netaddr_group(addr) ? 1 : 0;
    }
    return same >= FX_ADDRMAN_GROUP_MAX;
}

static struct known *insert(struct fx_net *net, const struct fx_netaddr *addr)
{
    struct fx_addrman *am = net->addrman;
    struct known *known = NULL;
    uint8_t key[FX_NETADDR_KEY];

    if (group_is_full(am, addr)) {
        return NULL;
    }
    if (am->n >= FX_ADDRMAN_MAX) {
        size_t at = (size_t)fx_random_below(am->n);

        if (am->list[at]->good && am->list[at]->failures == 0) {
            return NULL;
        }
        remove_at(am, at);
    }
    known = fx_xcalloc(1, sizeof *known);
    known->addr = *addr;
    known->tried_ms = INT64_MIN / 2;
    am->list[am->n++] = known;
    fx_netaddr_key(addr, key);
    fx_map_put(am->by_addr, key, known);
    am->changed = true;
    return known;
}

bool fx_addrman_add(struct fx_net *net, const struct fx_netaddr *addr, uint64_t services,
                    int64_t time)
{
    struct known *known = NULL;
    int64_t now = fx_clock_now();
    bool is_new = false;

    if (!fx_netaddr_is_routable(addr)) {
        return false;
    }
    time = time > now || time < 0 ? now : time;
    known = find(net, addr);
    if (known == NULL) {
        known = insert(net, addr);
        is_new = known != NULL;
    }
    if (known != NULL) {
        known->services |= services;
        known->time = known->time > time ? known->time : time;
    }
    return is_new;
}

void fx_addrman_good(struct fx_net *net, const struct fx_netaddr *addr, uint64_t services)
{
    struct known *known = NULL;

    fx_addrman_add(net, addr, services, fx_clock_now());
    known = find(net, addr);
    if (known != NULL) {
        known->services = services;
        known->failures = 0;
        known->good = true;
        net->addrman->changed = true;
    }
}

void fx_addrman_failed(struct fx_net *net, const struct fx_netaddr *addr)
{
    struct fx_addrman *am = net->addrman;

    for (size_t i = 0; i < am->n; i++) {
        if (fx_netaddr_equal(&am->list[i]->addr, addr)) {
            if (++am->list[i]->failures >= FAILURES_MAX) {
                remove_at(am, i);
            }
            return;
        }
    }
}

size_t fx_addrman_count(const struct fx_net *net)
{
    return net->addrman->n;
}

bool fx_addrman_choose(struct fx_net *net, struct fx_netaddr *addr, int64_t now_ms)
{
    struct fx_addrman *am = net->addrman;

    for (unsigned i = 0; i < TRIES && am->n > 0; i++) {
        struct known *known = am->list[fx_random_below(am->n)];

        if (now_ms - known->tried_ms > RETRY_MS * (int64_t)(1 + known->failures)) {
            known->tried_ms = now_ms;
            *addr = known->addr;
            return true;
        }
    }
    return false;
}

/* ---- peers.dat ------------------------------------------------------------------------------- */

static void save(struct fx_net *net)
{
    struct fx_addrman *am = net->addrman;
    struct fx_buf buf = FX_BUF_INIT;
    uint8_t hash[32];
    char *path = NULL;

    if (net->dir == NULL || !am->changed) {
        return;
    }
    fx_buf_bytes(&buf, file_magic, sizeof file_magic);
    fx_buf_u8(&buf, FILE_VERSION);
    fx_buf_u32(&buf, (uint32_t)am->n);
    for (size_t i = 0; i < am->n; i++) {
        fx_netaddr_write_v2(&am->list[i]->addr, &buf);
        fx_buf_u64(&buf, am->list[i]->services);
        fx_buf_i64(&buf, am->list[i]->time);
        fx_buf_u8(&buf, am->list[i]->good ? 1 : 0);
    }
    fx_sha256d(buf.data, buf.len, hash);
    fx_buf_bytes(&buf, hash, sizeof hash);
    path = fx_path_join(net->dir, FILE_NAME);
    if (fx_file_write(path, buf.data, buf.len, 0600)) {
        am->changed = false;
    } else {
        fx_log_info("net: cannot write %s: %s", path, strerror(errno));
    }
    free(path);
    fx_buf_clear(&buf);
}

static bool load_bytes(struct fx_net *net, const uint8_t *data, size_t n)
{
    struct fx_reader r;
    uint8_t hash[32];
    uint32_t count;
    const uint8_t *magic = NULL;

    if (n < sizeof hash) {
        return false;
    }
    fx_sha256d(data, n - sizeof hash, hash);
    if (memcmp(hash, data + n - sizeof hash, sizeof hash) != 0) {
        return false;
    }
    fx_reader_init(&r, data, n - sizeof hash);
    magic = fx_read_bytes(&r, sizeof file_magic);
    if (magic == NULL || memcmp(magic, file_magic, sizeof file_magic) != 0 ||
        fx_read_u8(&r) != FILE_VERSION) {
        return false;
    }
    count = fx_read_u32(&r);
    for (uint32_t i = 0; i < count && !r.bad; i++) {
        struct fx_netaddr addr;
        uint64_t services;
        int64_t time;
        bool good;

        fx_netaddr_read_v2(&r, &addr);
        services = fx_read_u64(&r);
        time = fx_read_i64(&r);
        good = fx_read_u8(&r) != 0;
        if (!r.bad) {
            struct known *known = NULL;

            fx_addrman_add(net, &addr, services, time);
            known = find(net, &addr);
            if (known != NULL) {
                known->good = good;
            }
        }
    }
    return fx_reader_done(&r);
}

static void load(struct fx_net *net)
{
    uint8_t *data = NULL;
    size_t n = 0;
    char *path = NULL;

    if (net->dir == NULL) {
        return;
    }
    path = fx_path_join(net->dir, FILE_NAME);
    if (fx_path_exists(path)) {
        if (!fx_file_read(path, FILE_MAX, &data, &n) || !load_bytes(net, data, n)) {
            fx_log_info("net: %s cannot be read, known addresses start empty", path);
        }
        free(data);
    }
    free(path);
    net->addrman->changed = false;
}

void fx_addrman_create(struct fx_net *net)
{
    struct fx_addrman *am = fx_xcalloc(1, sizeof *am);

    net->addrman = am;
    am->by_addr = fx_map_create(FX_NETADDR_KEY, net->map_key[0], net->map_key[1]);
    am->list = fx_xcalloc(FX_ADDRMAN_MAX, sizeof(*am->list));
    am->next_save_ms = fx_clock_monotonic_ms() + SAVE_EVERY_MS;
    load(net);
}

void fx_addrman_destroy(struct fx_net *net)
{
    struct fx_addrman *am = net->addrman;

    if (am == NULL) {
        return;
    }
    save(net);
    fx_map_destroy(am->by_addr, free);
    free(am->list);
    free(am);
    net->addrman = NULL;
}

void fx_addrman_tick(struct fx_net *net, int64_t now_ms)
{
    if (now_ms >= net->addrman->next_save_ms) {
        net->addrman->next_save_ms = now_ms + SAVE_EVERY_MS;
        save(net);
    }
}

/* ---- messages -------------------------------------------------------------------------------- */

static void log_added(const struct fx_netaddr *addr)
{
    char text[FX_NET_ADDRESS];

    fx_netaddr_format(addr, text);
    fx_log(FX_LOG_NET, "net: address %s is new", text);
}

static bool handle_addrs(struct fx_peer *peer, struct fx_reader *r, bool v2)
{
    struct fx_msg_addr *items = NULL;
    size_t n = 0, added = 0;

    if (fx_peer_oversized(peer, v2 ? "addrv2" : "addr", r, FX_ADDR_MAX)) {
        return true;
    }
    if (!fx_msg_addr_read(r, v2, &items, &n)) {
        return false;
    }
    if (peer->origin == FX_PEER_BLOCKS) {
        n = 0; /* asked for none */
    }
    for (size_t i = 0; i < n; i++) {
        if ((peer->permissions & FX_PERMIT_ADDR) != 0 ||
            fx_rate_take(&peer->addrs, 1, fx_clock_monotonic_ms())) {
            if (fx_addrman_add(peer->net, &items[i].addr, items[i].services, items[i].time)) {
                added++;
                log_added(&items[i].addr);
            }
        }
    }
    free(items);
    if (added > 0) {
        fx_log(FX_LOG_NET, "net: Added %zu addresses (of %zu) from peer=%" PRIu64, added, n,
               peer->id);
    }
    /* A single one may be its own. */
    if (peer->origin == FX_PEER_ADDRS && n > 1) {
        fx_peer_drop(peer, "addrfetch connection completed");
    }
    return true;
}

bool fx_handle_addr(struct fx_peer *peer, struct fx_reader *r)
{
    return handle_addrs(peer, r, false);
}

bool fx_handle_addrv2(struct fx_peer *peer, struct fx_reader *r)
{
    return handle_addrs(peer, r, true);
}

static void send_addrs(struct fx_peer *peer, const struct fx_msg_addr *items, size_t n)
{
    struct fx_buf buf = FX_BUF_INIT;

    fx_msg_addr_write(items, n, peer->addrv2, &buf);
    fx_peer_send(peer, peer->addrv2 ? "addrv2" : "addr", &buf);
}

bool fx_handle_getaddr(struct fx_peer *peer, struct fx_reader *r)
{
    struct fx_addrman *am = peer->net->addrman;
    struct fx_msg_addr *items = NULL;
    size_t n = am->n < FX_ADDR_MAX ? am->n : FX_ADDR_MAX;

    if (!fx_reader_done(r)) {
        return false;
    }
    /* Once a peer, and only to those that came to us: what we know is not for fingerprinting. */
    if (peer->origin != FX_PEER_INBOUND || peer->addr_sent || n == 0) {
        return true;
    }
    peer->addr_sent = true;
    for (size_t i = 0; i < n; i++) {
        size_t other = i + (size_t)fx_random_below(am->n - i);
        struct known *chosen = am->list[other];

        am->list[other] = am->list[i];
        am->list[i] = chosen;
    }
    items = fx_xcalloc(n, sizeof *items);
    for (size_t i = 0; i < n; i++) {
        items[i].time = (uint32_t)am->list[i]->time;
        items[i].services = am->list[i]->services;
        items[i].addr = am->list[i]->addr;
    }
    send_addrs(peer, items, n);
    free(items);
    return true;
}

void fx_addrman_peer_ready(struct fx_peer *peer)
{
    struct fx_msg_addr me = {.services = peer->net->services};

    if (peer->origin == FX_PEER_INBOUND || peer->origin == FX_PEER_BLOCKS) {
        return;
    }
    fx_peer_send(peer, "getaddr", NULL);
    fx_dial_own_address(peer, &me.addr);
    if (fx_netaddr_is_routable(&me.addr)) {
        me.time = (uint32_t)fx_clock_now();
        send_addrs(peer, &me, 1);
    }
}
