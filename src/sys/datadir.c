/* The default data directory. */
#include "src/sys/datadir.h"

#include <stdlib.h>

#include "src/sys/file.h"

char *fx_datadir_default(void)
{
    const char *home = getenv("HOME");
    return fx_path_join(home && *home ? home : "/", ".fornax");
}
