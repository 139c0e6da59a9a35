/* Unit tests of src/rpc/values.c: amounts, hashes, addresses, and the text of results. */
#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"
#include "qa/unit/rpc/fakes.h"
#include "src/keys/address.h"

static struct fx_rpc rpc;
static struct fx_rpc_call call;

static void call_begin(void)
{
    free(call.message);
    memset(&call, 0, sizeof(call));
    fx_fakes_reset();
    rpc.config.params = fx_params_get(FX_REGTEST);
    call.rpc = &rpc;
}

static json_t *json_of(const char *text)
{
    json_error_t where;
    return json_loads(text, JSON_DECODE_ANY, &where);
}

/* The amount, or the error's code. */
static int64_t amount_of(const char *text)
{
    int64_t amount = 0;
    json_t *value = json_of(text);
    call_begin();
    bool ok = fx_rpc_arg_amount(&call, value, "amount", &amount);
    json_decref(value);
    return ok ? amount : call.code;
}

FX_TEST(amounts)
{
    FX_CHECK_INT(amount_of("0.1"), 10000000);
    FX_CHECK_INT(amount_of("1"), 100000000);
    FX_CHECK_INT(amount_of("\"1.00000001\""), 100000001);
    FX_CHECK_INT(amount_of("1e-8"), 1);
    FX_CHECK_INT(amount_of("42047999.99999999"), INT64_C(4204799999999999));
    FX_CHECK_INT(amount_of("0.123456789"), -3);
    FX_CHECK_INT(amount_of("-1"), -3);
    FX_CHECK_INT(amount_of("-0.5"), -3);
    FX_CHECK_INT(amount_of("42048001"), -3);
    FX_CHECK_INT(amount_of("1e300"), -3);
    FX_CHECK_INT(amount_of("\"1e3\""), -3);
    FX_CHECK_INT(amount_of("\"\""), -3);
    FX_CHECK_INT(amount_of("true"), -3);
}

static void check_text(json_t *value, const char *text)
{
    struct fx_buf out = FX_BUF_INIT;
    fx_json_write(value, &out);
    FX_CHECK_STR((const char *)out.data, text);
    fx_buf_clear(&out);
    json_decref(value);
}

FX_TEST(amounts_have_eight_places)
{
    check_text(fx_json_amount(1), "0.00000001");
    check_text(fx_json_amount(10000000), "0.10000000");
    check_text(fx_json_amount(INT64_C(4204799999999999)), "42047999.99999999");
    check_text(fx_json_amount(-5), "-0.00000005");
    check_text(fx_json_amount(0), "0.00000000");
    check_text(json_real(4.656542373906925e-10), "4.656542373906925e-10");
}

FX_TEST(every_amount_reads_back)
{
    for (unsigned i = 0; i < fx_unit_rounds(20000); i++) {
        struct fx_buf out = FX_BUF_INIT;
        json_t *value = fx_json_amount((int64_t)fx_unit_rand_below(UINT64_C(4204800000000000)));
        fx_json_write(value, &out);
        FX_CHECK(strchr((const char *)out.data, '.') &&
                 strlen(strchr((const char *)out.data, '.')) == 9);
        FX_CHECK(strtod((const char *)out.data, NULL) == json_real_value(value));
        json_decref(value);
        fx_buf_clear(&out);
    }
}

FX_TEST(texts_are_escaped)
{
    check_text(json_string("a\"b\\c\n\x01\xc3\xa9"), "\"a\\\"b\\\\c\\n\\u0001\xc3\xa9\"");
    check_text(json_pack("{s: [i, b, n], s: {}}", "a", 1, 1, "b"),
               "{\"a\":[1,true,null],\"b\":{}}");
}

FX_TEST(hashes_and_origins)
{
    struct fx_hash h;
    struct fx_outpoint o;
    json_t *value = json_of("\"abc\"");
    call_begin();
    FX_CHECK(!fx_rpc_arg_hash(&call, value, "blockhash", &h));
    FX_CHECK_INT(call.code, -8);
    FX_CHECK_STR(call.message, "blockhash must be of length 64 (not 3, for 'abc')");
    json_decref(value);
    value = json_sprintf("%064d:7", 1);
    call_begin();
    FX_CHECK(fx_rpc_arg_origin(&call, value, &o));
    FX_CHECK_INT(o.index, 7);
    FX_CHECK_INT(o.txid.b[0], 1);
    json_t *back = fx_json_outpoint(&o);
    FX_CHECK(json_equal(value, back));
    json_decref(back);
    json_decref(value);
    static const char *const bad[] = {"", ":", "0:1", "4294967296", "x"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        value = i < 3 ? json_string(bad[i]) : json_sprintf("%064d:%s", 1, bad[i]);
        call_begin();
        FX_CHECK(!fx_rpc_arg_origin(&call, value, &o));
        FX_CHECK_INT(call.code, -8);
        json_decref(value);
    }
}

static int address_code(const char *address, struct fx_buf *script)
{
    json_t *value = json_string(address);
    call_begin();
    script->len = 0;
    bool ok = fx_rpc_arg_address(&call, value, script);
    json_decref(value);
    return ok ? 0 : call.code;
}

FX_TEST(addresses_that_can_be_spent)
{
    struct fx_buf script = FX_BUF_INIT;
    char address[FX_ADDRESS_MAX];
    uint8_t taproot[34] = {0x51, 32}, task[34] = {0x52, 32}, pkh[22] = {0x00, 20};
    uint8_t legacy[25] = {0x76, 0xa9, 20};
    legacy[23] = 0x88;
    legacy[24] = 0xac;
    const struct fx_params *params = fx_params_get(FX_REGTEST);
    FX_CHECK(fx_address_encode(params, (struct fx_span){taproot, 34}, address));
    FX_CHECK(strncmp(address, "fxrt1p", 6) == 0);
    FX_CHECK_INT(address_code(address, &script), 0);
    FX_CHECK_MEM(script.data, taproot, 34);
    FX_CHECK(fx_address_encode(params, (struct fx_span){pkh, 22}, address));
    FX_CHECK_INT(address_code(address, &script), 0);
    FX_CHECK_MEM(script.data, pkh, 22);
    /* What nobody could spend is refused. */
    FX_CHECK(fx_address_encode(params, (struct fx_span){task, 34}, address));
    FX_CHECK_INT(address_code(address, &script), -5);
    FX_CHECK(fx_address_encode(params, (struct fx_span){legacy, 25}, address));
    FX_CHECK_INT(address_code(address, &script), -5);
    FX_CHECK(strstr(call.message, "could not be spent"));
    FX_CHECK(fx_address_encode(fx_params_get(FX_MAIN), (struct fx_span){taproot, 34}, address));
    FX_CHECK_INT(address_code(address, &script), -5);
    FX_CHECK_INT(address_code("", &script), -5);
    fx_buf_clear(&script);
}

FX_TEST(depth_in_work)
{
    call_begin();
    FX_CHECK_INT(fx_rpc_workdepth(&rpc, &fx_fakes.blocks[2]), 1);
    FX_CHECK_INT(fx_rpc_workdepth(&rpc, &fx_fakes.blocks[0]), 3);
    FX_CHECK_INT(fx_rpc_confirmations(&rpc, &fx_fakes.blocks[0]), 3);
    /* A heavy block among light ones: depth in work falls behind depth in blocks. */
    fx_fakes.blocks[1].work = fx_u256_from_u64(100);
    fx_fakes.blocks[2].work = fx_u256_from_u64(102);
    fx_fakes.blocks[2].id.b[1] ^= 1;
    FX_CHECK_INT(fx_rpc_workdepth(&rpc, &fx_fakes.blocks[1]), 1);
    FX_CHECK_INT(fx_rpc_workdepth(&rpc, &fx_fakes.blocks[0]), 2);
    struct fx_index other = {0};
    FX_CHECK_INT(fx_rpc_workdepth(&rpc, &other), -1);
    rpc.depth_known = false;
}

FX_TEST(difficulty)
{
    FX_CHECK(fx_difficulty(FX_LANE_HASH, 0x1d00ffff) == 1.0);
    FX_CHECK(fx_difficulty(FX_LANE_JOB, 0x1f400000) > 0.999 &&
             fx_difficulty(FX_LANE_JOB, 0x1f400000) < 1.001);
    FX_CHECK(fx_difficulty(FX_LANE_HASH, 0) == 0);
}
