/* The task that devices are measured by. */
#include "kernels/trial.h"

#include <stdlib.h>
#include <string.h>

#include "src/util/mem.h"

#define BLOCKS 16

void fx_trial_init(struct fx_trial *trial)
{
    const uint32_t entries = BLOCKS * FX_BLOCK_BYTES;

    trial->blocks = fx_xmalloc(entries);
    for (uint32_t at = 0; at < entries; at++)
        trial->blocks[at] = (int8_t)((int)(at * UINT32_C(2654435761) >> 16 & 0x7f) - 64);
}

void fx_trial_clear(struct fx_trial *trial)
{
    free(trial->blocks);
}

static bool read_blocks(void *ctx, enum fx_side side, uint32_t panel, uint32_t first,
                        uint32_t count, int8_t *out)
{
    const struct fx_trial *trial = ctx;

    for (uint32_t at = 0; at < count; at++)
        memcpy(out + (size_t)at * FX_BLOCK_BYTES,
               trial->blocks + (size_t)((panel + first + at + 7 * side) % BLOCKS) * FX_BLOCK_BYTES,
               FX_BLOCK_BYTES);
    return true;
}

struct fx_kernel_task fx_trial_task(struct fx_trial *trial, uint32_t rows, uint32_t cols,
                                    uint32_t depth)
{
    return (struct fx_kernel_task){.kind = 1, /* gemm */
                                   .rows = rows,
                                   .cols = cols,
                                   .depth = depth,
                                   .operands = {trial, read_blocks}};
}

static bool drop_ticket(void *ctx, uint32_t i, uint32_t j, uint32_t l, const uint8_t ticket[32])
{
    (void)ctx;
    (void)i;
    (void)j;
    (void)l;
    (void)ticket;
    return true;
}

static bool drop_tile(void *ctx, uint64_t tile, const int32_t *data)
{
    (void)ctx;
    (void)tile;
    (void)data;
    return true;
}

const struct fx_kernel_sink fx_trial_sink = {NULL, drop_ticket, drop_tile};
