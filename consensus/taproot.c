/* Taproot's tree of scripts (BIP341). */
#include "consensus/taproot.h"

#include <string.h>

#include <secp256k1_extrakeys.h>

#include "src/crypto/sha256.h"
#include "src/crypto/taghash.h"
#include "src/util/buf.h"

void fx_taproot_leaf_hash(uint8_t version, struct fx_span script, struct fx_hash *hash)
{
    uint8_t head[10] = {version};
    struct fx_sha256 ctx;
    struct fx_buf size = FX_BUF_INIT;

    fx_tagged_init(&ctx, "TapLeaf");
    fx_buf_var(&size, script.len);
    memcpy(head + 1, size.data, size.len);
    fx_sha256_update(&ctx, head, 1 + size.len);
    fx_buf_clear(&size);
    if (script.len > 0) {
        fx_sha256_update(&ctx, script.data, script.len);
    }
    fx_sha256_final(&ctx, hash->b);
}

void fx_taproot_branch_hash(const struct fx_hash *a, const struct fx_hash *b, struct fx_hash *hash)
{
    bool in_order = memcmp(a->b, b->b, sizeof a->b) < 0;
    struct fx_sha256 ctx;

    fx_tagged_init(&ctx, "TapBranch");
    fx_sha256_update(&ctx, in_order ? a->b : b->b, sizeof a->b);
    fx_sha256_update(&ctx, in_order ? b->b : a->b, sizeof a->b);
    fx_sha256_final(&ctx, hash->b);
}

void fx_taproot_tweak_hash(const uint8_t internal_key[32], const struct fx_hash *root,
                           struct fx_hash *hash)
{
    struct fx_sha256 ctx;

    fx_tagged_init(&ctx, "TapTweak");
    fx_sha256_update(&ctx, internal_key, 32);
    if (root != NULL) {
        fx_sha256_update(&ctx, root->b, sizeof root->b);
    }
    fx_sha256_final(&ctx, hash->b);
}

bool fx_taproot_control_size_ok(size_t n)
{
    return n >= FX_TAPROOT_CONTROL_BASE &&
           n <= FX_TAPROOT_CONTROL_BASE + FX_TAPROOT_CONTROL_NODE * FX_TAPROOT_DEPTH_MAX &&
           (n - FX_TAPROOT_CONTROL_BASE) % FX_TAPROOT_CONTROL_NODE == 0;
}

bool fx_taproot_verify_control(struct fx_span control, const uint8_t output_key[32],
                               const struct fx_hash *leaf_hash)
{
    const secp256k1_context *ctx = secp256k1_context_static;
    const uint8_t *internal_key = control.data + 1;
    struct fx_hash node = *leaf_hash, sibling, tweak;
    secp256k1_xonly_pubkey key;

    for (size_t at = FX_TAPROOT_CONTROL_BASE; at < control.len; at += FX_TAPROOT_CONTROL_NODE) {
        memcpy(sibling.b, control.data + at, sizeof sibling.b);
        fx_taproot_branch_hash(&node, &sibling, &node);
    }
    if (!secp256k1_xonly_pubkey_parse(ctx, &key, internal_key)) {
        return false;
    }
    fx_taproot_tweak_hash(internal_key, &node, &tweak);
    return secp256k1_xonly_pubkey_tweak_add_check(ctx, output_key, control.data[0] & 1, &key,
                                                  tweak.b) == 1;
}
