/* Headers that are weighed and not kept. */
#include "src/net/stream_int.h"

#include <stdlib.h>
#include <string.h>

void fx_stream_init(struct fx_stream *stream, const struct fx_index *start)
{
    const struct fx_index *at = start;
    size_t n = 0;

    memset(stream, 0, sizeof *stream);
    stream->start = start;
    stream->id = start->id;
    stream->height = start->height;
    stream->time = start->header.time;
    stream->lanes = start->lanes;
    stream->work = start->work;
    stream->hash_work = start->hash_work;
    for (; at != NULL && n < FX_MEDIAN_TIME_SPAN; at = at->parent) {
        n++;
    }
    stream->n_times = n;
    for (at = start; n > 0; at = at->parent) {
        stream->times[--n] = at->header.time;
    }
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int64_t median_time(const struct fx_stream *stream)
{
    int64_t sorted[FX_MEDIAN_TIME_SPAN];

    memcpy(sorted, stream->times, sizeof sorted);
    qsort(sorted, stream->n_times, sizeof sorted[0], by_time);
    return sorted[stream->n_times / 2];
}

static void push_time(struct fx_stream *stream, int64_t time)
{
    if (stream->n_times == FX_MEDIAN_TIME_SPAN) {
        memmove(stream->times, stream->times + 1, sizeof stream->times - sizeof stream->times[0]);
        stream->n_times--;
    }
    stream->times[stream->n_times++] = time;
}

/* Sums that do not fit stay at the most: such work does not exist. */
static void add_work(struct fx_u256 *sum, const struct fx_u256 *more)
{
    if (fx_u256_add(sum, more, sum)) {
        memset(sum, 0xff, sizeof *sum);
    }
}

enum fx_verdict fx_stream_add(struct fx_stream *stream, const struct fx_params *params,
                              const struct fx_header *header, int64_t now)
{
    struct fx_header_context context = {
        .height = stream->height + 1,
        .parent_lanes = &stream->lanes,
        .parent_time = stream->time,
        .parent_median_time = median_time(stream),
        .now = now,
    };
    struct fx_lane_state lanes;
    struct fx_u256 added;
    uint32_t nbits[FX_LANES];
    enum fx_verdict verdict;

    if (!fx_hash_equal(&header->prev, &stream->id)) {
        return FX_PREV_BLK_NOT_FOUND;
    }
    verdict = fx_check_header(params, header, &context);
    if (verdict != FX_OK) {
        return verdict;
    }
    fx_lane_targets(params, &stream->lanes, stream->time, nbits);
    added = fx_lane_work_added(params, fx_lane_of(params, header), nbits);
    add_work(&stream->work, &added);
    if (fx_lane_of(params, header) == FX_LANE_HASH) {
        struct fx_u256 share[FX_LANES];

        fx_lane_shares(params, nbits, share);
        add_work(&stream->hash_work, &share[FX_LANE_HASH]);
    }
    fx_lane_advance(&stream->lanes, header, stream->time, &lanes);
    stream->lanes = lanes;
    stream->time = header->time;
    push_time(stream, header->time);
    stream->height++;
    fx_header_id(header, &stream->id);
    return FX_OK;
}

bool fx_stream_is_worth(const struct fx_stream *stream, const struct fx_index *tip)
{
    const struct fx_index *fork = fx_index_fork(stream->start, tip);
    struct fx_u256 theirs, ours;

    if (fx_u256_cmp(&stream->work, &tip->work) <= 0) {
        return false;
    }
    fx_u256_sub(&stream->hash_work, &fork->hash_work, &theirs);
    fx_u256_sub(&tip->work, &fork->work, &ours);
    if (fx_u256_mul64(&theirs, FX_STREAM_SHARE, &theirs)) {
        return true;
    }
    return fx_u256_cmp(&theirs, &ours) >= 0;
}
