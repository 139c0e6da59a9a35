/* Unproven headers, a bounded number a host (protocol section 3). */
#include "src/net/sync_int.h"

#include <stdlib.h>
#include <string.h>

#include "src/sys/clock.h"
#include "src/util/map.h"
#include "src/util/mem.h"

#define HOSTS_MAX 512
/* That are gone and may not be forgotten, of those that one operator is likely to hold: he alone
 * must not take all places. */
#define GROUP_MAX 64
/* Of a host that is gone: so few headers may be forgotten to be its own, or any after so long. They
 * stay in the index, and must not become many. */
#define FORGET_HEADERS 2
#define FORGET_MS (INT64_C(24) * 3600 * 1000)

struct fx_unproven {
    const struct fx_index *list[FX_UNPROVEN_MAX];
    size_t n;
    size_t peers; /* connected ones that share it */
    int64_t used_ms;
    uint64_t group;
};

/* An IPv4 address, or what is commonly one IPv6 customer, a /64. Loopback: each connection. */
static void host_key(const struct fx_netaddr *addr, uint8_t key[FX_NETADDR_KEY])
{
    struct fx_netaddr host = *addr;

    if (!fx_netaddr_is_loopback(addr)) {
        host.port = 0;
        for (size_t i = 8; i < sizeof host.ip; i++) {
            host.ip[i] = 0;
        }
    }
    fx_netaddr_key(&host, key);
}

static void settle(struct fx_unproven *unproven)
{
    size_t kept = 0;

    for (size_t i = 0; i < unproven->n; i++) {
        if ((unproven->list[i]->status & (FX_INDEX_PROVEN | FX_INDEX_FAILED)) == 0) {
            unproven->list[kept++] = unproven->list[i];
        }
    }
    unproven->n = kept;
}

static bool may_forget(const struct fx_unproven *unproven, int64_t now_ms)
{
    return unproven->n <= FORGET_HEADERS || now_ms - unproven->used_ms >= FORGET_MS;
}

/* May one more host of the group come? */
static bool group_has_place(const struct fx_map *hosts, uint64_t group)
{
    int64_t now_ms = fx_clock_monotonic_ms();
    const void *key;
    void *value;
    size_t at = 0, n = 0;

    while (fx_map_next(hosts, &at, &key, &value)) {
        struct fx_unproven *unproven = value;

        if (unproven->peers > 0 || unproven->group != group) {
            continue;
        }
        settle(unproven);
        n += may_forget(unproven, now_ms) ? 0 : 1;
    }
    return n < GROUP_MAX;
}

/* Forgets the host with the fewest headers of those that are gone, of equals the one longest gone;
 * false: none may be. */
static bool make_place(struct fx_map *hosts)
{
    int64_t now_ms = fx_clock_monotonic_ms();
    const void *key;
    void *value;
    uint8_t chosen[FX_NETADDR_KEY];
    const struct fx_unproven *found = NULL;
    size_t at = 0;

    while (fx_map_next(hosts, &at, &key, &value)) {
        struct fx_unproven *unproven = value;

        if (unproven->peers > 0) {
            continue;
        }
        settle(unproven);
        if (!may_forget(unproven, now_ms)) {
            continue;
        }
        if (found == NULL || unproven->n < found->n ||
            (unproven->n == found->n && unproven->used_ms < found->used_ms)) {
            found = unproven;
            memcpy(chosen, key, sizeof chosen);
        }
    }
    if (found != NULL) {
        free(fx_map_remove(hosts, chosen));
    }
    return found != NULL;
}

/* NULL: there is no place for one more host. Whom this node chose itself always has one. */
static struct fx_unproven *share_of(struct fx_peer *peer)
{
    struct fx_map *hosts = peer->net->sync->unproven;
    uint8_t key[FX_NETADDR_KEY];

    if (peer->sync.unproven != NULL) {
        return peer->sync.unproven;
    }
    host_key(&peer->addr, key);
    peer->sync.unproven = fx_map_get(hosts, key);
    if (peer->sync.unproven == NULL) {
        const uint64_t group = fx_netaddr_group(&peer->addr);

        if (peer->origin == FX_PEER_INBOUND && !group_has_place(hosts, group)) {
            return NULL;
        }
        if (fx_map_count(hosts) >= HOSTS_MAX && !make_place(hosts) &&
            peer->origin == FX_PEER_INBOUND) {
            return NULL;
        }
        peer->sync.unproven = fx_xcalloc(1, sizeof *peer->sync.unproven);
        peer->sync.unproven->group = group;
        fx_map_put(hosts, key, peer->sync.unproven);
    }
    peer->sync.unproven->peers++;
    return peer->sync.unproven;
}

size_t fx_unproven_count(struct fx_peer *peer)
{
    struct fx_unproven *unproven = share_of(peer);

    if (unproven == NULL) {
        return FX_UNPROVEN_MAX;
    }
    settle(unproven);
    return unproven->n;
}

bool fx_unproven_has_room(struct fx_peer *peer)
{
    struct fx_unproven *unproven = share_of(peer);

    return unproven != NULL &&
           (unproven->n < FX_UNPROVEN_MAX || fx_unproven_count(peer) < FX_UNPROVEN_MAX);
}

void fx_unproven_add(struct fx_peer *peer, const struct fx_index *index)
{
    struct fx_unproven *unproven = NULL;

    if ((index->status & FX_INDEX_PROVEN) != 0) {
        return;
    }
    unproven = share_of(peer);
    if (unproven != NULL && unproven->n < FX_UNPROVEN_MAX) {
        unproven->list[unproven->n++] = index;
    }
}

bool fx_unproven_has(const struct fx_peer *peer, const struct fx_hash *id)
{
    const struct fx_unproven *unproven = peer->sync.unproven;

    for (size_t i = 0; unproven != NULL && i < unproven->n; i++) {
        if (fx_hash_equal(&unproven->list[i]->id, id)) {
            return true;
        }
    }
    return false;
}

void fx_unproven_peer_gone(struct fx_peer *peer)
{
    struct fx_unproven *unproven = peer->sync.unproven;
    uint8_t key[FX_NETADDR_KEY];

    peer->sync.unproven = NULL;
    if (unproven == NULL || --unproven->peers > 0) {
        return;
    }
    unproven->used_ms = fx_clock_monotonic_ms();
    settle(unproven);
    if (unproven->n == 0) {
        host_key(&peer->addr, key);
        free(fx_map_remove(peer->net->sync->unproven, key));
    }
}
