/* Unit tests of scantxoutset in src/rpc/descriptors.c: a scan under way, seen from other calls. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/rpc/fakes.h"

#define SCRIPT "raw(51)#8lvh9jxk" /* anyone can spend it */

static struct fx_rpc rpc;

/* One call of scantxoutset. */
struct asked {
    struct fx_rpc_call call;
    json_t *params, *result;
};

static void ask(struct asked *a, const char *text)
{
    json_error_t where;
    memset(a, 0, sizeof(*a));
    a->call.rpc = &rpc;
    a->call.entry = fx_rpc_table_find(&rpc, "scantxoutset");
    a->params = json_loads(text, 0, &where);
    FX_CHECK(fx_rpc_call_bind(&a->call, a->params));
    a->result = a->call.entry->command->run(&a->call);
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
