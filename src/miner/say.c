/* Lines on standard output. */
#include "src/miner/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "src/sys/clock.h"

void fx_miner_say(const char *format, ...)
{
    char text[1024], when[32];
    time_t now = (time_t)fx_clock_real();
    struct tm parts;
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    gmtime_r(&now, &parts);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &parts);
    printf("%s %s\n", when, text);
    fflush(stdout);
}
