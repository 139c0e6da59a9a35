/* Lanes: required targets, work, subsidies. */
#include "consensus/lane.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/harness.h"

static uint32_t nbits_of(const json_t *entry, const char *field)
{
    return (uint32_t)strtoul(json_string_value(json_object_get(entry, field)), NULL, 16);
}

/* A decimal number of any length. */
static struct fx_u256 decimal(const json_t *entry, const char *field)
{
    struct fx_u256 n = fx_u256_zero;

    for (const char *s = json_string_value(json_object_get(entry, field)); *s != '\0'; s++) {
        struct fx_u256 digit = fx_u256_from_u64((uint64_t)(*s - '0'));

        FX_CHECK(!fx_u256_mul64(&n, 10, &n));
        FX_CHECK(!fx_u256_add(&n, &digit, &n));
    }
    return n;
}

FX_TEST(required_targets_of_the_vectors)
{
    json_t *data = fx_unit_data("lanes.json");
    const struct fx_params *params = fx_params_find("main");
    size_t at;
    json_t *entry;

    json_array_foreach(json_object_get(data, "required"), at, entry)
    {
        const char *lane = json_string_value(json_object_get(entry, "lane"));
        uint32_t nbits =
            fx_lane_required(params, strcmp(lane, "job") == 0 ? FX_LANE_JOB : FX_LANE_HASH,
                             nbits_of(entry, "previous_nbits"),
                             json_integer_value(json_object_get(entry, "base_time")),
                             json_integer_value(json_object_get(entry, "parent_time")));

        FX_CHECK_INT(nbits, nbits_of(entry, "nbits"));
    }
    FX_CHECK(at > 100);
    json_decref(data);
}

FX_TEST(shares_and_work_of_the_vectors)
{
    json_t *data = fx_unit_data("lanes.json");
    size_t at;
    json_t *entry;

    json_array_foreach(json_object_get(data, "work"), at, entry)
    {
        const struct fx_params *params =
            fx_params_find(json_string_value(json_object_get(entry, "network")));
        uint32_t nbits[FX_LANES] = {nbits_of(entry, "hash_nbits"), nbits_of(entry, "job_nbits")};
        struct fx_u256 share[FX_LANES], added, expected;

        fx_lane_shares(params, nbits, share);
        expected = decimal(entry, "w_hash");
        FX_CHECK(fx_u256_cmp(&share[FX_LANE_HASH], &expected) == 0);
        expected = decimal(entry, "w_job");
        FX_CHECK(fx_u256_cmp(&share[FX_LANE_JOB], &expected) == 0);
        added = fx_lane_work_added(params, FX_LANE_HASH, nbits);
        expected = decimal(entry, "hash_block_adds");
        FX_CHECK(fx_u256_cmp(&added, &expected) == 0);
        added = fx_lane_work_added(params, FX_LANE_JOB, nbits);
        expected = decimal(entry, "job_block_adds");
        FX_CHECK(fx_u256_cmp(&added, &expected) == 0);
    }
    FX_CHECK(at > 40);
    json_decref(data);
}

/* From Bitcoin Core's arith_uint256 tests: compact, the bytes of the target, compact again. */
FX_TEST(compact_targets)
{
    static const struct {
        uint32_t nbits;
        bool good;
        uint64_t low; /* of the target where it fits */
        uint32_t again;
    } cases[] = {
        {0x00000000, false, 0, 0},
        {0x00123456, false, 0, 0},
        {0x01003456, false, 0, 0},
        {0x02000056, false, 0, 0},
        {0x03000000, false, 0, 0},
        {0x04000000, false, 0, 0},
        {0x00923456, false, 0, 0},
        {0x01803456, false, 0, 0},
        {0x01123456, true, 0x12, 0x01120000},
        {0x02123456, true, 0x1234, 0x02123400},
        {0x03123456, true, 0x123456, 0x03123456},
        {0x04123456, true, 0x12345600, 0x04123456},
        {0x05009234, true, 0x92340000, 0x05009234},
        {0x04923456, false, 0, 0},
        {0x01fedcba, false, 0, 0},
        {0xff123456, false, 0, 0},
        {0x20123456, true, 0, 0x20123456},
        {0x21123456, false, 0, 0},
        {0x21001234, true, 0, 0x20123400},
        {0x22000012, true, 0, 0x20120000},
        {0x22000112, false, 0, 0},
        {0x23000001, false, 0, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fx_u256 target;

        FX_CHECK_INT(fx_nbits_decode(cases[i].nbits, &target), cases[i].good);
        if (cases[i].good) {
            FX_CHECK_INT(fx_nbits_encode(&target), cases[i].again);
            if (cases[i].low != 0) {
                FX_CHECK_INT(target.w[0], cases[i].low);
            }
        }
    }
    {
        struct fx_u256 target = fx_u256_from_u64(0x80);

        FX_CHECK_INT(fx_nbits_encode(&target), 0x02008000);
        FX_CHECK_INT(fx_nbits_encode(&fx_u256_zero), 0);
    }
}

FX_TEST(targets_and_what_is_none)
{
    const struct fx_hash least = {{0}};

    const struct fx_hash two = {{2}};

    FX_CHECK(fx_nbits_met(0x03000001, &least));
    FX_CHECK(fx_nbits_met(0x03000002, &two));
    FX_CHECK(!fx_nbits_met(0x03000001, &two));
    FX_CHECK(!fx_nbits_met(0x00000000, &least));
    FX_CHECK(!fx_nbits_met(0x04923456, &least));
    FX_CHECK(!fx_nbits_met(0x23000001, &least));
}

FX_TEST(expected_work_at_the_ends)
{
    struct fx_u256 all = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    struct fx_u256 work = fx_work_expected(&all);

    FX_CHECK(fx_u256_cmp(&work, &fx_u256_one) == 0);
    work = fx_work_expected(&fx_u256_one);
    FX_CHECK_INT(fx_u256_bits(&work), 256);
    work = fx_u256_shl(&fx_u256_one, 255);
    work = fx_work_expected(&work);
    FX_CHECK_INT(work.w[0], 1);
    {
        /* Genesis of Bitcoin: 2^32 and a little more. */
        struct fx_u256 target;

        FX_CHECK(fx_nbits_decode(0x1d00ffff, &target));
        work = fx_work_expected(&target);
        FX_CHECK_INT(work.w[0], INT64_C(0x100010001));
    }
}

/* Whole half-lives double and halve exactly, across all of the 256 bits. */
FX_TEST(whole_half_lives)
{
    static const uint32_t previous[] = {0x01010000, 0x04123456, 0x0b7fffff, 0x1c0fffff, 0x1f3fffff};
    const struct fx_params *params = fx_params_get(FX_MAIN);
    struct fx_u256 limit;

    FX_CHECK(fx_nbits_decode(params->limit_nbits[FX_LANE_JOB], &limit));
    for (size_t i = 0; i < sizeof previous / sizeof previous[0]; i++) {
        struct fx_u256 from;

        FX_CHECK(fx_nbits_decode(previous[i], &from));
        for (int s = -300; s <= 300; s++) {
            uint32_t nbits =
                fx_lane_required(params, FX_LANE_JOB, previous[i], 5, 5 + 240 + (int64_t)s * 86400);
            struct fx_u256 to = limit;

            if (s < 0) {
                to = -s < 256 ? fx_u256_shr(&from, (unsigned)-s) : fx_u256_zero;
                to = fx_u256_max(&to, &fx_u256_one);
            } else if (fx_u256_bits(&from) + (unsigned)s < 256) {
                to = fx_u256_shl(&from, (unsigned)s);
            }
            to = fx_u256_min(&to, &limit);
            FX_CHECK_INT(nbits, fx_nbits_encode(&to));
        }
    }
}

FX_TEST(times_beyond_all_measure)
{
    const struct fx_params *params = fx_params_get(FX_MAIN);

    FX_CHECK_INT(fx_lane_required(params, 0, 0x1c100000, INT64_MIN, INT64_MAX), 0x1d100000);
    FX_CHECK_INT(fx_lane_required(params, 0, 0x1c100000, INT64_MAX, INT64_MIN), 0x01010000);
    FX_CHECK_INT(fx_lane_required(params, 1, 0x1c100000, 0, INT64_MAX), 0x1f400000);
}

FX_TEST(regtest_stays_at_its_limits)
{
    const struct fx_params *params = fx_params_get(FX_REGTEST);

    FX_CHECK_INT(fx_lane_required(params, 0, 0x1c100000, 0, 10), 0x207fffff);
    FX_CHECK_INT(fx_lane_required(params, 1, 0x1c100000, 0, 99999999), 0x207fffff);
}

FX_TEST(state_follows_the_blocks_of_its_lane)
{
    const struct fx_params *params = fx_params_get(FX_MAIN);
    struct fx_lane_state genesis, hash, job;
    struct fx_header header = {.version = fx_header_version(FX_LANE_HASH), .nbits = 0x1c123456};
    uint32_t nbits[FX_LANES];

    fx_lane_genesis(params, &genesis);
    FX_CHECK_INT(genesis.nbits[0], 0x1d100000);
    FX_CHECK_INT(genesis.nbits[1], 0x1f400000);
    FX_CHECK_INT(genesis.base_time[1], params->genesis_time);

    fx_lane_advance(&genesis, &header, 1000, &hash);
    FX_CHECK_INT(hash.nbits[0], 0x1c123456);
    FX_CHECK_INT(hash.base_time[0], 1000);
    FX_CHECK_INT(hash.nbits[1], 0x1f400000);

    header.version = fx_header_version(FX_LANE_JOB);
    header.nbits = 0x1e112233;
    fx_lane_advance(&hash, &header, 2000, &job);
    FX_CHECK_INT(job.nbits[0], 0x1c123456);
    FX_CHECK_INT(job.nbits[1], 0x1e112233);
    FX_CHECK_INT(job.base_time[0], 1000);
    FX_CHECK_INT(job.base_time[1], 2000);

    fx_lane_targets(params, &job, 2100, nbits);
    FX_CHECK_INT(nbits[0], fx_lane_required(params, 0, 0x1c123456, 1000, 2100));
    FX_CHECK_INT(nbits[1], fx_lane_required(params, 1, 0x1e112233, 2000, 2100));
}

FX_TEST(subsidy_of_the_job_lane)
{
    const struct fx_params *params = fx_params_get(FX_MAIN);
    const int64_t full = 1000000000;
    const uint32_t nbits = 0x1f400000; /* E = 1023 */
    const uint64_t expected = 1023;

    FX_CHECK_INT(fx_lane_subsidy(params, FX_LANE_HASH, 1, nbits, 0, 0), full);
    /* Nothing delivered, nothing burned. */
    FX_CHECK_INT(fx_lane_subsidy(params, FX_LANE_JOB, 1, nbits, 0, UINT64_MAX), 0);
    FX_CHECK_INT(fx_lane_subsidy(params, FX_LANE_JOB, 1, nbits, UINT64_MAX, 0), 0);
    /* In proportion to the credit, up to E. */
    FX_CHECK_INT(fx_lane_subsidy(params, FX_LANE_JOB, 1, nbits, 1, UINT64_MAX), full / 1023);
    FX_CHECK_INT(fx_lane_subsidy(params, FX_LANE_JOB, 1, nbits, 511, UINT64_MAX),
                 full * 511 / 1023);
    FX_CHECK_INT(fx_lane_subsidy(params, FX_LANE_JOB, 1, nbits, expected, UINT64_MAX), full);
    FX_CHECK_INT(fx_lane_subsidy(params, FX_LANE_JOB, 1, nbits, UINT64_MAX, UINT64_MAX), full);
    /* At most twice the burns. */
    FX_CHECK_INT(fx_lane_subsidy(params, FX_LANE_JOB, 1, nbits, expected, 7), 14);
    FX_CHECK_INT(fx_lane_subsidy(params, FX_LANE_JOB, 1, nbits, expected, 500000000), full);
    FX_CHECK_INT(fx_lane_subsidy(params, FX_LANE_JOB, 1, nbits, expected, 499999999), 999999998);
    FX_CHECK_INT(fx_lane_subsidy(params, FX_LANE_JOB, 1, nbits, expected, UINT64_C(1) << 63),
                 full); /* twice this does not fit */
    /* Halved like the other. */
    FX_CHECK_INT(fx_lane_subsidy(params, FX_LANE_JOB, 2102400, nbits, expected, UINT64_MAX),
                 full / 2);
}
