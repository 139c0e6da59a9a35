/* Permissions of peers: reading them, and whom they are for. */
#include "src/net/permit_int.h"

#include <stdlib.h>
#include <string.h>

#include "src/util/mem.h"

#define NAME_MAX_LEN 32

/* In the order of Bitcoin Core's lists. */
static const struct {
    const char *name;
    uint32_t flags;
} permissions[] = {
    {"bloomfilter", FX_PERMIT_BLOOM},
    {"noban", FX_PERMIT_NOBAN | FX_PERMIT_DOWNLOAD},
    {"forcerelay", FX_PERMIT_FORCERELAY | FX_PERMIT_RELAY},
    {"relay", FX_PERMIT_RELAY},
    {"mempool", FX_PERMIT_MEMPOOL},
    {"download", FX_PERMIT_DOWNLOAD},
    {"addr", FX_PERMIT_ADDR},
};
_Static_assert(sizeof permissions / sizeof permissions[0] <= FX_NET_PERMISSIONS, "room for names");

static bool fail(char **error, const char *what, const char *text)
{
    struct fx_buf buf = FX_BUF_INIT;
    size_t n;

    fx_buf_printf(&buf, "%s: '%.100s'", what, text);
    fx_buf_u8(&buf, 0);
    *error = (char *)fx_buf_steal(&buf, &n);
    return false;
}

static bool add_name(const char *name, struct fx_permit *permit)
{
    if (*name == '\0') {
        return true;
    }
    if (strcmp(name, "in") == 0) {
        permit->in = true;
        return true;
    }
    if (strcmp(name, "out") == 0) {
        permit->out = true;
        return true;
    }
    for (size_t i = 0; i < sizeof permissions / sizeof permissions[0]; i++) {
        if (strcmp(name, "all") == 0 || strcmp(name, permissions[i].name) == 0 ||
            (strcmp(name, "bloom") == 0 && permissions[i].flags == FX_PERMIT_BLOOM)) {
            permit->flags |= permissions[i].flags;
            if (strcmp(name, "all") != 0) {
                return true;
            }
        }
    }
    return strcmp(name, "all") == 0;
}

/* What stands before '@', if anything; *rest is what follows it. */
static bool parse_flags(const char *text, struct fx_permit *permit, const char **rest, char **error)
{
    const char *at = strchr(text, '@');

    memset(permit, 0, sizeof *permit);
    permit->implicit = at == NULL;
    *rest = at == NULL ? text : at + 1;
    for (const char *name = text; at != NULL && name < at;) {
        size_t n = strcspn(name, ",@");
        char copy[NAME_MAX_LEN];

        if (n >= sizeof copy) {
            return fail(error, "Invalid P2P permission", text);
        }
        memcpy(copy, name, n);
        copy[n] = '\0';
        if (!add_name(copy, permit)) {
            return fail(error, "Invalid P2P permission", copy);
        }
        name += n + 1;
    }
    if (!permit->in && !permit->out) {
        permit->in = true;
    } else if (permit->flags == 0) {
        return fail(error, "Only direction was set, no permissions", text);
    }
    return true;
}

static unsigned address_bits(const struct fx_netaddr *addr)
{
    return addr->network == FX_NETWORK_IPV4 ? 32 : 128;
}

bool fx_permit_parse_list(const char *text, struct fx_permit *permit, char **error)
{
    static const char what[] = "Invalid netmask specified in -whitelist";
    const char *net, *slash;
    char *plain, *end = NULL;
    bool ok;

    if (!parse_flags(text, permit, &net, error)) {
        return false;
    }
    slash = strchr(net, '/');
    plain = fx_xstrdup(net);
    if (slash != NULL) {
        plain[slash - net] = '\0';
    }
    ok = fx_netaddr_parse(plain, 0, &permit->addr) && permit->addr.port == 0;
    free(plain);
    if (!ok) {
        return fail(error, what, net);
    }
    permit->bits = address_bits(&permit->addr);
    if (slash != NULL) {
        unsigned long bits = strtoul(slash + 1, &end, 10);

        if (slash[1] < '0' || slash[1] > '9' || *end != '\0' || bits > permit->bits) {
            return fail(error, what, net);
        }
        permit->bits = (unsigned)bits;
    }
    return true;
}

bool fx_permit_parse_bind(const char *text, struct fx_permit *permit, char **error)
{
    const char *address;

    if (!parse_flags(text, permit, &address, error)) {
        return false;
    }
    if (permit->out) {
        return fail(error, "whitebind may only be used for incoming connections", text);
    }
    if (!fx_netaddr_parse(address, 0, &permit->addr)) {
        return fail(error, "Cannot resolve -whitebind address", address);
    }
    if (permit->addr.port == 0) {
        return fail(error, "Need to specify a port with -whitebind", address);
    }
    permit->bits = address_bits(&permit->addr);
    return true;
}

bool fx_permit_covers(const struct fx_permit *permit, const struct fx_netaddr *addr)
{
    unsigned whole = permit->bits / 8, rest = permit->bits % 8;
    uint8_t mask = (uint8_t)(0xff00u >> rest);

    return addr->network == permit->addr.network && memcmp(addr->ip, permit->addr.ip, whole) == 0 &&
           (rest == 0 || ((addr->ip[whole] ^ permit->addr.ip[whole]) & mask) == 0);
}

size_t fx_permit_names(uint32_t flags, const char *names[FX_NET_PERMISSIONS])
{
    size_t n = 0;

    for (size_t i = 0; i < sizeof permissions / sizeof permissions[0]; i++) {
        if ((flags & permissions[i].flags) == permissions[i].flags) {
            names[n++] = permissions[i].name;
        }
    }
    return n;
}
