/* Crash points for tests. */
#include "src/sys/crash.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void fx_crash_point(const char *name)
{
    static unsigned long passed;
    const char *at = getenv("FORNAX_CRASH_AT");
    size_t n = strlen(name);
    unsigned long count = 1;

    if (at == NULL || strncmp(at, name, n) != 0 || (at[n] != '\0' && at[n] != ':')) {
        return;
    }
    if (at[n] == ':') {
        count = strtoul(at + n + 1, NULL, 10);
    }
    if (++passed == count) {
        kill(getpid(), SIGKILL);
    }
}
