/* SHA-256: FIPS 180-4 examples, chunking, and each implementation against the portable one. */
#include "src/crypto/sha256.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/crypto/bytes_int.h"
#include "src/crypto/sha256_int.h"

static void check_text(const char *text, const char *expected)
{
    uint8_t h[32];
    fx_sha256(text, strlen(text), h);
    FX_CHECK_HEX(h, expected);
}

FX_TEST(published_vectors)
{
    check_text("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_text("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
               "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check_text("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
               "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
               "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

FX_TEST(a_million_letters)
{
    struct fx_sha256 ctx;
    uint8_t h[32], chunk[1000];
    memset(chunk, 'a', sizeof chunk);
    fx_sha256_init(&ctx);
    for (int i = 0; i < 1000; i++)
        fx_sha256_update(&ctx, chunk, sizeof chunk);
    fx_sha256_final(&ctx, h);
    FX_CHECK_HEX(h, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

FX_TEST(double_hash_of_the_first_bitcoin_header)
{
    uint8_t header[80], h[32];
    fx_unit_unhex("0100000000000000000000000000000000000000000000000000000000000000000000003ba3ed"
                  "fd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac"
                  "2b7c",
                  header, sizeof header);
    fx_sha256d(header, sizeof header, h);
    FX_CHECK_HEX(h, "6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000");
}

FX_TEST(any_chunking_gives_the_same)
{
    uint8_t data[700], whole[32], h[32];
    fx_unit_rand_fill(data, sizeof data);
    for (unsigned round = 0; round < fx_unit_rounds(300); round++) {
        const size_t n = (size_t)fx_unit_rand_below(sizeof data + 1);
        struct fx_sha256 ctx;
        fx_sha256(data, n, whole);
        fx_sha256_init(&ctx);
        for (size_t at = 0; at < n;) {
            size_t step = (size_t)fx_unit_rand_below(150);
            if (step > n - at)
                step = n - at;
            fx_sha256_update(&ctx, data + at, step);
            at += step;
        }
        fx_sha256_final(&ctx, h);
        FX_CHECK_MEM(h, whole, 32);
    }
}

/* Padding by hand, compression by the portable code alone: independent of what the processor chose.
 */
static void hash_generic(const uint8_t *data, size_t n, uint8_t out[32])
{
    uint32_t state[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    };
    const size_t blocks = (n + 8) / 64 + 1;
    uint8_t *padded = calloc(blocks, 64);
    FX_CHECK(padded);
    if (n > 0)
        memcpy(padded, data, n);
    padded[n] = 0x80;
    for (unsigned i = 0; i < 8; i++)
        padded[64 * blocks - 1 - i] = (uint8_t)((uint64_t)n * 8 >> (8 * i));
    fx_sha256_transform_generic(state, padded, blocks);
    free(padded);
    for (unsigned i = 0; i < 32; i++)
        out[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}

FX_TEST(chosen_equals_generic)
{
    uint8_t data[600], h[32], expected[32];
    for (size_t n = 0; n < sizeof data; n++) {
        fx_unit_rand_fill(data, n);
        fx_sha256(data, n, h);
        hash_generic(data, n, expected);
        FX_CHECK_MEM(h, expected, 32);
    }
}

FX_TEST(sha_ni_compression_equals_generic)
{
#ifdef FX_CRYPTO_X86
    if (!fx_cpu_has_sha())
        FX_SKIP("this processor has no SHA extensions");
    uint8_t data[64 * 9 + 3];
    for (unsigned round = 0; round < fx_unit_rounds(300); round++) {
        uint32_t a[8], b[8];
        const size_t blocks = (size_t)fx_unit_rand_below(10), shift = round % 4;
        fx_unit_rand_fill(data, sizeof data);
        fx_unit_rand_fill(a, sizeof a);
        memcpy(b, a, sizeof a);
        fx_sha256_transform_shani(a, data + shift, blocks);
        fx_sha256_transform_generic(b, data + shift, blocks);
        FX_CHECK_MEM(a, b, sizeof a);
    }
#else
    FX_SKIP("not an x86-64 processor");
#endif
}

FX_TEST(nodes_of_64_bytes)
{
    uint8_t in[64 * 7], out[32 * 7], generic[32 * 7], one[32];
    for (size_t count = 0; count <= 7; count++) {
        fx_unit_rand_fill(in, sizeof in);
        memset(out, 0xee, sizeof out);
        fx_sha256d_64(out, in, count);
        fx_sha256d_64_generic(generic, in, count);
        FX_CHECK_MEM(out, generic, 32 * count);
        for (size_t i = 0; i < count; i++) {
            fx_sha256d(in + 64 * i, 64, one);
            FX_CHECK_MEM(out + 32 * i, one, 32);
        }
        for (size_t i = 32 * count; i < sizeof out; i++)
            FX_CHECK_INT(out[i], 0xee);
        fx_sha256d_64(in, in, count);
        FX_CHECK_MEM(in, out, 32 * count);
    }
}

FX_TEST(nodes_of_64_bytes_generic_in_place)
{
    uint8_t in[64 * 5], out[32 * 5];
    fx_unit_rand_fill(in, sizeof in);
    fx_sha256d_64_generic(out, in, 5);
    fx_sha256d_64_generic(in, in, 5);
    FX_CHECK_MEM(in, out, sizeof out);
}

/* Every way to hash nonces that this processor has, and the one that is chosen, against double
 * SHA-256 of the header. */
FX_TEST(nonces)
{
    for (size_t way = 0; fx_sha256_nonces_ways[way]; way++) {
        const uint32_t first = way % 2 ? UINT32_MAX - 5 : 77;
        uint8_t header[80], id[32];
        uint32_t tail[3], top[3 * FX_SHA256_NONCES], chosen[3 * FX_SHA256_NONCES - 1];
        struct fx_sha256 middle;

        if (!fx_sha256_nonces_ways[way]->usable())
            continue;
        fx_unit_rand_fill(header, sizeof header);
        fx_sha256_init(&middle);
        fx_sha256_update(&middle, header, 64);
        for (size_t i = 0; i < 3; i++)
            tail[i] = load_be32(header + 64 + 4 * i);
        fx_sha256_nonces_ways[way]->run(middle.state, tail, first, 3 * FX_SHA256_NONCES, top);
        fx_sha256d_nonces(middle.state, header + 64, first, 3 * FX_SHA256_NONCES - 1, chosen);
        for (size_t n = 0; n < 3 * FX_SHA256_NONCES; n++) {
            store_le32(header + 76, first + (uint32_t)n);
            fx_sha256d(header, sizeof header, id);
            FX_CHECK_INT(top[n], load_le32(id + 28));
            if (n < 3 * FX_SHA256_NONCES - 1)
                FX_CHECK_INT(chosen[n], top[n]);
        }
    }
}

FX_TEST(implementation_follows_the_processor)
{
    const char *best = fx_cpu_has_sha() ? "sha-ni" : "generic";

    FX_CHECK_STR(fx_sha256_implementation(), best);
    fx_sha256_use_generic(true);
    FX_CHECK_STR(fx_sha256_implementation(), "generic");
    fx_sha256_use_generic(false);
    FX_CHECK_STR(fx_sha256_implementation(), best);
}
