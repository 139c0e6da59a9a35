/*
 * Weighing headers as they go by, without keeping them (protocol section 3, "Unproven headers"):
 * for what follows after a peer's share of unproven job-lane headers is used up.
 */
#ifndef FX_NET_STREAM_INT_H
#define FX_NET_STREAM_INT_H

#include "consensus/check.h"
#include "src/iface/chain.h"

#define FX_STREAM_SHARE 16 /* of a branch's work, at least one part is of hash-lane headers */

struct fx_stream {
    const struct fx_index *start; /* the last header that is stored */
    struct fx_hash id;            /* of the last one weighed */
    uint32_t height;
    int64_t time;
    struct fx_lane_state lanes;
    int64_t times[FX_MEDIAN_TIME_SPAN]; /* of the last ones, oldest first */
    size_t n_times;
    struct fx_u256 work, hash_work; /* cumulative, as in struct fx_index */
};

void fx_stream_init(struct fx_stream *stream, const struct fx_index *start);
/* The next header, whose parent is the last one; FX_OK: it was added. */
enum fx_verdict fx_stream_add(struct fx_stream *stream, const struct fx_params *params,
                              const struct fx_header *header, int64_t now);
/* All headers outweigh the tip, and their hash-lane work since the fork is at least a sixteenth of
 * the work of our chain since then. */
bool fx_stream_is_worth(const struct fx_stream *stream, const struct fx_index *tip);

#endif
