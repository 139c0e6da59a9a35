/* Headers: bytes, id, lane. */
#include "consensus/header.h"

#include <string.h>

#include "src/crypto/sha256.h"
#include "src/util/buf.h"

#define VERSION_BITS 0x20000000
#define LANE_SHIFT 8

void fx_header_write(const struct fx_header *h, uint8_t out[FX_HEADER_SIZE])
{
    fx_store_u32(out, (uint32_t)h->version);
    memcpy(out + 4, h->prev.b, 32);
    memcpy(out + 36, h->merkle_root.b, 32);
    fx_store_u32(out + 68, h->time);
    fx_store_u32(out + 72, h->nbits);
    fx_store_u32(out + 76, h->nonce);
}

void fx_header_read(const uint8_t in[FX_HEADER_SIZE], struct fx_header *h)
{
    h->version = (int32_t)fx_load_u32(in);
    memcpy(h->prev.b, in + 4, 32);
    memcpy(h->merkle_root.b, in + 36, 32);
    h->time = fx_load_u32(in + 68);
    h->nbits = fx_load_u32(in + 72);
    h->nonce = fx_load_u32(in + 76);
}

void fx_header_id(const struct fx_header *h, struct fx_hash *id)
{
    uint8_t raw[FX_HEADER_SIZE];

    fx_header_write(h, raw);
    fx_sha256d(raw, sizeof raw, id->b);
}

unsigned fx_header_lane(const struct fx_header *h)
{
    return ((uint32_t)h->version >> LANE_SHIFT) & 0xf;
}

unsigned fx_lane_of(const struct fx_params *params, const struct fx_header *h)
{
    return params->lanes ? fx_header_lane(h) : FX_LANE_HASH;
}

int32_t fx_header_version(enum fx_lane lane)
{
    return VERSION_BITS | (int32_t)lane << LANE_SHIFT;
}
