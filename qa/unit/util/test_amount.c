/* Amounts: checked sums and decimal text. */
#include "src/util/amount.h"

#include "qa/unit/harness.h"

FX_TEST(sums)
{
    int64_t s = 5;
    FX_CHECK(fx_amount_add(2, 3, &s));
    FX_CHECK_INT(s, 5);
    FX_CHECK(fx_amount_add(INT64_MAX, 0, &s));
    FX_CHECK_INT(s, INT64_MAX);
    FX_CHECK(!fx_amount_add(INT64_MAX, 1, &s));
    FX_CHECK(!fx_amount_add(INT64_MIN, -1, &s));
    FX_CHECK_INT(s, INT64_MAX);
    FX_CHECK(fx_amount_add(INT64_MIN, INT64_MAX, &s));
    FX_CHECK_INT(s, -1);
    FX_CHECK(fx_amount_add(s, s, &s));
    FX_CHECK_INT(s, -2);
}

static void check_text(int64_t amount, const char *expected)
{
    char text[FX_AMOUNT_TEXT];
    fx_amount_format(amount, text);
    FX_CHECK_STR(text, expected);
}

FX_TEST(format)
{
    check_text(0, "0.00000000");
    check_text(1, "0.00000001");
    check_text(-1, "-0.00000001");
    check_text(FX_COIN, "1.00000000");
    check_text(INT64_C(1234567800), "12.34567800");
    check_text(-INT64_C(1234567800), "-12.34567800");
    check_text(INT64_MAX, "92233720368.54775807");
    check_text(INT64_MIN, "-92233720368.54775808");
}

static void check_parsed(const char *text, int64_t expected)
{
    int64_t amount = -1;
    FX_CHECK(fx_amount_parse(text, &amount));
    FX_CHECK_INT(amount, expected);
}

FX_TEST(parse)
{
    check_parsed("0", 0);
    check_parsed("0.0", 0);
    check_parsed("0.00000001", 1);
    check_parsed("12.345678", 1234567800);
    check_parsed("1", FX_COIN);
    check_parsed("1.10000000", 110000000);
    check_parsed("42048000", INT64_C(4204800000000000));
    check_parsed("92233720368.54775807", INT64_MAX);
}

FX_TEST(parse_refuses)
{
    static const char *const bad[] = {
        "",
        " ",
        "-1",
        "+1",
        "-0",
        ".5",
        "5.",
        "1.2.3",
        "1e3",
        "1E3",
        "0x10",
        "01",
        "00",
        "1 ",
        " 1",
        "1,5",
        "inf",
        "nan",
        "--1",
        "1.-5",
        "1.a",
        "a",
        "0.000000001",
        "1.000000000",
        "92233720368.54775808",
        "92233720369",
        "184467440737.09551616",
        "99999999999999999999999999999999",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t amount = 77;
        FX_CHECK(!fx_amount_parse(bad[i], &amount));
        FX_CHECK_INT(amount, 77);
    }
}

FX_TEST(text_round_trips)
{
    for (unsigned i = 0; i < fx_unit_rounds(2000); i++) {
        const int64_t amount = (int64_t)(fx_unit_rand64() >> (1 + fx_unit_rand_below(63)));
        char text[FX_AMOUNT_TEXT];
        fx_amount_format(amount, text);
        check_parsed(text, amount);
    }
}

FX_TEST(numbers)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0.00000000"},
                 {0.1, "0.10000000"},
                 {-3.5, "-3.50000000"},
                 {21e6, "21000000.00000000"},
                 {4.6565423739069247e-10, "4.6565423739069247e-10"},
                 {0.001953125, "0.001953125"},
                 {1e300, "1e+300"},
                 {-1.7976931348623157e308, "-1.7976931348623157e+308"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[FX_NUMBER_TEXT];
        fx_number_format(cases[i].value, text);
        FX_CHECK_STR(text, cases[i].text);
    }
}
