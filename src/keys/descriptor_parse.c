/* Reading the script expressions of a descriptor. */
#include <stdlib.h>
#include <string.h>

#include "consensus/script_ops.h"
#include "consensus/taproot.h"
#include "src/keys/address.h"
#include "src/keys/descriptor_int.h"
#include "src/util/hex.h"
#include "src/util/mem.h"

#define BARE_MULTISIG_KEYS_MAX 3 /* what Bitcoin's nodes relay */
#define MULTI_A_KEYS_MAX 999

void fx_desc_node_destroy(struct fx_desc_node *node)
{
    if (!node) {
        return;
    }
    for (size_t i = 0; i < node->n_keys; i++) {
        fx_desc_key_clear(&node->keys[i]);
    }
    for (size_t i = 0; i < node->n_subs; i++) {
        fx_desc_node_destroy(node->subs[i]);
    }
    free(node->keys);
    free(node->subs);
    free(node->depths);
    fx_buf_clear(&node->script);
    free(node);
}

static struct fx_desc_node *node_create(enum fx_desc_kind kind)
{
    struct fx_desc_node *node = fx_xcalloc(1, sizeof(*node));
    node->kind = kind;
    return node;
}

/* ---- pieces of text -------------------------------------------------------------------------- */

/* An expression up to a comma or a closing bracket of the level it began on; it is taken. */
static struct fx_span take_expression(struct fx_span *text)
{
    struct fx_span out = *text;
    int level = 0;
    size_t i = 0;
    for (; i < text->len; i++) {
        char c = (char)text->data[i];
        if (c == '(' || c == '{') {
            level++;
        } else if (level > 0 && (c == ')' || c == '}')) {
            level--;
        } else if (level == 0 && (c == ')' || c == '}' || c == ',')) {
            break;
        }
    }
    out.len = i;
    *text = (struct fx_span){text->data + i, text->len - i};
    return out;
}

static bool take_char(struct fx_span *text, char c)
{
    if (text->len == 0 || text->data[0] != (uint8_t)c) {
        return false;
    }
    text->data++;
    text->len--;
    return true;
}

/* name(...): *inner is what stands between the brackets. */
static bool is_function(struct fx_span text, const char *name, struct fx_span *inner)
{
    size_t n = strlen(name);
    if (text.len < n + 2 || memcmp(text.data, name, n) != 0 || text.data[n] != '(' ||
        text.data[text.len - 1] != ')') {
        return false;
    }
    *inner = (struct fx_span){text.data + n + 1, text.len - n - 2};
    return true;
}

static int shown(struct fx_span text)
{
    return (int)(text.len < 100 ? text.len : 100);
}

/* A copy that ends with a zero; the caller frees. */
static char *text_dup(struct fx_span text)
{
    char *out = fx_xmalloc(text.len + 1);
    if (text.len > 0) {
        memcpy(out, text.data, text.len);
    }
    out[text.len] = 0;
    return out;
}

/* ---- functions of keys ----------------------------------------------------------------------- */

static bool add_key(const struct fx_descriptor *d, struct fx_desc_node *node, struct fx_span text,
                    enum fx_desc_place place, char *error)
{
    struct fx_desc_key key;
    bool ok = fx_desc_key_parse(d, text, place, &key, error);
    node->keys = fx_xreallocarray(node->keys, node->n_keys + 1, sizeof(*node->keys));
    node->keys[node->n_keys++] = key;
    return ok;
}

/* pk(KEY) and its like. */
static struct fx_desc_node *parse_single(const struct fx_descriptor *d, enum fx_desc_kind kind,
                                         const char *name, struct fx_span inner,
                                         enum fx_desc_place place, char *error)
{
    struct fx_desc_node *node = node_create(kind);
    char why[FX_DESCRIPTOR_ERROR] = "";
    enum fx_desc_place within = kind == FX_DESC_WPKH ? FX_DESC_P2WPKH : place;
    node->in_tree = place == FX_DESC_P2TR;
    if (!add_key(d, node, inner, within, why)) {
        fx_desc_fail(error, "%s(): %.200s", name, why);
        fx_desc_node_destroy(node);
        return NULL;
    }
    return node;
}

static bool check_multi(const struct fx_desc_node *node, enum fx_desc_place place, char *error)
{
    bool tree = node->kind == FX_DESC_MULTI_A || node->kind == FX_DESC_SORTEDMULTI_A;
    size_t most = tree ? MULTI_A_KEYS_MAX : FX_SCRIPT_MULTISIG_KEYS_MAX;
    size_t size = 3; /* threshold, number, opcode */
    if (node->n_keys < 1 || node->n_keys > most) {
        return fx_desc_fail(error,
                            "Cannot have %zu keys in %s; must have between 1 and %zu keys, "
                            "inclusive",
                            node->n_keys, tree ? "multi_a" : "multisig", most);
    }
    if (node->threshold < 1) {
        return fx_desc_fail(error, "Multisig threshold cannot be %u, must be at least 1",
                            node->threshold);
    }
    if (node->threshold > node->n_keys) {
        return fx_desc_fail(error,
                            "Multisig threshold cannot be larger than the number of keys; "
                            "threshold is %u but only %zu keys specified",
                            node->threshold, node->n_keys);
    }
    if (place == FX_DESC_TOP && node->n_keys > BARE_MULTISIG_KEYS_MAX) {
        return fx_desc_fail(error,
                            "Cannot have %zu pubkeys in bare multisig; only at most 3 pubkeys",
                            node->n_keys);
    }
    for (size_t i = 0; i < node->n_keys; i++) {
        size += 1 + (node->keys[i].key_len > 0 ? node->keys[i].key_len : 33);
    }
    if (place == FX_DESC_P2SH && size > FX_SCRIPT_ELEMENT_MAX) {
        return fx_desc_fail(error, "P2SH script is too large, %zu bytes is larger than %d bytes",
                            size, FX_SCRIPT_ELEMENT_MAX);
    }
    return true;
}

static bool parse_threshold(struct fx_span text, uint32_t *threshold, char *error)
{
    uint64_t value = 0;
    bool ok = text.len > 0 && text.len <= 10;
    for (size_t i = 0; i < text.len && ok; i++) {
        ok = text.data[i] >= '0' && text.data[i] <= '9';
        value = 10 * value + (uint64_t)(text.data[i] - '0');
    }
    if (!ok || value > UINT32_MAX) {
        return fx_desc_fail(error, "Multi threshold '%.*s' is not valid", shown(text),
                            (const char *)text.data);
    }
    *threshold = (uint32_t)value;
    return true;
}

static bool fill_multi(const struct fx_descriptor *d, struct fx_desc_node *node,
                       struct fx_span inner, enum fx_desc_place place, char *error)
{
    char why[FX_DESCRIPTOR_ERROR] = "";
    if (!parse_threshold(take_expression(&inner), &node->threshold, error)) {
        return false;
    }
    while (inner.len > 0) {
        if (!take_char(&inner, ',')) {
            return fx_desc_fail(error, "Multi: expected ',', got '%c'", inner.data[0]);
        }
        if (node->n_keys > MULTI_A_KEYS_MAX) {
            break; /* too many: check_multi says so */
        }
        if (!add_key(d, node, take_expression(&inner), place, why)) {
            return fx_desc_fail(error, "Multi: %.200s", why);
        }
    }
    return check_multi(node, place, error);
}

static struct fx_desc_node *parse_multi(const struct fx_descriptor *d, enum fx_desc_kind kind,
                                        struct fx_span inner, enum fx_desc_place place, char *error)
{
    struct fx_desc_node *node = node_create(kind);
    if (!fill_multi(d, node, inner, place, error)) {
        fx_desc_node_destroy(node);
        return NULL;
    }
    return node;
}

/* ---- functions of scripts -------------------------------------------------------------------- */

static struct fx_desc_node *parse_script(const struct fx_descriptor *d, struct fx_span text,
                                         enum fx_desc_place place, char *error);

static void add_sub(struct fx_desc_node *node, struct fx_desc_node *sub, unsigned depth)
{
    node->subs = fx_xreallocarray(node->subs, node->n_subs + 1, sizeof(*node->subs));
    node->depths = fx_xreallocarray(node->depths, node->n_subs + 1, sizeof(*node->depths));
    node->subs[node->n_subs] = sub;
    node->depths[node->n_subs++] = depth;
}

/* sh(SCRIPT), wsh(SCRIPT) */
static struct fx_desc_node *parse_wrapper(const struct fx_descriptor *d, enum fx_desc_kind kind,
                                          struct fx_span inner, enum fx_desc_place within,
                                          char *error)
{
    struct fx_span rest = inner;
    struct fx_desc_node *sub = parse_script(d, take_expression(&rest), within, error);
    if (sub && rest.len > 0) {
        fx_desc_fail(error, "'%.*s' follows the script expression", shown(rest),
                     (const char *)rest.data);
        fx_desc_node_destroy(sub);
        return NULL;
    }
    if (!sub) {
        return NULL;
    }
    struct fx_desc_node *node = node_create(kind);
    add_sub(node, sub, 0);
    return node;
}

/* The tree after the internal key: leaves and pairs in braces. right[i]: in the right branch of
 * step i from the top. */
static bool parse_tree(const struct fx_descriptor *d, struct fx_desc_node *node,
                       struct fx_span text, char *error)
{
    bool right[FX_TAPROOT_DEPTH_MAX];
    unsigned depth = 0;
    do {
        while (take_char(&text, '{')) {
            if (depth == FX_TAPROOT_DEPTH_MAX) {
                return fx_desc_fail(error, "tr() supports at most %d nesting levels",
                                    FX_TAPROOT_DEPTH_MAX);
            }
            right[depth++] = false;
        }
        struct fx_desc_node *leaf = parse_script(d, take_expression(&text), FX_DESC_P2TR, error);
        if (!leaf) {
            return false;
        }
        add_sub(node, leaf, depth);
        while (depth > 0 && right[depth - 1]) {
            if (!take_char(&text, '}')) {
                return fx_desc_fail(error, "tr(): expected '}' after script expression");
            }
            depth--;
        }
        if (depth > 0) {
            if (!take_char(&text, ',')) {
                return fx_desc_fail(error, "tr(): expected ',' after script expression");
            }
            right[depth - 1] = true;
        }
    } while (depth > 0);
    return text.len == 0 || fx_desc_fail(error, "tr(): expected ')' after script expression");
}

static struct fx_desc_node *parse_tr(const struct fx_descriptor *d, struct fx_span inner,
                                     char *error)
{
    struct fx_desc_node *node =
        parse_single(d, FX_DESC_TR, "tr", take_expression(&inner), FX_DESC_P2TR, error);
    if (!node || inner.len == 0) {
        return node;
    }
    if (!take_char(&inner, ',')) {
        fx_desc_fail(error, "tr: expected ',', got '%c'", inner.data[0]);
    } else if (parse_tree(d, node, inner, error)) {
        return node;
    }
    fx_desc_node_destroy(node);
    return NULL;
}

static struct fx_desc_node *parse_rawtr(const struct fx_descriptor *d, struct fx_span inner,
                                        char *error)
{
    struct fx_span key = take_expression(&inner);
    if (inner.len > 0) {
        fx_desc_fail(error, "rawtr(): only one key expected.");
        return NULL;
    }
    return parse_single(d, FX_DESC_RAWTR, "rawtr", key, FX_DESC_P2TR, error);
}

static struct fx_desc_node *parse_addr(const struct fx_descriptor *d, struct fx_span inner,
                                       char *error)
{
    struct fx_desc_node *node = node_create(FX_DESC_ADDR);
    char why[FX_ADDRESS_ERROR];
    char *address = text_dup(inner);
    bool ok = fx_address_decode(d->params, address, &node->script, why);
    free(address);
    if (!ok) {
        fx_desc_fail(error, "Address is not valid");
        fx_desc_node_destroy(node);
        return NULL;
    }
    return node;
}

static struct fx_desc_node *parse_raw(struct fx_span inner, char *error)
{
    char *hex = text_dup(inner);
    uint8_t *data;
    size_t n;
    bool ok = inner.len > 0 && fx_hex_decode_dup(hex, FX_DESCRIPTOR_TEXT_MAX / 2, &data, &n);
    free(hex);
    if (!ok) {
        fx_desc_fail(error, "Raw script is not hex");
        return NULL;
    }
    struct fx_desc_node *node = node_create(FX_DESC_RAW);
    fx_buf_bytes(&node->script, data, n);
    free(data);
    return node;
}

/* ---- which function -------------------------------------------------------------------------- */

#define AT(place) (1u << (place))

static const struct {
    const char *name;
    enum fx_desc_kind kind;
    unsigned places; /* where it may stand */
    const char *wrong;
} functions[] = {
    {"pk", FX_DESC_PK, AT(FX_DESC_TOP) | AT(FX_DESC_P2SH) | AT(FX_DESC_P2WSH) | AT(FX_DESC_P2TR),
     ""},
    {"pkh", FX_DESC_PKH, AT(FX_DESC_TOP) | AT(FX_DESC_P2SH) | AT(FX_DESC_P2WSH),
     "Can only have pkh at top level, in sh(), wsh(), or in tr()"},
    {"combo", FX_DESC_COMBO, AT(FX_DESC_TOP), "Can only have combo() at top level"},
    {"multi", FX_DESC_MULTI, AT(FX_DESC_TOP) | AT(FX_DESC_P2SH) | AT(FX_DESC_P2WSH),
     "Can only have multi/sortedmulti at top level, in sh(), or in wsh()"},
    {"sortedmulti", FX_DESC_SORTEDMULTI, AT(FX_DESC_TOP) | AT(FX_DESC_P2SH) | AT(FX_DESC_P2WSH),
     "Can only have multi/sortedmulti at top level, in sh(), or in wsh()"},
    {"multi_a", FX_DESC_MULTI_A, AT(FX_DESC_P2TR),
     "Can only have multi_a/sortedmulti_a inside tr()"},
    {"sortedmulti_a", FX_DESC_SORTEDMULTI_A, AT(FX_DESC_P2TR),
     "Can only have multi_a/sortedmulti_a inside tr()"},
    {"wpkh", FX_DESC_WPKH, AT(FX_DESC_TOP) | AT(FX_DESC_P2SH),
     "Can only have wpkh() at top level or inside sh()"},
    {"sh", FX_DESC_SH, AT(FX_DESC_TOP), "Can only have sh() at top level"},
    {"wsh", FX_DESC_WSH, AT(FX_DESC_TOP) | AT(FX_DESC_P2SH),
     "Can only have wsh() at top level or inside sh()"},
    {"addr", FX_DESC_ADDR, AT(FX_DESC_TOP), "Can only have addr() at top level"},
    {"tr", FX_DESC_TR, AT(FX_DESC_TOP), "Can only have tr at top level"},
    {"rawtr", FX_DESC_RAWTR, AT(FX_DESC_TOP), "Can only have rawtr at top level"},
    {"raw", FX_DESC_RAW, AT(FX_DESC_TOP), "Can only have raw() at top level"},
};

static struct fx_desc_node *parse_function(const struct fx_descriptor *d, size_t which,
                                           struct fx_span inner, enum fx_desc_place place,
                                           char *error)
{
    enum fx_desc_kind kind = functions[which].kind;
    switch (kind) {
    case FX_DESC_PK:
    case FX_DESC_PKH:
    case FX_DESC_WPKH:
    case FX_DESC_COMBO:
        return parse_single(d, kind, functions[which].name, inner, place, error);
    case FX_DESC_MULTI:
    case FX_DESC_SORTEDMULTI:
    case FX_DESC_MULTI_A:
    case FX_DESC_SORTEDMULTI_A:
        return parse_multi(d, kind, inner, place, error);
    case FX_DESC_SH:
        return parse_wrapper(d, kind, inner, FX_DESC_P2SH, error);
    case FX_DESC_WSH:
        return parse_wrapper(d, kind, inner, FX_DESC_P2WSH, error);
    case FX_DESC_TR:
        return parse_tr(d, inner, error);
    case FX_DESC_RAWTR:
        return parse_rawtr(d, inner, error);
    case FX_DESC_ADDR:
        return parse_addr(d, inner, error);
    case FX_DESC_RAW:
        return parse_raw(inner, error);
    }
    return NULL;
}

/* Scripts nest at most as TOP, P2SH, P2WSH, or TOP, P2TR. */
static struct fx_desc_node *parse_script(const struct fx_descriptor *d, struct fx_span text,
                                         enum fx_desc_place place, char *error)
{
    struct fx_span inner;
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        if (!is_function(text, functions[i].name, &inner)) {
            continue;
        }
        if (!(functions[i].places & AT(place))) {
            fx_desc_fail(error, "%s", functions[i].wrong);
            return NULL;
        }
        return parse_function(d, i, inner, place, error);
    }
    if (place == FX_DESC_P2SH || place == FX_DESC_P2WSH) {
        fx_desc_fail(error, "A function is needed within %s",
                     place == FX_DESC_P2SH ? "P2SH" : "P2WSH");
    } else {
        fx_desc_fail(error, "'%.*s' is not a valid descriptor function", shown(text),
                     (const char *)text.data);
    }
    return NULL;
}

struct fx_desc_node *fx_desc_parse(const struct fx_descriptor *d, struct fx_span text, char *error)
{
    struct fx_span rest = text;
    struct fx_desc_node *node = parse_script(d, take_expression(&rest), FX_DESC_TOP, error);
    if (node && rest.len > 0) {
        fx_desc_fail(error, "'%.*s' is not a valid descriptor function", shown(text),
                     (const char *)text.data);
        fx_desc_node_destroy(node);
        return NULL;
    }
    return node;
}
