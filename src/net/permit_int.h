/*
 * What certain peers may do beyond others, in Bitcoin Core's words: -whitelist=PERMISSIONS@SUBNET,
 * -whitebind=PERMISSIONS@ADDRESS. Without "PERMISSIONS@" those of -whitelistrelay,
 * -whitelistforcerelay, and mempool, noban.
 */
#ifndef FX_NET_PERMIT_INT_H
#define FX_NET_PERMIT_INT_H

#include "src/net/netaddr_int.h"

enum fx_permission {
    FX_PERMIT_NOBAN = 1 << 0,      /* never disconnected for what it sends */
    FX_PERMIT_RELAY = 1 << 1,      /* its transactions are taken where nobody else's are */
    FX_PERMIT_FORCERELAY = 1 << 2, /* and told to others though they are in the mempool already */
    FX_PERMIT_MEMPOOL = 1 << 3,    /* may ask for the whole mempool */
    FX_PERMIT_ADDR = 1 << 5,       /* all the addresses that it sends are taken */
    /* Known, and without effect: there are no such limits, and no bloom filters. */
    FX_PERMIT_DOWNLOAD = 1 << 4,
    FX_PERMIT_BLOOM = 1 << 6
};

struct fx_permit {
    struct fx_netaddr addr; /* whitelist: the subnet's, whitebind: with its port */
    unsigned bits;          /* of the address that count */
    uint32_t flags;         /* enum fx_permission */
    bool implicit;          /* no permissions were named */
    bool in, out;           /* connections that it is for */
};

/* False: *error is one sentence, the caller's to free. */
bool fx_permit_parse_list(const char *text, struct fx_permit *permit, char **error);
bool fx_permit_parse_bind(const char *text, struct fx_permit *permit, char **error);
bool fx_permit_covers(const struct fx_permit *permit, const struct fx_netaddr *addr);
/* The names of the flags, as getpeerinfo lists them. Returns how many. */
size_t fx_permit_names(uint32_t flags, const char *names[FX_NET_PERMISSIONS]);

#endif
