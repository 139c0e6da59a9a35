/* src/sys/resolve: what is a name, and look-ups that need no network. */
#include "src/sys/resolve.h"

#include <netinet/in.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "src/sys/clock.h"

FX_TEST(names)
{
    static const char *const good[] = {"localhost", "node-1.example.org", "x", "a_b", "10.0.0.1.x"};
    static const char *const bad[] = {"", "127.0.0.1", "1.2.3", "::1", "a b", "a/b", "a:1", "[x]"};
    char text[FX_HOST_MAX + 2];

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        FX_CHECK(fx_host_is_name(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        FX_CHECK(!fx_host_is_name(bad[i]));
    }
    memset(text, 'a', sizeof text);
    text[FX_HOST_MAX + 1] = '\0';
    FX_CHECK(!fx_host_is_name(text));
    text[FX_HOST_MAX] = '\0';
    FX_CHECK(fx_host_is_name(text));
}

static size_t look_up(const char *host, struct sockaddr_storage list[FX_HOST_ADDRESSES])
{
    struct fx_resolve *lookup = fx_resolve_start(host);
    const char *error;
    size_t n;

    FX_CHECK(lookup);
    while (!fx_resolve_done(lookup, list, &n, &error)) {
        fx_clock_sleep_ms(1);
    }
    FX_CHECK(n > 0 || error[0] != '\0');
    fx_resolve_drop(lookup);
    return n;
}

FX_TEST(lookups)
{
    struct sockaddr_storage list[FX_HOST_ADDRESSES];

    /* Found without /etc/hosts or DNS, which a bare system lacks. */
    FX_CHECK(look_up("0x7F.1", list) > 0);
    FX_CHECK_INT(list[0].ss_family, AF_INET);
    FX_CHECK_INT(look_up("a..b", list), 0); /* no name that DNS could be asked for */
    fx_resolve_drop(fx_resolve_start("localhost"));
    fx_resolve_drop(NULL);
}
