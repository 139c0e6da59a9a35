/* Random bytes from the system. */
#include "src/sys/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/types.h>

void fx_random_bytes(void *out, size_t n)
{
    uint8_t *p = out;

    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);

        if (got < 0) {
            if (errno == EINTR) {
                continue;
            }
            perror("getrandom");
            abort();
        }
        p += got;
        n -= (size_t)got;
    }
}

uint64_t fx_random_u64(void)
{
    uint64_t v;

    fx_random_bytes(&v, sizeof(v));
    return v;
}

uint64_t fx_random_below(uint64_t bound)
{
    /* 2^64 mod bound values at the low end would make the others rarer: they are drawn again. */
    uint64_t threshold = (0 - bound) % bound;
    uint64_t v;

    do {
        v = fx_random_u64();
    } while (v < threshold);
    return v % bound;
}
