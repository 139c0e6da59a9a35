/* How the kernels of kernels/offload.h map to functions of kernels/cuda/kernels.cu. */
#include "kernels/cuda/launch.h"

#include <string.h>

const char *const fx_cuda_functions[FX_CUDA_FUNCTIONS] = {
    [FX_CUDA_PANELS] = "fx_panels",
    [FX_CUDA_PERMS] = "fx_perms",
    [FX_CUDA_NOISE] = "fx_noise",
    [FX_CUDA_BRICKS] = "fx_bricks",
    [FX_CUDA_BRICKS_WGMMA] = "fx_bricks_wgmma",
    [FX_CUDA_TICKETS] = "fx_tickets",
    [FX_CUDA_LIMBS] = "fx_limbs",
    [FX_CUDA_NONCES] = "fx_nonces",
};

static const enum fx_cuda_function functions[FX_OFFLOAD_KERNELS] = {
    [FX_OFFLOAD_PANELS] = FX_CUDA_PANELS,   [FX_OFFLOAD_PERMS] = FX_CUDA_PERMS,
    [FX_OFFLOAD_NOISE] = FX_CUDA_NOISE,     [FX_OFFLOAD_BRICKS] = FX_CUDA_BRICKS,
    [FX_OFFLOAD_TICKETS] = FX_CUDA_TICKETS, [FX_OFFLOAD_LIMBS] = FX_CUDA_LIMBS,
    [FX_OFFLOAD_PEEL] = FX_CUDA_BRICKS,     [FX_OFFLOAD_NONCES] = FX_CUDA_NONCES,
};

uint32_t fx_cuda_shared(const struct fx_cuda_variant *variant, enum fx_cuda_function function)
{
    if (function == FX_CUDA_BRICKS_WGMMA)
        return FX_WGMMA_SHARED;
    if (function == FX_CUDA_BRICKS)
        return (variant->async ? FX_STAGES_FROM_80 : FX_STAGES_BEFORE_80) * FX_STAGE_BYTES;
    return 0;
}

static void add_word(struct fx_cuda_launch *out, uint32_t word)
{
    out->words[out->n_params] = word;
    out->params[out->n_params] = &out->words[out->n_params];
    out->n_params++;
}

static uint32_t word(const struct fx_offload_arg *arg)
{
    return (uint32_t)arg->value;
}

static void *pointer(const struct fx_offload_arg *arg)
{
    return (void *)(uintptr_t)arg->value;
}

/* images, list, sums, folds, base, stride, chunk, from, to, flags */
static void bricks_args(const struct fx_offload_arg *args, struct fx_bricks_args *out)
{
    *out = (struct fx_bricks_args){.left = pointer(&args[0]),
                                   .list = pointer(&args[1]),
                                   .sums = pointer(&args[2]),
                                   .folds = pointer(&args[3]),
                                   .base = word(&args[4]),
                                   .stride = word(&args[5]),
                                   .chunk = word(&args[6]),
                                   .from = word(&args[7]),
                                   .to = word(&args[8]),
                                   .flags = word(&args[9])};
}

/* limbs, used, limages, list, sums, base, stride */
static void peel_args(const struct fx_offload_arg *args, struct fx_bricks_args *out)
{
    *out = (struct fx_bricks_args){.left = pointer(&args[0]),
                                   .used = pointer(&args[1]),
                                   .limages = pointer(&args[2]),
                                   .list = pointer(&args[3]),
                                   .sums = pointer(&args[4]),
                                   .base = word(&args[5]),
                                   .stride = word(&args[6]),
                                   .chunk = 3,
                                   .flags = FX_PEELED};
}

static void plan_bricks(const struct fx_cuda_variant *variant, uint32_t groups,
                        struct fx_cuda_launch *out)
{
    out->params[0] = &out->bricks;
    out->n_params = 1;
    if (!variant->wgmma)
        return;
    out->function = FX_CUDA_BRICKS_WGMMA;
    out->threads = FX_WGMMA_THREADS;
    add_word(out, groups / 2);
    /* Clusters of two stay for all that there is. */
    if (out->groups > variant->at_once)
        out->groups = variant->at_once / 2 * 2;
}

void fx_cuda_plan(const struct fx_cuda_variant *variant, enum fx_offload_kernel kernel,
                  uint32_t groups, const struct fx_offload_arg *args, unsigned n_args,
                  struct fx_cuda_launch *out)
{
    out->function = functions[kernel];
    out->groups = groups;
    out->threads = kernel == FX_OFFLOAD_PERMS ? FX_PERM_THREADS : FX_THREADS;
    out->n_params = 0;
    if (kernel == FX_OFFLOAD_BRICKS || kernel == FX_OFFLOAD_PEEL) {
        if (kernel == FX_OFFLOAD_PEEL)
            peel_args(args, &out->bricks);
        else
            bricks_args(args, &out->bricks);
        plan_bricks(variant, groups, out);
    } else {
        for (unsigned at = 0; at < n_args; at++) {
            if (args[at].is_buffer) {
                out->buffers[at] = args[at].value;
                out->params[out->n_params++] = &out->buffers[at];
            } else {
                add_word(out, word(&args[at]));
            }
        }
        if (kernel == FX_OFFLOAD_TICKETS)
            add_word(out, variant->wgmma ? 2 : 1);
    }
    out->shared = fx_cuda_shared(variant, out->function);
}
