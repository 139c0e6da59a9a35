/* SipHash-2-4: vectors of the reference implementation, key 00..0f, message 00, 01, 02, ... */
#include "src/crypto/siphash.h"

#include "qa/unit/harness.h"

FX_TEST(reference_vectors)
{
    static const struct {
        size_t n;
        uint64_t expected;
    } vectors[] = {
        {0, UINT64_C(0x726fdb47dd0e0e31)},  {1, UINT64_C(0x74f839c593dc67fd)},
        {2, UINT64_C(0x0d6c8009d9a94f5a)},  {3, UINT64_C(0x85676696d7fb7e2d)},
        {4, UINT64_C(0xcf2794e0277187b7)},  {5, UINT64_C(0x18765564cd99a68d)},
        {6, UINT64_C(0xcbc9466e58fee3ce)},  {7, UINT64_C(0xab0200f58b01d137)},
        {8, UINT64_C(0x93f5f5799a932462)},  {9, UINT64_C(0x9e0082df0ba9e4b0)},
        {15, UINT64_C(0xa129ca6149be45e5)}, {63, UINT64_C(0x958a324ceb064572)},
    };
    uint8_t message[64];
    for (unsigned i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const uint64_t h = fx_siphash(UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908),
                                      message, vectors[i].n);
        FX_CHECK_INT(h, vectors[i].expected);
    }
}

FX_TEST(both_key_words_and_alignment)
{
    uint8_t message[40];
    fx_unit_rand_fill(message, sizeof message);
    const uint64_t h = fx_siphash(1, 2, message, 36);
    FX_CHECK(h != fx_siphash(1, 3, message, 36));
    FX_CHECK(h != fx_siphash(2, 2, message, 36));
    for (unsigned shift = 1; shift <= 3; shift++) {
        uint8_t moved[40];
        for (unsigned i = 0; i < 36; i++)
            moved[shift + i] = message[i];
        FX_CHECK_INT(fx_siphash(1, 2, moved + shift, 36), h);
    }
}
