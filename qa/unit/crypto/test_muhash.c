/* MuHash3072: known sets, and that order and representation do not matter. */
#include "src/crypto/muhash.h"

#include <string.h>

#include "qa/unit/harness.h"

static void check(const struct fx_muhash *set, const char *expected)
{
    uint8_t out[32];
    fx_muhash_final(set, out);
    FX_CHECK_HEX(out, expected);
}

FX_TEST(sets_have_their_hashes)
{
    static const uint8_t zeros[32], one[32] = {1};
    struct fx_muhash set;
    uint8_t fill[100];
    fx_muhash_init(&set);
    check(&set, "c85525462fdcf30a2c18d6f4b92923000974355c2477f59594d2c205a1d25add");
    fx_muhash_insert(&set, zeros, 32);
    check(&set, "4d9ae4338185474b7d29c730d850954f296d3afbae38438ded3bd6478494b546");
    fx_muhash_insert(&set, one, 32);
    check(&set, "47c63ab4f6dd0635ca62f50b2ef9189157b9e53416d6c3e6f383a715aac6969c");
    fx_muhash_insert(&set, "fornax", 6);
    check(&set, "33c30a3f514077cf5a1c90429d6ddf911b38dbabac72fdef3fe28c9e287df4a3");
    for (unsigned i = 0; i < 100; i++) {
        memset(fill, (int)i, i + 1);
        fx_muhash_insert(&set, fill, i + 1);
    }
    check(&set, "59012b93cf10173819fd14a683410765c44696bd39581fbe2941f7e24f6e7e5e");
}

FX_TEST(order_does_not_matter)
{
    struct fx_muhash there, back;
    uint8_t a[32], b[32];
    fx_muhash_init(&there);
    fx_muhash_init(&back);
    for (uint8_t i = 0; i < 20; i++) {
        uint8_t last = (uint8_t)(19 - i);
        fx_muhash_insert(&there, &i, 1);
        fx_muhash_insert(&back, &last, 1);
    }
    fx_muhash_final(&there, a);
    fx_muhash_final(&back, b);
    FX_CHECK(memcmp(a, b, 32) == 0);
}

FX_TEST(a_product_above_the_prime_is_reduced)
{
    struct fx_muhash set;
    memset(&set, 0xff, sizeof(set)); /* 2^3072 - 1 */
    check(&set, "3a31e6903aff0de9f62f9a9f7f8b861de76ce2cda09822b90014319ae5dc2271");
}
