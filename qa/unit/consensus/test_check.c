/* Rules that need only the object itself and its place. */
#include "consensus/check.h"

#include <stdlib.h>
#include <string.h>

#include "qa/unit/consensus/world.h"
#include "qa/unit/harness.h"
#include "src/util/mem.h"

/* ---- headers ----------------------------------------------------------------------------- */

#define NOW INT64_C(1800001000)

struct place {
    const struct fx_params *params;
    struct fx_lane_state lanes;
    struct fx_header_context context;
    struct fx_header header;
};

static void place_init(struct place *p, enum fx_chain_kind kind)
{
    memset(p, 0, sizeof *p);
    p->params = fx_params_get(kind);
    fx_lane_genesis(p->params, &p->lanes);
    p->context.height = 7;
    p->context.parent_lanes = &p->lanes;
    p->context.parent_time = NOW - 200;
    p->context.parent_median_time = NOW - 1000;
    p->context.now = NOW;
    p->header.version = fx_header_version(FX_LANE_HASH);
    p->header.nbits = p->params->limit_nbits[FX_LANE_HASH];
    p->header.time = (uint32_t)NOW;
}

/* Whether the id meets the regtest target, which half of them do. */
static bool is_low(const struct fx_header *header)
{
    struct fx_hash id;

    fx_header_id(header, &id);
    return (id.b[31] & 0x80) == 0;
}

static enum fx_verdict place_judge(struct place *p, bool low)
{
    while (is_low(&p->header) != low) {
        p->header.nonce++;
    }
    return fx_check_header(p->params, &p->header, &p->context);
}

FX_TEST(a_good_header)
{
    struct place p;

    place_init(&p, FX_REGTEST);
    FX_CHECK_INT(place_judge(&p, true), FX_OK);
}

/* BIP34, BIP66 and BIP65 each made one version the lowest, from their heights on. */
FX_TEST(versions_before_the_soft_forks)
{
    static const struct {
        uint32_t height;
        int32_t lowest;
    } steps[] = {{9, -5}, {10, 2}, {19, 2}, {20, 3}, {29, 3}, {30, 4}};
    struct fx_params params = *fx_params_get(FX_BTCREGTEST);
    struct place p;

    params.fork_height[FX_FORK_HEIGHT] = 10;
    params.fork_height[FX_FORK_DERSIG] = 20;
    params.fork_height[FX_FORK_CLTV] = 30;
    place_init(&p, FX_BTCREGTEST);
    p.params = &params;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        p.context.height = steps[i].height;
        p.header.version = steps[i].lowest;
        FX_CHECK_INT(place_judge(&p, true), FX_OK);
        if (steps[i].lowest > 0) {
            p.header.version--;
            FX_CHECK_INT(place_judge(&p, true), FX_BAD_VERSION);
        }
    }
}

FX_TEST(lanes_above_one_are_refused)
{
    struct place p;

    place_init(&p, FX_REGTEST);
    p.header.version = 0x20000200;
    FX_CHECK_INT(place_judge(&p, true), FX_BAD_LANE);
    p.header.version = 0x20000f00;
    FX_CHECK_INT(place_judge(&p, true), FX_BAD_LANE);
}

FX_TEST(btcregtest_has_no_lanes_and_two_hours_ahead)
{
    static const int32_t versions[] = {0x20000100, 0x20000200, 0x20000f00, 0x7fffffff, 4};
    struct place p;

    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        place_init(&p, FX_BTCREGTEST);
        p.header.version = versions[i];
        FX_CHECK_INT(place_judge(&p, true), FX_OK);
        FX_CHECK_INT(place_judge(&p, false), FX_HIGH_HASH);
    }
    p.header.version = 3;
    FX_CHECK_INT(place_judge(&p, true), FX_BAD_VERSION);
    place_init(&p, FX_BTCREGTEST);
    p.header.time = (uint32_t)NOW + 7200;
    FX_CHECK_INT(place_judge(&p, true), FX_OK);
    p.header.time++;
    FX_CHECK_INT(place_judge(&p, true), FX_TIME_TOO_NEW);
}

FX_TEST(nbits_are_those_of_the_lane)
{
    struct place p;

    place_init(&p, FX_REGTEST);
    p.header.nbits--;
    FX_CHECK_INT(place_judge(&p, true), FX_BAD_DIFFBITS);
    place_init(&p, FX_MAIN);
    p.header.version = fx_header_version(FX_LANE_JOB);
    FX_CHECK_INT(place_judge(&p, true), FX_BAD_DIFFBITS);
    p.header.nbits = fx_lane_required(p.params, FX_LANE_JOB, p.lanes.nbits[1], p.lanes.base_time[1],
                                      p.context.parent_time);
    FX_CHECK_INT(place_judge(&p, true), FX_OK);
}

FX_TEST(the_hash_lane_has_its_puzzle)
{
    struct place p;

    place_init(&p, FX_REGTEST);
    FX_CHECK_INT(place_judge(&p, false), FX_HIGH_HASH);
    /* The job lane's is in the block. */
    p.header.version = fx_header_version(FX_LANE_JOB);
    FX_CHECK_INT(place_judge(&p, false), FX_OK);
}

FX_TEST(time_lies_between_median_and_clock)
{
    struct place p;

    place_init(&p, FX_REGTEST);
    p.header.time = (uint32_t)p.context.parent_median_time;
    FX_CHECK_INT(place_judge(&p, true), FX_TIME_TOO_OLD);
    p.header.time++;
    FX_CHECK_INT(place_judge(&p, true), FX_OK);
    p.header.time = (uint32_t)NOW + 600;
    FX_CHECK_INT(place_judge(&p, true), FX_OK);
    p.header.time++;
    FX_CHECK_INT(place_judge(&p, true), FX_TIME_TOO_NEW);
}

/* BIP94: the time cannot be set back between two periods. */
FX_TEST(a_period_begins_where_the_last_ended)
{
    struct fx_params params = *fx_params_get(FX_REGTEST);
    struct place p;

    place_init(&p, FX_REGTEST);
    p.params = &params;
    p.context.height = 144;
    p.context.parent_time = NOW;
    p.context.parent_median_time = NOW - 1000;
    p.header.time = (uint32_t)NOW - 601;
    FX_CHECK_INT(place_judge(&p, true), FX_OK);
    params.timewarp_period = 144;
    FX_CHECK_INT(place_judge(&p, true), FX_TIME_TIMEWARP);
    FX_CHECK_INT(fx_header_time_min(&params, &p.context), NOW - 600);
    p.header.time++;
    FX_CHECK_INT(place_judge(&p, true), FX_OK);
    /* Only the first block of a period, and the median holds as well. */
    p.context.height = 145;
    p.header.time--;
    FX_CHECK_INT(place_judge(&p, true), FX_OK);
    p.context.height = 288;
    p.context.parent_median_time = NOW - 100;
    FX_CHECK_INT(place_judge(&p, true), FX_TIME_TOO_OLD);
    FX_CHECK_INT(fx_header_time_min(&params, &p.context), NOW - 99);
}

FX_TEST(old_versions_are_refused)
{
    struct place p;

    place_init(&p, FX_REGTEST);
    p.header.version = 4;
    FX_CHECK_INT(place_judge(&p, true), FX_OK);
    p.header.version = 3;
    FX_CHECK_INT(place_judge(&p, true), FX_BAD_VERSION);
    p.header.version = INT32_MIN;
    FX_CHECK_INT(place_judge(&p, true), FX_BAD_VERSION);
}

/* ---- transactions ------------------------------------------------------------------------ */

static const struct fx_outpoint some = {.index = 9};

static void simple(struct fx_txb *b)
{
    fx_txb_init(b);
    fx_txb_add_in(b, &some, FX_SEQUENCE_FINAL);
    fx_txb_add_out(b, 5, "\x51", 1);
}

/* The verdict on what b makes; b is cleared. */
static enum fx_verdict judge(struct fx_txb *b)
{
    struct fx_tx *tx = fx_txb_build(b);
    enum fx_verdict verdict;

    FX_CHECK(tx != NULL);
    verdict = fx_check_tx(fx_params_get(FX_MAIN), tx);
    fx_tx_unref(tx);
    fx_txb_clear(b);
    return verdict;
}

FX_TEST(transactions_have_inputs_and_outputs)
{
    static const uint8_t nothing[] = {2, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    struct fx_tx *tx = fx_tx_parse(nothing, sizeof nothing);
    struct fx_txb b;

    FX_CHECK(tx != NULL);
    FX_CHECK_INT(fx_check_tx(fx_params_get(FX_MAIN), tx), FX_BAD_TXNS_VIN_EMPTY);
    fx_tx_unref(tx);
    fx_txb_init(&b);
    fx_txb_add_in(&b, &some, 0);
    FX_CHECK_INT(judge(&b), FX_BAD_TXNS_VOUT_EMPTY);
    simple(&b);
    FX_CHECK_INT(judge(&b), FX_OK);
}

FX_TEST(transactions_fit_a_block)
{
    uint8_t *script = fx_xcalloc(1, 1000000);
    struct fx_txb b;
    size_t rest;
    struct fx_tx *tx;

    simple(&b);
    fx_txb_add_out(&b, 1, script, 100000);
    tx = fx_txb_build(&b);
    rest = 1000000 - tx->base_size;
    fx_tx_unref(tx);
    fx_txb_clear(&b);
    simple(&b);
    fx_txb_add_out(&b, 1, script, 100000 + rest);
    fx_txb_push_witness(&b, 0, script, 1000);
    FX_CHECK_INT(judge(&b), FX_OK);
    simple(&b);
    fx_txb_add_out(&b, 1, script, 100000 + rest + 1);
    FX_CHECK_INT(judge(&b), FX_BAD_TXNS_OVERSIZE);
    free(script);
}

FX_TEST(amounts_are_in_range)
{
    const int64_t max = fx_params_get(FX_MAIN)->max_money;
    struct fx_txb b;

    simple(&b);
    fx_txb_add_out(&b, -1, "", 0);
    FX_CHECK_INT(judge(&b), FX_BAD_TXNS_VOUT_NEGATIVE);
    simple(&b);
    fx_txb_add_out(&b, max + 1, "", 0);
    FX_CHECK_INT(judge(&b), FX_BAD_TXNS_VOUT_TOOLARGE);
    simple(&b);
    fx_txb_add_out(&b, max - 5, "", 0);
    FX_CHECK_INT(judge(&b), FX_OK);
    simple(&b);
    fx_txb_add_out(&b, max - 4, "", 0);
    FX_CHECK_INT(judge(&b), FX_BAD_TXNS_TXOUTTOTAL_TOOLARGE);
}

FX_TEST(no_input_twice)
{
    struct fx_outpoint other = some;
    struct fx_txb b;

    simple(&b);
    for (other.index = 0; other.index < 9; other.index++) {
        fx_txb_add_in(&b, &other, 0);
    }
    FX_CHECK_INT(judge(&b), FX_OK);
    simple(&b);
    other.index = 3;
    fx_txb_add_in(&b, &other, 0);
    other.index = 4;
    fx_txb_add_in(&b, &other, 0);
    other.index = 3;
    fx_txb_add_in(&b, &other, 1);
    FX_CHECK_INT(judge(&b), FX_BAD_TXNS_INPUTS_DUPLICATE);
}

FX_TEST(null_outpoints_are_for_coinbases)
{
    const struct fx_outpoint null_outpoint = {.index = UINT32_MAX};
    uint8_t script[101] = {0};
    struct fx_txb b;

    simple(&b);
    fx_txb_add_in(&b, &null_outpoint, 0);
    FX_CHECK_INT(judge(&b), FX_BAD_TXNS_PREVOUT_NULL);
    for (size_t n = 0; n <= 101; n++) {
        world_coinbase(&b, 1, 1);
        fx_txb_set_script_sig(&b, 0, script, n);
        FX_CHECK_INT(judge(&b), n < 2 || n > 100 ? FX_BAD_CB_LENGTH : FX_OK);
    }
}

static bool is_final(uint32_t lock_time, uint32_t sequence, uint32_t height, int64_t time)
{
    struct fx_txb b;
    struct fx_tx *tx;
    bool final;

    simple(&b);
    b.lock_time = lock_time;
    b.in[0].sequence = sequence;
    tx = fx_txb_build(&b);
    final = fx_tx_is_final(tx, height, time);
    fx_tx_unref(tx);
    fx_txb_clear(&b);
    return final;
}

FX_TEST(finality)
{
    FX_CHECK(is_final(0, 0, 0, 0));
    FX_CHECK(is_final(99, 0, 100, 0));
    FX_CHECK(!is_final(100, 0, 100, INT64_C(4000000000)));
    FX_CHECK(is_final(100, FX_SEQUENCE_FINAL, 100, 0));
    FX_CHECK(!is_final(100, FX_SEQUENCE_FINAL - 1, 100, 0));
    FX_CHECK(is_final(499999999, 0, 500000000, 0));
    FX_CHECK(!is_final(500000000, 0, 600000000, 500000000));
    FX_CHECK(is_final(500000000, 0, 0, 500000001));
}

FX_TEST(legacy_sigops)
{
    static const struct {
        const char *hex;
        unsigned sigops;
    } cases[] = {
        {"", 0},
        {"ac", 1},
        {"ad", 1},
        {"ae", 20},
        {"af", 20},
        {"acadae", 22},
        {"01ac", 0},
        {"01acac", 1},
        {"4c01acac", 1},
        {"4d0100acac", 1},
        {"4e01000000acac", 1},
        {"51ae", 20},
        {"05acac", 0},
        {"ac05acac", 1},
        {"4c", 0},
        {"4effffffffac", 0},
        {"00ac", 1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t raw[16];
        size_t n = fx_unit_unhex(cases[i].hex, raw, sizeof raw);
        struct fx_txb b;
        struct fx_tx *tx;

        simple(&b);
        fx_txb_set_script_sig(&b, 0, raw, n);
        fx_txb_add_out(&b, 1, raw, n);
        tx = fx_txb_build(&b);
        FX_CHECK_INT(fx_tx_legacy_sigops(tx), 2 * cases[i].sigops);
        fx_tx_unref(tx);
        fx_txb_clear(&b);
    }
}

FX_TEST(heights_in_coinbases)
{
    static const struct {
        uint32_t height;
        const char *hex;
    } cases[] = {
        {0, "00"},
        {1, "51"},
        {16, "60"},
        {17, "0111"},
        {127, "017f"},
        {128, "028000"},
        {255, "02ff00"},
        {256, "020001"},
        {32767, "02ff7f"},
        {32768, "03008000"},
        {413567, "037f4f06"},
        {8388608, "0400008000"},
        {UINT32_MAX, "05ffffffff00"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t script[FX_CB_HEIGHT_SIZE];

        FX_CHECK_INT(fx_cb_height_script(cases[i].height, script), strlen(cases[i].hex) / 2);
        FX_CHECK_HEX(script, cases[i].hex);
    }
}

/* ---- blocks ------------------------------------------------------------------------------ */

#define HEIGHT 300

static struct fx_tx *built(struct fx_txb *b)
{
    struct fx_tx *tx = fx_txb_build(b);

    FX_CHECK(tx != NULL);
    fx_txb_clear(b);
    return tx;
}

static struct fx_tx *coinbase(void)
{
    struct fx_txb b;

    world_coinbase(&b, HEIGHT, 1);
    return built(&b);
}

static struct fx_tx *plain(uint32_t index)
{
    struct fx_outpoint prevout = {.index = index};
    struct fx_txb b;

    fx_txb_init(&b);
    fx_txb_add_in(&b, &prevout, FX_SEQUENCE_FINAL);
    fx_txb_add_out(&b, 5, "\x51", 1);
    return built(&b);
}

/* Judges a block and drops it. */
static enum fx_result judge_block(struct fx_block *block, enum fx_verdict *why)
{
    const struct fx_params *params = fx_params_get(FX_REGTEST);
    enum fx_result result = fx_check_block(params, block, HEIGHT, WORLD_TIME0, why);

    fx_block_unref(block);
    return result;
}

static void expect(struct fx_block *block, enum fx_result result, enum fx_verdict verdict)
{
    enum fx_verdict why = FX_OK;

    FX_CHECK_INT(judge_block(block, &why), result);
    FX_CHECK_INT(why, verdict);
}

FX_TEST(good_blocks)
{
    struct fx_tx *one[] = {coinbase()};
    struct fx_tx *three[] = {coinbase(), plain(1), plain(2)};

    expect(world_block(one, 1), FX_VALID, FX_OK);
    expect(world_block(three, 3), FX_VALID, FX_OK);
}

FX_TEST(a_wrong_merkle_root_is_a_bad_copy)
{
    const struct fx_params *params = fx_params_get(FX_REGTEST);
    const struct fx_span no_work = {NULL, 0};
    struct fx_tx *txs[] = {coinbase(), plain(1)};
    struct fx_block *block = world_block(txs, 2);
    struct fx_tx *others[] = {block->txs[0], plain(3)};
    struct fx_block *other = fx_block_make(params, &block->header, no_work, others, 2);

    expect(block, FX_VALID, FX_OK);
    fx_tx_unref(others[1]);
    expect(other, FX_INVALID_COPY, FX_BAD_TXNMRKLROOT);
}

/* CVE-2012-2459. */
FX_TEST(a_repeated_end_is_a_bad_copy)
{
    struct fx_tx *txs[4] = {coinbase(), plain(1), plain(2)};

    txs[3] = fx_tx_ref(txs[2]);
    expect(world_block(txs, 4), FX_INVALID_COPY, FX_BAD_TXNS_DUPLICATE);
}

static struct fx_tx *with_script(uint32_t index, size_t n, uint8_t fill)
{
    struct fx_outpoint prevout = {.index = index};
    uint8_t *script = fx_xmalloc(n);
    struct fx_txb b;

    memset(script, fill, n);
    fx_txb_init(&b);
    fx_txb_add_in(&b, &prevout, FX_SEQUENCE_FINAL);
    fx_txb_add_out(&b, 5, script, n);
    free(script);
    return built(&b);
}

/* CVE-2017-12842: two hashes of the merkle tree side by side, read as a transaction of 64 bytes.
 * The root is that of a block which may be good, so the copy alone is judged. */
FX_TEST(inner_hashes_as_transactions_are_a_bad_copy)
{
    for (size_t script = 3; script <= 5; script++) {
        struct fx_tx *one[] = {with_script(1, script, 0x51)};
        struct fx_tx *two[] = {with_script(1, script, 0x51), with_script(2, script, 0x51)};
        struct fx_tx *good[] = {coinbase(), with_script(1, script, 0x51)};
        enum fx_result result = script == 4 ? FX_INVALID_COPY : FX_INVALID;

        FX_CHECK_INT(one[0]->base_size, 60 + script);
        expect(world_block(one, 1), result, FX_BAD_CB_MISSING);
        expect(world_block(two, 2), result, FX_BAD_CB_MISSING);
        /* No hash of a tree reads as a coinbase. */
        expect(world_block(good, 2), FX_VALID, FX_OK);
    }
}

FX_TEST(a_block_has_transactions)
{
    expect(world_block(NULL, 0), FX_INVALID, FX_BAD_BLK_LENGTH);
}

FX_TEST(size_without_witnesses)
{
    struct fx_tx *small[] = {coinbase(), with_script(1, 490000, 0x51),
                             with_script(2, 490000, 0x51)};
    struct fx_tx *big[] = {coinbase(), with_script(1, 490000, 0x51), with_script(2, 510000, 0x51)};

    expect(world_block(small, 3), FX_VALID, FX_OK);
    expect(world_block(big, 3), FX_INVALID, FX_BAD_BLK_LENGTH);
}

FX_TEST(size_without_witnesses_to_the_byte)
{
    for (size_t over = 0; over <= 1; over++) {
        struct fx_tx *txs[] = {coinbase(), with_script(1, 490000, 0x51), NULL};
        struct fx_tx *probe = with_script(2, 490000, 0x51);
        size_t rest = 1000000 - 81 - txs[0]->base_size - txs[1]->base_size - probe->base_size;

        fx_tx_unref(probe);
        txs[2] = with_script(2, 490000 + rest + over, 0x51);
        if (over == 0) {
            expect(world_block(txs, 3), FX_VALID, FX_OK);
        } else {
            expect(world_block(txs, 3), FX_INVALID, FX_BAD_BLK_LENGTH);
        }
    }
}

FX_TEST(the_first_transaction_alone_is_a_coinbase)
{
    struct fx_tx *none[] = {plain(1), plain(2)};
    struct fx_tx *two[] = {coinbase(), plain(1), coinbase()};

    expect(world_block(none, 2), FX_INVALID, FX_BAD_CB_MISSING);
    expect(world_block(two, 3), FX_INVALID, FX_BAD_CB_MULTIPLE);
}

FX_TEST(each_transaction_is_checked)
{
    struct fx_txb b;
    struct fx_tx *txs[2] = {coinbase()};

    simple(&b);
    fx_txb_add_out(&b, -1, "", 0);
    txs[1] = built(&b);
    expect(world_block(txs, 2), FX_INVALID, FX_BAD_TXNS_VOUT_NEGATIVE);
}

FX_TEST(sigops_are_limited)
{
    struct fx_tx *most[] = {coinbase(), with_script(1, 20000, 0xac)};
    struct fx_tx *more[] = {coinbase(), with_script(1, 10000, 0xac), with_script(2, 10001, 0xac)};

    expect(world_block(most, 2), FX_VALID, FX_OK);
    expect(world_block(more, 3), FX_INVALID, FX_BAD_BLK_SIGOPS);
}

static struct fx_tx *locked(uint32_t lock_time)
{
    struct fx_txb b;

    simple(&b);
    b.in[0].sequence = 0;
    b.lock_time = lock_time;
    return built(&b);
}

/* BIP113: times are compared with the parent's median time. */
FX_TEST(transactions_are_final)
{
    struct fx_tx *height[] = {coinbase(), locked(HEIGHT - 1)};
    struct fx_tx *height_late[] = {coinbase(), locked(HEIGHT)};
    struct fx_tx *time[] = {coinbase(), locked((uint32_t)WORLD_TIME0 - 1)};
    struct fx_tx *time_late[] = {coinbase(), locked((uint32_t)WORLD_TIME0)};

    expect(world_block(height, 2), FX_VALID, FX_OK);
    expect(world_block(height_late, 2), FX_INVALID, FX_BAD_TXNS_NONFINAL);
    expect(world_block(time, 2), FX_VALID, FX_OK);
    expect(world_block(time_late, 2), FX_INVALID, FX_BAD_TXNS_NONFINAL);
}

FX_TEST(the_coinbase_names_the_height)
{
    struct fx_txb b;
    struct fx_tx *tx;

    world_coinbase(&b, HEIGHT + 1, 1);
    tx = built(&b);
    expect(world_block(&tx, 1), FX_INVALID, FX_BAD_CB_HEIGHT);
    world_coinbase(&b, HEIGHT, 1);
    fx_txb_set_script_sig(&b, 0, "\x02\x2c", 2); /* ends too early */
    b.in[0].sequence = HEIGHT >> 8;              /* and goes on behind the script */
    tx = built(&b);
    expect(world_block(&tx, 1), FX_INVALID, FX_BAD_CB_HEIGHT);
}

static struct fx_tx *witnessed(size_t n)
{
    uint8_t *item = fx_xcalloc(1, n + 1);
    struct fx_txb b;

    simple(&b);
    fx_txb_push_witness(&b, 0, item, n);
    free(item);
    return built(&b);
}

/* A coinbase that commits to txs[1..]; then changed by the caller. */
static void committed(struct fx_txb *b, struct fx_tx *const *txs, size_t n)
{
    world_coinbase(b, HEIGHT, 1);
    world_commit(b, txs, n);
}

FX_TEST(witnesses_are_committed_to)
{
    struct fx_tx *txs[2] = {NULL, witnessed(40)};
    struct fx_txb b;

    committed(&b, txs, 2);
    txs[0] = built(&b);
    expect(world_block(txs, 2), FX_VALID, FX_OK);
}

FX_TEST(the_commitment_may_be_the_first_output)
{
    struct fx_tx *txs[2] = {NULL, witnessed(40)};
    struct fx_txb b;

    committed(&b, txs, 2);
    {
        struct fx_txb_out swap = b.out[0];

        b.out[0] = b.out[1];
        b.out[1] = swap;
    }
    txs[0] = built(&b);
    FX_CHECK_INT(fx_block_commitment_output(txs[0]), 0);
    expect(world_block(txs, 2), FX_VALID, FX_OK);
}

FX_TEST(a_witness_without_commitment_is_a_bad_copy)
{
    struct fx_tx *txs[2] = {coinbase(), witnessed(40)};
    struct fx_txb b;

    expect(world_block(txs, 2), FX_INVALID_COPY, FX_UNEXPECTED_WITNESS);
    /* The coinbase's own counts. */
    world_coinbase(&b, HEIGHT, 1);
    fx_txb_push_witness(&b, 0, "x", 1);
    txs[0] = built(&b);
    expect(world_block(txs, 1), FX_INVALID_COPY, FX_UNEXPECTED_WITNESS);
}

FX_TEST(the_reserved_value_is_one_of_32_bytes)
{
    uint8_t item[33] = {7};

    for (unsigned wrong = 0; wrong < 4; wrong++) {
        struct fx_tx *txs[2] = {NULL, witnessed(40)};
        struct fx_txb b;

        committed(&b, txs, 2);
        if (wrong == 0) {
            fx_txb_push_witness(&b, 0, item, 32);
        } else {
            fx_txb_clear_witness(&b, 0);
        }
        if (wrong >= 2) {
            fx_txb_push_witness(&b, 0, item, wrong == 2 ? 31 : 33);
        }
        txs[0] = built(&b);
        expect(world_block(txs, 2), FX_INVALID_COPY, FX_BAD_WITNESS_NONCE_SIZE);
    }
}

FX_TEST(another_witness_is_a_bad_copy)
{
    struct fx_tx *txs[2] = {NULL, witnessed(40)}, *changed[2];
    struct fx_block *block, *other;
    const struct fx_span no_work = {NULL, 0};
    struct fx_txb b;

    committed(&b, txs, 2);
    txs[0] = built(&b);
    changed[0] = txs[0];
    changed[1] = witnessed(41);
    block = world_block(txs, 2);
    other = fx_block_make(fx_params_get(FX_REGTEST), &block->header, no_work, changed, 2);
    fx_tx_unref(changed[1]);
    FX_CHECK(fx_hash_equal(&block->id, &other->id));
    expect(other, FX_INVALID_COPY, FX_BAD_WITNESS_MERKLE_MATCH);
    expect(block, FX_VALID, FX_OK);
}

/* Three quarters of a megabyte without witnesses leave room for a megabyte of them. */
static void heavy(struct fx_tx *txs[3], size_t witness)
{
    txs[0] = NULL;
    txs[1] = with_script(1, 750000, 0x51);
    txs[2] = witnessed(witness);
}

FX_TEST(weight_is_limited)
{
    struct fx_tx *txs[3];
    struct fx_txb b;

    heavy(txs, 990000);
    committed(&b, txs, 3);
    txs[0] = built(&b);
    expect(world_block(txs, 3), FX_VALID, FX_OK);
    heavy(txs, 1010000);
    committed(&b, txs, 3);
    txs[0] = built(&b);
    expect(world_block(txs, 3), FX_INVALID, FX_BAD_BLK_WEIGHT);
}

FX_TEST(weight_is_limited_to_the_unit)
{
    size_t witness = 900000;

    for (unsigned round = 0; round < 3; round++) {
        struct fx_tx *txs[3];
        struct fx_block *block;
        struct fx_txb b;

        heavy(txs, witness);
        committed(&b, txs, 3);
        txs[0] = built(&b);
        block = world_block(txs, 3);
        if (round == 0) {
            witness += FX_BLOCK_WEIGHT_MAX - block->weight;
            fx_block_unref(block);
        } else if (round == 1) {
            FX_CHECK_INT(block->weight, FX_BLOCK_WEIGHT_MAX);
            expect(block, FX_VALID, FX_OK);
            witness++;
        } else {
            expect(block, FX_INVALID, FX_BAD_BLK_WEIGHT);
        }
    }
}

/* A block of WORLD_SOLVER with a witness of this size. */
static struct fx_block *mined(size_t witness)
{
    struct world_job *job = fx_xcalloc(1, sizeof *job);
    struct world_work work = {.job = job};
    struct fx_tx *txs[3];
    struct fx_block *block;
    struct fx_txb b;

    world_job_init(job);
    heavy(txs, witness);
    committed(&b, txs, 3);
    world_work_output(&work, &b);
    txs[0] = built(&b);
    block = world_job_block(&work, txs, 3);
    world_job_clear(job);
    free(job);
    return block;
}

/* The same block with one byte of its proof changed. */
static struct fx_block *altered(const struct fx_block *block, size_t from_end)
{
    uint8_t *raw = fx_xmemdup(block->raw.data, block->raw.len);
    enum fx_verdict why;
    struct fx_block *other;

    raw[80 + block->work->size - 1 - from_end] ^= 1;
    other = fx_block_parse(fx_params_get(FX_REGTEST), raw, block->raw.len, &why);
    FX_CHECK(other != NULL);
    free(raw);
    return other;
}

FX_TEST(the_work_proof_is_checked)
{
    struct fx_block *block = mined(100);
    struct fx_tx *tx = coinbase();
    struct world_job *job = fx_xcalloc(1, sizeof *job);
    struct world_work work = {.job = job};

    expect(altered(block, 0), FX_INVALID_COPY, FX_BAD_WORK_SIG);
    expect(altered(block, 64), FX_INVALID_COPY, FX_BAD_WORK_OPEN);
    expect(block, FX_VALID, FX_OK);
    world_job_init(job);
    expect(world_job_block(&work, &tx, 1), FX_INVALID, FX_BAD_CB_WORK);
    world_job_clear(job);
    free(job);
}

FX_TEST(the_work_proof_weighs_and_condemns_only_where_it_matched)
{
    struct fx_block *block = mined(990000); /* without the proof, below the limit */

    FX_CHECK(block->weight > FX_BLOCK_WEIGHT_MAX);
    FX_CHECK(block->weight - block->work->size < FX_BLOCK_WEIGHT_MAX);
    expect(altered(block, 0), FX_INVALID_COPY, FX_BAD_WORK_SIG);
    expect(block, FX_INVALID, FX_BAD_BLK_WEIGHT);
    expect(mined(900000), FX_VALID, FX_OK);
}
