/* The shared library as another program sees it: the vectors through its calls, and bad arguments.
 */
#include "consensus/fornaxconsensus.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/consensus/job.h"
#include "qa/unit/harness.h"
#include "src/util/mem.h"

static int64_t number(json_t *entry, const char *name)
{
    json_t *value = json_object_get(entry, name);

    FX_CHECK(json_is_integer(value));
    return json_integer_value(value);
}

static const char *text(json_t *entry, const char *name)
{
    json_t *value = json_object_get(entry, name);

    FX_CHECK(json_is_string(value));
    return json_string_value(value);
}

FX_TEST(version)
{
    FX_CHECK_INT(fornaxconsensus_version(), FORNAXCONSENSUS_API_VERSION);
}

FX_TEST(tickets)
{
    json_t *data = fx_unit_data("brick.json"), *entry;
    json_t *list = json_object_get(data, "brick");
    size_t at;

    FX_CHECK(json_array_size(list) > 0);
    json_array_foreach(list, at, entry)
    {
        int8_t *a = fx_test_operand(text(entry, "a_label"), 128, 256);
        int8_t *b = fx_test_operand(text(entry, "b_label"), 128, 256);
        uint32_t i = (uint32_t)number(entry, "i"), j = (uint32_t)number(entry, "j");
        uint32_t l = (uint32_t)number(entry, "l");
        uint8_t seed[32], ticket[32] = {0}, untouched[32] = {0};

        FX_CHECK_INT(fx_unit_unhex(text(entry, "seed"), seed, 32), 32);
        FX_CHECK_INT(fornaxconsensus_brick_ticket(seed, a, b, i, j, l, ticket), 1);
        FX_CHECK_HEX(ticket, text(entry, "ticket"));
        memset(ticket, 0, 32);
        FX_CHECK_INT(fornaxconsensus_brick_ticket(NULL, a, b, i, j, l, ticket), 0);
        FX_CHECK_INT(fornaxconsensus_brick_ticket(seed, NULL, b, i, j, l, ticket), 0);
        FX_CHECK_INT(fornaxconsensus_brick_ticket(seed, a, NULL, i, j, l, ticket), 0);
        FX_CHECK_INT(fornaxconsensus_brick_ticket(seed, a, b, i, j, l, NULL), 0);
        b[9] = 64;
        FX_CHECK_INT(fornaxconsensus_brick_ticket(seed, a, b, i, j, l, ticket), 0);
        a[9] = -65;
        b[9] = 0;
        FX_CHECK_INT(fornaxconsensus_brick_ticket(seed, a, b, i, j, l, ticket), 0);
        FX_CHECK_MEM(ticket, untouched, 32);
        free(a);
        free(b);
    }
    json_decref(data);
}

FX_TEST(operand_roots)
{
    json_t *data = fx_unit_data("brick.json"), *entry;
    json_t *list = json_object_get(data, "operand_root");
    size_t at;

    FX_CHECK(json_array_size(list) > 0);
    json_array_foreach(list, at, entry)
    {
        uint64_t rows = (uint64_t)number(entry, "rows"), k = (uint64_t)number(entry, "k");
        int8_t *matrix = fx_test_operand(text(entry, "label"), rows, k);
        uint8_t root[32] = {0};

        FX_CHECK_INT(fornaxconsensus_operand_root(matrix, rows, k, root), 1);
        FX_CHECK_HEX(root, text(entry, "root"));
        free(matrix);
    }
    json_decref(data);
}

FX_TEST(bad_shapes)
{
    static const struct {
        uint64_t rows, columns;
    } bad[] = {
        {0, 256},
        {128, 0},
        {64, 256},
        {129, 256},
        {128, 300},
        {(UINT64_C(1) << 24) + 128, 256},
        {UINT64_MAX - 127, 256},
        {UINT64_C(1) << 32, 256},
    };
    int8_t *matrix = fx_test_operand("shape", 128, 256);
    int32_t *result = fx_xcalloc(128 * 256, sizeof(*result));
    uint8_t root[32] = {0}, solver[32] = {0}, untouched[32] = {0};

    for (size_t at = 0; at < sizeof(bad) / sizeof(*bad); at++) {
        FX_CHECK_INT(fornaxconsensus_operand_root(matrix, bad[at].rows, bad[at].columns, root), 0);
        FX_CHECK_INT(
            fornaxconsensus_result_root(result, bad[at].rows, bad[at].columns, solver, root), 0);
        FX_CHECK_INT(
            fornaxconsensus_result_root(result, bad[at].columns, bad[at].rows, solver, root), 0);
    }
    FX_CHECK_INT(fornaxconsensus_operand_root(matrix, 128, 65536 + 256, root), 0);
    FX_CHECK_INT(fornaxconsensus_operand_root(matrix, 128, 128, root), 0);
    FX_CHECK_INT(fornaxconsensus_operand_root(NULL, 128, 256, root), 0);
    FX_CHECK_INT(fornaxconsensus_operand_root(matrix, 128, 256, NULL), 0);
    FX_CHECK_INT(fornaxconsensus_result_root(NULL, 128, 128, solver, root), 0);
    FX_CHECK_INT(fornaxconsensus_result_root(result, 128, 128, NULL, root), 0);
    FX_CHECK_INT(fornaxconsensus_result_root(result, 128, 128, solver, NULL), 0);
    FX_CHECK_MEM(root, untouched, 32);
    free(matrix);
    free(result);
}

FX_TEST(result_roots)
{
    json_t *data = fx_unit_data("brick.json"), *entry;
    json_t *list = json_object_get(data, "result_root");
    size_t at;

    FX_CHECK(json_array_size(list) > 0);
    json_array_foreach(list, at, entry)
    {
        size_t m = (size_t)number(entry, "m"), n = (size_t)number(entry, "n");
        size_t k = (size_t)number(entry, "k");
        int8_t *a = fx_test_operand(text(entry, "a_label"), m, k);
        int8_t *b = fx_test_operand(text(entry, "b_transposed_label"), n, k);
        int32_t *c = fx_xcalloc(m * n, sizeof(*c));
        uint8_t solver[32], root[32];

        for (size_t r = 0; r < m; r++) {
            for (size_t col = 0; col < n; col++) {
                for (size_t x = 0; x < k; x++) {
                    c[r * n + col] += a[r * k + x] * b[col * k + x];
                }
            }
        }
        FX_CHECK_INT(fx_unit_unhex(text(entry, "solver"), solver, 32), 32);
        FX_CHECK_INT(fornaxconsensus_result_root(c, m, n, solver, root), 1);
        FX_CHECK_HEX(root, text(entry, "root"));
        free(a);
        free(b);
        free(c);
    }
    json_decref(data);
}

FX_TEST(required_nbits)
{
    json_t *data = fx_unit_data("lanes.json"), *entry;
    json_t *list = json_object_get(data, "required");
    size_t at;

    FX_CHECK(json_array_size(list) > 0);
    json_array_foreach(list, at, entry)
    {
        unsigned lane = strcmp(text(entry, "lane"), "hash") == 0 ? FORNAXCONSENSUS_LANE_HASH
                                                                 : FORNAXCONSENSUS_LANE_JOB;
        uint32_t previous = (uint32_t)strtoul(text(entry, "previous_nbits"), NULL, 16);
        uint32_t nbits = 0;

        FX_CHECK_INT(fornaxconsensus_required_nbits(lane, previous, number(entry, "base_time"),
                                                    number(entry, "parent_time"), &nbits),
                     1);
        FX_CHECK_INT(nbits, strtoul(text(entry, "nbits"), NULL, 16));
    }
    json_decref(data);
}

FX_TEST(bad_lanes_targets_and_times)
{
    uint32_t nbits = 77;
    int64_t now = 1700000000;

    FX_CHECK_INT(fornaxconsensus_required_nbits(2, 0x1d0fffff, now, now, &nbits), 0);
    FX_CHECK_INT(fornaxconsensus_required_nbits(0, 0x1d100001, now, now, &nbits), 0);
    FX_CHECK_INT(fornaxconsensus_required_nbits(1, 0x1f400001, now, now, &nbits), 0);
    FX_CHECK_INT(fornaxconsensus_required_nbits(0, 0, now, now, &nbits), 0);
    FX_CHECK_INT(fornaxconsensus_required_nbits(0, 0x1d800001, now, now, &nbits), 0);
    FX_CHECK_INT(fornaxconsensus_required_nbits(0, 0xff123456, now, now, &nbits), 0);
    FX_CHECK_INT(fornaxconsensus_required_nbits(0, 0x1d100000, now, now, NULL), 0);
    FX_CHECK_INT(nbits, 77);
}

FX_TEST(times_that_are_too_far_apart)
{
    static const int64_t far = INT64_C(1) << 46;
    static const struct {
        int64_t base, parent;
    } bad[] = {
        {0, far},
        {far, 0},
        {-1, far - 1},
        {far - 1, -1},
        {INT64_MIN, 0},
        {0, INT64_MIN},
        {-1, INT64_MAX},
        {INT64_MAX, -1},
        {INT64_MIN, INT64_MAX},
        {INT64_MAX, INT64_MIN},
        {INT64_MIN, INT64_MIN + far},
        {INT64_MAX, INT64_MAX - far},
    };
    static const int64_t bases[] = {0,
                                    -1,
                                    -1700000000,
                                    INT64_C(1) << 32,
                                    INT64_MIN + (INT64_C(1) << 46),
                                    INT64_MAX - (INT64_C(1) << 46)};
    uint32_t nbits = 77;

    for (size_t at = 0; at < sizeof(bad) / sizeof(*bad); at++) {
        FX_CHECK_INT(
            fornaxconsensus_required_nbits(0, 0x1d100000, bad[at].base, bad[at].parent, &nbits), 0);
    }
    FX_CHECK_INT(nbits, 77);
    /* Wherever they lie, their difference alone counts. */
    for (size_t at = 0; at < sizeof(bases) / sizeof(*bases); at++) {
        int64_t base = bases[at];

        FX_CHECK_INT(fornaxconsensus_required_nbits(0, 0x1c0fffff, base, base + far - 1, &nbits),
                     1);
        FX_CHECK_INT(nbits, 0x1d100000);
        FX_CHECK_INT(fornaxconsensus_required_nbits(0, 0x1c0fffff, base, base - far + 1, &nbits),
                     1);
        FX_CHECK_INT(nbits, 0x01010000);
        FX_CHECK_INT(fornaxconsensus_required_nbits(0, 0x1c0fffff, base, base + 240, &nbits), 1);
        FX_CHECK_INT(nbits, 0x1c0fffff);
    }
}
