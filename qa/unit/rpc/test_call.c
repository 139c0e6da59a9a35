/* Unit tests of src/rpc/call.c and of the table: arguments by position and name, and their types.
 */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/rpc/fakes.h"

static struct fx_rpc rpc;
static struct fx_rpc_call call;
static json_t *params;

/* Binds the arguments of a command; 0, or the error's code. The values live until call_end. */
static int bind_to(const char *method, const char *text)
{
    json_error_t where;
    memset(&call, 0, sizeof(call));
    call.rpc = &rpc;
    call.entry = fx_rpc_table_find(&rpc, method);
    FX_CHECK(call.entry);
    params = json_loads(text, 0, &where);
    FX_CHECK(params);
    bool ok = fx_rpc_call_bind(&call, params);
    FX_CHECK(ok == !call.failed);
    return call.code;
}

static void call_end(void)
{
    free(call.message);
    json_decref(params);
}

static void check_code(const char *method, const char *text, int code, const char *message)
{
    int got = bind_to(method, text);
    if (got != code || (message && !(call.message && strstr(call.message, message)))) {
        FX_FAIL("%s %s: %d %s", method, text, got, call.message ? call.message : "");
    }
    call_end();
}

FX_TEST(every_description_parses_and_is_complete)
{
    fx_fake_rpc_init(&rpc);
    FX_CHECK(rpc.n_entries > 60);
    for (size_t i = 0; i < rpc.n_entries; i++) {
        const struct fx_rpc_command *c = rpc.entries[i].command;
        if (!c->text || !c->result || !c->run || c->text[strlen(c->text) - 1] != '.') {
            FX_FAIL("%s: text, result or handler is missing", c->name);
        }
        if (fx_rpc_table_find(&rpc, c->name) != &rpc.entries[i]) {
            FX_FAIL("%s is there twice", c->name);
        }
        bool optional = false;
        for (size_t a = 0; a < rpc.entries[i].args->n_in; a++) {
            const struct fx_schema *arg = &rpc.entries[i].args->in[a];
            if (optional && !arg->optional) {
                FX_FAIL("%s: %s is required after an optional argument", c->name, arg->key);
            }
            optional = arg->optional;
        }
    }
    fx_fake_rpc_clear(&rpc);
}

FX_TEST(by_position)
{
    fx_fake_rpc_init(&rpc);
    FX_CHECK_INT(bind_to("gettxout", "[\"00\", 3]"), 0);
    FX_CHECK_STR(json_string_value(call.args[0]), "00");
    FX_CHECK_INT(json_integer_value(call.args[1]), 3);
    FX_CHECK(!call.args[2]);
    call_end();
    FX_CHECK_INT(bind_to("gettxout", "[\"00\", 3, null]"), 0);
    FX_CHECK(!call.args[2]);
    call_end();
    check_code("getblockcount", "[1]", -1, "getblockcount\n\nReturns the height");
    check_code("gettxout", "[\"00\"]", -1, "Arguments:\n1. \"txid\"");
    check_code("gettxout", "[null, 3]", -3, "type null is not of expected type string");
    fx_fake_rpc_clear(&rpc);
}

FX_TEST(by_name)
{
    fx_fake_rpc_init(&rpc);
    FX_CHECK_INT(bind_to("gettxout", "{\"n\": 3, \"txid\": \"00\", \"include_mempool\": false}"),
                 0);
    FX_CHECK_INT(json_integer_value(call.args[1]), 3);
    FX_CHECK(json_is_false(call.args[2]));
    call_end();
    FX_CHECK_INT(bind_to("gettxout", "{\"args\": [\"00\"], \"n\": 1}"), 0);
    FX_CHECK_STR(json_string_value(call.args[0]), "00");
    call_end();
    check_code("gettxout", "{\"n\": 3, \"txid\": \"00\", \"x\": 1}", -8,
               "Unknown named parameter x");
    check_code("gettxout", "{\"args\": [\"00\", 1], \"n\": 1}", -8, "Parameter n specified twice");
    check_code("gettxout", "{\"n\": 3}", -1, NULL);
    check_code("gettxout", "{\"n\": null, \"txid\": 1}", -3, NULL);
    bind_to("getblock", "{\"verbose\": false, \"blockhash\": \"00\"}"); /* an older name */
    FX_CHECK(json_is_false(call.args[1]));
    call_end();
    bind_to("echo", "{\"arg3\": null}");
    FX_CHECK_INT(call.n_args, 4);
    call_end();
    fx_fake_rpc_clear(&rpc);
}

FX_TEST(wrong_types)
{
    fx_fake_rpc_init(&rpc);
    check_code("gettxout", "[1, \"a\"]", -3,
               "\"Position 1 (txid)\": \"JSON value of type number is not of expected type "
               "string\",\n    \"Position 2 (n)\": \"JSON value of type string is not of expected "
               "type number\"");
    check_code("getblock", "[\"00\", \"1\"]", -3, "expected type number or bool");
    check_code("getblockhash", "[1.5]", -3, NULL);
    check_code("getblocktemplate", "[{\"rules\": [1]}]", -3,
               "JSON value of type number is not of expected type string");
    check_code("getblocktemplate", "[{\"rules\": [], \"zz\": 1}]", -3, "Unexpected key zz");
    check_code("gettxspendingprevout", "[[{\"vout\": 0}]]", -3, "Missing txid");
    FX_CHECK_INT(bind_to("sendtoaddress", "[\"a\", 1]"), 0);
    call_end();
    FX_CHECK_INT(bind_to("sendtoaddress", "[\"a\", \"0.1\"]"), 0);
    call_end();
    check_code("sendtoaddress", "[\"a\", true]", -3, NULL);
    fx_fake_rpc_clear(&rpc);
}
