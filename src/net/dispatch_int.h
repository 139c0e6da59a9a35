/* Which handler takes which command, and how long its payload may be. */
#ifndef FX_NET_DISPATCH_INT_H
#define FX_NET_DISPATCH_INT_H

#include "src/net/peer_int.h"

struct fx_command {
    const char *name;
    uint32_t max; /* bytes of payload */
    bool early;   /* allowed before the handshake is done */
    /* False: the payload is malformed. */
    bool (*handle)(struct fx_peer *peer, struct fx_reader *r);
};

/* NULL: unknown. */
const struct fx_command *fx_command_find(const char *name);
/* Where statistics of this command are kept: below FX_NET_COMMANDS, the last one for the unknown.
 */
size_t fx_command_slot(const char *name);
const char *fx_command_name(size_t slot); /* "*other*" for the unknown; NULL: no such slot */
/* The longest payload that is read for this command from this peer now. */
uint32_t fx_command_max(const struct fx_peer *peer, const char *name);
/* A whole message with a good checksum. */
void fx_dispatch(struct fx_peer *peer, const char *name, struct fx_span payload);

#endif
