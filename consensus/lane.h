/* Lanes: required targets (ASERT relative to the lane's last block), the work a block adds,
 * subsidies (protocol 3 and 4). */
#ifndef FX_CONSENSUS_LANE_H
#define FX_CONSENSUS_LANE_H

#include "consensus/header.h"
#include "src/util/u256.h"

/* For each lane: its newest block q at or below some block p. Before the first one, q is genesis
 * with limit_x. */
struct fx_lane_state {
    uint32_t nbits[FX_LANES];
    int64_t base_time[FX_LANES]; /* the time of q's parent (genesis: its own) */
};

/* GetCompact and SetCompact. fx_nbits_decode is false for a negative, zero or overflowing target.
 */
bool fx_nbits_decode(uint32_t nbits, struct fx_u256 *target);
/* The hash, as a number, is at most the target. */
bool fx_nbits_met(uint32_t nbits, const struct fx_hash *hash);
uint32_t fx_nbits_encode(const struct fx_u256 *target);

/* The rule itself: nBits required of a block of this lane on a parent of time parent_time. */
uint32_t fx_lane_required(const struct fx_params *params, unsigned lane, uint32_t previous_nbits,
                          int64_t base_time, int64_t parent_time);

void fx_lane_genesis(const struct fx_params *params, struct fx_lane_state *state);
/* The state at a block, from that at its parent. On a network without lanes nothing follows from
 * it: no target moves there. */
void fx_lane_advance(const struct fx_lane_state *parent, const struct fx_header *header,
                     int64_t parent_time, struct fx_lane_state *state);
/* Both lanes' required nBits on a parent. */
void fx_lane_targets(const struct fx_params *params, const struct fx_lane_state *parent,
                     int64_t parent_time, uint32_t nbits[FX_LANES]);

struct fx_u256 fx_work_expected(const struct fx_u256 *target); /* floor(2^256 / (T + 1)) */
/* w_hash and w_job for these required targets. */
void fx_lane_shares(const struct fx_params *params, const uint32_t nbits[FX_LANES],
                    struct fx_u256 share[FX_LANES]);
/* max(own, min(other, 4 * own)). */
struct fx_u256 fx_lane_work_added(const struct fx_params *params, unsigned lane,
                                  const uint32_t nbits[FX_LANES]);

/* Hash lane: S(h). Job lane: min(floor(S(h) * min(credit, E) / E), 2 * burns), E = expected(T_job).
 */
int64_t fx_lane_subsidy(const struct fx_params *params, unsigned lane, uint32_t height,
                        uint32_t job_nbits, uint64_t credit, uint64_t burns);

#endif
