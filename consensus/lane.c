/* Lanes: required targets, the work that blocks add, subsidies (protocol sections 3 and 4). */
#include "consensus/lane.h"

#include <string.h>

#define SPACING 240
#define HALF_LIFE 86400
/* Times further apart than this lie far beyond both ends of the scale: s below would be over 2^23.
 */
#define SPAN_MAX (INT64_C(1) << 40)

static const struct fx_u256 u256_max = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};

bool fx_nbits_decode(uint32_t nbits, struct fx_u256 *target)
{
    unsigned size = nbits >> 24;
    uint32_t word = nbits & 0x007fffff;

    *target = fx_u256_zero;
    if (size <= 3) {
        word >>= 8 * (3 - size);
    }
    if (word == 0 || (nbits & 0x00800000) != 0) {
        return false;
    }
    if (size > 34 || (word > 0xff && size > 33) || (word > 0xffff && size > 32)) {
        return false;
    }
    *target = fx_u256_from_u64(word);
    if (size > 3) {
        *target = fx_u256_shl(target, 8 * (size - 3));
    }
    return true;
}

bool fx_nbits_met(uint32_t nbits, const struct fx_hash *hash)
{
    struct fx_u256 target, number = fx_u256_from_hash(hash);

    return fx_nbits_decode(nbits, &target) && fx_u256_cmp(&number, &target) <= 0;
}

uint32_t fx_nbits_encode(const struct fx_u256 *target)
{
    unsigned size = (fx_u256_bits(target) + 7) / 8;
    uint32_t word;

    if (size <= 3) {
        word = (uint32_t)(target->w[0] << 8 * (3 - size));
    } else {
        word = (uint32_t)fx_u256_shr(target, 8 * (size - 3)).w[0];
    }
    /* The 24th bit would read as a sign. */
    if ((word & 0x00800000) != 0) {
        word >>= 8;
        size++;
    }
    return word | (uint32_t)size << 24;
}

/* floor(target * factor * 2^shift), factor below 2^17 and shift at most 239, so that the product
 * fits 512 bits; true where it does not fit 256. */
static bool scale(const struct fx_u256 *target, uint64_t factor, int shift, struct fx_u256 *out)
{
    uint64_t wide[9] = {0}; /* one limb more than 512 bits, for the shift across limbs */
    uint64_t from[9] = {0};
    unsigned __int128 carry = 0;
    unsigned left, limbs, bits;

    for (unsigned i = 0; i < 4; i++) {
        carry += (unsigned __int128)target->w[i] * factor;
        from[i] = (uint64_t)carry;
        carry >>= 64;
    }
    from[4] = (uint64_t)carry;

    if (shift >= 0) {
        left = (unsigned)shift;
        limbs = left / 64;
        bits = left % 64;
        for (unsigned i = 9; i-- > limbs;) {
            wide[i] = from[i - limbs] << bits;
            if (bits > 0 && i > limbs) {
                wide[i] |= from[i - limbs - 1] >> (64 - bits);
            }
        }
    } else {
        left = (unsigned)-shift;
        limbs = left / 64;
        bits = left % 64;
        for (unsigned i = 0; i + limbs < 9; i++) {
            wide[i] = from[i + limbs] >> bits;
            if (bits > 0 && i + limbs + 1 < 9) {
                wide[i] |= from[i + limbs + 1] << (64 - bits);
            }
        }
    }
    memcpy(out->w, wide, sizeof out->w);
    return (wide[4] | wide[5] | wide[6] | wide[7] | wide[8]) != 0;
}

uint32_t fx_lane_required(const struct fx_params *params, unsigned lane, uint32_t previous_nbits,
                          int64_t base_time, int64_t parent_time)
{
    uint32_t limit_nbits = params->limit_nbits[lane];
    struct fx_u256 limit, previous, target;
    int64_t span, e, s;
    uint64_t f, factor;

    if (!params->retarget || !fx_nbits_decode(previous_nbits, &previous) ||
        !fx_nbits_decode(limit_nbits, &limit)) {
        return limit_nbits;
    }
    if (__builtin_sub_overflow(parent_time, base_time, &span)) {
        span = parent_time > base_time ? SPAN_MAX : -SPAN_MAX;
    }
    span = span > SPAN_MAX ? SPAN_MAX : span < -SPAN_MAX ? -SPAN_MAX : span;

    e = (span - SPACING) * 65536 / HALF_LIFE;
    s = e / 65536 - (e % 65536 < 0 ? 1 : 0);
    f = (uint64_t)(e - 65536 * s);
    if (s >= 256) {
        return limit_nbits;
    }
    if (s < -256) {
        return fx_nbits_encode(&fx_u256_one);
    }
    factor = 65536 + ((UINT64_C(195766423245049) * f + UINT64_C(971821376) * f * f +
                       UINT64_C(5127) * f * f * f + (UINT64_C(1) << 47)) >>
                      48);
    if (scale(&previous, factor, (int)s - 16, &target) || fx_u256_cmp(&target, &limit) > 0) {
        return limit_nbits;
    }
    target = fx_u256_max(&target, &fx_u256_one);
    return fx_nbits_encode(&target);
}

void fx_lane_genesis(const struct fx_params *params, struct fx_lane_state *state)
{
    for (unsigned lane = 0; lane < FX_LANES; lane++) {
        state->nbits[lane] = params->limit_nbits[lane];
        state->base_time[lane] = params->genesis_time;
    }
}

void fx_lane_advance(const struct fx_lane_state *parent, const struct fx_header *header,
                     int64_t parent_time, struct fx_lane_state *state)
{
    unsigned lane = fx_header_lane(header);

    *state = *parent;
    if (lane < FX_LANES) {
        state->nbits[lane] = header->nbits;
        state->base_time[lane] = parent_time;
    }
}

void fx_lane_targets(const struct fx_params *params, const struct fx_lane_state *parent,
                     int64_t parent_time, uint32_t nbits[FX_LANES])
{
    for (unsigned lane = 0; lane < FX_LANES; lane++) {
        nbits[lane] = fx_lane_required(params, lane, parent->nbits[lane], parent->base_time[lane],
                                       parent_time);
    }
}

struct fx_u256 fx_work_expected(const struct fx_u256 *target)
{
    struct fx_u256 next, rest, work;

    /* The two ends, which no nBits gives: 2^256 itself does not fit. */
    if (fx_u256_is_zero(target)) {
        return u256_max;
    }
    if (fx_u256_add(target, &fx_u256_one, &next)) {
        return fx_u256_one;
    }
    /* 2^256 / (T + 1) = (2^256 - 1 - T) / (T + 1) + 1 */
    fx_u256_sub(&u256_max, target, &rest);
    work = fx_u256_div(&rest, &next);
    fx_u256_add(&work, &fx_u256_one, &work);
    return work;
}

/* a * m, or all ones where that does not fit. */
static struct fx_u256 saturating_mul(const struct fx_u256 *a, uint64_t m)
{
    struct fx_u256 product;

    return fx_u256_mul64(a, m, &product) ? u256_max : product;
}

static struct fx_u256 expected_of(uint32_t nbits)
{
    struct fx_u256 target;

    return fx_nbits_decode(nbits, &target) ? fx_work_expected(&target) : fx_u256_zero;
}

void fx_lane_shares(const struct fx_params *params, const uint32_t nbits[FX_LANES],
                    struct fx_u256 share[FX_LANES])
{
    struct fx_u256 bricks = expected_of(nbits[FX_LANE_JOB]);

    share[FX_LANE_HASH] = expected_of(nbits[FX_LANE_HASH]);
    share[FX_LANE_JOB] = saturating_mul(&bricks, UINT64_C(1) << params->job_work_shift);
}

struct fx_u256 fx_lane_work_added(const struct fx_params *params, unsigned lane,
                                  const uint32_t nbits[FX_LANES])
{
    struct fx_u256 share[FX_LANES], four_own, lent;

    fx_lane_shares(params, nbits, share);
    four_own = saturating_mul(&share[lane], 4);
    lent = fx_u256_min(&share[FX_LANES - 1 - lane], &four_own);
    return fx_u256_max(&share[lane], &lent);
}

int64_t fx_lane_subsidy(const struct fx_params *params, unsigned lane, uint32_t height,
                        uint32_t job_nbits, uint64_t credit, uint64_t burns)
{
    int64_t full = fx_subsidy_full(params, height);
    struct fx_u256 expected, counted, share;
    uint64_t earned;

    if (lane == FX_LANE_HASH) {
        return full;
    }
    expected = expected_of(job_nbits);
    if (fx_u256_is_zero(&expected)) {
        return 0;
    }
    /* Below 2^128, and the quotient at most the full subsidy. */
    counted = fx_u256_from_u64(credit);
    counted = fx_u256_min(&counted, &expected);
    fx_u256_mul64(&counted, (uint64_t)full, &share);
    earned = fx_u256_div(&share, &expected).w[0];
    if (burns <= UINT64_MAX / 2 && 2 * burns < earned) {
        earned = 2 * burns;
    }
    return (int64_t)earned;
}
