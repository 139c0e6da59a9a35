/* Unit tests of src/rpc/auth.c: credentials and subnets. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/rpc/fakes.h"

static char *credentials[] = {(char[]){"__cookie__:abc"}, (char[]){"user:pass:word"}};
/* HMAC-SHA256 of "a pass:word" as Python's hmac has it. */
static char *salted[] = {
    (char[]){"rt:93648e835a54c573c2eb19f882535$ca40d6a6fe294e05001585fa0096f23c"
             "78291cab6afdd54df3d12eb71e4a8394"}};

static const struct fx_rpc rpc = {
    .credentials = credentials, .n_credentials = 2, .auth = salted, .n_auth = 1};

FX_TEST(cookies_and_passwords)
{
    FX_CHECK(fx_rpc_auth_check(&rpc, "Basic X19jb29raWVfXzphYmM="));
    FX_CHECK(fx_rpc_auth_check(&rpc, "basic  X19jb29raWVfXzphYmM="));
    FX_CHECK(fx_rpc_auth_check(&rpc, "Basic dXNlcjpwYXNzOndvcmQ="));
    FX_CHECK(!fx_rpc_auth_check(&rpc, "Basic X19jb29raWVfXzphYmQ="));
    FX_CHECK(!fx_rpc_auth_check(&rpc, "Basic X19jb29raWVfXzphYg=="));
    FX_CHECK(!fx_rpc_auth_check(&rpc, "Basic "));
    FX_CHECK(!fx_rpc_auth_check(&rpc, "Basic X1\x01"));
    FX_CHECK(!fx_rpc_auth_check(&rpc, "Bearer X19jb29raWVfXzphYmM="));
    FX_CHECK(!fx_rpc_auth_check(&rpc, ""));
    FX_CHECK(!fx_rpc_auth_check(&rpc, NULL));
}

FX_TEST(salted_passwords)
{
    /* rt:a pass:word */
    FX_CHECK(fx_rpc_auth_check(&rpc, "Basic cnQ6YSBwYXNzOndvcmQ="));
    /* The same password of another user, and another password. */
    FX_CHECK(!fx_rpc_auth_check(&rpc, "Basic cnU6YSBwYXNzOndvcmQ="));
    FX_CHECK(!fx_rpc_auth_check(&rpc, "Basic cnQ6YSBwYXNzOndvcmU="));
}

static bool within(const char *net, const char *address)
{
    struct fx_rpc_subnet subnet;
    FX_CHECK(fx_rpc_subnet_parse(net, &subnet));
    return fx_rpc_subnet_has(&subnet, address);
}

FX_TEST(subnets)
{
    FX_CHECK(within("10.0.0.0/8", "10.1.2.3"));
    FX_CHECK(within("10.0.0.0/8", "::ffff:10.1.2.3"));
    FX_CHECK(!within("10.0.0.0/8", "11.1.2.3"));
    FX_CHECK(within("1.2.3.4", "1.2.3.4"));
    FX_CHECK(!within("1.2.3.4", "1.2.3.5"));
    FX_CHECK(within("0.0.0.0/0", "9.9.9.9"));
    FX_CHECK(!within("0.0.0.0/0", "2001:db8::1"));
    FX_CHECK(within("2001:db8::/32", "2001:db8:1::1"));
    FX_CHECK(!within("2001:db8::/32", "2001:db9::1"));
    struct fx_rpc_subnet subnet;
    FX_CHECK(!fx_rpc_subnet_parse("10.0.0.0/33", &subnet));
    FX_CHECK(!fx_rpc_subnet_parse("10.0.0.0/", &subnet));
    FX_CHECK(!fx_rpc_subnet_parse("10.0.0.0/8x", &subnet));
    FX_CHECK(!fx_rpc_subnet_parse("localhost", &subnet));
}
