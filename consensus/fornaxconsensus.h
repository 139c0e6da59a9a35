/*
 * libfornaxconsensus: the rules of Fornax for other programs.
 *
 * Every function is pure: it keeps no state, may be called from any thread, and does not keep the
 * pointers that it is given. Pointers must not be NULL and must not overlap. Each function returns
 * 1 on success and 0 on bad arguments; on 0 the outputs are untouched.
 */
#ifndef FORNAXCONSENSUS_H
#define FORNAXCONSENSUS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FORNAXCONSENSUS_API_VERSION 1

/* Lanes of fornaxconsensus_required_nbits. */
#define FORNAXCONSENSUS_LANE_HASH 0
#define FORNAXCONSENSUS_LANE_JOB 1

/* The version of this interface, FORNAXCONSENSUS_API_VERSION when the library was built. */
unsigned fornaxconsensus_version(void);

/*
 * The ticket of brick (i, j, l) under a seed (protocol section 6).
 * In:  seed      the 32 bytes of the block id, in header order
 *      a_block   panel block (i, l) of A: 128 x 256 int8, row-major, every entry in [-64, 63]
 *      b_block   panel block (j, l) of B transposed, likewise
 * Out: ticket    32 bytes, a little-endian number that is compared with the target
 * Returns 0 where a pointer is NULL or an entry is out of range.
 */
int fornaxconsensus_brick_ticket(const uint8_t seed[32], const int8_t *a_block,
                                 const int8_t *b_block, uint32_t i, uint32_t j, uint32_t l,
                                 uint8_t ticket[32]);

/*
 * The root of an operand (protocol section 7).
 * In:  panel_matrix  rows x k int8, row-major (A, or B transposed); any int8
 *      rows          a multiple of 128, at least 128, at most 2^24
 *      k             a multiple of 256, at least 256, at most 65,536
 * Out: root
 */
int fornaxconsensus_operand_root(const int8_t *panel_matrix, uint64_t rows, uint64_t k,
                                 uint8_t root[32]);

/*
 * The root of the result of one task, keyed by its solver (protocol section 7).
 * In:  result   rows x columns int32, row-major: the task's rectangle
 *      rows     a multiple of 128, at least 128, at most 2^24; columns likewise
 *      solver   the solver's x-only key
 * Out: root
 */
int fornaxconsensus_result_root(const int32_t *result, uint64_t rows, uint64_t columns,
                                const uint8_t solver[32], uint8_t root[32]);

/*
 * The nBits required of the next block of a lane, with the limits of main (protocol section 3).
 * In:  lane            FORNAXCONSENSUS_LANE_HASH or FORNAXCONSENSUS_LANE_JOB
 *      previous_nbits  of q, the lane's newest block at or below the parent; the lane's
 *                      limit where there is none, and q is genesis then
 *      base_time       the time of q's parent; of genesis itself where q is genesis
 *      parent_time     the time of the new block's parent; less than 2^46 seconds from
 *                      base_time, which is what the rule's int64 can carry
 * Out: nbits
 * Returns 0 for another lane, a previous_nbits that encodes no target or one above the lane's
 * limit, or times further apart.
 */
int fornaxconsensus_required_nbits(unsigned lane, uint32_t previous_nbits, int64_t base_time,
                                   int64_t parent_time, uint32_t *nbits);

#ifdef __cplusplus
}
#endif

#endif
