/* Key expressions of descriptors: hex, WIF, extended keys with paths, and origins (BIP380). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <secp256k1_extrakeys.h>

#include "src/crypto/ripemd160.h"
#include "src/crypto/zero.h"
#include "src/keys/address.h"
#include "src/keys/descriptor_int.h"
#include "src/util/base58.h"
#include "src/util/hex.h"
#include "src/util/mem.h"

#define STEP_TEXT_MAX 10   /* digits of a step */
#define KEY_TEXT_MAX 200   /* characters of a key */
#define PATH_STEPS_MAX 255 /* a key of depth 255 has no children */

bool fx_desc_fail(char *error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error, FX_DESCRIPTOR_ERROR, format, args);
    va_end(args);
    return false;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* The text up to a character, which is taken too; the rest stays in *text. */
static struct fx_span take_until(struct fx_span *text, char end)
{
    struct fx_span out = *text;
    const uint8_t *at = text->len > 0 ? memchr(text->data, end, text->len) : NULL;
    if (!at) {
        *text = (struct fx_span){text->data + text->len, 0};
        return out;
    }
    out.len = (size_t)(at - text->data);
    *text = (struct fx_span){at + 1, text->len - out.len - 1};
    return out;
}

static bool parse_step(struct fx_span text, uint32_t *step, bool *apostrophe, char *error)
{
    uint64_t value = 0;
    char last = text.len > 0 ? (char)text.data[text.len - 1] : 0;
    bool hardened = last == '\'' || last == 'h';
    if (hardened) {
        *apostrophe = last == '\'';
        text.len--;
    }
    for (size_t i = 0; i < text.len && i <= STEP_TEXT_MAX; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            value = UINT64_MAX;
            break;
        }
        value = 10 * value + (uint64_t)(text.data[i] - '0');
    }
    if (text.len == 0 || value > UINT32_MAX) {
        return fx_desc_fail(error, "Key path value '%.*s' is not a valid uint32",
                            (int)(text.len < 80 ? text.len : 80), (const char *)text.data);
    }
    if (value >= FX_BIP32_HARDENED) {
        return fx_desc_fail(error, "Key path value %lu is out of range", (unsigned long)value);
    }
    *step = (uint32_t)value | (hardened ? FX_BIP32_HARDENED : 0);
    return true;
}

/* text: what follows the first '/'; more: there was one. */
static bool parse_path(struct fx_span text, bool more, struct fx_desc_path *path, bool *apostrophe,
                       char *error)
{
    while (more) {
        uint32_t step = 0;
        more = text.len > 0 && memchr(text.data, '/', text.len) != NULL;
        if (path->n == PATH_STEPS_MAX) {
            return fx_desc_fail(error, "Key path has more than %d steps", PATH_STEPS_MAX);
        }
        if (!parse_step(take_until(&text, '/'), &step, apostrophe, error)) {
            return false;
        }
        path->steps = fx_xreallocarray(path->steps, path->n + 1, sizeof(*path->steps));
        path->steps[path->n++] = step;
    }
    return true;
}

static bool uncompressed_fits(enum fx_desc_place place)
{
    return place == FX_DESC_TOP || place == FX_DESC_P2SH;
}

static bool parse_hex_key(const char *text, enum fx_desc_place place, struct fx_desc_key *key,
                          char *error)
{
    secp256k1_pubkey parsed;
    size_t n = strlen(text) / 2;
    uint8_t raw[66];
    if (strlen(text) % 2 != 0 || n > 65 || !fx_hex_decode(text, raw + 1, n)) {
        return fx_desc_fail(error, "Pubkey '%s' is invalid", text);
    }
    if (n == 65 && (raw[1] == 6 || raw[1] == 7)) {
        return fx_desc_fail(error, "Hybrid public keys are not allowed");
    }
    key->xonly = n == 32 && place == FX_DESC_P2TR;
    raw[0] = 2;
    const uint8_t *from = key->xonly ? raw : raw + 1;
    n += key->xonly;
    if ((n != 33 && n != 65) ||
        !secp256k1_ec_pubkey_parse(secp256k1_context_static, &parsed, from, n)) {
        return fx_desc_fail(error, "Pubkey '%s' is invalid", text);
    }
    if (n == 65 && !uncompressed_fits(place)) {
        return fx_desc_fail(error, "Uncompressed keys are not allowed");
    }
    memcpy(key->key, from, n);
    key->key_len = n;
    return true;
}

/* A key of our own, from its secret. */
static bool set_from_secret(const struct fx_descriptor *d, const uint8_t secret[32],
                            bool compressed, struct fx_desc_key *key)
{
    secp256k1_pubkey point;
    key->key_len = compressed ? 33 : 65;
    return secp256k1_ec_pubkey_create(d->secp, &point, secret) &&
           secp256k1_ec_pubkey_serialize(d->secp, key->key, &key->key_len, &point,
                                         compressed ? SECP256K1_EC_COMPRESSED
                                                    : SECP256K1_EC_UNCOMPRESSED);
}

static bool parse_extended(const struct fx_descriptor *d, const char *text, struct fx_desc_key *key)
{
    uint8_t raw[FX_BIP32_SIZE];
    size_t n;
    bool ok = fx_base58check_decode(text, raw, sizeof(raw), &n) && n == sizeof(raw);
    if (ok && fx_bip32_read_secret(raw, d->params->ext_secret, &key->secret)) {
        key->has_secret = true;
        ok = fx_bip32_neuter(d->secp, &key->secret, &key->base);
    } else {
        ok = ok && fx_bip32_read_public(raw, d->params->ext_public, &key->base);
    }
    fx_secure_zero(raw, sizeof(raw));
    return ok;
}

/* Takes a last step that is "*", "*'" or "*h" off the text. */
static void parse_range(struct fx_span *text, bool *more, struct fx_desc_key *key)
{
    const uint8_t *slash = text->len > 0 ? memrchr(text->data, '/', text->len) : NULL;
    const uint8_t *last = slash ? slash + 1 : text->data;
    size_t n = text->len - (size_t)(last - text->data);
    if (n == 0 || n > 2 || last[0] != '*' || (n == 2 && last[1] != '\'' && last[1] != 'h')) {
        return;
    }
    key->range = n == 2 ? FX_DESC_RANGE_HARDENED : FX_DESC_RANGE;
    if (n == 2) {
        key->apostrophe = last[1] == '\'';
    }
    *more = slash != NULL;
    text->len = slash ? (size_t)(slash - text->data) : 0;
}

/* A key without origin. */
static bool parse_plain(const struct fx_descriptor *d, struct fx_span text,
                        enum fx_desc_place place, struct fx_desc_key *key, char *error)
{
    char name[KEY_TEXT_MAX + 1];
    uint8_t secret[32];
    bool compressed;
    bool more = text.len > 0 && memchr(text.data, '/', text.len) != NULL;
    struct fx_span first = take_until(&text, '/');
    if (first.len == 0) {
        return fx_desc_fail(error, "No key provided");
    }
    snprintf(name, sizeof(name), "%.*s", (int)(first.len < KEY_TEXT_MAX ? first.len : KEY_TEXT_MAX),
             (const char *)first.data);
    if (!more && strspn(name, "0123456789abcdefABCDEF") == strlen(name) && strlen(name) % 2 == 0) {
        return parse_hex_key(name, place, key, error);
    }
    if (!more && fx_wif_decode(d->params, name, secret, &compressed)) {
        key->has_secret = true;
        key->xonly = place == FX_DESC_P2TR;
        bool ok = set_from_secret(d, secret, compressed, key);
        fx_secure_zero(secret, sizeof(secret));
        return ok && (compressed || uncompressed_fits(place) ||
                      fx_desc_fail(error, "Uncompressed keys are not allowed"));
    }
    if (!parse_extended(d, name, key)) {
        return fx_desc_fail(error, "key '%s' is not valid", name);
    }
    if (more) {
        parse_range(&text, &more, key);
    }
    return parse_path(text, more, &key->path, &key->apostrophe, error);
}

static bool parse_origin(struct fx_span text, struct fx_desc_key *key, char *error)
{
    char hex[9];
    if (text.len == 0 || text.data[0] != '[') {
        return fx_desc_fail(error,
                            "Key origin start '[ character expected but not found, got '%c' "
                            "instead",
                            text.len == 0 ? ']' : (char)text.data[0]);
    }
    text.data++;
    text.len--;
    bool more = text.len > 0 && memchr(text.data, '/', text.len) != NULL;
    struct fx_span fingerprint = take_until(&text, '/');
    if (fingerprint.len != 8) {
        return fx_desc_fail(error,
                            "Fingerprint is not 4 bytes (%zu characters instead of 8 characters)",
                            fingerprint.len);
    }
    memcpy(hex, fingerprint.data, 8);
    hex[8] = 0;
    if (!fx_hex_decode(hex, key->fingerprint, 4)) {
        return fx_desc_fail(error, "Fingerprint '%s' is not hex", hex);
    }
    key->has_origin = true;
    return parse_path(text, more, &key->origin, &key->apostrophe, error);
}

bool fx_desc_key_parse(const struct fx_descriptor *d, struct fx_span text, enum fx_desc_place place,
                       struct fx_desc_key *key, char *error)
{
    memset(key, 0, sizeof(*key));
    const uint8_t *close = text.len > 0 ? memchr(text.data, ']', text.len) : NULL;
    if (close) {
        struct fx_span origin = take_until(&text, ']');
        if (text.len > 0 && memchr(text.data, ']', text.len)) {
            return fx_desc_fail(error, "Multiple ']' characters found for a single pubkey");
        }
        if (!parse_origin(origin, key, error)) {
            return false;
        }
    }
    return parse_plain(d, text, place, key, error);
}

void fx_desc_key_clear(struct fx_desc_key *key)
{
    free(key->origin.steps);
    free(key->path.steps);
    fx_secure_zero(key, sizeof(*key));
}

bool fx_desc_key_has_range(const struct fx_desc_key *key)
{
    return key->range != FX_DESC_SINGLE;
}

/* ---- deriving -------------------------------------------------------------------------------- */

static void path_add(struct fx_desc_path *path, const uint32_t *steps, size_t n)
{
    if (n == 0) {
        return;
    }
    path->steps = fx_xreallocarray(path->steps, path->n + n, sizeof(*path->steps));
    memcpy(path->steps + path->n, steps, n * sizeof(*steps));
    path->n += n;
}

/* All steps of a key, with the position. */
static void whole_path(const struct fx_desc_key *key, uint32_t position, struct fx_desc_path *path)
{
    path_add(path, key->path.steps, key->path.n);
    if (key->range != FX_DESC_SINGLE) {
        uint32_t last = position | (key->range == FX_DESC_RANGE_HARDENED ? FX_BIP32_HARDENED : 0);
        path_add(path, &last, 1);
    }
}

static bool derive_secret(const struct fx_descriptor *d, const struct fx_desc_key *key,
                          const struct fx_desc_path *path, struct fx_bip32_public *out)
{
    struct fx_bip32 at = key->secret;
    bool ok = true;
    for (size_t i = 0; i < path->n && ok; i++) {
        ok = fx_bip32_child(d->secp, &at, path->steps[i], &at);
    }
    ok = ok && fx_bip32_neuter(d->secp, &at, out);
    fx_secure_zero(&at, sizeof(at));
    return ok;
}

static bool derive(const struct fx_descriptor *d, const struct fx_desc_key *key,
                   const struct fx_desc_path *path, struct fx_bip32_public *out)
{
    if (key->has_secret) {
        return derive_secret(d, key, path, out);
    }
    *out = key->base;
    for (size_t i = 0; i < path->n; i++) {
        if (!fx_bip32_public_child(out, path->steps[i], out)) {
            return false;
        }
    }
    return true;
}

static void fingerprint_of(const uint8_t *key, size_t n, uint8_t out[4])
{
    uint8_t id[20];
    fx_hash160(key, n, id);
    memcpy(out, id, 4);
}

bool fx_desc_key_at(const struct fx_descriptor *d, const struct fx_desc_key *key, uint32_t position,
                    struct fx_desc_point *point)
{
    struct fx_desc_path path = {0};
    struct fx_bip32_public at;
    memset(point, 0, sizeof(*point));
    point->xonly = key->xonly;
    if (key->key_len > 0) {
        memcpy(point->key, key->key, key->key_len);
        point->len = key->key_len;
        fingerprint_of(point->key, point->len, point->fingerprint);
    } else {
        whole_path(key, position, &path);
        if (!derive(d, key, &path, &at)) {
            free(path.steps);
            return false;
        }
        memcpy(point->key, at.key, 33);
        point->len = 33;
        fingerprint_of(key->base.key, 33, point->fingerprint);
    }
    if (key->has_origin) {
        memcpy(point->fingerprint, key->fingerprint, 4);
        path_add(&point->path, key->origin.steps, key->origin.n);
    }
    path_add(&point->path, path.steps, path.n);
    free(path.steps);
    return true;
}

void fx_desc_point_clear(struct fx_desc_point *point)
{
    free(point->path.steps);
    memset(point, 0, sizeof(*point));
}

/* ---- as text --------------------------------------------------------------------------------- */

static void hex_text(const uint8_t *data, size_t n, struct fx_buf *out)
{
    char *hex = fx_hex_dup(data, n);
    fx_buf_str(out, hex);
    free(hex);
}

static void path_text(const struct fx_desc_path *path, char hardened, struct fx_buf *out)
{
    for (size_t i = 0; i < path->n; i++) {
        fx_buf_printf(out, "/%lu", (unsigned long)(path->steps[i] & ~FX_BIP32_HARDENED));
        if (path->steps[i] & FX_BIP32_HARDENED) {
            fx_buf_u8(out, (uint8_t)hardened);
        }
    }
}

static void origin_text(const uint8_t fingerprint[4], const struct fx_desc_path *path,
                        char hardened, struct fx_buf *out)
{
    fx_buf_u8(out, '[');
    hex_text(fingerprint, 4, out);
    path_text(path, hardened, out);
    fx_buf_u8(out, ']');
}

void fx_desc_key_text(const struct fx_descriptor *d, const struct fx_desc_key *key,
                      struct fx_buf *out)
{
    char hardened = key->apostrophe ? '\'' : 'h';
    if (key->has_origin) {
        origin_text(key->fingerprint, &key->origin, hardened, out);
    }
    if (key->key_len > 0) {
        hex_text(key->key + key->xonly, key->xonly ? 32 : key->key_len, out);
        return;
    }
    uint8_t raw[FX_BIP32_SIZE];
    fx_bip32_write_public(&key->base, d->params->ext_public, raw);
    char *text = fx_base58check_encode(raw, sizeof(raw));
    fx_buf_str(out, text);
    free(text);
    path_text(&key->path, hardened, out);
    if (key->range != FX_DESC_SINGLE) {
        fx_buf_str(out, "/*");
    }
    if (key->range == FX_DESC_RANGE_HARDENED) {
        fx_buf_u8(out, (uint8_t)hardened);
    }
}

void fx_desc_point_text(const struct fx_desc_point *point, bool xonly, struct fx_buf *out)
{
    origin_text(point->fingerprint, &point->path, 'h', out);
    hex_text(point->key + xonly, xonly ? 32 : point->len, out);
}
