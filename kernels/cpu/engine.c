/* The engines of the CPU backend, and which one fits this processor. */
#include "kernels/cpu/engine_int.h"

const struct fx_cpu_engine *const fx_cpu_engines[] = {
#ifdef FX_CPU_X86
    &fx_cpu_engine_avx512,  &fx_cpu_engine_avxvnni,
    &fx_cpu_engine_avx2,
#endif
    &fx_cpu_engine_generic, NULL,
};

const struct fx_cpu_engine *fx_cpu_engine_best(void)
{
    const struct fx_cpu_engine *const *engine = fx_cpu_engines;

    while (!(*engine)->usable())
        engine++;
    return *engine;
}
