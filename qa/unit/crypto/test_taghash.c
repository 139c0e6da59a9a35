/* Tagged hashes: the midstate that BIP340 signers carry as constants, and the definition. */
#include "src/crypto/taghash.h"

#include <string.h>

#include "qa/unit/harness.h"

FX_TEST(midstate_of_the_bip340_challenge)
{
    /* libsecp256k1, secp256k1_schnorrsig_sha256_tagged. */
    static const uint32_t expected[8] = {
        0x9cecba11, 0x23925381, 0x11679112, 0xd1627e0f,
        0x97c87550, 0x003cc765, 0x90f61164, 0x33e9b66a,
    };
    struct fx_sha256 ctx;
    fx_tagged_init(&ctx, "BIP0340/challenge");
    FX_CHECK_INT(ctx.bytes, 64);
    FX_CHECK_MEM(ctx.state, expected, sizeof expected);
}

FX_TEST(definition)
{
    uint8_t message[64 + 100], h[32], expected[32];
    const char *tag = "fornax/noise";
    fx_sha256(tag, strlen(tag), message);
    memcpy(message + 32, message, 32);
    for (size_t n = 0; n <= 100; n++) {
        fx_unit_rand_fill(message + 64, n);
        fx_sha256(message, 64 + n, expected);
        fx_tagged_hash(tag, message + 64, n, h);
        FX_CHECK_MEM(h, expected, 32);
    }
    fx_tagged_hash("fornax/node", message + 64, 100, h);
    FX_CHECK(memcmp(h, expected, 32) != 0);
}

FX_TEST(midstate_can_be_copied)
{
    struct fx_sha256 mid, ctx;
    uint8_t h[32], expected[32];
    fx_tagged_init(&mid, "fornax/ticket");
    for (int i = 0; i < 3; i++) {
        ctx = mid;
        fx_sha256_update(&ctx, &i, sizeof i);
        fx_sha256_final(&ctx, h);
        fx_tagged_hash("fornax/ticket", &i, sizeof i, expected);
        FX_CHECK_MEM(h, expected, 32);
    }
}
