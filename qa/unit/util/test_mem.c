/* Allocation: sizes of zero, copies, and the end of the process on the impossible. */
#include "src/util/mem.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qa/unit/harness.h"

FX_TEST(zero_bytes_can_be_freed)
{
    void *a = fx_xmalloc(0), *b = fx_xcalloc(0, 8), *c = fx_xreallocarray(NULL, 0, 8),
         *d = fx_xmemdup(NULL, 0);
    FX_CHECK(a && b && c && d);
    free(a);
    free(b);
    free(c);
    free(d);
}

FX_TEST(calloc_zeroes)
{
    uint8_t *p = fx_xcalloc(30, 7);
    for (unsigned i = 0; i < 210; i++)
        FX_CHECK_INT(p[i], 0);
    free(p);
}

FX_TEST(realloc_keeps_the_content)
{
    uint32_t *p = fx_xreallocarray(NULL, 3, sizeof *p);
    for (unsigned i = 0; i < 3; i++)
        p[i] = i + 7;
    p = fx_xreallocarray(p, 3000, sizeof *p);
    for (unsigned i = 0; i < 3; i++)
        FX_CHECK_INT(p[i], i + 7);
    free(p);
}

FX_TEST(copies)
{
    const char text[] = "embers";
    char *a = fx_xstrdup(text), *b = fx_xmemdup(text, 3);
    FX_CHECK_STR(a, text);
    FX_CHECK_MEM(b, text, 3);
    free(a);
    free(b);
}

static void *product_overflows(void)
{
    return fx_xreallocarray(NULL, SIZE_MAX / 2, 3);
}

static void *zeroed_product_overflows(void)
{
    /* Opaque to the compiler, which would warn about the size. */
    volatile size_t count = SIZE_MAX / 2;
    return fx_xcalloc(count, 3);
}

/* Whether allocate, in a process of its own, ends that process. */
static bool ends_the_process(void *(*allocate)(void))
{
    const pid_t child = fork();
    FX_CHECK(child >= 0);
    if (child == 0) {
        /* The end is expected here, so nobody is to report it. */
        signal(SIGABRT, SIG_DFL);
        const int null = open("/dev/null", O_WRONLY);
        if (null >= 0)
            dup2(null, STDERR_FILENO);
        void *volatile p = allocate();
        _exit(p ? 0 : 3);
    }
    int status;
    FX_CHECK_INT(waitpid(child, &status, 0), child);
    return !WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 3);
}

FX_TEST(overflow_ends_the_process)
{
    FX_CHECK(ends_the_process(product_overflows));
    FX_CHECK(ends_the_process(zeroed_product_overflows));
}
