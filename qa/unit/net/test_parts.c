/* The small parts: addresses, rolling filters, token buckets, the orphan pool. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/net/fakes.h"
#include "src/net/limits_int.h"
#include "src/net/netaddr_int.h"
#include "src/net/orphans_int.h"
#include "src/net/permit_int.h"
#include "src/net/rate_int.h"
#include "src/net/rolling_int.h"

static bool permits(const char *text, const char *address)
{
    struct fx_permit permit;
    struct fx_netaddr addr;
    char *error = NULL;

    FX_CHECK(fx_permit_parse_list(text, &permit, &error));
    FX_CHECK(fx_netaddr_parse(address, 1, &addr));
    return fx_permit_covers(&permit, &addr);
}

FX_TEST(permissions_are_for_subnets)
{
    FX_CHECK(permits("1.2.3.4", "1.2.3.4"));
    FX_CHECK(!permits("1.2.3.4", "1.2.3.5"));
    FX_CHECK(permits("noban@1.2.3.0/24", "1.2.3.255"));
    FX_CHECK(!permits("noban@1.2.3.0/24", "1.2.4.0"));
    FX_CHECK(permits("1.2.3.128/25", "1.2.3.200"));
    FX_CHECK(!permits("1.2.3.128/25", "1.2.3.127"));
    FX_CHECK(permits("0.0.0.0/0", "200.1.1.1"));
    FX_CHECK(!permits("0.0.0.0/0", "::1"));
    FX_CHECK(permits("2001:db8::/33", "2001:db8:7fff::1"));
    FX_CHECK(!permits("2001:db8::/33", "2001:db8:8000::1"));
}

FX_TEST(permissions_by_name)
{
    static const char *const bad[] = {"oops@1.2.3.4",     "in,out@1.2.3.4", "noban@1.2.3.4:5",
                                      "noban@1.2.3.4/33", "1.2.3.4/",       "noban@",
                                      "noban@a.b"};
    const char *names[FX_NET_PERMISSIONS];
    struct fx_permit permit;
    char *error = NULL;

    FX_CHECK(fx_permit_parse_list("relay,,out,noban@1.2.3.4", &permit, &error));
    FX_CHECK(!permit.implicit && permit.out && !permit.in);
    FX_CHECK_INT(fx_permit_names(permit.flags, names), 3);
    FX_CHECK_STR(names[0], "noban");
    FX_CHECK_STR(names[1], "relay");
    FX_CHECK_STR(names[2], "download");
    FX_CHECK(fx_permit_parse_list("all@::1", &permit, &error));
    FX_CHECK_INT(fx_permit_names(permit.flags, names), 7);
    FX_CHECK(fx_permit_parse_list("@1.2.3.4", &permit, &error));
    FX_CHECK(!permit.implicit && permit.flags == 0 && permit.in);
    FX_CHECK(fx_permit_parse_list("1.2.3.4", &permit, &error) && permit.implicit);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        FX_CHECK(!fx_permit_parse_list(bad[i], &permit, &error));
        free(error);
    }
    FX_CHECK(fx_permit_parse_bind("noban@1.2.3.4:5", &permit, &error));
    FX_CHECK_INT(permit.addr.port, 5);
    FX_CHECK(!fx_permit_parse_bind("noban@1.2.3.4", &permit, &error));
    free(error);
    FX_CHECK(!fx_permit_parse_bind("noban,out@1.2.3.4:5", &permit, &error));
    free(error);
}

FX_TEST(address_text)
{
    static const struct {
        const char *in, *out;
    } good[] = {
        {"1.2.3.4", "1.2.3.4:9"},
        {"1.2.3.4:65535", "1.2.3.4:65535"},
        {"::1", "[::1]:9"},
        {"[2001:db8::5]", "[2001:db8::5]:9"},
        {"[2001:db8::5]:77", "[2001:db8::5]:77"},
        {"localhost:5", "127.0.0.1:5"},
        {"::ffff:1.2.3.4", "1.2.3.4:9"},
    };
    static const char *const bad[] = {
        "",           "1.2.3",          "1.2.3.4:",  "1.2.3.4:0",   "1.2.3.4:65536",
        "1.2.3.4:x",  "[::1",           "[::1]x",    "example.org", "[]",
        "1.2.3.4:-1", "1.2.3.4:000080", "[1:2:3]:4", "1.2.3.4.5:1", " 1.2.3.4",
    };
    char text[FX_NET_ADDRESS];
    char longest[200];
    struct fx_netaddr addr;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        FX_CHECK(fx_netaddr_parse(good[i].in, 9, &addr));
        fx_netaddr_format(&addr, text);
        FX_CHECK_STR(text, good[i].out);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (fx_netaddr_parse(bad[i], 9, &addr)) {
            FX_FAIL("\"%s\" was taken for an address", bad[i]);
        }
    }
    memset(longest, '1', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    FX_CHECK(!fx_netaddr_parse(longest, 9, &addr));
}

FX_TEST(host_names)
{
    static const char *const bad[] = {"",    "1.2.3",    "1.2.3.4:5", "host:",  "host:0",
                                      "::1", "host:1:2", "a host",    "host:x", "host:65536"};
    char host[FX_HOST_MAX + 1];
    char longest[FX_HOST_MAX + 2];
    uint16_t port;

    FX_CHECK(fx_netaddr_parse_name("Node-1.example.org", 9, host, &port));
    FX_CHECK_STR(host, "Node-1.example.org");
    FX_CHECK_INT(port, 9);
    FX_CHECK(fx_netaddr_parse_name("node:65535", 9, host, &port));
    FX_CHECK_STR(host, "node");
    FX_CHECK_INT(port, 65535);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (fx_netaddr_parse_name(bad[i], 9, host, &port)) {
            FX_FAIL("\"%s\" was taken for a name", bad[i]);
        }
    }
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    FX_CHECK(!fx_netaddr_parse_name(longest, 9, host, &port));
}

static struct fx_netaddr parse(const char *text)
{
    struct fx_netaddr addr;

    FX_CHECK(fx_netaddr_parse(text, 9, &addr));
    return addr;
}

FX_TEST(address_kinds)
{
    static const char *const private[] = {
        "10.1.2.3", "192.168.0.1", "172.16.0.1", "127.0.0.1", "169.254.1.1", "224.0.0.1",
        "0.0.0.0",  "100.64.0.1",  "::1",        "fe80::1",   "fc00::1",     "2001:db8::1"};
    static const char *const public[] = {"8.8.8.8", "172.32.0.1", "100.128.0.1", "2a00:1450::1"};
    struct fx_netaddr a = parse("1.2.3.4:5");
    struct fx_netaddr b = parse("1.2.200.4:6");

    for (size_t i = 0; i < sizeof private / sizeof private[0]; i++) {
        struct fx_netaddr addr = parse(private[i]);

        FX_CHECK(!fx_netaddr_is_routable(&addr));
    }
    for (size_t i = 0; i < sizeof public / sizeof public[0]; i++) {
        struct fx_netaddr addr = parse(public[i]);

        FX_CHECK(fx_netaddr_is_routable(&addr));
        addr.port = 0;
        FX_CHECK(!fx_netaddr_is_routable(&addr));
    }
    FX_CHECK(fx_netaddr_group(&a) == fx_netaddr_group(&b));
    b = parse("1.3.3.4:5");
    FX_CHECK(fx_netaddr_group(&a) != fx_netaddr_group(&b));
    a = parse("127.0.0.1:5");
    b = parse("127.0.0.1:6");
    FX_CHECK(fx_netaddr_group(&a) != fx_netaddr_group(&b));
}

FX_TEST(rolling_filter_forgets)
{
    struct fx_rolling *set = fx_rolling_create(1000);
    size_t wrong = 0;
    size_t remembered = 0;

    for (uint32_t i = 0; i < 5000; i++) {
        struct fx_hash hash = fake_hash(i);

        fx_rolling_add(set, &hash);
        FX_CHECK(fx_rolling_has(set, &hash));
        if (i >= 999) {
            hash = fake_hash(i - 999);
            FX_CHECK(fx_rolling_has(set, &hash));
        }
    }
    for (uint32_t i = 0; i < 5000; i++) {
        struct fx_hash old = fake_hash(i);
        struct fx_hash never = fake_hash(i + 1000000);

        remembered += fx_rolling_has(set, &old) ? 1 : 0;
        wrong += fx_rolling_has(set, &never) ? 1 : 0;
    }
    FX_CHECK(remembered >= 1000 && remembered <= 2010);
    FX_CHECK(wrong <= 2);
    fx_rolling_clear(set);
    for (uint32_t i = 0; i < 5000; i++) {
        struct fx_hash old = fake_hash(i);

        FX_CHECK(!fx_rolling_has(set, &old));
    }
    fx_rolling_destroy(set);
}

FX_TEST(token_bucket)
{
    struct fx_rate rate;

    fx_rate_init(&rate, 10, 20, 1000);
    for (unsigned i = 0; i < 20; i++) {
        FX_CHECK(fx_rate_take(&rate, 1, 1000));
    }
    FX_CHECK(!fx_rate_take(&rate, 1, 1000));
    FX_CHECK(!fx_rate_take(&rate, 1, 1099));
    FX_CHECK(fx_rate_take(&rate, 1, 1100));
    FX_CHECK(!fx_rate_take(&rate, 1, 1100));
    /* Back in time gives nothing, and a long time no more than the burst. */
    FX_CHECK(!fx_rate_take(&rate, 1, 0));
    FX_CHECK(fx_rate_take(&rate, 20, INT64_MAX / 2));
    FX_CHECK(!fx_rate_take(&rate, 1, INT64_MAX / 2));
}

FX_TEST(orphans_are_bounded)
{
    struct fx_orphans *orphans = fx_orphans_create();
    struct fx_hash parent = fake_hash(1);
    uint64_t peer = 0;
    size_t n = 0;

    for (uint32_t i = 0; i < 3 * FX_ORPHANS_MAX; i++) {
        struct fx_hash of = fake_hash(i % 2);
        struct fx_tx *tx = fake_tx(&of, 2, i);

        FX_CHECK(fx_orphans_add(orphans, tx, i % 3, 0));
        FX_CHECK(!fx_orphans_add(orphans, tx, i % 3, 0));
        FX_CHECK(fx_orphans_has(orphans, &tx->wtxid));
        FX_CHECK(fx_orphans_count(orphans) <= FX_ORPHANS_MAX);
        fx_tx_unref(tx);
    }
    FX_CHECK_INT(fx_orphans_count(orphans), FX_ORPHANS_MAX);
    for (;;) {
        const struct fx_tx *child = fx_orphans_take_child(orphans, &parent, &peer);

        if (child == NULL) {
            break;
        }
        n++;
        FX_CHECK(fx_hash_equal(&child->in[0].prevout.txid, &parent));
        fx_tx_unref(child);
    }
    FX_CHECK_INT(fx_orphans_count(orphans), FX_ORPHANS_MAX - n);
    FX_CHECK(n > 0 && n < FX_ORPHANS_MAX);
    fx_orphans_peer_gone(orphans, 0);
    fx_orphans_expire(orphans, FX_ORPHAN_S * 1000 - 1);
    FX_CHECK(fx_orphans_count(orphans) > 0);
    fx_orphans_expire(orphans, FX_ORPHAN_S * 1000);
    FX_CHECK_INT(fx_orphans_count(orphans), 0);
    fx_orphans_destroy(orphans);
}

FX_TEST(orphans_leave_with_their_inputs)
{
    struct fx_orphans *orphans = fx_orphans_create();
    struct fx_hash of = fake_hash(1);
    struct fx_hash other = fake_hash(2);
    struct fx_tx *a = fake_tx(&of, 2, 1);
    struct fx_tx *rival = fake_tx(&of, 2, 2);
    struct fx_tx *b = fake_tx(&other, 2, 3);

    FX_CHECK(fx_orphans_add(orphans, a, 1, 0) && fx_orphans_add(orphans, b, 1, 0));
    fx_orphans_confirmed(orphans, rival);
    FX_CHECK(!fx_orphans_has(orphans, &a->wtxid) && fx_orphans_has(orphans, &b->wtxid));
    fx_orphans_confirmed(orphans, b);
    FX_CHECK_INT(fx_orphans_count(orphans), 0);
    fx_tx_unref(a);
    fx_tx_unref(b);
    fx_tx_unref(rival);
    fx_orphans_destroy(orphans);
}
