/* Unit tests of scantxoutset and deriveaddresses in src/rpc/descriptors.c: what is under way, seen
 * from other calls. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/rpc/fakes.h"

#define RANGED                                                          \
    "wpkh(rfpu75x996tamikzktJXU7dD7kNa6aizWJtsmiWKcWraZLK6PS3kyZjWD68j" \
    "MkVnEP4NeCdkkW7Gm184oyMqEhj7sy7Y8PLB4afEaVmysfF3fbH"               \
    "/1/*)"
#define SCRIPT "raw(51)#8lvh9jxk" /* anyone can spend it */

static struct fx_rpc rpc;

/* One call, of scantxoutset where no other is named. */
struct asked {
    struct fx_rpc_call call;
    json_t *params, *result;
};

static void ask_for(struct asked *a, const char *name, const char *text)
{
    json_error_t where;
    memset(a, 0, sizeof(*a));
    a->call.rpc = &rpc;
    a->call.entry = fx_rpc_table_find(&rpc, name);
    a->params = json_loads(text, 0, &where);
    FX_CHECK(fx_rpc_call_bind(&a->call, a->params));
    a->result = a->call.entry->command->run(&a->call);
}

static void ask(struct asked *a, const char *text)
{
    ask_for(a, "scantxoutset", text);
}

static void end(struct asked *a)
{
    if (a->call.step_free) {
        a->call.step_free(a->call.step_ctx);
    }
    json_decref(a->call.result);
    json_decref(a->result);
    json_decref(a->params);
    free(a->call.message);
}

static int64_t found(const struct asked *a, const char *name)
{
    return json_integer_value(json_object_get(a->call.result, name));
}

FX_TEST(others_are_served_while_coins_are_scanned)
{
    struct asked scan, other;
    fx_fake_rpc_init(&rpc);
    fx_fakes.coins = UINT64_MAX;
    ask(&scan, "[\"start\", [\"" SCRIPT "\"]]");
    FX_CHECK(scan.call.step);
    FX_CHECK_INT(scan.call.step(&scan.call, scan.call.step_ctx), 0); /* it has not ended */

    ask(&other, "[\"status\"]");
    FX_CHECK(json_is_integer(json_object_get(other.result, "progress")));
    end(&other);
    ask(&other, "[\"start\", []]");
    FX_CHECK_INT(other.call.code, FX_RPC_PARAMETER);
    end(&other);
    ask(&other, "[\"abort\"]");
    FX_CHECK(json_is_true(other.result));
    end(&other);

    FX_CHECK_INT(scan.call.step(&scan.call, scan.call.step_ctx), FX_RPC_STEP_DONE);
    FX_CHECK(json_is_false(json_object_get(scan.call.result, "success")));
    FX_CHECK(found(&scan, "txouts") > 0);
    end(&scan);
    ask(&other, "[\"status\"]");
    FX_CHECK(json_is_null(other.result));
    end(&other);
    ask(&other, "[\"abort\"]");
    FX_CHECK(json_is_false(other.result));
    end(&other);
    fx_fake_rpc_clear(&rpc);
}

FX_TEST(a_scan_ends_with_the_coins)
{
    struct asked scan;
    fx_fake_rpc_init(&rpc);
    fx_fakes.coins = 3;
    ask(&scan, "[\"start\", [\"" SCRIPT "\"]]");
    FX_CHECK_INT(scan.call.step(&scan.call, scan.call.step_ctx), FX_RPC_STEP_DONE);
    FX_CHECK(json_is_true(json_object_get(scan.call.result, "success")));
    FX_CHECK_INT(found(&scan, "txouts"), 3);
    FX_CHECK_INT(json_array_size(json_object_get(scan.call.result, "unspents")), 3);
    end(&scan);
    FX_CHECK(!rpc.scan);

    fx_fakes.coins = 0;
    fx_fakes.coins_fail = true;
    ask(&scan, "[\"start\", [\"" SCRIPT "\"]]");
    FX_CHECK_INT(scan.call.step(&scan.call, scan.call.step_ctx), FX_RPC_STEP_DONE);
    FX_CHECK(scan.call.failed);
    end(&scan);
    fx_fake_rpc_clear(&rpc);
}

/* A million keys take far longer than a slice. */
FX_TEST(a_long_range_is_derived_in_slices)
{
    struct asked scan, other, info, derive;
    char text[512];
    fx_fake_rpc_init(&rpc);
    ask(&scan, "[\"start\", [{\"desc\": \"" RANGED "\", \"range\": 999999}]]");
    FX_CHECK(scan.call.step);
    for (unsigned i = 0; i < 3; i++) {
        FX_CHECK_INT(scan.call.step(&scan.call, scan.call.step_ctx), 0);
    }
    ask(&other, "[\"abort\"]");
    FX_CHECK(json_is_true(other.result));
    end(&other);
    FX_CHECK_INT(scan.call.step(&scan.call, scan.call.step_ctx), FX_RPC_STEP_DONE);
    FX_CHECK(json_is_false(json_object_get(scan.call.result, "success")));
    FX_CHECK_INT(found(&scan, "txouts"), 0);
    end(&scan);

    ask_for(&info, "getdescriptorinfo", "[\"" RANGED "\"]");
    snprintf(text, sizeof(text), "[\"%s\", 999999]",
             json_string_value(json_object_get(info.result, "descriptor")));
    ask_for(&derive, "deriveaddresses", text);
    FX_CHECK(derive.call.step);
    for (unsigned i = 0; i < 3; i++) {
        FX_CHECK_INT(derive.call.step(&derive.call, derive.call.step_ctx), 0);
    }
    end(&derive);
    end(&info);
    fx_fake_rpc_clear(&rpc);
}
