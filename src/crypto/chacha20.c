/* ChaCha20 keystream: several blocks at a time, one vector lane a block, the rest block by block.
 */
#include "src/crypto/chacha20.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "src/crypto/bytes_int.h"
#include "src/crypto/chacha20_int.h"

/* Four blocks: lane x of word w is word w of block x. The compiler maps this to SSE2, NEON or plain
 * code. */
typedef uint32_t lanes4 __attribute__((vector_size(16)));

#define ROTATE(v, n) ((v) << (n) | (v) >> (32 - (n)))
#define QUARTER_ROUND(s, a, b, c, d) \
    do {                             \
        s[a] += s[b];                \
        s[d] ^= s[a];                \
        s[d] = ROTATE(s[d], 16);     \
        s[c] += s[d];                \
        s[b] ^= s[c];                \
        s[b] = ROTATE(s[b], 12);     \
        s[a] += s[b];                \
        s[d] ^= s[a];                \
        s[d] = ROTATE(s[d], 8);      \
        s[c] += s[d];                \
        s[b] ^= s[c];                \
        s[b] = ROTATE(s[b], 7);      \
    } while (0)
#define DOUBLE_ROUND(s)                 \
    do {                                \
        QUARTER_ROUND(s, 0, 4, 8, 12);  \
        QUARTER_ROUND(s, 1, 5, 9, 13);  \
        QUARTER_ROUND(s, 2, 6, 10, 14); \
        QUARTER_ROUND(s, 3, 7, 11, 15); \
        QUARTER_ROUND(s, 0, 5, 10, 15); \
        QUARTER_ROUND(s, 1, 6, 11, 12); \
        QUARTER_ROUND(s, 2, 7, 8, 13);  \
        QUARTER_ROUND(s, 3, 4, 9, 14);  \
    } while (0)

size_t fx_chacha20_blocks_four(const uint32_t input[16], uint8_t *out, size_t blocks)
{
    const size_t whole = blocks / 4 * 4;
    for (size_t done = 0; done < whole; done += 4) {
        lanes4 first[16], s[16];
        for (unsigned i = 0; i < 16; i++)
            first[i] = (lanes4){input[i], input[i], input[i], input[i]};
        const uint32_t counter = input[12] + (uint32_t)done;
        first[12] = (lanes4){counter, counter + 1, counter + 2, counter + 3};
        memcpy(s, first, sizeof s);
        for (unsigned round = 0; round < 10; round++)
            DOUBLE_ROUND(s);
        for (unsigned i = 0; i < 16; i++)
            s[i] += first[i];
        for (unsigned x = 0; x < 4; x++) {
            for (unsigned i = 0; i < 16; i++)
                store_le32(out + 64 * (done + x) + 4 * i, s[i][x]);
        }
    }
    return whole;
}

static void one_block(const uint32_t input[16], uint8_t out[64])
{
    uint32_t s[16];
    memcpy(s, input, sizeof s);
    for (unsigned round = 0; round < 10; round++)
        DOUBLE_ROUND(s);
    for (unsigned i = 0; i < 16; i++)
        store_le32(out + 4 * i, s[i] + input[i]);
}

#ifdef FX_CRYPTO_X86
/* Threads may race to the first use: they all store the same value. */
static bool has_avx2(void)
{
    static _Atomic int known; /* 0 not asked, 1 no, 2 yes */
    int k = atomic_load_explicit(&known, memory_order_relaxed);
    if (k == 0) {
        k = fx_cpu_has_avx2() ? 2 : 1;
        atomic_store_explicit(&known, k, memory_order_relaxed);
    }
    return k == 2;
}
#endif

void fx_chacha20_stream(const uint8_t key[32], const uint8_t nonce[12], uint32_t counter,
                        uint8_t *out, size_t n)
{
    uint32_t input[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    for (unsigned i = 0; i < 8; i++)
        input[4 + i] = load_le32(key + 4 * i);
    input[12] = counter;
    for (unsigned i = 0; i < 3; i++)
        input[13 + i] = load_le32(nonce + 4 * i);

    size_t blocks = n / 64, done;
#ifdef FX_CRYPTO_X86
    if (has_avx2()) {
        done = fx_chacha20_blocks_avx2(input, out, blocks);
        input[12] += (uint32_t)done;
        out += 64 * done;
        blocks -= done;
    }
#endif
    done = fx_chacha20_blocks_four(input, out, blocks);
    input[12] += (uint32_t)done;
    out += 64 * done;
    blocks -= done;
    for (; blocks > 0; blocks--, out += 64, input[12]++)
        one_block(input, out);
    if (n % 64 > 0) {
        uint8_t last[64];
        one_block(input, last);
        memcpy(out, last, n % 64);
    }
}
