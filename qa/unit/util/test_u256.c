/* 256-bit integers: against 128-bit arithmetic, and by identities where that does not reach. */
#include "src/util/u256.h"

#include <string.h>

#include "qa/unit/harness.h"

__extension__ typedef unsigned __int128 u128;

static struct fx_u256 from_u128(u128 v)
{
    return (struct fx_u256){{(uint64_t)v, (uint64_t)(v >> 64), 0, 0}};
}

static u128 to_u128(const struct fx_u256 *a)
{
    FX_CHECK(a->w[2] == 0 && a->w[3] == 0);
    return (u128)a->w[1] << 64 | a->w[0];
}

static bool equal(struct fx_u256 a, struct fx_u256 b)
{
    return memcmp(a.w, b.w, sizeof a.w) == 0;
}

/* Random, of a random length, and often with the 32-bit digits that are hard on long division. */
static struct fx_u256 random_value(void)
{
    static const uint32_t hard[] = {0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
    struct fx_u256 r;
    for (unsigned i = 0; i < 4; i++) {
        r.w[i] = fx_unit_rand64();
        for (unsigned half = 0; half < 64; half += 32) {
            if (fx_unit_rand_below(2) == 0) {
                r.w[i] &= ~(UINT64_C(0xffffffff) << half);
                r.w[i] |= (uint64_t)hard[fx_unit_rand_below(6)] << half;
            }
        }
    }
    return fx_u256_shr(&r, (unsigned)fx_unit_rand_below(256));
}

static struct fx_u256 random_nonzero(void)
{
    for (;;) {
        const struct fx_u256 r = random_value();
        if (!fx_u256_is_zero(&r))
            return r;
    }
}

/* The product modulo 2^256, by shifts and additions alone; *overflow where it does not fit. */
static struct fx_u256 slow_mul(struct fx_u256 a, struct fx_u256 b, bool *overflow)
{
    struct fx_u256 sum = fx_u256_zero;
    *overflow = false;
    for (unsigned bit = 0; bit < 256; bit++) {
        if (b.w[bit / 64] >> bit % 64 & 1) {
            const struct fx_u256 term = fx_u256_shl(&a, bit);
            if (fx_u256_bits(&a) + bit > 256)
                *overflow = true;
            if (fx_u256_add(&sum, &term, &sum))
                *overflow = true;
        }
    }
    return sum;
}

FX_TEST(small_values_as_the_compiler_computes)
{
    for (unsigned round = 0; round < fx_unit_rounds(20000); round++) {
        const u128 x = ((u128)fx_unit_rand64() << 64 | fx_unit_rand64()) >> fx_unit_rand_below(128);
        const u128 y = ((u128)fx_unit_rand64() << 64 | fx_unit_rand64()) >> fx_unit_rand_below(128);
        const struct fx_u256 a = from_u128(x), b = from_u128(y);
        struct fx_u256 r;
        FX_CHECK_INT(fx_u256_cmp(&a, &b), x < y ? -1 : x > y);
        FX_CHECK(!fx_u256_add(&a, &b, &r));
        FX_CHECK((u128)r.w[0] == (uint64_t)(x + y));
        FX_CHECK_INT(r.w[2], (u128)(x + y) < x);
        FX_CHECK_INT(fx_u256_sub(&a, &b, &r), x < y);
        if (x >= y)
            FX_CHECK(to_u128(&r) == x - y);
        const uint64_t small = (uint64_t)x, m = (uint64_t)y;
        const struct fx_u256 c = fx_u256_from_u64(small);
        FX_CHECK(!fx_u256_mul64(&c, m, &r));
        FX_CHECK(to_u128(&r) == (u128)small * m);
        if (y != 0) {
            r = fx_u256_div(&a, &b);
            FX_CHECK(to_u128(&r) == x / y);
        }
    }
}

FX_TEST(addition_and_subtraction_undo_each_other)
{
    for (unsigned round = 0; round < fx_unit_rounds(5000); round++) {
        const struct fx_u256 a = random_value(), b = random_value();
        struct fx_u256 sum, back;
        const bool carry = fx_u256_add(&a, &b, &sum);
        /* A carry is a sum below either part. */
        FX_CHECK_INT(carry, fx_u256_cmp(&sum, &a) < 0);
        FX_CHECK_INT(fx_u256_sub(&sum, &b, &back), carry);
        FX_CHECK(equal(back, a));
        /* In place. */
        back = a;
        FX_CHECK_INT(fx_u256_add(&back, &b, &back), carry);
        FX_CHECK(equal(back, sum));
        FX_CHECK_INT(fx_u256_sub(&back, &a, &back), carry);
        FX_CHECK(equal(back, b));
    }
}

FX_TEST(limits)
{
    struct fx_u256 max, r;
    FX_CHECK(fx_u256_sub(&fx_u256_zero, &fx_u256_one, &max));
    for (unsigned i = 0; i < 4; i++)
        FX_CHECK_INT(max.w[i], UINT64_MAX);
    FX_CHECK(fx_u256_add(&max, &fx_u256_one, &r));
    FX_CHECK(fx_u256_is_zero(&r));
    FX_CHECK(!fx_u256_mul64(&max, 1, &r));
    FX_CHECK(equal(r, max));
    FX_CHECK(fx_u256_mul64(&max, 2, &r));
    FX_CHECK_INT(r.w[0], UINT64_MAX - 1);
    r = fx_u256_div(&max, &max);
    FX_CHECK(equal(r, fx_u256_one));
    r = fx_u256_div(&max, &fx_u256_one);
    FX_CHECK(equal(r, max));
    r = fx_u256_div(&fx_u256_zero, &max);
    FX_CHECK(fx_u256_is_zero(&r));
}

FX_TEST(multiplication_by_shifts)
{
    for (unsigned round = 0; round < fx_unit_rounds(2000); round++) {
        const struct fx_u256 a = random_value();
        const uint64_t m = random_value().w[0];
        struct fx_u256 r = a;
        bool overflow;
        const struct fx_u256 expected = slow_mul(a, fx_u256_from_u64(m), &overflow);
        FX_CHECK_INT(fx_u256_mul64(&a, m, &r), overflow);
        FX_CHECK(equal(r, expected));
        r = a;
        FX_CHECK_INT(fx_u256_mul64(&r, m, &r), overflow);
        FX_CHECK(equal(r, expected));
    }
}

/* q = a / d exactly when q * d fits, is at most a, and a - q * d is below d. */
static void check_quotient(struct fx_u256 a, struct fx_u256 d)
{
    const struct fx_u256 q = fx_u256_div(&a, &d);
    struct fx_u256 rest;
    bool overflow;
    const struct fx_u256 product = slow_mul(q, d, &overflow);
    FX_CHECK(!overflow);
    FX_CHECK(!fx_u256_sub(&a, &product, &rest));
    FX_CHECK(fx_u256_cmp(&rest, &d) < 0);
}

FX_TEST(division_identity)
{
    for (unsigned round = 0; round < fx_unit_rounds(5000); round++)
        check_quotient(random_value(), random_nonzero());
}

FX_TEST(division_of_exact_products)
{
    /* And of one less: the quotient drops by one. */
    for (unsigned round = 0; round < fx_unit_rounds(2000); round++) {
        const struct fx_u256 q = random_nonzero(), d = random_nonzero();
        bool overflow;
        struct fx_u256 product = slow_mul(q, d, &overflow), r, less;
        if (overflow)
            continue;
        r = fx_u256_div(&product, &d);
        FX_CHECK(equal(r, q));
        fx_u256_sub(&product, &fx_u256_one, &product);
        fx_u256_sub(&q, &fx_u256_one, &less);
        r = fx_u256_div(&product, &d);
        FX_CHECK(equal(r, less));
    }
}

FX_TEST(division_with_add_back)
{
    /* Knuth's case: the guessed digit is one too large even after its correction. */
    const struct fx_u256 a = {{3, UINT64_C(0x8000000000000000), 0, 0}};
    const struct fx_u256 d = {{UINT64_C(1), UINT64_C(0x20000000), 0, 0}};
    check_quotient(a, d);
    const struct fx_u256 b = {{0, UINT64_C(0x00008000), UINT64_C(0x7fffffff80000000), 0}};
    const struct fx_u256 e = {{UINT64_C(0x0000000000000001), UINT64_C(0x80000000), 0, 0}};
    check_quotient(b, e);
    const struct fx_u256 c = {{0, UINT64_C(0xfffffffe00000000), UINT64_C(0x80000000), 0}};
    const struct fx_u256 f = {{UINT64_C(0x00000000ffffffff), UINT64_C(0x80000000), 0, 0}};
    check_quotient(c, f);
}

FX_TEST(shifts)
{
    for (unsigned round = 0; round < fx_unit_rounds(200); round++) {
        const struct fx_u256 a = random_value();
        struct fx_u256 doubled = a, halved = a;
        for (unsigned n = 0; n <= 256; n++) {
            struct fx_u256 r = fx_u256_shl(&a, n);
            FX_CHECK(equal(r, doubled));
            fx_u256_add(&doubled, &doubled, &doubled);
            r = fx_u256_shr(&a, n);
            FX_CHECK(equal(r, halved));
            const struct fx_u256 two = fx_u256_from_u64(2);
            halved = fx_u256_div(&halved, &two);
        }
        struct fx_u256 r = fx_u256_shl(&a, 1000);
        FX_CHECK(fx_u256_is_zero(&r));
        r = fx_u256_shr(&a, 1000);
        FX_CHECK(fx_u256_is_zero(&r));
    }
}

FX_TEST(bits)
{
    FX_CHECK_INT(fx_u256_bits(&fx_u256_zero), 0);
    for (unsigned n = 0; n < 256; n++) {
        struct fx_u256 r = fx_u256_shl(&fx_u256_one, n);
        FX_CHECK_INT(fx_u256_bits(&r), n + 1);
        fx_u256_sub(&r, &fx_u256_one, &r);
        FX_CHECK_INT(fx_u256_bits(&r), n);
    }
}

FX_TEST(hashes_are_little_endian_numbers)
{
    struct fx_hash h, back;
    for (unsigned i = 0; i < 32; i++)
        h.b[i] = (uint8_t)(i + 1);
    const struct fx_u256 a = fx_u256_from_hash(&h);
    FX_CHECK_INT(a.w[0], UINT64_C(0x0807060504030201));
    FX_CHECK_INT(a.w[3], UINT64_C(0x201f1e1d1c1b1a19));
    back = fx_u256_to_hash(&a);
    FX_CHECK(fx_hash_equal(&h, &back));
    /* So the hex of the number is the hash as an id. */
    char hex[FX_HASH_HEX], id[FX_HASH_HEX];
    fx_u256_to_hex(&a, hex);
    fx_hash_to_id(&h, id);
    FX_CHECK_STR(hex, id);
}

FX_TEST(order)
{
    const struct fx_u256 low = {{UINT64_MAX, 0, 0, 0}}, high = {{0, 0, 0, 1}};
    struct fx_u256 r;
    FX_CHECK_INT(fx_u256_cmp(&low, &high), -1);
    FX_CHECK_INT(fx_u256_cmp(&high, &low), 1);
    FX_CHECK_INT(fx_u256_cmp(&high, &high), 0);
    r = fx_u256_min(&low, &high);
    FX_CHECK(equal(r, low));
    r = fx_u256_min(&high, &low);
    FX_CHECK(equal(r, low));
    r = fx_u256_max(&low, &high);
    FX_CHECK(equal(r, high));
    r = fx_u256_max(&high, &low);
    FX_CHECK(equal(r, high));
}

FX_TEST(as_double)
{
    FX_CHECK(fx_u256_to_double(&fx_u256_zero) == 0);
    FX_CHECK(fx_u256_to_double(&fx_u256_one) == 1);
    double expected = 1;
    for (unsigned n = 0; n < 256; n++, expected *= 2) {
        const struct fx_u256 r = fx_u256_shl(&fx_u256_one, n);
        FX_CHECK(fx_u256_to_double(&r) == expected);
    }
}
