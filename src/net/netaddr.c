/* Network addresses as text, sockets and wire bytes. */
#include "src/net/netaddr_int.h"

#include <inttypes.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "src/net/limits_int.h"
#include "src/sys/log.h"

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool parse_port(const char *text, uint16_t *port)
{
    uint32_t value = 0;

    if (*text == '\0' || strlen(text) > 5) {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        value = value * 10 + (uint32_t)(*text - '0');
    }
    if (value == 0 || value > 65535) {
        return false;
    }
    *port = (uint16_t)value;
    return true;
}

static void set_ip(struct fx_netaddr *addr, const uint8_t ip[16])
{
    memset(addr->ip, 0, sizeof addr->ip);
    if (memcmp(ip, mapped, sizeof mapped) == 0) {
        addr->network = FX_NETWORK_IPV4;
        memcpy(addr->ip, ip + 12, 4);
    } else {
        addr->network = FX_NETWORK_IPV6;
        memcpy(addr->ip, ip, 16);
    }
}

bool fx_netaddr_parse(const char *text, uint16_t default_port, struct fx_netaddr *addr)
{
    char host[FX_NET_ADDRESS];
    const char *port = NULL;
    const char *colon = strchr(text, ':');
    size_t n = strlen(text);
    uint8_t ip[16];

    memset(addr, 0, sizeof *addr);
    if (n >= sizeof host) {
        return false;
    }
    if (text[0] == '[') {
        const char *end = strchr(text, ']');

        if (end == NULL || (end[1] != '\0' && end[1] != ':')) {
            return false;
        }
        n = (size_t)(end - text) - 1;
        port = end[1] == ':' ? end + 2 : NULL;
        text++;
    } else if (colon != NULL && strchr(colon + 1, ':') == NULL) {
        n = (size_t)(colon - text);
        port = colon + 1;
    }
    memcpy(host, text, n);
    host[n] = '\0';
    addr->port = default_port;
    if (port != NULL && !parse_port(port, &addr->port)) {
        return false;
    }
    if (strcmp(host, "localhost") == 0) {
        memcpy(host, "127.0.0.1", 10);
    }
    if (inet_pton(AF_INET, host, addr->ip) == 1) {
        addr->network = FX_NETWORK_IPV4;
        return true;
    }
    if (inet_pton(AF_INET6, host, ip) == 1) {
        set_ip(addr, ip);
        return true;
    }
    return false;
}

bool fx_netaddr_parse_name(const char *text, uint16_t default_port, char host[FX_HOST_MAX + 1],
                           uint16_t *port)
{
    size_t n = strcspn(text, ":");

    if (n > FX_HOST_MAX) {
        return false;
    }
    memcpy(host, text, n);
    host[n] = '\0';
    *port = default_port;
    return fx_host_is_name(host) && (text[n] == '\0' || parse_port(text + n + 1, port));
}

void fx_netaddr_format_host(const struct fx_netaddr *addr, char out[FX_NETADDR_HOST])
{
    switch ((enum fx_network)addr->network) {
    case FX_NETWORK_IPV4:
        inet_ntop(AF_INET, addr->ip, out, FX_NETADDR_HOST);
        return;
    case FX_NETWORK_IPV6:
        inet_ntop(AF_INET6, addr->ip, out, FX_NETADDR_HOST);
        return;
    case FX_NETWORK_NONE:
        break;
    }
    snprintf(out, FX_NETADDR_HOST, "unknown");
}

void fx_netaddr_format(const struct fx_netaddr *addr, char out[FX_NET_ADDRESS])
{
    char host[FX_NETADDR_HOST];

    fx_netaddr_format_host(addr, host);
    if (addr->network == FX_NETWORK_NONE) {
        snprintf(out, FX_NET_ADDRESS, "%s", host);
        return;
    }
    snprintf(out, FX_NET_ADDRESS, addr->network == FX_NETWORK_IPV6 ? "[%s]:%u" : "%s:%u", host,
             (unsigned)addr->port);
}

bool fx_netaddr_equal(const struct fx_netaddr *a, const struct fx_netaddr *b)
{
    return fx_netaddr_same_host(a, b) && a->port == b->port;
}

bool fx_netaddr_same_host(const struct fx_netaddr *a, const struct fx_netaddr *b)
{
    return a->network == b->network && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

void fx_netaddr_key(const struct fx_netaddr *addr, uint8_t key[FX_NETADDR_KEY])
{
    key[0] = addr->network;
    memcpy(key + 1, addr->ip, 16);
    key[17] = (uint8_t)(addr->port >> 8);
    key[18] = (uint8_t)addr->port;
}

bool fx_netaddr_from_sockaddr(const struct sockaddr *sa, struct fx_netaddr *addr)
{
    memset(addr, 0, sizeof *addr);
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;

        memcpy(&in, sa, sizeof in);
        addr->network = FX_NETWORK_IPV4;
        memcpy(addr->ip, &in.sin_addr, 4);
        addr->port = ntohs(in.sin_port);
        return true;
    }
    if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;

        memcpy(&in6, sa, sizeof in6);
        set_ip(addr, in6.sin6_addr.s6_addr);
        addr->port = ntohs(in6.sin6_port);
        return true;
    }
    return false;
}

socklen_t fx_netaddr_to_sockaddr(const struct fx_netaddr *addr, struct sockaddr_storage *sa)
{
    memset(sa, 0, sizeof *sa);
    if (addr->network == FX_NETWORK_IPV4) {
        struct sockaddr_in in;

        memset(&in, 0, sizeof in);
        in.sin_family = AF_INET;
        in.sin_port = htons(addr->port);
        memcpy(&in.sin_addr, addr->ip, 4);
        memcpy(sa, &in, sizeof in);
        return sizeof in;
    }
    if (addr->network == FX_NETWORK_IPV6) {
        struct sockaddr_in6 in6;

        memset(&in6, 0, sizeof in6);
        in6.sin6_family = AF_INET6;
        in6.sin6_port = htons(addr->port);
        memcpy(&in6.sin6_addr, addr->ip, 16);
        memcpy(sa, &in6, sizeof in6);
        return sizeof in6;
    }
    return 0;
}

bool fx_netaddr_is_loopback(const struct fx_netaddr *addr)
{
    static const uint8_t one[16] = {[15] = 1};

    if (addr->network == FX_NETWORK_IPV4) {
        return addr->ip[0] == 127 || addr->ip[0] == 0;
    }
    return addr->network == FX_NETWORK_IPV6 && memcmp(addr->ip, one, sizeof one) == 0;
}

static bool ipv4_is_routable(const uint8_t *ip)
{
    return !(ip[0] == 0 || ip[0] == 10 || ip[0] == 127 || ip[0] >= 224 ||
             (ip[0] == 100 && (ip[1] & 0xc0) == 64) || (ip[0] == 169 && ip[1] == 254) ||
             (ip[0] == 172 && (ip[1] & 0xf0) == 16) || (ip[0] == 192 && ip[1] == 168) ||
             (ip[0] == 192 && ip[1] == 0 && (ip[2] == 0 || ip[2] == 2)) ||
             (ip[0] == 198 && (ip[1] & 0xfe) == 18) ||
             (ip[0] == 198 && ip[1] == 51 && ip[2] == 100) ||
             (ip[0] == 203 && ip[1] == 0 && ip[2] == 113));
}

bool fx_netaddr_is_routable(const struct fx_netaddr *addr)
{
    if (addr->port == 0) {
        return false;
    }
    if (addr->network == FX_NETWORK_IPV4) {
        return ipv4_is_routable(addr->ip);
    }
    /* 2000::/3 without the documentation prefix is what is handed out. */
    return addr->network == FX_NETWORK_IPV6 && (addr->ip[0] & 0xe0) == 0x20 &&
           !(addr->ip[0] == 0x20 && addr->ip[1] == 0x01 && addr->ip[2] == 0x0d &&
             addr->ip[3] == 0xb8);
}

uint64_t fx_netaddr_group(const struct fx_netaddr *addr)
{
    if (fx_netaddr_is_loopback(addr)) {
        return UINT64_C(0xff) << 56 | (uint64_t)addr->port << 32 | fx_load_u32(addr->ip);
    }
    if (addr->network == FX_NETWORK_IPV4) {
        return UINT64_C(1) << 56 | (uint64_t)addr->ip[0] << 8 | addr->ip[1];
    }
    return (uint64_t)addr->network << 56 | fx_load_u32(addr->ip);
}

void fx_netaddr_write_v1(const struct fx_netaddr *addr, struct fx_buf *buf)
{
    if (addr->network == FX_NETWORK_IPV4) {
        fx_buf_bytes(buf, mapped, sizeof mapped);
        fx_buf_bytes(buf, addr->ip, 4);
    } else {
        fx_buf_bytes(buf, addr->ip, 16);
    }
    fx_buf_u16be(buf, addr->port);
}

void fx_netaddr_read_v1(struct fx_reader *r, struct fx_netaddr *addr)
{
    uint8_t ip[16];

    memset(addr, 0, sizeof *addr);
    fx_read_copy(r, ip, sizeof ip);
    set_ip(addr, ip);
    addr->port = fx_read_u16be(r);
}

void fx_netaddr_write_v2(const struct fx_netaddr *addr, struct fx_buf *buf)
{
    fx_buf_u8(buf, addr->network);
    fx_buf_var_bytes(buf, addr->ip, addr->network == FX_NETWORK_IPV4 ? 4 : 16);
    fx_buf_u16be(buf, addr->port);
}

void fx_netaddr_read_v2(struct fx_reader *r, struct fx_netaddr *addr)
{
    uint8_t network = fx_read_u8(r);
    size_t n = 0;
    struct fx_reader before = *r;
    const uint8_t *ip = fx_read_var_bytes(r, FX_ADDR_BYTES_MAX, &n);

    if (r->bad) {
        uint64_t said = fx_read_var(&before);

        if (said > FX_ADDR_BYTES_MAX) {
            fx_log(FX_LOG_NET, "net: Address too long: %" PRIu64 " > %d", said, FX_ADDR_BYTES_MAX);
        }
    }
    memset(addr, 0, sizeof *addr);
    addr->port = fx_read_u16be(r);
    if (r->bad) {
        return;
    }
    if (network == FX_NETWORK_IPV4 || network == FX_NETWORK_IPV6) {
        if (n != (network == FX_NETWORK_IPV4 ? 4u : 16u)) {
            r->bad = true;
            return;
        }
        addr->network = network;
        memcpy(addr->ip, ip, n);
    }
}
