/* Amounts: checked sums and decimal text. */
#include "src/util/amount.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PLACES 8

bool fx_amount_add(int64_t a, int64_t b, int64_t *sum)
{
    int64_t s;
    if (__builtin_add_overflow(a, b, &s))
        return false;
    *sum = s;
    return true;
}

void fx_amount_format(int64_t amount, char out[FX_AMOUNT_TEXT])
{
    const uint64_t coin = (uint64_t)FX_COIN;
    const uint64_t size = amount < 0 ? UINT64_C(0) - (uint64_t)amount : (uint64_t)amount;
    snprintf(out, FX_AMOUNT_TEXT, "%s%" PRIu64 ".%08" PRIu64, amount < 0 ? "-" : "", size / coin,
             size % coin);
}

/* value = value * 10 + the digit; false when that is above INT64_MAX. */
static bool append_digit(int64_t *value, char c)
{
    return !__builtin_mul_overflow(*value, 10, value) &&
           !__builtin_add_overflow(*value, c - '0', value);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool fx_amount_parse(const char *s, int64_t *amount)
{
    int64_t value = 0;
    /* As JSON writes numbers: digits on both sides of the point, no loose zeros in front. */
    if (!is_digit(s[0]) || (s[0] == '0' && is_digit(s[1])))
        return false;
    for (; is_digit(*s); s++) {
        if (!append_digit(&value, *s))
            return false;
    }
    unsigned places = 0;
    if (*s == '.') {
        for (s++; is_digit(*s); s++) {
            if (++places > PLACES || !append_digit(&value, *s))
                return false;
        }
        if (places == 0)
            return false;
    }
    if (*s != '\0')
        return false;
    for (; places < PLACES; places++) {
        if (!append_digit(&value, '0'))
            return false;
    }
    *amount = value;
    return true;
}

void fx_number_format(double value, char out[FX_NUMBER_TEXT])
{
    if (value > -1e10 && value < 1e10) {
        snprintf(out, FX_NUMBER_TEXT, "%.8f", value);
        if (strtod(out, NULL) == value)
            return;
    }
    snprintf(out, FX_NUMBER_TEXT, "%.16g", value);
    if (strtod(out, NULL) != value)
        snprintf(out, FX_NUMBER_TEXT, "%.17g", value);
}
