/* Tests of large pieces of memory. */
#include "src/sys/pages.h"

#include <stdint.h>

#include "qa/unit/harness.h"

FX_TEST(zeroed_and_on_a_boundary)
{
    static const size_t sizes[] = {1, 4096, FX_PAGES_HUGE, FX_PAGES_HUGE + 1};

    for (size_t at = 0; at < sizeof sizes / sizeof *sizes; at++) {
        uint8_t *pages = fx_pages_map(sizes[at]);

        FX_CHECK_INT((uintptr_t)pages % FX_PAGES_HUGE, 0);
        FX_CHECK_INT(pages[0] | pages[sizes[at] - 1], 0);
        pages[0] = pages[sizes[at] - 1] = 1;
        fx_pages_unmap(pages, sizes[at]);
    }
}

/* Neighbours keep what they hold. */
FX_TEST(pieces_side_by_side)
{
    enum { N = 8 };
    uint8_t *pages[N];

    for (unsigned at = 0; at < N; at++) {
        pages[at] = fx_pages_map(FX_PAGES_HUGE);
        for (size_t i = 0; i < FX_PAGES_HUGE; i += 4096)
            pages[at][i] = (uint8_t)(at + 1);
    }
    for (unsigned at = 0; at < N; at += 2)
        fx_pages_unmap(pages[at], FX_PAGES_HUGE);
    for (unsigned at = 1; at < N; at += 2) {
        for (size_t i = 0; i < FX_PAGES_HUGE; i += 4096)
            FX_CHECK_INT(pages[at][i], at + 1);
        fx_pages_unmap(pages[at], FX_PAGES_HUGE);
    }
}
