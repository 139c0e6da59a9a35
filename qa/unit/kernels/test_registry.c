/* The table of backends, and the devices that each lists. */
#include "kernels/kernel.h"

#include <string.h>

#include "qa/unit/harness.h"

FX_TEST(backends_are_found_by_name)
{
    size_t n = 0;

    for (; fx_backends[n]; n++) {
        const struct fx_backend *backend = fx_backends[n];

        FX_CHECK(fx_backend_find(backend->name) == backend);
        FX_CHECK(backend->list && backend->open && backend->close && backend->runs_kind);
        FX_CHECK(backend->begin && backend->step && backend->stats && backend->save);
        FX_CHECK(backend->load && backend->end && backend->hash);
    }
    FX_CHECK(n > 0);
    FX_CHECK(fx_backend_find("cpu") == &fx_backend_cpu);
    FX_CHECK(fx_backend_find("") == NULL);
    FX_CHECK(fx_backend_find("CPU") == NULL);
}

FX_TEST(devices_say_what_they_are)
{
    struct fx_device_info found[16];

    for (size_t b = 0; fx_backends[b]; b++) {
        size_t n = fx_backends[b]->list(NULL, 0);

        if (n > 16)
            n = 16;
        memset(found, 0xee, sizeof found);
        fx_backends[b]->list(found, n);
        for (size_t at = 0; at < n; at++) {
            FX_CHECK_STR(found[at].backend, fx_backends[b]->name);
            FX_CHECK_INT(found[at].index, at);
            FX_CHECK(memchr(found[at].name, 0, FX_KERNEL_TEXT) != NULL && found[at].name[0]);
            FX_CHECK(found[at].usable || found[at].why[0]);
        }
    }
}

FX_TEST(a_device_that_is_not_there)
{
    for (size_t b = 0; fx_backends[b]; b++) {
        size_t n = fx_backends[b]->list(NULL, 0);
        char error[FX_KERNEL_TEXT] = "";

        FX_CHECK(fx_backends[b]->open((unsigned)n, error) == NULL);
        FX_CHECK(error[0] != 0);
    }
}

FX_TEST(the_cpu_runs_gemm)
{
    FX_CHECK(fx_backend_cpu.runs_kind(1));
    FX_CHECK(!fx_backend_cpu.runs_kind(0));
    FX_CHECK(!fx_backend_cpu.runs_kind(2));
}
