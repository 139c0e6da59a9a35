/* Tagged hashes (BIP340). */
#include "src/crypto/taghash.h"

#include <string.h>

void fx_tagged_init(struct fx_sha256 *ctx, const char *tag)
{
    uint8_t h[32];
    fx_sha256(tag, strlen(tag), h);
    fx_sha256_init(ctx);
    fx_sha256_update(ctx, h, sizeof h);
    fx_sha256_update(ctx, h, sizeof h);
}

void fx_tagged_hash(const char *tag, const void *data, size_t n, uint8_t out[32])
{
    struct fx_sha256 ctx;
    fx_tagged_init(&ctx, tag);
    fx_sha256_update(&ctx, data, n);
    fx_sha256_final(&ctx, out);
}
