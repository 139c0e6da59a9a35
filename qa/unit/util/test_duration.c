/* Unit tests of src/util/duration.c. */
#include "src/util/duration.h"

#include "qa/unit/harness.h"

FX_TEST(the_largest_unit_of_which_there_are_two)
{
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {{0, "0 s"},
                 {0.4, "0 s"},
                 {90, "90 s"},
                 {120, "2 min"},
                 {7199, "120 min"},
                 {7200, "2.0 h"},
                 {86400, "24.0 h"},
                 {200000, "2.3 days"},
                 {1e8, "3 years"},
                 {2574813665760.0, "81591 years"},
                 {1e18, "31688087814 years"}};
    char text[FX_DURATION_TEXT];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fx_duration_format(cases[i].seconds, text);
        FX_CHECK_STR(text, cases[i].text);
    }
}
