/* Listening sockets, and the connections this node makes: added nodes, automatic ones, and those
 * for data. */
#include "src/net/dial_int.h"

#include <errno.h>
#include <event2/listener.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "src/net/addrman_int.h"
#include "src/net/bans_int.h"
#include "src/net/permit_int.h"
#include "src/sys/clock.h"
#include "src/sys/log.h"
#include "src/sys/random.h"
#include "src/sys/resolve.h"
#include "src/util/map.h"
#include "src/util/mem.h"

#define BACKLOG 64
#define RETRY_FIRST_MS 500
#define RETRY_MAX_MS 60000
#define RETRY_MAX_EAGER_MS 3000
#define AUTO_EVERY_MS 2000
#define OUTBOUND_RESERVE (FX_OUTBOUND_MAX + FX_BLOB_DIALS_MAX)

/* A node that is kept connected, or one by name that is tried once. */
struct target {
    struct fx_netaddr addr;     /* of a name: the last one tried; FX_NETWORK_NONE: none yet */
    char host[FX_HOST_MAX + 1]; /* looked up before each attempt; "": addr was given */
    uint16_t port;              /* with host */
    struct fx_resolve *lookup;  /* under way; else NULL */
    unsigned attempts;          /* a name's addresses take turns */
    char text[FX_NET_NODE];     /* as it was added */
    bool once;
    int64_t next_ms;
    int64_t wait_ms;
    uint64_t peer; /* FX_NO_PEER: not connected, not connecting */
};

/* A socket that peers connect to; those by -whitebind give them permissions. */
struct listener {
    struct fx_net *net;
    struct evconnlistener *socket;
    struct fx_netaddr addr; /* as it was asked for */
    uint32_t permissions;   /* enum fx_permission */
};

struct fx_dial {
    struct listener **listeners;
    size_t n_listeners;
    struct target *targets;
    size_t n_targets;
    struct fx_permit *permits; /* -whitelist */
    size_t n_permits;
    bool permit_relay, permit_forcerelay; /* where none is named */
    bool listen_paused;
    bool connect_only;
    int64_t next_auto_ms;
    struct fx_map *discouraged; /* host -> int64_t, unix seconds until */
    struct fx_map *tried;       /* address -> int64_t, ms at which it was dialled for data */
    struct fx_netaddr external; /* what outbound peers call us; FX_NETWORK_NONE: nothing yet */
};

/* *error is the caller's to free. */
static bool __attribute__((format(printf, 2, 3))) refuse(char **error, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    *error = fx_xstrdup(text);
    return false;
}

/* ---- listening ------------------------------------------------------------------------------- */

static uint32_t permit_flags(const struct fx_dial *dial, const struct fx_permit *permit)
{
    if (!permit->implicit) {
        return permit->flags;
    }
    return FX_PERMIT_MEMPOOL | FX_PERMIT_NOBAN | FX_PERMIT_DOWNLOAD |
           (dial->permit_relay || dial->permit_forcerelay ? FX_PERMIT_RELAY : 0u) |
           (dial->permit_forcerelay ? FX_PERMIT_FORCERELAY : 0u);
}

uint32_t fx_dial_permissions(const struct fx_net *net, const struct fx_netaddr *addr, bool inbound)
{
    const struct fx_dial *dial = net->dial;
    uint32_t flags = 0;

    for (size_t i = 0; i < dial->n_permits; i++) {
        const struct fx_permit *permit = &dial->permits[i];

        if ((inbound ? permit->in : permit->out) && fx_permit_covers(permit, addr)) {
            flags |= permit_flags(dial, permit);
        }
    }
    return flags;
}

static bool read_permits(struct fx_dial *dial, const struct fx_net_config *config, char **error)
{
    dial->permit_relay = config->whitelist_relay;
    dial->permit_forcerelay = config->whitelist_forcerelay;
    dial->permits = fx_xcalloc(config->n_whitelist + 1, sizeof *dial->permits);
    for (size_t i = 0; i < config->n_whitelist; i++) {
        if (!fx_permit_parse_list(config->whitelist[i], &dial->permits[i], error)) {
            return false;
        }
        dial->n_permits++;
    }
    return true;
}

static size_t count_origin(const struct fx_net *net, enum fx_peer_origin origin)
{
    size_t n = 0;

    for (size_t i = 0; i < net->n_peers; i++) {
        n += !net->peers[i]->closing && net->peers[i]->origin == origin ? 1 : 0;
    }
    return n;
}

static size_t inbound_limit(const struct fx_net *net)
{
    return net->max_connections > 2 * OUTBOUND_RESERVE ? net->max_connections - OUTBOUND_RESERVE
                                                       : (net->max_connections + 1) / 2;
}

/* Room for a newcomer: the youngest of those without a handshake, else of the network group that
 * has most. */
static bool evict_inbound(struct fx_net *net)
{
    struct fx_peer *victim = NULL;
    size_t most = 1;

    for (size_t i = 0; i < net->n_peers; i++) {
        struct fx_peer *peer = net->peers[i];
        size_t same = 0;

        if (peer->closing || peer->origin != FX_PEER_INBOUND ||
            (peer->permissions & FX_PERMIT_NOBAN) != 0) {
            continue;
        }
        for (size_t j = 0; j < net->n_peers; j++) {
            const struct fx_peer *other = net->peers[j];

            same += !other->closing && other->origin == FX_PEER_INBOUND &&
                            fx_netaddr_group(&other->addr) == fx_netaddr_group(&peer->addr)
                        ? 1
                        : 0;
        }
        if (same >= most && same > 1) {
            most = same;
            victim = peer;
        }
    }
    if (victim == NULL) {
        return false;
    }
    fx_peer_drop(victim, "room is needed for another");
    return true;
}

static void on_accept(struct evconnlistener *socket, evutil_socket_t fd, struct sockaddr *sa,
                      int len, void *arg)
{
    const struct listener *listener = arg;
    struct fx_net *net = listener->net;
    struct fx_peer *peer = NULL;
    struct fx_netaddr addr;
    uint32_t permissions;
    char text[FX_NET_ADDRESS];

    (void)socket;
    (void)len;
    if (net->inactive || !fx_netaddr_from_sockaddr(sa, &addr)) {
        close(fd);
        return;
    }
    fx_netaddr_format(&addr, text);
    permissions = listener->permissions | fx_dial_permissions(net, &addr, true);
    if (fx_bans_has(net, &addr) && (permissions & FX_PERMIT_NOBAN) == 0) {
        fx_log(FX_LOG_NET, "net: connection from %s dropped (banned)", text);
        close(fd);
        return;
    }
    if (fx_dial_is_discouraged(net, &addr) && (permissions & FX_PERMIT_NOBAN) == 0) {
        fx_log(FX_LOG_NET, "net: refused a connection from an address that misbehaved");
        close(fd);
        return;
    }
    if (count_origin(net, FX_PEER_INBOUND) >= inbound_limit(net) && !evict_inbound(net)) {
        fx_log(FX_LOG_NET, "net: refused a connection: all places are taken");
        close(fd);
        return;
    }
    peer = fx_peer_create(net, fd, FX_PEER_INBOUND, &addr);
    if (peer == NULL) {
        close(fd);
        return;
    }
    peer->permissions = permissions;
}

static void on_accept_error(struct evconnlistener *socket, void *arg)
{
    struct fx_net *net = ((struct listener *)arg)->net;

    /* No descriptors, say: trying again at once would spin. The next tick resumes. */
    evconnlistener_disable(socket);
    net->dial->listen_paused = true;
    fx_log_info("net: cannot accept a connection: %s",
                evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
}

static bool listen_on(struct fx_net *net, const struct fx_netaddr *addr, uint32_t permissions,
                      char **error)
{
    struct fx_dial *dial = net->dial;
    struct sockaddr_storage sa;
    struct sockaddr_storage bound;
    socklen_t len = fx_netaddr_to_sockaddr(addr, &sa);
    socklen_t bound_len = sizeof bound;
    struct fx_netaddr is;
    char text[FX_NET_ADDRESS];
    unsigned flags = LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC;
    struct listener *listener = fx_xcalloc(1, sizeof *listener);

    if (addr->network == FX_NETWORK_IPV6) {
        flags |= LEV_OPT_BIND_IPV6ONLY;
    }
    listener->net = net;
    listener->addr = *addr;
    listener->permissions = permissions;
    listener->socket = evconnlistener_new_bind(net->base, on_accept, listener, flags, BACKLOG,
                                               (struct sockaddr *)&sa, (int)len);
    if (listener->socket == NULL) {
        int why = errno;

        free(listener);
        fx_netaddr_format(addr, text);
        return refuse(error, "Cannot listen on %s: %s%s", text, strerror(why),
                      why == EADDRINUSE ? " (is another node running?)" : "");
    }
    evconnlistener_set_error_cb(listener->socket, on_accept_error);
    dial->listeners =
        fx_xreallocarray(dial->listeners, dial->n_listeners + 1, sizeof *dial->listeners);
    dial->listeners[dial->n_listeners++] = listener;
    if (getsockname(evconnlistener_get_fd(listener->socket), (struct sockaddr *)&bound,
                    &bound_len) == 0 &&
        fx_netaddr_from_sockaddr((struct sockaddr *)&bound, &is)) {
        if (dial->n_listeners == 1) {
            net->port = is.port;
        }
        fx_netaddr_format(&is, text);
        fx_log_info("net: listening on %s", text);
    }
    return true;
}

static bool listens_on(const struct fx_dial *dial, const struct fx_netaddr *addr)
{
    for (size_t i = 0; i < dial->n_listeners; i++) {
        if (fx_netaddr_equal(&dial->listeners[i]->addr, addr)) {
            return true;
        }
    }
    return false;
}

static bool bind_address(const char *text, uint16_t port, struct fx_netaddr *addr)
{
    static const char onion[] = "=onion";
    size_t n = strlen(text);
    char *plain = fx_xstrdup(text);
    bool ok;

    if (n >= sizeof onion && strcmp(text + n - (sizeof onion - 1), onion) == 0) {
        plain[n - (sizeof onion - 1)] = '\0';
    }
    ok = fx_netaddr_parse(plain, port, addr);
    free(plain);
    return ok;
}

static bool start_listening(struct fx_net *net, const struct fx_net_config *config, char **error)
{
    struct fx_netaddr addr;
    uint16_t port = config->port != 0 ? config->port : net->params->p2p_port;
    char *ignored = NULL;

    if (config->port_any) {
        port = 0;
    }
    for (size_t i = 0; i < config->n_bind; i++) {
        if (!bind_address(config->bind[i], port, &addr)) {
            return refuse(error, "Cannot resolve -bind address: '%.100s' (a numeric one is needed)",
                          config->bind[i]);
        }
        if (!listens_on(net->dial, &addr) && !listen_on(net, &addr, 0, error)) {
            return false;
        }
    }
    for (size_t i = 0; i < config->n_whitebind; i++) {
        struct fx_permit permit;

        if (!fx_permit_parse_bind(config->whitebind[i], &permit, error) ||
            !listen_on(net, &permit.addr, permit_flags(net->dial, &permit), error)) {
            return false;
        }
    }
    if (config->n_bind > 0 || config->n_whitebind > 0) {
        return true;
    }
    memset(&addr, 0, sizeof addr);
    addr.network = FX_NETWORK_IPV4;
    addr.port = port;
    if (!listen_on(net, &addr, 0, error)) {
        return false;
    }
    addr.network = FX_NETWORK_IPV6;
    addr.port = net->port;
    if (!listen_on(net, &addr, 0, &ignored)) {
        /* Many machines have no IPv6. */
        fx_log(FX_LOG_NET, "net: %s", ignored);
        free(ignored);
    }
    return true;
}

/* ---- making and ending ----------------------------------------------------------------------- */

static bool add_list(struct fx_net *net, const char *const *list, size_t n, const char *option,
                     char **error)
{
    for (size_t i = 0; i < n; i++) {
        /* -connect=0: no automatic connections. */
        if (n == 1 && strcmp(option, "connect") == 0 && strcmp(list[i], "0") == 0) {
            return true;
        }
        if (!fx_dial_add(net, list[i], false)) {
            return refuse(error, "-%s=%.100s is no address or name of a host, or one too many.",
                          option, list[i]);
        }
    }
    return true;
}

bool fx_dial_create(struct fx_net *net, const struct fx_net_config *config, char **error)
{
    struct fx_dial *dial = fx_xcalloc(1, sizeof *dial);

    net->dial = dial;
    if (!config->listen && config->n_bind + config->n_whitebind > 0) {
        *error = fx_xstrdup("Cannot set -bind or -whitebind together with -listen=0");
        return false;
    }
    dial->discouraged = fx_map_create(FX_NETADDR_KEY, net->map_key[0], net->map_key[1]);
    dial->tried = fx_map_create(FX_NETADDR_KEY, net->map_key[0], net->map_key[1]);
    dial->connect_only = config->n_connect > 0;
    return read_permits(dial, config, error) &&
           (!config->listen || start_listening(net, config, error)) &&
           add_list(net, config->connect, config->n_connect, "connect", error) &&
           add_list(net, config->addnode, config->n_addnode, "addnode", error);
}

void fx_dial_destroy(struct fx_net *net)
{
    struct fx_dial *dial = net->dial;

    if (dial == NULL) {
        return;
    }
    for (size_t i = 0; i < dial->n_listeners; i++) {
        evconnlistener_free(dial->listeners[i]->socket);
        free(dial->listeners[i]);
    }
    free(dial->listeners);
    free(dial->permits);
    fx_map_destroy(dial->discouraged, free);
    fx_map_destroy(dial->tried, free);
    for (size_t i = 0; i < dial->n_targets; i++) {
        fx_resolve_drop(dial->targets[i].lookup);
    }
    free(dial->targets);
    free(dial);
    net->dial = NULL;
}

/* ---- added nodes ----------------------------------------------------------------------------- */

static struct fx_peer *find_address(const struct fx_net *net, const struct fx_netaddr *addr)
{
    for (size_t i = 0; i < net->n_peers; i++) {
        if (!net->peers[i]->closing && net->peers[i]->origin != FX_PEER_INBOUND &&
            fx_netaddr_equal(&net->peers[i]->addr, addr)) {
            return net->peers[i];
        }
    }
    return NULL;
}

static void dial_target(struct fx_net *net, struct target *target, int64_t now_ms)
{
    struct fx_peer *peer = find_address(net, &target->addr);

    target->peer = FX_NO_PEER;
    if (peer == NULL && !net->inactive) {
        peer = fx_peer_create(net, -1, FX_PEER_MANUAL, &target->addr);
    } else if (peer != NULL) {
        peer->origin = FX_PEER_MANUAL;
    }
    if (peer == NULL) {
        target->next_ms = now_ms + RETRY_FIRST_MS;
        return;
    }
    target->peer = peer->id;
}

/* False: text is neither an address nor a name. */
static bool read_target(const struct fx_net *net, const char *text, struct target *target)
{
    memset(target, 0, sizeof *target);
    snprintf(target->text, sizeof target->text, "%s", text);
    target->wait_ms = RETRY_FIRST_MS;
    target->peer = FX_NO_PEER;
    return fx_netaddr_parse(text, net->params->p2p_port, &target->addr) ||
           fx_netaddr_parse_name(text, net->params->p2p_port, target->host, &target->port);
}

static bool same_target(const struct target *a, const struct target *b)
{
    if (a->host[0] != '\0' || b->host[0] != '\0') {
        return strcasecmp(a->host, b->host) == 0 && a->port == b->port;
    }
    return fx_netaddr_equal(&a->addr, &b->addr);
}

/* Of those that are kept; dial->n_targets: none. */
static size_t find_target(const struct fx_net *net, const char *text)
{
    const struct fx_dial *dial = net->dial;
    struct target wanted;
    size_t i = 0;

    if (!read_target(net, text, &wanted)) {
        return dial->n_targets;
    }
    while (i < dial->n_targets &&
           (dial->targets[i].once || !same_target(&dial->targets[i], &wanted))) {
        i++;
    }
    return i;
}

static void remove_target(struct fx_dial *dial, size_t at)
{
    fx_resolve_drop(dial->targets[at].lookup);
    dial->targets[at] = dial->targets[--dial->n_targets];
}

/* After an attempt that came to nothing. */
static void postpone(const struct fx_net *net, struct target *target, int64_t now_ms)
{
    int64_t max = net->eager ? RETRY_MAX_EAGER_MS : RETRY_MAX_MS;

    target->next_ms = now_ms + target->wait_ms;
    target->wait_ms = target->wait_ms * 2 > max ? max : target->wait_ms * 2;
}

/* The address of a name for the next attempt. False: the look-up goes on, or there is none. */
static bool look_up(const struct fx_net *net, struct target *target, int64_t now_ms)
{
    struct sockaddr_storage list[FX_HOST_ADDRESSES];
    const char *error = "no thread for it";
    size_t n = 0;

    if (target->lookup == NULL) {
        target->lookup = fx_resolve_start(target->host);
    }
    if (target->lookup != NULL) {
        if (!fx_resolve_done(target->lookup, list, &n, &error)) {
            return false;
        }
        fx_resolve_drop(target->lookup);
        target->lookup = NULL;
    }
    if (n == 0 || !fx_netaddr_from_sockaddr((struct sockaddr *)&list[target->attempts++ % n],
                                            &target->addr)) {
        fx_log_info("net: cannot find %s: %s", target->host, error);
        postpone(net, target, now_ms);
        return false;
    }
    target->addr.port = target->port;
    return true;
}

static void attempt_all(struct fx_net *net, int64_t now_ms)
{
    struct fx_dial *dial = net->dial;

    for (size_t i = dial->n_targets; i-- > 0;) {
        struct target *target = &dial->targets[i];
        bool ready = target->peer == FX_NO_PEER && now_ms >= target->next_ms &&
                     (target->host[0] == '\0' || look_up(net, target, now_ms));

        if (ready) {
            dial_target(net, target, now_ms);
        }
        if (target->once && target->lookup == NULL) {
            remove_target(dial, i);
        }
    }
}

bool fx_dial_is_added(const struct fx_net *net, const char *text)
{
    return find_target(net, text) < net->dial->n_targets;
}

size_t fx_dial_added(const struct fx_net *net, struct fx_added_node **nodes)
{
    const struct fx_dial *dial = net->dial;

    size_t n = 0;

    *nodes = fx_xcalloc(dial->n_targets + 1, sizeof **nodes);
    for (size_t i = 0; i < dial->n_targets; i++) {
        struct fx_added_node *node = &(*nodes)[n];

        if (dial->targets[i].once) {
            continue;
        }
        n++;
        memcpy(node->address, dial->targets[i].text, sizeof node->address);
        for (size_t j = 0; j < net->n_peers; j++) {
            const struct fx_peer *peer = net->peers[j];

            if (fx_peer_ready(peer) && fx_netaddr_equal(&peer->addr, &dial->targets[i].addr)) {
                memcpy(node->peer, peer->name, sizeof node->peer);
                node->inbound = peer->origin == FX_PEER_INBOUND;
            }
        }
    }
    return n;
}

bool fx_dial_add(struct fx_net *net, const char *text, bool once)
{
    struct fx_dial *dial = net->dial;
    struct target target;

    if (!read_target(net, text, &target)) {
        return false;
    }
    if (once && target.host[0] == '\0') {
        return find_address(net, &target.addr) != NULL || net->inactive ||
               fx_peer_create(net, -1, FX_PEER_MANUAL, &target.addr) != NULL;
    }
    if (!once && fx_dial_is_added(net, text)) {
        return true;
    }
    if (dial->n_targets >= FX_ADDED_NODES_MAX) {
        return false;
    }
    target.once = once;
    dial->targets = fx_xreallocarray(dial->targets, dial->n_targets + 1, sizeof target);
    dial->targets[dial->n_targets++] = target;
    attempt_all(net, fx_clock_monotonic_ms());
    return true;
}

bool fx_dial_remove(struct fx_net *net, const char *text)
{
    size_t at = find_target(net, text);

    if (at == net->dial->n_targets) {
        return false;
    }
    remove_target(net->dial, at);
    return true;
}

void fx_dial_peer_ready(struct fx_peer *peer)
{
    struct fx_dial *dial = peer->net->dial;

    for (size_t i = 0; i < dial->n_targets; i++) {
        if (dial->targets[i].peer == peer->id) {
            dial->targets[i].wait_ms = RETRY_FIRST_MS;
        }
    }
    if (peer->origin != FX_PEER_INBOUND) {
        struct fx_netaddr me = peer->version.to;

        if (fx_netaddr_is_routable(&me)) {
            dial->external = me;
        }
        fx_addrman_good(peer->net, &peer->addr, peer->version.services);
    }
}

void fx_dial_peer_gone(struct fx_peer *peer)
{
    struct fx_net *net = peer->net;
    struct fx_dial *dial = net->dial;

    if (dial == NULL) {
        return;
    }
    if (peer->origin == FX_PEER_AUTO && !peer->ready) {
        fx_addrman_failed(net, &peer->addr);
    }
    for (size_t i = 0; i < dial->n_targets; i++) {
        struct target *target = &dial->targets[i];

        if (target->peer == peer->id) {
            target->peer = FX_NO_PEER;
            postpone(net, target, fx_clock_monotonic_ms());
        }
    }
}

/* ---- automatic connections ------------------------------------------------------------------- */

static bool has_group(const struct fx_net *net, const struct fx_netaddr *addr)
{
    for (size_t i = 0; i < net->n_peers; i++) {
        if (!net->peers[i]->closing && net->peers[i]->origin != FX_PEER_INBOUND &&
            fx_netaddr_group(&net->peers[i]->addr) == fx_netaddr_group(addr)) {
            return true;
        }
    }
    return false;
}

static void dial_automatic(struct fx_net *net, int64_t now_ms)
{
    struct fx_dial *dial = net->dial;
    struct fx_netaddr addr;

    if (dial->connect_only || net->inactive || now_ms < dial->next_auto_ms ||
        count_origin(net, FX_PEER_AUTO) >= FX_OUTBOUND_MAX) {
        return;
    }
    dial->next_auto_ms = now_ms + AUTO_EVERY_MS;
    for (unsigned i = 0; i < 20; i++) {
        if (!fx_addrman_choose(net, &addr, now_ms)) {
            return;
        }
        if (!has_group(net, &addr) && !fx_dial_is_discouraged(net, &addr) &&
            !fx_bans_has(net, &addr)) {
            fx_peer_create(net, -1, FX_PEER_AUTO, &addr);
            return;
        }
    }
}

bool fx_dial_once(struct fx_net *net, const struct fx_netaddr *addr, enum fx_net_connection kind)
{
    static const struct {
        enum fx_peer_origin origin;
        size_t most;
    } kinds[] = {
        [FX_CONNECT_FULL] = {FX_PEER_AUTO, FX_OUTBOUND_MAX},
        [FX_CONNECT_BLOCKS] = {FX_PEER_BLOCKS, FX_BLOCKS_ONLY_MAX},
        [FX_CONNECT_ADDRS] = {FX_PEER_ADDRS, FX_OUTBOUND_MAX},
        [FX_CONNECT_FEELER] = {FX_PEER_FEELER, 1},
    };

    return !net->inactive && count_origin(net, kinds[kind].origin) < kinds[kind].most &&
           (find_address(net, addr) != NULL ||
            fx_peer_create(net, -1, kinds[kind].origin, addr) != NULL);
}

static void forget_old(struct fx_map *map, int64_t before)
{
    size_t at = 0;
    const void *key;
    void *value;

    while (fx_map_next(map, &at, &key, &value)) {
        if (*(int64_t *)value < before) {
            fx_map_remove(map, key);
            free(value);
        }
    }
}

void fx_dial_tick(struct fx_net *net, int64_t now_ms)
{
    struct fx_dial *dial = net->dial;

    if (dial->listen_paused) {
        dial->listen_paused = false;
        for (size_t i = 0; i < dial->n_listeners; i++) {
            evconnlistener_enable(dial->listeners[i]->socket);
        }
    }
    attempt_all(net, now_ms);
    dial_automatic(net, now_ms);
    forget_old(dial->discouraged, fx_clock_real());
    forget_old(dial->tried, now_ms - FX_DIAL_AGAIN_MS);
}

bool fx_dial_for_blob(struct fx_net *net, const struct fx_netaddr *addr, int64_t now_ms)
{
    struct fx_dial *dial = net->dial;
    uint8_t key[FX_NETADDR_KEY];

    fx_netaddr_key(addr, key);
    if (dial->connect_only || net->inactive || find_address(net, addr) != NULL ||
        fx_map_get(dial->tried, key) != NULL || fx_map_count(dial->tried) >= FX_ROOTS_MAX ||
        fx_dial_is_discouraged(net, addr) || fx_bans_has(net, addr) ||
        count_origin(net, FX_PEER_BLOB) >= FX_BLOB_DIALS_MAX) {
        return false;
    }
    fx_map_put(dial->tried, key, fx_xmemdup(&now_ms, sizeof now_ms));
    return fx_peer_create(net, -1, FX_PEER_BLOB, addr) != NULL;
}

/* ---- who misbehaved, and who we are ---------------------------------------------------------- */

static void host_key(const struct fx_netaddr *addr, uint8_t key[FX_NETADDR_KEY])
{
    struct fx_netaddr host = *addr;

    host.port = 0;
    fx_netaddr_key(&host, key);
}

void fx_dial_discourage(struct fx_net *net, const struct fx_netaddr *addr)
{
    struct fx_dial *dial = net->dial;
    uint8_t key[FX_NETADDR_KEY];
    int64_t until = fx_clock_real() + FX_DISCOURAGED_S;

    /* Several nodes share a loopback address; one of them is no reason to refuse the others. */
    if (dial == NULL || fx_netaddr_is_loopback(addr) || addr->network == FX_NETWORK_NONE) {
        return;
    }
    if (fx_map_count(dial->discouraged) >= FX_DISCOURAGED_MAX) {
        fx_map_clear(dial->discouraged, free);
    }
    host_key(addr, key);
    free(fx_map_put(dial->discouraged, key, fx_xmemdup(&until, sizeof until)));
}

bool fx_dial_is_discouraged(const struct fx_net *net, const struct fx_netaddr *addr)
{
    uint8_t key[FX_NETADDR_KEY];
    const int64_t *until = NULL;

    host_key(addr, key);
    until = fx_map_get(net->dial->discouraged, key);
    return until != NULL && *until > fx_clock_real();
}

void fx_dial_own_address(const struct fx_peer *peer, struct fx_netaddr *addr)
{
    const struct fx_net *net = peer->net;
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;

    if (fx_netaddr_is_loopback(&peer->addr) || net->dial->external.network == FX_NETWORK_NONE) {
        memset(addr, 0, sizeof *addr);
        if (getsockname(bufferevent_getfd(peer->bev), (struct sockaddr *)&sa, &len) != 0 ||
            !fx_netaddr_from_sockaddr((struct sockaddr *)&sa, addr)) {
            addr->network = FX_NETWORK_IPV4;
        }
    } else {
        *addr = net->dial->external;
    }
    addr->port = net->port;
}
