/*
 * A task to measure devices by: operands that are made up, and a sink that takes whatever comes and
 * keeps nothing.
 */
#ifndef FX_KERNELS_TRIAL_H
#define FX_KERNELS_TRIAL_H

#include "kernels/kernel.h"

struct fx_trial {
    int8_t *blocks; /* some different ones, of entries over the whole range */
};

void fx_trial_init(struct fx_trial *trial);
void fx_trial_clear(struct fx_trial *trial);
/* A gemm task of this shape, from panel 0. It reads from the trial, which stays where it is. */
struct fx_kernel_task fx_trial_task(struct fx_trial *trial, uint32_t rows, uint32_t cols,
                                    uint32_t depth);
extern const struct fx_kernel_sink fx_trial_sink;

#endif
