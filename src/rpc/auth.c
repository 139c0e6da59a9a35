/* Who may call: the cookie, passwords and salted hashes; which addresses may connect. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "src/crypto/sha256.h"
#include "src/crypto/zero.h"
#include "src/rpc/rpc_int.h"
#include "src/sys/file.h"
#include "src/sys/random.h"
#include "src/util/base64.h"
#include "src/util/hex.h"
#include "src/util/mem.h"

#define HEADER_MAX 2048

static bool address_parse(const char *text, uint8_t out[16], bool *v4)
{
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, text, &four) == 1) {
        memset(out, 0, 10);
        out[10] = out[11] = 0xff;
        memcpy(out + 12, &four, 4);
        *v4 = true;
        return true;
    }
    if (inet_pton(AF_INET6, text, &six) != 1) {
        return false;
    }
    memcpy(out, &six, 16);
    *v4 = IN6_IS_ADDR_V4MAPPED(&six);
    return true;
}

bool fx_rpc_subnet_parse(const char *text, struct fx_rpc_subnet *subnet)
{
    char address[64];
    const char *slash = strchr(text, '/');
    size_t n = slash ? (size_t)(slash - text) : strlen(text);
    bool v4;
    if (n >= sizeof(address)) {
        return false;
    }
    memcpy(address, text, n);
    address[n] = 0;
    if (!address_parse(address, subnet->address, &v4)) {
        return false;
    }
    subnet->bits = 128;
    if (slash) {
        char *end = NULL;
        unsigned long bits = strtoul(slash + 1, &end, 10);
        if (slash[1] < '0' || slash[1] > '9' || *end || bits > (v4 ? 32u : 128u)) {
            return false;
        }
        subnet->bits = (unsigned)bits + (v4 ? 96u : 0u);
    }
    return true;
}

bool fx_rpc_subnet_has(const struct fx_rpc_subnet *subnet, const char *address)
{
    uint8_t at[16];
    bool v4;
    if (!address_parse(address, at, &v4)) {
        return false;
    }
    for (unsigned b = 0; b < subnet->bits; b++) {
        unsigned mask = 0x80u >> (b & 7);
        if ((at[b >> 3] & mask) != (subnet->address[b >> 3] & mask)) {
            return false;
        }
    }
    return true;
}

/* Equal in a time that depends on the given text alone. */
static bool same_secret(const char *given, const char *ours)
{
    uint8_t a[32], b[32];
    fx_sha256(given, strlen(given), a);
    fx_sha256(ours, strlen(ours), b);
    return fx_secure_equal(a, b, 32);
}

static void hmac_sha256(const char *key, const char *data, uint8_t out[32])
{
    uint8_t block[64] = {0}, inner[32];
    struct fx_sha256 ctx;
    size_t n = strlen(key);
    if (n > sizeof(block)) {
        fx_sha256(key, n, block);
    } else {
        memcpy(block, key, n);
    }
    for (unsigned i = 0; i < 64; i++) {
        block[i] ^= 0x36;
    }
    fx_sha256_init(&ctx);
    fx_sha256_update(&ctx, block, sizeof(block));
    fx_sha256_update(&ctx, data, strlen(data));
    fx_sha256_final(&ctx, inner);
    for (unsigned i = 0; i < 64; i++) {
        block[i] ^= 0x36 ^ 0x5c;
    }
    fx_sha256_init(&ctx);
    fx_sha256_update(&ctx, block, sizeof(block));
    fx_sha256_update(&ctx, inner, sizeof(inner));
    fx_sha256_final(&ctx, out);
}

/* rpcauth: user:salt$hex of HMAC-SHA256(salt, password). */
static bool salted_matches(const char *entry, const char *user, const char *password)
{
    const char *colon = strchr(entry, ':');
    const char *dollar = colon ? strchr(colon, '$') : NULL;
    char salt[128], hex[65];
    uint8_t mac[32];
    size_t n = dollar ? (size_t)(dollar - colon - 1) : 0;
    if (!dollar || n >= sizeof(salt) || strlen(user) != (size_t)(colon - entry) ||
        memcmp(user, entry, strlen(user)) != 0) {
        return false;
    }
    memcpy(salt, colon + 1, n);
    salt[n] = 0;
    hmac_sha256(salt, password, mac);
    fx_hex_encode(mac, sizeof(mac), hex);
    return same_secret(hex, dollar + 1);
}

bool fx_rpc_auth_check(const struct fx_rpc *rpc, const char *header)
{
    char plain[HEADER_MAX];
    size_t n;
    bool ok = false;
    if (!header || strlen(header) >= HEADER_MAX || strncasecmp(header, "Basic ", 6) != 0) {
        return false;
    }
    const char *text = header + 6;
    text += strspn(text, " ");
    if (!fx_base64_decode(text, (uint8_t *)plain, sizeof(plain) - 1, &n)) {
        return false;
    }
    plain[n] = 0;
    for (size_t i = 0; i < rpc->n_credentials; i++) {
        ok = same_secret(plain, rpc->credentials[i]) || ok;
    }
    char *colon = strchr(plain, ':');
    if (colon && !ok) {
        *colon = 0;
        for (size_t i = 0; i < rpc->n_auth; i++) {
            ok = salted_matches(rpc->auth[i], plain, colon + 1) || ok;
        }
    }
    fx_secure_zero(plain, sizeof(plain));
    return ok;
}

bool fx_rpc_cookie_make(struct fx_rpc *rpc, char error[FX_RPC_CREATE_ERROR])
{
    uint8_t secret[32];
    char hex[65], *text = NULL;
    fx_random_bytes(secret, sizeof(secret));
    fx_hex_encode(secret, sizeof(secret), hex);
    if (asprintf(&text, "__cookie__:%s", hex) < 0) {
        snprintf(error, FX_RPC_CREATE_ERROR, "out of memory");
        return false;
    }
    if (!fx_file_write(rpc->cookie_file, text, strlen(text), 0600)) {
        snprintf(error, FX_RPC_CREATE_ERROR, "Unable to write the authentication cookie %.150s: %s",
                 rpc->cookie_file, strerror(errno));
        free(text);
        return false;
    }
    rpc->cookie_made = true;
    rpc->credentials =
        fx_xreallocarray(rpc->credentials, rpc->n_credentials + 1, sizeof(*rpc->credentials));
    rpc->credentials[rpc->n_credentials++] = text;
    return true;
}
