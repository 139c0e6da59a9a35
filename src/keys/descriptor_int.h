/* A descriptor in memory, and its key expressions. */
#ifndef FX_KEYS_DESCRIPTOR_INT_H
#define FX_KEYS_DESCRIPTOR_INT_H

#include "src/keys/bip32.h"
#include "src/keys/descriptor.h"
#include "src/util/span.h"

/* Where an expression stands: it decides which keys and functions may be there. */
enum fx_desc_place { FX_DESC_TOP, FX_DESC_P2SH, FX_DESC_P2WPKH, FX_DESC_P2WSH, FX_DESC_P2TR };

struct fx_desc_path {
    uint32_t *steps; /* owned; with FX_BIP32_HARDENED */
    size_t n;
};

enum fx_desc_range { FX_DESC_SINGLE = 0, FX_DESC_RANGE, FX_DESC_RANGE_HARDENED };

struct fx_desc_key {
    bool has_origin;
    uint8_t fingerprint[4]; /* of the origin */
    struct fx_desc_path origin;
    bool apostrophe; /* hardened steps are written with ' and not with h */

    /* one key */
    uint8_t key[65];
    size_t key_len; /* 33 or 65; 0: an extended key */
    bool xonly;     /* written as 32 bytes */
    bool has_secret;

    /* an extended key */
    struct fx_bip32 secret; /* where has_secret */
    struct fx_bip32_public base;
    struct fx_desc_path path;
    enum fx_desc_range range;
};

/* A key as it is at a position. */
struct fx_desc_point {
    uint8_t key[65];
    size_t len;
    bool xonly;
    uint8_t fingerprint[4]; /* origin of all */
    struct fx_desc_path path;
};

enum fx_desc_kind {
    FX_DESC_PK,
    FX_DESC_PKH,
    FX_DESC_WPKH,
    FX_DESC_COMBO,
    FX_DESC_MULTI,
    FX_DESC_SORTEDMULTI,
    FX_DESC_MULTI_A,
    FX_DESC_SORTEDMULTI_A,
    FX_DESC_SH,
    FX_DESC_WSH,
    FX_DESC_TR,
    FX_DESC_RAWTR,
    FX_DESC_ADDR,
    FX_DESC_RAW
};

struct fx_desc_node {
    enum fx_desc_kind kind;
    bool in_tree; /* pk() inside tr(): the key has 32 bytes */
    struct fx_desc_key *keys;
    size_t n_keys;
    uint32_t threshold;
    struct fx_desc_node **subs; /* owned: the script inside, or the leaves of the tree in order */
    unsigned *depths;           /* of those leaves */
    size_t n_subs;
    struct fx_buf script; /* addr(), raw() */
};

struct fx_descriptor {
    const struct fx_params *params;
    struct fx_desc_node *root;
    secp256k1_context *secp;
};

/* ---- descriptor_key.c ---- */

/* The text of error, formatted. Always false. */
bool fx_desc_fail(char *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool fx_desc_key_parse(const struct fx_descriptor *d, struct fx_span text, enum fx_desc_place place,
                       struct fx_desc_key *key, char *error);
void fx_desc_key_clear(struct fx_desc_key *key);
bool fx_desc_key_has_range(const struct fx_desc_key *key);
/* False where a hardened step has no secret, or there is no key. The caller clears the point. */
bool fx_desc_key_at(const struct fx_descriptor *d, const struct fx_desc_key *key, uint32_t position,
                    struct fx_desc_point *point);
void fx_desc_point_clear(struct fx_desc_point *point);
/* As in a descriptor, without secrets. */
void fx_desc_key_text(const struct fx_descriptor *d, const struct fx_desc_key *key,
                      struct fx_buf *out);
/* "[fingerprint/path]key"; xonly: the key as 32 bytes. */
void fx_desc_point_text(const struct fx_desc_point *point, bool xonly, struct fx_buf *out);

/* ---- descriptor_parse.c ---- */

struct fx_desc_node *fx_desc_parse(const struct fx_descriptor *d, struct fx_span text, char *error);
void fx_desc_node_destroy(struct fx_desc_node *node);

#endif
