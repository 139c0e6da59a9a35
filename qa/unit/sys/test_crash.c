/* Tests of the crash points: a child dies at the named point and at no other. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qa/unit/harness.h"
#include "src/sys/crash.h"

/* The number of times that the point was passed before the child died; 100 where it did not. */
static int passes(const char *at)
{
    int ends[2], status;
    pid_t child;
    char c;
    int n = 0;

    FX_CHECK(pipe(ends) == 0);
    child = fork();
    if (child == 0) {
        int i;

        setenv("FORNAX_CRASH_AT", at, 1);
        for (i = 0; i < 5; i++) {
            fx_crash_point("before");
            fx_crash_point("here");
            if (write(ends[1], "x", 1) != 1) {
                _exit(2);
            }
        }
        _exit(0);
    }
    close(ends[1]);
    FX_CHECK(waitpid(child, &status, 0) == child);
    while (read(ends[0], &c, 1) == 1) {
        n++;
    }
    close(ends[0]);
    if (WIFSIGNALED(status)) {
        FX_CHECK_INT(WTERMSIG(status), SIGKILL);
        return n;
    }
    FX_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return 100;
}

FX_TEST(dies_where_named)
{
    FX_CHECK_INT(passes("here"), 0);
    FX_CHECK_INT(passes("here:3"), 2);
    FX_CHECK_INT(passes("here:9"), 100);
    FX_CHECK_INT(passes("her"), 100);
    FX_CHECK_INT(passes("hereafter"), 100);
}
