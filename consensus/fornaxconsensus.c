/* The public face of libfornaxconsensus: checks arguments, then asks the rules. */
#include "consensus/fornaxconsensus.h"

#include <string.h>

#include "consensus/brick.h"
#include "consensus/commit.h"
#include "consensus/lane.h"
#include "consensus/params.h"

#define ROWS_MAX (UINT64_C(1) << 24)
#define DEPTH_MAX UINT64_C(65536)
#define SPAN_LIMIT (INT64_C(1) << 46) /* 65,536 times the difference of two times fits int64 */

unsigned fornaxconsensus_version(void)
{
    return FORNAXCONSENSUS_API_VERSION;
}

int fornaxconsensus_brick_ticket(const uint8_t seed[32], const int8_t *a_block,
                                 const int8_t *b_block, uint32_t i, uint32_t j, uint32_t l,
                                 uint8_t ticket[32])
{
    struct fx_hash id, hash;

    if (seed == NULL || a_block == NULL || b_block == NULL || ticket == NULL) {
        return 0;
    }
    memcpy(id.b, seed, sizeof(id.b));
    if (!fx_brick_ticket(&id, a_block, b_block, i, j, l, &hash)) {
        return 0;
    }
    memcpy(ticket, hash.b, sizeof(hash.b));
    return 1;
}

int fornaxconsensus_operand_root(const int8_t *panel_matrix, uint64_t rows, uint64_t k,
                                 uint8_t root[32])
{
    struct fx_hash hash;

    if (panel_matrix == NULL || root == NULL || rows > ROWS_MAX || k > DEPTH_MAX ||
        !fx_commit_operand_matrix(panel_matrix, rows, k, &hash)) {
        return 0;
    }
    memcpy(root, hash.b, sizeof(hash.b));
    return 1;
}

int fornaxconsensus_result_root(const int32_t *result, uint64_t rows, uint64_t columns,
                                const uint8_t solver[32], uint8_t root[32])
{
    struct fx_hash key, hash;

    if (result == NULL || solver == NULL || root == NULL || rows > ROWS_MAX || columns > ROWS_MAX) {
        return 0;
    }
    memcpy(key.b, solver, sizeof(key.b));
    if (!fx_commit_result_matrix(result, rows, columns, &key, &hash)) {
        return 0;
    }
    memcpy(root, hash.b, sizeof(hash.b));
    return 1;
}

int fornaxconsensus_required_nbits(unsigned lane, uint32_t previous_nbits, int64_t base_time,
                                   int64_t parent_time, uint32_t *nbits)
{
    const struct fx_params *params = fx_params_get(FX_MAIN);
    struct fx_u256 previous, limit;
    int64_t span;

    if (nbits == NULL || lane >= FX_LANES) {
        return 0;
    }
    if (__builtin_sub_overflow(parent_time, base_time, &span) || span <= -SPAN_LIMIT ||
        span >= SPAN_LIMIT) {
        return 0;
    }
    if (!fx_nbits_decode(previous_nbits, &previous) ||
        !fx_nbits_decode(params->limit_nbits[lane], &limit) || fx_u256_cmp(&previous, &limit) > 0) {
        return 0;
    }
    *nbits = fx_lane_required(params, lane, previous_nbits, base_time, parent_time);
    return 1;
}
