/* Headers: Bitcoin's 80 bytes, with the lane in nVersion (protocol section 3). */
#ifndef FX_CONSENSUS_HEADER_H
#define FX_CONSENSUS_HEADER_H

#include "consensus/params.h"
#include "src/util/hash.h"

#define FX_HEADER_SIZE 80

struct fx_header {
    int32_t version;
    struct fx_hash prev;
    struct fx_hash merkle_root;
    uint32_t time;
    uint32_t nbits;
    uint32_t nonce;
};

void fx_header_write(const struct fx_header *h, uint8_t out[FX_HEADER_SIZE]);
void fx_header_read(const uint8_t in[FX_HEADER_SIZE], struct fx_header *h);
void fx_header_id(const struct fx_header *h, struct fx_hash *id); /* double SHA-256 */
/* (nVersion >> 8) & 0xf; above 1 is invalid. */
unsigned fx_header_lane(const struct fx_header *h);
/* The lane of a block on this network: that, or FX_LANE_HASH where there are no lanes. */
unsigned fx_lane_of(const struct fx_params *params, const struct fx_header *h);
/* The nVersion of a new block of this lane: 0x20000000 with the lane's bits. */
int32_t fx_header_version(enum fx_lane lane);

#endif
