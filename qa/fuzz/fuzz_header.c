/*
 * Headers with their lanes: 80 bytes are written as they were read, and the check of a header on
 * any parent is what its conditions, looked at one by one, say. The input is the number of a chain,
 * a header, and its place: height, times, and what the lanes were at the parent.
 */
#include "qa/fuzz/fuzz.h"

#include <string.h>

#include "consensus/check.h"
#include "consensus/lane.h"

/* Of what a header says, and of what its place asks for. */
static void check_place(const struct fx_params *params, const struct fx_header *header,
                        const struct fx_header_context *place)
{
    enum fx_verdict verdict = fx_check_header(params, header, place);
    unsigned lane = fx_lane_of(params, header);
    uint32_t required[FX_LANES];
    struct fx_u256 target, limit;
    struct fx_hash id;

    FX_FUZZ_CHECK((verdict == FX_BAD_LANE) == (lane >= FX_LANES));
    if (lane >= FX_LANES) {
        return;
    }
    fx_lane_targets(params, place->parent_lanes, place->parent_time, required);
    FX_FUZZ_CHECK((verdict == FX_BAD_DIFFBITS) == (header->nbits != required[lane]));
    /* What is required is a target, and no easier one than the easiest. */
    FX_FUZZ_CHECK(fx_nbits_decode(required[lane], &target));
    FX_FUZZ_CHECK(fx_nbits_decode(params->limit_nbits[lane], &limit));
    FX_FUZZ_CHECK(fx_u256_cmp(&target, &limit) <= 0);
    FX_FUZZ_CHECK(fx_nbits_encode(&target) == required[lane]);
    if (verdict != FX_OK) {
        return;
    }
    fx_header_id(header, &id);
    FX_FUZZ_CHECK(lane == FX_LANE_JOB || fx_nbits_met(header->nbits, &id));
    FX_FUZZ_CHECK(header->time > place->parent_median_time);
    FX_FUZZ_CHECK(header->time - params->max_future_seconds <= place->now);
}

/* The next state differs from that before in the header's lane alone. */
static void check_advance(const struct fx_lane_state *parent, const struct fx_header *header,
                          int64_t parent_time)
{
    struct fx_lane_state next;

    fx_lane_advance(parent, header, parent_time, &next);
    for (unsigned lane = 0; lane < FX_LANES; lane++) {
        bool own = lane == fx_header_lane(header);

        FX_FUZZ_CHECK(next.nbits[lane] == (own ? header->nbits : parent->nbits[lane]));
        FX_FUZZ_CHECK(next.base_time[lane] == (own ? parent_time : parent->base_time[lane]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static const enum fx_chain_kind chains[] = {FX_MAIN, FX_TEST, FX_REGTEST, FX_BTCREGTEST};
    const struct fx_params *params;
    struct fx_lane_state lanes;
    struct fx_header_context place = {.parent_lanes = &lanes};
    struct fx_header header;
    uint8_t written[FX_HEADER_SIZE];
    struct fx_reader r;

    if (length < 1 + FX_HEADER_SIZE) {
        return 0;
    }
    params = fx_params_get(chains[data[0] % 4]);
    fx_header_read(data + 1, &header);
    fx_header_write(&header, written);
    FX_FUZZ_CHECK(memcmp(written, data + 1, sizeof written) == 0);

    fx_reader_init(&r, data + 1 + FX_HEADER_SIZE, length - 1 - FX_HEADER_SIZE);
    place.height = fx_read_u32(&r);
    place.parent_time = fx_read_u32(&r);
    place.parent_median_time = fx_read_u32(&r);
    place.now = fx_read_u32(&r);
    fx_lane_genesis(params, &lanes);
    for (unsigned lane = 0; lane < FX_LANES; lane++) {
        struct fx_u256 target, limit;
        uint32_t nbits = fx_read_u32(&r);

        /* No block has another target than one that is required. */
        fx_nbits_decode(params->limit_nbits[lane], &limit);
        if (fx_nbits_decode(nbits, &target) && fx_u256_cmp(&target, &limit) <= 0) {
            lanes.nbits[lane] = nbits;
        }
        lanes.base_time[lane] = fx_read_u32(&r);
    }
    check_place(params, &header, &place);
    check_advance(&lanes, &header, place.parent_time);
    return 0;
}
