/* The list of hosts and subnets that a user banned. */
#include "src/net/bans_int.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/net/peer_int.h"
#include "src/net/permit_int.h"
#include "src/sys/clock.h"
#include "src/sys/file.h"
#include "src/sys/log.h"
#include "src/util/mem.h"

#define FILE_NAME "banlist.json"
#define FILE_MAX (16u << 20)
#define ONION_CHARS 56 /* of a Tor address of version 3, before ".onion" */

struct ban {
    struct fx_permit subnet; /* addr.network FX_NETWORK_NONE: by its name alone */
    char name[FX_NET_SUBNET];
    int64_t created, until; /* unix seconds */
};

struct fx_bans {
    struct ban *list; /* in order of by_subnet */
    size_t n;
};

/* ---- subnets --------------------------------------------------------------------------------- */

/* A Tor address may be banned as well, although this node dials none. */
static bool is_onion(const char *text)
{
    return strlen(text) == ONION_CHARS + strlen(".onion") &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz234567") == ONION_CHARS &&
           strcmp(text + ONION_CHARS, ".onion") == 0;
}

/* The name has the bits beyond the mask cleared, as Bitcoin Core lists it. */
static bool parse(const char *text, struct ban *ban)
{
    char host[FX_NETADDR_HOST];
    char *error = NULL;
    uint8_t *ip = ban->subnet.addr.ip;

    memset(ban, 0, sizeof *ban);
    if (is_onion(text)) {
        snprintf(ban->name, sizeof ban->name, "%s", text);
        return true;
    }
    if (strchr(text, '@') != NULL || !fx_permit_parse_list(text, &ban->subnet, &error)) {
        free(error);
        return false;
    }
    for (unsigned bit = ban->subnet.bits; bit < 8 * sizeof ban->subnet.addr.ip; bit++) {
        ip[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
    }
    fx_netaddr_format_host(&ban->subnet.addr, host);
    snprintf(ban->name, sizeof ban->name, "%s/%u", host, ban->subnet.bits);
    return true;
}

static unsigned order_of(const struct ban *ban)
{
    return ban->subnet.addr.network == FX_NETWORK_NONE ? UINT8_MAX : ban->subnet.addr.network;
}

static int by_subnet(const void *x, const void *y)
{
    const struct ban *a = x, *b = y;
    int ip = memcmp(a->subnet.addr.ip, b->subnet.addr.ip, sizeof a->subnet.addr.ip);

    if (order_of(a) != order_of(b)) {
        return order_of(a) < order_of(b) ? -1 : 1;
    }
    if (ip != 0) {
        return ip;
    }
    if (a->subnet.bits != b->subnet.bits) {
        return a->subnet.bits < b->subnet.bits ? -1 : 1;
    }
    return strcmp(a->name, b->name);
}

static bool covers(const struct ban *ban, const struct fx_netaddr *addr)
{
    return ban->subnet.addr.network != FX_NETWORK_NONE && fx_permit_covers(&ban->subnet, addr);
}

/* ---- banlist.json ---------------------------------------------------------------------------- */

static void save(const struct fx_net *net)
{
    json_t *nets = json_array(), *all = json_object();
    char *path, *text;

    if (net->dir == NULL) {
        json_decref(nets);
        json_decref(all);
        return;
    }
    for (size_t i = 0; i < net->bans->n; i++) {
        const struct ban *ban = &net->bans->list[i];

        json_array_append_new(nets, json_pack("{s:i, s:I, s:I, s:s}", "version", 1, "ban_created",
                                              (json_int_t)ban->created, "banned_until",
                                              (json_int_t)ban->until, "address", ban->name));
    }
    json_object_set_new(all, "banned_nets", nets);
    text = json_dumps(all, JSON_INDENT(4));
    path = fx_path_join(net->dir, FILE_NAME);
    if (text == NULL || !fx_file_write(path, text, strlen(text), 0600)) {
        fx_log_info("net: cannot write %s: %s", path, strerror(errno));
    }
    free(path);
    free(text);
    json_decref(all);
}

static void insert(struct fx_bans *bans, const struct ban *ban)
{
    bans->list = fx_xreallocarray(bans->list, bans->n + 1, sizeof *bans->list);
    bans->list[bans->n++] = *ban;
    qsort(bans->list, bans->n, sizeof *bans->list, by_subnet);
}

static void read_all(struct fx_bans *bans, const json_t *nets)
{
    const json_t *item;
    size_t at;

    json_array_foreach(nets, at, item)
    {
        const char *name = json_string_value(json_object_get(item, "address"));
        struct ban ban;

        if (name != NULL && bans->n < FX_BANS_MAX && parse(name, &ban)) {
            ban.created = json_integer_value(json_object_get(item, "ban_created"));
            ban.until = json_integer_value(json_object_get(item, "banned_until"));
            insert(bans, &ban);
        }
    }
}

static bool load(struct fx_bans *bans, const char *path)
{
    uint8_t *data = NULL;
    size_t n = 0;
    json_t *all = NULL;
    const json_t *nets = NULL;

    if (fx_path_exists(path) && fx_file_read(path, FILE_MAX, &data, &n)) {
        all = json_loadb((const char *)data, n, 0, NULL);
        nets = json_object_get(all, "banned_nets");
        read_all(bans, nets);
    }
    free(data);
    json_decref(all);
    return nets != NULL;
}

void fx_bans_create(struct fx_net *net)
{
    char *path;

    net->bans = fx_xcalloc(1, sizeof *net->bans);
    if (net->dir == NULL) {
        return;
    }
    path = fx_path_join(net->dir, FILE_NAME);
    if (!load(net->bans, path)) {
        fx_log_info("Recreating the banlist database");
        save(net);
    }
    free(path);
}

void fx_bans_destroy(struct fx_net *net)
{
    if (net->bans != NULL) {
        free(net->bans->list);
        free(net->bans);
        net->bans = NULL;
    }
}

/* ---- what is banned -------------------------------------------------------------------------- */

static void remove_at(struct fx_bans *bans, size_t at)
{
    bans->n--;
    memmove(&bans->list[at], &bans->list[at + 1], (bans->n - at) * sizeof *bans->list);
}

static void expire(struct fx_net *net)
{
    struct fx_bans *bans = net->bans;
    size_t before = bans->n;

    for (size_t i = bans->n; i > 0; i--) {
        if (bans->list[i - 1].until <= fx_clock_now()) {
            remove_at(bans, i - 1);
        }
    }
    if (bans->n != before) {
        save(net);
    }
}

bool fx_bans_has(struct fx_net *net, const struct fx_netaddr *addr)
{
    expire(net);
    for (size_t i = 0; i < net->bans->n; i++) {
        if (covers(&net->bans->list[i], addr)) {
            return true;
        }
    }
    return false;
}

/* host: one that is in a banned subnet is banned. */
static bool is_banned(const struct fx_bans *bans, const struct ban *ban, bool host)
{
    for (size_t i = 0; i < bans->n; i++) {
        if (strcmp(bans->list[i].name, ban->name) == 0 ||
            (host && covers(&bans->list[i], &ban->subnet.addr))) {
            return true;
        }
    }
    return false;
}

enum fx_ban_outcome fx_net_ban(struct fx_net *net, const char *subnet, int64_t until)
{
    struct ban ban;

    if (!parse(subnet, &ban)) {
        return FX_BAN_NO_SUBNET;
    }
    expire(net);
    if (is_banned(net->bans, &ban, strchr(subnet, '/') == NULL)) {
        return FX_BAN_ALREADY;
    }
    if (net->bans->n >= FX_BANS_MAX) {
        return FX_BAN_FULL;
    }
    ban.created = fx_clock_now();
    ban.until = until;
    insert(net->bans, &ban);
    save(net);
    for (size_t i = 0; i < net->n_peers; i++) {
        if (covers(&ban, &net->peers[i]->addr)) {
            fx_peer_drop(net->peers[i], "a user banned its address");
        }
    }
    return FX_BAN_DONE;
}

enum fx_ban_outcome fx_net_unban(struct fx_net *net, const char *subnet)
{
    struct ban ban;

    if (!parse(subnet, &ban)) {
        return FX_BAN_NO_SUBNET;
    }
    expire(net);
    for (size_t i = 0; i < net->bans->n; i++) {
        if (strcmp(net->bans->list[i].name, ban.name) == 0) {
            remove_at(net->bans, i);
            save(net);
            return FX_BAN_DONE;
        }
    }
    return FX_BAN_NONE;
}

void fx_net_clear_bans(struct fx_net *net)
{
    net->bans->n = 0;
    save(net);
}

int64_t fx_net_ban_seconds(const struct fx_net *net)
{
    return net->ban_seconds;
}

size_t fx_net_bans(struct fx_net *net, struct fx_ban **bans)
{
    expire(net);
    *bans = fx_xcalloc(net->bans->n + 1, sizeof **bans);
    for (size_t i = 0; i < net->bans->n; i++) {
        const struct ban *ban = &net->bans->list[i];

        memcpy((*bans)[i].subnet, ban->name, sizeof ban->name);
        (*bans)[i].created = ban->created;
        (*bans)[i].until = ban->until;
    }
    return net->bans->n;
}
