/* The data directory: the default, and the one that -datadir names. */
#include "src/sys/datadir.h"

#include <stdio.h>
#include <stdlib.h>

#include "src/sys/file.h"

char *fx_datadir_default(void)
{
    const char *home = getenv("HOME");
    return fx_path_join(home && *home ? home : "/", ".fornax");
}

bool fx_datadir_check(const char *path, char *error, size_t n)
{
    if (fx_path_is_dir(path)) {
        return true;
    }
    snprintf(error, n, "Specified data directory \"%.150s\" %s: correct -datadir, or make it.",
             path, fx_path_exists(path) ? "is no directory" : "does not exist");
    return false;
}
