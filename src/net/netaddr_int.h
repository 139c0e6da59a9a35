/* Network addresses: numeric text, sockets, and the wire forms of Bitcoin and BIP155. */
#ifndef FX_NET_NETADDR_INT_H
#define FX_NET_NETADDR_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "src/iface/net.h"
#include "src/sys/resolve.h"
#include "src/util/buf.h"
#include "src/util/reader.h"

/* BIP155 network ids that this node can dial. */
enum fx_network { FX_NETWORK_NONE = 0, FX_NETWORK_IPV4 = 1, FX_NETWORK_IPV6 = 2 };

struct fx_netaddr {
    uint8_t network; /* enum fx_network */
    uint8_t ip[16];  /* IPv4: the first 4 bytes, the rest zero */
    uint16_t port;
};

#define FX_NETADDR_KEY 19 /* network, ip, port: the key of a map */

/* "1.2.3.4", "1.2.3.4:5", "::1", "[::1]:5", "localhost"; default_port where none is given. */
bool fx_netaddr_parse(const char *text, uint16_t default_port, struct fx_netaddr *addr);
/* "node.example.org", "node.example.org:5": a name to be looked up. */
bool fx_netaddr_parse_name(const char *text, uint16_t default_port, char host[FX_HOST_MAX + 1],
                           uint16_t *port);
/* Without port or brackets. */
#define FX_NETADDR_HOST 46
void fx_netaddr_format_host(const struct fx_netaddr *addr, char out[FX_NETADDR_HOST]);
void fx_netaddr_format(const struct fx_netaddr *addr, char out[FX_NET_ADDRESS]);
bool fx_netaddr_equal(const struct fx_netaddr *a, const struct fx_netaddr *b);
bool fx_netaddr_same_host(const struct fx_netaddr *a, const struct fx_netaddr *b);
void fx_netaddr_key(const struct fx_netaddr *addr, uint8_t key[FX_NETADDR_KEY]);
bool fx_netaddr_from_sockaddr(const struct sockaddr *sa, struct fx_netaddr *addr);
/* The length of what was written. */
socklen_t fx_netaddr_to_sockaddr(const struct fx_netaddr *addr, struct sockaddr_storage *sa);

bool fx_netaddr_is_loopback(const struct fx_netaddr *addr);
/* On the public internet, with a port. */
bool fx_netaddr_is_routable(const struct fx_netaddr *addr);
/* What one operator is likely to hold: IPv4 /16, IPv6 /32, each loopback address by itself. */
uint64_t fx_netaddr_group(const struct fx_netaddr *addr);

/* Bitcoin's form: 16 bytes with IPv4 mapped, port big-endian. */
void fx_netaddr_write_v1(const struct fx_netaddr *addr, struct fx_buf *buf);
void fx_netaddr_read_v1(struct fx_reader *r, struct fx_netaddr *addr);
/* BIP155: network id, length, address, port big-endian. A network that cannot be dialled reads as
 * FX_NETWORK_NONE; a known one with a wrong length makes the reader bad. */
void fx_netaddr_write_v2(const struct fx_netaddr *addr, struct fx_buf *buf);
void fx_netaddr_read_v2(struct fx_reader *r, struct fx_netaddr *addr);

#endif
