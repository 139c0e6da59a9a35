/* Tests of the log: categories, lines, reopening. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/sys/file.h"
#include "src/sys/log.h"

static char *text_of(const char *path)
{
    uint8_t *data;
    size_t n;

    FX_CHECK(fx_file_read(path, 1 << 20, &data, &n));
    return (char *)data;
}

FX_TEST(categories)
{
    FX_CHECK(!fx_log_enabled(FX_LOG_NET));
    FX_CHECK(fx_log_enabled(FX_LOG_ALL));
    FX_CHECK(fx_log_enable("net"));
    FX_CHECK(fx_log_enabled(FX_LOG_NET) && !fx_log_enabled(FX_LOG_RPC));
    FX_CHECK(fx_log_enable("all"));
    FX_CHECK(fx_log_enabled(FX_LOG_RPC));
    FX_CHECK(fx_log_enable("none"));
    FX_CHECK(!fx_log_enabled(FX_LOG_RPC));
    FX_CHECK(!fx_log_enable("nothing"));
}

FX_TEST(lines_reach_the_file)
{
    const char *dir = fx_unit_tmpdir();
    char *path = fx_path_join(dir, "debug.log");
    char *old = fx_path_join(dir, "debug.log.1");
    char *text, *big = malloc(5000);

    memset(big, 'x', 4999);
    big[4999] = '\0';
    FX_CHECK(fx_log_open(path, false));
    fx_log_info("height %d\nnot a line", 7);
    fx_log(FX_LOG_JOBS, "unseen");
    fx_log_enable("jobs");
    fx_log(FX_LOG_JOBS, "seen");
    fx_log_enable("none");
    FX_CHECK(rename(path, old) == 0);
    fx_log_reopen();
    fx_log_info("%s", big);
    fx_log_close();

    text = text_of(old);
    FX_CHECK(strstr(text, "Z height 7\\x0anot a line\n") != NULL);
    FX_CHECK(strstr(text, "Z [jobs] seen\n") != NULL);
    FX_CHECK(strstr(text, "unseen") == NULL);
    free(text);
    text = text_of(path);
    FX_CHECK(strstr(text, big) != NULL);
    free(text);
    free(big);
    free(old);
    free(path);
}

FX_TEST(unwritable_path_is_refused)
{
    FX_CHECK(!fx_log_open("/nonexistent/folder/debug.log", false));
}
