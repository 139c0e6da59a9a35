/* Descriptors as a whole: checksums, the scripts that they describe, their texts. */
#include "src/keys/descriptor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <secp256k1_extrakeys.h>

#include "consensus/opcodes.h"
#include "consensus/script.h"
#include "consensus/script_num.h"
#include "consensus/script_ops.h"
#include "consensus/taproot.h"
#include "src/crypto/ripemd160.h"
#include "src/crypto/sha256.h"
#include "src/keys/address.h"
#include "src/keys/descriptor_int.h"
#include "src/util/hex.h"
#include "src/util/mem.h"

/* ---- checksums: BIP380 ----------------------------------------------------------------------- */

static uint64_t polymod_step(uint64_t c, unsigned value)
{
    static const uint64_t generator[5] = {0xf5dee51989, 0xa9fdca3312, 0x1bab10e32d, 0x3706b1677a,
                                          0x644d626ffd};
    unsigned top = (unsigned)(c >> 35);
    c = (c & 0x7ffffffff) << 5 ^ value;
    for (unsigned i = 0; i < 5; i++) {
        if (top >> i & 1) {
            c ^= generator[i];
        }
    }
    return c;
}

bool fx_descriptor_checksum(const char *text, size_t n, char out[FX_DESCRIPTOR_CHECKSUM + 1])
{
    static const char input[] = "0123456789()[],'/*abcdefgh@:$%{}"
                                "IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~"
                                "ijklmnopqrstuvwxyzABCDEFGH`#\"\\ ";
    static const char output[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    uint64_t c = 1;
    unsigned group = 0, count = 0;
    for (size_t i = 0; i < n; i++) {
        const char *at = text[i] ? strchr(input, text[i]) : NULL;
        if (!at) {
            return false;
        }
        unsigned value = (unsigned)(at - input);
        c = polymod_step(c, value & 31);
        group = group * 3 + (value >> 5);
        if (++count == 3) {
            c = polymod_step(c, group);
            group = count = 0;
        }
    }
    if (count > 0) {
        c = polymod_step(c, group);
    }
    for (unsigned i = 0; i < FX_DESCRIPTOR_CHECKSUM; i++) {
        c = polymod_step(c, 0);
    }
    c ^= 1;
    for (unsigned i = 0; i < FX_DESCRIPTOR_CHECKSUM; i++) {
        out[i] = output[c >> (5 * (7 - i)) & 31];
    }
    out[FX_DESCRIPTOR_CHECKSUM] = 0;
    return true;
}

/* *n: the length without the checksum. */
static bool check_checksum(const char *text, bool needed, size_t *n, char *error)
{
    char computed[FX_DESCRIPTOR_CHECKSUM + 1];
    const char *hash = strchr(text, '#');
    *n = hash ? (size_t)(hash - text) : strlen(text);
    if (hash && strchr(hash + 1, '#')) {
        return fx_desc_fail(error, "Multiple '#' symbols");
    }
    if (!hash && needed) {
        return fx_desc_fail(error, "Missing checksum");
    }
    if (hash && strlen(hash + 1) != FX_DESCRIPTOR_CHECKSUM) {
        return fx_desc_fail(error, "Expected 8 character checksum, not %zu characters",
                            strlen(hash + 1));
    }
    if (!fx_descriptor_checksum(text, *n, computed)) {
        return fx_desc_fail(error, "Invalid characters in payload");
    }
    if (hash && strcmp(hash + 1, computed) != 0) {
        return fx_desc_fail(error, "Provided checksum '%.8s' does not match computed checksum '%s'",
                            hash + 1, computed);
    }
    return true;
}

/* ---- making one ------------------------------------------------------------------------------ */

struct fx_descriptor *fx_descriptor_parse(const struct fx_params *params, const char *text,
                                          bool need_checksum, char error[FX_DESCRIPTOR_ERROR])
{
    size_t n;
    if (strnlen(text, FX_DESCRIPTOR_TEXT_MAX + 1) > FX_DESCRIPTOR_TEXT_MAX) {
        fx_desc_fail(error, "A descriptor has at most %d characters", FX_DESCRIPTOR_TEXT_MAX);
        return NULL;
    }
    if (!check_checksum(text, need_checksum, &n, error)) {
        return NULL;
    }
    struct fx_descriptor *d = fx_xcalloc(1, sizeof(*d));
    d->params = params;
    d->secp = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    d->root = fx_desc_parse(d, (struct fx_span){(const uint8_t *)text, n}, error);
    if (!d->root) {
        fx_descriptor_destroy(d);
        return NULL;
    }
    return d;
}

void fx_descriptor_destroy(struct fx_descriptor *descriptor)
{
    if (descriptor) {
        fx_desc_node_destroy(descriptor->root);
        secp256k1_context_destroy(descriptor->secp);
        free(descriptor);
    }
}

/* True where a key of the node, or of one inside it, is as asked. */
static bool any_key(const struct fx_desc_node *node, bool (*is)(const struct fx_desc_key *key))
{
    for (size_t i = 0; i < node->n_keys; i++) {
        if (is(&node->keys[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < node->n_subs; i++) {
        if (any_key(node->subs[i], is)) {
            return true;
        }
    }
    return false;
}

static bool key_has_secret(const struct fx_desc_key *key)
{
    return key->has_secret;
}

bool fx_descriptor_is_range(const struct fx_descriptor *descriptor)
{
    return any_key(descriptor->root, fx_desc_key_has_range);
}

bool fx_descriptor_is_solvable(const struct fx_descriptor *descriptor)
{
    enum fx_desc_kind kind = descriptor->root->kind;
    return kind != FX_DESC_ADDR && kind != FX_DESC_RAW;
}

bool fx_descriptor_has_secrets(const struct fx_descriptor *descriptor)
{
    return any_key(descriptor->root, key_has_secret);
}

bool fx_descriptor_is_combo(const struct fx_descriptor *descriptor)
{
    return descriptor->root->kind == FX_DESC_COMBO;
}

/* ---- scripts --------------------------------------------------------------------------------- */

/* The points of a node's keys at a position; the caller clears n_keys of them and frees. NULL where
 * one cannot be derived. */
static struct fx_desc_point *points_at(const struct fx_descriptor *d,
                                       const struct fx_desc_node *node, uint32_t position)
{
    struct fx_desc_point *points = fx_xcalloc(node->n_keys + 1, sizeof(*points));
    for (size_t i = 0; i < node->n_keys; i++) {
        if (!fx_desc_key_at(d, &node->keys[i], position, &points[i])) {
            while (i-- > 0) {
                fx_desc_point_clear(&points[i]);
            }
            free(points);
            return NULL;
        }
    }
    return points;
}

static void points_free(struct fx_desc_point *points, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fx_desc_point_clear(&points[i]);
    }
    free(points);
}

static struct fx_span point_span(const struct fx_desc_point *point, bool xonly)
{
    return (struct fx_span){point->key + xonly, xonly ? 32 : point->len};
}

static void put_pk(struct fx_buf *out, const struct fx_desc_point *point, bool xonly)
{
    fx_script_push(out, point_span(point, xonly));
    fx_buf_u8(out, FX_OP_CHECKSIG);
}

static void put_pkh(struct fx_buf *out, const struct fx_desc_point *point)
{
    uint8_t id[20];
    fx_hash160(point->key, point->len, id);
    fx_script_put_p2pkh(out, id);
}

static void put_wpkh(struct fx_buf *out, const struct fx_desc_point *point)
{
    uint8_t id[20];
    fx_hash160(point->key, point->len, id);
    fx_script_put_witness(out, 0, (struct fx_span){id, sizeof(id)});
}

static void put_sh(struct fx_buf *out, const struct fx_buf *inner)
{
    uint8_t id[20];
    fx_hash160(inner->data, inner->len, id);
    fx_script_put_p2sh(out, id);
}

static void put_number(struct fx_buf *out, uint32_t n)
{
    if (n >= 1 && n <= 16) {
        fx_buf_u8(out, (uint8_t)(0x50 + n));
    } else {
        uint8_t bytes[2] = {(uint8_t)n, (uint8_t)(n >> 8)};
        /* A number's top bit is its sign. */
        size_t size = n > 0x7f ? 2 : 1;
        fx_script_push(out, (struct fx_span){bytes, size});
    }
}

static int by_bytes(const void *a, const void *b)
{
    const struct fx_desc_point *x = a, *y = b;
    size_t n = x->len < y->len ? x->len : y->len;
    int order = memcmp(x->key, y->key, n);
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static int by_x(const void *a, const void *b)
{
    const struct fx_desc_point *x = a, *y = b;
    return memcmp(x->key + 1, y->key + 1, 32);
}

static void put_multi(struct fx_buf *out, const struct fx_desc_node *node,
                      struct fx_desc_point *points)
{
    if (node->kind == FX_DESC_SORTEDMULTI) {
        qsort(points, node->n_keys, sizeof(*points), by_bytes);
    }
    put_number(out, node->threshold);
    for (size_t i = 0; i < node->n_keys; i++) {
        fx_script_push(out, point_span(&points[i], false));
    }
    put_number(out, (uint32_t)node->n_keys);
    fx_buf_u8(out, FX_OP_CHECKMULTISIG);
}

/* BIP387 */
static void put_multi_a(struct fx_buf *out, const struct fx_desc_node *node,
                        struct fx_desc_point *points)
{
    if (node->kind == FX_DESC_SORTEDMULTI_A) {
        qsort(points, node->n_keys, sizeof(*points), by_x);
    }
    for (size_t i = 0; i < node->n_keys; i++) {
        fx_script_push(out, point_span(&points[i], true));
        fx_buf_u8(out, i == 0 ? FX_OP_CHECKSIG : FX_OP_CHECKSIGADD);
    }
    put_number(out, node->threshold);
    fx_buf_u8(out, FX_OP_NUMEQUAL);
}

static bool node_script(const struct fx_descriptor *d, const struct fx_desc_node *node,
                        uint32_t position, struct fx_buf *out);

/* The root over the leaves, which come in order with their depths. */
static bool tree_root(const struct fx_descriptor *d, const struct fx_desc_node *node,
                      uint32_t position, struct fx_hash *root)
{
    struct fx_hash hashes[FX_TAPROOT_DEPTH_MAX + 1];
    unsigned depths[FX_TAPROOT_DEPTH_MAX + 1];
    size_t n = 0;
    for (size_t i = 0; i < node->n_subs; i++) {
        struct fx_buf leaf = FX_BUF_INIT;
        bool ok = node_script(d, node->subs[i], position, &leaf);
        fx_taproot_leaf_hash(FX_TAPROOT_LEAF_TAPSCRIPT, (struct fx_span){leaf.data, leaf.len},
                             &hashes[n]);
        fx_buf_clear(&leaf);
        if (!ok) {
            return false;
        }
        depths[n++] = node->depths[i];
        while (n > 1 && depths[n - 1] == depths[n - 2]) {
            fx_taproot_branch_hash(&hashes[n - 2], &hashes[n - 1], &hashes[n - 2]);
            depths[n - 2]--;
            n--;
        }
    }
    *root = hashes[0];
    return true;
}

static bool put_tr(const struct fx_descriptor *d, const struct fx_desc_node *node,
                   uint32_t position, const struct fx_desc_point *internal, struct fx_buf *out)
{
    struct fx_hash root, tweak;
    secp256k1_xonly_pubkey xonly;
    secp256k1_pubkey key;
    uint8_t output[32];
    if (node->n_subs > 0 && !tree_root(d, node, position, &root)) {
        return false;
    }
    fx_taproot_tweak_hash(internal->key + 1, node->n_subs > 0 ? &root : NULL, &tweak);
    if (!secp256k1_xonly_pubkey_parse(d->secp, &xonly, internal->key + 1) ||
        !secp256k1_xonly_pubkey_tweak_add(d->secp, &key, &xonly, tweak.b) ||
        !secp256k1_xonly_pubkey_from_pubkey(d->secp, &xonly, NULL, &key) ||
        !secp256k1_xonly_pubkey_serialize(d->secp, output, &xonly)) {
        return false;
    }
    fx_script_put_witness(out, 1, (struct fx_span){output, sizeof(output)});
    return true;
}

/* sh() and wsh() */
static bool put_wrapped(const struct fx_descriptor *d, const struct fx_desc_node *node,
                        uint32_t position, struct fx_buf *out)
{
    struct fx_buf inner = FX_BUF_INIT;
    bool ok = node_script(d, node->subs[0], position, &inner);
    if (ok && node->kind == FX_DESC_SH) {
        put_sh(out, &inner);
    } else if (ok) {
        uint8_t id[32];
        fx_sha256(inner.data, inner.len, id);
        fx_script_put_witness(out, 0, (struct fx_span){id, sizeof(id)});
    }
    fx_buf_clear(&inner);
    return ok;
}

/* The one script of a node that is not combo(). */
static bool node_script(const struct fx_descriptor *d, const struct fx_desc_node *node,
                        uint32_t position, struct fx_buf *out)
{
    struct fx_desc_point *points = points_at(d, node, position);
    bool ok = points != NULL;
    if (!ok) {
        return false;
    }
    switch (node->kind) {
    case FX_DESC_PK:
        put_pk(out, points, node->in_tree);
        break;
    case FX_DESC_COMBO:
    case FX_DESC_PKH:
        put_pkh(out, points);
        break;
    case FX_DESC_WPKH:
        put_wpkh(out, points);
        break;
    case FX_DESC_MULTI:
    case FX_DESC_SORTEDMULTI:
        put_multi(out, node, points);
        break;
    case FX_DESC_MULTI_A:
    case FX_DESC_SORTEDMULTI_A:
        put_multi_a(out, node, points);
        break;
    case FX_DESC_SH:
    case FX_DESC_WSH:
        ok = put_wrapped(d, node, position, out);
        break;
    case FX_DESC_TR:
        ok = put_tr(d, node, position, points, out);
        break;
    case FX_DESC_RAWTR:
        fx_script_put_witness(out, 1, point_span(points, true));
        break;
    case FX_DESC_ADDR:
    case FX_DESC_RAW:
        fx_buf_bytes(out, node->script.data, node->script.len);
        break;
    }
    points_free(points, node->n_keys);
    return ok;
}

/* What combo() stands for, in order: pk, pkh, and where the key is compressed wpkh and sh(wpkh). */
enum { COMBO_PK, COMBO_PKH, COMBO_WPKH, COMBO_SH_WPKH };

bool fx_descriptor_scripts(const struct fx_descriptor *descriptor, uint32_t position,
                           struct fx_buf scripts[FX_DESCRIPTOR_SCRIPTS_MAX], size_t *n)
{
    const struct fx_desc_node *root = descriptor->root;
    for (size_t i = 0; i < FX_DESCRIPTOR_SCRIPTS_MAX; i++) {
        fx_buf_init(&scripts[i]);
    }
    *n = 0;
    if (root->kind != FX_DESC_COMBO) {
        if (!node_script(descriptor, root, position, &scripts[0])) {
            fx_buf_clear(&scripts[0]);
            return false;
        }
        *n = 1;
        return true;
    }
    struct fx_desc_point point;
    if (!fx_desc_key_at(descriptor, &root->keys[0], position, &point)) {
        return false;
    }
    put_pk(&scripts[COMBO_PK], &point, false);
    put_pkh(&scripts[COMBO_PKH], &point);
    *n = 2;
    if (point.len == 33) {
        put_wpkh(&scripts[COMBO_WPKH], &point);
        put_sh(&scripts[COMBO_SH_WPKH], &scripts[COMBO_WPKH]);
        *n = 4;
    }
    fx_desc_point_clear(&point);
    return true;
}

/* ---- texts ----------------------------------------------------------------------------------- */

static const char *kind_name(enum fx_desc_kind kind)
{
    switch (kind) {
    case FX_DESC_PK:
        return "pk";
    case FX_DESC_PKH:
        return "pkh";
    case FX_DESC_WPKH:
        return "wpkh";
    case FX_DESC_COMBO:
        return "combo";
    case FX_DESC_MULTI:
        return "multi";
    case FX_DESC_SORTEDMULTI:
        return "sortedmulti";
    case FX_DESC_MULTI_A:
        return "multi_a";
    case FX_DESC_SORTEDMULTI_A:
        return "sortedmulti_a";
    case FX_DESC_SH:
        return "sh";
    case FX_DESC_WSH:
        return "wsh";
    case FX_DESC_TR:
        return "tr";
    case FX_DESC_RAWTR:
        return "rawtr";
    case FX_DESC_ADDR:
        return "addr";
    case FX_DESC_RAW:
        return "raw";
    }
    return "";
}

static bool has_threshold(enum fx_desc_kind kind)
{
    return kind == FX_DESC_MULTI || kind == FX_DESC_SORTEDMULTI || kind == FX_DESC_MULTI_A ||
           kind == FX_DESC_SORTEDMULTI_A;
}

static bool keys_are_xonly(const struct fx_desc_node *node)
{
    return node->in_tree || node->kind == FX_DESC_TR || node->kind == FX_DESC_RAWTR ||
           node->kind == FX_DESC_MULTI_A || node->kind == FX_DESC_SORTEDMULTI_A;
}

static void script_text(const struct fx_descriptor *d, const struct fx_desc_node *node,
                        struct fx_buf *out)
{
    char address[FX_ADDRESS_MAX];
    const struct fx_span script = {node->script.data, node->script.len};
    if (node->kind == FX_DESC_ADDR && fx_address_encode(d->params, script, address)) {
        fx_buf_str(out, address);
        return;
    }
    char *hex = fx_hex_dup(script.data, script.len);
    fx_buf_str(out, hex);
    free(hex);
}

static bool node_text(const struct fx_descriptor *d, const struct fx_desc_node *node,
                      const uint32_t *position, struct fx_buf *out);

/* Braces around pairs, from the depths of the leaves. */
static bool tree_text(const struct fx_descriptor *d, const struct fx_desc_node *node,
                      const uint32_t *position, struct fx_buf *out)
{
    bool right[FX_TAPROOT_DEPTH_MAX];
    unsigned depth = 0;
    for (size_t i = 0; i < node->n_subs; i++) {
        while (depth < node->depths[i]) {
            fx_buf_u8(out, '{');
            right[depth++] = false;
        }
        if (!node_text(d, node->subs[i], position, out)) {
            return false;
        }
        while (depth > 0 && right[depth - 1]) {
            fx_buf_u8(out, '}');
            depth--;
        }
        if (depth > 0) {
            fx_buf_u8(out, ',');
            right[depth - 1] = true;
        }
    }
    return true;
}

static bool keys_text(const struct fx_descriptor *d, const struct fx_desc_node *node,
                      const uint32_t *position, struct fx_buf *out)
{
    for (size_t i = 0; i < node->n_keys; i++) {
        if (i > 0 || has_threshold(node->kind)) {
            fx_buf_u8(out, ',');
        }
        if (!position) {
            fx_desc_key_text(d, &node->keys[i], out);
            continue;
        }
        struct fx_desc_point point;
        if (!fx_desc_key_at(d, &node->keys[i], *position, &point)) {
            return false;
        }
        fx_desc_point_text(&point, keys_are_xonly(node), out);
        fx_desc_point_clear(&point);
    }
    return true;
}

/* position NULL: as it was given, without secrets. */
static bool node_text(const struct fx_descriptor *d, const struct fx_desc_node *node,
                      const uint32_t *position, struct fx_buf *out)
{
    fx_buf_printf(out, "%s(", kind_name(node->kind));
    if (has_threshold(node->kind)) {
        fx_buf_printf(out, "%u", node->threshold);
    }
    if (!keys_text(d, node, position, out)) {
        return false;
    }
    if (node->kind == FX_DESC_ADDR || node->kind == FX_DESC_RAW) {
        script_text(d, node, out);
    }
    if (node->kind == FX_DESC_TR && node->n_subs > 0) {
        fx_buf_u8(out, ',');
    }
    if (!tree_text(d, node, position, out)) {
        return false;
    }
    fx_buf_u8(out, ')');
    return true;
}

/* Adds the checksum; the buffer is empty after. */
static char *finish_text(struct fx_buf *text)
{
    char checksum[FX_DESCRIPTOR_CHECKSUM + 1] = "";
    (void)fx_descriptor_checksum((const char *)text->data, text->len, checksum);
    fx_buf_printf(text, "#%s", checksum);
    fx_buf_u8(text, 0);
    return (char *)fx_buf_steal(text, NULL);
}

char *fx_descriptor_text(const struct fx_descriptor *descriptor)
{
    struct fx_buf text = FX_BUF_INIT;
    (void)node_text(descriptor, descriptor->root, NULL, &text);
    return finish_text(&text);
}

char *fx_descriptor_infer(const struct fx_params *params, struct fx_span script)
{
    struct fx_buf out = FX_BUF_INIT;
    char address[FX_ADDRESS_MAX];
    secp256k1_xonly_pubkey key;
    bool key_known = fx_script_classify(script) == FX_SCRIPT_P2TR &&
                     secp256k1_xonly_pubkey_parse(secp256k1_context_static, &key, script.data + 2);
    if (!key_known && fx_address_encode(params, script, address)) {
        fx_buf_printf(&out, "addr(%s)", address);
    } else {
        char *hex =
            key_known ? fx_hex_dup(script.data + 2, 32) : fx_hex_dup(script.data, script.len);
        fx_buf_printf(&out, key_known ? "rawtr(%s)" : "raw(%s)", hex);
        free(hex);
    }
    fx_buf_u8(&out, 0);
    return (char *)fx_buf_steal(&out, NULL);
}

char *fx_descriptor_instance(const struct fx_descriptor *descriptor, uint32_t position,
                             size_t which)
{
    static const char *const forms[] = {"pk(", "pkh(", "wpkh(", "sh(wpkh("};
    const struct fx_desc_node *root = descriptor->root;
    struct fx_buf text = FX_BUF_INIT;
    bool ok = true;
    if (root->kind == FX_DESC_COMBO) {
        fx_buf_str(&text, forms[which]);
        ok = keys_text(descriptor, root, &position, &text);
        fx_buf_str(&text, which == COMBO_SH_WPKH ? "))" : ")");
    } else if (root->kind == FX_DESC_ADDR || root->kind == FX_DESC_RAW) {
        char *plain = fx_descriptor_infer(descriptor->params,
                                          (struct fx_span){root->script.data, root->script.len});
        fx_buf_str(&text, plain);
        free(plain);
    } else {
        ok = node_text(descriptor, root, &position, &text);
    }
    if (!ok) {
        fx_buf_clear(&text);
        return NULL;
    }
    return finish_text(&text);
}
