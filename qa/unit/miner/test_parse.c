/* The node's answers, good and bad. */
#include "src/miner/parse.h"

#include <string.h>

#include "qa/unit/harness.h"

#define ROOT "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char task_text[] =
    "{\"origin\":\"" ROOT ":1\",\"kind\":\"gemm\",\"status\":\"claimed\",\"escrow\":1.00000001,"
    "\"m\":384,\"n\":256,\"k\":512,\"root_a\":\"" ROOT "\",\"root_b\":\"" ROOT "\","
    "\"shape\":{\"row0\":1,\"col0\":0,\"rows\":2,\"cols\":2,\"depth\":2,\"tiles\":4,\"bricks\":8},"
    "\"operandshere\":true,"
    "\"claim\":{\"solver\":\"" ROOT "\",\"result\":\"" ROOT "\",\"burn\":0.5}}";

static json_t *load(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);

    FX_CHECK(json != NULL);
    return json;
}

FX_TEST(a_task)
{
    json_t *json = load(task_text);
    struct fx_miner_task task;

    FX_CHECK(fx_miner_task_parse(json, &task));
    FX_CHECK_INT(task.status, FX_MINER_TASK_CLAIMED);
    FX_CHECK_INT(task.kind, 1);
    FX_CHECK_INT(task.escrow, 100000001);
    FX_CHECK_INT(task.burn, 50000000);
    FX_CHECK_INT(task.shape.row0, 1);
    FX_CHECK_INT(task.shape.bricks, 8);
    FX_CHECK(task.operands_here);
    FX_CHECK_HEX(task.solver.b, ROOT);
    json_object_set_new(json, "kind", json_string("200"));
    FX_CHECK(fx_miner_task_parse(json, &task));
    FX_CHECK_INT(task.kind, 0);
    json_decref(json);
}

/* Each of these is wrong by itself. */
FX_TEST(tasks_that_make_no_sense)
{
    static const struct {
        const char *in, *name, *value;
    } cases[] = {
        {NULL, "origin", "7"},
        {NULL, "origin", "\"" ROOT ROOT "\""},
        {NULL, "status", "\"lost\""},
        {NULL, "escrow", "-1"},
        {NULL, "escrow", "1e300"},
        {NULL, "escrow", "\"1\""},
        {NULL, "root_a", "\"00\""},
        {NULL, "k", "768"},
        {NULL, "m", "256"},
        {NULL, "n", "-256"},
        {NULL, "m", "4294967296"},
        {"shape", "rows", "0"},
        {"shape", "rows", "3"},
        {"shape", "cols", "1"},
        {"shape", "depth", "1000000"},
        {"shape", "tiles", "5"},
        {"shape", "bricks", "9"},
        {"shape", "row0", "4294967295"},
        {"claim", "solver", "null"},
        {"claim", "burn", "null"},
    };

    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        json_t *json = load(task_text), *value = json_loads(cases[at].value, JSON_DECODE_ANY, NULL);
        json_t *in = cases[at].in ? json_object_get(json, cases[at].in) : json;
        struct fx_miner_task task;

        FX_CHECK(value != NULL);
        json_object_set_new(in, cases[at].name, value);
        if (fx_miner_task_parse(json, &task))
            FX_FAIL("%s = %s was taken", cases[at].name, cases[at].value);
        json_decref(json);
    }
}

FX_TEST(work)
{
    char text[1024], header[161];
    struct fx_miner_work work;
    json_t *json;

    memset(header, '0', 160);
    header[160] = 0;
    snprintf(text, sizeof text,
             "{\"workid\":5,\"lane\":\"job\",\"previousblockhash\":\"" ROOT "\",\"height\":9,"
             "\"header\":\"%s\",\"target\":\"7f"
             "%062d\",\"expectedwork\":2.0,\"subsidy\":10,"
             "\"fees\":0.1}",
             header, 0);
    json = load(text);
    FX_CHECK(fx_miner_work_parse(json, &work));
    FX_CHECK_INT(work.id, 5);
    FX_CHECK_INT(work.lane, FX_LANE_JOB);
    FX_CHECK_INT(work.height, 9);
    FX_CHECK_INT(work.target.b[31], 0x7f);
    FX_CHECK_INT(work.previous.b[0], 0xff); /* ids are shown reversed */
    FX_CHECK_INT(work.subsidy, 1000000000);
    FX_CHECK_INT(work.fees, 10000000);
    FX_CHECK_HEX(work.seed.b, "4be7570e8f70eb093640c8468274ba759745a7aa2b7d25ab1e0421b259845014");
    json_object_set_new(json, "header", json_string("00"));
    FX_CHECK(!fx_miner_work_parse(json, &work));
    json_decref(json);
    FX_CHECK(!fx_miner_work_parse(NULL, &work));
}

FX_TEST(chain)
{
    struct fx_miner_chain chain;
    json_t *json = load("{\"chain\":\"regtest\",\"blocks\":7,\"lanes\":["
                        "{\"lane\":\"hash\",\"expectedwork\":2},"
                        "{\"lane\":\"job\",\"expectedwork\":4.5}]}");

    FX_CHECK(fx_miner_chain_parse(json, &chain));
    FX_CHECK_STR(chain.name, "regtest");
    FX_CHECK_INT(chain.height, 7);
    FX_CHECK(chain.expected[FX_LANE_HASH] == 2 && chain.expected[FX_LANE_JOB] == 4.5);
    json_object_del(json, "chain");
    FX_CHECK(!fx_miner_chain_parse(json, &chain));
    json_decref(json);
}
