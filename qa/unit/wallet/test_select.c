/* Coin selection: exact where it can be, and never short. */
#include <string.h>

#include "qa/unit/harness.h"
#include "wallet/wallet_int.h"

static size_t make(struct fx_candidate *c, const int64_t *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        c[i] = (struct fx_candidate){.value = values[i] + 58, .effective = values[i]};
        c[i].outpoint.index = (uint32_t)i;
    }
    return n;
}

static int64_t sum(const struct fx_candidate *c, size_t n)
{
    int64_t total = 0;
    for (size_t i = 0; i < n; i++) {
        total += c[i].effective;
    }
    return total;
}

FX_TEST(an_exact_set_needs_no_change)
{
    static const int64_t values[] = {1000, 700, 400, 300, 200};
    struct fx_candidate c[5];
    size_t n = make(c, values, 5), chosen = fx_select_coins(c, n, 1600, 50);
    FX_CHECK(chosen > 0);
    FX_CHECK_INT(sum(c, chosen), 1600);
}

FX_TEST(else_the_smallest_coin_that_does)
{
    static const int64_t values[] = {100000, 50000, 20000, 3};
    struct fx_candidate c[4];
    size_t n = make(c, values, 4);
    FX_CHECK_INT(fx_select_coins(c, n, 10000, 50), 1);
    FX_CHECK_INT(c[0].effective, 20000);
}

FX_TEST(else_the_largest_first)
{
    static const int64_t values[] = {3000, 9000, 8000, 1000};
    struct fx_candidate c[4];
    size_t n = make(c, values, 4);
    FX_CHECK_INT(fx_select_coins(c, n, 15000, 50), 2);
    FX_CHECK_INT(sum(c, 2), 17000);
}

FX_TEST(too_little_is_nothing)
{
    static const int64_t values[] = {3000, 9000, -5, 0};
    struct fx_candidate c[4];
    FX_CHECK_INT(fx_select_coins(c, make(c, values, 4), 12001, 50), 0);
    FX_CHECK_INT(fx_select_coins(c, make(c, values, 4), 12000, 50), 2);
    FX_CHECK_INT(fx_select_coins(c, 0, 1, 50), 0);
}

/* Against every subset: an exact one is found where there is one, and the choice always reaches. */
FX_TEST(small_sets_against_brute_force)
{
    for (unsigned round = 0; round < fx_unit_rounds(300); round++) {
        struct fx_candidate c[10];
        int64_t values[10];
        size_t n = 1 + fx_unit_rand_below(10);
        for (size_t i = 0; i < n; i++) {
            values[i] = 1 + (int64_t)fx_unit_rand_below(50);
        }
        int64_t target = 1 + (int64_t)fx_unit_rand_below(300), no_change = 2, all = 0;
        bool exact = false;
        for (unsigned set = 1; set < 1u << n; set++) {
            int64_t total = 0;
            for (size_t i = 0; i < n; i++) {
                total += set >> i & 1 ? values[i] : 0;
            }
            exact = exact || (total >= target && total <= target + no_change);
        }
        for (size_t i = 0; i < n; i++) {
            all += values[i];
        }
        make(c, values, n);
        size_t chosen = fx_select_coins(c, n, target, no_change);
        FX_CHECK_INT(chosen > 0, all >= target);
        if (chosen > 0) {
            FX_CHECK(sum(c, chosen) >= target);
            FX_CHECK_INT(exact, sum(c, chosen) <= target + no_change);
        }
    }
}
