/* What belongs to a header: noise, permutations, tickets (protocol section 6). */
#include "kernels/cpu/cpu_int.h"

#include <string.h>

#include "src/crypto/chacha20.h"
#include "src/crypto/taghash.h"
#include "src/util/buf.h"

#define PURPOSE_PANEL 0
#define PURPOSE_PERM 1

void fx_cpu_seed_init(struct fx_cpu_seed *seed, const uint8_t id[32])
{
    static const uint8_t zero[32];

    memcpy(seed->seed, id, 32);
    fx_tagged_hash("fornax/noise", id, 32, seed->key);
    fx_tagged_init(&seed->ticket, "fornax/ticket");
    fx_sha256_update(&seed->ticket, id, 32);
    fx_sha256_update(&seed->ticket, zero, sizeof zero);
}

static void stream(const struct fx_cpu_seed *seed, uint32_t purpose, enum fx_side side, uint32_t x,
                   uint8_t *out, size_t n)
{
    uint8_t nonce[12];

    fx_store_u32(nonce, purpose);
    fx_store_u32(nonce + 4, (uint32_t)side);
    fx_store_u32(nonce + 8, x);
    fx_chacha20_stream(seed->key, nonce, 0, out, n);
}

void fx_cpu_noise_panel(const struct fx_cpu_seed *seed, enum fx_side side, uint32_t panel,
                        int8_t *out)
{
    uint8_t *bytes = (uint8_t *)out;

    stream(seed, PURPOSE_PANEL, side, panel, bytes, FX_BLOCK_BYTES);
    for (size_t at = 0; at < FX_BLOCK_BYTES; at++)
        out[at] = (int8_t)((bytes[at] & 0x7f) - 64);
}

void fx_cpu_noise_perm(const struct fx_cpu_seed *seed, enum fx_side side, uint32_t segment,
                       struct fx_cpu_perm *perm)
{
    uint8_t bytes[FX_DEPTH * 4 + FX_DEPTH / 8], p[FX_DEPTH];
    const uint8_t *signs = bytes + FX_DEPTH * 4;

    stream(seed, PURPOSE_PERM, side, segment, bytes, sizeof bytes);
    for (unsigned c = 0; c < FX_DEPTH; c++)
        p[c] = (uint8_t)c;
    for (unsigned c = FX_DEPTH - 1; c > 0; c--) {
        unsigned other = (unsigned)(((uint64_t)fx_load_u32(bytes + 4 * c) * (c + 1)) >> 32);
        uint8_t kept = p[c];

        p[c] = p[other];
        p[other] = kept;
    }
    for (unsigned c = 0; c < FX_DEPTH; c++) {
        bool negative = (signs[c >> 3] >> (c & 7)) & 1;

        perm->from[c] = (uint16_t)(FX_CPU_ROWS * p[c] + (negative ? FX_BLOCK_BYTES : 0));
        perm->inverse[p[c]] = (uint8_t)c;
        perm->sign[p[c]] = negative ? -1 : 1;
    }
}

void fx_cpu_plan_init(struct fx_cpu_plan *plan, const struct fx_cpu_perm *perms, unsigned n)
{
    memset(plan, 0, sizeof *plan);
    for (unsigned x = 0; x < FX_DEPTH; x++) {
        for (unsigned s = 0; s < n; s++) {
            plan->from[x][s] = (uint16_t)(FX_CPU_ROWS * perms[s].inverse[x]);
            plan->sign[x][s] = perms[s].sign[x];
            plan->correction[x] -= 128 * perms[s].sign[x];
        }
    }
}

void fx_cpu_plan_negate(struct fx_cpu_plan *plan)
{
    for (unsigned x = 0; x < FX_DEPTH; x++) {
        for (unsigned s = 0; s < FX_CPU_CHUNK; s++)
            plan->sign[x][s] = (int8_t)-plan->sign[x][s];
        plan->correction[x] = -plan->correction[x];
    }
}

void fx_cpu_ticket(const struct fx_cpu_seed *seed, const uint32_t words[8], uint32_t i, uint32_t j,
                   uint32_t l, uint8_t ticket[32])
{
    struct fx_sha256 hash = seed->ticket;
    uint8_t tail[44];

    for (unsigned w = 0; w < 8; w++)
        fx_store_u32(tail + 4 * w, words[w]);
    fx_store_u32(tail + 32, i);
    fx_store_u32(tail + 36, j);
    fx_store_u32(tail + 40, l);
    fx_sha256_update(&hash, tail, sizeof tail);
    fx_sha256_final(&hash, ticket);
}

bool fx_cpu_meets(const uint8_t value[32], const uint8_t target[32])
{
    for (int at = 31; at >= 0; at--) {
        if (value[at] != target[at])
            return value[at] < target[at];
    }
    return true;
}
