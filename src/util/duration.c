/* A span of time as people say it. */
#include "src/util/duration.h"

#include <stddef.h>
#include <stdio.h>

void fx_duration_format(double seconds, char text[FX_DURATION_TEXT])
{
    static const struct {
        double seconds;
        int decimals;
        const char *name;
    } units[] = {{365.25 * 86400, 0, "years"},
                 {86400, 1, "days"},
                 {3600, 1, "h"},
                 {60, 0, "min"},
                 {1, 0, "s"}};
    const size_t last = sizeof(units) / sizeof(units[0]) - 1;
    size_t i = 0;
    while (i < last && seconds < 2 * units[i].seconds) {
        i++;
    }
    snprintf(text, FX_DURATION_TEXT, "%.*f %s", units[i].decimals, seconds / units[i].seconds,
             units[i].name);
}
