/*
 * Names of hosts to addresses, as the system resolves them (/etc/hosts, DNS), which can take half a
 * minute: each look-up has a thread of its own, and the caller asks from time to time whether it is
 * done. At the end of the process one that still waits is left behind.
 */
#ifndef FX_SYS_RESOLVE_H
#define FX_SYS_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define FX_HOST_MAX 253      /* characters of a name */
#define FX_HOST_ADDRESSES 16 /* that are looked at */

struct fx_resolve; /* opaque */

/* Letters, digits, `-`, `_` and dots, with a letter among them: a name, and no numeric address. */
bool fx_host_is_name(const char *host);

/* NULL: the system has no thread for it. */
struct fx_resolve *fx_resolve_start(const char *host);
/* Is it done? Then *n addresses are in list, without ports; 0 of them: *error says why, a constant.
 */
bool fx_resolve_done(struct fx_resolve *lookup, struct sockaddr_storage list[FX_HOST_ADDRESSES],
                     size_t *n, const char **error);
/* Done or not; NULL: nothing. */
void fx_resolve_drop(struct fx_resolve *lookup);

#endif
